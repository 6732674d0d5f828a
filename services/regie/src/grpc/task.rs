//! The work list.

use super::{client_id, opt, organisation, required};
use crate::domain::process::facts::{Fact, Regie as Told};
use crate::domain::task::{Command, Kind, Outcome, State, Task, TaskId, Wanted};
use crate::store::task::{Filter, Kept};
use crate::{Regie, acts, events, outgoing, store};
use chassis::{Page, Result, Work};
use kernel::{Date, Role};
use proto::regie::v1::*;

pub async fn list(regie: &Regie, work: &mut Work, m: &ListTasksRequest) -> Result<ListTasksResponse> {
    let page = Page::read(m.page_size, &m.page_token, 200)?;
    let own = work.organisation().clone();
    let asked = opt(&m.organisation).map(|code| organisation("organisation", code)).transpose()?;
    // Only the municipality sees beyond its own list; for others the scope leaves nothing else anyway.
    let of = (!m.all_organisations).then(|| asked.unwrap_or(own));
    let (roles, person) = (work.roles(), work.actor().subject.clone());
    let filter = Filter {
        roles: &roles,
        person: &person,
        organisation: of.as_ref(),
        client: opt(&m.client_id).map(client_id).transpose()?,
        state: match m.state() {
            TaskState::Unspecified => "",
            TaskState::Open => "open",
            TaskState::Taken => "taken",
            TaskState::Finished => "finished",
        },
        overdue_only: m.overdue_only,
        after: (page.text(0), page.text(1)),
        limit: page.limit,
    };
    let (scope, today) = (work.scope(), work.now.date);
    let mut rows = store::task::list(work, &scope, &filter, today).await?;
    let key = |kept: &Kept| vec![kept.task.wanted.due_on.to_string(), kept.task.id.to_string()];
    let next_page_token = page.cut(&mut rows, key);
    let (mut tasks, safe) = (Vec::new(), work.safe_contacts().await?);
    for kept in &rows {
        if let Some(client) = kept.task.wanted.client_id {
            work.touched(client);
        }
        let contacts = contacts(regie, work, &kept.task).await?;
        let safe_contact = kept.task.wanted.client_id.and_then(|client| safe.get(&client).cloned());
        tasks.push(TaskView { contacts, safe_contact, ..view(kept, today) });
    }
    Ok(ListTasksResponse { tasks, next_page_token })
}

/// Whom to call about a crisis, at this hour (R-REG-30).
async fn contacts(regie: &Regie, work: &mut Work, task: &Task) -> Result<Vec<DutyContact>> {
    let Some(client) = task.wanted.client_id.filter(|_| task.wanted.kind.is_crisis()) else { return Ok(Vec::new()) };
    let municipality = acts::municipality_of(regie, work, client).await?;
    Ok(super::list::contacts(regie, &municipality, work.now))
}

fn view(kept: &Kept, today: Date) -> TaskView {
    let Task { id, wanted, state, opened_at, warn_on, warned, .. } = &kept.task;
    let finished = matches!(state, State::Finished { .. });
    let (by, outcome) = match state {
        State::Open => (String::new(), TaskOutcome::Unspecified),
        State::Taken { by } => (by.clone(), TaskOutcome::Unspecified),
        State::Finished { outcome } => (String::new(), events::task_outcome(*outcome)),
    };
    TaskView {
        task_id: id.to_string(),
        version: kept.version,
        kind: events::task_kind(wanted.kind).into(),
        title: wanted.kind.title().to_owned(),
        client_id: wanted.client_id.map(|client| client.to_string()).unwrap_or_default(),
        subject_id: wanted.subject.clone().unwrap_or_default(),
        organisation: wanted.organisation.to_string(),
        person: wanted.person.clone().unwrap_or_default(),
        role: wanted.role.map_or("", Role::as_str).to_owned(),
        state: task_state(state).into(),
        taken_by: by,
        opened_at: Some(super::view::instant(*opened_at)),
        due_on: Some(proto::from_date(wanted.due_on)),
        approaching: !finished && (*warned || warn_on.is_none_or(|day| day <= today)),
        overdue: !finished && wanted.due_on < today,
        cause: wanted.cause.clone().unwrap_or_default(),
        outcome: outcome.into(),
        contacts: Vec::new(),
        safe_contact: None,
    }
}

fn task_state(state: &State) -> TaskState {
    match state {
        State::Open => TaskState::Open,
        State::Taken { .. } => TaskState::Taken,
        State::Finished { .. } => TaskState::Finished,
    }
}

/// Loads a task that the caller may have to do with, and walks its road.
/// Also says whether anything changed.
async fn change(regie: &Regie, work: &mut Work, id: &str, seen: i64, command: &Command) -> Result<(Kept, bool)> {
    let id = TaskId::parse("task_id", id)?;
    let kept = store::task::by_id(work, id).await?.ok_or_else(|| Work::unknown("task"))?;
    let (client, organisation) = (kept.task.wanted.client_id, kept.task.wanted.organisation.clone());
    work.permit_merged_too("task", client, &[&organisation]).await?;
    // Another desk of the same organisation may not know of it.
    let done_here = |role| work.acts_as(role) || work.acts_as(Role::Regie);
    if !kept.task.wanted.role.is_none_or(done_here) || !is_seen(work, &kept.task.wanted).await? {
        return Err(Work::unknown("task"));
    }
    work.expect_version(seen, kept.version)?;
    let before = kept.version;
    let kept = acts::task::change(regie, work, kept, command).await?;
    let changed = kept.version != before;
    Ok((kept, changed))
}

/// Whether the caller may know of a task that is kept quiet: by a relation of their own, as the list asks it (R-REG-28).
async fn is_seen(work: &mut Work, wanted: &Wanted) -> Result<bool> {
    let Some(client) = wanted.client_id.filter(|_| wanted.kind.is_quiet() && !work.acts_as(Role::Regie)) else {
        return Ok(true);
    };
    let caller = work.actor().clone();
    let person = wanted.person.as_deref();
    Ok(person.is_none_or(|person| person == caller.subject)
        && work.has_relation(client, &caller.organisation, person).await?)
}

pub async fn take(regie: &Regie, work: &mut Work, m: &TakeTaskRequest) -> Result<TakeTaskResponse> {
    let command = Command::Take { by: work.actor().subject.clone(), over: work.acts_as(Role::Regie) };
    let (kept, _) = change(regie, work, &m.task_id, m.expected_version, &command).await?;
    let state = task_state(&kept.task.state).into();
    Ok(TakeTaskResponse { task_id: kept.task.id.to_string(), version: kept.version, state })
}

pub async fn complete(regie: &Regie, work: &mut Work, m: &CompleteTaskRequest) -> Result<CompleteTaskResponse> {
    let outcome = match m.outcome() {
        TaskOutcome::Done => Some(Outcome::Done),
        TaskOutcome::NotNeeded => Some(Outcome::NotNeeded),
        TaskOutcome::Repeat => Some(Outcome::Repeat),
        TaskOutcome::Unspecified | TaskOutcome::FellAway => None,
    };
    let outcome = required("outcome", outcome)?;
    let (kept, changed) = change(regie, work, &m.task_id, m.expected_version, &Command::Complete { outcome }).await?;
    if changed {
        settle(regie, work, &kept.task).await?;
    }
    let state = task_state(&kept.task.state).into();
    Ok(CompleteTaskResponse { task_id: kept.task.id.to_string(), version: kept.version, state })
}

/// A refused command that was done by hand, or is to be sent again, stands from now on and can be undone again (P4).
async fn settle(regie: &Regie, work: &mut Work, task: &Task) -> Result<()> {
    let State::Finished { outcome: outcome @ (Outcome::Done | Outcome::Repeat) } = &task.state else { return Ok(()) };
    let Task {
        wanted: Wanted { kind: Kind::SettleRefusedCommand, client_id: Some(client), subject: Some(command), .. },
        ..
    } = task
    else {
        return Ok(());
    };
    let request_id = TaskId::parse("subject", command)?.0;
    if *outcome == Outcome::Repeat {
        outgoing::repeat(work, *client, request_id).await?;
    }
    acts::process::feed(regie, work, *client, Fact::Regie(Told::CommandSettled { request_id }), None).await
}
