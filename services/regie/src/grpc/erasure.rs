//! Requests for erasure: made, decided, listed.

use super::{client_id, required};
use crate::domain::erasure::{Decision, ErasureId};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::Role;
use proto::regie::v1::*;

pub async fn request(regie: &Regie, work: &mut Work, m: &RequestErasureRequest) -> Result<RequestErasureResponse> {
    let client = client_id(&m.client_id)?;
    work.permit_merged_too("client", Some(client), &[]).await?;
    let requested_on = match &m.received_on {
        Some(on) if !work.acts_as(Role::Client) => proto::to_date("received_on", Some(on))?,
        _ => work.now.date,
    };
    let erasure = acts::erasure::request(regie, work, client, requested_on).await?;
    let decide_by = Some(proto::from_date(erasure.decide_by));
    Ok(RequestErasureResponse { erasure_id: erasure.id.to_string(), decide_by })
}

pub async fn decide(regie: &Regie, work: &mut Work, m: &DecideErasureRequest) -> Result<DecideErasureResponse> {
    let client = client_id(&m.client_id)?;
    work.permit_merged_too("client", Some(client), &[]).await?;
    let id = ErasureId::parse("erasure_id", &m.erasure_id)?;
    let decision = match m.granted {
        true => Decision::Granted,
        false => Decision::Refused(required("ground", events::from_erasure_ground(m.ground))?),
    };
    acts::erasure::decide(regie, work, client, id, decision).await?;
    Ok(DecideErasureResponse { erasure_id: id.to_string() })
}

pub async fn list(_: &Regie, work: &mut Work, m: &ListErasuresRequest) -> Result<ListErasuresResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let known = store::erasure::of(work, client).await?;
    let erasures = known.iter().map(|one| {
        let decided = events::erasure_decided(one);
        ErasureView {
            erasure_id: decided.erasure_id,
            requested_on: Some(proto::from_date(one.requested_on)),
            decide_by: Some(proto::from_date(one.decide_by)),
            decided_on: one.decided.map(|(_, on)| proto::from_date(on)),
            granted: decided.granted,
            ground: decided.ground,
        }
    });
    Ok(ListErasuresResponse { erasures: erasures.collect() })
}
