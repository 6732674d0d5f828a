//! The road of a split: its row, the event for the services, and a task for each who may hold something of the second person
//! under the first (R-REG-26). Undone, the new record points to the old one by a merge.

use super::acknowledgement;
use crate::domain::split::{self, Split, SplitId};
use crate::domain::task::Kind;
use crate::{Regie, store};
use chassis::{Result, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1 as pb;

/// Says that a record was split off another; gives back the id of the split that stands.
pub async fn split(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    new: ClientId,
    explanation: String,
) -> Result<SplitId> {
    super::expect_known(work, [client, new]).await?;
    let known = store::split::of(work, [client, new]).await?;
    let (split_on, split_by) = (work.now.date, work.organisation().clone());
    let wanted = Split { id: SplitId(Uuid::now_v7()), client, new, explanation, split_on, split_by };
    let (stands, is_new) = split::split(&known, wanted)?;
    if is_new {
        let person = work.actor().subject.clone();
        store::split::insert(work, &stands, &person).await?;
        let (split_id, client_id, new_client_id) = (stands.id.to_string(), client.to_string(), new.to_string());
        work.publish(Some(client), &[], &pb::ClientSplit { split_id, client_id, new_client_id }).await?;
        acknowledgement::ask(regie, work, client, Kind::CheckAfterSplit).await?;
    }
    Ok(stands.id)
}
