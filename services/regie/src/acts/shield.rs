//! The road of a shield: its row, and the event by which every service holds to it. It goes to services only, and is on nobody's
//! timeline (R-REG-18).

use super::representative;
use crate::store;
use chassis::{Result, Work};
use kernel::{ClientId, Date};
use proto::regie::v1 as pb;

/// Shields a client; gives the day since which one is. The records that point to this one tell of the same person (R-REG-26).
pub async fn raise(work: &mut Work, client: ClientId) -> Result<Date> {
    for record in work.pointing_to(client).await? {
        raise_one(work, record).await?;
    }
    raise_one(work, client).await
}

async fn raise_one(work: &mut Work, client: ClientId) -> Result<Date> {
    if let Some(since) = store::shield::since(work, client).await? {
        return Ok(since);
    }
    let (since, by, person) = (work.now.date, work.organisation().clone(), work.actor().subject.clone());
    store::shield::insert(work, client, since, &by, &person).await?;
    work.publish(Some(client), &[], &pb::ClientShielded { client_id: client.to_string() }).await?;
    // A parent may be whom the client hides from: nobody stands in until the shield ends (R-REG-21).
    representative::end_where(work, client, |_| true).await?;
    super::safe_contact::shielded(work, client).await?;
    Ok(since)
}

/// Ends the shield of a client, if there is one.
pub async fn end(work: &mut Work, client: ClientId) -> Result<()> {
    for record in work.pointing_to(client).await? {
        end_one(work, record).await?;
    }
    end_one(work, client).await
}

async fn end_one(work: &mut Work, client: ClientId) -> Result<()> {
    if store::shield::since(work, client).await?.is_none() {
        return Ok(());
    }
    let (on, person) = (work.now.date, work.actor().subject.clone());
    store::shield::end(work, client, on, &person).await?;
    work.publish(Some(client), &[], &pb::ShieldEnded { client_id: client.to_string() }).await?;
    super::safe_contact::unshielded(work, client).await
}
