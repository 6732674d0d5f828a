//! What each audience gets to see. What a corporation can receive has no reason of a decline, no ranking and no ground of
//! the gate.

use super::wire::{Wire, allocation_state, nomination_state, offer_state, or_unspecified};
use crate::domain::agreement::Agreement;
use crate::domain::allocation::{Allocation, Gate, State};
use crate::domain::contingent::Contingent;
use crate::domain::dwelling::Address;
use crate::domain::nomination::{self, Nomination, Readiness};
use crate::domain::offer::{self, Offer};
use crate::domain::ranking::Scored;
use crate::domain::suitable::rent_allowance;
use crate::domain::{AllocationId, Party};
use crate::store::dwelling::Standing;
use kernel::{Cents, Timestamp};
use proto::from_date;
use proto::housing::v1 as pb;

pub fn contingent(one: &Contingent, version: i64) -> pb::Contingent {
    pb::Contingent {
        contingent_id: one.id.to_string(),
        corporation: one.corporation.to_string(),
        municipality: one.municipality.to_string(),
        year: one.year.into(),
        target_group: one.group.to_wire(),
        places: one.places as i32,
        drawn: one.drawn as i32,
        realised: one.realised as i32,
        version,
    }
}

pub fn dwelling(standing: &Standing) -> pb::Dwelling {
    let one = &standing.dwelling;
    pb::Dwelling {
        dwelling_id: one.id.to_string(),
        corporation: one.corporation.to_string(),
        unit_number: one.unit_number.clone(),
        municipality: one.municipality().to_string(),
        district: one.district.to_string(),
        neighbourhood: one.neighbourhood.clone(),
        kind: one.kind.to_wire(),
        contract_form: one.form.to_wire(),
        rent_cents: one.rent.0,
        floor_area_m2: one.floor_area_m2 as i32,
        rooms: one.rooms as i32,
        max_persons: one.max_persons as i32,
        available_on: Some(from_date(one.available_on)),
        state: standing.state.to_wire(),
        version: standing.version,
    }
}

pub fn address(one: &Address) -> pb::Address {
    pb::Address {
        street: one.street.clone(),
        house_number: one.house_number.clone(),
        postcode: one.postcode.clone(),
        town: one.town.clone(),
    }
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn wishes(one: &nomination::Wishes) -> pb::Wishes {
    pb::Wishes {
        wished_districts: texts(&one.wished),
        network_districts: texts(&one.network),
        school_districts: texts(&one.school),
        work_districts: texts(&one.work),
        origin_municipality: one.origin.as_ref().map(ToString::to_string).unwrap_or_default(),
        other_municipalities: texts(&one.elsewhere),
        excluded_districts: texts(&one.excluded),
        kinds: one.kinds.iter().map(|kind| kind.to_wire()).collect(),
        contract_forms: one.forms.iter().map(|form| form.to_wire()).collect(),
        max_rent_cents: one.max_rent.map_or(0, |Cents(cents)| cents),
        min_rooms: one.min_rooms as i32,
    }
}

pub fn nomination(one: &Nomination, version: i64, offers: &[offer::State]) -> pb::Nomination {
    let allocation = match one.state {
        nomination::State::Allocated { allocation } | nomination::State::Housed { allocation } => Some(allocation),
        nomination::State::InPool | nomination::State::Withdrawn => None,
    };
    pb::Nomination {
        nomination_id: one.id.to_string(),
        client_id: one.client_id.to_string(),
        municipality: one.municipality.to_string(),
        target_group: one.group.to_wire(),
        nominated_by: one.nominated_by.to_string(),
        provider: one.provider.to_string(),
        nominated_on: Some(from_date(one.nominated_on)),
        adults: one.household.adults as i32,
        children: one.household.children as i32,
        guarantee_required: one.guarantee_required,
        wishes: Some(wishes(&one.wishes)),
        declined_offers: offers.iter().filter(|state| offer::counts(**state)).count() as i32,
        allocation_id: id(allocation),
        state: nomination_state(one.state.name()),
        version,
    }
}

/// The id of an allocation, or nothing.
pub fn id(allocation: Option<AllocationId>) -> String {
    allocation.map(|id| id.to_string()).unwrap_or_default()
}

pub fn parts(all: &[Scored]) -> Vec<pb::ScoredPart> {
    all.iter().map(|scored| pb::ScoredPart { part: scored.part.to_wire(), points: scored.points }).collect()
}

/// An offer; without a home where that is secret (R-REG-18).
pub fn offer(one: &Offer, version: i64, home: Option<&Standing>, allocation: Option<AllocationId>) -> pb::Offer {
    let (client_accepted, corporation_accepted) = accepted(one.state);
    let (declined, refused) = match one.state {
        offer::State::Declined { reason, .. } => (Some(reason), None),
        offer::State::Refused { reason } => (None, Some(reason)),
        _ => (None, None),
    };
    pb::Offer {
        offer_id: one.id.to_string(),
        client_id: one.client_id.to_string(),
        nomination_id: one.nomination.to_string(),
        dwelling: home.map(dwelling),
        address: home.map(|home| address(&home.dwelling.address)),
        secret: home.is_none(),
        lease_start_on: Some(from_date(one.lease_start_on)),
        until: Some(from_date(one.until)),
        offered_on: Some(from_date(one.offered_on)),
        state: offer_state(one.state.name()),
        client_accepted,
        corporation_accepted,
        decline_reason: or_unspecified(declined),
        decline_counts: offer::counts(one.state),
        refusal_reason: or_unspecified(refused),
        rent_allowance_gap_days: rent_allowance(one.lease_start_on).gap_days,
        score: parts(&one.advice.parts),
        rank: one.advice.rank.unwrap_or_default() as i32,
        deviation_reason: or_unspecified(one.advice.deviation),
        allocation_id: id(allocation),
        version,
        safe_contact: None,
    }
}

fn accepted(state: offer::State) -> (bool, bool) {
    match state {
        offer::State::Open { client, corporation } => (client, corporation),
        offer::State::Accepted => (true, true),
        _ => (false, false),
    }
}

pub fn offer_for_corporation(
    one: &Offer,
    version: i64,
    home: &Standing,
    readiness: Option<&Readiness>,
    allocation: Option<AllocationId>,
) -> pb::OfferForCorporation {
    let (client_accepted, corporation_accepted) = accepted(one.state);
    let ready = readiness.filter(|readiness| readiness.ready);
    pb::OfferForCorporation {
        offer_id: one.id.to_string(),
        dwelling_id: one.dwelling.to_string(),
        unit_number: home.dwelling.unit_number.clone(),
        lease_start_on: Some(from_date(one.lease_start_on)),
        until: Some(from_date(one.until)),
        state: offer_state(one.state.name()),
        corporation_accepted,
        client_accepted,
        adults: one.household.adults as i32,
        children: one.household.children as i32,
        ready: ready.is_some(),
        ready_since: ready.map(|readiness| from_date(readiness.since)),
        guidance_by: one.provider.to_string(),
        guarantee_required: one.guarantee_required,
        allocation_id: id(allocation),
        version,
    }
}

fn agreement(one: &Agreement) -> pb::Agreement {
    let capacities = |party: Party| {
        let own = one.signatories.iter().filter(|who| who.party == party);
        own.map(|who| who.capacity.to_wire()).collect()
    };
    let party = |party: Party| pb::AgreementParty { party: party.to_wire(), signatories: capacities(party) };
    pb::Agreement {
        agreement_id: one.id.to_string(),
        parties: [Party::Corporation, Party::Client, Party::Provider].map(party).into(),
        tenant: one.tenant.to_wire(),
        lease_months: one.lease_months.unwrap_or_default() as i32,
        temporary_ground: or_unspecified(one.temporary_ground),
        conversion_on: one.conversion_on.map(from_date),
        guidance_tied: one.guidance_tied,
        signatures: one
            .signatures
            .iter()
            .map(|signature| pb::Signature {
                party: signature.by.party.to_wire(),
                capacity: signature.by.capacity.to_wire(),
                signed_on: Some(from_date(signature.on)),
            })
            .collect(),
    }
}

fn gate_open(state: State) -> bool {
    match state {
        State::Accepted { gate } | State::AgreementSigned { gate } => gate != Gate::Shut,
        State::LeaseSigned | State::KeysHandedOver { .. } | State::Ended { .. } => true,
        State::Withdrawn { .. } => false,
    }
}

fn instant(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// An allocation; without a home where that is secret (R-REG-18).
pub fn allocation(one: &Allocation, version: i64, home: Option<&Standing>) -> pb::Allocation {
    let allowance = rent_allowance(one.lease_start_on);
    let (keys_on, ended_on) = match one.state {
        State::KeysHandedOver { on } => (Some(on), None),
        State::Ended { keys_on, on, .. } => (Some(keys_on), Some(on)),
        _ => (None, None),
    };
    pb::Allocation {
        allocation_id: one.id.to_string(),
        client_id: one.client_id.to_string(),
        offer_id: one.offer.to_string(),
        dwelling: home.map(dwelling),
        address: home.map(|home| address(&home.dwelling.address)),
        secret: home.is_none(),
        contingent_id: one.contingent.to_string(),
        lease_start_on: Some(from_date(one.lease_start_on)),
        rent_cents: one.rent.0,
        state: allocation_state(one.state.name()),
        gate_open: gate_open(one.state),
        agreement: one.agreement.as_ref().map(agreement),
        rent_allowance_from: Some(from_date(allowance.from)),
        rent_allowance_gap_days: allowance.gap_days,
        keys_on: keys_on.map(from_date),
        ended_on: ended_on.map(from_date),
        accepted_at: Some(instant(one.accepted_at)),
        version,
        safe_contact: None,
    }
}

pub fn allocation_for_corporation(one: &Allocation, version: i64, home: &Standing) -> pb::AllocationForCorporation {
    pb::AllocationForCorporation {
        allocation_id: one.id.to_string(),
        client_id: one.client_id.to_string(),
        offer_id: one.offer.to_string(),
        dwelling: Some(dwelling(home)),
        lease_start_on: Some(from_date(one.lease_start_on)),
        rent_cents: one.rent.0,
        state: allocation_state(one.state.name()),
        may_sign: gate_open(one.state),
        agreement: one.agreement.as_ref().map(agreement),
        guidance_by: one.provider.to_string(),
        guarantee_required: one.guarantee_required,
        rent_allowance_gap_days: rent_allowance(one.lease_start_on).gap_days,
        version,
        safe_contact: None,
    }
}

pub fn move_for_income(one: &Allocation) -> pb::GetMoveForIncomeResponse {
    pb::GetMoveForIncomeResponse {
        allocation_id: one.id.to_string(),
        lease_start_on: Some(from_date(one.lease_start_on)),
        rent_cents: one.rent.0,
        municipality: one.municipality.to_string(),
        fallen: !one.state.live(),
    }
}

/// A move; without an address where that is secret (R-REG-18).
pub fn move_for_district(one: &Allocation, home: Option<&Standing>) -> pb::GetMoveForDistrictResponse {
    let move_on = match one.state {
        State::KeysHandedOver { on } | State::Ended { keys_on: on, .. } => on,
        _ => one.lease_start_on,
    };
    pb::GetMoveForDistrictResponse {
        allocation_id: one.id.to_string(),
        address: home.map(|home| address(&home.dwelling.address)),
        district: home.map_or(String::new(), |home| home.dwelling.district.to_string()),
        secret: home.is_none(),
        move_on: Some(from_date(move_on)),
        fallen: !one.state.live(),
        safe_contact: None,
    }
}
