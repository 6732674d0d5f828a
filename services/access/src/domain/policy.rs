//! What a municipality decides; `policy.toml` explains each value.

use super::codes::{FacilityKind, TargetGroup};
use kernel::{Calendar, Date, Term};
use std::collections::BTreeMap;

/// The policy that is compiled in; the file explains each value.
pub const DEFAULT: &str = include_str!("../../policy.toml");

/// The values that hold for one municipality from one day on.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Policy {
    /// All admission runs through one access desk (R-ACC-01).
    pub single_entry: bool,
    /// Intakes are held together with income when a benefit or mail address is asked (R-ACC-12).
    pub integrated_intake: bool,
    /// How far ahead an intake may be planned.
    pub intake_horizon: Term,
    /// Hours for an urgent provision (R-ACC-09).
    pub urgent_target_hours: i32,
    /// Days before the end of an investigation at which it warns (R-ACC-04).
    pub investigation_warning_days: i32,
    /// Days before the last day for a decision at which it warns (R-ACC-08).
    pub application_warning_days: i32,
    /// How long before its end an extension is proposed (R-ACC-20).
    pub extension_proposal: Term,
    /// More nights slept than this make a trajectory (R-ACC-17).
    pub trajectory_after_nights: u32,
    /// Nobody is turned away for want of a bed (R-ACC-24).
    pub no_bed_limit: bool,
    /// Nights ahead for which a bed may be held (R-ACC-32).
    pub hold_nights: i32,
    /// Nights for which a claimed place is kept (P6).
    pub claim_nights: i32,
    /// Days back for which a thing may be recorded.
    pub backdating_days: i32,
    /// The working days; from a file of their own (R-REG-09).
    #[serde(skip)]
    pub calendar: Calendar,
    /// Months per target group (R-ACC-19).
    pub decision_months: BTreeMap<TargetGroup, i32>,
    /// Target stay per sort of facility (R-ACC-18).
    pub target_stay: BTreeMap<FacilityKind, Term>,
}

impl Policy {
    /// The oldest day that may be recorded on `today`.
    pub fn oldest(&self, today: Date) -> Date {
        super::plus_days(today, -self.backdating_days)
    }

    /// The length of a decision for a target group; six months where the file has no line for it (R-ACC-19).
    pub fn months(&self, group: TargetGroup) -> i32 {
        self.decision_months.get(&group).copied().unwrap_or(6)
    }
}
