//! From messages to commands, and from state to views: one short function per RPC. What decides is in `domain`.

mod allocations;
mod homes;
mod nominations;
mod offers;
mod views;
pub mod wire;

use crate::domain::DwellingId;
use crate::store::dwelling::Standing;
use crate::{Housing, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::housing::v1::housing_service_server::HousingService;
use proto::housing::v1::*;

/// The home of a client as the caller may see it: none, and not loaded, when it is secret (R-REG-18).
async fn home(work: &mut Work, client: ClientId, dwelling: DwellingId) -> Result<Option<Standing>> {
    if work.hides(client).await? {
        return Ok(None);
    }
    store::dwelling::referred(work, dwelling).await.map(Some)
}

chassis::rpcs! {
    HousingService for Housing;

    command agree_contingent: AgreeContingentRequest => AgreeContingentResponse, homes::agree;
    command change_contingent: ChangeContingentRequest => ChangeContingentResponse, homes::change;
    query get_contingent: GetContingentRequest => GetContingentResponse, homes::get_contingent;
    query list_contingents: ListContingentsRequest => ListContingentsResponse, homes::list_contingents;
    command register_dwelling: RegisterDwellingRequest => RegisterDwellingResponse, homes::register;
    command withdraw_dwelling: WithdrawDwellingRequest => WithdrawDwellingResponse, homes::withdraw;
    query list_dwellings: ListDwellingsRequest => ListDwellingsResponse, homes::list_dwellings;
    query get_figures: GetFiguresRequest => GetFiguresResponse, homes::get_figures;

    command nominate: NominateRequest => NominateResponse, nominations::nominate;
    command withdraw_nomination: WithdrawNominationRequest => WithdrawNominationResponse, nominations::withdraw;
    query get_nomination: GetNominationRequest => GetNominationResponse, nominations::get;
    query list_nominations: ListNominationsRequest => ListNominationsResponse, nominations::list;
    query rank_candidates: RankCandidatesRequest => RankCandidatesResponse, nominations::rank;

    command offer_dwelling: OfferDwellingRequest => OfferDwellingResponse, offers::make;
    command accept_offer: AcceptOfferRequest => AcceptOfferResponse, offers::accept;
    command decline_offer: DeclineOfferRequest => DeclineOfferResponse, offers::decline;
    command judge_health_ground: JudgeHealthGroundRequest => JudgeHealthGroundResponse, offers::judge_health;
    command accept_candidate: AcceptCandidateRequest => AcceptCandidateResponse, offers::accept_candidate;
    command refuse_candidate: RefuseCandidateRequest => RefuseCandidateResponse, offers::refuse_candidate;
    command withdraw_offer: WithdrawOfferRequest => WithdrawOfferResponse, offers::withdraw;
    query get_offer: GetOfferRequest => GetOfferResponse, offers::get;
    query list_offers: ListOffersRequest => ListOffersResponse, offers::list;
    query get_offer_as_corporation: GetOfferAsCorporationRequest => GetOfferAsCorporationResponse,
        offers::get_as_corporation;
    query list_offers_as_corporation: ListOffersAsCorporationRequest => ListOffersAsCorporationResponse,
        offers::list_as_corporation;

    command draft_agreement: DraftAgreementRequest => DraftAgreementResponse, allocations::draft;
    command sign_agreement: SignAgreementRequest => SignAgreementResponse, allocations::sign;
    command open_gate: OpenGateRequest => OpenGateResponse, allocations::open_gate;
    command shut_gate: ShutGateRequest => ShutGateResponse, allocations::shut_gate;
    command sign_lease: SignLeaseRequest => SignLeaseResponse, allocations::sign_lease;
    command hand_over_keys: HandOverKeysRequest => HandOverKeysResponse, allocations::hand_over_keys;
    command withdraw_allocation: WithdrawAllocationRequest => WithdrawAllocationResponse, allocations::withdraw;
    command end_lease: EndLeaseRequest => EndLeaseResponse, allocations::end_lease;
    query get_allocation: GetAllocationRequest => GetAllocationResponse, allocations::get;
    query get_allocation_as_corporation: GetAllocationAsCorporationRequest => GetAllocationAsCorporationResponse,
        allocations::get_as_corporation;
    query get_move_for_income: GetMoveForIncomeRequest => GetMoveForIncomeResponse, allocations::get_move_for_income;
    query get_move_for_district: GetMoveForDistrictRequest => GetMoveForDistrictResponse,
        allocations::get_move_for_district;
}
