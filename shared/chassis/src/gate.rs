//! The gate before every RPC: who are you, may your role call this, for what purpose. Default deny. What it refuses is in
//! the access log before the answer leaves. Health and reflection tell nothing about anybody and pass.

use crate::call::{explain, explain_fault};
use crate::limits::Bounds;
use crate::tls::Shown;
use crate::{Caller, Chassis, MAX_REQUEST_BYTES};
use auth::{Denied, PURPOSE_HEADER, Policy, Purposes, Thumbprint};
use futures_util::FutureExt as _;
use http::{Request, Response};
use kernel::{Actor, Refusal, general};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Instant;
use telemetry::TraceContext;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument as _;

/// An RPC of the contract.
struct Method {
    /// What it may be called for: read from the options in the proto.
    purposes: Vec<String>,
    /// Whether its answer goes on.
    streams: bool,
}

/// The contract, by path.
static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let purposes =
        proto::CONTRACT.get_extension_by_name("doorstroom.audit.v1.purposes").expect("checked when it was built");
    let allowed = |method: &prost_reflect::MethodDescriptor| {
        let codes = method.options().get_extension(&purposes).into_owned();
        codes.as_list().unwrap_or_default().iter().filter_map(|code| code.as_str().map(str::to_owned)).collect()
    };
    let services = proto::CONTRACT.services();
    services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            (path, Method { purposes: allowed(&method), streams: method.is_server_streaming() })
        })
        .collect()
});

/// For which purposes the contract lists each RPC (`Service/Method`).
pub(crate) fn listed() -> BTreeMap<String, Vec<String>> {
    let short = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    METHODS.iter().map(|(path, method)| (short(path), method.purposes.clone())).collect()
}

/// Puts a gate before every RPC of a service.
#[derive(Clone)]
pub(crate) struct GateLayer {
    chassis: Chassis,
}

impl GateLayer {
    pub fn new(chassis: Chassis) -> Self {
        Self { chassis }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { inner, gate: self.clone() }
    }
}

/// The gate itself.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    inner: S,
    gate: GateLayer,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone takes the place of the one that was polled ready.
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let gate = self.gate.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let Some(method) = METHODS.get(&path) else {
                return inner.call(request).await;
            };
            let headers = request.headers();
            let trace = TraceContext::from_header(header(headers, TraceContext::HEADER));
            let span =
                tracing::info_span!("call", service = gate.chassis.about.name, rpc = %path, trace = %trace.trace_id());
            let purpose = header(headers, PURPOSE_HEADER).unwrap_or_default().to_owned();
            let bearer = header(headers, "authorization").unwrap_or_default().to_owned();
            let certificate = request.extensions().get::<Shown>().and_then(|shown| shown.certificate);
            let bounds = Bounds::until(header(headers, "grpc-timeout").unwrap_or_default());
            match gate.admit(&path, method, (&bearer, certificate), &purpose, trace, bounds).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    let response = guarded(inner.call(request).instrument(span)).await?;
                    Ok(translate(response))
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

/// A fault of ours in one call is an answer to that call, and nothing to the others on its connection.
async fn guarded<E>(call: impl Future<Output = Result<Response<Body>, E>>) -> Result<Response<Body>, E> {
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(answered) => answered,
        Err(panic) => {
            let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Ok(explain_fault(&std::io::Error::other(what)).into_http())
        }
    }
}

fn header<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl GateLayer {
    async fn admit(
        &self,
        path: &str,
        method: &Method,
        (bearer, certificate): (&str, Option<Thumbprint>),
        purpose: &str,
        trace: TraceContext,
        mut bounds: Bounds,
    ) -> Result<Arc<Caller>, tonic::Status> {
        let rpc: Arc<str> = path.rsplit('.').next().unwrap_or(path).into();
        let caller = |actor: &Arc<Actor>, token| Caller {
            actor: actor.clone(),
            rpc: rpc.clone(),
            purpose: purpose.into(),
            grants: Vec::new(),
            token,
            trace,
            bounds: Bounds::default(),
            certified: certificate.is_some(),
        };
        let token = match self.chassis.verifier.verify_over(bearer, certificate, std::time::SystemTime::now()).await {
            Ok(token) => token,
            Err(Denied { refusal, actor }) => {
                let actor = actor.unwrap_or_else(|| Arc::new(nobody()));
                return Err(self.deny(caller(&actor, None), refusal).await);
            }
        };
        let actor = token.actor().clone();
        let caller = caller(&actor, Some(token));
        // The services pass on what partners asked, each call of which was counted. And what is refused here leaves no entry
        // in the access log: nothing was looked at, and a flood must not be made worse by writing it down.
        if !actor.roles.iter().all(|role| role.as_str().starts_with("svc_")) {
            self.chassis
                .shares
                .count(&actor.organisation, Instant::now())
                .map_err(|refusal| proto::status(&refusal))?;
        }
        let grants = match Policy::embedded().grants(path, &actor) {
            Ok(grants) => grants,
            Err(refusal) => return Err(self.deny(caller, refusal).await),
        };
        let codes: Vec<&str> = method.purposes.iter().map(String::as_str).collect();
        if let Err(refusal) = Purposes::embedded().admit(&rpc, &codes, purpose) {
            return Err(self.deny(caller, refusal).await);
        }
        let place = method.streams.then(|| self.chassis.shares.place(&actor.organisation)).transpose();
        bounds.place = place.map_err(|refusal| proto::status(&refusal))?.map(Arc::new);
        Ok(Arc::new(Caller { grants, bounds, ..caller }))
    }

    async fn deny(&self, caller: Caller, refusal: Refusal) -> tonic::Status {
        // A purpose that is no code of ours may be any text; it is not kept.
        let known = Purposes::embedded().get(&caller.purpose).is_some();
        let caller = if known { caller } else { Caller { purpose: "".into(), ..caller } };
        explain(&self.chassis.refuse(&caller, &[], refusal).await)
    }
}

/// Who a caller without a valid token is.
fn nobody() -> Actor {
    Actor {
        subject: "unknown".to_owned(),
        organisation: kernel::Organisation::parse("organisation", "unknown").expect("a valid code"),
        roles: Vec::new(),
        on_behalf_of: None,
        client_id: None,
    }
}

/// What the transport itself refuses says so in our words: a message that cannot be decoded, or is too large.
fn translate(response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    if headers.contains_key("grpc-status-details-bin") {
        return response;
    }
    let refusal: Refusal = match headers.get("grpc-status").map(http::HeaderValue::as_bytes) {
        Some(b"13") => {
            general::MALFORMED.field("", "the message cannot be decoded", "het bericht kan niet gelezen worden")
        }
        Some(b"11") => general::TOO_LARGE.with("bytes", MAX_REQUEST_BYTES),
        _ => return response,
    };
    proto::status(&refusal).into_http()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_without_its_words() {
        let answer = guarded::<()>(async { panic!("a mistake of {}", "ours") }).await.unwrap();
        let status = tonic::Status::from_header_map(answer.headers()).unwrap();
        assert_eq!((status.code(), proto::reason(&status).as_deref()), (tonic::Code::Internal, Some("OUR_FAULT")));
        assert!(!status.message().contains("mistake"));
        let fine = guarded::<()>(async { Ok(Response::new(Body::empty())) }).await.unwrap();
        assert!(tonic::Status::from_header_map(fine.headers()).is_none());
    }
}
