//! A benefit request as it stands, and what can be read off it.

use super::*;
use serde::{Deserialize, Serialize};

/// Who signed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Who.
    pub by: Signatory,
    /// When.
    pub on: Date,
}

/// The search term of the young (R-INC-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchTerm {
    /// Its last day.
    pub ends_on: Date,
    /// Whether it was waived.
    pub waived: bool,
    /// Whether a waiver is proposed.
    pub waiver_proposed: bool,
}

/// An open question; the decision term stands still (R-REG-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// From when the term stands still.
    pub asked_on: Date,
    /// The last day to answer.
    pub answer_by: Date,
    /// What was asked.
    pub items: Vec<Item>,
}

/// What waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// The day on which it came in.
    pub applied_on: Date,
    /// Who signed; nothing while only the chain prepared it.
    pub signature: Option<Signature>,
    /// When social services acknowledged it.
    pub acknowledged_on: Option<Date>,
    /// What is being asked.
    pub question: Option<Question>,
    /// Days that the decision term stood still (R-REG-10).
    pub standstill_days: i32,
    /// When an advance was last paid or refused (R-INC-04).
    pub advanced_on: Option<Date>,
    /// The allocation that opened it, if one did.
    pub for_allocation: Option<AllocationId>,
    /// The warnings that went out.
    pub raised: Vec<Alarm>,
}

/// What one move needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The allocation.
    pub allocation: AllocationId,
    /// The first day of the lease.
    pub lease_start_on: Date,
    /// From when benefit is asked.
    pub start_on: Date,
    /// The rent per month.
    pub rent: Cents,
    /// Who decided before this move.
    pub authority_before: Municipality,
}

/// A granted benefit, or its new terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The first day without interruption: that of an older benefit when this one only changes it.
    pub since: Date,
    /// The first day of these terms.
    pub start_on: Date,
    /// The standard per month, if the figures of its day are loaded.
    pub standard: Option<Cents>,
    /// Who pays.
    pub authority: Municipality,
    /// The first day paid for.
    pub paid_from_on: Option<Date>,
    /// Its last day, and why.
    pub ended: Option<(Date, EndReason)>,
    /// The move for which these terms were decided; they fall with it (P4).
    pub for_allocation: Option<AllocationId>,
    /// The terms before that.
    pub before: Option<Box<Grant>>,
}

/// A benefit request. What is absent has not happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenefitRequest {
    /// The client.
    pub client: ClientId,
    /// Whose social services decide (R-INC-25).
    pub authority: Municipality,
    /// The reporting day (R-INC-01).
    pub reported_on: Option<Date>,
    /// The search term of the young (R-INC-05).
    pub search_term: Option<SearchTerm>,
    /// Whether known data can be used again (R-INC-12).
    pub short_reapplication: bool,
    /// Where a benefit is paid that this service does not know.
    pub running_at: Option<Municipality>,
    /// The partner, if a client too.
    pub partner: Option<ClientId>,
    /// What decides the standard.
    pub circumstances: Option<Circumstances>,
    /// Whether it was prepared at nomination (R-INC-11).
    pub prepared: bool,
    /// What waits for a decision.
    pub application: Option<Application>,
    /// What the move needs.
    pub relocation: Option<Move>,
    /// The allocations whose start was withdrawn.
    pub fallen: Vec<AllocationId>,
    /// The benefit.
    pub grant: Option<Grant>,
    /// The last refusal.
    pub refusal: Option<RefusalGround>,
    /// Advances paid, to be settled (R-INC-04).
    pub advances: Cents,
    /// Why it was withdrawn.
    pub withdrawn: Option<WithdrawalReason>,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The client reported.
    Reported,
    /// Prepared at nomination.
    Prepared,
    /// Applied for.
    Applied,
    /// Social services have it.
    Acknowledged,
    /// Something was asked.
    AwaitingInformation,
    /// Granted.
    Granted,
    /// Refused.
    Refused,
    /// In payment.
    InPayment,
    /// The benefit has an end.
    Ended,
    /// Withdrawn.
    Withdrawn,
}

/// What is watched (P7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Nobody acknowledged.
    Unacknowledged,
    /// Information is due soon.
    InformationSoon,
    /// Information did not come.
    InformationOverdue,
    /// The decision is due soon (R-INC-03).
    DecisionSoon,
    /// The decision is late (R-INC-03).
    DecisionOverdue,
    /// An advance is due soon (R-INC-04).
    AdvanceSoon,
    /// An advance is late (R-INC-04).
    AdvanceOverdue,
}

/// One thing that is watched, and the day that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What is watched.
    pub watch: Watch,
    /// The day that it is about: the due date, or since when it waits.
    pub day: Date,
}

impl BenefitRequest {
    /// Where it stands.
    pub fn stage(&self) -> Stage {
        match (&self.application, &self.grant) {
            _ if self.withdrawn.is_some() => Stage::Withdrawn,
            (Some(Application { question: Some(_), .. }), _) => Stage::AwaitingInformation,
            (Some(Application { acknowledged_on: Some(_), .. }), _) => Stage::Acknowledged,
            (Some(_), _) => Stage::Applied,
            (None, Some(Grant { ended: Some(_), .. })) => Stage::Ended,
            (None, Some(Grant { paid_from_on: Some(_), .. })) => Stage::InPayment,
            (None, Some(_)) => Stage::Granted,
            (None, None) if self.refusal.is_some() && self.reported_on.is_none() => Stage::Refused,
            (None, None) if self.prepared => Stage::Prepared,
            (None, None) => Stage::Reported,
        }
    }

    /// Whether it is the client's open request: there is one at most (R-INC-25).
    pub fn is_open(&self) -> bool {
        !matches!(self.stage(), Stage::Withdrawn | Stage::Ended)
    }

    /// What is asked, as things are now (R-INC-25).
    pub fn kind(&self) -> Kind {
        match self.running().map(|grant| &grant.authority).or(self.running_at.as_ref()) {
            Some(paying) if *paying == self.authority => Kind::Change,
            Some(_) => Kind::Transfer,
            None => Kind::New,
        }
    }

    /// The benefit that runs without an end.
    pub fn running(&self) -> Option<&Grant> {
        self.grant.as_ref().filter(|grant| grant.ended.is_none())
    }

    /// From when the terms of the application run: the day it came in, or the end of the search term (R-INC-05).
    pub fn taken_up_on(&self) -> Option<Date> {
        let applied_on = self.application.as_ref()?.applied_on;
        Some(match self.search_term {
            Some(SearchTerm { ends_on, waived: false, .. }) => applied_on.max(ends_on.saturating_add(1.day())),
            _ => applied_on,
        })
    }

    /// When the decision is due; nothing while the term stands still (R-INC-03, R-REG-07, R-REG-10).
    pub fn decision_due_on(&self, rules: Rules<'_>) -> Option<Date> {
        let application = self.application.as_ref().filter(|one| one.question.is_none())?;
        let from = self.taken_up_on()?.saturating_add(application.standstill_days.days());
        Some(rules.calendar.statutory_end(from, DECISION_TERM))
    }

    /// When the next advance is due: within four weeks, and every four weeks until decided (R-INC-04).
    pub fn advance_due_on(&self, rules: Rules<'_>) -> Option<Date> {
        let application =
            self.application.as_ref().filter(|_| self.running().is_none() && self.running_at.is_none())?;
        Some(rules.calendar.statutory_end(application.advanced_on.or(self.taken_up_on())?, ADVANCE_TERM))
    }

    /// Days between lease start and benefit start (R-INC-11).
    pub fn gap_days(&self) -> i32 {
        self.relocation.as_ref().map_or(0, |one| {
            let start = self.running().filter(|_| self.kind() != Kind::New).map_or(one.start_on, |grant| grant.since);
            days_between(one.lease_start_on, start)
        })
    }

    /// What is watched and did not go out yet, with the day on which it does (P7).
    pub(super) fn alarms(&self, rules: Rules<'_>) -> Vec<(Date, Alarm)> {
        let Some(application) = self.application.as_ref().filter(|_| self.withdrawn.is_none()) else { return vec![] };
        let mut alarms = vec![];
        let mut watch = |watch, day: Date, wake_on: Date| alarms.push((wake_on, Alarm { watch, day }));
        let policy = rules.policy;
        if application.acknowledged_on.is_none() {
            let last = rules.calendar.plain_end(application.applied_on, policy.acknowledge_within);
            watch(Watch::Unacknowledged, application.applied_on, last.saturating_add(1.day()));
        }
        let question = application.question.as_ref().map(|question| question.answer_by);
        for (due, days, soon, overdue) in [
            (question, policy.warn_information_days, Watch::InformationSoon, Watch::InformationOverdue),
            (self.decision_due_on(rules), policy.warn_decision_days, Watch::DecisionSoon, Watch::DecisionOverdue),
            (self.advance_due_on(rules), policy.warn_advance_days, Watch::AdvanceSoon, Watch::AdvanceOverdue),
        ] {
            if let Some(due) = due {
                watch(soon, due, due.saturating_sub(days.days()));
                watch(overdue, due, due.saturating_add(1.day()));
            }
        }
        alarms.retain(|(_, alarm)| !application.raised.contains(alarm));
        alarms.sort_by_key(|(wake_on, _)| *wake_on);
        alarms
    }

    /// When to wake, if ever.
    pub fn wake_on(&self, rules: Rules<'_>) -> Option<Date> {
        self.alarms(rules).first().map(|(wake_on, _)| *wake_on)
    }

    /// The application that waits for a decision.
    pub(super) fn pending(&self) -> Result<&Application, Refusal> {
        match &self.application {
            Some(application) => Ok(application),
            None if self.grant.is_some() || self.refusal.is_some() => Err((&BENEFIT_DECIDED).into()),
            None => Err((&BENEFIT_NOT_APPLIED).into()),
        }
    }

    pub(super) fn granted(&self) -> Result<&Grant, Refusal> {
        self.grant.as_ref().ok_or_else(|| (&BENEFIT_NOT_GRANTED).into())
    }

    pub(super) fn known(&self, given: &Option<Circumstances>) -> Result<Circumstances, Refusal> {
        let known = given.clone().or_else(|| self.circumstances.clone());
        let known = known.ok_or(&BENEFIT_CIRCUMSTANCES_UNKNOWN)?;
        known.check("circumstances").map(|()| known)
    }

    pub(super) fn figures<'a>(&self, rules: Rules<'a>, day: Date) -> &'a Figures {
        rules.figures.at(&self.authority, day)
    }
}
