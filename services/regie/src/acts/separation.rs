//! The road of a separation: its row, and the event by which access and housing hold to it. It goes to services only, and is on
//! nobody's timeline (R-REG-28).

use super::representative;
use crate::domain::separation::{self, Ground, Separation, SeparationId};
use crate::store;
use chassis::{Result, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1 as pb;

/// Marks a separation for a client; gives back the id of the one that stands.
pub async fn mark(work: &mut Work, client: ClientId, other: ClientId, ground: Ground) -> Result<SeparationId> {
    let known = store::separation::of(work, client).await?;
    let wanted = Separation {
        id: SeparationId(Uuid::now_v7()),
        other,
        ground,
        marked_on: work.now.date,
        marked_by: work.organisation().clone(),
        ended_on: None,
    };
    let (stands, new) = separation::mark(&known, client, wanted)?;
    if new {
        let person = work.actor().subject.clone();
        store::separation::insert(work, client, &stands, &person).await?;
        let event = pb::SeparationMarked {
            separation_id: stands.id.to_string(),
            client_id: client.to_string(),
            other_client_id: other.to_string(),
        };
        work.publish(Some(client), &[], &event).await?;
        // Who is kept apart from somebody reads nothing in that one's name (R-REG-21).
        for (one, by) in [(client, other), (other, client)] {
            representative::end_where(work, one, |known| known.wish.represented_by == by).await?;
        }
    }
    Ok(stands.id)
}

/// Ends a separation of a client.
pub async fn end(work: &mut Work, client: ClientId, id: SeparationId) -> Result<()> {
    let known = store::separation::of(work, client).await?;
    let Some(ended) = separation::end(&known, id, work.now)? else { return Ok(()) };
    let person = work.actor().subject.clone();
    store::separation::end(work, &ended, &person).await?;
    work.publish(Some(client), &[], &pb::SeparationEnded { separation_id: id.to_string() }).await
}
