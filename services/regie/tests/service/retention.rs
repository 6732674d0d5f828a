//! Retention terms: they end by themselves, unless somebody decided to keep longer.

use super::*;
use proto::rights::v1::rights_service_client::RightsServiceClient;
use proto::rights::v1::{DestructionCause, DestructionClass, ReportDestroyedRequest, ReportDestroyedResponse};

async fn close(bench: &Bench<Regie>, client: ClientId, reason: CloseReason) {
    let close = CloseCaseRequest {
        request_id: rid(),
        expected_version: version(bench, client).await,
        client_id: client.to_string(),
        reason: reason.into(),
    };
    municipality(bench).close_case(close).await.unwrap();
    bench.settled().await;
}

/// A client with a plan and a goal.
async fn planned(bench: &Bench<Regie>) -> ClientId {
    let client = notified(bench).await;
    plan(bench, client).await;
    client
}

async fn plan(bench: &Bench<Regie>, client: ClientId) {
    let mut regie = municipality(bench);
    regie.adopt_plan(adopt(bench, client).await).await.unwrap();
    let due_on = bench.clock.now().date.tomorrow().ok().map(from_date);
    regie.set_goal(SetGoalRequest { due_on, ..housing_goal(bench, client).await }).await.unwrap();
}

async fn goals(bench: &Bench<Regie>, client: ClientId) -> Vec<String> {
    let case = case_of(&mut municipality(bench), client).await.unwrap();
    case.goals.into_iter().map(|goal| goal.text).collect()
}

async fn retention(caller: &mut Caller, client: ClientId) -> GetRetentionResponse {
    let request = GetRetentionRequest { client_id: client.to_string() };
    caller.get_retention(request).await.unwrap().into_inner()
}

/// What runs, and until when.
async fn terms(bench: &Bench<Regie>, client: ClientId) -> Vec<(RetentionPart, RetentionGround, Date)> {
    let own = retention(&mut as_(bench, &client_actor(client), "own-file"), client).await;
    let day = |term: &RetentionTermView| proto::to_date("last_day", term.last_day.as_ref()).unwrap();
    own.terms.iter().map(|term| (term.part(), term.ground(), day(term))).collect()
}

async fn destroyed(bench: &Bench<Regie>, page_size: i32, page_token: &str) -> ReportDestroyedResponse {
    let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
    let request = ReportDestroyedRequest { page_size, page_token: page_token.to_owned() };
    RightsServiceClient::new(bench.as_(&officer, "audit")).report_destroyed(request).await.unwrap().into_inner()
}

async fn told(bench: &Bench<Regie>, name: &str) -> usize {
    bench.event_names().await.iter().filter(|one| *one == name).count()
}

fn keep(client: ClientId, until: Date) -> KeepLongerRequest {
    KeepLongerRequest {
        request_id: rid(),
        client_id: client.to_string(),
        ground: KeepingGround::Objection.into(),
        until: Some(from_date(until)),
    }
}

testkit::on_both_engines! {
    /// R-REG-23: six weeks after somebody withdrew, and not a day before, nothing of them can be read: not in yesterday's
    /// copy of the database either, and the report says so.
    async fn who_withdrew_is_forgotten_after_six_weeks_also_in_yesterdays_database(bench: Bench<Regie> = Regie::embedded()) {
        let mut bench = bench;
        let someone = planned(&bench).await;
        assert_eq!(terms(&bench, someone).await, []);
        close(&bench, someone, CloseReason::Withdrawn).await;
        let last_day = date(2026, 4, 13);
        let wanted = (RetentionPart::Everything, RetentionGround::Withdrawn, last_day);
        assert_eq!(terms(&bench, someone).await, [wanted]);
        bench.on(last_day).await;
        assert_eq!(goals(&bench, someone).await, ["een eigen voordeur"]);
        assert_eq!(destroyed(&bench, 0, "").await, ReportDestroyedResponse::default());
        let yesterday = bench.back_up().await;

        bench.on(date(2026, 4, 14)).await;
        assert_eq!(goals(&bench, someone).await, Vec::<String>::new());
        assert_eq!(told(&bench, "RetentionEnded").await, 1);
        // The partner of before hears that it must destroy too, though its relation ended with the case.
        let former = bench.events_for(&actor(Role::Shelter, "leger-des-heils"), "shelter").await;
        let ended = |event: &&proto::feed::v1::Event| event.r#type == "nl.doorstroom.regie.retention-ended";
        assert_eq!(former.iter().filter(ended).count(), 1);
        let report = destroyed(&bench, 0, "").await;
        let one = &report.destroyed[0];
        assert_eq!((report.destroyed.len(), one.cause(), one.class()), (1, DestructionCause::Withdrawn, DestructionClass::Everything));
        // One key of the plan; nothing else of this client was sealed in regie.
        assert_eq!((one.keys, report.totals.len(), report.totals[0].clients, report.totals[0].keys), (1, 1, 1, 1));
        assert!(!format!("{report:?}").contains(&someone.to_string()), "the report names nobody");
        // What is still told about the client changes nothing.
        notify(&bench, someone).await;
        assert!(case_of(&mut municipality(&bench), someone).await.unwrap().closed_on.is_some());

        bench.put_back(yesterday).await;
        assert_eq!(goals(&bench, someone).await, Vec::<String>::new());
        bench.settled().await;
        assert_eq!(destroyed(&bench, 0, "").await, report);
        let other = actor(Role::Regie, "gemeente-dordrecht");
        let refused = RightsServiceClient::new(bench.as_(&other, "audit")).report_destroyed(ReportDestroyedRequest::default()).await;
        assert_eq!(reason(&refused.unwrap_err()), "ROLE_NOT_ALLOWED");
    }

    /// R-REG-23: a plan without provision goes after five years, the rest stays until its own term; who comes back makes a
    /// new plan.
    async fn a_plan_without_provision_goes_before_the_rest_and_who_returns_makes_another(bench: Bench<Regie> = Regie::embedded()) {
        let mut bench = bench;
        let (gone, helped) = (planned(&bench).await, planned(&bench).await);
        let taken = access::DecisionTaken {
            decision_id: id(),
            application_id: id(),
            client_id: helped.to_string(),
            granted: true,
            starts_on: Some(from_date(TODAY)),
            ends_on: Some(from_date(date(2026, 5, 31))),
            ..Default::default()
        };
        bench.peer("access").publish(Some(helped), TODAY, &taken).await;
        // That something was refused is no provision.
        let refused = access::DecisionTaken { client_id: gone.to_string(), granted: false, ..taken };
        bench.peer("access").publish(Some(gone), TODAY, &refused).await;
        for client in [gone, helped] {
            close(&bench, client, CloseReason::ContactLost).await;
        }
        let plan_term = (RetentionPart::Plan, RetentionGround::PlanWithoutProvision, date(2031, 3, 2));
        let wmo = (RetentionPart::Everything, RetentionGround::Wmo, date(2041, 3, 2));
        assert_eq!((terms(&bench, gone).await, terms(&bench, helped).await), (vec![plan_term, wmo], vec![wmo]));
        // That the decision ran out is the last that is made of who was helped.
        bench.on(date(2026, 6, 1)).await;
        let later = (RetentionPart::Everything, RetentionGround::Wmo, date(2041, 6, 1));
        assert_eq!((terms(&bench, gone).await, terms(&bench, helped).await), (vec![plan_term, wmo], vec![later]));
        let before = bench.back_up().await;

        bench.on(date(2031, 3, 3)).await;
        let left = async |bench: &Bench<Regie>| (goals(bench, gone).await, goals(bench, helped).await);
        let wanted = (Vec::<String>::new(), vec!["een eigen voordeur".to_owned()]);
        assert_eq!(left(&bench).await, wanted);
        assert_eq!(terms(&bench, gone).await, [wmo]);
        let report = destroyed(&bench, 0, "").await;
        let one = &report.destroyed[0];
        assert_eq!((report.destroyed.len(), one.cause(), one.class(), one.keys),
            (1, DestructionCause::PlanWithoutProvision, DestructionClass::Plan, 1));
        bench.put_back(before).await;
        bench.settled().await;
        assert_eq!(left(&bench).await, wanted);
        assert_eq!(terms(&bench, gone).await, [wmo]);

        let back = access::NotificationReceived {
            notification_id: id(),
            client_id: gone.to_string(),
            municipality: "0505".into(),
            notified_by: "leger-des-heils".into(),
            ..Default::default()
        };
        bench.peer("access").publish(Some(gone), date(2031, 3, 4), &back).await;
        assert_eq!(terms(&bench, gone).await, []);
        plan(&bench, gone).await;
        bench.restart().await;
        assert_eq!(goals(&bench, gone).await, ["een eigen voordeur"]);

        bench.on(date(2041, 6, 2)).await;
        assert_eq!(goals(&bench, helped).await, Vec::<String>::new());
        let second = destroyed(&bench, 1, "").await;
        assert_eq!((second.destroyed.len(), second.destroyed[0].cause()), (1, DestructionCause::Wmo));
        let first = destroyed(&bench, 1, &second.next_page_token).await;
        assert_eq!((first.destroyed, first.next_page_token.as_str()), (report.destroyed, ""));
        // Whose case is open keeps everything, however long ago.
        assert_eq!(goals(&bench, gone).await, ["een eigen voordeur"]);
    }

    /// R-REG-23: a decision keeps longer until its last day or its own end, and is read by the client.
    async fn what_is_kept_longer_stays_until_that_decision_ends(bench: Bench<Regie> = Regie::embedded()) {
        let (one, other) = (planned(&bench).await, planned(&bench).await);
        for client in [one, other] {
            close(&bench, client, CloseReason::Withdrawn).await;
        }
        let mut regie = municipality(&bench);
        let early = regie.keep_longer(keep(one, TODAY)).await.unwrap_err();
        assert_eq!(reason(&early), "KEEPING_NOT_AHEAD");
        let long = regie.keep_longer(keep(one, date(2030, 1, 1))).await.unwrap_err();
        assert_eq!(reason(&long), "KEEPING_TOO_LONG");
        let until = date(2026, 6, 1);
        let kept = regie.keep_longer(keep(one, until)).await.unwrap().into_inner().keeping_id;
        assert_eq!(regie.keep_longer(keep(one, until)).await.unwrap().into_inner().keeping_id, kept);
        regie.keep_longer(keep(other, until)).await.unwrap();
        let own = retention(&mut as_(&bench, &client_actor(one), "own-file"), one).await;
        assert_eq!((own.keepings.len(), own.keepings[0].ground(), own.keepings[0].decided_on),
            (1, KeepingGround::Objection, Some(from_date(TODAY))));

        bench.on(date(2026, 5, 4)).await;
        assert_eq!((goals(&bench, one).await.len(), goals(&bench, other).await.len()), (1, 1));
        let end = |keeping_id: &str| EndKeepingRequest {
            request_id: rid(), client_id: one.to_string(), keeping_id: keeping_id.to_owned(),
        };
        assert_eq!(reason(&regie.end_keeping(end(&id())).await.unwrap_err()), "KEEPING_UNKNOWN");
        regie.end_keeping(end(&kept)).await.unwrap();
        bench.settled().await;
        assert_eq!((goals(&bench, one).await.len(), goals(&bench, other).await.len()), (0, 1));
        regie.end_keeping(end(&kept)).await.unwrap();
        bench.on(until).await;
        assert_eq!(goals(&bench, other).await.len(), 1);
        bench.on(date(2026, 6, 2)).await;
        assert_eq!(goals(&bench, other).await.len(), 0);
        assert_eq!((told(&bench, "RetentionKept").await, told(&bench, "RetentionReleased").await), (2, 1));
        let report = destroyed(&bench, 0, "").await;
        assert_eq!((report.destroyed.len(), report.totals[0].clients), (2, 2));
    }
}
