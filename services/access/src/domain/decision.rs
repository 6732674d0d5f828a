//! An application (R-ACC-07) and the decision on it (R-ACC-08, R-ACC-19, R-ACC-20).

use super::codes::{CancelReason, DecisionEndReason, DeviationReason, ExtensionReason, RefusalGround, TargetGroup};
use super::notification::Notification;
use super::{ApplicationId, Due, NotificationId, Policy, Wake, check_span, plus_days};
use kernel::{ClientId, Date, Moment, Refusal, Term, general};

kernel::reasons! {
    APPLICATION_TOO_EARLY: Rule, "R-ACC-07",
        "The investigation is not finished, and its term runs until {until}.", "Het onderzoek is niet af, en de termijn loopt tot en met {until}.",
        "Complete the intake first, or wait until the term has passed.", "Rond eerst de intake af, of wacht tot de termijn voorbij is.";
    APPLICATION_OPEN: Rule, "R-ACC-07",
        "Another application of this notification waits for a decision.", "Een andere aanvraag bij deze melding wacht op een beschikking.",
        "Decide on that one first.", "Beslis eerst op die aanvraag.";
    APPLICATION_WITHDRAWN: Rule, "R-ACC-08",
        "The application was withdrawn.", "De aanvraag is ingetrokken.",
        "Submit a new application.", "Dien een nieuwe aanvraag in.";
    APPLICATION_DECIDED: Rule, "R-ACC-08",
        "The application was decided on.", "Op de aanvraag is beslist.",
        "Extend or end the decision, or submit a new application.", "Verleng of beëindig de beschikking, of dien een nieuwe aanvraag in.";
    DECISION_DEVIATION_UNREASONED: Rule, "R-ACC-19",
        "The default for this group is {months} months; another length has a reason.", "Standaard voor deze groep is {months} maanden; een andere duur heeft een reden.",
        "Give the reason to deviate, or leave the length out.", "Geef de reden om af te wijken, of laat de duur weg.";
    DECISION_LENGTH: Malformed, "R-ACC-19",
        "A decision lasts 1 to 60 months.", "Een beschikking duurt 1 tot 60 maanden.",
        "Give another length.", "Geef een andere duur.";
    DECISION_START: Rule, "R-ACC-19",
        "A decision starts on or before {latest}.", "Een beschikking gaat uiterlijk {latest} in.",
        "Give an earlier first day.", "Geef een eerdere eerste dag.";
    DECISION_GROUND_MISSING: Malformed, "R-ACC-29",
        "A refusal has a ground, a grant has a target group.", "Een weigering heeft een grond, een toekenning een doelgroep.",
        "Give the one that belongs to this decision.", "Geef wat bij deze beschikking hoort.";
    DECISION_NOT_IN_FORCE: Rule, "R-ACC-20",
        "The decision ended, or was no grant.", "De beschikking is beëindigd, of was geen toekenning.",
        "Submit a new application.", "Dien een nieuwe aanvraag in.";
    DECISION_NOT_LONGER: Rule, "R-ACC-20",
        "The decision runs until {ends_on} already.", "De beschikking loopt al tot en met {ends_on}.",
        "Give a later last day, or end the decision.", "Geef een latere laatste dag, of beëindig de beschikking.";
}

/// The decision follows within two weeks (R-ACC-08; Wmo 2.3.5(2), unchanged since 1 January 2015).
pub const DECISION: Term = Term::Weeks(2);

/// Where an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waits for a decision.
    Open,
    /// Withdrawn, and why.
    Withdrawn(CancelReason),
    /// Decided.
    Decided,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Under this notification.
    pub notification_id: NotificationId,
    /// Of this client.
    pub client_id: ClientId,
    /// The day of receipt.
    pub received_on: Date,
    /// The last day for the decision.
    pub due_on: Date,
    /// Where it stands.
    pub stage: Stage,
}

impl Application {
    /// When this application must be looked at again.
    pub fn wakes(&self, policy: &Policy) -> Vec<Wake> {
        let at = Moment::start_of(plus_days(self.due_on, -policy.application_warning_days)).at;
        vec![Wake { due: Due::ApplicationSoon, at }]
    }
}

/// What a decision says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Granted, from and to these days.
    Granted {
        /// First day.
        starts_on: Date,
        /// Last day.
        ends_on: Date,
        /// The group that set the length.
        group: TargetGroup,
        /// Why another length, if so.
        deviation: Option<DeviationReason>,
        /// Why it is no longer in force, if so.
        ended: Option<DecisionEndReason>,
    },
    /// Refused.
    Refused(RefusalGround),
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// On this application.
    pub application_id: ApplicationId,
    /// For this client.
    pub client_id: ClientId,
    /// What it says.
    pub verdict: Verdict,
    /// After its term (R-ACC-08).
    pub late: bool,
    /// The policy by which it was judged.
    pub policy_version: String,
}

impl Decision {
    /// Whether it is granted and holds on a day.
    pub fn in_force(&self, on: Date) -> bool {
        matches!(self.verdict, Verdict::Granted { starts_on, ends_on, .. } if starts_on <= on && on <= ends_on)
    }

    /// The last day of a grant.
    pub fn ends_on(&self) -> Option<Date> {
        match self.verdict {
            Verdict::Granted { ends_on, .. } => Some(ends_on),
            Verdict::Refused(_) => None,
        }
    }

    /// When this decision must be looked at again.
    pub fn wakes(&self, policy: &Policy) -> Vec<Wake> {
        match self.verdict {
            Verdict::Granted { ends_on, ended: None, .. } => vec![
                Wake { due: Due::DecisionSoon, at: Moment::start_of(propose_on(ends_on, policy)).at },
                Wake { due: Due::DecisionOver, at: Moment::start_of(plus_days(ends_on, 1)).at },
            ],
            _ => vec![],
        }
    }
}

/// The day on which an extension is proposed (R-ACC-20).
fn propose_on(ends_on: Date, policy: &Policy) -> Date {
    match policy.extension_proposal {
        Term::Days(n) => plus_days(ends_on, -n),
        Term::Weeks(n) => plus_days(ends_on, -7 * n),
        Term::Months(n) => ends_on.saturating_sub(jiff::Span::new().months(n)),
        Term::WorkingDays(n) => policy.calendar.add_working_days(ends_on, -n),
    }
}

/// What happened to an application or a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An application came in.
    ApplicationReceived(Application),
    /// An application was withdrawn.
    ApplicationWithdrawn(CancelReason),
    /// The term for a decision is nearly over.
    ApplicationDueSoon,
    /// A decision was taken.
    Taken(Decision),
    /// A decision runs on.
    Extended {
        /// New last day.
        ends_on: Date,
        /// Why.
        reason: ExtensionReason,
    },
    /// A decision nears its end.
    EndingSoon,
    /// A decision ended.
    Ended {
        /// Last day that it held.
        on: Date,
        /// Why.
        reason: DecisionEndReason,
    },
}

/// Receives an application: after the investigation, or once its six weeks have passed (R-ACC-07).
pub fn submit(
    notification_id: NotificationId,
    notification: &Notification,
    another_open: bool,
    received_on: Date,
    policy: &Policy,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    notification.check_open()?;
    let oldest = policy.oldest(now.date).max(notification.received_on);
    check_span("received_on", received_on, oldest, now.date)?;
    if !notification.investigated && received_on <= notification.investigation_due_on {
        return Err(APPLICATION_TOO_EARLY.with("until", notification.investigation_due_on));
    }
    if another_open {
        return Err(Refusal::from(&APPLICATION_OPEN));
    }
    Ok(vec![Event::ApplicationReceived(Application {
        notification_id,
        client_id: notification.client_id,
        received_on,
        due_on: policy.calendar.statutory_end(received_on, DECISION),
        stage: Stage::Open,
    })])
}

/// Withdraws an application.
pub fn withdraw(application: &Application, reason: CancelReason) -> Result<Vec<Event>, Refusal> {
    match application.stage {
        Stage::Open => Ok(vec![Event::ApplicationWithdrawn(reason)]),
        Stage::Withdrawn(_) => Ok(vec![]),
        Stage::Decided => Err(Refusal::from(&APPLICATION_DECIDED)),
    }
}

/// The term for a decision is nearly over.
pub fn warn(application: &Application) -> Vec<Event> {
    if application.stage == Stage::Open { vec![Event::ApplicationDueSoon] } else { vec![] }
}

/// What somebody decides on an application.
#[derive(Clone, Copy, Debug)]
pub struct Proposal {
    /// Whether shelter is granted.
    pub granted: bool,
    /// The group that sets the length.
    pub group: Option<TargetGroup>,
    /// First day; none: today.
    pub starts_on: Option<Date>,
    /// Another length than the default, in months.
    pub months: Option<i32>,
    /// Why.
    pub deviation: Option<DeviationReason>,
    /// Why refused.
    pub ground: Option<RefusalGround>,
}

/// Decides on an application (R-ACC-08, R-ACC-19). `taken` is the decision that was taken on it before.
pub fn take(
    application_id: ApplicationId,
    application: &Application,
    taken: Option<&Decision>,
    proposal: Proposal,
    policy: &Policy,
    policy_version: &str,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    if let Some(before) = taken {
        return if is_same(before, proposal, policy) { Ok(vec![]) } else { Err(Refusal::from(&APPLICATION_DECIDED)) };
    }
    if let Stage::Withdrawn(_) = application.stage {
        return Err(Refusal::from(&APPLICATION_WITHDRAWN));
    }
    let verdict = match (proposal.granted, proposal.group, proposal.ground) {
        (true, Some(group), _) => grant(group, proposal, policy, now)?,
        (false, _, Some(ground)) => Verdict::Refused(ground),
        (true, None, _) => return Err(DECISION_GROUND_MISSING.field("target_group", "is required", "is verplicht")),
        (false, _, None) => return Err(DECISION_GROUND_MISSING.field("ground", "is required", "is verplicht")),
    };
    Ok(vec![Event::Taken(Decision {
        application_id,
        client_id: application.client_id,
        verdict,
        late: now.date > application.due_on,
        policy_version: policy_version.to_owned(),
    })])
}

fn grant(group: TargetGroup, proposal: Proposal, policy: &Policy, now: Moment) -> Result<Verdict, Refusal> {
    let default = policy.months(group);
    let months = proposal.months.unwrap_or(default);
    if !(1..=60).contains(&months) {
        return Err(DECISION_LENGTH.field("months", "is not 1 to 60", "is niet 1 tot 60"));
    }
    if months != default && proposal.deviation.is_none() {
        return Err(DECISION_DEVIATION_UNREASONED.with("months", default));
    }
    let starts_on = proposal.starts_on.unwrap_or(now.date);
    let latest = now.date.saturating_add(jiff::Span::new().months(3));
    if starts_on > latest {
        return Err(DECISION_START.with("latest", latest));
    }
    check_span("starts_on", starts_on, policy.oldest(now.date), latest)?;
    let deviation = proposal.deviation.filter(|_| months != default);
    Ok(Verdict::Granted { starts_on, ends_on: last_day(starts_on, months), group, deviation, ended: None })
}

/// The last day of a length in months from a first day.
fn last_day(starts_on: Date, months: i32) -> Date {
    plus_days(starts_on.saturating_add(jiff::Span::new().months(months)), -1)
}

/// Whether the decision was this very proposal.
fn is_same(before: &Decision, proposal: Proposal, policy: &Policy) -> bool {
    match before.verdict {
        Verdict::Granted { starts_on, ends_on, group, ended: None, .. } => {
            let months = proposal.months.unwrap_or(policy.months(group));
            let starts = proposal.starts_on.unwrap_or(starts_on) == starts_on;
            // An absurd length is another wish, and must not be counted with.
            let ends = (1..=60).contains(&months) && last_day(starts_on, months) == ends_on;
            proposal.granted && proposal.group == Some(group) && starts && ends
        }
        Verdict::Granted { .. } => false,
        Verdict::Refused(ground) => !proposal.granted && proposal.ground == Some(ground),
    }
}

/// What is asked of a decision.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// Let it run on (R-ACC-20).
    Extend {
        /// New last day.
        ends_on: Date,
        /// Why.
        reason: ExtensionReason,
    },
    /// End it.
    End {
        /// Last day that it holds.
        on: Date,
        /// Why.
        reason: DecisionEndReason,
    },
    /// Time passed.
    Wake(Due),
}

impl Command {
    /// A reason to end that a person may give; the others follow by themselves.
    pub fn said_by_people(reason: DecisionEndReason) -> Result<DecisionEndReason, Refusal> {
        match reason {
            DecisionEndReason::Expired | DecisionEndReason::Died => {
                Err(general::MALFORMED.field("reason", "follows by itself", "volgt vanzelf"))
            }
            said => Ok(said),
        }
    }
}

/// What may happen to a decision, and when.
pub fn decide(decision: &Decision, command: &Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    let Verdict::Granted { starts_on, ends_on, ended, .. } = decision.verdict else {
        return match command {
            Command::Wake(_) => Ok(vec![]),
            _ => Err(Refusal::from(&DECISION_NOT_IN_FORCE)),
        };
    };
    match (command, ended) {
        (Command::Wake(Due::DecisionSoon), None) if now.date >= propose_on(ends_on, policy) => {
            Ok(vec![Event::EndingSoon])
        }
        (Command::Wake(Due::DecisionOver), None) if now.date > ends_on => {
            Ok(vec![Event::Ended { on: ends_on, reason: DecisionEndReason::Expired }])
        }
        (Command::Wake(_), _) => Ok(vec![]),
        (Command::End { .. }, Some(_)) => Ok(vec![]),
        (Command::End { on, reason: DecisionEndReason::Died }, None) => Ok(vec![Event::Ended {
            on: (*on).clamp(starts_on, ends_on.max(starts_on)),
            reason: DecisionEndReason::Died,
        }]),
        (Command::End { on, reason }, None) => {
            check_span("ended_on", *on, policy.oldest(now.date).max(starts_on), now.date)?;
            Ok(vec![Event::Ended { on: *on, reason: *reason }])
        }
        (Command::Extend { .. }, Some(_)) => Err(Refusal::from(&DECISION_NOT_IN_FORCE)),
        (Command::Extend { ends_on: new, .. }, None) if *new == ends_on => Ok(vec![]),
        (Command::Extend { ends_on: new, .. }, None) if *new < ends_on => {
            Err(DECISION_NOT_LONGER.with("ends_on", ends_on))
        }
        (Command::Extend { ends_on: new, .. }, None)
            if *new > now.date.saturating_add(jiff::Span::new().months(60)) =>
        {
            Err(DECISION_LENGTH.field("ends_on", "is more than 60 months away", "is meer dan 60 maanden ver"))
        }
        (Command::Extend { ends_on: new, reason }, None) => {
            Ok(vec![Event::Extended { ends_on: *new, reason: *reason }])
        }
    }
}

/// The application after an event.
pub fn apply_to_application(application: Application, event: &Event) -> Application {
    match event {
        Event::ApplicationReceived(received) => received.clone(),
        Event::ApplicationWithdrawn(reason) => Application { stage: Stage::Withdrawn(*reason), ..application },
        Event::Taken(_) => Application { stage: Stage::Decided, ..application },
        _ => application,
    }
}

/// The decision after an event.
pub fn apply(decision: Decision, event: &Event) -> Decision {
    let verdict = match (event, decision.verdict) {
        (Event::Taken(taken), _) => return taken.clone(),
        (Event::Extended { ends_on, .. }, Verdict::Granted { starts_on, group, deviation, ended, .. }) => {
            Verdict::Granted { starts_on, ends_on: *ends_on, group, deviation, ended }
        }
        (Event::Ended { on, reason }, Verdict::Granted { starts_on, group, deviation, .. }) => {
            Verdict::Granted { starts_on, ends_on: *on, group, deviation, ended: Some(*reason) }
        }
        (_, verdict) => verdict,
    };
    Decision { verdict, ..decision }
}

#[cfg(test)]
mod tests {
    use super::super::notification::tests::{notification, report};
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn investigated() -> Notification {
        Notification { investigated: true, ..notification(report()) }
    }

    fn submitted_on(day: Date, notification: &Notification) -> Result<Application, Refusal> {
        submit(NotificationId(id(2)), notification, false, day, &policy(), Moment::at_hour(day, 12)).map(
            |mut events| match events.remove(0) {
                Event::ApplicationReceived(application) => application,
                other => panic!("{other:?}"),
            },
        )
    }

    fn application() -> Application {
        submitted_on(now().date, &investigated()).unwrap()
    }

    fn grant_of(months: Option<i32>, deviation: Option<DeviationReason>) -> Proposal {
        Proposal { granted: true, group: Some(TargetGroup::Economic), starts_on: None, months, deviation, ground: None }
    }

    fn taken(proposal: Proposal, now: Moment) -> Result<Decision, Refusal> {
        take(ApplicationId(id(3)), &application(), None, proposal, &policy(), "*@2015-01-01", now).map(|mut events| {
            match events.remove(0) {
                Event::Taken(decision) => decision,
                other => panic!("{other:?}"),
            }
        })
    }

    fn ends_on(decision: &Decision) -> Date {
        match decision.verdict {
            Verdict::Granted { ends_on, .. } => ends_on,
            Verdict::Refused(_) => panic!("refused"),
        }
    }

    /// R-ACC-07
    #[test]
    fn an_application_waits_for_the_investigation_or_for_its_six_weeks() {
        let open = notification(report());
        assert_eq!(open.investigation_due_on, date(2018, 4, 12));
        assert_eq!(submitted_on(date(2018, 4, 12), &open).unwrap_err().reason.code, "APPLICATION_TOO_EARLY");
        assert!(submitted_on(date(2018, 4, 13), &open).is_ok());
        assert!(submitted_on(date(2018, 3, 2), &investigated()).is_ok());
        let second = submit(NotificationId(id(2)), &investigated(), true, now().date, &policy(), now());
        assert_eq!(second.unwrap_err().reason.code, "APPLICATION_OPEN");
    }

    /// R-ACC-08
    #[test]
    fn the_decision_term_is_two_weeks_and_ends_on_a_working_day() {
        for (received, due) in [
            (date(2026, 4, 13), date(2026, 4, 28)),
            (date(2026, 12, 11), date(2026, 12, 28)),
            (date(2018, 3, 1), date(2018, 3, 15)),
        ] {
            let open = Notification { received_on: received, ..investigated() };
            assert_eq!(submitted_on(received, &open).unwrap().due_on, due);
        }
        let at = |day| Moment::at_hour(day, 9);
        assert!(!taken(grant_of(None, None), at(date(2018, 3, 15))).unwrap().late);
        assert!(taken(grant_of(None, None), at(date(2018, 3, 16))).unwrap().late);
    }

    /// R-ACC-19
    #[test]
    fn a_decision_has_the_length_of_its_group_unless_there_is_a_reason() {
        let six = taken(grant_of(None, None), now()).unwrap();
        assert_eq!(ends_on(&six), date(2018, 8, 31));
        let nine = taken(grant_of(Some(9), Some(DeviationReason::LongerNeed)), now()).unwrap();
        assert_eq!(ends_on(&nine), date(2018, 11, 30));
        for (proposal, code) in [
            (grant_of(Some(9), None), "DECISION_DEVIATION_UNREASONED"),
            (grant_of(Some(61), Some(DeviationReason::LongerNeed)), "DECISION_LENGTH"),
            (grant_of(Some(-1), Some(DeviationReason::ShorterNeed)), "DECISION_LENGTH"),
            (Proposal { group: None, ..grant_of(None, None) }, "DECISION_GROUND_MISSING"),
            (Proposal { granted: false, ..grant_of(None, None) }, "DECISION_GROUND_MISSING"),
            (Proposal { starts_on: Some(date(2018, 7, 1)), ..grant_of(None, None) }, "DECISION_START"),
            (Proposal { starts_on: Some(date(2017, 1, 1)), ..grant_of(None, None) }, "ACCESS_DATE_TOO_OLD"),
        ] {
            assert_eq!(taken(proposal, now()).unwrap_err().reason.code, code);
        }
    }

    /// R-ACC-08
    #[test]
    fn an_application_is_decided_on_once() {
        let decision = taken(grant_of(None, None), now()).unwrap();
        let again =
            |proposal| take(ApplicationId(id(3)), &application(), Some(&decision), proposal, &policy(), "v", now());
        assert_eq!(again(grant_of(None, None)), Ok(vec![]));
        let other = Proposal { months: Some(i32::MAX), ..grant_of(None, None) };
        assert_eq!(again(other).unwrap_err().reason.code, "APPLICATION_DECIDED");
        let gone = Application { stage: Stage::Withdrawn(CancelReason::ByClient), ..application() };
        let refusal = take(ApplicationId(id(3)), &gone, None, grant_of(None, None), &policy(), "v", now()).unwrap_err();
        assert_eq!(refusal.reason.code, "APPLICATION_WITHDRAWN");
        assert_eq!(withdraw(&gone, CancelReason::Solved), Ok(vec![]));
        let decided = Application { stage: Stage::Decided, ..application() };
        assert_eq!(withdraw(&decided, CancelReason::Solved).unwrap_err().reason.code, "APPLICATION_DECIDED");
        assert_eq!((warn(&application()).len(), warn(&decided).len()), (1, 0));
    }

    /// R-ACC-20
    #[test]
    fn a_decision_that_runs_out_warns_and_ends_and_an_extended_one_does_neither() {
        let decision = taken(grant_of(None, None), now()).unwrap();
        let wake = |decision: &Decision, due, day| {
            decide(decision, &Command::Wake(due), &policy(), Moment::start_of(day)).unwrap()
        };
        assert_eq!(wake(&decision, Due::DecisionSoon, date(2018, 8, 2)), []);
        assert_eq!(wake(&decision, Due::DecisionSoon, date(2018, 8, 3)), [Event::EndingSoon]);
        assert_eq!(wake(&decision, Due::DecisionOver, date(2018, 8, 31)), []);
        let ended = wake(&decision, Due::DecisionOver, date(2018, 9, 1));
        assert_eq!(ended, [Event::Ended { on: date(2018, 8, 31), reason: DecisionEndReason::Expired }]);
        let extend = |day| Command::Extend { ends_on: day, reason: ExtensionReason::NoOnwardPlace };
        let longer =
            apply(decision.clone(), &decide(&decision, &extend(date(2018, 11, 30)), &policy(), now()).unwrap()[0]);
        assert_eq!(wake(&longer, Due::DecisionSoon, date(2018, 8, 3)), []);
        assert_eq!(wake(&longer, Due::DecisionOver, date(2018, 9, 1)), []);
        assert_eq!(decide(&longer, &extend(date(2018, 11, 30)), &policy(), now()), Ok(vec![]));
        let over = apply(decision.clone(), &ended[0]);
        for (state, command, code) in [
            (&longer, extend(date(2018, 10, 1)), "DECISION_NOT_LONGER"),
            (&longer, extend(date(9999, 12, 31)), "DECISION_LENGTH"),
            (&over, extend(date(2018, 11, 30)), "DECISION_NOT_IN_FORCE"),
        ] {
            assert_eq!(decide(state, &command, &policy(), now()).unwrap_err().reason.code, code);
        }
    }

    /// R-REG-29
    #[test]
    fn death_ends_a_decision_within_its_days() {
        let decision = taken(grant_of(None, None), now()).unwrap();
        let die = Command::End { on: date(2018, 2, 20), reason: DecisionEndReason::Died };
        let event = Event::Ended { on: now().date, reason: DecisionEndReason::Died };
        assert_eq!(decide(&decision, &die, &policy(), now()), Ok(vec![event.clone()]));
        assert_eq!(decide(&apply(decision, &event), &die, &policy(), now()), Ok(vec![]));
    }

    proptest! {
        /// R-ACC-19, R-ACC-20
        #[test]
        fn a_granted_decision_holds_from_its_first_to_its_last_day_and_warns_in_between(months in 1i32..=60, day in 0i32..3000) {
            let today = Moment::start_of(plus_days(date(2015, 1, 1), day));
            let decision = taken(grant_of(Some(months), Some(DeviationReason::LongerNeed)), today).unwrap();
            let last = ends_on(&decision);
            prop_assert!(decision.in_force(today.date) && decision.in_force(last));
            prop_assert!(!decision.in_force(plus_days(last, 1)) && !decision.in_force(plus_days(today.date, -1)));
            let wakes = decision.wakes(&policy());
            prop_assert!(wakes[0].at < wakes[1].at);
        }
    }
}
