//! Merges: which record points to which other, since when and why.

use crate::domain::merge::{Merge, MergeId};
use chassis::{Error, Result, Row, Tx, args};
use kernel::{ClientId, Date};
use store::Retention::File;

/// The merges in which one of these records has a part, oldest first.
pub async fn of(tx: &mut Tx, clients: [ClientId; 2]) -> Result<Vec<Merge>> {
    let rows = tx
        .rows(
            "select merge_id, client_id, kept_client_id, explanation, merged_on, merged_by, undone_on, undone_explanation
             from client_merge
             where client_id = $1 or kept_client_id = $1 or client_id = $2 or kept_client_id = $2 order by merge_id",
            args![clients[0], clients[1]],
        )
        .await?;
    let mut merges = Vec::with_capacity(rows.len());
    for row in &rows {
        let undone = match row.get::<Option<Date>>("undone_on")? {
            Some(on) => Some((on, words(tx, row, "undone_explanation").await?)),
            None => None,
        };
        merges.push(Merge {
            id: MergeId(row.get("merge_id")?),
            client: row.get("client_id")?,
            kept: row.get("kept_client_id")?,
            explanation: words(tx, row, "explanation").await?,
            merged_on: row.get("merged_on")?,
            merged_by: row.get("merged_by")?,
            undone,
        });
    }
    Ok(merges)
}

/// None are left of who was erased.
async fn words(tx: &Tx, row: &Row, column: &'static str) -> Result<String> {
    let (id, client) = (MergeId(row.get("merge_id")?), row.get("client_id")?);
    let sealed = row.get::<Option<Vec<u8>>>(column)?.unwrap_or_default();
    if sealed.is_empty() {
        return Ok(String::new());
    }
    let place = format!("client_merge.{column}");
    Ok(tx.sealer().open(File.of(client), &place, id, &sealed).await?.or_empty())
}

/// Keeps a new one, and who decided it.
pub async fn insert(tx: &mut Tx, merge: &Merge, person: &str) -> Result<()> {
    let words =
        tx.sealer().seal(File.of(merge.client), "client_merge.explanation", merge.id, &merge.explanation).await?;
    tx.run(
        "insert into client_merge (merge_id, client_id, kept_client_id, explanation, merged_on, merged_by, merged_by_person)
         values ($1, $2, $3, $4, $5, $6, $7)",
        args![merge.id.0, merge.client, merge.kept, words, merge.merged_on, &merge.merged_by, person],
    )
    .await
    .map_err(|error| match error {
        // Somebody else decided the same at the same moment: run again, that one is found.
        Error::Unique { .. } => Error::Conflict,
        other => other,
    })?;
    Ok(())
}

/// Keeps that it was undone, why and by whom.
pub async fn undo(tx: &mut Tx, merge: &Merge, person: &str) -> Result<()> {
    let Some((on, why)) = &merge.undone else { return Ok(()) };
    let words = tx.sealer().seal(File.of(merge.client), "client_merge.undone_explanation", merge.id, why).await?;
    tx.run(
        "update client_merge set undone_on = $2, undone_explanation = $3, undone_by_person = $4 where merge_id = $1",
        args![merge.id.0, *on, words, person],
    )
    .await?;
    Ok(())
}
