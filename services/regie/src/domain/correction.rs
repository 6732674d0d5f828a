//! A request for correction (rectificatie): the client says what is wrong and what it should be, and the municipality decides
//! within a month (R-REG-21; AVG 12, 16).
//!
//! The correction itself is made where the fact was recorded; this is the record that it was asked for, and what came of it.

use super::case::codes;
use super::month::{self, ExtensionGround};
use super::written;
use kernel::{Calendar, Date, Moment, Refusal};

kernel::id! {
    /// A request for correction.
    CorrectionId
}

kernel::reasons! {
    CORRECTION_UNKNOWN: NotFound, "R-REG-21",
        "There is no such request for correction of this client.", "Dit verzoek om verbetering van de cliënt bestaat niet.",
        "List the client's requests.", "Vraag de verzoeken van de cliënt op.";
    CORRECTION_INCOMPLETE: Rule, "R-REG-21",
        "A request for correction needs what it is about, and 10 to 2000 characters on what is wrong and what it should be.",
        "Een verzoek om verbetering vraagt waar het over gaat, en in 10 tot 2000 tekens wat er niet klopt en wat het moet zijn.",
        "Give both.", "Geef beide.";
    CORRECTION_DAY_WRONG: Rule, "R-REG-21",
        "The day {day} cannot be: it lies ahead, or before the request.",
        "De dag {day} kan niet: die ligt in de toekomst, of voor het verzoek.",
        "Give the day on which it happened.", "Geef de dag waarop het gebeurde.";
    CORRECTION_EXTENDED: Rule, "R-REG-21",
        "The month was extended already, and once only.", "De maand is al verlengd, en dat kan één keer.",
        "Decide before {answer_by} is over.", "Beslis uiterlijk op {answer_by}.";
    CORRECTION_TOLD_TOO_LATE: Rule, "R-REG-21",
        "The client must hear of it within the month: on {answer_by} at the latest.",
        "De cliënt moet dat binnen de maand horen: uiterlijk op {answer_by}.",
        "Decide on the request now.", "Beslis nu op het verzoek.";
    CORRECTION_REASON_MISSING: Rule, "R-REG-21",
        "Who does not correct everything gives a ground and an explanation of 10 to 2000 characters.",
        "Wie niet alles verbetert, geeft een grond en een toelichting van 10 tot 2000 tekens.",
        "Give both; the client reads them.", "Geef beide; de cliënt leest ze.";
    CORRECTION_GROUND_UNFIT: Rule, "R-REG-21",
        "That it is not established who asks is a ground to refuse a whole request on paper only.",
        "Dat niet is vastgesteld wie het vraagt, is alleen een grond om een verzoek op papier helemaal af te wijzen.",
        "Give another ground.", "Geef een andere grond.";
    CORRECTION_DECIDED: Rule, "R-REG-21",
        "This request was decided already.", "Op dit verzoek is al beslist.",
        "Against a refusal the client can object and go to court, complain to the Autoriteit Persoonsgegevens, or ask again.",
        "Tegen een afwijzing kan de cliënt bezwaar maken en naar de rechter, klagen bij de Autoriteit Persoonsgegevens, of opnieuw een verzoek doen.";
}

codes! {
    /// What it is about.
    Subject {
        Identity = "identity", "Who the client is: name, birth date, contact.";
        Household = "household", "Who lives with the client.";
        Plan = "plan", "The plan, its goals, or scores.";
        DecisionOrStay = "decision_or_stay", "A decision, or a stay in a shelter.";
        Home = "home", "The home, or the way to it.";
        IncomeOrDebts = "income_or_debts", "Income, benefit or debts.";
        Other = "other", "Something else, said in words.";
    }
}

codes! {
    /// What it led to.
    Outcome {
        Corrected = "corrected", "It was corrected, as the client asked.";
        InPart = "in_part", "A part was corrected.";
        Refused = "refused", "Nothing was corrected.";
    }
}

codes! {
    /// Why something is not corrected (AVG 12(4), 12(6), 16).
    Ground {
        NotIncorrect = "not_incorrect", "The facts are right.";
        ProfessionalOpinion = "professional_opinion", "An opinion of a professional: the client's own view is added instead.";
        NotOurs = "not_ours", "Another organisation recorded it, and answers for it.";
        NotIdentified = "not_identified", "It could not be established who asks.";
    }
}

/// What the client can do about a refusal, in Dutch and in English (AVG 12(4); UAVG 34: the decision is one of the Awb).
pub const WAY_OUT: (&str, &str) = (
    "Bent u het er niet mee eens? Maak binnen zes weken bezwaar bij de gemeente; daarna kunt u naar de rechter. U kunt ook een klacht indienen bij de Autoriteit Persoonsgegevens.",
    "Do you disagree? Object to the municipality within six weeks; after that you can go to court. You can also complain to the Autoriteit Persoonsgegevens.",
);

/// What the client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What it is about.
    pub concerns: Subject,
    /// What is wrong and what it should be.
    pub words: String,
    /// Whether the client asked with an own token, and is identified by it.
    pub by_client: bool,
    /// The day on which it came in.
    pub requested_on: Date,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What it led to.
    pub outcome: Outcome,
    /// Why not all of it was corrected; none when it was.
    pub ground: Option<Ground>,
    /// The same in words; empty when all was corrected and nothing is to be said.
    pub explanation: String,
    /// On which day.
    pub on: Date,
}

/// A request for correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Its id.
    pub id: CorrectionId,
    /// What is asked.
    pub wish: Wish,
    /// The last day to decide.
    pub answer_by: Date,
    /// Why it was extended, and when the client was told; none while it was not.
    pub extended: Option<(ExtensionGround, Date)>,
    /// What was decided; none while it waits.
    pub decided: Option<Decision>,
}

/// For which reasons the month refuses.
const MONTH: month::Reasons = month::Reasons {
    day_wrong: &CORRECTION_DAY_WRONG,
    answered: &CORRECTION_DECIDED,
    extended: &CORRECTION_EXTENDED,
    told_too_late: &CORRECTION_TOLD_TOO_LATE,
};

/// Reads what a client asks.
pub fn wish(concerns: Option<Subject>, words: &str, (by_client, requested_on): (bool, Date)) -> Result<Wish, Refusal> {
    let (concerns, words) = concerns.zip(written(words)).ok_or(&CORRECTION_INCOMPLETE)?;
    Ok(Wish { concerns, words, by_client, requested_on })
}

/// Reads what was decided. Only who corrected everything may leave it at that.
pub fn decision(outcome: Outcome, ground: Option<Ground>, explanation: &str, now: Moment) -> Result<Decision, Refusal> {
    let corrected = outcome == Outcome::Corrected;
    let said = match explanation.trim() {
        "" if corrected => Some(String::new()),
        text => written(text),
    };
    let ground = ground.filter(|_| !corrected);
    match said {
        Some(explanation) if corrected || ground.is_some() => {
            Ok(Decision { outcome, ground, explanation, on: now.date })
        }
        _ => Err((&CORRECTION_REASON_MISSING).into()),
    }
}

/// Records a request. Each is one of its own: several may wait.
pub fn request(id: CorrectionId, wish: Wish, calendar: &Calendar, now: Moment) -> Result<Correction, Refusal> {
    let answer_by = month::answer_by(wish.requested_on, &MONTH, calendar, now)?;
    Ok(Correction { id, wish, answer_by, extended: None, decided: None })
}

/// Extends the month by two, once, after the client was told so within the month; none when it was extended just so.
pub fn extend(
    correction: &Correction,
    why: (ExtensionGround, Date),
    calendar: &Calendar,
    now: Moment,
) -> Result<Option<Correction>, Refusal> {
    let asked = month::Asked {
        requested_on: correction.wish.requested_on,
        answer_by: correction.answer_by,
        extended: correction.extended,
        answered: correction.decided.is_some(),
    };
    let longer = month::extend(&asked, why, &MONTH, calendar, now)?;
    Ok(longer.map(|answer_by| Correction { answer_by, extended: Some(why), ..correction.clone() }))
}

/// Records the decision; none when it was decided just so.
pub fn decide(correction: &Correction, decision: Decision) -> Result<Option<Correction>, Refusal> {
    let Decision { outcome, ground, .. } = decision;
    match &correction.decided {
        // The same on a later day; other words would be another decision.
        Some(stands) if *stands == (Decision { on: stands.on, ..decision.clone() }) => return Ok(None),
        Some(_) => return Err((&CORRECTION_DECIDED).into()),
        None => {}
    }
    // For whom it is not known that they are the client, nothing is corrected.
    let known = correction.wish.by_client || outcome != Outcome::Refused;
    if known && ground == Some(Ground::NotIdentified) {
        return Err((&CORRECTION_GROUND_UNFIT).into());
    }
    Ok(Some(Correction { decided: Some(decision), ..correction.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;
    use proptest::prelude::*;

    const WORDS: &str = "Mijn zoon woont niet meer bij mij.";

    fn at(day: Date) -> Moment {
        Moment::start_of(day)
    }

    fn calendar() -> Calendar {
        Calendar::parse(Calendar::FILE).unwrap()
    }

    fn code<T>(outcome: Result<T, Refusal>) -> Result<T, &'static str> {
        outcome.map_err(|refusal| refusal.reason.code)
    }

    fn asked(on: Date, by_client: bool) -> Correction {
        let wish = wish(Some(Subject::Household), WORDS, (by_client, on)).unwrap();
        request(CorrectionId(Uuid::from_u128(1)), wish, &calendar(), at(on)).unwrap()
    }

    fn decided(outcome: Outcome, ground: Option<Ground>) -> Decision {
        decision(outcome, ground, "De gemeente ging het na bij u.", at(date(2026, 3, 9))).unwrap()
    }

    /// R-REG-21, R-REG-08
    #[test]
    fn a_correction_has_the_month_of_the_avg_which_is_extended_once() {
        let one = asked(date(2026, 4, 2), true);
        assert_eq!(one.answer_by, date(2026, 5, 2), "a Saturday");
        use ExtensionGround::{Complex, ManyRequests};
        let extend_one = |one: &Correction, ground, told_on: Date, today: Date| {
            code(extend(one, (ground, told_on), &calendar(), at(today)))
        };
        let cases = [
            (date(2026, 4, 1), date(2026, 4, 10), Some("CORRECTION_DAY_WRONG")),
            (date(2026, 4, 11), date(2026, 4, 10), Some("CORRECTION_DAY_WRONG")),
            (date(2026, 5, 3), date(2026, 5, 3), Some("CORRECTION_TOLD_TOO_LATE")),
            (date(2026, 5, 2), date(2026, 5, 3), None),
        ];
        for (told_on, today, expected) in cases {
            assert_eq!(extend_one(&one, Complex, told_on, today).err(), expected, "told on {told_on}");
        }
        let day = date(2026, 5, 2);
        let longer = extend_one(&one, Complex, day, day).unwrap().unwrap();
        assert_eq!(longer.answer_by, date(2026, 7, 2));
        assert_eq!(extend_one(&longer, Complex, day, day), Ok(None));
        assert_eq!(extend_one(&longer, ManyRequests, day, day).err(), Some("CORRECTION_EXTENDED"));
        let over = decide(&one, decided(Outcome::Corrected, None)).unwrap().unwrap();
        assert_eq!(extend_one(&over, Complex, day, day).err(), Some("CORRECTION_DECIDED"));
        let ahead = wish(Some(Subject::Home), WORDS, (false, date(2026, 4, 3))).unwrap();
        let ahead = request(CorrectionId(Uuid::from_u128(2)), ahead, &calendar(), at(date(2026, 4, 2)));
        assert_eq!(code(ahead).err(), Some("CORRECTION_DAY_WRONG"));
    }

    /// R-REG-21
    #[test]
    fn a_request_says_what_it_is_about_and_what_it_should_be() {
        let (longest, long) = ("x".repeat(2000), "x".repeat(2001));
        let cases = [
            (Some(Subject::Other), WORDS, true),
            (Some(Subject::Other), longest.as_str(), true),
            (Some(Subject::Other), long.as_str(), false),
            (Some(Subject::Other), "  te kort  ", false),
            (Some(Subject::Other), "een \0 in de tekst", false),
            (None, WORDS, false),
        ];
        for (concerns, words, complete) in cases {
            let read = code(wish(concerns, words, (true, date(2026, 3, 2))));
            assert_eq!(read.err(), (!complete).then_some("CORRECTION_INCOMPLETE"), "{words:.20}");
        }
    }

    /// R-REG-21
    #[test]
    fn who_does_not_correct_everything_says_why_in_code_and_in_words() {
        use Outcome::{Corrected, InPart, Refused};
        let (why, now) = (Some(Ground::NotIncorrect), at(date(2026, 3, 9)));
        let cases = [
            (Corrected, None, "", true),
            (Corrected, None, WORDS, true),
            (Corrected, None, "te kort", false),
            (InPart, why, WORDS, true),
            (InPart, None, WORDS, false),
            (InPart, why, "", false),
            (Refused, why, WORDS, true),
            (Refused, None, WORDS, false),
            (Refused, why, "te kort", false),
        ];
        for (outcome, ground, words, complete) in cases {
            let read = code(decision(outcome, ground, words, now)).map(|read| read.ground);
            let expected = if complete { Ok(ground) } else { Err("CORRECTION_REASON_MISSING") };
            assert_eq!(read, expected, "{outcome:?} {ground:?} {words}");
        }
        assert_eq!(decision(Corrected, why, "", now).unwrap().ground, None, "nothing is left to explain");
    }

    /// R-REG-21
    #[test]
    fn that_nobody_knows_who_asks_is_a_ground_for_paper_only_and_for_nothing_in_part() {
        use Outcome::{InPart, Refused};
        let cases = [(false, Refused, None), (true, Refused, Some(())), (false, InPart, Some(()))];
        for (by_client, outcome, refused) in cases {
            let one = asked(date(2026, 3, 2), by_client);
            let said = code(decide(&one, decided(outcome, Some(Ground::NotIdentified))));
            assert_eq!(said.err(), refused.map(|()| "CORRECTION_GROUND_UNFIT"), "{by_client} {outcome:?}");
        }
    }

    /// R-REG-21
    #[test]
    fn who_is_refused_hears_of_objection_court_and_the_supervisory_authority() {
        for words in [WAY_OUT.0, CORRECTION_DECIDED.uitweg] {
            assert!(
                ["bezwaar", "rechter", "Autoriteit Persoonsgegevens"].iter().all(|way| words.contains(way)),
                "{words}"
            );
        }
        for words in [WAY_OUT.1, CORRECTION_DECIDED.way_out] {
            assert!(["bject", "court", "Autoriteit Persoonsgegevens"].iter().all(|way| words.contains(way)), "{words}");
        }
    }

    /// R-REG-21: words that the client never read are not taken for the decision.
    #[test]
    fn the_same_decision_in_other_words_is_another_one() {
        let (day, ground) = (date(2026, 3, 9), Some(Ground::NotIncorrect));
        let said = |words: &str, on| decision(Outcome::Refused, ground, words, at(on)).unwrap();
        let one = asked(date(2026, 3, 2), true);
        let one = decide(&one, said("Het klopt zoals het er staat.", day)).unwrap().unwrap();
        let later = said("Het klopt zoals het er staat.", date(2026, 3, 10));
        assert_eq!(code(decide(&one, later)), Ok(None));
        assert_eq!(code(decide(&one, said("Er is niets gebleken.", day))), Err("CORRECTION_DECIDED"));
    }

    proptest! {
        /// R-REG-21: whatever is decided and in which order, the first decision stands, and the same again changes nothing.
        #[test]
        fn the_first_decision_stands(all in proptest::collection::vec((0usize..3, 0usize..3), 1..8)) {
            let mut one = asked(date(2026, 3, 2), true);
            let mut stands = None;
            for (outcome, ground) in all {
                let outcome = Outcome::ALL[outcome];
                let ground = (outcome != Outcome::Corrected).then_some(Ground::ALL[ground]);
                let said = code(decide(&one, decided(outcome, ground)));
                match stands {
                    None => {
                        one = said.unwrap().unwrap();
                        stands = Some((outcome, ground));
                    }
                    Some(before) if before == (outcome, ground) => prop_assert_eq!(said, Ok(None)),
                    Some(_) => prop_assert_eq!(said.err(), Some("CORRECTION_DECIDED")),
                }
                prop_assert_eq!(one.decided.as_ref().map(|decision| (decision.outcome, decision.ground)), stands);
            }
        }
    }
}
