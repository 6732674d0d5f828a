//! The road of a merge: its row, the event by which every service holds to it, and what hangs on it: relations, the case, what
//! was asked of people (R-REG-26). Undoing it walks the same road back.

use super::{acknowledgement, process, relation, retention, tell_all};
use crate::domain::merge::{self, Merge, MergeId, Side};
use crate::domain::process::Running;
use crate::domain::process::facts::{Fact, Regie as Told};
use crate::domain::relation::{Kind as Of, RelationId, Wanted, of_the_case};
use crate::domain::task::Kind;
use crate::{Regie, store};
use chassis::{Result, Work};
use kernel::{ClientId, Uuid};
use proto::regie::v1 as pb;

/// Lets a record point to another; gives back the id of the merge that stands.
pub async fn merge(
    regie: &Regie,
    work: &mut Work,
    client: ClientId,
    kept: ClientId,
    explanation: String,
) -> Result<MergeId> {
    super::expect_known(work, [client, kept]).await?;
    let known = store::merge::of(work, [client, kept]).await?;
    let (side, side_kept) = (side(work, client).await?, side(work, kept).await?);
    let (merged_on, merged_by) = (work.now.date, work.organisation().clone());
    let id = MergeId(Uuid::now_v7());
    let wanted = Merge { id, client, kept, explanation, merged_on, merged_by, undone: None };
    let (stands, new) = merge::merge(&known, wanted, &side, &side_kept)?;
    if !new {
        return Ok(stands.id);
    }
    let person = work.actor().subject.clone();
    store::merge::insert(work, &stands, &person).await?;
    let (merge_id, client_id, kept_client_id) = (id.to_string(), client.to_string(), kept.to_string());
    work.merge(&client_id, &kept_client_id).await?;
    tell_all(work, client, &pb::ClientsMerged { merge_id, client_id, kept_client_id }).await?;
    // Nobody loses sight: whoever has to do with the one has to do with the other, as long as its case is open (R-REG-13).
    let known = if side_kept.case_open { store::relation::of(work, client).await? } else { Vec::new() };
    for standing in known.into_iter().filter(|one| one.ended_on.is_none()) {
        let wanted = Wanted { kind: Of::Granted, subject: Some(id.to_string()), ..standing.wanted };
        relation::grant(work, kept, RelationId(Uuid::new_v5(&id.0, standing.id.0.as_bytes())), &wanted).await?;
    }
    feed(regie, work, client, Told::Merged { merge: id.0 }).await?;
    feed(regie, work, kept, Told::TookOver { other: client.0 }).await?;
    // It was one person after all: nobody need check what they hold.
    if store::split::between(work, client, kept).await? {
        for record in [client, kept] {
            acknowledgement::drop_all(regie, work, record, &[Kind::CheckAfterSplit]).await?;
        }
    }
    retention::look(regie, work, client).await?;
    Ok(id)
}

/// Undoes a merge of the client.
pub async fn undo(regie: &Regie, work: &mut Work, client: ClientId, id: MergeId, explanation: String) -> Result<()> {
    let mut known = store::merge::of(work, [client, client]).await?;
    known.retain(|one| one.client == client);
    let Some(undone) = merge::undo(&known, id, explanation, work.now)? else { return Ok(()) };
    let person = work.actor().subject.clone();
    store::merge::undo(work, &undone, &person).await?;
    let (merge_id, client_id) = (id.to_string(), client.to_string());
    work.unmerge(&client_id).await?;
    tell_all(work, client, &pb::MergeUndone { merge_id: merge_id.clone(), client_id }).await?;
    relation::end_where(work, undone.kept, |w| w.subject.as_ref() == Some(&merge_id)).await?;
    feed(regie, work, client, Told::MergeUndone).await?;
    feed(regie, work, undone.kept, Told::GaveBack { other: client.0 }).await?;
    for split in store::split::of(work, [client, undone.kept]).await? {
        if [split.client, split.new].iter().all(|record| [client, undone.kept].contains(record)) {
            acknowledgement::ask(regie, work, split.client, Kind::CheckAfterSplit).await?;
        }
    }
    retention::look(regie, work, client).await
}

/// The case of a record closed: whoever knows the records that point to it by a case of theirs, knows them no longer either
/// (R-REG-13).
pub async fn kept_case_closed(regie: &Regie, work: &mut Work, kept: ClientId) -> Result<()> {
    for client in work.pointing_to(kept).await? {
        relation::end_where(work, client, of_the_case).await?;
        feed(regie, work, client, Told::KeptCaseClosed).await?;
    }
    Ok(())
}

/// What stands in the way on one side.
async fn side(work: &mut Work, client: ClientId) -> Result<Side> {
    let today = work.now.date;
    let mut running = store::flow::of(work, client).await?.running(today);
    let (facts, _) = store::readiness::of(work, client).await?;
    let decided = facts.decisions.values().any(|decision| decision.ends_on.is_none_or(|last| last >= today));
    running.extend(decided.then_some(Running::Decision));
    let case = store::case::newest(work, client).await?;
    Ok(Side {
        shielded: store::shield::since(work, client).await?.is_some(),
        kept_apart: store::separation::is_kept_apart(work, client).await?,
        running,
        case_open: case.is_some_and(|kept| kept.case.closed.is_none()),
    })
}

async fn feed(regie: &Regie, work: &mut Work, client: ClientId, told: Told) -> Result<()> {
    process::feed(regie, work, client, Fact::Regie(told), None).await
}
