//! Signalling plans.

use super::{requests, views};
use crate::acts::signalling_plan as acts;
use crate::{Aftercare, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::aftercare::v1::*;

pub async fn agree(
    _: &Aftercare,
    work: &mut Work,
    m: &AgreeSignallingPlanRequest,
) -> Result<AgreeSignallingPlanResponse> {
    let client = ClientId::parse("client_id", &m.client_id)?;
    let plan = requests::plan(m.plan.as_ref())?;
    let version = acts::agree(work, client, m.expected_version, &plan).await?;
    Ok(AgreeSignallingPlanResponse { version })
}

pub async fn get(_: &Aftercare, work: &mut Work, m: &GetSignallingPlanRequest) -> Result<GetSignallingPlanResponse> {
    let client = ClientId::parse("client_id", &m.client_id)?;
    work.permit("signalling plan", Some(client), &[]).await?;
    let plan = store::signalling_plan::load(work, client).await?;
    let (plan, version) = plan.ok_or_else(|| Work::unknown("signalling plan"))?;
    let safe_contact = work.safe_contact(client).await?;
    Ok(GetSignallingPlanResponse { plan: Some(views::plan(&plan)), version, safe_contact })
}
