//! Sets of rows. One is served; a rebuild fills a fresh one from the feeds beside it and takes its place.
//!
//! Events that come in meanwhile go into both. A rebuild that was cut off is taken up again: rows are facts, so reading a
//! feed once more changes nothing.

use kernel::{Moment, Refusal};

kernel::reasons! {
    REBUILD_RUNNING: Rule, "P9",
        "A rebuild is running since {since}.", "Er loopt al een herbouw sinds {since}.",
        "Wait until it has answered; figures can be read meanwhile.", "Wacht op het antwoord; cijfers zijn intussen te lezen.";
    REBUILD_FAILED: Away, "P9",
        "The feeds could not be read to their end; the old rows stay in service.",
        "De stromen konden niet tot het einde gelezen worden; de oude rijen blijven in gebruik.",
        "Call again with a fresh request_id once access and aftercare answer.",
        "Roep opnieuw aan met een nieuw request_id zodra access en aftercare antwoorden.";
}

/// The sets of rows that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// One set is served.
    Serving {
        /// Its number.
        serving: i64,
    },
    /// One set is served and another one is being filled.
    Rebuilding {
        /// The number of the set that is served.
        serving: i64,
        /// The number of the set that is being filled.
        building: i64,
        /// Since when.
        since: Moment,
    },
}

impl State {
    /// The number of the set that is served.
    pub fn serving(&self) -> i64 {
        match *self {
            State::Serving { serving } | State::Rebuilding { serving, .. } => serving,
        }
    }
}

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start to fill a fresh set with this number.
    Start {
        /// Higher than any before.
        number: i64,
    },
    /// The set is filled: serve it.
    Finish {
        /// Its number.
        building: i64,
    },
    /// The feeds could not be read: throw the set away.
    Abandon {
        /// Its number.
        building: i64,
    },
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fresh set is being filled.
    Started {
        /// Its number.
        building: i64,
        /// Since when.
        since: Moment,
    },
    /// A set is served from now on; the former one is gone.
    Finished {
        /// Its number.
        serving: i64,
    },
    /// A half-filled set is gone.
    Abandoned {
        /// Its number.
        building: i64,
    },
}

/// What may happen to the sets of rows.
pub fn decide(state: &State, command: &Command, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (*state, *command) {
        (State::Serving { .. }, Command::Start { number }) => Ok(vec![Event::Started { building: number, since: now }]),
        (State::Rebuilding { since, .. }, Command::Start { .. }) => Err(REBUILD_RUNNING.with("since", since.at)),
        (State::Rebuilding { building, .. }, Command::Finish { building: filled }) if building == filled => {
            Ok(vec![Event::Finished { serving: filled }])
        }
        (State::Rebuilding { building, .. }, Command::Abandon { building: gone }) if building == gone => {
            Ok(vec![Event::Abandoned { building }])
        }
        // Whoever else was filling it was first.
        (_, Command::Finish { .. } | Command::Abandon { .. }) => Ok(vec![]),
    }
}

/// The sets of rows after an event.
pub fn apply(state: State, event: &Event) -> State {
    let served = state.serving();
    match *event {
        Event::Started { building, since } => State::Rebuilding { serving: served, building, since },
        Event::Finished { serving } => State::Serving { serving },
        Event::Abandoned { .. } => State::Serving { serving: served },
    }
}

/// What became of one set of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is still being filled.
    Building,
    /// It is or was served.
    Served(Report),
    /// Its feeds could not be read.
    Abandoned,
}

/// What a rebuild found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Events that were read.
    pub events: i64,
    /// Whether every figure came out the same, byte for byte.
    pub identical: bool,
    /// SHA-256 of all figures over all periods, in hexadecimal.
    pub digest: String,
}

/// The answer to who asked for a rebuild: none while it runs.
pub fn answer(outcome: Outcome) -> Result<Option<Report>, Refusal> {
    match outcome {
        Outcome::Building => Ok(None),
        Outcome::Served(report) => Ok(Some(report)),
        Outcome::Abandoned => Err((&REBUILD_FAILED).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn run(state: State, command: Command) -> Result<State, &'static str> {
        let now = Moment::at_hour(date(2019, 7, 1), 9);
        let events = decide(&state, &command, now).map_err(|refusal| refusal.reason.code)?;
        Ok(events.iter().fold(state, apply))
    }

    /// P9
    #[test]
    fn one_rebuild_at_a_time_and_the_old_rows_stay_until_it_is_done() {
        let serving = State::Serving { serving: 1 };
        let running = run(serving, Command::Start { number: 2 }).unwrap();
        assert!(matches!(running, State::Rebuilding { serving: 1, building: 2, .. }));
        assert_eq!(run(running, Command::Start { number: 3 }), Err("REBUILD_RUNNING"));
        assert_eq!(run(running, Command::Finish { building: 2 }), Ok(State::Serving { serving: 2 }));
        assert_eq!(run(running, Command::Abandon { building: 2 }), Ok(serving));
    }

    /// P3
    #[test]
    fn finishing_or_abandoning_twice_changes_nothing() {
        let served = State::Serving { serving: 3 };
        for again in
            [Command::Finish { building: 3 }, Command::Finish { building: 2 }, Command::Abandon { building: 3 }]
        {
            assert_eq!(run(served, again), Ok(served));
        }
    }

    /// P9
    #[test]
    fn a_rebuild_that_failed_is_refused_and_one_that_runs_has_no_answer_yet() {
        let report = Report { events: 9, identical: true, digest: "00".into() };
        assert_eq!(answer(Outcome::Building), Ok(None));
        assert_eq!(answer(Outcome::Served(report.clone())), Ok(Some(report)));
        assert_eq!(answer(Outcome::Abandoned).unwrap_err().reason.code, "REBUILD_FAILED");
    }
}
