//! Feeding the processes, and carrying out what comes of it.

use super::{case, relation, task, tell};
use crate::domain::case::CloseReason;
use crate::domain::process::{self, Act, Fact, Flow, Incoming, Outcome, RelationKind, To};
use crate::domain::relation::{Kind, RelationId, Wanted};
use crate::domain::task::TaskId;
use crate::domain::{case::CaseId, task as tasks};
use crate::{Regie, events, outgoing, store};
use chassis::{Deadline, Result, Work};
use kernel::{ClientId, Municipality, Organisation, Role, Uuid};
use proto::regie::v1 as pb;

/// The kind of the deadlines that wake a process.
pub const DEADLINE: &str = "process";

/// The code of the refusal, when a command was refused for good.
pub type Refused<'a> = Option<&'a str>;

/// Feeds what happened in regie itself, now.
pub async fn feed(regie: &Regie, work: &mut Work, client: ClientId, fact: Fact, refused: Refused<'_>) -> Result<()> {
    let event = Incoming { id: Uuid::now_v7(), at: work.now, fact };
    take(regie, work, client, &event, refused).await
}

/// Feeds an event, and carries out what comes of it.
pub async fn take(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    event: &Incoming,
    refused: Refused<'_>,
) -> Result<()> {
    let municipality = policy_of(regie, work, client, event).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let terms = process::Policy { terms: &policy.process, calendar: &policy.calendar, register: &regie.partners };
    let flow: Flow = store::flow::of(work, client).await?;
    let (flow, outcomes) = process::react(flow, event, &terms, work.now);
    store::flow::save(work, client, &flow).await?;
    for outcome in &outcomes {
        // Boxed: closing a case may come back here.
        Box::pin(carry_out(regie, work, client, outcome, refused)).await?;
    }
    Ok(())
}

/// Whose policy judges an event: that of the case, or of the notification that opens it.
async fn policy_of(regie: &Regie, work: &mut Work, client: ClientId, event: &Incoming) -> Result<Municipality> {
    match &event.fact {
        Fact::Access(process::facts::Access::NotificationReceived { municipality, .. }) => Ok(municipality.clone()),
        _ => super::municipality_of(regie, work, client).await,
    }
}

async fn carry_out(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    outcome: &Outcome,
    refused: Refused<'_>,
) -> Result<()> {
    match &outcome.act {
        Act::OpenCase { case: id, municipality } => case::open(work, client, CaseId(id.0), municipality).await,
        Act::CloseCase { case: id, reason } => {
            let reason = match reason {
                process::CloseReason::AftercareEnded => CloseReason::AftercareEnded,
                process::CloseReason::Died => CloseReason::Died,
                process::CloseReason::Withdrawn => CloseReason::Withdrawn,
                process::CloseReason::Merged => CloseReason::Merged,
            };
            case::close(regie, work, client, CaseId(id.0), reason).await
        }
        Act::GrantRelation(wish) => {
            let kind = relation_kind(wish.kind);
            let role = regie.role_of(&wish.organisation, kind);
            let wanted = Wanted { organisation: wish.organisation.clone(), person: None, role, kind, subject: None };
            // Of one step there is one relation, but a step that is taken again needs an id of its own.
            relation::grant(work, client, RelationId(outcome.id), &wanted).await.map(drop)
        }
        Act::EndRelation(wish) => {
            let (kind, organisation) = (relation_kind(wish.kind), &wish.organisation);
            relation::end_where(work, client, |w| w.kind == kind && w.organisation == *organisation).await
        }
        Act::Command(command) => outgoing::queue(work, client, outcome.id, &outcome.step, command).await,
        Act::DecideGate { allocation, ground } => {
            store::gate::decided(work, allocation.0, *ground).await?;
            let decided = pb::GateDecided {
                allocation_id: allocation.to_string(),
                open: ground.is_some(),
                ground: ground.map_or(pb::GateGround::Unspecified, events::gate_ground).into(),
            };
            tell(work, client, &[], &decided).await
        }
        Act::OpenTask(wish) => {
            let kind = tasks::Kind::from(wish.kind);
            let (organisation, person, role) = addressee(regie, work, client, &wish.to, kind).await?;
            let refused = refused.filter(|_| kind == tasks::Kind::SettleRefusedCommand);
            let wanted = tasks::Wanted {
                kind,
                client_id: Some(client),
                subject: Some(wish.subject.to_string()),
                organisation,
                person,
                role,
                due_on: wish.due_on,
                cause: refused.map(str::to_owned),
            };
            task::open(regie, work, TaskId(outcome.id), wanted).await
        }
        Act::CloseTask { kind, subject } => {
            task::fall_away(regie, work, (*kind).into(), Some(client), &subject.to_string()).await
        }
        Act::WarnOfTask { kind, subject } => {
            task::warn(regie, work, (*kind).into(), Some(client), &subject.to_string()).await
        }
        Act::SetDeadline { kind, subject, due_at } => {
            let subject = deadline_subject(client, *kind, *subject);
            let deadline = Deadline { kind: DEADLINE.into(), subject, client_id: Some(client), due_at: *due_at };
            work.set_deadline(&deadline).await
        }
        Act::ClearDeadline { kind, subject } => {
            work.clear_deadline(DEADLINE, &deadline_subject(client, *kind, *subject)).await
        }
    }
}

fn deadline_subject(client: ClientId, kind: process::TaskKind, subject: Uuid) -> String {
    format!("{client}/{}/{subject}", ::store::code(&kind))
}

/// A deadline of a process has come: everything is looked at again.
pub async fn wake(regie: &Regie, work: &mut Work, deadline: &Deadline) -> Result<()> {
    let nonsense = || chassis::Error::inconsistent("deadline", "subject", "is no client, kind and subject");
    let parts: Vec<&str> = deadline.subject.split('/').collect();
    let [client, kind, subject] = parts[..] else { return Err(nonsense()) };
    let client = ClientId::parse("client_id", client)?;
    let kind = serde_json::from_value(kind.into()).map_err(|_| nonsense())?;
    let subject = Uuid::parse_str(subject).map_err(|_| nonsense())?;
    feed(regie, work, client, Fact::DeadlineReached { kind, subject }, None).await
}

fn relation_kind(kind: RelationKind) -> Kind {
    match kind {
        RelationKind::Notifier => Kind::Notifier,
        RelationKind::Access => Kind::Access,
        RelationKind::Stay => Kind::Stay,
        RelationKind::Nominator => Kind::Nominator,
        RelationKind::Income => Kind::Income,
        RelationKind::Landlord => Kind::Landlord,
        RelationKind::District => Kind::District,
    }
}

/// On whose list a task goes: the organisation, the person if it is one's own, and the role.
async fn addressee(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    to: &To,
    kind: tasks::Kind,
) -> Result<(Organisation, Option<String>, Option<Role>)> {
    let register = &regie.register;
    let chief = |municipality: &Municipality| (register.regie_of(municipality).clone(), None, Some(Role::Regie));
    let desk = |municipality: &Municipality, role: Role| match register.first(municipality, role) {
        Some(organisation) => (organisation.clone(), None, Some(role)),
        None => chief(municipality),
    };
    let works = |organisation: &Organisation, roles: &[Role]| {
        roles.iter().copied().find(|role| register.in_role(organisation, *role))
    };
    Ok(match to {
        To::Municipality(municipality) => chief(municipality),
        To::AccessDesk(municipality) => desk(municipality, Role::Access),
        To::SocialServices(municipality) => desk(municipality, Role::Income),
        To::DutyPerson(municipality) => match register.on_duty(municipality, work.now).next() {
            // Whoever has duty finds a place; where that is no access desk, everybody there may (P6).
            Some((organisation, _)) => (organisation.clone(), None, works(organisation, &[Role::Access])),
            None => chief(municipality),
        },
        To::Organisation(organisation) => {
            let role = works(organisation, kind.done_by()).or_else(|| register.main_role(organisation));
            (organisation.clone(), None, role)
        }
        To::CaseHolder => match store::case::newest(work, client).await?.map(|kept| kept.case) {
            Some(case) => match case.holder {
                Some(holder) => (holder.organisation, Some(holder.person), Some(Role::Caseholder)),
                None => chief(&case.municipality),
            },
            None => chief(register.home()),
        },
    })
}
