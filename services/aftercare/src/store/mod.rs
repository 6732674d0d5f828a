//! The rows of aftercare. Each file reads and writes those of one aggregate, and decides nothing.

pub mod aftercare;
pub mod circle;
pub mod handover;
pub mod signal;
pub mod signalling_plan;

use chassis::{Error, Result, Work, args};
use kernel::{Date, Organisation};
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

/// A free text for its column; nothing when there is none.
fn seal(work: &Work, column: &str, row: impl Display, text: &str) -> Result<Option<Vec<u8>>> {
    (!text.is_empty()).then(|| work.sealer().seal(column, row, text)).transpose()
}

/// The free text of a column; empty when there is none.
fn open(work: &Work, column: &str, row: impl Display, sealed: Option<Vec<u8>>) -> Result<String> {
    sealed.map_or(Ok(String::new()), |sealed| work.sealer().open(column, row, &sealed))
}
