//! The road of a request for correction: on the municipality's list with its month, until it is decided (R-REG-21).

use super::{desk, on_the_desk, task, tell};
use crate::domain::correction::{self, CORRECTION_UNKNOWN, Correction, CorrectionId, Decision, Wish};
use crate::domain::month::ExtensionGround;
use crate::domain::task::Kind;
use crate::{Regie, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Date, Organisation, Uuid};

/// Records a request, and puts the decision on the municipality's list.
pub async fn request(regie: &Regie, work: &mut Work, client: ClientId, wish: Wish) -> Result<Correction> {
    let (chief, policy) = desk(regie, work, client).await?;
    let correction = correction::request(CorrectionId(Uuid::now_v7()), wish, &policy.calendar, work.now)?;
    store::correction::insert(work, client, &correction).await?;
    tell(work, client, std::slice::from_ref(&chief), &events::correction_requested(&correction)).await?;
    on_the_list(regie, work, client, chief, &correction).await?;
    Ok(correction)
}

async fn on_the_list(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    chief: Organisation,
    correction: &Correction,
) -> Result<()> {
    let last = (correction.id.to_string(), correction.answer_by);
    on_the_desk(regie, work, client, (chief, Kind::DecideCorrection), last).await
}

async fn find(work: &mut Work, client: ClientId, id: CorrectionId) -> Result<Correction> {
    let known = store::correction::of(work, client).await?;
    Ok(known.into_iter().find(|one| one.id == id).ok_or(&CORRECTION_UNKNOWN)?)
}

/// Extends the month, once.
pub async fn extend(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    id: CorrectionId,
    why: (ExtensionGround, Date),
) -> Result<Correction> {
    let (chief, policy) = desk(regie, work, client).await?;
    let known = find(work, client, id).await?;
    let Some(correction) = correction::extend(&known, why, &policy.calendar, work.now)? else { return Ok(known) };
    store::correction::extend(work, &correction).await?;
    tell(work, client, std::slice::from_ref(&chief), &events::correction_extended(&correction)).await?;
    on_the_list(regie, work, client, chief, &correction).await?;
    Ok(correction)
}

/// Records the decision, and takes it off the list.
pub async fn decide(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    id: CorrectionId,
    decision: Decision,
) -> Result<()> {
    let (chief, _) = desk(regie, work, client).await?;
    let known = find(work, client, id).await?;
    let Some(correction) = correction::decide(&known, decision)? else { return Ok(()) };
    let by = work.actor().subject.clone();
    store::correction::decide(work, client, &correction, &by).await?;
    task::fall_away(regie, work, Kind::DecideCorrection, Some(client), &id.to_string()).await?;
    tell(work, client, &[chief], &events::correction_decided(&correction)).await
}
