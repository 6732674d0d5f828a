//! The chain part of the demo, what the checker says when something was left out, a chain that is started again, and the
//! commands that tell whether the access log is still what it was.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use doorstroom::cluster::{Cluster, Options};
use doorstroom::demo::chain::{self, LeftOut};
use doorstroom::demo::promises::{self, Tallies};
use doorstroom::demo::team::Team;
use doorstroom::demo::world::{Said as _, World, rid};
use doorstroom::doors::Doors;
use doorstroom::{dynamic, refusal, roles};
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::audit::v1::ListAccessRequest;
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

async fn world(day: Date) -> (TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path().to_owned(), day, true).await.unwrap();
    (folder, world)
}

fn broken(tallies: &Tallies) -> Vec<String> {
    let faults = |(promise, tally): (&&str, &promises::Tally)| {
        tally.faults.iter().map(|fault| format!("{promise}: {fault}")).collect::<Vec<_>>()
    };
    tallies.iter().flat_map(faults).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn six_people_go_through_the_chain_and_every_promise_is_kept() {
    let (_folder, world) = world(chain::BEGINS).await;
    assert_eq!(chain::live(&world, 1, None, |_| ()).await.unwrap(), 6);
    let tallies = promises::check(&world).await.unwrap();
    assert_eq!(broken(&tallies), Vec::<String>::new());
    assert_eq!(tallies.len(), 10);
    for (promise, tally) in &tallies {
        assert!(tally.checked > 0, "{promise} was not checked");
    }
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_night_left_out_breaks_the_figures() {
    let (_folder, world) = world(chain::BEGINS).await;
    chain::live(&world, 2, Some(LeftOut::Night), |_| ()).await.unwrap();
    let tallies = promises::check(&world).await.unwrap();
    assert!(tallies["P9"].broken > 0);
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_acknowledgement_left_out_breaks_the_promise_about_signals() {
    let (_folder, world) = world(chain::BEGINS).await;
    chain::live(&world, 3, Some(LeftOut::Acknowledgement), |_| ()).await.unwrap();
    let tallies = promises::check(&world).await.unwrap();
    assert!(tallies["P5"].broken > 0);
    world.stop().await.unwrap();
}

/// P5: two read under one name, so one of them is cut off; it says so and waits for nothing any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_is_cut_off_is_no_team_that_heard_everything() {
    let (_folder, world) = world(chain::BEGINS).await;
    let (mut one, mut other) = (Team::new(&world, "wijkteam-west"), Team::new(&world, "wijkteam-west"));
    one.listen();
    other.listen();
    let heard = tokio::select! { heard = one.hears_of("nobody") => heard, heard = other.hears_of("nobody") => heard };
    let why = format!("{:#}", heard.unwrap_err());
    assert!(why.contains("SUBSCRIPTION_TAKEN"), "{why}");
    world.stop().await.unwrap();
}

/// P4: a command of regie's never leaves, and everybody goes on as if it had.
#[tokio::test(flavor = "multi_thread")]
async fn one_undo_left_out_breaks_the_promise_about_undoing() {
    let (folder, world) = world(chain::BEGINS).await;
    let lost = "create trigger lost before insert on outgoing_command when new.step like 'undo handover/%'
                begin select raise(ignore); end";
    tamper(&folder.path().join("regie.sqlite"), &[lost]).await;
    assert_eq!(chain::live(&world, 4, None, |_| ()).await.unwrap(), 6);
    let tallies = promises::check(&world).await.unwrap();
    let faults = broken(&tallies).join("\n");
    assert!(faults.contains("P4: the handover of fallen allocation"), "{faults}");
    assert!(tallies["P8"].broken == 0 && tallies["P9"].broken == 0, "and nothing else: {faults}");
    world.stop().await.unwrap();
}

/// P8: whoever is told too much, is known to a stranger, or finds no trace of who looked, breaks the promise. Each is done to
/// the databases of a chain at rest, looked at, and put right again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_by_others_or_not_logged_breaks_the_promise_about_sight() {
    let (folder, world) = world(chain::BEGINS).await;
    chain::live(&world, 5, None, |_| ()).await.unwrap();
    let stranger = "insert into relation (relation_id, client_id, organisation, person, kind, granted_at)
                    select lower(hex(randomblob(16))), client_id, 'vreemde-opvang', '', 'stay', 0
                    from (select distinct client_id from relation)";
    // An event that is addressed to a corporation, with another one's content in it.
    let swapped =
        "create table kept as select event_id, payload from feed_event where type like '%.allocation-accepted'";
    let swap = "update feed_event set payload = (select payload from feed_event where type like '%.nominated' limit 1)
                where event_id in (select event_id from kept)";
    let back = "update feed_event set payload = (select k.payload from kept k where k.event_id = feed_event.event_id)
                where event_id in (select event_id from kept)";
    let unseen = "create trigger unseen before insert on access_log when new.rpc = 'AccessService/GetJourney'
                  begin select raise(ignore); end";
    let cases: [(&str, &[&'static str], &[&'static str], &str); 3] = [
        ("housing", &[swapped, swap], &[back, "drop table kept"], "corporation got"),
        ("access", &[stranger], &["delete from relation where organisation = 'vreemde-opvang'"], "a stranger can tell"),
        ("access", &[unseen], &["drop trigger unseen"], "is not in the own log"),
    ];
    for (service, breaks, mends, fault) in cases {
        let database = folder.path().join(format!("{service}.sqlite"));
        tamper(&database, breaks).await;
        let tallies = promises::check(&world).await.unwrap();
        let faults = tallies["P8"].faults.join("\n");
        assert!(faults.contains(fault), "{fault}: {faults}");
        tamper(&database, mends).await;
    }
    assert_eq!(broken(&promises::check(&world).await.unwrap()), Vec::<String>::new());
    world.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_finds_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        data: folder.path().join("data"),
        fixed_ports: false,
        clock: chassis::Clock::system(),
        relapse_guarantee: false,
    };
    let started = std::time::Instant::now();
    let cluster = Cluster::start(&options).await.unwrap();
    assert!(started.elapsed().as_secs() < 20, "ready after {:?}", started.elapsed());
    let identity = access::Identity {
        surname: "Jansen".to_owned(),
        first_names: "Anna".to_owned(),
        birth_date: Some(proto::from_date(Date::constant(1985, 5, 20))),
        no_address: true,
        ..Default::default()
    };
    let request =
        access::RegisterClientRequest { request_id: rid(), municipality: "0505".to_owned(), identity: Some(identity) };
    let shelter = |cluster: &Cluster| {
        let doors = Doors::new(&cluster.endpoints, cluster.issuer.clone()).unwrap();
        doors.person(roles::actor(Role::Shelter, None, None, None).unwrap())
    };
    let before = shelter(&cluster);
    let first = before.access("shelter").register_client(request.clone()).await.said("RegisterClient").unwrap();
    let keys = cluster.issuer.jwks();
    cluster.stop().await.unwrap();

    let cluster = Cluster::start(&options).await.unwrap();
    assert_eq!(cluster.issuer.jwks(), keys, "tokens outlive a restart");
    let after = shelter(&cluster);
    let again = after.access("shelter").register_client(request).await.said("RegisterClient").unwrap();
    assert_eq!(again, first);
    let shown = access::GetClientForGuidanceRequest { client_id: first.client_id };
    let client = after.access("shelter").get_client_for_guidance(shown).await.said("GetClientForGuidance").unwrap();
    assert_eq!(client.client.unwrap().surname, "Jansen");
    cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn any_rpc_can_be_called_with_json_and_a_refusal_is_readable() {
    let (_folder, world) = world(chain::BEGINS).await;
    let url = world.endpoint("housing");
    let channel = tonic::transport::Endpoint::from_shared(url).unwrap().connect_lazy();
    let method = dynamic::method("HousingService/GetFigures").unwrap();
    let message = dynamic::read(&method.input(), serde_json::json!({ "on": "2026-01-05" })).unwrap();
    let mut request = tonic::Request::new(message.clone());
    let status = dynamic::call(channel.clone(), &method, request).await.unwrap_err();
    assert!(refusal::explain(&status).contains("TOKEN_MISSING (R-REG-13)"), "{}", refusal::explain(&status));

    request = tonic::Request::new(message);
    let token = world.token(Role::Corporation);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request.metadata_mut().insert(auth::PURPOSE_HEADER, "housing".parse().unwrap());
    let answer = dynamic::call(channel, &method, request).await.unwrap().message().await.unwrap().unwrap();
    let shown = dynamic::show(&answer).unwrap();
    assert!(shown["rent_cap_small_cents"].as_i64().unwrap() > 60_000, "{shown}");
    world.stop().await.unwrap();
}

/// Runs the program as a person does: its exit status, and what it says.
fn doorstroom(args: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_doorstroom")).args(args).output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// Does something to a database that the service would never do.
async fn tamper(path: &Path, sql: &[&'static str]) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut raw = options.connect().await.unwrap();
    for sql in sql {
        sqlx::query(*sql).execute(&mut raw).await.unwrap();
    }
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

/// R-REG-19
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_rewritten_is_found_out_without_any_service() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let options = Options {
        data: folder.path().to_owned(),
        fixed_ports: false,
        clock: chassis::Clock::system(),
        relapse_guarantee: false,
    };
    let cluster = Cluster::start(&options).await.unwrap();
    let doors = Doors::new(&cluster.endpoints, cluster.issuer.clone()).unwrap();
    let officer = doors.person(roles::actor(Role::PrivacyOfficer, None, None, None).unwrap());
    let look = async || {
        let wanted = ListAccessRequest { client_id: rid(), ..Default::default() };
        officer.audit("access", "audit").list_access(wanted).await.said("ListAccess").unwrap();
    };
    for _ in 0..3 {
        look().await;
    }
    let (data, url, kept) = (path(""), cluster.endpoints["access"].clone(), path("access.checkpoints"));
    let fetch = ["checkpoint", "access", "--at", &url, "--data", &data, "--out", &kept];
    let (status, said) = doorstroom(&fetch);
    assert_eq!(status, 0, "{said}");
    look().await;
    assert_eq!(doorstroom(&fetch).0, 0);
    look().await;
    let refused = ["checkpoint", "access", "--at", &url, "--data", &data, "--role", "shelter"];
    let (status, said) = doorstroom(&refused);
    assert!(status == 1 && said.contains("ROLE_NOT_ALLOWED"), "{said}");
    let token =
        cluster.issuer.issue(&roles::actor(Role::Regie, None, None, None).unwrap(), std::time::Duration::from_secs(60));
    std::fs::write(path("token"), token).unwrap();
    let other =
        ["checkpoint", "housing", "--at", &cluster.endpoints["housing"], "--data", &data, "--out", &path("housing")];
    assert_eq!(doorstroom(&other).0, 0);
    cluster.stop().await.unwrap();

    let (database, keys) = (path("access.sqlite"), path("jwks.json"));
    let verify = |database: &str, checkpoint: &str| {
        doorstroom(&["verify", "--database", database, "--keys", &keys, "--checkpoint", checkpoint])
    };
    let (status, said) = verify(&database, &kept);
    assert_eq!(status, 0, "{said}");
    // The refused request for a checkpoint is an entry too.
    for part in [
        "Nothing is wrong",
        "The log holds 6 entries",
        "Entries 1 to 6 are what was linked",
        "Entries 1 to 3 are what was signed",
        "Entries 5 to 6 came after",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (status, said) = doorstroom(&["verify", "--database", &database]);
    assert!(status == 0 && said.contains("No checkpoint was given"), "{said}");
    let (status, said) = verify(&database, &path("token"));
    assert!(status == 1 && said.contains("it is no signed checkpoint"), "{said}");
    let mut forged = std::fs::read_to_string(&kept).unwrap();
    forged.insert(forged.len() - 20, 'A');
    std::fs::write(path("forged"), forged).unwrap();
    let (status, said) = verify(&database, &path("forged"));
    assert!(status == 1 && said.contains("line 2: its signature is wrong"), "{said}");
    assert_eq!(verify(&path("nothing"), &kept).0, 2);
    assert_eq!(verify(&keys, &kept).0, 2);

    // One file holds it all from here on.
    tamper(Path::new(&database), &[]).await;
    let rewritten = async |name: &str, sql: &'static [&'static str]| {
        let copy = path(name);
        std::fs::copy(&database, &copy).unwrap();
        tamper(Path::new(&copy), sql).await;
        let (status, said) = verify(&copy, &kept);
        assert_eq!(status, 1, "{name}: {said}");
        said
    };
    let said = rewritten(
        "edited",
        &["drop trigger access_log_is_never_changed", "update access_log set subject = 'x' where position = 2"],
    )
    .await;
    assert!(said.contains("one of the entries 1 to 3"), "{said}");
    let said =
        rewritten("deleted", &["drop trigger access_log_is_never_cut", "delete from access_log where position = 2"])
            .await;
    assert!(said.contains("entry 2 is not there; after 1 comes 3"), "{said}");
    let cut = &[
        "drop trigger access_log_is_never_cut",
        "drop trigger access_link_is_never_cut",
        "delete from access_log where position > 2",
        "delete from access_link where position > 2",
    ];
    let said = rewritten("cut", cut).await;
    assert!(said.contains("entry 3 is not there, nor is any after it") && said.contains("goes on to 4"), "{said}");
    let unlinked = &["drop trigger access_link_is_never_cut", "delete from access_link"];
    let said = rewritten("unlinked", unlinked).await;
    assert!(said.contains("the link at entry 3 is not there"), "{said}");
    // The log of another service is another fork.
    let (status, said) = verify(&path("housing.sqlite"), &kept);
    assert!(status == 1 && said.contains("WRONG"), "{said}");
    assert_eq!(verify(&path("housing.sqlite"), &path("housing")).0, 0);
}
