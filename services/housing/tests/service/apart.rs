//! Who is kept apart from whom, who is hidden, and who is reached through one organisation only.

use super::*;

testkit::on_both_engines! {
    /// R-REG-28: neither ranked nor offered where somebody lives, or is offered a home, from whom they are kept apart; and said
    /// as of a district that the client excluded.
    async fn who_are_kept_apart_are_never_offered_homes_near_each_other(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 9).await;
        let (near, home) = (dwelling(&bench, 1).await, dwelling(&bench, 2).await);
        let far = dwelling_in(&bench, 3, "BU05050302").await;
        let (first, second) = (ready_client(&bench).await, ready_client(&bench).await);
        let one = nominate(&bench, first).await;
        let other = nominate(&bench, second).await;
        let excluding = ready_client(&bench).await;
        let wishes = pb::Wishes { excluded_districts: vec!["WK050503".into()], ..Default::default() };
        let excluding = shelter(&bench)
            .nominate(pb::NominateRequest { wishes: Some(wishes), ..nomination(excluding) })
            .await.unwrap().into_inner().nomination_id;
        let offered = offer(&bench, &home, &one).await;
        let separation = keep_apart(&bench, second, first).await;

        let urgent = pb::DeviationReason::Urgent;
        let refused = try_offer(&bench, &near, &other, urgent).await.unwrap_err();
        assert_eq!(reason(&refused), "NOT_SUITABLE");
        assert_eq!(testkit::heard(&refused), testkit::heard(&try_offer(&bench, &near, &excluding, urgent).await.unwrap_err()));
        let why: Vec<_> = ranked(&bench, &near).await.not_ranked;
        assert_eq!(why.len(), 2, "{why:?}");
        assert_eq!(why[0].failed, why[1].failed);
        // In another neighbourhood nothing stands in the way.
        assert_eq!(ranked(&bench, &far).await.not_ranked.len(), 1);
        let elsewhere = try_offer(&bench, &far, &other, urgent).await.unwrap();
        assert_eq!(reason(&try_offer(&bench, &dwelling_in(&bench, 4, "BU05050302").await, &one, urgent).await.unwrap_err()), "NOT_SUITABLE");

        // And so it stays while the one lives there.
        accept(&bench, first, &offered).await.unwrap();
        let allocation = accept_candidate(&bench, &offered).await.unwrap().allocation_id;
        assert!(!allocation.is_empty());
        assert_eq!(reason(&try_offer(&bench, &near, &other, urgent).await.unwrap_err()), "NOT_SUITABLE");
        accept(&bench, second, &elsewhere).await.unwrap();
        let ended = SeparationEnded { separation_id: separation };
        bench.peer("regie").publish(Some(second), date(2026, 3, 2), &ended).await;
        assert_eq!(ranked(&bench, &near).await.not_ranked.len(), 1);
        try_offer(&bench, &near, &other, urgent).await.unwrap();
    }

    /// R-REG-28: marked when both were offered a home already, the second yes is refused, and the offer stays as it was.
    async fn a_separation_that_comes_after_the_offers_keeps_the_second_home_from_being_allocated(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 9).await;
        let homes = [dwelling(&bench, 1).await, dwelling(&bench, 2).await];
        let (first, second) = (ready_client(&bench).await, ready_client(&bench).await);
        let (one, other) = (nominate(&bench, first).await, nominate(&bench, second).await);
        let offers = [
            offer(&bench, &homes[0], &one).await,
            try_offer(&bench, &homes[1], &other, pb::DeviationReason::Urgent).await.unwrap(),
        ];
        keep_apart(&bench, first, second).await;
        for offer in &offers {
            accept_candidate(&bench, offer).await.unwrap();
        }
        let before = bench.event_names().await.len();
        let bench = std::sync::Arc::new(bench);
        // The last yes of both at the very same moment.
        let (yes, other_yes) = tokio::join!(accept(&bench, first, &offers[0]), accept(&bench, second, &offers[1]));
        let refused: Vec<_> = [yes, other_yes].into_iter().filter_map(Result::err).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(reason(&refused[0]), "NOT_SUITABLE");
        let names = bench.event_names().await.split_off(before);
        assert_eq!(names, ["OfferAnswered", "AllocationAccepted"], "the refusal told nobody anything");
    }

    /// R-REG-28: who live in one neighbourhood already when they are to be kept apart: regie hears, and nobody else; about whom,
    /// only regie knows.
    async fn who_live_near_each_other_when_they_are_separated_are_told_to_services_only(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 9).await;
        let mut clients = Vec::new();
        for n in 1..=2 {
            let (home, client) = (dwelling_in(&bench, n, "BU05050301").await, ready_client(&bench).await);
            let nomination = nominate(&bench, client).await;
            let offered = offer(&bench, &home, &nomination).await;
            accept(&bench, client, &offered).await.unwrap();
            accept_candidate(&bench, &offered).await.unwrap();
            clients.push(client);
        }
        let elsewhere = ready_client(&bench).await;
        keep_apart(&bench, clients[0], elsewhere).await;
        let near = async |events: Vec<proto::feed::v1::Event>| -> Vec<(String, String)> {
            let told = events.into_iter().filter(|event| event.r#type.ends_with("separated-in-one-neighbourhood"));
            told.map(|event| {
                let near: pb::SeparatedInOneNeighbourhood = event.payload.unwrap().to_msg().unwrap();
                (event.client_id, near.separation_id)
            })
            .collect()
        };
        assert_eq!(near(bench.events().await).await, []);
        let separation = keep_apart(&bench, clients[1], clients[0]).await;
        assert_eq!(near(bench.events().await).await, [(String::new(), separation)]);
        for (role, organisation) in [(Role::Corporation, "trivire"), (Role::Shelter, "leger-des-heils")] {
            assert_eq!(near(bench.events_for(&actor(role, organisation), "housing").await).await, []);
        }
    }

    /// R-REG-28: with safe contact the district team and the desk of the population register are told through whom, and no
    /// address; when and in which district goes on being told.
    async fn with_safe_contact_a_move_is_told_without_an_address(bench: Bench<Housing> = Housing::embedded()) {
        let (client, _, _, allocation) = allocated(&bench).await;
        relate(&bench, client, "wijkteam-west", Role::District).await;
        relate(&bench, client, "gemeente-dordrecht", Role::Civil).await;
        let seen = async |role: Role, organisation: &str| {
            let request = pb::GetMoveForDistrictRequest { allocation_id: allocation.clone() };
            let mut who = HousingServiceClient::new(bench.as_(&actor(role, organisation), "aftercare"));
            who.get_move_for_district(request).await.unwrap().into_inner()
        };
        let before = seen(Role::District, "wijkteam-west").await;
        assert!(before.address.is_some() && before.safe_contact.is_none());
        let client_id = client.to_string();
        let set = SafeContactSet { client_id: client_id.clone(), through: "gemeente-dordrecht".into() };
        bench.peer("regie").publish(Some(client), date(2026, 3, 2), &set).await;
        for (role, organisation) in [(Role::District, "wijkteam-west"), (Role::Civil, "gemeente-dordrecht")] {
            let shown = seen(role, organisation).await;
            assert_eq!(shown.safe_contact.as_ref().unwrap().through, "gemeente-dordrecht");
            assert_eq!(pb::GetMoveForDistrictResponse { address: before.address.clone(), safe_contact: None, ..shown.clone() }, before);
            assert_eq!(shown.address, None, "{role}");
        }
        bench.peer("regie").publish(Some(client), date(2026, 3, 2), &SafeContactEnded { client_id }).await;
        assert_eq!(seen(Role::District, "wijkteam-west").await, before);
    }

    /// R-REG-18, R-REG-28: home and address are shown to the client, the landlord, and who protects the client; for everybody
    /// else they are secret, and they hear nothing of it.
    async fn where_a_shielded_client_lives_only_the_landlord_and_who_protects_the_client_know(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 5).await;
        let (home, client) = (dwelling(&bench, 1).await, ready_client(&bench).await);
        for (organisation, role) in [("vrouwenopvang", Role::Vo), ("wijkteam-west", Role::District), ("gemeente-dordrecht", Role::Access)] {
            relate(&bench, client, organisation, role).await;
        }
        let holder = RelationGranted {
            relation_id: Uuid::now_v7().to_string(),
            client_id: client.to_string(),
            organisation: "elders".into(),
            person: "caseholder@elders".into(),
            ..Default::default()
        };
        bench.peer("regie").publish(Some(client), date(2026, 3, 2), &holder).await;
        let nomination = nominate(&bench, client).await;
        let client_id = client.to_string();
        bench.peer("regie").publish(Some(client), date(2026, 3, 2), &ClientShielded { client_id: client_id.clone() }).await;
        let offered = offer(&bench, &home, &nomination).await;
        accept(&bench, client, &offered).await.unwrap();
        let allocation = accept_candidate(&bench, &offered).await.unwrap().allocation_id;

        let seen = async |mut who: Caller| {
            let offer = pb::GetOfferRequest { offer_id: offered.clone() };
            let offer = who.get_offer(offer).await.unwrap().into_inner().offer.unwrap();
            let taken = pb::GetAllocationRequest { allocation_id: allocation.clone() };
            let taken = who.get_allocation(taken).await.unwrap().into_inner().allocation.unwrap();
            let all = pb::ListOffersRequest { client_id: client_id.clone(), ..Default::default() };
            let all = who.list_offers(all).await.unwrap().into_inner().offers.remove(0);
            let homes = [(&offer.dwelling, &offer.address), (&taken.dwelling, &taken.address), (&all.dwelling, &all.address)];
            let shown = homes.map(|(dwelling, address)| (dwelling.is_some(), address.is_some()));
            assert_eq!([offer.secret, taken.secret, all.secret].map(|secret| (!secret, !secret)), shown);
            shown.into_iter().filter(|one| *one == (true, true)).count()
        };
        for (who, shown) in [
            (self_(&bench, client), 3),
            (caller(&bench, Role::Vo, "vrouwenopvang"), 3),
            (caller(&bench, Role::Caseholder, "elders"), 3),
            (shelter(&bench), 0),
            (HousingServiceClient::new(bench.as_(&actor(Role::Access, "gemeente-dordrecht"), "housing")), 0),
            (regie(&bench), 0),
        ] {
            assert_eq!(seen(who).await, shown);
        }
        let of_district = async || {
            let request = pb::GetMoveForDistrictRequest { allocation_id: allocation.clone() };
            caller(&bench, Role::District, "wijkteam-west").get_move_for_district(request).await.unwrap().into_inner()
        };
        let hidden = of_district().await;
        assert_eq!((hidden.address, hidden.district.as_str(), hidden.secret), (None, "", true));
        for (role, organisation, hears) in [
            (Role::Corporation, "trivire", true),
            (Role::Shelter, "leger-des-heils", false),
            (Role::District, "wijkteam-west", false),
        ] {
            let heard = bench.events_for(&actor(role, organisation), "housing").await;
            let of_home = heard.iter().filter(|event| event.r#type.contains("offer") || event.r#type.contains("allocation"));
            assert_eq!(of_home.count() > 0, hears, "{organisation}");
        }
        bench.peer("regie").publish(Some(client), date(2026, 3, 2), &ShieldEnded { client_id: client_id.clone() }).await;
        assert_eq!(seen(shelter(&bench)).await, 3);
        assert!(of_district().await.address.is_some());
    }

    /// R-REG-28: two offers at the very same moment.
    async fn of_two_who_are_kept_apart_one_is_offered_a_home_when_both_would_be_at_once(bench: Bench<Housing> = Housing::embedded()) {
        contingent(&bench, 50).await;
        for round in 0..4 {
            let place = format!("BU0505030{}", round + 1);
            let homes = [dwelling_in(&bench, 10 + 2 * round, &place).await, dwelling_in(&bench, 11 + 2 * round, &place).await];
            let (first, second) = (ready_client(&bench).await, ready_client(&bench).await);
            let (one, other) = (nominate(&bench, first).await, nominate(&bench, second).await);
            keep_apart(&bench, first, second).await;
            let urgent = pb::DeviationReason::Urgent;
            let (a, b) = tokio::join!(try_offer(&bench, &homes[0], &one, urgent), try_offer(&bench, &homes[1], &other, urgent));
            let refused: Vec<_> = [a, b].into_iter().filter_map(Result::err).collect();
            assert_eq!(refused.len(), 1, "round {round}");
            assert_eq!(reason(&refused[0]), "NOT_SUITABLE");
        }
    }
}
