//! What tests stand on: a fresh database of either engine, a clock moved by hand, a token for every role, one service over
//! real gRPC, and stand-ins for the feeds that it follows.
//!
//! A test that is written once runs on both engines:
//!
//! ```ignore
//! testkit::on_both_engines! {
//!     /// R-HOU-22
//!     async fn an_offer_cannot_be_accepted_after_its_term(bench: Bench<Housing>) { … }
//! }
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by panicking"
)]

mod bench;
mod certificates;
mod database;
mod peer;
mod watched;

pub use bench::{Bench, Client, actor, client_actor, issuer, rid, until};
pub use certificates::{Authority, Shown};
pub use database::{Database, Engine, Server};
pub use peer::FakePeer;
pub use tonic::Code;
pub use tonic_types::StatusExt;
pub use watched::Watched;

/// The reason code of a refusal: what `ErrorInfo` carries. Fails on a status without.
pub fn reason(status: &tonic::Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("a status without ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "doorstroom");
    info.reason.clone()
}

/// All that a caller hears of a refusal, to compare with another one: code, message and every detail.
pub fn heard(status: &tonic::Status) -> String {
    let mut details = status.get_error_details();
    let info = details.error_info().cloned().unwrap_or_else(|| panic!("a status without ErrorInfo: {status:?}"));
    // A map has no order of its own.
    let metadata: std::collections::BTreeMap<_, _> = info.metadata.into_iter().collect();
    details.set_error_info(info.reason, info.domain, std::collections::HashMap::new());
    format!("{:?} {} {metadata:?} {details:?}", status.code(), status.message())
}

/// Writes one test for both engines: a module with the test's name and a test per engine in it. The one on PostgreSQL is
/// passed over, and says so, where its binaries are not installed.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($bench:ident: Bench<$service:ty> = $make:expr) $body:block)*) => { $(
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes)]
            use super::*;

            async fn proof($bench: $crate::Bench<$service>) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let bench = $crate::Bench::start($crate::Engine::Sqlite, || $make).await.expect("SQLite is compiled in");
                proof(bench).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                match $crate::Bench::start($crate::Engine::Postgres, || $make).await {
                    Some(bench) => proof(bench).await,
                    None => eprintln!("passed over: PostgreSQL is not installed"),
                }
            }
        }
    )* };
}
