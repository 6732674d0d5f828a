//! What a municipality decides about aftercare; `policy.toml` says what each value means, in which unit, by which rule.

use super::signal::Severity;
use kernel::{Calendar, Date};
use serde::Deserialize;

/// The policy that is built in, and documents itself.
pub const DEFAULT_POLICY: &str = include_str!("../../policy.toml");

/// The values that hold for one municipality from one day on. Units and rules: see `policy.toml`.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the policy file documents each value, once")]
pub struct Policy {
    /// From a file of their own (R-REG-09).
    #[serde(skip)]
    pub calendar: Calendar,
    pub handover_fill_working_days: i32,
    pub handover_answer_working_days: i32,
    pub handover_warn_working_days: i32,
    pub first_contact_days: i32,
    pub dense_weeks: i32,
    pub dense_every_days: i32,
    pub contact_every_weeks: i32,
    pub contact_retry_days: i32,
    pub contact_grace_days: i32,
    pub missed_for_signal: u32,
    pub aftercare_months: i32,
    pub review_months: Vec<i32>,
    pub review_warn_days: i32,
    pub review_again_days: i32,
    pub failed_contacts_to_end: u32,
    pub unverified_keep_days: i32,
    pub still_open_days: i32,
    pub relapse_guarantee: bool,
    pub relapse_guarantee_months: i32,
    pub crisis: AnswerTerm,
    pub high: AnswerTerm,
    pub normal: AnswerTerm,
}

/// How soon a signal of one severity is taken up (R-AFT-06).
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct AnswerTerm {
    /// Working days for the teams; 0 is the same day.
    pub answer_working_days: i32,
    /// Hours for the case holder after that.
    pub caseholder_hours: i32,
}

impl Policy {
    /// The terms of a severity (R-AFT-06).
    pub fn answer(&self, severity: Severity) -> AnswerTerm {
        match severity {
            Severity::Crisis => self.crisis,
            Severity::High => self.high,
            Severity::Normal => self.normal,
        }
    }

    /// Whether somebody who got the keys on `started_on` may return without a new procedure today (R-AFT-10).
    pub fn guarantee_covers(&self, started_on: Option<Date>, today: Date) -> bool {
        let last = |on: Date| self.calendar.plain_end(on, kernel::Term::Months(self.relapse_guarantee_months));
        self.relapse_guarantee && started_on.is_some_and(|on| today <= last(on))
    }
}

#[cfg(test)]
impl Policy {
    /// The built-in values, for tests.
    pub fn for_tests() -> Self {
        let dordrecht = kernel::Municipality::parse("municipality", "0505").unwrap();
        kernel::Dated::<Self>::parse(DEFAULT_POLICY).unwrap().at(&dordrecht, jiff::civil::date(2026, 1, 1)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// R-AFT-10
    #[test]
    fn the_relapse_guarantee_is_off_unless_a_municipality_sets_it_and_has_an_end() {
        let mut policy = Policy::for_tests();
        let keys = Some(date(2026, 3, 2));
        assert!(!policy.guarantee_covers(keys, date(2026, 3, 3)));
        policy.relapse_guarantee = true;
        for (started, today, covers) in [
            (keys, date(2026, 3, 3), true),
            (keys, date(2027, 3, 2), true),
            (keys, date(2027, 3, 3), false),
            (None, date(2026, 3, 3), false),
        ] {
            assert_eq!(policy.guarantee_covers(started, today), covers, "{started:?} {today}");
        }
    }
}
