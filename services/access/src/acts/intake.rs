//! Intakes; one that is completed finishes the investigation.

use super::{Seen, notification};
use crate::domain::codes::CancelReason;
use crate::domain::intake::{self, Command, Event, Intake, Outcome, Plan};
use crate::domain::notification::Command as OfNotification;
use crate::domain::{IntakeId, NotificationId};
use crate::{Access, events, store};
use chassis::{Error, Result, Work};
use kernel::Date;
use uuid::Uuid;

/// Plans an intake (R-ACC-12, R-ACC-13).
pub async fn plan(
    access: &Access,
    work: &mut Work,
    id: NotificationId,
    planned_on: Date,
    asks_income: bool,
) -> Result<(IntakeId, Intake)> {
    let (notification, _) = notification::permitted(work, id, true).await?;
    let another_stands = store::intake::planned(work, id).await?.is_some();
    let policy = access.policy(&notification.municipality, work.now);
    let plan = Plan { notification_id: id, planned_on, asks_income, another_stands };
    let events = intake::plan(plan, &notification, policy, work.now)?;
    let Some(Event::Planned(planned)) = events.first() else { return Err(Work::unknown("intake")) };
    let intake_id = IntakeId(Uuid::now_v7());
    let once = |e: Error| {
        e.on_unique("intake_one_planned_per_notification", "intake.notification_id", &intake::INTAKE_PLANNED_ALREADY)
    };
    store::intake::save(work, intake_id, planned, 1).await.map_err(once)?;
    events::intake(work, intake_id, planned, &events[0]).await?;
    Ok((intake_id, planned.clone()))
}

async fn change(
    work: &mut Work,
    id: IntakeId,
    (intake, version): store::Versioned<Intake>,
    command: &Command,
) -> Result<(i64, Vec<Event>)> {
    let events = intake::decide(&intake, command, work.now)?;
    if events.is_empty() {
        return Ok((version, events));
    }
    let after = events.iter().fold(intake, intake::apply);
    store::intake::save(work, id, &after, version + 1).await?;
    for event in &events {
        events::intake(work, id, &after, event).await?;
    }
    Ok((version + 1, events))
}

async fn find(work: &mut Work, id: IntakeId, seen: Seen) -> Result<store::Versioned<Intake>> {
    let (intake, version) = store::intake::load(work, id).await?.ok_or_else(|| Work::unknown("intake"))?;
    if let Some(seen) = seen {
        work.permit("intake", Some(intake.client_id), &[]).await?;
        work.expect_version(seen, version)?;
    }
    Ok((intake, version))
}

/// Cancels an intake.
pub async fn cancel(work: &mut Work, id: IntakeId, seen: Seen, reason: CancelReason) -> Result<i64> {
    let found = find(work, id, seen).await?;
    Ok(change(work, id, found, &Command::Cancel { reason }).await?.0)
}

/// Completes an intake, and with it the investigation (R-ACC-26, R-ACC-06).
pub async fn complete(
    access: &Access,
    work: &mut Work,
    id: IntakeId,
    seen: i64,
    outcome: Outcome,
    on: Date,
) -> Result<i64> {
    let found = find(work, id, Some(seen)).await?;
    let notification_id = found.0.notification_id;
    let (notification, _) = notification::find(work, notification_id, None).await?;
    let command = Command::Complete { outcome, on, received_on: notification.received_on };
    let (version, events) = change(work, id, found, &command).await?;
    if !events.is_empty() {
        notification::change(access, work, notification_id, None, OfNotification::FinishInvestigation).await?;
    }
    Ok(version)
}
