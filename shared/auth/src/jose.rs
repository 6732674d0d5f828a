//! Keys and signatures as JOSE writes them, no further than the chain needs: `jsonwebtoken` with three algorithms, public
//! keys that fit exactly one of them, and JSON that is read strictly.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{DecodingKey, DecodingKeyKind, EncodingKey, Header};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, RSA_PKCS1_2048_8192_SHA256};
use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Once};

/// A key set names at most this many keys.
const MOST_KEYS: usize = 64;
/// A `kid` is at most this long.
pub(crate) const KID_BYTES: usize = 200;

/// An algorithm that an issuer may sign with. There are no others: none with a shared secret, and not "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// All three.
    pub const ALL: [Algorithm; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// Its name in a token's header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm with exactly that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// A public key that fits exactly one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Ed25519(Vec<u8>),
    /// The point, uncompressed.
    P256(Vec<u8>),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl PublicKey {
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// Whether a signature, as it stands in a token, is this key's over that message.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let (key, algorithm) = self.for_jsonwebtoken();
        jsonwebtoken::crypto::verify(signature, message, &key, algorithm).unwrap_or(false)
    }

    /// The key and its one algorithm, for the functions of `jsonwebtoken`.
    pub fn for_jsonwebtoken(&self) -> (DecodingKey, jsonwebtoken::Algorithm) {
        bring_ring();
        match self {
            Self::Ed25519(key) => (DecodingKey::from_ed_der(key), jsonwebtoken::Algorithm::EdDSA),
            Self::P256(key) => (DecodingKey::from_ec_der(key), jsonwebtoken::Algorithm::ES256),
            Self::Rsa { n, e } => (DecodingKey::from_rsa_raw_components(n, e), jsonwebtoken::Algorithm::RS256),
        }
    }

    /// Reads a JWK (RFC 7517), or says why it is no key to verify tokens with.
    fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, &'static str> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        if jwk.contains_key("d") || jwk.contains_key("k") {
            return Err("it is a secret, and this set is public");
        }
        if jwk.contains_key("use") && text("use") != Some("sig") {
            return Err("its use is not sig");
        }
        if let Some(operations) = jwk.get("key_ops")
            && !operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"))
        {
            return Err("its key_ops do not name verify");
        }
        let key = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => match bytes("x") {
                Some(x) if x.len() == 32 => Self::Ed25519(x),
                _ => return Err("x is not 32 bytes"),
            },
            (Some("EC"), Some("P-256")) => match (bytes("x"), bytes("y")) {
                (Some(x), Some(y)) if x.len() == 32 && y.len() == 32 => Self::P256([&[4], &*x, &*y].concat()),
                _ => return Err("x or y is not 32 bytes"),
            },
            (Some("RSA"), None) => match (bytes("n"), bytes("e")) {
                (Some(n), Some(e)) => Self::rsa(n, e)?,
                _ => return Err("n or e cannot be read"),
            },
            (Some("OKP" | "EC"), _) => return Err("its curve is neither Ed25519 nor P-256"),
            _ => return Err("its kty is none of OKP, EC, RSA"),
        };
        match jwk.get("alg") {
            Some(named) if named.as_str() != Some(key.algorithm().as_str()) => Err("its alg does not fit its kind"),
            _ => Ok(key),
        }
    }

    fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, &'static str> {
        let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if bits < 2048 {
            return Err("it is RSA of less than 2048 bits");
        }
        if bits > 4096 {
            return Err("it is RSA of more than 4096 bits");
        }
        // 65537; smaller exponents are an old weakness, larger ones nobody uses.
        if e != [1, 0, 1] {
            return Err("its exponent is not 65537");
        }
        Ok(Self::Rsa { n, e })
    }
}

/// Signs claims with an Ed25519 key, as a compact JWS.
pub(crate) fn sign(typ: &str, kid: &str, claims: &impl Serialize, key: &EncodingKey) -> String {
    bring_ring();
    let (typ, kid) = (Some(typ.to_owned()), Some(kid.to_owned()));
    let header = Header { typ, kid, ..Header::new(jsonwebtoken::Algorithm::EdDSA) };
    // Signing with a key that was checked when the issuer was made has no way to fail.
    jsonwebtoken::encode(&header, claims, key).expect("an Ed25519 key signs any claims")
}

/// `jsonwebtoken` takes its cryptography from whoever brings it: here ring, which is built anyhow for TLS and sealing.
fn bring_ring() {
    static RING: CryptoProvider =
        CryptoProvider { signer_factory, verifier_factory, key_utils: KeyUtils::new_unimplemented() };
    static BROUGHT: Once = Once::new();
    BROUGHT.call_once(|| RING.install_default().expect("nobody else in this process brings another"));
}

fn signer_factory(algorithm: &jsonwebtoken::Algorithm, key: &EncodingKey) -> JwtResult<Box<dyn JwtSigner>> {
    match algorithm {
        jsonwebtoken::Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes());
            Ok(Box::new(RingSigner(pair.map_err(|_| ErrorKind::InvalidEddsaKey)?)))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn verifier_factory(algorithm: &jsonwebtoken::Algorithm, key: &DecodingKey) -> JwtResult<Box<dyn JwtVerifier>> {
    use jsonwebtoken::Algorithm::{ES256, EdDSA, RS256};
    let key = match (algorithm, key.kind()) {
        (EdDSA, DecodingKeyKind::SecretOrDer(key)) => PublicKey::Ed25519(key.clone()),
        (ES256, DecodingKeyKind::SecretOrDer(key)) => PublicKey::P256(key.clone()),
        (RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => PublicKey::Rsa { n: n.clone(), e: e.clone() },
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    Ok(Box::new(RingVerifier(key)))
}

struct RingSigner(Ed25519KeyPair);

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::EdDSA
    }
}

struct RingVerifier(PublicKey);

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let checked = match &self.0 {
            PublicKey::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            PublicKey::P256(key) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature),
            PublicKey::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        checked.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.0.for_jsonwebtoken().1
    }
}

/// The usable keys of a set: by `kid`, at most one per algorithm.
#[derive(Debug, Default)]
pub(crate) struct KeySet(HashMap<String, Vec<Arc<PublicKey>>>);

/// What a key set has under a `kid`.
pub(crate) enum Found {
    Key(Arc<PublicKey>),
    /// There is a key with that `kid`, of another kind.
    OtherKind,
    Nothing,
}

impl KeySet {
    /// Reads a JSON Web Key Set. Keys that cannot verify one of our algorithms, or have no `kid`, are passed over, as sets
    /// hold keys for other purposes; a set of which nothing is left is an error that says what was wrong with each.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        let set = strict(json).map_err(|error| format!("it is not a JSON Web Key Set: {error}"))?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("it is not a JSON Web Key Set: no keys")?;
        if keys.len() > MOST_KEYS {
            return Err(format!("it holds {} keys; {MOST_KEYS} is the most", keys.len()));
        }
        let mut by_kid: HashMap<String, Vec<Arc<PublicKey>>> = HashMap::new();
        let mut passed_over = Vec::new();
        for (number, jwk) in (1..).zip(keys) {
            let kid = jwk.get("kid").and_then(Value::as_str).filter(|kid| (1..=KID_BYTES).contains(&kid.len()));
            let read = jwk.as_object().ok_or("it is no object").and_then(PublicKey::from_jwk);
            match (kid, read) {
                (Some(kid), Ok(key)) => {
                    let same = by_kid.entry(kid.to_owned()).or_default();
                    if same.iter().any(|other| other.algorithm() == key.algorithm()) {
                        return Err(format!("two keys for {} have the kid {kid:?}", key.algorithm().as_str()));
                    }
                    same.push(Arc::new(key));
                }
                (None, Ok(_)) => passed_over.push(format!("key {number}: it has no kid")),
                (_, Err(why)) => passed_over.push(format!("key {number}: {why}")),
            }
        }
        match by_kid.is_empty() {
            true => Err(format!("it holds no usable key ({})", passed_over.join("; "))),
            false => Ok(Self(by_kid)),
        }
    }

    pub fn find(&self, kid: &str, algorithm: Algorithm) -> Found {
        match self.0.get(kid) {
            None => Found::Nothing,
            Some(keys) => match keys.iter().find(|key| key.algorithm() == algorithm) {
                Some(key) => Found::Key(key.clone()),
                None => Found::OtherKind,
            },
        }
    }

    pub fn any(&self, fits: impl Fn(&PublicKey) -> bool) -> bool {
        self.0.values().flatten().any(|key| fits(key))
    }
}

/// Reads JSON in which no object names a member twice, at any depth: of two, each reader might believe another.
pub(crate) fn strict(json: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Strict>(json).map(|strict| strict.0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Strict;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
                Ok(Strict(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Strict, E> {
                Ok(Strict(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
                let mut all = Vec::new();
                while let Some(Strict(item)) = items.next_element()? {
                    all.push(item);
                }
                Ok(Strict(Value::Array(all)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
                let mut all = Map::new();
                while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
                    if all.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is named twice"));
                    }
                }
                Ok(Strict(Value::Object(all)))
            }
        }

        deserializer.deserialize_any(Any)
    }
}
