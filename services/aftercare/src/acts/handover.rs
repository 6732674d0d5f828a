//! Handovers.

use super::look_again;
use crate::domain::handover::{self, Brief, Command, Event, Handover, Stage};
use crate::domain::{AllocationId, HandoverId};
use crate::{Aftercare, events, store};
use chassis::{Result, Work};
use uuid::Uuid;

/// The kind of a handover's deadline.
pub const DEADLINE: &str = "handover";

/// Opens the handover of an allocation, or finds the one there is.
pub async fn draft(service: &Aftercare, work: &mut Work, brief: Brief) -> Result<(Handover, i64)> {
    work.permit("client", Some(brief.client_id), &[]).await?;
    let existing = store::handover::of_allocation(work, brief.allocation_id).await?;
    let (policy, version) = service.policy(work, Some(&brief.municipality))?;
    let there = existing.as_ref().map(|(handover, _)| handover);
    let events = handover::draft(there, HandoverId(Uuid::now_v7()), brief, policy, work.now)?;
    keep(work, existing, &events, &version).await
}

/// Carries out a command on a handover that the caller gives or receives, as the command wants.
pub async fn change(
    service: &Aftercare,
    work: &mut Work,
    id: HandoverId,
    seen: i64,
    command: Command,
) -> Result<(Handover, i64)> {
    let (handover, version) = load(work, id).await?;
    let owner = command.party().map(|party| handover.organisation(party));
    work.permit("handover", Some(handover.brief.client_id), &Vec::from_iter(owner)).await?;
    work.expect_version(seen, version)?;
    carry_out(service, work, (handover, version), &command).await
}

/// Cancels the handover of an allocation, if it has one.
pub async fn cancel(service: &Aftercare, work: &mut Work, id: AllocationId) -> Result<Option<(Handover, i64)>> {
    let Some((handover, version)) = store::handover::of_allocation(work, id).await? else {
        return Ok(None);
    };
    work.permit("handover", Some(handover.brief.client_id), &[]).await?;
    carry_out(service, work, (handover, version), &Command::Cancel).await.map(Some)
}

/// Looks whether a term has passed.
pub async fn lapse(service: &Aftercare, work: &mut Work, id: HandoverId) -> Result<()> {
    let stored = load(work, id).await?;
    carry_out(service, work, stored, &Command::Lapse).await.map(|_| ())
}

/// One handover and its version, or "not found".
pub async fn load(work: &mut Work, id: HandoverId) -> Result<(Handover, i64)> {
    store::handover::load(work, id).await?.ok_or_else(|| Work::unknown("handover"))
}

async fn carry_out(
    service: &Aftercare,
    work: &mut Work,
    stored: (Handover, i64),
    command: &Command,
) -> Result<(Handover, i64)> {
    let (policy, version) = service.policy(work, Some(&stored.0.brief.municipality))?;
    let events = handover::decide(&stored.0, command, policy, work.now)?;
    keep(work, Some(stored), &events, &version).await
}

async fn keep(
    work: &mut Work,
    before: Option<(Handover, i64)>,
    events: &[Event],
    policy: &str,
) -> Result<(Handover, i64)> {
    let (before, version) = before.map_or((None, 0), |(handover, version)| (Some(handover), version));
    let receiver = |handover: &Handover| receives(handover).then(|| handover.brief.to.clone());
    let had = before.as_ref().and_then(receiver);
    let after = events.iter().fold(before, handover::apply).ok_or_else(|| Work::unknown("handover"))?;
    look_again(work, DEADLINE, after.id, after.brief.client_id, after.wake_at()).await?;
    if events.is_empty() {
        return Ok((after, version));
    }
    let version = version + 1;
    store::handover::save(work, &after, version).await?;
    match (had, receiver(&after)) {
        (before, now) if before == now => {}
        (_, Some(_)) => store::handover::grant(work, &after).await?,
        (_, None) => store::handover::end_grant(work, after.brief.allocation_id).await?,
    }
    for event in events {
        events::handover(work, (&after, version), event, policy).await?;
    }
    Ok((after, version))
}

/// Whether the receiver has to do with the client: from the filled form on.
fn receives(handover: &Handover) -> bool {
    matches!(handover.stage, Stage::Filled(_) | Stage::Accepted)
}
