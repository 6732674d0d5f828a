//! Lists: cases, the timeline, the policy, the register, who is on duty.

use super::{client_id, opt, required};
use crate::domain::emergency::on_the_timeline;
use crate::{Regie, store};
use chassis::{Page, Result, Work};
use jiff::Timestamp;
use kernel::{Moment, Municipality, Role};
use proto::regie::v1::*;

pub async fn cases(_: &Regie, work: &mut Work, m: &ListCasesRequest) -> Result<ListCasesResponse> {
    let page = Page::read(m.page_size, &m.page_token, 200)?;
    let municipality = opt(&m.municipality).map(|code| Municipality::parse("municipality", code)).transpose()?;
    let after = if page.after.is_empty() { None } else { Some((page.timestamp(0)?, page.uuid(1)?)) };
    let (scope, code) = (work.scope(), municipality.as_ref().map_or("", Municipality::as_str));
    let mut rows = store::case::list(work, &scope, m.include_closed, code, after, page.limit).await?;
    let next_page_token =
        page.cut(&mut rows, |row| vec![row.opened_at.as_microsecond().to_string(), row.id.to_string()]);
    let mut cases = Vec::new();
    for row in rows {
        work.touched(row.client);
        cases.push(CaseSummary {
            case_id: row.id.to_string(),
            client_id: row.client.to_string(),
            municipality: row.municipality.to_string(),
            opened_on: Some(proto::from_date(row.opened_on)),
            closed_on: row.closed_on.map(proto::from_date),
            case_holder_organisation: row.holder.map(|o| o.to_string()).unwrap_or_default(),
        });
    }
    Ok(ListCasesResponse { cases, next_page_token })
}

pub async fn timeline(_: &Regie, work: &mut Work, m: &GetTimelineRequest) -> Result<GetTimelineResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let page = Page::read(m.page_size, &m.page_token, 500)?;
    let after = if page.after.is_empty() { Timestamp::MIN } else { page.timestamp(0)? };
    let mut rows = store::timeline::list(work, client, (after, page.text(1)), page.limit).await?;
    let next_page_token =
        page.cut(&mut rows, |row| vec![row.recorded_at.as_microsecond().to_string(), row.event_id.to_string()]);
    let entry = |row: store::timeline::Entry| {
        let (nl, en) = on_the_timeline(&row.kind).unwrap_or_default();
        TimelineEntry {
            event_id: row.event_id.to_string(),
            r#type: row.kind,
            occurred_on: Some(proto::from_date(row.occurred_on)),
            recorded_at: Some(super::view::instant(row.recorded_at)),
            nl: nl.to_owned(),
            en: en.to_owned(),
        }
    };
    Ok(GetTimelineResponse { entries: rows.into_iter().map(entry).collect(), next_page_token })
}

pub async fn policy(regie: &Regie, work: &mut Work, m: &GetPolicyRequest) -> Result<GetPolicyResponse> {
    let municipality = Municipality::parse("municipality", &m.municipality)?;
    let on = m.on.as_ref().map(|on| proto::to_date("on", Some(on))).transpose()?.unwrap_or(work.now.date);
    let value = serde_json::to_value(regie.policy.at(&municipality, on))
        .map_err(|error| chassis::Error::inconsistent("policy", "value", error))?;
    let mut values = Vec::new();
    flatten("", &value, &mut values);
    Ok(GetPolicyResponse { version: regie.policy.version_at(&municipality, on), values })
}

/// Every value by its path in the file.
fn flatten(name: &str, value: &serde_json::Value, values: &mut Vec<PolicyValue>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (field, value) in fields {
                let path = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                flatten(&path, value, values);
            }
        }
        serde_json::Value::String(text) => values.push(PolicyValue { name: name.to_owned(), value: text.clone() }),
        other => values.push(PolicyValue { name: name.to_owned(), value: other.to_string() }),
    }
}

pub async fn organisations(
    regie: &Regie,
    _: &mut Work,
    m: &ListOrganisationsRequest,
) -> Result<ListOrganisationsResponse> {
    let page = Page::read(m.page_size, &m.page_token, 500)?;
    let municipality = opt(&m.municipality).map(|code| Municipality::parse("municipality", code)).transpose()?;
    let role = opt(&m.role).map(|key| required("role", Role::from_key(key))).transpose()?;
    let mut rows: Vec<OrganisationView> = regie
        .register
        .partners()
        .filter(|(code, _)| code.as_str() > page.text(0))
        .filter(|(_, p)| municipality.as_ref().is_none_or(|m| p.municipalities.contains(m)))
        .filter(|(_, p)| role.is_none_or(|role| p.roles.contains(&role)))
        .take(page.limit as usize + 1)
        .map(|(code, partner)| OrganisationView {
            organisation: code.to_string(),
            name: partner.name.clone(),
            roles: partner.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            municipalities: partner.municipalities.iter().map(ToString::to_string).collect(),
            districts: partner.districts.iter().map(ToString::to_string).collect(),
        })
        .collect();
    let next_page_token = page.cut(&mut rows, |row| vec![row.organisation.clone()]);
    Ok(ListOrganisationsResponse { organisations: rows, next_page_token })
}

pub async fn duty_contacts(
    regie: &Regie,
    work: &mut Work,
    m: &GetDutyContactsRequest,
) -> Result<GetDutyContactsResponse> {
    let municipality = Municipality::parse("municipality", &m.municipality)?;
    Ok(GetDutyContactsResponse { contacts: contacts(regie, &municipality, work.now) })
}

/// Whom to call at this hour, the emergency number first (R-REG-30).
pub fn contacts(regie: &Regie, municipality: &Municipality, now: Moment) -> Vec<DutyContact> {
    let register = &regie.register;
    let emergency = DutyContact { name: "Alarmnummer".to_owned(), telephone: register.emergency_number().to_owned() };
    let duty = register
        .on_duty(municipality, now)
        .map(|(_, duty)| DutyContact { name: duty.name.clone(), telephone: duty.telephone.clone() });
    std::iter::once(emergency).chain(duty).collect()
}
