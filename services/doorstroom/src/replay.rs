//! `doorstroom replay`: every decision in the access log made again, by the policy of its day.

use crate::verify::url;
use anyhow::Context as _;
use auth::{Asked, Decision, Protocol};
use clap::Args;
use kernel::Role;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use store::Decided;

/// At most this many are told one by one.
const TOLD: usize = 20;

/// Makes every decision in the access log of a database again, without any service, each by the policy of its day.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  \
    doorstroom replay --database data/housing.sqlite\n\n\
    Every version of the table of rights, the register of purposes and what the contract lists for each call is kept in the\n\
    database, under the hash that the entries name. From the roles, the purpose and how the caller stood to the client, as the\n\
    entry holds them, the gate's decision follows: in no role, for no purpose, without relation, or passed. An entry whose\n\
    result cannot follow from that is named. What the rules of the field decided after it is not judged here.\n\n\
    That the entries themselves are what they were is shown by `doorstroom verify`; the hash covers all of this.\n\n\
    Exit status: 0 all agree; 1 some do not; 2 it could not be found out.")]
pub struct Replay {
    /// The database of one service: a file of SQLite, or postgres://…
    #[arg(long, value_name = "URL_OR_FILE")]
    pub database: String,
}

/// Runs `doorstroom replay`; false when some decision is not what it should have been.
pub async fn run(replay: &Replay) -> anyhow::Result<bool> {
    let (right, report) = report(replay).await?;
    print!("{report}");
    Ok(right)
}

/// What was found along the log.
#[derive(Default)]
struct Found {
    agree: u64,
    /// Refused before rights were asked: no token that counts.
    before: u64,
    /// From before what they were judged by was kept.
    older: u64,
    differ: Vec<String>,
}

/// Whether all decisions agree, and what is to be said of them.
pub async fn report(replay: &Replay) -> anyhow::Result<(bool, String)> {
    let url = url(&replay.database)?;
    let kept = store::protocols(&url).await;
    let kept = kept.with_context(|| format!("{} keeps nothing that was judged by", replay.database))?;
    let (mut protocols, mut wrong) = (BTreeMap::new(), Vec::new());
    for (version, text) in &kept {
        match Protocol::read(version, text) {
            Ok(protocol) => drop(protocols.insert(version.as_str(), protocol)),
            Err(error) => wrong.push(format!("what was judged by under {version}: {:#}", anyhow::Error::new(error))),
        }
    }
    let mut found = Found::default();
    store::decisions(&url, |entry| found.judge(&protocols, &entry)).await?;
    let Found { agree, before, older, differ } = found;
    let mut text = String::new();
    let mut say = |line: String| writeln!(text, "{line}").expect("text takes any line");
    wrong.iter().chain(differ.iter().take(TOLD)).for_each(|line| say(format!("WRONG: {line}.")));
    if differ.len() > TOLD {
        say(format!("WRONG: {} more entries.", differ.len() - TOLD));
    }
    say(format!("{agree} decisions are what the policy of their day says, by {} versions of it.", protocols.len()));
    if before > 0 {
        say(format!("{before} calls were refused before rights were asked: they came without a token that counts."));
    }
    if older > 0 {
        say(format!("{older} entries are from before it was kept what they were judged by."));
    }
    Ok((wrong.is_empty() && differ.is_empty(), text))
}

impl Found {
    fn judge(&mut self, protocols: &BTreeMap<&str, Protocol>, entry: &Decided) {
        // The versions of before were half as long, and none of their texts was kept.
        let Some(version) = entry.protocol.as_deref().filter(|version| version.len() == 32) else {
            self.older += 1;
            return;
        };
        if entry.result.starts_with("TOKEN_") {
            self.before += 1;
            return;
        }
        let said = match protocols.get(version) {
            None => format!("what it was judged by, {version}, is not kept"),
            Some(protocol) => match decide(protocol, entry) {
                Some(decision) if decision.agrees_with(&entry.result) => {
                    self.agree += 1;
                    return;
                }
                Some(decision) => {
                    format!("the policy of that day says {}, the log says {}", words(decision), entry.result)
                }
                None => "it holds a role or relation that this program does not know".to_owned(),
            },
        };
        let place = entry.position.map_or("without a position".to_owned(), |position| position.to_string());
        self.differ.push(format!("entry {place} ({}, {} by {}): {said}", entry.at, entry.rpc, entry.roles));
    }
}

fn decide(protocol: &Protocol, entry: &Decided) -> Option<Decision> {
    let roles = entry.roles.split(',').filter(|role| !role.is_empty()).map(Role::from_key).collect::<Option<_>>()?;
    let (rpc, purpose, standing) = (entry.rpc.clone(), entry.purpose.clone(), entry.standing.clone());
    Some(protocol.decide(&Asked { rpc, roles, purpose, standing }))
}

fn words(decision: Decision) -> &'static str {
    match decision {
        Decision::NotInRole => "that no role of the caller may make this call",
        Decision::NotForPurpose => "that this call is not made for that purpose",
        Decision::NoRelation => "that the caller had nothing to do with the client",
        Decision::Passes => "that nothing stood in the way",
    }
}
