//! From state to what one audience sees of it.

use crate::domain::aftercare::{self, Aftercare};
use crate::domain::handover::{self, Handover, Party};
use crate::domain::signal::{self, Signal};
use crate::domain::signalling_plan::Plan;
use crate::store;
use crate::store::aftercare::Stored;
use crate::words::{Word, instant, number};
use chassis::{Page, Work};
use kernel::{ClientId, Organisation};
use proto::aftercare::v1 as pb;
use proto::contact::v1::SafeContact;
use proto::from_date;
use std::collections::BTreeMap;

/// For whom safe contact is on, and how they are reached (R-REG-28).
pub type Safe = BTreeMap<ClientId, SafeContact>;

/// The state of a thing on the wire.
pub trait State {
    /// The enum of the proto.
    type Message: Into<i32>;

    /// Where the thing stands.
    fn of(&self) -> Self::Message;
}

impl State for Handover {
    type Message = pb::HandoverState;

    fn of(&self) -> pb::HandoverState {
        match self.stage {
            handover::Stage::Drafted(_) => pb::HandoverState::Drafted,
            handover::Stage::Filled(_) => pb::HandoverState::Filled,
            handover::Stage::Returned(_) => pb::HandoverState::Returned,
            handover::Stage::Accepted => pb::HandoverState::Accepted,
            handover::Stage::Cancelled => pb::HandoverState::Cancelled,
        }
    }
}

impl State for Aftercare {
    type Message = pb::AftercareState;

    fn of(&self) -> pb::AftercareState {
        match self.stage {
            aftercare::Stage::Running { .. } => pb::AftercareState::Running,
            aftercare::Stage::Ended { .. } => pb::AftercareState::Ended,
        }
    }
}

impl State for Signal {
    type Message = pb::SignalState;

    fn of(&self) -> pb::SignalState {
        match self.stage {
            signal::Stage::Open => pb::SignalState::Open,
            signal::Stage::WithCaseholder { .. } => pb::SignalState::WithCaseholder,
            signal::Stage::WithRegie => pb::SignalState::WithRegie,
            signal::Stage::TakenUp { .. } => pb::SignalState::TakenUp,
            signal::Stage::Closed { .. } => pb::SignalState::Closed,
        }
    }
}

/// The answer to a command on one thing: its id, version and state.
macro_rules! answer {
    ($response:ident, $id:ident, $stored:expr) => {{
        let (thing, version) = $stored;
        Ok($response { $id: thing.id.to_string(), version, state: $crate::grpc::views::State::of(&thing).into() })
    }};
}
pub(super) use answer;

/// The word of a state in the database, for a filter; empty for "all".
pub fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).filter(|word| *word != "UNSPECIFIED").map(str::to_lowercase).unwrap_or_default()
}

/// A handover with its form.
pub fn handover(handover: &Handover, version: i64, safe: &Safe) -> pb::GetHandoverResponse {
    let form = handover.form.as_ref().map(|form| pb::HandoverForm {
        discussed_with_client_on: form.discussed_with_client_on.map(from_date),
        guidance_needed: form.guidance_needed.clone(),
        wishes_and_strengths: form.wishes_and_strengths.clone(),
        agreements: form.agreements.clone(),
        day_activity: form.day_activity.clone(),
        network: form.network.clone(),
        safety: form.safety.clone(),
        giver_contact: form.giver_contact.clone(),
        first_meeting_on: form.first_meeting_on.map(from_date),
    });
    let return_note = handover.returned.as_ref().map(|(_, note)| note.clone()).unwrap_or_default();
    pb::GetHandoverResponse { handover: Some(handover_summary(handover, version, safe)), form, return_note }
}

/// A handover without its form.
pub fn handover_summary(handover: &Handover, version: i64, safe: &Safe) -> pb::HandoverSummary {
    let brief = &handover.brief;
    let (waiting_for, due): (Option<Party>, _) = handover.waiting_for().unzip();
    let safe_contact = safe.get(&brief.client_id).cloned();
    // In which district is nearly where: who needs it has it from housing (R-REG-28).
    let district = brief.district.as_ref().filter(|_| safe_contact.is_none());
    pb::HandoverSummary {
        handover_id: handover.id.to_string(),
        version,
        state: State::of(handover).into(),
        client_id: brief.client_id.to_string(),
        allocation_id: brief.allocation_id.to_string(),
        from_organisation: brief.from.to_string(),
        to_organisation: brief.to.to_string(),
        municipality: brief.municipality.to_string(),
        district: district.map(ToString::to_string).unwrap_or_default(),
        move_on: Some(from_date(brief.move_on)),
        waiting_for: number(waiting_for.as_ref()),
        due_on: due.map(|due| from_date(due.on)),
        overdue: due.is_some_and(|due| due.overdue),
        assigned: handover.assigned,
        responsible_organisation: handover.responsible().to_string(),
        return_reason: number(handover.returned.as_ref().map(|(reason, _)| reason)),
        safe_contact,
    }
}

/// A signalling plan.
pub fn plan(plan: &Plan) -> pb::SignallingPlan {
    let sign = |sign: &crate::domain::signalling_plan::EarlySign| pb::EarlySign {
        sign: sign.sign.clone(),
        action: sign.action.clone(),
    };
    pb::SignallingPlan {
        signs: plan.signs.iter().map(sign).collect(),
        what_helps: plan.what_helps.clone(),
        who_to_call: plan.who_to_call.clone(),
        day_and_night_channel: plan.day_and_night_channel.clone(),
        shared_money_kinds: plan.shared_money_kinds.iter().map(|kind| kind.message().into()).collect(),
        agreed_on: plan.agreed_on.map(from_date),
    }
}

/// Aftercare without its contacts.
pub fn aftercare(stored: &Stored, safe: &Safe) -> pb::AftercareSummary {
    let Stored { aftercare, schedule, version, responsible } = stored;
    let ended = match &aftercare.stage {
        aftercare::Stage::Running { .. } => None,
        aftercare::Stage::Ended { outcome, on } => Some((*outcome, *on)),
    };
    pb::AftercareSummary {
        aftercare_id: aftercare.id.to_string(),
        version: *version,
        state: State::of(aftercare).into(),
        client_id: aftercare.client_id.to_string(),
        allocation_id: aftercare.allocation_id.to_string(),
        started_on: Some(from_date(aftercare.started_on)),
        until_on: Some(from_date(aftercare.until_on)),
        next_contact_on: ended.is_none().then(|| from_date(schedule.next_on)),
        missed_in_a_row: i32::try_from(schedule.missed).unwrap_or(i32::MAX),
        outcome: number(ended.as_ref().map(|(outcome, _)| outcome)),
        ended_on: ended.map(|(_, on)| from_date(on)),
        responsible_organisation: responsible.to_string(),
        safe_contact: safe.get(&aftercare.client_id).cloned(),
    }
}

/// A contact.
pub fn contact(contact: &store::aftercare::Contact) -> pb::Contact {
    pb::Contact {
        contact_on: Some(from_date(contact.on)),
        result: contact.outcome.message().into(),
        form: number(contact.form.as_ref()),
        organisation: contact.organisation.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// One page of signals, each as its audience sees it.
pub fn signals<V>(
    work: &mut Work,
    page: &Page,
    mut rows: Vec<(Signal, i64)>,
    view: impl Fn(&Signal, i64) -> V,
) -> (Vec<V>, String) {
    let next = page.cut(&mut rows, |(signal, _)| vec![signal.id.to_string()]);
    rows.iter().for_each(|(signal, _)| work.touched(signal.client_id));
    (rows.iter().map(|(signal, version)| view(signal, *version)).collect(), next)
}

/// A signal without its texts, for teams, case holder and municipality.
pub fn signal_for_team(signal: &Signal, version: i64, safe: &Safe) -> pb::SignalForTeam {
    pb::SignalForTeam {
        signal_id: signal.id.to_string(),
        version,
        state: State::of(signal).into(),
        client_id: signal.client_id.to_string(),
        kind: signal.kind.message().into(),
        severity: signal.severity.message().into(),
        unverified: signal.unverified,
        reported_by: signal.reported_by.as_ref().map(ToString::to_string).unwrap_or_default(),
        received_at: Some(instant(signal.received_at)),
        answer_by: Some(from_date(signal.answer_by)),
        teams: teams(signal),
        taken_up_by: taken_up_by(signal),
        taken_up_at: signal.taken_up.as_ref().map(|(_, at)| instant(*at)),
        outcome: number(outcome(signal).as_ref()),
        relapse_guarantee: signal.guarantee,
        safe_contact: safe.get(&signal.client_id).cloned(),
    }
}

/// A signal for the client: not who reported it, and not the reporter's words.
pub fn signal_for_client(signal: &Signal) -> pb::SignalForClient {
    pb::SignalForClient {
        signal_id: signal.id.to_string(),
        state: State::of(signal).into(),
        kind: signal.kind.message().into(),
        unverified: signal.unverified,
        received_at: Some(instant(signal.received_at)),
        teams: teams(signal),
        taken_up_by: taken_up_by(signal),
        outcome: number(outcome(signal).as_ref()),
    }
}

fn teams(signal: &Signal) -> Vec<String> {
    signal.teams.iter().map(Organisation::to_string).collect()
}

fn taken_up_by(signal: &Signal) -> String {
    signal.taken_up_by().map(Organisation::to_string).unwrap_or_default()
}

fn outcome(signal: &Signal) -> Option<signal::Outcome> {
    match signal.stage {
        signal::Stage::Closed { outcome, .. } => Some(outcome),
        _ => None,
    }
}
