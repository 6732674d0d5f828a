//! Handovers: drafted, filled, answered, assigned, cancelled.

use super::{PAGE, requests, views, views::answer};
use crate::acts::handover as acts;
use crate::domain::handover::Command;
use crate::domain::{AllocationId, HandoverId};
use crate::words::{Word, text};
use crate::{Aftercare, store};
use chassis::{Page, Result, Work};
use kernel::{Organisation, Role};
use proto::aftercare::v1::*;

pub async fn draft(service: &Aftercare, work: &mut Work, m: &DraftHandoverRequest) -> Result<DraftHandoverResponse> {
    let brief = requests::brief(m)?;
    answer!(DraftHandoverResponse, handover_id, acts::draft(service, work, brief).await?)
}

pub async fn fill(service: &Aftercare, work: &mut Work, m: &FillHandoverRequest) -> Result<FillHandoverResponse> {
    let id = HandoverId::parse("handover_id", &m.handover_id)?;
    let form = requests::form(m.form.as_ref())?;
    let command = Command::Fill { form, womens_shelter: work.acts_as(Role::Vo) };
    let stored = acts::change(service, work, id, m.expected_version, command).await?;
    answer!(FillHandoverResponse, handover_id, stored)
}

pub async fn accept(service: &Aftercare, work: &mut Work, m: &AcceptHandoverRequest) -> Result<AcceptHandoverResponse> {
    let id = HandoverId::parse("handover_id", &m.handover_id)?;
    let stored = acts::change(service, work, id, m.expected_version, Command::Accept).await?;
    answer!(AcceptHandoverResponse, handover_id, stored)
}

pub async fn return_to_giver(
    service: &Aftercare,
    work: &mut Work,
    m: &ReturnHandoverRequest,
) -> Result<ReturnHandoverResponse> {
    let id = HandoverId::parse("handover_id", &m.handover_id)?;
    let command = Command::Return { reason: Word::read("reason", m.reason)?, note: text("note", &m.note)? };
    let stored = acts::change(service, work, id, m.expected_version, command).await?;
    answer!(ReturnHandoverResponse, handover_id, stored)
}

pub async fn assign(service: &Aftercare, work: &mut Work, m: &AssignHandoverRequest) -> Result<AssignHandoverResponse> {
    let id = HandoverId::parse("handover_id", &m.handover_id)?;
    let command = Command::Assign { to: Organisation::parse("to_organisation", &m.to_organisation)? };
    let stored = acts::change(service, work, id, m.expected_version, command).await?;
    answer!(AssignHandoverResponse, handover_id, stored)
}

pub async fn cancel(service: &Aftercare, work: &mut Work, m: &CancelHandoverRequest) -> Result<CancelHandoverResponse> {
    let id = AllocationId::parse("allocation_id", &m.allocation_id)?;
    match acts::cancel(service, work, id).await? {
        Some(stored) => answer!(CancelHandoverResponse, handover_id, stored),
        None => Ok(CancelHandoverResponse { state: HandoverState::Cancelled.into(), ..Default::default() }),
    }
}

pub async fn get(_: &Aftercare, work: &mut Work, m: &GetHandoverRequest) -> Result<GetHandoverResponse> {
    let id = HandoverId::parse("handover_id", &m.handover_id)?;
    let (handover, version) = acts::load(work, id).await?;
    let sides = [&handover.brief.from, &handover.brief.to];
    work.permit("handover", Some(handover.brief.client_id), &sides).await?;
    Ok(views::handover(&handover, version, &work.safe_contacts().await?))
}

pub async fn list(_: &Aftercare, work: &mut Work, m: &ListHandoversRequest) -> Result<ListHandoversResponse> {
    let page = Page::read(m.page_size, &m.page_token, PAGE)?;
    let state = views::word(m.state().as_str_name(), "HANDOVER_STATE_");
    let scope = work.scope();
    let mut rows = store::handover::list(work, &scope, &state, page.text(0), page.limit + 1).await?;
    let next_page_token = page.cut(&mut rows, |(handover, _)| vec![handover.id.to_string()]);
    rows.iter().for_each(|(handover, _)| work.touched(handover.brief.client_id));
    let safe = work.safe_contacts().await?;
    let shown = rows.iter().map(|(handover, version)| views::handover_summary(handover, *version, &safe));
    let handovers = shown.collect();
    Ok(ListHandoversResponse { handovers, next_page_token })
}
