//! Stays.

use super::{Versioned, nonsense};
use crate::domain::stay::{Departure, Outcome, Stay};
use crate::domain::{FacilityId, StayId};
use ::store::code;
use chassis::{Result, Row, Tx, args};
use kernel::{ClientId, Date};

fn read(row: &Row) -> Result<Versioned<Stay>> {
    let outcome = match row.get::<String>("state")?.as_str() {
        "open" => None,
        "left" => Some(Outcome::Left(row.code("reason")?)),
        "dropped_out" => Some(Outcome::DroppedOut(row.code("reason")?)),
        "died" => Some(Outcome::Died),
        _ => return Err(nonsense("stay", "state")),
    };
    let departure = match outcome {
        Some(outcome) => Some(Departure { on: row.get("departed_on")?, outcome, nights_used: row.get("nights_used")? }),
        None => None,
    };
    let stay = Stay {
        client_id: row.get("client_id")?,
        facility_id: row.id("facility_id")?,
        notification_id: row.id_opt("notification_id")?,
        admitted_on: row.get("admitted_on")?,
        level: row.code("level")?,
        trajectory_on: row.get("trajectory_on")?,
        departure,
    };
    Ok((stay, row.get("version")?))
}

/// A stay and its version.
pub async fn load(tx: &mut Tx, id: StayId) -> Result<Option<Versioned<Stay>>> {
    let sql = "select version, client_id, facility_id, notification_id, admitted_on, level, trajectory_on, state, departed_on, reason,
                      nights_used
               from stay where stay_id = $1";
    tx.row(sql, args![id.0]).await?.as_ref().map(read).transpose()
}

/// The running stay of a client.
pub async fn running(tx: &mut Tx, client: ClientId) -> Result<Option<(StayId, Versioned<Stay>)>> {
    let sql = "select stay_id, version, client_id, facility_id, notification_id, admitted_on, level, trajectory_on, state, departed_on,
                      reason, nights_used
               from stay where client_id = $1 and state in ('open')";
    let row = tx.row(sql, args![client]).await?;
    row.as_ref().map(|row| Ok((row.id("stay_id")?, read(row)?))).transpose()
}

/// All stays of a client, oldest first.
pub async fn of_client(tx: &mut Tx, client: ClientId) -> Result<Vec<(StayId, Versioned<Stay>)>> {
    let sql = "select stay_id, version, client_id, facility_id, notification_id, admitted_on, level, trajectory_on, state, departed_on,
                      reason, nights_used
               from stay where client_id = $1 order by admitted_on, stay_id";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| Ok((row.id("stay_id")?, read(row)?))).collect()
}

/// All stays at a facility that have a night, each with its version.
pub async fn in_night(tx: &mut Tx, facility: FacilityId, night: Date) -> Result<Vec<(StayId, Versioned<Stay>)>> {
    // In two halves, so that neither engine walks through everybody who was ever there.
    let sql = "select stay_id, version, client_id, facility_id, notification_id, admitted_on, level, trajectory_on, state, departed_on,
                      reason, nights_used
               from stay where facility_id = $1 and admitted_on <= $2 and departed_on is null
               union all
               select stay_id, version, client_id, facility_id, notification_id, admitted_on, level, trajectory_on, state, departed_on,
                      reason, nights_used
               from stay where facility_id = $1 and admitted_on <= $2 and departed_on > $2";
    let rows = tx.rows(sql, args![facility.0, night]).await?;
    rows.iter().map(|row| Ok((row.id("stay_id")?, read(row)?))).collect()
}

/// Writes a stay as version `version`.
pub async fn save(tx: &mut Tx, id: StayId, stay: &Stay, version: i64) -> Result<()> {
    let (state, reason) = match stay.departure.map(|d| d.outcome) {
        None => ("open", None),
        Some(Outcome::Left(destination)) => ("left", Some(code(&destination))),
        Some(Outcome::DroppedOut(reason)) => ("dropped_out", Some(code(&reason))),
        Some(Outcome::Died) => ("died", None),
    };
    tx.run(
        "insert into stay (stay_id, version, client_id, facility_id, notification_id, admitted_on, level, trajectory_on, state,
             departed_on, reason, nights_used)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (stay_id) do update
         set version = excluded.version, trajectory_on = excluded.trajectory_on, state = excluded.state,
             departed_on = excluded.departed_on, reason = excluded.reason, nights_used = excluded.nights_used",
        args![
            id.0,
            version,
            stay.client_id,
            stay.facility_id.0,
            stay.notification_id.map(|id| id.0),
            stay.admitted_on,
            code(&stay.level),
            stay.trajectory_on,
            state,
            stay.departure.map(|d| d.on),
            reason,
            stay.departure.map(|d| d.nights_used),
        ],
    )
    .await?;
    Ok(())
}
