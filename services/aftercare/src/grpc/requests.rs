//! From requests to what the domain knows; what is malformed ends here.

use crate::acts;
use crate::domain::handover::{Brief, Form};
use crate::domain::signalling_plan::{EarlySign, Plan};
use crate::domain::{AftercareId, AllocationId};
use crate::store::aftercare::Stored;
use crate::words::{Word, date_opt};
use chassis::Work;
use kernel::{ClientId, District, Municipality, Organisation, Refusal, Role};
use proto::aftercare::v1 as pb;
use proto::to_date;

/// Which move, from whom to whom.
pub fn brief(m: &pb::DraftHandoverRequest) -> Result<Brief, Refusal> {
    let district = Some(m.district.as_str()).filter(|code| !code.is_empty());
    Ok(Brief {
        client_id: ClientId::parse("client_id", &m.client_id)?,
        allocation_id: AllocationId::parse("allocation_id", &m.allocation_id)?,
        from: Organisation::parse("from_organisation", &m.from_organisation)?,
        to: Organisation::parse("to_organisation", &m.to_organisation)?,
        municipality: Municipality::parse("municipality", &m.municipality)?,
        district: district.map(|code| District::parse("district", code)).transpose()?,
        move_on: to_date("move_on", m.move_on.as_ref())?,
    })
}

/// The form; one that is not there is one with every field empty.
pub fn form(form: Option<&pb::HandoverForm>) -> Result<Form, Refusal> {
    let form = form.cloned().unwrap_or_default();
    Ok(Form {
        discussed_with_client_on: date_opt("form.discussed_with_client_on", form.discussed_with_client_on.as_ref())?,
        guidance_needed: form.guidance_needed,
        wishes_and_strengths: form.wishes_and_strengths,
        agreements: form.agreements,
        day_activity: form.day_activity,
        network: form.network,
        safety: form.safety,
        giver_contact: form.giver_contact,
        first_meeting_on: date_opt("form.first_meeting_on", form.first_meeting_on.as_ref())?,
    })
}

/// The plan; one that is not there is one with every field empty.
pub fn plan(plan: Option<&pb::SignallingPlan>) -> Result<Plan, Refusal> {
    let plan = plan.cloned().unwrap_or_default();
    let kinds = plan.shared_money_kinds.iter().map(|kind| Word::read("plan.shared_money_kinds", *kind));
    Ok(Plan {
        signs: plan.signs.into_iter().map(|sign| EarlySign { sign: sign.sign, action: sign.action }).collect(),
        what_helps: plan.what_helps,
        who_to_call: plan.who_to_call,
        day_and_night_channel: plan.day_and_night_channel,
        shared_money_kinds: kinds.collect::<Result<_, Refusal>>()?,
        agreed_on: date_opt("plan.agreed_on", plan.agreed_on.as_ref())?,
    })
}

/// The aftercare that is to end; regie's service may name the allocation, and one without aftercare is nothing.
pub async fn aftercare(work: &mut Work, m: &pb::EndAftercareRequest) -> chassis::Result<Option<Stored>> {
    if m.aftercare_id.is_empty() && work.acts_as(Role::SvcRegie) {
        let id = AllocationId::parse("allocation_id", &m.allocation_id)?;
        return crate::store::aftercare::of_allocation(work, id).await;
    }
    acts::aftercare::load(work, AftercareId::parse("aftercare_id", &m.aftercare_id)?).await.map(Some)
}
