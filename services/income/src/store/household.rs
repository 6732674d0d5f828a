//! Own income and stabilised finances: one row per client each.

use crate::domain::finances::Finances;
use crate::domain::own_income::{OwnIncome, Verified};
use ::store::code;
use chassis::{Result, Tx, args};
use kernel::{ClientId, Date, Organisation};

/// A client's own income and its version; version 0 when nothing was ever said.
pub async fn own_income(tx: &mut Tx, client: ClientId) -> Result<(OwnIncome, i64)> {
    let row = tx
        .row("select version, kind, from_on, ends_on, warned from own_income where client_id = $1", args![client])
        .await?;
    let Some(row) = row else { return Ok((OwnIncome::None, 0)) };
    let state = match (row.code_opt("kind")?, row.get("from_on")?) {
        (Some(kind), Some(from_on)) => OwnIncome::Verified {
            verified: Verified { kind, from_on, ends_on: row.get("ends_on")? },
            warned: row.get("warned")?,
        },
        _ => OwnIncome::None,
    };
    Ok((state, row.get("version")?))
}

/// Keeps a client's own income at its next version.
pub async fn save_own_income(
    tx: &mut Tx,
    client: ClientId,
    state: OwnIncome,
    version: i64,
    by: &Organisation,
) -> Result<()> {
    let (verified, warned) = match state {
        OwnIncome::None => (None, false),
        OwnIncome::Verified { verified, warned } => (Some(verified), warned),
    };
    tx.keep(
        "insert into own_income (client_id, version, kind, from_on, ends_on, warned, verified_by)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (client_id) do update set version = excluded.version, kind = excluded.kind,
             from_on = excluded.from_on, ends_on = excluded.ends_on, warned = excluded.warned,
             verified_by = excluded.verified_by",
        args![
            client,
            version,
            verified.map(|one| code(&one.kind)),
            verified.map(|one| one.from_on),
            verified.and_then(|one| one.ends_on),
            warned,
            by
        ],
    )
    .await?;
    Ok(())
}

/// A client's finances and their version; version 0 when nothing was ever said.
pub async fn finances(tx: &mut Tx, client: ClientId) -> Result<(Finances, i64)> {
    let row = tx.row("select version, stabilised_since from finances where client_id = $1", args![client]).await?;
    let Some(row) = row else { return Ok((Finances::Open, 0)) };
    let since: Option<Date> = row.get("stabilised_since")?;
    Ok((since.map_or(Finances::Open, |since| Finances::Stabilised { since }), row.get("version")?))
}

/// Keeps a client's finances at their next version.
pub async fn save_finances(
    tx: &mut Tx,
    client: ClientId,
    state: Finances,
    version: i64,
    by: &Organisation,
) -> Result<()> {
    let since = match state {
        Finances::Open => None,
        Finances::Stabilised { since } => Some(since),
    };
    tx.keep(
        "insert into finances (client_id, version, stabilised_since, stated_by) values ($1, $2, $3, $4)
         on conflict (client_id) do update set version = excluded.version,
             stabilised_since = excluded.stabilised_since, stated_by = excluded.stated_by",
        args![client, version, since, by],
    )
    .await?;
    Ok(())
}
