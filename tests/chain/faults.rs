//! What goes wrong around the chain: services that restart, lines that break, callers who ask twice or go away.

use super::facts::name;
use super::services::SERVICES;
use super::steps::{DORDRECHT, WEST, wire};
use super::{Chain, Facts, LEASES, on_both_engines};
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::feed::v1::{AcknowledgeRequest, SubscribeRequest};
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::regie::v1 as regie;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testkit::{Code, reason, rid};
use tokio_stream::StreamExt as _;

/// How often a service is stopped and started during one chain.
const RESTARTS: usize = 20;

on_both_engines! {
    /// P1, P2, P3, P4, P9: services stop and start at random points, and the outcome is that of an undisturbed chain.
    async fn restarts_at_random_points_change_nothing(chain: Chain) {
        let engine = chain.services.as_ref().expect("they run here").engine;
        let undisturbed = Chain::start(engine).await.unwrap();
        story(&undisturbed).await;
        let expected = outcome(&undisturbed.hold().await);

        let chain = chain.be_patient();
        let over = AtomicBool::new(false);
        let disturb = async {
            let (mut dice, mut restarts) = (SmallRng::seed_from_u64(7), 0);
            while restarts < RESTARTS && !over.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(dice.random_range(5..300))).await;
                let service = SERVICES[dice.random_range(0..SERVICES.len())];
                chain.services.as_ref().expect("they run here").restart(service).await;
                restarts += 1;
            }
            restarts
        };
        let live = async {
            story(&chain).await;
            over.store(true, Ordering::Relaxed);
        };
        let ((), restarts) = tokio::join!(live, disturb);
        assert!(restarts > 0, "something was restarted");
        let facts = chain.hold().await;
        assert_eq!(outcome(&facts), expected);
    }

    /// P5: cut off anywhere and resumed from the cursor, a subscriber has every event once, in order.
    async fn a_subscriber_that_is_cut_off_misses_nothing(chain: Chain) {
        chain.allocated(true).await;
        let whole: Vec<String> = chain.facts().await.0.into_iter().map(|(_, event)| event.event_id).collect();
        let reader = chain.person(Role::SvcMonitor);
        let (mut pieced, mut dice) = (Vec::new(), SmallRng::seed_from_u64(11));
        for service in SERVICES {
            let head = chain.status(service).await.unwrap().head as usize;
            let (mut feed, mut cursor, mut read) = (reader.feed(service, "operations"), String::new(), 0);
            while read < head {
                let request = SubscribeRequest { cursor: cursor.clone(), ..Default::default() };
                let mut stream = feed.subscribe(request).await.unwrap().into_inner();
                for _ in 0..dice.random_range(1..6) {
                    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await.unwrap().unwrap().unwrap();
                    cursor = next.cursor;
                    pieced.extend(next.event.map(|event| event.event_id).inspect(|_| read += 1));
                    if read == head {
                        break;
                    }
                }
            }
        }
        assert_eq!(pieced, whole);
    }

    /// P5: what was acknowledged stays so when the service restarts; what was not comes again.
    async fn an_acknowledgement_outlives_a_restart(chain: Chain) {
        chain.arrive().await;
        let take = |count: usize| {
            let (mut feed, subscription) = (chain.as_(Role::Shelter, "leger-des-heils").feed("access", "shelter"), "post".to_owned());
            async move {
                let request = SubscribeRequest { subscription: subscription.clone(), ..Default::default() };
                let mut stream = feed.subscribe(request).await.unwrap().into_inner();
                let (mut names, mut cursor) = (Vec::new(), String::new());
                while names.len() < count {
                    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await.unwrap().unwrap().unwrap();
                    cursor = next.cursor;
                    match next.event {
                        Some(event) => names.push(name(&event)),
                        None => break,
                    }
                }
                if count == 1 {
                    feed.acknowledge(AcknowledgeRequest { subscription, cursor }).await.unwrap();
                }
                names
            }
        };
        let all = take(100).await;
        assert!(all.len() > 1, "{all:?}");
        let first = take(1).await;
        chain.services.as_ref().unwrap().restart("access").await;
        chain.settle().await;
        let rest = take(100).await;
        assert_eq!([first, rest].concat(), all);
    }

    /// P5: a subscription has one reader; a cursor of another feed, or none at all, is refused with a reason.
    async fn a_cursor_is_checked_and_a_subscription_has_one_reader(chain: Chain) {
        chain.arrive().await;
        let reader = chain.person(Role::SvcMonitor);
        let of_access = chain.status("access").await.unwrap().head_cursor;
        for (service, cursor) in [("access", "nonsense".to_owned()), ("housing", of_access.clone())] {
            let request = SubscribeRequest { cursor, ..Default::default() };
            let refused = reader.feed(service, "operations").subscribe(request).await.unwrap_err();
            assert_eq!(reason(&refused), "CURSOR_INVALID", "{service}");
        }
        let named = || SubscribeRequest { subscription: "twice".to_owned(), ..Default::default() };
        let mut older = reader.feed("access", "operations").subscribe(named()).await.unwrap().into_inner();
        let _newer = reader.feed("access", "operations").subscribe(named()).await.unwrap().into_inner();
        let ended = async {
            loop {
                if let Err(status) = older.next().await.expect("it ends with a reason") {
                    return status;
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
        assert_eq!(reason(&ended), "SUBSCRIPTION_TAKEN");
    }

    /// P3: one request id: the same wish any number of times and in parallel is one effect; another wish is refused; and
    /// it means nothing to another RPC, another organisation or another service.
    async fn the_same_request_twice_in_parallel_with_another_body_and_elsewhere(chain: Chain) {
        let client_id = chain.register().await;
        let request_id = rid();
        let notify = |trigger: access::Trigger| access::RecordNotificationRequest {
            request_id: request_id.clone(),
            client_id: client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            origin: Some(access::record_notification_request::Origin::OriginMunicipality(DORDRECHT.to_owned())),
            triggers: vec![trigger.into()],
            received_on: wire(chain.today()),
            ..Default::default()
        };
        let door = chain.person(Role::Shelter).access("shelter");
        let same = (0..8).map(|_| {
            let (mut door, request) = (door.clone(), notify(access::Trigger::BreakUp));
            async move { door.record_notification(request).await.unwrap().into_inner() }
        });
        let answers = futures_util::future::join_all(same).await;
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "one request, one answer");
        let other = ask!(chain, door, record_notification, notify(access::Trigger::Nuisance)).unwrap_err();
        assert_eq!(reason(&other), "REQUEST_ID_REUSED");

        let request = access::RecordHouseholdRequest {
            request_id: request_id.clone(),
            client_id: client_id.clone(),
            from_on: wire(chain.today()),
            ..Default::default()
        };
        let _ = ask!(chain, door, record_household, request).inspect_err(|status| {
            assert_ne!(reason(status), "REQUEST_ID_REUSED", "another RPC");
        });
        let desk = chain.person(Role::Access).access("notification");
        call!(chain, desk, record_notification, notify(access::Trigger::Nuisance));
        let request = income::ReportForBenefitRequest {
            request_id: request_id.clone(),
            client_id: client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            reported_on: wire(chain.today()),
            circumstances: Some(income::Circumstances { age: 40, ..Default::default() }),
            ..Default::default()
        };
        call!(chain, chain.person(Role::Income).income("income"), report_for_benefit, request);
        let facts = chain.hold().await;
        assert_eq!(facts.count::<access::NotificationReceived>(|_| true), 2, "one per organisation that notified");
        assert_eq!(facts.count::<income::ClientReportedForBenefit>(|_| true), 1);
    }

    /// P3: the caller goes away at any moment of a call; asked again with the same request id it has happened once.
    async fn a_call_that_was_given_up_happens_once(chain: Chain) {
        let mut ids = std::collections::BTreeSet::new();
        for number in 0..24_u64 {
            let request = access::RegisterClientRequest {
                request_id: rid(),
                municipality: DORDRECHT.to_owned(),
                identity: Some(access::Identity {
                    surname: "Haast".to_owned(),
                    first_names: format!("Nummer {number}"),
                    birth_date: wire(Date::constant(1990, 1, 1)),
                    no_address: true,
                    ..Default::default()
                }),
            };
            let mut door = chain.person(Role::Shelter).access("shelter");
            let call = door.register_client(request.clone());
            let _ = tokio::time::timeout(Duration::from_micros(number * 300), call).await;
            ids.insert(call!(chain, chain.person(Role::Shelter).access("shelter"), register_client, request).client_id);
        }
        let facts = chain.hold().await;
        assert_eq!((ids.len(), facts.count::<access::ClientRegistered>(|_| true)), (24, 24));
    }

    /// P8, R-REG-16: while one service is away a withdrawal is not confirmed, and stands all the same; the same request is
    /// answered once that service has taken it in.
    async fn a_withdrawn_consent_is_confirmed_once_every_service_is_there(chain: Chain) {
        let household = chain.arrive().await;
        let own = chain.client(&household.client_id).regie("own-file");
        let request = regie::GiveConsentRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            data_category: regie::ConsentCategory::Income.into(),
            receiver: "leger-des-heils".to_owned(),
            purpose: "shelter".to_owned(),
            text_version: "2026-1".to_owned(),
            ..Default::default()
        };
        let consent_id = call!(chain, own, give_consent, request).consent_id;
        let request = regie::GetConsentStatusRequest { client_id: household.client_id.clone() };
        let shelter = chain.person(Role::Shelter).regie("shelter");
        assert_eq!(call!(chain, shelter, get_consent_status, request.clone()).consents.len(), 1);
        chain.settle().await;

        let withdrawal =
            regie::WithdrawConsentRequest { request_id: rid(), client_id: household.client_id.clone(), consent_id };
        while_away(&chain, "income", own.clone().withdraw_consent(withdrawal.clone())).await;
        assert_eq!(call!(chain, shelter, get_consent_status, request).consents, [], "withdrawn all the same");
        chain.services.as_ref().unwrap().resume("income").await;
        call!(chain, own, withdraw_consent, withdrawal);
        assert_eq!(chain.hold().await.count::<regie::ConsentWithdrawn>(|_| true), 1);
    }

    /// P8, R-REG-13: the same for a relation; the services that are there act on its end at once.
    async fn an_ended_relation_is_confirmed_once_every_service_is_there(chain: Chain) {
        let household = chain.arrive().await;
        let relation_id = chain.grant_relation(&household).await;
        assert_eq!(chain.read_by_relation(&household).await, [Code::Ok; 5]);
        let end =
            regie::EndRelationRequest { request_id: rid(), client_id: household.client_id.clone(), relation_id };
        let municipality = chain.person(Role::Regie).regie("regie");
        while_away(&chain, "aftercare", municipality.clone().end_relation(end.clone())).await;
        let read = chain.read_by_relation(&household).await;
        assert_eq!(read, [Code::NotFound, Code::NotFound, Code::NotFound, Code::Unavailable, Code::NotFound]);
        chain.services.as_ref().unwrap().resume("aftercare").await;
        call!(chain, municipality, end_relation, end);
        assert_eq!(chain.read_by_relation(&household).await, [Code::NotFound; 5]);
        chain.hold().await;
    }
}

/// Stops a service and makes a call meanwhile that waits for every service: after five seconds it is not confirmed.
async fn while_away<R: std::fmt::Debug>(
    chain: &Chain,
    service: &'static str,
    call: impl Future<Output = Result<tonic::Response<R>, tonic::Status>>,
) {
    chain.services.as_ref().expect("they run here").stop(service).await;
    let asked = Instant::now();
    let refused = call.await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::Unavailable, "NOT_CONFIRMED".to_owned()));
    assert!(asked.elapsed() >= Duration::from_secs(5), "it waited");
}

/// A chain in which a home is won, one falls through, and somebody lands.
async fn story(chain: &Chain) {
    let (first, second) = (chain.candidate(true).await, chain.candidate(false).await);
    let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
    let offer = chain.offer(&dwelling, &first).await;
    let fallen = chain.accept_by_all(&offer, &first, "trivire").await;
    chain.withdraw(&fallen).await;
    let offer = chain.offer(&dwelling, &second).await;
    let allocation = chain.accept_by_all(&offer, &second, "trivire").await;
    assert_eq!(chain.sign_lease(&allocation, "trivire").await.unwrap_err().code(), Code::FailedPrecondition);
    chain.hand_over(&allocation).await;
    chain.grant(&second, LEASES).await;
    chain.on(LEASES).await;
    chain.sign_lease(&allocation, "trivire").await.unwrap();
    chain.keys(&allocation, "trivire").await;
    chain.depart(&second).await;
}

/// How often each thing happened. How regie got there may differ with the interleaving of feeds; what it asked may not.
fn outcome(facts: &Facts) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (service, event) in facts.0.iter().filter(|(service, _)| *service != "regie" && *service != "monitor") {
        *counts.entry(format!("{service} {}", name(event))).or_default() += 1;
    }
    counts
}
