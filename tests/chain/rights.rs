//! What a client may ask of the whole chain.

use super::services::SERVICES;
use super::steps::{DORDRECHT, wire};
use super::{BEGINS, Chain, on_both_engines};
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::regie::v1 as regie;
use proto::rights::v1 as rights;
use std::collections::BTreeSet;
use testkit::{Code, rid};

/// What every service says that it destroyed.
async fn destroyed(chain: &Chain) -> Vec<rights::DestroyedView> {
    let mut found = Vec::new();
    for service in SERVICES {
        let door = chain.person(Role::PrivacyOfficer).rights(service, "audit");
        found.extend(call!(chain, door, report_destroyed, rights::ReportDestroyedRequest::default()).destroyed);
    }
    found
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
}
