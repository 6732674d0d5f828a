//! What every service of the chain stands on.
//!
//! A service supplies a [`Service`]: its migrations, its routes, what it does with the events it takes in and with the
//! deadlines it set. This crate carries every call from the wire to one transaction and back ([`Chassis::command`],
//! [`Chassis::query`]), serves the feed and the access log, follows the feeds of others, and wakes deadlines. It knows no
//! rule of the field.

mod apart;
mod audit;
mod call;
mod caller;
mod clock;
mod codes;
mod config;
mod erasure;
mod export;
mod feed;
mod gate;
mod inbox;
mod limits;
mod memory;
mod merged;
mod own_file;
mod page;
mod peer;
mod process;
mod protocol;
mod rights;
mod timer;
mod tls;
pub mod words;
mod work;

pub use apart::{Apart, take_apart};
pub use call::{Answer, Run, caller};
pub use caller::Caller;
pub use clock::Clock;
pub use codes::{CODES, EVENTS};
pub use config::{ConfigError, Setup, from_env};
pub use erasure::{erase, over};
pub use export::{Held, Kind, LABELS, NotHeld, SHARED, SHARED_NOT, SHIELD, Seal};
pub use inbox::{Event, Feed};
pub use limits::{Bounds, Limits};
pub use memory::{keep_to_itself, keeps_to_itself};
pub use own_file::{own_access_from, own_access_to};
pub use page::Page;
pub use peer::{Outgoing, Peers};
pub use process::{Files, main};
pub use proto::rights::v1::WithheldGround;
pub use protocol::protocol_version;
pub use store::{APART, Deadline, Error, Migration, Result, Row, Tx, Value, args};
pub use telemetry::TraceContext;
pub use tls::{Clients, Pair, Tls, expires};
pub use tonic::{Request, async_trait};
pub use work::{Scope, Work, event_type};

use anyhow::Context as _;
use auth::Issuer;
use futures_util::future::BoxFuture;
use kernel::ClientId;
use proto::audit::v1::audit_service_server::AuditServiceServer;
use proto::feed::v1::feed_service_server::FeedServiceServer;
use proto::rights::v1::ExportPart;
use proto::rights::v1::rights_service_server::RightsServiceServer;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::{Retention, Store};
pub use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::Server;

/// No request of the contract comes near this size.
pub const MAX_REQUEST_BYTES: usize = 1 << 20;

/// How long a stopping service waits for the calls that run.
const DRAIN: Duration = Duration::from_secs(10);

/// A caller that breaks HTTP/2 this often on one connection loses it.
const MOST_FAULTS: usize = 1024;

/// What is known of a service before it runs.
pub struct About {
    /// Its name: that of its feed, its proto package and its database.
    pub name: &'static str,
    /// Its tables, versions from 100 on.
    pub migrations: &'static [Migration],
    /// The feeds that it takes in.
    pub feeds: &'static [Feed],
    /// What of its tables is about a client: given to the client who asks for it (R-REG-21).
    pub held: &'static [Held],
    /// Why nothing of its other tables is.
    pub not_held: &'static [(&'static str, NotHeld)],
    /// Under which name its tables know a client.
    pub known_as: fn(ClientId) -> String,
}

/// What one service of the chain does. The chassis knows it by this alone and is compiled once, not once for each.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// What is known of it before it runs.
    fn about(&self) -> &'static About;

    /// Its RPCs.
    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes;

    /// Takes in an event of another service, in the transaction that moves its cursor. Relations are taken in already.
    async fn take(&self, work: &mut Work, event: &Event) -> Result<()>;

    /// Looks again at something that is due; the deadline itself is gone already.
    async fn wake(&self, work: &mut Work, deadline: &Deadline) -> Result<()>;

    /// Hears that a deadline was looked at, once that is on disk, and with it what shared its commit. For most there is nothing
    /// to do.
    fn woken(&self, _deadline: &Deadline) {}

    /// Takes away what is left of a client who was erased: what is readable without a key, and what is sealed with one that
    /// is gone. Figures in which nobody can be found, and what a law says to keep, stay (R-REG-22).
    async fn forget(&self, _work: &mut Work, _client: ClientId) -> Result<()> {
        Ok(())
    }

    /// Takes away what is left of one class of a client whose term is over; for most there is nothing beside what was sealed
    /// (R-REG-23).
    async fn forget_class(&self, _work: &mut Work, _client: ClientId, _class: Retention) -> Result<()> {
        Ok(())
    }

    /// Runs beside the calls until the service stops; for most there is nothing.
    async fn run(self: Arc<Self>, _chassis: Chassis) {}

    /// How much work waits that is neither a call nor a deadline.
    async fn waiting(&self, _tx: &mut Tx) -> Result<i64> {
        Ok(0)
    }
}

impl Chassis {
    /// One page of what this service holds on a client; who asked is judged and logged by the caller (R-REG-21).
    pub fn export<'a>(&'a self, client: ClientId, token: &'a str) -> BoxFuture<'a, Result<(Vec<ExportPart>, String)>> {
        Box::pin(async move { export::page(self.about, &mut self.store.read().await?, client, token).await })
    }
}

/// One running service: what its handlers need. Cheap to clone.
#[derive(Clone)]
pub struct Chassis {
    /// Its database.
    pub store: Store,
    /// The field's clock.
    pub clock: Clock,
    /// The way to the other services.
    pub peers: Peers,
    /// Checks the tokens of callers.
    pub(crate) verifier: Arc<auth::Verifier>,
    /// What each organisation asks for.
    pub(crate) shares: Arc<limits::Shares>,
    /// What service it is.
    pub(crate) about: &'static About,
    /// Counts acknowledgements on the feed.
    acknowledged: watch::Sender<u64>,
    stopping: watch::Receiver<bool>,
}

impl Chassis {
    /// Resolves when the service stops.
    pub fn stopped(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // An error means that the service is gone, which is as good as stopping.
            let _ = self.stopping.clone().wait_for(|stop| *stop).await;
        })
    }
}

/// Resolves when a service is to stop.
pub type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A service that runs; resolves when it has stopped.
pub type Serving = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// Runs a service until `shutdown` resolves: opens the database, answers calls, follows feeds, wakes deadlines; then
/// stops accepting, lets running calls finish, and fails if they do not within ten seconds.
pub fn serve(service: Arc<dyn Service>, setup: Setup, listener: TcpListener, shutdown: Shutdown) -> Serving {
    Box::pin(run(service, setup, listener, shutdown))
}

async fn run(service: Arc<dyn Service>, setup: Setup, listener: TcpListener, shutdown: Shutdown) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let (chassis, door) = open(service.about(), setup, stopping).await?;

    let feed = feed::Feed::new(chassis.clone(), service.clone());
    let rights = rights::Rights { chassis: chassis.clone() };
    let routes = service
        .clone()
        .routes(&chassis)
        .add_service(limited!(FeedServiceServer::new(feed)))
        .add_service(limited!(RightsServiceServer::new(rights)));

    let again = erasure::repeat(&service, &chassis).await;
    again.with_context(|| format!("{}: who was erased cannot be erased again", chassis.about.name))?;

    let mut beside = JoinSet::new();
    for feed in chassis.about.feeds {
        beside.spawn(well(inbox::follow(service.clone(), chassis.clone(), *feed)));
    }
    beside.spawn(well(timer::run(service.clone(), chassis.clone())));
    beside.spawn(well(audit::link(chassis.clone())));
    let keeping = chassis.clone();
    beside.spawn(well(async move {
        tokio::select! {
            () = keeping.verifier.keep() => {}
            () = keeping.stopped() => {}
        }
    }));
    let own_chassis = chassis.clone();
    beside.spawn(well(async move { service.run(own_chassis).await }));

    beside.spawn(answer(chassis.clone(), door, routes, listener));
    let early = tokio::select! {
        () = shutdown => Ok(()),
        // A service that has lost a part of itself would look well and do nothing.
        broken = broken(&mut beside) => Err(broken.context(format!("{} cannot go on", chassis.about.name))),
    };
    let _ = stop.send(true);
    let drained = drain(chassis, beside).await;
    early.and(drained)
}

async fn well(part: impl Future<Output = ()>) -> anyhow::Result<()> {
    part.await;
    Ok(())
}

/// Resolves when a part of the service panicked or failed.
async fn broken(parts: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Error {
    loop {
        match parts.join_next().await {
            // What has nothing to do has ended well.
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => return error,
            Some(Err(panic)) => return panic.into(),
            None => std::future::pending().await,
        }
    }
}

/// How a service is reached, and how it reaches the others. By default in plain.
#[derive(Clone, Default)]
pub struct Transport {
    /// Certificates, keys and authorities.
    pub tls: Tls,
    /// How much may be asked at once.
    pub limits: Limits,
}

/// What stands before the RPCs of a service.
struct Door {
    transport: Transport,
    issuer: Arc<Issuer>,
    reflection: bool,
}

async fn open(about: &'static About, setup: Setup, stopping: watch::Receiver<bool>) -> anyhow::Result<(Chassis, Door)> {
    let name = about.name;
    let store = Store::open(name, &setup.database, &setup.sealing, about.migrations)
        .await
        .with_context(|| format!("{name}: the database cannot be opened"))?;
    let kept = protocol::keep(&store, setup.clock.now().at).await;
    kept.with_context(|| format!("{name}: what calls are judged by cannot be kept"))?;
    let chassis = Chassis {
        store,
        clock: setup.clock,
        peers: Peers::new(name, setup.peers, setup.tokens.clone(), setup.transport.tls.clone())?,
        verifier: setup.verifier,
        shares: limits::Shares::new(setup.transport.limits.clone()),
        about,
        acknowledged: watch::Sender::new(0),
        stopping,
    };
    Ok((chassis, Door { transport: setup.transport, issuer: setup.tokens, reflection: setup.reflection }))
}

/// Adds reflection, in both versions. It is made once, however many services one process runs: the contract is large.
static REFLECTION: LazyLock<Box<dyn Fn(Routes) -> Routes + Send + Sync>> = LazyLock::new(|| {
    let contract =
        || tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(proto::DESCRIPTORS);
    let (v1, v1alpha) = (contract().build_v1(), contract().build_v1alpha());
    let v1 = v1.expect("the contract was checked when it was built");
    let v1alpha = v1alpha.expect("the contract was checked when it was built");
    Box::new(move |routes| routes.add_service(v1.clone()).add_service(v1alpha.clone()))
});

/// Answers calls until the service stops.
async fn answer(chassis: Chassis, door: Door, routes: Routes, listener: TcpListener) -> anyhow::Result<()> {
    let (health, health_service) = tonic_health::server::health_reporter();
    let audit = audit::Audit { chassis: chassis.clone(), issuer: door.issuer };
    let mut routes = routes.add_service(limited!(AuditServiceServer::new(audit))).add_service(health_service);
    if door.reflection {
        routes = REFLECTION(routes);
    }
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let address = listener.local_addr().ok();
    tracing::info!(service = chassis.about.name, ?address, engine = chassis.store.engine(), "ready");
    let (lines, greeter) = tls::incoming(listener, &door.transport.tls);
    let limits = door.transport.limits;
    Server::builder()
        .http2_keepalive_interval(Some(limits.ping_every))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .concurrency_limit_per_connection(limits.calls_per_connection)
        .max_concurrent_streams(limits.streams_per_connection)
        .http2_max_header_list_size(limits.header_bytes)
        .http2_max_pending_accept_reset_streams(Some(limits.pending_resets))
        .http2_max_local_error_reset_streams(Some(MOST_FAULTS))
        .max_connection_age(limits.connection_age)
        .layer(gate::GateLayer::new(chassis.clone()))
        .add_routes(routes)
        .serve_with_incoming_shutdown(lines, async move { chassis.stopped().await })
        .await?;
    // The port is free once nobody is greeted any more.
    Ok(greeter.await?)
}

/// Lets what runs come to its end, and closes the database.
async fn drain(chassis: Chassis, mut beside: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    tracing::info!(service = chassis.about.name, "stopping");
    let drained = tokio::time::timeout(DRAIN, async {
        while let Some(ended) = beside.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    })
    .await;
    beside.shutdown().await;
    // Whatever was logged last; what cannot be linked now is linked at the next start.
    if let Err(error) = chassis.store.link().await {
        tracing::error!(service = chassis.about.name, %error, "the access log could not be linked");
    }
    chassis.store.close().await;
    drained.with_context(|| format!("{}: calls were still running after {DRAIN:?}", chassis.about.name))?
}

/// A generated server that takes no oversized message.
#[macro_export]
macro_rules! limited {
    ($server:expr) => {
        $server.max_decoding_message_size($crate::MAX_REQUEST_BYTES)
    };
}
