//! This service's tables: SQL, private rows, rows to state and back. No condition of the field is judged here.

pub mod client;
pub mod decision;
pub mod export;
pub mod facility;
pub mod intake;
pub mod nights;
pub mod notification;
pub mod place_claim;
pub mod separation;
pub mod stay;
pub mod waiting_list;

use chassis::{Error, Result, Tx, args};
use kernel::{ClientId, Organisation};

/// A thing as it is in the database, with its version.
pub type Versioned<T> = (T, i64);

/// The organisations that hear what happens to a client.
pub async fn receivers(tx: &mut Tx, client: ClientId) -> Result<Vec<Organisation>> {
    let rows = tx
        .rows(
            "select distinct organisation from relation where client_id = $1 and ended_at is null order by organisation",
            args![client],
        )
        .await?;
    rows.iter().map(|row| row.get("organisation")).collect()
}

/// A row that holds a combination of columns that no state has.
fn nonsense(table: &'static str, column: &'static str) -> Error {
    Error::inconsistent(table, column, "does not go with the other columns")
}
