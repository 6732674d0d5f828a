//! Tasks, and the work list in one query.

use super::{key, key_opt};
use crate::domain::task::{Kind, Outcome, State, Task, TaskId, Wanted};
use chassis::{Error, Result, Row, Scope, Tx, args};
use kernel::{ClientId, Date, Organisation, Role};

/// A task with what the rows around it need.
pub struct Kept {
    /// The task.
    pub task: Task,
    /// Counts up with each change.
    pub version: i64,
}

/// The columns of a task, in every query.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select t.task_id, t.version, t.kind, t.client_id, t.subject, t.organisation, t.person, t.state, t.taken_by, \
             t.outcome, t.opened_at, t.due_on, t.warn_on, t.warned, t.overdue, t.cause, t.role, t.finished_on \
             from task t ",
            $rest
        )
    };
}

/// What somebody wants on a work list.
pub struct Filter<'a> {
    /// The roles in which the caller reads it: a task is seen by who does it, and by whoever sees everything.
    pub roles: &'a [Role],
    /// Of this organisation only; none for every one in the scope.
    pub organisation: Option<&'a Organisation>,
    /// Who reads it: what is kept quiet is seen by those only who protect the client themselves.
    pub person: &'a str,
    /// About this client only.
    pub client: Option<ClientId>,
    /// In this state only; empty for all that are not finished.
    pub state: &'a str,
    /// Only what is overdue.
    pub overdue_only: bool,
    /// After this one: its last day and its id.
    pub after: (&'a str, &'a str),
    /// How many.
    pub limit: i64,
}

fn outcome_key(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::NotNeeded => "not_needed",
        Outcome::FellAway => "fell_away",
        Outcome::Repeat => "repeat",
    }
}

fn outcome_from(key: &str) -> Option<Outcome> {
    [Outcome::Done, Outcome::NotNeeded, Outcome::FellAway, Outcome::Repeat].into_iter().find(|o| outcome_key(*o) == key)
}

fn read(row: &Row) -> Result<Kept> {
    let (by, outcome) = (row.get::<Option<String>>("taken_by")?, key_opt(row, "outcome", outcome_from)?);
    let state = match (row.get::<String>("state")?.as_str(), by, outcome) {
        ("open", None, None) => State::Open,
        ("taken", Some(by), None) => State::Taken { by },
        ("finished", _, Some(outcome)) => State::Finished { outcome },
        _ => return Err(Error::inconsistent("task", "state", "does not fit the other columns")),
    };
    let subject: String = row.get("subject")?;
    let task = Task {
        id: TaskId(row.get("task_id")?),
        wanted: Wanted {
            kind: key(row, "kind", Kind::from_key)?,
            client_id: row.get("client_id")?,
            subject: Some(subject).filter(|s| !s.is_empty()),
            organisation: row.get("organisation")?,
            person: row.get("person")?,
            role: role(row)?,
            due_on: row.get("due_on")?,
            cause: row.get("cause")?,
        },
        state,
        opened_at: row.get("opened_at")?,
        warn_on: row.get("warn_on")?,
        warned: row.get("warned")?,
        overdue: row.get("overdue")?,
    };
    Ok(Kept { task, version: row.get("version")? })
}

fn role(row: &Row) -> Result<Option<Role>> {
    match row.get::<String>("role")?.as_str() {
        "" => Ok(None),
        _ => key(row, "role", Role::from_key).map(Some),
    }
}

/// One task.
pub async fn by_id(tx: &mut Tx, id: TaskId) -> Result<Option<Kept>> {
    let row = tx.row(select!("where task_id = $1"), args![id.0]).await?;
    row.as_ref().map(read).transpose()
}

/// The tasks about something while they are on a list: one, but for a kind of which each has their own.
pub async fn unfinished(tx: &mut Tx, kind: Kind, client: Option<ClientId>, subject: &str) -> Result<Vec<Kept>> {
    let rows = tx
        .rows(
            select!("where kind = $1 and client_id = $2 and subject = $3 and state <> 'finished'"),
            args![kind.as_str(), client, subject],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The unfinished tasks of these kinds about a client.
pub async fn unfinished_of(tx: &mut Tx, client: ClientId, kinds: &[Kind]) -> Result<Vec<Kept>> {
    let rows = tx.rows(select!("where client_id = $1 and state <> 'finished' order by task_id"), args![client]).await?;
    let mut tasks = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    tasks.retain(|kept| kinds.contains(&kept.task.wanted.kind));
    Ok(tasks)
}

/// The tasks of these kinds about a client, oldest first, each with the day on which it came off the list.
pub async fn asked(tx: &mut Tx, client: ClientId, kinds: &[Kind]) -> Result<Vec<(Task, Option<Date>)>> {
    let rows = tx.rows(select!("where client_id = $1 order by opened_at, task_id"), args![client]).await?;
    let mut asked = Vec::new();
    for row in &rows {
        let task = read(row)?.task;
        if kinds.contains(&task.wanted.kind) {
            asked.push((task, row.get("finished_on")?));
        }
    }
    Ok(asked)
}

/// Keeps a task as it is on this day; returns the new version.
pub async fn save(tx: &mut Tx, kept: &Kept, today: Date) -> Result<i64> {
    let Kept { task, version } = kept;
    let (state, by, outcome) = match &task.state {
        State::Open => ("open", None, None),
        State::Taken { by } => ("taken", Some(by), None),
        State::Finished { outcome } => ("finished", None, Some(outcome_key(*outcome))),
    };
    let wanted = &task.wanted;
    tx.keep(
        "insert into task (task_id, version, kind, client_id, subject, organisation, person, state, taken_by, outcome,
                           opened_at, due_on, warn_on, warned, overdue, cause, role, finished_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (task_id) do update
         set version = excluded.version, organisation = excluded.organisation, person = excluded.person,
             state = excluded.state, taken_by = excluded.taken_by, outcome = excluded.outcome, due_on = excluded.due_on,
             warn_on = excluded.warn_on, warned = excluded.warned, overdue = excluded.overdue, cause = excluded.cause,
             role = excluded.role, finished_on = excluded.finished_on",
        args![
            task.id.0,
            version + 1,
            wanted.kind.as_str(),
            wanted.client_id,
            wanted.subject.as_deref().unwrap_or(""),
            &wanted.organisation,
            wanted.person.as_ref(),
            state,
            by,
            outcome,
            task.opened_at,
            wanted.due_on,
            task.warn_on,
            task.warned,
            task.overdue,
            wanted.cause.as_ref(),
            wanted.role.map_or("", Role::as_str),
            outcome.map(|_| today)
        ],
    )
    .await?;
    Ok(version + 1)
}

/// A work list, what is due first coming first.
pub async fn list(tx: &mut Tx, scope: &Scope, filter: &Filter<'_>, today: Date) -> Result<Vec<Kept>> {
    let mut args = scope.args();
    let organisation = filter.organisation.map_or("", Organisation::as_str);
    let (due_on, last) = filter.after;
    let client = filter.client.map(|c| c.to_string()).unwrap_or_default();
    // Between commas, so that one key is never found in another.
    let roles: String = filter.roles.iter().map(|role| format!(",{role}")).chain([",".to_owned()]).collect();
    args.extend(args![organisation, client, filter.state, filter.overdue_only, today, due_on, last, filter.limit + 1]);
    args.extend(args![roles, filter.person, Kind::KeepApart.as_str()]);
    let rows = tx
        .rows(
            select!(
                "where ($1 or ($2 and t.organisation = $4) or t.client_id = $6
                    or ($3 and exists (select 1 from relation r where r.client_id = t.client_id and r.organisation = $4
                                       and r.person = $5 and r.ended_at is null)))
               and ($1 or t.role = '' or $15 like '%,' || t.role || ',%')
               and ($1 or t.kind <> $17 or exists (select 1 from relation r where r.client_id = t.client_id and r.organisation = $4
                                                   and r.person = coalesce(t.person, '') and r.person in ('', $16)
                                                   and r.ended_at is null))
               and ($7 = '' or t.organisation = $7) and ($8 = '' or t.client_id = $8)
               and (t.state = $9 or ($9 = '' and t.state <> 'finished'))
               and (not $10 or (t.due_on < $11 and t.state <> 'finished'))
               and (t.due_on > $12 or (t.due_on = $12 and t.task_id > $13))
             order by t.due_on, t.task_id limit $14"
            ),
            args,
        )
        .await?;
    rows.iter().map(read).collect()
}
