//! Stays: admission with all that it uses up, departure, and the alert of a long stay.

use super::{Seen, clear_wakes, facility, place_claim, set_wakes, waiting_list};
use crate::domain::codes::{ClaimReleaseReason, PlaceLevel, WaitingLeaveReason};
use crate::domain::facility::{Candidate, Facility};
use crate::domain::place_claim::Command as OfClaim;
use crate::domain::stay::{self, Admission, Command, Event, Grounds, Outcome, Stay};
use crate::domain::{ClaimId, Due, EntryId, FacilityId, NotificationId, StayId};
use crate::{Access, events, store};
use ::store::Relation;
use chassis::{Error, Result, Work};
use kernel::{ClientId, Date, Role};
use uuid::Uuid;

/// What is asked when somebody is to be admitted.
pub struct Wish {
    /// Who.
    pub client: ClientId,
    /// Where.
    pub facility: FacilityId,
    /// On which notification, if on one.
    pub notification: Option<NotificationId>,
    /// On which claimed place, if on one.
    pub claim: Option<ClaimId>,
    /// Since when.
    pub on: Date,
}

/// What an admission led to.
pub enum Given {
    /// A place: the stay, its version, on what capacity.
    Place(StayId, i64, PlaceLevel),
    /// Another facility that has room, and the entry on the waiting list here.
    Alternative(FacilityId, EntryId),
}

/// Gives a client a place (R-ACC-24). The waiting-list entry and the claim go with it.
pub async fn admit(access: &Access, work: &mut Work, wish: Wish) -> Result<Given> {
    let (place, _) = facility::known(work, wish.facility).await?;
    work.permit("facility", Some(wish.client), &[&place.organisation]).await?;
    let (client, _) = store::client::load(work, wish.client).await?.ok_or_else(|| Work::unknown("client"))?;
    let notification = match wish.notification {
        Some(id) => {
            Some((id, store::notification::load(work, id).await?.ok_or_else(|| Work::unknown("notification"))?.0))
        }
        None => None,
    };
    let claim = store::place_claim::standing(work, wish.client).await?;
    // What belongs to another client is as unknown as what is not there.
    if notification.as_ref().is_some_and(|(_, n)| n.client_id != wish.client) {
        return Err(Work::unknown("notification"));
    }
    let running = store::stay::running(work, wish.client).await?;
    let other_claim = wish.claim.is_some() && wish.claim != claim.as_ref().map(|(id, _)| *id);
    // A repeat names the claim that became the running stay.
    if other_claim && running.is_none() {
        return Err(Work::unknown("claim"));
    }
    let grounds = Grounds {
        notification: notification.as_ref().map(|(id, n)| (*id, n)),
        decision_in_force: store::facility::decision_in_force(work, wish.client, wish.on).await?,
        claimed: claim.is_some(),
        by_access: work.acts_as(Role::Access),
    };
    let others = others(work, &place, wish.facility, wish.client).await?;
    let not_here = store::separation::not_here(work, wish.client).await?;
    let admission = Admission {
        client_id: wish.client,
        life: client.life(),
        facility_id: wish.facility,
        facility: &place,
        occupied: store::facility::occupied(work, wish.facility, wish.client).await?,
        admitted_on: wish.on,
        running: running.as_ref().map(|(_, (stay, _))| stay),
        others: &others,
        kept_apart: not_here.contains(&wish.facility),
    };
    let policy = access.policy(&place.municipality, work.now);
    let events = stay::admit(admission, grounds, policy, work.now)?;
    let mut given = running.map(|(id, (stay, version))| Given::Place(id, version, stay.level));
    for event in &events {
        match event {
            Event::Admitted(stay) => given = Some(begin(access, work, &place, stay, event).await?),
            Event::AlternativeGiven(there) => {
                let (entry, _) = waiting_list::put(access, work, wish.client, wish.facility, work.now.date).await?;
                given = Some(Given::Alternative(*there, entry));
            }
            Event::CapacityReached { occupied, places, alternative } => {
                let taken = (*occupied, *places);
                events::capacity_reached(work, wish.client, wish.facility, &place, taken, *alternative).await?;
            }
            _ => {}
        }
    }
    given.ok_or_else(|| Work::unknown("stay"))
}

async fn others(work: &mut Work, place: &Facility, but: FacilityId, client: ClientId) -> Result<Vec<Candidate>> {
    let mut all = store::facility::candidates(work, &place.municipality, client).await?;
    all.retain(|candidate| candidate.id != but);
    Ok(all)
}

async fn begin(access: &Access, work: &mut Work, place: &Facility, stay: &Stay, event: &Event) -> Result<Given> {
    let (id, client) = (StayId(Uuid::now_v7()), stay.client_id);
    let once = |e: Error| e.on_unique("stay_one_open_per_client", "stay.client_id", &stay::STAY_OPEN);
    store::stay::save(work, id, stay, 1).await.map_err(once)?;
    let now = work.now.at;
    let relation =
        Relation { relation_id: id.0, client, organisation: &place.organisation, person: None, kind: "stay" };
    work.grant(&relation, now).await?;
    events::stay(work, id, stay, place, event, None).await?;
    set_wakes(work, id.0, client, stay.wakes(place, access.policy(&place.municipality, work.now))).await?;
    if let Some((entry, _)) = store::waiting_list::standing(work, client, stay.facility_id).await? {
        waiting_list::leave(work, entry, None, WaitingLeaveReason::Admitted).await?;
    }
    if let Some((claim, _)) = store::place_claim::standing(work, client).await? {
        place_claim::change(work, claim, None, OfClaim::Release(ClaimReleaseReason::Admitted), Some(id)).await?;
    }
    Ok(Given::Place(id, 1, stay.level))
}

/// Carries out what is asked of a stay; returns its version.
pub async fn change(
    access: &Access,
    work: &mut Work,
    id: StayId,
    found: store::Versioned<Stay>,
    command: Command,
) -> Result<store::Versioned<Stay>> {
    let (stay, version) = found;
    let (place, _) = facility::find(work, stay.facility_id).await?;
    let policy = access.policy(&place.municipality, work.now);
    let events = stay::decide(&stay, &command, policy, work.now)?;
    let after = events.iter().fold(stay.clone(), stay::apply);
    let version = if after == stay { version } else { version + 1 };
    if after != stay {
        store::stay::save(work, id, &after, version).await?;
    }
    for event in &events {
        events::stay(work, id, &after, &place, event, after.target_on(&place, policy)).await?;
    }
    if after.departure.is_some() && stay.departure.is_none() {
        let now = work.now.at;
        work.end_relation(id.0, now).await?;
        clear_wakes(work, id.0, &[Due::StayTarget]).await?;
    }
    Ok((after, version))
}

/// Ends a stay; returns the version and the nights slept.
pub async fn depart(
    access: &Access,
    work: &mut Work,
    id: StayId,
    seen: Seen,
    on: Date,
    outcome: Outcome,
) -> Result<(i64, i32)> {
    let (stay, version) = store::stay::load(work, id).await?.ok_or_else(|| Work::unknown("stay"))?;
    if let Some(seen) = seen {
        let (place, _) = facility::find(work, stay.facility_id).await?;
        work.permit("stay", Some(stay.client_id), &[&place.organisation]).await?;
        work.expect_version(seen, version)?;
    }
    let (nights_used, last_used) = store::nights::used(work, id).await?;
    let command = Command::Depart { on, outcome, nights_used, last_used };
    let (after, version) = change(access, work, id, (stay, version), command).await?;
    Ok((version, after.departure.map_or(nights_used, |d| d.nights_used)))
}

/// Something of a stay is due.
pub async fn wake(access: &Access, work: &mut Work, id: StayId, due: Due) -> Result<()> {
    let found = store::stay::load(work, id).await?.ok_or_else(|| Work::unknown("stay"))?;
    change(access, work, id, found, Command::Wake(due)).await?;
    Ok(())
}
