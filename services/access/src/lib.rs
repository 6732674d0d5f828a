#![doc = include_str!("../README.md")]

mod acts;
pub mod domain;
mod events;
mod grpc;
mod store;
mod words;

use chassis::{About, Chassis, Deadline, Event, Feed, Files, Result, Service, Work};
use domain::{
    ApplicationId, ClaimId, DecisionId, Due, NotificationId, Policy, StayId, decision, notification, place_claim,
};
use kernel::{ClientId, Dated, Moment, Municipality, PolicyError};
use proto::access::v1::access_service_server::AccessServiceServer;
use std::sync::Arc;
use tonic::service::Routes;
use uuid::Uuid;

/// The access service: what its handlers need beside the chassis.
pub struct Access {
    policy: Dated<Policy>,
}

impl Access {
    /// With the policy that is compiled in; `policy.toml` explains every value.
    pub fn embedded() -> Self {
        Self::from_files(&Files::default()).expect("the policy that is compiled in is checked by a test")
    }

    /// With a municipality's own `access.toml` and `calendar.toml`.
    pub fn from_files(files: &Files) -> anyhow::Result<Self> {
        let calendar = files.calendar()?;
        let Self { policy } = Self::with_policy(&files.text("access.toml", domain::policy::DEFAULT)?)?;
        Ok(Self { policy: policy.completed(|policy| policy.calendar = calendar.clone()) })
    }

    /// With the text of a policy file, and no days designated.
    pub fn with_policy(text: &str) -> std::result::Result<Self, PolicyError> {
        Ok(Self { policy: Dated::parse(text)? })
    }

    fn policy(&self, municipality: &Municipality, now: Moment) -> &Policy {
        self.policy.at(municipality, now.date)
    }

    fn policy_version(&self, municipality: &Municipality, now: Moment) -> String {
        self.policy.version_at(municipality, now.date)
    }
}

impl Access {
    /// What is known of it before it runs.
    pub const ABOUT: About = About {
        name: "access",
        migrations: &[
            chassis::APART,
            (100, "clients", include_str!("../migrations/0100_clients.sql")),
            (101, "requests", include_str!("../migrations/0101_requests.sql")),
            (102, "facilities", include_str!("../migrations/0102_facilities.sql")),
            (103, "stays", include_str!("../migrations/0103_stays.sql")),
            (104, "waiting lists", include_str!("../migrations/0104_waiting_lists.sql")),
            (105, "place claims", include_str!("../migrations/0105_place_claims.sql")),
            (106, "lookups", include_str!("../migrations/0106_lookups.sql")),
            (152, "own access", include_str!("../migrations/0152_own_access.sql")),
        ],
        feeds: &[Feed::whole("regie")],
        held: store::export::HELD,
        not_held: store::export::NOT_HELD,
        known_as: |client| client.to_string(),
    };
}

#[chassis::async_trait]
impl Service for Access {
    fn about(&self) -> &'static About {
        &Self::ABOUT
    }

    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes {
        let grpc = grpc::Grpc { chassis: chassis.clone(), service: self };
        Routes::new(chassis::limited!(AccessServiceServer::new(grpc)))
    }

    async fn take(&self, work: &mut Work, event: &Event) -> Result<()> {
        // Relations are taken in by the chassis; what else must change here, regie asks by a command.
        match chassis::take_apart(work, event).await? {
            Some(apart) => acts::separation::marked(work, &apart).await,
            None => Ok(()),
        }
    }

    async fn forget(&self, work: &mut Work, client: ClientId) -> Result<()> {
        work.forget_apart(client).await?;
        store::client::forget(work, client).await
    }

    async fn wake(&self, work: &mut Work, deadline: &Deadline) -> Result<()> {
        let wrong = |column| chassis::Error::inconsistent("deadline", column, "is none of this service");
        let due = Due::from_code(&deadline.kind).ok_or_else(|| wrong("kind"))?;
        let id = Uuid::parse_str(&deadline.subject).map_err(|_| wrong("subject"))?;
        match due {
            Due::InvestigationSoon | Due::InvestigationOver | Due::UrgentProvision => {
                let command = notification::Command::Wake(due);
                acts::notification::change(self, work, NotificationId(id), None, command).await?;
            }
            Due::ApplicationSoon => acts::decision::warn(work, ApplicationId(id)).await?,
            Due::DecisionSoon | Due::DecisionOver => {
                acts::decision::change(self, work, DecisionId(id), None, decision::Command::Wake(due)).await?;
            }
            Due::StayTarget => acts::stay::wake(self, work, StayId(id), due).await?,
            Due::OwnAccess => acts::own_access::wake(work, ClientId(id)).await?,
            Due::ClaimSoon | Due::ClaimOver => {
                acts::place_claim::change(work, ClaimId(id), None, place_claim::Command::Wake(due), None).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_embedded_policy_can_be_read() {
        super::Access::embedded();
    }
}
