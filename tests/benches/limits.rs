//! How close the services come to what this machine can do: each figure beside a limit measured in the same run.
//!
//! `cargo bench -p chain-tests`. The limit of a call is a bare tonic call on the same port (the health check, which passes no
//! gate); that of a command or a log entry is a raw writer of the same rows by the same grouping; that of a stream is reading
//! the same rows page by page. Read the ratios, not the absolutes.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says so by panicking")]

#[path = "shared/rate.rs"]
mod rate;

use doorstroom::cluster::{Cluster, Options};
use doorstroom::doors::Doors;
use kernel::{Organisation, Role};
use proto::access::v1 as access;
use proto::feed::v1::SubscribeRequest;
use proto::regie::v1 as regie;
use rate::rate;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_stream::StreamExt as _;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const WINDOW: Duration = Duration::from_secs(3);

fn show(what: &str, in_flight: usize, measured: f64, limit: f64) {
    println!("{what:<58} {in_flight:>3} in flight {measured:>9.0}/s {limit:>9.0}/s {:>5.2}", measured / limit);
}

/// The rows of one registration, written without a service around them.
async fn raw_rows(store: &store::Store) {
    let mut tx = store.write().await.unwrap();
    let (id, bytes) = (uuid::Uuid::new_v4(), vec![7u8; 90]);
    for _ in 0..2 {
        let sealed = store::args![uuid::Uuid::now_v7(), id, bytes.clone(), bytes.clone(), bytes.clone(), 1i64];
        tx.run("insert into raw (row_id, client_id, a, b, c, n) values ($1, $2, $3, $4, $5, $6)", sealed)
            .await
            .unwrap();
    }
    let event = store::NewEvent {
        event_id: uuid::Uuid::now_v7(),
        kind: "nl.doorstroom.access.client-registered".to_owned(),
        client_id: Some(kernel::ClientId(id)),
        occurred_on: kernel::Date::constant(2026, 3, 2),
        recorded_at: kernel::Timestamp::UNIX_EPOCH,
        payload: bytes,
        trace: telemetry::TraceContext::root().to_string(),
        receivers: vec![Organisation::parse("o", "leger-des-heils").unwrap()],
    };
    tx.publish(vec![event]).await.unwrap();
    let organisation = Organisation::parse("o", "leger-des-heils").unwrap();
    tx.keep_answer(&organisation, "r", &id.to_string(), b"hash", b"answer", kernel::Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    let relation = store::Relation {
        relation_id: id,
        client: kernel::ClientId(id),
        organisation: &organisation,
        person: None,
        kind: "registered",
    };
    tx.grant(&relation, kernel::Timestamp::UNIX_EPOCH).await.unwrap();
    tx.commit().await.unwrap();
}

/// A row with the columns and indexes of the access log and the same words in it, in a table that nothing guards or links.
async fn raw_entry(store: &store::Store, actor: &kernel::Actor) {
    let mut tx = store.write().await.unwrap();
    let row = store::args![
        uuid::Uuid::now_v7(),
        kernel::Timestamp::UNIX_EPOCH,
        uuid::Uuid::new_v4(),
        &actor.subject,
        &actor.organisation,
        "shelter",
        None::<String>,
        "AccessService/GetJourney",
        "investigation",
        "public_task",
        "identity",
        None::<String>,
        "0af7651916cd43dd8448eb211c80319c",
        "ok",
        "direct",
        None::<String>,
        None::<String>,
        "1",
        "organisation"
    ];
    tx.keep(
        "insert into raw_log (access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc, purpose,
         legal_ground, categories, request_id, trace_id, result, access_point, consents, emergency_id, protocol, standing)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        row,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

/// An entry of the access log about one client.
async fn entry(store: &store::Store, actor: &kernel::Actor) {
    let mut tx = store.write().await.unwrap();
    let access = store::Access {
        at: kernel::Timestamp::UNIX_EPOCH,
        actor,
        rpc: "AccessService/GetJourney",
        purpose: "investigation",
        legal_ground: "public_task",
        categories: "identity",
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        request_id: None,
        result: "ok",
        access_point: "direct",
        consents: &[],
        represented: &[],
        emergencies: &[],
        protocol: "1",
        standings: &[(None, "organisation".to_owned())],
    };
    tx.log_access(&access, &[kernel::ClientId(uuid::Uuid::new_v4())]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Every event of a feed, as a service gets it: events per second.
async fn stream(doors: &Doors) -> f64 {
    let reader = doors.person(doorstroom::roles::actor(Role::SvcMonitor, None, None, None).unwrap());
    let mut feed = reader.feed("access", "operations");
    let (started, mut events) = (Instant::now(), 0);
    let mut stream = feed.subscribe(SubscribeRequest::default()).await.unwrap().into_inner();
    while stream.next().await.unwrap().unwrap().event.is_some() {
        events += 1;
    }
    f64::from(events) / started.elapsed().as_secs_f64()
}

/// The same rows, page by page, without a service around them.
async fn raw_stream(store: &store::Store) -> f64 {
    let (started, mut events, mut after) = (Instant::now(), 0, 0);
    loop {
        let page = store.read().await.unwrap().events_after(after, None, 256).await.unwrap();
        let Some(last) = page.last() else { break };
        (after, events) = (last.position, events + page.len());
    }
    events as f64 / started.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_owned();
    let options = Options { data, fixed_ports: false, clock: chassis::Clock::system(), relapse_guarantee: false };
    let cluster = Cluster::start(&options).await?;
    let doors = Doors::new(&cluster.endpoints, cluster.issuer.clone())?;
    let shelter = doors.person(doorstroom::roles::actor(Role::Shelter, None, None, None)?);
    let channel = Endpoint::from_shared(cluster.endpoints["access"].clone())?.connect().await?;
    let raw = store::Store::open(
        "raw",
        &format!("sqlite:{}", folder.path().join("raw.sqlite").display()),
        &store::Sealing::new(
            store::SealingKey::from_bytes([1; 32]),
            format!("sqlite:{}", folder.path().join("raw.keys.db").display()),
        ),
        &[(
            100,
            "raw",
            "create table raw (
    row_id text not null primary key,
    client_id text not null,
    a bytea not null,
    b bytea not null,
    c bytea not null,
    n bigint not null
);
create table raw_log (
    position integer primary key,
    access_id text not null unique,
    occurred_at bigint not null,
    client_id text,
    subject text not null,
    organisation text not null,
    roles text not null,
    on_behalf_of text,
    rpc text not null,
    purpose text not null,
    legal_ground text not null,
    categories text not null,
    request_id text,
    trace_id text not null,
    result text not null,
    access_point text,
    consents text,
    emergency_id text,
    protocol text,
    standing text
);
create index raw_log_by_client on raw_log (client_id, occurred_at, access_id);",
        )],
    )
    .await?;

    println!("{:<58} {:>13} {:>11} {:>11} ratio", "", "", "measured", "limit");
    for in_flight in [1, 64] {
        let health = HealthClient::new(channel.clone());
        let bare = rate(in_flight, WINDOW, move || {
            let mut health = health.clone();
            async move { drop(health.check(HealthCheckRequest::default()).await.unwrap()) }
        })
        .await;
        let client = shelter.access("shelter");
        let read = rate(in_flight, WINDOW, move || {
            let mut client = client.clone();
            async move { drop(client.list_facilities(access::ListFacilitiesRequest::default()).await.unwrap()) }
        })
        .await;
        show("a read through the gate, beside a bare call", in_flight, read, bare);
        let client = shelter.regie("shelter");
        let gate = rate(in_flight, WINDOW, move || {
            let mut client = client.clone();
            async move {
                drop(
                    client
                        .get_duty_contacts(regie::GetDutyContactsRequest { municipality: "0505".to_owned() })
                        .await
                        .unwrap(),
                )
            }
        })
        .await;
        show("the gate alone (a call that reads no table), beside it", in_flight, gate, bare);
    }
    for in_flight in [1, 64] {
        let store = raw.clone();
        let limit = rate(in_flight, WINDOW, move || {
            let store = store.clone();
            async move { raw_rows(&store).await }
        })
        .await;
        let client = shelter.access("notification");
        let registered = rate(in_flight, WINDOW, move || {
            let mut client = client.clone();
            let request = access::RegisterClientRequest {
                request_id: uuid::Uuid::new_v4().to_string(),
                municipality: "0505".to_owned(),
                identity: Some(access::Identity {
                    surname: "Test".to_owned(),
                    first_names: "Persoon".to_owned(),
                    birth_date: Some(proto::from_date(kernel::Date::constant(1990, 1, 1))),
                    no_address: true,
                    ..Default::default()
                }),
            };
            async move { drop(client.register_client(request).await.unwrap()) }
        })
        .await;
        show("a command (register a client), beside its rows alone", in_flight, registered, limit);
    }
    let actor = Arc::new(doorstroom::roles::actor(Role::Shelter, None, None, None)?);
    for in_flight in [1, 64] {
        let (store, who) = (raw.clone(), actor.clone());
        let limit = rate(in_flight, WINDOW, move || {
            let (store, who) = (store.clone(), who.clone());
            async move { raw_entry(&store, &who).await }
        })
        .await;
        let (store, who) = (raw.clone(), actor.clone());
        let logged = rate(in_flight, WINDOW, move || {
            let (store, who) = (store.clone(), who.clone());
            async move { entry(&store, &who).await }
        })
        .await;
        // What was logged in the window is linked into the chain too before it counts.
        let linking = Instant::now();
        raw.link().await?;
        let logged = logged * WINDOW.as_secs_f64() / (WINDOW + linking.elapsed()).as_secs_f64();
        show("an entry of the access log, linked, beside its row alone", in_flight, logged, limit);
    }
    show("events of a stream, beside their rows page by page", 1, stream(&doors).await, raw_stream(&raw).await);
    raw.close().await;
    cluster.stop().await
}
