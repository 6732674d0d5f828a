//! The processes, tried: replayed, refused, late, repeated, undone twice, and in every order that the feeds can take.

use super::facts::{Access as A, Aftercare as N, Housing as H, Income as I, Regie as R, *};
use super::*;
use jiff::civil::date;
use proptest::prelude::*;
use std::sync::LazyLock;

// ---------------------------------------------------------------------------------------------------- the stage

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

// ---------------------------------------------------------------------------------------------------- once is enough

/// P3
#[test]
fn every_prefix_replayed_changes_nothing() {
    for road in roads() {
        let events = tell(road);
        for n in 0..=events.len() {
            let mut run = Run::of(&events[..n]);
            let before = run.flow.clone();
            for event in &events[..n] {
                assert_eq!(run.take(event, START), [], "{:?}", event.fact);
            }
            assert_eq!(run.flow, before);
        }
    }
}

/// P3
#[test]
fn every_event_told_thrice_has_one_effect() {
    let events = tell(road());
    let thrice: Vec<_> = events.iter().flat_map(|event| [event.clone(), event.clone(), event.clone()]).collect();
    assert_eq!(Run::of(&thrice).sent, Run::of(&events).sent);
}

/// P3
#[test]
fn each_accepted_home_yields_one_of_each() {
    let run = Run::of(&tell(road()));
    for of in [31, 32].map(allocation) {
        let count = |wanted: fn(&Command) -> Option<&AllocationId>| {
            run.commands().iter().filter(|command| wanted(command) == Some(&of)).count()
        };
        assert_eq!(
            count(|c| if let Command::CompleteBenefitRequest { allocation, .. } = c { Some(allocation) } else { None }),
            1
        );
        assert_eq!(
            count(|c| if let Command::RequestRentGuarantee { allocation, .. } = c { Some(allocation) } else { None }),
            1
        );
        assert_eq!(
            count(|c| if let Command::DraftHandover { allocation, .. } = c { Some(allocation) } else { None }),
            1
        );
    }
}

/// P3
#[test]
fn a_request_id_follows_from_the_event_and_the_step() {
    let events = tell(road());
    let (one, other) = (Run::of(&events).sent, Run::of(&events).sent);
    assert_eq!(one, other);
    let ids: BTreeSet<_> = one.iter().map(|outcome| (&outcome.step, outcome.id)).collect();
    let unique: BTreeSet<_> = ids.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), unique.len(), "two steps never share an id");
}

#[test]
fn a_flow_survives_being_stored() {
    let (mut stored, mut kept) = (Run::default(), Run::default());
    for event in tell(road()) {
        let json = serde_json::to_string(&stored.flow).unwrap();
        stored.flow = serde_json::from_str(&json).unwrap();
        assert_eq!(stored.take(&event, START), kept.take(&event, START));
    }
}

// ---------------------------------------------------------------------------------------------------- refused, undone

/// P4: a command that is refused for good becomes a task for a person; it is not sent again, and what never was is not undone.
#[test]
fn every_step_refused_becomes_a_task() {
    for road in roads() {
        let events = tell(road);
        for refused in Run::of(&events).sent.into_iter().filter(|o| matches!(o.act, Act::Command(_))) {
            let (mut run, mut is_refused) = (Run::default(), false);
            for event in &events {
                let sent = run.take(event, START);
                let again = |o: &Outcome| o.step.trim_start_matches(UNDO) == refused.step && o.act != refused.act;
                // A gate that is to rest on another ground is another wish.
                assert!(
                    !is_refused || refused.step.starts_with("gate/") || !sent.iter().any(again),
                    "{}",
                    refused.step
                );
                if sent.iter().any(|o| o.id == refused.id) {
                    is_refused = true;
                    let fact = R::CommandRefused { request_id: refused.id, step: refused.step.clone() }.into();
                    let outcomes = run.take(&Incoming { id: uuid(5_000), at: event.at, fact }, START);
                    let opened = |o: &Outcome| if let Act::OpenTask(task) = &o.act { Some(task.kind) } else { None };
                    let alarm = refused.step.starts_with(to_a_landing::PLACE);
                    let kind = if alarm { TaskKind::FindPlaceTonight } else { TaskKind::SettleRefusedCommand };
                    assert_eq!(outcomes.iter().find_map(opened), Some(kind), "{}: {outcomes:?}", refused.step);
                    assert!(commands(&outcomes).is_empty(), "{}: {outcomes:?}", refused.step);
                }
            }
        }
    }
}

/// P4
#[test]
fn what_cannot_be_undone_stays_a_task() {
    let mut run = Run::of(&tell([notified(1), nominated(20), accepted(31, 20), fell(31)]));
    let undo = run.sent.iter().find(|o| matches!(o.act, Act::Command(Command::CancelHandover { .. }))).unwrap().clone();
    let refused = R::CommandRefused { request_id: undo.id, step: undo.step }.into();
    run.take(&Incoming { id: uuid(5_000), at: Moment::start_of(START), fact: refused }, START);
    run.take(&Incoming { id: uuid(5_001), at: Moment::start_of(START), fact: died() }, START);
    assert_eq!(run.task(TaskKind::SettleRefusedCommand).unwrap().subject, undo.id);
    let settled = R::CommandSettled { request_id: undo.id }.into();
    run.take(&Incoming { id: uuid(5_002), at: Moment::start_of(START), fact: settled }, START);
    assert_eq!(run.task(TaskKind::SettleRefusedCommand), None);
}

/// P4
#[test]
fn what_a_person_had_done_after_all_is_undone_like_any_other() {
    let mut run = Run::of(&tell([notified(1), nominated(20), accepted(31, 20)]));
    let draft = run.sent.iter().find(|o| o.step.starts_with("handover/")).unwrap().clone();
    let told = |n, fact| Incoming { id: uuid(n), at: Moment::start_of(START), fact };
    run.take(&told(5_000, R::CommandRefused { request_id: draft.id, step: draft.step }.into()), START);
    run.take(&told(5_001, R::CommandSettled { request_id: draft.id }.into()), START);
    assert!(
        commands(&run.take(&told(5_002, fell(31)), START))
            .contains(&Command::CancelHandover { allocation: allocation(31) })
    );
}

/// P4
#[test]
fn a_fallen_home_undoes_what_depends_on_it_and_no_more() {
    let before = Run::of(&tell([notified(1), nominated(20), I::BenefitRequestPrepared { request: request() }.into()]));
    let events = tell([
        notified(1),
        nominated(20),
        I::BenefitRequestPrepared { request: request() }.into(),
        accepted(31, 20),
        granted(LEASE),
        fell(31),
    ]);
    let mut run = Run::of(&events);
    for undo in [
        Command::WithdrawBenefitStart { allocation: allocation(31) },
        Command::WithdrawRentGuarantee { allocation: allocation(31) },
        Command::CancelHandover { allocation: allocation(31) },
    ] {
        assert_eq!(run.commands().iter().filter(|sent| **sent == undo).count(), 1, "{undo:?}");
    }
    // The reporting day, the application and the granted benefit are the client's.
    assert!(!run.commands().iter().any(|c| matches!(c, Command::WithdrawBenefitRequest { .. })));
    assert_eq!((&run.world.relations, &run.world.held), (&before.world.relations, &before.world.held));
    assert!(run.world.gates.is_empty());
    assert_eq!(run.task(TaskKind::FollowUpHome).unwrap().to, To::CaseHolder);
    // Told again by another event: a clean slate stays clean.
    let again = Incoming { id: uuid(5_000), at: events[5].at, fact: fell(31) };
    assert_eq!(run.take(&again, START), []);
    // And the surviving benefit opens the gate of the next home at once.
    run.take(&Incoming { id: uuid(5_001), at: events[5].at, fact: accepted(32, 20) }, START);
    assert_eq!(run.world.gates, [(allocation(32), Ground::Benefit)].into());
}

/// P4
#[test]
fn a_home_that_was_lived_in_is_behind_us_and_not_undone() {
    let (giver, team) = (org("leger"), org("wijkteam"));
    let handed_over = N::HandoverAccepted { allocation: allocation(31), receiver: team.clone() }.into();
    let mut facts = vec![notified(1), nominated(20), accepted(31, 20), own_income(START, None), signed(31), keys(31)];
    let knows = |run: &Run, organisation: &Organisation, kind| {
        run.world.relations.contains(&format!("{:?}", Relation { organisation: organisation.clone(), kind }))
    };
    let run = Run::of(&tell(facts.clone()));
    assert!(knows(&run, &giver, RelationKind::Stay), "responsible until the team accepts");
    facts.push(handed_over);
    let run = Run::of(&tell(facts.clone()));
    assert!(!knows(&run, &giver, RelationKind::Stay) && knows(&run, &team, RelationKind::District));
    facts.push(H::LeaseEnded { allocation: allocation(31) }.into());
    let run = Run::of(&tell(facts.clone()));
    assert_eq!(run.task(TaskKind::FollowUpHome).unwrap().to, To::CaseHolder);
    assert!(!knows(&run, &org("trivire"), RelationKind::Landlord) && knows(&run, &team, RelationKind::District));
    facts.push(N::HandoverUnanswered { allocation: allocation(31), due_on: LEASE }.into());
    facts.push(landed(31));
    let run = Run::of(&tell(facts));
    assert_eq!((run.world.cases.len(), run.world.relations.len(), run.world.tasks.len()), (0, 0, 0));
    let undone = |c: &Command| matches!(c, Command::EndAftercare { .. } | Command::WithdrawBenefitStart { .. });
    assert!(!run.commands().iter().any(undone));
}

/// P4
#[test]
fn a_home_left_for_another_asks_nothing() {
    let mut facts = vec![notified(1), accepted(31, 20), signed(31), keys(31), accepted(32, 21)];
    facts.push(H::LeaseEnded { allocation: allocation(31) }.into());
    assert_eq!(Run::of(&tell(facts)).task(TaskKind::FollowUpHome), None);
}

/// P4: an undo leaves before the confirmation of what it undoes came in.
#[test]
fn a_late_confirmation_of_what_was_undone_changes_nothing() {
    let mut run = Run::of(&tell([notified(1), nominated(20), accepted(31, 20), fell(31)]));
    let to_fill = N::HandoverToFill { allocation: allocation(31), giver: org("leger"), fill_by: START };
    let late = [to_fill.into(), I::BenefitRequestCompleted { request: request(), running_from: None }.into()];
    for (n, fact) in late.into_iter().enumerate() {
        let event = Incoming { id: uuid(5_000 + n as u128), at: Moment::start_of(START), fact };
        assert_eq!(run.take(&event, START), []);
    }
}

// ---------------------------------------------------------------------------------------------------- in every order

fn feed(fact: &Fact) -> usize {
    match fact {
        Fact::Access(_) => 0,
        Fact::Housing(_) => 1,
        Fact::Income(_) => 2,
        Fact::Aftercare(_) => 3,
        Fact::Regie(_) | Fact::DeadlineReached { .. } => 4,
    }
}

fn feeds(facts: impl IntoIterator<Item = Fact>) -> [Vec<Incoming>; 5] {
    let mut feeds: [Vec<Incoming>; 5] = Default::default();
    tell(facts).into_iter().for_each(|event| feeds[feed(&event.fact)].push(event));
    feeds
}

/// Every interleaving that keeps the order within each feed; calls `see` at the end of each. Returns how many.
fn interleave(feeds: &[Vec<Incoming>; 5], at: [usize; 5], run: &Run, see: &mut impl FnMut(&Run)) -> usize {
    let mut count = 0;
    for (n, feed) in feeds.iter().enumerate() {
        if let Some(event) = feed.get(at[n]) {
            let (mut next, mut run) = (at, run.clone());
            next[n] += 1;
            run.take(event, START);
            count += interleave(feeds, next, &run, see);
        }
    }
    if count == 0 {
        see(run);
        return 1;
    }
    count
}

fn one_end(name: &str, facts: Vec<Fact>, orders: usize) {
    let usual = Run::of(&tell(facts.clone()));
    let mut see = |run: &Run| {
        assert_eq!(run.stands(), usual.stands(), "{name}");
        assert_eq!(run.world, usual.world, "{name}");
    };
    assert_eq!(interleave(&feeds(facts), [0; 5], &Run::default(), &mut see), orders, "{name}");
}

/// P3, P4
#[test]
fn every_interleaving_of_a_home_that_falls_ends_the_same() {
    let to_fill = N::HandoverToFill { allocation: allocation(31), giver: org("leger"), fill_by: START };
    let facts = vec![
        notified(1),
        nominated(20),
        I::BenefitRequestPrepared { request: request() }.into(),
        accepted(31, 20),
        I::BenefitRequestCompleted { request: request(), running_from: None }.into(),
        to_fill.into(),
        granted(LEASE),
        fell(31),
        N::HandoverCancelled { allocation: allocation(31) }.into(),
    ];
    one_end("fallen", facts, 5_040);
}

/// P2
#[test]
fn every_interleaving_of_a_gate_ends_the_same() {
    let facts = vec![
        notified(1),
        nominated(20),
        own_income(START, None),
        accepted(31, 20),
        I::AdvancePaid { request: request(), expected: Some(Period { from: START, until: None }) }.into(),
        R::GateOverridden { allocation: allocation(31), open: true }.into(),
        I::OwnIncomeRevoked.into(),
        granted(LEASE),
        R::GateOverridden { allocation: allocation(31), open: false }.into(),
    ];
    one_end("gate", facts, 3_780);
}

/// R-AFT-01, R-ACC-13
#[test]
fn every_interleaving_of_a_return_ends_the_same() {
    let facts = vec![
        notified(1),
        R::CaseHolderChanged { case: case(1) }.into(),
        accepted(31, 20),
        signed(31),
        keys(31),
        notified(2),
        landed(31),
        nowhere(50),
        nominated(21),
    ];
    one_end("return", facts, 3_780);
}

/// R-REG-29
#[test]
fn every_interleaving_of_a_death_ends_the_same() {
    let facts = vec![
        notified(1),
        nominated(20),
        I::BenefitRequestPrepared { request: request() }.into(),
        accepted(31, 20),
        own_income(START, None),
        nowhere(50),
        R::CaseHolderChanged { case: case(1) }.into(),
        died(),
    ];
    one_end("death", facts, 5_040);
}

/// P6, P7
#[test]
fn every_interleaving_of_what_runs_out_ends_the_same() {
    let facts = vec![
        notified(1),
        admitted(10),
        departed(10),
        nominated(20),
        offered(40, 20, LEASE),
        offer_ends(40),
        accepted(31, 20),
        asked(START),
        not_given(Some(LEASE)),
        unanswered(31),
    ];
    one_end("terms", facts.clone(), 4_200);
    let open = facts.into_iter().filter(|fact| *fact != accepted(31, 20)).collect();
    one_end("terms of no home", open, 1_680);
    let facts = vec![
        notified(1),
        accepted(31, 20),
        to_fill(31, START),
        due_soon(31),
        to_answer(31, START),
        due_soon(31),
        R::CaseHolderChanged { case: case(1) }.into(),
        fell(31),
    ];
    one_end("handover", facts[..7].to_vec(), 210);
    one_end("handover of a home that falls", facts, 840);
    let claim = ClaimId(uuid(60));
    let facts = vec![
        notified(1),
        nowhere(50),
        A::PlaceClaimed { claim, signal: SignalId(uuid(50)) }.into(),
        again(50, 2),
        again(50, 3),
        R::CaseHolderChanged { case: case(1) }.into(),
        A::PlaceClaimReleased { claim, lapsed: false }.into(),
    ];
    one_end("alarmed", facts[..6].to_vec(), 60);
    one_end("alarmed and housed", facts, 140);
}

/// Anything that the feeds may tell, about few enough things that they meet.
fn anything() -> impl Strategy<Value = Fact> {
    let days = (0i32..60).prop_map(|n| START.saturating_add(jiff::Span::new().days(n)));
    (0usize..50, 0u128..2, days, any::<bool>()).prop_map(|(which, n, day, yes)| {
        let (a, nomination, offer) = (allocation(30 + n), NominationId(uuid(20 + n)), OfferId(uuid(40 + n)));
        let (signal, claim, request) = (SignalId(uuid(50 + n)), ClaimId(uuid(60 + n)), BenefitRequestId(uuid(70 + n)));
        let (stay, notification) = (StayId(uuid(10 + n)), NotificationId(uuid(1 + n)));
        let period = Some(Period { from: day, until: None });
        match which {
            0 => A::Admitted { stay, organisation: org("leger"), notification: yes.then_some(notification) }.into(),
            1 => A::TrajectoryStarted { stay, started_on: day }.into(),
            2 => A::Departed { stay }.into(),
            3 => A::UrgentProvisionOverdue { notification }.into(),
            4 => A::NotificationWithdrawn { notification }.into(),
            5 => A::PlaceClaimed { claim, signal }.into(),
            6 => A::PlaceClaimReleased { claim, lapsed: yes }.into(),
            7 => A::PlaceClaimEndingSoon { claim, until_on: day }.into(),
            8 => A::DecisionEndingSoon { decision: uuid(80 + n), ends_on: day }.into(),
            9 => A::DecisionExtended { decision: uuid(80 + n) }.into(),
            10 if yes && n == 0 => A::ClientDied.into(),
            11 => nominated(20 + n),
            12 => H::NominationWithdrawn { nomination }.into(),
            13 => H::OfferMade { offer, nomination, corporation: org("trivire"), until: day }.into(),
            14 => H::OfferAnswered { offer, by_client: yes, accepted: n == 0 }.into(),
            15 => H::OfferLapsed { offer }.into(),
            16 | 17 => accepted(30 + n, 20 + n),
            18 => signed(30 + n),
            19 => H::KeysHandedOver { allocation: a, on: day }.into(),
            20 => fell(30 + n),
            21 => H::LeaseEnded { allocation: a }.into(),
            22 => I::BenefitRequestPrepared { request }.into(),
            23 => I::BenefitRequestCompleted { request, running_from: yes.then_some(day) }.into(),
            24 => I::BenefitDecided { request, granted: yes, running_from: yes.then_some(day) }.into(),
            25 => I::AdvancePaid { request, expected: period.filter(|_| yes) }.into(),
            26 => own_income(day, None),
            27 => I::OwnIncomeRevoked.into(),
            28 => I::RentGuaranteeGranted { allocation: a, ends_on: day, bridging: yes }.into(),
            29 => I::RentGuaranteeRefused { allocation: a }.into(),
            30 => I::BenefitRequestWithdrawn { request }.into(),
            31 => N::HandoverToFill { allocation: a, giver: org("leger"), fill_by: day }.into(),
            32 => N::HandoverToAnswer { allocation: a, receiver: org("fact-team"), answer_by: day }.into(),
            33 => N::HandoverAccepted { allocation: a, receiver: org("fact-team") }.into(),
            34 => N::AftercareEnded { allocation: a, landed: yes }.into(),
            35 => nowhere(50 + n),
            36 => N::SignalClosed { signal }.into(),
            37 => N::SignalEscalated { signal, to_regie: yes, municipality: town() }.into(),
            38 => R::GateOverridden { allocation: a, open: yes }.into(),
            39 => R::CaseClosed { case: case(1 + n) }.into(),
            40 => H::OfferEndingSoon { offer, provider: org("begeleiding") }.into(),
            41 => I::InformationAsked { request, answer_by: day }.into(),
            42 => I::InformationGiven { request }.into(),
            43 => I::InformationOverdue { request, decision_due_on: yes.then_some(day) }.into(),
            44 => I::RentGuaranteeUnanswered { allocation: a }.into(),
            45 => due_soon(30 + n),
            46 | 47 => again(50 + n, day.day().into()),
            _ => notified(1 + n),
        }
    })
}

/// What a service never tells twice is told once.
fn plausible(facts: Vec<Fact>) -> Vec<Fact> {
    let mut once = BTreeSet::new();
    facts.into_iter().filter(|fact| once.insert(format!("{fact:?}"))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// P3, P4: whatever is told, in whatever order the feeds interleave, the end is the same.
    #[test]
    fn any_interleaving_ends_the_same(
        facts in prop::collection::vec(anything(), 0..30).prop_map(plausible),
        picks in prop::collection::vec(0usize..5, 60),
    ) {
        let usual = Run::of(&tell(facts.clone()));
        let mut feeds = feeds(facts).map(std::collections::VecDeque::from);
        let mut run = Run::default();
        for pick in picks.into_iter().chain((0..5).flat_map(|n| std::iter::repeat_n(n, 30))) {
            if let Some(event) = feeds[pick].pop_front() {
                run.take(&event, START);
            }
        }
        prop_assert_eq!(run.stands(), usual.stands());
        prop_assert_eq!(&run.world.tasks, &usual.world.tasks);
        prop_assert_eq!(&run.world.relations, &usual.world.relations);
        prop_assert_eq!(&run.world.cases, &usual.world.cases);
        prop_assert_eq!(&run.flow.facts, &usual.flow.facts);
    }

    /// P7: what changes by the passing of days alone has a deadline that wakes for it.
    #[test]
    fn nothing_waits_for_a_day_without_a_deadline(facts in prop::collection::vec(anything(), 0..30).prop_map(plausible)) {
        let mut run = Run::of(&tell(facts));
        for n in 1..120 {
            let day = START.saturating_add(jiff::Span::new().days(n));
            let due = run.world.deadlines.values().any(|due_at| *due_at <= Moment::at_hour(day, 12).at);
            let tasks = run.world.tasks.clone();
            run.wake(day);
            prop_assert!(due || run.world.tasks == tasks, "{} {:?}", day, run.world.tasks);
        }
    }
}

// ---------------------------------------------------------------------------------------------------- the gate

/// P2
#[test]
fn the_gate_opens_on_each_ground_from_the_lease_start_and_on_nothing_else() {
    let later = LEASE.tomorrow().unwrap();
    let sooner = LEASE.yesterday().unwrap();
    let advance = |expected| I::AdvancePaid { request: request(), expected }.into();
    let bridge = |ends_on, bridging| I::RentGuaranteeGranted { allocation: allocation(31), ends_on, bridging }.into();
    let cases: Vec<(Fact, Option<Ground>)> = vec![
        (granted(LEASE), Some(Ground::Benefit)),
        (granted(later), None),
        (benefit_refused(), None),
        (I::BenefitRequestCompleted { request: request(), running_from: Some(START) }.into(), Some(Ground::Benefit)),
        (own_income(LEASE, None), Some(Ground::OwnIncome)),
        (own_income(START, Some(sooner)), None),
        (own_income(later, None), None),
        (advance(Some(Period { from: LEASE, until: Some(later) })), Some(Ground::Advance)),
        (advance(Some(Period { from: START, until: Some(sooner) })), None),
        (advance(None), None),
        (bridge(later, true), Some(Ground::Guarantee)),
        (bridge(later, false), None),
        (bridge(sooner, true), None),
        (R::GateOverridden { allocation: allocation(31), open: true }.into(), Some(Ground::Override)),
        (R::GateOverridden { allocation: allocation(99), open: true }.into(), None),
    ];
    for (fact, ground) in cases {
        let run = Run::of(&tell([notified(1), nominated(20), accepted(31, 20), fact.clone()]));
        assert_eq!(run.world.gates.get(&allocation(31)), ground.as_ref(), "{fact:?}");
        let told = run.sent.iter().any(|o| o.act == Act::DecideGate { allocation: allocation(31), ground });
        assert_eq!(told, ground.is_some(), "{fact:?}");
    }
}

/// P2
#[test]
fn the_gate_shuts_when_the_income_falls_away_and_rests_on_the_firmest_ground() {
    let advance = I::AdvancePaid { request: request(), expected: Some(Period { from: LEASE, until: None }) };
    let mut run =
        Run::of(&tell([notified(1), nominated(20), accepted(31, 20), own_income(START, None), advance.into()]));
    assert_eq!(run.world.gates[&allocation(31)], Ground::OwnIncome);
    let steps = [
        (I::OwnIncomeRevoked.into(), Some(Ground::Advance)),
        (benefit_refused(), None),
        (R::GateOverridden { allocation: allocation(31), open: true }.into(), Some(Ground::Override)),
        (R::GateOverridden { allocation: allocation(31), open: false }.into(), None),
        (granted(LEASE), Some(Ground::Benefit)),
        (I::BenefitEnded { request: request(), ends_on: START }.into(), None),
        (own_income(START, None), Some(Ground::OwnIncome)),
        (I::OwnIncomeRevoked.into(), None),
        (I::BenefitRequestWithdrawn { request: request() }.into(), None),
        (I::BenefitDecided { request: request(), granted: true, running_from: Some(START) }.into(), None),
    ];
    for (n, (fact, ground)) in steps.into_iter().enumerate() {
        let text = format!("{fact:?}");
        run.take(&Incoming { id: uuid(5_000 + n as u128), at: Moment::start_of(START), fact }, START);
        assert_eq!(run.world.gates.get(&allocation(31)).copied(), ground, "{text}");
    }
}

/// P2
#[test]
fn the_municipality_must_decide_three_working_days_before_signing() {
    let mut run = Run::of(&tell([notified(1), nominated(20), accepted(31, 20)]));
    // Wednesday 1 April 2026: three working days before is Friday 27 March.
    let due_at = Moment::start_of(date(2026, 3, 27)).at;
    assert_eq!(run.world.deadlines[&(TaskKind::DecideGate, uuid(31))], due_at);
    run.wake(date(2026, 3, 26));
    assert_eq!(run.task(TaskKind::DecideGate), None);
    run.wake(date(2026, 3, 27));
    let task = run.task(TaskKind::DecideGate).unwrap();
    assert_eq!((&task.to, task.due_on), (&To::Municipality(town()), LEASE));
    run.take(
        &Incoming { id: uuid(5_000), at: Moment::start_of(START), fact: own_income(LEASE, None) },
        date(2026, 3, 28),
    );
    assert_eq!(run.task(TaskKind::DecideGate), None);
}

/// P2
#[test]
fn once_signed_a_lost_income_is_a_task_and_not_a_gate() {
    let mut run = Run::of(&tell([notified(1), nominated(20), accepted(31, 20), own_income(START, None), signed(31)]));
    run.take(&Incoming { id: uuid(5_000), at: Moment::start_of(START), fact: I::OwnIncomeRevoked.into() }, START);
    assert!(!run.commands().contains(&Command::ShutGate { allocation: allocation(31) }));
    assert_eq!(run.task(TaskKind::CloseBenefitGap).unwrap().to, To::SocialServices(town()));
}

/// R-INC-27
#[test]
fn a_benefit_refused_close_to_the_move_is_a_task_the_same_day() {
    let near = date(2026, 3, 25);
    let mut events = tell([notified(1), nominated(20), accepted(31, 20), benefit_refused()]);
    events[3].at = Moment::start_of(near);
    let mut run = Run::on(near, &events);
    let task = run.task(TaskKind::BridgeIncome).unwrap();
    assert_eq!((&task.to, task.due_on), (&To::CaseHolder, near));
    // Refused long before: the day on which the move is near.
    events[3].at = Moment::start_of(START);
    run = Run::of(&events);
    assert_eq!(run.task(TaskKind::BridgeIncome), None);
    run.wake(date(2026, 3, 18));
    assert_eq!(run.task(TaskKind::BridgeIncome).unwrap().due_on, date(2026, 3, 18));
    // Another request may still be granted: that is what has to be decided.
    let second = I::BenefitRequestPrepared { request: BenefitRequestId(uuid(71)) };
    run.take(&Incoming { id: uuid(5_000), at: Moment::start_of(near), fact: second.into() }, near);
    assert_eq!(run.task(TaskKind::BridgeIncome), None);
    assert!(run.task(TaskKind::DecideBenefit).is_some());
}

// ---------------------------------------------------------------------------------------------------- terms and signals

/// P7
#[test]
fn what_runs_out_is_a_task_before_it_does() {
    let nomination = NominationId(uuid(20));
    let offer = OfferId(uuid(40));
    let until = date(2026, 3, 4);
    let offered = || H::OfferMade { offer, nomination, corporation: org("trivire"), until }.into();
    let yes = H::OfferAnswered { offer, by_client: true, accepted: true };
    let a = allocation(31);
    let (giver, receiver) = (org("leger"), org("wijkteam"));
    let request = request();
    let cases: Vec<(Vec<Fact>, TaskKind, To)> = vec![
        (vec![offered()], TaskKind::AnswerOffer, To::Organisation(giver.clone())),
        (vec![offered()], TaskKind::AnswerCandidate, To::Organisation(org("trivire"))),
        (vec![offered(), yes.clone().into()], TaskKind::AnswerCandidate, To::Organisation(org("trivire"))),
        (vec![offered(), H::OfferLapsed { offer }.into()], TaskKind::FollowUpOffer, To::Municipality(town())),
        (
            vec![A::DecisionEndingSoon { decision: uuid(80), ends_on: until }.into()],
            TaskKind::ExtendDecision,
            To::AccessDesk(town()),
        ),
        (
            vec![A::ApplicationDueSoon { application: uuid(80), due_on: until }.into()],
            TaskKind::TakeDecision,
            To::AccessDesk(town()),
        ),
        (vec![I::AdvanceDue { request, due_on: until }.into()], TaskKind::PayAdvance, To::SocialServices(town())),
        (vec![I::InformationAsked { request, answer_by: until }.into()], TaskKind::GiveInformation, To::CaseHolder),
        (
            vec![accepted(31, 20), N::HandoverToFill { allocation: a, giver: giver.clone(), fill_by: until }.into()],
            TaskKind::FillHandover,
            To::Organisation(giver),
        ),
        (
            vec![
                accepted(31, 20),
                N::HandoverToAnswer { allocation: a, receiver: receiver.clone(), answer_by: until }.into(),
            ],
            TaskKind::AnswerHandover,
            To::Organisation(receiver),
        ),
        (
            vec![accepted(31, 20), N::HandoverUnanswered { allocation: a, due_on: until }.into()],
            TaskKind::AssignHandover,
            To::Municipality(town()),
        ),
        (vec![accepted(31, 20)], TaskKind::DecideGuarantee, To::SocialServices(town())),
    ];
    let (no_client, both, again) = (
        [offered(), yes.clone().into()],
        [offered(), yes.clone().into(), H::OfferAnswered { offer, by_client: false, accepted: true }.into()],
        [offered(), H::OfferLapsed { offer }.into(), offered()],
    );
    for (facts, kind) in [
        (no_client.to_vec(), TaskKind::AnswerOffer),
        (both.to_vec(), TaskKind::AnswerOffer),
        (both.to_vec(), TaskKind::AnswerCandidate),
        (again.to_vec(), TaskKind::FollowUpOffer),
    ] {
        let mut run = Run::of(&tell([notified(1), nominated(20)].into_iter().chain(facts)));
        run.wake(date(2026, 3, 3));
        assert_eq!(run.task(kind), None, "{kind:?}");
    }
    for (facts, kind, to) in cases {
        let mut run = Run::of(&tell([notified(1), nominated(20)].into_iter().chain(facts)));
        run.wake(date(2026, 3, 3));
        assert_eq!(run.task(kind).map(|task| &task.to), Some(&to), "{kind:?}");
    }
}

/// P5
#[test]
fn a_signal_that_nobody_takes_up_reaches_the_case_holder_and_then_the_municipality() {
    let signal = SignalId(uuid(50));
    let escalated = |to_regie| N::SignalEscalated { signal, to_regie, municipality: town() }.into();
    let run = Run::of(&tell([notified(1), escalated(false)]));
    assert_eq!(run.task(TaskKind::TakeUpSignal).unwrap().to, To::CaseHolder);
    let run = Run::of(&tell([notified(1), escalated(false), escalated(true)]));
    assert_eq!(run.task(TaskKind::TakeUpSignal).unwrap().to, To::Municipality(town()));
    let run = Run::of(&tell([notified(1), escalated(true), N::SignalTakenUp { signal }.into()]));
    assert_eq!(run.task(TaskKind::TakeUpSignal), None);
}

/// P6
#[test]
fn nowhere_to_sleep_claims_a_place_at_once_and_alarms_when_there_is_none() {
    let signal = SignalId(uuid(50));
    let claim = ClaimId(uuid(60));
    let at_once = Run::of(&tell([nowhere(50)]));
    let claimed = Command::ClaimPlace { signal, municipality: town(), relapse_guarantee: false };
    assert_eq!(at_once.commands(), [claimed]);
    let alarm = |run: &Run| run.task(TaskKind::FindPlaceTonight).map(|task| task.to.clone());
    let duty = Some(To::DutyPerson(town()));
    let told = |fact: Fact| Incoming { id: uuid(5_000), at: Moment::start_of(START), fact };

    let mut refused = at_once.clone();
    let Outcome { id, step, .. } = refused.sent[0].clone();
    refused.flow.facts.aftercare.nights.values_mut().for_each(|night| night.at = Moment::at_hour(START, 12).at);
    assert_eq!(
        alarm(&{
            let mut fresh = refused.clone();
            fresh.wake(START);
            fresh
        }),
        None
    );
    refused.take(&told(R::CommandRefused { request_id: id, step }.into()), START);
    assert_eq!(alarm(&refused), duty);

    let mut silent = at_once.clone();
    silent.wake(START);
    assert_eq!(alarm(&silent), duty, "nobody answered within half an hour");
    silent.take(&told(A::PlaceClaimed { claim, signal }.into()), START);
    assert_eq!(alarm(&silent), None);
    silent.take(&Incoming { id: uuid(5_001), ..told(A::PlaceClaimReleased { claim, lapsed: true }.into()) }, START);
    assert_eq!(alarm(&silent), duty, "the claim lapsed and the signal is open");

    // However short ago it was reported.
    let now = Moment::at_hour(START, 12);
    let facts: [Fact; 3] =
        [nowhere(50), A::PlaceClaimed { claim, signal }.into(), A::PlaceClaimReleased { claim, lapsed: true }.into()];
    let events: Vec<_> = tell(facts).into_iter().map(|event| Incoming { at: now, ..event }).collect();
    assert_eq!(alarm(&Run::of(&events[..2])), None);
    assert_eq!(alarm(&Run::of(&events)), duty);
}

/// P6
#[test]
fn a_report_that_names_no_municipality_is_claimed_where_the_case_is() {
    let (signal, nobody_knows) = (SignalId(uuid(50)), Municipality::parse("m", "0000").unwrap());
    let reported = N::NowhereToSleepReported { signal, municipality: nobody_knows, relapse_guarantee: false };
    let claimed = Command::ClaimPlace { signal, municipality: town(), relapse_guarantee: false };
    assert_eq!(Run::of(&tell([notified(1), reported.clone().into()])).commands(), std::slice::from_ref(&claimed));
    assert_eq!(Run::of(&tell([reported.into(), notified(1)])).commands().last(), Some(&claimed));
}

/// P6
#[test]
fn reported_again_alarms_a_person_each_time_until_a_roof_came_after_it() {
    let (signal, claim) = (SignalId(uuid(50)), ClaimId(uuid(60)));
    let claimed = |claim| Fact::from(A::PlaceClaimed { claim, signal });
    let released = |lapsed| Fact::from(A::PlaceClaimReleased { claim, lapsed });
    let elsewhere = Municipality::parse("m", "0642").unwrap();
    let there = N::NowhereToSleepRepeated { signal, municipality: elsewhere.clone(), count: 2 }.into();
    let alarm = |facts: &[Fact]| {
        let run = Run::of(&tell([nowhere(50), claimed(claim)].into_iter().chain(facts.iter().cloned())));
        run.task(TaskKind::FindPlaceTonight).map(|task| (task.subject, task.to.clone(), task.due_on))
    };
    let duty = |town| Some((signal.0, To::DutyPerson(town), START));
    assert_eq!(alarm(&[]), None, "the place is enough");
    assert_eq!(alarm(&[again(50, 2)]), duty(town()), "but it did not hold");
    assert_eq!(alarm(&[there]), duty(elsewhere), "where the client is now");
    for after in [claimed(ClaimId(uuid(61))), released(false), admitted(10), N::SignalClosed { signal }.into(), died()]
    {
        assert_eq!(alarm(&[again(50, 2), after.clone()]), None, "{after:?}");
        // And once more after that: whatever it was, it did not hold either, unless there is nobody to find a place for.
        let over = matches!(after, Fact::Aftercare(_) | Fact::Access(A::ClientDied));
        assert_eq!(alarm(&[again(50, 2), after, again(50, 3)]).is_none(), over);
    }
    assert_eq!(alarm(&[again(50, 2), released(true)]), duty(town()));

    // Each report is an alarm of its own: also when the last one was finished, or somebody has it in hand.
    let mut run = Run::of(&tell([nowhere(50), claimed(claim)]));
    let told = |n: u128, fact| Incoming { id: uuid(5_000 + n), at: Moment::at_hour(START, 12), fact };
    let acts = |outcomes: Vec<Outcome>| outcomes.into_iter().map(|o| o.act).collect::<Vec<_>>();
    let kind = TaskKind::FindPlaceTonight;
    let open = Act::OpenTask(Task { kind, subject: signal.0, to: To::DutyPerson(town()), due_on: START });
    assert_eq!(acts(run.take(&told(2, again(50, 2)), START)), std::slice::from_ref(&open));
    let close = Act::CloseTask { kind, subject: signal.0 };
    assert_eq!(acts(run.take(&told(3, again(50, 3)), START)), [close.clone(), open]);
    assert_eq!(acts(run.take(&told(3, again(50, 3)), START)), []);
    assert_eq!(acts(run.take(&told(4, N::SignalClosed { signal }.into()), START)), [close]);
}

/// P6: after midnight it is still the same signal, but the alarm is of the new day.
#[test]
fn an_alarm_after_midnight_is_not_late_when_it_comes() {
    let mut events = tell([nowhere(50), again(50, 2)]);
    let next = START.tomorrow().unwrap();
    events[1].at = Moment::at_hour(next, 2);
    assert_eq!(Run::on(next, &events).task(TaskKind::FindPlaceTonight).unwrap().due_on, next);
}

/// P7, R-AFT-02
#[test]
fn a_handover_that_is_nearly_due_warns_whoever_has_it_once_each_round() {
    let warned = |run: &Run| {
        let of = |o: &Outcome| if let Act::WarnOfTask { kind, .. } = o.act { Some(kind) } else { None };
        run.sent.iter().filter_map(of).collect::<Vec<_>>()
    };
    let rounds =
        [to_fill(31, START), due_soon(31), to_answer(31, START), due_soon(31), to_fill(31, START), due_soon(31)];
    let (fill, answer) = (TaskKind::FillHandover, TaskKind::AnswerHandover);
    let run = Run::of(&tell([notified(1), accepted(31, 20)].into_iter().chain(rounds)));
    assert_eq!(warned(&run), [fill, answer, fill]);
    // Told late, of a home that fell or a handover that nobody holds: nothing.
    let cancelled = N::HandoverCancelled { allocation: allocation(31) }.into();
    let unanswered = N::HandoverUnanswered { allocation: allocation(31), due_on: START }.into();
    for before in [fell(31), cancelled, unanswered] {
        let run = Run::of(&tell([notified(1), accepted(31, 20), to_answer(31, START), before, due_soon(31)]));
        assert_eq!(warned(&run), []);
    }
}

/// P7
#[test]
fn an_offer_that_ends_soon_is_a_task_for_each_who_has_not_answered() {
    let until = date(2026, 3, 20);
    let waits = |facts: &[Fact]| {
        let facts = [notified(1), nominated(20), offered(40, 20, until)].into_iter().chain(facts.iter().cloned());
        let run = Run::of(&tell(facts));
        [TaskKind::AnswerOffer, TaskKind::AnswerCandidate].map(|kind| run.task(kind).map(|task| task.to.clone()))
    };
    let (provider, corporation) = (Some(To::Organisation(org("begeleiding"))), Some(To::Organisation(org("trivire"))));
    let offer = OfferId(uuid(40));
    let said = |by_client, accepted| H::OfferAnswered { offer, by_client, accepted }.into();
    let soon = || offer_ends(40);
    assert_eq!(waits(&[]), [None, None]);
    assert_eq!(waits(&[soon()]), [provider.clone(), corporation.clone()]);
    assert_eq!(waits(&[said(true, true), soon()]), [None, corporation]);
    assert_eq!(waits(&[soon(), said(false, true)]), [provider, None]);
    let over =
        [said(true, false), H::OfferLapsed { offer }.into(), H::OfferEnded { offer }.into(), accepted(31, 20), died()];
    for over in over {
        assert_eq!(waits(&[soon(), over.clone()]), [None, None], "{over:?}");
        assert_eq!(waits(&[over, soon()]), [None, None]);
    }
}

/// P7, R-HOU-05
#[test]
fn a_guarantee_that_is_not_decided_is_due_the_day_that_its_term_ended() {
    let due = |facts: &[Fact]| {
        let run =
            Run::of(&tell([notified(1), nominated(20), accepted(31, 20)].into_iter().chain(facts.iter().cloned())));
        let task = run.task(TaskKind::DecideGuarantee).cloned();
        task.map(|task| {
            assert_eq!(task.to, To::SocialServices(town()));
            task.due_on
        })
    };
    assert_eq!(due(&[]), Some(LEASE));
    assert_eq!(due(&[unanswered(31)]), Some(START));
    assert_eq!(due(&[unanswered(31), signed(31), keys(31)]), Some(START), "the keys decide nothing");
    let a = allocation(31);
    for over in [
        I::RentGuaranteeGranted { allocation: a, ends_on: LEASE, bridging: true }.into(),
        I::RentGuaranteeRefused { allocation: a }.into(),
        I::RentGuaranteeEnded { allocation: a }.into(),
        fell(31),
        died(),
    ] {
        assert_eq!(due(&[unanswered(31), over.clone()]), None, "{over:?}");
    }
    // Nobody asked for it before the signing, but somebody asked.
    let bridging = H::AllocationAccepted { allocation: a, home: Home { guarantee_required: false, ..home(20) } };
    let run = Run::of(&tell([notified(1), bridging.into(), unanswered(31)]));
    assert_eq!(run.task(TaskKind::DecideGuarantee).unwrap().due_on, START);
}

/// P7, R-REG-10
#[test]
fn information_that_was_not_given_goes_to_the_municipality_and_the_decision_runs_on() {
    let tasks = |facts: &[Fact]| {
        let run = Run::of(&tell([notified(1), asked(START)].into_iter().chain(facts.iter().cloned())));
        [TaskKind::GiveInformation, TaskKind::DecideBenefit]
            .map(|kind| run.task(kind).map(|task| (task.to.clone(), task.due_on)))
    };
    let (week, month) = (date(2026, 3, 9), date(2026, 4, 2));
    let holder = |on| Some((To::CaseHolder, on));
    let town_by = |on| Some((To::Municipality(town()), on));
    let decide = |on| Some((To::SocialServices(town()), on));
    assert_eq!(tasks(&[]), [holder(START), None]);
    assert_eq!(tasks(&[not_given(Some(month))]), [town_by(week), decide(month)]);
    let sooner = date(2026, 3, 4);
    assert_eq!(tasks(&[not_given(Some(sooner))]), [town_by(sooner), decide(sooner)], "the decision does not wait");
    assert_eq!(tasks(&[not_given(None)]), [town_by(week), None]);
    assert_eq!(tasks(&[not_given(None), asked(month)]), [holder(month), None], "asked anew");
    assert_eq!(tasks(&[not_given(None), I::InformationGiven { request: request() }.into()]), [None, None]);
    for over in [granted(LEASE), benefit_refused(), I::BenefitRequestWithdrawn { request: request() }.into(), died()] {
        assert_eq!(tasks(&[not_given(Some(month)), over.clone()]), [None, None], "{over:?}");
    }
}

/// R-AFT-10
#[test]
fn the_relapse_guarantee_only_removes_the_procedure() {
    let signal = SignalId(uuid(50));
    let reported = N::NowhereToSleepReported { signal, municipality: town(), relapse_guarantee: true };
    let claimed = Command::ClaimPlace { signal, municipality: town(), relapse_guarantee: true };
    let run = Run::of(&tell([reported.into()]));
    assert_eq!(run.commands(), [claimed, Command::InvokeRelapseGuarantee { signal }]);
}

// ---------------------------------------------------------------------------------------------------- the case

/// R-AFT-01, R-ACC-13
#[test]
fn a_case_closes_at_the_end_of_aftercare_and_a_returning_client_gets_a_new_one() {
    let mut facts = vec![notified(1), accepted(31, 20), own_income(START, None), signed(31), keys(31)];
    let open = |facts: &[Fact]| Run::of(&tell(facts.to_vec())).world.cases;
    assert_eq!(open(&facts), [case(1).to_string()].into(), "not at the keys");
    facts.push(N::AftercareEnded { allocation: allocation(31), landed: false }.into());
    assert_eq!(open(&facts), [case(1).to_string()].into(), "not when the home was lost");
    facts.pop();
    facts.push(landed(31));
    assert_eq!(open(&facts), [].into());
    facts.push(notified(2));
    assert_eq!(open(&facts), [case(2).to_string()].into());
    // A second notification during aftercare is the same case, until that is over.
    facts.swap(5, 6);
    assert_eq!(open(&facts[..6]), [case(1).to_string()].into());
    assert_eq!(open(&facts), [case(2).to_string()].into());
    // One from before the keys that comes in late belongs to the case that they ended.
    let mut events = tell(facts.clone());
    events[5].at = events[2].at;
    assert_eq!(Run::of(&events).world.cases, [].into());
    // And a case with another home under way goes on.
    facts[5] = accepted(32, 21);
    assert_eq!(open(&facts), [case(1).to_string()].into());
}

/// R-REG-29
#[test]
fn when_somebody_dies_everything_stops() {
    for road in roads() {
        let run = Run::of(&tell(road.clone()));
        let alive = road.last() != Some(&died());
        if alive {
            continue;
        }
        let undone = run.sent.iter().rev().find(|o| o.step.starts_with(UNDO)).unwrap();
        assert!(matches!(undone.act, Act::CloseCase { reason: CloseReason::Died, .. }), "the case closes last");
        assert!(run.world.cases.is_empty());
        assert!(run.world.relations.is_empty());
        assert!(run.world.deadlines.is_empty());
        let lives_there = run.flow.facts.housing.moves.values().any(|m| m.on() && m.keys.is_some());
        let left: Vec<_> = run.world.tasks.keys().map(|(kind, _)| *kind).collect();
        assert_eq!(left, if lives_there { vec![TaskKind::FollowUpHome] } else { vec![] });
        for what in ["start", "guarantee", "handover", "aftercare"] {
            assert!(!run.world.held.iter().any(|held| held.starts_with(what)), "{what}: {:?}", run.world.held);
        }
        for (id, m) in run.flow.facts.housing.moves.iter().filter(|(_, m)| m.on() && m.keys.is_none()) {
            assert!(run.commands().contains(&Command::WithdrawAllocation { allocation: *id }), "{m:?}");
        }
    }
}

/// R-REG-29
#[test]
fn after_a_death_the_pool_is_left_once_the_home_is_given_back() {
    let mut run = Run::of(&tell([notified(1), nominated(20), accepted(31, 20), died()]));
    let nomination = NominationId(uuid(20));
    assert!(!run.commands().contains(&Command::WithdrawNomination { nomination }));
    run.take(&Incoming { id: uuid(5_000), at: Moment::start_of(START), fact: fell(31) }, START);
    assert!(run.commands().contains(&Command::WithdrawNomination { nomination }));
}

/// P4
#[test]
fn a_withdrawn_notification_closes_its_case() {
    let withdrawn = || A::NotificationWithdrawn { notification: NotificationId(uuid(1)) }.into();
    assert_eq!(Run::of(&tell([notified(1), withdrawn()])).world, World::default());
    // Not while another one runs, or a stay.
    let by_police = A::NotificationReceived {
        notification: NotificationId(uuid(2)),
        municipality: town(),
        notified_by: org("politie"),
    };
    let run = Run::of(&tell([notified(1), by_police.into(), withdrawn()]));
    let notifiers = run.world.relations.iter().filter(|relation| relation.contains("Notifier"));
    assert_eq!((run.world.cases.len(), notifiers.count()), (1, 1));
    let stay = A::Admitted { stay: StayId(uuid(10)), organisation: org("leger"), notification: None };
    assert_eq!(Run::of(&tell([notified(1), stay.into(), withdrawn()])).world.cases.len(), 1);
}

/// R-ACC-13, P4
#[test]
fn who_comes_back_after_a_withdrawal_has_a_new_case_whatever_happens_to_the_old_one() {
    let withdrawn = A::NotificationWithdrawn { notification: NotificationId(uuid(1)) };
    let stay = A::Admitted { stay: StayId(uuid(10)), organisation: org("leger"), notification: None };
    let closed = R::CaseClosed { case: case(1) };
    let events = tell([notified(1), withdrawn.into(), notified(2), closed.into(), stay.into()]);
    for order in [[0, 1, 2, 3, 4], [0, 3, 1, 2, 4], [0, 1, 3, 2, 4], [0, 1, 2, 4, 3]] {
        let run = Run::of(&order.map(|n| events[n].clone()));
        assert_eq!(run.world.cases, [case(2).to_string()].into(), "{order:?}");
    }
}

/// R-ACC-13, R-ACC-17
#[test]
fn a_case_asks_for_a_case_holder_and_a_plan() {
    let stay = StayId(uuid(10));
    let mut facts = vec![
        notified(1),
        A::Admitted { stay, organisation: org("leger"), notification: None }.into(),
        A::TrajectoryStarted { stay, started_on: START }.into(),
    ];
    let run = Run::of(&tell(facts.clone()));
    assert_eq!(run.task(TaskKind::AssignCaseholder).unwrap().due_on, date(2026, 3, 4));
    assert_eq!(run.task(TaskKind::MakePlan).unwrap().due_on, date(2026, 3, 7));
    facts.extend([R::CaseHolderChanged { case: case(1) }.into(), R::PlanAdopted { case: case(1) }.into()]);
    assert!(Run::of(&tell(facts)).world.tasks.is_empty());
}

/// P7
#[test]
fn who_left_the_last_stay_without_a_home_is_a_question_to_the_case_holder() {
    let left = |facts: &[Fact]| {
        let facts = [notified(1), nominated(20), admitted(10)].into_iter().chain(facts.iter().cloned());
        Run::of(&tell(facts)).task(TaskKind::FollowUpDeparture).cloned()
    };
    let asked =
        Task { kind: TaskKind::FollowUpDeparture, subject: uuid(10), to: To::CaseHolder, due_on: date(2026, 3, 9) };
    assert_eq!(left(&[]), None);
    assert_eq!(left(&[departed(10)]), Some(asked.clone()));
    assert_eq!(left(&[admitted(11), departed(10)]), None, "there is another stay");
    assert_eq!(left(&[admitted(11), departed(10), departed(11)]).unwrap().subject, uuid(11), "the last one asks");
    // To a home, or from one that was lived in: that is another question.
    let home = [accepted(31, 20), signed(31), keys(31)];
    let lease_ended = || Fact::from(H::LeaseEnded { allocation: allocation(31) });
    assert_eq!(left(&[&home[..], &[departed(10)]].concat()), None);
    assert_eq!(left(&[&home[..], &[departed(10), lease_ended(), nominated(21)]].concat()), None);
    // A home that falls through leaves it open; so does one that was lived in before.
    assert_eq!(left(&[accepted(31, 20), departed(10), fell(31)]), Some(asked));
    assert!(left(&[&home[..], &[departed(10), lease_ended(), admitted(11), departed(11)]].concat()).is_some());
    for after in
        [admitted(11), accepted(31, 20), nominated(21), notified(2), R::CaseClosed { case: case(1) }.into(), died()]
    {
        assert_eq!(left(&[departed(10), after.clone()]), None, "{after:?}");
    }
    assert_eq!(Run::of(&tell([admitted(10), departed(10)])).task(TaskKind::FollowUpDeparture), None, "no case");
}

/// R-REG-13
#[test]
fn social_services_know_the_client_from_the_nomination_until_the_case_ends() {
    let income = format!("{:?}", Relation { organisation: org("sociale-dienst"), kind: RelationKind::Income });
    let withdrawn = || H::NominationWithdrawn { nomination: NominationId(uuid(20)) }.into();
    let cases: [(Vec<Fact>, bool); 5] = [
        (vec![notified(1)], false),
        (vec![nominated(20)], true),
        (vec![nominated(20), withdrawn()], false),
        (vec![notified(1), nominated(20), withdrawn()], true),
        (vec![notified(1), nominated(20), withdrawn(), R::CaseClosed { case: case(1) }.into()], false),
    ];
    for (facts, knows) in cases {
        assert_eq!(Run::of(&tell(facts.clone())).world.relations.contains(&income), knows, "{facts:?}");
    }
}

#[test]
fn a_running_case_keeps_its_edition_and_the_next_gets_the_newest() {
    let mut run = Run::of(&tell([notified(1)]));
    run.flow.edition = 7;
    let told = |n, fact| Incoming { id: uuid(n), at: Moment::start_of(START), fact };
    run.take(&told(5_000, nominated(20)), START);
    assert_eq!(run.flow.edition, 7);
    run.take(&told(5_001, R::CaseClosed { case: case(1) }.into()), START);
    run.take(&told(5_002, own_income(START, None)), START);
    assert_eq!(run.flow.edition, EDITIONS.len());
}

// ---------------------------------------------------------------------------------------------------- two of one person

fn merged() -> Fact {
    R::Merged { merge: uuid(90) }.into()
}

/// The road with a merge after `from` of its facts, and its undo after `until`.
fn merged_between(road: &[Fact], from: usize, until: usize) -> Vec<Fact> {
    let undone = Fact::from(R::MergeUndone);
    [&road[..from], &[merged()], &road[from..until], &[undone], &road[until..]].concat()
}

/// R-REG-26: merged anywhere on the road and undone anywhere after, everything stands as if there had been no merge; told
/// twice, it has one effect.
#[test]
fn a_merge_that_is_undone_leaves_everything_as_without_it() {
    for road in [road(), roads().swap_remove(25)] {
        let plain = Run::of(&tell(road.clone()));
        for from in 0..=road.len() {
            for until in [from, from + 1, from + 6, road.len()].map(|until| until.min(road.len())) {
                let run = Run::of(&tell(merged_between(&road, from, until)));
                assert_eq!(run.stands(), plain.stands(), "{from} to {until}");
                assert_eq!(run.world, plain.world, "{from} to {until}");
            }
        }
        let events = tell(merged_between(&road, 10, 20));
        let twice: Vec<_> = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
        assert_eq!(Run::of(&twice).sent, Run::of(&events).sent);
    }
}

/// R-REG-26, P6: while a record points to another, its case is closed, nothing is undone and nothing asked of anybody, but for
/// a place tonight, a signal that nobody took up, and a look at the merge when something runs there after all.
#[test]
fn a_record_that_points_to_another_rests() {
    use TaskKind::{FindPlaceTonight, LookAtMerge, TakeUpSignal};
    let road = road();
    for from in 0..=road.len() {
        let events = tell(merged_between(&road, from, road.len()));
        let mut run = Run::of(&events[..from]);
        let (relations, held) = (run.world.relations.clone(), run.world.held.clone());
        for event in &events[from..=road.len()] {
            run.take(event, START);
            let told = &event.fact;
            assert!(run.world.cases.is_empty(), "{from}: {told:?}");
            assert_eq!(run.world.relations, relations, "{from}: {told:?}");
            let asked = run.world.tasks.keys().map(|(kind, _)| *kind);
            assert!(asked.clone().all(|kind| [FindPlaceTonight, LookAtMerge, TakeUpSignal].contains(&kind)));
            let runs = !run.flow.running(START).is_empty();
            assert_eq!(asked.filter(|kind| *kind == LookAtMerge).count(), usize::from(runs), "{from}: {told:?}");
        }
        let sent = commands(&run.sent).into_iter().filter(|one| matches!(one, Command::WithdrawBenefitStart { .. }));
        let before = Run::of(&events[..from]).commands();
        assert_eq!(sent.count(), before.iter().filter(|c| matches!(c, Command::WithdrawBenefitStart { .. })).count());
        let left: Vec<_> = held.iter().filter(|what| !run.world.held.contains(*what)).collect();
        assert!(left.iter().all(|what| ["aftercare", "ClaimPlace"].iter().any(|by| what.starts_with(by))), "{left:?}");
    }
    let help = Run::of(&tell([notified(1), merged(), nowhere(50)]));
    let claimed = Command::ClaimPlace { signal: SignalId(uuid(50)), municipality: town(), relapse_guarantee: false };
    assert_eq!(help.commands(), [claimed]);
}

/// R-REG-13, R-REG-26: the case of the record that is used closed, so nobody knows the one that points there by its own.
#[test]
fn who_knows_a_record_that_points_knows_it_as_long_as_the_case_that_is_used() {
    let facts = [notified(1), merged(), R::KeptCaseClosed.into()];
    assert!(!Run::of(&tell(facts.clone().into_iter().take(2))).world.relations.is_empty());
    assert!(Run::of(&tell(facts.clone())).world.relations.is_empty());
    let undone = Run::of(&tell(facts.into_iter().chain([R::MergeUndone.into()])));
    assert_eq!(undone.world, Run::of(&tell([notified(1)])).world);
}

/// R-REG-26: the suspicion is off the list whichever of the two is kept, and on it again when that is undone.
#[test]
fn a_suspicion_of_two_records_ends_with_their_merge() {
    let other = uuid(80);
    let suspected = || Fact::from(A::DuplicateSuspected { of_client: other, municipality: town() });
    let asked = |facts: &[Fact]| {
        Run::of(&tell([notified(1), suspected()].into_iter().chain(facts.iter().cloned())))
            .task(TaskKind::LookAtDuplicate)
            .is_some()
    };
    let (took, gave) = (Fact::from(R::TookOver { other }), Fact::from(R::GaveBack { other }));
    assert!(asked(&[]));
    assert!(!asked(&[merged()]) && asked(&[merged(), R::MergeUndone.into()]));
    assert!(!asked(std::slice::from_ref(&took)) && asked(&[took, gave]));
    assert!(asked(&[R::TookOver { other: uuid(81) }.into()]), "that was about somebody else");
}

/// R-REG-26
#[test]
fn what_runs_is_known_until_it_ends() {
    use Running::{Aftercare, Application, Benefit, Home, Night, Nomination, Offer, Place, Shelter, Stay, Waiting};
    let (application, entry, notification) = (uuid(81), uuid(82), NotificationId(uuid(1)));
    let (claim, signal) = (ClaimId(uuid(60)), SignalId(uuid(50)));
    let lease_ended = Fact::from(H::LeaseEnded { allocation: allocation(31) });
    let withdrawn = |n| Fact::from(H::NominationWithdrawn { nomination: NominationId(uuid(n)) });
    let cases: Vec<(Vec<Fact>, &[Running])> = vec![
        (vec![notified(1)], &[]),
        (vec![A::UrgentProvisionOverdue { notification }.into()], &[Shelter]),
        (vec![A::ApplicationReceived { application }.into()], &[Application]),
        (vec![A::ApplicationReceived { application }.into(), A::DecisionTaken { application }.into()], &[]),
        (vec![admitted(10)], &[Stay]),
        (vec![admitted(10), departed(10)], &[]),
        (vec![A::Waitlisted { entry }.into()], &[Waiting]),
        (vec![A::Waitlisted { entry }.into(), A::WaitingListLeft { entry }.into()], &[]),
        (vec![nowhere(50), A::PlaceClaimed { claim, signal }.into()], &[Place, Night]),
        (vec![nominated(20)], &[Nomination]),
        (vec![nominated(20), withdrawn(20)], &[]),
        (vec![nominated(20), offered(40, 20, LEASE)], &[Nomination, Offer]),
        (vec![nominated(20), accepted(31, 20)], &[Home]),
        (vec![accepted(31, 20), fell(31)], &[]),
        (vec![accepted(31, 20), keys(31), landed(31)], &[Home]),
        (vec![accepted(31, 20), keys(31), lease_ended.clone()], &[Aftercare]),
        (vec![accepted(31, 20), keys(31), lease_ended, landed(31)], &[]),
        (vec![I::BenefitRequestPrepared { request: request() }.into()], &[Benefit]),
        (vec![granted(START)], &[Benefit]),
        (vec![granted(START), I::BenefitEnded { request: request(), ends_on: START }.into()], &[Benefit]),
        (vec![benefit_refused()], &[]),
        (vec![admitted(10), died()], &[]),
    ];
    for (facts, runs) in cases {
        let run = Run::of(&tell(facts.clone()));
        assert_eq!(run.flow.running(START), runs.iter().copied().collect(), "{facts:?}");
    }
    let ended = [granted(START), I::BenefitEnded { request: request(), ends_on: START }.into()];
    assert_eq!(Run::of(&tell(ended)).flow.running(LEASE), BTreeSet::new());
}
