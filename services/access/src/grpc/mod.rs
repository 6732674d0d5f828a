//! Messages to commands, states to views: one short method per RPC, no rule of the field.

mod people;
mod places;
mod requests;
mod views;

use crate::Access;
use crate::domain::FacilityId;
use chassis::{Answer, Chassis};
use proto::access::v1::access_service_server::AccessService;
use proto::access::v1::{self as pb};
use std::sync::Arc;
use tonic::Request;

/// The RPCs of access.
pub struct Grpc {
    /// What carries a call.
    pub chassis: Chassis,
    /// The policy.
    pub access: Arc<Access>,
}

/// One RPC that changes something: a call of the function that carries it out.
macro_rules! command {
    ($self:ident, $request:ident, $run:path) => {{
        let access = $self.access.clone();
        $self
            .chassis
            .command($request, move |work, m| {
                let access = access.clone();
                Box::pin(async move { $run(&access, work, m).await })
            })
            .await
    }};
}

/// One RPC that reads.
macro_rules! query {
    ($self:ident, $request:ident, $run:path) => {
        $self.chassis.query($request, |work, m| Box::pin($run(work, m))).await
    };
}

macro_rules! service {
    (commands { $($command:ident($ask:ident) -> $answer:ident = $carry:path;)* } queries { $($query:ident($asked:ident) -> $answered:ident = $read:path;)* }) => {
        #[tonic::async_trait]
        impl AccessService for Grpc {
            $(async fn $command(&self, request: Request<pb::$ask>) -> Answer<pb::$answer> {
                command!(self, request, $carry)
            })*
            $(async fn $query(&self, request: Request<pb::$asked>) -> Answer<pb::$answered> {
                query!(self, request, $read)
            })*
        }
    };
}

service! {
    commands {
        register_client(RegisterClientRequest) -> RegisterClientResponse = people::register;
        correct_client(CorrectClientRequest) -> CorrectClientResponse = people::correct;
        record_household(RecordHouseholdRequest) -> RecordHouseholdResponse = people::record_household;
        record_death(RecordDeathRequest) -> RecordDeathResponse = people::record_death;
        record_notification(RecordNotificationRequest) -> RecordNotificationResponse = requests::record_notification;
        withdraw_notification(WithdrawNotificationRequest) -> WithdrawNotificationResponse = requests::withdraw_notification;
        decide_urgent_provision(DecideUrgentProvisionRequest) -> DecideUrgentProvisionResponse = requests::decide_urgent_provision;
        plan_intake(PlanIntakeRequest) -> PlanIntakeResponse = requests::plan_intake;
        cancel_intake(CancelIntakeRequest) -> CancelIntakeResponse = requests::cancel_intake;
        complete_intake(CompleteIntakeRequest) -> CompleteIntakeResponse = requests::complete_intake;
        submit_application(SubmitApplicationRequest) -> SubmitApplicationResponse = requests::submit_application;
        withdraw_application(WithdrawApplicationRequest) -> WithdrawApplicationResponse = requests::withdraw_application;
        take_decision(TakeDecisionRequest) -> TakeDecisionResponse = requests::take_decision;
        extend_decision(ExtendDecisionRequest) -> ExtendDecisionResponse = requests::extend_decision;
        end_decision(EndDecisionRequest) -> EndDecisionResponse = requests::end_decision;
        register_facility(RegisterFacilityRequest) -> RegisterFacilityResponse = places::register_facility;
        change_capacity(ChangeCapacityRequest) -> ChangeCapacityResponse = places::change_capacity;
        join_waiting_list(JoinWaitingListRequest) -> JoinWaitingListResponse = places::join_waiting_list;
        leave_waiting_list(LeaveWaitingListRequest) -> LeaveWaitingListResponse = places::leave_waiting_list;
        admit_client(AdmitClientRequest) -> AdmitClientResponse = places::admit;
        record_nights(RecordNightsRequest) -> RecordNightsResponse = places::record_nights;
        record_departure(RecordDepartureRequest) -> RecordDepartureResponse = places::record_departure;
        claim_place(ClaimPlaceRequest) -> ClaimPlaceResponse = places::claim;
        release_claim(ReleaseClaimRequest) -> ReleaseClaimResponse = places::release_claim;
    }
    queries {
        get_client(GetClientRequest) -> GetClientResponse = people::get;
        get_client_for_guidance(GetClientForGuidanceRequest) -> GetClientForGuidanceResponse = people::get_for_guidance;
        get_tenant(GetTenantRequest) -> GetTenantResponse = people::get_tenant;
        get_benefit_applicant(GetBenefitApplicantRequest) -> GetBenefitApplicantResponse = people::get_benefit_applicant;
        get_client_for_district(GetClientForDistrictRequest) -> GetClientForDistrictResponse = people::get_for_district;
        get_client_as_self(GetClientAsSelfRequest) -> GetClientAsSelfResponse = people::get_as_self;
        list_clients(ListClientsRequest) -> ListClientsResponse = people::list;
        get_journey(GetJourneyRequest) -> GetJourneyResponse = requests::get_journey;
        get_decision_status(GetDecisionStatusRequest) -> GetDecisionStatusResponse = requests::get_decision_status;
        list_facilities(ListFacilitiesRequest) -> ListFacilitiesResponse = places::list_facilities;
        list_waiting_list(ListWaitingListRequest) -> ListWaitingListResponse = places::list_waiting_list;
        get_night_register(GetNightRegisterRequest) -> GetNightRegisterResponse = places::get_night_register;
    }
}

/// The path of the id of a facility, which many requests have.
fn facility(text: &str) -> Result<FacilityId, kernel::Refusal> {
    FacilityId::parse("facility_id", text)
}
