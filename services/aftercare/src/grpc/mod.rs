//! The RPCs: from message to command, and from state to view. What may happen is decided elsewhere.

mod aftercare;
mod handover;
mod requests;
mod signal;
mod signalling_plan;
mod views;

use crate::Aftercare;
use proto::aftercare::v1::aftercare_service_server::AftercareService;
use proto::aftercare::v1::*;

/// The longest page of a list.
const PAGE: i64 = 500;

chassis::rpcs! {
    AftercareService for Aftercare;

    command draft_handover: DraftHandoverRequest => DraftHandoverResponse, handover::draft;
    command fill_handover: FillHandoverRequest => FillHandoverResponse, handover::fill;
    command accept_handover: AcceptHandoverRequest => AcceptHandoverResponse, handover::accept;
    command return_handover: ReturnHandoverRequest => ReturnHandoverResponse, handover::return_to_giver;
    command assign_handover: AssignHandoverRequest => AssignHandoverResponse, handover::assign;
    command cancel_handover: CancelHandoverRequest => CancelHandoverResponse, handover::cancel;
    query get_handover: GetHandoverRequest => GetHandoverResponse, handover::get;
    query list_handovers: ListHandoversRequest => ListHandoversResponse, handover::list;

    command agree_signalling_plan: AgreeSignallingPlanRequest => AgreeSignallingPlanResponse, signalling_plan::agree;
    query get_signalling_plan: GetSignallingPlanRequest => GetSignallingPlanResponse, signalling_plan::get;

    command start_aftercare: StartAftercareRequest => StartAftercareResponse, aftercare::start;
    command record_contact: RecordContactRequest => RecordContactResponse, aftercare::record_contact;
    command end_aftercare: EndAftercareRequest => EndAftercareResponse, aftercare::end;
    query get_aftercare: GetAftercareRequest => GetAftercareResponse, aftercare::get;
    query list_aftercare: ListAftercareRequest => ListAftercareResponse, aftercare::list;

    command subscribe_team: SubscribeTeamRequest => SubscribeTeamResponse, signal::subscribe;
    command unsubscribe_team: UnsubscribeTeamRequest => UnsubscribeTeamResponse, signal::unsubscribe;
    command raise_signal: RaiseSignalRequest => RaiseSignalResponse, signal::raise;
    command report_nowhere_to_sleep: ReportNowhereToSleepRequest => ReportNowhereToSleepResponse,
        signal::report_nowhere_to_sleep;
    command take_up_signal: TakeUpSignalRequest => TakeUpSignalResponse, signal::take_up;
    command close_signal: CloseSignalRequest => CloseSignalResponse, signal::close;
    command invoke_relapse_guarantee: InvokeRelapseGuaranteeRequest => InvokeRelapseGuaranteeResponse,
        signal::invoke_guarantee;
    query get_signal: GetSignalRequest => GetSignalResponse, signal::get;
    query list_signals: ListSignalsRequest => ListSignalsResponse, signal::list;
    query list_signals_as_caseholder: ListSignalsAsCaseholderRequest => ListSignalsAsCaseholderResponse,
        signal::list_as_caseholder;
    query list_signals_as_self: ListSignalsAsSelfRequest => ListSignalsAsSelfResponse, signal::list_as_self;
}
