//! Two clients who are never placed together: who may mark and see it, and who never hears of it (R-REG-28).

use super::*;
use proto::rights::v1::ExportClientRequest;
use proto::rights::v1::rights_service_client::RightsServiceClient;

fn mark(client: ClientId, other: ClientId, ground: SeparationGround) -> MarkSeparationRequest {
    MarkSeparationRequest {
        request_id: rid(),
        client_id: client.to_string(),
        other_client_id: other.to_string(),
        ground: ground.into(),
    }
}

fn end(client: ClientId, separation_id: &str) -> EndSeparationRequest {
    EndSeparationRequest { request_id: rid(), client_id: client.to_string(), separation_id: separation_id.into() }
}

async fn listed(caller: &mut Caller, client: ClientId) -> Result<Vec<SeparationView>, Status> {
    let request = ListSeparationsRequest { client_id: client.to_string() };
    Ok(caller.list_separations(request).await?.into_inner().separations)
}

/// Anna becomes the case holder.
async fn held(bench: &Bench<Regie>, client: ClientId) {
    let seen = version(bench, client).await;
    let request = assign(client, "anna", seen, AssignmentReason::First);
    municipality(bench).assign_case_holder(request).await.unwrap();
    bench.settled().await;
}

testkit::on_both_engines! {
    /// R-REG-28, P8
    async fn a_separation_is_marked_by_who_knows_both_and_seen_by_who_protects_the_one(bench: Bench<Regie> = Regie::embedded()) {
        let (client, other) = (notified(&bench).await, notified(&bench).await);
        let mut holder = as_(&bench, &anna(), "regie");
        held(&bench, client).await;
        let violence = SeparationGround::Violence;
        // Who has nothing to do with the other hears what would be heard of nobody.
        let unknown = holder.mark_separation(mark(client, ClientId(Uuid::new_v4()), violence)).await.unwrap_err();
        let refused = holder.mark_separation(mark(client, other, violence)).await.unwrap_err();
        assert_eq!((testkit::heard(&refused), refused.code()), (testkit::heard(&unknown), Code::NotFound));
        let marked = municipality(&bench).mark_separation(mark(client, other, violence)).await.unwrap().into_inner();
        let again = municipality(&bench).mark_separation(mark(client, other, violence)).await.unwrap().into_inner();
        assert_eq!(again, marked);
        for (wish, code) in [
            (mark(client, other, SeparationGround::Threat), "SEPARATION_STANDS"),
            (mark(client, client, violence), "SEPARATION_OF_ONE"),
            (mark(client, other, SeparationGround::Unspecified), "MALFORMED"),
        ] {
            assert_eq!(reason(&municipality(&bench).mark_separation(wish).await.unwrap_err()), code);
        }
        let seen = listed(&mut holder, client).await.unwrap();
        assert_eq!((seen.len(), seen[0].ground(), seen[0].other_client_id.clone()), (1, violence, other.to_string()));
        // The case holder of the other finds nothing, and what they mark themselves stands beside it.
        let bram = Actor { subject: "bram".into(), ..actor(Role::Caseholder, "gemeente-dordrecht") };
        let seen = version(&bench, other).await;
        municipality(&bench).assign_case_holder(assign(other, "bram", seen, AssignmentReason::First)).await.unwrap();
        bench.settled().await;
        let mut bram = as_(&bench, &bram, "regie");
        assert_eq!(listed(&mut bram, other).await.unwrap(), []);
        assert_eq!(listed(&mut bram, client).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(reason(&bram.end_separation(end(other, &marked.separation_id)).await.unwrap_err()), "SEPARATION_UNKNOWN");
        for refused in [listed(&mut shelter(&bench), client).await, listed(&mut as_(&bench, &client_actor(client), "own-file"), client).await] {
            assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
        }
        holder.end_separation(end(client, &marked.separation_id)).await.unwrap();
        holder.end_separation(end(client, &marked.separation_id)).await.unwrap();
        assert!(listed(&mut holder, client).await.unwrap()[0].ended_on.is_some());
        let names = bench.event_names().await;
        let told = |name: &str| names.iter().filter(|one| *one == name).count();
        assert_eq!((told("SeparationMarked"), told("SeparationEnded")), (1, 1));
    }

    /// R-REG-28: no feed of a partner, no timeline and no client's own log tells of it; the privacy officer's does.
    async fn neither_side_nor_any_partner_hears_of_a_separation(bench: Bench<Regie> = Regie::embedded()) {
        let (client, other) = (notified(&bench).await, notified(&bench).await);
        held(&bench, client).await;
        held(&bench, other).await;
        let partners = [
            (actor(Role::Shelter, "leger-des-heils"), "shelter"),
            (anna(), "shelter"),
            (actor(Role::Access, "gemeente-dordrecht"), "operations"),
            (actor(Role::Regie, "gemeente-dordrecht"), "operations"),
        ];
        let log = async |who: &Actor, purpose: &str, client: ClientId| {
            let mut log = AuditServiceClient::new(bench.as_(who, purpose));
            let request = ListAccessRequest { client_id: client.to_string(), page_size: 500, ..Default::default() };
            log.list_access(request).await.unwrap().into_inner().entries
        };
        let told = async || {
            let mut told = Vec::new();
            for (partner, purpose) in &partners {
                told.extend(bench.events_for(partner, purpose).await.iter().map(|event| event.r#type.clone()));
            }
            for client in [client, other] {
                let own = client_actor(client);
                let request = GetTimelineRequest { client_id: client.to_string(), page_size: 500, ..Default::default() };
                let timeline = as_(&bench, &own, "own-file").get_timeline(request).await.unwrap().into_inner();
                told.extend(timeline.entries.iter().map(|entry| entry.r#type.clone()));
                // Whoever looked here, the client itself and the readers of feeds, looks again the next time.
                let seen = log(&own, "own-file", client).await;
                assert!(!seen.is_empty());
                let looked = |entry: &&proto::audit::v1::AccessEntry| {
                    entry.organisation != "clients" && !entry.method.ends_with("Subscribe")
                };
                told.extend(seen.iter().filter(looked).map(|entry| entry.method.clone()));
            }
            told
        };
        let before = told().await;
        let mut holder = as_(&bench, &anna(), "regie");
        let marked = holder.mark_separation(mark(client, other, SeparationGround::NoContactOrder)).await.unwrap();
        assert_eq!(listed(&mut holder, client).await.unwrap().len(), 1);
        holder.end_separation(end(client, &marked.into_inner().separation_id)).await.unwrap();
        assert_eq!(told().await, before);
        let names = bench.event_names().await;
        assert!(names.contains(&"SeparationMarked".to_owned()), "the services hear of it");
        let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
        for client in [client, other] {
            let seen = log(&officer, "audit", client).await;
            assert!(seen.iter().any(|entry| entry.method == "RegieService/MarkSeparation"), "it is logged for both");
        }
    }

    /// R-REG-28, P8: who are in one place already when it is marked are looked at by the municipality and who protects the client,
    /// today; nobody else has it on a list, and no feed, timeline or export tells of it.
    async fn who_are_near_each_other_already_are_a_task_for_who_protects_the_client_and_for_nobody_else(bench: Bench<Regie> = Regie::embedded()) {
        let (client, other) = (notified(&bench).await, notified(&bench).await);
        held(&bench, client).await;
        let relate = GrantRelationRequest {
            request_id: rid(), client_id: client.to_string(), organisation: "vrouwenopvang".into(), role: Role::Vo.to_string(), person: String::new(),
        };
        municipality(&bench).grant_relation(relate).await.unwrap();
        let marked = municipality(&bench).mark_separation(mark(client, other, SeparationGround::Violence)).await.unwrap().into_inner();
        let everybody = [
            (actor(Role::Regie, "gemeente-dordrecht"), true),
            (anna(), true),
            (actor(Role::Vo, "vrouwenopvang"), true),
            (Actor { subject: "bram".into(), ..anna() }, false),
            (actor(Role::Access, "gemeente-dordrecht"), false),
            (actor(Role::Caseholder, "vrouwenopvang"), false),
            (actor(Role::Vo, "de-blijf"), false),
            (actor(Role::Shelter, "leger-des-heils"), false),
        ];
        let listed = async |who: &Actor| -> Vec<TaskView> {
            let request = ListTasksRequest { client_id: client.to_string(), ..Default::default() };
            let listed = tasks(&mut as_(&bench, who, "regie"), request).await;
            listed.into_iter().filter(|task| task.kind() == TaskKind::KeepApart).collect()
        };
        let told = async || {
            let mut told = Vec::new();
            for (who, _) in &everybody {
                let events = bench.events_for(who, "operations").await;
                told.extend(events.iter().map(|event| event.r#type.clone()));
            }
            let own = client_actor(client);
            let request = GetTimelineRequest { client_id: client.to_string(), page_size: 500, ..Default::default() };
            let timeline = as_(&bench, &own, "own-file").get_timeline(request).await.unwrap().into_inner();
            told.extend(timeline.entries.iter().map(|entry| entry.r#type.clone()));
            told
        };
        let before = told().await;
        let near = access::SeparatedInOneFacility { separation_id: marked.separation_id.clone() };
        bench.peer("access").publish(None, TODAY, &near).await;
        let near = housing::SeparatedInOneNeighbourhood { separation_id: marked.separation_id.clone() };
        bench.peer("housing").publish(None, TODAY, &near).await;
        let unknown = access::SeparatedInOneFacility { separation_id: id() };
        bench.peer("access").publish(None, TODAY, &unknown).await;
        bench.settled().await;
        let mut on_lists = Vec::new();
        for (who, sees) in &everybody {
            let tasks = listed(who).await;
            assert_eq!(!tasks.is_empty(), *sees, "{:?} {}: {tasks:?}", who.roles, who.subject);
            on_lists.extend(tasks);
        }
        assert_eq!(told().await, before, "nobody hears of it");
        assert!(on_lists.iter().all(|task| task.due_on == Some(from_date(TODAY)) && task.subject_id == marked.separation_id));
        assert!(!on_lists[0].title.contains("scheid") && !format!("{on_lists:?}").contains(&other.to_string()));
        let mut rights = RightsServiceClient::new(bench.as_(&client_actor(client), "own-file"));
        let (mut exported, mut page_token) = (String::new(), String::new());
        loop {
            let request = ExportClientRequest { client_id: client.to_string(), page_token };
            let page = rights.export_client(request).await.unwrap().into_inner();
            exported.push_str(&format!("{:?}", page.parts));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert!(exported.contains("assign_caseholder") && !exported.contains("keep_apart"), "{exported}");
        // Nor can it be taken by somebody who does not see it.
        let of_anna = on_lists.iter().find(|task| task.person == "anna").unwrap();
        let take = |task: &TaskView| TakeTaskRequest { request_id: rid(), expected_version: task.version, task_id: task.task_id.clone() };
        let bram = Actor { subject: "bram".into(), ..anna() };
        assert_eq!(as_(&bench, &bram, "regie").take_task(take(of_anna)).await.unwrap_err().code(), Code::NotFound);
        as_(&bench, &anna(), "regie").take_task(take(of_anna)).await.unwrap();
        // Late, it is still nobody else's; and it ends with the separation.
        bench.on(date(2026, 3, 4)).await;
        assert!(listed(&anna()).await[0].overdue);
        let ended = end(client, &marked.separation_id);
        municipality(&bench).end_separation(ended).await.unwrap();
        for (who, _) in &everybody {
            assert_eq!(listed(who).await, []);
        }
        let separation = marked.separation_id.as_bytes();
        for (who, _) in &everybody {
            let events = bench.events_for(who, "operations").await;
            let names_it = |event: &proto::feed::v1::Event| event.payload.as_ref().unwrap().value.windows(separation.len()).any(|part| part == separation);
            assert!(!events.iter().any(names_it), "{:?} {}", who.roles, who.subject);
        }
    }

    /// R-REG-18, R-REG-28: raised once and ended once, for services only, by the municipality and who protects the client.
    async fn a_shield_is_raised_by_who_protects_the_client_and_told_to_services_only(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        held(&bench, client).await;
        let partners = [(actor(Role::Shelter, "leger-des-heils"), "shelter"), (anna(), "shelter")];
        let told = async || {
            let mut told = 0;
            for (partner, purpose) in &partners {
                told += bench.events_for(partner, purpose).await.len();
            }
            told
        };
        let before = told().await;
        let raise = |client: ClientId| ShieldClientRequest { request_id: rid(), client_id: client.to_string() };
        let end = || EndShieldRequest { request_id: rid(), client_id: client.to_string() };
        let mut holder = as_(&bench, &anna(), "regie");
        let raised = holder.shield_client(raise(client)).await.unwrap().into_inner();
        assert_eq!(raised.since, Some(from_date(TODAY)));
        bench.on(date(2026, 3, 3)).await;
        assert_eq!(municipality(&bench).shield_client(raise(client)).await.unwrap().into_inner(), raised);
        let other = notified(&bench).await;
        assert_eq!(holder.shield_client(raise(other)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(shelter(&bench).shield_client(raise(client)).await.unwrap_err().code(), Code::PermissionDenied);
        let between = told().await;
        for _ in 0..2 {
            holder.end_shield(end()).await.unwrap();
        }
        assert_eq!(told().await, between);
        assert!(between >= before);
        let names = bench.event_names().await;
        let count = |name: &str| names.iter().filter(|one| *one == name).count();
        assert_eq!((count("ClientShielded"), count("ShieldEnded")), (1, 1));
    }
}
