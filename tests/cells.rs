//! Every cell of the reviewed picture of rights (`RIGHTS.md`), called over real gRPC: each RPC in each role, by somebody who
//! has nothing to do with the client or the thing, and by somebody who has. The picture says what must be answered; the
//! policy files are not looked at here.

use crate::chain::steps::{DORDRECHT, wire};
use crate::chain::{Chain, Household};
use crate::rights::Picture;
use crate::wire::{Filling, Lines, filled, ids, methods, rpc};
use auth::Relation;
use doorstroom::{dynamic, roles};
use futures_util::StreamExt as _;
use kernel::{Actor, ClientId, Organisation, Role};
use prost::Message as _;
use prost::bytes::Bytes;
use prost_reflect::MethodDescriptor;
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::regie::v1 as regie;
use std::collections::{BTreeMap, BTreeSet};
use testkit::{Engine, StatusExt as _, rid};
use tonic::{Code, Status};

/// Has to do with nobody and owns nothing.
const STRANGER: &str = "elders";
/// Has a relation with the client and owns nothing.
const RELATED: &str = "digicontact";
/// Where the case holder works who has a relation with the client.
const RELATED_CASE_HOLDER: &str = "vrouwenopvang";

/// Where somebody works who opened emergency access.
const EMERGENCY: &str = "wijkteam-oost";

/// What is the caller's own because the caller makes it: nothing is there yet that could belong to somebody else.
const MADE_BY_THE_CALLER: [&str; 2] = ["AftercareService/UnsubscribeTeam", "HousingService/RegisterDwelling"];

/// P8, R-REG-13: on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cell_of_the_table_is_what_is_answered_on_sqlite() {
    every_cell_of_the_table_is_what_is_answered(Engine::Sqlite).await;
}

/// P8, R-REG-13: on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cell_of_the_table_is_what_is_answered_on_postgres() {
    every_cell_of_the_table_is_what_is_answered(Engine::Postgres).await;
}

async fn every_cell_of_the_table_is_what_is_answered(engine: Engine) {
    let Some(chain) = Chain::start(engine).await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let world = World::new(&chain).await;
    let picture = Picture::reviewed();
    let cells: Vec<Cell> = methods().flat_map(|method| world.cells(&picture, &method)).collect();
    let of_rpcs: BTreeSet<(String, Role)> = cells.iter().map(|cell| (rpc(&cell.method), cell.actor.roles[0])).collect();
    assert_eq!(
        of_rpcs.len(),
        methods().map(|m| rpc(&m)).collect::<BTreeSet<_>>().len() * Role::ALL.len(),
        "no cell is left out"
    );

    // First what is refused, which changes nothing; then what is read, then what is carried out.
    let (passing, refused): (Vec<_>, Vec<_>) = cells.iter().partition(|cell| cell.answer == Wanted::Passes);
    assert!(passing.len() > 500 && refused.len() > 5000, "{} pass, {} are refused", passing.len(), refused.len());
    let (commands, queries): (Vec<_>, Vec<_>) = passing.into_iter().partition(|cell| changes_something(&cell.method));
    // The services undo things on behalf of the chain, of which people could not be asked any more.
    let (of_services, of_people): (Vec<_>, Vec<_>) =
        commands.into_iter().partition(|cell| cell.actor.roles[0].as_str().starts_with("svc_"));
    let mut faults = Vec::new();
    for cells in [refused, queries, of_people, of_services] {
        faults.extend(judge_all(&world, cells).await);
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cells.len(), faults.join("\n"));
}

async fn judge_all(world: &World, cells: Vec<&Cell>) -> Vec<String> {
    let judged = cells.into_iter().map(|cell| async move { world.judge(cell).await.err() });
    futures_util::stream::iter(judged).buffer_unordered(16).filter_map(|fault| async { fault }).collect().await
}

/// One call of a cell.
struct Cell {
    /// Which of the six is called.
    service: String,
    method: MethodDescriptor,
    actor: Actor,
    answer: Wanted,
}

/// What the picture says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The role may not call this at all.
    RoleRefused,
    /// The role may, but not about this: what is there is answered like what is not.
    Unknown,
    /// Neither of these.
    Passes,
}

/// Somebody who went through the whole chain, and everybody around.
pub struct World {
    /// The ways in.
    pub lines: Lines,
    client: ClientId,
    /// The task that everybody asks about, and whatever else there is to do for the client.
    task: regie::TaskView,
    tasks: Vec<regie::TaskView>,
    /// Whose the task is.
    task_owner: Organisation,
    /// Who is responsible for the aftercare.
    care_owner: Organisation,
    /// What fields hold that are about this client.
    pub there: Filling,
}

impl World {
    /// Lives through the whole chain with everybody around.
    pub async fn new(chain: &Chain) -> Self {
        let (household, allocation) = chain.allocated(true).await;
        chain.stand_around(&household).await;
        chain.hand_over(&allocation).await;
        chain.override_gate(&household, &allocation).await;
        // Needs no yearly figures, so that the tests outlive them.
        chain.own_income(&household, chain.today()).await;
        chain.on(chain.leases()).await;
        chain.sign_lease(&allocation, "trivire").await.unwrap();
        chain.keys(&allocation, "trivire").await;
        chain.signal(&household.client_id, aftercare::SignalKind::EvictionNotice).await;
        chain.ask_erasure(&household).await;
        let facts = chain.facts().await;
        let mut known = words();
        known.extend(ids(&facts));
        for (name, word) in [
            ("client_id", household.client_id.as_str()),
            ("facility_id", &chain.facility()),
            ("stay_id", &household.stay_id),
            ("notification_id", &household.notification_id),
            ("nomination_id", &household.nomination_id),
            ("benefit_request_id", &household.benefit_request_id),
            ("allocation_id", &allocation),
        ] {
            known.insert(name.to_owned(), word.to_owned());
        }
        for other in ["other_client_id", "kept_client_id", "new_client_id"] {
            known.insert(other.to_owned(), household.client_id.clone());
        }
        // Whoever may end a relation would end one of those that are asked about here.
        known.remove("relation_id");
        let care = chain.care(&allocation).await.responsible_organisation;
        let today = chain.today();
        let wanted = regie::ListTasksRequest {
            all_organisations: true,
            client_id: household.client_id.clone(),
            ..Default::default()
        };
        let tasks = call!(chain, chain.person(Role::Regie).regie("regie"), list_tasks, wanted).tasks;
        let task = tasks.last().cloned().expect("somebody has something to do");
        known.insert("task_id".to_owned(), task.task_id.clone());
        Self {
            lines: Lines::new(chain),
            client: ClientId::parse("client_id", &household.client_id).unwrap(),
            task_owner: Organisation::parse("organisation", &task.organisation).unwrap(),
            task,
            tasks,
            care_owner: Organisation::parse("organisation", &care).unwrap(),
            there: Filling {
                known,
                version: 999,
                date: (today.year().into(), today.month().into(), today.day().into()),
                ..Filling::default()
            },
        }
    }

    /// Every call of an RPC's row.
    fn cells(&self, picture: &Picture, method: &MethodDescriptor) -> Vec<Cell> {
        let rpc = rpc(method);
        let services: Vec<String> = match dynamic::service_of(method) {
            Some(service) => vec![service],
            None => crate::chain::services::SERVICES.iter().map(|name| (*name).to_owned()).collect(),
        };
        let mut cells = Vec::new();
        for role in Role::ALL {
            let granted = picture.relations(&rpc, *role);
            let stands = |relation: Option<Relation>| {
                let made = granted.contains(&Relation::Own) && MADE_BY_THE_CALLER.contains(&rpc.as_str());
                let passes =
                    granted.contains(&Relation::Any) || relation.is_some_and(|it| granted.contains(&it)) || made;
                match () {
                    () if granted.is_empty() => Wanted::RoleRefused,
                    () if passes => Wanted::Passes,
                    () => Wanted::Unknown,
                }
            };
            let callers = self.callers(&rpc, *role, granted);
            for service in &services {
                for (actor, relation) in &callers {
                    let (service, method, actor) = (service.clone(), method.clone(), actor.clone());
                    cells.push(Cell { service, method, actor, answer: stands(*relation) });
                }
            }
        }
        cells
    }

    /// Who calls an RPC in a role, each with the relation that they have to the client or the thing.
    fn callers(&self, rpc: &str, role: Role, granted: &BTreeSet<Relation>) -> Vec<(Actor, Option<Relation>)> {
        let mut callers = vec![(self.stranger(role), None), self.related(role)];
        if role == Role::Caseholder {
            // A case holder has to do with a client as a person: one who works at the same place has not.
            let colleague = format!("collega@{RELATED_CASE_HOLDER}");
            callers.push((roles::actor(role, Some(RELATED_CASE_HOLDER), Some(&colleague), None).unwrap(), None));
        }
        if granted.contains(&Relation::Own) {
            callers.push((self.owner(rpc, role), self.is_for(rpc, role).then_some(Relation::Own)));
        }
        callers
    }

    /// Whether what belongs to an organisation is there for this role of it: a task is for one desk.
    fn is_for(&self, rpc: &str, role: Role) -> bool {
        let for_role = |task: &regie::TaskView| task.role.is_empty() || task.role == role.as_str();
        match rpc {
            "RegieService/ListTasks" => {
                self.tasks.iter().any(|task| task.organisation == self.task_owner.as_str() && for_role(task))
            }
            "RegieService/TakeTask" | "RegieService/CompleteTask" => for_role(&self.task),
            _ => true,
        }
    }

    /// Everybody who may call an RPC, whether about this client or not.
    pub fn callers_of(&self, picture: &Picture, method: &MethodDescriptor) -> Vec<Actor> {
        let rpc = rpc(method);
        let granted = Role::ALL.iter().map(|role| (*role, picture.relations(&rpc, *role)));
        let granted = granted.filter(|(_, relations)| !relations.is_empty());
        granted.flat_map(|(role, relations)| self.callers(&rpc, role, relations)).map(|(actor, _)| actor).collect()
    }

    fn stranger(&self, role: Role) -> Actor {
        let client = (role == Role::Client).then(|| ClientId::parse("client_id", &rid()).unwrap());
        roles::actor(role, Some(STRANGER), None, client).unwrap()
    }

    fn related(&self, role: Role) -> (Actor, Option<Relation>) {
        let of = if role == Role::Caseholder { RELATED_CASE_HOLDER } else { RELATED };
        let client = (role == Role::Client).then_some(self.client);
        let relation = if role == Role::Client { Relation::OwnSelf } else { Relation::Caseload };
        (roles::actor(role, Some(of), None, client).unwrap(), Some(relation))
    }

    fn owner(&self, rpc: &str, role: Role) -> Actor {
        let of = match (rpc, role) {
            (rpc, _) if rpc.contains("Task") => self.task_owner.as_str(),
            ("RegieService/EndEmergencyAccess", _) => EMERGENCY,
            ("RegieService/EndHelpAgreement", _) => "leger-des-heils",
            ("AftercareService/ListAftercare" | "AftercareService/GetAftercare", _) => self.care_owner.as_str(),
            ("AftercareService/RecordContact" | "AftercareService/EndAftercare", _) => self.care_owner.as_str(),
            (_, Role::Vo) => "leger-des-heils",
            (_, role) => roles::organisation(role),
        };
        roles::actor(role, Some(of), None, None).unwrap()
    }

    async fn judge(&self, cell: &Cell) -> Result<(), String> {
        let Cell { service, method, actor, answer } = cell;
        let said = self.ask(cell, &self.there).await;
        let wrong = |why: String| {
            Err(format!("{} of {service} as {} at {}: {why}", rpc(method), actor.roles[0], actor.organisation))
        };
        if *answer == Wanted::RoleRefused {
            return match &said {
                Err(status) if status.code() == Code::PermissionDenied && reason(status) == "ROLE_NOT_ALLOWED" => {
                    Ok(())
                }
                other => wrong(format!("the role may not call it, and hears {}", short(other))),
            };
        }
        let heard = short(&said);
        match (answer, &said) {
            (Wanted::Unknown, Ok(told)) if is_list(method) && told.is_empty() => Ok(()),
            (Wanted::Unknown, Err(_)) if asks_by_id(method) => {
                let of_nothing = self.ask(cell, &Filling { known: words(), ..self.there.clone() }).await;
                match is_unknown(&said) && alike(&said, &of_nothing) {
                    true => Ok(()),
                    false => wrong(format!(
                        "it is not theirs, and of it they hear {heard}, of nothing {}",
                        short(&of_nothing)
                    )),
                }
            }
            (Wanted::Unknown, _) => wrong(format!("it is not theirs, and they hear {heard}")),
            (_, Ok(told)) if is_list(method) && told.is_empty() => {
                wrong("it is theirs, and the list is empty".to_owned())
            }
            (_, Err(status)) if ["ROLE_NOT_ALLOWED", "NOT_FOUND", "MALFORMED"].contains(&reason(status).as_str()) => {
                wrong(format!("it is theirs, and they hear {heard}"))
            }
            _ => Ok(()),
        }
    }

    async fn ask(&self, cell: &Cell, filling: &Filling) -> Result<Bytes, Status> {
        let body = filled(&cell.method.input(), filling).encode_to_vec().into();
        self.lines.send_to(&cell.service, &cell.method, body, Some(self.lines.token(&cell.actor))).await
    }
}

/// What fields hold that are no ids: a well-formed word of the field, so that a call is judged by who makes it.
pub fn words() -> BTreeMap<String, String> {
    let words = [
        ("page_token", ""),
        ("cursor", ""),
        ("bsn", "999900006"),
        ("v_number", ""),
        ("postcode", "3311EN"),
        ("email", ""),
        ("district", "WK050503"),
        ("neighbourhood", "BU05050301"),
        ("wished_districts", "WK050503"),
        ("network_districts", "WK050503"),
        ("school_districts", "WK050503"),
        ("work_districts", "WK050503"),
        ("excluded_districts", "WK050507"),
        ("origin_municipality", "0505"),
        ("other_municipalities", "0505"),
        ("running_benefit_municipality", "0505"),
        ("bag_object_id", "0505010000000999"),
        ("role", "remote"),
        ("organisation", RELATED),
        ("through", RELATED),
        ("from_organisation", "leger-des-heils"),
        ("to_organisation", "wijkteam-west"),
        ("purpose", "shelter"),
        ("receiver", "leger-des-heils"),
        ("measures", "registrations"),
        ("periods", "2026"),
        ("age", "40"),
        ("year", "2026"),
        ("overdue_only", "false"),
        ("state", "0"),
        // Before nine o'clock on the day on which leases start.
        ("google.protobuf.Timestamp.seconds", "1775026000"),
        // What may be said by a caller; nowhere to sleep is heard from everybody, also without a relation.
        ("doorstroom.aftercare.v1.RaiseSignalRequest.kind", "2"),
        ("doorstroom.aftercare.v1.SignallingPlan.shared_money_kinds", "5"),
        ("doorstroom.access.v1.CompleteIntakeRequest.ground", "0"),
        ("doorstroom.access.v1.LeaveWaitingListRequest.reason", "2"),
        ("doorstroom.access.v1.EndDecisionRequest.reason", "3"),
        // An agreement stands on a text or on the plan, not on both.
        ("doorstroom.regie.v1.AgreeToHelpRequest.plan_edition", "0"),
        // Whoever calls has one role.
        ("doorstroom.regie.v1.OpenEmergencyAccessRequest.role", ""),
    ];
    words.into_iter().map(|(field, word)| (field.to_owned(), word.to_owned())).collect()
}

fn changes_something(method: &MethodDescriptor) -> bool {
    method.input().get_field_by_name("request_id").is_some()
}

fn is_list(method: &MethodDescriptor) -> bool {
    method.name().starts_with("List")
}

/// Whether a request names what it is about.
fn asks_by_id(method: &MethodDescriptor) -> bool {
    method.input().fields().any(|field| field.name().ends_with("_id") && field.name() != "request_id")
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

fn is_unknown(said: &Result<Bytes, Status>) -> bool {
    matches!(said, Err(status) if status.code() == Code::NotFound && reason(status) == "NOT_FOUND")
}

/// Whether two answers are the same to the last byte.
fn alike(one: &Result<Bytes, Status>, other: &Result<Bytes, Status>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one == other,
        (Err(one), Err(other)) => {
            (one.code(), one.message(), details(one)) == (other.code(), other.message(), details(other))
        }
        _ => false,
    }
}

/// Everything that goes with a refusal, in an order of its own: a map has none on the wire.
fn details(status: &Status) -> String {
    let mut details = status.get_error_details();
    let Some(info) = details.error_info().cloned() else { return format!("{details:?}") };
    let metadata: BTreeMap<String, String> = info.metadata.into_iter().collect();
    details.set_error_info(info.reason, info.domain, std::collections::HashMap::new());
    format!("{metadata:?} {details:?}")
}

fn short(said: &Result<Bytes, Status>) -> String {
    match said {
        Ok(answer) => format!("an answer of {} bytes", answer.len()),
        Err(status) => format!("{:?} {} ({})", status.code(), reason(status), status.message()),
    }
}

impl Chain {
    /// Puts everybody around a client whom the cells call for: relations by hand, a team, a plan, a consent, a place on
    /// the waiting list and a claimed one.
    async fn stand_around(&self, household: &Household) {
        let client_id = || household.client_id.clone();
        let case_holder = format!("{}@{RELATED_CASE_HOLDER}", Role::Caseholder);
        for (organisation, role, person) in [
            (RELATED, Role::Remote, ""),
            (RELATED_CASE_HOLDER, Role::Caseholder, case_holder.as_str()),
            ("sociale-dienst", Role::Debt, ""),
        ] {
            let request = regie::GrantRelationRequest {
                request_id: rid(),
                client_id: client_id(),
                organisation: organisation.to_owned(),
                role: role.to_string(),
                person: person.to_owned(),
            };
            call!(self, self.person(Role::Regie).regie("regie"), grant_relation, request);
        }
        let request = aftercare::SubscribeTeamRequest { request_id: rid(), client_id: client_id() };
        call!(self, self.person(Role::Shelter).aftercare("aftercare"), subscribe_team, request);
        let request = access::JoinWaitingListRequest {
            request_id: rid(),
            client_id: client_id(),
            facility_id: self.facility(),
            joined_on: None,
        };
        call!(self, self.person(Role::Shelter).access("shelter"), join_waiting_list, request);
        let own = self.client(&household.client_id);
        let plan = aftercare::SignallingPlan {
            signs: vec![aftercare::EarlySign {
                sign: "De post blijft ongeopend.".to_owned(),
                action: "Samen de post doornemen.".to_owned(),
            }],
            what_helps: "Een wandeling.".to_owned(),
            who_to_call: "De zus.".to_owned(),
            day_and_night_channel: "078-5550199".to_owned(),
            shared_money_kinds: vec![],
            agreed_on: wire(self.today()),
        };
        let request = aftercare::AgreeSignallingPlanRequest {
            request_id: rid(),
            client_id: client_id(),
            expected_version: 0,
            plan: Some(plan),
        };
        call!(self, own.aftercare("own-file"), agree_signalling_plan, request);
        let request = regie::GiveConsentRequest {
            request_id: rid(),
            client_id: client_id(),
            data_category: regie::ConsentCategory::Income.into(),
            receiver: "leger-des-heils".to_owned(),
            purpose: "shelter".to_owned(),
            text_version: "2026-1".to_owned(),
            given_on: None,
        };
        call!(self, own.regie("own-file"), give_consent, request);
        let request = regie::ReleaseSecrecyRequest {
            request_id: rid(),
            client_id: client_id(),
            organisation: "leger-des-heils".to_owned(),
            receiver: "ggz-drechtsteden".to_owned(),
            subject: regie::ReleaseSubject::CareNeed.into(),
            purpose: "aftercare".to_owned(),
            text_version: "2026-1".to_owned(),
            ..Default::default()
        };
        call!(self, own.regie("own-file"), release_secrecy, request);
        let request = regie::AgreeToHelpRequest {
            request_id: rid(),
            client_id: client_id(),
            kind: regie::HelpKind::Guidance.into(),
            organisation: "leger-des-heils".to_owned(),
            text_version: "2026-1".to_owned(),
            ..Default::default()
        };
        call!(self, own.regie("own-file"), agree_to_help, request);
        let request =
            regie::RecordAccessRequestRequest { request_id: rid(), client_id: client_id(), received_on: None };
        call!(self, own.regie("own-file"), record_access_request, request);
        let request = regie::RequestCorrectionRequest {
            request_id: rid(),
            client_id: client_id(),
            concerns: regie::CorrectionSubject::Home.into(),
            words: "De huisnummers zijn verwisseld.".to_owned(),
            ..Default::default()
        };
        call!(self, own.regie("own-file"), request_correction, request);
        self.nowhere_to_sleep(&household.client_id, DORDRECHT).await;
        let request = regie::OpenEmergencyAccessRequest {
            request_id: rid(),
            client_id: client_id(),
            role: String::new(),
            reason: regie::EmergencyReason::NowhereToSleep.into(),
            explanation: "Staat met een tas bij de bus.".to_owned(),
        };
        let worker = roles::actor(Role::District, Some(EMERGENCY), Some("medewerker"), None).unwrap();
        call!(self, self.doors.person(worker).regie("crisis"), open_emergency_access, request);
        let request = regie::MarkSeparationRequest {
            request_id: rid(),
            client_id: client_id(),
            other_client_id: rid(),
            ground: regie::SeparationGround::NoContactOrder.into(),
        };
        call!(self, self.person(Role::Regie).regie("regie"), mark_separation, request);
        // Somebody else was under this record; and was not, after all.
        let second = self.register().await;
        self.settle().await;
        let request = regie::SplitClientRequest {
            request_id: rid(),
            client_id: client_id(),
            new_client_id: second.clone(),
            explanation: "Twee broers op één adres.".to_owned(),
        };
        call!(self, self.person(Role::Regie).regie("regie"), split_client, request);
        let request = regie::MergeClientsRequest {
            request_id: rid(),
            client_id: second,
            kept_client_id: client_id(),
            explanation: "Toch dezelfde, bleek aan het loket.".to_owned(),
        };
        call!(self, self.person(Role::Regie).regie("regie"), merge_clients, request);
    }
}
