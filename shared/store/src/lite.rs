//! SQLite's one writer, and its readers. Commands take turns on one connection, each in its own savepoint; the last of those
//! that wait commits for all. So durability (`synchronous = full`) costs one flush per group, not per command.

use crate::db::{Along, LONGEST, is_cut_off};
use crate::{Error, Result};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection, SqliteConnection};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};

/// At most this many commands share a commit, so that the first does not wait for ever.
const GROUP: usize = 64;

/// So many connections read at once.
const READERS: u32 = 4;

/// SQLite asks after so many steps whether it may go on: well under a millisecond of work.
const STEPS: i32 = 10_000;

/// So long a command that went away in the middle of a statement may still take.
const MOMENT: Duration = Duration::from_secs(1);

/// When what runs on a connection must end.
#[derive(Clone, Default)]
struct End(Arc<std::sync::Mutex<Option<Instant>>>);

impl End {
    fn set(&self, end: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// A statement begins, for who waits until then.
    fn begin(&self, until: Option<Instant>) {
        let longest = Instant::now() + LONGEST;
        self.set(Some(until.map_or(longest, |until| until.min(longest))));
    }

    fn has_come(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|end| end <= Instant::now())
    }
}

/// A connection whose statements are cut off when they must end.
async fn connect(options: &SqliteConnectOptions) -> sqlx::Result<(SqliteConnection, End)> {
    let (mut connection, end) = (options.connect().await?, End::default());
    let asked = end.clone();
    connection.lock_handle().await?.set_progress_handler(STEPS, move || !asked.has_come());
    Ok((connection, end))
}

/// The connections that only read. Opened as they are needed, and kept: a file does not go away as a server does.
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    idle: std::sync::Mutex<Vec<(SqliteConnection, End)>>,
    places: Arc<Semaphore>,
}

/// One of them, until it is dropped.
pub(crate) struct Reader {
    readers: Arc<Readers>,
    connection: Option<(SqliteConnection, End)>,
    until: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

impl Readers {
    pub fn new(options: SqliteConnectOptions) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(READERS as usize));
        Arc::new(Self { options, idle: std::sync::Mutex::default(), places })
    }

    pub async fn reader(self: &Arc<Self>, until: Option<Instant>) -> Result<Reader> {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(|_| Error::Unavailable(sqlx::Error::PoolClosed))?;
        let kept = self.idle().pop();
        let connection = match kept {
            Some(kept) => kept,
            None => connect(&self.options).await?,
        };
        Ok(Reader { readers: self.clone(), connection: Some(connection), until, _place: place })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(SqliteConnection, End)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for who still reads, and closes.
    pub async fn close(&self) {
        let everyone = self.places.acquire_many(READERS).await;
        self.places.close();
        drop(everyone);
        let idle = std::mem::take(&mut *self.idle());
        for (connection, _) in idle {
            let _ = connection.close().await;
        }
    }
}

impl Reader {
    /// For the next statement.
    pub fn connection(&mut self) -> Result<&mut SqliteConnection> {
        let (connection, end) = self.connection.as_mut().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))?;
        end.begin(self.until);
        Ok(connection)
    }

    /// What is wrong with a connection itself is wrong for the next reader too: it gets another.
    pub fn answered<T>(&mut self, answer: &sqlx::Result<T>) {
        if matches!(answer, Err(error) if error.as_database_error().is_none()) {
            self.connection = None;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.readers.idle().push(connection);
        }
    }
}

/// The writer, shared by all transactions of a store.
pub(crate) struct Writer {
    line: Arc<Mutex<Line>>,
    waiting: AtomicUsize,
}

/// The connection and the group that is being built on it.
pub(crate) struct Line {
    connection: Option<SqliteConnection>,
    /// When its statement must end.
    end: End,
    /// How far the command is whose turn it is.
    mark: Mark,
    /// That command opened the transaction: nothing of anybody else is in it.
    first: bool,
    /// A statement was cut off, or found no room: SQLite may have undone the whole transaction with it.
    undone: Option<Told>,
    /// Who waits for the group's commit.
    group: Vec<oneshot::Sender<Told>>,
}

/// What became of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It is on disk.
    Kept,
    /// It is not, or nobody knows.
    Lost,
    /// It was undone because of somebody else's statement: once more, from the start.
    Again,
}

/// Whether the command whose turn it is has begun: the transaction, when it is the first of its group, or its savepoint.
/// It begins with its first statement. Whoever sends that may go away before the answer, and the connection's thread does
/// what it was asked all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    None,
    Asked,
    Set,
}

/// One command's turn.
pub(crate) struct Turn {
    writer: Arc<Writer>,
    /// When its caller no longer waits.
    until: Option<Instant>,
    line: Option<OwnedMutexGuard<Line>>,
}

impl Writer {
    pub async fn open(options: &SqliteConnectOptions) -> sqlx::Result<Arc<Self>> {
        let (connection, end) = connect(options).await?;
        let connection = Some(connection);
        let line = Line { connection, end, mark: Mark::None, first: false, undone: None, group: Vec::new() };
        Ok(Arc::new(Self { line: Arc::new(Mutex::new(line)), waiting: AtomicUsize::new(0) }))
    }

    /// The connection itself, outside any group: for bringing tables up to date.
    pub async fn line(&self) -> OwnedMutexGuard<Line> {
        self.line.clone().lock_owned().await
    }

    pub async fn turn(self: &Arc<Self>, until: Option<Instant>) -> Result<Turn> {
        let mut queued = Queued { writer: self.clone(), counted: true };
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let line = self.line.clone().lock_owned().await;
        queued.leave();
        let mut turn = Turn { writer: self.clone(), until, line: Some(line) };
        turn.line()?.tidy().await?;
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

    /// What the next statement has to begin with.
    fn ask(&mut self) -> Result<&'static str> {
        match self.mark {
            Mark::Set if self.undone.is_none() => Ok(""),
            // The first statement failed, and how far it went is not known; or SQLite undid the transaction, and what came now would
            // stand alone. This command can only be undone.
            Mark::Set | Mark::Asked => {
                Err(Error::Unavailable(sqlx::Error::Protocol("the command has failed".to_owned())))
            }
            Mark::None => {
                self.first = self.group.is_empty();
                self.mark = Mark::Asked;
                Ok(if self.first { "begin immediate;" } else { "savepoint command;" })
            }
        }
    }

    /// A statement was answered. SQLite undoes the whole transaction with a write that it cut off or had no room for, and
    /// does not say so.
    fn answered<T>(&mut self, answer: &sqlx::Result<T>) {
        let Err(error) = answer else {
            self.mark = Mark::Set;
            return;
        };
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        self.undone = match code.map(|code| code & 0xff) {
            _ if is_cut_off(error) => Some(Told::Again),
            // No memory, a faulty disk, a full one.
            Some(7 | 10 | 13) => Some(Told::Lost),
            _ => None,
        };
    }

    /// Undoes a command that did not end.
    async fn tidy(&mut self) -> Result<()> {
        if self.mark != Mark::None {
            // Whoever went away may have left a statement that still runs.
            self.end.set(Some(Instant::now() + MOMENT));
        }
        let undone = self.undo().await;
        self.end.set(None);
        undone
    }

    async fn undo(&mut self) -> Result<()> {
        if let Some(told) = self.undone.take() {
            let _ = self.run("rollback").await;
            self.tell(told);
            self.mark = Mark::None;
        }
        match self.mark {
            Mark::None => return Ok(()),
            // Nobody else is in the transaction; there may not even be one.
            _ if self.first => drop(self.run("rollback").await),
            mark => {
                let undone = self.run("rollback to command; release command").await;
                // An error may say that it was never set; there is no other of this name.
                if undone.is_err() && mark == Mark::Set {
                    // How far its release went nobody knows. Nothing of the group counts; who was in it hears so, and finds
                    // by repeating whether it did.
                    let _ = self.run("rollback").await;
                    self.tell(Told::Lost);
                }
            }
        }
        self.mark = Mark::None;
        Ok(())
    }

    /// The group has ended: tells its members how.
    fn tell(&mut self, told: Told) {
        for member in self.group.drain(..) {
            let _ = member.send(told);
        }
    }

    /// Commits the group and tells its members.
    async fn flush(&mut self) {
        if self.group.is_empty() {
            return;
        }
        let committed = self.run("commit").await;
        if let Err(error) = &committed {
            tracing::error!(%error, members = self.group.len(), "a group of commands could not be committed");
            // A full disk may have rolled back already; then this says so, and either way nothing of the group is kept.
            let _ = self.run("rollback").await;
        }
        self.tell(if committed.is_ok() { Told::Kept } else { Told::Lost });
    }

    /// Ends a command with what it still has to write: as the last of its group it commits for all, else whoever waits for
    /// the commit gets told through what comes back.
    async fn finish(&mut self, last: bool, along: Along) -> Result<Option<oneshot::Receiver<Told>>> {
        if self.mark == Mark::None && along.is_empty() {
            // It read nothing and wrote nothing, so there is nothing to wait for.
            if last {
                self.flush().await;
            }
            return Ok(None);
        }
        if let Err(error) = self.end(last, along).await {
            self.tidy().await?;
            if last {
                self.flush().await;
            }
            return Err(error);
        }
        self.mark = Mark::None;
        if last {
            self.tell(Told::Kept);
            return Ok(None);
        }
        let (told, committed) = oneshot::channel();
        self.group.push(told);
        Ok(Some(committed))
    }

    async fn end(&mut self, last: bool, along: Along) -> Result<()> {
        let begin = self.ask()?;
        let end = match (last, self.first) {
            (true, true) => "commit",
            (true, false) => "release command; commit",
            (false, true) => "",
            (false, false) => "release command",
        };
        if let Some(query) = along.between(begin, end) {
            // From here on an error is the command's own, or one of the whole group.
            self.mark = Mark::Set;
            let answer = query.execute(self.connection()?).await;
            self.answered(&answer);
            answer?;
        }
        Ok(())
    }
}

impl Turn {
    fn line(&mut self) -> Result<&mut Line> {
        self.line.as_deref_mut().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))
    }

    /// The connection, and what the next statement on it has to begin with: a command begins with its first statement, since
    /// each is a trip to the connection's own thread.
    pub fn next(&mut self) -> Result<(&mut SqliteConnection, &'static str)> {
        let until = self.until;
        let line = self.line()?;
        let begin = line.ask()?;
        line.end.begin(until);
        Ok((line.connection()?, begin))
    }

    /// The statement was answered: the command has begun, or failed.
    pub fn answered<T>(&mut self, answer: &sqlx::Result<T>) {
        if let Some(line) = &mut self.line {
            line.answered(answer);
        }
    }

    /// Back to how it was when the turn began.
    pub async fn undo(&mut self) -> Result<()> {
        self.until = None;
        self.line()?.tidy().await
    }

    /// Joins the group with what is still to be written; returns once the group is on disk.
    pub async fn commit(mut self, along: Along) -> Result<()> {
        let mut line = self.line.take().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))?;
        // What ends a command is not cut off: it would take the others of the group along.
        line.end.set(None);
        let writer = self.writer.clone();
        // In a task of its own: the others of the group hear what became of them, whoever goes away meanwhile.
        let finished = tokio::spawn(async move {
            let last = line.group.len() + 1 >= GROUP || writer.waiting.load(Ordering::SeqCst) == 0;
            line.finish(last, along).await
        });
        let lost = || Error::Unavailable(sqlx::Error::Io(std::io::Error::other("the commit failed")));
        match finished.await.map_err(|_| lost())?? {
            None => Ok(()),
            Some(told) => match told.await {
                Ok(Told::Kept) => Ok(()),
                Ok(Told::Again) => Err(Error::Conflict),
                Ok(Told::Lost) | Err(_) => Err(lost()),
            },
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

#[cfg(test)]
mod tests {
    use crate::db::Db;
    use crate::{Error, SealingKey, Store, args};
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    async fn store(folder: &std::path::Path) -> Store {
        let db = Db::open(&format!("sqlite:{}", folder.join("t.sqlite").display())).await.unwrap();
        let store = Store::bare("t", db, &SealingKey::from_bytes([1; 32]));
        let mut tx = store.write().await.unwrap();
        tx.keep("create table place (taken bigint not null unique)", args![]).await.unwrap();
        tx.commit().await.unwrap();
        store
    }

    /// Waits until so many commands stand in line for their turn.
    async fn line(store: &Store, commands: usize) {
        let Db::Lite { writer, .. } = &store.db else { unreachable!("a file is SQLite's") };
        while writer.waiting.load(Ordering::SeqCst) < commands {
            tokio::task::yield_now().await;
        }
    }

    async fn take(store: &Store, place: i64) -> Result<(), Error> {
        let mut tx = store.write().await?;
        tx.keep("insert into place (taken) values ($1)", args![place]).await?;
        tx.commit().await
    }

    async fn taken(store: &Store) -> Vec<i64> {
        let mut tx = store.read().await.unwrap();
        let rows = tx.rows("select taken from place order by taken", args![]).await.unwrap();
        rows.iter().map(|row| row.get("taken").unwrap()).collect()
    }

    #[tokio::test]
    async fn a_write_that_fails_as_its_group_commits_takes_nobody_along() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let mut first = store.write().await.unwrap();
        first.keep("insert into place (taken) values (1)", args![]).await.unwrap();
        let others: Vec<_> = [2, 1, 3, 1]
            .map(|place| {
                let store = store.clone();
                tokio::spawn(async move { take(&store, place).await })
            })
            .into();
        line(&store, 4).await;
        first.commit().await.unwrap();
        let mut answers = Vec::new();
        for other in others {
            answers.push(other.await.unwrap());
        }
        assert!(
            matches!(answers[..], [Ok(()), Err(Error::Unique { .. }), Ok(()), Err(Error::Unique { .. })]),
            "{answers:?}"
        );
        assert_eq!(taken(&store).await, [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_command_whose_first_statement_failed_can_only_be_undone() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        take(&store, 1).await.unwrap();
        let again = "insert into place (taken) values (1) returning taken";
        let mut tx = store.write().await.unwrap();
        tx.keep("insert into place (taken) values (2)", args![]).await.unwrap();
        assert!(matches!(tx.row(again, args![]).await, Err(Error::Unique { .. })));
        assert!(
            tx.row("select 1 as one", args![]).await.is_err(),
            "what was kept before is gone, so nothing may build on it"
        );
        let mut tx = tx.undo().await.unwrap();
        tx.keep("insert into place (taken) values (3)", args![]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(taken(&store).await, [1, 3]);
    }

    /// SQLite undoes the whole transaction with a write that it cuts off: who was in it does it again, and nobody is told that
    /// something is on disk that is not.
    #[tokio::test]
    async fn a_write_that_is_cut_off_sends_its_group_back_to_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        for first_statement in [true, false] {
            let mut first = store.write().await.unwrap();
            first.keep("insert into place (taken) values (1)", args![]).await.unwrap();
            let slow = tokio::spawn({
                let store = store.clone();
                async move {
                    let mut tx = store.write_until(Instant::now().checked_add(Duration::from_millis(200))).await?;
                    if !first_statement {
                        tx.run("insert into place (taken) values (2)", args![]).await?;
                    }
                    let endless = "insert into place (taken) with recursive numbers (n) as
                        (select 3 union all select n + 1 from numbers) select n from numbers where n < 4";
                    tx.run(endless, args![]).await
                }
            });
            line(&store, 1).await;
            assert!(matches!(first.commit().await, Err(Error::Conflict)), "it is to be done again");
            assert!(
                matches!(slow.await.unwrap(), Err(Error::Refused(refusal)) if refusal.reason.code == "DEADLINE_PASSED")
            );
            assert_eq!(taken(&store).await, [0i64; 0]);
            take(&store, 1).await.unwrap();
            assert_eq!(taken(&store).await, [1]);
            let mut tx = store.write().await.unwrap();
            tx.run("delete from place", args![]).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_wrote_nothing_commits_nothing_and_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let idle = store.write().await.unwrap();
        let next = tokio::spawn({
            let store = store.clone();
            async move { take(&store, 1).await }
        });
        line(&store, 1).await;
        idle.commit().await.unwrap();
        next.await.unwrap().unwrap();
        assert_eq!(taken(&store).await, [1]);
    }
}
