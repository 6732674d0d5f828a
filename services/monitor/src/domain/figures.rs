//! The figures that may be seen: measures over periods, with small cells hidden.
//!
//! Whatever is asked, a whole year is worked out with all its parts and categories, and then the asked cells are picked:
//! so what is hidden never depends on the question, and asking in pieces tells nothing more (R-MON-02).

use super::facts::{Coverage, Facts, Pseudonym};
use super::measure::{Measure, Observation, Shape};
use super::period::Period;
use super::suppression::{self, CellKind, Sheet};
use super::{Policy, general as policy_of};
use jiff::civil::date;
use kernel::{Dated, Refusal, general};
use std::collections::{BTreeMap, BTreeSet};

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Of which measure.
    pub measure: Measure,
    /// Over which period.
    pub period: Period,
    /// Of which category; empty where the measure has none.
    pub category: String,
    /// The value in thousandths of the unit; none when it is hidden.
    pub value_milli: Option<i64>,
    /// Whether the period runs on after the last day about which something is known.
    pub unfinished: bool,
}

/// What falls into one cell.
#[derive(Clone, Debug, Default)]
struct Tally {
    count: i64,
    amount: i64,
    people: BTreeSet<Pseudonym>,
}

/// The tallies of one category over a year and its parts, and whether each is hidden.
struct Series {
    tallies: Vec<Tally>,
    hidden: Vec<bool>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of which measures.
    pub measures: BTreeSet<Measure>,
    /// Over which periods.
    pub periods: BTreeSet<Period>,
}

impl Question {
    /// Reads keys of measures (none means all) and periods; names everything that is wrong at once.
    pub fn read(measures: &[String], periods: &[String], policy: &Policy) -> Result<Question, Refusal> {
        let at_most = |what: &'static str, max: usize| {
            general::MALFORMED.field(what, format!("are 1 to {max} at once"), format!("zijn er 1 tot {max} tegelijk"))
        };
        if measures.len() > Measure::ALL.len() {
            return Err(at_most("measures", Measure::ALL.len()));
        }
        if periods.is_empty() || periods.len() > policy.max_periods {
            return Err(at_most("periods", policy.max_periods));
        }
        let mut wrong = Refusal::from(&general::MALFORMED);
        let mut question = Question { measures: BTreeSet::new(), periods: BTreeSet::new() };
        for (i, key) in measures.iter().enumerate() {
            match Measure::from_key(key) {
                Some(measure) => drop(question.measures.insert(measure)),
                None => {
                    wrong = wrong.field(
                        format!("measures[{i}]"),
                        "is no measure; see ListMeasures",
                        "is geen maat; zie ListMeasures",
                    )
                }
            }
        }
        for (i, text) in periods.iter().enumerate() {
            match Period::parse(&format!("periods[{i}]"), text) {
                Ok(period) => drop(question.periods.insert(period)),
                Err(refusal) => wrong.fields.extend(refusal.fields),
            }
        }
        if measures.is_empty() {
            question.measures.extend(Measure::ALL);
        }
        if wrong.fields.is_empty() { Ok(question) } else { Err(wrong) }
    }

    /// Every measure over every period about which something is known.
    pub fn everything(facts: &Facts) -> Question {
        let years = facts.known.into_iter().flat_map(|known| known.first.year()..=known.last.year());
        Question {
            measures: Measure::ALL.iter().copied().collect(),
            periods: years.flat_map(Period::parts_of).collect(),
        }
    }
}

/// The figures of some measures over some periods; a cell without data is absent. Ordered by measure, period, category.
pub fn figures(facts: &Facts, question: &Question, policy: &Dated<Policy>) -> Vec<Figure> {
    let Question { measures, periods } = question;
    let Some(known) = facts.known else { return Vec::new() };
    let years: BTreeSet<i16> = periods.iter().map(Period::year).collect();
    let mut all = Vec::new();
    for &measure in measures {
        let observations = measure.observations(facts);
        let total = measure.total().or(measure.out_of()).map(|total| total.observations(facts));
        for &year in &years {
            let parts = Period::parts_of(year);
            let minimum = policy_of(policy, date(year, 1, 1)).minimum_cell;
            let year = Year { parts: &parts, minimum, known };
            let series = year.hide(measure, &observations, total.as_deref());
            for (i, &period) in parts.iter().enumerate().filter(|(_, period)| periods.contains(period)) {
                for (category, series) in &series {
                    let tally = &series.tallies[i];
                    if !is_present(measure, tally, period, known, facts) {
                        continue;
                    }
                    all.push(Figure {
                        measure,
                        period,
                        category: category.clone(),
                        value_milli: (!series.hidden[i]).then(|| value_milli(measure, tally, period)),
                        unfinished: period.last() > known.last,
                    });
                }
            }
        }
    }
    all.sort_by(|a, b| (a.measure, a.period, &a.category).cmp(&(b.measure, b.period, &b.category)));
    all
}

/// One year with its parts, and what hides a cell in it.
struct Year<'a> {
    parts: &'a [Period],
    minimum: i64,
    known: Coverage,
}

impl Year<'_> {
    /// The series of a measure by category, with what is hidden worked out. `total` is what the categories add up to, or
    /// what the measure is a selection from.
    fn hide(
        &self,
        measure: Measure,
        observations: &[Observation],
        total: Option<&[Observation]>,
    ) -> BTreeMap<String, Series> {
        let mut series = self.tally(observations);
        if !matches!(measure.shape(), Shape::CountByCategory) {
            // Also without observations: a year in which nothing happened has zeros to show.
            series.entry(String::new()).or_insert_with(|| vec![Tally::default(); self.parts.len()]);
        }
        let mut sheet = Sheet::default();
        // What the total shows was decided on its own: its own cells are never hidden for the sake of a selection.
        let total = total.map(|observations| {
            let tallies =
                self.tally(observations).remove("").unwrap_or_else(|| vec![Tally::default(); self.parts.len()]);
            let mut alone = Sheet::default();
            self.add(&mut alone, &tallies, 0, |_| CellKind::Given);
            let hidden = alone.hide(self.minimum);
            let kind = |i: usize| if hidden[i] { CellKind::HiddenElsewhere } else { CellKind::ShownElsewhere };
            (self.add(&mut sheet, &tallies, 0, kind), tallies)
        });
        let cells: Vec<usize> =
            series.values().map(|tallies| self.add(&mut sheet, tallies, 1, |_| CellKind::Given)).collect();
        if let Some((total, tallies)) = total {
            if measure.total().is_some() {
                for i in 0..self.parts.len() {
                    sheet.sums.push((total + i, cells.iter().map(|first| first + i).collect()));
                }
            } else {
                for (selection, first) in series.values().zip(&cells) {
                    for i in 0..self.parts.len() {
                        let rest = tallies[i].count - selection[i].count;
                        let rest = sheet.add(suppression::Cell {
                            count: rest,
                            people: rest,
                            kind: CellKind::Implied,
                            rank: (true, 0),
                        });
                        sheet.sums.push((total + i, vec![first + i, rest]));
                    }
                }
            }
        }
        let hidden = sheet.hide(self.minimum);
        let of = |first: usize| hidden[first..first + self.parts.len()].to_vec();
        series
            .into_iter()
            .zip(cells)
            .map(|((category, tallies), first)| (category, Series { tallies, hidden: of(first) }))
            .collect()
    }

    /// Adds a series to the sheet, with the sums of its periods; gives the index of its first cell.
    fn add(&self, sheet: &mut Sheet, tallies: &[Tally], nested: i8, kind: impl Fn(usize) -> CellKind) -> usize {
        let first = sheet.cells.len();
        for (i, (period, tally)) in self.parts.iter().zip(tallies).enumerate() {
            // Unfinished periods are given up first, then short ones, and a category before a total.
            let rank = (period.last() <= self.known.last, period.months() * 2 - nested);
            sheet.add(suppression::Cell { count: tally.count, people: tally.people.len() as i64, kind: kind(i), rank });
        }
        for (i, period) in self.parts.iter().enumerate() {
            let inside = (0..self.parts.len()).filter(|&part| self.parts[part].whole() == Some(*period));
            let inside: Vec<usize> = inside.map(|part| first + part).collect();
            if !inside.is_empty() {
                sheet.sums.push((first + i, inside));
            }
        }
        first
    }

    fn tally(&self, observations: &[Observation]) -> BTreeMap<String, Vec<Tally>> {
        let mut series: BTreeMap<String, Vec<Tally>> = BTreeMap::new();
        let year = self.parts[0];
        for observation in observations.iter().filter(|o| year.contains(o.on)) {
            let tallies =
                series.entry(observation.category.clone()).or_insert_with(|| vec![Tally::default(); self.parts.len()]);
            for (tally, _) in tallies.iter_mut().zip(self.parts).filter(|(_, period)| period.contains(observation.on)) {
                tally.count += observation.count;
                tally.amount += observation.amount;
                tally.people.insert(observation.person);
            }
        }
        series
    }
}

/// Nothing known is something else than zero: a mean over nobody, a category nobody is in, a period about which nothing
/// was recorded have no cell.
fn is_present(measure: Measure, tally: &Tally, period: Period, known: Coverage, facts: &Facts) -> bool {
    match measure.shape() {
        Shape::Mean { .. } | Shape::CountByCategory => tally.count > 0,
        Shape::PerDay => facts.registers.range(period.first()..=period.last()).any(|(_, &registers)| registers > 0),
        Shape::Count => period.first() <= known.last && known.first <= period.last(),
    }
}

fn value_milli(measure: Measure, tally: &Tally, period: Period) -> i64 {
    match measure.shape() {
        Shape::Count | Shape::CountByCategory => tally.count * 1000,
        Shape::Mean { per_unit } => ratio_milli(tally.amount, tally.count, per_unit),
        Shape::PerDay => ratio_milli(tally.count, period.days(), 1),
    }
}

/// `amount / (by * per_unit)` in thousandths, rounded half away from zero.
fn ratio_milli(amount: i64, by: i64, per_unit: i64) -> i64 {
    let (amount, by) = (i128::from(amount) * 1000, i128::from(by) * i128::from(per_unit));
    let half_up = (amount.abs() * 2 + by) / (by * 2);
    (half_up * amount.signum()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::{Departure, MonthNights, Registration, Trajectory};
    use crate::domain::{DEFAULT_POLICY, policy};
    use kernel::{Date, Uuid};
    use proptest::prelude::*;

    fn ask(facts: &Facts, measures: &[Measure], periods: &[&str]) -> Vec<(String, String, Option<i64>)> {
        let measures = measures.iter().copied().collect();
        let periods = periods.iter().map(|p| Period::parse("p", p).unwrap()).collect();
        figures(facts, &Question { measures, periods }, &policy(DEFAULT_POLICY).unwrap())
            .into_iter()
            .map(|f| {
                (format!("{} {}", f.period, f.category).trim().to_owned(), f.measure.key().to_owned(), f.value_milli)
            })
            .collect()
    }

    fn values(facts: &Facts, measure: Measure, periods: &[&str]) -> Vec<(String, Option<i64>)> {
        ask(facts, &[measure], periods).into_iter().map(|(cell, _, value)| (cell, value)).collect()
    }

    fn person(n: u128) -> Pseudonym {
        Pseudonym(Uuid::from_u128(n))
    }

    fn registration(n: u128, received_on: Date, origin: &str) -> Registration {
        Registration {
            notification: Uuid::from_u128(n),
            person: person(n),
            received_on,
            municipality: "0505".into(),
            origin: origin.into(),
            triggers: vec!["rent_arrears".into()],
        }
    }

    fn departure(n: u128, departed_on: Date) -> Departure {
        Departure {
            stay: Uuid::from_u128(n),
            person: person(n),
            admitted_on: date(2017, 12, 31),
            departed_on,
            destination: Some("own_home".into()),
        }
    }

    fn known(first: Date, last: Date) -> Facts {
        Facts { known: Some(Coverage { first, last }), ..Facts::default() }
    }

    fn shown(cell: &str, value: i64) -> (String, Option<i64>) {
        (cell.to_owned(), Some(value))
    }

    fn hidden(cell: &str) -> (String, Option<i64>) {
        (cell.to_owned(), None)
    }

    /// R-MON-01
    #[test]
    fn a_period_about_which_nothing_is_known_has_no_cell_and_one_in_which_nothing_happened_has_zero() {
        let mut facts = known(date(2018, 2, 3), date(2019, 5, 31));
        facts.registrations = (0..7).map(|n| registration(n, date(2018, 2, 3), "0505")).collect();
        let periods = ["2017", "2018", "2018-01", "2018-02", "2018-03", "2019-H2"];
        assert_eq!(
            values(&facts, Measure::Registrations, &periods),
            [shown("2018", 7000), shown("2018-02", 7000), shown("2018-03", 0)]
        );
        assert_eq!(values(&facts, Measure::MeanNights, &periods), []);
        assert_eq!(values(&facts, Measure::MeanOccupiedBeds, &periods), []);
        assert_eq!(values(&Facts::default(), Measure::Registrations, &periods), []);
    }

    /// R-MON-02
    #[test]
    fn what_is_hidden_does_not_depend_on_what_is_asked() {
        let mut facts = known(date(2018, 1, 1), date(2019, 1, 1));
        let days = [(0..9, 1), (9..12, 2), (12..20, 3), (20..60, 9)];
        let at = |month| date(2018, month, 2);
        facts.registrations =
            days.into_iter().flat_map(|(who, month)| who.map(move |n| registration(n, at(month), "0505"))).collect();
        let expected = [hidden("2018-02"), hidden("2018-03"), shown("2018-01", 9000), shown("2018-Q1", 20000)];
        for cell in &expected {
            assert_eq!(values(&facts, Measure::Registrations, &[&cell.0]), std::slice::from_ref(cell));
        }
        assert_eq!(
            values(&facts, Measure::Registrations, &["2018", "2018-H1"]),
            [shown("2018", 60000), shown("2018-H1", 20000)]
        );
    }

    /// R-MON-02
    #[test]
    fn a_started_half_year_never_hides_the_finished_one() {
        let mut facts = known(date(2019, 1, 1), date(2019, 7, 3));
        facts.departures = (0..47).map(|n| departure(n, date(2019, 2, 1))).collect();
        facts.departures.extend((50..52).map(|n| departure(n, date(2019, 7, 2))));
        let periods = ["2019", "2019-H1", "2019-H2"];
        assert_eq!(
            values(&facts, Measure::Left, &periods),
            [hidden("2019"), shown("2019-H1", 47000), hidden("2019-H2")]
        );
        assert_eq!(values(&facts, Measure::MeanNights, &periods)[1], shown("2019-H1", 0));
    }

    /// R-MON-02
    #[test]
    fn categories_are_hidden_against_their_total_and_selections_against_what_they_come_from() {
        let mut facts = known(date(2018, 1, 1), date(2019, 1, 1));
        // Origins of domain section 7.
        let origins = [
            ("0505", 44),
            ("0642", 6),
            ("0531", 4),
            ("0482", 3),
            ("0512", 3),
            ("0610", 3),
            ("0545", 1),
            ("1978", 1),
            ("elsewhere", 15),
            ("abroad", 8),
            ("unknown", 2),
        ];
        let mut n = 0;
        for (origin, count) in origins {
            for _ in 0..count {
                n += 1;
                facts.registrations.push(registration(n, date(2018, 4, 1), origin));
            }
        }
        facts.trajectories =
            (1..=87).map(|n| Trajectory { stay: Uuid::from_u128(n), notification: Some(Uuid::from_u128(n)) }).collect();
        let origin = values(&facts, Measure::Origin, &["2018"]);
        assert_eq!(origin.iter().filter(|(_, value)| value.is_some()).count(), 4);
        assert_eq!(origin[0], hidden("2018 0482"));
        assert!(origin.contains(&shown("2018 0505", 44000)));
        // 90 less 87 would tell of three people without a trajectory.
        assert_eq!(values(&facts, Measure::Registrations, &["2018"]), [shown("2018", 90000)]);
        assert_eq!(values(&facts, Measure::Trajectories, &["2018"]), [hidden("2018")]);
        assert_eq!(values(&facts, Measure::Trigger, &["2018"]), [shown("2018 rent_arrears", 90000)]);
    }

    /// R-MON-02
    #[test]
    fn means_over_few_people_are_hidden() {
        let mut facts = known(date(2018, 1, 1), date(2018, 12, 31));
        facts.departures = (0..4).map(|n| departure(n, date(2018, 3, 1))).collect();
        assert_eq!(values(&facts, Measure::MeanNights, &["2018"]), [hidden("2018")]);
        facts.departures.push(departure(9, date(2018, 3, 1)));
        facts.stay_nights = facts.departures.iter().map(|d| (d.stay, 60)).collect();
        assert_eq!(values(&facts, Measure::MeanNights, &["2018"]), [shown("2018", 60000)]);
        let beds = |people| {
            (0..people).map(|n| MonthNights { month: date(2018, 1, 1), person: person(n), nights: 31 }).collect()
        };
        facts.registers = [(date(2018, 1, 1), 31)].into();
        facts.month_nights = beds(4);
        assert_eq!(values(&facts, Measure::MeanOccupiedBeds, &["2018-01"]), [hidden("2018-01")]);
        facts.month_nights = beds(6);
        assert_eq!(values(&facts, Measure::MeanOccupiedBeds, &["2018-01"]), [shown("2018-01", 6000)]);
        assert_eq!(values(&facts, Measure::MeanOccupiedBeds, &["2018"]), [shown("2018", 510)]);
    }

    #[test]
    fn a_question_names_everything_that_is_wrong_with_it() {
        let policy = policy(DEFAULT_POLICY).unwrap();
        let read = |measures: &[&str], periods: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
            Question::read(&owned(measures), &owned(periods), policy_of(&policy, date(2018, 1, 1)))
        };
        let paths = |refusal: Refusal| refusal.fields.into_iter().map(|f| f.path).collect::<Vec<_>>();
        assert_eq!(paths(read(&["left", "people"], &["2018", "2018-13"]).unwrap_err()), ["measures[1]", "periods[1]"]);
        assert_eq!(paths(read(&[], &[]).unwrap_err()), ["periods"]);
        assert_eq!(paths(read(&["left"; 99], &["2018"]).unwrap_err()), ["measures"]);
        assert_eq!(read(&[], &["2018", "2018"]).unwrap().measures.len(), Measure::ALL.len());
        assert_eq!(read(&["left", "left"], &["2018", "2018"]).unwrap().periods.len(), 1);
    }

    #[test]
    fn values_are_rounded_half_away_from_zero() {
        let cases = [(1, 8, 1, 125), (1, 16, 1, 63), (-1, 16, 1, -63), (2, 3, 1, 667), (0, 5, 1, 0), (90, 1, 60, 1500)];
        for (amount, by, per_unit, milli) in cases {
            assert_eq!(ratio_milli(amount, by, per_unit), milli, "{amount} / {by}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// P9: the same rows in any order give the same figures.
        #[test]
        fn the_order_of_rows_changes_nothing(
            mut rows in prop::collection::vec((1i8..=12, 1i8..=28, 0u8..4, 1i8..=12), 1..40),
            seed in any::<u64>(),
        ) {
            type Row = (usize, (i8, i8, u8, i8));
            let build = |rows: &[Row]| {
                let mut facts = known(date(2018, 1, 1), date(2019, 1, 1));
                for (n, (month, day, origin, left)) in rows {
                    let n = *n as u128;
                    facts.registrations.push(registration(n, date(2018, *month, *day), &origin.to_string()));
                    facts.trajectories.push(Trajectory { stay: Uuid::from_u128(n), notification: Some(Uuid::from_u128(n / 2 * 2)) });
                    facts.departures.push(departure(n, date(2018, *left, *day)));
                    facts.stay_nights.insert(Uuid::from_u128(n), i64::from(*day));
                }
                facts
            };
            let mut numbered: Vec<_> = rows.drain(..).enumerate().collect();
            let policy = policy(DEFAULT_POLICY).unwrap();
            let first = build(&numbered);
            let question = Question::everything(&first);
            let before = figures(&first, &question, &policy);
            let len = numbered.len();
            for i in 0..len {
                numbered.swap(i, (seed as usize).wrapping_mul(i + 7) % len);
            }
            prop_assert_eq!(before.clone(), figures(&build(&numbered), &question, &policy));
            for figure in before {
                let small = matches!(measure_of_people(&figure), Some(1..=4));
                prop_assert!(!small, "{:?}", figure);
            }
        }
    }

    /// The people in a cell that is shown, for measures that count people one by one.
    fn measure_of_people(figure: &Figure) -> Option<i64> {
        let counts = matches!(figure.measure.shape(), Shape::Count | Shape::CountByCategory);
        figure.value_milli.filter(|_| counts).map(|milli| milli / 1000)
    }
}
