//! How a process runs, read from the environment once, before anything is opened: all mistakes reported at once.

use crate::tls::{Clients, Pair, Tls, is_secured};
use crate::{Clock, Limits, Transport};
use auth::{Issuer, Keys, Revocations, Trusted, Verifier};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Masters, Sealing, SealingKey};
use tonic::transport::Endpoint;
use zeroize::Zeroizing;

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
    /// How it is reached, and how it reaches the others.
    pub transport: Transport,
}

/// Everything that is wrong with the configuration.
#[derive(Debug)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// What is wrong, each with its variable.
    pub fn faults(&self) -> &[String] {
        &self.0
    }
}

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
/// | `DOORSTROOM_PEERS` | the other services, as `regie=https://regie:50055 access=https://access:50051` |
/// | `DOORSTROOM_TLS_CERTIFICATE_FILE`, `DOORSTROOM_TLS_KEY_FILE` | the certificate that it shows, with intermediate ones, and its private key (PEM); read again when they change |
/// | `DOORSTROOM_TLS_AUTHORITIES_FILE` | who issues the certificates of the other services (PEM) |
/// | `DOORSTROOM_TLS_CLIENTS_FILE` | who issues the certificates that callers show, and the lists of what they revoked (PEM); without it none are asked for |
/// | `DOORSTROOM_TLS_CLIENTS` | `required` (the default) or `optional`: whether a caller without one is turned away |
/// | `DOORSTROOM_TLS_ENDS` | `here` (the default), or `elsewhere`: in a proxy, so that plain connections may come from other machines |
/// | `DOORSTROOM_REFLECTION` | `on` or `off` (the default) |
/// | `DOORSTROOM_LIMITS` | what is not as usual in [`Limits`], as `calls_per_second=50 burst=100` |
///
/// A service without a certificate listens to this machine only, and calls no other in plain, unless TLS ends elsewhere.
pub fn from_env(service: &str, vars: impl Fn(&str) -> Option<String>) -> Result<(SocketAddr, Setup), ConfigError> {
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
    let listen: Option<SocketAddr> =
        listen.parse().map_err(|e| fault("DOORSTROOM_LISTEN", format!("{listen:?}: {e}"))).ok();
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
    let trust = issuers.trust(service, tokens).map_err(|(name, why)| fault(name, why)).ok();
    let peers = parse_peers(&peers).map_err(|why| fault("DOORSTROOM_PEERS", why)).ok();
    let reflection = match vars("DOORSTROOM_REFLECTION").as_deref() {
        Some("on") => true,
        None | Some("" | "off") => false,
        Some(other) => {
            fault("DOORSTROOM_REFLECTION", format!("{other:?} is neither on nor off"));
            false
        }
    };
    let tls = secured(optional, listen, peers.as_ref()).map_err(|more| faults.extend(more)).ok();
    if let (Some(tls), Some((_, Some(tokens)))) = (&tls, &trust)
        && tokens.binds()
        && !tls.shows_a_certificate()
    {
        let why = "services.certificate_bound: the tokens of this service are bound to the certificate that it shows, so name \
                   DOORSTROOM_TLS_CERTIFICATE_FILE and DOORSTROOM_TLS_AUTHORITIES_FILE";
        faults.push(format!("DOORSTROOM_ISSUERS_FILE: {why}"));
    }
    let limits = Limits::parse(vars("DOORSTROOM_LIMITS").as_deref().unwrap_or_default());
    let limits = limits.map_err(|why| faults.push(format!("DOORSTROOM_LIMITS: {why}"))).unwrap_or_default();
    match (listen, sealing, trust, revoked, peers, tls) {
        (Some(listen), Some(sealing), Some((verifier, Some(tokens))), Some(revoked), Some(peers), Some(tls))
            if faults.is_empty() =>
        {
            let verifier = match revoked {
                Some(revoked) => verifier.except(revoked),
                None => verifier,
            };
            let (verifier, tokens) = (Arc::new(verifier), Arc::new(tokens));
            let (clock, transport) = (Clock::system(), Transport { tls, limits });
            Ok((listen, Setup { database, sealing, verifier, tokens, peers, clock, reflection, transport }))
        }
        _ => Err(ConfigError(faults)),
    }
}

/// How the service is reached and reaches the others; nothing goes in plain to or from another machine by accident.
fn secured(
    vars: impl Fn(&str) -> Option<String>,
    listen: Option<SocketAddr>,
    peers: Option<&BTreeMap<String, Endpoint>>,
) -> Result<Tls, Vec<String>> {
    let mut faults = Vec::new();
    let mut fault = |name: &str, why: &str| faults.push(format!("{name}: {why}"));
    let file = |name: &str| vars(name).map(PathBuf::from);
    let pair = match (file("DOORSTROOM_TLS_CERTIFICATE_FILE"), file("DOORSTROOM_TLS_KEY_FILE")) {
        (Some(certificate), Some(key)) => Some(Pair { certificate, key }),
        (None, None) => None,
        _ => {
            fault("DOORSTROOM_TLS_CERTIFICATE_FILE", "goes with DOORSTROOM_TLS_KEY_FILE: set both or neither");
            None
        }
    };
    let mut choice = |name: &str, usual: &'static str, other: &'static str| match vars(name).as_deref() {
        None => false,
        Some(given) if given == usual => false,
        Some(given) if given == other => true,
        Some(given) => {
            fault(name, &format!("{given:?} is neither {usual} nor {other}"));
            false
        }
    };
    let required = !choice("DOORSTROOM_TLS_CLIENTS", "required", "optional");
    let elsewhere = choice("DOORSTROOM_TLS_ENDS", "here", "elsewhere");
    let clients = file("DOORSTROOM_TLS_CLIENTS_FILE").map(|authorities| Clients { authorities, required });
    if clients.is_some() && pair.is_none() {
        fault("DOORSTROOM_TLS_CLIENTS_FILE", "only a service that shows a certificate can ask for one");
    }
    if elsewhere && pair.is_some() {
        fault(
            "DOORSTROOM_TLS_ENDS",
            "is elsewhere, and there is a certificate for here: take away the one that is not meant",
        );
    }
    if let Some(listen) = listen.filter(|listen| !listen.ip().is_loopback() && pair.is_none() && !elsewhere) {
        let why = format!(
            "{listen} can be reached from other machines, and there is no certificate: name \
             DOORSTROOM_TLS_CERTIFICATE_FILE, listen on 127.0.0.1, or say DOORSTROOM_TLS_ENDS=elsewhere"
        );
        fault("DOORSTROOM_LISTEN", &why);
    }
    let authorities = file("DOORSTROOM_TLS_AUTHORITIES_FILE");
    for (name, endpoint) in peers.into_iter().flatten() {
        if is_secured(endpoint) && authorities.is_none() {
            fault(
                "DOORSTROOM_PEERS",
                &format!("{name} is https: name DOORSTROOM_TLS_AUTHORITIES_FILE, who issued its certificate"),
            );
        }
        if !is_secured(endpoint) && !is_this_machine(endpoint) && !elsewhere {
            let why = format!(
                "{name} is another machine and would be called in plain: use https, or say DOORSTROOM_TLS_ENDS=elsewhere"
            );
            fault("DOORSTROOM_PEERS", &why);
        }
    }
    let tls = Tls::from_files(pair.as_ref(), clients.as_ref(), authorities.as_deref());
    let tls = tls.map_err(|why| fault("DOORSTROOM_TLS", &why));
    match tls {
        Ok(tls) if faults.is_empty() => Ok(tls),
        _ => Err(faults),
    }
}

fn is_this_machine(endpoint: &Endpoint) -> bool {
    let host = endpoint.uri().host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback())
}

/// Where it says whose tokens are taken.
enum Issuers {
    InFile(String),
    One { name: String, jwks: String },
}

impl Issuers {
    /// Who checks tokens, and who signs the service's own under the name that it will be trusted by.
    fn trust(self, service: &str, key: Option<Issuer>) -> Result<(Verifier, Option<Issuer>), (&'static str, String)> {
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
                let tokens = key.map(|key| key.named(trusted.issuer_of(service)).meant_for(&trusted.audience));
                let tokens = tokens.map(|tokens| tokens.binding(trusted.services_bound));
                if let Some(tokens) = &tokens {
                    own_key(trusted.knows(tokens), VARIABLE, &format!("services.keys.{service}"))?;
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

/// What is in a file may be a key.
fn read(path: &str) -> Result<Zeroizing<String>, String> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| format!("{path}: {error}"))
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
        let message = from_env("regie", |_| None).err().map(|e| e.to_string()).unwrap_or_default();
        for name in ["DOORSTROOM_LISTEN", "DOORSTROOM_DATABASE", "DOORSTROOM_PEERS", "DOORSTROOM_JWKS_FILE"] {
            assert!(message.contains(name), "{message}");
        }
        let wrong = |name: &str| match name {
            "DOORSTROOM_REFLECTION" => Some("maybe".to_owned()),
            "DOORSTROOM_ISSUERS_FILE" => None,
            _ => Some("x".to_owned()),
        };
        let message = from_env("regie", wrong).err().map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(message.lines().count(), 12, "{message}");
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
            ("DOORSTROOM_PEERS", "regie=http://127.0.0.1:50055".to_owned()),
            ("DOORSTROOM_ISSUER", "https://id.example.nl".to_owned()),
            ("DOORSTROOM_JWKS_FILE", file("jwks.json")),
        ])
    }

    fn error(variables: &BTreeMap<&'static str, String>) -> String {
        from_env("regie", |name| variables.get(name).cloned()).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn one_issuer_or_a_file_of_issuers_and_never_both() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let mut variables = variables(folder.path(), &service);
        assert_eq!(error(&variables), "");
        let issuers = folder.path().join("issuers.toml");
        let text = "audience = \"prod\"\n[services]\nname = \"https://services.example.nl\"\nkeys.regie.file = \"jwks.json\"\n";
        std::fs::write(&issuers, text).unwrap();
        variables.insert("DOORSTROOM_ISSUERS_FILE", issuers.display().to_string());
        assert!(error(&variables).contains("DOORSTROOM_ISSUER: is set beside DOORSTROOM_ISSUERS_FILE"));
        variables.remove("DOORSTROOM_ISSUER");
        variables.remove("DOORSTROOM_JWKS_FILE");
        let (_, setup) = from_env("regie", |name| variables.get(name).cloned()).unwrap();
        assert_eq!(setup.tokens.name(), "https://services.example.nl/regie");
        // The key of regie is not that of housing.
        let other = from_env("housing", |name| variables.get(name).cloned()).err().unwrap().to_string();
        assert!(other.contains("services.keys.housing has no key"), "{other}");
    }

    #[test]
    fn the_development_issuer_beside_another_is_refused_with_the_way_out() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let mut variables = variables(folder.path(), &service);
        variables.retain(|name, _| !["DOORSTROOM_ISSUER", "DOORSTROOM_JWKS_FILE"].contains(name));
        let issuers = folder.path().join("issuers.toml");
        let text = "audience = \"prod\"\n[services]\nname = \"doorstroom-dev\"\nkeys.regie.file = \"jwks.json\"\n";
        std::fs::write(&issuers, text).unwrap();
        variables.insert("DOORSTROOM_ISSUERS_FILE", issuers.display().to_string());
        let error = error(&variables);
        for part in ["DOORSTROOM_ISSUERS_FILE", "name", "prints a token for any role", "Take it out", "run it alone"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    /// R-REG-13
    #[test]
    fn nothing_goes_in_plain_to_or_from_another_machine_unless_tls_ends_elsewhere() {
        let (folder, service) = (tempfile::tempdir().unwrap(), Issuer::generate("services").unwrap());
        let good = variables(folder.path(), &service);
        let with = |changes: &[(&'static str, &str)]| {
            let mut variables = good.clone();
            variables.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
            error(&variables)
        };
        assert_eq!(with(&[]), "");
        assert_eq!(
            with(&[
                ("DOORSTROOM_LISTEN", "[::1]:0"),
                ("DOORSTROOM_PEERS", "regie=http://localhost:1 a=http://[::1]:1")
            ]),
            ""
        );
        for listen in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1"] {
            assert!(with(&[("DOORSTROOM_LISTEN", listen)]).contains("there is no certificate"), "{listen}");
        }
        for peer in ["regie=http://regie:50055", "regie=http://10.0.0.1:50055", "regie=http://127.0.0.1.example:1"] {
            assert!(with(&[("DOORSTROOM_PEERS", peer)]).contains("would be called in plain"), "{peer}");
        }
        let elsewhere = ("DOORSTROOM_TLS_ENDS", "elsewhere");
        assert_eq!(
            with(&[elsewhere, ("DOORSTROOM_LISTEN", "0.0.0.0:1"), ("DOORSTROOM_PEERS", "regie=http://regie:1")]),
            ""
        );

        let authority = testkit::Authority::new();
        let (pair, ca) =
            (authority.issue("regie").write(folder.path(), "regie"), authority.write(folder.path(), "ca.pem"));
        let (certificate, key, ca) =
            (pair.certificate.display().to_string(), pair.key.display().to_string(), ca.display().to_string());
        let secured = [
            ("DOORSTROOM_LISTEN", "0.0.0.0:1"),
            ("DOORSTROOM_PEERS", "housing=https://housing:50052"),
            ("DOORSTROOM_TLS_CERTIFICATE_FILE", &certificate),
            ("DOORSTROOM_TLS_KEY_FILE", &key),
            ("DOORSTROOM_TLS_AUTHORITIES_FILE", &ca),
            ("DOORSTROOM_TLS_CLIENTS_FILE", &ca),
        ];
        assert_eq!(with(&secured), "");
        let without =
            |name: &str| with(&secured.iter().copied().filter(|(other, _)| *other != name).collect::<Vec<_>>());
        for (name, why) in [
            ("DOORSTROOM_TLS_KEY_FILE", "set both or neither"),
            ("DOORSTROOM_TLS_AUTHORITIES_FILE", "who issued its certificate"),
        ] {
            assert!(without(name).contains(why), "{name}: {}", without(name));
        }
        let also = |name, value| with(&[secured.as_slice(), &[(name, value)]].concat());
        assert_eq!(also("DOORSTROOM_TLS_CLIENTS", "optional"), "");
        assert!(also("DOORSTROOM_TLS_CLIENTS", "perhaps").contains("neither required nor optional"));
        assert!(also("DOORSTROOM_TLS_ENDS", "elsewhere").contains("take away the one that is not meant"));
        assert!(also("DOORSTROOM_TLS_KEY_FILE", &ca).contains("the private key"));
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
            from_env("access", |name| variables.get(name).cloned())
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
