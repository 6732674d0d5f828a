//! Notifications, and what goes with one that is withdrawn.

use super::{Seen, clear_wakes, decision, intake, set_wakes};
use crate::domain::codes::{CancelReason, RefusalGround};
use crate::domain::facility::check_suitable;
use crate::domain::notification::{self, Command, Event, Notification, Report, Urgent};
use crate::domain::{Due, FacilityId, NotificationId};
use crate::{Access, events, store};
use chassis::{Result, Work};
use uuid::Uuid;

/// Receives a notification (R-ACC-01, R-ACC-03).
pub async fn receive(access: &Access, work: &mut Work, report: Report) -> Result<(NotificationId, Notification)> {
    let (client, _) = super::client::permitted(work, report.client_id).await?;
    let policy = access.policy(&report.municipality, work.now);
    let id = NotificationId(Uuid::now_v7());
    let events = notification::receive(report, client.life(), policy, work.now)?;
    let Some(Event::Received(received)) = events.first() else { return Err(Work::unknown("notification")) };
    store::notification::save(work, id, received, 1).await?;
    events::notification(work, id, received, &events[0]).await?;
    set_wakes(work, id.0, received.client_id, received.wakes(policy)).await?;
    Ok((id, Notification::clone(received)))
}

/// A notification; with `seen` only for who may have to do with its client, and at that version.
pub async fn find(work: &mut Work, id: NotificationId, seen: Seen) -> Result<store::Versioned<Notification>> {
    let (notification, version) = permitted(work, id, seen.is_some()).await?;
    if let Some(seen) = seen {
        work.expect_version(seen, version)?;
    }
    Ok((notification, version))
}

/// A notification on which something is built.
pub async fn permitted(work: &mut Work, id: NotificationId, ask: bool) -> Result<store::Versioned<Notification>> {
    let found = store::notification::load(work, id).await?.ok_or_else(|| Work::unknown("notification"))?;
    if ask {
        work.permit("notification", Some(found.0.client_id), &[]).await?;
    }
    Ok(found)
}

/// Carries out what is asked of a notification.
pub async fn change(access: &Access, work: &mut Work, id: NotificationId, seen: Seen, command: Command) -> Result<i64> {
    let (n, version) = find(work, id, seen).await?;
    let policy = access.policy(&n.municipality, work.now);
    let events = notification::decide(&n, &command, policy, work.now)?;
    let after = events.iter().fold(n.clone(), notification::apply);
    let version = if after == n { version } else { version + 1 };
    if after != n {
        store::notification::save(work, id, &after, version).await?;
    }
    for event in &events {
        events::notification(work, id, &after, event).await?;
    }
    if after.investigated || after.withdrawn.is_some() {
        clear_wakes(work, id.0, &[Due::InvestigationSoon, Due::InvestigationOver]).await?;
    }
    if after.urgent != Urgent::Waiting || after.withdrawn.is_some() {
        clear_wakes(work, id.0, &[Due::UrgentProvision]).await?;
    }
    Ok(version)
}

/// Withdraws a notification; its planned intake and open application end with it.
pub async fn withdraw(
    access: &Access,
    work: &mut Work,
    id: NotificationId,
    seen: i64,
    reason: CancelReason,
) -> Result<i64> {
    let in_use = store::notification::in_use(work, id).await?;
    let version = change(access, work, id, Some(seen), Command::Withdraw { reason, in_use }).await?;
    if let Some(planned) = store::intake::planned(work, id).await? {
        intake::cancel(work, planned, None, reason).await?;
    }
    if let Some(open) = store::decision::open_application(work, id).await? {
        decision::withdraw(work, open, None, reason).await?;
    }
    Ok(version)
}

/// Grants a temporary provision, or refuses it on a ground (R-ACC-09). A secret place is none to the desk, and that of a shielded
/// client is not written down (R-REG-18); one that is not suitable is not granted (R-REG-28).
pub async fn decide_urgent(
    access: &Access,
    work: &mut Work,
    id: NotificationId,
    seen: i64,
    granted: Option<Option<FacilityId>>,
    ground: Option<RefusalGround>,
) -> Result<i64> {
    let command = match granted {
        Some(Some(facility)) => {
            let (n, _) = find(work, id, Some(seen)).await?;
            let (place, _) = super::facility::known(work, facility).await?;
            let (client, _) = store::client::load(work, n.client_id).await?.ok_or_else(|| Work::unknown("client"))?;
            let kept_apart = store::separation::not_here(work, n.client_id).await?.contains(&facility);
            check_suitable(&place, client.life(), work.now.date, kept_apart)?;
            let shielded = work.is_shielded(n.client_id).await?;
            Command::GrantUrgent { facility: Some(facility).filter(|_| place.is_for_all(shielded)) }
        }
        Some(None) => Command::GrantUrgent { facility: None },
        None => Command::RefuseUrgent { ground },
    };
    change(access, work, id, Some(seen), command).await
}
