//! Readiness: whether a client may be nominated for a home, computed from what three feeds and the case tell (R-HOU-03).
//!
//! The answer depends on the facts alone, not on the order in which they came in.

use super::case::{Case, codes};
use super::consent::{self, Consent};
use kernel::{Date, Organisation, Role};
use std::collections::BTreeMap;

codes! {
    /// What a nomination asks for.
    Requirement {
        Decision = "decision", "A decision that is current.";
        HousingGoal = "housing_goal", "A plan with an open goal on housing.";
        Guidance = "guidance", "Guidance arranged, offered and declined, or not needed.";
        Finances = "finances", "Finances stabilised, or a guarantee.";
    }
}

impl Requirement {
    /// The rule that asks for it.
    pub const RULE: &'static str = "R-HOU-03";

    /// What would fulfil it, in Dutch.
    pub fn uitweg(self) -> &'static str {
        match self {
            Requirement::Decision => "Neem of verleng een beschikking bij de toegang.",
            Requirement::HousingGoal => "Stel een plan vast met een open doel op wonen.",
            Requirement::Guidance => "Leg vast dat begeleiding geregeld, aangeboden en afgewezen, of niet nodig is.",
            Requirement::Finances => "Laat de financiën stabiel verklaren, of vraag een garantstelling.",
        }
    }
}

/// What other services told about a client, as far as readiness needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// First and last day of each decision that grants something; the last day moves with extension and end.
    pub decisions: BTreeMap<String, Decision>,
    /// Since when finances are stabilised; none when they are not.
    pub stabilised_since: Option<Date>,
    /// The last day of each guarantee that was granted; none for one that has no end.
    pub guarantees: BTreeMap<String, Option<Date>>,
}

/// A decision that grants something.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// Its first day.
    pub starts_on: Date,
    /// Its last day; none when it has none.
    pub ends_on: Option<Date>,
}

/// Something that another service told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A decision was taken that grants something.
    Decided {
        /// The decision.
        id: String,
        /// First and last day.
        decision: Decision,
    },
    /// A decision was extended.
    Extended {
        /// The decision.
        id: String,
        /// Its last day now.
        ends_on: Option<Date>,
    },
    /// A decision was ended.
    Ended {
        /// The decision.
        id: String,
    },
    /// Finances are stabilised.
    Stabilised {
        /// Since when.
        since: Date,
    },
    /// Finances are no longer stabilised.
    NotStabilised,
    /// A guarantee was granted.
    Guaranteed {
        /// The guarantee.
        id: String,
        /// Its last day.
        ends_on: Option<Date>,
    },
    /// A guarantee was withdrawn or ended.
    GuaranteeGone {
        /// The guarantee.
        id: String,
    },
}

/// What is known after one more fact.
pub fn learn(mut facts: Facts, fact: &Fact) -> Facts {
    match fact {
        Fact::Decided { id, decision } => {
            facts.decisions.insert(id.clone(), decision.clone());
        }
        Fact::Extended { id, ends_on } => {
            if let Some(decision) = facts.decisions.get_mut(id) {
                decision.ends_on = *ends_on;
            }
        }
        Fact::Ended { id } => {
            facts.decisions.remove(id);
        }
        Fact::Stabilised { since } => facts.stabilised_since = Some(*since),
        Fact::NotStabilised => facts.stabilised_since = None,
        Fact::Guaranteed { id, ends_on } => {
            facts.guarantees.insert(id.clone(), *ends_on);
        }
        Fact::GuaranteeGone { id } => {
            facts.guarantees.remove(id);
        }
    }
    facts
}

/// What is missing for a nomination on that day; nothing means ready.
pub fn failed(facts: &Facts, case: Option<&Case>, today: Date) -> Vec<Requirement> {
    let case = case.filter(|c| c.closed.is_none());
    let current = facts.decisions.values().any(|d| d.starts_on <= today && d.ends_on.is_none_or(|end| today <= end));
    let guaranteed = facts.guarantees.values().any(|end| end.is_none_or(|end| today <= end));
    let holds = |requirement: &Requirement| match requirement {
        Requirement::Decision => current,
        Requirement::HousingGoal => case.is_some_and(Case::has_open_housing_goal),
        Requirement::Guidance => case.is_some_and(|c| c.guidance.is_some()),
        Requirement::Finances => facts.stabilised_since.is_some_and(|since| since <= today) || guaranteed,
    };
    Requirement::ALL.iter().filter(|r| !holds(r)).copied().collect()
}

/// The next day on which the answer may change by itself; none when only a new fact can change it.
pub fn changes_on(facts: &Facts, today: Date) -> Option<Date> {
    let ends = |end: &Option<Date>| end.and_then(|end| end.tomorrow().ok());
    facts
        .decisions
        .values()
        .flat_map(|d| [Some(d.starts_on), ends(&d.ends_on)])
        .chain(facts.guarantees.values().map(ends))
        .chain([facts.stabilised_since])
        .flatten()
        .filter(|day| *day > today)
        .min()
}

/// What somebody may hear of what is missing: `None` stands for something that the client does not share with a shelter
/// without consent (the debts row of the who-may-see-what matrix).
pub fn shown_to(
    failed: &[Requirement],
    roles: &[Role],
    organisation: &Organisation,
    consents: &[Consent],
) -> Vec<Option<Requirement>> {
    let sees = !needs_consent(roles) || consent::allows(consents, organisation, consent::Category::Debt);
    failed.iter().map(|r| (sees || *r != Requirement::Finances).then_some(*r)).collect()
}

/// Whether what is missing on finances is shown in these roles only by the client's consent.
pub fn needs_consent(roles: &[Role]) -> bool {
    const SEE_FINANCES: &[Role] = &[Role::Client, Role::Access, Role::Caseholder, Role::Regie];
    !roles.iter().any(|role| SEE_FINANCES.contains(role))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::{self, CaseId, Command, GoalId, GoalOwner, Guidance, LifeDomain};
    use jiff::civil::date;
    use kernel::{Moment, Municipality, Uuid};
    use proptest::prelude::*;

    const TODAY: Date = date(2026, 3, 2);

    fn full_case() -> Case {
        let fresh = case::open(CaseId(Uuid::nil()), Municipality::parse("m", "0505").unwrap(), Moment::start_of(TODAY));
        let goal = Command::SetGoal {
            id: GoalId(Uuid::nil()),
            new: true,
            domain: LifeDomain::Housing,
            text: "een huis".into(),
            owner: GoalOwner::Client,
            due_on: TODAY,
        };
        let adopt = Command::AdoptPlan { client_present: true, absence_reason: None };
        [adopt, goal, Command::SetGuidance { guidance: Guidance::NotNeeded }].iter().fold(fresh, |case, command| {
            case::decide(Some(&case), command, Moment::start_of(TODAY)).unwrap().iter().fold(case, case::apply)
        })
    }

    fn decided(ends_on: Date) -> Fact {
        Fact::Decided { id: "d".into(), decision: Decision { starts_on: date(2026, 1, 1), ends_on: Some(ends_on) } }
    }

    fn all_facts() -> Facts {
        [decided(date(2026, 6, 30)), Fact::Stabilised { since: TODAY }].iter().fold(Facts::default(), learn)
    }

    /// R-HOU-03
    #[test]
    fn each_requirement_that_is_not_met_is_listed() {
        let case = full_case();
        assert_eq!(failed(&all_facts(), Some(&case), TODAY), []);
        assert_eq!(failed(&Facts::default(), None, TODAY), Requirement::ALL);
        let lost = [
            (Fact::Ended { id: "d".into() }, Requirement::Decision),
            (decided(date(2026, 3, 1)), Requirement::Decision),
            (Fact::NotStabilised, Requirement::Finances),
            (Fact::Stabilised { since: date(2026, 3, 3) }, Requirement::Finances),
        ];
        for (fact, requirement) in lost {
            assert_eq!(failed(&learn(all_facts(), &fact), Some(&case), TODAY), [requirement], "{fact:?}");
        }
        let mut no_goal = case.clone();
        no_goal.goals.clear();
        assert_eq!(failed(&all_facts(), Some(&no_goal), TODAY), [Requirement::HousingGoal]);
        let mut no_guidance = case;
        no_guidance.guidance = None;
        assert_eq!(failed(&all_facts(), Some(&no_guidance), TODAY), [Requirement::Guidance]);
    }

    /// R-HOU-03, R-HOU-05
    #[test]
    fn a_guarantee_stands_in_for_finances_while_it_lasts() {
        let facts = learn(all_facts(), &Fact::NotStabilised);
        let facts = learn(facts, &Fact::Guaranteed { id: "g".into(), ends_on: Some(date(2026, 4, 1)) });
        assert_eq!(failed(&facts, Some(&full_case()), date(2026, 4, 1)), []);
        assert_eq!(failed(&facts, Some(&full_case()), date(2026, 4, 2)), [Requirement::Finances]);
        let gone = learn(facts, &Fact::GuaranteeGone { id: "g".into() });
        assert_eq!(failed(&gone, Some(&full_case()), TODAY), [Requirement::Finances]);
    }

    /// P7
    #[test]
    fn readiness_is_looked_at_again_when_a_decision_runs_out() {
        assert_eq!(changes_on(&all_facts(), TODAY), Some(date(2026, 7, 1)));
        let extended = learn(all_facts(), &Fact::Extended { id: "d".into(), ends_on: Some(date(2026, 12, 31)) });
        assert_eq!(changes_on(&extended, TODAY), Some(date(2027, 1, 1)));
        assert_eq!(changes_on(&Facts::default(), TODAY), None);
    }

    /// P8, R-HOU-04
    #[test]
    fn a_shelter_hears_of_finances_only_with_consent() {
        let shelter = Organisation::parse("o", "leger-des-heils").unwrap();
        let missing = [Requirement::Guidance, Requirement::Finances];
        assert_eq!(shown_to(&missing, &[Role::Shelter], &shelter, &[]), [Some(Requirement::Guidance), None]);
        assert_eq!(shown_to(&missing, &[Role::Caseholder], &shelter, &[]), missing.map(Some));
    }

    proptest! {
        /// R-HOU-03: nothing changes between today and the day that was announced.
        #[test]
        fn the_answer_holds_until_the_announced_day(start in 0i32..60, length in 0i32..60, since in 0i32..60) {
            let day = |n: i32| TODAY.saturating_add(jiff::Span::new().days(n));
            let decision = Decision { starts_on: day(start), ends_on: Some(day(start + length)) };
            let facts = [Fact::Decided { id: "d".into(), decision }, Fact::Stabilised { since: day(since) }]
                .iter()
                .fold(Facts::default(), learn);
            let case = full_case();
            for n in 0..130 {
                if failed(&facts, Some(&case), day(n)) != failed(&facts, Some(&case), day(n + 1)) {
                    prop_assert_eq!(changes_on(&facts, day(n)), Some(day(n + 1)));
                }
            }
        }
    }
}
