//! The checker of promises: a reader that only gets, lists and subscribes.
//!
//! It knows the contract and nothing else: not who lived in the demo, nor what was done to them. It reads every feed from
//! the oldest event on, asks what services show, and holds each of the ten promises against it.

mod figures;
mod home;
mod sight;
mod signal;

use super::sight::{overheard, tells_of_people, too_much};
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
}
