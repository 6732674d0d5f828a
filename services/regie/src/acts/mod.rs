//! What regie does, each in the caller's transaction: load, decide, keep, tell. One road per aggregate, walked by calls,
//! events taken in and deadlines alike.

pub mod access_request;
pub mod acknowledgement;
pub mod case;
pub mod correction;
pub mod emergency;
pub mod erasure;
pub mod gate;
pub mod merge;
pub mod process;
pub mod readiness;
pub mod relation;
pub mod representative;
pub mod retention;
pub mod safe_contact;
pub mod separation;
pub mod shield;
pub mod split;
pub mod task;

use crate::Regie;
use crate::domain::policy::Policy;
use crate::domain::task::{Kind, TaskId, Wanted};
use crate::store;
use crate::store::timeline::Entry;
use chassis::{Result, Work};
use kernel::{ClientId, Date, Municipality, Organisation, Role, Uuid};
use prost::{Message, Name};

/// Puts an event on the feed, and on the client's timeline.
pub async fn tell<E: Message + Name>(
    work: &mut Work,
    client: ClientId,
    receivers: &[Organisation],
    event: &E,
) -> Result<()> {
    let entry = Entry {
        event_id: work.published(Some(client), receivers, event).await?,
        kind: chassis::event_type("regie", E::NAME),
        occurred_on: work.now.date,
        recorded_at: work.now.at,
    };
    store::timeline::add(work, client, &entry).await
}

/// Puts an event on the feed for everybody who may know the client now.
pub async fn tell_all<E: Message + Name>(work: &mut Work, client: ClientId, event: &E) -> Result<()> {
    let audience = store::relation::audience(work, client).await?;
    tell(work, client, &audience, event).await
}

/// Refuses a record of which nothing was ever told.
pub async fn expect_known(work: &mut Work, clients: [ClientId; 2]) -> Result<()> {
    for client in clients {
        if !store::timeline::knows(work, client).await? {
            return Err(Work::unknown("client"));
        }
    }
    Ok(())
}

/// Who answers for the municipality what a client asks about the own data, and the policy that holds there.
async fn desk<'a>(regie: &'a Regie, work: &mut Work, client: ClientId) -> Result<(Organisation, &'a Policy)> {
    let municipality = municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    Ok((regie.register.regie_of(&municipality).clone(), policy))
}

/// Puts an answer on that desk's list until its last day, which an extension moves.
async fn on_the_desk(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    (chief, kind): (Organisation, Kind),
    (subject, due_on): (String, Date),
) -> Result<()> {
    let wanted = Wanted {
        kind,
        client_id: Some(client),
        subject: Some(subject),
        organisation: chief,
        person: None,
        role: Some(Role::Regie),
        due_on,
        cause: None,
    };
    task::open(regie, work, TaskId(Uuid::now_v7()), wanted).await
}

/// The municipality whose policy holds for a client: the case's, or else the first of the register.
pub async fn municipality_of(regie: &Regie, work: &mut Work, client: ClientId) -> Result<Municipality> {
    let case = store::case::newest(work, client).await?;
    Ok(case.map_or_else(|| regie.register.home().clone(), |kept| kept.case.municipality))
}
