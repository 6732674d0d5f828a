//! Aftercare: from the keys until the client has landed (R-AFT-01). It never ends by itself.

use super::{AftercareId, AllocationId, Policy};
use jiff::ToSpan;
use kernel::{ClientId, Date, Moment, Municipality, Refusal, Term, Timestamp};

kernel::reasons! {
    AFTERCARE_WITHOUT_HANDOVER: Rule, "R-AFT-02",
        "This allocation has no handover that stands.", "Deze toewijzing heeft geen geldige overdracht.",
        "Draft the handover first.", "Begin eerst de overdracht.";
    AFTERCARE_ENDED: Rule, "R-AFT-18",
        "Aftercare ended on {ended_on}.", "De nazorg is beëindigd op {ended_on}.",
        "Raise a signal if things go wrong again.", "Geef een signaal als het weer misgaat.";
    AFTERCARE_NOT_AGREED: Rule, "R-AFT-18",
        "Aftercare ends by agreement only on a day, today or earlier, on which the client agreed.",
        "Nazorg eindigt in overleg alleen met een dag, vandaag of eerder, waarop de cliënt instemde.",
        "Talk with the client and give that day.", "Overleg met de cliënt en geef die dag op.";
    AFTERCARE_SIGNAL_OPEN: Rule, "R-AFT-18",
        "{open} signals about the client are still open.", "Er staan nog {open} signalen over de cliënt open.",
        "Take them up and close them first.", "Pak ze eerst op en sluit ze.";
    AFTERCARE_REGIE_DECIDES: Rule, "R-AFT-18",
        "Only the municipality ends aftercare for this reason.",
        "Alleen de gemeente beëindigt de nazorg om deze reden.",
        "Ask the municipality to decide.", "Vraag de gemeente om een besluit.";
    AFTERCARE_CONTACT_NOT_EXHAUSTED: Rule, "R-AFT-18",
        "Contact failed {missed} times in a row; {needed} are needed.",
        "Contact mislukte {missed} keer achter elkaar; {needed} keer is nodig.",
        "Have contact tried again.", "Laat opnieuw contact zoeken.";
}

/// How aftercare ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the proto documents each outcome, once")]
pub enum Outcome {
    Agreement,
    NoContact,
    Died,
    LeaseEnded,
    ReturnedToShelter,
}

/// Whether it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Contacts are kept and signals are answered.
    Running {
        /// The reviews still to be announced, earliest first; never empty, the last is the one at which it is decided.
        reviews: Vec<Date>,
        /// The day on which the first of them is announced.
        announce_on: Date,
    },
    /// Over.
    Ended {
        /// How.
        outcome: Outcome,
        /// When.
        on: Date,
    },
}

/// Aftercare of one household after one move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aftercare {
    /// Its id.
    pub id: AftercareId,
    /// The client.
    pub client_id: ClientId,
    /// The allocation.
    pub allocation_id: AllocationId,
    /// The municipality of the home.
    pub municipality: Municipality,
    /// The day of the keys.
    pub started_on: Date,
    /// The day by which it is to be decided whether it goes on.
    pub until_on: Date,
    /// Whether it runs.
    pub stage: Stage,
}

/// What somebody wants of it.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// It is to end.
    End {
        /// How.
        outcome: Outcome,
        /// The day on which the client agreed.
        agreed_on: Option<Date>,
        /// Whether the municipality, or its service, says so.
        by_regie: bool,
        /// Contacts missed in a row.
        missed: u32,
        /// Signals about the client that are not closed.
        open_signals: u32,
    },
    /// A review may be near.
    Lapse,
}

/// What happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the state")]
pub enum Event {
    Started(Aftercare),
    ReviewDue { due_on: Date, last: bool, reviews: Vec<Date>, announce_on: Date },
    Ended { outcome: Outcome, on: Date },
}

/// Starts aftercare on the day of the keys; once per allocation, for which the handover stands (R-AFT-01, R-AFT-02).
pub fn start(
    existing: Option<&Aftercare>,
    handover: Option<&super::handover::Handover>,
    id: AftercareId,
    started_on: Date,
    policy: &Policy,
) -> Result<Vec<Event>, Refusal> {
    if existing.is_some() {
        return Ok(vec![]);
    }
    let brief = handover
        .filter(|handover| handover.stage != super::handover::Stage::Cancelled)
        .map(|handover| &handover.brief)
        .ok_or(&AFTERCARE_WITHOUT_HANDOVER)?;
    let after = |months: i32| policy.calendar.plain_end(started_on, Term::Months(months));
    let until_on = after(policy.aftercare_months);
    let mut reviews: Vec<Date> = policy.review_months.iter().map(|m| after(*m)).filter(|day| *day < until_on).collect();
    reviews.push(until_on);
    reviews.sort();
    let announce_on = announce(&reviews, policy);
    Ok(vec![Event::Started(Aftercare {
        id,
        client_id: brief.client_id,
        allocation_id: brief.allocation_id,
        municipality: brief.municipality.clone(),
        started_on,
        until_on,
        stage: Stage::Running { reviews, announce_on },
    })])
}

/// What may happen to aftercare, and when. Pure: same arguments, same answer.
pub fn decide(state: &Aftercare, command: Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (&state.stage, command) {
        (Stage::Ended { .. }, _) => Ok(vec![]),
        (Stage::Running { .. }, Command::End { outcome, agreed_on, by_regie, missed, open_signals }) => {
            match outcome {
                Outcome::Agreement if agreed_on.is_none_or(|on| on > now.date) => {
                    return Err((&AFTERCARE_NOT_AGREED).into());
                }
                Outcome::Agreement if open_signals > 0 => {
                    return Err(AFTERCARE_SIGNAL_OPEN.with("open", open_signals));
                }
                Outcome::Agreement => {}
                _ if !by_regie => return Err((&AFTERCARE_REGIE_DECIDES).into()),
                Outcome::NoContact if missed < policy.failed_contacts_to_end => {
                    let needed = policy.failed_contacts_to_end;
                    return Err(AFTERCARE_CONTACT_NOT_EXHAUSTED.with("missed", missed).with("needed", needed));
                }
                Outcome::NoContact | Outcome::Died | Outcome::LeaseEnded | Outcome::ReturnedToShelter => {}
            }
            Ok(vec![Event::Ended { outcome, on: now.date }])
        }
        (Stage::Running { announce_on, .. }, Command::Lapse) if now.date < *announce_on => Ok(vec![]),
        (Stage::Running { reviews, .. }, Command::Lapse) => {
            // Looked at late, only the newest of several reviews is still news.
            let newest = reviews.iter().rposition(|day| announce(&[*day], policy) <= now.date).unwrap_or(0);
            let due_on = reviews.get(newest).copied().unwrap_or(state.until_on);
            let mut left: Vec<Date> = reviews.iter().skip(newest + 1).copied().collect();
            if left.is_empty() {
                // Undecided is no decision: it is put forward again (P7).
                left.push(due_on.max(now.date).saturating_add(policy.review_again_days.days()));
            }
            let announce_on = announce(&left, policy).max(now.date.saturating_add(1.day()));
            Ok(vec![Event::ReviewDue { due_on, last: due_on >= state.until_on, reviews: left, announce_on }])
        }
    }
}

/// Aftercare after an event; absent before it started.
pub fn apply(state: Option<Aftercare>, event: &Event) -> Option<Aftercare> {
    match event {
        Event::Started(aftercare) => Some(aftercare.clone()),
        Event::ReviewDue { reviews, announce_on, .. } => state
            .map(|s| Aftercare { stage: Stage::Running { reviews: reviews.clone(), announce_on: *announce_on }, ..s }),
        Event::Ended { outcome, on } => {
            state.map(|s| Aftercare { stage: Stage::Ended { outcome: *outcome, on: *on }, ..s })
        }
    }
}

impl Aftercare {
    /// When it must be looked at again.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Running { announce_on, .. } => Some(Moment::start_of(*announce_on).at),
            Stage::Ended { .. } => None,
        }
    }

    /// Refuses what needs aftercare that runs.
    pub fn check_running(&self) -> Result<(), Refusal> {
        match &self.stage {
            Stage::Running { .. } => Ok(()),
            Stage::Ended { on, .. } => Err(AFTERCARE_ENDED.with("ended_on", on)),
        }
    }
}

fn announce(reviews: &[Date], policy: &Policy) -> Date {
    reviews.first().map_or(Date::MAX, |day| day.saturating_sub(policy.review_warn_days.days()))
}

#[cfg(test)]
mod tests {
    use super::super::{HandoverId, handover};
    use super::*;
    use jiff::civil::date;

    const KEYS: Date = date(2026, 3, 2);

    fn on(date: Date) -> Moment {
        Moment::at_hour(date, 9)
    }

    fn the_handover() -> handover::Handover {
        let brief = handover::Brief {
            client_id: ClientId(kernel::Uuid::from_u128(1)),
            allocation_id: AllocationId(kernel::Uuid::from_u128(2)),
            from: kernel::Organisation::parse("o", "leger").unwrap(),
            to: kernel::Organisation::parse("o", "wijkteam-west").unwrap(),
            municipality: Municipality::parse("m", "0505").unwrap(),
            district: None,
            move_on: KEYS,
        };
        let id = HandoverId(kernel::Uuid::from_u128(3));
        let events = handover::draft(None, id, brief, &Policy::for_tests(), on(date(2026, 2, 16))).unwrap();
        events.iter().fold(None, handover::apply).unwrap()
    }

    fn running() -> Aftercare {
        let id = AftercareId(kernel::Uuid::from_u128(4));
        let events = start(None, Some(&the_handover()), id, KEYS, &Policy::for_tests()).unwrap();
        events.iter().fold(None, apply).unwrap()
    }

    fn end(outcome: Outcome) -> Command {
        Command::End { outcome, agreed_on: Some(KEYS), by_regie: true, missed: 3, open_signals: 0 }
    }

    fn code(command: Command) -> &'static str {
        decide(&running(), command, &Policy::for_tests(), on(date(2026, 6, 1))).unwrap_err().reason.code
    }

    /// R-AFT-01, R-AFT-02
    #[test]
    fn aftercare_starts_once_for_an_allocation_whose_handover_stands() {
        let policy = Policy::for_tests();
        assert_eq!(start(Some(&running()), None, running().id, KEYS, &policy), Ok(vec![]));
        let mut cancelled = the_handover();
        cancelled.stage = handover::Stage::Cancelled;
        for without in [None, Some(&cancelled)] {
            let refusal = start(None, without, running().id, KEYS, &policy).unwrap_err();
            assert_eq!(refusal.reason.code, "AFTERCARE_WITHOUT_HANDOVER");
        }
    }

    /// R-AFT-18
    #[test]
    fn aftercare_ends_by_agreement_with_the_client_and_with_no_signal_open() {
        let agreement = |agreed_on, open_signals| Command::End {
            outcome: Outcome::Agreement,
            agreed_on,
            by_regie: false,
            missed: 0,
            open_signals,
        };
        assert_eq!(code(agreement(None, 0)), "AFTERCARE_NOT_AGREED");
        assert_eq!(code(agreement(Some(date(2026, 6, 2)), 0)), "AFTERCARE_NOT_AGREED");
        assert_eq!(code(agreement(Some(KEYS), 2)), "AFTERCARE_SIGNAL_OPEN");
        let events = decide(&running(), agreement(Some(KEYS), 0), &Policy::for_tests(), on(date(2026, 6, 1)));
        assert_eq!(events, Ok(vec![Event::Ended { outcome: Outcome::Agreement, on: date(2026, 6, 1) }]));
    }

    /// R-AFT-18
    #[test]
    fn for_want_of_contact_it_ends_after_three_tries_and_by_the_municipality_only() {
        let no_contact = |by_regie, missed| Command::End {
            outcome: Outcome::NoContact,
            agreed_on: None,
            by_regie,
            missed,
            open_signals: 1,
        };
        assert_eq!(code(no_contact(false, 3)), "AFTERCARE_REGIE_DECIDES");
        assert_eq!(code(no_contact(true, 2)), "AFTERCARE_CONTACT_NOT_EXHAUSTED");
        assert!(decide(&running(), no_contact(true, 3), &Policy::for_tests(), on(KEYS)).is_ok());
    }

    /// R-REG-29
    #[test]
    fn death_and_end_of_lease_end_aftercare_whatever_is_open() {
        for outcome in [Outcome::Died, Outcome::LeaseEnded, Outcome::ReturnedToShelter] {
            let command = Command::End { outcome, agreed_on: None, by_regie: true, missed: 0, open_signals: 4 };
            assert!(decide(&running(), command, &Policy::for_tests(), on(KEYS)).is_ok(), "{outcome:?}");
            let by_a_team = Command::End { outcome, agreed_on: None, by_regie: false, missed: 0, open_signals: 0 };
            assert_eq!(code(by_a_team), "AFTERCARE_REGIE_DECIDES", "{outcome:?}");
        }
    }

    /// R-AFT-18
    #[test]
    fn what_has_ended_stays_ended() {
        let policy = Policy::for_tests();
        let events = decide(&running(), end(Outcome::Died), &policy, on(KEYS)).unwrap();
        let ended = events.iter().fold(Some(running()), apply).unwrap();
        assert_eq!(decide(&ended, end(Outcome::Agreement), &policy, on(KEYS)), Ok(vec![]));
        assert_eq!(decide(&ended, Command::Lapse, &policy, on(date(2027, 6, 1))), Ok(vec![]));
        assert_eq!(ended.wake_at(), None);
        assert_eq!(ended.check_running().unwrap_err().reason.code, "AFTERCARE_ENDED");
    }

    /// R-AFT-04, P7
    #[test]
    fn reviews_are_announced_before_their_day_and_the_last_one_until_it_is_decided() {
        let policy = Policy::for_tests();
        let mut state = running();
        let mut seen = Vec::new();
        for _ in 0..5 {
            let Stage::Running { announce_on, .. } = state.stage else { unreachable!() };
            assert_eq!(decide(&state, Command::Lapse, &policy, on(announce_on.yesterday().unwrap())), Ok(vec![]));
            let events = decide(&state, Command::Lapse, &policy, on(announce_on)).unwrap();
            let [Event::ReviewDue { due_on, last, .. }] = events[..] else { unreachable!() };
            seen.push((announce_on, due_on, last));
            state = events.iter().fold(Some(state), apply).unwrap();
        }
        assert_eq!(
            seen,
            [
                (date(2026, 5, 19), date(2026, 6, 2), false),
                (date(2026, 8, 19), date(2026, 9, 2), false),
                (date(2027, 2, 16), date(2027, 3, 2), true),
                (date(2027, 3, 16), date(2027, 3, 30), true),
                (date(2027, 4, 13), date(2027, 4, 27), true),
            ]
        );
    }
}
