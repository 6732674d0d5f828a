//! The six programs as processes of their own, configured by their environment as in `deploy/`, and killed (`kill -9`) at
//! random points of a chain.
//!
//! `DOORSTROOM_KILLS` says how often; the same for each engine.

use super::services::SERVICES;
use super::steps::WEST;
use super::{Chain, Household};
use chain_tests::root;
use doorstroom::roles;
use kernel::Role;
use proto::access::v1 as access;
use proto::audit::v1::ListAccessRequest;
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::regie::v1 as regie;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::{Database, Engine};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// What a municipality's own issuer could be called.
const ISSUER: &str = "https://id.example.nl";

/// The programs, running; killed when dropped.
pub struct Processes {
    folder: TempDir,
    databases: BTreeMap<&'static str, Database>,
    ports: BTreeMap<&'static str, u16>,
    /// Whose tokens they believe.
    pub issuer: Arc<auth::Issuer>,
    /// How much they log, as `RUST_LOG` says it.
    level: &'static str,
    running: Mutex<BTreeMap<&'static str, Child>>,
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Processes {
    /// Starts all six on fresh databases and a server of their own; `None` when the engine is not installed here.
    pub async fn start(engine: Engine, level: &'static str) -> Option<Self> {
        let databases = SERVICES.into_iter().zip(Database::create_apart(engine, SERVICES.len())?).collect();
        build();
        // Held until all are chosen, so that they differ.
        let free: Vec<_> = SERVICES.iter().map(|name| (*name, TcpListener::bind("127.0.0.1:0").unwrap())).collect();
        let ports = free.iter().map(|(name, port)| (*name, port.local_addr().unwrap().port())).collect();
        drop(free);
        let issuer = Arc::new(auth::Issuer::generate(ISSUER).unwrap());
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("sealing-key"), "ab".repeat(32)).unwrap();
        fs::write(folder.path().join("master-keys"), format!("1 {}", "cd".repeat(32))).unwrap();
        fs::write(folder.path().join("service-key.pem"), issuer.to_pem()).unwrap();
        fs::write(folder.path().join("jwks.json"), issuer.jwks()).unwrap();
        let processes = Self { folder, databases, ports, issuer, level, running: Mutex::default() };
        for name in SERVICES {
            processes.spawn(name);
        }
        for name in SERVICES {
            processes.ready(name).await;
        }
        Some(processes)
    }

    /// Where each listens.
    pub fn endpoints(&self) -> BTreeMap<&'static str, String> {
        self.ports.iter().map(|(name, port)| (*name, format!("http://127.0.0.1:{port}"))).collect()
    }

    /// What `deploy/` sets for a service.
    fn environment(&self, name: &str) -> Vec<(&'static str, String)> {
        let file = |file: &str| self.folder.path().join(file).display().to_string();
        let peers: Vec<String> = self.endpoints().iter().map(|(name, url)| format!("{name}={url}")).collect();
        vec![
            ("DOORSTROOM_LISTEN", format!("127.0.0.1:{}", self.ports[name])),
            ("DOORSTROOM_DATABASE", self.databases[name].url.clone()),
            ("DOORSTROOM_ISSUER", ISSUER.to_owned()),
            ("DOORSTROOM_JWKS_FILE", file("jwks.json")),
            ("DOORSTROOM_KEYS", self.databases[name].keys.clone()),
            ("DOORSTROOM_SEALING_KEY_FILE", file("sealing-key")),
            ("DOORSTROOM_MASTER_KEYS_FILE", file("master-keys")),
            ("DOORSTROOM_SERVICE_KEY_FILE", file("service-key.pem")),
            ("DOORSTROOM_PEERS", peers.join(" ")),
            ("DOORSTROOM_POLICY_DIR", root().join("deploy/policy").display().to_string()),
            ("DOORSTROOM_LOG_FORMAT", "json".to_owned()),
        ]
    }

    fn spawn(&self, name: &'static str) {
        let log = fs::File::options().create(true).append(true).open(self.log_file(name)).unwrap();
        let child = Command::new(program(name))
            .env_clear()
            .envs(self.environment(name))
            .env("RUST_LOG", self.level)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program(name).display()));
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(name, child);
    }

    /// Waits until a program says that it serves.
    async fn ready(&self, name: &'static str) {
        let started = Instant::now();
        loop {
            let channel = Endpoint::from_shared(self.endpoints()[name].clone()).unwrap().connect_lazy();
            if HealthClient::new(channel).check(HealthCheckRequest::default()).await.is_ok() {
                return;
            }
            let patient = started.elapsed() < Duration::from_secs(60);
            assert!(patient, "{name} does not start: {}", self.log(name));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `kill -9`, and started again on what is left.
    async fn kill(&self, name: &'static str) {
        let mut child = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(name).expect("it runs");
        assert_eq!(child.try_wait().unwrap(), None, "{name} had stopped by itself: {}", self.log(name));
        child.kill().unwrap();
        child.wait().unwrap();
        self.spawn(name);
        self.ready(name).await;
    }

    /// Ends all of them.
    pub fn stop(&self) {
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for mut child in running.into_values() {
            // Gone already is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The database of a service.
    pub fn database(&self, name: &str) -> &Database {
        &self.databases[name]
    }

    /// The programs, as the system knows them.
    pub fn pids(&self) -> Vec<u32> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).values().map(Child::id).collect()
    }

    /// Where a service logs to.
    pub fn log_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.log_file(name)).unwrap_or_default()
    }
}

/// P1, P2, P3, P4, P8, P9: killed at random points of a chain, on files of SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_points_on_sqlite() {
    killed_at_random_points(Engine::Sqlite).await;
}

/// P1, P2, P3, P4, P8, P9: killed at random points of a chain, on PostgreSQL, as `deploy/` starts them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_points_on_postgres() {
    killed_at_random_points(Engine::Postgres).await;
}

async fn killed_at_random_points(engine: Engine) {
    let Some(processes) = Processes::start(engine, "warn").await else {
        eprintln!("passed over: {engine:?} is not installed");
        return;
    };
    let chain = Chain::over(processes.endpoints(), processes.issuer.clone(), None).be_patient();
    chain.open().await;
    as_deploy_does(&processes);
    let kills = kills();
    let killed = AtomicUsize::new(0);
    let kill = async {
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        eprintln!("{engine:?}: killing {kills} times, seed {seed}");
        let mut dice = SmallRng::seed_from_u64(seed);
        while killed.load(Ordering::Relaxed) < kills {
            tokio::time::sleep(Duration::from_millis(dice.random_range(5..400))).await;
            processes.kill(SERVICES[dice.random_range(0..SERVICES.len())]).await;
            killed.fetch_add(1, Ordering::Relaxed);
        }
    };
    let live = async {
        let mut rounds = 0;
        while rounds == 0 || killed.load(Ordering::Relaxed) < kills {
            round(&chain).await;
            rounds += 1;
        }
        rounds
    };
    let reader = chain.arrive().await;
    let read = async {
        let (mut answered, mut number) = (Vec::new(), 0);
        while killed.load(Ordering::Relaxed) < kills {
            number += 1;
            answered.extend(read_once(&chain, &reader.client_id, number).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        answered
    };
    let ((), rounds, answered) = tokio::join!(kill, live, read);
    let facts = chain.hold().await;
    assert!(answered.len() > kills, "only {} reads were answered", answered.len());
    let logged = logged(&chain, &reader.client_id).await;
    let unseen: Vec<_> = answered.iter().filter(|read| !logged.contains(*read)).collect();
    assert!(unseen.is_empty(), "answered, and in no access log: {unseen:?}");
    assert_eq!(facts.count::<housing::KeysHandedOver>(|_| true), rounds, "one household landed in each round");
    assert_eq!(facts.count::<housing::AllocationWithdrawn>(|_| true), rounds);
    for name in SERVICES {
        let log = processes.log(name);
        assert!(!log.contains("panicked"), "{name}: {log}");
    }
}

/// The programs run here with every variable that the compose file sets, and no other; but on one machine, so in plain and
/// with one issuer. TLS and several issuers are proved with the chassis and with what `deploy/` holds for them.
fn as_deploy_does(processes: &Processes) {
    let compose = fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    let set = compose.lines().filter_map(|line| Some(line.trim().split_once(':')?.0));
    let beyond = |name: &&str| name.starts_with("DOORSTROOM_TLS_") || *name == "DOORSTROOM_ISSUERS_FILE";
    let set: BTreeSet<&str> = set.filter(|name| name.starts_with("DOORSTROOM_") && !beyond(name)).collect();
    let here = processes.environment("regie").into_iter().map(|(name, _)| name);
    let one_issuer = ["DOORSTROOM_ISSUER", "DOORSTROOM_JWKS_FILE"];
    assert_eq!(here.filter(|name| !one_issuer.contains(name)).collect::<BTreeSet<_>>(), set);
}

/// Two households race for a home; the one that wins loses it again and gets another; somebody lands.
async fn round(chain: &Chain) {
    let (one, other) = (chain.candidate(true).await, chain.candidate(true).await);
    let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
    let (to_one, to_other) = (chain.offer(&dwelling, &one).await, chain.offer(&dwelling, &other).await);
    let both = |offer: String, household: Household| async move {
        let client = chain.client_accepts(&offer, &household).await;
        let landlord = chain.corporation_accepts(&offer, "trivire").await;
        client.and(landlord).ok().map(|accepted| accepted.allocation_id)
    };
    let (won, lost) = tokio::join!(both(to_one, one.clone()), both(to_other, other.clone()));
    let (fallen, loser) = match (won, lost) {
        (Some(allocation), None) => (allocation, other),
        (None, Some(allocation)) => (allocation, one),
        outcome => panic!("of two, exactly one wins: {outcome:?}"),
    };
    chain.settle().await;
    chain.withdraw(&fallen).await;
    let offer = chain.offer(&dwelling, &loser).await;
    let allocation = chain.accept_by_all(&offer, &loser, "trivire").await;
    chain.hand_over(&allocation).await;
    chain.guarantee(&allocation, false).await;
    assert_eq!(testkit::reason(&chain.sign_lease(&allocation, "trivire").await.unwrap_err()), "GATE_SHUT");
    // Needs no yearly figures, so that this test outlives them.
    chain.own_income(&loser, chain.today()).await;
    chain.sign_lease(&allocation, "trivire").await.unwrap();
    chain.keys(&allocation, "trivire").await;
    chain.depart(&loser).await;
}

/// A read, as the access log has it: which service, by whom, what.
type Read = (&'static str, String, &'static str);

/// Somebody of the shelter, each time another, reads about a client in four services, of which any may be gone. Gives the
/// reads that were answered: of these the access log may have lost none.
async fn read_once(chain: &Chain, client_id: &str, number: usize) -> Vec<Read> {
    let subject = format!("lezer-{number}@leger-des-heils");
    let reader = chain.doors.person(roles::actor(Role::Shelter, None, Some(&subject), None).unwrap());
    let client_id = || client_id.to_owned();
    let person = access::GetClientForGuidanceRequest { client_id: client_id() };
    let case = regie::GetCaseRequest { client_id: client_id(), ..Default::default() };
    let benefit = income::GetBenefitStatusRequest { client_id: client_id() };
    let offers = housing::ListOffersRequest { client_id: client_id(), ..Default::default() };
    let answered = [
        (
            "access",
            "AccessService/GetClientForGuidance",
            reader.access("shelter").get_client_for_guidance(person).await.is_ok(),
        ),
        ("regie", "RegieService/GetCase", reader.regie("shelter").get_case(case).await.is_ok()),
        (
            "income",
            "IncomeService/GetBenefitStatus",
            reader.income("shelter").get_benefit_status(benefit).await.is_ok(),
        ),
        ("housing", "HousingService/ListOffers", reader.housing("shelter").list_offers(offers).await.is_ok()),
    ];
    answered
        .into_iter()
        .filter(|(.., answered)| *answered)
        .map(|(service, rpc, _)| (service, subject.clone(), rpc))
        .collect()
}

/// What the access logs of those services say about a client.
async fn logged(chain: &Chain, client_id: &str) -> BTreeSet<Read> {
    let officer = chain.person(Role::PrivacyOfficer);
    let mut read = BTreeSet::new();
    for (service, rpc) in [
        ("access", "AccessService/GetClientForGuidance"),
        ("regie", "RegieService/GetCase"),
        ("income", "IncomeService/GetBenefitStatus"),
        ("housing", "HousingService/ListOffers"),
    ] {
        let mut page_token = String::new();
        loop {
            let request = ListAccessRequest { client_id: client_id.to_owned(), page_size: 500, page_token };
            let page = call!(chain, officer.audit(service, "audit"), list_access, request);
            let entries = page.entries.into_iter().filter(|entry| entry.method == rpc && entry.result == "ok");
            read.extend(entries.map(|entry| (service, entry.subject, rpc)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
    }
    read
}

/// How often to kill.
fn kills() -> usize {
    std::env::var_os("DOORSTROOM_KILLS")
        .map_or(5, |kills| kills.to_string_lossy().parse().expect("DOORSTROOM_KILLS is a number"))
}

/// Where cargo puts the programs: beside the folder of this one.
fn folder() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(|deps| deps.parent()).expect("a test runs in target/<profile>/deps").to_owned()
}

fn program(name: &str) -> PathBuf {
    folder().join(name)
}

/// The programs are there when the whole workspace is tested; when only this package is, they are built now.
fn build() {
    static BUILD: Mutex<()> = Mutex::new(());
    let _once = BUILD.lock().unwrap_or_else(PoisonError::into_inner);
    if SERVICES.iter().all(|name| program(name).is_file()) {
        return;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg("build").current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.arg("--target-dir").arg(folder().parent().expect("the target folder"));
    if folder().ends_with("release") {
        cargo.arg("--release");
    }
    for name in SERVICES {
        cargo.args(["-p", name]);
    }
    assert!(cargo.status().unwrap().success(), "the programs can be built");
}
