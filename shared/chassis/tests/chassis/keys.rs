//! Keys of clients: one for each, rewrapped, destroyed for good, on both engines (R-REG-22, R-REG-23).

use kernel::{ClientId, Uuid};
use std::collections::BTreeSet;
use store::Retention::{File, Plan};
use store::{Destroyed, Error, KeyOf, Masters, Opened, Sealing, Store, args};
use testkit::{Database, Engine};

async fn open(database: &Database) -> Store {
    Store::open("income", &database.url, &database.sealing(), &[]).await.unwrap()
}

fn client() -> ClientId {
    ClientId(Uuid::new_v4())
}

fn erased(client: ClientId) -> Destroyed {
    let at = kernel::Timestamp::from_second(1_772_438_400).unwrap();
    Destroyed { client, class: None, at, by: "svc-regie".to_owned(), why: "erasure-1".to_owned() }
}

async fn destroy(store: &Store, what: &Destroyed) {
    let mut tx = store.write().await.unwrap();
    tx.destroy_keys(what).await.unwrap();
    tx.commit().await.unwrap();
}

async fn read(store: &Store, key: KeyOf, sealed: &[u8]) -> Opened {
    store.sealer().open(key, "client.name", 1, sealed).await.unwrap()
}

fn text(text: &str) -> Opened {
    Opened::Text(text.to_owned())
}

fn reason(error: Error) -> &'static str {
    error.refusal().map_or("none", |refusal| refusal.reason.code)
}

fn hex(byte: &str) -> String {
    byte.repeat(32)
}

async fn what_was_sealed_for_one_client_does_not_open_with_anothers_key(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let store = open(&database).await;
    let (one, other) = (client(), client());
    let sealed = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    store.sealer().seal(File.of(other), "client.name", 1, "Anna").await.unwrap();
    store.sealer().seal(Plan.of(one), "client.name", 1, "Anna").await.unwrap();
    assert_eq!(read(&store, File.of(one), &sealed).await, text("Noor"));
    // Of another client, of another class of the same client, and in another place.
    for key in [File.of(other), Plan.of(one), KeyOf::SERVICE] {
        assert!(store.sealer().open(key, "client.name", 1, &sealed).await.is_err(), "{key:?}");
    }
    assert!(store.sealer().open(File.of(one), "client.name", 2, &sealed).await.is_err());
    assert!(store.sealer().open(File.of(one), "client.bsn", 1, &sealed).await.is_err());
    store.close().await;
    // After a restart it is the same key that is found.
    let store = open(&database).await;
    assert_eq!(read(&store, File.of(one), &sealed).await, text("Noor"));
}

async fn destroying_one_class_leaves_the_others(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let (store, one) = (open(&database).await, client());
    let file = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    let plan = store.sealer().seal(Plan.of(one), "client.name", 1, "een hond").await.unwrap();
    destroy(&store, &Destroyed { class: Some(Plan), ..erased(one) }).await;
    assert_eq!(read(&store, File.of(one), &file).await, text("Noor"));
    assert_eq!(read(&store, Plan.of(one), &plan).await, Opened::Erased);
    assert!(!store.sealer().erased(one));
}

async fn after_destruction_nothing_opens_and_nothing_is_sealed_for_that_client(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let (store, one, other) = (open(&database).await, client(), client());
    let sealed = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    let others = store.sealer().seal(File.of(other), "client.name", 1, "Anna").await.unwrap();
    destroy(&store, &erased(one)).await;
    destroy(&store, &erased(one)).await;
    for store in [store, open(&database).await] {
        assert_eq!(read(&store, File.of(one), &sealed).await, Opened::Erased);
        // A class that never had a key gets none any more.
        for key in [File.of(one), Plan.of(one)] {
            assert_eq!(reason(store.sealer().seal(key, "client.name", 1, "Noor").await.unwrap_err()), "ERASED");
        }
        assert_eq!(reason(read(&store, File.of(one), &sealed).await.text().unwrap_err()), "ERASED");
        assert!(store.sealer().erased(one));
        assert_eq!(read(&store, File.of(other), &others).await, text("Anna"));
        assert_eq!(store.read().await.unwrap().destroyed_keys().await.unwrap(), [erased(one)]);
        store.close().await;
    }
}

async fn yesterdays_database_put_back_gives_nothing_of_who_was_erased_since(engine: Engine) {
    let Some(mut database) = Database::create(engine) else { return };
    let (store, one) = (open(&database).await, client());
    let sealed = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    store.close().await;
    let yesterday = database.copy(&database.url);

    let store = open(&database).await;
    destroy(&store, &erased(one)).await;
    assert_eq!(store.forgotten_erasures().await.unwrap(), []);
    store.close().await;
    database.url = yesterday;

    let store = open(&database).await;
    assert_eq!(read(&store, File.of(one), &sealed).await, Opened::Erased);
    // Whoever runs the service is told what has to be done again, until it is done.
    assert_eq!(store.forgotten_erasures().await.unwrap(), [erased(one)]);
    destroy(&store, &erased(one)).await;
    assert_eq!(store.forgotten_erasures().await.unwrap(), []);
}

async fn yesterdays_key_store_put_back_loses_the_key_again(engine: Engine) {
    let Some(mut database) = Database::create(engine) else { return };
    let (store, one) = (open(&database).await, client());
    let sealed = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    store.close().await;
    let (yesterday, before) = (database.copy(&database.keys), database.copy(&database.url));

    let store = open(&database).await;
    destroy(&store, &erased(one)).await;
    store.close().await;
    database.keys = yesterday;
    let store = open(&database).await;
    assert_eq!(read(&store, File.of(one), &sealed).await, Opened::Erased);
    store.close().await;

    // It was the key that went, not only the word of the database: the database of before finds none in it either.
    database.url = before;
    let store = open(&database).await;
    assert_eq!(read(&store, File.of(one), &sealed).await, Opened::Erased);
}

async fn rewrapping_leaves_every_column_readable_and_the_old_master_key_unneeded(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let first = database.sealing();
    let with = |text: &str| Sealing { masters: Masters::parse(text, &first.key).unwrap(), ..first.clone() };
    let (old, new) = (format!("2026-1 {}\n", hex("1a")), format!("2026-2 {}\n", hex("2b")));
    let opened = async |sealing: &Sealing| Store::open("income", &database.url, sealing, &[]).await;

    // More than one page of keys, wrapped by the derived master key and by the first one configured.
    let store = opened(&first).await.unwrap();
    let (one, two) = (client(), client());
    let sealed = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    store.close().await;
    let store = opened(&with(&old)).await.unwrap();
    for _ in 0..150 {
        store.sealer().seal(File.of(client()), "client.name", 1, "x").await.unwrap();
    }
    let others = store.sealer().seal(File.of(two), "client.name", 1, "Anna").await.unwrap();
    store.close().await;

    let both = with(&format!("{old}{new}"));
    let store = opened(&both).await.unwrap();
    assert_eq!(store::rewrap(&database.keys, &both.masters).await.unwrap(), 152, "beside the running service");
    assert_eq!(store::rewrap(&database.keys, &both.masters).await.unwrap(), 0);
    assert_eq!(read(&store, File.of(two), &others).await, text("Anna"));
    store.close().await;

    // Without the old one everything opens; without the new one nothing starts, and it says which is missing.
    let store = opened(&with(&new)).await.unwrap();
    assert_eq!(read(&store, File.of(one), &sealed).await, text("Noor"));
    assert_eq!(read(&store, File.of(two), &others).await, text("Anna"));
    store.close().await;
    let refused = opened(&with(&old)).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("master key 2026-2 wraps keys in it and is not configured"), "{refused}");
    let wrong = format!("2026-2 {}\n", hex("3c"));
    let refused = opened(&with(&wrong)).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("2026-2 is not the one that wrapped"), "{refused}");
}

async fn a_key_store_that_is_not_the_databases_own_is_refused_and_no_fresh_keys_are_made(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let (store, one) = (open(&database).await, client());
    let sealed = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    store.close().await;
    let start = async |name: &str, keys: &str| {
        let sealing = Sealing { store: keys.to_owned(), ..database.sealing() };
        Store::open(name, &database.url, &sealing, &[]).await.map(drop).unwrap_err().to_string()
    };
    // An empty place; the key store of another database of this service; that of another service.
    let other = Database::create(engine).unwrap();
    let refused = start("income", &other.keys).await;
    assert!(refused.contains("put it back") || refused.contains("put that back"), "{refused}");
    open(&other).await.close().await;
    assert!(start("income", &other.keys).await.contains("the keys of another"));
    assert!(start("housing", &database.keys).await.contains("belongs to the service income"));
    // The right one still fits.
    assert_eq!(read(&open(&database).await, File.of(one), &sealed).await, text("Noor"));
}

async fn a_kill_between_making_a_key_and_using_it_loses_nothing(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let (killed, one) = (open(&database).await, client());
    // The key is made for a transaction that never commits.
    let mut tx = killed.write().await.unwrap();
    let sealed = tx.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    let insert = "insert into inbox (source, cursor) values ($1, $2)";
    tx.run(insert, args!["unfinished", "x"]).await.unwrap();
    drop(tx);
    // Nothing is closed: a kill closes nothing either.
    let store = open(&database).await;
    assert_eq!(store.read().await.unwrap().inbox_cursor("unfinished").await.unwrap(), "");
    let again = store.sealer().seal(File.of(one), "client.name", 1, "Noor Vos").await.unwrap();
    for store in [&store, &killed] {
        assert_eq!(read(store, File.of(one), &again).await, text("Noor Vos"), "one key, whoever made it");
        assert_eq!(read(store, File.of(one), &sealed).await, text("Noor"));
    }
}

async fn many_that_seal_for_one_client_at_once_share_one_key(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let (stores, one) = ([open(&database).await, open(&database).await], client());
    let seal = |n: usize| {
        let store = stores[n % 2].clone();
        tokio::spawn(async move { store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap() })
    };
    let all: Vec<_> = (0..8).map(seal).collect();
    for sealed in all {
        let sealed = sealed.await.unwrap();
        for store in &stores {
            assert_eq!(read(store, File.of(one), &sealed).await, text("Noor"));
        }
    }
}

async fn who_is_registered_has_a_key_on_disk_already_and_shares_it_with_nobody(engine: Engine) {
    let Some(database) = Database::create(engine) else { return };
    let killed = open(&database).await;
    // More than are made ahead at once, by many at the same time.
    let register = |desk: usize| {
        let store = killed.clone();
        tokio::spawn(async move {
            let mut registered = Vec::new();
            for n in 0..50 {
                let (client, name) = (store.sealer().fresh_client().await.unwrap(), format!("Noor {desk} {n}"));
                let sealed = store.sealer().seal(File.of(client), "client.name", 1, &name).await.unwrap();
                registered.push((client, name, sealed));
            }
            registered
        })
    };
    let mut registered = Vec::new();
    for desk in (0..8).map(register).collect::<Vec<_>>() {
        registered.extend(desk.await.unwrap());
    }
    let different: BTreeSet<ClientId> = registered.iter().map(|(client, ..)| *client).collect();
    assert_eq!(different.len(), 400);
    // Nothing was closed: a kill closes nothing either.
    let store = open(&database).await;
    let (first, _, first_sealed) = &registered[0];
    destroy(&store, &erased(*first)).await;
    assert_eq!(read(&store, File.of(*first), first_sealed).await, Opened::Erased);
    for (client, name, sealed) in &registered[1..] {
        assert_eq!(read(&store, File.of(*client), sealed).await, text(name));
    }
}

macro_rules! both {
    ($($name:ident),* $(,)?) => { $(
        mod $name {
            use testkit::Engine;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(Engine::Postgres).await;
            }
        }
    )* };
}

both! {
    what_was_sealed_for_one_client_does_not_open_with_anothers_key,
    destroying_one_class_leaves_the_others,
    after_destruction_nothing_opens_and_nothing_is_sealed_for_that_client,
    yesterdays_database_put_back_gives_nothing_of_who_was_erased_since,
    yesterdays_key_store_put_back_loses_the_key_again,
    rewrapping_leaves_every_column_readable_and_the_old_master_key_unneeded,
    a_key_store_that_is_not_the_databases_own_is_refused_and_no_fresh_keys_are_made,
    a_kill_between_making_a_key_and_using_it_loses_nothing,
    many_that_seal_for_one_client_at_once_share_one_key,
    who_is_registered_has_a_key_on_disk_already_and_shares_it_with_nobody,
}
