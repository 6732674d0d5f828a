//! Claimed places.

use super::Versioned;
use crate::domain::ClaimId;
use crate::domain::place_claim::Claim;
use ::store::code;
use chassis::{Result, Row, Tx, args};
use kernel::ClientId;
use uuid::Uuid;

fn read(row: &Row) -> Result<Versioned<Claim>> {
    let claim = Claim {
        client_id: row.get("client_id")?,
        facility_id: row.id("facility_id")?,
        signal_id: row.get("signal_id")?,
        level: row.code("level")?,
        claimed_on: row.get("claimed_on")?,
        until_on: row.get("until_on")?,
        without_procedure: row.get("without_procedure")?,
        released: row.code_opt("released_reason")?,
    };
    Ok((claim, row.get("version")?))
}

/// A claim and its version.
pub async fn load(tx: &mut Tx, id: ClaimId) -> Result<Option<Versioned<Claim>>> {
    let sql = "select version, client_id, facility_id, signal_id, level, claimed_on, until_on, without_procedure, released_reason
               from place_claim where claim_id = $1";
    tx.row(sql, args![id.0]).await?.as_ref().map(read).transpose()
}

/// The standing claim of a client.
pub async fn standing(tx: &mut Tx, client: ClientId) -> Result<Option<(ClaimId, Versioned<Claim>)>> {
    let sql =
        "select claim_id, version, client_id, facility_id, signal_id, level, claimed_on, until_on, without_procedure,
                      released_reason
               from place_claim where client_id = $1 and state in ('standing')";
    let row = tx.row(sql, args![client]).await?;
    row.as_ref().map(|row| Ok((row.id("claim_id")?, read(row)?))).transpose()
}

/// The claim that answered a signal.
pub async fn by_signal(tx: &mut Tx, signal: Uuid) -> Result<Option<(ClaimId, Versioned<Claim>)>> {
    let sql =
        "select claim_id, version, client_id, facility_id, signal_id, level, claimed_on, until_on, without_procedure,
                      released_reason
               from place_claim where signal_id = $1";
    let row = tx.row(sql, args![signal]).await?;
    row.as_ref().map(|row| Ok((row.id("claim_id")?, read(row)?))).transpose()
}

/// All claims for a client, oldest first.
pub async fn of_client(tx: &mut Tx, client: ClientId) -> Result<Vec<(ClaimId, Versioned<Claim>)>> {
    let sql =
        "select claim_id, version, client_id, facility_id, signal_id, level, claimed_on, until_on, without_procedure,
                      released_reason
               from place_claim where client_id = $1 order by claimed_on, claim_id";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| Ok((row.id("claim_id")?, read(row)?))).collect()
}

/// Writes a claim as version `version`.
pub async fn save(tx: &mut Tx, id: ClaimId, claim: &Claim, version: i64) -> Result<()> {
    let state = if claim.released.is_some() { "released" } else { "standing" };
    tx.keep(
        "insert into place_claim (claim_id, version, client_id, facility_id, signal_id, level, claimed_on, until_on, without_procedure,
             state, released_reason)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (claim_id) do update
         set version = excluded.version, state = excluded.state, released_reason = excluded.released_reason",
        args![
            id.0,
            version,
            claim.client_id,
            claim.facility_id.0,
            claim.signal_id,
            code(&claim.level),
            claim.claimed_on,
            claim.until_on,
            claim.without_procedure,
            state,
            claim.released.map(|reason| code(&reason)),
        ],
    )
    .await?;
    Ok(())
}
