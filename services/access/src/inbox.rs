//! What access takes in from others: who is never placed together, and whose place is secret
//! (R-REG-18, R-REG-28). Relations are taken in by the chassis; nothing else
//! that happens elsewhere changes a thing here: regie gives commands where something must.

use crate::store;
use chassis::{Error, Event, Result, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1::{ClientShielded, SeparationEnded, SeparationMarked, ShieldEnded};

/// Takes in an event of another service.
pub async fn take(work: &mut Work, event: &Event) -> Result<()> {
    let id = |text: &str| Uuid::parse_str(text).map_err(|_| Error::inconsistent("event", "separation_id", "no id"));
    match event.name() {
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
