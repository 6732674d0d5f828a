//! What every service gets from the chassis, proved on both engines with a service that has no field of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "chassis/feed.rs"]
mod feed;
#[path = "chassis/keys.rs"]
mod keys;
#[path = "chassis/log.rs"]
mod log;
#[path = "chassis/tokens.rs"]
mod tokens;
#[path = "chassis/transport.rs"]
mod transport;

use auth::{Issuer, Revocations, Trusted, Verifier};
use base64::Engine as _;
use chassis::{About, Caller, Chassis, Deadline, Event, Feed, Result, Run, Service, Work};
use kernel::{ClientId, Date, Moment, Role, Timestamp};
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::audit::v1::{DataCategory, GetCheckpointRequest, ListAccessRequest};
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::{AcknowledgeRequest, GetStatusRequest, SubscribeRequest};
use proto::income::v1::{FinancesStabilised, StabiliseFinancesRequest, StabiliseFinancesResponse};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};
use store::{Access, Link, Store};
use testkit::{Bench, Database, Engine, actor, reason, rid};
use tokio::sync::{Notify, watch};
use tokio_stream::StreamExt as _;
use tonic::service::Routes;
use tonic::{Code, Request, Status};

/// Counts how often something was stabilised; that is all that it does.
struct Counter;

static STARTED: Mutex<Vec<Chassis>> = Mutex::new(Vec::new());

/// Deadlines of the kind "met", by subject: what is done at one waits for the test.
static MET: Mutex<BTreeMap<String, Arc<Met>>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
struct Met {
    /// It is being looked at.
    reached: Notify,
    /// Let it go on.
    go_on: Notify,
    /// The service heard that it was looked at.
    woken: watch::Sender<bool>,
}

fn met(deadline: &Deadline) -> Option<Arc<Met>> {
    MET.lock().unwrap().get(&deadline.subject).cloned()
}

impl Counter {
    const ABOUT: About = About {
        name: "income",
        migrations: &[(
            100,
            "counter",
            "create table counter (
    client_id text not null primary key,
    n bigint not null
);
create table woken (
    subject text not null,
    n bigint not null
);",
        )],
        feeds: &[],
        held: &[],
        not_held: &[],
        known_as: |client| client.to_string(),
    };
}

#[chassis::async_trait]
impl Service for Counter {
    fn about(&self) -> &'static About {
        &Self::ABOUT
    }

    fn routes(self: Arc<Self>, chassis: &Chassis) -> Routes {
        STARTED.lock().unwrap().push(chassis.clone());
        Routes::default()
    }

    async fn take(&self, _: &mut Work, _: &Event) -> Result<()> {
        Ok(())
    }

    async fn forget(&self, work: &mut Work, client: ClientId) -> Result<()> {
        work.run("delete from counter where client_id = $1", chassis::args![client]).await.map(drop)
    }

    async fn wake(&self, work: &mut Work, deadline: &Deadline) -> Result<()> {
        if deadline.kind == "broken" {
            return Err(chassis::Error::inconsistent("deadline", "kind", "is broken"));
        }
        work.run("insert into woken (subject, n) values ($1, 1)", chassis::args![&deadline.subject]).await?;
        if let Some(met) = met(deadline) {
            met.reached.notify_one();
            met.go_on.notified().await;
        }
        Ok(())
    }

    fn woken(&self, deadline: &Deadline) {
        if let Some(met) = met(deadline) {
            met.woken.send_replace(true);
        }
    }
}

/// The chassis of the service that came up last on this test's clock.
async fn chassis_of(bench: &Bench<Counter>) -> Chassis {
    // The service is up once it answers.
    bench.settled().await;
    started(bench)
}

fn started(bench: &Bench<Counter>) -> Chassis {
    let started = STARTED.lock().unwrap();
    started.iter().rev().find(|chassis| chassis.clock.is_same(&bench.clock)).cloned().expect("the service was started")
}

fn stabilise(request_id: &str, client: ClientId) -> Request<StabiliseFinancesRequest> {
    let mut request = Request::new(StabiliseFinancesRequest {
        request_id: request_id.to_owned(),
        client_id: client.to_string(),
        ..Default::default()
    });
    request.extensions_mut().insert(Arc::new(Caller {
        actor: Arc::new(actor(Role::Income, "sociale-dienst")),
        rpc: "IncomeService/StabiliseFinances".into(),
        purpose: "income".into(),
        grants: vec![auth::Grant { role: Role::Income, relation: auth::Relation::Any }],
        token: None,
        trace: chassis::TraceContext::root(),
        bounds: chassis::Bounds::default(),
        certified: false,
    }));
    request
}

/// One more for the client, and an event about it; a client id that begins with 'f' is refused after the writing.
fn count<'a>(work: &'a mut Work, m: &'a StabiliseFinancesRequest) -> Run<'a, StabiliseFinancesResponse> {
    Box::pin(async move {
        let client = ClientId::parse("client_id", &m.client_id)?;
        work.permit("client", Some(client), &[]).await?;
        let row = work
            .row(
                "insert into counter (client_id, n) values ($1, 1) on conflict (client_id) do update set n = counter.n + 1
                 returning n",
                chassis::args![client.0],
            )
            .await?;
        let version = row.expect("a row was written").get("n")?;
        work.publish(Some(client), &[], &FinancesStabilised::default()).await?;
        if m.client_id.starts_with('f') {
            return Err((&kernel::general::MALFORMED).into());
        }
        Ok(StabiliseFinancesResponse { client_id: m.client_id.clone(), version, stabilised: true })
    })
}

async fn call(chassis: &Chassis, request_id: &str, client: ClientId) -> std::result::Result<i64, Status> {
    chassis.command(stabilise(request_id, client), count).await.map(|answer| answer.into_inner().version)
}

fn client(first: char) -> ClientId {
    let mut id = uuid::Uuid::new_v4().to_string();
    id.replace_range(0..1, &first.to_string());
    ClientId::parse("client", &id).unwrap()
}

/// Whom the access log names for calls with this result.
async fn logged(bench: &Bench<Counter>, result: &str) -> Vec<String> {
    let store =
        store::Store::open("income", bench.database(), &bench.sealing(), Counter::ABOUT.migrations).await.unwrap();
    let wanted = "select subject from access_log where result = $1 order by subject";
    let rows = store.read().await.unwrap().rows(wanted, chassis::args![result]).await.unwrap();
    store.close().await;
    rows.iter().map(|row| row.get("subject").unwrap()).collect()
}

/// Takes in the feed of income, and does nothing with it.
struct Follower;

#[chassis::async_trait]
impl Service for Follower {
    fn about(&self) -> &'static About {
        const ABOUT: About =
            About { name: "monitor", feeds: &[Feed::whole("income")], migrations: &[], ..Counter::ABOUT };
        &ABOUT
    }

    fn routes(self: Arc<Self>, _: &Chassis) -> Routes {
        Routes::default()
    }

    async fn take(&self, _: &mut Work, _: &Event) -> Result<()> {
        Ok(())
    }

    async fn wake(&self, _: &mut Work, _: &Deadline) -> Result<()> {
        Ok(())
    }
}

/// Somebody looks at a client, in a service that links nothing by itself.
async fn look(store: &Store) {
    let mut tx = store.write().await.unwrap();
    let access = Access {
        at: Timestamp::UNIX_EPOCH,
        actor: &actor(Role::Income, "sociale-dienst"),
        rpc: "IncomeService/GetBenefitRequest",
        purpose: "income",
        legal_ground: "public_task",
        categories: "income",
        trace_id: String::new(),
        request_id: None,
        result: "ok",
        access_point: "ACCESS_POINT_TOKEN",
        consents: &[],
        represented: &[],
        emergencies: &[],
        protocol: "0123456789abcdef",
        standings: &[],
    };
    tx.log_access(&access, &[client('a')]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Runs one statement past the service, as a careless hand on the database would.
async fn by_hand(chassis: &Chassis, sql: &'static str) -> Result<u64> {
    let mut tx = chassis.store.write().await?;
    let touched = tx.run(sql, vec![]).await?;
    tx.commit().await?;
    Ok(touched)
}

/// Goes away after that many looks at something, while it is under way; `None` when that was before its end.
async fn given_up_after<T>(looks: usize, doing: impl Future<Output = T>) -> Option<T> {
    let (mut doing, mut left) = (std::pin::pin!(doing), looks);
    std::future::poll_fn(|context| {
        left -= 1;
        match doing.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

const DAY: Date = Date::constant(2026, 3, 5);

testkit::on_both_engines! {
    /// P3
    async fn a_repeated_call_has_one_effect_and_one_answer(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let (one, id) = (client('a'), rid());
        let racing: Vec<_> = (0..20).map(|_| { let (c, id) = (chassis.clone(), id.clone()); tokio::spawn(async move { call(&c, &id, one).await }) }).collect();
        for answer in racing {
            assert_eq!(answer.await.unwrap().unwrap(), 1);
        }
        assert_eq!(bench.events().await.len(), 1);
        let other_body = call(&chassis, &id, client('b')).await.unwrap_err();
        assert_eq!((other_body.code(), reason(&other_body)), (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
        for bad in ["", "short", &"x".repeat(65)] {
            assert_eq!(reason(&call(&chassis, bad, one).await.unwrap_err()), "REQUEST_ID_MISSING");
        }
    }

    /// P3: whoever goes away, at whatever point, holds up nobody and takes nothing of others along.
    async fn a_write_that_is_given_up_at_any_point_harms_nobody(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let (everybody, mut done) = (client('a'), 0);
        for looks in 1..40 {
            let store = chassis.store.clone();
            let doing = async move {
                let mut tx = store.write().await?;
                tx.keep("insert into woken (subject, n) values ($1, 1)", chassis::args!["given up"]).await?;
                tx.row("select n from woken limit 1", vec![]).await?;
                tx.keep("insert into woken (subject, n) values ($1, $2)", chassis::args!["given up", 2]).await?;
                tx.commit().await
            };
            let beside: Vec<_> = (0..4).map(|_| { let c = chassis.clone(); tokio::spawn(async move { call(&c, &rid(), everybody).await }) }).collect();
            if let Some(finished) = given_up_after(looks, doing).await {
                finished.unwrap();
                done += 1;
            }
            for answer in beside {
                answer.await.unwrap().unwrap();
            }
            assert_eq!(call(&chassis, &rid(), everybody).await.unwrap(), 5 * looks as i64);
        }
        let mut tx = chassis.store.read().await.unwrap();
        let row = tx.row("select count(*) as n from woken", vec![]).await.unwrap().unwrap();
        let kept: i64 = row.get("n").unwrap();
        assert!(kept % 2 == 0, "a given-up write was kept by half");
        // Whoever goes away during the commit does not know whether it was kept.
        assert!((1..39).contains(&done) && kept >= 2 * done, "{done} were finished, {kept} rows kept");
    }

    /// P3
    async fn a_refused_call_leaves_its_log_entry_and_nothing_else(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let (refused, id) = (client('f'), rid());
        assert_eq!(reason(&call(&chassis, &id, refused).await.unwrap_err()), "MALFORMED");
        // Judged again, not answered from memory.
        assert_eq!(reason(&call(&chassis, &id, refused).await.unwrap_err()), "MALFORMED");
        assert!(bench.events().await.is_empty());
        let mut audit = AuditServiceClient::new(bench.as_(&actor(Role::PrivacyOfficer, "gemeente-dordrecht"), "audit"));
        let wanted = ListAccessRequest { client_id: refused.to_string(), ..Default::default() };
        let log = audit.list_access(wanted.clone()).await.unwrap().into_inner().entries;
        assert_eq!(log.iter().map(|entry| entry.result.as_str()).collect::<Vec<_>>(), ["MALFORMED", "MALFORMED"]);
        assert_eq!(log[0].subject, "income@sociale-dienst");
        // Reading the log was itself logged, and the client sees no names of staff (R-REG-27).
        let mut own = AuditServiceClient::new(bench.as_(&testkit::client_actor(refused), "own-file"));
        let log = own.list_access(wanted.clone()).await.unwrap().into_inner().entries;
        assert_eq!(log.len(), 3);
        assert!(log.iter().all(|entry| entry.subject.is_empty()));
        let mut stranger = AuditServiceClient::new(bench.as_(&testkit::client_actor(client('a')), "own-file"));
        let status = stranger.list_access(wanted).await.unwrap_err();
        assert_eq!((status.code(), reason(&status)), (Code::NotFound, "NOT_FOUND".to_owned()));
    }

    /// P3
    async fn only_a_service_acts_on_whatever_version_stands(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let seen = |seen: i64| move |work: &mut Work| work.expect_version(seen, 3).map_err(|error| error.to_string());
        for (wish, service) in [(3, true), (0, true), (2, false)] {
            let told = chassis.act("test", move |work| Box::pin(async move { Ok(seen(wish)(work)) })).await.unwrap();
            assert_eq!(told.is_ok(), service, "{told:?}");
        }
        for (wish, why) in [(0, "STALE_VERSION"), (2, "STALE_VERSION"), (3, "")] {
            let call = chassis.command(stabilise(&rid(), client('a')), move |work, _| Box::pin(async move {
                work.expect_version(wish, 3)?;
                Ok(StabiliseFinancesResponse::default())
            }));
            assert_eq!(call.await.map_or_else(|status| reason(&status), |_| String::new()), why);
        }
    }

    /// P7
    async fn a_deadline_is_woken_once_also_after_a_restart(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let chassis = chassis_of(&bench).await;
        for subject in ["one", "two", "moved", "gone"] {
            chassis.act("test", move |work| Box::pin(async move {
                let due_at = Moment::at_hour(DAY, 8).at;
                work.set_deadline(&Deadline { kind: "k".into(), subject: subject.into(), client_id: None, due_at }).await
            })).await.unwrap();
        }
        chassis.act("test", |work| Box::pin(async move {
            let due_at = Timestamp::MAX;
            work.set_deadline(&Deadline { kind: "k".into(), subject: "moved".into(), client_id: None, due_at }).await?;
            work.clear_deadline("k", "gone").await
        })).await.unwrap();
        drop(chassis);
        bench.restart().await;
        bench.on(DAY).await;
        bench.on(DAY.tomorrow().unwrap()).await;
        let chassis = chassis_of(&bench).await;
        let rows = chassis.store.read().await.unwrap().rows("select subject from woken order by subject", vec![]).await.unwrap();
        let woken: Vec<String> = rows.iter().map(|row| row.get("subject").unwrap()).collect();
        assert_eq!(woken, ["one", "two"]);
    }

    /// P6, P7: what waits for a deadline hears of it once what was done is on disk for everybody to see, also where commands
    /// share a commit.
    async fn a_deadline_is_told_of_once_what_was_done_is_on_disk(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let (subject, here) = (rid(), Arc::new(Met::default()));
        MET.lock().unwrap().insert(subject.clone(), here.clone());
        let name = subject.clone();
        chassis.act("test", move |work| {
            let (subject, due_at) = (name.clone(), Moment::at_hour(DAY, 8).at);
            Box::pin(async move { work.set_deadline(&Deadline { kind: "k".into(), subject, client_id: None, due_at }).await })
        }).await.unwrap();
        bench.clock.set(Moment::at_hour(DAY, 9).at);
        here.reached.notified().await;
        // On SQLite there is one turn: whoever comes next shares the commit, and holds it up.
        let store = chassis.store.clone();
        let mut next = std::pin::pin!(store.write());
        let mut held = match std::future::poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await {
            Poll::Ready(turn) => turn.unwrap(),
            Poll::Pending => {
                here.go_on.notify_one();
                next.await.unwrap()
            }
        };
        held.run("insert into woken (subject, n) values ('held', 1)", vec![]).await.unwrap();
        let seen = async || {
            let mut tx = chassis.store.read().await.unwrap();
            let row = tx.row("select count(*) as n from woken where subject = $1", chassis::args![&subject]).await.unwrap();
            row.unwrap().get::<i64>("n").unwrap() == 1
        };
        let shared = chassis.store.engine() == "sqlite";
        assert!(!shared || (!seen().await && !*here.woken.borrow()), "nobody can see it yet");
        held.commit().await.unwrap();
        here.go_on.notify_one();
        here.woken.subscribe().wait_for(|woken| *woken).await.unwrap();
        assert!(seen().await);
    }

    /// P7: what cannot be handled is tried again, and holds up nothing that was due after it.
    async fn a_deadline_that_cannot_be_handled_holds_up_no_other(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        chassis.act("test", |work| Box::pin(async move {
            for i in 0..100 {
                let due_at = Moment::at_hour(DAY, 8).at;
                work.set_deadline(&Deadline { kind: "broken".into(), subject: i.to_string(), client_id: None, due_at }).await?;
            }
            let due_at = Moment::at_hour(DAY, 9).at;
            work.set_deadline(&Deadline { kind: "k".into(), subject: "later".into(), client_id: None, due_at }).await
        })).await.unwrap();
        bench.clock.set(Moment::at_hour(DAY.tomorrow().unwrap(), 9).at);
        testkit::until("the later one was woken", async || {
            let mut tx = chassis.store.read().await.unwrap();
            tx.row("select subject from woken where subject = 'later'", vec![]).await.unwrap().is_some()
        }).await;
        assert_eq!(bench.pending().await, 100, "what failed still waits");
    }

    /// P8, R-REG-13
    async fn the_gate_refuses_by_default_and_says_what_would_pass(bench: Bench<Counter> = Counter) {
        let service = actor(Role::SvcMonitor, "svc-monitor");
        let ask = async |client: testkit::Client| FeedServiceClient::new(client).get_status(GetStatusRequest {}).await.unwrap_err();
        let purpose = ask(bench.as_(&service, "housing")).await;
        assert_eq!((purpose.code(), reason(&purpose)), (Code::PermissionDenied, "PURPOSE_MISSING".to_owned()));
        assert!(purpose.message().contains("doorstroom-purpose") && purpose.message().contains("operations"));
        let role = ask(bench.as_(&actor(Role::Police, "politie"), "operations")).await;
        assert_eq!((role.code(), reason(&role)), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned()));
        let token = ask(bench.with_token("not.a.token", "operations")).await;
        assert_eq!((token.code(), reason(&token)), (Code::Unauthenticated, "TOKEN_INVALID".to_owned()));
        assert!(!token.message().contains("not.a.token"));
    }

    /// R-REG-22: before anybody is answered, what a database that was put back has forgotten is done again.
    async fn who_was_erased_is_erased_again_when_the_database_is_put_back(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let (one, other) = (client('a'), client('b'));
        let chassis = chassis_of(&bench).await;
        for client in [one, other] {
            call(&chassis, &rid(), client).await.unwrap();
            let mut tx = chassis.store.write().await.unwrap();
            let organisation = kernel::Organisation::parse("organisation", "trivire").unwrap();
            let relation = store::Relation {
                relation_id: client.0, client, organisation: &organisation, person: None, kind: "offer",
            };
            tx.grant(&relation, Timestamp::UNIX_EPOCH).await.unwrap();
            let due_at = Timestamp::from_second(2_000_000_000).unwrap();
            let deadline = Deadline { kind: "k".into(), subject: client.to_string(), client_id: Some(client), due_at };
            tx.set_deadline(&deadline).await.unwrap();
            tx.commit().await.unwrap();
        }
        drop(chassis);
        let yesterday = bench.back_up().await;
        let left = async |bench: &Bench<Counter>| {
            let mut tx = chassis_of(bench).await.store.read().await.unwrap();
            let mut clients = Vec::new();
            for sql in [
                "select client_id from counter",
                "select client_id from relation where ended_at is null",
                "select client_id from deadline",
            ] {
                let rows = tx.rows(sql, chassis::args![]).await.unwrap();
                clients.extend(rows.iter().map(|row| row.get::<ClientId>("client_id").unwrap()));
            }
            clients.sort();
            clients
        };
        assert_eq!(left(&bench).await, [one, one, one, other, other, other]);
        let what = store::Destroyed {
            client: one,
            class: None,
            at: Timestamp::UNIX_EPOCH,
            by: "regie".into(),
            why: "erasure".into(),
        };
        let chassis = chassis_of(&bench).await;
        let what = Arc::new(what);
        chassis
            .act("erasure", move |work| {
                let what = what.clone();
                Box::pin(async move { chassis::erase(&Counter, work, &what).await })
            })
            .await
            .unwrap();
        drop(chassis);
        assert_eq!(left(&bench).await, [other, other, other]);

        bench.put_back(yesterday).await;
        assert_eq!(left(&bench).await, [other, other, other]);
        assert_eq!(chassis_of(&bench).await.store.forgotten_erasures().await.unwrap(), []);
    }
}
