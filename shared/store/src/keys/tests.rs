//! What only the inside of a key store shows.

use super::*;
use crate::Opened;
use crate::seal::{Retention::File, Sealer};
use kernel::Uuid;
use std::path::Path;
use tempfile::TempDir;

fn sealing(folder: &Path) -> Sealing {
    Sealing::new(SealingKey::from_bytes([7; 32]), format!("sqlite:{}", folder.join("income.keys.db").display()))
}

async fn open(folder: &Path) -> Store {
    let url = format!("sqlite:{}", folder.join("income.db").display());
    Store::open("income", &url, &sealing(folder), &[]).await.unwrap()
}

fn client() -> ClientId {
    ClientId(Uuid::new_v4())
}

fn erased(client: ClientId) -> Destroyed {
    let (at, by, why) = (Timestamp::UNIX_EPOCH, "svc-regie".to_owned(), "erasure-1".to_owned());
    Destroyed { client, class: None, at, by, why }
}

/// As a column was sealed when there was one key for all.
fn sealed_before(column: &str, row: &str, text: &str) -> Vec<u8> {
    let root = SealingKey::from_bytes([7; 32]);
    Sealer::new(&root, None).seal_before(column, row, text)
}

#[tokio::test]
async fn what_was_sealed_the_old_way_still_opens_until_its_client_is_erased() {
    let folder = TempDir::new().unwrap();
    let (store, one) = (open(folder.path()).await, client());
    let before = sealed_before("client.name", "1", "Noor");
    let read = async || store.sealer().open(File.of(one), "client.name", 1, &before).await.unwrap();
    assert_eq!(read().await, Opened::Text("Noor".into()));
    assert!(store.sealer().open(File.of(one), "client.name", 2, &before).await.is_err());
    // Written again, it is under the client's own key.
    let after = store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    assert!(store.sealer().open(File.of(client()), "client.name", 1, &after).await.is_err());
    assert_eq!(read().await, Opened::Text("Noor".into()));
    store.sealer().keys().unwrap().destroy(&erased(one)).await.unwrap();
    assert_eq!(read().await, Opened::Erased);
}

#[tokio::test]
async fn what_was_sealed_the_old_way_opens_also_when_it_begins_like_the_new() {
    let folder = TempDir::new().unwrap();
    let (store, one) = (open(folder.path()).await, client());
    store.sealer().seal(File.of(one), "client.name", 1, "x").await.unwrap();
    let root = Sealer::new(&SealingKey::from_bytes([7; 32]), None);
    let before = root.seal_before_with(*b"\xd0K\x01\n12345678", "client.name", "1", "Noor");
    let read = store.sealer().open(File.of(one), "client.name", 1, &before).await.unwrap();
    assert_eq!(read, Opened::Text("Noor".into()));
}

#[tokio::test]
async fn a_destroyed_key_is_gone_from_the_file_itself() {
    let folder = TempDir::new().unwrap();
    let (store, one) = (open(folder.path()).await, client());
    store.sealer().seal(File.of(one), "client.name", 1, "Noor").await.unwrap();
    let keys = store.sealer().keys().unwrap();
    let select = "select wrapped from data_key where client_id = $1";
    let row = keys.store.read().await.unwrap().row(select, args![one]).await.unwrap().unwrap();
    let wrapped: Vec<u8> = row.get("wrapped").unwrap();
    let anywhere = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(wrapped.len()).any(|window| window == wrapped))
    };
    assert!(anywhere(), "it is looked for in the right place");
    keys.destroy(&erased(one)).await.unwrap();
    assert!(!anywhere());
}

#[tokio::test]
async fn what_was_destroyed_cannot_be_taken_from_either_list() {
    let folder = TempDir::new().unwrap();
    let (store, one) = (open(folder.path()).await, client());
    let mut tx = store.write().await.unwrap();
    tx.destroy_keys(&erased(one)).await.unwrap();
    tx.commit().await.unwrap();
    for store in [&store, &store.sealer().keys().unwrap().store] {
        for sql in ["delete from destroyed_key", "update destroyed_key set why = ''"] {
            let mut tx = store.write().await.unwrap();
            let refused = tx.run(sql, args![]).await.unwrap_err().to_string();
            assert!(refused.contains("stays destroyed"), "{refused}");
        }
    }
}

#[tokio::test]
async fn keys_in_memory_are_bounded() {
    let mut memory = Memory::default();
    let key = Arc::new(SealingKey::from_bytes([1; 32]));
    for _ in 0..HELD + 100 {
        memory.hold(File.of(client()), key.clone());
    }
    let one = File.of(client());
    memory.hold(one, key);
    assert_eq!((memory.held.len(), memory.order.len()), (HELD, HELD));
    memory.drop_destroyed(&one.owner(), "");
    assert_eq!((memory.held.len(), memory.order.len()), (HELD - 1, HELD - 1));
    assert!(memory.destroyed(one) && !memory.held.contains_key(&one));
}

#[tokio::test]
async fn a_missing_key_store_is_not_made_anew() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.close().await;
    let file = folder.path().join("income.keys.db");
    std::fs::remove_file(&file).unwrap();
    let url = format!("sqlite:{}", folder.path().join("income.db").display());
    for _ in 0..2 {
        let refused = Store::open("income", &url, &sealing(folder.path()), &[]).await.map(drop).unwrap_err();
        assert!(refused.to_string().contains("put it back"), "{refused}");
        assert!(!file.exists());
    }
}

#[test]
fn the_key_store_of_a_file_is_a_file_beside_it() {
    assert_eq!(Sealing::beside("sqlite:data/access.sqlite").as_deref(), Some("sqlite:data/access.keys.db"));
    assert_eq!(Sealing::beside("sqlite:/var/a.b/access?mode=rwc").as_deref(), Some("sqlite:/var/a.b/access.keys.db"));
    assert_eq!(Sealing::beside("postgres://server/access"), None);
    assert_eq!(Sealing::beside("sqlite::memory:"), None);
}

#[test]
fn master_keys_and_sealing_keys_print_without_their_bytes() {
    let sealing = sealing(Path::new("/data"));
    let printed = format!("{sealing:?}");
    assert!(printed.contains("sealing-key") && printed.contains("•••"), "{printed}");
    assert!(!printed.contains("7, 7"), "{printed}");
}

#[test]
fn a_value_is_found_by_its_keyed_hash_and_kinds_are_kept_apart() {
    let sealer = Sealer::new(&SealingKey::from_bytes([7; 32]), None);
    assert_eq!(sealer.lookup("bsn", "999990019"), sealer.lookup("bsn", "999990019"));
    assert_ne!(sealer.lookup("bsn", "999990019"), sealer.lookup("v", "999990019"));
    let other = Sealer::new(&SealingKey::from_bytes([8; 32]), None);
    assert_ne!(sealer.lookup("bsn", "999990019"), other.lookup("bsn", "999990019"));
}
