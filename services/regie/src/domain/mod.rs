//! What holds in regie, without I/O: the case and its parts, tasks, and the processes that keep the chain together.

pub mod acknowledgement;
pub mod case;
pub mod consent;
pub mod emergency;
pub mod erasure;
pub mod gate;
pub mod merge;
pub mod policy;
pub mod process;
pub mod readiness;
pub mod register;
pub mod relation;
pub mod retention;
pub mod separation;
pub mod split;
pub mod task;

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
    separation::REASONS,
    split::REASONS,
    retention::REASONS,
];
