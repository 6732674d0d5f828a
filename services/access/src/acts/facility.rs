//! Facilities and their places.

use crate::domain::FacilityId;
use crate::domain::facility::{self, Capacity, Facility};
use crate::{events, store};
use chassis::{Result, Work};
use uuid::Uuid;

/// Adds a facility.
pub async fn register(work: &mut Work, facility: Facility) -> Result<FacilityId> {
    let id = FacilityId(Uuid::now_v7());
    let now = work.now.at;
    for event in facility::register(facility.clone(), work.now)? {
        store::facility::insert(work, id, &facility, now).await?;
        events::facility(work, id, &facility, &event).await?;
    }
    Ok(id)
}

/// A facility that there is.
pub async fn find(work: &mut Work, id: FacilityId) -> Result<store::Versioned<Facility>> {
    store::facility::load(work, id).await?.ok_or_else(|| Work::unknown("facility"))
}

/// The same for who names one: a secret one is there for its own organisation only, whoever else holds its id (R-REG-18).
pub async fn known(work: &mut Work, id: FacilityId) -> Result<store::Versioned<Facility>> {
    let found = find(work, id).await?;
    if found.0.shows_to(work.organisation(), false) { Ok(found) } else { Err(Work::unknown("facility")) }
}

/// A facility that the caller may have to do with.
pub async fn permitted(work: &mut Work, id: FacilityId) -> Result<store::Versioned<Facility>> {
    let (facility, version) = known(work, id).await?;
    work.permit("facility", None, &[&facility.organisation]).await?;
    Ok((facility, version))
}

/// Changes the number of places (R-ACC-24).
pub async fn change_capacity(work: &mut Work, id: FacilityId, seen: i64, new: Capacity) -> Result<i64> {
    let (facility, version) = permitted(work, id).await?;
    work.expect_version(seen, version)?;
    let events = facility::change_capacity(&facility, new, work.now)?;
    let (changes, now) = (facility.capacities.len(), work.now.at);
    let after = events.iter().fold(facility, facility::apply);
    for event in &events {
        store::facility::change(work, id, version + 1, changes, &new, now).await?;
        events::facility(work, id, &after, event).await?;
    }
    Ok(version + events.len() as i64)
}
