//! Legal representatives: recorded, ended, listed.

use super::{client_id, required};
use crate::domain::representative::{REPRESENTATIVE_UNKNOWN, Representative, RepresentativeId, Wish};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::regie::v1::*;

pub async fn record(
    _: &Regie,
    work: &mut Work,
    m: &RecordRepresentativeRequest,
) -> Result<RecordRepresentativeResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let wish = Wish {
        represented_by: ClientId::parse("representative_client_id", &m.representative_client_id)?,
        ground: required("ground", events::from_representative_ground(m.ground))?,
        from_on: proto::to_date("from_on", m.from_on.as_ref())?,
        last_day: m.last_day.as_ref().map(|day| proto::to_date("last_day", Some(day))).transpose()?,
    };
    let id = acts::representative::record(work, client, wish).await?;
    Ok(RecordRepresentativeResponse { representative_id: id.to_string() })
}

pub async fn end(_: &Regie, work: &mut Work, m: &EndRepresentativeRequest) -> Result<EndRepresentativeResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let id = RepresentativeId::parse("representative_id", &m.representative_id)?;
    let known = store::representative::of(work, client).await?;
    if !known.iter().any(|one| one.id == id) {
        return Err((&REPRESENTATIVE_UNKNOWN).into());
    }
    acts::representative::end_where(work, client, |one| one.id == id).await?;
    Ok(EndRepresentativeResponse { representative_id: id.to_string() })
}

pub async fn list(_: &Regie, work: &mut Work, m: &GetRepresentativesRequest) -> Result<GetRepresentativesResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let known = store::representative::of(work, client).await?;
    Ok(GetRepresentativesResponse { representatives: known.iter().map(view).collect() })
}

fn view(one: &Representative) -> RepresentativeView {
    RepresentativeView {
        representative_id: one.id.to_string(),
        representative_client_id: one.wish.represented_by.to_string(),
        ground: events::representative_ground(one.wish.ground).into(),
        from_on: Some(proto::from_date(one.wish.from_on)),
        last_day: one.wish.last_day.map(proto::from_date),
        recorded_on: Some(proto::from_date(one.recorded_on)),
        ended_on: one.ended_on.map(proto::from_date),
    }
}
