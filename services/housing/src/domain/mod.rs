//! What housing decides, and nothing else: no I/O, no clock, no randomness.
//!
//! A contingent says how many homes are set aside; a dwelling is one of them; a nomination is a client in the pool; a
//! ranking advises; an offer asks client and corporation; an allocation is the one household of that one home.

pub mod agreement;
pub mod allocation;
pub mod codes;
pub mod contingent;
pub mod dwelling;
pub mod nomination;
pub mod offer;
pub mod ranking;
pub mod suitable;

pub use codes::*;

use kernel::{Calendar, Reason, Term};
use serde::Deserialize;

kernel::id! {
    /// A contingent.
    ContingentId
}
kernel::id! {
    /// A dwelling.
    DwellingId
}
kernel::id! {
    /// A nomination.
    NominationId
}
kernel::id! {
    /// An offer.
    OfferId
}
kernel::id! {
    /// An allocation.
    AllocationId
}
kernel::id! {
    /// A tri-party agreement.
    AgreementId
}

/// This service's pages of the error catalogue.
pub const REASONS: &[&[&Reason]] = &[
    agreement::REASONS,
    allocation::REASONS,
    contingent::REASONS,
    dwelling::REASONS,
    nomination::REASONS,
    offer::REASONS,
    ranking::REASONS,
    suitable::REASONS,
];

/// The policy that is compiled in; the file is its own documentation.
pub const DEFAULT_POLICY: &str = include_str!("../../policy.toml");

/// The yearly figures that are compiled in (R-HOU-06).
pub const FIGURES: &str = include_str!("../../figures.toml");

/// What a municipality decided about housing; see `policy.toml` for what each value means.
#[derive(Clone, Debug, Deserialize)]
pub struct Policy {
    /// How long an offer stands (R-HOU-22).
    pub offer_term: Term,
    /// Working days before its last day on which an open offer is brought to mind (P7).
    pub offer_reminder_working_days: i32,
    /// Suitable offers that may be declined (R-HOU-22).
    pub suitable_offers: u32,
    /// Share of allocations with a rent up to the cap, percent per corporation and year (R-HOU-06).
    pub suitable_share_percent: u32,
    /// Share of a neighbourhood in a year's allocations above which there is a warning, percent (R-HOU-07).
    pub spread_share_percent: u32,
    /// Number of allocations from which that share is looked at (R-HOU-07).
    pub spread_from_allocations: u32,
    /// Months after which a lease goes to the client (R-HOU-12).
    pub conversion_months: u32,
    /// The most months for that (R-HOU-12).
    pub conversion_max_months: u32,
    /// Contract forms that ask a tri-party agreement (R-HOU-11).
    pub agreement_forms: Vec<ContractForm>,
    /// The working days; from a file of their own (R-REG-09).
    #[serde(skip)]
    pub calendar: Calendar,
    /// Points in a ranking (R-HOU-08).
    pub weights: ranking::Weights,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use kernel::{Dated, Municipality, Organisation, Uuid};

    pub fn policy() -> Policy {
        Dated::<Policy>::parse(DEFAULT_POLICY).unwrap().at(&dordrecht(), jiff::civil::date(2026, 1, 1)).clone()
    }

    pub fn figures(year: i16) -> suitable::Figures {
        Dated::<suitable::Figures>::parse(FIGURES).unwrap().at(&dordrecht(), jiff::civil::date(year, 7, 1)).clone()
    }

    pub fn dordrecht() -> Municipality {
        Municipality::parse("m", "0505").unwrap()
    }

    pub fn org(code: &str) -> Organisation {
        Organisation::parse("o", code).unwrap()
    }

    pub fn uuid(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn every_reason_has_one_code_and_ends_its_sentences() {
        let all: Vec<&Reason> = REASONS.iter().flat_map(|page| page.iter().copied()).collect();
        for (i, reason) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other.code != reason.code), "{} twice", reason.code);
            for text in [reason.en, reason.nl, reason.way_out, reason.uitweg] {
                assert!(text.ends_with('.'), "{}: {text}", reason.code);
            }
        }
    }
}
