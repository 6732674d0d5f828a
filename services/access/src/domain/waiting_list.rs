//! The waiting list of a facility. What happened to it is a row of facts that only grows, so that its order can be told as of
//! any moment that passed.

use super::client::Life;
use super::codes::WaitingLeaveReason;
use super::facility::{self, Facility};
use super::{EntryId, FacilityId, Policy, check_day};
use kernel::{ClientId, Date, Moment, Refusal, Timestamp, general};

/// An entry on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who waits.
    pub client_id: ClientId,
    /// For which facility.
    pub facility_id: FacilityId,
    /// The day that counts for the order.
    pub joined_on: Date,
    /// When and why it ended, if it did.
    pub left: Option<(Date, WaitingLeaveReason)>,
}

/// What happened to an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Joined.
    Joined(Entry),
    /// Left.
    Left {
        /// The day.
        on: Date,
        /// Why.
        reason: WaitingLeaveReason,
    },
}

/// Puts a client on the list of a place; `standing` says that the client is on it already, and keeps that place;
/// `kept_apart`, that somebody from whom the client is kept apart is there (R-REG-28).
pub fn join(
    entry: Entry,
    standing: bool,
    (place, kept_apart): (&Facility, bool),
    life: Life,
    policy: &Policy,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    if standing {
        return Ok(vec![]);
    }
    life.check_alive()?;
    check_day("joined_on", entry.joined_on, policy.oldest(now.date), now)?;
    facility::check_suitable(place, life, entry.joined_on, kept_apart)?;
    Ok(vec![Event::Joined(entry)])
}

/// A reason that a person may give; the others follow by themselves.
pub fn said_by_people(reason: WaitingLeaveReason) -> Result<WaitingLeaveReason, Refusal> {
    match reason {
        WaitingLeaveReason::Admitted | WaitingLeaveReason::Died => {
            Err(general::MALFORMED.field("reason", "follows by itself", "volgt vanzelf"))
        }
        said => Ok(said),
    }
}

/// Takes an entry off a list.
pub fn leave(entry: &Entry, on: Date, reason: WaitingLeaveReason) -> Vec<Event> {
    if entry.left.is_some() { vec![] } else { vec![Event::Left { on, reason }] }
}

/// The entry after an event.
pub fn apply(entry: Entry, event: &Event) -> Entry {
    match event {
        Event::Joined(joined) => joined.clone(),
        Event::Left { on, reason } => Entry { left: Some((*on, *reason)), ..entry },
    }
}

/// A fact about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The entry.
    pub entry_id: EntryId,
    /// The client.
    pub client_id: ClientId,
    /// Joined, or left.
    pub joined: bool,
    /// The day on which it happened.
    pub occurred_on: Date,
    /// The instant from which it was known.
    pub recorded_at: Timestamp,
}

/// Who waits, in order, as it was known at a moment: who joined first comes first; on the same day who was recorded first;
/// then by entry id. The answer does not depend on the order of the facts, nor on what was recorded after the moment.
pub fn order(facts: &[Fact], as_of: Timestamp) -> Vec<Fact> {
    let known = || facts.iter().filter(|fact| fact.recorded_at <= as_of);
    let gone: std::collections::BTreeSet<_> = known().filter(|f| !f.joined).map(|f| f.entry_id).collect();
    let mut waiting: Vec<_> = known().filter(|f| f.joined && !gone.contains(&f.entry_id)).copied().collect();
    waiting.sort_by_key(|f| (f.occurred_on, f.recorded_at, f.entry_id));
    waiting
}

#[cfg(test)]
mod tests {
    use super::super::client::tests::client;
    use super::super::facility::tests::facility;
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn fact(n: u128, joined: bool, day: i8, second: i64) -> Fact {
        Fact {
            entry_id: EntryId(id(n)),
            client_id: ClientId(id(100 + n)),
            joined,
            occurred_on: date(2018, 2, day),
            recorded_at: Timestamp::from_second(second).unwrap(),
        }
    }

    fn entries(facts: &[Fact], second: i64) -> Vec<u128> {
        order(facts, Timestamp::from_second(second).unwrap()).iter().map(|f| f.entry_id.0.as_u128()).collect()
    }

    #[test]
    fn the_order_is_by_day_then_by_recording_then_by_id() {
        let facts = [fact(4, true, 2, 9), fact(1, true, 2, 9), fact(2, true, 2, 8), fact(3, true, 1, 10)];
        assert_eq!(entries(&facts, 10), [3, 2, 1, 4]);
        // As it was known one second earlier: who was recorded later with an earlier day was not there yet.
        assert_eq!(entries(&facts, 9), [2, 1, 4]);
    }

    #[test]
    fn who_left_is_still_there_in_the_list_of_before() {
        let facts = [fact(1, true, 1, 5), fact(2, true, 2, 6), fact(1, false, 3, 7)];
        assert_eq!(entries(&facts, 6), [1, 2]);
        assert_eq!(entries(&facts, 7), [2]);
    }

    #[test]
    fn a_client_keeps_the_place_when_joining_again_and_leaves_once() {
        let entry =
            Entry { client_id: ClientId(id(1)), facility_id: FacilityId(id(5)), joined_on: now().date, left: None };
        let put = |entry: &Entry, standing, apart| {
            join(entry.clone(), standing, (&facility(5, 0), apart), client().life(), &policy(), now())
                .map_err(|refusal| refusal.reason.code)
        };
        assert_eq!(put(&entry, false, false), Ok(vec![Event::Joined(entry.clone())]));
        assert_eq!(put(&entry, true, false), Ok(vec![]));
        // R-REG-28: whoever is on the list stays on it; nobody is put on one to come where they must not.
        assert_eq!((put(&entry, true, true), put(&entry, false, true)), (Ok(vec![]), Err("NOT_SUITABLE")));
        let left = leave(&entry, now().date, WaitingLeaveReason::ByClient);
        assert_eq!(leave(&apply(entry.clone(), &left[0]), now().date, WaitingLeaveReason::NoContact), []);
        let future = Entry { joined_on: date(2018, 3, 2), ..entry };
        assert_eq!(put(&future, false, false), Err("ACCESS_DATE_IN_FUTURE"));
    }

    proptest! {
        #[test]
        fn the_list_of_a_past_moment_never_changes(
            rows in proptest::collection::vec((1u128..12, any::<bool>(), 1i8..28, 0i64..100), 0..40), at in 0i64..100, seed in 0usize..40,
        ) {
            // An entry joins once, so the first fact of an entry counts and its joining is the earliest.
            let mut facts: Vec<_> = rows.iter().map(|(n, j, d, s)| fact(*n, *j, *d, *s)).collect();
            facts.sort_by_key(|f| (f.entry_id, f.joined));
            facts.dedup_by_key(|f| (f.entry_id, f.joined));
            let then = entries(&facts, at);
            let earlier: Vec<_> = facts.iter().filter(|f| f.recorded_at.as_second() <= at).copied().collect();
            prop_assert_eq!(&entries(&earlier, 1000), &then);
            let turn = if facts.is_empty() { 0 } else { seed % facts.len() };
            facts.rotate_left(turn);
            prop_assert_eq!(entries(&facts, at), then);
        }
    }
}
