//! Who is kept apart from whom, as regie told, and where those others are (R-REG-28).

use crate::domain::FacilityId;
use chassis::{Result, Tx, args};
use kernel::{ClientId, Uuid};
use std::collections::BTreeSet;

/// Keeps two clients apart.
pub async fn keep(tx: &mut Tx, id: Uuid, one: ClientId, other: ClientId) -> Result<()> {
    let sql = "insert into separation (separation_id, client_id, other_client_id) values ($1, $2, $3)
               on conflict (separation_id) do nothing";
    tx.run(sql, args![id, one, other]).await?;
    Ok(())
}

/// Lets go of a separation.
pub async fn end(tx: &mut Tx, id: Uuid) -> Result<()> {
    tx.run("delete from separation where separation_id = $1", args![id]).await?;
    Ok(())
}

/// Takes away the separations of a client who was erased.
pub async fn forget(tx: &mut Tx, client: ClientId) -> Result<()> {
    tx.run("delete from separation where client_id = $1 or other_client_id = $1", args![client]).await?;
    Ok(())
}

/// The facilities where somebody is, or has a place claimed, from whom the client is kept apart. For a client who is kept
/// apart from nobody the same is asked, about nobody: how long it takes tells nothing.
///
/// Both of two admissions that run at the same moment read what the other writes: PostgreSQL lets one of them run again
/// (serialisable), and SQLite has one writer.
pub async fn not_here(tx: &mut Tx, client: ClientId) -> Result<BTreeSet<FacilityId>> {
    let sql = "select other_client_id as other from separation where client_id = $1
               union select client_id as other from separation where other_client_id = $1";
    let rows = tx.rows(sql, args![client]).await?;
    let mut others: Vec<ClientId> = rows.iter().map(|row| row.get("other")).collect::<Result<_>>()?;
    if others.is_empty() {
        others.push(ClientId(Uuid::nil()));
    }
    let mut found = BTreeSet::new();
    for other in others {
        let sql = "select facility_id from stay where client_id = $1 and state = 'open'
                   union select facility_id from place_claim where client_id = $1 and state = 'standing'";
        for row in tx.rows(sql, args![other]).await? {
            found.insert(row.id("facility_id")?);
        }
    }
    Ok(found)
}
