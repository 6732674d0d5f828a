//! The generated contract, and the one road from a refusal to a gRPC status.
//!
//! The contract itself is in `proto/`; this crate compiles it without protoc and adds nothing to it. No rule lives here.

use prost_reflect::DescriptorPool;
use std::sync::LazyLock;

mod road;
mod status;

#[rustfmt::skip]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/protos.rs"));
}

pub use generated::{doorstroom::*, google};
pub use status::{from_date, reason, status, to_date};

/// The whole contract as an encoded `FileDescriptorSet`: what reflection serves.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The whole contract with its options, read once: what a call may be made for, who may receive an event, what a field tells.
pub static CONTRACT: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).expect("the contract was checked when it was built"));

/// A request that changes something, and is therefore repeated safely under its `request_id` (P3).
pub trait Mutation: prost::Message + prost::Name {
    /// The caller's own id for this call.
    fn request_id(&self) -> &str;
}

include!(concat!(env!("OUT_DIR"), "/mutations.rs"));
