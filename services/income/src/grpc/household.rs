//! Own income, stabilised finances, the readiness answer, the client's own file, and the calculation of a standard.

use super::benefit_request::{circumstances, view};
use super::rent_guarantee;
use super::words::{Word, date_opt, fields, unset};
use crate::domain::finances::{self, Finances};
use crate::domain::own_income::{self, OwnIncome, Verified};
use crate::domain::{Rules, standard};
use crate::store::{benefit_request as requests, household as rows, rent_guarantee as guarantees};
use crate::{Income, events};
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Moment, Refusal};
use proto::income::v1 as pb;
use proto::{from_date, to_date};

/// What a deadline of own income is called.
pub const DEADLINE: &str = "own-income";

/// Decides, keeps, publishes: the one road by which own income changes.
async fn change_income(
    income: &Income,
    work: &mut Work,
    client: ClientId,
    expected_version: Option<i64>,
    command: own_income::Command,
) -> Result<(OwnIncome, i64)> {
    let (before, version) = rows::own_income(work, client).await?;
    if let Some(expected) = expected_version {
        work.expect_version(expected, version)?;
    }
    let rules = income.national_rules(work.now);
    let decided = own_income::decide(before, command, rules, work.now)?;
    if decided.is_empty() {
        // Woken too early, by a policy of before: the deadline is gone and is set anew.
        watch(work, client, before, rules).await?;
        return Ok((before, version));
    }
    let state = decided.iter().fold(before, |state, event| own_income::apply(state, *event));
    let by = work.organisation().clone();
    rows::save_own_income(work, client, state, version + 1, &by).await?;
    watch(work, client, state, rules).await?;
    events::publish_own_income(work, client, &decided).await?;
    Ok((state, version + 1))
}

/// Sets the deadline of what comes next, or none (P7).
async fn watch(work: &mut Work, client: ClientId, state: OwnIncome, rules: Rules<'_>) -> Result<()> {
    let subject = client.to_string();
    let Some(day) = own_income::wake_on(state, rules) else { return work.clear_deadline(DEADLINE, &subject).await };
    let due_at = Moment::start_of(day).at;
    work.set_deadline(&Deadline { kind: DEADLINE.into(), subject, client_id: Some(client), due_at }).await
}

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
    work.permit("client", Some(client), &[]).await?;
    let command = own_income::Command::Verify(Verified { kind, from_on, ends_on });
    let (state, version) = change_income(income, work, client, Some(message.expected_version), command).await?;
    let verified = state != OwnIncome::None;
    Ok(pb::VerifyOwnIncomeResponse { client_id: client.to_string(), version, verified })
}

pub async fn revoke(
    income: &Income,
    work: &mut Work,
    message: &pb::RevokeOwnIncomeRequest,
) -> Result<pb::RevokeOwnIncomeResponse> {
    let client = ClientId::parse("client_id", &message.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let command = own_income::Command::Revoke;
    let (state, version) = change_income(income, work, client, Some(message.expected_version), command).await?;
    let verified = state != OwnIncome::None;
    Ok(pb::RevokeOwnIncomeResponse { client_id: client.to_string(), version, verified })
}

/// Looks again at own income that is about to end, or has ended.
pub async fn wake(income: &Income, work: &mut Work, subject: &str) -> Result<()> {
    let client = ClientId::parse("client_id", subject)?;
    change_income(income, work, client, None, own_income::Command::Wake).await.map(|_| ())
}

/// Decides, keeps, publishes: the one road by which finances change.
async fn change_finances(
    work: &mut Work,
    client_id: &str,
    expected_version: i64,
    wanted: std::result::Result<finances::Command, Refusal>,
) -> Result<(ClientId, bool, i64)> {
    fields! {
        client = ClientId::parse("client_id", client_id);
        command = wanted;
    }
    work.permit("client", Some(client), &[]).await?;
    let (before, version) = rows::finances(work, client).await?;
    work.expect_version(expected_version, version)?;
    let decided = finances::decide(before, command, work.now)?;
    let state = decided.iter().fold(before, |_, event| finances::apply(*event));
    let version = version + i64::from(!decided.is_empty());
    if !decided.is_empty() {
        let by = work.organisation().clone();
        rows::save_finances(work, client, state, version, &by).await?;
        events::publish_finances(work, client, &decided).await?;
    }
    Ok((client, state != Finances::Open, version))
}

pub async fn stabilise(
    _: &Income,
    work: &mut Work,
    message: &pb::StabiliseFinancesRequest,
) -> Result<pb::StabiliseFinancesResponse> {
    let since = to_date("since", message.since.as_ref());
    let command = since.map(|since| finances::Command::Stabilise { since });
    let (client, stabilised, version) =
        change_finances(work, &message.client_id, message.expected_version, command).await?;
    Ok(pb::StabiliseFinancesResponse { client_id: client.to_string(), version, stabilised })
}

pub async fn end_stabilisation(
    _: &Income,
    work: &mut Work,
    message: &pb::EndStabilisationRequest,
) -> Result<pb::EndStabilisationResponse> {
    let command = Ok(finances::Command::End);
    let (client, stabilised, version) =
        change_finances(work, &message.client_id, message.expected_version, command).await?;
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
    let since = stabilised_since(finances);
    let from_on = verified(own_income).map(|one| one.from_on);
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
    let since = stabilised_since(rows::finances(work, client).await?.0);
    let own_income = verified(rows::own_income(work, client).await?.0);
    Ok(pb::GetIncomeFileAsSelfResponse {
        benefit_requests: asked.iter().map(|stored| view(income, work, stored)).collect(),
        rent_guarantees: guaranteed.iter().map(rent_guarantee::view).collect(),
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

fn stabilised_since(finances: Finances) -> Option<kernel::Date> {
    match finances {
        Finances::Open => None,
        Finances::Stabilised { since } => Some(since),
    }
}

fn verified(own_income: OwnIncome) -> Option<Verified> {
    match own_income {
        OwnIncome::None => None,
        OwnIncome::Verified { verified, .. } => Some(verified),
    }
}
