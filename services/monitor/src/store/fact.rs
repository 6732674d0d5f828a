//! Facts: kept once each, read whole.

use crate::domain::facts::{
    Answer, Coverage, Departure, Facts, Handover, HandoverStep, MonthNights, Pseudonym, Registration, Trajectory, Wait,
};
use chassis::{Error, Result, Row, Tx, Value, args};
use kernel::{Date, Uuid};
use std::collections::BTreeMap;
use store::{code, json};

/// One thing that is known, as it is kept.
pub enum Fact {
    /// A notification.
    Registration(Registration),
    /// A stay that became a trajectory.
    Trajectory(Trajectory),
    /// The end of a stay.
    Departure(Departure),
    /// The night register of one facility and night.
    Register(Register),
    /// Somebody joined a waiting list: entry and day.
    WaitingJoined(String, Date),
    /// Somebody left it because of admission: entry, person and day.
    WaitingAdmitted(String, Pseudonym, Date),
    /// A signal taken up.
    Answer(Answer),
    /// A step of a handover.
    Handover(Handover),
}

/// A night register: whoever slept there.
pub struct Register {
    /// The facility.
    pub facility: String,
    /// The night, by the day on which it began.
    pub night: Date,
    /// The highest counts.
    pub revision: i32,
    /// Stay and person of every bed that was slept in.
    pub slept: Vec<(String, Pseudonym)>,
}

/// Keeps a fact in a set of rows; one that is kept already changes nothing. `event` is the id of the event that told it.
pub async fn keep(tx: &mut Tx, generation: i64, event: Uuid, fact: &Fact) -> Result<()> {
    match fact {
        Fact::Registration(r) => {
            tx.keep(
                "insert into registration (generation, notification_id, person, received_on, municipality, origin, triggers)
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
                args![generation, r.notification, r.person.0, r.received_on, &r.municipality, &r.origin, json(&r.triggers)],
            )
            .await?;
        }
        Fact::Trajectory(t) => {
            tx.keep(
                "insert into trajectory (generation, stay_id, notification_id) values ($1, $2, $3) on conflict do nothing",
                args![generation, t.stay, t.notification],
            )
            .await?;
        }
        Fact::Departure(d) => {
            tx.keep(
                "insert into departure (generation, stay_id, person, admitted_on, departed_on, destination)
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
                args![generation, d.stay, d.person.0, d.admitted_on, d.departed_on, d.destination.clone()],
            )
            .await?;
        }
        Fact::Register(register) => keep_register(tx, generation, register).await?,
        Fact::WaitingJoined(entry, on) => {
            tx.keep(
                "insert into waiting_joined (generation, entry_id, joined_on) values ($1, $2, $3) on conflict do nothing",
                args![generation, entry, *on],
            )
            .await?;
        }
        Fact::WaitingAdmitted(entry, person, on) => {
            tx.keep(
                "insert into waiting_admitted (generation, entry_id, person, admitted_on) values ($1, $2, $3, $4)
                 on conflict do nothing",
                args![generation, entry, person.0, *on],
            )
            .await?;
        }
        Fact::Answer(a) => {
            tx.keep(
                "insert into signal_answer (generation, event_id, signal_id, person, answered_on, minutes)
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
                args![generation, event, a.signal, a.person.0, a.on, a.minutes],
            )
            .await?;
        }
        Fact::Handover(h) => {
            tx.keep(
                "insert into handover_step (generation, event_id, handover_id, person, step, stepped_on)
                 values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
                args![generation, event, h.handover, h.person.0, code(&h.step), h.on],
            )
            .await?;
        }
    }
    Ok(())
}

/// The register with the highest revision stands, whichever came first.
async fn keep_register(tx: &mut Tx, generation: i64, register: &Register) -> Result<()> {
    let newer = tx
        .run(
            "insert into register (generation, facility_id, night, revision) values ($1, $2, $3, $4)
             on conflict (generation, facility_id, night) do update set revision = excluded.revision
             where excluded.revision > register.revision",
            args![generation, &register.facility, register.night, register.revision],
        )
        .await?;
    if newer == 0 {
        return Ok(());
    }
    tx.keep(
        "delete from bed_night where generation = $1 and facility_id = $2 and night = $3",
        args![generation, &register.facility, register.night],
    )
    .await?;
    let slept = register.slept.iter();
    let rows: Vec<Vec<Value>> =
        slept.map(|(stay, person)| args![generation, &register.facility, register.night, stay, person.0]).collect();
    tx.insert_many(
        "insert into bed_night (generation, facility_id, night, stay_id, person)",
        rows,
        "on conflict do nothing",
    )
    .await
}

/// Everything that is known in a set of rows, with one pseudonym for the records of one person (R-REG-26).
pub async fn load(tx: &mut Tx, generation: i64) -> Result<Facts> {
    let mut kept = BTreeMap::new();
    for row in tx.rows("select client_id, kept_client_id from merged", args![]).await? {
        kept.insert(row.get::<Uuid>("client_id")?, row.get::<Uuid>("kept_client_id")?);
    }
    let person = |row: &Row| {
        let record: Uuid = row.get("person")?;
        Ok::<_, Error>(Pseudonym(kept.get(&record).copied().unwrap_or(record)))
    };
    let of = || args![generation];
    let mut facts = Facts::default();
    let rows = tx
        .rows(
            "select notification_id, person, received_on, municipality, origin, triggers from registration
             where generation = $1",
            of(),
        )
        .await?;
    for row in rows {
        facts.registrations.push(Registration {
            notification: row.get("notification_id")?,
            person: person(&row)?,
            received_on: row.get("received_on")?,
            municipality: row.get("municipality")?,
            origin: row.get("origin")?,
            triggers: row.json("triggers")?,
        });
    }
    for row in tx.rows("select stay_id, notification_id from trajectory where generation = $1", of()).await? {
        facts.trajectories.push(Trajectory { stay: row.get("stay_id")?, notification: row.get("notification_id")? });
    }
    let rows = tx
        .rows(
            "select stay_id, person, admitted_on, departed_on, destination from departure where generation = $1",
            of(),
        )
        .await?;
    for row in rows {
        facts.departures.push(Departure {
            stay: row.get("stay_id")?,
            person: person(&row)?,
            admitted_on: row.get("admitted_on")?,
            departed_on: row.get("departed_on")?,
            destination: row.get("destination")?,
        });
    }
    let rows = tx
        .rows(
            "select substr(night, 1, 7) as month, person, count(*) as nights from bed_night where generation = $1
             group by substr(night, 1, 7), person",
            of(),
        )
        .await?;
    for row in rows {
        facts.month_nights.push(MonthNights { month: month(&row)?, person: person(&row)?, nights: row.get("nights")? });
    }
    for row in tx
        .rows("select stay_id, count(*) as nights from bed_night where generation = $1 group by stay_id", of())
        .await?
    {
        facts.stay_nights.insert(row.get("stay_id")?, row.get("nights")?);
    }
    let rows = tx
        .rows(
            "select substr(night, 1, 7) as month, count(*) as registers from register where generation = $1
             group by substr(night, 1, 7)",
            of(),
        )
        .await?;
    for row in rows {
        facts.registers.insert(month(&row)?, row.get("registers")?);
    }
    let rows = tx
        .rows(
            "select a.person, j.joined_on, a.admitted_on from waiting_admitted a
             join waiting_joined j on j.generation = a.generation and j.entry_id = a.entry_id where a.generation = $1",
            of(),
        )
        .await?;
    for row in rows {
        facts.waits.push(Wait {
            person: person(&row)?,
            joined_on: row.get("joined_on")?,
            admitted_on: row.get("admitted_on")?,
        });
    }
    for row in
        tx.rows("select signal_id, person, answered_on, minutes from signal_answer where generation = $1", of()).await?
    {
        facts.answers.push(Answer {
            signal: row.get("signal_id")?,
            person: person(&row)?,
            on: row.get("answered_on")?,
            minutes: row.get("minutes")?,
        });
    }
    for row in
        tx.rows("select handover_id, person, step, stepped_on from handover_step where generation = $1", of()).await?
    {
        facts.handovers.push(Handover {
            handover: row.get("handover_id")?,
            person: person(&row)?,
            step: row.code::<HandoverStep>("step")?,
            on: row.get("stepped_on")?,
        });
    }
    facts.known = coverage(tx, generation).await?;
    Ok(facts)
}

fn month(row: &Row) -> Result<Date> {
    let month: String = row.get("month")?;
    format!("{month}-01").parse().map_err(|e| Error::inconsistent("row", "month", e))
}

async fn coverage(tx: &mut Tx, generation: i64) -> Result<Option<Coverage>> {
    let row = tx
        .row(
            "select min(known.on_day) as first_day, max(known.on_day) as last_day from (
                 select received_on as on_day from registration where generation = $1
                 union all select departed_on from departure where generation = $1
                 union all select night from register where generation = $1
                 union all select joined_on from waiting_joined where generation = $1
                 union all select admitted_on from waiting_admitted where generation = $1
                 union all select answered_on from signal_answer where generation = $1
                 union all select stepped_on from handover_step where generation = $1
             ) known",
            args![generation],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (first, last): (Option<Date>, Option<Date>) = (row.get("first_day")?, row.get("last_day")?);
    Ok(first.zip(last).map(|(first, last)| Coverage { first, last }))
}

/// Throws a set of rows away.
pub async fn forget(tx: &mut Tx, generation: i64) -> Result<()> {
    for sql in [
        "delete from registration where generation = $1",
        "delete from trajectory where generation = $1",
        "delete from departure where generation = $1",
        "delete from register where generation = $1",
        "delete from bed_night where generation = $1",
        "delete from waiting_joined where generation = $1",
        "delete from waiting_admitted where generation = $1",
        "delete from signal_answer where generation = $1",
        "delete from handover_step where generation = $1",
    ] {
        tx.keep(sql, args![generation]).await?;
    }
    Ok(())
}

/// The facts that are served, all as of one moment: read again when something came in between.
pub async fn served(tx: &mut Tx) -> Result<Facts> {
    for _ in 0..ATTEMPTS {
        let before = moment(tx).await?;
        let facts = load(tx, before.0).await?;
        if moment(tx).await? == before {
            return Ok(facts);
        }
    }
    Err(Error::Conflict)
}

/// How often facts are read again when events keep coming in.
const ATTEMPTS: usize = 20;

/// Which set is served, and how far the feeds were taken in.
async fn moment(tx: &mut Tx) -> Result<(i64, Vec<String>)> {
    let serving = super::generation::state(tx).await?.serving();
    let rows = tx.rows("select cursor from inbox order by source", args![]).await?;
    Ok((serving, rows.iter().map(|row| row.get("cursor")).collect::<Result<_>>()?))
}
