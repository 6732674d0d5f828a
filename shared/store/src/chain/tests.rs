//! Whoever rewrites the log is found out: on a walk along entries in memory, and on real files with the triggers taken off.

use super::*;
use crate::{Access, Sealing, SealingKey, Store};
use jiff::Timestamp;
use kernel::{Actor, ClientId, Organisation, Role};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use sqlx::AssertSqlSafe;
use std::path::Path;
use uuid::Uuid;

/// A log as somebody with every right on the database leaves it: its entries, and the links in the database.
#[derive(Clone, Debug)]
struct Log {
    entries: Vec<Entry>,
    links: Vec<Link>,
}

fn entry(position: i64) -> Entry {
    let mut texts = [const { None }; TEXTS.len()];
    for (n, text) in texts.iter_mut().enumerate() {
        // Some are null in every row, as `on_behalf_of` is.
        *text = (n != 5).then(|| if n == 0 { Uuid::now_v7().to_string() } else { format!("{n}") });
        // Every third is of before the fields that came later.
        if (n >= FORMS[0].1 && position % 3 == 0) || (n >= FORMS[1].1 && position % 3 == 1) {
            *text = None;
        }
    }
    Entry { position, occurred_at: 1_000 * position, texts }
}

fn chain(entries: &[Entry]) -> Vec<Link> {
    let mut at = Link::START;
    let next = |entry| {
        at = at.next(entry).unwrap();
        at
    };
    entries.iter().map(next).collect()
}

/// Linked after each of these positions, and at the end.
fn log(length: i64, every: usize) -> Log {
    let entries: Vec<Entry> = (1..=length).map(entry).collect();
    let links = chain(&entries).into_iter().enumerate();
    let links = links.filter(|(n, _)| (n + 1) % every == 0 || n + 1 == entries.len()).map(|(_, link)| link).collect();
    Log { entries, links }
}

fn walk(log: &Log, checkpoints: &[Link]) -> std::result::Result<Walked, Fault> {
    let mut walk = Walk::new(&log.links, checkpoints)?;
    log.entries.iter().try_for_each(|entry| walk.take(entry))?;
    walk.end()
}

/// What somebody does to a log, at one place and up to another.
#[derive(Clone, Copy, Debug)]
enum Attack {
    /// Another text in a field, the moment moved, a null made empty or the other way round.
    Edit { field: usize, null: bool },
    /// Part of a field moved into the one beside it.
    Shift,
    /// Two entries change places.
    Swap,
    /// An entry goes; those after it close up, or leave the gap.
    Delete { close_up: bool },
    /// An entry that never was is put in between, or stands beside the one that has the position.
    Insert { close_up: bool },
    /// The end is cut off, and perhaps written on as if nothing had happened.
    Cut { go_on: bool },
    /// An old copy is put back, and another history follows it.
    Fork,
}

fn attack() -> impl Strategy<Value = Attack> {
    prop_oneof![
        (0..=TEXTS.len(), any::<bool>()).prop_map(|(field, null)| Attack::Edit { field, null }),
        Just(Attack::Shift),
        Just(Attack::Swap),
        any::<bool>().prop_map(|close_up| Attack::Delete { close_up }),
        any::<bool>().prop_map(|close_up| Attack::Insert { close_up }),
        any::<bool>().prop_map(|go_on| Attack::Cut { go_on }),
        Just(Attack::Fork),
    ]
}

/// Does it, to an entry at or before the checkpoint; `a` and `b` say which.
fn rewrite(entries: &mut Vec<Entry>, signed: usize, attack: Attack, a: usize, b: usize) {
    let length = entries.len();
    let (a, b) = (a % signed, b % length);
    match attack {
        Attack::Edit { field, .. } if field == TEXTS.len() => entries[a].occurred_at += 1,
        Attack::Edit { field, null } => {
            let text = &mut entries[a].texts[field];
            *text = match (&*text, null) {
                (Some(_), true) => None,
                (Some(text), false) => Some(format!("{text} ")),
                (None, _) => Some(String::new()),
            };
        }
        Attack::Shift => {
            let subject = entries[a].texts[2].take().unwrap();
            let organisation = entries[a].texts[3].take().unwrap();
            entries[a].texts[2] = Some(String::new());
            entries[a].texts[3] = Some(subject + &organisation);
        }
        Attack::Swap => {
            let b = if a == b { (a + 1) % length } else { b };
            entries.swap(a, b);
            entries[a].position = a as i64 + 1;
            entries[b].position = b as i64 + 1;
        }
        Attack::Delete { close_up } => {
            entries.remove(a);
            if close_up {
                entries[a..].iter_mut().for_each(|entry| entry.position -= 1);
            }
        }
        Attack::Insert { close_up } => {
            entries.insert(a, entry(a as i64 + 1));
            if close_up {
                entries[a + 1..].iter_mut().for_each(|entry| entry.position += 1);
            }
        }
        Attack::Cut { go_on } => {
            entries.truncate(a);
            if go_on {
                entries.extend((a as i64 + 1..=length as i64).map(entry));
            }
        }
        Attack::Fork => {
            entries.truncate(a);
            entries.extend((a as i64 + 1..=length as i64 + 5).map(entry));
        }
    }
}

/// Writes the links anew over what the entries are now, as far as they follow each other.
fn link_anew(log: &mut Log) {
    let mut at = Link::START;
    let following = log.entries.iter().map_while(|entry| {
        at = at.next(entry).ok()?;
        Some(at)
    });
    log.links = following.collect();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// R-REG-19
    #[test]
    fn whoever_rewrites_the_log_is_found_out_by_a_checkpoint_kept_elsewhere(
        length in 2..40i64, every in 1..8usize, sign in 1..1000usize, attack in attack(), a: usize, b: usize, anew: bool,
    ) {
        let mut log = log(length, every);
        let checkpoint = log.links[sign % log.links.len()];
        let walked = walk(&log, &[checkpoint]).unwrap();
        prop_assert_eq!((walked.entries, walked.linked, walked.signed), (length, length, checkpoint.position));

        rewrite(&mut log.entries, checkpoint.position as usize, attack, a, b);
        if anew {
            link_anew(&mut log);
        }
        let fault = walk(&log, &[checkpoint]);
        prop_assert!(fault.is_err(), "{:?} was not found: {:?}", attack, fault);
    }
}

/// R-REG-19
#[test]
fn the_first_place_that_is_wrong_is_named() {
    let whole = log(20, 5);
    let signed = whole.links[1];
    assert_eq!(signed.position, 10);

    let mut edited = whole.clone();
    edited.entries[6].texts[2] = Some("somebody else".to_owned());
    assert_eq!(walk(&edited, &[]), Err(Fault::Changed { after: 5, position: 10, by: Witness::Link }));
    link_anew(&mut edited);
    assert!(walk(&edited, &[]).is_ok(), "without a checkpoint nobody can know");
    let found = Err(Fault::Changed { after: 9, position: 10, by: Witness::Checkpoint(0) });
    assert_eq!(walk(&edited, &[signed]), found);

    let mut without = whole.clone();
    without.entries.remove(6);
    assert_eq!(walk(&without, &[]), Err(Fault::Missing { position: 7, found: 8 }));

    let mut cut = whole.clone();
    cut.entries.truncate(8);
    assert_eq!(walk(&cut, &[]), Err(Fault::Cut { end: 8, position: 20, by: Witness::Link }));
    link_anew(&mut cut);
    assert_eq!(walk(&cut, &[signed]), Err(Fault::Cut { end: 8, position: 10, by: Witness::Checkpoint(0) }));

    let mut unlinked = whole.clone();
    unlinked.links.remove(1);
    assert_eq!(walk(&unlinked, &[signed]), Err(Fault::Unlinked { position: 10 }));
    assert!(walk(&whole, &[Link::START, signed]).is_ok(), "a checkpoint of an empty log is one too");
}

async fn open(path: &Path) -> Store {
    let url = format!("sqlite:{}", path.display());
    let sealing = Sealing::new(SealingKey::from_bytes([7; 32]), Sealing::beside(&url).unwrap());
    Store::open("income", &url, &sealing, &[]).await.unwrap()
}

/// Logs that many accesses, each in a transaction of its own.
async fn look(store: &Store, times: usize) {
    let actor = Actor {
        subject: "anna".to_owned(),
        organisation: Organisation::parse("organisation", "sociale-dienst").unwrap(),
        roles: vec![Role::Income, Role::Debt],
        on_behalf_of: None,
        client_id: None,
    };
    for n in 0..times {
        let mut tx = store.write().await.unwrap();
        let access = Access {
            at: Timestamp::from_second(1_772_438_400 + n as i64).unwrap(),
            actor: &actor,
            rpc: "IncomeService/GetBenefitRequest",
            purpose: "income",
            legal_ground: "public_task",
            categories: "income,debt",
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            request_id: None,
            result: "ok",
            access_point: "certificate",
            consents: &[],
            represented: &[],
            emergencies: &[],
            protocol: "0123456789abcdef",
            standings: &[],
        };
        tx.log_access(&access, &[ClientId(Uuid::new_v4())]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Opens the file as somebody with every right on it does, past the service, and takes the triggers off.
async fn break_in(path: &Path) -> SqliteConnection {
    let mut raw = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    for trigger in [
        "access_log_is_never_changed",
        "access_log_is_never_cut",
        "access_link_is_never_changed",
        "access_link_is_never_cut",
    ] {
        sqlx::query(AssertSqlSafe(format!("drop trigger {trigger}"))).execute(&mut raw).await.unwrap();
    }
    raw
}

/// The log with entries closed up and moved is what the attacker wants it to be: the table is written anew.
async fn write_anew(raw: &mut SqliteConnection, entries: &[Entry]) {
    sqlx::query("begin").execute(&mut *raw).await.unwrap();
    // Without keys, so that two may stand at one place.
    sqlx::query("create table other as select * from access_log limit 0").execute(&mut *raw).await.unwrap();
    sqlx::query("drop table access_log").execute(&mut *raw).await.unwrap();
    sqlx::query("alter table other rename to access_log").execute(&mut *raw).await.unwrap();
    let columns = TEXTS.join(", ");
    for entry in entries {
        let marks: Vec<String> = (3..3 + TEXTS.len()).map(|n| format!("${n}")).collect();
        let sql =
            format!("insert into access_log (position, occurred_at, {columns}) values ($1, $2, {})", marks.join(", "));
        let mut insert = sqlx::query(AssertSqlSafe(sql)).bind(entry.position).bind(entry.occurred_at);
        for text in &entry.texts {
            insert = insert.bind(text.clone());
        }
        insert.execute(&mut *raw).await.unwrap();
    }
    sqlx::query("commit").execute(&mut *raw).await.unwrap();
}

async fn entries(raw: &mut SqliteConnection) -> Vec<Entry> {
    let rows = sqlx::query(EVERY_ENTRY).fetch_all(raw).await.unwrap();
    rows.into_iter().map(|row| Entry::read(&Row::Lite(row)).unwrap()).collect()
}

/// R-REG-19: three hundred real files.
#[tokio::test]
async fn whoever_rewrites_a_file_is_found_out_by_a_checkpoint_kept_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original.sqlite");
    let store = open(&original).await;
    let mut checkpoints = Vec::new();
    for times in [7, 5, 8] {
        look(&store, times).await;
        checkpoints.push(store.link().await.unwrap());
    }
    look(&store, 2).await;
    store.close().await;
    let url = format!("sqlite:{}", original.display());
    let walked = verify(&url, &checkpoints).await.unwrap().unwrap();
    assert_eq!((walked.entries, walked.linked, walked.signed, walked.unplaced), (22, 20, 20, 0));

    // One file is copied: what is in the -wal file is brought into it first.
    let mut raw = SqliteConnectOptions::new().filename(&original).connect().await.unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut raw).await.unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let what = (attack(), 0..3usize, any::<usize>(), any::<usize>(), any::<bool>());
    for n in 0..300 {
        let (attack, sign, a, b, anew) = what.new_tree(&mut runner).unwrap().current();
        let path = folder.path().join(format!("{n}.sqlite"));
        std::fs::copy(&original, &path).unwrap();
        let mut raw = break_in(&path).await;
        let mut log = Log { entries: entries(&mut raw).await, links: Vec::new() };
        rewrite(&mut log.entries, checkpoints[sign].position as usize, attack, a, b);
        write_anew(&mut raw, &log.entries).await;
        if anew {
            link_anew(&mut log);
            sqlx::query("delete from access_link").execute(&mut raw).await.unwrap();
            for link in &log.links {
                let insert = sqlx::query("insert into access_link (position, hash) values ($1, $2)");
                insert.bind(link.position).bind(link.hash.to_vec()).execute(&mut raw).await.unwrap();
            }
        }
        raw.close().await.unwrap();
        let found = verify(&format!("sqlite:{}", path.display()), &checkpoints[sign..=sign]).await.unwrap();
        assert!(found.is_err(), "{n}: {attack:?} was not found: {found:?}");
        std::fs::remove_file(&path).unwrap();
    }
}

/// R-REG-19
#[tokio::test]
async fn rows_outside_the_order_and_rows_of_another_kind_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.sqlite");
    let store = open(&path).await;
    look(&store, 3).await;
    store.link().await.unwrap();
    store.close().await;
    let url = format!("sqlite:{}", path.display());
    let mut raw = break_in(&path).await;
    let entries = entries(&mut raw).await;
    write_anew(&mut raw, &entries).await;
    assert!(verify(&url, &[]).await.unwrap().is_ok());
    sqlx::query("insert into access_log select null, access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc, purpose, legal_ground, categories, request_id, trace_id, result, access_point, consents, emergency_id, protocol, standing from access_log limit 1").execute(&mut raw).await.unwrap();
    assert_eq!(verify(&url, &[]).await.unwrap(), Err(Fault::Unplaced { entries: 1 }));
    sqlx::query("delete from access_log where position is null").execute(&mut raw).await.unwrap();
    sqlx::query("update access_log set subject = x'00' where position = 2").execute(&mut raw).await.unwrap();
    let found = verify(&url, &[]).await.unwrap();
    assert!(matches!(found, Err(Fault::Unreadable { position: 2, .. })), "{found:?}");
    assert!(verify("sqlite:/nowhere/at/all", &[]).await.is_err());
}

/// R-REG-19: on a database from before the chain, what was logged takes its place in it.
#[tokio::test]
async fn what_was_logged_before_the_chain_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.sqlite");
    let mut raw = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    crate::schema::migrator(true, &[]).run_direct(Some(2), &mut raw, false).await.unwrap();
    for n in 1..=3 {
        let insert =
            "insert into access_log (access_id, occurred_at, subject, organisation, roles, rpc, purpose, result)
            values ($1, 5, 's', 'o', 'r', 'S/M', 'p', 'ok')";
        sqlx::query(insert).bind(format!("0000000{}", 4 - n)).execute(&mut raw).await.unwrap();
    }
    raw.close().await.unwrap();
    let store = open(&path).await;
    look(&store, 2).await;
    assert_eq!(store.link().await.unwrap().position, 5);
    let first = store.read().await.unwrap().row("select access_id from access_log where position = 1", args![]).await;
    assert_eq!(first.unwrap().unwrap().get::<String>("access_id").unwrap(), "00000001");
    store.close().await;
    assert_eq!(verify(&format!("sqlite:{}", path.display()), &[]).await.unwrap().unwrap().linked, 5);
}

/// R-REG-19: links and checkpoints over entries of before the fields of NEN 7513 hold, and what is written into such an
/// entry later is found.
#[tokio::test]
async fn what_was_linked_before_the_log_had_more_fields_stays_linked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.sqlite");
    let mut raw = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    crate::schema::migrator(true, &[]).run_direct(Some(10), &mut raw, false).await.unwrap();
    // As the program of before hashed it: thirteen fields under the words of its form.
    let mut hash = [0; 32];
    for n in 1..=3_i64 {
        let texts: [Option<String>; 13] =
            std::array::from_fn(|field| (field != 5 && field != 10).then(|| format!("{n}-{field}")));
        let mut context = Context::new(&SHA256);
        context.update(b"doorstroom access log, form 1\n");
        context.update(&hash);
        context.update(&n.to_be_bytes());
        context.update(&5_i64.to_be_bytes());
        for text in &texts {
            match text {
                None => context.update(&[0]),
                Some(text) => {
                    context.update(&[1]);
                    context.update(&(text.len() as u64).to_be_bytes());
                    context.update(text.as_bytes());
                }
            }
        }
        hash.copy_from_slice(context.finish().as_ref());
        let marks: Vec<String> = (2..15).map(|mark| format!("${mark}")).collect();
        let columns = TEXTS[..13].join(", ");
        let sql = format!("insert into access_log (occurred_at, {columns}) values ($1, {})", marks.join(", "));
        let mut insert = sqlx::query(AssertSqlSafe(sql)).bind(5_i64);
        for text in texts {
            insert = insert.bind(text);
        }
        insert.execute(&mut raw).await.unwrap();
    }
    let linked = "insert into access_link (position, hash) values (3, $1)";
    sqlx::query(linked).bind(hash.to_vec()).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
    let (url, before) = (format!("sqlite:{}", path.display()), Link { position: 3, hash });
    assert_eq!(verify(&url, &[before]).await.unwrap().unwrap().linked, 3, "a backup of before, as it is");

    let store = open(&path).await;
    look(&store, 2).await;
    assert_eq!(store.link().await.unwrap().position, 5);
    store.close().await;
    assert_eq!(verify(&url, &[before]).await.unwrap().unwrap().linked, 5);

    let mut raw = break_in(&path).await;
    let change = |sql: &'static str| sqlx::query(sql);
    change("update access_log set emergency_id = 'x' where position = 2").execute(&mut raw).await.unwrap();
    let found = verify(&url, &[before]).await.unwrap();
    assert_eq!(found, Err(Fault::Changed { after: 0, position: 3, by: Witness::Link }));
    // And a newer entry does not pass for one of before.
    change("update access_log set emergency_id = null where position = 2").execute(&mut raw).await.unwrap();
    change("update access_log set access_point = null, protocol = null where position = 4")
        .execute(&mut raw)
        .await
        .unwrap();
    let found = verify(&url, &[before]).await.unwrap();
    assert_eq!(found, Err(Fault::Changed { after: 3, position: 5, by: Witness::Link }));
}
