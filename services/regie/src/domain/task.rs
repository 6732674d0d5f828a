//! Tasks: what an organisation is asked to do, by when, and what happens when it does not (P7).
//!
//! A task warns before its last day and escalates to the municipality after it. Both moments are rows that a timer wakes,
//! so nothing lapses silently and nobody has to look.

use super::policy::Policy;
use super::process;
use kernel::{Calendar, ClientId, Date, Moment, Organisation, Refusal, Role, Timestamp};

kernel::id! {
    /// A task.
    TaskId
}

kernel::reasons! {
    TASK_TAKEN: Rule, "P7",
        "Somebody else of your organisation took this task.", "Iemand anders van uw organisatie heeft deze taak opgepakt.",
        "Agree with {by} who does it; the municipality can give it to another.",
        "Stem met {by} af wie het doet; de gemeente kan de taak aan een ander geven.";
    TASK_FINISHED: Rule, "P7",
        "This task is off the list already.", "Deze taak is al van de lijst.",
        "Read the work list again.", "Lees de werklijst opnieuw.";
    TASK_NOTHING_TO_REPEAT: Rule, "P4",
        "This task did not come from a refused command: there is nothing to repeat.",
        "Deze taak komt niet uit een geweigerde opdracht: er is niets te herhalen.",
        "Complete it with DONE or NOT_NEEDED.", "Rond de taak af met DONE of NOT_NEEDED.";
    TASK_ENDS_WITH_REVIEW: Rule, "R-REG-20",
        "This task ends with the outcome of the review.", "Deze taak eindigt met de uitkomst van de beoordeling.",
        "Record the outcome with ReviewEmergencyAccess.", "Leg de uitkomst vast met ReviewEmergencyAccess.";
    TASK_ENDS_WITH_ANSWER: Rule, "R-REG-21",
        "This task ends with the answer to the client's request.", "Deze taak eindigt met het antwoord op het verzoek van de cliënt.",
        "Record the answer with AnswerAccessRequest, or the decision with DecideCorrection or DecideErasure.",
        "Leg het antwoord vast met AnswerAccessRequest, of het besluit met DecideCorrection of DecideErasure.";
}

macro_rules! kinds {
    ($($variant:ident = $key:literal, $title:literal, $doc:literal;)*) => {
        /// What is to be done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $(#[doc = $doc] $variant,)* }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The key under which it is kept.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $key,)* }
            }

            /// The kind with that key.
            pub fn from_key(key: &str) -> Option<Kind> {
                match key { $($key => Some(Kind::$variant),)* _ => None }
            }

            /// What is to be done, in Dutch, as it stands on the work list.
            pub fn title(self) -> &'static str {
                match self { $(Kind::$variant => $title,)* }
            }
        }
    };
}

kinds! {
    LookAtDuplicate = "look_at_duplicate", "Beoordeel of deze aanmelding iemand betreft die al bekend is",
        "Regie: a registration may be of somebody known already (R-REG-26).";
    AssignCaseholder = "assign_caseholder", "Wijs een trajecthouder aan", "Access: give the client a case holder (R-ACC-13).";
    FinishInvestigation = "finish_investigation", "Rond het onderzoek af", "Access: finish the investigation (R-ACC-04).";
    TakeDecision = "take_decision", "Beslis op de aanvraag", "Access: decide on the application (R-ACC-08).";
    ExtendDecision = "extend_decision", "De beschikking loopt af: verleng haar of laat haar eindigen",
        "Access: extend the decision or let it end (R-ACC-20).";
    MakePlan = "make_plan", "Maak samen met de cliënt het plan", "Shelter or case holder: make the plan (R-ACC-17).";
    AnswerOffer = "answer_offer", "Het aanbod loopt af: geef antwoord", "Provider: answer the offer in time (P7).";
    AnswerCandidate = "answer_candidate", "Het aanbod loopt af: zeg ja of nee tegen de kandidaat",
        "Corporation: answer about the candidate in time (P7).";
    FollowUpOffer = "follow_up_offer", "Het aanbod is verlopen: bepaal hoe het verder gaat",
        "Regie: an offer lapsed without an answer (R-HOU-22).";
    DecideBenefit = "decide_benefit", "Beslis op de bijstandsaanvraag", "Income: acknowledge and decide (R-INC-03).";
    PayAdvance = "pay_advance", "Betaal een voorschot", "Income: pay an advance (R-INC-04).";
    CloseBenefitGap = "close_benefit_gap", "De uitkering begint later dan de huur: sluit het gat",
        "Income and regie: benefit starts later than the lease (P2).";
    DecideGate = "decide_gate", "Het huurcontract nadert zonder zeker inkomen: beslis over de poort",
        "Regie: the gate is shut with the lease at hand (P2).";
    DecideGuarantee = "decide_guarantee", "Beslis op de garantstelling", "Income: decide on the rent guarantee (R-HOU-05).";
    FillHandover = "fill_handover", "Vul de warme overdracht in", "Shelter: fill in the handover (R-AFT-02).";
    AnswerHandover = "answer_handover", "Aanvaard de overdracht of geef haar terug",
        "District: accept the handover or return it (R-AFT-02).";
    AssignHandover = "assign_handover", "Niemand antwoordt op de overdracht: wijs een wijkteam aan",
        "Regie: nobody answers the handover (R-AFT-02).";
    TakeUpSignal = "take_up_signal", "Een signaal is niet op tijd opgepakt", "Case holder, then regie: a signal that nobody took up (R-AFT-06, P5).";
    FindPlaceTonight = "find_place_tonight", "Iemand heeft vannacht geen slaapplek: regel nu een plek",
        "Duty person: nowhere to sleep tonight and no place found (P6).";
    ReviewAftercare = "review_aftercare", "Bespreek of de nazorg eindigt", "District: review or end aftercare (R-AFT-18).";
    SettleRefusedCommand = "settle_refused_command", "Een opdracht in de keten is geweigerd: los het op",
        "Regie: a command to another service was refused for good.";
    FollowUpHome = "follow_up_home", "De woning ging niet door of de huur eindigde: bepaal hoe het verder gaat",
        "Case holder and regie: a home fell through or a lease ended.";
    FollowUpDeparture = "follow_up_departure", "De cliënt vertrok uit de opvang zonder woning: sluit de zaak of ga ermee door",
        "Case holder: the last stay ended and there is no home.";
    GiveInformation = "give_information", "De sociale dienst vraagt informatie: lever die aan",
        "Case holder, then regie: answer what social services asked (R-INC-04).";
    BridgeIncome = "bridge_income", "Uitkering geweigerd vlak voor de verhuizing: overbrug, ander inkomen of andere datum",
        "Case holder: benefit was refused with the move at hand (R-INC-27).";
    DecideErasure = "decide_erasure", "Beslis op het verzoek om vernietiging",
        "Regie: decide on a written request for erasure (R-REG-22).";
    AnswerAccessRequest = "answer_access_request", "Beantwoord het verzoek om inzage",
        "Regie: answer a request for access within its month (R-REG-21).";
    ReviewEmergency = "review_emergency", "Beoordeel of deze noodtoegang nodig was",
        "Privacy officer: review an emergency access (R-REG-20).";
    KeepApart = "keep_apart", "Kijk vandaag na wat er voor de veiligheid van deze cliënt is vastgelegd",
        "Regie and who protects the client: somebody from whom the client is kept apart is near (R-REG-28).";
    DecideCorrection = "decide_correction", "Beslis op het verzoek om gegevens te verbeteren",
        "Regie: decide on a request for correction within its month (R-REG-21).";
    TakeOverCorrection = "take_over_correction", "Neem de verbeterde gegevens over",
        "Whoever may have read identity data: take over that they were corrected, and acknowledge it (R-REG-26).";
    CheckAfterSplit = "check_after_split", "Controleer wat u van deze cliënt hebt: het bleek om twee personen te gaan",
        "Whoever may hold something: the record turned out to be about two persons; check it, and acknowledge (R-REG-26).";
    LookAtMerge = "look_at_merge", "Er loopt iets onder een dossier dat naar een ander verwijst: rond het af of maak de samenvoeging ongedaan",
        "Regie: something runs under a record that points to another (R-REG-26).";
    Escalated = "escalated", "Een taak van een partner is over tijd", "Regie: a task of another organisation is overdue (P7).";
}

/// What nobody has to do any more once everything of the client is destroyed.
pub const OVER_WITH_THE_FILE: &[Kind] = &[Kind::TakeOverCorrection, Kind::CheckAfterSplit, Kind::DecideCorrection];

impl Kind {
    /// Whether it cannot wait and shows whom to call, the emergency number first (R-REG-30, P6).
    pub fn is_crisis(self) -> bool {
        matches!(self, Kind::FindPlaceTonight)
    }

    /// Whether no event, timeline or export tells of it: each of those who protect the client has it on a list of their own, the
    /// municipality at once, so that nothing is left to escalate (R-REG-28).
    pub fn is_quiet(self) -> bool {
        matches!(self, Kind::KeepApart)
    }
}

impl Kind {
    /// In which of the roles of one organisation it is done, where the process names no desk but an organisation: the first
    /// in which that one works.
    pub fn done_by(self) -> &'static [Role] {
        match self {
            Kind::AnswerCandidate => &[Role::Corporation],
            Kind::AnswerHandover => &[Role::District],
            Kind::ReviewAftercare => &[Role::District, Role::Shelter, Role::Vo],
            _ => &[Role::Shelter, Role::Vo, Role::Caseholder],
        }
    }
}

impl From<process::TaskKind> for Kind {
    fn from(kind: process::TaskKind) -> Self {
        match kind {
            process::TaskKind::LookAtDuplicate => Kind::LookAtDuplicate,
            process::TaskKind::LookAtMerge => Kind::LookAtMerge,
            process::TaskKind::AssignCaseholder => Kind::AssignCaseholder,
            process::TaskKind::FinishInvestigation => Kind::FinishInvestigation,
            process::TaskKind::TakeDecision => Kind::TakeDecision,
            process::TaskKind::ExtendDecision => Kind::ExtendDecision,
            process::TaskKind::MakePlan => Kind::MakePlan,
            process::TaskKind::AnswerOffer => Kind::AnswerOffer,
            process::TaskKind::AnswerCandidate => Kind::AnswerCandidate,
            process::TaskKind::FollowUpOffer => Kind::FollowUpOffer,
            process::TaskKind::DecideBenefit => Kind::DecideBenefit,
            process::TaskKind::GiveInformation => Kind::GiveInformation,
            process::TaskKind::PayAdvance => Kind::PayAdvance,
            process::TaskKind::CloseBenefitGap => Kind::CloseBenefitGap,
            process::TaskKind::BridgeIncome => Kind::BridgeIncome,
            process::TaskKind::DecideGate => Kind::DecideGate,
            process::TaskKind::DecideGuarantee => Kind::DecideGuarantee,
            process::TaskKind::FillHandover => Kind::FillHandover,
            process::TaskKind::AnswerHandover => Kind::AnswerHandover,
            process::TaskKind::AssignHandover => Kind::AssignHandover,
            process::TaskKind::TakeUpSignal => Kind::TakeUpSignal,
            process::TaskKind::FindPlaceTonight => Kind::FindPlaceTonight,
            process::TaskKind::ReviewAftercare => Kind::ReviewAftercare,
            process::TaskKind::FollowUpHome => Kind::FollowUpHome,
            process::TaskKind::FollowUpDeparture => Kind::FollowUpDeparture,
            process::TaskKind::SettleRefusedCommand => Kind::SettleRefusedCommand,
        }
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Done,
    /// Looked at; nothing needed.
    NotNeeded,
    /// Its cause is gone.
    FellAway,
    /// The refused command is to be sent again.
    Repeat,
}

/// Where a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has it.
    Open,
    /// That person has it.
    Taken {
        /// Who, by the issuer's own name.
        by: String,
    },
    /// Off the list.
    Finished {
        /// How it ended.
        outcome: Outcome,
    },
}

/// What somebody wants done: the content of a task, before it is on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub kind: Kind,
    /// About whom; none when it is about no client.
    pub client_id: Option<ClientId>,
    /// About what (an allocation, a signal, …), by its id; none when it is about the case.
    pub subject: Option<String>,
    /// By which organisation.
    pub organisation: Organisation,
    /// By which person of it; none for anybody.
    pub person: Option<String>,
    /// In which role: an organisation may work in several. None for a task of before tasks had one: it is for every role.
    pub role: Option<Role>,
    /// The last day.
    pub due_on: Date,
    /// The code of the refusal that led to it, for a refused command.
    pub cause: Option<String>,
}

impl Wanted {
    /// Whether one task serves both: of most there is one, of a quiet one each has their own.
    pub fn is_same(&self, other: &Wanted) -> bool {
        !self.kind.is_quiet() || (&self.organisation, self.role) == (&other.organisation, other.role)
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done, by whom, by when.
    pub wanted: Wanted,
    /// Where it is.
    pub state: State,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The day from which its end is near; none when it opened nearer than that.
    pub warn_on: Option<Date>,
    /// Whether the warning went out.
    pub warned: bool,
    /// Whether its last day passed while it was on the list.
    pub overdue: bool,
}

/// What may be done with a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Somebody takes it.
    Take {
        /// Who, by the issuer's own name.
        by: String,
        /// Whether the municipality takes it over from whoever has it.
        over: bool,
    },
    /// Somebody ends it.
    Complete {
        /// How.
        outcome: Outcome,
    },
    /// Its cause is gone.
    FallAway,
    /// There is more to it than when it was opened: whoever has it in hand reads it again.
    AskAgain,
    /// Whoever set its last day says that it is near.
    Warn,
    /// The timer: a warning or the last day may be due.
    Wake,
}

/// What happened to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It came on the list.
    Opened,
    /// Somebody took it.
    Taken {
        /// Who.
        by: String,
    },
    /// It is off the list.
    Completed {
        /// How.
        outcome: Outcome,
    },
    /// Its last day is near.
    Approaching,
    /// Its last day passed; the municipality hears of it.
    Overdue,
}

/// Puts a task on the list.
pub fn open(id: TaskId, wanted: Wanted, policy: &Policy, calendar: &Calendar, now: Moment) -> Task {
    let warn_on = calendar.add_working_days(wanted.due_on, -policy.warn_working_days);
    Task {
        id,
        wanted,
        state: State::Open,
        opened_at: now.at,
        warn_on: (warn_on > now.date).then_some(warn_on),
        warned: false,
        overdue: false,
    }
}

/// What may happen to a task.
pub fn decide(task: &Task, command: &Command, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (&task.state, command) {
        (State::Finished { .. }, Command::Wake | Command::Warn | Command::FallAway | Command::AskAgain) => Ok(vec![]),
        (State::Finished { outcome }, Command::Complete { outcome: wish }) if outcome == wish => Ok(vec![]),
        (State::Finished { .. }, _) => Err((&TASK_FINISHED).into()),
        (State::Taken { by }, Command::Take { by: wish, .. }) if by == wish => Ok(vec![]),
        (State::Taken { by }, Command::Take { over: false, .. }) => Err(TASK_TAKEN.with("by", by)),
        (_, Command::Take { by, .. }) => Ok(vec![Event::Taken { by: by.clone() }]),
        (_, Command::Complete { outcome: Outcome::Repeat }) if task.wanted.kind != Kind::SettleRefusedCommand => {
            Err((&TASK_NOTHING_TO_REPEAT).into())
        }
        (_, Command::Complete { .. }) if task.wanted.kind == Kind::ReviewEmergency => {
            Err((&TASK_ENDS_WITH_REVIEW).into())
        }
        (_, Command::Complete { .. })
            if matches!(task.wanted.kind, Kind::AnswerAccessRequest | Kind::DecideCorrection | Kind::DecideErasure) =>
        {
            Err((&TASK_ENDS_WITH_ANSWER).into())
        }
        (_, Command::Complete { outcome }) => Ok(vec![Event::Completed { outcome: *outcome }]),
        (_, Command::FallAway) => Ok(vec![Event::Completed { outcome: Outcome::FellAway }]),
        (_, Command::AskAgain) => Ok(vec![Event::Opened]),
        (_, Command::Warn) if task.warned || task.overdue => Ok(vec![]),
        (_, Command::Warn) => Ok(vec![Event::Approaching]),
        (_, Command::Wake) if now.date > task.wanted.due_on && !task.overdue => Ok(vec![Event::Overdue]),
        (_, Command::Wake) if task.warn_on.is_some_and(|day| day <= now.date) && !task.warned && !task.overdue => {
            Ok(vec![Event::Approaching])
        }
        (_, Command::Wake) => Ok(vec![]),
    }
}

/// The task after an event.
pub fn apply(mut task: Task, event: &Event) -> Task {
    match event {
        Event::Opened => {}
        Event::Taken { by } => task.state = State::Taken { by: by.clone() },
        Event::Completed { outcome } => task.state = State::Finished { outcome: *outcome },
        Event::Approaching => task.warned = true,
        Event::Overdue => task.overdue = true,
    }
    task
}

/// When the task must be looked at again by itself; none when nothing is left to wake for.
pub fn wakes_at(task: &Task) -> Option<Timestamp> {
    if matches!(task.state, State::Finished { .. }) || task.overdue {
        return None;
    }
    match task.warn_on {
        Some(day) if !task.warned => Some(Moment::start_of(day).at),
        _ => task.wanted.due_on.tomorrow().ok().map(|day| Moment::start_of(day).at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn sample(due_on: Date, opened_on: Date) -> Task {
        let wanted = Wanted {
            kind: Kind::DecideGate,
            client_id: None,
            subject: None,
            organisation: Organisation::parse("o", "gemeente-dordrecht").unwrap(),
            person: None,
            role: Some(Role::Regie),
            due_on,
            cause: None,
        };
        let id = TaskId(kernel::Uuid::from_u128(1));
        open(id, wanted, &Policy::sample(), &Calendar::default(), Moment::start_of(opened_on))
    }

    fn run(task: Task, command: &Command, on: Date) -> (Task, Vec<Event>) {
        let events = decide(&task, command, Moment::start_of(on)).unwrap();
        (events.iter().fold(task, apply), events)
    }

    /// P7
    #[test]
    fn a_task_warns_before_its_last_day_and_escalates_after_it() {
        let task = sample(date(2026, 3, 20), date(2026, 3, 2));
        assert_eq!(wakes_at(&task), Some(Moment::start_of(date(2026, 3, 17)).at));
        let (task, events) = run(task, &Command::Wake, date(2026, 3, 17));
        assert_eq!(events, [Event::Approaching]);
        assert_eq!(wakes_at(&task), Some(Moment::start_of(date(2026, 3, 21)).at));
        let (task, events) = run(task, &Command::Wake, date(2026, 3, 20));
        assert_eq!(events, []);
        let (task, events) = run(task, &Command::Wake, date(2026, 3, 21));
        assert_eq!(events, [Event::Overdue]);
        assert_eq!(wakes_at(&task), None);
        assert_eq!(run(task, &Command::Wake, date(2026, 4, 1)).1, []);
    }

    /// P7
    #[test]
    fn a_task_that_opens_near_its_end_needs_no_warning() {
        let task = sample(date(2026, 3, 3), date(2026, 3, 2));
        assert_eq!(task.warn_on, None);
        assert_eq!(wakes_at(&task), Some(Moment::start_of(date(2026, 3, 4)).at));
    }

    /// P7
    #[test]
    fn whoever_set_the_last_day_may_warn_of_it_once_and_not_after_it() {
        let opened_on = date(2026, 3, 2);
        let (task, events) = run(sample(date(2026, 3, 4), opened_on), &Command::Warn, date(2026, 3, 3));
        assert_eq!((events, task.warned), (vec![Event::Approaching], true));
        assert_eq!(wakes_at(&task), Some(Moment::start_of(date(2026, 3, 5)).at), "it still escalates");
        assert_eq!(run(task.clone(), &Command::Warn, date(2026, 3, 3)).1, []);
        let (late, _) = run(task.clone(), &Command::Wake, date(2026, 3, 5));
        assert_eq!(run(late, &Command::Warn, date(2026, 3, 5)).1, []);
        let (done, _) = run(task, &Command::Complete { outcome: Outcome::Done }, date(2026, 3, 3));
        assert_eq!(run(done, &Command::Warn, date(2026, 3, 3)).1, []);
        // Warned from outside, its own warning does not go out a second time.
        let (task, _) = run(sample(date(2026, 3, 20), opened_on), &Command::Warn, opened_on);
        assert_eq!(run(task, &Command::Wake, date(2026, 3, 17)).1, []);
    }

    /// P7
    #[test]
    fn a_task_is_taken_by_one_and_ends_once() {
        let take = |by: &str| Command::Take { by: by.into(), over: false };
        let day = date(2026, 3, 3);
        let (task, _) = run(sample(date(2026, 3, 20), day), &take("anna"), day);
        assert_eq!(run(task.clone(), &take("anna"), day).1, []);
        assert_eq!(decide(&task, &take("bram"), Moment::start_of(day)).unwrap_err().reason.code, "TASK_TAKEN");
        let over = Command::Take { by: "regie".into(), over: true };
        assert_eq!(run(task.clone(), &over, day).1, [Event::Taken { by: "regie".into() }]);
        let done = Command::Complete { outcome: Outcome::Done };
        let (task, _) = run(task, &done, day);
        assert_eq!(run(task.clone(), &done, day).1, []);
        assert_eq!(run(task.clone(), &Command::Wake, date(2026, 5, 1)).1, []);
        assert_eq!(run(task.clone(), &Command::FallAway, day).1, []);
        for late in [take("bram"), Command::Complete { outcome: Outcome::NotNeeded }] {
            assert_eq!(decide(&task, &late, Moment::start_of(day)).unwrap_err().reason.code, "TASK_FINISHED");
        }
    }

    /// P4
    #[test]
    fn only_a_refused_command_can_be_repeated() {
        let day = date(2026, 3, 3);
        let mut task = sample(date(2026, 3, 20), day);
        let repeat = Command::Complete { outcome: Outcome::Repeat };
        assert_eq!(decide(&task, &repeat, Moment::start_of(day)).unwrap_err().reason.code, "TASK_NOTHING_TO_REPEAT");
        task.wanted.kind = Kind::SettleRefusedCommand;
        assert!(decide(&task, &repeat, Moment::start_of(day)).is_ok());
    }

    #[test]
    fn every_kind_reads_back_from_its_key() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_key(kind.as_str()), Some(*kind));
        }
    }

    proptest! {
        /// P7: whenever the timer is late or early, a task that nobody does ends overdue, exactly once.
        #[test]
        fn no_task_lapses_silently(term in 0i32..60, wakes in prop::collection::vec(0i32..90, 0..12)) {
            let opened_on = date(2026, 3, 2);
            let due_on = opened_on.saturating_add(jiff::Span::new().days(term));
            let mut task = sample(due_on, opened_on);
            let mut days: Vec<i32> = wakes;
            days.sort_unstable();
            days.push(100);
            days.push(101);
            let mut overdue = 0;
            for day in days {
                let on = opened_on.saturating_add(jiff::Span::new().days(day));
                let (next, events) = run(task, &Command::Wake, on);
                overdue += events.iter().filter(|e| **e == Event::Overdue).count();
                task = next;
            }
            prop_assert_eq!(overdue, 1);
        }
    }
}
