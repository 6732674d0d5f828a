//! Benefit requests.

use super::requests::{self, Read, date_opt, fields, opt};
use super::views;
use crate::Income;
use crate::acts::benefit_request as acts;
use crate::domain::benefit_request::{Command, Stage};
use crate::domain::{AllocationId, BenefitRequestId};
use crate::store::benefit_request::{self as rows, Stored};
use crate::words::Word;
use chassis::{Page, Result, Work};
use kernel::{ClientId, Date, Municipality};
use proto::income::v1 as pb;
use proto::{from_date, to_date};

/// The answers of all changes have the same three fields.
macro_rules! answer {
    ($name:ident, $stored:expr) => {{
        let stored = &$stored;
        pb::$name {
            benefit_request_id: stored.id.to_string(),
            version: stored.version,
            state: stored.state.stage().wire().into(),
        }
    }};
}

pub async fn report(
    income: &Income,
    work: &mut Work,
    message: &pb::ReportForBenefitRequest,
) -> Result<pb::ReportForBenefitResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        municipality = Municipality::parse("municipality", &message.municipality);
        on = to_date("reported_on", message.reported_on.as_ref());
        circumstances = requests::circumstances(message.circumstances.as_ref());
        partner = opt(&message.partner_client_id, |text| ClientId::parse("partner_client_id", text));
        running_at = opt(&message.running_benefit_municipality, |text| {
            Municipality::parse("running_benefit_municipality", text)
        });
        previous_ended_on = date_opt("previous_benefit_ended_on", message.previous_benefit_ended_on.as_ref());
    }
    let report = acts::Report { client, municipality, on, circumstances, partner, running_at, previous_ended_on };
    let stored = acts::report(income, work, report).await?;
    Ok(answer!(ReportForBenefitResponse, stored))
}

pub async fn prepare(
    income: &Income,
    work: &mut Work,
    message: &pb::PrepareBenefitRequestRequest,
) -> Result<pb::PrepareBenefitRequestResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        municipality = Municipality::parse("municipality", &message.municipality);
    }
    let stored = acts::prepare(income, work, client, municipality).await?;
    Ok(answer!(PrepareBenefitRequestResponse, stored))
}

pub async fn complete(
    income: &Income,
    work: &mut Work,
    message: &pb::CompleteBenefitRequestRequest,
) -> Result<pb::CompleteBenefitRequestResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        allocation = AllocationId::parse("allocation_id", &message.allocation_id);
        lease_start_on = to_date("lease_start_on", message.lease_start_on.as_ref());
        municipality = Municipality::parse("municipality", &message.municipality);
        rent = requests::rent(message.rent_cents);
    }
    let asked = acts::Start { client, allocation, lease_start_on, municipality, rent };
    let stored = acts::complete(income, work, asked).await?;
    Ok(pb::CompleteBenefitRequestResponse {
        benefit_request_id: stored.id.to_string(),
        version: stored.version,
        state: stored.state.stage().wire().into(),
        start_on: stored.state.relocation.as_ref().map(|one| from_date(one.start_on)),
    })
}

pub async fn withdraw_start(
    income: &Income,
    work: &mut Work,
    message: &pb::WithdrawBenefitStartRequest,
) -> Result<pb::WithdrawBenefitStartResponse> {
    fields! {
        client = ClientId::parse("client_id", &message.client_id);
        allocation = AllocationId::parse("allocation_id", &message.allocation_id);
    }
    let withdrawn = acts::withdraw_start(income, work, client, allocation).await?;
    Ok(withdrawn.map_or_else(Default::default, |stored| answer!(WithdrawBenefitStartResponse, stored)))
}

/// A change of a request that is there: reads the command, and answers with id, version and state.
macro_rules! changes {
    ($($name:ident: $request:ident => $response:ident, |$message:ident| $command:expr;)*) => { $(
        pub async fn $name(income: &Income, work: &mut Work, $message: &pb::$request) -> Result<pb::$response> {
            let id = BenefitRequestId::parse("benefit_request_id", &$message.benefit_request_id)?;
            let stored = acts::find(work, id).await?;
            let command = $command?;
            let stored = acts::change(income, work, stored, $message.expected_version, &command).await?;
            Ok(answer!($response, stored))
        }
    )* };
}

changes! {
    waive_search_term: WaiveSearchTermRequest => WaiveSearchTermResponse, |_message| Read::Ok(Command::WaiveSearchTerm);
    submit: SubmitBenefitApplicationRequest => SubmitBenefitApplicationResponse, |message| requests::signature(message);
    acknowledge: AcknowledgeBenefitRequestRequest => AcknowledgeBenefitRequestResponse, |_message| Read::Ok(Command::Acknowledge);
    ask: AskInformationRequest => AskInformationResponse, |message| requests::question(message);
    give: GiveInformationRequest => GiveInformationResponse, |_message| Read::Ok(Command::Give);
    pay_advance: PayAdvanceRequest => PayAdvanceResponse, |message| requests::advance(message);
    refuse_advance: RefuseAdvanceRequest => RefuseAdvanceResponse,
        |message| Word::read("ground", message.ground).map(Command::RefuseAdvance);
    decide: DecideBenefitRequest => DecideBenefitResponse, |message| requests::decision(message);
    start_payment: StartPaymentRequest => StartPaymentResponse,
        |message| to_date("from_on", message.from_on.as_ref()).map(|from_on| Command::StartPayment { from_on });
    end: EndBenefitRequest => EndBenefitResponse, |message| requests::ending(message);
    withdraw: WithdrawBenefitRequestRequest => WithdrawBenefitRequestResponse,
        |message| Word::read("reason", message.reason).map(Command::Withdraw);
}

pub async fn get(
    income: &Income,
    work: &mut Work,
    message: &pb::GetBenefitRequestRequest,
) -> Result<pb::GetBenefitRequestResponse> {
    let id = BenefitRequestId::parse("benefit_request_id", &message.benefit_request_id)?;
    let stored = acts::find(work, id).await?;
    let safe_contact = work.safe_contact(stored.state.client).await?;
    let benefit_request = Some(views::benefit_request(income, work, &stored));
    Ok(pb::GetBenefitRequestResponse { benefit_request, safe_contact })
}

/// Sorts after every day on which something is due.
const NEVER: Date = Date::constant(9999, 12, 31);

pub async fn list(
    _: &Income,
    work: &mut Work,
    message: &pb::ListBenefitRequestsRequest,
) -> Result<pb::ListBenefitRequestsResponse> {
    let stage = Stage::read_opt("state", message.state)?;
    let page = Page::read(message.page_size, &message.page_token, 200)?;
    let after = requests::after(&page)?;
    let scope = work.scope();
    let mut found = rows::list(work, &scope, stage, (&after.0, &after.1), page.limit + 1).await?;
    let next_page_token =
        page.cut(&mut found, |(stored, due_on)| vec![due_on.unwrap_or(NEVER).to_string(), stored.id.to_string()]);
    for (stored, _) in &found {
        work.touched(stored.state.client);
    }
    let line = |(stored, due_on): (Stored, Option<Date>)| pb::BenefitRequestLine {
        benefit_request_id: stored.id.to_string(),
        client_id: stored.state.client.to_string(),
        version: stored.version,
        state: stored.state.stage().wire().into(),
        kind: stored.state.kind().wire().into(),
        due_on: due_on.map(from_date),
        lease_start_on: stored.state.relocation.as_ref().map(|one| from_date(one.lease_start_on)),
    };
    Ok(pb::ListBenefitRequestsResponse { lines: found.into_iter().map(line).collect(), next_page_token })
}

pub async fn status(
    income: &Income,
    work: &mut Work,
    message: &pb::GetBenefitStatusRequest,
) -> Result<pb::GetBenefitStatusResponse> {
    let client = ClientId::parse("client_id", &message.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let all = rows::load_all(work, client).await?;
    let newest = all.iter().find(|stored| stored.state.is_open()).or(all.first());
    let Some(Stored { state, .. }) = newest else {
        return Ok(pb::GetBenefitStatusResponse { status: pb::BenefitStatus::None.into(), ..Default::default() });
    };
    let start = state.grant.as_ref().map(|grant| grant.since);
    Ok(pb::GetBenefitStatusResponse {
        status: views::benefit_status(state).into(),
        start_on: start.or(state.relocation.as_ref().map(|one| one.start_on)).map(from_date),
        decision_due_on: state.decision_due_on(income.rules(&state.authority, work.now)).map(from_date),
    })
}
