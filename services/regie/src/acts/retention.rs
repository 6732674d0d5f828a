//! The road of a retention term: counted when a case is closed, looked at when it may be over, and then everything of that
//! class gone in every service (R-REG-23).

use super::{acknowledgement, relation, tell};
use crate::domain::retention::{self, End, Keeping, KeepingGround, KeepingId, Known, Look, Part, RetentionId};
use crate::domain::task::OVER_WITH_THE_FILE;
use crate::{Regie, events, store};
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Date, Moment, Uuid};
use proto::regie::v1 as pb;

/// The kind of the deadline at which a client's terms are looked at again.
pub const LOOK: &str = "retention";
/// The kind of the deadline that lets regie's own keys go, once the end of a term is committed.
pub const DESTROY: &str = "retention-destroy";

/// Looks at a client's terms: destroys what is over its term, or looks again when it may be.
pub async fn look(regie: &Regie, work: &mut Work, client: ClientId) -> Result<()> {
    let subject = client.to_string();
    if work.used_for(client).await? != client {
        // It goes with the record that it points to.
        return work.clear_deadline(LOOK, &subject).await;
    }
    let (known, keepings) = known(work, client).await?;
    let (municipality, now) = (super::municipality_of(regie, work, client).await?, work.now);
    let policy = regie.policy.at(&municipality, now.date);
    match retention::look(&known, &keepings, &policy.retention, &policy.calendar, now) {
        Look::Rest => work.clear_deadline(LOOK, &subject).await,
        Look::At(day) => {
            let due_at = Moment::start_of(day).at;
            work.set_deadline(&Deadline { kind: LOOK.into(), subject, client_id: Some(client), due_at }).await
        }
        Look::Destroy(end) => {
            work.clear_deadline(LOOK, &subject).await?;
            let version = regie.policy.version_at(&municipality, now.date);
            for record in work.pointing_to(client).await?.into_iter().chain([client]) {
                over(regie, work, record, &end, &version).await?;
            }
            Ok(())
        }
    }
}

/// What terms are counted from, and what is kept longer: of every record of the person together (R-REG-26).
async fn known(work: &mut Work, client: ClientId) -> Result<(Known, Vec<Keeping>)> {
    let used = work.used_for(client).await?;
    let mut known = store::retention::known(work, used).await?;
    let mut keepings = store::retention::keepings(work, used).await?;
    for record in work.pointing_to(used).await? {
        known.join(store::retention::known(work, record).await?);
        keepings.extend(store::retention::keepings(work, record).await?);
    }
    Ok((known, keepings))
}

/// A term is over: the partners hear that they must destroy too, and every service destroys its keys as it takes that in;
/// regie itself as soon as this is committed.
async fn over(regie: &Regie, work: &mut Work, client: ClientId, end: &End, policy_version: &str) -> Result<()> {
    let id = RetentionId(Uuid::now_v7());
    store::retention::ended(work, client, id, end, policy_version).await?;
    let everybody = store::relation::ever(work, client).await?;
    tell(work, client, &everybody, &events::retention_ended(id, end)).await?;
    if end.part == Part::Everything {
        relation::end_where(work, client, |_| true).await?;
        acknowledgement::drop_all(regie, work, client, OVER_WITH_THE_FILE).await?;
    }
    let (subject, due_at) = (id.to_string(), work.now.at);
    work.set_deadline(&Deadline { kind: DESTROY.into(), subject, client_id: Some(client), due_at }).await
}

/// The timer, right after that: regie's own part, and the next term.
pub async fn carry_out(regie: &Regie, work: &mut Work, deadline: &Deadline) -> Result<()> {
    let Some(client) = deadline.client_id else { return Ok(()) };
    let id = RetentionId::parse("retention_id", &deadline.subject)?;
    let end = store::retention::end(work, id).await?;
    let what = chassis::over(client, &events::retention_ended(id, &end), work.now.at)?;
    chassis::erase(regie, work, &what).await?;
    match end.part {
        Part::Everything => Ok(()),
        Part::Plan => look(regie, work, client).await,
    }
}

/// Decides to keep longer.
pub async fn keep(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    ground: KeepingGround,
    until: Date,
) -> Result<KeepingId> {
    let municipality = super::municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let known = store::retention::keepings(work, client).await?;
    let wish = (KeepingId(Uuid::now_v7()), ground, until);
    let (keeping, new) = retention::keep(&known, wish, &policy.retention, &policy.calendar, work.now)?;
    if new {
        let by = work.actor().subject.clone();
        store::retention::keep(work, client, &keeping, &by).await?;
        let (keeping_id, until) = (keeping.id.to_string(), Some(proto::from_date(until)));
        let ground = events::keeping_ground(ground).into();
        super::tell_all(work, client, &pb::RetentionKept { keeping_id, ground, until }).await?;
        look(regie, work, client).await?;
    }
    Ok(keeping.id)
}

/// Ends a decision to keep longer; what is over its term by now goes at once.
pub async fn release(regie: &Regie, work: &mut Work, client: ClientId, id: KeepingId) -> Result<()> {
    let known = store::retention::keepings(work, client).await?;
    let Some(keeping) = retention::release(&known, id, work.now)? else { return Ok(()) };
    let by = work.actor().subject.clone();
    store::retention::release(work, &keeping, &by).await?;
    super::tell_all(work, client, &pb::RetentionReleased { keeping_id: id.to_string() }).await?;
    look(regie, work, client).await
}

/// The terms that run for a client, and the decisions to keep longer.
pub async fn of(regie: &Regie, work: &mut Work, client: ClientId) -> Result<(Vec<End>, Vec<Keeping>)> {
    let (known, keepings) = known(work, client).await?;
    let municipality = super::municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let ends = retention::ends(&known, &policy.retention, &policy.calendar);
    Ok((ends, keepings))
}
