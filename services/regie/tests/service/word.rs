//! The client's word: consent, the release of secrecy and the agreement to help, which never count for one another.

use super::*;
use proto::feed::v1::SubscribeRequest;
use proto::feed::v1::feed_service_client::FeedServiceClient;

const TEAM: &str = "wijkteam-west";
const CLINIC: &str = "ggz-drechtsteden";

fn own(bench: &Bench<Regie>, client: ClientId) -> Caller {
    as_(bench, &client_actor(client), "own-file")
}

fn consent(client: ClientId) -> GiveConsentRequest {
    GiveConsentRequest {
        request_id: rid(),
        client_id: client.to_string(),
        data_category: ConsentCategory::Scores.into(),
        receiver: TEAM.into(),
        purpose: "aftercare".into(),
        text_version: "2026-1".into(),
        given_on: None,
    }
}

fn release(client: ClientId, subject: ReleaseSubject) -> ReleaseSecrecyRequest {
    ReleaseSecrecyRequest {
        request_id: rid(),
        client_id: client.to_string(),
        organisation: CLINIC.into(),
        receiver: TEAM.into(),
        subject: subject.into(),
        purpose: "aftercare".into(),
        text_version: "2026-1".into(),
        last_day: None,
        given_on: None,
    }
}

fn guidance_by_shelter(client: ClientId) -> AgreeToHelpRequest {
    AgreeToHelpRequest {
        request_id: rid(),
        client_id: client.to_string(),
        kind: HelpKind::Guidance.into(),
        organisation: "leger-des-heils".into(),
        text_version: "2026-1".into(),
        plan_edition: 0,
        given_on: None,
    }
}

fn end(client: ClientId, help_agreement_id: &str) -> EndHelpAgreementRequest {
    EndHelpAgreementRequest {
        request_id: rid(),
        client_id: client.to_string(),
        help_agreement_id: help_agreement_id.into(),
    }
}

fn withdraw(client: ClientId, release_id: &str) -> WithdrawReleaseRequest {
    WithdrawReleaseRequest { request_id: rid(), client_id: client.to_string(), release_id: release_id.into() }
}

async fn relate(bench: &Bench<Regie>, client: ClientId, organisation: &str, role: &str) {
    let request = GrantRelationRequest {
        request_id: rid(),
        client_id: client.to_string(),
        organisation: organisation.into(),
        role: role.into(),
        person: String::new(),
    };
    municipality(bench).grant_relation(request).await.unwrap();
}

/// By their ids: the consents, releases and agreements that one caller is told of.
async fn standing(caller: &mut Caller, client: ClientId) -> [Vec<String>; 3] {
    let client_id = client.to_string();
    let consents = caller.get_consent_status(GetConsentStatusRequest { client_id: client_id.clone() }).await.unwrap();
    let releases = caller.get_release_status(GetReleaseStatusRequest { client_id: client_id.clone() }).await.unwrap();
    let agreements = caller.get_help_agreement_status(GetHelpAgreementStatusRequest { client_id }).await.unwrap();
    [
        consents.into_inner().consents.into_iter().map(|one| one.consent_id).collect(),
        releases.into_inner().releases.into_iter().map(|one| one.release_id).collect(),
        agreements.into_inner().agreements.into_iter().map(|one| one.help_agreement_id).collect(),
    ]
}

async fn scores_seen(team: &mut Caller, client: ClientId) -> usize {
    let request = GetCaseAsDistrictRequest { client_id: client.to_string() };
    team.get_case_as_district(request).await.unwrap().into_inner().scores.len()
}

async fn score(bench: &Bench<Regie>, client: ClientId) {
    let request = RecordScoresRequest {
        request_id: rid(),
        expected_version: version(bench, client).await,
        client_id: client.to_string(),
        moment: ScoreMoment::Intake.into(),
        scored_on: Some(from_date(TODAY)),
        scores: vec![Score { domain: ScoreDomain::Housing.into(), level: 2 }],
    };
    shelter(bench).record_scores(request).await.unwrap();
}

testkit::on_both_engines! {
    /// R-REG-27, R-REG-24, P8
    async fn neither_consent_nor_release_nor_agreement_counts_for_another(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        relate(&bench, client, TEAM, "district").await;
        relate(&bench, client, CLINIC, "treatment").await;
        score(&bench, client).await;
        let mut own = own(&bench, client);
        let mut team = as_(&bench, &actor(Role::District, TEAM), "aftercare");
        let mut clinic = as_(&bench, &actor(Role::Treatment, CLINIC), "aftercare");
        let nothing = || -> [Vec<String>; 3] { Default::default() };
        assert_eq!(standing(&mut team, client).await, nothing());

        // Everything that can be released or agreed upon opens nothing that rests on consent.
        let mut releases = Vec::new();
        for subject in 1..=5 {
            let subject = ReleaseSubject::try_from(subject).unwrap();
            releases.push(own.release_secrecy(release(client, subject)).await.unwrap().into_inner().release_id);
        }
        let aftercare =
            AgreeToHelpRequest { kind: HelpKind::Aftercare.into(), organisation: TEAM.into(), ..guidance_by_shelter(client) };
        let agreement = own.agree_to_help(aftercare).await.unwrap().into_inner().help_agreement_id;
        assert_eq!(scores_seen(&mut team, client).await, 0);
        assert_eq!(standing(&mut team, client).await, [vec![], releases.clone(), vec![agreement.clone()]]);
        assert_eq!(standing(&mut clinic, client).await, [vec![], releases.clone(), vec![]]);
        // Of what concerns others nobody hears.
        assert_eq!(standing(&mut shelter(&bench), client).await, nothing());

        // And consent releases nobody from secrecy.
        let consent = own.give_consent(consent(client)).await.unwrap().into_inner().consent_id;
        assert_eq!(scores_seen(&mut team, client).await, 1);
        assert_eq!(standing(&mut team, client).await, [vec![consent.clone()], releases.clone(), vec![agreement.clone()]]);
        for id in &releases {
            own.withdraw_release(withdraw(client, id)).await.unwrap();
        }
        assert_eq!(standing(&mut team, client).await, [vec![consent.clone()], vec![], vec![agreement.clone()]]);
        assert_eq!(scores_seen(&mut team, client).await, 1, "consent goes on");

        // None is withdrawn in the name of another.
        let foreign = own.withdraw_release(withdraw(client, &consent)).await.unwrap_err();
        assert_eq!(reason(&foreign), "RELEASE_UNKNOWN");
        assert_eq!(reason(&own.end_help_agreement(end(client, &consent)).await.unwrap_err()), "HELP_AGREEMENT_UNKNOWN");
        let request_id = rid();
        let foreign = WithdrawConsentRequest { request_id, client_id: client.to_string(), consent_id: agreement.clone() };
        assert_eq!(reason(&own.withdraw_consent(foreign).await.unwrap_err()), "CONSENT_UNKNOWN");

        // The client sees all of them, also what ended.
        let request = GetCaseAsSelfRequest { client_id: client.to_string(), case_id: String::new() };
        let file = own.get_case_as_self(request).await.unwrap().into_inner();
        assert_eq!((file.consents.len(), file.releases.len(), file.agreements.len()), (1, 5, 1));
        assert!(file.releases.iter().all(|one| one.withdrawn_on == Some(from_date(TODAY))));
        assert_eq!(file.agreements[0].ended_by(), HelpAgreementSide::Unspecified);
    }

    /// R-REG-27, P8: for the next read, and for who listens already.
    async fn a_release_ends_at_once_for_both_sides_and_on_open_streams(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        relate(&bench, client, TEAM, "district").await;
        relate(&bench, client, CLINIC, "treatment").await;
        let mut own = own(&bench, client);
        let (district, treatment) = (actor(Role::District, TEAM), actor(Role::Treatment, CLINIC));
        let mut streams = Vec::new();
        for who in [&district, &treatment] {
            let mut feed = FeedServiceClient::new(bench.as_(who, "aftercare"));
            let mut stream = feed.subscribe(SubscribeRequest::default()).await.unwrap().into_inner();
            // Up to the checkpoint: what comes from here on comes on the open stream.
            while stream.message().await.unwrap().unwrap().event.is_some() {}
            streams.push(stream);
        }
        let told_on = Some(from_date(date(2026, 3, 1)));
        let mut clinic = as_(&bench, &treatment, "aftercare");
        let bare = clinic.release_secrecy(release(client, ReleaseSubject::CareNeed)).await.unwrap_err();
        assert_eq!(reason(&bare), "RELEASE_EVIDENCE_MISSING");
        let told = ReleaseSecrecyRequest { given_on: told_on, ..release(client, ReleaseSubject::CareNeed) };
        let release_id = clinic.release_secrecy(told).await.unwrap().into_inner().release_id;
        own.withdraw_release(withdraw(client, &release_id)).await.unwrap();
        own.withdraw_release(withdraw(client, &release_id)).await.unwrap();
        for who in [&district, &treatment] {
            let mut door = as_(&bench, who, "aftercare");
            assert_eq!(standing(&mut door, client).await.concat(), Vec::<String>::new());
        }
        for stream in &mut streams {
            let mut heard = Vec::new();
            while heard.len() < 2 {
                heard.extend(stream.message().await.unwrap().unwrap().event.map(|event| event.r#type));
            }
            let kinds = ["secrecy-released", "secrecy-release-withdrawn"].map(|kind| format!("nl.doorstroom.regie.{kind}"));
            assert_eq!(heard, kinds);
        }
    }

    /// R-REG-27
    async fn a_release_with_a_last_day_stands_until_then(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        relate(&bench, client, TEAM, "district").await;
        let mut own = own(&bench, client);
        let until = |day: Date| ReleaseSecrecyRequest {
            last_day: Some(from_date(day)),
            ..release(client, ReleaseSubject::AgreedActions)
        };
        assert_eq!(reason(&own.release_secrecy(until(date(2026, 3, 1))).await.unwrap_err()), "MALFORMED");
        own.release_secrecy(until(date(2026, 3, 5))).await.unwrap();
        let mut team = as_(&bench, &actor(Role::District, TEAM), "aftercare");
        for (day, standing_then) in [(date(2026, 3, 5), 1), (date(2026, 3, 6), 0)] {
            bench.on(day).await;
            assert_eq!(standing(&mut team, client).await[1].len(), standing_then, "{day}");
        }
    }

    /// R-REG-27
    async fn either_side_ends_an_agreement_and_the_case_holder_reads_it(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        municipality(&bench).assign_case_holder(assign(client, "anna", 1, AssignmentReason::First)).await.unwrap();
        let (mut own, mut anna) = (own(&bench, client), as_(&bench, &anna(), "regie"));
        let mut shelter = shelter(&bench);
        let debts = AgreeToHelpRequest {
            kind: HelpKind::DebtCounselling.into(),
            organisation: "sociale-dienst".into(),
            ..guidance_by_shelter(client)
        };
        let debts = own.agree_to_help(debts).await.unwrap().into_inner().help_agreement_id;
        let told_on = Some(from_date(TODAY));
        let by_plan = AgreeToHelpRequest { text_version: String::new(), plan_edition: 1, given_on: told_on, ..guidance_by_shelter(client) };
        let early = shelter.agree_to_help(by_plan.clone()).await.unwrap_err();
        assert_eq!(reason(&early), "HELP_AGREEMENT_PLAN_UNKNOWN");
        shelter.adopt_plan(adopt(&bench, client).await).await.unwrap();
        let by_plan = AgreeToHelpRequest { request_id: rid(), ..by_plan };
        let guided = shelter.agree_to_help(by_plan).await.unwrap().into_inner().help_agreement_id;
        let both = AgreeToHelpRequest { plan_edition: 1, ..guidance_by_shelter(client) };
        assert_eq!(reason(&own.agree_to_help(both).await.unwrap_err()), "MALFORMED");

        assert_eq!(standing(&mut shelter, client).await[2], std::slice::from_ref(&guided));
        assert_eq!(standing(&mut anna, client).await[2], [debts.clone(), guided.clone()]);
        // What is another's to give, the shelter does not end; its own it does, also on its way out.
        assert_eq!(reason(&shelter.end_help_agreement(end(client, &debts)).await.unwrap_err()), "NOT_FOUND");
        shelter.end_help_agreement(end(client, &guided)).await.unwrap();
        own.end_help_agreement(end(client, &debts)).await.unwrap();
        own.end_help_agreement(end(client, &guided)).await.unwrap();
        assert_eq!(standing(&mut anna, client).await[2], Vec::<String>::new());
        let request = GetCaseAsSelfRequest { client_id: client.to_string(), case_id: String::new() };
        let file = own.get_case_as_self(request).await.unwrap().into_inner();
        let ended: Vec<_> = file.agreements.iter().map(|one| (one.help_agreement_id.clone(), one.ended_by())).collect();
        assert_eq!(ended, [(debts, HelpAgreementSide::Client), (guided, HelpAgreementSide::Organisation)]);
        let heard = bench.events_for(&super::anna(), "operations").await;
        let of_help = |event: &proto::feed::v1::Event| event.r#type.contains("help-agree");
        assert_eq!(heard.iter().filter(|event| of_help(event)).count(), 4);
    }
}
