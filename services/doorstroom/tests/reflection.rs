//! A client that was built without the contract: what services, methods and messages there are it learns from the services
//! themselves (server reflection v1), and with that it carries one household from notification to keys. On the way it meets
//! the refusals of whoever asks for what is not theirs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use doorstroom::demo::people::bsn;
use doorstroom::demo::world::World;
use doorstroom::doors::Person;
use doorstroom::{dynamic, refusal};
use kernel::{Date, Role};
use prost::Message as _;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest as Ask;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse as Answer;

const SERVICES: [&str; 6] = ["access", "housing", "income", "aftercare", "regie", "monitor"];
const BEGINS: Date = Date::constant(2026, 1, 5);
const LEASE: &str = "2026-02-01";

/// Asks one service one thing about itself.
async fn reflect(channel: &Channel, ask: Ask) -> Answer {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap().message_response.unwrap()
}

/// Takes a file into the pool, and first the files that it stands on.
async fn learn(channel: &Channel, pool: &mut DescriptorPool, ask: Ask) {
    let Answer::FileDescriptorResponse(files) = reflect(channel, ask).await else { panic!("no file was told") };
    for bytes in files.file_descriptor_proto {
        let file = prost_types::FileDescriptorProto::decode(bytes.as_slice()).unwrap();
        if pool.get_file_by_name(file.name()).is_some() {
            continue;
        }
        for needed in file.dependency {
            if pool.get_file_by_name(&needed).is_none() {
                Box::pin(learn(channel, pool, Ask::FileByFilename(needed))).await;
            }
        }
        // From the bytes, so that options are kept: the purposes of a method are among them.
        pool.decode_file_descriptor_proto(bytes.as_slice()).unwrap();
    }
}

/// Somebody who knows no more than what the services tell.
struct Stranger {
    world: World,
    told: BTreeMap<String, (&'static str, MethodDescriptor)>,
}

impl Stranger {
    async fn meets(world: World) -> Self {
        let mut told = BTreeMap::new();
        for service in SERVICES {
            let channel = Endpoint::from_shared(world.endpoint(service)).unwrap().connect_lazy();
            let Answer::ListServicesResponse(list) = reflect(&channel, Ask::ListServices(String::new())).await else {
                panic!("{service} does not list its services")
            };
            let mut pool = DescriptorPool::new();
            for one in list.service.iter().filter(|one| one.name.starts_with("doorstroom.")) {
                learn(&channel, &mut pool, Ask::FileContainingSymbol(one.name.clone())).await;
                for method in pool.get_service_by_name(&one.name).unwrap().methods() {
                    told.insert(format!("{service}/{}", method.name()), (service, method));
                }
            }
        }
        Self { world, told }
    }

    /// What somebody hears who asks this with JSON, for the first purpose that the method names.
    async fn hears(&self, who: &Person, name: &str, mut json: Value) -> Result<Value, Status> {
        let (service, method) = self.told.get(name).unwrap_or_else(|| panic!("nobody told of {name}"));
        let option = method.parent_pool().get_extension_by_name("doorstroom.audit.v1.purposes").unwrap();
        let purposes = method.options().get_extension(&option).into_owned();
        let purpose = purposes.as_list().unwrap()[0].as_str().unwrap().to_owned();
        if method.input().get_field_by_name("request_id").is_some() {
            json["request_id"] = uuid::Uuid::new_v4().to_string().into();
        }
        let message = dynamic::read(&method.input(), json).unwrap();
        let mut answers = dynamic::call(who.to(service, purpose.leak()), method, Request::new(message)).await?;
        let answer = answers.message().await?.unwrap();
        Ok(dynamic::show(&answer).unwrap())
    }

    async fn gets(&self, who: &Person, name: &str, json: Value) -> Value {
        let heard = self.hears(who, name, json).await;
        heard.unwrap_or_else(|status| panic!("{name}: {}", refusal::explain(&status)))
    }

    /// The reason for which somebody is refused.
    async fn refused(&self, who: &Person, name: &str, json: Value) -> String {
        match self.hears(who, name, json).await {
            Ok(answer) => panic!("{name} was answered: {answer}"),
            Err(status) => refusal::reason(&status),
        }
    }
}

/// P8, P10, R-REG-13, R-REG-19
#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_only_reflection_brings_a_household_from_notification_to_keys() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path().to_owned(), BEGINS, false).await.unwrap();
    let [shelter, other_shelter] = ["leger-des-heils", "andere-opvang"].map(|it| world.person(Role::Shelter, it));
    let [desk, regie] = [Role::Access, Role::Regie].map(|role| world.person(role, "gemeente-dordrecht"));
    let social = world.person(Role::Income, "sociale-dienst");
    let [trivire, woonbron] = ["trivire", "woonbron"].map(|it| world.person(Role::Corporation, it));
    let [west, east] = ["wijkteam-west", "wijkteam-oost"].map(|it| world.person(Role::District, it));
    let other_case_holder = world.named(Role::Caseholder, "leger-des-heils", "another");
    let stranger = Stranger::meets(world).await;
    let s = &stranger;
    let today = "2026-01-05";

    // The municipality's side.
    let shelter_kind = json!({
        "organisation": "leger-des-heils", "municipality": "0505", "name": "Nachtopvang",
        "kind": "FACILITY_KIND_NIGHT_SHELTER", "audience": "AUDIENCE_ADULTS", "provision": "PROVISION_GENERAL",
        "places": 20, "reserve": 2, "opened_on": today,
    });
    let facility = s.gets(&desk, "access/RegisterFacility", shelter_kind).await["facility_id"].clone();
    let places = json!({
        "corporation": "trivire", "municipality": "0505", "year": 2026, "target_group": "TARGET_GROUP_OUTFLOW", "places": 1,
    });
    s.gets(&regie, "housing/AgreeContingent", places).await;

    // Notification and a bed.
    let identity = json!({ "surname": "Test", "first_names": "Persoon", "birth_date": "1985-05-20", "bsn": bsn(7),
        "no_address": true });
    let registered =
        s.gets(&shelter, "access/RegisterClient", json!({ "municipality": "0505", "identity": identity })).await;
    let client_id = registered["client_id"].clone();
    let notified = json!({
        "client_id": client_id, "municipality": "0505", "origin_municipality": "0505", "triggers": ["TRIGGER_RENT_ARREARS"],
        "received_on": today, "needs_shelter_now": true, "told_of_personal_plan": true, "told_of_client_support": true,
    });
    let notified = s.gets(&shelter, "access/RecordNotification", notified).await;
    let notification = notified["notification_id"].clone();
    let urgent = json!({ "notification_id": notification, "expected_version": notified["version"], "granted": true,
        "facility_id": facility });
    s.gets(&desk, "access/DecideUrgentProvision", urgent).await;
    let planned = json!({ "notification_id": notification, "planned_on": today, "asks_benefit": true });
    let intake = s.gets(&desk, "access/PlanIntake", planned).await;
    let completed = json!({ "intake_id": intake["intake_id"], "expected_version": intake["version"],
        "result": "INTAKE_RESULT_SHELTER", "completed_on": today });
    s.gets(&desk, "access/CompleteIntake", completed).await;
    let admitted = json!({ "client_id": client_id, "facility_id": facility, "notification_id": notification,
        "admitted_on": today });
    s.gets(&shelter, "access/AdmitClient", admitted).await;
    s.world.settle().await.unwrap();
    let of_client = || json!({ "client_id": client_id });
    let of_nobody = || json!({ "client_id": uuid::Uuid::new_v4().to_string() });
    for (who, what) in [
        (&other_shelter, "access/GetJourney"),
        (&other_case_holder, "regie/GetCase"),
        (&west, "access/GetClientForDistrict"),
        (&trivire, "access/GetTenant"),
    ] {
        let asked = (s.hears(who, what, of_client()).await, s.hears(who, what, of_nobody()).await);
        let (Err(known), Err(unknown)) = asked else { panic!("{what} was answered to a stranger: {asked:?}") };
        assert_eq!(refusal::reason(&known), "NOT_FOUND", "{what}");
        assert_eq!(refusal::explain(&known), refusal::explain(&unknown), "{what} tells who is known");
    }

    // All that readiness asks.
    let applied = json!({ "notification_id": notification, "received_on": today });
    let application = s.gets(&desk, "access/SubmitApplication", applied).await;
    let decided = json!({ "application_id": application["application_id"], "expected_version": application["version"],
        "granted": true, "target_group": "TARGET_GROUP_ECONOMIC", "starts_on": today });
    s.gets(&desk, "access/TakeDecision", decided).await;
    let case = s.gets(&desk, "regie/GetCase", of_client()).await["case"].clone();
    let holder = json!({ "client_id": client_id, "expected_version": case["version"], "person": "trajecthouder",
        "organisation": "leger-des-heils", "reason": "ASSIGNMENT_REASON_FIRST" });
    let case = s.gets(&desk, "regie/AssignCaseHolder", holder).await;
    let plan = json!({ "client_id": client_id, "expected_version": case["version"], "client_present": true });
    let case = s.gets(&shelter, "regie/AdoptPlan", plan).await;
    let goal = json!({ "client_id": client_id, "expected_version": case["version"], "domain": "LIFE_DOMAIN_HOUSING",
        "text": "Een eigen voordeur.", "owner": "GOAL_OWNER_CLIENT", "due_on": "2026-06-30" });
    let case = s.gets(&shelter, "regie/SetGoal", goal).await;
    let guidance =
        json!({ "client_id": client_id, "expected_version": case["version"], "guidance": "GUIDANCE_ARRANGED" });
    s.gets(&shelter, "regie/SetGuidance", guidance).await;
    let reported = json!({ "client_id": client_id, "municipality": "0505", "reported_on": today,
        "circumstances": { "age": 40, "institution": true } });
    let reported = s.gets(&social, "income/ReportForBenefit", reported).await;
    let benefit = reported["benefit_request_id"].clone();
    let signed = json!({ "benefit_request_id": benefit, "expected_version": reported["version"],
        "signed_by": "SIGNATORY_CLIENT", "signed_on": today });
    s.gets(&social, "income/SubmitBenefitApplication", signed).await;
    s.gets(&social, "income/StabiliseFinances", json!({ "client_id": client_id, "since": today })).await;
    s.world.settle().await.unwrap();
    assert_eq!(
        s.refused(&trivire, "income/GetBenefitRequest", json!({ "benefit_request_id": benefit })).await,
        "ROLE_NOT_ALLOWED"
    );
    assert_eq!(s.refused(&trivire, "income/GetFinancesStatus", of_client()).await, "ROLE_NOT_ALLOWED");

    // Nomination, offer, acceptance.
    let nominated = json!({ "client_id": client_id, "municipality": "0505", "target_group": "TARGET_GROUP_OUTFLOW",
        "adults": 1, "age_class": "AGE_CLASS_FROM_23", "income_class": "INCOME_CLASS_RENT_ALLOWANCE" });
    let nomination = s.gets(&shelter, "housing/Nominate", nominated).await["nomination_id"].clone();
    let home = json!({
        "bag_object_id": "0505010000000001", "unit_number": "E-1", "district": "WK050503", "neighbourhood": "BU05050301",
        "address": { "street": "Voorstraat", "house_number": "1", "postcode": "3311EN", "town": "Dordrecht" },
        "kind": "DWELLING_KIND_FLAT", "contract_form": "CONTRACT_FORM_OWN_LEASE", "rent_cents": 59_000, "floor_area_m2": 48,
        "rooms": 2, "max_persons": 2, "available_on": LEASE,
    });
    let dwelling = s.gets(&trivire, "housing/RegisterDwelling", home).await["dwelling_id"].clone();
    let ranking = s.gets(&regie, "housing/RankCandidates", json!({ "dwelling_id": dwelling })).await;
    assert_eq!(ranking["ranked"][0]["nomination_id"], nomination, "{ranking}");
    let offered = json!({ "dwelling_id": dwelling, "nomination_id": nomination, "lease_start_on": LEASE });
    let offer = s.gets(&regie, "housing/OfferDwelling", offered).await["offer_id"].clone();
    let own = s.world.client(client_id.as_str().unwrap()).unwrap();
    let shown = s.gets(&own, "housing/GetOffer", json!({ "offer_id": offer })).await;
    let yes = |version: &Value| json!({ "offer_id": offer, "expected_version": version });
    let said = s.gets(&own, "housing/AcceptOffer", yes(&shown["offer"]["version"])).await;
    assert_eq!(s.refused(&woonbron, "housing/AcceptCandidate", yes(&said["version"])).await, "NOT_FOUND");
    let accepted = s.gets(&trivire, "housing/AcceptCandidate", yes(&said["version"])).await;
    let allocation = || json!({ "allocation_id": accepted["allocation_id"] });
    let version = async || {
        let shown = s.gets(&trivire, "housing/GetAllocationAsCorporation", allocation()).await;
        shown["allocation"]["version"].clone()
    };
    let lease = async || json!({ "allocation_id": accepted["allocation_id"], "expected_version": version().await });
    s.world.settle().await.unwrap();
    assert_eq!(s.refused(&woonbron, "housing/GetAllocationAsCorporation", allocation()).await, "NOT_FOUND");
    assert_eq!(s.refused(&east, "housing/GetMoveForDistrict", allocation()).await, "NOT_FOUND");
    assert_eq!(s.refused(&trivire, "housing/SignLease", lease().await).await, "GATE_SHUT");

    // Income from the first day, and the gate opens by itself.
    let asked = s.gets(&social, "income/GetBenefitRequest", json!({ "benefit_request_id": benefit })).await;
    let granted = json!({
        "benefit_request_id": benefit, "expected_version": asked["benefit_request"]["version"],
        "grant": { "start_on": LEASE, "circumstances": { "age": 40 } },
    });
    s.gets(&social, "income/DecideBenefit", granted).await;
    s.world.settle().await.unwrap();
    s.gets(&trivire, "housing/SignLease", lease().await).await;
    s.world.at(Date::constant(2026, 2, 2), 9);
    s.world.settle().await.unwrap();
    let mut keys = lease().await;
    keys["on"] = "2026-02-02".into();
    s.gets(&trivire, "housing/HandOverKeys", keys).await;
    s.world.settle().await.unwrap();

    // The client reads who looked, the strangers of the beginning among them.
    let looked = s.gets(&own, "access/ListAccess", json!({ "client_id": client_id, "page_size": 500 })).await;
    let by = |who: &str| looked["entries"].as_array().unwrap().iter().any(|entry| entry["organisation"] == who);
    assert!(by("leger-des-heils") && by("gemeente-dordrecht") && by("andere-opvang"), "{looked}");
    stranger.world.stop().await.unwrap();
}
