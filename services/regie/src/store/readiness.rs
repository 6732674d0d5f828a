//! What readiness rests on, and the answer that was published last.

use super::{from_json, to_json};
use crate::domain::readiness::{Facts, Requirement};
use chassis::{Result, Tx, args};
use kernel::{ClientId, Date};

/// The answer that was published last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What is missing.
    pub failed: Vec<Requirement>,
    /// Since when.
    pub since: Date,
}

/// What is known of a client, and the answer that was published; none before the first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<(Facts, Option<Published>)> {
    let row = tx.row("select facts, failed, since from readiness where client_id = $1", args![client]).await?;
    let Some(row) = row else { return Ok((Facts::default(), None)) };
    let published = Published { failed: from_json(&row, "failed")?, since: row.get("since")? };
    Ok((from_json(&row, "facts")?, Some(published)))
}

/// Keeps both.
pub async fn save(tx: &mut Tx, client: ClientId, facts: &Facts, published: &Published) -> Result<()> {
    tx.keep(
        "insert into readiness (client_id, facts, failed, since) values ($1, $2, $3, $4)
         on conflict (client_id) do update
         set facts = excluded.facts, failed = excluded.failed, since = excluded.since",
        args![client, to_json(facts)?, to_json(&published.failed)?, published.since],
    )
    .await?;
    Ok(())
}
