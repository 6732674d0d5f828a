//! How a process runs, read from the environment once, before anything is opened: all mistakes reported at once.

use crate::Clock;
use auth::{Issuer, Keys, Verifier};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use store::SealingKey;
use tonic::transport::Endpoint;

/// What a service needs to run.
#[derive(Clone)]
pub struct Setup {
    /// Where its database is: `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// The key of its sealed columns.
    pub sealing_key: SealingKey,
    /// Checks the tokens of callers.
    pub verifier: Arc<Verifier>,
    /// Signs this service's own tokens.
    pub tokens: Arc<Issuer>,
    /// The other services, by name.
    pub peers: BTreeMap<String, Endpoint>,
    /// The field's clock.
    pub clock: Clock,
    /// Whether reflection is served.
    pub reflection: bool,
}

/// Everything that is wrong with the configuration.
#[derive(Debug)]
pub struct ConfigError(Vec<String>);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the configuration is not usable:\n  {}", self.0.join("\n  "))
    }
}

impl std::error::Error for ConfigError {}

/// Reads where to listen and what to run with from variables:
///
/// | variable | meaning |
/// |---|---|
/// | `DOORSTROOM_LISTEN` | address and port to listen on, as `0.0.0.0:50052` |
/// | `DOORSTROOM_DATABASE` | `sqlite:PATH` or `postgres://…` |
/// | `DOORSTROOM_SEALING_KEY_FILE` | file with the key of the sealed columns: 64 hexadecimal digits |
/// | `DOORSTROOM_ISSUER` | the issuer whose tokens are taken |
/// | `DOORSTROOM_JWKS_FILE` | that issuer's public keys (JWKS); read again when an unknown key turns up |
/// | `DOORSTROOM_SERVICE_KEY_FILE` | the private key (PKCS#8 PEM) with which this service signs its own tokens |
/// | `DOORSTROOM_PEERS` | the other services, as `regie=http://regie:50055 access=http://access:50051` |
/// | `DOORSTROOM_REFLECTION` | `on` or `off` (the default) |
pub fn from_env(vars: impl Fn(&str) -> Option<String>) -> Result<(SocketAddr, Setup), ConfigError> {
    let mut faults = Vec::new();
    let mut need = |name: &str| {
        vars(name).filter(|value| !value.is_empty()).unwrap_or_else(|| {
            faults.push(format!("{name} is not set"));
            String::new()
        })
    };
    let (listen, database, issuer) =
        (need("DOORSTROOM_LISTEN"), need("DOORSTROOM_DATABASE"), need("DOORSTROOM_ISSUER"));
    let (sealing, jwks) = (need("DOORSTROOM_SEALING_KEY_FILE"), need("DOORSTROOM_JWKS_FILE"));
    let (service_key, peers) = (need("DOORSTROOM_SERVICE_KEY_FILE"), need("DOORSTROOM_PEERS"));
    if !faults.is_empty() {
        return Err(ConfigError(faults));
    }

    let mut fault = |name: &str, why: String| faults.push(format!("{name}: {why}"));
    let listen = listen.parse().map_err(|e| fault("DOORSTROOM_LISTEN", format!("{listen:?}: {e}"))).ok();
    let sealing_key =
        read(&sealing).and_then(|text| hex_key(text.trim()).ok_or("not 64 hexadecimal digits".to_owned()));
    let sealing_key = sealing_key.map_err(|why| fault("DOORSTROOM_SEALING_KEY_FILE", why)).ok();
    let keys = Keys::from_file(jwks.clone()).map_err(|e| fault("DOORSTROOM_JWKS_FILE", format!("{jwks}: {e}"))).ok();
    let tokens = read(&service_key).and_then(|pem| Issuer::from_pem(&issuer, &pem).map_err(|e| e.to_string()));
    let tokens = tokens.map_err(|why| fault("DOORSTROOM_SERVICE_KEY_FILE", why)).ok();
    let peers = parse_peers(&peers).map_err(|why| fault("DOORSTROOM_PEERS", why)).ok();
    let reflection = match vars("DOORSTROOM_REFLECTION").as_deref() {
        Some("on") => true,
        None | Some("" | "off") => false,
        Some(other) => {
            fault("DOORSTROOM_REFLECTION", format!("{other:?} is neither on nor off"));
            false
        }
    };
    match (listen, sealing_key, keys, tokens, peers) {
        (Some(listen), Some(sealing_key), Some(keys), Some(tokens), Some(peers)) if faults.is_empty() => {
            let verifier = Arc::new(Verifier::new(keys, &issuer));
            let tokens = Arc::new(tokens);
            Ok((listen, Setup { database, sealing_key, verifier, tokens, peers, clock: Clock::system(), reflection }))
        }
        _ => Err(ConfigError(faults)),
    }
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

fn hex_key(text: &str) -> Option<SealingKey> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 64).then(|| bytes.try_into().ok().map(SealingKey::from_bytes))?
}

fn parse_peers(text: &str) -> Result<BTreeMap<String, Endpoint>, String> {
    let peer = |entry: &str| {
        let (name, url) = entry.split_once('=').ok_or_else(|| format!("{entry:?} is not NAME=URL"))?;
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| format!("{url:?}: {error}"))?;
        Ok((name.to_owned(), endpoint))
    };
    text.split_whitespace().map(peer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let message = from_env(|_| None).err().map(|e| e.to_string()).unwrap_or_default();
        for name in ["DOORSTROOM_LISTEN", "DOORSTROOM_DATABASE", "DOORSTROOM_PEERS", "DOORSTROOM_JWKS_FILE"] {
            assert!(message.contains(name), "{message}");
        }
        let wrong = |name: &str| Some(if name == "DOORSTROOM_REFLECTION" { "maybe" } else { "x" }.to_owned());
        let message = from_env(wrong).err().map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(message.lines().count(), 7, "{message}");
    }
}
