//! An issuer's public keys: fixed, in a file, or at a URL.

use crate::Issuer;
use crate::fetch::Source;
use crate::jose::{Algorithm, Found, KeySet, PublicKey};
use crate::watched::Watched;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A key set is no larger than this.
const MOST_BYTES: usize = 256 * 1024;

/// The public keys of an issuer.
pub struct Keys(Origin);

enum Origin {
    Fixed(Arc<KeySet>),
    File(Watched<KeySet>),
    Url(Box<Remote>),
}

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeysError(String);

/// How often a key set is fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// An unknown `kid` makes us fetch again, at most this often; after a failure we try again after this.
    pub again: Duration,
    /// Otherwise it is fetched this often, so that a key that was taken out stops working.
    pub fresh: Duration,
    /// The last good set survives an outage this long: longer than any token lives, and not for ever, so that nobody keeps
    /// a withdrawn key working by keeping us from the issuer.
    pub kept: Duration,
    /// One fetch may take this long.
    pub patience: Duration,
}

impl Pace {
    pub const USUAL: Pace = Pace {
        again: Duration::from_secs(5),
        fresh: Duration::from_secs(300),
        kept: Duration::from_secs(24 * 3600),
        patience: Duration::from_secs(5),
    };
}

impl Keys {
    /// A fixed key set (RFC 7517).
    pub fn from_jwks(json: &str) -> Result<Self, KeysError> {
        KeySet::read(json.as_bytes()).map(|set| Self(Origin::Fixed(Arc::new(set)))).map_err(KeysError)
    }

    /// The key set in a file, read again as soon as it changes.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeysError> {
        let path = path.as_ref();
        let file = Watched::open(path, MOST_BYTES as u64, KeySet::read);
        file.map(|file| Self(Origin::File(file))).map_err(|why| KeysError(format!("{}: {why}", path.display())))
    }

    /// The key set at an https URL. Nothing is fetched yet: an issuer that is away does not keep a service from starting;
    /// until its keys are here its tokens are refused.
    pub fn from_url(url: &str) -> Result<Self, KeysError> {
        Ok(Self::remote(Source::new(url).map_err(KeysError)?, Pace::USUAL))
    }

    pub(crate) fn remote(source: Source, pace: Pace) -> Self {
        Self(Origin::Url(Box::new(Remote { source, pace, last: RwLock::default(), tried: Mutex::new(None) })))
    }

    /// Whether the set as it is here now holds the public half of that key.
    pub fn holds(&self, issuer: &Issuer) -> bool {
        self.here().any(|key| *key == PublicKey::Ed25519(issuer.public_key().to_vec()))
    }

    /// Whether both sets as they are here now hold the same key.
    pub(crate) fn shares(&self, other: &Keys) -> bool {
        let other = other.here();
        self.here().any(|key| other.any(|theirs| theirs == key))
    }

    /// Whether the set as it is here now can verify one of these algorithms.
    pub(crate) fn serves(&self, algorithms: &[Algorithm]) -> bool {
        self.here().any(|key| algorithms.contains(&key.algorithm()))
    }

    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.0, Origin::Url(_))
    }

    fn here(&self) -> Arc<KeySet> {
        match &self.0 {
            Origin::Fixed(set) => set.clone(),
            Origin::File(file) => file.current(),
            Origin::Url(remote) => remote.here(),
        }
    }

    /// The key in the set as it is here now.
    pub(crate) fn look(&self, kid: &str, algorithm: Algorithm) -> Found {
        self.here().find(kid, algorithm)
    }

    /// The same, after a look at the issuer when the `kid` is not known here.
    pub(crate) async fn find(&self, kid: &str, algorithm: Algorithm) -> Found {
        match (self.look(kid, algorithm), &self.0) {
            (Found::Nothing, Origin::Url(remote)) => {
                remote.fetch_unless_within(remote.pace.again).await;
                self.look(kid, algorithm)
            }
            (found, _) => found,
        }
    }

    /// Keeps the keys at a URL fresh for as long as it is polled.
    pub(crate) async fn keep(&self) {
        let Origin::Url(remote) = &self.0 else { return };
        loop {
            let good = remote.fetch_unless_within(Duration::ZERO).await;
            tokio::time::sleep(if good { remote.pace.fresh } else { remote.pace.again }).await;
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Keys").field(&self.here()).finish()
    }
}

struct Remote {
    source: Source,
    pace: Pace,
    /// The last good set, and since when it is here.
    last: RwLock<Option<(Arc<KeySet>, Instant)>>,
    /// When the last attempt ended; held during an attempt, so that there is one at a time.
    tried: Mutex<Option<Instant>>,
}

impl Remote {
    fn here(&self) -> Arc<KeySet> {
        match &*self.last.read().unwrap_or_else(PoisonError::into_inner) {
            Some((set, since)) if since.elapsed() < self.pace.kept => set.clone(),
            _ => Arc::default(),
        }
    }

    /// Fetches unless that was tried that short a while ago; says whether the keys are fresh.
    async fn fetch_unless_within(&self, pause: Duration) -> bool {
        let mut tried = self.tried.lock().await;
        if tried.is_some_and(|at| at.elapsed() < pause) {
            return false;
        }
        // Also when whoever waits for it goes away in the middle, this was an attempt.
        *tried = Some(Instant::now());
        let fetched = self.source.fetch(MOST_BYTES, self.pace.patience).await.and_then(|json| KeySet::read(&json));
        *tried = Some(Instant::now());
        match fetched {
            Ok(set) => {
                *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::new(set), Instant::now()));
                true
            }
            Err(why) => {
                tracing::warn!(url = %self.source, %why, "a key set could not be fetched; the last good one stays");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
