//! Separations, by the client for whom they were marked.

use super::key;
use crate::domain::separation::{Ground, Separation, SeparationId};
use chassis::{Error, Result, Tx, args};
use kernel::ClientId;

/// Every separation that was marked for a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Separation>> {
    let rows = tx
        .rows(
            "select separation_id, other_client_id, ground, marked_on, marked_by, ended_on from separation
             where client_id = $1 order by separation_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Separation {
                id: SeparationId(row.get("separation_id")?),
                other: row.get("other_client_id")?,
                ground: key(row, "ground", Ground::from_key)?,
                marked_on: row.get("marked_on")?,
                marked_by: row.get("marked_by")?,
                ended_on: row.get("ended_on")?,
            })
        })
        .collect()
}

/// For whom a separation that stands was marked.
pub async fn client_of(tx: &mut Tx, id: SeparationId) -> Result<Option<ClientId>> {
    let sql = "select client_id from separation where separation_id = $1 and ended_on is null";
    tx.row(sql, args![id.0]).await?.map(|row| row.get("client_id")).transpose()
}

/// Whether anybody is kept apart from this client, whoever of the two it was marked for.
pub async fn is_kept_apart(tx: &mut Tx, client: ClientId) -> Result<bool> {
    let sql = "select 1 as one from separation
               where (client_id = $1 or other_client_id = $1) and ended_on is null limit 1";
    Ok(tx.row(sql, args![client]).await?.is_some())
}

/// Whether these two are kept apart, whoever of them it was marked for.
pub async fn are_apart(tx: &mut Tx, one: ClientId, other: ClientId) -> Result<bool> {
    let sql = "select 1 as one from separation
               where ((client_id = $1 and other_client_id = $2) or (client_id = $2 and other_client_id = $1))
                   and ended_on is null limit 1";
    Ok(tx.row(sql, args![one, other]).await?.is_some())
}

/// Keeps a new one, and who marked it.
pub async fn insert(tx: &mut Tx, client: ClientId, separation: &Separation, person: &str) -> Result<()> {
    tx.run(
        "insert into separation (separation_id, client_id, other_client_id, ground, marked_on, marked_by, marked_by_person)
         values ($1, $2, $3, $4, $5, $6, $7)",
        args![
            separation.id.0,
            client,
            separation.other,
            separation.ground.as_str(),
            separation.marked_on,
            &separation.marked_by,
            person
        ],
    )
    .await
    .map_err(|error| match error {
        // Somebody else marked the same at the same moment: run again, that one is found.
        Error::Unique { .. } => Error::Conflict,
        other => other,
    })?;
    Ok(())
}

/// Keeps that it ended, and who ended it.
pub async fn end(tx: &mut Tx, separation: &Separation, person: &str) -> Result<()> {
    tx.run(
        "update separation set ended_on = $2, ended_by_person = $3 where separation_id = $1",
        args![separation.id.0, separation.ended_on, person],
    )
    .await?;
    Ok(())
}
