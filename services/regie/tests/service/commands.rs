//! What regie asks of other services: in order per service, once, again when they are away, and undone.
//!
//! The bench's stand-ins only have feeds. Here a second regie runs beside the one of the bench, on a database of its own,
//! with stand-ins that also take commands and answer as the test tells them.

use super::{TODAY, accepted, id, notified};
use auth::{Keys, Verifier};
use chassis::Setup;
use kernel::{ClientId, Role, Uuid};
use proto::feed::v1::GetStatusRequest;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::feed_service_server::FeedServiceServer;
use proto::{aftercare::v1 as aftercare, housing::v1 as housing, income::v1 as income};
use regie::Regie;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use testkit::{Bench, Database, Engine, FakePeer, actor};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

/// What was asked, in order, and how to answer.
#[derive(Clone, Default)]
struct Desk {
    asked: Arc<Mutex<Vec<(String, String)>>>,
    away: Arc<Mutex<BTreeMap<String, u32>>>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    /// Answers UNAVAILABLE to the next calls of that method.
    fn away(&self, method: &str, times: u32) {
        self.away.lock().unwrap().insert(method.to_owned(), times);
    }

    fn refuse(&self, method: &str) {
        self.refused.lock().unwrap().push(method.to_owned());
    }

    fn accept_all(&self) {
        self.refused.lock().unwrap().clear();
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(method, _)| method.clone()).collect()
    }

    /// The request ids with which a method was called.
    fn ids(&self, method: &str) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|(m, _)| m == method).map(|(_, id)| id.clone()).collect()
    }

    fn answer(&self, method: &str, request_id: &str) -> Result<(), Status> {
        self.asked.lock().unwrap().push((method.to_owned(), request_id.to_owned()));
        if let Some(times) = self.away.lock().unwrap().get_mut(method).filter(|times| **times > 0) {
            *times -= 1;
            return Err(Status::unavailable("away for a moment"));
        }
        if self.refused.lock().unwrap().iter().any(|m| m == method) {
            return Err(Status::failed_precondition("never"));
        }
        Ok(())
    }
}

/// Every command has its request id first.
#[derive(Clone, PartialEq, prost::Message)]
struct AnyCommand {
    #[prost(string, tag = "1")]
    request_id: String,
}

/// Takes any call of one service.
macro_rules! desks {
    ($($name:ident = $service:literal;)*) => { $(
        #[derive(Clone)]
        struct $name(Desk);

        impl NamedService for $name {
            const NAME: &'static str = $service;
        }

        impl tower::Service<http::Request<Body>> for $name {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
                let answering = Answering(self.0.clone(), method);
                Box::pin(async move {
                    let codec = tonic_prost::ProstCodec::<(), AnyCommand>::default();
                    Ok(tonic::server::Grpc::new(codec).unary(answering, request).await)
                })
            }
        }
    )* };
}

desks! {
    AccessDesk = "doorstroom.access.v1.AccessService";
    HousingDesk = "doorstroom.housing.v1.HousingService";
    IncomeDesk = "doorstroom.income.v1.IncomeService";
    AftercareDesk = "doorstroom.aftercare.v1.AftercareService";
}

struct Answering(Desk, String);

impl UnaryService<AnyCommand> for Answering {
    type Response = ();
    type Future = std::future::Ready<Result<Response<()>, Status>>;

    fn call(&mut self, request: Request<AnyCommand>) -> Self::Future {
        std::future::ready(self.0.answer(&self.1, &request.get_ref().request_id).map(Response::new))
    }
}

async fn stand_in(feed: FakePeer, desk: &Desk) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = Server::builder()
        .add_service(FeedServiceServer::new(feed))
        .add_service(AccessDesk(desk.clone()))
        .add_service(HousingDesk(desk.clone()))
        .add_service(IncomeDesk(desk.clone()))
        .add_service(AftercareDesk(desk.clone()));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    endpoint
}

/// The regie under test.
struct Second {
    desk: Desk,
    database: Database,
    peers: BTreeMap<String, Endpoint>,
    clock: chassis::Clock,
    endpoint: String,
    running: Option<(oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>)>,
}

impl Second {
    async fn beside(bench: &Bench<Regie>) -> Second {
        let engine = if bench.database().starts_with("sqlite") { Engine::Sqlite } else { Engine::Postgres };
        let database = Database::create(engine).unwrap();
        let desk = Desk::default();
        let mut peers = BTreeMap::new();
        for name in ["access", "housing", "income", "aftercare"] {
            peers.insert(name.to_owned(), stand_in(bench.peer(name).clone(), &desk).await);
        }
        let mut second =
            Second { desk, database, peers, clock: bench.clock.clone(), endpoint: String::new(), running: None };
        second.start().await;
        second
    }

    async fn start(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.endpoint = format!("http://{}", listener.local_addr().unwrap());
        let issuer = testkit::issuer();
        let setup = Setup {
            database: self.database.url.clone(),
            sealing: self.database.sealing(),
            verifier: Arc::new(Verifier::new(Keys::from_jwks(&issuer.jwks()).unwrap(), issuer.name())),
            tokens: issuer,
            peers: self.peers.clone(),
            clock: self.clock.clone(),
            reflection: false,
            transport: Default::default(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let served =
            chassis::serve(Arc::new(Regie::embedded()), setup, listener, Box::pin(async { drop(stopped.await) }));
        self.running = Some((stop, tokio::spawn(served)));
    }

    async fn stop(&mut self) {
        let (stop, served) = self.running.take().unwrap();
        let _ = stop.send(());
        served.await.unwrap().unwrap();
    }

    /// Waits until a command was asked, whatever else waits.
    async fn once_asked(&self, method: &str) {
        let since = tokio::time::Instant::now();
        while self.desk.ids(method).is_empty() {
            assert!(since.elapsed() < Duration::from_secs(30), "asked: {:?}", self.desk.asked());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How much waits.
    async fn pending(&self) -> i64 {
        let token = testkit::issuer().issue(&actor(Role::SvcMonitor, "svc-monitor"), Duration::from_secs(600));
        let channel = Endpoint::from_shared(self.endpoint.clone()).unwrap().connect_lazy();
        let mut feed = FeedServiceClient::with_interceptor(channel, move |mut request: Request<()>| {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            request.metadata_mut().insert("doorstroom-purpose", "operations".parse().unwrap());
            Ok(request)
        });
        feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().pending
    }

    /// Waits until nothing waits any more.
    async fn settled(&self) {
        let since = tokio::time::Instant::now();
        while self.pending().await > 0 {
            assert!(since.elapsed() < Duration::from_secs(30), "work was still pending after 30 s");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until these commands were asked, each service's in this order, and nothing waits any more.
    async fn asked(&self, expected: &[&str]) {
        let since = tokio::time::Instant::now();
        loop {
            let pending = self.pending().await;
            let asked = self.desk.asked();
            if pending == 0 && in_lanes(asked.iter().map(String::as_str)) == in_lanes(expected.iter().copied()) {
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "asked: {asked:?}, pending: {pending}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// What each service was asked, in order: services have no order among each other.
fn in_lanes<'a>(methods: impl Iterator<Item = &'a str>) -> BTreeMap<&'static str, Vec<&'a str>> {
    let mut lanes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for method in methods {
        let service = match method {
            "PrepareBenefitRequest" | "CompleteBenefitRequest" | "WithdrawBenefitStart" => "income",
            "DraftHandover" | "CancelHandover" | "InvokeRelapseGuarantee" => "aftercare",
            "OpenGate" | "ShutGate" => "housing",
            "ClaimPlace" => "access",
            other => panic!("which service is asked for {other}?"),
        };
        lanes.entry(service).or_default().push(method);
    }
    lanes
}

async fn withdraw(bench: &Bench<Regie>, client: ClientId, allocation_id: String) {
    let withdrawn = housing::AllocationWithdrawn { allocation_id, ..Default::default() };
    bench.peer("housing").publish(Some(client), TODAY, &withdrawn).await;
}

/// What an accepted home asks of others, in order for each of them.
const HOME: &[&str] = &["PrepareBenefitRequest", "CompleteBenefitRequest", "DraftHandover"];

testkit::on_both_engines! {
    /// P3, P4
    async fn what_is_asked_is_asked_once_in_order_and_taken_back(bench: Bench<Regie> = Regie::embedded()) {
        let second = Second::beside(&bench).await;
        let client = notified(&bench).await;
        let allocation_id = accepted(&bench, client).await;
        second.asked(HOME).await;
        withdraw(&bench, client, allocation_id).await;
        let undone = [HOME, &["WithdrawBenefitStart", "CancelHandover"]].concat();
        second.asked(&undone).await;
    }

    /// P3
    async fn a_service_that_is_away_is_asked_again_under_the_same_id(bench: Bench<Regie> = Regie::embedded()) {
        let second = Second::beside(&bench).await;
        second.desk.away("PrepareBenefitRequest", 3);
        let client = notified(&bench).await;
        accepted(&bench, client).await;
        let expected = [&["PrepareBenefitRequest"; 3][..], HOME].concat();
        second.asked(&expected).await;
        let mut ids = second.desk.ids("PrepareBenefitRequest");
        assert_eq!(ids.len(), 4);
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(Uuid::parse_str(&ids[0]).unwrap().get_version_num(), 5);
    }

    /// P3
    async fn commands_that_wait_survive_a_restart(bench: Bench<Regie> = Regie::embedded()) {
        let mut second = Second::beside(&bench).await;
        second.desk.away("PrepareBenefitRequest", u32::MAX);
        let client = notified(&bench).await;
        accepted(&bench, client).await;
        second.once_asked("PrepareBenefitRequest").await;
        second.stop().await;
        second.desk.away("PrepareBenefitRequest", 0);
        second.start().await;
        second.once_asked("CompleteBenefitRequest").await;
        second.once_asked("DraftHandover").await;
        // What was under way as it stopped may have gone out again, under the same id.
        let mut asked = in_lanes(HOME.iter().copied());
        second.settled().await;
        let methods = second.desk.asked();
        let mut seen = in_lanes(methods.iter().map(String::as_str));
        seen.values_mut().chain(asked.values_mut()).for_each(|lane| lane.dedup());
        assert_eq!(seen, asked);
        for method in HOME {
            let mut ids = second.desk.ids(method);
            ids.dedup();
            assert_eq!(ids.len(), 1, "{method}");
        }
    }

    /// P6
    async fn a_place_for_tonight_waits_for_no_other_service(bench: Bench<Regie> = Regie::embedded()) {
        let second = Second::beside(&bench).await;
        second.desk.away("PrepareBenefitRequest", u32::MAX);
        second.desk.away("InvokeRelapseGuarantee", u32::MAX);
        let client = notified(&bench).await;
        accepted(&bench, client).await;
        second.once_asked("PrepareBenefitRequest").await;
        let reported = aftercare::NowhereToSleepReported {
            signal_id: id(),
            client_id: client.to_string(),
            municipality: "0505".into(),
            in_aftercare: true,
            relapse_guarantee: true,
            night: Some(proto::from_date(TODAY)),
        };
        bench.peer("aftercare").publish(Some(client), TODAY, &reported).await;
        second.once_asked("ClaimPlace").await;
        assert_eq!(second.desk.ids("CompleteBenefitRequest").len(), 0, "income's own order is kept");
        second.desk.away("PrepareBenefitRequest", 0);
        second.once_asked("CompleteBenefitRequest").await;
    }

    /// P2
    async fn a_gate_opens_on_the_income_and_shuts_without_it(bench: Bench<Regie> = Regie::embedded()) {
        let second = Second::beside(&bench).await;
        let client = notified(&bench).await;
        accepted(&bench, client).await;
        second.asked(HOME).await;
        let verified = income::OwnIncomeVerified {
            from_on: Some(proto::from_date(jiff::civil::date(2026, 4, 1))),
            ends_on: None,
        };
        bench.peer("income").publish(Some(client), TODAY, &verified).await;
        second.asked(&[HOME, &["OpenGate"]].concat()).await;
        let revoked = income::OwnIncomeRevoked { on: Some(proto::from_date(TODAY)) };
        bench.peer("income").publish(Some(client), TODAY, &revoked).await;
        second.asked(&[HOME, &["OpenGate", "ShutGate"]].concat()).await;
    }

    /// P4
    async fn what_was_refused_and_then_done_after_all_is_taken_back(bench: Bench<Regie> = Regie::embedded()) {
        use proto::regie::v1::{CompleteTaskRequest, ListTasksRequest, TaskKind, TaskOutcome};
        let second = Second::beside(&bench).await;
        second.desk.refuse("DraftHandover");
        let client = notified(&bench).await;
        let allocation_id = accepted(&bench, client).await;
        second.asked(HOME).await;
        let token = testkit::issuer().issue(&actor(Role::Regie, "gemeente-dordrecht"), Duration::from_secs(600));
        let channel = Endpoint::from_shared(second.endpoint.clone()).unwrap().connect_lazy();
        let mut regie = proto::regie::v1::regie_service_client::RegieServiceClient::with_interceptor(
            channel,
            move |mut request: Request<()>| {
                request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
                request.metadata_mut().insert("doorstroom-purpose", "regie".parse().unwrap());
                Ok(request)
            },
        );
        let list = regie.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner().tasks;
        let task = list.iter().find(|t| t.kind() == TaskKind::SettleRefusedCommand).unwrap();
        assert_eq!(task.cause, "FailedPrecondition");
        second.desk.accept_all();
        let (request_id, outcome) = (id(), TaskOutcome::Repeat.into());
        let complete = CompleteTaskRequest { request_id, expected_version: task.version, task_id: task.task_id.clone(), outcome };
        regie.complete_task(complete).await.unwrap();
        let repeated = [HOME, &["DraftHandover"]].concat();
        second.asked(&repeated).await;
        withdraw(&bench, client, allocation_id).await;
        second.asked(&[&repeated[..], &["WithdrawBenefitStart", "CancelHandover"]].concat()).await;
    }
}
