//! Safe contact (R-REG-28): who is reached through one organisation only. Regie says so, and each service keeps what it is
//! told.

use crate::db::{Row, Tx};
use crate::{Result, args};
use kernel::{ClientId, Organisation};
use std::collections::BTreeMap;

impl Tx {
    /// A client is reached through this organisation only; none while none is agreed.
    pub async fn reach_through(&mut self, client: ClientId, organisation: Option<&Organisation>) -> Result<()> {
        let sql = "insert into contact_through (client_id, organisation) values ($1, $2)
                   on conflict (client_id) do update set organisation = excluded.organisation";
        self.keep(sql, args![client, organisation.map_or("", Organisation::as_str)]).await
    }

    /// A client is reached as everybody is.
    pub async fn reach_freely(&mut self, client: ClientId) -> Result<()> {
        self.keep("delete from contact_through where client_id = $1", args![client]).await
    }

    /// Everybody for whom safe contact is on, and through whom: few.
    pub async fn all_reached_through(&mut self) -> Result<BTreeMap<ClientId, Option<Organisation>>> {
        let rows = self.rows("select client_id, organisation from contact_through", args![]).await?;
        rows.iter().map(|row| Ok((row.get("client_id")?, through(row, "organisation")?))).collect()
    }
}

/// Through whom a client is reached for whom safe contact is on.
pub(crate) fn through(row: &Row, column: &str) -> Result<Option<Organisation>> {
    match row.get::<String>(column)?.as_str() {
        "" => Ok(None),
        _ => row.get(column).map(Some),
    }
}
