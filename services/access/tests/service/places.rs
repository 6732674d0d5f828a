//! Facilities, stays, nights and waiting.

use super::*;

testkit::on_both_engines! {
    /// R-ACC-09, P7
    async fn an_urgent_provision_that_nobody_decides_is_heard_of(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let urgent = || pb::RecordNotificationRequest { needs_shelter_now: true, ..report(&client) };
        let late = shelter.record_notification(urgent()).await.unwrap().into_inner().notification_id;
        let mut desk = desk(&bench, "decision");
        let decide = |id: &str, granted| pb::DecideUrgentProvisionRequest {
            request_id: rid(), notification_id: id.into(), expected_version: 1, granted, ..Default::default()
        };
        bench.clock.set(Moment::at_hour(today(), 14).at);
        bench.settled().await;
        desk.decide_urgent_provision(decide(&late, true)).await.unwrap();
        assert_eq!(code(desk.decide_urgent_provision(decide(&late, true)).await), "STALE_VERSION");
        let again = pb::DecideUrgentProvisionRequest { expected_version: 2, ..decide(&late, true) };
        desk.decide_urgent_provision(again).await.unwrap();
        let in_time = shelter.record_notification(urgent()).await.unwrap().into_inner().notification_id;
        assert_eq!(code(desk.decide_urgent_provision(decide(&in_time, false)).await), "URGENT_PROVISION_GROUND_MISSING");
        desk.decide_urgent_provision(decide(&in_time, true)).await.unwrap();
        bench.on(on(2026, 4, 1)).await;
        let events = bench.events().await;
        let overdue = decode::<pb::UrgentProvisionOverdue>(&events);
        assert_eq!((overdue.len(), overdue[0].target_hours), (1, 4));
        let decided: Vec<_> = decode::<pb::UrgentProvisionDecided>(&events).into_iter().map(|d| d.late).collect();
        assert_eq!(decided, [true, false]);
        assert_eq!(decode::<pb::InvestigationDueSoon>(&events).len(), 2);
        bench.on(on(2026, 4, 20)).await;
        assert_eq!(decode::<pb::InvestigationOverdue>(&bench.events().await).len(), 2);
    }

    /// R-ACC-17, R-ACC-32
    async fn a_stay_becomes_a_trajectory_and_ends_with_its_nights(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let (client, stay) = guest(&bench, &facility, None).await;
        let (_, short) = guest(&bench, &facility, None).await;
        let mut shelter = shelter(&bench);
        use pb::NightUse::{Released, Used};
        for day in 2..6 {
            bench.on(on(2026, 3, day)).await;
            let register = night(&facility, on(2026, 3, day), 0, &[(&stay, Used), (&short, if day < 4 { Used } else { Released })]);
            let first = shelter.record_nights(register.clone()).await.unwrap().into_inner();
            assert_eq!((first.version, first.missing), (1, 0));
            // The same register again, by another call and without the version: nothing happens.
            let again = shelter.record_nights(pb::RecordNightsRequest { request_id: rid(), ..register }).await.unwrap().into_inner();
            assert_eq!(again, first);
        }
        let events = bench.events().await;
        assert_eq!(decode::<pb::NightsRecorded>(&events).len(), 4);
        assert!(events.iter().filter(|e| e.r#type.ends_with("nights-recorded")).all(|e| e.client_id.is_empty()));
        let started = decode::<pb::TrajectoryStarted>(&events);
        assert_eq!((started.len(), started[0].stay_id.as_str(), started[0].started_on), (1, stay.as_str(), date(on(2026, 3, 5))));

        let home = Leaves::Destination(pb::Destination::OwnHome.into());
        assert_eq!(code(shelter.record_departure(leave(&stay, 2, on(2026, 3, 5), home)).await), "STAY_SLEPT_LATER");
        bench.on(on(2026, 3, 6)).await;
        let left = shelter.record_departure(leave(&stay, 2, on(2026, 3, 6), home)).await.unwrap().into_inner();
        assert_eq!((left.version, left.nights_used), (3, 4));
        shelter.record_departure(leave(&stay, 3, on(2026, 3, 6), home)).await.unwrap();
        let dropped = Leaves::DropOut(pb::DropOutReason::StayedAway.into());
        assert_eq!(code(shelter.record_departure(leave(&stay, 3, on(2026, 3, 6), dropped)).await), "STAY_ENDED");
        shelter.record_departure(leave(&short, 1, on(2026, 3, 4), dropped)).await.unwrap();
        let departed = decode::<pb::Departed>(&bench.events().await);
        assert_eq!((departed[0].outcome(), departed[0].nights_used, departed[0].trajectory), (pb::DepartureOutcome::Left, 4, true));
        assert_eq!((departed[1].outcome(), departed[1].nights_used, departed[1].trajectory), (pb::DepartureOutcome::DropOut, 2, false));

        // A correction after the departure.
        let third = night(&facility, on(2026, 3, 4), 0, &[(&stay, Released)]);
        assert_eq!(code(shelter.record_nights(third.clone()).await), "STALE_VERSION");
        let corrected = shelter.record_nights(pb::RecordNightsRequest { request_id: rid(), expected_version: 1, ..third }).await.unwrap().into_inner();
        assert_eq!((corrected.version, corrected.used), (2, 0));
        let told = decode::<pb::NightsCorrected>(&bench.events().await);
        assert_eq!((told.len(), told[0].stay_id.as_str(), told[0].nights_used), (1, stay.as_str(), 3));
        let mut desk = desk(&bench, "shelter");
        let journey = desk.get_journey(pb::GetJourneyRequest { client_id: client }).await.unwrap().into_inner().journey.unwrap();
        assert_eq!((journey.stays[0].nights_used, journey.stays[0].trajectory_on), (3, date(on(2026, 3, 5))));
    }

    /// R-ACC-32
    async fn a_register_is_of_the_own_facility_and_of_who_stayed_there(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let (_, stay) = guest(&bench, &facility, None).await;
        let (_, other) = guest(&bench, &facility, None).await;
        use pb::NightUse::{Held, Used};
        let mut stranger = api(&bench, Role::Shelter, "hvo-querido", "shelter");
        let refused = stranger.record_nights(night(&facility, today(), 0, &[])).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let mut shelter = shelter(&bench);
        for (request, expected) in [
            (night(&facility, today(), 0, &[(&rid(), Used)]), "NIGHT_WITHOUT_STAY"),
            (night(&facility, on(2026, 3, 1), 0, &[(&stay, Used)]), "NIGHT_WITHOUT_STAY"),
            (night(&facility, today(), 0, &[(&stay, Used), (&stay, Used)]), "NIGHT_TWICE"),
            (night(&facility, today(), 0, &[(&stay, Held)]), "NIGHT_HOLD_UNREASONED"),
            (night(&facility, on(2026, 3, 3), 0, &[(&stay, Used)]), "ACCESS_DATE_IN_FUTURE"),
            (night(&facility, on(1999, 3, 3), 0, &[(&stay, Used)]), "ACCESS_DATE_TOO_OLD"),
        ] {
            assert_eq!(code(shelter.record_nights(request).await), expected);
        }
        let part = shelter.record_nights(night(&facility, today(), 0, &[(&stay, Used)])).await.unwrap().into_inner();
        assert_eq!((part.used, part.missing), (1, 1));
        let get = pb::GetNightRegisterRequest { facility_id: facility.clone(), night: date(today()) };
        let shown = shelter.get_night_register(get).await.unwrap().into_inner();
        assert_eq!((shown.version, shown.nights.len(), shown.missing_stay_ids), (1, 1, vec![other]));
    }

    /// R-ACC-24
    async fn a_full_facility_finds_another_way(bench: Bench<Access> = Access::with_policy(&access::domain::policy::DEFAULT.replace("no_bed_limit = true", "no_bed_limit = false")).unwrap()) {
        let full = open(&bench, pb::RegisterFacilityRequest { reserve: 1, ..place(1) }).await;
        let mut shelter = shelter(&bench);
        let mut levels = Vec::new();
        let mut admit_one = async |facility: String| {
            let client = register(&mut shelter, identity("")).await.unwrap();
            let notification = notify(&mut shelter, &client).await;
            let answer = shelter.admit_client(into(&client, &facility, &notification)).await.unwrap().into_inner();
            levels.push(answer.level());
            (client, notification, answer)
        };
        admit_one(full.clone()).await;
        admit_one(full.clone()).await;
        let (_, _, over) = admit_one(full.clone()).await;
        assert_eq!(over.outcome(), Outcome::Admitted);
        let roomy = open(&bench, place(3)).await;
        let (client, notification, answer) = admit_one(full.clone()).await;
        assert_eq!((answer.outcome(), answer.alternative_facility_id.as_str()), (Outcome::Alternative, roomy.as_str()));
        use pb::PlaceLevel::{OverCapacity, Regular, Reserve, Unspecified};
        assert_eq!(levels, [Regular, Reserve, OverCapacity, Unspecified]);
        assert_eq!(decode::<pb::CapacityReached>(&bench.events().await).len(), 3);
        let list = || pb::ListWaitingListRequest { facility_id: full.clone(), ..Default::default() };
        assert_eq!(shelter.list_waiting_list(list()).await.unwrap().into_inner().entries[0].client_id, client);
        let placed = shelter.admit_client(into(&client, &roomy, &notification)).await.unwrap().into_inner();
        assert_eq!(placed.level(), Regular);
        let again = shelter.admit_client(into(&client, &roomy, &notification)).await.unwrap().into_inner();
        assert_eq!(again, placed);
        assert_eq!(code(shelter.admit_client(into(&client, &full, &notification)).await), "STAY_OPEN");
        let facilities = shelter.list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap().into_inner().facilities;
        assert_eq!(facilities.iter().map(|f| f.occupied).collect::<Vec<_>>(), [3, 1]);
    }

    /// R-ACC-01, R-ACC-08
    async fn a_stay_needs_its_ground(bench: Bench<Access> = Access::embedded()) {
        let individual = open(&bench, pb::RegisterFacilityRequest { provision: pb::Provision::Individual.into(), ..place(5) }).await;
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let notification = notify(&mut shelter, &client).await;
        assert_eq!(code(shelter.admit_client(into(&client, &individual, &notification)).await), "STAY_WITHOUT_GROUND");
        assert_eq!(code(shelter.admit_client(into(&client, &individual, "")).await), "STAY_WITHOUT_GROUND");
        let other = register(&mut shelter, identity("")).await.unwrap();
        let theirs = notify(&mut shelter, &other).await;
        assert_eq!(code(shelter.admit_client(into(&client, &individual, &theirs)).await), "NOT_FOUND");
        let grant = pb::DecideUrgentProvisionRequest {
            request_id: rid(), notification_id: notification.clone(), expected_version: 1, granted: true, facility_id: individual.clone(), ..Default::default()
        };
        desk(&bench, "decision").decide_urgent_provision(grant).await.unwrap();
        let admitted = shelter.admit_client(into(&client, &individual, &notification)).await.unwrap().into_inner();
        assert_eq!(admitted.outcome(), Outcome::Admitted);
        let withdraw = pb::WithdrawNotificationRequest {
            request_id: rid(), notification_id: notification, expected_version: 2, reason: pb::CancelReason::ByClient.into(),
        };
        assert_eq!(code(shelter.withdraw_notification(withdraw).await), "NOTIFICATION_IN_USE");
    }

    async fn the_order_of_a_waiting_list_is_that_of_any_past_moment(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let mut shelter = shelter(&bench);
        let mut entries = Vec::new();
        for (day, joined) in [(2, None), (3, None), (4, Some(on(2026, 3, 1)))] {
            bench.on(on(2026, 3, day)).await;
            let client = register(&mut shelter, identity("")).await.unwrap();
            let join = pb::JoinWaitingListRequest { request_id: rid(), client_id: client.clone(), facility_id: facility.clone(), joined_on: joined.and_then(date) };
            let entry = shelter.join_waiting_list(join.clone()).await.unwrap().into_inner();
            let again = shelter.join_waiting_list(pb::JoinWaitingListRequest { request_id: rid(), joined_on: None, ..join }).await.unwrap().into_inner();
            assert_eq!(again, entry);
            entries.push(entry.entry_id);
        }
        bench.on(on(2026, 3, 5)).await;
        let off = pb::LeaveWaitingListRequest { request_id: rid(), entry_id: entries[0].clone(), expected_version: 1, reason: pb::WaitingLeaveReason::NoContact.into() };
        shelter.leave_waiting_list(off.clone()).await.unwrap();
        let died = pb::LeaveWaitingListRequest { request_id: rid(), reason: pb::WaitingLeaveReason::Died.into(), ..off };
        assert_eq!(code(shelter.leave_waiting_list(died).await), "MALFORMED");
        let mut at = async |day: i8, hour: i8, page: (i32, String)| {
            let moment = Moment::at_hour(on(2026, 3, day), hour).at;
            let as_of = Some(prost_types::Timestamp { seconds: moment.as_second(), nanos: 0 });
            let request = pb::ListWaitingListRequest { facility_id: facility.clone(), as_of, page_size: page.0, page_token: page.1 };
            shelter.list_waiting_list(request).await.map(tonic::Response::into_inner)
        };
        let order = |list: pb::ListWaitingListResponse| -> Vec<usize> {
            list.entries.iter().map(|e| entries.iter().position(|id| *id == e.entry_id).unwrap()).collect()
        };
        let first = (0, String::new());
        assert_eq!(order(at(5, 9, first.clone()).await.unwrap()), [2, 1]);
        assert_eq!(order(at(4, 23, first.clone()).await.unwrap()), [2, 0, 1]);
        assert_eq!(order(at(3, 23, first.clone()).await.unwrap()), [0, 1]);
        assert_eq!(order(at(1, 9, first.clone()).await.unwrap()), [0usize; 0]);
        assert_eq!(code(at(6, 9, first).await), "ACCESS_DATE_IN_FUTURE");
        let page = at(4, 23, (2, String::new())).await.unwrap();
        let token = page.next_page_token.clone();
        assert_eq!((order(page), order(at(4, 23, (2, token)).await.unwrap())), (vec![2, 0], vec![1]));
    }

    /// P6, R-AFT-10
    async fn who_has_nowhere_to_sleep_has_a_place_claimed(bench: Bench<Access> = Access::embedded()) {
        let mut shelter = shelter(&bench);
        let client = register(&mut shelter, identity("")).await.unwrap();
        let mut regie = api(&bench, Role::SvcRegie, "svc-regie", "regie");
        let claim = |client: &str| pb::ClaimPlaceRequest {
            request_id: rid(), client_id: client.into(), signal_id: rid(), municipality: DORDRECHT.into(), relapse_guarantee: true,
        };
        assert_eq!(code(regie.claim_place(claim(&client)).await), "PLACE_CLAIM_NO_FACILITY");
        let facility = open(&bench, place(1)).await;
        guest(&bench, &facility, None).await;
        let wish = claim(&client);
        let claimed = regie.claim_place(wish.clone()).await.unwrap().into_inner();
        assert_eq!((claimed.facility_id.as_str(), claimed.level(), claimed.until_on), (facility.as_str(), pb::PlaceLevel::OverCapacity, date(on(2026, 3, 4))));
        for again in [pb::ClaimPlaceRequest { request_id: rid(), ..wish }, claim(&client)] {
            assert_eq!(regie.claim_place(again).await.unwrap().into_inner(), claimed);
        }
        assert_eq!(code(shelter.claim_place(claim(&client)).await), "ROLE_NOT_ALLOWED");
        let admit = pb::AdmitClientRequest { claim_id: claimed.claim_id.clone(), ..into(&client, &facility, "") };
        let stay = shelter.admit_client(admit.clone()).await.unwrap().into_inner();
        let again = shelter.admit_client(pb::AdmitClientRequest { request_id: rid(), ..admit }).await.unwrap().into_inner();
        assert_eq!(again, stay);

        let lost = register(&mut shelter, identity("")).await.unwrap();
        regie.claim_place(claim(&lost)).await.unwrap();
        bench.on(on(2026, 3, 4)).await;
        bench.clock.set(Moment::at_hour(on(2026, 3, 5), 12).at);
        bench.settled().await;
        let events = bench.events().await;
        assert_eq!(decode::<pb::PlaceClaimEndingSoon>(&events).len(), 1);
        let released: Vec<_> = decode::<pb::PlaceClaimReleased>(&events).into_iter().map(|r| (r.reason(), r.stay_id)).collect();
        assert_eq!(released, [(pb::ClaimReleaseReason::Admitted, stay.stay_id), (pb::ClaimReleaseReason::Lapsed, String::new())]);
        let fresh = regie.claim_place(claim(&lost)).await.unwrap().into_inner();
        let release = pb::ReleaseClaimRequest { request_id: rid(), claim_id: fresh.claim_id, expected_version: 1 };
        assert_eq!(regie.release_claim(release).await.unwrap().into_inner().version, 2);
    }

    /// R-ACC-24
    async fn capacity_changes_from_a_day_on(bench: Bench<Access> = Access::embedded()) {
        let facility = open(&bench, place(5)).await;
        let mut shelter = shelter(&bench);
        let change = |version, places, day| pb::ChangeCapacityRequest { request_id: rid(), facility_id: facility.clone(), expected_version: version, places, reserve: 2, from_on: date(day) };
        assert_eq!(shelter.change_capacity(change(1, 8, on(2026, 3, 10))).await.unwrap().into_inner().version, 2);
        assert_eq!(shelter.change_capacity(change(2, 8, on(2026, 3, 10))).await.unwrap().into_inner().version, 2);
        assert_eq!(code(shelter.change_capacity(change(2, -1, on(2026, 3, 10))).await), "FACILITY_CAPACITY");
        let mut stranger = api(&bench, Role::Shelter, "hvo-querido", "shelter");
        assert_eq!(code(stranger.change_capacity(change(2, 1, on(2026, 3, 10))).await), "NOT_FOUND");
        let mut places = async || shelter.list_facilities(pb::ListFacilitiesRequest::default()).await.unwrap().into_inner().facilities[0].places;
        assert_eq!(places().await, 5);
        bench.on(on(2026, 3, 10)).await;
        assert_eq!(places().await, 8);
    }
}
