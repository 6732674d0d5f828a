//! The client's own plan for when it threatens to go wrong: early signs, what helps, who may be called (R-AFT-03).

use super::{TEXT_LIMIT, check_text, signal::Kind};
use kernel::{Date, Moment, Refusal, Violation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

kernel::reasons! {
    SIGNALLING_PLAN_INCOMPLETE: Malformed, "R-AFT-03",
        "The signalling plan is not complete.", "Het signaleringsplan is niet volledig.",
        "Fill in the named fields, together with the client.", "Vul de genoemde velden in, samen met de cliënt.";
    SIGNALLING_PLAN_NOT_AGREED: Rule, "R-AFT-03",
        "The client agrees on {on}, which lies in the future.", "De cliënt stemt in op {on}, in de toekomst.",
        "Record the plan once the client agreed.", "Leg het plan vast als de cliënt heeft ingestemd.";
}

/// One early sign, and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlySign {
    /// How it shows, in the client's words.
    pub sign: String,
    /// What the client and the helpers do then.
    pub action: String,
}

/// The plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The early signs.
    pub signs: Vec<EarlySign>,
    /// What helps the client.
    pub what_helps: String,
    /// Who may be called, and how.
    pub who_to_call: String,
    /// The channel that is open day and night.
    pub day_and_night_channel: String,
    /// The facts about money that the teams may hear of (R-AFT-05).
    pub shared_money_kinds: BTreeSet<Kind>,
    /// The day on which the client agreed.
    pub agreed_on: Option<Date>,
}

/// What happened to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// This plan is in force.
    Agreed(Plan),
}

/// Puts a plan in force in place of the one before.
pub fn agree(in_force: Option<&Plan>, plan: &Plan, now: Moment) -> Result<Vec<Event>, Refusal> {
    if in_force == Some(plan) {
        return Ok(vec![]);
    }
    let mut refusal = Refusal::from(&SIGNALLING_PLAN_INCOMPLETE);
    let wrong = &mut refusal.fields;
    if plan.signs.is_empty() || plan.signs.len() > 20 {
        violation(wrong, "plan.signs", "has one to twenty early signs", "heeft één tot twintig vroege signalen");
    }
    for (n, EarlySign { sign, action }) in plan.signs.iter().enumerate() {
        check_text(wrong, &format!("plan.signs[{n}].sign"), sign, 1_000);
        check_text(wrong, &format!("plan.signs[{n}].action"), action, 1_000);
    }
    check_text(wrong, "plan.what_helps", &plan.what_helps, TEXT_LIMIT);
    check_text(wrong, "plan.who_to_call", &plan.who_to_call, TEXT_LIMIT);
    check_text(wrong, "plan.day_and_night_channel", &plan.day_and_night_channel, 400);
    if !plan.shared_money_kinds.iter().all(|kind| kind.is_money()) {
        violation(
            wrong,
            "plan.shared_money_kinds",
            "holds a kind that is not about money",
            "bevat een soort die niet over geld gaat",
        );
    }
    match plan.agreed_on {
        None => violation(wrong, "plan.agreed_on", "is required", "is verplicht"),
        Some(on) if wrong.is_empty() && on > now.date => return Err(SIGNALLING_PLAN_NOT_AGREED.with("on", on)),
        Some(_) => {}
    }
    if refusal.fields.is_empty() { Ok(vec![Event::Agreed(plan.clone())]) } else { Err(refusal) }
}

/// The plan in force after an event.
pub fn apply(event: &Event) -> Plan {
    let Event::Agreed(plan) = event;
    plan.clone()
}

fn violation(wrong: &mut Vec<Violation>, path: &str, en: &str, nl: &str) {
    wrong.push(Violation { path: path.to_owned(), en: en.to_owned(), nl: nl.to_owned() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn now() -> Moment {
        Moment::at_hour(date(2026, 3, 2), 10)
    }

    fn plan() -> Plan {
        Plan {
            signs: vec![EarlySign { sign: "gordijnen dicht".into(), action: "bellen".into() }],
            what_helps: "wandelen".into(),
            who_to_call: "Sjaan".into(),
            day_and_night_channel: "0800".into(),
            shared_money_kinds: BTreeSet::from([Kind::MissedRent]),
            agreed_on: Some(date(2026, 3, 2)),
        }
    }

    /// R-AFT-03
    #[test]
    fn a_plan_has_signs_with_actions_what_helps_who_to_call_and_a_channel() {
        assert_eq!(agree(None, &plan(), now()), Ok(vec![Event::Agreed(plan())]));
        let empty = Plan {
            signs: vec![EarlySign { sign: "stil".into(), action: String::new() }],
            what_helps: String::new(),
            who_to_call: " ".into(),
            day_and_night_channel: String::new(),
            shared_money_kinds: BTreeSet::from([Kind::Nuisance]),
            agreed_on: None,
        };
        let refusal = agree(None, &empty, now()).unwrap_err();
        assert_eq!(refusal.reason.code, "SIGNALLING_PLAN_INCOMPLETE");
        let paths: Vec<_> = refusal.fields.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "plan.signs[0].action",
                "plan.what_helps",
                "plan.who_to_call",
                "plan.day_and_night_channel",
                "plan.shared_money_kinds",
                "plan.agreed_on",
            ]
        );
        assert!(agree(None, &Plan { signs: vec![], ..plan() }, now()).is_err());
    }

    /// R-AFT-03
    #[test]
    fn a_plan_is_in_force_only_once_the_client_agreed() {
        let refusal = agree(None, &Plan { agreed_on: Some(date(2026, 3, 3)), ..plan() }, now()).unwrap_err();
        assert_eq!(refusal.reason.code, "SIGNALLING_PLAN_NOT_AGREED");
    }

    /// R-AFT-03
    #[test]
    fn the_same_plan_again_changes_nothing_and_another_replaces_it() {
        assert_eq!(agree(Some(&plan()), &plan(), now()), Ok(vec![]));
        let other = Plan { what_helps: "muziek".into(), ..plan() };
        let events = agree(Some(&plan()), &other, now()).unwrap();
        assert_eq!(events.iter().map(apply).next_back(), Some(other));
    }
}
