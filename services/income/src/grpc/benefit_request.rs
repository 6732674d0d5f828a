//! Benefit requests.

use super::words::{Word, date_opt, fields, opt, unset};
use crate::domain::benefit_request::{self as domain, BenefitRequest, Command, Stage};
use crate::domain::{AllocationId, BenefitRequestId, Circumstances, Rules, allowance};
use crate::store::benefit_request::{self as rows, Stored};
use crate::{Income, events};
use ::store::Relation;
use chassis::{Deadline, Page, Result, Work};
use kernel::{Cents, ClientId, Date, Moment, Municipality, Refusal, Role, general};
use proto::income::v1 as pb;
use proto::{from_date, to_date};
use uuid::Uuid;

/// What a deadline of a request is called.
pub const DEADLINE: &str = "benefit-request";

/// Decides, keeps, publishes: the one road by which a request changes. Gives the request as it is then.
async fn carry_out(
    income: &Income,
    work: &mut Work,
    known: Option<Stored>,
    authority: &Municipality,
    command: &Command,
) -> Result<Option<Stored>> {
    let authority = known.as_ref().map_or(authority, |stored| &stored.state.authority).clone();
    let rules = income.rules(&authority, work.now);
    let decided = domain::decide(known.as_ref().map(|stored| &stored.state), command, rules, work.now)?;
    if decided.is_empty() {
        return Ok(known);
    }
    let (id, version, before) = match known {
        Some(stored) => (stored.id, stored.version, Some(stored.state)),
        None => (BenefitRequestId(Uuid::now_v7()), 0, None),
    };
    let Some(state) = decided.iter().fold(before, domain::apply) else { return Ok(None) };
    let stored = Stored { id, version: version + 1, state };
    let policy_version = income.policy_version(&authority, work.now);
    rows::save(work, &stored, rules, &policy_version).await?;
    watch(work, &stored, rules).await?;
    events::publish_benefit(work, &stored, &decided, rules).await?;
    Ok(Some(stored))
}

/// Sets the deadline of what comes next, or none (P7).
async fn watch(work: &mut Work, stored: &Stored, rules: Rules<'_>) -> Result<()> {
    let subject = stored.id.to_string();
    let Some(day) = stored.state.wake_on(rules) else { return work.clear_deadline(DEADLINE, &subject).await };
    let (client_id, due_at) = (Some(stored.state.client), Moment::start_of(day).at);
    work.set_deadline(&Deadline { kind: DEADLINE.into(), subject, client_id, due_at }).await
}

/// A request that the caller has to do with; otherwise there is none.
async fn permitted(work: &mut Work, benefit_request_id: &str) -> Result<Stored> {
    let id = BenefitRequestId::parse("benefit_request_id", benefit_request_id)?;
    let stored = rows::load(work, id).await?.ok_or_else(|| Work::unknown("benefit request"))?;
    work.permit("benefit request", Some(stored.state.client), &[]).await?;
    Ok(stored)
}

/// Changes a request that is there, as the caller saw it.
async fn change(
    income: &Income,
    work: &mut Work,
    benefit_request_id: &str,
    expected_version: i64,
    command: std::result::Result<Command, Refusal>,
) -> Result<Stored> {
    let stored = permitted(work, benefit_request_id).await?;
    let command = command?;
    // Regie's service commands things as they are now.
    if expected_version != 0 || !work.acts_as(Role::SvcRegie) {
        work.expect_version(expected_version, stored.version)?;
    }
    let authority = stored.state.authority.clone();
    let changed = carry_out(income, work, Some(stored), &authority, &command).await?;
    changed.ok_or_else(|| Work::unknown("benefit request"))
}

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
        circumstances = circumstances(message.circumstances.as_ref());
        partner = opt(&message.partner_client_id, |text| ClientId::parse("partner_client_id", text));
        running_at = opt(&message.running_benefit_municipality, |text| {
            Municipality::parse("running_benefit_municipality", text)
        });
        previous = date_opt("previous_benefit_ended_on", message.previous_benefit_ended_on.as_ref());
    }
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_open(work, client).await?;
    let command = Command::Report {
        client,
        municipality: municipality.clone(),
        on,
        circumstances,
        partner,
        partner_open: rows::partner_open(work, client, partner).await?,
        running_at,
        previous_ended_on: previous.max(rows::ended_on(work, client).await?),
    };
    let stored = carry_out(income, work, known, &municipality, &command).await?;
    let stored = stored.ok_or_else(|| Work::unknown("client"))?;
    if work.acts_as(Role::Income) {
        // Who comes to social services is their client from that moment.
        let organisation = work.organisation().clone();
        let relation_id = Uuid::new_v5(&stored.id.0, organisation.as_str().as_bytes());
        let relation = Relation { relation_id, client, organisation: &organisation, person: None, kind: "reported" };
        let now = work.now.at;
        work.grant(&relation, now).await?;
    }
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
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_open(work, client).await?;
    let command = Command::Prepare { client, municipality: municipality.clone() };
    let stored = carry_out(income, work, known, &municipality, &command).await?;
    let stored = stored.ok_or_else(|| Work::unknown("client"))?;
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
        rent = rent(message.rent_cents);
    }
    work.permit("client", Some(client), &[]).await?;
    // The request that ever had this start, so that no other can get it (P3).
    let known = match rows::load_by_allocation(work, allocation).await? {
        Some(stored) if stored.state.client != client => return Err(Work::unknown("allocation")),
        Some(stored) => Some(stored),
        None => rows::load_open(work, client).await?,
    };
    let command = Command::Complete { client, allocation, lease_start_on, municipality: municipality.clone(), rent };
    let stored = carry_out(income, work, known, &municipality, &command).await?;
    let stored = stored.ok_or_else(|| Work::unknown("client"))?;
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
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_by_allocation(work, allocation).await?.filter(|stored| stored.state.client == client);
    let Some(known) = known else { return Ok(pb::WithdrawBenefitStartResponse::default()) };
    let authority = known.state.authority.clone();
    let command = Command::WithdrawStart { allocation };
    let stored = carry_out(income, work, Some(known), &authority, &command).await?;
    let stored = stored.ok_or_else(|| Work::unknown("allocation"))?;
    Ok(answer!(WithdrawBenefitStartResponse, stored))
}

/// A change of a request that is there: reads the command, and answers with id, version and state.
macro_rules! changes {
    ($($name:ident: $request:ident => $response:ident, |$message:ident| $command:expr;)*) => { $(
        pub async fn $name(income: &Income, work: &mut Work, $message: &pb::$request) -> Result<pb::$response> {
            let stored = change(income, work, &$message.benefit_request_id, $message.expected_version, $command).await?;
            Ok(answer!($response, stored))
        }
    )* };
}

changes! {
    waive_search_term: WaiveSearchTermRequest => WaiveSearchTermResponse, |_message| Ok(Command::WaiveSearchTerm);
    submit: SubmitBenefitApplicationRequest => SubmitBenefitApplicationResponse, |message| signature(message);
    acknowledge: AcknowledgeBenefitRequestRequest => AcknowledgeBenefitRequestResponse, |_message| Ok(Command::Acknowledge);
    ask: AskInformationRequest => AskInformationResponse, |message| question(message);
    give: GiveInformationRequest => GiveInformationResponse, |_message| Ok(Command::Give);
    pay_advance: PayAdvanceRequest => PayAdvanceResponse, |message| advance(message);
    refuse_advance: RefuseAdvanceRequest => RefuseAdvanceResponse,
        |message| Word::read("ground", message.ground).map(Command::RefuseAdvance);
    decide: DecideBenefitRequest => DecideBenefitResponse, |message| decision(message);
    start_payment: StartPaymentRequest => StartPaymentResponse,
        |message| to_date("from_on", message.from_on.as_ref()).map(|from_on| Command::StartPayment { from_on });
    end: EndBenefitRequest => EndBenefitResponse, |message| ending(message);
    withdraw: WithdrawBenefitRequestRequest => WithdrawBenefitRequestResponse,
        |message| Word::read("reason", message.reason).map(Command::Withdraw);
}

type Read<T> = std::result::Result<T, Refusal>;

fn signature(message: &pb::SubmitBenefitApplicationRequest) -> Read<Command> {
    fields! {
        by = Word::read("signed_by", message.signed_by);
        on = to_date("signed_on", message.signed_on.as_ref());
    }
    Ok(Command::Submit(domain::Signature { by, on }))
}

fn question(message: &pb::AskInformationRequest) -> Read<Command> {
    let items = message.items.iter().map(|item| Word::read("items", *item)).collect::<Read<Vec<_>>>();
    fields! {
        items = items.and_then(|items| if items.is_empty() { Err(unset("items")) } else { Ok(items) });
        answer_by = to_date("answer_by", message.answer_by.as_ref());
    }
    Ok(Command::Ask { items, answer_by })
}

fn advance(message: &pb::PayAdvanceRequest) -> Read<Command> {
    fields! {
        amount = amount("amount_cents", message.amount_cents);
        paid_on = to_date("paid_on", message.paid_on.as_ref());
        circumstances = circumstances(message.circumstances.as_ref());
        from_on = date_opt("expected_from_on", message.expected_from_on.as_ref());
        until = date_opt("expected_until", message.expected_until.as_ref());
    }
    Ok(Command::PayAdvance { amount, paid_on, circumstances, expectation: (from_on, until) })
}

fn decision(message: &pb::DecideBenefitRequest) -> Read<Command> {
    use pb::decide_benefit_request::Decision;
    match &message.decision {
        Some(Decision::Refusal(ground)) => Word::read("refusal", *ground).map(Command::Refuse),
        Some(Decision::Grant(grant)) => {
            fields! {
                start_on = to_date("grant.start_on", grant.start_on.as_ref());
                circumstances = circumstances(grant.circumstances.as_ref());
                retroactive = Word::read_opt("grant.retroactive_ground", grant.retroactive_ground);
                old_ends_on = date_opt("grant.old_benefit_ends_on", grant.old_benefit_ends_on.as_ref());
            }
            Ok(Command::Grant { start_on, circumstances, retroactive, old_ends_on })
        }
        None => Err(unset("decision")),
    }
}

fn ending(message: &pb::EndBenefitRequest) -> Read<Command> {
    fields! {
        ends_on = to_date("ends_on", message.ends_on.as_ref());
        reason = Word::read("reason", message.reason);
    }
    Ok(Command::End { ends_on, reason })
}

/// Circumstances as given, checked.
pub fn circumstances(given: Option<&pb::Circumstances>) -> Read<Option<Circumstances>> {
    given
        .map(|given| {
            let &pb::Circumstances { age, partner, cost_sharers, institution } = given;
            let read = Circumstances { age, partner, cost_sharers, institution };
            read.check("circumstances").map(|()| read)
        })
        .transpose()
}

/// An amount of money that is one: more than nothing, less than a million euro.
pub fn amount(field: &'static str, cents: i64) -> Read<Cents> {
    if (1..=100_000_000).contains(&cents) {
        Ok(Cents(cents))
    } else {
        Err(general::MALFORMED.field(field, "is not an amount above nothing", "is geen bedrag boven nul"))
    }
}

/// A rent per month.
pub fn rent(cents: i64) -> Read<Cents> {
    amount("rent_cents", cents)
}

pub async fn get(
    income: &Income,
    work: &mut Work,
    message: &pb::GetBenefitRequestRequest,
) -> Result<pb::GetBenefitRequestResponse> {
    let stored = permitted(work, &message.benefit_request_id).await?;
    Ok(pb::GetBenefitRequestResponse { benefit_request: Some(view(income, work, &stored)) })
}

/// Sorts after every day on which something is due.
const NEVER: Date = Date::constant(9999, 12, 31);

/// The day and id after which a page begins; empty on the first.
pub fn after(page: &Page) -> Read<(String, String)> {
    if page.after.is_empty() {
        return Ok((String::new(), String::new()));
    }
    Ok((page.date(0)?.to_string(), page.uuid(1)?.to_string()))
}

pub async fn list(
    _: &Income,
    work: &mut Work,
    message: &pb::ListBenefitRequestsRequest,
) -> Result<pb::ListBenefitRequestsResponse> {
    let stage = Stage::read_opt("state", message.state)?;
    let page = Page::read(message.page_size, &message.page_token, 200)?;
    let after = after(&page)?;
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
        status: partner_status(state).into(),
        start_on: start.or(state.relocation.as_ref().map(|one| one.start_on)).map(from_date),
        decision_due_on: state.decision_due_on(income.rules(&state.authority, work.now)).map(from_date),
    })
}

fn partner_status(state: &BenefitRequest) -> pb::BenefitStatus {
    // A change that waits does not stop a benefit that is paid.
    match (state.stage(), state.running()) {
        (Stage::Withdrawn | Stage::Ended, _) => pb::BenefitStatus::Ended,
        (_, Some(grant)) if grant.paid_from_on.is_some() => pb::BenefitStatus::InPayment,
        (_, Some(_)) => pb::BenefitStatus::Granted,
        (Stage::Refused, None) => pb::BenefitStatus::Refused,
        _ => pb::BenefitStatus::Requested,
    }
}

/// A request for those who decide on it and for whom it is about.
pub fn view(income: &Income, work: &Work, stored: &Stored) -> pb::BenefitRequest {
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

/// Looks again at a request that is due.
pub async fn wake(income: &Income, work: &mut Work, subject: &str) -> Result<()> {
    let id = BenefitRequestId::parse("benefit_request_id", subject)?;
    if let Some(stored) = rows::load(work, id).await? {
        let (authority, version) = (stored.state.authority.clone(), stored.version);
        let woken = carry_out(income, work, Some(stored), &authority, &Command::Wake).await?;
        if let Some(stored) = woken.filter(|stored| stored.version == version) {
            // Woken too early, by a policy of before: the deadline is gone and is set anew.
            let rules = income.rules(&authority, work.now);
            watch(work, &stored, rules).await?;
        }
    }
    Ok(())
}
