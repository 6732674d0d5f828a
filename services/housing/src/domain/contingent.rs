//! How many homes a corporation sets aside (R-HOU-01). Every allocation draws from exactly one contingent, and the number
//! drawn never exceeds the agreed one.

use super::{ContingentChangeReason, ContingentId, TargetGroup};
use kernel::{Municipality, Organisation, Refusal};

kernel::reasons! {
    CONTINGENT_AGREED_ALREADY: Taken, "R-HOU-01",
        "This contingent is agreed already, with {places} homes.", "Dit contingent is al afgesproken, met {places} woningen.",
        "Change the agreed number with a reason.", "Wijzig het afgesproken aantal met een reden.";
    CONTINGENT_BELOW_DRAWN: Rule, "R-HOU-01",
        "{drawn} homes of this contingent have been allocated.", "Van dit contingent zijn {drawn} woningen toegewezen.",
        "Agree at least {drawn} homes.", "Spreek ten minste {drawn} woningen af.";
    CONTINGENT_MISSING: Rule, "R-HOU-01",
        "There is no contingent for this corporation, municipality, year and target group.",
        "Er is geen contingent voor deze corporatie, gemeente, jaar en doelgroep.",
        "Agree a contingent first.", "Spreek eerst een contingent af.";
    CONTINGENT_EXHAUSTED: Rule, "R-HOU-01",
        "All homes of the contingent have been allocated.", "Alle woningen van het contingent zijn toegewezen.",
        "Record a change of the agreed number.", "Leg een wijziging van het afgesproken aantal vast.";
}

/// A contingent with what was drawn from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingent {
    /// Its id.
    pub id: ContingentId,
    /// Who sets the homes aside.
    pub corporation: Organisation,
    /// Where.
    pub municipality: Municipality,
    /// The calendar year.
    pub year: i16,
    /// For whom.
    pub group: TargetGroup,
    /// The agreed number of homes.
    pub places: u32,
    /// Drawn by allocations that were not withdrawn.
    pub drawn: u32,
    /// Of those, with keys handed over.
    pub realised: u32,
}

/// What can be asked of a contingent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Agree it, or agree it again.
    Agree {
        /// The number of homes.
        places: u32,
    },
    /// Record another number.
    Change {
        /// The new number of homes.
        places: u32,
        /// Why.
        reason: ContingentChangeReason,
    },
    /// An allocation takes a place.
    Draw,
    /// A withdrawn allocation gives its place back (P4).
    Free,
    /// The keys were handed over.
    Realise,
}

/// What happened to a contingent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another number was agreed.
    Changed {
        /// The new number of homes.
        places: u32,
        /// Why.
        reason: ContingentChangeReason,
    },
    /// A place was drawn.
    Drawn,
    /// A place is free again.
    Freed,
    /// A place became a home.
    Realised,
}

/// What may happen to a contingent.
pub fn decide(state: &Contingent, command: &Command) -> Result<Vec<Event>, Refusal> {
    match *command {
        Command::Agree { places } if places == state.places => Ok(vec![]),
        Command::Agree { .. } => Err(CONTINGENT_AGREED_ALREADY.with("places", state.places)),
        Command::Change { places, .. } if places == state.places => Ok(vec![]),
        Command::Change { places, .. } if places < state.drawn => {
            Err(CONTINGENT_BELOW_DRAWN.with("drawn", state.drawn))
        }
        Command::Change { places, reason } => Ok(vec![Event::Changed { places, reason }]),
        Command::Draw if state.drawn >= state.places => Err((&CONTINGENT_EXHAUSTED).into()),
        Command::Draw => Ok(vec![Event::Drawn]),
        Command::Free if state.drawn > state.realised => Ok(vec![Event::Freed]),
        Command::Realise if state.realised < state.drawn => Ok(vec![Event::Realised]),
        Command::Free | Command::Realise => Ok(vec![]),
    }
}

/// The contingent after an event.
pub fn apply(mut state: Contingent, event: &Event) -> Contingent {
    match event {
        Event::Changed { places, .. } => state.places = *places,
        Event::Drawn => state.drawn += 1,
        Event::Freed => state.drawn -= 1,
        Event::Realised => state.realised += 1,
    }
    state
}

/// The contingent that an allocation for a group draws from: the group's own while it has room, else that of everybody
/// who leaves shelter; never the one of permit holders (R-HOU-21).
pub fn choose(of_the_year: &[Contingent], group: TargetGroup) -> Result<&Contingent, Refusal> {
    let candidates = || {
        [group, TargetGroup::Outflow]
            .into_iter()
            .filter(|g| *g != TargetGroup::PermitHolders)
            .filter_map(|g| of_the_year.iter().find(|contingent| contingent.group == g))
    };
    match candidates().find(|contingent| contingent.drawn < contingent.places) {
        Some(contingent) => Ok(contingent),
        None if candidates().next().is_some() => Err((&CONTINGENT_EXHAUSTED).into()),
        None => Err((&CONTINGENT_MISSING).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tests::{dordrecht, org, uuid};
    use proptest::prelude::*;

    fn contingent(group: TargetGroup, places: u32, drawn: u32) -> Contingent {
        let id = ContingentId(uuid(1));
        let (corporation, municipality) = (org("trivire"), dordrecht());
        Contingent { id, corporation, municipality, year: 2026, group, places, drawn, realised: 0 }
    }

    fn command() -> impl Strategy<Value = Command> {
        prop_oneof![
            (0u32..6).prop_map(|places| Command::Change { places, reason: ContingentChangeReason::Agreed }),
            (0u32..6).prop_map(|places| Command::Agree { places }),
            Just(Command::Draw),
            Just(Command::Free),
            Just(Command::Realise),
        ]
    }

    proptest! {
        /// R-HOU-01
        #[test]
        fn the_number_drawn_never_exceeds_the_agreed_number(commands in proptest::collection::vec(command(), 0..60)) {
            let mut state = contingent(TargetGroup::Outflow, 3, 0);
            for command in commands {
                for event in decide(&state, &command).unwrap_or_default() {
                    state = apply(state, &event);
                }
                prop_assert!(state.realised <= state.drawn && state.drawn <= state.places);
            }
        }
    }

    /// R-HOU-01
    #[test]
    fn an_agreed_number_changes_only_with_a_reason_and_never_below_what_was_drawn() {
        let state = contingent(TargetGroup::Outflow, 3, 2);
        let change = |places| decide(&state, &Command::Change { places, reason: ContingentChangeReason::Pact });
        assert_eq!(decide(&state, &Command::Agree { places: 3 }), Ok(vec![]));
        assert_eq!(decide(&state, &Command::Agree { places: 4 }).unwrap_err().reason, &CONTINGENT_AGREED_ALREADY);
        assert_eq!(change(1).unwrap_err().reason, &CONTINGENT_BELOW_DRAWN);
        assert_eq!(change(3), Ok(vec![]));
        assert_eq!(change(2), Ok(vec![Event::Changed { places: 2, reason: ContingentChangeReason::Pact }]));
    }

    /// R-HOU-01, R-HOU-21
    #[test]
    fn an_allocation_draws_from_the_own_group_then_from_all_who_leave_shelter() {
        use TargetGroup::*;
        let all = [
            contingent(Youth, 1, 1),
            contingent(Family, 2, 1),
            contingent(Outflow, 5, 0),
            contingent(PermitHolders, 9, 0),
        ];
        assert_eq!(choose(&all, Family).unwrap().group, Family);
        assert_eq!(choose(&all, Youth).unwrap().group, Outflow);
        assert_eq!(choose(&all[..1], Youth).unwrap_err().reason, &CONTINGENT_EXHAUSTED);
        assert_eq!(choose(&all[3..], Classic).unwrap_err().reason, &CONTINGENT_MISSING);
        assert_eq!(choose(&all[3..], PermitHolders).unwrap_err().reason, &CONTINGENT_MISSING);
    }
}
