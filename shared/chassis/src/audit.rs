//! The access log, for the client it is about and for the privacy officer (R-REG-19, R-REG-21, R-REG-27).

use crate::call::{caller, explain};
use crate::feed::timestamp;
use crate::{Answer, Chassis, Page, words};
use auth::{Checkpoint, Issuer, Purposes};
use kernel::{ClientId, Role};
use prost_reflect::{Kind, MessageDescriptor};
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::{
    AccessEntry, AccessPoint, DataCategory, GetCheckpointRequest, GetCheckpointResponse, ListAccessRequest,
    ListAccessResponse,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::LoggedAccess;
use tonic::{Request, Response};

/// What the client's own view leaves out: it would tell of somebody else, from whom the client is kept apart (R-REG-27,
/// R-REG-28). The privacy officer sees it.
const WITHHELD: &str = ",RegieService/MarkSeparation,RegieService/EndSeparation,RegieService/ListSeparations,";

/// Entries that come within this time share a link.
const GATHER: Duration = Duration::from_secs(1);

/// For each `Service/Method`, what its answer may tell about a person, comma-separated: read from the categories in the
/// proto. What tells nothing about anybody is left out. A command that answers with ids only has none; what it wrote is said
/// by its name.
static CATEGORIES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let methods = proto::CONTRACT.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .map(|method| {
            let mut found = BTreeSet::new();
            reach(&method.output(), &mut found, &mut HashSet::new());
            let codes: Vec<_> = found.into_iter().filter_map(|n| DataCategory::try_from(n).ok()).map(code).collect();
            (format!("{}/{}", method.parent_service().name(), method.name()), codes.join(","))
        })
        .collect()
});

fn reach(message: &MessageDescriptor, found: &mut BTreeSet<i32>, seen: &mut HashSet<String>) {
    const NOBODY: [DataCategory; 4] =
        [DataCategory::Unspecified, DataCategory::Reference, DataCategory::Organisation, DataCategory::Aggregate];
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    let category =
        proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.category").expect("checked when it was built");
    for field in message.fields() {
        let number = field.options().get_extension(&category).as_enum_number().unwrap_or_default();
        if !NOBODY.iter().any(|nobody| *nobody as i32 == number) {
            found.insert(number);
        }
        if let Kind::Message(inner) = field.kind() {
            reach(&inner, found, seen);
        }
    }
}

/// `life_domains` for `DATA_CATEGORY_LIFE_DOMAINS`.
fn code(category: DataCategory) -> String {
    category.as_str_name().trim_start_matches("DATA_CATEGORY_").to_lowercase()
}

/// What an answer of this RPC may tell about a person; nothing for what is no RPC.
pub(crate) fn categories(rpc: &str) -> &'static str {
    CATEGORIES.get(rpc).map_or("", String::as_str)
}

/// Links what is logged, until the service stops.
pub(crate) async fn link(chassis: Chassis) {
    let mut logged = chassis.store.accesses_logged();
    loop {
        logged.mark_unchanged();
        if let Err(error) = chassis.store.link().await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(service = chassis.about.name, error, "the access log could not be linked");
        }
        let gathered = async {
            let _ = logged.changed().await;
            tokio::time::sleep(GATHER).await;
        };
        tokio::select! {
            () = gathered => {}
            () = chassis.stopped() => return,
        }
    }
}

/// The log of who looked.
pub(crate) struct Audit {
    pub chassis: Chassis,
    /// Signs checkpoints.
    pub issuer: Arc<Issuer>,
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn get_checkpoint(&self, request: Request<GetCheckpointRequest>) -> Answer<GetCheckpointResponse> {
        caller(&request)?;
        let link = self.chassis.store.link().await.map_err(|error| explain(&error))?;
        let checkpoint = Checkpoint {
            service: self.chassis.about.name.to_owned(),
            epoch: self.chassis.store.epoch(),
            position: link.position,
            hash: link.hash.map(|byte| format!("{byte:02x}")).concat(),
            at: self.chassis.clock.now().at.to_string(),
        };
        let checkpoint = self.issuer.sign(&checkpoint);
        Ok(Response::new(GetCheckpointResponse { checkpoint, position: link.position }))
    }

    async fn list_access(&self, request: Request<ListAccessRequest>) -> Answer<ListAccessResponse> {
        self.chassis
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
                    let withheld = if staff_named { "" } else { WITHHELD };
                    let mut entries = work.access_log(client, before, page.limit + 1, withheld).await?;
                    let next_page_token = page.cut(&mut entries, |last| {
                        vec![last.at.as_microsecond().to_string(), last.access_id.to_string()]
                    });
                    let entries = entries.into_iter().map(|entry| view(client, entry, staff_named)).collect();
                    Ok(ListAccessResponse { entries, next_page_token })
                })
            })
            .await
    }
}

fn view(client: ClientId, entry: LoggedAccess, staff_named: bool) -> AccessEntry {
    let represented = entry.on_behalf_of.as_ref().is_some_and(|of| *of == client.to_string());
    // Older entries have the purpose only.
    let ground = || Purposes::embedded().get(&entry.purpose).map(|purpose| purpose.ground.as_str().to_owned());
    let ground = Some(entry.legal_ground).filter(|ground| !ground.is_empty()).or_else(ground);
    let categories = entry.categories.split(',').filter_map(|code| {
        DataCategory::from_str_name(&format!("DATA_CATEGORY_{}", code.to_uppercase())).map(i32::from)
    });
    let mut shown = AccessEntry {
        categories: categories.collect(),
        occurred_at: Some(timestamp(entry.at)),
        organisation: entry.organisation,
        roles: entry.roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
        method: entry.rpc,
        purpose: entry.purpose,
        legal_ground: ground.unwrap_or_default(),
        result: entry.result,
        emergency_id: entry.emergency_id.unwrap_or_default(),
        consent_ids: entry.consents.iter().flat_map(|ids| ids.split(',')).map(str::to_owned).collect(),
        access_point: entry.access_point.and_then(|code| AccessPoint::from_str_name(&code)).unwrap_or_default().into(),
        protocol: entry.protocol.unwrap_or_default(),
        ..AccessEntry::default()
    };
    if staff_named {
        // Who stands in for a client answers for it; whoever a service calls for does so instead of the service.
        let responsible = entry.on_behalf_of.clone().filter(|_| !represented);
        shown.responsible = responsible.unwrap_or_else(|| entry.subject.clone());
        shown.subject = entry.subject;
        shown.on_behalf_of = entry.on_behalf_of.unwrap_or_default();
    } else {
        shown.words = Some(words::access(&shown, (entry.changed, represented)));
    }
    shown
}
