//! A refusal as a person reads it.

use std::fmt::Write as _;
use tonic::Status;
use tonic_types::StatusExt as _;

/// Reason, rule, why in both languages, the fields that are wrong, and the way out.
pub fn explain(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = format!("{:?}", status.code());
    if let Some(info) = details.error_info() {
        let _ = write!(text, ": {}", info.reason);
        if let Some(rule) = info.metadata.get("rule") {
            let _ = write!(text, " ({rule})");
        }
    }
    let _ = write!(text, "\n  {}", status.message());
    if let Some(local) = details.localized_message() {
        let _ = write!(text, "\n  {}", local.message);
    }
    for violation in details.bad_request().into_iter().flat_map(|bad| &bad.field_violations) {
        let _ = write!(text, "\n  field {}: {}", violation.field, violation.description);
    }
    for violation in details.precondition_failure().into_iter().flat_map(|failure| &failure.violations) {
        let _ = write!(text, "\n  way out: {}", violation.description);
    }
    text
}

/// The reason's code, as `OFFER_EXPIRED`; empty when the service gave none.
pub fn reason(status: &Status) -> String {
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    reason.strip_prefix("REASON_").map_or(reason.clone(), str::to_owned)
}
