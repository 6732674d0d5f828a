//! What holds in regie, without I/O: the case and its parts, tasks, and the processes that keep the chain together.

pub mod access_request;
pub mod acknowledgement;
pub mod case;
pub mod consent;
pub mod correction;
pub mod emergency;
pub mod erasure;
pub mod gate;
pub mod help_agreement;
pub mod merge;
pub mod month;
pub mod policy;
pub mod process;
pub mod readiness;
pub mod register;
pub mod relation;
pub mod release;
pub mod representative;
pub mod retention;
pub mod safe_contact;
pub mod separation;
pub mod split;
pub mod task;
pub mod word;

/// What somebody wrote, if it is 10 to 2000 characters of text.
fn written(text: &str) -> Option<String> {
    let text = text.trim();
    // PostgreSQL keeps no text with a zero in it.
    ((10..=2000).contains(&text.chars().count()) && !text.contains('\0')).then(|| text.to_owned())
}

/// The reasons for which regie refuses, page by page.
pub const REASONS: &[&[&kernel::Reason]] = &[
    case::REASONS,
    consent::REASONS,
    erasure::REASONS,
    gate::REASONS,
    merge::REASONS,
    relation::REASONS,
    task::REASONS,
    emergency::REASONS,
    safe_contact::REASONS,
    separation::REASONS,
    split::REASONS,
    retention::REASONS,
    release::REASONS,
    help_agreement::REASONS,
    access_request::REASONS,
    correction::REASONS,
    representative::REASONS,
];
