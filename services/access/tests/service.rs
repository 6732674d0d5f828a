//! The access service over real gRPC, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "service/own_file.rs"]
mod own_file;

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
    /// R-REG-28: by no road does anybody come where somebody is from whom they are kept apart, whichever of the two came first.
    async fn who_are_kept_apart_never_come_in_one_place(bench: Bench<Access> = Access::embedded()) {
        let (here, elsewhere) = (open(&bench, place(5)).await, open(&bench, place(5)).await);
        let youth = open(&bench, pb::RegisterFacilityRequest { audience: pb::Audience::Youth.into(), ..place(5) }).await;
        let (first, stay) = guest(&bench, &here, None).await;
        let (second, notification) = waiting(&bench).await;
        // Marked for the one who is there or for the one who comes: it holds both ways.
        let separation = keep_apart(&bench, &second, &first).await;
        let partners = async || {
            let mut heard = Vec::new();
            for (role, organisation, purpose) in [(Role::Shelter, SHELTER, "shelter"), (Role::Access, DESK, "operations")] {
                heard.push(bench.events_for(&actor(role, organisation), purpose).await.len());
            }
            heard
        };
        let before = partners().await;
        let mut shelter = shelter(&bench);
        let mut desk = desk(&bench, "decision");
        let refused = shelter.admit_client(into(&second, &here, &notification)).await.unwrap_err();
        assert_eq!(reason(&refused), "NOT_SUITABLE");
        // Like a place that is not for that age, to the last word.
        let of_age = shelter.admit_client(into(&second, &youth, &notification)).await.unwrap_err();
        assert_eq!(testkit::heard(&refused), testkit::heard(&of_age));
        assert_eq!(code(shelter.join_waiting_list(join(&second, &here)).await), "NOT_SUITABLE");
        let urgent = pb::DecideUrgentProvisionRequest {
            request_id: rid(), notification_id: notification.clone(), expected_version: 1, granted: true,
            facility_id: here.clone(), ..Default::default()
        };
        assert_eq!(code(desk.decide_urgent_provision(urgent).await), "NOT_SUITABLE");
        assert_eq!(partners().await, before, "a refusal is no event");
        let mut regie = api(&bench, Role::SvcRegie, "svc-regie", "crisis");
        let claim = |client: &str| pb::ClaimPlaceRequest {
            request_id: rid(), client_id: client.into(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(),
            relapse_guarantee: false,
        };
        let claimed = regie.claim_place(claim(&second)).await.unwrap().into_inner();
        assert_eq!(claimed.facility_id, elsewhere);
        // A claimed place is as good as a stay: now the first cannot come there either.
        let away = Leaves::Destination(pb::Destination::OtherMunicipality.into());
        shelter.record_departure(leave(&stay, 1, today(), away)).await.unwrap();
        let again = notify(&mut shelter, &first).await;
        assert_eq!(code(shelter.admit_client(into(&first, &elsewhere, &again)).await), "NOT_SUITABLE");
        assert_eq!(regie.claim_place(claim(&first)).await.unwrap().into_inner().facility_id, here);
        // Once it has ended, nothing is left of it.
        let ended = proto::regie::v1::SeparationEnded { separation_id: separation };
        bench.peer("regie").publish(ClientId::parse("c", &second).ok(), today(), &ended).await;
        shelter.admit_client(into(&second, &here, &notification)).await.unwrap();
    }

    /// R-REG-18, R-REG-28: the same stay, list and claim, seen by everybody before, during and after the shield.
    async fn where_a_shielded_client_is_only_the_place_and_who_protects_the_client_know(bench: Bench<Access> = Access::embedded()) {
        let (here, full) = (open(&bench, place(5)).await, open(&bench, place(5)).await);
        let (client, _) = guest(&bench, &here, None).await;
        shelter(&bench).join_waiting_list(join(&client, &full)).await.unwrap();
        let holder = actor(Role::Caseholder, "elders");
        for (organisation, person) in [("elders", holder.subject.as_str()), ("vrouwenopvang", ""), ("hvo-querido", "")] {
            let granted = proto::regie::v1::RelationGranted {
                relation_id: rid(), client_id: client.clone(), organisation: organisation.into(), person: person.into(),
                ..Default::default()
            };
            bench.peer("regie").publish(ClientId::parse("c", &client).ok(), today(), &granted).await;
        }
        let everybody = [
            (client_actor(ClientId::parse("c", &client).unwrap()), "own-file", true),
            (holder, "shelter", true),
            (actor(Role::Vo, "vrouwenopvang"), "shelter", true),
            (actor(Role::Shelter, SHELTER), "shelter", true),
            (actor(Role::Shelter, "hvo-querido"), "shelter", false),
            (actor(Role::Access, DESK), "notification", false),
        ];
        let places = async |who: &kernel::Actor, purpose: &str| {
            let mut api = AccessServiceClient::new(bench.as_(who, purpose));
            let journey = api.get_journey(pb::GetJourneyRequest { client_id: client.clone() }).await.unwrap().into_inner().journey.unwrap();
            (journey.stays[0].facility_id.clone(), journey.waiting[0].facility_id.clone())
        };
        let known = (here.clone(), full.clone());
        let shield = async |raised: bool| {
            let (client_id, id) = (client.clone(), ClientId::parse("c", &client).ok());
            match raised {
                true => bench.peer("regie").publish(id, today(), &proto::regie::v1::ClientShielded { client_id }).await,
                false => bench.peer("regie").publish(id, today(), &proto::regie::v1::ShieldEnded { client_id }).await,
            };
        };
        for raised in [false, true, false] {
            shield(raised).await;
            for (who, purpose, named) in &everybody {
                let shown = if *named || !raised { known.clone() } else { Default::default() };
                assert_eq!(places(who, purpose).await, shown, "{:?} of {} {raised}", who.roles, who.organisation);
            }
        }
        // Lists of the place, its register and a claim, as the desk of the municipality gets them.
        shield(true).await;
        let list = pb::ListWaitingListRequest { facility_id: full.clone(), ..Default::default() };
        assert_eq!(desk(&bench, "shelter").list_waiting_list(list.clone()).await.unwrap().into_inner().entries.len(), 0);
        assert_eq!(shelter(&bench).list_waiting_list(list).await.unwrap().into_inner().entries.len(), 1);
        let register = pb::GetNightRegisterRequest { facility_id: here.clone(), night: date(today()) };
        assert_eq!(desk(&bench, "shelter").get_night_register(register.clone()).await.unwrap().into_inner().missing_stay_ids.len(), 0);
        assert_eq!(shelter(&bench).get_night_register(register).await.unwrap().into_inner().missing_stay_ids.len(), 1);
        let claim = pb::ClaimPlaceRequest {
            request_id: rid(), client_id: client.clone(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(),
            relapse_guarantee: false,
        };
        let claimed = desk(&bench, "crisis").claim_place(claim).await.unwrap().into_inner();
        assert_eq!(claimed.facility_id, "");
        // What happens at the place from now on, the place alone hears of.
        let heard = async |role, organisation: &str| {
            let events = bench.events_for(&actor(role, organisation), if role == Role::Access { "operations" } else { "shelter" }).await;
            decode::<pb::PlaceClaimed>(&events).len()
        };
        assert_eq!((heard(Role::Shelter, SHELTER).await, heard(Role::Shelter, "hvo-querido").await, heard(Role::Access, DESK).await), (1, 0, 0));
    }

    /// R-REG-28: of two who are kept apart and come at the very same moment, one gets the place, by whatever road.
    async fn of_two_who_are_kept_apart_one_gets_in_when_both_come_at_once(bench: Bench<Access> = Access::embedded()) {
        for round in 0..6 {
            let here = open(&bench, place(50)).await;
            let (one, other) = (waiting(&bench).await, waiting(&bench).await);
            keep_apart(&bench, &one.0, &other.0).await;
            let enter = |(client, notification): &(String, String)| {
                let (mut shelter, wish) = (shelter(&bench), into(client, &here, notification));
                async move { shelter.admit_client(wish).await.map(drop) }
            };
            let (first, second) = tokio::join!(enter(&one), enter(&other));
            let refused: Vec<_> = [first, second].into_iter().filter_map(Result::err).collect();
            assert_eq!(refused.len(), 1, "round {round}");
            assert_eq!(reason(&refused[0]), "NOT_SUITABLE");
            let facilities = desk(&bench, "notification").list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap();
            let taken = facilities.into_inner().facilities.into_iter().find(|f| f.facility_id == here).unwrap().occupied;
            assert_eq!(taken, 1);
        }
    }

    /// R-REG-28, P6: the same for places that are claimed for tonight.
    async fn of_two_who_are_kept_apart_and_need_a_place_tonight_neither_gets_the_others(bench: Bench<Access> = Access::embedded()) {
        let (one, other) = (waiting(&bench).await, waiting(&bench).await);
        keep_apart(&bench, &one.0, &other.0).await;
        for _ in 0..2 {
            open(&bench, place(5)).await;
        }
        let claim = |client: &str| {
            let mut regie = api(&bench, Role::SvcRegie, "svc-regie", "crisis");
            let wish = pb::ClaimPlaceRequest {
                request_id: rid(), client_id: client.into(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(),
                relapse_guarantee: false,
            };
            async move { regie.claim_place(wish).await.unwrap().into_inner().facility_id }
        };
        let (first, second) = tokio::join!(claim(&one.0), claim(&other.0));
        assert_ne!(first, second);
    }

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

    /// R-ACC-09, P7
    async fn an_urgent_provision_that_nobody_decides_is_heard_of(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let urgent = || pb::RecordNotificationRequest { needs_shelter_now: true, ..report(&client) };
        let late = shelter.record_notification(urgent()).await.unwrap().into_inner().notification_id;
        let mut desk = desk(&bench, "decision");
        let decide = |id: &str, granted| pb::DecideUrgentProvisionRequest {
            request_id: rid(), notification_id: id.into(), expected_version: 1, granted, ..Default::default()
        };
        bench.clock.set(Moment::at_hour(today(), 14).at);
        bench.settled().await;
        desk.decide_urgent_provision(decide(&late, true)).await.unwrap();
        assert_eq!(code(desk.decide_urgent_provision(decide(&late, true)).await), "STALE_VERSION");
        let again = pb::DecideUrgentProvisionRequest { expected_version: 2, ..decide(&late, true) };
        desk.decide_urgent_provision(again).await.unwrap();
        let in_time = shelter.record_notification(urgent()).await.unwrap().into_inner().notification_id;
        assert_eq!(code(desk.decide_urgent_provision(decide(&in_time, false)).await), "URGENT_PROVISION_GROUND_MISSING");
        desk.decide_urgent_provision(decide(&in_time, true)).await.unwrap();
        bench.on(on(2026, 4, 1)).await;
        let events = bench.events().await;
        let overdue = decode::<pb::UrgentProvisionOverdue>(&events);
        assert_eq!((overdue.len(), overdue[0].target_hours), (1, 4));
        let decided: Vec<_> = decode::<pb::UrgentProvisionDecided>(&events).into_iter().map(|d| d.late).collect();
        assert_eq!(decided, [true, false]);
        assert_eq!(decode::<pb::InvestigationDueSoon>(&events).len(), 2);
        bench.on(on(2026, 4, 20)).await;
        assert_eq!(decode::<pb::InvestigationOverdue>(&bench.events().await).len(), 2);
    }

    /// R-ACC-17, R-ACC-32
    async fn a_stay_becomes_a_trajectory_and_ends_with_its_nights(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let (client, stay) = guest(&bench, &facility, None).await;
        let (_, short) = guest(&bench, &facility, None).await;
        let mut shelter = shelter(&bench);
        use pb::NightUse::{Released, Used};
        for day in 2..6 {
            bench.on(on(2026, 3, day)).await;
            let register = night(&facility, on(2026, 3, day), 0, &[(&stay, Used), (&short, if day < 4 { Used } else { Released })]);
            let first = shelter.record_nights(register.clone()).await.unwrap().into_inner();
            assert_eq!((first.version, first.missing), (1, 0));
            // The same register again, by another call and without the version: nothing happens.
            let again = shelter.record_nights(pb::RecordNightsRequest { request_id: rid(), ..register }).await.unwrap().into_inner();
            assert_eq!(again, first);
        }
        let events = bench.events().await;
        assert_eq!(decode::<pb::NightsRecorded>(&events).len(), 4);
        assert!(events.iter().filter(|e| e.r#type.ends_with("nights-recorded")).all(|e| e.client_id.is_empty()));
        let started = decode::<pb::TrajectoryStarted>(&events);
        assert_eq!((started.len(), started[0].stay_id.as_str(), started[0].started_on), (1, stay.as_str(), date(on(2026, 3, 5))));

        let home = Leaves::Destination(pb::Destination::OwnHome.into());
        assert_eq!(code(shelter.record_departure(leave(&stay, 2, on(2026, 3, 5), home)).await), "STAY_SLEPT_LATER");
        bench.on(on(2026, 3, 6)).await;
        let left = shelter.record_departure(leave(&stay, 2, on(2026, 3, 6), home)).await.unwrap().into_inner();
        assert_eq!((left.version, left.nights_used), (3, 4));
        shelter.record_departure(leave(&stay, 3, on(2026, 3, 6), home)).await.unwrap();
        let dropped = Leaves::DropOut(pb::DropOutReason::StayedAway.into());
        assert_eq!(code(shelter.record_departure(leave(&stay, 3, on(2026, 3, 6), dropped)).await), "STAY_ENDED");
        shelter.record_departure(leave(&short, 1, on(2026, 3, 4), dropped)).await.unwrap();
        let departed = decode::<pb::Departed>(&bench.events().await);
        assert_eq!((departed[0].outcome(), departed[0].nights_used, departed[0].trajectory), (pb::DepartureOutcome::Left, 4, true));
        assert_eq!((departed[1].outcome(), departed[1].nights_used, departed[1].trajectory), (pb::DepartureOutcome::DropOut, 2, false));

        // A correction after the departure.
        let third = night(&facility, on(2026, 3, 4), 0, &[(&stay, Released)]);
        assert_eq!(code(shelter.record_nights(third.clone()).await), "STALE_VERSION");
        let corrected = shelter.record_nights(pb::RecordNightsRequest { request_id: rid(), expected_version: 1, ..third }).await.unwrap().into_inner();
        assert_eq!((corrected.version, corrected.used), (2, 0));
        let told = decode::<pb::NightsCorrected>(&bench.events().await);
        assert_eq!((told.len(), told[0].stay_id.as_str(), told[0].nights_used), (1, stay.as_str(), 3));
        let mut desk = desk(&bench, "shelter");
        let journey = desk.get_journey(pb::GetJourneyRequest { client_id: client }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!((journey.stays[0].nights_used, journey.stays[0].trajectory_on), (3, date(on(2026, 3, 5))));
    }

    /// R-ACC-32
    async fn a_register_is_of_the_own_facility_and_of_who_stayed_there(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let (_, stay) = guest(&bench, &facility, None).await;
        let (_, other) = guest(&bench, &facility, None).await;
        use pb::NightUse::{Held, Used};
        let mut stranger = api(&bench, Role::Shelter, "hvo-querido", "shelter");
        let refused = stranger.record_nights(night(&facility, today(), 0, &[])).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let mut shelter = shelter(&bench);
        for (request, expected) in [
            (night(&facility, today(), 0, &[(&rid(), Used)]), "NIGHT_WITHOUT_STAY"),
            (night(&facility, on(2026, 3, 1), 0, &[(&stay, Used)]), "NIGHT_WITHOUT_STAY"),
            (night(&facility, today(), 0, &[(&stay, Used), (&stay, Used)]), "NIGHT_TWICE"),
            (night(&facility, today(), 0, &[(&stay, Held)]), "NIGHT_HOLD_UNREASONED"),
            (night(&facility, on(2026, 3, 3), 0, &[(&stay, Used)]), "ACCESS_DATE_IN_FUTURE"),
            (night(&facility, on(1999, 3, 3), 0, &[(&stay, Used)]), "ACCESS_DATE_TOO_OLD"),
        ] {
            assert_eq!(code(shelter.record_nights(request).await), expected);
        }
        let part = shelter.record_nights(night(&facility, today(), 0, &[(&stay, Used)])).await.unwrap().into_inner();
        assert_eq!((part.used, part.missing), (1, 1));
        let get = pb::GetNightRegisterRequest { facility_id: facility.clone(), night: date(today()) };
        let shown = shelter.get_night_register(get).await.unwrap().into_inner();
        assert_eq!((shown.version, shown.nights.len(), shown.missing_stay_ids), (1, 1, vec![other]));
    }

    /// R-ACC-24
    async fn a_full_facility_finds_another_way(bench: Bench<Access> = Access::with_policy(&access::domain::policy::DEFAULT.replace("no_bed_limit = true", "no_bed_limit = false")).unwrap()) {
        let full = open(&bench, pb::RegisterFacilityRequest { reserve: 1, ..place(1) }).await;
        let mut shelter = shelter(&bench);
        let mut levels = Vec::new();
        let mut admit_one = async |facility: String| {
            let client = register(&mut shelter, identity("")).await.unwrap();
            let notification = notify(&mut shelter, &client).await;
            let answer = shelter.admit_client(into(&client, &facility, &notification)).await.unwrap().into_inner();
            levels.push(answer.level());
            (client, notification, answer)
        };
        admit_one(full.clone()).await;
        admit_one(full.clone()).await;
        let (_, _, over) = admit_one(full.clone()).await;
        assert_eq!(over.outcome(), Outcome::Admitted);
        let roomy = open(&bench, place(3)).await;
        let (client, notification, answer) = admit_one(full.clone()).await;
        assert_eq!((answer.outcome(), answer.alternative_facility_id.as_str()), (Outcome::Alternative, roomy.as_str()));
        use pb::PlaceLevel::{OverCapacity, Regular, Reserve, Unspecified};
        assert_eq!(levels, [Regular, Reserve, OverCapacity, Unspecified]);
        assert_eq!(decode::<pb::CapacityReached>(&bench.events().await).len(), 3);
        let list = || pb::ListWaitingListRequest { facility_id: full.clone(), ..Default::default() };
        assert_eq!(shelter.list_waiting_list(list()).await.unwrap().into_inner().entries[0].client_id, client);
        let placed = shelter.admit_client(into(&client, &roomy, &notification)).await.unwrap().into_inner();
        assert_eq!(placed.level(), Regular);
        let again = shelter.admit_client(into(&client, &roomy, &notification)).await.unwrap().into_inner();
        assert_eq!(again, placed);
        assert_eq!(code(shelter.admit_client(into(&client, &full, &notification)).await), "STAY_OPEN");
        let facilities = shelter.list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap().into_inner().facilities;
        assert_eq!(facilities.iter().map(|f| f.occupied).collect::<Vec<_>>(), [3, 1]);
    }

    /// R-ACC-01, R-ACC-08
    async fn a_stay_needs_its_ground(bench: Bench<Access> = Access::embedded()) {
        let individual = open(&bench, pb::RegisterFacilityRequest { provision: pb::Provision::Individual.into(), ..place(5) }).await;
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let notification = notify(&mut shelter, &client).await;
        assert_eq!(code(shelter.admit_client(into(&client, &individual, &notification)).await), "STAY_WITHOUT_GROUND");
        assert_eq!(code(shelter.admit_client(into(&client, &individual, "")).await), "STAY_WITHOUT_GROUND");
        let other = register(&mut shelter, identity("")).await.unwrap();
        let theirs = notify(&mut shelter, &other).await;
        assert_eq!(code(shelter.admit_client(into(&client, &individual, &theirs)).await), "NOT_FOUND");
        let grant = pb::DecideUrgentProvisionRequest {
            request_id: rid(), notification_id: notification.clone(), expected_version: 1, granted: true, facility_id: individual.clone(), ..Default::default()
        };
        desk(&bench, "decision").decide_urgent_provision(grant).await.unwrap();
        let admitted = shelter.admit_client(into(&client, &individual, &notification)).await.unwrap().into_inner();
        assert_eq!(admitted.outcome(), Outcome::Admitted);
        let withdraw = pb::WithdrawNotificationRequest {
            request_id: rid(), notification_id: notification, expected_version: 2, reason: pb::CancelReason::ByClient.into(),
        };
        assert_eq!(code(shelter.withdraw_notification(withdraw).await), "NOTIFICATION_IN_USE");
    }

    async fn the_order_of_a_waiting_list_is_that_of_any_past_moment(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let mut shelter = shelter(&bench);
        let mut entries = Vec::new();
        for (day, joined) in [(2, None), (3, None), (4, Some(on(2026, 3, 1)))] {
            bench.on(on(2026, 3, day)).await;
            let client = register(&mut shelter, identity("")).await.unwrap();
            let join = pb::JoinWaitingListRequest { request_id: rid(), client_id: client.clone(), facility_id: facility.clone(), joined_on: joined.and_then(date) };
            let entry = shelter.join_waiting_list(join.clone()).await.unwrap().into_inner();
            let again = shelter.join_waiting_list(pb::JoinWaitingListRequest { request_id: rid(), joined_on: None, ..join }).await.unwrap().into_inner();
            assert_eq!(again, entry);
            entries.push(entry.entry_id);
        }
        bench.on(on(2026, 3, 5)).await;
        let off = pb::LeaveWaitingListRequest { request_id: rid(), entry_id: entries[0].clone(), expected_version: 1, reason: pb::WaitingLeaveReason::NoContact.into() };
        shelter.leave_waiting_list(off.clone()).await.unwrap();
        let died = pb::LeaveWaitingListRequest { request_id: rid(), reason: pb::WaitingLeaveReason::Died.into(), ..off };
        assert_eq!(code(shelter.leave_waiting_list(died).await), "MALFORMED");
        let mut at = async |day: i8, hour: i8, page: (i32, String)| {
            let moment = Moment::at_hour(on(2026, 3, day), hour).at;
            let as_of = Some(prost_types::Timestamp { seconds: moment.as_second(), nanos: 0 });
            let request = pb::ListWaitingListRequest { facility_id: facility.clone(), as_of, page_size: page.0, page_token: page.1 };
            shelter.list_waiting_list(request).await.map(tonic::Response::into_inner)
        };
        let order = |list: pb::ListWaitingListResponse| -> Vec<usize> {
            list.entries.iter().map(|e| entries.iter().position(|id| *id == e.entry_id).unwrap()).collect()
        };
        let first = (0, String::new());
        assert_eq!(order(at(5, 9, first.clone()).await.unwrap()), [2, 1]);
        assert_eq!(order(at(4, 23, first.clone()).await.unwrap()), [2, 0, 1]);
        assert_eq!(order(at(3, 23, first.clone()).await.unwrap()), [0, 1]);
        assert_eq!(order(at(1, 9, first.clone()).await.unwrap()), [0usize; 0]);
        assert_eq!(code(at(6, 9, first).await), "ACCESS_DATE_IN_FUTURE");
        let page = at(4, 23, (2, String::new())).await.unwrap();
        let token = page.next_page_token.clone();
        assert_eq!((order(page), order(at(4, 23, (2, token)).await.unwrap())), (vec![2, 0], vec![1]));
    }

    /// P6, R-AFT-10
    async fn who_has_nowhere_to_sleep_has_a_place_claimed(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let mut regie = api(&bench, Role::SvcRegie, "svc-regie", "regie");
        let claim = |client: &str| pb::ClaimPlaceRequest {
            request_id: rid(), client_id: client.into(), signal_id: rid(), municipality: DORDRECHT.into(), relapse_guarantee: true,
        };
        assert_eq!(code(regie.claim_place(claim(&client)).await), "PLACE_CLAIM_NO_FACILITY");
        let facility = open(&bench, place(1)).await;
        guest(&bench, &facility, None).await;
        let wish = claim(&client);
        let claimed = regie.claim_place(wish.clone()).await.unwrap().into_inner();
        assert_eq!((claimed.facility_id.as_str(), claimed.level(), claimed.until_on), (facility.as_str(), pb::PlaceLevel::OverCapacity, date(on(2026, 3, 4))));
        for again in [pb::ClaimPlaceRequest { request_id: rid(), ..wish }, claim(&client)] {
            assert_eq!(regie.claim_place(again).await.unwrap().into_inner(), claimed);
        }
        assert_eq!(code(shelter.claim_place(claim(&client)).await), "ROLE_NOT_ALLOWED");
        let admit = pb::AdmitClientRequest { claim_id: claimed.claim_id.clone(), ..into(&client, &facility, "") };
        let stay = shelter.admit_client(admit.clone()).await.unwrap().into_inner();
        let again = shelter.admit_client(pb::AdmitClientRequest { request_id: rid(), ..admit }).await.unwrap().into_inner();
        assert_eq!(again, stay);

        let lost = register(&mut shelter, identity("")).await.unwrap();
        regie.claim_place(claim(&lost)).await.unwrap();
        bench.on(on(2026, 3, 4)).await;
        bench.clock.set(Moment::at_hour(on(2026, 3, 5), 12).at);
        bench.settled().await;
        let events = bench.events().await;
        assert_eq!(decode::<pb::PlaceClaimEndingSoon>(&events).len(), 1);
        let released: Vec<_> = decode::<pb::PlaceClaimReleased>(&events).into_iter().map(|r| (r.reason(), r.stay_id)).collect();
        assert_eq!(released, [(pb::ClaimReleaseReason::Admitted, stay.stay_id), (pb::ClaimReleaseReason::Lapsed, String::new())]);
        let fresh = regie.claim_place(claim(&lost)).await.unwrap().into_inner();
        let release = pb::ReleaseClaimRequest { request_id: rid(), claim_id: fresh.claim_id, expected_version: 1 };
        assert_eq!(regie.release_claim(release).await.unwrap().into_inner().version, 2);
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

    /// R-REG-28, P8: telephone number, e-mail and home address are left out of every view, and the channel is shown instead; not for
    /// the client, who protects the client and who is the channel.
    async fn with_safe_contact_only_who_protects_the_client_and_the_channel_see_how_to_reach_the_client(bench: Bench<Access> = Access::embedded()) {
        let given = pb::Identity {
            no_address: false, postcode: "3311EN".into(), house_number: "12".into(), email: "noor@example.nl".into(),
            ..identity("999990019")
        };
        let client = register(&mut shelter(&bench), given.clone()).await.unwrap();
        let id = ClientId::parse("c", &client).unwrap();
        let holder = actor(Role::Caseholder, "elders");
        for (organisation, person) in [
            ("elders", holder.subject.as_str()), ("vrouwenopvang", ""), ("hvo-querido", ""), ("trivire", ""), ("sociale-dienst", ""), ("wijkteam-west", ""),
        ] {
            let granted = proto::regie::v1::RelationGranted {
                relation_id: rid(), client_id: client.clone(), organisation: organisation.into(), person: person.into(), ..Default::default()
            };
            bench.peer("regie").publish(Some(id), today(), &granted).await;
        }
        let client_id = || client.clone();
        // What each audience sees of how to reach the client: postcode, telephone, e-mail; and the channel that is named.
        type Seen = (Vec<String>, Option<proto::contact::v1::SafeContact>);
        macro_rules! seen {
            ($who:expr, $purpose:literal, $rpc:ident($request:ident).$view:ident, [$($field:ident),+]) => {{
                let mut api = AccessServiceClient::new(bench.as_(&$who, $purpose));
                let view = api.$rpc(pb::$request { client_id: client_id() }).await.unwrap().into_inner().$view.unwrap();
                assert!(!view.surname.is_empty(), "who it is goes on being shown");
                let shown = [$(view.$field.clone()),+].into_iter().filter(|text| !text.is_empty()).collect();
                (shown, view.safe_contact.clone())
            }};
        }
        let guided = async |who: kernel::Actor| -> Seen {
            seen!(who, "shelter", get_client_for_guidance(GetClientForGuidanceRequest).client, [phone, email])
        };
        let everybody = async || -> Vec<(&str, Seen)> { vec![
            ("case holder", guided(holder.clone()).await),
            ("women's shelter", guided(actor(Role::Vo, "vrouwenopvang")).await),
            ("channel", guided(actor(Role::Shelter, SHELTER)).await),
            ("other shelter", guided(actor(Role::Shelter, "hvo-querido")).await),
            ("desk", seen!(actor(Role::Access, DESK), "notification", get_client(GetClientRequest).client, [postcode, house_number, phone, email])),
            ("landlord", seen!(actor(Role::Corporation, "trivire"), "housing", get_tenant(GetTenantRequest).tenant, [phone, email])),
            ("social services", seen!(actor(Role::Income, "sociale-dienst"), "income", get_benefit_applicant(GetBenefitApplicantRequest).applicant, [phone, email])),
            ("district", seen!(actor(Role::District, "wijkteam-west"), "aftercare", get_client_for_district(GetClientForDistrictRequest).client, [phone, email])),
        ] };
        let say = async |through: Option<&str>| {
            let client_id = client_id();
            match through {
                Some(through) => bench.peer("regie").publish(Some(id), today(), &proto::regie::v1::SafeContactSet { client_id, through: through.into() }).await,
                None => bench.peer("regie").publish(Some(id), today(), &proto::regie::v1::SafeContactEnded { client_id }).await,
            };
        };
        let before = everybody().await;
        assert!(before.iter().all(|(_, (shown, contact))| shown.len() >= 2 && contact.is_none()), "{before:?}");
        for (through, sees) in [
            (SHELTER, vec!["case holder", "women's shelter", "channel"]),
            (DESK, vec!["case holder", "women's shelter", "desk"]),
            // The landlord cannot be the channel; regie refuses it, and here it would see nothing either.
            ("trivire", vec!["case holder", "women's shelter"]),
            ("", vec!["case holder", "women's shelter"]),
        ] {
            say(Some(through)).await;
            for ((who, (all, _)), (_, (shown, contact))) in before.iter().zip(everybody().await) {
                let wanted = if sees.contains(who) { all.clone() } else { vec![] };
                assert_eq!(shown, wanted, "{who}, through {through}");
                assert_eq!(contact.unwrap().through, through, "{who}");
            }
        }
        say(Some(SHELTER)).await;
        let journey = desk(&bench, "decision").get_journey(pb::GetJourneyRequest { client_id: client_id() }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!(journey.safe_contact.unwrap().through, SHELTER, "who would send a decision is told");
        let mut own = AccessServiceClient::new(bench.as_(&client_actor(id), "own-file"));
        let journey = own.get_journey(pb::GetJourneyRequest { client_id: client_id() }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!(journey.safe_contact, None, "the client's own screen says nothing of it");
        let mut myself = async || own.get_client_as_self(pb::GetClientAsSelfRequest { client_id: client_id() }).await.unwrap().into_inner().client.unwrap();
        let mine = myself().await;
        assert_eq!((mine.phone.as_str(), mine.email.as_str(), mine.postcode.as_str()), ("0612345678", "noor@example.nl", "3311EN"));

        // Who does not see it does not overwrite it: what they correct is the rest.
        let correct = |surname: &str, phone: &str, seen| pb::CorrectClientRequest {
            request_id: rid(), client_id: client_id(), expected_version: seen,
            identity: Some(pb::Identity { surname: surname.into(), phone: phone.into(), ..identity("999990019") }),
        };
        desk(&bench, "investigation").correct_client(correct("De Boer", "", 1)).await.unwrap();
        let mine = myself().await;
        assert_eq!((mine.surname.as_str(), mine.phone.as_str(), mine.email.as_str(), mine.postcode.as_str()), ("De Boer", "0612345678", "noor@example.nl", "3311EN"));
        shelter(&bench).correct_client(correct("De Boer", "0687654321", 2)).await.unwrap();
        assert_eq!(myself().await.phone, "0687654321", "the channel keeps it up to date");
        say(None).await;
        assert!(everybody().await.iter().all(|(_, (shown, contact))| !shown.is_empty() && contact.is_none()));
    }

    /// R-REG-18
    async fn a_womens_shelter_is_hidden_from_everybody_else(bench: Bench<Access> = Access::embedded()) {
        let secret = pb::RegisterFacilityRequest { organisation: "de-blijf".into(), kind: pb::FacilityKind::WomensShelter.into(), audience: pb::Audience::ViolenceVictims.into(), ..place(5) };
        let secret = open(&bench, secret).await;
        let mut desk = desk(&bench, "notification");
        let client = register(&mut desk, identity("")).await.unwrap();
        let notification = notify(&mut desk, &client).await;
        let mut vo = api(&bench, Role::Vo, "de-blijf", "shelter");
        vo.admit_client(into(&client, &secret, &notification)).await.unwrap();
        let list = |organisation: &'static str, role| { let mut api = api(&bench, role, organisation, "shelter"); async move {
            api.list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap().into_inner().facilities.len()
        } };
        assert_eq!((list("de-blijf", Role::Vo).await, list(DESK, Role::Access).await), (1, 0));
        let journey = desk.get_journey(pb::GetJourneyRequest { client_id: client.clone() }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!((journey.stays[0].facility_id.as_str(), journey.stays[0].organisation.as_str()), ("", ""));
        let heard = bench.events_for(&actor(Role::Vo, "de-blijf"), "shelter").await;
        assert_eq!(decode::<pb::Admitted>(&heard).len(), 1);
        // Another shelter with a relation to the client hears of the client, not of the place.
        let granted = proto::regie::v1::RelationGranted { relation_id: rid(), client_id: client.clone(), organisation: SHELTER.into(), ..Default::default() };
        bench.peer("regie").publish(ClientId::parse("c", &client).ok(), today(), &granted).await;
        let stay = &vo.get_journey(pb::GetJourneyRequest { client_id: client }).await.unwrap().into_inner().journey.unwrap().stays[0];
        let away = Leaves::Destination(pb::Destination::OtherMunicipality.into());
        vo.record_departure(leave(&stay.stay_id, 1, today(), away)).await.unwrap();
        let heard = bench.events_for(&actor(Role::Shelter, SHELTER), "shelter").await;
        assert!(decode::<pb::Departed>(&heard).is_empty());
    }

    /// R-REG-18: whoever holds the id of a women's shelter that is not theirs, in whatever role, hears of it what is heard of no
    /// place at all; and the women's shelter goes on working.
    async fn a_womens_shelter_is_no_place_at_all_to_whoever_holds_its_id(bench: Bench<Access> = Access::embedded()) {
        let secret = pb::RegisterFacilityRequest { organisation: "de-blijf".into(), kind: pb::FacilityKind::WomensShelter.into(), audience: pb::Audience::ViolenceVictims.into(), ..place(5) };
        let secret = open(&bench, secret).await;
        let (here, _) = guest(&bench, &open(&bench, place(5)).await, None).await;
        let (client, notification) = waiting(&bench).await;
        let mut vo = api(&bench, Role::Vo, "de-blijf", "shelter");
        vo.admit_client(into(&client, &secret, &notification)).await.unwrap();
        let granted = proto::regie::v1::RelationGranted { relation_id: rid(), client_id: here.clone(), organisation: "de-blijf".into(), ..Default::default() };
        bench.peer("regie").publish(ClientId::parse("c", &here).ok(), today(), &granted).await;
        vo.join_waiting_list(join(&here, &secret)).await.unwrap();
        let (second, notification) = waiting(&bench).await;
        let asked = async |role: Role, organisation: &str, facility: &str| {
            let mut api = api(&bench, role, organisation, "shelter");
            let list = pb::ListWaitingListRequest { facility_id: facility.into(), ..Default::default() };
            let register = pb::GetNightRegisterRequest { facility_id: facility.into(), night: date(today()) };
            let capacity = pb::ChangeCapacityRequest { request_id: rid(), facility_id: facility.into(), expected_version: 1, places: 3, ..Default::default() };
            let mut heard = vec![
                api.list_waiting_list(list).await.map(drop),
                api.get_night_register(register).await.map(drop),
                api.change_capacity(capacity).await.map(drop),
            ];
            if role == Role::Access {
                let grant = pb::DecideUrgentProvisionRequest {
                    request_id: rid(), notification_id: notification.clone(), expected_version: 1, granted: true, facility_id: facility.into(), ..Default::default()
                };
                heard.push(desk(&bench, "decision").decide_urgent_provision(grant).await.map(drop));
            }
            if role != Role::Regie {
                heard.push(api.join_waiting_list(join(&second, facility)).await.map(drop));
                heard.push(api.record_nights(night(facility, today(), 0, &[])).await.map(drop));
                heard.push(api.admit_client(into(&second, facility, &notification)).await.map(drop));
            }
            heard.into_iter().map(|said| said.map_err(|refused| testkit::heard(&refused))).collect::<Vec<_>>()
        };
        for (role, organisation) in [(Role::Access, DESK), (Role::Regie, DESK), (Role::Shelter, SHELTER), (Role::Vo, "elders")] {
            let of_it = asked(role, organisation, &secret).await;
            assert_eq!(of_it, asked(role, organisation, &rid()).await, "{role}");
            assert!(of_it.iter().all(Result::is_err), "{role}: {of_it:?}");
        }
        let list = vo.list_waiting_list(pb::ListWaitingListRequest { facility_id: secret.clone(), ..Default::default() }).await.unwrap();
        assert_eq!(list.into_inner().entries.len(), 1);
        let register = pb::GetNightRegisterRequest { facility_id: secret.clone(), night: date(today()) };
        assert_eq!(vo.get_night_register(register).await.unwrap().into_inner().missing_stay_ids.len(), 1);
        // No claim, list or count of anybody else leads there, with the place full or empty.
        let counts = async || {
            let mut seen = Vec::new();
            for (role, organisation) in [(Role::Access, DESK), (Role::Regie, DESK), (Role::Caseholder, SHELTER), (Role::District, "wijkteam-west")] {
                let mut api = api(&bench, role, organisation, if role == Role::District { "crisis" } else { "shelter" });
                let page = api.list_facilities(pb::ListFacilitiesRequest { page_size: 1, ..Default::default() }).await.unwrap().into_inner();
                seen.push((page.facilities.len(), page.next_page_token, page.facilities[0].occupied));
            }
            seen
        };
        let before = counts().await;
        assert!(before.iter().all(|(n, token, _)| (*n, token.as_str()) == (1, "")), "no page after the only place: {before:?}");
        let stay = &vo.get_journey(pb::GetJourneyRequest { client_id: client }).await.unwrap().into_inner().journey.unwrap().stays[0];
        vo.record_departure(leave(&stay.stay_id, 1, today(), Leaves::Destination(pb::Destination::OtherMunicipality.into()))).await.unwrap();
        assert_eq!(counts().await, before);
    }

    /// R-REG-28: who are in one place already when they are to be kept apart: regie hears, and nobody else; about whom, only regie
    /// knows.
    async fn who_are_in_one_place_when_they_are_separated_are_told_to_services_only(bench: Bench<Access> = Access::embedded()) {
        let (here, elsewhere) = (open(&bench, place(5)).await, open(&bench, place(5)).await);
        let (first, second, third) = (guest(&bench, &here, None).await.0, guest(&bench, &here, None).await.0, guest(&bench, &elsewhere, None).await.0);
        keep_apart(&bench, &first, &third).await;
        let (waits, _) = waiting(&bench).await;
        keep_apart(&bench, &first, &waits).await;
        let near = async || decode::<pb::SeparatedInOneFacility>(&bench.events().await);
        assert_eq!(near().await, []);
        let separation = keep_apart(&bench, &second, &first).await;
        let told = bench.events().await;
        let told = told.iter().find(|event| event.r#type.ends_with("separated-in-one-facility")).unwrap();
        assert_eq!(told.client_id, "", "the envelope names nobody");
        assert_eq!(near().await, [pb::SeparatedInOneFacility { separation_id: separation }]);
        for (role, organisation, purpose) in [(Role::Shelter, SHELTER, "shelter"), (Role::Access, DESK, "operations"), (Role::Regie, DESK, "operations")] {
            assert_eq!(decode::<pb::SeparatedInOneFacility>(&bench.events_for(&actor(role, organisation), purpose).await), []);
        }
        // A claimed place is as good as a stay.
        let claim = pb::ClaimPlaceRequest {
            request_id: rid(), client_id: waits.clone(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(), relapse_guarantee: false,
        };
        let claimed = api(&bench, Role::SvcRegie, "svc-regie", "crisis").claim_place(claim).await.unwrap().into_inner();
        assert_eq!(claimed.facility_id, elsewhere);
        keep_apart(&bench, &third, &waits).await;
        assert_eq!(near().await.len(), 2);
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

    /// R-ACC-24
    async fn capacity_changes_from_a_day_on(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let mut shelter = shelter(&bench);
        let change = |version, places, day| pb::ChangeCapacityRequest { request_id: rid(), facility_id: facility.clone(), expected_version: version, places, reserve: 2, from_on: date(day) };
        assert_eq!(shelter.change_capacity(change(1, 8, on(2026, 3, 10))).await.unwrap().into_inner().version, 2);
        assert_eq!(shelter.change_capacity(change(2, 8, on(2026, 3, 10))).await.unwrap().into_inner().version, 2);
        assert_eq!(code(shelter.change_capacity(change(2, -1, on(2026, 3, 10))).await), "FACILITY_CAPACITY");
        let mut stranger = api(&bench, Role::Shelter, "hvo-querido", "shelter");
        assert_eq!(code(stranger.change_capacity(change(2, 1, on(2026, 3, 10))).await), "NOT_FOUND");
        let mut places = async || shelter.list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap().into_inner().facilities[0].places;
        assert_eq!(places().await, 5);
        bench.on(on(2026, 3, 10)).await;
        assert_eq!(places().await, 8);
    }
}
