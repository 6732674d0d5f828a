//! Two clients who are kept apart, and a world in which nobody is: whoever is not to know hears the same in both (R-REG-28).

use super::services::SERVICES;
use super::steps::{DORDRECHT, EAST, Household, WEST, wire};
use super::{Chain, on_both_engines};
use crate::cells::words;
use crate::rights::Picture;
use crate::wire::{Filling, Lines, actor, filled, ids, methods, rpc};
use doorstroom::{dynamic, roles};
use kernel::Role;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};
use proto::access::v1 as access;
use proto::feed::v1::{Event, SubscribeRequest};
use proto::housing::v1 as housing;
use proto::regie::v1 as regie;
use std::collections::{BTreeMap, BTreeSet};
use testkit::{heard, reason, rid};
use tokio_stream::StreamExt as _;

/// A district that is neither of the two that the others live in or exclude.
const ELSEWHERE: &str = "WK050504";

on_both_engines! {
    /// R-REG-28, P8: the one comes where the other already is, in shelter and in housing, and is refused; in the other world it
    /// is refused a place for the young and a district that it excluded. Every refusal, every feed of a partner, every list
    /// and every answer to whoever may ask is the same in both worlds, but for ids.
    async fn nobody_can_tell_a_world_with_a_separation_from_one_without(chain: Chain) {
        let with = live(&chain, true).await;
        let other = Chain::start(chain.services.as_ref().unwrap().engine).await.unwrap();
        let without = live(&other, false).await;
        assert!(with.refusals.iter().all(|refusal| refusal.contains("NOT_SUITABLE")) && with.refusals.len() == 3);
        assert_eq!(with.refusals, without.refusals);
        assert!(with.told.len() > 300, "only {} things were told", with.told.len());
        let differs = |(what, told): &(&String, &Vec<String>)| without.told.get(*what) != Some(told);
        for (what, told) in with.told.iter().filter(differs) {
            println!("{what}: {told:?}\nand not {:?}", without.told.get(what));
        }
        assert!(with.told == without.told, "somebody can tell the two worlds apart");
        // And it did hold: the services know, and nobody else.
        let marked = |facts: &crate::chain::Facts| facts.count::<regie::SeparationMarked>(|_| true);
        assert_eq!((marked(&chain.facts().await), marked(&other.facts().await)), (1, 0));
    }
}

on_both_engines! {
    /// R-REG-18, R-REG-28: where a shielded client stays and lives is told to the client and to who protects, shelters or
    /// houses the client, and to nobody else; of somebody who is not shielded others are told.
    async fn where_a_shielded_client_is_is_told_to_nobody_else(chain: Chain) {
        assert_eq!(told_where(&chain, true).await, BTreeSet::new());
        let other = Chain::start(chain.services.as_ref().unwrap().engine).await.unwrap();
        let told = told_where(&other, false).await;
        for what in ["AccessService/GetJourney of access to access", "the feed of housing to income"] {
            assert!(told.contains(what), "{what} is not in {told:?}");
        }
    }
}

/// By what somebody who has no part in it is told where a client stays or lives.
async fn told_where(chain: &Chain, shielded: bool) -> BTreeSet<String> {
    let (night, place) = (chain.facility(), facility(chain, access::Audience::Adults).await);
    let mut household = Household { client_id: chain.register().await, ..Household::default() };
    household.notification_id = chain.notify(&household.client_id).await;
    if shielded {
        let request = regie::ShieldClientRequest { request_id: rid(), client_id: household.client_id.clone() };
        call!(chain, chain.person(Role::Regie).regie("crisis"), shield_client, request);
    }
    chain.facility.lock().unwrap().clone_from(&place);
    household.stay_id = chain.admit(&household.client_id, &household.notification_id).await;
    chain.settle().await;
    chain.ready_for_home(&mut household).await;
    household.nomination_id = chain.try_nominate(&household, false).await.unwrap();
    chain.settle().await;
    let home = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
    let offer = chain.offer(&home, &household).await;
    chain.accept_by_all(&offer, &household, "trivire").await;
    chain.settle().await;
    chain.facility.lock().unwrap().clone_from(&night);

    let mut names = Names::default();
    names.add("the", "place", &place);
    names.add("the", "dwelling", &home);
    // What there is, whoever lives there.
    let of_nobody = ["ListFacilities", "GetFacility", "ListDwellings", "GetDwelling"];
    let part_in_it = ["client", "vo", "caseholder", "shelter", "corporation"].map(|role| format!(" to {role}"));
    let told = told(chain, [&household, &household], &names).await;
    let telling = told.into_iter().filter(|(_, said)| said.iter().any(|said| said.contains("<the ")));
    let what = telling.map(|(what, _)| what.split(" about ").next().unwrap_or_default().to_owned());
    what.filter(|what| !of_nobody.iter().any(|rpc| what.contains(&format!("/{rpc} "))))
        .filter(|what| !part_in_it.iter().any(|role| what.ends_with(role)))
        .collect()
}

/// What was said in a world.
struct World {
    /// The refusals, in order.
    refusals: Vec<String>,
    /// What everybody who is not to know was told, by who, where and about what.
    told: BTreeMap<String, Vec<String>>,
}

async fn live(chain: &Chain, apart: bool) -> World {
    let (night, other) = (chain.facility(), facility(chain, access::Audience::Adults).await);
    let youth = facility(chain, access::Audience::Youth).await;
    let first = chain.candidate(false).await;
    let mut second = Household { client_id: chain.register().await, ..Household::default() };
    let mut refusals = Vec::new();
    if apart {
        let request = regie::MarkSeparationRequest {
            request_id: rid(),
            client_id: second.client_id.clone(),
            other_client_id: first.client_id.clone(),
            ground: regie::SeparationGround::Violence.into(),
        };
        call!(chain, chain.person(Role::Regie).regie("regie"), mark_separation, request);
    }
    // The second comes in another place than where the first is.
    chain.facility.lock().unwrap().clone_from(&other);
    second.notification_id = chain.notify(&second.client_id).await;
    let not_here = if apart { &night } else { &youth };
    let shelter = chain.person(Role::Shelter).access("shelter");
    let request = access::AdmitClientRequest {
        request_id: rid(),
        client_id: second.client_id.clone(),
        facility_id: not_here.clone(),
        notification_id: second.notification_id.clone(),
        claim_id: String::new(),
        admitted_on: wire(chain.today()),
    };
    refusals.push(heard(&ask!(chain, shelter, admit_client, request).unwrap_err()));
    let request = access::JoinWaitingListRequest {
        request_id: rid(),
        client_id: second.client_id.clone(),
        facility_id: not_here.clone(),
        joined_on: None,
    };
    refusals.push(heard(&ask!(chain, shelter, join_waiting_list, request).unwrap_err()));
    second.stay_id = chain.admit(&second.client_id, &second.notification_id).await;
    chain.settle().await;
    chain.ready_for_home(&mut second).await;
    let mut nomination = Chain::nomination(&second, false);
    nomination.wishes.as_mut().unwrap().excluded_districts = vec![EAST.to_owned()];
    let nominated = call!(chain, chain.person(Role::Shelter).housing("shelter"), nominate, nomination);
    second.nomination_id = nominated.nomination_id;
    chain.settle().await;

    let mut homes = Vec::new();
    for district in [WEST, WEST, EAST, ELSEWHERE] {
        homes.push(chain.home("trivire", district, housing::ContractForm::OwnLease).await);
    }
    let offer = chain.offer(&homes[0], &first).await;
    let allocation = chain.accept_by_all(&offer, &first, "trivire").await;
    let refused = chain.try_offer(&homes[if apart { 1 } else { 2 }], &second, chain.leases()).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_SUITABLE");
    refusals.push(heard(&refused));
    let offer = chain.offer(&homes[3], &second).await;
    let allocation_of_second = chain.accept_by_all(&offer, &second, "trivire").await;
    chain.nowhere_to_sleep(&second.client_id, DORDRECHT).await;
    chain.settle().await;

    let mut names = Names::default();
    for (name, household) in [("first", &first), ("second", &second)] {
        names.add(name, "client", &household.client_id);
        names.add(name, "notification", &household.notification_id);
        names.add(name, "stay", &household.stay_id);
        names.add(name, "nomination", &household.nomination_id);
    }
    names.add("first", "allocation", &allocation);
    names.add("second", "allocation", &allocation_of_second);
    for (n, home) in homes.iter().enumerate() {
        names.add("dwelling", &n.to_string(), home);
    }
    for (name, id) in [("night", &night), ("other", &other), ("youth", &youth)] {
        names.add("facility", name, id);
    }
    World { refusals, told: told(chain, [&first, &second], &names).await }
}

async fn facility(chain: &Chain, audience: access::Audience) -> String {
    let request = access::RegisterFacilityRequest {
        request_id: rid(),
        organisation: "leger-des-heils".to_owned(),
        municipality: DORDRECHT.to_owned(),
        name: "Opvang".to_owned(),
        kind: access::FacilityKind::NightShelter.into(),
        audience: audience.into(),
        provision: access::Provision::General.into(),
        places: 40,
        reserve: 4,
        opened_on: wire(chain.today()),
    };
    call!(chain, chain.person(Role::Access).access("operations"), register_facility, request).facility_id
}

/// Everything that everybody is told who is not to know of a separation: all but the municipality's own people, and those who
/// read logs.
async fn told(chain: &Chain, households: [&Household; 2], names: &Names) -> BTreeMap<String, Vec<String>> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let (mut told, lines, picture) = (BTreeMap::new(), Lines::new(chain), Picture::reviewed());
    let facts = chain.facts().await;
    let partners: Vec<Role> =
        roles::partners().filter(|role| !matches!(role, Role::Regie | Role::PrivacyOfficer)).collect();
    for role in &partners {
        for household in households {
            let mut known = words();
            known.extend(ids(&facts));
            for (field, id) in [
                ("client_id", &household.client_id),
                ("notification_id", &household.notification_id),
                ("stay_id", &household.stay_id),
                ("nomination_id", &household.nomination_id),
            ] {
                known.insert(field.to_owned(), id.clone());
            }
            known.insert("facility_id".to_owned(), chain.facility());
            known.insert("page_size".to_owned(), "100".to_owned());
            let filling = Filling { known, id: uuid::Uuid::nil().to_string(), ..Filling::default() };
            for method in methods().filter(is_question) {
                if picture.relations(&rpc(&method), *role).is_empty() {
                    continue;
                }
                let token = lines.token(&actor(*role, &household.client_id));
                let services = match dynamic::service_of(&method) {
                    Some(service) => vec![service],
                    None => SERVICES.map(str::to_owned).to_vec(),
                };
                for service in services {
                    let body = filled(&method.input(), &filling).encode_to_vec().into();
                    let said = match lines.send_to(&service, &method, body, Some(token.clone())).await {
                        Ok(answer) => DynamicMessage::decode(method.output(), answer)
                            .map(|message| names.message(&message))
                            .unwrap(),
                        Err(refusal) => names.text(&heard(&refusal)),
                    };
                    let about = names.text(&household.client_id);
                    told.insert(format!("{} of {service} to {role} about {about}", rpc(&method)), vec![said]);
                }
            }
        }
        if *role == Role::Client {
            continue;
        }
        for service in SERVICES {
            let events = feed(chain, *role, service).await;
            let mut lines: Vec<String> = events.iter().map(|event| names.event(&pool, event)).collect();
            // What two feeds lead to in regie has no order of its own.
            lines.sort();
            told.insert(format!("the feed of {service} to {role}"), lines);
        }
    }
    told
}

/// Whether an RPC asks for something, of which whoever is not to know of a separation may be told something.
fn is_question(method: &MethodDescriptor) -> bool {
    let changes = method.input().get_field_by_name("request_id").is_some();
    !changes && !method.parent_service().name().starts_with("Feed") && method.name() != "ListSeparations"
}

/// What a partner finds on a feed, as far as it is filled now; nothing for a role that may not read it.
async fn feed(chain: &Chain, role: Role, service: &str) -> Vec<Event> {
    let mut found = Vec::new();
    let opened = chain.person(role).feed(service, "operations").subscribe(SubscribeRequest::default()).await;
    let Ok(opened) = opened else { return found };
    let mut stream = opened.into_inner();
    loop {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), stream.next()).await;
        match next.expect("a checkpoint comes").expect("the stream goes on") {
            Ok(next) => match next.event {
                Some(event) => found.push(event),
                None => return found,
            },
            // A role that has no business with feeds.
            Err(_) => return found,
        }
    }
}

/// What ids are called, so that two worlds can be compared; every other id is called "some".
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn add(&mut self, whose: &str, what: &str, id: &str) {
        self.0.insert(id.to_owned(), format!("<{whose} {what}>"));
    }

    /// A text with names in the place of ids.
    fn text(&self, text: &str) -> String {
        let is_id = |part: &str| uuid::Uuid::try_parse(part).is_ok() && part.len() == 36;
        let mut said = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            match rest.get(..36).filter(|part| is_id(part)) {
                Some(id) => {
                    said.push_str(self.0.get(id).map_or("<some>", String::as_str));
                    rest = &rest[36..];
                }
                None => {
                    let first = rest.chars().next().map_or(0, char::len_utf8);
                    said.push_str(&rest[..first]);
                    rest = &rest[first..];
                }
            }
        }
        said
    }

    /// An event with its envelope, but for its id, its trace and where it is.
    fn event(&self, pool: &DescriptorPool, event: &Event) -> String {
        let payload = event.payload.as_ref().unwrap();
        let descriptor = pool.get_message_by_name(payload.type_url.trim_start_matches('/')).unwrap();
        let message = DynamicMessage::decode(descriptor, payload.value.as_slice()).unwrap();
        let about = self.text(&event.client_id);
        format!("{} of {about} on {:?}: {}", event.r#type, event.occurred_on, self.message(&message))
    }

    /// A message as text; what stands in a list is put in order, since ids decide about that order.
    fn message(&self, message: &DynamicMessage) -> String {
        let fields: BTreeSet<String> =
            message.fields().map(|(field, value)| format!("{}: {}", field.name(), self.value(value))).collect();
        format!("{{{}}}", Vec::from_iter(fields).join(", "))
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::String(text) => self.text(text),
            Value::Message(message) => self.message(message),
            Value::List(list) => {
                let mut parts: Vec<String> = list.iter().map(|one| self.value(one)).collect();
                parts.sort();
                format!("[{}]", parts.join(", "))
            }
            other => format!("{other:?}"),
        }
    }
}
