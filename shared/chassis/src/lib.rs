//! What every service of the chain stands on.
//!
//! A service supplies a [`Service`]: its migrations, its routes, what it does with the events it takes in and with the
//! deadlines it set. This crate carries every call from the wire to one transaction and back ([`Chassis::command`],
//! [`Chassis::query`]), serves the feed and the access log, follows the feeds of others, and wakes deadlines. It knows no
//! rule of the field.

mod audit;
mod call;
mod caller;
mod clock;
mod config;
mod feed;
mod gate;
mod inbox;
mod page;
mod peer;
mod process;
mod timer;
mod work;

pub use call::{Answer, Run};
pub use caller::Caller;
pub use clock::Clock;
pub use config::{ConfigError, Setup, from_env};
pub use inbox::Event;
pub use page::Page;
pub use peer::{Outgoing, Peers};
pub use process::{Files, main};
pub use store::{Deadline, Error, Migration, Result, Row, Tx, Value, args};
pub use telemetry::TraceContext;
pub use work::{Scope, Work, event_type};

use anyhow::Context as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// No request of the contract comes near this size.
pub const MAX_REQUEST_BYTES: usize = 1 << 20;

/// How long a stopping service waits for the calls that run.
const DRAIN: Duration = Duration::from_secs(10);

/// What one service of the chain is made of.
pub trait Service: Send + Sync + Sized + 'static {
    /// Its name: that of its feed, its proto package and its database.
    const NAME: &'static str;
    /// Its tables, versions from 100 on.
    const MIGRATIONS: &'static [Migration];
    /// The services whose feeds it takes in.
    const FEEDS: &'static [&'static str];

    /// Its RPCs.
    fn routes(self: &Arc<Self>, chassis: &Chassis) -> Routes;

    /// Takes in an event of another service, in the transaction that moves its cursor. Relations are taken in already.
    fn take(&self, work: &mut Work, event: &Event) -> impl Future<Output = Result<()>> + Send;

    /// Looks again at something that is due; the deadline itself is gone already.
    fn wake(&self, work: &mut Work, deadline: &Deadline) -> impl Future<Output = Result<()>> + Send;

    /// Runs beside the calls until the service stops; for most there is nothing.
    fn run(self: &Arc<Self>, _chassis: Chassis) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// How much work waits that is neither a call nor a deadline.
    fn waiting(&self, _tx: &mut Tx) -> impl Future<Output = Result<i64>> + Send {
        std::future::ready(Ok(0))
    }
}

/// One running service: what its handlers need. Cheap to clone.
#[derive(Clone)]
pub struct Chassis {
    /// The service's name.
    pub name: &'static str,
    /// Its database.
    pub store: Store,
    /// The field's clock.
    pub clock: Clock,
    /// The way to the other services.
    pub peers: Peers,
    /// Checks the tokens of callers.
    pub(crate) verifier: Arc<auth::Verifier>,
    /// Counts acknowledgements on the feed.
    acknowledged: watch::Sender<u64>,
    stopping: watch::Receiver<bool>,
}

impl Chassis {
    /// Resolves when the service stops.
    pub async fn stopped(&self) {
        // An error means that the service is gone, which is as good as stopping.
        let _ = self.stopping.clone().wait_for(|stop| *stop).await;
    }
}

/// Runs a service until `shutdown` resolves: opens the database, answers calls, follows feeds, wakes deadlines; then
/// stops accepting, lets running calls finish, and fails if they do not within ten seconds.
pub async fn serve<S: Service>(
    service: S,
    setup: Setup,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let store = Store::open(S::NAME, &setup.database, &setup.sealing_key, S::MIGRATIONS)
        .await
        .with_context(|| format!("{}: the database cannot be opened", S::NAME))?;
    let (stop, stopping) = watch::channel(false);
    let service = Arc::new(service);
    let chassis = Chassis {
        name: S::NAME,
        store: store.clone(),
        clock: setup.clock.clone(),
        peers: Peers::new(S::NAME, setup.peers, setup.tokens),
        verifier: setup.verifier,
        acknowledged: watch::Sender::new(0),
        stopping,
    };

    let (health, health_service) = tonic_health::server::health_reporter();
    let mut routes = service
        .routes(&chassis)
        .add_service(limited!(proto::feed::v1::feed_service_server::FeedServiceServer::new(feed::Feed::new(
            chassis.clone(),
            service.clone()
        ))))
        .add_service(limited!(proto::audit::v1::audit_service_server::AuditServiceServer::new(audit::Audit(
            chassis.clone()
        ))))
        .add_service(health_service);
    if setup.reflection {
        let reflection =
            || tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(proto::DESCRIPTORS);
        routes = routes.add_service(reflection().build_v1()?).add_service(reflection().build_v1alpha()?);
    }

    let mut beside = JoinSet::new();
    for source in S::FEEDS {
        beside.spawn(inbox::follow(service.clone(), chassis.clone(), source));
    }
    beside.spawn(timer::run(service.clone(), chassis.clone()));
    let keeping = chassis.clone();
    beside.spawn(async move {
        tokio::select! {
            () = keeping.verifier.keep() => {}
            () = keeping.stopped() => {}
        }
    });
    let (own, own_chassis) = (service.clone(), chassis.clone());
    beside.spawn(async move { own.run(own_chassis).await });

    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    tracing::info!(service = S::NAME, address = ?listener.local_addr().ok(), engine = store.engine(), "ready");

    let draining = chassis.clone();
    let server = Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .concurrency_limit_per_connection(256)
        .layer(gate::GateLayer::new(chassis.clone()))
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), async move {
            draining.stopped().await;
        });
    let server = tokio::spawn(server);

    shutdown.await;
    tracing::info!(service = S::NAME, "stopping");
    let _ = stop.send(true);
    let drained = tokio::time::timeout(DRAIN, async {
        server.await??;
        while beside.join_next().await.is_some() {}
        anyhow::Ok(())
    })
    .await;
    beside.shutdown().await;
    store.close().await;
    drained.with_context(|| format!("{}: calls were still running after {DRAIN:?}", S::NAME))?
}

/// A generated server that takes no oversized message.
#[macro_export]
macro_rules! limited {
    ($server:expr) => {
        $server.max_decoding_message_size($crate::MAX_REQUEST_BYTES)
    };
}
