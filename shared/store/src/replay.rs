//! What decisions of earlier days rested on, for whoever makes them again (R-REG-19).

use crate::chain::Reading;
use crate::{Result, Row};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

const EVERY_DECISION: &str = "select position, occurred_at, rpc, roles, purpose, result, protocol, standing
    from access_log order by position, access_id";

/// A decision in the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The entry's place in the log; none when it has not got one yet.
    pub position: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// `Service/Method`
    pub rpc: String,
    /// The roles, comma-separated.
    pub roles: String,
    /// The purpose that was named.
    pub purpose: String,
    /// "ok", or the code of the refusal.
    pub result: String,
    /// The version by which it was judged; none in entries that are older than this field.
    pub protocol: Option<String>,
    /// How the caller stood to the client or the thing; none where that was not asked.
    pub standing: Option<String>,
}

impl Decided {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            position: row.get("position")?,
            at: row.get("occurred_at")?,
            rpc: row.get("rpc")?,
            roles: row.get("roles")?,
            purpose: row.get("purpose")?,
            result: row.get("result")?,
            protocol: row.get("protocol")?,
            standing: row.get("standing")?,
        })
    }
}

/// What calls were judged by, by version, as the database at `url` keeps it.
pub fn protocols(url: &str) -> BoxFuture<'_, Result<Vec<(String, String)>>> {
    Box::pin(async move {
        let rows =
            Reading::open(url).await?.all("select version, words from authorisation_protocol order by kept_at").await?;
        rows.iter().map(|row| Ok((row.get("version")?, row.get("words")?))).collect()
    })
}

/// Goes past every decision in the database at `url`, in the order of the log. It only reads.
pub async fn decisions(url: &str, mut judge: impl FnMut(Decided)) -> Result<()> {
    let mut database = Reading::open(url).await?;
    let mut rows = database.each(EVERY_DECISION);
    while let Some(row) = rows.next().await {
        judge(Decided::read(&row?)?);
    }
    Ok(())
}
