//! Feeds that come in in any order.

use super::*;

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

/// R-AFT-18
#[test]
fn every_interleaving_of_an_aftercare_that_is_told_to_end_in_two_ways_ends_the_same() {
    let end = |landed| N::AftercareEnded { allocation: allocation(31), landed }.into();
    one_end("ended twice", vec![notified(1), accepted(31, 20), end(true), notified(2), end(false)], 30);
}

/// R-AFT-01, R-ACC-13: another home was accepted before the aftercare of the first ended, and is heard of after it. The case
/// that a new notification opened meanwhile is part of the first after all.
#[test]
fn every_interleaving_of_a_second_home_that_is_heard_of_late_ends_the_same() {
    let ended = N::AftercareEnded { allocation: allocation(31), landed: true }.into();
    let facts = vec![notified(1), accepted(31, 20), accepted(32, 21), ended, notified(2)];
    one_end("heard of late", facts, 30);
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
