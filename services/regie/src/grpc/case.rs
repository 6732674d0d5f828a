//! Changes of a case.

use super::{client_id, opt, organisation, required, text, text_opt};
use crate::acts::case::change;
use crate::domain::case::{Assignee, Command, GoalId};
use crate::{Regie, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Refusal, Role, Uuid, general};
use proto::regie::v1::*;

/// May the caller have to do with this client?
async fn permit(work: &mut Work, text: &str) -> Result<ClientId> {
    let client = client_id(text)?;
    work.permit("client", Some(client), &[]).await?;
    Ok(client)
}

pub async fn assign_case_holder(
    regie: &Regie,
    work: &mut Work,
    m: &AssignCaseHolderRequest,
) -> Result<AssignCaseHolderResponse> {
    let client = permit(work, &m.client_id).await?;
    let to = Assignee {
        person: text("person", &m.person, 64)?,
        organisation: organisation("organisation", &m.organisation)?,
        deputy: text_opt("deputy", &m.deputy, 64)?,
    };
    regie.register.known(&to.organisation)?;
    let command = Command::AssignHolder { to, reason: events::from_assignment_reason(m.reason) };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    Ok(AssignCaseHolderResponse { case_id: kept.case.id.to_string(), version: kept.version })
}

pub async fn assign_supervisor(
    regie: &Regie,
    work: &mut Work,
    m: &AssignSupervisorRequest,
) -> Result<AssignSupervisorResponse> {
    let client = permit(work, &m.client_id).await?;
    let to = Assignee {
        person: text("person", &m.person, 64)?,
        organisation: organisation("organisation", &m.organisation)?,
        deputy: None,
    };
    regie.register.known(&to.organisation)?;
    let command = Command::AssignSupervisor { to, reason: events::from_assignment_reason(m.reason) };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    Ok(AssignSupervisorResponse { case_id: kept.case.id.to_string(), version: kept.version })
}

pub async fn adopt_plan(regie: &Regie, work: &mut Work, m: &AdoptPlanRequest) -> Result<AdoptPlanResponse> {
    let client = permit(work, &m.client_id).await?;
    let absence_reason = text_opt("absence_reason", &m.absence_reason, 500)?;
    let command = Command::AdoptPlan { client_present: m.client_present, absence_reason };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    let edition = kept.case.plan.map_or(0, |(edition, _)| events::count(edition));
    Ok(AdoptPlanResponse { case_id: kept.case.id.to_string(), version: kept.version, edition })
}

pub async fn set_goal(regie: &Regie, work: &mut Work, m: &SetGoalRequest) -> Result<SetGoalResponse> {
    let client = permit(work, &m.client_id).await?;
    let known = opt(&m.goal_id).map(|id| GoalId::parse("goal_id", id)).transpose()?;
    let id = known.unwrap_or_else(|| GoalId(Uuid::now_v7()));
    let command = Command::SetGoal {
        id,
        new: known.is_none(),
        domain: required("domain", events::from_life_domain(m.domain))?,
        text: text("text", &m.text, 1000)?,
        owner: required("owner", events::from_goal_owner(m.owner))?,
        due_on: proto::to_date("due_on", m.due_on.as_ref())?,
    };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    Ok(SetGoalResponse { goal_id: id.to_string(), version: kept.version })
}

pub async fn decide_goal(regie: &Regie, work: &mut Work, m: &DecideGoalRequest) -> Result<DecideGoalResponse> {
    let client = permit(work, &m.client_id).await?;
    let id = GoalId::parse("goal_id", &m.goal_id)?;
    let command = Command::DecideGoal {
        id,
        outcome: required("outcome", events::from_goal_outcome(m.outcome))?,
        by_client: work.acts_as(Role::Client),
        told_on: m.told_on.as_ref().map(|on| proto::to_date("told_on", Some(on))).transpose()?,
    };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    Ok(DecideGoalResponse { goal_id: id.to_string(), version: kept.version })
}

pub async fn record_scores(regie: &Regie, work: &mut Work, m: &RecordScoresRequest) -> Result<RecordScoresResponse> {
    let client = permit(work, &m.client_id).await?;
    let command = Command::RecordScores {
        moment: required("moment", events::from_score_moment(m.moment))?,
        scored_on: proto::to_date("scored_on", m.scored_on.as_ref())?,
        levels: levels(&m.scores)?,
    };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    Ok(RecordScoresResponse { case_id: kept.case.id.to_string(), version: kept.version })
}

/// 1 to 13 scores, each of a domain that exists and a level from 1 to 5; all that is wrong at once.
fn levels(scores: &[Score]) -> std::result::Result<Vec<(crate::domain::case::ScoreDomain, u8)>, Refusal> {
    let mut refusal = Refusal::from(&general::MALFORMED);
    let mut levels = Vec::new();
    for (n, score) in scores.iter().enumerate() {
        let level = u8::try_from(score.level).ok().filter(|level| (1..=5).contains(level));
        match (events::from_score_domain(score.domain), level) {
            (Some(domain), Some(level)) => levels.push((domain, level)),
            _ => {
                let (en, nl) = ("is no domain with a level from 1 to 5", "is geen domein met een niveau van 1 tot 5");
                refusal = refusal.field(format!("scores[{n}]"), en, nl);
            }
        }
    }
    if !(1..=13).contains(&scores.len()) {
        refusal = refusal.field("scores", "holds not 1 to 13 scores", "bevat niet 1 tot 13 scores");
    }
    if refusal.fields.is_empty() { Ok(levels) } else { Err(refusal) }
}

pub async fn set_guidance(regie: &Regie, work: &mut Work, m: &SetGuidanceRequest) -> Result<SetGuidanceResponse> {
    let client = permit(work, &m.client_id).await?;
    let command = Command::SetGuidance { guidance: required("guidance", events::from_guidance(m.guidance))? };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    Ok(SetGuidanceResponse { case_id: kept.case.id.to_string(), version: kept.version })
}

pub async fn close(regie: &Regie, work: &mut Work, m: &CloseCaseRequest) -> Result<CloseCaseResponse> {
    let client = permit(work, &m.client_id).await?;
    let reason = required("reason", events::from_close_reason(m.reason))?;
    let underway = store::gate::underway(work, client).await?;
    let command = Command::Close { reason, underway, by_chain: false };
    let kept = change(regie, work, client, Some(m.expected_version), &command).await?;
    Ok(CloseCaseResponse { case_id: kept.case.id.to_string(), version: kept.version })
}
