//! What the feed says of what happened, and to whom it is addressed; each event is also kept as a step.

use crate::domain::aftercare::{self, Aftercare};
use crate::domain::contact_schedule;
use crate::domain::handover::{self, Handover};
use crate::domain::signal::{self, Signal};
use crate::store;
use crate::words::{Word, municipality};
use chassis::{Result, Work};
use kernel::{Date, Organisation};
use proto::aftercare::v1 as pb;
use proto::from_date;

/// What is kept of an event beside the feed: its name, who must act, and by when.
type Step<'a> = (&'static str, (Option<&'a Organisation>, Option<Date>));

/// A handover, as it is after the event.
pub async fn handover(work: &mut Work, to: (&Handover, i64), event: &handover::Event, policy: &str) -> Result<()> {
    let (handover, version) = to;
    let client = Some(handover.brief.client_id);
    let pair = [handover.brief.from.clone(), handover.brief.to.clone()];
    let handover_id = handover.id.to_string();
    let allocation_id = handover.brief.allocation_id.to_string();
    let [from_organisation, to_organisation] = pair.each_ref().map(ToString::to_string);
    let municipality = handover.brief.municipality.to_string();
    let step: Step<'_> = match event {
        handover::Event::Drafted { due, .. } => {
            let fill_by = Some(from_date(due.on));
            let drafted = pb::HandoverDrafted {
                handover_id,
                allocation_id,
                from_organisation,
                to_organisation,
                municipality,
                fill_by,
            };
            work.publish(client, &pair, &drafted).await?;
            ("drafted", (Some(&handover.brief.from), Some(due.on)))
        }
        handover::Event::Filled { due, .. } => {
            let answer_by = Some(from_date(due.on));
            let filled = pb::HandoverFilled {
                handover_id,
                allocation_id,
                from_organisation,
                to_organisation,
                municipality,
                answer_by,
            };
            work.publish(client, &pair, &filled).await?;
            ("filled", (Some(&handover.brief.to), Some(due.on)))
        }
        // The receiver reads the newest form whenever it looks; there is nothing to act on.
        handover::Event::FormReplaced { .. } => ("form-replaced", (None, None)),
        handover::Event::Accepted { answer_days } => {
            let accepted = pb::HandoverAccepted {
                handover_id,
                allocation_id,
                from_organisation,
                to_organisation,
                municipality,
                answer_days: *answer_days,
            };
            work.publish(client, &pair, &accepted).await?;
            ("accepted", (Some(&handover.brief.to), None))
        }
        handover::Event::Returned { reason, due, .. } => {
            let returned = pb::HandoverReturned {
                handover_id,
                allocation_id,
                from_organisation,
                to_organisation,
                municipality,
                reason: reason.message().into(),
                fill_by: Some(from_date(due.on)),
            };
            work.publish(client, &pair, &returned).await?;
            ("returned", (Some(&handover.brief.from), Some(due.on)))
        }
        handover::Event::Reassigned { previous, due, .. } => {
            let [from, to] = pair;
            let reassigned = pb::HandoverReassigned {
                handover_id,
                allocation_id,
                from_organisation,
                to_organisation,
                previous_organisation: previous.to_string(),
                answer_by: Some(from_date(due.on)),
            };
            work.publish(client, &[from, to, previous.clone()], &reassigned).await?;
            ("reassigned", (Some(&handover.brief.to), Some(due.on)))
        }
        handover::Event::Cancelled => {
            let cancelled = pb::HandoverCancelled { handover_id, allocation_id, from_organisation, to_organisation };
            work.publish(client, &pair, &cancelled).await?;
            ("cancelled", (None, None))
        }
        handover::Event::DueSoon { party, on } => {
            let due_soon = pb::HandoverDueSoon {
                handover_id,
                allocation_id,
                waiting_for: party.message().into(),
                organisation: handover.organisation(*party).to_string(),
                due_on: Some(from_date(*on)),
            };
            work.publish(client, &pair, &due_soon).await?;
            ("due-soon", (Some(handover.organisation(*party)), Some(*on)))
        }
        handover::Event::Overdue { party, on } => {
            let overdue = pb::HandoverOverdue {
                handover_id,
                allocation_id,
                waiting_for: party.message().into(),
                organisation: handover.organisation(*party).to_string(),
                due_on: Some(from_date(*on)),
            };
            work.publish(client, &pair, &overdue).await?;
            ("overdue", (Some(handover.organisation(*party)), Some(*on)))
        }
    };
    store::step(work, (handover.id, version), step.0, step.1, policy).await
}

/// An aftercare, and the organisation that keeps its contacts.
pub async fn aftercare(
    work: &mut Work,
    to: (&Aftercare, i64),
    responsible: &Organisation,
    event: &aftercare::Event,
    policy: &str,
) -> Result<()> {
    let (aftercare, version) = to;
    let client = Some(aftercare.client_id);
    let team = [responsible.clone()];
    let aftercare_id = aftercare.id.to_string();
    let allocation_id = aftercare.allocation_id.to_string();
    let (what, due_on) = match event {
        aftercare::Event::Started(started) => {
            let event = pb::AftercareStarted {
                aftercare_id,
                allocation_id,
                municipality: started.municipality.to_string(),
                started_on: Some(from_date(started.started_on)),
                until_on: Some(from_date(started.until_on)),
            };
            work.publish_on(started.started_on.min(work.now.date), client, &team, &event).await?;
            ("started", Some(started.until_on))
        }
        aftercare::Event::ReviewDue { due_on, last, .. } => {
            let day = Some(from_date(*due_on));
            let event = pb::AftercareReviewDue { aftercare_id, due_on: day, last: *last, allocation_id };
            work.publish(client, &team, &event).await?;
            ("review-due", Some(*due_on))
        }
        aftercare::Event::Ended { outcome, .. } => {
            let event = pb::AftercareEnded { aftercare_id, allocation_id, outcome: outcome.message().into() };
            work.publish(client, &team, &event).await?;
            ("ended", None)
        }
    };
    store::step(work, (aftercare.id, version), what, (Some(responsible), due_on), policy).await
}

/// A contact of an aftercare.
pub async fn contact(
    work: &mut Work,
    aftercare: &Aftercare,
    responsible: &Organisation,
    event: &contact_schedule::Event,
) -> Result<()> {
    let client = Some(aftercare.client_id);
    let team = [responsible.clone()];
    let aftercare_id = aftercare.id.to_string();
    match event {
        contact_schedule::Event::Held { on, next } => {
            let next_contact_on = Some(from_date(next.on));
            let held = pb::ContactHeld { aftercare_id, contact_on: Some(from_date(*on)), next_contact_on };
            work.publish_on(*on, client, &team, &held).await
        }
        contact_schedule::Event::Missed { on, recorded, count, next } => {
            let missed = pb::ContactMissed {
                aftercare_id,
                contact_on: Some(from_date(*on)),
                count: i32::try_from(*count).unwrap_or(i32::MAX),
                recorded: *recorded,
                next_contact_on: Some(from_date(next.on)),
            };
            work.publish_on(*on, client, &team, &missed).await
        }
        // The start is told with aftercare's, the loss as a signal.
        contact_schedule::Event::Started { .. } | contact_schedule::Event::ContactLost => Ok(()),
    }
}

/// A signal, as it is after the event: to the teams that were fixed when it came in, and to nobody else (P5).
pub async fn signal(work: &mut Work, to: (&Signal, i64), event: &signal::Event, policy: &str) -> Result<()> {
    let (signal, version) = to;
    let client = Some(signal.client_id);
    let teams: Vec<Organisation> = signal.teams.iter().cloned().collect();
    let signal_id = signal.id.to_string();
    let by_organisation = signal.taken_up_by().map(ToString::to_string).unwrap_or_default();
    let municipality = municipality(signal.municipality.as_ref());
    let escalated = |to: pb::EscalationLevel, without_team| pb::SignalEscalated {
        signal_id: signal.id.to_string(),
        kind: signal.kind.message().into(),
        severity: signal.severity.message().into(),
        to: to.into(),
        without_team,
        debt_help_only: signal.debt_help_only,
        municipality: crate::words::municipality(signal.municipality.as_ref()),
    };
    let step: Step<'_> = match event {
        signal::Event::Received(_) => {
            let received = pb::SignalReceived {
                signal_id,
                kind: signal.kind.message().into(),
                severity: signal.severity.message().into(),
                unverified: signal.unverified,
                answer_by: Some(from_date(signal.answer_by)),
                teams: teams.iter().map(ToString::to_string).collect(),
                municipality,
                debt_help_only: signal.debt_help_only,
                starts_debt_talk: signal.kind.starts_debt_talk(),
            };
            work.publish(client, &teams, &received).await?;
            ("received", (None, Some(signal.answer_by)))
        }
        signal::Event::NowhereToSleep { in_aftercare, guarantee } => {
            let reported = pb::NowhereToSleepReported {
                signal_id,
                client_id: signal.client_id.to_string(),
                municipality,
                in_aftercare: *in_aftercare,
                relapse_guarantee: *guarantee,
                night: signal.night.map(from_date),
            };
            work.publish(client, &[], &reported).await?;
            ("nowhere-to-sleep", (None, signal.night))
        }
        signal::Event::ReportedAgain { count, .. } => {
            let repeated = pb::NowhereToSleepRepeated {
                signal_id,
                client_id: signal.client_id.to_string(),
                count: i32::try_from(*count).unwrap_or(i32::MAX),
                municipality,
            };
            work.publish(client, &[], &repeated).await?;
            ("reported-again", (None, signal.night))
        }
        signal::Event::TakenUp { answer_minutes, remind_on, .. } => {
            let answer_minutes = *answer_minutes;
            let taken_up = pb::SignalTakenUp { signal_id, by_organisation, answer_minutes, municipality };
            work.publish(client, &teams, &taken_up).await?;
            ("taken-up", (signal.taken_up_by(), Some(*remind_on)))
        }
        signal::Event::StillOpen { remind_on } => {
            work.publish(client, &teams, &pb::SignalStillOpen { signal_id, by_organisation }).await?;
            ("still-open", (signal.taken_up_by(), Some(*remind_on)))
        }
        signal::Event::ToCaseholder { .. } => {
            work.publish(client, &teams, &escalated(pb::EscalationLevel::Caseholder, false)).await?;
            ("to-caseholder", (None, None))
        }
        signal::Event::ToRegie { without_team } => {
            work.publish(client, &teams, &escalated(pb::EscalationLevel::Regie, *without_team)).await?;
            ("to-regie", (None, None))
        }
        signal::Event::GuaranteeInvoked => {
            let client_id = signal.client_id.to_string();
            work.publish(client, &teams, &pb::RelapseGuaranteeInvoked { signal_id, client_id }).await?;
            ("guarantee-invoked", (None, None))
        }
        signal::Event::Closed { outcome, .. } => {
            let outcome = outcome.message().into();
            work.publish(client, &teams, &pb::SignalClosed { signal_id, outcome }).await?;
            ("closed", (signal.taken_up_by(), None))
        }
        // That something is no longer kept is nobody's news.
        signal::Event::Forgotten => ("forgotten", (None, None)),
    };
    store::step(work, (signal.id, version), step.0, step.1, policy).await
}
