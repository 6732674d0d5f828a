//! Signalling plans.

use crate::domain::signalling_plan::{self, Plan};
use crate::store;
use chassis::{Result, Work};
use kernel::ClientId;
use proto::aftercare::v1::SignallingPlanAgreed;

/// Puts a plan in force; returns its version.
pub async fn agree(work: &mut Work, client: ClientId, seen: i64, plan: &Plan) -> Result<i64> {
    work.permit("client", Some(client), &[]).await?;
    let in_force = store::signalling_plan::load(work, client).await?;
    let version = in_force.as_ref().map_or(0, |(_, version)| *version);
    work.expect_version(seen, version)?;
    let events = signalling_plan::agree(in_force.as_ref().map(|(plan, _)| plan), plan, work.now)?;
    let Some(plan) = events.iter().map(signalling_plan::apply).next_back() else {
        return Ok(version);
    };
    store::signalling_plan::save(work, client, &plan, version + 1).await?;
    let teams: Vec<_> = store::circle::circle(work, client).await?.teams().into_iter().collect();
    work.publish(Some(client), &teams, &SignallingPlanAgreed { version: version + 1 }).await?;
    Ok(version + 1)
}
