//! The client's word over the whole chain (R-REG-27): nothing that a client needs waits for it, or falls with it.

use super::facts::name;
use super::steps::WEST;
use super::{Chain, Facts, Household, LEASES, on_both_engines};
use proto::housing::v1 as housing;
use proto::regie::v1 as regie;
use std::collections::BTreeMap;
use testkit::rid;

/// How often each thing happened to one client at those who give shelter, homes, income and aftercare.
fn outcome(facts: &Facts, household: &Household) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (service, event) in &facts.0 {
        if !["regie", "monitor"].contains(service) && event.client_id == household.client_id {
            *counts.entry(format!("{service} {}", name(event))).or_default() += 1;
        }
    }
    counts
}

impl Chain {
    /// The client gives all three.
    async fn give_word(&self, household: &Household) -> (String, String, String) {
        let (client_id, text_version) = (household.client_id.clone(), "2026-1".to_owned());
        let own = self.client(&client_id).regie("own-file");
        let consent = regie::GiveConsentRequest {
            request_id: rid(),
            client_id: client_id.clone(),
            data_category: regie::ConsentCategory::Debt.into(),
            receiver: "leger-des-heils".to_owned(),
            purpose: "housing".to_owned(),
            text_version: text_version.clone(),
            given_on: None,
        };
        let release = regie::ReleaseSecrecyRequest {
            request_id: rid(),
            client_id: client_id.clone(),
            organisation: "leger-des-heils".to_owned(),
            receiver: "gemeente-dordrecht".to_owned(),
            subject: regie::ReleaseSubject::CareNeed.into(),
            purpose: "decision".to_owned(),
            text_version: text_version.clone(),
            ..Default::default()
        };
        let help = regie::AgreeToHelpRequest {
            request_id: rid(),
            client_id,
            kind: regie::HelpKind::Guidance.into(),
            organisation: "leger-des-heils".to_owned(),
            text_version,
            ..Default::default()
        };
        (
            call!(self, own, give_consent, consent).consent_id,
            call!(self, own, release_secrecy, release).release_id,
            call!(self, own, agree_to_help, help).help_agreement_id,
        )
    }

    /// And takes all three back.
    async fn take_word_back(
        &self,
        household: &Household,
        (consent_id, release_id, help_agreement_id): (String, String, String),
    ) {
        let client_id = || household.client_id.clone();
        let own = self.client(&household.client_id).regie("own-file");
        let request = regie::WithdrawConsentRequest { request_id: rid(), client_id: client_id(), consent_id };
        call!(self, own, withdraw_consent, request);
        let request = regie::WithdrawReleaseRequest { request_id: rid(), client_id: client_id(), release_id };
        call!(self, own, withdraw_release, request);
        let request = regie::EndHelpAgreementRequest { request_id: rid(), client_id: client_id(), help_agreement_id };
        call!(self, own, end_help_agreement, request);
    }
}

on_both_engines! {
    /// R-REG-16, R-REG-27: who never said yes to anything, and who took everything back on the way, get the same shelter,
    /// nomination, home and benefit.
    async fn neither_shelter_nor_nomination_nor_benefit_waits_for_the_clients_word(chain: Chain) {
        let (silent, mut outspoken) = (chain.candidate(false).await, chain.arrive().await);
        let word = chain.give_word(&outspoken).await;
        chain.ready_for_home(&mut outspoken).await;
        outspoken.nomination_id = chain.try_nominate(&outspoken, false).await.unwrap();
        chain.settle().await;
        let mut allocations = Vec::new();
        for household in [&silent, &outspoken] {
            let dwelling = chain.home("trivire", WEST, housing::ContractForm::OwnLease).await;
            let offer = chain.offer(&dwelling, household).await;
            allocations.push(chain.accept_by_all(&offer, household, "trivire").await);
        }
        chain.take_word_back(&outspoken, word).await;
        for (household, allocation) in [&silent, &outspoken].into_iter().zip(&allocations) {
            chain.hand_over(allocation).await;
            chain.grant(household, LEASES).await;
        }
        chain.on(LEASES).await;
        for (household, allocation) in [&silent, &outspoken].into_iter().zip(&allocations) {
            chain.sign_lease(allocation, "trivire").await.unwrap();
            chain.keys(allocation, "trivire").await;
            chain.depart(household).await;
        }
        let facts = chain.hold().await;
        let happened = outcome(&facts, &silent);
        assert!(happened.contains_key("housing KeysHandedOver") && happened.contains_key("access Departed"), "{happened:?}");
        assert_eq!(happened, outcome(&facts, &outspoken));
        assert_eq!(facts.count::<regie::SecrecyReleaseWithdrawn>(|_| true), 1);
        assert_eq!(facts.count::<regie::HelpAgreementEnded>(|_| true), 1);
    }
}
