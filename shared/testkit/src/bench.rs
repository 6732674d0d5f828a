//! One service over real gRPC, on a fresh database, with a clock moved by hand.

use crate::watched::{Bare, Watched};
use crate::{Database, Engine, FakePeer};
use auth::{Issuer, Keys, Verifier};
use chassis::{Clock, Service, Setup, Transport};
use kernel::{Actor, ClientId, Date, Moment, Organisation, Role};
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::{Event, GetStatusRequest, SubscribeRequest};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::Sealing;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tonic::{Request, Status};
use uuid::Uuid;

/// A connection that carries the token and purpose of one caller.
pub type Client = InterceptedService<Watched, As>;

static ISSUER: LazyLock<Arc<Issuer>> = LazyLock::new(|| Arc::new(Issuer::development().unwrap()));

/// The issuer that the services of this process trust.
pub fn issuer() -> Arc<Issuer> {
    ISSUER.clone()
}

/// Waits until something holds; fails when it does not within half a minute.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let patience = tokio::time::Instant::now();
    while !holds().await {
        assert!(patience.elapsed() < Duration::from_secs(30), "after 30 s not yet: {what}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// A fresh request id.
pub fn rid() -> String {
    Uuid::new_v4().to_string()
}

/// A member of staff: subject `<role>@<organisation>`.
pub fn actor(role: Role, organisation: &str) -> Actor {
    Actor {
        subject: format!("{role}@{organisation}"),
        organisation: Organisation::parse("organisation", organisation).unwrap(),
        roles: vec![role],
        on_behalf_of: None,
        client_id: None,
    }
}

/// A client, about the own file.
pub fn client_actor(client: ClientId) -> Actor {
    Actor { client_id: Some(client), ..actor(Role::Client, "clients") }
}

/// Puts one caller's token and purpose on every call.
#[derive(Clone)]
pub struct As {
    authorization: MetadataValue<tonic::metadata::Ascii>,
    purpose: MetadataValue<tonic::metadata::Ascii>,
}

impl Interceptor for As {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        metadata.insert(auth::PURPOSE_HEADER, self.purpose.clone());
        Ok(request)
    }
}

/// One running service and everything around it.
pub struct Bench<S: Service> {
    /// The field's clock: stands at 9 o'clock on 2026-03-02 (a Monday) until it is moved.
    pub clock: Clock,
    make: fn() -> S,
    database: Database,
    peers: BTreeMap<&'static str, FakePeer>,
    verifier: Arc<Verifier>,
    transport: Transport,
    /// Chosen at the first start.
    port: u16,
    running: Option<Running>,
    bare: Bare,
}

/// No test passes in which somebody was answered with a bare INTERNAL.
impl<S: Service> Drop for Bench<S> {
    fn drop(&mut self) {
        let bare = self.bare.seen();
        assert!(bare.is_empty() || std::thread::panicking(), "INTERNAL without a reason was answered to {bare:?}");
    }
}

struct Running {
    endpoint: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<anyhow::Result<()>>,
}

impl<S: Service> Bench<S> {
    /// Starts the service on a fresh database; `None` when the engine is not installed here.
    pub async fn start(engine: Engine, make: fn() -> S) -> Option<Self> {
        let database = Database::create(engine)?;
        let mut peers = BTreeMap::new();
        for feed in make().about().feeds {
            peers.insert(feed.of, FakePeer::start(feed.of).await);
        }
        let clock = Clock::manual(Moment::at_hour(Date::constant(2026, 3, 2), 9).at);
        let verifier = Arc::new(Verifier::new(Keys::from_jwks(&ISSUER.jwks()).unwrap(), ISSUER.name()));
        let (transport, bare) = (Transport::default(), Bare::default());
        let mut bench = Bench { clock, make, database, peers, verifier, transport, port: 0, running: None, bare };
        bench.run().await;
        Some(bench)
    }

    async fn run(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let setup = Setup {
            database: self.database.url.clone(),
            sealing: self.database.sealing(),
            verifier: self.verifier.clone(),
            tokens: ISSUER.clone(),
            peers: self
                .peers
                .iter()
                .map(|(name, peer)| ((*name).to_owned(), Endpoint::from_shared(peer.endpoint().to_owned()).unwrap()))
                .collect(),
            clock: self.clock.clone(),
            reflection: true,
            transport: self.transport.clone(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let service = Arc::new((self.make)());
        let served = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            chassis::serve(service, setup, listener, Box::pin(shutdown)).await
        });
        self.running = Some(Running { endpoint, stop, served });
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the service runs")
    }

    /// Where the service listens.
    pub fn endpoint(&self) -> &str {
        &self.running().endpoint
    }

    /// The URL of its database.
    pub fn database(&self) -> &str {
        &self.database.url
    }

    /// What it is sealed with.
    pub fn sealing(&self) -> Sealing {
        self.database.sealing()
    }

    /// A connection for one caller and purpose: `HousingServiceClient::new(bench.as_(&actor, "housing"))`.
    pub fn as_(&self, actor: &Actor, purpose: &str) -> Client {
        let token = ISSUER.issue(actor, Duration::from_secs(3600));
        self.with_token(&token, purpose)
    }

    /// A connection with any token at all.
    pub fn with_token(&self, token: &str, purpose: &str) -> Client {
        let channel = Endpoint::from_shared(self.endpoint().to_owned()).unwrap().connect_lazy();
        let authorization = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        let watched = Watched::new(channel, self.bare.clone());
        InterceptedService::new(watched, As { authorization, purpose: MetadataValue::try_from(purpose).unwrap() })
    }

    /// The stand-in for a service whose feed is followed.
    pub fn peer(&self, name: &str) -> &FakePeer {
        &self.peers[name]
    }

    /// Moves the clock to a day, nine o'clock, and waits until everything that fell due is handled.
    pub async fn on(&self, day: Date) {
        self.clock.set(Moment::at_hour(day, 9).at);
        self.settled().await;
    }

    /// Waits until no deadline is due and no command waits.
    pub async fn settled(&self) {
        until("nothing is pending", async || self.pending().await == 0).await;
    }

    /// How much is due or waits.
    pub async fn pending(&self) -> i64 {
        let mut feed = FeedServiceClient::new(self.as_(&actor(Role::SvcMonitor, "svc-monitor"), "operations"));
        feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().pending
    }

    /// Everything that is on the service's feed by now, as a service of the chain sees it.
    pub async fn events(&self) -> Vec<Event> {
        self.events_for(&actor(Role::SvcMonitor, "svc-monitor"), "operations").await
    }

    /// Everything that one caller gets from the service's feed by now: up to the checkpoint that says so.
    pub async fn events_for(&self, caller: &Actor, purpose: &str) -> Vec<Event> {
        let mut feed = FeedServiceClient::new(self.as_(caller, purpose));
        let mut stream = feed.subscribe(SubscribeRequest::default()).await.unwrap().into_inner();
        let mut events = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
            match next.expect("a checkpoint comes").expect("the stream goes on").unwrap().event {
                Some(event) => events.push(event),
                None => return events,
            }
        }
    }

    /// The names of the messages on the feed, in order: `["OfferMade", "OfferAnswered"]`.
    pub async fn event_names(&self) -> Vec<String> {
        let name = |event: &Event| {
            let url = event.payload.as_ref().map(|any| any.type_url.clone()).unwrap_or_default();
            url.rsplit('.').next().unwrap_or_default().to_owned()
        };
        self.events().await.iter().map(name).collect()
    }

    /// Starts the service again, now trusting other issuers than that of the tests.
    pub async fn restart_trusting(&mut self, verifier: Verifier) {
        self.verifier = Arc::new(verifier);
        self.restart().await;
    }

    /// Starts the service again, reached in another way.
    pub async fn restart_over(&mut self, transport: Transport) {
        self.transport = transport;
        self.restart().await;
    }

    /// Stops the service as an operator would, and starts it again on the same port and database.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    async fn stop(&mut self) {
        let running = self.running.take().expect("the service runs");
        let _ = running.stop.send(());
        running.served.await.unwrap().unwrap();
    }

    /// Stops the service, takes a copy of its database as a backup is one, and starts it again.
    pub async fn back_up(&mut self) -> String {
        self.stop().await;
        let copy = self.database.copy(&self.database.url);
        self.run().await;
        copy
    }

    /// Stops the service, and starts it again on a copy that was taken before; its keys stay as they are.
    pub async fn put_back(&mut self, copy: String) {
        self.stop().await;
        self.database.url = copy;
        self.run().await;
    }
}
