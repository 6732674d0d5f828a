//! The client's right to erasure, from the request to the last key.

use super::*;

fn client(bench: &Bench<Regie>, client: ClientId) -> Caller {
    as_(bench, &client_actor(client), "own-file")
}

fn ask(client: ClientId, received_on: Option<Date>) -> RequestErasureRequest {
    let (request_id, client_id) = (rid(), client.to_string());
    RequestErasureRequest { request_id, client_id, received_on: received_on.map(from_date) }
}

fn answer(client: ClientId, erasure_id: &str, granted: bool, ground: ErasureGround) -> DecideErasureRequest {
    DecideErasureRequest {
        request_id: rid(),
        client_id: client.to_string(),
        erasure_id: erasure_id.to_owned(),
        granted,
        ground: ground.into(),
    }
}

async fn asked(caller: &mut Caller, client: ClientId) -> Vec<ErasureView> {
    let request = ListErasuresRequest { client_id: client.to_string() };
    caller.list_erasures(request).await.unwrap().into_inner().erasures
}

async fn close(bench: &Bench<Regie>, client: ClientId) {
    let close = CloseCaseRequest {
        request_id: rid(),
        expected_version: super::version(bench, client).await,
        client_id: client.to_string(),
        reason: CloseReason::Left.into(),
    };
    municipality(bench).close_case(close).await.unwrap();
    bench.settled().await;
}

fn told(names: &[String], name: &str) -> usize {
    names.iter().filter(|one| *one == name).count()
}

testkit::on_both_engines! {
    /// R-REG-22, P7
    async fn a_written_request_stands_on_the_municipalitys_list_for_three_months(bench: Bench<Regie> = Regie::embedded()) {
        let someone = notified(&bench).await;
        let mut own = client(&bench, someone);
        let first = own.request_erasure(ask(someone, Some(date(2026, 1, 1)))).await.unwrap().into_inner();
        // The client asks today, whatever day is filled in; asking twice is asking once.
        assert_eq!(first.decide_by, Some(from_date(date(2026, 6, 2))));
        let again = municipality(&bench).request_erasure(ask(someone, None)).await.unwrap().into_inner();
        assert_eq!(again, first);
        let of_client =
            || ListTasksRequest { all_organisations: true, client_id: someone.to_string(), ..Default::default() };
        let wanted = async || {
            let all = tasks(&mut municipality(&bench), of_client()).await;
            let due = |task: &TaskView| (task.subject_id.clone(), task.organisation.clone(), task.due_on);
            let erasures = all.iter().filter(|task| task.kind() == TaskKind::DecideErasure);
            erasures.map(due).collect::<Vec<_>>()
        };
        let one = (first.erasure_id.clone(), "gemeente-dordrecht".to_owned(), first.decide_by);
        assert_eq!(wanted().await, std::slice::from_ref(&one));
        // Closing the case does not take it off the list.
        close(&bench, someone).await;
        assert_eq!(wanted().await, [one]);
        bench.on(date(2026, 6, 3)).await;
        assert_eq!(told(&bench.event_names().await, "DeadlineMissed"), 1);

        let tomorrow = ask(someone, Some(date(2026, 6, 4)));
        let early = municipality(&bench).request_erasure(tomorrow).await.unwrap_err();
        assert_eq!(reason(&early), "ERASURE_NOT_YET_ASKED");
        let stranger = as_(&bench, &anna(), "regie").request_erasure(ask(someone, None)).await.unwrap_err();
        assert_eq!(stranger.code(), Code::NotFound);
        let not_theirs = own.decide_erasure(answer(someone, &first.erasure_id, true, ErasureGround::Unspecified)).await;
        assert_eq!(reason(&not_theirs.unwrap_err()), "ROLE_NOT_ALLOWED");
    }

    /// R-REG-22
    async fn a_refusal_is_a_decision_on_one_of_two_grounds_and_the_client_reads_it(bench: Bench<Regie> = Regie::embedded()) {
        let someone = notified(&bench).await;
        let mut own = client(&bench, someone);
        let first = own.request_erasure(ask(someone, None)).await.unwrap().into_inner().erasure_id;
        let mut regie = municipality(&bench);
        let without = regie.decide_erasure(answer(someone, &first, false, ErasureGround::Unspecified)).await.unwrap_err();
        assert_eq!(reason(&without), "MALFORMED");
        let unknown = regie.decide_erasure(answer(someone, &id(), false, ErasureGround::LegalDuty)).await.unwrap_err();
        assert_eq!(reason(&unknown), "ERASURE_UNKNOWN");
        for _ in 0..2 {
            regie.decide_erasure(answer(someone, &first, false, ErasureGround::LegalDuty)).await.unwrap();
        }
        let granted = regie.decide_erasure(answer(someone, &first, true, ErasureGround::Unspecified)).await.unwrap_err();
        assert_eq!(reason(&granted), "ERASURE_DECIDED");
        let list = asked(&mut own, someone).await;
        assert_eq!((list.len(), list[0].granted, list[0].ground()), (1, false, ErasureGround::LegalDuty));
        assert_eq!(list[0].decided_on, Some(from_date(TODAY)));
        let names = bench.event_names().await;
        assert_eq!((told(&names, "ErasureDecided"), told(&names, "ClientErased")), (1, 0));
        // The client may ask again.
        let second = own.request_erasure(ask(someone, None)).await.unwrap().into_inner().erasure_id;
        assert_ne!(first, second);
    }

    /// R-REG-22: what is granted holds against yesterday's copy of the database.
    async fn what_was_erased_stays_erased_when_yesterdays_database_is_put_back(bench: Bench<Regie> = Regie::embedded()) {
        let mut bench = bench;
        let someone = notified(&bench).await;
        let mut regie = municipality(&bench);
        regie.adopt_plan(adopt(&bench, someone).await).await.unwrap();
        regie.set_goal(housing_goal(&bench, someone).await).await.unwrap();
        let erasure_id = regie.request_erasure(ask(someone, None)).await.unwrap().into_inner().erasure_id;
        let yes = || answer(someone, &erasure_id, true, ErasureGround::Unspecified);
        assert_eq!(reason(&regie.decide_erasure(yes()).await.unwrap_err()), "ERASURE_CASE_OPEN");
        close(&bench, someone).await;
        let text = async |bench: &Bench<Regie>| {
            let case = case_of(&mut municipality(bench), someone).await.unwrap();
            case.goals.into_iter().map(|goal| goal.text).collect::<Vec<_>>()
        };
        assert_eq!(text(&bench).await, ["een eigen voordeur"]);
        let yesterday = bench.back_up().await;

        municipality(&bench).decide_erasure(yes()).await.unwrap();
        bench.settled().await;
        assert_eq!(text(&bench).await, Vec::<String>::new());
        let names = bench.event_names().await;
        assert_eq!((told(&names, "ErasureDecided"), told(&names, "ClientErased")), (1, 1));
        // The partner of before hears that it must erase too, though its relation ended with the case.
        let former = bench.events_for(&actor(Role::Shelter, "leger-des-heils"), "shelter").await;
        let erased = |event: &proto::feed::v1::Event| event.r#type == "nl.doorstroom.regie.client-erased";
        assert_eq!(former.iter().filter(|event| erased(event)).count(), 1);
        // What is still told about the client changes nothing, and holds nothing up.
        notify(&bench, someone).await;
        assert!(case_of(&mut municipality(&bench), someone).await.unwrap().closed_on.is_some());

        bench.put_back(yesterday).await;
        assert_eq!(text(&bench).await, Vec::<String>::new());
    }
}
