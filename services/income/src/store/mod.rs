//! This service's rows. What a unique index forbids was a lost race: the transaction is run again and sees the winner.

pub mod benefit_request;
pub mod household;
pub mod rent_guarantee;

use chassis::{Error, Migration};

/// The tables of income.
pub const MIGRATIONS: &[Migration] = &[(100, "income", include_str!("../../migrations/0100_income.sql"))];

fn lost_race(error: Error) -> Error {
    match error {
        Error::Unique { .. } => Error::Conflict,
        other => other,
    }
}
