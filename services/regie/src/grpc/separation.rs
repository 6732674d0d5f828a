//! Separations: marked, ended, listed for those who protect the client.

use super::{client_id, required};
use crate::domain::separation::SeparationId;
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::regie::v1::*;

pub async fn mark(_: &Regie, work: &mut Work, m: &MarkSeparationRequest) -> Result<MarkSeparationResponse> {
    let client = client_id(&m.client_id)?;
    let other = ClientId::parse("other_client_id", &m.other_client_id)?;
    let ground = required("ground", events::from_separation_ground(m.ground))?;
    work.permit("client", Some(client), &[]).await?;
    work.permit("client", Some(other), &[]).await?;
    let id = acts::separation::mark(work, client, other, ground).await?;
    Ok(MarkSeparationResponse { separation_id: id.to_string() })
}

pub async fn end(regie: &Regie, work: &mut Work, m: &EndSeparationRequest) -> Result<EndSeparationResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let id = SeparationId::parse("separation_id", &m.separation_id)?;
    acts::separation::end(regie, work, client, id).await?;
    Ok(EndSeparationResponse { separation_id: id.to_string() })
}

pub async fn list(_: &Regie, work: &mut Work, m: &ListSeparationsRequest) -> Result<ListSeparationsResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let separations = store::separation::of(work, client).await?;
    let view = |one: &crate::domain::separation::Separation| SeparationView {
        separation_id: one.id.to_string(),
        other_client_id: one.other.to_string(),
        ground: events::separation_ground(one.ground).into(),
        marked_on: Some(proto::from_date(one.marked_on)),
        marked_by: one.marked_by.to_string(),
        ended_on: one.ended_on.map(proto::from_date),
    };
    Ok(ListSeparationsResponse { separations: separations.iter().map(view).collect() })
}
