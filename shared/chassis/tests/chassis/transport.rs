//! TLS, client certificates, and tokens that are bound to them.

use super::{Counter, Follower, call, client, count, logged, stabilise, started};
use auth::{Issuer, Thumbprint, Trusted, Verifier};
use chassis::{Clients, Limits, Pair, Setup, Tls, Transport};
use kernel::Role;
use proto::audit::v1::GetCheckpointRequest;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::{GetStatusRequest, GetStatusResponse, SubscribeRequest};
use proto::income::v1::{StabiliseFinancesRequest, StabiliseFinancesResponse};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use testkit::{Authority, Bench, Shown, StatusExt as _, actor, reason, rid};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_stream::StreamExt as _;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// An authority for the services and one for partners, with a service between them.
struct Towns {
    folder: tempfile::TempDir,
    services: Authority,
    partners: Authority,
}

impl Towns {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), services: Authority::new(), partners: Authority::new() }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn transport(&self, required: bool) -> Transport {
        let pair = self.services.issue("income").write(self.folder(), "income");
        let clients = Clients { authorities: self.partners.write(self.folder(), "partners.pem"), required };
        Transport { tls: Tls::from_files(Some(&pair), Some(&clients), None).unwrap(), ..Transport::default() }
    }

    /// A connection of its own, with that certificate.
    fn connect(&self, bench: &Bench<Counter>, shown: Option<&Shown>) -> Channel {
        Endpoint::from_shared(over_tls(bench)).unwrap().tls_config(self.services.client(shown)).unwrap().connect_lazy()
    }
}

fn signed<M>(message: M, token: &str) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request.metadata_mut().insert(auth::PURPOSE_HEADER, "operations".parse().unwrap());
    request
}

fn token() -> String {
    testkit::issuer().issue(&actor(Role::SvcMonitor, "svc-monitor"), Duration::from_secs(600))
}

async fn ask(channel: Channel, token: &str) -> Result<GetStatusResponse, Status> {
    let answer = FeedServiceClient::new(channel).get_status(signed(GetStatusRequest {}, token)).await;
    answer.map(tonic::Response::into_inner)
}

/// The connection itself was refused: the call never came to the service.
fn turned_away(status: &Status) {
    let transport = std::error::Error::source(status).is_some_and(|source| source.is::<tonic::transport::Error>());
    assert!(transport && proto::reason(status).is_none(), "{status:?}");
}

testkit::on_both_engines! {
    /// R-REG-13
    async fn a_caller_without_a_certificate_of_a_trusted_authority_is_turned_away(bench: Bench<Counter> = Counter) {
        let (mut bench, towns) = (bench, Towns::new());
        bench.restart_over(towns.transport(true)).await;
        let partner = towns.partners.issue("trivire");
        ask(towns.connect(&bench, Some(&partner)), &token()).await.unwrap();

        let stranger = Authority::new().issue("trivire");
        let expired = towns.partners.issue_until("trivire", 2020);
        for shown in [None, Some(&stranger), Some(&expired)] {
            let refused = ask(towns.connect(&bench, shown), &token()).await.unwrap_err();
            turned_away(&refused);
        }
        let plain = Endpoint::from_shared(bench.endpoint().to_owned()).unwrap().connect_lazy();
        turned_away(&ask(plain, &token()).await.unwrap_err());
        // The caller, too, wants to know whom it talks to.
        let other = Endpoint::from_shared(over_tls(&bench)).unwrap().tls_config(Authority::new().client(Some(&partner))).unwrap();
        turned_away(&ask(other.connect_lazy(), &token()).await.unwrap_err());
    }

    /// R-REG-13: from the moment that the list is there, without a restart; who is on none goes on.
    async fn a_certificate_that_its_authority_revoked_is_turned_away(bench: Bench<Counter> = Counter) {
        let (mut bench, towns) = (bench, Towns::new());
        let transport = towns.transport(false);
        bench.restart_over(transport).await;
        let [lost, kept] = ["trivire", "woonbron"].map(|name| towns.partners.issue(name));
        ask(towns.connect(&bench, Some(&lost)), &token()).await.unwrap();
        let (file, other) = (towns.folder().join("partners.pem"), Authority::new());
        let listed = [towns.partners.pem(), other.pem(), towns.partners.revokes(&[&lost])].concat();
        std::fs::write(&file, &listed).unwrap();
        turned_away(&ask(towns.connect(&bench, Some(&lost)), &token()).await.unwrap_err());
        // Also one whose authority keeps no list, and nobody by a list of another authority's.
        for shown in [&kept, &other.issue("trivire")] {
            ask(towns.connect(&bench, Some(shown)), &token()).await.unwrap();
        }
        std::fs::write(&file, [towns.partners.pem(), other.revokes(&[&lost])].concat()).unwrap();
        ask(towns.connect(&bench, Some(&lost)), &token()).await.unwrap();
        // What is no list changes nothing.
        std::fs::write(&file, &listed).unwrap();
        turned_away(&ask(towns.connect(&bench, Some(&lost)), &token()).await.unwrap_err());
        let broken = "-----BEGIN X509 CRL-----\nbm8gbGlzdA==\n-----END X509 CRL-----\n";
        std::fs::write(&file, [towns.partners.pem(), broken.to_owned()].concat()).unwrap();
        turned_away(&ask(towns.connect(&bench, Some(&lost)), &token()).await.unwrap_err());
        ask(towns.connect(&bench, Some(&kept)), &token()).await.unwrap();
    }

    /// R-REG-13
    async fn where_certificates_are_optional_a_wrong_one_is_still_turned_away(bench: Bench<Counter> = Counter) {
        let (mut bench, towns) = (bench, Towns::new());
        bench.restart_over(towns.transport(false)).await;
        ask(towns.connect(&bench, None), &token()).await.unwrap();
        ask(towns.connect(&bench, Some(&towns.partners.issue("trivire"))), &token()).await.unwrap();
        let stranger = Authority::new().issue("trivire");
        turned_away(&ask(towns.connect(&bench, Some(&stranger)), &token()).await.unwrap_err());
    }

    async fn a_new_certificate_is_shown_without_a_restart_and_what_is_open_goes_on(bench: Bench<Counter> = Counter) {
        let (mut bench, towns) = (bench, Towns::new());
        bench.restart_over(towns.transport(true)).await;
        let partner = towns.partners.issue("trivire");
        let old = towns.connect(&bench, Some(&partner));
        let wanted = signed(SubscribeRequest::default(), &token());
        let mut open = FeedServiceClient::new(old.clone()).subscribe(wanted).await.unwrap().into_inner();
        assert!(open.next().await.unwrap().unwrap().event.is_none(), "everything that there is");

        // Another authority on both sides: nobody who trusts only the old ones gets in any more.
        let later = Towns::new();
        later.services.issue("income").write(towns.folder(), "income");
        later.partners.write(towns.folder(), "partners.pem");
        let fresh = later.connect(&bench, Some(&later.partners.issue("trivire")));
        ask(fresh, &token()).await.unwrap();
        turned_away(&ask(towns.connect(&bench, Some(&partner)), &token()).await.unwrap_err());

        call(&started(&bench), &rid(), client('a')).await.unwrap();
        assert!(open.next().await.unwrap().unwrap().event.is_some(), "the open stream goes on");
        ask(old, &token()).await.unwrap();
    }

    /// A pair that does not belong together keeps a service from starting, and later leaves things as they were.
    async fn a_certificate_without_its_key_changes_nothing(bench: Bench<Counter> = Counter) {
        let (mut bench, towns) = (bench, Towns::new());
        bench.restart_over(towns.transport(false)).await;
        std::fs::write(towns.folder().join("income.key"), towns.services.issue("income").key).unwrap();
        ask(towns.connect(&bench, None), &token()).await.unwrap();
        std::fs::write(towns.folder().join("income.pem"), "nonsense").unwrap();
        ask(towns.connect(&bench, None), &token()).await.unwrap();
        let pair = Pair { certificate: towns.folder().join("income.pem"), key: towns.folder().join("income.key") };
        let why = Tls::from_files(Some(&pair), None, None).err().unwrap();
        assert!(why.contains("no certificate in the file"), "{why}");
        std::fs::write(&pair.certificate, towns.services.issue("income").certificate).unwrap();
        let why = Tls::from_files(Some(&pair), None, None).err().unwrap();
        assert!(why.contains("the certificate and its key"), "{why}");
    }

    /// R-REG-13, RFC 8705: a token that somebody else got hold of is worth nothing without the key of the certificate.
    async fn a_bound_token_counts_only_over_a_connection_with_its_certificate(bench: Bench<Counter> = Counter) {
        let (mut bench, towns) = (bench, Towns::new());
        bench.restart_over(towns.transport(false)).await;
        let (own, other) = (towns.partners.issue("trivire"), towns.partners.issue("woonbron"));
        let bound = |thumbprint: Thumbprint| {
            let (service, life) = (actor(Role::SvcMonitor, "svc-monitor"), Duration::from_secs(600));
            testkit::issuer().issue_bound(&service, life, SystemTime::now(), Some(thumbprint))
        };
        let token = bound(own.thumbprint);
        ask(towns.connect(&bench, Some(&own)), &token).await.unwrap();
        for shown in [Some(&other), None] {
            // Again after it was good, and so is remembered.
            let refused = ask(towns.connect(&bench, shown), &token).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused)), (Code::Unauthenticated, "TOKEN_BOUND".to_owned()));
            assert!(refused.message().contains("certificate"));
        }
        ask(towns.connect(&bench, Some(&own)), &token).await.unwrap();
        let unseen = ask(towns.connect(&bench, Some(&own)), &bound(other.thumbprint)).await.unwrap_err();
        assert_eq!(reason(&unseen), "TOKEN_BOUND");
        let stream = FeedServiceClient::new(towns.connect(&bench, Some(&other)))
            .subscribe(signed(SubscribeRequest::default(), &token))
            .await;
        assert_eq!(reason(&stream.unwrap_err()), "TOKEN_BOUND");
        // Whose token it was is known: it is real.
        assert_eq!(logged(&bench, "TOKEN_BOUND").await, vec!["svc_monitor@svc-monitor"; 4]);
    }

    /// One organisation cannot take what the others need, and hears when it may try again.
    async fn an_organisation_that_calls_too_often_hears_when_to_try_again(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let limits = Limits::parse("calls_per_second=1 burst=3 streams_per_organisation=2").unwrap();
        bench.restart_over(Transport { limits, ..Transport::default() }).await;
        let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
        let ask = async |who: &kernel::Actor| {
            AuditServiceClient::new(bench.as_(who, "audit")).get_checkpoint(GetCheckpointRequest {}).await
        };
        for _ in 0..3 {
            ask(&officer).await.unwrap();
        }
        let refused = ask(&officer).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::ResourceExhausted, "TOO_MANY_CALLS".to_owned()));
        let retry = refused.get_error_details().retry_info().unwrap().retry_delay.unwrap();
        assert!(retry <= Duration::from_secs(1) && !retry.is_zero(), "{retry:?}");
        ask(&actor(Role::PrivacyOfficer, "gemeente-zwijndrecht")).await.unwrap();
        tokio::time::sleep(retry).await;
        ask(&officer).await.unwrap();

        // The services themselves are not counted by the second; their streams are.
        let subscribe = async || {
            let mut feed = FeedServiceClient::new(bench.with_token(&token(), "operations"));
            feed.subscribe(SubscribeRequest::default()).await.map(tonic::Response::into_inner)
        };
        for _ in 0..5 {
            bench.settled().await;
        }
        let (first, second) = (subscribe().await.unwrap(), subscribe().await.unwrap());
        let refused = subscribe().await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::ResourceExhausted, "TOO_MANY_STREAMS".to_owned()));
        drop(first);
        let patience = tokio::time::Instant::now();
        while subscribe().await.is_err() {
            assert!(patience.elapsed() < Duration::from_secs(5), "an ended stream gives its place away");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(second);
    }

    async fn headers_beyond_the_limit_are_refused(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let limits = Limits::parse("header_bytes=4096").unwrap();
        bench.restart_over(Transport { limits, ..Transport::default() }).await;
        bench.settled().await;
        let mut request = signed(GetStatusRequest {}, &token());
        request.metadata_mut().insert("x-much", "x".repeat(5000).parse().unwrap());
        let channel = Endpoint::from_shared(bench.endpoint().to_owned()).unwrap().connect_lazy();
        let mut feed = FeedServiceClient::new(channel);
        assert!(feed.get_status(request).await.is_err());
        feed.get_status(signed(GetStatusRequest {}, &token())).await.unwrap();
    }

    /// P3
    async fn a_command_whose_caller_no_longer_waits_is_not_begun(bench: Bench<Counter> = Counter) {
        bench.settled().await;
        let counter = started(&bench);
        let (about, id) = (client('a'), rid());
        let late = |timeout: &'static str| {
            let (counter, id) = (counter.clone(), id.clone());
            async move {
                let request = until(stabilise(&id, about), timeout);
                counter.command(request, count).await.map(|answer| answer.into_inner().version)
            }
        };
        let refused = late("0m").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::DeadlineExceeded, "DEADLINE_PASSED".to_owned()));
        assert!(bench.events().await.is_empty());
        assert_eq!(logged(&bench, "DEADLINE_PASSED").await, ["income@sociale-dienst"]);
        // The same call with time enough has its one effect.
        assert_eq!(late("1M").await.unwrap(), 1);
        assert_eq!(bench.events().await.len(), 1);
    }

    /// P3: what runs in the database is cut off when the caller no longer waits. Nothing of it stays, it is in the log, and who
    /// was before or after it has the one effect.
    async fn a_statement_that_outlasts_its_caller_is_cut_off_and_leaves_nothing(bench: Bench<Counter> = Counter) {
        bench.settled().await;
        let counter = started(&bench);
        let clients: Vec<_> = (0..8).map(|_| client('a')).collect();
        let call_in_vain = |first: char, run: Slow| {
            let (counter, request) = (counter.clone(), until(stabilise(&rid(), client(first)), "300m"));
            tokio::spawn(async move { counter.command(request, run).await.map(drop) })
        };
        let in_vain = [call_in_vain('b', slow), call_in_vain('c', slow)];
        let beside: Vec<_> = clients.iter().map(|client| {
            let (counter, client) = (counter.clone(), *client);
            tokio::spawn(async move { call(&counter, &rid(), client).await })
        }).collect();
        for one in in_vain {
            let refused = one.await.unwrap().unwrap_err();
            assert_eq!((refused.code(), reason(&refused)), (Code::DeadlineExceeded, "DEADLINE_PASSED".to_owned()));
        }
        for one in beside {
            assert_eq!(one.await.unwrap().unwrap(), 1, "once, also of who was undone along with it");
        }
        assert_eq!(bench.events().await.len(), clients.len());
        let looked = counter.query(until(stabilise(&rid(), client('d')), "300m"), |work, _| Box::pin(endless(work))).await;
        assert_eq!(reason(&looked.unwrap_err()), "DEADLINE_PASSED");
        assert_eq!(logged(&bench, "DEADLINE_PASSED").await.len(), 3);
        let rows = "select (select count(*) from counter) as counted, (select count(*) from woken) as woken";
        let row = counter.store.read().await.unwrap().row(rows, chassis::args![]).await.unwrap().unwrap();
        assert_eq!([row.get::<i64>("counted").unwrap(), row.get("woken").unwrap()], [8, 0]);
    }

    /// A fault of ours in one call is an answer to that call, and nothing to the others.
    async fn a_panic_never_crosses_a_call(bench: Bench<Counter> = Counter) {
        bench.settled().await;
        let counter = started(&bench);
        let status = counter.command(stabilise(&rid(), client('a')), mistake).await.unwrap_err();
        assert_eq!((status.code(), reason(&status)), (Code::Internal, "OUR_FAULT".to_owned()));
        assert!(!status.message().contains("a mistake of ours"));
        assert_eq!(call(&counter, &rid(), client('a')).await.unwrap(), 1);
    }

    /// R-REG-13: services know each other by certificate and by tokens that are bound to it; both are renewed while they run.
    async fn services_follow_each_other_over_mutual_tls_and_renew_while_they_run(bench: Bench<Counter> = Counter) {
        let (mut bench, towns) = (bench, Towns::new());
        let world = Services::new(&towns);
        bench.restart_trusting(world.verifier()).await;
        bench.restart_over(world.transport("income")).await;
        let token = world.monitor.issue_bound(&service("monitor"), LIFE, SystemTime::now(), Some(world.own("monitor").thumbprint));
        ask(world.connect(&bench, "monitor"), &token).await.unwrap();
        let counter = started(&bench);

        let setup = Setup {
            database: format!("sqlite:{}", towns.folder().join("monitor.sqlite").display()),
            sealing: store::Sealing::new(
                store::SealingKey::from_bytes([42; 32]),
                format!("sqlite:{}", towns.folder().join("monitor.keys.db").display()),
            ),
            verifier: Arc::new(world.verifier()),
            tokens: Arc::new(Issuer::from_pem(world.monitor.name(), &world.monitor.to_pem()).unwrap().meant_for("prod").binding(true)),
            peers: BTreeMap::from([("income".to_owned(), Endpoint::from_shared(over_tls(&bench)).unwrap())]),
            clock: bench.clock.clone(),
            reflection: false,
            transport: world.transport("monitor"),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let follower = tokio::spawn(chassis::serve(Arc::new(Follower), setup, listener, Box::pin(async { drop(stopped.await) })));
        call(&counter, &rid(), client('a')).await.unwrap();
        taken_in(&counter, 1).await;

        // Everything is renewed, the authority too; then the connection breaks.
        let later = Towns::new();
        later.services.write(towns.folder(), "authority.pem");
        for name in ["income", "monitor"] {
            later.services.issue(name).write(towns.folder(), name);
        }
        drop(counter);
        bench.restart().await;
        let renewed = later.services.issue("monitor");
        let token = world.monitor.issue_bound(&service("monitor"), LIFE, SystemTime::now(), Some(renewed.thumbprint));
        ask(later.connect(&bench, Some(&renewed)), &token).await.unwrap();
        let counter = started(&bench);
        call(&counter, &rid(), client('a')).await.unwrap();
        taken_in(&counter, 2).await;
        stop.send(()).unwrap();
        follower.await.unwrap().unwrap();
    }
}

const LIFE: Duration = Duration::from_secs(600);

fn service(name: &str) -> kernel::Actor {
    actor(Role::from_key(&format!("svc_{name}")).unwrap(), &format!("svc-{name}"))
}

fn over_tls(bench: &Bench<Counter>) -> String {
    bench.endpoint().replace("http://127.0.0.1", "https://localhost")
}

/// Waits until the service that follows has taken in everything up to a position.
async fn taken_in(counter: &chassis::Chassis, position: i64) {
    let patience = tokio::time::Instant::now();
    loop {
        let state = counter.store.read().await.unwrap().feed_state().await.unwrap();
        if state.subscriptions.iter().any(|one| one.name == "monitor" && one.acknowledged == position) {
            return;
        }
        assert!(patience.elapsed() < Duration::from_secs(20), "nothing was taken in: {:?}", state.subscriptions);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two services, each with a key and a certificate of its own.
struct Services<'a> {
    towns: &'a Towns,
    income: Issuer,
    monitor: Issuer,
}

impl<'a> Services<'a> {
    fn new(towns: &'a Towns) -> Self {
        let issuer =
            |name: &str| Issuer::generate(format!("https://services.example.nl/{name}")).unwrap().meant_for("prod");
        towns.services.write(towns.folder(), "authority.pem");
        for name in ["income", "monitor"] {
            towns.services.issue(name).write(towns.folder(), name);
        }
        Self { towns, income: issuer("income"), monitor: issuer("monitor") }
    }

    fn verifier(&self) -> Verifier {
        let folder = self.towns.folder();
        std::fs::write(folder.join("income.json"), self.income.jwks()).unwrap();
        std::fs::write(folder.join("monitor.json"), self.monitor.jwks()).unwrap();
        let text = r#"
            audience = "prod"
            [services]
            name = "https://services.example.nl"
            keys = { income = { file = "income.json" }, monitor = { file = "monitor.json" } }
            certificate_bound = true
        "#;
        Verifier::trusting(Trusted::from_toml(text, folder).unwrap().issuers).unwrap()
    }

    fn transport(&self, name: &str) -> Transport {
        let folder = self.towns.folder();
        let pair = Pair { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
        let authorities = folder.join("authority.pem");
        let clients = Clients { authorities: authorities.clone(), required: true };
        let tls = Tls::from_files(Some(&pair), Some(&clients), Some(&authorities)).unwrap();
        Transport { tls, ..Transport::default() }
    }

    /// What a service shows now.
    fn own(&self, name: &str) -> Shown {
        Shown::read(self.towns.folder(), name)
    }

    fn connect(&self, bench: &Bench<Counter>, name: &str) -> Channel {
        self.towns.connect(bench, Some(&self.own(name)))
    }
}

/// The same call of a caller who waits so long.
fn until(mut request: Request<StabiliseFinancesRequest>, timeout: &str) -> Request<StabiliseFinancesRequest> {
    let caller = chassis::Caller::clone(request.extensions().get::<Arc<chassis::Caller>>().unwrap());
    let bounds = chassis::Bounds::until(timeout);
    request.extensions_mut().insert(Arc::new(chassis::Caller { bounds, ..caller }));
    request
}

type Slow =
    for<'a> fn(&'a mut chassis::Work, &'a StabiliseFinancesRequest) -> chassis::Run<'a, StabiliseFinancesResponse>;

/// Counts, and then writes what takes minutes to work out.
fn slow<'a>(
    work: &'a mut chassis::Work,
    m: &'a StabiliseFinancesRequest,
) -> chassis::Run<'a, StabiliseFinancesResponse> {
    Box::pin(async move {
        count(work, m).await?;
        work.run(
            "insert into woken (subject, n)
             with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 2000000000)
             select 'never', count(*) from numbers",
            chassis::args![],
        )
        .await?;
        unreachable!("it takes minutes")
    })
}

async fn endless(work: &mut chassis::Work) -> chassis::Result<()> {
    work.touched(client('d'));
    let rows = "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 2000000000)
        select count(*) as n from numbers";
    work.row(rows, chassis::args![]).await.map(drop)
}

fn mistake<'a>(
    _: &'a mut chassis::Work,
    _: &'a StabiliseFinancesRequest,
) -> chassis::Run<'a, StabiliseFinancesResponse> {
    Box::pin(async { panic!("a mistake of ours") })
}
