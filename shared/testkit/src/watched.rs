//! A connection on which no answer goes unseen: a bare INTERNAL, without a reason of ours, fails the test that got it, also
//! where the test itself expected no more than some refusal.

use http_body_util::BodyExt as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::transport::{Channel, Error};

/// The calls that were answered with a bare INTERNAL.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bare(Arc<Mutex<Vec<String>>>);

impl Bare {
    /// Looks at the status in headers or trailers.
    fn look(&self, rpc: &str, said: &HeaderMap) {
        let internal = said.get("grpc-status").is_some_and(|code| code == "13");
        if internal && !said.contains_key("grpc-status-details-bin") {
            let why = said.get("grpc-message").and_then(|why| why.to_str().ok()).unwrap_or_default();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{rpc}: {why}"));
        }
    }

    /// All of them so far.
    pub fn seen(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A channel whose answers are looked at.
#[derive(Clone)]
pub struct Watched {
    channel: Channel,
    bare: Bare,
}

impl Watched {
    pub(crate) fn new(channel: Channel, bare: Bare) -> Self {
        Self { channel, bare }
    }
}

impl Service<Request<Body>> for Watched {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (rpc, bare) = (request.uri().path().to_owned(), self.bare.clone());
        let answer = self.channel.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            bare.look(&rpc, answer.headers());
            Ok(answer.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    if let Some(trailers) = frame.trailers_ref() {
                        bare.look(&rpc, trailers);
                    }
                    frame
                }))
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_fault_without_a_reason_is_seen_and_nothing_else() {
        let bare = Bare::default();
        let headers = |lines: &[(&'static str, &str)]| {
            let lines = lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            lines.collect::<HeaderMap>()
        };
        bare.look("/a", &headers(&[("grpc-status", "0")]));
        bare.look("/b", &headers(&[("grpc-status", "7")]));
        bare.look("/c", &headers(&[("grpc-status", "13"), ("grpc-status-details-bin", "CA")]));
        bare.look("/d", &headers(&[]));
        assert_eq!(bare.seen(), Vec::<String>::new());
        bare.look("/e", &headers(&[("grpc-status", "13"), ("grpc-message", "it broke")]));
        assert_eq!(bare.seen(), ["/e: it broke"]);
    }
}
