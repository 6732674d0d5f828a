//! What a database is like, without changing it.

use crate::Result;
use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use std::str::FromStr as _;

/// What a database is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The newest migration that it has had; none when it is new.
    pub migration: Option<i64>,
    /// Its clock, in microseconds since 1970, where it has one of its own.
    pub clock: Option<i64>,
}

/// Looks at a database. A file of SQLite that is not there yet is new.
pub fn look(url: &str) -> BoxFuture<'_, Result<State>> {
    Box::pin(async move {
        const NEWEST: &str = "select max(version) as n from _sqlx_migrations";
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let mut database = sqlx::PgConnection::connect(url).await?;
            let clock = "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) as n";
            let clock = sqlx::query(clock).fetch_one(&mut database).await?.try_get("n")?;
            let begun = sqlx::query("select to_regclass('_sqlx_migrations') is not null as begun");
            let migration = match begun.fetch_one(&mut database).await?.try_get("begun")? {
                true => sqlx::query(NEWEST).fetch_one(&mut database).await?.try_get("n")?,
                false => None,
            };
            database.close().await?;
            return Ok(State { migration, clock: Some(clock) });
        }
        let options = SqliteConnectOptions::from_str(url)?.read_only(true);
        if !options.get_filename().exists() {
            return Ok(State { migration: None, clock: None });
        }
        let mut database = options.connect().await?;
        let begun = "select count(*) as n from sqlite_master where name = '_sqlx_migrations'";
        let begun: i64 = sqlx::query(begun).fetch_one(&mut database).await?.try_get("n")?;
        let migration = match begun {
            0 => None,
            _ => sqlx::query(NEWEST).fetch_one(&mut database).await?.try_get("n")?,
        };
        database.close().await?;
        Ok(State { migration, clock: None })
    })
}
