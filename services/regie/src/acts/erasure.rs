//! The road of a request for erasure: on the municipality's list, decided by a person, and when it was granted, everything
//! gone in every service (R-REG-22).

use super::{acknowledgement, emergency, relation, representative, task, tell, tell_all};
use crate::domain::erasure::{self, Decision, Erasure, ErasureId};
use crate::domain::task::{Kind, OVER_WITH_THE_FILE, TaskId, Wanted};
use crate::{Regie, events, store};
use ::store::Destroyed;
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Date, Role, Uuid};
use proto::regie::v1 as pb;

/// The kind of the deadline that lets regie's own keys go, once the decision is committed.
pub const DEADLINE: &str = "erase";

/// Records a request, and puts the decision on the municipality's list.
pub async fn request(regie: &Regie, work: &mut Work, client: ClientId, requested_on: Date) -> Result<Erasure> {
    let municipality = super::municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let known = store::erasure::of(work, client).await?;
    let id = ErasureId(Uuid::now_v7());
    let (erasure, new) = erasure::request(&known, id, requested_on, &policy.calendar, work.now)?;
    if !new {
        return Ok(erasure);
    }
    store::erasure::insert(work, client, &erasure).await?;
    let chief = regie.register.regie_of(&municipality).clone();
    let (erasure_id, decide_by) = (erasure.id.to_string(), Some(proto::from_date(erasure.decide_by)));
    let requested = pb::ErasureRequested { erasure_id: erasure_id.clone(), decide_by };
    tell(work, client, std::slice::from_ref(&chief), &requested).await?;
    let wanted = Wanted {
        kind: Kind::DecideErasure,
        client_id: Some(client),
        subject: Some(erasure_id),
        organisation: chief,
        person: None,
        role: Some(Role::Regie),
        due_on: erasure.decide_by,
        cause: None,
    };
    task::open(regie, work, TaskId(Uuid::now_v7()), wanted).await?;
    Ok(erasure)
}

/// Decides on a request. Granted, the partners hear that they must erase too, nobody has a relation any more, and every
/// service destroys its keys as it takes that in; regie itself as soon as this is committed.
pub async fn decide(regie: &Regie, work: &mut Work, client: ClientId, id: ErasureId, decision: Decision) -> Result<()> {
    let known = store::erasure::of(work, client).await?;
    let case = store::case::newest(work, client).await?;
    let case_open = case.is_some_and(|kept| kept.case.closed.is_none());
    let Some(erasure) = erasure::decide(&known, id, decision, case_open, work.now)? else { return Ok(()) };
    let (by, erasure_id) = (work.actor().subject.clone(), id.to_string());
    store::erasure::decide(work, &erasure, &by).await?;
    task::fall_away(regie, work, Kind::DecideErasure, Some(client), &erasure_id).await?;
    tell_all(work, client, &events::erasure_decided(&erasure)).await?;
    if decision == Decision::Granted {
        // Of one person everything goes, in whichever record it is (R-REG-26).
        for record in work.pointing_to(client).await?.into_iter().chain([client]) {
            destroy(regie, work, record, &erasure_id).await?;
        }
    }
    Ok(())
}

async fn destroy(regie: &Regie, work: &mut Work, client: ClientId, erasure_id: &str) -> Result<()> {
    // Whoever ever received something must erase it too (AVG article 19).
    let everybody = store::relation::ever(work, client).await?;
    tell(work, client, &everybody, &pb::ClientErased { erasure_id: erasure_id.to_owned() }).await?;
    relation::end_where(work, client, |_| true).await?;
    acknowledgement::drop_all(regie, work, client, OVER_WITH_THE_FILE).await?;
    emergency::end_all(regie, work, client).await?;
    representative::end_where(work, client, |_| true).await?;
    let (subject, due_at) = (format!("{erasure_id}/{client}"), work.now.at);
    work.set_deadline(&Deadline { kind: DEADLINE.into(), subject, client_id: Some(client), due_at }).await
}

/// The timer, right after the decision: regie's own part.
pub async fn carry_out(regie: &Regie, work: &mut Work, deadline: &Deadline) -> Result<()> {
    let Some(client) = deadline.client_id else { return Ok(()) };
    let erasure_id = deadline.subject.split('/').next().unwrap_or_default();
    let (at, by, why) = (work.now.at, "regie".to_owned(), format!("erasure {erasure_id}"));
    chassis::erase(regie, work, &Destroyed { client, class: None, at, by, why }).await
}
