//! The file, one view per audience.

use super::{client_id, opt};
use crate::domain::case::{Assignee, Case, CaseId, Goal, GoalId, Scoring};
use crate::domain::consent::{self, Category};
use crate::domain::{readiness, relation};
pub use crate::events::instant;
use crate::store::case::{Assigned, Kept, Post};
use crate::{Regie, events, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::from_date;
use proto::regie::v1::*;

/// The case that is asked for: the open one, the last, or an earlier one by id.
async fn load(work: &mut Work, client: &str, case: &str) -> Result<(ClientId, Kept)> {
    let client = client_id(client)?;
    work.permit("client", Some(client), &[]).await?;
    let kept = match opt(case) {
        Some(id) => store::case::by_id(work, client, CaseId::parse("case_id", id)?).await?,
        None => store::case::newest(work, client).await?,
    };
    Ok((client, kept.ok_or_else(|| Work::unknown("case"))?))
}

pub async fn case(_: &Regie, work: &mut Work, m: &GetCaseRequest) -> Result<GetCaseResponse> {
    let (client, kept) = load(work, &m.client_id, &m.case_id).await?;
    let safe_contact = work.safe_contact(client).await?;
    Ok(GetCaseResponse { case: Some(view(work, client, &kept).await?), safe_contact })
}

pub async fn case_as_self(_: &Regie, work: &mut Work, m: &GetCaseAsSelfRequest) -> Result<GetCaseAsSelfResponse> {
    let (client, kept) = load(work, &m.client_id, &m.case_id).await?;
    let (facts, _) = store::readiness::of(work, client).await?;
    let failed = readiness::failed(&facts, Some(&kept.case), work.now.date);
    let relations = store::relation::of(work, client).await?;
    Ok(GetCaseAsSelfResponse {
        case: Some(view(work, client, &kept).await?),
        consents: store::consent::of(work, client).await?.iter().map(super::consent::view).collect(),
        relations: relations.iter().filter(|r| r.ended_on.is_none()).map(relation).collect(),
        releases: store::release::of(work, client).await?.iter().map(super::release::view).collect(),
        agreements: store::help_agreement::of(work, client).await?.iter().map(super::help_agreement::view).collect(),
        ready: failed.is_empty(),
        failed: failed.into_iter().map(|r| events::requirement(r).into()).collect(),
    })
}

pub async fn case_as_district(
    _: &Regie,
    work: &mut Work,
    m: &GetCaseAsDistrictRequest,
) -> Result<GetCaseAsDistrictResponse> {
    let (client, Kept { case, version }) = load(work, &m.client_id, "").await?;
    let consents = store::consent::of(work, client).await?;
    let mut may = |category: Category| {
        let by = consent::that_allows(&consents, work.organisation(), category).map(|consent| consent.id.0);
        by.map(|by| work.consented(by)).is_some()
    };
    let (goals, scores) = (may(Category::LifeDomains), may(Category::Scores));
    let now = |assigned: Vec<Assigned>| assigned.first().map(assignment);
    Ok(GetCaseAsDistrictResponse {
        case_id: case.id.to_string(),
        municipality: case.municipality.to_string(),
        case_holder: now(store::case::assigned(work, case.id, Post::Caseholder).await?),
        supervisor: now(store::case::assigned(work, case.id, Post::Supervisor).await?),
        guidance: case.guidance.map_or(Guidance::Unspecified, events::guidance).into(),
        goals: case.goals.iter().filter(|(_, g)| goals && g.decided.is_none()).map(goal).collect(),
        scores: case.scores.iter().filter(|_| scores).map(scoring).collect(),
        version,
        safe_contact: work.safe_contact(client).await?,
    })
}

async fn view(work: &mut Work, client: ClientId, kept: &Kept) -> Result<CaseView> {
    let Kept { case, version } = kept;
    let used = work.used_for(client).await?;
    let moves = store::gate::moves(work, client).await?;
    Ok(CaseView {
        case_id: case.id.to_string(),
        client_id: client.to_string(),
        version: *version,
        municipality: case.municipality.to_string(),
        opened_on: Some(from_date(case.opened_on)),
        closed_on: case.closed.map(|(on, _)| from_date(on)),
        close_reason: case.closed.map_or(CloseReason::Unspecified, |(_, reason)| events::close_reason(reason)).into(),
        case_holders: history(work, case, Post::Caseholder).await?,
        supervisors: history(work, case, Post::Supervisor).await?,
        supervisor_changes: events::count(case.supervisor_changes),
        plan_edition: case.plan.map_or(0, |(edition, _)| events::count(edition)),
        plan_adopted_on: case.plan.map(|(_, on)| from_date(on)),
        goals: case.goals.iter().map(goal).collect(),
        scores: case.scores.iter().map(scoring).collect(),
        guidance: case.guidance.map_or(Guidance::Unspecified, events::guidance).into(),
        moves: moves.iter().filter(|one| !one.fell).map(a_move).collect(),
        kept_client_id: if used == client { String::new() } else { used.to_string() },
    })
}

async fn history(work: &mut Work, case: &Case, post: Post) -> Result<Vec<Assignment>> {
    Ok(store::case::assigned(work, case.id, post).await?.iter().map(assignment).collect())
}

fn assignment(Assigned { to, since, reason }: &Assigned) -> Assignment {
    let Assignee { person, organisation, deputy } = to;
    Assignment {
        person: person.clone(),
        organisation: organisation.to_string(),
        deputy: deputy.clone().unwrap_or_default(),
        since: Some(from_date(*since)),
        reason: events::assignment_reason(*reason).into(),
    }
}

fn goal((id, goal): (&GoalId, &Goal)) -> GoalView {
    GoalView {
        goal_id: id.to_string(),
        domain: events::life_domain(goal.domain).into(),
        text: goal.text.clone(),
        owner: events::goal_owner(goal.owner).into(),
        due_on: Some(from_date(goal.due_on)),
        outcome: goal.decided.map_or(GoalOutcome::Unspecified, |(outcome, _)| events::goal_outcome(outcome)).into(),
        decided_on: goal.decided.map(|(_, on)| from_date(on)),
    }
}

fn scoring(scoring: &Scoring) -> ScoresView {
    ScoresView {
        moment: events::score_moment(scoring.moment).into(),
        scored_on: Some(from_date(scoring.scored_on)),
        scores: events::scores(scoring),
    }
}

fn a_move(one: &store::gate::Move) -> MoveView {
    MoveView {
        allocation_id: one.allocation.to_string(),
        lease_start_on: Some(from_date(one.lease_start_on)),
        gate_open: one.ground.is_some(),
    }
}

fn relation(relation: &relation::Relation) -> RelationView {
    RelationView {
        relation_id: relation.id.to_string(),
        organisation: relation.wanted.organisation.to_string(),
        role: relation.wanted.role.as_str().to_owned(),
        kind: events::relation_kind(relation.wanted.kind).into(),
        since: Some(from_date(relation.since)),
    }
}
