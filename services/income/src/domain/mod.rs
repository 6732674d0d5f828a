//! The rules of income. Pure: state, command, policy and the moment come in as arguments; events or a refusal come out.

pub mod allowance;
pub mod benefit_request;
pub mod finances;
pub mod own_income;
pub mod rent_guarantee;
pub mod standard;

use kernel::{Calendar, Dated, Reason, Term};
use serde::Deserialize;
pub use standard::{Circumstances, Figures};

kernel::id! {
    /// Housing's allocation: one accepted home for one client.
    AllocationId
}

kernel::id! {
    /// A benefit request.
    BenefitRequestId
}

kernel::id! {
    /// A rent guarantee.
    GuaranteeId
}

/// What a municipality decides itself (policy.toml).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Within which social services acknowledge a request (P7).
    pub acknowledge_within: Term,
    /// Days before the decision is due at which to warn (R-INC-03, P7).
    pub warn_decision_days: i32,
    /// Days before an advance is due at which to warn (R-INC-04, P7).
    pub warn_advance_days: i32,
    /// Days before the last day to hand in information at which to warn (R-REG-10, P7).
    pub warn_information_days: i32,
    /// Whether to propose a waiver of the search term (R-INC-05).
    pub propose_waiver: bool,
    /// Days that benefit may start after the lease without an alert (R-INC-11).
    pub gap_days: i32,
    /// Days before the lease within which a refusal is close to the move (R-INC-27).
    pub near_move_days: i32,
    /// Days before own income ends at which to warn (R-INC-26, P7).
    pub warn_own_income_days: i32,
    /// The highest cap of a guarantee, in months of rent (R-HOU-05).
    pub guarantee_cap_rents: i64,
    /// The longest term of a guarantee, in months (R-HOU-05).
    pub guarantee_months: i32,
    /// Within which a guarantee is decided (P7).
    pub guarantee_answer_within: Term,
    /// Days before a guarantee ends at which to warn (P7).
    pub guarantee_warn_days: i32,
}

/// Everything that a decision is judged by, beside state and moment.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The municipality's own policy, of this day.
    pub policy: &'a Policy,
    /// The national figures, of every day.
    pub figures: &'a Dated<Figures>,
    /// Working days.
    pub calendar: &'a Calendar,
}

/// All pages of this service's error catalogue.
pub static REASONS: &[&[&Reason]] =
    &[standard::REASONS, benefit_request::REASONS, own_income::REASONS, finances::REASONS, rent_guarantee::REASONS];

/// The policy that is compiled in.
pub static DEFAULT_POLICY: &str = include_str!("../../policy.toml");
/// The figures that are compiled in.
pub static DEFAULT_FIGURES: &str = include_str!("../../figures.toml");

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use kernel::{ClientId, Date, Moment, Municipality, Uuid};

    /// Owns what [`Rules`] borrows.
    pub struct Book {
        policy: Dated<Policy>,
        figures: Dated<Figures>,
        calendar: Calendar,
    }

    impl Book {
        pub fn new() -> Self {
            Self {
                policy: Dated::parse(DEFAULT_POLICY).unwrap(),
                figures: Dated::parse(DEFAULT_FIGURES).unwrap(),
                calendar: Calendar::default(),
            }
        }

        pub fn rules(&self, date: Date) -> Rules<'_> {
            Rules { policy: self.policy.at(&dordrecht(), date), figures: &self.figures, calendar: &self.calendar }
        }
    }

    pub fn dordrecht() -> Municipality {
        Municipality::parse("municipality", "0505").unwrap()
    }

    pub fn zwijndrecht() -> Municipality {
        Municipality::parse("municipality", "0642").unwrap()
    }

    pub fn client() -> ClientId {
        ClientId(Uuid::from_u128(1))
    }

    pub fn allocation(n: u128) -> AllocationId {
        AllocationId(Uuid::from_u128(100 + n))
    }

    pub fn on(date: Date) -> Moment {
        Moment::at_hour(date, 12)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_are_compiled_in_are_read() {
        assert!(Dated::<Policy>::parse(DEFAULT_POLICY).is_ok());
        assert!(Dated::<Figures>::parse(DEFAULT_FIGURES).is_ok());
    }

    #[test]
    fn no_reason_is_declared_twice() {
        let mut codes: Vec<_> = REASONS.iter().flat_map(|page| page.iter()).map(|reason| reason.code).collect();
        let declared = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), declared);
    }
}
