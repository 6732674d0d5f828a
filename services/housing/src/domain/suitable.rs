//! Suitable allocation (R-HOU-06), and the gap in rent allowance around a lease start (R-HOU-17, R-INC-13).

use super::{AgeClass, IncomeClass, Policy};
use jiff::civil::Date;
use kernel::{Cents, Refusal};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    OFFER_RENT_ABOVE_CAP: Rule, "R-HOU-06",
        "The rent of {rent} is above the cap of {cap} for this household.",
        "De huur van {rent} ligt boven de aftoppingsgrens van {cap} voor dit huishouden.",
        "Choose a cheaper dwelling, or deviate with a reason while the yearly share allows it.",
        "Kies een goedkopere woning, of wijk af met een reden zolang het jaarlijkse aandeel dat toelaat.";
}

/// The figures of a year; see `figures.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct Figures {
    /// Highest rent for 1 or 2 persons, per month.
    pub rent_cap_small: Cents,
    /// Highest rent for 3 or more persons, per month.
    pub rent_cap_large: Cents,
    /// Highest rent for the young without children, per month; absent when not loaded.
    pub youth_cap: Option<Cents>,
    /// The youth cap holds up to and including this age.
    pub youth_cap_max_age: u32,
    /// Income limit for rent allowance, 1 person, per year.
    pub income_limit_single: Cents,
    /// Income limit for rent allowance, more persons, per year.
    pub income_limit_multi: Cents,
    /// Income limit for social housing, 1 person, per year.
    pub social_limit_single: Option<Cents>,
    /// Income limit for social housing, more persons, per year.
    pub social_limit_multi: Option<Cents>,
    /// Rent above which a home is no longer social housing, per month.
    pub liberalisation_limit: Cents,
}

/// A household as far as rents and rooms go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Household {
    /// Adults.
    pub adults: u32,
    /// Children.
    pub children: u32,
    /// Age of the oldest.
    pub age: AgeClass,
}

impl Household {
    /// How many persons.
    pub fn persons(self) -> u32 {
        self.adults + self.children
    }
}

/// A corporation's allocations of a year so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// To households within the income limit for rent allowance.
    pub judged: u32,
    /// Of those, with a rent above the cap.
    pub above: u32,
}

impl Figures {
    /// The highest rent for a household within the income limit.
    pub fn rent_cap(&self, household: Household) -> Cents {
        let oldest_possible = match household.age {
            AgeClass::Under21 => 20,
            AgeClass::Under23 => 22,
            AgeClass::From23 => u32::MAX,
        };
        match (self.youth_cap, household.persons()) {
            (Some(cap), _) if household.children == 0 && oldest_possible <= self.youth_cap_max_age => cap,
            (_, 0..=2) => self.rent_cap_small,
            _ => self.rent_cap_large,
        }
    }

    /// Whether the rent suits the household; the cap when it does not. Above the income limit there is no cap; an income
    /// that is not known yet is taken to be within it.
    pub fn above_cap(&self, rent: Cents, household: Household, income: Option<IncomeClass>) -> Option<Cents> {
        let capped = matches!(income, None | Some(IncomeClass::RentAllowance));
        Some(self.rent_cap(household)).filter(|cap| capped && rent > *cap)
    }
}

impl Share {
    /// Whether one more allocation above the cap keeps the share that the law asks.
    pub fn allows_one_more(self, policy: &Policy) -> bool {
        let most = 100u32.saturating_sub(policy.suitable_share_percent);
        u64::from(self.above + 1) * 100 <= u64::from(most) * u64::from(self.judged + 1)
    }
}

/// The refusal for a rent above the cap.
pub fn above_cap(rent: Cents, cap: Cents) -> Refusal {
    OFFER_RENT_ABOVE_CAP.with("rent", rent).with("cap", cap)
}

/// From when there can be rent allowance for a lease, and for how many days there is none (R-INC-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RentAllowance {
    /// The first day.
    pub from: Date,
    /// Days of the lease before it.
    pub gap_days: i32,
}

/// Rent allowance starts on the 1st on which all conditions are met: a lease that starts later in a month waits for the
/// next (R-HOU-17).
pub fn rent_allowance(lease_start_on: Date) -> RentAllowance {
    let from = match lease_start_on.day() {
        1 => lease_start_on,
        _ => lease_start_on.last_of_month().tomorrow().unwrap_or(Date::MAX),
    };
    let gap_days = lease_start_on.until(from).map_or(0, |span| span.get_days());
    RentAllowance { from, gap_days }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tests::{figures, policy};
    use jiff::civil::date;
    use proptest::prelude::*;

    fn household(adults: u32, children: u32, age: AgeClass) -> Household {
        Household { adults, children, age }
    }

    /// R-HOU-06
    #[test]
    fn the_cap_follows_year_household_and_age() {
        use AgeClass::*;
        let cases = [
            (2016, household(1, 0, From23), 58_668),
            (2016, household(2, 1, From23), 62_876),
            (2018, household(2, 0, From23), 59_730),
            (2018, household(1, 0, Under21), 59_730), // the youth cap of 2018 is not loaded
            (2019, household(1, 2, From23), 64_014),  // 2019 is not loaded: 2018 holds
            (2021, household(1, 0, Under23), 44_246),
            (2021, household(1, 1, Under23), 63_325), // with a child there is no youth cap
            (2024, household(1, 0, From23), 65_043),
            (2024, household(3, 0, From23), 69_707),
            (2026, household(1, 0, Under23), 65_043), // from 2026 the full regime starts at 21
            (2026, household(1, 0, Under21), 49_820),
        ];
        for (year, household, cap) in cases {
            assert_eq!(figures(year).rent_cap(household), Cents(cap), "{year} {household:?}");
        }
    }

    /// R-HOU-06
    #[test]
    fn only_households_within_the_income_limit_have_a_cap() {
        let one = household(1, 0, AgeClass::From23);
        let above = |income| figures(2024).above_cap(Cents(65_044), one, income);
        assert_eq!(above(None), Some(Cents(65_043)));
        assert_eq!(above(Some(IncomeClass::RentAllowance)), Some(Cents(65_043)));
        assert_eq!(above(Some(IncomeClass::Social)), None);
        assert_eq!(figures(2024).above_cap(Cents(65_043), one, None), None);
    }

    /// R-HOU-06
    #[test]
    fn one_in_twenty_may_be_above_the_cap() {
        let allows = |judged, above| Share { judged, above }.allows_one_more(&policy());
        assert!(!allows(0, 0) && !allows(18, 0) && allows(19, 0) && !allows(38, 1) && allows(39, 1));
    }

    /// R-HOU-17
    #[test]
    fn a_lease_from_the_first_has_no_gap_and_any_other_shows_it() {
        let cases = [
            (date(2026, 5, 1), date(2026, 5, 1), 0),
            (date(2026, 4, 15), date(2026, 5, 1), 16),
            (date(2026, 12, 31), date(2027, 1, 1), 1),
            (date(2024, 2, 2), date(2024, 3, 1), 28),
        ];
        for (start, from, gap_days) in cases {
            assert_eq!(rent_allowance(start), RentAllowance { from, gap_days }, "{start}");
        }
    }

    proptest! {
        /// R-HOU-17
        #[test]
        fn the_gap_is_always_less_than_a_month(day in 0i32..20_000) {
            use jiff::ToSpan;
            let start = date(1990, 1, 1).saturating_add(day.days());
            let allowance = rent_allowance(start);
            prop_assert!(allowance.from.day() == 1 && (0..31).contains(&allowance.gap_days));
            prop_assert_eq!(start.saturating_add(allowance.gap_days.days()), allowance.from);
        }
    }
}
