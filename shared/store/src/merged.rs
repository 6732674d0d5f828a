//! Records that point to another of the same person (R-REG-26), as regie told, each by the name under which the service knows it:
//! the id of the client, or a pseudonym.

use crate::db::Tx;
use crate::{Result, args};
use kernel::ClientId;

impl Tx {
    /// Keeps that a record points to another from now on.
    pub async fn merge(&mut self, client: &str, kept: &str) -> Result<()> {
        let sql = "insert into merged (client_id, kept_client_id) values ($1, $2)
                   on conflict (client_id) do update set kept_client_id = excluded.kept_client_id";
        self.keep(sql, args![client, kept]).await
    }

    /// Keeps that it points there no longer.
    pub async fn unmerge(&mut self, client: &str) -> Result<()> {
        self.keep("delete from merged where client_id = $1", args![client]).await
    }

    /// The record that is used for a client: the one that it points to, or itself.
    pub async fn used_for(&mut self, client: ClientId) -> Result<ClientId> {
        let row = self.row("select kept_client_id from merged where client_id = $1", args![client]).await?;
        row.map_or(Ok(client), |row| row.get("kept_client_id"))
    }

    /// The records that point to this one.
    pub async fn pointing_to(&mut self, kept: ClientId) -> Result<Vec<ClientId>> {
        let sql = "select client_id from merged where kept_client_id = $1 order by client_id";
        self.rows(sql, args![kept]).await?.iter().map(|row| row.get("client_id")).collect()
    }
}
