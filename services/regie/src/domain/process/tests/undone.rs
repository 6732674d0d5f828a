//! Steps that are refused, and steps that are undone.

use super::*;

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
