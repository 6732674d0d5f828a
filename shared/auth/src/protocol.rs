//! What decisions are judged by, as one text that is kept: the table of rights, the register of purposes, and for which
//! purposes the contract lists each call. By it a decision of an earlier day is made again (R-REG-19).

use crate::policy::{FILES, Policy, PolicyFileError, Standing, short};
use crate::{Purposes, purpose};
use kernel::{Actor, Organisation, Role};
use ring::digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One version of it.
#[derive(Clone, Debug)]
pub struct Protocol {
    policy: Policy,
    purposes: Purposes,
    listed: BTreeMap<String, Vec<String>>,
}

/// As it is kept: every file as it was.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    policy: BTreeMap<String, String>,
    purposes: String,
    listed: BTreeMap<String, Vec<String>>,
}

/// Why a kept text cannot be judged by.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// It is not what was kept.
    #[error("it is not the text that its version says")]
    Changed,
    /// It is no such text.
    #[error("it cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// Its table is not understood.
    #[error(transparent)]
    Policy(#[from] PolicyFileError),
    /// Its register is not understood.
    #[error("its register of purposes cannot be read")]
    Purposes(#[from] toml::de::Error),
}

/// What a decision rested on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `Service/Method`
    pub rpc: String,
    /// The roles that the token gave.
    pub roles: Vec<Role>,
    /// The purpose that was named.
    pub purpose: String,
    /// How the caller stood to the client and the thing, as [`Standing::words`] says it; none when that was not asked.
    pub standing: Option<String>,
}

/// What a protocol says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// No role of the caller may make the call.
    NotInRole,
    /// The call is not made for this purpose.
    NotForPurpose,
    /// The caller has nothing to do with the client or the thing.
    NoRelation,
    /// Nothing stands in the way; the rules of the field may.
    Passes,
}

impl Decision {
    /// Whether a call so judged can have ended so.
    pub fn agrees_with(self, result: &str) -> bool {
        let refused = match self {
            Self::NotInRole => "ROLE_NOT_ALLOWED",
            Self::NotForPurpose => "PURPOSE_MISSING",
            Self::NoRelation => "NOT_FOUND",
            Self::Passes => return !["ROLE_NOT_ALLOWED", "PURPOSE_MISSING"].contains(&result),
        };
        result == refused
    }
}

impl Protocol {
    /// The text of what is compiled in, with the purposes that the contract lists for each call.
    pub fn text(listed: BTreeMap<String, Vec<String>>) -> String {
        let policy = FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let text = Text { policy, purposes: purpose::FILE.to_owned(), listed };
        serde_json::to_string(&text).expect("text can be written")
    }

    /// Under which version a text stands in the access log: the first half of the hash over it.
    pub fn version(text: &str) -> String {
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let mut version = String::new();
        for byte in &hash.as_ref()[..16] {
            let _ = write!(version, "{byte:02x}");
        }
        version
    }

    /// Reads what was kept under a version.
    pub fn read(version: &str, text: &str) -> Result<Self, ProtocolError> {
        if Self::version(text) != version {
            return Err(ProtocolError::Changed);
        }
        let text: Text = serde_json::from_str(text)?;
        let files: Vec<_> = text.policy.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Ok(Self { policy: Policy::parse(&files)?, purposes: Purposes::parse(&text.purposes)?, listed: text.listed })
    }

    /// Decides as it was decided then: first the role, then the purpose, then the relation.
    pub fn decide(&self, asked: &Asked) -> Decision {
        let Some(grants) = self.grants(&asked.rpc, &asked.roles) else { return Decision::NotInRole };
        let listed = self.listed.get(&asked.rpc).map(Vec::as_slice).unwrap_or_default();
        if self.purposes.admit(&asked.rpc, listed, &asked.purpose).is_err() {
            return Decision::NotForPurpose;
        }
        let Some(words) = &asked.standing else { return Decision::Passes };
        // A call that stands in for another is judged by the line of that one.
        let (words, grants) = match words.split_once(" as ") {
            Some((words, rpc)) => (words, self.grants(rpc, &asked.roles).unwrap_or_default()),
            None => (words.as_str(), grants),
        };
        let standing = Standing::from_words(words).unwrap_or_default();
        match grants.iter().any(|grant| grant.holds(&standing)) {
            true => Decision::Passes,
            false => Decision::NoRelation,
        }
    }

    fn grants(&self, rpc: &str, roles: &[Role]) -> Option<Vec<crate::Grant>> {
        let actor = Actor {
            subject: String::new(),
            organisation: Organisation::parse("organisation", "unknown").expect("a valid code"),
            roles: roles.to_vec(),
            on_behalf_of: None,
            client_id: None,
        };
        self.policy.grants(short(rpc), &actor).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol(from: &str, to: &str) -> Protocol {
        let listed = [("HousingService/AcceptOffer".to_owned(), vec!["housing".to_owned()])];
        let text = Protocol::text(listed.into());
        assert!(from.is_empty() || text.contains(from), "{from}");
        let text = text.replace(from, to);
        Protocol::read(&Protocol::version(&text), &text).unwrap()
    }

    fn asked(role: Role, purpose: &str, standing: Option<&str>) -> Asked {
        Asked {
            rpc: "HousingService/AcceptOffer".to_owned(),
            roles: vec![role],
            purpose: purpose.to_owned(),
            standing: standing.map(str::to_owned),
        }
    }

    /// R-REG-19
    #[test]
    fn what_was_kept_decides_as_the_gate_did() {
        let protocol = protocol("", "");
        for (asked, decision) in [
            (asked(Role::Police, "housing", None), Decision::NotInRole),
            (asked(Role::Client, "", None), Decision::NotForPurpose),
            (asked(Role::Client, "income", None), Decision::NotForPurpose),
            (asked(Role::Client, "housing", None), Decision::Passes),
            (asked(Role::Client, "housing", Some("client")), Decision::Passes),
            (asked(Role::Client, "housing", Some("organisation,owner")), Decision::NoRelation),
            (asked(Role::Client, "housing", Some("")), Decision::NoRelation),
            (asked(Role::Client, "housing", Some("nonsense")), Decision::NoRelation),
            (asked(Role::Client, "housing", Some("client as HousingService/NoSuch")), Decision::NoRelation),
        ] {
            assert_eq!(protocol.decide(&asked), decision, "{asked:?}");
        }
    }

    /// R-REG-19
    #[test]
    fn a_text_that_is_not_that_of_its_version_judges_nothing() {
        let text = Protocol::text(BTreeMap::new());
        let version = Protocol::version(&text);
        assert_eq!(version.len(), 32);
        assert!(Protocol::read(&version, &text).is_ok());
        let other = text.replacen("any", "own", 1);
        assert!(matches!(Protocol::read(&version, &other), Err(ProtocolError::Changed)));
        let read = |text: &str| Protocol::read(&Protocol::version(text), text);
        assert!(matches!(read("{}"), Err(ProtocolError::Unreadable(_))));
        assert!(matches!(read(&text.replacen("client =", "nobody =", 1)), Err(ProtocolError::Policy(_))));
    }

    #[test]
    fn only_a_result_that_can_follow_agrees() {
        for (decision, result, agrees) in [
            (Decision::Passes, "ok", true),
            (Decision::Passes, "OFFER_EXPIRED", true),
            (Decision::Passes, "NOT_FOUND", true),
            (Decision::Passes, "ROLE_NOT_ALLOWED", false),
            (Decision::Passes, "PURPOSE_MISSING", false),
            (Decision::NotInRole, "ROLE_NOT_ALLOWED", true),
            (Decision::NotInRole, "ok", false),
            (Decision::NotForPurpose, "ok", false),
            (Decision::NoRelation, "NOT_FOUND", true),
            (Decision::NoRelation, "ok", false),
        ] {
            assert_eq!(decision.agrees_with(result), agrees, "{decision:?} {result}");
        }
    }
}
