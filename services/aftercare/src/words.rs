//! One word for one notion: the codes of the domain, of the database and of the proto have the same names, so they are
//! translated by name, and a new code needs no line here.

use crate::domain::{aftercare, contact_schedule, handover, signal};
use kernel::{Date, Municipality, Refusal, Timestamp, general};
use proto::aftercare::v1 as pb;
use proto::google::r#type::Date as DateMessage;

/// What stands for a municipality that nobody knows.
pub const UNKNOWN_MUNICIPALITY: &str = "0000";

/// A code of the domain that has a name in the proto.
pub trait Word: Sized {
    /// The enum of the proto.
    type Message: Default;

    /// Reads the code from the wire; `field` is the path named in the refusal.
    fn read(field: &'static str, value: i32) -> Result<Self, Refusal>;

    /// The code on the wire.
    fn message(&self) -> Self::Message;
}

macro_rules! words {
    ($($domain:ty = $message:ident, $prefix:literal;)*) => { $(
        impl Word for $domain {
            type Message = pb::$message;

            fn read(field: &'static str, value: i32) -> Result<Self, Refusal> {
                let name = pb::$message::try_from(value).ok().map(|message| message.as_str_name());
                let key = name.and_then(|name| name.strip_prefix($prefix)).map(str::to_lowercase);
                let word = key.and_then(|key| serde_json::from_value(serde_json::Value::String(key)).ok());
                word.ok_or_else(|| general::MALFORMED.field(field, "is required, from its list", "is verplicht, uit de lijst"))
            }

            fn message(&self) -> pb::$message {
                let name = format!("{}{}", $prefix, store::code(self).to_uppercase());
                pb::$message::from_str_name(&name).unwrap_or_default()
            }
        }
    )* };
}

words! {
    handover::ReturnReason = HandoverReturnReason, "HANDOVER_RETURN_REASON_";
    handover::Party = HandoverParty, "HANDOVER_PARTY_";
    contact_schedule::Outcome = ContactResult, "CONTACT_RESULT_";
    contact_schedule::Form = ContactForm, "CONTACT_FORM_";
    aftercare::Outcome = AftercareOutcome, "AFTERCARE_OUTCOME_";
    signal::Kind = SignalKind, "SIGNAL_KIND_";
    signal::Severity = SignalSeverity, "SIGNAL_SEVERITY_";
    signal::Outcome = SignalOutcome, "SIGNAL_OUTCOME_";
}

/// A code, or its absence, on the wire.
pub fn number<W: Word<Message = M>, M: Default + Into<i32>>(word: Option<&W>) -> i32 {
    word.map(Word::message).unwrap_or_default().into()
}

/// A date that may be left out.
pub fn date_opt(field: &'static str, date: Option<&DateMessage>) -> Result<Option<Date>, Refusal> {
    date.map(|date| proto::to_date(field, Some(date))).transpose()
}

/// An instant on the wire.
pub fn instant(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// A municipality, or what stands for none.
pub fn municipality(known: Option<&Municipality>) -> String {
    known.map_or(UNKNOWN_MUNICIPALITY, Municipality::as_str).to_owned()
}

/// A free text that may be left out, within its limit.
pub fn text(field: &'static str, text: &str) -> Result<String, Refusal> {
    let limit = crate::domain::TEXT_LIMIT;
    if text.chars().count() > limit {
        let (en, nl) = (format!("has more than {limit} characters"), format!("heeft meer dan {limit} tekens"));
        return Err(general::MALFORMED.field(field, en, nl));
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value of the proto but UNSPECIFIED is a word of the domain, and reads back as itself.
    fn proof<W: Word>()
    where
        W::Message: TryFrom<i32> + Into<i32>,
    {
        assert!(W::read("f", 0).is_err(), "unspecified is refused");
        let values: Vec<i32> = (1..100).take_while(|n| W::Message::try_from(*n).is_ok()).collect();
        assert!(!values.is_empty());
        for value in values {
            let word = W::read("f", value).unwrap_or_else(|refusal| panic!("{value}: {refusal}"));
            assert_eq!(word.message().into(), value);
        }
        assert!(W::read("f", 9_999).is_err());
    }

    #[test]
    fn the_codes_of_proto_and_domain_are_the_same() {
        proof::<handover::ReturnReason>();
        proof::<handover::Party>();
        proof::<contact_schedule::Outcome>();
        proof::<contact_schedule::Form>();
        proof::<aftercare::Outcome>();
        proof::<signal::Kind>();
        proof::<signal::Severity>();
        proof::<signal::Outcome>();
        for kind in signal::Kind::ALL {
            assert_ne!(kind.message(), pb::SignalKind::Unspecified, "{kind:?} has no name in the proto");
        }
    }
}
