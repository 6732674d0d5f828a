//! Two engines behind one small face: the same SQL text, the same four kinds of column (whole number, text, bytes,
//! boolean), the same rows. Instants are microseconds in a `bigint`, dates ISO text: both sort right on both engines.

use crate::lite::{Reader, Readers, Turn, Writer};
use crate::{Error, Result, Store};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::{Cents, Date, general};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

#[derive(Clone)]
pub(crate) enum Db {
    Lite { writer: Arc<Writer>, readers: Arc<Readers> },
    Pg(PgPool),
}

impl Db {
    pub fn open(url: &str) -> BoxFuture<'_, Result<Db>> {
        Box::pin(async move {
            if url.starts_with("postgres:") || url.starts_with("postgresql:") {
                // Whoever lost us in the middle of a transaction lets go of what it holds.
                let options =
                    PgConnectOptions::from_str(url)?.options([("idle_in_transaction_session_timeout", "60s")]);
                let pool = PgPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(5));
                // The first thing that is said on a connection shows whether it lives.
                return Ok(Db::Pg(pool.test_before_acquire(false).connect_with(options).await?));
            }
            let options = SqliteConnectOptions::from_str(url)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                // Writes that travel together are prepared together, so there are more texts than statements.
                .statement_cache_capacity(1024)
                // Else `insert or replace` would delete a row past the triggers that forbid it.
                .pragma("recursive_triggers", "on")
                // What a savepoint must be able to undo is small, and need not pass through a file.
                .pragma("temp_store", "memory");
            let writer = Writer::open(&options).await?;
            let readers = Readers::new(options.read_only(true));
            Ok(Db::Lite { writer, readers })
        })
    }

    pub fn engine(&self) -> &'static str {
        match self {
            Db::Lite { .. } => "sqlite",
            Db::Pg(_) => "postgres",
        }
    }

    pub fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            match self {
                Db::Lite { writer, readers } => {
                    writer.close().await;
                    readers.close().await;
                }
                Db::Pg(pool) => pool.close().await,
            }
        })
    }
}

/// A transaction, or a connection that only reads. Queries take `$1`, `$2` … from [`args!`](crate::args).
pub struct Tx {
    connection: Connection,
    along: Along,
    /// When the caller no longer waits: what runs is cut off then, and nothing more begins.
    until: Option<Instant>,
    pub(crate) store: Store,
    pub(crate) published: u64,
    pub(crate) deadlines: u64,
    pub(crate) logged: u64,
}

enum Connection {
    Lite(Turn),
    LiteRead(Reader),
    Pg(sqlx::Transaction<'static, Postgres>),
    PgRead(PoolConnection<Postgres>),
}

/// Writes on SQLite whose outcome nobody waits for. Each statement is a trip to the connection's own thread, which costs
/// more than most statements do; these travel along with the next one.
#[derive(Default)]
pub(crate) struct Along {
    sql: String,
    args: Vec<Value>,
}

impl Along {
    /// At most this many parameters travel together.
    const ROOM: usize = 900;

    pub fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    fn add(&mut self, sql: &str, mut args: Vec<Value>) {
        // Written without numbers, in the order in which they stand: SQLite looks a named one up among all that there are.
        let mut pieces = sql.split('$');
        self.sql.push_str(pieces.next().unwrap_or_default());
        let parameters: Vec<(usize, &str)> = pieces
            .map(|piece| {
                let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
                let (number, rest) = piece.split_at(digits);
                let number: usize = number.parse().expect("a parameter is a dollar sign and a number");
                (number - 1, rest)
            })
            .collect();
        let mut uses = vec![0; args.len()];
        parameters.iter().for_each(|(number, _)| uses[*number] += 1);
        for (number, rest) in parameters {
            uses[number] -= 1;
            let last = uses[number] == 0;
            self.args.push(if last { std::mem::take(&mut args[number]) } else { args[number].clone() });
            self.sql.push('?');
            self.sql.push_str(rest);
        }
        self.sql.push(';');
    }

    /// A statement with everything that goes before it.
    fn with(&mut self, begin: &str, sql: impl SqlSafeStr, args: Vec<Value>) -> LiteQuery {
        if begin.is_empty() && self.is_empty() {
            return lite(sql, args);
        }
        self.add(sql.into_sql_str().as_str(), args);
        let Along { sql, args } = std::mem::take(self);
        lite(AssertSqlSafe(begin.to_owned() + &sql), args)
    }

    /// What is left to write between two words of the writer; nothing when there is nothing to say.
    pub fn between(self, begin: &str, end: &str) -> Option<LiteQuery> {
        let text = [begin, &self.sql, end].concat();
        (!text.is_empty()).then(|| lite(AssertSqlSafe(text), self.args))
    }
}

/// Runs one query on whichever connection there is.
macro_rules! on {
    ($self:expr, $sql:expr, $args:expr, $method:ident, $wrap_lite:expr, $wrap_pg:expr) => {{
        $self.in_time()?;
        let answer = match &mut $self.connection {
            Connection::Lite(turn) => {
                let (connection, begin) = turn.next()?;
                let answer = $self.along.with(begin, $sql, $args).$method(connection).await;
                turn.answered(&answer);
                answer.map($wrap_lite)
            }
            Connection::LiteRead(reader) => {
                let answer = lite($sql, $args).$method(reader.connection()?).await;
                reader.answered(&answer);
                answer.map($wrap_lite)
            }
            Connection::Pg(tx) => pg($sql, $args).$method(&mut **tx).await.map($wrap_pg),
            Connection::PgRead(reader) => pg($sql, $args).$method(&mut **reader).await.map($wrap_pg),
        };
        answer.map_err(|error| $self.failed(error))
    }};
}

impl Tx {
    pub(crate) fn write(store: &Store, until: Option<Instant>) -> BoxFuture<'_, Result<Tx>> {
        Box::pin(async move {
            let connection = match &store.db {
                Db::Lite { writer, .. } => Connection::Lite(writer.turn(until).await?),
                Db::Pg(pool) => {
                    let begin = format!("{PG_BEGIN}; set local statement_timeout = {}", milliseconds(until));
                    Connection::Pg(begin_pg(pool, begin).await?)
                }
            };
            Ok(Tx::on(connection, store, until))
        })
    }

    /// A transaction on PostgreSQL whose every statement sees what others committed meanwhile: for an assigner that waits
    /// for its turn, however long.
    pub(crate) fn assign<'a>(store: &'a Store, pool: &'a PgPool) -> BoxFuture<'a, Result<Tx>> {
        Box::pin(async move { Ok(Tx::on(Connection::Pg(assign_pg(pool).await?), store, None)) })
    }

    pub(crate) fn read(store: &Store, until: Option<Instant>) -> BoxFuture<'_, Result<Tx>> {
        Box::pin(async move {
            let connection = match &store.db {
                Db::Lite { readers, .. } => Connection::LiteRead(readers.reader(until).await?),
                Db::Pg(pool) => Connection::PgRead(reader_pg(pool, until).await?),
            };
            Ok(Tx::on(connection, store, until))
        })
    }

    fn on(connection: Connection, store: &Store, until: Option<Instant>) -> Tx {
        let store = store.clone();
        Tx { connection, along: Along::default(), until, store, published: 0, deadlines: 0, logged: 0 }
    }

    /// Nothing begins for a caller who no longer waits.
    fn in_time(&self) -> Result<()> {
        match self.until {
            Some(until) if until <= Instant::now() => Err((&general::DEADLINE_PASSED).into()),
            _ => Ok(()),
        }
    }

    /// What the database says of a statement: when it was cut off as the caller's time was over, that.
    fn failed(&self, error: sqlx::Error) -> Error {
        match self.until {
            Some(_) if is_cut_off(&error) => (&general::DEADLINE_PASSED).into(),
            _ => error.into(),
        }
    }

    /// Writes something whose outcome decides nothing. In order with what follows; an error may only show there, or in the
    /// commit. A write that a rule leans on (how many rows, a unique index) is [`Tx::run`].
    pub fn keep(&mut self, sql: &'static str, args: Vec<Value>) -> BoxFuture<'_, Result<()>> {
        self.keep_made(sql.into_sql_str(), args)
    }

    fn keep_made(&mut self, sql: SqlStr, args: Vec<Value>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if !matches!(self.connection, Connection::Lite(_)) {
                return on!(self, sql, args, execute, |_| (), |_| ());
            }
            if self.along.args.len() + args.len() > Along::ROOM {
                self.arrive().await?;
            }
            self.along.add(sql.as_str(), args);
            Ok(())
        })
    }

    /// Sends what waits for a statement to travel with.
    async fn arrive(&mut self) -> Result<()> {
        self.in_time()?;
        let Connection::Lite(turn) = &mut self.connection else { return Ok(()) };
        let (connection, begin) = turn.next()?;
        let answer = match std::mem::take(&mut self.along).between(begin, "") {
            Some(query) => query.execute(connection).await.map(drop),
            None => Ok(()),
        };
        turn.answered(&answer);
        answer.map_err(|error| self.failed(error))
    }

    /// Runs a statement; returns how many rows it touched.
    pub fn run(&mut self, sql: &'static str, args: Vec<Value>) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            // On its own: the rows of what goes before would be counted with it.
            self.arrive().await?;
            on!(self, sql, args, execute, |done| done.rows_affected(), |done| done.rows_affected())
        })
    }

    /// All rows of a query.
    pub fn rows(&mut self, sql: &'static str, args: Vec<Value>) -> BoxFuture<'_, Result<Vec<Row>>> {
        Box::pin(async move {
            let lite_rows = |rows: Vec<SqliteRow>| rows.into_iter().map(Row::Lite).collect();
            let pg_rows = |rows: Vec<PgRow>| rows.into_iter().map(Row::Pg).collect();
            on!(self, sql, args, fetch_all, lite_rows, pg_rows)
        })
    }

    /// The first row of a query, if there is one.
    pub fn row(&mut self, sql: &'static str, args: Vec<Value>) -> BoxFuture<'_, Result<Option<Row>>> {
        Box::pin(async move { on!(self, sql, args, fetch_optional, |row| row.map(Row::Lite), |row| row.map(Row::Pg)) })
    }

    /// Inserts many rows with few statements: `insert` is the text up to `values`, `tail` what follows (an `on conflict`
    /// clause, or nothing).
    pub fn insert_many(
        &mut self,
        insert: &'static str,
        rows: Vec<Vec<Value>>,
        tail: &'static str,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            // Both engines bound the number of parameters; 900 fits either.
            let per_statement = rows.first().map_or(1, |row| (900 / row.len().max(1)).max(1));
            let mut rows = rows.into_iter().peekable();
            while rows.peek().is_some() {
                let batch: Vec<Vec<Value>> = rows.by_ref().take(per_statement).collect();
                let mut n = 0;
                let tuples: Vec<String> = batch
                    .iter()
                    .map(|row| {
                        let marks: Vec<String> = row
                            .iter()
                            .map(|_| {
                                n += 1;
                                format!("${n}")
                            })
                            .collect();
                        format!("({})", marks.join(", "))
                    })
                    .collect();
                let sql = AssertSqlSafe(format!("{insert} values {} {tail}", tuples.join(", "))).into_sql_str();
                let args: Vec<Value> = batch.into_iter().flatten().collect();
                self.keep_made(sql, args).await?;
            }
            Ok(())
        })
    }

    /// Back to how it was when the transaction began. What follows is no longer the caller's, and has its own time.
    pub fn undo(mut self) -> BoxFuture<'static, Result<Tx>> {
        Box::pin(async move {
            self.along = Along::default();
            self.until = None;
            self.published = 0;
            self.deadlines = 0;
            self.logged = 0;
            match self.connection {
                Connection::Lite(ref mut turn) => turn.undo().await?,
                Connection::Pg(tx) => {
                    tx.rollback().await?;
                    return Tx::write(&self.store, None).await;
                }
                Connection::LiteRead(_) | Connection::PgRead(_) => {}
            }
            Ok(self)
        })
    }

    /// Makes it last: returns once everything is on disk.
    pub fn commit(self) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            match self.connection {
                Connection::Lite(turn) => turn.commit(self.along).await?,
                Connection::Pg(tx) => tx.commit().await?,
                Connection::LiteRead(_) | Connection::PgRead(_) => return Ok(()),
            }
            if self.published > 0 {
                self.store.stamp_published().await;
            }
            if self.deadlines > 0 {
                self.store.shared.deadlines.send_modify(|n| *n += 1);
            }
            if self.logged > 0 {
                self.store.shared.logged.send_modify(|n| *n += 1);
            }
            Ok(())
        })
    }

    pub(crate) fn is_lite(&self) -> bool {
        matches!(self.connection, Connection::Lite(_) | Connection::LiteRead(_))
    }
}

/// Both engines must refuse the same races.
const PG_BEGIN: &str = "begin isolation level serializable";

/// No statement takes longer, whoever waits for it: it would keep others from their turn.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// How long PostgreSQL gives each statement of who waits until then.
fn milliseconds(until: Option<Instant>) -> u128 {
    let left = until.map_or(LONGEST, |until| until.saturating_duration_since(Instant::now()).min(LONGEST));
    // Nothing at all would be no bound.
    left.as_millis().max(1)
}

/// Whether the database cut a statement off (`query_canceled`, SQLITE_INTERRUPT).
pub(crate) fn is_cut_off(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("57014" | "9"))
}

/// Begins a transaction with what holds in it, in one trip.
async fn begin_pg(pool: &PgPool, begin: String) -> Result<sqlx::Transaction<'static, Postgres>> {
    loop {
        let idle = pool.num_idle();
        match pool.begin_with(AssertSqlSafe(begin.clone())).await {
            // One that had waited here was dead.
            Err(error) if idle > 0 && is_lost(&error) => {}
            begun => return Ok(begun?),
        }
    }
}

/// A transaction that waits for its turn, however long.
pub(crate) async fn assign_pg(pool: &PgPool) -> Result<sqlx::Transaction<'static, Postgres>> {
    begin_pg(pool, "begin; set local statement_timeout = 0".to_owned()).await
}

/// A connection to read on, told how long each statement may take.
async fn reader_pg(pool: &PgPool, until: Option<Instant>) -> Result<PoolConnection<Postgres>> {
    let bound = format!("set statement_timeout = {}", milliseconds(until));
    loop {
        let idle = pool.num_idle();
        let mut connection = pool.acquire().await?;
        match sqlx::raw_sql(AssertSqlSafe(bound.clone())).execute(&mut *connection).await {
            Err(error) if idle > 0 && is_lost(&error) => {}
            told => return Ok(told.map(|_| connection)?),
        }
    }
}

/// Whether there is nobody at the other end, or a server that shuts down.
fn is_lost(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(error, sqlx::Error::Io(_)) || matches!(code.as_deref(), Some("57P01" | "25P03"))
}

type LiteQuery = sqlx::query::Query<'static, Sqlite, <Sqlite as sqlx::Database>::Arguments>;
type PgQuery = sqlx::query::Query<'static, Postgres, <Postgres as sqlx::Database>::Arguments>;

fn lite(sql: impl SqlSafeStr, args: Vec<Value>) -> LiteQuery {
    args.into_iter().fold(sqlx::query(sql.into_sql_str()), |query, arg| match arg {
        Value::Int(v) => query.bind(v),
        Value::Text(v) => query.bind(v),
        Value::Bytes(v) => query.bind(v),
        Value::Bool(v) => query.bind(v),
    })
}

fn pg(sql: impl SqlSafeStr, args: Vec<Value>) -> PgQuery {
    args.into_iter().fold(sqlx::query(sql.into_sql_str()), |query, arg| match arg {
        Value::Int(v) => query.bind(v),
        Value::Text(v) => query.bind(v),
        Value::Bytes(v) => query.bind(v),
        Value::Bool(v) => query.bind(v),
    })
}

/// A parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `bigint`
    Int(Option<i64>),
    /// `text`
    Text(Option<String>),
    /// `bytea`
    Bytes(Option<Vec<u8>>),
    /// `boolean`
    Bool(Option<bool>),
}

impl Default for Value {
    fn default() -> Self {
        Self::Int(None)
    }
}

/// The parameters of a query, in order: `args![id.0, version, "open"]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}

/// An enum without data as the text in its column (its serde name).
pub fn code<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        other => unreachable!("not a plain code: {other:?}"),
    }
}

/// A nested value as the JSON text in its column.
pub fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|e| unreachable!("a stored value can always be written: {e}"))
}

macro_rules! value {
    ($($type:ty => $variant:ident, $convert:expr;)*) => { $(
        impl From<$type> for Value {
            fn from(value: $type) -> Self { Value::$variant(Some(($convert)(value))) }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self { Value::$variant(value.map($convert)) }
        }
    )* };
}

value! {
    i64 => Int, |v| v;
    i32 => Int, i64::from;
    u32 => Int, i64::from;
    usize => Int, |v| v as i64;
    Cents => Int, |v: Cents| v.0;
    Timestamp => Int, |v: Timestamp| v.as_microsecond();
    bool => Bool, |v| v;
    String => Text, |v| v;
    &str => Text, str::to_owned;
    &String => Text, String::clone;
    Uuid => Text, |v: Uuid| v.to_string();
    Date => Text, |v: Date| v.to_string();
    &kernel::Organisation => Text, |v: &kernel::Organisation| v.to_string();
    &kernel::Municipality => Text, |v: &kernel::Municipality| v.to_string();
    &kernel::District => Text, |v: &kernel::District| v.to_string();
    kernel::ClientId => Text, |v: kernel::ClientId| v.to_string();
    Vec<u8> => Bytes, |v| v;
}

/// A row of either engine.
pub enum Row {
    /// From SQLite.
    Lite(SqliteRow),
    /// From PostgreSQL.
    Pg(PgRow),
}

impl Row {
    /// The value of a column, by name.
    pub fn get<T: Column>(&self, column: &str) -> Result<T> {
        T::read(self, column)
    }

    /// An id: a newtype over a UUID.
    pub fn id<T: From<Uuid>>(&self, column: &str) -> Result<T> {
        Ok(T::from(self.get::<Uuid>(column)?))
    }

    /// An id that may be absent.
    pub fn id_opt<T: From<Uuid>>(&self, column: &str) -> Result<Option<T>> {
        Ok(self.get::<Option<Uuid>>(column)?.map(T::from))
    }

    /// A code or codelike newtype, by its serde name.
    pub fn code<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        let text: String = self.get(column)?;
        serde_json::from_value(serde_json::Value::String(text)).map_err(|e| Error::inconsistent("row", column, e))
    }

    /// A code that may be absent.
    pub fn code_opt<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_value(serde_json::Value::String(text)))
            .transpose()
            .map_err(|e| Error::inconsistent("row", column, e))
    }

    /// A nested value from its JSON text.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|e| Error::inconsistent("row", column, e))
    }
}

/// An instant as it was written. The last one of all is cut to whole microseconds there, which read back as too late.
fn instant(micros: i64) -> Option<Timestamp> {
    let is_last = micros == Timestamp::MAX.as_microsecond();
    if is_last { Some(Timestamp::MAX) } else { Timestamp::from_microsecond(micros).ok() }
}

/// What a column can be read as.
pub trait Column: Sized {
    /// Reads the column by name.
    fn read(row: &Row, column: &str) -> Result<Self>;
}

macro_rules! plain {
    ($($type:ty),*) => { $(
        impl Column for $type {
            fn read(row: &Row, column: &str) -> Result<Self> {
                Ok(match row { Row::Lite(r) => r.try_get(column)?, Row::Pg(r) => r.try_get(column)? })
            }
        }
        impl Column for Option<$type> {
            fn read(row: &Row, column: &str) -> Result<Self> {
                Ok(match row { Row::Lite(r) => r.try_get(column)?, Row::Pg(r) => r.try_get(column)? })
            }
        }
    )* };
}

plain!(i64, bool, String, Vec<u8>);

macro_rules! derived {
    ($($type:ty => $raw:ty, $parse:expr;)*) => { $(
        impl Column for $type {
            fn read(row: &Row, column: &str) -> Result<Self> {
                let raw: $raw = row.get(column)?;
                ($parse)(raw).ok_or_else(|| Error::inconsistent("row", column, concat!("no ", stringify!($type))))
            }
        }
        impl Column for Option<$type> {
            fn read(row: &Row, column: &str) -> Result<Self> {
                let raw: Option<$raw> = row.get(column)?;
                raw.map(|raw| ($parse)(raw).ok_or_else(|| Error::inconsistent("row", column, concat!("no ", stringify!($type)))))
                    .transpose()
            }
        }
    )* };
}

derived! {
    i32 => i64, |v| i32::try_from(v).ok();
    u32 => i64, |v| u32::try_from(v).ok();
    Cents => i64, |v| Some(Cents(v));
    Timestamp => i64, instant;
    Date => String, |v: String| v.parse().ok();
    Uuid => String, |v: String| Uuid::parse_str(&v).ok();
    kernel::ClientId => String, |v: String| Uuid::parse_str(&v).ok().map(kernel::ClientId);
    kernel::Organisation => String, |v: String| kernel::Organisation::parse("row", &v).ok();
    kernel::Municipality => String, |v: String| kernel::Municipality::parse("row", &v).ok();
    kernel::District => String, |v: String| kernel::District::parse("row", &v).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_writes_that_travel_together_stand_in_their_order() {
        let mut along = Along::default();
        along.add("update a set x = $2 where y = $1 and z = $2", args!["one", "two"]);
        along.add("delete from b", args![]);
        along.add("insert into c values ($1, $2)", args![3, 4]);
        assert_eq!(along.sql, "update a set x = ? where y = ? and z = ?;delete from b;insert into c values (?, ?);");
        assert_eq!(along.args, args!["two", "one", "two", 3, 4]);
    }
}
