//! Separations and shields (R-REG-18, R-REG-28), as regie told them to a service that places people. Such a service has
//! [`APART`] among its migrations; the others keep nothing of it.

use crate::db::Tx;
use crate::{Migration, Result, args};
use kernel::ClientId;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The tables of separations and shields.
pub const APART: Migration = (90, "apart", include_str!("../migrations/apart/0090_apart.sql"));

impl Tx {
    /// Keeps two clients apart; the same separation again changes nothing.
    pub async fn keep_apart(&mut self, separation: Uuid, one: ClientId, other: ClientId) -> Result<()> {
        let sql = "insert into separation (separation_id, client_id, other_client_id) values ($1, $2, $3)
                   on conflict (separation_id) do nothing";
        self.keep(sql, args![separation, one, other]).await
    }

    /// Lets go of a separation.
    pub async fn end_apart(&mut self, separation: Uuid) -> Result<()> {
        self.keep("delete from separation where separation_id = $1", args![separation]).await
    }

    /// From whom a client is kept apart, whoever of the two it was marked for.
    pub async fn kept_apart_from(&mut self, client: ClientId) -> Result<Vec<ClientId>> {
        let sql = "select other_client_id as other from separation where client_id = $1
                   union select client_id as other from separation where other_client_id = $1";
        let rows = self.rows(sql, args![client]).await?;
        rows.iter().map(|row| row.get("other")).collect()
    }

    /// Shields a client; again changes nothing.
    pub async fn shield(&mut self, client: ClientId) -> Result<()> {
        self.keep("insert into shield (client_id) values ($1) on conflict (client_id) do nothing", args![client]).await
    }

    /// Ends the shield of a client, if there is one.
    pub async fn end_shield(&mut self, client: ClientId) -> Result<()> {
        self.keep("delete from shield where client_id = $1", args![client]).await
    }

    /// Whether a client is shielded.
    pub async fn is_shielded(&mut self, client: ClientId) -> Result<bool> {
        Ok(self.row("select 1 as one from shield where client_id = $1", args![client]).await?.is_some())
    }

    /// Everybody who is shielded.
    pub async fn shielded(&mut self) -> Result<BTreeSet<ClientId>> {
        let rows = self.rows("select client_id from shield", args![]).await?;
        rows.iter().map(|row| row.get("client_id")).collect()
    }

    /// Takes away the separations and the shield of a client who was erased.
    pub async fn forget_apart(&mut self, client: ClientId) -> Result<()> {
        self.keep("delete from separation where client_id = $1 or other_client_id = $1", args![client]).await?;
        self.end_shield(client).await
    }
}
