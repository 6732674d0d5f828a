//! The night register: one per facility and night, whole, and correctable (R-ACC-32).

use super::codes::{HoldReason, NightUse};
use super::facility::Facility;
use super::{Policy, StayId, check_day, plus_days};
use kernel::{ClientId, Date, Moment, Refusal};
use std::collections::BTreeMap;

kernel::reasons! {
    NIGHT_WITHOUT_STAY: Rule, "R-ACC-32",
        "Some entries are of nobody who stayed here in that night.", "Sommige regels zijn van niemand die hier die nacht verbleef.",
        "Record the admission first, or leave the entries out.", "Leg eerst de opname vast, of laat de regels weg.";
    NIGHT_TWICE: Malformed, "R-ACC-32",
        "A stay has one entry per night.", "Een verblijf heeft één regel per nacht.",
        "Leave one of the two out.", "Laat een van de twee weg.";
    NIGHT_HOLD_UNREASONED: Malformed, "R-ACC-32",
        "A bed is held for a reason and until a night.", "Een bed wordt vastgehouden om een reden en tot een nacht.",
        "Give reason and last night, for held beds only.", "Geef reden en laatste nacht, alleen bij vastgehouden bedden.";
    NIGHT_HOLD_TOO_LONG: Rule, "R-ACC-32",
        "A bed is held for at most {nights} nights ahead.", "Een bed wordt hooguit {nights} nachten vooruit vastgehouden.",
        "Give an earlier last night, and hold it again later.", "Geef een eerdere laatste nacht, en houd het later opnieuw vast.";
    NIGHT_TOO_MANY: Malformed, "R-ACC-32",
        "A register has at most 2000 beds.", "Een register telt ten hoogste 2000 bedden.",
        "Register large places as several facilities.", "Registreer grote plekken als meer locaties.";
}

/// What became of a bed; a bed held without a reason cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bed {
    /// Slept in.
    Used,
    /// Kept free.
    Held {
        /// Why.
        reason: HoldReason,
        /// Last night.
        until: Date,
    },
    /// Neither.
    Released,
}

impl Bed {
    /// The code.
    pub fn night_use(self) -> NightUse {
        match self {
            Self::Used => NightUse::Used,
            Self::Held { .. } => NightUse::Held,
            Self::Released => NightUse::Released,
        }
    }
}

/// One bed in one night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stay.
    pub stay_id: StayId,
    /// The client.
    pub client_id: ClientId,
    /// What became of it.
    pub bed: Bed,
}

/// One bed as somebody reported it: by stay, by client, or both.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The stay.
    pub stay_id: Option<StayId>,
    /// The client.
    pub client_id: Option<ClientId>,
    /// What became of it.
    pub used: NightUse,
    /// Why held.
    pub hold_reason: Option<HoldReason>,
    /// Until when held.
    pub held_until: Option<Date>,
}

/// A register as it was recorded, entries by stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// 0 when nothing was recorded, then 1, 2, …
    pub revision: i64,
    /// The beds.
    pub entries: Vec<Entry>,
}

/// A register was recorded, or corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded(pub Register);

/// Whether a stay has that night: from the first day on, without the last.
pub fn covers(admitted_on: Date, departed_on: Option<Date>, night: Date) -> bool {
    admitted_on <= night && departed_on.is_none_or(|day| night < day)
}

/// Records the register of a night. `stays` are all that ran in it at the facility. The same register again is no event.
pub fn record(
    facility: &Facility,
    night: Date,
    before: &Register,
    stays: &[(StayId, ClientId)],
    given: &[Given],
    policy: &Policy,
    now: Moment,
) -> Result<Vec<Recorded>, Refusal> {
    check_day("night", night, policy.oldest(now.date).max(facility.opened_on), now)?;
    if given.len() > 2000 {
        return Err(NIGHT_TOO_MANY.field("nights", "has more than 2000 beds", "heeft meer dan 2000 bedden"));
    }
    let by_stay: BTreeMap<StayId, ClientId> = stays.iter().copied().collect();
    let by_client: BTreeMap<ClientId, StayId> = stays.iter().map(|(stay, client)| (*client, *stay)).collect();
    let mut without_stay = Refusal::from(&NIGHT_WITHOUT_STAY);
    let mut twice = Refusal::from(&NIGHT_TWICE);
    let mut unreasoned = Refusal::from(&NIGHT_HOLD_UNREASONED);
    let mut too_long = Refusal::from(&NIGHT_HOLD_TOO_LONG).with("nights", policy.hold_nights);
    let mut entries = BTreeMap::new();
    for (i, one) in given.iter().enumerate() {
        let stay = one.stay_id.or_else(|| one.client_id.and_then(|client| by_client.get(&client).copied()));
        let found = stay.and_then(|stay| by_stay.get(&stay).map(|client| (stay, *client)));
        let Some((stay_id, client_id)) = found.filter(|(_, client)| one.client_id.is_none_or(|c| c == *client)) else {
            without_stay = without_stay.field(
                format!("nights[{i}]"),
                "is of no stay in this night",
                "hoort bij geen verblijf in deze nacht",
            );
            continue;
        };
        let bed = match (one.used, one.hold_reason, one.held_until) {
            (NightUse::Used, None, None) => Bed::Used,
            (NightUse::Released, None, None) => Bed::Released,
            (NightUse::Held, Some(reason), Some(until)) if until >= night => {
                if until > plus_days(night, policy.hold_nights) {
                    too_long = too_long.field(format!("nights[{i}].held_until"), "is too far away", "is te ver weg");
                }
                Bed::Held { reason, until }
            }
            _ => {
                unreasoned = unreasoned.field(
                    format!("nights[{i}]"),
                    "needs both for a held bed only",
                    "vraagt beide bij alleen een vastgehouden bed",
                );
                continue;
            }
        };
        if entries.insert(stay_id, Entry { stay_id, client_id, bed }).is_some() {
            twice = twice.field(format!("nights[{i}]"), "is the second of its stay", "is de tweede van het verblijf");
        }
    }
    if let Some(refusal) = [twice, unreasoned, without_stay, too_long].into_iter().find(|r| !r.fields.is_empty()) {
        return Err(refusal);
    }
    let entries: Vec<_> = entries.into_values().collect();
    if before.revision > 0 && before.entries == entries {
        return Ok(vec![]);
    }
    Ok(vec![Recorded(Register { revision: before.revision + 1, entries })])
}

impl Register {
    /// Beds slept in.
    pub fn used(&self) -> i32 {
        self.entries.iter().filter(|e| e.bed == Bed::Used).count() as i32
    }

    /// The stays whose bed was slept in here and not in the other, or the other way round.
    pub fn changed_use(&self, other: &Register) -> Vec<StayId> {
        let slept = |r: &Register| -> std::collections::BTreeSet<StayId> {
            r.entries.iter().filter(|e| e.bed == Bed::Used).map(|e| e.stay_id).collect()
        };
        slept(self).symmetric_difference(&slept(other)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::facility::tests::facility;
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn stay(n: u128) -> (StayId, ClientId) {
        (StayId(id(n)), ClientId(id(100 + n)))
    }

    fn used(n: u128) -> Given {
        Given { stay_id: Some(stay(n).0), client_id: None, used: NightUse::Used, hold_reason: None, held_until: None }
    }

    fn held(n: u128, until: Option<Date>) -> Given {
        Given { used: NightUse::Held, hold_reason: Some(HoldReason::Hospital), held_until: until, ..used(n) }
    }

    fn record_it(before: &Register, given: &[Given]) -> Result<Vec<Recorded>, Refusal> {
        record(&facility(5, 0), date(2018, 2, 28), before, &[stay(1), stay(2), stay(3)], given, &policy(), now())
    }

    /// R-ACC-32
    #[test]
    fn a_register_is_recorded_once_and_corrected_by_the_next_revision() {
        let first = record_it(&Register::default(), &[used(1), used(2)]).unwrap().remove(0).0;
        assert_eq!((first.revision, first.used()), (1, 2));
        // By client instead of stay, in another order: the same register.
        let by_client = Given { stay_id: None, client_id: Some(stay(1).1), ..used(1) };
        assert_eq!(record_it(&first, &[used(2), by_client]), Ok(vec![]));
        let released = Given { used: NightUse::Released, ..used(2) };
        let second = record_it(&first, &[used(1), released]).unwrap().remove(0).0;
        assert_eq!((second.revision, second.used()), (2, 1));
        assert_eq!(second.changed_use(&first), [stay(2).0]);
        assert_eq!(record_it(&Register::default(), &[]).unwrap()[0].0.revision, 1);
    }

    /// R-ACC-32
    #[test]
    fn every_wrong_entry_is_named_by_its_path() {
        let of_another = Given { client_id: Some(stay(3).1), ..used(2) };
        for (given, code, paths) in [
            (vec![used(1), used(9), of_another], "NIGHT_WITHOUT_STAY", vec!["nights[1]", "nights[2]"]),
            (vec![used(1), used(1)], "NIGHT_TWICE", vec!["nights[1]"]),
            (
                vec![held(1, None), Given { hold_reason: Some(HoldReason::Leave), ..used(2) }],
                "NIGHT_HOLD_UNREASONED",
                vec!["nights[0]", "nights[1]"],
            ),
            (
                vec![held(1, Some(date(2018, 3, 3))), held(2, Some(date(2018, 3, 4)))],
                "NIGHT_HOLD_TOO_LONG",
                vec!["nights[1].held_until"],
            ),
            (vec![used(1); 2001], "NIGHT_TOO_MANY", vec!["nights"]),
        ] {
            let refusal = record_it(&Register::default(), &given).unwrap_err();
            assert_eq!(refusal.reason.code, code);
            assert_eq!(refusal.fields.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), paths);
        }
    }

    #[test]
    fn a_night_to_come_is_not_recorded_and_one_long_gone_neither() {
        for (night, code) in [(date(2018, 3, 2), "ACCESS_DATE_IN_FUTURE"), (date(2018, 1, 1), "ACCESS_DATE_TOO_OLD")] {
            let refusal = record(&facility(5, 0), night, &Register::default(), &[], &[], &policy(), now()).unwrap_err();
            assert_eq!(refusal.reason.code, code);
        }
    }

    /// R-ACC-32
    #[test]
    fn the_night_of_departure_is_not_part_of_a_stay() {
        let (from, to) = (date(2018, 2, 1), date(2018, 2, 3));
        let nights: Vec<_> = (1..5).map(|d| covers(from, Some(to), date(2018, 2, d))).collect();
        assert_eq!(nights, [true, true, false, false]);
        assert!(!covers(from, None, date(2018, 1, 31)) && covers(from, None, date(2030, 1, 1)));
    }

    proptest! {
        /// R-ACC-32
        #[test]
        fn a_register_counts_what_was_given_in_any_order(uses in proptest::collection::vec(0usize..3, 0..40)) {
            let stays: Vec<_> = (1..=uses.len() as u128).map(stay).collect();
            let given: Vec<_> = uses.iter().zip(1u128..).map(|(u, n)| match u {
                0 => used(n),
                1 => held(n, Some(date(2018, 3, 1))),
                _ => Given { used: NightUse::Released, ..used(n) },
            }).collect();
            let night = |given: &[Given]| record(&facility(5, 0), date(2018, 2, 28), &Register::default(), &stays, given, &policy(), now());
            let recorded = night(&given).unwrap();
            prop_assert_eq!(recorded[0].0.used() as usize, uses.iter().filter(|u| **u == 0).count());
            let reversed: Vec<_> = given.into_iter().rev().collect();
            prop_assert_eq!(night(&reversed).unwrap(), recorded);
        }
    }
}
