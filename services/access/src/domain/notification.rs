//! A notification starts the clock (R-ACC-03). Nothing about ties, papers or groups can refuse it (R-ACC-02, R-ACC-10).

use super::client::Life;
use super::codes::{CancelReason, RefusalGround, Trigger};
use super::{Due, FacilityId, Policy, Wake, check_day, plus_days};
use kernel::{ClientId, Date, Moment, Municipality, Organisation, Refusal, Term, Timestamp};

kernel::reasons! {
    NOTIFICATION_TRIGGER_MISSING: Malformed, "R-MON-06",
        "A notification names at least one trigger, each once.", "Een melding noemt minstens één aanleiding, elk één keer.",
        "Name the triggers; UNKNOWN is one.", "Noem de aanleidingen; UNKNOWN is er een.";
    NOTIFICATION_WITHDRAWN: Rule, "R-ACC-03",
        "The notification was withdrawn.", "De melding is ingetrokken.",
        "Record a new notification.", "Leg een nieuwe melding vast.";
    NOTIFICATION_IN_USE: Rule, "R-ACC-03",
        "A stay rests on this notification.", "Op deze melding rust een verblijf.",
        "Record the departure first.", "Leg eerst het vertrek vast.";
    URGENT_PROVISION_DECIDED: Rule, "R-ACC-09",
        "The urgent provision was decided otherwise before.", "Over de spoedvoorziening is eerder anders beslist.",
        "Record a new notification when the situation has changed.", "Leg een nieuwe melding vast als de situatie is veranderd.";
    URGENT_PROVISION_GROUND_MISSING: Malformed, "R-ACC-09",
        "An urgent provision is refused on a ground.", "Een spoedvoorziening wordt op een grond geweigerd.",
        "Give the ground.", "Geef de grond.";
}

/// The investigation ends within six weeks (R-ACC-04; Wmo 2.3.2(1), unchanged since 1 January 2015).
pub const INVESTIGATION: Term = Term::Weeks(6);

/// Where somebody comes from (R-MON-06).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A Dutch municipality.
    Municipality(Municipality),
    /// From abroad.
    Abroad,
    /// Not known.
    Unknown,
}

impl Origin {
    /// Four digits, "abroad" or "unknown".
    pub fn as_str(&self) -> &str {
        match self {
            Self::Municipality(code) => code.as_str(),
            Self::Abroad => "abroad",
            Self::Unknown => "unknown",
        }
    }

    /// Reads back what `as_str` wrote.
    pub fn from_code(text: &str) -> Option<Self> {
        match text {
            "abroad" => Some(Self::Abroad),
            "unknown" => Some(Self::Unknown),
            code => Municipality::parse("origin", code).ok().map(Self::Municipality),
        }
    }
}

/// What became of the question for shelter at once (R-ACC-09).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgent {
    /// Not asked.
    NotAsked,
    /// Asked, not decided.
    Waiting,
    /// Granted, where known at which facility.
    Granted(Option<FacilityId>),
    /// Refused.
    Refused(RefusalGround),
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Who needs shelter.
    pub client_id: ClientId,
    /// Where it was reported.
    pub municipality: Municipality,
    /// Where the client comes from.
    pub origin: Origin,
    /// Why the roof was lost.
    pub triggers: Vec<Trigger>,
    /// The day of receipt.
    pub received_on: Date,
    /// The instant from which hours count.
    pub received_at: Timestamp,
    /// Who reported.
    pub notified_by: Organisation,
    /// Shelter was used before (R-MON-09).
    pub used_shelter_before: bool,
    /// The client was told of the personal plan (R-ACC-05).
    pub told_of_personal_plan: bool,
    /// The client was told of client support (R-ACC-05).
    pub told_of_client_support: bool,
    /// The last day of the investigation (R-ACC-04).
    pub investigation_due_on: Date,
    /// The investigation is finished.
    pub investigated: bool,
    /// The urgent provision.
    pub urgent: Urgent,
    /// Withdrawn, and why.
    pub withdrawn: Option<CancelReason>,
}

/// What somebody reports.
#[derive(Clone, Debug)]
pub struct Report {
    /// Who needs shelter.
    pub client_id: ClientId,
    /// Where it is reported.
    pub municipality: Municipality,
    /// Where the client comes from.
    pub origin: Origin,
    /// Why the roof was lost.
    pub triggers: Vec<Trigger>,
    /// The day of receipt.
    pub received_on: Date,
    /// Who reports.
    pub notified_by: Organisation,
    /// Shelter was used before.
    pub used_shelter_before: bool,
    /// Shelter is needed at once.
    pub needs_shelter_now: bool,
    /// The client was told of the personal plan.
    pub told_of_personal_plan: bool,
    /// The client was told of client support.
    pub told_of_client_support: bool,
}

/// What is asked of a notification.
#[derive(Clone, Debug)]
pub enum Command {
    /// Withdraw it.
    Withdraw {
        /// Why.
        reason: CancelReason,
        /// Whether a running stay rests on it.
        in_use: bool,
    },
    /// Grant a temporary provision.
    GrantUrgent {
        /// Where, if known.
        facility: Option<FacilityId>,
    },
    /// Refuse a temporary provision.
    RefuseUrgent {
        /// Why; required.
        ground: Option<RefusalGround>,
    },
    /// The intake brought its result (R-ACC-06).
    FinishInvestigation,
    /// Time passed.
    Wake(Due),
}

/// What happened to a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Received.
    Received(Box<Notification>),
    /// Withdrawn.
    Withdrawn(CancelReason),
    /// An urgent provision was decided.
    UrgentDecided {
        /// What.
        urgent: Urgent,
        /// Later than the target of the policy.
        late: bool,
    },
    /// The target passed without a decision.
    UrgentOverdue {
        /// Hours.
        target_hours: i32,
    },
    /// The investigation is finished.
    Investigated,
    /// The investigation is nearly out of time.
    InvestigationDueSoon,
    /// The six weeks passed.
    InvestigationOverdue,
}

/// Receives a notification (R-ACC-01, R-ACC-03).
pub fn receive(report: Report, life: Life, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    life.check_alive()?;
    let named: std::collections::BTreeSet<_> = report.triggers.iter().collect();
    if report.triggers.is_empty() || named.len() < report.triggers.len() {
        return Err(NOTIFICATION_TRIGGER_MISSING.field(
            "triggers",
            "needs at least one, each once",
            "vraagt er minstens één, elk één keer",
        ));
    }
    check_day("received_on", report.received_on, policy.oldest(now.date), now)?;
    let received_at = if report.received_on == now.date { now.at } else { Moment::start_of(report.received_on).at };
    Ok(vec![Event::Received(Box::new(Notification {
        client_id: report.client_id,
        municipality: report.municipality,
        origin: report.origin,
        triggers: report.triggers,
        received_on: report.received_on,
        received_at,
        notified_by: report.notified_by,
        used_shelter_before: report.used_shelter_before,
        told_of_personal_plan: report.told_of_personal_plan,
        told_of_client_support: report.told_of_client_support,
        investigation_due_on: policy.calendar.statutory_end(report.received_on, INVESTIGATION),
        investigated: false,
        urgent: if report.needs_shelter_now { Urgent::Waiting } else { Urgent::NotAsked },
        withdrawn: None,
    }))])
}

impl Notification {
    /// Refuses what cannot be built on a withdrawn notification.
    pub fn check_open(&self) -> Result<(), Refusal> {
        self.withdrawn.map_or(Ok(()), |_| Err(Refusal::from(&NOTIFICATION_WITHDRAWN)))
    }

    /// The instant until which an urgent provision is in time.
    fn urgent_until(&self, policy: &Policy) -> Timestamp {
        let hours = jiff::SignedDuration::from_hours(i64::from(policy.urgent_target_hours));
        self.received_at.checked_add(hours).unwrap_or(Timestamp::MAX)
    }

    /// When this notification must be looked at again.
    pub fn wakes(&self, policy: &Policy) -> Vec<Wake> {
        let day = |due, on| Wake { due, at: Moment::start_of(on).at };
        let mut wakes = vec![
            day(Due::InvestigationSoon, plus_days(self.investigation_due_on, -policy.investigation_warning_days)),
            day(Due::InvestigationOver, plus_days(self.investigation_due_on, 1)),
        ];
        if self.urgent == Urgent::Waiting {
            wakes.push(Wake { due: Due::UrgentProvision, at: self.urgent_until(policy) });
        }
        wakes
    }
}

/// What may happen to a notification, and when.
pub fn decide(state: &Notification, command: &Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Withdraw { .. } if state.withdrawn.is_some() => Ok(vec![]),
        Command::Withdraw { in_use: true, .. } => Err(Refusal::from(&NOTIFICATION_IN_USE)),
        Command::Withdraw { reason, .. } => Ok(vec![Event::Withdrawn(*reason)]),
        Command::GrantUrgent { facility } => decide_urgent(state, Urgent::Granted(*facility), policy, now),
        Command::RefuseUrgent { ground: None } => {
            Err(URGENT_PROVISION_GROUND_MISSING.field("ground", "is required", "is verplicht"))
        }
        Command::RefuseUrgent { ground: Some(ground) } => decide_urgent(state, Urgent::Refused(*ground), policy, now),
        Command::FinishInvestigation if state.investigated => Ok(vec![]),
        Command::FinishInvestigation => Ok(vec![Event::Investigated]),
        Command::Wake(_) if state.withdrawn.is_some() => Ok(vec![]),
        Command::Wake(Due::UrgentProvision) if state.urgent == Urgent::Waiting => {
            Ok(vec![Event::UrgentOverdue { target_hours: policy.urgent_target_hours }])
        }
        Command::Wake(Due::InvestigationSoon) if !state.investigated => Ok(vec![Event::InvestigationDueSoon]),
        Command::Wake(Due::InvestigationOver) if !state.investigated => Ok(vec![Event::InvestigationOverdue]),
        Command::Wake(_) => Ok(vec![]),
    }
}

fn decide_urgent(state: &Notification, urgent: Urgent, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    state.check_open()?;
    match state.urgent {
        same if same == urgent => Ok(vec![]),
        Urgent::NotAsked | Urgent::Waiting => {
            Ok(vec![Event::UrgentDecided { urgent, late: now.at > state.urgent_until(policy) }])
        }
        Urgent::Granted(_) | Urgent::Refused(_) => Err(Refusal::from(&URGENT_PROVISION_DECIDED)),
    }
}

/// The notification after an event.
pub fn apply(state: Notification, event: &Event) -> Notification {
    match event {
        Event::Received(notification) => Notification::clone(notification),
        Event::Withdrawn(reason) => Notification { withdrawn: Some(*reason), ..state },
        Event::UrgentDecided { urgent, .. } => Notification { urgent: *urgent, ..state },
        Event::Investigated => Notification { investigated: true, ..state },
        Event::UrgentOverdue { .. } | Event::InvestigationDueSoon | Event::InvestigationOverdue => state,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::client::tests::client;
    use super::super::samples::*;
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    pub fn report() -> Report {
        Report {
            client_id: ClientId(id(1)),
            municipality: dordrecht(),
            origin: Origin::Unknown,
            triggers: vec![Trigger::BreakUp],
            received_on: now().date,
            notified_by: Organisation::parse("o", "leger-des-heils").unwrap(),
            used_shelter_before: false,
            needs_shelter_now: true,
            told_of_personal_plan: true,
            told_of_client_support: true,
        }
    }

    pub fn notification(report: Report) -> Notification {
        match receive(report, client().life(), &policy(), now()).unwrap().remove(0) {
            Event::Received(notification) => *notification,
            other => panic!("{other:?}"),
        }
    }

    fn hours_later(hours: i64) -> Moment {
        Moment::of(now().at + jiff::SignedDuration::from_hours(hours))
    }

    /// R-ACC-04
    #[test]
    fn the_investigation_ends_within_six_weeks_and_on_a_working_day() {
        let at = |day| Moment::at_hour(day, 9);
        let due = |day, off: &[Date]| {
            let policy = Policy { calendar: kernel::Calendar::with_designated(off.iter().copied()), ..policy() };
            match &receive(Report { received_on: day, ..report() }, client().life(), &policy, at(day)).unwrap()[0] {
                Event::Received(n) => n.investigation_due_on,
                other => panic!("{other:?}"),
            }
        };
        // Six weeks after 2 April 2026 is Ascension Day.
        assert_eq!(due(date(2026, 4, 2), &[]), date(2026, 5, 15));
        assert_eq!(due(date(2026, 4, 2), &[date(2026, 5, 15)]), date(2026, 5, 18));
    }

    /// R-ACC-02, R-MON-06
    #[test]
    fn no_origin_refuses_a_notification_and_no_trigger_does() {
        for origin in [Origin::Abroad, Origin::Unknown, Origin::from_code("0599").unwrap()] {
            let report = Report { origin, ..report() };
            assert!(receive(report, client().life(), &policy(), now()).is_ok());
        }
        for triggers in [vec![], vec![Trigger::Other, Trigger::Other]] {
            let refusal = receive(Report { triggers, ..report() }, client().life(), &policy(), now()).unwrap_err();
            assert_eq!(refusal.reason.code, "NOTIFICATION_TRIGGER_MISSING");
        }
    }

    #[test]
    fn the_day_of_receipt_is_judged_against_now() {
        for (day, code) in [(date(2018, 3, 2), "ACCESS_DATE_IN_FUTURE"), (date(2017, 3, 1), "ACCESS_DATE_TOO_OLD")] {
            let refusal =
                receive(Report { received_on: day, ..report() }, client().life(), &policy(), now()).unwrap_err();
            assert_eq!(refusal.reason.code, code);
        }
        let late = notification(Report { received_on: date(2018, 2, 26), ..report() });
        assert_eq!(late.received_at, Moment::start_of(date(2018, 2, 26)).at);
    }

    /// R-ACC-09
    #[test]
    fn an_urgent_provision_is_decided_once_and_late_after_its_target() {
        let open = notification(report());
        let grant = Command::GrantUrgent { facility: None };
        for (moment, late) in [(hours_later(4), false), (hours_later(5), true)] {
            let urgent = Urgent::Granted(None);
            assert_eq!(decide(&open, &grant, &policy(), moment), Ok(vec![Event::UrgentDecided { urgent, late }]));
        }
        let granted = apply(open.clone(), &Event::UrgentDecided { urgent: Urgent::Granted(None), late: false });
        assert_eq!(decide(&granted, &grant, &policy(), now()), Ok(vec![]));
        let refuse = |ground| Command::RefuseUrgent { ground };
        for (state, command, code) in [
            (&granted, refuse(Some(RefusalGround::HasHome)), "URGENT_PROVISION_DECIDED"),
            (&open, refuse(None), "URGENT_PROVISION_GROUND_MISSING"),
        ] {
            assert_eq!(decide(state, &command, &policy(), now()).unwrap_err().reason.code, code);
        }
    }

    /// R-ACC-09, P7
    #[test]
    fn a_clock_that_runs_out_is_heard_and_a_stopped_one_is_not() {
        let open = notification(report());
        let dues: Vec<_> = open.wakes(&policy()).iter().map(|w| w.due).collect();
        assert_eq!(dues, [Due::InvestigationSoon, Due::InvestigationOver, Due::UrgentProvision]);
        for due in &dues {
            assert_eq!(decide(&open, &Command::Wake(*due), &policy(), now()).unwrap().len(), 1, "{due:?}");
        }
        let done = Notification { investigated: true, urgent: Urgent::Granted(None), ..open.clone() };
        let withdrawn = Notification { withdrawn: Some(CancelReason::ByClient), ..open };
        for state in [done, withdrawn] {
            for due in &dues {
                assert_eq!(decide(&state, &Command::Wake(*due), &policy(), now()), Ok(vec![]), "{due:?}");
            }
        }
    }

    /// R-ACC-03
    #[test]
    fn a_notification_with_a_running_stay_is_not_withdrawn() {
        let open = notification(report());
        let withdraw = |in_use| Command::Withdraw { reason: CancelReason::ByClient, in_use };
        assert_eq!(decide(&open, &withdraw(true), &policy(), now()).unwrap_err().reason.code, "NOTIFICATION_IN_USE");
        let gone = apply(open.clone(), &decide(&open, &withdraw(false), &policy(), now()).unwrap()[0]);
        assert_eq!(decide(&gone, &withdraw(false), &policy(), now()), Ok(vec![]));
        let grant = Command::GrantUrgent { facility: None };
        assert_eq!(decide(&gone, &grant, &policy(), now()).unwrap_err().reason.code, "NOTIFICATION_WITHDRAWN");
    }

    proptest! {
        /// R-ACC-04, P7
        #[test]
        fn every_investigation_warns_before_it_is_overdue(days in 0i32..4000) {
            let day = plus_days(date(2015, 1, 1), days);
            let n = match receive(Report { received_on: day, ..report() }, client().life(), &policy(), Moment::at_hour(day, 12)) {
                Ok(mut events) => match events.remove(0) { Event::Received(n) => *n, other => panic!("{other:?}") },
                Err(refusal) => panic!("{refusal}"),
            };
            let at = |due| n.wakes(&policy()).iter().find(|w| w.due == due).unwrap().at;
            prop_assert!(Moment::at_hour(day, 12).at < at(Due::InvestigationSoon));
            prop_assert!(at(Due::InvestigationSoon) < at(Due::InvestigationOver));
        }
    }
}
