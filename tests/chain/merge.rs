//! One person who was registered twice: the two records become one for everybody, and two again (R-REG-26).

use super::steps::{DORDRECHT, wire};
use super::{Chain, Household, on_both_engines};
use doorstroom::demo::people::bsn;
use doorstroom::doors::Person;
use kernel::{Date, Role};
use proto::access::v1 as access;
use proto::aftercare::v1 as aftercare;
use proto::regie::v1 as regie;
use testkit::{reason, rid};

async fn register(chain: &Chain, person: &Person) -> String {
    let identity = access::Identity {
        surname: "Achternaam".to_owned(),
        first_names: "Voornaam".to_owned(),
        birth_date: wire(Date::constant(1985, 5, 5)),
        bsn: bsn(77),
        no_address: true,
        ..access::Identity::default()
    };
    let request = access::RegisterClientRequest {
        request_id: rid(),
        municipality: DORDRECHT.to_owned(),
        identity: Some(identity),
    };
    call!(chain, person.access("shelter"), register_client, request).client_id
}

fn notification(client_id: &str) -> access::RecordNotificationRequest {
    access::RecordNotificationRequest {
        request_id: rid(),
        client_id: client_id.to_owned(),
        municipality: DORDRECHT.to_owned(),
        origin: Some(access::record_notification_request::Origin::OriginMunicipality(DORDRECHT.to_owned())),
        triggers: vec![access::Trigger::RentArrears.into()],
        told_of_personal_plan: true,
        told_of_client_support: true,
        ..Default::default()
    }
}

fn signalling_plan(client_id: &str) -> aftercare::AgreeSignallingPlanRequest {
    let plan = aftercare::SignallingPlan {
        signs: vec![aftercare::EarlySign { sign: "Belt niet terug.".to_owned(), action: "Langsgaan.".to_owned() }],
        what_helps: "Wandelen.".to_owned(),
        who_to_call: "De zus.".to_owned(),
        day_and_night_channel: "0800-5550123".to_owned(),
        agreed_on: wire(super::BEGINS),
        ..Default::default()
    };
    let (request_id, client_id) = (rid(), client_id.to_owned());
    aftercare::AgreeSignallingPlanRequest { request_id, client_id, expected_version: 0, plan: Some(plan) }
}

/// What the two shelters and the access desk see of both records, but for versions.
async fn seen(chain: &Chain, records: [&str; 2]) -> Vec<String> {
    let mut seen = Vec::new();
    let people = [(Role::Shelter, "shelter"), (Role::Vo, "shelter"), (Role::Access, "investigation")];
    for (role, purpose) in people {
        let person = chain.person(role);
        for client_id in records.map(str::to_owned) {
            let request = access::GetJourneyRequest { client_id: client_id.clone() };
            let journey = ask!(chain, person.access(purpose), get_journey, request);
            seen.push(format!("{role}: {:?}", journey.map_err(|refused| reason(&refused))));
            let request = regie::GetCaseRequest { client_id, case_id: String::new() };
            let case = ask!(chain, person.regie(purpose), get_case, request)
                .map(|answer| answer.case.map(|case| regie::CaseView { version: 0, ..case }));
            seen.push(format!("{role}: {:?}", case.map_err(|refused| reason(&refused))));
        }
        let listed = call!(chain, person.access(purpose), list_clients, access::ListClientsRequest::default());
        let mut listed: Vec<_> = listed.clients.into_iter().map(|client| client.client_id).collect();
        listed.sort();
        seen.push(format!("{role}: {listed:?}"));
    }
    seen
}

async fn suspected(chain: &Chain) -> bool {
    let request = regie::ListTasksRequest::default();
    let tasks = call!(chain, chain.person(Role::Regie).regie("regie"), list_tasks, request).tasks;
    tasks.iter().any(|task| task.kind() == regie::TaskKind::LookAtDuplicate)
}

on_both_engines! {
    /// R-REG-26, R-REG-13: a night shelter and a women's shelter each know somebody by a record of their own. Merged, the second
    /// goes on in the record of the first, in every service, and in its own no longer; undone, all is as before.
    async fn one_person_registered_twice_has_one_record_until_that_is_undone(chain: Chain) {
        let (shelter, vo) = (chain.person(Role::Shelter), chain.person(Role::Vo));
        let mut first = Household { client_id: register(&chain, &shelter).await, ..Household::default() };
        first.notification_id = chain.notify(&first.client_id).await;
        first.stay_id = chain.admit(&first.client_id, &first.notification_id).await;
        let second = register(&chain, &vo).await;
        call!(chain, vo.access("shelter"), record_notification, notification(&second));
        chain.settle().await;
        assert!(suspected(&chain).await);
        let records = [first.client_id.as_str(), second.as_str()];
        let before = seen(&chain, records).await;

        let municipality = chain.person(Role::Regie);
        let merge = |client_id: &str, kept_client_id: &str| regie::MergeClientsRequest {
            request_id: rid(),
            client_id: client_id.to_owned(),
            kept_client_id: kept_client_id.to_owned(),
            explanation: "Zelfde persoon, gezien bij het loket.".to_owned(),
        };
        let runs = ask!(chain, municipality.regie("regie"), merge_clients, merge(&first.client_id, &second));
        assert_eq!(reason(&runs.unwrap_err()), "MERGE_RUNS", "there is a bed under the first");
        let merged = call!(chain, municipality.regie("regie"), merge_clients, merge(&second, &first.client_id));
        // Answered, so every service holds to it.
        let refusals = [
            ask!(chain, vo.access("shelter"), record_notification, notification(&second)).map(drop),
            ask!(chain, vo.aftercare("aftercare"), agree_signalling_plan, signalling_plan(&second)).map(drop),
            ask!(chain, vo.housing("shelter"), nominate, {
                let household = Household { client_id: second.clone(), ..Household::default() };
                Chain::nomination(&household, false)
            })
            .map(drop),
        ];
        for refused in refusals.map(Result::unwrap_err) {
            assert_eq!(reason(&refused), "CLIENT_MERGED");
            assert!(testkit::heard(&refused).contains(&first.client_id));
        }
        call!(chain, vo.aftercare("aftercare"), agree_signalling_plan, signalling_plan(&first.client_id));
        let request = access::GetClientForGuidanceRequest { client_id: first.client_id.clone() };
        call!(chain, vo.access("shelter"), get_client_for_guidance, request);
        let request = access::GetClientForGuidanceRequest { client_id: second.clone() };
        call!(chain, vo.access("shelter"), get_client_for_guidance, request.clone());
        let hidden = ask!(chain, shelter.access("shelter"), get_client_for_guidance, request).unwrap_err();
        assert_eq!(reason(&hidden), "NOT_FOUND", "the first shelter comes to know nothing of the second record");
        chain.settle().await;
        assert!(!suspected(&chain).await);
        // The monitor took it in too; of rights it hears nothing, so whoever takes one away does not wait for it.
        let read = chain.status("regie").await.unwrap().subscriptions;
        let monitors = read.iter().filter(|one| one.organisation == "svc-monitor");
        assert_eq!(monitors.map(|one| one.name.as_str()).collect::<Vec<_>>(), ["monitor.part"]);

        let request = regie::UndoMergeRequest {
            request_id: rid(),
            client_id: second.clone(),
            merge_id: merged.merge_id,
            explanation: "Toch twee zussen.".to_owned(),
        };
        call!(chain, municipality.regie("regie"), undo_merge, request);
        chain.settle().await;
        let after = seen(&chain, records).await;
        for (after, before) in after.iter().zip(&before) {
            assert_eq!(after, before);
        }
        assert!(suspected(&chain).await);
        call!(chain, vo.aftercare("aftercare"), agree_signalling_plan, signalling_plan(&second));

        // Merged again; whoever finds them on the street may name either record (P6).
        call!(chain, municipality.regie("regie"), merge_clients, merge(&second, &first.client_id));
        chain.nowhere_to_sleep(&second, DORDRECHT).await;
        let of_first = |told: &aftercare::NowhereToSleepReported| told.client_id == first.client_id;
        assert_eq!(chain.facts().await.count::<aftercare::NowhereToSleepReported>(of_first), 1);
    }
}
