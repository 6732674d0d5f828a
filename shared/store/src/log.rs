//! The access log: who did what with whose data, refusals included (R-REG-19). Only ever added to, and chained: see
//! [`crate::chain`].

use crate::db::{Row, Tx, Value};
use crate::{Result, args};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::{Actor, ClientId};
use uuid::Uuid;

/// One access or refusal.
#[derive(Clone, Debug)]
pub struct Access<'a> {
    /// When, on the field's clock.
    pub at: Timestamp,
    /// Who.
    pub actor: &'a Actor,
    /// `Service/Method`
    pub rpc: &'a str,
    /// The purpose that the caller named.
    pub purpose: &'a str,
    /// The legal ground that follows from the purpose on this day.
    pub legal_ground: &'a str,
    /// The categories of data that an answer of the method may carry, comma-separated.
    pub categories: &'a str,
    /// The trace that the call belongs to.
    pub trace_id: String,
    /// The call's request id, if it has one.
    pub request_id: Option<&'a str>,
    /// "ok", or the code of the refusal.
    pub result: &'a str,
    /// How the caller came in: a code of whoever logs.
    pub access_point: &'a str,
    /// The client's consents that were used, by their ids.
    pub consents: &'a [Uuid],
    /// Which clients were looked at by which emergency access.
    pub emergencies: &'a [(ClientId, Uuid)],
    /// Which clients were looked at by their legal representative: that is on their behalf.
    pub represented: &'a [ClientId],
    /// The version of the table of rights by which it was judged.
    pub protocol: &'a str,
    /// How the caller stood to each client, and to things of no client, where that was asked.
    pub standings: &'a [(Option<ClientId>, String)],
}

/// An entry as it was kept.
#[derive(Clone, Debug)]
pub struct LoggedAccess {
    /// The entry's id; sorts by time.
    pub access_id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The member of staff.
    pub subject: String,
    /// The organisation.
    pub organisation: String,
    /// The roles, comma-separated.
    pub roles: String,
    /// On whose behalf a service called, or whose legal representative did.
    pub on_behalf_of: Option<String>,
    /// `Service/Method`
    pub rpc: String,
    /// The purpose.
    pub purpose: String,
    /// The legal ground of the purpose on that day; empty in entries that are older than this field.
    pub legal_ground: String,
    /// The categories of data that an answer of the method may carry, comma-separated.
    pub categories: String,
    /// "ok", or the code of the refusal.
    pub result: String,
    /// Whether the call asked for a change: it had a request id.
    pub changed: bool,
    /// How the caller came in; none in entries that are older than this field.
    pub access_point: Option<String>,
    /// The consents that were used, comma-separated.
    pub consents: Option<String>,
    /// The emergency access by which it was read.
    pub emergency_id: Option<String>,
    /// The version of the table of rights; none in entries that are older than this field.
    pub protocol: Option<String>,
}

impl Tx {
    /// Adds an entry per client, or one without a client when there is none.
    pub fn log_access<'a>(&'a mut self, access: &'a Access<'a>, clients: &'a [ClientId]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let roles: Vec<&str> = access.actor.roles.iter().map(|role| role.as_str()).collect();
            let roles = roles.join(",");
            let consents: Vec<String> = access.consents.iter().map(Uuid::to_string).collect();
            let consents = (!consents.is_empty()).then(|| consents.join(","));
            let emergency = |client: Option<ClientId>| -> Option<Uuid> {
                access.emergencies.iter().find(|(of, _)| Some(*of) == client).map(|(_, id)| *id)
            };
            let on_behalf_of = |client: Option<ClientId>| -> Option<String> {
                let represented = client.filter(|client| access.represented.contains(client));
                represented.map(|client| client.to_string()).or_else(|| access.actor.on_behalf_of.clone())
            };
            let standing = |client: Option<ClientId>| -> Option<&str> {
                let of =
                    |wanted| access.standings.iter().find(|(of, _)| *of == wanted).map(|(_, words)| words.as_str());
                of(client).or_else(|| of(None))
            };
            let entry = |client: Option<ClientId>| -> Vec<Value> {
                args![
                    Uuid::now_v7(),
                    access.at,
                    client.map(|id| id.0),
                    &access.actor.subject,
                    &access.actor.organisation,
                    &roles,
                    on_behalf_of(client),
                    access.rpc,
                    access.purpose,
                    access.legal_ground,
                    access.categories,
                    access.request_id,
                    &access.trace_id,
                    access.result,
                    access.access_point,
                    consents.clone(),
                    emergency(client),
                    access.protocol,
                    standing(client)
                ]
            };
            let entries = if clients.is_empty() {
                vec![entry(None)]
            } else {
                clients.iter().map(|client| entry(Some(*client))).collect()
            };
            self.logged += 1;
            self.insert_many(
            "insert into access_log (access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc, purpose,
             legal_ground, categories, request_id, trace_id, result, access_point, consents, emergency_id, protocol,
             standing)",
            entries,
            "",
        )
        .await
        })
    }

    /// Keeps what calls are judged by; once is enough.
    pub async fn keep_protocol(&mut self, version: &str, words: &str, now: Timestamp) -> Result<()> {
        let known = "select 1 as one from authorisation_protocol where version = $1";
        if self.row(known, args![version]).await?.is_none() {
            let insert = "insert into authorisation_protocol (version, words, kept_at) values ($1, $2, $3) on conflict do nothing";
            self.keep(insert, args![version, words, now]).await?;
        }
        Ok(())
    }

    /// A client's entries, newest first, from before the given entry on; without the RPCs in `withheld`, each between commas.
    pub fn access_log<'a>(
        &'a mut self,
        client: ClientId,
        before: Option<(Timestamp, Uuid)>,
        limit: i64,
        withheld: &'a str,
    ) -> BoxFuture<'a, Result<Vec<LoggedAccess>>> {
        Box::pin(async move {
            let (at, id) = before.unwrap_or((Timestamp::MAX, Uuid::max()));
            let rows = self
            .rows(
                "select access_id, occurred_at, subject, organisation, roles, on_behalf_of, rpc, purpose, legal_ground,
                 categories, request_id, result, access_point, consents, emergency_id, protocol
                 from access_log where client_id = $1 and (occurred_at, access_id) < ($2, $3)
                   and replace($5, ',' || rpc || ',', '') = $5
                 order by occurred_at desc, access_id desc limit $4",
                args![client.0, at, id, limit, withheld],
            )
            .await?;
            let entry = |row: &Row| {
                Ok(LoggedAccess {
                    access_id: row.get("access_id")?,
                    at: row.get("occurred_at")?,
                    subject: row.get("subject")?,
                    organisation: row.get("organisation")?,
                    roles: row.get("roles")?,
                    on_behalf_of: row.get("on_behalf_of")?,
                    rpc: row.get("rpc")?,
                    purpose: row.get("purpose")?,
                    legal_ground: row.get("legal_ground")?,
                    categories: row.get("categories")?,
                    result: row.get("result")?,
                    changed: row.get::<Option<String>>("request_id")?.is_some(),
                    access_point: row.get("access_point")?,
                    consents: row.get("consents")?,
                    emergency_id: row.get("emergency_id")?,
                    protocol: row.get("protocol")?,
                })
            };
            rows.iter().map(entry).collect()
        })
    }
}
