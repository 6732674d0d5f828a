//! Signalling plans: one row per version, the newest in force.

use crate::domain::signalling_plan::Plan;
use chassis::{Error, Result, Work, args};
use kernel::ClientId;
use store::Retention::File;
use store::{Opened, json};

const PLAN: &str = "signalling_plan.plan";

/// The plan in force and its version.
pub async fn load(work: &mut Work, client: ClientId) -> Result<Option<(Plan, i64)>> {
    let sql = "select version, plan from signalling_plan where client_id = $1 order by version desc limit 1";
    let Some(row) = work.row(sql, args![client]).await? else { return Ok(None) };
    let version: i64 = row.get("version")?;
    let (place, sealed) = (format!("{client}/{version}"), row.get::<Vec<u8>>("plan")?);
    let Opened::Text(plan) = work.sealer().open(File.of(client), PLAN, place, &sealed).await? else { return Ok(None) };
    let plan = serde_json::from_str(&plan).map_err(|_| Error::inconsistent("signalling_plan", "plan", "is no plan"))?;
    Ok(Some((plan, version)))
}

/// Puts a plan in force as a new version.
pub async fn save(work: &mut Work, client: ClientId, plan: &Plan, version: i64) -> Result<()> {
    let sealed = work.sealer().seal(File.of(client), PLAN, format!("{client}/{version}"), &json(plan)).await?;
    let (by, now) = (work.organisation().clone(), work.now.at);
    work.run(
        "insert into signalling_plan (client_id, version, plan, recorded_by, recorded_at) values ($1, $2, $3, $4, $5)",
        args![client, version, sealed, &by, now],
    )
    .await
    .map_err(super::lost_race)?;
    Ok(())
}
