//! Relations granted and ended by hand.

use super::{client_id, organisation, required, text_opt};
use crate::domain::case::CASE_NOT_OPEN;
use crate::domain::relation::{self, Kind, RelationId, Wanted};
use crate::{Regie, acts, store};
use chassis::{Result, Work};
use kernel::{Role, Uuid};
use proto::regie::v1::*;

pub async fn grant(regie: &Regie, work: &mut Work, m: &GrantRelationRequest) -> Result<GrantRelationResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let wanted = Wanted {
        organisation: organisation("organisation", &m.organisation)?,
        person: text_opt("person", &m.person, 64)?,
        role: required("role", Role::from_key(&m.role))?,
        kind: Kind::Granted,
        subject: None,
    };
    relation::check(&wanted, &regie.register)?;
    if store::case::newest(work, client).await?.is_none_or(|kept| kept.case.closed.is_some()) {
        return Err((&CASE_NOT_OPEN).into());
    }
    let id = acts::relation::grant(work, client, RelationId(Uuid::now_v7()), &wanted).await?;
    Ok(GrantRelationResponse { relation_id: id.to_string() })
}

pub async fn end(_: &Regie, work: &mut Work, m: &EndRelationRequest) -> Result<EndRelationResponse> {
    let client = client_id(&m.client_id)?;
    work.permit_merged_too("client", Some(client), &[]).await?;
    let id = RelationId::parse("relation_id", &m.relation_id)?;
    acts::relation::end_by_hand(work, client, id).await?;
    Ok(EndRelationResponse { relation_id: id.to_string() })
}
