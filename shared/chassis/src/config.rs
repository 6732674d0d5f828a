//! How a process runs, read from the environment once, before anything is opened: all mistakes reported at once.

use crate::Clock;
use auth::{Issuer, Keys, Revocations, Trusted, Verifier};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use store::{Masters, Sealing, SealingKey};
use tonic::transport::Endpoint;

/// What a service needs to run.
#[derive(Clone)]
pub struct Setup {
    /// Where its database is: `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// What its columns are sealed with.
    pub sealing: Sealing,
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
/// | `DOORSTROOM_SEALING_KEY_FILE` | file with the key of lookups: 64 hexadecimal digits |
/// | `DOORSTROOM_MASTER_KEYS_FILE` | file with the master keys, `ID KEY` per line, the newest last; one derived from the sealing key when it is not set |
/// | `DOORSTROOM_KEYS` | where the keys of clients are, wrapped: `sqlite:PATH` or `postgres://…`; beside a SQLite database when it is not set |
/// | `DOORSTROOM_ISSUERS_FILE` | the issuers whose tokens are taken, and for whom each may speak (`deploy/README.md`) |
/// | `DOORSTROOM_ISSUER` | instead of that file: one issuer, which speaks for the whole chain |
/// | `DOORSTROOM_JWKS_FILE` | that one issuer's public keys (JWKS); read again when it changes |
/// | `DOORSTROOM_REVOKED_FILE` | the tokens and people whose tokens are withdrawn; none when it is not set |
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
    let (listen, database) = (need("DOORSTROOM_LISTEN"), need("DOORSTROOM_DATABASE"));
    let (sealing, service_key) = (need("DOORSTROOM_SEALING_KEY_FILE"), need("DOORSTROOM_SERVICE_KEY_FILE"));
    let peers = need("DOORSTROOM_PEERS");
    let optional = |name: &str| vars(name).filter(|value| !value.is_empty());
    let issuers = match optional("DOORSTROOM_ISSUERS_FILE") {
        Some(file) => Issuers::InFile(file),
        None => Issuers::One { name: need("DOORSTROOM_ISSUER"), jwks: need("DOORSTROOM_JWKS_FILE") },
    };
    if !faults.is_empty() {
        return Err(ConfigError(faults));
    }

    let mut fault = |name: &str, why: String| faults.push(format!("{name}: {why}"));
    let listen = listen.parse().map_err(|e| fault("DOORSTROOM_LISTEN", format!("{listen:?}: {e}"))).ok();
    let sealing = sealing_of(&sealing, optional("DOORSTROOM_MASTER_KEYS_FILE"), optional("DOORSTROOM_KEYS"), &database);
    let sealing = sealing.map_err(|(name, why)| fault(name, why)).ok();
    if matches!(issuers, Issuers::InFile(_)) {
        for name in ["DOORSTROOM_ISSUER", "DOORSTROOM_JWKS_FILE"].into_iter().filter(|name| optional(name).is_some()) {
            fault(name, "is set beside DOORSTROOM_ISSUERS_FILE: take away the one that is not meant".to_owned());
        }
    }
    let tokens = read(&service_key).and_then(|pem| Issuer::from_pem("", &pem).map_err(|e| e.to_string()));
    let tokens = tokens.map_err(|why| fault("DOORSTROOM_SERVICE_KEY_FILE", why)).ok();
    let revoked = optional("DOORSTROOM_REVOKED_FILE").map(Revocations::from_file).transpose();
    let revoked = revoked.map_err(|e| fault("DOORSTROOM_REVOKED_FILE", e.to_string())).ok();
    let trust = issuers.trust(tokens).map_err(|(name, why)| fault(name, why)).ok();
    let peers = parse_peers(&peers).map_err(|why| fault("DOORSTROOM_PEERS", why)).ok();
    let reflection = match vars("DOORSTROOM_REFLECTION").as_deref() {
        Some("on") => true,
        None | Some("" | "off") => false,
        Some(other) => {
            fault("DOORSTROOM_REFLECTION", format!("{other:?} is neither on nor off"));
            false
        }
    };
    match (listen, sealing, trust, revoked, peers) {
        (Some(listen), Some(sealing), Some((verifier, Some(tokens))), Some(revoked), Some(peers))
            if faults.is_empty() =>
        {
            let verifier = match revoked {
                Some(revoked) => verifier.except(revoked),
                None => verifier,
            };
            let (verifier, tokens) = (Arc::new(verifier), Arc::new(tokens));
            Ok((listen, Setup { database, sealing, verifier, tokens, peers, clock: Clock::system(), reflection }))
        }
        _ => Err(ConfigError(faults)),
    }
}

/// Where it says whose tokens are taken.
enum Issuers {
    InFile(String),
    One { name: String, jwks: String },
}

impl Issuers {
    /// Who checks tokens, and who signs the service's own under the name that it will be trusted by.
    fn trust(self, key: Option<Issuer>) -> Result<(Verifier, Option<Issuer>), (&'static str, String)> {
        let own_key = |holds: bool, variable, whose: &str| match holds {
            true => Ok(()),
            false => {
                Err((variable, format!("{whose} has no key for DOORSTROOM_SERVICE_KEY_FILE: add its public half")))
            }
        };
        match self {
            Self::InFile(path) => {
                const VARIABLE: &str = "DOORSTROOM_ISSUERS_FILE";
                let trusted = Trusted::from_file(&path).map_err(|error| (VARIABLE, format!("{path}: {error}")))?;
                let tokens = key.map(|key| key.named(&trusted.services).meant_for(&trusted.audience));
                if let Some(tokens) = &tokens {
                    own_key(trusted.knows(tokens), VARIABLE, "services.keys")?;
                }
                let verifier = Verifier::trusting(trusted.issuers).map_err(|error| (VARIABLE, error.to_string()))?;
                Ok((verifier, tokens))
            }
            Self::One { name, jwks } => {
                const VARIABLE: &str = "DOORSTROOM_JWKS_FILE";
                let keys = Keys::from_file(&jwks).map_err(|error| (VARIABLE, error.to_string()))?;
                let tokens = key.map(|key| key.named(&name));
                if let Some(tokens) = &tokens {
                    own_key(keys.holds(tokens), VARIABLE, &jwks)?;
                }
                Ok((Verifier::new(keys, &name), tokens))
            }
        }
    }
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// What the columns are sealed with, or which variable says it wrongly.
fn sealing_of(
    key: &str,
    masters: Option<String>,
    store: Option<String>,
    database: &str,
) -> Result<Sealing, (&'static str, String)> {
    let key =
        read(key).and_then(|text| SealingKey::from_hex(text.trim()).ok_or("not 64 hexadecimal digits".to_owned()));
    let key = key.map_err(|why| ("DOORSTROOM_SEALING_KEY_FILE", why))?;
    let masters = match masters {
        Some(file) => {
            let read = read(&file).and_then(|text| Masters::parse(&text, &key).map_err(|why| format!("{file}: {why}")));
            read.map_err(|why| ("DOORSTROOM_MASTER_KEYS_FILE", why))?
        }
        None => Masters::derived(&key),
    };
    let store = store.or_else(|| Sealing::beside(database)).ok_or_else(|| {
        let why = "is not set: beside a database on a server the keys need a database of their own";
        ("DOORSTROOM_KEYS", why.to_owned())
    })?;
    if store == database {
        let why = "is the database itself: a copy of it would hold the keys of what is sealed in it";
        return Err(("DOORSTROOM_KEYS", why.to_owned()));
    }
    Ok(Sealing { key, masters, store })
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
    use std::path::Path;

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let message = from_env(|_| None).err().map(|e| e.to_string()).unwrap_or_default();
        for name in ["DOORSTROOM_LISTEN", "DOORSTROOM_DATABASE", "DOORSTROOM_PEERS", "DOORSTROOM_JWKS_FILE"] {
            assert!(message.contains(name), "{message}");
        }
        let wrong = |name: &str| match name {
            "DOORSTROOM_REFLECTION" => Some("maybe".to_owned()),
            "DOORSTROOM_ISSUERS_FILE" => None,
            _ => Some("x".to_owned()),
        };
        let message = from_env(wrong).err().map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(message.lines().count(), 8, "{message}");
    }

    /// The variables of a service that would start, with files in a folder.
    fn variables(folder: &Path, service: &Issuer) -> BTreeMap<&'static str, String> {
        std::fs::write(folder.join("sealing-key"), "ab".repeat(32)).unwrap();
        std::fs::write(folder.join("service-key.pem"), service.to_pem()).unwrap();
        std::fs::write(folder.join("jwks.json"), service.jwks()).unwrap();
        let file = |name: &str| folder.join(name).display().to_string();
        BTreeMap::from([
            ("DOORSTROOM_LISTEN", "127.0.0.1:0".to_owned()),
            ("DOORSTROOM_DATABASE", "sqlite:x".to_owned()),
            ("DOORSTROOM_SEALING_KEY_FILE", file("sealing-key")),
            ("DOORSTROOM_SERVICE_KEY_FILE", file("service-key.pem")),
            ("DOORSTROOM_PEERS", "regie=http://regie:50055".to_owned()),
            ("DOORSTROOM_ISSUER", "https://id.example.nl".to_owned()),
            ("DOORSTROOM_JWKS_FILE", file("jwks.json")),
        ])
    }

    fn error(variables: &BTreeMap<&'static str, String>) -> String {
        from_env(|name| variables.get(name).cloned()).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn one_issuer_or_a_file_of_issuers_and_never_both() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let mut variables = variables(folder.path(), &service);
        assert_eq!(error(&variables), "");
        let issuers = folder.path().join("issuers.toml");
        let text =
            "audience = \"prod\"\n[services]\nname = \"https://services.example.nl\"\nkeys.file = \"jwks.json\"\n";
        std::fs::write(&issuers, text).unwrap();
        variables.insert("DOORSTROOM_ISSUERS_FILE", issuers.display().to_string());
        assert!(error(&variables).contains("DOORSTROOM_ISSUER: is set beside DOORSTROOM_ISSUERS_FILE"));
        variables.remove("DOORSTROOM_ISSUER");
        variables.remove("DOORSTROOM_JWKS_FILE");
        let (_, setup) = from_env(|name| variables.get(name).cloned()).unwrap();
        assert_eq!(setup.tokens.name(), "https://services.example.nl");
    }

    #[test]
    fn the_development_issuer_beside_another_is_refused_with_the_way_out() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let mut variables = variables(folder.path(), &service);
        variables.retain(|name, _| !["DOORSTROOM_ISSUER", "DOORSTROOM_JWKS_FILE"].contains(name));
        let issuers = folder.path().join("issuers.toml");
        let text = "audience = \"prod\"\n[services]\nname = \"doorstroom-dev\"\nkeys.file = \"jwks.json\"\n";
        std::fs::write(&issuers, text).unwrap();
        variables.insert("DOORSTROOM_ISSUERS_FILE", issuers.display().to_string());
        let error = error(&variables);
        for part in ["DOORSTROOM_ISSUERS_FILE", "name", "prints a token for any role", "Take it out", "run it alone"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn a_service_whose_own_tokens_nobody_would_take_does_not_start() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let variables = variables(folder.path(), &service);
        let other = Issuer::generate("services").unwrap();
        std::fs::write(folder.path().join("jwks.json"), other.jwks()).unwrap();
        assert!(error(&variables).contains("add its public half"), "{}", error(&variables));
    }

    #[test]
    fn a_service_that_keeps_its_keys_in_the_database_itself_does_not_start() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let mut variables = variables(folder.path(), &service);
        let store = |variables: &BTreeMap<&str, String>| {
            from_env(|name| variables.get(name).cloned())
                .map(|(_, setup)| setup.sealing.store)
                .map_err(|e| e.to_string())
        };
        variables.insert("DOORSTROOM_DATABASE", "sqlite:data/access.sqlite".to_owned());
        assert_eq!(store(&variables).unwrap(), "sqlite:data/access.keys.db");
        variables.insert("DOORSTROOM_KEYS", "sqlite:data/access.sqlite".to_owned());
        assert!(store(&variables).unwrap_err().contains("DOORSTROOM_KEYS: is the database itself"));
        variables.remove("DOORSTROOM_KEYS");
        variables.insert("DOORSTROOM_DATABASE", "postgres://server/access".to_owned());
        assert!(store(&variables).unwrap_err().contains("DOORSTROOM_KEYS: is not set"));
    }

    #[test]
    fn master_keys_that_cannot_be_read_keep_a_service_from_starting() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let mut variables = variables(folder.path(), &service);
        let masters = folder.path().join("master-keys");
        variables.insert("DOORSTROOM_MASTER_KEYS_FILE", masters.display().to_string());
        let key = "cd".repeat(32);
        for (text, why) in [
            (String::new(), "there is no master key in it"),
            (format!("2026-1 {key}\n2026-1 {key}"), "line 2: there is a master key 2026-1 already"),
            (format!("# first\n{key}"), "line 2 is not ID and 64 hexadecimal digits"),
        ] {
            std::fs::write(&masters, text).unwrap();
            assert!(error(&variables).contains(why), "{why}: {}", error(&variables));
        }
        std::fs::write(&masters, format!("2026-1 {key} # the first\n\n2026-2 {}\n", "ef".repeat(32))).unwrap();
        assert_eq!(error(&variables), "");
    }

    #[test]
    fn a_list_of_revocations_that_cannot_be_read_keeps_a_service_from_starting() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let mut variables = variables(folder.path(), &service);
        let list = folder.path().join("revoked.toml");
        variables.insert("DOORSTROOM_REVOKED_FILE", list.display().to_string());
        assert!(error(&variables).contains("DOORSTROOM_REVOKED_FILE"));
        std::fs::write(&list, "[[revoked]]\nissuer = \"x\"\nat = 2026-03-02T09:00:00Z\n").unwrap();
        assert!(error(&variables).contains("revoked 1: name either a subject or a token"), "{}", error(&variables));
        std::fs::write(&list, "[[revoked]]\nissuer = \"x\"\nsubject = \"y\"\nat = 2026-03-02\n").unwrap();
        assert!(error(&variables).contains("revoked 1: at"), "{}", error(&variables));
        std::fs::write(&list, "").unwrap();
        assert_eq!(error(&variables), "");
    }
}
