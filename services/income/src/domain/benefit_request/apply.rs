//! What an event makes of a benefit request.

use super::{Application, BenefitRequest, Event, Kind, Watch};
use crate::domain::AllocationId;
use crate::domain::allowance::days_between;
use kernel::{Cents, ClientId, Date, Municipality};

/// A request in which nothing has happened yet.
pub(super) fn opened(client: ClientId, authority: Municipality) -> BenefitRequest {
    BenefitRequest {
        client,
        authority,
        reported_on: None,
        search_term: None,
        short_reapplication: false,
        running_at: None,
        partner: None,
        circumstances: None,
        prepared: false,
        application: None,
        relocation: None,
        fallen: vec![],
        grant: None,
        refusal: None,
        advances: Cents(0),
        withdrawn: None,
    }
}

/// The state after an event.
pub fn apply(state: Option<BenefitRequest>, event: &Event) -> Option<BenefitRequest> {
    let mut next = match event {
        Event::Opened { client, authority } => return Some(opened(*client, authority.clone())),
        _ => state?,
    };
    match event.clone() {
        Event::Opened { .. } | Event::GapDetected { .. } | Event::RefusedNearMove { .. } => {}
        Event::Reported { on, search_term } => {
            next.reported_on = Some(on);
            next.search_term = search_term;
        }
        Event::HistoryKnown { short_reapplication, running_at, partner } => {
            next.short_reapplication = short_reapplication;
            next.running_at = running_at;
            next.partner = partner;
        }
        Event::CircumstancesKnown(known) => next.circumstances = Some(known),
        Event::SearchTermWaived => {
            if let Some(search_term) = &mut next.search_term {
                search_term.waived = true;
            }
        }
        Event::Prepared => next.prepared = true,
        Event::Applied(application) => next.application = Some(application),
        Event::Completed { relocation, authority } => {
            next.authority = authority;
            next.relocation = Some(relocation);
        }
        Event::Granted { grant, .. } => {
            next.application = None;
            next.refusal = None;
            next.running_at = None;
            next.grant = Some(grant);
        }
        Event::Refused { ground, .. } => {
            next.application = None;
            next.refusal = Some(ground);
            if next.running().is_none() {
                // The next application needs a report of its own (R-INC-01).
                next.reported_on = None;
                next.search_term = None;
            }
        }
        Event::PaymentStarted { from_on } => {
            if let Some(grant) = &mut next.grant {
                grant.paid_from_on = Some(from_on);
            }
        }
        Event::Ended { ends_on, reason } => {
            if let Some(grant) = &mut next.grant {
                grant.ended = Some((ends_on, reason));
            }
        }
        Event::StartWithdrawn { allocation } => take_back(&mut next, allocation),
        Event::Withdrawn { reason, allocation } => {
            next.withdrawn = Some(reason);
            next.relocation = None;
            next.fallen.extend(allocation);
        }
        other => {
            if let Some(application) = &mut next.application {
                apply_to_application(application, &mut next.advances, other);
            }
        }
    }
    Some(next)
}

fn apply_to_application(application: &mut Application, advances: &mut Cents, event: Event) {
    let run_on = |application: &mut Application, day: Date| {
        if let Some(question) = application.question.take() {
            application.standstill_days += days_between(question.asked_on, day.min(question.answer_by));
        }
    };
    match event {
        Event::Signed(signature) => application.signature = Some(signature),
        Event::Acknowledged { on } => application.acknowledged_on = Some(on),
        Event::Asked(question) => application.question = Some(question),
        Event::Given { on } => run_on(application, on),
        Event::Raised(alarm) => {
            application.raised.push(alarm);
            if alarm.watch == Watch::InformationOverdue {
                run_on(application, alarm.day);
            }
        }
        Event::AdvancePaid { amount, paid_on, .. } => {
            advances.0 += amount.0;
            application.advanced_on = Some(paid_on);
        }
        Event::AdvanceRefused { on, .. } => application.advanced_on = Some(on),
        _ => {}
    }
}

/// Takes back what depends on one move: start, authority, and terms that were asked or decided for that move only. The
/// reporting day, an application of the client's own and a granted benefit stay (P4).
fn take_back(next: &mut BenefitRequest, allocation: AllocationId) {
    let kind = next.kind();
    let Some(fallen) = next.relocation.take() else { return };
    next.fallen.push(allocation);
    if let Some(application) = &mut next.application
        && application.for_allocation == Some(allocation)
    {
        application.for_allocation = None;
        let only_for_the_move = kind == Kind::Change || (kind == Kind::Transfer && application.signature.is_none());
        if only_for_the_move {
            next.application = None;
        }
    }
    if let Some(grant) = next.grant.take_if(|grant| grant.for_allocation == Some(allocation)) {
        next.grant = grant.before.map(|before| *before);
    }
    if next.grant.is_none() || next.running().is_some_and(|grant| grant.authority == fallen.authority_before) {
        next.authority = fallen.authority_before;
    }
}
