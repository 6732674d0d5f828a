//! Filling a fresh set of rows from the feeds, beside the one that is served.
//!
//! While a set is being filled, whatever comes in goes into both sets; the feeds are read from their start to where they
//! were when the filling began. A fact that comes both ways is one row. So once the served set has also come that far, the
//! two hold the same facts, and every figure must be the same.

use crate::domain::figures::{Question, figures};
use crate::domain::generation::{self, Command, Report, State};
use crate::{COUNTED, Monitor, grpc, inbox, store};
use anyhow::{Context as _, bail};
use chassis::{Chassis, Event, Feed, Result, TraceContext, Tx};
use prost::Message as _;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::{GetStatusRequest, GetStatusResponse, SubscribeRequest};
use proto::monitor::v1::FiguresRebuilt;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::StreamExt as _;

/// Events of a feed that are kept in one transaction.
const BATCH: usize = 256;
/// A feed that gives nothing for this long cannot be read now.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the feeds are tried before a rebuild is given up.
const ATTEMPTS: u32 = 3;

/// Carries out rebuilds until the service stops; one that was cut off is taken up again.
pub async fn run(monitor: &Arc<Monitor>, chassis: &Chassis) {
    loop {
        match building(chassis).await {
            Ok(Some(number)) => carry_out(monitor, chassis, number).await,
            Ok(None) => monitor.wanted.notified().await,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "rebuilds cannot be carried out now");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn building(chassis: &Chassis) -> Result<Option<i64>> {
    match store::generation::state(&mut chassis.store.read().await?).await? {
        State::Rebuilding { building, .. } => Ok(Some(building)),
        State::Serving { .. } => Ok(None),
    }
}

async fn carry_out(monitor: &Arc<Monitor>, chassis: &Chassis, number: i64) {
    for attempt in 1..=ATTEMPTS {
        match fill_and_serve(monitor, chassis, number).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(number, attempt, error = format!("{error:#}"), "a rebuild did not get through")
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    if let Err(error) = conclude(monitor, chassis, Command::Abandon { building: number }, 0).await {
        tracing::error!(number, error = &error as &dyn std::error::Error, "a rebuild could not be given up");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn fill_and_serve(monitor: &Arc<Monitor>, chassis: &Chassis, number: i64) -> anyhow::Result<()> {
    let mut events = 0;
    for Feed { of: source, .. } in COUNTED {
        events += replay(chassis, source, number).await.with_context(|| format!("the feed of {source}"))?;
    }
    conclude(monitor, chassis, Command::Finish { building: number }, events).await?;
    Ok(())
}

/// Reads a feed from its start to where it is now, and waits until the served rows have come that far too.
async fn replay(chassis: &Chassis, source: &'static str, number: i64) -> anyhow::Result<i64> {
    let mut feed = FeedServiceClient::new(
        chassis.peers.to(source, "operations", TraceContext::root()).context("no endpoint was configured")?,
    );
    let goal = feed.get_status(GetStatusRequest {}).await?.into_inner();
    if goal.head == 0 {
        return Ok(0);
    }
    let mut stream = feed.subscribe(SubscribeRequest::default()).await?.into_inner();
    let (mut read, mut batch) = (0, Vec::new());
    loop {
        let next = tokio::time::timeout(PATIENCE, stream.next()).await.context("the feed is silent")?;
        let next = next.context("the feed ended")??;
        if let Some(event) = next.event {
            batch.push(Event::read(source, event)?);
            read += 1;
        }
        let done = next.cursor == goal.head_cursor;
        if done || batch.len() >= BATCH {
            keep(chassis, number, std::mem::take(&mut batch)).await?;
        }
        if done {
            break;
        }
    }
    drop(stream);
    let patience = tokio::time::Instant::now();
    loop {
        let status = feed.get_status(GetStatusRequest {}).await?.into_inner();
        if taken_in(&status, Monitor::ABOUT.name) >= goal.head {
            return Ok(read);
        }
        if patience.elapsed() > PATIENCE {
            bail!("the served rows have not come as far as the fresh ones");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn taken_in(status: &GetStatusResponse, name: &str) -> i64 {
    status.subscriptions.iter().filter(|s| s.name == name).map(|s| s.acknowledged).max().unwrap_or(0)
}

async fn keep(chassis: &Chassis, number: i64, batch: Vec<Event>) -> Result<()> {
    let batch: Arc<[Event]> = batch.into();
    chassis
        .act("rebuild", move |work| {
            let batch = batch.clone();
            Box::pin(async move {
                for event in &*batch {
                    inbox::take_into(work, number, event).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Serves the fresh rows, or throws them away.
async fn conclude(monitor: &Arc<Monitor>, chassis: &Chassis, command: Command, read: i64) -> Result<()> {
    let monitor = monitor.clone();
    chassis
        .act("rebuild", move |work| {
            let monitor = monitor.clone();
            Box::pin(async move {
                let state = store::generation::state(work).await?;
                for event in generation::decide(&state, &command, work.now)? {
                    let report = match event {
                        generation::Event::Finished { serving } => {
                            Some(compare(&monitor, work, state.serving(), serving, read).await?)
                        }
                        _ => None,
                    };
                    store::generation::save(work, &event, report.as_ref()).await?;
                    if let (generation::Event::Finished { serving }, Some(report)) = (event, report) {
                        let rebuilt =
                            FiguresRebuilt { version: serving, events: report.events, identical: report.identical };
                        work.publish(None, &[], &rebuilt).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}

async fn compare(monitor: &Monitor, tx: &mut Tx, served: i64, fresh: i64, events: i64) -> Result<Report> {
    let (served, fresh) = (all_figures(monitor, tx, served).await?, all_figures(monitor, tx, fresh).await?);
    let digest = ring::digest::digest(&ring::digest::SHA256, &fresh);
    let digest = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Report { events, identical: served == fresh, digest })
}

/// Every figure over every period, in the bytes in which it would be given.
async fn all_figures(monitor: &Monitor, tx: &mut Tx, generation: i64) -> Result<Vec<u8>> {
    let facts = store::fact::load(tx, generation).await?;
    Ok(grpc::answer(figures(&facts, &Question::everything(&facts), &monitor.policy)).encode_to_vec())
}
