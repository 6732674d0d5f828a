//! Night registers: one row per bed and night, written with few statements.

use crate::domain::codes::NightUse;
use crate::domain::nights::{Bed, Entry, Register};
use crate::domain::{FacilityId, StayId};
use ::store::code;
use chassis::{Result, Row, Tx, args};
use kernel::{Date, Timestamp};

/// The register of a night, and when it was last recorded; an empty one of revision 0 where nothing was.
pub async fn load(tx: &mut Tx, facility: FacilityId, night: Date) -> Result<(Register, Option<Timestamp>)> {
    let sql = "select revision, recorded_at from night_register where facility_id = $1 and night = $2";
    let Some(head) = tx.row(sql, args![facility.0, night]).await? else { return Ok((Register::default(), None)) };
    let sql = "select stay_id, client_id, used, hold_reason, held_until from night
               where facility_id = $1 and night = $2 order by stay_id";
    let rows = tx.rows(sql, args![facility.0, night]).await?;
    let read = |row: &Row| {
        let bed = match row.code("used")? {
            NightUse::Used => Bed::Used,
            NightUse::Held => Bed::Held { reason: row.code("hold_reason")?, until: row.get("held_until")? },
            NightUse::Released => Bed::Released,
        };
        Ok(Entry { stay_id: row.id("stay_id")?, client_id: row.get("client_id")?, bed })
    };
    let entries = rows.iter().map(read).collect::<Result<_>>()?;
    Ok((Register { revision: head.get("revision")?, entries }, Some(head.get("recorded_at")?)))
}

/// Writes a register over what was recorded before.
pub async fn save(tx: &mut Tx, facility: FacilityId, night: Date, register: &Register, now: Timestamp) -> Result<()> {
    tx.keep(
        "insert into night_register (facility_id, night, revision, recorded_at) values ($1, $2, $3, $4)
         on conflict (facility_id, night) do update set revision = excluded.revision, recorded_at = excluded.recorded_at",
        args![facility.0, night, register.revision, now],
    )
    .await?;
    if register.revision > 1 {
        tx.keep("delete from night where facility_id = $1 and night = $2", args![facility.0, night]).await?;
    }
    let row = |entry: &Entry| {
        let held = match entry.bed {
            Bed::Held { reason, until } => Some((reason, until)),
            _ => None,
        };
        args![
            facility.0,
            night,
            entry.stay_id.0,
            entry.client_id,
            code(&entry.bed.night_use()),
            held.map(|(reason, _)| code(&reason)),
            held.map(|(_, until)| until),
        ]
    };
    let rows = register.entries.iter().map(row).collect();
    tx.insert_many(
        "insert into night (facility_id, night, stay_id, client_id, used, hold_reason, held_until)",
        rows,
        "",
    )
    .await
}

/// Nights slept in a stay, and the last of them.
pub async fn used(tx: &mut Tx, stay: StayId) -> Result<(i32, Option<Date>)> {
    let sql = "select count(*) as n, max(night) as last from night where stay_id = $1 and used = 'used'";
    tx.row(sql, args![stay.0]).await?.map_or(Ok((0, None)), |row| Ok((row.get("n")?, row.get("last")?)))
}
