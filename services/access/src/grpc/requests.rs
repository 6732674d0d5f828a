//! Notifications, intakes, applications, decisions, and the journey that shows them together.

use super::views;
use crate::acts::{self, decision, intake, notification};
use crate::domain::decision::{Command, Proposal, Verdict};
use crate::domain::intake::Outcome;
use crate::domain::notification::{Origin, Report};
use crate::domain::{ApplicationId, DecisionId, IntakeId, NotificationId};
use crate::words::{self, date, date_opt, day_opt, day_or_today, id_opt, read, word, word_opt};
use crate::{Access, store};
use chassis::{Result, Work};
use kernel::{ClientId, Municipality, Organisation, Refusal, general};
use proto::access::v1 as pb;

fn origin(origin: Option<&pb::record_notification_request::Origin>) -> std::result::Result<Origin, Refusal> {
    use pb::OriginElsewhere as Elsewhere;
    use pb::record_notification_request::Origin as Wire;
    match origin {
        Some(Wire::OriginMunicipality(code)) => {
            Municipality::parse("origin_municipality", code).map(Origin::Municipality)
        }
        Some(Wire::OriginElsewhere(code)) => match Elsewhere::try_from(*code) {
            Ok(Elsewhere::Abroad) => Ok(Origin::Abroad),
            Ok(Elsewhere::Unknown) => Ok(Origin::Unknown),
            _ => Err(general::MALFORMED.field("origin_elsewhere", "is not a known code", "is geen bekende code")),
        },
        None => Err(general::MALFORMED.field("origin", "is required", "is verplicht")),
    }
}

pub async fn record_notification(
    access: &Access,
    work: &mut Work,
    m: &pb::RecordNotificationRequest,
) -> Result<pb::RecordNotificationResponse> {
    let now = work.now;
    read! {
        client_id = ClientId::parse("client_id", &m.client_id);
        municipality = Municipality::parse("municipality", &m.municipality);
        origin = origin(m.origin.as_ref());
        triggers = words::all(m.triggers.iter().map(|t| word("triggers", *t)));
        received_on = day_or_today("received_on", m.received_on.as_ref(), now);
    }
    let report = Report {
        client_id,
        municipality,
        origin,
        triggers,
        received_on,
        notified_by: work.organisation().clone(),
        used_shelter_before: m.used_shelter_before,
        needs_shelter_now: m.needs_shelter_now,
        told_of_personal_plan: m.told_of_personal_plan,
        told_of_client_support: m.told_of_client_support,
    };
    let (id, received) = notification::receive(access, work, report).await?;
    let investigation_due_on = date(received.investigation_due_on);
    Ok(pb::RecordNotificationResponse { notification_id: id.to_string(), version: 1, investigation_due_on })
}

pub async fn withdraw_notification(
    access: &Access,
    work: &mut Work,
    m: &pb::WithdrawNotificationRequest,
) -> Result<pb::WithdrawNotificationResponse> {
    read! {
        id = NotificationId::parse("notification_id", &m.notification_id);
        reason = word("reason", m.reason);
    }
    let version = notification::withdraw(access, work, id, m.expected_version, reason).await?;
    Ok(pb::WithdrawNotificationResponse { notification_id: id.to_string(), version })
}

pub async fn decide_urgent_provision(
    access: &Access,
    work: &mut Work,
    m: &pb::DecideUrgentProvisionRequest,
) -> Result<pb::DecideUrgentProvisionResponse> {
    read! {
        id = NotificationId::parse("notification_id", &m.notification_id);
        facility = id_opt("facility_id", &m.facility_id, crate::domain::FacilityId::parse);
        ground = word_opt("ground", m.ground);
    }
    let granted = m.granted.then_some(facility);
    let version = notification::decide_urgent(access, work, id, m.expected_version, granted, ground).await?;
    Ok(pb::DecideUrgentProvisionResponse { notification_id: id.to_string(), version })
}

pub async fn plan_intake(
    access: &Access,
    work: &mut Work,
    m: &pb::PlanIntakeRequest,
) -> Result<pb::PlanIntakeResponse> {
    read! {
        id = NotificationId::parse("notification_id", &m.notification_id);
        planned_on = words::day("planned_on", m.planned_on.as_ref());
    }
    let (id, planned) = intake::plan(access, work, id, planned_on, m.asks_benefit || m.asks_mail_address).await?;
    Ok(pb::PlanIntakeResponse { intake_id: id.to_string(), version: 1, integrated: planned.integrated })
}

pub async fn cancel_intake(
    _: &Access,
    work: &mut Work,
    m: &pb::CancelIntakeRequest,
) -> Result<pb::CancelIntakeResponse> {
    read! {
        id = IntakeId::parse("intake_id", &m.intake_id);
        reason = word("reason", m.reason);
    }
    let version = intake::cancel(work, id, Some(m.expected_version), reason).await?;
    Ok(pb::CancelIntakeResponse { intake_id: id.to_string(), version })
}

pub async fn complete_intake(
    access: &Access,
    work: &mut Work,
    m: &pb::CompleteIntakeRequest,
) -> Result<pb::CompleteIntakeResponse> {
    let now = work.now;
    read! {
        id = IntakeId::parse("intake_id", &m.intake_id);
        result = word("result", m.result);
        receiver = id_opt("receiver", &m.receiver, Organisation::parse);
        ground = word_opt("ground", m.ground);
        on = day_or_today("completed_on", m.completed_on.as_ref(), now);
    }
    let outcome = Outcome::try_new(result, receiver, ground)?;
    let version = intake::complete(access, work, id, m.expected_version, outcome, on).await?;
    Ok(pb::CompleteIntakeResponse { intake_id: id.to_string(), version })
}

pub async fn submit_application(
    access: &Access,
    work: &mut Work,
    m: &pb::SubmitApplicationRequest,
) -> Result<pb::SubmitApplicationResponse> {
    let now = work.now;
    read! {
        id = NotificationId::parse("notification_id", &m.notification_id);
        on = day_or_today("received_on", m.received_on.as_ref(), now);
    }
    let (id, application) = decision::submit(access, work, id, on).await?;
    Ok(pb::SubmitApplicationResponse { application_id: id.to_string(), version: 1, due_on: date(application.due_on) })
}

pub async fn withdraw_application(
    _: &Access,
    work: &mut Work,
    m: &pb::WithdrawApplicationRequest,
) -> Result<pb::WithdrawApplicationResponse> {
    read! {
        id = ApplicationId::parse("application_id", &m.application_id);
        reason = word("reason", m.reason);
    }
    let version = decision::withdraw(work, id, Some(m.expected_version), reason).await?;
    Ok(pb::WithdrawApplicationResponse { application_id: id.to_string(), version })
}

pub async fn take_decision(
    access: &Access,
    work: &mut Work,
    m: &pb::TakeDecisionRequest,
) -> Result<pb::TakeDecisionResponse> {
    read! {
        id = ApplicationId::parse("application_id", &m.application_id);
        group = word_opt("target_group", m.target_group);
        starts_on = day_opt("starts_on", m.starts_on.as_ref());
        deviation = word_opt("deviation", m.deviation);
        ground = word_opt("ground", m.ground);
    }
    let months = Some(m.months).filter(|months| *months != 0);
    let proposal = Proposal { granted: m.granted, group, starts_on, months, deviation, ground };
    let (id, taken, version) = decision::take(access, work, id, m.expected_version, proposal).await?;
    let (starts_on, ends_on) = match taken.verdict {
        Verdict::Granted { starts_on, ends_on, .. } => (Some(starts_on), Some(ends_on)),
        Verdict::Refused(_) => (None, None),
    };
    Ok(pb::TakeDecisionResponse {
        decision_id: id.to_string(),
        version,
        starts_on: date_opt(starts_on),
        ends_on: date_opt(ends_on),
    })
}

pub async fn extend_decision(
    access: &Access,
    work: &mut Work,
    m: &pb::ExtendDecisionRequest,
) -> Result<pb::ExtendDecisionResponse> {
    read! {
        id = DecisionId::parse("decision_id", &m.decision_id);
        ends_on = words::day("ends_on", m.ends_on.as_ref());
        reason = word("reason", m.reason);
    }
    let version =
        decision::change(access, work, id, Some(m.expected_version), Command::Extend { ends_on, reason }).await?;
    Ok(pb::ExtendDecisionResponse { decision_id: id.to_string(), version })
}

pub async fn end_decision(
    access: &Access,
    work: &mut Work,
    m: &pb::EndDecisionRequest,
) -> Result<pb::EndDecisionResponse> {
    let now = work.now;
    read! {
        id = DecisionId::parse("decision_id", &m.decision_id);
        on = day_or_today("ended_on", m.ended_on.as_ref(), now);
        reason = word("reason", m.reason).and_then(Command::said_by_people);
    }
    let version = decision::change(access, work, id, Some(m.expected_version), Command::End { on, reason }).await?;
    Ok(pb::EndDecisionResponse { decision_id: id.to_string(), version })
}

pub async fn get_journey(_: &Access, work: &mut Work, m: &pb::GetJourneyRequest) -> Result<pb::GetJourneyResponse> {
    let client = ClientId::parse("client_id", &m.client_id)?;
    acts::client::permitted(work, client).await?;
    Ok(pb::GetJourneyResponse { journey: Some(views::journey(work, client).await?) })
}

pub async fn get_decision_status(
    _: &Access,
    work: &mut Work,
    m: &pb::GetDecisionStatusRequest,
) -> Result<pb::GetDecisionStatusResponse> {
    let client = ClientId::parse("client_id", &m.client_id)?;
    acts::client::permitted(work, client).await?;
    let today = work.now.date;
    let decisions = store::decision::of_client(work, client).await?;
    let last = decisions
        .iter()
        .map(|(_, (decision, _))| decision)
        .filter(|d| d.in_force(today))
        .filter_map(|d| d.ends_on())
        .max();
    Ok(pb::GetDecisionStatusResponse { in_force: last.is_some(), ends_on: date_opt(last) })
}
