//! The measures: what each counts, and in which period it falls. Adding one is adding a row to the table and an arm to
//! [`Measure::observations`].

use super::facts::{Answer, Facts, HandoverStep, Pseudonym, Registration};
use super::period::days_between;
use kernel::{Date, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// What a measure counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// Nights.
    Nights,
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// Beds.
    Beds,
}

/// How a value follows from the observations of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// How many there are.
    Count,
    /// How many there are of each category.
    CountByCategory,
    /// The sum of their amounts over how many there are, with so many amounts to the unit.
    Mean {
        /// Amounts in one unit: 1 for days counted in days, 60 for hours counted in minutes.
        per_unit: i64,
    },
    /// How many there are over the days in the period.
    PerDay,
}

/// One thing that counts, on a day, about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The day by which the period is chosen.
    pub on: Date,
    /// Whom it is about.
    pub person: Pseudonym,
    /// The category; empty where the measure has none.
    pub category: String,
    /// How often it counts.
    pub count: i64,
    /// What is averaged, in the measure's own amounts.
    pub amount: i64,
}

macro_rules! measures {
    ($($variant:ident = $key:literal, $unit:ident, $decimals:literal, $shape:expr, $en:literal, $nl:literal;)*) => {
        /// A measure, in the order in which figures are given.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Measure { $(#[doc = $en] $variant,)* }

        impl Measure {
            /// Every measure there is.
            pub const ALL: &'static [Measure] = &[$(Measure::$variant,)*];

            /// The key by which it is asked.
            pub fn key(self) -> &'static str {
                match self { $(Measure::$variant => $key,)* }
            }

            /// What it counts in.
            pub fn unit(self) -> Unit {
                match self { $(Measure::$variant => Unit::$unit,)* }
            }

            /// The decimals with which it is shown.
            pub fn decimals(self) -> i32 {
                match self { $(Measure::$variant => $decimals,)* }
            }

            /// How its value follows from its observations.
            pub fn shape(self) -> Shape {
                match self { $(Measure::$variant => $shape,)* }
            }

            /// What is counted, and in which period it falls, in English.
            pub fn definition_en(self) -> &'static str {
                match self { $(Measure::$variant => $en,)* }
            }

            /// What is counted, and in which period it falls, in Dutch.
            pub fn definition_nl(self) -> &'static str {
                match self { $(Measure::$variant => $nl,)* }
            }
        }
    };
}

measures! {
    Registrations = "registrations", Count, 0, Shape::Count,
        "Notifications received in the period, also those withdrawn later.",
        "Aanmeldingen die in de periode zijn ontvangen, ook die later zijn ingetrokken.";
    Trajectories = "trajectories", Count, 0, Shape::Count,
        "Registrations of the period whose stay exceeded 3 nights, whenever that was.",
        "Aanmeldingen uit de periode waarvan het verblijf langer werd dan 3 nachten, wanneer dat ook was.";
    MeanNights = "mean_nights", Nights, 1, Shape::Mean { per_unit: 1 },
        "Mean nights slept, over the whole stay, of those who left in the period with a destination.",
        "Gemiddeld aantal geslapen nachten, over het hele verblijf, van wie in de periode uitstroomde.";
    MeanTrajectoryDays = "mean_trajectory_days", Days, 1, Shape::Mean { per_unit: 1 },
        "Mean days from admission to departure of the trajectories that left in the period with a destination.",
        "Gemiddeld aantal dagen van opname tot vertrek van de trajecten die in de periode uitstroomden.";
    Left = "left", Count, 0, Shape::Count,
        "Departures with a destination in the period; drop-outs and deaths are none.",
        "Vertrek met een bestemming in de periode; uitval en overlijden tellen niet mee.";
    MeanOccupiedBeds = "mean_occupied_beds", Beds, 1, Shape::PerDay,
        "Bed-nights slept in the period, over the days in the period.",
        "Geslapen bednachten in de periode, gedeeld door de dagen in de periode.";
    Origin = "origin", Count, 0, Shape::CountByCategory,
        "Registrations by municipality of origin, or abroad, or unknown.",
        "Aanmeldingen naar gemeente van herkomst, of buitenland, of onbekend.";
    Municipality = "municipality", Count, 0, Shape::CountByCategory,
        "Registrations by municipality of notification.",
        "Aanmeldingen naar gemeente van melding.";
    Trigger = "trigger", Count, 0, Shape::CountByCategory,
        "Registrations by what made the roof be lost; one registration may have several.",
        "Aanmeldingen naar aanleiding; een aanmelding kan er meer hebben.";
    WaitingDays = "waiting_days", Days, 1, Shape::Mean { per_unit: 1 },
        "Mean days on the waiting list of those admitted from it in the period.",
        "Gemiddeld aantal dagen op de wachtlijst van wie daarvan in de periode werd opgenomen.";
    Destinations = "destinations", Count, 0, Shape::CountByCategory,
        "Departures in the period by destination.",
        "Vertrek in de periode naar bestemming.";
    SignalAnswerHours = "signal_answer_hours", Hours, 1, Shape::Mean { per_unit: 60 },
        "Mean hours from a signal to its being taken up, of those taken up in the period.",
        "Gemiddeld aantal uren van een signaal tot het oppakken ervan, van wat in de periode is opgepakt.";
    HandoverAnswerDays = "handover_answer_days", Days, 1, Shape::Mean { per_unit: 1 },
        "Mean days from the first filling of a handover to its acceptance, of those accepted in the period.",
        "Gemiddeld aantal dagen van het eerste invullen van een overdracht tot de aanvaarding, van wat in de periode is aanvaard.";
}

impl Measure {
    /// The measure with that key, if there is one.
    pub fn from_key(key: &str) -> Option<Measure> {
        Measure::ALL.iter().copied().find(|measure| measure.key() == key)
    }

    /// The measure of which its categories are the parts, if they add up to one.
    pub fn total(self) -> Option<Measure> {
        match self {
            Measure::Origin | Measure::Municipality => Some(Measure::Registrations),
            Measure::Destinations => Some(Measure::Left),
            _ => None,
        }
    }

    /// The measure from which it is a selection, so that the difference of the two tells something too.
    pub fn out_of(self) -> Option<Measure> {
        match self {
            Measure::Trajectories | Measure::Trigger => Some(Measure::Registrations),
            _ => None,
        }
    }

    /// Everything that counts for this measure: rows joined by id, whatever order they came in.
    pub fn observations(self, facts: &Facts) -> Vec<Observation> {
        let one = |on, person, category: &str, amount| Observation {
            on,
            person,
            category: category.to_owned(),
            count: 1,
            amount,
        };
        let registrations = |category: fn(&Registration) -> &str| {
            facts.registrations.iter().map(|r| one(r.received_on, r.person, category(r), 0)).collect()
        };
        let left = || facts.departures.iter().filter_map(|d| d.destination.as_deref().map(|to| (d, to)));
        match self {
            Measure::Registrations => registrations(|_| ""),
            Measure::Origin => registrations(|r| &r.origin),
            Measure::Municipality => registrations(|r| &r.municipality),
            Measure::Trajectories => {
                let with: BTreeSet<Uuid> = facts.trajectories.iter().filter_map(|t| t.notification).collect();
                let registrations = facts.registrations.iter().filter(|r| with.contains(&r.notification));
                registrations.map(|r| one(r.received_on, r.person, "", 0)).collect()
            }
            Measure::Trigger => {
                let triggers = facts.registrations.iter().flat_map(|r| r.triggers.iter().map(move |t| (r, t)));
                triggers.map(|(r, trigger)| one(r.received_on, r.person, trigger, 0)).collect()
            }
            Measure::Left => left().map(|(d, _)| one(d.departed_on, d.person, "", 0)).collect(),
            Measure::Destinations => left().map(|(d, to)| one(d.departed_on, d.person, to, 0)).collect(),
            Measure::MeanNights => left()
                .map(|(d, _)| one(d.departed_on, d.person, "", facts.stay_nights.get(&d.stay).copied().unwrap_or(0)))
                .collect(),
            Measure::MeanTrajectoryDays => {
                let trajectories: BTreeSet<Uuid> = facts.trajectories.iter().map(|t| t.stay).collect();
                left()
                    .filter(|(d, _)| trajectories.contains(&d.stay))
                    .map(|(d, _)| one(d.departed_on, d.person, "", days_between(d.admitted_on, d.departed_on)))
                    .collect()
            }
            Measure::MeanOccupiedBeds => facts
                .month_nights
                .iter()
                .map(|m| Observation {
                    on: m.month,
                    person: m.person,
                    category: String::new(),
                    count: m.nights,
                    amount: 0,
                })
                .collect(),
            Measure::WaitingDays => facts
                .waits
                .iter()
                .map(|w| one(w.admitted_on, w.person, "", days_between(w.joined_on, w.admitted_on)))
                .collect(),
            Measure::SignalAnswerHours => {
                let mut first: BTreeMap<Uuid, &Answer> = BTreeMap::new();
                for answer in &facts.answers {
                    let earliest = first.entry(answer.signal).or_insert(answer);
                    if (answer.minutes, answer.on) < (earliest.minutes, earliest.on) {
                        *earliest = answer;
                    }
                }
                first.into_values().map(|a| one(a.on, a.person, "", a.minutes)).collect()
            }
            Measure::HandoverAnswerDays => {
                let first = |step: HandoverStep| {
                    let mut days: BTreeMap<Uuid, (Date, Pseudonym)> = BTreeMap::new();
                    for h in facts.handovers.iter().filter(|h| h.step == step) {
                        let earliest = days.entry(h.handover).or_insert((h.on, h.person));
                        *earliest = (h.on, h.person).min(*earliest);
                    }
                    days
                };
                let filled = first(HandoverStep::Filled);
                let accepted = first(HandoverStep::Accepted).into_iter();
                let both = accepted.filter_map(|(handover, (on, person))| Some((on, person, filled.get(&handover)?.0)));
                both.map(|(on, person, from)| one(on, person, "", days_between(from, on))).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::{Departure, Handover, Trajectory};
    use jiff::civil::date;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn amounts(measure: Measure, facts: &Facts) -> Vec<(Date, i64)> {
        measure.observations(facts).iter().map(|o| (o.on, o.amount)).collect()
    }

    #[test]
    fn every_measure_reads_back_from_its_key_and_says_what_it_is() {
        for measure in Measure::ALL {
            assert_eq!(Measure::from_key(measure.key()), Some(*measure));
            assert!(measure.definition_en().ends_with('.') && measure.definition_nl().ends_with('.'));
        }
        assert_eq!(Measure::from_key("persons"), None);
    }

    /// R-ACC-17
    #[test]
    fn a_trajectory_counts_on_the_day_of_its_registration() {
        let facts = Facts {
            registrations: vec![Registration {
                notification: id(1),
                person: Pseudonym::of("a"),
                received_on: date(2018, 12, 30),
                municipality: "0505".into(),
                origin: "0505".into(),
                triggers: vec!["debts".into(), "break_up".into()],
            }],
            trajectories: vec![
                Trajectory { stay: id(7), notification: Some(id(1)) },
                // A second stay on the same notification makes no second registration.
                Trajectory { stay: id(8), notification: Some(id(1)) },
                Trajectory { stay: id(9), notification: None },
            ],
            ..Facts::default()
        };
        assert_eq!(amounts(Measure::Trajectories, &facts), [(date(2018, 12, 30), 0)]);
        assert_eq!(Measure::Trigger.observations(&facts).len(), 2);
    }

    /// R-ACC-32
    #[test]
    fn nights_and_days_are_of_the_whole_stay_and_a_drop_out_has_not_left() {
        let departure = |stay, destination: Option<&str>| Departure {
            stay: id(stay),
            person: Pseudonym::of("a"),
            admitted_on: date(2017, 12, 1),
            departed_on: date(2018, 2, 1),
            destination: destination.map(str::to_owned),
        };
        let facts = Facts {
            departures: vec![departure(1, Some("own_home")), departure(2, None), departure(3, Some("abroad"))],
            trajectories: vec![
                Trajectory { stay: id(1), notification: None },
                Trajectory { stay: id(2), notification: None },
            ],
            stay_nights: [(id(1), 60), (id(2), 50)].into(),
            ..Facts::default()
        };
        let left = date(2018, 2, 1);
        assert_eq!(amounts(Measure::MeanNights, &facts), [(left, 60), (left, 0)]);
        assert_eq!(amounts(Measure::MeanTrajectoryDays, &facts), [(left, 62)]);
        assert_eq!(Measure::Left.observations(&facts).len(), 2);
    }

    /// R-AFT-06
    #[test]
    fn a_signal_is_answered_when_it_is_first_taken_up() {
        let answer = |signal, day, minutes| Answer {
            signal: id(signal),
            person: Pseudonym::of("a"),
            on: date(2019, 5, day),
            minutes,
        };
        let facts =
            Facts { answers: vec![answer(1, 3, 2900), answer(1, 1, 180), answer(2, 1, 30)], ..Facts::default() };
        assert_eq!(amounts(Measure::SignalAnswerHours, &facts), [(date(2019, 5, 1), 180), (date(2019, 5, 1), 30)]);
    }

    /// R-AFT-02
    #[test]
    fn a_handover_is_answered_when_it_is_accepted_counted_from_its_first_filling() {
        use HandoverStep::{Accepted, Filled};
        let step = |handover, step, day| Handover {
            handover: id(handover),
            person: Pseudonym::of("a"),
            step,
            on: date(2019, 5, day),
        };
        let mut handovers = vec![
            step(1, Filled, 1),
            step(1, Filled, 8),
            step(1, Accepted, 9),
            step(2, Accepted, 2),
            step(3, Filled, 2),
        ];
        for _ in 0..handovers.len() {
            handovers.rotate_left(1);
            let facts = Facts { handovers: handovers.clone(), ..Facts::default() };
            assert_eq!(amounts(Measure::HandoverAnswerDays, &facts), [(date(2019, 5, 9), 8)]);
        }
    }
}
