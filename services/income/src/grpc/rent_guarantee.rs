//! Rent guarantees.

use super::benefit_request::{after, amount, rent};
use super::words::{Word, fields, unset};
use crate::domain::rent_guarantee::{self as domain, Asked, Command, Grant, Stage};
use crate::domain::{AllocationId, GuaranteeId, Rules};
use crate::store::rent_guarantee::{self as rows, Stored};
use crate::{Income, events};
use chassis::{Deadline, Page, Result, Work};
use kernel::{ClientId, Moment, Municipality, Organisation, Refusal};
use proto::income::v1 as pb;
use proto::{from_date, to_date};
use uuid::Uuid;

/// What a deadline of a guarantee is called.
pub const DEADLINE: &str = "rent-guarantee";

/// Decides, keeps, publishes: the one road by which a guarantee changes. Gives the guarantee as it is then.
async fn carry_out(
    income: &Income,
    work: &mut Work,
    known: Option<Stored>,
    municipality: &Municipality,
    command: &Command,
) -> Result<Option<Stored>> {
    let municipality = known.as_ref().map_or(municipality, |stored| &stored.state.asked.municipality).clone();
    let rules = income.rules(&municipality, work.now);
    let decided = domain::decide(known.as_ref().map(|stored| &stored.state), command, rules, work.now)?;
    if decided.is_empty() {
        return Ok(known);
    }
    let (id, version, before) = match known {
        Some(stored) => (stored.id, stored.version, Some(stored.state)),
        None => (GuaranteeId(Uuid::now_v7()), 0, None),
    };
    let Some(state) = decided.iter().fold(before, domain::apply) else { return Ok(None) };
    let stored = Stored { id, version: version + 1, state };
    let policy_version = income.policy_version(&municipality, work.now);
    rows::save(work, &stored, &policy_version).await?;
    watch(work, &stored, rules).await?;
    events::publish_guarantee(work, &stored, &decided).await?;
    Ok(Some(stored))
}

/// Sets the deadline of what comes next, or none (P7).
async fn watch(work: &mut Work, stored: &Stored, rules: Rules<'_>) -> Result<()> {
    let subject = stored.id.to_string();
    let Some(day) = domain::wake_on(&stored.state, rules) else { return work.clear_deadline(DEADLINE, &subject).await };
    let (client_id, due_at) = (Some(stored.state.asked.client), Moment::start_of(day).at);
    work.set_deadline(&Deadline { kind: DEADLINE.into(), subject, client_id, due_at }).await
}

fn state(stage: Stage) -> pb::RentGuaranteeState {
    match stage {
        Stage::Requested { .. } => pb::RentGuaranteeState::Requested,
        Stage::Granted { .. } => pb::RentGuaranteeState::Granted,
        Stage::Refused { .. } => pb::RentGuaranteeState::Refused,
        Stage::Withdrawn => pb::RentGuaranteeState::Withdrawn,
        Stage::Ended { .. } => pb::RentGuaranteeState::Ended,
    }
}

pub async fn request(
    income: &Income,
    work: &mut Work,
    message: &pb::RequestRentGuaranteeRequest,
) -> Result<pb::RequestRentGuaranteeResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        allocation = AllocationId::parse("allocation_id", &message.allocation_id);
        corporation = Organisation::parse("corporation", &message.corporation);
        municipality = Municipality::parse("municipality", &message.municipality);
        lease_start_on = to_date("lease_start_on", message.lease_start_on.as_ref());
        rent = rent(message.rent_cents);
    }
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_by_allocation(work, allocation).await?;
    if known.as_ref().is_some_and(|stored| stored.state.asked.client != client) {
        return Err(Work::unknown("allocation"));
    }
    let asked_on = work.now.date;
    let asked =
        Asked { client, allocation, corporation, municipality: municipality.clone(), lease_start_on, rent, asked_on };
    let stored = carry_out(income, work, known, &municipality, &Command::Request(asked)).await?;
    let stored = stored.ok_or_else(|| Work::unknown("allocation"))?;
    Ok(pb::RequestRentGuaranteeResponse {
        guarantee_id: stored.id.to_string(),
        version: stored.version,
        state: state(stored.state.stage).into(),
    })
}

pub async fn decide(
    income: &Income,
    work: &mut Work,
    message: &pb::DecideRentGuaranteeRequest,
) -> Result<pb::DecideRentGuaranteeResponse> {
    let known = permitted(work, &message.guarantee_id).await?;
    let command = decision(message)?;
    work.expect_version(message.expected_version, known.version)?;
    let municipality = known.state.asked.municipality.clone();
    let stored = carry_out(income, work, Some(known), &municipality, &command).await?;
    let stored = stored.ok_or_else(|| Work::unknown("rent guarantee"))?;
    Ok(pb::DecideRentGuaranteeResponse {
        guarantee_id: stored.id.to_string(),
        version: stored.version,
        state: state(stored.state.stage).into(),
    })
}

fn decision(message: &pb::DecideRentGuaranteeRequest) -> std::result::Result<Command, Refusal> {
    use pb::decide_rent_guarantee_request::Decision;
    match &message.decision {
        Some(Decision::Refusal(ground)) => Word::read("refusal", *ground).map(Command::Refuse),
        Some(Decision::Grant(grant)) => {
            fields! {
                cap = amount("grant.cap_cents", grant.cap_cents);
                ends_on = to_date("grant.ends_on", grant.ends_on.as_ref());
                reason = Word::read("grant.reason", grant.reason);
            }
            Ok(Command::Give(Grant { cap, ends_on, reason, bridging: grant.bridging }))
        }
        None => Err(unset("decision")),
    }
}

pub async fn withdraw(
    income: &Income,
    work: &mut Work,
    message: &pb::WithdrawRentGuaranteeRequest,
) -> Result<pb::WithdrawRentGuaranteeResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        allocation = AllocationId::parse("allocation_id", &message.allocation_id);
    }
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_by_allocation(work, allocation).await?.filter(|stored| stored.state.asked.client == client);
    let Some(known) = known else { return Ok(pb::WithdrawRentGuaranteeResponse::default()) };
    let municipality = known.state.asked.municipality.clone();
    let stored = carry_out(income, work, Some(known), &municipality, &Command::Withdraw).await?;
    let stored = stored.ok_or_else(|| Work::unknown("allocation"))?;
    Ok(pb::WithdrawRentGuaranteeResponse {
        guarantee_id: stored.id.to_string(),
        version: stored.version,
        state: state(stored.state.stage).into(),
    })
}

/// A guarantee that the caller has to do with; otherwise there is none.
async fn permitted(work: &mut Work, guarantee_id: &str) -> Result<Stored> {
    let id = GuaranteeId::parse("guarantee_id", guarantee_id)?;
    let stored = rows::load(work, id).await?.ok_or_else(|| Work::unknown("rent guarantee"))?;
    work.permit("rent guarantee", Some(stored.state.asked.client), &[]).await?;
    Ok(stored)
}

pub async fn get(
    _: &Income,
    work: &mut Work,
    message: &pb::GetRentGuaranteeRequest,
) -> Result<pb::GetRentGuaranteeResponse> {
    let stored = permitted(work, &message.guarantee_id).await?;
    Ok(pb::GetRentGuaranteeResponse { rent_guarantee: Some(view(&stored)) })
}

pub async fn list(
    _: &Income,
    work: &mut Work,
    message: &pb::ListRentGuaranteesRequest,
) -> Result<pb::ListRentGuaranteesResponse> {
    let page = Page::read(message.page_size, &message.page_token, 200)?;
    let scope = work.scope();
    let after = after(&page)?;
    let mut found = rows::list(work, &scope, (&after.0, &after.1), page.limit + 1).await?;
    let next_page_token =
        page.cut(&mut found, |stored| vec![stored.state.asked.asked_on.to_string(), stored.id.to_string()]);
    for stored in &found {
        work.touched(stored.state.asked.client);
    }
    Ok(pb::ListRentGuaranteesResponse { rent_guarantees: found.iter().map(view).collect(), next_page_token })
}

pub async fn get_as_corporation(
    _: &Income,
    work: &mut Work,
    message: &pb::GetRentGuaranteeAsCorporationRequest,
) -> Result<pb::GetRentGuaranteeAsCorporationResponse> {
    let allocation = AllocationId::parse("allocation_id", &message.allocation_id)?;
    let stored = rows::load_by_allocation(work, allocation).await?.ok_or_else(|| Work::unknown("allocation"))?;
    work.permit("allocation", Some(stored.state.asked.client), &[&stored.state.asked.corporation]).await?;
    let holds = match stored.state.stage {
        Stage::Granted { grant, .. } if grant.ends_on >= work.now.date => Some(grant),
        _ => None,
    };
    Ok(pb::GetRentGuaranteeAsCorporationResponse {
        exists: holds.is_some(),
        cap_cents: holds.map_or(0, |grant| grant.cap.0),
        ends_on: holds.map(|grant| from_date(grant.ends_on)),
    })
}

/// A guarantee for those who decide on it.
pub fn view(stored: &Stored) -> pb::RentGuarantee {
    let asked = &stored.state.asked;
    let grant = match stored.state.stage {
        Stage::Granted { grant, .. } | Stage::Ended { grant } => Some(grant),
        _ => None,
    };
    pb::RentGuarantee {
        guarantee_id: stored.id.to_string(),
        allocation_id: asked.allocation.to_string(),
        client_id: asked.client.to_string(),
        version: stored.version,
        state: state(stored.state.stage).into(),
        rent_cents: asked.rent.0,
        lease_start_on: Some(from_date(asked.lease_start_on)),
        cap_cents: grant.map_or(0, |grant| grant.cap.0),
        ends_on: grant.map(|grant| from_date(grant.ends_on)),
        reason: grant.map_or(0, |grant| grant.reason.wire().into()),
        bridging: grant.is_some_and(|grant| grant.bridging),
    }
}

/// Looks again at a guarantee that is due.
pub async fn wake(income: &Income, work: &mut Work, subject: &str) -> Result<()> {
    let id = GuaranteeId::parse("guarantee_id", subject)?;
    if let Some(stored) = rows::load(work, id).await? {
        let (municipality, version) = (stored.state.asked.municipality.clone(), stored.version);
        let woken = carry_out(income, work, Some(stored), &municipality, &Command::Wake).await?;
        if let Some(stored) = woken.filter(|stored| stored.version == version) {
            // Woken too early, by a policy of before: the deadline is gone and is set anew.
            let rules = income.rules(&municipality, work.now);
            watch(work, &stored, rules).await?;
        }
    }
    Ok(())
}
