//! Splits: which record was split off which other, when and why.

use crate::domain::split::{Split, SplitId};
use chassis::{Error, Result, Tx, args};
use kernel::ClientId;
use store::Retention::File;

/// The splits in which one of these records has a part, oldest first.
pub async fn of(tx: &mut Tx, clients: [ClientId; 2]) -> Result<Vec<Split>> {
    let rows = tx
        .rows(
            "select split_id, client_id, new_client_id, explanation, split_on, split_by from client_split
             where client_id = $1 or new_client_id = $1 or client_id = $2 or new_client_id = $2 order by split_id",
            args![clients[0], clients[1]],
        )
        .await?;
    let mut splits = Vec::with_capacity(rows.len());
    for row in &rows {
        let (id, client) = (SplitId(row.get("split_id")?), row.get("client_id")?);
        let sealed: Vec<u8> = row.get("explanation")?;
        let words = tx.sealer().open(File.of(client), "client_split.explanation", id, &sealed).await?;
        splits.push(Split {
            id,
            client,
            new: row.get("new_client_id")?,
            explanation: words.or_empty(),
            split_on: row.get("split_on")?,
            split_by: row.get("split_by")?,
        });
    }
    Ok(splits)
}

/// Whether one of the two was split off the other.
pub async fn between(tx: &mut Tx, one: ClientId, other: ClientId) -> Result<bool> {
    let sql = "select 1 as one from client_split
               where (client_id = $1 and new_client_id = $2) or (client_id = $2 and new_client_id = $1)";
    Ok(tx.row(sql, args![one, other]).await?.is_some())
}

/// Keeps a new one, and who decided it.
pub async fn insert(tx: &mut Tx, split: &Split, person: &str) -> Result<()> {
    let words =
        tx.sealer().seal(File.of(split.client), "client_split.explanation", split.id, &split.explanation).await?;
    tx.run(
        "insert into client_split (split_id, client_id, new_client_id, explanation, split_on, split_by, split_by_person)
         values ($1, $2, $3, $4, $5, $6, $7)",
        args![split.id.0, split.client, split.new, words, split.split_on, &split.split_by, person],
    )
    .await
    .map_err(|error| match error {
        // Somebody else decided the same at the same moment: run again, that one is found.
        Error::Unique { .. } => Error::Conflict,
        other => other,
    })?;
    Ok(())
}
