//! The gate: no gap day.

use super::*;

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
