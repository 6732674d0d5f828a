//! The register of purposes: for what a caller may look or act, and on which legal ground (R-REG-13).

use kernel::{Refusal, general};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

/// The header in which a caller names one purpose.
pub const PURPOSE_HEADER: &str = "doorstroom-purpose";

/// A legal ground (AVG article 6; R-REG-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// A public task: Wmo, Participatiewet, Wgs.
    PublicTask,
    /// A legal duty.
    LegalDuty,
    /// A contract with the client, such as a lease.
    Contract,
    /// A life in danger.
    VitalInterest,
    /// The client's consent.
    Consent,
}

impl Ground {
    /// The ground as it stands in the access log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublicTask => "public_task",
            Self::LegalDuty => "legal_duty",
            Self::Contract => "contract",
            Self::VitalInterest => "vital_interest",
            Self::Consent => "consent",
        }
    }
}

/// One purpose of the register.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// Its code, as in the header and in the methods' options.
    #[serde(skip)]
    pub code: String,
    /// The legal ground.
    pub ground: Ground,
    /// The law that it rests on.
    pub law: String,
    /// What it is, in Dutch.
    pub nl: String,
    /// What it is, in English.
    pub en: String,
}

/// The file that is compiled in.
pub(crate) const FILE: &str = include_str!("../purposes.toml");

/// The register.
#[derive(Clone, Debug)]
pub struct Purposes {
    by_code: BTreeMap<String, Purpose>,
}

impl Purposes {
    /// The register that is compiled in.
    pub fn embedded() -> &'static Self {
        static REGISTER: LazyLock<Purposes> = LazyLock::new(|| {
            // The file is part of the program; a test reads it.
            Purposes::parse(FILE).expect("the register of purposes is readable")
        });
        &REGISTER
    }

    /// Reads a register.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let mut by_code: BTreeMap<String, Purpose> = toml::from_str(text)?;
        for (code, purpose) in &mut by_code {
            purpose.code.clone_from(code);
        }
        Ok(Self { by_code })
    }

    /// The purpose with that code.
    pub fn get(&self, code: &str) -> Option<&Purpose> {
        self.by_code.get(code)
    }

    /// Every purpose, by code.
    pub fn all(&self) -> impl Iterator<Item = &Purpose> {
        self.by_code.values()
    }

    /// The purpose that a caller gave for a method that allows some; refuses with header and codes (R-REG-13).
    pub fn admit<S: AsRef<str>>(&self, rpc: &str, allowed: &[S], given: &str) -> Result<&Purpose, Refusal> {
        let listed = allowed.iter().any(|code| code.as_ref() == given);
        self.get(given).filter(|_| listed).ok_or_else(|| {
            let codes: Vec<_> = allowed.iter().map(AsRef::as_ref).collect();
            // What was given comes back only if it is a code: a header is no place to have text repeated from.
            let given = if self.get(given).is_some() { given } else { "" };
            general::PURPOSE_MISSING
                .with("rpc", rpc)
                .with("header", PURPOSE_HEADER)
                .with("given", given)
                .with("allowed", codes.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-REG-13
    #[test]
    fn every_purpose_has_a_ground_and_a_law() {
        let codes: Vec<_> = Purposes::embedded().all().map(|p| p.code.as_str()).collect();
        assert_eq!(codes.len(), 14);
        assert!(Purposes::embedded().all().all(|p| ![&p.law, &p.nl, &p.en].iter().any(|text| text.is_empty())));
        assert_eq!(Purposes::embedded().get("crisis").unwrap().ground, Ground::VitalInterest);
    }

    /// R-REG-13
    #[test]
    fn a_purpose_that_the_method_does_not_list_is_refused_with_header_and_codes() {
        let register = Purposes::embedded();
        let allowed = ["housing", "regie"];
        assert_eq!(register.admit("S/M", &allowed, "regie").unwrap().ground.as_str(), "public_task");
        for given in ["", "income", "curiosity"] {
            let refusal = register.admit("S/M", &allowed, given).unwrap_err();
            assert_eq!(refusal.reason.code, "PURPOSE_MISSING");
            assert!(refusal.en().contains(PURPOSE_HEADER));
            assert!(refusal.way_out().contains("housing, regie"));
            assert!(!refusal.en().contains("curiosity"));
        }
    }
}
