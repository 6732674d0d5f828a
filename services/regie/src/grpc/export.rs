//! Everything that every service holds on a client, gathered (R-REG-21).

use super::{Grpc, client_id};
use crate::Regie;
use chassis::{Answer, Chassis, TraceContext};
use kernel::{ClientId, general};
use proto::regie::v1::{ExportFileRequest, ExportFileResponse};
use proto::rights::v1::rights_service_client::RightsServiceClient;
use proto::rights::v1::{ExportClientRequest, ExportPart};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// The services that hold something, in the order in which a client meets them.
const SERVICES: [&str; 6] = ["access", "regie", "housing", "income", "aftercare", "monitor"];

/// A client that takes nothing for this long is left.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a stream carries.
pub type Parts = ReceiverStream<Result<ExportFileResponse, Status>>;

/// Who hears the parts; gone when the client is.
type Hearer = mpsc::Sender<Result<ExportFileResponse, Status>>;

/// Judges and logs the call, then gives part after part, each fetched when the one before is taken.
pub async fn file(grpc: &Grpc, request: Request<ExportFileRequest>) -> Answer<Parts> {
    let caller = chassis::caller(&request)?;
    let permitted = grpc.chassis.query(request, |work, wanted: &ExportFileRequest| {
        Box::pin(async move {
            let client = client_id(&wanted.client_id)?;
            work.permit("client", Some(client), &[]).await?;
            Ok((client, work.trace))
        })
    });
    let (client, trace) = permitted.await?.into_inner();
    let (hearer, parts) = mpsc::channel(1);
    let chassis = grpc.chassis.clone();
    tokio::spawn(async move {
        let filling = gather(&chassis, client, trace, &hearer);
        let last = match chassis.while_permitted(&caller, filling).await {
            Ok(()) => Ok(ExportFileResponse { part: None, complete: true }),
            Err(status) => Err(status),
        };
        // Who went away need not hear it.
        let _ = tokio::time::timeout(PATIENCE, hearer.send(last)).await;
    });
    Ok(Response::new(ReceiverStream::new(parts)))
}

async fn gather(chassis: &Chassis, client: ClientId, trace: TraceContext, hearer: &Hearer) -> Result<(), Status> {
    for service in SERVICES {
        let mut page_token = String::new();
        loop {
            let (parts, next) = page(chassis, service, client, trace, page_token).await?;
            for part in parts {
                let told = ExportFileResponse { part: Some(part), complete: false };
                match tokio::time::timeout(PATIENCE, hearer.send(Ok(told))).await {
                    Ok(Ok(())) => {}
                    // Who went away, or takes nothing any more, has not got everything.
                    Ok(Err(_)) | Err(_) => return Err(proto::status(&(&general::UNAVAILABLE).into())),
                }
            }
            if next.is_empty() {
                break;
            }
            page_token = next;
        }
    }
    Ok(())
}

async fn page(
    chassis: &Chassis,
    service: &str,
    client: ClientId,
    trace: TraceContext,
    page_token: String,
) -> Result<(Vec<ExportPart>, String), Status> {
    if service == chassis.name {
        return chassis.export::<Regie>(client, &page_token).await.map_err(|error| chassis.explain(&error));
    }
    let Some(peer) = chassis.peers.to(service, "own-file", trace) else {
        return Err(proto::status(&(&general::UNAVAILABLE).into()));
    };
    let request = ExportClientRequest { client_id: client.to_string(), page_token };
    match RightsServiceClient::new(peer).export_client(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            Ok((answer.parts, answer.next_page_token))
        }
        Err(status) => {
            tracing::warn!(service, code = ?status.code(), "an export could not be completed");
            Err(proto::status(&(&general::UNAVAILABLE).into()))
        }
    }
}
