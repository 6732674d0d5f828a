//! Policy is data: what a municipality decided, with effective dates. A decision is judged by the values of its own date.

use crate::{Date, Municipality};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// All versions of one service's policy, read from a TOML file of `[[version]]` tables.
///
/// Each version names the `municipality` it is for (`"*"` for every one) and the day it is `valid_from`; the rest of the
/// table is the service's own type. A municipality's own version goes before the general one of the same or an earlier day.
#[derive(Clone, Debug)]
pub struct Dated<T> {
    versions: Vec<Version<T>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Version<T> {
    municipality: String,
    valid_from: Date,
    #[serde(flatten)]
    value: T,
}

#[derive(Deserialize)]
struct File<T> {
    version: Vec<Version<T>>,
}

/// What is wrong with a policy file.
#[derive(Debug)]
pub enum PolicyError {
    /// Not TOML, or a field is missing or of another type.
    Unreadable(String),
    /// No version for every municipality: some decision would have no policy.
    NoGeneralVersion,
    /// The municipality is neither four digits nor `*`.
    UnknownMunicipality(String),
    /// Two versions for the same municipality start on the same day.
    Twice(String, Date),
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "the policy file cannot be read: {why}"),
            Self::NoGeneralVersion => f.write_str("the policy file has no version for municipality \"*\""),
            Self::UnknownMunicipality(code) => write!(f, "municipality {code:?} is neither four digits nor \"*\""),
            Self::Twice(code, date) => write!(f, "municipality {code:?} has two versions from {date}"),
        }
    }
}

impl std::error::Error for PolicyError {}

impl<T: DeserializeOwned> Dated<T> {
    /// Reads and checks a policy file.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let File { mut version } =
            toml::from_str::<File<T>>(text).map_err(|e| PolicyError::Unreadable(e.to_string()))?;
        version.sort_by_key(|one| one.valid_from);
        for (i, one) in version.iter().enumerate() {
            if one.municipality != "*" && Municipality::parse("municipality", &one.municipality).is_err() {
                return Err(PolicyError::UnknownMunicipality(one.municipality.clone()));
            }
            if version[..i].iter().any(|o| o.municipality == one.municipality && o.valid_from == one.valid_from) {
                return Err(PolicyError::Twice(one.municipality.clone(), one.valid_from));
            }
        }
        if !version.iter().any(|one| one.municipality == "*") {
            return Err(PolicyError::NoGeneralVersion);
        }
        Ok(Self { versions: version })
    }
}

impl<T> Dated<T> {
    /// The same versions, each completed with what stands in another file.
    pub fn completed(mut self, complete: impl Fn(&mut T)) -> Self {
        self.versions.iter_mut().for_each(|version| complete(&mut version.value));
        self
    }

    /// The values that hold for a municipality on a day. Before the first general version, that first one holds.
    pub fn at(&self, municipality: &Municipality, date: Date) -> &T {
        let newest = |code: &str| self.versions.iter().rev().find(|v| v.municipality == code && v.valid_from <= date);
        let version = newest(municipality.as_str())
            .or_else(|| newest("*"))
            .or_else(|| self.versions.iter().find(|v| v.municipality == "*"));
        // `parse` refuses a file without a general version.
        &version.expect("a policy has a general version").value
    }

    /// Names the version that holds: municipality and first day, as stored with each decision.
    pub fn version_at(&self, municipality: &Municipality, date: Date) -> String {
        let newest = |code: &str| self.versions.iter().rev().find(|v| v.municipality == code && v.valid_from <= date);
        newest(municipality.as_str())
            .or_else(|| newest("*"))
            .map_or_else(|| "first".to_owned(), |v| format!("{}@{}", v.municipality, v.valid_from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[derive(Debug, Deserialize)]
    struct Sample {
        months: i32,
    }

    const FILE: &str = r#"
        [[version]]
        municipality = "*"
        valid_from = "2015-01-01"
        months = 3
        [[version]]
        municipality = "*"
        valid_from = "2020-06-01"
        months = 6
        [[version]]
        municipality = "0392"
        valid_from = "2021-01-01"
        months = 9
    "#;

    #[test]
    fn a_decision_is_judged_by_the_values_of_its_own_date() {
        let policy = Dated::<Sample>::parse(FILE).unwrap();
        let haarlem = Municipality::parse("m", "0392").unwrap();
        let dordrecht = Municipality::parse("m", "0505").unwrap();
        assert_eq!(policy.at(&dordrecht, date(2020, 5, 31)).months, 3);
        assert_eq!(policy.at(&dordrecht, date(2020, 6, 1)).months, 6);
        assert_eq!(policy.at(&haarlem, date(2020, 12, 31)).months, 6);
        assert_eq!(policy.at(&haarlem, date(2021, 1, 1)).months, 9);
        assert_eq!(policy.at(&haarlem, date(1999, 1, 1)).months, 3);
        assert_eq!(policy.version_at(&haarlem, date(2021, 1, 1)), "0392@2021-01-01");
    }

    #[test]
    fn a_file_that_leaves_a_decision_without_policy_is_refused() {
        let twice = FILE.replace("2020-06-01", "2015-01-01");
        assert!(matches!(Dated::<Sample>::parse(&twice), Err(PolicyError::Twice(..))));
        assert!(matches!(Dated::<Sample>::parse(&FILE.replace('*', "0505")), Err(PolicyError::NoGeneralVersion)));
        assert!(matches!(
            Dated::<Sample>::parse(&FILE.replace("0392", "392")),
            Err(PolicyError::UnknownMunicipality(_))
        ));
        assert!(matches!(Dated::<Sample>::parse("[[version]]"), Err(PolicyError::Unreadable(_))));
    }
}
