//! Token to actor: EdDSA only, keys by `kid`, every claim checked, verified tokens remembered until they expire.

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet, KeyAlgorithm},
};
use kernel::{Actor, ClientId, Organisation, Refusal, Role, general};
use serde::Deserialize;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

/// A token longer than this is not looked at.
const TOKEN_BYTES: usize = 8 * 1024;
/// How far an issuer's clock may be ahead of ours.
const SKEW: Duration = Duration::from_secs(30);
/// How often an unknown `kid` may make us read the key file again.
const REREAD: Duration = Duration::from_secs(1);
/// After this the key file is read again anyhow, so that a removed key stops working.
const REFRESH: Duration = Duration::from_secs(60);
/// Verified tokens remembered per generation; there are two.
const REMEMBERED: usize = 8 * 1024;

/// The public keys of an issuer, by `kid`.
#[derive(Debug)]
pub struct Keys {
    file: Option<PathBuf>,
    loaded: RwLock<Loaded>,
}

struct Loaded {
    by_kid: HashMap<String, DecodingKey>,
    read_at: Instant,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.by_kid.keys()).finish()
    }
}

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("the key set {0} cannot be read")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It is no JSON Web Key Set.
    #[error("the key set is not a JSON Web Key Set")]
    Malformed(#[source] serde_json::Error),
    /// It holds no Ed25519 key with a `kid`.
    #[error("the key set holds no Ed25519 key with a kid")]
    Empty,
}

impl Keys {
    /// A fixed key set (RFC 7517).
    pub fn from_jwks(json: &str) -> Result<Self, KeysError> {
        let by_kid = parse(json)?;
        Ok(Self { file: None, loaded: RwLock::new(Loaded { by_kid, read_at: Instant::now() }) })
    }

    /// The key set in a file. An unknown `kid` makes us read it again, at most once a second; a key that was taken out
    /// stops working within a minute.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeysError> {
        let path = path.as_ref();
        let by_kid = read(path)?;
        let loaded = RwLock::new(Loaded { by_kid, read_at: Instant::now() });
        Ok(Self { file: Some(path.to_owned()), loaded })
    }

    fn knows(&self, kid: &str) -> bool {
        self.refresh_after(REFRESH);
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).by_kid.contains_key(kid)
    }

    pub(crate) fn find(&self, kid: &str) -> Option<DecodingKey> {
        let look = || self.loaded.read().unwrap_or_else(PoisonError::into_inner).by_kid.get(kid).cloned();
        self.refresh_after(REFRESH);
        look().or_else(|| {
            self.refresh_after(REREAD);
            look()
        })
    }

    /// Reads the file again if the last look is that long ago. A file that cannot be read leaves the keys as they are.
    fn refresh_after(&self, age: Duration) {
        let Some(path) = &self.file else { return };
        if self.loaded.read().unwrap_or_else(PoisonError::into_inner).read_at.elapsed() < age {
            return;
        }
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        if loaded.read_at.elapsed() < age {
            return; // somebody else just did
        }
        loaded.read_at = Instant::now();
        if let Ok(by_kid) = read(path) {
            loaded.by_kid = by_kid;
        }
    }
}

fn read(path: &Path) -> Result<HashMap<String, DecodingKey>, KeysError> {
    parse(&std::fs::read_to_string(path).map_err(|e| KeysError::Unreadable(path.to_owned(), e))?)
}

/// Takes the Ed25519 keys with a `kid` out of a key set; keys of other kinds are passed over.
fn parse(json: &str) -> Result<HashMap<String, DecodingKey>, KeysError> {
    let set: JwkSet = serde_json::from_str(json).map_err(KeysError::Malformed)?;
    let usable = |jwk: &&jsonwebtoken::jwk::Jwk| {
        let ed25519 =
            matches!(&jwk.algorithm, AlgorithmParameters::OctetKeyPair(p) if p.curve == EllipticCurve::Ed25519);
        ed25519 && matches!(jwk.common.key_algorithm, None | Some(KeyAlgorithm::EdDSA))
    };
    let by_kid: HashMap<_, _> = set
        .keys
        .iter()
        .filter(usable)
        .filter_map(|jwk| Some((jwk.common.key_id.clone()?, DecodingKey::from_jwk(jwk).ok()?)))
        .collect();
    if by_kid.is_empty() { Err(KeysError::Empty) } else { Ok(by_kid) }
}

/// Checks tokens of one issuer and says who asks.
#[derive(Debug)]
pub struct Verifier {
    keys: Keys,
    issuer: String,
    validation: Validation,
    remembered: RwLock<Generations>,
}

type Fingerprint = [u8; 32];

/// A bounded cache: when the young generation is full, the old one is forgotten and the young one becomes old.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Fingerprint, Verified>,
    old: HashMap<Fingerprint, Verified>,
}

#[derive(Clone, Debug)]
struct Verified {
    actor: Arc<Actor>,
    kid: Arc<str>,
    expires: SystemTime,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    exp: u64,
    iat: u64,
    #[serde(default)]
    nbf: u64,
    sub: String,
    org: String,
    roles: Vec<String>,
    #[serde(default)]
    act: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
}

impl Verifier {
    /// Trusts exactly one issuer, so that a development token is worth nothing where another issuer is configured.
    pub fn new(keys: Keys, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[crate::AUDIENCE]);
        validation.set_issuer(&[&issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are judged below, against the instant that the caller gives.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { keys, issuer, validation, remembered: RwLock::default() }
    }

    /// Who asks, from the value of the header `authorization` (empty if there is none), at that instant of real time.
    pub fn verify(&self, authorization: &str, now: SystemTime) -> Result<Arc<Actor>, Refusal> {
        let token = match authorization.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => token.trim(),
            _ => return Err((&general::TOKEN_MISSING).into()),
        };
        if token.len() > TOKEN_BYTES {
            return Err(invalid("it is too long"));
        }
        let fingerprint = fingerprint(token);
        if let Some(known) = self.remembered(&fingerprint) {
            if known.expires <= now {
                return Err(invalid("it has expired"));
            }
            if self.keys.knows(&known.kid) {
                return Ok(known.actor);
            }
        }
        let verified = self.check(token, now)?;
        let actor = verified.actor.clone();
        self.remember(fingerprint, verified);
        Ok(actor)
    }

    fn check(&self, token: &str, now: SystemTime) -> Result<Verified, Refusal> {
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| invalid("it is not a signed JWT of a known kind"))?;
        if header.alg != Algorithm::EdDSA {
            return Err(invalid("its algorithm is not EdDSA"));
        }
        let typ = header.typ.as_deref().unwrap_or_default();
        if !typ.eq_ignore_ascii_case("jwt") && !typ.eq_ignore_ascii_case("at+jwt") {
            return Err(invalid("its type is neither JWT nor at+jwt"));
        }
        let kid = header.kid.ok_or_else(|| invalid("it names no key"))?;
        // Only keys of our own set count: a key that the token brings along is never looked at.
        let key = self.keys.find(&kid).ok_or_else(|| invalid("its key is not in the key set"))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation).map_err(why)?.claims;

        let instant = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let expires = instant(claims.exp).ok_or_else(|| invalid("its expiry is absurd"))?;
        if claims.iss != self.issuer {
            return Err(invalid("its issuer is not the one trusted here"));
        }
        if expires <= now {
            return Err(invalid("it has expired"));
        }
        if instant(claims.nbf).is_none_or(|from| from > now + SKEW) {
            return Err(invalid("it is not valid yet"));
        }
        if instant(claims.iat).is_none_or(|at| at > now + SKEW) {
            return Err(invalid("it was issued in the future"));
        }
        Ok(Verified { actor: Arc::new(actor(claims)?), kid: kid.into(), expires })
    }

    fn remembered(&self, fingerprint: &Fingerprint) -> Option<Verified> {
        let known = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(hit) = known.young.get(fingerprint) {
            return Some(hit.clone());
        }
        let hit = known.old.get(fingerprint).cloned()?;
        drop(known);
        self.remember(*fingerprint, hit.clone());
        Some(hit)
    }

    fn remember(&self, fingerprint: Fingerprint, verified: Verified) {
        let mut known = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if known.young.len() >= REMEMBERED {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(fingerprint, verified);
    }
}

fn actor(claims: Claims) -> Result<Actor, Refusal> {
    let roles: Option<Vec<Role>> = claims.roles.iter().map(|key| Role::from_key(key)).collect();
    let roles =
        roles.filter(|roles| !roles.is_empty()).ok_or_else(|| invalid("it has no role, or one unknown here"))?;
    let organisation = Organisation::parse("org", &claims.org).map_err(|_| invalid("its organisation is no code"))?;
    let client_id = claims
        .client_id
        .map(|id| ClientId::parse("client_id", &id).map_err(|_| invalid("its client_id is no id")))
        .transpose()?;
    if claims.sub.is_empty() || claims.sub.len() > 200 {
        return Err(invalid("its subject is empty or too long"));
    }
    if roles.contains(&Role::Client) != client_id.is_some() {
        return Err(invalid("a client token has a client_id, and no other token has one"));
    }
    if client_id.is_some() && roles.len() > 1 {
        return Err(invalid("a client token has no other role"));
    }
    Ok(Actor { subject: claims.sub, organisation, roles, on_behalf_of: claims.act, client_id })
}

/// Says what is wrong in words of our own; the library's words could quote the token.
fn why(error: jsonwebtoken::errors::Error) -> Refusal {
    use jsonwebtoken::errors::ErrorKind;
    invalid(match error.kind() {
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidIssuer => "its issuer is not the one trusted here",
        ErrorKind::InvalidAudience => "it is meant for another audience",
        ErrorKind::MissingRequiredClaim(_) => "it lacks a claim",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "its algorithm is not EdDSA",
        _ => "its claims cannot be read",
    })
}

fn invalid(why: &'static str) -> Refusal {
    general::TOKEN_INVALID.with("why", why)
}

fn fingerprint(token: &str) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest.as_ref());
    fingerprint
}

#[cfg(test)]
mod tests;
