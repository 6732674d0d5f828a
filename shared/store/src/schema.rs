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
        ]
    };
}

/// The steps for SQLite, or for PostgreSQL.
pub(crate) fn migrator(lite: bool, own: &[Migration]) -> Migrator {
    let (shared, dialect): (&[Migration], fn(&str) -> String) =
        if lite { (shared!("sqlite"), for_sqlite) } else { (shared!("postgres"), str::to_owned) };
    let steps = shared.iter().chain(own).map(|(version, description, text)| {
        let sql = AssertSqlSafe(dialect(text)).into_sql_str();
        Step::new(*version, (*description).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
}

pub(crate) async fn migrate(db: &Db, own: &[Migration]) -> Result<()> {
    let migrator = migrator(matches!(db, Db::Lite { .. }), own);
    match db {
        Db::Lite { writer, .. } => {
            let mut line = writer.line().await;
            run(&migrator, line.connection()?).await
        }
        Db::Pg(pool) => run(&migrator, &mut *pool.acquire().await?).await,
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
