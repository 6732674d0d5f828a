//! What housing takes in from regie: who is ready to be nominated (R-HOU-03), who never lives near whom, and whose address is
//! secret (R-REG-18, R-REG-28).
//! Relations are taken in by the chassis.

use crate::domain::nomination::Readiness;
use crate::store;
use chassis::{Error, Event, Result, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1::{ClientShielded, ReadinessChanged, Requirement, SeparationEnded, SeparationMarked, ShieldEnded};

/// Takes in one event of regie's feed.
pub async fn take(work: &mut Work, event: &Event) -> Result<()> {
    let id = |text: &str| Uuid::parse_str(text).map_err(|_| Error::inconsistent("event", "separation_id", "no id"));
    match event.name() {
        "ReadinessChanged" => {
            let changed: ReadinessChanged = event.decode()?;
            let client = ClientId::parse("client_id", &changed.client_id)?;
            let failed = changed.failed().map(|missing| in_words(missing).to_owned()).collect();
            let since = proto::to_date("since", changed.since.as_ref())?;
            store::nomination::keep_readiness(work, client, &Readiness { ready: changed.ready, failed, since }).await
        }
        "SeparationMarked" => {
            let marked: SeparationMarked = event.decode()?;
            let one = ClientId::parse("client_id", &marked.client_id)?;
            let other = ClientId::parse("other_client_id", &marked.other_client_id)?;
            store::separation::keep(work, id(&marked.separation_id)?, one, other).await
        }
        "SeparationEnded" => {
            let ended: SeparationEnded = event.decode()?;
            store::separation::end(work, id(&ended.separation_id)?).await
        }
        "ClientShielded" => {
            let shielded: ClientShielded = event.decode()?;
            store::shield::keep(work, ClientId::parse("client_id", &shielded.client_id)?).await
        }
        "ShieldEnded" => {
            let ended: ShieldEnded = event.decode()?;
            store::shield::end(work, ClientId::parse("client_id", &ended.client_id)?).await
        }
        _ => Ok(()),
    }
}

/// The requirement as regie's contract names it: "decision", "housing_goal".
fn in_words(missing: Requirement) -> String {
    missing.as_str_name().trim_start_matches("REQUIREMENT_").to_lowercase()
}
