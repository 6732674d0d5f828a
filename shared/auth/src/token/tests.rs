use super::*;
use crate::{AUDIENCE, Issuer};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

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

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn good_claims(now: SystemTime) -> Value {
    json!({
        "iss": NAME, "aud": AUDIENCE, "exp": seconds(now) + 60, "iat": seconds(now), "nbf": seconds(now),
        "sub": "worker-7", "org": "leger-des-heils", "roles": ["shelter"],
    })
}

/// Signs any header and claims with the issuer's key, as a forger inside the issuer could.
fn signed(issuer: &Issuer, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let pem = issuer.to_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    let pair = ring::signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())))
}

fn header(issuer: &Issuer) -> Value {
    let set: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    json!({ "alg": "EdDSA", "typ": "JWT", "kid": set["keys"][0]["kid"] })
}

fn refused(verifier: &Verifier, token: &str, now: SystemTime) -> String {
    let refusal = verifier.verify(&format!("Bearer {token}"), now).unwrap_err();
    assert_eq!(refusal.reason.code, "TOKEN_INVALID");
    assert!(token.len() < 8 || !refusal.to_string().contains(token), "a refusal quotes no token");
    refusal.en()
}

#[test]
fn a_good_token_says_who_asks() {
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
            assert_eq!(*verifier.verify(&format!("{scheme} {token}"), now).unwrap(), actor);
        }
    }
}

#[test]
fn no_token_is_missing_rather_than_invalid() {
    let verifier = verifier(&issuer());
    for nothing in ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz"] {
        assert_eq!(verifier.verify(nothing, SystemTime::now()).unwrap_err().reason.code, "TOKEN_MISSING", "{nothing}");
    }
}

#[test]
fn a_header_that_is_not_ours_is_refused() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let claims = good_claims(now);
    assert!(verifier.verify(&format!("Bearer {}", signed(&issuer, &header(&issuer), &claims)), now).is_ok());
    let changed = |key: &str, value: Value| {
        let mut header = header(&issuer);
        header[key] = value;
        refused(&verifier, &signed(&issuer, &header, &claims), now)
    };
    changed("alg", json!("none"));
    changed("alg", json!("None"));
    assert!(changed("alg", json!("HS256")).contains("EdDSA"));
    assert!(changed("alg", json!("RS256")).contains("EdDSA"));
    assert!(changed("typ", json!("id_token")).contains("type"));
    assert!(changed("typ", json!(null)).contains("type"));
    assert!(changed("kid", json!(null)).contains("names no key"));
    assert!(changed("kid", json!("../../etc/passwd")).contains("not in the key set"));

    // No signature at all.
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut none = header(&issuer);
    none["alg"] = json!("none");
    refused(&verifier, &format!("{}.{}.", part(&none), part(&claims)), now);
    refused(&verifier, &format!("{}.{}", part(&none), part(&claims)), now);
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let set: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let public = URL_SAFE_NO_PAD.decode(set["keys"][0]["x"].as_str().unwrap()).unwrap();
    let mut header = header(&issuer);
    header["alg"] = json!("HS256");
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&good_claims(now)));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes())));
    assert!(refused(&verifier, &token, now).contains("EdDSA"));
}

#[test]
fn a_key_that_the_token_brings_along_is_never_looked_at() {
    let (issuer, forger, now) = (issuer(), issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let set: Value = serde_json::from_str(&forger.jwks()).unwrap();
    let mut own_kid = header(&forger);
    own_kid["jwk"] = set["keys"][0].clone();
    refused(&verifier, &signed(&forger, &own_kid, &good_claims(now)), now);
    let mut stolen_kid = header(&issuer);
    stolen_kid["jwk"] = set["keys"][0].clone();
    stolen_kid["jku"] = json!("https://forger.example/keys");
    refused(&verifier, &signed(&forger, &stolen_kid, &good_claims(now)), now);
}

#[test]
fn claims_that_do_not_fit_are_refused() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let table = [
        ("iss", json!("doorstroom-dev"), "issuer"),
        ("iss", json!(null), ""),
        ("aud", json!("another"), "audience"),
        ("aud", json!(null), ""),
        ("exp", json!(seconds(now)), "expired"),
        ("exp", json!(seconds(now) - 1), "expired"),
        ("exp", json!(null), ""),
        ("exp", json!(u64::MAX), "absurd"),
        ("nbf", json!(seconds(now) + 3600), "not valid yet"),
        ("iat", json!(seconds(now) + 3600), "future"),
        ("iat", json!(null), ""),
        ("sub", json!(""), "subject"),
        ("org", json!("Leger des Heils"), "organisation"),
        ("roles", json!([]), "no role"),
        ("roles", json!(["shelter", "root"]), "unknown"),
        ("roles", json!("shelter"), ""),
        ("roles", json!(["client"]), "client_id"),
        ("client_id", json!("6f1c1e2a-5a55-4a57-8b8e-3a1d2c1f0a11"), "client_id"),
        ("client_id", json!("me"), "client_id"),
    ];
    for (claim, value, word) in table {
        let mut claims = good_claims(now);
        claims[claim] = value.clone();
        let why = refused(&verifier, &signed(&issuer, &header(&issuer), &claims), now);
        assert!(why.contains(word), "{claim} = {value}: {why}");
    }
}

#[test]
fn an_audience_among_others_is_ours() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let mut claims = good_claims(now);
    claims["aud"] = json!(["another", AUDIENCE]);
    let token = signed(&issuer, &header(&issuer), &claims);
    assert!(verifier(&issuer).verify(&format!("Bearer {token}"), now).is_ok());
}

#[test]
fn a_remembered_token_still_expires() {
    let (issuer, now) = (issuer(), SystemTime::now());
    let verifier = verifier(&issuer);
    let token = format!("Bearer {}", issuer.issue_at(&shelter(), Duration::from_secs(60), now));
    let first = verifier.verify(&token, now).unwrap();
    assert!(Arc::ptr_eq(&first, &verifier.verify(&token, now + Duration::from_secs(59)).unwrap()));
    let late = verifier.verify(&token, now + Duration::from_secs(61)).unwrap_err();
    assert!(late.en().contains("expired"));
}

#[test]
fn the_cache_is_bounded_and_keeps_who_comes_often() {
    let mut known = Generations::default();
    assert!(known.old.is_empty());
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let verified =
        Verified { actor: Arc::new(shelter()), kid: "k".into(), expires: SystemTime::now() + Duration::from_secs(60) };
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
    known = verifier.remembered.into_inner().unwrap();
    assert!(known.young.len() <= REMEMBERED && known.old.len() <= REMEMBERED);
}

#[test]
fn a_rotated_key_is_picked_up_and_a_removed_one_stops_working() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (first, second, now) = (issuer(), issuer(), SystemTime::now());
    std::fs::write(&path, first.jwks()).unwrap();
    let verifier = Verifier::new(Keys::from_file(&path).unwrap(), NAME);
    let old = format!("Bearer {}", first.issue_at(&shelter(), Duration::from_secs(60), now));
    let new = format!("Bearer {}", second.issue_at(&shelter(), Duration::from_secs(60), now));
    assert!(verifier.verify(&old, now).is_ok());

    std::fs::write(&path, second.jwks()).unwrap();
    // The file was read less than a second ago: a storm of unknown keys does not become a storm of reads.
    assert!(verifier.verify(&new, now).is_err());
    verifier.keys.loaded.write().unwrap().read_at = Instant::now().checked_sub(REREAD).unwrap();
    assert!(verifier.verify(&new, now).is_ok());
    assert!(verifier.verify(&old, now).is_err(), "a remembered token of a removed key is refused");

    std::fs::write(&path, "{").unwrap();
    verifier.keys.loaded.write().unwrap().read_at = Instant::now().checked_sub(REREAD).unwrap();
    assert!(verifier.verify(&old, now).is_err());
    assert!(verifier.verify(&new, now).is_ok(), "a broken file leaves the keys as they are");
}

#[test]
fn a_key_set_without_a_usable_key_is_refused() {
    let x = URL_SAFE_NO_PAD.encode([1u8; 32]);
    for set in [
        "{".to_owned(),
        r#"{"keys":[]}"#.to_owned(),
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}).to_string(),
        json!({"keys": [{"kty": "oct", "kid": "k", "k": x}]}).to_string(),
    ] {
        assert!(Keys::from_jwks(&set).is_err(), "{set}");
    }
    assert!(Keys::from_file("/nowhere/keys.json").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_token_with_one_changed_character_is_refused(at in 0usize..1000, to in proptest::char::range('A', 'z')) {
        let (issuer, now) = (issuer(), SystemTime::now());
        let verifier = verifier(&issuer);
        let token = issuer.issue_at(&shelter(), Duration::from_secs(60), now);
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to.to_string());
        prop_assume!(changed != token);
        let refused = verifier.verify(&format!("Bearer {changed}"), now).is_err();
        prop_assert!(refused);
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let verifier = verifier(&issuer());
        let _ = verifier.verify(&text, SystemTime::now());
        let _ = verifier.verify(&format!("Bearer {text}"), SystemTime::now());
    }
}
