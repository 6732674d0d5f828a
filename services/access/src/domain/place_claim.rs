//! A place claimed for somebody with nowhere to sleep tonight (P6): always a place, or a refusal that alarms a person.

use super::client::Life;
use super::codes::{ClaimReleaseReason, PlaceLevel};
use super::facility::{self, Candidate};
use super::{Due, FacilityId, Policy, Wake, plus_days};
use kernel::{ClientId, Date, Moment, Refusal, Uuid};

kernel::reasons! {
    PLACE_CLAIM_NO_FACILITY: Rule, "P6",
        "No facility in municipality {municipality} takes this client.", "Geen locatie in gemeente {municipality} neemt deze cliënt op.",
        "Call the duty contact now; find a place elsewhere and record it.", "Bel nu de piketdienst; zoek elders een plek en leg die vast.";
    PLACE_CLAIM_FULL: Rule, "P6",
        "Nothing is free in municipality {municipality}, and there is a limit on beds.", "Er is niets vrij in gemeente {municipality}, en er is een beddengrens.",
        "Call the duty contact now; find a place elsewhere and record it.", "Bel nu de piketdienst; zoek elders een plek en leg die vast.";
}

/// A claimed place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// For this client.
    pub client_id: ClientId,
    /// Here.
    pub facility_id: FacilityId,
    /// The signal that it answers.
    pub signal_id: Uuid,
    /// On what capacity.
    pub level: PlaceLevel,
    /// Since when.
    pub claimed_on: Date,
    /// The last night.
    pub until_on: Date,
    /// No new procedure is needed (R-AFT-10).
    pub without_procedure: bool,
    /// Why it was given back, if it was.
    pub released: Option<ClaimReleaseReason>,
}

/// What happened to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Claimed.
    Claimed(Claim),
    /// Kept for one more night only.
    EndingSoon,
    /// Given back.
    Released(ClaimReleaseReason),
}

/// Who needs a place.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// The client.
    pub client_id: ClientId,
    /// What matters of the client.
    pub life: Life,
    /// The signal.
    pub signal_id: Uuid,
    /// Where.
    pub municipality: &'a str,
    /// The relapse guarantee was invoked (R-AFT-10).
    pub without_procedure: bool,
    /// The facility of a running stay.
    pub stays_at: Option<FacilityId>,
    /// A claim of this client stands, or this signal was answered.
    pub answered: bool,
}

/// Claims a place. The same signal, or another while a claim stands, is no event.
pub fn claim(need: Need<'_>, candidates: &[Candidate], policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    if need.answered {
        return Ok(vec![]);
    }
    need.life.check_alive()?;
    let claimed = |facility_id, level| {
        vec![Event::Claimed(Claim {
            client_id: need.client_id,
            facility_id,
            signal_id: need.signal_id,
            level,
            claimed_on: now.date,
            until_on: plus_days(now.date, policy.claim_nights.max(1) - 1),
            without_procedure: need.without_procedure,
            released: None,
        })]
    };
    if let Some(there) = need.stays_at {
        return Ok(claimed(there, PlaceLevel::Regular));
    }
    match facility::best(candidates, need.life, now.date, policy.no_bed_limit) {
        Some(c) => Ok(claimed(c.id, c.facility.room(c.occupied, now.date).unwrap_or(PlaceLevel::OverCapacity))),
        None if candidates.iter().any(|c| c.takes(need.life, now.date)) => {
            Err(PLACE_CLAIM_FULL.with("municipality", need.municipality))
        }
        None => Err(PLACE_CLAIM_NO_FACILITY.with("municipality", need.municipality)),
    }
}

/// What is asked of a claim.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Give it back.
    Release(ClaimReleaseReason),
    /// Time passed.
    Wake(Due),
}

/// What may happen to a claim, and when.
pub fn decide(claim: &Claim, command: &Command, now: Moment) -> Vec<Event> {
    match (claim.released, command) {
        (Some(_), _) => vec![],
        (None, Command::Release(reason)) => vec![Event::Released(*reason)],
        (None, Command::Wake(Due::ClaimSoon)) => vec![Event::EndingSoon],
        (None, Command::Wake(Due::ClaimOver)) if now.date > claim.until_on => {
            vec![Event::Released(ClaimReleaseReason::Lapsed)]
        }
        (None, Command::Wake(_)) => vec![],
    }
}

/// The claim after an event.
pub fn apply(claim: Claim, event: &Event) -> Claim {
    match event {
        Event::Claimed(claimed) => claimed.clone(),
        Event::EndingSoon => claim,
        Event::Released(reason) => Claim { released: Some(*reason), ..claim },
    }
}

impl Claim {
    /// When this claim must be looked at again: in the morning before the last night, and at noon after it.
    pub fn wakes(&self) -> Vec<Wake> {
        vec![
            Wake { due: Due::ClaimSoon, at: Moment::at_hour(self.until_on, 8).at },
            Wake { due: Due::ClaimOver, at: Moment::at_hour(plus_days(self.until_on, 1), 12).at },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::tests::client;
    use super::super::facility::tests::candidate;
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn need() -> Need<'static> {
        Need {
            client_id: ClientId(id(1)),
            life: client().life(),
            signal_id: id(9),
            municipality: "0505",
            without_procedure: true,
            stays_at: None,
            answered: false,
        }
    }

    fn claimed(events: Vec<Event>) -> Claim {
        match events.into_iter().next() {
            Some(Event::Claimed(claim)) => claim,
            other => panic!("{other:?}"),
        }
    }

    /// P6, R-ACC-24
    #[test]
    fn who_has_nowhere_to_sleep_gets_a_place_or_a_refusal_that_alarms() {
        let limited = Policy { no_bed_limit: false, ..policy() };
        let full = [candidate(1, 2, 2)];
        let over = claimed(claim(need(), &full, &policy(), now()).unwrap());
        assert_eq!((over.level, over.until_on), (PlaceLevel::OverCapacity, date(2018, 3, 3)));
        let free = claimed(claim(need(), &[candidate(1, 2, 2), candidate(2, 2, 1)], &limited, now()).unwrap());
        assert_eq!((free.facility_id, free.level), (FacilityId(id(2)), PlaceLevel::Regular));
        for (candidates, code) in [(&full[..], "PLACE_CLAIM_FULL"), (&[], "PLACE_CLAIM_NO_FACILITY")] {
            assert_eq!(claim(need(), candidates, &limited, now()).unwrap_err().reason.code, code);
        }
    }

    /// P6
    #[test]
    fn a_running_stay_is_the_place_and_a_standing_claim_is_the_answer() {
        let there = Need { stays_at: Some(FacilityId(id(4))), ..need() };
        assert_eq!(claimed(claim(there, &[], &policy(), now()).unwrap()).facility_id, FacilityId(id(4)));
        assert_eq!(claim(Need { answered: true, ..need() }, &[], &policy(), now()), Ok(vec![]));
    }

    /// P6, P7
    #[test]
    fn a_claim_warns_before_it_lapses_and_is_given_back_once() {
        let claim = claimed(claim(need(), &[candidate(1, 2, 0)], &policy(), now()).unwrap());
        let wakes = claim.wakes();
        assert!(wakes[0].at < wakes[1].at);
        let [soon, over] = [wakes[0], wakes[1]].map(|w| decide(&claim, &Command::Wake(w.due), Moment::of(w.at)));
        assert_eq!((soon, over.clone()), (vec![Event::EndingSoon], vec![Event::Released(ClaimReleaseReason::Lapsed)]));
        assert_eq!(decide(&claim, &Command::Wake(Due::ClaimOver), now()), []);
        let gone = apply(claim, &over[0]);
        assert_eq!(decide(&gone, &Command::Release(ClaimReleaseReason::NotNeeded), now()), []);
        assert_eq!(decide(&gone, &Command::Wake(Due::ClaimSoon), now()), []);
    }

    proptest! {
        /// P6
        #[test]
        fn without_a_limit_on_beds_there_is_always_a_place(rooms in proptest::collection::vec((1i32..5, 0i32..9), 1..6)) {
            let candidates: Vec<_> = rooms.iter().zip(1u128..).map(|((places, taken), n)| candidate(n, *places, *taken)).collect();
            let place = claimed(claim(need(), &candidates, &policy(), now()).unwrap());
            let any_free = rooms.iter().any(|(places, taken)| taken < places);
            prop_assert_eq!(place.level == PlaceLevel::OverCapacity, !any_free);
            let mut turned = candidates;
            turned.reverse();
            prop_assert_eq!(claimed(claim(need(), &turned, &policy(), now()).unwrap()), place);
        }
    }
}
