//! Retention: terms read, decisions to keep longer.

use super::{client_id, required};
use crate::domain::retention::KeepingId;
use crate::{Regie, acts, events};
use chassis::{Result, Work};
use proto::regie::v1::*;

pub async fn keep(regie: &Regie, work: &mut Work, m: &KeepLongerRequest) -> Result<KeepLongerResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let ground = required("ground", events::from_keeping_ground(m.ground))?;
    let until = proto::to_date("until", m.until.as_ref())?;
    let keeping_id = acts::retention::keep(regie, work, client, ground, until).await?.to_string();
    Ok(KeepLongerResponse { keeping_id })
}

pub async fn release(regie: &Regie, work: &mut Work, m: &EndKeepingRequest) -> Result<EndKeepingResponse> {
    let client = client_id(&m.client_id)?;
    work.permit_merged_too("client", Some(client), &[]).await?;
    let id = KeepingId::parse("keeping_id", &m.keeping_id)?;
    acts::retention::release(regie, work, client, id).await?;
    Ok(EndKeepingResponse { keeping_id: id.to_string() })
}

pub async fn get(regie: &Regie, work: &mut Work, m: &GetRetentionRequest) -> Result<GetRetentionResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let (ends, keepings) = acts::retention::of(regie, work, client).await?;
    let terms = ends.iter().map(|end| RetentionTermView {
        part: events::retention_part(end.part).into(),
        ground: events::retention_ground(end.ground).into(),
        last_day: Some(proto::from_date(end.last_day)),
    });
    let keepings = keepings.iter().map(|one| KeepingView {
        keeping_id: one.id.to_string(),
        ground: events::keeping_ground(one.ground).into(),
        until: Some(proto::from_date(one.until)),
        decided_on: Some(proto::from_date(one.decided_on)),
        ended_on: one.ended_on.map(proto::from_date),
    });
    Ok(GetRetentionResponse { terms: terms.collect(), keepings: keepings.collect() })
}
