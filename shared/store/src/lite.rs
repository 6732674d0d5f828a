//! SQLite's one writer. Commands take turns on one connection, each in its own savepoint; the last of those that wait
//! commits for all. So durability (`synchronous = full`) costs one flush per group, not per command.

use crate::{Error, Result};
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// At most this many commands share a commit, so that the first does not wait for ever.
const GROUP: usize = 64;

/// The writer, shared by all transactions of a store.
pub(crate) struct Writer {
    line: Arc<Mutex<Line>>,
    waiting: AtomicUsize,
}

/// The connection and the group that is being built on it.
pub(crate) struct Line {
    connection: Option<SqliteConnection>,
    /// The transaction around the group is open.
    open: bool,
    /// The savepoint of the command whose turn it is.
    mark: Mark,
    /// Who waits for the group's commit.
    group: Vec<oneshot::Sender<bool>>,
}

/// Whether a savepoint was set and neither released nor rolled back. Whoever asks for one may go away before the answer,
/// and the connection's thread does what it was asked all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    None,
    /// Asked for, together with the transaction around the group.
    AskedWithGroup,
    /// Asked for, in a group that is there.
    Asked,
    Set,
}

/// One command's turn.
pub(crate) struct Turn {
    writer: Arc<Writer>,
    line: Option<OwnedMutexGuard<Line>>,
}

impl Writer {
    pub fn new(connection: SqliteConnection) -> Arc<Self> {
        let line = Line { connection: Some(connection), open: false, mark: Mark::None, group: Vec::new() };
        Arc::new(Self { line: Arc::new(Mutex::new(line)), waiting: AtomicUsize::new(0) })
    }

    /// The connection itself, outside any group: for bringing tables up to date.
    pub async fn line(&self) -> OwnedMutexGuard<Line> {
        self.line.clone().lock_owned().await
    }

    pub async fn turn(self: &Arc<Self>) -> Result<Turn> {
        let mut queued = Queued { writer: self.clone(), counted: true };
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let line = self.line.clone().lock_owned().await;
        queued.leave();
        let mut turn = Turn { writer: self.clone(), line: Some(line) };
        turn.line()?.begin().await?;
        Ok(turn)
    }

    /// Commits what is left of a group whose last member went away without doing so.
    fn sweep(self: &Arc<Self>) {
        let writer = self.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let mut line = writer.line.lock().await;
                if line.tidy().await.is_ok() && writer.waiting.load(Ordering::SeqCst) == 0 {
                    line.flush().await;
                }
            });
        }
    }

    pub async fn close(&self) {
        let mut line = self.line.lock().await;
        if line.tidy().await.is_ok() {
            line.flush().await;
        }
        if let Some(connection) = line.connection.take() {
            let _ = connection.close().await;
        }
    }
}

impl Line {
    pub fn connection(&mut self) -> Result<&mut SqliteConnection> {
        self.connection.as_mut().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        sqlx::query(sql).execute(self.connection()?).await?;
        Ok(())
    }

    /// Begins a command, and a group when there is none.
    async fn begin(&mut self) -> Result<()> {
        self.tidy().await?;
        // Each statement is a trip to the connection's own thread, so what goes together travels together.
        let (mark, begin) = match self.open {
            true => (Mark::Asked, "savepoint command"),
            false => (Mark::AskedWithGroup, "begin immediate; savepoint command"),
        };
        self.mark = mark;
        self.run(begin).await?;
        (self.open, self.mark) = (true, Mark::Set);
        Ok(())
    }

    /// Undoes a command that was dropped in the middle.
    async fn tidy(&mut self) -> Result<()> {
        match self.mark {
            Mark::None => return Ok(()),
            // Nobody else is in the group yet; there may not even be one.
            Mark::AskedWithGroup => drop(self.run("rollback").await),
            // An error says that it was never set; there is no other of this name.
            Mark::Asked => drop(self.run("rollback to command; release command").await),
            Mark::Set => {
                if self.run("rollback to command; release command").await.is_err() {
                    // Its release failed, and how far that went nobody knows. Nothing of the group counts; who was in it hears
                    // so, and finds by repeating whether it did.
                    let _ = self.run("rollback").await;
                    self.tell(false);
                }
            }
        }
        self.mark = Mark::None;
        Ok(())
    }

    /// The group has ended: tells its members whether it is on disk.
    fn tell(&mut self, committed: bool) {
        self.open = false;
        for member in self.group.drain(..) {
            let _ = member.send(committed);
        }
    }

    /// Commits the group, the command that is still marked with it, and tells its members.
    async fn flush(&mut self) {
        if !self.open {
            return;
        }
        let committed = self.run(if self.mark == Mark::Set { "release command; commit" } else { "commit" }).await;
        if let Err(error) = &committed {
            tracing::error!(%error, members = self.group.len(), "a group of commands could not be committed");
            // A full disk may have rolled back already; then this says so, and either way nothing of the group is kept.
            let _ = self.run("rollback").await;
        }
        self.mark = Mark::None;
        self.tell(committed.is_ok());
    }
}

impl Turn {
    fn line(&mut self) -> Result<&mut Line> {
        self.line.as_deref_mut().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))
    }

    pub fn connection(&mut self) -> Result<&mut SqliteConnection> {
        self.line()?.connection()
    }

    /// Back to how it was when the turn began.
    pub async fn undo(&mut self) -> Result<()> {
        self.line()?.run("rollback to command").await
    }

    /// Joins the group; returns once the group is on disk.
    pub async fn commit(mut self) -> Result<()> {
        let mut line = self.line.take().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))?;
        let writer = self.writer.clone();
        let (told, committed) = oneshot::channel();
        // In a task of its own: the others of the group hear what became of them, whoever goes away meanwhile.
        tokio::spawn(async move {
            let last = line.group.len() + 1 >= GROUP || writer.waiting.load(Ordering::SeqCst) == 0;
            if last {
                line.group.push(told);
                line.flush().await;
            } else if line.run("release command").await.is_ok() {
                line.mark = Mark::None;
                line.group.push(told);
            }
        });
        match committed.await {
            Ok(true) => Ok(()),
            _ => Err(Error::Unavailable(sqlx::Error::Io(std::io::Error::other("the commit failed")))),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.line.take().is_some() {
            self.writer.sweep();
        }
    }
}

/// Keeps the count of waiting commands right, also when one of them gives up.
struct Queued {
    writer: Arc<Writer>,
    counted: bool,
}

impl Queued {
    fn leave(&mut self) {
        self.counted = false;
        self.writer.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        if self.counted {
            self.leave();
            self.writer.sweep();
        }
    }
}
