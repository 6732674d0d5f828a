//! Signed checkpoints of an access log: what the log held at a moment, to be kept where the database is not.
//!
//! A checkpoint is a compact JWS of a type of its own, without issuer, audience and expiry: it is no token, and no token is
//! a checkpoint, though the service signs both with one key.

use crate::jose::{Algorithm, Found};
use crate::{Issuer, Keys};
use jsonwebtoken::Validation;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The header `typ` of a checkpoint.
pub const CHECKPOINT_TYPE: &str = "doorstroom-checkpoint+jws";

/// No checkpoint is longer than this.
const CHECKPOINT_BYTES: usize = 4 * 1024;

/// What the access log of a service held at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The service whose log it is.
    pub service: String,
    /// The life of its database, as in the cursors of its feed.
    pub epoch: u64,
    /// The last entry that the hash covers.
    pub position: i64,
    /// SHA-256 over every entry up to there, in hexadecimal digits.
    pub hash: String,
    /// When it was signed: RFC 3339, on the field's clock.
    pub at: String,
}

/// Why a text is no checkpoint to rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is something else: perhaps a token.
    #[error("it is no signed checkpoint")]
    Kind,
    /// The key set lacks its key.
    #[error("its key is not in the key set")]
    Key,
    /// Somebody else wrote it, or changed it since.
    #[error("its signature is wrong")]
    Signature,
    /// It was signed, but does not say what a checkpoint says.
    #[error("it does not say what a checkpoint says")]
    Claims,
}

impl Checkpoint {
    /// Reads a checkpoint that a holder of one of these keys signed.
    pub fn read(text: &str, keys: &Keys) -> Result<Self, CheckpointError> {
        if text.len() > CHECKPOINT_BYTES {
            return Err(CheckpointError::Kind);
        }
        let header = jsonwebtoken::decode_header(text).map_err(|_| CheckpointError::Kind)?;
        if header.alg != jsonwebtoken::Algorithm::EdDSA || header.typ.as_deref() != Some(CHECKPOINT_TYPE) {
            return Err(CheckpointError::Kind);
        }
        let Found::Key(key) = keys.look(&header.kid.unwrap_or_default(), Algorithm::EdDsa) else {
            return Err(CheckpointError::Key);
        };
        let (key, algorithm) = key.for_jsonwebtoken();
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims = HashSet::new();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Self>(text, &key, &validation).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => CheckpointError::Signature,
            _ => CheckpointError::Claims,
        });
        let checkpoint = claims?.claims;
        checkpoint.digest().map(|_| checkpoint.clone()).ok_or(CheckpointError::Claims)
    }

    /// The hash as bytes.
    pub fn digest(&self) -> Option<[u8; 32]> {
        let digits: Vec<u8> = self.hash.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits.chunks(2).filter(|pair| pair.len() == 2).map(|p| p[0] << 4 | p[1]).collect();
        if digits.len() == 64 { bytes.try_into().ok() } else { None }
    }
}

impl Issuer {
    /// Signs a checkpoint with the key that signs this service's tokens.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        self.encode(CHECKPOINT_TYPE, checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DEVELOPMENT_ISSUER, Verifier};
    use kernel::{Actor, Organisation, Role};
    use std::time::{Duration, SystemTime};

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            service: "housing".to_owned(),
            epoch: 7,
            position: 12,
            hash: "ab".repeat(32),
            at: "2026-03-02T08:00:00Z".to_owned(),
        }
    }

    fn keys(issuer: &Issuer) -> Keys {
        Keys::from_jwks(&issuer.jwks()).unwrap()
    }

    /// R-REG-19
    #[test]
    fn a_checkpoint_reads_back_and_any_change_in_it_shows() {
        let issuer = Issuer::development().unwrap();
        let text = issuer.sign(&checkpoint());
        assert_eq!(Checkpoint::read(&text, &keys(&issuer)), Ok(checkpoint()));
        for at in (0..text.len()).step_by(5) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // The last character of a part may carry bits that no byte is made of.
            let read = Checkpoint::read(&changed, &keys(&issuer));
            assert!(read.is_err() || read == Ok(checkpoint()), "{at}");
        }
        let other = Issuer::development().unwrap();
        assert_eq!(Checkpoint::read(&text, &keys(&other)), Err(CheckpointError::Key));
        let short = Checkpoint { hash: "ab".to_owned(), ..checkpoint() };
        assert_eq!(Checkpoint::read(&issuer.sign(&short), &keys(&issuer)), Err(CheckpointError::Claims));
    }

    /// P8, R-REG-19
    #[tokio::test]
    async fn a_checkpoint_is_no_token_and_a_token_no_checkpoint() {
        let issuer = Issuer::development().unwrap();
        let verifier = Verifier::new(keys(&issuer), DEVELOPMENT_ISSUER);
        let as_token = format!("Bearer {}", issuer.sign(&checkpoint()));
        let denied = verifier.verify(&as_token, SystemTime::now()).await.unwrap_err();
        assert_eq!(denied.refusal.reason.code, "TOKEN_INVALID");
        let actor = Actor {
            subject: "regie".to_owned(),
            organisation: Organisation::parse("org", "doorstroom").unwrap(),
            roles: vec![Role::SvcRegie],
            on_behalf_of: None,
            client_id: None,
        };
        let token = issuer.issue(&actor, Duration::from_secs(60));
        assert_eq!(Checkpoint::read(&token, &keys(&issuer)), Err(CheckpointError::Kind));
        assert_eq!(Checkpoint::read("", &keys(&issuer)), Err(CheckpointError::Kind));
    }
}
