//! Bringing the tables up to date. Migrations are written once, in PostgreSQL's words; SQLite gets the same text with its
//! own names for the types and with strict tables, so that both engines refuse a value of the wrong type. Where the engines
//! have no words in common (triggers), the text goes on in a file per engine.

use crate::Result;
use crate::db::Db;
use sqlx::migrate::{Migrate, MigrateError, Migration as Step, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

/// One numbered SQL file of a service: version, what it does, text. Version 1 to 99 are this crate's.
pub type Migration = (i64, &'static str, &'static str);

/// This crate's migrations for one engine.
macro_rules! shared {
    ($engine:literal) => {
        &[
            (1, "shared", include_str!("../migrations/0001_shared.sql")),
            (2, "trace", include_str!("../migrations/0002_trace.sql")),
            (
                3,
                "chain",
                concat!(
                    include_str!("../migrations/0003_chain.sql"),
                    include_str!(concat!("../migrations/0003_chain.", $engine, ".sql"))
                ),
            ),
            (
                4,
                "keys",
                concat!(
                    include_str!("../migrations/0004_keys.sql"),
                    include_str!(concat!("../migrations/0004_keys.", $engine, ".sql"))
                ),
            ),
            (5, "receivers", include_str!("../migrations/0005_receivers.sql")),
            (10, "emergency", include_str!("../migrations/0010_emergency.sql")),
            (11, "nen7513", include_str!(concat!("../migrations/0011_nen7513.", $engine, ".sql"))),
            (20, "destroyed", include_str!("../migrations/0020_destroyed.sql")),
            (30, "contact through", include_str!("../migrations/0030_contact_through.sql")),
            (
                40,
                "protocol",
                concat!(
                    include_str!("../migrations/0040_protocol.sql"),
                    include_str!(concat!("../migrations/0040_protocol.", $engine, ".sql"))
                ),
            ),
            (41, "merged", include_str!("../migrations/0041_merged.sql")),
            (50, "own file", include_str!("../migrations/0050_own_file.sql")),
        ]
    };
}

/// The migrations of a key store for one engine.
macro_rules! keys {
    ($engine:literal) => {
        &[
            (
                1,
                "keys",
                concat!(
                    include_str!("../migrations/keys/0001_keys.sql"),
                    include_str!(concat!("../migrations/0004_keys.", $engine, ".sql"))
                ),
            ),
            (20, "destroyed", include_str!("../migrations/0020_destroyed.sql")),
        ]
    };
}

/// The steps for SQLite, or for PostgreSQL.
pub(crate) fn migrator(lite: bool, own: &[Migration]) -> Migrator {
    let shared: &[Migration] = if lite { shared!("sqlite") } else { shared!("postgres") };
    steps(lite, shared, own)
}

fn steps(lite: bool, first: &[Migration], then: &[Migration]) -> Migrator {
    let dialect: fn(&str) -> String = if lite { for_sqlite } else { str::to_owned };
    let steps = first.iter().chain(then).map(|(version, description, text)| {
        let sql = AssertSqlSafe(dialect(text)).into_sql_str();
        Step::new(*version, (*description).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
}

pub(crate) async fn migrate(db: &Db, own: &[Migration]) -> Result<()> {
    bring_up_to_date(db, &migrator(matches!(db, Db::Lite { .. }), own)).await
}

/// The tables of a key store.
pub(crate) async fn migrate_keys(db: &Db) -> Result<()> {
    let lite = matches!(db, Db::Lite { .. });
    let keys: &[Migration] = if lite { keys!("sqlite") } else { keys!("postgres") };
    bring_up_to_date(db, &steps(lite, keys, &[])).await
}

async fn bring_up_to_date(db: &Db, migrator: &Migrator) -> Result<()> {
    match db {
        Db::Lite { writer, .. } => {
            let mut line = writer.line().await;
            run(migrator, line.connection()?).await
        }
        Db::Pg(pool) => {
            // Tables that are large take their time; nobody is answered before.
            let mut connection = pool.acquire().await?;
            sqlx::query("set statement_timeout = 0").execute(&mut *connection).await?;
            run(migrator, &mut *connection).await
        }
    }
}

async fn run(migrator: &Migrator, connection: &mut impl Migrate) -> Result<()> {
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => sqlx::Error::Migrate(Box::new(other)).into(),
    })
}

fn for_sqlite(text: &str) -> String {
    let text = text.replace(" bigint", " integer").replace(" boolean", " integer").replace(" bytea", " blob");
    text.replace("\n);", "\n) strict;")
}
