//! Where those are from whom a client is kept apart (R-REG-28).

use crate::domain::FacilityId;
use chassis::{Apart, Result, Tx, args};
use kernel::{ClientId, Uuid};
use std::collections::BTreeSet;

/// The facilities where somebody is, or has a place claimed, from whom the client is kept apart. For a client who is kept
/// apart from nobody the same is asked, about nobody: how long it takes tells nothing.
///
/// Both of two admissions that run at the same moment read what the other writes: PostgreSQL lets one of them run again
/// (serialisable), and SQLite has one writer.
pub async fn not_here(tx: &mut Tx, client: ClientId) -> Result<BTreeSet<FacilityId>> {
    let mut others = tx.kept_apart_from(client).await?;
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

/// Whether two clients who are to be kept apart are in one facility, or have a place claimed there.
pub async fn together(tx: &mut Tx, Apart { one, other, .. }: &Apart) -> Result<bool> {
    let sql = "with there as (select client_id, facility_id from stay where client_id in ($1, $2) and state = 'open'
                              union select client_id, facility_id from place_claim where client_id in ($1, $2) and state = 'standing')
               select 1 as one from there a join there b on b.facility_id = a.facility_id
               where a.client_id = $1 and b.client_id = $2 limit 1";
    Ok(tx.row(sql, args![*one, *other]).await?.is_some())
}
