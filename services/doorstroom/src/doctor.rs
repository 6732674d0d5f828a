//! `doorstroom doctor`: what a service would start with, and what is wrong with it.

use crate::cluster::ABOUT;
use anyhow::Context as _;
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Certificates are to be renewed when this is left.
const RENEW: Duration = Duration::from_secs(21 * 24 * 3600);
/// Tokens and logs are wrong when clocks differ by more.
const DRIFT: Duration = Duration::from_secs(5);
/// With less room a database on this disk is about to stop.
const SCARCE: u64 = 100 << 20;
/// With less it soon will.
const LITTLE: u64 = 1 << 30;

/// Looks at what a service would start with, and says what is wrong and what to do about it. It changes nothing, and may run
/// beside the service.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    doorstroom doctor regie --config /etc/doorstroom/regie.env\n  \
    docker compose --file deploy/compose.yaml run --rm --entrypoint doorstroom regie doctor regie\n\n\
    It looks at: every variable (deploy/README.md lists them), certificates and their keys, who may read the keys, the\n\
    issuers, the development issuer, reflection, the data folder, the database, its migrations and its clock, and whether\n\
    what is in memory can come on a disk.\n\n\
    Exit status: 0 nothing is wrong; 1 something is; 2 it could not be found out. What is only worth a look does not count.")]
pub struct Doctor {
    /// The service: access, housing, income, aftercare, regie or monitor
    pub service: String,
    /// A file with its variables, NAME=value per line, as systemd's EnvironmentFile; the environment when left out
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A service does not start, or not safely.
    Wrong {
        /// What is wrong.
        what: String,
        /// What to do about it.
        fix: String,
    },
    /// Worth a look.
    Look {
        /// What was seen.
        what: String,
        /// What to do about it.
        fix: String,
    },
    /// As it should be.
    Right(String),
}

impl Finding {
    fn wrong(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Wrong { what: what.into(), fix: fix.into() }
    }

    fn look(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Look { what: what.into(), fix: fix.into() }
    }
}

/// Runs `doorstroom doctor`; false when something is wrong.
pub async fn run(doctor: &Doctor, environment: impl Fn(&str) -> Option<String>) -> anyhow::Result<bool> {
    let mut findings = match &doctor.config {
        None => examine(&doctor.service, environment).await?,
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let variables = variables(&text);
            examine(&doctor.service, |name| variables.get(name).cloned()).await?
        }
    };
    memory(&mut findings);
    print!("{}", report(&findings));
    Ok(!findings.iter().any(|finding| matches!(finding, Finding::Wrong { .. })))
}

/// The variables in a file.
fn variables(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .collect()
}

/// What is to be said of the findings, the worst first.
pub fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut say = |line: String| writeln!(text, "{line}").expect("text takes any line");
    for finding in findings {
        if let Finding::Wrong { what, fix } = finding {
            say(format!("WRONG  {what}\n       -> {fix}"));
        }
    }
    for finding in findings {
        if let Finding::Look { what, fix } = finding {
            say(format!("look   {what}\n       -> {fix}"));
        }
    }
    for finding in findings {
        if let Finding::Right(what) = finding {
            say(format!("right  {what}"));
        }
    }
    text
}

/// Looks at everything that a service would start with.
pub async fn examine(service: &str, vars: impl Fn(&str) -> Option<String>) -> anyhow::Result<Vec<Finding>> {
    let newest = newest(service)
        .with_context(|| format!("{service:?} is none of access, housing, income, aftercare, regie, monitor"))?;
    let mut findings = Vec::new();
    match chassis::from_env(service, &vars) {
        Ok(_) => findings.push(Finding::Right("every variable can be used, and the keys belong together".to_owned())),
        Err(error) => findings.extend(error.faults().iter().map(|fault| {
            Finding::wrong(fault, "correct that variable; deploy/README.md says under Configuration what each means")
        })),
    }
    let given = |name: &str| vars(name).filter(|value| !value.is_empty());
    secrets(&given, &mut findings);
    certificates(&given, SystemTime::now(), &mut findings);
    exposure(&given, &mut findings);
    if let Some(url) = given("DOORSTROOM_DATABASE") {
        folder(&url, &mut findings);
        database(&url, newest, &mut findings).await;
    }
    Ok(findings)
}

/// The newest migration that a service knows.
fn newest(service: &str) -> Option<i64> {
    let about = ABOUT.into_iter().find(|about| about.name == service)?;
    about.migrations.iter().map(|migration| migration.0).max()
}

/// Keys that others on this machine can read.
fn secrets(given: &impl Fn(&str) -> Option<String>, findings: &mut Vec<Finding>) {
    for name in ["DOORSTROOM_SEALING_KEY_FILE", "DOORSTROOM_SERVICE_KEY_FILE", "DOORSTROOM_TLS_KEY_FILE"] {
        let Some(path) = given(name) else { continue };
        let Ok(file) = std::fs::metadata(&path) else { continue };
        findings.push(match file.mode() & 0o077 {
            0 => Finding::Right(format!("{name}: only its owner can read {path}")),
            _ => Finding::wrong(
                format!("{name}: others on this machine can read {path} (mode {:o})", file.mode() & 0o777),
                format!("chmod 600 {path}, and give it to the user that the service runs as"),
            ),
        });
    }
}

/// Certificates that have expired or soon will.
fn certificates(given: &impl Fn(&str) -> Option<String>, now: SystemTime, findings: &mut Vec<Finding>) {
    for name in ["DOORSTROOM_TLS_CERTIFICATE_FILE", "DOORSTROOM_TLS_AUTHORITIES_FILE", "DOORSTROOM_TLS_CLIENTS_FILE"] {
        let Some(path) = given(name) else { continue };
        // What cannot be read at all was said already.
        let Ok(expires) = chassis::expires(Path::new(&path)) else { continue };
        let renew = "put a new one in its place: a running service reads it again without a restart";
        findings.push(match expires.duration_since(now) {
            Err(_) => Finding::wrong(format!("{name}: a certificate in {path} expired {}", day(expires)), renew),
            Ok(left) if left < RENEW => {
                Finding::look(format!("{name}: a certificate in {path} expires {}", day(expires)), renew)
            }
            Ok(_) => Finding::Right(format!("{name}: valid up to {}", day(expires))),
        });
    }
}

/// Ways on which what is in memory comes on a disk.
fn memory(findings: &mut Vec<Finding>) {
    findings.push(match chassis::keeps_to_itself() {
        true => Finding::Right("what a program of ours holds in memory comes in no core dump".to_owned()),
        false => Finding::wrong(
            "what a program of ours holds in memory, keys among it, can come in a core dump: this machine does not let it \
             forbid that",
            "let it call prctl and setrlimit; set kernel.core_pattern to |/bin/false where that cannot be",
        ),
    });
    let kind = |device: &str| std::fs::read_to_string(format!("/sys/class/block/{device}/dm/uuid")).ok();
    // What cannot be read says nothing.
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    findings.extend(swap(&swaps, kind));
}

/// Where memory is swapped to without being encrypted, as far as `/proc/swaps` and the mapped devices' ids say.
fn swap(swaps: &str, kind: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let used = swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    let finding = |path: &str| {
        let device = path.strip_prefix("/dev/").unwrap_or_default();
        // The first is memory itself, compressed.
        if device.starts_with("zram") || kind(device).is_some_and(|kind| kind.starts_with("CRYPT-")) {
            return Finding::Right(format!("what is swapped to {path} is not readable on a disk"));
        }
        Finding::look(
            format!("memory is swapped to {path}, and nothing shows that it is encrypted there"),
            "swapoff, or encrypt the swap with a key of each start (crypttab: swap); or run the service with MemorySwapMax=0",
        )
    };
    used.map(finding).collect()
}

fn day(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).map(|at| at.to_string());
    at.map_or_else(|_| "some day".to_owned(), |at| at.chars().take(10).collect())
}

/// What somebody on another machine could make use of.
fn exposure(given: &impl Fn(&str) -> Option<String>, findings: &mut Vec<Finding>) {
    let listen: Option<SocketAddr> = given("DOORSTROOM_LISTEN").and_then(|listen| listen.parse().ok());
    let reachable = listen.is_some_and(|listen| !listen.ip().is_loopback());
    if let Some(issuer) = given("DOORSTROOM_ISSUER") {
        findings.push(match (issuer == auth::DEVELOPMENT_ISSUER, reachable) {
            (true, true) => Finding::wrong(
                "DOORSTROOM_ISSUER: the development issuer prints a token for any role to whoever asks, and this service can \
                 be reached from other machines",
                "name your own issuers in DOORSTROOM_ISSUERS_FILE, or listen on 127.0.0.1",
            ),
            _ => Finding::look(
                "DOORSTROOM_ISSUER: one issuer speaks for every role and organisation, and all services sign in its name",
                "where anything is at stake, name the issuers and what each may say in DOORSTROOM_ISSUERS_FILE",
            ),
        });
    }
    if reachable && given("DOORSTROOM_REFLECTION").as_deref() == Some("on") {
        findings.push(Finding::look(
            "DOORSTROOM_REFLECTION: whoever reaches this service can read its contract without a token",
            "set it to off; the contract is in proto/",
        ));
    }
    if given("DOORSTROOM_TLS_ENDS").as_deref() == Some("elsewhere") {
        findings.push(Finding::look(
            "DOORSTROOM_TLS_ENDS: connections are plain from where TLS ends",
            "make sure that nobody but that proxy reaches the port; or give the service a certificate",
        ));
    }
    if given("DOORSTROOM_TLS_CERTIFICATE_FILE").is_some() && given("DOORSTROOM_TLS_CLIENTS_FILE").is_none() {
        findings.push(Finding::look(
            "DOORSTROOM_TLS_CLIENTS_FILE: callers are asked for no certificate, so tokens that are bound to one do not work",
            "name who issues the certificates of callers, with DOORSTROOM_TLS_CLIENTS=optional where not all have one",
        ));
    }
}

/// The folder of a database on this machine.
fn folder(url: &str, findings: &mut Vec<Finding>) {
    let Some(path) = url.strip_prefix("sqlite:") else { return };
    let path = Path::new(path.trim_start_matches("//").split('?').next().unwrap_or_default());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = folder.display();
    let Ok(metadata) = std::fs::metadata(folder) else {
        let fix = format!("mkdir -m 700 {shown}, and give it to the user that the service runs as");
        findings.push(Finding::wrong(format!("DOORSTROOM_DATABASE: there is no folder {shown}"), fix));
        return;
    };
    if metadata.mode() & 0o077 != 0 {
        let what = format!("DOORSTROOM_DATABASE: others on this machine can look into {shown}");
        findings.push(Finding::look(what, format!("chmod 700 {shown}")));
    }
    if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() {
        let what = format!("DOORSTROOM_DATABASE: {shown} cannot be written to");
        findings.push(Finding::wrong(what, "give it to the user that the service runs as"));
    }
    if let Ok(disk) = rustix::fs::statvfs(folder) {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let what = format!("DOORSTROOM_DATABASE: {} MiB are free in {shown}", free >> 20);
        findings.push(match free {
            ..SCARCE => Finding::wrong(what, "make room: without it nothing can be written, not even who looked"),
            SCARCE..LITTLE => Finding::look(what, "make room before it is needed"),
            _ => Finding::Right(what),
        });
    }
}

/// The database itself: whether it is there, what it has had, and what time it thinks it is.
async fn database(url: &str, newest: i64, findings: &mut Vec<Finding>) {
    let asked = SystemTime::now();
    let state = match tokio::time::timeout(Duration::from_secs(5), store::look(url)).await {
        Ok(Ok(state)) => state,
        Ok(Err(error)) => {
            let fix = "start the database, and check host, name, user and password in the URL";
            findings.push(Finding::wrong(format!("DOORSTROOM_DATABASE: it cannot be used: {error}"), fix));
            return;
        }
        Err(_) => {
            let fix = "check that this machine can reach it";
            findings.push(Finding::wrong("DOORSTROOM_DATABASE: it does not answer within 5 seconds", fix));
            return;
        }
    };
    findings.push(match state.migration {
        None => Finding::Right("DOORSTROOM_DATABASE: it is new; its tables are made at the first start".to_owned()),
        Some(had) if had > newest => Finding::wrong(
            format!("DOORSTROOM_DATABASE: a newer program was here (migration {had}; this one knows {newest})"),
            "start the newer program; or restore the backup from before it",
        ),
        Some(had) if had < newest => Finding::look(
            format!("DOORSTROOM_DATABASE: it is brought up to date at the next start (migration {had} to {newest})"),
            "make a backup first",
        ),
        Some(had) => Finding::Right(format!("DOORSTROOM_DATABASE: it is up to date (migration {had})")),
    });
    if let Some(clock) = state.clock.and_then(|micros| u64::try_from(micros).ok()) {
        let theirs = SystemTime::UNIX_EPOCH + Duration::from_micros(clock);
        let between = theirs.duration_since(asked).unwrap_or_else(|behind| behind.duration());
        findings.push(match between > DRIFT {
            true => Finding::wrong(
                format!("the clocks of this machine and of the database differ by {} seconds", between.as_secs()),
                "let both follow a time server: tokens, terms and the log depend on it",
            ),
            false => Finding::Right("the clocks of this machine and of the database agree".to_owned()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::Issuer;

    /// The variables of a service that would start well.
    fn good(folder: &Path) -> BTreeMap<String, String> {
        use std::os::unix::fs::PermissionsExt as _;
        let data = folder.join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
        crate::local::make_keys(&folder.join("keys")).unwrap();
        let keys: String = crate::local::PORTS
            .iter()
            .map(|(service, _)| format!("{service} = {{ file = \"keys/public/{service}.json\" }}\n"))
            .collect();
        let issuers = format!("audience = \"prod\"\n[services]\nname = \"https://x.example\"\n[services.keys]\n{keys}");
        std::fs::write(folder.join("issuers.toml"), issuers).unwrap();
        let file = |name: &str| folder.join(name).display().to_string();
        [
            ("DOORSTROOM_LISTEN", "127.0.0.1:0".to_owned()),
            ("DOORSTROOM_DATABASE", format!("sqlite:{}", file("data/regie.sqlite"))),
            ("DOORSTROOM_SEALING_KEY_FILE", file("keys/sealing-key")),
            ("DOORSTROOM_SERVICE_KEY_FILE", file("keys/regie-key.pem")),
            ("DOORSTROOM_ISSUERS_FILE", file("issuers.toml")),
            ("DOORSTROOM_PEERS", "access=http://127.0.0.1:50051".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    async fn wrong(variables: &BTreeMap<String, String>) -> Vec<String> {
        let findings = examine("regie", |name| variables.get(name).cloned()).await.unwrap();
        let wrong = findings.iter().filter_map(|finding| match finding {
            Finding::Wrong { what, fix } => Some(format!("{what} -> {fix}")),
            _ => None,
        });
        wrong.collect()
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_with_what_to_do_about_it() {
        let folder = tempfile::tempdir().unwrap();
        let good = good(folder.path());
        assert_eq!(wrong(&good).await, Vec::<String>::new());
        let file = |name: &str| folder.path().join(name).display().to_string();
        let open = Issuer::generate("x").unwrap();
        std::fs::write(folder.path().join("open.pem"), open.to_pem()).unwrap();
        std::fs::write(folder.path().join("open.json"), open.jwks()).unwrap();
        for (name, value, part) in [
            ("DOORSTROOM_LISTEN", "0.0.0.0:1".to_owned(), "there is no certificate"),
            ("DOORSTROOM_PEERS", "access=http://access:1".to_owned(), "called in plain"),
            ("DOORSTROOM_SERVICE_KEY_FILE", file("open.pem"), "chmod 600"),
            ("DOORSTROOM_SERVICE_KEY_FILE", file("keys/access-key.pem"), "services.keys.regie has no key"),
            ("DOORSTROOM_ISSUERS_FILE", file("none.toml"), "DOORSTROOM_ISSUERS_FILE"),
            ("DOORSTROOM_ISSUER", "doorstroom-dev".to_owned(), "take away the one that is not meant"),
            ("DOORSTROOM_DATABASE", format!("sqlite:{}", file("none/regie.sqlite")), "mkdir -m 700"),
            ("DOORSTROOM_DATABASE", "postgres://127.0.0.1:1/x".to_owned(), "start the database"),
            ("DOORSTROOM_LIMITS", "burst=none".to_owned(), "no whole number"),
            ("DOORSTROOM_TLS_CERTIFICATE_FILE", file("none.pem"), "set both or neither"),
        ] {
            let mut variables = good.clone();
            variables.insert(name.to_owned(), value);
            let wrong = wrong(&variables).await;
            assert!(wrong.iter().any(|wrong| wrong.contains(part)), "{name}: {wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_database_that_a_newer_program_changed_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let good = good(folder.path());
        let key = store::SealingKey::from_bytes([1; 32]);
        let beside = store::Sealing::beside(&good["DOORSTROOM_DATABASE"]).unwrap();
        let sealing = store::Sealing::new(key, beside);
        let migrations = [
            (100, "one", "create table one (n bigint not null\n);"),
            (9_999, "new", "create table two (n bigint not null\n);"),
        ];
        let opened =
            store::Store::open("regie", &good["DOORSTROOM_DATABASE"], &sealing, &migrations[..1]).await.unwrap();
        opened.close().await;
        assert_eq!(wrong(&good).await, Vec::<String>::new(), "older is brought up to date");
        let opened = store::Store::open("regie", &good["DOORSTROOM_DATABASE"], &sealing, &migrations).await.unwrap();
        opened.close().await;
        assert!(wrong(&good).await[0].contains("a newer program was here"));
    }

    #[test]
    fn swap_that_is_not_encrypted_is_worth_a_look() {
        let kind = |device: &str| match device {
            "dm-0" => Some("CRYPT-PLAIN-swap".to_owned()),
            "dm-1" => Some("LVM-vg".to_owned()),
            _ => None,
        };
        for (path, is_right) in [
            ("/dev/dm-0", true),
            ("/dev/zram0", true),
            ("/dev/dm-1", false),
            ("/dev/vda2", false),
            ("/swapfile", false),
        ] {
            let swaps = format!("Filename\tType\tSize\tUsed\tPriority\n{path}  partition 8 0 -2\n");
            let found = swap(&swaps, kind);
            assert!(matches!(found[..], [Finding::Right(_)]) == is_right && found.len() == 1, "{path}: {found:?}");
        }
        assert_eq!(swap("Filename\tType\tSize\tUsed\tPriority\n", kind), []);
        assert_eq!(swap("", kind), []);
    }

    #[test]
    fn a_file_of_variables_is_read_as_a_service_manager_would() {
        let read = variables("# why\nDOORSTROOM_LISTEN=127.0.0.1:1\n\nDOORSTROOM_PEERS=\"a=http://x b=http://y\"\n");
        assert_eq!(read["DOORSTROOM_LISTEN"], "127.0.0.1:1");
        assert_eq!(read["DOORSTROOM_PEERS"], "a=http://x b=http://y");
    }

    #[test]
    fn a_certificate_that_expires_soon_is_worth_a_look_and_one_that_expired_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("certificate.pem");
        std::fs::write(&path, testkit::Authority::new().issue_until("regie", 2030).certificate).unwrap();
        let given = |name: &str| (name == "DOORSTROOM_TLS_CERTIFICATE_FILE").then(|| path.display().to_string());
        let year_2030 = SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000);
        let at = |now: SystemTime| {
            let mut findings = Vec::new();
            certificates(&given, now, &mut findings);
            findings.remove(0)
        };
        let second = Duration::from_secs(1);
        assert!(matches!(at(year_2030 + second), Finding::Wrong { what, .. } if what.contains("2030-01-01")));
        assert!(matches!(at(year_2030 - second), Finding::Look { .. }));
        assert!(matches!(at(year_2030 - RENEW - second), Finding::Right(_)));
    }
}
