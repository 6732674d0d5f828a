//! Income of the household's own, verified yes or no and from which day (R-INC-26).

use crate::domain::Rules;
use jiff::ToSpan;
use kernel::{Date, Moment, Refusal};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    OWN_INCOME_ENDS_BEFORE_START: Malformed, "R-INC-26",
        "The income ends on {ends_on}, before it starts on {from_on}.",
        "Het inkomen eindigt op {ends_on}, voordat het begint op {from_on}.",
        "Give an end on or after the start, or none.", "Geef een einde op of na het begin, of geen einde.";
}

/// What sort of income (R-INC-26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Wages.
    Wages,
    /// A benefit of the UWV.
    Uwv,
    /// A pension or benefit of the SVB.
    Svb,
    /// A pension.
    Pension,
    /// Study finance.
    Study,
    /// Other income.
    Other,
}

/// What was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// What sort of income.
    pub kind: Kind,
    /// From which day.
    pub from_on: Date,
    /// Its last day, if it has one.
    pub ends_on: Option<Date>,
}

/// Verified or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnIncome {
    /// No income of one's own is verified.
    #[default]
    None,
    /// It is.
    Verified {
        /// What was verified.
        verified: Verified,
        /// Whether a warning of its end went out.
        warned: bool,
    },
}

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Somebody verified it.
    Verify(Verified),
    /// It ended, or was not there.
    Revoke,
    /// Look whether something is due.
    Wake,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Own income was verified.
    Verified(Verified),
    /// Its end is near (P7).
    EndingSoon {
        /// Its last day.
        ends_on: Date,
    },
    /// It is there no more.
    Revoked {
        /// The first day without.
        on: Date,
    },
}

/// When to wake, if ever.
pub fn wake_on(state: OwnIncome, rules: Rules<'_>) -> Option<Date> {
    match state {
        OwnIncome::Verified { verified: Verified { ends_on: Some(ends_on), .. }, warned } => Some(match warned {
            false => ends_on.saturating_sub(rules.policy.warn_own_income_days.days()),
            true => ends_on.saturating_add(1.day()),
        }),
        _ => None,
    }
}

/// What happens to a client's own income.
pub fn decide(state: OwnIncome, command: Command, rules: Rules<'_>, now: Moment) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (_, Command::Verify(Verified { from_on, ends_on: Some(ends_on), .. })) if ends_on < from_on => {
            Err(OWN_INCOME_ENDS_BEFORE_START.with("ends_on", ends_on).with("from_on", from_on).field(
                "ends_on",
                "lies before from_on",
                "ligt voor from_on",
            ))
        }
        (OwnIncome::Verified { verified: known, .. }, Command::Verify(verified)) if known == verified => Ok(vec![]),
        (_, Command::Verify(verified)) => Ok(vec![Event::Verified(verified)]),
        (OwnIncome::Verified { .. }, Command::Revoke) => Ok(vec![Event::Revoked { on: now.date }]),
        (OwnIncome::Verified { verified: Verified { ends_on: Some(ends_on), .. }, warned }, Command::Wake) => {
            Ok(match wake_on(state, rules) {
                // Nothing lapses silently: even when woken late, the warning goes out before the end does.
                Some(due) if due <= now.date && !warned && ends_on < now.date => {
                    vec![Event::EndingSoon { ends_on }, Event::Revoked { on: ends_on.saturating_add(1.day()) }]
                }
                Some(due) if due <= now.date && !warned => vec![Event::EndingSoon { ends_on }],
                Some(due) if due <= now.date => vec![Event::Revoked { on: due }],
                _ => vec![],
            })
        }
        (_, Command::Revoke | Command::Wake) => Ok(vec![]),
    }
}

/// The state after an event.
pub fn apply(state: OwnIncome, event: Event) -> OwnIncome {
    match (state, event) {
        (_, Event::Verified(verified)) => OwnIncome::Verified { verified, warned: false },
        (OwnIncome::Verified { verified, .. }, Event::EndingSoon { .. }) => {
            OwnIncome::Verified { verified, warned: true }
        }
        (OwnIncome::None, Event::EndingSoon { .. }) | (_, Event::Revoked { .. }) => OwnIncome::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{Book, on};
    use jiff::civil::date;

    fn wages(ends_on: Option<Date>) -> Verified {
        Verified { kind: Kind::Wages, from_on: date(2026, 1, 1), ends_on }
    }

    /// R-INC-26
    #[test]
    fn own_income_is_a_yes_from_a_day() {
        let book = Book::new();
        let now = on(date(2026, 3, 2));
        let verified = OwnIncome::Verified { verified: wages(None), warned: false };
        let table = [
            (OwnIncome::None, Command::Verify(wages(None)), Ok(vec![Event::Verified(wages(None))])),
            (verified, Command::Verify(wages(None)), Ok(vec![])),
            (verified, Command::Revoke, Ok(vec![Event::Revoked { on: now.date }])),
            (OwnIncome::None, Command::Revoke, Ok(vec![])),
            (verified, Command::Wake, Ok(vec![])),
            (OwnIncome::None, Command::Verify(wages(Some(date(2025, 1, 1)))), Err("OWN_INCOME_ENDS_BEFORE_START")),
        ];
        for (state, command, answer) in table {
            let got = decide(state, command, book.rules(now.date), now).map_err(|refusal| refusal.reason.code);
            assert_eq!(got, answer, "{command:?}");
        }
    }

    /// P7, R-INC-26
    #[test]
    fn income_that_has_an_end_warns_before_it_and_stops_after_it() {
        let book = Book::new();
        let ends_on = date(2026, 6, 30);
        let mut state = OwnIncome::Verified { verified: wages(Some(ends_on)), warned: false };
        let mut seen = vec![];
        while let Some(due) = wake_on(state, book.rules(ends_on)) {
            for event in decide(state, Command::Wake, book.rules(due), on(due)).unwrap() {
                state = apply(state, event);
                seen.push((due, event));
            }
        }
        assert_eq!(
            seen,
            [
                (date(2026, 6, 2), Event::EndingSoon { ends_on }),
                (date(2026, 7, 1), Event::Revoked { on: date(2026, 7, 1) })
            ]
        );
    }
}
