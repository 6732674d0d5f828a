//! The chain part of the demo, what the checker says when something was left out, and a chain that is started again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use doorstroom::cluster::{Cluster, Options};
use doorstroom::demo::chain::{self, LeftOut};
use doorstroom::demo::promises::{self, Tallies};
use doorstroom::demo::world::{Said as _, World, rid};
use doorstroom::doors::Doors;
use doorstroom::{dynamic, refusal, roles};
use kernel::{Date, Role};
use proto::access::v1 as access;
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

#[tokio::test(flavor = "multi_thread")]
async fn one_undo_left_out_stops_the_chain() {
    let (_folder, world) = world(chain::BEGINS).await;
    let error = chain::live(&world, 4, Some(LeftOut::Undo), |_| ()).await.unwrap_err();
    assert!(format!("{error:#}").contains("DWELLING_TAKEN"), "{error:#}");
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
