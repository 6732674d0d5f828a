//! Safe contact set, ended, and shown to who protects the client.

use super::{client_id, organisation, required};
use crate::domain::safe_contact::Ground;
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::Role;
use proto::regie::v1::*;

pub async fn set(regie: &Regie, work: &mut Work, m: &SetSafeContactRequest) -> Result<SetSafeContactResponse> {
    let client = client_id(&m.client_id)?;
    let through = organisation("through", &m.through)?;
    // That of a shield comes with the shield.
    let ground = events::from_safe_contact_ground(m.ground).filter(|ground| *ground != Ground::Shield);
    let ground = required("ground", ground)?;
    work.permit("client", Some(client), &[]).await?;
    let since = acts::safe_contact::set(regie, work, client, through, ground).await?;
    Ok(SetSafeContactResponse { since: Some(proto::from_date(since)) })
}

pub async fn end(_: &Regie, work: &mut Work, m: &EndSafeContactRequest) -> Result<EndSafeContactResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    acts::safe_contact::end(work, client).await?;
    Ok(EndSafeContactResponse {})
}

pub async fn get(_: &Regie, work: &mut Work, m: &GetSafeContactRequest) -> Result<GetSafeContactResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let Some(stands) = store::safe_contact::of(work, client).await? else {
        return Ok(GetSafeContactResponse::default());
    };
    let shown = GetSafeContactResponse {
        on: true,
        through: stands.through.map(|through| through.to_string()).unwrap_or_default(),
        since: Some(proto::from_date(stands.since)),
        ..Default::default()
    };
    // Somebody may look over the client's shoulder.
    if work.acts_as(Role::Client) {
        return Ok(shown);
    }
    let ground = events::safe_contact_ground(stands.ground).into();
    Ok(GetSafeContactResponse { ground, set_by: stands.set_by.to_string(), ..shown })
}
