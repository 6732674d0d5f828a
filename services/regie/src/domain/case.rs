//! The case: the client's one file. Who holds it, who guides, the plan with its goals, scores and guidance.
//!
//! A client has at most one open case (R-ACC-13); a returning client gets a new one. It does not close at the keys but at
//! the end of aftercare (R-AFT-01). Who held the case and who guided are kept as a history, never overwritten (R-REG-02).

use kernel::{Date, Moment, Municipality, Organisation, Refusal};
use std::collections::{BTreeMap, BTreeSet};

kernel::id! {
    /// A case.
    CaseId
}
kernel::id! {
    /// A goal in a plan.
    GoalId
}

kernel::reasons! {
    CASE_NOT_OPEN: Rule, "R-ACC-13",
        "The client has no open case.", "De cliënt heeft geen open dossier.",
        "A case opens with a notification: record one at access.", "Een dossier opent met een melding: leg die vast bij de toegang.";
    CASE_NOT_AT_ITS_END: Rule, "R-AFT-01",
        "A move or aftercare is going on: the case ends with aftercare, not before.",
        "Er loopt een verhuizing of nazorg: het dossier eindigt met de nazorg, niet eerder.",
        "End aftercare, or withdraw the allocation, and the case follows.",
        "Beëindig de nazorg of trek de toewijzing in; het dossier volgt.";
    CASE_CLOSE_REASON_RESERVED: Rule, "R-AFT-01",
        "This reason is set by the chain itself.", "Deze reden zet de keten zelf.",
        "Record the end of aftercare at aftercare, or the death at access; merge with MergeClients.",
        "Leg het einde van de nazorg vast bij de nazorg, of het overlijden bij de toegang; voeg samen met MergeClients.";
    ASSIGNMENT_REASON_MISSING: Rule, "R-REG-02",
        "Somebody is replaced, and that needs a reason.", "Er wordt iemand vervangen; daar hoort een reden bij.",
        "Say why: the client's wish, left, caseload, moved on or other.",
        "Geef de reden: wens van de cliënt, vertrek, verdeling van dossiers, doorstroom of anders.";
    PLAN_TALK_MISSING: Rule, "R-REG-04",
        "A plan is adopted with the client, not about the client.", "Een plan wordt vastgesteld met de cliënt, niet over de cliënt.",
        "Hold the talk with the client, or record why the client was absent.",
        "Voer het gesprek met de cliënt, of leg vast waarom de cliënt er niet bij was.";
    PLAN_MISSING: Rule, "R-ACC-13",
        "A goal belongs to the one plan, and there is none yet.", "Een doel hoort bij het ene plan, en dat is er nog niet.",
        "Adopt a plan first.", "Stel eerst een plan vast.";
    GOAL_UNKNOWN: NotFound, "R-REG-03",
        "There is no such goal in the open case.", "Dit doel staat niet in het open dossier.",
        "Read the case for its goals.", "Lees het dossier voor de doelen.";
    GOAL_TERM_PAST: Rule, "R-REG-03",
        "The term {due_on} of the goal has passed already.", "De termijn {due_on} van het doel is al voorbij.",
        "Give a day from today on.", "Geef een dag vanaf vandaag.";
    GOAL_DECIDED: Rule, "R-REG-03",
        "The client decided about this goal already.", "De cliënt heeft al over dit doel beslist.",
        "Set a new goal.", "Stel een nieuw doel.";
    GOAL_IS_THE_CLIENTS: Rule, "R-REG-03",
        "Whether a goal is met is the client's own decision.", "Of een doel gehaald is, beslist de cliënt zelf.",
        "Let the client answer, or record the day on which the client said so.",
        "Laat de cliënt antwoorden, of leg vast op welke dag de cliënt dit zei.";
    SCORES_TWICE: Rule, "R-MON-08",
        "A domain is scored twice at one moment.", "Een domein is twee keer gescoord op één moment.",
        "Give one score per domain.", "Geef één score per domein.";
    SCORES_IN_FUTURE: Rule, "R-MON-08",
        "The day of scoring {scored_on} lies ahead.", "De dag van de score {scored_on} ligt in de toekomst.",
        "Score first, record then.", "Scoor eerst, leg daarna vast.";
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $key:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $(#[doc = $text] $variant,)* }

        impl $name {
            /// Every one, in the order of the contract.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The key under which it is kept.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $key,)* }
            }

            /// The one with that key.
            pub fn from_key(key: &str) -> Option<$name> {
                match key { $($key => Some($name::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// A life domain (`domain` section 8).
    LifeDomain {
        Meaning = "meaning", "Meaning.";
        Housing = "housing", "Housing: an open goal here is what a nomination asks for (R-HOU-03).";
        Finances = "finances", "Finances.";
        SocialRelations = "social_relations", "Social relations.";
        PhysicalHealth = "physical_health", "Physical health.";
        MentalHealth = "mental_health", "Mental health.";
        WorkAndActivities = "work_and_activities", "Work and activities.";
    }
}

codes! {
    /// A domain of the self-reliance matrix (ZRM 2017, `domain` section 8).
    ScoreDomain {
        Finances = "finances", "Finances.";
        WorkAndEducation = "work_and_education", "Work and education.";
        UseOfTime = "use_of_time", "Use of time.";
        Housing = "housing", "Housing.";
        DomesticRelations = "domestic_relations", "Domestic relations.";
        MentalHealth = "mental_health", "Mental health.";
        PhysicalHealth = "physical_health", "Physical health.";
        SubstanceUse = "substance_use", "Substance use.";
        BasicAdl = "basic_adl", "Basic activities of daily life.";
        InstrumentalAdl = "instrumental_adl", "Instrumental activities of daily life.";
        SocialNetwork = "social_network", "Social network.";
        SocietalParticipation = "societal_participation", "Societal participation.";
        Justice = "justice", "Justice.";
    }
}

codes! {
    /// The moment of the road at which self-reliance is scored (R-MON-08).
    ScoreMoment {
        Intake = "intake", "At intake.";
        Review = "review", "Half way.";
        Outflow = "outflow", "When the client leaves the shelter.";
        Aftercare = "aftercare", "During aftercare.";
        End = "end", "At the end of aftercare (R-AFT-18).";
    }
}

codes! {
    /// Why a case holder or supervisor was assigned (R-REG-02).
    AssignmentReason {
        First = "first", "The first of this case.";
        ClientWish = "client_wish", "The client asked for it.";
        Left = "left", "The one before left.";
        Caseload = "caseload", "The caseload was divided anew.";
        MovedOn = "moved_on", "The client moved on.";
        Other = "other", "Another reason.";
    }
}

codes! {
    /// Guidance in the own home (R-HOU-03).
    Guidance {
        Arranged = "arranged", "Arranged.";
        OfferedAndDeclined = "offered_and_declined", "Offered and declined.";
        NotNeeded = "not_needed", "Not needed.";
    }
}

codes! {
    /// What the client decided about a goal (R-REG-03).
    GoalOutcome {
        Met = "met", "Met.";
        PartlyMet = "partly_met", "Partly met, and done with.";
        GivenUp = "given_up", "Given up.";
    }
}

codes! {
    /// Who acts on a goal.
    GoalOwner {
        Client = "client", "The client.";
        Caseholder = "caseholder", "The case holder.";
        Supervisor = "supervisor", "The supervisor.";
        Network = "network", "Somebody from the client's own network.";
    }
}

codes! {
    /// Why a case is closed.
    CloseReason {
        AftercareEnded = "aftercare_ended", "Aftercare ended (R-AFT-18).";
        Died = "died", "The client died (R-REG-29).";
        Left = "left", "The client left with a destination that needs no aftercare.";
        ContactLost = "contact_lost", "Contact was lost.";
        Withdrawn = "withdrawn", "The client wants no more of it.";
        Referred = "referred", "Referred upstream.";
        Transferred = "transferred", "Another municipality took over.";
        Merged = "merged", "The record points to another of the same person, or this is part of the case before it (R-REG-26).";
    }
}

/// A person of an organisation, assigned to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignee {
    /// By the issuer's own name.
    pub person: String,
    /// For which organisation.
    pub organisation: Organisation,
    /// Who stands in, for a case holder.
    pub deputy: Option<String>,
}

/// A goal of the client's own (R-REG-03).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Its life domain.
    pub domain: LifeDomain,
    /// In the client's own words.
    pub text: String,
    /// Who acts on it.
    pub owner: GoalOwner,
    /// By when.
    pub due_on: Date,
    /// What the client decided and when; none while it is open.
    pub decided: Option<(GoalOutcome, Date)>,
}

/// Scores of one moment: levels 1 (acute problems) to 5 (fully self-reliant).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scoring {
    /// Which moment.
    pub moment: ScoreMoment,
    /// On which day.
    pub scored_on: Date,
    /// Level per domain.
    pub levels: BTreeMap<ScoreDomain, u8>,
}

/// The file of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The responsible municipality (R-REG-01).
    pub municipality: Municipality,
    /// Since when.
    pub opened_on: Date,
    /// Since when not, and why; none while it is open.
    pub closed: Option<(Date, CloseReason)>,
    /// The one contact (R-ACC-13).
    pub holder: Option<Assignee>,
    /// Who guides.
    pub supervisor: Option<Assignee>,
    /// How often that changed (R-REG-02).
    pub supervisor_changes: u32,
    /// Edition and day of the plan.
    pub plan: Option<(u32, Date)>,
    /// The goals.
    pub goals: BTreeMap<GoalId, Goal>,
    /// The scores, oldest first.
    pub scores: Vec<Scoring>,
    /// Guidance in the own home.
    pub guidance: Option<Guidance>,
}

/// What may be done with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make that person the one contact.
    AssignHolder {
        /// Who.
        to: Assignee,
        /// Why; needed to replace somebody.
        reason: Option<AssignmentReason>,
    },
    /// Make that person the supervisor.
    AssignSupervisor {
        /// Who.
        to: Assignee,
        /// Why; needed to replace somebody.
        reason: Option<AssignmentReason>,
    },
    /// Adopt the plan.
    AdoptPlan {
        /// Whether the client was there.
        client_present: bool,
        /// Why not.
        absence_reason: Option<String>,
    },
    /// Set or change a goal.
    SetGoal {
        /// The goal.
        id: GoalId,
        /// Whether it is a new one.
        new: bool,
        /// Its life domain.
        domain: LifeDomain,
        /// In the client's own words.
        text: String,
        /// Who acts on it.
        owner: GoalOwner,
        /// By when.
        due_on: Date,
    },
    /// Record the client's decision about a goal.
    DecideGoal {
        /// The goal.
        id: GoalId,
        /// The decision.
        outcome: GoalOutcome,
        /// Whether it is the client who calls.
        by_client: bool,
        /// The day on which the client said so, when somebody else calls.
        told_on: Option<Date>,
    },
    /// Record scores.
    RecordScores {
        /// The moment.
        moment: ScoreMoment,
        /// The day.
        scored_on: Date,
        /// Level per domain, as given.
        levels: Vec<(ScoreDomain, u8)>,
    },
    /// Record how guidance stands.
    SetGuidance {
        /// How.
        guidance: Guidance,
    },
    /// Close the case.
    Close {
        /// Why.
        reason: CloseReason,
        /// Whether a move or aftercare is going on.
        underway: bool,
        /// Whether the chain itself closes it.
        by_chain: bool,
    },
}

/// What happened to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody became case holder.
    HolderChanged {
        /// Who.
        to: Assignee,
        /// Why.
        reason: AssignmentReason,
    },
    /// Somebody became supervisor.
    SupervisorChanged {
        /// Who.
        to: Assignee,
        /// Why.
        reason: AssignmentReason,
        /// How many changes there have been by now; the first assignment is none.
        changes: u32,
    },
    /// The plan was adopted.
    PlanAdopted {
        /// Its edition.
        edition: u32,
        /// When.
        on: Date,
        /// Why the client was not there, if so.
        absence_reason: Option<String>,
    },
    /// A goal was set or changed.
    GoalSet {
        /// The goal.
        id: GoalId,
        /// What it is now.
        goal: Goal,
    },
    /// The client decided about a goal.
    GoalDecided {
        /// The goal.
        id: GoalId,
        /// Its life domain.
        domain: LifeDomain,
        /// The decision.
        outcome: GoalOutcome,
        /// When the client decided.
        on: Date,
    },
    /// Scores were recorded.
    ScoresRecorded(Scoring),
    /// Guidance was recorded.
    GuidanceSet(Guidance),
    /// The case was closed.
    Closed {
        /// When.
        on: Date,
        /// Why.
        reason: CloseReason,
    },
}

/// Opens a case for a client who has no open one (R-ACC-13, R-REG-01).
pub fn open(id: CaseId, municipality: Municipality, now: Moment) -> Case {
    Case {
        id,
        municipality,
        opened_on: now.date,
        closed: None,
        holder: None,
        supervisor: None,
        supervisor_changes: 0,
        plan: None,
        goals: BTreeMap::new(),
        scores: Vec::new(),
        guidance: None,
    }
}

/// Opens a case again that was closed on facts which turned out otherwise: it goes on as it was.
pub fn reopen(case: Case) -> Case {
    Case { closed: None, ..case }
}

/// What may happen to a case, and when. `None` is a client who never had one.
pub fn decide(case: Option<&Case>, command: &Command, now: Moment) -> Result<Vec<Event>, Refusal> {
    let case = match (case, command) {
        // The same wish twice: it is closed.
        (Some(Case { closed: Some((_, is)), .. }), Command::Close { reason, by_chain, .. })
            if is == reason || *by_chain =>
        {
            return Ok(vec![]);
        }
        (Some(case), _) if case.closed.is_none() => case,
        _ => return Err((&CASE_NOT_OPEN).into()),
    };
    match command {
        Command::AssignHolder { to, reason } => {
            if case.holder.as_ref() == Some(to) {
                return Ok(vec![]);
            }
            let reason = reason_of(case.holder.is_some(), *reason)?;
            Ok(vec![Event::HolderChanged { to: to.clone(), reason }])
        }
        Command::AssignSupervisor { to, reason } => {
            if case.supervisor.as_ref() == Some(to) {
                return Ok(vec![]);
            }
            let reason = reason_of(case.supervisor.is_some(), *reason)?;
            let changes = case.supervisor_changes + u32::from(case.supervisor.is_some());
            Ok(vec![Event::SupervisorChanged { to: to.clone(), reason, changes }])
        }
        Command::AdoptPlan { client_present: false, absence_reason: None } => Err((&PLAN_TALK_MISSING).into()),
        Command::AdoptPlan { client_present, absence_reason } => {
            let edition = case.plan.map_or(1, |(edition, _)| edition + 1);
            let absence_reason = absence_reason.clone().filter(|_| !client_present);
            Ok(vec![Event::PlanAdopted { edition, on: now.date, absence_reason }])
        }
        Command::SetGoal { id, new, domain, text, owner, due_on } => {
            if case.plan.is_none() {
                return Err((&PLAN_MISSING).into());
            }
            let goal = Goal { domain: *domain, text: text.clone(), owner: *owner, due_on: *due_on, decided: None };
            match case.goals.get(id) {
                Some(known) if *known == goal => return Ok(vec![]),
                Some(known) if known.decided.is_some() => return Err((&GOAL_DECIDED).into()),
                None if !new => return Err((&GOAL_UNKNOWN).into()),
                _ => {}
            }
            if *due_on < now.date {
                return Err(GOAL_TERM_PAST.with("due_on", due_on));
            }
            Ok(vec![Event::GoalSet { id: *id, goal }])
        }
        Command::DecideGoal { id, outcome, by_client, told_on } => {
            let goal = case.goals.get(id).ok_or(&GOAL_UNKNOWN)?;
            let on = match (by_client, told_on) {
                (true, _) => now.date,
                (false, Some(told_on)) if *told_on <= now.date => *told_on,
                (false, _) => return Err((&GOAL_IS_THE_CLIENTS).into()),
            };
            match goal.decided {
                Some((decided, _)) if decided == *outcome => Ok(vec![]),
                Some(_) => Err((&GOAL_DECIDED).into()),
                None => Ok(vec![Event::GoalDecided { id: *id, domain: goal.domain, outcome: *outcome, on }]),
            }
        }
        Command::RecordScores { moment, scored_on, levels } => {
            let domains: BTreeSet<_> = levels.iter().map(|(domain, _)| domain).collect();
            if domains.len() < levels.len() {
                return Err((&SCORES_TWICE).into());
            }
            if *scored_on > now.date {
                return Err(SCORES_IN_FUTURE.with("scored_on", scored_on));
            }
            let scoring = Scoring { moment: *moment, scored_on: *scored_on, levels: levels.iter().copied().collect() };
            Ok(if case.scores.contains(&scoring) { vec![] } else { vec![Event::ScoresRecorded(scoring)] })
        }
        Command::SetGuidance { guidance } if case.guidance == Some(*guidance) => Ok(vec![]),
        Command::SetGuidance { guidance } => Ok(vec![Event::GuidanceSet(*guidance)]),
        Command::Close {
            reason: CloseReason::AftercareEnded | CloseReason::Died | CloseReason::Merged,
            by_chain: false,
            ..
        } => Err((&CASE_CLOSE_REASON_RESERVED).into()),
        Command::Close { underway: true, by_chain: false, .. } => Err((&CASE_NOT_AT_ITS_END).into()),
        Command::Close { reason, .. } => Ok(vec![Event::Closed { on: now.date, reason: *reason }]),
    }
}

/// A change needs a reason, the first assignment has its own (R-REG-02).
fn reason_of(replaces: bool, reason: Option<AssignmentReason>) -> Result<AssignmentReason, Refusal> {
    match (replaces, reason) {
        (false, _) => Ok(AssignmentReason::First),
        (true, None | Some(AssignmentReason::First)) => Err((&ASSIGNMENT_REASON_MISSING).into()),
        (true, Some(reason)) => Ok(reason),
    }
}

/// The case after an event.
pub fn apply(mut case: Case, event: &Event) -> Case {
    match event {
        Event::HolderChanged { to, .. } => case.holder = Some(to.clone()),
        Event::SupervisorChanged { to, changes, .. } => {
            case.supervisor = Some(to.clone());
            case.supervisor_changes = *changes;
        }
        Event::PlanAdopted { edition, on, .. } => case.plan = Some((*edition, *on)),
        Event::GoalSet { id, goal } => {
            case.goals.insert(*id, goal.clone());
        }
        Event::GoalDecided { id, outcome, on, .. } => {
            if let Some(goal) = case.goals.get_mut(id) {
                goal.decided = Some((*outcome, *on));
            }
        }
        Event::ScoresRecorded(scoring) => case.scores.push(scoring.clone()),
        Event::GuidanceSet(guidance) => case.guidance = Some(*guidance),
        Event::Closed { on, reason } => case.closed = Some((*on, *reason)),
    }
    case
}

impl Case {
    /// Whether the plan has an open goal on housing (R-HOU-03).
    pub fn has_open_housing_goal(&self) -> bool {
        self.plan.is_some() && self.goals.values().any(|g| g.domain == LifeDomain::Housing && g.decided.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;
    use proptest::prelude::*;

    const TODAY: Date = date(2026, 3, 2);

    fn now() -> Moment {
        Moment::start_of(TODAY)
    }

    fn fresh() -> Case {
        open(CaseId(Uuid::from_u128(1)), Municipality::parse("m", "0505").unwrap(), now())
    }

    fn goal_id(n: u128) -> GoalId {
        GoalId(Uuid::from_u128(n))
    }

    fn somebody(person: &str) -> Assignee {
        Assignee {
            person: person.into(),
            organisation: Organisation::parse("o", "gemeente-dordrecht").unwrap(),
            deputy: None,
        }
    }

    fn run(case: Case, command: &Command) -> Case {
        decide(Some(&case), command, now()).unwrap().iter().fold(case, apply)
    }

    fn refused(case: &Case, command: &Command) -> &'static str {
        decide(Some(case), command, now()).unwrap_err().reason.code
    }

    fn adopt() -> Command {
        Command::AdoptPlan { client_present: true, absence_reason: None }
    }

    fn housing_goal(n: u128) -> Command {
        Command::SetGoal {
            id: goal_id(n),
            new: true,
            domain: LifeDomain::Housing,
            text: "een eigen huis".into(),
            owner: GoalOwner::Client,
            due_on: date(2026, 9, 1),
        }
    }

    fn decide_goal(outcome: GoalOutcome, by_client: bool, told_on: Option<Date>) -> Command {
        Command::DecideGoal { id: goal_id(7), outcome, by_client, told_on }
    }

    /// R-ACC-13
    #[test]
    fn there_is_exactly_one_case_holder_and_a_change_needs_a_reason() {
        let assign = |who: &str, reason| Command::AssignHolder { to: somebody(who), reason };
        let case = run(fresh(), &assign("anna", None));
        assert_eq!(case.holder, Some(somebody("anna")));
        assert_eq!(decide(Some(&case), &assign("anna", None), now()), Ok(vec![]));
        assert_eq!(refused(&case, &assign("bram", None)), "ASSIGNMENT_REASON_MISSING");
        assert_eq!(refused(&case, &assign("bram", Some(AssignmentReason::First))), "ASSIGNMENT_REASON_MISSING");
        let case = run(case, &assign("bram", Some(AssignmentReason::ClientWish)));
        assert_eq!(case.holder, Some(somebody("bram")));
    }

    /// R-REG-02
    #[test]
    fn every_change_of_supervisor_has_a_reason_and_is_counted() {
        let assign = |who: &str, reason| Command::AssignSupervisor { to: somebody(who), reason };
        let case = run(fresh(), &assign("anna", None));
        assert_eq!(case.supervisor_changes, 0);
        assert_eq!(refused(&case, &assign("bram", None)), "ASSIGNMENT_REASON_MISSING");
        let case = run(case, &assign("bram", Some(AssignmentReason::Left)));
        let case = run(case, &assign("carla", Some(AssignmentReason::Caseload)));
        assert_eq!(case.supervisor_changes, 2);
    }

    /// R-REG-04
    #[test]
    fn a_plan_is_adopted_with_the_client_or_says_why_not() {
        let without = Command::AdoptPlan { client_present: false, absence_reason: None };
        assert_eq!(refused(&fresh(), &without), "PLAN_TALK_MISSING");
        let explained = Command::AdoptPlan { client_present: false, absence_reason: Some("ziekenhuis".into()) };
        assert_eq!(run(run(fresh(), &adopt()), &explained).plan, Some((2, TODAY)));
    }

    /// R-REG-03, R-ACC-13
    #[test]
    fn a_goal_belongs_to_the_plan_and_has_a_term_ahead() {
        assert_eq!(refused(&fresh(), &housing_goal(7)), "PLAN_MISSING");
        let case = run(fresh(), &adopt());
        let Command::SetGoal { id, new, domain, text, owner, .. } = housing_goal(7) else { unreachable!() };
        let past = Command::SetGoal { id, new, domain, text: text.clone(), owner, due_on: date(2026, 3, 1) };
        assert_eq!(refused(&case, &past), "GOAL_TERM_PAST");
        let unknown = Command::SetGoal { id, new: false, domain, text, owner, due_on: TODAY };
        assert_eq!(refused(&case, &unknown), "GOAL_UNKNOWN");
        let case = run(case, &housing_goal(7));
        assert!(case.has_open_housing_goal());
        assert_eq!(decide(Some(&case), &housing_goal(7), now()), Ok(vec![]));
    }

    /// R-REG-03
    #[test]
    fn the_client_decides_whether_a_goal_is_met() {
        let case = run(run(fresh(), &adopt()), &housing_goal(7));
        assert_eq!(refused(&case, &decide_goal(GoalOutcome::Met, false, None)), "GOAL_IS_THE_CLIENTS");
        assert_eq!(
            refused(&case, &decide_goal(GoalOutcome::Met, false, Some(date(2026, 3, 3)))),
            "GOAL_IS_THE_CLIENTS"
        );
        let told = run(case.clone(), &decide_goal(GoalOutcome::Met, false, Some(date(2026, 2, 27))));
        assert_eq!(told.goals[&goal_id(7)].decided, Some((GoalOutcome::Met, date(2026, 2, 27))));
        let case = run(case, &decide_goal(GoalOutcome::Met, true, None));
        assert!(!case.has_open_housing_goal());
        assert_eq!(decide(Some(&case), &decide_goal(GoalOutcome::Met, true, None), now()), Ok(vec![]));
        assert_eq!(refused(&case, &decide_goal(GoalOutcome::GivenUp, true, None)), "GOAL_DECIDED");
        assert_eq!(refused(&case, &housing_goal(7)), "GOAL_DECIDED");
    }

    /// R-MON-08
    #[test]
    fn scores_are_one_per_domain_and_never_of_tomorrow() {
        let record = |scored_on, levels: &[(ScoreDomain, u8)]| Command::RecordScores {
            moment: ScoreMoment::Intake,
            scored_on,
            levels: levels.to_vec(),
        };
        let twice = [(ScoreDomain::Housing, 1), (ScoreDomain::Housing, 2)];
        assert_eq!(refused(&fresh(), &record(TODAY, &twice)), "SCORES_TWICE");
        assert_eq!(refused(&fresh(), &record(date(2026, 3, 3), &twice[..1])), "SCORES_IN_FUTURE");
        let case = run(fresh(), &record(TODAY, &twice[..1]));
        assert_eq!(decide(Some(&case), &record(TODAY, &twice[..1]), now()), Ok(vec![]));
        assert_eq!(ScoreDomain::ALL.len(), 13);
    }

    /// R-AFT-01
    #[test]
    fn a_case_does_not_close_while_a_move_or_aftercare_goes_on() {
        let close = |reason, underway, by_chain| Command::Close { reason, underway, by_chain };
        assert_eq!(refused(&fresh(), &close(CloseReason::Left, true, false)), "CASE_NOT_AT_ITS_END");
        assert_eq!(refused(&fresh(), &close(CloseReason::Died, false, false)), "CASE_CLOSE_REASON_RESERVED");
        for case in
            [run(fresh(), &close(CloseReason::Died, true, true)), run(fresh(), &close(CloseReason::Left, false, false))]
        {
            let (_, reason) = case.closed.unwrap();
            assert_eq!(decide(Some(&case), &close(reason, false, true), now()), Ok(vec![]));
            assert_eq!(refused(&case, &adopt()), "CASE_NOT_OPEN");
        }
        assert_eq!(decide(None, &adopt(), now()).unwrap_err().reason.code, "CASE_NOT_OPEN");
    }

    fn any_command() -> impl Strategy<Value = Command> {
        let who = prop::sample::select(vec!["anna", "bram", "carla"]).prop_map(somebody);
        let why = prop::option::of(prop::sample::select(AssignmentReason::ALL));
        prop_oneof![
            (who.clone(), why.clone()).prop_map(|(to, reason)| Command::AssignHolder { to, reason }),
            (who, why).prop_map(|(to, reason)| Command::AssignSupervisor { to, reason }),
            prop::sample::select(Guidance::ALL).prop_map(|guidance| Command::SetGuidance { guidance }),
            (6u128..9).prop_map(housing_goal),
            prop::sample::select(GoalOutcome::ALL).prop_map(|outcome| decide_goal(outcome, true, None)),
            (prop::sample::select(CloseReason::ALL), any::<bool>()).prop_map(|(reason, underway)| Command::Close {
                reason,
                underway,
                by_chain: false
            }),
        ]
    }

    proptest! {
        /// P3: whatever was done before, the same wish twice leaves nothing to do (a new edition of the plan apart).
        #[test]
        fn the_same_wish_twice_changes_nothing(commands in prop::collection::vec(any_command(), 0..20)) {
            let mut case = run(fresh(), &adopt());
            for command in commands {
                if let Ok(events) = decide(Some(&case), &command, now()) {
                    case = events.iter().fold(case, apply);
                    prop_assert_eq!(decide(Some(&case), &command, now()), Ok(vec![]));
                }
            }
        }

        /// R-AFT-01
        #[test]
        fn a_closed_case_stays_as_it_is(commands in prop::collection::vec(any_command(), 0..20)) {
            let closed = run(fresh(), &Command::Close { reason: CloseReason::Left, underway: false, by_chain: false });
            for command in commands {
                prop_assert!(decide(Some(&closed), &command, now()).is_ok_and(|e| e.is_empty())
                    || decide(Some(&closed), &command, now()).is_err());
            }
        }
    }
}
