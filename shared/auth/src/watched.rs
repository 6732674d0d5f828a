//! Files that are read again as soon as they change.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// A file that changed less long ago may change again within one tick of the file system's clock.
const SETTLED: Duration = Duration::from_millis(100);

type Parse<T> = Box<dyn Fn(&[Vec<u8>]) -> Result<T, String> + Send + Sync>;

/// What a file says, or several that belong together. Each look asks the file system whether one changed, so that whoever
/// replaced it knows that whatever begins afterwards is judged by the new one. What cannot be read or understood, or does not
/// belong together, leaves things as they were.
pub struct Watched<T> {
    paths: Vec<PathBuf>,
    most_bytes: u64,
    parse: Parse<T>,
    state: RwLock<State<T>>,
}

struct State<T> {
    stamps: Option<Vec<Stamp>>,
    value: Arc<T>,
}

/// Differs when a file was changed or replaced.
#[derive(PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The stamps of files that are all there.
fn stamps(paths: &[PathBuf]) -> Option<Vec<Stamp>> {
    paths.iter().map(|path| Stamp::of(path)).collect()
}

/// What is worth remembering: files of which none may change again within one tick.
fn settled(stamps: Option<Vec<Stamp>>) -> Option<Vec<Stamp>> {
    stamps.filter(|stamps| stamps.iter().all(Stamp::is_settled))
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        let modified = (file.mtime(), file.mtime_nsec());
        Some(Self { inode: file.ino(), bytes: file.size(), modified, changed: (file.ctime(), file.ctime_nsec()) })
    }

    fn is_settled(&self) -> bool {
        let (seconds, nanos) = self.changed;
        let since_epoch = Duration::new(seconds.try_into().unwrap_or(0), nanos.try_into().unwrap_or(0));
        (SystemTime::UNIX_EPOCH + since_epoch).elapsed().map_or(true, |age| age > SETTLED)
    }
}

impl<T> Watched<T> {
    /// Reads the file for the first time, which must succeed.
    pub fn open(
        path: &Path,
        most_bytes: u64,
        parse: impl Fn(&[u8]) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        Self::open_all(vec![path.to_owned()], most_bytes, move |files| parse(&files[0]))
    }

    /// Reads files that belong together for the first time, which must succeed; they are parsed in the order given.
    pub fn open_all(
        paths: Vec<PathBuf>,
        most_bytes: u64,
        parse: impl Fn(&[Vec<u8>]) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let stamps = settled(stamps(&paths));
        let value = Arc::new(parse(&read_all(&paths, most_bytes)?)?);
        let state = RwLock::new(State { stamps, value });
        Ok(Self { paths, most_bytes, parse: Box::new(parse), state })
    }

    /// What is said now.
    pub fn current(&self) -> Arc<T> {
        let Some(stamps) = stamps(&self.paths) else {
            // Gone, or being replaced.
            return self.state.read().unwrap_or_else(PoisonError::into_inner).value.clone();
        };
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.stamps.as_ref() == Some(&stamps) {
            return state.value.clone();
        }
        drop(state);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.stamps.as_ref() != Some(&stamps) {
            match read_all(&self.paths, self.most_bytes).and_then(|files| (self.parse)(&files)) {
                Ok(value) => state.value = Arc::new(value),
                Err(why) => tracing::warn!(files = ?self.paths, %why, "what was read before stays in force"),
            }
            state.stamps = settled(Some(stamps));
        }
        state.value.clone()
    }
}

fn read_all(paths: &[PathBuf], most_bytes: u64) -> Result<Vec<Vec<u8>>, String> {
    let alone = paths.len() == 1;
    let read = |path: &PathBuf| {
        read(path, most_bytes).map_err(|why| if alone { why } else { format!("{}: {why}", path.display()) })
    };
    paths.iter().map(read).collect()
}

fn read(path: &Path, most_bytes: u64) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    file.take(most_bytes + 1).read_to_end(&mut bytes).map_err(|error| format!("it cannot be read: {error}"))?;
    match bytes.len() as u64 > most_bytes {
        true => Err(format!("it is larger than {most_bytes} bytes")),
        false => Ok(bytes),
    }
}
