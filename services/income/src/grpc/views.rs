//! What each audience gets to see.

use crate::Income;
use crate::domain::benefit_request::{BenefitRequest, Stage};
use crate::domain::finances::Finances;
use crate::domain::own_income::{OwnIncome, Verified};
use crate::domain::{allowance, rent_guarantee};
use crate::store::benefit_request::Stored;
use crate::store::rent_guarantee::Stored as StoredGuarantee;
use crate::words::Word;
use chassis::Work;
use kernel::Date;
use proto::from_date;
use proto::income::v1 as pb;

/// A request for those who decide on it and for whom it is about.
pub fn benefit_request(income: &Income, work: &Work, stored: &Stored) -> pb::BenefitRequest {
    let Stored { id, version, state } = stored;
    let rules = income.rules(&state.authority, work.now);
    let application = state.application.as_ref();
    let signature = application.and_then(|one| one.signature);
    let search_term = state.search_term.filter(|term| !term.waived);
    let relocation = state.relocation.as_ref();
    let grant = state.grant.as_ref();
    pb::BenefitRequest {
        benefit_request_id: id.to_string(),
        client_id: state.client.to_string(),
        version: *version,
        state: state.stage().wire().into(),
        kind: state.kind().wire().into(),
        short_reapplication: state.short_reapplication,
        authority: state.authority.to_string(),
        reported_on: state.reported_on.map(from_date),
        applied_on: state.taken_up_on().map(from_date),
        signed_by: signature.map_or(0, |signature| signature.by.wire().into()),
        signed_on: signature.map(|signature| from_date(signature.on)),
        search_term_ends_on: search_term.map(|term| from_date(term.ends_on)),
        waiver_proposed: search_term.is_some_and(|term| term.waiver_proposed),
        answer_by: application.and_then(|one| one.question.as_ref()).map(|question| from_date(question.answer_by)),
        decision_due_on: state.decision_due_on(rules).map(from_date),
        advance_due_on: state.advance_due_on(rules).map(from_date),
        allocation_id: relocation.map(|one| one.allocation.to_string()).unwrap_or_default(),
        lease_start_on: relocation.map(|one| from_date(one.lease_start_on)),
        asked_from_on: relocation.map(|one| from_date(one.start_on)),
        rent_allowance_from_on: relocation.map(|one| from_date(allowance::starts_on(one.lease_start_on))),
        gap_days: state.gap_days(),
        granted_from_on: grant.map(|grant| from_date(grant.since)),
        ends_on: grant.and_then(|grant| grant.ended).map(|(ends_on, _)| from_date(ends_on)),
        standard_cents: grant.and_then(|grant| grant.standard).unwrap_or_default().0,
        paid_from_on: grant.and_then(|grant| grant.paid_from_on).map(from_date),
        advances_cents: state.advances.0,
        refusal: state.refusal.map_or(0, |ground| ground.wire().into()),
    }
}

/// What partners hear of a request.
pub fn benefit_status(state: &BenefitRequest) -> pb::BenefitStatus {
    // A change that waits does not stop a benefit that is paid.
    match (state.stage(), state.running()) {
        (Stage::Withdrawn | Stage::Ended, _) => pb::BenefitStatus::Ended,
        (_, Some(grant)) if grant.paid_from_on.is_some() => pb::BenefitStatus::InPayment,
        (_, Some(_)) => pb::BenefitStatus::Granted,
        (Stage::Refused, None) => pb::BenefitStatus::Refused,
        _ => pb::BenefitStatus::Requested,
    }
}

/// A guarantee for those who decide on it.
pub fn rent_guarantee(stored: &StoredGuarantee) -> pb::RentGuarantee {
    let asked = &stored.state.asked;
    let grant = match stored.state.stage {
        rent_guarantee::Stage::Granted { grant, .. } | rent_guarantee::Stage::Ended { grant } => Some(grant),
        _ => None,
    };
    pb::RentGuarantee {
        guarantee_id: stored.id.to_string(),
        allocation_id: asked.allocation.to_string(),
        client_id: asked.client.to_string(),
        version: stored.version,
        state: guarantee_state(stored.state.stage).into(),
        rent_cents: asked.rent.0,
        lease_start_on: Some(from_date(asked.lease_start_on)),
        cap_cents: grant.map_or(0, |grant| grant.cap.0),
        ends_on: grant.map(|grant| from_date(grant.ends_on)),
        reason: grant.map_or(0, |grant| grant.reason.wire().into()),
        bridging: grant.is_some_and(|grant| grant.bridging),
    }
}

/// The state of a guarantee on the wire.
pub fn guarantee_state(stage: rent_guarantee::Stage) -> pb::RentGuaranteeState {
    match stage {
        rent_guarantee::Stage::Requested { .. } => pb::RentGuaranteeState::Requested,
        rent_guarantee::Stage::Granted { .. } => pb::RentGuaranteeState::Granted,
        rent_guarantee::Stage::Refused { .. } => pb::RentGuaranteeState::Refused,
        rent_guarantee::Stage::Withdrawn => pb::RentGuaranteeState::Withdrawn,
        rent_guarantee::Stage::Ended { .. } => pb::RentGuaranteeState::Ended,
    }
}

/// Since when finances are stabilised, if they are.
pub fn stabilised_since(finances: Finances) -> Option<Date> {
    match finances {
        Finances::Open => None,
        Finances::Stabilised { since } => Some(since),
    }
}

/// The own income that stands, if any does.
pub fn verified(own_income: OwnIncome) -> Option<Verified> {
    match own_income {
        OwnIncome::None => None,
        OwnIncome::Verified { verified, .. } => Some(verified),
    }
}
