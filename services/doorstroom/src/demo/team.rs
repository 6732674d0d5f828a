//! A team that listens: a named subscription on the feed of signals, read and acknowledged as it comes.

use super::world::World;
use crate::doors::Person;
use kernel::Role;
use prost::Name as _;
use proto::aftercare::v1::SignalReceived;
use proto::feed::v1::{AcknowledgeRequest, SubscribeRequest};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;

/// The name under which a team reads.
const SUBSCRIPTION: &str = "signals";

/// A team, listening or away.
pub struct Team {
    /// Whoever acts for the team.
    pub person: Person,
    heard: Arc<Mutex<Vec<Heard>>>,
    listening: Option<JoinHandle<anyhow::Result<()>>>,
}

/// A signal that reached a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The client.
    pub client_id: String,
    /// The signal.
    pub signal_id: String,
}

impl Team {
    /// A district team; it does not listen yet.
    pub fn new(world: &World, organisation: &str) -> Self {
        Self { person: world.person(Role::District, organisation), heard: Arc::default(), listening: None }
    }

    /// Listens, from where it had acknowledged.
    pub fn listen(&mut self) {
        let (person, heard) = (self.person.clone(), self.heard.clone());
        self.listening = Some(tokio::spawn(listen(person, heard, true)));
    }

    /// Listens and acknowledges nothing.
    pub fn listen_only(&mut self) {
        let (person, heard) = (self.person.clone(), self.heard.clone());
        self.listening = Some(tokio::spawn(listen(person, heard, false)));
    }

    /// Goes away: nobody reads.
    pub fn leave(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
    }

    /// Everything heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest signal about a client, once it is there.
    pub async fn hears_of(&self, client_id: &str) -> anyhow::Result<String> {
        let started = Instant::now();
        loop {
            if let Some(heard) = self.heard().iter().rev().find(|heard| heard.client_id == client_id) {
                return Ok(heard.signal_id.clone());
            }
            anyhow::ensure!(
                started.elapsed() < Duration::from_secs(10),
                "no signal about {client_id} reached the team"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until nothing new came for a while, so that all is acknowledged.
    pub async fn quiet(&self) {
        let mut before = usize::MAX;
        while before != self.heard().len() {
            before = self.heard().len();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn listen(person: Person, heard: Arc<Mutex<Vec<Heard>>>, acknowledges: bool) -> anyhow::Result<()> {
    let wanted = SubscribeRequest { subscription: SUBSCRIPTION.to_owned(), ..SubscribeRequest::default() };
    let mut feed = person.feed("aftercare", "aftercare");
    let mut events = feed.subscribe(wanted).await?.into_inner();
    while let Some(next) = events.next().await {
        let next = next?;
        if let Some(event) = next.event {
            let payload = event.payload.unwrap_or_default();
            if payload.type_url == SignalReceived::type_url() {
                let signal_id = payload.to_msg::<SignalReceived>()?.signal_id;
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push(Heard { client_id: event.client_id, signal_id });
            }
        }
        if acknowledges {
            feed.acknowledge(AcknowledgeRequest { subscription: SUBSCRIPTION.to_owned(), cursor: next.cursor }).await?;
        }
    }
    Ok(())
}
