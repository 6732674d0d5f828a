//! A fresh database per test. PostgreSQL runs as a cluster of the test process's own, and goes with it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
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
    place: Place,
}

/// Where the files of a database are.
enum Place {
    Folder(TempDir),
    Cluster(Arc<Cluster>),
}

impl Database {
    /// Makes one; `None` when the engine is not installed here.
    pub fn create(engine: Engine) -> Option<Database> {
        Self::create_on(engine, Cluster::shared)
    }

    /// Makes so many on a server that no other test uses, and that can be stopped for [`Database::files`].
    pub fn create_apart(engine: Engine, count: usize) -> Option<Vec<Database>> {
        let own = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Arc::new(Cluster::start(binaries()?))),
        };
        (0..count).map(|_| Self::create_on(engine, || own.clone())).collect()
    }

    fn create_on(engine: Engine, server: impl FnOnce() -> Option<Arc<Cluster>>) -> Option<Database> {
        let database = match engine {
            Engine::Sqlite => {
                let folder = TempDir::new().expect("a temporary folder");
                let url = |name| format!("sqlite:{}", folder.path().join(name).display());
                let (url, keys) = (url("test.db"), url("test.keys.db"));
                Database { url, keys, place: Place::Folder(folder) }
            }
            Engine::Postgres => {
                let cluster = server()?;
                let (url, keys) = (cluster.database("template0"), cluster.database("template0"));
                Database { url, keys, place: Place::Cluster(cluster) }
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
        match &self.place {
            Place::Folder(folder) => {
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
            Place::Cluster(cluster) => {
                let name = url.split("localhost/").nth(1).and_then(|end| end.split('?').next());
                cluster.database(name.expect("a database of this cluster"))
            }
        }
    }

    /// Every file in which the engine keeps what was written: the tables, and the write-ahead log. A server of PostgreSQL is
    /// stopped for it, so that nothing is left in its memory and nothing goes away while it is read; so it must be one
    /// [apart](Database::create_apart).
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        match &self.place {
            Place::Folder(folder) => walk(folder.path(), &mut files),
            Place::Cluster(cluster) => {
                cluster.stop();
                walk(&cluster.data(), &mut files);
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

/// A server of PostgreSQL. A shell holds it: when the shell's input closes, because this is dropped or because the process
/// ends, however it ends, it stops the server and removes its folder.
struct Cluster {
    /// Where its socket is, and its files.
    folder: PathBuf,
    bin: PathBuf,
    _keeper: Child,
}

/// The cluster that the tests of this process share.
static CLUSTER: Mutex<Option<Arc<Cluster>>> = Mutex::new(None);

/// Its superuser; no password is asked.
const SUPERUSER: &str = "doorstroom";

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
        let cluster = Cluster::shared()?;
        Some(Self { socket: cluster.folder.clone(), bin: cluster.bin.clone(), superuser: SUPERUSER })
    }
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
    fn shared() -> Option<Arc<Self>> {
        let bin = binaries()?;
        let mut cluster = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
        Some(cluster.get_or_insert_with(|| Arc::new(Self::start(bin))).clone())
    }

    fn start(bin: PathBuf) -> Self {
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
        Self { folder, bin, _keeper: keeper }
    }

    /// A new database, as a copy of another; gives its URL.
    fn database(&self, template: &str) -> String {
        let name = format!("t{}", Uuid::new_v4().simple());
        let mut create = Command::new(self.bin.join("createdb"));
        create.arg("-h").arg(&self.folder).args(["-U", SUPERUSER, "-T", template, &name]);
        let made = create.output().expect("createdb runs");
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://{SUPERUSER}@localhost/{name}?host={}", self.folder.display())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Writes out what the server holds and stops it; one that has stopped stays so.
    fn stop(&self) {
        let lock = self.data().join("postmaster.pid");
        let Ok(text) = std::fs::read_to_string(&lock) else { return };
        let pid = text.lines().next().expect("its first line is the server's number");
        let told = Command::new("kill").args(["-INT", pid]).status();
        assert!(told.is_ok_and(|status| status.success()), "the server can be told to stop");
        patiently("PostgreSQL did not stop", || !lock.exists());
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
kill -INT $server || true
wait $server || true
rm -rf "$DIR"
"#;

fn wait_until_ready(bin: &Path, folder: &Path) {
    patiently("PostgreSQL did not start", || {
        let mut ask = Command::new(bin.join("pg_isready"));
        ask.args(["-q", "-h"]).arg(folder).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    });
}

fn patiently(or_else: &str, done: impl Fn() -> bool) {
    let patience = std::time::Instant::now();
    while !done() {
        assert!(patience.elapsed().as_secs() < 60, "{or_else} within a minute");
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
}
