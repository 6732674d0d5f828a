//! Safe contact: who may set and end it, who is told why, and who is told to go through whom (R-REG-28).

use super::*;

fn set(client: ClientId, through: &str, ground: SafeContactGround) -> SetSafeContactRequest {
    SetSafeContactRequest {
        request_id: rid(),
        client_id: client.to_string(),
        through: through.into(),
        ground: ground.into(),
    }
}

fn end(client: ClientId) -> EndSafeContactRequest {
    EndSafeContactRequest { request_id: rid(), client_id: client.to_string() }
}

async fn get(caller: &mut Caller, client: ClientId) -> Result<GetSafeContactResponse, Status> {
    let request = GetSafeContactRequest { client_id: client.to_string() };
    Ok(caller.get_safe_contact(request).await?.into_inner())
}

fn desk(bench: &Bench<Regie>) -> Caller {
    as_(bench, &actor(Role::Access, "gemeente-dordrecht"), "regie")
}

fn own(bench: &Bench<Regie>, client: ClientId) -> Caller {
    as_(bench, &client_actor(client), "own-file")
}

/// Through whom somebody is told to go, where they are told so at all.
async fn told_to_go_through(caller: &mut Caller, client: ClientId) -> Option<String> {
    let request = GetCaseRequest { client_id: client.to_string(), case_id: String::new() };
    let shown = caller.get_case(request).await.unwrap().into_inner().safe_contact;
    shown.map(|contact| contact.through)
}

testkit::on_both_engines! {
    /// R-REG-28, P8: set by who protects the client, the desk and the client; why is told to who protects, and to nobody else.
    async fn who_protects_a_client_says_how_and_why_and_others_are_told_how(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let request = assign(client, "anna", version(&bench, client).await, AssignmentReason::First);
        municipality(&bench).assign_case_holder(request).await.unwrap();
        bench.settled().await;
        let (mut holder, violence) = (as_(&bench, &anna(), "regie"), SafeContactGround::Violence);
        assert_eq!(get(&mut holder, client).await.unwrap(), GetSafeContactResponse::default());
        assert_eq!(told_to_go_through(&mut shelter(&bench), client).await, None);
        for (wish, code) in [
            (set(client, "trivire", violence), "SAFE_CONTACT_CHANNEL_UNFIT"),
            (set(client, "vrouwenopvang", violence), "SAFE_CONTACT_CHANNEL_UNFIT"),
            (set(client, "", violence), "MALFORMED"),
            (set(client, "leger-des-heils", SafeContactGround::Unspecified), "MALFORMED"),
            (set(client, "leger-des-heils", SafeContactGround::Shield), "MALFORMED"),
        ] {
            assert_eq!(reason(&holder.set_safe_contact(wish).await.unwrap_err()), code);
        }
        let stands = holder.set_safe_contact(set(client, "leger-des-heils", violence)).await.unwrap().into_inner();
        assert_eq!(stands.since, Some(from_date(TODAY)));
        bench.on(date(2026, 3, 3)).await;
        let again = municipality(&bench).set_safe_contact(set(client, "leger-des-heils", violence)).await.unwrap();
        assert_eq!(again.into_inner(), stands, "the same again changes nothing");

        let seen = get(&mut holder, client).await.unwrap();
        assert_eq!((seen.on, seen.through.as_str(), seen.ground(), seen.set_by.as_str()), (true, "leger-des-heils", violence, "gemeente-dordrecht"));
        let seen = get(&mut own(&bench, client), client).await.unwrap();
        assert_eq!((seen.on, seen.through.as_str(), seen.ground(), seen.set_by.as_str()), (true, "leger-des-heils", SafeContactGround::Unspecified, ""));
        for mut other in [shelter(&bench), desk(&bench), municipality(&bench)] {
            assert_eq!(get(&mut other, client).await.unwrap_err().code(), Code::PermissionDenied);
            assert_eq!(told_to_go_through(&mut other, client).await.as_deref(), Some("leger-des-heils"));
        }
        // On the list of what is to be done, too: whoever would write or call sees it there.
        let listed = tasks(&mut municipality(&bench), ListTasksRequest { state: TaskState::Finished.into(), all_organisations: true, ..Default::default() }).await;
        assert!(!listed.is_empty());
        for task in &listed {
            let nl = task.safe_contact.as_ref().unwrap().nl.as_str();
            assert_eq!(nl, "Veilig contact: geen brieven, telefoontjes, berichten of bezoek. Alleen via leger-des-heils.");
        }
        let mine = GetCaseAsSelfRequest { client_id: client.to_string(), case_id: String::new() };
        let mine = own(&bench, client).get_case_as_self(mine).await.unwrap().into_inner();
        assert!(!format!("{mine:?}").contains("eilig contact"), "nothing of it on the client's own screen");

        // Whoever has nothing to do with the client, or protects another one.
        let bram = Actor { subject: "bram".into(), ..anna() };
        let mut bram = as_(&bench, &bram, "regie");
        assert_eq!(get(&mut bram, client).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(bram.set_safe_contact(set(client, "leger-des-heils", violence)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(shelter(&bench).end_safe_contact(end(client)).await.unwrap_err().code(), Code::PermissionDenied);
        for _ in 0..2 {
            desk(&bench).end_safe_contact(end(client)).await.unwrap();
        }
        assert_eq!(get(&mut holder, client).await.unwrap(), GetSafeContactResponse::default());
        assert_eq!(told_to_go_through(&mut shelter(&bench), client).await, None);
        let names = bench.event_names().await;
        assert_eq!((told(&names, "SafeContactSet"), told(&names, "SafeContactEnded")), (1, 1));
    }

    /// R-REG-28: from the registration on, when nobody has to do with the client yet; and the client's own word is the client's
    /// to take back, but not what was agreed with somebody else.
    async fn the_desk_sets_it_at_registration_and_a_client_ends_the_own_word_only(bench: Bench<Regie> = Regie::embedded()) {
        let client = ClientId(Uuid::new_v4());
        let threat = SafeContactGround::Threat;
        desk(&bench).set_safe_contact(set(client, "gemeente-dordrecht", threat)).await.unwrap();
        notify(&bench, client).await;
        assert_eq!(told_to_go_through(&mut shelter(&bench), client).await.as_deref(), Some("gemeente-dordrecht"));
        let mut own = own(&bench, client);
        assert_eq!(reason(&own.end_safe_contact(end(client)).await.unwrap_err()), "SAFE_CONTACT_NOT_CLIENTS");
        own.set_safe_contact(set(client, "leger-des-heils", threat)).await.unwrap();
        assert_eq!(reason(&own.end_safe_contact(end(client)).await.unwrap_err()), "SAFE_CONTACT_NOT_CLIENTS");
        desk(&bench).end_safe_contact(end(client)).await.unwrap();
        own.set_safe_contact(set(client, "leger-des-heils", threat)).await.unwrap();
        own.end_safe_contact(end(client)).await.unwrap();
        assert!(!get(&mut own, client).await.unwrap().on);
        let other = ClientId(Uuid::new_v4());
        assert_eq!(own.set_safe_contact(set(other, "leger-des-heils", threat)).await.unwrap_err().code(), Code::NotFound);
    }

    /// R-REG-18, R-REG-28
    async fn a_shielded_client_always_has_safe_contact(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let shield = || ShieldClientRequest { request_id: rid(), client_id: client.to_string() };
        let unshield = || EndShieldRequest { request_id: rid(), client_id: client.to_string() };
        let mut regie = municipality(&bench);
        let through = async || told_to_go_through(&mut shelter(&bench), client).await;
        regie.shield_client(shield()).await.unwrap();
        assert_eq!(through().await.as_deref(), Some(""), "on, and through nobody agreed");
        regie.end_safe_contact(end(client)).await.unwrap();
        assert_eq!(through().await.as_deref(), Some(""));
        regie.set_safe_contact(set(client, "leger-des-heils", SafeContactGround::Violence)).await.unwrap();
        assert_eq!(through().await.as_deref(), Some("leger-des-heils"));
        regie.end_safe_contact(end(client)).await.unwrap();
        assert_eq!(through().await.as_deref(), Some(""), "what was agreed has ended, the shield has not");
        regie.end_shield(unshield()).await.unwrap();
        assert_eq!(through().await, None);
        // What was set by itself outlives a shield.
        regie.set_safe_contact(set(client, "leger-des-heils", SafeContactGround::Violence)).await.unwrap();
        regie.shield_client(shield()).await.unwrap();
        regie.end_shield(unshield()).await.unwrap();
        assert_eq!(through().await.as_deref(), Some("leger-des-heils"));
    }

    /// R-REG-28: no feed of a partner and no timeline tells of it; the services hear.
    async fn no_partner_hears_of_safe_contact_by_feed_or_timeline(bench: Bench<Regie> = Regie::embedded()) {
        let client = notified(&bench).await;
        let partners = [
            (actor(Role::Shelter, "leger-des-heils"), "shelter"),
            (actor(Role::Access, "gemeente-dordrecht"), "operations"),
            (actor(Role::Regie, "gemeente-dordrecht"), "operations"),
        ];
        let told = async || {
            let mut told = Vec::new();
            for (partner, purpose) in &partners {
                told.extend(bench.events_for(partner, purpose).await.iter().map(|event| event.r#type.clone()));
            }
            let request = GetTimelineRequest { client_id: client.to_string(), page_size: 500, ..Default::default() };
            let timeline = own(&bench, client).get_timeline(request).await.unwrap().into_inner();
            told.extend(timeline.entries.iter().map(|entry| entry.r#type.clone()));
            told
        };
        let before = told().await;
        assert!(!before.is_empty());
        let mut regie = municipality(&bench);
        regie.set_safe_contact(set(client, "leger-des-heils", SafeContactGround::Control)).await.unwrap();
        regie.end_safe_contact(end(client)).await.unwrap();
        regie.set_safe_contact(set(client, "gemeente-dordrecht", SafeContactGround::Safety)).await.unwrap();
        assert_eq!(told().await, before);
        let names = bench.event_names().await;
        assert_eq!((super::told(&names, "SafeContactSet"), super::told(&names, "SafeContactEnded")), (2, 1), "the services hear");
    }
}
