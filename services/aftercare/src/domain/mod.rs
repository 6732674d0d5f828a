//! The rules of aftercare. Pure: no I/O, no clock, no randomness; the moment, the policy and ids come in as arguments.
//!
//! Each aggregate decides for itself; [`circle`] says which teams are responsible for a client, and is asked once, when a
//! signal comes in. A state names the instant at which it must be looked at again (`wake_at`); who keeps the timer then
//! sends `Lapse`.

pub mod aftercare;
pub mod circle;
pub mod contact_schedule;
pub mod handover;
mod policy;
pub mod signal;
pub mod signalling_plan;

pub use policy::{AnswerTerm, DEFAULT_POLICY, Policy};

use kernel::Reason;

kernel::id! {
    /// An allocation of housing: the move that a handover and an aftercare belong to.
    AllocationId
}
kernel::id! {
    /// A warm handover.
    HandoverId
}
kernel::id! {
    /// Aftercare of one household after one move.
    AftercareId
}
kernel::id! {
    /// A signal.
    SignalId
}

/// This service's pages of the error catalogue.
pub const REASONS: &[&[&Reason]] =
    &[handover::REASONS, signalling_plan::REASONS, contact_schedule::REASONS, aftercare::REASONS, signal::REASONS];

/// The longest free text of the service, in characters.
pub const TEXT_LIMIT: usize = 4_000;

/// Notes the fields that hold nothing, or more than `limit` characters.
fn check_text(wrong: &mut Vec<kernel::Violation>, path: &str, text: &str, limit: usize) {
    let (en, nl) = if text.trim().is_empty() {
        ("is required".to_owned(), "is verplicht".to_owned())
    } else if text.chars().count() > limit {
        (format!("has more than {limit} characters"), format!("heeft meer dan {limit} tekens"))
    } else {
        return;
    };
    wrong.push(kernel::Violation { path: path.to_owned(), en, nl });
}
