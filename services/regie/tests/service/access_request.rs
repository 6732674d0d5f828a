//! A request for access that people answer, from its receipt to the answer.

use super::*;

fn own(bench: &Bench<Regie>, client: ClientId) -> Caller {
    as_(bench, &client_actor(client), "own-file")
}

fn ask(client: ClientId, received_on: Option<Date>) -> RecordAccessRequestRequest {
    let (request_id, client_id) = (rid(), client.to_string());
    RecordAccessRequestRequest { request_id, client_id, received_on: received_on.map(from_date) }
}

fn confirm(client: ClientId, access_request_id: &str) -> ConfirmRequesterRequest {
    let (request_id, client_id) = (rid(), client.to_string());
    ConfirmRequesterRequest { request_id, client_id, access_request_id: access_request_id.to_owned() }
}

fn extend(client: ClientId, access_request_id: &str, told_on: Date) -> ExtendAccessRequestRequest {
    ExtendAccessRequestRequest {
        request_id: rid(),
        client_id: client.to_string(),
        access_request_id: access_request_id.to_owned(),
        ground: AccessExtensionGround::Complex.into(),
        told_on: Some(from_date(told_on)),
    }
}

fn answer(client: ClientId, access_request_id: &str, outcome: AccessOutcome) -> AnswerAccessRequestRequest {
    AnswerAccessRequestRequest {
        request_id: rid(),
        client_id: client.to_string(),
        access_request_id: access_request_id.to_owned(),
        outcome: outcome.into(),
        way: AccessWay::Post.into(),
        ..Default::default()
    }
}

async fn asked(caller: &mut Caller, client: ClientId) -> Vec<AccessRequestView> {
    let request = ListAccessRequestsRequest { client_id: client.to_string() };
    caller.list_access_requests(request).await.unwrap().into_inner().access_requests
}

async fn on_the_list(bench: &Bench<Regie>, client: ClientId) -> Vec<TaskView> {
    let request = ListTasksRequest { all_organisations: true, client_id: client.to_string(), ..Default::default() };
    let mut all = tasks(&mut municipality(bench), request).await;
    all.retain(|task| task.kind() == TaskKind::AnswerAccessRequest);
    all
}

/// How often it was told that the last day of this request is near, and that it was missed.
async fn near_and_missed(bench: &Bench<Regie>, access_request_id: &str) -> (usize, usize) {
    let payloads: Vec<_> = bench.events().await.into_iter().filter_map(|event| event.payload).collect();
    let near = payloads.iter().filter_map(|any| any.to_msg::<DeadlineApproaching>().ok());
    let missed = payloads.iter().filter_map(|any| any.to_msg::<DeadlineMissed>().ok());
    (
        near.filter(|event| event.subject_id == access_request_id).count(),
        missed.filter(|event| event.subject_id == access_request_id).count(),
    )
}

fn told(names: &[String], name: &str) -> usize {
    names.iter().filter(|one| *one == name).count()
}

testkit::on_both_engines! {
    /// R-REG-21, P7
    async fn a_request_on_paper_is_on_the_municipalitys_list_for_a_month(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut regie = municipality(&bench);
        let received = date(2026, 2, 20);
        let first = regie.record_access_request(ask(client, Some(received))).await.unwrap().into_inner();
        assert_eq!(first.answer_by, Some(from_date(date(2026, 3, 20))));
        // Asking twice is asking once.
        let again = own(&bench, client).record_access_request(ask(client, None)).await.unwrap().into_inner();
        assert_eq!(again, first);
        let [task] = &on_the_list(&bench, client).await[..] else { panic!() };
        assert_eq!((task.organisation.as_str(), task.role.as_str()), ("gemeente-dordrecht", "regie"));
        assert_eq!(task.due_on, first.answer_by);
        // It ends with the answer, not by hand.
        let by_hand = CompleteTaskRequest {
            request_id: rid(),
            expected_version: task.version,
            task_id: task.task_id.clone(),
            outcome: TaskOutcome::Done.into(),
        };
        assert_eq!(reason(&regie.complete_task(by_hand).await.unwrap_err()), "TASK_ENDS_WITH_ANSWER");

        // Three working days before the end it warns; after it, it is overdue.
        bench.on(date(2026, 3, 16)).await;
        assert_eq!(near_and_missed(&bench, &first.access_request_id).await, (0, 0));
        bench.on(date(2026, 3, 17)).await;
        assert_eq!(near_and_missed(&bench, &first.access_request_id).await, (1, 0));
        bench.on(date(2026, 3, 20)).await;
        assert_eq!(near_and_missed(&bench, &first.access_request_id).await, (1, 0));
        bench.on(date(2026, 3, 21)).await;
        assert_eq!(near_and_missed(&bench, &first.access_request_id).await, (1, 1));

        let ahead = regie.record_access_request(ask(client, Some(date(2026, 3, 22)))).await.unwrap_err();
        assert_eq!(reason(&ahead), "ACCESS_REQUEST_DAY_WRONG");
        let stranger = as_(&bench, &anna(), "regie").record_access_request(ask(client, None)).await.unwrap_err();
        assert_eq!(stranger.code(), Code::NotFound);
        let not_theirs = own(&bench, client).answer_access_request(answer(client, &first.access_request_id, AccessOutcome::Whole)).await;
        assert_eq!(reason(&not_theirs.unwrap_err()), "ROLE_NOT_ALLOWED");
    }

    /// R-REG-21
    async fn the_month_is_extended_once_and_the_task_moves_along(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (mut regie, mut own) = (municipality(&bench), own(&bench, client));
        let id = own.record_access_request(ask(client, None)).await.unwrap().into_inner().access_request_id;
        bench.on(date(2026, 4, 3)).await;
        let late = regie.extend_access_request(extend(client, &id, date(2026, 4, 3))).await.unwrap_err();
        assert_eq!(reason(&late), "ACCESS_REQUEST_TOLD_TOO_LATE");
        for _ in 0..2 {
            let longer = regie.extend_access_request(extend(client, &id, date(2026, 4, 1))).await.unwrap().into_inner();
            assert_eq!(longer.answer_by, Some(from_date(date(2026, 6, 2))));
        }
        let [task] = &on_the_list(&bench, client).await[..] else { panic!() };
        assert_eq!((task.due_on, task.overdue), (Some(from_date(date(2026, 6, 2))), false));
        let other = ExtendAccessRequestRequest {
            ground: AccessExtensionGround::ManyRequests.into(),
            ..extend(client, &id, date(2026, 4, 1))
        };
        assert_eq!(reason(&regie.extend_access_request(other).await.unwrap_err()), "ACCESS_REQUEST_EXTENDED");
        let [shown] = &asked(&mut own, client).await[..] else { panic!() };
        assert_eq!(shown.extension_ground(), AccessExtensionGround::Complex);
        assert_eq!((shown.told_on, shown.checked_on), (Some(from_date(date(2026, 4, 1))), Some(from_date(TODAY))));
        assert_eq!(told(&bench.event_names().await, "AccessRequestExtended"), 1);
    }

    /// R-REG-21
    async fn nothing_is_given_on_paper_before_it_is_known_who_asks(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (mut regie, mut own) = (municipality(&bench), own(&bench, client));
        let id = regie.record_access_request(ask(client, Some(TODAY))).await.unwrap().into_inner().access_request_id;
        let early = regie.answer_access_request(answer(client, &id, AccessOutcome::Whole)).await.unwrap_err();
        assert_eq!(reason(&early), "REQUESTER_NOT_CHECKED");
        let without = regie.answer_access_request(answer(client, &id, AccessOutcome::InPart)).await.unwrap_err();
        assert_eq!(reason(&without), "MALFORMED");
        assert_eq!(reason(&regie.confirm_requester(confirm(client, &rid())).await.unwrap_err()), "ACCESS_REQUEST_UNKNOWN");
        for _ in 0..2 {
            regie.confirm_requester(confirm(client, &id)).await.unwrap();
        }
        let in_part = || AnswerAccessRequestRequest {
            withheld_ground: AccessWithheldGround::Reporter.into(),
            ..answer(client, &id, AccessOutcome::InPart)
        };
        for _ in 0..2 {
            regie.answer_access_request(in_part()).await.unwrap();
        }
        let otherwise = regie.answer_access_request(answer(client, &id, AccessOutcome::Whole)).await.unwrap_err();
        assert_eq!(reason(&otherwise), "ACCESS_REQUEST_ANSWERED");
        assert!(on_the_list(&bench, client).await.is_empty());
        let [shown] = &asked(&mut own, client).await[..] else { panic!() };
        assert_eq!((shown.outcome(), shown.withheld_ground()), (AccessOutcome::InPart, AccessWithheldGround::Reporter));
        assert_eq!((shown.way(), shown.answered_on), (AccessWay::Post, Some(from_date(TODAY))));
        assert_eq!(told(&bench.event_names().await, "AccessRequestAnswered"), 1);
        // The client may ask again; who asks with an own token is known.
        let second = own.record_access_request(ask(client, None)).await.unwrap().into_inner().access_request_id;
        assert_ne!(id, second);
        let refused = AnswerAccessRequestRequest {
            refusal_ground: AccessRefusalGround::Excessive.into(),
            ..answer(client, &second, AccessOutcome::Refused)
        };
        regie.answer_access_request(refused).await.unwrap();
        assert_eq!(asked(&mut own, client).await[1].refusal_ground(), AccessRefusalGround::Excessive);
    }

    /// R-REG-21, R-REG-26
    async fn a_request_that_waits_is_answered_in_a_record_that_points_to_another_since(bench: Bench<Regie> = Regie::embedded()) {
        let (client, kept) = (notified(&bench).await, notified(&bench).await);
        let mut regie = municipality(&bench);
        let id = regie.record_access_request(ask(client, Some(TODAY))).await.unwrap().into_inner().access_request_id;
        merge::merged(&bench, client, kept).await;
        bench.settled().await;
        assert_eq!(on_the_list(&bench, client).await.len(), 1, "its month runs on");
        regie.extend_access_request(extend(client, &id, TODAY)).await.unwrap();
        regie.confirm_requester(confirm(client, &id)).await.unwrap();
        regie.answer_access_request(answer(client, &id, AccessOutcome::Whole)).await.unwrap();
        assert!(on_the_list(&bench, client).await.is_empty());
        assert_eq!(told(&bench.event_names().await, "AccessRequestAnswered"), 1);
    }
}
