//! Who asks, and may they: token to actor, the policy table, the register of purposes, tokens for outgoing calls,
//! signed checkpoints of the access log.
//!
//! It knows nothing of gRPC: it takes and gives header values, and refuses with reasons of the kernel.

mod checkpoint;
mod fetch;
mod issuer;
mod jose;
mod keys;
mod policy;
mod protocol;
mod purpose;
mod revoked;
#[cfg(test)]
mod testing;
mod thumbprint;
mod token;
mod trust;
mod watched;
mod why;

pub use checkpoint::{CHECKPOINT_TYPE, Checkpoint, CheckpointError};
pub use issuer::{Issuer, IssuerError, TokenSource};
pub use jose::Algorithm;
pub use keys::{Keys, KeysError};
pub use policy::{Grant, Policy, PolicyFileError, Relation, Rule, Standing};
pub use protocol::{Asked, Decision, Protocol, ProtocolError};
pub use purpose::{Ground, PURPOSE_HEADER, Purpose, Purposes};
pub use revoked::{Revocations, RevocationsError};
pub use thumbprint::Thumbprint;
pub use token::{Denied, Verified, Verifier};
pub use trust::{Trust, TrustError, Trusted};
pub use watched::Watched;

/// The name of the development issuer, which prints its tokens for anybody to use.
pub const DEVELOPMENT_ISSUER: &str = "doorstroom-dev";

/// The audience that a token for any service of the chain names, where there is one issuer for everything.
pub const AUDIENCE: &str = "doorstroom";
