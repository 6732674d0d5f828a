//! Coded words and fields between contract and domain. A word of the contract is the domain's code in capitals behind the
//! name of its enum, so one road serves them all.

use crate::domain::{check_instant, codes};
use kernel::{Date, Moment, Refusal, general};
use proto::access::v1 as pb;
use proto::google::r#type::Date as DateMessage;

/// A domain code with its enum in the contract.
pub trait Word: Copy + Sized {
    /// The enum in the contract.
    type Wire: Default + TryFrom<i32> + Into<i32>;
    /// The code in the domain.
    fn code(self) -> &'static str;
    /// The word of a code.
    fn of_code(code: &str) -> Option<Self>;
    /// The name in the contract.
    fn wire_name(wire: &Self::Wire) -> &'static str;
    /// The value of a name in the contract.
    fn of_wire_name(name: &str) -> Option<Self::Wire>;
}

macro_rules! words {
    ($($name:ident),* $(,)?) => { $(
        impl Word for codes::$name {
            type Wire = pb::$name;

            fn code(self) -> &'static str {
                self.as_str()
            }

            fn of_code(code: &str) -> Option<Self> {
                Self::from_code(code)
            }

            fn wire_name(wire: &pb::$name) -> &'static str {
                wire.as_str_name()
            }

            fn of_wire_name(name: &str) -> Option<pb::$name> {
                pb::$name::from_str_name(name)
            }
        }
    )*

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn every_word_of_the_contract_is_one_of_the_domain_and_the_other_way_round() {
            $(
                assert_eq!(wire(codes::$name::ALL[0]), 1, stringify!($name));
                for (n, code) in (1..).zip(codes::$name::ALL) {
                    assert_eq!(wire(*code), n, "{code:?}");
                    assert_eq!(word::<codes::$name>("f", n), Ok(*code));
                }
                assert!(word::<codes::$name>("f", codes::$name::ALL.len() as i32 + 1).is_err(), stringify!($name));
                assert!(word::<codes::$name>("f", 0).is_err());
                assert_eq!(word_opt::<codes::$name>("f", 0), Ok(None));
            )*
        }
    } };
}

words!(
    Trigger,
    FacilityKind,
    Audience,
    Provision,
    IntakeResult,
    RefusalGround,
    CancelReason,
    TargetGroup,
    DeviationReason,
    ExtensionReason,
    DecisionEndReason,
    WaitingLeaveReason,
    PlaceLevel,
    NightUse,
    HoldReason,
    Destination,
    DropOutReason,
    ClaimReleaseReason,
    MemberRole,
);

fn prefix<W: Word>() -> &'static str {
    W::wire_name(&W::Wire::default()).trim_end_matches("UNSPECIFIED")
}

/// The word on the wire.
pub fn wire<W: Word>(word: W) -> i32 {
    let name = format!("{}{}", prefix::<W>(), word.code().to_ascii_uppercase());
    W::of_wire_name(&name).map_or(0, Into::into)
}

/// The word on the wire, or its zero.
pub fn wire_opt<W: Word>(word: Option<W>) -> i32 {
    word.map_or(0, wire)
}

/// Reads a word that may be left out.
pub fn word_opt<W: Word>(field: impl Into<String>, value: i32) -> Result<Option<W>, Refusal> {
    if value == 0 {
        return Ok(None);
    }
    let read = W::Wire::try_from(value).ok().and_then(|wire| {
        let code = W::wire_name(&wire).trim_start_matches(prefix::<W>()).to_ascii_lowercase();
        W::of_code(&code)
    });
    read.map(Some).ok_or_else(|| general::MALFORMED.field(field, "is not a known code", "is geen bekende code"))
}

/// Reads a word that is required.
pub fn word<W: Word>(field: &'static str, value: i32) -> Result<W, Refusal> {
    word_opt(field, value)?.ok_or_else(|| general::MALFORMED.field(field, "is required", "is verplicht"))
}

/// A day that is required.
pub fn day(field: &'static str, date: Option<&DateMessage>) -> Result<Date, Refusal> {
    proto::to_date(field, date)
}

/// A day that may be left out.
pub fn day_opt(field: &'static str, date: Option<&DateMessage>) -> Result<Option<Date>, Refusal> {
    date.map(|date| proto::to_date(field, Some(date))).transpose()
}

/// A day, or today when it is left out.
pub fn day_or_today(field: &'static str, date: Option<&DateMessage>, now: Moment) -> Result<Date, Refusal> {
    Ok(day_opt(field, date)?.unwrap_or(now.date))
}

/// A day on the wire.
pub fn date(day: Date) -> Option<DateMessage> {
    Some(proto::from_date(day))
}

/// A day on the wire, or nothing.
pub fn date_opt(day: Option<Date>) -> Option<DateMessage> {
    day.map(proto::from_date)
}

/// An instant that has passed, or now when it is left out.
pub fn instant_or_now(
    field: &'static str,
    at: Option<&prost_types::Timestamp>,
    now: Moment,
) -> Result<kernel::Timestamp, Refusal> {
    let Some(at) = at else { return Ok(now.at) };
    let read = kernel::Timestamp::new(at.seconds, at.nanos);
    let read =
        read.map_err(|_| general::MALFORMED.field(field, "is not a valid instant", "is geen geldig tijdstip"))?;
    check_instant(field, read, now)?;
    Ok(read)
}

/// All of them, or what is wrong with each.
pub fn all<T>(read: impl Iterator<Item = Result<T, Refusal>>) -> Result<Vec<T>, Refusal> {
    let mut wrong = Wrong::default();
    let good: Vec<T> = read.filter_map(|one| wrong.note(one)).collect();
    match wrong.0 {
        Some(refusal) => Err(refusal),
        None => Ok(good),
    }
}

/// An id, or none when the text is empty.
pub fn id_opt<T>(
    field: &'static str,
    text: &str,
    parse: fn(&'static str, &str) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

/// An id on the wire, or the empty text.
pub fn text<T: ToString>(id: Option<T>) -> String {
    id.map_or(String::new(), |id| id.to_string())
}

/// An instant on the wire.
pub fn instant(at: kernel::Timestamp) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() })
}

/// Gathers what is wrong in a request, so that all fields are named at once.
#[derive(Default)]
pub struct Wrong(Option<Refusal>);

impl Wrong {
    /// Keeps the refusal, hands on what was read.
    pub fn note<T>(&mut self, read: Result<T, Refusal>) -> Option<T> {
        let refusal = match read {
            Ok(value) => return Some(value),
            Err(refusal) => refusal,
        };
        match &mut self.0 {
            Some(first) => first.fields.extend(refusal.fields),
            none => *none = Some(refusal),
        }
        None
    }

    /// All of it.
    pub fn refusal(self) -> Refusal {
        self.0.unwrap_or_else(|| (&general::MALFORMED).into())
    }
}

/// Reads fields, and refuses with all that are wrong: `read! { day = words::day("day", m.day.as_ref()); … }`.
macro_rules! read {
    ($($name:ident = $read:expr;)*) => {
        let mut wrong = $crate::words::Wrong::default();
        $(let $name = wrong.note($read);)*
        let ($(Some($name),)*) = ($($name,)*) else { return Err(wrong.refusal().into()) };
    };
}

pub(crate) use read;
