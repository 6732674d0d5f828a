//! The checker of promises: a reader that only gets, lists and subscribes.
//!
//! It knows the contract and nothing else: not who lived in the demo, nor what was done to them. It reads every feed from
//! the oldest event on, asks what services show, and holds each of the ten promises against it.

use super::sight::CONTRACT;
use super::world::{Said, World};
use crate::doors::Person;
use crate::{refusal, roles};
use anyhow::Context as _;
use jiff::ToSpan as _;
use kernel::{Calendar, Date, Role};
use prost::{Message, Name};
use prost_reflect::DynamicMessage;
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::audit::v1::ListAccessRequest;
use proto::feed::v1::{Event, GetStatusRequest};
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::monitor::v1 as monitor;
use proto::regie::v1 as regie;
use proto::regie::v1::TaskKind as Task;
use std::collections::{BTreeMap, BTreeSet};
use tonic::{Code, Status};

/// The ten promises, in the words of the table at the end.
pub const PROMISES: [(&str, &str); 10] = [
    ("P1", "one home, one household: no dwelling had two live allocations"),
    ("P2", "no gap day: no lease was signed without secured income, and a shut gate became a task in time"),
    ("P3", "exactly one effect: one benefit start, one guarantee if required, one handover per accepted home"),
    ("P4", "what is undone is undone everywhere, and no more than that"),
    ("P5", "no signal is lost: every team got its own, in order, and nobody else's; silence escalates"),
    ("P6", "never back on the street: a place was claimed or a person alarmed at once"),
    ("P7", "nothing lapses silently: a warning and a task came first"),
    ("P8", "only what you need to know, and every look is in the client's own log"),
    ("P9", "the numbers are true and nobody is in them"),
    ("P10", "enter once: what one partner entered reached the others unasked"),
];

/// How often a promise was held against the facts, and how often it was broken.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How often it was checked.
    pub checked: u64,
    /// How often it was broken.
    pub broken: u64,
    /// The first few breaks, in words.
    pub faults: Vec<String>,
}

impl Tally {
    fn hold(&mut self, kept: bool, fault: impl FnOnce() -> String) {
        self.checked += 1;
        if !kept {
            self.broken += 1;
            if self.faults.len() < 5 {
                self.faults.push(fault());
            }
        }
    }

    /// Adds what was checked elsewhere.
    pub fn add(&mut self, other: &Tally) {
        self.checked += other.checked;
        self.broken += other.broken;
        self.faults.extend(other.faults.iter().take(5).cloned());
    }
}

/// The tally of each promise, by its number.
pub type Tallies = BTreeMap<&'static str, Tally>;

/// Something that happened, as a service of the chain sees it.
struct Fact {
    service: &'static str,
    client: String,
    on: Date,
    at: (i64, i32),
    payload: prost_types::Any,
}

impl Fact {
    fn read(service: &'static str, event: Event) -> anyhow::Result<Self> {
        let at = event.recorded_at.map(|at| (at.seconds, at.nanos)).unwrap_or_default();
        let on = proto::to_date("occurred_on", event.occurred_on.as_ref())?;
        let payload = event.payload.context("an event has a payload")?;
        Ok(Self { service, client: event.client_id, on, at, payload })
    }

    fn of<T: Message + Name + Default>(&self) -> Option<T> {
        if self.payload.type_url != T::type_url() {
            return None;
        }
        T::decode(self.payload.value.as_slice()).ok()
    }
}

/// The reader, and what it read.
struct Reader<'a> {
    world: &'a World,
    facts: Vec<Fact>,
    tallies: Tallies,
}

/// Holds every promise against what happened in a chain.
pub async fn check(world: &World) -> anyhow::Result<Tallies> {
    let chain = world.person(Role::SvcMonitor, "svc-monitor");
    let services = ["access", "housing", "income", "aftercare", "regie", "monitor"];
    let whole = services.map(|service| world.read(&chain, service, "operations", ""));
    let feeds = futures_util::future::try_join_all(whole).await?;
    let mut facts = Vec::new();
    for (service, events) in services.into_iter().zip(feeds) {
        for event in events {
            facts.push(Fact::read(service, event)?);
        }
    }
    let mut reader = Reader { world, facts, tallies: Tallies::new() };
    reader.one_home_one_household().await?;
    reader.no_gap_day();
    reader.exactly_one_effect();
    reader.undone_everywhere().await?;
    reader.no_signal_lost().await?;
    reader.never_back_on_the_street();
    reader.nothing_lapses_silently();
    reader.only_what_you_need().await?;
    reader.the_numbers_are_true().await?;
    reader.enter_once().await?;
    Ok(reader.tallies)
}

impl Reader<'_> {
    fn tally(&mut self, promise: &'static str) -> &mut Tally {
        self.tallies.entry(promise).or_default()
    }

    /// Every event of one kind, in the order of its feed.
    fn all<T: Message + Name + Default>(&self) -> Vec<(&Fact, T)> {
        self.facts.iter().filter_map(|fact| fact.of::<T>().map(|event| (fact, event))).collect()
    }

    /// P1
    async fn one_home_one_household(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let mut dwelling_of = BTreeMap::new();
        let mut living: BTreeMap<String, String> = BTreeMap::new();
        for fact in self.facts.iter().filter(|fact| fact.service == "housing") {
            if let Some(accepted) = fact.of::<housing::AllocationAccepted>() {
                let before = living.insert(accepted.dwelling_id.clone(), accepted.allocation_id.clone());
                tally.hold(before.is_none(), || format!("dwelling {} went to two households", accepted.dwelling_id));
                dwelling_of.insert(accepted.allocation_id, accepted.dwelling_id);
            }
            let withdrawn = fact.of::<housing::AllocationWithdrawn>().map(|event| event.allocation_id);
            let ended = fact.of::<housing::LeaseEnded>().map(|event| event.allocation_id);
            if let Some(dwelling) = withdrawn.or(ended).and_then(|allocation| dwelling_of.get(&allocation)) {
                living.remove(dwelling);
            }
        }
        for dwelling in self.dwellings().await? {
            let allocated = dwelling.state() == housing::DwellingState::Allocated;
            tally.hold(allocated == living.contains_key(&dwelling.dwelling_id), || {
                format!("dwelling {} is shown as {:?}", dwelling.dwelling_id, dwelling.state())
            });
        }
        *self.tally("P1") = tally;
        Ok(())
    }

    async fn dwellings(&self) -> anyhow::Result<Vec<housing::Dwelling>> {
        let mut regie = self.world.person(Role::Regie, "gemeente-dordrecht").housing("regie");
        let mut dwellings = Vec::new();
        let mut request = housing::ListDwellingsRequest { page_size: 500, ..Default::default() };
        loop {
            let page = regie.list_dwellings(request.clone()).await.said("ListDwellings")?;
            dwellings.extend(page.dwellings);
            if page.next_page_token.is_empty() {
                return Ok(dwellings);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// P2
    fn no_gap_day(&mut self) {
        let mut tally = Tally::default();
        let accepted = self.all::<housing::AllocationAccepted>();
        let withdrawn: BTreeMap<String, Date> = self
            .all::<housing::AllocationWithdrawn>()
            .into_iter()
            .map(|(fact, event)| (event.allocation_id, fact.on))
            .collect();
        let asked = self.all::<income::BenefitRequestCompleted>();
        let tasks = self.all::<regie::TaskOpened>();
        let signed: BTreeMap<String, Date> = self
            .all::<housing::LeaseSigned>()
            .into_iter()
            .map(|(fact, event)| (event.allocation_id, fact.on))
            .collect();
        let today = self.world.today();
        for (fact, home) in &accepted {
            let left =
                asked.iter().any(|(asked, event)| event.allocation_id == home.allocation_id && asked.on == fact.on);
            tally.hold(left, || {
                format!("nothing was asked for allocation {} on the day it was accepted", home.allocation_id)
            });

            let Ok(starts) = proto::to_date("lease_start_on", home.lease_start_on.as_ref()) else { continue };
            let (mut open, mut opened_on) = (false, None);
            for gate in self.facts.iter().filter(|fact| fact.service == "housing") {
                if gate.of::<housing::GateOpened>().is_some_and(|event| event.allocation_id == home.allocation_id) {
                    (open, opened_on) = (true, opened_on.or(Some(gate.on)));
                }
                if gate.of::<housing::GateShut>().is_some_and(|event| event.allocation_id == home.allocation_id) {
                    open = false;
                }
                if gate.of::<housing::LeaseSigned>().is_some_and(|event| event.allocation_id == home.allocation_id) {
                    let secured = self.secured(&home.client_id, &home.allocation_id, starts, gate.at);
                    tally.hold(open && secured, || {
                        format!(
                            "the lease of allocation {} was signed: gate open {open}, secured {secured}",
                            home.allocation_id
                        )
                    });
                }
            }
            // Still shut three working days before the lease starts: the municipality has it on its list.
            let last = Calendar::default().add_working_days(starts, -3);
            let over = withdrawn
                .get(&home.allocation_id)
                .into_iter()
                .chain(signed.get(&home.allocation_id))
                .chain(&opened_on)
                .min();
            if fact.on < last && last <= today && over.is_none_or(|day| *day > last) {
                let told = tasks.iter().any(|(task, event)| {
                    event.kind() == regie::TaskKind::DecideGate
                        && event.subject_id == home.allocation_id
                        && task.on <= last
                });
                tally.hold(told, || {
                    format!("nobody was asked to decide on the gate of allocation {}", home.allocation_id)
                });
            }
        }
        *self.tally("P2") = tally;
    }

    /// Whether by then the income was secured from the first day of the lease.
    fn secured(&self, client: &str, allocation: &str, starts: Date, by: (i64, i32)) -> bool {
        let day = |date: &Option<proto::google::r#type::Date>| proto::to_date("date", date.as_ref()).ok();
        let in_time = |date: Option<Date>| date.is_some_and(|date| date <= starts);
        self.facts.iter().filter(|fact| fact.at <= by && fact.client == client).any(|fact| {
            fact.of::<income::BenefitDecided>().is_some_and(|event| {
                event.granted && (in_time(day(&event.start_on)) || in_time(day(&event.running_from_on)))
            }) || fact.of::<income::OwnIncomeVerified>().is_some_and(|event| in_time(day(&event.from_on)))
                || fact.of::<income::AdvancePaid>().is_some_and(|event| {
                    in_time(day(&event.expected_from_on))
                        && day(&event.expected_until).is_none_or(|until| until >= starts)
                })
                || fact
                    .of::<income::RentGuaranteeGranted>()
                    .is_some_and(|event| event.bridging && event.allocation_id == allocation)
                || fact.of::<regie::GateDecided>().is_some_and(|event| {
                    event.open && event.ground() == regie::GateGround::Override && event.allocation_id == allocation
                })
        })
    }

    /// P3
    fn exactly_one_effect(&mut self) {
        let mut tally = Tally::default();
        let ids = |of: Vec<String>| {
            let mut count: BTreeMap<String, u32> = BTreeMap::new();
            of.into_iter().for_each(|id| *count.entry(id).or_default() += 1);
            count
        };
        let starts = ids(self
            .all::<income::BenefitRequestCompleted>()
            .into_iter()
            .map(|(_, event)| event.allocation_id)
            .collect());
        let guarantees = ids(self
            .all::<income::RentGuaranteeRequested>()
            .into_iter()
            .map(|(_, event)| event.allocation_id)
            .collect());
        let handovers =
            ids(self.all::<aftercare::HandoverDrafted>().into_iter().map(|(_, event)| event.allocation_id).collect());
        for (_, home) in self.all::<housing::AllocationAccepted>() {
            let id = &home.allocation_id;
            let wanted = u32::from(home.guarantee_required);
            for (what, count, wanted) in
                [("benefit starts", &starts, 1), ("guarantees", &guarantees, wanted), ("handovers", &handovers, 1)]
            {
                let found = count.get(id).copied().unwrap_or(0);
                tally.hold(found == wanted, || format!("allocation {id} has {found} {what}, not {wanted}"));
            }
        }
        let mut notified = BTreeSet::new();
        for (_, event) in self.all::<access::NotificationReceived>() {
            let fresh = notified.insert(event.notification_id.clone());
            tally.hold(fresh, || format!("notification {} came twice", event.notification_id));
        }
        *self.tally("P3") = tally;
    }

    /// P4
    async fn undone_everywhere(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let accepted: BTreeMap<String, housing::AllocationAccepted> = self
            .all::<housing::AllocationAccepted>()
            .into_iter()
            .map(|(_, home)| (home.allocation_id.clone(), home))
            .collect();
        let starts: BTreeSet<_> =
            self.all::<income::BenefitStartWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        let guarantees: BTreeSet<_> =
            self.all::<income::RentGuaranteeWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        let handovers: BTreeSet<_> =
            self.all::<aftercare::HandoverCancelled>().into_iter().map(|(_, e)| e.allocation_id).collect();
        let died: BTreeSet<_> = self.all::<access::ClientDied>().into_iter().map(|(_, e)| e.client_id).collect();
        let withdrawn: Vec<_> =
            self.all::<housing::AllocationWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        // A whole request that was withdrawn takes the start with it.
        let whole: BTreeSet<_> = self
            .all::<income::BenefitRequestWithdrawn>()
            .into_iter()
            .map(|(_, event)| event.allocation_id)
            .filter(|id| !id.is_empty())
            .collect();
        let gone: BTreeSet<_> =
            self.all::<income::BenefitRequestWithdrawn>().into_iter().map(|(fact, _)| fact.client.clone()).collect();
        for id in &withdrawn {
            let Some(home) = accepted.get(id) else { continue };
            let start = starts.contains(id) || whole.contains(id);
            tally.hold(start, || format!("the benefit start of fallen allocation {id} stands"));
            tally.hold(handovers.contains(id), || format!("the handover of fallen allocation {id} stands"));
            if home.guarantee_required {
                tally.hold(guarantees.contains(id), || format!("the guarantee of fallen allocation {id} stands"));
            }
            if !died.contains(&home.client_id) {
                // No more than that: the client's own request goes on.
                tally
                    .hold(!gone.contains(&home.client_id), || format!("the benefit request went with allocation {id}"));
                let desk = self.world.person(Role::Shelter, &home.provider).income("shelter");
                let request = income::GetBenefitStatusRequest { client_id: home.client_id.clone() };
                let status = { desk }.get_benefit_status(request).await.said("GetBenefitStatus")?;
                tally.hold(status.status() != income::BenefitStatus::None, || {
                    format!("no benefit request is left after {id}")
                });
            }
        }
        let over: BTreeSet<&String> = withdrawn.iter().collect();
        let mut live: BTreeMap<&str, i32> = BTreeMap::new();
        for home in accepted.values().filter(|home| !over.contains(&home.allocation_id)) {
            *live.entry(&home.contingent_id).or_default() += 1;
        }
        let mut regie = self.world.person(Role::Regie, "gemeente-dordrecht").housing("regie");
        let request = housing::ListContingentsRequest { page_size: 500, ..Default::default() };
        for contingent in regie.list_contingents(request).await.said("ListContingents")?.contingents {
            let wanted = live.get(contingent.contingent_id.as_str()).copied().unwrap_or(0);
            tally.hold(contingent.drawn == wanted, || {
                format!("contingent {} shows {} drawn, not {wanted}", contingent.contingent_id, contingent.drawn)
            });
        }
        *self.tally("P4") = tally;
        Ok(())
    }

    /// P5
    async fn no_signal_lost(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let received = self.all::<aftercare::SignalReceived>();
        let mut teams: BTreeSet<(Role, String)> = BTreeSet::new();
        let mut regie = self.world.person(Role::Regie, "gemeente-dordrecht").regie("regie");
        let request = regie::ListOrganisationsRequest { page_size: 500, ..Default::default() };
        for organisation in regie.list_organisations(request).await.said("ListOrganisations")?.organisations {
            for role in organisation.roles.iter().filter_map(|role| Role::from_key(role)) {
                if matches!(role, Role::District | Role::Shelter | Role::Vo) {
                    teams.insert((role, organisation.organisation.clone()));
                }
            }
        }
        for (role, organisation) in &teams {
            let team = self.world.person(*role, organisation);
            let purpose = if *role == Role::District { "aftercare" } else { "shelter" };
            let stream: Vec<(String, String)> = self
                .world
                .read(&team, "aftercare", purpose, "")
                .await?
                .into_iter()
                .filter_map(|event| Fact::read("aftercare", event).ok())
                .filter_map(|fact| {
                    fact.of::<aftercare::SignalReceived>().map(|signal| (fact.client.clone(), signal.signal_id))
                })
                .collect();
            let mine: Vec<(String, String)> = received
                .iter()
                .filter(|(_, signal)| signal.teams.contains(organisation))
                .map(|(fact, signal)| (fact.client.clone(), signal.signal_id.clone()))
                .collect();
            for signal in &mine {
                tally.hold(stream.contains(signal), || format!("signal {} did not reach {organisation}", signal.1));
            }
            for signal in &stream {
                tally.hold(mine.contains(signal), || format!("{organisation} got signal {} of others", signal.1));
            }
            let order = |of: &[(String, String)]| {
                let mut by_client: BTreeMap<String, Vec<String>> = BTreeMap::new();
                of.iter()
                    .for_each(|(client, signal)| by_client.entry(client.clone()).or_default().push(signal.clone()));
                by_client
            };
            tally.hold(order(&stream) == order(&mine), || format!("{organisation} got its signals out of order"));
        }
        // Whoever resumes a named subscription has acknowledged all that was for them.
        for (organisation, name) in &subscriptions(self.world, "aftercare").await? {
            let Some((role, _)) = teams.iter().find(|(_, team)| team == organisation) else { continue };
            let team = self.world.person(*role, organisation);
            let purpose = if *role == Role::District { "aftercare" } else { "shelter" };
            let left = self.world.read(&team, "aftercare", purpose, name).await?.len();
            tally.hold(left == 0, || format!("{organisation} has not acknowledged {left} events of {name}"));
        }
        // Taken up in time, or it went on to the case holder and the municipality.
        let taken: BTreeMap<String, Date> = self
            .all::<aftercare::SignalTakenUp>()
            .into_iter()
            .map(|(fact, event)| (event.signal_id, fact.on))
            .collect();
        let closed: BTreeMap<String, Date> =
            self.all::<aftercare::SignalClosed>().into_iter().map(|(fact, event)| (event.signal_id, fact.on)).collect();
        let escalated: BTreeSet<String> =
            self.all::<aftercare::SignalEscalated>().into_iter().map(|(_, event)| event.signal_id).collect();
        let told: BTreeSet<String> = self
            .all::<regie::TaskOpened>()
            .into_iter()
            .filter(|(_, task)| {
                matches!(task.kind(), regie::TaskKind::TakeUpSignal | regie::TaskKind::FindPlaceTonight)
            })
            .map(|(_, task)| task.subject_id)
            .collect();
        for (_, signal) in &received {
            let Ok(answer_by) = proto::to_date("answer_by", signal.answer_by.as_ref()) else { continue };
            let ended = taken.get(&signal.signal_id).into_iter().chain(closed.get(&signal.signal_id)).min();
            if answer_by >= self.world.today() || ended.is_some_and(|day| *day <= answer_by) {
                tally.hold(true, String::new);
            } else {
                let reached = escalated.contains(&signal.signal_id) && told.contains(&signal.signal_id);
                tally.hold(reached, || format!("signal {} was left lying", signal.signal_id));
            }
        }
        *self.tally("P5") = tally;
        Ok(())
    }

    /// P6
    fn never_back_on_the_street(&mut self) {
        let mut tally = Tally::default();
        let claims = self.all::<access::PlaceClaimed>();
        let tasks = self.all::<regie::TaskOpened>();
        for (fact, report) in self.all::<aftercare::NowhereToSleepReported>() {
            let claimed = claims.iter().any(|(claim, event)| {
                (event.signal_id == report.signal_id || event.client_id == report.client_id) && claim.on == fact.on
            });
            let alarmed = tasks.iter().any(|(task, event)| {
                event.kind() == regie::TaskKind::FindPlaceTonight
                    && event.subject_id == report.signal_id
                    && task.on == fact.on
            });
            tally.hold(claimed || alarmed, || format!("nobody saw to signal {} the same day", report.signal_id));
        }
        *self.tally("P6") = tally;
    }

    /// P7
    fn nothing_lapses_silently(&mut self) {
        let mut tally = Tally::default();
        // When each task was first put on somebody's list.
        let tasks: BTreeMap<(Task, String), Date> = self
            .all::<regie::TaskOpened>()
            .into_iter()
            .rev()
            .map(|(fact, task)| ((task.kind(), task.subject_id), fact.on))
            .collect();
        let mut lapses: Vec<Lapse> = Vec::new();
        macro_rules! lapse {
            ($what:literal, $lapsed:ty, $warned:ty, $id:ident, $tasks:expr) => {
                lapse!($what, $lapsed, $warned, $id, $tasks, |_| true);
            };
            ($what:literal, $lapsed:ty, $warned:ty, $id:ident, $tasks:expr, $counts:expr) => {
                let warnings: BTreeMap<String, Date> =
                    self.all::<$warned>().into_iter().rev().map(|(fact, event)| (event.$id, fact.on)).collect();
                let counts: fn(&$lapsed) -> bool = $counts;
                for (fact, event) in self.all::<$lapsed>().into_iter().filter(|(_, event)| counts(event)) {
                    let warned = warnings.get(&event.$id).copied();
                    lapses.push(Lapse { what: $what, id: event.$id, on: fact.on, warned, wanted: $tasks });
                }
            };
        }
        let answers = &[Task::AnswerOffer, Task::AnswerCandidate];
        lapse!("offer", housing::OfferLapsed, housing::OfferEndingSoon, offer_id, answers);
        let extension = &[Task::ExtendDecision];
        lapse!("decision", access::DecisionEnded, access::DecisionEndingSoon, decision_id, extension, |event| {
            event.reason() == access::DecisionEndReason::Expired
        });
        let finding = &[Task::FinishInvestigation];
        lapse!("investigation", access::InvestigationOverdue, access::InvestigationDueSoon, notification_id, finding);
        lapse!("claimed place", access::PlaceClaimReleased, access::PlaceClaimEndingSoon, claim_id, &[], |event| {
            event.reason() == access::ClaimReleaseReason::Lapsed
        });
        lapse!("handover", aftercare::HandoverOverdue, aftercare::HandoverDueSoon, handover_id, &[]);
        lapse!("rent guarantee", income::RentGuaranteeEnded, income::RentGuaranteeEndingSoon, guarantee_id, &[]);
        let answer = &[Task::GiveInformation];
        lapse!("information", income::InformationOverdue, income::InformationDueSoon, benefit_request_id, answer);
        let decision = &[Task::DecideBenefit];
        lapse!("benefit", income::BenefitDecisionOverdue, income::BenefitDecisionDue, benefit_request_id, decision);
        lapse!("advance", income::AdvanceOverdue, income::AdvanceDue, benefit_request_id, &[Task::PayAdvance]);
        for Lapse { what, id, on: lapsed, warned, wanted } in lapses {
            tally.hold(warned.is_some_and(|warned| warned <= lapsed), || {
                format!("the {what} {id} lapsed on {lapsed} unannounced")
            });
            if !wanted.is_empty() {
                tally.hold(was_listed(&tasks, wanted, &id, lapsed), || {
                    format!("the {what} {id} lapsed on {lapsed} and was on nobody's list before")
                });
            }
        }
        self.tasks_warn(&mut tally);
        *self.tally("P7") = tally;
    }

    /// A task that nobody did was on somebody's list before its day, and warned of it unless it was that short.
    fn tasks_warn(&self, tally: &mut Tally) {
        // A task that gets another last day is opened anew.
        let due_of = |due: &Option<proto::google::r#type::Date>| proto::to_date("due_on", due.as_ref()).ok();
        let opened: BTreeMap<(String, Option<Date>), Date> = self
            .all::<regie::TaskOpened>()
            .into_iter()
            .rev()
            .map(|(fact, task)| ((task.task_id, due_of(&task.due_on)), fact.on))
            .collect();
        let warned: BTreeMap<String, Date> = self
            .all::<regie::DeadlineApproaching>()
            .into_iter()
            .rev()
            .map(|(fact, event)| (event.task_id, fact.on))
            .collect();
        for (fact, missed) in self.all::<regie::DeadlineMissed>() {
            let id = &missed.task_id;
            let Some(due) = due_of(&missed.due_on) else { continue };
            let on_the_list = opened.get(&(id.clone(), Some(due))).copied();
            tally.hold(on_the_list.is_some_and(|day| day <= due), || {
                format!("task {id} was missed and on nobody's list")
            });
            let short = on_the_list.is_some_and(|day| day >= Calendar::default().add_working_days(due, -3));
            let told = warned.get(id).is_some_and(|day| *day <= fact.on);
            tally.hold(short || told, || {
                format!("task {id} ({:?}) of {on_the_list:?} was missed on {due} without a warning", missed.kind())
            });
        }
    }

    /// P8
    async fn only_what_you_need(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        self.partners_feeds(&mut tally).await?;
        self.views(&mut tally).await?;
        self.strangers(&mut tally).await?;
        self.own_log(&mut tally).await?;
        *self.tally("P8") = tally;
        Ok(())
    }

    /// What a partner's feed carried: types for its role, and no category beyond its column of the matrix.
    async fn partners_feeds(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let partners = [
            (Role::Corporation, "trivire", "housing"),
            (Role::Corporation, "woonbron", "housing"),
            (Role::Income, "sociale-dienst", "income"),
            (Role::District, "wijkteam-west", "aftercare"),
            (Role::District, "wijkteam-oost", "aftercare"),
            (Role::Shelter, "leger-des-heils", "shelter"),
        ];
        for (role, organisation, purpose) in partners {
            let partner = self.world.person(role, organisation);
            let mut streams = Vec::new();
            for service in ["access", "housing", "income", "aftercare", "regie"] {
                let partner = partner.clone();
                streams.push(async move { self.world.read(&partner, service, purpose, "").await });
            }
            for event in futures_util::future::try_join_all(streams).await?.into_iter().flatten() {
                let payload = event.payload.context("an event has a payload")?;
                let name = payload.type_url.rsplit('/').next().unwrap_or_default();
                let descriptor = CONTRACT.message(name).context("an event is of the contract")?;
                let message = DynamicMessage::decode(descriptor, payload.value.as_slice())?;
                let overheard = CONTRACT.overheard(role, &message);
                tally.hold(overheard.is_none(), || format!("{organisation}: {}", overheard.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// What the answers that a role may ask for can carry at all. Who may ask is found out by asking without saying what
    /// for, so that nothing is done and nothing shown.
    async fn views(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let askers: Vec<(Role, Person)> = Role::ALL.iter().map(|role| (*role, self.world.anybody(*role))).collect();
        for method in crate::dynamic::methods().filter(|method| CONTRACT.tells_of_people(&method.output())) {
            let name = format!("{}/{}", method.parent_service().name(), method.name());
            let service = crate::dynamic::service_of(&method).unwrap_or_else(|| "access".to_owned());
            let ask = async |person: &Person| {
                let request = tonic::Request::new(DynamicMessage::new(method.input()));
                crate::dynamic::call(person.to(&service, ""), &method, request).await.map(drop)
            };
            let answers = futures_util::future::join_all(askers.iter().map(|(_, person)| ask(person))).await;
            for ((role, _), said) in askers.iter().zip(answers) {
                let forbidden = CONTRACT.too_much(*role, &method.output());
                match may_ask(&said) {
                    Some(true) => {
                        tally.hold(forbidden.is_empty(), || format!("{name} can tell {role} {forbidden:?}"));
                    }
                    Some(false) => {}
                    None => tally.hold(false, || format!("{name} without a purpose: {said:?}")),
                }
            }
        }
        Ok(())
    }

    /// Whoever has nothing to do with a client hears the same as of somebody who does not exist.
    async fn strangers(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let clients: BTreeSet<String> =
            self.all::<access::ClientRegistered>().into_iter().map(|(_, event)| event.client_id).take(3).collect();
        let stranger = self.world.person(Role::Shelter, "vreemde-opvang").access("shelter");
        let corporation = self.world.person(Role::Corporation, "vreemde-corporatie");
        let nobody = uuid::Uuid::new_v4().to_string();
        for client_id in clients {
            let look = |client_id: String| {
                let (mut shelter, mut landlord) = (stranger.clone(), corporation.access("housing"));
                async move {
                    let journey = access::GetJourneyRequest { client_id: client_id.clone() };
                    let tenant = access::GetTenantRequest { client_id };
                    [shelter.get_journey(journey).await.err(), landlord.get_tenant(tenant).await.err()]
                }
            };
            for (known, unknown) in look(client_id).await.into_iter().zip(look(nobody.clone()).await) {
                tally.hold(alike(known.as_ref(), unknown.as_ref()), || {
                    format!("a stranger can tell who is known: {known:?} and {unknown:?}")
                });
            }
        }
        let mut housing = corporation.income("housing");
        let denied =
            housing.get_benefit_request(income::GetBenefitRequestRequest { benefit_request_id: nobody }).await.err();
        let by_role = denied.as_ref().is_some_and(|status| refusal::reason(status) == "ROLE_NOT_ALLOWED");
        tally.hold(by_role, || format!("a corporation may ask for a benefit: {denied:?}"));
        Ok(())
    }

    /// The client reads who looked: also this reader, a moment ago.
    async fn own_log(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let clients: Vec<String> =
            self.all::<access::ClientRegistered>().into_iter().map(|(_, event)| event.client_id).take(20).collect();
        let mut desk = self.world.person(Role::Access, "gemeente-dordrecht").access("investigation");
        for client_id in clients {
            let before = self.looks(&client_id).await?;
            desk.get_journey(access::GetJourneyRequest { client_id: client_id.clone() }).await.said("GetJourney")?;
            let after = self.looks(&client_id).await?;
            tally.hold(after == before + 1, || format!("a look at {client_id} is not in the own log"));
        }
        Ok(())
    }

    /// How often the access desk read the journey, by the client's own log.
    async fn looks(&self, client_id: &str) -> anyhow::Result<usize> {
        let mut own = self.world.client(client_id)?.audit("access", "own-file");
        let request = ListAccessRequest { client_id: client_id.to_owned(), page_size: 500, page_token: String::new() };
        let entries = own.list_access(request).await.said("ListAccess")?.entries;
        let by_desk = |entry: &&proto::audit::v1::AccessEntry| {
            entry.method == "AccessService/GetJourney"
                && entry.organisation == "gemeente-dordrecht"
                && entry.result == "ok"
        };
        Ok(entries.iter().filter(by_desk).count())
    }

    /// P9
    async fn the_numbers_are_true(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        self.every_night_is_there(&mut tally)?;
        self.recount(&mut tally).await?;
        for (_, rebuilt) in self.all::<monitor::FiguresRebuilt>() {
            tally.hold(rebuilt.identical, || "a rebuild gave other figures".to_owned());
        }
        *self.tally("P9") = tally;
        Ok(())
    }

    /// Every night of every stay is in a register, and the nights of who left add up.
    fn every_night_is_there(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let mut nights: BTreeMap<String, BTreeMap<Date, access::NightUse>> = BTreeMap::new();
        for (_, register) in self.all::<access::NightsRecorded>() {
            let night = proto::to_date("night", register.night.as_ref())?;
            for entry in register.entries {
                let used = entry.r#use();
                nights.entry(entry.stay_id).or_default().insert(night, used);
            }
        }
        let departed: BTreeMap<String, access::Departed> =
            self.all::<access::Departed>().into_iter().map(|(_, event)| (event.stay_id.clone(), event)).collect();
        for (_, stay) in self.all::<access::Admitted>() {
            let from = proto::to_date("admitted_on", stay.admitted_on.as_ref())?;
            let left = departed.get(&stay.stay_id);
            let until = match left {
                Some(departed) => proto::to_date("departed_on", departed.departed_on.as_ref())?,
                None => self.world.today(),
            };
            let slept = nights.get(&stay.stay_id);
            let days = from.until(until).map_or(0, |span| span.get_days().max(0)) as usize;
            let recorded = slept.map_or(0, |slept| slept.range(from..until).count());
            tally.hold(recorded == days, || {
                format!("stay {} has {recorded} of {days} nights in the registers", stay.stay_id)
            });
            if let Some(departed) = left {
                let used =
                    slept.map_or(0, |slept| slept.values().filter(|used| **used == access::NightUse::Used).count());
                tally.hold(departed.nights_used as usize == used, || {
                    format!("stay {} departed with {} nights, and slept {used}", stay.stay_id, departed.nights_used)
                });
            }
        }
        Ok(())
    }

    /// Counts the six measures from the events, and holds the monitor's answer against them; looks for cells too small.
    async fn recount(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let counted = self.count()?;
        let periods: BTreeSet<String> = counted.keys().map(|(period, _)| period.clone()).collect();
        let mut policy_staff = self.world.person(Role::Monitor, "gemeente-dordrecht").monitor("monitoring");
        let listed = policy_staff.list_measures(monitor::ListMeasuresRequest::default()).await.said("ListMeasures")?;
        let request = monitor::GetFiguresRequest {
            measures: listed.measures.iter().map(|measure| measure.key.clone()).collect(),
            periods: periods.into_iter().collect(),
        };
        let cells = policy_staff.get_figures(request).await.said("GetFigures")?.cells;
        for cell in cells.iter().filter(|cell| cell.category.is_empty()) {
            let Some(true_value) = counted.get(&(cell.period.clone(), cell.measure.as_str())) else { continue };
            let Some(shown) = cell.value_milli else { continue };
            let close = (shown as f64 / 1000.0 - true_value).abs() <= 0.000_501;
            tally.hold(close, || {
                format!("{} {}: shown {shown} thousandths, counted {true_value}", cell.period, cell.measure)
            });
        }
        let counts: BTreeSet<&str> = listed
            .measures
            .iter()
            .filter(|measure| measure.unit() == monitor::Unit::Count)
            .map(|measure| measure.key.as_str())
            .collect();
        for cell in cells.iter().filter(|cell| counts.contains(cell.measure.as_str())) {
            let small = cell.value_milli.is_some_and(|value| (1000..5000).contains(&value));
            tally.hold(!small, || {
                format!("{} {} {} shows {:?}", cell.period, cell.measure, cell.category, cell.value_milli)
            });
        }
        Ok(())
    }

    /// The six measures per year and half year, from the events alone. A mean over nobody is no figure.
    fn count(&self) -> anyhow::Result<BTreeMap<(String, &'static str), f64>> {
        let mut figures: BTreeMap<(String, &'static str), f64> = BTreeMap::new();
        let mut received = BTreeMap::new();
        for (_, event) in self.all::<access::NotificationReceived>() {
            let day = proto::to_date("received_on", event.received_on.as_ref())?;
            received.insert(event.notification_id, day);
            periods_of(day)
                .into_iter()
                .for_each(|period| *figures.entry((period, "registrations")).or_default() += 1.0);
        }
        for (_, event) in self.all::<access::TrajectoryStarted>() {
            let periods = received.get(&event.notification_id).map(|day| periods_of(*day));
            periods
                .into_iter()
                .flatten()
                .for_each(|period| *figures.entry((period, "trajectories")).or_default() += 1.0);
        }
        let mut left: BTreeMap<String, (f64, f64, f64)> = BTreeMap::new();
        for (_, event) in self.all::<access::Departed>() {
            if event.outcome() == access::DepartureOutcome::Left {
                let until = proto::to_date("departed_on", event.departed_on.as_ref())?;
                let from = proto::to_date("admitted_on", event.admitted_on.as_ref())?;
                for period in periods_of(until) {
                    let sums = left.entry(period).or_default();
                    sums.0 += 1.0;
                    sums.1 += f64::from(event.nights_used);
                    sums.2 += f64::from(from.until(until)?.get_days());
                }
            }
        }
        for (period, (number, nights, days)) in left {
            figures.insert((period.clone(), "left"), number);
            figures.insert((period.clone(), "mean_nights"), nights / number);
            figures.insert((period, "mean_trajectory_days"), days / number);
        }
        let mut registers = BTreeMap::new();
        for (_, register) in self.all::<access::NightsRecorded>() {
            let night = proto::to_date("night", register.night.as_ref())?;
            let used = register.entries.iter().filter(|entry| entry.r#use() == access::NightUse::Used).count();
            registers.insert((register.facility_id, night), used);
        }
        let mut beds: BTreeMap<String, (f64, BTreeSet<Date>)> = BTreeMap::new();
        for ((_, night), used) in registers {
            for period in periods_of(night) {
                let (sum, nights) = beds.entry(period).or_default();
                *sum += used as f64;
                nights.insert(night);
            }
        }
        for (period, (used, nights)) in beds {
            // A period that began before the first register or runs on is not whole, and is not compared.
            let Some(first) =
                nights.first().copied().filter(|first| first.day() == 1 && matches!(first.month(), 1 | 7))
            else {
                continue;
            };
            let months = if period.contains("-H") { 6 } else { 12 };
            let days = first.until(first.saturating_add(months.months()))?.total((jiff::Unit::Day, first))?;
            if nights.len() as f64 == days {
                figures.insert((period, "mean_occupied_beds"), used / days);
            }
        }
        Ok(figures)
    }

    /// P10
    async fn enter_once(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        let starts: BTreeMap<String, income::BenefitRequestCompleted> = self
            .all::<income::BenefitRequestCompleted>()
            .into_iter()
            .map(|(_, e)| (e.allocation_id.clone(), e))
            .collect();
        let handovers: BTreeMap<String, aftercare::HandoverDrafted> =
            self.all::<aftercare::HandoverDrafted>().into_iter().map(|(_, e)| (e.allocation_id.clone(), e)).collect();
        let withdrawn: BTreeSet<String> =
            self.all::<housing::AllocationWithdrawn>().into_iter().map(|(_, e)| e.allocation_id).collect();
        for (_, home) in self.all::<housing::AllocationAccepted>() {
            let id = &home.allocation_id;
            let lease = starts.get(id).is_some_and(|start| {
                start.lease_start_on == home.lease_start_on && start.municipality == home.municipality
            });
            tally.hold(lease, || format!("income does not know the lease start of {id} from housing"));
            let giver = handovers.get(id).is_some_and(|handover| handover.from_organisation == home.provider);
            tally.hold(giver, || format!("aftercare does not know who gives the handover of {id} from housing"));
            if withdrawn.contains(id) {
                continue;
            }
            let mut desk = self.world.person(Role::Income, "sociale-dienst").housing("income");
            let request = housing::GetMoveForIncomeRequest { allocation_id: id.clone() };
            match desk.get_move_for_income(request).await {
                Ok(answer) => {
                    tally.hold(answer.into_inner().rent_cents == home.rent_cents, || format!("another rent for {id}"))
                }
                // Once the move is over social services have nothing to do with it any more.
                Err(status) => tally.hold(status.code() == Code::NotFound, || refusal::explain(&status)),
            }
        }
        // The name is entered at the door and nowhere else: who guides a client reads it there.
        let notified: BTreeSet<(String, String)> = self
            .all::<access::ClientRegistered>()
            .into_iter()
            .map(|(_, event)| (event.client_id, event.registered_by))
            .take(20)
            .collect();
        for (client_id, organisation) in notified {
            let mut desk = self.world.person(Role::Access, &organisation).access("notification");
            let client =
                desk.get_client(access::GetClientRequest { client_id: client_id.clone() }).await.said("GetClient")?;
            let named = client.client.is_some_and(|client| !client.surname.is_empty());
            tally.hold(named, || format!("client {client_id} has no name at the door"));
        }
        *self.tally("P10") = tally;
        Ok(())
    }
}

/// The year and the half year of a day.
fn periods_of(day: Date) -> [String; 2] {
    let half = if day.month() <= 6 { 1 } else { 2 };
    [day.year().to_string(), format!("{}-H{half}", day.year())]
}

/// The named subscriptions on a feed: organisation and name.
async fn subscriptions(world: &World, service: &str) -> anyhow::Result<Vec<(String, String)>> {
    let regie = world.person(Role::Regie, roles::organisation(Role::Regie));
    let status = regie.feed(service, "operations").get_status(GetStatusRequest {}).await.said("GetStatus")?;
    Ok(status.subscriptions.into_iter().map(|subscription| (subscription.organisation, subscription.name)).collect())
}

/// Something that lapsed.
struct Lapse {
    what: &'static str,
    id: String,
    on: Date,
    /// When it was warned of.
    warned: Option<Date>,
    /// The tasks of which one had to be on somebody's list before.
    wanted: &'static [Task],
}

/// Whether one of the tasks that keep something from lapsing was on somebody's list before it did. A task of another kind,
/// as the one to see to what follows from the lapse, is none of them.
fn was_listed(opened: &BTreeMap<(Task, String), Date>, wanted: &[Task], subject: &str, lapsed: Date) -> bool {
    wanted.iter().any(|kind| opened.get(&(*kind, subject.to_owned())).is_some_and(|day| *day < lapsed))
}

/// What a call without a purpose says of who may ask: whoever may not hears that first, whoever may is asked for the
/// purpose. Anything else is no answer to that.
fn may_ask(said: &Result<(), Status>) -> Option<bool> {
    match refusal::reason(said.as_ref().err()?).as_str() {
        "ROLE_NOT_ALLOWED" => Some(false),
        "PURPOSE_MISSING" => Some(true),
        _ => None,
    }
}

/// Whether somebody who is known and somebody who is not cannot be told apart.
fn alike(known: Option<&Status>, unknown: Option<&Status>) -> bool {
    let (Some(known), Some(unknown)) = (known, unknown) else { return false };
    known.code() == Code::NotFound && refusal::explain(known) == refusal::explain(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_and_remembers_the_first_breaks() {
        let mut tally = Tally::default();
        (0..10).for_each(|n| tally.hold(n % 2 == 0, || format!("{n}")));
        assert_eq!((tally.checked, tally.broken, tally.faults.len()), (10, 5, 5));
        let mut both = tally.clone();
        both.add(&tally);
        assert_eq!((both.checked, both.broken), (20, 10));
        assert_eq!(PROMISES.len(), 10);
    }
    /// P7
    #[test]
    fn what_follows_from_a_lapse_is_no_warning_of_it() {
        let day = |day| Date::constant(2026, 3, day);
        let answers = &[Task::AnswerOffer, Task::AnswerCandidate];
        let listed = |kind, on| was_listed(&[((kind, "offer".to_owned()), day(on))].into(), answers, "offer", day(9));
        assert!(listed(Task::AnswerOffer, 8) && listed(Task::AnswerCandidate, 8));
        assert!(!listed(Task::AnswerOffer, 9), "on the day itself it is too late");
        assert!(!listed(Task::FollowUpOffer, 8), "another task about the same offer");
        assert!(!was_listed(&BTreeMap::new(), answers, "offer", day(9)));
    }

    /// P8
    #[test]
    fn a_stranger_may_not_be_able_to_tell_who_is_known() {
        let nobody = || proto::status(&(&kernel::general::NOT_FOUND).into());
        let named =
            || proto::status(&kernel::general::NOT_FOUND.field("client_id", "is another's", "is van een ander"));
        let denied = || proto::status(&kernel::general::ROLE_NOT_ALLOWED.with("rpc", "GetJourney"));
        assert!(alike(Some(&nobody()), Some(&nobody())));
        assert!(!alike(None, Some(&nobody())), "the known one is shown");
        assert!(!alike(Some(&denied()), Some(&denied())), "that something is there is told");
        assert!(!alike(Some(&named()), Some(&nobody())), "the details differ");
        assert!(!alike(None, None));
    }

    /// P8
    #[test]
    fn who_may_ask_is_told_by_what_is_asked_back() {
        let said = |reason: &'static kernel::Reason| may_ask(&Err(proto::status(&reason.into())));
        assert_eq!(said(&kernel::general::ROLE_NOT_ALLOWED), Some(false));
        assert_eq!(said(&kernel::general::PURPOSE_MISSING), Some(true));
        assert_eq!(said(&kernel::general::NOT_FOUND), None, "it was let in without a purpose");
        assert_eq!(may_ask(&Ok(())), None, "it was answered without a purpose");
    }
}
