#![doc = include_str!("../README.md")]

mod acts;
pub mod domain;
mod events;
mod grpc;
mod inbox;
mod outgoing;
mod store;

use ::store::Retention;
use anyhow::Context as _;
use chassis::{About, Chassis, Deadline, Event, Feed, Files, Result, Service, Tx, Work};
use domain::policy::Policy;
use domain::register::Register;
use domain::relation::Kind;
use domain::{policy, process};
use kernel::{ClientId, Dated, Organisation, Role};
use proto::regie::v1::regie_service_server::RegieServiceServer;
use std::sync::Arc;
use tokio::sync::Notify;
use tonic::service::Routes;

/// The register of organisations that is built in.
pub const REGISTER: &str = include_str!("../register.toml");

/// The regie service: what its handlers need beside the chassis.
pub struct Regie {
    pub(crate) policy: Dated<Policy>,
    pub(crate) register: Register,
    /// The register as the processes need it.
    pub(crate) partners: process::Register,
    /// Rung when commands to other services wait.
    pub(crate) ring: Notify,
}

impl Regie {
    /// With the built-in policy and register.
    ///
    /// # Panics
    /// Never: a test reads both.
    pub fn embedded() -> Self {
        Self::from_files(&Files::default()).expect("the built-in policy and register can be read")
    }

    /// With a municipality's own `regie.toml`, `register.toml` and `calendar.toml`.
    pub fn from_files(files: &Files) -> anyhow::Result<Self> {
        let calendar = files.calendar()?;
        let policy = files.text("regie.toml", policy::DEFAULT)?;
        let policy = Dated::<policy::Policy>::parse(&policy).context("the policy of regie")?;
        let policy = policy.completed(|policy| policy.calendar = calendar.clone());
        let register = files.text("register.toml", REGISTER)?;
        let register = Register::try_new(toml::from_str(&register).context("the register of organisations")?)?;
        let partners = register.for_processes();
        Ok(Self { policy, register, partners, ring: Notify::new() })
    }

    /// The role in which an organisation knows a client by a relation of that kind.
    pub(crate) fn role_of(&self, organisation: &Organisation, kind: Kind) -> Role {
        let main = || self.register.main_role(organisation).unwrap_or(Role::Shelter);
        match kind {
            Kind::Access => Role::Access,
            Kind::Income => Role::Income,
            Kind::Landlord => Role::Corporation,
            Kind::District => Role::District,
            Kind::Caseholder => Role::Caseholder,
            Kind::Notifier | Kind::Stay | Kind::Supervisor | Kind::Nominator | Kind::Granted => main(),
        }
    }
}

impl Regie {
    /// What is known of it before it runs.
    pub const ABOUT: About = About {
        name: "regie",
        migrations: &[
            (100, "regie", include_str!("../migrations/0100_regie.sql")),
            (101, "trace", include_str!("../migrations/0101_trace.sql")),
            (102, "erasure", include_str!("../migrations/0102_erasure.sql")),
            (103, "lanes and roles", include_str!("../migrations/0103_lanes_and_roles.sql")),
            (110, "emergency", include_str!("../migrations/0110_emergency.sql")),
            (120, "retention", include_str!("../migrations/0120_retention.sql")),
            (130, "separation", include_str!("../migrations/0130_separation.sql")),
            (131, "shield", include_str!("../migrations/0131_shield.sql")),
            (140, "acknowledgement", include_str!("../migrations/0140_acknowledgement.sql")),
            (141, "merge", include_str!("../migrations/0141_merge.sql")),
            (142, "split", include_str!("../migrations/0142_split.sql")),
            (150, "release and agreement", include_str!("../migrations/0150_release_and_agreement.sql")),
            (151, "access request", include_str!("../migrations/0151_access_request.sql")),
            (152, "representative", include_str!("../migrations/0152_representative.sql")),
            (160, "safe contact", include_str!("../migrations/0160_safe_contact.sql")),
            (161, "task for each", include_str!("../migrations/0161_task_for_each.sql")),
            (162, "correction", include_str!("../migrations/0162_correction.sql")),
        ],
        feeds: &[Feed::whole("access"), Feed::whole("housing"), Feed::whole("income"), Feed::whole("aftercare")],
        held: store::export::HELD,
        not_held: store::export::NOT_HELD,
        known_as: |client| client.to_string(),
    };
}

#[chassis::async_trait]
impl Service for Regie {
    fn about(&self) -> &'static About {
        &Self::ABOUT
    }

    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes {
        let grpc = grpc::Grpc { chassis: chassis.clone(), service: self };
        Routes::new(chassis::limited!(RegieServiceServer::new(grpc)))
    }

    async fn take(&self, work: &mut Work, event: &Event) -> Result<()> {
        inbox::take(self, work, event).await
    }

    async fn wake(&self, work: &mut Work, deadline: &Deadline) -> Result<()> {
        match deadline.kind.as_str() {
            // What waits is looked for once it is on disk.
            outgoing::DEADLINE => Ok(()),
            acts::process::DEADLINE => acts::process::wake(self, work, deadline).await,
            acts::readiness::DEADLINE => match deadline.client_id {
                Some(client) => acts::readiness::refresh(work, client).await,
                None => Ok(()),
            },
            acts::task::DEADLINE => acts::task::wake(self, work, deadline).await,
            acts::emergency::DEADLINE => acts::emergency::wake(self, work, deadline).await,
            acts::representative::DEADLINE => acts::representative::wake(work, deadline).await,
            acts::erasure::DEADLINE => acts::erasure::carry_out(self, work, deadline).await,
            acts::retention::LOOK => match deadline.client_id {
                Some(client) => acts::retention::look(self, work, client).await,
                None => Ok(()),
            },
            acts::retention::DESTROY => acts::retention::carry_out(self, work, deadline).await,
            _ => Err(chassis::Error::inconsistent("deadline", "kind", "is none of regie's")),
        }
    }

    fn woken(&self, deadline: &Deadline) {
        if deadline.kind == outgoing::DEADLINE {
            self.ring.notify_one();
        }
    }

    async fn forget(&self, work: &mut Work, client: ClientId) -> Result<()> {
        let today = work.now.date;
        store::erasure::forget(work, client, today).await
    }

    async fn forget_class(&self, work: &mut Work, client: ClientId, class: Retention) -> Result<()> {
        match class {
            Retention::Plan => store::retention::forget_plan(work, client).await,
            // They go with everything.
            Retention::File | Retention::Report => Ok(()),
        }
    }

    async fn run(self: Arc<Self>, chassis: Chassis) {
        outgoing::run(self, chassis).await;
    }

    async fn waiting(&self, tx: &mut Tx) -> Result<i64> {
        store::outgoing::waiting(tx).await
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_files_can_be_read() {
        let _ = super::Regie::embedded();
    }
}
