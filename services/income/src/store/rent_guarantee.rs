//! Rent guarantees.

use super::lost_race;
use crate::domain::rent_guarantee::{Asked, Grant, RentGuarantee, Stage};
use crate::domain::{AllocationId, GuaranteeId};
use ::store::code;
use chassis::{Error, Result, Row, Scope, Tx, args};
use kernel::{ClientId, Date};

/// A guarantee as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its id.
    pub id: GuaranteeId,
    /// Its version.
    pub version: i64,
    /// The guarantee.
    pub state: RentGuarantee,
}

/// The columns of a guarantee, in every query.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select g.guarantee_id, g.allocation_id, g.client_id, g.version, g.corporation, g.municipality, \
             g.lease_start_on, g.rent_cents, g.asked_on, g.state, g.told, g.cap_cents, g.ends_on, g.reason, g.bridging, \
             g.refusal from rent_guarantee g ",
            $rest
        )
    };
}

/// One guarantee.
pub async fn load(tx: &mut Tx, id: GuaranteeId) -> Result<Option<Stored>> {
    let row = tx.row(select!("where g.guarantee_id = $1"), args![id.0]).await?;
    row.as_ref().map(stored).transpose()
}

/// The guarantee of an allocation.
pub async fn load_by_allocation(tx: &mut Tx, allocation: AllocationId) -> Result<Option<Stored>> {
    let row = tx.row(select!("where g.allocation_id = $1"), args![allocation.0]).await?;
    row.as_ref().map(stored).transpose()
}

/// All guarantees of a client, the newest first.
pub async fn load_all(tx: &mut Tx, client: ClientId) -> Result<Vec<Stored>> {
    let rows = tx.rows(select!("where g.client_id = $1 order by g.guarantee_id desc"), args![client]).await?;
    rows.iter().map(stored).collect()
}

/// The last day of the guarantee that holds on a day, if one does.
pub async fn holds_until(tx: &mut Tx, client: ClientId, day: Date) -> Result<Option<Date>> {
    let row = tx
        .row(
            "select max(ends_on) as ends_on from rent_guarantee where client_id = $1 and state = 'granted' and ends_on >= $2",
            args![client, day],
        )
        .await?;
    row.map_or(Ok(None), |row| row.get("ends_on"))
}

/// The guarantees to decide that the caller may see, the oldest first.
pub async fn list(tx: &mut Tx, scope: &Scope, after: (&str, &str), limit: i64) -> Result<Vec<Stored>> {
    let mut parameters = scope.args();
    parameters.extend(args![after.0, after.1, limit]);
    let rows = tx
        .rows(
            select!(
                "where ($1 or ($2 and g.corporation = $4) or g.client_id = $6
                        or ($3 and exists (select 1 from relation r where r.client_id = g.client_id
                            and r.organisation = $4 and r.person = $5 and r.ended_at is null)))
                   and g.state = 'requested'
                   and (g.asked_on > $7 or (g.asked_on = $7 and g.guarantee_id > $8))
                 order by g.asked_on, g.guarantee_id limit $9"
            ),
            parameters,
        )
        .await?;
    rows.iter().map(stored).collect()
}

/// Keeps a guarantee at its next version.
pub async fn save(tx: &mut Tx, stored: &Stored, policy_version: &str) -> Result<()> {
    let Stored { id, version, state: RentGuarantee { asked, stage } } = stored;
    let (state, told, grant, refusal) = match stage {
        Stage::Requested { told } => ("requested", *told, None, None),
        Stage::Granted { grant, warned } => ("granted", *warned, Some(grant), None),
        Stage::Refused { ground } => ("refused", false, None, Some(ground)),
        Stage::Withdrawn => ("withdrawn", false, None, None),
        Stage::Ended { grant } => ("ended", true, Some(grant), None),
    };
    tx.run(
        "insert into rent_guarantee (guarantee_id, allocation_id, client_id, version, corporation, municipality,
             lease_start_on, rent_cents, asked_on, state, told, cap_cents, ends_on, reason, bridging, refusal, policy_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         on conflict (guarantee_id) do update set version = excluded.version, state = excluded.state, told = excluded.told,
             cap_cents = excluded.cap_cents, ends_on = excluded.ends_on, reason = excluded.reason,
             bridging = excluded.bridging, refusal = excluded.refusal, policy_version = excluded.policy_version",
        args![
            id.0,
            asked.allocation.0,
            asked.client,
            *version,
            &asked.corporation,
            &asked.municipality,
            asked.lease_start_on,
            asked.rent,
            asked.asked_on,
            state,
            told,
            grant.map(|grant| grant.cap),
            grant.map(|grant| grant.ends_on),
            grant.map(|grant| code(&grant.reason)),
            grant.map(|grant| grant.bridging),
            refusal.map(code),
            policy_version
        ],
    )
    .await
    .map_err(lost_race)?;
    Ok(())
}

fn stored(row: &Row) -> Result<Stored> {
    let asked = Asked {
        client: row.get("client_id")?,
        allocation: AllocationId(row.get("allocation_id")?),
        corporation: row.get("corporation")?,
        municipality: row.get("municipality")?,
        lease_start_on: row.get("lease_start_on")?,
        rent: row.get("rent_cents")?,
        asked_on: row.get("asked_on")?,
    };
    let state: String = row.get("state")?;
    let told = row.get("told")?;
    let grant = match (row.get("cap_cents")?, row.get("ends_on")?, row.code_opt("reason")?, row.get("bridging")?) {
        (Some(cap), Some(ends_on), Some(reason), Some(bridging)) => Some(Grant { cap, ends_on, reason, bridging }),
        _ => None,
    };
    let stage = match (state.as_str(), grant, row.code_opt("refusal")?) {
        ("requested", None, None) => Stage::Requested { told },
        ("granted", Some(grant), None) => Stage::Granted { grant, warned: told },
        ("refused", None, Some(ground)) => Stage::Refused { ground },
        ("withdrawn", None, None) => Stage::Withdrawn,
        ("ended", Some(grant), None) => Stage::Ended { grant },
        _ => return Err(Error::inconsistent("rent_guarantee", "state", "does not go with the decision in the row")),
    };
    Ok(Stored {
        id: GuaranteeId(row.get("guarantee_id")?),
        version: row.get("version")?,
        state: RentGuarantee { asked, stage },
    })
}
