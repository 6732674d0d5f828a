//! Sealed columns: names, BSN, addresses and free text are encrypted before they reach a database file, bound to the row
//! and column where they belong. One type does it, so that a key per client can follow.

use crate::{Error, Result};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};

/// The key from which all others of one service are derived: 32 bytes. Prints as dots.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// A key from configuration.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh key; `None` when the machine has no randomness to give.
    pub fn generate() -> Option<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The bytes, to be kept where only the operator can read them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(•••)")
    }
}

/// Seals and opens columns, and makes the keyed hash by which a sealed value can still be looked up.
pub struct Sealer {
    columns: LessSafeKey,
    lookups: hmac::Key,
    random: SystemRandom,
}

impl Sealer {
    /// Derives the working keys.
    pub fn new(key: &SealingKey) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorstroom").extract(&key.0);
        Self {
            columns: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derive(&root, b"columns")).expect("32 bytes")),
            lookups: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, b"lookups")),
            random: SystemRandom::new(),
        }
    }

    /// Encrypts a text for one place, such as `client.bsn` of one client. The result fits a `bytea` column.
    pub fn seal(&self, column: &str, row: impl std::fmt::Display, text: &str) -> Result<Vec<u8>> {
        let fault = || Error::inconsistent(column, "sealed", "the machine gave no randomness");
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| fault())?;
        let mut sealed = text.as_bytes().to_vec();
        let place = Aad::from(format!("{column}/{row}"));
        self.columns
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut sealed)
            .map_err(|_| fault())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what was sealed for that very place; anything else is an inconsistency.
    pub fn open(&self, column: &str, row: impl std::fmt::Display, sealed: &[u8]) -> Result<String> {
        let fault = || Error::inconsistent(column, "sealed", "does not open with this key in this place");
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(fault)?;
        let mut body = body.to_vec();
        let place = Aad::from(format!("{column}/{row}"));
        let plain =
            self.columns.open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut body).map_err(|_| fault())?;
        String::from_utf8(plain.to_vec()).map_err(|_| fault())
    }

    /// The keyed hash under which a value can be found again without being readable; `kind` keeps kinds apart.
    pub fn lookup(&self, kind: &str, text: &str) -> Vec<u8> {
        hmac::sign(&self.lookups, format!("{kind}/{text}").as_bytes()).as_ref().to_vec()
    }
}

fn derive(root: &hkdf::Prk, what: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    root.expand(&[what], hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key)).expect("32 bytes is a valid length");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&SealingKey::from_bytes([7; 32]))
    }

    #[test]
    fn a_sealed_text_opens_only_in_its_own_place() {
        let sealed = sealer().seal("client.name", 1, "Noor").unwrap();
        assert_eq!(sealer().open("client.name", 1, &sealed).unwrap(), "Noor");
        assert!(sealer().open("client.name", 2, &sealed).is_err());
        assert!(sealer().open("client.bsn", 1, &sealed).is_err());
        assert!(Sealer::new(&SealingKey::from_bytes([8; 32])).open("client.name", 1, &sealed).is_err());
        assert!(sealer().open("client.name", 1, &sealed[..5]).is_err());
    }

    #[test]
    fn the_same_text_is_never_sealed_the_same_and_always_found() {
        let (one, two) = (sealer().seal("c", 1, "x").unwrap(), sealer().seal("c", 1, "x").unwrap());
        assert_ne!(one, two);
        assert_eq!(sealer().lookup("bsn", "999990019"), sealer().lookup("bsn", "999990019"));
        assert_ne!(sealer().lookup("bsn", "999990019"), sealer().lookup("v", "999990019"));
    }
}
