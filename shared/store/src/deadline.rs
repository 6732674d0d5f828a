//! Deadlines are rows, woken by a timer: nothing in the chain sleeps until something is due, and a restart forgets none.

use crate::db::{Row, Tx};
use crate::{Result, args};
use jiff::Timestamp;
use kernel::ClientId;

/// Something that must be looked at again.
#[derive(Clone, Debug, PartialEq)]
pub struct Deadline {
    /// What must be looked at: the service's own word.
    pub kind: String,
    /// Which one: usually an id.
    pub subject: String,
    /// The client that it is about.
    pub client_id: Option<ClientId>,
    /// When.
    pub due_at: Timestamp,
}

impl Tx {
    /// Sets a deadline; there is one per kind and subject, so a later call moves it.
    pub async fn set_deadline(&mut self, deadline: &Deadline) -> Result<()> {
        self.deadlines += 1;
        self.keep(
            "insert into deadline (kind, subject, client_id, due_at) values ($1, $2, $3, $4)
             on conflict (kind, subject) do update set due_at = excluded.due_at",
            args![&deadline.kind, &deadline.subject, deadline.client_id.map(|id| id.0), deadline.due_at],
        )
        .await?;
        Ok(())
    }

    /// Takes a deadline away; no harm when there is none.
    pub async fn clear_deadline(&mut self, kind: &str, subject: &str) -> Result<()> {
        self.keep("delete from deadline where kind = $1 and subject = $2", args![kind, subject]).await?;
        Ok(())
    }

    /// Takes a deadline away to handle it; false when it was moved or taken away since it was read.
    pub async fn take_deadline(&mut self, deadline: &Deadline) -> Result<bool> {
        let taken = self
            .run(
                "delete from deadline where kind = $1 and subject = $2 and due_at = $3",
                args![&deadline.kind, &deadline.subject, deadline.due_at],
            )
            .await?;
        Ok(taken > 0)
    }

    /// The next deadlines after one, oldest first, due or not.
    pub async fn next_deadlines(&mut self, after: Option<&Deadline>, limit: i64) -> Result<Vec<Deadline>> {
        let (due_at, kind, subject) = after.map_or((i64::MIN, "", ""), |last| {
            let Deadline { kind, subject, due_at, .. } = last;
            (due_at.as_microsecond(), kind, subject)
        });
        let rows = self
            .rows(
                "select kind, subject, client_id, due_at from deadline where (due_at, kind, subject) > ($1, $2, $3)
                 order by due_at, kind, subject limit $4",
                args![due_at, kind, subject, limit],
            )
            .await?;
        let deadline = |row: &Row| {
            Ok(Deadline {
                kind: row.get("kind")?,
                subject: row.get("subject")?,
                client_id: row.get("client_id")?,
                due_at: row.get("due_at")?,
            })
        };
        rows.iter().map(deadline).collect()
    }
}
