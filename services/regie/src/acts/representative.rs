//! The road of a legal representative: recorded, told to every service as a relation of its own kind, ended (R-REG-21).

use super::tell;
use crate::domain::representative::{self, Child, Representative, RepresentativeId, Wish};
use crate::{events, store};
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Moment, OwnAccess, Uuid};
use proto::regie::v1 as pb;

/// The kind of the deadline after a representative's last day.
pub const DEADLINE: &str = "representative";

/// Records a representative; gives back the id of the one that stands.
pub async fn record(work: &mut Work, client: ClientId, wish: Wish) -> Result<RepresentativeId> {
    let child = Child {
        client,
        own_access: work.own_access(&client.to_string()).await?,
        guarded: store::shield::since(work, client).await?.is_some()
            || store::separation::are_apart(work, client, wish.represented_by).await?,
    };
    let known = store::representative::of(work, client).await?;
    let id = RepresentativeId(Uuid::now_v7());
    let (one, new) = representative::record(&known, id, child, wish, work.now)?;
    if new {
        keep(work, client, &one).await?;
        if let Some(after) = one.wish.last_day.and_then(|day| day.tomorrow().ok()) {
            let (kind, due_at) = (DEADLINE.to_owned(), Moment::start_of(after).at);
            let deadline = Deadline { kind, subject: one.id.to_string(), client_id: Some(client), due_at };
            work.set_deadline(&deadline).await?;
        }
    }
    Ok(one.id)
}

/// Ends what stands and fits.
pub async fn end_where(work: &mut Work, client: ClientId, fits: impl Fn(&Representative) -> bool) -> Result<()> {
    let known = store::representative::of(work, client).await?;
    for one in representative::end_where(&known, work.now, fits) {
        work.clear_deadline(DEADLINE, &one.id.to_string()).await?;
        keep(work, client, &one).await?;
    }
    Ok(())
}

/// The timer: the last day has passed.
pub async fn wake(work: &mut Work, deadline: &Deadline) -> Result<()> {
    let Some(client) = deadline.client_id else { return Ok(()) };
    end_where(work, client, |one| one.id.to_string() == deadline.subject).await
}

/// Access told what a client may do with the own file: the others hear it from here, and from 16 on nobody stands in.
pub async fn grown(work: &mut Work, client: ClientId, level: OwnAccess) -> Result<()> {
    let own_access = chassis::own_access_to(level).into();
    work.publish(Some(client), &[], &pb::OwnAccessChanged { client_id: client.to_string(), own_access }).await?;
    match level {
        OwnAccess::Own => end_where(work, client, |_| true).await,
        OwnAccess::None | OwnAccess::Shared => Ok(()),
    }
}

/// To the services only: no partner need know.
async fn keep(work: &mut Work, client: ClientId, one: &Representative) -> Result<()> {
    let now = work.now;
    store::representative::save(work, client, one, now).await?;
    match one.ended_on {
        None => tell(work, client, &[], &events::representative_granted(client, one)).await,
        Some(_) => tell(work, client, &[], &events::representative_ended(client, one)).await,
    }
}
