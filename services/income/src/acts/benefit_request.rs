//! Benefit requests.

use crate::domain::benefit_request::{self as domain, Command};
use crate::domain::{AllocationId, BenefitRequestId, Circumstances, Rules};
use crate::store::benefit_request::{self as rows, Stored};
use crate::{Income, events};
use ::store::Relation;
use chassis::{Result, Work};
use kernel::{Cents, ClientId, Date, Municipality, Role};
use uuid::Uuid;

/// What a deadline of a request is called.
pub const DEADLINE: &str = "benefit-request";

/// What a client reports with.
pub struct Report {
    /// The client.
    pub client: ClientId,
    /// Whose social services.
    pub municipality: Municipality,
    /// The reporting day.
    pub on: Date,
    /// What decides the standard, as far as known.
    pub circumstances: Option<Circumstances>,
    /// The partner, if a client too.
    pub partner: Option<ClientId>,
    /// Where a benefit is paid already.
    pub running_at: Option<Municipality>,
    /// When an earlier benefit ended elsewhere.
    pub previous_ended_on: Option<Date>,
}

/// A start that is asked, for a move.
pub struct Start {
    /// The client.
    pub client: ClientId,
    /// The allocation.
    pub allocation: AllocationId,
    /// The first day of the lease.
    pub lease_start_on: Date,
    /// The dwelling's municipality.
    pub municipality: Municipality,
    /// The rent per month.
    pub rent: Cents,
}

/// The request, if the caller may have to do with it.
pub async fn find(work: &mut Work, id: BenefitRequestId) -> Result<Stored> {
    let stored = rows::load(work, id).await?.ok_or_else(|| Work::unknown("benefit request"))?;
    work.permit("benefit request", Some(stored.state.client), &[]).await?;
    Ok(stored)
}

/// Opens a request with the reporting day, or adds the day to the one that is open.
pub async fn report(income: &Income, work: &mut Work, report: Report) -> Result<Stored> {
    let Report { client, municipality, on, circumstances, partner, running_at, previous_ended_on } = report;
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
        previous_ended_on: previous_ended_on.max(rows::ended_on(work, client).await?),
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
    Ok(stored)
}

/// Prepares the client's open request, or opens one (R-INC-11).
pub async fn prepare(income: &Income, work: &mut Work, client: ClientId, municipality: Municipality) -> Result<Stored> {
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_open(work, client).await?;
    let command = Command::Prepare { client, municipality: municipality.clone() };
    let stored = carry_out(income, work, known, &municipality, &command).await?;
    stored.ok_or_else(|| Work::unknown("client"))
}

/// Asks the start for a move; once per allocation (R-INC-11).
pub async fn complete(income: &Income, work: &mut Work, asked: Start) -> Result<Stored> {
    let Start { client, allocation, lease_start_on, municipality, rent } = asked;
    work.permit("client", Some(client), &[]).await?;
    // The request that ever had this start, so that no other can get it (P3).
    let known = match rows::load_by_allocation(work, allocation).await? {
        Some(stored) if stored.state.client != client => return Err(Work::unknown("allocation")),
        Some(stored) => Some(stored),
        None => rows::load_open(work, client).await?,
    };
    let command = Command::Complete { client, allocation, lease_start_on, municipality: municipality.clone(), rent };
    let stored = carry_out(income, work, known, &municipality, &command).await?;
    stored.ok_or_else(|| Work::unknown("client"))
}

/// Takes back the start that was asked for an allocation, if one was (P4).
pub async fn withdraw_start(
    income: &Income,
    work: &mut Work,
    client: ClientId,
    allocation: AllocationId,
) -> Result<Option<Stored>> {
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_by_allocation(work, allocation).await?.filter(|stored| stored.state.client == client);
    let Some(known) = known else { return Ok(None) };
    go_on(income, work, known, &Command::WithdrawStart { allocation }).await.map(Some)
}

/// Changes a request as the caller saw it.
pub async fn change(income: &Income, work: &mut Work, stored: Stored, seen: i64, command: &Command) -> Result<Stored> {
    work.expect_version(seen, stored.version)?;
    go_on(income, work, stored, command).await
}

/// Looks again at a request that is due.
pub async fn wake(income: &Income, work: &mut Work, id: BenefitRequestId) -> Result<()> {
    let Some(known) = rows::load(work, id).await? else { return Ok(()) };
    let version = known.version;
    let stored = go_on(income, work, known, &Command::Wake).await?;
    if stored.version == version {
        // Woken too early, by a policy of before: the deadline is gone and is set anew.
        let rules = income.rules(&stored.state.authority, work.now);
        watch(work, &stored, rules).await?;
    }
    Ok(())
}

/// The road of a request that is there.
async fn go_on(income: &Income, work: &mut Work, stored: Stored, command: &Command) -> Result<Stored> {
    let authority = stored.state.authority.clone();
    let changed = carry_out(income, work, Some(stored), &authority, command).await?;
    changed.ok_or_else(|| Work::unknown("benefit request"))
}

/// Decides, keeps, tells: the one road by which a request changes. Gives the request as it is then.
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

async fn watch(work: &mut Work, stored: &Stored, rules: Rules<'_>) -> Result<()> {
    super::watch(work, DEADLINE, stored.id.to_string(), stored.state.client, stored.state.wake_on(rules)).await
}
