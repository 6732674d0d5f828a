//! The processes, tried: replayed, refused, late, repeated, undone twice, and in every order that the feeds can take.

mod case;
mod gate;
mod merged;
mod once;
mod orders;
mod terms;
mod undone;

use super::facts::{Access as A, Aftercare as N, Housing as H, Income as I, Regie as R, *};
use super::*;
use jiff::civil::date;
use proptest::prelude::*;
use std::sync::LazyLock;

const START: Date = date(2026, 3, 2);
const LEASE: Date = date(2026, 4, 1);
static TERMS: LazyLock<Terms> = LazyLock::new(Terms::default);
static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::default);
static REGISTER: LazyLock<Register> = LazyLock::new(|| Register {
    access: [(town(), org("toegang"))].into(),
    income: [(town(), org("sociale-dienst"))].into(),
    teams: [(district(), org("wijkteam"))].into(),
});

fn policy() -> Policy<'static> {
    Policy { terms: &TERMS, calendar: &CALENDAR, register: &REGISTER }
}
fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}
fn town() -> Municipality {
    Municipality::parse("m", "0505").unwrap()
}
fn district() -> District {
    District::parse("d", "WK050501").unwrap()
}
fn org(code: &str) -> Organisation {
    Organisation::parse("o", code).unwrap()
}
fn home(nomination: u128) -> Home {
    Home {
        nomination: NominationId(uuid(nomination)),
        corporation: org("trivire"),
        provider: org("leger"),
        municipality: town(),
        district: Some(district()),
        lease_start_on: LEASE,
        rent: Cents(61_000),
        guarantee_required: true,
    }
}
fn allocation(n: u128) -> AllocationId {
    AllocationId(uuid(n))
}
fn notified(n: u128) -> Fact {
    A::NotificationReceived { notification: NotificationId(uuid(n)), municipality: town(), notified_by: org("leger") }
        .into()
}
fn case(n: u128) -> CaseId {
    CaseId(Uuid::new_v5(&uuid(n), b"case"))
}
fn nominated(n: u128) -> Fact {
    H::Nominated { nomination: NominationId(uuid(n)), municipality: town(), nominated_by: org("leger") }.into()
}
fn accepted(n: u128, nomination: u128) -> Fact {
    H::AllocationAccepted { allocation: allocation(n), home: home(nomination) }.into()
}
fn fell(n: u128) -> Fact {
    H::AllocationWithdrawn { allocation: allocation(n) }.into()
}
fn signed(n: u128) -> Fact {
    H::LeaseSigned { allocation: allocation(n) }.into()
}
fn keys(n: u128) -> Fact {
    H::KeysHandedOver { allocation: allocation(n), on: LEASE }.into()
}
fn request() -> BenefitRequestId {
    BenefitRequestId(uuid(70))
}
fn granted(from: Date) -> Fact {
    I::BenefitDecided { request: request(), granted: true, running_from: Some(from) }.into()
}
fn benefit_refused() -> Fact {
    I::BenefitDecided { request: request(), granted: false, running_from: None }.into()
}
fn own_income(from: Date, until: Option<Date>) -> Fact {
    I::OwnIncomeVerified { period: Period { from, until } }.into()
}
fn nowhere(n: u128) -> Fact {
    N::NowhereToSleepReported { signal: SignalId(uuid(n)), municipality: town(), relapse_guarantee: false }.into()
}
fn again(n: u128, count: i32) -> Fact {
    N::NowhereToSleepRepeated { signal: SignalId(uuid(n)), municipality: town(), count }.into()
}
fn admitted(n: u128) -> Fact {
    A::Admitted { stay: StayId(uuid(n)), organisation: org("leger"), notification: None }.into()
}
fn departed(n: u128) -> Fact {
    A::Departed { stay: StayId(uuid(n)) }.into()
}
fn offered(offer: u128, nomination: u128, until: Date) -> Fact {
    let (offer, nomination) = (OfferId(uuid(offer)), NominationId(uuid(nomination)));
    H::OfferMade { offer, nomination, corporation: org("trivire"), until }.into()
}
fn offer_ends(offer: u128) -> Fact {
    H::OfferEndingSoon { offer: OfferId(uuid(offer)), provider: org("begeleiding") }.into()
}
fn to_fill(n: u128, fill_by: Date) -> Fact {
    N::HandoverToFill { allocation: allocation(n), giver: org("leger"), fill_by }.into()
}
fn to_answer(n: u128, answer_by: Date) -> Fact {
    N::HandoverToAnswer { allocation: allocation(n), receiver: org("wijkteam"), answer_by }.into()
}
fn due_soon(n: u128) -> Fact {
    N::HandoverDueSoon { allocation: allocation(n) }.into()
}
fn asked(answer_by: Date) -> Fact {
    I::InformationAsked { request: request(), answer_by }.into()
}
fn not_given(decision_due_on: Option<Date>) -> Fact {
    I::InformationOverdue { request: request(), decision_due_on }.into()
}
fn unanswered(n: u128) -> Fact {
    I::RentGuaranteeUnanswered { allocation: allocation(n) }.into()
}
fn landed(n: u128) -> Fact {
    N::AftercareEnded { allocation: allocation(n), landed: true }.into()
}
fn died() -> Fact {
    A::ClientDied.into()
}

/// Facts as the feeds tell them: each with an id and a time of its own, the n-th one hour after the one before.
fn tell(facts: impl IntoIterator<Item = Fact>) -> Vec<Incoming> {
    let at =
        |n: usize| Moment::of(Moment::start_of(START).at.saturating_add(jiff::Span::new().hours(n as i64)).unwrap());
    facts.into_iter().enumerate().map(|(n, fact)| Incoming { id: uuid(1_000 + n as u128), at: at(n), fact }).collect()
}

/// Services that do what they are told, and are never told to do twice, or to undo what is not there.
#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    cases: BTreeSet<String>,
    relations: BTreeSet<String>,
    held: BTreeSet<String>,
    gates: BTreeMap<AllocationId, Ground>,
    tasks: BTreeMap<(TaskKind, Uuid), Task>,
    deadlines: BTreeMap<(TaskKind, Uuid), Timestamp>,
}

impl World {
    fn carry_out(&mut self, outcome: &Outcome) {
        let once = |set: &mut BTreeSet<String>, what: String| assert!(set.insert(what.clone()), "twice: {what}");
        let back = |set: &mut BTreeSet<String>, what: String| assert!(set.remove(&what), "was not there: {what}");
        let held = &mut self.held;
        match outcome.act.clone() {
            Act::OpenCase { case, .. } => once(&mut self.cases, case.to_string()),
            Act::CloseCase { case, .. } => back(&mut self.cases, case.to_string()),
            Act::GrantRelation(r) => once(&mut self.relations, format!("{r:?}")),
            Act::EndRelation(r) => back(&mut self.relations, format!("{r:?}")),
            Act::OpenTask(task) => drop(self.tasks.insert((task.kind, task.subject), task)),
            Act::CloseTask { kind, subject } => assert!(self.tasks.remove(&(kind, subject)).is_some()),
            Act::WarnOfTask { kind, subject } => assert!(self.tasks.contains_key(&(kind, subject)), "on no list"),
            Act::SetDeadline { kind, subject, due_at } => drop(self.deadlines.insert((kind, subject), due_at)),
            Act::ClearDeadline { kind, subject } => assert!(self.deadlines.remove(&(kind, subject)).is_some()),
            Act::DecideGate { .. } => {}
            Act::Command(command) => match command {
                Command::PrepareBenefitRequest { .. } => once(held, outcome.step.clone()),
                Command::CompleteBenefitRequest { allocation, .. } => once(held, format!("start {allocation}")),
                Command::WithdrawBenefitStart { allocation } => back(held, format!("start {allocation}")),
                Command::RequestRentGuarantee { allocation, .. } => once(held, format!("guarantee {allocation}")),
                Command::WithdrawRentGuarantee { allocation } => back(held, format!("guarantee {allocation}")),
                Command::DraftHandover { allocation, .. } => once(held, format!("handover {allocation}")),
                Command::CancelHandover { allocation } => back(held, format!("handover {allocation}")),
                Command::StartAftercare { allocation, .. } => once(held, format!("aftercare {allocation}")),
                Command::EndAftercare { allocation } => back(held, format!("aftercare {allocation}")),
                Command::OpenGate { allocation, ground } => drop(self.gates.insert(allocation, ground)),
                Command::ShutGate { allocation } => assert!(self.gates.remove(&allocation).is_some()),
                other => once(held, format!("{other:?}")),
            },
        }
    }

    /// What ends in the services themselves, by what they told.
    fn hear(&mut self, fact: &Fact) {
        match fact {
            Fact::Housing(
                H::AllocationWithdrawn { allocation } | H::LeaseSigned { allocation } | H::LeaseEnded { allocation },
            ) => drop(self.gates.remove(allocation)),
            // A nomination that was taken for a home could not be withdrawn.
            Fact::Housing(H::AllocationAccepted { home, .. }) => {
                self.held.remove(&format!("{:?}", Command::WithdrawNomination { nomination: home.nomination }));
            }
            Fact::Housing(H::NominationWithdrawn { nomination }) => {
                self.held.remove(&format!("benefit-request/{nomination}"));
            }
            Fact::Aftercare(N::AftercareEnded { allocation, .. }) => {
                self.held.remove(&format!("aftercare {allocation}"));
            }
            Fact::Aftercare(N::SignalClosed { signal }) => self.held.retain(|what| !what.contains(&signal.to_string())),
            Fact::Access(A::ClientDied) => {
                self.gates.clear();
                let gone = ["benefit-request", "ClaimPlace", "InvokeRelapseGuarantee"];
                self.held.retain(|what| !gone.iter().any(|w| what.starts_with(w)));
            }
            Fact::Regie(R::CaseClosed { case }) => {
                self.cases.remove(&case.to_string());
            }
            _ => {}
        }
    }
}

#[derive(Clone, Default)]
struct Run {
    flow: Flow,
    world: World,
    sent: Vec<Outcome>,
}

impl Run {
    fn of(events: &[Incoming]) -> Self {
        Self::on(START, events)
    }
    fn on(day: Date, events: &[Incoming]) -> Self {
        events.iter().fold(Self::default(), |mut run, event| {
            run.take(event, day);
            run
        })
    }
    fn take(&mut self, event: &Incoming, day: Date) -> Vec<Outcome> {
        let (flow, outcomes) = react(std::mem::take(&mut self.flow), event, &policy(), Moment::at_hour(day, 12));
        self.flow = flow;
        outcomes.iter().for_each(|outcome| self.world.carry_out(outcome));
        self.world.hear(&event.fact);
        self.sent.extend(outcomes.iter().cloned());
        outcomes
    }
    fn wake(&mut self, day: Date) -> Vec<Outcome> {
        let fact = Fact::DeadlineReached { kind: TaskKind::DecideGate, subject: uuid(0) };
        let event = Incoming { id: uuid(9_999_000 + day.day_of_year() as u128), at: Moment::start_of(day), fact };
        self.take(&event, day)
    }
    fn task(&self, kind: TaskKind) -> Option<&Task> {
        self.world.tasks.values().find(|task| task.kind == kind)
    }
    fn commands(&self) -> Vec<Command> {
        commands(&self.sent)
    }
    /// What stands, whatever event it was that brought it about.
    fn stands(&self) -> Vec<(&String, &Vec<Act>, &Vec<Act>)> {
        self.flow.standing.iter().map(|(step, s)| (step, &s.done, &s.undo)).collect()
    }
}

fn commands(outcomes: &[Outcome]) -> Vec<Command> {
    let of = |outcome: &Outcome| match &outcome.act {
        Act::Command(command) => Some(command.clone()),
        _ => None,
    };
    outcomes.iter().filter_map(of).collect()
}

/// The whole road, with its detours: a declined home, a fallen allocation, a late benefit, a handover returned, a relapse.
fn road() -> Vec<Fact> {
    let (one, two, offer) = (allocation(31), allocation(32), |n| OfferId(uuid(n)));
    let nomination = NominationId(uuid(20));
    let offered =
        |n| H::OfferMade { offer: offer(n), nomination, corporation: org("trivire"), until: date(2026, 3, 10) };
    let (giver, receiver) = (org("leger"), org("wijkteam"));
    let to_fill = |a| N::HandoverToFill { allocation: a, giver: giver.clone(), fill_by: date(2026, 3, 12) };
    let (signal, claim) = (SignalId(uuid(50)), ClaimId(uuid(60)));
    vec![
        notified(1),
        A::InvestigationDueSoon { notification: NotificationId(uuid(1)), due_on: date(2026, 3, 20) }.into(),
        R::CaseHolderChanged { case: case(1) }.into(),
        A::Admitted { stay: StayId(uuid(10)), organisation: org("leger"), notification: None }.into(),
        A::TrajectoryStarted { stay: StayId(uuid(10)), started_on: START }.into(),
        R::PlanAdopted { case: case(1) }.into(),
        A::IntakeCompleted { notification: NotificationId(uuid(1)) }.into(),
        nominated(20),
        I::BenefitRequestPrepared { request: request() }.into(),
        offered(40).into(),
        H::OfferAnswered { offer: offer(40), by_client: true, accepted: false }.into(),
        offered(41).into(),
        offer_ends(41),
        H::OfferAnswered { offer: offer(41), by_client: false, accepted: true }.into(),
        H::OfferAnswered { offer: offer(41), by_client: true, accepted: true }.into(),
        accepted(31, 20),
        I::BenefitRequestCompleted { request: request(), running_from: None }.into(),
        to_fill(one).into(),
        fell(31),
        N::HandoverCancelled { allocation: one }.into(),
        I::RentGuaranteeEnded { allocation: one }.into(),
        offered(42).into(),
        accepted(32, 20),
        I::BenefitRequestCompleted { request: request(), running_from: None }.into(),
        to_fill(two).into(),
        due_soon(32),
        asked(date(2026, 3, 9)),
        N::HandoverToAnswer { allocation: two, receiver: receiver.clone(), answer_by: date(2026, 3, 16) }.into(),
        to_fill(two).into(),
        N::HandoverToAnswer { allocation: two, receiver: receiver.clone(), answer_by: date(2026, 3, 20) }.into(),
        due_soon(32),
        not_given(Some(date(2026, 4, 20))),
        unanswered(32),
        I::AdvancePaid { request: request(), expected: Some(Period { from: LEASE, until: None }) }.into(),
        N::HandoverAccepted { allocation: two, receiver }.into(),
        I::RentGuaranteeGranted { allocation: two, ends_on: date(2027, 4, 1), bridging: false }.into(),
        granted(LEASE),
        signed(32),
        keys(32),
        A::Departed { stay: StayId(uuid(10)) }.into(),
        N::AftercareReviewDue { allocation: two, due_on: date(2026, 9, 1) }.into(),
        nowhere(50),
        A::PlaceClaimed { claim, signal }.into(),
        again(50, 2),
        again(50, 3),
        A::PlaceClaimReleased { claim, lapsed: false }.into(),
        N::SignalClosed { signal }.into(),
        landed(32),
    ]
}

/// The road, cut off by a death at each point of it.
fn roads() -> Vec<Vec<Fact>> {
    let road = road();
    let cut = (1..road.len()).map(|n| road[..n].iter().cloned().chain([died()]).collect());
    cut.chain([road.clone()]).collect()
}
