//! What is known, one row per fact, under a pseudonym. Rows refer to each other by id and are joined when a figure is asked, so
//! that a trajectory may be known before its registration and an acceptance before the handover was filled.

use kernel::{Date, Uuid};
use std::collections::BTreeMap;

/// Stands for one record of a person within the monitor; nothing outside it knows this number. In what is read for figures, the
/// records that were said to be of one person (R-REG-26) have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pseudonym(pub Uuid);

impl Pseudonym {
    /// The pseudonym of a client: always the same one, and no way back without knowing the client's random id already.
    pub fn of(client_id: &str) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, client_id.as_bytes()))
    }
}

/// The namespace of the monitor's pseudonyms.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f6c_1d3e_8a54_4c07_9b61_70d2_e5a8_34f9);

/// Somebody reported a need for shelter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The notification.
    pub notification: Uuid,
    /// Who.
    pub person: Pseudonym,
    /// The day of receipt.
    pub received_on: Date,
    /// Where it was reported, four digits.
    pub municipality: String,
    /// Municipality of origin, or "abroad", or "unknown".
    pub origin: String,
    /// Why the roof was lost: codes, each once.
    pub triggers: Vec<String>,
}

/// A stay became a trajectory (R-ACC-17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trajectory {
    /// The stay.
    pub stay: Uuid,
    /// The notification on which it rested, if any.
    pub notification: Option<Uuid>,
}

/// A stay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The stay.
    pub stay: Uuid,
    /// Who.
    pub person: Pseudonym,
    /// The first day of the stay.
    pub admitted_on: Date,
    /// The last day of the stay.
    pub departed_on: Date,
    /// Where to; none for a drop-out or a death, which are no outflow.
    pub destination: Option<String>,
}

/// Nights that one person slept in a bed within one month, over all facilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthNights {
    /// The first day of the month.
    pub month: Date,
    /// Who.
    pub person: Pseudonym,
    /// Nights slept; held and released nights do not count (R-ACC-32).
    pub nights: i64,
}

/// Somebody left a waiting list because of admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Who.
    pub person: Pseudonym,
    /// The day that counted for the order.
    pub joined_on: Date,
    /// The day of admission.
    pub admitted_on: Date,
}

/// Somebody took up a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The signal.
    pub signal: Uuid,
    /// About whom.
    pub person: Pseudonym,
    /// On which day.
    pub on: Date,
    /// How long after its receipt, in minutes.
    pub minutes: i64,
}

/// What happened to a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoverStep {
    /// The giver filled it in: the receiver is to answer.
    Filled,
    /// The receiver accepted it.
    Accepted,
}

/// One step of a handover; it may be filled again after it was returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The handover.
    pub handover: Uuid,
    /// About whom.
    pub person: Pseudonym,
    /// What happened.
    pub step: HandoverStep,
    /// On which day.
    pub on: Date,
}

/// The days about which something is known: from the first fact to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The day of the first fact.
    pub first: Date,
    /// The day of the last fact.
    pub last: Date,
}

/// All that is known. The order of rows has no meaning.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Notifications.
    pub registrations: Vec<Registration>,
    /// Trajectories.
    pub trajectories: Vec<Trajectory>,
    /// Departures.
    pub departures: Vec<Departure>,
    /// Nights slept, per month and person.
    pub month_nights: Vec<MonthNights>,
    /// Nights slept, per stay.
    pub stay_nights: BTreeMap<Uuid, i64>,
    /// Night registers that were recorded, by the first day of the month.
    pub registers: BTreeMap<Date, i64>,
    /// Waiting that ended in admission.
    pub waits: Vec<Wait>,
    /// Signals taken up; the earliest time of a signal counts.
    pub answers: Vec<Answer>,
    /// Steps of handovers.
    pub handovers: Vec<Handover>,
    /// About which days something is known; none when nothing is.
    pub known: Option<Coverage>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-MON-02
    #[test]
    fn a_pseudonym_is_always_the_same_and_never_the_client_id() {
        let client = "5b0f6f6e-9f6c-4a0e-8d2c-0a4d9a4c2b11";
        assert_eq!(Pseudonym::of(client), Pseudonym::of(client));
        assert_ne!(Pseudonym::of(client).0.to_string(), client);
        assert_ne!(Pseudonym::of(client), Pseudonym::of("5b0f6f6e-9f6c-4a0e-8d2c-0a4d9a4c2b12"));
    }
}
