//! Consents: given, withdrawn, asked after.

use super::{client_id, organisation, required, said, text};
use crate::domain::consent::{self, Consent, ConsentId, Event, Wish};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1::*;

pub async fn give(regie: &Regie, work: &mut Work, m: &GiveConsentRequest) -> Result<GiveConsentResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let wish = Wish {
        category: required("data_category", events::from_consent_category(m.data_category))?,
        receiver: organisation("receiver", &m.receiver)?,
        purpose: text("purpose", &m.purpose, 40)?,
        text_version: text("text_version", &m.text_version, 20)?,
    };
    let by = said(work, m.given_on.as_ref())?;
    let municipality = acts::municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let standing = store::consent::of(work, client).await?;
    let id = ConsentId(Uuid::now_v7());
    let (id, event) = consent::give(&standing, id, wish, by, &regie.register, policy, work.now)?;
    keep(work, client, event).await?;
    Ok(GiveConsentResponse { consent_id: id.to_string() })
}

pub async fn withdraw(_: &Regie, work: &mut Work, m: &WithdrawConsentRequest) -> Result<WithdrawConsentResponse> {
    let client = client_id(&m.client_id)?;
    work.permit_merged_too("client", Some(client), &[]).await?;
    let id = ConsentId::parse("consent_id", &m.consent_id)?;
    let consents = store::consent::of(work, client).await?;
    let event = consent::withdraw(&consents, id, work.now)?;
    keep(work, client, event).await?;
    Ok(WithdrawConsentResponse { consent_id: id.to_string() })
}

async fn keep(work: &mut Work, client: ClientId, event: Option<Event>) -> Result<()> {
    let Some(event) = event else { return Ok(()) };
    store::consent::save(work, client, event.word()).await?;
    events::consent(work, client, &event).await
}

pub async fn status(_: &Regie, work: &mut Work, m: &GetConsentStatusRequest) -> Result<GetConsentStatusResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let mut consents = store::consent::of(work, client).await?;
    consents.retain(|c| c.ended.is_none() && c.wish.receiver == *work.organisation());
    Ok(GetConsentStatusResponse { consents: consents.iter().map(view).collect() })
}

/// A consent as the contract shows it.
pub fn view(consent: &Consent) -> ConsentView {
    ConsentView {
        consent_id: consent.id.to_string(),
        data_category: events::consent_category(consent.wish.category).into(),
        receiver: consent.wish.receiver.to_string(),
        purpose: consent.wish.purpose.clone(),
        text_version: consent.wish.text_version.clone(),
        given_on: Some(proto::from_date(consent.given_on)),
        withdrawn_on: consent.ended.map(proto::from_date),
    }
}
