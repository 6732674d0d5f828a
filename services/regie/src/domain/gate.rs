//! The municipality's own word on a move-in gate (P2): open without secured income, or leave it shut.

use super::case::codes;
use kernel::Refusal;

kernel::reasons! {
    GATE_NO_MOVE: Rule, "P2",
        "The client has no live allocation with that id.", "De cliënt heeft geen lopende toewijzing met dit kenmerk.",
        "Read the case for its moves.", "Lees het dossier voor de verhuizingen.";
    GATE_REASON_MISSING: Rule, "P2",
        "Opening the gate without secured income needs a reason and an explanation of 10 to 2000 characters.",
        "De poort openen zonder zeker inkomen vraagt een reden en een toelichting van 10 tot 2000 tekens.",
        "Give both.", "Geef beide.";
    GATE_SIGNED: Rule, "P2",
        "The lease is signed: there is nothing to hold back any more.",
        "Het huurcontract is getekend: er valt niets meer tegen te houden.",
        "Take it up with social services and the corporation.", "Bespreek het met de sociale dienst en de corporatie.";
}

codes! {
    /// Why the municipality opens the gate without secured income.
    OverrideReason {
        BenefitLate = "benefit_late", "The benefit is certain, only its decision is late.";
        MunicipalityPays = "municipality_pays", "The municipality bears the first rent itself.";
        HomeWouldBeLost = "home_would_be_lost", "The home would be lost and the risk is smaller.";
        Other = "other", "Another reason, explained.";
    }
}

/// What the municipality says about a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Open it.
    Open {
        /// Why.
        reason: OverrideReason,
        /// In words, for whoever reads the file later.
        explanation: String,
    },
    /// Leave it to the income.
    LeaveShut,
}

/// A move, as far as the municipality's word depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// The lease is not signed.
    Unsigned,
    /// The lease is signed.
    Signed,
}

/// Reads what the municipality says; opening needs both reason and explanation.
pub fn word(open: bool, reason: Option<OverrideReason>, explanation: &str) -> Result<Word, Refusal> {
    let explanation = explanation.trim();
    match (open, reason) {
        (false, _) => Ok(Word::LeaveShut),
        (true, Some(reason)) if (10..=2000).contains(&explanation.chars().count()) => {
            Ok(Word::Open { reason, explanation: explanation.to_owned() })
        }
        (true, _) => Err((&GATE_REASON_MISSING).into()),
    }
}

/// Whether the municipality's word changes anything: the word that stands, the move, the new word.
pub fn decide(stands: Option<&Word>, of: Option<Move>, word: &Word) -> Result<bool, Refusal> {
    match (of, stands, word) {
        (None, ..) => Err((&GATE_NO_MOVE).into()),
        (Some(_), Some(stands), word) if stands == word => Ok(false),
        (Some(Move::Signed), ..) => Err((&GATE_SIGNED).into()),
        (Some(Move::Unsigned), ..) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P2
    #[test]
    fn the_gate_opens_on_the_municipalitys_word_only_with_a_reason() {
        let why = Some(OverrideReason::BenefitLate);
        assert_eq!(word(true, None, "een lange toelichting").unwrap_err().reason.code, "GATE_REASON_MISSING");
        assert_eq!(word(true, why, " te kort ").unwrap_err().reason.code, "GATE_REASON_MISSING");
        assert!(word(true, why, "een lange toelichting").is_ok());
        assert_eq!(word(false, None, ""), Ok(Word::LeaveShut));
    }

    /// P2
    #[test]
    fn the_municipalitys_word_needs_a_move_that_is_not_signed() {
        let open = word(true, Some(OverrideReason::Other), "een lange toelichting").unwrap();
        assert_eq!(decide(None, None, &open).unwrap_err().reason.code, "GATE_NO_MOVE");
        assert_eq!(decide(None, Some(Move::Signed), &open).unwrap_err().reason.code, "GATE_SIGNED");
        assert_eq!(decide(None, Some(Move::Unsigned), &open), Ok(true));
        assert_eq!(decide(Some(&open), Some(Move::Signed), &open), Ok(false));
        assert_eq!(decide(Some(&open), Some(Move::Unsigned), &Word::LeaveShut), Ok(true));
    }
}
