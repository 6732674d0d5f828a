//! The road, whole: from notification to the end of aftercare, and each promise where it applies.

use super::facts::is;
use super::steps::{DORDRECHT, WEST};
use super::{BEGINS, Chain, LEASES, RENT_CENTS, on_both_engines};
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::housing::v1 as housing;
use proto::regie::v1 as regie;
use testkit::{Code, reason};

on_both_engines! {
    /// P1, P2, P3, P7, P8, P9, P10, R-ACC-12, R-ACC-17, R-HOU-03, R-HOU-11, R-INC-11, R-AFT-01, R-AFT-02, R-AFT-18
    async fn from_notification_to_the_end_of_aftercare(chain: Chain) {
        // Somebody comes to the shelter; the municipality's file opens by itself, and asks for a case holder.
        let mut anna = chain.arrive().await;
        let desk = chain.person(Role::Access).access("investigation");
        let shown = call!(chain, desk, get_client, access::GetClientRequest { client_id: anna.client_id.clone() });
        assert!(shown.client.is_some_and(|client| client.bsn.starts_with("9999")));
        let facts = chain.facts().await;
        let opened = facts.all::<regie::CaseOpened>();
        assert_eq!(opened.len(), 1);
        assert_eq!(opened[0].municipality, DORDRECHT);
        assert_eq!(facts.count::<regie::TaskOpened>(|task| task.kind() == regie::TaskKind::AssignCaseholder), 1);

        // More than three nights make a trajectory, and a plan is asked for (R-ACC-17).
        chain.nights_until(Date::constant(2026, 3, 6)).await;
        let tasks = chain.tasks(regie::TaskKind::MakePlan, &anna.stay_id).await;
        assert_eq!(tasks.len(), 1);
        assert_eq!(tasks[0].organisation, "leger-des-heils");

        // Not ready: no nomination. Ready: a nomination, and housing heard it from regie, not from anybody's form (P10).
        let early = chain.try_nominate(&anna, false).await.unwrap_err();
        assert_eq!(reason(&early), "NOMINATION_NOT_READY");
        chain.ready_for_home(&mut anna).await;
        assert!(chain.tasks(regie::TaskKind::MakePlan, &anna.stay_id).await.is_empty(), "the plan is made");
        anna.nomination_id = chain.try_nominate(&anna, true).await.unwrap();
        chain.settle().await;

        // A home is offered. The corporation sees a candidate, not a person (P8).
        chain.nights_until(Date::constant(2026, 3, 10)).await;
        let dwelling = chain.home("trivire", WEST, housing::ContractForm::ConvertibleLease).await;
        let offer = chain.offer(&dwelling, &anna).await;
        let trivire = chain.as_(Role::Corporation, "trivire");
        let request = housing::GetOfferAsCorporationRequest { offer_id: offer.clone() };
        let candidate = call!(chain, trivire.housing("housing"), get_offer_as_corporation, request).offer.unwrap();
        assert!(candidate.ready && candidate.guarantee_required);
        assert_eq!((candidate.adults, candidate.guidance_by.as_str()), (1, "leger-des-heils"));
        let tenant = access::GetTenantRequest { client_id: anna.client_id.clone() };
        let unknown = ask!(chain, trivire.access("housing"), get_tenant, tenant.clone()).unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);

        // Accepted by all: on the same day everything that must be asked has left (P2), once (P3).
        let allocation = chain.accept_by_all(&offer, &anna, "trivire").await;
        let facts = chain.hold().await;
        let day = chain.today();
        assert_eq!(facts.days::<proto::income::v1::BenefitRequestCompleted>(|e| e.allocation_id == allocation), [day]);
        assert_eq!(facts.days::<proto::income::v1::RentGuaranteeRequested>(|e| e.allocation_id == allocation), [day]);
        assert_eq!(facts.days::<aftercare::HandoverDrafted>(|e| e.allocation_id == allocation), [day]);

        // Now the corporation may know its tenant, social services the move, and the team the address (P8, P10).
        let shown = call!(chain, trivire.access("housing"), get_tenant, tenant).tenant.unwrap();
        assert_eq!(shown.first_names, "Voornaam");
        let request = housing::GetMoveForIncomeRequest { allocation_id: allocation.clone() };
        let moved = call!(chain, chain.person(Role::Income).housing("income"), get_move_for_income, request);
        assert!(is(&moved.lease_start_on, LEASES));
        assert_eq!((moved.rent_cents, moved.municipality.as_str()), (RENT_CENTS, DORDRECHT));
        let request = housing::GetMoveForDistrictRequest { allocation_id: allocation.clone() };
        let team = chain.as_(Role::District, "wijkteam-west");
        let moved = call!(chain, team.housing("aftercare"), get_move_for_district, request);
        assert_eq!(moved.address.unwrap().street, "Voorstraat");

        // The handover: a task for whoever has it in hand, until it is accepted (R-AFT-02, P7).
        assert_eq!(chain.tasks(regie::TaskKind::FillHandover, &allocation).await.len(), 1);
        chain.fill_handover(&allocation).await;
        assert!(chain.tasks(regie::TaskKind::FillHandover, &allocation).await.is_empty());
        assert_eq!(chain.tasks(regie::TaskKind::AnswerHandover, &allocation).await.len(), 1);
        chain.hand_over(&allocation).await;
        assert!(chain.tasks(regie::TaskKind::AnswerHandover, &allocation).await.is_empty());

        // No lease without the agreement (R-HOU-11), nor before the income is secured (P2).
        let unagreed = chain.sign_lease(&allocation, "trivire").await.unwrap_err();
        assert_eq!(reason(&unagreed), "AGREEMENT_MISSING");
        chain.agreement(&allocation, &anna, "trivire").await;
        let shut = chain.sign_lease(&allocation, "trivire").await.unwrap_err();
        assert_eq!(reason(&shut), "GATE_SHUT");
        chain.guarantee(&allocation, false).await;
        chain.grant(&anna, LEASES).await;
        assert!(chain.allocation(&allocation).await.gate_open);
        chain.nights_until(LEASES).await;
        chain.sign_lease(&allocation, "trivire").await.unwrap();
        chain.keys(&allocation, "trivire").await;
        chain.depart(&anna).await;

        // Aftercare begins with the keys, and the case stays open (R-AFT-01).
        let facts = chain.hold().await;
        assert_eq!(facts.days::<aftercare::AftercareStarted>(|e| e.allocation_id == allocation), [LEASES]);
        assert_eq!(facts.count::<regie::CaseClosed>(|_| true), 0);
        let nights = facts.all::<access::Departed>()[0].nights_used;
        assert_eq!(nights as i64, i64::from(BEGINS.until(LEASES).unwrap().get_days()), "every night was slept");
        for day in [Date::constant(2026, 4, 3), Date::constant(2026, 4, 10), Date::constant(2026, 4, 17)] {
            chain.on(day).await;
            chain.contact(&allocation, aftercare::ContactResult::Held).await;
        }
        chain.end_aftercare(&allocation).await;
        let facts = chain.hold().await;
        let closed = facts.all::<regie::CaseClosed>();
        assert_eq!(closed.len(), 1);
        assert_eq!(closed[0].reason(), regie::CloseReason::AftercareEnded);

        // Another team hears nothing, and the client reads who looked (P8).
        let request = access::GetClientForDistrictRequest { client_id: anna.client_id.clone() };
        let stranger = chain.as_(Role::District, "wijkteam-oost").access("aftercare");
        assert_eq!(ask!(chain, stranger, get_client_for_district, request).unwrap_err().code(), Code::NotFound);
        let request = proto::audit::v1::ListAccessRequest {
            client_id: anna.client_id.clone(),
            page_size: 500,
            ..Default::default()
        };
        let log = call!(chain, chain.client(&anna.client_id).audit("access", "own-file"), list_access, request).entries;
        assert!(log.iter().any(|entry| entry.organisation == "trivire" && entry.method == "AccessService/GetTenant"));
        assert!(log.iter().all(|entry| entry.subject.is_empty()), "no member of staff by name (R-REG-27)");
    }
}
