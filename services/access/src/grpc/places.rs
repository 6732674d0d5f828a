//! Facilities, waiting lists, stays, nights, claims.

use super::{facility as facility_id, views};
use crate::acts::stay::{Given, Wish};
use crate::acts::{facility, nights, place_claim, stay, waiting_list};
use crate::domain::codes::{ClaimReleaseReason, NightUse};
use crate::domain::facility::{Capacity, Facility};
use crate::domain::nights::Given as Bed;
use crate::domain::place_claim::Command;
use crate::domain::stay::Outcome;
use crate::domain::{ClaimId, EntryId, NotificationId, StayId, waiting_list as waiting};
use crate::words::{self, date, day_or_today, id_opt, instant, read, text, wire, word, word_opt};
use crate::{Access, acts, store};
use chassis::{Page, Result, Work};
use kernel::{ClientId, Municipality, Organisation, Refusal, Role, general};
use proto::access::v1 as pb;
use std::collections::BTreeSet;
use uuid::Uuid;

pub async fn register_facility(
    _: &Access,
    work: &mut Work,
    m: &pb::RegisterFacilityRequest,
) -> Result<pb::RegisterFacilityResponse> {
    let now = work.now;
    read! {
        organisation = Organisation::parse("organisation", &m.organisation);
        municipality = Municipality::parse("municipality", &m.municipality);
        kind = word("kind", m.kind);
        audience = word("audience", m.audience);
        provision = word("provision", m.provision);
        opened_on = day_or_today("opened_on", m.opened_on.as_ref(), now);
    }
    let capacities = vec![Capacity { from_on: opened_on, places: m.places, reserve: m.reserve }];
    let name = m.name.trim().to_owned();
    let facility = Facility { organisation, municipality, name, kind, audience, provision, opened_on, capacities };
    let id = facility::register(work, facility).await?;
    Ok(pb::RegisterFacilityResponse { facility_id: id.to_string(), version: 1 })
}

pub async fn change_capacity(
    _: &Access,
    work: &mut Work,
    m: &pb::ChangeCapacityRequest,
) -> Result<pb::ChangeCapacityResponse> {
    let now = work.now;
    read! {
        id = facility_id(&m.facility_id);
        from_on = day_or_today("from_on", m.from_on.as_ref(), now);
    }
    let new = Capacity { from_on, places: m.places, reserve: m.reserve };
    let version = facility::change_capacity(work, id, m.expected_version, new).await?;
    Ok(pb::ChangeCapacityResponse { facility_id: id.to_string(), version })
}

pub async fn list_facilities(
    _: &Access,
    work: &mut Work,
    m: &pb::ListFacilitiesRequest,
) -> Result<pb::ListFacilitiesResponse> {
    let municipality = id_opt("municipality", &m.municipality, Municipality::parse)?;
    let page = Page::read(m.page_size, &m.page_token, 500)?;
    let own = work.organisation().to_string();
    let municipality = words::text(municipality);
    let mut rows = store::facility::list(work, &municipality, &own, page.text(0), page.limit + 1).await?;
    let next_page_token = page.cut(&mut rows, |listed| vec![listed.id.to_string()]);
    let today = work.now.date;
    Ok(pb::ListFacilitiesResponse {
        facilities: rows.iter().map(|f| views::facility(f, today)).collect(),
        next_page_token,
    })
}

pub async fn join_waiting_list(
    access: &Access,
    work: &mut Work,
    m: &pb::JoinWaitingListRequest,
) -> Result<pb::JoinWaitingListResponse> {
    let now = work.now;
    read! {
        client = ClientId::parse("client_id", &m.client_id);
        facility = facility_id(&m.facility_id);
        on = day_or_today("joined_on", m.joined_on.as_ref(), now);
    }
    acts::client::permitted(work, client).await?;
    facility::known(work, facility).await?;
    let (id, version) = waiting_list::put(access, work, client, facility, on).await?;
    Ok(pb::JoinWaitingListResponse { entry_id: id.to_string(), version })
}

pub async fn leave_waiting_list(
    _: &Access,
    work: &mut Work,
    m: &pb::LeaveWaitingListRequest,
) -> Result<pb::LeaveWaitingListResponse> {
    read! {
        id = EntryId::parse("entry_id", &m.entry_id);
        reason = word("reason", m.reason).and_then(waiting::said_by_people);
    }
    let version = waiting_list::leave(work, id, Some(m.expected_version), reason).await?;
    Ok(pb::LeaveWaitingListResponse { entry_id: id.to_string(), version })
}

pub async fn list_waiting_list(
    _: &Access,
    work: &mut Work,
    m: &pb::ListWaitingListRequest,
) -> Result<pb::ListWaitingListResponse> {
    let now = work.now;
    read! {
        id = facility_id(&m.facility_id);
        as_of = words::instant_or_now("as_of", m.as_of.as_ref(), now);
    }
    let page = Page::read(m.page_size, &m.page_token, 500)?;
    let first: i64 =
        if page.after.is_empty() { 0 } else { page.text(0).parse().map_err(|_| &general::PAGE_TOKEN_INVALID)? };
    let (place, _) = facility::permitted(work, id).await?;
    let mut facts = store::waiting_list::facts(work, id, as_of).await?;
    let hidden = hidden_at(work, &place).await?;
    facts.retain(|fact| !hidden.contains(&fact.client_id));
    let mut rows: Vec<_> =
        (1i64..).zip(waiting::order(&facts, as_of)).skip_while(|(position, _)| *position <= first).collect();
    let next_page_token = page.cut(&mut rows, |(position, _)| vec![position.to_string()]);
    let (mut entries, safe) = (Vec::new(), work.safe_contacts().await?);
    for (position, fact) in rows {
        work.touched(fact.client_id);
        let version = store::waiting_list::load(work, fact.entry_id).await?.map_or(0, |(_, version)| version);
        let safe_contact = safe.get(&fact.client_id).cloned();
        entries.push(views::waiting_entry(position, version, fact, safe_contact));
    }
    Ok(pb::ListWaitingListResponse { entries, next_page_token })
}

/// Who is shielded and not to be seen at a place by the caller: nobody by those who run it (R-REG-28).
async fn hidden_at(work: &mut Work, place: &Facility) -> Result<BTreeSet<ClientId>> {
    if place.shows_to(work.organisation(), true) {
        return Ok(BTreeSet::new());
    }
    work.shielded().await
}

pub async fn admit(access: &Access, work: &mut Work, m: &pb::AdmitClientRequest) -> Result<pb::AdmitClientResponse> {
    let now = work.now;
    read! {
        client = ClientId::parse("client_id", &m.client_id);
        facility = facility_id(&m.facility_id);
        notification = id_opt("notification_id", &m.notification_id, NotificationId::parse);
        claim = id_opt("claim_id", &m.claim_id, ClaimId::parse);
        on = day_or_today("admitted_on", m.admitted_on.as_ref(), now);
    }
    use pb::admit_client_response::Outcome;
    Ok(match stay::admit(access, work, Wish { client, facility, notification, claim, on }).await? {
        Given::Place(stay, version, level) => pb::AdmitClientResponse {
            outcome: Outcome::Admitted.into(),
            stay_id: stay.to_string(),
            version,
            level: wire(level),
            ..Default::default()
        },
        Given::Alternative(there, entry) => pb::AdmitClientResponse {
            outcome: Outcome::Alternative.into(),
            alternative_facility_id: there.to_string(),
            entry_id: entry.to_string(),
            ..Default::default()
        },
    })
}

fn bed((i, m): (usize, &pb::NightOfStay)) -> std::result::Result<Bed, Refusal> {
    let path = |field: &str| format!("nights[{i}].{field}");
    let wrong = |field: &str| general::MALFORMED.field(path(field), "cannot be read", "kan niet gelezen worden");
    let used: Option<NightUse> = word_opt(path("use"), m.r#use)?;
    Ok(Bed {
        stay_id: id_opt("stay_id", &m.stay_id, StayId::parse).map_err(|_| wrong("stay_id"))?,
        client_id: id_opt("client_id", &m.client_id, ClientId::parse).map_err(|_| wrong("client_id"))?,
        used: used.ok_or_else(|| general::MALFORMED.field(path("use"), "is required", "is verplicht"))?,
        hold_reason: word_opt(path("hold_reason"), m.hold_reason)?,
        held_until: words::day_opt("held_until", m.held_until.as_ref()).map_err(|_| wrong("held_until"))?,
    })
}

pub async fn record_nights(
    access: &Access,
    work: &mut Work,
    m: &pb::RecordNightsRequest,
) -> Result<pb::RecordNightsResponse> {
    read! {
        id = facility_id(&m.facility_id);
        night = words::day("night", m.night.as_ref());
        beds = words::all(m.nights.iter().enumerate().map(bed));
    }
    let outcome = nights::record(access, work, id, night, m.expected_version, &beds).await?;
    let nights::Outcome { revision, used, missing } = outcome;
    Ok(pb::RecordNightsResponse { facility_id: id.to_string(), version: revision, used, missing })
}

pub async fn get_night_register(
    _: &Access,
    work: &mut Work,
    m: &pb::GetNightRegisterRequest,
) -> Result<pb::GetNightRegisterResponse> {
    read! {
        id = facility_id(&m.facility_id);
        night = words::day("night", m.night.as_ref());
    }
    let (place, _) = facility::permitted(work, id).await?;
    let (mut register, recorded_at) = store::nights::load(work, id, night).await?;
    let mut stays = store::stay::in_night(work, id, night).await?;
    let hidden = hidden_at(work, &place).await?;
    register.entries.retain(|entry| !hidden.contains(&entry.client_id));
    stays.retain(|(_, (stay, _))| !hidden.contains(&stay.client_id));
    for entry in &register.entries {
        work.touched(entry.client_id);
    }
    let entered = |stay: &StayId| register.entries.iter().any(|entry| entry.stay_id == *stay);
    Ok(pb::GetNightRegisterResponse {
        version: register.revision,
        missing_stay_ids: stays.iter().filter(|(stay, _)| !entered(stay)).map(|(stay, _)| stay.to_string()).collect(),
        nights: register.entries.iter().map(views::night).collect(),
        recorded_at: recorded_at.and_then(instant),
    })
}

fn outcome(outcome: Option<&pb::record_departure_request::Outcome>) -> std::result::Result<Outcome, Refusal> {
    use pb::record_departure_request::Outcome as Wire;
    match outcome {
        Some(Wire::Destination(code)) => word("destination", *code).map(Outcome::Left),
        Some(Wire::DropOut(code)) => word("drop_out", *code).map(Outcome::DroppedOut),
        None => Err(general::MALFORMED.field("outcome", "is required", "is verplicht")),
    }
}

pub async fn record_departure(
    access: &Access,
    work: &mut Work,
    m: &pb::RecordDepartureRequest,
) -> Result<pb::RecordDepartureResponse> {
    let now = work.now;
    read! {
        id = StayId::parse("stay_id", &m.stay_id);
        on = day_or_today("departed_on", m.departed_on.as_ref(), now);
        outcome = outcome(m.outcome.as_ref());
    }
    let (version, nights_used) = stay::depart(access, work, id, Some(m.expected_version), on, outcome).await?;
    Ok(pb::RecordDepartureResponse { stay_id: id.to_string(), version, nights_used })
}

pub async fn claim(access: &Access, work: &mut Work, m: &pb::ClaimPlaceRequest) -> Result<pb::ClaimPlaceResponse> {
    let not_an_id = |_| general::MALFORMED.field("signal_id", "is not a valid id", "is geen geldig kenmerk");
    read! {
        client = ClientId::parse("client_id", &m.client_id);
        signal = Uuid::parse_str(&m.signal_id).map_err(not_an_id);
        municipality = Municipality::parse("municipality", &m.municipality);
    }
    let (id, claim, version) =
        place_claim::claim(access, work, client, signal, &municipality, m.relapse_guarantee).await?;
    let (place, _) = facility::find(work, claim.facility_id).await?;
    let hidden = work.hides(client).await? && !work.acts_as(Role::SvcRegie);
    let shown = place.shows_to(work.organisation(), hidden);
    Ok(pb::ClaimPlaceResponse {
        claim_id: id.to_string(),
        version,
        facility_id: text(Some(claim.facility_id).filter(|_| shown)),
        level: wire(claim.level),
        until_on: date(claim.until_on),
    })
}

pub async fn release_claim(
    _: &Access,
    work: &mut Work,
    m: &pb::ReleaseClaimRequest,
) -> Result<pb::ReleaseClaimResponse> {
    let id = ClaimId::parse("claim_id", &m.claim_id)?;
    let release = Command::Release(ClaimReleaseReason::NotNeeded);
    let version = place_claim::change(work, id, Some(m.expected_version), release, None).await?;
    Ok(pb::ReleaseClaimResponse { claim_id: id.to_string(), version })
}
