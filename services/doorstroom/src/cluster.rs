//! All six services in one process, each with its own port and its own database file in one folder.

use crate::local::{PORTS, development_issuer, sealing};
use anyhow::{Context as _, bail};
use auth::{Issuer, Keys, Verifier};
use chassis::{About, Clock, Service, Setup};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// The six services.
pub const ABOUT: [&About; 6] = [
    &access::Access::ABOUT,
    &housing::Housing::ABOUT,
    &income::Income::ABOUT,
    &aftercare::Aftercare::ABOUT,
    &regie::Regie::ABOUT,
    &monitor::Monitor::ABOUT,
];

/// How the services run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder with the databases and keys; made when it is not there.
    pub data: PathBuf,
    /// Each on its fixed port, or wherever there is room.
    pub fixed_ports: bool,
    /// The field's clock.
    pub clock: Clock,
    /// Whether the relapse guarantee is on (R-AFT-10); it is off unless a municipality sets it.
    pub relapse_guarantee: bool,
}

/// The running services.
pub struct Cluster {
    /// Where each service listens.
    pub endpoints: BTreeMap<&'static str, String>,
    /// Signs the tokens that they trust.
    pub issuer: Arc<Issuer>,
    /// The field's clock.
    pub clock: Clock,
    stop: watch::Sender<bool>,
    running: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Cluster {
    /// Starts the services and waits until each answers.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        fs::create_dir_all(&options.data).with_context(|| format!("{} cannot be made", options.data.display()))?;
        let issuer = Arc::new(development_issuer(&options.data)?);

        let mut listeners = BTreeMap::new();
        for (name, port) in PORTS {
            let port = if options.fixed_ports { port } else { 0 };
            let listener = TcpListener::bind(("127.0.0.1", port))
                .await
                .with_context(|| format!("{name}: port {port} cannot be had; does doorstroom run already?"))?;
            listeners.insert(name, listener);
        }
        let mut endpoints = BTreeMap::new();
        for (name, listener) in &listeners {
            endpoints.insert(*name, format!("http://{}", listener.local_addr()?));
        }

        let (stop, stopping) = watch::channel(false);
        let mut running = JoinSet::new();
        let mut prepare = |name: &'static str| {
            let listener = listeners.remove(name).with_context(|| format!("{name} has no port"))?;
            let peers =
                endpoints.iter().map(|(peer, url)| Ok(((*peer).to_owned(), Endpoint::from_shared(url.clone())?)));
            let setup = Setup {
                database: format!("sqlite:{}", options.data.join(format!("{name}.sqlite")).display()),
                sealing: sealing(&options.data, name)?,
                verifier: Arc::new(Verifier::new(Keys::from_jwks(&issuer.jwks())?, issuer.name())),
                tokens: issuer.clone(),
                peers: peers.collect::<anyhow::Result<_>>()?,
                clock: options.clock.clone(),
                reflection: true,
                transport: chassis::Transport::default(),
            };
            anyhow::Ok((setup, listener))
        };
        let aftercare = aftercare(options.relapse_guarantee)?;
        spawn(&mut running, access::Access::embedded(), prepare("access")?, &stopping);
        spawn(&mut running, housing::Housing::embedded(), prepare("housing")?, &stopping);
        spawn(&mut running, income::Income::embedded(), prepare("income")?, &stopping);
        spawn(&mut running, aftercare, prepare("aftercare")?, &stopping);
        spawn(&mut running, regie::Regie::embedded(), prepare("regie")?, &stopping);
        spawn(&mut running, monitor::Monitor::embedded(), prepare("monitor")?, &stopping);

        let mut cluster = Self { endpoints, issuer, clock: options.clock.clone(), stop, running };
        cluster.ready().await?;
        Ok(cluster)
    }

    /// Waits until every service says that it serves; fails with the first that stops instead.
    async fn ready(&mut self) -> anyhow::Result<()> {
        let endpoints = self.endpoints.clone();
        let all = async {
            for (name, url) in endpoints {
                let channel = Endpoint::from_shared(url)?.connect_timeout(Duration::from_secs(20)).connect_lazy();
                let mut health = HealthClient::new(channel);
                let asked = health.check(HealthCheckRequest::default()).await;
                asked.with_context(|| format!("{name} does not answer"))?;
            }
            anyhow::Ok(())
        };
        tokio::select! {
            ready = all => ready,
            stopped = self.running.join_next() => stopped_early(stopped),
        }
    }

    /// Runs until `shutdown` resolves or a service stops by itself, which is a failure.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let early = tokio::select! {
            () = shutdown => None,
            stopped = self.running.join_next() => Some(stopped_early(stopped)),
        };
        let stopped = self.stop().await;
        early.unwrap_or(Ok(())).and(stopped)
    }

    /// Stops every service, after what runs has finished.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let _ = self.stop.send(true);
        while let Some(stopped) = self.running.join_next().await {
            stopped?.1?;
        }
        Ok(())
    }
}

/// The aftercare service, with the relapse guarantee on or off (R-AFT-10).
fn aftercare(relapse_guarantee: bool) -> anyhow::Result<aftercare::Aftercare> {
    let policy = aftercare::domain::DEFAULT_POLICY;
    let policy = policy.replace("relapse_guarantee = false", &format!("relapse_guarantee = {relapse_guarantee}"));
    Ok(aftercare::Aftercare::with_policy(&policy)?)
}

type Stopped = Option<Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>>;

fn stopped_early(stopped: Stopped) -> anyhow::Result<()> {
    match stopped {
        Some(Ok((name, outcome))) => {
            outcome.with_context(|| format!("{name} stopped"))?;
            bail!("{name} stopped by itself")
        }
        Some(Err(panic)) => Err(panic.into()),
        None => bail!("no service runs"),
    }
}

fn spawn(
    running: &mut JoinSet<(&'static str, anyhow::Result<()>)>,
    service: impl Service,
    (setup, listener): (Setup, TcpListener),
    stopping: &watch::Receiver<bool>,
) {
    let mut stopping = stopping.clone();
    let shutdown = Box::pin(async move {
        // An error means that the launcher is gone, which is as good as being stopped.
        let _ = stopping.wait_for(|stop| *stop).await;
    });
    let name = service.about().name;
    let serving = chassis::serve(Arc::new(service), setup, listener, shutdown);
    running.spawn(async move { (name, serving.await) });
}
