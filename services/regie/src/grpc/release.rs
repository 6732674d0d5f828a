//! Releases of professional secrecy: given, withdrawn, asked after.

use super::{client_id, organisation, required, said, text};
use crate::domain::release::{self, Event, Release, ReleaseId, Wish};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1::*;

pub async fn give(regie: &Regie, work: &mut Work, m: &ReleaseSecrecyRequest) -> Result<ReleaseSecrecyResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let wish = Wish {
        organisation: organisation("organisation", &m.organisation)?,
        receiver: organisation("receiver", &m.receiver)?,
        subject: required("subject", events::from_release_subject(m.subject))?,
        purpose: text("purpose", &m.purpose, 40)?,
        text_version: text("text_version", &m.text_version, 20)?,
        last_day: m.last_day.as_ref().map(|day| proto::to_date("last_day", Some(day))).transpose()?,
    };
    let by = said(work, m.given_on.as_ref())?;
    let municipality = acts::municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let releases = store::release::of(work, client).await?;
    let id = ReleaseId(Uuid::now_v7());
    let (id, event) = release::give(&releases, id, wish, by, &regie.register, policy, work.now)?;
    keep(work, client, event).await?;
    Ok(ReleaseSecrecyResponse { release_id: id.to_string() })
}

pub async fn withdraw(_: &Regie, work: &mut Work, m: &WithdrawReleaseRequest) -> Result<WithdrawReleaseResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let id = ReleaseId::parse("release_id", &m.release_id)?;
    let releases = store::release::of(work, client).await?;
    let event = release::withdraw(&releases, id, work.now)?;
    keep(work, client, event).await?;
    Ok(WithdrawReleaseResponse { release_id: id.to_string() })
}

async fn keep(work: &mut Work, client: ClientId, event: Option<Event>) -> Result<()> {
    let Some(event) = event else { return Ok(()) };
    store::release::save(work, client, event.word()).await?;
    events::release(work, client, &event).await
}

pub async fn status(_: &Regie, work: &mut Work, m: &GetReleaseStatusRequest) -> Result<GetReleaseStatusResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let mut releases = store::release::of(work, client).await?;
    releases.retain(|one| release::stands_for(one, work.organisation(), work.now.date));
    Ok(GetReleaseStatusResponse { releases: releases.iter().map(view).collect() })
}

/// A release as the contract shows it.
pub fn view(release: &Release) -> ReleaseView {
    let wish = &release.wish;
    ReleaseView {
        release_id: release.id.to_string(),
        organisation: wish.organisation.to_string(),
        receiver: wish.receiver.to_string(),
        subject: events::release_subject(wish.subject).into(),
        purpose: wish.purpose.clone(),
        text_version: wish.text_version.clone(),
        given_on: Some(proto::from_date(release.given_on)),
        last_day: wish.last_day.map(proto::from_date),
        withdrawn_on: release.ended.map(proto::from_date),
    }
}
