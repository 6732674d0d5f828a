//! Everything that reads what somebody else wrote, given what nobody would write: noise, and true texts cut short, doubled,
//! with lines gone or characters turned over. It is read or refused, and never breaks off; what is signed or tagged is read as
//! it was or not at all. Tokens have tests of their own (`auth`), messages and events too (`fuzz`, `false_peers`).
//!
//! `DOORSTROOM_FUZZ` and `DOORSTROOM_FUZZ_SEED` as in `fuzz`.

use crate::fuzz::setting;
use auth::{Checkpoint, Issuer, Keys, Policy, Protocol, Purposes, Revocations, Standing, Thumbprint, Trusted};
use chain_tests::root;
use chassis::{Bounds, Files, Limits, Page, TraceContext};
use kernel::Calendar;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use store::{Cursor, Masters, SealingKey};

/// Texts per decoder unless `DOORSTROOM_FUZZ` says otherwise.
const USUAL: u64 = 1000;

/// Characters that mean something to somebody.
const ODD: &[char] =
    &['\u{0}', '"', '\'', '\\', '[', ']', '{', '}', '=', '-', '.', '9', '\n', '#', 'é', '🦊', '\u{202e}'];

/// The `n`-th text that is nearly `text`: the same whenever it is drawn with this seed.
fn nearly(text: &str, n: u64) -> String {
    let mut dice = SmallRng::seed_from_u64(setting("DOORSTROOM_FUZZ_SEED", 1) << 32 | n);
    let mut characters: Vec<char> = text.chars().collect();
    match n % 5 {
        0 => characters.truncate(dice.random_range(0..=characters.len())),
        1 => characters = (0..dice.random_range(0..80)).map(|_| dice.random()).collect(),
        2 => {
            let mut lines: Vec<&str> = text.lines().collect();
            let (from, to) = (dice.random_range(0..=lines.len()), dice.random_range(0..=lines.len()));
            let moved: Vec<&str> = lines.drain(from.min(to)..from.max(to)).collect();
            if dice.random() {
                lines.extend(moved.iter().chain(&moved));
            }
            characters = lines.join("\n").chars().collect();
        }
        _ => {
            for _ in 0..dice.random_range(1..4) {
                let at = dice.random_range(0..=characters.len());
                let odd = *ODD.choose(&mut dice).expect("there are some");
                match at < characters.len() && dice.random() {
                    true => characters[at] = odd,
                    false => characters.insert(at, odd),
                }
            }
        }
    }
    characters.into_iter().collect()
}

fn texts(text: &str) -> impl Iterator<Item = String> {
    (0..setting("DOORSTROOM_FUZZ", USUAL)).map(|n| nearly(text, n))
}

#[test]
fn what_is_signed_is_read_as_it_was_or_not_at_all() {
    let issuer = Issuer::generate("https://services.example.nl/housing").unwrap();
    let keys = Keys::from_jwks(&issuer.jwks()).unwrap();
    let (service, hash, at) = ("housing".to_owned(), "07".repeat(32), "2026-03-02T09:00:00Z".to_owned());
    let signed = issuer.sign(&Checkpoint { service, epoch: 1, position: 12, hash, at });
    let whole = Checkpoint::read(&signed, &keys).unwrap();
    for text in texts(&signed) {
        if let Ok(read) = Checkpoint::read(&text, &keys) {
            assert_eq!(read, whole, "{text:?}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_one_that_was_given_out_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let sealing = store::Sealing::new(SealingKey::from_bytes([1; 32]), url("keys.db"));
    let store = store::Store::open("housing", &url("housing.db"), &sealing, &[]).await.unwrap();
    let cursor = store.write_cursor(Cursor { position: 0 });
    assert_eq!(store.read_cursor(&cursor).await.unwrap().position, 0);
    for text in texts(&cursor).filter(|text| *text != cursor) {
        assert!(store.read_cursor(&text).await.is_err(), "{text:?}");
    }
    store.close().await;
}

#[test]
fn headers_and_tokens_of_pages_are_read_or_refused() {
    for text in texts("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") {
        assert!(TraceContext::parse(&text).is_none_or(|read| TraceContext::parse(&read.to_string()) == Some(read)));
    }
    for text in texts("12345678m") {
        let _ = Bounds::until(&text);
    }
    for text in texts("calls_per_second=50 burst=100 header_bytes=16384") {
        let _ = Limits::parse(&text);
    }
    let key = ["1772438400000000", "2026-03-02", "0190a5d0-0000-7000-8000-000000000000"];
    for text in texts(&Page::token(key.map(str::to_owned).into())) {
        let Ok(page) = Page::read(0, &text, 100) else { continue };
        for part in 0..4 {
            let _ = (page.timestamp(part), page.date(part), page.uuid(part));
        }
    }
}

#[test]
fn keys_and_lists_of_whoever_runs_it_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::generate("https://id.example.nl").unwrap();
    for text in texts(&issuer.jwks()) {
        let _ = Keys::from_jwks(&text);
    }
    for text in texts(&issuer.to_pem()) {
        let _ = Issuer::from_pem("x", &text);
    }
    let key = SealingKey::from_bytes([1; 32]);
    for text in texts(&format!("2026-1 {} # the first\n2026-2 {}\n", "ab".repeat(32), "cd".repeat(32))) {
        let _ = Masters::parse(&text, &key);
    }
    for text in texts(&"ab".repeat(32)) {
        assert_eq!(
            SealingKey::from_hex(&text).is_some(),
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
        );
    }
    for text in texts(&Thumbprint::of(b"a certificate").to_string()) {
        let _ = Thumbprint::parse(&text);
    }
    for text in texts(&std::fs::read_to_string(root().join("deploy/issuers.toml")).unwrap()) {
        let _ = Trusted::from_toml(&text, folder.path());
    }
    let revoked = folder.path().join("revoked.toml");
    for text in texts("[[revoked]]\nissuer = \"x\"\nsubject = \"y\"\nat = 2026-03-02T09:15:00+01:00\n") {
        std::fs::write(&revoked, text).unwrap();
        let _ = Revocations::from_file(&revoked);
    }
}

/// R-REG-13: a table that is read says of every line who may pass, in words that are known.
#[test]
fn tables_of_rights_are_read_whole_or_refused() {
    let table = std::fs::read_to_string(root().join("shared/auth/policy/access.toml")).unwrap();
    for text in texts(&table) {
        let Ok(policy) = Policy::parse(&[("access", &text)]) else { continue };
        assert!(policy.lines().all(|(_, rule)| !rule.all().is_empty()));
    }
    for text in texts(&std::fs::read_to_string(root().join("shared/auth/purposes.toml")).unwrap()) {
        let _ = Purposes::parse(&text);
    }
    for text in texts(&Protocol::text([("A/B".to_owned(), vec!["regie".to_owned()])].into())) {
        let _ = Protocol::read(&Protocol::version(&text), &text);
    }
    for text in texts("owner,client,organisation,person,emergency:vo") {
        assert!(Standing::from_words(&text).is_none_or(|read| Standing::from_words(&read.words()) == Some(read)));
    }
}

/// R-REG-09 and whatever a municipality decides: local policy, calendar, register and yearly figures.
#[test]
fn policy_files_are_read_or_keep_a_service_from_starting() {
    for text in texts(Calendar::FILE) {
        let _ = Calendar::parse(&text);
    }
    let folder = tempfile::tempdir().unwrap();
    let files = Files::in_folder(folder.path()).unwrap();
    for file in std::fs::read_dir(root().join("deploy/policy")).unwrap() {
        let (name, text) = (file.as_ref().unwrap().file_name(), std::fs::read_to_string(file.unwrap().path()).unwrap());
        let mut refused = 0;
        // Each reads six services' files.
        for text in texts(&text).take(100) {
            std::fs::write(folder.path().join(&name), text).unwrap();
            let read = [
                access::Access::from_files(&files).is_ok(),
                housing::Housing::from_files(&files).is_ok(),
                income::Income::from_files(&files).is_ok(),
                aftercare::Aftercare::from_files(&files).is_ok(),
                regie::Regie::from_files(&files).is_ok(),
                monitor::Monitor::from_files(&files).is_ok(),
            ];
            refused += u32::from(read.contains(&false));
        }
        assert!(refused > 20, "{name:?} was refused {refused} times");
        std::fs::remove_file(folder.path().join(&name)).unwrap();
    }
}
