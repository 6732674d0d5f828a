//! Whether a household's finances are stabilised.

use crate::domain::finances::{self as domain, Command, Finances};
use crate::events;
use crate::store::household as rows;
use chassis::{Result, Work};
use kernel::ClientId;

/// Decides, keeps, tells: the one road by which finances change, as the caller saw them. Gives them as they are then, with
/// their version.
pub async fn change(work: &mut Work, client: ClientId, seen: i64, command: Command) -> Result<(Finances, i64)> {
    work.permit("client", Some(client), &[]).await?;
    let (before, version) = rows::finances(work, client).await?;
    work.expect_version(seen, version)?;
    let decided = domain::decide(before, command, work.now)?;
    if decided.is_empty() {
        return Ok((before, version));
    }
    let state = decided.iter().fold(before, |_, event| domain::apply(*event));
    let by = work.organisation().clone();
    rows::save_finances(work, client, state, version + 1, &by).await?;
    events::publish_finances(work, client, &decided).await?;
    Ok((state, version + 1))
}
