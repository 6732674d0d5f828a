//! The feed service: what happened here, for whoever may know, from any cursor on.
//!
//! A stream reads the database at its subscriber's own pace, so a slow one holds up nobody and nothing is buffered.

use crate::call::{caller, explain};
use crate::{Answer, Caller, Chassis, Service};
use kernel::{ClientId, Organisation, Refusal, Role, general};
use prost::Message as _;
use proto::feed::v1::feed_service_server::FeedService;
use proto::feed::v1::{
    AcknowledgeRequest, AcknowledgeResponse, Event, GetStatusRequest, GetStatusResponse, SubscribeRequest,
    SubscribeResponse, Subscription, TakenIn,
};
use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use store::{Cursor, Receiver, Result, StoredEvent};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// Events are read in pages of this size.
const PAGE: i64 = 256;
/// A quiet stream gets a checkpoint this often.
const CHECKPOINT: Duration = Duration::from_secs(10);
/// A subscriber that takes nothing for this long is ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest name of a subscription.
const NAME_LENGTH: usize = 64;
/// How many subscriptions an organisation may have on one feed.
const SUBSCRIPTIONS: i64 = 32;

/// For each type of event, the partner roles that may receive it: read from the options in the proto.
static RECEIVERS: LazyLock<HashMap<String, Vec<Role>>> = LazyLock::new(|| {
    let receivers =
        proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.receivers").expect("checked when it was built");
    let files = proto::CONTRACT.files().filter(|file| file.name().ends_with("/events.proto"));
    files
        .flat_map(|file| file.messages().collect::<Vec<_>>())
        .map(|event| {
            let service = event.package_name().split('.').nth(1).unwrap_or_default().to_owned();
            let roles = event.options().get_extension(&receivers).into_owned();
            let roles =
                roles.as_list().unwrap_or_default().iter().filter_map(|r| Role::from_key(r.as_str()?)).collect();
            (crate::work::event_type(&service, event.name()), roles)
        })
        .collect()
});

/// Who reads each named subscription now; a newer reader ends the older one.
type Readers = Mutex<HashMap<(Organisation, String), watch::Sender<u64>>>;

pub(crate) struct Feed {
    chassis: Chassis,
    service: Arc<dyn Service>,
    readers: Arc<Readers>,
}

impl Feed {
    pub fn new(chassis: Chassis, service: Arc<dyn Service>) -> Self {
        Self { chassis, service, readers: Arc::default() }
    }

    /// Takes over a named subscription: resolves once a newer reader does the same.
    fn take_over(&self, organisation: &Organisation, name: &str) -> (u64, watch::Receiver<u64>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|_, reader| reader.receiver_count() > 0);
        let reader = readers.entry((organisation.clone(), name.to_owned())).or_insert_with(|| watch::Sender::new(0));
        reader.send_modify(|n| *n += 1);
        (*reader.borrow(), reader.subscribe())
    }
}

#[tonic::async_trait]
impl FeedService for Feed {
    type SubscribeStream = Subscribed;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Answer<Self::SubscribeStream> {
        let caller = caller(&request)?;
        let wanted = request.into_inner();
        let filter = Filter::new(&caller, &wanted).map_err(|refusal| proto::status(&refusal))?;
        let start = self.start(&caller, &wanted).await.map_err(|error| explain(&error))?;
        let taken =
            (!wanted.subscription.is_empty()).then(|| self.take_over(caller.organisation(), &wanted.subscription));
        let (sender, stream) = mpsc::channel(PAGE as usize);
        let (withdrawn, refused) = oneshot::channel();
        let reader = Reader { chassis: self.chassis.clone(), filter, caller, sender };
        tokio::spawn(reader.run(start, wanted.subscription, taken, withdrawn));
        Ok(Response::new(Subscribed { events: ReceiverStream::new(stream), refused: Some(refused) }))
    }

    async fn acknowledge(&self, request: Request<AcknowledgeRequest>) -> Answer<AcknowledgeResponse> {
        let caller = caller(&request)?;
        let wanted = request.into_inner();
        let outcome = async {
            check_name(&wanted.subscription)?;
            // Outside the transaction: who acknowledges must not race with who publishes.
            if !caller.is_service() {
                let mut tx = self.chassis.store.read().await?;
                let (known, others) = tx.subscriptions(caller.organisation(), &wanted.subscription).await?;
                if !known && others >= SUBSCRIPTIONS {
                    return Err(general::TOO_MANY_SUBSCRIPTIONS.with("limit", SUBSCRIPTIONS).into());
                }
            }
            let cursor = self.chassis.store.read_cursor(&wanted.cursor).await?;
            let mut tx = self.chassis.store.write().await?;
            let now = self.chassis.clock.now().at;
            let position = tx.acknowledge(caller.organisation(), &wanted.subscription, cursor.position, now).await?;
            tx.commit().await?;
            self.chassis.acknowledged.send_modify(|n| *n += 1);
            Ok(AcknowledgeResponse { cursor: self.chassis.store.write_cursor(Cursor { position }) })
        };
        outcome.await.map(Response::new).map_err(|error| explain(&error))
    }

    async fn get_status(&self, request: Request<GetStatusRequest>) -> Answer<GetStatusResponse> {
        caller(&request)?;
        let outcome = async {
            // What was committed a moment ago may not have its position yet.
            self.chassis.store.stamp().await?;
            let mut tx = self.chassis.store.read().await?;
            // In the order in which work moves on: what is taken in comes to be due, what is due comes to wait, and what waited
            // comes to be on the feed. So none is passed over that moves on in between.
            let (taken_in, due) = tx.taken_in_and_due(self.chassis.clock.now().at).await?;
            let waiting = self.service.waiting(&mut tx).await?;
            let state = tx.feed_state().await?;
            let subscription = |s: store::Subscription| Subscription {
                organisation: s.organisation.to_string(),
                name: s.name,
                acknowledged: s.acknowledged,
                acknowledged_at: Some(timestamp(s.acknowledged_at)),
            };
            Ok(GetStatusResponse {
                head: state.head,
                head_cursor: self.chassis.store.write_cursor(Cursor { position: state.head }),
                subscriptions: state.subscriptions.into_iter().map(subscription).collect(),
                pending: due + waiting + state.unplaced,
                taken_in: taken_in.into_iter().map(|(feed, cursor)| TakenIn { feed, cursor }).collect(),
            })
        };
        outcome.await.map(Response::new).map_err(|error| explain(&error))
    }
}

impl Feed {
    /// Where a stream begins: at its cursor, after what was acknowledged, or at the oldest event.
    async fn start(&self, caller: &Caller, wanted: &SubscribeRequest) -> Result<i64> {
        if !wanted.subscription.is_empty() {
            check_name(&wanted.subscription)?;
        }
        if !wanted.cursor.is_empty() {
            return Ok(self.chassis.store.read_cursor(&wanted.cursor).await?.position);
        }
        if wanted.subscription.is_empty() {
            return Ok(0);
        }
        let mut tx = self.chassis.store.read().await?;
        Ok(tx.acknowledged(caller.organisation(), &wanted.subscription).await?.unwrap_or(0))
    }
}

/// Refuses what is no name of a subscription: it is kept, and shown to whoever runs the service.
fn check_name(name: &str) -> std::result::Result<(), Refusal> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if (1..=NAME_LENGTH).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(general::MALFORMED.field(
        "subscription",
        format!("1 to {NAME_LENGTH} letters, digits, dots, dashes and underscores"),
        format!("1 tot {NAME_LENGTH} letters, cijfers, punten, streepjes en liggende streepjes"),
    ))
}

/// What a stream lets through.
struct Filter {
    /// Partners get what is addressed to their organisation; services get everything.
    receiver: Option<Receiver>,
    roles: Vec<Role>,
    types: BTreeSet<String>,
    client: Option<ClientId>,
}

impl Filter {
    fn new(caller: &Caller, wanted: &SubscribeRequest) -> std::result::Result<Self, Refusal> {
        let client = Some(wanted.client_id.as_str()).filter(|id| !id.is_empty());
        let receiver =
            || Receiver { organisation: caller.organisation().clone(), person: caller.actor.subject.clone() };
        Ok(Self {
            receiver: (!caller.is_service()).then(receiver),
            roles: caller.grants.iter().map(|grant| grant.role).collect(),
            types: wanted.types.iter().cloned().collect(),
            client: client.map(|id| ClientId::parse("client_id", id)).transpose()?,
        })
    }

    fn lets_through(&self, event: &StoredEvent) -> bool {
        let of_type = self.types.is_empty() || self.types.contains(&event.kind);
        let of_client = self.client.is_none() || event.client_id == self.client;
        // A caseload is the organisation's, for a case holder the person's, as `Relation::Caseload` has it for calls.
        let mine = |role: &Role| *role != Role::Caseholder || event.client_id.is_none() || event.of_person;
        let for_role = self.receiver.is_none()
            || RECEIVERS
                .get(&event.kind)
                .is_some_and(|roles| roles.iter().any(|role| self.roles.contains(role) && mine(role)));
        of_type && of_client && for_role
    }
}

/// What a subscriber gets. When its token is withdrawn or expires it hears so at once, also before events that lie ready.
pub(crate) struct Subscribed {
    events: ReceiverStream<std::result::Result<SubscribeResponse, Status>>,
    refused: Option<oneshot::Receiver<Status>>,
}

impl Stream for Subscribed {
    type Item = std::result::Result<SubscribeResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(refused) = &mut self.refused {
            match Pin::new(refused).poll(context) {
                Poll::Ready(Ok(status)) => {
                    self.events.close();
                    (self.refused, self.events) = (None, ReceiverStream::new(mpsc::channel(1).1));
                    return Poll::Ready(Some(Err(status)));
                }
                // The reader ended for another reason, which is among the events.
                Poll::Ready(Err(_)) => self.refused = None,
                Poll::Pending => {}
            }
        }
        Pin::new(&mut self.events).poll_next(context)
    }
}

struct Reader {
    chassis: Chassis,
    caller: Arc<Caller>,
    filter: Filter,
    sender: mpsc::Sender<std::result::Result<SubscribeResponse, Status>>,
}

impl Reader {
    async fn run(
        self,
        start: i64,
        subscription: String,
        taken: Option<(u64, watch::Receiver<u64>)>,
        withdrawn: oneshot::Sender<Status>,
    ) {
        let replaced = async move {
            match taken {
                Some((mine, mut readers)) => drop(readers.wait_for(|newest| *newest != mine).await),
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            error = self.stream(start) => error,
            () = replaced => Some(proto::status(&general::SUBSCRIPTION_TAKEN.with("name", subscription))),
            () = self.chassis.stopped() => Some(proto::status(&(&general::UNAVAILABLE).into())),
            () = self.sender.closed() => None,
            refusal = self.until_ended() => {
                // Whose token it was is in the access log before it hears so; nobody may be listening any more.
                let _ = withdrawn.send(explain(&self.chassis.refuse(&self.caller, &[], refusal).await));
                return;
            }
        };
        if let Some(status) = ended {
            // Nobody may be listening any more; then there is nobody to tell.
            let _ = self.sender.try_send(Err(status));
        }
    }

    /// Resolves when the token that opened this stream is withdrawn or expires.
    async fn until_ended(&self) -> kernel::Refusal {
        match &self.caller.token {
            Some(token) => self.chassis.verifier.until_ended(token).await,
            None => std::future::pending().await,
        }
    }

    async fn stream(&self, start: i64) -> Option<Status> {
        let mut published = self.chassis.store.published();
        let mut position = start;
        let (mut told, mut behind) = (start, true);
        loop {
            published.mark_unchanged();
            let (events, head) = match self.page(position).await {
                Ok(page) => page,
                Err(error) => return Some(explain(&error)),
            };
            let full = events.len() as i64 == PAGE;
            for event in events {
                position = event.position;
                if self.filter.lets_through(&event) {
                    if let Err(status) = self.send(Some(event), position).await {
                        return Some(status);
                    }
                    told = position;
                }
            }
            if full {
                continue;
            }
            position = position.max(head);
            // Once when the subscriber has everything there is, then on quiet streams now and again; a service that asks for some
            // events only hears at once how far it is, since a chain is at rest when everybody has everything.
            let caught_up =
                std::mem::replace(&mut behind, false) || (self.filter.receiver.is_none() && position > told);
            if caught_up || (tokio::time::timeout(CHECKPOINT, published.changed()).await.is_err() && position > told) {
                if let Err(status) = self.send(None, position).await {
                    return Some(status);
                }
                told = position;
            }
        }
    }

    /// The next events, and how far the feed was before they were read. What a partner is about to get is logged first.
    async fn page(&self, position: i64) -> Result<(Vec<StoredEvent>, i64)> {
        let mut tx = self.chassis.store.read().await?;
        let receiver = self.filter.receiver.as_ref();
        // Who receives everything is where the last event is; who receives some must be told how far the feed is.
        let head = if receiver.is_some() { tx.head().await? } else { 0 };
        let events = tx.events_after(position, receiver, PAGE).await?;
        drop(tx);
        if receiver.is_some() {
            let seen =
                events.iter().filter(|event| self.filter.lets_through(event)).filter_map(|event| event.client_id);
            let clients: Vec<_> = seen.collect::<BTreeSet<_>>().into_iter().collect();
            if !clients.is_empty() {
                self.chassis.log(&self.caller, &clients, "ok").await?;
            }
        }
        Ok((events, head))
    }

    async fn send(&self, event: Option<StoredEvent>, position: i64) -> std::result::Result<(), Status> {
        let cursor = self.chassis.store.write_cursor(Cursor { position });
        let event = event.map(message).transpose().map_err(|error| explain(&error))?;
        match self.sender.send_timeout(Ok(SubscribeResponse { cursor, event }), PATIENCE).await {
            Ok(()) => Ok(()),
            Err(_) => Err(proto::status(&general::CONSUMER_TOO_SLOW.with("seconds", PATIENCE.as_secs()))),
        }
    }
}

fn message(event: StoredEvent) -> Result<Event> {
    let payload = prost_types::Any::decode(event.payload.as_slice())
        .map_err(|error| store::Error::inconsistent("feed_event", "payload", error))?;
    Ok(Event {
        event_id: event.event_id.to_string(),
        r#type: event.kind,
        client_id: event.client_id.map(|id| id.to_string()).unwrap_or_default(),
        occurred_on: Some(proto::from_date(event.occurred_on)),
        recorded_at: Some(timestamp(event.recorded_at)),
        payload: Some(payload),
        trace: event.trace,
    })
}

/// An instant as it goes on the wire.
pub(crate) fn timestamp(at: jiff::Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}
