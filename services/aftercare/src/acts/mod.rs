//! The one road of each aggregate: load, ask the relation, check the version, decide, keep, tell, set the next deadline.
//! Calls, deadlines and taken-in events all go it.

pub mod aftercare;
pub mod handover;
pub mod signal;
pub mod signalling_plan;

use crate::Aftercare;
use chassis::{Deadline, Error, Result, Work};
use kernel::{ClientId, Timestamp};
use std::fmt::Display;
use uuid::Uuid;

/// Looks again at what is due.
pub async fn wake(service: &Aftercare, work: &mut Work, deadline: &Deadline) -> Result<()> {
    let id = Uuid::parse_str(&deadline.subject).map_err(|_| Error::inconsistent("deadline", "subject", "is no id"))?;
    match deadline.kind.as_str() {
        handover::DEADLINE => handover::lapse(service, work, id.into()).await,
        aftercare::REVIEW => aftercare::lapse_review(service, work, id.into()).await,
        aftercare::CONTACT => aftercare::lapse_contact(service, work, id.into()).await,
        signal::DEADLINE => signal::lapse(service, work, id.into()).await,
        _ => Err(Error::inconsistent("deadline", "kind", "is none of aftercare's")),
    }
}

/// Sets when something must be looked at again, or that it need not be.
async fn look_again(
    work: &mut Work,
    kind: &str,
    subject: impl Display,
    client: ClientId,
    at: Option<Timestamp>,
) -> Result<()> {
    let subject = subject.to_string();
    match at {
        Some(due_at) => {
            let deadline = Deadline { kind: kind.to_owned(), subject, client_id: Some(client), due_at };
            work.set_deadline(&deadline).await
        }
        None => work.clear_deadline(kind, &subject).await,
    }
}
