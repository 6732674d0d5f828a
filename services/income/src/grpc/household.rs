//! Own income, stabilised finances, the readiness answer, the client's own file, and the calculation of a standard.

use super::requests::{circumstances, date_opt, fields, unset};
use super::views;
use crate::Income;
use crate::acts;
use crate::domain::finances::{self, Finances};
use crate::domain::own_income::{self, OwnIncome, Verified};
use crate::domain::standard;
use crate::store::{benefit_request as requests, household as rows, rent_guarantee as guarantees};
use crate::words::Word;
use chassis::{Result, Work};
use kernel::ClientId;
use proto::income::v1 as pb;
use proto::{from_date, to_date};

pub async fn verify(
    income: &Income,
    work: &mut Work,
    message: &pb::VerifyOwnIncomeRequest,
) -> Result<pb::VerifyOwnIncomeResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        kind = Word::read("kind", message.kind);
        from_on = to_date("from_on", message.from_on.as_ref());
        ends_on = date_opt("ends_on", message.ends_on.as_ref());
    }
    let command = own_income::Command::Verify(Verified { kind, from_on, ends_on });
    let (state, version) = acts::own_income::change(income, work, client, message.expected_version, command).await?;
    let verified = state != OwnIncome::None;
    Ok(pb::VerifyOwnIncomeResponse { client_id: client.to_string(), version, verified })
}

pub async fn revoke(
    income: &Income,
    work: &mut Work,
    message: &pb::RevokeOwnIncomeRequest,
) -> Result<pb::RevokeOwnIncomeResponse> {
    let client = ClientId::parse("client_id", &message.client_id)?;
    let command = own_income::Command::Revoke;
    let (state, version) = acts::own_income::change(income, work, client, message.expected_version, command).await?;
    let verified = state != OwnIncome::None;
    Ok(pb::RevokeOwnIncomeResponse { client_id: client.to_string(), version, verified })
}

pub async fn stabilise(
    _: &Income,
    work: &mut Work,
    message: &pb::StabiliseFinancesRequest,
) -> Result<pb::StabiliseFinancesResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        since = to_date("since", message.since.as_ref());
    }
    let command = finances::Command::Stabilise { since };
    let (state, version) = acts::finances::change(work, client, message.expected_version, command).await?;
    let stabilised = state != Finances::Open;
    Ok(pb::StabiliseFinancesResponse { client_id: client.to_string(), version, stabilised })
}

pub async fn end_stabilisation(
    _: &Income,
    work: &mut Work,
    message: &pb::EndStabilisationRequest,
) -> Result<pb::EndStabilisationResponse> {
    let client = ClientId::parse("client_id", &message.client_id)?;
    let command = finances::Command::End;
    let (state, version) = acts::finances::change(work, client, message.expected_version, command).await?;
    let stabilised = state != Finances::Open;
    Ok(pb::EndStabilisationResponse { client_id: client.to_string(), version, stabilised })
}

pub async fn status(
    _: &Income,
    work: &mut Work,
    message: &pb::GetFinancesStatusRequest,
) -> Result<pb::GetFinancesStatusResponse> {
    let client = ClientId::parse("client_id", &message.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let (finances, finances_version) = rows::finances(work, client).await?;
    let (own_income, own_income_version) = rows::own_income(work, client).await?;
    let today = work.now.date;
    let guaranteed_until = guarantees::holds_until(work, client, today).await?;
    let since = views::stabilised_since(finances);
    let from_on = views::verified(own_income).map(|one| one.from_on);
    Ok(pb::GetFinancesStatusResponse {
        stabilised: since.is_some(),
        stabilised_since: since.map(from_date),
        guaranteed: guaranteed_until.is_some(),
        guaranteed_until: guaranteed_until.map(from_date),
        own_income: from_on.is_some(),
        own_income_from: from_on.map(from_date),
        finances_version,
        own_income_version,
    })
}

pub async fn own_file(
    income: &Income,
    work: &mut Work,
    message: &pb::GetIncomeFileAsSelfRequest,
) -> Result<pb::GetIncomeFileAsSelfResponse> {
    let client = ClientId::parse("client_id", &message.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let asked = requests::load_all(work, client).await?;
    let guaranteed = guarantees::load_all(work, client).await?;
    let since = views::stabilised_since(rows::finances(work, client).await?.0);
    let own_income = views::verified(rows::own_income(work, client).await?.0);
    Ok(pb::GetIncomeFileAsSelfResponse {
        benefit_requests: asked.iter().map(|stored| views::benefit_request(income, work, stored)).collect(),
        rent_guarantees: guaranteed.iter().map(views::rent_guarantee).collect(),
        stabilised: since.is_some(),
        stabilised_since: since.map(from_date),
        own_income_kind: own_income.map_or(0, |one| one.kind.wire().into()),
        own_income_from: own_income.map(|one| from_date(one.from_on)),
    })
}

pub async fn calculate(
    income: &Income,
    _: &mut Work,
    message: &pb::CalculateStandardRequest,
) -> Result<pb::CalculateStandardResponse> {
    fields! {
        on = to_date("on", message.on.as_ref());
        known = circumstances(message.circumstances.as_ref()).and_then(|known| known.ok_or_else(|| unset("circumstances")));
    }
    let figures = income.national_figures(on);
    let full = standard::standard(figures, &known).ok_or_else(|| standard::FIGURES_NOT_LOADED.with("on", on))?;
    Ok(pb::CalculateStandardResponse {
        standard_cents: full.0,
        advance_cents: standard::least_advance(figures, full).0,
        shortfall: known.shortfall(),
    })
}
