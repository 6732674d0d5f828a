//! One binary for all tests that no single service can run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

#[macro_use]
mod chain;

mod bad_input;
mod canaries;
mod cells;
mod decoders;
mod dependencies;
mod deploy;
mod documents;
mod export;
mod false_peers;
mod fuzz;
mod oracle;
mod replay;
mod rights;
mod rooms;
mod wire;
