//! The access service over real gRPC, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "service/apart.rs"]
mod apart;
#[path = "service/own_file.rs"]
mod own_file;
#[path = "service/places.rs"]
mod places;

use access::Access;
use kernel::{ClientId, Date, Moment, Role};
use proto::access::v1::access_service_client::AccessServiceClient;
use proto::access::v1::admit_client_response::Outcome;
use proto::access::v1::record_departure_request::Outcome as Leaves;
use proto::access::v1::record_notification_request::Origin;
use proto::access::v1::{self as pb};
use proto::feed::v1::Event;
use testkit::{Bench, Client, Code, actor, client_actor, reason, rid};
use tonic::Status;

type Api = AccessServiceClient<Client>;

const DORDRECHT: &str = "0505";
const DESK: &str = "gemeente-dordrecht";
const SHELTER: &str = "leger-des-heils";

fn on(year: i16, month: i8, day: i8) -> Date {
    Date::constant(year, month, day)
}

fn date(day: Date) -> Option<proto::google::r#type::Date> {
    Some(proto::from_date(day))
}

/// The bench's first day.
fn today() -> Date {
    on(2026, 3, 2)
}

fn api(bench: &Bench<Access>, role: Role, organisation: &str, purpose: &str) -> Api {
    AccessServiceClient::new(bench.as_(&actor(role, organisation), purpose))
}

fn desk(bench: &Bench<Access>, purpose: &str) -> Api {
    api(bench, Role::Access, DESK, purpose)
}

fn shelter(bench: &Bench<Access>) -> Api {
    api(bench, Role::Shelter, SHELTER, "shelter")
}

fn identity(bsn: &str) -> pb::Identity {
    pb::Identity {
        surname: "Jansen".into(),
        first_names: "Noor".into(),
        birth_date: date(on(1985, 4, 1)),
        bsn: bsn.into(),
        no_address: true,
        phone: "0612345678".into(),
        ..Default::default()
    }
}

fn uuid() -> kernel::Uuid {
    kernel::Uuid::new_v4()
}

/// Whom the shelter finds on its list.
async fn known(bench: &Bench<Access>) -> Vec<String> {
    let list = shelter(bench).list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner();
    list.clients.into_iter().map(|client| client.client_id).collect()
}

/// What the database holds of a client: the keyed hashes of the BSN, and how many households.
async fn left(bench: &Bench<Access>, client: ClientId) -> (Vec<Vec<u8>>, usize) {
    let migrations = Access::ABOUT.migrations;
    let store = store::Store::open("access", bench.database(), &bench.sealing(), migrations).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let sql = "select bsn_hash from client where client_id = $1 and bsn_hash is not null";
    let hashes = tx.rows(sql, chassis::args![client]).await.unwrap();
    let households =
        tx.rows("select set_no from household where client_id = $1", chassis::args![client]).await.unwrap();
    (hashes.iter().map(|row| row.get("bsn_hash").unwrap()).collect(), households.len())
}

async fn register(api: &mut Api, identity: pb::Identity) -> Result<String, Status> {
    let request =
        pb::RegisterClientRequest { request_id: rid(), municipality: DORDRECHT.into(), identity: Some(identity) };
    Ok(api.register_client(request).await?.into_inner().client_id)
}

fn report(client: &str) -> pb::RecordNotificationRequest {
    pb::RecordNotificationRequest {
        request_id: rid(),
        client_id: client.into(),
        municipality: DORDRECHT.into(),
        origin: Some(Origin::OriginMunicipality("0642".into())),
        triggers: vec![pb::Trigger::RentArrears.into(), pb::Trigger::BreakUp.into()],
        told_of_personal_plan: true,
        ..Default::default()
    }
}

async fn notify(api: &mut Api, client: &str) -> String {
    api.record_notification(report(client)).await.unwrap().into_inner().notification_id
}

fn place(places: i32) -> pb::RegisterFacilityRequest {
    pb::RegisterFacilityRequest {
        request_id: rid(),
        organisation: SHELTER.into(),
        municipality: DORDRECHT.into(),
        name: "De Herberg".into(),
        kind: pb::FacilityKind::NightShelter.into(),
        audience: pb::Audience::Adults.into(),
        provision: pb::Provision::General.into(),
        places,
        reserve: 0,
        opened_on: date(on(2015, 1, 1)),
    }
}

async fn open(bench: &Bench<Access>, request: pb::RegisterFacilityRequest) -> String {
    let mut regie = api(bench, Role::Regie, DESK, "regie");
    regie.register_facility(request).await.unwrap().into_inner().facility_id
}

fn into(client: &str, facility: &str, notification: &str) -> pb::AdmitClientRequest {
    pb::AdmitClientRequest {
        request_id: rid(),
        client_id: client.into(),
        facility_id: facility.into(),
        notification_id: notification.into(),
        ..Default::default()
    }
}

/// A client with a stay at the facility since today, or since `since`.
async fn guest(bench: &Bench<Access>, facility: &str, since: Option<Date>) -> (String, String) {
    let mut shelter = shelter(bench);
    let client = register(&mut shelter, identity("")).await.unwrap();
    let received = report(&client);
    let notification = shelter
        .record_notification(pb::RecordNotificationRequest { received_on: since.and_then(date), ..received })
        .await
        .unwrap()
        .into_inner()
        .notification_id;
    let admit = pb::AdmitClientRequest { admitted_on: since.and_then(date), ..into(&client, facility, &notification) };
    let stay = shelter.admit_client(admit).await.unwrap().into_inner().stay_id;
    (client, stay)
}

fn night(facility: &str, night: Date, version: i64, beds: &[(&str, pb::NightUse)]) -> pb::RecordNightsRequest {
    let bed = |(stay, used): &(&str, pb::NightUse)| pb::NightOfStay {
        stay_id: (*stay).into(),
        r#use: (*used).into(),
        ..Default::default()
    };
    pb::RecordNightsRequest {
        request_id: rid(),
        facility_id: facility.into(),
        night: date(night),
        expected_version: version,
        nights: beds.iter().map(bed).collect(),
    }
}

fn leave(stay: &str, version: i64, day: Date, outcome: Leaves) -> pb::RecordDepartureRequest {
    pb::RecordDepartureRequest {
        request_id: rid(),
        stay_id: stay.into(),
        expected_version: version,
        departed_on: date(day),
        outcome: Some(outcome),
    }
}

fn decode<E: prost::Message + prost::Name + Default>(events: &[Event]) -> Vec<E> {
    let url = E::type_url();
    let payloads = events.iter().filter_map(|event| event.payload.as_ref()).filter(|any| any.type_url == url);
    payloads.map(|any| any.to_msg().unwrap()).collect()
}

fn code<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    reason(&answer.unwrap_err())
}

/// Regie says that two clients are kept apart; returns the separation.
async fn keep_apart(bench: &Bench<Access>, one: &str, other: &str) -> String {
    let marked = proto::regie::v1::SeparationMarked {
        separation_id: rid(),
        client_id: one.into(),
        other_client_id: other.into(),
    };
    bench.peer("regie").publish(ClientId::parse("client_id", one).ok(), today(), &marked).await;
    marked.separation_id
}

/// A client whom the shelter registered and notified.
async fn waiting(bench: &Bench<Access>) -> (String, String) {
    let mut shelter = shelter(bench);
    let client = register(&mut shelter, identity("")).await.unwrap();
    let notification = notify(&mut shelter, &client).await;
    (client, notification)
}

fn join(client: &str, facility: &str) -> pb::JoinWaitingListRequest {
    pb::JoinWaitingListRequest {
        request_id: rid(),
        client_id: client.into(),
        facility_id: facility.into(),
        joined_on: None,
    }
}

testkit::on_both_engines! {
    /// R-REG-22: what regie granted holds here too, and against yesterday's copy of the database.
    async fn who_was_erased_is_unknown_from_then_on_also_in_yesterdays_database(bench: Bench<Access> = Access::embedded()) {
        let mut bench = bench;
        let one = register(&mut shelter(&bench), identity("999990019")).await.unwrap();
        let other = register(&mut shelter(&bench), identity("999990020")).await.unwrap();
        let child = pb::MemberRole::Child.into();
        let members = vec![pb::Member { role: child, birth_date: date(on(2019, 9, 9)), custody: true, ..Default::default() }];
        let household = pb::RecordHouseholdRequest {
            request_id: rid(),
            client_id: one.clone(),
            expected_version: 1,
            from_on: date(today()),
            members,
        };
        shelter(&bench).record_household(household).await.unwrap();
        let yesterday = bench.back_up().await;

        let client = ClientId::parse("client_id", &one).unwrap();
        let erased = proto::regie::v1::ClientErased { erasure_id: uuid().to_string() };
        bench.peer("regie").publish(Some(client), today(), &erased).await;
        assert_eq!(known(&bench).await, std::slice::from_ref(&other));
        assert_eq!(left(&bench, client).await, (vec![], 0));
        // Whoever asks is answered as if there had never been such a client, whatever relation they had or get.
        let relation = proto::regie::v1::RelationGranted {
            relation_id: uuid().to_string(),
            client_id: one.clone(),
            organisation: SHELTER.into(),
            ..Default::default()
        };
        bench.peer("regie").publish(Some(client), today(), &relation).await;
        let request = pb::GetClientForGuidanceRequest { client_id: one.clone() };
        let read = shelter(&bench).get_client_for_guidance(request).await;
        assert_eq!(read.unwrap_err().code(), Code::NotFound);
        // The BSN is found no more: the same person is a new client.
        register(&mut shelter(&bench), identity("999990019")).await.unwrap();
        let names = bench.event_names().await;
        assert_eq!(names.iter().filter(|name| name.contains("Duplicate")).count(), 0, "{names:?}");

        bench.put_back(yesterday).await;
        assert_eq!(known(&bench).await, [other]);
        assert_eq!(left(&bench, client).await, (vec![], 0));
    }

    /// R-ACC-03, R-ACC-07, R-ACC-12, R-ACC-19, R-ACC-26
    async fn a_household_walks_from_notification_to_decision(bench: Bench<Access> = Access::embedded()) {
        let mut desk = desk(&bench, "notification");
        let client = register(&mut desk, identity("999990019")).await.unwrap();
        let child = pb::Member { role: pb::MemberRole::Child.into(), birth_date: date(on(2019, 9, 9)), custody: true, ..Default::default() };
        let household = pb::RecordHouseholdRequest {
            request_id: rid(), client_id: client.clone(), expected_version: 1, from_on: date(today()), members: vec![child],
        };
        let counted = desk.record_household(household).await.unwrap().into_inner();
        assert_eq!((counted.version, counted.adults, counted.children), (2, 1, 1));

        let received = desk.record_notification(report(&client)).await.unwrap().into_inner();
        assert_eq!(received.investigation_due_on, date(on(2026, 4, 13)));
        let mut investigator = self::desk(&bench, "investigation");
        let plan = pb::PlanIntakeRequest {
            request_id: rid(), notification_id: received.notification_id.clone(), planned_on: date(on(2026, 3, 5)),
            asks_benefit: true, asks_mail_address: false,
        };
        let intake = investigator.plan_intake(plan.clone()).await.unwrap().into_inner();
        assert!(intake.integrated);
        let again = pb::PlanIntakeRequest { request_id: rid(), ..plan };
        assert_eq!(code(investigator.plan_intake(again).await), "INTAKE_PLANNED_ALREADY");

        let mut decider = self::desk(&bench, "decision");
        let submit = || pb::SubmitApplicationRequest { request_id: rid(), notification_id: received.notification_id.clone(), received_on: None };
        assert_eq!(code(decider.submit_application(submit()).await), "APPLICATION_TOO_EARLY");
        bench.on(on(2026, 3, 5)).await;
        let complete = pb::CompleteIntakeRequest {
            request_id: rid(), intake_id: intake.intake_id, expected_version: 1, result: pb::IntakeResult::Shelter.into(), ..Default::default()
        };
        investigator.complete_intake(complete).await.unwrap();
        let application = decider.submit_application(submit()).await.unwrap().into_inner();
        assert_eq!(application.due_on, date(on(2026, 3, 19)));
        assert_eq!(code(decider.submit_application(submit()).await), "APPLICATION_OPEN");
        let take = pb::TakeDecisionRequest {
            request_id: rid(), application_id: application.application_id, expected_version: 1, granted: true,
            target_group: pb::TargetGroup::Economic.into(), ..Default::default()
        };
        let decision = decider.take_decision(take).await.unwrap().into_inner();
        assert_eq!(decision.ends_on, date(on(2026, 9, 4)));

        // Four weeks before its end it warns, at its end it ends; the finished investigation stayed silent (P7).
        bench.on(on(2026, 8, 7)).await;
        bench.on(on(2026, 9, 5)).await;
        assert_eq!(bench.event_names().await, [
            "ClientRegistered", "HouseholdRecorded", "NotificationReceived", "IntakePlanned", "IntakeCompleted",
            "ApplicationReceived", "DecisionTaken", "DecisionEndingSoon", "DecisionEnded",
        ]);
        let ended = decode::<pb::DecisionEnded>(&bench.events().await).remove(0);
        assert_eq!((ended.reason(), ended.ended_on), (pb::DecisionEndReason::Expired, date(on(2026, 9, 4))));
        let journey = decider.get_journey(pb::GetJourneyRequest { client_id: client }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!((journey.notifications.len(), journey.intakes.len(), journey.decisions.len()), (1, 1, 1));
    }

    /// R-ACC-20
    async fn an_extended_decision_ends_at_its_new_end(bench: Bench<Access> = Access::embedded()) {
        let mut desk = desk(&bench, "decision");
        let client = register(&mut self::desk(&bench, "notification"), identity("")).await.unwrap();
        let notification = notify(&mut self::desk(&bench, "notification"), &client).await;
        bench.on(on(2026, 4, 14)).await;
        let submit = pb::SubmitApplicationRequest { request_id: rid(), notification_id: notification, received_on: None };
        let application = desk.submit_application(submit).await.unwrap().into_inner().application_id;
        let take = pb::TakeDecisionRequest {
            request_id: rid(), application_id: application, expected_version: 1, granted: true,
            target_group: pb::TargetGroup::Classic.into(), ..Default::default()
        };
        let decision = desk.take_decision(take.clone()).await.unwrap().into_inner();
        let repeat = desk.take_decision(pb::TakeDecisionRequest { request_id: rid(), expected_version: 2, ..take }).await.unwrap().into_inner();
        assert_eq!(repeat, decision);
        let extend = |version, ends_on| pb::ExtendDecisionRequest {
            request_id: rid(), decision_id: decision.decision_id.clone(), expected_version: version, ends_on: date(ends_on),
            reason: pb::ExtensionReason::NoOnwardPlace.into(),
        };
        desk.extend_decision(extend(1, on(2027, 1, 31))).await.unwrap();
        assert_eq!(code(desk.extend_decision(extend(1, on(2027, 2, 28))).await), "STALE_VERSION");
        bench.on(on(2026, 10, 20)).await;
        let end = pb::EndDecisionRequest {
            request_id: rid(), decision_id: decision.decision_id.clone(), expected_version: 2, ended_on: None,
            reason: pb::DecisionEndReason::Housed.into(),
        };
        assert_eq!(code(desk.end_decision(pb::EndDecisionRequest { reason: pb::DecisionEndReason::Died.into(), ..end.clone() }).await), "MALFORMED");
        desk.end_decision(end).await.unwrap();
        bench.on(on(2027, 3, 1)).await;
        let names = bench.event_names().await;
        assert_eq!(names[names.len() - 3..], ["DecisionTaken", "DecisionExtended", "DecisionEnded"]);
        assert_eq!(code(desk.extend_decision(extend(3, on(2027, 6, 1))).await), "DECISION_NOT_IN_FORCE");
    }

    /// R-REG-26: nothing new is recorded in a record that points to another; who has to do with both hears which to use, who
    /// has not, does not. It is read as before, and used as before once the merge is undone.
    async fn nothing_new_is_recorded_in_a_record_that_points_to_another(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let (kept, client) = (register(&mut desk(&bench, "notification"), identity("999990019")).await.unwrap(), register(&mut shelter, identity("999990019")).await.unwrap());
        let id = |text: &str| ClientId::parse("client_id", text).ok();
        let (merge_id, client_id, kept_client_id) = (rid(), client.clone(), kept.clone());
        let merged = proto::regie::v1::ClientsMerged { merge_id: merge_id.clone(), client_id, kept_client_id };
        bench.peer("regie").publish(id(&client), today(), &merged).await;
        let untold = shelter.record_notification(report(&client)).await.unwrap_err();
        assert_eq!(reason(&untold), "CLIENT_NOT_IN_USE");
        assert!(!testkit::heard(&untold).contains(&kept));
        let told = desk(&bench, "notification").record_notification(report(&client)).await.unwrap_err();
        assert_eq!(reason(&told), "CLIENT_MERGED");
        let granted = proto::regie::v1::RelationGranted {
            relation_id: rid(),
            client_id: kept.clone(),
            organisation: SHELTER.into(),
            role: "shelter".into(),
            ..Default::default()
        };
        bench.peer("regie").publish(id(&kept), today(), &granted).await;
        let told = shelter.record_notification(report(&client)).await.unwrap_err();
        assert!(reason(&told) == "CLIENT_MERGED" && testkit::heard(&told).contains(&kept));
        notify(&mut shelter, &kept).await;
        shelter.get_client_for_guidance(pb::GetClientForGuidanceRequest { client_id: client.clone() }).await.unwrap();
        // A stranger hears what is heard of nobody.
        let mut stranger = api(&bench, Role::Shelter, "elders", "shelter");
        let of_nobody = stranger.record_notification(report(&rid())).await.unwrap_err();
        let of_client = stranger.record_notification(report(&client)).await.unwrap_err();
        assert_eq!(testkit::heard(&of_client), testkit::heard(&of_nobody));

        // Who registers once more is compared with the record that is used, and that one not with the one that points to it.
        let again = register(&mut shelter, identity("999990019")).await.unwrap();
        let suspected = decode::<pb::DuplicateSuspected>(&bench.events().await);
        assert_eq!((suspected[1].client_id.clone(), suspected[1].of_client_id.clone()), (again, kept.clone()));
        let undone = proto::regie::v1::MergeUndone { merge_id, client_id: client.clone() };
        bench.peer("regie").publish(id(&client), today(), &undone).await;
        notify(&mut shelter, &client).await;
    }

    /// R-ACC-11, R-REG-26, R-REG-17
    async fn a_bsn_that_exists_answers_like_a_new_registration(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let first = register(&mut desk(&bench, "notification"), identity("999990019")).await.unwrap();
        let second = register(&mut shelter, identity("999990019")).await.unwrap();
        assert_ne!(first, second);
        let suspected = decode::<pb::DuplicateSuspected>(&bench.events().await);
        assert_eq!((suspected.len(), suspected[0].client_id.as_str(), suspected[0].of_client_id.as_str()), (1, second.as_str(), first.as_str()));
        // Partners hear of the registration only.
        let heard = bench.events_for(&actor(Role::Shelter, SHELTER), "shelter").await;
        assert!(decode::<pb::DuplicateSuspected>(&heard).is_empty());
        // No event holds a BSN or a name, and neither does the file of the embedded database.
        for event in bench.events().await {
            let bytes = event.payload.unwrap().value;
            assert!(!bytes.windows(9).any(|w| w == b"999990019") && !bytes.windows(6).any(|w| w == b"Jansen"));
        }
        let refusal = register(&mut shelter, pb::Identity { bsn: "123456789".into(), surname: String::new(), ..identity("") }).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal)), (Code::InvalidArgument, "MALFORMED".into()));
        let mut bare = identity("");
        bare.no_address = false;
        assert_eq!(code(register(&mut shelter, bare).await), "CLIENT_IDENTITY_INCOMPLETE");
    }

    /// P8, R-REG-13, R-REG-17
    async fn each_audience_sees_its_own_part_and_only_of_its_own_clients(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("999990019")).await.unwrap();
        let id = || client.clone();
        let mut corporation = api(&bench, Role::Corporation, "trivire", "housing");
        let strange = corporation.get_tenant(pb::GetTenantRequest { client_id: id() }).await.unwrap_err();
        let unknown = corporation.get_tenant(pb::GetTenantRequest { client_id: rid() }).await.unwrap_err();
        assert_eq!((strange.code(), strange.message()), (unknown.code(), unknown.message()));
        assert_eq!(strange.code(), Code::NotFound);
        let denied = corporation.get_client(pb::GetClientRequest { client_id: id() }).await.unwrap_err();
        assert_eq!((denied.code(), reason(&denied)), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".into()));

        let granted = proto::regie::v1::RelationGranted {
            relation_id: rid(), client_id: id(), organisation: "trivire".into(), ..Default::default()
        };
        let known = ClientId::parse("client_id", &client).unwrap();
        bench.peer("regie").publish(Some(known), today(), &granted).await;
        let tenant = corporation.get_tenant(pb::GetTenantRequest { client_id: id() }).await.unwrap().into_inner().tenant.unwrap();
        assert_eq!((tenant.surname.as_str(), tenant.phone.as_str()), ("Jansen", "0612345678"));
        let status = corporation.get_decision_status(pb::GetDecisionStatusRequest { client_id: id() }).await.unwrap().into_inner();
        assert!(!status.in_force);
        let wrong_purpose = api(&bench, Role::Corporation, "trivire", "debt").get_tenant(pb::GetTenantRequest { client_id: id() }).await;
        assert_eq!(code(wrong_purpose), "PURPOSE_MISSING");

        let guided = shelter.get_client_for_guidance(pb::GetClientForGuidanceRequest { client_id: id() }).await.unwrap().into_inner();
        assert_eq!(guided.client.unwrap().bsn, "999990019");
        let mut other = api(&bench, Role::Shelter, "hvo-querido", "shelter");
        let refused = other.get_client_for_guidance(pb::GetClientForGuidanceRequest { client_id: id() }).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let mut own = AccessServiceClient::new(bench.as_(&client_actor(known), "own-file"));
        let myself = own.get_client_as_self(pb::GetClientAsSelfRequest { client_id: id() }).await.unwrap().into_inner().client.unwrap();
        assert_eq!(myself.first_names, "Noor");
        let listed = |organisation| {
            let mut api = api(&bench, Role::Shelter, organisation, "shelter");
            async move { api.list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner().clients.len() }
        };
        assert_eq!((listed(SHELTER).await, listed("hvo-querido").await), (1, 0));
        // Everything is in the log that the client can read, refusals too.
        let mut log = proto::audit::v1::audit_service_client::AuditServiceClient::new(bench.as_(&client_actor(known), "own-file"));
        let entries = log.list_access(proto::audit::v1::ListAccessRequest { client_id: id(), ..Default::default() }).await.unwrap();
        let seen: Vec<_> = entries.into_inner().entries.into_iter().map(|e| (e.organisation, e.result)).collect();
        assert!(seen.contains(&("hvo-querido".into(), "NOT_FOUND".into())) && seen.contains(&("trivire".into(), "ok".into())), "{seen:?}");
    }

    /// P3
    async fn a_repeat_is_answered_and_another_body_is_refused(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let request = report(&client);
        let first = shelter.record_notification(request.clone()).await.unwrap().into_inner();
        let repeats: Vec<_> = (0..4).map(|_| { let (mut api, r) = (shelter.clone(), request.clone()); tokio::spawn(async move { api.record_notification(r).await }) }).collect();
        for repeat in repeats {
            assert_eq!(repeat.await.unwrap().unwrap().into_inner(), first);
        }
        let other = pb::RecordNotificationRequest { needs_shelter_now: true, ..request };
        assert_eq!(code(shelter.record_notification(other).await), "REQUEST_ID_REUSED");
        let nameless = pb::RecordNotificationRequest { request_id: String::new(), ..report(&client) };
        assert_eq!(code(shelter.record_notification(nameless).await), "REQUEST_ID_MISSING");
        let withdraw = |version| pb::WithdrawNotificationRequest {
            request_id: rid(), notification_id: first.notification_id.clone(), expected_version: version, reason: pb::CancelReason::ByClient.into(),
        };
        assert_eq!(code(shelter.withdraw_notification(withdraw(7)).await), "STALE_VERSION");
        shelter.withdraw_notification(withdraw(1)).await.unwrap();
        shelter.withdraw_notification(withdraw(2)).await.unwrap();
        assert_eq!(bench.event_names().await, ["ClientRegistered", "NotificationReceived", "NotificationWithdrawn"]);
    }

    async fn bad_input_is_refused_by_the_path_of_the_field(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let good = || report(&client);
        for (bad, expected) in [
            (pb::RecordNotificationRequest { client_id: "x".into(), municipality: "505".into(), ..good() }, "MALFORMED"),
            (pb::RecordNotificationRequest { origin: None, ..good() }, "MALFORMED"),
            (pb::RecordNotificationRequest { triggers: vec![99], ..good() }, "MALFORMED"),
            (pb::RecordNotificationRequest { triggers: vec![], ..good() }, "NOTIFICATION_TRIGGER_MISSING"),
            (pb::RecordNotificationRequest { received_on: date(on(2026, 3, 3)), ..good() }, "ACCESS_DATE_IN_FUTURE"),
            (pb::RecordNotificationRequest { received_on: date(on(1926, 3, 3)), ..good() }, "ACCESS_DATE_TOO_OLD"),
            (pb::RecordNotificationRequest { received_on: Some(proto::google::r#type::Date { year: 2026, month: 2, day: 30 }), ..good() }, "MALFORMED"),
        ] {
            let refusal = shelter.record_notification(bad).await.unwrap_err();
            assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, expected), "{refusal:?}");
        }
        let refusal = shelter.record_notification(pb::RecordNotificationRequest { client_id: "x".into(), municipality: "505".into(), ..good() }).await.unwrap_err();
        use testkit::StatusExt as _;
        let paths: Vec<_> = refusal.get_error_details().bad_request().unwrap().field_violations.iter().map(|f| f.field.clone()).collect();
        assert_eq!(paths, ["client_id", "municipality"]);
        let strange = shelter.record_notification(pb::RecordNotificationRequest { client_id: rid(), ..good() }).await.unwrap_err();
        assert_eq!(strange.code(), Code::NotFound);
    }

    /// R-REG-29
    async fn a_death_ends_all_that_runs(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let elsewhere = open(&bench, place(5)).await;
        let (client, _) = guest(&bench, &facility, None).await;
        let mut desk = desk(&bench, "investigation");
        let notification = notify(&mut self::desk(&bench, "notification"), &client).await;
        let plan = pb::PlanIntakeRequest { request_id: rid(), notification_id: notification, planned_on: date(on(2026, 3, 9)), asks_benefit: false, asks_mail_address: false };
        desk.plan_intake(plan).await.unwrap();
        let mut shelter = shelter(&bench);
        let join = pb::JoinWaitingListRequest { request_id: rid(), client_id: client.clone(), facility_id: elsewhere, joined_on: None };
        shelter.join_waiting_list(join).await.unwrap();
        let die = |version| pb::RecordDeathRequest { request_id: rid(), client_id: client.clone(), expected_version: version, died_on: date(today()) };
        desk.record_death(die(1)).await.unwrap();
        desk.record_death(die(2)).await.unwrap();
        let names = bench.event_names().await;
        assert_eq!(names[names.len() - 4..], ["ClientDied", "Departed", "WaitingListLeft", "IntakeCancelled"]);
        let departed = decode::<pb::Departed>(&bench.events().await).remove(0);
        assert_eq!(departed.outcome(), pb::DepartureOutcome::Died);
        assert_eq!(code(shelter.record_notification(report(&client)).await), "CLIENT_DIED");
        bench.on(on(2026, 9, 1)).await;
        assert_eq!(bench.event_names().await.len(), names.len(), "nothing wakes for somebody who died");
    }

    /// P3
    async fn everything_is_still_there_after_a_restart(bench: Bench<Access> = Access::embedded()) {
        let mut bench = bench;
        let facility = open(&bench, place(5)).await;
        let (client, stay) = guest(&bench, &facility, None).await;
        let register = night(&facility, today(), 0, &[(&stay, pb::NightUse::Used)]);
        let before = shelter(&bench).record_nights(register.clone()).await.unwrap().into_inner();
        let events = bench.event_names().await;
        bench.restart().await;
        assert_eq!(shelter(&bench).record_nights(register).await.unwrap().into_inner(), before);
        assert_eq!(bench.event_names().await, events);
        let mut desk = desk(&bench, "notification");
        let shown = desk.get_client(pb::GetClientRequest { client_id: client.clone() }).await.unwrap().into_inner().client.unwrap();
        assert_eq!((shown.surname.as_str(), shown.version), ("Jansen", 1));
        let correct = |version| pb::CorrectClientRequest { request_id: rid(), client_id: client.clone(), expected_version: version, identity: Some(identity("999990020")) };
        assert_eq!(desk.correct_client(correct(1)).await.unwrap().into_inner().version, 2);
        assert_eq!(code(desk.correct_client(correct(1)).await), "STALE_VERSION");
        assert_eq!(desk.correct_client(correct(2)).await.unwrap().into_inner().version, 2);
    }
}
