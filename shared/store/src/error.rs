//! What can come of a transaction beside its result.

use kernel::{Reason, Refusal, general};

/// A refusal, a lost race, or a failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An answer: a rule says no.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Another transaction was first: run this one again from the start.
    #[error("another transaction was first")]
    Conflict,
    /// A unique index said no; `on` is its name (PostgreSQL) or its columns (SQLite).
    #[error("a row like this exists already: {on}")]
    Unique {
        /// The index's name, or its columns as `table.column, table.column`.
        on: String,
    },
    /// The database cannot be reached, or its disk is full: nothing was written.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database holds something that the code does not understand.
    #[error("{table}.{column} holds what cannot be read: {why}")]
    Inconsistent {
        /// Where: the table or query.
        table: String,
        /// Which column.
        column: String,
        /// What is wrong with it; never the value.
        why: String,
    },
    /// The key store cannot be used with this database or these master keys.
    #[error("the key store cannot be used: {0}")]
    Keys(String),
    /// Anything else that the database says.
    #[error("the database failed: {0}")]
    Failed(#[source] sqlx::Error),
}

impl From<&'static Reason> for Error {
    fn from(reason: &'static Reason) -> Self {
        Self::Refused(reason.into())
    }
}

impl Error {
    /// Turns the violation of one unique index into its refusal: PostgreSQL reports the index, SQLite the columns
    /// (`table.column, table.column`).
    pub fn on_unique(self, index: &str, columns: &str, refusal: impl Into<Refusal>) -> Self {
        match self {
            Self::Unique { on } if on == index || on == columns => Self::Refused(refusal.into()),
            other => other,
        }
    }

    /// The refusal that the caller gets, if this is one: a rule's, or "try again" for what passes.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal.clone()),
            Self::Conflict | Self::Unavailable(_) => Some((&general::UNAVAILABLE).into()),
            _ => None,
        }
    }

    /// A row that holds a nonsense combination.
    pub fn inconsistent(table: &str, column: &str, why: impl ToString) -> Self {
        Self::Inconsistent { table: table.to_owned(), column: column.to_owned(), why: why.to_string() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error {
            let code = database.code().unwrap_or_default();
            // Serialisation failure and deadlock (PostgreSQL); busy snapshot (SQLite).
            if matches!(&*code, "40001" | "40P01" | "517") {
                return Self::Conflict;
            }
            if database.is_unique_violation() {
                let on = database.constraint().map_or_else(
                    || database.message().rsplit("constraint failed: ").next().unwrap_or_default().to_owned(),
                    str::to_owned,
                );
                return Self::Unique { on };
            }
            // Disk full (53100, SQLITE_FULL), too many connections, shutting down, busy, read-only after a failed disk; cut off,
            // or idle, for too long.
            let passing =
                ["53100", "13", "53300", "57P01", "57P03", "5", "8", "10", "57014", "9", "25P03"].contains(&&*code);
            if passing {
                return Self::Unavailable(error);
            }
        }
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unavailable(error)
            }
            _ => Self::Failed(error),
        }
    }
}
