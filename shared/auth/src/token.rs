//! Token to actor: the issuer says which keys, algorithms and types count, every claim is checked, and verified tokens are
//! remembered until they expire, their key goes or they are withdrawn.

use crate::jose::{Algorithm, Found, KID_BYTES, PublicKey, strict};
use crate::keys::Keys;
use crate::revoked::{self, List, Revocations};
use crate::trust::{Trust, TrustError, beside_development, plain};
use crate::why::{self, Why};
use crate::{DEVELOPMENT_ISSUER, Thumbprint};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Actor, Refusal, general};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A token longer than this is not looked at.
const TOKEN_BYTES: usize = 8 * 1024;
/// How far an issuer's clock may be ahead of ours. Leeway only ever makes us refuse less of what is new: a token that has
/// expired has expired.
pub(crate) const SKEW: Duration = Duration::from_secs(30);
/// No token names a moment after this: the end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;
/// Verified tokens remembered per generation; there are two.
const REMEMBERED: usize = 8 * 1024;
/// How often the list of revocations is looked at for the sake of what is open.
const LOOK: Duration = Duration::from_millis(200);

/// Members of a header by which a token would bring or point to its own key (RFC 7515 4.1). A thumbprint (x5t) does not.
const BRINGS_A_KEY: [&str; 4] = ["jwk", "jku", "x5c", "x5u"];
/// Members of a header that change how the rest is to be read.
const EXTENSIONS: [&str; 4] = ["crit", "b64", "zip", "enc"];

/// Checks tokens of the issuers that are trusted here and says who asks.
#[derive(Debug)]
pub struct Verifier {
    trusted: HashMap<Arc<str>, Trust>,
    revocations: Option<Revocations>,
    /// Changes with the list of revocations.
    changed: watch::Sender<()>,
    remembered: RwLock<Generations>,
}

type Fingerprint = [u8; 32];

/// A bounded cache: when the young generation is full, the old one is forgotten and the young one becomes old.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Fingerprint, Arc<Verified>>,
    old: HashMap<Fingerprint, Arc<Verified>>,
}

/// A token that was good when it was looked at.
#[derive(Debug)]
pub struct Verified {
    pub(crate) actor: Arc<Actor>,
    pub(crate) issuer: Arc<str>,
    /// The claim `jti`.
    pub(crate) id: Option<String>,
    pub(crate) issued: SystemTime,
    expires: SystemTime,
    /// The client certificate over whose connections it counts; any when there is none.
    bound_to: Option<Thumbprint>,
    kid: String,
    key: Arc<PublicKey>,
}

impl Verified {
    /// Who asks.
    pub fn actor(&self) -> &Arc<Actor> {
        &self.actor
    }
}

/// Why a token does not count, and whose it was when that is certain.
#[derive(Debug)]
pub struct Denied {
    /// What the caller hears.
    pub refusal: Refusal,
    /// Known when the token was real, and was withdrawn or came over a connection that it does not count on.
    pub actor: Option<Arc<Actor>>,
}

impl<R: Into<Refusal>> From<R> for Denied {
    fn from(refusal: R) -> Self {
        Self { refusal: refusal.into(), actor: None }
    }
}

impl Verifier {
    /// Trusts exactly one issuer, for the whole chain.
    pub fn new(keys: Keys, issuer: impl AsRef<str>) -> Self {
        Self::of([Trust::in_one(keys, issuer.as_ref())])
    }

    /// Trusts several issuers, each for what it may say. The development issuer is never one of several.
    pub fn trusting(issuers: Vec<Trust>) -> Result<Self, TrustError> {
        let verifier = Self::of(issuers);
        if verifier.trusted.len() > 1 && verifier.trusted.contains_key(DEVELOPMENT_ISSUER) {
            return Err(TrustError(vec![beside_development(DEVELOPMENT_ISSUER)]));
        }
        Ok(verifier)
    }

    fn of(issuers: impl IntoIterator<Item = Trust>) -> Self {
        let trusted = issuers.into_iter().map(|trust| (trust.name.clone(), trust)).collect();
        Self { trusted, revocations: None, changed: watch::Sender::new(()), remembered: RwLock::default() }
    }

    /// Refuses what is on that list.
    pub fn except(mut self, revocations: Revocations) -> Self {
        self.revocations = Some(revocations);
        self
    }

    /// Who asks, over a connection without a client certificate.
    pub async fn verify(&self, authorization: &str, now: SystemTime) -> Result<Arc<Verified>, Denied> {
        self.verify_over(authorization, None, now).await
    }

    /// Who asks, from the value of the header `authorization` (empty if there is none), over a connection with that client
    /// certificate, at that instant of real time.
    pub async fn verify_over(
        &self,
        authorization: &str,
        certificate: Option<Thumbprint>,
        now: SystemTime,
    ) -> Result<Arc<Verified>, Denied> {
        let token = match authorization.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => token.trim(),
            _ => return Err((&general::TOKEN_MISSING).into()),
        };
        if token.len() > TOKEN_BYTES {
            return Err(why::TOO_LONG.into());
        }
        let fingerprint = fingerprint(token);
        let verified = match self.remembered(&fingerprint).filter(|known| self.is_still_signed(known)) {
            Some(known) if known.expires <= now => return Err(why::EXPIRED.into()),
            Some(known) => known,
            None => {
                let verified = Arc::new(self.check(token, now).await?);
                self.remember(fingerprint, verified.clone());
                verified
            }
        };
        // After the cache: the same token may come over another connection the next time.
        if verified.bound_to.is_some() && verified.bound_to != certificate {
            let refusal = (&general::TOKEN_BOUND).into();
            return Err(Denied { refusal, actor: Some(verified.actor.clone()) });
        }
        match self.withdrawn(&verified) {
            Some(refusal) => Err(Denied { refusal, actor: Some(verified.actor.clone()) }),
            None => Ok(verified),
        }
    }

    /// Resolves when a token that was good is withdrawn or expires; for what stays open after the call that opened it.
    pub async fn until_ended(&self, token: &Verified) -> Refusal {
        let left = token.expires.duration_since(SystemTime::now()).unwrap_or_default();
        tokio::select! {
            refusal = self.until_withdrawn(token) => refusal,
            () = tokio::time::sleep(left) => (&general::TOKEN_EXPIRED).into(),
        }
    }

    async fn until_withdrawn(&self, token: &Verified) -> Refusal {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(refusal) = self.withdrawn(token) {
                return refusal;
            }
            // The sender lives as long as this verifier, so an error cannot be.
            let _ = changed.changed().await;
        }
    }

    /// Keeps the keys of issuers fresh and looks at the list of revocations, for as long as it is polled.
    pub async fn keep(&self) {
        let mut fetching = JoinSet::new();
        for trust in self.trusted.values() {
            let keys = trust.keys.clone();
            fetching.spawn(async move { keys.keep().await });
        }
        let list = || self.revocations.as_ref().map(Revocations::current);
        let mut seen = list();
        loop {
            tokio::time::sleep(LOOK).await;
            let now: Option<Arc<List>> = list();
            if !same(seen.as_ref(), now.as_ref()) {
                seen = now;
                self.changed.send_replace(());
            }
        }
    }

    fn withdrawn(&self, token: &Verified) -> Option<Refusal> {
        let list = self.revocations.as_ref()?.current();
        revoked::withdraws(&list, token).then(|| (&general::TOKEN_REVOKED).into())
    }

    /// Whether the very key that signed it is still in its issuer's set.
    fn is_still_signed(&self, token: &Verified) -> bool {
        let trust = self.trusted.get(&token.issuer);
        let found = trust.map(|trust| trust.keys.look(&token.kid, token.key.algorithm()));
        matches!(found, Some(Found::Key(key)) if key == token.key)
    }

    async fn check(&self, token: &str, now: SystemTime) -> Result<Verified, Why> {
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(why::NOT_A_JWT);
        };
        let message = &token.as_bytes()[..header.len() + 1 + claims.len()];
        let (header, claims) = (object(header)?, object(claims)?);
        URL_SAFE_NO_PAD.decode(signature).map_err(|_| why::NOT_A_JWT)?;
        if BRINGS_A_KEY.iter().any(|name| header.contains_key(*name)) {
            return Err(why::BRINGS_A_KEY);
        }
        if EXTENSIONS.iter().any(|name| header.contains_key(*name)) {
            return Err(why::CRITICAL);
        }
        // Not believed yet: it only says by whose keys and rules the token is to be judged.
        let issuer = claims.get("iss").and_then(Value::as_str);
        let trust = issuer.and_then(|issuer| self.trusted.get(issuer)).ok_or(why::ISSUER)?;
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name);
        let algorithm = algorithm.filter(|alg| trust.algorithms.contains(alg)).ok_or(why::ALGORITHM)?;
        let kind = header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        if !trust.types.iter().any(|allowed| allowed == kind) {
            return Err(why::TYPE);
        }
        let kid = header.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty()).ok_or(why::NO_KID)?;
        if kid.len() > KID_BYTES {
            return Err(why::KID);
        }
        let key = match trust.keys.find(kid, algorithm).await {
            Found::Key(key) => key,
            Found::OtherKind => return Err(why::OTHER_KIND),
            Found::Nothing => return Err(why::KID),
        };
        if !key.verifies(message, signature) {
            return Err(why::SIGNATURE);
        }
        if !is_meant_for(&claims, &trust.audience) {
            return Err(why::AUDIENCE);
        }
        let (issued, expires) = times(&claims, trust.longest, now)?;
        let id = match claims.get("jti") {
            None | Some(Value::Null) => None,
            id => Some(plain(id).ok_or(why::TOKEN_ID)?),
        };
        let bound_to = confirmation(&claims)?;
        if bound_to.is_none() && trust.certificate_bound {
            return Err(why::UNBOUND);
        }
        let actor = Arc::new(trust.actor(&claims)?);
        Ok(Verified { actor, issuer: trust.name.clone(), id, issued, expires, bound_to, kid: kid.to_owned(), key })
    }

    fn remembered(&self, fingerprint: &Fingerprint) -> Option<Arc<Verified>> {
        let known = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(hit) = known.young.get(fingerprint) {
            return Some(hit.clone());
        }
        let hit = known.old.get(fingerprint).cloned()?;
        drop(known);
        self.remember(*fingerprint, hit.clone());
        Some(hit)
    }

    fn remember(&self, fingerprint: Fingerprint, verified: Arc<Verified>) {
        let mut known = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if known.young.len() >= REMEMBERED {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(fingerprint, verified);
    }
}

fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// A part of a token that is a JSON object.
fn object(part: &str) -> Result<Map<String, Value>, Why> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| why::NOT_A_JWT)?;
    match strict(&json) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(why::NOT_A_JWT),
        Err(_) => Err(why::NAMED_TWICE),
    }
}

fn is_meant_for(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.iter().any(|one| one == audience),
        _ => false,
    }
}

/// The certificate that a token is bound to (RFC 8705). What else it may be bound to cannot be checked here.
fn confirmation(claims: &Map<String, Value>) -> Result<Option<Thumbprint>, Why> {
    let Some(confirmation) = claims.get("cnf") else { return Ok(None) };
    let one = confirmation.as_object().filter(|methods| methods.len() == 1);
    let thumbprint = one.and_then(|methods| methods.get("x5t#S256")?.as_str()).and_then(Thumbprint::parse);
    thumbprint.map(Some).ok_or(why::CONFIRMATION)
}

/// When a token was issued and when it expires, if it may be used now.
fn times(claims: &Map<String, Value>, longest: Duration, now: SystemTime) -> Result<(SystemTime, SystemTime), Why> {
    let instant = |name: &str| match claims.get(name).map(Value::as_u64) {
        Some(Some(seconds)) if seconds > LAST_SECOND => Err(why::ABSURD),
        Some(Some(seconds)) => Ok(Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))),
        Some(None) => Err(why::TIMES),
        None => Ok(None),
    };
    let expires = instant("exp")?.ok_or(why::TIMES)?;
    let issued = instant("iat")?.ok_or(why::TIMES)?;
    let from = instant("nbf")?.unwrap_or(issued);
    if expires <= now {
        return Err(why::EXPIRED);
    }
    if issued > now + SKEW {
        return Err(why::FUTURE);
    }
    if from > now + SKEW {
        return Err(why::NOT_YET);
    }
    if expires.duration_since(issued).map_err(|_| why::ABSURD)? > longest {
        return Err(why::TOO_LASTING);
    }
    Ok((issued, expires))
}

fn fingerprint(token: &str) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest.as_ref());
    fingerprint
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
