//! Messages to commands, states to views: one short function per RPC, no rule of the field.

mod people;
mod places;
mod requests;
mod views;

use crate::Access;
use crate::domain::FacilityId;
use proto::access::v1::access_service_server::AccessService;
use proto::access::v1::*;

chassis::rpcs! {
    AccessService for Access;

    command register_client: RegisterClientRequest => RegisterClientResponse, people::register;
    command correct_client: CorrectClientRequest => CorrectClientResponse, people::correct;
    command record_household: RecordHouseholdRequest => RecordHouseholdResponse, people::record_household;
    command record_death: RecordDeathRequest => RecordDeathResponse, people::record_death;
    command record_notification: RecordNotificationRequest => RecordNotificationResponse, requests::record_notification;
    command withdraw_notification: WithdrawNotificationRequest => WithdrawNotificationResponse,
        requests::withdraw_notification;
    command decide_urgent_provision: DecideUrgentProvisionRequest => DecideUrgentProvisionResponse,
        requests::decide_urgent_provision;
    command plan_intake: PlanIntakeRequest => PlanIntakeResponse, requests::plan_intake;
    command cancel_intake: CancelIntakeRequest => CancelIntakeResponse, requests::cancel_intake;
    command complete_intake: CompleteIntakeRequest => CompleteIntakeResponse, requests::complete_intake;
    command submit_application: SubmitApplicationRequest => SubmitApplicationResponse, requests::submit_application;
    command withdraw_application: WithdrawApplicationRequest => WithdrawApplicationResponse,
        requests::withdraw_application;
    command take_decision: TakeDecisionRequest => TakeDecisionResponse, requests::take_decision;
    command extend_decision: ExtendDecisionRequest => ExtendDecisionResponse, requests::extend_decision;
    command end_decision: EndDecisionRequest => EndDecisionResponse, requests::end_decision;
    command register_facility: RegisterFacilityRequest => RegisterFacilityResponse, places::register_facility;
    command change_capacity: ChangeCapacityRequest => ChangeCapacityResponse, places::change_capacity;
    command join_waiting_list: JoinWaitingListRequest => JoinWaitingListResponse, places::join_waiting_list;
    command leave_waiting_list: LeaveWaitingListRequest => LeaveWaitingListResponse, places::leave_waiting_list;
    command admit_client: AdmitClientRequest => AdmitClientResponse, places::admit;
    command record_nights: RecordNightsRequest => RecordNightsResponse, places::record_nights;
    command record_departure: RecordDepartureRequest => RecordDepartureResponse, places::record_departure;
    command claim_place: ClaimPlaceRequest => ClaimPlaceResponse, places::claim;
    command release_claim: ReleaseClaimRequest => ReleaseClaimResponse, places::release_claim;

    query get_client: GetClientRequest => GetClientResponse, people::get;
    query get_client_for_guidance: GetClientForGuidanceRequest => GetClientForGuidanceResponse,
        people::get_for_guidance;
    query get_tenant: GetTenantRequest => GetTenantResponse, people::get_tenant;
    query get_benefit_applicant: GetBenefitApplicantRequest => GetBenefitApplicantResponse,
        people::get_benefit_applicant;
    query get_client_for_district: GetClientForDistrictRequest => GetClientForDistrictResponse,
        people::get_for_district;
    query get_client_as_self: GetClientAsSelfRequest => GetClientAsSelfResponse, people::get_as_self;
    query list_clients: ListClientsRequest => ListClientsResponse, people::list;
    query get_journey: GetJourneyRequest => GetJourneyResponse, requests::get_journey;
    query get_decision_status: GetDecisionStatusRequest => GetDecisionStatusResponse, requests::get_decision_status;
    query list_facilities: ListFacilitiesRequest => ListFacilitiesResponse, places::list_facilities;
    query list_waiting_list: ListWaitingListRequest => ListWaitingListResponse, places::list_waiting_list;
    query get_night_register: GetNightRegisterRequest => GetNightRegisterResponse, places::get_night_register;
}

/// The path of the id of a facility, which many requests have.
fn facility(text: &str) -> Result<FacilityId, kernel::Refusal> {
    FacilityId::parse("facility_id", text)
}
