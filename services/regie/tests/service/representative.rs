//! Legal representatives: recorded, told to every service, ended.

use super::*;
use proto::rights::v1::OwnAccess;

/// What access tells of a client's age, without the age.
async fn grown(bench: &Bench<Regie>, client: ClientId, level: OwnAccess) {
    let changed = access::OwnAccessChanged { client_id: client.to_string(), own_access: level.into() };
    bench.peer("access").publish(Some(client), TODAY, &changed).await;
}

fn desk(bench: &Bench<Regie>) -> Caller {
    as_(bench, &actor(Role::Access, "gemeente-dordrecht"), "investigation")
}

fn record(client: ClientId, by: ClientId) -> RecordRepresentativeRequest {
    RecordRepresentativeRequest {
        request_id: rid(),
        client_id: client.to_string(),
        representative_client_id: by.to_string(),
        ground: RepresentativeGround::Custody.into(),
        from_on: Some(from_date(date(2026, 1, 1))),
        last_day: None,
    }
}

async fn standing(bench: &Bench<Regie>, client: ClientId) -> Vec<String> {
    let request = GetRepresentativesRequest { client_id: client.to_string() };
    let all = desk(bench).get_representatives(request).await.unwrap().into_inner().representatives;
    all.into_iter().filter(|one| one.ended_on.is_none()).map(|one| one.representative_id).collect()
}

/// What somebody with an own token of a client hears of a file: "ok", or why not.
async fn reads(bench: &Bench<Regie>, who: ClientId, of: ClientId) -> String {
    let request = GetCaseAsSelfRequest { client_id: of.to_string(), case_id: String::new() };
    match as_(bench, &client_actor(who), "own-file").get_case_as_self(request).await {
        Ok(_) => "ok".to_owned(),
        Err(status) => reason(&status),
    }
}

/// By their ids: which representatives were granted to every service, and which ended.
async fn passed_on(bench: &Bench<Regie>) -> (Vec<String>, Vec<String>) {
    let payloads: Vec<_> = bench.events().await.into_iter().filter_map(|event| event.payload).collect();
    let granted = payloads.iter().filter_map(|any| any.to_msg::<RelationGranted>().ok());
    let ended = payloads.iter().filter_map(|any| any.to_msg::<RelationEnded>().ok());
    (
        granted.filter(|one| one.kind() == RelationKind::Representative).map(|one| one.relation_id).collect(),
        ended.filter(|one| one.kind() == RelationKind::Representative).map(|one| one.relation_id).collect(),
    )
}

testkit::on_both_engines! {
    /// R-REG-21
    async fn somebody_stands_in_for_a_client_under_16_and_for_nobody_else(bench: Bench<Regie> = Regie::embedded()) {
        let (client, parent) = (notified(&bench).await, ClientId(Uuid::new_v4()));
        let adult = desk(&bench).record_representative(record(client, parent)).await.unwrap_err();
        assert_eq!(reason(&adult), "REPRESENTATIVE_NOT_AT_THIS_AGE");
        grown(&bench, client, OwnAccess::None).await;
        assert_eq!((reads(&bench, client, client).await, reads(&bench, parent, client).await), ("OWN_FILE_TOO_YOUNG".into(), "NOT_FOUND".into()));
        let first = desk(&bench).record_representative(record(client, parent)).await.unwrap().into_inner();
        let again = desk(&bench).record_representative(record(client, parent)).await.unwrap().into_inner();
        assert_eq!(first, again);
        assert_eq!((reads(&bench, client, client).await, reads(&bench, parent, client).await), ("OWN_FILE_TOO_YOUNG".into(), "ok".into()));
        // Goals are the client's own, also for a parent.
        let ask = RequestErasureRequest { request_id: rid(), client_id: client.to_string(), received_on: None };
        let in_its_name = as_(&bench, &client_actor(parent), "own-file").request_erasure(ask).await.unwrap_err();
        assert_eq!(reason(&in_its_name), "NOT_FOUND");

        grown(&bench, client, OwnAccess::Shared).await;
        assert_eq!((reads(&bench, client, client).await, reads(&bench, parent, client).await), ("ok".into(), "ok".into()));
        grown(&bench, client, OwnAccess::Own).await;
        assert_eq!((reads(&bench, client, client).await, reads(&bench, parent, client).await), ("ok".into(), "NOT_FOUND".into()));
        let id = first.representative_id;
        assert_eq!(passed_on(&bench).await, (vec![id.clone()], vec![id]));
        // The other services hear it from here, and no timeline tells of an age.
        let names = bench.event_names().await;
        assert_eq!(told(&names, "OwnAccessChanged"), 3);
        let request = GetTimelineRequest { client_id: client.to_string(), ..Default::default() };
        let timeline = municipality(&bench).get_timeline(request).await.unwrap().into_inner().entries;
        assert!(timeline.iter().all(|entry| !entry.r#type.contains("own-access")), "{timeline:?}");
    }

    /// R-REG-21
    async fn a_representative_ends_by_hand_or_after_the_last_day(bench: Bench<Regie> = Regie::embedded()) {
        let (client, one, other) = (notified(&bench).await, ClientId(Uuid::new_v4()), ClientId(Uuid::new_v4()));
        grown(&bench, client, OwnAccess::None).await;
        let first = desk(&bench).record_representative(record(client, one)).await.unwrap().into_inner().representative_id;
        let until = RecordRepresentativeRequest { last_day: Some(from_date(date(2026, 3, 5))), ..record(client, other) };
        let second = desk(&bench).record_representative(until).await.unwrap().into_inner().representative_id;
        assert_eq!(standing(&bench, client).await, [first.clone(), second.clone()]);
        let end = |id: &str| EndRepresentativeRequest {
            request_id: rid(),
            client_id: client.to_string(),
            representative_id: id.to_owned(),
        };
        assert_eq!(reason(&desk(&bench).end_representative(end(&rid())).await.unwrap_err()), "REPRESENTATIVE_UNKNOWN");
        for _ in 0..2 {
            desk(&bench).end_representative(end(&first)).await.unwrap();
        }
        assert_eq!((reads(&bench, one, client).await, reads(&bench, other, client).await), ("NOT_FOUND".into(), "ok".into()));
        bench.on(date(2026, 3, 5)).await;
        assert_eq!(reads(&bench, other, client).await, "ok");
        bench.on(date(2026, 3, 6)).await;
        assert_eq!(reads(&bench, other, client).await, "NOT_FOUND");
        assert_eq!(passed_on(&bench).await, (vec![first.clone(), second.clone()], vec![first, second]));
        let stranger = as_(&bench, &anna(), "regie").record_representative(record(client, one)).await.unwrap_err();
        assert_eq!(stranger.code(), Code::NotFound);
    }

    /// R-REG-18, R-REG-21, R-REG-28: whom a child hides from, or is kept apart from, reads nothing in its name.
    async fn a_shield_or_a_separation_ends_who_stands_in(bench: Bench<Regie> = Regie::embedded()) {
        let (client, one, other) = (notified(&bench).await, ClientId(Uuid::new_v4()), ClientId(Uuid::new_v4()));
        grown(&bench, client, OwnAccess::None).await;
        desk(&bench).record_representative(record(client, one)).await.unwrap();
        desk(&bench).record_representative(record(client, other)).await.unwrap();
        let apart = MarkSeparationRequest {
            request_id: rid(),
            client_id: one.to_string(),
            other_client_id: client.to_string(),
            ground: SeparationGround::Violence.into(),
        };
        municipality(&bench).mark_separation(apart).await.unwrap();
        assert_eq!((reads(&bench, one, client).await, reads(&bench, other, client).await), ("NOT_FOUND".into(), "ok".into()));
        // The desk that records one again is told no more than that it cannot be.
        let refused = desk(&bench).record_representative(record(client, one)).await.unwrap_err();
        assert_eq!(testkit::reason(&refused), "REPRESENTATIVE_NOT_SUITABLE");
        let shield = ShieldClientRequest { request_id: rid(), client_id: client.to_string() };
        municipality(&bench).shield_client(shield).await.unwrap();
        assert_eq!(reads(&bench, other, client).await, "NOT_FOUND");
        // The log and the export would tell who looks after the child, and so where: nobody stands in until the shield ends.
        let shielded = desk(&bench).record_representative(record(client, other)).await.unwrap_err();
        assert_eq!(testkit::heard(&shielded), testkit::heard(&refused));
        assert_eq!(reads(&bench, other, client).await, "NOT_FOUND");
        let ends = EndShieldRequest { request_id: rid(), client_id: client.to_string() };
        municipality(&bench).end_shield(ends).await.unwrap();
        assert_eq!(reads(&bench, other, client).await, "NOT_FOUND", "nobody comes back by itself");
        desk(&bench).record_representative(record(client, other)).await.unwrap();
        assert_eq!(reads(&bench, other, client).await, "ok");
    }
}
