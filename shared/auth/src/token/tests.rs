use super::*;
use crate::testing::{Member, World, seconds};
use crate::{Issuer, Revocations};
use kernel::{ClientId, Organisation, Role};
use proptest::prelude::*;
use serde_json::json;

const NAME: &str = "https://issuer.example";

fn shelter() -> Actor {
    Actor {
        subject: "worker-7".to_owned(),
        organisation: Organisation::parse("org", "leger-des-heils").unwrap(),
        roles: vec![Role::Shelter],
        on_behalf_of: None,
        client_id: None,
    }
}

fn issuer() -> Issuer {
    Issuer::generate(NAME).unwrap()
}

fn verifier(issuer: &Issuer) -> Verifier {
    Verifier::new(Keys::from_jwks(&issuer.jwks()).unwrap(), NAME)
}

/// Who asks with a token, or why it does not count.
async fn ask(verifier: &Verifier, token: &str, now: SystemTime) -> Result<Actor, String> {
    match verifier.verify(&format!("Bearer {token}"), now).await {
        Ok(verified) => Ok((**verified.actor()).clone()),
        Err(denied) => Err(denied.refusal.en()),
    }
}

#[tokio::test]
async fn a_good_token_says_who_asks() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let client = ClientId::parse("id", "6f1c1e2a-5a55-4a57-8b8e-3a1d2c1f0a11").unwrap();
    let actors = [
        shelter(),
        Actor { roles: vec![Role::SvcRegie], on_behalf_of: Some("director-1".to_owned()), ..shelter() },
        Actor { roles: vec![Role::Client], client_id: Some(client), ..shelter() },
    ];
    for actor in actors {
        let token = issuer.issue_at(&actor, Duration::from_secs(60), now);
        for scheme in ["Bearer", "bearer"] {
            let verified = verifier.verify(&format!("{scheme} {token}"), now).await.unwrap();
            assert_eq!(**verified.actor(), actor);
        }
    }
}

#[tokio::test]
async fn no_token_is_missing_rather_than_invalid() {
    let verifier = verifier(&issuer());
    for nothing in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz"] {
        let denied = verifier.verify(nothing, SystemTime::now()).await.unwrap_err();
        assert_eq!(denied.refusal.reason.code, "TOKEN_MISSING", "{nothing}");
    }
}

#[tokio::test]
async fn each_issuer_speaks_for_its_own_organisations_in_its_own_words() {
    let now = SystemTime::now();
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        let [town, landlord, shelter] = world.members.as_slice() else { panic!("three issuers") };
        let changed = |member: &Member, changes: &[(&str, Value)]| {
            let mut claims = member.claims(seconds(now));
            for (name, value) in changes {
                claims[*name] = value.clone();
            }
            member.signer.sign(&member.header(), &claims)
        };
        let client = "6f1c1e2a-5a55-4a57-8b8e-3a1d2c1f0a11";
        let table = [
            (changed(town, &[]), "gemeente-dordrecht", vec![Role::Regie]),
            (changed(town, &[("roles", json!(["access", "regie", "access"]))]), "gemeente-dordrecht", {
                vec![Role::Access, Role::Regie]
            }),
            (changed(town, &[("organisation", json!("SD")), ("roles", json!(["debt"]))]), "sociale-dienst", {
                vec![Role::Debt]
            }),
            (changed(town, &[("aud", json!(["other", crate::testing::AUDIENCE]))]), "gemeente-dordrecht", {
                vec![Role::Regie]
            }),
            {
                let claims = [("organisation", json!("clients")), ("roles", json!(["client"]))];
                let claims = [claims.as_slice(), &[("doorstroom_client", json!(client))]].concat();
                (changed(town, &claims), "clients", vec![Role::Client])
            },
            (changed(landlord, &[]), "trivire", vec![Role::Corporation]),
            (changed(landlord, &[("act", json!(null)), ("jti", json!(null))]), "trivire", vec![Role::Corporation]),
            (changed(shelter, &[("iat", json!(seconds(now) + 29))]), "leger-des-heils", vec![Role::Shelter]),
        ];
        for (token, organisation, roles) in table {
            let actor = ask(&world.verifier, &token, now).await.unwrap();
            assert_eq!((actor.organisation.as_str(), &actor.roles), (organisation, &roles), "{algorithm:?}");
            assert_eq!(actor.client_id.is_some(), roles == [Role::Client]);
        }
        let mut header = landlord.header();
        header["typ"] = json!("application/AT+JWT");
        let token = landlord.signer.sign(&header, &landlord.claims(seconds(now)));
        assert!(ask(&world.verifier, &token, now).await.is_ok());
    }
}

#[tokio::test]
async fn the_services_speak_for_themselves_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let issuer =
        |service: &str| Issuer::generate(format!("https://services.example.nl/{service}")).unwrap().meant_for("prod");
    let (issuer, housing) = (issuer("regie"), issuer("housing"));
    std::fs::write(folder.path().join("regie.json"), issuer.jwks()).unwrap();
    std::fs::write(folder.path().join("housing.json"), housing.jwks()).unwrap();
    let text = "audience = 'prod'\n[services]\nname = 'https://services.example.nl'\n\
                keys = { regie = { file = 'regie.json' }, housing = { file = 'housing.json' } }";
    let trusted = crate::Trusted::from_toml(text, folder.path()).unwrap();
    assert!(trusted.knows(&issuer) && !trusted.knows(&Issuer::generate(issuer.name()).unwrap()));
    let verifier = Verifier::trusting(trusted.issuers).unwrap();
    let service = |role: Role, organisation: &str| Actor {
        organisation: Organisation::parse("org", organisation).unwrap(),
        roles: vec![role],
        ..shelter()
    };
    let (life, now) = (Duration::from_secs(600), SystemTime::now());
    let regie = service(Role::SvcRegie, "svc-regie");
    assert_eq!(ask(&verifier, &issuer.issue_at(&regie, life, now), now).await, Ok(regie));
    for (role, organisation) in [
        (Role::SvcHousing, "svc-regie"),
        (Role::SvcHousing, "svc-housing"),
        (Role::Regie, "svc-regie"),
        (Role::Regie, "gemeente-dordrecht"),
    ] {
        assert!(ask(&verifier, &issuer.issue_at(&service(role, organisation), life, now), now).await.is_err());
    }
    // Nor under another's name: that has another key.
    let itself = service(Role::SvcHousing, "svc-housing");
    assert_eq!(ask(&verifier, &housing.issue_at(&itself, life, now), now).await, Ok(itself.clone()));
    let forged = issuer.named(housing.name()).issue_at(&itself, life, now);
    assert!(ask(&verifier, &forged, now).await.is_err());
}

#[test]
fn the_development_issuer_is_never_one_of_several() {
    let keys = || Keys::from_jwks(&issuer().jwks()).unwrap();
    let (development, other) = (Trust::in_one(keys(), DEVELOPMENT_ISSUER), Trust::in_one(keys(), NAME));
    assert!(Verifier::trusting(vec![development.clone()]).is_ok());
    let error = Verifier::trusting(vec![other, development]).unwrap_err().to_string();
    assert!(error.contains("prints a token for any role") && error.contains("Take it out"), "{error}");
}

#[tokio::test]
async fn a_token_lives_no_longer_than_its_issuer_may_let_it() {
    let now = SystemTime::now();
    for (name, hours) in [(NAME, 24), (DEVELOPMENT_ISSUER, 31 * 24)] {
        let issuer = Issuer::generate(name).unwrap();
        let verifier = Verifier::new(Keys::from_jwks(&issuer.jwks()).unwrap(), name);
        let longest = Duration::from_secs(hours * 3600);
        assert!(ask(&verifier, &issuer.issue_at(&shelter(), longest, now), now).await.is_ok());
        let longer = issuer.issue_at(&shelter(), longest + Duration::from_secs(1), now);
        assert!(ask(&verifier, &longer, now).await.unwrap_err().contains("longer than its issuer may let it"));
    }
}

#[tokio::test]
async fn a_remembered_token_still_expires() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let token = format!("Bearer {}", issuer.issue_at(&shelter(), Duration::from_secs(60), now));
    let first = verifier.verify(&token, now).await.unwrap();
    let second = verifier.verify(&token, now + Duration::from_secs(58)).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    let late = verifier.verify(&token, now + Duration::from_secs(61)).await.unwrap_err();
    assert!(late.refusal.en().contains("expired"));
}

#[tokio::test]
async fn the_cache_is_bounded_and_keeps_who_comes_often() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let token = format!("Bearer {}", issuer.issue_at(&shelter(), Duration::from_secs(60), now));
    let verified = verifier.verify(&token, now).await.unwrap();
    let often = [255u8; 32];
    verifier.remember(often, verified.clone());
    for number in 0..5 * REMEMBERED as u64 {
        let mut fingerprint = [0u8; 32];
        fingerprint[..8].copy_from_slice(&number.to_be_bytes());
        verifier.remember(fingerprint, verified.clone());
        if number % 1000 == 0 {
            assert!(verifier.remembered(&often).is_some());
        }
    }
    let known = verifier.remembered.into_inner().unwrap();
    assert!(known.young.len() <= REMEMBERED && known.old.len() <= REMEMBERED);
}

#[tokio::test]
async fn a_rotated_key_is_picked_up_and_a_removed_one_stops_working_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (first, second, now) = (issuer(), issuer(), SystemTime::now());
    std::fs::write(&path, first.jwks()).unwrap();
    let verifier = Verifier::new(Keys::from_file(&path).unwrap(), NAME);
    let old = first.issue_at(&shelter(), Duration::from_secs(60), now);
    let new = second.issue_at(&shelter(), Duration::from_secs(60), now);
    assert!(ask(&verifier, &old, now).await.is_ok());
    assert!(ask(&verifier, &new, now).await.is_err());

    std::fs::write(&path, second.jwks()).unwrap();
    assert!(ask(&verifier, &new, now).await.is_ok());
    assert!(ask(&verifier, &old, now).await.is_err(), "a remembered token of a removed key is refused");

    // The same kid with another key in it is another key.
    let swapped = first.jwks().replace(&kid(&first), &kid(&second));
    std::fs::write(&path, swapped).unwrap();
    assert!(ask(&verifier, &new, now).await.unwrap_err().contains("signature"));

    std::fs::write(&path, second.jwks()).unwrap();
    assert!(ask(&verifier, &new, now).await.is_ok());
    for broken in ["{".to_owned(), "x".repeat(300 * 1024)] {
        std::fs::write(&path, broken).unwrap();
        assert!(ask(&verifier, &old, now).await.is_err());
        assert!(ask(&verifier, &new, now).await.is_ok(), "a broken file leaves the keys as they are");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(ask(&verifier, &new, now).await.is_ok(), "and so does one that is gone");
}

fn kid(issuer: &Issuer) -> String {
    let set: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    set["keys"][0]["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_withdrawn_is_refused_from_the_next_call_on() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("revoked.toml");
    std::fs::write(&list, "").unwrap();
    let world = World::new(Algorithm::EdDsa);
    let member = &world.members[0];
    let verifier = world.verifier.except(Revocations::from_file(&list).unwrap());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_442_900); // 2026-03-02T09:15:00Z
    let token = format!("Bearer {}", member.token(seconds(now)));
    let good = verifier.verify(&token, now).await.unwrap();

    let entry = |what: &str, at: &str| format!("[[revoked]]\nissuer = '{}'\n{what}\nat = {at}\n", member.name);
    for what in ["subject = 'worker-7'", "token = 'a2d0'"] {
        std::fs::write(&list, entry(what, "2026-03-02T10:15:00+01:00")).unwrap();
        let denied = verifier.verify(&token, now).await.unwrap_err();
        assert_eq!(denied.refusal.reason.code, "TOKEN_REVOKED", "{what}");
        assert_eq!(denied.actor.as_ref(), Some(good.actor()), "the access log can say whose it was");
        // A clock that is ahead by the leeway does not get a token past the moment.
        std::fs::write(&list, entry(what, "2026-03-02T09:14:31Z")).unwrap();
        assert!(verifier.verify(&token, now).await.is_err());
        std::fs::write(&list, "[[revoked]").unwrap();
        assert!(verifier.verify(&token, now).await.is_err(), "a broken list leaves what was withdrawn withdrawn");
        std::fs::write(&list, entry(what, "2026-03-02T09:14:29Z")).unwrap();
        assert!(verifier.verify(&token, now).await.is_ok(), "{what}: issued later");
    }
    for other in [
        entry("subject = 'worker-8'", "2027-03-02T09:15:00Z"),
        entry("token = 'worker-7'", "2027-03-02T09:15:00Z"),
        entry("subject = 'worker-7'", "2027-03-02T09:15:00Z").replace("dordrecht", "rotterdam"),
    ] {
        std::fs::write(&list, &other).unwrap();
        assert!(verifier.verify(&token, now).await.is_ok(), "{other}");
    }
}

#[tokio::test]
async fn what_is_open_hears_of_a_withdrawal_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("revoked.toml");
    std::fs::write(&list, "").unwrap();
    let world = World::new(Algorithm::EdDsa);
    let member = &world.members[0];
    let verifier = Arc::new(world.verifier.except(Revocations::from_file(&list).unwrap()));
    let now = SystemTime::now();
    let token = verifier.verify(&format!("Bearer {}", member.token(seconds(now))), now).await.unwrap();
    let keeper = verifier.clone();
    let keeping = tokio::spawn(async move { keeper.keep().await });
    let open = tokio::time::timeout(Duration::from_millis(500), verifier.until_ended(&token)).await;
    assert!(open.is_err(), "nothing is withdrawn yet");
    let entry = format!("[[revoked]]\nissuer = '{}'\nsubject = 'worker-7'\nat = 2099-01-01T00:00:00Z\n", member.name);
    std::fs::write(&list, entry).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(1), verifier.until_ended(&token)).await;
    assert_eq!(ended.unwrap().reason.code, "TOKEN_REVOKED");
    keeping.abort();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in ".*") {
        let verifier = verifier(&issuer());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for text in [text.clone(), format!("Bearer {text}")] {
            let _ = runtime.block_on(verifier.verify(&text, SystemTime::now()));
        }
    }
}
