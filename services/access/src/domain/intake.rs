//! An intake ends in a coded result (R-ACC-26), and with it the investigation.

use super::codes::{CancelReason, IntakeResult, RefusalGround};
use super::notification::Notification;
use super::{NotificationId, Policy, check_span};
use kernel::{ClientId, Date, Moment, Organisation, Refusal};

kernel::reasons! {
    INTAKE_PLANNED_ALREADY: Rule, "R-ACC-13",
        "An intake of this notification is planned already.", "Er is al een intake van deze melding gepland.",
        "Complete or cancel that one first.", "Rond die eerst af of zeg die af.";
    INTAKE_TOO_FAR: Rule, "R-ACC-04",
        "An intake is planned on or before {latest}.", "Een intake wordt uiterlijk {latest} gepland.",
        "Choose an earlier day.", "Kies een eerdere dag.";
    INTAKE_CANCELLED: Rule, "R-ACC-26",
        "The intake was cancelled.", "De intake is afgezegd.",
        "Plan a new intake.", "Plan een nieuwe intake.";
    INTAKE_COMPLETED: Rule, "R-ACC-26",
        "The intake was completed.", "De intake is afgerond.",
        "Plan a new intake when the situation has changed.", "Plan een nieuwe intake als de situatie is veranderd.";
    INTAKE_RECEIVER_MISSING: Malformed, "R-ACC-26",
        "This result names who takes over.", "Deze uitkomst noemt wie het overneemt.",
        "Give the organisation of the receiver.", "Geef de organisatie van de ontvanger.";
    INTAKE_GROUND_MISSING: Malformed, "R-ACC-29",
        "A refusal has a ground, and only a refusal has one.", "Een weigering heeft een grond, en alleen een weigering heeft er een.",
        "Give the ground with the result REFUSED.", "Geef de grond bij de uitkomst REFUSED.";
}

/// How an intake ended; a referral without receiver and a refusal without ground cannot be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Shelter, another provision, or withdrawn.
    Plain(IntakeResult),
    /// Referred upstream, to this receiver.
    Referred(Organisation),
    /// Transferred, to this receiver.
    Transferred(Organisation),
    /// Refused, on this ground; without right to another route with a receiver (R-ACC-30).
    Refused(RefusalGround, Option<Organisation>),
}

impl Outcome {
    /// Reads a result as somebody gave it (R-ACC-26, R-ACC-29, R-ACC-30).
    pub fn try_new(
        result: IntakeResult,
        receiver: Option<Organisation>,
        ground: Option<RefusalGround>,
    ) -> Result<Self, Refusal> {
        let no_receiver = || INTAKE_RECEIVER_MISSING.field("receiver", "is required", "is verplicht");
        match (result, ground) {
            (IntakeResult::Refused, None) => Err(INTAKE_GROUND_MISSING.field("ground", "is required", "is verplicht")),
            (IntakeResult::Refused, Some(RefusalGround::NoRight)) => {
                receiver.map(|r| Self::Refused(RefusalGround::NoRight, Some(r))).ok_or_else(no_receiver)
            }
            (IntakeResult::Refused, Some(ground)) => Ok(Self::Refused(ground, receiver)),
            (_, Some(_)) => {
                Err(INTAKE_GROUND_MISSING.field("ground", "belongs to a refusal", "hoort bij een weigering"))
            }
            (IntakeResult::ReferralUpstream, None) => receiver.map(Self::Referred).ok_or_else(no_receiver),
            (IntakeResult::Transfer, None) => receiver.map(Self::Transferred).ok_or_else(no_receiver),
            (plain, None) => Ok(Self::Plain(plain)),
        }
    }

    /// The coded result.
    pub fn result(&self) -> IntakeResult {
        match self {
            Self::Plain(result) => *result,
            Self::Referred(_) => IntakeResult::ReferralUpstream,
            Self::Transferred(_) => IntakeResult::Transfer,
            Self::Refused(..) => IntakeResult::Refused,
        }
    }

    /// The receiver, if there is one.
    pub fn receiver(&self) -> Option<&Organisation> {
        match self {
            Self::Plain(_) => None,
            Self::Referred(receiver) | Self::Transferred(receiver) => Some(receiver),
            Self::Refused(_, receiver) => receiver.as_ref(),
        }
    }

    /// The ground of a refusal.
    pub fn ground(&self) -> Option<RefusalGround> {
        match self {
            Self::Refused(ground, _) => Some(*ground),
            _ => None,
        }
    }
}

/// Where an intake stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Planned.
    Planned,
    /// Cancelled, and why.
    Cancelled(CancelReason),
    /// Completed.
    Completed {
        /// With this outcome.
        outcome: Outcome,
        /// On this day.
        on: Date,
    },
}

/// An intake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// Of this notification.
    pub notification_id: NotificationId,
    /// Of this client.
    pub client_id: ClientId,
    /// Held together with income (R-ACC-12).
    pub integrated: bool,
    /// The day.
    pub planned_on: Date,
    /// Where it stands.
    pub state: State,
}

/// What is asked of an intake.
#[derive(Clone, Debug)]
pub enum Command {
    /// It will not take place.
    Cancel {
        /// Why.
        reason: CancelReason,
    },
    /// It ended.
    Complete {
        /// With this outcome.
        outcome: Outcome,
        /// On this day.
        on: Date,
        /// The day of the notification.
        received_on: Date,
    },
}

/// What happened to an intake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Planned.
    Planned(Intake),
    /// Cancelled.
    Cancelled(CancelReason),
    /// Completed.
    Completed {
        /// With this outcome.
        outcome: Outcome,
        /// On this day.
        on: Date,
    },
}

/// What is planned.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Of this notification.
    pub notification_id: NotificationId,
    /// The day.
    pub planned_on: Date,
    /// The client also asks for a benefit or a mail address (R-ACC-12).
    pub asks_income: bool,
    /// Another intake of the notification stands.
    pub another_stands: bool,
}

/// Plans an intake (R-ACC-12, R-ACC-13).
pub fn plan(plan: Plan, notification: &Notification, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    notification.check_open()?;
    if plan.another_stands {
        return Err(Refusal::from(&INTAKE_PLANNED_ALREADY));
    }
    let latest = policy.calendar.plain_end(now.date, policy.intake_horizon);
    if plan.planned_on > latest {
        return Err(INTAKE_TOO_FAR.with("latest", latest));
    }
    check_span("planned_on", plan.planned_on, notification.received_on, latest)?;
    Ok(vec![Event::Planned(Intake {
        notification_id: plan.notification_id,
        client_id: notification.client_id,
        integrated: plan.asks_income && policy.integrated_intake,
        planned_on: plan.planned_on,
        state: State::Planned,
    })])
}

/// What may happen to an intake, and when.
pub fn decide(intake: &Intake, command: &Command, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (&intake.state, command) {
        (State::Planned, Command::Cancel { reason }) => Ok(vec![Event::Cancelled(*reason)]),
        (State::Cancelled(_), Command::Cancel { .. }) => Ok(vec![]),
        (State::Completed { .. }, Command::Cancel { .. }) => Err(Refusal::from(&INTAKE_COMPLETED)),
        (State::Planned, Command::Complete { outcome, on, received_on }) => {
            check_span("completed_on", *on, *received_on, now.date)?;
            Ok(vec![Event::Completed { outcome: outcome.clone(), on: *on }])
        }
        (State::Cancelled(_), Command::Complete { .. }) => Err(Refusal::from(&INTAKE_CANCELLED)),
        (State::Completed { outcome: before, on: day }, Command::Complete { outcome, on, .. })
            if before == outcome && day == on =>
        {
            Ok(vec![])
        }
        (State::Completed { .. }, Command::Complete { .. }) => Err(Refusal::from(&INTAKE_COMPLETED)),
    }
}

/// The intake after an event.
pub fn apply(intake: Intake, event: &Event) -> Intake {
    match event {
        Event::Planned(planned) => planned.clone(),
        Event::Cancelled(reason) => Intake { state: State::Cancelled(*reason), ..intake },
        Event::Completed { outcome, on } => {
            Intake { state: State::Completed { outcome: outcome.clone(), on: *on }, ..intake }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::codes::CancelReason::ByClient;
    use super::super::notification::tests::{notification, report};
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;

    fn wish(asks_income: bool) -> Plan {
        Plan {
            notification_id: NotificationId(id(2)),
            planned_on: date(2018, 3, 9),
            asks_income,
            another_stands: false,
        }
    }

    fn planned() -> Intake {
        match plan(wish(false), &notification(report()), &policy(), now()).unwrap().remove(0) {
            Event::Planned(intake) => intake,
            other => panic!("{other:?}"),
        }
    }

    fn org() -> Option<Organisation> {
        Organisation::parse("o", "wijkteam-west").ok()
    }

    /// R-ACC-12
    #[test]
    fn an_intake_is_integrated_when_a_benefit_is_asked_and_the_municipality_works_so() {
        for (asks, on, integrated) in [(true, true, true), (true, false, false), (false, true, false)] {
            let policy = Policy { integrated_intake: on, ..policy() };
            match &plan(wish(asks), &notification(report()), &policy, now()).unwrap()[0] {
                Event::Planned(intake) => assert_eq!(intake.integrated, integrated),
                other => panic!("{other:?}"),
            }
        }
    }

    /// R-ACC-13, R-ACC-04
    #[test]
    fn one_intake_stands_per_notification_and_not_far_away() {
        for (wish, code) in [
            (Plan { another_stands: true, ..wish(false) }, "INTAKE_PLANNED_ALREADY"),
            (Plan { planned_on: date(2018, 4, 13), ..wish(false) }, "INTAKE_TOO_FAR"),
            (Plan { planned_on: date(2018, 2, 28), ..wish(false) }, "ACCESS_DATE_TOO_OLD"),
        ] {
            assert_eq!(plan(wish, &notification(report()), &policy(), now()).unwrap_err().reason.code, code);
        }
    }

    /// R-ACC-26, R-ACC-29, R-ACC-30
    #[test]
    fn a_result_is_whole_or_it_is_no_result() {
        use IntakeResult::*;
        for (result, receiver, ground, code) in [
            (Shelter, None, None, None),
            (Withdrawn, None, None, None),
            (ReferralUpstream, org(), None, None),
            (ReferralUpstream, None, None, Some("INTAKE_RECEIVER_MISSING")),
            (Transfer, None, None, Some("INTAKE_RECEIVER_MISSING")),
            (Refused, None, None, Some("INTAKE_GROUND_MISSING")),
            (Refused, None, Some(RefusalGround::OwnStrength), None),
            (Refused, None, Some(RefusalGround::NoRight), Some("INTAKE_RECEIVER_MISSING")),
            (Refused, org(), Some(RefusalGround::NoRight), None),
            (Shelter, None, Some(RefusalGround::HasHome), Some("INTAKE_GROUND_MISSING")),
        ] {
            let read = Outcome::try_new(result, receiver, ground);
            assert_eq!(read.as_ref().err().map(|r| r.reason.code), code, "{result:?}");
            assert!(read.is_err() || read.unwrap().result() == result);
        }
    }

    /// R-ACC-26
    #[test]
    fn an_intake_ends_once() {
        let complete = |result| Command::Complete {
            outcome: Outcome::Plain(result),
            on: date(2018, 3, 1),
            received_on: date(2018, 3, 1),
        };
        let cancel = Command::Cancel { reason: ByClient };
        let done = apply(planned(), &decide(&planned(), &complete(IntakeResult::Shelter), now()).unwrap()[0]);
        let gone = apply(planned(), &decide(&planned(), &cancel, now()).unwrap()[0]);
        assert_eq!(decide(&done, &complete(IntakeResult::Shelter), now()), Ok(vec![]));
        assert_eq!(decide(&gone, &cancel, now()), Ok(vec![]));
        for (state, command, code) in [
            (&done, complete(IntakeResult::OtherProvision), "INTAKE_COMPLETED"),
            (&done, cancel, "INTAKE_COMPLETED"),
            (&gone, complete(IntakeResult::Shelter), "INTAKE_CANCELLED"),
        ] {
            assert_eq!(decide(state, &command, now()).unwrap_err().reason.code, code);
        }
    }
}
