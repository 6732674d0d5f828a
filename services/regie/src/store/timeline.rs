//! What happened to a client, in every service.

use chassis::{Result, Tx, args};
use jiff::Timestamp;
use kernel::{ClientId, Date, Uuid};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event's own id.
    pub event_id: Uuid,
    /// Its type.
    pub kind: String,
    /// On which day.
    pub occurred_on: Date,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// Adds an entry; the same event again changes nothing.
pub async fn add(tx: &mut Tx, client: ClientId, entry: &Entry) -> Result<()> {
    tx.keep(
        "insert into timeline (event_id, client_id, type, occurred_on, recorded_at) values ($1, $2, $3, $4, $5)
         on conflict (event_id) do nothing",
        args![entry.event_id, client, &entry.kind, entry.occurred_on, entry.recorded_at],
    )
    .await?;
    Ok(())
}

/// Whether an event is on a timeline already.
pub async fn holds(tx: &mut Tx, event_id: Uuid) -> Result<bool> {
    Ok(tx.row("select 1 as one from timeline where event_id = $1", args![event_id]).await?.is_some())
}

/// Whether anything was ever told of a client.
pub async fn knows(tx: &mut Tx, client: ClientId) -> Result<bool> {
    Ok(tx.row("select 1 as one from timeline where client_id = $1 limit 1", args![client]).await?.is_some())
}

/// A client's timeline, oldest first.
pub async fn list(tx: &mut Tx, client: ClientId, after: (Timestamp, &str), limit: i64) -> Result<Vec<Entry>> {
    let rows = tx
        .rows(
            "select event_id, type, occurred_on, recorded_at from timeline
             where client_id = $1 and (recorded_at > $2 or (recorded_at = $2 and event_id > $3))
             order by recorded_at, event_id limit $4",
            args![client, after.0, after.1, limit + 1],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                event_id: row.get("event_id")?,
                kind: row.get("type")?,
                occurred_on: row.get("occurred_on")?,
                recorded_at: row.get("recorded_at")?,
            })
        })
        .collect()
}
