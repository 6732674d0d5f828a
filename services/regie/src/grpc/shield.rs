//! Shields raised and ended.

use super::client_id;
use crate::{Regie, acts};
use chassis::{Result, Work};
use proto::regie::v1::*;

pub async fn raise(_: &Regie, work: &mut Work, m: &ShieldClientRequest) -> Result<ShieldClientResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let since = acts::shield::raise(work, client).await?;
    Ok(ShieldClientResponse { since: Some(proto::from_date(since)) })
}

pub async fn end(_: &Regie, work: &mut Work, m: &EndShieldRequest) -> Result<EndShieldResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    acts::shield::end(work, client).await?;
    Ok(EndShieldResponse {})
}
