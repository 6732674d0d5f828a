//! Housing over real gRPC, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[path = "service/apart.rs"]
mod apart;

use chassis::args;
use housing::Housing;
use housing::domain::dwelling::DWELLING_TAKEN;
use jiff::civil::date;
use kernel::{ClientId, Date, Role, Uuid};
use proto::from_date;
use proto::housing::v1 as pb;
use proto::housing::v1::housing_service_client::HousingServiceClient;
use proto::regie::v1::{
    ClientShielded, ReadinessChanged, RelationEnded, RelationGranted, Requirement, SafeContactEnded, SafeContactSet,
    SeparationEnded, SeparationMarked, ShieldEnded,
};
use store::Store;
use testkit::{Bench, Client, Code, actor, client_actor, reason, rid};
use tonic::Status;

type Caller = HousingServiceClient<Client>;

fn caller(bench: &Bench<Housing>, role: Role, organisation: &str) -> Caller {
    let purpose = match role {
        Role::Access => "decision",
        Role::Shelter | Role::Vo | Role::Caseholder => "shelter",
        Role::Income => "income",
        Role::District => "aftercare",
        Role::Guardian => "own-file",
        Role::SvcRegie => "regie",
        _ => "housing",
    };
    HousingServiceClient::new(bench.as_(&actor(role, organisation), purpose))
}

fn regie(bench: &Bench<Housing>) -> Caller {
    caller(bench, Role::Regie, "gemeente-dordrecht")
}

fn trivire(bench: &Bench<Housing>) -> Caller {
    caller(bench, Role::Corporation, "trivire")
}

fn shelter(bench: &Bench<Housing>) -> Caller {
    caller(bench, Role::Shelter, "leger-des-heils")
}

fn svc_regie(bench: &Bench<Housing>) -> Caller {
    caller(bench, Role::SvcRegie, "svc-regie")
}

fn self_(bench: &Bench<Housing>, client: ClientId) -> Caller {
    HousingServiceClient::new(bench.as_(&client_actor(client), "own-file"))
}

async fn relate(bench: &Bench<Housing>, client: ClientId, organisation: &str, role: Role) -> Uuid {
    let relation_id = Uuid::now_v7();
    let granted = RelationGranted {
        relation_id: relation_id.to_string(),
        client_id: client.to_string(),
        organisation: organisation.to_owned(),
        role: role.to_string(),
        ..Default::default()
    };
    bench.peer("regie").publish(Some(client), date(2026, 3, 2), &granted).await;
    relation_id
}

async fn readiness(bench: &Bench<Housing>, client: ClientId, failed: Vec<Requirement>) {
    let changed = ReadinessChanged {
        client_id: client.to_string(),
        ready: failed.is_empty(),
        failed: failed.into_iter().map(i32::from).collect(),
        since: Some(from_date(date(2026, 3, 1))),
    };
    bench.peer("regie").publish(Some(client), date(2026, 3, 2), &changed).await;
}

/// A client who is ready, in the caseload of the shelter.
async fn ready_client(bench: &Bench<Housing>) -> ClientId {
    let client = ClientId(Uuid::new_v4());
    relate(bench, client, "leger-des-heils", Role::Shelter).await;
    readiness(bench, client, vec![]).await;
    client
}

async fn contingent(bench: &Bench<Housing>, places: i32) -> String {
    let request = pb::AgreeContingentRequest {
        request_id: rid(),
        corporation: "trivire".into(),
        municipality: "0505".into(),
        year: 2026,
        target_group: pb::TargetGroup::Outflow.into(),
        places,
    };
    regie(bench).agree_contingent(request).await.unwrap().into_inner().contingent_id
}

fn registration(n: u32) -> pb::RegisterDwellingRequest {
    pb::RegisterDwellingRequest {
        request_id: rid(),
        bag_object_id: format!("0505010000{n:06}"),
        unit_suffix: String::new(),
        unit_number: format!("T-{n}"),
        address: Some(pb::Address {
            street: "Voorstraat".into(),
            house_number: n.to_string(),
            postcode: "3311AA".into(),
            town: "Dordrecht".into(),
        }),
        district: "WK050503".into(),
        neighbourhood: "BU05050301".into(),
        kind: pb::DwellingKind::Flat.into(),
        contract_form: pb::ContractForm::OwnLease.into(),
        rent_cents: 60_000,
        floor_area_m2: 48,
        rooms: 2,
        max_persons: 2,
        available_on: Some(from_date(date(2026, 3, 20))),
    }
}

async fn dwelling(bench: &Bench<Housing>, n: u32) -> String {
    trivire(bench).register_dwelling(registration(n)).await.unwrap().into_inner().dwelling_id
}

fn nomination(client: ClientId) -> pb::NominateRequest {
    pb::NominateRequest {
        request_id: rid(),
        client_id: client.to_string(),
        municipality: "0505".into(),
        target_group: pb::TargetGroup::Outflow.into(),
        adults: 1,
        age_class: pb::AgeClass::From23.into(),
        ..Default::default()
    }
}

async fn nominate(bench: &Bench<Housing>, client: ClientId) -> String {
    shelter(bench).nominate(nomination(client)).await.unwrap().into_inner().nomination_id
}

async fn try_offer(
    bench: &Bench<Housing>,
    dwelling: &str,
    nomination: &str,
    why: pb::DeviationReason,
) -> Result<String, Status> {
    let request = pb::OfferDwellingRequest {
        request_id: rid(),
        dwelling_id: dwelling.into(),
        nomination_id: nomination.into(),
        lease_start_on: Some(from_date(date(2026, 4, 1))),
        deviation_reason: why.into(),
    };
    Ok(regie(bench).offer_dwelling(request).await?.into_inner().offer_id)
}

async fn offer(bench: &Bench<Housing>, dwelling: &str, nomination: &str) -> String {
    try_offer(bench, dwelling, nomination, pb::DeviationReason::Unspecified).await.unwrap()
}

/// The version of an offer now.
async fn offer_version(bench: &Bench<Housing>, offer: &str) -> i64 {
    let request = pb::GetOfferRequest { offer_id: offer.into() };
    regie(bench).get_offer(request).await.unwrap().into_inner().offer.unwrap().version
}

/// The version of an allocation now.
async fn allocation_version(bench: &Bench<Housing>, allocation: &str) -> i64 {
    let request = pb::GetAllocationRequest { allocation_id: allocation.into() };
    regie(bench).get_allocation(request).await.unwrap().into_inner().allocation.unwrap().version
}

/// Whether the service cannot answer now, or somebody was first: then it is read and asked again, as every caller should.
async fn busy(status: &Status) -> bool {
    tokio::time::sleep(std::time::Duration::from_millis(if status.code() == Code::Unavailable { 20 } else { 0 })).await;
    status.code() == Code::Unavailable || reason(status) == "STALE_VERSION"
}

async fn accept(bench: &Bench<Housing>, client: ClientId, offer: &str) -> Result<pb::AcceptOfferResponse, Status> {
    loop {
        let expected_version = offer_version(bench, offer).await;
        let (request_id, offer_id) = (rid(), offer.into());
        let request = pb::AcceptOfferRequest { request_id, offer_id, expected_version, ..Default::default() };
        match self_(bench, client).accept_offer(request).await {
            Err(status) if busy(&status).await => {}
            answer => return Ok(answer?.into_inner()),
        }
    }
}

async fn accept_candidate(bench: &Bench<Housing>, offer: &str) -> Result<pb::AcceptCandidateResponse, Status> {
    loop {
        let expected_version = offer_version(bench, offer).await;
        let request = pb::AcceptCandidateRequest {
            request_id: rid(),
            offer_id: offer.into(),
            expected_version,
            ..Default::default()
        };
        match trivire(bench).accept_candidate(request).await {
            Err(status) if busy(&status).await => {}
            answer => return Ok(answer?.into_inner()),
        }
    }
}

async fn decline(bench: &Bench<Housing>, client: ClientId, offer: &str, why: pb::DeclineReason) -> Result<(), Status> {
    let (expected_version, reason) = (offer_version(bench, offer).await, why.into());
    let (request_id, offer_id) = (rid(), offer.into());
    let request = pb::DeclineOfferRequest { request_id, offer_id, expected_version, reason, ..Default::default() };
    self_(bench, client).decline_offer(request).await.map(drop)
}

/// Everything up to an allocation: client, nomination, dwelling, allocation.
async fn allocated(bench: &Bench<Housing>) -> (ClientId, String, String, String) {
    contingent(bench, 5).await;
    let (home, client) = (dwelling(bench, 1).await, ready_client(bench).await);
    let nomination = nominate(bench, client).await;
    let offer = offer(bench, &home, &nomination).await;
    accept(bench, client, &offer).await.unwrap();
    let allocation = accept_candidate(bench, &offer).await.unwrap().allocation_id;
    (client, nomination, home, allocation)
}

async fn open_gate(bench: &Bench<Housing>, allocation: &str) -> i64 {
    let request = pb::OpenGateRequest {
        request_id: rid(),
        allocation_id: allocation.into(),
        expected_version: 0,
        ground: pb::GateGround::Benefit.into(),
    };
    svc_regie(bench).open_gate(request).await.unwrap().into_inner().version
}

async fn sign_lease(bench: &Bench<Housing>, allocation: &str) -> Result<i32, Status> {
    let expected_version = allocation_version(bench, allocation).await;
    let request = pb::SignLeaseRequest { request_id: rid(), allocation_id: allocation.into(), expected_version };
    Ok(trivire(bench).sign_lease(request).await?.into_inner().state)
}

async fn keys(bench: &Bench<Housing>, allocation: &str, on: Option<Date>) -> Result<i32, Status> {
    let (on, expected_version) = (on.map(from_date), allocation_version(bench, allocation).await);
    let request = pb::HandOverKeysRequest { request_id: rid(), allocation_id: allocation.into(), expected_version, on };
    Ok(trivire(bench).hand_over_keys(request).await?.into_inner().state)
}

async fn withdraw(bench: &Bench<Housing>, allocation: &str) -> Result<i32, Status> {
    let request = pb::WithdrawAllocationRequest {
        request_id: rid(),
        allocation_id: allocation.into(),
        expected_version: allocation_version(bench, allocation).await,
        reason: pb::WithdrawalReason::Corporation.into(),
    };
    Ok(trivire(bench).withdraw_allocation(request).await?.into_inner().state)
}

async fn standing(bench: &Bench<Housing>, contingent: &str) -> (i32, i32) {
    let request = pb::GetContingentRequest { contingent_id: contingent.into() };
    let contingent = regie(bench).get_contingent(request).await.unwrap().into_inner().contingent.unwrap();
    (contingent.drawn, contingent.realised)
}

async fn nomination_state(bench: &Bench<Housing>, id: &str) -> pb::NominationState {
    let request = pb::GetNominationRequest { nomination_id: id.into() };
    shelter(bench).get_nomination(request).await.unwrap().into_inner().nomination.unwrap().state()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> String {
    reason(&outcome.unwrap_err())
}

/// Regie says that two clients are kept apart; returns the separation.
async fn keep_apart(bench: &Bench<Housing>, one: ClientId, other: ClientId) -> String {
    let separation_id = Uuid::now_v7().to_string();
    let marked = SeparationMarked {
        separation_id: separation_id.clone(),
        client_id: one.to_string(),
        other_client_id: other.to_string(),
    };
    bench.peer("regie").publish(Some(one), date(2026, 3, 2), &marked).await;
    separation_id
}

async fn dwelling_in(bench: &Bench<Housing>, n: u32, neighbourhood: &str) -> String {
    let request = pb::RegisterDwellingRequest { neighbourhood: neighbourhood.into(), ..registration(n) };
    trivire(bench).register_dwelling(request).await.unwrap().into_inner().dwelling_id
}

async fn ranked(bench: &Bench<Housing>, dwelling: &str) -> pb::RankCandidatesResponse {
    let request = pb::RankCandidatesRequest { dwelling_id: dwelling.into(), ..Default::default() };
    regie(bench).rank_candidates(request).await.unwrap().into_inner()
}

testkit::on_both_engines! {
    /// R-HOU-01, R-HOU-16, P2
    async fn a_household_walks_from_nomination_to_keys(bench: Bench<Housing> = Housing::embedded()) {
        let contingent = contingent(&bench, 1).await;
        let (home, client) = (dwelling(&bench, 1).await, ready_client(&bench).await);
        let nomination = nominate(&bench, client).await;
        let offer = offer(&bench, &home, &nomination).await;
        assert_eq!(accept(&bench, client, &offer).await.unwrap().allocation_id, "");
        let accepted = accept_candidate(&bench, &offer).await.unwrap();
        assert_eq!(accepted.state(), pb::OfferState::Accepted);
        let allocation = accepted.allocation_id;
        assert_eq!(standing(&bench, &contingent).await, (1, 0));

        assert_eq!(refused(sign_lease(&bench, &allocation).await), "GATE_SHUT");
        open_gate(&bench, &allocation).await;
        assert_eq!(sign_lease(&bench, &allocation).await.unwrap(), i32::from(pb::AllocationState::LeaseSigned));
        assert_eq!(refused(keys(&bench, &allocation, Some(date(2026, 4, 1))).await), "KEYS_IN_FUTURE");
        bench.on(date(2026, 4, 1)).await;
        assert_eq!(keys(&bench, &allocation, None).await.unwrap(), i32::from(pb::AllocationState::KeysHandedOver));
        assert_eq!(standing(&bench, &contingent).await, (1, 1));
        assert_eq!(nomination_state(&bench, &nomination).await, pb::NominationState::Housed);
        assert_eq!(refused(withdraw(&bench, &allocation).await), "KEYS_HANDED_OVER_ALREADY");

        let own = trivire(&bench)
            .get_allocation_as_corporation(pb::GetAllocationAsCorporationRequest { allocation_id: allocation.clone() })
            .await.unwrap().into_inner().allocation.unwrap();
        assert_eq!((own.client_id.as_str(), own.guidance_by.as_str()), (client.to_string().as_str(), "leger-des-heils"));

        let end = |expected_version| pb::EndLeaseRequest {
            request_id: rid(), allocation_id: allocation.clone(), expected_version, reason: pb::LeaseEndReason::Moved.into(),
            on: None,
        };
        // Whatever stands is for regie's service: people say what they saw.
        assert_eq!(refused(trivire(&bench).end_lease(end(0)).await), "STALE_VERSION");
        trivire(&bench).end_lease(end(own.version)).await.unwrap();
        assert_eq!(bench.event_names().await, [
            "ContingentAgreed", "DwellingRegistered", "Nominated", "OfferMade", "OfferAnswered", "OfferAnswered",
            "AllocationAccepted", "GateOpened", "LeaseSigned", "KeysHandedOver", "LeaseEnded",
        ]);
    }

    /// P1
    async fn the_first_offer_accepted_by_all_wins_and_frees_the_others(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 5).await;
        let (home, elsewhere) = (dwelling(&bench, 1).await, dwelling(&bench, 2).await);
        let (first, second) = (ready_client(&bench).await, ready_client(&bench).await);
        let nominations = [nominate(&bench, first).await, nominate(&bench, second).await];
        let offers = [offer(&bench, &home, &nominations[0]).await, offer(&bench, &home, &nominations[1]).await];
        let other_home = offer(&bench, &elsewhere, &nominations[0]).await;
        assert_eq!(refused(try_offer(&bench, &home, &nominations[1], pb::DeviationReason::Urgent).await), "OFFER_OPEN_ALREADY");
        accept(&bench, second, &offers[1]).await.unwrap();
        accept_candidate(&bench, &offers[0]).await.unwrap();
        let allocation = accept(&bench, first, &offers[0]).await.unwrap().allocation_id;
        assert!(!allocation.is_empty());
        // The other candidate of this home, and the other home of this candidate.
        assert_eq!(refused(accept_candidate(&bench, &offers[1]).await), "DWELLING_TAKEN");
        assert_eq!(refused(accept(&bench, first, &other_home).await), "OFFER_CLOSED");
        assert_eq!(refused(try_offer(&bench, &home, &nominations[1], pb::DeviationReason::Urgent).await), "DWELLING_TAKEN");
        assert_eq!(refused(try_offer(&bench, &elsewhere, &nominations[0], pb::DeviationReason::Urgent).await), "NOMINATION_NOT_IN_POOL");
        // Saying yes again changes nothing.
        assert_eq!(accept(&bench, first, &offers[0]).await.unwrap().allocation_id, allocation);
        let homes = trivire(&bench).list_dwellings(pb::ListDwellingsRequest::default()).await.unwrap().into_inner().dwellings;
        let expected_version = homes.iter().find(|one| one.dwelling_id == home).unwrap().version;
        let withdrawal = pb::WithdrawDwellingRequest { request_id: rid(), dwelling_id: home, expected_version };
        assert_eq!(refused(trivire(&bench).withdraw_dwelling(withdrawal).await), "DWELLING_TAKEN");
        let names = bench.event_names().await;
        assert_eq!(names.iter().filter(|name| *name == "OfferSuperseded").count(), 2);
        assert_eq!(names.iter().filter(|name| *name == "AllocationAccepted").count(), 1);
    }

    /// P1
    async fn many_candidates_racing_for_one_dwelling_make_one_allocation(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 50).await;
        let home = dwelling(&bench, 1).await;
        let mut racers = Vec::new();
        for _ in 0..8 {
            let client = ready_client(&bench).await;
            let nomination = nominate(&bench, client).await;
            racers.push((client, offer(&bench, &home, &nomination).await));
        }
        let bench = std::sync::Arc::new(bench);
        let mut running = tokio::task::JoinSet::new();
        for (client, offer) in racers {
            let (for_client, for_corporation, id) = (bench.clone(), bench.clone(), offer.clone());
            running.spawn(async move { accept(&for_client, client, &id).await.map(|answer| answer.allocation_id) });
            running.spawn(async move { accept_candidate(&for_corporation, &offer).await.map(|answer| answer.allocation_id) });
        }
        let outcomes = running.join_all().await;
        let mut allocations: Vec<&String> = outcomes.iter().flatten().filter(|id| !id.is_empty()).collect();
        allocations.sort();
        allocations.dedup();
        assert_eq!(allocations.len(), 1);
        for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(reason(outcome), "DWELLING_TAKEN");
        }
        let names = bench.event_names().await;
        assert_eq!(names.iter().filter(|name| *name == "AllocationAccepted").count(), 1);
        assert_eq!(names.iter().filter(|name| *name == "OfferSuperseded").count(), 7);
    }

    /// P1
    async fn the_database_itself_refuses_a_second_live_allocation_of_a_dwelling(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 5).await;
        let home = dwelling(&bench, 1).await;
        let (first, second) = (ready_client(&bench).await, ready_client(&bench).await);
        let (one, other) = (nominate(&bench, first).await, nominate(&bench, second).await);
        let (accepted, superseded) = (offer(&bench, &home, &one).await, offer(&bench, &home, &other).await);
        accept(&bench, first, &accepted).await.unwrap();
        let allocation = accept_candidate(&bench, &accepted).await.unwrap().allocation_id;

        // Whatever the code does: the same row for another household, put beside it by hand.
        let store = Store::open("housing", bench.database(), &bench.sealing(), Housing::ABOUT.migrations).await.unwrap();
        let mut tx = store.write().await.unwrap();
        let copied = tx
            .run(
                "insert into allocation (allocation_id, offer_id, nomination_id, dwelling_id, client_id, corporation, provider,
                     municipality, neighbourhood, contingent_id, form, lease_start_on, rent_cents, guarantee_required,
                     suitability, accepted_at, accepted_on, state, version)
                 select $1, $2, $3, dwelling_id, client_id, corporation, provider, municipality, neighbourhood, contingent_id,
                     form, lease_start_on, rent_cents, guarantee_required, suitability, accepted_at, accepted_on, state, version
                 from allocation where allocation_id = $4",
                args![Uuid::now_v7(), superseded.as_str(), other.as_str(), allocation.as_str()],
            )
            .await
            .map_err(|error| error.on_unique("allocation_one_live_per_dwelling", "allocation.dwelling_id", &DWELLING_TAKEN));
        let refusal = copied.unwrap_err().refusal().expect("the index says no, and that is a refusal");
        assert_eq!(refusal.reason.code, "DWELLING_TAKEN");
        drop(tx);
        store.close().await;
    }

    /// P4, R-HOU-01
    async fn a_withdrawn_allocation_frees_dwelling_contingent_and_client(bench: Bench<Housing> = Housing::embedded()) {
        let contingent = contingent(&bench, 1).await;
        let (home, client, waiting) = (dwelling(&bench, 1).await, ready_client(&bench).await, ready_client(&bench).await);
        let (nomination, next) = (nominate(&bench, client).await, nominate(&bench, waiting).await);
        let accepted = offer(&bench, &home, &nomination).await;
        accept(&bench, client, &accepted).await.unwrap();
        let allocation = accept_candidate(&bench, &accepted).await.unwrap().allocation_id;
        open_gate(&bench, &allocation).await;
        sign_lease(&bench, &allocation).await.unwrap();

        // The one place is taken: another home of this corporation finds none.
        let second = dwelling(&bench, 2).await;
        assert_eq!(refused(try_offer(&bench, &second, &next, pb::DeviationReason::Urgent).await), "CONTINGENT_EXHAUSTED");

        assert_eq!(withdraw(&bench, &allocation).await.unwrap(), i32::from(pb::AllocationState::Withdrawn));
        assert_eq!(withdraw(&bench, &allocation).await.unwrap(), i32::from(pb::AllocationState::Withdrawn));
        assert_eq!(standing(&bench, &contingent).await, (0, 0));
        assert_eq!(nomination_state(&bench, &nomination).await, pb::NominationState::InPool);
        let shut = pb::ShutGateRequest { request_id: rid(), allocation_id: allocation.clone(), expected_version: 0 };
        svc_regie(&bench).shut_gate(shut).await.unwrap();
        assert_eq!(refused(keys(&bench, &allocation, None).await), "ALLOCATION_CLOSED");

        // The same home, to the same client again.
        let again = offer(&bench, &home, &nomination).await;
        accept_candidate(&bench, &again).await.unwrap();
        assert!(!accept(&bench, client, &again).await.unwrap().allocation_id.is_empty());
        assert_eq!(standing(&bench, &contingent).await, (1, 0));
        let names = bench.event_names().await;
        assert_eq!(names.iter().filter(|name| *name == "AllocationWithdrawn").count(), 1);
    }

    /// P7, R-HOU-22
    async fn an_offer_is_brought_to_mind_then_lapses_also_over_a_restart(bench: Bench<Housing> = Housing::embedded()) {
        let mut bench = bench;
        contingent(&bench, 5).await;
        let (home, client) = (dwelling(&bench, 1).await, ready_client(&bench).await);
        let nomination = nominate(&bench, client).await;
        let made = offer(&bench, &home, &nomination).await;
        accept_candidate(&bench, &made).await.unwrap();
        bench.restart().await;
        bench.on(date(2026, 3, 6)).await;
        assert_eq!(bench.event_names().await.last().unwrap(), "OfferEndingSoon");
        bench.on(date(2026, 3, 10)).await;
        assert_eq!(bench.event_names().await.last().unwrap(), "OfferLapsed");
        assert_eq!(refused(accept(&bench, client, &made).await), "OFFER_EXPIRED");
        // Free again, for the same client too; an answered offer has no deadline left.
        let again = offer(&bench, &home, &nomination).await;
        decline(&bench, client, &again, pb::DeclineReason::Safety).await.unwrap();
        let before = bench.event_names().await.len();
        bench.on(date(2026, 4, 10)).await;
        assert_eq!(bench.event_names().await.len(), before);
    }

    /// R-HOU-22, R-HOU-29, P8
    async fn why_a_client_declines_never_reaches_the_corporation(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 5).await;
        let client = ready_client(&bench).await;
        let nomination = nominate(&bench, client).await;
        let mut offers = Vec::new();
        for n in 1..=3 {
            let home = dwelling(&bench, n).await;
            offers.push(offer(&bench, &home, &nomination).await);
        }
        decline(&bench, client, &offers[0], pb::DeclineReason::UnsuitableHealth).await.unwrap();
        let request = pb::GetOfferAsCorporationRequest { offer_id: offers[0].clone() };
        let seen = trivire(&bench).get_offer_as_corporation(request).await.unwrap().into_inner().offer.unwrap();
        assert_eq!(seen.state(), pb::OfferState::Declined);
        let heard = bench.events_for(&actor(Role::Corporation, "trivire"), "housing").await;
        let types: Vec<&str> = heard.iter().map(|event| event.r#type.as_str()).collect();
        assert!(types.contains(&"nl.doorstroom.housing.candidate-gone"));
        assert!(!types.contains(&"nl.doorstroom.housing.offer-answered"));
        assert!(bench.events_for(&actor(Role::Corporation, "woonbron"), "housing").await.is_empty());

        // Access judges it; not upheld it counts, and with a second one the third home needs a reason.
        let expected_version = offer_version(&bench, &offers[0]).await;
        let judge = |upheld| pb::JudgeHealthGroundRequest {
            request_id: rid(), offer_id: offers[0].clone(), expected_version, upheld,
        };
        let mut access = caller(&bench, Role::Access, "gemeente-toegang");
        assert_eq!(refused(access.judge_health_ground(judge(false)).await), "NOT_FOUND");
        relate(&bench, client, "gemeente-toegang", Role::Access).await;
        access.judge_health_ground(judge(false)).await.unwrap();
        decline(&bench, client, &offers[1], pb::DeclineReason::Costs).await.unwrap();
        decline(&bench, client, &offers[2], pb::DeclineReason::FoundElsewhere).await.unwrap();
        let view = shelter(&bench).get_nomination(pb::GetNominationRequest { nomination_id: nomination.clone() }).await.unwrap();
        assert_eq!(view.into_inner().nomination.unwrap().declined_offers, 2);
        let fourth = dwelling(&bench, 4).await;
        let why = pb::DeviationReason::Urgent;
        assert_eq!(refused(try_offer(&bench, &fourth, &nomination, pb::DeviationReason::Unspecified).await), "OFFER_DECLINED_OFTEN");
        try_offer(&bench, &fourth, &nomination, why).await.unwrap();
        let first = view_of(&bench, client, &offers[0]).await;
        assert_eq!((first.decline_reason(), first.decline_counts), (pb::DeclineReason::UnsuitableHealth, true));
    }

    /// R-HOU-03, R-REG-25
    async fn the_ranking_shows_parts_and_why_not_and_deviating_needs_a_reason(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 5).await;
        let home = dwelling(&bench, 1).await;
        let (near, far, lost) = (ready_client(&bench).await, ready_client(&bench).await, ready_client(&bench).await);
        let far_nomination = nominate(&bench, far).await;
        let wishes = pb::Wishes { wished_districts: vec!["WK050503".into()], ..Default::default() };
        let wishing = pb::NominateRequest { wishes: Some(wishes), ..nomination(near) };
        let near_nomination = shelter(&bench).nominate(wishing).await.unwrap().into_inner().nomination_id;
        let lost_nomination = nominate(&bench, lost).await;
        readiness(&bench, lost, vec![Requirement::Decision]).await;

        let request = pb::RankCandidatesRequest { dwelling_id: home.clone(), ..Default::default() };
        let ranking = regie(&bench).rank_candidates(request.clone()).await.unwrap().into_inner();
        let order: Vec<&str> = ranking.ranked.iter().map(|one| one.nomination_id.as_str()).collect();
        assert_eq!(order, [near_nomination.as_str(), far_nomination.as_str()]);
        assert!(ranking.ranked[0].parts.iter().any(|part| part.part() == pb::ScorePart::Wish && part.points == 30));
        assert_eq!(ranking.not_ranked[0].nomination_id, lost_nomination);
        assert_eq!((ranking.not_ranked[0].failed[0].rule.as_str(), ranking.spread_warning), ("R-HOU-03", false));
        assert_eq!((ranking.ranked.len(), ranking.not_ranked.len(), ranking.next_page_token.as_str()), (2, 1, ""));
        // The same, one by one: whoever is ranked, then whoever is not.
        let (mut paged, mut page) = (Vec::new(), pb::RankCandidatesRequest { page_size: 1, ..request.clone() });
        loop {
            let one = regie(&bench).rank_candidates(page.clone()).await.unwrap().into_inner();
            let ranked = one.ranked.iter().map(|ranked| (true, ranked.nomination_id.clone()));
            paged.push(ranked.chain(one.not_ranked.iter().map(|out| (false, out.nomination_id.clone()))).collect::<Vec<_>>());
            page.page_token = one.next_page_token;
            if page.page_token.is_empty() {
                break;
            }
        }
        let order = [(true, &near_nomination), (true, &far_nomination), (false, &lost_nomination)];
        assert_eq!(paged, order.map(|(ranked, id)| vec![(ranked, id.clone())]));
        let strange = pb::RankCandidatesRequest { page_token: "WyJ4Il0".to_owned(), ..request };
        assert_eq!(refused(regie(&bench).rank_candidates(strange).await), "PAGE_TOKEN_INVALID");

        let none = pb::DeviationReason::Unspecified;
        assert_eq!(refused(try_offer(&bench, &home, &far_nomination, none).await), "OFFER_DEVIATION_UNEXPLAINED");
        assert_eq!(refused(try_offer(&bench, &home, &lost_nomination, pb::DeviationReason::Urgent).await), "NOMINATION_NOT_READY");
        let made = try_offer(&bench, &home, &far_nomination, pb::DeviationReason::Neighbourhood).await.unwrap();
        let view = view_of(&bench, far, &made).await;
        assert_eq!((view.rank, view.deviation_reason()), (2, pb::DeviationReason::Neighbourhood));
        // The client can read the own offer and its score; not that of another.
        assert_eq!(refused(self_(&bench, near).get_offer(pb::GetOfferRequest { offer_id: made }).await), "NOT_FOUND");
    }

    /// R-HOU-03, R-HOU-21
    async fn only_ready_clients_of_the_own_caseload_are_nominated(bench: Bench<Housing> = Housing::embedded()) {
        let client = ClientId(Uuid::new_v4());
        let mut shelter = shelter(&bench);
        assert_eq!(refused(shelter.nominate(nomination(client)).await), "NOT_FOUND");
        let relation = relate(&bench, client, "leger-des-heils", Role::Shelter).await;
        assert_eq!(refused(shelter.nominate(nomination(client)).await), "NOMINATION_NOT_READY");
        readiness(&bench, client, vec![Requirement::HousingGoal, Requirement::Finances]).await;
        let status = shelter.nominate(nomination(client)).await.unwrap_err();
        assert!(status.message().contains("housing_goal, finances"), "{}", status.message());
        readiness(&bench, client, vec![]).await;
        let permit_holder = pb::NominateRequest { target_group: pb::TargetGroup::PermitHolders.into(), ..nomination(client) };
        assert_eq!(refused(shelter.nominate(permit_holder).await), "NOMINATION_NOT_FOR_PERMIT_HOLDERS");
        let id = nominate(&bench, client).await;
        assert_eq!(refused(shelter.nominate(nomination(client)).await), "NOMINATION_EXISTS");
        // Out of the pool, and in again.
        let withdrawal =
            |expected_version| pb::WithdrawNominationRequest { request_id: rid(), nomination_id: id.clone(), expected_version };
        let withdrawn = svc_regie(&bench).withdraw_nomination(withdrawal(0)).await.unwrap().into_inner();
        assert_eq!(refused(shelter.withdraw_nomination(withdrawal(0)).await), "STALE_VERSION");
        shelter.withdraw_nomination(withdrawal(withdrawn.version)).await.unwrap();
        nominate(&bench, client).await;
        // A relation that ended ends the right.
        let ended = RelationEnded { relation_id: relation.to_string(), client_id: client.to_string(), ..Default::default() };
        bench.peer("regie").publish(Some(client), date(2026, 3, 2), &ended).await;
        assert_eq!(refused(shelter.get_nomination(pb::GetNominationRequest { nomination_id: id }).await), "NOT_FOUND");
    }

    /// R-REG-13, R-HOU-29
    async fn the_wrong_role_is_denied_and_the_wrong_organisation_finds_nothing(bench: Bench<Housing> = Housing::embedded()) {
        let (client, nomination, home, allocation) = allocated(&bench).await;
        let mut woonbron = caller(&bench, Role::Corporation, "woonbron");
        let looked = pb::GetAllocationAsCorporationRequest { allocation_id: allocation.clone() };
        let unknown = pb::GetAllocationAsCorporationRequest { allocation_id: Uuid::now_v7().to_string() };
        let (other, none) = (
            woonbron.get_allocation_as_corporation(looked).await.unwrap_err(),
            woonbron.get_allocation_as_corporation(unknown).await.unwrap_err(),
        );
        assert_eq!((other.code(), other.message()), (Code::NotFound, none.message()));
        let sign = || pb::SignLeaseRequest { request_id: rid(), allocation_id: allocation.clone(), expected_version: 0 };
        assert_eq!(woonbron.sign_lease(sign()).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(regie(&bench).sign_lease(sign()).await.unwrap_err().code(), Code::PermissionDenied);
        let gate = || pb::OpenGateRequest {
            request_id: rid(), allocation_id: allocation.clone(), expected_version: 0, ground: pb::GateGround::Override.into(),
        };
        assert_eq!(trivire(&bench).open_gate(gate()).await.unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(regie(&bench).open_gate(gate()).await.unwrap_err().code(), Code::PermissionDenied);
        let denied = trivire(&bench).get_nomination(pb::GetNominationRequest { nomination_id: nomination }).await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied);
        let ranking = pb::RankCandidatesRequest { dwelling_id: home, ..Default::default() };
        assert_eq!(trivire(&bench).rank_candidates(ranking).await.unwrap_err().code(), Code::PermissionDenied);

        // Income and district see their own slice, once they have to do with the client.
        let mut income = caller(&bench, Role::Income, "sdd");
        let move_in = || pb::GetMoveForIncomeRequest { allocation_id: allocation.clone() };
        assert_eq!(refused(income.get_move_for_income(move_in()).await), "NOT_FOUND");
        relate(&bench, client, "sdd", Role::Income).await;
        assert_eq!(income.get_move_for_income(move_in()).await.unwrap().into_inner().rent_cents, 60_000);
        relate(&bench, client, "wijkteam-west", Role::District).await;
        let moved = caller(&bench, Role::District, "wijkteam-west")
            .get_move_for_district(pb::GetMoveForDistrictRequest { allocation_id: allocation.clone() })
            .await.unwrap().into_inner();
        assert_eq!((moved.address.unwrap().street.as_str(), moved.district.as_str()), ("Voorstraat", "WK050503"));

        // From here on they hear of the move; another corporation with a relation does not.
        relate(&bench, client, "woonbron", Role::Corporation).await;
        withdraw(&bench, &allocation).await.unwrap();
        let types = |events: Vec<proto::feed::v1::Event>| events.into_iter().map(|e| e.r#type).collect::<Vec<_>>();
        let heard = types(bench.events_for(&actor(Role::Income, "sdd"), "income").await);
        assert_eq!(heard, ["nl.doorstroom.housing.allocation-withdrawn"]);
    }

    /// P3
    async fn a_repeat_gives_the_first_answer_and_changes_nothing(bench: Bench<Housing> = Housing::embedded()) {
        let mut bench = bench;
        contingent(&bench, 5).await;
        let (home, client) = (dwelling(&bench, 1).await, ready_client(&bench).await);
        let nomination = nominate(&bench, client).await;
        let request = pb::OfferDwellingRequest {
            request_id: rid(), dwelling_id: home, nomination_id: nomination, ..Default::default()
        };
        let first = regie(&bench).offer_dwelling(request.clone()).await.unwrap().into_inner();
        bench.restart().await;
        assert_eq!(regie(&bench).offer_dwelling(request.clone()).await.unwrap().into_inner(), first);
        let other = pb::OfferDwellingRequest { deviation_reason: pb::DeviationReason::Urgent.into(), ..request };
        assert_eq!(refused(regie(&bench).offer_dwelling(other).await), "REQUEST_ID_REUSED");

        let answer = |version| pb::AcceptCandidateRequest {
            request_id: rid(), offer_id: first.offer_id.clone(), expected_version: version, ..Default::default()
        };
        assert_eq!(refused(trivire(&bench).accept_candidate(answer(7)).await), "STALE_VERSION");
        let second = trivire(&bench).accept_candidate(answer(1)).await.unwrap().into_inner().version;
        assert_eq!(second, 2);
        // The same wish under another request id.
        assert_eq!(trivire(&bench).accept_candidate(answer(2)).await.unwrap().into_inner().version, 2);
        assert_eq!(bench.event_names().await.iter().filter(|name| *name == "OfferAnswered").count(), 1);
    }

    /// R-HOU-11, R-HOU-13, R-HOU-29
    async fn a_convertible_lease_is_signed_by_three_parties_first(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 5).await;
        let convertible = pb::RegisterDwellingRequest {
            contract_form: pb::ContractForm::ConvertibleLease.into(), ..registration(1)
        };
        let home = trivire(&bench).register_dwelling(convertible).await.unwrap().into_inner().dwelling_id;
        let client = ready_client(&bench).await;
        let nomination = nominate(&bench, client).await;
        let made = offer(&bench, &home, &nomination).await;
        accept_candidate(&bench, &made).await.unwrap();
        let allocation = accept(&bench, client, &made).await.unwrap().allocation_id;
        open_gate(&bench, &allocation).await;
        assert_eq!(refused(sign_lease(&bench, &allocation).await), "AGREEMENT_MISSING");

        let party = |party: pb::Party, capacity: pb::Capacity| pb::AgreementParty {
            party: party.into(), signatories: vec![capacity.into()],
        };
        let draft = pb::DraftAgreementRequest {
            request_id: rid(),
            allocation_id: allocation.clone(),
            expected_version: allocation_version(&bench, &allocation).await,
            parties: vec![
                party(pb::Party::Corporation, pb::Capacity::Officer),
                party(pb::Party::Client, pb::Capacity::Self_),
                party(pb::Party::Provider, pb::Capacity::Officer),
            ],
            tenant: pb::Tenant::Client.into(),
            lease_months: 24,
            guidance_tied: true,
            ..Default::default()
        };
        assert_eq!(refused(shelter(&bench).draft_agreement(draft.clone()).await), "AGREEMENT_GROUND_MISSING");
        let ground = pb::TemporaryGround::FromShelter.into();
        shelter(&bench).draft_agreement(pb::DraftAgreementRequest { temporary_ground: ground, ..draft }).await.unwrap();
        let drafted = allocation_version(&bench, &allocation).await;
        let sign = |seen: i64, party: pb::Party, capacity: pb::Capacity, evidence: &str| pb::SignAgreementRequest {
            request_id: rid(),
            allocation_id: allocation.clone(),
            expected_version: seen,
            party: party.into(),
            capacity: capacity.into(),
            evidence: evidence.into(),
        };
        let for_client = |evidence| sign(drafted, pb::Party::Client, pb::Capacity::Self_, evidence);
        assert_eq!(refused(trivire(&bench).sign_agreement(for_client("x")).await), "AGREEMENT_NOT_YOURS_TO_SIGN");
        assert_eq!(refused(shelter(&bench).sign_agreement(for_client("")).await), "OFFER_EVIDENCE_MISSING");
        let signed = shelter(&bench).sign_agreement(for_client("paper copy, file 12")).await.unwrap().into_inner();
        let second = sign(signed.version, pb::Party::Corporation, pb::Capacity::Officer, "");
        let signed = trivire(&bench).sign_agreement(second).await.unwrap().into_inner();
        let last = sign(signed.version, pb::Party::Provider, pb::Capacity::Officer, "");
        let signed = shelter(&bench).sign_agreement(last).await.unwrap().into_inner();
        assert_eq!(signed.state(), pb::AllocationState::AgreementSigned);
        sign_lease(&bench, &allocation).await.unwrap();
        let request = pb::GetAllocationRequest { allocation_id: allocation };
        let view = self_(&bench, client).get_allocation(request).await.unwrap().into_inner().allocation.unwrap();
        let agreement = view.agreement.unwrap();
        assert_eq!((agreement.signatures.len(), agreement.lease_months, agreement.parties.len()), (3, 24, 3));
        assert_eq!((view.gate_open, view.rent_allowance_gap_days), (true, 0));
    }

    /// R-HOU-01, R-HOU-26
    async fn what_is_agreed_and_what_there_is_is_listed_page_by_page(bench: Bench<Housing> = Housing::embedded()) {
        let id = contingent(&bench, 5).await;
        assert_eq!(contingent(&bench, 5).await, id);
        let agree = pb::AgreeContingentRequest {
            request_id: rid(), corporation: "trivire".into(), municipality: "0505".into(), year: 2026,
            target_group: pb::TargetGroup::Outflow.into(), places: 6,
        };
        assert_eq!(refused(regie(&bench).agree_contingent(agree.clone()).await), "CONTINGENT_AGREED_ALREADY");
        let other = pb::AgreeContingentRequest { request_id: rid(), corporation: "woonbron".into(), year: 2027, ..agree };
        regie(&bench).agree_contingent(other).await.unwrap();
        let change = pb::ChangeContingentRequest {
            request_id: rid(), contingent_id: id.clone(), expected_version: 1, places: 8,
            reason: pb::ContingentChangeReason::Pact.into(),
        };
        regie(&bench).change_contingent(change).await.unwrap();
        let read = trivire(&bench).get_contingent(pb::GetContingentRequest { contingent_id: id.clone() }).await.unwrap().into_inner();
        assert_eq!(read.changes.iter().map(|change| change.places).collect::<Vec<_>>(), [5, 8]);
        let hidden = caller(&bench, Role::Corporation, "woonbron").get_contingent(pb::GetContingentRequest { contingent_id: id }).await;
        assert_eq!(refused(hidden), "NOT_FOUND");
        let list = pb::ListContingentsRequest { page_size: 1, ..Default::default() };
        let page = regie(&bench).list_contingents(list.clone()).await.unwrap().into_inner();
        assert_eq!(page.contingents[0].year, 2027);
        let rest = pb::ListContingentsRequest { page_token: page.next_page_token, ..list.clone() };
        let rest = regie(&bench).list_contingents(rest).await.unwrap().into_inner();
        assert_eq!((rest.contingents[0].year, rest.next_page_token.as_str()), (2026, ""));
        assert_eq!(trivire(&bench).list_contingents(list).await.unwrap().into_inner().contingents.len(), 1);

        let mut homes = Vec::new();
        for n in 1..=3 {
            homes.push(dwelling(&bench, n).await);
        }
        let twice = registration(1);
        assert_eq!(refused(caller(&bench, Role::Corporation, "woonbron").register_dwelling(twice).await), "DWELLING_REGISTERED_ALREADY");
        let withdrawal = pb::WithdrawDwellingRequest { request_id: rid(), dwelling_id: homes[0].clone(), expected_version: 1 };
        trivire(&bench).withdraw_dwelling(withdrawal).await.unwrap();
        dwelling(&bench, 1).await;
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListDwellingsRequest { page_size: 2, page_token: token, ..Default::default() };
            let page = trivire(&bench).list_dwellings(request).await.unwrap().into_inner();
            seen.extend(page.dwellings);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen.len(), 4);
        let free = pb::ListDwellingsRequest { state: pb::DwellingState::Available.into(), ..Default::default() };
        assert_eq!(regie(&bench).list_dwellings(free.clone()).await.unwrap().into_inner().dwellings.len(), 3);
        let none = caller(&bench, Role::Corporation, "woonbron").list_dwellings(free).await.unwrap().into_inner();
        assert!(none.dwellings.is_empty());

        let (first, second) = (ready_client(&bench).await, ready_client(&bench).await);
        nominate(&bench, first).await;
        nominate(&bench, second).await;
        let request = pb::ListNominationsRequest { state: pb::NominationState::InPool.into(), ..Default::default() };
        assert_eq!(regie(&bench).list_nominations(request.clone()).await.unwrap().into_inner().nominations.len(), 2);
        let elsewhere = caller(&bench, Role::Shelter, "hvo-querido").list_nominations(request.clone()).await.unwrap();
        assert!(elsewhere.into_inner().nominations.is_empty());
        assert_eq!(shelter(&bench).list_nominations(request).await.unwrap().into_inner().nominations.len(), 2);
        let figures = trivire(&bench).get_figures(pb::GetFiguresRequest { on: Some(from_date(date(2019, 6, 1))) }).await.unwrap();
        let figures = figures.into_inner();
        assert_eq!((figures.rent_cap_small_cents, figures.valid_from.unwrap().year), (59_730, 2018));
    }

    /// R-HOU-26, P3
    async fn what_cannot_be_read_names_its_field(bench: Bench<Housing> = Housing::embedded()) {
        let (client, _, home, allocation) = allocated(&bench).await;
        let mut trivire = trivire(&bench);
        let malformed = |status: Status, field: &str| {
            assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "MALFORMED"), "{field}");
            assert!(status.message().contains(field), "{field}: {}", status.message());
        };
        let bad_date = Some(proto::google::r#type::Date { year: 2026, month: 2, day: 30 });
        let wrong = |change: fn(&mut pb::RegisterDwellingRequest)| {
            let mut request = registration(9);
            change(&mut request);
            request
        };
        for (request, field) in [
            (wrong(|m| m.bag_object_id = "12".into()), "bag_object_id"),
            (wrong(|m| m.district = "0505".into()), "district"),
            (wrong(|m| m.rooms = -1), "rooms"),
            (wrong(|m| m.kind = 99), "kind"),
            (wrong(|m| m.contract_form = 0), "contract_form"),
            (wrong(|m| m.address = None), "address.street"),
            (wrong(|m| m.available_on = None), "available_on"),
            (wrong(|m| m.rent_cents = -5), "rent_cents"),
        ] {
            malformed(trivire.register_dwelling(request).await.unwrap_err(), field);
        }
        malformed(
            trivire.register_dwelling(pb::RegisterDwellingRequest { available_on: bad_date, ..registration(9) }).await.unwrap_err(),
            "available_on",
        );
        let nobody = pb::NominateRequest { adults: 0, ..nomination(client) };
        malformed(shelter(&bench).nominate(nobody).await.unwrap_err(), "adults");
        let list = pb::ListOffersAsCorporationRequest { state: 42, ..Default::default() };
        malformed(trivire.list_offers_as_corporation(list).await.unwrap_err(), "state");
        let id = pb::SignLeaseRequest { request_id: rid(), allocation_id: "x".into(), expected_version: 0 };
        malformed(trivire.sign_lease(id).await.unwrap_err(), "allocation_id");
        let short = pb::SignLeaseRequest { request_id: "1".into(), allocation_id: allocation, expected_version: 0 };
        assert_eq!(refused(trivire.sign_lease(short).await), "REQUEST_ID_MISSING");
        let early = pb::OfferDwellingRequest { request_id: rid(), dwelling_id: home, ..Default::default() };
        malformed(regie(&bench).offer_dwelling(early).await.unwrap_err(), "nomination_id");
        let own = pb::ListOffersAsCorporationRequest::default();
        let own = trivire.list_offers_as_corporation(own).await.unwrap().into_inner().offers;
        assert_eq!((own.len(), own[0].ready), (1, true));
        let offers = pb::ListOffersRequest { client_id: client.to_string(), ..Default::default() };
        assert_eq!(self_(&bench, client).list_offers(offers).await.unwrap().into_inner().offers.len(), 1);
    }
}

async fn view_of(bench: &Bench<Housing>, client: ClientId, offer: &str) -> pb::Offer {
    let request = pb::GetOfferRequest { offer_id: offer.into() };
    self_(bench, client).get_offer(request).await.unwrap().into_inner().offer.unwrap()
}
