//! The demo: published years lived through by synthetic people, clients carried through the whole chain, and every
//! promise checked by a reader that knows only the public API.

pub mod chain;
pub mod dice;
pub mod dordrecht;
pub mod people;
pub mod promises;
pub mod report;
pub mod sight;
pub mod team;
pub mod world;
pub mod years;

use anyhow::Context as _;
use clap::Args;
use dordrecht::Life;
use jiff::civil::date;
use kernel::{Date, Role};
use promises::{PROMISES, Tallies};
use proto::monitor::v1 as monitor;
use report::Report;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;
use world::{Said as _, World, rid};

/// `doorstroom demo`.
#[derive(Args, Clone, Debug)]
pub struct Demo {
    /// The seed of all chance: the same seed, the same people
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Prints one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// What a part of the demo found.
struct Lived {
    clients: usize,
    calls: u64,
    tallies: Tallies,
    /// What made it stop before its end.
    stopped: Vec<String>,
}

/// Runs the demo; false when a cell deviates or a promise is broken.
pub async fn run(demo: &Demo) -> anyhow::Result<bool> {
    let started = Instant::now();
    // Two cities that know nothing of each other: while one waits for its disks the other goes on.
    let ((years, cells), chain) = tokio::try_join!(live_years(demo.seed), live_chain(demo.seed))?;
    let mut tallies: Tallies = PROMISES.iter().map(|(promise, _)| (*promise, promises::Tally::default())).collect();
    for (promise, tally) in years.tallies.iter().chain(&chain.tallies) {
        tallies.entry(promise).or_default().add(tally);
    }
    let report = Report {
        seed: demo.seed,
        clients: years.clients + chain.clients,
        calls: years.calls + chain.calls,
        seconds: started.elapsed().as_secs_f64(),
        cells,
        tallies,
        stopped: [years.stopped, chain.stopped].concat(),
    };
    progress("", date(2015, 1, 1), date(2015, 1, 1), date(2015, 1, 1));
    if demo.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text());
    }
    for fault in report.faults() {
        eprintln!("{fault}");
    }
    Ok(report.is_well())
}

/// The published years, and what the monitor says of them.
async fn live_years(seed: u64) -> anyhow::Result<(Lived, Vec<report::Measured>)> {
    let life = Life::of_seed(seed);
    let folder = scratch().context("there is no room for temporary files")?;
    let world = World::start(folder.path().to_owned(), dordrecht::OPENS, false).await?;
    let tell = |day| progress("The years of Dordrecht", dordrecht::OPENS, day, dordrecht::CLOSES);
    let lived = async {
        years::live(&world, &life, seed, tell).await?;
        rebuild(&world).await?;
        anyhow::Ok(life.people)
    };
    let lived = lived.await;
    let cells = report::read(&world).await?;
    Ok((close(world, lived).await?, cells))
}

/// Through the whole chain, with the relapse guarantee on.
async fn live_chain(seed: u64) -> anyhow::Result<Lived> {
    let folder = scratch().context("there is no room for temporary files")?;
    let world = World::start(folder.path().to_owned(), chain::BEGINS, true).await?;
    let lived = async {
        let clients = chain::live(&world, seed, None, |_| ()).await?;
        rebuild(&world).await?;
        anyhow::Ok(clients)
    };
    let lived = lived.await;
    close(world, lived).await
}

/// Checks every promise, also of a story that stopped before its end, and stops the services.
async fn close(world: World, lived: anyhow::Result<usize>) -> anyhow::Result<Lived> {
    let calls = world.calls();
    let mut stopped = Vec::new();
    let mut why = |error: anyhow::Error| stopped.push(format!("{error:#}"));
    let clients = lived.unwrap_or_else(|error| {
        why(error.context("the story stopped before its end"));
        0
    });
    let checked = async {
        world.settle().await?;
        promises::check(&world).await
    };
    let tallies = checked.await.unwrap_or_else(|error| {
        why(error.context("the promises could not be checked"));
        Tallies::new()
    });
    world.stop().await?;
    Ok(Lived { clients, calls, tallies, stopped })
}

/// A temporary folder: in memory where there is ample room, since nothing of the demo is to outlast it.
fn scratch() -> std::io::Result<TempDir> {
    const ROOM: u64 = 2 << 30;
    let memory = Path::new("/dev/shm");
    let is_roomy = rustix::fs::statvfs(memory).is_ok_and(|it| it.f_bavail.saturating_mul(it.f_frsize) >= ROOM);
    if is_roomy && let Ok(folder) = tempfile::tempdir_in(memory) {
        return Ok(folder);
    }
    tempfile::tempdir()
}

/// The monitor reads everything again from the feeds; the figures must be the same.
async fn rebuild(world: &World) -> anyhow::Result<()> {
    let mut monitor = world.person(Role::Monitor, "gemeente-dordrecht").monitor("monitoring");
    let rebuilt = monitor.rebuild(monitor::RebuildRequest { request_id: rid() }).await.said("Rebuild")?;
    anyhow::ensure!(rebuilt.identical, "the monitor's figures changed in a rebuild");
    world.settle().await
}

/// A line on a terminal that says how far it is; nothing elsewhere.
fn progress(what: &str, from: Date, day: Date, until: Date) {
    let mut terminal = std::io::stderr();
    if !terminal.is_terminal() || (day.day() != 1 && day != until) {
        return;
    }
    let days = |to: Date| from.until(to).map_or(0, |span| span.get_days());
    let line = if what.is_empty() {
        String::new()
    } else {
        format!("{what}: {day}  {:>3} %", 100 * days(day) / days(until).max(1))
    };
    let _ = write!(terminal, "\r{line:<60}\r");
    let _ = terminal.flush();
}
