#![doc = include_str!("../README.md")]

mod acts;
pub mod domain;
mod events;
mod grpc;
mod inbox;
mod store;
mod words;

use chassis::{About, Chassis, Deadline, Event, Feed, Files, Result, Service, Work};
use domain::Policy;
use kernel::{ClientId, Dated, Municipality};
use proto::aftercare::v1::aftercare_service_server::AftercareServiceServer;
use std::sync::Arc;
use tonic::service::Routes;

/// The aftercare service.
pub struct Aftercare {
    policy: Dated<Policy>,
}

impl Aftercare {
    /// With the policy that is compiled in.
    pub fn embedded() -> Self {
        Self::from_files(&Files::default()).expect("the policy that is compiled in is checked by a test")
    }

    /// With the text of a policy file, and no days designated.
    pub fn with_policy(text: &str) -> std::result::Result<Self, kernel::PolicyError> {
        Ok(Self { policy: Dated::parse(text)? })
    }

    /// With a municipality's own `aftercare.toml` and `calendar.toml`.
    pub fn from_files(files: &Files) -> anyhow::Result<Self> {
        let calendar = files.calendar()?;
        let Self { policy } = Self::with_policy(&files.text("aftercare.toml", domain::DEFAULT_POLICY)?)?;
        Ok(Self { policy: policy.completed(|policy| policy.calendar = calendar.clone()) })
    }

    /// The policy of today for a municipality, and its version; the general one where the municipality is not known.
    fn policy(&self, work: &Work, municipality: Option<&Municipality>) -> Result<(&Policy, String)> {
        let unknown = Municipality::parse("municipality", words::UNKNOWN_MUNICIPALITY)?;
        let municipality = municipality.unwrap_or(&unknown);
        let today = work.now.date;
        Ok((self.policy.at(municipality, today), self.policy.version_at(municipality, today)))
    }
}

impl Aftercare {
    /// What is known of it before it runs.
    pub const ABOUT: About = About {
        name: "aftercare",
        migrations: &[
            (100, "handovers", include_str!("../migrations/0100_handovers.sql")),
            (101, "signalling plans", include_str!("../migrations/0101_signalling_plans.sql")),
            (102, "aftercare", include_str!("../migrations/0102_aftercare.sql")),
            (103, "signals", include_str!("../migrations/0103_signals.sql")),
        ],
        feeds: &[Feed::whole("regie")],
        held: store::export::HELD,
        not_held: store::export::NOT_HELD,
        known_as: |client| client.to_string(),
    };
}

#[chassis::async_trait]
impl Service for Aftercare {
    fn about(&self) -> &'static About {
        &Self::ABOUT
    }

    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes {
        let grpc = grpc::Grpc { chassis: chassis.clone(), service: self };
        Routes::new(chassis::limited!(AftercareServiceServer::new(grpc)))
    }

    async fn take(&self, work: &mut Work, event: &Event) -> Result<()> {
        inbox::take(work, event).await
    }

    async fn forget(&self, work: &mut Work, client: ClientId) -> Result<()> {
        store::forget(work, client).await
    }

    async fn wake(&self, work: &mut Work, deadline: &Deadline) -> Result<()> {
        acts::wake(self, work, deadline).await
    }
}
