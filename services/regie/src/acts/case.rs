//! The road of a case: from a command to its row, its events, and what hangs on them.

use super::{merge, process, readiness, relation, retention, tell_all};
use crate::domain::case::{self, Assignee, Case, CaseId, CloseReason, Command, Event};
use crate::domain::process::facts::{self, Fact, Regie as Told};
use crate::domain::relation::{Kind, RelationId, Wanted, of_the_case};
use crate::store::case::Kept;
use crate::{Regie, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Municipality, Role, Uuid};
use proto::regie::v1 as pb;

/// Changes the client's open case, as the caller saw it; the chain itself saw none and takes it as it is. Gives back the
/// case as it is now.
pub async fn change(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    seen: Option<i64>,
    command: &Command,
) -> Result<Kept> {
    let now = work.now;
    let known = store::case::newest(work, client).await?;
    if let (Some(kept), Some(seen)) = (&known, seen) {
        work.expect_version(seen, kept.version)?;
    }
    let happened = case::decide(known.as_ref().map(|kept| &kept.case), command, work.now)?;
    // `decide` refuses when there is no case at all.
    let Some(kept) = known else { return Err((&case::CASE_NOT_OPEN).into()) };
    if happened.is_empty() {
        return Ok(kept);
    }
    let former = kept.case.supervisor.clone();
    let kept = Kept { case: happened.iter().fold(kept.case, case::apply), ..kept };
    let version = store::case::save(work, client, &kept, &happened, now).await?;
    for event in &happened {
        follow(regie, work, client, former.as_ref(), &kept.case, event).await?;
    }
    readiness::refresh(work, client).await?;
    Ok(Kept { version, ..kept })
}

/// Closes the client's case in the name of the chain; one that is closed, or another one, is left as it is.
pub async fn close(regie: &Regie, work: &mut Work, client: ClientId, id: CaseId, reason: CloseReason) -> Result<()> {
    let open = store::case::newest(work, client).await?;
    if open.is_none_or(|kept| kept.case.id != id || kept.case.closed.is_some()) {
        return Ok(());
    }
    change(regie, work, client, None, &Command::Close { reason, underway: false, by_chain: true }).await?;
    Ok(())
}

/// Opens a case for a client who has no open one; one that is known is opened again (R-ACC-13).
pub async fn open(work: &mut Work, client: ClientId, id: CaseId, municipality: &Municipality) -> Result<()> {
    let now = work.now;
    let newest = store::case::newest(work, client).await?;
    if newest.as_ref().is_some_and(|kept| kept.case.closed.is_none()) {
        return Ok(());
    }
    let returning = newest.is_some();
    let case = match store::case::by_id(work, client, id).await? {
        Some(kept) => {
            let kept = Kept { case: case::reopen(kept.case), ..kept };
            store::case::save(work, client, &kept, &[], now).await?;
            kept.case
        }
        None => {
            let case = case::open(id, municipality.clone(), now);
            store::case::insert(work, client, &case, now).await?;
            case
        }
    };
    let opened = pb::CaseOpened {
        case_id: case.id.to_string(),
        client_id: client.to_string(),
        municipality: case.municipality.to_string(),
        returning,
    };
    tell_all(work, client, &opened).await?;
    readiness::refresh(work, client).await
}

/// What hangs on an event of a case: relations, the feed, the processes.
async fn follow(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    former: Option<&Assignee>,
    case: &Case,
    event: &Event,
) -> Result<()> {
    let id = facts::CaseId(case.id.0);
    match event {
        Event::HolderChanged { to, .. } => {
            relation::end_where(work, client, |w| w.kind == Kind::Caseholder).await?;
            for person in std::iter::once(&to.person).chain(&to.deputy) {
                let wanted = post(to, Some(person.clone()), Role::Caseholder, Kind::Caseholder);
                relation::grant(work, client, RelationId(Uuid::now_v7()), &wanted).await?;
            }
            events::case(work, client, case, event).await?;
            process::feed(regie, work, client, Fact::Regie(Told::CaseHolderChanged { case: id }), None).await
        }
        Event::SupervisorChanged { to, .. } => {
            if former.is_none_or(|former| former.organisation != to.organisation) {
                relation::end_where(work, client, |w| w.kind == Kind::Supervisor).await?;
                let role = regie.role_of(&to.organisation, Kind::Supervisor);
                let wanted = post(to, None, role, Kind::Supervisor);
                relation::grant(work, client, RelationId(Uuid::now_v7()), &wanted).await?;
            }
            events::case(work, client, case, event).await
        }
        Event::PlanAdopted { .. } => {
            events::case(work, client, case, event).await?;
            process::feed(regie, work, client, Fact::Regie(Told::PlanAdopted { case: id }), None).await
        }
        Event::Closed { reason, .. } => {
            // Told while the partners still have their relations: it is the last that they hear.
            events::case(work, client, case, event).await?;
            // It rests: whoever knows the record goes on to, and reads what is there (R-REG-26).
            if *reason == CloseReason::Merged {
                return Ok(());
            }
            relation::end_where(work, client, of_the_case).await?;
            merge::kept_case_closed(regie, work, client).await?;
            retention::look(regie, work, client).await?;
            match reason {
                // The chain's own endings: it knows them already.
                CloseReason::AftercareEnded | CloseReason::Died => Ok(()),
                _ => process::feed(regie, work, client, Fact::Regie(Told::CaseClosed { case: id }), None).await,
            }
        }
        Event::GoalSet { .. } | Event::GoalDecided { .. } | Event::ScoresRecorded(_) | Event::GuidanceSet(_) => {
            events::case(work, client, case, event).await
        }
    }
}

fn post(to: &Assignee, person: Option<String>, role: Role, kind: Kind) -> Wanted {
    Wanted { organisation: to.organisation.clone(), person, role, kind, subject: None }
}
