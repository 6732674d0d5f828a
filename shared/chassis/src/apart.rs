//! How a service that places people comes to know whom to keep apart and whose place is secret (R-REG-18, R-REG-28).

use crate::{Event, Work};
use futures_util::future::BoxFuture;
use kernel::{ClientId, Uuid};
use proto::regie::v1::{ClientShielded, SeparationEnded, SeparationMarked, ShieldEnded};
use store::{Error, Result};

/// Two clients who are to be kept apart from now on.
#[derive(Clone, Copy, Debug)]
pub struct Apart {
    /// The separation.
    pub separation: Uuid,
    /// For whom it was marked.
    pub one: ClientId,
    /// From whom.
    pub other: ClientId,
}

/// Takes in what regie tells of separations and shields, and says who are to be kept apart from now on; any other event changes
/// nothing.
pub fn take_apart<'a>(work: &'a mut Work, event: &'a Event) -> BoxFuture<'a, Result<Option<Apart>>> {
    Box::pin(async move {
        let id = |text: &str| Uuid::parse_str(text).map_err(|_| Error::inconsistent("event", "separation_id", "no id"));
        match event.name() {
            "SeparationMarked" => {
                let marked: SeparationMarked = event.decode()?;
                let one = ClientId::parse("client_id", &marked.client_id)?;
                let other = ClientId::parse("other_client_id", &marked.other_client_id)?;
                let separation = id(&marked.separation_id)?;
                work.keep_apart(separation, one, other).await?;
                return Ok(Some(Apart { separation, one, other }));
            }
            "SeparationEnded" => {
                let ended: SeparationEnded = event.decode()?;
                work.end_apart(id(&ended.separation_id)?).await?;
            }
            "ClientShielded" => {
                let shielded: ClientShielded = event.decode()?;
                work.shield(ClientId::parse("client_id", &shielded.client_id)?).await?;
            }
            "ShieldEnded" => {
                let ended: ShieldEnded = event.decode()?;
                work.end_shield(ClientId::parse("client_id", &ended.client_id)?).await?;
            }
            _ => {}
        }
        Ok(None)
    })
}
