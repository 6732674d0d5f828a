//! Events of access and aftercare, as facts under a pseudonym. What is not listed here is not kept. Which records are of one
//! person is kept by the chassis, under pseudonyms too.

use crate::domain::facts::{Answer, Departure, Handover, HandoverStep, Pseudonym, Registration, Trajectory};
use crate::store::fact::{self, Fact, Register};
use crate::store::generation;
use chassis::{Error, Event, Result, Tx};
use kernel::Uuid;
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;

/// Takes in an event: into the set of rows that is served, and into the one that is being filled.
pub async fn take(tx: &mut Tx, event: &Event) -> Result<()> {
    let Some(fact) = read(event)? else { return Ok(()) };
    for generation in generation::open(tx).await? {
        fact::keep(tx, generation, event.event_id, &fact).await?;
    }
    Ok(())
}

/// Takes in an event that a rebuild read.
pub async fn take_into(tx: &mut Tx, generation: i64, event: &Event) -> Result<()> {
    match read(event)? {
        Some(fact) => fact::keep(tx, generation, event.event_id, &fact).await,
        None => Ok(()),
    }
}

/// What an event tells, if it tells something that is counted.
fn read(event: &Event) -> Result<Option<Fact>> {
    let fact = match (event.source, event.name()) {
        ("access", "NotificationReceived") => Fact::Registration(registration(event.decode()?)?),
        ("access", "TrajectoryStarted") => {
            let e: access::TrajectoryStarted = event.decode()?;
            let notification =
                (!e.notification_id.is_empty()).then(|| id("notification_id", &e.notification_id)).transpose()?;
            Fact::Trajectory(Trajectory { stay: id("stay_id", &e.stay_id)?, notification })
        }
        ("access", "NightsRecorded") => Fact::Register(register(event.decode()?)?),
        ("access", "Departed") => Fact::Departure(departure(event.decode()?)?),
        ("access", "Waitlisted") => {
            let e: access::Waitlisted = event.decode()?;
            Fact::WaitingJoined(e.entry_id, proto::to_date("joined_on", e.joined_on.as_ref())?)
        }
        ("access", "WaitingListLeft") => {
            let e: access::WaitingListLeft = event.decode()?;
            if e.reason() != access::WaitingLeaveReason::Admitted {
                return Ok(None);
            }
            let on = proto::to_date("left_on", e.left_on.as_ref())?;
            Fact::WaitingAdmitted(e.entry_id, Pseudonym::of(&e.client_id), on)
        }
        ("aftercare", "SignalTakenUp") => {
            let e: aftercare::SignalTakenUp = event.decode()?;
            let signal = id("signal_id", &e.signal_id)?;
            Fact::Answer(Answer {
                signal,
                person: person(event, signal),
                on: event.occurred_on,
                minutes: e.answer_minutes,
            })
        }
        ("aftercare", "HandoverFilled") => {
            let e: aftercare::HandoverFilled = event.decode()?;
            Fact::Handover(handover(event, &e.handover_id, HandoverStep::Filled)?)
        }
        ("aftercare", "HandoverAccepted") => {
            let e: aftercare::HandoverAccepted = event.decode()?;
            Fact::Handover(handover(event, &e.handover_id, HandoverStep::Accepted)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(fact))
}

fn registration(e: access::NotificationReceived) -> Result<Registration> {
    let mut triggers: Vec<String> = e.triggers().map(|trigger| category(trigger.as_str_name(), "TRIGGER_")).collect();
    triggers.sort();
    triggers.dedup();
    Ok(Registration {
        notification: id("notification_id", &e.notification_id)?,
        person: Pseudonym::of(&e.client_id),
        received_on: proto::to_date("received_on", e.received_on.as_ref())?,
        municipality: e.municipality,
        origin: if e.origin.is_empty() { UNKNOWN.to_owned() } else { e.origin },
        triggers,
    })
}

fn register(e: access::NightsRecorded) -> Result<Register> {
    let slept = e.entries.iter().filter(|entry| entry.r#use() == access::NightUse::Used);
    Ok(Register {
        facility: e.facility_id.clone(),
        night: proto::to_date("night", e.night.as_ref())?,
        revision: e.revision,
        slept: slept.map(|entry| (entry.stay_id.clone(), Pseudonym::of(&entry.client_id))).collect(),
    })
}

fn departure(e: access::Departed) -> Result<Departure> {
    let left = e.outcome() == access::DepartureOutcome::Left;
    Ok(Departure {
        stay: id("stay_id", &e.stay_id)?,
        person: Pseudonym::of(&e.client_id),
        admitted_on: proto::to_date("admitted_on", e.admitted_on.as_ref())?,
        departed_on: proto::to_date("departed_on", e.departed_on.as_ref())?,
        destination: left.then(|| category(e.destination().as_str_name(), "DESTINATION_")),
    })
}

fn handover(event: &Event, handover_id: &str, step: HandoverStep) -> Result<Handover> {
    let handover = id("handover_id", handover_id)?;
    Ok(Handover { handover, person: person(event, handover), step, on: event.occurred_on })
}

/// Whom an event is about; where it names nobody, the thing itself stands for somebody.
fn person(event: &Event, thing: Uuid) -> Pseudonym {
    Pseudonym::of(&event.client_id.map_or_else(|| thing.to_string(), |client| client.to_string()))
}

/// What stands for "not known" in every code list (R-MON-06).
const UNKNOWN: &str = "unknown";

/// `TRIGGER_RENT_ARREARS` as `rent_arrears`.
fn category(name: &str, prefix: &str) -> String {
    match name.strip_prefix(prefix).unwrap_or(name) {
        "UNSPECIFIED" => UNKNOWN.to_owned(),
        code => code.to_ascii_lowercase(),
    }
}

fn id(column: &str, text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|e| Error::inconsistent("event", column, e))
}
