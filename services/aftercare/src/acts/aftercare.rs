//! Aftercare and its schedule of contacts: one row, one version.

use super::{look_again, signal};
use crate::domain::aftercare::{self, Command, Outcome, Stage};
use crate::domain::contact_schedule::{self, Form, Schedule};
use crate::domain::signal::{Kind, Report, Source};
use crate::domain::{AftercareId, AllocationId, SignalId};
use crate::store::aftercare::{Contact, Stored};
use crate::{Aftercare, events, store};
use chassis::{Result, Work};
use kernel::{Date, Role};
use uuid::Uuid;

/// The kind of the deadline of a review.
pub const REVIEW: &str = "review";
/// The kind of the deadline of a contact.
pub const CONTACT: &str = "contact";

/// Starts the aftercare of an allocation, or finds the one there is.
pub async fn start(service: &Aftercare, work: &mut Work, id: AllocationId, started_on: Date) -> Result<Stored> {
    let handover = store::handover::of_allocation(work, id).await?.map(|(handover, _)| handover);
    work.permit("allocation", handover.as_ref().map(|handover| handover.brief.client_id), &[]).await?;
    let existing = store::aftercare::of_allocation(work, id).await?;
    let (policy, version) = service.policy(work, handover.as_ref().map(|handover| &handover.brief.municipality))?;
    let there = existing.as_ref().map(|stored| &stored.aftercare);
    let started = aftercare::start(there, handover.as_ref(), AftercareId(Uuid::now_v7()), started_on, policy)?;
    let scheduled = contact_schedule::start(started_on, policy, work.now);
    let fresh = started.iter().fold(None, aftercare::apply).zip(scheduled.iter().fold(None, contact_schedule::apply));
    let (Some((aftercare, schedule)), Some(handover)) = (fresh, &handover) else {
        return existing.ok_or_else(|| Work::unknown("allocation"));
    };
    let responsible = handover.responsible().clone();
    let stored = Stored { aftercare, schedule, version: 1, responsible };
    keep(work, &stored).await?;
    for event in &started {
        events::aftercare(work, (&stored.aftercare, 1), &stored.responsible, event, &version).await?;
    }
    Ok(stored)
}

/// Records a contact.
pub async fn record(
    service: &Aftercare,
    work: &mut Work,
    id: AftercareId,
    seen: i64,
    contact: (Date, contact_schedule::Outcome, Form),
) -> Result<Stored> {
    let stored = load(work, id).await?;
    work.permit("aftercare", Some(stored.aftercare.client_id), &[&stored.responsible]).await?;
    work.expect_version(seen, stored.version)?;
    stored.aftercare.check_running()?;
    let (on, outcome, form) = contact;
    schedule(service, work, stored, contact_schedule::Command::Record { on, outcome }, Some(form)).await
}

/// Ends aftercare. Death also closes the signals that are open (R-REG-29).
pub async fn end(
    service: &Aftercare,
    work: &mut Work,
    stored: Stored,
    seen: i64,
    outcome: Outcome,
    agreed_on: Option<Date>,
) -> Result<Stored> {
    let client = stored.aftercare.client_id;
    work.permit("aftercare", Some(client), &[&stored.responsible]).await?;
    work.expect_version(seen, stored.version)?;
    let open = store::signal::not_closed(work, client).await?;
    let command = Command::End {
        outcome,
        agreed_on,
        by_regie: work.acts_as(Role::Regie) || work.acts_as(Role::SvcRegie),
        missed: stored.schedule.missed,
        open_signals: u32::try_from(open.len()).unwrap_or(u32::MAX),
    };
    let ended = carry_out(service, work, stored, command).await?;
    if matches!(ended.aftercare.stage, Stage::Ended { outcome: Outcome::Died, .. }) {
        signal::client_died(service, work, open).await?;
    }
    Ok(ended)
}

/// Looks whether a review is near.
pub async fn lapse_review(service: &Aftercare, work: &mut Work, id: AftercareId) -> Result<()> {
    let stored = load(work, id).await?;
    carry_out(service, work, stored, Command::Lapse).await.map(|_| ())
}

/// Looks whether a contact was forgotten.
pub async fn lapse_contact(service: &Aftercare, work: &mut Work, id: AftercareId) -> Result<()> {
    let stored = load(work, id).await?;
    schedule(service, work, stored, contact_schedule::Command::Lapse, None).await.map(|_| ())
}

/// One aftercare, or "not found".
pub async fn load(work: &mut Work, id: AftercareId) -> Result<Stored> {
    store::aftercare::load(work, id).await?.ok_or_else(|| Work::unknown("aftercare"))
}

async fn carry_out(service: &Aftercare, work: &mut Work, mut stored: Stored, command: Command) -> Result<Stored> {
    let (policy, version) = service.policy(work, Some(&stored.aftercare.municipality))?;
    let events = aftercare::decide(&stored.aftercare, command, policy, work.now)?;
    if !events.is_empty() {
        stored.aftercare = events.iter().fold(Some(stored.aftercare), aftercare::apply).ok_or_else(gone)?;
        stored.version += 1;
    }
    keep(work, &stored).await?;
    if stored.aftercare.check_running().is_err() {
        store::handover::end_grant(work, stored.aftercare.allocation_id).await?;
    }
    for event in &events {
        let to = (&stored.aftercare, stored.version);
        events::aftercare(work, to, &stored.responsible, event, &version).await?;
    }
    Ok(stored)
}

async fn schedule(
    service: &Aftercare,
    work: &mut Work,
    mut stored: Stored,
    command: contact_schedule::Command,
    form: Option<Form>,
) -> Result<Stored> {
    let (policy, _) = service.policy(work, Some(&stored.aftercare.municipality))?;
    let events = contact_schedule::decide(&stored.schedule, command, policy, work.now)?;
    if events.is_empty() {
        keep(work, &stored).await?;
        return Ok(stored);
    }
    stored.schedule = events.iter().fold(Some(stored.schedule), contact_schedule::apply).ok_or_else(gone)?;
    stored.version += 1;
    keep(work, &stored).await?;
    for event in &events {
        events::contact(work, &stored.aftercare, &stored.responsible, event).await?;
        follow(service, work, &stored, event, form).await?;
    }
    Ok(stored)
}

/// What an event of the schedule brings about beside the schedule: a contact that is kept, or a signal.
async fn follow(
    service: &Aftercare,
    work: &mut Work,
    stored: &Stored,
    event: &contact_schedule::Event,
    form: Option<Form>,
) -> Result<()> {
    let (on, outcome) = match event {
        contact_schedule::Event::Started { .. } => return Ok(()),
        contact_schedule::Event::Held { on, .. } => (*on, contact_schedule::Outcome::Held),
        contact_schedule::Event::Missed { on, .. } => (*on, contact_schedule::Outcome::Missed),
        contact_schedule::Event::ContactLost => {
            let report = Report {
                id: SignalId(Uuid::now_v7()),
                client_id: stored.aftercare.client_id,
                municipality: Some(stored.aftercare.municipality.clone()),
                kind: Kind::ContactLost,
                severity: None,
                text: String::new(),
                source: Source::Chain,
            };
            return signal::receive(service, work, report).await;
        }
    };
    let organisation = form.is_some().then(|| work.organisation().clone());
    store::aftercare::add_contact(work, stored.aftercare.id, &Contact { on, outcome, form, organisation }).await
}

async fn keep(work: &mut Work, stored: &Stored) -> Result<()> {
    let Stored { aftercare, schedule, version, .. } = stored;
    store::aftercare::save(work, aftercare, schedule, *version).await?;
    look_again(work, REVIEW, aftercare.id, aftercare.client_id, aftercare.wake_at()).await?;
    let contact_at = aftercare.check_running().is_ok().then(|| Schedule::wake_at(schedule));
    look_again(work, CONTACT, aftercare.id, aftercare.client_id, contact_at).await
}

fn gone() -> chassis::Error {
    chassis::Error::inconsistent("aftercare", "aftercare_id", "an event left nothing")
}
