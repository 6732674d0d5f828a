//! Handovers.

use super::{lost_race, open, seal};
use crate::domain::handover::{Brief, Due, Handover, Stage};
use crate::domain::{AllocationId, HandoverId};
use chassis::{Error, Result, Row, Scope, Work, args};
use kernel::ClientId;
use store::Retention::File;
use store::{Relation, code, json};
use uuid::Uuid;

const FORM: &str = "handover.form";
const NOTE: &str = "handover.return_note";

/// The columns of a handover, in every query.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select h.handover_id, h.version, h.client_id, h.allocation_id, h.from_organisation, h.to_organisation, \
             h.municipality, h.district, h.move_on, h.state, h.due_on, h.warn_on, h.overdue, h.assigned, h.form, \
             h.return_reason, h.return_note, h.first_filled_at from handover h ",
            $rest
        )
    };
}

/// One handover and its version.
pub async fn load(work: &mut Work, id: HandoverId) -> Result<Option<(Handover, i64)>> {
    let row = work.row(select!("where h.handover_id = $1"), args![id.0]).await?;
    match row {
        Some(row) => Ok(Some(read(work, &row).await?)),
        None => Ok(None),
    }
}

/// The handover of an allocation and its version.
pub async fn of_allocation(work: &mut Work, id: AllocationId) -> Result<Option<(Handover, i64)>> {
    let row = work.row(select!("where h.allocation_id = $1"), args![id.0]).await?;
    match row {
        Some(row) => Ok(Some(read(work, &row).await?)),
        None => Ok(None),
    }
}

/// The handovers that the caller gives or receives, newest first.
pub async fn list(
    work: &mut Work,
    scope: &Scope,
    state: &str,
    before: &str,
    limit: i64,
) -> Result<Vec<(Handover, i64)>> {
    let rows = work
        .rows(
            select!(
                "where ($1 or ($2 and $3 in (h.from_organisation, h.to_organisation)))
                 and ($4 = '' or h.state = $4) and ($5 = '' or h.handover_id < $5)
                 order by h.handover_id desc limit $6"
            ),
            args![scope.everything, scope.own, &scope.organisation, state, before, limit],
        )
        .await?;
    let mut handovers = Vec::with_capacity(rows.len());
    for row in &rows {
        handovers.push(read(work, row).await?);
    }
    Ok(handovers)
}

/// Keeps a handover at its next version.
pub async fn save(work: &mut Work, handover: &Handover, version: i64) -> Result<()> {
    let (id, key) = (handover.id, File.of(handover.brief.client_id));
    let form = handover.form.as_ref().map(json).unwrap_or_default();
    let (reason, note) = handover.returned.as_ref().map_or((None, ""), |(reason, note)| (Some(code(reason)), note));
    let due = handover.waiting_for().map(|(_, due)| *due);
    let values = args![
        id.0,
        version,
        handover.brief.client_id,
        handover.brief.allocation_id.0,
        &handover.brief.from,
        &handover.brief.to,
        &handover.brief.municipality,
        handover.brief.district.as_ref(),
        handover.brief.move_on,
        state(&handover.stage),
        due.map(|due| due.on),
        due.and_then(|due| due.warn_on),
        due.is_some_and(|due| due.overdue),
        handover.assigned,
        seal(work, key, FORM, id, &form).await?,
        reason,
        seal(work, key, NOTE, id, note).await?,
        handover.first_filled_at,
    ];
    work.run(
        "insert into handover (handover_id, version, client_id, allocation_id, from_organisation, to_organisation,
             municipality, district, move_on, state, due_on, warn_on, overdue, assigned, form, return_reason, return_note,
             first_filled_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (handover_id) do update set version = excluded.version, to_organisation = excluded.to_organisation,
             state = excluded.state, due_on = excluded.due_on, warn_on = excluded.warn_on, overdue = excluded.overdue,
             assigned = excluded.assigned, form = excluded.form, return_reason = excluded.return_reason,
             return_note = excluded.return_note, first_filled_at = excluded.first_filled_at",
        values,
    )
    .await
    .map_err(lost_race)?;
    Ok(())
}

/// Gives the receiver a relation to the client, in place of the one that the handover gave before, if any.
pub async fn grant(work: &mut Work, handover: &Handover) -> Result<()> {
    end_grant(work, handover.brief.allocation_id).await?;
    let (relation_id, now) = (Uuid::now_v7(), work.now.at);
    let (client, organisation) = (handover.brief.client_id, &handover.brief.to);
    work.grant(&Relation { relation_id, client, organisation, person: None, kind: "handover" }, now).await?;
    let sql = "update handover set relation_id = $2 where handover_id = $1";
    work.keep(sql, args![handover.id.0, relation_id]).await?;
    Ok(())
}

/// Ends the relation that the handover of an allocation gave, if any.
pub async fn end_grant(work: &mut Work, allocation: AllocationId) -> Result<()> {
    let row = work.row("select relation_id from handover where allocation_id = $1", args![allocation.0]).await?;
    if let Some(relation) = row.map_or(Ok(None), |row| row.get::<Option<Uuid>>("relation_id"))? {
        let now = work.now.at;
        work.end_relation(relation, now).await?;
    }
    Ok(())
}

/// The state's word, in the database and in requests.
pub fn state(stage: &Stage) -> &'static str {
    match stage {
        Stage::Drafted(_) => "drafted",
        Stage::Filled(_) => "filled",
        Stage::Returned(_) => "returned",
        Stage::Accepted => "accepted",
        Stage::Cancelled => "cancelled",
    }
}

async fn read(work: &Work, row: &Row) -> Result<(Handover, i64)> {
    let id: HandoverId = row.id("handover_id")?;
    let wrong = |column, why: &str| Error::inconsistent("handover", column, format!("{why} ({id})"));
    let due = || {
        let on = row.get::<Option<_>>("due_on")?.ok_or_else(|| wrong("due_on", "is empty"))?;
        Ok::<_, Error>(Due { on, warn_on: row.get("warn_on")?, overdue: row.get("overdue")? })
    };
    let stage = match row.get::<String>("state")?.as_str() {
        "drafted" => Stage::Drafted(due()?),
        "filled" => Stage::Filled(due()?),
        "returned" => Stage::Returned(due()?),
        "accepted" => Stage::Accepted,
        "cancelled" => Stage::Cancelled,
        _ => return Err(wrong("state", "is no state")),
    };
    let client_id: ClientId = row.get("client_id")?;
    let form = open(work, File.of(client_id), FORM, id, row.get("form")?).await?;
    let form =
        (!form.is_empty()).then(|| serde_json::from_str(&form).map_err(|_| wrong("form", "is no form"))).transpose()?;
    let note = open(work, File.of(client_id), NOTE, id, row.get("return_note")?).await?;
    let handover = Handover {
        id,
        brief: Brief {
            client_id,
            allocation_id: row.id("allocation_id")?,
            from: row.get("from_organisation")?,
            to: row.get("to_organisation")?,
            municipality: row.get("municipality")?,
            district: row.get("district")?,
            move_on: row.get("move_on")?,
        },
        stage,
        assigned: row.get("assigned")?,
        form,
        returned: row.code_opt("return_reason")?.map(|reason| (reason, note)),
        first_filled_at: row.get("first_filled_at")?,
    };
    Ok((handover, row.get("version")?))
}
