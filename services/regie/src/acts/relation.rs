//! The road of a relation: its row, what authorisation needs of it, and the event from which others build their caseload.

use super::tell;
use crate::domain::relation::{self, Event, Relation, RelationId, Wanted};
use crate::{events, store};
use chassis::{Result, Work};
use kernel::ClientId;

/// Grants a relation; gives back the id of the one that stands.
pub async fn grant(work: &mut Work, client: ClientId, id: RelationId, wanted: &Wanted) -> Result<RelationId> {
    let relations = store::relation::of(work, client).await?;
    match relation::grant(&relations, id, wanted, work.now) {
        Some(event) => {
            keep(work, client, &event).await?;
            Ok(id)
        }
        None => {
            let stands = relations.iter().find(|r| r.ended_on.is_none() && r.wanted == *wanted);
            Ok(stands.map_or(id, |r| r.id))
        }
    }
}

/// Ends a relation that was granted by hand.
pub async fn end_by_hand(work: &mut Work, client: ClientId, id: RelationId) -> Result<()> {
    let relations = store::relation::of(work, client).await?;
    match relation::end_by_hand(&relations, id, work.now)? {
        Some(event) => keep(work, client, &event).await,
        None => Ok(()),
    }
}

/// Ends what stands and fits.
pub async fn end_where(work: &mut Work, client: ClientId, fits: impl Fn(&Wanted) -> bool) -> Result<()> {
    let relations = store::relation::of(work, client).await?;
    for event in relation::end_where(&relations, work.now, fits) {
        keep(work, client, &event).await?;
    }
    Ok(())
}

async fn keep(work: &mut Work, client: ClientId, event: &Event) -> Result<()> {
    let (Event::Granted(relation) | Event::Ended(relation)) = event;
    let Relation { wanted, .. } = relation;
    let now = work.now;
    store::relation::save(work, client, relation, now).await?;
    let receivers = [wanted.organisation.clone()];
    match event {
        Event::Granted(_) => tell(work, client, &receivers, &events::granted(client, relation)).await,
        Event::Ended(_) => tell(work, client, &receivers, &events::ended(client, relation)).await,
    }
}
