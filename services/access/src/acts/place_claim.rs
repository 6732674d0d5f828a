//! Claimed places (P6).

use super::{Seen, clear_wakes, facility, set_wakes};
use crate::domain::place_claim::{self, Claim, Command, Event, Need};
use crate::domain::{ClaimId, Due, StayId};
use crate::{Access, events, store};
use ::store::Relation;
use chassis::{Result, Work};
use kernel::{ClientId, Municipality};
use uuid::Uuid;

/// Claims a place for a client; the claim that answered the signal, or that stands, is the answer to a repeat.
pub async fn claim(
    access: &Access,
    work: &mut Work,
    client: ClientId,
    signal: Uuid,
    municipality: &Municipality,
    without_procedure: bool,
) -> Result<(ClaimId, Claim, i64)> {
    let (known, _) = super::client::permitted(work, client).await?;
    let of_signal = store::place_claim::by_signal(work, signal).await?;
    // A signal about somebody else says nothing about this client.
    if of_signal.as_ref().is_some_and(|(_, (claim, _))| claim.client_id != client) {
        return Err(Work::unknown("signal"));
    }
    let answered = match of_signal {
        Some(found) => Some(found),
        None => store::place_claim::standing(work, client).await?,
    };
    let stays_at = store::stay::running(work, client).await?.map(|(_, (stay, _))| stay.facility_id);
    let candidates = store::facility::candidates(work, municipality, client).await?;
    let need = Need {
        client_id: client,
        life: known.life(),
        signal_id: signal,
        municipality: municipality.as_str(),
        without_procedure,
        stays_at,
        answered: answered.is_some(),
    };
    let events = place_claim::claim(need, &candidates, access.policy(municipality, work.now), work.now)?;
    match (events.first(), answered) {
        (Some(event @ Event::Claimed(claim)), _) => {
            let id = ClaimId(Uuid::now_v7());
            store::place_claim::save(work, id, claim, 1).await?;
            let (place, _) = facility::find(work, claim.facility_id).await?;
            let now = work.now.at;
            let relation =
                Relation { relation_id: id.0, client, organisation: &place.organisation, person: None, kind: "claim" };
            work.grant(&relation, now).await?;
            events::claim(work, id, claim, &place, event, None).await?;
            set_wakes(work, id.0, client, claim.wakes()).await?;
            Ok((id, claim.clone(), 1))
        }
        (_, Some((id, (claim, version)))) => Ok((id, claim, version)),
        (_, None) => Err(Work::unknown("claim")),
    }
}

/// Carries out what is asked of a claim; `became` is the stay that it became.
pub async fn change(work: &mut Work, id: ClaimId, seen: Seen, command: Command, became: Option<StayId>) -> Result<i64> {
    let (claim, version) = store::place_claim::load(work, id).await?.ok_or_else(|| Work::unknown("claim"))?;
    let (place, _) = facility::find(work, claim.facility_id).await?;
    if let Some(seen) = seen {
        work.permit("claim", Some(claim.client_id), &[&place.organisation]).await?;
        work.expect_version(seen, version)?;
    }
    let events = place_claim::decide(&claim, &command, work.now);
    let after = events.iter().fold(claim.clone(), place_claim::apply);
    let version = if after == claim { version } else { version + 1 };
    if after != claim {
        store::place_claim::save(work, id, &after, version).await?;
    }
    for event in &events {
        events::claim(work, id, &after, &place, event, became).await?;
    }
    if after.released.is_some() && claim.released.is_none() {
        let now = work.now.at;
        work.end_relation(id.0, now).await?;
        clear_wakes(work, id.0, &[Due::ClaimSoon, Due::ClaimOver]).await?;
    }
    Ok(version)
}
