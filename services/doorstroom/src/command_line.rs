//! The command line: what the program understands, and what it hands to whom.

use crate::call::{As, Call};
use crate::cluster::{Cluster, Options};
use crate::demo::{self, Demo};
use crate::doctor::{self, Doctor};
use crate::replay::{self, Replay};
use crate::rewrap::{self, Rewrap};
use crate::roles;
use crate::verify::{self, Fetch, Verify};
use crate::watch::Watch;
use anyhow::Context as _;
use chassis::Clock;
use clap::{Parser, Subcommand};
use kernel::{ClientId, Role};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Doorstroom: the partners around a homeless person act as one chain, from the first notification to a home of one's own.
///
/// `doorstroom demo` shows what it is for. `doorstroom up` starts every service on this machine; `token`, `call` and
/// `watch` talk to them; `checkpoint` and `verify` show whether the log of who looked is still what it was, `replay` whether
/// each decision in it was the right one.
#[derive(Parser)]
#[command(version, after_help = "Logging goes to standard error; RUST_LOG says how much (for instance RUST_LOG=info).")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lives through the published years of a city, carries clients through the whole chain, and checks every promise
    Demo(Demo),
    /// Starts all services, each on its own port, and keeps their data
    Up {
        /// The folder for databases and keys
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// Prints one line of JSON once all services are ready
        #[arg(long)]
        json: bool,
    },
    /// Prints a token of the development issuer
    Token {
        /// How many hours it is valid; a month at most
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=744))]
        hours: u64,
        #[command(flatten)]
        who: As,
    },
    /// Makes the keys for services that run as processes of their own: one to sign with for each, the sealing key and a master key
    Keys {
        /// The folder to write them to; keys that are there already are never overwritten
        #[arg(long)]
        out: PathBuf,
    },
    /// Makes any call of the contract, with JSON
    Call(Call),
    /// Shows a feed as it grows
    Watch(Watch),
    /// Asks a service for a signed checkpoint of its access log, to be kept where the database is not
    Checkpoint(Fetch),
    /// Wraps the keys of clients with the newest master key, so that older ones can go
    Rewrap(Rewrap),
    /// Finds out, without any service, whether the access log in a database is still what it was
    Verify(Verify),
    /// Makes every decision in the access log of a database again, each by the policy of its day
    Replay(Replay),
    /// Looks at what a service would start with, and says what is wrong and what to do about it
    Doctor(Doctor),
}

/// A printed token outlives a working week.
const PRINTED_TOKEN_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Does what the command line says; how it went is in the exit status.
pub fn main() -> ExitCode {
    let kept = chassis::keep_to_itself();
    let line = CommandLine::parse();
    #[expect(clippy::disallowed_methods, reason = "the one place where this program reads its environment")]
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "error".to_owned());
    telemetry::init("doorstroom", telemetry::Format::Text, &filter);
    if let Err(error) = kept {
        eprintln!("doorstroom: the memory of this program cannot be kept out of core dumps: {error}");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.context("the runtime does not start").and_then(|runtime| runtime.block_on(run(line.command))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("doorstroom: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Demo(demo) => demo::run(&demo).await,
        Command::Up { data, json } => up(data, json).await.map(|()| true),
        Command::Token { hours, who } => {
            println!("{}", who.token(Duration::from_secs(hours * 3600))?);
            Ok(true)
        }
        Command::Keys { out } => crate::local::make_keys(&out).map(|()| true),
        Command::Call(call) => crate::call::run(&call).await,
        Command::Watch(watch) => crate::watch::run(&watch).await,
        Command::Checkpoint(wanted) => verify::fetch(&wanted).await,
        Command::Rewrap(wanted) => rewrap::run(&wanted).await.map(|()| true),
        Command::Verify(wanted) => verify::run(&wanted).await,
        Command::Replay(wanted) => replay::run(&wanted).await,
        Command::Doctor(wanted) => {
            #[expect(clippy::disallowed_methods, reason = "the one place where this program reads its environment")]
            let var = |name: &str| std::env::var(name).ok();
            doctor::run(&wanted, var).await
        }
    }
}

async fn up(data: PathBuf, json: bool) -> anyhow::Result<()> {
    let options = Options { data, fixed_ports: true, clock: Clock::system(), relapse_guarantee: false };
    let cluster = Cluster::start(&options).await?;
    let token = |role: Role| {
        // Nobody is registered under this id: it shows what a client may not see. A real one: `token --role client --client ID`.
        let client = (role == Role::Client).then(|| ClientId(uuid::Uuid::new_v4()));
        let actor = roles::actor(role, None, None, client)?;
        anyhow::Ok((role.to_string(), cluster.issuer.issue(&actor, PRINTED_TOKEN_LIFE)))
    };
    let tokens = roles::partners().map(token).collect::<anyhow::Result<Vec<_>>>()?;
    if json {
        let tokens: serde_json::Map<_, _> = tokens.into_iter().map(|(role, token)| (role, token.into())).collect();
        println!("{}", serde_json::json!({ "endpoints": cluster.endpoints, "tokens": tokens }));
    } else {
        println!("Doorstroom runs. Data: {}\n", options.data.display());
        for (service, url) in &cluster.endpoints {
            println!("  {service:<10} {url}");
        }
        println!("\nOne token per role, of the development issuer (header: authorization: Bearer …):\n");
        for (role, token) in &tokens {
            println!("  {role}\n    {token}");
        }
        println!("\nTry: doorstroom call RegieService/ListOrganisations --role regie\nStop with Ctrl-C.");
    }
    cluster.run(telemetry::shutdown_signal()).await
}
