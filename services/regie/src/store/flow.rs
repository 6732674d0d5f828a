//! The processes of a client.

use super::{from_json, to_json};
use crate::domain::process::Flow;
use chassis::{Result, Tx, args};
use kernel::ClientId;

/// What is known and was brought about for a client; a fresh one when nothing was.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Flow> {
    match tx.row("select flow from flow where client_id = $1", args![client]).await? {
        Some(row) => from_json(&row, "flow"),
        None => Ok(Flow::default()),
    }
}

/// Keeps it.
pub async fn save(tx: &mut Tx, client: ClientId, flow: &Flow) -> Result<()> {
    tx.keep(
        "insert into flow (client_id, flow) values ($1, $2) on conflict (client_id) do update set flow = excluded.flow",
        args![client, to_json(flow)?],
    )
    .await?;
    Ok(())
}
