//! The six services in this process, each on a database of its own, each of which can be stopped and started again.

use chassis::{Clock, Files, Service, Setup};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use testkit::{Database, Engine};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Endpoint;

/// The services, in no particular order: all may start in any.
pub const SERVICES: [&str; 6] = ["access", "housing", "income", "aftercare", "regie", "monitor"];

/// A file of a municipality's own: its name and its text.
pub type OwnFile = (&'static str, String);

/// The running services.
pub struct Services {
    /// On which engine.
    pub engine: Engine,
    databases: BTreeMap<&'static str, Database>,
    addresses: BTreeMap<&'static str, SocketAddr>,
    clock: Clock,
    folder: TempDir,
    running: Mutex<BTreeMap<&'static str, Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    served: JoinHandle<anyhow::Result<()>>,
}

impl Services {
    /// Starts all six on fresh databases; `None` when the engine is not installed here.
    pub async fn start(engine: Engine, clock: Clock, own: &[OwnFile]) -> Option<Self> {
        let databases =
            SERVICES.iter().map(|name| Some((*name, Database::create(engine)?))).collect::<Option<BTreeMap<_, _>>>()?;
        let (mut listeners, mut addresses) = (Vec::new(), BTreeMap::new());
        for name in SERVICES {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.insert(name, listener.local_addr().unwrap());
            listeners.push((name, listener));
        }
        let folder = TempDir::new().unwrap();
        for (name, text) in own {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let services = Self { engine, databases, addresses, clock, folder, running: Mutex::default() };
        for (name, listener) in listeners {
            services.serve(name, listener);
        }
        Some(services)
    }

    /// Where each listens.
    pub fn endpoints(&self) -> BTreeMap<&'static str, String> {
        self.addresses.iter().map(|(name, address)| (*name, format!("http://{address}"))).collect()
    }

    /// Stops a service as an operator would, and starts it again on the same port and database.
    pub async fn restart(&self, name: &'static str) {
        self.stop(name).await;
        self.resume(name).await;
    }

    /// Stops a service as an operator would.
    pub async fn stop(&self, name: &'static str) {
        let running =
            self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(name).expect("the service runs");
        let _ = running.stop.send(());
        running.served.await.unwrap().unwrap();
    }

    /// Starts a service that was stopped, on the same port and database.
    pub async fn resume(&self, name: &'static str) {
        let listener = TcpListener::bind(self.addresses[name]).await.unwrap();
        self.serve(name, listener);
    }

    fn serve(&self, name: &'static str, listener: TcpListener) {
        let issuer = testkit::issuer();
        let keys = auth::Keys::from_jwks(&issuer.jwks()).unwrap();
        let setup = Setup {
            database: self.databases[name].url.clone(),
            sealing: self.databases[name].sealing(),
            verifier: Arc::new(auth::Verifier::new(keys, issuer.name())),
            tokens: issuer,
            peers: self
                .endpoints()
                .into_iter()
                .map(|(peer, url)| (peer.to_owned(), Endpoint::from_shared(url).unwrap()))
                .collect(),
            clock: self.clock.clone(),
            reflection: true,
            transport: Default::default(),
        };
        let files = Files::in_folder(self.folder.path()).unwrap();
        let running = match name {
            "access" => run(access::Access::from_files(&files).unwrap(), setup, listener),
            "housing" => run(housing::Housing::from_files(&files).unwrap(), setup, listener),
            "income" => run(income::Income::from_files(&files).unwrap(), setup, listener),
            "aftercare" => run(aftercare::Aftercare::from_files(&files).unwrap(), setup, listener),
            "regie" => run(regie::Regie::from_files(&files).unwrap(), setup, listener),
            _ => run(monitor::Monitor::from_files(&files).unwrap(), setup, listener),
        };
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(name, running);
    }
}

fn run(service: impl Service, setup: Setup, listener: TcpListener) -> Running {
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = Box::pin(async { drop(stopped.await) });
    Running { stop, served: tokio::spawn(chassis::serve(Arc::new(service), setup, listener, shutdown)) }
}
