//! Canaries: words and numbers that occur nowhere else, planted through the public API in every field of every request that
//! can hold something about a person. The programs run as in `deploy/`, but log all that they can. Afterwards no canary is
//! found in a database file, a write-ahead log, a log line or a trace in it, an event, a refusal, a figure or a measure of a
//! service: only inside encryption. The one place where they are readable is the client's own export.

use crate::bad_input::unreasonable;
use crate::cells::World;
use crate::chain::processes::Processes;
use crate::chain::services::SERVICES;
use crate::chain::{Chain, Facts};
use crate::rights::Picture;
use crate::wire::{Filling, filled, methods, rpc};
use doorstroom::demo::people::bsn;
use doorstroom::dynamic;
use kernel::{Actor, Role};
use prost::Message as _;
use prost_reflect::{Kind, MessageDescriptor, MethodDescriptor};
use proto::audit::v1::GetCheckpointRequest;
use proto::monitor::v1 as monitor;
use proto::rights::v1 as rights;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use testkit::{Engine, StatusExt as _};
use tonic::Status;

/// Text fields of requests that hold nothing about a client: codes, organisations and their staff, places of the
/// municipality's, places in a list. Any other text field gets a canary, also one that is added later.
const ABOUT_NOBODY: [&str; 33] = [
    "bag_object_id",
    "corporation",
    "cursor",
    "deputy",
    "district",
    "excluded_districts",
    "from_organisation",
    "measures",
    "municipality",
    "name",
    "neighbourhood",
    "network_districts",
    "organisation",
    "origin_municipality",
    "other_municipalities",
    "page_token",
    "periods",
    "person",
    "provider",
    "purpose",
    "receiver",
    "role",
    "running_benefit_municipality",
    "school_districts",
    "subscription",
    "text_version",
    "through",
    "to_organisation",
    "types",
    "unit_number",
    "unit_suffix",
    "wished_districts",
    "work_districts",
];

/// What people wrote on the way to a home (`chain/steps.rs`, `cells.rs`): as good as any canary.
const WRITTEN_ON_THE_WAY: [&str; 22] = [
    "Achternaam",
    "06-55501234",
    "0655501234",
    "Voorstraat",
    "Een eigen voordeur.",
    "Twee uur per week.",
    "Kookt graag.",
    "Budgetbeheer loopt door.",
    "Drie ochtenden in het buurthuis.",
    "Een zus in de wijk.",
    "Geen bijzonderheden.",
    "078-5550123",
    "De buren maken zich zorgen.",
    "Staat bij het station.",
    "De gemeente staat in voor de eerste maanden.",
    "De post blijft ongeopend.",
    "Een wandeling.",
    "078-5550199",
    "De huisnummers zijn verwisseld.",
    "Staat met een tas bij de bus.",
    "Twee broers op één adres.",
    "Toch dezelfde, bleek aan het loket.",
];

/// What must have been carried out with canaries in it, so that there was something to find.
const PLANTED: [&str; 11] = [
    "AccessService/CorrectClient",
    "AccessService/RegisterClient",
    "AftercareService/AgreeSignallingPlan",
    "AftercareService/RaiseSignal",
    "AftercareService/ReportNowhereToSleep",
    "HousingService/RegisterDwelling",
    "RegieService/AdoptPlan",
    "RegieService/OpenEmergencyAccess",
    "RegieService/RequestCorrection",
    "RegieService/ReviewEmergencyAccess",
    "RegieService/SetGoal",
];

/// P8, R-REG-21: on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_about_a_person_is_found_outside_encryption_on_sqlite() {
    nothing_about_a_person_is_found_outside_encryption(Engine::Sqlite).await;
}

/// P8, R-REG-21: on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_about_a_person_is_found_outside_encryption_on_postgres() {
    nothing_about_a_person_is_found_outside_encryption(Engine::Postgres).await;
}

async fn nothing_about_a_person_is_found_outside_encryption(engine: Engine) {
    let Some(processes) = Processes::start(engine, "trace").await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let chain = Chain::over(processes.endpoints(), processes.issuer.clone(), None);
    chain.open().await;
    let world = World::new(&chain).await;
    let picture = Picture::reviewed();
    let mut canaries: BTreeSet<String> = WRITTEN_ON_THE_WAY.map(str::to_owned).into();
    canaries.extend((0..8).map(bsn));
    let written_of_others_too = canaries.clone();
    let (mut planted, mut said) = (BTreeSet::new(), Vec::new());
    for method in methods().filter(|method| !texts(&method.input()).is_empty()) {
        let filling = Filling { known: planting(&method.input(), &world, &mut canaries), ..world.there.clone() };
        for actor in world.callers_of(&picture, &method) {
            match plant(&world, &method, &actor, &filling).await {
                Ok(()) => drop(planted.insert(rpc(&method))),
                Err(status) => said.push(status),
            }
        }
        // Whoever may not call it hears nothing back of what was sent either.
        let stranger = doorstroom::roles::actor(Role::SvcMonitor, None, None, None).unwrap();
        said.extend(plant(&world, &method, &stranger, &filling).await.err());
    }
    let missing: Vec<&str> = PLANTED.into_iter().filter(|rpc| !planted.contains(*rpc)).collect();
    assert!(missing.is_empty(), "{missing:?} were not carried out with canaries in them, only {planted:?}");
    chain.settle().await;

    let facts: Facts = chain.facts().await;
    let figures = chain.person(Role::Monitor).monitor("monitoring");
    let request = monitor::GetFiguresRequest { measures: vec![], periods: vec![] };
    let figures = ask!(chain, figures, get_figures, request).map(|answer| answer.encode_to_vec()).unwrap_or_default();
    let told = facts.0.iter().map(|(_, event)| event.encode_to_vec());
    let refused = said.iter().map(|status| [status.message().as_bytes(), status.details()].concat());
    let sung = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        canaries.iter().filter(|canary| text.contains(canary.as_str())).cloned().collect()
    };
    let measured = measured(&chain).await;
    for bytes in told.chain(refused).chain(measured).chain([figures]) {
        assert_eq!(sung(&bytes), Vec::<String>::new(), "in {}", String::from_utf8_lossy(&bytes));
    }

    // An export is the client's own, and whole; nobody else's holds anything of it.
    let client_id = world.there.known["client_id"].clone();
    let exported = exported(&chain, &client_id, &client_id).await;
    assert!(sung(&exported).len() > 5, "the client gets what was written, not: {}", String::from_utf8_lossy(&exported));
    let other = chain.register().await;
    assert_eq!(sung(&self::exported(&chain, &other, &client_id).await), Vec::<String>::new());
    let theirs = sung(&self::exported(&chain, &other, &other).await);
    assert!(theirs.iter().all(|canary| written_of_others_too.contains(canary)), "of somebody else: {theirs:?}");

    // Nor can any of it come in a core dump.
    for pid in processes.pids() {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    }

    processes.stop();
    let databases: BTreeSet<PathBuf> = SERVICES.iter().flat_map(|name| processes.database(name).files()).collect();
    let logs: BTreeSet<PathBuf> = SERVICES.iter().map(|name| processes.log_file(name)).collect();
    // Both places are searched where something is to be found.
    assert!(!found(&databases, [client_id]).is_empty(), "an id is found in the databases");
    assert!(!found(&logs, ["AccessService/RegisterClient".to_owned()]).is_empty(), "a call is found in the logs");
    assert_eq!(found(&databases, canaries.clone()), BTreeSet::new(), "in the databases");
    // Nor does a log hold a token.
    canaries.insert("eyJ".to_owned());
    assert_eq!(found(&logs, canaries), BTreeSet::new(), "in the logs");
}

/// What every service tells whoever watches it: how far it is, who looked, what was destroyed, the newest checkpoint.
async fn measured(chain: &Chain) -> Vec<Vec<u8>> {
    let (officer, mut answers) = (chain.person(Role::PrivacyOfficer), Vec::new());
    for service in SERVICES {
        answers.push(chain.status(service).await.unwrap().encode_to_vec());
        let request = rights::ReportDestroyedRequest::default();
        answers.push(
            officer.rights(service, "audit").report_destroyed(request).await.unwrap().into_inner().encode_to_vec(),
        );
        let mut audit = officer.audit(service, "audit");
        answers.push(audit.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner().encode_to_vec());
    }
    answers
}

/// All that every service gives somebody who asks for a client's export, refusals included.
async fn exported(chain: &Chain, asks: &str, of: &str) -> Vec<u8> {
    let (mut all, person) = (Vec::new(), chain.client(asks));
    for service in SERVICES {
        let mut page_token = String::new();
        loop {
            let request = rights::ExportClientRequest { client_id: of.to_owned(), page_token };
            match person.rights(service, "own-file").export_client(request).await {
                Ok(page) => {
                    let page = page.into_inner();
                    all.extend(page.encode_to_vec());
                    page_token = page.next_page_token;
                }
                Err(status) => {
                    all.extend([status.message().as_bytes(), status.details()].concat());
                    break;
                }
            }
            if page_token.is_empty() {
                break;
            }
        }
    }
    all
}

/// Makes a call, again with the version that is there when another one was meant.
async fn plant(world: &World, method: &MethodDescriptor, actor: &Actor, filling: &Filling) -> Result<(), Status> {
    let service = dynamic::service_of(method).unwrap_or_else(|| "access".to_owned());
    let mut filling = filling.clone();
    loop {
        let body = filled(&method.input(), &filling).encode_to_vec().into();
        let refused = match world.lines.send_to(&service, method, body, Some(world.lines.token(actor))).await {
            Ok(_) => return Ok(()),
            Err(status) => status,
        };
        assert_eq!(unreasonable(&refused), None, "{}", rpc(method));
        let details = refused.get_error_details();
        let info = details.error_info().expect("every refusal has its reason");
        let current = info.metadata.get("current").and_then(|current| current.parse().ok());
        match current.filter(|_| info.reason == "STALE_VERSION" && filling.version == 999) {
            Some(current) => filling.version = current,
            None => return Err(refused),
        }
    }
}

/// What the text fields of a message get: a canary of the field's own where it may be about a person.
fn planting(message: &MessageDescriptor, world: &World, canaries: &mut BTreeSet<String>) -> BTreeMap<String, String> {
    let mut known = world.there.known.clone();
    // An address is kept of who has one.
    known.insert("no_address".to_owned(), "false".to_owned());
    for field in texts(message) {
        let canary = match field.as_str() {
            "bsn" => bsn(54_321),
            "v_number" => "1029384756".to_owned(),
            "postcode" => "9876ZX".to_owned(),
            "house_number" => "31415-Qanarie".to_owned(),
            "phone" => "06-87651234".to_owned(),
            "email" => "qanarie@vogel.example".to_owned(),
            _ => format!("Qanarie {field}"),
        };
        // Kept without punctuation, a number is the same number.
        canaries.extend([canary.clone(), canary.replace(['-', '.'], "")]);
        known.insert(field, canary);
    }
    known
}

/// The text fields, at any depth, that may be about a person.
fn texts(message: &MessageDescriptor) -> Vec<String> {
    let mut found = Vec::new();
    for field in message.fields() {
        match field.kind() {
            Kind::String if field.name().ends_with("_id") || ABOUT_NOBODY.contains(&field.name()) => {}
            Kind::String => found.push(field.name().to_owned()),
            Kind::Message(inner) => found.extend(texts(&inner)),
            _ => {}
        }
    }
    found
}

/// Which of these stand in which of these files.
fn found(files: &BTreeSet<PathBuf>, wanted: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    assert!(!files.is_empty());
    let wanted: Vec<String> = wanted.into_iter().flat_map(|one| ["-e".to_owned(), one]).collect();
    let mut lines = BTreeSet::new();
    // A command line takes so many names and no more.
    for some in files.iter().collect::<Vec<_>>().chunks(500) {
        let mut grep = Command::new("grep");
        let said = grep.env("LC_ALL", "C").arg("-aoHF").args(&wanted).arg("--").args(some).output();
        let said = said.expect("grep is installed");
        assert!(matches!(said.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&said.stderr));
        lines.extend(String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned));
    }
    lines
}
