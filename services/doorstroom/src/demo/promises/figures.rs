//! P9: the numbers are true.

use super::*;

impl Reader<'_> {
    /// P9
    pub(super) async fn the_numbers_are_true(&mut self) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        self.every_night_is_there(&mut tally)?;
        self.recount(&mut tally).await?;
        for (_, rebuilt) in self.all::<monitor::FiguresRebuilt>() {
            tally.hold(rebuilt.identical, || "a rebuild gave other figures".to_owned());
        }
        *self.tally("P9") = tally;
        Ok(())
    }

    /// Every night of every stay is in a register, and the nights of who left add up.
    pub(super) fn every_night_is_there(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let mut nights: BTreeMap<String, BTreeMap<Date, access::NightUse>> = BTreeMap::new();
        for (_, register) in self.all::<access::NightsRecorded>() {
            let night = proto::to_date("night", register.night.as_ref())?;
            for entry in register.entries {
                let used = entry.r#use();
                nights.entry(entry.stay_id).or_default().insert(night, used);
            }
        }
        let departed: BTreeMap<String, access::Departed> =
            self.all::<access::Departed>().into_iter().map(|(_, event)| (event.stay_id.clone(), event)).collect();
        for (_, stay) in self.all::<access::Admitted>() {
            let from = proto::to_date("admitted_on", stay.admitted_on.as_ref())?;
            let left = departed.get(&stay.stay_id);
            let until = match left {
                Some(departed) => proto::to_date("departed_on", departed.departed_on.as_ref())?,
                None => self.world.today(),
            };
            let slept = nights.get(&stay.stay_id);
            let days = from.until(until).map_or(0, |span| span.get_days().max(0)) as usize;
            let recorded = slept.map_or(0, |slept| slept.range(from..until).count());
            tally.hold(recorded == days, || {
                format!("stay {} has {recorded} of {days} nights in the registers", stay.stay_id)
            });
            if let Some(departed) = left {
                let used =
                    slept.map_or(0, |slept| slept.values().filter(|used| **used == access::NightUse::Used).count());
                tally.hold(departed.nights_used as usize == used, || {
                    format!("stay {} departed with {} nights, and slept {used}", stay.stay_id, departed.nights_used)
                });
            }
        }
        Ok(())
    }

    /// Counts the six measures from the events, and holds the monitor's answer against them; looks for cells too small.
    pub(super) async fn recount(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let counted = self.count()?;
        let periods: BTreeSet<String> = counted.keys().map(|(period, _)| period.clone()).collect();
        let mut policy_staff = self.world.person(Role::Monitor, "gemeente-dordrecht").monitor("monitoring");
        let listed = policy_staff.list_measures(monitor::ListMeasuresRequest::default()).await.said("ListMeasures")?;
        let request = monitor::GetFiguresRequest {
            measures: listed.measures.iter().map(|measure| measure.key.clone()).collect(),
            periods: periods.into_iter().collect(),
        };
        let cells = policy_staff.get_figures(request).await.said("GetFigures")?.cells;
        for cell in cells.iter().filter(|cell| cell.category.is_empty()) {
            let Some(true_value) = counted.get(&(cell.period.clone(), cell.measure.as_str())) else { continue };
            let Some(shown) = cell.value_milli else { continue };
            let close = (shown as f64 / 1000.0 - true_value).abs() <= 0.000_501;
            tally.hold(close, || {
                format!("{} {}: shown {shown} thousandths, counted {true_value}", cell.period, cell.measure)
            });
        }
        let counts: BTreeSet<&str> = listed
            .measures
            .iter()
            .filter(|measure| measure.unit() == monitor::Unit::Count)
            .map(|measure| measure.key.as_str())
            .collect();
        for cell in cells.iter().filter(|cell| counts.contains(cell.measure.as_str())) {
            let small = cell.value_milli.is_some_and(|value| (1000..5000).contains(&value));
            tally.hold(!small, || {
                format!("{} {} {} shows {:?}", cell.period, cell.measure, cell.category, cell.value_milli)
            });
        }
        Ok(())
    }

    /// The six measures per year and half year, from the events alone. A mean over nobody is no figure.
    pub(super) fn count(&self) -> anyhow::Result<BTreeMap<(String, &'static str), f64>> {
        let mut figures: BTreeMap<(String, &'static str), f64> = BTreeMap::new();
        let mut received = BTreeMap::new();
        for (_, event) in self.all::<access::NotificationReceived>() {
            let day = proto::to_date("received_on", event.received_on.as_ref())?;
            received.insert(event.notification_id, day);
            periods_of(day)
                .into_iter()
                .for_each(|period| *figures.entry((period, "registrations")).or_default() += 1.0);
        }
        for (_, event) in self.all::<access::TrajectoryStarted>() {
            let periods = received.get(&event.notification_id).map(|day| periods_of(*day));
            periods
                .into_iter()
                .flatten()
                .for_each(|period| *figures.entry((period, "trajectories")).or_default() += 1.0);
        }
        let mut left: BTreeMap<String, (f64, f64, f64)> = BTreeMap::new();
        for (_, event) in self.all::<access::Departed>() {
            if event.outcome() == access::DepartureOutcome::Left {
                let until = proto::to_date("departed_on", event.departed_on.as_ref())?;
                let from = proto::to_date("admitted_on", event.admitted_on.as_ref())?;
                for period in periods_of(until) {
                    let sums = left.entry(period).or_default();
                    sums.0 += 1.0;
                    sums.1 += f64::from(event.nights_used);
                    sums.2 += f64::from(from.until(until)?.get_days());
                }
            }
        }
        for (period, (number, nights, days)) in left {
            figures.insert((period.clone(), "left"), number);
            figures.insert((period.clone(), "mean_nights"), nights / number);
            figures.insert((period, "mean_trajectory_days"), days / number);
        }
        let mut registers = BTreeMap::new();
        for (_, register) in self.all::<access::NightsRecorded>() {
            let night = proto::to_date("night", register.night.as_ref())?;
            let used = register.entries.iter().filter(|entry| entry.r#use() == access::NightUse::Used).count();
            registers.insert((register.facility_id, night), used);
        }
        let mut beds: BTreeMap<String, (f64, BTreeSet<Date>)> = BTreeMap::new();
        for ((_, night), used) in registers {
            for period in periods_of(night) {
                let (sum, nights) = beds.entry(period).or_default();
                *sum += used as f64;
                nights.insert(night);
            }
        }
        for (period, (used, nights)) in beds {
            // A period that began before the first register or runs on is not whole, and is not compared.
            let Some(first) =
                nights.first().copied().filter(|first| first.day() == 1 && matches!(first.month(), 1 | 7))
            else {
                continue;
            };
            let months = if period.contains("-H") { 6 } else { 12 };
            let days = first.until(first.saturating_add(months.months()))?.total((jiff::Unit::Day, first))?;
            if nights.len() as f64 == days {
                figures.insert((period, "mean_occupied_beds"), used / days);
            }
        }
        Ok(figures)
    }
}

/// The year and the half year of a day.
fn periods_of(day: Date) -> [String; 2] {
    let half = if day.month() <= 6 { 1 } else { 2 };
    [day.year().to_string(), format!("{}-H{half}", day.year())]
}
