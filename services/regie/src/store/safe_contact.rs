//! Safe contact: how a client is reached, since when, and who said so.

use super::key;
use crate::domain::safe_contact::{Ground, SafeContact};
use chassis::{Error, Result, Tx, args};
use kernel::{ClientId, Date, Uuid};

/// What stands for a client.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Option<SafeContact>> {
    let sql = "select through, ground, since, by_client, set_by from safe_contact
               where client_id = $1 and ended_on is null";
    let row = tx.row(sql, args![client]).await?;
    row.map(|row| {
        Ok(SafeContact {
            through: row.get("through")?,
            ground: key(&row, "ground", Ground::from_key)?,
            since: row.get("since")?,
            set_by: row.get("set_by")?,
            by_client: row.get("by_client")?,
        })
    })
    .transpose()
}

/// Keeps what stands from now on, and who set it.
pub async fn insert(tx: &mut Tx, client: ClientId, one: &SafeContact, person: &str) -> Result<()> {
    tx.run(
        "insert into safe_contact (safe_contact_id, client_id, through, ground, since, by_client, set_by, set_by_person)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            Uuid::now_v7(),
            client,
            one.through.as_ref(),
            one.ground.as_str(),
            one.since,
            one.by_client,
            &one.set_by,
            person
        ],
    )
    .await
    .map_err(|error| match error {
        // Somebody else did so at the same moment: run again, that one is found.
        Error::Unique { .. } => Error::Conflict,
        other => other,
    })?;
    Ok(())
}

/// Keeps that what stood has ended, and who ended it; no harm when nothing stood.
pub async fn end(tx: &mut Tx, client: ClientId, on: Date, person: &str) -> Result<()> {
    let sql = "update safe_contact set ended_on = $2, ended_by_person = $3 where client_id = $1 and ended_on is null";
    tx.run(sql, args![client, on, person]).await?;
    Ok(())
}
