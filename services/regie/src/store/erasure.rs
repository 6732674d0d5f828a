//! Requests for erasure, and what is left to take away after one.

use super::key;
use crate::domain::erasure::{Decision, Erasure, ErasureId, Ground};
use chassis::{Error, Result, Tx, args};
use kernel::{ClientId, Date};

/// Every request of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Erasure>> {
    let rows = tx
        .rows(
            "select erasure_id, requested_on, decide_by, decision, ground, decided_on from erasure
             where client_id = $1 order by erasure_id",
            args![client],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let decision = match row.get::<Option<String>>("decision")?.as_deref() {
            None => None,
            Some("granted") => Some(Decision::Granted),
            Some("refused") => Some(Decision::Refused(key(row, "ground", Ground::from_key)?)),
            Some(_) => return Err(Error::inconsistent("erasure", "decision", "is no decision")),
        };
        found.push(Erasure {
            id: ErasureId(row.get("erasure_id")?),
            requested_on: row.get("requested_on")?,
            decide_by: row.get("decide_by")?,
            decided: decision.zip(row.get("decided_on")?),
        });
    }
    Ok(found)
}

/// Keeps a new request.
pub async fn insert(tx: &mut Tx, client: ClientId, erasure: &Erasure) -> Result<()> {
    tx.run(
        "insert into erasure (erasure_id, client_id, requested_on, decide_by) values ($1, $2, $3, $4)",
        args![erasure.id.0, client, erasure.requested_on, erasure.decide_by],
    )
    .await
    .map_err(|error| match error {
        // Somebody else asked at the same moment: run again, that request is found.
        Error::Unique { .. } => Error::Conflict,
        other => other,
    })?;
    Ok(())
}

/// Keeps what was decided, and by whom.
pub async fn decide(tx: &mut Tx, erasure: &Erasure, by: &str) -> Result<()> {
    let (decision, ground) = match erasure.decided {
        Some((Decision::Granted, _)) => ("granted", None),
        Some((Decision::Refused(ground), _)) => ("refused", Some(ground.as_str())),
        None => return Ok(()),
    };
    tx.run(
        "update erasure set decision = $2, ground = $3, decided_on = $4, decided_by = $5 where erasure_id = $1",
        args![erasure.id.0, decision, ground, erasure.decided.map(|(_, on)| on), by],
    )
    .await?;
    Ok(())
}

/// Takes away what regie holds of a client who was erased: the client's words, scores, and what was told from elsewhere.
/// Who held the case, consents as proof, and the request itself stay, under the random id.
pub async fn forget(tx: &mut Tx, client: ClientId, today: Date) -> Result<()> {
    super::retention::forget_plan(tx, client).await?;
    let ends = "update client_merge set undone_on = $2 where client_id = $1 and undone_on is null";
    tx.run(ends, args![client, today]).await?;
    for sql in [
        "delete from scoring where case_id in (select case_id from client_case where client_id = $1)",
        "delete from readiness where client_id = $1",
        "delete from flow where client_id = $1",
        "delete from timeline where client_id = $1",
        "delete from client_split where client_id = $1 or new_client_id = $1",
        "delete from separation where client_id = $1 or other_client_id = $1",
        "delete from safe_contact where client_id = $1",
        "delete from provision where client_id = $1",
    ] {
        tx.run(sql, args![client]).await?;
    }
    // A word on a gate has an explanation; that it can be read no more is what its key says.
    let words = "update gate_word set explanation = $2 where client_id = $1 and explanation is not null";
    tx.run(words, args![client, Vec::<u8>::new()]).await?;
    // That somebody used emergency access stays, without its words, and so does that the record pointed to another, and that a
    // correction was asked for and what was decided.
    for words in [
        "update correction set words = $2 where client_id = $1",
        "update correction set explanation = $2 where client_id = $1 and explanation is not null",
        "update client_merge set explanation = $2 where client_id = $1",
        "update client_merge set undone_explanation = $2 where client_id = $1 and undone_explanation is not null",
        "update emergency set explanation = $2 where client_id = $1",
        "update emergency set outcome_explanation = $2 where client_id = $1 and outcome_explanation is not null",
    ] {
        tx.run(words, args![client, Vec::<u8>::new()]).await?;
    }
    Ok(())
}
