//! Hostile tokens: every case, for each algorithm and each issuer. None is accepted; each is refused for what is wrong with
//! it, and not for something else.

use super::*;
use crate::testing::{AUDIENCE, Member, Signer, World, jwks, seconds};
use kernel::Role;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

/// One issuer to forge against, and the rest of the world to forge with.
struct Forge<'a> {
    me: &'a Member,
    other: &'a Member,
    stranger: Signer,
    now: u64,
}

impl Forge<'_> {
    fn header(&self, name: &str, value: Value) -> String {
        let mut header = self.me.header();
        header[name] = value;
        self.me.signer.sign(&header, &self.claims())
    }

    fn without_header(&self, name: &str) -> String {
        let mut header = self.me.header();
        header.as_object_mut().unwrap().remove(name);
        self.me.signer.sign(&header, &self.claims())
    }

    fn claims(&self) -> Value {
        self.me.claims(self.now)
    }

    fn claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        self.me.signer.sign(&self.me.header(), &claims)
    }

    fn without_claim(&self, name: &str) -> String {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name);
        self.me.signer.sign(&self.me.header(), &claims)
    }

    fn roles(&self, roles: Value) -> String {
        self.me.signer.sign(&self.me.header(), &self.me.with_roles(self.claims(), roles))
    }

    fn token(&self) -> String {
        self.me.token(self.now)
    }

    /// A shared-secret signature with something public as the secret.
    fn hmac(&self, name: &str, algorithm: ring::hmac::Algorithm, secret: &[u8]) -> String {
        let mut header = self.me.header();
        header["alg"] = name.into();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&self.claims()));
        let signature = ring::hmac::sign(&ring::hmac::Key::new(algorithm, secret), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

type Cases = Vec<(String, Why, String)>;

fn all(forge: &Forge<'_>) -> Cases {
    let mut cases = Cases::new();
    let mut add = |name: &str, why: Why, token: String| cases.push((name.to_owned(), why, token));
    algorithms(forge, &mut add);
    keys(forge, &mut add);
    shapes(forge, &mut add);
    meant(forge, &mut add);
    times(forge, &mut add);
    people(forge, &mut add);
    bindings(forge, &mut add);
    cases
}

fn algorithms(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut none = forge.me.header();
    none["alg"] = json!("none");
    let unsigned = format!("{}.{}", part(&none), part(&forge.claims()));
    add("none, unsigned", why::ALGORITHM, format!("{unsigned}."));
    add("none, two parts", why::NOT_A_JWT, unsigned);
    for name in
        ["none", "None", "NONE", "nOnE", "eddsa", "es256", "ES384", "PS256", "RS512", "HS256 ", "", "EdDSA\u{0}"]
    {
        add(&format!("alg {name:?}"), why::ALGORITHM, forge.header("alg", json!(name)));
    }
    for value in [json!(null), json!(1), json!(["EdDSA"]), json!({ "alg": "ES256" }), json!(true)] {
        add(&format!("alg {value}"), why::ALGORITHM, forge.header("alg", value));
    }
    add("no alg", why::ALGORITHM, forge.without_header("alg"));
    for other in Algorithm::ALL.into_iter().filter(|other| *other != forge.me.signer.algorithm()) {
        add("another algorithm by name", why::ALGORITHM, forge.header("alg", json!(other.as_str())));
        let mut header = forge.me.header();
        header["alg"] = json!(other.as_str());
        let signer = Signer::new(other, &forge.me.signer.kid, false);
        add("another algorithm in earnest", why::ALGORITHM, signer.sign(&header, &forge.claims()));
    }
    let set = jwks(&[forge.me.signer.jwk()]);
    for secret in [forge.me.signer.public(), set.into_bytes(), forge.me.signer.jwk().to_string().into_bytes(), vec![]] {
        add("HS256 with what is public", why::ALGORITHM, forge.hmac("HS256", ring::hmac::HMAC_SHA256, &secret));
        add("HS512 with what is public", why::ALGORITHM, forge.hmac("HS512", ring::hmac::HMAC_SHA512, &secret));
        let named = forge.me.signer.algorithm().as_str();
        add("shared secret, right name", why::SIGNATURE, forge.hmac(named, ring::hmac::HMAC_SHA256, &secret));
    }
    let hmac_with_encoded = forge.hmac("HS384", ring::hmac::HMAC_SHA384, forge.me.signer.kid.as_bytes());
    add("HS384 with the kid", why::ALGORITHM, hmac_with_encoded);
}

fn keys(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    // The token brings its key along, or says where to get it.
    for (name, value) in [
        ("jwk", forge.stranger.jwk()),
        ("jwk", json!(null)),
        ("jku", json!("https://forger.example/jwks.json")),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("jku", json!("file:///etc/passwd")),
        ("x5u", json!("https://forger.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = forge.me.header();
        header[name] = value.clone();
        add(&format!("{name}, signed by a stranger"), why::BRINGS_A_KEY, forge.stranger.sign(&header, &forge.claims()));
        add(&format!("{name}, signed by the issuer"), why::BRINGS_A_KEY, forge.header(name, value));
    }
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ] {
        add(&format!("{name} {value}"), why::CRITICAL, forge.header(name, value));
    }
    add("no kid", why::NO_KID, forge.without_header("kid"));
    for value in [json!(null), json!(""), json!(7), json!(["k"])] {
        add(&format!("kid {value}"), why::NO_KID, forge.header("kid", value));
    }
    let mine = &forge.me.signer.kid;
    for kid in [
        "../../../../../../dev/null".to_owned(),
        "/proc/sys/kernel/randomize_va_space".to_owned(),
        "https://forger.example/jwks.json".to_owned(),
        "x' or '1'='1".to_owned(),
        "k; cat /etc/passwd |".to_owned(),
        format!("{mine}\u{0}"),
        format!(" {mine}"),
        format!("{mine}/../{mine}"),
        mine.to_uppercase(),
        "é".to_owned(),
        "k".repeat(5000),
        "for-secrets".to_owned(),
        "weak".to_owned(),
        forge.other.signer.kid.clone(),
    ] {
        let short: String = kid.chars().take(20).collect();
        add(&format!("kid {short:?}"), why::KID, forge.header("kid", json!(kid)));
    }
    add("kid of another kind", why::OTHER_KIND, forge.header("kid", json!(forge.me.other_kind.kid)));
    let by = |signer: &Signer, header: &Value| signer.sign(header, &forge.claims());
    let header = forge.me.header();
    add("a stranger's key", why::SIGNATURE, by(&forge.stranger, &header));
    add("another issuer's key", why::SIGNATURE, by(&forge.other.signer, &header));
    add("the right issuer, a key for other things", why::SIGNATURE, by(&forge.me.other_kind, &header));
    let mut theirs = header.clone();
    theirs["kid"] = json!(forge.other.signer.kid);
    add("another issuer's key and kid", why::KID, by(&forge.other.signer, &theirs));
    let p384 = ring::signature::EcdsaKeyPair::generate_pkcs8(
        &ring::signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        &ring::rand::SystemRandom::new(),
    );
    let p384 = ring::signature::EcdsaKeyPair::from_pkcs8(
        &ring::signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        p384.unwrap().as_ref(),
        &ring::rand::SystemRandom::new(),
    );
    let (message, _) = forge.token().rsplit_once('.').map(|(m, s)| (m.to_owned(), s.to_owned())).unwrap();
    let signature = p384.unwrap().sign(&ring::rand::SystemRandom::new(), message.as_bytes()).unwrap();
    add("a key on another curve", why::SIGNATURE, format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));
    let zero = URL_SAFE_NO_PAD.encode([0u8; 64]);
    add("a signature of zeroes", why::SIGNATURE, format!("{message}.{zero}"));
    add("no signature", why::SIGNATURE, format!("{message}."));
    for typ in [json!(null), json!(""), json!("id_token"), json!("JOSE"), json!("refresh+jwt"), json!(1)] {
        add(&format!("typ {typ}"), why::TYPE, forge.header("typ", typ));
    }
    for typ in ["logout+jwt", "secevent+jwt", "dpop+jwt", "application/secevent+jwt", "JWT;at+jwt", "jwt\u{0}"] {
        add(&format!("typ {typ}"), why::TYPE, forge.header("typ", json!(typ)));
    }
    let other_typ = if forge.me.typ == "JWT" { "at+jwt" } else { "JWT" };
    add("the type of another issuer", why::TYPE, forge.header("typ", json!(other_typ)));
    add("no typ", why::TYPE, forge.without_header("typ"));
}

fn shapes(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    let token = forge.token();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    for (name, text) in [
        ("dots", "..".to_owned()),
        ("one dot", ".".to_owned()),
        ("a word", "token".to_owned()),
        ("four parts", format!("{token}.{signature}")),
        ("an encrypted token", format!("{header}.{claims}.{signature}.{claims}.{signature}")),
        ("JSON serialisation", json!({ "payload": claims, "protected": header, "signature": signature }).to_string()),
        ("padding", format!("{token}==")),
        ("another alphabet", format!("{header}.{claims}.+/{}", &signature[2..])),
        ("a blank inside", token.replacen('.', " .", 1)),
        ("a line end inside", token.replacen('.', ".\n", 1)),
        ("non-ASCII", token.replacen('.', ".é", 1)),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
    ] {
        let why = if name.starts_with("no ") || name == "dots" { why::NAMED_TWICE } else { why::NOT_A_JWT };
        add(name, why, text);
    }
    add("too long", why::TOO_LONG, forge.claim("extra", json!("x".repeat(8 * 1024))));
    add("a megabyte", why::TOO_LONG, "A".repeat(1 << 20));
    let cut = signature.len() / 4 / 2 * 4;
    add("half a signature", why::SIGNATURE, format!("{header}.{claims}.{}", &signature[..cut]));
    add("a signature and more", why::SIGNATURE, format!("{header}.{claims}.{}{signature}", &signature[..cut]));
    add("parts swapped", why::ISSUER, format!("{claims}.{header}.{signature}"));
    let me = &forge.me.signer;
    let good = (forge.me.header().to_string(), forge.claims().to_string());
    for (name, wrong) in [("null", "null"), ("a list", "[]"), ("a text", "\"x\""), ("a number", "1")] {
        add(&format!("header is {name}"), why::NOT_A_JWT, me.sign_raw(wrong, &good.1));
        add(&format!("claims are {name}"), why::NOT_A_JWT, me.sign_raw(&good.0, wrong));
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(1000), "]".repeat(1000));
    let not_utf8 = [good.1.as_bytes(), &[0xff]].concat();
    for (name, header, claims) in [
        ("no JSON", good.0.clone().into_bytes(), b"{".to_vec()),
        ("nothing", good.0.clone().into_bytes(), vec![]),
        ("something after it", good.0.clone().into_bytes(), format!("{}{{}}", good.1).into_bytes()),
        ("a byte order mark", good.0.clone().into_bytes(), format!("\u{feff}{}", good.1).into_bytes()),
        ("not UTF-8", good.0.clone().into_bytes(), not_utf8),
        ("too deep", good.0.clone().into_bytes(), deep.into_bytes()),
        ("header with two algs", twice(&good.0, "alg", "\"none\""), good.1.clone().into_bytes()),
        ("header with two kids", twice(&good.0, "kid", "\"x\""), good.1.clone().into_bytes()),
        ("two issuers", good.0.clone().into_bytes(), twice(&good.1, "iss", "\"https://other.example\"")),
        ("two audiences", good.0.clone().into_bytes(), twice(&good.1, "aud", "\"other\"")),
        ("two expiries", good.0.clone().into_bytes(), twice(&good.1, "exp", "1")),
        ("two subjects", good.0.clone().into_bytes(), twice(&good.1, "sub", "\"director\"")),
        ("twice the same", good.0.clone().into_bytes(), twice(&good.1, "sub", "\"worker-7\"")),
        ("two of what nobody reads", good.0.clone().into_bytes(), twice(&good.1, "jti", "1")),
        ("one spelt with an escape", good.0.clone().into_bytes(), twice(&good.1, "s\\u0075b", "\"director\"")),
        ("twice, deep inside", good.0.clone().into_bytes(), {
            twice(&good.1, "realm", "{\"access\":{\"roles\":[\"corporation\"],\"roles\":[\"regie\"]}}")
        }),
    ] {
        add(name, why::NAMED_TWICE, me.sign_raw(header, claims));
    }
}

/// The JSON object with one member more, in front.
fn twice(object: &str, name: &str, value: &str) -> Vec<u8> {
    object.replacen('{', &format!("{{\"{name}\":{value},"), 1).into_bytes()
}

fn meant(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    let me = forge.me.name;
    for iss in [
        json!(format!("{me}/")),
        json!(me.to_uppercase()),
        json!(format!("{me}.forger.example")),
        json!(format!(" {me}")),
        json!(me.replace("https", "http")),
        json!("https://forger.example"),
        json!(DEVELOPMENT_ISSUER),
        json!(""),
        json!(null),
        json!([me]),
        json!({ "iss": me }),
    ] {
        add(&format!("iss {iss}"), why::ISSUER, forge.claim("iss", iss));
    }
    add("no iss", why::ISSUER, forge.without_claim("iss"));
    let mut header = forge.me.header();
    header["typ"] = json!(forge.other.typ);
    let claims = forge.other.claims(forge.now);
    add("in the name of another issuer", why::KID, forge.me.signer.sign(&header, &claims));
    header["kid"] = json!(forge.other.signer.kid);
    add("in the name and with the kid of another", why::SIGNATURE, forge.me.signer.sign(&header, &claims));
    for aud in [
        json!("doorstroom"),
        json!("doorstroom-test"),
        json!(AUDIENCE.to_uppercase()),
        json!(format!("{AUDIENCE} other")),
        json!(&AUDIENCE[..AUDIENCE.len() - 1]),
        json!(""),
        json!(null),
        json!(7),
        json!([]),
        json!(["other", "another"]),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 7]),
        json!({ "0": AUDIENCE }),
        json!(me),
    ] {
        add(&format!("aud {aud}"), why::AUDIENCE, forge.claim("aud", aud));
    }
    add("no aud", why::AUDIENCE, forge.without_claim("aud"));
}

fn times(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    let now = forge.now;
    for (name, why, value) in [
        ("exp", why::EXPIRED, json!(now)),
        ("exp", why::EXPIRED, json!(now - 1)),
        ("exp", why::EXPIRED, json!(0)),
        ("exp", why::TOO_LASTING, json!(now + 3601)),
        ("exp", why::TOO_LASTING, json!(now + 10 * 365 * 24 * 3600)),
        ("exp", why::TOO_LASTING, json!(LAST_SECOND)),
        ("exp", why::ABSURD, json!(LAST_SECOND + 1)),
        ("exp", why::ABSURD, json!(u64::MAX)),
        ("exp", why::TIMES, json!(-1)),
        ("exp", why::TIMES, json!(1e300)),
        ("exp", why::TIMES, json!(now as f64 + 60.5)),
        ("exp", why::TIMES, json!((now + 60).to_string())),
        ("exp", why::TIMES, json!(null)),
        ("exp", why::TIMES, json!([now + 60])),
        ("exp", why::TIMES, json!(true)),
        ("nbf", why::NOT_YET, json!(now + 31)),
        ("nbf", why::NOT_YET, json!(LAST_SECOND)),
        ("nbf", why::ABSURD, json!(u64::MAX)),
        ("nbf", why::TIMES, json!("0")),
        ("nbf", why::TIMES, json!(-1)),
        ("iat", why::FUTURE, json!(now + 31)),
        ("iat", why::FUTURE, json!(LAST_SECOND)),
        ("iat", why::ABSURD, json!(u64::MAX)),
        ("iat", why::TOO_LASTING, json!(now - 3600)),
        ("iat", why::TOO_LASTING, json!(0)),
        ("iat", why::TIMES, json!(null)),
        ("iat", why::TIMES, json!("now")),
    ] {
        add(&format!("{name} {value}"), why, forge.claim(name, value));
    }
    add("no exp", why::TIMES, forge.without_claim("exp"));
    add("no iat", why::TIMES, forge.without_claim("iat"));
    let mut claims = forge.claims();
    (claims["iat"], claims["nbf"], claims["exp"]) = (json!(now + 20), json!(now), json!(now + 10));
    add("expires before it was issued", why::ABSURD, forge.me.signer.sign(&forge.me.header(), &claims));
}

fn people(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    let me = forge.me;
    for sub in [
        json!(null),
        json!(""),
        json!(7),
        json!(["worker-7"]),
        json!("w".repeat(201)),
        json!("worker\n7"),
        json!("worker\u{0}7"),
        json!("wörker-7"),
        json!("\u{202e}7-rekrow"),
        json!("wоrker-7"),
    ] {
        let short: String = sub.to_string().chars().take(20).collect();
        add(&format!("sub {short}"), why::SUBJECT, forge.claim("sub", sub));
    }
    add("no sub", why::SUBJECT, forge.without_claim("sub"));
    for id in [json!(""), json!(7), json!("i".repeat(201)), json!("ï"), json!(["a2d0"])] {
        let short: String = id.to_string().chars().take(20).collect();
        add(&format!("jti {short}"), why::TOKEN_ID, forge.claim("jti", id));
    }
    add("act", why::BEHALF, forge.claim("act", json!("director-1")));
    add("act as an object", why::BEHALF, forge.claim("act", json!({ "sub": "director-1" })));
    if me.names_organisation {
        let claim = if me.claims(0).get("org").is_some() { "org" } else { "organisation" };
        for org in [
            json!(null),
            json!(""),
            json!(7),
            json!(["gemeente-dordrecht"]),
            json!("trivire"),
            json!("svc-regie"),
            json!("Gemeente-Dordrecht"),
            json!("gemeente-dоrdrecht"),
            json!("leger-des-heils "),
            json!("sociale-dienst"),
            json!("../leger-des-heils"),
        ] {
            add(&format!("organisation {org}"), why::ORGANISATION, forge.claim(claim, org));
        }
        add("no organisation", why::ORGANISATION, forge.without_claim(claim));
    }
    for roles in
        [json!(null), json!("regie"), json!("shelter corporation"), json!({ "0": "regie" }), json!([]), json!(7)]
    {
        add(&format!("roles {roles}"), why::NO_ROLE, forge.roles(roles));
    }
    for role in Role::ALL.iter().filter(|role| !may_give(me, **role)) {
        add(&format!("role {role}"), why::ROLE, forge.roles(json!([role.as_str()])));
    }
    let own = me.claims(0);
    let own = own.pointer("/realm_access/roles").or(own.get("roles")).unwrap().clone();
    for extra in
        [json!("root"), json!("Regie"), json!("rеgie"), json!("svc_regie"), json!("police"), json!(1), json!(null)]
    {
        let mut roles = own.as_array().unwrap().clone();
        roles.push(extra.clone());
        add(&format!("own roles and {extra}"), why::ROLE, forge.roles(json!(roles)));
    }
    if me.has_clients {
        clients(forge, add);
    }
}

/// Bound to something that cannot be checked, or that is no thumbprint: then it counts over no connection at all.
fn bindings(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    let good = Thumbprint::of(b"a certificate").to_string();
    for confirmation in [
        json!(null),
        json!(true),
        json!(""),
        json!([]),
        json!({}),
        json!(good),
        json!([{ "x5t#S256": good }]),
        json!({ "x5t#S256": null }),
        json!({ "x5t#S256": "" }),
        json!({ "x5t#S256": [good] }),
        json!({ "x5t#S256": format!("{good}=") }),
        json!({ "x5t#S256": &good[1..] }),
        json!({ "x5t#S256": format!(" {good}") }),
        json!({ "x5t#S256": format!("{good}AAAA") }),
        json!({ "x5t#S512": good }),
        json!({ "x5t": good }),
        json!({ "X5T#S256": good }),
        json!({ "jkt": good }),
        json!({ "jwk": forge.me.signer.jwk() }),
        json!({ "jku": "https://forger.example/jwks.json" }),
        json!({ "kid": forge.me.signer.kid }),
        json!({ "x5t#S256": good, "jkt": good }),
    ] {
        add(&format!("cnf {confirmation}"), why::CONFIRMATION, forge.claim("cnf", confirmation));
    }
}

/// R-REG-13, RFC 8705: a bound token over any connection but its own, for each algorithm and each issuer.
#[tokio::test]
async fn a_bound_token_is_refused_over_every_connection_but_its_own() {
    let now = SystemTime::now();
    let certificate = |name: &str| Thumbprint::of(name.as_bytes());
    let own = certificate("its own");
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        for me in &world.members {
            let mut claims = me.claims(seconds(now));
            claims["cnf"] = json!({ "x5t#S256": own.to_string() });
            let bearer = format!("Bearer {}", me.signer.sign(&me.header(), &claims));
            // Before it is remembered and after.
            for _ in 0..2 {
                for over in [None, Some(certificate("another")), Some(certificate(""))] {
                    let denied = world.verifier.verify_over(&bearer, over, now).await.unwrap_err();
                    assert_eq!(denied.refusal.reason.code, "TOKEN_BOUND", "{algorithm:?}, {}", me.name);
                    assert!(denied.actor.is_some(), "it is a real token, and the log says whose");
                }
                assert!(world.verifier.verify(&bearer, now).await.is_err());
                assert!(world.verifier.verify_over(&bearer, Some(own), now).await.is_ok());
            }
            // What is not bound counts over any connection, unless its issuer may give none of those.
            let unbound = format!("Bearer {}", me.token(seconds(now)));
            assert!(world.verifier.verify_over(&unbound, Some(own), now).await.is_ok());
        }
    }
}

/// R-REG-13
#[tokio::test]
async fn an_issuer_whose_tokens_must_be_bound_is_believed_in_no_other() {
    let (folder, now) = (tempfile::tempdir().unwrap(), SystemTime::now());
    let name = "https://services.example.nl/regie";
    let regie = crate::Issuer::generate(name).unwrap().meant_for("prod");
    let landlord = crate::Issuer::generate("https://id.trivire.example").unwrap().meant_for("prod");
    std::fs::write(folder.path().join("regie.json"), regie.jwks()).unwrap();
    std::fs::write(folder.path().join("landlord.json"), landlord.jwks()).unwrap();
    let text = r#"
        audience = "prod"
        [services]
        name = "https://services.example.nl"
        keys = { regie = { file = "regie.json" } }
        certificate_bound = true
        [[issuer]]
        name = "https://id.trivire.example"
        keys = { file = "landlord.json" }
        algorithms = ["EdDSA"]
        token_types = ["JWT"]
        max_minutes = 60
        certificate_bound = true
        roles_claim = "roles"
        organisation = [{ code = "trivire", roles = ["corporation"] }]
    "#;
    let trusted = crate::Trusted::from_toml(text, folder.path()).unwrap();
    assert!(trusted.services_bound);
    let verifier = Verifier::trusting(trusted.issuers).unwrap();
    let actor = |role: Role, organisation: &str| Actor {
        subject: "worker-7".to_owned(),
        organisation: kernel::Organisation::parse("org", organisation).unwrap(),
        roles: vec![role],
        on_behalf_of: None,
        client_id: None,
    };
    let (life, own) = (Duration::from_secs(600), Thumbprint::of(b"its own"));
    for (issuer, actor) in
        [(&regie, actor(Role::SvcRegie, "svc-regie")), (&landlord, actor(Role::Corporation, "trivire"))]
    {
        let unbound = format!("Bearer {}", issuer.issue_at(&actor, life, now));
        let denied = verifier.verify_over(&unbound, Some(own), now).await.unwrap_err();
        assert_eq!(denied.refusal.facts[0], ("why", why::UNBOUND.en.to_owned()));
        let bound = format!("Bearer {}", issuer.issue_bound(&actor, life, now, Some(own)));
        assert_eq!(**verifier.verify_over(&bound, Some(own), now).await.unwrap().actor(), actor);
        assert!(verifier.verify_over(&bound, None, now).await.is_err());
    }
}

fn may_give(me: &Member, role: Role) -> bool {
    match me.typ {
        "JWT" => [Role::Regie, Role::Access, Role::PrivacyOfficer].contains(&role),
        _ if me.names_organisation => [Role::Shelter, Role::Caseholder].contains(&role),
        // Under its own name for it only.
        _ => false,
    }
}

fn clients(forge: &Forge<'_>, add: &mut impl FnMut(&str, Why, String)) {
    let id = json!("6f1c1e2a-5a55-4a57-8b8e-3a1d2c1f0a11");
    add("a worker with a client's id", why::CLIENT, forge.claim("doorstroom_client", id.clone()));
    let client = |id: Value, roles: Value, organisation: &str| {
        let mut claims = forge.me.with_roles(forge.claims(), roles);
        (claims["doorstroom_client"], claims["organisation"]) = (id, json!(organisation));
        forge.me.signer.sign(&forge.me.header(), &claims)
    };
    for wrong in [json!(null), json!("me"), json!(7), json!([id]), json!("")] {
        add(&format!("client {wrong}"), why::CLIENT, client(wrong, json!(["client"]), "clients"));
    }
    add("a client and a worker", why::ROLE, client(id.clone(), json!(["client", "regie"]), "clients"));
    add("a client in the town hall", why::ROLE, client(id.clone(), json!(["client"]), "gemeente-dordrecht"));
    add("a role of a sister organisation", why::ROLE, client(json!(null), json!(["income"]), "gemeente-dordrecht"));
    add("a role in a sister organisation", why::ROLE, client(json!(null), json!(["regie"]), "SD"));
}

/// R-REG-13
#[tokio::test]
async fn no_hostile_token_is_accepted_and_each_is_refused_for_what_is_wrong_with_it() {
    let now = SystemTime::now();
    let mut tried = BTreeSet::new();
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        for (at, me) in world.members.iter().enumerate() {
            // There are two RSA keys: whoever is not this issuer has the other one.
            let other = &world.members[if at == 1 { 2 } else { 1 }];
            let stranger = Signer::new(algorithm, &me.signer.kid, at == 1);
            let forge = Forge { me, other, stranger, now: seconds(now) };
            let good = world.verifier.verify(&format!("Bearer {}", forge.token()), now).await;
            assert!(good.is_ok(), "{} with {algorithm:?}: a good token: {good:?}", me.name);
            for (case, why, token) in all(&forge) {
                let what = format!("{case}, {algorithm:?}, {}", me.name);
                let denied = world.verifier.verify(&format!("Bearer {token}"), now).await.expect_err(&what);
                assert_eq!(denied.refusal.reason.code, "TOKEN_INVALID", "{what}");
                assert_eq!(denied.refusal.facts[0], ("why", why.en.to_owned()), "{what}");
                assert!(denied.actor.is_none(), "{what}");
                let told = denied.refusal.to_string();
                assert!(token.len() < 8 || !told.contains(&token), "{what}: a refusal quotes no token");
                tried.insert(token);
            }
        }
    }
    assert!(tried.len() >= 1500, "{}", tried.len());
    println!("{} hostile tokens refused", tried.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// R-REG-13
    #[test]
    fn no_flipped_bits_make_another_token(
        which in 0usize..9,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..7), 1..4),
    ) {
        static WORLDS: std::sync::LazyLock<Vec<World>> =
            std::sync::LazyLock::new(|| Algorithm::ALL.into_iter().map(World::new).collect());
        let (now, world) = (SystemTime::now(), &WORLDS[which / 3]);
        let token = world.members[which % 3].token(seconds(now));
        let mut changed = token.clone().into_bytes();
        for (at, bit) in flips {
            changed[at.index(token.len())] ^= 1 << bit;
        }
        let changed = String::from_utf8(changed).unwrap();
        prop_assume!(changed != token);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let denied = runtime.block_on(world.verifier.verify(&format!("Bearer {changed}"), now)).is_err();
        prop_assert!(denied);
    }
}
