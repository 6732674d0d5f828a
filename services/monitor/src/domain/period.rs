//! Periods: month, quarter, half year and year, with one way to write each.

use jiff::civil::date;
use kernel::{Date, Refusal, general};

/// A calendar period. The longer one of the same first day goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    year: i16,
    span: Span,
}

/// What part of the year, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Span {
    Year,
    Half(i8),
    Quarter(i8),
    Month(i8),
}

impl Period {
    /// Reads "2018-03", "2018-Q1", "2019-H1" or "2018"; `field` is the path named in the refusal.
    pub fn parse(field: &str, text: &str) -> Result<Self, Refusal> {
        read(text).ok_or_else(|| {
            general::MALFORMED.field(
                field,
                "is no period: write a month 2018-03, a quarter 2018-Q1, a half year 2019-H1 or a year 2018",
                "is geen periode: schrijf een maand 2018-03, een kwartaal 2018-Q1, een halfjaar 2019-H1 of een jaar 2018",
            )
        })
    }

    /// A year and its parts: the year, its halves, quarters and months, in order of first day and then length.
    pub fn parts_of(year: i16) -> Vec<Period> {
        let mut all: Vec<Period> = std::iter::once(Span::Year)
            .chain((1..=2).map(Span::Half))
            .chain((1..=4).map(Span::Quarter))
            .chain((1..=12).map(Span::Month))
            .map(|span| Period { year, span })
            .collect();
        all.sort();
        all
    }

    /// The year that it lies in.
    pub fn year(&self) -> i16 {
        self.year
    }

    /// The period that it is the next smaller part of; none for a year.
    pub fn whole(&self) -> Option<Period> {
        let span = match self.span {
            Span::Year => return None,
            Span::Half(_) => Span::Year,
            Span::Quarter(n) => Span::Half((n + 1) / 2),
            Span::Month(n) => Span::Quarter((n + 2) / 3),
        };
        Some(Period { year: self.year, span })
    }

    /// Its length in months.
    pub fn months(&self) -> i8 {
        match self.span {
            Span::Year => 12,
            Span::Half(_) => 6,
            Span::Quarter(_) => 3,
            Span::Month(_) => 1,
        }
    }

    /// Its first day.
    pub fn first(&self) -> Date {
        let nth = match self.span {
            Span::Year => 1,
            Span::Half(n) | Span::Quarter(n) | Span::Month(n) => n,
        };
        date(self.year, (nth - 1) * self.months() + 1, 1)
    }

    /// Its last day.
    pub fn last(&self) -> Date {
        let first = self.first();
        date(self.year, first.month() + self.months() - 1, 1).last_of_month()
    }

    /// How many days it has.
    pub fn days(&self) -> i64 {
        days_between(self.first(), self.last()) + 1
    }

    /// Whether a day lies in it.
    pub fn contains(&self, day: Date) -> bool {
        self.first() <= day && day <= self.last()
    }
}

impl PartialOrd for Period {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Period {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.first(), -self.months()).cmp(&(other.first(), -other.months()))
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.span {
            Span::Year => write!(f, "{:04}", self.year),
            Span::Half(n) => write!(f, "{:04}-H{n}", self.year),
            Span::Quarter(n) => write!(f, "{:04}-Q{n}", self.year),
            Span::Month(n) => write!(f, "{:04}-{n:02}", self.year),
        }
    }
}

/// Whole days from one day to another.
pub fn days_between(from: Date, to: Date) -> i64 {
    i64::from(to.since((jiff::Unit::Day, from)).map(|span| span.get_days()).unwrap_or(0))
}

fn read(text: &str) -> Option<Period> {
    // Bytes first: slicing is then safe, and only one spelling of a period passes.
    if !text.is_ascii() || text.len() < 4 {
        return None;
    }
    let (year, part) = text.split_at(4);
    let year = digits(year).filter(|y| (1900..=2999).contains(y))? as i16;
    let span = match (part.len(), part.get(..2)) {
        (0, _) => Span::Year,
        (3, Some("-H")) => Span::Half(digits(&part[2..]).filter(|n| (1..=2).contains(n))? as i8),
        (3, Some("-Q")) => Span::Quarter(digits(&part[2..]).filter(|n| (1..=4).contains(n))? as i8),
        (3, Some(dash)) if dash.starts_with('-') => {
            Span::Month(digits(&part[1..]).filter(|n| (1..=12).contains(n))? as i8)
        }
        _ => return None,
    };
    Some(Period { year, span })
}

fn digits(text: &str) -> Option<i32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// R-MON-03
    #[test]
    fn month_quarter_half_year_and_year_each_have_their_first_and_last_day() {
        let cases = [
            ("2018-03", date(2018, 3, 1), date(2018, 3, 31), 31),
            ("2016-02", date(2016, 2, 1), date(2016, 2, 29), 29),
            ("2018-12", date(2018, 12, 1), date(2018, 12, 31), 31),
            ("2018-Q1", date(2018, 1, 1), date(2018, 3, 31), 90),
            ("2018-Q4", date(2018, 10, 1), date(2018, 12, 31), 92),
            ("2019-H1", date(2019, 1, 1), date(2019, 6, 30), 181),
            ("2019-H2", date(2019, 7, 1), date(2019, 12, 31), 184),
            ("2018", date(2018, 1, 1), date(2018, 12, 31), 365),
            ("2016", date(2016, 1, 1), date(2016, 12, 31), 366),
        ];
        for (text, first, last, days) in cases {
            let period = Period::parse("p", text).unwrap();
            assert_eq!((period.first(), period.last(), period.days()), (first, last, days), "{text}");
            assert_eq!(period.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_period_names_its_field() {
        for text in [
            "",
            "18",
            "201",
            "20188",
            "2018-",
            "2018-0",
            "2018-00",
            "2018-13",
            "2018-3",
            "2018-Q0",
            "2018-Q5",
            "2018-H3",
            "2018-q1",
            "2018-Q01",
            "2018Q1",
            "0000",
            "1899",
            "+018",
            "2018-+3",
            "2018- 3",
            "２０１８",
            "2018-0３",
            "2018--1",
        ] {
            let refusal = Period::parse("periods[2]", text).expect_err(text);
            assert_eq!(refusal.fields[0].path, "periods[2]");
        }
    }

    #[test]
    fn every_part_of_a_year_lies_in_one_whole_and_fills_it() {
        let parts = Period::parts_of(2018);
        assert_eq!(parts.len(), 19);
        for whole in &parts {
            let inside: Vec<_> = parts.iter().filter(|p| p.whole() == Some(*whole)).collect();
            assert!(inside.iter().all(|p| whole.contains(p.first()) && whole.contains(p.last())));
            assert!(
                inside.is_empty() && whole.months() == 1
                    || inside.iter().map(|p| p.days()).sum::<i64>() == whole.days()
            );
        }
        assert_eq!(parts[0].to_string(), "2018");
        assert_eq!(parts[3].to_string(), "2018-01");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_prints_the_same(text in "[0-9]{0,5}[-QHqh]{0,2}[0-9]{0,3}|.*") {
            if let Ok(period) = Period::parse("p", &text) {
                prop_assert_eq!(period.to_string(), text);
            }
        }
    }
}
