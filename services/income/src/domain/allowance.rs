//! Rent allowance: from which day it is possible, and what a month costs in which somebody moves (R-INC-13).

use jiff::ToSpan;
use kernel::Date;

/// The first day of rent allowance: the 1st of the month in which all conditions are met on that 1st, else the 1st of the
/// next month (R-INC-13).
pub fn starts_on(conditions_met_on: Date) -> Date {
    if conditions_met_on.day() == 1 {
        conditions_met_on
    } else {
        conditions_met_on.first_of_month().saturating_add(1.month())
    }
}

/// Days of rent without rent allowance after a move (R-INC-13, R-HOU-17).
pub fn days_without(lease_start_on: Date) -> i32 {
    days_between(lease_start_on, starts_on(lease_start_on))
}

/// Whole days from one day to another; never negative.
pub fn days_between(from: Date, to: Date) -> i32 {
    // Civil dates lie within some four million days of each other: it fits.
    from.until(to).map_or(0, |span| span.get_days()).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// R-INC-13
    #[test]
    fn rent_allowance_starts_on_the_first_of_this_or_the_next_month() {
        for (met, from, without) in [
            (date(2026, 4, 15), date(2026, 5, 1), 16),
            (date(2026, 4, 1), date(2026, 4, 1), 0),
            (date(2026, 12, 2), date(2027, 1, 1), 30),
            (date(2026, 1, 31), date(2026, 2, 1), 1),
        ] {
            assert_eq!((starts_on(met), days_without(met)), (from, without), "{met}");
        }
    }

    proptest! {
        /// R-INC-13
        #[test]
        fn allowance_is_never_more_than_a_month_away(days in 0i32..20_000) {
            let met = date(2000, 1, 1).saturating_add(days.days());
            prop_assert!(starts_on(met) >= met && starts_on(met).day() == 1 && days_without(met) <= 30);
        }
    }
}
