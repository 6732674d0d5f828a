//! Applications and decisions.

use super::{Seen, clear_wakes, notification, set_wakes};
use crate::domain::codes::CancelReason;
use crate::domain::decision::{self, Application, Command, Decision, Event, Proposal, Stage};
use crate::domain::{ApplicationId, DecisionId, Due, NotificationId};
use crate::{Access, events, store};
use chassis::{Error, Result, Work};
use kernel::{Date, Municipality};
use uuid::Uuid;

/// Receives an application (R-ACC-07).
pub async fn submit(
    access: &Access,
    work: &mut Work,
    id: NotificationId,
    received_on: Date,
) -> Result<(ApplicationId, Application)> {
    let (notification, _) = notification::permitted(work, id, true).await?;
    let another_open = store::decision::open_application(work, id).await?.is_some();
    let policy = access.policy(&notification.municipality, work.now);
    let events = decision::submit(id, &notification, another_open, received_on, policy, work.now)?;
    let Some(Event::ApplicationReceived(received)) = events.first() else { return Err(Work::unknown("application")) };
    let application_id = ApplicationId(Uuid::now_v7());
    let once = |e: Error| {
        e.on_unique("application_one_open_per_notification", "application.notification_id", &decision::APPLICATION_OPEN)
    };
    store::decision::save_application(work, application_id, received, 1).await.map_err(once)?;
    events::application(work, application_id, received, &events[0]).await?;
    set_wakes(work, application_id.0, received.client_id, received.wakes(policy)).await?;
    Ok((application_id, received.clone()))
}

async fn find_application(work: &mut Work, id: ApplicationId, seen: Seen) -> Result<store::Versioned<Application>> {
    let (application, version) =
        store::decision::load_application(work, id).await?.ok_or_else(|| Work::unknown("application"))?;
    if let Some(seen) = seen {
        work.permit("application", Some(application.client_id), &[]).await?;
        work.expect_version(seen, version)?;
    }
    Ok((application, version))
}

async fn keep_application(
    work: &mut Work,
    id: ApplicationId,
    (application, version): store::Versioned<Application>,
    events: &[Event],
) -> Result<i64> {
    let after = events.iter().fold(application.clone(), decision::apply_to_application);
    let version = if after == application { version } else { version + 1 };
    if after != application {
        store::decision::save_application(work, id, &after, version).await?;
    }
    for event in events {
        events::application(work, id, &after, event).await?;
    }
    if after.stage != Stage::Open {
        clear_wakes(work, id.0, &[Due::ApplicationSoon]).await?;
    }
    Ok(version)
}

/// Withdraws an application.
pub async fn withdraw(work: &mut Work, id: ApplicationId, seen: Seen, reason: CancelReason) -> Result<i64> {
    let found = find_application(work, id, seen).await?;
    let events = decision::withdraw(&found.0, reason)?;
    keep_application(work, id, found, &events).await
}

/// The term of an application is nearly over (P7).
pub async fn warn(work: &mut Work, id: ApplicationId) -> Result<()> {
    let found = find_application(work, id, None).await?;
    let events = decision::warn(&found.0);
    keep_application(work, id, found, &events).await?;
    Ok(())
}

async fn municipality(work: &mut Work, application: &Application) -> Result<Municipality> {
    Ok(notification::find(work, application.notification_id, None).await?.0.municipality)
}

/// Decides on an application (R-ACC-08, R-ACC-19); returns the decision and its version.
pub async fn take(
    access: &Access,
    work: &mut Work,
    id: ApplicationId,
    seen: i64,
    proposal: Proposal,
) -> Result<(DecisionId, Decision, i64)> {
    let (application, version) = find_application(work, id, Some(seen)).await?;
    let place = municipality(work, &application).await?;
    let (policy, policy_version) = (access.policy(&place, work.now), access.policy_version(&place, work.now));
    let before = store::decision::on_application(work, id).await?;
    let taken = before.as_ref().map(|(_, (decision, _))| decision);
    let events = decision::take(id, &application, taken, proposal, policy, &policy_version, work.now)?;
    let decision_id = DecisionId(Uuid::now_v7());
    match (events.first(), before) {
        (Some(Event::Taken(decision)), _) => {
            let once = |e: Error| {
                e.on_unique("decision_one_per_application", "decision.application_id", &decision::APPLICATION_DECIDED)
            };
            store::decision::save(work, decision_id, decision, 1).await.map_err(once)?;
            keep_application(work, id, (application, version), &events).await?;
            events::decision(work, decision_id, decision, &events[0]).await?;
            set_wakes(work, decision_id.0, decision.client_id, decision.wakes(policy)).await?;
            Ok((decision_id, decision.clone(), 1))
        }
        (_, Some((before_id, (decision, version)))) => Ok((before_id, decision, version)),
        (_, None) => Err(Work::unknown("decision")),
    }
}

/// Carries out what is asked of a decision (R-ACC-20).
pub async fn change(access: &Access, work: &mut Work, id: DecisionId, seen: Seen, command: Command) -> Result<i64> {
    let (decision, version) = store::decision::load(work, id).await?.ok_or_else(|| Work::unknown("decision"))?;
    if let Some(seen) = seen {
        work.permit("decision", Some(decision.client_id), &[]).await?;
        work.expect_version(seen, version)?;
    }
    let (application, _) = find_application(work, decision.application_id, None).await?;
    let place = municipality(work, &application).await?;
    let policy = access.policy(&place, work.now);
    let events = decision::decide(&decision, &command, policy, work.now)?;
    let after = events.iter().fold(decision.clone(), decision::apply);
    let version = if after == decision { version } else { version + 1 };
    if after != decision {
        store::decision::save(work, id, &after, version).await?;
        clear_wakes(work, id.0, &[Due::DecisionSoon, Due::DecisionOver]).await?;
        set_wakes(work, id.0, after.client_id, after.wakes(policy)).await?;
    }
    for event in &events {
        events::decision(work, id, &after, event).await?;
    }
    Ok(version)
}
