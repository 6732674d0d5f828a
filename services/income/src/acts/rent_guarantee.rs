//! Rent guarantees.

use crate::domain::rent_guarantee::{self as domain, Asked, Command};
use crate::domain::{AllocationId, GuaranteeId, Rules};
use crate::store::rent_guarantee::{self as rows, Stored};
use crate::{Income, events};
use chassis::{Result, Work};
use kernel::{ClientId, Municipality};
use uuid::Uuid;

/// What a deadline of a guarantee is called.
pub const DEADLINE: &str = "rent-guarantee";

/// The guarantee, if the caller may have to do with it.
pub async fn find(work: &mut Work, id: GuaranteeId) -> Result<Stored> {
    let stored = rows::load(work, id).await?.ok_or_else(|| Work::unknown("rent guarantee"))?;
    work.permit("rent guarantee", Some(stored.state.asked.client), &[]).await?;
    Ok(stored)
}

/// Asks the guarantee of an allocation, or finds the one there is.
pub async fn request(income: &Income, work: &mut Work, asked: Asked) -> Result<Stored> {
    work.permit("client", Some(asked.client), &[]).await?;
    let known = rows::load_by_allocation(work, asked.allocation).await?;
    if known.as_ref().is_some_and(|stored| stored.state.asked.client != asked.client) {
        return Err(Work::unknown("allocation"));
    }
    let municipality = asked.municipality.clone();
    let stored = carry_out(income, work, known, &municipality, &Command::Request(asked)).await?;
    stored.ok_or_else(|| Work::unknown("allocation"))
}

/// Changes a guarantee as the caller saw it.
pub async fn change(income: &Income, work: &mut Work, stored: Stored, seen: i64, command: &Command) -> Result<Stored> {
    work.expect_version(seen, stored.version)?;
    go_on(income, work, stored, command).await
}

/// Withdraws the guarantee of an allocation, if it has one (P4).
pub async fn withdraw(
    income: &Income,
    work: &mut Work,
    client: ClientId,
    allocation: AllocationId,
) -> Result<Option<Stored>> {
    work.permit("client", Some(client), &[]).await?;
    let known = rows::load_by_allocation(work, allocation).await?.filter(|stored| stored.state.asked.client == client);
    let Some(known) = known else { return Ok(None) };
    go_on(income, work, known, &Command::Withdraw).await.map(Some)
}

/// Looks again at a guarantee that is due.
pub async fn wake(income: &Income, work: &mut Work, id: GuaranteeId) -> Result<()> {
    let Some(known) = rows::load(work, id).await? else { return Ok(()) };
    let version = known.version;
    let stored = go_on(income, work, known, &Command::Wake).await?;
    if stored.version == version {
        // Woken too early, by a policy of before: the deadline is gone and is set anew.
        let rules = income.rules(&stored.state.asked.municipality, work.now);
        watch(work, &stored, rules).await?;
    }
    Ok(())
}

/// The road of a guarantee that is there.
async fn go_on(income: &Income, work: &mut Work, stored: Stored, command: &Command) -> Result<Stored> {
    let municipality = stored.state.asked.municipality.clone();
    let changed = carry_out(income, work, Some(stored), &municipality, command).await?;
    changed.ok_or_else(|| Work::unknown("rent guarantee"))
}

/// Decides, keeps, tells: the one road by which a guarantee changes. Gives the guarantee as it is then.
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

async fn watch(work: &mut Work, stored: &Stored, rules: Rules<'_>) -> Result<()> {
    let next = domain::wake_on(&stored.state, rules);
    super::watch(work, DEADLINE, stored.id.to_string(), stored.state.asked.client, next).await
}
