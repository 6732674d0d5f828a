//! The case, from its opening to its end.

use super::*;

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
