//! From a refusal to a gRPC status with its details (AIP-193), and between civil dates and their messages.

use crate::google::r#type::Date as DateMessage;
use kernel::{Date, Kind, Refusal, general};
use std::collections::HashMap;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

/// The status of a refusal: message in English, `LocalizedMessage` in Dutch, `ErrorInfo` with reason and rule, and the
/// way out as the kind of refusal asks.
pub fn status(refusal: &Refusal) -> Status {
    let reason = refusal.reason;
    let mut metadata: HashMap<String, String> =
        refusal.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    metadata.insert("rule".to_owned(), reason.rule.to_owned());

    let mut details = ErrorDetails::new();
    details.set_error_info(reason.code, "doorstroom", metadata);
    let fields: String = refusal.fields.iter().map(|v| format!(" {} {}.", v.path, v.nl)).collect();
    details.set_localized_message("nl", format!("{}{fields} {}", refusal.nl(), refusal.uitweg()));
    match reason.kind {
        Kind::Malformed => {
            let violations = refusal.fields.iter().map(|v| FieldViolation::new(v.path.clone(), v.en.clone()));
            details.set_bad_request(violations.collect::<Vec<_>>());
        }
        Kind::Rule => {
            details.set_precondition_failure(vec![PreconditionViolation::new(
                reason.rule,
                reason.code,
                refusal.way_out(),
            )]);
        }
        Kind::Away => {
            details.set_retry_info(Some(Duration::from_secs(1)));
        }
        Kind::Quota => {
            // When it is known from when on it would pass.
            let retry = refusal.facts.iter().find(|(name, _)| *name == "retry_ms");
            if let Some(after) = retry.and_then(|(_, ms)| ms.parse().ok()) {
                details.set_retry_info(Some(Duration::from_millis(after)));
            }
        }
        _ => {}
    }
    let fields: String = refusal.fields.iter().map(|v| format!(" {} {}.", v.path, v.en)).collect();
    let message = format!("{}{fields} {}", refusal.en(), refusal.way_out());
    Status::with_error_details(code(reason.kind), message, details)
}

/// The reason of a refusal that came over the wire, such as `TOKEN_EXPIRED`.
pub fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

fn code(kind: Kind) -> Code {
    match kind {
        Kind::Rule => Code::FailedPrecondition,
        Kind::Malformed => Code::InvalidArgument,
        Kind::NotFound => Code::NotFound,
        Kind::Denied => Code::PermissionDenied,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Taken => Code::AlreadyExists,
        Kind::Stale => Code::Aborted,
        Kind::OutOfRange => Code::OutOfRange,
        Kind::Quota => Code::ResourceExhausted,
        Kind::Late => Code::DeadlineExceeded,
        Kind::Away => Code::Unavailable,
        Kind::Fault => Code::Internal,
    }
}

/// A civil date as it goes on the wire.
pub fn from_date(date: Date) -> DateMessage {
    DateMessage { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// A civil date from the wire; `field` is the path named when it is missing or no date.
pub fn to_date(field: &'static str, date: Option<&DateMessage>) -> Result<Date, Refusal> {
    let malformed = || general::MALFORMED.field(field, "is not a calendar date", "is geen kalenderdatum");
    let date = date.ok_or_else(malformed)?;
    let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    let (Ok(year @ 1..), Ok(month), Ok(day)) = parts else { return Err(malformed()) };
    Date::new(year, month, day).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_reason_rule_and_both_languages() {
        let status = status(&general::STALE_VERSION.with("seen", 1).with("current", 2));
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(reason(&status).as_deref(), Some("STALE_VERSION"));
        assert_eq!(reason(&Status::internal("")), None);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("STALE_VERSION", "doorstroom"));
        assert_eq!(info.metadata["rule"], "P3");
        let localized = details.localized_message().unwrap();
        assert_eq!(localized.locale, "nl");
        assert!(localized.message.starts_with("U zag versie 1"));
    }

    #[test]
    fn a_date_that_is_none_names_its_field() {
        for (year, month, day) in [(0, 1, 1), (2026, 2, 30), (2026, 13, 1), (-1, 1, 1), (99_999, 1, 1), (2026, 0, 0)] {
            let refusal = to_date("starts_on", Some(&DateMessage { year, month, day })).unwrap_err();
            assert_eq!(refusal.fields[0].path, "starts_on");
        }
        assert_eq!(to_date("d", Some(&from_date(kernel::Date::constant(2024, 2, 29)))).unwrap().day(), 29);
    }
}
