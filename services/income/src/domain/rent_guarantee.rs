//! The municipality's guarantee for the rent of one allocation: cap, term and reason, in exceptional cases (R-HOU-05).

use crate::domain::{AllocationId, Rules};
use jiff::ToSpan;
use kernel::{Cents, ClientId, Date, Moment, Municipality, Organisation, Refusal, Term};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    RENT_GUARANTEE_WITHDRAWN: Rule, "P4",
        "The guarantee for this allocation was withdrawn.", "De garantstelling voor deze toewijzing is ingetrokken.",
        "A new allocation gets a new guarantee.", "Een nieuwe toewijzing krijgt een nieuwe garantstelling.";
    RENT_GUARANTEE_DECIDED: Rule, "R-HOU-05",
        "This guarantee is {state} already.", "Deze garantstelling is al {staat}.",
        "Read it again; a decision is not changed.", "Lees haar opnieuw; een besluit verandert niet.";
    RENT_GUARANTEE_CAP_TOO_HIGH: Rule, "R-HOU-05",
        "The cap is more than {rents} months of rent: {highest} euro.",
        "Het maximum is meer dan {rents} maanden huur: {highest} euro.",
        "Give a cap between 0.01 and {highest} euro.", "Geef een maximum tussen 0,01 en {highest} euro.";
    RENT_GUARANTEE_TERM_TOO_LONG: Rule, "R-HOU-05",
        "The guarantee would end on {ends_on}, outside its term.", "De garantstelling zou eindigen op {ends_on}, buiten haar termijn.",
        "Give a last day from {earliest} to {latest}.", "Geef een laatste dag van {earliest} tot en met {latest}.";
    RENT_GUARANTEE_RENT_INVALID: Malformed, "R-HOU-05",
        "A guarantee needs the rent it is for.", "Een garantstelling vraagt de huur waarvoor zij geldt.",
        "Give the rent per month in cents.", "Geef de huur per maand in centen.";
}

/// Why a guarantee is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Debts block the lease.
    DebtsBlockLease,
    /// Arrears with this corporation from before.
    FormerArrears,
    /// Income starts after the lease.
    IncomeGap,
    /// The client has never rented.
    NoRentalHistory,
}

/// Why a guarantee is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalGround {
    /// The lease is possible without it.
    NotNeeded,
    /// The risk is too high.
    RiskTooHigh,
    /// No budget.
    NoBudget,
    /// Another ground, in the letter.
    Other,
}

/// What is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The most that can be claimed.
    pub cap: Cents,
    /// The last day.
    pub ends_on: Date,
    /// Why.
    pub reason: Reason,
    /// Whether it carries the rent until income starts (P2).
    pub bridging: bool,
}

/// What it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The client.
    pub client: ClientId,
    /// The allocation.
    pub allocation: AllocationId,
    /// Who lets the dwelling.
    pub corporation: Organisation,
    /// Whose money it is.
    pub municipality: Municipality,
    /// The first day of the lease.
    pub lease_start_on: Date,
    /// The rent per month.
    pub rent: Cents,
    /// When it was asked.
    pub asked_on: Date,
}

/// A rent guarantee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RentGuarantee {
    /// What it was asked for.
    pub asked: Asked,
    /// Where it stands.
    pub stage: Stage,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Asked, not decided.
    Requested {
        /// Whether its silence was told.
        told: bool,
    },
    /// Given.
    Granted {
        /// What was given.
        grant: Grant,
        /// Whether a warning of its end went out.
        warned: bool,
    },
    /// Refused.
    Refused {
        /// Why.
        ground: RefusalGround,
    },
    /// Its allocation fell.
    Withdrawn,
    /// Its term is over.
    Ended {
        /// What was given.
        grant: Grant,
    },
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Ask for one.
    Request(Asked),
    /// Give it.
    Give(Grant),
    /// Refuse it.
    Refuse(RefusalGround),
    /// Take it back.
    Withdraw,
    /// Look whether something is due.
    Wake,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was asked.
    Requested(Asked),
    /// Nobody decided in time (P7).
    Unanswered,
    /// It was given.
    Granted(Grant),
    /// It was refused.
    Refused(RefusalGround),
    /// It was taken back.
    Withdrawn,
    /// Its end is near (P7).
    EndingSoon(Date),
    /// Its term is over.
    Ended(Date),
}

/// When to wake, if ever.
pub fn wake_on(state: &RentGuarantee, rules: Rules<'_>) -> Option<Date> {
    match state.stage {
        Stage::Requested { told: false } => {
            let last = rules.calendar.plain_end(state.asked.asked_on, rules.policy.guarantee_answer_within);
            Some(last.saturating_add(1.day()))
        }
        Stage::Granted { grant, warned: false } => {
            Some(grant.ends_on.saturating_sub(rules.policy.guarantee_warn_days.days()))
        }
        Stage::Granted { grant, warned: true } => Some(grant.ends_on.saturating_add(1.day())),
        Stage::Requested { told: true } | Stage::Refused { .. } | Stage::Withdrawn | Stage::Ended { .. } => None,
    }
}

/// What happens to a guarantee.
pub fn decide(
    state: Option<&RentGuarantee>,
    command: &Command,
    rules: Rules<'_>,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    let Some(state) = state else {
        return match command {
            Command::Request(asked) if asked.rent <= Cents(0) => {
                Err(RENT_GUARANTEE_RENT_INVALID.field("rent_cents", "is not positive", "is niet positief"))
            }
            Command::Request(asked) => Ok(vec![Event::Requested(asked.clone())]),
            // Taking back what was never asked: nothing left to do.
            _ => Ok(vec![]),
        };
    };
    match (state.stage, command) {
        (Stage::Withdrawn, Command::Request(_) | Command::Give(_) | Command::Refuse(_)) => {
            Err((&RENT_GUARANTEE_WITHDRAWN).into())
        }
        // One guarantee per allocation, whatever is repeated (P3).
        (_, Command::Request(_)) => Ok(vec![]),
        (Stage::Requested { .. }, Command::Give(grant)) => {
            check(&state.asked, *grant, rules, now).map(|()| vec![Event::Granted(*grant)])
        }
        (Stage::Granted { grant: given, .. }, Command::Give(grant)) if given == *grant => Ok(vec![]),
        (Stage::Requested { .. }, Command::Refuse(ground)) => Ok(vec![Event::Refused(*ground)]),
        (Stage::Refused { ground: known }, Command::Refuse(ground)) if known == *ground => Ok(vec![]),
        (stage, Command::Give(_) | Command::Refuse(_)) => {
            let (en, nl) = words(stage);
            Err(RENT_GUARANTEE_DECIDED.with("state", en).with("staat", nl))
        }
        (Stage::Requested { .. } | Stage::Granted { .. }, Command::Withdraw) => Ok(vec![Event::Withdrawn]),
        (Stage::Refused { .. } | Stage::Withdrawn | Stage::Ended { .. }, Command::Withdraw) => Ok(vec![]),
        (stage, Command::Wake) => Ok(match (stage, wake_on(state, rules)) {
            (Stage::Requested { .. }, Some(due)) if due <= now.date => vec![Event::Unanswered],
            (Stage::Granted { grant, warned: false }, Some(due)) if due <= now.date => {
                vec![Event::EndingSoon(grant.ends_on)]
            }
            (Stage::Granted { grant, warned: true }, Some(due)) if due <= now.date => vec![Event::Ended(grant.ends_on)],
            _ => vec![],
        }),
    }
}

/// Cap and term within the local limits (R-HOU-05).
fn check(asked: &Asked, grant: Grant, rules: Rules<'_>, now: Moment) -> Result<(), Refusal> {
    let highest = Cents(asked.rent.0.saturating_mul(rules.policy.guarantee_cap_rents));
    if grant.cap <= Cents(0) || grant.cap > highest {
        return Err(RENT_GUARANTEE_CAP_TOO_HIGH
            .with("rents", rules.policy.guarantee_cap_rents)
            .with("highest", highest));
    }
    let latest = rules.calendar.plain_end(asked.lease_start_on, Term::Months(rules.policy.guarantee_months));
    let earliest = asked.lease_start_on.max(now.date);
    if grant.ends_on < earliest || grant.ends_on > latest {
        return Err(RENT_GUARANTEE_TERM_TOO_LONG
            .with("ends_on", grant.ends_on)
            .with("earliest", earliest)
            .with("latest", latest));
    }
    Ok(())
}

fn words(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Requested { .. } => ("requested", "aangevraagd"),
        Stage::Granted { .. } => ("granted", "verleend"),
        Stage::Refused { .. } => ("refused", "geweigerd"),
        Stage::Withdrawn => ("withdrawn", "ingetrokken"),
        Stage::Ended { .. } => ("over", "afgelopen"),
    }
}

/// The state after an event.
pub fn apply(state: Option<RentGuarantee>, event: &Event) -> Option<RentGuarantee> {
    let stage = match (event, state.as_ref().map(|one| one.stage)) {
        (Event::Requested(asked), _) => {
            return Some(RentGuarantee { asked: asked.clone(), stage: Stage::Requested { told: false } });
        }
        (Event::Unanswered, _) => Stage::Requested { told: true },
        (Event::Granted(grant), _) => Stage::Granted { grant: *grant, warned: false },
        (Event::Refused(ground), _) => Stage::Refused { ground: *ground },
        (Event::Withdrawn, _) => Stage::Withdrawn,
        (Event::EndingSoon(_), Some(Stage::Granted { grant, .. })) => Stage::Granted { grant, warned: true },
        (Event::Ended(_), Some(Stage::Granted { grant, .. })) => Stage::Ended { grant },
        (Event::EndingSoon(_) | Event::Ended(_), _) => return state,
    };
    state.map(|one| RentGuarantee { stage, ..one })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{Book, allocation, client, dordrecht, on};
    use jiff::civil::date;
    use proptest::prelude::*;

    fn asked() -> Asked {
        Asked {
            client: client(),
            allocation: allocation(1),
            corporation: Organisation::parse("corporation", "trivire").unwrap(),
            municipality: dordrecht(),
            lease_start_on: date(2026, 5, 1),
            rent: Cents(60_000),
            asked_on: date(2026, 4, 13),
        }
    }

    fn grant() -> Grant {
        Grant { cap: Cents(180_000), ends_on: date(2027, 5, 1), reason: Reason::DebtsBlockLease, bridging: false }
    }

    fn at(stage: Stage) -> RentGuarantee {
        RentGuarantee { asked: asked(), stage }
    }

    fn answer(state: Option<&RentGuarantee>, command: &Command) -> Result<Vec<Event>, &'static str> {
        let now = on(date(2026, 4, 14));
        decide(state, command, Book::new().rules(now.date), now).map_err(|refusal| refusal.reason.code)
    }

    /// P3, P4, R-HOU-05
    #[test]
    fn a_guarantee_is_asked_once_decided_once_and_falls_with_its_allocation() {
        let requested = at(Stage::Requested { told: false });
        let granted = at(Stage::Granted { grant: grant(), warned: false });
        let refused = at(Stage::Refused { ground: RefusalGround::NotNeeded });
        let withdrawn = at(Stage::Withdrawn);
        let ask = Command::Request(asked());
        let table = [
            (None, &ask, Ok(vec![Event::Requested(asked())])),
            (Some(&requested), &ask, Ok(vec![])),
            (Some(&granted), &ask, Ok(vec![])),
            (Some(&withdrawn), &ask, Err("RENT_GUARANTEE_WITHDRAWN")),
            (Some(&requested), &Command::Give(grant()), Ok(vec![Event::Granted(grant())])),
            (Some(&granted), &Command::Give(grant()), Ok(vec![])),
            (Some(&granted), &Command::Refuse(RefusalGround::Other), Err("RENT_GUARANTEE_DECIDED")),
            (Some(&refused), &Command::Refuse(RefusalGround::NotNeeded), Ok(vec![])),
            (Some(&refused), &Command::Give(grant()), Err("RENT_GUARANTEE_DECIDED")),
            (Some(&requested), &Command::Withdraw, Ok(vec![Event::Withdrawn])),
            (Some(&granted), &Command::Withdraw, Ok(vec![Event::Withdrawn])),
            (Some(&withdrawn), &Command::Withdraw, Ok(vec![])),
            (None, &Command::Withdraw, Ok(vec![])),
        ];
        for (state, command, expected) in table {
            assert_eq!(answer(state, command), expected, "{command:?}");
        }
        let free = Command::Request(Asked { rent: Cents(0), ..asked() });
        assert_eq!(answer(None, &free), Err("RENT_GUARANTEE_RENT_INVALID"));
    }

    /// R-HOU-05
    #[test]
    fn cap_and_term_stay_within_local_policy() {
        let requested = at(Stage::Requested { told: false });
        for (wrong, code) in [
            (Grant { cap: Cents(180_001), ..grant() }, "RENT_GUARANTEE_CAP_TOO_HIGH"),
            (Grant { cap: Cents(0), ..grant() }, "RENT_GUARANTEE_CAP_TOO_HIGH"),
            (Grant { ends_on: date(2027, 5, 2), ..grant() }, "RENT_GUARANTEE_TERM_TOO_LONG"),
            (Grant { ends_on: date(2026, 4, 30), ..grant() }, "RENT_GUARANTEE_TERM_TOO_LONG"),
        ] {
            assert_eq!(answer(Some(&requested), &Command::Give(wrong)), Err(code));
        }
    }

    /// P7
    #[test]
    fn silence_and_the_end_of_a_guarantee_are_told() {
        let book = Book::new();
        let wake = |state: &RentGuarantee| {
            let due = wake_on(state, book.rules(date(2026, 4, 14))).unwrap();
            let early = due.saturating_sub(1.day());
            assert_eq!(decide(Some(state), &Command::Wake, book.rules(early), on(early)), Ok(vec![]));
            let events = decide(Some(state), &Command::Wake, book.rules(due), on(due)).unwrap();
            let next = events.iter().fold(Some(state.clone()), apply).unwrap();
            (due, events, next)
        };
        let (due, events, told) = wake(&at(Stage::Requested { told: false }));
        assert_eq!((due, events), (date(2026, 4, 17), vec![Event::Unanswered]));
        assert_eq!(wake_on(&told, book.rules(due)), None);
        let (due, events, warned) = wake(&at(Stage::Granted { grant: grant(), warned: false }));
        assert_eq!((due, events), (date(2027, 4, 3), vec![Event::EndingSoon(grant().ends_on)]));
        let (due, events, ended) = wake(&warned);
        assert_eq!((due, events), (date(2027, 5, 2), vec![Event::Ended(grant().ends_on)]));
        assert_eq!(ended.stage, Stage::Ended { grant: grant() });
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop_oneof![
            Just(Command::Request(asked())),
            Just(Command::Give(grant())),
            Just(Command::Refuse(RefusalGround::Other)),
            Just(Command::Withdraw),
            Just(Command::Wake),
        ]
    }

    proptest! {
        /// P3, P4
        #[test]
        fn whatever_is_repeated_there_is_one_request_and_nothing_stands_after_a_withdrawal(
            commands in prop::collection::vec(any_command(), 0..20)
        ) {
            let book = Book::new();
            let now = on(date(2026, 4, 14));
            let (mut state, mut requests) = (None, 0);
            for command in commands {
                for event in decide(state.as_ref(), &command, book.rules(now.date), now).unwrap_or_default() {
                    requests += i32::from(matches!(event, Event::Requested(_)));
                    state = apply(state, &event);
                }
                // The same wish twice changes nothing.
                prop_assert_eq!(decide(state.as_ref(), &command, book.rules(now.date), now).unwrap_or_default(), vec![]);
            }
            prop_assert!(requests <= 1);
            let undone = decide(state.as_ref(), &Command::Withdraw, book.rules(now.date), now).unwrap();
            let state = undone.iter().fold(state, apply);
            let standing = state.is_some_and(|one| matches!(one.stage, Stage::Requested { .. } | Stage::Granted { .. }));
            prop_assert!(!standing);
        }
    }
}
