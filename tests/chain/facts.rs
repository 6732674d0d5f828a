//! What the feeds told, read as a service of the chain reads them; and what must hold of it whatever happened.

use super::services::SERVICES;
use super::{Chain, steps::wire};
use kernel::{Date, Role};
use prost::{Message, Name};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::feed::v1::{Event, SubscribeRequest};
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::monitor::v1 as monitor;
use proto::regie::v1 as regie;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use testkit::rid;
use tokio_stream::StreamExt as _;

/// Every event of every feed, each feed in its order.
pub struct Facts(pub Vec<(&'static str, Event)>);

impl Facts {
    /// Every event of one kind, in the order of its feed.
    pub fn all<E: Message + Name + Default>(&self) -> Vec<E> {
        self.with_envelope().into_iter().map(|(_, event)| event).collect()
    }

    /// The same, each with its envelope.
    pub fn with_envelope<E: Message + Name + Default>(&self) -> Vec<(&Event, E)> {
        self.0.iter().filter_map(|(_, event)| Some((event, payload::<E>(event)?))).collect()
    }

    /// How many events of one kind there are that are such.
    pub fn count<E: Message + Name + Default>(&self, such: impl Fn(&E) -> bool) -> usize {
        self.all::<E>().iter().filter(|event| such(event)).count()
    }

    /// On which days events of one kind happened that are such.
    pub fn days<E: Message + Name + Default>(&self, such: impl Fn(&E) -> bool) -> Vec<Date> {
        let events = self.with_envelope::<E>().into_iter().filter(|(_, event)| such(event));
        events.map(|(envelope, _)| proto::to_date("occurred_on", envelope.occurred_on.as_ref()).unwrap()).collect()
    }
}

/// An event's payload, when it is of that kind.
pub fn payload<E: Message + Name + Default>(event: &Event) -> Option<E> {
    let payload = event.payload.as_ref().filter(|payload| payload.type_url == E::type_url())?;
    Some(E::decode(payload.value.as_slice()).unwrap())
}

/// The name of an event's message.
pub fn name(event: &Event) -> String {
    let url = event.payload.as_ref().map(|payload| payload.type_url.as_str()).unwrap_or_default();
    url.rsplit('.').next().unwrap_or_default().to_owned()
}

impl Chain {
    /// Reads every feed from its oldest event to its newest.
    pub async fn facts(&self) -> Facts {
        let reader = self.person(Role::SvcMonitor);
        let mut facts = Vec::new();
        for service in SERVICES {
            let head = self.status(service).await.unwrap().head as usize;
            let mut feed = reader.feed(service, "operations");
            let mut stream = feed.subscribe(SubscribeRequest::default()).await.unwrap().into_inner();
            let mut events = Vec::new();
            while events.len() < head {
                let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
                let next = next.unwrap_or_else(|_| panic!("{service} tells {} of its {head} events", events.len()));
                events.extend(next.expect("the feed goes on").unwrap().event.map(|event| (service, event)));
            }
            facts.extend(events);
        }
        Facts(facts)
    }

    /// Holds against the facts what must be so at rest, whatever happened before. Gives the facts.
    pub async fn hold(&self) -> Facts {
        self.settle().await;
        let facts = self.facts().await;
        no_event_twice(&facts);
        one_home_one_household(&facts);
        signed_with_an_open_gate(&facts);
        exactly_one_effect(&facts);
        undone_everywhere(&facts);
        let refused = facts.count::<regie::TaskOpened>(|task| task.kind() == regie::TaskKind::SettleRefusedCommand);
        assert_eq!(refused, 0, "a service refused for good what regie asked");
        self.dwellings_agree(&facts).await;
        self.figures_agree(&facts).await;
        facts
    }

    /// P1: what is shown of dwellings and contingents is what happened to them.
    async fn dwellings_agree(&self, facts: &Facts) {
        let door = self.person(Role::Regie).housing("regie");
        let live = live(facts);
        let request = housing::ListDwellingsRequest { page_size: 500, ..Default::default() };
        for dwelling in call!(self, door, list_dwellings, request).dwellings {
            let taken = dwelling.state() == housing::DwellingState::Allocated;
            let allocated = live.iter().any(|home| home.dwelling_id == dwelling.dwelling_id);
            assert_eq!(taken, allocated, "dwelling {}", dwelling.dwelling_id);
        }
        let request = housing::ListContingentsRequest { page_size: 500, ..Default::default() };
        for contingent in call!(self, door, list_contingents, request).contingents {
            let drawn = live.iter().filter(|home| home.contingent_id == contingent.contingent_id).count();
            assert_eq!(contingent.drawn as usize, drawn, "contingent {}", contingent.contingent_id);
        }
    }

    /// P9: the monitor's figures of this year are what was fed in, and a rebuild gives the same bytes.
    async fn figures_agree(&self, facts: &Facts) {
        let year = self.today().year();
        let notified = facts.count::<access::NotificationReceived>(|event| {
            event.received_on.as_ref().is_some_and(|day| day.year == i32::from(year))
        });
        let left = facts.count::<access::Departed>(|event| {
            event.outcome() == access::DepartureOutcome::Left
                && event.departed_on.as_ref().is_some_and(|day| day.year == i32::from(year))
        });
        let door = self.person(Role::Monitor).monitor("monitoring");
        for (measure, counted) in [("registrations", notified), ("left", left)] {
            let request =
                monitor::GetFiguresRequest { measures: vec![measure.to_owned()], periods: vec![year.to_string()] };
            let cells = call!(self, door, get_figures, request).cells;
            let cell = cells.iter().find(|cell| cell.category.is_empty());
            match (cell.map(|cell| (cell.state(), cell.value_milli)), counted) {
                (None, 0) | (Some((monitor::CellState::Hidden, None)), 1..5) => {}
                (Some((monitor::CellState::Shown, Some(shown))), _) => {
                    assert_eq!(shown, counted as i64 * 1000, "{measure}");
                    assert!(counted == 0 || counted >= 5, "{measure} tells of {counted}");
                }
                // A figure may be hidden for the sake of another one.
                (Some((monitor::CellState::Hidden, None)), _) => {}
                (cell, counted) => panic!("{measure}: {cell:?} for {counted}"),
            }
        }
        let request = monitor::RebuildRequest { request_id: rid() };
        let rebuilt = call!(self, door, rebuild, request);
        assert!(rebuilt.identical, "a rebuild gave other figures");
    }
}

fn no_event_twice(facts: &Facts) {
    let ids: BTreeSet<&str> = facts.0.iter().map(|(_, event)| event.event_id.as_str()).collect();
    assert_eq!(ids.len(), facts.0.len(), "an event is on a feed twice");
}

/// P1
fn one_home_one_household(facts: &Facts) {
    let mut living: BTreeMap<String, String> = BTreeMap::new();
    for (_, event) in facts.0.iter().filter(|(feed, _)| *feed == "housing") {
        if let Some(home) = payload::<housing::AllocationAccepted>(event) {
            let before = living.insert(home.dwelling_id.clone(), home.allocation_id);
            assert_eq!(before, None, "dwelling {} has two households", home.dwelling_id);
        }
        let withdrawn = payload::<housing::AllocationWithdrawn>(event).map(|event| event.allocation_id);
        let ended = payload::<housing::LeaseEnded>(event).map(|event| event.allocation_id);
        if let Some(over) = withdrawn.or(ended) {
            living.retain(|_, allocation| *allocation != over);
        }
    }
}

/// The allocations that were neither withdrawn nor ended.
fn live(facts: &Facts) -> Vec<housing::AllocationAccepted> {
    let withdrawn = facts.all::<housing::AllocationWithdrawn>().into_iter().map(|event| event.allocation_id);
    let over: BTreeSet<String> =
        withdrawn.chain(facts.all::<housing::LeaseEnded>().into_iter().map(|event| event.allocation_id)).collect();
    facts.all::<housing::AllocationAccepted>().into_iter().filter(|home| !over.contains(&home.allocation_id)).collect()
}

/// P2
fn signed_with_an_open_gate(facts: &Facts) {
    let mut open = BTreeSet::new();
    for (_, event) in facts.0.iter().filter(|(feed, _)| *feed == "housing") {
        if let Some(opened) = payload::<housing::GateOpened>(event) {
            open.insert(opened.allocation_id);
        }
        if let Some(shut) = payload::<housing::GateShut>(event) {
            open.remove(&shut.allocation_id);
        }
        if let Some(signed) = payload::<housing::LeaseSigned>(event) {
            assert!(open.contains(&signed.allocation_id), "a lease was signed behind a shut gate");
        }
    }
}

/// P3
fn exactly_one_effect(facts: &Facts) {
    for home in facts.all::<housing::AllocationAccepted>() {
        let id = &home.allocation_id;
        let starts = facts.count::<income::BenefitRequestCompleted>(|event| event.allocation_id == *id);
        let guarantees = facts.count::<income::RentGuaranteeRequested>(|event| event.allocation_id == *id);
        let handovers = facts.count::<aftercare::HandoverDrafted>(|event| event.allocation_id == *id);
        let wanted = (1, usize::from(home.guarantee_required), 1);
        assert_eq!((starts, guarantees, handovers), wanted, "benefit starts, guarantees, handovers of {id}");
        let keys = facts.count::<housing::KeysHandedOver>(|event| event.allocation_id == *id);
        let cares = facts.count::<aftercare::AftercareStarted>(|event| event.allocation_id == *id);
        assert_eq!(cares, keys, "aftercare of {id}");
    }
}

/// P4
fn undone_everywhere(facts: &Facts) {
    let guarded: BTreeSet<String> =
        facts.all::<income::RentGuaranteeRequested>().into_iter().map(|event| event.allocation_id).collect();
    for fallen in facts.all::<housing::AllocationWithdrawn>() {
        let id = &fallen.allocation_id;
        let start = facts.count::<income::BenefitStartWithdrawn>(|event| event.allocation_id == *id)
            + facts.count::<income::BenefitRequestWithdrawn>(|event| event.allocation_id == *id);
        assert_eq!(start, 1, "the benefit start of fallen {id}");
        assert_eq!(
            facts.count::<aftercare::HandoverCancelled>(|event| event.allocation_id == *id),
            1,
            "the handover of {id}"
        );
        let guarantees = facts.count::<income::RentGuaranteeWithdrawn>(|event| event.allocation_id == *id);
        assert_eq!(guarantees, usize::from(guarded.contains(id)), "the guarantee of {id}");
    }
}

/// Whether a date on the wire is that day.
pub fn is(date: &Option<proto::google::r#type::Date>, day: Date) -> bool {
    *date == wire(day)
}
