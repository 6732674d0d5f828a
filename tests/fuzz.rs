//! Messages that nobody would write: bytes drawn at random, valid messages cut short or with a byte turned over, and messages
//! of the right shape with any values in them, to every RPC, by people who may call it. Each is answered, or refused with a
//! reason; nothing fails, panics or stays silent.
//!
//! The run is the same each time. `DOORSTROOM_FUZZ` says how many messages each RPC gets, `DOORSTROOM_FUZZ_SEED` which.

use crate::bad_input::unreasonable;
use crate::cells::{World, words};
use crate::chain::Chain;
use crate::rights::Picture;
use crate::wire::{Filling, filled, methods, rpc};
use doorstroom::dynamic;
use futures_util::StreamExt as _;
use kernel::Actor;
use prost::Message as _;
use prost::bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use testkit::{Engine, rid};
use tonic::Status;

/// Messages per RPC unless `DOORSTROOM_FUZZ` says otherwise.
const USUAL: u64 = 30;

/// P8: whatever is sent is answered or refused with a reason, on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_is_answered_or_refused_with_a_reason_on_sqlite() {
    whatever_is_sent_is_answered_or_refused_with_a_reason(Engine::Sqlite).await;
}

/// P8: whatever is sent is answered or refused with a reason, on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_is_answered_or_refused_with_a_reason_on_postgres() {
    whatever_is_sent_is_answered_or_refused_with_a_reason(Engine::Postgres).await;
}

async fn whatever_is_sent_is_answered_or_refused_with_a_reason(engine: Engine) {
    let Some(chain) = Chain::start(engine).await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let (messages, seed) = (setting("DOORSTROOM_FUZZ", USUAL), setting("DOORSTROOM_FUZZ_SEED", 1));
    let world = World::new(&chain).await;
    let picture = Picture::reviewed();
    let mut calls = Vec::new();
    for method in methods() {
        let callers = world.callers_of(&picture, &method);
        calls.extend((0..messages).map(|n| Call::draw(&world, &method, &callers, seed, n)));
    }
    let made = calls.into_iter().map(|call| call.make(&world));
    let made: Vec<Result<(), String>> = futures_util::stream::iter(made).buffer_unordered(16).collect().await;
    let faults: Vec<String> = made.into_iter().filter_map(Result::err).collect();
    assert!(faults.is_empty(), "seed {seed}, {messages} messages per RPC:\n{}", faults.join("\n"));
    // What was taken in all the same is no poison: everybody who follows a feed gets past it.
    chain.settle().await;
}

pub fn setting(name: &str, usual: u64) -> u64 {
    std::env::var_os(name)
        .map_or(usual, |set| set.to_string_lossy().parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// One message to one RPC.
struct Call {
    service: String,
    method: MethodDescriptor,
    actor: Actor,
    body: Bytes,
}

impl Call {
    /// The `n`-th message for an RPC: the same whenever it is drawn with this seed.
    fn draw(world: &World, method: &MethodDescriptor, callers: &[Actor], seed: u64, n: u64) -> Self {
        let mut hash = DefaultHasher::new();
        (method.full_name(), seed, n).hash(&mut hash);
        let mut dice = SmallRng::seed_from_u64(hash.finish());
        let services = crate::chain::services::SERVICES;
        let service =
            dynamic::service_of(method).unwrap_or_else(|| services[dice.random_range(0..services.len())].to_owned());
        let actor = callers.choose(&mut dice).expect("somebody may call it").clone();
        let body = match n % 5 {
            0 => noise(&mut dice),
            1 => cut_short(filled(&method.input(), &world.there).encode_to_vec(), &mut dice),
            2 => turned_over(filled(&method.input(), &world.there).encode_to_vec(), &mut dice),
            _ => any_message(&method.input(), &world.there, &mut dice, 0).encode_to_vec(),
        };
        Self { service, method: method.clone(), actor, body: body.into() }
    }

    async fn make(self, world: &World) -> Result<(), String> {
        let Self { service, method, actor, body } = self;
        let token = Some(world.lines.token(&actor));
        match world.lines.send_to(&service, &method, body.clone(), token).await {
            Err(status) => unreasonable(&status).map_or(Ok(()), |why| {
                let sent: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
                Err(format!("{} of {service} as {}: {why}: {sent}", rpc(&method), actor.roles[0]))
            }),
            Ok(_) => Ok(()),
        }
    }
}

pub fn noise(dice: &mut SmallRng) -> Vec<u8> {
    let mut bytes = vec![0; dice.random_range(0..200)];
    dice.fill_bytes(&mut bytes);
    bytes
}

pub fn cut_short(mut bytes: Vec<u8>, dice: &mut SmallRng) -> Vec<u8> {
    bytes.truncate(dice.random_range(0..=bytes.len()));
    bytes
}

pub fn turned_over(mut bytes: Vec<u8>, dice: &mut SmallRng) -> Vec<u8> {
    for _ in 0..dice.random_range(1..4) {
        if let Some(at) = (!bytes.is_empty()).then(|| dice.random_range(0..bytes.len())) {
            bytes[at] ^= 1 << dice.random_range(0..8);
        }
    }
    bytes
}

/// A message of the right shape, with anything in it.
pub fn any_message(of: &MessageDescriptor, there: &Filling, dice: &mut SmallRng, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    for field in of.fields() {
        if depth > 3 || dice.random_ratio(1, 6) {
            continue;
        }
        let one = |dice: &mut SmallRng| any_value(&field, there, dice, depth);
        let value = match field.is_list() {
            true => Value::List((0..dice.random_range(0..4)).map(|_| one(dice)).collect()),
            false => one(dice),
        };
        message.set_field(&field, value);
    }
    message
}

fn any_value(field: &FieldDescriptor, there: &Filling, dice: &mut SmallRng, depth: usize) -> Value {
    let number = *[0, 1, 2, 12, 2026, -1, 999_999_999, i64::MAX, i64::MIN, i64::from(i32::MAX), i64::from(i32::MIN)]
        .choose(dice)
        .expect("there are some");
    match field.kind() {
        Kind::String => Value::String(any_text(field.name(), there, dice)),
        Kind::Bytes => Value::Bytes(noise(dice).into()),
        Kind::Bool => Value::Bool(dice.random()),
        Kind::Enum(of) => {
            let known: Vec<i32> = of.values().map(|value| value.number()).collect();
            let unknown = [i32::MIN, -1, 4242].choose(dice).copied();
            Value::EnumNumber(if dice.random_ratio(9, 10) { known.choose(dice).copied() } else { unknown }.unwrap_or(0))
        }
        Kind::Message(of) if of.full_name() == "google.type.Date" && dice.random_ratio(3, 4) => {
            let (month, day) = (dice.random_range(1..=12), dice.random_range(1..=28));
            Value::Message(filled(
                &of,
                &Filling { date: (dice.random_range(2020..2030), month, day), ..Filling::default() },
            ))
        }
        Kind::Message(of) => Value::Message(any_message(&of, there, dice, depth + 1)),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(number as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number as u64),
        Kind::Float => Value::F32(number as f32),
        Kind::Double => Value::F64(number as f64),
    }
}

/// What is there, by preference; else texts that have broken programs before.
fn any_text(field: &str, there: &Filling, dice: &mut SmallRng) -> String {
    const ODD: [&str; 12] = [
        "",
        " ",
        "\u{0}",
        "é\u{301}\u{202e}\u{feff}",
        "'; drop table client; --",
        "%s%n${jndi:x}",
        "-1",
        "1e309",
        "2026-02-30",
        "00000000-0000-0000-0000-000000000000",
        "W10",
        "eyJhbGciOiJub25lIn0.e30.",
    ];
    let known: BTreeMap<String, String> = if dice.random_ratio(3, 4) { there.known.clone() } else { words() };
    match (known.get(field), dice.random_range(0..8)) {
        _ if field == "request_id" && dice.random_ratio(5, 6) => rid(),
        (Some(known), 0..6) => known.clone(),
        (_, 6) => "🦊".repeat(dice.random_range(1..3000)),
        (None, 0..3) => rid(),
        _ => (*ODD.choose(dice).expect("there are some")).to_owned(),
    }
}

/// A refusal is told from a failure by the reason that it gives.
#[test]
fn a_failure_is_no_refusal() {
    assert!(unreasonable(&Status::internal("panicked")).is_some());
    assert!(unreasonable(&Status::unknown("reset")).is_some());
    let failed = proto::status(&kernel::general::OUR_FAULT.with("reference", 1));
    assert!(unreasonable(&failed).is_some());
    assert_eq!(unreasonable(&proto::status(&kernel::general::NOT_FOUND.with("thing", "client"))), None);
}
