//! How every service comes to know which record is used for a client who had two (R-REG-26).

use crate::{About, Event, Work};
use kernel::ClientId;
use proto::regie::v1::{ClientsMerged, MergeUndone};
use store::{Error, Result};

/// Takes in what regie tells of merges, under the names by which a service knows clients; any other event changes nothing.
pub(crate) async fn take(about: &About, work: &mut Work, event: &Event) -> Result<()> {
    let known = |field, id: &str| Ok::<_, Error>((about.known_as)(ClientId::parse(field, id)?));
    match (event.source, event.name()) {
        ("regie", "ClientsMerged") => {
            let merged: ClientsMerged = event.decode()?;
            let client = known("client_id", &merged.client_id)?;
            work.merge(&client, &known("kept_client_id", &merged.kept_client_id)?).await
        }
        ("regie", "MergeUndone") => {
            let undone: MergeUndone = event.decode()?;
            work.unmerge(&known("client_id", &undone.client_id)?).await
        }
        _ => Ok(()),
    }
}
