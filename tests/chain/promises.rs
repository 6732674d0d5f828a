//! Each promise, over the whole chain.

use super::facts::{is, name, payload};
use super::services::OwnFile;
use super::steps::{DORDRECHT, EAST, WEST, wire};
use super::{BEGINS, Chain, Facts, LEASES, RENT_CENTS, on_both_engines};
use doorstroom::doors::Person;
use kernel::{Actor, Date, Role};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::audit::v1::{AccessEntry, ListAccessRequest};
use proto::feed::v1::{AcknowledgeRequest, Event, SubscribeRequest};
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::monitor::v1 as monitor;
use proto::regie::v1 as regie;
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::{Code, reason, rid};
use tokio_stream::StreamExt as _;

/// A municipality in which nobody runs a shelter.
const ZWIJNDRECHT: &str = "0642";

on_both_engines! {
    /// P1, R-HOU-16: many candidates race for one home, and each is offered another one by another corporation as well.
    async fn of_many_that_race_for_one_home_exactly_one_gets_it(chain: Chain) {
        let wanted = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
        let mut offers = Vec::new();
        for _ in 0..5 {
            let household = chain.candidate(false).await;
            let other = chain.home("woonbron", EAST, housing::ContractForm::OwnLease).await;
            offers.push((chain.offer(&wanted, &household).await, "trivire", household.clone()));
            offers.push((chain.offer(&other, &household).await, "woonbron", household));
        }
        let answers = offers.iter().map(|(offer, corporation, household)| {
            let chain = &chain;
            async move {
                // Both at once; who comes late is refused with a reason, and never half accepted.
                let (client, landlord) =
                    tokio::join!(chain.client_accepts(offer, household), chain.corporation_accepts(offer, corporation));
                for refused in [client.err(), landlord.err()].into_iter().flatten() {
                    let reason = reason(&refused);
                    let known = ["DWELLING_TAKEN", "OFFER_CLOSED", "NOMINATION_ALLOCATED", "STALE_VERSION"];
                    assert!(known.contains(&reason.as_str()), "{reason}");
                }
            }
        });
        futures_util::future::join_all(answers).await;
        let facts = chain.hold().await;

        let accepted = facts.all::<housing::AllocationAccepted>();
        let of_wanted = accepted.iter().filter(|home| home.dwelling_id == wanted).count();
        assert!(of_wanted <= 1, "one home, one household");
        let households: BTreeSet<&str> = accepted.iter().map(|home| home.client_id.as_str()).collect();
        assert_eq!(households.len(), accepted.len(), "one household, one home");
        assert_eq!(households.len(), 5, "nobody who said yes everywhere was left without");
        // Every offer has an end: accepted, or superseded by the one that was.
        for (offer, _, household) in &offers {
            let request = housing::GetOfferRequest { offer_id: offer.clone() };
            let door = chain.client(&household.client_id).housing("own-file");
            let shown = call!(chain, door, get_offer, request).offer.unwrap();
            let ended = [housing::OfferState::Accepted, housing::OfferState::Superseded];
            assert!(ended.contains(&shown.state()), "{:?}", shown.state());
        }
    }

    /// P1: when the one that was accepted falls through, the home goes to somebody else, and only then.
    async fn a_home_that_falls_free_goes_to_one_other_household(chain: Chain) {
        let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
        let (first, second) = (chain.candidate(false).await, chain.candidate(true).await);
        let offer = chain.offer(&dwelling, &first).await;
        let fallen = chain.accept_by_all(&offer, &first, "trivire").await;
        let taken = chain.try_offer(&dwelling, &second, LEASES).await.unwrap_err();
        assert_eq!(reason(&taken), "DWELLING_TAKEN");
        chain.withdraw(&fallen).await;
        let offer = chain.offer(&dwelling, &second).await;
        let allocation = chain.accept_by_all(&offer, &second, "trivire").await;
        assert_ne!(allocation, fallen);
        chain.hold().await;
    }

    /// P2, R-HOU-17, R-INC-11: shut by default; each ground opens it, and only then a lease can be signed.
    async fn each_ground_opens_the_gate(chain: Chain) {
        use super::housing::GateGround as Ground;
        for ground in [Ground::Benefit, Ground::OwnIncome, Ground::Advance, Ground::Guarantee, Ground::Override] {
            let (household, allocation) = chain.allocated(ground == Ground::Guarantee).await;
            let shut = chain.sign_lease(&allocation, "trivire").await.unwrap_err();
            assert_eq!((shut.code(), reason(&shut)), (Code::FailedPrecondition, "GATE_SHUT".to_owned()), "{ground:?}");
            match ground {
                Ground::Benefit => chain.grant(&household, LEASES).await,
                Ground::OwnIncome => chain.own_income(&household, BEGINS).await,
                Ground::Advance => chain.advance(&household, LEASES).await,
                Ground::Guarantee => chain.guarantee(&allocation, true).await,
                _ => chain.override_gate(&household, &allocation).await,
            }
            let opened = chain.facts().await.all::<housing::GateOpened>();
            let opened: Vec<_> = opened.iter().filter(|event| event.allocation_id == allocation).map(|e| e.ground()).collect();
            assert_eq!(opened, [ground]);
            chain.sign_lease(&allocation, "trivire").await.unwrap();
        }
        chain.hold().await;
    }

    /// P2: income from a day after the lease starts is not secured; nor is a guarantee that bridges nothing.
    async fn income_that_starts_too_late_opens_nothing(chain: Chain) {
        let (household, allocation) = chain.allocated(true).await;
        chain.guarantee(&allocation, false).await;
        chain.own_income(&household, LEASES.tomorrow().unwrap()).await;
        chain.grant(&household, LEASES.tomorrow().unwrap()).await;
        assert_eq!(reason(&chain.sign_lease(&allocation, "trivire").await.unwrap_err()), "GATE_SHUT");
        assert_eq!(chain.tasks(regie::TaskKind::CloseBenefitGap, &allocation).await.len(), 1, "somebody is to close the gap");
        assert_eq!(chain.facts().await.count::<income::BenefitStartGapDetected>(|e| e.allocation_id == allocation), 1);
        chain.hold().await;
    }

    /// P2: what opened the gate falls away before the signing, and it shuts.
    async fn income_that_falls_away_shuts_the_gate(chain: Chain) {
        let (household, allocation) = chain.allocated(false).await;
        chain.own_income(&household, BEGINS).await;
        assert!(chain.allocation(&allocation).await.gate_open);
        let door = chain.person(Role::Income).income("income");
        let request = income::GetFinancesStatusRequest { client_id: household.client_id.clone() };
        let version = call!(chain, door, get_finances_status, request).own_income_version;
        let request = income::RevokeOwnIncomeRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            expected_version: version,
        };
        call!(chain, door, revoke_own_income, request);
        chain.settle().await;
        assert!(!chain.allocation(&allocation).await.gate_open);
        assert_eq!(reason(&chain.sign_lease(&allocation, "trivire").await.unwrap_err()), "GATE_SHUT");
        chain.hold().await;
    }

    /// P2, R-REG-09: three working days before the lease starts the municipality has a shut gate on its list, and decides.
    async fn a_shut_gate_is_the_municipalitys_task_three_working_days_before(chain: Chain) {
        let (household, allocation) = chain.allocated(false).await;
        // From Wednesday 1 April back: Tuesday, Monday, Friday.
        chain.on(Date::constant(2026, 3, 26)).await;
        assert!(chain.tasks(regie::TaskKind::DecideGate, &allocation).await.is_empty());
        chain.on(Date::constant(2026, 3, 27)).await;
        let tasks = chain.tasks(regie::TaskKind::DecideGate, &allocation).await;
        assert_eq!(tasks.len(), 1);
        assert_eq!(tasks[0].organisation, "gemeente-dordrecht");
        assert!(is(&tasks[0].due_on, LEASES));
        chain.override_gate(&household, &allocation).await;
        assert!(chain.tasks(regie::TaskKind::DecideGate, &allocation).await.is_empty(), "decided");
        chain.sign_lease(&allocation, "trivire").await.unwrap();
        chain.hold().await;
    }

    /// P3, R-INC-11, R-AFT-02: acceptance repeated every way, and every command of regie repeated by another road.
    async fn whatever_is_repeated_has_one_effect(chain: Chain) {
        let household = chain.candidate(true).await;
        let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
        let offer = chain.offer(&dwelling, &household).await;
        chain.client_accepts(&offer, &household).await.unwrap();
        let door = chain.as_(Role::Corporation, "trivire").housing("housing");
        let shown = housing::GetOfferAsCorporationRequest { offer_id: offer.clone() };
        let expected_version = call!(chain, door, get_offer_as_corporation, shown).offer.unwrap().version;
        let request = housing::AcceptCandidateRequest { request_id: rid(), offer_id: offer.clone(), expected_version, ..Default::default() };
        let twice = (0..4).map(|_| {
            let (mut door, request) = (door.clone(), request.clone());
            async move { door.accept_candidate(request).await.unwrap().into_inner() }
        });
        let answers = futures_util::future::join_all(twice).await;
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "one request, one answer");
        let allocation = answers[0].allocation_id.clone();
        let again = chain.corporation_accepts(&offer, "trivire").await.unwrap();
        assert_eq!(again.allocation_id, allocation, "the same wish in another request");
        chain.client_accepts(&offer, &household).await.unwrap();
        chain.settle().await;

        let regie = chain.person(Role::SvcRegie);
        let request = income::CompleteBenefitRequestRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            allocation_id: allocation.clone(),
            lease_start_on: wire(LEASES),
            municipality: DORDRECHT.to_owned(),
            rent_cents: RENT_CENTS,
        };
        let completed = call!(chain, regie.income("regie"), complete_benefit_request, request);
        assert_eq!(completed.benefit_request_id, household.benefit_request_id);
        let asked = chain.guarantees().await;
        let request = income::RequestRentGuaranteeRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            allocation_id: allocation.clone(),
            corporation: "trivire".to_owned(),
            municipality: DORDRECHT.to_owned(),
            lease_start_on: wire(LEASES),
            rent_cents: RENT_CENTS,
        };
        let guarantee = call!(chain, regie.income("regie"), request_rent_guarantee, request);
        assert_eq!(asked.iter().map(|g| g.guarantee_id.as_str()).collect::<Vec<_>>(), [guarantee.guarantee_id.as_str()]);
        let handover = chain.handover(&allocation).await;
        let request = aftercare::DraftHandoverRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            allocation_id: allocation.clone(),
            from_organisation: handover.from_organisation,
            to_organisation: handover.to_organisation,
            municipality: handover.municipality,
            district: handover.district,
            move_on: handover.move_on,
        };
        let drafted = call!(chain, regie.aftercare("regie"), draft_handover, request);
        assert_eq!(drafted.handover_id, handover.handover_id);
        chain.hold().await;
    }

    /// P4, R-INC-12, R-HOU-22: what hung on the move goes; the client's own application, and what was granted, stay.
    async fn a_fallen_home_takes_with_it_what_hung_on_it_and_no_more(chain: Chain) {
        let (household, allocation) = chain.allocated(true).await;
        chain.hand_over(&allocation).await;
        chain.guarantee(&allocation, true).await;
        let before = chain.benefit(&household).await;
        chain.withdraw(&allocation).await;
        let facts = chain.hold().await;

        let after = chain.benefit(&household).await;
        assert_eq!((after.reported_on, after.applied_on), (before.reported_on, before.applied_on), "the client's own");
        assert_eq!((after.allocation_id.as_str(), after.lease_start_on), ("", None), "the move's");
        assert_eq!(facts.count::<income::BenefitRequestWithdrawn>(|_| true), 0);
        assert_eq!(facts.count::<housing::NominationWithdrawn>(|_| true), 0, "the client is in the pool again");
        let trivire = chain.as_(Role::Corporation, "trivire");
        let request = access::GetTenantRequest { client_id: household.client_id.clone() };
        assert_eq!(ask!(chain, trivire.access("housing"), get_tenant, request).unwrap_err().code(), Code::NotFound);
        let request = access::GetClientForDistrictRequest { client_id: household.client_id.clone() };
        let team = chain.as_(Role::District, "wijkteam-west");
        let gone = ask!(chain, team.access("aftercare"), get_client_for_district, request).unwrap_err();
        assert_eq!(gone.code(), Code::NotFound, "the team's relation went with the move");
        assert_eq!(chain.tasks(regie::TaskKind::FollowUpHome, &allocation).await.len(), 1, "somebody decides how to go on");

        // The next home starts from what survived.
        let dwelling = chain.home("woonbron", EAST, housing::ContractForm::OwnLease).await;
        let offer = chain.offer(&dwelling, &household).await;
        let next = chain.accept_by_all(&offer, &household, "woonbron").await;
        assert!(!chain.allocation(&next).await.gate_open, "a guarantee of another home opens nothing");
        chain.grant(&household, LEASES).await;
        assert!(chain.allocation(&next).await.gate_open);
        chain.hold().await;
    }

    /// P4: a benefit that was granted outlives the home for which it was asked.
    async fn a_granted_benefit_survives_a_fallen_home(chain: Chain) {
        let (household, allocation) = chain.allocated(false).await;
        chain.grant(&household, LEASES).await;
        chain.withdraw(&allocation).await;
        let request = income::GetBenefitStatusRequest { client_id: household.client_id.clone() };
        let status = call!(chain, chain.person(Role::Shelter).income("shelter"), get_benefit_status, request);
        assert_eq!(status.status(), income::BenefitStatus::Granted);
        let withdrawn = chain.hold().await.all::<income::BenefitStartWithdrawn>();
        assert!(withdrawn.iter().all(|event| event.benefit_survives || event.application_survives));
    }

    /// P4, R-REG-29: when somebody dies everything stops, everywhere.
    async fn a_death_stops_everything(chain: Chain) {
        let (household, allocation) = chain.allocated(true).await;
        chain.death(&household).await;
        let facts = chain.facts().await;
        assert_eq!(facts.count::<housing::AllocationWithdrawn>(|event| event.allocation_id == allocation), 1);
        assert_eq!(facts.count::<aftercare::HandoverCancelled>(|event| event.allocation_id == allocation), 1);
        assert_eq!(facts.count::<income::RentGuaranteeWithdrawn>(|event| event.allocation_id == allocation), 1);
        assert_eq!(facts.count::<income::BenefitRequestWithdrawn>(|_| true), 1);
        assert_eq!(facts.count::<housing::NominationWithdrawn>(|_| true), 1);
        assert_eq!(facts.count::<regie::CaseClosed>(|event| event.reason() == regie::CloseReason::Died), 1);
    }

    /// P5, R-AFT-05: a team that was away for a week gets all of its signals, in order; another team none.
    async fn a_team_that_was_away_for_a_week_gets_its_signals_in_order(chain: Chain) {
        let (household, _) = chain.housed().await;
        let (west, east) = (chain.as_(Role::District, "wijkteam-west"), chain.as_(Role::District, "wijkteam-oost"));
        chain.signal(&household.client_id, aftercare::SignalKind::HelpAsked).await;
        let heard = listen(&west, "signals", true).await;
        let before = signals(&heard);
        assert_eq!(before.len(), 1);

        let mut raised = before.clone();
        for (day, kind) in [(6, aftercare::SignalKind::Nuisance), (7, aftercare::SignalKind::Health), (8, aftercare::SignalKind::Debt)] {
            chain.on(Date::constant(2026, 4, day)).await;
            chain.signal(&household.client_id, kind).await;
            let all = chain.facts().await.all::<aftercare::SignalReceived>();
            raised.push(all.last().unwrap().signal_id.clone());
        }
        chain.on(Date::constant(2026, 4, 13)).await;
        // Unacknowledged it comes again; acknowledged it does not.
        let first = signals(&listen(&west, "signals", false).await);
        let again = signals(&listen(&west, "signals", true).await);
        assert_eq!(first, again);
        assert_eq!([before, again].concat(), own(&chain, "wijkteam-west").await, "every signal for this team, in order, once");
        assert_eq!(signals(&listen(&west, "signals", true).await), Vec::<String>::new());
        assert_eq!(signals(&listen(&east, "signals", true).await), Vec::<String>::new(), "others get nothing");
        assert_eq!(signals(&listen(&chain.as_(Role::Corporation, "trivire"), "signals", true).await), Vec::<String>::new());
        let unheard: Vec<&String> = raised.iter().filter(|signal| !first.contains(signal)).collect();
        assert!(unheard.len() <= 2, "all but the one before and the one for debt help alone: {unheard:?}");
        chain.hold().await;
    }

    /// P5, R-AFT-06: nobody takes it up: the case holder hears it, then the municipality; taken up, it is off the list.
    async fn a_signal_that_nobody_takes_up_reaches_the_case_holder_and_then_the_municipality(chain: Chain) {
        let (household, _) = chain.housed().await;
        chain.signal(&household.client_id, aftercare::SignalKind::Safety).await;
        let signal = chain.facts().await.all::<aftercare::SignalReceived>().remove(0);
        assert!(chain.tasks(regie::TaskKind::TakeUpSignal, &signal.signal_id).await.is_empty());
        let mut levels: Vec<(String, Vec<aftercare::EscalationLevel>)> = Vec::new();
        for _ in 0..9 {
            chain.on(chain.today().tomorrow().unwrap()).await;
            let to = chain.facts().await.all::<aftercare::SignalEscalated>().into_iter().map(|event| event.to()).collect();
            if let Some(task) = chain.tasks(regie::TaskKind::TakeUpSignal, &signal.signal_id).await.first()
                && levels.last().is_none_or(|(organisation, _)| *organisation != task.organisation)
            {
                levels.push((task.organisation.clone(), to));
            }
        }
        use super::aftercare::EscalationLevel::{Caseholder, Regie};
        let wanted =
            [("leger-des-heils".to_owned(), vec![Caseholder]), ("gemeente-dordrecht".to_owned(), vec![Caseholder, Regie])];
        assert_eq!(levels, wanted);
        chain.take_up(&signal.signal_id, &chain.as_(Role::District, "wijkteam-west")).await;
        assert!(chain.tasks(regie::TaskKind::TakeUpSignal, &signal.signal_id).await.is_empty());
        chain.hold().await;
    }

    /// P6, R-ACC-16, R-AFT-10: a place is claimed at once, also with the relapse guarantee off; it only spares no procedure.
    async fn nowhere_to_sleep_gets_a_place_the_same_evening(chain: Chain) {
        let (household, _) = chain.housed().await;
        chain.at(chain.today(), 21).await;
        chain.nowhere_to_sleep(&household.client_id, DORDRECHT).await;
        let facts = chain.hold().await;
        let claims = facts.all::<access::PlaceClaimed>();
        assert_eq!(claims.len(), 1);
        assert_eq!((claims[0].facility_id.clone(), claims[0].without_procedure), (chain.facility(), false));
        assert_eq!(facts.count::<regie::TaskOpened>(|task| task.kind() == regie::TaskKind::FindPlaceTonight), 0);

        // A second report of the same night is no second claim, but the first did not hold: a person looks. The client
        // comes, the claim is used up, and the alarm is over.
        chain.at(chain.today(), 22).await;
        chain.nowhere_to_sleep(&household.client_id, DORDRECHT).await;
        let signal = facts.all::<aftercare::NowhereToSleepReported>().remove(0).signal_id;
        assert_eq!(chain.tasks(regie::TaskKind::FindPlaceTonight, &signal).await.len(), 1);
        chain.at(chain.today(), 23).await;
        let request = access::AdmitClientRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            facility_id: claims[0].facility_id.clone(),
            notification_id: String::new(),
            claim_id: claims[0].claim_id.clone(),
            admitted_on: wire(chain.today()),
        };
        call!(chain, chain.person(Role::Shelter).access("crisis"), admit_client, request);
        let facts = chain.hold().await;
        assert_eq!(facts.count::<access::PlaceClaimed>(|_| true), 1);
        assert_eq!(facts.count::<regie::TaskOpened>(|task| task.kind() == regie::TaskKind::FindPlaceTonight), 1);
        assert!(chain.tasks(regie::TaskKind::FindPlaceTonight, &signal).await.is_empty());
    }

    /// P6, R-AFT-10: the relapse guarantee removes the new procedure, and nothing else.
    async fn the_relapse_guarantee_only_removes_the_procedure(chain: Chain = relapse_guarantee()) {
        let (household, _) = chain.housed().await;
        chain.nowhere_to_sleep(&household.client_id, DORDRECHT).await;
        let facts = chain.hold().await;
        let claims = facts.all::<access::PlaceClaimed>();
        assert_eq!(claims.iter().map(|claim| claim.without_procedure).collect::<Vec<_>>(), [true]);
        assert_eq!(facts.count::<aftercare::RelapseGuaranteeInvoked>(|_| true), 1);
    }

    /// P6, R-REG-30: no place at all: a person is alarmed at once.
    async fn where_there_is_no_place_a_person_is_alarmed(chain: Chain) {
        let (household, _) = chain.housed().await;
        chain.nowhere_to_sleep(&household.client_id, ZWIJNDRECHT).await;
        let facts = chain.facts().await;
        assert_eq!(facts.count::<access::PlaceClaimed>(|_| true), 0);
        let signal = facts.all::<aftercare::NowhereToSleepReported>().remove(0).signal_id;
        let tasks = chain.tasks(regie::TaskKind::FindPlaceTonight, &signal).await;
        assert_eq!(tasks.len(), 1);
        assert!(is(&tasks[0].due_on, chain.today()));
    }

    /// P7, R-HOU-22: an offer that nobody answers: a reminder and a task, then a lapse and a task.
    async fn an_offer_does_not_lapse_silently(chain: Chain) {
        let household = chain.candidate(false).await;
        let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
        let offer = chain.offer(&dwelling, &household).await;
        chain.on(Date::constant(2026, 3, 6)).await;
        let waiting = chain.tasks(regie::TaskKind::AnswerOffer, &offer).await;
        assert_eq!(waiting.len(), 1);
        assert_eq!(waiting[0].organisation, "leger-des-heils");
        let candidate = chain.tasks(regie::TaskKind::AnswerCandidate, &offer).await;
        assert_eq!(candidate.iter().map(|task| task.organisation.as_str()).collect::<Vec<_>>(), ["trivire"]);
        assert_eq!(chain.facts().await.count::<housing::OfferEndingSoon>(|event| event.offer_id == offer), 1);
        chain.on(Date::constant(2026, 3, 11)).await;
        assert!(chain.tasks(regie::TaskKind::AnswerOffer, &offer).await.is_empty());
        assert!(chain.tasks(regie::TaskKind::AnswerCandidate, &offer).await.is_empty());
        assert_eq!(chain.tasks(regie::TaskKind::FollowUpOffer, &offer).await.len(), 1);
        let facts = chain.hold().await;
        assert_eq!(facts.count::<housing::OfferLapsed>(|event| event.offer_id == offer), 1);
        let late = chain.client_accepts(&offer, &household).await.unwrap_err();
        assert!(["OFFER_EXPIRED", "OFFER_CLOSED"].contains(&reason(&late).as_str()));
    }

    /// P7, R-ACC-20: a decision that ends: a task to extend it, four weeks before.
    async fn a_decision_does_not_end_silently(chain: Chain) {
        let household = chain.arrive().await;
        chain.decide(&household, 1).await;
        chain.on(Date::constant(2026, 3, 10)).await;
        let decision = chain.facts().await.all::<access::DecisionTaken>().remove(0);
        let tasks = chain.tasks(regie::TaskKind::ExtendDecision, &decision.decision_id).await;
        assert_eq!(tasks.len(), 1);
        assert_eq!(tasks[0].due_on, decision.ends_on);
        chain.on(Date::constant(2026, 4, 3)).await;
        let facts = chain.hold().await;
        assert_eq!(facts.count::<access::DecisionEndingSoon>(|event| event.decision_id == decision.decision_id), 1);
        assert_eq!(facts.count::<access::DecisionEnded>(|event| event.decision_id == decision.decision_id), 1);
    }

    /// P7, R-AFT-02: a handover that nobody fills, then that nobody answers: each has a term, a task, and a way on.
    async fn a_handover_is_not_left_lying(chain: Chain) {
        let (_, allocation) = chain.allocated(false).await;
        assert_eq!(chain.tasks(regie::TaskKind::FillHandover, &allocation).await.len(), 1);
        chain.on(Date::constant(2026, 3, 9)).await;
        let overdue = |facts: &Facts| facts.count::<aftercare::HandoverOverdue>(|e| e.allocation_id == allocation);
        assert_eq!(overdue(&chain.facts().await), 1, "not filled in three working days");
        chain.fill_handover(&allocation).await;
        assert_eq!(chain.tasks(regie::TaskKind::AnswerHandover, &allocation).await.len(), 1);
        chain.on(Date::constant(2026, 3, 13)).await;
        assert_eq!(overdue(&chain.facts().await), 2, "not answered in two working days");
        let tasks = chain.tasks(regie::TaskKind::AssignHandover, &allocation).await;
        assert_eq!(tasks.iter().map(|task| task.organisation.as_str()).collect::<Vec<_>>(), ["gemeente-dordrecht"]);
        let handover = chain.handover(&allocation).await;
        let request = aftercare::AssignHandoverRequest {
            request_id: rid(),
            handover_id: handover.handover_id,
            expected_version: handover.version,
            to_organisation: "wijkteam-oost".to_owned(),
        };
        call!(chain, chain.person(Role::Regie).aftercare("regie"), assign_handover, request);
        chain.settle().await;
        assert!(chain.tasks(regie::TaskKind::AssignHandover, &allocation).await.is_empty());
        let facts = chain.hold().await;
        assert!(facts.count::<aftercare::HandoverDueSoon>(|event| event.allocation_id == allocation) >= 2, "warned before");
        for kind in [regie::TaskKind::FillHandover, regie::TaskKind::AnswerHandover] {
            let warned = |e: &regie::DeadlineApproaching| e.kind() == kind && e.subject_id == allocation;
            assert_eq!(facts.count::<regie::DeadlineApproaching>(warned), 1, "{kind:?}: the list says so too");
        }
    }

    /// P7, R-HOU-05: a guarantee that nobody decides on escalates; a client who left and has no home is a question.
    async fn a_guarantee_and_a_departure_are_not_left_lying(chain: Chain) {
        let (household, allocation) = chain.allocated(true).await;
        let asked = chain.tasks(regie::TaskKind::DecideGuarantee, &allocation).await;
        assert_eq!(asked.iter().map(|task| task.organisation.as_str()).collect::<Vec<_>>(), ["sociale-dienst"]);
        chain.on(Date::constant(2026, 3, 10)).await;
        let unanswered = |event: &income::RentGuaranteeUnanswered| event.allocation_id == allocation;
        assert_eq!(chain.facts().await.count::<income::RentGuaranteeUnanswered>(unanswered), 1);
        assert_eq!(chain.tasks(regie::TaskKind::Escalated, &asked[0].task_id).await.len(), 1);

        chain.depart(&household).await;
        let question = || chain.tasks(regie::TaskKind::FollowUpDeparture, &household.stay_id);
        assert!(question().await.is_empty(), "there is a home to go to");
        chain.withdraw(&allocation).await;
        assert_eq!(question().await.len(), 1);
        assert!(chain.tasks(regie::TaskKind::DecideGuarantee, &allocation).await.is_empty());
        assert!(chain.tasks(regie::TaskKind::Escalated, &asked[0].task_id).await.is_empty());
        chain.hold().await;
    }

    /// P7, R-REG-07, R-REG-09: a day that was designated is a working day in no service, for terms in acts nor in policy.
    async fn a_designated_day_is_a_working_day_nowhere(chain: Chain = designated_days()) {
        chain.allocated(true).await;
        let facts = chain.hold().await;
        let due = |what: &str, on: &Option<proto::google::r#type::Date>, month: i8, day: i8| {
            assert!(is(on, Date::constant(2026, month, day)), "{what}: {on:?}");
        };
        // Six weeks end on Monday 13 April.
        due("investigation", &facts.all::<access::NotificationReceived>()[0].investigation_due_on, 4, 14);
        // Eight weeks end on King's Day, Monday 27 April.
        due("benefit", &facts.all::<income::BenefitApplicationSubmitted>()[0].decision_due_on, 4, 29);
        // Five, three and two working days, from Wednesday on.
        due("offer", &facts.all::<housing::OfferMade>()[0].until, 3, 10);
        due("handover", &facts.all::<aftercare::HandoverDrafted>()[0].fill_by, 3, 6);
        let mut tasks = facts.all::<regie::TaskOpened>().into_iter();
        let task = tasks.find(|task| task.kind() == regie::TaskKind::AssignCaseholder);
        due("case holder", &task.expect("a client needs a case holder").due_on, 3, 5);
    }

    /// P8, R-REG-13, R-REG-19: a stranger hears the same as of nobody; a wrong role is refused; every look is in the log.
    async fn a_stranger_learns_nothing_and_every_look_is_logged(chain: Chain) {
        let (household, allocation) = chain.allocated(true).await;
        let nobody = rid();
        let stranger = chain.as_(Role::Shelter, "vreemde-opvang").access("shelter");
        let journey = |id: &str| access::GetJourneyRequest { client_id: id.to_owned() };
        let of_somebody = ask!(chain, stranger, get_journey, journey(&household.client_id)).unwrap_err();
        let of_nobody = ask!(chain, stranger, get_journey, journey(&nobody)).unwrap_err();
        assert_eq!((of_somebody.code(), reason(&of_somebody)), (Code::NotFound, "NOT_FOUND".to_owned()));
        assert_eq!((of_nobody.code(), of_nobody.message()), (of_somebody.code(), of_somebody.message()));
        let request = housing::GetAllocationAsCorporationRequest { allocation_id: allocation.clone() };
        let other = chain.as_(Role::Corporation, "woonbron").housing("housing");
        assert_eq!(ask!(chain, other, get_allocation_as_corporation, request.clone()).unwrap_err().code(), Code::NotFound);
        let landlord = chain.as_(Role::Corporation, "trivire");
        let shown = call!(chain, landlord.housing("housing"), get_allocation_as_corporation, request).allocation.unwrap();
        assert_eq!((shown.client_id.as_str(), shown.may_sign), (household.client_id.as_str(), false));

        let request = income::GetBenefitRequestRequest { benefit_request_id: household.benefit_request_id.clone() };
        let denied = ask!(chain, landlord.income("housing"), get_benefit_request, request.clone()).unwrap_err();
        assert_eq!((denied.code(), reason(&denied)), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned()));
        let request = income::GetRentGuaranteeAsCorporationRequest { allocation_id: allocation.clone() };
        call!(chain, landlord.income("housing"), get_rent_guarantee_as_corporation, request);
        let denied = ask!(chain, landlord.access("housing"), get_journey, journey(&household.client_id)).unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied);

        let looks = |log: &[AccessEntry], who: &str, method: &str, result: &str| {
            let such = |entry: &&AccessEntry| entry.organisation == who && entry.method == method && entry.result == result;
            log.iter().filter(such).count()
        };
        let before = own_log(&chain, "access", &household.client_id).await;
        chain.journey(&household.client_id).await;
        let _ = ask!(chain, stranger, get_journey, journey(&household.client_id));
        let after = own_log(&chain, "access", &household.client_id).await;
        let desk = |log: &[AccessEntry]| looks(log, "gemeente-dordrecht", "AccessService/GetJourney", "ok");
        assert_eq!(desk(&after), desk(&before) + 1);
        let strangers = |log: &[AccessEntry]| looks(log, "vreemde-opvang", "AccessService/GetJourney", "NOT_FOUND");
        assert_eq!(strangers(&after), strangers(&before) + 1, "a look that was refused is a look");
        let housing = own_log(&chain, "housing", &household.client_id).await;
        assert_eq!(looks(&housing, "trivire", "HousingService/GetAllocationAsCorporation", "ok"), 1);
        assert_eq!(looks(&housing, "woonbron", "HousingService/GetAllocationAsCorporation", "NOT_FOUND"), 1);

        // Nobody reads another's log.
        let request = ListAccessRequest { client_id: household.client_id.clone(), page_size: 10, ..Default::default() };
        let other = chain.arrive().await;
        let curious = chain.client(&other.client_id).audit("access", "own-file");
        let refused = ask!(chain, curious, list_access, request).unwrap_err();
        assert!([Code::NotFound, Code::PermissionDenied].contains(&refused.code()), "{refused:?}");
    }

    /// P8, R-HOU-04: what a corporation's feed carries is addressed to it, and says neither why nor on what ground.
    async fn a_corporations_feed_tells_neither_why_nor_on_what_ground(chain: Chain) {
        let (household, allocation) = chain.allocated(true).await;
        chain.grant(&household, LEASES).await;
        let second = chain.candidate(false).await;
        let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
        let declined = chain.offer(&dwelling, &second).await;
        let own = chain.client(&second.client_id).housing("own-file");
        let shown = housing::GetOfferRequest { offer_id: declined.clone() };
        let request = housing::DeclineOfferRequest {
            request_id: rid(),
            offer_id: declined.clone(),
            expected_version: call!(chain, own, get_offer, shown).offer.unwrap().version,
            reason: housing::DeclineReason::Location.into(),
            ..Default::default()
        };
        call!(chain, own, decline_offer, request);
        chain.settle().await;
        let (trivire, woonbron) = (chain.as_(Role::Corporation, "trivire"), chain.as_(Role::Corporation, "woonbron"));
        let told = whole(&trivire, "housing", "housing").await;
        let names: BTreeSet<String> = told.iter().map(name).collect();
        assert!(names.contains("AllocationAccepted") && names.contains("CandidateGone"), "{names:?}");
        for silent in ["OfferAnswered", "GateOpened", "GateShut", "Nominated"] {
            assert!(!names.contains(silent), "{silent}");
        }
        let of_others: Vec<String> = whole(&woonbron, "housing", "housing").await.iter().map(name).collect();
        assert_eq!(of_others, ["ContingentAgreed"], "nothing of another corporation's");
        assert_eq!(whole(&woonbron, "aftercare", "housing").await.len(), 0);
        let _ = allocation;
    }

    /// P8, R-REG-13: an organisation that is several things hears in each role what is for that role, also when an event is
    /// addressed to it for another.
    async fn a_role_hears_only_what_is_for_that_role(chain: Chain) {
        let (household, _) = chain.allocated(true).await;
        chain.grant(&household, LEASES).await;
        let heard = async |organisation: &str, roles: &[Role], service: &str| -> BTreeSet<String> {
            let person = chain.doors.person(Actor { roles: roles.to_vec(), ..testkit::actor(roles[0], organisation) });
            whole(&person, service, "operations").await.iter().map(name).collect()
        };
        let shelter = "leger-des-heils";
        assert!(heard(shelter, &[Role::Caseholder], "income").await.contains("BenefitDecided"));
        assert_eq!(heard(shelter, &[Role::Shelter], "income").await, BTreeSet::new(), "nothing of income is for shelters");
        assert!(heard(shelter, &[Role::Shelter], "access").await.contains("Admitted"));
        assert_eq!(heard(shelter, &[Role::Caseholder], "access").await, BTreeSet::new());
        // The case holder is a person: the first role names who it is.
        let both = [Role::Caseholder, Role::Shelter];
        assert_eq!(heard(shelter, &both, "income").await, heard(shelter, &[Role::Caseholder], "income").await);
        assert_eq!(heard(shelter, &[Role::Shelter, Role::Caseholder], "income").await, BTreeSet::new(), "another case holder");
        let social = heard("sociale-dienst", &[Role::Income], "income").await;
        assert!(social.contains("BenefitRequestCompleted") && !social.contains("BenefitDecided"), "{social:?}");
        assert_eq!(heard("sociale-dienst", &[Role::Debt], "income").await, BTreeSet::new(), "social services', not debt's");
    }

    /// P8, R-REG-13: after the answer to the end of a relation nobody reads by it any more, in no service.
    async fn an_ended_relation_opens_nothing_once_it_is_answered(chain: Chain) {
        let household = chain.arrive().await;
        for _ in 0..5 {
            assert_eq!(chain.read_by_relation(&household).await, [Code::NotFound; 5]);
            let relation_id = chain.grant_relation(&household).await;
            assert_eq!(chain.read_by_relation(&household).await, [Code::Ok; 5]);
            let request =
                regie::EndRelationRequest { request_id: rid(), client_id: household.client_id.clone(), relation_id };
            call!(chain, chain.person(Role::Regie).regie("regie"), end_relation, request);
        }
        assert_eq!(chain.read_by_relation(&household).await, [Code::NotFound; 5]);
        chain.hold().await;
    }

    /// P9, R-MON-02: the six measures are what was fed in; small cells are hidden; a rebuild gives the same bytes.
    async fn the_figures_are_what_was_fed_in(chain: Chain) {
        let mut households = Vec::new();
        for _ in 0..6 {
            households.push(chain.arrive().await);
        }
        chain.nights_until(Date::constant(2026, 3, 8)).await;
        for household in &households {
            chain.depart(household).await;
        }
        chain.on(Date::constant(2026, 3, 10)).await;
        chain.hold().await;
        let door = chain.person(Role::Monitor).monitor("monitoring");
        let measures = ["registrations", "trajectories", "left", "mean_nights", "mean_trajectory_days"];
        let request = monitor::GetFiguresRequest {
            measures: measures.map(str::to_owned).to_vec(),
            periods: vec!["2026".to_owned(), "2026-03".to_owned()],
        };
        let cells = call!(chain, door, get_figures, request.clone()).cells;
        let shown: Vec<_> = cells.iter().map(|cell| (cell.measure.as_str(), cell.period.as_str(), cell.value_milli)).collect();
        for (measure, value) in measures.into_iter().zip([6000, 6000, 6000, 6000, 6000]) {
            for period in ["2026", "2026-03"] {
                assert!(shown.contains(&(measure, period, Some(value))), "{measure} {period}: {shown:?}");
            }
        }
        let whole = monitor::GetFiguresRequest {
            measures: vec!["mean_occupied_beds".to_owned()],
            periods: vec!["2026-03".to_owned()],
        };
        let beds = call!(chain, door, get_figures, whole).cells;
        let slept = 6 * 6 * 1000 / 31;
        assert_eq!(beds.iter().map(|cell| cell.value_milli).collect::<Vec<_>>(), [Some(slept)], "36 nights in 31 days");
        // One more, and none of the cells can be subtracted from another to find that one.
        let one = chain.arrive().await;
        chain.on(Date::constant(2026, 4, 2)).await;
        let cells = call!(chain, door, get_figures, request).cells;
        assert!(cells.iter().all(|cell| cell.value_milli.is_none_or(|value| value == 0 || value >= 5000)), "{cells:?}");
        let first = call!(chain, door, rebuild, monitor::RebuildRequest { request_id: rid() });
        let second = call!(chain, door, rebuild, monitor::RebuildRequest { request_id: rid() });
        assert!(first.identical && second.identical);
        assert_eq!(first.digest, second.digest, "the same bytes");
        let _ = one;
    }

    /// P10: what one partner entered reached the others unasked.
    async fn what_was_entered_once_is_known_where_it_is_needed(chain: Chain) {
        let (household, allocation) = chain.allocated(true).await;
        // Entered with the home by the corporation and the municipality: lease start and rent, at income.
        let benefit = chain.benefit(&household).await;
        assert!(is(&benefit.lease_start_on, LEASES) && is(&benefit.asked_from_on, LEASES));
        let guarantee = chain.guarantees().await.remove(0);
        assert_eq!((guarantee.rent_cents, guarantee.client_id.as_str()), (RENT_CENTS, household.client_id.as_str()));
        // Entered with the nomination by the shelter: who guides, at aftercare and at the corporation.
        let handover = chain.handover(&allocation).await;
        assert_eq!((handover.from_organisation.as_str(), handover.to_organisation.as_str()), ("leger-des-heils", "wijkteam-west"));
        assert!(is(&handover.move_on, LEASES));
        // Entered at registration by the shelter: who the client is, for social services, with the BSN.
        let request = access::GetBenefitApplicantRequest { client_id: household.client_id.clone() };
        let social = chain.person(Role::Income);
        let applicant = call!(chain, social.access("income"), get_benefit_applicant, request).applicant.unwrap();
        assert!(kernel::Bsn::parse("bsn", &applicant.bsn).is_ok());
        // Entered by each: what happened, in one list, at the municipality.
        let request =
            regie::GetTimelineRequest { client_id: household.client_id.clone(), page_size: 500, ..Default::default() };
        let timeline = call!(chain, chain.person(Role::Regie).regie("regie"), get_timeline, request).entries;
        let services: BTreeSet<&str> = timeline.iter().filter_map(|entry| entry.r#type.split('.').nth(2)).collect();
        assert!(services.is_superset(&BTreeSet::from(["access", "housing", "income", "aftercare"])), "{services:?}");
        chain.hold().await;
    }
}

/// Aftercare's policy with the relapse guarantee on.
fn relapse_guarantee() -> OwnFile {
    let policy = ::aftercare::domain::DEFAULT_POLICY;
    ("aftercare.toml", policy.replace("relapse_guarantee = false", "relapse_guarantee = true"))
}

/// A calendar in which the day after [`BEGINS`] and the last day of two terms in acts are no working days.
fn designated_days() -> OwnFile {
    ("calendar.toml", r#"designated_days = ["2026-03-03", "2026-04-13", "2026-04-28"]"#.to_owned())
}

/// What a team hears on a named subscription until it has everything there is; acknowledged or not.
async fn listen(person: &Person, subscription: &str, acknowledge: bool) -> Vec<Event> {
    let purpose = if person.actor.roles.contains(&Role::District) { "aftercare" } else { "housing" };
    let mut feed = person.feed("aftercare", purpose);
    let request = SubscribeRequest { subscription: subscription.to_owned(), ..Default::default() };
    let mut stream = feed.subscribe(request).await.unwrap().into_inner();
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
        let next = next.expect("a checkpoint comes").expect("the stream goes on").unwrap();
        cursor.clone_from(&next.cursor);
        match next.event {
            Some(event) => events.push(event),
            None => break,
        }
    }
    if acknowledge {
        let subscription = subscription.to_owned();
        feed.acknowledge(AcknowledgeRequest { subscription, cursor }).await.unwrap();
    }
    events
}

/// The signals among events, in their order.
fn signals(events: &[Event]) -> Vec<String> {
    events.iter().filter_map(payload::<aftercare::SignalReceived>).map(|signal| signal.signal_id).collect()
}

/// The signals whose teams, fixed at receipt, include this one.
async fn own(chain: &Chain, team: &str) -> Vec<String> {
    let all = chain.facts().await.all::<aftercare::SignalReceived>().into_iter();
    all.filter(|signal| signal.teams.iter().any(|it| it == team)).map(|signal| signal.signal_id).collect()
}

/// Everything that a partner gets of a feed.
async fn whole(person: &Person, service: &str, purpose: &'static str) -> Vec<Event> {
    let mut stream = person.feed(service, purpose).subscribe(SubscribeRequest::default()).await.unwrap().into_inner();
    let mut events = Vec::new();
    while let Ok(Some(next)) = tokio::time::timeout(Duration::from_secs(20), stream.next()).await {
        match next.unwrap().event {
            Some(event) => events.push(event),
            None => break,
        }
    }
    events
}

/// What a client reads of who looked.
async fn own_log(chain: &Chain, service: &str, client_id: &str) -> Vec<AccessEntry> {
    let request = ListAccessRequest { client_id: client_id.to_owned(), page_size: 500, ..Default::default() };
    call!(chain, chain.client(client_id).audit(service, "own-file"), list_access, request).entries
}
