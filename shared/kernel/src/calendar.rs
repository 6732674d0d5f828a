//! Dutch terms and working days (R-REG-07, R-REG-08, R-REG-09; Algemene termijnenwet).

use crate::{Date, PolicyError};
use jiff::{ToSpan, civil::Weekday};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which days are no working days: weekends, public holidays, and days designated by decree (those are data).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    designated_days: BTreeSet<Date>,
}

/// A length of time as the field writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// Calendar days.
    Days(i32),
    /// Weeks of seven days.
    Weeks(i32),
    /// Calendar months: the same day of a later month, or its last day.
    Months(i32),
    /// Days that are no weekend and no holiday.
    WorkingDays(i32),
}

impl Calendar {
    /// The file that is compiled in; it says what it holds.
    pub const FILE: &str = include_str!("../calendar.toml");

    /// Reads the file with the designated days.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text).map_err(|error| PolicyError::Unreadable(error.to_string()))
    }

    /// A calendar with the given designated days.
    pub fn with_designated(days: impl IntoIterator<Item = Date>) -> Self {
        Self { designated_days: days.into_iter().collect() }
    }

    /// Whether people work on that day (R-REG-09).
    pub fn is_working_day(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !is_public_holiday(day)
            && !self.designated_days.contains(&day)
    }

    /// That day, or the first working day after it.
    pub fn working_day_from(&self, day: Date) -> Date {
        std::iter::successors(Some(day), |d| d.tomorrow().ok()).find(|d| self.is_working_day(*d)).unwrap_or(day)
    }

    /// The last day of a term that starts the day after `from`, as it stands in a contract or a local policy (R-REG-08).
    pub fn plain_end(&self, from: Date, term: Term) -> Date {
        match term {
            Term::Days(n) => from.saturating_add(n.days()),
            Term::Weeks(n) => from.saturating_add(n.weeks()),
            Term::Months(n) => from.saturating_add(n.months()),
            Term::WorkingDays(n) => self.add_working_days(from, n),
        }
    }

    /// The last day of a term in an act: one that ends on a weekend or holiday runs on to the next working day, and one
    /// of three days or more holds at least two working days (R-REG-07). Terms over 12 weeks, 3 months or 90 days are
    /// not extended.
    pub fn statutory_end(&self, from: Date, term: Term) -> Date {
        let end = self.plain_end(from, term);
        let (extends, three_days_or_more) = match term {
            Term::Days(n) => (n <= 90, n >= 3),
            Term::Weeks(n) => (n <= 12, true),
            Term::Months(n) => (n <= 3, true),
            Term::WorkingDays(_) => (false, false),
        };
        if !extends {
            return end;
        }
        let working_days_within = std::iter::successors(from.tomorrow().ok(), |d| d.tomorrow().ok())
            .take_while(|d| *d <= end)
            .filter(|d| self.is_working_day(*d))
            .take(2)
            .count() as i32;
        if three_days_or_more && working_days_within < 2 {
            return self.add_working_days(end, 2 - working_days_within);
        }
        self.working_day_from(end)
    }

    /// `n` working days later, or earlier when `n` is negative.
    pub fn add_working_days(&self, from: Date, n: i32) -> Date {
        let step = |d: &Date| if n < 0 { d.yesterday().ok() } else { d.tomorrow().ok() };
        std::iter::successors(Some(from), step)
            .skip(1)
            .filter(|d| self.is_working_day(*d))
            .nth(n.unsigned_abs().saturating_sub(1) as usize)
            .filter(|_| n != 0)
            .unwrap_or(from)
    }
}

/// The holidays of the Algemene termijnenwet, article 3.
fn is_public_holiday(day: Date) -> bool {
    let kings_day = match Date::new(day.year(), 4, 27) {
        Ok(d) if d.weekday() == Weekday::Sunday => 26,
        _ => 27,
    };
    let fixed = [(1, 1), (4, kings_day), (5, 5), (12, 25), (12, 26)];
    // Days after Easter Sunday: Good Friday, Easter Monday, Ascension, Whit Monday.
    let movable = [-2, 1, 39, 50];
    fixed.contains(&(day.month(), day.day()))
        || movable.iter().any(|after| easter(day.year()).saturating_add(after.days()) == day)
}

/// Easter Sunday of a year (the anonymous Gregorian computus).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (golden, century, in_century) = (y % 19, y / 100, y % 100);
    let epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let day = epact + weekday - 7 * late + 114;
    Date::constant(year, (day / 31) as i8, (day % 31 + 1) as i8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// R-REG-07, R-REG-09
    #[test]
    fn statutory_terms_end_on_a_working_day() {
        let plain = Calendar::default();
        let bridged = Calendar::with_designated([date(2026, 5, 15)]);
        let cases = [
            (&plain, date(2026, 4, 2), Term::Weeks(6), date(2026, 5, 15)),
            (&bridged, date(2026, 4, 2), Term::Weeks(6), date(2026, 5, 18)),
            (&plain, date(2026, 4, 13), Term::Weeks(2), date(2026, 4, 28)),
            (&plain, date(2026, 12, 11), Term::Weeks(2), date(2026, 12, 28)),
        ];
        for (calendar, from, term, end) in cases {
            assert_eq!(calendar.statutory_end(from, term), end, "{from} + {term:?}");
        }
    }

    /// R-REG-09
    #[test]
    fn the_designated_days_are_data() {
        let read = Calendar::parse(r#"designated_days = ["2026-05-15"]"#).unwrap();
        assert_eq!(read, Calendar::with_designated([date(2026, 5, 15)]));
        assert_eq!(Calendar::parse(Calendar::FILE).unwrap(), Calendar::default());
        for unreadable in ["", r#"designated_days = ["15 mei"]"#, "designated_days = []\ndays_off = []"] {
            assert!(matches!(Calendar::parse(unreadable), Err(PolicyError::Unreadable(_))), "{unreadable}");
        }
    }

    /// R-REG-07
    #[test]
    fn a_short_statutory_term_holds_two_working_days() {
        // From Good Friday's eve: Friday, Saturday, Sunday and Monday are no working days.
        assert_eq!(Calendar::default().statutory_end(date(2026, 4, 2), Term::Days(3)), date(2026, 4, 8));
    }

    /// R-REG-08
    #[test]
    fn working_days_local_and_long_terms_are_not_extended() {
        let calendar = Calendar::default();
        assert_eq!(calendar.plain_end(date(2026, 4, 2), Term::WorkingDays(3)), date(2026, 4, 9));
        assert_eq!(calendar.add_working_days(date(2026, 4, 9), -3), date(2026, 4, 2));
        assert_eq!(calendar.add_working_days(date(2026, 4, 5), 0), date(2026, 4, 5));
        assert_eq!(calendar.plain_end(date(2026, 4, 2), Term::Weeks(6)), date(2026, 5, 14));
        assert_eq!(calendar.statutory_end(date(2026, 1, 31), Term::Months(4)), date(2026, 5, 31));
    }

    /// R-REG-09
    #[test]
    fn kings_day_moves_from_sunday_to_saturday() {
        assert!(is_public_holiday(date(2025, 4, 26)));
        assert!(!is_public_holiday(date(2025, 4, 27)));
        assert_eq!(easter(2025), date(2025, 4, 20));
        assert_eq!(easter(2019), date(2019, 4, 21));
        assert_eq!(easter(2038), date(2038, 4, 25));
    }

    proptest! {
        /// R-REG-07
        #[test]
        fn no_statutory_term_up_to_twelve_weeks_ends_on_a_day_off(days in 0i32..20_000, weeks in 1i32..=12) {
            let from = date(1990, 1, 1).saturating_add(days.days());
            let calendar = Calendar::default();
            let end = calendar.statutory_end(from, Term::Weeks(weeks));
            prop_assert!(calendar.is_working_day(end));
            prop_assert!(end >= calendar.plain_end(from, Term::Weeks(weeks)));
        }

        #[test]
        fn working_days_there_and_back_again(days in 0i32..20_000, n in 1i32..60) {
            let calendar = Calendar::default();
            let from = calendar.working_day_from(date(1990, 1, 1).saturating_add(days.days()));
            prop_assert_eq!(calendar.add_working_days(calendar.add_working_days(from, n), -n), from);
        }
    }
}
