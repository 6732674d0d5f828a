//! The road of safe contact: its row, and the event by which every service holds to it. It goes to services only, and is on
//! nobody's timeline (R-REG-28).

use crate::domain::safe_contact::{self, Ground, SafeContact};
use crate::{Regie, store};
use chassis::{Result, Work};
use kernel::{ClientId, Date, Organisation, Role};
use proto::regie::v1 as pb;

/// Sets it; gives the day since which it is so.
pub async fn set(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    through: Organisation,
    ground: Ground,
) -> Result<Date> {
    let relations = store::relation::of(work, client).await?;
    let own_desk = work.acts_as(Role::Access) && through == *work.organisation();
    safe_contact::check(&through, own_desk, &regie.register, &relations)?;
    let stands = store::safe_contact::of(work, client).await?;
    let wanted = SafeContact { by_client: work.acts_as(Role::Client), through: Some(through), ..new(work, ground) };
    let wanted = safe_contact::set(stands.as_ref(), wanted);
    if let Some(wanted) = &wanted {
        change(work, client, Some(wanted)).await?;
    }
    Ok(wanted.or(stands).map_or(work.now.date, |stands| stands.since))
}

/// Ends it; a shielded client keeps it.
pub async fn end(work: &mut Work, client: ClientId) -> Result<()> {
    let stands = store::safe_contact::of(work, client).await?;
    let shielded = store::shield::since(work, client).await?.is_some();
    let shield = shielded.then(|| new(work, Ground::Shield));
    match safe_contact::end(stands.as_ref(), work.acts_as(Role::Client), shield)? {
        Some(then) => change(work, client, then.as_ref()).await,
        None => Ok(()),
    }
}

/// A shield was raised: who had no safe contact has it now.
pub async fn shielded(work: &mut Work, client: ClientId) -> Result<()> {
    match store::safe_contact::of(work, client).await? {
        Some(_) => Ok(()),
        None => {
            let by_shield = new(work, Ground::Shield);
            change(work, client, Some(&by_shield)).await
        }
    }
}

/// A shield ended: what came with it ends too.
pub async fn unshielded(work: &mut Work, client: ClientId) -> Result<()> {
    match store::safe_contact::of(work, client).await? {
        Some(SafeContact { ground: Ground::Shield, .. }) => change(work, client, None).await,
        _ => Ok(()),
    }
}

fn new(work: &Work, ground: Ground) -> SafeContact {
    let (since, set_by) = (work.now.date, work.organisation().clone());
    SafeContact { through: None, ground, since, set_by, by_client: false }
}

/// What stands from now on, here and in every service.
async fn change(work: &mut Work, client: ClientId, then: Option<&SafeContact>) -> Result<()> {
    let (on, person, client_id) = (work.now.date, work.actor().subject.clone(), client.to_string());
    store::safe_contact::end(work, client, on, &person).await?;
    let Some(then) = then else {
        work.reach_freely(client).await?;
        return work.publish(Some(client), &[], &pb::SafeContactEnded { client_id }).await;
    };
    store::safe_contact::insert(work, client, then, &person).await?;
    work.reach_through(client, then.through.as_ref()).await?;
    let through = then.through.as_ref().map(ToString::to_string).unwrap_or_default();
    work.publish(Some(client), &[], &pb::SafeContactSet { client_id, through }).await
}
