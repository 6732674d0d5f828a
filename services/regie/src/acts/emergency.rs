//! The road of emergency access: opened, told to every service as a relation of one person, ended, reviewed (R-REG-20).

use super::{task, tell};
use crate::domain::emergency::{self, Emergency, EmergencyId, Review, Wish};
use crate::domain::relation::{self, Kind as Of};
use crate::domain::task::{Kind, TaskId, Wanted};
use crate::{Regie, events, store};
use ::store::Emergency as Standing;
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Organisation, Role, Uuid};
use proto::regie::v1 as pb;

/// The kind of the deadline at which it ends by itself.
pub const DEADLINE: &str = "emergency";

/// Opens it for who asks, and puts the review on the list. All of this happens for whatever id is given: neither the answer
/// nor the work tells whether there is such a client. The term is that of the register's own municipality, since another
/// would tell where the case is.
pub async fn open(regie: &Regie, work: &mut Work, client: ClientId, wish: Wish) -> Result<Emergency> {
    let by_person = wish.role == Role::Caseholder;
    let relation = relation::Wanted {
        organisation: wish.organisation.clone(),
        person: Some(wish.person.clone()),
        role: wish.role,
        kind: Of::Granted,
        subject: None,
    };
    relation::check(&relation, &regie.register)?;
    let person = by_person.then_some(wish.person.as_str());
    let related = work.has_relation(client, &wish.organisation, person).await?;
    let known = store::emergency::of(work, client).await?;
    let policy = regie.policy.at(regie.register.home(), work.now.date);
    let (emergency, new) = emergency::open(&known, EmergencyId(Uuid::now_v7()), wish, related, policy, work.now)?;
    if !new {
        return Ok(emergency);
    }
    let Emergency { id, wish, until, .. } = &emergency;
    store::emergency::insert(work, client, &emergency).await?;
    let standing = Standing {
        emergency_id: id.0,
        client,
        organisation: &wish.organisation,
        person: &wish.person,
        role: wish.role,
        until: *until,
    };
    work.open_emergency(&standing).await?;
    // To the services only: the others of that organisation need not know.
    work.publish(Some(client), &[], &events::emergency_granted(client, &emergency)).await?;
    let deadline = Deadline { kind: DEADLINE.into(), subject: id.to_string(), client_id: Some(client), due_at: *until };
    work.set_deadline(&deadline).await?;
    let opened = events::emergency_opened(&emergency);
    let chief = reviewer(regie, work, client).await?;
    told(work, client, &chief, &opened).await?;
    let role = if regie.register.in_role(&chief, Role::PrivacyOfficer) { Role::PrivacyOfficer } else { Role::Regie };
    let wanted = Wanted {
        kind: Kind::ReviewEmergency,
        client_id: Some(client),
        subject: Some(id.to_string()),
        organisation: chief,
        person: None,
        role: Some(role),
        due_on: emergency.review_by,
        cause: None,
    };
    task::open(regie, work, TaskId(Uuid::now_v7()), wanted).await?;
    Ok(emergency)
}

/// Ends it before its time; no harm when it has ended.
pub async fn end(regie: &Regie, work: &mut Work, client: ClientId, emergency: &Emergency) -> Result<()> {
    match emergency::end(emergency, work.now) {
        Some(ended) => close(regie, work, client, &ended).await,
        None => Ok(()),
    }
}

/// Ends all that are open about a client who is erased.
pub async fn end_all(regie: &Regie, work: &mut Work, client: ClientId) -> Result<()> {
    for emergency in store::emergency::of(work, client).await? {
        end(regie, work, client, &emergency).await?;
    }
    Ok(())
}

/// The timer: its time is over.
pub async fn wake(regie: &Regie, work: &mut Work, deadline: &Deadline) -> Result<()> {
    let Some(client) = deadline.client_id else { return Ok(()) };
    let known = store::emergency::of(work, client).await?;
    match known.iter().find(|one| one.id.to_string() == deadline.subject) {
        Some(emergency) => end(regie, work, client, emergency).await,
        None => Ok(()),
    }
}

/// Keeps what the review found, and takes it off the list.
pub async fn review(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    emergency: &Emergency,
    review: Review,
) -> Result<()> {
    let by = work.actor().clone();
    let Some(reviewed) = emergency::review(emergency, review.clone(), (&by.organisation, &by.subject), work.now)?
    else {
        return Ok(());
    };
    store::emergency::review(work, client, emergency.id, &review, &by.subject).await?;
    task::fall_away(regie, work, Kind::ReviewEmergency, Some(client), &emergency.id.to_string()).await?;
    if reviewed.ended_at != emergency.ended_at {
        close(regie, work, client, &reviewed).await?;
    }
    let chief = reviewer(regie, work, client).await?;
    told(work, client, &chief, &events::emergency_reviewed(emergency.id, review.outcome)).await
}

/// It has ended: nobody may look by it any more, in any service.
async fn close(regie: &Regie, work: &mut Work, client: ClientId, ended: &Emergency) -> Result<()> {
    store::emergency::end(work, ended).await?;
    let now = work.now.at;
    work.end_emergency(ended.id.0, now).await?;
    work.clear_deadline(DEADLINE, &ended.id.to_string()).await?;
    work.publish(Some(client), &[], &events::emergency_over(client, ended)).await?;
    let chief = reviewer(regie, work, client).await?;
    let early = ended.ended_at.is_some_and(|at| at < ended.until);
    told(work, client, &chief, &pb::EmergencyAccessEnded { emergency_id: ended.id.to_string(), early }).await
}

/// Whose privacy officer reviews it: the municipality's of the case, or else the register's own.
async fn reviewer(regie: &Regie, work: &mut Work, client: ClientId) -> Result<Organisation> {
    let municipality = super::municipality_of(regie, work, client).await?;
    Ok(regie.register.regie_of(&municipality).clone())
}

/// Tells the municipality, and the case holder if there is one.
async fn told<E: prost::Message + prost::Name>(
    work: &mut Work,
    client: ClientId,
    chief: &Organisation,
    event: &E,
) -> Result<()> {
    let case = store::case::newest(work, client).await?;
    let holder = case.and_then(|kept| kept.case.holder).map(|holder| holder.organisation);
    let receivers: Vec<Organisation> = std::iter::once(chief.clone()).chain(holder).collect();
    tell(work, client, &receivers, event).await
}
