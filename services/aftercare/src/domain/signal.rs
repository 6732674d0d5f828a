//! Signals: somebody notices that it may be going wrong, and one of the responsible teams acts on it in time.
//!
//! The teams are fixed at receipt (P5). Taking up is a human act and is what stops the escalation: first the case holder,
//! then the municipality (R-AFT-06). To add a kind of signal, add a line to `kinds!` and the value to the proto.

use super::{Policy, SignalId, TEXT_LIMIT, circle::Circle};
use jiff::ToSpan;
use kernel::{ClientId, Date, Moment, Municipality, Organisation, Refusal, Role, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

kernel::reasons! {
    SIGNAL_TAKEN: Rule, "R-AFT-06",
        "{by} has taken this signal up.", "{by} heeft dit signaal opgepakt.",
        "Talk to {by}, or let the municipality take it over.", "Overleg met {by}, of laat de gemeente het overnemen.";
    SIGNAL_NOT_TAKEN_UP: Rule, "R-AFT-06",
        "Nobody has taken this signal up yet.", "Niemand heeft dit signaal nog opgepakt.",
        "Take it up first.", "Pak het eerst op.";
    SIGNAL_CLOSED: Rule, "R-AFT-06",
        "This signal is closed.", "Dit signaal is gesloten.",
        "Raise a new signal.", "Geef een nieuw signaal.";
    SIGNAL_CLIENT_NOT_HEARD: Rule, "R-AFT-05",
        "This signal is unverified and the client was not heard, on a day today or earlier.",
        "Dit signaal is niet geverifieerd en de cliënt is niet gehoord, op een dag vandaag of eerder.",
        "Hear the client and give that day.", "Hoor de cliënt en geef die dag op.";
    RELAPSE_GUARANTEE_OFF: Rule, "R-AFT-10",
        "This municipality has no relapse guarantee.", "Deze gemeente heeft geen terugvalgarantie.",
        "A place for tonight does not depend on it; a notification opens the usual procedure.",
        "Een plek voor vannacht hangt er niet van af; een melding opent de gewone procedure.";
    RELAPSE_GUARANTEE_EXPIRED: Rule, "R-AFT-10",
        "The client is not, or no longer, within the period of the relapse guarantee.",
        "De cliënt valt niet, of niet meer, binnen de periode van de terugvalgarantie.",
        "A place for tonight does not depend on it; a notification opens the usual procedure.",
        "Een plek voor vannacht hangt er niet van af; een melding opent de gewone procedure.";
}

/// How soon somebody must take a signal up (R-AFT-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the policy gives each its terms")]
pub enum Severity {
    Normal,
    High,
    Crisis,
}

/// Who may hear a kind of signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    /// The teams.
    Teams,
    /// The teams, and debt help: the home itself is at stake (R-AFT-17).
    TeamsAndDebtHelp,
    /// Debt help, and the teams only if the client chose it in the signalling plan (R-AFT-05).
    MoneyIfChosen,
    /// The same, and the first debt talk is due at once (R-AFT-17).
    PressingMoneyIfChosen,
}

macro_rules! kinds {
    ($($kind:ident: $severity:ident, $hearing:ident;)*) => {
        /// What a signal is about. In the database and on the wire a kind goes by its name in snake case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the proto documents each kind, once")]
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            fn traits(self) -> (Severity, Hearing) {
                match self { $(Kind::$kind => (Severity::$severity, Hearing::$hearing),)* }
            }
        }
    };
}

kinds! {
    NowhereToSleep: Crisis, Teams;
    EvictionNotice: Crisis, TeamsAndDebtHelp;
    CutOff: Crisis, PressingMoneyIfChosen;
    Debt: Crisis, PressingMoneyIfChosen;
    MissedRent: High, MoneyIfChosen;
    BenefitStopped: High, MoneyIfChosen;
    Safety: Crisis, Teams;
    Health: High, Teams;
    SubstanceUse: High, Teams;
    HelpAsked: High, Teams;
    Nuisance: Normal, Teams;
    Neglect: Normal, Teams;
    ContactLost: Normal, Teams;
    MoreCalls: Normal, Teams;
    Other: Normal, Teams;
}

impl Kind {
    /// How severe it is at least (R-AFT-06, R-AFT-17).
    pub fn severity(self) -> Severity {
        self.traits().0
    }

    /// Whether it is a fact about income or debts, which the client chooses to share or not (R-AFT-05).
    pub fn is_money(self) -> bool {
        matches!(self.traits().1, Hearing::MoneyIfChosen | Hearing::PressingMoneyIfChosen)
    }

    /// Whether the first debt talk is due within days (R-AFT-17, R-INC-17).
    pub fn starts_debt_talk(self) -> bool {
        matches!(self.traits().1, Hearing::TeamsAndDebtHelp | Hearing::PressingMoneyIfChosen)
    }
}

/// Who reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The client.
    Client,
    /// A partner.
    Partner {
        /// Its organisation.
        organisation: Organisation,
        /// Its role.
        role: Role,
        /// Whether it wants to stay unnamed.
        anonymous: bool,
        /// Whether it only heard of it.
        hearsay: bool,
    },
    /// This service, of what it saw itself.
    Chain,
}

impl Source {
    /// Informal, anonymous or hearsay: marked so, and the client is heard (R-AFT-05).
    fn unverified(&self) -> bool {
        match self {
            Source::Partner { role, anonymous, hearsay, .. } => {
                *anonymous || *hearsay || matches!(role, Role::Informal | Role::Hotline)
            }
            Source::Client | Source::Chain => false,
        }
    }

    fn named(&self) -> Option<Organisation> {
        match self {
            Source::Partner { organisation, anonymous: false, .. } => Some(organisation.clone()),
            _ => None,
        }
    }
}

/// What comes in.
#[derive(Clone, Debug)]
pub struct Report {
    /// The signal's id, if it becomes a new one.
    pub id: SignalId,
    /// The client.
    pub client_id: ClientId,
    /// Where the client is, as far as known.
    pub municipality: Option<Municipality>,
    /// What it is about.
    pub kind: Kind,
    /// How pressing the reporter finds it.
    pub severity: Option<Severity>,
    /// What was seen or heard.
    pub text: String,
    /// Who reports.
    pub source: Source,
}

/// What is known of the client when a signal comes in.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Who stands around the client.
    pub circle: Circle,
    /// The facts about money that the client shares with the teams (R-AFT-05).
    pub shared_money_kinds: BTreeSet<Kind>,
    /// The day of the keys of the latest aftercare.
    pub aftercare_since: Option<Date>,
    /// Whether that aftercare runs.
    pub in_aftercare: bool,
}

/// How it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the proto documents each outcome, once")]
pub enum Outcome {
    Solved,
    GuidanceScaledUp,
    PlaceFound,
    PassedOn,
    NoGround,
    ClientDied,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A team is to take it up by the day of `answer_by`.
    Open,
    /// With the case holder, until the municipality gets it.
    WithCaseholder {
        /// When the municipality gets it.
        until: Timestamp,
    },
    /// With the municipality.
    WithRegie,
    /// Somebody acts on it.
    TakenUp {
        /// The day on which it is put forward again if it is still open.
        remind_on: Date,
    },
    /// Done.
    Closed {
        /// How it came out.
        outcome: Outcome,
        /// The day on which text and reporter of an unverified signal are forgotten (R-AFT-05).
        forget_on: Option<Date>,
    },
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Its id.
    pub id: SignalId,
    /// The client.
    pub client_id: ClientId,
    /// Where the client is, as far as known.
    pub municipality: Option<Municipality>,
    /// What it is about.
    pub kind: Kind,
    /// How severe.
    pub severity: Severity,
    /// Whether it comes from an informal or anonymous source or from hearsay.
    pub unverified: bool,
    /// Who reported it, if that is to be known.
    pub reported_by: Option<Organisation>,
    /// When it came in.
    pub received_at: Timestamp,
    /// The last day on which taking it up is in time.
    pub answer_by: Date,
    /// The teams that were responsible then.
    pub teams: BTreeSet<Organisation>,
    /// Whether debt help alone may hear it (R-AFT-05).
    pub debt_help_only: bool,
    /// For nowhere to sleep: the date of that night's evening.
    pub night: Option<Date>,
    /// How many reports it holds.
    pub reports: u32,
    /// What was seen or heard; sealed in the database, forgotten in time if unverified.
    pub text: String,
    /// What was done; sealed in the database.
    pub closing_note: String,
    /// Whether the relapse guarantee was invoked on it.
    pub guarantee: bool,
    /// Who acts, or acted, on it, and since when.
    pub taken_up: Option<(Organisation, Timestamp)>,
    /// Where it stands.
    pub stage: Stage,
}

/// What somebody wants of it.
#[derive(Clone, Debug)]
pub enum Command {
    /// A person acts on it.
    TakeUp {
        /// The person's organisation.
        by: Organisation,
        /// Whether that is the municipality, which may take over.
        by_regie: bool,
    },
    /// It is done.
    Close {
        /// Who says so.
        by: Organisation,
        /// Whether that is the municipality.
        by_regie: bool,
        /// How it came out.
        outcome: Outcome,
        /// The day on which the client was heard.
        heard_on: Option<Date>,
        /// What was done.
        note: String,
    },
    /// The client may return without a new procedure.
    InvokeGuarantee {
        /// The day of the keys of the client's latest aftercare.
        aftercare_since: Option<Date>,
    },
    /// The client died: everything stops.
    ClientDied,
    /// A term may have passed.
    Lapse,
}

/// What happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the commands and the state")]
pub enum Event {
    Received(Box<Signal>),
    NowhereToSleep { in_aftercare: bool, guarantee: bool },
    ReportedAgain { text: String, count: u32 },
    TakenUp { by: Organisation, at: Timestamp, remind_on: Date, answer_minutes: i64 },
    StillOpen { remind_on: Date },
    ToCaseholder { until: Timestamp },
    ToRegie { without_team: bool },
    GuaranteeInvoked,
    Closed { outcome: Outcome, note: String, forget_on: Option<Date> },
    Forgotten,
}

/// The night of a report about sleep: until 06:00 it is still the night of the evening before.
pub fn night_of(now: Moment) -> Date {
    if now.at < Moment::at_hour(now.date, 6).at { now.date.yesterday().unwrap_or(now.date) } else { now.date }
}

/// Takes a report in. `tonight` is a signal about the same client having nowhere to sleep in the same night, if it is
/// still open. Never refused: who signals is always right to have done so.
pub fn receive(tonight: Option<&Signal>, report: Report, known: &Known, policy: &Policy, now: Moment) -> Vec<Event> {
    let nowhere = report.kind == Kind::NowhereToSleep;
    if let Some(tonight) = tonight.filter(|signal| nowhere && !signal.is_closed()) {
        return vec![Event::ReportedAgain { text: report.text, count: tonight.reports + 1 }];
    }
    let kind = report.kind;
    let unverified = report.source.unverified();
    // What the client says about own money, the client chose to say (R-AFT-05).
    let shared = report.source == Source::Client || known.shared_money_kinds.contains(&kind);
    let debt_help_only = kind.is_money() && !shared;
    let mut teams = if debt_help_only { BTreeSet::new() } else { known.circle.teams() };
    if kind.is_money() || kind.starts_debt_talk() {
        teams.extend(known.circle.debt_help.iter().cloned());
    }
    let severity = report.severity.unwrap_or(Severity::Normal).max(kind.severity());
    let without_team = teams.is_empty();
    let mut events = vec![Event::Received(Box::new(Signal {
        id: report.id,
        client_id: report.client_id,
        municipality: report.municipality,
        kind,
        severity,
        unverified,
        reported_by: report.source.named(),
        received_at: now.at,
        answer_by: policy.calendar.add_working_days(now.date, policy.answer(severity).answer_working_days),
        teams,
        debt_help_only,
        night: nowhere.then(|| night_of(now)),
        reports: 1,
        text: report.text,
        closing_note: String::new(),
        guarantee: false,
        taken_up: None,
        stage: Stage::Open,
    }))];
    if nowhere {
        let guarantee = policy.guarantee_covers(known.aftercare_since, now.date);
        events.push(Event::NowhereToSleep { in_aftercare: known.in_aftercare, guarantee });
    }
    if without_team {
        events.push(Event::ToRegie { without_team: true });
    }
    events
}

/// What may happen to a signal, and when. Pure: same arguments, same answer.
pub fn decide(state: &Signal, command: &Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (&state.stage, command) {
        (Stage::Closed { forget_on: Some(on), .. }, Command::Lapse) if now.date >= *on => Ok(vec![Event::Forgotten]),
        (Stage::Closed { .. }, Command::Lapse | Command::ClientDied | Command::Close { .. }) => Ok(vec![]),
        (_, Command::InvokeGuarantee { .. }) if state.guarantee => Ok(vec![]),
        (Stage::Closed { .. }, _) => Err((&SIGNAL_CLOSED).into()),

        (Stage::TakenUp { .. }, Command::TakeUp { by, .. }) if state.taken_up_by() == Some(by) => Ok(vec![]),
        (
            Stage::TakenUp { .. },
            Command::TakeUp { by, by_regie: false } | Command::Close { by, by_regie: false, .. },
        ) if state.taken_up_by() != Some(by) => Err(SIGNAL_TAKEN.with("by", state.taken_up_by().unwrap_or(by))),
        (_, Command::TakeUp { by, .. }) => Ok(vec![Event::TakenUp {
            by: by.clone(),
            at: now.at,
            remind_on: now.date.saturating_add(policy.still_open_days.days()),
            answer_minutes: now.at.duration_since(state.received_at).as_mins(),
        }]),

        (Stage::TakenUp { .. }, Command::Close { outcome, heard_on, note, .. }) => {
            if state.unverified && heard_on.is_none_or(|on| on > now.date) {
                return Err((&SIGNAL_CLIENT_NOT_HEARD).into());
            }
            Ok(vec![state.closed(*outcome, note.clone(), policy, now)])
        }
        (_, Command::Close { .. }) => Err((&SIGNAL_NOT_TAKEN_UP).into()),
        (_, Command::ClientDied) => Ok(vec![state.closed(Outcome::ClientDied, String::new(), policy, now)]),

        (_, Command::InvokeGuarantee { .. }) if !policy.relapse_guarantee => Err((&RELAPSE_GUARANTEE_OFF).into()),
        (_, Command::InvokeGuarantee { aftercare_since }) => {
            if policy.guarantee_covers(*aftercare_since, now.date) {
                Ok(vec![Event::GuaranteeInvoked])
            } else {
                Err((&RELAPSE_GUARANTEE_EXPIRED).into())
            }
        }

        (Stage::Open, Command::Lapse) if now.date > state.answer_by && state.debt_help_only => {
            // The case holder does not hear what the client did not choose to share (R-AFT-05).
            Ok(vec![Event::ToRegie { without_team: false }])
        }
        (Stage::Open, Command::Lapse) if now.date > state.answer_by => {
            let hours = policy.answer(state.severity).caseholder_hours;
            Ok(vec![Event::ToCaseholder { until: now.at + hours.hours() }])
        }
        (Stage::WithCaseholder { until }, Command::Lapse) if now.at >= *until => {
            Ok(vec![Event::ToRegie { without_team: false }])
        }
        (Stage::TakenUp { remind_on }, Command::Lapse) if now.date >= *remind_on => {
            Ok(vec![Event::StillOpen { remind_on: now.date.saturating_add(policy.still_open_days.days()) }])
        }
        (_, Command::Lapse) => Ok(vec![]),
    }
}

/// The signal after an event; absent before it came in.
pub fn apply(state: Option<Signal>, event: &Event) -> Option<Signal> {
    if let Event::Received(signal) = event {
        return Some(Signal::clone(signal));
    }
    let mut state = state?;
    match event {
        Event::Received(_) | Event::NowhereToSleep { .. } => {}
        Event::ReportedAgain { text, count } => {
            state.reports = *count;
            // Many reports of one night stay one readable text, of which the last part counts most.
            let whole = format!("{}\n\n{text}", state.text);
            let too_many = whole.chars().count().saturating_sub(4 * TEXT_LIMIT);
            state.text = whole.chars().skip(too_many).collect();
        }
        Event::TakenUp { by, at, remind_on, .. } => {
            state.taken_up = Some((by.clone(), *at));
            state.stage = Stage::TakenUp { remind_on: *remind_on };
        }
        Event::StillOpen { remind_on } => state.stage = Stage::TakenUp { remind_on: *remind_on },
        Event::ToCaseholder { until } => state.stage = Stage::WithCaseholder { until: *until },
        Event::ToRegie { .. } => state.stage = Stage::WithRegie,
        Event::GuaranteeInvoked => state.guarantee = true,
        Event::Closed { outcome, note, forget_on } => {
            state.closing_note = note.clone();
            state.stage = Stage::Closed { outcome: *outcome, forget_on: *forget_on };
        }
        Event::Forgotten => {
            state.text.clear();
            state.reported_by = None;
            if let Stage::Closed { forget_on, .. } = &mut state.stage {
                *forget_on = None;
            }
        }
    }
    Some(state)
}

impl Signal {
    /// Whether it is done.
    pub fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Closed { .. })
    }

    /// Who acts, or acted, on it.
    pub fn taken_up_by(&self) -> Option<&Organisation> {
        self.taken_up.as_ref().map(|(by, _)| by)
    }

    /// When it must be looked at again.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Open => Some(Moment::start_of(self.answer_by.saturating_add(1.day())).at),
            Stage::WithCaseholder { until } => Some(*until),
            Stage::WithRegie => None,
            Stage::TakenUp { remind_on } => Some(Moment::start_of(*remind_on).at),
            Stage::Closed { forget_on, .. } => forget_on.map(|on| Moment::start_of(on).at),
        }
    }

    fn closed(&self, outcome: Outcome, note: String, policy: &Policy, now: Moment) -> Event {
        let forget_on = self.unverified.then(|| now.date.saturating_add(policy.unverified_keep_days.days()));
        Event::Closed { outcome, note, forget_on }
    }
}

#[cfg(test)]
mod tests {
    use super::super::circle::{Guidance, Takeover};
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const FRIDAY: Date = date(2026, 3, 6);

    fn org(code: &str) -> Organisation {
        Organisation::parse("o", code).unwrap()
    }

    fn partner(role: Role) -> Source {
        Source::Partner { organisation: org("melder"), role, anonymous: false, hearsay: false }
    }

    fn known() -> Known {
        let guidance = Guidance { from: org("leger"), to: org("wijkteam-west"), takeover: Takeover::Done };
        let circle = Circle { guidance: vec![guidance], subscribed: vec![], debt_help: vec![org("stadsgeld")] };
        Known { circle, aftercare_since: Some(date(2026, 1, 5)), in_aftercare: true, ..Known::default() }
    }

    fn report(kind: Kind, source: Source) -> Report {
        Report {
            id: SignalId(kernel::Uuid::from_u128(7)),
            client_id: ClientId(kernel::Uuid::from_u128(1)),
            municipality: Municipality::parse("m", "0505").ok(),
            kind,
            severity: None,
            text: "gordijnen dicht".into(),
            source,
        }
    }

    fn at(date: Date, hour: i8) -> Moment {
        Moment::at_hour(date, hour)
    }

    fn received(kind: Kind, source: Source, known: &Known) -> (Signal, Vec<Event>) {
        let events = receive(None, report(kind, source), known, &Policy::for_tests(), at(FRIDAY, 14));
        (events.iter().fold(None, apply).unwrap(), events)
    }

    fn teams(kind: Kind, source: Source, known: &Known) -> Vec<String> {
        received(kind, source, known).0.teams.iter().map(ToString::to_string).collect()
    }

    fn nuisance() -> Signal {
        received(Kind::Nuisance, partner(Role::Corporation), &known()).0
    }

    fn given(mut state: Signal, steps: &[(Moment, Command)]) -> (Signal, Result<Vec<Event>, Refusal>) {
        let mut answer = Ok(vec![]);
        for (now, command) in steps {
            answer = decide(&state, command, &Policy::for_tests(), *now);
            state = answer.as_deref().unwrap_or_default().iter().fold(Some(state), apply).unwrap();
        }
        (state, answer)
    }

    fn take_up(by: &str) -> Command {
        Command::TakeUp { by: org(by), by_regie: by == "gemeente" }
    }

    fn close(by: &str, heard_on: Option<Date>) -> Command {
        let note = "koffie gedronken".into();
        Command::Close { by: org(by), by_regie: by == "gemeente", outcome: Outcome::Solved, heard_on, note }
    }

    /// R-AFT-06, R-AFT-17
    #[test]
    fn each_kind_has_a_severity_and_with_it_a_day_by_which_it_is_taken_up() {
        for (kind, severity, answer_by) in [
            (Kind::NowhereToSleep, Severity::Crisis, FRIDAY),
            (Kind::EvictionNotice, Severity::Crisis, FRIDAY),
            (Kind::CutOff, Severity::Crisis, FRIDAY),
            (Kind::Debt, Severity::Crisis, FRIDAY),
            (Kind::MissedRent, Severity::High, date(2026, 3, 9)),
            (Kind::Health, Severity::High, date(2026, 3, 9)),
            (Kind::Nuisance, Severity::Normal, date(2026, 3, 11)),
        ] {
            let (signal, _) = received(kind, Source::Client, &known());
            assert_eq!((signal.severity, signal.answer_by), (severity, answer_by), "{kind:?}");
        }
    }

    /// R-AFT-06
    #[test]
    fn a_reporter_makes_a_signal_more_severe_and_never_less() {
        let severity = |kind, asked| {
            let report = Report { severity: Some(asked), ..report(kind, Source::Client) };
            let events = receive(None, report, &known(), &Policy::for_tests(), at(FRIDAY, 14));
            events.iter().fold(None, apply).unwrap().severity
        };
        assert_eq!(severity(Kind::Nuisance, Severity::High), Severity::High);
        assert_eq!(severity(Kind::Safety, Severity::Normal), Severity::Crisis);
    }

    /// R-AFT-05
    #[test]
    fn facts_about_money_reach_the_teams_only_for_kinds_the_client_chose() {
        let chosen = Known { shared_money_kinds: BTreeSet::from([Kind::MissedRent]), ..known() };
        let both = ["stadsgeld", "wijkteam-west"];
        assert_eq!(teams(Kind::MissedRent, partner(Role::Income), &known()), ["stadsgeld"]);
        assert_eq!(teams(Kind::MissedRent, partner(Role::Income), &chosen), both);
        assert_eq!(teams(Kind::Debt, partner(Role::Income), &chosen), ["stadsgeld"]);
        assert_eq!(teams(Kind::MissedRent, Source::Client, &known()), both);
    }

    /// R-AFT-17
    #[test]
    fn an_eviction_is_heard_by_teams_and_debt_help_and_starts_the_debt_talk() {
        assert_eq!(teams(Kind::EvictionNotice, partner(Role::Corporation), &known()), ["stadsgeld", "wijkteam-west"]);
        let starting: Vec<_> = Kind::ALL.iter().filter(|kind| kind.starts_debt_talk()).collect();
        assert_eq!(starting, [&Kind::EvictionNotice, &Kind::CutOff, &Kind::Debt]);
        assert!(starting.iter().all(|kind| kind.severity() == Severity::Crisis));
    }

    /// P5
    #[test]
    fn other_signals_reach_the_responsible_teams_and_nobody_else() {
        for kind in Kind::ALL.iter().filter(|kind| !kind.is_money() && !kind.starts_debt_talk()) {
            assert_eq!(teams(*kind, partner(Role::Police), &known()), ["wijkteam-west"], "{kind:?}");
        }
    }

    /// P5
    #[test]
    fn a_signal_for_which_no_team_is_responsible_goes_to_the_municipality_at_once() {
        let (signal, events) = received(Kind::Nuisance, partner(Role::Police), &Known::default());
        assert_eq!(events.last(), Some(&Event::ToRegie { without_team: true }));
        assert_eq!(signal.stage, Stage::WithRegie);
    }

    /// R-AFT-05
    #[test]
    fn informal_anonymous_and_hearsay_signals_are_marked_unverified() {
        let source =
            |role, anonymous, hearsay| Source::Partner { organisation: org("melder"), role, anonymous, hearsay };
        for (source, unverified, named) in [
            (source(Role::Corporation, false, false), false, true),
            (source(Role::Police, false, false), false, true),
            (source(Role::Informal, false, false), true, true),
            (source(Role::Hotline, false, false), true, true),
            (source(Role::Corporation, true, false), true, false),
            (source(Role::Corporation, false, true), true, true),
            (Source::Client, false, false),
            (Source::Chain, false, false),
        ] {
            let (signal, _) = received(Kind::Neglect, source.clone(), &known());
            assert_eq!((signal.unverified, signal.reported_by.is_some()), (unverified, named), "{source:?}");
        }
    }

    /// R-AFT-05
    #[test]
    fn an_unverified_signal_closes_only_once_the_client_was_heard_and_is_forgotten_in_time() {
        let (signal, _) = received(Kind::Neglect, partner(Role::Informal), &known());
        let now = at(FRIDAY, 16);
        let steps = |heard_on| [(now, take_up("wijkteam-west")), (now, close("wijkteam-west", heard_on))];
        for unheard in [None, Some(date(2026, 3, 7))] {
            let refusal = given(signal.clone(), &steps(unheard)).1.unwrap_err();
            assert_eq!(refusal.reason.code, "SIGNAL_CLIENT_NOT_HEARD");
        }
        let (closed, _) = given(signal, &steps(Some(FRIDAY)));
        let forget_on = date(2026, 4, 3);
        assert_eq!(closed.wake_at(), Some(Moment::start_of(forget_on).at));
        assert_eq!(given(closed.clone(), &[(at(date(2026, 4, 2), 9), Command::Lapse)]).1, Ok(vec![]));
        let (forgotten, _) = given(closed, &[(at(forget_on, 9), Command::Lapse)]);
        assert_eq!((forgotten.text.as_str(), forgotten.reported_by.clone()), ("", None));
        assert_eq!(forgotten.wake_at(), None);
    }

    /// R-AFT-06
    #[test]
    fn what_nobody_takes_up_goes_to_the_case_holder_and_then_to_the_municipality() {
        let late = at(date(2026, 3, 12), 0);
        assert_eq!(given(nuisance(), &[(at(date(2026, 3, 11), 23), Command::Lapse)]).1, Ok(vec![]));
        let (with_caseholder, answer) = given(nuisance(), &[(late, Command::Lapse)]);
        let until = at(date(2026, 3, 13), 0).at;
        assert_eq!(answer, Ok(vec![Event::ToCaseholder { until }]));
        assert_eq!(with_caseholder.wake_at(), Some(until));
        let (with_regie, answer) = given(with_caseholder, &[(Moment::of(until), Command::Lapse)]);
        assert_eq!(answer, Ok(vec![Event::ToRegie { without_team: false }]));
        assert_eq!(with_regie.wake_at(), None);
    }

    /// R-AFT-06
    #[test]
    fn taking_up_stops_the_escalation_at_any_point() {
        let mut state = nuisance();
        let mut now = at(FRIDAY, 15);
        for _ in 0..3 {
            let (taken, answer) = given(state.clone(), &[(now, take_up("wijkteam-west"))]);
            assert!(answer.is_ok());
            let later = at(date(2026, 3, 20), 9);
            assert_eq!(given(taken, &[(later, Command::Lapse)]).1, Ok(vec![]));
            if let Some(wake) = state.wake_at() {
                now = Moment::of(wake);
                state = given(state, &[(now, Command::Lapse)]).0;
            }
        }
    }

    /// R-AFT-05, R-AFT-06
    #[test]
    fn what_debt_help_alone_may_hear_skips_the_case_holder() {
        let (signal, _) = received(Kind::Debt, partner(Role::Income), &known());
        let answer = given(signal, &[(at(date(2026, 3, 7), 0), Command::Lapse)]).1;
        assert_eq!(answer, Ok(vec![Event::ToRegie { without_team: false }]));
    }

    /// R-AFT-06
    #[test]
    fn who_took_it_up_closes_it_and_only_the_municipality_takes_over() {
        let now = at(FRIDAY, 15);
        let code = |steps: &[(Moment, Command)]| given(nuisance(), steps).1.unwrap_err().reason.code;
        let taken = (now, take_up("wijkteam-west"));
        assert_eq!(code(&[(now, close("wijkteam-west", None))]), "SIGNAL_NOT_TAKEN_UP");
        assert_eq!(code(&[taken.clone(), (now, take_up("fact"))]), "SIGNAL_TAKEN");
        assert_eq!(code(&[taken.clone(), (now, close("fact", None))]), "SIGNAL_TAKEN");
        assert_eq!(given(nuisance(), &[taken.clone(), (now, take_up("wijkteam-west"))]).1, Ok(vec![]));
        let (state, _) = given(nuisance(), &[taken.clone(), (now, take_up("gemeente"))]);
        assert_eq!(state.taken_up_by(), Some(&org("gemeente")));
        let closed = [taken, (now, close("wijkteam-west", None))];
        assert!(given(nuisance(), &closed).0.is_closed());
        assert_eq!(code(&[&closed[..], &[(now, take_up("wijkteam-west"))]].concat()), "SIGNAL_CLOSED");
    }

    /// R-AFT-06, P7
    #[test]
    fn a_signal_that_stays_open_after_it_was_taken_up_is_put_forward_again() {
        let taken = (at(FRIDAY, 15), take_up("wijkteam-west"));
        let (state, answer) = given(nuisance(), &[taken, (at(date(2026, 4, 3), 0), Command::Lapse)]);
        assert!(matches!(answer.unwrap()[..], [Event::StillOpen { .. }]));
        assert_eq!(state.wake_at(), Some(Moment::start_of(date(2026, 5, 1)).at));
    }

    /// P6, R-AFT-10
    #[test]
    fn nowhere_to_sleep_is_always_a_crisis_and_always_told_at_once() {
        for guarantee_on in [false, true] {
            for known in [known(), Known::default()] {
                let policy = Policy { relapse_guarantee: guarantee_on, ..Policy::for_tests() };
                let report = report(Kind::NowhereToSleep, partner(Role::Informal));
                let events = receive(None, report, &known, &policy, at(FRIDAY, 23));
                let told = Event::NowhereToSleep {
                    in_aftercare: known.in_aftercare,
                    guarantee: guarantee_on && known.in_aftercare,
                };
                assert!(events.contains(&told), "{events:?}");
                assert_eq!(events.iter().fold(None, apply).unwrap().severity, Severity::Crisis);
            }
        }
    }

    /// P6
    #[test]
    fn a_second_report_in_the_same_night_is_passed_on_and_after_closing_it_is_a_new_signal() {
        let (signal, _) = received(Kind::NowhereToSleep, Source::Client, &known());
        let again = |tonight: &Signal| {
            let report = report(Kind::NowhereToSleep, Source::Client);
            receive(Some(tonight), report, &known(), &Policy::for_tests(), at(date(2026, 3, 7), 2))
        };
        assert!(matches!(again(&signal)[..], [Event::ReportedAgain { count: 2, .. }]));
        let now = at(FRIDAY, 23);
        let (closed, _) = given(signal, &[(now, take_up("wijkteam-west")), (now, close("wijkteam-west", None))]);
        assert!(matches!(again(&closed)[..], [Event::Received(_), Event::NowhereToSleep { .. }]));
    }

    /// P6
    #[test]
    fn the_night_lasts_until_six_in_the_morning() {
        assert_eq!(night_of(at(FRIDAY, 23)), FRIDAY);
        assert_eq!(night_of(at(date(2026, 3, 7), 5)), FRIDAY);
        assert_eq!(night_of(at(date(2026, 3, 7), 6)), date(2026, 3, 7));
    }

    /// R-AFT-10
    #[test]
    fn the_relapse_guarantee_is_invoked_where_it_is_on_and_within_its_period() {
        let invoke = |on, aftercare_since, day| {
            let policy = Policy { relapse_guarantee: on, ..Policy::for_tests() };
            let (signal, _) = received(Kind::NowhereToSleep, Source::Client, &known());
            decide(&signal, &Command::InvokeGuarantee { aftercare_since }, &policy, at(day, 9))
        };
        let keys = Some(date(2026, 1, 5));
        assert_eq!(invoke(false, keys, FRIDAY).unwrap_err().reason.code, "RELAPSE_GUARANTEE_OFF");
        assert_eq!(invoke(true, None, FRIDAY).unwrap_err().reason.code, "RELAPSE_GUARANTEE_EXPIRED");
        assert_eq!(invoke(true, keys, date(2027, 1, 6)).unwrap_err().reason.code, "RELAPSE_GUARANTEE_EXPIRED");
        assert_eq!(invoke(true, keys, FRIDAY), Ok(vec![Event::GuaranteeInvoked]));
    }

    /// R-REG-29
    #[test]
    fn when_the_client_died_every_signal_closes() {
        for before in [vec![], vec![(at(FRIDAY, 15), take_up("wijkteam-west"))]] {
            let (state, _) = given(nuisance(), &before);
            let (state, _) = given(state, &[(at(FRIDAY, 16), Command::ClientDied)]);
            assert!(matches!(state.stage, Stage::Closed { outcome: Outcome::ClientDied, .. }));
        }
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop_oneof![
            Just(take_up("wijkteam-west")),
            Just(take_up("fact")),
            Just(take_up("gemeente")),
            Just(close("wijkteam-west", Some(FRIDAY))),
            Just(Command::InvokeGuarantee { aftercare_since: Some(FRIDAY) }),
            Just(Command::ClientDied),
            Just(Command::Lapse),
        ]
    }

    proptest! {
        /// P5
        #[test]
        fn a_signal_is_closed_taken_up_with_the_municipality_or_wakes_by_itself(
            steps in proptest::collection::vec((0i32..100, any_command()), 0..8),
            kind in proptest::sample::select(Kind::ALL),
        ) {
            let mut now = at(FRIDAY, 14);
            let (mut state, _) = received(kind, partner(Role::Informal), &known());
            let teams = state.teams.clone();
            for (hours, command) in steps {
                now = Moment::of(now.at + hours.hours());
                state = given(state, &[(now, command)]).0;
            }
            prop_assert!(state.is_closed() || state.stage == Stage::WithRegie || state.wake_at().is_some());
            prop_assert_eq!(state.teams, teams, "the teams are fixed at receipt");
        }

        /// P3
        #[test]
        fn the_same_wish_twice_changes_nothing_the_second_time(
            steps in proptest::collection::vec(any_command(), 0..6), last in any_command(),
        ) {
            let now = at(FRIDAY, 15);
            let walk: Vec<_> = steps.into_iter().chain([last.clone()]).map(|command| (now, command)).collect();
            let (state, answer) = given(nuisance(), &walk);
            if answer.is_ok() {
                prop_assert_eq!(decide(&state, &last, &Policy::for_tests(), now), Ok(vec![]));
            }
        }
    }
}
