//! Aftercare, its schedule and its contacts.

use super::lost_race;
use crate::domain::aftercare::{Aftercare, Stage};
use crate::domain::contact_schedule::{Form, Outcome, Schedule};
use crate::domain::{AftercareId, AllocationId};
use chassis::{Error, Result, Row, Scope, Work, args};
use kernel::{ClientId, Date, Organisation};
use store::{code, json};
use uuid::Uuid;

/// Aftercare as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Aftercare itself.
    pub aftercare: Aftercare,
    /// Its schedule.
    pub schedule: Schedule,
    /// The version of both.
    pub version: i64,
    /// The organisation that keeps the contacts: the giver until the handover is accepted (R-AFT-02).
    pub responsible: Organisation,
}

/// A contact as it is kept.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The day.
    pub on: Date,
    /// What came of it.
    pub outcome: Outcome,
    /// How; nothing if nobody recorded it.
    pub form: Option<Form>,
    /// Who recorded it.
    pub organisation: Option<Organisation>,
}

/// The columns of aftercare, in every query.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select a.aftercare_id, a.version, a.client_id, a.allocation_id, a.municipality, a.started_on, a.until_on, \
             a.reviews, a.announce_on, a.outcome, a.ended_on, a.next_contact_on, a.overdue_from, a.missed, \
             a.last_contact_on, a.last_contact_result, \
             case when h.state = 'accepted' then h.to_organisation else h.from_organisation end as responsible \
             from aftercare a join handover h on h.allocation_id = a.allocation_id ",
            $rest
        )
    };
}

/// One aftercare.
pub async fn load(work: &mut Work, id: AftercareId) -> Result<Option<Stored>> {
    let row = work.row(select!("where a.aftercare_id = $1"), args![id.0]).await?;
    row.as_ref().map(read).transpose()
}

/// The aftercare of an allocation.
pub async fn of_allocation(work: &mut Work, id: AllocationId) -> Result<Option<Stored>> {
    let row = work.row(select!("where a.allocation_id = $1"), args![id.0]).await?;
    row.as_ref().map(read).transpose()
}

/// When a client's latest aftercare started, and whether it runs.
pub async fn latest_of(work: &mut Work, client: ClientId) -> Result<Option<(Date, bool)>> {
    let sql = "select started_on, outcome from aftercare where client_id = $1 order by started_on desc, aftercare_id desc limit 1";
    let row = work.row(sql, args![client]).await?;
    row.map(|row| Ok((row.get("started_on")?, row.get::<Option<String>>("outcome")?.is_none()))).transpose()
}

/// What runs for the caller's organisation, the contact that is due first on top.
pub async fn list(work: &mut Work, scope: &Scope, after: (&str, &str), limit: i64) -> Result<Vec<Stored>> {
    let rows = work
        .rows(
            select!(
                "where a.outcome is null
                 and ($1 or ($2 and $3 = case when h.state = 'accepted' then h.to_organisation else h.from_organisation end))
                 and (a.next_contact_on, a.aftercare_id) > ($4, $5)
                 order by a.next_contact_on, a.aftercare_id limit $6"
            ),
            args![scope.everything, scope.own, &scope.organisation, after.0, after.1, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Keeps aftercare and its schedule at their next version.
pub async fn save(work: &mut Work, aftercare: &Aftercare, schedule: &Schedule, version: i64) -> Result<()> {
    let (reviews, announce_on, ended) = match &aftercare.stage {
        Stage::Running { reviews, announce_on } => (json(reviews), Some(*announce_on), None),
        Stage::Ended { outcome, on } => ("[]".to_owned(), None, Some((code(outcome), *on))),
    };
    work.run(
        "insert into aftercare (aftercare_id, version, client_id, allocation_id, municipality, started_on, until_on,
             reviews, announce_on, outcome, ended_on, next_contact_on, overdue_from, missed, last_contact_on,
             last_contact_result)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         on conflict (aftercare_id) do update set version = excluded.version, reviews = excluded.reviews,
             announce_on = excluded.announce_on, outcome = excluded.outcome, ended_on = excluded.ended_on,
             next_contact_on = excluded.next_contact_on, overdue_from = excluded.overdue_from, missed = excluded.missed,
             last_contact_on = excluded.last_contact_on, last_contact_result = excluded.last_contact_result",
        args![
            aftercare.id.0,
            version,
            aftercare.client_id,
            aftercare.allocation_id.0,
            &aftercare.municipality,
            aftercare.started_on,
            aftercare.until_on,
            reviews,
            announce_on,
            ended.as_ref().map(|(outcome, _)| outcome.clone()),
            ended.map(|(_, on)| on),
            schedule.next_on,
            schedule.overdue_from,
            schedule.missed,
            schedule.last.map(|(on, _)| on),
            schedule.last.map(|(_, outcome)| code(&outcome)),
        ],
    )
    .await
    .map_err(lost_race)?;
    Ok(())
}

/// Keeps a contact.
pub async fn add_contact(work: &mut Work, id: AftercareId, contact: &Contact) -> Result<()> {
    let now = work.now.at;
    work.keep(
        "insert into contact (contact_id, aftercare_id, contact_on, result, form, organisation, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        args![
            Uuid::now_v7(),
            id.0,
            contact.on,
            code(&contact.outcome),
            contact.form.map(|form| code(&form)),
            contact.organisation.as_ref(),
            now
        ],
    )
    .await?;
    Ok(())
}

/// The contacts of an aftercare, newest first, at most 100.
pub async fn contacts(work: &mut Work, id: AftercareId) -> Result<Vec<Contact>> {
    let sql = "select contact_on, result, form, organisation from contact where aftercare_id = $1
               order by contact_on desc, contact_id desc limit 100";
    let rows = work.rows(sql, args![id.0]).await?;
    let contact = |row: &Row| {
        Ok(Contact {
            on: row.get("contact_on")?,
            outcome: row.code("result")?,
            form: row.code_opt("form")?,
            organisation: row.get("organisation")?,
        })
    };
    rows.iter().map(contact).collect()
}

fn read(row: &Row) -> Result<Stored> {
    let id: AftercareId = row.id("aftercare_id")?;
    let wrong = |column| Error::inconsistent("aftercare", column, format!("is no whole ({id})"));
    let stage = match (row.code_opt("outcome")?, row.get("ended_on")?, row.get("announce_on")?) {
        (Some(outcome), Some(on), None) => Stage::Ended { outcome, on },
        (None, None, Some(announce_on)) => Stage::Running { reviews: row.json("reviews")?, announce_on },
        _ => return Err(wrong("outcome")),
    };
    let last = match (row.get("last_contact_on")?, row.code_opt("last_contact_result")?) {
        (Some(on), Some(outcome)) => Some((on, outcome)),
        (None, None) => None,
        _ => return Err(wrong("last_contact_on")),
    };
    let started_on = row.get("started_on")?;
    Ok(Stored {
        aftercare: Aftercare {
            id,
            client_id: row.get("client_id")?,
            allocation_id: row.id("allocation_id")?,
            municipality: row.get("municipality")?,
            started_on,
            until_on: row.get("until_on")?,
            stage,
        },
        schedule: Schedule {
            move_on: started_on,
            next_on: row.get("next_contact_on")?,
            overdue_from: row.get("overdue_from")?,
            missed: row.get("missed")?,
            last,
        },
        version: row.get("version")?,
        responsible: row.get("responsible")?,
    })
}
