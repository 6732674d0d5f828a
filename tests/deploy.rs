//! What `deploy/` gives a municipality can be read by the programs that it is for.

use chain_tests::root;
use chassis::Files;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

const SERVICES: [&str; 6] = ["access", "housing", "income", "aftercare", "regie", "monitor"];

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn every_service_starts_from_the_policy_files_in_deploy() {
    let files = Files::in_folder(root().join("deploy/policy")).unwrap();
    access::Access::from_files(&files).unwrap();
    housing::Housing::from_files(&files).unwrap();
    income::Income::from_files(&files).unwrap();
    aftercare::Aftercare::from_files(&files).unwrap();
    regie::Regie::from_files(&files).unwrap();
    monitor::Monitor::from_files(&files).unwrap();
}

/// R-REG-09: the days that were designated stand in one file, and whoever reckons with terms reads it.
#[test]
fn one_calendar_serves_every_service_that_reckons_with_terms() {
    let folder = tempfile::TempDir::new().unwrap();
    let files = Files::in_folder(folder.path()).unwrap();
    std::fs::write(folder.path().join("calendar.toml"), "designated_days = [\"15 mei\"]").unwrap();
    let refused = [
        access::Access::from_files(&files).err(),
        housing::Housing::from_files(&files).err(),
        income::Income::from_files(&files).err(),
        aftercare::Aftercare::from_files(&files).err(),
        regie::Regie::from_files(&files).err(),
    ];
    for refused in refused {
        let why = format!("{:#}", refused.expect("a calendar that cannot be read keeps a service from starting"));
        assert!(why.starts_with("calendar.toml cannot be used"), "{why}");
    }
}

/// A file with another name than a service asks for would silently give way to what is compiled in.
#[test]
fn every_policy_file_in_deploy_is_asked_for() {
    let mut names: Vec<String> = std::fs::read_dir(root().join("deploy/policy"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let code: String = ["access", "housing", "income", "aftercare", "regie", "monitor"]
        .iter()
        .map(|service| format!("services/{service}/src/lib.rs"))
        .chain(["shared/chassis/src/process.rs".to_owned()])
        .map(|path| std::fs::read_to_string(root().join(path)).unwrap())
        .collect();
    for name in &names {
        assert!(code.contains(&format!("\"{name}\"")), "no service asks for {name}");
    }
    assert_eq!(names.len(), 10);
}

/// The example of several issuers is one that a service starts with, once its keys are made.
#[test]
fn the_example_of_issuers_in_deploy_is_usable() {
    let text = std::fs::read_to_string(root().join("deploy/issuers.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    doorstroom::local::make_keys(&folder.path().join("keys")).unwrap();
    let trusted = auth::Trusted::from_toml(&text, folder.path()).unwrap();
    let key = |service: &str| std::fs::read_to_string(folder.path().join(format!("keys/{service}-key.pem"))).unwrap();
    for (service, other) in [("access", "regie"), ("housing", "monitor"), ("income", "access"), ("aftercare", "income")]
    {
        let named = trusted.issuer_of(service);
        assert!(trusted.knows(&auth::Issuer::from_pem(&named, &key(service)).unwrap()), "{service}");
        assert!(!trusted.knows(&auth::Issuer::from_pem(&named, &key(other)).unwrap()), "{other} is not {service}");
    }
    assert_eq!(auth::Verifier::trusting(trusted.issuers).map(|_| ()).map_err(|error| error.to_string()), Ok(()));
}

/// R-REG-13: what the script makes is what the services take from each other, also after it ran again.
#[test]
fn the_certificates_that_deploy_makes_are_usable() {
    let folder = tempfile::tempdir().unwrap();
    let make = || {
        let mut script = std::process::Command::new(root().join("deploy/certificates.sh"));
        script.arg(folder.path()).output().unwrap()
    };
    if std::process::Command::new("openssl").arg("version").output().is_err() {
        eprintln!("passed over: openssl is not installed");
        return;
    }
    let mut before = Vec::new();
    for _ in 0..2 {
        let made = make();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let file = |name: &str| folder.path().join(name);
        let authorities = file("authority/authorities.pem");
        for service in ["access", "housing", "income", "aftercare", "regie", "monitor"] {
            let pair = chassis::Pair {
                certificate: file(&format!("{service}/certificate.pem")),
                key: file(&format!("{service}/key.pem")),
            };
            let clients = chassis::Clients { authorities: file("authority/clients.pem"), required: true };
            let tls = chassis::Tls::from_files(Some(&pair), Some(&clients), Some(&authorities));
            assert_eq!(tls.err(), None, "{service}");
        }
        let now = std::fs::read(file("regie/certificate.pem")).unwrap();
        assert_ne!(now, before, "renewed");
        before = now;
    }
}

/// What is secret is readable by its owner alone, and the containers run as that owner.
#[test]
fn the_keys_can_be_read_by_the_services_and_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    doorstroom::local::make_keys(folder.path()).unwrap();
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    for name in ["regie-key.pem", "sealing-key", "master-keys"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    let compose = text("deploy/compose.yaml");
    let (shared, _) = compose.split_once("x-environment:").unwrap();
    assert!(shared.contains("  user: ${DOORSTROOM_USER:?"), "a secret from a file keeps its owner and mode");
    assert_eq!(compose.matches("<<: *service").count(), SERVICES.len());
    assert!(text("deploy/README.md").contains("DOORSTROOM_USER=$(id -u):$(id -g)"));
}

/// A port that is open to others speaks TLS.
#[test]
fn no_port_is_open_in_plain() {
    let compose = text("deploy/compose.yaml");
    let (_, environment) = compose.split_once("x-environment:").unwrap();
    assert!(environment.contains("DOORSTROOM_TLS_CERTIFICATE_FILE: ") && !compose.contains("http://"));
    assert_eq!(compose.matches("<<: *environment").count(), SERVICES.len());
    assert_eq!(compose.matches("ports:").count(), SERVICES.len(), "the database has none");
}

/// What is copied into the image is no key, no data and nothing built.
#[test]
fn no_key_gets_into_an_image() {
    assert!(text("deploy/Containerfile").contains("COPY . ."));
    let ignored = text(".dockerignore");
    for path in ["deploy/keys", "data", "**/target", ".git"] {
        assert!(ignored.lines().any(|line| line == path), "{path} goes into the image");
    }
}

/// Each service has a role of its own, that owns its database and can open no other.
#[test]
fn a_service_can_open_its_own_database_and_no_other() {
    let compose = text("deploy/compose.yaml");
    for service in SERVICES {
        let url = format!("postgres://{service}:${{{}_PASSWORD:?}}@postgres/{service}\n", service.to_uppercase());
        assert!(compose.contains(&url), "{url}");
    }
    let Some(server) = testkit::Server::start() else {
        return eprintln!("passed over: PostgreSQL is not installed");
    };
    let path = std::env::var_os("PATH").unwrap();
    let path = [server.bin.clone()].into_iter().chain(std::env::split_paths(&path));
    let mut made = Command::new("sh");
    made.arg(root().join("deploy/databases.sh"))
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("PGHOST", &server.socket)
        .env("POSTGRES_USER", server.superuser);
    for service in SERVICES {
        made.env(format!("{}_PASSWORD", service.to_uppercase()), format!("it's {service}"));
    }
    let made = made.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let ask = |role: &str, database: &str, sql: &str| {
        let asked =
            psql(&server.bin).arg("-h").arg(&server.socket).args(["-U", role, "-d", database, "-tAc", sql]).output();
        let asked = asked.unwrap();
        (asked.status.success(), String::from_utf8([asked.stdout, asked.stderr].concat()).unwrap())
    };
    for service in SERVICES {
        let (made, said) = ask(service, service, "create table mine (n int); drop table mine; select 'made'");
        assert!(made && said.contains("made"), "{service}: {said}");
        for other in SERVICES.into_iter().filter(|other| *other != service) {
            let (opened, said) = ask(service, other, "select 1");
            assert!(!opened && said.contains("permission denied"), "{service} opened {other}: {said}");
        }
        let superuser = "select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = current_user";
        assert_eq!(ask(service, service, superuser).1.trim(), "f", "{service} may do more than its own work");
    }
}

fn psql(bin: &Path) -> Command {
    let beside = bin.join("psql");
    let mut psql = if beside.is_file() { Command::new(beside) } else { Command::new("psql") };
    psql.arg("--no-psqlrc");
    psql
}
