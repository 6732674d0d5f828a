//! `doorstroom checkpoint` and `doorstroom verify`: whether the log of who looked is still what it was.

use crate::call::To;
use crate::{dynamic, refusal};
use anyhow::{Context as _, bail};
use auth::{Checkpoint, Keys};
use clap::Args;
use proto::audit::v1::GetCheckpointResponse;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use store::{Fault, Link, Walked, Witness};

/// Asks a service for a signed checkpoint of its access log, to be kept where the database is not.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example, once a day, to a place that whoever manages the database cannot write to:\n  \
    doorstroom checkpoint housing --out /media/elsewhere/housing.checkpoints\n\n\
    `doorstroom verify` compares the database with what is kept there.")]
pub struct Fetch {
    /// The service: access, housing, income, aftercare, regie or monitor
    service: String,
    /// The file to add the checkpoint to, one per line; printed when left out
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    to: To,
}

/// Runs `doorstroom checkpoint`; false when the call was refused.
pub async fn fetch(fetch: &Fetch) -> anyhow::Result<bool> {
    let method = dynamic::method("AuditService/GetCheckpoint")?;
    let request = fetch.to.sign(&method, dynamic::read(&method.input(), serde_json::json!({}))?)?;
    let asked = async {
        let mut answers = dynamic::call(fetch.to.channel(&fetch.service)?, &method, request).await?;
        anyhow::Ok(answers.message().await?.context("the service gave no answer")?)
    };
    let answer: GetCheckpointResponse = match asked.await {
        Ok(answer) => answer.transcode_to()?,
        Err(error) => {
            eprintln!("{}", refusal::explain(&error.downcast::<tonic::Status>()?));
            return Ok(false);
        }
    };
    let Some(path) = &fetch.out else {
        println!("{}", answer.checkpoint);
        return Ok(true);
    };
    let file = fs::OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| writeln!(file, "{}", answer.checkpoint))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{}: a checkpoint over {} entries of {}", path.display(), answer.position, fetch.service);
    Ok(true)
}

/// Walks along the access log in a database, without any service, and says what is right or the first that is wrong.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  \
    doorstroom verify --database data/housing.sqlite --keys data/jwks.json --checkpoint housing.checkpoints\n\n\
    Each entry of the log is hashed together with the one before it. The links in the database itself show a careless\n\
    change. Whoever may do anything with the database can write those anew: only a checkpoint that was fetched before\n\
    (`doorstroom checkpoint`) and kept elsewhere shows that. Then every entry that was changed, removed, swapped, inserted\n\
    or cut off up to the checkpoint is found.\n\n\
    It only reads, and may run beside the service. Of a copy of a SQLite file, copy the files ending in -wal and -shm too.\n\n\
    Exit status: 0 nothing is wrong; 1 something is; 2 it could not be found out.")]
pub struct Verify {
    /// The database of one service: a file of SQLite, or postgres://…
    #[arg(long, value_name = "URL_OR_FILE")]
    pub database: String,
    /// The public keys with which services sign: the file that was made with its key
    #[arg(long, value_name = "JWKS_FILE")]
    pub keys: Option<PathBuf>,
    /// A file with checkpoints of this service, one per line; may be given more than once
    #[arg(long, value_name = "FILE", requires = "keys")]
    pub checkpoint: Vec<PathBuf>,
}

/// Runs `doorstroom verify`; false when something is wrong.
pub async fn run(verify: &Verify) -> anyhow::Result<bool> {
    let (right, report) = report(verify).await?;
    print!("{report}");
    Ok(right)
}

/// A database that is named by its URL or its file.
pub(crate) fn url(database: &str) -> anyhow::Result<String> {
    match database.split_once(':') {
        Some(("sqlite" | "postgres" | "postgresql", _)) => Ok(database.to_owned()),
        _ if Path::new(database).is_file() => Ok(format!("sqlite:{database}")),
        _ => bail!("{database} is no file, and no URL of a database"),
    }
}

/// Whether the log is right, and what is to be said of it.
pub async fn report(verify: &Verify) -> anyhow::Result<(bool, String)> {
    let url = url(&verify.database)?;
    let mut kept = Vec::new();
    if let Some(path) = &verify.keys {
        let keys = Keys::from_file(path).with_context(|| path.display().to_string())?;
        for path in &verify.checkpoint {
            let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let before = kept.len();
            for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let name = format!("{}, line {}", path.display(), n + 1);
                match Kept::read(&name, line.trim(), &keys) {
                    Ok(one) => kept.push(one),
                    Err(error) => return Ok((false, format!("WRONG: the checkpoint in {name}: {error}.\n"))),
                }
            }
            if kept.len() == before {
                bail!("{} holds no checkpoint", path.display());
            }
        }
    }
    let links: Vec<Link> = kept.iter().map(|one| one.link).collect();
    let walked = store::verify(&url, &links).await.with_context(|| format!("{} holds no log", verify.database))?;
    Ok(match walked {
        Ok(walked) => (true, right(&walked, &kept)),
        Err(fault) => (false, format!("WRONG: {}\n", wrong(&fault, &kept))),
    })
}

/// A checkpoint, and where it was read.
struct Kept {
    name: String,
    checkpoint: Checkpoint,
    link: Link,
}

impl Kept {
    fn read(name: &str, text: &str, keys: &Keys) -> Result<Self, auth::CheckpointError> {
        let checkpoint = Checkpoint::read(text, keys)?;
        let hash = checkpoint.digest().ok_or(auth::CheckpointError::Claims)?;
        Ok(Self { name: name.to_owned(), link: Link { position: checkpoint.position, hash }, checkpoint })
    }

    fn describe(&self) -> String {
        format!("the checkpoint of {} of {} ({})", self.checkpoint.service, self.checkpoint.at, self.name)
    }
}

fn right(walked: &Walked, kept: &[Kept]) -> String {
    let mut text = String::from("Nothing is wrong.\n");
    let Walked { entries, linked, signed, unplaced, epoch } = *walked;
    let mut say = |line: String| writeln!(text, "{line}").expect("text takes any line");
    say(format!("The log holds {entries} entries, and none is missing."));
    if linked > 0 {
        say(format!("Entries 1 to {linked} are what was linked."));
    }
    if entries + unplaced > linked {
        say(format!(
            "{} entries came after the last link: the service links them when it runs.",
            entries + unplaced - linked
        ));
    }
    for one in kept {
        say(format!("Entries 1 to {} are what was signed: {}.", one.link.position, one.describe()));
        if u64::try_from(epoch) != Ok(one.checkpoint.epoch) {
            say("  The database has had another life since: it was made anew.".to_owned());
        }
    }
    if kept.is_empty() {
        say("No checkpoint was given: whoever may do anything with the database can have rewritten entries and links alike.".to_owned());
    } else if entries > signed {
        say(format!("Entries {} to {entries} came after the last checkpoint: nobody signed for them yet.", signed + 1));
    }
    text
}

fn wrong(fault: &Fault, kept: &[Kept]) -> String {
    let who = |by: &Witness| match by {
        Witness::Link => "the link in the database".to_owned(),
        Witness::Checkpoint(n) => kept[*n].describe(),
    };
    match fault {
        Fault::Missing { position, found } if found > position => {
            format!("entry {position} is not there; after {} comes {found}.", position - 1)
        }
        Fault::Missing { position, found } => {
            format!("where entry {position} should be stands another numbered {found}.")
        }
        Fault::Unreadable { position, why } => format!("entry {position} cannot be read: {why}."),
        Fault::Changed { after, position, by } => format!(
            "the first that is wrong is one of the entries {} to {position}: one was changed, swapped, removed or inserted. \
             They are not what {} says. Up to entry {after} everything is as it was.",
            after + 1,
            who(by)
        ),
        Fault::Cut { end, position, by } => format!(
            "entry {} is not there, nor is any after it: the log ends at {end}, and {} goes on to {position}.",
            end + 1,
            who(by)
        ),
        Fault::Unlinked { position } => {
            format!("the link at entry {position} is not there, and a checkpoint was signed over it.")
        }
        Fault::Unplaced { entries } => format!("{entries} entries stand in the log without a position."),
    }
}
