//! Emergency access over the whole chain (R-REG-20): what it opens is exactly the column of one role, in every service, for
//! reading; and it is shut everywhere at its end, heard or not.

use super::services::SERVICES;
use super::{Chain, on_both_engines};
use crate::cells::{World, words};
use crate::rights::Picture;
use crate::wire::{Filling, filled, methods, rpc};
use auth::Relation;
use doorstroom::{dynamic, roles};
use kernel::{Actor, Moment, Role};
use prost::Message as _;
use prost_reflect::MethodDescriptor;
use proto::audit::v1::{AccessEntry, ListAccessRequest};
use proto::regie::v1::{EmergencyReason, EndEmergencyAccessRequest, OpenEmergencyAccessRequest};
use std::collections::{BTreeMap, BTreeSet};
use testkit::{reason, rid};

/// Somebody who has nothing to do with the client, in each role that is played by an organisation without a relation.
fn strangers() -> Vec<Actor> {
    let played = [
        (Role::District, "wijkteam-oost"),
        (Role::Vo, "vrouwenopvang"),
        (Role::Caseholder, "leger-des-heils"),
        (Role::Treatment, "ggz-drechtsteden"),
    ];
    played.map(|(role, of)| roles::actor(role, Some(of), Some(&format!("nacht-{role}")), None).unwrap()).into()
}

fn changes_something(method: &MethodDescriptor) -> bool {
    method.input().get_field_by_name("request_id").is_some()
}

/// What somebody hears of every RPC that their role may call by a relation with the client: "ok", or why not.
async fn heard(world: &World, picture: &Picture, actor: &Actor) -> BTreeMap<String, String> {
    let mut heard = BTreeMap::new();
    for method in methods() {
        let granted = picture.relations(&rpc(&method), actor.roles[0]);
        let Some(service) = dynamic::service_of(&method) else { continue };
        if !granted.contains(&Relation::Caseload) || granted.contains(&Relation::Any) {
            continue;
        }
        let body = filled(&method.input(), &world.there).encode_to_vec().into();
        let said = world.lines.send_to(&service, &method, body, Some(world.lines.token(actor))).await;
        // A list that is not about one client is asked for a caseload, and that stays what it was.
        let said = match said {
            Ok(told) if told.is_empty() => "nothing".to_owned(),
            Ok(_) => "ok".to_owned(),
            Err(status) => reason(&status),
        };
        heard.insert(rpc(&method), said);
    }
    heard
}

/// Every RPC that is answered otherwise than before.
fn otherwise(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> BTreeSet<String> {
    before.iter().filter(|(rpc, said)| now[*rpc] != **said).map(|(rpc, _)| rpc.clone()).collect()
}

/// Which RPCs a relation with the client opens for reading, by the reviewed table alone: those that name what they ask for.
fn column(picture: &Picture, role: Role) -> BTreeSet<String> {
    let by_id = |method: &MethodDescriptor| {
        method.input().fields().any(|field| field.name().ends_with("_id") && field.name() != "request_id")
    };
    let opened = methods().filter(|method| !changes_something(method) && by_id(method));
    let opened = opened.map(|method| rpc(&method)).filter(|rpc| {
        let granted = picture.relations(rpc, role);
        granted.contains(&Relation::Caseload) && !granted.contains(&Relation::Any)
    });
    opened.collect()
}

impl Chain {
    async fn open_emergency(&self, who: &Actor, client_id: &str) -> String {
        let request = OpenEmergencyAccessRequest {
            request_id: rid(),
            client_id: client_id.to_owned(),
            role: String::new(),
            reason: EmergencyReason::Danger.into(),
            explanation: "Ligt buiten in de kou.".to_owned(),
        };
        let door = self.doors.person(who.clone()).regie("crisis");
        let opened = call!(self, door, open_emergency_access, request).emergency_id;
        self.settle().await;
        opened
    }

    /// A client's log in one service.
    async fn log(&self, service: &str, client_id: &str, own: bool) -> Vec<AccessEntry> {
        let (reader, purpose) = match own {
            true => (self.client(client_id), "own-file"),
            false => (self.person(Role::PrivacyOfficer), "audit"),
        };
        let request = ListAccessRequest { client_id: client_id.to_owned(), page_size: 500, ..Default::default() };
        call!(self, reader.audit(service, purpose), list_access, request).entries
    }
}

on_both_engines! {
    /// R-REG-20, R-REG-13, P8
    async fn emergency_access_opens_the_column_of_one_role_and_shuts_everywhere_at_its_end(chain: Chain) {
        let world = World::new(&chain).await;
        let picture = Picture::reviewed();
        let client_id = world.there.known["client_id"].clone();
        let before_all = strangers();
        let mut opened_in = BTreeMap::<&str, usize>::new();
        for who in &before_all {
            let role = who.roles[0];
            let before = heard(&world, &picture, who).await;
            assert!(before.values().all(|said| ["NOT_FOUND", "nothing"].contains(&said.as_str())), "{role}: {before:?}");

            // Ended by hand: shut in every service when that is answered.
            let emergency_id = chain.open_emergency(who, &client_id).await;
            let open = heard(&world, &picture, who).await;
            assert_eq!(otherwise(&before, &open), column(&picture, role), "{role}: {open:?}");
            let colleague = Actor { subject: format!("collega-{role}"), ..who.clone() };
            assert_eq!(heard(&world, &picture, &colleague).await, before, "{role}: it is of one person");
            let of_nobody = Filling { known: words(), ..world.there.clone() };
            for rpc in column(&picture, role) {
                let method = methods().find(|method| crate::wire::rpc(method) == rpc).unwrap();
                let (service, body) = (dynamic::service_of(&method).unwrap(), filled(&method.input(), &of_nobody).encode_to_vec());
                let said = world.lines.send_to(&service, &method, body.into(), Some(world.lines.token(who))).await;
                assert_eq!(said.err().map(|status| reason(&status)), Some("NOT_FOUND".to_owned()), "{rpc}: another client");
            }
            let end = EndEmergencyAccessRequest { request_id: rid(), client_id: client_id.clone(), emergency_id: emergency_id.clone() };
            call!(chain, chain.doors.person(who.clone()).regie("crisis"), end_emergency_access, end);
            assert_eq!(heard(&world, &picture, who).await, before, "{role}: ended by hand");

            for service in SERVICES {
                let by_it = |entries: Vec<AccessEntry>| entries.into_iter().filter(|one| one.emergency_id == emergency_id).collect::<Vec<_>>();
                let told = by_it(chain.log(service, &client_id, false).await);
                assert!(told.iter().all(|one| one.subject == who.subject && one.result != "NOT_FOUND"), "{service}: {told:?}");
                let own = by_it(chain.log(service, &client_id, true).await);
                // From whom the client is kept apart shows in no log of the client's own (R-REG-27).
                let shown = told.iter().filter(|one| !one.method.contains("Separation")).count();
                assert_eq!(own.len(), shown);
                assert!(own.iter().all(|one| one.subject.is_empty() && one.words.as_ref().unwrap().why_nl.starts_with("Noodtoegang")));
                *opened_in.entry(service).or_default() += told.len();
            }
        }
        for service in ["access", "housing", "income", "aftercare", "regie"] {
            assert!(opened_in[service] > 0, "{service}: {opened_in:?}");
        }

        // By itself: shut in every service at that moment, before anything was heard of it.
        let mut before = Vec::new();
        for who in &before_all {
            before.push(heard(&world, &picture, who).await);
            chain.open_emergency(who, &client_id).await;
            assert_ne!(&heard(&world, &picture, who).await, before.last().unwrap());
        }
        let (day, clock) = (chain.today().tomorrow().unwrap(), chain.clock.as_ref().unwrap());
        clock.set(Moment::at_hour(day, 9).at);
        for (who, before) in before_all.iter().zip(&before) {
            assert_eq!(heard(&world, &picture, who).await, *before, "{}: its time is over", who.roles[0]);
        }
        chain.settle().await;
        for (who, before) in before_all.iter().zip(&before) {
            assert_eq!(heard(&world, &picture, who).await, *before, "{}: and stays so", who.roles[0]);
        }
    }
}
