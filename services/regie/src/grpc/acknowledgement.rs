//! Who acknowledged a correction, and who did not yet.

use super::client_id;
use super::view::instant;
use crate::domain::acknowledgement::KINDS;
use crate::domain::task::{State, Task};
use crate::{Regie, events, store};
use chassis::{Result, Work};
use kernel::{Date, Role};
use proto::regie::v1::*;

pub async fn list(_: &Regie, work: &mut Work, m: &ListAcknowledgementsRequest) -> Result<ListAcknowledgementsResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let asked = store::task::asked(work, client, KINDS).await?;
    Ok(ListAcknowledgementsResponse { acknowledgements: asked.into_iter().map(view).collect() })
}

fn view((task, finished_on): (Task, Option<Date>)) -> AcknowledgementView {
    let outcome = match task.state {
        State::Finished { outcome } => events::task_outcome(outcome),
        State::Open | State::Taken { .. } => TaskOutcome::Unspecified,
    };
    AcknowledgementView {
        task_id: task.id.to_string(),
        kind: events::task_kind(task.wanted.kind).into(),
        organisation: task.wanted.organisation.to_string(),
        role: task.wanted.role.map_or("", Role::as_str).to_owned(),
        asked_at: Some(instant(task.opened_at)),
        due_on: Some(proto::from_date(task.wanted.due_on)),
        acknowledged_on: finished_on.map(proto::from_date),
        outcome: outcome.into(),
    }
}
