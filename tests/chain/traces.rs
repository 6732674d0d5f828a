//! One call, and what follows from it in whichever service, is one trace.

use super::facts::name;
use super::steps::WEST;
use super::{Chain, on_both_engines};
use kernel::Role;
use proto::housing::v1 as housing;
use std::collections::BTreeSet;
use telemetry::TraceContext;
use testkit::rid;
use tonic::Request;

on_both_engines! {
    /// A caller's trace goes with the event that the call tells to regie, with what regie asks to the other services, and
    /// with what they tell back to regie again; and into nothing else.
    async fn what_follows_from_a_call_is_in_its_trace(chain: Chain) {
        let mut household = chain.arrive().await;
        chain.ready_for_home(&mut household).await;
        let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
        let before = told(&chain).await;

        let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        let wish = in_trace(trace, Chain::nomination(&household, true));
        let nominated = chain.person(Role::Shelter).housing("shelter").nominate(wish).await.unwrap().into_inner();
        household.nomination_id = nominated.nomination_id;
        chain.settle().await;
        let nominated = told(&chain).await;
        follows(&nominated, &before, trace, &["housing Nominated", "regie RelationGranted", "income BenefitRequestPrepared"]);

        let offer = chain.offer(&dwelling, &household).await;
        chain.client_accepts(&offer, &household).await.unwrap();
        chain.settle().await;
        let offered = told(&chain).await;
        assert!(offered.difference(&nominated).all(|(_, _, other)| *other != trace.trace_id()), "a call without one has its own");

        let trace = TraceContext::root();
        let mut landlord = chain.as_(Role::Corporation, "trivire").housing("housing");
        let shown = housing::GetOfferAsCorporationRequest { offer_id: offer.clone() };
        let shown = landlord.get_offer_as_corporation(shown).await.unwrap().into_inner().offer.unwrap();
        let accept =
            housing::AcceptCandidateRequest { request_id: rid(), offer_id: offer, expected_version: shown.version, ..Default::default() };
        landlord.accept_candidate(in_trace(trace, accept)).await.unwrap();
        chain.settle().await;
        let accepted = [
            "housing AllocationAccepted",
            "regie RelationGranted",
            "regie TaskOpened",
            "income BenefitRequestCompleted",
            "income RentGuaranteeRequested",
            "aftercare HandoverDrafted",
        ];
        follows(&told(&chain).await, &offered, trace, &accepted);
    }
}

/// A call as the next step of a trace.
fn in_trace<M>(trace: TraceContext, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(TraceContext::HEADER, trace.to_string().parse().unwrap());
    request
}

/// Everything on every feed: its id, what it is, and the id of its trace.
async fn told(chain: &Chain) -> BTreeSet<(String, String, String)> {
    let facts = chain.facts().await.0.into_iter();
    facts
        .map(|(service, event)| {
            let trace = TraceContext::parse(&event.trace).expect("every event has its trace");
            (event.event_id.clone(), format!("{service} {}", name(&event)), trace.trace_id())
        })
        .collect()
}

/// All that was told since is in the trace, and these are among it.
fn follows(
    now: &BTreeSet<(String, String, String)>,
    before: &BTreeSet<(String, String, String)>,
    trace: TraceContext,
    wanted: &[&str],
) {
    let since: Vec<_> = now.difference(before).collect();
    for (_, event, of) in &since {
        assert_eq!(*of, trace.trace_id(), "{event}");
    }
    for event in wanted {
        assert!(since.iter().any(|(_, told, _)| told == event), "{event} is not among {since:?}");
    }
}
