//! What regie asks of other services: queued in the transaction that wants it, delivered afterwards, in order per client
//! and service. What one service is asked never waits for another: a place for tonight is claimed while income is away (P6).
//!
//! The request id is that of the outcome, so that sending again changes nothing (P3). A service that is away is asked until
//! it answers; one that refuses for good makes it a task for a person, never an endless retry.

use crate::Regie;
use crate::acts::process;
use crate::domain::process::facts::{Fact, Regie as Told};
use crate::domain::process::{Command, Ground};
use crate::store::outgoing::{self, Lane, Waiting};
use chassis::{Chassis, Deadline, Result, Work};
use kernel::{ClientId, Uuid};
use proto::{access::v1 as access, aftercare::v1 as aftercare, housing::v1 as housing, income::v1 as income};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{self, JoinSet};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The kind of the deadlines that say: commands wait for this client. Set with them, so that it is seen once they last.
pub const DEADLINE: &str = "outgoing";

/// How often a service may answer that it is at fault before a person looks at it.
const FAULTS: u32 = 8;

/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(10);

/// How long a delivery that broke off rests before it is tried again.
const REST: Duration = Duration::from_secs(1);

/// Queues a command behind those of the client that wait for the same service already.
pub async fn queue(work: &mut Work, client: ClientId, id: Uuid, step: &str, command: &Command) -> Result<()> {
    outgoing::queue(work, client, id, step, command).await?;
    ring(work, client).await
}

/// Queues a refused command again, as the last of its client.
pub async fn repeat(work: &mut Work, client: ClientId, id: Uuid) -> Result<()> {
    outgoing::repeat(work, client, id).await?;
    ring(work, client).await
}

async fn ring(work: &mut Work, client: ClientId) -> Result<()> {
    let due_at = work.now.at;
    let deadline = Deadline { kind: DEADLINE.into(), subject: client.to_string(), client_id: Some(client), due_at };
    work.set_deadline(&deadline).await
}

/// The deliveries that are under way, one per lane.
#[derive(Default)]
struct UnderWay {
    deliveries: JoinSet<()>,
    lanes: HashMap<task::Id, Lane>,
}

impl UnderWay {
    /// Starts a delivery, unless one is under way in that lane.
    fn start(&mut self, lane: Lane, delivery: impl Future<Output = ()> + Send + 'static) {
        if !self.lanes.values().any(|busy| *busy == lane) {
            self.lanes.insert(self.deliveries.spawn(delivery).id(), lane);
        }
    }

    /// Waits until one has ended. Of one that broke off the lane rests a moment; the others hear nothing of it.
    async fn ended(&mut self) {
        match self.deliveries.join_next_with_id().await {
            Some(Ok((id, ()))) => drop(self.lanes.remove(&id)),
            Some(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "delivering commands broke off");
                if let Some(lane) = self.lanes.remove(&error.id()) {
                    self.start(lane, tokio::time::sleep(REST));
                }
            }
            None => std::future::pending().await,
        }
    }
}

/// Delivers what waits until the service stops: one lane beside the other, each in order.
pub async fn run(regie: Arc<Regie>, chassis: Chassis) {
    let mut under_way = UnderWay::default();
    loop {
        match waiting_lanes(&chassis).await {
            Ok(lanes) => {
                for lane in lanes {
                    let (regie, chassis, of) = (regie.clone(), chassis.clone(), lane.clone());
                    under_way.start(lane, async move { deliver_all(&regie, &chassis, &of).await });
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "waiting commands could not be read");
                tokio::select! {
                    () = tokio::time::sleep(REST) => continue,
                    () = chassis.stopped() => return,
                }
            }
        }
        tokio::select! {
            () = regie.ring.notified() => {}
            // What was queued while its last command went out is seen by looking again.
            () = under_way.ended() => {}
            () = chassis.stopped() => return,
        }
    }
}

async fn waiting_lanes(chassis: &Chassis) -> Result<Vec<Lane>> {
    outgoing::lanes(&mut chassis.store.read().await?).await
}

/// Delivers everything that waits in one lane, in order.
async fn deliver_all(regie: &Arc<Regie>, chassis: &Chassis, lane: &Lane) {
    let mut pause = Duration::from_millis(20);
    let mut faults = 0;
    loop {
        let outcome = deliver_next(regie, chassis, lane, &mut faults).await;
        match outcome {
            Ok(Delivered::Nothing) => return,
            Ok(Delivered::Settled) => {
                (pause, faults) = (Duration::from_millis(20), 0);
                continue;
            }
            Ok(Delivered::Away(why)) => {
                let (client, service) = (lane.client, &lane.service);
                tracing::warn!(%client, %service, %why, "a command could not be delivered yet");
            }
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a command could not be settled"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
            () = chassis.stopped() => return,
        }
    }
}

enum Delivered {
    Nothing,
    Settled,
    Away(String),
}

async fn deliver_next(regie: &Arc<Regie>, chassis: &Chassis, lane: &Lane, faults: &mut u32) -> Result<Delivered> {
    let client = lane.client;
    let next = outgoing::head(&mut chassis.store.read().await?, lane).await?;
    let Some(waiting) = next else { return Ok(Delivered::Nothing) };
    let answer = tokio::select! {
        // Asked again it is the same request: what was done without an answer is not done twice.
        answer = tokio::time::timeout(ANSWER, send(chassis, client, &waiting)) => {
            answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer came")))
        }
        () = chassis.stopped() => return Ok(Delivered::Away("the service stops".to_owned())),
    };
    let refusal = match answer {
        Ok(()) => None,
        Err(status) => match status.code() {
            Code::Unavailable | Code::Aborted | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => {
                return Ok(Delivered::Away(status.message().to_owned()));
            }
            Code::Internal | Code::Unknown | Code::Unauthenticated if *faults < FAULTS => {
                *faults += 1;
                return Ok(Delivered::Away(status.message().to_owned()));
            }
            _ => Some(reason(&status)),
        },
    };
    settle(regie, chassis, client, waiting, refusal).await?;
    Ok(Delivered::Settled)
}

/// The code by which a refusal is known.
fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone())
}

async fn settle(
    regie: &Arc<Regie>,
    chassis: &Chassis,
    client: ClientId,
    waiting: Waiting,
    refusal: Option<String>,
) -> Result<()> {
    let (regie, waiting, refusal) = (regie.clone(), Arc::new(waiting), Arc::new(refusal));
    chassis
        .act("command", move |work| {
            let (regie, waiting, refusal) = (regie.clone(), waiting.clone(), refusal.clone());
            Box::pin(async move {
                work.trace = waiting.trace;
                outgoing::settle(work, waiting.id, refusal.as_deref()).await?;
                let Some(code) = refusal.as_deref() else { return Ok(()) };
                let told = Told::CommandRefused { request_id: waiting.id, step: waiting.step.clone() };
                process::feed(&regie, work, client, Fact::Regie(told), Some(code)).await
            })
        })
        .await
}

/// Asks the service once.
async fn send(chassis: &Chassis, client: ClientId, waiting: &Waiting) -> std::result::Result<(), Status> {
    let (request_id, client_id) = (waiting.id.to_string(), client.to_string());
    let peer = |name: &str| {
        chassis
            .peers
            .to(name, "regie", waiting.trace)
            .ok_or_else(|| Status::unavailable(format!("no endpoint was configured for {name}")))
    };
    macro_rules! call {
        ($service:ident, $client:path, $method:ident, $request:expr) => {
            <$client>::new(peer(stringify!($service))?).$method($request).await.map(drop)
        };
    }
    macro_rules! income {
        ($method:ident, $request:expr) => {
            call!(income, income::income_service_client::IncomeServiceClient<_>, $method, $request)
        };
    }
    macro_rules! housing {
        ($method:ident, $request:expr) => {
            call!(housing, housing::housing_service_client::HousingServiceClient<_>, $method, $request)
        };
    }
    macro_rules! aftercare {
        ($method:ident, $request:expr) => {
            call!(aftercare, aftercare::aftercare_service_client::AftercareServiceClient<_>, $method, $request)
        };
    }
    match waiting.command.clone() {
        Command::PrepareBenefitRequest { municipality } => income!(
            prepare_benefit_request,
            income::PrepareBenefitRequestRequest { request_id, client_id, municipality: municipality.to_string() }
        ),
        Command::CompleteBenefitRequest { allocation, lease_start_on, municipality, rent } => income!(
            complete_benefit_request,
            income::CompleteBenefitRequestRequest {
                request_id,
                client_id,
                allocation_id: allocation.to_string(),
                lease_start_on: Some(proto::from_date(lease_start_on)),
                municipality: municipality.to_string(),
                rent_cents: rent.0,
            }
        ),
        Command::WithdrawBenefitStart { allocation } => income!(
            withdraw_benefit_start,
            income::WithdrawBenefitStartRequest { request_id, client_id, allocation_id: allocation.to_string() }
        ),
        Command::WithdrawBenefitRequest { request } => income!(
            withdraw_benefit_request,
            income::WithdrawBenefitRequestRequest {
                request_id,
                benefit_request_id: request.to_string(),
                expected_version: 0,
                reason: income::BenefitWithdrawalReason::Died.into(),
            }
        ),
        Command::RequestRentGuarantee { allocation, corporation, municipality, lease_start_on, rent } => income!(
            request_rent_guarantee,
            income::RequestRentGuaranteeRequest {
                request_id,
                client_id,
                allocation_id: allocation.to_string(),
                corporation: corporation.to_string(),
                municipality: municipality.to_string(),
                lease_start_on: Some(proto::from_date(lease_start_on)),
                rent_cents: rent.0,
            }
        ),
        Command::WithdrawRentGuarantee { allocation } => income!(
            withdraw_rent_guarantee,
            income::WithdrawRentGuaranteeRequest { request_id, client_id, allocation_id: allocation.to_string() }
        ),
        Command::DraftHandover { allocation, from, to, municipality, district, move_on } => aftercare!(
            draft_handover,
            aftercare::DraftHandoverRequest {
                request_id,
                client_id,
                allocation_id: allocation.to_string(),
                from_organisation: from.to_string(),
                to_organisation: to.to_string(),
                municipality: municipality.to_string(),
                district: district.map(|d| d.to_string()).unwrap_or_default(),
                move_on: Some(proto::from_date(move_on)),
            }
        ),
        Command::CancelHandover { allocation } => aftercare!(
            cancel_handover,
            aftercare::CancelHandoverRequest { request_id, allocation_id: allocation.to_string() }
        ),
        Command::StartAftercare { allocation, started_on } => aftercare!(
            start_aftercare,
            aftercare::StartAftercareRequest {
                request_id,
                allocation_id: allocation.to_string(),
                started_on: Some(proto::from_date(started_on)),
            }
        ),
        Command::EndAftercare { allocation } => aftercare!(
            end_aftercare,
            aftercare::EndAftercareRequest {
                request_id,
                aftercare_id: String::new(),
                allocation_id: allocation.to_string(),
                expected_version: 0,
                outcome: aftercare::AftercareOutcome::Died.into(),
                agreed_with_client_on: None,
            }
        ),
        Command::InvokeRelapseGuarantee { signal } => aftercare!(
            invoke_relapse_guarantee,
            aftercare::InvokeRelapseGuaranteeRequest { request_id, signal_id: signal.to_string() }
        ),
        Command::OpenGate { allocation, ground } => housing!(
            open_gate,
            housing::OpenGateRequest {
                request_id,
                allocation_id: allocation.to_string(),
                expected_version: 0,
                ground: housing_ground(ground).into(),
            }
        ),
        Command::ShutGate { allocation } => housing!(
            shut_gate,
            housing::ShutGateRequest { request_id, allocation_id: allocation.to_string(), expected_version: 0 }
        ),
        Command::WithdrawNomination { nomination } => housing!(
            withdraw_nomination,
            housing::WithdrawNominationRequest {
                request_id,
                nomination_id: nomination.to_string(),
                expected_version: 0
            }
        ),
        Command::WithdrawAllocation { allocation } => housing!(
            withdraw_allocation,
            housing::WithdrawAllocationRequest {
                request_id,
                allocation_id: allocation.to_string(),
                expected_version: 0,
                reason: housing::WithdrawalReason::Died.into(),
            }
        ),
        Command::ClaimPlace { signal, municipality, relapse_guarantee } => call!(
            access,
            access::access_service_client::AccessServiceClient<_>,
            claim_place,
            access::ClaimPlaceRequest {
                request_id,
                client_id,
                signal_id: signal.to_string(),
                municipality: municipality.to_string(),
                relapse_guarantee,
            }
        ),
    }
}

fn housing_ground(ground: Ground) -> housing::GateGround {
    match ground {
        Ground::Benefit => housing::GateGround::Benefit,
        Ground::OwnIncome => housing::GateGround::OwnIncome,
        Ground::Advance => housing::GateGround::Advance,
        Ground::Guarantee => housing::GateGround::Guarantee,
        Ground::Override => housing::GateGround::Override,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(client: u128, service: &str) -> Lane {
        Lane { client: ClientId(Uuid::from_u128(client)), service: service.to_owned() }
    }

    /// P3
    #[tokio::test]
    async fn a_delivery_that_breaks_off_leaves_the_others_alone_and_is_tried_again_after_a_rest() {
        let mut under_way = UnderWay::default();
        let (done, mut other) = tokio::sync::oneshot::channel();
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        under_way.start(lane(1, "income"), async { panic!("a delivery breaks off") });
        under_way.start(lane(2, "income"), async move {
            wait.await.unwrap();
            done.send(()).unwrap();
        });
        under_way.ended().await;
        assert!(other.try_recv().is_err());
        // At rest: not started again, and nobody else's lane is.
        for busy in [lane(1, "income"), lane(2, "income")] {
            under_way.start(busy, async { unreachable!("the lane is busy") });
        }
        assert_eq!((under_way.deliveries.len(), under_way.lanes.len()), (2, 2));
        let before = tokio::time::Instant::now();
        under_way.ended().await;
        assert!(before.elapsed() >= REST);
        let (tell, told) = tokio::sync::oneshot::channel();
        under_way.start(lane(1, "income"), async move { tell.send(()).unwrap() });
        under_way.ended().await;
        assert_eq!(told.await, Ok(()));
        go.send(()).unwrap();
        under_way.ended().await;
        assert_eq!(other.await, Ok(()));
        assert!(under_way.lanes.is_empty());
    }
}
