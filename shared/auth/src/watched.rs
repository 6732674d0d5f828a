//! A file that is read again as soon as it changes.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// A file that changed less long ago may change again within one tick of the file system's clock.
const SETTLED: Duration = Duration::from_millis(100);

type Parse<T> = Box<dyn Fn(&[u8]) -> Result<T, String> + Send + Sync>;

/// What a file says. Each look asks the file system whether it changed, so that whoever replaced the file knows that
/// whatever begins afterwards is judged by the new one. A file that cannot be read or understood leaves things as they were.
pub(crate) struct Watched<T> {
    path: PathBuf,
    most_bytes: u64,
    parse: Parse<T>,
    state: RwLock<State<T>>,
}

struct State<T> {
    stamp: Option<Stamp>,
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
        let stamp = Stamp::of(path).filter(Stamp::is_settled);
        let value = Arc::new(parse(&read(path, most_bytes)?)?);
        let state = RwLock::new(State { stamp, value });
        Ok(Self { path: path.to_owned(), most_bytes, parse: Box::new(parse), state })
    }

    /// What the file says now.
    pub fn current(&self) -> Arc<T> {
        let Some(stamp) = Stamp::of(&self.path) else {
            // Gone, or being replaced.
            return self.state.read().unwrap_or_else(PoisonError::into_inner).value.clone();
        };
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.stamp.as_ref() == Some(&stamp) {
            return state.value.clone();
        }
        drop(state);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.stamp.as_ref() != Some(&stamp) {
            match read(&self.path, self.most_bytes).and_then(|bytes| (self.parse)(&bytes)) {
                Ok(value) => state.value = Arc::new(value),
                Err(why) => tracing::warn!(file = %self.path.display(), %why, "what was read before stays in force"),
            }
            state.stamp = Some(stamp).filter(Stamp::is_settled);
        }
        state.value.clone()
    }
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
