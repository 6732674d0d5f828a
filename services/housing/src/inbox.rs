//! What housing takes in from regie: who is ready to be nominated (R-HOU-03), and whom to keep apart or to shield. Relations
//! are taken in by the chassis.

use crate::domain::nomination::Readiness;
use crate::{acts, store};
use chassis::{Event, Result, Work};
use kernel::ClientId;
use proto::regie::v1::{ReadinessChanged, Requirement};

/// Takes in one event of regie's feed.
pub async fn take(work: &mut Work, event: &Event) -> Result<()> {
    match event.name() {
        "ReadinessChanged" => {
            let changed: ReadinessChanged = event.decode()?;
            let client = ClientId::parse("client_id", &changed.client_id)?;
            let failed = changed.failed().map(|missing| in_words(missing).to_owned()).collect();
            let since = proto::to_date("since", changed.since.as_ref())?;
            store::nomination::keep_readiness(work, client, &Readiness { ready: changed.ready, failed, since }).await
        }
        _ => match chassis::take_apart(work, event).await? {
            Some(apart) => acts::separated(work, &apart).await,
            None => Ok(()),
        },
    }
}

/// The requirement as regie's contract names it: "decision", "housing_goal".
fn in_words(missing: Requirement) -> String {
    missing.as_str_name().trim_start_matches("REQUIREMENT_").to_lowercase()
}
