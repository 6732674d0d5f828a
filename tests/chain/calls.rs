//! How people in the tests call: they hear an answer or a refusal with a reason, never a bare status.

use super::{Chain, PATIENCE};
use std::future::Future;
use std::time::{Duration, Instant};
use testkit::StatusExt as _;
use tonic::{Code, Response, Status};

/// Makes a call and gives what was said: the answer, or the refusal.
macro_rules! ask {
    ($chain:expr, $door:expr, $rpc:ident, $request:expr) => {{
        let door = &$door;
        let request = $request;
        $chain
            .said(|| {
                let (mut door, request) = (door.clone(), request.clone());
                async move { door.$rpc(request).await }
            })
            .await
    }};
}

/// Makes a call that is not refused.
macro_rules! call {
    ($chain:expr, $door:expr, $rpc:ident, $request:expr) => {
        match ask!($chain, $door, $rpc, $request) {
            Ok(answer) => answer,
            Err(status) => panic!("{}: {}", stringify!($rpc), doorstroom::refusal::explain(&status)),
        }
    };
}

/// Reads a version and says something of it; was somebody first, then it is read and said again, as anybody would.
macro_rules! of_version {
    ($read:expr, |$version:ident| $say:expr) => {
        loop {
            let $version = $read;
            match $say {
                Err(status) if testkit::reason(&status) == "STALE_VERSION" => {}
                answer => break answer,
            }
        }
    };
}

impl Chain {
    /// The answer to a call, or a refusal with its reason. A patient caller tries again, with the very same request, as
    /// long as a service is away.
    pub async fn said<T, F, C>(&self, call: F) -> Result<T, Status>
    where
        F: Fn() -> C,
        C: Future<Output = Result<Response<T>, Status>>,
    {
        let started = Instant::now();
        loop {
            let status = match call().await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => status,
            };
            let reasoned = status.get_error_details().error_info().is_some();
            let away = !reasoned || status.code() == Code::Unavailable;
            if !away {
                assert_ne!(status.code(), Code::Internal, "a service failed: {status:?}");
                return Err(status);
            }
            assert!(self.patient, "a service refused without a reason: {status:?}");
            assert!(started.elapsed() < PATIENCE, "a service stays away: {status:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
