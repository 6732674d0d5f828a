//! Two records of one person.

use super::*;

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
