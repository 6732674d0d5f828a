//! A nomination: a client in the pool, on the client's own request, with wishes and exclusions (R-HOU-03, R-HOU-08).

use super::suitable::Household;
use super::{AllocationId, ContractForm, DwellingKind, IncomeClass, NominationId, TargetGroup};
use kernel::{Cents, ClientId, Date, District, Moment, Municipality, Organisation, Refusal, general};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    NOMINATION_NOT_READY: Rule, "R-HOU-03",
        "The client is not ready to be nominated: {failed}.", "De cliënt kan nog niet worden voorgedragen: {failed}.",
        "See to what is missing; the case holder sees it in the readiness of the case.",
        "Regel wat ontbreekt; de trajecthouder ziet het bij de gereedheid van het dossier.";
    NOMINATION_EXISTS: Taken, "R-HOU-03",
        "The client is in the pool already.", "De cliënt staat al in de pool.",
        "Withdraw the former nomination first.", "Trek eerst de eerdere voordracht in.";
    NOMINATION_NOT_FOR_PERMIT_HOLDERS: Rule, "R-HOU-21",
        "The task for permit holders is never mixed with outflow.",
        "De taakstelling voor vergunninghouders wordt nooit gemengd met uitstroom.",
        "Nominate as another target group.", "Draag voor als een andere doelgroep.";
    NOMINATION_ALLOCATED: Rule, "P4",
        "A home is allocated to the client.", "Aan de cliënt is een woning toegewezen.",
        "Withdraw the allocation first.", "Trek eerst de toewijzing in.";
    NOMINATION_NOT_IN_POOL: Rule, "R-HOU-29",
        "The client is not in the pool.", "De cliënt staat niet in de pool.",
        "Choose somebody from the ranking.", "Kies iemand uit de rangorde.";
}

/// What the client wishes, and what is ruled out (R-HOU-08).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// Wished districts.
    pub wished: Vec<District>,
    /// Districts of the network.
    pub network: Vec<District>,
    /// Districts of a school.
    pub school: Vec<District>,
    /// Districts of work or day activity.
    pub work: Vec<District>,
    /// Where the client came from, if known.
    pub origin: Option<Municipality>,
    /// Other municipalities where the client would live.
    pub elsewhere: Vec<Municipality>,
    /// Ruled out; nobody is told why (R-REG-28).
    pub excluded: Vec<District>,
    /// Wished kinds of home; empty for any.
    pub kinds: Vec<DwellingKind>,
    /// Accepted contracts; empty for any (R-HOU-10).
    pub forms: Vec<ContractForm>,
    /// The highest rent that the client can carry, per month.
    pub max_rent: Option<Cents>,
    /// The least number of rooms.
    pub min_rooms: u32,
}

/// A nomination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nomination {
    /// Its id.
    pub id: NominationId,
    /// The client.
    pub client_id: ClientId,
    /// The responsible municipality.
    pub municipality: Municipality,
    /// As which the client is nominated.
    pub group: TargetGroup,
    /// Who nominated.
    pub nominated_by: Organisation,
    /// Who guides the client.
    pub provider: Organisation,
    /// First day in the pool; waiting time counts from here.
    pub nominated_on: Date,
    /// The household.
    pub household: Household,
    /// Class of its income, as far as known (R-HOU-28).
    pub income: Option<IncomeClass>,
    /// A rent guarantee is needed (R-HOU-05).
    pub guarantee_required: bool,
    /// Wishes and exclusions.
    pub wishes: Wishes,
    /// Where it is.
    pub state: State,
}

/// Where a nomination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waiting for a home.
    InPool,
    /// A home is allocated.
    Allocated {
        /// The live allocation.
        allocation: AllocationId,
    },
    /// The client has the keys.
    Housed {
        /// The allocation that became a home.
        allocation: AllocationId,
    },
    /// Taken out of the pool.
    Withdrawn,
}

impl State {
    /// The state's name.
    pub fn name(self) -> &'static str {
        match self {
            State::InPool => "in_pool",
            State::Allocated { .. } => "allocated",
            State::Housed { .. } => "housed",
            State::Withdrawn => "withdrawn",
        }
    }
}

/// What regie published about a client (R-HOU-03).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Nothing is missing.
    pub ready: bool,
    /// What is missing, as regie names it.
    pub failed: Vec<String>,
    /// Since when.
    pub since: Date,
}

/// What can be asked of a nomination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take the client out of the pool.
    Withdraw,
    /// All accepted an offer.
    Allocate {
        /// The allocation.
        allocation: AllocationId,
    },
    /// The allocation fell: back to the pool (P4).
    Return,
    /// The keys were handed over.
    House,
}

/// What happened to a nomination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Taken out of the pool.
    Withdrawn,
    /// A home was allocated.
    Allocated {
        /// The allocation.
        allocation: AllocationId,
    },
    /// Back in the pool, with the same waiting time.
    Returned,
    /// The client has a home.
    Housed {
        /// The allocation.
        allocation: AllocationId,
    },
}

/// Whether the client may be nominated: ready, not in the pool, not a permit holder, and a household that can be.
pub fn admit(nomination: &Nomination, readiness: Option<&Readiness>, in_pool: bool) -> Result<(), Refusal> {
    let Household { adults, children, .. } = nomination.household;
    let checks = [
        ("adults", (1..=10).contains(&adults), "is 1 to 10", "is 1 tot 10"),
        ("children", children <= 15, "is 0 to 15", "is 0 tot 15"),
        ("wishes.min_rooms", nomination.wishes.min_rooms <= 20, "is 0 to 20", "is 0 tot 20"),
        ("wishes.max_rent_cents", nomination.wishes.max_rent.is_none_or(|r| r.0 > 0), "is 0 or more", "is 0 of meer"),
    ];
    let wrong = checks.into_iter().filter(|(_, right, ..)| !right);
    let refusal = wrong.fold(Refusal::from(&general::MALFORMED), |all, (path, _, en, nl)| all.field(path, en, nl));
    if !refusal.fields.is_empty() {
        return Err(refusal);
    }
    if nomination.group == TargetGroup::PermitHolders {
        return Err((&NOMINATION_NOT_FOR_PERMIT_HOLDERS).into());
    }
    if in_pool {
        return Err((&NOMINATION_EXISTS).into());
    }
    ready(readiness)
}

/// Refuses a client of whom regie has not published that nothing is missing (R-HOU-03).
pub fn ready(readiness: Option<&Readiness>) -> Result<(), Refusal> {
    match readiness {
        Some(Readiness { ready: true, .. }) => Ok(()),
        Some(Readiness { failed, .. }) if !failed.is_empty() => {
            Err(NOMINATION_NOT_READY.with("failed", failed.join(", ")))
        }
        _ => Err(NOMINATION_NOT_READY.with("failed", "R-HOU-03")),
    }
}

/// What may happen to a nomination.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (State::InPool, Command::Withdraw) => Ok(vec![Event::Withdrawn]),
        (State::Allocated { .. }, Command::Withdraw) => Err((&NOMINATION_ALLOCATED).into()),
        (State::Withdrawn | State::Housed { .. }, Command::Withdraw) => Ok(vec![]),

        (State::InPool, Command::Allocate { allocation }) => Ok(vec![Event::Allocated { allocation: *allocation }]),
        (State::Allocated { .. }, Command::Allocate { .. }) => Err((&NOMINATION_ALLOCATED).into()),
        (State::Housed { .. } | State::Withdrawn, Command::Allocate { .. }) => Err((&NOMINATION_NOT_IN_POOL).into()),

        (State::Allocated { .. }, Command::Return) => Ok(vec![Event::Returned]),
        (State::Allocated { allocation }, Command::House) => Ok(vec![Event::Housed { allocation: *allocation }]),
        (_, Command::Return | Command::House) => Ok(vec![]),
    }
}

/// The state after an event.
pub fn apply(_: State, event: &Event) -> State {
    match *event {
        Event::Withdrawn => State::Withdrawn,
        Event::Allocated { allocation } => State::Allocated { allocation },
        Event::Returned => State::InPool,
        Event::Housed { allocation } => State::Housed { allocation },
    }
}

/// Whole months in the pool.
pub fn months_waiting(nominated_on: Date, now: Moment) -> i32 {
    nominated_on.until((jiff::Unit::Month, now.date)).map_or(0, |span| span.get_months().max(0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::AgeClass;
    use crate::domain::tests::{dordrecht, org, uuid};
    use jiff::civil::date;

    pub fn nomination(n: u128) -> Nomination {
        Nomination {
            id: NominationId(uuid(n)),
            client_id: ClientId(uuid(1000 + n)),
            municipality: dordrecht(),
            group: TargetGroup::Outflow,
            nominated_by: org("leger-des-heils"),
            provider: org("leger-des-heils"),
            nominated_on: date(2026, 1, 1),
            household: Household { adults: 1, children: 0, age: AgeClass::From23 },
            income: Some(IncomeClass::RentAllowance),
            guarantee_required: false,
            wishes: Wishes::default(),
            state: State::InPool,
        }
    }

    /// R-HOU-03, R-HOU-21
    #[test]
    fn only_a_ready_client_enters_the_pool_and_only_once() {
        let since = date(2026, 1, 1);
        let ready = Readiness { ready: true, failed: vec![], since };
        let missing = Readiness { ready: false, failed: vec!["decision".into()], since };
        let permit = Nomination { group: TargetGroup::PermitHolders, ..nomination(1) };
        let empty = Nomination { household: Household { adults: 0, ..nomination(1).household }, ..nomination(1) };
        assert_eq!(admit(&nomination(1), Some(&ready), false), Ok(()));
        for (nomination, readiness, in_pool, reason) in [
            (&nomination(1), None, false, &NOMINATION_NOT_READY),
            (&nomination(1), Some(&missing), false, &NOMINATION_NOT_READY),
            (&nomination(1), Some(&ready), true, &NOMINATION_EXISTS),
            (&permit, Some(&ready), false, &NOMINATION_NOT_FOR_PERMIT_HOLDERS),
            (&empty, Some(&ready), false, &general::MALFORMED),
        ] {
            assert_eq!(admit(nomination, readiness, in_pool).unwrap_err().reason, reason);
        }
        assert!(admit(&nomination(1), Some(&missing), false).unwrap_err().en().contains("decision"));
    }

    /// P4, R-HOU-22
    #[test]
    fn a_fallen_allocation_puts_the_client_back_in_the_pool() {
        let allocation = AllocationId(uuid(7));
        let allocated = State::Allocated { allocation };
        assert_eq!(
            decide(&State::InPool, &Command::Allocate { allocation }),
            Ok(vec![Event::Allocated { allocation }])
        );
        assert_eq!(decide(&allocated, &Command::Return), Ok(vec![Event::Returned]));
        assert_eq!(apply(allocated, &Event::Returned), State::InPool);
        assert_eq!(decide(&State::InPool, &Command::Return), Ok(vec![]));
        assert_eq!(decide(&allocated, &Command::Withdraw).unwrap_err().reason, &NOMINATION_ALLOCATED);
        assert_eq!(decide(&State::InPool, &Command::Withdraw), Ok(vec![Event::Withdrawn]));
        assert_eq!(decide(&State::Withdrawn, &Command::Withdraw), Ok(vec![]));
        assert_eq!(
            decide(&State::Withdrawn, &Command::Allocate { allocation }).unwrap_err().reason,
            &NOMINATION_NOT_IN_POOL
        );
    }

    #[test]
    fn waiting_counts_whole_months() {
        let at = |day| Moment::start_of(day);
        assert_eq!(months_waiting(date(2026, 1, 31), at(date(2026, 3, 30))), 1);
        assert_eq!(months_waiting(date(2025, 1, 1), at(date(2026, 3, 1))), 14);
        assert_eq!(months_waiting(date(2026, 3, 2), at(date(2026, 3, 1))), 0);
    }
}
