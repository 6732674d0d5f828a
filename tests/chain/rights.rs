//! What a client may ask of the whole chain.

use super::services::SERVICES;
use super::steps::{DORDRECHT, wire};
use super::{BEGINS, Chain, on_both_engines};
use doorstroom::doors::Person;
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::audit::v1::{AccessEntry, ListAccessRequest};
use proto::regie::v1 as regie;
use proto::rights::v1 as rights;
use std::collections::BTreeSet;
use testkit::{Code, rid};
use tonic::Status;

/// What every service says that it destroyed.
async fn destroyed(chain: &Chain) -> Vec<rights::DestroyedView> {
    let mut found = Vec::new();
    for service in SERVICES {
        let door = chain.person(Role::PrivacyOfficer).rights(service, "audit");
        found.extend(call!(chain, door, report_destroyed, rights::ReportDestroyedRequest::default()).destroyed);
    }
    found
}

/// Everything that a service gives a client, page by page, or its refusal.
async fn export(person: &Person, service: &str, client_id: &str) -> Result<Vec<rights::ExportPart>, Status> {
    let mut door = person.rights(service, "own-file");
    let (mut parts, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = rights::ExportClientRequest { client_id: client_id.to_owned(), page_token };
        let page = door.export_client(request).await?.into_inner();
        parts.extend(page.parts);
        if page.next_page_token.is_empty() {
            return Ok(parts);
        }
        page_token = page.next_page_token;
    }
}

on_both_engines! {
    /// R-REG-23: who withdrew before there was any provision is unknown to every service six weeks later, with one and the same
    /// entry in each one's report; who was helped is not.
    async fn who_withdrew_is_forgotten_by_every_service(chain: Chain) {
        let helped = chain.arrive().await;
        let client_id = chain.register().await;
        let request = access::RecordNotificationRequest {
            request_id: rid(),
            client_id: client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            origin: Some(access::record_notification_request::Origin::OriginMunicipality(DORDRECHT.to_owned())),
            triggers: vec![access::Trigger::RentArrears.into()],
            received_on: wire(chain.today()),
            told_of_personal_plan: true,
            told_of_client_support: true,
            ..Default::default()
        };
        let door = chain.person(Role::Shelter).access("shelter");
        let notified = call!(chain, door, record_notification, request);
        let request = access::WithdrawNotificationRequest {
            request_id: rid(),
            notification_id: notified.notification_id,
            expected_version: notified.version,
            reason: access::CancelReason::ByClient.into(),
        };
        call!(chain, chain.client(&client_id).access("notification"), withdraw_notification, request);
        chain.settle().await;

        let last_day = Date::constant(2026, 4, 13);
        let own = regie::GetRetentionRequest { client_id: client_id.clone() };
        let terms = call!(chain, chain.client(&client_id).regie("own-file"), get_retention, own).terms;
        assert_eq!((terms.len(), terms[0].ground(), &terms[0].last_day), (1, regie::RetentionGround::Withdrawn, &wire(last_day)));
        let journey = async |client_id: &str| {
            let request = access::GetJourneyRequest { client_id: client_id.to_owned() };
            ask!(chain, chain.person(Role::Access).access("decision"), get_journey, request).map(drop).map_err(|e| e.code())
        };
        chain.at(last_day, 9).await;
        assert_eq!((journey(&client_id).await, destroyed(&chain).await), (Ok(()), vec![]));

        chain.at(last_day.tomorrow().unwrap(), 9).await;
        assert_eq!(journey(&client_id).await, Err(Code::NotFound));
        assert_eq!(journey(&helped.client_id).await, Ok(()));
        let report = destroyed(&chain).await;
        let references: BTreeSet<&str> = report.iter().map(|one| one.reference.as_str()).collect();
        assert_eq!((report.len(), references.len()), (SERVICES.len() - 1, 1), "the monitor follows nobody: {report:?}");
        assert!(report.iter().all(|one| one.cause() == rights::DestructionCause::Withdrawn));
        assert!(report.iter().any(|one| one.keys > 0), "access held the name");
        assert!(!format!("{report:?}").contains(&client_id));
        assert!(chain.today() > BEGINS);
        chain.hold().await;
    }

    /// R-REG-21, R-REG-27: the client gets what every service holds, for machines and for people; not what is about others,
    /// or who reported something; and sees in the log that it was given.
    async fn a_client_gets_everything_that_is_held_on_them(chain: Chain) {
        let other = chain.arrive().await;
        let (household, allocation) = chain.allocated(true).await;
        chain.hand_over(&allocation).await;
        chain.override_gate(&household, &allocation).await;
        chain.own_income(&household, chain.today()).await;
        chain.on(chain.leases()).await;
        chain.sign_lease(&allocation, "trivire").await.unwrap();
        chain.keys(&allocation, "trivire").await;
        chain.signal(&household.client_id, aftercare::SignalKind::EvictionNotice).await;
        chain.ask_erasure(&household).await;
        let request = regie::MarkSeparationRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            other_client_id: other.client_id.clone(),
            ground: regie::SeparationGround::NoContactOrder.into(),
        };
        call!(chain, chain.person(Role::Regie).regie("regie"), mark_separation, request);

        let own = chain.client(&household.client_id);
        let mut parts = Vec::new();
        for service in SERVICES {
            parts.extend(export(&own, service, &household.client_id).await.unwrap());
        }
        let services: BTreeSet<&str> = parts.iter().map(|part| part.service.as_str()).collect();
        assert_eq!(services, SERVICES.into());
        let mut rows = 0;
        for part in &parts {
            let all: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&part.json).unwrap();
            assert!((1..=100).contains(&all.len()), "{} of {}", all.len(), part.collection);
            assert!(!part.title.is_empty() && !part.text.is_empty(), "{}", part.collection);
            assert!(part.withheld.iter().all(|one| !one.why.is_empty()));
            rows += all.len();
        }
        assert!(rows > 100, "only {rows} rows");
        let of = |service: &str, collection: &str| {
            let found = parts.iter().find(|part| part.service == service && part.collection == collection);
            found.unwrap_or_else(|| panic!("{service} gave no {collection}"))
        };
        let who = of("access", "client");
        assert!(who.json.contains("\"surname\":\"Achternaam") && who.text.contains("achternaam: Achternaam"), "{}", who.text);
        assert!(who.json.contains("\"bsn\":\"9999"), "the client's own BSN is given");
        assert!(of("regie", "goal").text.contains("in uw woorden: "));
        assert!(of("aftercare", "handover").json.contains("\"form\":{"), "the form is opened");
        assert!(of("regie", "gate_word").text.contains("toelichting: De gemeente staat in"));
        assert!(of("regie", "access_log").text.contains("handeling: "));
        let withheld: BTreeSet<(&str, i32)> =
            of("aftercare", "signal").withheld.iter().map(|one| (one.field.as_str(), one.ground)).collect();
        assert!(withheld.contains(&("report", rights::WithheldGround::Reporter.into())), "{withheld:?}");
        let lines = parts.iter().flat_map(|part| part.text.lines()).map(str::to_owned);
        let mut foreign: BTreeSet<String> = lines.filter(|line| is_foreign(line)).collect();
        for part in &parts {
            unnamed(&serde_json::from_str(&part.json).unwrap(), &mut foreign);
        }
        assert!(foreign.is_empty(), "not in plain Dutch:\n{}", Vec::from_iter(foreign).join("\n"));
        let everything = format!("{parts:?}");
        assert!(!everything.contains(&other.client_id), "nothing of somebody else");
        assert!(!everything.to_lowercase().contains("separation"), "nor that there is somebody to be kept apart from");

        for service in SERVICES {
            // It is in the client's own log, and somebody else's file is nobody's; nor does a service read it for a client.
            let request = ListAccessRequest { client_id: household.client_id.clone(), ..Default::default() };
            let seen = call!(chain, own.audit(service, "own-file"), list_access, request).entries;
            let logged = |entry: &AccessEntry| entry.method == "RightsService/ExportClient" && entry.result == "ok";
            assert!(seen.iter().any(logged), "{service}");
            let other = chain.client(&other.client_id);
            assert_eq!(export(&other, service, &household.client_id).await.unwrap_err().code(), Code::NotFound);
            let regie = chain.person(Role::SvcRegie);
            let refused = export(&regie, service, &household.client_id).await.unwrap_err();
            assert_eq!(testkit::reason(&refused), "ROLE_NOT_ALLOWED");
        }
    }
}

/// Whether a line of an export shows a code of the machine: a word with an underscore.
fn is_foreign(line: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word.trim_matches('_').contains('_'))
}

/// The names in an export that no Dutch word is known for.
fn unnamed(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            // What a value is kept under may be an id.
            let known =
                |name: &str| uuid::Uuid::parse_str(name).is_ok() || chassis::LABELS.iter().any(|(one, _)| *one == name);
            let unknown = |name: &&String| !known(name);
            found.extend(fields.keys().filter(unknown).cloned());
            fields.values().for_each(|value| unnamed(value, found));
        }
        serde_json::Value::Array(several) => several.iter().for_each(|value| unnamed(value, found)),
        _ => {}
    }
}
