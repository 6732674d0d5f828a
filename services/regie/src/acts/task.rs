//! The road of a task: on the list, its warning and its last day, off the list.

use super::tell;
use crate::domain::task::{self, Command, Event, Kind, TaskId, Wanted};
use crate::store::task::Kept;
use crate::{Regie, events, store};
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Organisation, Role, Uuid};
use proto::regie::v1 as pb;

/// The kind of the deadlines that wake it.
pub const DEADLINE: &str = "task";

/// Puts a task on a list. One that is on it already goes to whoever and whenever is wanted now.
pub async fn open(regie: &Regie, work: &mut Work, id: TaskId, wanted: Wanted) -> Result<()> {
    let now = work.now;
    let subject = wanted.subject.clone().unwrap_or_default();
    let known = store::task::unfinished(work, wanted.kind, wanted.client_id, &subject).await?;
    let known = known.into_iter().find(|kept| wanted.is_same(&kept.task.wanted));
    if known.as_ref().is_some_and(|kept| kept.task.wanted == wanted) {
        return Ok(());
    }
    if let Some(late) = known.as_ref().filter(|kept| kept.task.overdue) {
        // What escalated because of the old day is settled by the new one.
        let id = late.task.id.to_string();
        Box::pin(fall_away(regie, work, Kind::Escalated, wanted.client_id, &id)).await?;
    }
    let municipality = match wanted.client_id {
        Some(client) => super::municipality_of(regie, work, client).await?,
        None => regie.register.home().clone(),
    };
    let policy = regie.policy.at(&municipality, now.date);
    let kept = match known {
        Some(kept) => {
            let fresh = task::open(kept.task.id, wanted, policy, &policy.calendar, now);
            let task = task::Task { state: kept.task.state, opened_at: kept.task.opened_at, ..fresh };
            Kept { task, version: kept.version }
        }
        None => Kept { task: task::open(id, wanted, policy, &policy.calendar, now), version: 0 },
    };
    follow(regie, work, kept, &[Event::Opened]).await?;
    Ok(())
}

/// Takes a task off the list because its cause is gone; no harm when it is not on it.
pub async fn fall_away(
    regie: &Regie,
    work: &mut Work,
    kind: Kind,
    client: Option<ClientId>,
    subject: &str,
) -> Result<()> {
    for kept in store::task::unfinished(work, kind, client, subject).await? {
        change(regie, work, kept, &Command::FallAway).await?;
    }
    Ok(())
}

/// Warns whoever has a task that its last day is near; no harm when they know, or when it is on no list.
pub async fn warn(regie: &Regie, work: &mut Work, kind: Kind, client: Option<ClientId>, subject: &str) -> Result<()> {
    for kept in store::task::unfinished(work, kind, client, subject).await? {
        change(regie, work, kept, &Command::Warn).await?;
    }
    Ok(())
}

/// Changes a task; gives it back as it is now.
pub async fn change(regie: &Regie, work: &mut Work, kept: Kept, command: &Command) -> Result<Kept> {
    let happened = task::decide(&kept.task, command, work.now)?;
    if happened.is_empty() {
        return Ok(kept);
    }
    let kept = Kept { task: happened.iter().fold(kept.task, task::apply), ..kept };
    follow(regie, work, kept, &happened).await
}

/// The timer: a warning or the last day is due.
pub async fn wake(regie: &Regie, work: &mut Work, deadline: &Deadline) -> Result<()> {
    let id = TaskId::parse("task_id", &deadline.subject)?;
    match store::task::by_id(work, id).await? {
        Some(kept) => change(regie, work, kept, &Command::Wake).await.map(drop),
        None => Ok(()),
    }
}

async fn follow(regie: &Regie, work: &mut Work, kept: Kept, happened: &[Event]) -> Result<Kept> {
    let today = work.now.date;
    let version = store::task::save(work, &kept, today).await?;
    let id = kept.task.id.to_string();
    match task::wakes_at(&kept.task) {
        Some(due_at) => {
            let client_id = kept.task.wanted.client_id;
            work.set_deadline(&Deadline { kind: DEADLINE.into(), subject: id, client_id, due_at }).await?;
        }
        None => work.clear_deadline(DEADLINE, &id).await?,
    }
    for event in happened {
        announce(regie, work, &kept.task, event).await?;
    }
    Ok(Kept { version, ..kept })
}

async fn announce(regie: &Regie, work: &mut Work, task: &task::Task, event: &Event) -> Result<()> {
    let wanted = &task.wanted;
    if wanted.kind.is_quiet() {
        return Ok(());
    }
    let (kind, organisation) = (events::task_kind(wanted.kind).into(), wanted.organisation.to_string());
    let (task_id, due_on) = (task.id.to_string(), Some(proto::from_date(wanted.due_on)));
    let subject_id = wanted.subject.clone().unwrap_or_default();
    let own = [wanted.organisation.clone()];
    match event {
        Event::Opened => {
            told(work, wanted, &own, &pb::TaskOpened { task_id, kind, organisation, due_on, subject_id }).await
        }
        Event::Taken { .. } => told(work, wanted, &own, &pb::TaskTaken { task_id, kind, organisation }).await,
        Event::Completed { outcome } => {
            let outcome = events::task_outcome(*outcome).into();
            told(work, wanted, &own, &pb::TaskCompleted { task_id, kind, organisation, outcome }).await?;
            // What escalated because of it is settled with it.
            let id = task.id.to_string();
            Box::pin(fall_away(regie, work, Kind::Escalated, wanted.client_id, &id)).await
        }
        Event::Approaching => {
            told(work, wanted, &own, &pb::DeadlineApproaching { kind, task_id, subject_id, due_on }).await
        }
        Event::Overdue => escalate(regie, work, task).await,
    }
}

/// The last day passed: the municipality hears of it, and has it on its own list (P7).
async fn escalate(regie: &Regie, work: &mut Work, task: &task::Task) -> Result<()> {
    let wanted = &task.wanted;
    let municipality = match wanted.client_id {
        Some(client) => super::municipality_of(regie, work, client).await?,
        None => regie.register.home().clone(),
    };
    let chief = regie.register.regie_of(&municipality).clone();
    let receivers: &[Organisation] = &[wanted.organisation.clone(), chief.clone()];
    let (kind, organisation) = (events::task_kind(wanted.kind).into(), wanted.organisation.to_string());
    let (task_id, due_on) = (task.id.to_string(), Some(proto::from_date(wanted.due_on)));
    let subject_id = wanted.subject.clone().unwrap_or_default();
    told(work, wanted, receivers, &pb::TaskOverdue { task_id: task_id.clone(), kind, organisation, due_on }).await?;
    told(work, wanted, receivers, &pb::DeadlineMissed { kind, task_id, subject_id, due_on }).await?;
    // What the municipality has on its own list stays there; the privacy officer's list is another.
    if wanted.organisation == chief && wanted.role != Some(Role::PrivacyOfficer) {
        return Ok(());
    }
    let policy = regie.policy.at(&municipality, work.now.date);
    let due_on = policy.calendar.add_working_days(work.now.date, policy.escalation_working_days);
    let escalated = Wanted {
        kind: Kind::Escalated,
        client_id: wanted.client_id,
        subject: Some(task.id.to_string()),
        organisation: chief,
        person: None,
        role: Some(Role::Regie),
        due_on,
        cause: None,
    };
    Box::pin(open(regie, work, TaskId(Uuid::now_v7()), escalated)).await
}

async fn told<E: prost::Message + prost::Name>(
    work: &mut Work,
    wanted: &Wanted,
    to: &[Organisation],
    event: &E,
) -> Result<()> {
    match wanted.client_id {
        Some(client) => tell(work, client, to, event).await,
        None => work.publish(None, to, event).await,
    }
}
