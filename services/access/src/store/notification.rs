//! Notifications.

use super::{Versioned, nonsense};
use crate::domain::NotificationId;
use crate::domain::notification::{Notification, Origin, Urgent};
use ::store::{code, json};
use chassis::{Result, Row, Tx, args};
use kernel::ClientId;

fn read(row: &Row) -> Result<Versioned<Notification>> {
    let urgent = match row.get::<String>("urgent")?.as_str() {
        "waiting" => Urgent::Waiting,
        "granted" => Urgent::Granted(row.id_opt("urgent_facility_id")?),
        "refused" => Urgent::Refused(row.code("urgent_ground")?),
        _ => Urgent::NotAsked,
    };
    let notification = Notification {
        client_id: row.get("client_id")?,
        municipality: row.get("municipality")?,
        origin: Origin::from_code(&row.get::<String>("origin")?).ok_or_else(|| nonsense("notification", "origin"))?,
        triggers: row.json("triggers")?,
        received_on: row.get("received_on")?,
        received_at: row.get("received_at")?,
        notified_by: row.get("notified_by")?,
        used_shelter_before: row.get("used_shelter_before")?,
        told_of_personal_plan: row.get("told_of_personal_plan")?,
        told_of_client_support: row.get("told_of_client_support")?,
        investigation_due_on: row.get("investigation_due_on")?,
        investigated: row.get("investigated")?,
        urgent,
        withdrawn: row.code_opt("withdrawn")?,
    };
    Ok((notification, row.get("version")?))
}

/// A notification and its version.
pub async fn load(tx: &mut Tx, id: NotificationId) -> Result<Option<Versioned<Notification>>> {
    let sql = "select version, client_id, municipality, origin, triggers, received_on, received_at, notified_by,
                      used_shelter_before, told_of_personal_plan, told_of_client_support, investigation_due_on, investigated,
                      urgent, urgent_facility_id, urgent_ground, withdrawn
               from notification where notification_id = $1";
    tx.row(sql, args![id.0]).await?.as_ref().map(read).transpose()
}

/// All notifications of a client, oldest first.
pub async fn of_client(tx: &mut Tx, client: ClientId) -> Result<Vec<(NotificationId, Versioned<Notification>)>> {
    let sql = "select notification_id, version, client_id, municipality, origin, triggers, received_on, received_at, notified_by,
                      used_shelter_before, told_of_personal_plan, told_of_client_support, investigation_due_on, investigated,
                      urgent, urgent_facility_id, urgent_ground, withdrawn
               from notification where client_id = $1 order by received_on, notification_id";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| Ok((row.id("notification_id")?, read(row)?))).collect()
}

/// Writes a notification as version `version`.
pub async fn save(tx: &mut Tx, id: NotificationId, n: &Notification, version: i64) -> Result<()> {
    let (urgent, facility, ground) = match n.urgent {
        Urgent::NotAsked => ("not_asked", None, None),
        Urgent::Waiting => ("waiting", None, None),
        Urgent::Granted(facility) => ("granted", facility.map(|id| id.0), None),
        Urgent::Refused(ground) => ("refused", None, Some(code(&ground))),
    };
    tx.keep(
        "insert into notification (notification_id, version, client_id, municipality, origin, triggers, received_on, received_at,
             notified_by, used_shelter_before, told_of_personal_plan, told_of_client_support, investigation_due_on, investigated,
             urgent, urgent_facility_id, urgent_ground, withdrawn)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (notification_id) do update
         set version = excluded.version, investigated = excluded.investigated, urgent = excluded.urgent,
             urgent_facility_id = excluded.urgent_facility_id, urgent_ground = excluded.urgent_ground, withdrawn = excluded.withdrawn",
        args![
            id.0,
            version,
            n.client_id,
            &n.municipality,
            n.origin.as_str(),
            json(&n.triggers),
            n.received_on,
            n.received_at,
            &n.notified_by,
            n.used_shelter_before,
            n.told_of_personal_plan,
            n.told_of_client_support,
            n.investigation_due_on,
            n.investigated,
            urgent,
            facility,
            ground,
            n.withdrawn.map(|reason| code(&reason)),
        ],
    )
    .await?;
    Ok(())
}

/// Whether a running stay rests on a notification.
pub async fn in_use(tx: &mut Tx, id: NotificationId) -> Result<bool> {
    let sql = "select 1 as one from stay where notification_id = $1 and state = 'open' limit 1";
    Ok(tx.row(sql, args![id.0]).await?.is_some())
}
