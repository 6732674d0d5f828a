//! Dwellings. Whether one is allocated is read from the live allocation, the only place where that is known (P1).

use super::code;
use crate::domain::dwelling::{Address, DWELLING_REGISTERED_ALREADY, Dwelling, State};
use crate::domain::{Code, DwellingId, DwellingState, NominationId};
use chassis::{Error, Page, Result, Row, Work, args};
use kernel::Organisation;
use store::KeyOf;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select * from (select dwelling_id, corporation, bag_object_id, unit_suffix, unit_number, address, municipality,
                 district, neighbourhood, kind, form, rent_cents, floor_area_m2, rooms, max_persons, available_on, version,
                 case when state = 'withdrawn' then 'withdrawn'
                      when exists (select 1 as one from allocation a where a.dwelling_id = dwelling.dwelling_id
                          and a.state in ('accepted', 'agreement_signed', 'lease_signed', 'keys_handed_over')) then 'allocated'
                      else 'available' end as standing
             from dwelling) d ",
            $rest
        )
    };
}

/// A dwelling as it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The dwelling.
    pub dwelling: Dwelling,
    /// Where it is, allocations looked at.
    pub state: DwellingState,
    /// Its version.
    pub version: i64,
}

impl Standing {
    /// Whether an allocation of it is alive.
    pub fn allocated(&self) -> bool {
        self.state == DwellingState::Allocated
    }
}

async fn read(work: &Work, row: &Row) -> Result<Standing> {
    let id: DwellingId = row.id("dwelling_id")?;
    let address: Vec<u8> = row.get("address")?;
    let address = work.sealer().open(KeyOf::SERVICE, "dwelling.address", id, &address).await?.text()?;
    let address: Address = serde_json::from_str(&address).map_err(|e| Error::inconsistent("dwelling", "address", e))?;
    let state: DwellingState = code(row, "standing")?;
    let dwelling = Dwelling {
        id,
        corporation: row.get("corporation")?,
        bag_object_id: row.get("bag_object_id")?,
        unit_suffix: row.get("unit_suffix")?,
        unit_number: row.get("unit_number")?,
        address,
        district: row.get("district")?,
        neighbourhood: row.get("neighbourhood")?,
        kind: code(row, "kind")?,
        form: code(row, "form")?,
        rent: row.get("rent_cents")?,
        floor_area_m2: row.get("floor_area_m2")?,
        rooms: row.get("rooms")?,
        max_persons: row.get("max_persons")?,
        available_on: row.get("available_on")?,
        state: if state == DwellingState::Withdrawn { State::Withdrawn } else { State::Registered },
    };
    Ok(Standing { dwelling, state, version: row.get("version")? })
}

/// One dwelling.
pub async fn load(work: &mut Work, id: DwellingId) -> Result<Option<Standing>> {
    let row = work.row(select!("where dwelling_id = $1"), args![id.0]).await?;
    match row {
        Some(row) => Ok(Some(read(work, &row).await?)),
        None => Ok(None),
    }
}

/// The dwelling that another row refers to.
pub async fn referred(work: &mut Work, id: DwellingId) -> Result<Standing> {
    load(work, id).await?.ok_or_else(|| Error::inconsistent("dwelling", "dwelling_id", "gone"))
}

/// A page of dwellings by the day on which they become available; of one corporation, or of all.
pub async fn list(
    work: &mut Work,
    corporation: Option<&Organisation>,
    state: Option<DwellingState>,
    municipality: &str,
    page: &Page,
) -> Result<(Vec<Standing>, String)> {
    let sql = select!(
        "where ($1 = '' or corporation = $1) and ($2 = '' or standing = $2) and ($3 = '' or municipality = $3)
         and (available_on, dwelling_id) > ($4, $5)
         order by available_on, dwelling_id limit $6"
    );
    let corporation = corporation.map_or("", Organisation::as_str);
    let state = state.map_or("", Code::as_str);
    let rows =
        work.rows(sql, args![corporation, state, municipality, page.text(0), page.text(1), page.limit + 1]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(read(work, row).await?);
    }
    let next = page.cut(&mut found, |one| vec![one.dwelling.available_on.to_string(), one.dwelling.id.to_string()]);
    Ok((found, next))
}

/// A new dwelling.
pub async fn insert(work: &mut Work, dwelling: &Dwelling) -> Result<()> {
    let address = store::json(&dwelling.address);
    let address = work.sealer().seal(KeyOf::SERVICE, "dwelling.address", dwelling.id, &address).await?;
    work.run(
        "insert into dwelling (dwelling_id, corporation, bag_object_id, unit_suffix, unit_number, address, municipality,
             district, neighbourhood, kind, form, rent_cents, floor_area_m2, rooms, max_persons, available_on, state, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'registered', 1)",
        args![
            dwelling.id.0,
            &dwelling.corporation,
            &dwelling.bag_object_id,
            &dwelling.unit_suffix,
            &dwelling.unit_number,
            address,
            &dwelling.municipality(),
            &dwelling.district,
            &dwelling.neighbourhood,
            dwelling.kind.as_str(),
            dwelling.form.as_str(),
            dwelling.rent,
            dwelling.floor_area_m2,
            dwelling.rooms,
            dwelling.max_persons,
            dwelling.available_on
        ],
    )
    .await
    .map_err(|error| {
        let columns = "dwelling.bag_object_id, dwelling.unit_suffix";
        error.on_unique("dwelling_one_registration", columns, &DWELLING_REGISTERED_ALREADY)
    })?;
    Ok(())
}

/// Makes every other answer about this dwelling, or to this candidate, wait or run again: with the two rows held first
/// and in this order, no two answers can wait for each other's offers (P1).
pub async fn hold(work: &mut Work, dwelling: DwellingId, nomination: NominationId) -> Result<()> {
    work.keep("update dwelling set version = version where dwelling_id = $1", args![dwelling.0]).await?;
    work.keep("update nomination set version = version where nomination_id = $1", args![nomination.0]).await?;
    Ok(())
}

/// Takes a dwelling out of the pool.
pub async fn withdraw(work: &mut Work, id: DwellingId, version: i64) -> Result<()> {
    work.keep("update dwelling set state = 'withdrawn', version = $2 where dwelling_id = $1", args![id.0, version])
        .await?;
    Ok(())
}
