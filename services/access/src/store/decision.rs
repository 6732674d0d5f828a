//! Applications and decisions.

use super::Versioned;
use crate::domain::decision::{Application, Decision, Stage, Verdict};
use crate::domain::{ApplicationId, DecisionId, NotificationId};
use ::store::code;
use chassis::{Result, Row, Tx, args};
use kernel::{ClientId, Date};

fn read_application(row: &Row) -> Result<Versioned<Application>> {
    let stage = match row.get::<String>("stage")?.as_str() {
        "open" => Stage::Open,
        "withdrawn" => Stage::Withdrawn(row.code("withdrawn")?),
        _ => Stage::Decided,
    };
    let application = Application {
        notification_id: row.id("notification_id")?,
        client_id: row.get("client_id")?,
        received_on: row.get("received_on")?,
        due_on: row.get("due_on")?,
        stage,
    };
    Ok((application, row.get("version")?))
}

fn read(row: &Row) -> Result<Versioned<Decision>> {
    let verdict = match row.get::<Option<Date>>("starts_on")? {
        Some(starts_on) => Verdict::Granted {
            starts_on,
            ends_on: row.get("ends_on")?,
            group: row.code("target_group")?,
            deviation: row.code_opt("deviation")?,
            ended: row.code_opt("ended")?,
        },
        None => Verdict::Refused(row.code("ground")?),
    };
    let decision = Decision {
        application_id: row.id("application_id")?,
        client_id: row.get("client_id")?,
        verdict,
        late: row.get("late")?,
        policy_version: row.get("policy_version")?,
    };
    Ok((decision, row.get("version")?))
}

/// An application and its version.
pub async fn load_application(tx: &mut Tx, id: ApplicationId) -> Result<Option<Versioned<Application>>> {
    let sql = "select version, notification_id, client_id, received_on, due_on, stage, withdrawn
               from application where application_id = $1";
    tx.row(sql, args![id.0]).await?.as_ref().map(read_application).transpose()
}

/// All applications of a client, oldest first.
pub async fn applications_of_client(
    tx: &mut Tx,
    client: ClientId,
) -> Result<Vec<(ApplicationId, Versioned<Application>)>> {
    let sql = "select application_id, version, notification_id, client_id, received_on, due_on, stage, withdrawn
               from application where client_id = $1 order by received_on, application_id";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| Ok((row.id("application_id")?, read_application(row)?))).collect()
}

/// The application of a notification that waits for a decision.
pub async fn open_application(tx: &mut Tx, notification: NotificationId) -> Result<Option<ApplicationId>> {
    let sql = "select application_id from application where notification_id = $1 and stage in ('open')";
    tx.row(sql, args![notification.0]).await?.map(|row| row.id("application_id")).transpose()
}

/// Writes an application as version `version`.
pub async fn save_application(tx: &mut Tx, id: ApplicationId, application: &Application, version: i64) -> Result<()> {
    let (stage, withdrawn) = match application.stage {
        Stage::Open => ("open", None),
        Stage::Withdrawn(reason) => ("withdrawn", Some(code(&reason))),
        Stage::Decided => ("decided", None),
    };
    tx.run(
        "insert into application (application_id, version, notification_id, client_id, received_on, due_on, stage, withdrawn)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (application_id) do update
         set version = excluded.version, stage = excluded.stage, withdrawn = excluded.withdrawn",
        args![
            id.0,
            version,
            application.notification_id.0,
            application.client_id,
            application.received_on,
            application.due_on,
            stage,
            withdrawn,
        ],
    )
    .await?;
    Ok(())
}

/// A decision and its version.
pub async fn load(tx: &mut Tx, id: DecisionId) -> Result<Option<Versioned<Decision>>> {
    let sql = "select version, application_id, client_id, starts_on, ends_on, target_group, deviation, ended, ground, late, policy_version
               from decision where decision_id = $1";
    tx.row(sql, args![id.0]).await?.as_ref().map(read).transpose()
}

/// The decision on an application.
pub async fn on_application(
    tx: &mut Tx,
    application: ApplicationId,
) -> Result<Option<(DecisionId, Versioned<Decision>)>> {
    let sql = "select decision_id, version, application_id, client_id, starts_on, ends_on, target_group, deviation, ended, ground, late,
                      policy_version
               from decision where application_id = $1";
    let row = tx.row(sql, args![application.0]).await?;
    row.as_ref().map(|row| Ok((row.id("decision_id")?, read(row)?))).transpose()
}

/// All decisions for a client, oldest first.
pub async fn of_client(tx: &mut Tx, client: ClientId) -> Result<Vec<(DecisionId, Versioned<Decision>)>> {
    let sql = "select decision_id, version, application_id, client_id, starts_on, ends_on, target_group, deviation, ended, ground, late,
                      policy_version
               from decision where client_id = $1 order by starts_on, decision_id";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| Ok((row.id("decision_id")?, read(row)?))).collect()
}

/// Writes a decision as version `version`.
pub async fn save(tx: &mut Tx, id: DecisionId, decision: &Decision, version: i64) -> Result<()> {
    let (days, group, deviation, ended, ground) = match decision.verdict {
        Verdict::Granted { starts_on, ends_on, group, deviation, ended } => {
            (Some((starts_on, ends_on)), Some(code(&group)), deviation.map(|d| code(&d)), ended.map(|e| code(&e)), None)
        }
        Verdict::Refused(ground) => (None, None, None, None, Some(code(&ground))),
    };
    tx.run(
        "insert into decision (decision_id, version, application_id, client_id, starts_on, ends_on, target_group, deviation, ended,
             ground, late, policy_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (decision_id) do update set version = excluded.version, ends_on = excluded.ends_on, ended = excluded.ended",
        args![
            id.0,
            version,
            decision.application_id.0,
            decision.client_id,
            days.map(|(first, _)| first),
            days.map(|(_, last)| last),
            group,
            deviation,
            ended,
            ground,
            decision.late,
            decision.policy_version.as_str(),
        ],
    )
    .await?;
    Ok(())
}
