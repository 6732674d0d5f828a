//! What retention terms are counted from, what is kept longer, and which terms are over.

use super::{key, key_opt};
use crate::domain::case::CloseReason;
use crate::domain::retention::{End, Ground, Keeping, KeepingGround, KeepingId, Known, Part, RetentionId};
use chassis::{Error, Result, Tx, args};
use jiff::Timestamp;
use kernel::{ClientId, Date, Moment};
use store::Retention::Plan;

/// What a client's terms are counted from. What this very rule brought about makes nothing later.
pub async fn known(tx: &mut Tx, client: ClientId) -> Result<Known> {
    let rows = tx
        .rows(
            "select closed_on, close_reason, plan_edition,
                    (select count(*) from goal g where g.case_id = c.case_id) as goals
             from client_case c where client_id = $1",
            args![client],
        )
        .await?;
    let mut known = Known::default();
    for row in &rows {
        let reason = key_opt(row, "close_reason", CloseReason::from_key)?;
        known.cases.push(row.get::<Option<Date>>("closed_on")?.zip(reason));
        known.plan |= row.get::<i64>("plan_edition")? > 0 || row.get::<i64>("goals")? > 0;
    }
    let destroyed = "select 1 as one from retention_end where client_id = $1 and part = 'plan'";
    let gone = tx.sealer().is_destroyed(Plan.of(client)) || tx.row(destroyed, args![client]).await?.is_some();
    // What was made since is sealed as a part of the file.
    known.plan &= !gone;
    let made = "select max(recorded_at) as last from timeline
                where client_id = $1 and type not like 'nl.doorstroom.regie.retention-%'";
    let made = tx.row(made, args![client]).await?.map(|row| row.get::<Option<Timestamp>>("last")).transpose()?;
    known.last_made = made.flatten().map(|at| Moment::of(at).date);
    let provision = "select 1 as one from provision where client_id = $1";
    known.provision = tx.row(provision, args![client]).await?.is_some();
    Ok(known)
}

/// Keeps that a client had a provision.
pub async fn provided(tx: &mut Tx, client: ClientId, since: Date) -> Result<()> {
    let insert = "insert into provision (client_id, since) values ($1, $2) on conflict (client_id) do nothing";
    tx.keep(insert, args![client, since]).await?;
    Ok(())
}

/// Every decision to keep something of a client longer, oldest first.
pub async fn keepings(tx: &mut Tx, client: ClientId) -> Result<Vec<Keeping>> {
    let rows = tx
        .rows(
            "select keeping_id, ground, until_on, decided_on, ended_on from keeping where client_id = $1
             order by keeping_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Keeping {
                id: KeepingId(row.get("keeping_id")?),
                ground: key(row, "ground", KeepingGround::from_key)?,
                until: row.get("until_on")?,
                decided_on: row.get("decided_on")?,
                ended_on: row.get("ended_on")?,
            })
        })
        .collect()
}

/// Keeps a new decision, and who took it.
pub async fn keep(tx: &mut Tx, client: ClientId, keeping: &Keeping, by: &str) -> Result<()> {
    let Keeping { id, ground, until, decided_on, .. } = keeping;
    tx.run(
        "insert into keeping (keeping_id, client_id, ground, until_on, decided_on, decided_by)
         values ($1, $2, $3, $4, $5, $6)",
        args![id.0, client, ground.as_str(), *until, *decided_on, by],
    )
    .await?;
    Ok(())
}

/// Keeps that a decision was ended, and by whom.
pub async fn release(tx: &mut Tx, keeping: &Keeping, by: &str) -> Result<()> {
    let update = "update keeping set ended_on = $2, ended_by = $3 where keeping_id = $1";
    tx.run(update, args![keeping.id.0, keeping.ended_on, by]).await?;
    Ok(())
}

/// Keeps that a term is over.
pub async fn ended(tx: &mut Tx, client: ClientId, id: RetentionId, end: &End, policy_version: &str) -> Result<()> {
    let End { part, ground, last_day } = end;
    tx.run(
        "insert into retention_end (retention_id, client_id, part, ground, last_day, policy_version)
         values ($1, $2, $3, $4, $5, $6)",
        args![id.0, client, part.as_str(), ground.as_str(), *last_day, policy_version],
    )
    .await?;
    Ok(())
}

/// A term that is over.
pub async fn end(tx: &mut Tx, id: RetentionId) -> Result<End> {
    let select = "select part, ground, last_day from retention_end where retention_id = $1";
    let row = tx.row(select, args![id.0]).await?;
    let row = row.ok_or_else(|| Error::inconsistent("retention_end", "retention_id", "is not there"))?;
    Ok(End {
        part: key(&row, "part", Part::from_key)?,
        ground: key(&row, "ground", Ground::from_key)?,
        last_day: row.get("last_day")?,
    })
}

/// Takes away the plan of a client: the goals, and why the client was not there when it was made.
pub async fn forget_plan(tx: &mut Tx, client: ClientId) -> Result<()> {
    for sql in [
        "delete from goal where case_id in (select case_id from client_case where client_id = $1)",
        "update client_case set plan_absence = null where client_id = $1",
    ] {
        tx.run(sql, args![client]).await?;
    }
    Ok(())
}
