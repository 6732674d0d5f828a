//! Who reads a file as the client's own, and who stands in for a client (R-REG-21).

use crate::db::Tx;
use crate::{Error, Result, args};
use jiff::Timestamp;
use kernel::{ClientId, OwnAccess};
use uuid::Uuid;

impl Tx {
    /// Keeps what a client may do with the own file; `client` is the name under which the service's tables know the client.
    pub async fn set_own_access(&mut self, client: &str, level: OwnAccess) -> Result<()> {
        self.keep(
            "insert into own_access (client_id, level) values ($1, $2)
             on conflict (client_id) do update set level = excluded.level",
            args![client, level.as_str()],
        )
        .await?;
        Ok(())
    }

    /// What a client may do with the own file. Of whom nothing was heard is taken for an adult.
    pub async fn own_access(&mut self, client: &str) -> Result<OwnAccess> {
        let row = self.row("select level from own_access where client_id = $1", args![client]).await?;
        let Some(row) = row else { return Ok(OwnAccess::Own) };
        let level: String = row.get("level")?;
        OwnAccess::from_key(&level).ok_or_else(|| Error::inconsistent("own_access", "level", "is no level"))
    }

    /// Somebody stands in for a client from now on; the same again changes nothing.
    pub async fn represent(&mut self, id: Uuid, client: ClientId, by: ClientId, now: Timestamp) -> Result<()> {
        self.keep(
            "insert into representative (representative_id, client_id, represented_by, granted_at) values ($1, $2, $3, $4)
             on conflict (representative_id) do nothing",
            args![id, client, by, now],
        )
        .await?;
        Ok(())
    }

    /// Nobody stands in by it any more; one that has ended stays as it is.
    pub async fn end_representative(&mut self, id: Uuid, now: Timestamp) -> Result<()> {
        self.keep(
            "update representative set ended_at = $2 where representative_id = $1 and ended_at is null",
            args![id, now],
        )
        .await?;
        Ok(())
    }

    /// Whether somebody stands in for a client now.
    pub async fn is_represented_by(&mut self, client: ClientId, by: ClientId) -> Result<bool> {
        let row = self
            .row(
                "select 1 as one from representative
                 where client_id = $1 and represented_by = $2 and ended_at is null limit 1",
                args![client, by],
            )
            .await?;
        Ok(row.is_some())
    }
}
