//! One road per aggregate: load, may you, which version, decide, save, publish, set the clocks. Calls, deadlines and a death all
//! go by it; nothing else writes.

pub mod client;
pub mod decision;
pub mod facility;
pub mod intake;
pub mod nights;
pub mod notification;
pub mod own_access;
pub mod place_claim;
pub mod separation;
pub mod stay;
pub mod waiting_list;

use crate::domain::{Due, Wake};
use chassis::{Deadline, Result, Work};
use kernel::ClientId;
use uuid::Uuid;

/// The version that the caller saw; none when the service itself acts (a deadline, a death), which needs no leave.
pub type Seen = Option<i64>;

/// Sets the clocks of a thing.
async fn set_wakes(work: &mut Work, subject: Uuid, client: ClientId, wakes: Vec<Wake>) -> Result<()> {
    for wake in wakes {
        let (kind, subject) = (wake.due.as_str().to_owned(), subject.to_string());
        work.set_deadline(&Deadline { kind, subject, client_id: Some(client), due_at: wake.at }).await?;
    }
    Ok(())
}

/// Stops clocks of a thing.
async fn clear_wakes(work: &mut Work, subject: Uuid, dues: &[Due]) -> Result<()> {
    for due in dues {
        work.clear_deadline(due.as_str(), &subject.to_string()).await?;
    }
    Ok(())
}
