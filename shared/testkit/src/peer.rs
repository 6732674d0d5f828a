//! A stand-in for the feed of another service: real gRPC, events pushed by the test.

use prost::{Message, Name};
use proto::feed::v1::feed_service_server::{FeedService, FeedServiceServer};
use proto::feed::v1::{
    AcknowledgeRequest, AcknowledgeResponse, Event, GetStatusRequest, GetStatusResponse, SubscribeRequest,
    SubscribeResponse, Subscription,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// The feed of a service that is not there. Cheap to clone.
#[derive(Clone)]
pub struct FakePeer {
    service: &'static str,
    endpoint: String,
    events: Arc<watch::Sender<Vec<Event>>>,
    acknowledged: Arc<watch::Sender<usize>>,
    subscriber: Arc<watch::Sender<String>>,
    /// How many streams have been opened; each is ended once another number is here.
    opened: Arc<watch::Sender<u64>>,
    ended: Arc<watch::Sender<u64>>,
}

impl FakePeer {
    pub(crate) async fn start(service: &'static str) -> FakePeer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let peer = FakePeer {
            service,
            endpoint,
            events: Arc::new(watch::Sender::new(Vec::new())),
            acknowledged: Arc::new(watch::Sender::new(0)),
            subscriber: Arc::default(),
            opened: Arc::default(),
            ended: Arc::default(),
        };
        let server = tonic::transport::Server::builder().add_service(FeedServiceServer::new(peer.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        peer
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Ends the stream that is open, as when the token that opened it expires, and waits until the service opens another.
    pub async fn expire(&self) {
        let mut opened = self.opened.subscribe();
        let before = *opened.wait_for(|opened| *opened > 0).await.unwrap();
        self.ended.send_modify(|ended| *ended += 1);
        tokio::time::timeout(Duration::from_secs(20), opened.wait_for(|opened| *opened > before))
            .await
            .expect("the stream is opened again within 20 s")
            .unwrap();
    }

    /// Puts an event on the feed and waits until the service has taken it in.
    pub async fn publish<E: Message + Name>(
        &self,
        client: Option<kernel::ClientId>,
        on: kernel::Date,
        event: &E,
    ) -> Uuid {
        let event_id = Uuid::now_v7();
        self.publish_as(event_id, client, on, event).await;
        event_id
    }

    /// The same with an event id of the test's own, for repeated deliveries.
    pub async fn publish_as<E: Message + Name>(
        &self,
        event_id: Uuid,
        client: Option<kernel::ClientId>,
        on: kernel::Date,
        event: &E,
    ) {
        let payload = prost_types::Any { type_url: E::type_url(), value: event.encode_to_vec() };
        let client_id = client.map(|id| id.to_string()).unwrap_or_default();
        let event = self.event(event_id, &client_id, on, Some(payload));
        self.deliver(event).await;
    }

    /// Puts an event on the feed and waits until the service has taken it in.
    pub async fn deliver(&self, event: Event) {
        let kind = event.payload.as_ref().map(|payload| payload.type_url.clone());
        self.events.send_modify(|events| events.push(event));
        let count = self.events.borrow().len();
        let mut acknowledged = self.acknowledged.subscribe();
        tokio::time::timeout(Duration::from_secs(20), acknowledged.wait_for(|taken| *taken >= count))
            .await
            .unwrap_or_else(|_| panic!("the event {kind:?} was not taken in within 20 s"))
            .unwrap();
    }

    /// An event as this feed carries it.
    pub fn event(&self, event_id: Uuid, client_id: &str, on: kernel::Date, payload: Option<prost_types::Any>) -> Event {
        let recorded_at = kernel::Moment::at_hour(on, 9).at.as_second();
        Event {
            event_id: event_id.to_string(),
            r#type: format!("nl.doorstroom.{}.test", self.service),
            client_id: client_id.to_owned(),
            occurred_on: Some(proto::from_date(on)),
            recorded_at: Some(prost_types::Timestamp { seconds: recorded_at, nanos: 0 }),
            payload,
            trace: String::new(),
        }
    }

    /// Puts any event on the feed, right or wrong. True once the service has taken it in; false when it stood still before it and
    /// asked for it again: then it is taken off, as when the other service is mended.
    pub async fn offer(&self, event: Event) -> bool {
        let (mut acknowledged, mut opened) = (self.acknowledged.subscribe(), self.opened.subscribe());
        let before = *opened.wait_for(|opened| *opened > 0).await.unwrap();
        self.events.send_modify(|events| events.push(event));
        let count = self.events.borrow().len();
        let decided = tokio::time::timeout(Duration::from_secs(20), async {
            tokio::select! {
                biased;
                taken = acknowledged.wait_for(|taken| *taken >= count) => taken.is_ok(),
                again = opened.wait_for(|opened| *opened > before) => again.is_err(),
            }
        });
        let taken = decided.await.expect("the service takes an event in or asks for it again within 20 s");
        if !taken {
            self.events.send_modify(|events| drop(events.pop()));
        }
        taken
    }
}

#[tonic::async_trait]
impl FeedService for FakePeer {
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Self::SubscribeStream>, Status> {
        let mut next: usize = request.into_inner().cursor.parse().unwrap_or(0);
        let (mut events, mut ended) = (self.events.subscribe(), self.ended.subscribe());
        self.opened.send_modify(|opened| *opened += 1);
        let (sender, stream) = tokio::sync::mpsc::channel(16);
        tokio::spawn(async move {
            loop {
                let ready =
                    async { events.wait_for(|events| events.len() > next).await.map(|events| events[next].clone()) };
                let ready = tokio::select! {
                    ready = ready => ready,
                    _ = ended.changed() => {
                        let expired = proto::status(&(&kernel::general::TOKEN_EXPIRED).into());
                        // Whoever went away need not hear it.
                        let _ = sender.send(Err(expired)).await;
                        return;
                    }
                };
                let Ok(event) = ready else { return };
                next += 1;
                if sender.send(Ok(SubscribeResponse { cursor: next.to_string(), event: Some(event) })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn acknowledge(&self, request: Request<AcknowledgeRequest>) -> Result<Response<AcknowledgeResponse>, Status> {
        let AcknowledgeRequest { subscription, cursor } = request.into_inner();
        self.subscriber.send_replace(subscription);
        self.acknowledged.send_replace(cursor.parse().unwrap_or(0));
        Ok(Response::new(AcknowledgeResponse { cursor }))
    }

    async fn get_status(&self, _: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        let head = self.events.borrow().len();
        let subscription = Subscription {
            name: self.subscriber.borrow().clone(),
            acknowledged: *self.acknowledged.borrow() as i64,
            ..Default::default()
        };
        let subscriptions = vec![subscription];
        Ok(Response::new(GetStatusResponse {
            head: head as i64,
            head_cursor: head.to_string(),
            subscriptions,
            pending: 0,
            taken_in: Vec::new(),
        }))
    }
}
