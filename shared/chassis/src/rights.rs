//! What every service does for a client's rights over what it holds itself: it gives what that is (R-REG-21), and says what
//! was destroyed, when and why (R-REG-22, R-REG-23).

use crate::feed::timestamp;
use crate::{Answer, Chassis, Page, export};
use kernel::ClientId;
use proto::rights::v1::rights_service_server::RightsService;
use proto::rights::v1::{
    DestroyedTotal, DestroyedView, DestructionCause, DestructionClass, ExportClientRequest, ExportClientResponse,
    ReportDestroyedRequest, ReportDestroyedResponse,
};
use store::{Destruction, Retention};
use tonic::Request;

/// The rights of clients, over one service.
pub(crate) struct Rights {
    pub chassis: Chassis,
}

#[tonic::async_trait]
impl RightsService for Rights {
    async fn export_client(&self, request: Request<ExportClientRequest>) -> Answer<ExportClientResponse> {
        let about = self.chassis.about;
        self.chassis
            .query(request, move |work, wanted| {
                Box::pin(async move {
                    let client = ClientId::parse("client_id", &wanted.client_id)?;
                    work.permit("client", Some(client), &[]).await?;
                    let (parts, next_page_token) = export::page(about, work, client, &wanted.page_token).await?;
                    Ok(ExportClientResponse { parts, next_page_token })
                })
            })
            .await
    }

    async fn report_destroyed(&self, request: Request<ReportDestroyedRequest>) -> Answer<ReportDestroyedResponse> {
        self.chassis
            .query(request, |work, wanted| {
                Box::pin(async move {
                    let page = Page::read(wanted.page_size, &wanted.page_token, 500)?;
                    let after = match &*page.after {
                        [] => None,
                        _ => Some((page.timestamp(0)?, page.text(1), page.text(2))),
                    };
                    let mut rows = work.destructions(after, page.limit + 1).await?;
                    let next_page_token = page.cut(&mut rows, |last| {
                        let class = last.class.map_or("", Retention::as_str).to_owned();
                        vec![last.at.as_microsecond().to_string(), last.why.clone(), class]
                    });
                    let totals = work.destroyed_totals().await?;
                    let total = |((cause, key), (clients, keys)): ((String, &'static str), _)| DestroyedTotal {
                        cause: cause_of(&cause).into(),
                        class: class(key).into(),
                        clients,
                        keys,
                    };
                    Ok(ReportDestroyedResponse {
                        destroyed: rows.into_iter().map(view).collect(),
                        totals: totals.into_iter().map(total).collect(),
                        next_page_token,
                    })
                })
            })
            .await
    }
}

fn view(one: Destruction) -> DestroyedView {
    let (cause, reference) = one.why.rsplit_once(' ').unwrap_or((one.why.as_str(), ""));
    DestroyedView {
        destroyed_at: Some(timestamp(one.at)),
        cause: cause_of(cause).into(),
        class: class(one.class.map_or("", Retention::as_str)).into(),
        reference: reference.to_owned(),
        keys: one.keys,
    }
}

/// The cause, by the words with which it is noted (`erasure.rs`).
fn cause_of(words: &str) -> DestructionCause {
    match words {
        "erasure" => DestructionCause::Erasure,
        "retention withdrawn" => DestructionCause::Withdrawn,
        "retention plan_without_provision" => DestructionCause::PlanWithoutProvision,
        "retention wmo" => DestructionCause::Wmo,
        _ => DestructionCause::Unspecified,
    }
}

fn class(key: &str) -> DestructionClass {
    match key {
        "file" => DestructionClass::File,
        "plan" => DestructionClass::Plan,
        "report" => DestructionClass::Report,
        _ => DestructionClass::Everything,
    }
}
