//! Offers and their answers.

use super::views;
use super::wire::{Wire, date_opt, offer_state, state_filter};
use crate::domain::offer::{Command, Offer};
use crate::domain::{DeclineReason, DeviationReason, DwellingId, IncomeClass, NominationId, OfferId, RefusalReason};
use crate::{Housing, acts, store};
use chassis::{Page, Result, Work};
use kernel::ClientId;
use proto::housing::v1 as pb;
use proto::{from_date, to_date};

pub async fn make(
    housing: &Housing,
    work: &mut Work,
    m: &pb::OfferDwellingRequest,
) -> Result<pb::OfferDwellingResponse> {
    let dwelling = DwellingId::parse("dwelling_id", &m.dwelling_id)?;
    let nomination = NominationId::parse("nomination_id", &m.nomination_id)?;
    let wished_start = date_opt("lease_start_on", m.lease_start_on.as_ref())?;
    let deviation = DeviationReason::read("deviation_reason", m.deviation_reason)?;
    let standing = acts::find_dwelling(work, dwelling, None).await?;
    let (to, _) = acts::find_nomination(work, nomination, None).await?;
    let made = acts::make_offer(housing, work, &standing, &to, wished_start, deviation).await?;
    Ok(pb::OfferDwellingResponse {
        offer_id: made.id.to_string(),
        version: 1,
        state: offer_state(made.state.name()),
        until: Some(from_date(made.until)),
    })
}

pub async fn accept(housing: &Housing, work: &mut Work, m: &pb::AcceptOfferRequest) -> Result<pb::AcceptOfferResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let found = acts::find_offer(work, id, Some(m.expected_version)).await?;
    let (after, version) = acts::answer_for_client(housing, work, found, &m.evidence, &Command::Accept).await?;
    let allocation = store::allocation::of_offer(work, id).await?;
    Ok(pb::AcceptOfferResponse {
        offer_id: id.to_string(),
        version,
        state: offer_state(after.state.name()),
        allocation_id: views::id(allocation),
    })
}

pub async fn decline(
    housing: &Housing,
    work: &mut Work,
    m: &pb::DeclineOfferRequest,
) -> Result<pb::DeclineOfferResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let command = Command::Decline { reason: DeclineReason::require("reason", m.reason)? };
    let found = acts::find_offer(work, id, Some(m.expected_version)).await?;
    let (after, version) = acts::answer_for_client(housing, work, found, &m.evidence, &command).await?;
    Ok(pb::DeclineOfferResponse { offer_id: id.to_string(), version, state: offer_state(after.state.name()) })
}

/// The offer and its version after a command, for the calls that need no more than that.
async fn change(housing: &Housing, work: &mut Work, id: OfferId, seen: i64, command: &Command) -> Result<(Offer, i64)> {
    let (offer, version) = acts::find_offer(work, id, Some(seen)).await?;
    acts::change_offer(housing, work, offer, version, command).await
}

pub async fn judge_health(
    housing: &Housing,
    work: &mut Work,
    m: &pb::JudgeHealthGroundRequest,
) -> Result<pb::JudgeHealthGroundResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let command = Command::JudgeHealth { upheld: m.upheld };
    let (after, version) = change(housing, work, id, m.expected_version, &command).await?;
    Ok(pb::JudgeHealthGroundResponse { offer_id: id.to_string(), version, state: offer_state(after.state.name()) })
}

pub async fn accept_candidate(
    housing: &Housing,
    work: &mut Work,
    m: &pb::AcceptCandidateRequest,
) -> Result<pb::AcceptCandidateResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let tested = match IncomeClass::read("income_class", m.income_class)? {
        Some(class) => Some((class, to_date("income_tested_on", m.income_tested_on.as_ref())?)),
        None => None,
    };
    let found = acts::find_offer(work, id, Some(m.expected_version)).await?;
    let (after, version) = acts::accept_candidate(housing, work, found, tested, m.guarantee_required).await?;
    let allocation = store::allocation::of_offer(work, id).await?;
    Ok(pb::AcceptCandidateResponse {
        offer_id: id.to_string(),
        version,
        state: offer_state(after.state.name()),
        allocation_id: views::id(allocation),
    })
}

pub async fn refuse_candidate(
    housing: &Housing,
    work: &mut Work,
    m: &pb::RefuseCandidateRequest,
) -> Result<pb::RefuseCandidateResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let command = Command::RefuseCandidate { reason: RefusalReason::require("reason", m.reason)? };
    let (after, version) = change(housing, work, id, m.expected_version, &command).await?;
    Ok(pb::RefuseCandidateResponse { offer_id: id.to_string(), version, state: offer_state(after.state.name()) })
}

pub async fn withdraw(
    housing: &Housing,
    work: &mut Work,
    m: &pb::WithdrawOfferRequest,
) -> Result<pb::WithdrawOfferResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let (after, version) = change(housing, work, id, m.expected_version, &Command::Withdraw).await?;
    Ok(pb::WithdrawOfferResponse { offer_id: id.to_string(), version, state: offer_state(after.state.name()) })
}

async fn view(work: &mut Work, offer: &Offer, version: i64) -> Result<pb::Offer> {
    let home = super::home(work, offer.client_id, offer.dwelling).await?;
    let allocation = store::allocation::of_offer(work, offer.id).await?;
    let safe_contact = work.safe_contact(offer.client_id).await?;
    Ok(pb::Offer { safe_contact, ..views::offer(offer, version, home.as_ref(), allocation) })
}

pub async fn get(_: &Housing, work: &mut Work, m: &pb::GetOfferRequest) -> Result<pb::GetOfferResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let (offer, version) = acts::find_offer(work, id, None).await?;
    Ok(pb::GetOfferResponse { offer: Some(view(work, &offer, version).await?) })
}

pub async fn list(_: &Housing, work: &mut Work, m: &pb::ListOffersRequest) -> Result<pb::ListOffersResponse> {
    let client = ClientId::parse("client_id", &m.client_id)?;
    let page = Page::read(m.page_size, &m.page_token, 500)?;
    work.permit("client", Some(client), &[]).await?;
    let (found, next_page_token) = store::offer::list(work, client, &page).await?;
    let mut offers = Vec::with_capacity(found.len());
    for (offer, version) in &found {
        offers.push(view(work, offer, *version).await?);
    }
    Ok(pb::ListOffersResponse { offers, next_page_token })
}

async fn own_view(work: &mut Work, offer: &Offer, version: i64) -> Result<pb::OfferForCorporation> {
    let home = store::dwelling::referred(work, offer.dwelling).await?;
    let readiness = store::nomination::readiness(work, offer.client_id).await?;
    let allocation = store::allocation::of_offer(work, offer.id).await?;
    Ok(views::offer_for_corporation(offer, version, &home, readiness.as_ref(), allocation))
}

pub async fn get_as_corporation(
    _: &Housing,
    work: &mut Work,
    m: &pb::GetOfferAsCorporationRequest,
) -> Result<pb::GetOfferAsCorporationResponse> {
    let id = OfferId::parse("offer_id", &m.offer_id)?;
    let (offer, version) = acts::find_offer(work, id, None).await?;
    Ok(pb::GetOfferAsCorporationResponse { offer: Some(own_view(work, &offer, version).await?) })
}

pub async fn list_as_corporation(
    _: &Housing,
    work: &mut Work,
    m: &pb::ListOffersAsCorporationRequest,
) -> Result<pb::ListOffersAsCorporationResponse> {
    let (page, scope) = (Page::read(m.page_size, &m.page_token, 500)?, work.scope());
    let wanted = pb::OfferState::try_from(m.state).ok().map(|state| state.as_str_name());
    let state = state_filter("state", "OFFER_STATE_", wanted)?;
    let (found, next_page_token) = store::offer::list_own(work, &scope, &state, &page).await?;
    let mut offers = Vec::with_capacity(found.len());
    for (offer, version) in &found {
        work.touched(offer.client_id);
        offers.push(own_view(work, offer, *version).await?);
    }
    Ok(pb::ListOffersAsCorporationResponse { offers, next_page_token })
}
