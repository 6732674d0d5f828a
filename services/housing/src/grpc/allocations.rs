//! Allocations: agreement, gate, lease, keys.

use super::views;
use super::wire::{Wire, allocation_state, count_opt, date_opt};
use crate::domain::agreement::{Draft, Signatory, Signer};
use crate::domain::allocation::{Allocation, Command};
use crate::domain::offer::Evidence;
use crate::domain::{
    AgreementId, AllocationId, Capacity, GateGround, LeaseEndReason, Party, TemporaryGround, Tenant, WithdrawalReason,
};
use crate::{Housing, acts, store};
use chassis::{Result, Work};
use kernel::{Role, Uuid};
use proto::housing::v1 as pb;

/// Loads, permits, decides, saves: the road of every command on an allocation.
async fn change(
    housing: &Housing,
    work: &mut Work,
    id: &str,
    seen: i64,
    command: &Command,
) -> Result<(Allocation, i64)> {
    let id = AllocationId::parse("allocation_id", id)?;
    let found = acts::find_allocation(work, id, Some(seen)).await?;
    acts::change_allocation(housing, work, found, command).await
}

/// The answers that say where an allocation stands differ in name only.
macro_rules! answer {
    ($response:ident, $changed:expr) => {{
        let (after, version): (Allocation, i64) = $changed;
        Ok(pb::$response { allocation_id: after.id.to_string(), version, state: allocation_state(after.state.name()) })
    }};
}

pub async fn draft(
    housing: &Housing,
    work: &mut Work,
    m: &pb::DraftAgreementRequest,
) -> Result<pb::DraftAgreementResponse> {
    let party = |named: &pb::AgreementParty| -> Result<(Party, Vec<Capacity>)> {
        let signatories = Capacity::read_all("parties.signatories", &named.signatories)?;
        Ok((Party::require("parties.party", named.party)?, signatories))
    };
    let draft = Draft {
        parties: m.parties.iter().map(party).collect::<Result<_>>()?,
        tenant: Tenant::require("tenant", m.tenant)?,
        lease_months: count_opt("lease_months", m.lease_months)?,
        temporary_ground: TemporaryGround::read("temporary_ground", m.temporary_ground)?,
        conversion_months: count_opt("conversion_months", m.conversion_months)?,
        guidance_tied: m.guidance_tied,
    };
    let command = Command::DraftAgreement { id: AgreementId(Uuid::now_v7()), draft };
    let (after, version) = change(housing, work, &m.allocation_id, m.expected_version, &command).await?;
    Ok(pb::DraftAgreementResponse {
        agreement_id: after.agreement.map(|agreement| agreement.id.to_string()).unwrap_or_default(),
        allocation_id: after.id.to_string(),
        version,
        state: allocation_state(after.state.name()),
    })
}

/// As whom the caller signs.
fn signer(work: &Work) -> Signer {
    match () {
        () if work.acts_as(Role::Corporation) => Signer::Corporation,
        () if work.acts_as(Role::Client) => Signer::Client,
        () if work.acts_as(Role::Guardian) => Signer::Guardian,
        () => Signer::Provider,
    }
}

pub async fn sign(
    housing: &Housing,
    work: &mut Work,
    m: &pb::SignAgreementRequest,
) -> Result<pb::SignAgreementResponse> {
    let who =
        Signatory { party: Party::require("party", m.party)?, capacity: Capacity::require("capacity", m.capacity)? };
    let by = signer(work);
    let command = Command::SignAgreement { by, who };
    let (after, version) = change(housing, work, &m.allocation_id, m.expected_version, &command).await?;
    let evidence = Evidence::of(!by.signs_for_another(who.party), &m.evidence)?;
    store::keep_evidence(work, after.client_id, (&after.id.to_string(), &who.name()), &evidence).await?;
    answer!(SignAgreementResponse, (after, version))
}

pub async fn open_gate(housing: &Housing, work: &mut Work, m: &pb::OpenGateRequest) -> Result<pb::OpenGateResponse> {
    let command = Command::OpenGate { ground: GateGround::require("ground", m.ground)? };
    answer!(OpenGateResponse, change(housing, work, &m.allocation_id, m.expected_version, &command).await?)
}

pub async fn shut_gate(housing: &Housing, work: &mut Work, m: &pb::ShutGateRequest) -> Result<pb::ShutGateResponse> {
    answer!(ShutGateResponse, change(housing, work, &m.allocation_id, m.expected_version, &Command::ShutGate).await?)
}

pub async fn sign_lease(housing: &Housing, work: &mut Work, m: &pb::SignLeaseRequest) -> Result<pb::SignLeaseResponse> {
    answer!(SignLeaseResponse, change(housing, work, &m.allocation_id, m.expected_version, &Command::SignLease).await?)
}

pub async fn hand_over_keys(
    housing: &Housing,
    work: &mut Work,
    m: &pb::HandOverKeysRequest,
) -> Result<pb::HandOverKeysResponse> {
    let command = Command::HandOverKeys { on: date_opt("on", m.on.as_ref())?.unwrap_or(work.now.date) };
    answer!(HandOverKeysResponse, change(housing, work, &m.allocation_id, m.expected_version, &command).await?)
}

pub async fn withdraw(
    housing: &Housing,
    work: &mut Work,
    m: &pb::WithdrawAllocationRequest,
) -> Result<pb::WithdrawAllocationResponse> {
    let command = Command::Withdraw { reason: WithdrawalReason::require("reason", m.reason)? };
    answer!(WithdrawAllocationResponse, change(housing, work, &m.allocation_id, m.expected_version, &command).await?)
}

pub async fn end_lease(housing: &Housing, work: &mut Work, m: &pb::EndLeaseRequest) -> Result<pb::EndLeaseResponse> {
    let on = date_opt("on", m.on.as_ref())?.unwrap_or(work.now.date);
    let command = Command::EndLease { reason: LeaseEndReason::require("reason", m.reason)?, on };
    answer!(EndLeaseResponse, change(housing, work, &m.allocation_id, m.expected_version, &command).await?)
}

/// The allocation that the caller may see.
async fn look(work: &mut Work, id: &str) -> Result<(Allocation, i64)> {
    let id = AllocationId::parse("allocation_id", id)?;
    acts::find_allocation(work, id, None).await
}

pub async fn get(_: &Housing, work: &mut Work, m: &pb::GetAllocationRequest) -> Result<pb::GetAllocationResponse> {
    let (allocation, version) = look(work, &m.allocation_id).await?;
    let home = super::home(work, allocation.client_id, allocation.dwelling).await?;
    let safe_contact = work.safe_contact(allocation.client_id).await?;
    let allocation = pb::Allocation { safe_contact, ..views::allocation(&allocation, version, home.as_ref()) };
    Ok(pb::GetAllocationResponse { allocation: Some(allocation) })
}

pub async fn get_as_corporation(
    _: &Housing,
    work: &mut Work,
    m: &pb::GetAllocationAsCorporationRequest,
) -> Result<pb::GetAllocationAsCorporationResponse> {
    let (allocation, version) = look(work, &m.allocation_id).await?;
    let home = store::dwelling::referred(work, allocation.dwelling).await?;
    let safe_contact = work.safe_contact(allocation.client_id).await?;
    let shown = views::allocation_for_corporation(&allocation, version, &home);
    let allocation = pb::AllocationForCorporation { safe_contact, ..shown };
    Ok(pb::GetAllocationAsCorporationResponse { allocation: Some(allocation) })
}

pub async fn get_move_for_income(
    _: &Housing,
    work: &mut Work,
    m: &pb::GetMoveForIncomeRequest,
) -> Result<pb::GetMoveForIncomeResponse> {
    let (allocation, _) = look(work, &m.allocation_id).await?;
    Ok(views::move_for_income(&allocation))
}

pub async fn get_move_for_district(
    _: &Housing,
    work: &mut Work,
    m: &pb::GetMoveForDistrictRequest,
) -> Result<pb::GetMoveForDistrictResponse> {
    let (allocation, _) = look(work, &m.allocation_id).await?;
    let home = super::home(work, allocation.client_id, allocation.dwelling).await?;
    let safe_contact = work.safe_contact(allocation.client_id).await?;
    let shown = views::move_for_district(&allocation, home.as_ref());
    // Where the client would be written to or visited (R-REG-28).
    let address = if work.hides_contact(allocation.client_id).await? { None } else { shown.address.clone() };
    Ok(pb::GetMoveForDistrictResponse { safe_contact, address, ..shown })
}
