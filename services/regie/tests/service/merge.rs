//! Two records of one person: the one points to the other, and back (R-REG-26).

use super::*;

const WHY: &str = "Zelfde paspoort.";

fn merge(client: ClientId, kept: ClientId) -> MergeClientsRequest {
    MergeClientsRequest {
        request_id: rid(),
        client_id: client.to_string(),
        kept_client_id: kept.to_string(),
        explanation: WHY.into(),
    }
}

pub async fn merged(bench: &Bench<Regie>, client: ClientId, kept: ClientId) -> String {
    municipality(bench).merge_clients(merge(client, kept)).await.unwrap().into_inner().merge_id
}

async fn refused(bench: &Bench<Regie>, client: ClientId, kept: ClientId) -> Status {
    municipality(bench).merge_clients(merge(client, kept)).await.unwrap_err()
}

async fn undo(bench: &Bench<Regie>, client: ClientId, merge_id: &str) -> Result<(), Status> {
    let (request_id, client_id, merge_id) = (rid(), client.to_string(), merge_id.to_owned());
    let request = UndoMergeRequest { request_id, client_id, merge_id, explanation: "Toch een broer.".into() };
    municipality(bench).undo_merge(request).await.map(drop)
}

async fn listed(bench: &Bench<Regie>, client: ClientId) -> Vec<MergeView> {
    let request = ListMergesRequest { client_id: client.to_string() };
    municipality(bench).list_merges(request).await.unwrap().into_inner().merges
}

/// A client whom the women's shelter notified.
async fn notified_elsewhere(bench: &Bench<Regie>) -> ClientId {
    let client = ClientId(Uuid::new_v4());
    let event = access::NotificationReceived {
        notification_id: id(),
        client_id: client.to_string(),
        municipality: "0505".into(),
        notified_by: "vrouwenopvang".into(),
        ..Default::default()
    };
    bench.peer("access").publish(Some(client), TODAY, &event).await;
    client
}

fn vo(bench: &Bench<Regie>) -> Caller {
    as_(bench, &actor(Role::Vo, "vrouwenopvang"), "shelter")
}

/// What everybody sees of both records, but for versions.
async fn seen(bench: &Bench<Regie>, records: [ClientId; 2]) -> Vec<String> {
    let mut seen = Vec::new();
    for record in records {
        for mut caller in [municipality(bench), shelter(bench), vo(bench)] {
            let case = case_of(&mut caller, record).await.map(|case| CaseView { version: 0, ..case });
            seen.push(format!("{:?}", case.map_err(|status| status.code())));
        }
        let mut own = as_(bench, &client_actor(record), "own-file");
        let request = GetCaseAsSelfRequest { client_id: record.to_string(), case_id: String::new() };
        let relations = own.get_case_as_self(request).await.unwrap().into_inner().relations;
        let mut relations: Vec<_> = relations.into_iter().map(|one| (one.organisation, one.role, one.kind)).collect();
        relations.sort();
        seen.push(format!("{relations:?}"));
    }
    let all = ListTasksRequest { all_organisations: true, page_size: 200, ..Default::default() };
    let tasks = tasks(&mut municipality(bench), all).await;
    let mut tasks: Vec<_> = tasks.iter().map(|task| (task.client_id.clone(), task.kind, task.due_on)).collect();
    tasks.sort_by_key(|task| format!("{task:?}"));
    seen.extend(tasks.iter().map(|task| format!("{task:?}")));
    seen
}

async fn close(bench: &Bench<Regie>, client: ClientId, reason: CloseReason) {
    let close = CloseCaseRequest {
        request_id: rid(),
        expected_version: version(bench, client).await,
        client_id: client.to_string(),
        reason: reason.into(),
    };
    municipality(bench).close_case(close).await.unwrap();
    bench.settled().await;
}

testkit::on_both_engines! {
    /// R-REG-26: whoever has to do with the record that points goes on to read it, is told which one to use, and may use that
    /// one; undone, everybody sees what they saw before. Each wish twice changes nothing.
    async fn a_record_points_to_another_until_that_is_undone(bench: Bench<Regie> = Regie::embedded()) {
        let (client, kept) = (notified(&bench).await, notified_elsewhere(&bench).await);
        shelter(&bench).adopt_plan(adopt(&bench, client).await).await.unwrap();
        shelter(&bench).set_goal(housing_goal(&bench, client).await).await.unwrap();
        bench.settled().await;
        let before = seen(&bench, [client, kept]).await;
        let unknown = case_of(&mut shelter(&bench), kept).await.unwrap_err();
        let merge_id = merged(&bench, client, kept).await;
        let between = seen(&bench, [client, kept]).await;
        assert_eq!(merged(&bench, client, kept).await, merge_id);
        assert_eq!(seen(&bench, [client, kept]).await, between);

        let read = case_of(&mut shelter(&bench), client).await.unwrap();
        assert_eq!((read.close_reason(), read.goals.len(), read.kept_client_id), (CloseReason::Merged, 1, kept.to_string()));
        assert_eq!(case_of(&mut shelter(&bench), kept).await.unwrap().kept_client_id, "");
        // The other way round nobody comes to know more than before.
        assert_eq!(case_of(&mut vo(&bench), client).await.unwrap_err().code(), Code::NotFound);
        let refused = shelter(&bench).set_goal(housing_goal(&bench, client).await).await.unwrap_err();
        assert_eq!(reason(&refused), "CLIENT_MERGED");
        assert!(testkit::heard(&refused).contains(&kept.to_string()));
        shelter(&bench).adopt_plan(adopt(&bench, kept).await).await.unwrap();
        // The client has a token of the old record: what ends a right goes on there, nothing new begins.
        let mut own = as_(&bench, &client_actor(client), "own-file");
        let give = GiveConsentRequest {
            request_id: rid(),
            client_id: client.to_string(),
            data_category: ConsentCategory::Income.into(),
            receiver: "leger-des-heils".into(),
            purpose: "shelter".into(),
            text_version: "2026-1".into(),
            given_on: None,
        };
        let refused = own.give_consent(give).await.unwrap_err();
        assert_eq!(reason(&refused), "CLIENT_NOT_IN_USE");
        assert!(!testkit::heard(&refused).contains(&kept.to_string()));
        let erase = RequestErasureRequest { request_id: rid(), client_id: client.to_string(), received_on: None };
        let erasure_id = own.request_erasure(erase).await.unwrap().into_inner().erasure_id;
        let decide = DecideErasureRequest {
            request_id: rid(),
            client_id: client.to_string(),
            erasure_id,
            granted: false,
            ground: ErasureGround::LegalDuty.into(),
        };
        municipality(&bench).decide_erasure(decide).await.unwrap();

        let told = |who: Actor, purpose: &'static str| {
            let bench = &bench;
            async move {
                let events = bench.events_for(&who, purpose).await;
                events.iter().filter(|event| event.r#type.contains("merge")).map(|event| event.r#type.clone()).collect::<Vec<_>>()
            }
        };
        undo(&bench, client, &merge_id).await.unwrap();
        undo(&bench, client, &merge_id).await.unwrap();
        bench.settled().await;
        assert_eq!(
            told(actor(Role::Shelter, "leger-des-heils"), "shelter").await,
            ["nl.doorstroom.regie.clients-merged", "nl.doorstroom.regie.merge-undone"]
        );
        assert!(told(actor(Role::Vo, "vrouwenopvang"), "shelter").await.is_empty());
        let mut after = seen(&bench, [client, kept]).await;
        // Of the kept record, the plan that was adopted meanwhile stays where it was adopted.
        let plan = |one: &str| one.replace("plan_edition: 1", "plan_edition: 0").contains("plan_edition: 0");
        after.iter_mut().zip(&before).filter(|(one, _)| plan(one)).for_each(|(one, before)| one.clone_from(before));
        assert_eq!(after, before);
        let hidden = case_of(&mut shelter(&bench), kept).await.unwrap_err();
        assert_eq!(testkit::heard(&hidden), testkit::heard(&unknown));
        shelter(&bench).set_goal(housing_goal(&bench, client).await).await.unwrap();

        let again = merged(&bench, client, kept).await;
        assert_ne!(again, merge_id);
        let all = listed(&bench, kept).await;
        assert_eq!(all, listed(&bench, client).await);
        let said = all.iter().map(|one| (one.explanation.as_str(), one.undone_explanation.as_str(), one.undone_on.is_some()));
        assert_eq!(said.collect::<Vec<_>>(), [(WHY, "Toch een broer.", true), (WHY, "", false)]);
        assert_eq!(reason(&undo(&bench, client, &id()).await.unwrap_err()), "MERGE_UNKNOWN");
        assert_eq!(reason(&undo(&bench, kept, &again).await.unwrap_err()), "MERGE_UNKNOWN");
    }

    /// R-REG-26, R-REG-28: what runs, is secret or points further is not merged away, and the refusal says what to do.
    async fn what_would_be_lost_is_not_merged_away(bench: Bench<Regie> = Regie::embedded()) {
        let (client, kept, third) = (notified(&bench).await, notified(&bench).await, notified(&bench).await);
        let code = async |client, kept| reason(&refused(&bench, client, kept).await);
        assert_eq!(code(client, client).await, "MERGE_OF_ONE");
        let nobody = ClientId(Uuid::new_v4());
        assert_eq!(code(client, nobody).await, "NOT_FOUND");
        assert_eq!(code(nobody, kept).await, "NOT_FOUND");
        for (caller, purpose) in [(actor(Role::Access, "gemeente-dordrecht"), "investigation"), (anna(), "regie")] {
            let denied = as_(&bench, &caller, purpose).merge_clients(merge(client, kept)).await.unwrap_err();
            assert_eq!(denied.code(), Code::PermissionDenied);
        }
        let shield = |end: bool| {
            let bench = &bench;
            async move {
                let (request_id, client_id) = (rid(), kept.to_string());
                match end {
                    false => drop(municipality(bench).shield_client(ShieldClientRequest { request_id, client_id }).await.unwrap()),
                    true => drop(municipality(bench).end_shield(EndShieldRequest { request_id, client_id }).await.unwrap()),
                }
            }
        };
        shield(false).await;
        for (one, other) in [(client, kept), (kept, client)] {
            assert!(testkit::heard(&refused(&bench, one, other).await).contains("een afscherming"));
        }
        shield(true).await;
        let mark = MarkSeparationRequest {
            request_id: rid(),
            client_id: third.to_string(),
            other_client_id: client.to_string(),
            ground: SeparationGround::Violence.into(),
        };
        let marked = municipality(&bench).mark_separation(mark).await.unwrap().into_inner().separation_id;
        assert!(testkit::heard(&refused(&bench, client, kept).await).contains("een scheiding"));
        // The client's own log says of neither what stood in the way.
        let log = ListAccessRequest { client_id: client.to_string(), page_size: 500, ..Default::default() };
        let mut own = AuditServiceClient::new(bench.as_(&client_actor(client), "own-file"));
        let log = own.list_access(log).await.unwrap().into_inner().entries;
        let merges: BTreeSet<_> = log.iter().filter(|one| one.method.ends_with("MergeClients")).map(|one| one.result.clone()).collect();
        assert_eq!(merges, ["MERGE_OF_ONE", "MERGE_RUNS", "NOT_FOUND"].map(str::to_owned).into());
        let ends = EndSeparationRequest { request_id: rid(), client_id: third.to_string(), separation_id: marked };
        municipality(&bench).end_separation(ends).await.unwrap();

        let allocation_id = accepted(&bench, client).await;
        let runs = refused(&bench, client, kept).await;
        assert_eq!(reason(&runs), "MERGE_RUNS");
        assert!(testkit::heard(&runs).contains("een woning"), "{runs:?}");
        let admitted = access::Admitted {
            stay_id: id(),
            client_id: kept.to_string(),
            organisation: "leger-des-heils".into(),
            ..Default::default()
        };
        bench.peer("access").publish(Some(kept), TODAY, &admitted).await;
        assert_eq!(code(client, kept).await, "MERGE_BOTH_RUN");
        assert_eq!(code(kept, client).await, "MERGE_BOTH_RUN");
        let fell = housing::AllocationWithdrawn { allocation_id, ..Default::default() };
        bench.peer("housing").publish(Some(client), TODAY, &fell).await;
        // The nomination is in the pool again.
        assert!(testkit::heard(&refused(&bench, client, kept).await).contains("een voordracht"));
        assert_eq!(reason(&refused(&bench, kept, third).await), "MERGE_RUNS");
        close(&bench, third, CloseReason::Left).await;
        let (first, fourth) = (notified(&bench).await, notified(&bench).await);
        let case = refused(&bench, first, third).await;
        assert!(testkit::heard(&case).contains("een open dossier"), "the open case would be lost");
        merged(&bench, first, kept).await;
        assert_eq!(code(first, fourth).await, "MERGE_STANDS");
        assert_eq!(code(fourth, first).await, "MERGE_CHAIN");
        assert_eq!(code(kept, fourth).await, "MERGE_CHAIN");
        merged(&bench, fourth, kept).await;
    }

    /// R-REG-26, P7: the suspicion comes off the list with the merge; what runs under the record after all is somebody's task.
    async fn a_merge_settles_the_suspicion_and_what_comes_after_it_is_looked_at(bench: Bench<Regie> = Regie::embedded()) {
        let (kept, client) = (notified(&bench).await, notified(&bench).await);
        let suspected = access::DuplicateSuspected {
            client_id: client.to_string(),
            of_client_id: kept.to_string(),
            municipality: "0505".into(),
        };
        bench.peer("access").publish(Some(client), TODAY, &suspected).await;
        let asked = async |kind| kinds(&mut municipality(&bench)).await.contains(&kind);
        assert!(asked(TaskKind::LookAtDuplicate).await);
        // Either of the two may be kept.
        let merge_id = merged(&bench, kept, client).await;
        assert!(!asked(TaskKind::LookAtDuplicate).await);
        undo(&bench, kept, &merge_id).await.unwrap();
        assert!(asked(TaskKind::LookAtDuplicate).await);
        let merge_id = merged(&bench, client, kept).await;
        assert!(!asked(TaskKind::LookAtDuplicate).await && !asked(TaskKind::LookAtMerge).await);
        // Access had not heard of it yet.
        let stay_id = id();
        let admitted = access::Admitted {
            stay_id: stay_id.clone(),
            client_id: client.to_string(),
            organisation: "leger-des-heils".into(),
            ..Default::default()
        };
        bench.peer("access").publish(Some(client), TODAY, &admitted).await;
        assert!(asked(TaskKind::LookAtMerge).await);
        let departed = access::Departed { stay_id, client_id: client.to_string(), ..Default::default() };
        bench.peer("access").publish(Some(client), TODAY, &departed).await;
        assert!(!asked(TaskKind::LookAtMerge).await);
        undo(&bench, client, &merge_id).await.unwrap();
    }

    /// R-REG-13, R-REG-26: with the case that is used everybody's sight of both records ends.
    async fn nobody_knows_either_record_longer_than_the_case_that_is_used(bench: Bench<Regie> = Regie::embedded()) {
        let (client, kept) = (notified(&bench).await, notified_elsewhere(&bench).await);
        let merge_id = merged(&bench, client, kept).await;
        close(&bench, kept, CloseReason::Left).await;
        for record in [client, kept] {
            assert_eq!(case_of(&mut shelter(&bench), record).await.unwrap_err().code(), Code::NotFound);
        }
        undo(&bench, client, &merge_id).await.unwrap();
        bench.settled().await;
        assert!(case_of(&mut shelter(&bench), client).await.unwrap().closed_on.is_none());
        assert_eq!(case_of(&mut shelter(&bench), kept).await.unwrap_err().code(), Code::NotFound);
    }

    /// R-REG-22, R-REG-23, R-REG-26: of one person everything is destroyed, whichever record it is in, at the term of both
    /// together; a record that points can be destroyed alone, and the other goes on.
    async fn the_records_of_one_person_are_destroyed_together(bench: Bench<Regie> = Regie::embedded()) {
        let (client, kept, alone) = (notified(&bench).await, notified(&bench).await, notified(&bench).await);
        let last_day = async |client: ClientId| {
            let request = GetRetentionRequest { client_id: client.to_string() };
            let terms = municipality(&bench).get_retention(request).await.unwrap().into_inner().terms;
            terms.first().map(|term| (term.ground(), term.last_day))
        };
        let alone_merged = merged(&bench, alone, kept).await;
        let merge_id = merged(&bench, client, kept).await;
        assert_eq!(last_day(client).await, None, "the case that is used is open");
        close(&bench, kept, CloseReason::Withdrawn).await;
        let six_weeks = Some((RetentionGround::Withdrawn, Some(from_date(date(2026, 4, 13)))));
        assert_eq!((last_day(client).await, last_day(kept).await), (six_weeks, six_weeks));

        let erase = async |client: ClientId| {
            let request = RequestErasureRequest { request_id: rid(), client_id: client.to_string(), received_on: Some(from_date(TODAY)) };
            let erasure_id = municipality(&bench).request_erasure(request).await.unwrap().into_inner().erasure_id;
            let (request_id, client_id) = (rid(), client.to_string());
            let yes = DecideErasureRequest { request_id, client_id, erasure_id, granted: true, ground: 0 };
            municipality(&bench).decide_erasure(yes).await.unwrap();
            bench.settled().await;
        };
        erase(alone).await;
        let erased = async || bench.events().await.into_iter().filter(|e| e.r#type.ends_with("client-erased")).map(|e| e.client_id).collect::<Vec<_>>();
        assert_eq!(erased().await, [alone.to_string()]);
        undo(&bench, alone, &alone_merged).await.unwrap();
        assert!(listed(&bench, alone).await.iter().all(|one| one.undone_on.is_some() && one.explanation.is_empty()));
        assert!(listed(&bench, client).await.iter().any(|one| one.merge_id == merge_id && one.undone_on.is_none()));
        erase(kept).await;
        assert_eq!(erased().await, [alone.to_string(), client.to_string(), kept.to_string()]);
        assert_eq!(reason(&refused(&bench, client, kept).await), "NOT_FOUND");
    }

    /// R-REG-26: of one record that was about two persons each desk checks what it holds, and does not hear who the second is; no
    /// fact moves. Undone by a merge, nobody need check any more.
    async fn whoever_knows_a_record_of_two_persons_checks_what_they_hold(bench: Bench<Regie> = Regie::embedded()) {
        let (client, new, third) = (notified(&bench).await, notified_elsewhere(&bench).await, notified(&bench).await);
        let split = |client: ClientId, new: ClientId| SplitClientRequest {
            request_id: rid(),
            client_id: client.to_string(),
            new_client_id: new.to_string(),
            explanation: "Twee broers met een adres.".into(),
        };
        let mut regie = municipality(&bench);
        for (wish, code) in [
            (split(client, client), "SPLIT_OF_ONE"),
            (split(client, ClientId(Uuid::new_v4())), "NOT_FOUND"),
        ] {
            assert_eq!(reason(&regie.split_client(wish).await.unwrap_err()), code);
        }
        let denied = shelter(&bench).split_client(split(client, new)).await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied);
        let before = case_of(&mut shelter(&bench), client).await.unwrap();
        let split_id = regie.split_client(split(client, new)).await.unwrap().into_inner().split_id;
        assert_eq!(regie.split_client(split(client, new)).await.unwrap().into_inner().split_id, split_id);
        assert_eq!(reason(&regie.split_client(split(third, new)).await.unwrap_err()), "SPLIT_ELSEWHERE");
        assert_eq!(case_of(&mut shelter(&bench), client).await.unwrap(), before);

        let asked = async || {
            let request = ListAcknowledgementsRequest { client_id: client.to_string() };
            let all = municipality(&bench).list_acknowledgements(request).await.unwrap().into_inner().acknowledgements;
            all.into_iter().map(|one| (one.role.clone(), one.kind(), one.outcome())).collect::<Vec<_>>()
        };
        let open = |role: &str| (role.to_owned(), TaskKind::CheckAfterSplit, TaskOutcome::Unspecified);
        assert_eq!(asked().await, [open("access"), open("shelter")]);
        let of_shelter = tasks(&mut shelter(&bench), ListTasksRequest::default()).await;
        let task = of_shelter.iter().find(|task| task.kind() == TaskKind::CheckAfterSplit).unwrap();
        assert!(task.title.contains("twee personen") && !format!("{of_shelter:?}").contains(&new.to_string()));
        let heard = bench.events_for(&actor(Role::Shelter, "leger-des-heils"), "shelter").await;
        assert!(heard.iter().all(|event| !event.r#type.ends_with("client-split") && event.client_id != new.to_string()));
        let (task_id, expected_version) = (task.task_id.clone(), task.version);
        let done = CompleteTaskRequest { request_id: rid(), task_id, expected_version, outcome: TaskOutcome::Done.into() };
        shelter(&bench).complete_task(done).await.unwrap();
        let request = ListMergesRequest { client_id: new.to_string() };
        let linked = regie.list_merges(request).await.unwrap().into_inner().splits;
        assert_eq!((linked.len(), linked[0].split_id.clone(), linked[0].client_id.clone()), (1, split_id, client.to_string()));

        let done = ("shelter".to_owned(), TaskKind::CheckAfterSplit, TaskOutcome::Done);
        let merge_id = merged(&bench, new, client).await;
        let gone = ("access".to_owned(), TaskKind::CheckAfterSplit, TaskOutcome::FellAway);
        assert_eq!(asked().await, [gone.clone(), done.clone()]);
        assert_eq!(reason(&regie.split_client(split(client, new)).await.unwrap_err()), "CLIENT_MERGED");
        undo(&bench, new, &merge_id).await.unwrap();
        assert_eq!(asked().await[..2], [gone, done]);
        assert_eq!(asked().await[2..4], [open("access"), open("shelter")]);
    }
}
