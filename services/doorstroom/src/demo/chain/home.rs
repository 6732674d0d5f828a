//! How somebody comes to a home: nominated, offered, accepted, signed, and what falls through.

use super::*;

impl Chain<'_> {
    pub(super) async fn nominate(&self, client: &mut Client, number: usize) -> anyhow::Result<()> {
        let request = housing::NominateRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            municipality: DORDRECHT.to_owned(),
            target_group: housing::TargetGroup::Outflow.into(),
            provider: String::new(),
            adults: 1,
            children: 0,
            age_class: housing::AgeClass::From23.into(),
            income_class: housing::IncomeClass::RentAllowance.into(),
            // Bram's debts, and those of whoever races, ask a guarantee.
            guarantee_required: (1..=3).contains(&number),
            wishes: Some(housing::Wishes { wished_districts: vec![WEST.to_owned()], ..Default::default() }),
        };
        client.nomination = self.shelter.housing("shelter").nominate(request).await.said("Nominate")?.nomination_id;
        Ok(())
    }

    pub(super) async fn home(
        &mut self,
        corporation: &Person,
        district: &str,
        form: housing::ContractForm,
    ) -> anyhow::Result<String> {
        self.homes += 1;
        let request = housing::RegisterDwellingRequest {
            request_id: rid(),
            bag_object_id: format!("050501{:010}", self.homes),
            unit_suffix: String::new(),
            unit_number: format!("E-{}", self.homes),
            address: Some(housing::Address {
                street: "Voorstraat".to_owned(),
                house_number: self.homes.to_string(),
                postcode: "3311EN".to_owned(),
                town: "Dordrecht".to_owned(),
            }),
            district: district.to_owned(),
            neighbourhood: format!("BU{}01", &district[2..]),
            kind: housing::DwellingKind::Flat.into(),
            contract_form: form.into(),
            rent_cents: RENT_CENTS,
            floor_area_m2: 48,
            rooms: 2,
            max_persons: 2,
            available_on: on(LEASES),
        };
        Ok(corporation.housing("housing").register_dwelling(request).await.said("RegisterDwelling")?.dwelling_id)
    }

    pub(super) async fn offer(&self, dwelling: &str, client: &Client) -> anyhow::Result<String> {
        let request = housing::OfferDwellingRequest {
            request_id: rid(),
            dwelling_id: dwelling.to_owned(),
            nomination_id: client.nomination.clone(),
            lease_start_on: on(LEASES),
            deviation_reason: housing::DeviationReason::Fitted.into(),
        };
        Ok(self.regie.housing("regie").offer_dwelling(request).await.said("OfferDwelling")?.offer_id)
    }

    pub(super) async fn decline(&self, offer: &str, client: &Client) -> anyhow::Result<()> {
        let request = housing::DeclineOfferRequest {
            request_id: rid(),
            offer_id: offer.to_owned(),
            expected_version: self.offer_version(offer, client).await?,
            reason: housing::DeclineReason::Location.into(),
            ..Default::default()
        };
        self.world.client(&client.id)?.housing("own-file").decline_offer(request).await.said("DeclineOffer").map(drop)
    }

    /// The version of an offer, as the client reads it.
    pub(super) async fn offer_version(&self, offer: &str, client: &Client) -> anyhow::Result<i64> {
        let request = housing::GetOfferRequest { offer_id: offer.to_owned() };
        let shown = self.world.client(&client.id)?.housing("own-file").get_offer(request).await.said("GetOffer")?;
        Ok(shown.offer.context("an offer is shown")?.version)
    }

    /// The version of an allocation, as the municipality reads it.
    pub(super) async fn allocation_version(&self, allocation: &str) -> anyhow::Result<i64> {
        let request = housing::GetAllocationRequest { allocation_id: allocation.to_owned() };
        let shown = self.regie.housing("regie").get_allocation(request).await.said("GetAllocation")?;
        Ok(shown.allocation.context("an allocation is shown")?.version)
    }

    /// The client says yes, with an own token; says the version of the offer then.
    pub(super) async fn client_accepts(&self, offer: &str, client: &Client) -> anyhow::Result<i64> {
        let request = housing::AcceptOfferRequest {
            request_id: rid(),
            offer_id: offer.to_owned(),
            expected_version: self.offer_version(offer, client).await?,
            ..Default::default()
        };
        let said =
            self.world.client(&client.id)?.housing("own-file").accept_offer(request).await.said("AcceptOffer")?;
        Ok(said.version)
    }

    /// The client with an own token, then the corporation, twice at once over a bad line.
    pub(super) async fn accept(&self, offer: &str, client: Client, corporation: &Person) -> anyhow::Result<Move> {
        let expected_version = self.client_accepts(offer, &client).await?;
        let request = housing::AcceptCandidateRequest {
            request_id: rid(),
            offer_id: offer.to_owned(),
            expected_version,
            ..Default::default()
        };
        let (mut one, mut other) = (corporation.housing("housing"), corporation.housing("housing"));
        let (one, other) = tokio::join!(one.accept_candidate(request.clone()), other.accept_candidate(request));
        let (one, other) = (one.said("AcceptCandidate")?, other.said("AcceptCandidate")?);
        ensure!(one.allocation_id == other.allocation_id, "the same wish twice gave two allocations");
        self.world.settle().await?;
        Ok(Move { client, allocation: one.allocation_id, corporation: corporation.clone() })
    }

    /// Two candidates, both accepted at the same moment. Says whether the first won, and the allocation.
    pub(super) async fn race(&self, dwelling: &str, one: &Client, other: &Client) -> anyhow::Result<(bool, String)> {
        let mut offers = Vec::new();
        for client in [one, other] {
            let offer = self.offer(dwelling, client).await?;
            let version = self.client_accepts(&offer, client).await?;
            offers.push((offer, version));
        }
        let accept = |(offer, version): &(String, i64)| {
            let (offer_id, expected_version) = (offer.clone(), *version);
            let request =
                housing::AcceptCandidateRequest { request_id: rid(), offer_id, expected_version, ..Default::default() };
            let mut corporation = self.trivire.housing("housing");
            async move { corporation.accept_candidate(request).await }
        };
        let (first, second) = tokio::join!(accept(&offers[0]), accept(&offers[1]));
        self.world.settle().await?;
        match (first, second) {
            (Ok(first), Err(_)) => Ok((true, first.into_inner().allocation_id)),
            (Err(_), Ok(second)) => Ok((false, second.into_inner().allocation_id)),
            (first, second) => anyhow::bail!("of two, exactly one wins a home: {first:?} and {second:?}"),
        }
    }

    pub(super) async fn withdraw(&self, allocation: &str, reason: housing::WithdrawalReason) -> anyhow::Result<()> {
        let request = housing::WithdrawAllocationRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await?,
            reason: reason.into(),
        };
        self.regie.housing("regie").withdraw_allocation(request).await.said("WithdrawAllocation")?;
        self.world.settle().await
    }

    /// The tri-party agreement, signed by all three.
    pub(super) async fn agreement(&self, Move { allocation, client, .. }: &Move) -> anyhow::Result<()> {
        use proto::housing::v1::{Capacity, Party};
        let parties = [
            (Party::Corporation, Capacity::Officer),
            (Party::Client, Capacity::Self_),
            (Party::Provider, Capacity::Officer),
        ];
        let request = housing::DraftAgreementRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await?,
            parties: parties
                .map(|(party, capacity)| housing::AgreementParty {
                    party: party.into(),
                    signatories: vec![capacity.into()],
                })
                .to_vec(),
            tenant: housing::Tenant::Provider.into(),
            ..Default::default()
        };
        let drafted = self.shelter.housing("shelter").draft_agreement(request).await.said("DraftAgreement")?;
        let mut expected_version = drafted.version;
        let doors = [
            self.trivire.housing("housing"),
            self.world.client(&client.id)?.housing("own-file"),
            self.shelter.housing("shelter"),
        ];
        for (mut door, (party, capacity)) in doors.into_iter().zip(parties) {
            let request = housing::SignAgreementRequest {
                request_id: rid(),
                allocation_id: allocation.to_owned(),
                expected_version,
                party: party.into(),
                capacity: capacity.into(),
                ..Default::default()
            };
            expected_version = door.sign_agreement(request).await.said("SignAgreement")?.version;
        }
        Ok(())
    }

    pub(super) async fn override_gate(&self, Move { allocation, client, .. }: &Move) -> anyhow::Result<()> {
        let request = regie::OverrideGateRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            allocation_id: allocation.to_owned(),
            open: true,
            reason: regie::OverrideReason::HomeWouldBeLost.into(),
            explanation: "De gemeente staat in voor de eerste maanden.".to_owned(),
        };
        self.regie.regie("regie").override_gate(request).await.said("OverrideGate")?;
        self.world.settle().await
    }

    pub(super) async fn sign_lease(&self, Move { allocation, corporation, .. }: &Move) -> anyhow::Result<()> {
        let expected_version = self.allocation_version(allocation).await?;
        let request =
            housing::SignLeaseRequest { request_id: rid(), allocation_id: allocation.to_owned(), expected_version };
        corporation.housing("housing").sign_lease(request).await.said("SignLease")?;
        self.world.settle().await
    }

    /// The keys, and out of the shelter.
    pub(super) async fn move_in(&mut self, Move { allocation, client, corporation }: &Move) -> anyhow::Result<()> {
        let request = housing::HandOverKeysRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await?,
            on: on(self.day),
        };
        corporation.housing("housing").hand_over_keys(request).await.said("HandOverKeys")?;
        let mut shelter = self.shelter.access("shelter");
        let journey =
            shelter.get_journey(access::GetJourneyRequest { client_id: client.id.clone() }).await.said("GetJourney")?;
        let stays = journey.journey.context("a journey is shown")?.stays;
        let stay = stays.into_iter().find(|stay| stay.stay_id == client.stay).context("the stay is in the journey")?;
        let request = access::RecordDepartureRequest {
            request_id: rid(),
            stay_id: client.stay.clone(),
            expected_version: stay.version,
            departed_on: on(self.day),
            outcome: Some(access::record_departure_request::Outcome::Destination(access::Destination::OwnHome.into())),
        };
        shelter.record_departure(request).await.said("RecordDeparture")?;
        self.staying.retain(|staying| staying.stay_id != client.stay);
        self.world.settle().await
    }
}
