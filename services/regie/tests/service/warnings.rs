//! What the services warn of, and on whose list it ends.

use super::*;
use prost::{Message, Name};

async fn tell<E: Message + Name>(bench: &Bench<Regie>, peer: &str, client: ClientId, on: Date, event: &E) {
    bench.peer(peer).publish(Some(client), on, event).await;
    bench.settled().await;
}

/// Everything on somebody's list that is of one kind, as the municipality sees it.
async fn listed(bench: &Bench<Regie>, kind: TaskKind) -> Vec<TaskView> {
    let request = ListTasksRequest { all_organisations: true, ..Default::default() };
    tasks(&mut municipality(bench), request).await.into_iter().filter(|task| task.kind() == kind).collect()
}

/// Whose it is, and by when.
async fn waits(bench: &Bench<Regie>, kind: TaskKind) -> Vec<(String, Date)> {
    let due = |task: &TaskView| proto::to_date("due_on", task.due_on.as_ref()).unwrap();
    listed(bench, kind).await.iter().map(|task| (task.organisation.clone(), due(task))).collect()
}

fn finish(task: &TaskView) -> CompleteTaskRequest {
    let (request_id, task_id) = (rid(), task.task_id.clone());
    CompleteTaskRequest { request_id, expected_version: task.version, task_id, outcome: TaskOutcome::Done.into() }
}

testkit::on_both_engines! {
    /// P6
    async fn each_report_of_the_same_night_alarms_the_duty_person_again(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let signal_id = id();
        let (client_id, municipality) = (client.to_string(), "0505".to_owned());
        let reported = aftercare::NowhereToSleepReported {
            signal_id: signal_id.clone(),
            client_id: client_id.clone(),
            municipality: municipality.clone(),
            night: Some(from_date(TODAY)),
            ..Default::default()
        };
        tell(&bench, "aftercare", client, TODAY, &reported).await;
        let again = |count| aftercare::NowhereToSleepRepeated {
            signal_id: signal_id.clone(),
            client_id: client_id.clone(),
            count,
            municipality: municipality.clone(),
        };
        let alarm = || async { listed(&bench, TaskKind::FindPlaceTonight).await };
        let first = alarm().await;
        assert_eq!(first.len(), 1, "nobody had a place");
        // The duty person says that it is done; the client is still outside.
        super::municipality(&bench).complete_task(finish(&first[0])).await.unwrap();
        assert_eq!(alarm().await, []);
        tell(&bench, "aftercare", client, TODAY, &again(2)).await;
        let second = alarm().await;
        assert_eq!((second.len(), second[0].subject_id.as_str()), (1, signal_id.as_str()));
        assert_eq!(second[0].contacts[0].telephone, "112");
        // And again while somebody has it in hand: the old alarm makes place for the new one.
        let (task_id, expected_version) = (second[0].task_id.clone(), second[0].version);
        let take = TakeTaskRequest { request_id: rid(), expected_version, task_id };
        super::municipality(&bench).take_task(take).await.unwrap();
        tell(&bench, "aftercare", client, TODAY, &again(3)).await;
        let third = alarm().await;
        assert_eq!(third.iter().map(TaskView::state).collect::<Vec<_>>(), [TaskState::Open]);
        assert_ne!(third[0].task_id, second[0].task_id);
        tell(&bench, "aftercare", client, TODAY, &aftercare::SignalClosed { signal_id: signal_id.clone(), outcome: 0 }).await;
        assert_eq!(alarm().await, []);
    }

    /// P7, R-AFT-02
    async fn a_handover_nearly_due_warns_who_has_it_although_its_term_is_short(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let allocation_id = accepted(&bench, client).await;
        let (handover_id, fill_by) = (id(), Some(from_date(date(2026, 3, 5))));
        let drafted = aftercare::HandoverDrafted {
            handover_id: handover_id.clone(),
            allocation_id: allocation_id.clone(),
            from_organisation: "leger-des-heils".into(),
            to_organisation: "wijkteam-west".into(),
            municipality: "0505".into(),
            fill_by,
        };
        tell(&bench, "aftercare", client, TODAY, &drafted).await;
        let warned = || async { told(&bench.event_names().await, "DeadlineApproaching") };
        let before = warned().await;
        let soon = aftercare::HandoverDueSoon {
            handover_id,
            allocation_id,
            waiting_for: aftercare::HandoverParty::Giver.into(),
            organisation: "leger-des-heils".into(),
            due_on: fill_by,
        };
        tell(&bench, "aftercare", client, TODAY, &soon).await;
        assert_eq!(warned().await, before + 1);
        let heard = bench.events_for(&actor(Role::Shelter, "leger-des-heils"), "shelter").await;
        assert!(heard.iter().any(|event| event.r#type == "nl.doorstroom.regie.deadline-approaching"));
        let task = listed(&bench, TaskKind::FillHandover).await.remove(0);
        assert!(task.approaching && task.organisation == "leger-des-heils");
        tell(&bench, "aftercare", client, TODAY, &soon).await;
        assert_eq!(warned().await, before + 1, "once");
    }

    /// P7
    async fn an_offer_that_ends_soon_is_on_the_list_of_both_who_are_waited_for(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (nomination_id, offer_id, dwelling_id) = (id(), id(), id());
        let until = date(2026, 3, 31);
        let nominated = housing::Nominated {
            nomination_id: nomination_id.clone(),
            client_id: client.to_string(),
            municipality: "0505".into(),
            nominated_by: "gemeente-dordrecht".into(),
            provider: "leger-des-heils".into(),
            ..Default::default()
        };
        tell(&bench, "housing", client, TODAY, &nominated).await;
        let made = housing::OfferMade {
            offer_id: offer_id.clone(),
            dwelling_id: dwelling_id.clone(),
            nomination_id,
            corporation: "trivire".into(),
            until: Some(from_date(until)),
            deviates: false,
        };
        tell(&bench, "housing", client, TODAY, &made).await;
        assert_eq!(waits(&bench, TaskKind::AnswerOffer).await, []);
        let soon = housing::OfferEndingSoon {
            offer_id: offer_id.clone(),
            dwelling_id,
            until: Some(from_date(until)),
            corporation: "trivire".into(),
            waits_for_client: true,
            waits_for_corporation: true,
            provider: "leger-des-heils".into(),
        };
        tell(&bench, "housing", client, TODAY, &soon).await;
        assert_eq!(waits(&bench, TaskKind::AnswerOffer).await, [("leger-des-heils".to_owned(), until)]);
        let mut corporation = as_(&bench, &actor(Role::Corporation, "trivire"), "housing");
        assert_eq!(kinds(&mut corporation).await, [TaskKind::AnswerCandidate]);
        let yes = housing::OfferAnswered {
            offer_id: offer_id.clone(),
            by: housing::AnsweredBy::Corporation.into(),
            accepted: true,
            ..Default::default()
        };
        tell(&bench, "housing", client, TODAY, &yes).await;
        assert_eq!(kinds(&mut corporation).await, []);
        tell(&bench, "housing", client, TODAY, &housing::OfferLapsed { offer_id, ..Default::default() }).await;
        assert_eq!(waits(&bench, TaskKind::AnswerOffer).await, []);
        assert_eq!(waits(&bench, TaskKind::FollowUpOffer).await.len(), 1);
    }

    /// P7, R-HOU-05
    async fn a_guarantee_undecided_is_due_today_and_the_municipalitys_tomorrow(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let allocation_id = accepted(&bench, client).await;
        let (guarantee_id, lease_start_on) = (id(), Some(from_date(date(2026, 4, 1))));
        let unanswered = income::RentGuaranteeUnanswered {
            guarantee_id: guarantee_id.clone(),
            allocation_id: allocation_id.clone(),
            lease_start_on,
        };
        tell(&bench, "income", client, TODAY, &unanswered).await;
        assert_eq!(waits(&bench, TaskKind::DecideGuarantee).await, [("sociale-dienst".to_owned(), TODAY)]);
        let late = listed(&bench, TaskKind::DecideGuarantee).await.remove(0);
        let tomorrow = TODAY.tomorrow().unwrap();
        bench.on(tomorrow).await;
        let escalated = listed(&bench, TaskKind::Escalated).await;
        assert!(escalated.iter().any(|task| task.subject_id == late.task_id));
        let refused = income::RentGuaranteeRefused { guarantee_id, allocation_id };
        tell(&bench, "income", client, tomorrow, &refused).await;
        assert_eq!(waits(&bench, TaskKind::DecideGuarantee).await, []);
        let escalated = listed(&bench, TaskKind::Escalated).await;
        assert!(escalated.iter().all(|task| task.subject_id != late.task_id));
    }

    /// P7, R-REG-10
    async fn information_not_given_passes_from_the_case_holder_to_the_municipality(
        bench: Bench<Regie> = Regie::embedded()
    ) {
        let client = notified(&bench).await;
        let holder = AssignCaseHolderRequest {
            organisation: "leger-des-heils".into(),
            ..assign(client, "anna", 1, AssignmentReason::Unspecified)
        };
        municipality(&bench).assign_case_holder(holder).await.unwrap();
        let benefit_request_id = id();
        let until = date(2026, 3, 9);
        let asked = income::InformationAsked {
            benefit_request_id: benefit_request_id.clone(),
            answer_by: Some(from_date(until)),
        };
        tell(&bench, "income", client, TODAY, &asked).await;
        assert_eq!(waits(&bench, TaskKind::GiveInformation).await, [("leger-des-heils".to_owned(), until)]);
        let next = until.tomorrow().unwrap();
        bench.on(next).await;
        assert_eq!(listed(&bench, TaskKind::Escalated).await.len(), 1);
        let decision = date(2026, 4, 20);
        let overdue = income::InformationOverdue {
            benefit_request_id: benefit_request_id.clone(),
            decision_due_on: Some(from_date(decision)),
        };
        tell(&bench, "income", client, next, &overdue).await;
        // Five working days; the escalation of the old day makes place for the task itself.
        let town = ("gemeente-dordrecht".to_owned(), date(2026, 3, 17));
        assert_eq!(waits(&bench, TaskKind::GiveInformation).await, [town]);
        assert_eq!(listed(&bench, TaskKind::Escalated).await, []);
        assert_eq!(waits(&bench, TaskKind::DecideBenefit).await, [("sociale-dienst".to_owned(), decision)]);
        let decided = income::BenefitDecided { benefit_request_id, granted: true, ..Default::default() };
        tell(&bench, "income", client, next, &decided).await;
        assert_eq!(waits(&bench, TaskKind::GiveInformation).await, []);
        assert_eq!(waits(&bench, TaskKind::DecideBenefit).await, []);
    }

    /// P7
    async fn a_case_whose_client_left_the_shelter_is_closed_or_goes_on(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (client_id, mut regie) = (client.to_string(), municipality(&bench));
        regie.assign_case_holder(assign(client, "anna", 1, AssignmentReason::Unspecified)).await.unwrap();
        let stay = |stay_id: &str| access::Admitted {
            stay_id: stay_id.to_owned(),
            client_id: client_id.clone(),
            organisation: "leger-des-heils".into(),
            ..Default::default()
        };
        let left = |stay_id: &str| access::Departed {
            stay_id: stay_id.to_owned(),
            client_id: client_id.clone(),
            outcome: access::DepartureOutcome::DropOut.into(),
            ..Default::default()
        };
        let (first, second) = (id(), id());
        tell(&bench, "access", client, TODAY, &stay(&first)).await;
        tell(&bench, "access", client, TODAY, &left(&first)).await;
        let asked = listed(&bench, TaskKind::FollowUpDeparture).await;
        assert_eq!((asked.len(), asked[0].person.as_str(), asked[0].subject_id.as_str()), (1, "anna", first.as_str()));
        // Back in the shelter: no question. Gone again: a new one, and closing the case answers it.
        tell(&bench, "access", client, TODAY, &stay(&second)).await;
        assert_eq!(listed(&bench, TaskKind::FollowUpDeparture).await, []);
        tell(&bench, "access", client, TODAY, &left(&second)).await;
        assert_eq!(listed(&bench, TaskKind::FollowUpDeparture).await.len(), 1);
        let (request_id, expected_version) = (rid(), super::version(&bench, client).await);
        let close = CloseCaseRequest { request_id, expected_version, client_id, reason: CloseReason::ContactLost.into() };
        regie.close_case(close).await.unwrap();
        assert_eq!(listed(&bench, TaskKind::FollowUpDeparture).await, []);
    }
}
