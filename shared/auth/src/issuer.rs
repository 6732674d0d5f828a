//! Signs tokens: for development, for the services' own calls, and for tests.

use crate::{AUDIENCE, DEVELOPMENT_ISSUER, Thumbprint, jose};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use kernel::Actor;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Serialize;
use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use zeroize::Zeroizing;

/// An Ed25519 key that signs tokens under one issuer name.
pub struct Issuer {
    name: String,
    audience: String,
    binds: bool,
    kid: String,
    pkcs8: Zeroizing<Vec<u8>>,
    pair: Ed25519KeyPair,
}

/// Why an issuer cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The text is no PKCS#8 PEM.
    #[error("the signing key is not a PKCS#8 PEM file")]
    Pem,
    /// The key is not Ed25519.
    #[error("the signing key is not an Ed25519 key")]
    Key,
    /// There is no randomness to make a key from.
    #[error("the system gives no randomness")]
    Randomness,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    exp: u64,
    iat: u64,
    nbf: u64,
    sub: &'a str,
    org: &'a str,
    roles: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// Who may use a token: whoever has the key of that certificate (RFC 8705).
#[derive(Serialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    certificate: String,
}

impl Issuer {
    /// The development issuer with a fresh key.
    pub fn development() -> Result<Self, IssuerError> {
        Self::generate(DEVELOPMENT_ISSUER)
    }

    /// An issuer with a fresh key.
    pub fn generate(name: impl Into<String>) -> Result<Self, IssuerError> {
        let pkcs8 =
            Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).map_err(|_| IssuerError::Randomness)?;
        Self::from_pkcs8(name, pkcs8.as_ref())
    }

    /// An issuer with the key in a PKCS#8 PEM text, as `openssl genpkey -algorithm ed25519` or [`Issuer::to_pem`] write it.
    pub fn from_pem(name: impl Into<String>, pem: &str) -> Result<Self, IssuerError> {
        let body: Zeroizing<String> = pem
            .trim()
            .strip_prefix("-----BEGIN PRIVATE KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
            .ok_or(IssuerError::Pem)?
            .split_whitespace()
            .collect::<String>()
            .into();
        Self::from_pkcs8(name, &Zeroizing::new(STANDARD.decode(&*body).map_err(|_| IssuerError::Pem)?))
    }

    fn from_pkcs8(name: impl Into<String>, pkcs8: &[u8]) -> Result<Self, IssuerError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| IssuerError::Key)?;
        let digest = ring::digest::digest(&ring::digest::SHA256, pair.public_key().as_ref());
        let kid = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12]);
        Ok(Self {
            name: name.into(),
            audience: AUDIENCE.to_owned(),
            binds: false,
            kid,
            pkcs8: pkcs8.to_vec().into(),
            pair,
        })
    }

    /// The same key under another name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The same issuer, whose tokens are meant for that audience.
    pub fn meant_for(self, audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), ..self }
    }

    /// The same issuer, whose tokens for a service's own calls are bound to the certificate that the service shows.
    pub fn binding(self, binds: bool) -> Self {
        Self { binds, ..self }
    }

    /// Whether tokens for a service's own calls are bound to its certificate.
    pub fn binds(&self) -> bool {
        self.binds
    }

    pub(crate) fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The key as PKCS#8 PEM: a secret.
    pub fn to_pem(&self) -> String {
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in STANDARD.encode(&*self.pkcs8).as_bytes().chunks(64) {
            let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        pem
    }

    /// The issuer's name, the claim `iss`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key as a JSON Web Key Set, for whoever verifies.
    pub fn jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.public_key());
        let key = serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": x,
        });
        serde_json::json!({ "keys": [key] }).to_string()
    }

    /// A token for that actor, valid from now on for `ttl`.
    pub fn issue(&self, actor: &Actor, ttl: Duration) -> String {
        self.issue_at(actor, ttl, SystemTime::now())
    }

    /// A token for that actor, valid from an instant on for `ttl`.
    pub fn issue_at(&self, actor: &Actor, ttl: Duration, from: SystemTime) -> String {
        self.issue_bound(actor, ttl, from, None)
    }

    /// A token that counts only over a connection with that client certificate.
    pub fn issue_bound(
        &self,
        actor: &Actor,
        ttl: Duration,
        from: SystemTime,
        certificate: Option<Thumbprint>,
    ) -> String {
        let seconds = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Claims {
            iss: &self.name,
            aud: &self.audience,
            exp: seconds(from + ttl),
            iat: seconds(from),
            nbf: seconds(from),
            sub: &actor.subject,
            org: actor.organisation.as_str(),
            roles: actor.roles.iter().map(|role| role.as_str()).collect(),
            act: actor.on_behalf_of.as_deref(),
            client_id: actor.client_id.map(|id| id.to_string()),
            cnf: certificate.map(|certificate| Confirmation { certificate: certificate.to_string() }),
        };
        self.encode("JWT", &claims)
    }

    /// Signs claims as a compact JWS of a type.
    pub(crate) fn encode(&self, typ: &str, claims: &impl Serialize) -> String {
        jose::sign(typ, &self.kid, claims, &EncodingKey::from_ed_der(&self.pkcs8))
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("name", &self.name).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The token under which a service calls others; signed anew when a third of its life is left.
#[derive(Debug)]
pub struct TokenSource {
    issuer: Arc<Issuer>,
    actor: Actor,
    ttl: Duration,
    certificate: Option<Thumbprint>,
    current: Mutex<Option<(Arc<str>, SystemTime)>>,
}

impl TokenSource {
    /// Tokens for one actor with the given time to live.
    pub fn new(issuer: Arc<Issuer>, actor: Actor, ttl: Duration) -> Self {
        Self { issuer, actor, ttl, certificate: None, current: Mutex::new(None) }
    }

    /// The same, bound to the certificate of the connection that they go over.
    pub fn bound_to(self, certificate: Option<Thumbprint>) -> Self {
        Self { certificate, ..self }
    }

    /// The value for the header `authorization`, with the scheme.
    pub fn authorization(&self) -> Arc<str> {
        self.authorization_at(SystemTime::now())
    }

    fn authorization_at(&self, now: SystemTime) -> Arc<str> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((value, until)) if *until > now => value.clone(),
            _ => {
                let token = self.issuer.issue_bound(&self.actor, self.ttl, now, self.certificate);
                let value: Arc<str> = format!("Bearer {token}").into();
                *current = Some((value.clone(), now + self.ttl * 2 / 3));
                value
            }
        }
    }

    /// Who calls.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keys, Verifier};
    use kernel::{Organisation, Role};

    fn service() -> Actor {
        Actor {
            subject: "regie".to_owned(),
            organisation: Organisation::parse("org", "doorstroom").unwrap(),
            roles: vec![Role::SvcRegie],
            on_behalf_of: None,
            client_id: None,
        }
    }

    #[test]
    fn a_key_survives_being_written_and_read() {
        let issuer = Issuer::development().unwrap();
        let again = Issuer::from_pem(DEVELOPMENT_ISSUER, &issuer.to_pem()).unwrap();
        assert_eq!(again.jwks(), issuer.jwks());
        assert!(matches!(Issuer::from_pem("x", "no pem"), Err(IssuerError::Pem)));
        let empty = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(Issuer::from_pem("x", empty), Err(IssuerError::Key)));
        assert!(!format!("{issuer:?}").contains("PRIVATE"));
    }

    #[tokio::test]
    async fn outgoing_calls_sign_anew_before_expiry() {
        let issuer = Arc::new(Issuer::development().unwrap());
        let verifier = Verifier::new(Keys::from_jwks(&issuer.jwks()).unwrap(), DEVELOPMENT_ISSUER);
        let source = TokenSource::new(issuer, service(), Duration::from_secs(300));
        let start = SystemTime::now();
        let first = source.authorization_at(start);
        assert_eq!(source.authorization_at(start + Duration::from_secs(199)), first);
        let later = start + Duration::from_secs(201);
        let second = source.authorization_at(later);
        assert_ne!(second, first);
        assert_eq!(**verifier.verify(&second, later).await.unwrap().actor(), service());
    }
}
