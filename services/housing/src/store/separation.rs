//! Where those live from whom a client is kept apart (R-REG-28).
//!
//! Two offers, or two last yeses, at the same moment read what the other writes: PostgreSQL lets one of them run again
//! (serialisable), and SQLite has one writer.

use chassis::{Apart, Result, Row, Work, args};
use kernel::ClientId;
use std::collections::BTreeSet;

/// Everybody who is not to live in a neighbourhood, since somebody from whom they are kept apart lives there or is offered a
/// home there.
pub async fn not_near(work: &mut Work, neighbourhood: &str) -> Result<BTreeSet<ClientId>> {
    let sql = "with apart as (select client_id as one, other_client_id as other from separation
                              union select other_client_id as one, client_id as other from separation)
               select apart.one from apart join allocation a on a.client_id = apart.other
               where a.neighbourhood = $1 and a.state in ('accepted', 'agreement_signed', 'lease_signed', 'keys_handed_over')
               union
               select apart.one from apart join offer o on o.client_id = apart.other
                                           join dwelling d on d.dwelling_id = o.dwelling_id
               where d.neighbourhood = $1 and o.state = 'open'";
    let rows = work.rows(sql, args![neighbourhood]).await?;
    rows.iter().map(|row: &Row| row.get("one")).collect()
}

/// Whether somebody from whom the client is kept apart has a home in a neighbourhood.
pub async fn lives_near(work: &mut Work, client: ClientId, neighbourhood: &str) -> Result<bool> {
    let sql = "with apart as (select other_client_id as other from separation where client_id = $1
                              union select client_id as other from separation where other_client_id = $1)
               select 1 as one from apart join allocation a on a.client_id = apart.other
               where a.neighbourhood = $2 and a.state in ('accepted', 'agreement_signed', 'lease_signed', 'keys_handed_over')
               limit 1";
    Ok(work.row(sql, args![client, neighbourhood]).await?.is_some())
}

/// Whether two clients who are to be kept apart have homes in one neighbourhood.
pub async fn near(work: &mut Work, Apart { one, other, .. }: &Apart) -> Result<bool> {
    let sql = "select 1 as one from allocation a join allocation b on b.neighbourhood = a.neighbourhood
               where a.client_id = $1 and b.client_id = $2
                 and a.state in ('accepted', 'agreement_signed', 'lease_signed', 'keys_handed_over')
                 and b.state in ('accepted', 'agreement_signed', 'lease_signed', 'keys_handed_over')
               limit 1";
    Ok(work.row(sql, args![*one, *other]).await?.is_some())
}
