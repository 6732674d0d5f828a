//! The road of a request for access: on the municipality's list with its month, until it is answered (R-REG-21).

use super::{desk, on_the_desk, task, tell};
use crate::domain::access_request::{self, AccessRequest, AccessRequestId, Answer, Way};
use crate::domain::month::ExtensionGround;
use crate::domain::task::Kind;
use crate::{Regie, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Date, Uuid};

/// Records a request, and puts the answer on the municipality's list.
pub async fn record(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    (by_client, requested_on): (bool, Date),
) -> Result<AccessRequest> {
    let (chief, policy) = desk(regie, work, client).await?;
    let known = store::access_request::of(work, client).await?;
    let id = AccessRequestId(Uuid::now_v7());
    let (request, new) = access_request::record(&known, id, (by_client, requested_on), &policy.calendar, work.now)?;
    if !new {
        return Ok(request);
    }
    let by = work.actor().subject.clone();
    store::access_request::insert(work, client, &request, &by).await?;
    tell(work, client, std::slice::from_ref(&chief), &events::access_requested(&request)).await?;
    let (to, last) = ((chief, Kind::AnswerAccessRequest), (request.id.to_string(), request.answer_by));
    on_the_desk(regie, work, client, to, last).await?;
    Ok(request)
}

/// Records that it was established that the client asks.
pub async fn confirm(work: &mut Work, client: ClientId, id: AccessRequestId) -> Result<()> {
    let known = store::access_request::of(work, client).await?;
    let Some(request) = access_request::confirm(&known, id, work.now)? else { return Ok(()) };
    let by = work.actor().subject.clone();
    store::access_request::confirm(work, &request, &by).await
}

/// Extends the month, once.
pub async fn extend(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    id: AccessRequestId,
    why: (ExtensionGround, Date),
) -> Result<AccessRequest> {
    let (chief, policy) = desk(regie, work, client).await?;
    let known = store::access_request::of(work, client).await?;
    let Some(request) = access_request::extend(&known, id, why, &policy.calendar, work.now)? else {
        return Ok(known.into_iter().find(|one| one.id == id).ok_or(&access_request::ACCESS_REQUEST_UNKNOWN)?);
    };
    store::access_request::extend(work, &request).await?;
    tell(work, client, std::slice::from_ref(&chief), &events::access_request_extended(&request)).await?;
    let (to, last) = ((chief, Kind::AnswerAccessRequest), (request.id.to_string(), request.answer_by));
    on_the_desk(regie, work, client, to, last).await?;
    Ok(request)
}

/// Records the answer, and takes it off the list.
pub async fn answer(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    id: AccessRequestId,
    answer: (Answer, Way, Date),
) -> Result<()> {
    let (chief, _) = desk(regie, work, client).await?;
    let known = store::access_request::of(work, client).await?;
    let Some(request) = access_request::answer(&known, id, answer, work.now)? else { return Ok(()) };
    let by = work.actor().subject.clone();
    store::access_request::answer(work, &request, &by).await?;
    task::fall_away(regie, work, Kind::AnswerAccessRequest, Some(client), &id.to_string()).await?;
    tell(work, client, &[chief], &events::access_request_answered(&request)).await
}
