//! A stay: from admission to departure (R-ACC-01, R-ACC-08, R-ACC-17, R-ACC-24).

use super::client::Life;
use super::codes::{Destination, DropOutReason, PlaceLevel, Provision};
use super::facility::{self, Candidate, Facility};
use super::notification::{Notification, Urgent};
use super::{Due, FacilityId, NotificationId, Policy, Wake, check_day, check_span};
use kernel::{ClientId, Date, Moment, Refusal};

kernel::reasons! {
    STAY_WITHOUT_GROUND: Rule, "R-ACC-08",
        "This facility needs a decision in force, an urgent provision or a claimed place.",
        "Deze locatie vraagt een geldende beschikking, een spoedvoorziening of een geclaimde plaats.",
        "Ask the access desk for an urgent provision.", "Vraag de toegang om een spoedvoorziening.";
    STAY_NOT_THROUGH_ACCESS: Rule, "R-ACC-01",
        "In this municipality all admission runs through one access.", "In deze gemeente loopt alle opname via één toegang.",
        "Record the notification; the access desk admits, or grants an urgent provision.",
        "Leg de melding vast; de toegang plaatst, of geeft een spoedvoorziening.";
    STAY_UNDER_AGE: Rule, "R-ACC-21",
        "Nobody under 18 sleeps in adult shelter.", "Niemand onder de 18 slaapt in de opvang voor volwassenen.",
        "Choose a place for youth or families, and call youth care.", "Kies een plek voor jongeren of gezinnen, en bel jeugdhulp.";
    STAY_FACILITY_BY_DAY: Rule, "R-ACC-24",
        "Nobody sleeps in a day shelter.", "In een dagopvang slaapt niemand.",
        "Choose a facility for the night.", "Kies een locatie voor de nacht.";
    STAY_FACILITY_CLOSED: Rule, "R-ACC-24",
        "The facility opens on {opens}.", "De locatie opent op {opens}.",
        "Choose another facility or a later day.", "Kies een andere locatie of een latere dag.";
    STAY_OPEN: Rule, "R-ACC-24",
        "Another stay of this client runs.", "Er loopt een ander verblijf van deze cliënt.",
        "Record the departure from there first.", "Leg eerst daar het vertrek vast.";
    STAY_ENDED: Rule, "R-ACC-24",
        "The stay ended otherwise, or on another day.", "Het verblijf is anders, of op een andere dag, geëindigd.",
        "Look at the stay; admit the client again when needed.", "Bekijk het verblijf; neem de cliënt zo nodig opnieuw op.";
    STAY_DEPARTED_BEFORE_ADMISSION: Rule, "R-ACC-24",
        "The stay began on {admitted_on}.", "Het verblijf begon op {admitted_on}.",
        "Give a day on or after it.", "Geef een dag op of na die datum.";
    STAY_SLEPT_LATER: Rule, "R-ACC-32",
        "By the register the client slept here in the night of {night}.", "Volgens het register sliep de cliënt hier in de nacht van {night}.",
        "Correct the register first, or give a later day.", "Verbeter eerst het register, of geef een latere dag.";
}

/// How a stay ended. Only `Left` is outflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a destination.
    Left(Destination),
    /// Broke off.
    DroppedOut(DropOutReason),
    /// Died: an outcome of its own (R-REG-29).
    Died,
}

/// An ended stay's last facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The last day; its night is not part of the stay.
    pub on: Date,
    /// How.
    pub outcome: Outcome,
    /// Nights slept, over the whole stay.
    pub nights_used: i32,
}

/// A stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Of this client.
    pub client_id: ClientId,
    /// Here.
    pub facility_id: FacilityId,
    /// Resting on this notification, if not on a claimed place alone.
    pub notification_id: Option<NotificationId>,
    /// First day.
    pub admitted_on: Date,
    /// On what capacity.
    pub level: PlaceLevel,
    /// Since when it is a trajectory (R-ACC-17).
    pub trajectory_on: Option<Date>,
    /// How it ended, if it did.
    pub departure: Option<Departure>,
}

/// What happened to a stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The client got a place.
    Admitted(Stay),
    /// The regular places are taken: regie looks for more (R-ACC-24).
    CapacityReached {
        /// Places taken.
        occupied: i32,
        /// Regular places.
        places: i32,
        /// Where there is room.
        alternative: Option<FacilityId>,
    },
    /// Full, with a limit on beds: another facility has room, and the client waits here.
    AlternativeGiven(FacilityId),
    /// Exceeded three nights (R-ACC-17).
    TrajectoryStarted {
        /// With this night.
        on: Date,
    },
    /// Reached the target length (R-ACC-18).
    TargetReached,
    /// Ended.
    Departed(Departure),
    /// A correction changed the nights of a stay that had ended.
    NightsCorrected {
        /// Nights slept.
        nights_used: i32,
    },
}

/// On what somebody wants to be admitted.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'a> {
    /// The notification, if one is named.
    pub notification: Option<(NotificationId, &'a Notification)>,
    /// A decision is in force on that day.
    pub decision_in_force: bool,
    /// A place is claimed for the client.
    pub claimed: bool,
    /// The access desk admits.
    pub by_access: bool,
}

/// Who wants to be admitted where.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// The client.
    pub client_id: ClientId,
    /// What matters of the client.
    pub life: Life,
    /// Where.
    pub facility_id: FacilityId,
    /// What it is.
    pub facility: &'a Facility,
    /// Places taken there, this client's own claim not counted.
    pub occupied: i32,
    /// First day.
    pub admitted_on: Date,
    /// A running stay of the client, wherever.
    pub running: Option<&'a Stay>,
    /// Other facilities in the municipality.
    pub others: &'a [Candidate],
    /// Somebody from whom the client is kept apart is there (R-REG-28).
    pub kept_apart: bool,
}

/// Gives a client a place. A full facility is no refusal (R-ACC-24); the same admission again is no event.
pub fn admit(wish: Admission<'_>, grounds: Grounds<'_>, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    let Admission { life, facility, admitted_on, .. } = wish;
    if let Some(stay) = wish.running {
        let same = stay.facility_id == wish.facility_id && stay.admitted_on == admitted_on;
        return if same { Ok(vec![]) } else { Err(Refusal::from(&STAY_OPEN)) };
    }
    life.check_alive()?;
    let since =
        grounds.notification.map_or(policy.oldest(now.date), |(_, n)| n.received_on.max(policy.oldest(now.date)));
    check_day("admitted_on", admitted_on, since, now)?;
    if !facility.has_nights() {
        return Err(Refusal::from(&STAY_FACILITY_BY_DAY));
    }
    if admitted_on < facility.opened_on {
        return Err(STAY_FACILITY_CLOSED.with("opens", facility.opened_on));
    }
    if !facility.fits_age(life, admitted_on) {
        return Err(Refusal::from(&STAY_UNDER_AGE));
    }
    facility::check_suitable(facility, life, admitted_on, wish.kept_apart)?;
    check_grounds(facility, grounds, policy)?;
    let admitted = |level| {
        Event::Admitted(Stay {
            client_id: wish.client_id,
            facility_id: wish.facility_id,
            notification_id: grounds.notification.map(|(id, _)| id),
            admitted_on,
            level,
            trajectory_on: None,
            departure: None,
        })
    };
    let reached = |alternative| Event::CapacityReached {
        occupied: wish.occupied,
        places: facility.capacity(admitted_on).places,
        alternative,
    };
    let other = facility::best(wish.others, life, admitted_on, false).map(|c| c.id);
    Ok(match facility.room(wish.occupied, admitted_on) {
        Some(PlaceLevel::Regular) => vec![admitted(PlaceLevel::Regular)],
        Some(level) => vec![admitted(level), reached(other)],
        // With a limit, room elsewhere goes before a place over capacity; a claimed place is a promise for here.
        None => match other.filter(|_| !policy.no_bed_limit && !grounds.claimed) {
            Some(there) => vec![Event::AlternativeGiven(there), reached(other)],
            None => vec![admitted(PlaceLevel::OverCapacity), reached(other)],
        },
    })
}

fn check_grounds(facility: &Facility, grounds: Grounds<'_>, policy: &Policy) -> Result<(), Refusal> {
    if let Some((_, notification)) = grounds.notification {
        notification.check_open()?;
    }
    if grounds.claimed {
        return Ok(());
    }
    let Some((_, notification)) = grounds.notification else {
        return Err(Refusal::from(&STAY_WITHOUT_GROUND));
    };
    let decided = grounds.decision_in_force || matches!(notification.urgent, Urgent::Granted(_));
    if facility.provision == Provision::Individual && !decided {
        return Err(Refusal::from(&STAY_WITHOUT_GROUND));
    }
    if policy.single_entry && !grounds.by_access && !decided {
        return Err(Refusal::from(&STAY_NOT_THROUGH_ACCESS));
    }
    Ok(())
}

/// What is asked of a stay.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// End it.
    Depart {
        /// Last day.
        on: Date,
        /// How.
        outcome: Outcome,
        /// Nights slept by the register.
        nights_used: i32,
        /// The last of them.
        last_used: Option<Date>,
    },
    /// The register was recorded or corrected.
    CountNights {
        /// Nights slept by the register.
        nights_used: i32,
        /// The night that was recorded.
        night: Date,
    },
    /// Time passed.
    Wake(Due),
}

/// What may happen to a stay, and when.
pub fn decide(stay: &Stay, command: &Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (command, stay.departure) {
        (Command::Depart { outcome: Outcome::Died, .. }, Some(_)) => Ok(vec![]),
        (Command::Depart { on, outcome, .. }, Some(before)) => {
            if before.on == *on && before.outcome == *outcome {
                Ok(vec![])
            } else {
                Err(Refusal::from(&STAY_ENDED))
            }
        }
        (Command::Depart { on, outcome: Outcome::Died, nights_used, .. }, None) => {
            let on = (*on).max(stay.admitted_on);
            Ok(vec![Event::Departed(Departure { on, outcome: Outcome::Died, nights_used: *nights_used })])
        }
        (Command::Depart { on, outcome, nights_used, last_used }, None) => {
            if *on < stay.admitted_on {
                return Err(STAY_DEPARTED_BEFORE_ADMISSION.with("admitted_on", stay.admitted_on));
            }
            check_span("departed_on", *on, policy.oldest(now.date), now.date)?;
            match last_used.filter(|night| night >= on) {
                Some(night) => Err(STAY_SLEPT_LATER.with("night", night)),
                None => Ok(vec![Event::Departed(Departure { on: *on, outcome: *outcome, nights_used: *nights_used })]),
            }
        }
        (Command::CountNights { nights_used, night }, departure) => {
            let exceeds = u32::try_from(*nights_used).is_ok_and(|n| n > policy.trajectory_after_nights);
            let started = (stay.trajectory_on.is_none() && exceeds).then_some(Event::TrajectoryStarted { on: *night });
            let corrected = departure
                .filter(|d| d.nights_used != *nights_used)
                .map(|_| Event::NightsCorrected { nights_used: *nights_used });
            Ok(started.into_iter().chain(corrected).collect())
        }
        (Command::Wake(Due::StayTarget), None) => Ok(vec![Event::TargetReached]),
        (Command::Wake(_), _) => Ok(vec![]),
    }
}

/// The stay after an event.
pub fn apply(stay: Stay, event: &Event) -> Stay {
    match event {
        Event::Admitted(admitted) => admitted.clone(),
        Event::TrajectoryStarted { on } => Stay { trajectory_on: Some(*on), ..stay },
        Event::Departed(departure) => Stay { departure: Some(*departure), ..stay },
        Event::NightsCorrected { nights_used } => {
            Stay { departure: stay.departure.map(|d| Departure { nights_used: *nights_used, ..d }), ..stay }
        }
        Event::CapacityReached { .. } | Event::AlternativeGiven(_) | Event::TargetReached => stay,
    }
}

impl Stay {
    /// The last day of the target stay, where its sort of facility has one (R-ACC-18).
    pub fn target_on(&self, facility: &Facility, policy: &Policy) -> Option<Date> {
        policy.target_stay.get(&facility.kind).map(|term| policy.calendar.plain_end(self.admitted_on, *term))
    }

    /// When this stay must be looked at again.
    pub fn wakes(&self, facility: &Facility, policy: &Policy) -> Vec<Wake> {
        let wake = |on| Wake { due: Due::StayTarget, at: Moment::start_of(on).at };
        self.target_on(facility, policy).map(wake).into_iter().collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::client::tests::client;
    use super::super::codes::FacilityKind;
    use super::super::facility::tests::{candidate, facility};
    use super::super::notification::tests::{notification, report};
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn wish(facility: &Facility, occupied: i32) -> Admission<'_> {
        Admission {
            client_id: ClientId(id(1)),
            life: client().life(),
            facility_id: FacilityId(id(5)),
            facility,
            occupied,
            admitted_on: now().date,
            running: None,
            others: &[],
            kept_apart: false,
        }
    }

    fn reported(n: &Notification) -> Grounds<'_> {
        let notification = Some((NotificationId(id(2)), n));
        Grounds { notification, decision_in_force: false, claimed: false, by_access: false }
    }

    pub fn stay() -> Stay {
        let (f, n) = (facility(5, 0), notification(report()));
        match admit(wish(&f, 0), reported(&n), &policy(), now()).unwrap().remove(0) {
            Event::Admitted(stay) => stay,
            other => panic!("{other:?}"),
        }
    }

    fn level(events: &[Event]) -> Option<PlaceLevel> {
        events.iter().find_map(|e| match e {
            Event::Admitted(stay) => Some(stay.level),
            _ => None,
        })
    }

    /// R-ACC-24
    #[test]
    fn a_full_facility_escalates_and_never_turns_somebody_away() {
        let (f, n) = (facility(1, 1), notification(report()));
        let limited = Policy { no_bed_limit: false, ..policy() };
        let roomy = [candidate(8, 5, 0)];
        let with_others = |occupied, others| Admission { others, ..wish(&f, occupied) };
        let run = |w, p: &Policy| admit(w, reported(&n), p, now()).unwrap();
        assert_eq!(run(wish(&f, 0), &limited).len(), 1);
        for (events, expected) in [
            (run(wish(&f, 1), &limited), Some(PlaceLevel::Reserve)),
            (run(wish(&f, 2), &policy()), Some(PlaceLevel::OverCapacity)),
            (run(with_others(2, &roomy), &policy()), Some(PlaceLevel::OverCapacity)),
            (run(wish(&f, 2), &limited), Some(PlaceLevel::OverCapacity)),
            (run(with_others(2, &roomy), &limited), None),
        ] {
            assert_eq!(level(&events), expected, "{events:?}");
            assert!(matches!(events[1], Event::CapacityReached { .. }), "{events:?}");
            assert!(expected.is_some() || events[0] == Event::AlternativeGiven(FacilityId(id(8))));
        }
        let claimed = Grounds { claimed: true, ..reported(&n) };
        let events = admit(with_others(2, &roomy), claimed, &limited, now()).unwrap();
        assert_eq!(level(&events), Some(PlaceLevel::OverCapacity));
    }

    /// R-ACC-01, R-ACC-08, R-ACC-09
    #[test]
    fn a_stay_rests_on_a_notification_or_a_claim_and_an_individual_provision_on_more() {
        let general = facility(5, 0);
        let individual = Facility { provision: Provision::Individual, ..facility(5, 0) };
        let n = notification(report());
        let granted = Notification { urgent: Urgent::Granted(None), ..n.clone() };
        let none = Grounds { notification: None, ..reported(&n) };
        let one_door = Policy { single_entry: true, ..policy() };
        for (f, grounds, policy, code) in [
            (&general, none, &policy(), Some("STAY_WITHOUT_GROUND")),
            (&general, Grounds { claimed: true, ..none }, &policy(), None),
            (&general, reported(&n), &policy(), None),
            (&individual, reported(&n), &policy(), Some("STAY_WITHOUT_GROUND")),
            (&individual, Grounds { decision_in_force: true, ..reported(&n) }, &policy(), None),
            (&individual, reported(&granted), &policy(), None),
            (&individual, Grounds { claimed: true, ..none }, &policy(), None),
            (&general, reported(&n), &one_door, Some("STAY_NOT_THROUGH_ACCESS")),
            (&general, Grounds { by_access: true, ..reported(&n) }, &one_door, None),
            (&general, reported(&granted), &one_door, None),
        ] {
            let answer = admit(wish(f, 0), grounds, policy, now());
            assert_eq!(answer.err().map(|r| r.reason.code), code);
        }
    }

    /// R-ACC-21, R-ACC-24, R-REG-29
    #[test]
    fn who_may_not_sleep_there_is_told_why() {
        let (f, n) = (facility(5, 0), notification(report()));
        let by_day = Facility { kind: FacilityKind::DayShelter, ..facility(5, 0) };
        let new = Facility { opened_on: date(2018, 4, 1), ..facility(5, 0) };
        let minor = Life { born: date(2001, 3, 2), died_on: None };
        let dead = Life { died_on: Some(now().date), ..client().life() };
        let running = stay();
        for (wish, code) in [
            (Admission { life: minor, ..wish(&f, 0) }, "STAY_UNDER_AGE"),
            (Admission { life: dead, ..wish(&f, 0) }, "CLIENT_DIED"),
            (Admission { kept_apart: true, ..wish(&f, 0) }, "NOT_SUITABLE"),
            (wish(&by_day, 0), "STAY_FACILITY_BY_DAY"),
            (wish(&new, 0), "STAY_FACILITY_CLOSED"),
            (Admission { admitted_on: date(2018, 3, 2), ..wish(&f, 0) }, "ACCESS_DATE_IN_FUTURE"),
            (Admission { admitted_on: date(2018, 2, 28), ..wish(&f, 0) }, "ACCESS_DATE_TOO_OLD"),
            (Admission { running: Some(&running), facility_id: FacilityId(id(6)), ..wish(&f, 0) }, "STAY_OPEN"),
        ] {
            assert_eq!(admit(wish, reported(&n), &policy(), now()).unwrap_err().reason.code, code);
        }
        assert_eq!(
            admit(Admission { running: Some(&running), ..wish(&f, 0) }, reported(&n), &policy(), now()),
            Ok(vec![])
        );
    }

    /// R-ACC-17
    #[test]
    fn a_trajectory_starts_with_the_fourth_night_slept_and_once() {
        let count = |stay: &Stay, nights_used| {
            decide(stay, &Command::CountNights { nights_used, night: date(2018, 3, 1) }, &policy(), now()).unwrap()
        };
        assert_eq!(count(&stay(), 3), []);
        let started = count(&stay(), 4);
        assert_eq!(started, [Event::TrajectoryStarted { on: date(2018, 3, 1) }]);
        let trajectory = apply(stay(), &started[0]);
        assert_eq!(count(&trajectory, 5), []);
        // A later correction does not take it away: the plan is being made.
        assert_eq!(count(&trajectory, 2), []);
    }

    fn depart(on: Date, outcome: Outcome, last_used: Option<Date>) -> Command {
        Command::Depart { on, outcome, nights_used: 2, last_used }
    }

    #[test]
    fn a_stay_ends_once_and_never_before_it_was_slept_in() {
        let left = Outcome::Left(Destination::OwnHome);
        let running = Stay { admitted_on: date(2018, 2, 20), ..stay() };
        let ok = decide(&running, &depart(date(2018, 2, 28), left, Some(date(2018, 2, 27))), &policy(), now()).unwrap();
        let over = apply(running.clone(), &ok[0]);
        assert_eq!(over.departure.unwrap().nights_used, 2);
        assert_eq!(decide(&over, &depart(date(2018, 2, 28), left, None), &policy(), now()), Ok(vec![]));
        let dropped = Outcome::DroppedOut(DropOutReason::StayedAway);
        for (state, command, code) in [
            (&over, depart(date(2018, 2, 28), dropped, None), "STAY_ENDED"),
            (&over, depart(date(2018, 2, 27), left, None), "STAY_ENDED"),
            (&running, depart(date(2018, 2, 19), left, None), "STAY_DEPARTED_BEFORE_ADMISSION"),
            (&running, depart(date(2018, 2, 28), left, Some(date(2018, 2, 28))), "STAY_SLEPT_LATER"),
            (&running, depart(date(2018, 3, 2), left, None), "ACCESS_DATE_IN_FUTURE"),
        ] {
            assert_eq!(decide(state, &command, &policy(), now()).unwrap_err().reason.code, code);
        }
    }

    /// R-REG-29
    #[test]
    fn death_ends_a_running_stay_and_leaves_an_ended_one_alone() {
        let died = depart(date(2018, 2, 1), Outcome::Died, Some(date(2018, 3, 1)));
        let events = decide(&stay(), &died, &policy(), now()).unwrap();
        assert_eq!(
            events,
            [Event::Departed(Departure { on: stay().admitted_on, outcome: Outcome::Died, nights_used: 2 })]
        );
        assert_eq!(decide(&apply(stay(), &events[0]), &died, &policy(), now()), Ok(vec![]));
    }

    /// R-ACC-18
    #[test]
    fn a_target_stay_raises_an_alert_and_ends_nothing() {
        let beds = Facility { kind: FacilityKind::TrajectoryBed, ..facility(5, 0) };
        assert_eq!(stay().target_on(&beds, &policy()), Some(date(2018, 5, 24)));
        assert_eq!(stay().target_on(&facility(5, 0), &policy()), None);
        let reached = decide(&stay(), &Command::Wake(Due::StayTarget), &policy(), now()).unwrap();
        assert_eq!(apply(stay(), &reached[0]), stay());
    }

    proptest! {
        /// R-ACC-24
        #[test]
        fn whoever_may_be_admitted_always_has_somewhere_to_go(
            places in 0i32..4, reserve in 0i32..4, occupied in 0i32..10, limit in any::<bool>(), elsewhere in 0i32..3,
        ) {
            let (f, n) = (facility(places, reserve), notification(report()));
            let others = [candidate(8, 2, elsewhere)];
            let policy = Policy { no_bed_limit: !limit, ..policy() };
            let events = admit(Admission { others: &others, ..wish(&f, occupied) }, reported(&n), &policy, now()).unwrap();
            prop_assert!(matches!(events[0], Event::Admitted(_) | Event::AlternativeGiven(_)));
            prop_assert_eq!(events.len() == 2, occupied >= places);
        }

        /// R-ACC-32
        #[test]
        fn a_correction_after_departure_is_told_exactly_when_the_count_changed(before in 0i32..9, after in 0i32..9) {
            let departure = Departure { on: now().date, outcome: Outcome::Died, nights_used: before };
            let over = Stay { departure: Some(departure), trajectory_on: Some(now().date), ..stay() };
            let events = decide(&over, &Command::CountNights { nights_used: after, night: now().date }, &policy(), now()).unwrap();
            prop_assert_eq!(events.len(), usize::from(before != after));
            let corrected = events.iter().fold(over, apply);
            prop_assert_eq!(corrected.departure.unwrap().nights_used, after);
        }
    }
}
