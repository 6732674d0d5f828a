//! Agreements to help: given, ended, asked after.

use super::{client_id, organisation, required, said, text_opt};
use crate::domain::help_agreement::{self, Agreement, AgreementId, Basis, Event, Help};
use crate::{Regie, acts, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Role, Uuid};
use proto::regie::v1::*;

pub async fn give(regie: &Regie, work: &mut Work, m: &AgreeToHelpRequest) -> Result<AgreeToHelpResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let basis = match (text_opt("text_version", &m.text_version, 20)?, u32::try_from(m.plan_edition)) {
        (Some(version), Ok(0)) => Some(Basis::Text(version)),
        (None, Ok(edition)) if edition > 0 => Some(Basis::Plan(edition)),
        _ => None,
    };
    let help = Help {
        kind: required("kind", events::from_help_kind(m.kind))?,
        organisation: organisation("organisation", &m.organisation)?,
        basis: required("text_version", basis)?,
    };
    let by = said(work, m.given_on.as_ref())?;
    let municipality = acts::municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let case = store::case::newest(work, client).await?.map(|kept| kept.case);
    let agreements = store::help_agreement::of(work, client).await?;
    let id = AgreementId(Uuid::now_v7());
    let (id, event) =
        help_agreement::give(&agreements, id, help, by, (case.as_ref(), &regie.register, policy), work.now)?;
    keep(work, client, event).await?;
    Ok(AgreeToHelpResponse { help_agreement_id: id.to_string() })
}

pub async fn end(_: &Regie, work: &mut Work, m: &EndHelpAgreementRequest) -> Result<EndHelpAgreementResponse> {
    let (client, id) = (client_id(&m.client_id)?, AgreementId::parse("help_agreement_id", &m.help_agreement_id)?);
    let agreements = store::help_agreement::of(work, client).await?;
    let known = agreements.iter().find(|one| one.id == id);
    let owners: Vec<_> = known.iter().map(|one| &one.wish.organisation).collect();
    work.permit("client", Some(client), &owners).await?;
    let Some(known) = known else { return Err((&help_agreement::HELP_AGREEMENT_UNKNOWN).into()) };
    let side = help_agreement::side(known, work.acts_as(Role::Client), work.organisation());
    let event = help_agreement::end(&agreements, id, side, work.now)?;
    keep(work, client, event).await?;
    Ok(EndHelpAgreementResponse { help_agreement_id: id.to_string() })
}

async fn keep(work: &mut Work, client: ClientId, event: Option<Event>) -> Result<()> {
    let Some(event) = event else { return Ok(()) };
    store::help_agreement::save(work, client, event.word()).await?;
    let holder = store::case::newest(work, client).await?.and_then(|kept| kept.case.holder);
    events::agreement(work, client, holder.map(|holder| holder.organisation), &event).await
}

pub async fn status(
    _: &Regie,
    work: &mut Work,
    m: &GetHelpAgreementStatusRequest,
) -> Result<GetHelpAgreementStatusResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let mut agreements = store::help_agreement::of(work, client).await?;
    let case_holder = work.is_held_by(client).await?;
    agreements.retain(|one| help_agreement::concerns(one, case_holder, work.organisation()));
    Ok(GetHelpAgreementStatusResponse { agreements: agreements.iter().map(view).collect() })
}

/// An agreement as the contract shows it.
pub fn view(agreement: &Agreement) -> HelpAgreementView {
    let help = &agreement.wish;
    let (text_version, plan_edition) = match &help.basis {
        Basis::Text(version) => (version.clone(), 0),
        Basis::Plan(edition) => (String::new(), events::count(*edition)),
    };
    HelpAgreementView {
        help_agreement_id: agreement.id.to_string(),
        kind: events::help_kind(help.kind).into(),
        organisation: help.organisation.to_string(),
        text_version,
        plan_edition,
        given_on: Some(proto::from_date(agreement.given_on)),
        ended_on: agreement.ended.map(|(on, _)| proto::from_date(on)),
        ended_by: agreement
            .ended
            .map_or(HelpAgreementSide::Unspecified, |(_, side)| events::help_agreement_side(side))
            .into(),
    }
}
