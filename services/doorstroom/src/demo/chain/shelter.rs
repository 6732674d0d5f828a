//! How somebody comes in: a place, a decision, a plan.

use super::*;

impl Chain<'_> {
    pub(super) async fn set_up(&mut self) -> anyhow::Result<()> {
        let request = access::RegisterFacilityRequest {
            request_id: rid(),
            organisation: "leger-des-heils".to_owned(),
            municipality: DORDRECHT.to_owned(),
            name: "Nachtopvang".to_owned(),
            kind: access::FacilityKind::NightShelter.into(),
            audience: access::Audience::Adults.into(),
            provision: access::Provision::General.into(),
            places: 50,
            reserve: 10,
            opened_on: on(self.day),
        };
        self.facility =
            self.desk.access("operations").register_facility(request).await.said("RegisterFacility")?.facility_id;
        for (corporation, places) in [("trivire", 2), ("woonbron", 3)] {
            let request = housing::AgreeContingentRequest {
                request_id: rid(),
                corporation: corporation.to_owned(),
                municipality: DORDRECHT.to_owned(),
                year: 2026,
                target_group: housing::TargetGroup::Outflow.into(),
                places,
            };
            self.regie.housing("regie").agree_contingent(request).await.said("AgreeContingent")?;
        }
        Ok(())
    }

    /// Registered, notified, a bed for tonight, and an intake together with income.
    pub(super) async fn arrive(&mut self, number: usize) -> anyhow::Result<Client> {
        let mut shelter = self.shelter.access("shelter");
        let identity =
            access::Identity { bsn: people::bsn(number), ..people::identity(number, self.day, &mut self.dice) };
        let request = access::RegisterClientRequest {
            request_id: rid(),
            municipality: DORDRECHT.to_owned(),
            identity: Some(identity),
        };
        let client = shelter.register_client(request.clone()).await.said("RegisterClient")?;
        // The line was bad: the same wish again is the same client.
        let again = shelter.register_client(request).await.said("RegisterClient")?;
        ensure!(again == client, "a repeat gave another client");
        let request = access::RecordNotificationRequest {
            request_id: rid(),
            client_id: client.client_id.clone(),
            municipality: DORDRECHT.to_owned(),
            origin: Some(access::record_notification_request::Origin::OriginMunicipality(DORDRECHT.to_owned())),
            triggers: vec![access::Trigger::RentArrears.into()],
            received_on: on(self.day),
            used_shelter_before: false,
            needs_shelter_now: true,
            told_of_personal_plan: true,
            told_of_client_support: true,
        };
        let notified = shelter.record_notification(request).await.said("RecordNotification")?;
        let request = access::DecideUrgentProvisionRequest {
            request_id: rid(),
            notification_id: notified.notification_id.clone(),
            expected_version: notified.version,
            granted: true,
            facility_id: self.facility.clone(),
            ..Default::default()
        };
        self.desk.access("decision").decide_urgent_provision(request).await.said("DecideUrgentProvision")?;
        let request = access::PlanIntakeRequest {
            request_id: rid(),
            notification_id: notified.notification_id.clone(),
            planned_on: on(self.day),
            asks_benefit: true,
            asks_mail_address: false,
        };
        let mut desk = self.desk.access("investigation");
        let intake = desk.plan_intake(request).await.said("PlanIntake")?;
        ensure!(intake.integrated, "an intake with a benefit is integrated (R-ACC-12)");
        let request = access::CompleteIntakeRequest {
            request_id: rid(),
            intake_id: intake.intake_id,
            expected_version: intake.version,
            result: access::IntakeResult::Shelter.into(),
            completed_on: on(self.day),
            ..Default::default()
        };
        desk.complete_intake(request).await.said("CompleteIntake")?;
        let request = access::AdmitClientRequest {
            request_id: rid(),
            client_id: client.client_id.clone(),
            facility_id: self.facility.clone(),
            notification_id: notified.notification_id.clone(),
            claim_id: String::new(),
            admitted_on: on(self.day),
        };
        let stay = shelter.admit_client(request).await.said("AdmitClient")?.stay_id;
        self.staying.push(Staying { stay_id: stay.clone(), from: self.day });
        Ok(Client { id: client.client_id, notification: notified.notification_id, stay, ..Client::default() })
    }

    /// All that readiness asks (R-HOU-03): decision, plan, guidance, finances; and the application for benefit.
    pub(super) async fn equip(&mut self, client: &mut Client) -> anyhow::Result<()> {
        self.decide(client, 0).await?;
        let mut desk = self.desk.regie("investigation");
        let wanted = regie::GetCaseRequest { client_id: client.id.clone(), case_id: String::new() };
        let case = desk.get_case(wanted).await.said("GetCase")?.case.context("the client has a case")?;
        let request = regie::AssignCaseHolderRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            person: "trajecthouder".to_owned(),
            organisation: "leger-des-heils".to_owned(),
            reason: regie::AssignmentReason::First.into(),
            ..Default::default()
        };
        let case = desk.assign_case_holder(request).await.said("AssignCaseHolder")?;
        let mut shelter = self.shelter.regie("shelter");
        let request = regie::AssignSupervisorRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            person: "begeleider".to_owned(),
            organisation: "leger-des-heils".to_owned(),
            reason: regie::AssignmentReason::First.into(),
        };
        let case = shelter.assign_supervisor(request).await.said("AssignSupervisor")?;
        let request = regie::AdoptPlanRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            client_present: true,
            ..Default::default()
        };
        let case = shelter.adopt_plan(request).await.said("AdoptPlan")?;
        let request = regie::SetGoalRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            domain: regie::LifeDomain::Housing.into(),
            text: "Een eigen voordeur.".to_owned(),
            owner: regie::GoalOwner::Client.into(),
            due_on: on(Date::constant(2026, 6, 30)),
            ..Default::default()
        };
        let case = shelter.set_goal(request).await.said("SetGoal")?;
        let scores = [regie::ScoreDomain::Finances, regie::ScoreDomain::Housing, regie::ScoreDomain::SocialNetwork];
        let request = regie::RecordScoresRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            moment: regie::ScoreMoment::Intake.into(),
            scored_on: on(self.day),
            scores: scores
                .map(|domain| regie::Score { domain: domain.into(), level: self.dice.between(1, 3) })
                .to_vec(),
        };
        let case = shelter.record_scores(request).await.said("RecordScores")?;
        let request = regie::SetGuidanceRequest {
            request_id: rid(),
            expected_version: case.version,
            client_id: client.id.clone(),
            guidance: regie::Guidance::Arranged.into(),
        };
        shelter.set_guidance(request).await.said("SetGuidance")?;

        let mut social = self.social.income("income");
        let request = income::ReportForBenefitRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            municipality: DORDRECHT.to_owned(),
            reported_on: on(self.day),
            circumstances: Some(income::Circumstances { age: 41, institution: true, ..Default::default() }),
            ..Default::default()
        };
        let reported = social.report_for_benefit(request).await.said("ReportForBenefit")?;
        let request = income::SubmitBenefitApplicationRequest {
            request_id: rid(),
            benefit_request_id: reported.benefit_request_id.clone(),
            expected_version: reported.version,
            signed_by: income::Signatory::Client.into(),
            signed_on: on(self.day),
        };
        social.submit_benefit_application(request).await.said("SubmitBenefitApplication")?;
        client.benefit = reported.benefit_request_id;
        let request = income::StabiliseFinancesRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: 0,
            since: on(self.day),
        };
        social.stabilise_finances(request).await.said("StabiliseFinances")?;
        self.world.settle().await
    }

    pub(super) async fn decide(&self, client: &Client, months: i32) -> anyhow::Result<()> {
        let mut desk = self.desk.access("decision");
        let request = access::SubmitApplicationRequest {
            request_id: rid(),
            notification_id: client.notification.clone(),
            received_on: on(self.day),
        };
        let application = desk.submit_application(request).await.said("SubmitApplication")?;
        let deviation =
            if months == 0 { access::DeviationReason::Unspecified } else { access::DeviationReason::ShorterNeed };
        let request = access::TakeDecisionRequest {
            request_id: rid(),
            application_id: application.application_id,
            expected_version: application.version,
            granted: true,
            target_group: access::TargetGroup::Economic.into(),
            starts_on: on(self.day),
            months,
            deviation: deviation.into(),
            ground: access::RefusalGround::Unspecified.into(),
        };
        desk.take_decision(request).await.said("TakeDecision").map(drop)
    }

    /// A second, shorter decision that nobody extends: it ends, but not silently (P7).
    pub(super) async fn short_decision(&self, client: &Client) -> anyhow::Result<()> {
        self.decide(client, 2).await
    }
}
