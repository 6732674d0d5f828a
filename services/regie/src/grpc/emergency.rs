//! Emergency access: opened, ended, reviewed, listed for who reviews it and for the client.

use super::view::instant;
use super::{client_id, opt, required};
use crate::domain::emergency::{self, Emergency, EmergencyId, NOT_REVIEWED, Wish};
use crate::{Regie, acts, events, store};
use chassis::{Page, Result, Work};
use kernel::{ClientId, Role};
use proto::regie::v1::*;

pub async fn open(
    regie: &Regie,
    work: &mut Work,
    m: &OpenEmergencyAccessRequest,
) -> Result<OpenEmergencyAccessResponse> {
    let client = client_id(&m.client_id)?;
    work.touched(client);
    let roles = work.roles();
    let role = match (opt(&m.role), &roles[..]) {
        (None, [only]) => Some(*only),
        (given, _) => given.and_then(Role::from_key).filter(|role| roles.contains(role)),
    };
    let role = required("role", role)?;
    let (reason, explanation) = emergency::why(events::from_emergency_reason(m.reason), &m.explanation)?;
    let (organisation, person) = (work.organisation().clone(), work.actor().subject.clone());
    let wish = Wish { organisation, person, role, reason, explanation };
    let emergency = acts::emergency::open(regie, work, client, wish).await?;
    let (emergency_id, until) = (emergency.id.to_string(), Some(instant(emergency.until)));
    Ok(OpenEmergencyAccessResponse { emergency_id, until })
}

/// The one that is meant, if the caller may have to do with it.
async fn load(work: &mut Work, client: &str, id: &str) -> Result<(ClientId, Emergency)> {
    let (client, id) = (client_id(client)?, EmergencyId::parse("emergency_id", id)?);
    let known = store::emergency::of(work, client).await?;
    let emergency = known.into_iter().find(|one| one.id == id);
    let owner = emergency.as_ref().map(|one| one.wish.organisation.clone());
    let owners: Vec<_> = owner.iter().collect();
    work.permit_merged_too("emergency access", Some(client), &owners).await?;
    Ok((client, emergency.ok_or_else(|| Work::unknown("emergency access"))?))
}

pub async fn end(regie: &Regie, work: &mut Work, m: &EndEmergencyAccessRequest) -> Result<EndEmergencyAccessResponse> {
    let (client, emergency) = load(work, &m.client_id, &m.emergency_id).await?;
    acts::emergency::end(regie, work, client, &emergency).await?;
    Ok(EndEmergencyAccessResponse { emergency_id: emergency.id.to_string() })
}

pub async fn review(
    regie: &Regie,
    work: &mut Work,
    m: &ReviewEmergencyAccessRequest,
) -> Result<ReviewEmergencyAccessResponse> {
    let (client, emergency) = load(work, &m.client_id, &m.emergency_id).await?;
    let review = emergency::found(events::from_emergency_outcome(m.outcome), &m.explanation, work.now)?;
    acts::emergency::review(regie, work, client, &emergency, review).await?;
    Ok(ReviewEmergencyAccessResponse { emergency_id: emergency.id.to_string() })
}

pub async fn list(_: &Regie, work: &mut Work, m: &ListEmergencyAccessRequest) -> Result<ListEmergencyAccessResponse> {
    let client = opt(&m.client_id).map(client_id).transpose()?;
    let page = Page::read(m.page_size, &m.page_token, 200)?;
    let before = page.text(0).to_owned();
    let mut rows = store::emergency::list(work, client, m.waiting_only, &before, page.limit).await?;
    let next_page_token = page.cut(&mut rows, |(_, last)| vec![last.id.to_string()]);
    let mut emergencies = Vec::with_capacity(rows.len());
    for (client, one) in rows {
        work.touched(client);
        let ended_at = one.ended(work.now).map(instant);
        let (outcome, found, on) = match one.review {
            Some(review) => (events::emergency_outcome(review.outcome), review.explanation, Some(review.on)),
            None => (EmergencyOutcome::Unspecified, String::new(), None),
        };
        emergencies.push(EmergencyAccessView {
            emergency_id: one.id.to_string(),
            client_id: client.to_string(),
            organisation: one.wish.organisation.to_string(),
            person: one.wish.person,
            role: one.wish.role.as_str().to_owned(),
            reason: events::emergency_reason(one.wish.reason).into(),
            explanation: one.wish.explanation,
            opened_at: Some(instant(one.opened_at)),
            until: Some(instant(one.until)),
            ended_at,
            review_by: Some(proto::from_date(one.review_by)),
            outcome: outcome.into(),
            outcome_explanation: found,
            reviewed_on: on.map(proto::from_date),
        });
    }
    Ok(ListEmergencyAccessResponse { emergencies, next_page_token })
}

pub async fn list_as_self(
    regie: &Regie,
    work: &mut Work,
    m: &ListEmergencyAccessAsSelfRequest,
) -> Result<ListEmergencyAccessAsSelfResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let (mut known, now) = (store::emergency::of(work, client).await?, work.now);
    known.reverse();
    let view = |one: Emergency| {
        let ended_at = one.ended(now).map(instant);
        let (role, reason) = (chassis::words::role(one.wish.role), one.wish.reason.words());
        let outcome = one.review.as_ref().map_or(NOT_REVIEWED, |review| review.outcome.words());
        OwnEmergencyAccessView {
            emergency_id: one.id.to_string(),
            organisation: regie.register.name(&one.wish.organisation).to_owned(),
            role_nl: role.0.to_owned(),
            role_en: role.1.to_owned(),
            reason_nl: reason.0.to_owned(),
            reason_en: reason.1.to_owned(),
            explanation: one.wish.explanation,
            opened_at: Some(instant(one.opened_at)),
            until: Some(instant(one.until)),
            ended_at,
            outcome_nl: outcome.0.to_owned(),
            outcome_en: outcome.1.to_owned(),
            outcome_explanation: one.review.map(|review| review.explanation).unwrap_or_default(),
        }
    };
    Ok(ListEmergencyAccessAsSelfResponse { emergencies: known.into_iter().map(view).collect() })
}
