//! Shields: whose place is secret, since when, and who said so.

use chassis::{Error, Result, Tx, args};
use kernel::{ClientId, Date, Organisation, Uuid};

/// Since when a client is shielded; none when not.
pub async fn since(tx: &mut Tx, client: ClientId) -> Result<Option<Date>> {
    let sql = "select since from shield where client_id = $1 and ended_on is null";
    tx.row(sql, args![client]).await?.map(|row| row.get("since")).transpose()
}

/// Keeps a new shield, and who asked for it.
pub async fn insert(tx: &mut Tx, client: ClientId, since: Date, by: &Organisation, person: &str) -> Result<()> {
    let sql =
        "insert into shield (shield_id, client_id, since, shielded_by, shielded_by_person) values ($1, $2, $3, $4, $5)";
    tx.run(sql, args![Uuid::now_v7(), client, since, by, person]).await.map_err(|error| match error {
        // Somebody else did so at the same moment: run again, that one is found.
        Error::Unique { .. } => Error::Conflict,
        other => other,
    })?;
    Ok(())
}

/// Keeps that it ended, and who ended it.
pub async fn end(tx: &mut Tx, client: ClientId, on: Date, person: &str) -> Result<()> {
    let sql = "update shield set ended_on = $2, ended_by_person = $3 where client_id = $1 and ended_on is null";
    tx.run(sql, args![client, on, person]).await?;
    Ok(())
}
