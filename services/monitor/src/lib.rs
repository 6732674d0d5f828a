#![doc = include_str!("../README.md")]

pub mod domain;
mod grpc;
mod inbox;
mod rebuild;
mod store;

use chassis::{About, Chassis, Deadline, Event, Feed, Files, Result, Service, Tx, Work};
use domain::facts::Pseudonym;
use kernel::Dated;
use proto::monitor::v1::monitor_service_server::MonitorServiceServer;
use std::sync::Arc;
use tokio::sync::Notify;
use tonic::service::Routes;

/// The feeds that figures are made from. What is not needed is not taken in, and what is goes under a pseudonym: so no client
/// id ever comes into this database.
const COUNTED: [Feed; 2] = [Feed::whole("access"), Feed::whole("aftercare")];

/// The monitor: its policy, and a word to whoever carries out rebuilds.
pub struct Monitor {
    policy: Dated<domain::Policy>,
    wanted: Notify,
}

impl Monitor {
    /// With the policy that is compiled in.
    pub fn embedded() -> Self {
        Self::from_files(&Files::default()).expect("the policy that is compiled in is checked by a test")
    }

    /// With a municipality's own `monitor.toml`.
    pub fn from_files(files: &Files) -> anyhow::Result<Self> {
        let policy = domain::policy(&files.text("monitor.toml", domain::DEFAULT_POLICY)?)?;
        Ok(Self { policy, wanted: Notify::new() })
    }
}

impl Monitor {
    /// What is known of it before it runs.
    pub const ABOUT: About = About {
        name: "monitor",
        migrations: &[
            (100, "generations", include_str!("../migrations/0100_generations.sql")),
            (101, "facts", include_str!("../migrations/0101_facts.sql")),
        ],
        feeds: &[
            COUNTED[0],
            COUNTED[1],
            // Which records are of one person: nobody is counted as two people (R-REG-26).
            Feed::only("regie", &["ClientsMerged", "MergeUndone"]),
        ],
        held: store::export::HELD,
        not_held: store::export::NOT_HELD,
        known_as: |client| Pseudonym::of(&client.to_string()).0.to_string(),
    };
}

#[chassis::async_trait]
impl Service for Monitor {
    fn about(&self) -> &'static About {
        &Self::ABOUT
    }

    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes {
        let grpc = grpc::Grpc { chassis: chassis.clone(), monitor: self };
        Routes::new(chassis::limited!(MonitorServiceServer::new(grpc)))
    }

    async fn take(&self, work: &mut Work, event: &Event) -> Result<()> {
        inbox::take(work, event).await
    }

    async fn wake(&self, _work: &mut Work, _deadline: &Deadline) -> Result<()> {
        Ok(()) // The monitor sets no deadlines.
    }

    async fn run(self: Arc<Self>, chassis: Chassis) {
        tokio::select! {
            () = rebuild::run(&self, &chassis) => {}
            () = chassis.stopped() => {}
        }
    }

    async fn waiting(&self, tx: &mut Tx) -> Result<i64> {
        match store::generation::state(tx).await? {
            domain::generation::State::Rebuilding { .. } => Ok(1),
            domain::generation::State::Serving { .. } => Ok(0),
        }
    }
}
