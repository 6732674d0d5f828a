//! Contacts after the move: dense around it, then a pilot light (R-AFT-07, R-HOU-18).
//!
//! A contact that fails, or that nobody records, is missed; two in a row make a signal.

use super::Policy;
use jiff::ToSpan;
use kernel::{Date, Moment, Refusal, Timestamp};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    CONTACT_IN_FUTURE: Rule, "R-AFT-07",
        "A contact on {on} lies in the future.", "Een contact op {on} ligt in de toekomst.",
        "Record a contact once it was held or tried.", "Leg een contact vast als het is geweest of geprobeerd.";
    CONTACT_BEFORE_AFTERCARE: Rule, "R-AFT-07",
        "Aftercare began on {started_on}; this contact was before it.",
        "De nazorg begon op {started_on}; dit contact was ervoor.",
        "Record contacts from that day on.", "Leg contacten vanaf die dag vast.";
}

/// How a contact is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the proto documents each form, once")]
pub enum Form {
    Visit,
    Meeting,
    Call,
    Video,
    Message,
}

/// What came of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client was spoken to.
    Held,
    /// It was tried and failed.
    Missed,
}

/// The schedule of one aftercare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The day of the move.
    pub move_on: Date,
    /// The day of the next contact.
    pub next_on: Date,
    /// The day from which the next contact counts as missed if nobody records it.
    pub overdue_from: Date,
    /// Contacts missed in a row.
    pub missed: u32,
    /// The last contact that was recorded.
    pub last: Option<(Date, Outcome)>,
}

/// What somebody wants of a schedule.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// A contact was held or tried.
    Record {
        /// The day.
        on: Date,
        /// What came of it.
        outcome: Outcome,
    },
    /// A contact may be overdue.
    Lapse,
}

/// What happened on a schedule. Every event carries the day of the next contact and from when that is overdue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the commands and the state")]
pub enum Event {
    Started {
        move_on: Date,
        next: Next,
    },
    Held {
        on: Date,
        next: Next,
    },
    Missed {
        on: Date,
        recorded: bool,
        count: u32,
        next: Next,
    },
    /// Contact is lost: a signal is to be made (R-AFT-07).
    ContactLost,
}

/// The next contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The day.
    pub on: Date,
    /// From when it is overdue.
    pub overdue_from: Date,
}

/// Starts the schedule on the day of the move.
pub fn start(move_on: Date, policy: &Policy, now: Moment) -> Vec<Event> {
    vec![Event::Started { move_on, next: next(move_on, policy.first_contact_days, policy, now) }]
}

/// What may happen on a schedule, and when. Pure: same arguments, same answer.
pub fn decide(state: &Schedule, command: Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Record { on, outcome } if state.last == Some((on, outcome)) => Ok(vec![]),
        Command::Record { on, .. } if on > now.date => Err(CONTACT_IN_FUTURE.with("on", on)),
        Command::Record { on, .. } if on < state.move_on => {
            Err(CONTACT_BEFORE_AFTERCARE.with("started_on", state.move_on))
        }
        Command::Record { on, outcome: Outcome::Held } => {
            Ok(vec![Event::Held { on, next: next(on, state.interval_at(on, policy), policy, now) }])
        }
        Command::Record { on, outcome: Outcome::Missed } => Ok(missed(state, on, true, policy, now)),
        Command::Lapse if now.date >= state.overdue_from => Ok(missed(state, state.next_on, false, policy, now)),
        Command::Lapse => Ok(vec![]),
    }
}

/// The schedule after an event; absent before it started.
pub fn apply(state: Option<Schedule>, event: &Event) -> Option<Schedule> {
    let moved = |state: Schedule, next: &Next| Schedule { next_on: next.on, overdue_from: next.overdue_from, ..state };
    match (state, event) {
        (_, Event::Started { move_on, next }) => Some(Schedule {
            move_on: *move_on,
            next_on: next.on,
            overdue_from: next.overdue_from,
            missed: 0,
            last: None,
        }),
        (Some(state), Event::Held { on, next }) => {
            Some(Schedule { missed: 0, last: Some((*on, Outcome::Held)), ..moved(state, next) })
        }
        (Some(state), Event::Missed { on, recorded, count, next }) => {
            let last = if *recorded { Some((*on, Outcome::Missed)) } else { state.last };
            Some(Schedule { missed: *count, last, ..moved(state, next) })
        }
        (state, Event::ContactLost) => state,
        (None, _) => None,
    }
}

impl Schedule {
    /// When it must be looked at again.
    pub fn wake_at(&self) -> Timestamp {
        Moment::start_of(self.overdue_from).at
    }

    /// Days to the contact after one on `day`: short around the move (R-HOU-18), long after it (R-AFT-07).
    fn interval_at(&self, day: Date, policy: &Policy) -> i32 {
        let quiet_from = self.move_on.saturating_add(policy.dense_weeks.weeks());
        if day < quiet_from { policy.dense_every_days } else { policy.contact_every_weeks * 7 }
    }
}

fn next(from: Date, days: i32, policy: &Policy, now: Moment) -> Next {
    // What is recorded late never makes a contact that is overdue already.
    let on = from.saturating_add(days.days()).max(now.date);
    Next { on, overdue_from: on.saturating_add((policy.contact_grace_days + 1).days()) }
}

fn missed(state: &Schedule, on: Date, recorded: bool, policy: &Policy, now: Moment) -> Vec<Event> {
    let count = state.missed + 1;
    let again = policy.contact_retry_days.min(state.interval_at(on, policy));
    let mut events = vec![Event::Missed { on, recorded, count, next: next(on, again, policy, now) }];
    if count.is_multiple_of(policy.missed_for_signal.max(1)) {
        events.push(Event::ContactLost);
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const MOVE: Date = date(2026, 3, 2);

    fn on(date: Date) -> Moment {
        Moment::at_hour(date, 12)
    }

    fn started() -> Schedule {
        start(MOVE, &Policy::for_tests(), on(MOVE)).iter().fold(None, apply).unwrap()
    }

    fn record(on: Date, outcome: Outcome) -> Command {
        Command::Record { on, outcome }
    }

    fn given(steps: &[(Date, Command)]) -> (Schedule, Result<Vec<Event>, Refusal>) {
        let (mut state, mut answer) = (started(), Ok(vec![]));
        for (day, command) in steps {
            answer = decide(&state, *command, &Policy::for_tests(), on(*day));
            state = answer.as_deref().unwrap_or_default().iter().fold(Some(state), apply).unwrap();
        }
        (state, answer)
    }

    /// R-AFT-07, R-HOU-18
    #[test]
    fn contacts_are_weekly_for_six_weeks_after_the_move_and_then_every_four_weeks() {
        let mut state = started();
        let mut days = vec![state.next_on];
        for _ in 0..9 {
            let today = state.next_on;
            let events = decide(&state, record(today, Outcome::Held), &Policy::for_tests(), on(today)).unwrap();
            state = events.iter().fold(Some(state), apply).unwrap();
            days.push(state.next_on);
        }
        let after: Vec<i32> = days.iter().map(|day| (*day - MOVE).get_days()).collect();
        assert_eq!(after, [2, 9, 16, 23, 30, 37, 44, 72, 100, 128]);
    }

    /// R-AFT-07
    #[test]
    fn the_second_contact_missed_in_a_row_makes_a_signal_and_a_held_one_starts_the_count_anew() {
        let lost = |steps: &[(Date, Command)]| given(steps).1.unwrap().contains(&Event::ContactLost);
        let missed = |day| (day, record(day, Outcome::Missed));
        let (first, second, third) = (date(2026, 3, 4), date(2026, 3, 11), date(2026, 3, 18));
        assert!(!lost(&[missed(first)]));
        assert!(lost(&[missed(first), missed(second)]));
        assert!(!lost(&[missed(first), missed(second), missed(third)]));
        assert!(!lost(&[missed(first), (second, record(second, Outcome::Held)), missed(third)]));
    }

    /// R-AFT-07
    #[test]
    fn a_contact_that_nobody_records_counts_as_missed_after_some_days() {
        assert_eq!(given(&[(date(2026, 3, 7), Command::Lapse)]).1, Ok(vec![]));
        let (state, answer) = given(&[(date(2026, 3, 8), Command::Lapse)]);
        assert!(matches!(answer.unwrap()[..], [Event::Missed { recorded: false, count: 1, .. }]));
        assert_eq!(state.next_on, date(2026, 3, 11));
        let (_, answer) = given(&[(date(2026, 3, 8), Command::Lapse), (date(2026, 3, 15), Command::Lapse)]);
        assert!(answer.unwrap().contains(&Event::ContactLost));
    }

    /// R-AFT-07
    #[test]
    fn a_contact_lies_between_the_keys_and_today() {
        let code = |day, command| given(&[(day, command)]).1.unwrap_err().reason.code;
        assert_eq!(code(MOVE, record(date(2026, 3, 3), Outcome::Held)), "CONTACT_IN_FUTURE");
        assert_eq!(code(MOVE, record(date(2026, 3, 1), Outcome::Held)), "CONTACT_BEFORE_AFTERCARE");
    }

    proptest! {
        /// R-AFT-07, P7
        #[test]
        fn however_late_things_are_recorded_the_next_contact_is_still_to_come(
            steps in proptest::collection::vec((0i32..40, 0i32..40, any::<bool>()), 1..12),
        ) {
            let (mut state, mut today) = (started(), MOVE);
            for (later, ago, held) in steps {
                today = today.saturating_add(later.days());
                let on_day = today.saturating_sub(ago.days()).max(MOVE);
                let outcome = if held { Outcome::Held } else { Outcome::Missed };
                let events = decide(&state, record(on_day, outcome), &Policy::for_tests(), on(today)).unwrap();
                let changed = !events.is_empty();
                state = events.iter().fold(Some(state), apply).unwrap();
                prop_assert!(!changed || state.next_on >= today);
                prop_assert!(state.overdue_from > state.next_on);
                prop_assert_eq!(decide(&state, record(on_day, outcome), &Policy::for_tests(), on(today)), Ok(vec![]));
            }
        }
    }
}
