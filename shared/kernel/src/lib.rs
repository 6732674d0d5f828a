//! The words that all services share. Pure: no I/O, no clock, no randomness, no log line.
//!
//! A word that only one service uses lives with that service.

mod actor;
mod bsn;
mod calendar;
mod id;
mod moment;
mod money;
mod own_access;
mod policy;
mod refusal;

pub use actor::{Actor, Role};
pub use bsn::Bsn;
pub use calendar::{Calendar, Term};
pub use id::{ClientId, District, Municipality, Organisation};
pub use jiff::{Timestamp, civil::Date};
pub use moment::Moment;
pub use money::Cents;
pub use own_access::OwnAccess;
pub use policy::{Dated, PolicyError};
pub use refusal::{Kind, Reason, Refusal, Violation, general};

/// Re-exported for the macros of this crate.
pub use uuid::Uuid;
