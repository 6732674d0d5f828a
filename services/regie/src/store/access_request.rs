//! Requests for access.

use super::{key, key_opt};
use crate::domain::access_request::{AccessRequest, AccessRequestId, Answer, RefusalGround, Way, WithheldGround};
use crate::domain::month::ExtensionGround;
use chassis::{Error, Result, Row, Tx, args};
use kernel::{ClientId, Date};

fn answered(row: &Row) -> Result<Option<(Answer, Way, Date)>> {
    let answer = match row.get::<Option<String>>("answer")?.as_deref() {
        None => return Ok(None),
        Some("whole") => Answer::Whole,
        Some("in_part") => Answer::InPart(key(row, "ground", WithheldGround::from_key)?),
        Some("refused") => Answer::Refused(key(row, "ground", RefusalGround::from_key)?),
        Some(_) => return Err(Error::inconsistent("access_request", "answer", "is no answer")),
    };
    Ok(Some((answer, key(row, "way", Way::from_key)?, row.get("answered_on")?)))
}

/// Every request of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<AccessRequest>> {
    let rows = tx
        .rows(
            "select access_request_id, requested_on, answer_by, checked_on, extension_ground, told_on, answer, ground, way,
                    answered_on
             from access_request where client_id = $1 order by access_request_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(AccessRequest {
                id: AccessRequestId(row.get("access_request_id")?),
                requested_on: row.get("requested_on")?,
                answer_by: row.get("answer_by")?,
                checked_on: row.get("checked_on")?,
                extended: key_opt(row, "extension_ground", ExtensionGround::from_key)?.zip(row.get("told_on")?),
                answered: answered(row)?,
            })
        })
        .collect()
}

/// Keeps a new request; by whom it was established that the client asks, when it was.
pub async fn insert(tx: &mut Tx, client: ClientId, request: &AccessRequest, by: &str) -> Result<()> {
    tx.run(
        "insert into access_request (access_request_id, client_id, requested_on, answer_by, checked_on, checked_by)
         values ($1, $2, $3, $4, $5, $6)",
        args![
            request.id.0,
            client,
            request.requested_on,
            request.answer_by,
            request.checked_on,
            request.checked_on.map(|_| by)
        ],
    )
    .await
    .map_err(|error| match error {
        // Somebody else asked at the same moment: run again, that request is found.
        Error::Unique { .. } => Error::Conflict,
        other => other,
    })?;
    Ok(())
}

/// Keeps that it was established who asks, and by whom.
pub async fn confirm(tx: &mut Tx, request: &AccessRequest, by: &str) -> Result<()> {
    tx.run(
        "update access_request set checked_on = $2, checked_by = $3 where access_request_id = $1",
        args![request.id.0, request.checked_on, by],
    )
    .await?;
    Ok(())
}

/// Keeps that the month was extended, why, and when the client was told.
pub async fn extend(tx: &mut Tx, request: &AccessRequest) -> Result<()> {
    let (ground, told_on) = request.extended.map(|(ground, on)| (ground.as_str(), on)).unzip();
    tx.run(
        "update access_request set answer_by = $2, extension_ground = $3, told_on = $4 where access_request_id = $1",
        args![request.id.0, request.answer_by, ground, told_on],
    )
    .await?;
    Ok(())
}

/// Keeps what was answered, and by whom.
pub async fn answer(tx: &mut Tx, request: &AccessRequest, by: &str) -> Result<()> {
    let Some((answer, way, answered_on)) = request.answered else { return Ok(()) };
    let (answer, ground) = match answer {
        Answer::Whole => ("whole", None),
        Answer::InPart(ground) => ("in_part", Some(ground.as_str())),
        Answer::Refused(ground) => ("refused", Some(ground.as_str())),
    };
    tx.run(
        "update access_request set answer = $2, ground = $3, way = $4, answered_on = $5, answered_by = $6
         where access_request_id = $1",
        args![request.id.0, answer, ground, way.as_str(), answered_on, by],
    )
    .await?;
    Ok(())
}
