//! The gate, the municipality's word on it, and readiness.

use super::client_id;
use crate::domain::consent;
use crate::domain::gate::{self, GATE_NO_MOVE, Word};
use crate::domain::process::facts::AllocationId;
use crate::domain::readiness::{self, Requirement};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::Organisation;
use proto::regie::v1::*;

pub async fn say(regie: &Regie, work: &mut Work, m: &OverrideGateRequest) -> Result<OverrideGateResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let allocation = AllocationId::parse("allocation_id", &m.allocation_id)?;
    let word = gate::word(m.open, events::from_override_reason(m.reason), &m.explanation)?;
    acts::gate::say(regie, work, client, allocation.0, &word).await?;
    Ok(OverrideGateResponse { allocation_id: allocation.to_string() })
}

pub async fn get(_: &Regie, work: &mut Work, m: &GetGateRequest) -> Result<GetGateResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let allocation = AllocationId::parse("allocation_id", &m.allocation_id)?;
    let moves = store::gate::moves(work, client).await?;
    let one = moves.into_iter().find(|one| one.allocation == allocation.0).ok_or(&GATE_NO_MOVE)?;
    let (override_reason, override_explanation) = match store::gate::word(work, allocation.0).await? {
        Some(Word::Open { reason, explanation }) => (events::override_reason(reason), explanation),
        Some(Word::LeaveShut) | None => Default::default(),
    };
    Ok(GetGateResponse {
        allocation_id: allocation.to_string(),
        lease_start_on: Some(proto::from_date(one.lease_start_on)),
        open: one.ground.is_some(),
        ground: one.ground.map_or(GateGround::Unspecified, events::gate_ground).into(),
        override_reason: override_reason.into(),
        override_explanation,
    })
}

pub async fn readiness(_: &Regie, work: &mut Work, m: &GetReadinessRequest) -> Result<GetReadinessResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let (facts, published) = store::readiness::of(work, client).await?;
    let case = store::case::newest(work, client).await?.ok_or_else(|| Work::unknown("client"))?;
    let missing = readiness::failed(&facts, Some(&case.case), work.now.date);
    let consents = store::consent::of(work, client).await?;
    let (roles, organisation): (_, Organisation) = (work.actor().roles.clone(), work.organisation().clone());
    if readiness::needs_consent(&roles)
        && let Some(by) = consent::that_allows(&consents, &organisation, consent::Category::Debt)
    {
        work.consented(by.id.0);
    }
    let shown = readiness::shown_to(&missing, &roles, &organisation, &consents);
    let failed = shown.into_iter().map(|shown| FailedRequirement {
        requirement: shown.map_or(proto::regie::v1::Requirement::Withheld, events::requirement).into(),
        rule: Requirement::RULE.to_owned(),
        way_out: shown.map_or("Vraag het de trajecthouder.", Requirement::uitweg).to_owned(),
    });
    Ok(GetReadinessResponse {
        ready: missing.is_empty(),
        failed: failed.collect(),
        since: published.map(|published| proto::from_date(published.since)),
    })
}
