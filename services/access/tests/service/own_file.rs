//! Who reads a file as the client's own, by age, and who stands in for a child (R-REG-21).

use super::*;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::audit::v1::{AccessEntry, ListAccessRequest};
use proto::regie::v1::{RelationEnded, RelationGranted, RelationKind};
use proto::rights::v1::OwnAccess;

fn child(born: Date) -> pb::Identity {
    pb::Identity { birth_date: date(born), ..identity("") }
}

fn parse(client: &str) -> ClientId {
    ClientId::parse("client_id", client).unwrap()
}

/// What somebody with an own token of a client hears of a file: "ok", or why not.
async fn reads(bench: &Bench<Access>, who: &str, of: &str) -> String {
    let mut own = AccessServiceClient::new(bench.as_(&client_actor(parse(who)), "own-file"));
    match own.get_client_as_self(pb::GetClientAsSelfRequest { client_id: of.to_owned() }).await {
        Ok(_) => "ok".to_owned(),
        Err(status) => reason(&status),
    }
}

/// What was told of whom, in order.
async fn told(bench: &Bench<Access>) -> Vec<(String, OwnAccess)> {
    let payloads = bench.events().await.into_iter().filter_map(|event| event.payload);
    let changed = payloads.filter_map(|any| any.to_msg::<pb::OwnAccessChanged>().ok());
    changed.map(|event| (event.client_id.clone(), event.own_access())).collect()
}

/// That somebody stands in for a client, as regie tells it.
async fn represent(bench: &Bench<Access>, client: &str, by: &str) -> RelationGranted {
    let granted = RelationGranted {
        relation_id: uuid().to_string(),
        client_id: client.to_owned(),
        person: by.to_owned(),
        role: "client".to_owned(),
        kind: RelationKind::Representative.into(),
        ..Default::default()
    };
    bench.peer("regie").publish(Some(parse(client)), today(), &granted).await;
    granted
}

async fn log_of(bench: &Bench<Access>, who: &kernel::Actor, purpose: &str, client: &str) -> Vec<AccessEntry> {
    let request = ListAccessRequest { client_id: client.to_owned(), page_size: 100, ..Default::default() };
    let mut audit = AuditServiceClient::new(bench.as_(who, purpose));
    audit.list_access(request).await.unwrap().into_inner().entries
}

testkit::on_both_engines! {
    /// R-REG-21
    async fn under_12_a_client_does_not_open_the_own_file_alone_and_from_12_on_does(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let adult = register(&mut shelter, identity("")).await.unwrap();
        let young = register(&mut shelter, child(on(2015, 3, 10))).await.unwrap();
        assert_eq!(reads(&bench, &adult, &adult).await, "ok");
        assert_eq!(reads(&bench, &young, &young).await, "OWN_FILE_TOO_YOUNG");
        // Of an adult nothing is told, and of a child no birth date.
        assert_eq!(told(&bench).await, [(young.clone(), OwnAccess::None)]);
        // Somebody else's file is nobody's, however young.
        assert_eq!(reads(&bench, &young, &adult).await, "NOT_FOUND");
        assert_eq!(reads(&bench, &adult, &young).await, "NOT_FOUND");
        // That there is need of help is heard at any age.
        let mut own = AccessServiceClient::new(bench.as_(&client_actor(parse(&young)), "notification"));
        own.record_notification(report(&young)).await.unwrap();

        bench.on(on(2027, 3, 9)).await;
        assert_eq!(reads(&bench, &young, &young).await, "OWN_FILE_TOO_YOUNG");
        bench.on(on(2027, 3, 10)).await;
        assert_eq!(reads(&bench, &young, &young).await, "ok");
        bench.on(on(2031, 3, 10)).await;
        let levels = [OwnAccess::None, OwnAccess::Shared, OwnAccess::Own].map(|level| (young.clone(), level));
        assert_eq!(told(&bench).await, levels);
    }

    /// R-REG-21, R-REG-26
    async fn a_corrected_birth_date_changes_who_reads_at_once(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, child(on(2016, 1, 1))).await.unwrap();
        assert_eq!(reads(&bench, &client, &client).await, "OWN_FILE_TOO_YOUNG");
        let correct = |version, identity| pb::CorrectClientRequest {
            request_id: rid(),
            client_id: client.clone(),
            expected_version: version,
            identity: Some(identity),
        };
        shelter.correct_client(correct(1, identity(""))).await.unwrap();
        assert_eq!(reads(&bench, &client, &client).await, "ok");
        // The birthdays of before are nobody's any more.
        bench.on(on(2028, 1, 1)).await;
        let levels = [OwnAccess::None, OwnAccess::Own].map(|level| (client.clone(), level));
        assert_eq!(told(&bench).await, levels);
    }

    /// R-REG-21, R-REG-19, R-REG-27
    async fn the_legal_representative_reads_on_behalf_of_a_child_and_shows_in_its_log(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let young = register(&mut shelter, child(on(2014, 3, 10))).await.unwrap();
        let (parent, other) = (uuid().to_string(), uuid().to_string());
        assert_eq!(reads(&bench, &parent, &young).await, "NOT_FOUND");
        let granted = represent(&bench, &young, &parent).await;
        assert_eq!(reads(&bench, &parent, &young).await, "ok");
        assert_eq!(reads(&bench, &other, &young).await, "NOT_FOUND");
        // Reads, and changes nothing in the child's name.
        let mut door = AccessServiceClient::new(bench.as_(&client_actor(parse(&parent)), "notification"));
        assert_eq!(reason(&door.record_notification(report(&young)).await.unwrap_err()), "NOT_FOUND");

        let privacy = actor(Role::PrivacyOfficer, DESK);
        let entries = log_of(&bench, &privacy, "audit", &young).await;
        let look = entries.iter().find(|entry| entry.on_behalf_of == young && entry.result == "ok").unwrap();
        let subject = client_actor(parse(&parent)).subject;
        assert_eq!((look.subject.as_str(), look.responsible.as_str()), (subject.as_str(), subject.as_str()));
        // At 12 the child reads too, and reads there who looked.
        bench.on(on(2026, 3, 10)).await;
        assert_eq!((reads(&bench, &young, &young).await, reads(&bench, &parent, &young).await), ("ok".into(), "ok".into()));
        let entries = log_of(&bench, &client_actor(parse(&young)), "own-file", &young).await;
        let who: Vec<String> = entries.into_iter().filter_map(|entry| entry.words).map(|words| words.who_nl).collect();
        assert!(who.iter().any(|who| who == "uw wettelijk vertegenwoordiger"), "{who:?}");
        assert!(who.iter().any(|who| who == "u zelf"), "{who:?}");

        // At its end it is shut, and at 16 also when its end is not heard of.
        let RelationGranted { relation_id, client_id, person, role, kind, .. } = granted;
        let ended = RelationEnded { relation_id, client_id, person, role, kind, ..Default::default() };
        bench.peer("regie").publish(Some(parse(&young)), today(), &ended).await;
        assert_eq!(reads(&bench, &parent, &young).await, "NOT_FOUND");
        represent(&bench, &young, &other).await;
        assert_eq!(reads(&bench, &other, &young).await, "ok");
        bench.on(on(2030, 3, 10)).await;
        assert_eq!((reads(&bench, &young, &young).await, reads(&bench, &other, &young).await), ("ok".into(), "NOT_FOUND".into()));
    }

    /// R-REG-21: nobody stands in for an adult, whatever is told.
    async fn nobody_stands_in_for_an_adult(bench: Bench<Access> = Access::embedded()) {
        let adult = register(&mut shelter(&bench), identity("")).await.unwrap();
        let parent = uuid().to_string();
        represent(&bench, &adult, &parent).await;
        assert_eq!((reads(&bench, &parent, &adult).await, reads(&bench, &adult, &adult).await), ("NOT_FOUND".into(), "ok".into()));
    }
}
