//! Who is kept apart from whom, who is hidden, and who is reached through one organisation only.

use super::*;

testkit::on_both_engines! {
    /// R-REG-28: by no road does anybody come where somebody is from whom they are kept apart, whichever of the two came first.
    async fn who_are_kept_apart_never_come_in_one_place(bench: Bench<Access> = Access::embedded()) {
        let (here, elsewhere) = (open(&bench, place(5)).await, open(&bench, place(5)).await);
        let youth = open(&bench, pb::RegisterFacilityRequest { audience: pb::Audience::Youth.into(), ..place(5) }).await;
        let (first, stay) = guest(&bench, &here, None).await;
        let (second, notification) = waiting(&bench).await;
        // Marked for the one who is there or for the one who comes: it holds both ways.
        let separation = keep_apart(&bench, &second, &first).await;
        let partners = async || {
            let mut heard = Vec::new();
            for (role, organisation, purpose) in [(Role::Shelter, SHELTER, "shelter"), (Role::Access, DESK, "operations")] {
                heard.push(bench.events_for(&actor(role, organisation), purpose).await.len());
            }
            heard
        };
        let before = partners().await;
        let mut shelter = shelter(&bench);
        let mut desk = desk(&bench, "decision");
        let refused = shelter.admit_client(into(&second, &here, &notification)).await.unwrap_err();
        assert_eq!(reason(&refused), "NOT_SUITABLE");
        // Like a place that is not for that age, to the last word.
        let of_age = shelter.admit_client(into(&second, &youth, &notification)).await.unwrap_err();
        assert_eq!(testkit::heard(&refused), testkit::heard(&of_age));
        assert_eq!(code(shelter.join_waiting_list(join(&second, &here)).await), "NOT_SUITABLE");
        let urgent = pb::DecideUrgentProvisionRequest {
            request_id: rid(), notification_id: notification.clone(), expected_version: 1, granted: true,
            facility_id: here.clone(), ..Default::default()
        };
        assert_eq!(code(desk.decide_urgent_provision(urgent).await), "NOT_SUITABLE");
        assert_eq!(partners().await, before, "a refusal is no event");
        let mut regie = api(&bench, Role::SvcRegie, "svc-regie", "crisis");
        let claim = |client: &str| pb::ClaimPlaceRequest {
            request_id: rid(), client_id: client.into(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(),
            relapse_guarantee: false,
        };
        let claimed = regie.claim_place(claim(&second)).await.unwrap().into_inner();
        assert_eq!(claimed.facility_id, elsewhere);
        // A claimed place is as good as a stay: now the first cannot come there either.
        let away = Leaves::Destination(pb::Destination::OtherMunicipality.into());
        shelter.record_departure(leave(&stay, 1, today(), away)).await.unwrap();
        let again = notify(&mut shelter, &first).await;
        assert_eq!(code(shelter.admit_client(into(&first, &elsewhere, &again)).await), "NOT_SUITABLE");
        assert_eq!(regie.claim_place(claim(&first)).await.unwrap().into_inner().facility_id, here);
        // Once it has ended, nothing is left of it.
        let ended = proto::regie::v1::SeparationEnded { separation_id: separation };
        bench.peer("regie").publish(ClientId::parse("c", &second).ok(), today(), &ended).await;
        shelter.admit_client(into(&second, &here, &notification)).await.unwrap();
    }

    /// R-REG-18, R-REG-28: the same stay, list and claim, seen by everybody before, during and after the shield.
    async fn where_a_shielded_client_is_only_the_place_and_who_protects_the_client_know(bench: Bench<Access> = Access::embedded()) {
        let (here, full) = (open(&bench, place(5)).await, open(&bench, place(5)).await);
        let (client, _) = guest(&bench, &here, None).await;
        shelter(&bench).join_waiting_list(join(&client, &full)).await.unwrap();
        let holder = actor(Role::Caseholder, "elders");
        for (organisation, person) in [("elders", holder.subject.as_str()), ("vrouwenopvang", ""), ("hvo-querido", "")] {
            let granted = proto::regie::v1::RelationGranted {
                relation_id: rid(), client_id: client.clone(), organisation: organisation.into(), person: person.into(),
                ..Default::default()
            };
            bench.peer("regie").publish(ClientId::parse("c", &client).ok(), today(), &granted).await;
        }
        let everybody = [
            (client_actor(ClientId::parse("c", &client).unwrap()), "own-file", true),
            (holder, "shelter", true),
            (actor(Role::Vo, "vrouwenopvang"), "shelter", true),
            (actor(Role::Shelter, SHELTER), "shelter", true),
            (actor(Role::Shelter, "hvo-querido"), "shelter", false),
            (actor(Role::Access, DESK), "notification", false),
        ];
        let places = async |who: &kernel::Actor, purpose: &str| {
            let mut api = AccessServiceClient::new(bench.as_(who, purpose));
            let journey = api.get_journey(pb::GetJourneyRequest { client_id: client.clone() }).await.unwrap().into_inner().journey.unwrap();
            (journey.stays[0].facility_id.clone(), journey.waiting[0].facility_id.clone())
        };
        let known = (here.clone(), full.clone());
        let shield = async |raised: bool| {
            let (client_id, id) = (client.clone(), ClientId::parse("c", &client).ok());
            match raised {
                true => bench.peer("regie").publish(id, today(), &proto::regie::v1::ClientShielded { client_id }).await,
                false => bench.peer("regie").publish(id, today(), &proto::regie::v1::ShieldEnded { client_id }).await,
            };
        };
        for raised in [false, true, false] {
            shield(raised).await;
            for (who, purpose, named) in &everybody {
                let shown = if *named || !raised { known.clone() } else { Default::default() };
                assert_eq!(places(who, purpose).await, shown, "{:?} of {} {raised}", who.roles, who.organisation);
            }
        }
        // Lists of the place, its register and a claim, as the desk of the municipality gets them.
        shield(true).await;
        let list = pb::ListWaitingListRequest { facility_id: full.clone(), ..Default::default() };
        assert_eq!(desk(&bench, "shelter").list_waiting_list(list.clone()).await.unwrap().into_inner().entries.len(), 0);
        assert_eq!(shelter(&bench).list_waiting_list(list).await.unwrap().into_inner().entries.len(), 1);
        let register = pb::GetNightRegisterRequest { facility_id: here.clone(), night: date(today()) };
        assert_eq!(desk(&bench, "shelter").get_night_register(register.clone()).await.unwrap().into_inner().missing_stay_ids.len(), 0);
        assert_eq!(shelter(&bench).get_night_register(register).await.unwrap().into_inner().missing_stay_ids.len(), 1);
        let claim = pb::ClaimPlaceRequest {
            request_id: rid(), client_id: client.clone(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(),
            relapse_guarantee: false,
        };
        let claimed = desk(&bench, "crisis").claim_place(claim).await.unwrap().into_inner();
        assert_eq!(claimed.facility_id, "");
        // What happens at the place from now on, the place alone hears of.
        let heard = async |role, organisation: &str| {
            let events = bench.events_for(&actor(role, organisation), if role == Role::Access { "operations" } else { "shelter" }).await;
            decode::<pb::PlaceClaimed>(&events).len()
        };
        assert_eq!((heard(Role::Shelter, SHELTER).await, heard(Role::Shelter, "hvo-querido").await, heard(Role::Access, DESK).await), (1, 0, 0));
    }

    /// R-REG-28: of two who are kept apart and come at the very same moment, one gets the place, by whatever road.
    async fn of_two_who_are_kept_apart_one_gets_in_when_both_come_at_once(bench: Bench<Access> = Access::embedded()) {
        for round in 0..6 {
            let here = open(&bench, place(50)).await;
            let (one, other) = (waiting(&bench).await, waiting(&bench).await);
            keep_apart(&bench, &one.0, &other.0).await;
            let enter = |(client, notification): &(String, String)| {
                let (mut shelter, wish) = (shelter(&bench), into(client, &here, notification));
                async move { shelter.admit_client(wish).await.map(drop) }
            };
            let (first, second) = tokio::join!(enter(&one), enter(&other));
            let refused: Vec<_> = [first, second].into_iter().filter_map(Result::err).collect();
            assert_eq!(refused.len(), 1, "round {round}");
            assert_eq!(reason(&refused[0]), "NOT_SUITABLE");
            let facilities = desk(&bench, "notification").list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap();
            let taken = facilities.into_inner().facilities.into_iter().find(|f| f.facility_id == here).unwrap().occupied;
            assert_eq!(taken, 1);
        }
    }

    /// R-REG-28, P6: the same for places that are claimed for tonight.
    async fn of_two_who_are_kept_apart_and_need_a_place_tonight_neither_gets_the_others(bench: Bench<Access> = Access::embedded()) {
        let (one, other) = (waiting(&bench).await, waiting(&bench).await);
        keep_apart(&bench, &one.0, &other.0).await;
        for _ in 0..2 {
            open(&bench, place(5)).await;
        }
        let claim = |client: &str| {
            let mut regie = api(&bench, Role::SvcRegie, "svc-regie", "crisis");
            let wish = pb::ClaimPlaceRequest {
                request_id: rid(), client_id: client.into(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(),
                relapse_guarantee: false,
            };
            async move { regie.claim_place(wish).await.unwrap().into_inner().facility_id }
        };
        let (first, second) = tokio::join!(claim(&one.0), claim(&other.0));
        assert_ne!(first, second);
    }

    /// R-REG-28, P8: telephone number, e-mail and home address are left out of every view, and the channel is shown instead; not for
    /// the client, who protects the client and who is the channel.
    async fn with_safe_contact_only_who_protects_the_client_and_the_channel_see_how_to_reach_the_client(bench: Bench<Access> = Access::embedded()) {
        let given = pb::Identity {
            no_address: false, postcode: "3311EN".into(), house_number: "12".into(), email: "noor@example.nl".into(),
            ..identity("999990019")
        };
        let client = register(&mut shelter(&bench), given.clone()).await.unwrap();
        let id = ClientId::parse("c", &client).unwrap();
        let holder = actor(Role::Caseholder, "elders");
        for (organisation, person) in [
            ("elders", holder.subject.as_str()), ("vrouwenopvang", ""), ("hvo-querido", ""), ("trivire", ""), ("sociale-dienst", ""), ("wijkteam-west", ""),
        ] {
            let granted = proto::regie::v1::RelationGranted {
                relation_id: rid(), client_id: client.clone(), organisation: organisation.into(), person: person.into(), ..Default::default()
            };
            bench.peer("regie").publish(Some(id), today(), &granted).await;
        }
        let client_id = || client.clone();
        // What each audience sees of how to reach the client: postcode, telephone, e-mail; and the channel that is named.
        type Seen = (Vec<String>, Option<proto::contact::v1::SafeContact>);
        macro_rules! seen {
            ($who:expr, $purpose:literal, $rpc:ident($request:ident).$view:ident, [$($field:ident),+]) => {{
                let mut api = AccessServiceClient::new(bench.as_(&$who, $purpose));
                let view = api.$rpc(pb::$request { client_id: client_id() }).await.unwrap().into_inner().$view.unwrap();
                assert!(!view.surname.is_empty(), "who it is goes on being shown");
                let shown = [$(view.$field.clone()),+].into_iter().filter(|text| !text.is_empty()).collect();
                (shown, view.safe_contact.clone())
            }};
        }
        let guided = async |who: kernel::Actor| -> Seen {
            seen!(who, "shelter", get_client_for_guidance(GetClientForGuidanceRequest).client, [phone, email])
        };
        let everybody = async || -> Vec<(&str, Seen)> { vec![
            ("case holder", guided(holder.clone()).await),
            ("women's shelter", guided(actor(Role::Vo, "vrouwenopvang")).await),
            ("channel", guided(actor(Role::Shelter, SHELTER)).await),
            ("other shelter", guided(actor(Role::Shelter, "hvo-querido")).await),
            ("desk", seen!(actor(Role::Access, DESK), "notification", get_client(GetClientRequest).client, [postcode, house_number, phone, email])),
            ("landlord", seen!(actor(Role::Corporation, "trivire"), "housing", get_tenant(GetTenantRequest).tenant, [phone, email])),
            ("social services", seen!(actor(Role::Income, "sociale-dienst"), "income", get_benefit_applicant(GetBenefitApplicantRequest).applicant, [phone, email])),
            ("district", seen!(actor(Role::District, "wijkteam-west"), "aftercare", get_client_for_district(GetClientForDistrictRequest).client, [phone, email])),
        ] };
        let say = async |through: Option<&str>| {
            let client_id = client_id();
            match through {
                Some(through) => bench.peer("regie").publish(Some(id), today(), &proto::regie::v1::SafeContactSet { client_id, through: through.into() }).await,
                None => bench.peer("regie").publish(Some(id), today(), &proto::regie::v1::SafeContactEnded { client_id }).await,
            };
        };
        let before = everybody().await;
        assert!(before.iter().all(|(_, (shown, contact))| shown.len() >= 2 && contact.is_none()), "{before:?}");
        for (through, sees) in [
            (SHELTER, vec!["case holder", "women's shelter", "channel"]),
            (DESK, vec!["case holder", "women's shelter", "desk"]),
            // The landlord cannot be the channel; regie refuses it, and here it would see nothing either.
            ("trivire", vec!["case holder", "women's shelter"]),
            ("", vec!["case holder", "women's shelter"]),
        ] {
            say(Some(through)).await;
            for ((who, (all, _)), (_, (shown, contact))) in before.iter().zip(everybody().await) {
                let wanted = if sees.contains(who) { all.clone() } else { vec![] };
                assert_eq!(shown, wanted, "{who}, through {through}");
                assert_eq!(contact.unwrap().through, through, "{who}");
            }
        }
        say(Some(SHELTER)).await;
        let journey = desk(&bench, "decision").get_journey(pb::GetJourneyRequest { client_id: client_id() }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!(journey.safe_contact.unwrap().through, SHELTER, "who would send a decision is told");
        let mut own = AccessServiceClient::new(bench.as_(&client_actor(id), "own-file"));
        let journey = own.get_journey(pb::GetJourneyRequest { client_id: client_id() }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!(journey.safe_contact, None, "the client's own screen says nothing of it");
        let mut myself = async || own.get_client_as_self(pb::GetClientAsSelfRequest { client_id: client_id() }).await.unwrap().into_inner().client.unwrap();
        let mine = myself().await;
        assert_eq!((mine.phone.as_str(), mine.email.as_str(), mine.postcode.as_str()), ("0612345678", "noor@example.nl", "3311EN"));

        // Who does not see it does not overwrite it: what they correct is the rest.
        let correct = |surname: &str, phone: &str, seen| pb::CorrectClientRequest {
            request_id: rid(), client_id: client_id(), expected_version: seen,
            identity: Some(pb::Identity { surname: surname.into(), phone: phone.into(), ..identity("999990019") }),
        };
        desk(&bench, "investigation").correct_client(correct("De Boer", "", 1)).await.unwrap();
        let mine = myself().await;
        assert_eq!((mine.surname.as_str(), mine.phone.as_str(), mine.email.as_str(), mine.postcode.as_str()), ("De Boer", "0612345678", "noor@example.nl", "3311EN"));
        shelter(&bench).correct_client(correct("De Boer", "0687654321", 2)).await.unwrap();
        assert_eq!(myself().await.phone, "0687654321", "the channel keeps it up to date");
        say(None).await;
        assert!(everybody().await.iter().all(|(_, (shown, contact))| !shown.is_empty() && contact.is_none()));
    }

    /// R-REG-18
    async fn a_womens_shelter_is_hidden_from_everybody_else(bench: Bench<Access> = Access::embedded()) {
        let secret = pb::RegisterFacilityRequest { organisation: "de-blijf".into(), kind: pb::FacilityKind::WomensShelter.into(), audience: pb::Audience::ViolenceVictims.into(), ..place(5) };
        let secret = open(&bench, secret).await;
        let mut desk = desk(&bench, "notification");
        let client = register(&mut desk, identity("")).await.unwrap();
        let notification = notify(&mut desk, &client).await;
        let mut vo = api(&bench, Role::Vo, "de-blijf", "shelter");
        vo.admit_client(into(&client, &secret, &notification)).await.unwrap();
        let list = |organisation: &'static str, role| { let mut api = api(&bench, role, organisation, "shelter"); async move {
            api.list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap().into_inner().facilities.len()
        } };
        assert_eq!((list("de-blijf", Role::Vo).await, list(DESK, Role::Access).await), (1, 0));
        let journey = desk.get_journey(pb::GetJourneyRequest { client_id: client.clone() }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!((journey.stays[0].facility_id.as_str(), journey.stays[0].organisation.as_str()), ("", ""));
        let heard = bench.events_for(&actor(Role::Vo, "de-blijf"), "shelter").await;
        assert_eq!(decode::<pb::Admitted>(&heard).len(), 1);
        // Another shelter with a relation to the client hears of the client, not of the place.
        let granted = proto::regie::v1::RelationGranted { relation_id: rid(), client_id: client.clone(), organisation: SHELTER.into(), ..Default::default() };
        bench.peer("regie").publish(ClientId::parse("c", &client).ok(), today(), &granted).await;
        let stay = &vo.get_journey(pb::GetJourneyRequest { client_id: client }).await.unwrap().into_inner().journey.unwrap().stays[0];
        let away = Leaves::Destination(pb::Destination::OtherMunicipality.into());
        vo.record_departure(leave(&stay.stay_id, 1, today(), away)).await.unwrap();
        let heard = bench.events_for(&actor(Role::Shelter, SHELTER), "shelter").await;
        assert!(decode::<pb::Departed>(&heard).is_empty());
    }

    /// R-REG-18: whoever holds the id of a women's shelter that is not theirs, in whatever role, hears of it what is heard of no
    /// place at all; and the women's shelter goes on working.
    async fn a_womens_shelter_is_no_place_at_all_to_whoever_holds_its_id(bench: Bench<Access> = Access::embedded()) {
        let secret = pb::RegisterFacilityRequest { organisation: "de-blijf".into(), kind: pb::FacilityKind::WomensShelter.into(), audience: pb::Audience::ViolenceVictims.into(), ..place(5) };
        let secret = open(&bench, secret).await;
        let (here, _) = guest(&bench, &open(&bench, place(5)).await, None).await;
        let (client, notification) = waiting(&bench).await;
        let mut vo = api(&bench, Role::Vo, "de-blijf", "shelter");
        vo.admit_client(into(&client, &secret, &notification)).await.unwrap();
        let granted = proto::regie::v1::RelationGranted { relation_id: rid(), client_id: here.clone(), organisation: "de-blijf".into(), ..Default::default() };
        bench.peer("regie").publish(ClientId::parse("c", &here).ok(), today(), &granted).await;
        vo.join_waiting_list(join(&here, &secret)).await.unwrap();
        let (second, notification) = waiting(&bench).await;
        let asked = async |role: Role, organisation: &str, facility: &str| {
            let mut api = api(&bench, role, organisation, "shelter");
            let list = pb::ListWaitingListRequest { facility_id: facility.into(), ..Default::default() };
            let register = pb::GetNightRegisterRequest { facility_id: facility.into(), night: date(today()) };
            let capacity = pb::ChangeCapacityRequest { request_id: rid(), facility_id: facility.into(), expected_version: 1, places: 3, ..Default::default() };
            let mut heard = vec![
                api.list_waiting_list(list).await.map(drop),
                api.get_night_register(register).await.map(drop),
                api.change_capacity(capacity).await.map(drop),
            ];
            if role == Role::Access {
                let grant = pb::DecideUrgentProvisionRequest {
                    request_id: rid(), notification_id: notification.clone(), expected_version: 1, granted: true, facility_id: facility.into(), ..Default::default()
                };
                heard.push(desk(&bench, "decision").decide_urgent_provision(grant).await.map(drop));
            }
            if role != Role::Regie {
                heard.push(api.join_waiting_list(join(&second, facility)).await.map(drop));
                heard.push(api.record_nights(night(facility, today(), 0, &[])).await.map(drop));
                heard.push(api.admit_client(into(&second, facility, &notification)).await.map(drop));
            }
            heard.into_iter().map(|said| said.map_err(|refused| testkit::heard(&refused))).collect::<Vec<_>>()
        };
        for (role, organisation) in [(Role::Access, DESK), (Role::Regie, DESK), (Role::Shelter, SHELTER), (Role::Vo, "elders")] {
            let of_it = asked(role, organisation, &secret).await;
            assert_eq!(of_it, asked(role, organisation, &rid()).await, "{role}");
            assert!(of_it.iter().all(Result::is_err), "{role}: {of_it:?}");
        }
        let list = vo.list_waiting_list(pb::ListWaitingListRequest { facility_id: secret.clone(), ..Default::default() }).await.unwrap();
        assert_eq!(list.into_inner().entries.len(), 1);
        let register = pb::GetNightRegisterRequest { facility_id: secret.clone(), night: date(today()) };
        assert_eq!(vo.get_night_register(register).await.unwrap().into_inner().missing_stay_ids.len(), 1);
        // No claim, list or count of anybody else leads there, with the place full or empty.
        let counts = async || {
            let mut seen = Vec::new();
            for (role, organisation) in [(Role::Access, DESK), (Role::Regie, DESK), (Role::Caseholder, SHELTER), (Role::District, "wijkteam-west")] {
                let mut api = api(&bench, role, organisation, if role == Role::District { "crisis" } else { "shelter" });
                let page = api.list_facilities(pb::ListFacilitiesRequest { page_size: 1, ..Default::default() }).await.unwrap().into_inner();
                seen.push((page.facilities.len(), page.next_page_token, page.facilities[0].occupied));
            }
            seen
        };
        let before = counts().await;
        assert!(before.iter().all(|(n, token, _)| (*n, token.as_str()) == (1, "")), "no page after the only place: {before:?}");
        let stay = &vo.get_journey(pb::GetJourneyRequest { client_id: client }).await.unwrap().into_inner().journey.unwrap().stays[0];
        vo.record_departure(leave(&stay.stay_id, 1, today(), Leaves::Destination(pb::Destination::OtherMunicipality.into()))).await.unwrap();
        assert_eq!(counts().await, before);
    }

    /// R-REG-28: who are in one place already when they are to be kept apart: regie hears, and nobody else; about whom, only regie
    /// knows.
    async fn who_are_in_one_place_when_they_are_separated_are_told_to_services_only(bench: Bench<Access> = Access::embedded()) {
        let (here, elsewhere) = (open(&bench, place(5)).await, open(&bench, place(5)).await);
        let (first, second, third) = (guest(&bench, &here, None).await.0, guest(&bench, &here, None).await.0, guest(&bench, &elsewhere, None).await.0);
        keep_apart(&bench, &first, &third).await;
        let (waits, _) = waiting(&bench).await;
        keep_apart(&bench, &first, &waits).await;
        let near = async || decode::<pb::SeparatedInOneFacility>(&bench.events().await);
        assert_eq!(near().await, []);
        let separation = keep_apart(&bench, &second, &first).await;
        let told = bench.events().await;
        let told = told.iter().find(|event| event.r#type.ends_with("separated-in-one-facility")).unwrap();
        assert_eq!(told.client_id, "", "the envelope names nobody");
        assert_eq!(near().await, [pb::SeparatedInOneFacility { separation_id: separation }]);
        for (role, organisation, purpose) in [(Role::Shelter, SHELTER, "shelter"), (Role::Access, DESK, "operations"), (Role::Regie, DESK, "operations")] {
            assert_eq!(decode::<pb::SeparatedInOneFacility>(&bench.events_for(&actor(role, organisation), purpose).await), []);
        }
        // A claimed place is as good as a stay.
        let claim = pb::ClaimPlaceRequest {
            request_id: rid(), client_id: waits.clone(), signal_id: uuid().to_string(), municipality: DORDRECHT.into(), relapse_guarantee: false,
        };
        let claimed = api(&bench, Role::SvcRegie, "svc-regie", "crisis").claim_place(claim).await.unwrap().into_inner();
        assert_eq!(claimed.facility_id, elsewhere);
        keep_apart(&bench, &third, &waits).await;
        assert_eq!(near().await.len(), 2);
    }
}
