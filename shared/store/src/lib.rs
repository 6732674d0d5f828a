//! What a service keeps, and how it keeps it: on SQLite (embedded) or PostgreSQL (by URL), with one set of queries.
//!
//! A command is one transaction ([`Store::write`]): state, feed events, idempotency record and access log commit together
//! or not at all. The tables in this crate are those that every service has; a service adds its own migrations.
//!
//! On SQLite one writer connection serves all commands and groups the waiting ones into one commit, each in its own
//! savepoint. On PostgreSQL transactions run in parallel, serialisable; one that loses a race ends in
//! [`Error::Conflict`] and is run again by the caller.
//!
//! What touches a database is a boxed future, not an `async fn`: one of those would be compiled again, with all that it awaits,
//! in every crate that awaits it.

mod apart;
mod chain;
mod contact;
mod db;
mod deadline;
mod emergency;
mod error;
mod feed;
mod idempotency;
mod keys;
mod lite;
mod log;
mod merged;
mod own_file;
mod relation;
mod replay;
mod schema;
mod seal;
mod state;

pub use apart::APART;
pub use chain::{Entry, Fault, Hash, Link, Walk, Walked, Witness, verify};
pub use db::{Column, Row, Tx, Value, code, json};
pub use deadline::Deadline;
pub use emergency::Emergency;
pub use error::Error;
pub use feed::{Cursor, FeedState, NewEvent, Receiver, StoredEvent, Subscription};
pub use idempotency::Answered;
pub use keys::{Destroyed, Destruction, Sealing, rewrap};
pub use log::{Access, LoggedAccess};
pub use relation::{Around, Relation};
pub use replay::{Decided, decisions, protocols};
pub use schema::Migration;
pub use seal::{DERIVED_MASTER, KeyOf, Masters, Opened, Retention, Sealer, SealingKey};
pub use state::{State, look};

use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The result of anything that touches the database.
pub type Result<T> = std::result::Result<T, Error>;

/// How often a transaction that lost a race is run again before the caller must.
const ATTEMPTS: u32 = 12;

/// Runs a transaction until it wins its race.
pub async fn again<T, F: Future<Output = Result<T>>>(run: impl Fn() -> F) -> Result<T> {
    let mut attempt = 0;
    loop {
        match run().await {
            Err(Error::Conflict) if attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// One service's database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: db::Db,
    shared: Arc<Shared>,
}

struct Shared {
    /// The feed's name: the service's.
    name: String,
    sealer: Arc<Sealer>,
    /// Drawn when the database was made; part of every cursor.
    epoch: u64,
    /// The furthest that anybody here has seen the feed.
    head: AtomicI64,
    /// Counts commits that put events on the feed; readers wait on it.
    published: watch::Sender<u64>,
    /// Counts commits that set a deadline; the timer waits on it.
    deadlines: watch::Sender<u64>,
    /// Counts commits that logged an access; whoever links the log waits on it.
    logged: watch::Sender<u64>,
    /// One at a time links the log.
    linking: tokio::sync::Mutex<()>,
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH`, `postgres://…`), makes it when it is not there (SQLite), and brings
    /// its tables up to date. Its key store must be the one that the database was sealed with.
    pub fn open<'a>(
        name: &'a str,
        url: &'a str,
        sealing: &'a Sealing,
        migrations: &'a [Migration],
    ) -> BoxFuture<'a, Result<Store>> {
        Box::pin(async move {
            let db = db::Db::open(url).await?;
            schema::migrate(&db, migrations).await?;
            let epoch = feed::epoch(&db).await?;
            let keys = keys::Keys::open(name, &db, sealing).await?;
            let store = Store::new(name, db, epoch, Sealer::new(&sealing.key, Some(keys)));
            store.stamp().await?;
            Ok(store)
        })
    }

    /// Transactions on a database, and nothing else that a service's has.
    pub(crate) fn bare(name: &str, db: db::Db, key: &SealingKey) -> Store {
        Store::new(name, db, 0, Sealer::new(key, None))
    }

    fn new(name: &str, db: db::Db, epoch: u64, sealer: Sealer) -> Store {
        let shared = Shared {
            name: name.to_owned(),
            sealer: Arc::new(sealer),
            epoch,
            head: AtomicI64::new(0),
            published: watch::Sender::new(0),
            deadlines: watch::Sender::new(0),
            logged: watch::Sender::new(0),
            linking: tokio::sync::Mutex::new(()),
        };
        Store { db, shared: Arc::new(shared) }
    }

    /// A transaction that may write. Dropped without [`Tx::commit`], it leaves no trace.
    pub fn write(&self) -> BoxFuture<'_, Result<Tx>> {
        Tx::write(self, None)
    }

    /// The same for a caller who waits until then: a statement that still runs is cut off, nothing more begins, and the
    /// transaction ends in [`general::DEADLINE_PASSED`](kernel::general::DEADLINE_PASSED). A commit is never cut off.
    pub fn write_until(&self, until: Option<Instant>) -> BoxFuture<'_, Result<Tx>> {
        Tx::write(self, until)
    }

    /// A connection that only reads what is committed.
    pub fn read(&self) -> BoxFuture<'_, Result<Tx>> {
        Tx::read(self, None)
    }

    /// The same for a caller who waits until then.
    pub fn read_until(&self, until: Option<Instant>) -> BoxFuture<'_, Result<Tx>> {
        Tx::read(self, until)
    }

    /// Which engine this is: "sqlite" or "postgres".
    pub fn engine(&self) -> &'static str {
        self.db.engine()
    }

    /// Changes whenever events were put on the feed.
    pub fn published(&self) -> watch::Receiver<u64> {
        self.shared.published.subscribe()
    }

    /// Changes whenever a deadline was set.
    pub fn deadlines_set(&self) -> watch::Receiver<u64> {
        self.shared.deadlines.subscribe()
    }

    /// Changes whenever an access was logged.
    pub fn accesses_logged(&self) -> watch::Receiver<u64> {
        self.shared.logged.subscribe()
    }

    /// The life of this database: drawn when it was made, and part of every cursor and checkpoint.
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// Waits until everything that is being written is committed, and closes the connections.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.db.close().await;
            if let Ok(keys) = self.shared.sealer.keys() {
                keys.close().await;
            }
        })
    }
}
