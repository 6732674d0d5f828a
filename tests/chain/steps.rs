//! What people in the chain do: a call each, or a few that belong together.

use super::{Chain, LEASES};
use doorstroom::demo::people::bsn;
use doorstroom::doors::Person;
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::housing::v1 as housing;
use proto::income::v1 as income;
use proto::regie::v1 as regie;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use testkit::{Code, rid};
use tonic::Status;

/// The municipality of the chain.
pub const DORDRECHT: &str = "0505";
/// A district of the team in the west.
pub const WEST: &str = "WK050503";
/// A district of the team in the east.
pub const EAST: &str = "WK050507";
/// The rent of every home here.
pub const RENT_CENTS: i64 = 59_000;

/// A client, by the ids that the services answered.
#[derive(Clone, Debug, Default)]
pub struct Household {
    pub client_id: String,
    pub notification_id: String,
    pub stay_id: String,
    pub benefit_request_id: String,
    pub nomination_id: String,
}

/// A bed that is slept in from a day on.
pub struct Staying {
    stay_id: String,
    from: Date,
}

/// A date as it goes on the wire.
pub fn wire(date: Date) -> Option<proto::google::r#type::Date> {
    Some(proto::from_date(date))
}

impl Chain {
    fn next(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// The night shelter of this chain.
    pub fn facility(&self) -> String {
        self.facility.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A night shelter, and homes set aside by both corporations.
    pub async fn open(&self) {
        let request = access::RegisterFacilityRequest {
            request_id: rid(),
            organisation: "leger-des-heils".to_owned(),
            municipality: DORDRECHT.to_owned(),
            name: "Nachtopvang".to_owned(),
            kind: access::FacilityKind::NightShelter.into(),
            audience: access::Audience::Adults.into(),
            provision: access::Provision::General.into(),
            places: 40,
            reserve: 4,
            opened_on: wire(self.today()),
        };
        let facility = call!(self, self.person(Role::Access).access("operations"), register_facility, request);
        *self.facility.lock().unwrap_or_else(PoisonError::into_inner) = facility.facility_id;
        for corporation in ["trivire", "woonbron"] {
            let request = housing::AgreeContingentRequest {
                request_id: rid(),
                corporation: corporation.to_owned(),
                municipality: DORDRECHT.to_owned(),
                year: self.today().year().into(),
                target_group: housing::TargetGroup::Outflow.into(),
                places: 1000,
            };
            call!(self, self.person(Role::Regie).housing("regie"), agree_contingent, request);
        }
    }

    /// The shelter registers a client.
    pub async fn register(&self) -> String {
        let number = self.next() as usize;
        let identity = access::Identity {
            surname: format!("Achternaam{number}"),
            first_names: "Voornaam".to_owned(),
            birth_date: wire(Date::constant(1985, 5, 5)),
            bsn: bsn(number),
            no_address: true,
            phone: "06-55501234".to_owned(),
            ..access::Identity::default()
        };
        let request = access::RegisterClientRequest {
            request_id: rid(),
            municipality: DORDRECHT.to_owned(),
            identity: Some(identity),
        };
        call!(self, self.person(Role::Shelter).access("shelter"), register_client, request).client_id
    }

    /// The shelter records that somebody needs shelter now.
    pub async fn notify(&self, client_id: &str) -> String {
        let request = access::RecordNotificationRequest {
            request_id: rid(),
            client_id: client_id.to_owned(),
            municipality: DORDRECHT.to_owned(),
            origin: Some(access::record_notification_request::Origin::OriginMunicipality(DORDRECHT.to_owned())),
            triggers: vec![access::Trigger::RentArrears.into()],
            received_on: wire(self.today()),
            used_shelter_before: false,
            needs_shelter_now: true,
            told_of_personal_plan: true,
            told_of_client_support: true,
        };
        let notified = call!(self, self.person(Role::Shelter).access("shelter"), record_notification, request);
        let request = access::DecideUrgentProvisionRequest {
            request_id: rid(),
            notification_id: notified.notification_id.clone(),
            expected_version: notified.version,
            granted: true,
            facility_id: self.facility(),
            ..Default::default()
        };
        call!(self, self.person(Role::Access).access("decision"), decide_urgent_provision, request);
        notified.notification_id
    }

    /// Intake with income, and a bed for tonight.
    pub async fn admit(&self, client_id: &str, notification_id: &str) -> String {
        let desk = self.person(Role::Access).access("investigation");
        let request = access::PlanIntakeRequest {
            request_id: rid(),
            notification_id: notification_id.to_owned(),
            planned_on: wire(self.today()),
            asks_benefit: true,
            asks_mail_address: false,
        };
        let intake = call!(self, desk, plan_intake, request);
        let request = access::CompleteIntakeRequest {
            request_id: rid(),
            intake_id: intake.intake_id,
            expected_version: intake.version,
            result: access::IntakeResult::Shelter.into(),
            completed_on: wire(self.today()),
            ..Default::default()
        };
        call!(self, desk, complete_intake, request);
        let request = access::AdmitClientRequest {
            request_id: rid(),
            client_id: client_id.to_owned(),
            facility_id: self.facility(),
            notification_id: notification_id.to_owned(),
            claim_id: String::new(),
            admitted_on: wire(self.today()),
        };
        let stay_id = call!(self, self.person(Role::Shelter).access("shelter"), admit_client, request).stay_id;
        self.stays(&stay_id);
        stay_id
    }

    fn stays(&self, stay_id: &str) {
        let staying = Staying { stay_id: stay_id.to_owned(), from: self.today() };
        self.staying.lock().unwrap_or_else(PoisonError::into_inner).push(staying);
    }

    /// Everybody who has a bed slept in it last night.
    pub async fn record_last_night(&self) {
        let night = self.today().yesterday().unwrap();
        let slept = |staying: &Staying| access::NightOfStay {
            stay_id: staying.stay_id.clone(),
            r#use: access::NightUse::Used.into(),
            ..Default::default()
        };
        let nights = {
            let staying = self.staying.lock().unwrap_or_else(PoisonError::into_inner);
            staying.iter().filter(|staying| staying.from <= night).map(slept).collect()
        };
        let request = access::RecordNightsRequest {
            request_id: rid(),
            facility_id: self.facility(),
            night: wire(night),
            expected_version: 0,
            nights,
        };
        call!(self, self.person(Role::Shelter).access("shelter"), record_nights, request);
    }

    /// Lives on until a day, with a register of every night.
    pub async fn nights_until(&self, day: Date) {
        while self.today() < day {
            self.at(self.today().tomorrow().unwrap(), 9).await;
            self.record_last_night().await;
        }
        self.settle().await;
    }

    /// Registered, notified, admitted.
    pub async fn arrive(&self) -> Household {
        let client_id = self.register().await;
        let notification_id = self.notify(&client_id).await;
        let stay_id = self.admit(&client_id, &notification_id).await;
        self.settle().await;
        Household { client_id, notification_id, stay_id, ..Household::default() }
    }

    /// An application and its decision, for so many months; 0 for what is usual.
    pub async fn decide(&self, household: &Household, months: i32) {
        let desk = self.person(Role::Access).access("decision");
        let request = access::SubmitApplicationRequest {
            request_id: rid(),
            notification_id: household.notification_id.clone(),
            received_on: wire(self.today()),
        };
        let application = call!(self, desk, submit_application, request);
        let deviation =
            if months == 0 { access::DeviationReason::Unspecified } else { access::DeviationReason::ShorterNeed };
        let request = access::TakeDecisionRequest {
            request_id: rid(),
            application_id: application.application_id,
            expected_version: application.version,
            granted: true,
            target_group: access::TargetGroup::Economic.into(),
            starts_on: wire(self.today()),
            months,
            deviation: deviation.into(),
            ground: access::RefusalGround::Unspecified.into(),
        };
        call!(self, desk, take_decision, request);
    }

    /// Case holder, plan with a goal to live on one's own, guidance.
    pub async fn plan(&self, household: &Household) {
        let client_id = || household.client_id.clone();
        let desk = self.person(Role::Access).regie("investigation");
        let request = regie::GetCaseRequest { client_id: client_id(), case_id: String::new() };
        let expected_version = call!(self, desk, get_case, request).case.unwrap().version;
        let request = regie::AssignCaseHolderRequest {
            request_id: rid(),
            expected_version,
            client_id: client_id(),
            person: "caseholder@leger-des-heils".to_owned(),
            organisation: "leger-des-heils".to_owned(),
            reason: regie::AssignmentReason::First.into(),
            ..Default::default()
        };
        let expected_version = call!(self, desk, assign_case_holder, request).version;
        let shelter = self.person(Role::Shelter).regie("shelter");
        let request = regie::AdoptPlanRequest {
            request_id: rid(),
            expected_version,
            client_id: client_id(),
            client_present: true,
            ..Default::default()
        };
        let expected_version = call!(self, shelter, adopt_plan, request).version;
        let request = regie::SetGoalRequest {
            request_id: rid(),
            expected_version,
            client_id: client_id(),
            domain: regie::LifeDomain::Housing.into(),
            text: "Een eigen voordeur.".to_owned(),
            owner: regie::GoalOwner::Client.into(),
            due_on: wire(self.today().saturating_add(jiff::Span::new().months(6))),
            ..Default::default()
        };
        let expected_version = call!(self, shelter, set_goal, request).version;
        let request = regie::SetGuidanceRequest {
            request_id: rid(),
            expected_version,
            client_id: client_id(),
            guidance: regie::Guidance::Arranged.into(),
        };
        call!(self, shelter, set_guidance, request);
    }

    /// Reported and applied for benefit; finances are stable.
    pub async fn finances(&self, household: &mut Household) {
        let social = self.person(Role::Income).income("income");
        let request = income::ReportForBenefitRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            reported_on: wire(self.today()),
            circumstances: Some(income::Circumstances { age: 40, institution: true, ..Default::default() }),
            ..Default::default()
        };
        let reported = call!(self, social, report_for_benefit, request);
        let request = income::SubmitBenefitApplicationRequest {
            request_id: rid(),
            benefit_request_id: reported.benefit_request_id.clone(),
            expected_version: reported.version,
            signed_by: income::Signatory::Client.into(),
            signed_on: wire(self.today()),
        };
        call!(self, social, submit_benefit_application, request);
        household.benefit_request_id = reported.benefit_request_id;
        let request = income::StabiliseFinancesRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            expected_version: 0,
            since: wire(self.today()),
        };
        call!(self, social, stabilise_finances, request);
    }

    /// All that readiness asks (R-HOU-03).
    pub async fn ready_for_home(&self, household: &mut Household) {
        self.decide(household, 0).await;
        self.plan(household).await;
        self.finances(household).await;
        self.settle().await;
    }

    /// The shelter's wish to nominate.
    pub fn nomination(household: &Household, guarantee_required: bool) -> housing::NominateRequest {
        housing::NominateRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            target_group: housing::TargetGroup::Outflow.into(),
            provider: String::new(),
            adults: 1,
            children: 0,
            age_class: housing::AgeClass::From23.into(),
            income_class: housing::IncomeClass::RentAllowance.into(),
            guarantee_required,
            wishes: Some(housing::Wishes { wished_districts: vec![WEST.to_owned()], ..Default::default() }),
        }
    }

    /// Nominated by the shelter; refused while not ready.
    pub async fn try_nominate(&self, household: &Household, guarantee_required: bool) -> Result<String, Status> {
        let request = Self::nomination(household, guarantee_required);
        ask!(self, self.person(Role::Shelter).housing("shelter"), nominate, request).map(|answer| answer.nomination_id)
    }

    /// Arrived, ready and in the pool.
    pub async fn candidate(&self, guarantee_required: bool) -> Household {
        let mut household = self.arrive().await;
        self.ready_for_home(&mut household).await;
        household.nomination_id = self.try_nominate(&household, guarantee_required).await.unwrap();
        self.settle().await;
        household
    }

    /// A corporation registers a home.
    pub async fn home(&self, corporation: &str, district: &str, form: housing::ContractForm) -> String {
        let number = self.next();
        let request = housing::RegisterDwellingRequest {
            request_id: rid(),
            bag_object_id: format!("050501{number:010}"),
            unit_suffix: String::new(),
            unit_number: format!("E-{number}"),
            address: Some(housing::Address {
                street: "Voorstraat".to_owned(),
                house_number: number.to_string(),
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
            available_on: wire(self.today()),
        };
        call!(self, self.as_(Role::Corporation, corporation).housing("housing"), register_dwelling, request).dwelling_id
    }

    /// The municipality offers a home from a day on.
    pub async fn try_offer(&self, dwelling: &str, household: &Household, lease_start: Date) -> Result<String, Status> {
        let request = housing::OfferDwellingRequest {
            request_id: rid(),
            dwelling_id: dwelling.to_owned(),
            nomination_id: household.nomination_id.clone(),
            lease_start_on: wire(lease_start),
            deviation_reason: housing::DeviationReason::Fitted.into(),
        };
        ask!(self, self.person(Role::Regie).housing("regie"), offer_dwelling, request).map(|answer| answer.offer_id)
    }

    /// The day on which leases start: [`LEASES`], or today where real time runs.
    pub fn leases(&self) -> Date {
        LEASES.max(self.today())
    }

    /// The municipality offers a home for [`Chain::leases`].
    pub async fn offer(&self, dwelling: &str, household: &Household) -> String {
        self.try_offer(dwelling, household, self.leases()).await.unwrap()
    }

    /// The client says yes, with an own token.
    pub async fn client_accepts(
        &self,
        offer: &str,
        household: &Household,
    ) -> Result<housing::AcceptOfferResponse, Status> {
        let door = self.client(&household.client_id).housing("own-file");
        let shown = || housing::GetOfferRequest { offer_id: offer.to_owned() };
        of_version!(call!(self, door, get_offer, shown()).offer.unwrap().version, |expected_version| {
            let (request_id, offer_id) = (rid(), offer.to_owned());
            let request = housing::AcceptOfferRequest { request_id, offer_id, expected_version, ..Default::default() };
            ask!(self, door, accept_offer, request)
        })
    }

    /// The corporation says yes.
    pub async fn corporation_accepts(
        &self,
        offer: &str,
        corporation: &str,
    ) -> Result<housing::AcceptCandidateResponse, Status> {
        let door = self.as_(Role::Corporation, corporation).housing("housing");
        let shown = || housing::GetOfferAsCorporationRequest { offer_id: offer.to_owned() };
        of_version!(call!(self, door, get_offer_as_corporation, shown()).offer.unwrap().version, |expected_version| {
            let (request_id, offer_id) = (rid(), offer.to_owned());
            let request =
                housing::AcceptCandidateRequest { request_id, offer_id, expected_version, ..Default::default() };
            ask!(self, door, accept_candidate, request)
        })
    }

    /// Accepted by all: the allocation.
    pub async fn accept_by_all(&self, offer: &str, household: &Household, corporation: &str) -> String {
        self.client_accepts(offer, household).await.unwrap();
        let accepted = self.corporation_accepts(offer, corporation).await.unwrap();
        self.settle().await;
        accepted.allocation_id
    }

    /// A candidate with a home that was accepted by all, for [`LEASES`], from Trivire in the west.
    pub async fn allocated(&self, guarantee_required: bool) -> (Household, String) {
        let household = self.candidate(guarantee_required).await;
        let dwelling = self.home("trivire", WEST, housing::ContractForm::OwnLease).await;
        let offer = self.offer(&dwelling, &household).await;
        let allocation = self.accept_by_all(&offer, &household, "trivire").await;
        (household, allocation)
    }

    /// The same, with income secured, the lease signed and the keys handed over. It is [`LEASES`] then.
    pub async fn housed(&self) -> (Household, String) {
        let (household, allocation) = self.allocated(false).await;
        self.hand_over(&allocation).await;
        self.grant(&household, LEASES).await;
        self.on(LEASES).await;
        self.sign_lease(&allocation, "trivire").await.unwrap();
        self.keys(&allocation, "trivire").await;
        self.depart(&household).await;
        (household, allocation)
    }

    /// The version of an allocation, as the municipality reads it.
    async fn allocation_version(&self, allocation: &str) -> i64 {
        let request = housing::GetAllocationRequest { allocation_id: allocation.to_owned() };
        call!(self, self.person(Role::Regie).housing("regie"), get_allocation, request).allocation.unwrap().version
    }

    /// The allocation is withdrawn by the municipality.
    pub async fn withdraw(&self, allocation: &str) {
        let request = housing::WithdrawAllocationRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await,
            reason: housing::WithdrawalReason::HouseholdChanged.into(),
        };
        call!(self, self.person(Role::Regie).housing("regie"), withdraw_allocation, request);
        self.settle().await;
    }

    /// The handover of an allocation, as the municipality sees it.
    pub async fn handover(&self, allocation: &str) -> aftercare::HandoverSummary {
        let request = aftercare::ListHandoversRequest { page_size: 200, ..Default::default() };
        let all = call!(self, self.person(Role::Regie).aftercare("regie"), list_handovers, request).handovers;
        all.into_iter().find(|handover| handover.allocation_id == allocation).expect("every home has a handover")
    }

    /// The giver fills the handover.
    pub async fn fill_handover(&self, allocation: &str) {
        let handover = self.handover(allocation).await;
        let request = aftercare::FillHandoverRequest {
            request_id: rid(),
            handover_id: handover.handover_id,
            expected_version: handover.version,
            form: Some(aftercare::HandoverForm {
                discussed_with_client_on: wire(self.today()),
                guidance_needed: "Twee uur per week.".to_owned(),
                wishes_and_strengths: "Kookt graag.".to_owned(),
                agreements: "Budgetbeheer loopt door.".to_owned(),
                day_activity: "Drie ochtenden in het buurthuis.".to_owned(),
                network: "Een zus in de wijk.".to_owned(),
                safety: "Geen bijzonderheden.".to_owned(),
                giver_contact: "Begeleider, 078-5550123.".to_owned(),
                first_meeting_on: handover.move_on,
            }),
        };
        call!(self, self.person(Role::Shelter).aftercare("shelter"), fill_handover, request);
        self.settle().await;
    }

    /// Filled by the giver, accepted by the team.
    pub async fn hand_over(&self, allocation: &str) {
        self.fill_handover(allocation).await;
        let handover = self.handover(allocation).await;
        let request = aftercare::AcceptHandoverRequest {
            request_id: rid(),
            handover_id: handover.handover_id,
            expected_version: handover.version,
        };
        let team = self.as_(Role::District, &handover.to_organisation);
        call!(self, team.aftercare("aftercare"), accept_handover, request);
        self.settle().await;
    }

    /// The tri-party agreement, signed by all three; the provider rents.
    pub async fn agreement(&self, allocation: &str, household: &Household, corporation: &str) {
        use housing::{Capacity, Party};
        let parties = [
            (Party::Corporation, Capacity::Officer),
            (Party::Client, Capacity::Self_),
            (Party::Provider, Capacity::Officer),
        ];
        let request = housing::DraftAgreementRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await,
            parties: parties
                .map(|(party, capacity)| housing::AgreementParty {
                    party: party.into(),
                    signatories: vec![capacity.into()],
                })
                .to_vec(),
            tenant: housing::Tenant::Provider.into(),
            ..Default::default()
        };
        let mut expected_version =
            call!(self, self.person(Role::Shelter).housing("shelter"), draft_agreement, request).version;
        let doors = [
            self.as_(Role::Corporation, corporation).housing("housing"),
            self.client(&household.client_id).housing("own-file"),
            self.person(Role::Shelter).housing("shelter"),
        ];
        for (door, (party, capacity)) in doors.into_iter().zip(parties) {
            let request = housing::SignAgreementRequest {
                request_id: rid(),
                allocation_id: allocation.to_owned(),
                expected_version,
                party: party.into(),
                capacity: capacity.into(),
                ..Default::default()
            };
            expected_version = call!(self, door, sign_agreement, request).version;
        }
    }

    /// The benefit request as social services see it.
    pub async fn benefit(&self, household: &Household) -> income::BenefitRequest {
        let request = income::GetBenefitRequestRequest { benefit_request_id: household.benefit_request_id.clone() };
        let shown = call!(self, self.person(Role::Income).income("income"), get_benefit_request, request);
        shown.benefit_request.expect("the request is shown")
    }

    /// Social services decide: benefit from a day on, or none.
    pub async fn decide_benefit(&self, household: &Household, from: Option<Date>) {
        use income::decide_benefit_request::Decision;
        let grant = |from| income::BenefitGrant {
            start_on: wire(from),
            circumstances: Some(income::Circumstances { age: 40, ..Default::default() }),
            ..Default::default()
        };
        let refusal = Decision::Refusal(income::BenefitRefusalGround::InformationMissing.into());
        let request = income::DecideBenefitRequest {
            request_id: rid(),
            benefit_request_id: household.benefit_request_id.clone(),
            expected_version: self.benefit(household).await.version,
            decision: Some(from.map_or(refusal, |from| Decision::Grant(grant(from)))),
        };
        call!(self, self.person(Role::Income).income("income"), decide_benefit, request);
        self.settle().await;
    }

    /// Benefit is granted from a day on.
    pub async fn grant(&self, household: &Household, from: Date) {
        self.decide_benefit(household, Some(from)).await;
    }

    /// An advance with the written expectation that there is a right from a day on.
    pub async fn advance(&self, household: &Household, from: Date) {
        let request = income::PayAdvanceRequest {
            request_id: rid(),
            benefit_request_id: household.benefit_request_id.clone(),
            expected_version: self.benefit(household).await.version,
            amount_cents: 140_150,
            paid_on: wire(self.today()),
            circumstances: Some(income::Circumstances { age: 40, ..Default::default() }),
            expected_from_on: wire(from),
            expected_until: wire(from.saturating_add(jiff::Span::new().months(2))),
        };
        call!(self, self.person(Role::Income).income("income"), pay_advance, request);
        self.settle().await;
    }

    /// Income of one's own from a day on.
    pub async fn own_income(&self, household: &Household, from: Date) {
        let request = income::VerifyOwnIncomeRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            expected_version: 0,
            kind: income::OwnIncomeKind::Wages.into(),
            from_on: wire(from),
            ends_on: None,
        };
        call!(self, self.person(Role::Income).income("income"), verify_own_income, request);
        self.settle().await;
    }

    /// The rent guarantees that wait for a decision.
    pub async fn guarantees(&self) -> Vec<income::RentGuarantee> {
        let request = income::ListRentGuaranteesRequest { page_size: 200, ..Default::default() };
        call!(self, self.person(Role::Income).income("income"), list_rent_guarantees, request).rent_guarantees
    }

    /// The rent guarantee of an allocation is granted.
    pub async fn guarantee(&self, allocation: &str, bridging: bool) {
        let asked = self.guarantees().await.into_iter().find(|guarantee| guarantee.allocation_id == allocation);
        let asked = asked.expect("a guarantee was asked");
        let grant = income::RentGuaranteeGrant {
            cap_cents: 2 * RENT_CENTS,
            ends_on: wire(self.today().saturating_add(jiff::Span::new().months(6))),
            reason: income::RentGuaranteeReason::DebtsBlockLease.into(),
            bridging,
        };
        let request = income::DecideRentGuaranteeRequest {
            request_id: rid(),
            guarantee_id: asked.guarantee_id,
            expected_version: asked.version,
            decision: Some(income::decide_rent_guarantee_request::Decision::Grant(grant)),
        };
        call!(self, self.person(Role::Income).income("income"), decide_rent_guarantee, request);
        self.settle().await;
    }

    /// The municipality opens the gate itself, with a reason.
    pub async fn override_gate(&self, household: &Household, allocation: &str) {
        let request = regie::OverrideGateRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            allocation_id: allocation.to_owned(),
            open: true,
            reason: regie::OverrideReason::HomeWouldBeLost.into(),
            explanation: "De gemeente staat in voor de eerste maanden.".to_owned(),
        };
        call!(self, self.person(Role::Regie).regie("regie"), override_gate, request);
        self.settle().await;
    }

    /// The client asks in writing that the file be destroyed (R-REG-22).
    pub async fn ask_erasure(&self, household: &Household) {
        let request = regie::RequestErasureRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            received_on: None,
        };
        call!(self, self.person(Role::Regie).regie("regie"), request_erasure, request);
        self.settle().await;
    }

    /// The lease is signed, if the gate is open.
    pub async fn sign_lease(&self, allocation: &str, corporation: &str) -> Result<housing::SignLeaseResponse, Status> {
        let door = self.as_(Role::Corporation, corporation).housing("housing");
        let signed = of_version!(self.allocation_version(allocation).await, |expected_version| {
            let allocation_id = allocation.to_owned();
            ask!(
                self,
                door,
                sign_lease,
                housing::SignLeaseRequest { request_id: rid(), allocation_id, expected_version }
            )
        });
        self.settle().await;
        signed
    }

    /// The keys.
    pub async fn keys(&self, allocation: &str, corporation: &str) {
        let request = housing::HandOverKeysRequest {
            request_id: rid(),
            allocation_id: allocation.to_owned(),
            expected_version: self.allocation_version(allocation).await,
            on: wire(self.today()),
        };
        call!(self, self.as_(Role::Corporation, corporation).housing("housing"), hand_over_keys, request);
        self.settle().await;
    }

    /// What access knows of a client's way.
    pub async fn journey(&self, client_id: &str) -> access::Journey {
        let request = access::GetJourneyRequest { client_id: client_id.to_owned() };
        let shown = call!(self, self.person(Role::Access).access("investigation"), get_journey, request);
        shown.journey.expect("the journey is shown")
    }

    /// Out of the shelter, to a home of one's own.
    pub async fn depart(&self, household: &Household) {
        let journey = self.journey(&household.client_id).await;
        let stay = journey.stays.into_iter().find(|stay| stay.stay_id == household.stay_id).expect("the stay is shown");
        let own_home = access::record_departure_request::Outcome::Destination(access::Destination::OwnHome.into());
        let request = access::RecordDepartureRequest {
            request_id: rid(),
            stay_id: household.stay_id.clone(),
            expected_version: stay.version,
            departed_on: wire(self.today()),
            outcome: Some(own_home),
        };
        call!(self, self.person(Role::Shelter).access("shelter"), record_departure, request);
        self.staying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|staying| staying.stay_id != household.stay_id);
        self.settle().await;
    }

    /// The municipality gives somebody of another shelter a relation with the client, as case holder.
    pub async fn grant_relation(&self, household: &Household) -> String {
        let request = regie::GrantRelationRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            organisation: "vrouwenopvang".to_owned(),
            role: Role::Caseholder.to_string(),
            person: self.other_case_holder().actor.subject,
        };
        let granted = call!(self, self.person(Role::Regie).regie("regie"), grant_relation, request);
        self.settle().await;
        granted.relation_id
    }

    fn other_case_holder(&self) -> Person {
        self.as_(Role::Caseholder, "vrouwenopvang")
    }

    /// What access, housing, income, aftercare and regie answer when that case holder reads about the client.
    pub async fn read_by_relation(&self, household: &Household) -> [Code; 5] {
        let reader = self.other_case_holder();
        let client_id = || household.client_id.clone();
        let code = |refused: Option<Status>| refused.map_or(Code::Ok, |status| status.code());
        let journey = access::GetJourneyRequest { client_id: client_id() };
        let offers = housing::ListOffersRequest { client_id: client_id(), ..Default::default() };
        let benefit = income::GetBenefitStatusRequest { client_id: client_id() };
        let signals = aftercare::ListSignalsAsCaseholderRequest { client_id: client_id(), ..Default::default() };
        let case = regie::GetCaseRequest { client_id: client_id(), ..Default::default() };
        [
            code(reader.access("regie").get_journey(journey).await.err()),
            code(reader.housing("regie").list_offers(offers).await.err()),
            code(reader.income("regie").get_benefit_status(benefit).await.err()),
            code(reader.aftercare("regie").list_signals_as_caseholder(signals).await.err()),
            code(reader.regie("regie").get_case(case).await.err()),
        ]
    }

    /// The client died.
    pub async fn death(&self, household: &Household) {
        let shelter = self.person(Role::Shelter).access("shelter");
        let request = access::GetClientForGuidanceRequest { client_id: household.client_id.clone() };
        let version =
            call!(self, shelter, get_client_for_guidance, request).client.expect("the client is shown").version;
        let request = access::RecordDeathRequest {
            request_id: rid(),
            client_id: household.client_id.clone(),
            expected_version: version,
            died_on: wire(self.today()),
        };
        call!(self, shelter, record_death, request);
        self.staying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|staying| staying.stay_id != household.stay_id);
        self.settle().await;
    }

    /// The aftercare of an allocation.
    pub async fn care(&self, allocation: &str) -> aftercare::AftercareSummary {
        let regie = self.person(Role::Regie).aftercare("regie");
        let request = aftercare::ListAftercareRequest { page_size: 200, ..Default::default() };
        let all = call!(self, regie, list_aftercare, request).aftercare;
        all.into_iter().find(|care| care.allocation_id == allocation).expect("aftercare started with the keys")
    }

    /// The team sees the client, or does not.
    pub async fn contact(&self, allocation: &str, result: aftercare::ContactResult) {
        let care = self.care(allocation).await;
        let request = aftercare::RecordContactRequest {
            request_id: rid(),
            aftercare_id: care.aftercare_id,
            expected_version: care.version,
            contact_on: wire(self.today()),
            result: result.into(),
            form: aftercare::ContactForm::Visit.into(),
        };
        let team = self.as_(Role::District, &care.responsible_organisation);
        call!(self, team.aftercare("aftercare"), record_contact, request);
        self.settle().await;
    }

    /// Team and client agree that aftercare ends.
    pub async fn end_aftercare(&self, allocation: &str) {
        let care = self.care(allocation).await;
        let request = aftercare::EndAftercareRequest {
            request_id: rid(),
            aftercare_id: care.aftercare_id,
            expected_version: care.version,
            outcome: aftercare::AftercareOutcome::Agreement.into(),
            agreed_with_client_on: wire(self.today()),
            ..Default::default()
        };
        let team = self.as_(Role::District, &care.responsible_organisation);
        call!(self, team.aftercare("aftercare"), end_aftercare, request);
        self.settle().await;
    }

    /// The police raise a signal.
    pub async fn signal(&self, client_id: &str, kind: aftercare::SignalKind) {
        let request = aftercare::RaiseSignalRequest {
            request_id: rid(),
            client_id: client_id.to_owned(),
            kind: kind.into(),
            text: "De buren maken zich zorgen.".to_owned(),
            ..Default::default()
        };
        call!(self, self.person(Role::Police).aftercare("aftercare"), raise_signal, request);
        self.settle().await;
    }

    /// The police report that somebody has nowhere to sleep tonight.
    pub async fn nowhere_to_sleep(&self, client_id: &str, municipality: &str) {
        let request = aftercare::ReportNowhereToSleepRequest {
            request_id: rid(),
            client_id: client_id.to_owned(),
            municipality: municipality.to_owned(),
            text: "Staat bij het station.".to_owned(),
        };
        call!(self, self.person(Role::Police).aftercare("crisis"), report_nowhere_to_sleep, request);
        self.settle().await;
    }

    /// A team takes a signal up.
    pub async fn take_up(&self, signal_id: &str, team: &Person) {
        let request = aftercare::GetSignalRequest { signal_id: signal_id.to_owned() };
        let shown = call!(self, self.person(Role::Regie).aftercare("regie"), get_signal, request);
        let request = aftercare::TakeUpSignalRequest {
            request_id: rid(),
            signal_id: signal_id.to_owned(),
            expected_version: shown.signal.expect("the signal is shown").version,
        };
        call!(self, team.aftercare("aftercare"), take_up_signal, request);
        self.settle().await;
    }

    /// The open tasks of one kind, of everybody, as the municipality sees them.
    pub async fn tasks(&self, kind: regie::TaskKind, subject_id: &str) -> Vec<regie::TaskView> {
        let request = regie::ListTasksRequest {
            all_organisations: true,
            state: regie::TaskState::Open.into(),
            page_size: 500,
            ..Default::default()
        };
        let all = call!(self, self.person(Role::Regie).regie("regie"), list_tasks, request).tasks;
        all.into_iter().filter(|task| task.kind() == kind && task.subject_id == subject_id).collect()
    }

    /// An allocation as the municipality sees it.
    pub async fn allocation(&self, allocation: &str) -> housing::Allocation {
        let request = housing::GetAllocationRequest { allocation_id: allocation.to_owned() };
        let shown = call!(self, self.person(Role::Regie).housing("regie"), get_allocation, request);
        shown.allocation.expect("the allocation is shown")
    }
}
