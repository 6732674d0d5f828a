//! Contingents, dwellings and the yearly figures.

use super::views;
use super::wire::{Wire, count};
use crate::domain::contingent::{self, Contingent};
use crate::domain::dwelling::{Address, Dwelling, State};
use crate::domain::{
    ContingentChangeReason, ContingentId, ContractForm, DwellingId, DwellingKind, DwellingState, TargetGroup,
};
use crate::{Housing, acts, events, store};
use chassis::{Page, Result, Scope, Work};
use kernel::{Cents, District, Municipality, Organisation, Uuid, general};
use proto::housing::v1 as pb;
use proto::{from_date, to_date};

pub async fn agree(
    _: &Housing,
    work: &mut Work,
    m: &pb::AgreeContingentRequest,
) -> Result<pb::AgreeContingentResponse> {
    let year = i16::try_from(m.year).ok().filter(|year| (2000..=2100).contains(year));
    let new = Contingent {
        id: ContingentId(Uuid::now_v7()),
        corporation: Organisation::parse("corporation", &m.corporation)?,
        municipality: Municipality::parse("municipality", &m.municipality)?,
        year: year.ok_or_else(|| general::MALFORMED.field("year", "is 2000 to 2100", "is 2000 tot 2100"))?,
        group: TargetGroup::require("target_group", m.target_group)?,
        places: places(m.places)?,
        drawn: 0,
        realised: 0,
    };
    work.permit("contingent", None, &[]).await?;
    let (id, version) = acts::agree_contingent(work, new).await?;
    Ok(pb::AgreeContingentResponse { contingent_id: id.to_string(), version })
}

fn places(places: i32) -> Result<u32> {
    let most = 100_000;
    let refusal = || general::MALFORMED.field("places", "is 0 to 100000", "is 0 tot 100000");
    Ok(count("places", places).ok().filter(|places| *places <= most).ok_or_else(refusal)?)
}

pub async fn change(
    _: &Housing,
    work: &mut Work,
    m: &pb::ChangeContingentRequest,
) -> Result<pb::ChangeContingentResponse> {
    let id = ContingentId::parse("contingent_id", &m.contingent_id)?;
    let reason = ContingentChangeReason::require("reason", m.reason)?;
    let command = contingent::Command::Change { places: places(m.places)?, reason };
    let (contingent, version) = acts::find_contingent(work, id, Some(m.expected_version)).await?;
    let version = acts::change_contingent(work, contingent, version, &command).await?;
    Ok(pb::ChangeContingentResponse { contingent_id: id.to_string(), version })
}

pub async fn get_contingent(
    _: &Housing,
    work: &mut Work,
    m: &pb::GetContingentRequest,
) -> Result<pb::GetContingentResponse> {
    let id = ContingentId::parse("contingent_id", &m.contingent_id)?;
    let (contingent, version) = acts::find_contingent(work, id, None).await?;
    let changes = store::contingent::changes(work, id).await?;
    let change = |(places, reason, on): (u32, Option<ContingentChangeReason>, _)| pb::ContingentChange {
        places: places as i32,
        reason: super::wire::or_unspecified(reason),
        changed_on: Some(from_date(on)),
    };
    Ok(pb::GetContingentResponse {
        contingent: Some(views::contingent(&contingent, version)),
        changes: changes.into_iter().map(change).collect(),
    })
}

/// Everything for who may see everything; one's own for a corporation.
fn own(scope: &Scope) -> Option<&Organisation> {
    Some(&scope.organisation).filter(|_| !scope.everything)
}

pub async fn list_contingents(
    _: &Housing,
    work: &mut Work,
    m: &pb::ListContingentsRequest,
) -> Result<pb::ListContingentsResponse> {
    let (page, scope) = (Page::read(m.page_size, &m.page_token, 500)?, work.scope());
    let (found, next_page_token) = store::contingent::list(work, own(&scope), m.year, &m.municipality, &page).await?;
    let contingents = found.iter().map(|(contingent, version)| views::contingent(contingent, *version)).collect();
    Ok(pb::ListContingentsResponse { contingents, next_page_token })
}

pub async fn register(
    _: &Housing,
    work: &mut Work,
    m: &pb::RegisterDwellingRequest,
) -> Result<pb::RegisterDwellingResponse> {
    let address = m.address.clone().unwrap_or_default();
    let dwelling = Dwelling {
        id: DwellingId(Uuid::now_v7()),
        corporation: work.organisation().clone(),
        bag_object_id: m.bag_object_id.clone(),
        unit_suffix: m.unit_suffix.clone(),
        unit_number: m.unit_number.clone(),
        address: Address {
            street: address.street,
            house_number: address.house_number,
            postcode: address.postcode,
            town: address.town,
        },
        district: District::parse("district", &m.district)?,
        neighbourhood: m.neighbourhood.clone(),
        kind: DwellingKind::require("kind", m.kind)?,
        form: ContractForm::require("contract_form", m.contract_form)?,
        rent: Cents(m.rent_cents),
        floor_area_m2: count("floor_area_m2", m.floor_area_m2)?,
        rooms: count("rooms", m.rooms)?,
        max_persons: count("max_persons", m.max_persons)?,
        available_on: to_date("available_on", m.available_on.as_ref())?,
        state: State::Registered,
    };
    dwelling.check()?;
    work.permit("dwelling", None, &[&dwelling.corporation]).await?;
    store::dwelling::insert(work, &dwelling).await?;
    events::dwelling_registered(work, &dwelling).await?;
    let state = DwellingState::Available.to_wire();
    Ok(pb::RegisterDwellingResponse { dwelling_id: dwelling.id.to_string(), version: 1, state })
}

pub async fn withdraw(
    housing: &Housing,
    work: &mut Work,
    m: &pb::WithdrawDwellingRequest,
) -> Result<pb::WithdrawDwellingResponse> {
    let id = DwellingId::parse("dwelling_id", &m.dwelling_id)?;
    let standing = acts::find_dwelling(work, id, Some(m.expected_version)).await?;
    let version = acts::withdraw_dwelling(housing, work, &standing).await?;
    let state = DwellingState::Withdrawn.to_wire();
    Ok(pb::WithdrawDwellingResponse { dwelling_id: id.to_string(), version, state })
}

pub async fn list_dwellings(
    _: &Housing,
    work: &mut Work,
    m: &pb::ListDwellingsRequest,
) -> Result<pb::ListDwellingsResponse> {
    let (page, scope) = (Page::read(m.page_size, &m.page_token, 500)?, work.scope());
    let state = DwellingState::read("state", m.state)?;
    let (found, next_page_token) = store::dwelling::list(work, own(&scope), state, &m.municipality, &page).await?;
    Ok(pb::ListDwellingsResponse { dwellings: found.iter().map(views::dwelling).collect(), next_page_token })
}

pub async fn get_figures(
    housing: &Housing,
    work: &mut Work,
    m: &pb::GetFiguresRequest,
) -> Result<pb::GetFiguresResponse> {
    let on = super::wire::date_opt("on", m.on.as_ref())?.unwrap_or(work.now.date);
    let figures = housing.figures(on);
    let cents = |amount: Option<Cents>| amount.map_or(0, |Cents(cents)| cents);
    Ok(pb::GetFiguresResponse {
        valid_from: housing.figures_from(on).map(from_date),
        rent_cap_small_cents: figures.rent_cap_small.0,
        rent_cap_large_cents: figures.rent_cap_large.0,
        youth_cap_cents: cents(figures.youth_cap),
        youth_cap_max_age: figures.youth_cap_max_age as i32,
        income_limit_single_cents: figures.income_limit_single.0,
        income_limit_multi_cents: figures.income_limit_multi.0,
        social_limit_single_cents: cents(figures.social_limit_single),
        social_limit_multi_cents: cents(figures.social_limit_multi),
        liberalisation_limit_cents: figures.liberalisation_limit.0,
    })
}
