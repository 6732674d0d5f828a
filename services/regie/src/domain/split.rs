//! Splits: one record that turned out to be about two persons (R-REG-26). The second person is registered anew, by the ordinary
//! road; a split says of which record that one was split off. No fact moves: whoever recorded it corrects it.

use kernel::{ClientId, Date, Organisation, Refusal};

kernel::id! {
    /// A split.
    SplitId
}

kernel::reasons! {
    SPLIT_OF_ONE: Rule, "R-REG-26",
        "A record cannot be split off itself.", "Een dossier kan niet van zichzelf worden afgesplitst.",
        "Register the second person at access, and name that record.",
        "Schrijf de tweede persoon in bij de toegang, en noem dat dossier.";
    SPLIT_ELSEWHERE: Rule, "R-REG-26",
        "This record was split off another one already: {client_id}.", "Dit dossier is al van een ander dossier afgesplitst: {client_id}.",
        "Check which two records are meant.", "Controleer welke twee dossiers bedoeld zijn.";
}

/// One record that was split off another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Its id.
    pub id: SplitId,
    /// The record that turned out to be about two persons.
    pub client: ClientId,
    /// The record of the second person.
    pub new: ClientId,
    /// Why, in the words of whoever decided it.
    pub explanation: String,
    /// Since when.
    pub split_on: Date,
    /// Whose decision it was.
    pub split_by: Organisation,
}

/// Splits one record off another; gives back the split that stands, and whether it is new. `known` are the splits in which either
/// of the two has a part.
pub fn split(known: &[Split], wanted: Split) -> Result<(Split, bool), Refusal> {
    if wanted.client == wanted.new {
        return Err((&SPLIT_OF_ONE).into());
    }
    match known.iter().find(|one| one.new == wanted.new) {
        Some(stands) if stands.client == wanted.client => Ok((stands.clone(), false)),
        Some(stands) => Err(SPLIT_ELSEWHERE.with("client_id", stands.client)),
        None => Ok((wanted, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Uuid;

    /// R-REG-26
    #[test]
    fn a_record_is_split_off_one_other_and_once() {
        let wanted = |id: u128, client: u128, new: u128| Split {
            id: SplitId(Uuid::from_u128(id)),
            client: ClientId(Uuid::from_u128(client)),
            new: ClientId(Uuid::from_u128(new)),
            explanation: "Twee broers.".into(),
            split_on: jiff::civil::date(2026, 3, 2),
            split_by: Organisation::parse("o", "gemeente-dordrecht").unwrap(),
        };
        let known = [wanted(1, 1, 2)];
        for (wish, answer) in [
            (wanted(9, 1, 1), Err("SPLIT_OF_ONE")),
            (wanted(9, 1, 2), Ok((1, false))),
            (wanted(9, 3, 2), Err("SPLIT_ELSEWHERE")),
            (wanted(9, 1, 3), Ok((9, true))),
            (wanted(9, 2, 3), Ok((9, true))),
        ] {
            let said = split(&known, wish).map(|(stands, new)| (stands.id.0.as_u128(), new));
            assert_eq!(said.map_err(|refusal| refusal.reason.code), answer);
        }
    }
}
