//! Whether a client's finances are stabilised: a yes or no with a date, never amounts or creditors (R-HOU-04).

use kernel::{Date, Moment, Refusal};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    FINANCES_SINCE_IN_FUTURE: Malformed, "R-HOU-04",
        "{since} has not come yet.", "{since} is nog niet gekomen.",
        "Give today or an earlier day.", "Geef vandaag of een eerdere dag.";
}

/// Stabilised since a day, or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finances {
    /// Not stabilised, or nobody said so.
    #[default]
    Open,
    /// Stabilised.
    Stabilised {
        /// Since when.
        since: Date,
    },
}

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Finances are stabilised.
    Stabilise {
        /// Since when.
        since: Date,
    },
    /// They no longer are.
    End,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Finances are stabilised.
    Stabilised {
        /// Since when.
        since: Date,
    },
    /// They no longer are.
    Ended {
        /// Since when.
        on: Date,
    },
}

/// What happens to the finances of a client.
pub fn decide(state: Finances, command: Command, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (_, Command::Stabilise { since }) if since > now.date => Err(FINANCES_SINCE_IN_FUTURE
            .with("since", since)
            .field("since", "lies in the future", "ligt in de toekomst")),
        (Finances::Stabilised { since: known }, Command::Stabilise { since }) if known == since => Ok(vec![]),
        (_, Command::Stabilise { since }) => Ok(vec![Event::Stabilised { since }]),
        (Finances::Stabilised { .. }, Command::End) => Ok(vec![Event::Ended { on: now.date }]),
        (Finances::Open, Command::End) => Ok(vec![]),
    }
}

/// The state after an event.
pub fn apply(event: Event) -> Finances {
    match event {
        Event::Stabilised { since } => Finances::Stabilised { since },
        Event::Ended { .. } => Finances::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::on;
    use jiff::civil::date;

    /// R-HOU-04
    #[test]
    fn stabilised_is_a_yes_with_a_day_that_has_come() {
        let now = on(date(2026, 3, 2));
        let since = date(2026, 3, 1);
        let stabilised = Finances::Stabilised { since };
        let table = [
            (Finances::Open, Command::Stabilise { since }, Ok(vec![Event::Stabilised { since }])),
            (stabilised, Command::Stabilise { since }, Ok(vec![])),
            (stabilised, Command::End, Ok(vec![Event::Ended { on: now.date }])),
            (Finances::Open, Command::End, Ok(vec![])),
            (Finances::Open, Command::Stabilise { since: date(2026, 3, 3) }, Err("FINANCES_SINCE_IN_FUTURE")),
        ];
        for (state, command, answer) in table {
            assert_eq!(decide(state, command, now).map_err(|refusal| refusal.reason.code), answer);
        }
        assert_eq!(apply(Event::Stabilised { since }), stabilised);
        assert_eq!(apply(Event::Ended { on: now.date }), Finances::Open);
    }
}
