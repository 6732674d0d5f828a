//! This service's rows. What a unique index forbids was a lost race: the transaction is run again and sees the winner.

pub mod benefit_request;
pub mod export;
pub mod household;
pub mod rent_guarantee;

use chassis::{Error, Migration, Result, Tx, args};
use kernel::{ClientId, Organisation};

/// The tables of income.
pub const MIGRATIONS: &[Migration] = &[
    (100, "income", include_str!("../../migrations/0100_income.sql")),
    (101, "lookups", include_str!("../../migrations/0101_lookups.sql")),
];

/// The partners who have to do with the client. A landlord hears of a guarantee of its own dwelling only.
pub async fn partners(tx: &mut Tx, client: ClientId) -> Result<Vec<Organisation>> {
    let rows = tx
        .rows(
            "select distinct organisation from relation
             where client_id = $1 and ended_at is null and kind <> 'RELATION_KIND_LANDLORD' order by organisation",
            args![client],
        )
        .await?;
    rows.iter().map(|row| row.get("organisation")).collect()
}

fn lost_race(error: Error) -> Error {
    match error {
        Error::Unique { .. } => Error::Conflict,
        other => other,
    }
}
