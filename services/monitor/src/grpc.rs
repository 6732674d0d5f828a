//! The RPCs: message to question, figures to cells.

use crate::domain::figures::{Figure, Question, figures};
use crate::domain::general as policy_of;
use crate::domain::generation::{self, Command};
use crate::domain::measure::{Measure, Shape, Unit};
use crate::{Monitor, store};
use chassis::{Answer, Chassis, Page, Result};
use kernel::general;
use proto::monitor::v1 as pb;
use proto::monitor::v1::monitor_service_server::MonitorService;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response};

pub(crate) struct Grpc {
    pub chassis: Chassis,
    pub monitor: Arc<Monitor>,
}

#[tonic::async_trait]
impl MonitorService for Grpc {
    async fn get_figures(&self, request: Request<pb::GetFiguresRequest>) -> Answer<pb::GetFiguresResponse> {
        let monitor = self.monitor.clone();
        self.chassis
            .query(request, move |work, m| {
                Box::pin(async move {
                    let question = Question::read(&m.measures, &m.periods, policy_of(&monitor.policy, work.now.date))?;
                    let facts = store::fact::served(work).await?;
                    Ok(answer(figures(&facts, &question, &monitor.policy)))
                })
            })
            .await
    }

    async fn list_measures(&self, request: Request<pb::ListMeasuresRequest>) -> Answer<pb::ListMeasuresResponse> {
        self.chassis.query(request, |_, m| Box::pin(async move { measures(m) })).await
    }

    async fn rebuild(&self, request: Request<pb::RebuildRequest>) -> Answer<pb::RebuildResponse> {
        let started = self
            .chassis
            .command(request, |work, _| {
                Box::pin(async move {
                    let state = store::generation::state(work).await?;
                    let number = store::generation::next(work).await?;
                    for event in generation::decide(&state, &Command::Start { number }, work.now)? {
                        store::generation::save(work, &event, None).await?;
                    }
                    Ok(pb::RebuildResponse { version: number, ..Default::default() })
                })
            })
            .await?;
        self.monitor.wanted.notify_one();
        let version = started.into_inner().version;
        match self.report(version).await {
            Ok(report) => Ok(Response::new(pb::RebuildResponse {
                version,
                events: report.events,
                identical: report.identical,
                digest: report.digest,
            })),
            Err(error) => Err(proto::status(&error.refusal().unwrap_or_else(|| (&general::UNAVAILABLE).into()))),
        }
    }
}

impl Grpc {
    /// Waits until a rebuild is done, or the service stops.
    async fn report(&self, version: i64) -> Result<generation::Report> {
        loop {
            let outcome = store::generation::outcome(&mut self.chassis.store.read().await?, version).await?;
            if let Some(report) = generation::answer(outcome)? {
                return Ok(report);
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(10)) => {}
                () = self.chassis.stopped() => return Err((&general::UNAVAILABLE).into()),
            }
        }
    }
}

/// Figures as they are given out; the same figures are the same bytes.
pub(crate) fn answer(figures: Vec<Figure>) -> pb::GetFiguresResponse {
    let cell = |figure: Figure| pb::Cell {
        measure: figure.measure.key().to_owned(),
        period: figure.period.to_string(),
        category: figure.category,
        state: match figure.value_milli {
            Some(_) => pb::CellState::Shown.into(),
            None => pb::CellState::Hidden.into(),
        },
        value_milli: figure.value_milli,
        unfinished: figure.unfinished,
    };
    pb::GetFiguresResponse { cells: figures.into_iter().map(cell).collect() }
}

fn measures(m: &pb::ListMeasuresRequest) -> Result<pb::ListMeasuresResponse> {
    let page = Page::read(m.page_size, &m.page_token, 100)?;
    let start = match page.text(0) {
        "" => 0,
        key => 1 + Measure::ALL.iter().position(|measure| measure.key() == key).ok_or(&general::PAGE_TOKEN_INVALID)?,
    };
    let mut measures: Vec<pb::Measure> = Measure::ALL[start..].iter().copied().map(measure).collect();
    let next_page_token = page.cut(&mut measures, |measure| vec![measure.key.clone()]);
    Ok(pb::ListMeasuresResponse { measures, next_page_token })
}

fn measure(measure: Measure) -> pb::Measure {
    let unit = match measure.unit() {
        Unit::Count => pb::Unit::Count,
        Unit::Nights => pb::Unit::Nights,
        Unit::Days => pb::Unit::Days,
        Unit::Hours => pb::Unit::Hours,
        Unit::Beds => pb::Unit::Beds,
    };
    pb::Measure {
        key: measure.key().to_owned(),
        unit: unit.into(),
        decimals: measure.decimals(),
        by_category: measure.shape() == Shape::CountByCategory,
        definition_nl: measure.definition_nl().to_owned(),
        definition_en: measure.definition_en().to_owned(),
    }
}
