//! Whole chains: the six services together, over the public API only.
//!
//! A [`Chain`] is the six services, somebody in every role, and a clock. [`steps`] are what people do, one call or a few
//! each; [`facts`] are what the feeds told, and what must hold of them whatever happened.

#[macro_use]
mod calls;
mod apart;
mod emergency;
mod facts;
mod faults;
mod merge;
mod own_file;
pub mod processes;
mod promises;
mod rights;
mod road;
pub mod services;
pub mod steps;
mod traces;
mod word;

pub use facts::Facts;
pub use steps::{Household, RENT_CENTS};

use chassis::Clock;
use doorstroom::doors::{Doors, Person};
use doorstroom::rest::{Told, left_to_do};
use doorstroom::roles;
use kernel::{ClientId, Date, Moment, Role};
use proto::feed::v1::{GetStatusRequest, GetStatusResponse};
use services::{OwnFile, SERVICES, Services};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::Engine;

/// The day on which a test's chain begins: a Monday.
pub const BEGINS: Date = Date::constant(2026, 3, 2);
/// The first of the month after, on which leases start.
pub const LEASES: Date = Date::constant(2026, 4, 1);

/// How long the chain may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running chain.
pub struct Chain {
    /// The ways in.
    pub doors: Doors,
    /// Where each service listens.
    pub endpoints: BTreeMap<&'static str, String>,
    /// Whose tokens they believe.
    pub issuer: Arc<auth::Issuer>,
    /// The services, when they run in this process.
    pub services: Option<Services>,
    /// Moved by hand; none where real time runs.
    clock: Option<Clock>,
    /// Whether a caller tries again, with the same request id, when a service is away.
    patient: bool,
    count: AtomicU32,
    facility: Mutex<String>,
    staying: Mutex<Vec<steps::Staying>>,
}

impl Chain {
    /// A chain in this process, at nine o'clock on [`BEGINS`]; `None` when the engine is not installed here.
    pub async fn start(engine: Engine) -> Option<Self> {
        Self::with(engine, &[]).await
    }

    /// The same, with files of the municipality's own.
    pub async fn with(engine: Engine, own: &[OwnFile]) -> Option<Self> {
        let clock = Clock::manual(Moment::at_hour(BEGINS, 9).at);
        let services = Services::start(engine, clock.clone(), own).await?;
        let mut chain = Self::over(services.endpoints(), testkit::issuer(), Some(clock));
        chain.services = Some(services);
        chain.open().await;
        Some(chain)
    }

    /// A chain of services that run elsewhere.
    pub fn over(endpoints: BTreeMap<&'static str, String>, issuer: Arc<auth::Issuer>, clock: Option<Clock>) -> Self {
        Self {
            doors: Doors::new(&endpoints, issuer.clone()).unwrap(),
            endpoints,
            issuer,
            services: None,
            clock,
            patient: false,
            count: AtomicU32::new(0),
            facility: Mutex::default(),
            staying: Mutex::default(),
        }
    }

    /// From now on every caller tries again while a service is away.
    pub fn be_patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Today, in the field.
    pub fn today(&self) -> Date {
        self.clock.as_ref().map_or_else(|| Clock::system().now(), Clock::now).date
    }

    /// Moves the clock to an hour of a day and waits until the chain is at rest.
    pub async fn at(&self, day: Date, hour: i8) {
        self.clock.as_ref().expect("time is moved by hand").set(Moment::at_hour(day, hour).at);
        self.settle().await;
    }

    /// Moves the clock to nine o'clock of a day, over every day in between, and waits each time: nothing falls due late.
    pub async fn on(&self, day: Date) {
        while self.today() < day {
            self.at(self.today().tomorrow().unwrap(), 9).await;
        }
    }

    /// Waits until the chain is at rest.
    pub async fn settle(&self) {
        let started = Instant::now();
        loop {
            let (mut told, mut left) = (Told::new(), Vec::new());
            let others = SERVICES.into_iter().filter(|service| *service != "regie");
            for service in ["regie"].into_iter().chain(others) {
                match self.status(service).await {
                    Ok(status) => drop(told.insert(service, status)),
                    Err(away) if self.patient => left.push(format!("{service} is away: {away}")),
                    Err(failed) => panic!("{service}: {failed}"),
                }
            }
            left.extend(left_to_do(&told));
            if left.is_empty() {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "the chain does not come to rest: {}", left.join("; "));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// How far the feed of a service is.
    pub async fn status(&self, service: &str) -> Result<GetStatusResponse, tonic::Status> {
        let operator = self.as_(Role::Regie, "gemeente-dordrecht");
        let answer = operator.feed(service, "operations").get_status(GetStatusRequest {}).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Somebody in a role at an organisation.
    pub fn as_(&self, role: Role, organisation: &str) -> Person {
        self.doors.person(testkit::actor(role, organisation))
    }

    /// Somebody in a role, where that role is usually played.
    pub fn person(&self, role: Role) -> Person {
        self.as_(role, roles::organisation(role))
    }

    /// A client with a token of their own.
    pub fn client(&self, client_id: &str) -> Person {
        self.doors.person(testkit::client_actor(ClientId::parse("client_id", client_id).unwrap()))
    }
}

/// Writes one test of a whole chain for both engines: a module with the test's name and a test per engine in it; `= file` gives the
/// services a file of the municipality's own. The one on PostgreSQL is passed over, and says so, where its binaries are not installed.
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($chain:ident: Chain $(= $own:expr)?) $body:block)*) => { $(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn proof($chain: Chain) $body

            async fn on(engine: testkit::Engine) {
                let own: Vec<$crate::chain::services::OwnFile> = vec![$($own)?];
                match Chain::with(engine, &own).await {
                    Some(chain) => proof(chain).await,
                    None => eprintln!("passed over: {engine:?} is not installed"),
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on(testkit::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on(testkit::Engine::Postgres).await;
            }
        }
    )* };
}
use on_both_engines;
