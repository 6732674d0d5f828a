//! The road of a separation: its row, and the event by which access and housing hold to it. It goes to services only, and is on
//! nobody's timeline (R-REG-28).

use super::representative;
use crate::domain::separation::{self, Ground, Separation, SeparationId};
use crate::domain::task::{Kind, TaskId, Wanted};
use crate::{Regie, store};
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

/// They are in one facility or neighbourhood already: who protects the client and the municipality look at it today. One who
/// looks at it already, or a separation that has ended, changes nothing.
pub async fn found_together(regie: &Regie, work: &mut Work, id: SeparationId) -> Result<()> {
    let Some(client) = store::separation::client_of(work, id).await? else { return Ok(()) };
    let municipality = super::municipality_of(regie, work, client).await?;
    let case = store::case::newest(work, client).await?.map(|kept| kept.case).filter(|case| case.closed.is_none());
    let relations = store::relation::of(work, client).await?;
    let chief = regie.register.regie_of(&municipality).clone();
    let holder = case.as_ref().and_then(|case| case.holder.as_ref());
    for (organisation, person, role) in separation::who_looks(chief, holder, &relations) {
        let wanted = Wanted {
            kind: Kind::KeepApart,
            client_id: Some(client),
            subject: Some(id.to_string()),
            organisation,
            person,
            role: Some(role),
            due_on: work.now.date,
            cause: None,
        };
        super::task::open(regie, work, TaskId(Uuid::now_v7()), wanted).await?;
    }
    Ok(())
}

/// Ends a separation of a client; nobody needs to look at it any more.
pub async fn end(regie: &Regie, work: &mut Work, client: ClientId, id: SeparationId) -> Result<()> {
    let known = store::separation::of(work, client).await?;
    let Some(ended) = separation::end(&known, id, work.now)? else { return Ok(()) };
    let person = work.actor().subject.clone();
    store::separation::end(work, &ended, &person).await?;
    super::task::fall_away(regie, work, Kind::KeepApart, Some(client), &id.to_string()).await?;
    work.publish(Some(client), &[], &pb::SeparationEnded { separation_id: id.to_string() }).await
}
