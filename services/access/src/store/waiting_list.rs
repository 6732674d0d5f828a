//! Waiting lists: entries, and the facts that only grow.

use super::Versioned;
use crate::domain::waiting_list::{Entry, Fact};
use crate::domain::{EntryId, FacilityId};
use ::store::code;
use chassis::{Result, Row, Tx, args};
use kernel::{ClientId, Date, Timestamp};

fn read(row: &Row) -> Result<Versioned<Entry>> {
    let left = match row.get::<Option<Date>>("left_on")? {
        Some(on) => Some((on, row.code("left_reason")?)),
        None => None,
    };
    let entry = Entry {
        client_id: row.get("client_id")?,
        facility_id: row.id("facility_id")?,
        joined_on: row.get("joined_on")?,
        left,
    };
    Ok((entry, row.get("version")?))
}

/// An entry and its version.
pub async fn load(tx: &mut Tx, id: EntryId) -> Result<Option<Versioned<Entry>>> {
    let sql = "select version, client_id, facility_id, joined_on, left_on, left_reason from waiting_entry where entry_id = $1";
    tx.row(sql, args![id.0]).await?.as_ref().map(read).transpose()
}

/// The entry of a client on the list of a facility.
pub async fn standing(tx: &mut Tx, client: ClientId, facility: FacilityId) -> Result<Option<(EntryId, i64)>> {
    let sql = "select entry_id, version from waiting_entry where client_id = $1 and facility_id = $2 and state in ('waiting')";
    let row = tx.row(sql, args![client, facility.0]).await?;
    row.map(|row| Ok((row.id("entry_id")?, row.get("version")?))).transpose()
}

/// All entries of a client, oldest first.
pub async fn of_client(tx: &mut Tx, client: ClientId) -> Result<Vec<(EntryId, Versioned<Entry>)>> {
    let sql = "select entry_id, version, client_id, facility_id, joined_on, left_on, left_reason
               from waiting_entry where client_id = $1 order by joined_on, entry_id";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| Ok((row.id("entry_id")?, read(row)?))).collect()
}

/// Writes an entry as version `version`, and the fact by which it came to be so.
pub async fn save(tx: &mut Tx, id: EntryId, entry: &Entry, version: i64, now: Timestamp) -> Result<()> {
    let state = if entry.left.is_some() { "left" } else { "waiting" };
    tx.keep(
        "insert into waiting_entry (entry_id, version, client_id, facility_id, joined_on, state, left_on, left_reason)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (entry_id) do update
         set version = excluded.version, state = excluded.state, left_on = excluded.left_on, left_reason = excluded.left_reason",
        args![
            id.0,
            version,
            entry.client_id,
            entry.facility_id.0,
            entry.joined_on,
            state,
            entry.left.map(|(on, _)| on),
            entry.left.map(|(_, reason)| code(&reason)),
        ],
    )
    .await?;
    let occurred_on = entry.left.map_or(entry.joined_on, |(on, _)| on);
    tx.keep(
        "insert into waiting_fact (entry_id, joined, facility_id, client_id, occurred_on, recorded_at) values ($1, $2, $3, $4, $5, $6)",
        args![id.0, entry.left.is_none(), entry.facility_id.0, entry.client_id, occurred_on, now],
    )
    .await?;
    Ok(())
}

/// What was known of a list at a moment.
pub async fn facts(tx: &mut Tx, facility: FacilityId, as_of: Timestamp) -> Result<Vec<Fact>> {
    let sql = "select entry_id, client_id, joined, occurred_on, recorded_at from waiting_fact
               where facility_id = $1 and recorded_at <= $2";
    let rows = tx.rows(sql, args![facility.0, as_of]).await?;
    let read = |row: &Row| {
        Ok(Fact {
            entry_id: row.id("entry_id")?,
            client_id: row.get("client_id")?,
            joined: row.get("joined")?,
            occurred_on: row.get("occurred_on")?,
            recorded_at: row.get("recorded_at")?,
        })
    };
    rows.iter().map(read).collect()
}
