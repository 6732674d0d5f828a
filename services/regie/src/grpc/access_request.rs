//! Requests for access: recorded, extended, answered, listed.

use super::{came_in, client_id, required};
use crate::domain::access_request::{AccessRequest, AccessRequestId, Answer};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::regie::v1::*;

pub async fn record(
    regie: &Regie,
    work: &mut Work,
    m: &RecordAccessRequestRequest,
) -> Result<RecordAccessRequestResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let came_in = came_in(work, m.received_on.as_ref())?;
    let request = acts::access_request::record(regie, work, client, came_in).await?;
    let answer_by = Some(proto::from_date(request.answer_by));
    Ok(RecordAccessRequestResponse { access_request_id: request.id.to_string(), answer_by })
}

/// Which request of which client, if the caller may have to do with it.
async fn asked(work: &mut Work, client: &str, id: &str) -> Result<(ClientId, AccessRequestId)> {
    let client = client_id(client)?;
    // Its month runs on in a record that points to another.
    work.permit_merged_too("client", Some(client), &[]).await?;
    Ok((client, AccessRequestId::parse("access_request_id", id)?))
}

pub async fn confirm(_: &Regie, work: &mut Work, m: &ConfirmRequesterRequest) -> Result<ConfirmRequesterResponse> {
    let (client, id) = asked(work, &m.client_id, &m.access_request_id).await?;
    acts::access_request::confirm(work, client, id).await?;
    Ok(ConfirmRequesterResponse { access_request_id: id.to_string() })
}

pub async fn extend(
    regie: &Regie,
    work: &mut Work,
    m: &ExtendAccessRequestRequest,
) -> Result<ExtendAccessRequestResponse> {
    let (client, id) = asked(work, &m.client_id, &m.access_request_id).await?;
    let ground = required("ground", events::from_extension_ground(m.ground))?;
    let told_on = proto::to_date("told_on", m.told_on.as_ref())?;
    let request = acts::access_request::extend(regie, work, client, id, (ground, told_on)).await?;
    let answer_by = Some(proto::from_date(request.answer_by));
    Ok(ExtendAccessRequestResponse { access_request_id: id.to_string(), answer_by })
}

pub async fn answer(
    regie: &Regie,
    work: &mut Work,
    m: &AnswerAccessRequestRequest,
) -> Result<AnswerAccessRequestResponse> {
    let (client, id) = asked(work, &m.client_id, &m.access_request_id).await?;
    let answer = match m.outcome() {
        AccessOutcome::Whole => Some(Answer::Whole),
        AccessOutcome::InPart => {
            Some(Answer::InPart(required("withheld_ground", events::from_access_withheld_ground(m.withheld_ground))?))
        }
        AccessOutcome::Refused => {
            Some(Answer::Refused(required("refusal_ground", events::from_access_refusal_ground(m.refusal_ground))?))
        }
        AccessOutcome::Unspecified => None,
    };
    let way = required("way", events::from_access_way(m.way))?;
    let answered_on = match &m.answered_on {
        Some(on) => proto::to_date("answered_on", Some(on))?,
        None => work.now.date,
    };
    let answer = (required("outcome", answer)?, way, answered_on);
    acts::access_request::answer(regie, work, client, id, answer).await?;
    Ok(AnswerAccessRequestResponse { access_request_id: id.to_string() })
}

pub async fn list(_: &Regie, work: &mut Work, m: &ListAccessRequestsRequest) -> Result<ListAccessRequestsResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let known = store::access_request::of(work, client).await?;
    Ok(ListAccessRequestsResponse { access_requests: known.iter().map(view).collect() })
}

fn view(request: &AccessRequest) -> AccessRequestView {
    let answered = events::access_request_answered(request);
    AccessRequestView {
        access_request_id: answered.access_request_id,
        requested_on: Some(proto::from_date(request.requested_on)),
        answer_by: Some(proto::from_date(request.answer_by)),
        checked_on: request.checked_on.map(proto::from_date),
        extension_ground: events::extension_ground_of(request.extended).into(),
        told_on: request.extended.map(|(_, on)| proto::from_date(on)),
        outcome: answered.outcome,
        withheld_ground: answered.withheld_ground,
        refusal_ground: answered.refusal_ground,
        way: request.answered.map_or(AccessWay::Unspecified, |(_, way, _)| events::access_way(way)).into(),
        answered_on: request.answered.map(|(_, _, on)| proto::from_date(on)),
    }
}
