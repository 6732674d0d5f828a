//! What every service gets from the chassis, proved on both engines with a service that has no field of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "chassis/keys.rs"]
mod keys;
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

/// What the privacy officer gets from this service, checked against the key that it signs with.
async fn checkpoint(bench: &Bench<Counter>) -> (auth::Checkpoint, Link) {
    let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
    let mut audit = AuditServiceClient::new(bench.as_(&officer, "audit"));
    let answer = audit.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner();
    let keys = auth::Keys::from_jwks(&testkit::issuer().jwks()).unwrap();
    let checkpoint = auth::Checkpoint::read(&answer.checkpoint, &keys).unwrap();
    assert_eq!(checkpoint.position, answer.position);
    let link = Link { position: checkpoint.position, hash: checkpoint.digest().unwrap() };
    (checkpoint, link)
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

    /// R-REG-19: of what was refused at the gate too, with the table of rights by which it was judged.
    async fn how_a_caller_came_in_is_in_the_log(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let wanted = ListAccessRequest { client_id: client('a').to_string(), ..Default::default() };
        for (connection, result, point) in [
            (bench.as_(&actor(Role::Corporation, "trivire"), "audit"), "ROLE_NOT_ALLOWED", "ACCESS_POINT_TOKEN"),
            (bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "audit"), "ROLE_NOT_ALLOWED", "ACCESS_POINT_SERVICE"),
            (bench.with_token("no.to.ken", "audit"), "TOKEN_INVALID", "ACCESS_POINT_UNKNOWN"),
        ] {
            let refused = AuditServiceClient::new(connection).list_access(wanted.clone()).await.unwrap_err();
            assert_eq!(reason(&refused), result);
            let newest = "select access_point, protocol from access_log where result = $1 order by access_id desc limit 1";
            let row = chassis.store.read().await.unwrap().row(newest, chassis::args![result]).await.unwrap().unwrap();
            let told: (String, String) = (row.get("access_point").unwrap(), row.get("protocol").unwrap());
            assert_eq!(told, (point.to_owned(), chassis::protocol_version().to_owned()));
        }
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

    /// P5
    async fn the_feed_is_contiguous_whatever_races_and_rolls_back(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let racing: Vec<_> = (0..120).map(|n| {
            let chassis = chassis.clone();
            let about = client(if n % 3 == 0 { 'f' } else { 'a' });
            tokio::spawn(async move { call(&chassis, &rid(), about).await.is_ok() })
        }).collect();
        let mut done = 0;
        for one in racing {
            done += i64::from(one.await.unwrap());
        }
        assert_eq!(done, 80);
        let service = actor(Role::SvcMonitor, "svc-monitor");
        let mut feed = FeedServiceClient::new(bench.as_(&service, "operations"));
        assert_eq!(feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().head, 80);
        let ids: std::collections::BTreeSet<_> = bench.events().await.into_iter().map(|event| event.event_id).collect();
        assert_eq!(ids.len(), 80);
    }

    /// P5
    async fn a_subscription_resumes_after_what_it_acknowledged(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let chassis = chassis_of(&bench).await;
        for _ in 0..5 {
            call(&chassis, &rid(), client('a')).await.unwrap();
        }
        let service = actor(Role::SvcMonitor, "svc-monitor");
        let named = SubscribeRequest { subscription: "books".into(), ..Default::default() };
        let mut feed = FeedServiceClient::new(bench.as_(&service, "operations"));
        let mut first = feed.subscribe(named.clone()).await.unwrap().into_inner();
        let mut cursors = Vec::new();
        for _ in 0..5 {
            cursors.push(first.next().await.unwrap().unwrap().cursor);
        }
        feed.acknowledge(AcknowledgeRequest { subscription: "books".into(), cursor: cursors[2].clone() }).await.unwrap();
        // Older than what was acknowledged: changes nothing.
        let kept = feed.acknowledge(AcknowledgeRequest { subscription: "books".into(), cursor: cursors[0].clone() }).await.unwrap();
        assert_eq!(kept.into_inner().cursor, cursors[2]);
        // A newer reader ends the older one.
        let mut second = feed.subscribe(named.clone()).await.unwrap().into_inner();
        let ended = loop {
            match first.next().await.unwrap() {
                Ok(checkpoint) => assert!(checkpoint.event.is_none()),
                Err(status) => break status,
            }
        };
        assert_eq!(reason(&ended), "SUBSCRIPTION_TAKEN");
        assert_eq!(second.next().await.unwrap().unwrap().cursor, cursors[3]);
        drop((first, second));

        bench.restart().await;
        let mut feed = FeedServiceClient::new(bench.as_(&service, "operations"));
        let mut third = feed.subscribe(named).await.unwrap().into_inner();
        assert_eq!(third.next().await.unwrap().unwrap().cursor, cursors[3]);

        for (cursor, why) in [("nonsense", "CURSOR_INVALID"), ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "CURSOR_INVALID")] {
            let wanted = SubscribeRequest { cursor: cursor.into(), ..Default::default() };
            assert_eq!(reason(&feed.subscribe(wanted).await.unwrap_err()), why);
        }
    }

    /// P5
    async fn a_subscription_has_a_plain_name_and_an_organisation_a_bounded_number(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let mut feed = FeedServiceClient::new(bench.as_(&actor(Role::Income, "sociale-dienst"), "income"));
        let status = FeedServiceClient::new(bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "operations"))
            .get_status(GetStatusRequest {}).await.unwrap().into_inner();
        let acknowledge = |subscription: &str| {
            AcknowledgeRequest { subscription: subscription.into(), cursor: status.head_cursor.clone() }
        };
        for name in ["", "two words", "regel\n", "é", &"x".repeat(65), &"x".repeat(500_000)] {
            let refused = feed.acknowledge(acknowledge(name)).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused)), (Code::InvalidArgument, "MALFORMED".to_owned()));
            if !name.is_empty() {
                let wanted = SubscribeRequest { subscription: name.into(), ..Default::default() };
                assert_eq!(reason(&feed.subscribe(wanted).await.unwrap_err()), "MALFORMED");
            }
        }
        for n in 0..32 {
            feed.acknowledge(acknowledge(&format!("Post_{n}.{}", "x".repeat(50)))).await.unwrap();
        }
        let refused = feed.acknowledge(acknowledge("one-more")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS".to_owned()));
        // Those that there are go on, and another organisation has its own.
        feed.acknowledge(acknowledge(&format!("Post_0.{}", "x".repeat(50)))).await.unwrap();
        let mut other = FeedServiceClient::new(bench.as_(&actor(Role::Income, "ferm-werk"), "income"));
        other.acknowledge(acknowledge("one-more")).await.unwrap();
        let about = SubscribeRequest { client_id: "nobody".into(), ..Default::default() };
        assert_eq!(reason(&other.subscribe(about).await.unwrap_err()), "MALFORMED");
    }

    /// P8
    async fn a_right_that_ends_waits_for_what_services_take_in_and_for_nothing_else_that_they_read(
        bench: Bench<Counter> = Counter
    ) {
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let mut feed = FeedServiceClient::new(bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "operations"));
        let mut acknowledge = async |subscription: &str| {
            let cursor = feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().head_cursor;
            feed.acknowledge(AcknowledgeRequest { subscription: subscription.into(), cursor }).await.unwrap();
        };
        for beside in ["books", "monitor.part"] {
            acknowledge(beside).await;
        }
        chassis.revocation(stabilise(&rid(), client('a')), count).await.unwrap();
        acknowledge("monitor").await;
        let unconfirmed = chassis.revocation(stabilise(&rid(), client('a')), count).await.unwrap_err();
        assert_eq!(reason(&unconfirmed), "NOT_CONFIRMED");
    }

    /// P5: what it did not ask for it is not told, and no chain waits for it.
    async fn a_service_that_asks_for_some_events_hears_at_once_how_far_the_feed_is(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let mut feed = FeedServiceClient::new(bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "operations"));
        let types = vec!["nl.doorstroom.income.benefit-decided".to_owned()];
        let mut stream = feed.subscribe(SubscribeRequest { types, ..Default::default() }).await.unwrap().into_inner();
        for _ in 0..3 {
            call(&chassis, &rid(), client('a')).await.unwrap();
            let head = feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().head_cursor;
            // Well before a quiet stream would be told.
            let told = tokio::time::timeout(Duration::from_secs(5), async {
                loop {
                    let next = stream.next().await.unwrap().unwrap();
                    assert!(next.event.is_none());
                    if next.cursor == head {
                        break;
                    }
                }
            });
            told.await.unwrap();
        }
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

    /// R-REG-19
    async fn the_log_is_one_chain_whatever_races_and_rolls_back(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let before = checkpoint(&bench).await.1.position;
        let racing: Vec<_> = (0..120).map(|n| {
            let chassis = chassis.clone();
            let about = client(if n % 3 == 0 { 'f' } else { 'a' });
            tokio::spawn(async move {
                if n % 10 == 0 {
                    chassis.store.link().await.unwrap();
                }
                call(&chassis, &rid(), about).await.is_ok()
            })
        }).collect();
        for one in racing {
            one.await.unwrap();
        }
        let (signed, link) = checkpoint(&bench).await;
        // Each command left one entry, the refused ones too; settling and asking for a checkpoint leave none.
        assert_eq!(link.position, before + 120);
        assert_eq!((signed.service.as_str(), signed.epoch), ("income", chassis.store.epoch()));
        let walked = store::verify(bench.database(), &[link]).await.unwrap().unwrap();
        assert_eq!((walked.entries, walked.linked, walked.signed, walked.unplaced), (before + 120, before + 120, before + 120, 0));
        let other = Link { hash: [1; 32], ..link };
        assert!(store::verify(bench.database(), &[other]).await.unwrap().is_err());
        let beyond = Link { position: link.position + 1, ..link };
        assert!(store::verify(bench.database(), &[beyond]).await.unwrap().is_err());
    }

    /// R-REG-19
    async fn the_log_is_linked_without_being_asked_and_goes_on_after_a_restart(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let patience = tokio::time::Instant::now();
        while store::verify(bench.database(), &[]).await.unwrap().unwrap().linked == 0 {
            assert!(patience.elapsed().as_secs() < 30, "nobody links the log");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let first = checkpoint(&bench).await.1;
        call(&chassis, &rid(), client('a')).await.unwrap();
        drop(chassis);
        bench.restart().await;
        // What was logged last was linked as the service stopped.
        let walked = store::verify(bench.database(), &[first]).await.unwrap().unwrap();
        assert_eq!((walked.entries, walked.linked), (first.position + 1, first.position + 1));
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('f')).await.unwrap_err();
        let last = checkpoint(&bench).await.1;
        let walked = store::verify(bench.database(), &[first, last]).await.unwrap().unwrap();
        assert_eq!((walked.entries, walked.signed), (first.position + 2, last.position));
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

    /// R-REG-19
    async fn what_was_logged_before_a_kill_is_linked_after_it(bench: Bench<Counter> = Counter) {
        let engine = if chassis_of(&bench).await.store.engine() == "sqlite" { Engine::Sqlite } else { Engine::Postgres };
        let database = Database::create(engine).unwrap();
        let open = || async { Store::open("income", &database.url, &database.sealing(), &[]).await.unwrap() };
        let killed = open().await;
        look(&killed).await;
        let signed = killed.link().await.unwrap();
        // Committed, and neither stamped nor linked: what a kill leaves.
        look(&killed).await;
        look(&killed).await;
        let walked = store::verify(&database.url, &[signed]).await.unwrap().unwrap();
        assert_eq!((walked.linked, walked.entries + walked.unplaced), (1, 3));
        drop(killed);

        let again = open().await;
        look(&again).await;
        assert_eq!(again.link().await.unwrap().position, 4);
        let walked = store::verify(&database.url, &[signed]).await.unwrap().unwrap();
        assert_eq!((walked.linked, walked.unplaced), (4, 0));
    }

    /// R-REG-19
    async fn the_database_refuses_to_change_what_was_logged(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let signed = checkpoint(&bench).await.1;
        for sql in [
            "update access_log set access_id = 'x'",
            "update access_log set occurred_at = 0",
            "update access_log set client_id = null",
            "update access_log set subject = 'x'",
            "update access_log set organisation = 'x'",
            "update access_log set roles = 'x'",
            "update access_log set on_behalf_of = 'x'",
            "update access_log set rpc = 'x'",
            "update access_log set purpose = 'x'",
            "update access_log set legal_ground = 'x'",
            "update access_log set categories = 'x'",
            "update access_log set request_id = 'x'",
            "update access_log set trace_id = 'x'",
            "update access_log set result = 'x'",
            "update access_log set position = position + 1",
            "delete from access_log",
            "update access_link set hash = hash",
            "update access_link set position = position + 1",
            "delete from access_link",
        ] {
            let error = by_hand(&chassis, sql).await.expect_err(sql).to_string();
            assert!(error.contains("append-only"), "{sql}: {error}");
        }
        if chassis.store.engine() == "sqlite" {
            let replace = "insert or replace into access_log select * from access_log";
            assert!(by_hand(&chassis, replace).await.expect_err(replace).to_string().contains("append-only"));
        } else {
            for sql in ["truncate access_log", "truncate access_link"] {
                assert!(by_hand(&chassis, sql).await.expect_err(sql).to_string().contains("append-only"));
            }
        }
        assert!(store::verify(bench.database(), &[signed]).await.unwrap().is_ok());
    }

    /// R-REG-19
    async fn an_entry_says_what_could_be_seen_and_on_what_ground(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let about = client('a');
        // As if it had been a look at the finances.
        let mut look = stabilise(&rid(), about);
        let caller = Caller { rpc: "IncomeService/GetFinancesStatus".into(), ..Caller::clone(look.extensions().get::<Arc<Caller>>().unwrap()) };
        look.extensions_mut().insert(Arc::new(caller));
        chassis.command(look, count).await.unwrap();
        let mut own = AuditServiceClient::new(bench.as_(&testkit::client_actor(about), "own-file"));
        let wanted = ListAccessRequest { client_id: about.to_string(), ..Default::default() };
        let entry = own.list_access(wanted.clone()).await.unwrap().into_inner().entries.remove(0);
        let seen = vec![DataCategory::Income, DataCategory::Debt, DataCategory::Guarantee];
        assert_eq!((entry.legal_ground.as_str(), entry.categories().collect::<Vec<_>>()), ("public_task", seen));
        let entry = own.list_access(wanted).await.unwrap().into_inner().entries.remove(0);
        assert_eq!((entry.legal_ground.as_str(), entry.categories().collect::<Vec<_>>()), ("legal_duty", vec![DataCategory::AccessLog]));
        let kept = chassis.store.read().await.unwrap().rows("select distinct trace_id from access_log", vec![]).await.unwrap();
        assert!(kept.len() >= 2 && kept.iter().all(|row| row.get::<String>("trace_id").unwrap().len() == 32));
    }

    /// P8, R-REG-19
    async fn a_checkpoint_is_for_who_watches_over_the_log(bench: Bench<Counter> = Counter) {
        let ask = async |client: testkit::Client| AuditServiceClient::new(client).get_checkpoint(GetCheckpointRequest {}).await;
        assert_eq!(ask(bench.as_(&actor(Role::Regie, "gemeente-dordrecht"), "audit")).await.unwrap().into_inner().position, 0);
        let refused = ask(bench.as_(&actor(Role::Caseholder, "gemeente-dordrecht"), "audit")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned()));
        let given = checkpoint(&bench).await.0;
        assert_eq!((given.position, given.at.as_str()), (1, "2026-03-02T08:00:00Z"));
        // What it gives is no token.
        let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
        let mut audit = AuditServiceClient::new(bench.as_(&officer, "audit"));
        let token = audit.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner().checkpoint;
        let refused = ask(bench.with_token(&token, "audit")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::Unauthenticated, "TOKEN_INVALID".to_owned()));
    }

    /// R-REG-13: what is tried with a token is refused over the wire, and is in the access log before the answer leaves.
    async fn a_hostile_token_is_refused_and_in_the_access_log(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        chassis_of(&bench).await;
        let world = World::new();
        bench.restart_trusting(world.verifier()).await;
        let ask = async |token: &str| {
            let client = bench.with_token(token, "operations");
            FeedServiceClient::new(client).get_status(GetStatusRequest {}).await
        };
        let service = actor(Role::SvcMonitor, "svc-monitor");
        let good = world.services.issue(&service, Duration::from_secs(600));
        ask(&good).await.unwrap();
        let landlord = actor(Role::Corporation, "trivire");
        let life = Duration::from_secs(600);
        let forged = Issuer::from_pem(world.services.name(), &world.regie.to_pem()).unwrap().meant_for("prod").issue(&service, life);
        let (head, rest) = good.split_once('.').unwrap();
        let none = encode(r#"{"alg":"none","typ":"JWT"}"#);
        let own_key = encode(&format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"x","jwk":{}}}"#, testkit::issuer().jwks()));
        let hostile = [
            (world.landlord.issue(&service, life), "organisation"),
            // One service in the name of another, with its own key: by its own name and by the other's.
            (world.regie.issue(&service, life), "organisation"),
            (world.services.issue(&actor(Role::SvcRegie, "svc-regie"), life), "organisation"),
            (forged, "key"),
            (world.landlord.issue(&actor(Role::Regie, "trivire"), life), "role"),
            (world.landlord.issue(&actor(Role::Regie, "gemeente-dordrecht"), life), "organisation"),
            (world.services.issue(&landlord, life), "organisation"),
            (world.services.issue(&service, Duration::from_secs(7200)), "longer"),
            (world.services.issue_at(&service, life, SystemTime::now() - life), "expired"),
            (world.services.issue_at(&service, life, SystemTime::now() + life), "future"),
            (testkit::issuer().issue(&service, life), "issuer"),
            (format!("{none}.{}", rest.split_once('.').unwrap().0) + ".", "algorithm"),
            (format!("{own_key}.{rest}"), "its own key"),
            (format!("{head}.{rest}="), "JWT"),
            (format!("{}{}", &good[..good.len() - 8], "AAAAAAAA"), "signature"),
            ("x".repeat(9000), "too long"),
        ];
        for (token, word) in &hostile {
            let status = ask(token).await.unwrap_err();
            assert_eq!((status.code(), reason(&status)), (Code::Unauthenticated, "TOKEN_INVALID".to_owned()), "{word}");
            assert!(status.message().contains(word), "{word}: {}", status.message());
            assert!(!status.message().contains(token));
        }
        let line = tonic::transport::Endpoint::from_shared(bench.endpoint().to_owned()).unwrap().connect_lazy();
        let none = FeedServiceClient::new(line).get_status(GetStatusRequest {}).await;
        assert_eq!(reason(&none.unwrap_err()), "TOKEN_MISSING");
        assert_eq!(logged(&bench, "TOKEN_INVALID").await, vec!["unknown".to_owned(); hostile.len()]);
        assert_eq!(logged(&bench, "TOKEN_MISSING").await, ["unknown"]);
    }

    /// R-REG-13: what was opened with a token lasts no longer than the token.
    async fn an_open_stream_ends_when_its_token_expires(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let service = actor(Role::SvcMonitor, "svc-monitor");
        // Long enough to open a stream on a busy machine.
        let token = testkit::issuer().issue(&service, Duration::from_secs(5));
        let subscribe = async |token: &str| {
            let mut feed = FeedServiceClient::new(bench.with_token(token, "operations"));
            feed.subscribe(SubscribeRequest::default()).await.map(|stream| stream.into_inner())
        };
        let longer = testkit::issuer().issue(&service, Duration::from_secs(600));
        let (mut open, mut stays) = (subscribe(&token).await.unwrap(), subscribe(&longer).await.unwrap());
        assert!(open.next().await.unwrap().unwrap().event.is_none());
        assert!(stays.next().await.unwrap().unwrap().event.is_none());
        call(&chassis, &rid(), client('a')).await.unwrap();
        assert!(open.next().await.unwrap().unwrap().event.is_some(), "until then it goes on");
        let ended = tokio::time::timeout(Duration::from_secs(30), open.next()).await.expect("it ends with its token");
        let ended = ended.unwrap().unwrap_err();
        assert_eq!((ended.code(), reason(&ended)), (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned()));
        assert!(open.next().await.is_none());
        assert_eq!(reason(&subscribe(&token).await.unwrap_err()), "TOKEN_INVALID");
        assert!(stays.next().await.unwrap().unwrap().event.is_some());
        call(&chassis, &rid(), client('a')).await.unwrap();
        assert!(stays.next().await.unwrap().unwrap().event.is_some(), "others go on");
    }

    /// R-REG-13: a token that is withdrawn ends what it opened within a second, and opens nothing more.
    async fn an_open_stream_ends_within_a_second_of_the_withdrawal(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let chassis = chassis_of(&bench).await;
        for _ in 0..300 {
            call(&chassis, &rid(), client('a')).await.unwrap();
        }
        drop(chassis);
        let world = World::new();
        let list = world.folder.path().join("revoked.toml");
        std::fs::write(&list, "").unwrap();
        bench.restart_trusting(world.verifier().except(Revocations::from_file(&list).unwrap())).await;
        let token = |name: &str| {
            let organisation = kernel::Organisation::parse("org", name).unwrap();
            let role = Role::from_key(&name.replace('-', "_")).unwrap();
            let issuer = if role == Role::SvcRegie { &world.regie } else { &world.services };
            issuer.issue(&kernel::Actor { organisation, ..actor(role, name) }, Duration::from_secs(600))
        };
        let subscribe = async |token: &str| {
            let mut feed = FeedServiceClient::new(bench.with_token(token, "operations"));
            feed.subscribe(SubscribeRequest::default()).await.map(|stream| stream.into_inner())
        };
        let (withdrawn, other) = (token("svc-monitor"), token("svc-regie"));
        let (mut open, mut stays) = (subscribe(&withdrawn).await.unwrap(), subscribe(&other).await.unwrap());
        while open.next().await.unwrap().unwrap().event.is_some() {}
        while stays.next().await.unwrap().unwrap().event.is_some() {}

        let entry = "[[revoked]]\nissuer = 'https://services.example.nl/monitor'\nsubject = 'svc_monitor@svc-monitor'\nat = 2099-01-01T00:00:00Z\n";
        std::fs::write(&list, entry).unwrap();
        let refused = subscribe(&withdrawn).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
        let ended = tokio::time::timeout(Duration::from_secs(1), open.next()).await.expect("it ends within a second");
        let ended = ended.unwrap().unwrap_err();
        assert_eq!((ended.code(), reason(&ended)), (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
        assert!(tokio::time::timeout(Duration::from_millis(500), stays.next()).await.is_err(), "others go on");
        // The call and the stream, both by name.
        assert_eq!(logged(&bench, "TOKEN_REVOKED").await, ["svc_monitor@svc-monitor", "svc_monitor@svc-monitor"]);
    }
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

testkit::on_both_engines! {
    /// P5: nothing is lost or waits when the token of a service expires.
    async fn a_service_follows_on_with_a_fresh_token(bench: Bench<Follower> = Follower) {
        let (peer, event) = (bench.peer("income"), FinancesStabilised::default());
        peer.publish(None, DAY, &event).await;
        for _ in 0..3 {
            peer.expire().await;
            peer.publish(None, DAY, &event).await;
        }
    }
}

/// The services and a landlord, each with an issuer of its own.
struct World {
    folder: tempfile::TempDir,
    services: Issuer,
    regie: Issuer,
    landlord: Issuer,
}

impl World {
    fn new() -> Self {
        let issuer = |name: &str| Issuer::generate(name).unwrap().meant_for("prod");
        let (services, regie) =
            (issuer("https://services.example.nl/monitor"), issuer("https://services.example.nl/regie"));
        Self { folder: tempfile::tempdir().unwrap(), services, regie, landlord: issuer("https://id.trivire.example") }
    }

    fn verifier(&self) -> Verifier {
        let write = |name: &str, issuer: &Issuer| std::fs::write(self.folder.path().join(name), issuer.jwks()).unwrap();
        write("services.json", &self.services);
        write("regie.json", &self.regie);
        write("landlord.json", &self.landlord);
        let text = r#"
            audience = "prod"
            [services]
            name = "https://services.example.nl"
            keys = { monitor = { file = "services.json" }, regie = { file = "regie.json" } }
            [[issuer]]
            name = "https://id.trivire.example"
            keys = { file = "landlord.json" }
            algorithms = ["EdDSA"]
            token_types = ["JWT"]
            max_minutes = 60
            roles_claim = "roles"
            organisation_claim = "org"
            organisation = [{ code = "trivire", roles = ["corporation"] }]
        "#;
        Verifier::trusting(Trusted::from_toml(text, self.folder.path()).unwrap().issuers).unwrap()
    }
}

fn encode(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
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
