//! Terms that run out, and signals.

use super::*;

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
