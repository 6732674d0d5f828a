//! A team that listens: a named subscription on the feed of signals, read and acknowledged as it comes.

use super::world::World;
use crate::doors::Person;
use crate::refusal;
use anyhow::{Context as _, ensure};
use kernel::Role;
use prost::Name as _;
use proto::aftercare::v1::SignalReceived;
use proto::feed::v1::{AcknowledgeRequest, Event, SubscribeRequest};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tonic::Status;

/// The name under which a team reads.
const SUBSCRIPTION: &str = "signals";
/// How long something may take to reach a team before it is lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// A team, listening or away.
pub struct Team {
    /// Whoever acts for the team.
    pub person: Person,
    taken_in: watch::Sender<TakenIn>,
    listening: Option<JoinHandle<()>>,
}

/// What a team took in so far.
#[derive(Clone, Debug, Default)]
struct TakenIn {
    /// The signals.
    heard: Vec<Heard>,
    /// The newest event: acknowledged, unless the team acknowledges nothing.
    newest: String,
    /// Why it listens no longer, when nobody told it to stop.
    fault: Option<String>,
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
        let person = world.person(Role::District, organisation);
        Self { person, taken_in: watch::Sender::default(), listening: None }
    }

    /// Listens, from where it had acknowledged.
    pub fn listen(&mut self) {
        self.start(true);
    }

    /// Listens and acknowledges nothing.
    pub fn listen_only(&mut self) {
        self.start(false);
    }

    fn start(&mut self, acknowledges: bool) {
        let (person, taken_in) = (self.person.clone(), self.taken_in.clone());
        taken_in.send_modify(|all| all.fault = None);
        self.listening = Some(tokio::spawn(async move {
            let fault = match listen(person, &taken_in, acknowledges).await {
                Ok(()) => "the feed of signals ended".to_owned(),
                Err(status) => refusal::explain(&status),
            };
            taken_in.send_modify(|all| all.fault = Some(fault));
        }));
    }

    /// Goes away once it took in everything that is there for it: nobody reads.
    pub async fn leave(&mut self, world: &World) -> anyhow::Result<()> {
        self.caught_up(world).await?;
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
        Ok(())
    }

    /// Everything heard so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.taken_in.borrow().heard.clone()
    }

    /// The newest signal about a client, once it is there.
    pub async fn hears_of(&self, client_id: &str) -> anyhow::Result<String> {
        let of = |all: &TakenIn| all.heard.iter().rev().find(|heard| heard.client_id == client_id).cloned();
        let all = self.until(|all| of(all).is_some()).await.with_context(|| format!("a signal about {client_id}"))?;
        Ok(of(&all).context("it was heard")?.signal_id)
    }

    /// Waits until the newest event that is there for the team was taken in, and with it all before.
    pub async fn caught_up(&self, world: &World) -> anyhow::Result<()> {
        let all = world.read(&self.person, "aftercare", "aftercare", "").await?;
        let newest = all.last().map(|event| event.event_id.clone()).unwrap_or_default();
        self.until(|all| all.newest == newest).await.context("everything that is there for the team").map(drop)
    }

    async fn until(&self, so_far: impl Fn(&TakenIn) -> bool) -> anyhow::Result<TakenIn> {
        let mut changes = self.taken_in.subscribe();
        let reached = tokio::time::timeout(PATIENCE, changes.wait_for(|all| so_far(all) || all.fault.is_some())).await;
        let all = reached.context("it did not reach the team in time")?.context("nobody tells any more")?.clone();
        ensure!(all.fault.is_none(), "the team stopped listening: {}", all.fault.unwrap_or_default());
        Ok(all)
    }
}

async fn listen(person: Person, taken_in: &watch::Sender<TakenIn>, acknowledges: bool) -> Result<(), Status> {
    let wanted = SubscribeRequest { subscription: SUBSCRIPTION.to_owned(), ..SubscribeRequest::default() };
    let mut feed = person.feed("aftercare", "aftercare");
    let mut events = feed.subscribe(wanted).await?.into_inner();
    while let Some(next) = events.next().await {
        let next = next?;
        if acknowledges {
            feed.acknowledge(AcknowledgeRequest { subscription: SUBSCRIPTION.to_owned(), cursor: next.cursor }).await?;
        }
        if let Some(event) = next.event {
            let signal = signal(&event)?;
            taken_in.send_modify(|all| {
                all.heard.extend(signal);
                all.newest = event.event_id;
            });
        }
    }
    Ok(())
}

/// The signal that an event tells of, if it does.
fn signal(event: &Event) -> Result<Option<Heard>, Status> {
    let Some(payload) = event.payload.as_ref().filter(|it| it.type_url == SignalReceived::type_url()) else {
        return Ok(None);
    };
    let signal = payload.to_msg::<SignalReceived>();
    let signal_id = signal.map_err(|error| Status::data_loss(error.to_string()))?.signal_id;
    Ok(Some(Heard { client_id: event.client_id.clone(), signal_id }))
}
