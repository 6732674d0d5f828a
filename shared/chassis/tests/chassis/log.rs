//! The access log: one chain that nobody changes, signed for whoever watches over it.

use super::*;

/// What the privacy officer gets from this service, checked against the key that it signs with.
async fn checkpoint(bench: &Bench<Counter>) -> (auth::Checkpoint, Link) {
    let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
    let mut audit = AuditServiceClient::new(bench.as_(&officer, "audit"));
    let answer = audit.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner();
    let keys = auth::Keys::from_jwks(&testkit::issuer().jwks()).unwrap();
    let checkpoint = auth::Checkpoint::read(&answer.checkpoint, &keys).unwrap();
    assert_eq!(checkpoint.position, answer.position);
    let link = Link { position: checkpoint.position, hash: checkpoint.digest().unwrap() };
    (checkpoint, link)
}

testkit::on_both_engines! {
    /// R-REG-19: of what was refused at the gate too, with the table of rights by which it was judged.
    async fn how_a_caller_came_in_is_in_the_log(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let wanted = ListAccessRequest { client_id: client('a').to_string(), ..Default::default() };
        for (connection, result, point) in [
            (bench.as_(&actor(Role::Corporation, "trivire"), "audit"), "ROLE_NOT_ALLOWED", "ACCESS_POINT_TOKEN"),
            (bench.as_(&actor(Role::SvcMonitor, "svc-monitor"), "audit"), "ROLE_NOT_ALLOWED", "ACCESS_POINT_SERVICE"),
            (bench.with_token("no.to.ken", "audit"), "TOKEN_INVALID", "ACCESS_POINT_UNKNOWN"),
        ] {
            let refused = AuditServiceClient::new(connection).list_access(wanted.clone()).await.unwrap_err();
            assert_eq!(reason(&refused), result);
            let newest = "select access_point, protocol from access_log where result = $1 order by access_id desc limit 1";
            let row = chassis.store.read().await.unwrap().row(newest, chassis::args![result]).await.unwrap().unwrap();
            let told: (String, String) = (row.get("access_point").unwrap(), row.get("protocol").unwrap());
            assert_eq!(told, (point.to_owned(), chassis::protocol_version().to_owned()));
        }
    }

    /// R-REG-19
    async fn the_log_is_one_chain_whatever_races_and_rolls_back(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let before = checkpoint(&bench).await.1.position;
        let racing: Vec<_> = (0..120).map(|n| {
            let chassis = chassis.clone();
            let about = client(if n % 3 == 0 { 'f' } else { 'a' });
            tokio::spawn(async move {
                if n % 10 == 0 {
                    chassis.store.link().await.unwrap();
                }
                call(&chassis, &rid(), about).await.is_ok()
            })
        }).collect();
        for one in racing {
            one.await.unwrap();
        }
        let (signed, link) = checkpoint(&bench).await;
        // Each command left one entry, the refused ones too; settling and asking for a checkpoint leave none.
        assert_eq!(link.position, before + 120);
        assert_eq!((signed.service.as_str(), signed.epoch), ("income", chassis.store.epoch()));
        let walked = store::verify(bench.database(), &[link]).await.unwrap().unwrap();
        assert_eq!((walked.entries, walked.linked, walked.signed, walked.unplaced), (before + 120, before + 120, before + 120, 0));
        let other = Link { hash: [1; 32], ..link };
        assert!(store::verify(bench.database(), &[other]).await.unwrap().is_err());
        let beyond = Link { position: link.position + 1, ..link };
        assert!(store::verify(bench.database(), &[beyond]).await.unwrap().is_err());
    }

    /// R-REG-19
    async fn the_log_is_linked_without_being_asked_and_goes_on_after_a_restart(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let patience = tokio::time::Instant::now();
        while store::verify(bench.database(), &[]).await.unwrap().unwrap().linked == 0 {
            assert!(patience.elapsed().as_secs() < 30, "nobody links the log");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let first = checkpoint(&bench).await.1;
        call(&chassis, &rid(), client('a')).await.unwrap();
        drop(chassis);
        bench.restart().await;
        // What was logged last was linked as the service stopped.
        let walked = store::verify(bench.database(), &[first]).await.unwrap().unwrap();
        assert_eq!((walked.entries, walked.linked), (first.position + 1, first.position + 1));
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('f')).await.unwrap_err();
        let last = checkpoint(&bench).await.1;
        let walked = store::verify(bench.database(), &[first, last]).await.unwrap().unwrap();
        assert_eq!((walked.entries, walked.signed), (first.position + 2, last.position));
    }

    /// R-REG-19
    async fn what_was_logged_before_a_kill_is_linked_after_it(bench: Bench<Counter> = Counter) {
        let engine = if chassis_of(&bench).await.store.engine() == "sqlite" { Engine::Sqlite } else { Engine::Postgres };
        let database = Database::create(engine).unwrap();
        let open = || async { Store::open("income", &database.url, &database.sealing(), &[]).await.unwrap() };
        let killed = open().await;
        look(&killed).await;
        let signed = killed.link().await.unwrap();
        // Committed, and neither stamped nor linked: what a kill leaves.
        look(&killed).await;
        look(&killed).await;
        let walked = store::verify(&database.url, &[signed]).await.unwrap().unwrap();
        assert_eq!((walked.linked, walked.entries + walked.unplaced), (1, 3));
        drop(killed);

        let again = open().await;
        look(&again).await;
        assert_eq!(again.link().await.unwrap().position, 4);
        let walked = store::verify(&database.url, &[signed]).await.unwrap().unwrap();
        assert_eq!((walked.linked, walked.unplaced), (4, 0));
    }

    /// R-REG-19
    async fn the_database_refuses_to_change_what_was_logged(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        call(&chassis, &rid(), client('a')).await.unwrap();
        let signed = checkpoint(&bench).await.1;
        for sql in [
            "update access_log set access_id = 'x'",
            "update access_log set occurred_at = 0",
            "update access_log set client_id = null",
            "update access_log set subject = 'x'",
            "update access_log set organisation = 'x'",
            "update access_log set roles = 'x'",
            "update access_log set on_behalf_of = 'x'",
            "update access_log set rpc = 'x'",
            "update access_log set purpose = 'x'",
            "update access_log set legal_ground = 'x'",
            "update access_log set categories = 'x'",
            "update access_log set request_id = 'x'",
            "update access_log set trace_id = 'x'",
            "update access_log set result = 'x'",
            "update access_log set position = position + 1",
            "delete from access_log",
            "update access_link set hash = hash",
            "update access_link set position = position + 1",
            "delete from access_link",
        ] {
            let error = by_hand(&chassis, sql).await.expect_err(sql).to_string();
            assert!(error.contains("append-only"), "{sql}: {error}");
        }
        if chassis.store.engine() == "sqlite" {
            let replace = "insert or replace into access_log select * from access_log";
            assert!(by_hand(&chassis, replace).await.expect_err(replace).to_string().contains("append-only"));
        } else {
            for sql in ["truncate access_log", "truncate access_link"] {
                assert!(by_hand(&chassis, sql).await.expect_err(sql).to_string().contains("append-only"));
            }
        }
        assert!(store::verify(bench.database(), &[signed]).await.unwrap().is_ok());
    }

    /// R-REG-19
    async fn an_entry_says_what_could_be_seen_and_on_what_ground(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let about = client('a');
        // As if it had been a look at the finances.
        let mut look = stabilise(&rid(), about);
        let caller = Caller { rpc: "IncomeService/GetFinancesStatus".into(), ..Caller::clone(look.extensions().get::<Arc<Caller>>().unwrap()) };
        look.extensions_mut().insert(Arc::new(caller));
        chassis.command(look, count).await.unwrap();
        let mut own = AuditServiceClient::new(bench.as_(&testkit::client_actor(about), "own-file"));
        let wanted = ListAccessRequest { client_id: about.to_string(), ..Default::default() };
        let entry = own.list_access(wanted.clone()).await.unwrap().into_inner().entries.remove(0);
        let seen = vec![DataCategory::Income, DataCategory::Debt, DataCategory::Guarantee];
        assert_eq!((entry.legal_ground.as_str(), entry.categories().collect::<Vec<_>>()), ("public_task", seen));
        let entry = own.list_access(wanted).await.unwrap().into_inner().entries.remove(0);
        assert_eq!((entry.legal_ground.as_str(), entry.categories().collect::<Vec<_>>()), ("legal_duty", vec![DataCategory::AccessLog]));
        let kept = chassis.store.read().await.unwrap().rows("select distinct trace_id from access_log", vec![]).await.unwrap();
        assert!(kept.len() >= 2 && kept.iter().all(|row| row.get::<String>("trace_id").unwrap().len() == 32));
    }

    /// P8, R-REG-19
    async fn a_checkpoint_is_for_who_watches_over_the_log(bench: Bench<Counter> = Counter) {
        let ask = async |client: testkit::Client| AuditServiceClient::new(client).get_checkpoint(GetCheckpointRequest {}).await;
        assert_eq!(ask(bench.as_(&actor(Role::Regie, "gemeente-dordrecht"), "audit")).await.unwrap().into_inner().position, 0);
        let refused = ask(bench.as_(&actor(Role::Caseholder, "gemeente-dordrecht"), "audit")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned()));
        let given = checkpoint(&bench).await.0;
        assert_eq!((given.position, given.at.as_str()), (1, "2026-03-02T08:00:00Z"));
        // What it gives is no token.
        let officer = actor(Role::PrivacyOfficer, "gemeente-dordrecht");
        let mut audit = AuditServiceClient::new(bench.as_(&officer, "audit"));
        let token = audit.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner().checkpoint;
        let refused = ask(bench.with_token(&token, "audit")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::Unauthenticated, "TOKEN_INVALID".to_owned()));
    }
}
