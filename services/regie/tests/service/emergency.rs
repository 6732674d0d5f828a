//! Emergency access (R-REG-20), as regie answers it.

use super::*;
use proto::audit::v1::{AccessEntry, AccessPoint};
use std::collections::BTreeMap;

const WHY: &str = "zit in de kou en is niet aanspreekbaar";

fn worker(subject: &str, role: Role, organisation: &str) -> Actor {
    Actor { subject: subject.to_owned(), ..actor(role, organisation) }
}

/// A worker of a district team that has nothing to do with anybody.
fn els() -> Actor {
    worker("medewerker", Role::District, "wijkteam-oost")
}

fn officer(bench: &Bench<Regie>) -> Caller {
    as_(bench, &actor(Role::PrivacyOfficer, "gemeente-dordrecht"), "audit")
}

fn wish(client: ClientId) -> OpenEmergencyAccessRequest {
    OpenEmergencyAccessRequest {
        request_id: rid(),
        client_id: client.to_string(),
        role: String::new(),
        reason: EmergencyReason::Danger.into(),
        explanation: WHY.into(),
    }
}

async fn open(
    bench: &Bench<Regie>,
    who: &Actor,
    client: ClientId,
) -> std::result::Result<OpenEmergencyAccessResponse, Status> {
    Ok(as_(bench, who, "crisis").open_emergency_access(wish(client)).await?.into_inner())
}

fn judged(client: ClientId, emergency_id: &str, outcome: EmergencyOutcome) -> ReviewEmergencyAccessRequest {
    ReviewEmergencyAccessRequest {
        request_id: rid(),
        client_id: client.to_string(),
        emergency_id: emergency_id.to_owned(),
        outcome: outcome.into(),
        explanation: "de huisarts bevestigt het".into(),
    }
}

async fn read(bench: &Bench<Regie>, who: &Actor, client: ClientId) -> std::result::Result<(), Status> {
    let request = GetCaseAsDistrictRequest { client_id: client.to_string() };
    as_(bench, who, "aftercare").get_case_as_district(request).await.map(drop)
}

async fn own_list(bench: &Bench<Regie>, client: ClientId) -> Vec<OwnEmergencyAccessView> {
    let request = ListEmergencyAccessAsSelfRequest { client_id: client.to_string() };
    let mut own = as_(bench, &client_actor(client), "own-file");
    own.list_emergency_access_as_self(request).await.unwrap().into_inner().emergencies
}

async fn log(bench: &Bench<Regie>, who: &Actor, purpose: &str, client: ClientId) -> Vec<AccessEntry> {
    let mut audit = AuditServiceClient::new(bench.as_(who, purpose));
    let wanted = ListAccessRequest { client_id: client.to_string(), page_size: 500, ..Default::default() };
    audit.list_access(wanted).await.unwrap().into_inner().entries
}

/// The reviews that wait, on the lists of the municipality.
async fn reviews(bench: &Bench<Regie>, client: ClientId) -> Vec<TaskView> {
    let mine = ListTasksRequest { client_id: client.to_string(), ..Default::default() };
    let list = tasks(&mut officer(bench), mine).await;
    list.into_iter().filter(|task| task.kind() == TaskKind::ReviewEmergency).collect()
}

testkit::on_both_engines! {
    /// R-REG-20, R-REG-19, P8
    async fn one_person_reads_what_the_role_may_see_and_nobody_writes(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        assert_eq!(read(&bench, &els(), client).await.unwrap_err().code(), Code::NotFound);
        let opened = open(&bench, &els(), client).await.unwrap();
        assert_eq!(open(&bench, &els(), client).await.unwrap(), opened, "it is open already");
        read(&bench, &els(), client).await.unwrap();
        // The relation is widened for one person in one role, and the category never.
        let colleague = worker("collega", Role::District, "wijkteam-oost");
        assert_eq!(read(&bench, &colleague, client).await.unwrap_err().code(), Code::NotFound);
        let elsewhere = worker("medewerker", Role::District, "wijkteam-west");
        assert_eq!(read(&bench, &elsewhere, client).await.unwrap_err().code(), Code::NotFound);
        let whole = case_of(&mut as_(&bench, &els(), "aftercare"), client).await.unwrap_err();
        assert_eq!(reason(&whole), "ROLE_NOT_ALLOWED");
        let two_hats = Actor { roles: vec![Role::District, Role::Shelter], ..els() };
        let not_that_role = case_of(&mut as_(&bench, &two_hats, "aftercare"), client).await.unwrap_err();
        assert_eq!(not_that_role.code(), Code::NotFound, "it was opened as a district team");
        // Nothing is changed by it, and it is nobody's caseload.
        let scores = RecordScoresRequest {
            request_id: rid(),
            expected_version: 1,
            client_id: client.to_string(),
            moment: ScoreMoment::Intake.into(),
            scored_on: Some(from_date(TODAY)),
            scores: vec![Score { domain: ScoreDomain::Housing.into(), level: 2 }],
        };
        let mut els_calls = as_(&bench, &els(), "aftercare");
        assert_eq!(els_calls.record_scores(scores).await.unwrap_err().code(), Code::NotFound);
        assert!(els_calls.list_cases(ListCasesRequest::default()).await.unwrap().into_inner().cases.is_empty());
        let heard = bench.events_for(&els(), "aftercare").await;
        assert!(heard.is_empty(), "the others of the organisation hear nothing: {heard:?}");

        // Each read says in the log by which emergency access; the officer sees who, the client which organisation.
        let of_officer = log(&bench, &actor(Role::PrivacyOfficer, "gemeente-dordrecht"), "audit", client).await;
        let reads: Vec<_> = of_officer.iter().filter(|one| one.emergency_id == opened.emergency_id).collect();
        assert_eq!(reads.len(), 1, "{of_officer:?}");
        assert_eq!((reads[0].subject.as_str(), reads[0].responsible.as_str(), reads[0].result.as_str()), ("medewerker", "medewerker", "ok"));
        assert_eq!((reads[0].access_point(), reads[0].protocol.as_str()), (AccessPoint::Token, chassis::protocol_version()));
        assert!(reads[0].words.is_none() && reads[0].method == "RegieService/GetCaseAsDistrict");
        let own = log(&bench, &client_actor(client), "own-file", client).await;
        let seen = own.iter().find(|one| one.emergency_id == opened.emergency_id).unwrap();
        let words = seen.words.clone().unwrap();
        assert_eq!(words.who_nl, "Wijkteam oost (wijkteam)");
        assert!(words.what_nl.starts_with("Bekeken: ") && words.why_nl.starts_with("Noodtoegang: "), "{words:?}");
        assert!(own.iter().all(|one| one.subject.is_empty() && one.responsible.is_empty() && one.words.is_some()));
    }

    /// R-REG-20: by itself after its term, and at once when somebody ends it.
    async fn it_ends_by_itself_and_by_hand(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        open(&bench, &els(), client).await.unwrap();
        read(&bench, &els(), client).await.unwrap();
        bench.on(date(2026, 3, 3)).await;
        assert_eq!(read(&bench, &els(), client).await.unwrap_err().code(), Code::NotFound);
        let early = || async {
            let events = bench.events().await;
            let ended = events.iter().filter(|event| event.r#type.ends_with(".emergency-access-ended"));
            let early = |event: &proto::feed::v1::Event| {
                event.payload.as_ref().unwrap().to_msg::<EmergencyAccessEnded>().unwrap().early
            };
            ended.map(early).collect::<Vec<_>>()
        };
        assert_eq!(early().await, [false]);

        let again = open(&bench, &els(), client).await.unwrap();
        read(&bench, &els(), client).await.unwrap();
        let end = |who: &Actor, purpose: &str| {
            let mut caller = as_(&bench, who, purpose);
            let (request_id, client_id, emergency_id) = (rid(), client.to_string(), again.emergency_id.clone());
            async move { caller.end_emergency_access(EndEmergencyAccessRequest { request_id, client_id, emergency_id }).await }
        };
        let stranger = end(&worker("x", Role::District, "wijkteam-west"), "crisis").await.unwrap_err();
        assert_eq!(stranger.code(), Code::NotFound);
        end(&els(), "crisis").await.unwrap();
        assert_eq!(read(&bench, &els(), client).await.unwrap_err().code(), Code::NotFound);
        end(&actor(Role::PrivacyOfficer, "gemeente-dordrecht"), "audit").await.unwrap();
        assert_eq!(early().await, [false, true], "ending it twice changes nothing");
        bench.on(date(2026, 3, 5)).await;
        assert_eq!(early().await, [false, true]);
    }

    /// R-REG-20, P8
    async fn of_a_client_who_does_not_exist_it_tells_the_same(bench: Bench<Regie> = Regie::embedded()) {
        let (there, nobody) = (notified(&bench).await, ClientId(Uuid::new_v4()));
        let (one, other) = (open(&bench, &els(), there).await.unwrap(), open(&bench, &els(), nobody).await.unwrap());
        assert_eq!((one.until, one.emergency_id.len()), (other.until, other.emergency_id.len()));
        assert_eq!(read(&bench, &els(), nobody).await.unwrap_err().code(), Code::NotFound);
        // Both are reviewed: looking for somebody is looked at too.
        for client in [there, nobody] {
            assert_eq!(reviews(&bench, client).await.len(), 1);
        }
    }

    /// R-REG-20, R-REG-14
    async fn it_is_for_who_works_with_people_says_why_and_has_no_relation(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        for (who, code) in [
            (actor(Role::Shelter, "leger-des-heils"), "EMERGENCY_NOT_NEEDED"),
            (actor(Role::Access, "gemeente-dordrecht"), "EMERGENCY_NOT_NEEDED"),
            (actor(Role::District, "elders"), "ORGANISATION_UNKNOWN"),
            (actor(Role::Shelter, "wijkteam-oost"), "ORGANISATION_NOT_IN_ROLE"),
            (actor(Role::Corporation, "trivire"), "ROLE_NOT_ALLOWED"),
            (actor(Role::Police, "politie-drechtsteden"), "ROLE_NOT_ALLOWED"),
            (actor(Role::Regie, "gemeente-dordrecht"), "ROLE_NOT_ALLOWED"),
        ] {
            assert_eq!(reason(&open(&bench, &who, client).await.unwrap_err()), code, "{who:?}");
        }
        // A case holder has to do with a client as a person, whoever else of the organisation has.
        open(&bench, &anna(), client).await.unwrap();
        let two_hats = Actor { roles: vec![Role::District, Role::Treatment], ..els() };
        let mut caller = as_(&bench, &two_hats, "crisis");
        for (bad, code) in [
            (wish(client), "MALFORMED"),
            (OpenEmergencyAccessRequest { role: "corporation".into(), ..wish(client) }, "MALFORMED"),
            (OpenEmergencyAccessRequest { role: "district".into(), explanation: "kou".into(), ..wish(client) }, "EMERGENCY_REASON_MISSING"),
            (OpenEmergencyAccessRequest { role: "district".into(), reason: 0, ..wish(client) }, "EMERGENCY_REASON_MISSING"),
        ] {
            assert_eq!(reason(&caller.open_emergency_access(bad).await.unwrap_err()), code);
        }
        let fine = OpenEmergencyAccessRequest { role: "district".into(), ..wish(client) };
        caller.open_emergency_access(fine).await.unwrap();
    }

    /// R-REG-20, R-REG-27, P7
    async fn the_privacy_officer_reviews_it_and_regie_when_nobody_does(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let opened = open(&bench, &els(), client).await.unwrap();
        let list = reviews(&bench, client).await;
        let [task] = &list[..] else { panic!("{list:?}") };
        assert_eq!((task.subject_id.clone(), task.due_on), (opened.emergency_id.clone(), Some(from_date(date(2026, 3, 3)))));
        assert_eq!((task.organisation.as_str(), task.role.as_str()), ("gemeente-dordrecht", "privacy_officer"));
        let done = CompleteTaskRequest {
            request_id: rid(),
            expected_version: task.version,
            task_id: task.task_id.clone(),
            outcome: TaskOutcome::Done.into(),
        };
        let skipped = municipality(&bench).complete_task(done).await.unwrap_err();
        assert_eq!(reason(&skipped), "TASK_ENDS_WITH_REVIEW");
        let escalated = || async {
            let mine = ListTasksRequest { client_id: client.to_string(), ..Default::default() };
            let list = tasks(&mut municipality(&bench), mine).await;
            list.iter().filter(|task| task.kind() == TaskKind::Escalated).count()
        };
        assert_eq!(escalated().await, 0);
        bench.on(date(2026, 3, 4)).await;
        assert_eq!(escalated().await, 1, "nobody reviewed it in time");

        let waiting = |client_id: String| ListEmergencyAccessRequest { client_id, waiting_only: true, ..Default::default() };
        let shown = officer(&bench).list_emergency_access(waiting(String::new())).await.unwrap().into_inner().emergencies;
        assert_eq!(shown.len(), 1);
        assert_eq!((shown[0].person.as_str(), shown[0].explanation.as_str(), shown[0].reason()), ("medewerker", WHY, EmergencyReason::Danger));
        let unknown = officer(&bench).review_emergency_access(judged(client, &id(), EmergencyOutcome::Justified)).await;
        assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
        let unsaid = officer(&bench).review_emergency_access(judged(client, &opened.emergency_id, EmergencyOutcome::Unspecified)).await;
        assert_eq!(reason(&unsaid.unwrap_err()), "EMERGENCY_REVIEW_INCOMPLETE");
        for _ in 0..2 {
            officer(&bench).review_emergency_access(judged(client, &opened.emergency_id, EmergencyOutcome::Justified)).await.unwrap();
        }
        let otherwise = officer(&bench).review_emergency_access(judged(client, &opened.emergency_id, EmergencyOutcome::NotJustified)).await;
        assert_eq!(reason(&otherwise.unwrap_err()), "EMERGENCY_REVIEWED");
        assert_eq!((reviews(&bench, client).await.len(), escalated().await), (0, 0));
        let left = officer(&bench).list_emergency_access(waiting(client.to_string())).await.unwrap().into_inner();
        assert!(left.emergencies.is_empty());

        let [own] = &own_list(&bench, client).await[..] else { panic!() };
        assert_eq!((own.organisation.as_str(), own.role_nl.as_str()), ("Sociaal wijkteam Oost", "wijkteam"));
        assert_eq!((own.reason_nl.as_str(), own.explanation.as_str()), ("gevaar voor leven of gezondheid", WHY));
        assert_eq!((own.outcome_nl.as_str(), own.outcome_explanation.as_str()), ("Beoordeeld: dit was nodig.", "de huisarts bevestigt het"));
        assert!(own.ended_at.is_some());
        let request = GetTimelineRequest { client_id: client.to_string(), page_size: 500, page_token: String::new() };
        let timeline = as_(&bench, &client_actor(client), "own-file").get_timeline(request).await.unwrap().into_inner().entries;
        let said: BTreeMap<_, _> = timeline.iter().filter(|one| !one.nl.is_empty()).map(|one| (one.r#type.as_str(), &one.nl)).collect();
        let types: Vec<_> = said.keys().map(|kind| kind.rsplit('.').next().unwrap()).collect();
        assert_eq!(types, ["emergency-access-ended", "emergency-access-opened", "emergency-access-reviewed"]);
        assert!(said["nl.doorstroom.regie.emergency-access-opened"].contains("noodknop"));
    }

    /// R-REG-20
    async fn what_was_not_justified_ends_at_once_and_nobody_reviews_the_own(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let both = Actor { roles: vec![Role::Caseholder, Role::PrivacyOfficer], ..anna() };
        let own = open(&bench, &both, client).await.unwrap();
        let mut reviewer = as_(&bench, &both, "audit");
        let refused = reviewer.review_emergency_access(judged(client, &own.emergency_id, EmergencyOutcome::Justified)).await;
        assert_eq!(reason(&refused.unwrap_err()), "EMERGENCY_OWN_REVIEW");
        let opened = open(&bench, &els(), client).await.unwrap();
        read(&bench, &els(), client).await.unwrap();
        reviewer.review_emergency_access(judged(client, &opened.emergency_id, EmergencyOutcome::NotJustified)).await.unwrap();
        assert_eq!(read(&bench, &els(), client).await.unwrap_err().code(), Code::NotFound);
        let list = own_list(&bench, client).await;
        let outcomes: Vec<_> = list.iter().map(|one| one.outcome_nl.as_str()).collect();
        assert_eq!(outcomes, ["Beoordeeld: dit had niet gemogen.", "Nog niet beoordeeld."], "newest first");
    }

    /// R-REG-22: when the client is erased nobody looks by it any more, and its words are gone.
    async fn it_ends_with_the_clients_erasure(bench: Bench<Regie> = Regie::embedded()) {
        let client = ClientId(Uuid::new_v4());
        open(&bench, &els(), client).await.unwrap();
        let mut regie = municipality(&bench);
        let (request_id, client_id) = (rid(), client.to_string());
        let asked = RequestErasureRequest { request_id, client_id: client_id.clone(), received_on: None };
        let erasure_id = regie.request_erasure(asked).await.unwrap().into_inner().erasure_id;
        let yes = DecideErasureRequest { request_id: rid(), client_id, erasure_id, granted: true, ground: 0 };
        regie.decide_erasure(yes).await.unwrap();
        bench.settled().await;
        let [own] = &own_list(&bench, client).await[..] else { panic!() };
        assert!(own.ended_at.is_some() && own.explanation.is_empty(), "{own:?}");
    }
}
