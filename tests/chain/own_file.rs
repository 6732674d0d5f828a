//! Who reads a file as the client's own, by age, in every service (R-REG-21).

use super::services::SERVICES;
use super::steps::{DORDRECHT, wire};
use super::{Chain, on_both_engines};
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::regie::v1 as regie;
use proto::rights::v1 as rights;
use std::collections::BTreeMap;
use testkit::{reason, rid};

impl Chain {
    /// Somebody who was born on that day, and of whom a notification came in.
    async fn child(&self, born: Date) -> String {
        let identity = access::Identity {
            surname: "Achternaam".to_owned(),
            first_names: "Voornaam".to_owned(),
            birth_date: wire(born),
            no_address: true,
            ..access::Identity::default()
        };
        let request = access::RegisterClientRequest {
            request_id: rid(),
            municipality: DORDRECHT.to_owned(),
            identity: Some(identity),
        };
        let door = self.person(Role::Shelter).access("shelter");
        let client_id = call!(self, door, register_client, request).client_id;
        let request = access::RecordNotificationRequest {
            request_id: rid(),
            client_id: client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            origin: Some(access::record_notification_request::Origin::OriginMunicipality(DORDRECHT.to_owned())),
            triggers: vec![access::Trigger::BreakUp.into()],
            received_on: wire(self.today()),
            told_of_personal_plan: true,
            told_of_client_support: true,
            ..Default::default()
        };
        call!(self, door, record_notification, request);
        self.settle().await;
        client_id
    }

    /// The access desk records, after checking, who stands in for a client.
    async fn represent(&self, client_id: &str, by: &str) -> String {
        let request = regie::RecordRepresentativeRequest {
            request_id: rid(),
            client_id: client_id.to_owned(),
            representative_client_id: by.to_owned(),
            ground: regie::RepresentativeGround::Custody.into(),
            from_on: wire(self.today()),
            last_day: None,
        };
        let desk = self.person(Role::Access).regie("investigation");
        let id = call!(self, desk, record_representative, request).representative_id;
        self.settle().await;
        id
    }

    /// What somebody with an own token of a client hears of a file, from every service: "ok", or why not.
    async fn hears(&self, who: &str, of: &str) -> BTreeMap<&'static str, String> {
        let mut heard = BTreeMap::new();
        for service in SERVICES {
            let request = rights::ExportClientRequest { client_id: of.to_owned(), page_token: String::new() };
            let said = self.client(who).rights(service, "own-file").export_client(request).await;
            heard.insert(service, said.map_or_else(|status| reason(&status), |_| "ok".to_owned()));
        }
        heard
    }
}

fn everywhere(said: &str) -> BTreeMap<&'static str, String> {
    SERVICES.into_iter().map(|service| (service, said.to_owned())).collect()
}

/// The monitor follows no relation: it keeps figures about pseudonyms, and gives them to the client only.
fn but_the_monitor(said: &str) -> BTreeMap<&'static str, String> {
    let mut heard = everywhere(said);
    heard.insert("monitor", "NOT_FOUND".to_owned());
    heard
}

on_both_engines! {
    /// R-REG-21, P8
    async fn a_child_and_a_parent_read_by_age_in_every_service(chain: Chain) {
        let parent = chain.register().await;
        // Twelve on the 10th, sixteen on the 11th.
        let (young, older) = (chain.child(Date::constant(2014, 3, 10)).await, chain.child(Date::constant(2010, 3, 11)).await);
        assert_eq!(chain.hears(&parent, &parent).await, everywhere("ok"));
        assert_eq!(chain.hears(&young, &young).await, everywhere("OWN_FILE_TOO_YOUNG"));
        assert_eq!(chain.hears(&older, &older).await, everywhere("ok"));
        assert_eq!(chain.hears(&parent, &young).await, everywhere("NOT_FOUND"));
        let stands_in = chain.represent(&young, &parent).await;
        chain.represent(&older, &parent).await;
        assert_eq!(chain.hears(&parent, &young).await, but_the_monitor("ok"));
        assert_eq!(chain.hears(&parent, &older).await, but_the_monitor("ok"));
        assert_eq!(chain.hears(&young, &young).await, everywhere("OWN_FILE_TOO_YOUNG"));
        assert_eq!(chain.hears(&older, &young).await, everywhere("NOT_FOUND"));

        chain.at(Date::constant(2026, 3, 10), 9).await;
        assert_eq!(chain.hears(&young, &young).await, everywhere("ok"));
        assert_eq!(chain.hears(&parent, &young).await, but_the_monitor("ok"));
        chain.at(Date::constant(2026, 3, 11), 9).await;
        assert_eq!(chain.hears(&older, &older).await, everywhere("ok"));
        assert_eq!(chain.hears(&parent, &older).await, everywhere("NOT_FOUND"), "from 16 on the client alone");

        // Once its end is answered, nobody stands in any more, in any service.
        let request = regie::EndRepresentativeRequest {
            request_id: rid(),
            client_id: young.clone(),
            representative_id: stands_in,
        };
        call!(chain, chain.person(Role::Access).regie("investigation"), end_representative, request);
        assert_eq!(chain.hears(&parent, &young).await, everywhere("NOT_FOUND"));
        let facts = chain.hold().await;
        assert_eq!(facts.count::<access::OwnAccessChanged>(|_| true), 4);
        assert_eq!(facts.count::<regie::OwnAccessChanged>(|_| true), 4);
    }
}
