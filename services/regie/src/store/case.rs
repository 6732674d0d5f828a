//! Cases with their goals, scores and the history of who held them.

use super::{from_json, key, key_opt, to_json};
use crate::domain::case::{
    Assignee, AssignmentReason, Case, CaseId, CloseReason, Event, Goal, GoalId, GoalOutcome, GoalOwner, Guidance,
    LifeDomain, ScoreMoment, Scoring,
};
use chassis::{Error, Result, Row, Scope, Tx, args};
use jiff::Timestamp;
use kernel::{ClientId, Date, Moment, Municipality, Organisation, Uuid};
use std::collections::BTreeMap;
use store::Retention::{self, Plan};

/// A case as it stands, with its version.
pub struct Kept {
    /// The case.
    pub case: Case,
    /// Counts up with each change.
    pub version: i64,
}

/// Which of the two histories an assignment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// Case holder.
    Caseholder,
    /// Supervisor.
    Supervisor,
}

impl Post {
    fn as_str(self) -> &'static str {
        match self {
            Post::Caseholder => "caseholder",
            Post::Supervisor => "supervisor",
        }
    }
}

/// One row of that history.
pub struct Assigned {
    /// Who.
    pub to: Assignee,
    /// From when.
    pub since: Date,
    /// Why.
    pub reason: AssignmentReason,
}

/// A row of a list of cases.
pub struct Listed {
    /// The case.
    pub id: CaseId,
    /// The client.
    pub client: ClientId,
    /// Who is responsible.
    pub municipality: Municipality,
    /// Since when.
    pub opened_on: Date,
    /// Until when.
    pub closed_on: Option<Date>,
    /// The organisation of the case holder.
    pub holder: Option<Organisation>,
    /// The instant of opening, by which the list is sorted.
    pub opened_at: Timestamp,
}

/// What [`read`] reads; it does not ask for goals and scores that are not there.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "select case_id, client_id, version, municipality, opened_on, closed_on, close_reason, holder_person,
                    holder_organisation, holder_deputy, supervisor_person, supervisor_organisation, supervisor_changes,
                    plan_edition, plan_adopted_on, guidance,
                    (select count(*) from goal g where g.case_id = c.case_id) as goals,
                    (select count(*) from scoring s where s.case_id = c.case_id) as scores
             from client_case c ",
            $tail
        )
    };
}

/// The client's open case, or else the last one.
pub async fn newest(tx: &mut Tx, client: ClientId) -> Result<Option<Kept>> {
    const SQL: &str =
        select!("where client_id = $1 order by case when closed_on is null then 0 else 1 end, opened_at desc limit 1");
    match tx.row(SQL, args![client]).await? {
        Some(row) => Ok(Some(read(tx, client, &row).await?)),
        None => Ok(None),
    }
}

/// One case of the client.
pub async fn by_id(tx: &mut Tx, client: ClientId, id: CaseId) -> Result<Option<Kept>> {
    match tx.row(select!("where client_id = $1 and case_id = $2"), args![client, id.0]).await? {
        Some(row) => Ok(Some(read(tx, client, &row).await?)),
        None => Ok(None),
    }
}

async fn read(tx: &mut Tx, client: ClientId, row: &Row) -> Result<Kept> {
    let id = CaseId(row.get("case_id")?);
    let rows = match row.get::<i64>("goals")? {
        0 => Vec::new(),
        _ => {
            const SQL: &str =
                "select goal_id, domain, words, class, owner, due_on, outcome, decided_on from goal where case_id = $1";
            tx.rows(SQL, args![id.0]).await?
        }
    };
    let sealer = tx.sealer();
    let mut goals = BTreeMap::new();
    for row in &rows {
        let goal_id: Uuid = row.get("goal_id")?;
        let words: Vec<u8> = row.get("words")?;
        let outcome = key_opt(row, "outcome", GoalOutcome::from_key)?;
        let goal = Goal {
            domain: key(row, "domain", LifeDomain::from_key)?,
            text: sealer.open(class_of(row)?.of(client), "goal.words", goal_id, &words).await?.or_empty(),
            owner: key(row, "owner", GoalOwner::from_key)?,
            due_on: row.get("due_on")?,
            decided: outcome.zip(row.get::<Option<Date>>("decided_on")?),
        };
        goals.insert(GoalId(goal_id), goal);
    }
    let scores = match row.get::<i64>("scores")? {
        0 => Vec::new(),
        _ => {
            const SQL: &str =
                "select moment, scored_on, levels from scoring where case_id = $1 order by recorded_at, scoring_id";
            tx.rows(SQL, args![id.0]).await?
        }
    };
    let scoring = |row: &Row| {
        Ok(Scoring {
            moment: key(row, "moment", ScoreMoment::from_key)?,
            scored_on: row.get("scored_on")?,
            levels: from_json(row, "levels")?,
        })
    };
    let closed_on: Option<Date> = row.get("closed_on")?;
    let case = Case {
        id,
        municipality: row.get("municipality")?,
        opened_on: row.get("opened_on")?,
        closed: closed_on.zip(key_opt(row, "close_reason", CloseReason::from_key)?),
        holder: assignee(row, ["holder_person", "holder_organisation", "holder_deputy"])?,
        supervisor: assignee(row, ["supervisor_person", "supervisor_organisation", ""])?,
        supervisor_changes: row.get("supervisor_changes")?,
        plan: Some(row.get::<u32>("plan_edition")?).zip(row.get::<Option<Date>>("plan_adopted_on")?),
        goals,
        scores: scores.iter().map(scoring).collect::<Result<_>>()?,
        guidance: key_opt(row, "guidance", Guidance::from_key)?,
    };
    Ok(Kept { case, version: row.get("version")? })
}

fn assignee(row: &Row, [person, organisation, deputy]: [&str; 3]) -> Result<Option<Assignee>> {
    let (Some(person), Some(organisation)) =
        (row.get::<Option<String>>(person)?, row.get::<Option<Organisation>>(organisation)?)
    else {
        return Ok(None);
    };
    let deputy = if deputy.is_empty() { None } else { row.get(deputy)? };
    Ok(Some(Assignee { person, organisation, deputy }))
}

/// Keeps a case that was just opened.
pub async fn insert(tx: &mut Tx, client: ClientId, case: &Case, now: Moment) -> Result<()> {
    tx.keep(
        "insert into client_case (case_id, client_id, version, municipality, opened_on, opened_at, supervisor_changes,
                                  plan_edition)
         values ($1, $2, 1, $3, $4, $5, 0, 0)",
        args![case.id.0, client, &case.municipality, case.opened_on, now.at],
    )
    .await?;
    Ok(())
}

/// Keeps a case as it is now, with the rows that the events add; returns the new version.
pub async fn save(tx: &mut Tx, client: ClientId, kept: &Kept, events: &[Event], now: Moment) -> Result<i64> {
    let case = &kept.case;
    let version = kept.version + 1;
    let (holder, supervisor) = (case.holder.as_ref(), case.supervisor.as_ref());
    tx.keep(
        "update client_case set version = $2, closed_on = $3, close_reason = $4, holder_person = $5, holder_organisation = $6,
                holder_deputy = $7, supervisor_person = $8, supervisor_organisation = $9, supervisor_changes = $10,
                plan_edition = $11, plan_adopted_on = $12, guidance = $13
         where case_id = $1",
        args![
            case.id.0,
            version,
            case.closed.map(|(on, _)| on),
            case.closed.map(|(_, reason)| reason.as_str()),
            holder.map(|a| &a.person),
            holder.map(|a| &a.organisation),
            holder.and_then(|a| a.deputy.as_ref()),
            supervisor.map(|a| &a.person),
            supervisor.map(|a| &a.organisation),
            case.supervisor_changes,
            case.plan.map_or(0, |(edition, _)| edition),
            case.plan.map(|(_, on)| on),
            case.guidance.map(Guidance::as_str),
        ],
    )
    .await?;
    for event in events {
        keep(tx, client, case, event, now).await?;
    }
    Ok(version)
}

async fn keep(tx: &mut Tx, client: ClientId, case: &Case, event: &Event, now: Moment) -> Result<()> {
    match event {
        Event::HolderChanged { to, reason } => assign(tx, case.id, Post::Caseholder, to, *reason, now).await,
        Event::SupervisorChanged { to, reason, .. } => assign(tx, case.id, Post::Supervisor, to, *reason, now).await,
        Event::PlanAdopted { absence_reason: Some(why), .. } => {
            let class = class_now(tx, client);
            let sealed = tx.sealer().seal(class.of(client), "client_case.plan_absence", case.id, why).await?;
            let update = "update client_case set plan_absence = $2, plan_absence_class = $3 where case_id = $1";
            tx.keep(update, args![case.id.0, sealed, class.as_str()]).await?;
            Ok(())
        }
        Event::GoalSet { id, goal } => {
            let class = class_now(tx, client);
            let words = tx.sealer().seal(class.of(client), "goal.words", id, &goal.text).await?;
            tx.keep(
                "insert into goal (goal_id, case_id, domain, words, class, owner, due_on)
                 values ($1, $2, $3, $4, $5, $6, $7)
                 on conflict (goal_id) do update
                 set domain = excluded.domain, words = excluded.words, class = excluded.class, owner = excluded.owner,
                     due_on = excluded.due_on",
                args![id.0, case.id.0, goal.domain.as_str(), words, class.as_str(), goal.owner.as_str(), goal.due_on],
            )
            .await?;
            Ok(())
        }
        Event::GoalDecided { id, outcome, on, .. } => {
            let args = args![id.0, outcome.as_str(), *on];
            tx.keep("update goal set outcome = $2, decided_on = $3 where goal_id = $1", args).await?;
            Ok(())
        }
        Event::ScoresRecorded(scoring) => {
            tx.keep(
                "insert into scoring (scoring_id, case_id, moment, scored_on, levels, recorded_at)
                 values ($1, $2, $3, $4, $5, $6)",
                args![
                    Uuid::now_v7(),
                    case.id.0,
                    scoring.moment.as_str(),
                    scoring.scored_on,
                    to_json(&scoring.levels)?,
                    now.at
                ],
            )
            .await?;
            Ok(())
        }
        Event::PlanAdopted { .. } | Event::GuidanceSet(_) | Event::Closed { .. } => Ok(()),
    }
}

/// The class under which a plan is sealed. When an earlier one of the client was over its term its key is gone for good, and
/// what is made since is a part of the file (R-REG-23).
fn class_now(tx: &Tx, client: ClientId) -> Retention {
    if tx.sealer().is_destroyed(Plan.of(client)) { Retention::File } else { Plan }
}

/// The class under which a row was sealed.
fn class_of(row: &Row) -> Result<Retention> {
    match row.get::<String>("class")?.as_str() {
        "plan" => Ok(Plan),
        "file" => Ok(Retention::File),
        _ => Err(Error::inconsistent("goal", "class", "is none of a plan")),
    }
}

async fn assign(
    tx: &mut Tx,
    case: CaseId,
    post: Post,
    to: &Assignee,
    reason: AssignmentReason,
    now: Moment,
) -> Result<()> {
    tx.keep(
        "insert into assignment (assignment_id, case_id, kind, person, organisation, deputy, since, reason, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            Uuid::now_v7(),
            case.0,
            post.as_str(),
            &to.person,
            &to.organisation,
            to.deputy.as_ref(),
            now.date,
            reason.as_str(),
            now.at
        ],
    )
    .await?;
    Ok(())
}

/// Who held a post, newest first.
pub async fn assigned(tx: &mut Tx, case: CaseId, post: Post) -> Result<Vec<Assigned>> {
    let rows = tx
        .rows(
            "select person, organisation, deputy, since, reason from assignment
             where case_id = $1 and kind = $2 order by recorded_at desc, assignment_id desc",
            args![case.0, post.as_str()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Assigned {
                to: Assignee {
                    person: row.get("person")?,
                    organisation: row.get("organisation")?,
                    deputy: row.get("deputy")?,
                },
                since: row.get("since")?,
                reason: key(row, "reason", AssignmentReason::from_key)?,
            })
        })
        .collect()
}

/// The cases that somebody may see, newest first.
pub async fn list(
    tx: &mut Tx,
    scope: &Scope,
    include_closed: bool,
    municipality: &str,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let (before, last) = after.unwrap_or((Timestamp::MAX, Uuid::max()));
    let mut args = scope.args();
    args.extend(args![include_closed, municipality, before, last, limit + 1]);
    let rows = tx
        .rows(
            "select t.case_id, t.client_id, t.municipality, t.opened_on, t.closed_on, t.holder_organisation, t.opened_at
             from client_case t
             where ($1 or ($2 and t.holder_organisation = $4) or t.client_id = $6
                    or ($3 and exists (select 1 from relation r where r.client_id = t.client_id and r.organisation = $4
                                       and r.person = $5 and r.ended_at is null)))
               and ($7 or t.closed_on is null) and ($8 = '' or t.municipality = $8)
               and (t.opened_at < $9 or (t.opened_at = $9 and t.case_id < $10))
             order by t.opened_at desc, t.case_id desc limit $11",
            args,
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                id: CaseId(row.get("case_id")?),
                client: row.get("client_id")?,
                municipality: row.get("municipality")?,
                opened_on: row.get("opened_on")?,
                closed_on: row.get("closed_on")?,
                holder: row.get("holder_organisation")?,
                opened_at: row.get("opened_at")?,
            })
        })
        .collect()
}
