//! What a municipality decided about regie: terms and switches, dated (`policy.toml` is the documentation of each value).

use super::process::Terms;
use super::retention;
use serde::{Deserialize, Serialize};

/// The values of one version of `policy.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Policy {
    /// Working days before the last day of a task at which its organisation is warned (P7).
    pub warn_working_days: i32,
    /// Working days that the municipality gives itself for what escalates to it (P7).
    pub escalation_working_days: i32,
    /// Working days in which every receiver of identity data acknowledges a correction (R-REG-26).
    pub acknowledge_working_days: i32,
    /// The working days; from a file of their own (R-REG-09).
    #[serde(skip_deserializing)]
    pub calendar: kernel::Calendar,
    /// The versions of the consent text that may be used (R-REG-16).
    pub consent_texts: Vec<String>,
    /// The versions of the text by which professional secrecy is released (R-REG-27).
    #[serde(default)]
    pub release_texts: Vec<String>,
    /// The versions of the text by which the client agrees to help (R-REG-27).
    #[serde(default)]
    pub agreement_texts: Vec<String>,
    /// Hours after which emergency access ends by itself (R-REG-20).
    pub emergency_hours: u32,
    /// Working days in which emergency access is reviewed (R-REG-20).
    pub emergency_review_working_days: i32,
    /// The terms of the processes.
    pub process: Terms,
    /// How long what is held on a client is kept (R-REG-23).
    #[serde(default)]
    pub retention: retention::Terms,
}

/// The file that is built in, and that documents each value.
pub const DEFAULT: &str = include_str!("../../policy.toml");

#[cfg(test)]
impl Policy {
    /// The general version of the built-in file.
    pub fn sample() -> Self {
        let any = kernel::Municipality::parse("m", "0505").unwrap();
        kernel::Dated::<Policy>::parse(DEFAULT).unwrap().at(&any, jiff::civil::date(2026, 3, 2)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_policy_holds_what_the_processes_take_for_granted() {
        assert_eq!(Policy::sample().process, Terms::default());
        assert_eq!(Policy::sample().retention, retention::Terms::default());
    }
}
