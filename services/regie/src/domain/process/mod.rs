//! The processes that span the services: pure, from event to command.
//!
//! A process here is no script that waits at a step. It is a page that says, for what is known now, **what should stand**:
//! which case, relations, commands, tasks and deadlines. [`react`] keeps what the feeds told, asks the pages, and sends
//! the difference with what it brought about before: what is missing is done, what no longer holds is undone.
//!
//! ```text
//! event ──record──> facts, one part per feed ──pages──> what should stand ──difference──> outcomes
//!                                                       what stands <───────────────────────┘
//! ```
//!
//! From this follow the promises that no single step has to take care of:
//! - *Any interleaving of the feeds ends the same*: the facts do ([`facts`]), and so does all that is a function of them.
//! - *Twice is once* (P3): an event that was seen is skipped, and what stands already is never sent again.
//! - *Undone everywhere, and no more than that* (P4): every step stands on its page with its undo beside it.
//!
//! # For who wires it
//!
//! - One [`Flow`] per client, stored as JSON. Start with `Flow::default()`; never look inside.
//! - `react(flow, &Incoming { id, at, fact }, &Policy { .. }, now) -> (Flow, Vec<Outcome>)`. Store the flow and queue the
//!   outcomes in one transaction, with the position of the feed. `id` is the event's, `at` its `recorded_at`.
//! - The outcomes are in order. Each has an `id`, UUIDv5 of event and `step`: use it as the `request_id` of a command, as
//!   the id of a task or relation that is new, as the id of the event of a gate.
//! - [`Act::Command`]: call the service as `svc_regie`, in order per client and service; retry until it answers. A refusal comes back as
//!   [`facts::Regie::CommandRefused`] with the outcome's `id` and `step`; the process makes it a task (its subject is that
//!   `id`) and skips the undo of what never was. Had a person it done after all: [`facts::Regie::CommandSettled`].
//! - [`Act::OpenTask`]: among open tasks, `kind` and `subject` are unique; opening again means new `to` or `due_on`, and a
//!   new task if the last one was finished. [`Act::CloseTask`]: no longer needed; finished already is fine.
//!   Warnings before and escalation after `due_on` are the task's own; [`Act::WarnOfTask`] warns of one that opened too
//!   near its end for a warning of its own, and does nothing where that went out already.
//! - [`Act::SetDeadline`]: one per kind and subject, setting replaces. When it is due feed [`Fact::DeadlineReached`], with an
//!   `id` of its own; it may come late, twice or not at all after a clear.
//! - [`Act::OpenCase`] with a known id opens that one again. [`Act::CloseCase`] is for endings that events tell; what people
//!   close comes in as [`facts::Regie::CaseClosed`]. Also feed case holder, plan and override ([`facts::Regie`]).
//!
//! # Editions
//!
//! [`Flow::edition`] is pinned when a case opens and lets go when it closes, so that a change of process never touches a
//! running case: keep the old page as it is, put the new one at the end of `EDITIONS`.

pub mod facts;
mod merged;
mod to_a_home;
mod to_a_landing;

#[cfg(test)]
mod tests;

use facts::{AllocationId, BenefitRequestId, CaseId, Facts, NominationId, SignalId};
pub use facts::{Fact, Incoming};
use kernel::{Calendar, Cents, Date, District, Moment, Municipality, Organisation, Term, Timestamp, Uuid};
pub use merged::Running;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

type Pages = &'static [fn(&View<'_>, &mut Page)];

/// The editions of the processes, oldest first; number 1 is the first.
const EDITIONS: &[Pages] = &[&[to_a_home::page, to_a_landing::page]];

/// What the processes know of one client and what they brought about. Ids, dates and states; nothing about the person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The edition that the open case follows; 0 before the first case.
    pub edition: usize,
    seen: BTreeSet<Uuid>,
    facts: Facts,
    standing: BTreeMap<String, Standing>,
}

/// A step that was taken: under which id, what was done, and what would take it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Standing {
    id: Uuid,
    done: Vec<Act>,
    undo: Vec<Act>,
}

/// Something to carry out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The step that it belongs to ("benefit-start/0190…", "undo benefit-start/0190…").
    pub step: String,
    /// UUIDv5 of the event that caused it and the step: the same for every delivery of that event.
    pub id: Uuid,
    /// What to do.
    pub act: Act,
}

/// What an outcome does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Opens the client's file.
    OpenCase {
        /// The case.
        case: CaseId,
        /// Who is responsible (R-REG-01).
        municipality: Municipality,
    },
    /// Closes it.
    CloseCase {
        /// The case.
        case: CaseId,
        /// Why.
        reason: CloseReason,
    },
    /// An organisation may know this client from now on (R-REG-13).
    GrantRelation(Relation),
    /// It may no longer.
    EndRelation(Relation),
    /// Asks another service to do something.
    Command(Command),
    /// Tells that the gate opened, and on what, or shut (P2). Follows the command to housing.
    DecideGate {
        /// The allocation.
        allocation: AllocationId,
        /// What it opened on; nothing when it shut.
        ground: Option<Ground>,
    },
    /// Puts something on a work list.
    OpenTask(Task),
    /// Takes it off.
    CloseTask {
        /// What was to be done.
        kind: TaskKind,
        /// What it was about.
        subject: Uuid,
    },
    /// Warns whoever has it that its last day is near, because the service that set that day says so.
    WarnOfTask {
        /// What is to be done.
        kind: TaskKind,
        /// What it is about.
        subject: Uuid,
    },
    /// Asks to be woken.
    SetDeadline {
        /// The task that may be needed by then.
        kind: TaskKind,
        /// What it is about.
        subject: Uuid,
        /// When to wake.
        due_at: Timestamp,
    },
    /// No need to wake any more.
    ClearDeadline {
        /// As it was set.
        kind: TaskKind,
        /// As it was set.
        subject: Uuid,
    },
}

/// What regie asks of other services, one per call. Each names its subject, so that an undo can leave before the
/// confirmation of what it undoes came in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is the one of the same name in the request")]
pub enum Command {
    /// income
    PrepareBenefitRequest { municipality: Municipality },
    /// income
    CompleteBenefitRequest { allocation: AllocationId, lease_start_on: Date, municipality: Municipality, rent: Cents },
    /// income
    WithdrawBenefitStart { allocation: AllocationId },
    /// income; because the client died
    WithdrawBenefitRequest { request: BenefitRequestId },
    /// income
    RequestRentGuarantee {
        allocation: AllocationId,
        corporation: Organisation,
        municipality: Municipality,
        lease_start_on: Date,
        rent: Cents,
    },
    /// income
    WithdrawRentGuarantee { allocation: AllocationId },
    /// aftercare
    DraftHandover {
        allocation: AllocationId,
        from: Organisation,
        to: Organisation,
        municipality: Municipality,
        district: Option<District>,
        move_on: Date,
    },
    /// aftercare
    CancelHandover { allocation: AllocationId },
    /// aftercare
    StartAftercare { allocation: AllocationId, started_on: Date },
    /// aftercare; because the client died
    EndAftercare { allocation: AllocationId },
    /// aftercare
    InvokeRelapseGuarantee { signal: SignalId },
    /// housing; also to change the ground of a gate that is open
    OpenGate { allocation: AllocationId, ground: Ground },
    /// housing
    ShutGate { allocation: AllocationId },
    /// housing; because the client died
    WithdrawNomination { nomination: NominationId },
    /// housing; because the client died
    WithdrawAllocation { allocation: AllocationId },
    /// access
    ClaimPlace { signal: SignalId, municipality: Municipality, relapse_guarantee: bool },
}

impl Command {
    /// The service that is asked.
    pub fn service(&self) -> &'static str {
        match self {
            Command::PrepareBenefitRequest { .. }
            | Command::CompleteBenefitRequest { .. }
            | Command::WithdrawBenefitStart { .. }
            | Command::WithdrawBenefitRequest { .. }
            | Command::RequestRentGuarantee { .. }
            | Command::WithdrawRentGuarantee { .. } => "income",
            Command::DraftHandover { .. }
            | Command::CancelHandover { .. }
            | Command::StartAftercare { .. }
            | Command::EndAftercare { .. }
            | Command::InvokeRelapseGuarantee { .. } => "aftercare",
            Command::OpenGate { .. }
            | Command::ShutGate { .. }
            | Command::WithdrawNomination { .. }
            | Command::WithdrawAllocation { .. } => "housing",
            Command::ClaimPlace { .. } => "access",
        }
    }
}

/// What secures the income from the lease start, firmest first (P2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ground {
    /// Benefit granted, changed or transferred.
    Benefit,
    /// Own income verified.
    OwnIncome,
    /// An advance with a written expectation.
    Advance,
    /// A bridging guarantee.
    Guarantee,
    /// The municipality's own decision.
    Override,
}

/// Why a case closes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloseReason {
    /// Landed: the end of aftercare, not the keys (R-AFT-01).
    AftercareEnded,
    /// R-REG-29.
    Died,
    /// Every notification was withdrawn and there is no stay.
    Withdrawn,
    /// The record points to another of the same person (R-REG-26), or this is part of the case before it.
    Merged,
}

/// Which organisation may know the client, and where that comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// The organisation.
    pub organisation: Organisation,
    /// What it comes from.
    pub kind: RelationKind,
}

/// What a relation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelationKind {
    /// Brought the notification.
    Notifier,
    /// The access desk of the municipality of notification.
    Access,
    /// The client stays there, or it gives the handover and is responsible until that is accepted (R-AFT-02).
    Stay,
    /// Nominated the client.
    Nominator,
    /// Social services, since the nomination.
    Income,
    /// The corporation, since a home was accepted by all.
    Landlord,
    /// The district team, since a home was accepted by all.
    District,
}

/// Something for people to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// What.
    pub kind: TaskKind,
    /// About what: an allocation, a signal, …
    pub subject: Uuid,
    /// Whose it is.
    pub to: To,
    /// The last day for it.
    pub due_on: Date,
}

/// Whose a task is. A municipality's desk that the register does not know is its regie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum To {
    /// The municipality as orchestrator.
    Municipality(Municipality),
    /// Its access desk.
    AccessDesk(Municipality),
    /// Whoever has duty there now; the emergency number comes first (R-REG-30).
    DutyPerson(Municipality),
    /// Its social services.
    SocialServices(Municipality),
    /// The client's case holder; the municipality while there is none.
    CaseHolder,
    /// One organisation.
    Organisation(Organisation),
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TaskKind {
    /// A registration may be of somebody known already (R-REG-26).
    LookAtDuplicate,
    /// Something runs under a record that points to another (R-REG-26). The subject is the merge.
    LookAtMerge,
    /// Give the client one contact (R-ACC-13).
    AssignCaseholder,
    /// Finish the investigation within its term (R-ACC-04).
    FinishInvestigation,
    /// Decide on the application within its term (R-ACC-08).
    TakeDecision,
    /// Extend the decision or let it end (R-ACC-20).
    ExtendDecision,
    /// Make the plan (R-ACC-17).
    MakePlan,
    /// Answer the offer for the client before its term ends (P7).
    AnswerOffer,
    /// Say yes or no to the candidate before the offer's term ends (P7).
    AnswerCandidate,
    /// An offer lapsed: decide how to go on (R-HOU-22).
    FollowUpOffer,
    /// Decide on the benefit in time (R-INC-03, P2).
    DecideBenefit,
    /// Answer what social services asked (R-INC-04); not answered in time, it is the municipality's.
    GiveInformation,
    /// Pay an advance in time (R-INC-04).
    PayAdvance,
    /// Benefit starts after the lease, or fell away between signing and move (R-INC-11).
    CloseBenefitGap,
    /// Benefit was refused with the move at hand: bridge, other income, other date, objection (R-INC-27).
    BridgeIncome,
    /// The gate is shut with the signing at hand: decide (P2).
    DecideGate,
    /// Decide on the rent guarantee, or on its end (R-HOU-05).
    DecideGuarantee,
    /// Fill in the handover (R-AFT-02).
    FillHandover,
    /// Accept the handover or return it (R-AFT-02).
    AnswerHandover,
    /// Nobody answers the handover: assign it (R-AFT-02).
    AssignHandover,
    /// Take up a signal that nobody took up in time (R-AFT-06).
    TakeUpSignal,
    /// Somebody has nowhere to sleep tonight and no place was found (P6).
    FindPlaceTonight,
    /// See how it goes, and whether aftercare may end (R-AFT-18).
    ReviewAftercare,
    /// A home fell through or was lost: decide how to go on.
    FollowUpHome,
    /// The client left the last stay without a home: close the case or go on.
    FollowUpDeparture,
    /// A service refused a command for good: settle it by hand. The subject is the request id of that command.
    SettleRefusedCommand,
}

/// What is set per municipality and year, and who does what where.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The terms that hold today.
    pub terms: &'a Terms,
    /// Working days.
    pub calendar: &'a Calendar,
    /// Organisations.
    pub register: &'a Register,
}

/// The terms of the processes; `[process]` in regie's policy file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Working days before signing on which the municipality must decide about a shut gate (P2).
    pub gate_working_days: i32,
    /// Working days before the end of an offer on which whoever has not answered is reminded (P7).
    pub offer_working_days: i32,
    /// How near a move is "close" when benefit is refused, in days (R-INC-27).
    pub close_to_move_days: i32,
    /// To give a client a case holder (R-ACC-13).
    pub case_holder: Term,
    /// To make the plan of a trajectory (R-ACC-17).
    pub plan: Term,
    /// To decide how to go on: after a lapsed offer, a lost home, a refused command.
    pub follow_up: Term,
    /// Minutes without a claimed place after which a duty person is alarmed (P6).
    pub place_minutes: i32,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            gate_working_days: 3,
            offer_working_days: 1,
            close_to_move_days: 14,
            case_holder: Term::WorkingDays(2),
            plan: Term::Days(5),
            follow_up: Term::WorkingDays(5),
            place_minutes: 30,
        }
    }
}

/// Which organisation does what where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// The access desk of a municipality.
    pub access: BTreeMap<Municipality, Organisation>,
    /// Its social services.
    pub income: BTreeMap<Municipality, Organisation>,
    /// The team of a district.
    pub teams: BTreeMap<District, Organisation>,
}

impl Flow {
    /// What runs under this record on that day (R-REG-26).
    pub fn running(&self, today: Date) -> BTreeSet<Running> {
        self.facts.running(today)
    }
}

/// What one event brings about. Pure: same arguments, same answer.
pub fn react(mut flow: Flow, event: &Incoming, policy: &Policy<'_>, now: Moment) -> (Flow, Vec<Outcome>) {
    // A deadline tells nothing but the day, so that seeing it twice is harmless and need not be remembered.
    if !matches!(event.fact, Fact::DeadlineReached { .. }) && !flow.seen.insert(event.id) {
        return (flow, vec![]);
    }
    flow.facts.record(event);
    if flow.edition == 0 || !flow.standing.keys().any(|step| step.starts_with(to_a_home::CASE)) {
        flow.edition = EDITIONS.len();
    }
    let page = wanted(&flow, policy, now);
    let outcomes = difference(&mut flow, page, event.id);
    (flow, outcomes)
}

/// What should stand, by the pages of the flow's own edition.
fn wanted(flow: &Flow, policy: &Policy<'_>, now: Moment) -> Page {
    let view = View { facts: &flow.facts, standing: &flow.standing, policy, now, cases: flow.facts.cases() };
    let mut page = Page { now, steps: vec![] };
    match &flow.facts.regie.merged {
        Some(merged) => merged::page(&view, &mut page, merged),
        None => EDITIONS[flow.edition.clamp(1, EDITIONS.len()) - 1].iter().for_each(|fill| fill(&view, &mut page)),
    }
    view.refused_commands(&mut page);
    page
}

/// Brings what stands in line with the page: first what is undone, so that a new move never meets the remains of an old one.
fn difference(flow: &mut Flow, page: Page, event: Uuid) -> Vec<Outcome> {
    let mut outcomes = vec![];
    let mut send = |step: &str, acts: &[Act]| {
        let id = Uuid::new_v5(&event, step.as_bytes());
        outcomes.extend(acts.iter().map(|act| Outcome { step: step.to_owned(), id, act: act.clone() }));
        id
    };
    let stays = |step: &String| page.steps.iter().any(|s| s.step == *step && s.stage == Stage::Wanted);
    let mut gone: Vec<_> = flow.standing.keys().filter(|step| !stays(step)).cloned().collect();
    // A case closes when nothing of it stands any more.
    gone.sort_by_key(|step| step.starts_with(to_a_home::CASE));
    for step in &gone {
        let Some(standing) = flow.standing.remove(step) else { continue };
        let listed = page.steps.iter().find(|s| s.step == *step);
        let behind = listed.is_some_and(|s| s.stage == Stage::Behind);
        if !behind && !flow.facts.regie.refused.contains_key(&standing.id) {
            send(&format!("{UNDO}{step}"), listed.map_or(&standing.undo, |s| &s.undo));
        }
    }
    for Step { step, stage, acts: done, undo } in page.steps {
        let standing = flow.standing.get(&step);
        let sent = standing.is_some_and(|s| s.done == done || !done.iter().all(Act::may_be_restated));
        if stage == Stage::Wanted && !sent {
            let id = send(&step, &done);
            flow.standing.insert(step, Standing { id, done, undo });
        }
    }
    outcomes
}

const UNDO: &str = "undo ";

impl Act {
    /// Whether it is sent again when its content changes. What is asked of others once, is asked once (P3).
    fn may_be_restated(&self) -> bool {
        match self {
            Act::OpenTask(_) | Act::SetDeadline { .. } | Act::DecideGate { .. } => true,
            Act::Command(command) => matches!(command, Command::OpenGate { .. }),
            _ => false,
        }
    }
}

// ------------------------------------------------------------------------------------------------ how a page is written

/// What should stand, in the order in which it is to be done.
struct Page {
    now: Moment,
    steps: Vec<Step>,
}

struct Step {
    step: String,
    stage: Stage,
    acts: Vec<Act>,
    undo: Vec<Act>,
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// To be done, or to stay as it is.
    Wanted,
    /// To be undone, or never to be done.
    Unwanted,
    /// Done its work: neither done nor undone any more.
    Behind,
}

impl Stage {
    fn when(wanted: bool) -> Self {
        if wanted { Stage::Wanted } else { Stage::Unwanted }
    }
}

/// Nothing to undo: what was done is allowed to stay.
const STAYS: [Act; 0] = [];

impl Page {
    /// A step, and its undo beside it. Two facts may want the same: the first says so.
    fn step(
        &mut self,
        (name, subject): (&str, impl std::fmt::Display),
        stage: Stage,
        acts: impl IntoIterator<Item = impl Into<Act>>,
        undo: impl IntoIterator<Item = impl Into<Act>>,
    ) {
        let step = format!("{name}/{subject}");
        if self.steps.iter().any(|s| s.step == step) {
            return;
        }
        let (acts, undo) = (acts.into_iter().map(Into::into).collect(), undo.into_iter().map(Into::into).collect());
        self.steps.push(Step { step, stage, acts, undo });
    }

    /// A step that stands, as it stands.
    fn keep(&mut self, step: &str, standing: &Standing) {
        if !self.steps.iter().any(|s| s.step == step) {
            let Standing { done: acts, undo, .. } = standing.clone();
            self.steps.push(Step { step: step.to_owned(), stage: Stage::Wanted, acts, undo });
        }
    }

    /// An organisation that may know the client, as long as this is said.
    fn relation(&mut self, kind: RelationKind, organisation: &Organisation) {
        let relation = Relation { organisation: organisation.clone(), kind };
        self.step(
            ("relation", format!("{kind:?}/{organisation}")),
            Stage::Wanted,
            [Act::GrantRelation(relation.clone())],
            [Act::EndRelation(relation)],
        );
    }

    /// Something for people to do, as long as this is said.
    fn task(&mut self, kind: TaskKind, subject: Uuid, to: To, due_on: Date) {
        self.task_step(format!("{kind:?}/{subject}"), Task { kind, subject, to, due_on });
    }

    /// The same, asked once more: each time is a task of its own, however the last one ended and whoever has it.
    fn task_again(&mut self, count: i32, kind: TaskKind, subject: Uuid, to: To, due_on: Date) {
        self.task_step(format!("{kind:?}/{subject}/{count}"), Task { kind, subject, to, due_on });
    }

    fn task_step(&mut self, name: String, task: Task) {
        let Task { kind, subject, .. } = task;
        self.step(("task", name), Stage::Wanted, [Act::OpenTask(task)], [Act::CloseTask { kind, subject }]);
    }

    /// A task whose last day is near, as the service says that set that day. A warning once given is not taken back.
    fn warning(&mut self, kind: TaskKind, subject: Uuid) {
        self.step(
            ("warning", format!("{kind:?}/{subject}")),
            Stage::Wanted,
            [Act::WarnOfTask { kind, subject }],
            STAYS,
        );
    }

    /// The same, from a moment on; until then only somebody to wake us.
    fn task_from(&mut self, from: Moment, kind: TaskKind, subject: Uuid, to: To, due_on: Date) {
        if from.at <= self.now.at {
            return self.task(kind, subject, to, due_on);
        }
        self.step(
            ("deadline", format!("{kind:?}/{subject}")),
            Stage::Wanted,
            [Act::SetDeadline { kind, subject, due_at: from.at }],
            [Act::ClearDeadline { kind, subject }],
        );
    }
}

impl From<Command> for Act {
    fn from(command: Command) -> Self {
        Act::Command(command)
    }
}

// ------------------------------------------------------------------------------------------------ what a page looks at

/// What is known, on the day.
struct View<'a> {
    facts: &'a Facts,
    standing: &'a BTreeMap<String, Standing>,
    policy: &'a Policy<'a>,
    now: Moment,
    cases: Vec<Case>,
}

/// One time that a client needs the chain: from a notification to a landing. A returning client gets a new one.
struct Case {
    id: CaseId,
    municipality: Municipality,
    from: Timestamp,
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    ByItself(CloseReason),
    ByHand,
}

impl View<'_> {
    fn alive(&self) -> bool {
        !self.facts.access.died
    }

    fn open_case(&self) -> Option<&Case> {
        self.cases.last().filter(|case| case.end.is_none())
    }

    /// Who orchestrates: the case's municipality, else the one that a nomination, a home or a report names.
    fn municipality(&self) -> Option<Municipality> {
        let housing = &self.facts.housing;
        let case = self.cases.last().map(|case| &case.municipality);
        let nomination = || housing.nominations.values().next_back().map(|nomination| &nomination.municipality);
        let home = || housing.moves.values().next_back().map(|m| &m.home.municipality);
        let night = || self.facts.aftercare.nights.values().next_back().map(|night| &night.municipality);
        case.or_else(nomination).or_else(home).or_else(night).cloned()
    }

    /// The municipality that somebody named, or ours when nobody knew ("0000").
    fn or_ours(&self, named: &Municipality) -> Municipality {
        let ours = || self.municipality().unwrap_or_else(|| named.clone());
        if named.as_str() == "0000" { ours() } else { named.clone() }
    }

    /// That municipality, or the case holder when none is known yet.
    fn regie(&self) -> To {
        self.municipality().map_or(To::CaseHolder, To::Municipality)
    }

    /// The last day of a term of ours.
    fn term(&self, from: Date, term: Term) -> Date {
        self.policy.calendar.plain_end(from, term)
    }

    fn working_days_before(&self, days: i32, day: Date) -> Moment {
        Moment::start_of(self.policy.calendar.add_working_days(day, -days))
    }

    /// The last day of a task that nothing but its opening dates; once set it stays.
    fn due_of(&self, kind: TaskKind, subject: Uuid) -> Date {
        let standing = self.standing.get(&format!("task/{kind:?}/{subject}")).and_then(|s| s.done.first());
        match standing {
            Some(Act::OpenTask(task)) => task.due_on,
            _ => self.term(self.now.date, self.policy.terms.follow_up),
        }
    }

    /// Whether the step stands and its command was refused for good.
    fn refused(&self, name: &str, subject: impl std::fmt::Display) -> bool {
        let standing = self.standing.get(&format!("{name}/{subject}"));
        standing.is_some_and(|s| self.facts.regie.refused.contains_key(&s.id))
    }

    /// A command that is refused for good becomes a task for a person, never an endless retry. So does an undo: something
    /// is left somewhere that should not be (P4).
    fn refused_commands(&self, page: &mut Page) {
        let refused = self.facts.regie.refused.iter().filter(|(id, step)| {
            let stands = self.standing.get(*step).is_some_and(|s| s.id == **id)
                && page.steps.iter().any(|s| s.step == **step && s.stage == Stage::Wanted)
                // That one has a task of its own: it cannot wait for a desk.
                && !step.starts_with(to_a_landing::PLACE);
            stands || step.starts_with(UNDO)
        });
        let kind = TaskKind::SettleRefusedCommand;
        let refused: Vec<_> = refused.map(|(id, _)| *id).collect();
        for id in refused {
            page.task(kind, id, self.regie(), self.due_of(kind, id));
        }
    }
}

impl Facts {
    /// The client's cases, oldest first. A notification belongs to the case that is open at its time; one from after the end
    /// of a case, or from after the keys when that end is the landing, opens the next. Judged by the times at which the
    /// services recorded things, not by the order in which they reached regie.
    fn cases(&self) -> Vec<Case> {
        let mut cases: Vec<Vec<&facts::Notification>> = vec![];
        for new in &self.access.notifications {
            match cases.last_mut() {
                Some(case) if self.end_of(case, new.at).is_none_or(|(_, until)| new.at <= until) => case.push(new),
                _ => cases.push(vec![new]),
            }
        }
        let begins: Vec<_> = cases.iter().skip(1).map(|next| next[0].at).chain([Timestamp::MAX]).collect();
        let ends = cases.iter().zip(begins).map(|(case, next)| self.end_of(case, next).map(|(end, _)| end));
        let ids = cases.iter().map(|case| CaseId(Uuid::new_v5(&case[0].id.0, b"case")));
        let opened = cases.iter().map(|case| (case[0].municipality.clone(), case[0].at));
        ids.zip(opened)
            .zip(ends)
            .map(|((id, (municipality, from)), end)| Case { id, municipality, from, end })
            .collect()
    }

    /// How a case ended, if it did, and until when a notification still belonged to it.
    fn end_of(&self, case: &[&facts::Notification], next: Timestamp) -> Option<(End, Timestamp)> {
        let id = CaseId(Uuid::new_v5(&case[0].id.0, b"case"));
        if self.access.died {
            return Some((End::ByItself(CloseReason::Died), Timestamp::MAX));
        }
        let by_itself = self.end_by_itself(case, next);
        if let Some(at) = self.regie.closed.get(&id) {
            // Whoever closed it may not have heard yet that it had ended: what came in between belongs to the next.
            return Some((End::ByHand, by_itself.map_or(*at, |(_, until)| until.min(*at))));
        }
        by_itself.map(|(reason, until)| (End::ByItself(reason), until))
    }

    fn end_by_itself(&self, case: &[&facts::Notification], next: Timestamp) -> Option<(CloseReason, Timestamp)> {
        let moves = || self.housing.moves.iter().filter(|(_, m)| (case[0].at..next).contains(&m.at));
        let landed = |(id, _): &(&AllocationId, &facts::Move)| self.aftercare.ended.get(id) == Some(&true);
        let settled = |(id, m): (&AllocationId, &facts::Move)| {
            self.aftercare.ended.contains_key(id) || (m.over.is_some() && m.keys.is_none())
        };
        if moves().any(|m| landed(&m)) && moves().all(settled) {
            let keys = moves().filter(landed).filter_map(|(_, m)| m.keys).map(|(_, at)| at).max();
            return Some((CloseReason::AftercareEnded, keys.unwrap_or(case[0].at)));
        }
        self.withdrawn(case, next).map(|until| (CloseReason::Withdrawn, until))
    }

    /// When the last notification of a case was withdrawn, if all were and no stay began before the next.
    fn withdrawn(&self, case: &[&facts::Notification], next: Timestamp) -> Option<Timestamp> {
        let withdrawn = case.iter().map(|notification| notification.withdrawn_at).collect::<Option<Vec<_>>>()?;
        let stays = self.access.stays.values().any(|stay| stay.at < next);
        withdrawn.into_iter().max().filter(|_| !stays)
    }
}
