//! What the tests of this crate forge with: keys of each algorithm, and three issuers as deployments have them.

use crate::{Algorithm, Trusted, Verifier};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use std::time::SystemTime;
use tempfile::TempDir;

/// A private key with its `kid`.
pub(crate) struct Signer {
    pub kid: String,
    key: Key,
}

enum Key {
    Ed(Ed25519KeyPair),
    Ec(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

impl Signer {
    /// A fresh key, but for RSA: of those there are two, `first` and the other.
    pub fn new(algorithm: Algorithm, kid: &str, first: bool) -> Self {
        let random = SystemRandom::new();
        let key = match algorithm {
            Algorithm::EdDsa => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Key::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
            }
            Algorithm::Es256 => {
                let form = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pkcs8 = EcdsaKeyPair::generate_pkcs8(form, &random).unwrap();
                Key::Ec(Box::new(EcdsaKeyPair::from_pkcs8(form, pkcs8.as_ref(), &random).unwrap()))
            }
            Algorithm::Rs256 => {
                let one: &[u8] = include_bytes!("../tests/keys/rsa-one.der");
                let two: &[u8] = include_bytes!("../tests/keys/rsa-two.der");
                Key::Rsa(Box::new(RsaKeyPair::from_pkcs8(if first { one } else { two }).unwrap()))
            }
        };
        Self { kid: kid.to_owned(), key }
    }

    pub fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::Ed(_) => Algorithm::EdDsa,
            Key::Ec(_) => Algorithm::Es256,
            Key::Rsa(_) => Algorithm::Rs256,
        }
    }

    pub fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.key {
            Key::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }),
            Key::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..]) })
            }
            Key::Rsa(pair) => {
                let n = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public()).n;
                json!({ "kty": "RSA", "n": text(&n), "e": "AQAB" })
            }
        };
        jwk["kid"] = self.kid.clone().into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub fn public(&self) -> Vec<u8> {
        match &self.key {
            Key::Ed(pair) => pair.public_key().as_ref().to_vec(),
            Key::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Key::Rsa(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// Signs any texts, JSON or not, as a header and claims.
    pub fn sign_raw(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.signature(message.as_bytes())))
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_raw(header.to_string(), claims.to_string())
    }
}

/// A JSON Web Key Set.
pub(crate) fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The audience of the environment in [`World`].
pub(crate) const AUDIENCE: &str = "doorstroom-productie";

/// One issuer of a world, as its own administrator sees it.
pub(crate) struct Member {
    pub name: &'static str,
    pub typ: &'static str,
    pub signer: Signer,
    /// Another key in the same set, for another algorithm than the one that this issuer signs with.
    pub other_kind: Signer,
    /// Whether the token names its organisation.
    pub names_organisation: bool,
    /// Whether it may give the role client.
    pub has_clients: bool,
    claims: Value,
}

impl Member {
    pub fn header(&self) -> Value {
        json!({ "alg": self.signer.algorithm().as_str(), "typ": self.typ, "kid": self.signer.kid })
    }

    pub fn claims(&self, now: u64) -> Value {
        let mut claims = self.claims.clone();
        for (name, value) in [("iss", json!(self.name)), ("aud", json!(AUDIENCE)), ("sub", json!("worker-7"))] {
            claims[name] = value;
        }
        for (name, value) in [("iat", json!(now)), ("nbf", json!(now)), ("exp", json!(now + 600))] {
            claims[name] = value;
        }
        claims["jti"] = json!("a2d0");
        claims
    }

    /// Puts another value where this issuer writes its roles.
    pub fn with_roles(&self, mut claims: Value, roles: Value) -> Value {
        match claims.get("realm_access") {
            Some(_) => claims["realm_access"]["roles"] = roles,
            None => claims["roles"] = roles,
        }
        claims
    }

    pub fn token(&self, now: u64) -> String {
        self.signer.sign(&self.header(), &self.claims(now))
    }
}

/// A municipality, a corporation and a shelter, each with its own issuer, all signing with one algorithm; and the services.
pub(crate) struct World {
    pub verifier: Verifier,
    pub members: Vec<Member>,
    _folder: TempDir,
}

const ISSUERS: &str = r#"
    audience = "doorstroom-productie"

    [services]
    name = "https://services.example.nl"
    keys = { regie = { file = "services.json" } }

    [[issuer]]
    name = "https://id.dordrecht.example"
    keys = { file = "dordrecht.json" }
    algorithms = ["ALGORITHM"]
    token_types = ["JWT"]
    max_minutes = 60
    roles_claim = "roles"
    organisation_claim = "organisation"
    client_claim = "doorstroom_client"
    organisation = [
        { code = "gemeente-dordrecht", roles = ["regie", "access", "privacy_officer"] },
        { code = "sociale-dienst", claim_value = "SD", roles = ["income", "debt"] },
        { code = "clients", roles = ["client"] },
    ]

    [[issuer]]
    name = "https://id.trivire.example/realms/medewerkers"
    keys = { file = "trivire.json" }
    algorithms = ["ALGORITHM"]
    token_types = ["at+jwt"]
    max_minutes = 30
    roles_claim = "/realm_access/roles"
    ignored_roles = ["offline_access"]
    role_names = { Verhuurmakelaar = "corporation" }
    organisation = [{ code = "trivire", roles = ["corporation"] }]

    [[issuer]]
    name = "https://login.opvang.example"
    keys = { file = "opvang.json" }
    algorithms = ["ALGORITHM"]
    token_types = ["at+jwt"]
    max_minutes = 60
    roles_claim = "roles"
    organisation_claim = "org"
    organisation = [
        { code = "leger-des-heils", roles = ["shelter", "caseholder"] },
        { code = "vrouwenopvang", roles = ["vo"] },
    ]
"#;

impl World {
    pub fn new(algorithm: Algorithm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let other = if algorithm == Algorithm::EdDsa { Algorithm::Es256 } else { Algorithm::EdDsa };
        let member = |short: &str, name: &'static str, typ: &'static str, first: bool, claims: Value| {
            let signer = Signer::new(algorithm, &format!("{short}-1"), first);
            let other_kind = Signer::new(other, &format!("{short}-2"), first);
            let mut for_secrets = signer.jwk();
            (for_secrets["kid"], for_secrets["use"]) = (json!("for-secrets"), json!("enc"));
            let weak = json!({ "kty": "RSA", "kid": "weak", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xc5; 128]) });
            let set = jwks(&[signer.jwk(), other_kind.jwk(), for_secrets, weak]);
            std::fs::write(folder.path().join(format!("{short}.json")), set).unwrap();
            let (names_organisation, has_clients) = (short != "trivire", short == "dordrecht");
            Member { name, typ, signer, other_kind, names_organisation, has_clients, claims }
        };
        let members = vec![
            member("dordrecht", "https://id.dordrecht.example", "JWT", true, {
                json!({ "organisation": "gemeente-dordrecht", "roles": ["regie"], "client_id": "portal" })
            }),
            member("trivire", "https://id.trivire.example/realms/medewerkers", "at+jwt", false, {
                json!({ "realm_access": { "roles": ["offline_access", "Verhuurmakelaar"] } })
            }),
            member("opvang", "https://login.opvang.example", "at+jwt", true, {
                json!({ "org": "leger-des-heils", "roles": ["shelter"] })
            }),
        ];
        let services = crate::Issuer::generate("https://services.example.nl").unwrap();
        std::fs::write(folder.path().join("services.json"), services.jwks()).unwrap();
        let text = ISSUERS.replace("ALGORITHM", algorithm.as_str());
        let trusted = Trusted::from_toml(&text, folder.path()).unwrap();
        let verifier = Verifier::trusting(trusted.issuers).unwrap();
        Self { verifier, members, _folder: folder }
    }
}

/// Whole seconds since 1970.
pub(crate) fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}
