//! Following the feed of another service: each event is taken in once, in the transaction that moves the cursor on.
//!
//! What cannot be taken in now is tried again; the feed is never skipped. Events of one feed come in order, feeds have no
//! order among each other.

use crate::{About, Chassis, Service, Work, erasure, event_type, merged, own_file};
use jiff::Timestamp;
use kernel::{ClientId, Date, Organisation, Role};
use prost::{Message, Name};
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::{AcknowledgeRequest, SubscribeRequest, SubscribeResponse};
use proto::regie::v1::{RelationEnded, RelationGranted, RelationKind, SafeContactEnded, SafeContactSet};
use std::sync::Arc;
use std::time::Duration;
use store::{Emergency, Error, Relation, Result};
use telemetry::TraceContext;
use tokio::sync::watch;
use tokio_stream::StreamExt as _;
use uuid::Uuid;

/// What comes within a moment is taken in together, at most this many events: one commit
/// instead of one for each.
const BATCH: usize = 64;
const MOMENT: Duration = Duration::from_millis(1);
/// So much time is left between two acknowledgements: the cursor here counts, they only tell the other side.
const PACE: Duration = Duration::from_millis(50);
/// The first pause before a feed that broke off is followed again.
const SHORT: Duration = Duration::from_millis(50);

/// A feed that a service takes in.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// The service whose feed it is.
    pub of: &'static str,
    /// The names of the events that are taken in, such as `OfferMade`; empty for all. What is not named is not asked for, and
    /// leaves nothing behind where it comes all the same.
    only: &'static [&'static str],
}

impl Feed {
    /// Everything that a service tells.
    pub const fn whole(of: &'static str) -> Self {
        Self { of, only: &[] }
    }

    /// The events of these names, and no others. Of rights it then knows nothing: whoever takes one away does not wait for it.
    pub const fn only(of: &'static str, events: &'static [&'static str]) -> Self {
        Self { of, only: events }
    }

    /// Under which name a service subscribes to it: its own, where it takes in everything (P8).
    fn subscription(&self, about: &About) -> String {
        let part = if self.only.is_empty() { "" } else { ".part" };
        format!("{}{part}", about.name)
    }

    fn takes(&self, event: &Event) -> bool {
        self.only.is_empty() || self.only.contains(&event.name())
    }
}

/// An event of another service.
#[derive(Clone, Debug)]
pub struct Event {
    /// The service whose feed it came from.
    pub source: &'static str,
    /// The event's own id: the same for every delivery.
    pub event_id: Uuid,
    /// The client that it is about.
    pub client_id: Option<ClientId>,
    /// When it happened.
    pub occurred_on: Date,
    /// When the service that tells it recorded it.
    pub recorded_at: Timestamp,
    /// The step of a trace that taking it in is.
    pub trace: TraceContext,
    payload: prost_types::Any,
}

impl Event {
    /// The name of its message, such as `OfferMade`.
    pub fn name(&self) -> &str {
        self.payload.type_url.rsplit('.').next().unwrap_or_default()
    }

    /// The event itself; a message of another type than its name says is an inconsistency.
    pub fn decode<E: Message + Name + Default>(&self) -> Result<E> {
        self.payload.to_msg().map_err(|error| Error::inconsistent("event", self.source, error))
    }

    /// Reads an event as it came from the feed of `source`.
    pub fn read(source: &'static str, event: proto::feed::v1::Event) -> Result<Event> {
        let wrong = |what: &'static str| move || Error::inconsistent("event", source, what);
        let recorded_at = event.recorded_at.as_ref().ok_or_else(wrong("no moment"))?;
        let client_id = match event.client_id.as_str() {
            "" => None,
            text => Some(ClientId::parse("client_id", text)?),
        };
        Ok(Event {
            source,
            event_id: Uuid::parse_str(&event.event_id).map_err(|_| wrong("no event id")())?,
            client_id,
            occurred_on: proto::to_date("occurred_on", event.occurred_on.as_ref())?,
            recorded_at: Timestamp::new(recorded_at.seconds, recorded_at.nanos).map_err(|_| wrong("no moment")())?,
            trace: TraceContext::from_header(Some(&event.trace)),
            payload: event.payload.ok_or_else(wrong("no payload"))?,
        })
    }
}

/// Follows one feed until the service stops.
pub(crate) async fn follow(service: Arc<dyn Service>, chassis: Chassis, feed: Feed) {
    let source = feed.of;
    let mut pause = SHORT;
    loop {
        let ended = tokio::select! {
            ended = read(&service, &chassis, feed, &mut pause) => ended,
            () = chassis.stopped() => return,
        };
        if let Err(error) = ended {
            match error.downcast_ref().and_then(proto::reason).as_deref() {
                // The next call carries a fresh one.
                Some("TOKEN_EXPIRED") => tracing::debug!(service = chassis.about.name, source, "a token expired"),
                _ => tracing::warn!(service = chassis.about.name, source, %error, "following a feed was interrupted"),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
            () = chassis.stopped() => return,
        }
    }
}

async fn read(service: &Arc<dyn Service>, chassis: &Chassis, feed: Feed, pause: &mut Duration) -> anyhow::Result<()> {
    let source = feed.of;
    let Some(peer) = chassis.peers.to(source, "operations", TraceContext::root()) else {
        anyhow::bail!("no endpoint was configured for {source}");
    };
    let mut client = FeedServiceClient::new(peer);
    let cursor = chassis.store.read().await?.inbox_cursor(source).await?;
    let types = feed.only.iter().map(|event| event_type(source, event)).collect();
    let subscription = feed.subscription(chassis.about);
    let request = SubscribeRequest { subscription: subscription.clone(), cursor, types, ..Default::default() };
    let mut stream = client.subscribe(request).await?.into_inner();
    let (taken_in, mut newest) = watch::channel(String::new());
    // Beside the reading, the first at once: what is taken in meanwhile goes with the next one.
    let acknowledging = async {
        while newest.changed().await.is_ok() {
            let cursor = newest.borrow_and_update().clone();
            client.acknowledge(AcknowledgeRequest { subscription: subscription.clone(), cursor }).await?;
            *pause = SHORT;
            tokio::time::sleep(PACE).await;
        }
        Ok(())
    };
    let reading = async move {
        while let Some(first) = stream.next().await {
            let mut batch = vec![first?];
            let moment = tokio::time::sleep(MOMENT);
            tokio::pin!(moment);
            while batch.len() < BATCH {
                tokio::select! {
                    biased;
                    Some(next) = stream.next() => batch.push(next?),
                    () = &mut moment => break,
                }
            }
            taken_in.send_replace(take(service, chassis, feed, batch).await?);
        }
        Ok(())
    };
    tokio::select! {
        ended = reading => ended,
        ended = acknowledging => ended,
    }
}

async fn take(
    service: &Arc<dyn Service>,
    chassis: &Chassis,
    feed: Feed,
    batch: Vec<SubscribeResponse>,
) -> Result<String> {
    let source = feed.of;
    let cursor = batch.last().map(|last| last.cursor.clone()).unwrap_or_default();
    let events: Arc<[Event]> =
        batch.into_iter().filter_map(|one| one.event).map(|event| Event::read(source, event)).collect::<Result<_>>()?;
    let (service, at) = (service.clone(), cursor.clone());
    chassis
        .act(source, move |work| {
            let (service, events, at) = (service.clone(), events.clone(), at.clone());
            Box::pin(async move {
                for event in events.iter().filter(|event| feed.takes(event)) {
                    work.trace = event.trace;
                    if erasure::take(&*service, work, event).await? {
                        continue;
                    }
                    if source == "regie" {
                        take_relation(work, event).await?;
                        take_contact(work, event).await?;
                    }
                    own_file::take(service.about(), work, event).await?;
                    merged::take(service.about(), work, event).await?;
                    service.take(work, event).await?;
                }
                work.set_inbox_cursor(source, &at).await
            })
        })
        .await?;
    Ok(cursor)
}

/// Every service keeps who has to do with whom, as regie grants and ends it.
async fn take_relation(work: &mut Work, event: &Event) -> Result<()> {
    let now = work.now.at;
    let id = |text: &str| Uuid::parse_str(text).map_err(|_| Error::inconsistent("event", "relation_id", "no id"));
    match event.name() {
        "RelationGranted" => {
            let granted: RelationGranted = event.decode()?;
            let (relation_id, client) = (id(&granted.relation_id)?, ClientId::parse("client_id", &granted.client_id)?);
            if granted.kind() == RelationKind::Emergency {
                let organisation = Organisation::parse("organisation", &granted.organisation)?;
                let wrong = |what: &'static str| move || Error::inconsistent("event", "until", what);
                let until = granted.until.as_ref().ok_or_else(wrong("no moment"))?;
                let emergency = Emergency {
                    emergency_id: relation_id,
                    client,
                    organisation: &organisation,
                    person: &granted.person,
                    role: Role::from_key(&granted.role).ok_or_else(wrong("of no role"))?,
                    until: Timestamp::new(until.seconds, until.nanos).map_err(|_| wrong("no moment")())?,
                };
                return work.open_emergency(&emergency).await;
            }
            if granted.kind() == RelationKind::Representative {
                return own_file::take_granted(work, relation_id, client, &granted.person).await;
            }
            let organisation = Organisation::parse("organisation", &granted.organisation)?;
            let relation = Relation {
                relation_id,
                client,
                organisation: &organisation,
                person: Some(granted.person.as_str()).filter(|person| !person.is_empty()),
                kind: granted.kind().as_str_name(),
            };
            work.grant(&relation, now).await
        }
        "RelationEnded" => {
            let ended: RelationEnded = event.decode()?;
            match ended.kind() {
                RelationKind::Emergency => work.end_emergency(id(&ended.relation_id)?, now).await,
                RelationKind::Representative => work.end_representative(id(&ended.relation_id)?, now).await,
                _ => work.end_relation(id(&ended.relation_id)?, now).await,
            }
        }
        _ => Ok(()),
    }
}

/// Every service keeps who is reached through one organisation only, as regie says it (R-REG-28).
async fn take_contact(work: &mut Work, event: &Event) -> Result<()> {
    match event.name() {
        "SafeContactSet" => {
            let set: SafeContactSet = event.decode()?;
            let through = Some(set.through.as_str()).filter(|code| !code.is_empty());
            let through = through.map(|code| Organisation::parse("through", code)).transpose()?;
            work.reach_through(ClientId::parse("client_id", &set.client_id)?, through.as_ref()).await
        }
        "SafeContactEnded" => {
            let ended: SafeContactEnded = event.decode()?;
            work.reach_freely(ClientId::parse("client_id", &ended.client_id)?).await
        }
        _ => Ok(()),
    }
}
