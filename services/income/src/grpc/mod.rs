//! From messages to commands, and from state to views: one short function per RPC. What decides is in `domain`.

mod benefit_request;
mod household;
mod rent_guarantee;
mod requests;
mod views;

use crate::Income;
use proto::income::v1::income_service_server::IncomeService;
use proto::income::v1::*;

chassis::rpcs! {
    IncomeService for Income;

    command report_for_benefit: ReportForBenefitRequest => ReportForBenefitResponse, benefit_request::report;
    command waive_search_term: WaiveSearchTermRequest => WaiveSearchTermResponse, benefit_request::waive_search_term;
    command submit_benefit_application: SubmitBenefitApplicationRequest => SubmitBenefitApplicationResponse,
        benefit_request::submit;
    command prepare_benefit_request: PrepareBenefitRequestRequest => PrepareBenefitRequestResponse,
        benefit_request::prepare;
    command complete_benefit_request: CompleteBenefitRequestRequest => CompleteBenefitRequestResponse,
        benefit_request::complete;
    command acknowledge_benefit_request: AcknowledgeBenefitRequestRequest => AcknowledgeBenefitRequestResponse,
        benefit_request::acknowledge;
    command ask_information: AskInformationRequest => AskInformationResponse, benefit_request::ask;
    command give_information: GiveInformationRequest => GiveInformationResponse, benefit_request::give;
    command pay_advance: PayAdvanceRequest => PayAdvanceResponse, benefit_request::pay_advance;
    command refuse_advance: RefuseAdvanceRequest => RefuseAdvanceResponse, benefit_request::refuse_advance;
    command decide_benefit: DecideBenefitRequest => DecideBenefitResponse, benefit_request::decide;
    command start_payment: StartPaymentRequest => StartPaymentResponse, benefit_request::start_payment;
    command end_benefit: EndBenefitRequest => EndBenefitResponse, benefit_request::end;
    command withdraw_benefit_start: WithdrawBenefitStartRequest => WithdrawBenefitStartResponse,
        benefit_request::withdraw_start;
    command withdraw_benefit_request: WithdrawBenefitRequestRequest => WithdrawBenefitRequestResponse,
        benefit_request::withdraw;
    command verify_own_income: VerifyOwnIncomeRequest => VerifyOwnIncomeResponse, household::verify;
    command revoke_own_income: RevokeOwnIncomeRequest => RevokeOwnIncomeResponse, household::revoke;
    command stabilise_finances: StabiliseFinancesRequest => StabiliseFinancesResponse, household::stabilise;
    command end_stabilisation: EndStabilisationRequest => EndStabilisationResponse, household::end_stabilisation;
    command request_rent_guarantee: RequestRentGuaranteeRequest => RequestRentGuaranteeResponse,
        rent_guarantee::request;
    command decide_rent_guarantee: DecideRentGuaranteeRequest => DecideRentGuaranteeResponse, rent_guarantee::decide;
    command withdraw_rent_guarantee: WithdrawRentGuaranteeRequest => WithdrawRentGuaranteeResponse,
        rent_guarantee::withdraw;
    query get_finances_status: GetFinancesStatusRequest => GetFinancesStatusResponse, household::status;
    query get_benefit_request: GetBenefitRequestRequest => GetBenefitRequestResponse, benefit_request::get;
    query list_benefit_requests: ListBenefitRequestsRequest => ListBenefitRequestsResponse, benefit_request::list;
    query get_benefit_status: GetBenefitStatusRequest => GetBenefitStatusResponse, benefit_request::status;
    query get_income_file_as_self: GetIncomeFileAsSelfRequest => GetIncomeFileAsSelfResponse, household::own_file;
    query get_rent_guarantee: GetRentGuaranteeRequest => GetRentGuaranteeResponse, rent_guarantee::get;
    query list_rent_guarantees: ListRentGuaranteesRequest => ListRentGuaranteesResponse, rent_guarantee::list;
    query get_rent_guarantee_as_corporation: GetRentGuaranteeAsCorporationRequest => GetRentGuaranteeAsCorporationResponse,
        rent_guarantee::get_as_corporation;
    query calculate_standard: CalculateStandardRequest => CalculateStandardResponse, household::calculate;
}
