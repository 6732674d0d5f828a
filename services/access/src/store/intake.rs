//! Intakes.

use super::{Versioned, nonsense};
use crate::domain::codes::{IntakeResult, RefusalGround};
use crate::domain::intake::{Intake, Outcome, State};
use crate::domain::{IntakeId, NotificationId};
use ::store::code;
use chassis::{Result, Row, Tx, args};
use kernel::ClientId;

fn read(row: &Row) -> Result<Versioned<Intake>> {
    let state = match row.get::<String>("state")?.as_str() {
        "planned" => State::Planned,
        "cancelled" => State::Cancelled(row.code("cancel_reason")?),
        _ => {
            let (result, receiver, ground) =
                (row.code::<IntakeResult>("result")?, row.get("receiver")?, row.code_opt::<RefusalGround>("ground")?);
            let outcome = Outcome::try_new(result, receiver, ground).map_err(|_| nonsense("intake", "result"))?;
            State::Completed { outcome, on: row.get("completed_on")? }
        }
    };
    let intake = Intake {
        notification_id: row.id("notification_id")?,
        client_id: row.get("client_id")?,
        integrated: row.get("integrated")?,
        planned_on: row.get("planned_on")?,
        state,
    };
    Ok((intake, row.get("version")?))
}

/// An intake and its version.
pub async fn load(tx: &mut Tx, id: IntakeId) -> Result<Option<Versioned<Intake>>> {
    let sql = "select version, notification_id, client_id, integrated, planned_on, state, cancel_reason, result, receiver, ground,
                      completed_on
               from intake where intake_id = $1";
    tx.row(sql, args![id.0]).await?.as_ref().map(read).transpose()
}

/// All intakes of a client, oldest first.
pub async fn of_client(tx: &mut Tx, client: ClientId) -> Result<Vec<(IntakeId, Versioned<Intake>)>> {
    let sql = "select intake_id, version, notification_id, client_id, integrated, planned_on, state, cancel_reason, result, receiver,
                      ground, completed_on
               from intake where client_id = $1 order by planned_on, intake_id";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| Ok((row.id("intake_id")?, read(row)?))).collect()
}

/// The planned intake of a notification, if there is one.
pub async fn planned(tx: &mut Tx, notification: NotificationId) -> Result<Option<IntakeId>> {
    let sql = "select intake_id from intake where notification_id = $1 and state in ('planned')";
    tx.row(sql, args![notification.0]).await?.map(|row| row.id("intake_id")).transpose()
}

/// Writes an intake as version `version`.
pub async fn save(tx: &mut Tx, id: IntakeId, intake: &Intake, version: i64) -> Result<()> {
    let (state, cancelled, completed) = match &intake.state {
        State::Planned => ("planned", None, None),
        State::Cancelled(reason) => ("cancelled", Some(code(reason)), None),
        State::Completed { outcome, on } => ("completed", None, Some((outcome, *on))),
    };
    tx.run(
        "insert into intake (intake_id, version, notification_id, client_id, integrated, planned_on, state, cancel_reason, result,
             receiver, ground, completed_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (intake_id) do update
         set version = excluded.version, state = excluded.state, cancel_reason = excluded.cancel_reason, result = excluded.result,
             receiver = excluded.receiver, ground = excluded.ground, completed_on = excluded.completed_on",
        args![
            id.0,
            version,
            intake.notification_id.0,
            intake.client_id,
            intake.integrated,
            intake.planned_on,
            state,
            cancelled,
            completed.map(|(outcome, _)| code(&outcome.result())),
            completed.and_then(|(outcome, _)| outcome.receiver()).map(ToString::to_string),
            completed.and_then(|(outcome, _)| outcome.ground()).map(|ground| code(&ground)),
            completed.map(|(_, on)| on),
        ],
    )
    .await?;
    Ok(())
}
