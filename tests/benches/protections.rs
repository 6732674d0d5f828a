//! What the protections cost: the same read and the same command (same SQL, same rows, same entry in the log) by a bare tonic
//! server in plain, and by the service with all of them on: TLS with a client certificate, a token that is bound to it, rate
//! limits, the table of rights, purposes, relations, sealed columns. In one process and run, by turns.
//!
//! `cargo bench -p chain-tests --bench protections`. What is asked: at least 0.80 of the bare throughput, which shows when
//! there is more to do than is done (64 in flight). A call that is alone mostly waits, for its disk and its line: how long, and
//! how much longer with the protections, is printed beside it.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says so by panicking")]

#[path = "shared/rate.rs"]
mod rate;

use access::Access;
use chassis::{Clients, Clock, Limits, Setup, Tls, Transport};
use kernel::{Actor, ClientId, Organisation, Role};
use proto::access::v1::access_service_client::AccessServiceClient;
use proto::access::v1::access_service_server::SERVICE_NAME;
use proto::access::v1::{self as pb, ClientForGuidance};
use rate::rate;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use store::{Answered, NewEvent, Store, args};
use testkit::{Authority, actor, rid};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::service::Interceptor;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const WINDOW: Duration = Duration::from_millis(1500);
/// So often each side has its turn.
const ROUNDS: usize = 7;
/// What is asked of the protections.
const LEAST: f64 = 0.80;
/// So many calls at once keep both sides busy.
const BUSY: usize = 64;

type Migrations = &'static [chassis::Migration];
const MIGRATIONS: Migrations = Access::ABOUT.migrations;

fn shelter() -> Actor {
    actor(Role::Shelter, "leger-des-heils")
}

fn registration() -> pb::RegisterClientRequest {
    let identity = pb::Identity {
        surname: "Test".to_owned(),
        first_names: "Persoon".to_owned(),
        birth_date: Some(proto::from_date(kernel::Date::constant(1990, 1, 1))),
        no_address: true,
        ..Default::default()
    };
    pb::RegisterClientRequest { request_id: rid(), municipality: "0505".to_owned(), identity: Some(identity) }
}

/// The two RPCs without anything around them.
#[derive(Clone)]
struct Bare {
    store: Store,
    actor: Arc<Actor>,
}

impl Bare {
    async fn log(&self, tx: &mut store::Tx, rpc: &str, request_id: Option<&str>, client: ClientId) {
        let access = store::Access {
            at: Clock::system().now().at,
            actor: &self.actor,
            rpc,
            purpose: "shelter",
            legal_ground: "public_task",
            categories: "reference,identity,bsn,contact",
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            request_id,
            result: "ok",
            access_point: "ACCESS_POINT_CERTIFICATE",
            consents: &[],
            emergencies: &[],
            represented: &[],
            protocol: chassis::protocol_version(),
            standings: &[(Some(client), "organisation".to_owned())],
        };
        tx.log_access(&access, &[client]).await.unwrap();
    }

    async fn read(self, m: pb::GetClientForGuidanceRequest) -> pb::GetClientForGuidanceResponse {
        let id = ClientId::parse("client_id", &m.client_id).unwrap();
        let mut tx = self.store.read().await.unwrap();
        let sql = "select version, municipality, registered_by, identity, died_on from client where client_id = $1";
        let row = tx.row(sql, args![id]).await.unwrap().unwrap();
        let (version, identity): (i64, Vec<u8>) = (row.get("version").unwrap(), row.get("identity").unwrap());
        let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
        let households = "select set_no, from_on, members from household where client_id = $1 order by set_no";
        assert!(tx.rows(households, args![id]).await.unwrap().is_empty());
        drop(tx);
        let text = |name: &str| identity[name].as_str().unwrap_or_default().to_owned();
        let birth_date = Some(proto::from_date(text("birth_date").parse().unwrap()));
        let (client_id, surname, first_names) = (m.client_id, text("surname"), text("first_names"));
        let client = ClientForGuidance { client_id, version, surname, first_names, birth_date, ..Default::default() };
        let mut tx = self.store.write().await.unwrap();
        self.log(&mut tx, "AccessService/GetClientForGuidance", None, id).await;
        tx.commit().await.unwrap();
        pb::GetClientForGuidanceResponse { client: Some(client) }
    }

    async fn register(self, m: pb::RegisterClientRequest) -> pb::RegisterClientResponse {
        const RPC: &str = "AccessService/RegisterClient";
        let (id, now, organisation) =
            (ClientId(kernel::Uuid::new_v4()), Clock::system().now().at, &self.actor.organisation);
        let identity = m.identity.unwrap();
        let plain = serde_json::json!({
            "surname": identity.surname, "first_names": identity.first_names, "birth_date": "1990-01-01",
            "bsn": null, "v_number": null, "home": "none", "phone": null, "email": null,
        });
        let mut tx = self.store.write().await.unwrap();
        assert!(matches!(tx.answered(organisation, RPC, &m.request_id, b"hash").await, Ok(Answered::No)));
        tx.keep(
            "insert into client (client_id, version, municipality, registered_by, registered_at, identity, bsn_hash, died_on)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (client_id) do update
             set version = excluded.version, identity = excluded.identity, bsn_hash = excluded.bsn_hash,
                 died_on = excluded.died_on",
            args![id, 1i64, &m.municipality, organisation, now, plain.to_string().into_bytes(), None::<Vec<u8>>,
                None::<String>],
        )
        .await
        .unwrap();
        let kind = "registered";
        let relation = store::Relation { relation_id: id.0, client: id, organisation, person: None, kind };
        tx.grant(&relation, now).await.unwrap();
        let related = "select distinct organisation from relation where client_id = $1 and ended_at is null order by organisation";
        let rows = tx.rows(related, args![id]).await.unwrap();
        let receivers: Vec<Organisation> = rows.iter().map(|row| row.get("organisation").unwrap()).collect();
        let event = NewEvent {
            event_id: kernel::Uuid::now_v7(),
            kind: "nl.doorstroom.access.client-registered".to_owned(),
            client_id: Some(id),
            occurred_on: kernel::Date::constant(2026, 3, 2),
            recorded_at: now,
            payload: vec![7; 120],
            trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            receivers,
        };
        tx.publish(vec![event]).await.unwrap();
        tx.keep_answer(organisation, RPC, &m.request_id, b"hash", &[7; 60], now).await.unwrap();
        self.log(&mut tx, RPC, Some(&m.request_id), id).await;
        tx.commit().await.unwrap();
        pb::RegisterClientResponse { client_id: id.to_string(), ..Default::default() }
    }
}

type Promised<R> = Pin<Box<dyn Future<Output = Result<Response<R>, Status>> + Send>>;

struct Read(Bare);

impl UnaryService<pb::GetClientForGuidanceRequest> for Read {
    type Response = pb::GetClientForGuidanceResponse;
    type Future = Promised<Self::Response>;

    fn call(&mut self, request: Request<pb::GetClientForGuidanceRequest>) -> Self::Future {
        let bare = self.0.clone();
        Box::pin(async move { Ok(Response::new(bare.read(request.into_inner()).await)) })
    }
}

struct Register(Bare);

impl UnaryService<pb::RegisterClientRequest> for Register {
    type Response = pb::RegisterClientResponse;
    type Future = Promised<Self::Response>;

    fn call(&mut self, request: Request<pb::RegisterClientRequest>) -> Self::Future {
        let bare = self.0.clone();
        Box::pin(async move { Ok(Response::new(bare.register(request.into_inner()).await)) })
    }
}

impl tower::Service<http::Request<Body>> for Bare {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let bare = self.clone();
        Box::pin(async move {
            Ok(match request.uri().path().rsplit('/').next() {
                Some("GetClientForGuidance") => Grpc::new(ProstCodec::default()).unary(Read(bare), request).await,
                _ => Grpc::new(ProstCodec::default()).unary(Register(bare), request).await,
            })
        })
    }
}

impl NamedService for Bare {
    const NAME: &'static str = SERVICE_NAME;
}

/// Token and purpose on every call; nothing for the bare side.
#[derive(Clone)]
struct Shows(Option<(MetadataValue<Ascii>, MetadataValue<Ascii>)>);

impl Interceptor for Shows {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some((token, purpose)) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
            request.metadata_mut().insert(auth::PURPOSE_HEADER, purpose.clone());
        }
        Ok(request)
    }
}

type Api = AccessServiceClient<tonic::service::interceptor::InterceptedService<Channel, Shows>>;

fn sealing(folder: &Path, name: &str) -> store::Sealing {
    let keys = format!("sqlite:{}", folder.join(format!("{name}.keys.db")).display());
    store::Sealing::new(store::SealingKey::from_bytes([1; 32]), keys)
}

/// The bare side, over a database with the tables of the service.
async fn bare(folder: &Path) -> anyhow::Result<Api> {
    let url = format!("sqlite:{}", folder.join("bare.sqlite").display());
    let store = Store::open("access", &url, &sealing(folder, "bare"), MIGRATIONS).await?;
    let linking = store.clone();
    // The log is linked on either side.
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            linking.link().await.unwrap();
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = Server::builder().add_service(Bare { store, actor: Arc::new(shelter()) });
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))));
    let channel = Endpoint::from_shared(endpoint)?.tcp_nodelay(true).connect().await?;
    Ok(AccessServiceClient::with_interceptor(channel, Shows(None)))
}

/// The service itself, with everything on. It stops when what comes back is dropped.
async fn protected(folder: &Path) -> anyhow::Result<(Api, oneshot::Sender<()>)> {
    let authority = Authority::new();
    let pair = authority.issue("access").write(folder, "access");
    let clients = Clients { authorities: authority.write(folder, "clients.pem"), required: true };
    let tls = Tls::from_files(Some(&pair), Some(&clients), None).map_err(|why| anyhow::anyhow!("{why:?}"))?;
    let limits = Limits { calls_per_second: Some(10_000_000), burst: 10_000_000, ..Limits::default() };
    let issuer = Arc::new(auth::Issuer::development()?);
    let setup = Setup {
        database: format!("sqlite:{}", folder.join("access.sqlite").display()),
        sealing: sealing(folder, "access"),
        verifier: Arc::new(auth::Verifier::new(auth::Keys::from_jwks(&issuer.jwks())?, issuer.name())),
        tokens: issuer.clone(),
        peers: BTreeMap::new(),
        clock: Clock::system(),
        reflection: false,
        transport: Transport { tls, limits },
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("https://localhost:{}", listener.local_addr()?.port());
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(chassis::serve(
        Arc::new(Access::embedded()),
        setup,
        listener,
        Box::pin(async { drop(stopped.await) }),
    ));
    let shown = authority.issue("shelter");
    let endpoint = Endpoint::from_shared(endpoint)?.tcp_nodelay(true).tls_config(authority.client(Some(&shown)))?;
    let channel = loop {
        match endpoint.connect().await {
            Ok(channel) => break channel,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let life = Duration::from_secs(3600);
    let token = issuer.issue_bound(&shelter(), life, SystemTime::now(), Some(shown.thumbprint));
    let shows = (format!("Bearer {token}").parse()?, "shelter".parse()?);
    Ok((AccessServiceClient::with_interceptor(channel, Shows(Some(shows))), stop))
}

async fn reads(api: &Api, client_id: &str, in_flight: usize) -> f64 {
    let (api, client_id) = (api.clone(), client_id.to_owned());
    rate(in_flight, WINDOW, move || {
        let (mut api, client_id) = (api.clone(), client_id.clone());
        async move { drop(api.get_client_for_guidance(pb::GetClientForGuidanceRequest { client_id }).await.unwrap()) }
    })
    .await
}

async fn commands(api: &Api, in_flight: usize) -> f64 {
    let api = api.clone();
    rate(in_flight, WINDOW, move || {
        let mut api = api.clone();
        async move { drop(api.register_client(registration()).await.unwrap()) }
    })
    .await
}

/// The middle of the rounds: of each side, and of the ratio within a round.
fn show(what: &str, in_flight: usize, mut rounds: Vec<(f64, f64)>) {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        (values[0], values[values.len() / 2], values[values.len() - 1])
    };
    let ratio = middle(rounds.iter().map(|(bare, with)| with / bare).collect());
    let with = middle(rounds.iter().map(|(_, with)| *with).collect()).1;
    let bare = middle(rounds.drain(..).map(|(bare, _)| bare).collect()).1;
    let verdict = match in_flight {
        BUSY if ratio.1 >= LEAST => "enough".to_owned(),
        BUSY => "TOO LITTLE".to_owned(),
        _ => format!("{:.0} us longer", 1e6 / with - 1e6 / bare),
    };
    println!(
        "{what:<32} {in_flight:>3} in flight {with:>8.0}/s {bare:>8.0}/s {:>6.2} ({:.2} to {:.2}) {verdict}",
        ratio.1, ratio.0, ratio.2
    );
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let bare = bare(folder.path()).await?;
    let (with, stop) = protected(folder.path()).await?;
    let known = async |api: &Api| api.clone().register_client(registration()).await.map(|it| it.into_inner().client_id);
    let (known_bare, known_with) = (known(&bare).await?, known(&with).await?);
    println!("{:<32} {:>13} {:>10} {:>10} {:>6}", "", "", "protected", "bare", "ratio");
    for in_flight in [1, BUSY] {
        let (mut read, mut written) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            read.push((reads(&bare, &known_bare, in_flight).await, reads(&with, &known_with, in_flight).await));
            written.push((commands(&bare, in_flight).await, commands(&with, in_flight).await));
        }
        show("a read (a client's name)", in_flight, read);
        show("a command (register a client)", in_flight, written);
    }
    let _ = stop.send(());
    Ok(())
}
