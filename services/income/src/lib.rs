#![doc = include_str!("../README.md")]

mod acts;
pub mod domain;
mod events;
mod grpc;
mod store;
mod words;

use chassis::{About, Chassis, Deadline, Event, Feed, Files, Result, Service, Work};
use domain::{Figures, Policy, Rules};
use kernel::{Calendar, Date, Dated, Moment, Municipality};
use proto::income::v1::income_service_server::IncomeServiceServer;
use std::sync::Arc;
use tonic::service::Routes;

/// The service: what its decisions are judged by.
pub struct Income {
    policy: Dated<Policy>,
    figures: Dated<Figures>,
    calendar: Calendar,
    /// National figures hold in every municipality.
    everywhere: Municipality,
}

impl Income {
    /// With the policy and the figures that are compiled in.
    pub fn embedded() -> Self {
        Self::from_files(&Files::default()).expect("the files that are compiled in are checked by a test")
    }

    /// With a municipality's own `income.toml`, `income-figures.toml` and `calendar.toml`.
    pub fn from_files(files: &Files) -> anyhow::Result<Self> {
        let policy = files.text("income.toml", domain::DEFAULT_POLICY)?;
        let figures = files.text("income-figures.toml", domain::DEFAULT_FIGURES)?;
        let everywhere = Municipality::parse("municipality", "0000").expect("four digits");
        let calendar = files.calendar()?;
        Ok(Self { policy: Dated::parse(&policy)?, figures: Dated::parse(&figures)?, calendar, everywhere })
    }

    pub(crate) fn rules(&self, municipality: &Municipality, now: Moment) -> Rules<'_> {
        Rules { policy: self.policy.at(municipality, now.date), figures: &self.figures, calendar: &self.calendar }
    }

    pub(crate) fn national_rules(&self, now: Moment) -> Rules<'_> {
        self.rules(&self.everywhere, now)
    }

    pub(crate) fn national_figures(&self, on: Date) -> &Figures {
        self.figures.at(&self.everywhere, on)
    }

    pub(crate) fn policy_version(&self, municipality: &Municipality, now: Moment) -> String {
        self.policy.version_at(municipality, now.date)
    }
}

impl Income {
    /// What is known of it before it runs.
    pub const ABOUT: About = About {
        name: "income",
        migrations: store::MIGRATIONS,
        // Regie alone: for who has to do with whom.
        feeds: &[Feed::whole("regie")],
        held: store::export::HELD,
        not_held: store::export::NOT_HELD,
        known_as: |client| client.to_string(),
    };
}

#[chassis::async_trait]
impl Service for Income {
    fn about(&self) -> &'static About {
        &Self::ABOUT
    }

    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes {
        let grpc = grpc::Grpc { chassis: chassis.clone(), service: self };
        Routes::new(chassis::limited!(IncomeServiceServer::new(grpc)))
    }

    async fn take(&self, _: &mut Work, _: &Event) -> Result<()> {
        Ok(())
    }

    async fn wake(&self, work: &mut Work, deadline: &Deadline) -> Result<()> {
        acts::wake(self, work, deadline).await
    }
}
