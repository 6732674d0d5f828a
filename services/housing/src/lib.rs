#![doc = include_str!("../README.md")]

mod acts;
pub mod domain;
mod events;
mod grpc;
mod inbox;
mod store;

use chassis::{About, Chassis, Deadline, Event, Feed, Files, Result, Service, Work};
use domain::suitable::Figures;
use domain::{OfferId, Policy, offer};
use kernel::{ClientId, Date, Dated, Municipality};
use proto::housing::v1::housing_service_server::HousingServiceServer;
use std::sync::{Arc, LazyLock};
use tonic::service::Routes;

/// The housing service: what its handlers need beside the chassis.
pub struct Housing {
    policy: Dated<Policy>,
    figures: Dated<Figures>,
}

impl Housing {
    /// With the policy and the yearly figures that are compiled in.
    pub fn embedded() -> Self {
        Self::from_files(&Files::default()).expect("the files that are compiled in are checked by a test")
    }

    /// With a municipality's own `housing.toml`, `housing-figures.toml` and `calendar.toml`.
    pub fn from_files(files: &Files) -> anyhow::Result<Self> {
        let policy = files.text("housing.toml", domain::DEFAULT_POLICY)?;
        let figures = files.text("housing-figures.toml", domain::FIGURES)?;
        let calendar = files.calendar()?;
        let policy = Dated::<Policy>::parse(&policy)?.completed(|policy| policy.calendar = calendar.clone());
        Ok(Self { policy, figures: Dated::parse(&figures)? })
    }
}

/// The yearly figures are national: every municipality has the same.
static ANYWHERE: LazyLock<Municipality> =
    LazyLock::new(|| Municipality::parse("municipality", "0000").expect("four digits are a municipality code"));

impl Housing {
    /// The yearly figures of a day (R-HOU-06).
    pub(crate) fn figures(&self, on: Date) -> &Figures {
        self.figures.at(&ANYWHERE, on)
    }

    /// From when those figures hold; nothing before the first that are loaded.
    pub(crate) fn figures_from(&self, on: Date) -> Option<Date> {
        self.figures.version_at(&ANYWHERE, on).split('@').nth(1)?.parse().ok()
    }
}

impl Housing {
    /// What is known of it before it runs.
    pub const ABOUT: About = About {
        name: "housing",
        migrations: &[
            chassis::APART,
            (100, "homes", include_str!("../migrations/0100_homes.sql")),
            (101, "nominations", include_str!("../migrations/0101_nominations.sql")),
            (102, "offers", include_str!("../migrations/0102_offers.sql")),
            (103, "allocations", include_str!("../migrations/0103_allocations.sql")),
            (104, "lookups", include_str!("../migrations/0104_lookups.sql")),
        ],
        feeds: &[Feed::whole("regie")],
        held: store::export::HELD,
        not_held: store::export::NOT_HELD,
        known_as: |client| client.to_string(),
    };
}

#[chassis::async_trait]
impl Service for Housing {
    fn about(&self) -> &'static About {
        &Self::ABOUT
    }

    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes {
        let server = HousingServiceServer::new(grpc::Grpc { chassis: chassis.clone(), service: self });
        Routes::new(chassis::limited!(server))
    }

    async fn take(&self, work: &mut Work, event: &Event) -> Result<()> {
        inbox::take(work, event).await
    }

    async fn forget(&self, work: &mut Work, client: ClientId) -> Result<()> {
        store::forget(work, client).await
    }

    async fn wake(&self, work: &mut Work, deadline: &Deadline) -> Result<()> {
        let command = match deadline.kind.as_str() {
            acts::OFFER_REMINDER => offer::Command::Remind,
            acts::OFFER_LAPSE => offer::Command::Lapse,
            _ => return Err(chassis::Error::inconsistent("deadline", "kind", "is none of housing's")),
        };
        acts::wake_offer(self, work, OfferId::parse("subject", &deadline.subject)?, &command).await
    }
}
