//! Aftercare and its contacts.

use super::{PAGE, requests, views, views::answer};
use crate::acts::aftercare as acts;
use crate::domain::{AftercareId, AllocationId};
use crate::words::{Word, date_opt};
use crate::{Aftercare, store};
use chassis::{Page, Result, Work};
use proto::aftercare::v1::*;
use proto::to_date;

pub async fn start(service: &Aftercare, work: &mut Work, m: &StartAftercareRequest) -> Result<StartAftercareResponse> {
    let id = AllocationId::parse("allocation_id", &m.allocation_id)?;
    let started_on = to_date("started_on", m.started_on.as_ref())?;
    let stored = acts::start(service, work, id, started_on).await?;
    answer!(StartAftercareResponse, aftercare_id, (stored.aftercare, stored.version))
}

pub async fn record_contact(
    service: &Aftercare,
    work: &mut Work,
    m: &RecordContactRequest,
) -> Result<RecordContactResponse> {
    let id = AftercareId::parse("aftercare_id", &m.aftercare_id)?;
    let on = to_date("contact_on", m.contact_on.as_ref())?;
    let contact = (on, Word::read("result", m.result)?, Word::read("form", m.form)?);
    let stored = acts::record(service, work, id, m.expected_version, contact).await?;
    answer!(RecordContactResponse, aftercare_id, (stored.aftercare, stored.version))
}

pub async fn end(service: &Aftercare, work: &mut Work, m: &EndAftercareRequest) -> Result<EndAftercareResponse> {
    let outcome = Word::read("outcome", m.outcome)?;
    let agreed_on = date_opt("agreed_with_client_on", m.agreed_with_client_on.as_ref())?;
    let Some(stored) = requests::aftercare(work, m).await? else {
        return Ok(EndAftercareResponse { state: AftercareState::Ended.into(), ..Default::default() });
    };
    let stored = acts::end(service, work, stored, m.expected_version, outcome, agreed_on).await?;
    answer!(EndAftercareResponse, aftercare_id, (stored.aftercare, stored.version))
}

pub async fn get(_: &Aftercare, work: &mut Work, m: &GetAftercareRequest) -> Result<GetAftercareResponse> {
    let id = AftercareId::parse("aftercare_id", &m.aftercare_id)?;
    let stored = acts::load(work, id).await?;
    work.permit("aftercare", Some(stored.aftercare.client_id), &[&stored.responsible]).await?;
    let contacts = store::aftercare::contacts(work, id).await?.iter().map(views::contact).collect();
    let aftercare = views::aftercare(&stored, &work.safe_contacts().await?);
    Ok(GetAftercareResponse { aftercare: Some(aftercare), contacts })
}

pub async fn list(_: &Aftercare, work: &mut Work, m: &ListAftercareRequest) -> Result<ListAftercareResponse> {
    let page = Page::read(m.page_size, &m.page_token, PAGE)?;
    let scope = work.scope();
    let after = (page.text(0), page.text(1));
    let mut rows = store::aftercare::list(work, &scope, after, page.limit + 1).await?;
    let key =
        |stored: &store::aftercare::Stored| vec![stored.schedule.next_on.to_string(), stored.aftercare.id.to_string()];
    let next_page_token = page.cut(&mut rows, key);
    rows.iter().for_each(|stored| work.touched(stored.aftercare.client_id));
    let safe = work.safe_contacts().await?;
    let aftercare = rows.iter().map(|stored| views::aftercare(stored, &safe)).collect();
    Ok(ListAftercareResponse { aftercare, next_page_token })
}
