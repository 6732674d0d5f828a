//! Events that no service would write: noise, events cut short or with a bit turned over, events of the right shape with any
//! values in them, and envelopes that say something else than they hold. Whoever follows the feed takes an event in whole, or
//! stands still before it and says why, until the other side is mended; nothing fails, and what comes after is taken in.
//!
//! `DOORSTROOM_FUZZ` and `DOORSTROOM_FUZZ_SEED` as in `fuzz`.

use crate::fuzz::{any_message, cut_short, noise, setting, turned_over};
use crate::wire::{Filling, filled};
use chassis::Service;
use kernel::Date;
use prost::Message as _;
use prost_reflect::MessageDescriptor;
use proto::feed::v1::Event;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use testkit::{Bench, Engine, FakePeer, rid};
use uuid::Uuid;

/// Events per feed unless `DOORSTROOM_FUZZ` says otherwise.
const USUAL: u64 = 30;

const DAY: Date = Date::constant(2026, 3, 2);

/// P5, P8: on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_event_stops_its_feed_at_most_and_nothing_else_on_sqlite() {
    a_false_event_stops_its_feed_at_most_and_nothing_else(Engine::Sqlite).await;
}

/// P5, P8: on PostgreSQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_event_stops_its_feed_at_most_and_nothing_else_on_postgres() {
    a_false_event_stops_its_feed_at_most_and_nothing_else(Engine::Postgres).await;
}

async fn a_false_event_stops_its_feed_at_most_and_nothing_else(engine: Engine) {
    tokio::join!(
        told_falsely(engine, access::Access::embedded),
        told_falsely(engine, housing::Housing::embedded),
        told_falsely(engine, income::Income::embedded),
        told_falsely(engine, aftercare::Aftercare::embedded),
        told_falsely(engine, regie::Regie::embedded),
        told_falsely(engine, monitor::Monitor::embedded),
    );
}

async fn told_falsely<S: Service>(engine: Engine, make: fn() -> S) {
    let Some(mut bench) = Bench::start(engine, make).await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let (events, seed) = (setting("DOORSTROOM_FUZZ", USUAL), setting("DOORSTROOM_FUZZ_SEED", 1));
    let (mut taken, mut stopped) = (0, 0);
    let about = make().about();
    for source in about.feeds.iter().map(|feed| feed.of) {
        let (peer, kinds) = (bench.peer(source), kinds(source));
        for n in 0..events {
            let mut dice = SmallRng::seed_from_u64(seed << 32 | n);
            match peer.offer(draw(peer, &kinds, n, &mut dice)).await {
                true => taken += 1,
                false => stopped += 1,
            }
            // What it does not know it leaves alone: what comes after is taken in.
            let other = prost_types::Any { type_url: format!("/doorstroom.{source}.v1.NotYetThere"), value: vec![] };
            peer.deliver(peer.event(Uuid::now_v7(), "", DAY, Some(other))).await;
            bench.pending().await;
        }
    }
    assert!(taken > 0 && stopped > 0, "{}: {taken} were taken in, {stopped} were not", about.name);
    // It stops as a service does that is well.
    bench.restart().await;
}

/// Every event of a service.
fn kinds(source: &str) -> Vec<MessageDescriptor> {
    let file = format!("doorstroom/{source}/v1/events.proto");
    let file = proto::CONTRACT.get_file_by_name(&file).expect("every service tells something");
    file.messages().collect()
}

/// The `n`-th event: the same whenever it is drawn with these dice.
fn draw(peer: &FakePeer, kinds: &[MessageDescriptor], n: u64, dice: &mut SmallRng) -> Event {
    let kind = kinds.choose(dice).expect("there are some");
    let (there, client) = (Filling::default(), rid());
    let whole = || filled(kind, &there).encode_to_vec();
    let value = match n % 6 {
        0 => noise(dice),
        1 => cut_short(whole(), dice),
        2 => turned_over(whole(), dice),
        3 => filled(kinds.choose(dice).expect("there are some"), &there).encode_to_vec(),
        _ => any_message(kind, &there, dice, 0).encode_to_vec(),
    };
    let payload = prost_types::Any { type_url: format!("/{}", kind.full_name()), value };
    let event = peer.event(Uuid::now_v7(), &client, DAY, Some(payload));
    if n % 6 != 5 {
        return event;
    }
    match dice.random_range(0..6) {
        0 => Event { event_id: "not an id".to_owned(), ..event },
        1 => Event { client_id: "\u{0}".to_owned(), ..event },
        2 => Event { occurred_on: None, ..event },
        3 => Event { recorded_at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }), ..event },
        4 => Event { payload: None, ..event },
        _ => Event { trace: "🦊".repeat(200), ..event },
    }
}
