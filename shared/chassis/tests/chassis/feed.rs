//! The feed: one order, subscriptions that resume, and who waits for whom.

use super::*;

testkit::on_both_engines! {
    /// P5
    async fn the_feed_is_contiguous_whatever_races_and_rolls_back(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let racing: Vec<_> = (0..120).map(|n| {
            let chassis = chassis.clone();
            let about = client(if n % 3 == 0 { 'f' } else { 'a' });
            tokio::spawn(async move { call(&chassis, &rid(), about).await.is_ok() })
        }).collect();
        let mut done = 0;
        for one in racing {
            done += i64::from(one.await.unwrap());
        }
        assert_eq!(done, 80);
        let service = actor(Role::SvcMonitor, "svc-monitor");
        let mut feed = FeedServiceClient::new(bench.as_(&service, "operations"));
        assert_eq!(feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().head, 80);
        let ids: std::collections::BTreeSet<_> = bench.events().await.into_iter().map(|event| event.event_id).collect();
        assert_eq!(ids.len(), 80);
    }

    /// P5
    async fn a_subscription_resumes_after_what_it_acknowledged(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let chassis = chassis_of(&bench).await;
        for _ in 0..5 {
            call(&chassis, &rid(), client('a')).await.unwrap();
        }
        let service = actor(Role::SvcMonitor, "svc-monitor");
        let named = SubscribeRequest { subscription: "books".into(), ..Default::default() };
        let mut feed = FeedServiceClient::new(bench.as_(&service, "operations"));
        let mut first = feed.subscribe(named.clone()).await.unwrap().into_inner();
        let mut cursors = Vec::new();
        for _ in 0..5 {
            cursors.push(first.next().await.unwrap().unwrap().cursor);
        }
        feed.acknowledge(AcknowledgeRequest { subscription: "books".into(), cursor: cursors[2].clone() }).await.unwrap();
        // Older than what was acknowledged: changes nothing.
        let kept = feed.acknowledge(AcknowledgeRequest { subscription: "books".into(), cursor: cursors[0].clone() }).await.unwrap();
        assert_eq!(kept.into_inner().cursor, cursors[2]);
        // A newer reader ends the older one.
        let mut second = feed.subscribe(named.clone()).await.unwrap().into_inner();
        let ended = loop {
            match first.next().await.unwrap() {
                Ok(checkpoint) => assert!(checkpoint.event.is_none()),
                Err(status) => break status,
            }
        };
        assert_eq!(reason(&ended), "SUBSCRIPTION_TAKEN");
        assert_eq!(second.next().await.unwrap().unwrap().cursor, cursors[3]);
        drop((first, second));

        bench.restart().await;
        let mut feed = FeedServiceClient::new(bench.as_(&service, "operations"));
        let mut third = feed.subscribe(named).await.unwrap().into_inner();
        assert_eq!(third.next().await.unwrap().unwrap().cursor, cursors[3]);

        for (cursor, why) in [("nonsense", "CURSOR_INVALID"), ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "CURSOR_INVALID")] {
            let wanted = SubscribeRequest { cursor: cursor.into(), ..Default::default() };
            assert_eq!(reason(&feed.subscribe(wanted).await.unwrap_err()), why);
        }
    }

    /// P5
    async fn a_subscription_has_a_plain_name_and_an_organisation_a_bounded_number(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let mut feed = FeedServiceClient::new(bench.as_(&actor(Role::Income, "sociale-dienst"), "income"));
        let status = FeedServiceClient::new(bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "operations"))
            .get_status(GetStatusRequest {}).await.unwrap().into_inner();
        let acknowledge = |subscription: &str| {
            AcknowledgeRequest { subscription: subscription.into(), cursor: status.head_cursor.clone() }
        };
        for name in ["", "two words", "regel\n", "é", &"x".repeat(65), &"x".repeat(500_000)] {
            let refused = feed.acknowledge(acknowledge(name)).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused)), (Code::InvalidArgument, "MALFORMED".to_owned()));
            if !name.is_empty() {
                let wanted = SubscribeRequest { subscription: name.into(), ..Default::default() };
                assert_eq!(reason(&feed.subscribe(wanted).await.unwrap_err()), "MALFORMED");
            }
        }
        for n in 0..32 {
            feed.acknowledge(acknowledge(&format!("Post_{n}.{}", "x".repeat(50)))).await.unwrap();
        }
        let refused = feed.acknowledge(acknowledge("one-more")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS".to_owned()));
        // Those that there are go on, and another organisation has its own.
        feed.acknowledge(acknowledge(&format!("Post_0.{}", "x".repeat(50)))).await.unwrap();
        let mut other = FeedServiceClient::new(bench.as_(&actor(Role::Income, "ferm-werk"), "income"));
        other.acknowledge(acknowledge("one-more")).await.unwrap();
        let about = SubscribeRequest { client_id: "nobody".into(), ..Default::default() };
        assert_eq!(reason(&other.subscribe(about).await.unwrap_err()), "MALFORMED");
    }

    /// P8
    async fn a_right_that_ends_waits_for_what_services_take_in_and_for_nothing_else_that_they_read(
        bench: Bench<Counter> = Counter
    ) {
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let mut feed = FeedServiceClient::new(bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "operations"));
        let mut acknowledge = async |subscription: &str| {
            let cursor = feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().head_cursor;
            feed.acknowledge(AcknowledgeRequest { subscription: subscription.into(), cursor }).await.unwrap();
        };
        for beside in ["books", "monitor.part"] {
            acknowledge(beside).await;
        }
        chassis.revocation(stabilise(&rid(), client('a')), count).await.unwrap();
        acknowledge("monitor").await;
        let unconfirmed = chassis.revocation(stabilise(&rid(), client('a')), count).await.unwrap_err();
        assert_eq!(reason(&unconfirmed), "NOT_CONFIRMED");
    }

    /// P5: what it did not ask for it is not told, and no chain waits for it.
    async fn a_service_that_asks_for_some_events_hears_at_once_how_far_the_feed_is(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let mut feed = FeedServiceClient::new(bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "operations"));
        let types = vec!["nl.doorstroom.income.benefit-decided".to_owned()];
        let mut stream = feed.subscribe(SubscribeRequest { types, ..Default::default() }).await.unwrap().into_inner();
        for _ in 0..3 {
            call(&chassis, &rid(), client('a')).await.unwrap();
            let head = feed.get_status(GetStatusRequest {}).await.unwrap().into_inner().head_cursor;
            // Well before a quiet stream would be told.
            let told = tokio::time::timeout(Duration::from_secs(5), async {
                loop {
                    let next = stream.next().await.unwrap().unwrap();
                    assert!(next.event.is_none());
                    if next.cursor == head {
                        break;
                    }
                }
            });
            told.await.unwrap();
        }
    }

    /// P5: nothing is lost or waits when the token of a service expires.
    async fn a_service_follows_on_with_a_fresh_token(bench: Bench<Follower> = Follower) {
        let (peer, event) = (bench.peer("income"), FinancesStabilised::default());
        peer.publish(None, DAY, &event).await;
        for _ in 0..3 {
            peer.expire().await;
            peer.publish(None, DAY, &event).await;
        }
    }
}
