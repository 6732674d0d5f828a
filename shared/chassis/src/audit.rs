//! The access log, for the client it is about and for the privacy officer (R-REG-19, R-REG-21, R-REG-27).

use crate::feed::timestamp;
use crate::{Answer, Chassis, Page};
use auth::Purposes;
use kernel::{ClientId, Role};
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::{AccessEntry, ListAccessRequest, ListAccessResponse};
use store::LoggedAccess;
use tonic::Request;

pub(crate) struct Audit(pub Chassis);

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_access(&self, request: Request<ListAccessRequest>) -> Answer<ListAccessResponse> {
        self.0
            .query(request, |work, wanted| {
                Box::pin(async move {
                    let client = ClientId::parse("client_id", &wanted.client_id)?;
                    work.permit("client", Some(client), &[]).await?;
                    let page = Page::read(wanted.page_size, &wanted.page_token, 500)?;
                    let before = match &*page.after {
                        [] => None,
                        _ => Some((page.timestamp(0)?, page.uuid(1)?)),
                    };
                    let staff_named = work.acts_as(Role::PrivacyOfficer);
                    let mut entries = work.access_log(client, before, page.limit + 1).await?;
                    let next_page_token = page.cut(&mut entries, |last| {
                        vec![last.at.as_microsecond().to_string(), last.access_id.to_string()]
                    });
                    let entries = entries.into_iter().map(|entry| view(entry, staff_named)).collect();
                    Ok(ListAccessResponse { entries, next_page_token })
                })
            })
            .await
    }
}

fn view(entry: LoggedAccess, staff_named: bool) -> AccessEntry {
    let ground = Purposes::embedded().get(&entry.purpose).map(|purpose| purpose.ground.as_str().to_owned());
    AccessEntry {
        occurred_at: Some(timestamp(entry.at)),
        organisation: entry.organisation,
        roles: entry.roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
        subject: if staff_named { entry.subject } else { String::new() },
        on_behalf_of: entry.on_behalf_of.filter(|_| staff_named).unwrap_or_default(),
        method: entry.rpc,
        purpose: entry.purpose,
        legal_ground: ground.unwrap_or_default(),
        result: entry.result,
    }
}
