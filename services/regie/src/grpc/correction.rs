//! Requests for correction: made, extended, decided, listed.

use super::{came_in, client_id, required};
use crate::domain::correction::{self, Correction, CorrectionId, WAY_OUT};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::regie::v1::*;

pub async fn request(
    regie: &Regie,
    work: &mut Work,
    m: &RequestCorrectionRequest,
) -> Result<RequestCorrectionResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let came_in = came_in(work, m.received_on.as_ref())?;
    let concerns = events::from_correction_subject(m.concerns);
    let wish = correction::wish(concerns, &m.words, came_in)?;
    let correction = acts::correction::request(regie, work, client, wish).await?;
    let answer_by = Some(proto::from_date(correction.answer_by));
    Ok(RequestCorrectionResponse { correction_id: correction.id.to_string(), answer_by })
}

/// Which request of which client, if the caller may have to do with it. A month that runs goes on in a record that points to
/// another since (R-REG-26).
async fn asked(work: &mut Work, client: &str, id: &str) -> Result<(ClientId, CorrectionId)> {
    let client = client_id(client)?;
    work.permit_merged_too("client", Some(client), &[]).await?;
    Ok((client, CorrectionId::parse("correction_id", id)?))
}

pub async fn extend(regie: &Regie, work: &mut Work, m: &ExtendCorrectionRequest) -> Result<ExtendCorrectionResponse> {
    let (client, id) = asked(work, &m.client_id, &m.correction_id).await?;
    let ground = required("ground", events::from_extension_ground(m.ground))?;
    let told_on = proto::to_date("told_on", m.told_on.as_ref())?;
    let correction = acts::correction::extend(regie, work, client, id, (ground, told_on)).await?;
    let answer_by = Some(proto::from_date(correction.answer_by));
    Ok(ExtendCorrectionResponse { correction_id: id.to_string(), answer_by })
}

pub async fn decide(regie: &Regie, work: &mut Work, m: &DecideCorrectionRequest) -> Result<DecideCorrectionResponse> {
    let (client, id) = asked(work, &m.client_id, &m.correction_id).await?;
    let outcome = required("outcome", events::from_correction_outcome(m.outcome))?;
    let ground = events::from_correction_ground(m.ground);
    let decision = correction::decision(outcome, ground, &m.explanation, work.now)?;
    acts::correction::decide(regie, work, client, id, decision).await?;
    Ok(DecideCorrectionResponse { correction_id: id.to_string() })
}

pub async fn list(_: &Regie, work: &mut Work, m: &ListCorrectionsRequest) -> Result<ListCorrectionsResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let known = store::correction::of(work, client).await?;
    Ok(ListCorrectionsResponse { corrections: known.into_iter().map(view).collect() })
}

fn view(correction: Correction) -> CorrectionView {
    let decided = events::correction_decided(&correction);
    // Only where something was not corrected there is something to go on about.
    let not_all = correction.decided.as_ref().is_some_and(|decision| decision.ground.is_some());
    let (way_out_nl, way_out_en) = if not_all { WAY_OUT } else { ("", "") };
    let (explanation, on) = correction.decided.map(|decision| (decision.explanation, decision.on)).unzip();
    CorrectionView {
        correction_id: decided.correction_id,
        concerns: events::correction_subject(correction.wish.concerns).into(),
        words: correction.wish.words,
        requested_on: Some(proto::from_date(correction.wish.requested_on)),
        by_client: correction.wish.by_client,
        answer_by: Some(proto::from_date(correction.answer_by)),
        extension_ground: events::extension_ground_of(correction.extended).into(),
        told_on: correction.extended.map(|(_, on)| proto::from_date(on)),
        outcome: decided.outcome,
        ground: decided.ground,
        explanation: explanation.unwrap_or_default(),
        decided_on: on.map(proto::from_date),
        way_out_nl: way_out_nl.to_owned(),
        way_out_en: way_out_en.to_owned(),
    }
}
