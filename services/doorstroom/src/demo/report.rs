//! What the demo shows at the end: the monitor's table beside the published one, and the promises.

use super::dordrecht::{Cell, Measure, PERIODS, published};
use super::promises::{PROMISES, Tallies};
use super::world::{Said as _, World};
use kernel::Role;
use proto::monitor::v1::{CellState, GetFiguresRequest};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A published cell, and what the monitor says of it.
pub type Measured = (Cell, Option<f64>);

/// The outcome of a demo.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many people there were.
    pub clients: usize,
    /// How many calls were made.
    pub calls: u64,
    /// How long it took.
    pub seconds: f64,
    /// Every published cell.
    pub cells: Vec<Measured>,
    /// Every promise.
    pub tallies: Tallies,
    /// What made a part of it stop before its end.
    pub stopped: Vec<String>,
}

/// Asks the monitor for every published cell.
pub async fn read(world: &World) -> anyhow::Result<Vec<Measured>> {
    let request = GetFiguresRequest {
        measures: Measure::ALL.iter().map(|measure| measure.key().to_owned()).collect(),
        periods: PERIODS.iter().map(|period| (*period).to_owned()).collect(),
    };
    let mut monitor = world.person(Role::Monitor, "gemeente-dordrecht").monitor("monitoring");
    let shown = monitor.get_figures(request).await.said("GetFigures")?.cells;
    let value = |cell: &Cell| {
        let found = shown
            .iter()
            .find(|s| s.period == cell.period && s.measure == cell.measure.key() && s.category.is_empty())?;
        found.value_milli.filter(|_| found.state() == CellState::Shown).map(|milli| milli as f64 / 1000.0)
    };
    Ok(published().map(|cell| (cell, value(&cell))).collect())
}

impl Report {
    /// Whether it came to its end, every cell is met, and every promise was checked and kept.
    pub fn is_well(&self) -> bool {
        self.stopped.is_empty()
            && self.cells.iter().all(is_met)
            && self.tallies.values().all(|tally| tally.checked > 0 && tally.broken == 0)
    }

    /// What is wrong, in words.
    pub fn faults(&self) -> Vec<String> {
        let cells = self.cells.iter().filter(|cell| !is_met(cell)).map(|(cell, value)| {
            format!("{} {}: published {}, measured {value:?}", cell.period, cell.measure.key(), cell.value)
        });
        let unchecked =
            self.tallies.iter().filter(|(_, tally)| tally.checked == 0).map(|(p, _)| format!("{p} was not checked"));
        let broken =
            self.tallies.iter().flat_map(|(p, tally)| tally.faults.iter().map(move |fault| format!("{p}: {fault}")));
        self.stopped.iter().cloned().chain(cells).chain(unchecked).chain(broken).collect()
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let row =
            |cell: &Cell, value: f64| json!({ "period": cell.period, "measure": cell.measure.key(), "value": value });
        let measured = self.cells.iter().filter_map(|(cell, value)| value.map(|value| row(cell, cell.rounded(value))));
        let promises: serde_json::Map<_, _> = self
            .tallies
            .iter()
            .map(|(promise, tally)| {
                ((*promise).to_owned(), json!({ "checked": tally.checked, "broken": tally.broken }))
            })
            .collect();
        json!({
            "seed": self.seed,
            "clients": self.clients,
            "calls": self.calls,
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "published": self.cells.iter().map(|(cell, _)| row(cell, cell.value)).collect::<Vec<_>>(),
            "measured": measured.collect::<Vec<_>>(),
            "promises": promises,
            "stopped": self.stopped,
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "Night shelter of Dordrecht, as published and as measured by the monitor ({} people, {} calls, {:.0} s, seed {})\n\n",
            self.clients, self.calls, self.seconds, self.seed
        );
        let _ = write!(text, "{:<40}", "");
        for period in PERIODS {
            let _ = write!(text, "{period:>16}");
        }
        text.push('\n');
        for measure in Measure::ALL {
            let _ = write!(text, "{:<40}", measure.words());
            for period in PERIODS {
                let cell = self.cells.iter().find(|(cell, _)| cell.period == period && cell.measure == measure);
                let shown = cell.map_or_else(String::new, |(cell, value)| {
                    let decimals = cell.decimals as usize;
                    let measured = value.map_or("-".to_owned(), |value| format!("{:.decimals$}", cell.rounded(value)));
                    let mark = if is_met(&(*cell, *value)) { "" } else { " !" };
                    format!("{:.decimals$} | {measured}{mark}", cell.value)
                });
                let _ = write!(text, "{shown:>16}");
            }
            text.push('\n');
        }
        text.push_str("\nIn each cell: published | measured. Blanks were not published.\n\nPromises\n\n");
        for (promise, words) in PROMISES {
            let tally = self.tallies.get(promise).cloned().unwrap_or_default();
            let outcome = match (tally.checked, tally.broken) {
                (0, _) => "NOT CHECKED".to_owned(),
                (_, 0) => "kept".to_owned(),
                (_, broken) => format!("BROKEN {broken} times"),
            };
            let _ = writeln!(text, "  {promise:<4} checked {:>7} times, {outcome}: {words}", tally.checked);
        }
        text
    }
}

fn is_met((cell, value): &Measured) -> bool {
    value.is_some_and(|value| cell.is_met_by(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::promises::Tally;

    fn report() -> Report {
        let tally = Tally { checked: 3, broken: 0, faults: vec![] };
        Report {
            seed: 7,
            clients: 2,
            calls: 5,
            seconds: 1.25,
            cells: published().map(|cell| (cell, Some(cell.value))).collect(),
            tallies: PROMISES.iter().map(|(promise, _)| (*promise, tally.clone())).collect(),
            stopped: vec![],
        }
    }

    #[test]
    fn a_report_has_the_cells_that_were_published_and_no_others() {
        let json = report().json();
        assert_eq!(json["published"], json["measured"]);
        assert_eq!(json["published"].as_array().unwrap().len(), 25);
        assert_eq!(json["published"][0], json!({ "period": "2015", "measure": "registrations", "value": 287.0 }));
        assert_eq!(json["promises"]["P10"], json!({ "checked": 3, "broken": 0 }));
        assert!(report().text().contains("67.9 | 67.9"));
        assert!(report().is_well());
    }

    #[test]
    fn a_deviation_a_break_or_nothing_checked_is_a_failure() {
        let mut deviates = report();
        deviates.cells[3].1 = Some(1.0);
        let mut silent = report();
        silent.cells[3].1 = None;
        let mut broken = report();
        broken.tallies.insert("P4", Tally { checked: 3, broken: 1, faults: vec!["it broke".to_owned()] });
        let mut unchecked = report();
        unchecked.tallies.insert("P6", Tally::default());
        let mut stopped = report();
        stopped.stopped.push("the story stopped".to_owned());
        for report in [deviates, silent, broken, unchecked, stopped] {
            assert!(!report.is_well());
            assert_eq!(report.faults().len(), 1, "{:?}", report.faults());
        }
    }
}
