//! From messages to commands and from state to views: one short function per RPC.

mod access_request;
mod acknowledgement;
mod case;
mod consent;
mod correction;
mod emergency;
mod erasure;
mod gate;
mod help_agreement;
mod list;
mod merge;
mod relation;
mod release;
mod representative;
mod retention;
mod safe_contact;
mod separation;
mod shield;
mod task;
mod view;

use crate::Regie;
use chassis::Work;
use kernel::{ClientId, Date, Organisation, Refusal, Role, general};
use proto::regie::v1::regie_service_server::RegieService;
use proto::regie::v1::*;

/// What an RPC reads before it does anything: refused all at once, by field.
type Read<T> = std::result::Result<T, Refusal>;

fn client_id(text: &str) -> Read<ClientId> {
    ClientId::parse("client_id", text)
}

fn organisation(field: &'static str, text: &str) -> Read<Organisation> {
    Organisation::parse(field, text)
}

/// Whether the client calls, and on which day the client said yes as somebody else tells.
fn said(work: &Work, told_on: Option<&proto::google::r#type::Date>) -> Read<(bool, Option<Date>)> {
    let told_on = told_on.map(|on| proto::to_date("given_on", Some(on))).transpose()?;
    Ok((work.acts_as(Role::Client), told_on))
}

/// Whether the client asks, and on which day a request came in: today from the client, on the day that is named on paper.
fn came_in(work: &Work, received_on: Option<&proto::google::r#type::Date>) -> Read<(bool, Date)> {
    let by_client = work.acts_as(Role::Client);
    let on = received_on.filter(|_| !by_client).map(|on| proto::to_date("received_on", Some(on))).transpose()?;
    Ok((by_client, on.unwrap_or(work.now.date)))
}

/// A code that must be set.
fn required<T>(field: &'static str, code: Option<T>) -> Read<T> {
    code.ok_or_else(|| general::MALFORMED.field(field, "is not set or not known", "is niet gezet of niet bekend"))
}

/// A text of 1 to `max` characters.
fn text(field: &'static str, text: &str, max: usize) -> Read<String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(general::MALFORMED.field(field, "is empty", "is leeg")),
        n if n > max => {
            Err(general::MALFORMED.field(field, format!("is longer than {max}"), format!("is langer dan {max}")))
        }
        // PostgreSQL keeps no text with this one in it.
        _ if text.contains('\0') => Err(general::MALFORMED.field(
            field,
            "holds a character that is no text",
            "bevat een teken dat geen tekst is",
        )),
        _ => Ok(text.to_owned()),
    }
}

/// A text of at most `max` characters, or none.
fn text_opt(field: &'static str, given: &str, max: usize) -> Read<Option<String>> {
    if given.trim().is_empty() { Ok(None) } else { text(field, given, max).map(Some) }
}

/// An id, or none when it is empty.
fn opt(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

chassis::rpcs! {
    RegieService for Regie;

    command assign_case_holder: AssignCaseHolderRequest => AssignCaseHolderResponse, case::assign_case_holder;
    command assign_supervisor: AssignSupervisorRequest => AssignSupervisorResponse, case::assign_supervisor;
    command grant_relation: GrantRelationRequest => GrantRelationResponse, relation::grant;
    revocation end_relation: EndRelationRequest => EndRelationResponse, relation::end;
    command adopt_plan: AdoptPlanRequest => AdoptPlanResponse, case::adopt_plan;
    command set_goal: SetGoalRequest => SetGoalResponse, case::set_goal;
    command decide_goal: DecideGoalRequest => DecideGoalResponse, case::decide_goal;
    command record_scores: RecordScoresRequest => RecordScoresResponse, case::record_scores;
    command set_guidance: SetGuidanceRequest => SetGuidanceResponse, case::set_guidance;
    command give_consent: GiveConsentRequest => GiveConsentResponse, consent::give;
    revocation withdraw_consent: WithdrawConsentRequest => WithdrawConsentResponse, consent::withdraw;
    query get_consent_status: GetConsentStatusRequest => GetConsentStatusResponse, consent::status;
    command release_secrecy: ReleaseSecrecyRequest => ReleaseSecrecyResponse, release::give;
    revocation withdraw_release: WithdrawReleaseRequest => WithdrawReleaseResponse, release::withdraw;
    query get_release_status: GetReleaseStatusRequest => GetReleaseStatusResponse, release::status;
    command agree_to_help: AgreeToHelpRequest => AgreeToHelpResponse, help_agreement::give;
    revocation end_help_agreement: EndHelpAgreementRequest => EndHelpAgreementResponse, help_agreement::end;
    query get_help_agreement_status: GetHelpAgreementStatusRequest => GetHelpAgreementStatusResponse,
        help_agreement::status;
    query get_case: GetCaseRequest => GetCaseResponse, view::case;
    query get_case_as_self: GetCaseAsSelfRequest => GetCaseAsSelfResponse, view::case_as_self;
    query get_case_as_district: GetCaseAsDistrictRequest => GetCaseAsDistrictResponse, view::case_as_district;
    query list_cases: ListCasesRequest => ListCasesResponse, list::cases;
    command override_gate: OverrideGateRequest => OverrideGateResponse, gate::say;
    query get_gate: GetGateRequest => GetGateResponse, gate::get;
    query get_readiness: GetReadinessRequest => GetReadinessResponse, gate::readiness;
    query list_tasks: ListTasksRequest => ListTasksResponse, task::list;
    command take_task: TakeTaskRequest => TakeTaskResponse, task::take;
    command complete_task: CompleteTaskRequest => CompleteTaskResponse, task::complete;
    query list_acknowledgements: ListAcknowledgementsRequest => ListAcknowledgementsResponse, acknowledgement::list;
    query get_timeline: GetTimelineRequest => GetTimelineResponse, list::timeline;
    command request_erasure: RequestErasureRequest => RequestErasureResponse, erasure::request;
    revocation decide_erasure: DecideErasureRequest => DecideErasureResponse, erasure::decide;
    query list_erasures: ListErasuresRequest => ListErasuresResponse, erasure::list;
    command record_representative: RecordRepresentativeRequest => RecordRepresentativeResponse, representative::record;
    revocation end_representative: EndRepresentativeRequest => EndRepresentativeResponse, representative::end;
    query get_representatives: GetRepresentativesRequest => GetRepresentativesResponse, representative::list;
    command record_access_request: RecordAccessRequestRequest => RecordAccessRequestResponse, access_request::record;
    command confirm_requester: ConfirmRequesterRequest => ConfirmRequesterResponse, access_request::confirm;
    command extend_access_request: ExtendAccessRequestRequest => ExtendAccessRequestResponse, access_request::extend;
    command answer_access_request: AnswerAccessRequestRequest => AnswerAccessRequestResponse, access_request::answer;
    query list_access_requests: ListAccessRequestsRequest => ListAccessRequestsResponse, access_request::list;
    command request_correction: RequestCorrectionRequest => RequestCorrectionResponse, correction::request;
    command extend_correction: ExtendCorrectionRequest => ExtendCorrectionResponse, correction::extend;
    command decide_correction: DecideCorrectionRequest => DecideCorrectionResponse, correction::decide;
    query list_corrections: ListCorrectionsRequest => ListCorrectionsResponse, correction::list;
    command close_case: CloseCaseRequest => CloseCaseResponse, case::close;
    query get_policy: GetPolicyRequest => GetPolicyResponse, list::policy;
    query list_organisations: ListOrganisationsRequest => ListOrganisationsResponse, list::organisations;
    query get_duty_contacts: GetDutyContactsRequest => GetDutyContactsResponse, list::duty_contacts;
    command open_emergency_access: OpenEmergencyAccessRequest => OpenEmergencyAccessResponse, emergency::open;
    revocation end_emergency_access: EndEmergencyAccessRequest => EndEmergencyAccessResponse, emergency::end;
    revocation review_emergency_access: ReviewEmergencyAccessRequest => ReviewEmergencyAccessResponse,
        emergency::review;
    query list_emergency_access: ListEmergencyAccessRequest => ListEmergencyAccessResponse, emergency::list;
    query list_emergency_access_as_self: ListEmergencyAccessAsSelfRequest => ListEmergencyAccessAsSelfResponse,
        emergency::list_as_self;
    revocation mark_separation: MarkSeparationRequest => MarkSeparationResponse, separation::mark;
    command end_separation: EndSeparationRequest => EndSeparationResponse, separation::end;
    query list_separations: ListSeparationsRequest => ListSeparationsResponse, separation::list;
    revocation shield_client: ShieldClientRequest => ShieldClientResponse, shield::raise;
    command end_shield: EndShieldRequest => EndShieldResponse, shield::end;
    revocation set_safe_contact: SetSafeContactRequest => SetSafeContactResponse, safe_contact::set;
    command end_safe_contact: EndSafeContactRequest => EndSafeContactResponse, safe_contact::end;
    query get_safe_contact: GetSafeContactRequest => GetSafeContactResponse, safe_contact::get;
    revocation merge_clients: MergeClientsRequest => MergeClientsResponse, merge::merge;
    revocation undo_merge: UndoMergeRequest => UndoMergeResponse, merge::undo;
    command split_client: SplitClientRequest => SplitClientResponse, merge::split;
    query list_merges: ListMergesRequest => ListMergesResponse, merge::list;
    command keep_longer: KeepLongerRequest => KeepLongerResponse, retention::keep;
    command end_keeping: EndKeepingRequest => EndKeepingResponse, retention::release;
    query get_retention: GetRetentionRequest => GetRetentionResponse, retention::get;
}
