//! Two clients who are kept apart, and a world in which nobody is: whoever is not to know hears the same in both (R-REG-28).

use super::services::SERVICES;
use super::steps::{DORDRECHT, EAST, Household, WEST, wire};
use super::{Chain, on_both_engines};
use crate::cells::words;
use crate::rights::Picture;
use crate::wire::{Filling, Lines, actor, filled, ids, methods, rpc};
use doorstroom::{dynamic, roles};
use kernel::{Actor, ClientId, Role};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use proto::access::v1 as access;
use proto::feed::v1::{Event, SubscribeRequest};
use proto::housing::v1 as housing;
use proto::monitor::v1 as monitor;
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
        assert_same(&with.told, &without.told);
        // And it did hold: the services know, and nobody else.
        let marked = |facts: &crate::chain::Facts| facts.count::<regie::SeparationMarked>(|_| true);
        assert_eq!((marked(&chain.facts().await), marked(&other.facts().await)), (1, 0));
    }
}

on_both_engines! {
    /// R-REG-28: who are in one place already when they are separated are a task for the municipality at once, and nobody else can
    /// tell.
    async fn who_are_in_one_place_already_are_looked_at_and_nobody_else_can_tell(chain: Chain) {
        let (with, tasks) = together(&chain, true).await;
        let other = Chain::start(chain.services.as_ref().unwrap().engine).await.unwrap();
        let (without, none) = together(&other, false).await;
        let due: Vec<_> = tasks.iter().map(|task| (task.due_on, task.organisation.as_str(), task.role.as_str())).collect();
        assert_eq!(due, [(wire(chain.today()), "gemeente-dordrecht", "regie")]);
        assert_eq!(none, []);
        assert!(with.len() > 200, "only {} things were told", with.len());
        assert_same(&with, &without);
    }
}

/// Two worlds that nobody can tell apart by what they are told.
fn assert_same(one: &BTreeMap<String, Vec<String>>, other: &BTreeMap<String, Vec<String>>) {
    for (what, told) in one.iter().filter(|(what, told)| other.get(*what) != Some(told)) {
        println!("{what}: {told:?}\nand not {:?}", other.get(what));
    }
    assert!(one == other, "somebody can tell the two worlds apart");
}

/// What everybody is told who is not to know, and what there is to be looked at.
async fn together(chain: &Chain, apart: bool) -> (BTreeMap<String, Vec<String>>, Vec<regie::TaskView>) {
    let (first, second) = (chain.arrive().await, chain.arrive().await);
    if apart {
        let request = regie::MarkSeparationRequest {
            request_id: rid(),
            client_id: second.client_id.clone(),
            other_client_id: first.client_id.clone(),
            ground: regie::SeparationGround::Threat.into(),
        };
        call!(chain, chain.person(Role::Regie).regie("regie"), mark_separation, request);
    }
    chain.settle().await;
    let mut names = Names::default();
    for (name, household) in [("first", &first), ("second", &second)] {
        names.add(name, "client", &household.client_id);
        names.add(name, "notification", &household.notification_id);
        names.add(name, "stay", &household.stay_id);
    }
    names.add("the", "facility", &chain.facility());
    let request = regie::ListTasksRequest { client_id: second.client_id.clone(), ..Default::default() };
    let mut tasks = call!(chain, chain.person(Role::Regie).regie("regie"), list_tasks, request).tasks;
    tasks.retain(|task| task.kind() == regie::TaskKind::KeepApart);
    let mut told = told(chain, [&first, &second], &names, actor).await;
    // Rows of one moment are exported in the order of their ids; what is exported is held against the tables elsewhere.
    told.retain(|what, _| !what.starts_with("RightsService/ExportClient "));
    (told, tasks)
}

on_both_engines! {
    /// R-REG-18, R-REG-28, P9: where a shielded client stays and lives is told to the client and to who protects, shelters or
    /// houses the client, and to nobody else; of somebody who is not shielded others are told. Who has nothing to do with the
    /// client hears the same of either: every list, count and page. The figures are the same to the last byte, and the one of
    /// whom there is but one is in none of them.
    async fn where_a_shielded_client_is_is_told_to_nobody_else(chain: Chain) {
        let hidden = settled_in(&chain, true).await;
        assert_eq!(hidden.told, BTreeSet::new());
        let other = Chain::start(chain.services.as_ref().unwrap().engine).await.unwrap();
        let open = settled_in(&other, false).await;
        for what in [
            "AccessService/GetJourney of access to access",
            "AftercareService/ListHandovers of aftercare to district",
            "the feed of housing to income",
        ] {
            assert!(open.told.contains(what), "{what} is not in {:?}", open.told);
        }
        assert!(hidden.strangers.len() > 100, "only {} things were told", hidden.strangers.len());
        assert_same(&hidden.strangers, &open.strangers);
        let named = hidden.strangers.iter().filter(|(_, said)| said.iter().any(|said| said.contains("<her id>")));
        assert_eq!(named.map(|(what, _)| what).collect::<Vec<_>>(), Vec::<&String>::new());
        assert_eq!(hidden.figures.encode_to_vec(), open.figures.encode_to_vec());
        let cell = |measure: &str, category: &str| {
            let found = hidden.figures.cells.iter().find(|cell| (cell.measure.as_str(), cell.category.as_str()) == (measure, category));
            found.unwrap_or_else(|| panic!("no {measure} {category} in {:?}", hidden.figures)).value_milli
        };
        assert_eq!(cell("registrations", ""), Some(6000));
        assert_eq!((cell("origin", "0642"), cell("trigger", "from_abroad")), (None, None), "of whom there is but one");
    }
}

/// What is said of somebody who came to live on their own, shielded or not.
struct SettledIn {
    /// By what somebody who has no part in it is told where the client stays or lives.
    told: BTreeSet<String>,
    /// What those are told who have nothing to do with the client.
    strangers: BTreeMap<String, Vec<String>>,
    /// What is published.
    figures: monitor::GetFiguresResponse,
}

on_both_engines! {
    /// R-REG-28, P8: safe contact, for two grounds and not at all. Why, nobody can tell by any answer or feed; that it is on is
    /// told to those only who have to do with the client, each of whom is shown the channel and no telephone number.
    async fn nobody_can_tell_why_a_client_is_reached_through_one_organisation_only(chain: Chain) {
        let engine = chain.services.as_ref().unwrap().engine;
        let violence = in_touch(&chain, Some(regie::SafeContactGround::Violence)).await;
        let control = in_touch(&Chain::start(engine).await.unwrap(), Some(regie::SafeContactGround::Control)).await;
        let without = in_touch(&Chain::start(engine).await.unwrap(), None).await;
        for [one, other] in [[&violence.related, &control.related], [&violence.strangers, &control.strangers], [&violence.strangers, &without.strangers]] {
            assert!(one.len() > 100, "only {} things were told", one.len());
            assert_same(one, other);
        }
        let that = |world: &BTreeMap<String, Vec<String>>, word: &str| -> BTreeSet<String> {
            let telling = world.iter().filter(|(_, said)| said.iter().any(|said| said.contains(word)));
            telling.map(|(what, _)| what.split(" about ").next().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(that(&violence.strangers, "afe_contact"), BTreeSet::new());
        assert_eq!(that(&without.related, "safe_contact: {"), BTreeSet::new());
        let marked = that(&violence.related, "safe_contact: {");
        for what in [
            "AccessService/GetTenant of access to corporation",
            "AccessService/GetBenefitApplicant of access to income",
            "AccessService/GetJourney of access to access",
            "HousingService/GetMoveForDistrict of housing to district",
            "HousingService/GetAllocationAsCorporation of housing to corporation",
            "HousingService/ListOffers of housing to shelter",
            "IncomeService/GetBenefitRequest of income to income",
            "AftercareService/ListAftercare of aftercare to district",
            "AftercareService/ListHandovers of aftercare to shelter",
            "RegieService/ListTasks of regie to income",
            "RegieService/GetCaseAsDistrict of regie to district",
        ] {
            assert!(marked.contains(what), "{what} is not in {marked:?}");
        }
        assert!(!marked.iter().any(|what| what.ends_with(" to client")), "{marked:?}");
        // The channel, and the client; the case holder is one of the channel's.
        let shown = that(&violence.related, "06-55501234");
        let may = |what: &String| [" to client", " to shelter", " to caseholder"].iter().any(|who| what.ends_with(who));
        assert!(!shown.is_empty() && shown.iter().all(may), "{shown:?}");
        assert!(that(&without.related, "06-55501234").len() > shown.len());
        let addressed = |world| that(world, "address: {").contains("HousingService/GetMoveForDistrict of housing to district");
        assert_eq!((addressed(&violence.related), addressed(&without.related)), (false, true));
    }
}

/// What is said of somebody to whoever has to do with them, and to whoever has not.
struct InTouch {
    related: BTreeMap<String, Vec<String>>,
    strangers: BTreeMap<String, Vec<String>>,
}

/// Somebody comes to live on their own, in safe contact from the first day on that ground.
async fn in_touch(chain: &Chain, ground: Option<regie::SafeContactGround>) -> InTouch {
    let mut household = Household { client_id: chain.register().await, ..Household::default() };
    household.notification_id = chain.notify(&household.client_id).await;
    chain.settle().await;
    if let Some(ground) = ground {
        let request = regie::SetSafeContactRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            through: "leger-des-heils".to_owned(),
            ground: ground.into(),
        };
        call!(chain, chain.person(Role::Access).regie("notification"), set_safe_contact, request);
    }
    household.stay_id = chain.admit(&household.client_id, &household.notification_id).await;
    chain.settle().await;
    chain.ready_for_home(&mut household).await;
    household.nomination_id = chain.try_nominate(&household, false).await.unwrap();
    chain.settle().await;
    let home = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
    let offer = chain.offer(&home, &household).await;
    let allocation = chain.accept_by_all(&offer, &household, "trivire").await;
    chain.settle().await;
    chain.hand_over(&allocation).await;
    chain.own_income(&household, chain.today()).await;
    chain.on(chain.leases()).await;
    chain.sign_lease(&allocation, "trivire").await.unwrap();
    chain.keys(&allocation, "trivire").await;
    chain.settle().await;

    let mut names = Names::default();
    names.add("the", "client", &household.client_id);
    names.add("the", "facility", &chain.facility());
    names.add("the", "dwelling", &home);
    let mut related = told(chain, [&household, &household], &names, actor).await;
    // The client's own export gives the client's own data, and the log whatever was done.
    related.retain(|what, _| !what.starts_with("RightsService/ExportClient ") && !what.starts_with("AuditService/"));
    InTouch { related, strangers: told_to_strangers(chain, [&household, &household], &names).await }
}

/// What those are told who have to do with nobody. An access desk may look at everybody: whoever comes, comes there.
async fn told_to_strangers(chain: &Chain, about: [&Household; 2], names: &Names) -> BTreeMap<String, Vec<String>> {
    let mut told = told(chain, about, names, stranger).await;
    told.retain(|what, _| !what.contains(" to access"));
    told
}

/// Somebody in a role who has to do with nobody; the client is another one.
fn stranger(role: Role, _: &str) -> Actor {
    let client =
        (role == Role::Client).then(|| ClientId::parse("client_id", "00000000-0000-4000-8000-000000000001").unwrap());
    roles::actor(role, Some("elders"), None, client).unwrap()
}

async fn settled_in(chain: &Chain, shielded: bool) -> SettledIn {
    for _ in 0..5 {
        chain.arrive().await;
    }
    let (night, place) = (chain.facility(), facility(chain, access::Audience::Adults).await);
    let mut household = Household { client_id: chain.register().await, ..Household::default() };
    // The only one of that origin, and for that reason.
    let request = access::RecordNotificationRequest {
        request_id: rid(),
        client_id: household.client_id.clone(),
        municipality: DORDRECHT.to_owned(),
        origin: Some(access::record_notification_request::Origin::OriginMunicipality("0642".to_owned())),
        triggers: vec![access::Trigger::FromAbroad.into()],
        received_on: wire(chain.today()),
        told_of_personal_plan: true,
        ..Default::default()
    };
    let notified = call!(chain, chain.person(Role::Shelter).access("shelter"), record_notification, request);
    household.notification_id = notified.notification_id;
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
    names.add("her", "id", &household.client_id);
    // What there is, whoever lives there.
    let of_nobody = ["ListFacilities", "GetFacility", "ListDwellings", "GetDwelling"];
    let part_in_it = ["client", "vo", "caseholder", "shelter", "corporation"].map(|role| format!(" to {role}"));
    let about = [&household, &household];
    let telling = told(chain, about, &names, actor).await.into_iter().filter(|(what, said)| {
        let district = |said: &String| what.starts_with("AftercareService/") && said.contains("district: WK");
        said.iter().any(|said| said.contains("<the ") || district(said))
    });
    let what = telling.map(|(what, _)| what.split(" about ").next().unwrap_or_default().to_owned());
    let told_where = what
        .filter(|what| !of_nobody.iter().any(|rpc| what.contains(&format!("/{rpc} "))))
        .filter(|what| !part_in_it.iter().any(|role| what.ends_with(role)))
        .collect();
    let request = monitor::GetFiguresRequest { measures: vec![], periods: vec![chain.today().year().to_string()] };
    SettledIn {
        told: told_where,
        strangers: told_to_strangers(chain, about, &names).await,
        figures: call!(chain, chain.person(Role::Monitor).monitor("monitoring"), get_figures, request),
    }
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
    World { refusals, told: told(chain, [&first, &second], &names, actor).await }
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
async fn told(
    chain: &Chain,
    households: [&Household; 2],
    names: &Names,
    who: fn(Role, &str) -> Actor,
) -> BTreeMap<String, Vec<String>> {
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
                let token = lines.token(&who(*role, &household.client_id));
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
            let events = feed(chain, who(*role, ""), service).await;
            let mut lines: Vec<String> = events.iter().map(|event| names.event(event)).collect();
            // What two feeds lead to in regie has no order of its own.
            lines.sort();
            told.insert(format!("the feed of {service} to {role}"), lines);
        }
    }
    told
}

/// Whether an RPC asks for something of which somebody may be told who is not to know of a separation, or why safe contact is on.
fn is_question(method: &MethodDescriptor) -> bool {
    let changes = method.input().get_field_by_name("request_id").is_some();
    let of_protectors = ["ListSeparations", "GetSafeContact"].contains(&method.name());
    !changes && !method.parent_service().name().starts_with("Feed") && !of_protectors
}

/// What a partner finds on a feed, as far as it is filled now; nothing for a role that may not read it.
async fn feed(chain: &Chain, who: Actor, service: &str) -> Vec<Event> {
    let mut found = Vec::new();
    let opened = chain.doors.person(who).feed(service, "operations").subscribe(SubscribeRequest::default()).await;
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
    fn event(&self, event: &Event) -> String {
        let payload = event.payload.as_ref().unwrap();
        let descriptor = proto::CONTRACT.get_message_by_name(payload.type_url.trim_start_matches('/')).unwrap();
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
