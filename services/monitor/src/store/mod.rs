//! The monitor's rows: facts per set, and the sets themselves.

pub mod export;
pub mod fact;
pub mod generation;
