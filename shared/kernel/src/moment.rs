//! A moment: an instant together with its civil date in Europe/Amsterdam.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::sync::LazyLock;

static AMSTERDAM: LazyLock<TimeZone> = LazyLock::new(|| {
    // The zone database is compiled in; without it no date in this program would be right.
    TimeZone::get("Europe/Amsterdam").expect("the bundled zone database knows Europe/Amsterdam")
});

/// When something is judged: handed to every `decide`, never read from a clock there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The instant, in whole microseconds (what both databases keep).
    pub at: Timestamp,
    /// The civil date of that instant in Europe/Amsterdam.
    pub date: Date,
}

impl Moment {
    /// The moment of an instant; what is finer than a microsecond is cut off.
    pub fn of(instant: Timestamp) -> Self {
        let at = Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant);
        Self { at, date: at.to_zoned(AMSTERDAM.clone()).date() }
    }

    /// The first instant of a civil date in Europe/Amsterdam.
    pub fn start_of(date: Date) -> Self {
        Self::at_hour(date, 0)
    }

    /// The instant at which the clock in Amsterdam shows `hour` (0 to 23) on that date.
    pub fn at_hour(date: Date, hour: i8) -> Self {
        let at =
            date.at(hour, 0, 0, 0).to_zoned(AMSTERDAM.clone()).map(|zoned| zoned.timestamp()).unwrap_or(Timestamp::MAX);
        Self { at, date }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_the_one_on_the_wall_in_amsterdam() {
        let summer: Timestamp = "2026-06-30T22:30:00Z".parse().unwrap();
        assert_eq!(Moment::of(summer).date, jiff::civil::date(2026, 7, 1));
        let winter: Timestamp = "2026-12-31T22:30:00Z".parse().unwrap();
        assert_eq!(Moment::of(winter).date, jiff::civil::date(2026, 12, 31));
        assert_eq!(Moment::start_of(jiff::civil::date(2026, 7, 1)).at.to_string(), "2026-06-30T22:00:00Z");
    }
}
