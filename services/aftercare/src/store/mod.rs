//! The rows of aftercare. Each file reads and writes those of one aggregate, and decides nothing.

pub mod aftercare;
pub mod circle;
pub mod export;
pub mod handover;
pub mod signal;
pub mod signalling_plan;

use ::store::KeyOf;
use chassis::{Error, Result, Work, args};
use kernel::{ClientId, Date, Organisation};
use std::fmt::Display;

/// A unique index that said no means that another transaction was first: run this one again, and it finds that one's row.
fn lost_race(error: Error) -> Error {
    match error {
        Error::Unique { .. } => Error::Conflict,
        other => other,
    }
}

/// Keeps what happened to something: who had to act, by which day, under which version of the policy.
pub async fn step(
    work: &mut Work,
    (subject, version): (impl Display, i64),
    what: &str,
    (organisation, due_on): (Option<&Organisation>, Option<Date>),
    policy_version: &str,
) -> Result<()> {
    let now = work.now;
    work.keep(
        "insert into step (subject_id, version, what, organisation, due_on, policy_version, occurred_on, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![subject.to_string(), version, what, organisation, due_on, policy_version, now.date, now.at],
    )
    .await?;
    Ok(())
}

/// Takes away every free text about a client, and who asked for the client's signals. That there was a signal stays, as
/// the teams' own work.
pub async fn forget(work: &mut Work, client: ClientId) -> Result<()> {
    for sql in [
        "update handover set form = null, return_note = null where client_id = $1",
        "update signal set report = null, closing_note = null where client_id = $1",
        "delete from signalling_plan where client_id = $1",
        "delete from subscription where client_id = $1",
        "delete from debt_help where client_id = $1",
        "delete from client where client_id = $1",
    ] {
        work.run(sql, args![client]).await?;
    }
    Ok(())
}

/// A free text for its column; nothing when there is none.
async fn seal(work: &Work, key: KeyOf, column: &str, row: impl Display + Send, text: &str) -> Result<Option<Vec<u8>>> {
    if text.is_empty() {
        return Ok(None);
    }
    work.sealer().seal(key, column, row, text).await.map(Some)
}

/// The free text of a column; empty when there is none, or none that can be read any more.
async fn open(
    work: &Work,
    key: KeyOf,
    column: &str,
    row: impl Display + Send,
    sealed: Option<Vec<u8>>,
) -> Result<String> {
    match sealed {
        Some(sealed) => Ok(work.sealer().open(key, column, row, &sealed).await?.or_empty()),
        None => Ok(String::new()),
    }
}
