//! Waiting lists.

use super::{Seen, facility};
use crate::domain::codes::WaitingLeaveReason;
use crate::domain::waiting_list::{self, Entry, Event};
use crate::domain::{EntryId, FacilityId};
use crate::{Access, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Date};
use uuid::Uuid;

/// Puts a client on the list of a facility, who keeps an earlier place; returns the entry and its version.
pub async fn put(
    access: &Access,
    work: &mut Work,
    client: ClientId,
    facility: FacilityId,
    on: Date,
) -> Result<(EntryId, i64)> {
    let (life, _) =
        store::client::load(work, client).await?.map(|(c, v)| (c.life(), v)).ok_or_else(|| Work::unknown("client"))?;
    let (place, _) = facility::find(work, facility).await?;
    let standing = store::waiting_list::standing(work, client, facility).await?;
    let policy = access.policy(&place.municipality, work.now);
    let entry = Entry { client_id: client, facility_id: facility, joined_on: on, left: None };
    let kept_apart = store::separation::not_here(work, client).await?.contains(&facility);
    let events = waiting_list::join(entry, standing.is_some(), (&place, kept_apart), life, policy, work.now)?;
    if let (Some(standing), []) = (standing, events.as_slice()) {
        return Ok(standing);
    }
    let (id, now) = (EntryId(Uuid::now_v7()), work.now.at);
    for event in &events {
        if let Event::Joined(entry) = event {
            store::waiting_list::save(work, id, entry, 1, now).await?;
            events::waiting(work, id, entry, &place, event).await?;
        }
    }
    Ok((id, 1))
}

/// Takes an entry off its list; returns its version.
pub async fn leave(work: &mut Work, id: EntryId, seen: Seen, reason: WaitingLeaveReason) -> Result<i64> {
    let (entry, version) = store::waiting_list::load(work, id).await?.ok_or_else(|| Work::unknown("entry"))?;
    if let Some(seen) = seen {
        work.permit("entry", Some(entry.client_id), &[]).await?;
        work.expect_version(seen, version)?;
    }
    let (place, _) = facility::find(work, entry.facility_id).await?;
    let events = waiting_list::leave(&entry, work.now.date, reason);
    let (after, now) = (events.iter().fold(entry, waiting_list::apply), work.now.at);
    for event in &events {
        store::waiting_list::save(work, id, &after, version + 1, now).await?;
        events::waiting(work, id, &after, &place, event).await?;
    }
    Ok(version + events.len() as i64)
}
