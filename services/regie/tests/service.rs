//! Regie over real gRPC, on both engines, with stand-ins for the feeds that it follows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "service/access_request.rs"]
mod access_request;
#[path = "service/acknowledgement.rs"]
mod acknowledgement;
#[path = "service/commands.rs"]
mod commands;
#[path = "service/correction.rs"]
mod correction;
#[path = "service/emergency.rs"]
mod emergency;
#[path = "service/erasure.rs"]
mod erasure;
#[path = "service/merge.rs"]
mod merge;
#[path = "service/representative.rs"]
mod representative;
#[path = "service/retention.rs"]
mod retention;
#[path = "service/safe_contact.rs"]
mod safe_contact;
#[path = "service/separation.rs"]
mod separation;
#[path = "service/warnings.rs"]
mod warnings;
#[path = "service/word.rs"]
mod word;

use jiff::civil::date;
use kernel::{Actor, ClientId, Date, Role, Uuid};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::audit::v1::ListAccessRequest;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::from_date;
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::regie::v1::regie_service_client::RegieServiceClient;
use proto::regie::v1::*;
use regie::Regie;
use std::collections::BTreeSet;
use testkit::{Bench, Client, Code, actor, client_actor, reason, rid};
use tonic::Status;

const TODAY: Date = date(2026, 3, 2);

type Caller = RegieServiceClient<Client>;

fn id() -> String {
    Uuid::now_v7().to_string()
}

fn as_(bench: &Bench<Regie>, who: &Actor, purpose: &str) -> Caller {
    RegieServiceClient::new(bench.as_(who, purpose))
}

fn municipality(bench: &Bench<Regie>) -> Caller {
    as_(bench, &actor(Role::Regie, "gemeente-dordrecht"), "regie")
}

fn shelter(bench: &Bench<Regie>) -> Caller {
    as_(bench, &actor(Role::Shelter, "leger-des-heils"), "shelter")
}

fn anna() -> Actor {
    Actor { subject: "anna".into(), ..actor(Role::Caseholder, "gemeente-dordrecht") }
}

/// A client whom the shelter notified.
async fn notified(bench: &Bench<Regie>) -> ClientId {
    let client = ClientId(Uuid::new_v4());
    notify(bench, client).await;
    client
}

async fn notify(bench: &Bench<Regie>, client: ClientId) {
    let event = access::NotificationReceived {
        notification_id: id(),
        client_id: client.to_string(),
        municipality: "0505".into(),
        notified_by: "leger-des-heils".into(),
        received_on: Some(from_date(TODAY)),
        ..Default::default()
    };
    bench.peer("access").publish(Some(client), TODAY, &event).await;
}

/// A home that all accepted.
async fn accepted(bench: &Bench<Regie>, client: ClientId) -> String {
    let (nomination_id, allocation_id) = (id(), id());
    let nominated = housing::Nominated {
        nomination_id: nomination_id.clone(),
        client_id: client.to_string(),
        municipality: "0505".into(),
        nominated_by: "leger-des-heils".into(),
        provider: "leger-des-heils".into(),
        ..Default::default()
    };
    bench.peer("housing").publish(Some(client), TODAY, &nominated).await;
    let accepted = housing::AllocationAccepted {
        allocation_id: allocation_id.clone(),
        offer_id: id(),
        nomination_id,
        dwelling_id: id(),
        client_id: client.to_string(),
        corporation: "trivire".into(),
        provider: "leger-des-heils".into(),
        municipality: "0505".into(),
        district: "WK050503".into(),
        lease_start_on: Some(from_date(date(2026, 4, 1))),
        rent_cents: 60_000,
        ..Default::default()
    };
    bench.peer("housing").publish(Some(client), TODAY, &accepted).await;
    allocation_id
}

fn assign(client: ClientId, person: &str, seen: i64, reason: AssignmentReason) -> AssignCaseHolderRequest {
    AssignCaseHolderRequest {
        request_id: rid(),
        expected_version: seen,
        client_id: client.to_string(),
        person: person.into(),
        organisation: "gemeente-dordrecht".into(),
        deputy: String::new(),
        reason: reason.into(),
    }
}

/// The version of the client's case now.
async fn version(bench: &Bench<Regie>, client: ClientId) -> i64 {
    case_of(&mut municipality(bench), client).await.unwrap().version
}

async fn adopt(bench: &Bench<Regie>, client: ClientId) -> AdoptPlanRequest {
    let (request_id, client_id, expected_version) = (rid(), client.to_string(), version(bench, client).await);
    AdoptPlanRequest { request_id, expected_version, client_id, client_present: true, absence_reason: String::new() }
}

async fn housing_goal(bench: &Bench<Regie>, client: ClientId) -> SetGoalRequest {
    SetGoalRequest {
        request_id: rid(),
        expected_version: version(bench, client).await,
        client_id: client.to_string(),
        goal_id: String::new(),
        domain: LifeDomain::Housing.into(),
        text: "een eigen voordeur".into(),
        owner: GoalOwner::Client.into(),
        due_on: Some(from_date(date(2026, 9, 1))),
    }
}

async fn guidance(bench: &Bench<Regie>, client: ClientId, guidance: Guidance) -> SetGuidanceRequest {
    SetGuidanceRequest {
        request_id: rid(),
        expected_version: version(bench, client).await,
        client_id: client.to_string(),
        guidance: guidance.into(),
    }
}

async fn case_of(caller: &mut Caller, client: ClientId) -> Result<CaseView, Status> {
    let request = GetCaseRequest { client_id: client.to_string(), case_id: String::new() };
    Ok(caller.get_case(request).await?.into_inner().case.unwrap())
}

async fn missing(caller: &mut Caller, client: ClientId) -> Vec<Requirement> {
    let request = GetReadinessRequest { client_id: client.to_string() };
    let answer = caller.get_readiness(request).await.unwrap().into_inner();
    assert_eq!(answer.ready, answer.failed.is_empty());
    answer.failed.iter().map(FailedRequirement::requirement).collect()
}

async fn tasks(caller: &mut Caller, request: ListTasksRequest) -> Vec<TaskView> {
    caller.list_tasks(request).await.unwrap().into_inner().tasks
}

async fn kinds(caller: &mut Caller) -> Vec<TaskKind> {
    tasks(caller, ListTasksRequest::default()).await.iter().map(TaskView::kind).collect()
}

fn told(names: &[String], name: &str) -> usize {
    names.iter().filter(|n| *n == name).count()
}

testkit::on_both_engines! {
    /// R-ACC-13, R-REG-01
    async fn a_notification_opens_one_case_and_a_second_one_joins_it(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        notify(&bench, client).await;
        let case = case_of(&mut shelter(&bench), client).await.unwrap();
        assert_eq!((case.municipality.as_str(), case.version), ("0505", 1));
        let cases = municipality(&bench).list_cases(ListCasesRequest::default()).await.unwrap().into_inner().cases;
        assert_eq!(cases.len(), 1);
        let names = bench.event_names().await;
        assert_eq!(told(&names, "CaseOpened"), 1);
        assert_eq!(told(&names, "ReadinessChanged"), 1);
        assert!(told(&names, "RelationGranted") >= 2, "{names:?}");
    }

    /// R-REG-13, P8
    async fn without_a_relation_a_client_does_not_exist(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut other = as_(&bench, &actor(Role::Shelter, "andere-opvang"), "shelter");
        let unrelated = case_of(&mut other, client).await.unwrap_err();
        let unknown = case_of(&mut other, ClientId(Uuid::new_v4())).await.unwrap_err();
        assert_eq!((unrelated.code(), unrelated.message()), (Code::NotFound, unknown.message()));
        assert!(other.list_cases(ListCasesRequest::default()).await.unwrap().into_inner().cases.is_empty());
        let mut corporation = as_(&bench, &actor(Role::Corporation, "trivire"), "housing");
        assert_eq!(case_of(&mut corporation, client).await.unwrap_err().code(), Code::PermissionDenied);
        let mut purposeless = as_(&bench, &actor(Role::Shelter, "leger-des-heils"), "monitoring");
        assert_eq!(reason(&case_of(&mut purposeless, client).await.unwrap_err()), "PURPOSE_MISSING");
    }

    /// R-ACC-13, R-REG-02, P3
    async fn one_case_holder_by_person_with_history(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut regie = municipality(&bench);
        let first = assign(client, "anna", 1, AssignmentReason::Unspecified);
        let answer = regie.assign_case_holder(first.clone()).await.unwrap().into_inner();
        assert_eq!(answer.version, 2);
        // The same call again: the first answer; with another body: refused.
        assert_eq!(regie.assign_case_holder(first.clone()).await.unwrap().into_inner(), answer);
        let other_body = AssignCaseHolderRequest { person: "bram".into(), ..first };
        assert_eq!(reason(&regie.assign_case_holder(other_body).await.unwrap_err()), "REQUEST_ID_REUSED");

        // Who saw another version, and who saw none.
        for seen in [1, 0] {
            let stale = regie.assign_case_holder(assign(client, "bram", seen, AssignmentReason::Left)).await.unwrap_err();
            assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "STALE_VERSION"));
        }
        let why = regie.assign_case_holder(assign(client, "bram", 2, AssignmentReason::Unspecified)).await.unwrap_err();
        assert_eq!(reason(&why), "ASSIGNMENT_REASON_MISSING");
        let nobody = AssignCaseHolderRequest { organisation: "niemand".into(), ..assign(client, "x", 2, AssignmentReason::Left) };
        assert_eq!(reason(&regie.assign_case_holder(nobody).await.unwrap_err()), "ORGANISATION_UNKNOWN");

        let mut anna = as_(&bench, &anna(), "regie");
        assert!(case_of(&mut anna, client).await.is_ok());
        regie.assign_case_holder(assign(client, "bram", 2, AssignmentReason::ClientWish)).await.unwrap();
        // Anna's relation was by person, and went with her post.
        assert_eq!(case_of(&mut anna, client).await.unwrap_err().code(), Code::NotFound);
        let case = case_of(&mut regie, client).await.unwrap();
        let holders: Vec<_> = case.case_holders.iter().map(|a| (a.person.as_str(), a.reason())).collect();
        assert_eq!(holders, [("bram", AssignmentReason::ClientWish), ("anna", AssignmentReason::First)]);
    }

    /// R-HOU-03, R-HOU-04, R-REG-16
    async fn readiness_follows_the_facts_and_says_what_is_missing(bench: Bench<Regie> = Regie::embedded()) {
        use Requirement::{Decision, Finances, Guidance as Guided, HousingGoal, Withheld};
        let client = notified(&bench).await;
        let (mut regie, mut shelter) = (municipality(&bench), shelter(&bench));
        assert_eq!(missing(&mut regie, client).await, [Decision, HousingGoal, Guided, Finances]);
        assert_eq!(missing(&mut shelter, client).await, [Decision, HousingGoal, Guided, Withheld]);
        let consent = GiveConsentRequest {
            request_id: rid(),
            client_id: client.to_string(),
            data_category: ConsentCategory::Debt.into(),
            receiver: "leger-des-heils".into(),
            purpose: "housing".into(),
            text_version: "2026-1".into(),
            given_on: None,
        };
        let mut own = as_(&bench, &client_actor(client), "own-file");
        own.give_consent(consent).await.unwrap();
        assert_eq!(missing(&mut shelter, client).await, [Decision, HousingGoal, Guided, Finances]);

        assert_eq!(reason(&shelter.set_goal(housing_goal(&bench, client).await).await.unwrap_err()), "PLAN_MISSING");
        shelter.adopt_plan(adopt(&bench, client).await).await.unwrap();
        shelter.set_goal(housing_goal(&bench, client).await).await.unwrap();
        shelter.set_guidance(guidance(&bench, client, Guidance::OfferedAndDeclined).await).await.unwrap();
        let taken = access::DecisionTaken {
            decision_id: id(),
            application_id: id(),
            client_id: client.to_string(),
            granted: true,
            starts_on: Some(from_date(TODAY)),
            ends_on: Some(from_date(date(2026, 5, 31))),
            ..Default::default()
        };
        bench.peer("access").publish(Some(client), TODAY, &taken).await;
        assert_eq!(missing(&mut regie, client).await, [Finances]);
        let stabilised = income::FinancesStabilised { since: Some(from_date(TODAY)) };
        bench.peer("income").publish(Some(client), TODAY, &stabilised).await;
        assert_eq!(missing(&mut regie, client).await, []);

        // The decision runs out, and nobody has to look (P7).
        bench.on(date(2026, 5, 31)).await;
        assert_eq!(missing(&mut regie, client).await, []);
        bench.on(date(2026, 6, 1)).await;
        assert_eq!(missing(&mut regie, client).await, [Decision]);
        let names = bench.event_names().await;
        assert_eq!(told(&names, "ReadinessChanged"), 6, "{names:?}");
    }

    /// R-REG-03, R-REG-21
    async fn the_client_reads_the_own_file_and_decides_about_goals(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (mut shelter, mut own) = (shelter(&bench), as_(&bench, &client_actor(client), "own-file"));
        shelter.adopt_plan(adopt(&bench, client).await).await.unwrap();
        let goal_id = shelter.set_goal(housing_goal(&bench, client).await).await.unwrap().into_inner().goal_id;
        let set = version(&bench, client).await;
        let decide = |outcome: GoalOutcome, seen: i64| DecideGoalRequest {
            request_id: rid(),
            expected_version: seen,
            client_id: client.to_string(),
            goal_id: goal_id.clone(),
            outcome: outcome.into(),
            told_on: None,
        };
        let not_theirs = shelter.decide_goal(decide(GoalOutcome::Met, set)).await.unwrap_err();
        assert_eq!(reason(&not_theirs), "GOAL_IS_THE_CLIENTS");
        own.decide_goal(decide(GoalOutcome::Met, set)).await.unwrap();
        let again = own.decide_goal(decide(GoalOutcome::GivenUp, set + 1)).await.unwrap_err();
        assert_eq!(reason(&again), "GOAL_DECIDED");

        let request = GetCaseAsSelfRequest { client_id: client.to_string(), case_id: String::new() };
        let file = own.get_case_as_self(request.clone()).await.unwrap().into_inner();
        assert_eq!(file.case.unwrap().goals[0].text, "een eigen voordeur");
        assert!(file.relations.iter().any(|r| r.organisation == "leger-des-heils"));
        let mut stranger = as_(&bench, &client_actor(ClientId(Uuid::new_v4())), "own-file");
        assert_eq!(stranger.get_case_as_self(request).await.unwrap_err().code(), Code::NotFound);
    }

    /// R-REG-14, R-REG-16, P8
    async fn a_district_team_sees_goals_and_scores_only_with_consent(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let (mut regie, mut shelter) = (municipality(&bench), shelter(&bench));
        let mut team = as_(&bench, &actor(Role::District, "wijkteam-west"), "aftercare");
        let mut own = as_(&bench, &client_actor(client), "own-file");
        let score = Score { domain: ScoreDomain::Housing.into(), level: 2 };
        let opened = version(&bench, client).await;
        let scores = |scores| RecordScoresRequest {
            request_id: rid(),
            expected_version: opened,
            client_id: client.to_string(),
            moment: ScoreMoment::Intake.into(),
            scored_on: Some(from_date(TODAY)),
            scores,
        };
        assert_eq!(reason(&shelter.record_scores(scores(vec![score, score])).await.unwrap_err()), "SCORES_TWICE");
        let wrong = shelter.record_scores(scores(vec![Score { level: 6, ..score }])).await.unwrap_err();
        assert_eq!((wrong.code(), reason(&wrong).as_str()), (Code::InvalidArgument, "MALFORMED"));
        shelter.record_scores(scores(vec![score])).await.unwrap();

        let view = GetCaseAsDistrictRequest { client_id: client.to_string() };
        assert_eq!(team.get_case_as_district(view.clone()).await.unwrap_err().code(), Code::NotFound);
        let relation = |organisation: &str, role: &str| GrantRelationRequest {
            request_id: rid(),
            client_id: client.to_string(),
            organisation: organisation.into(),
            role: role.into(),
            person: String::new(),
        };
        let refusal = regie.grant_relation(relation("wijkteam-west", "corporation")).await.unwrap_err();
        assert_eq!(reason(&refusal), "ORGANISATION_NOT_IN_ROLE");
        let granted = regie.grant_relation(relation("wijkteam-west", "district")).await.unwrap().into_inner();
        let again = regie.grant_relation(relation("wijkteam-west", "district")).await.unwrap().into_inner();
        assert_eq!(granted.relation_id, again.relation_id);
        assert!(team.get_case_as_district(view.clone()).await.unwrap().into_inner().scores.is_empty());

        let consent = |receiver: &str| GiveConsentRequest {
            request_id: rid(),
            client_id: client.to_string(),
            data_category: ConsentCategory::Scores.into(),
            receiver: receiver.into(),
            purpose: "aftercare".into(),
            text_version: "2026-1".into(),
            given_on: None,
        };
        assert_eq!(reason(&own.give_consent(consent("trivire")).await.unwrap_err()), "CONSENT_TOO_WIDE");
        assert_eq!(reason(&shelter.give_consent(consent("wijkteam-west")).await.unwrap_err()), "CONSENT_EVIDENCE_MISSING");
        let consent_id = own.give_consent(consent("wijkteam-west")).await.unwrap().into_inner().consent_id;
        assert_eq!(team.get_case_as_district(view.clone()).await.unwrap().into_inner().scores[0].scores, [score]);
        let status = GetConsentStatusRequest { client_id: client.to_string() };
        assert_eq!(team.get_consent_status(status).await.unwrap().into_inner().consents.len(), 1);

        let withdraw = WithdrawConsentRequest { request_id: rid(), client_id: client.to_string(), consent_id };
        own.withdraw_consent(withdraw).await.unwrap();
        assert!(team.get_case_as_district(view.clone()).await.unwrap().into_inner().scores.is_empty());
        let end = |relation_id: &str| EndRelationRequest {
            request_id: rid(),
            client_id: client.to_string(),
            relation_id: relation_id.into(),
        };
        let of_the_chain = own_relation(&bench, client).await;
        assert_eq!(reason(&regie.end_relation(end(&of_the_chain)).await.unwrap_err()), "RELATION_OF_THE_CHAIN");
        regie.end_relation(end(&granted.relation_id)).await.unwrap();
        assert_eq!(team.get_case_as_district(view).await.unwrap_err().code(), Code::NotFound);
    }

    /// P7, P8
    async fn a_desk_sees_its_own_tasks_and_not_those_of_another_desk_of_its_organisation(
        bench: Bench<Regie> = Regie::embedded()
    ) {
        let client = notified(&bench).await;
        let ending = access::DecisionEndingSoon {
            decision_id: id(),
            client_id: client.to_string(),
            ends_on: Some(from_date(date(2026, 3, 20))),
        };
        bench.peer("access").publish(Some(client), TODAY, &ending).await;
        let escalated = aftercare::SignalEscalated {
            signal_id: id(),
            to: aftercare::EscalationLevel::Regie.into(),
            municipality: "0505".into(),
            ..Default::default()
        };
        bench.peer("aftercare").publish(Some(client), TODAY, &escalated).await;
        let mut regie = municipality(&bench);
        let mut desk = as_(&bench, &actor(Role::Access, "gemeente-dordrecht"), "investigation");
        let mut holder = as_(&bench, &anna(), "regie");
        let all = tasks(&mut regie, ListTasksRequest::default()).await;
        let of = |kind: TaskKind| all.iter().find(|t| t.kind() == kind).unwrap().clone();
        let (signal, decision) = (of(TaskKind::TakeUpSignal), of(TaskKind::ExtendDecision));
        assert_eq!((signal.role.as_str(), decision.role.as_str()), ("regie", "access"));

        let seen = kinds(&mut desk).await;
        assert!(seen.contains(&TaskKind::ExtendDecision) && !seen.contains(&TaskKind::TakeUpSignal), "{seen:?}");
        assert_eq!(kinds(&mut holder).await, [], "nothing here is for a case holder");
        let take = |task: &TaskView| {
            TakeTaskRequest { request_id: rid(), expected_version: task.version, task_id: task.task_id.clone() }
        };
        let complete = |task: &TaskView| CompleteTaskRequest {
            request_id: rid(),
            expected_version: task.version,
            task_id: task.task_id.clone(),
            outcome: TaskOutcome::Done.into(),
        };
        for (who, task) in [(&mut desk, &signal), (&mut holder, &decision)] {
            assert_eq!(who.take_task(take(task)).await.unwrap_err().code(), Code::NotFound);
            assert_eq!(who.complete_task(complete(task)).await.unwrap_err().code(), Code::NotFound);
        }
        desk.complete_task(complete(&decision)).await.unwrap();
        regie.complete_task(complete(&signal)).await.unwrap();
    }

    /// P8, R-REG-13
    async fn a_case_holder_hears_of_nobody_elses_clients(bench: Bench<Regie> = Regie::embedded()) {
        let (client, mut regie) = (notified(&bench).await, municipality(&bench));
        let bram = Actor { subject: "bram".into(), ..anna() };
        let heard = async |who: &Actor| -> Vec<String> {
            let events = bench.events_for(who, "aftercare").await;
            assert!(events.iter().all(|event| event.client_id == client.to_string()));
            events.into_iter().map(|event| event.r#type.rsplit('.').next().unwrap().to_owned()).collect()
        };
        let case = case_of(&mut regie, client).await.unwrap();
        let first = assign(client, "anna", case.version, AssignmentReason::Unspecified);
        regie.assign_case_holder(first).await.unwrap();
        assert!(heard(&anna()).await.contains(&"case-holder-changed".to_owned()));
        assert_eq!(heard(&bram).await, Vec::<String>::new(), "a colleague's client");
        // The organisation in a role of its own still hears what is for that role.
        let desk = actor(Role::Access, "gemeente-dordrecht");
        assert!(!heard(&desk).await.is_empty());
        // Who was shown something is in the log, and nobody else.
        let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
        let mut log = AuditServiceClient::new(bench.as_(&officer, "audit"));
        let wanted = ListAccessRequest { client_id: client.to_string(), page_size: 500, ..Default::default() };
        let entries = log.list_access(wanted).await.unwrap().into_inner().entries;
        let listened = |subject: &str| entries.iter().any(|e| e.subject == subject && e.method.ends_with("Subscribe"));
        assert!(listened("anna") && !listened("bram"), "{entries:?}");

        bench.on(date(2026, 3, 3)).await;
        let case = case_of(&mut regie, client).await.unwrap();
        let next = assign(client, "bram", case.version, AssignmentReason::ClientWish);
        regie.assign_case_holder(next).await.unwrap();
        bench.on(date(2026, 3, 4)).await;
        regie.adopt_plan(adopt(&bench, client).await).await.unwrap();
        assert!(heard(&bram).await.contains(&"plan-adopted".to_owned()));
        let last = heard(&anna()).await;
        assert!(last.contains(&"case-holder-changed".to_owned()), "that it ended is the last that one hears: {last:?}");
        assert!(!last.contains(&"plan-adopted".to_owned()) && !last.contains(&"case-opened".to_owned()), "{last:?}");
    }

    /// P7
    async fn a_task_warns_then_escalates_and_is_settled_once(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let ending = access::DecisionEndingSoon {
            decision_id: id(),
            client_id: client.to_string(),
            ends_on: Some(from_date(date(2026, 3, 20))),
        };
        bench.peer("access").publish(Some(client), TODAY, &ending).await;
        let (mut desk, mut regie) =
            (as_(&bench, &actor(Role::Access, "gemeente-dordrecht"), "investigation"), municipality(&bench));
        let mut elsewhere = as_(&bench, &actor(Role::District, "wijkteam-oost"), "aftercare");
        assert!(kinds(&mut elsewhere).await.is_empty());
        let list = tasks(&mut desk, ListTasksRequest { client_id: client.to_string(), ..Default::default() }).await;
        let task = list.iter().find(|t| t.kind() == TaskKind::ExtendDecision).unwrap().clone();
        assert!(!task.approaching && !task.overdue && !task.title.is_empty());

        let take = |seen| TakeTaskRequest { request_id: rid(), expected_version: seen, task_id: task.task_id.clone() };
        let hidden = elsewhere.take_task(take(0)).await.unwrap_err();
        assert_eq!(hidden.code(), Code::NotFound);
        let taken = desk.take_task(take(task.version)).await.unwrap().into_inner();
        assert_eq!(taken.state(), TaskState::Taken);
        assert_eq!(reason(&desk.take_task(take(task.version)).await.unwrap_err()), "STALE_VERSION");

        bench.on(date(2026, 3, 18)).await;
        assert!(told(&bench.event_names().await, "DeadlineApproaching") >= 1);
        bench.on(date(2026, 3, 23)).await;
        let names = bench.event_names().await;
        assert!(told(&names, "TaskOverdue") >= 1 && told(&names, "DeadlineMissed") >= 1, "{names:?}");
        let late = ListTasksRequest { overdue_only: true, all_organisations: true, ..Default::default() };
        assert!(tasks(&mut regie, late).await.iter().any(|t| t.task_id == task.task_id && t.overdue));

        let list = tasks(&mut desk, ListTasksRequest { client_id: client.to_string(), ..Default::default() }).await;
        let now = list.iter().find(|t| t.task_id == task.task_id).unwrap().version;
        let complete = |outcome: TaskOutcome, seen: i64| CompleteTaskRequest {
            request_id: rid(),
            expected_version: seen,
            task_id: task.task_id.clone(),
            outcome: outcome.into(),
        };
        let unread = desk.complete_task(complete(TaskOutcome::Done, 0)).await.unwrap_err();
        assert_eq!(reason(&unread), "STALE_VERSION");
        let repeat = desk.complete_task(complete(TaskOutcome::Repeat, now)).await.unwrap_err();
        assert_eq!(reason(&repeat), "TASK_NOTHING_TO_REPEAT");
        let fallen = desk.complete_task(complete(TaskOutcome::FellAway, now)).await.unwrap_err();
        assert_eq!(fallen.code(), Code::InvalidArgument);
        let done = desk.complete_task(complete(TaskOutcome::Done, now)).await.unwrap().into_inner();
        desk.complete_task(complete(TaskOutcome::Done, done.version)).await.unwrap();
        assert_eq!(reason(&desk.take_task(take(done.version)).await.unwrap_err()), "TASK_FINISHED");
    }

    /// P7
    async fn what_a_partner_leaves_lying_comes_to_the_municipality(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let allocation_id = accepted(&bench, client).await;
        let drafted = aftercare::HandoverDrafted {
            handover_id: id(),
            allocation_id: allocation_id.clone(),
            from_organisation: "leger-des-heils".into(),
            to_organisation: "wijkteam-west".into(),
            municipality: "0505".into(),
            fill_by: Some(from_date(date(2026, 3, 5))),
        };
        bench.peer("aftercare").publish(Some(client), TODAY, &drafted).await;
        bench.settled().await;
        let (mut shelter, mut regie) = (shelter(&bench), municipality(&bench));
        assert!(kinds(&mut shelter).await.contains(&TaskKind::FillHandover));
        bench.on(date(2026, 3, 6)).await;
        assert!(kinds(&mut regie).await.contains(&TaskKind::Escalated));
        let filled = aftercare::HandoverFilled {
            handover_id: drafted.handover_id,
            allocation_id,
            from_organisation: "leger-des-heils".into(),
            to_organisation: "wijkteam-west".into(),
            municipality: "0505".into(),
            answer_by: Some(from_date(date(2026, 3, 9))),
        };
        bench.peer("aftercare").publish(Some(client), date(2026, 3, 6), &filled).await;
        assert!(!kinds(&mut shelter).await.contains(&TaskKind::FillHandover));
        assert!(!kinds(&mut regie).await.contains(&TaskKind::Escalated));
        let mut team = as_(&bench, &actor(Role::District, "wijkteam-west"), "aftercare");
        assert!(kinds(&mut team).await.contains(&TaskKind::AnswerHandover));
    }

    /// P2, P4
    async fn the_municipalitys_word_opens_a_gate_and_a_refused_command_is_for_a_person(
        bench: Bench<Regie> = Regie::embedded()
    ) {
        let client = notified(&bench).await;
        let allocation_id = accepted(&bench, client).await;
        bench.settled().await;
        let mut regie = municipality(&bench);
        // The stand-ins know no commands: whatever was asked of them is refused for good, and became a task.
        let settle = |list: Vec<TaskView>| -> Vec<TaskView> {
            list.into_iter().filter(|t| t.kind() == TaskKind::SettleRefusedCommand).collect()
        };
        let refused = settle(tasks(&mut regie, ListTasksRequest::default()).await);
        assert!(!refused.is_empty() && refused.iter().all(|t| t.cause == "Unimplemented"), "{refused:?}");
        let complete = |task: &TaskView, outcome: TaskOutcome| CompleteTaskRequest {
            request_id: rid(),
            expected_version: task.version,
            task_id: task.task_id.clone(),
            outcome: outcome.into(),
        };
        // Sent again it is refused again, and is a new task; done by hand it is settled.
        regie.complete_task(complete(&refused[0], TaskOutcome::Repeat)).await.unwrap();
        bench.settled().await;
        let again = settle(tasks(&mut regie, ListTasksRequest::default()).await);
        assert_eq!(again.len(), refused.len());
        assert!(again.iter().all(|t| t.task_id != refused[0].task_id));
        for task in &again {
            regie.complete_task(complete(task, TaskOutcome::Done)).await.unwrap();
        }
        assert!(settle(tasks(&mut regie, ListTasksRequest::default()).await).is_empty());

        let gate = GetGateRequest { client_id: client.to_string(), allocation_id: allocation_id.clone() };
        assert!(!regie.get_gate(gate.clone()).await.unwrap().into_inner().open);
        let word = |open: bool, explanation: &str| OverrideGateRequest {
            request_id: rid(),
            client_id: client.to_string(),
            allocation_id: allocation_id.clone(),
            open,
            reason: OverrideReason::BenefitLate.into(),
            explanation: explanation.into(),
        };
        assert_eq!(reason(&regie.override_gate(word(true, "kort")).await.unwrap_err()), "GATE_REASON_MISSING");
        let elsewhere = OverrideGateRequest { allocation_id: id(), ..word(true, "de toekenning is zeker") };
        assert_eq!(reason(&regie.override_gate(elsewhere).await.unwrap_err()), "GATE_NO_MOVE");
        regie.override_gate(word(true, "de toekenning is zeker")).await.unwrap();
        let open = regie.get_gate(gate.clone()).await.unwrap().into_inner();
        assert_eq!((open.open, open.ground()), (true, GateGround::Override));
        assert_eq!(open.override_explanation, "de toekenning is zeker");
        assert!(case_of(&mut shelter(&bench), client).await.unwrap().moves[0].gate_open);
        let mut partner = as_(&bench, &actor(Role::Shelter, "leger-des-heils"), "regie");
        assert_eq!(partner.override_gate(word(true, "wij vinden het goed")).await.unwrap_err().code(), Code::PermissionDenied);

        let close = CloseCaseRequest {
            request_id: rid(),
            expected_version: version(&bench, client).await,
            client_id: client.to_string(),
            reason: CloseReason::Left.into(),
        };
        assert_eq!(reason(&regie.close_case(close).await.unwrap_err()), "CASE_NOT_AT_ITS_END");

        let signed = housing::LeaseSigned { allocation_id: allocation_id.clone(), lease_start_on: None };
        bench.peer("housing").publish(Some(client), TODAY, &signed).await;
        assert_eq!(reason(&regie.override_gate(word(false, "")).await.unwrap_err()), "GATE_SIGNED");
    }

    /// P6, R-REG-30
    async fn nowhere_to_sleep_alarms_the_duty_person_with_the_emergency_number_first(
        bench: Bench<Regie> = Regie::embedded()
    ) {
        let client = notified(&bench).await;
        let reported = aftercare::NowhereToSleepReported {
            signal_id: id(),
            client_id: client.to_string(),
            municipality: "0505".into(),
            in_aftercare: true,
            relapse_guarantee: false,
            night: Some(from_date(TODAY)),
        };
        bench.peer("aftercare").publish(Some(client), TODAY, &reported).await;
        bench.settled().await;
        let list = tasks(&mut municipality(&bench), ListTasksRequest::default()).await;
        let crisis = list.iter().find(|t| t.kind() == TaskKind::FindPlaceTonight).unwrap();
        assert_eq!(crisis.contacts[0].telephone, "112");
        assert_eq!(crisis.contacts.len(), 2);
        let request = GetDutyContactsRequest { municipality: "0505".into() };
        assert_eq!(shelter(&bench).get_duty_contacts(request).await.unwrap().into_inner().contacts, crisis.contacts);
    }

    /// R-AFT-01, R-ACC-13
    async fn a_closed_case_stays_closed_and_a_returning_client_gets_a_new_one(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut regie = municipality(&bench);
        regie.assign_case_holder(assign(client, "anna", 1, AssignmentReason::Unspecified)).await.unwrap();
        let first = case_of(&mut regie, client).await.unwrap();
        let close = |reason: CloseReason, seen: i64| CloseCaseRequest {
            request_id: rid(),
            expected_version: seen,
            client_id: client.to_string(),
            reason: reason.into(),
        };
        let reserved = regie.close_case(close(CloseReason::AftercareEnded, first.version)).await.unwrap_err();
        assert_eq!(reason(&reserved), "CASE_CLOSE_REASON_RESERVED");
        let closed = regie.close_case(close(CloseReason::Left, first.version)).await.unwrap().into_inner();
        regie.close_case(close(CloseReason::Left, closed.version)).await.unwrap();
        assert_eq!(case_of(&mut as_(&bench, &anna(), "regie"), client).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(reason(&regie.adopt_plan(adopt(&bench, client).await).await.unwrap_err()), "CASE_NOT_OPEN");
        assert_eq!(told(&bench.event_names().await, "CaseClosed"), 1);
        assert_eq!(case_of(&mut shelter(&bench), client).await.unwrap_err().code(), Code::NotFound);
        let of_client = ListTasksRequest { all_organisations: true, client_id: client.to_string(), ..Default::default() };
        assert_eq!(tasks(&mut regie, of_client).await, []);

        bench.on(date(2026, 4, 1)).await;
        let event = access::NotificationReceived {
            notification_id: id(),
            client_id: client.to_string(),
            municipality: "0505".into(),
            notified_by: "leger-des-heils".into(),
            ..Default::default()
        };
        bench.peer("access").publish(Some(client), date(2026, 4, 1), &event).await;
        let second = case_of(&mut regie, client).await.unwrap();
        assert_ne!(second.case_id, first.case_id);
        assert!(second.case_holders.is_empty());
        let earlier = GetCaseRequest { client_id: client.to_string(), case_id: first.case_id.clone() };
        let earlier = regie.get_case(earlier).await.unwrap().into_inner().case.unwrap();
        assert_eq!((earlier.close_reason(), earlier.case_holders.len()), (CloseReason::Left, 1));
        let all = ListCasesRequest { include_closed: true, page_size: 1, ..Default::default() };
        let page = regie.list_cases(all.clone()).await.unwrap().into_inner();
        assert_eq!(page.cases[0].case_id, second.case_id);
        let next = ListCasesRequest { page_token: page.next_page_token, ..all };
        let page = regie.list_cases(next).await.unwrap().into_inner();
        assert_eq!((page.cases[0].case_id.as_str(), page.next_page_token.as_str()), (first.case_id.as_str(), ""));
    }

    /// R-REG-21, R-REG-26
    async fn the_timeline_holds_every_feed_and_nobodys_suspicion(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let suspected = access::DuplicateSuspected {
            client_id: client.to_string(),
            of_client_id: Uuid::new_v4().to_string(),
            municipality: "0505".into(),
        };
        bench.peer("access").publish(Some(client), TODAY, &suspected).await;
        let stabilised = income::FinancesStabilised { since: Some(from_date(TODAY)) };
        let event = bench.peer("income").publish(Some(client), TODAY, &stabilised).await;
        bench.peer("income").publish_as(event, Some(client), TODAY, &stabilised).await;
        let mut own = as_(&bench, &client_actor(client), "own-file");
        let mut types = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = GetTimelineRequest { client_id: client.to_string(), page_size: 2, page_token };
            let page = own.get_timeline(request).await.unwrap().into_inner();
            types.extend(page.entries.into_iter().map(|entry| entry.r#type));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let count = |kind: &str| types.iter().filter(|t| *t == kind).count();
        assert_eq!(count("nl.doorstroom.access.notification-received"), 1);
        assert_eq!(count("nl.doorstroom.income.finances-stabilised"), 1);
        assert_eq!(count("nl.doorstroom.regie.case-opened"), 1);
        assert!(!types.iter().any(|t| t.contains("duplicate")));
        // Each entry is the event itself: by its id it is found on the feed.
        let request = GetTimelineRequest { client_id: client.to_string(), page_size: 500, page_token: String::new() };
        let entries = own.get_timeline(request).await.unwrap().into_inner().entries;
        let listed = |prefix: &str| -> BTreeSet<(String, String)> {
            let of_feed = entries.iter().filter(|entry| entry.r#type.starts_with(prefix));
            of_feed.map(|entry| (entry.event_id.clone(), entry.r#type.clone())).collect()
        };
        let published = bench.events().await.into_iter().filter(|event| event.client_id == client.to_string());
        let published: BTreeSet<_> = published.map(|event| (event.event_id, event.r#type)).collect();
        assert_eq!(listed("nl.doorstroom.regie."), published);
        assert!(listed("nl.doorstroom.income.").iter().any(|(id, _)| *id == event.to_string()));
        assert!(kinds(&mut municipality(&bench)).await.contains(&TaskKind::LookAtDuplicate));
    }

    /// P3
    async fn a_restart_and_a_second_delivery_change_nothing(bench: Bench<Regie> = Regie::embedded()) {
        let mut bench = bench;
        let client = notified(&bench).await;
        accepted(&bench, client).await;
        bench.settled().await;
        shelter(&bench).adopt_plan(adopt(&bench, client).await).await.unwrap();
        let before = case_of(&mut municipality(&bench), client).await.unwrap();
        let list = tasks(&mut municipality(&bench), ListTasksRequest::default()).await;
        let told_before = bench.event_names().await.len();
        bench.restart().await;
        bench.settled().await;
        assert_eq!(case_of(&mut municipality(&bench), client).await.unwrap(), before);
        assert_eq!(tasks(&mut municipality(&bench), ListTasksRequest::default()).await, list);
        assert_eq!(bench.event_names().await.len(), told_before);
    }

    /// P8
    async fn a_partner_hears_only_of_what_is_addressed_to_it(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        accepted(&bench, client).await;
        bench.settled().await;
        let heard = bench.events_for(&actor(Role::Corporation, "trivire"), "housing").await;
        let kinds: Vec<_> = heard.iter().map(|event| event.r#type.clone()).collect();
        assert!(kinds.contains(&"nl.doorstroom.regie.relation-granted".to_owned()), "{kinds:?}");
        let allowed = ["relation-", "task-", "deadline-"];
        assert!(kinds.iter().all(|kind| allowed.iter().any(|a| kind.contains(a))), "{kinds:?}");
        assert!(bench.events_for(&actor(Role::Corporation, "woonbron"), "housing").await.is_empty());
    }

    /// R-REG-01, R-REG-30
    async fn policy_and_register_are_for_everybody(bench: Bench<Regie> = Regie::embedded()) {
        let mut police = as_(&bench, &actor(Role::Police, "politie-drechtsteden"), "operations");
        let policy = GetPolicyRequest { municipality: "0505".into(), on: None };
        let policy = police.get_policy(policy).await.unwrap().into_inner();
        assert_eq!(policy.version, "*@2015-01-01");
        assert!(policy.values.iter().any(|v| v.name == "process.gate_working_days" && v.value == "3"));
        let request = ListOrganisationsRequest { role: "district".into(), page_size: 1, ..Default::default() };
        let page = police.list_organisations(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.organisations[0].organisation, "wijkteam-oost");
        let next = ListOrganisationsRequest { page_token: page.next_page_token, ..request };
        let page = police.list_organisations(next).await.unwrap().into_inner();
        assert_eq!(page.organisations[0].organisation, "wijkteam-west");
        let bad = GetPolicyRequest { municipality: "505".into(), on: None };
        assert_eq!(police.get_policy(bad).await.unwrap_err().code(), Code::InvalidArgument);
        let bad = ListOrganisationsRequest { page_token: "x".into(), ..Default::default() };
        assert_eq!(reason(&police.list_organisations(bad).await.unwrap_err()), "PAGE_TOKEN_INVALID");
    }

    /// R-REG-13
    async fn bad_input_is_named_and_changes_nothing(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let mut shelter = shelter(&bench);
        shelter.adopt_plan(adopt(&bench, client).await).await.unwrap();
        let good = housing_goal(&bench, client).await;
        let bad = [
            SetGoalRequest { client_id: "x".into(), ..good.clone() },
            SetGoalRequest { text: "x".repeat(1001), ..good.clone() },
            SetGoalRequest { text: "  ".into(), ..good.clone() },
            SetGoalRequest { domain: 99, ..good.clone() },
            SetGoalRequest { owner: 0, ..good.clone() },
            SetGoalRequest { due_on: None, ..good.clone() },
            SetGoalRequest { request_id: "short".into(), ..good.clone() },
        ];
        for request in bad {
            let status = shelter.set_goal(SetGoalRequest { ..request.clone() }).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{request:?}");
        }
        let past = SetGoalRequest { due_on: Some(from_date(date(2026, 3, 1))), ..good.clone() };
        assert_eq!(reason(&shelter.set_goal(past).await.unwrap_err()), "GOAL_TERM_PAST");
        let unknown = SetGoalRequest { goal_id: id(), request_id: rid(), ..good };
        assert_eq!(reason(&shelter.set_goal(unknown).await.unwrap_err()), "GOAL_UNKNOWN");
        assert!(case_of(&mut shelter, client).await.unwrap().goals.is_empty());
    }
}

/// A relation that comes from the notification.
async fn own_relation(bench: &Bench<Regie>, client: ClientId) -> String {
    let mut own = as_(bench, &client_actor(client), "own-file");
    let request = GetCaseAsSelfRequest { client_id: client.to_string(), case_id: String::new() };
    let relations = own.get_case_as_self(request).await.unwrap().into_inner().relations;
    relations.iter().find(|r| r.kind() == RelationKind::Notifier).unwrap().relation_id.clone()
}
