//! What a client may do with the own file, by age (R-REG-21). Others hear the outcome, never the birth date.

use super::client::Life;
use kernel::{Date, OwnAccess};

/// From this age on, the client reads the own file, with the legal representative.
const SHARED_FROM: i32 = 12;
/// From this age on, the client alone does.
const OWN_FROM: i32 = 16;

/// What a client may do on a day.
pub fn on(life: Life, day: Date) -> OwnAccess {
    match life.age(day) {
        OWN_FROM.. => OwnAccess::Own,
        SHARED_FROM.. => OwnAccess::Shared,
        _ => OwnAccess::None,
    }
}

/// The birthday on which that changes by itself; none from 16 on.
pub fn changes_on(life: Life, day: Date) -> Option<Date> {
    let birthday = |years: i32| {
        let day = life.born.saturating_add(jiff::Span::new().years(years));
        // Who was born on 29 February has turned a year older on 1 March of other years.
        if life.age(day) < years { day.tomorrow().unwrap_or(day) } else { day }
    };
    match on(life, day) {
        OwnAccess::None => Some(birthday(SHARED_FROM)),
        OwnAccess::Shared => Some(birthday(OWN_FROM)),
        OwnAccess::Own => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn life(born: Date) -> Life {
        Life { born, died_on: None }
    }

    /// R-REG-21
    #[test]
    fn under_12_nobody_but_the_representative_from_16_the_client_alone() {
        let child = life(date(2014, 3, 2));
        let cases = [
            (date(2014, 3, 2), OwnAccess::None, Some(date(2026, 3, 2))),
            (date(2026, 3, 1), OwnAccess::None, Some(date(2026, 3, 2))),
            (date(2026, 3, 2), OwnAccess::Shared, Some(date(2030, 3, 2))),
            (date(2030, 3, 1), OwnAccess::Shared, Some(date(2030, 3, 2))),
            (date(2030, 3, 2), OwnAccess::Own, None),
        ];
        for (day, level, changes) in cases {
            assert_eq!((on(child, day), changes_on(child, day)), (level, changes), "{day}");
        }
        let leap = life(date(2016, 2, 29));
        assert_eq!(changes_on(leap, date(2016, 2, 29)), Some(date(2028, 2, 29)));
        assert_eq!(changes_on(life(date(2012, 2, 29)), date(2027, 2, 28)), Some(date(2028, 2, 29)));
        let born_in_leap_year = life(date(2020, 2, 29));
        assert_eq!(changes_on(born_in_leap_year, date(2026, 1, 1)), Some(date(2032, 2, 29)));
    }

    proptest! {
        /// R-REG-21: nothing changes before the day that was announced, and on it something does.
        #[test]
        fn it_changes_on_the_announced_day_and_not_before(born in 0i32..9000, later in 0i32..6000) {
            let day = |n: i32| date(2000, 1, 1).saturating_add(jiff::Span::new().days(n));
            let (life, today) = (life(day(born)), day(born + later));
            if let Some(changes) = changes_on(life, today) {
                prop_assert!(changes > today);
                prop_assert_eq!(on(life, changes.yesterday().unwrap()), on(life, today));
                prop_assert!(on(life, changes) > on(life, today));
            } else {
                prop_assert_eq!(on(life, today), OwnAccess::Own);
            }
        }
    }
}
