//! Ids. On the wire and in the database they are strings; in code they are never mixed up.

use crate::{Refusal, general};

/// Makes a newtype over a UUID for one kind of thing: `id!(OfferId, "offer");`
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $crate::Uuid);

        impl $name {
            /// Reads the id as it stands on the wire; `field` is the path named in the refusal.
            pub fn parse(field: &'static str, text: &str) -> Result<Self, $crate::Refusal> {
                $crate::Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| $crate::general::MALFORMED.field(field, "is not a valid id", "is geen geldig kenmerk"))
            }
        }

        impl From<$crate::Uuid> for $name {
            fn from(id: $crate::Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// The random id by which every service but access knows a client (UUIDv4; derived from nothing).
    ClientId
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $valid:expr, $en:literal, $nl:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Reads the code as it stands on the wire; `field` is the path named in the refusal.
            pub fn parse(field: &'static str, text: &str) -> Result<Self, Refusal> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(general::MALFORMED.field(field, $en, $nl))
                }
            }

            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

code! {
    /// An organisation in the municipality's register: lower-case letters, digits and dashes, at most 40.
    Organisation,
    |text| {
        (2..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    },
    "is not an organisation code (lower-case letters, digits and dashes)",
    "is geen organisatiecode (kleine letters, cijfers en streepjes)"
}

code! {
    /// A municipality by its four digits (CBS), leading zeros kept.
    Municipality,
    |text| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()),
    "is not a municipality code (four digits)",
    "is geen gemeentecode (vier cijfers)"
}

code! {
    /// A district (wijk) by its CBS code: WK and six digits.
    District,
    |text| text.len() == 8 && text.starts_with("WK") && text[2..].bytes().all(|b| b.is_ascii_digit()),
    "is not a district code (WK and six digits)",
    "is geen wijkcode (WK en zes cijfers)"
}

impl District {
    /// The municipality that the district lies in: the first four digits of its code.
    pub fn municipality(&self) -> Municipality {
        Municipality(self.0[2..6].to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_no_code_names_its_field() {
        let refusal = Municipality::parse("municipality", "505").unwrap_err();
        assert_eq!(refusal.fields[0].path, "municipality");
        assert!(Municipality::parse("municipality", "0505").is_ok());
        assert!(Organisation::parse("organisation", "Leger des Heils").is_err());
        assert_eq!(District::parse("district", "WK050503").unwrap().municipality().as_str(), "0505");
        assert!(ClientId::parse("client_id", "no-uuid").is_err());
    }
}
