//! The first answer to a call is its answer for good (P3): key is organisation, RPC and request id.

use crate::db::Tx;
use crate::{Result, args};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::Organisation;

/// What is known of a call.
pub enum Answered {
    /// Not seen before, or refused before: it is judged anew.
    No,
    /// The same call: its first answer, encoded.
    Same(Vec<u8>),
    /// Another call under the same request id.
    Other,
}

impl Tx {
    /// Looks whether a call was answered before.
    pub fn answered<'a>(
        &'a mut self,
        organisation: &'a Organisation,
        rpc: &'a str,
        request_id: &'a str,
        hash: &'a [u8],
    ) -> BoxFuture<'a, Result<Answered>> {
        Box::pin(async move {
            let row = self
                .row(
                    "select request_hash, response from answered_call
                 where organisation = $1 and rpc = $2 and request_id = $3",
                    args![organisation, rpc, request_id],
                )
                .await?;
            let Some(row) = row else { return Ok(Answered::No) };
            if row.get::<Vec<u8>>("request_hash")? == hash {
                Ok(Answered::Same(row.get("response")?))
            } else {
                Ok(Answered::Other)
            }
        })
    }

    /// Keeps the answer to a call, in the transaction that carried it out.
    pub fn keep_answer<'a>(
        &'a mut self,
        organisation: &'a Organisation,
        rpc: &'a str,
        request_id: &'a str,
        hash: &'a [u8],
        response: &'a [u8],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.keep(
                "insert into answered_call (organisation, rpc, request_id, request_hash, response, answered_at)
             values ($1, $2, $3, $4, $5, $6)",
                args![organisation, rpc, request_id, hash.to_vec(), response.to_vec(), now],
            )
            .await?;
            Ok(())
        })
    }
}
