//! What the outside may know of what happened: domain events to messages on the feed, and to whom each is addressed.
//!
//! A corporation hears of its own dwellings, offers and allocations only, and never why a client declined (R-HOU-22,
//! R-HOU-29). From the allocation on, everybody with a relation to the client is told, corporations excepted (R-HOU-16).

use crate::domain::allocation::{self, Allocation};
use crate::domain::contingent::{self, Contingent};
use crate::domain::dwelling::Dwelling;
use crate::domain::nomination::Nomination;
use crate::domain::offer::{self, Offer};
use crate::grpc::wire::Wire;
use crate::store;
use chassis::{Apart, Result, Work};
use kernel::{ClientId, Organisation};
use proto::from_date;
use proto::housing::v1 as pb;

pub async fn contingent_agreed(work: &mut Work, contingent: &Contingent) -> Result<()> {
    let event = pb::ContingentAgreed {
        contingent_id: contingent.id.to_string(),
        corporation: contingent.corporation.to_string(),
        municipality: contingent.municipality.to_string(),
        year: contingent.year.into(),
        target_group: contingent.group.to_wire(),
        places: contingent.places as i32,
    };
    work.publish(None, std::slice::from_ref(&contingent.corporation), &event).await
}

/// Drawing, freeing and realising are told by the allocation's own events.
pub async fn contingent(work: &mut Work, after: &Contingent, event: &contingent::Event) -> Result<()> {
    let contingent::Event::Changed { places, reason } = event else { return Ok(()) };
    let event = pb::ContingentChanged {
        contingent_id: after.id.to_string(),
        corporation: after.corporation.to_string(),
        places: *places as i32,
        reason: reason.to_wire(),
    };
    work.publish(None, std::slice::from_ref(&after.corporation), &event).await
}

pub async fn dwelling_registered(work: &mut Work, dwelling: &Dwelling) -> Result<()> {
    let event = pb::DwellingRegistered {
        dwelling_id: dwelling.id.to_string(),
        corporation: dwelling.corporation.to_string(),
        municipality: dwelling.municipality().to_string(),
        district: dwelling.district.to_string(),
        neighbourhood: dwelling.neighbourhood.clone(),
        rent_cents: dwelling.rent.0,
        available_on: Some(from_date(dwelling.available_on)),
        kind: dwelling.kind.to_wire(),
    };
    work.publish(None, std::slice::from_ref(&dwelling.corporation), &event).await
}

pub async fn dwelling_withdrawn(work: &mut Work, dwelling: &Dwelling) -> Result<()> {
    let event =
        pb::DwellingWithdrawn { dwelling_id: dwelling.id.to_string(), corporation: dwelling.corporation.to_string() };
    work.publish(None, std::slice::from_ref(&dwelling.corporation), &event).await
}

pub async fn nominated(work: &mut Work, one: &Nomination) -> Result<()> {
    let event = pb::Nominated {
        nomination_id: one.id.to_string(),
        client_id: one.client_id.to_string(),
        municipality: one.municipality.to_string(),
        nominated_by: one.nominated_by.to_string(),
        provider: one.provider.to_string(),
        target_group: one.group.to_wire(),
        guarantee_required: one.guarantee_required,
    };
    work.publish(Some(one.client_id), &[one.nominated_by.clone(), one.provider.clone()], &event).await
}

pub async fn nomination_withdrawn(work: &mut Work, one: &Nomination) -> Result<()> {
    let event = pb::NominationWithdrawn { nomination_id: one.id.to_string(), client_id: one.client_id.to_string() };
    work.publish(Some(one.client_id), &[one.nominated_by.clone(), one.provider.clone()], &event).await
}

pub async fn offer_made(work: &mut Work, offer: &Offer) -> Result<()> {
    let event = pb::OfferMade {
        offer_id: offer.id.to_string(),
        dwelling_id: offer.dwelling.to_string(),
        nomination_id: offer.nomination.to_string(),
        corporation: offer.corporation.to_string(),
        until: Some(from_date(offer.until)),
        deviates: offer.advice.deviation.is_some(),
    };
    let parties = parties(work, offer).await?;
    work.publish(Some(offer.client_id), &parties, &event).await
}

async fn parties(work: &mut Work, offer: &Offer) -> Result<Vec<Organisation>> {
    hearing(work, offer.client_id, &offer.corporation, &offer.provider).await
}

/// The corporation and the provider; of a shielded client, the corporation alone (R-REG-28).
async fn hearing(
    work: &mut Work,
    client: ClientId,
    corporation: &Organisation,
    provider: &Organisation,
) -> Result<Vec<Organisation>> {
    let shielded = work.is_shielded(client).await?;
    Ok(if shielded { vec![corporation.clone()] } else { vec![corporation.clone(), provider.clone()] })
}

fn answered(after: &Offer, by: pb::AnsweredBy, accepted: bool) -> pb::OfferAnswered {
    pb::OfferAnswered {
        offer_id: after.id.to_string(),
        nomination_id: after.nomination.to_string(),
        dwelling_id: after.dwelling.to_string(),
        by: by.into(),
        accepted,
        counts: offer::counts(after.state),
        ..Default::default()
    }
}

/// `after` is the offer with all its events applied.
pub async fn offer(work: &mut Work, after: &Offer, event: &offer::Event) -> Result<()> {
    use pb::AnsweredBy::{Client, Corporation};
    let client = Some(after.client_id);
    let (offer_id, dwelling_id) = (after.id.to_string(), after.dwelling.to_string());
    let nomination_id = after.nomination.to_string();
    match event {
        offer::Event::ClientAccepted => work.publish(client, &[], &answered(after, Client, true)).await,
        offer::Event::CorporationAccepted { .. } => {
            work.publish(client, &[], &answered(after, Corporation, true)).await
        }
        // Told by `allocation_accepted`.
        offer::Event::AcceptedByAll => Ok(()),
        offer::Event::Declined { reason } => {
            // Why goes to the services only; the corporation hears that its candidate is gone (R-HOU-22).
            let why = pb::OfferAnswered { decline_reason: reason.to_wire(), ..answered(after, Client, false) };
            work.publish(client, &[], &why).await?;
            let gone = pb::CandidateGone { offer_id, dwelling_id };
            work.publish(client, std::slice::from_ref(&after.corporation), &gone).await
        }
        offer::Event::HealthJudged { .. } => {
            let event = pb::HealthGroundJudged { offer_id, counts: offer::counts(after.state) };
            work.publish(client, &[], &event).await
        }
        offer::Event::Refused { reason } => {
            let event = pb::OfferAnswered { refusal_reason: reason.to_wire(), ..answered(after, Corporation, false) };
            work.publish(client, &[], &event).await
        }
        offer::Event::Withdrawn => {
            let event = pb::OfferWithdrawn { offer_id, dwelling_id, nomination_id };
            let parties = parties(work, after).await?;
            work.publish(client, &parties, &event).await
        }
        offer::Event::Superseded { .. } => {
            let event = pb::OfferSuperseded { offer_id, dwelling_id, nomination_id };
            let parties = parties(work, after).await?;
            work.publish(client, &parties, &event).await
        }
        offer::Event::EndingSoon { waits_for_client, waits_for_corporation } => {
            let event = pb::OfferEndingSoon {
                offer_id,
                dwelling_id,
                until: Some(from_date(after.until)),
                corporation: after.corporation.to_string(),
                waits_for_client: *waits_for_client,
                waits_for_corporation: *waits_for_corporation,
                provider: after.provider.to_string(),
            };
            let parties = parties(work, after).await?;
            work.publish(client, &parties, &event).await
        }
        offer::Event::Lapsed => {
            let event = pb::OfferLapsed { offer_id, dwelling_id, nomination_id };
            let parties = parties(work, after).await?;
            work.publish(client, &parties, &event).await
        }
    }
}

pub async fn allocation_accepted(work: &mut Work, one: &Allocation, dwelling: &Dwelling) -> Result<()> {
    let event = pb::AllocationAccepted {
        allocation_id: one.id.to_string(),
        offer_id: one.offer.to_string(),
        nomination_id: one.nomination.to_string(),
        dwelling_id: one.dwelling.to_string(),
        client_id: one.client_id.to_string(),
        corporation: one.corporation.to_string(),
        provider: one.provider.to_string(),
        municipality: one.municipality.to_string(),
        district: dwelling.district.to_string(),
        lease_start_on: Some(from_date(one.lease_start_on)),
        rent_cents: one.rent.0,
        guarantee_required: one.guarantee_required,
        neighbourhood: dwelling.neighbourhood.clone(),
        contingent_id: one.contingent.to_string(),
        kind: dwelling.kind.to_wire(),
    };
    let concerned = concerned(work, one).await?;
    work.publish(Some(one.client_id), &concerned, &event).await
}

pub async fn allocation(work: &mut Work, after: &Allocation, event: &allocation::Event) -> Result<()> {
    let client = Some(after.client_id);
    let allocation_id = after.id.to_string();
    let lease_start_on = Some(from_date(after.lease_start_on));
    match event {
        allocation::Event::AgreementDrafted { .. } | allocation::Event::Signed { .. } => Ok(()),
        allocation::Event::AgreementSigned { agreement } => {
            let event = pb::AgreementSigned { agreement_id: agreement.to_string(), allocation_id };
            let hearing = hearing(work, after.client_id, &after.corporation, &after.provider).await?;
            work.publish(client, &hearing, &event).await
        }
        allocation::Event::GateOpened { ground } => {
            work.publish(client, &[], &pb::GateOpened { allocation_id, ground: ground.to_wire() }).await
        }
        allocation::Event::GateShut => work.publish(client, &[], &pb::GateShut { allocation_id }).await,
        allocation::Event::LeaseSigned => {
            let concerned = concerned(work, after).await?;
            work.publish(client, &concerned, &pb::LeaseSigned { allocation_id, lease_start_on }).await
        }
        allocation::Event::KeysHandedOver { on } => {
            let concerned = concerned(work, after).await?;
            let event = pb::KeysHandedOver { allocation_id, on: Some(from_date(*on)) };
            work.publish_on(*on, client, &concerned, &event).await
        }
        allocation::Event::Withdrawn { reason } => {
            let concerned = concerned(work, after).await?;
            let event = pb::AllocationWithdrawn {
                allocation_id,
                reason: reason.to_wire(),
                nomination_id: after.nomination.to_string(),
                dwelling_id: after.dwelling.to_string(),
            };
            work.publish(client, &concerned, &event).await
        }
        allocation::Event::LeaseEnded { reason, on } => {
            let concerned = concerned(work, after).await?;
            let event = pb::LeaseEnded { allocation_id, reason: reason.to_wire(), on: Some(from_date(*on)) };
            work.publish(client, &concerned, &event).await
        }
    }
}

/// Whom an allocation concerns: its corporation, its provider, and who has a relation to the client and is no other
/// corporation; of a shielded client, the corporation alone (R-REG-28). What each may receive follows from its role.
async fn concerned(work: &mut Work, one: &Allocation) -> Result<Vec<Organisation>> {
    if work.is_shielded(one.client_id).await? {
        return Ok(vec![one.corporation.clone()]);
    }
    let mut all = store::related(work, one.client_id).await?;
    all.extend([one.corporation.clone(), one.provider.clone()]);
    all.sort();
    all.dedup();
    Ok(all)
}

/// About no client: not even the envelope names one.
pub async fn separated_in_one_neighbourhood(work: &mut Work, apart: &Apart) -> Result<()> {
    let event = pb::SeparatedInOneNeighbourhood { separation_id: apart.separation.to_string() };
    work.publish(None, &[], &event).await
}
