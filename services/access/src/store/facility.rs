//! Facilities, their numbers of places, and how many are taken.

use super::Versioned;
use crate::domain::FacilityId;
use crate::domain::facility::{Candidate, Capacity, Facility};
use ::store::code;
use chassis::{Result, Row, Tx, args};
use kernel::{ClientId, Date, Municipality, Organisation, Timestamp};
use std::collections::BTreeMap;

fn read(row: &Row) -> Result<Versioned<Facility>> {
    let facility = Facility {
        organisation: row.get("organisation")?,
        municipality: row.get("municipality")?,
        name: row.get("name")?,
        kind: row.code("kind")?,
        audience: row.code("audience")?,
        provision: row.code("provision")?,
        opened_on: row.get("opened_on")?,
        capacities: Vec::new(),
    };
    Ok((facility, row.get("version")?))
}

fn read_capacity(row: &Row) -> Result<Capacity> {
    Ok(Capacity { from_on: row.get("from_on")?, places: row.get("places")?, reserve: row.get("reserve")? })
}

/// A facility and its version.
pub async fn load(tx: &mut Tx, id: FacilityId) -> Result<Option<Versioned<Facility>>> {
    let sql = "select version, organisation, municipality, name, kind, audience, provision, opened_on
               from facility where facility_id = $1";
    let Some(row) = tx.row(sql, args![id.0]).await? else { return Ok(None) };
    let (mut facility, version) = read(&row)?;
    let sql = "select from_on, places, reserve from capacity where facility_id = $1 order by change_no";
    facility.capacities = tx.rows(sql, args![id.0]).await?.iter().map(read_capacity).collect::<Result<_>>()?;
    Ok(Some((facility, version)))
}

/// Writes a new facility with its first number of places.
pub async fn insert(tx: &mut Tx, id: FacilityId, facility: &Facility, now: Timestamp) -> Result<()> {
    tx.keep(
        "insert into facility (facility_id, version, organisation, municipality, name, kind, audience, provision, opened_on)
         values ($1, 1, $2, $3, $4, $5, $6, $7, $8)",
        args![
            id.0,
            &facility.organisation,
            &facility.municipality,
            &facility.name,
            code(&facility.kind),
            code(&facility.audience),
            code(&facility.provision),
            facility.opened_on,
        ],
    )
    .await?;
    for (n, capacity) in facility.capacities.iter().enumerate() {
        add_capacity(tx, id, n, capacity, now).await?;
    }
    Ok(())
}

async fn add_capacity(
    tx: &mut Tx,
    id: FacilityId,
    change_no: usize,
    capacity: &Capacity,
    now: Timestamp,
) -> Result<()> {
    tx.keep(
        "insert into capacity (facility_id, change_no, from_on, places, reserve, recorded_at) values ($1, $2, $3, $4, $5, $6)",
        args![id.0, change_no, capacity.from_on, capacity.places, capacity.reserve, now],
    )
    .await?;
    Ok(())
}

/// Adds a number of places as the `change_no`th, and makes the facility version `version`.
pub async fn change(
    tx: &mut Tx,
    id: FacilityId,
    version: i64,
    change_no: usize,
    new: &Capacity,
    now: Timestamp,
) -> Result<()> {
    add_capacity(tx, id, change_no, new, now).await?;
    tx.keep("update facility set version = $2 where facility_id = $1", args![id.0, version]).await?;
    Ok(())
}

/// The places taken at a facility: running stays, and standing claims of clients who stay nowhere. `but` is not counted.
pub async fn occupied(tx: &mut Tx, id: FacilityId, but: ClientId) -> Result<i32> {
    let sql = "select (select count(*) from stay s where s.facility_id = $1 and s.state = 'open' and s.departed_on is null and s.client_id <> $2)
                    + (select count(*) from place_claim p where p.facility_id = $1 and p.state in ('standing') and p.client_id <> $2
                       and not exists (select 1 from stay o where o.client_id = p.client_id and o.state in ('open'))) as n";
    tx.row(sql, args![id.0, but]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// A facility as the list shows it.
pub struct Listed {
    /// Its id.
    pub id: FacilityId,
    /// Its version.
    pub version: i64,
    /// Its data.
    pub facility: Facility,
    /// Places taken.
    pub occupied: i32,
}

/// Facilities after `after` by id; secret ones only for their own organisation (R-REG-18).
pub async fn list(tx: &mut Tx, municipality: &str, for_whom: &str, after: &str, limit: i64) -> Result<Vec<Listed>> {
    let sql = "select f.facility_id, f.version, f.organisation, f.municipality, f.name, f.kind, f.audience, f.provision, f.opened_on,
                      (select count(*) from stay s where s.facility_id = f.facility_id and s.state = 'open' and s.departed_on is null)
                    + (select count(*) from place_claim p where p.facility_id = f.facility_id and p.state in ('standing')
                       and not exists (select 1 from stay o where o.client_id = p.client_id and o.state in ('open'))) as occupied
               from facility f
               where ($1 = '' or f.municipality = $1) and (f.kind <> 'womens_shelter' or f.organisation = $2) and f.facility_id > $3
               order by f.facility_id limit $4";
    let rows = tx.rows(sql, args![municipality, for_whom, after, limit]).await?;
    let sql = "select c.facility_id, c.from_on, c.places, c.reserve from capacity c join facility f on f.facility_id = c.facility_id
               where ($1 = '' or f.municipality = $1) order by c.facility_id, c.change_no";
    let mut capacities: BTreeMap<FacilityId, Vec<Capacity>> = BTreeMap::new();
    for row in tx.rows(sql, args![municipality]).await? {
        capacities.entry(row.id("facility_id")?).or_default().push(read_capacity(&row)?);
    }
    let listed = |row: &Row| {
        let id: FacilityId = row.id("facility_id")?;
        let (mut facility, version) = read(row)?;
        facility.capacities = capacities.remove(&id).unwrap_or_default();
        Ok(Listed { id, version, facility, occupied: row.get("occupied")? })
    };
    rows.iter().map(listed).collect()
}

/// The facilities of a municipality as places for a client; none where one is from whom the client is kept apart.
pub async fn candidates(tx: &mut Tx, municipality: &Municipality, client: ClientId) -> Result<Vec<Candidate>> {
    // For nobody: secret facilities are never candidates.
    let facilities = list(tx, municipality.as_str(), "", "", 1000).await?;
    let sql = "select distinct f.organisation from stay s join facility f on f.facility_id = s.facility_id where s.client_id = $1";
    let rows = tx.rows(sql, args![client]).await?;
    let known: Vec<Organisation> = rows.iter().map(|row| row.get("organisation")).collect::<Result<_>>()?;
    let not_here = super::separation::not_here(tx, client).await?;
    let candidate = |listed: Listed| Candidate {
        kept_apart: not_here.contains(&listed.id),
        knows_client: known.contains(&listed.facility.organisation),
        id: listed.id,
        facility: listed.facility,
        occupied: listed.occupied,
    };
    Ok(facilities.into_iter().map(candidate).collect())
}

/// Whether a granted decision for a client holds on a day.
pub async fn decision_in_force(tx: &mut Tx, client: ClientId, on: Date) -> Result<bool> {
    let sql = "select 1 as one from decision where client_id = $1 and starts_on <= $2 and ends_on >= $2 limit 1";
    Ok(tx.row(sql, args![client, on]).await?.is_some())
}
