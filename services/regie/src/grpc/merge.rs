//! Two records of one person, and one record of two: merged, undone, split, listed.

use super::{client_id, text};
use crate::domain::merge::{Merge, MergeId};
use crate::domain::split::Split;
use crate::{Regie, acts, store};
use chassis::{Result, Work};
use kernel::ClientId;
use proto::regie::v1::*;

pub async fn merge(regie: &Regie, work: &mut Work, m: &MergeClientsRequest) -> Result<MergeClientsResponse> {
    let client = client_id(&m.client_id)?;
    let kept = ClientId::parse("kept_client_id", &m.kept_client_id)?;
    let explanation = text("explanation", &m.explanation, 2000)?;
    for record in [client, kept] {
        work.permit_merged_too("client", Some(record), &[]).await?;
    }
    let id = acts::merge::merge(regie, work, client, kept, explanation).await?;
    Ok(MergeClientsResponse { merge_id: id.to_string() })
}

pub async fn undo(regie: &Regie, work: &mut Work, m: &UndoMergeRequest) -> Result<UndoMergeResponse> {
    let client = client_id(&m.client_id)?;
    let id = MergeId::parse("merge_id", &m.merge_id)?;
    let explanation = text("explanation", &m.explanation, 2000)?;
    work.permit_merged_too("client", Some(client), &[]).await?;
    acts::merge::undo(regie, work, client, id, explanation).await?;
    Ok(UndoMergeResponse { merge_id: id.to_string() })
}

pub async fn split(regie: &Regie, work: &mut Work, m: &SplitClientRequest) -> Result<SplitClientResponse> {
    let client = client_id(&m.client_id)?;
    let new = ClientId::parse("new_client_id", &m.new_client_id)?;
    let explanation = text("explanation", &m.explanation, 2000)?;
    for record in [client, new] {
        work.permit("client", Some(record), &[]).await?;
    }
    let id = acts::split::split(regie, work, client, new, explanation).await?;
    Ok(SplitClientResponse { split_id: id.to_string() })
}

pub async fn list(_: &Regie, work: &mut Work, m: &ListMergesRequest) -> Result<ListMergesResponse> {
    let client = client_id(&m.client_id)?;
    work.permit("client", Some(client), &[]).await?;
    let merges = store::merge::of(work, [client, client]).await?;
    let splits = store::split::of(work, [client, client]).await?;
    merges.iter().flat_map(|one| [one.client, one.kept]).for_each(|record| work.touched(record));
    splits.iter().flat_map(|one| [one.client, one.new]).for_each(|record| work.touched(record));
    Ok(ListMergesResponse {
        merges: merges.into_iter().map(view).collect(),
        splits: splits.into_iter().map(view_of_split).collect(),
    })
}

fn view(merge: Merge) -> MergeView {
    let (undone_on, undone_explanation) = merge.undone.unzip();
    MergeView {
        merge_id: merge.id.to_string(),
        client_id: merge.client.to_string(),
        kept_client_id: merge.kept.to_string(),
        explanation: merge.explanation,
        merged_on: Some(proto::from_date(merge.merged_on)),
        merged_by: merge.merged_by.to_string(),
        undone_on: undone_on.map(proto::from_date),
        undone_explanation: undone_explanation.unwrap_or_default(),
    }
}

fn view_of_split(split: Split) -> SplitView {
    SplitView {
        split_id: split.id.to_string(),
        client_id: split.client.to_string(),
        new_client_id: split.new.to_string(),
        explanation: split.explanation,
        split_on: Some(proto::from_date(split.split_on)),
        split_by: split.split_by.to_string(),
    }
}
