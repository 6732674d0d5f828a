//! Income of the household's own.

use crate::domain::Rules;
use crate::domain::own_income::{self as domain, Command, OwnIncome};
use crate::store::household as rows;
use crate::{Income, events};
use chassis::{Result, Work};
use kernel::ClientId;

/// What a deadline of own income is called.
pub const DEADLINE: &str = "own-income";

/// Changes a client's own income as the caller saw it; gives it as it is then, with its version.
pub async fn change(
    income: &Income,
    work: &mut Work,
    client: ClientId,
    seen: i64,
    command: Command,
) -> Result<(OwnIncome, i64)> {
    work.permit("client", Some(client), &[]).await?;
    let (before, version) = rows::own_income(work, client).await?;
    work.expect_version(seen, version)?;
    carry_out(income, work, client, (before, version), command).await
}

/// Looks again at own income that is about to end, or has ended.
pub async fn wake(income: &Income, work: &mut Work, client: ClientId) -> Result<()> {
    let known = rows::own_income(work, client).await?;
    carry_out(income, work, client, known, Command::Wake).await.map(drop)
}

/// Decides, keeps, tells: the one road by which own income changes.
async fn carry_out(
    income: &Income,
    work: &mut Work,
    client: ClientId,
    (before, version): (OwnIncome, i64),
    command: Command,
) -> Result<(OwnIncome, i64)> {
    let rules = income.national_rules(work.now);
    let decided = domain::decide(before, command, rules, work.now)?;
    if decided.is_empty() {
        // Woken too early, by a policy of before: the deadline is gone and is set anew.
        watch(work, client, before, rules).await?;
        return Ok((before, version));
    }
    let state = decided.iter().fold(before, |state, event| domain::apply(state, *event));
    let by = work.organisation().clone();
    rows::save_own_income(work, client, state, version + 1, &by).await?;
    watch(work, client, state, rules).await?;
    events::publish_own_income(work, client, &decided).await?;
    Ok((state, version + 1))
}

async fn watch(work: &mut Work, client: ClientId, state: OwnIncome, rules: Rules<'_>) -> Result<()> {
    super::watch(work, DEADLINE, client.to_string(), client, domain::wake_on(state, rules)).await
}
