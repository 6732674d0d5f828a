//! Two clients who are never placed together: who may mark and see it, and who never hears of it (R-REG-28).

use super::*;

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
