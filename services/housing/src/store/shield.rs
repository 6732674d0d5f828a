//! Whose place is secret, as regie told (R-REG-18).

use chassis::{Result, Work, args};
use kernel::ClientId;

/// Takes in that a client is shielded.
pub async fn keep(work: &mut Work, client: ClientId) -> Result<()> {
    work.run("insert into shield (client_id) values ($1) on conflict (client_id) do nothing", args![client]).await?;
    Ok(())
}

/// Takes in that a client is shielded no more, or was erased.
pub async fn end(work: &mut Work, client: ClientId) -> Result<()> {
    work.run("delete from shield where client_id = $1", args![client]).await?;
    Ok(())
}

/// Whether a client is shielded.
pub async fn stands(work: &mut Work, client: ClientId) -> Result<bool> {
    Ok(work.row("select 1 as one from shield where client_id = $1", args![client]).await?.is_some())
}

/// Whether the place of a client is secret for the caller.
pub async fn hides(work: &mut Work, client: ClientId) -> Result<bool> {
    Ok(stands(work, client).await? && !work.protects(client).await?)
}
