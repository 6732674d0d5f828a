//! Clients and households; one view per audience.

use super::views;
use crate::acts::client as acts;
use crate::domain::client::{Given, Identity};
use crate::domain::household::{Household, Member, on_day};
use crate::words::{self, read, word_opt};
use crate::{Access, store};
use chassis::{Page, Result, Work};
use kernel::{ClientId, Municipality, Refusal, general};
use proto::access::v1 as pb;

fn given(identity: Option<&pb::Identity>) -> std::result::Result<Given, Refusal> {
    let missing = || general::MALFORMED.field("identity", "is required", "is verplicht");
    let i = identity.cloned().ok_or_else(missing)?;
    Ok(Given {
        birth_date: words::day_opt("identity.birth_date", i.birth_date.as_ref())?,
        surname: i.surname,
        first_names: i.first_names,
        bsn: i.bsn,
        v_number: i.v_number,
        postcode: i.postcode,
        house_number: i.house_number,
        no_address: i.no_address,
        phone: i.phone,
        email: i.email,
    })
}

pub async fn register(
    _: &Access,
    work: &mut Work,
    m: &pb::RegisterClientRequest,
) -> Result<pb::RegisterClientResponse> {
    let now = work.now;
    read! {
        municipality = Municipality::parse("municipality", &m.municipality);
        identity = given(m.identity.as_ref()).and_then(|given| Identity::try_new(&given, now));
    }
    let id = acts::register(work, municipality, identity).await?;
    Ok(pb::RegisterClientResponse { client_id: id.to_string(), version: 1 })
}

pub async fn correct(_: &Access, work: &mut Work, m: &pb::CorrectClientRequest) -> Result<pb::CorrectClientResponse> {
    let now = work.now;
    read! {
        id = ClientId::parse("client_id", &m.client_id);
        identity = given(m.identity.as_ref()).and_then(|given| Identity::try_new(&given, now));
    }
    let version = acts::correct(work, id, m.expected_version, identity).await?;
    Ok(pb::CorrectClientResponse { client_id: id.to_string(), version })
}

fn member((i, m): (usize, &pb::Member)) -> std::result::Result<Member, Refusal> {
    let path = |field: &str| format!("members[{i}].{field}");
    let missing = |field: &str| general::MALFORMED.field(path(field), "is required", "is verplicht");
    let client_id = words::id_opt("client_id", &m.client_id, ClientId::parse)
        .map_err(|_| general::MALFORMED.field(path("client_id"), "is not a valid id", "is geen geldig kenmerk"))?;
    let birth_date = words::day_opt("birth_date", m.birth_date.as_ref())
        .map_err(|_| general::MALFORMED.field(path("birth_date"), "is not a valid date", "is geen geldige datum"))?;
    Ok(Member {
        role: word_opt(path("role"), m.role)?.ok_or_else(|| missing("role"))?,
        birth_date: birth_date.ok_or_else(|| missing("birth_date"))?,
        client_id,
        custody: m.custody,
    })
}

pub async fn record_household(
    _: &Access,
    work: &mut Work,
    m: &pb::RecordHouseholdRequest,
) -> Result<pb::RecordHouseholdResponse> {
    read! {
        id = ClientId::parse("client_id", &m.client_id);
        from_on = words::day("from_on", m.from_on.as_ref());
        members = words::all(m.members.iter().enumerate().map(member));
    }
    let set = Household { from_on, members };
    let (version, adults, children) = acts::record_household(work, id, m.expected_version, set).await?;
    Ok(pb::RecordHouseholdResponse { client_id: id.to_string(), version, adults, children })
}

pub async fn record_death(
    access: &Access,
    work: &mut Work,
    m: &pb::RecordDeathRequest,
) -> Result<pb::RecordDeathResponse> {
    read! {
        id = ClientId::parse("client_id", &m.client_id);
        on = words::day("died_on", m.died_on.as_ref());
    }
    let version = acts::die(access, work, id, Some(m.expected_version), on).await?;
    Ok(pb::RecordDeathResponse { client_id: id.to_string(), version })
}

/// A client that the caller may see, with the household of today.
async fn seen(work: &mut Work, id: &str) -> Result<views::Person> {
    let id = ClientId::parse("client_id", id)?;
    let (mut client, version) = acts::permitted(work, id).await?;
    if work.hides_contact(id).await? {
        client.identity = client.identity.without_contact();
    }
    let today = work.now.date;
    let household = on_day(&store::client::households(work, id).await?, today).cloned();
    let safe_contact = work.safe_contact(id).await?;
    Ok(views::Person { id, version, client, household, today, safe_contact })
}

pub async fn get(_: &Access, work: &mut Work, m: &pb::GetClientRequest) -> Result<pb::GetClientResponse> {
    Ok(pb::GetClientResponse { client: Some(seen(work, &m.client_id).await?.for_access()) })
}

pub async fn get_for_guidance(
    _: &Access,
    work: &mut Work,
    m: &pb::GetClientForGuidanceRequest,
) -> Result<pb::GetClientForGuidanceResponse> {
    Ok(pb::GetClientForGuidanceResponse { client: Some(seen(work, &m.client_id).await?.for_guidance()) })
}

pub async fn get_tenant(_: &Access, work: &mut Work, m: &pb::GetTenantRequest) -> Result<pb::GetTenantResponse> {
    Ok(pb::GetTenantResponse { tenant: Some(seen(work, &m.client_id).await?.tenant()) })
}

pub async fn get_benefit_applicant(
    _: &Access,
    work: &mut Work,
    m: &pb::GetBenefitApplicantRequest,
) -> Result<pb::GetBenefitApplicantResponse> {
    Ok(pb::GetBenefitApplicantResponse { applicant: Some(seen(work, &m.client_id).await?.benefit_applicant()) })
}

pub async fn get_for_district(
    _: &Access,
    work: &mut Work,
    m: &pb::GetClientForDistrictRequest,
) -> Result<pb::GetClientForDistrictResponse> {
    Ok(pb::GetClientForDistrictResponse { client: Some(seen(work, &m.client_id).await?.for_district()) })
}

pub async fn get_as_self(
    _: &Access,
    work: &mut Work,
    m: &pb::GetClientAsSelfRequest,
) -> Result<pb::GetClientAsSelfResponse> {
    Ok(pb::GetClientAsSelfResponse { client: Some(seen(work, &m.client_id).await?.own()) })
}

pub async fn list(_: &Access, work: &mut Work, m: &pb::ListClientsRequest) -> Result<pb::ListClientsResponse> {
    let page = Page::read(m.page_size, &m.page_token, 500)?;
    let scope = work.scope();
    // A case holder's list is personal; everybody else's is the organisation's.
    let mut rows =
        store::client::caseload(work, &scope.organisation, &scope.person, page.text(0), page.limit + 1).await?;
    let next_page_token = page.cut(&mut rows, |(id, _)| vec![id.to_string()]);
    for (id, _) in &rows {
        work.touched(*id);
    }
    Ok(pb::ListClientsResponse { clients: rows.into_iter().map(views::listed).collect(), next_page_token })
}
