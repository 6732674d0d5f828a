//! How a service that places people comes to know whom to keep apart and whose place is secret (R-REG-18, R-REG-28).

use crate::{Event, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1::{ClientShielded, SeparationEnded, SeparationMarked, ShieldEnded};
use store::{Error, Result};

/// Takes in what regie tells of separations and shields; any other event changes nothing.
pub async fn take_apart(work: &mut Work, event: &Event) -> Result<()> {
    let id = |text: &str| Uuid::parse_str(text).map_err(|_| Error::inconsistent("event", "separation_id", "no id"));
    match event.name() {
        "SeparationMarked" => {
            let marked: SeparationMarked = event.decode()?;
            let one = ClientId::parse("client_id", &marked.client_id)?;
            let other = ClientId::parse("other_client_id", &marked.other_client_id)?;
            work.keep_apart(id(&marked.separation_id)?, one, other).await
        }
        "SeparationEnded" => {
            let ended: SeparationEnded = event.decode()?;
            work.end_apart(id(&ended.separation_id)?).await
        }
        "ClientShielded" => {
            let shielded: ClientShielded = event.decode()?;
            work.shield(ClientId::parse("client_id", &shielded.client_id)?).await
        }
        "ShieldEnded" => {
            let ended: ShieldEnded = event.decode()?;
            work.end_shield(ClientId::parse("client_id", &ended.client_id)?).await
        }
        _ => Ok(()),
    }
}
