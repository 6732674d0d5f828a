//! Every RPC of the contract, found in its descriptors, with everything that callers get wrong: the answer is a refusal with
//! a reason, or an answer; never a failure, and never yes to nothing.

use crate::chain::Chain;
use crate::wire::{Filling, Lines, actor, filled, ids, methods, rpc};
use auth::{Issuer, Policy};
use doorstroom::dynamic;
use futures_util::StreamExt as _;
use kernel::Role;
use prost::Message as _;
use prost::bytes::Bytes;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use proto::aftercare::v1::SignalKind;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};
use testkit::{Code, Engine, StatusExt as _, rid};
use tonic::Status;

/// More than any request may be.
const TOO_LARGE: usize = (1 << 20) + 1024;

/// P8, R-REG-13, R-REG-19: on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rpc_refuses_bad_input_with_a_reason_on_sqlite() {
    every_rpc_refuses_bad_input_with_a_reason(Engine::Sqlite).await;
}

/// P8, R-REG-13, R-REG-19: on PostgreSQL, whose types are stricter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rpc_refuses_bad_input_with_a_reason_on_postgres() {
    every_rpc_refuses_bad_input_with_a_reason(Engine::Postgres).await;
}

async fn every_rpc_refuses_bad_input_with_a_reason(engine: Engine) {
    let Some(chain) = Chain::start(engine).await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let doors = Doors { lines: Lines::new(&chain), forger: Issuer::development().unwrap() };
    let calls = methods()
        .flat_map(|method| wrongs(&method).into_iter().map(move |(what, wrong)| (method.clone(), what, wrong)));
    let said = calls.map(|(method, what, wrong)| {
        let doors = &doors;
        async move {
            judge(&wrong, &doors.call(&method, &wrong).await)
                .map_err(|fault| format!("{}, {what}: {fault}", method.full_name()))
        }
    });
    let said: Vec<Result<(), String>> = futures_util::stream::iter(said).buffer_unordered(16).collect().await;
    let (called, faults) = (said.len(), said.into_iter().filter_map(Result::err).collect::<Vec<_>>());
    assert!(called > 1000, "only {called} calls were made");
    assert!(faults.is_empty(), "{} of {called}:\n{}", faults.len(), faults.join("\n"));
    // What was taken in all the same is no poison: everybody who follows a feed gets past it.
    chain.settle().await;
}

/// P3: on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_never_there_is_stale_on_sqlite() {
    a_version_that_was_never_there_is_stale(Engine::Sqlite).await;
}

/// P3: on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_never_there_is_stale_on_postgres() {
    a_version_that_was_never_there_is_stale(Engine::Postgres).await;
}

/// Somebody lives through the whole chain; then every call that changes what exists says that it saw another version.
async fn a_version_that_was_never_there_is_stale(engine: Engine) {
    let Some(chain) = Chain::start(engine).await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let (household, _) = chain.housed().await;
    chain.signal(&household.client_id, SignalKind::HelpAsked).await;
    let known = ids(&chain.facts().await);
    let lines = Lines::new(&chain);
    let (mut stale, mut faults) = (0, Vec::new());
    for method in dynamic::methods().filter(|method| method.input().get_field_by_name("expected_version").is_some()) {
        let filling = Filling { known: known.clone(), version: 999, ..Filling::default() };
        let mut reasons = BTreeSet::new();
        for role in roles_of(&method) {
            let body = filled(&method.input(), &filling).encode_to_vec().into();
            let token = testkit::issuer().issue(&actor(role, &household.client_id), Duration::from_secs(60));
            match lines.send(&method, body, Some(token)).await {
                Ok(_) => faults.push(format!("{} as {role}: it was carried out", method.full_name())),
                Err(status) => drop(reasons.insert(testkit::reason(&status))),
            }
        }
        stale += usize::from(reasons.contains("STALE_VERSION"));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(stale >= 50, "only {stale} calls heard that their version is stale");
}

fn roles_of(method: &MethodDescriptor) -> BTreeSet<Role> {
    let rpc = rpc(method);
    Policy::embedded().rule(&rpc).unwrap_or_else(|| panic!("{rpc} stands in no policy")).roles()
}

/// What is wrong with a call.
struct Wrong {
    token: Token,
    body: Bytes,
    wanted: Wanted,
}

/// With which token it comes.
#[derive(Clone, Copy)]
enum Token {
    Valid,
    None,
    Expired,
    Forged,
    Nonsense,
}

/// What may be said to it.
enum Wanted {
    /// This refusal.
    Refusal(Code),
    /// Any refusal.
    AnyRefusal,
    /// An answer, or any refusal.
    Anything,
}

fn wrongs(method: &MethodDescriptor) -> Vec<(String, Wrong)> {
    let input = method.input();
    let changes_something = input.get_field_by_name("request_id").is_some();
    let empty = DynamicMessage::new(input.clone()).encode_to_vec();
    let or_answer = |changes: bool| if changes { Wanted::AnyRefusal } else { Wanted::Anything };
    let valid = |body: Vec<u8>, wanted| Wrong { token: Token::Valid, body: body.into(), wanted };
    let mut wrongs = vec![
        ("empty".to_owned(), valid(empty.clone(), or_answer(changes_something))),
        ("garbage".to_owned(), valid(vec![0xff; 24], Wanted::Refusal(Code::InvalidArgument))),
        ("cut short".to_owned(), valid(vec![0x0a, 0x7f, 0x41], Wanted::Refusal(Code::InvalidArgument))),
        ("oversized".to_owned(), valid(oversized(), Wanted::Refusal(Code::ResourceExhausted))),
    ];
    for (what, token) in [
        ("no token", Token::None),
        ("expired", Token::Expired),
        ("forged", Token::Forged),
        ("nonsense", Token::Nonsense),
    ] {
        let body = filled(&input, &Filling::default()).encode_to_vec();
        wrongs.push((
            what.to_owned(),
            Wrong { token, body: body.into(), wanted: Wanted::Refusal(Code::Unauthenticated) },
        ));
    }
    let plausible = Filling::default();
    let long = "x".repeat(100_000);
    let fillings = [
        ("unknown ids", Filling { id: rid(), ..Filling::default() }),
        ("ids that are none", Filling { id: "no such id".to_owned(), ..Filling::default() }),
        ("year 1", Filling { date: (1, 1, 1), ..Filling::default() }),
        ("year 9999", Filling { date: (9999, 12, 31), ..Filling::default() }),
        ("no such day", Filling { date: (2026, 2, 30), ..Filling::default() }),
        ("a day below nothing", Filling { date: (-1, -1, i32::MIN), ..Filling::default() }),
        ("unknown codes", Filling { code: 4242, ..Filling::default() }),
        ("codes below nothing", Filling { code: -1, ..Filling::default() }),
        ("no codes", Filling { code: 0, ..Filling::default() }),
        ("the greatest numbers", Filling { number: i64::MAX, version: i64::MAX, ..Filling::default() }),
        ("the smallest numbers", Filling { number: i64::MIN, version: i64::MIN, ..Filling::default() }),
        ("long texts", Filling { text: long, ..Filling::default() }),
        ("control characters", Filling { text: "\u{0}\u{1}'; drop table client; --".to_owned(), ..Filling::default() }),
        ("no texts", Filling { text: String::new(), ..Filling::default() }),
    ];
    for (what, filling) in fillings {
        wrongs.push((what.to_owned(), valid(filled(&input, &filling).encode_to_vec(), Wanted::Anything)));
    }
    wrongs.push(("plausible".to_owned(), valid(filled(&input, &plausible).encode_to_vec(), Wanted::Anything)));
    wrongs
}

/// A field that no message has, longer than a message may be.
fn oversized() -> Vec<u8> {
    let mut body = Vec::new();
    prost::encoding::encode_key(15_000, prost::encoding::WireType::LengthDelimited, &mut body);
    prost::encoding::encode_varint(TOO_LARGE as u64, &mut body);
    body.resize(body.len() + TOO_LARGE, b'x');
    body
}

/// Whether what was said is what may be said.
fn judge(wrong: &Wrong, said: &Result<Bytes, Status>) -> Result<(), String> {
    let status = match (said, &wrong.wanted) {
        (Ok(_), Wanted::Anything) => return Ok(()),
        (Ok(_), _) => return Err("it was carried out".to_owned()),
        (Err(status), _) => status,
    };
    match wrong.wanted {
        _ if unreasonable(status).is_some() => unreasonable(status).map_or(Ok(()), Err),
        Wanted::Refusal(code) if status.code() != code => Err(format!("{:?}, not {code:?}", status.code())),
        _ => Ok(()),
    }
}

/// What is wrong with a refusal: it is a failure, or does not say why in words that people can read.
pub fn unreasonable(status: &Status) -> Option<String> {
    let details = status.get_error_details();
    let Some(info) = details.error_info() else {
        return Some(format!("{:?} without a reason: {}", status.code(), status.message()));
    };
    let failed = matches!(status.code(), Code::Internal | Code::Unknown | Code::Unavailable);
    if failed && info.reason != kernel::general::NOT_CONFIRMED.code {
        return Some(format!("{:?} {}", status.code(), info.reason));
    }
    if info.domain != "doorstroom" || info.reason.is_empty() {
        return Some(format!("{info:?}"));
    }
    let mute = details.localized_message().is_none_or(|message| message.message.is_empty());
    mute.then(|| format!("{} says nothing in Dutch", info.reason))
}

/// The ways in, for whoever may call and whoever may not.
struct Doors {
    lines: Lines,
    forger: Issuer,
}

impl Doors {
    async fn call(&self, method: &MethodDescriptor, wrong: &Wrong) -> Result<Bytes, Status> {
        self.lines.send(method, wrong.body.clone(), self.token(method, wrong.token)).await
    }

    fn token(&self, method: &MethodDescriptor, token: Token) -> Option<String> {
        let first = *roles_of(method).iter().next().expect("somebody may call it");
        let actor = actor(first, &rid());
        let hour = Duration::from_secs(3600);
        match token {
            Token::Valid => Some(self.lines.token(&actor)),
            Token::None => None,
            Token::Expired => Some(testkit::issuer().issue_at(&actor, hour, SystemTime::now() - 3 * hour)),
            Token::Forged => Some(self.forger.issue(&actor, hour)),
            Token::Nonsense => Some("e30.e30.e30".to_owned()),
        }
    }
}
