//! Tokens: hostile ones are refused, and what a token opened ends with it.

use super::*;

/// The services and a landlord, each with an issuer of its own.
struct World {
    folder: tempfile::TempDir,
    services: Issuer,
    regie: Issuer,
    landlord: Issuer,
}

impl World {
    fn new() -> Self {
        let issuer = |name: &str| Issuer::generate(name).unwrap().meant_for("prod");
        let (services, regie) =
            (issuer("https://services.example.nl/monitor"), issuer("https://services.example.nl/regie"));
        Self { folder: tempfile::tempdir().unwrap(), services, regie, landlord: issuer("https://id.trivire.example") }
    }

    fn verifier(&self) -> Verifier {
        let write = |name: &str, issuer: &Issuer| std::fs::write(self.folder.path().join(name), issuer.jwks()).unwrap();
        write("services.json", &self.services);
        write("regie.json", &self.regie);
        write("landlord.json", &self.landlord);
        let text = r#"
            audience = "prod"
            [services]
            name = "https://services.example.nl"
            keys = { monitor = { file = "services.json" }, regie = { file = "regie.json" } }
            [[issuer]]
            name = "https://id.trivire.example"
            keys = { file = "landlord.json" }
            algorithms = ["EdDSA"]
            token_types = ["JWT"]
            max_minutes = 60
            roles_claim = "roles"
            organisation_claim = "org"
            organisation = [{ code = "trivire", roles = ["corporation"] }]
        "#;
        Verifier::trusting(Trusted::from_toml(text, self.folder.path()).unwrap().issuers).unwrap()
    }
}

fn encode(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

testkit::on_both_engines! {
    /// R-REG-13: what is tried with a token is refused over the wire, and is in the access log before the answer leaves.
    async fn a_hostile_token_is_refused_and_in_the_access_log(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        chassis_of(&bench).await;
        let world = World::new();
        bench.restart_trusting(world.verifier()).await;
        let ask = async |token: &str| {
            let client = bench.with_token(token, "operations");
            FeedServiceClient::new(client).get_status(GetStatusRequest {}).await
        };
        let service = actor(Role::SvcMonitor, "svc-monitor");
        let good = world.services.issue(&service, Duration::from_secs(600));
        ask(&good).await.unwrap();
        let landlord = actor(Role::Corporation, "trivire");
        let life = Duration::from_secs(600);
        let forged = Issuer::from_pem(world.services.name(), &world.regie.to_pem()).unwrap().meant_for("prod").issue(&service, life);
        let (head, rest) = good.split_once('.').unwrap();
        let none = encode(r#"{"alg":"none","typ":"JWT"}"#);
        let own_key = encode(&format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"x","jwk":{}}}"#, testkit::issuer().jwks()));
        let hostile = [
            (world.landlord.issue(&service, life), "organisation"),
            // One service in the name of another, with its own key: by its own name and by the other's.
            (world.regie.issue(&service, life), "organisation"),
            (world.services.issue(&actor(Role::SvcRegie, "svc-regie"), life), "organisation"),
            (forged, "key"),
            (world.landlord.issue(&actor(Role::Regie, "trivire"), life), "role"),
            (world.landlord.issue(&actor(Role::Regie, "gemeente-dordrecht"), life), "organisation"),
            (world.services.issue(&landlord, life), "organisation"),
            (world.services.issue(&service, Duration::from_secs(7200)), "longer"),
            (world.services.issue_at(&service, life, SystemTime::now() - life), "expired"),
            (world.services.issue_at(&service, life, SystemTime::now() + life), "future"),
            (testkit::issuer().issue(&service, life), "issuer"),
            (format!("{none}.{}", rest.split_once('.').unwrap().0) + ".", "algorithm"),
            (format!("{own_key}.{rest}"), "its own key"),
            (format!("{head}.{rest}="), "JWT"),
            (format!("{}{}", &good[..good.len() - 8], "AAAAAAAA"), "signature"),
            ("x".repeat(9000), "too long"),
        ];
        for (token, word) in &hostile {
            let status = ask(token).await.unwrap_err();
            assert_eq!((status.code(), reason(&status)), (Code::Unauthenticated, "TOKEN_INVALID".to_owned()), "{word}");
            assert!(status.message().contains(word), "{word}: {}", status.message());
            assert!(!status.message().contains(token));
        }
        let line = tonic::transport::Endpoint::from_shared(bench.endpoint().to_owned()).unwrap().connect_lazy();
        let none = FeedServiceClient::new(line).get_status(GetStatusRequest {}).await;
        assert_eq!(reason(&none.unwrap_err()), "TOKEN_MISSING");
        assert_eq!(logged(&bench, "TOKEN_INVALID").await, vec!["unknown".to_owned(); hostile.len()]);
        assert_eq!(logged(&bench, "TOKEN_MISSING").await, ["unknown"]);
    }

    /// R-REG-13: what was opened with a token lasts no longer than the token.
    async fn an_open_stream_ends_when_its_token_expires(bench: Bench<Counter> = Counter) {
        let chassis = chassis_of(&bench).await;
        let service = actor(Role::SvcMonitor, "svc-monitor");
        // Long enough to open a stream on a busy machine.
        let token = testkit::issuer().issue(&service, Duration::from_secs(5));
        let subscribe = async |token: &str| {
            let mut feed = FeedServiceClient::new(bench.with_token(token, "operations"));
            feed.subscribe(SubscribeRequest::default()).await.map(|stream| stream.into_inner())
        };
        let longer = testkit::issuer().issue(&service, Duration::from_secs(600));
        let (mut open, mut stays) = (subscribe(&token).await.unwrap(), subscribe(&longer).await.unwrap());
        assert!(open.next().await.unwrap().unwrap().event.is_none());
        assert!(stays.next().await.unwrap().unwrap().event.is_none());
        call(&chassis, &rid(), client('a')).await.unwrap();
        assert!(open.next().await.unwrap().unwrap().event.is_some(), "until then it goes on");
        let ended = tokio::time::timeout(Duration::from_secs(30), open.next()).await.expect("it ends with its token");
        let ended = ended.unwrap().unwrap_err();
        assert_eq!((ended.code(), reason(&ended)), (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned()));
        assert!(open.next().await.is_none());
        assert_eq!(reason(&subscribe(&token).await.unwrap_err()), "TOKEN_INVALID");
        assert!(stays.next().await.unwrap().unwrap().event.is_some());
        call(&chassis, &rid(), client('a')).await.unwrap();
        assert!(stays.next().await.unwrap().unwrap().event.is_some(), "others go on");
    }

    /// R-REG-13: a token that is withdrawn ends what it opened within a second, and opens nothing more.
    async fn an_open_stream_ends_within_a_second_of_the_withdrawal(bench: Bench<Counter> = Counter) {
        let mut bench = bench;
        let chassis = chassis_of(&bench).await;
        for _ in 0..300 {
            call(&chassis, &rid(), client('a')).await.unwrap();
        }
        drop(chassis);
        let world = World::new();
        let list = world.folder.path().join("revoked.toml");
        std::fs::write(&list, "").unwrap();
        bench.restart_trusting(world.verifier().except(Revocations::from_file(&list).unwrap())).await;
        let token = |name: &str| {
            let organisation = kernel::Organisation::parse("org", name).unwrap();
            let role = Role::from_key(&name.replace('-', "_")).unwrap();
            let issuer = if role == Role::SvcRegie { &world.regie } else { &world.services };
            issuer.issue(&kernel::Actor { organisation, ..actor(role, name) }, Duration::from_secs(600))
        };
        let subscribe = async |token: &str| {
            let mut feed = FeedServiceClient::new(bench.with_token(token, "operations"));
            feed.subscribe(SubscribeRequest::default()).await.map(|stream| stream.into_inner())
        };
        let (withdrawn, other) = (token("svc-monitor"), token("svc-regie"));
        let (mut open, mut stays) = (subscribe(&withdrawn).await.unwrap(), subscribe(&other).await.unwrap());
        while open.next().await.unwrap().unwrap().event.is_some() {}
        while stays.next().await.unwrap().unwrap().event.is_some() {}

        let entry = "[[revoked]]\nissuer = 'https://services.example.nl/monitor'\nsubject = 'svc_monitor@svc-monitor'\nat = 2099-01-01T00:00:00Z\n";
        std::fs::write(&list, entry).unwrap();
        let refused = subscribe(&withdrawn).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
        let ended = tokio::time::timeout(Duration::from_secs(1), open.next()).await.expect("it ends within a second");
        let ended = ended.unwrap().unwrap_err();
        assert_eq!((ended.code(), reason(&ended)), (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
        assert!(tokio::time::timeout(Duration::from_millis(500), stays.next()).await.is_err(), "others go on");
        // The call and the stream, both by name.
        assert_eq!(logged(&bench, "TOKEN_REVOKED").await, ["svc_monitor@svc-monitor", "svc_monitor@svc-monitor"]);
    }
}
