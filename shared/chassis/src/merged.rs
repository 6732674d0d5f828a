//! How every service comes to know which record is used for a client who had two (R-REG-26).

use crate::{Event, Work};
use kernel::ClientId;
use proto::regie::v1::{ClientsMerged, MergeUndone};
use store::Result;

/// Takes in what regie tells of merges; any other event changes nothing.
pub(crate) async fn take(work: &mut Work, event: &Event) -> Result<()> {
    match (event.source, event.name()) {
        ("regie", "ClientsMerged") => {
            let merged: ClientsMerged = event.decode()?;
            let client = ClientId::parse("client_id", &merged.client_id)?;
            work.merge(client, ClientId::parse("kept_client_id", &merged.kept_client_id)?).await
        }
        ("regie", "MergeUndone") => {
            let undone: MergeUndone = event.decode()?;
            work.unmerge(ClientId::parse("client_id", &undone.client_id)?).await
        }
        _ => Ok(()),
    }
}
