//! Sealed columns: names, BSN, addresses and free text are encrypted before they reach a database file, each under the key
//! of its client and retention class ([`crate::keys`]), and bound to the row and column where it belongs.
//!
//! What is sealed begins with [`MARK`]. What does not was sealed when there was one key for all; it still opens, and is
//! sealed under the client's key when it is next written.

use crate::keys::{Found, Keys};
use crate::{Error, Result};
use futures_util::future::BoxFuture;
use kernel::{ClientId, Refusal, general};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The key from which a service's lookups are derived: 32 bytes. Prints as dots, and is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// A key from configuration.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key as it stands in a file: 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut key = Self(Zeroizing::default());
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
        for (byte, pair) in key.0.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        (text.len() == 64).then_some(key)
    }

    /// A fresh key; `None` when the machine has no randomness to give.
    pub fn generate() -> Option<Self> {
        let mut key = Self(Zeroizing::default());
        SystemRandom::new().fill(&mut *key.0).ok()?;
        Some(key)
    }

    /// The bytes, to be kept where only the operator can read them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn root(&self) -> hkdf::Prk {
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorstroom").extract(&*self.0)
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(•••)")
    }
}

/// The master keys, by id: they wrap the keys of clients, and are in no database. Prints as dots.
#[derive(Clone)]
pub struct Masters(Vec<(String, SealingKey)>);

/// The id of the master key that is derived from the sealing key, for who configured no others.
pub const DERIVED_MASTER: &str = "sealing-key";

impl Masters {
    /// The one that is derived from the sealing key.
    pub fn derived(key: &SealingKey) -> Self {
        Self(vec![(DERIVED_MASTER.to_owned(), derive(&key.root(), b"master"))])
    }

    /// Reads a file with a master key per line, `ID KEY` with 64 hexadecimal digits, the newest last; `#` begins a
    /// comment. The one that is derived from the sealing key stays known, so that it can be rotated away from.
    pub fn parse(text: &str, key: &SealingKey) -> std::result::Result<Self, String> {
        let mut masters = Self::derived(key);
        for (n, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let read = line.split_once(char::is_whitespace).and_then(|(id, key)| {
                let named = id.len() <= 40 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                SealingKey::from_hex(key.trim()).filter(|_| named).map(|key| (id.to_owned(), key))
            });
            let (id, key) = read.ok_or_else(|| format!("line {} is not ID and 64 hexadecimal digits", n + 1))?;
            if masters.0.iter().any(|(known, _)| *known == id) {
                return Err(format!("line {}: there is a master key {id} already", n + 1));
            }
            masters.0.push((id, key));
        }
        if masters.0.len() == 1 {
            return Err("there is no master key in it".to_owned());
        }
        Ok(masters)
    }

    pub(crate) fn newest(&self) -> (&str, LessSafeKey) {
        let (id, key) = self.0.last().expect("there is the derived one at least");
        (id, aead(key))
    }

    pub(crate) fn get(&self, id: &str) -> Option<LessSafeKey> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, key)| aead(key))
    }
}

impl std::fmt::Debug for Masters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

/// How long something is kept; each class of a client has a key of its own, so that one can go before the others (R-REG-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retention {
    /// The file: fifteen years (Wmo 5.3.4).
    File,
    /// A plan and its goals: five years when no provision followed.
    Plan,
    /// What others reported about the client: until its own term is over.
    Report,
}

impl Retention {
    /// The key of this class of a client.
    pub fn of(self, client: ClientId) -> KeyOf {
        KeyOf { client: Some(client), class: self.as_str() }
    }

    /// Its key in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Plan => "plan",
            Self::Report => "report",
        }
    }
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyOf {
    pub(crate) client: Option<ClientId>,
    pub(crate) class: &'static str,
}

impl KeyOf {
    /// The service's own, for what is about no client.
    pub const SERVICE: KeyOf = KeyOf { client: None, class: "service" };

    /// As it stands in the database: empty for the service.
    pub(crate) fn owner(&self) -> String {
        self.client.map_or(String::new(), |client| client.to_string())
    }
}

/// What a sealed column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The text.
    Text(String),
    /// Nothing that anybody can read: its key was destroyed.
    Erased,
}

impl Opened {
    /// The text, or the refusal that it was destroyed.
    pub fn text(self) -> Result<String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Erased => Err(erased().into()),
        }
    }

    /// The text; empty when it was destroyed.
    pub fn or_empty(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Erased => String::new(),
        }
    }
}

/// The refusal for what was destroyed (R-REG-22).
fn erased() -> Refusal {
    (&general::ERASED).into()
}

/// How what is sealed under a client's key begins.
const MARK: &[u8; 4] = b"\xd0K\x01\n";

/// Seals and opens columns, and makes the keyed hash by which a sealed value can still be looked up.
pub struct Sealer {
    /// The one key of before there was a key per client: it only opens.
    before: LessSafeKey,
    lookups: hmac::Key,
    /// A key store itself has none.
    keys: Option<Arc<Keys>>,
}

impl Sealer {
    pub(crate) fn new(key: &SealingKey, keys: Option<Keys>) -> Self {
        let root = key.root();
        Self {
            before: aead(&derive(&root, b"columns")),
            lookups: hmac::Key::new(hmac::HMAC_SHA256, derive(&root, b"lookups").expose()),
            keys: keys.map(Arc::new),
        }
    }

    /// The id of a client who is not there yet, with the key of the file on disk.
    pub fn fresh_client(&self) -> BoxFuture<'_, Result<ClientId>> {
        Box::pin(async move { self.keys()?.fresh_client().await })
    }

    /// Encrypts a text for one place, such as `client.bsn` of one client. The result fits a `bytea` column. A key that does
    /// not exist yet is made first; one that was destroyed is a refusal.
    pub fn seal<'a>(
        &'a self,
        key: KeyOf,
        column: &'a str,
        row: impl std::fmt::Display,
        text: &'a str,
    ) -> BoxFuture<'a, Result<Vec<u8>>> {
        self.seal_at(key, place(column, &row), text)
    }

    fn seal_at<'a>(&'a self, key: KeyOf, place: String, text: &'a str) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            match self.keys()?.get_or_make(key).await? {
                Found::Key(key) => Ok([MARK.as_slice(), &encrypt(&aead(&key), &place, text.as_bytes())?].concat()),
                Found::Destroyed | Found::Nothing => Err(erased().into()),
            }
        })
    }

    /// Decrypts what was sealed for that very place; anything else is an inconsistency, but for what was destroyed.
    pub fn open<'a>(
        &'a self,
        key: KeyOf,
        column: &'a str,
        row: impl std::fmt::Display,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Opened>> {
        self.open_at(key, column, place(column, &row), sealed)
    }

    fn open_at<'a>(
        &'a self,
        key: KeyOf,
        column: &'a str,
        place: String,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async move {
            let found = self.keys()?.get(key).await?;
            let text = match (&found, sealed.strip_prefix(MARK)) {
                (Found::Destroyed, _) => return Ok(Opened::Erased),
                (Found::Key(key), Some(body)) => decrypt(&aead(key), &place, body),
                _ => None,
            };
            // The random beginning of what was sealed before may look like the mark.
            match text.or_else(|| decrypt(&self.before, &place, sealed)) {
                Some(text) => Ok(Opened::Text(text)),
                None if matches!(found, Found::Nothing) => Err(Error::inconsistent(
                    column,
                    "sealed",
                    "its key is not in the key store: an older copy was put back",
                )),
                None => Err(Error::inconsistent(column, "sealed", "does not open with this key in this place")),
            }
        })
    }

    /// The keyed hash under which a value can be found again without being readable; `kind` keeps kinds apart.
    pub fn lookup(&self, kind: &str, text: &str) -> Vec<u8> {
        hmac::sign(&self.lookups, format!("{kind}/{text}").as_bytes()).as_ref().to_vec()
    }

    /// Whether this key was destroyed, alone or with all of its client.
    pub fn is_destroyed(&self, key: KeyOf) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.is_destroyed(key))
    }

    /// Whether everything of a client was destroyed.
    pub fn erased(&self, client: ClientId) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.erased(client))
    }

    pub(crate) fn keys(&self) -> Result<&Arc<Keys>> {
        self.keys.as_ref().ok_or_else(|| Error::Keys("a key store seals nothing itself".to_owned()))
    }
}

/// What a sealed text is bound to.
fn place(column: &str, row: &impl std::fmt::Display) -> String {
    format!("{column}/{row}")
}

/// A key ready for use: its schedule is not overwritten, so it is made for one use and not kept.
pub(crate) fn aead(key: &SealingKey) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).expect("32 bytes"))
}

/// A fresh nonce and what it encrypted.
pub(crate) fn encrypt(key: &LessSafeKey, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let fault = || Error::Keys("the machine gave no randomness".to_owned());
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| fault())?;
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
        .map_err(|_| fault())?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(crate) fn decrypt_bytes(key: &LessSafeKey, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut body = Zeroizing::new(body.to_vec());
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut body).ok()?.len();
    body.truncate(plain);
    Some(body)
}

fn decrypt(key: &LessSafeKey, place: &str, sealed: &[u8]) -> Option<String> {
    String::from_utf8(std::mem::take(&mut *decrypt_bytes(key, place, sealed)?)).ok()
}

fn derive(root: &hkdf::Prk, what: &[u8]) -> SealingKey {
    let mut key = SealingKey(Zeroizing::default());
    root.expand(&[what], hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut *key.0)).expect("32 bytes is a valid length");
    key
}

#[cfg(test)]
impl Sealer {
    /// Seals as when there was one key for all.
    pub(crate) fn seal_before(&self, column: &str, row: &str, text: &str) -> Vec<u8> {
        encrypt(&self.before, &place(column, &row), text.as_bytes()).unwrap()
    }

    /// The same, beginning with this nonce.
    pub(crate) fn seal_before_with(&self, nonce: [u8; NONCE_LEN], column: &str, row: &str, text: &str) -> Vec<u8> {
        let mut sealed = text.as_bytes().to_vec();
        let (once, place) = (Nonce::assume_unique_for_key(nonce), Aad::from(place(column, &row)));
        self.before.seal_in_place_append_tag(once, place, &mut sealed).unwrap();
        [nonce.as_slice(), &sealed].concat()
    }
}
