//! How somebody lands: handover, contacts, signals, and back under a roof when it goes wrong.

use super::*;

impl Chain<'_> {
    pub(super) async fn death(&mut self, client: &Client) -> anyhow::Result<()> {
        let mut shelter = self.shelter.access("shelter");
        let shown =
            shelter.get_client_for_guidance(access::GetClientForGuidanceRequest { client_id: client.id.clone() });
        let version = shown.await.said("GetClientForGuidance")?.client.context("a client is shown")?.version;
        let request = access::RecordDeathRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: version,
            died_on: on(self.day),
        };
        shelter.record_death(request).await.said("RecordDeath")?;
        self.staying.retain(|staying| staying.stay_id != client.stay);
        self.world.settle().await
    }

    /// The warm handover; returned once if so wished.
    pub(super) async fn handover(&self, allocation: &str, returned: bool) -> anyhow::Result<()> {
        let find = || async {
            let request = aftercare::ListHandoversRequest { page_size: 100, ..Default::default() };
            let all = self.regie.aftercare("regie").list_handovers(request).await.said("ListHandovers")?.handovers;
            all.into_iter().find(|handover| handover.allocation_id == allocation).context("every home has a handover")
        };
        let fill = |handover: aftercare::HandoverSummary| {
            let request = aftercare::FillHandoverRequest {
                request_id: rid(),
                handover_id: handover.handover_id,
                expected_version: handover.version,
                form: Some(aftercare::HandoverForm {
                    discussed_with_client_on: on(self.day),
                    guidance_needed: "Twee uur per week, het eerste half jaar.".to_owned(),
                    wishes_and_strengths: "Kookt graag; wil rust.".to_owned(),
                    agreements: "Budgetbeheer loopt door.".to_owned(),
                    day_activity: "Drie ochtenden in het buurthuis.".to_owned(),
                    network: "Een zus in de wijk.".to_owned(),
                    safety: "Geen bijzonderheden.".to_owned(),
                    giver_contact: "Begeleider, 078-5550123.".to_owned(),
                    first_meeting_on: on(LEASES),
                }),
            };
            let mut shelter = self.shelter.aftercare("shelter");
            async move { shelter.fill_handover(request).await.said("FillHandover") }
        };
        let filled = fill(find().await?).await?;
        let handover = find().await?;
        let team = self.team(&handover.to_organisation).person.aftercare("aftercare");
        let version = if returned {
            let request = aftercare::ReturnHandoverRequest {
                request_id: rid(),
                handover_id: handover.handover_id.clone(),
                expected_version: filled.version,
                reason: aftercare::HandoverReturnReason::Unclear.into(),
                note: "Welke afspraken over geld lopen door?".to_owned(),
            };
            { team.clone() }.return_handover(request).await.said("ReturnHandover")?;
            fill(find().await?).await?.version
        } else {
            filled.version
        };
        let request = aftercare::AcceptHandoverRequest {
            request_id: rid(),
            handover_id: handover.handover_id,
            expected_version: version,
        };
        { team }.accept_handover(request).await.said("AcceptHandover")?;
        self.world.settle().await
    }

    pub(super) fn team(&self, organisation: &str) -> &Team {
        if organisation == "wijkteam-west" { &self.west } else { &self.oost }
    }

    pub(super) async fn plan_for_signals(&self, client: &Client) -> anyhow::Result<()> {
        let request = aftercare::AgreeSignallingPlanRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            expected_version: 0,
            plan: Some(aftercare::SignallingPlan {
                signs: vec![aftercare::EarlySign {
                    sign: "De post blijft ongeopend.".to_owned(),
                    action: "Samen de post doornemen.".to_owned(),
                }],
                what_helps: "Een wandeling.".to_owned(),
                who_to_call: "De zus.".to_owned(),
                day_and_night_channel: "078-5550199".to_owned(),
                shared_money_kinds: vec![aftercare::SignalKind::MissedRent.into()],
                agreed_on: on(self.day),
            }),
        };
        let own = self.world.client(&client.id)?;
        own.aftercare("own-file").agree_signalling_plan(request).await.said("AgreeSignallingPlan").map(drop)
    }

    /// The aftercare of a home.
    pub(super) async fn care(&self, allocation: &str) -> anyhow::Result<String> {
        let request = aftercare::ListAftercareRequest { page_size: 100, ..Default::default() };
        let all = self.regie.aftercare("regie").list_aftercare(request).await.said("ListAftercare")?.aftercare;
        let found = all.into_iter().find(|aftercare| aftercare.allocation_id == allocation);
        Ok(found.context("aftercare starts with the keys")?.aftercare_id)
    }

    pub(super) async fn contact(&self, aftercare_id: &str, result: aftercare::ContactResult) -> anyhow::Result<()> {
        let request = aftercare::GetAftercareRequest { aftercare_id: aftercare_id.to_owned() };
        let now = self.regie.aftercare("regie").get_aftercare(request).await.said("GetAftercare")?.aftercare;
        let now = now.context("aftercare is shown")?;
        let request = aftercare::RecordContactRequest {
            request_id: rid(),
            aftercare_id: aftercare_id.to_owned(),
            expected_version: now.version,
            contact_on: on(self.day),
            result: result.into(),
            form: aftercare::ContactForm::Visit.into(),
        };
        let team = self.team(&now.responsible_organisation);
        team.person.aftercare("aftercare").record_contact(request).await.said("RecordContact")?;
        self.world.settle().await
    }

    pub(super) async fn signal(&self, client: &Client, kind: aftercare::SignalKind) -> anyhow::Result<()> {
        let request = aftercare::RaiseSignalRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            kind: kind.into(),
            text: "De buren maken zich zorgen.".to_owned(),
            ..Default::default()
        };
        self.police.aftercare("aftercare").raise_signal(request).await.said("RaiseSignal")?;
        self.world.settle().await
    }

    pub(super) async fn signal_version(&self, signal_id: &str) -> anyhow::Result<i64> {
        let request = aftercare::GetSignalRequest { signal_id: signal_id.to_owned() };
        let found = self.regie.aftercare("regie").get_signal(request).await.said("GetSignal")?;
        Ok(found.signal.context("a signal is shown")?.version)
    }

    pub(super) async fn take_up(&self, signal_id: &str) -> anyhow::Result<()> {
        let request = aftercare::TakeUpSignalRequest {
            request_id: rid(),
            signal_id: signal_id.to_owned(),
            expected_version: self.signal_version(signal_id).await?,
        };
        self.west.person.aftercare("aftercare").take_up_signal(request).await.said("TakeUpSignal").map(drop)
    }

    pub(super) async fn close_signal(&self, signal_id: &str) -> anyhow::Result<()> {
        let request = aftercare::CloseSignalRequest {
            request_id: rid(),
            signal_id: signal_id.to_owned(),
            expected_version: self.signal_version(signal_id).await?,
            outcome: aftercare::SignalOutcome::GuidanceScaledUp.into(),
            client_heard_on: on(self.day),
            note: "Gesproken; vaker langs.".to_owned(),
        };
        self.west.person.aftercare("aftercare").close_signal(request).await.said("CloseSignal")?;
        self.world.settle().await
    }

    /// In the evening the police find somebody without a place; within the hour something stands.
    pub(super) async fn nowhere_to_sleep(&self, client: &Client, municipality: &str) -> anyhow::Result<()> {
        self.world.at(self.day, 21);
        let request = aftercare::ReportNowhereToSleepRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            municipality: municipality.to_owned(),
            text: "Staat bij het station.".to_owned(),
        };
        self.police.aftercare("crisis").report_nowhere_to_sleep(request).await.said("ReportNowhereToSleep")?;
        self.world.settle().await?;
        self.world.at(self.day, 22);
        self.world.settle().await
    }

    /// The place that was claimed is taken the same night, without a new procedure.
    pub(super) async fn back_under_a_roof(&mut self, client: &Client) -> anyhow::Result<()> {
        let request = access::GetJourneyRequest { client_id: client.id.clone() };
        let journey = self.desk.access("investigation").get_journey(request).await.said("GetJourney")?.journey;
        let claim = journey.context("a journey is shown")?.claims.pop().context("a place was claimed")?;
        let request = access::AdmitClientRequest {
            request_id: rid(),
            client_id: client.id.clone(),
            facility_id: claim.facility_id,
            notification_id: String::new(),
            claim_id: claim.claim_id,
            admitted_on: on(self.day),
        };
        let stay_id = self.shelter.access("crisis").admit_client(request).await.said("AdmitClient")?.stay_id;
        self.staying.push(Staying { stay_id, from: self.day });
        self.world.settle().await
    }
}
