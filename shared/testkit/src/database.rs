//! A fresh database per test. PostgreSQL runs as a cluster of the test process's own, and goes with it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use store::{Sealing, SealingKey};
use tempfile::TempDir;
use uuid::Uuid;

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In a file of its own.
    Sqlite,
    /// In a database of its own, on a cluster of this process's own.
    Postgres,
}

/// A fresh database, and one for its keys.
pub struct Database {
    /// What a store opens.
    pub url: String,
    /// Where the keys of what is sealed in it are.
    pub keys: String,
    /// Where SQLite's files are.
    folder: Option<TempDir>,
}

impl Database {
    /// Makes one; `None` when the engine is not installed here.
    pub fn create(engine: Engine) -> Option<Database> {
        let database = match engine {
            Engine::Sqlite => {
                let folder = TempDir::new().expect("a temporary folder");
                let url = |name| format!("sqlite:{}", folder.path().join(name).display());
                let (url, keys) = (url("test.db"), url("test.keys.db"));
                Database { url, keys, folder: Some(folder) }
            }
            Engine::Postgres => {
                Database { url: postgres_database(None)?, keys: postgres_database(None)?, folder: None }
            }
        };
        tally(engine);
        Some(database)
    }

    /// What it is sealed with.
    pub fn sealing(&self) -> Sealing {
        Sealing::new(SealingKey::from_bytes([42; 32]), self.keys.clone())
    }

    /// A copy, as a backup is one, of the database or of its keys; nobody may have it open. Gives the URL of the copy.
    pub fn copy(&self, url: &str) -> String {
        match &self.folder {
            Some(folder) => {
                let path = folder.path().join(format!("{}.db", Uuid::new_v4()));
                // What was written last may still stand in the log beside the file.
                let from = url.trim_start_matches("sqlite:");
                std::fs::copy(from, &path).expect("a file that is not open can be copied");
                if Path::new(&format!("{from}-wal")).exists() {
                    let wal = std::fs::copy(format!("{from}-wal"), format!("{}-wal", path.display()));
                    wal.expect("a file that is not open can be copied");
                }
                format!("sqlite:{}", path.display())
            }
            None => {
                let name = url.split("localhost/").nth(1).and_then(|end| end.split('?').next());
                postgres_database(Some(name.expect("a database of this cluster"))).expect("the server runs")
            }
        }
    }
}

impl Database {
    /// Every file in which the engine keeps what was written, once it has written out all that it holds: the tables, and
    /// the write-ahead log. On PostgreSQL those of the whole cluster.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        match self.url.strip_prefix("sqlite:") {
            Some(file) => walk(Path::new(file).parent().expect("a file is in a folder"), &mut files),
            None => {
                let (_, socket) = self.url.split_once("host=").expect("the socket is named");
                let bin = binaries().expect("it runs");
                let ask = ["-q", "-h", socket, "-U", "doorstroom", "-d", "postgres", "-c", "checkpoint"];
                let asked = Command::new(bin.join("psql")).args(ask).output().expect("psql runs");
                assert!(asked.status.success(), "psql: {}", String::from_utf8_lossy(&asked.stderr));
                walk(&Path::new(socket).join("data"), &mut files);
            }
        }
        files
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

/// Adds to the count of tests per engine, in the file that the test run names: CI demands equal numbers.
fn tally(engine: Engine) {
    if let Some(path) = std::env::var_os("DOORSTROOM_ENGINE_TALLY") {
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(path).expect("the tally can be written");
        // In one piece: other tests write beside this one.
        file.write_all(format!("{engine:?}\n").as_bytes()).expect("the tally can be written");
    }
}

/// The cluster of this process. A shell holds it: when this process ends, however it ends, the shell's input closes and it
/// stops the server and removes its folder.
struct Cluster {
    socket: PathBuf,
    bin: PathBuf,
    _keeper: Child,
}

static CLUSTER: Mutex<Option<Cluster>> = Mutex::new(None);

/// The PostgreSQL server of this process, for what its manager does with it.
#[derive(Clone, Debug)]
pub struct Server {
    /// The folder of its socket.
    pub socket: PathBuf,
    /// The folder of its programs.
    pub bin: PathBuf,
    /// Its superuser; no password is asked.
    pub superuser: &'static str,
}

impl Server {
    /// Starts it, or finds it running; `None` when PostgreSQL is not installed here.
    pub fn start() -> Option<Self> {
        let bin = binaries()?;
        let mut cluster = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = cluster.get_or_insert_with(|| Cluster::start(bin));
        Some(Self { socket: cluster.socket.clone(), bin: cluster.bin.clone(), superuser: "doorstroom" })
    }
}

/// A new database, as a copy of another or an empty one.
fn postgres_database(template: Option<&str>) -> Option<String> {
    let cluster = Server::start()?;
    let name = format!("t{}", Uuid::new_v4().simple());
    let made = Command::new(cluster.bin.join("createdb"))
        .args(["-h", &cluster.socket.display().to_string(), "-U", "doorstroom"])
        .args(["-T", template.unwrap_or("template0"), &name])
        .output()
        .expect("createdb runs");
    assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
    Some(format!("postgres://doorstroom@localhost/{name}?host={}", cluster.socket.display()))
}

/// Where PostgreSQL's programs are: where Debian puts them, or on the path.
fn binaries() -> Option<PathBuf> {
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let debian =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    debian.chain(on_path).find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

impl Cluster {
    fn start(bin: PathBuf) -> Cluster {
        let folder = std::env::temp_dir().join(format!("doorstroom-pg-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a temporary folder");
        let keeper = Command::new("sh")
            .arg("-c")
            .arg(KEEPER)
            .env("DIR", &folder)
            .env("BIN", &bin)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        wait_until_ready(&bin, &folder);
        Cluster { socket: folder, bin, _keeper: keeper }
    }
}

/// PostgreSQL refuses to run as root; any unprivileged user will do.
const KEEPER: &str = r#"
set -e
as=""
if [ "$(id -u)" = 0 ]; then chown nobody "$DIR"; as="setpriv --reuid=nobody --clear-groups"; fi
cd "$DIR"
$as "$BIN/initdb" -D "$DIR/data" -U doorstroom -A trust -E UTF8 --locale=C --no-sync
$as "$BIN/postgres" -D "$DIR/data" -k "$DIR" -c listen_addresses= -c max_connections=500 -c fsync=off \
    -c synchronous_commit=off -c shared_buffers=64MB < /dev/null &
server=$!
cat > /dev/null || true
kill -INT $server
wait $server || true
rm -rf "$DIR"
"#;

fn wait_until_ready(bin: &Path, folder: &Path) {
    let ready = || {
        let mut ask = Command::new(bin.join("pg_isready"));
        ask.args(["-q", "-h"]).arg(folder).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let patience = std::time::Instant::now();
    while !ready() {
        assert!(patience.elapsed().as_secs() < 30, "PostgreSQL did not start within 30 s");
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
}
