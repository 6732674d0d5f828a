//! What the figures are and what of them may be seen. Pure: rows in, cells out.
//!
//! Everything is computed when asked, from one row per fact, never by adding to a counter: so neither the order in which
//! feeds arrive nor a second delivery can change a figure.

pub mod facts;
pub mod figures;
pub mod generation;
pub mod measure;
pub mod period;
pub mod suppression;

use kernel::{Date, Dated, Municipality, PolicyError};
use serde::Deserialize;

/// The policy that is built in, and documents each value.
pub const DEFAULT_POLICY: &str = include_str!("../../policy.toml");

/// The reasons that this service may give, by module.
pub static REASONS: &[&[&kernel::Reason]] = &[generation::REASONS];

/// What the municipality decided about its figures.
#[derive(Clone, Debug, Deserialize)]
pub struct Policy {
    /// A cell about fewer people than this is hidden (R-MON-02); in people.
    pub minimum_cell: i64,
    /// At most this many periods in one call.
    pub max_periods: usize,
}

/// Reads a policy file.
pub fn policy(text: &str) -> Result<Dated<Policy>, PolicyError> {
    Dated::parse(text)
}

/// The policy of a day for the chain as a whole: figures go over its municipalities together, so the general version holds.
pub fn general(policy: &Dated<Policy>, day: Date) -> &Policy {
    // No municipality has this code, so none has a version of its own under it.
    match Municipality::parse("municipality", "0000") {
        Ok(whole_chain) => policy.at(&whole_chain, day),
        Err(_) => unreachable!("four digits are a municipality code"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// R-MON-02
    #[test]
    fn the_built_in_policy_can_be_read_and_hides_cells_under_five() {
        let policy = policy(DEFAULT_POLICY).unwrap();
        assert_eq!(general(&policy, date(2018, 1, 1)).minimum_cell, 5);
        assert!(general(&policy, date(2018, 1, 1)).max_periods >= 5);
    }
}
