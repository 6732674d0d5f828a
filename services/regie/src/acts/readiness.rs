//! Readiness: computed anew whenever something that it rests on changes, told when the answer does (R-HOU-03).

use super::tell;
use crate::domain::readiness::{self, Fact};
use crate::store::readiness::Published;
use crate::{events, store};
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Moment};

/// The kind of the deadlines that wake it.
pub const DEADLINE: &str = "readiness";

/// Takes in what another service told.
pub async fn learn(work: &mut Work, client: ClientId, fact: &Fact) -> Result<()> {
    update(work, client, Some(fact)).await
}

/// Looks again.
pub async fn refresh(work: &mut Work, client: ClientId) -> Result<()> {
    update(work, client, None).await
}

async fn update(work: &mut Work, client: ClientId, fact: Option<&Fact>) -> Result<()> {
    let now = work.now;
    let (facts, published) = store::readiness::of(work, client).await?;
    let facts = fact.into_iter().fold(facts, readiness::learn);
    let case = store::case::newest(work, client).await?;
    let failed = readiness::failed(&facts, case.as_ref().map(|kept| &kept.case), now.date);
    let (answer, changed) = match published {
        Some(published) if published.failed == failed => (published, false),
        _ => (Published { failed, since: now.date }, true),
    };
    store::readiness::save(work, client, &facts, &answer).await?;
    if let Some(day) = readiness::changes_on(&facts, now.date) {
        let due_at = Moment::start_of(day).at;
        let deadline = Deadline { kind: DEADLINE.into(), subject: client.to_string(), client_id: Some(client), due_at };
        work.set_deadline(&deadline).await?;
    }
    if changed {
        tell(work, client, &[], &events::readiness(client, &answer)).await?;
    }
    Ok(())
}
