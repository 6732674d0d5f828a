//! Rent guarantees.

use super::requests::{self, fields};
use super::views;
use crate::Income;
use crate::acts::rent_guarantee as acts;
use crate::domain::rent_guarantee::{Asked, Stage};
use crate::domain::{AllocationId, GuaranteeId};
use crate::store::rent_guarantee as rows;
use chassis::{Page, Result, Work};
use kernel::{ClientId, Municipality, Organisation};
use proto::income::v1 as pb;
use proto::{from_date, to_date};

/// The answers of all changes have the same three fields.
macro_rules! answer {
    ($name:ident, $stored:expr) => {{
        let stored = &$stored;
        pb::$name {
            guarantee_id: stored.id.to_string(),
            version: stored.version,
            state: views::guarantee_state(stored.state.stage).into(),
        }
    }};
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
        rent = requests::rent(message.rent_cents);
    }
    let asked_on = work.now.date;
    let asked = Asked { client, allocation, corporation, municipality, lease_start_on, rent, asked_on };
    let stored = acts::request(income, work, asked).await?;
    Ok(answer!(RequestRentGuaranteeResponse, stored))
}

pub async fn decide(
    income: &Income,
    work: &mut Work,
    message: &pb::DecideRentGuaranteeRequest,
) -> Result<pb::DecideRentGuaranteeResponse> {
    let known = acts::find(work, GuaranteeId::parse("guarantee_id", &message.guarantee_id)?).await?;
    let command = requests::guarantee_decision(message)?;
    let stored = acts::change(income, work, known, message.expected_version, &command).await?;
    Ok(answer!(DecideRentGuaranteeResponse, stored))
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
    let withdrawn = acts::withdraw(income, work, client, allocation).await?;
    Ok(withdrawn.map_or_else(Default::default, |stored| answer!(WithdrawRentGuaranteeResponse, stored)))
}

pub async fn get(
    _: &Income,
    work: &mut Work,
    message: &pb::GetRentGuaranteeRequest,
) -> Result<pb::GetRentGuaranteeResponse> {
    let stored = acts::find(work, GuaranteeId::parse("guarantee_id", &message.guarantee_id)?).await?;
    Ok(pb::GetRentGuaranteeResponse { rent_guarantee: Some(views::rent_guarantee(&stored)) })
}

pub async fn list(
    _: &Income,
    work: &mut Work,
    message: &pb::ListRentGuaranteesRequest,
) -> Result<pb::ListRentGuaranteesResponse> {
    let page = Page::read(message.page_size, &message.page_token, 200)?;
    let scope = work.scope();
    let after = requests::after(&page)?;
    let mut found = rows::list(work, &scope, (&after.0, &after.1), page.limit + 1).await?;
    let next_page_token =
        page.cut(&mut found, |stored| vec![stored.state.asked.asked_on.to_string(), stored.id.to_string()]);
    for stored in &found {
        work.touched(stored.state.asked.client);
    }
    Ok(pb::ListRentGuaranteesResponse {
        rent_guarantees: found.iter().map(views::rent_guarantee).collect(),
        next_page_token,
    })
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
