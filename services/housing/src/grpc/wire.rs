//! Codes, dates and ids between the wire and the domain. A code's name on the wire follows from its key, so that a new
//! code needs nothing here.

use crate::domain::{self, Code};
use kernel::{Date, Refusal, general};
use proto::housing::v1 as pb;

/// A code that has an enum of the same name in the contract.
pub trait Wire: Code {
    /// The number on the wire.
    fn to_wire(self) -> i32;
    /// The code of a number; `None` when unspecified, malformed when unknown.
    fn read(field: &'static str, value: i32) -> Result<Option<Self>, Refusal>;

    /// The code of a number that must be there.
    fn require(field: &'static str, value: i32) -> Result<Self, Refusal> {
        Self::read(field, value)?.ok_or_else(|| general::MALFORMED.field(field, "is required", "is verplicht"))
    }

    /// Each of a list.
    fn read_all(field: &'static str, values: &[i32]) -> Result<Vec<Self>, Refusal> {
        values.iter().map(|value| Self::require(field, *value)).collect()
    }
}

/// `TargetGroup` and "permit_holders" are `TARGET_GROUP_PERMIT_HOLDERS` in the contract.
fn wire_name(list: &str, key: &str) -> String {
    let mut name = String::new();
    for (i, letter) in list.chars().enumerate() {
        if letter.is_ascii_uppercase() && i > 0 {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    format!("{name}_{}", key.to_ascii_uppercase())
}

macro_rules! wire {
    ($($name:ident),* $(,)?) => {
        $(impl Wire for domain::$name {
            fn to_wire(self) -> i32 {
                pb::$name::from_str_name(&wire_name(Self::NAME, self.as_str())).map_or(0, i32::from)
            }

            fn read(field: &'static str, value: i32) -> Result<Option<Self>, Refusal> {
                let unknown = || general::MALFORMED.field(field, "is no known code", "is geen bekende code");
                if value == 0 {
                    return Ok(None);
                }
                let name = pb::$name::try_from(value).map_err(|_| unknown())?.as_str_name();
                Self::ALL.iter().copied().find(|code| wire_name(Self::NAME, code.as_str()) == name).map(Some).ok_or_else(unknown)
            }
        })*

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn every_code_is_in_the_contract_and_every_code_of_the_contract_is_known() {
                $(
                    for code in domain::$name::ALL {
                        assert_ne!(code.to_wire(), 0, "{code:?} is not in the contract");
                        assert_eq!(domain::$name::read("f", code.to_wire()), Ok(Some(*code)));
                    }
                    let known = (1..100).filter(|n| pb::$name::try_from(*n).is_ok());
                    for value in known {
                        assert!(domain::$name::read("f", value).is_ok(), "{} {value}", domain::$name::NAME);
                    }
                )*
            }
        }
    };
}

wire!(
    AgeClass,
    Capacity,
    ContingentChangeReason,
    ContractForm,
    DeclineReason,
    DeviationReason,
    DwellingKind,
    DwellingState,
    GateGround,
    IncomeClass,
    LeaseEndReason,
    Party,
    RefusalReason,
    ScorePart,
    TargetGroup,
    TemporaryGround,
    Tenant,
    WithdrawalReason,
);

/// The code on the wire, or unspecified.
pub fn or_unspecified<C: Wire>(code: Option<C>) -> i32 {
    code.map_or(0, Wire::to_wire)
}

/// A state by its name on the wire.
macro_rules! state {
    ($function:ident, $name:ident, $list:literal) => {
        /// The state on the wire.
        pub fn $function(name: &str) -> i32 {
            pb::$name::from_str_name(&wire_name($list, name)).map_or(0, i32::from)
        }
    };
}

state!(offer_state, OfferState, "OfferState");
state!(nomination_state, NominationState, "NominationState");
state!(allocation_state, AllocationState, "AllocationState");

/// A wanted state as the name in its column; empty for all.
pub fn state_filter(field: &'static str, prefix: &str, name: Option<&'static str>) -> Result<String, Refusal> {
    match name.and_then(|name| name.strip_prefix(prefix)) {
        Some("UNSPECIFIED") => Ok(String::new()),
        Some(state) => Ok(state.to_ascii_lowercase()),
        None => Err(general::MALFORMED.field(field, "is no known state", "is geen bekende status")),
    }
}

/// A date that may be absent.
pub fn date_opt(field: &'static str, date: Option<&proto::google::r#type::Date>) -> Result<Option<Date>, Refusal> {
    date.map(|date| proto::to_date(field, Some(date))).transpose()
}

/// A number that is not negative.
pub fn count(field: &'static str, value: i32) -> Result<u32, Refusal> {
    u32::try_from(value).map_err(|_| general::MALFORMED.field(field, "is negative", "is negatief"))
}

/// A number that is not negative; 0 for none.
pub fn count_opt(field: &'static str, value: i32) -> Result<Option<u32>, Refusal> {
    count(field, value).map(|value| Some(value).filter(|value| *value > 0))
}
