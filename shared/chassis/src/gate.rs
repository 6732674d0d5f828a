//! The gate before every RPC: who are you, may your role call this, for what purpose. Default deny. What it refuses is in
//! the access log before the answer leaves. Health and reflection tell nothing about anybody and pass.

use crate::call::explain;
use crate::{Caller, Chassis, MAX_REQUEST_BYTES};
use auth::{Denied, PURPOSE_HEADER, Policy, Purposes};
use http::{Request, Response};
use kernel::{Actor, Refusal, general};
use prost_reflect::DescriptorPool;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use telemetry::TraceContext;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument as _;

/// For each path of the contract, the purposes that it allows: read from the options in the proto.
static PURPOSES: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contract was checked when it was built");
    let purposes = pool.get_extension_by_name("doorstroom.audit.v1.purposes").expect("checked when it was built");
    let allowed = |method: &prost_reflect::MethodDescriptor| {
        let codes = method.options().get_extension(&purposes).into_owned();
        codes.as_list().unwrap_or_default().iter().filter_map(|code| code.as_str().map(str::to_owned)).collect()
    };
    pool.services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| (format!("/{}/{}", method.parent_service().full_name(), method.name()), allowed(&method)))
        .collect()
});

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
            let Some(allowed) = PURPOSES.get(&path) else {
                return inner.call(request).await;
            };
            let headers = request.headers();
            let trace = TraceContext::from_header(header(headers, TraceContext::HEADER));
            let span = tracing::info_span!("call", service = gate.chassis.name, rpc = %path, trace = %trace.trace_id());
            let purpose = header(headers, PURPOSE_HEADER).unwrap_or_default().to_owned();
            let bearer = header(headers, "authorization").unwrap_or_default().to_owned();
            match gate.admit(&path, allowed, &bearer, &purpose, trace).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    let response = inner.call(request).instrument(span).await?;
                    Ok(translate(response))
                }
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

fn header<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl GateLayer {
    async fn admit(
        &self,
        path: &str,
        allowed: &[String],
        bearer: &str,
        purpose: &str,
        trace: TraceContext,
    ) -> Result<Arc<Caller>, tonic::Status> {
        let rpc: Arc<str> = path.rsplit('.').next().unwrap_or(path).into();
        let token = match self.chassis.verifier.verify(bearer, std::time::SystemTime::now()).await {
            Ok(token) => token,
            Err(Denied { refusal, actor }) => {
                let actor = actor.unwrap_or_else(|| Arc::new(nobody()));
                return Err(self.deny(&actor, &rpc, purpose, trace, refusal).await);
            }
        };
        let actor = token.actor().clone();
        let grants = match Policy::embedded().grants(path, &actor) {
            Ok(grants) => grants,
            Err(refusal) => return Err(self.deny(&actor, &rpc, purpose, trace, refusal).await),
        };
        let codes: Vec<&str> = allowed.iter().map(String::as_str).collect();
        if let Err(refusal) = Purposes::embedded().admit(&rpc, &codes, purpose) {
            return Err(self.deny(&actor, &rpc, purpose, trace, refusal).await);
        }
        Ok(Arc::new(Caller { actor, rpc, purpose: purpose.into(), grants, token: Some(token), trace }))
    }

    async fn deny(
        &self,
        actor: &Arc<Actor>,
        rpc: &Arc<str>,
        purpose: &str,
        trace: TraceContext,
        refusal: Refusal,
    ) -> tonic::Status {
        // A purpose that is no code of ours may be any text; it is not kept.
        let known = Purposes::embedded().get(purpose).map_or("", |_| purpose);
        let (actor, rpc) = (actor.clone(), rpc.clone());
        let caller = Caller { actor, rpc, purpose: known.into(), grants: Vec::new(), token: None, trace };
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
