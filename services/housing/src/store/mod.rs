//! The tables of housing: rows to states and back. No rule is judged here; what must always hold is in the indexes of
//! `migrations/`, and a violated index becomes its refusal.

pub mod allocation;
pub mod contingent;
pub mod dwelling;
pub mod export;
pub mod nomination;
pub mod offer;
pub mod separation;

use crate::domain::{Code, offer::Evidence};
use ::store::Retention;
use chassis::{Result, Row, Work, args};
use kernel::{ClientId, Organisation};

/// An optional code from its column.
fn code_opt<C: Code>(row: &Row, column: &str) -> Result<Option<C>> {
    match row.get::<Option<String>>(column)? {
        None => Ok(None),
        Some(key) => {
            C::from_key(&key).map(Some).ok_or_else(|| chassis::Error::inconsistent(C::NAME, column, "no such code"))
        }
    }
}

/// A code from its column.
fn code<C: Code>(row: &Row, column: &str) -> Result<C> {
    code_opt(row, column)?.ok_or_else(|| chassis::Error::inconsistent(C::NAME, column, "no code"))
}

/// A code that must be there because of the state.
fn of_state<T>(value: Option<T>, table: &str, column: &str) -> Result<T> {
    value.ok_or_else(|| chassis::Error::inconsistent(table, column, "the state asks it"))
}

/// Takes away the client's own words, and what regie said of readiness. Offers and leases stay, without a name: they are the
/// landlord's too.
pub async fn forget(work: &mut Work, client: ClientId) -> Result<()> {
    let said = "delete from evidence where subject in (select offer_id from offer where client_id = $1)
                or subject in (select allocation_id from allocation where client_id = $1)";
    work.run(said, args![client]).await?;
    work.run("delete from readiness where client_id = $1", args![client]).await?;
    work.forget_apart(client).await
}

/// Keeps where the client's own word can be found, when somebody else spoke (R-HOU-29).
pub async fn keep_evidence(
    work: &mut Work,
    client: ClientId,
    (subject, what): (&str, &str),
    evidence: &Evidence,
) -> Result<()> {
    let Evidence::Document(text) = evidence else { return Ok(()) };
    let (key, place) = (Retention::File.of(client), format!("{subject}/{what}"));
    let document = work.sealer().seal(key, "evidence.document", place, text).await?;
    let (given_by, now) = (work.actor().subject.clone(), work.now.at);
    work.keep(
        "insert into evidence (subject, what, given_by, document, recorded_at) values ($1, $2, $3, $4, $5)
         on conflict (subject, what) do nothing",
        args![subject, what, given_by, document, now],
    )
    .await?;
    Ok(())
}

/// Who has a relation to a client and is no corporation.
pub async fn related(work: &mut Work, client: ClientId) -> Result<Vec<Organisation>> {
    let rows = work
        .rows(
            "select distinct r.organisation from relation r
             where r.client_id = $1 and r.ended_at is null
               and not exists (select 1 as one from dwelling d where d.corporation = r.organisation)",
            args![client.0],
        )
        .await?;
    rows.iter().map(|row| row.get("organisation")).collect()
}
