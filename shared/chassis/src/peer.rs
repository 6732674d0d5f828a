//! The way to the other services: one lazy connection each, with this service's own token on every call.

use crate::caller::service_actor;
use crate::tls::{self, Tls};
use auth::{PURPOSE_HEADER, TokenSource};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use telemetry::TraceContext;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// How long a token for other services lives.
const TOKEN_LIFE: Duration = Duration::from_secs(600);

/// Connections to the other services, by name. Cheap to clone.
#[derive(Clone)]
pub struct Peers(Arc<Inner>);

struct Inner {
    endpoints: BTreeMap<String, Endpoint>,
    tls: Tls,
    name: &'static str,
    issuer: Arc<auth::Issuer>,
    current: RwLock<Arc<Connections>>,
}

/// What holds until another certificate is shown: a token may be bound to the certificate of the connection that it goes over.
struct Connections {
    channels: BTreeMap<String, Channel>,
    tokens: Arc<TokenSource>,
    caller: Option<Arc<tls::Caller>>,
}

impl Peers {
    pub(crate) fn new(
        name: &'static str,
        endpoints: BTreeMap<String, Endpoint>,
        issuer: Arc<auth::Issuer>,
        tls: Tls,
    ) -> Result<Self, tonic::transport::Error> {
        let current = RwLock::new(Arc::new(Connections::new(name, &endpoints, &issuer, tls.caller())?));
        Ok(Self(Arc::new(Inner { endpoints, tls, name, issuer, current })))
    }

    /// The connection to a service, calling for the given purpose as the next step of a trace; `None` when it was not
    /// configured.
    pub fn to(
        &self,
        peer: &str,
        purpose: &'static str,
        trace: TraceContext,
    ) -> Option<InterceptedService<Channel, Outgoing>> {
        let connections = self.0.connections();
        let channel = connections.channels.get(peer)?.clone();
        let outgoing = Outgoing { tokens: connections.tokens.clone(), purpose, trace };
        Some(InterceptedService::new(channel, outgoing))
    }
}

impl Inner {
    fn connections(&self) -> Arc<Connections> {
        let caller = self.tls.caller();
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let same = match (&current.caller, &caller) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => true,
        };
        if same {
            return current;
        }
        match Connections::new(self.name, &self.endpoints, &self.issuer, caller) {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
                fresh
            }
            Err(error) => {
                tracing::warn!(service = self.name, %error, "the certificate for calls to other services cannot be used");
                current
            }
        }
    }
}

impl Connections {
    fn new(
        name: &str,
        endpoints: &BTreeMap<String, Endpoint>,
        issuer: &Arc<auth::Issuer>,
        caller: Option<Arc<tls::Caller>>,
    ) -> Result<Self, tonic::transport::Error> {
        let connect = |(peer, endpoint): (&String, &Endpoint)| {
            let endpoint = match &caller {
                Some(caller) if tls::is_secured(endpoint) => endpoint.clone().tls_config(caller.config.clone())?,
                _ => endpoint.clone(),
            };
            let endpoint = endpoint
                .connect_timeout(Duration::from_secs(5))
                .http2_keep_alive_interval(Duration::from_secs(20))
                .keep_alive_timeout(Duration::from_secs(10))
                .keep_alive_while_idle(true);
            Ok((peer.clone(), endpoint.connect_lazy()))
        };
        let channels = endpoints.iter().map(connect).collect::<Result<_, _>>()?;
        let certificate = caller.as_ref().filter(|_| issuer.binds()).and_then(|caller| caller.certificate);
        let tokens = TokenSource::new(issuer.clone(), service_actor(name), TOKEN_LIFE).bound_to(certificate);
        Ok(Self { channels, tokens: Arc::new(tokens), caller })
    }
}

/// Puts token, purpose and trace on an outgoing call.
#[derive(Clone)]
pub struct Outgoing {
    tokens: Arc<TokenSource>,
    purpose: &'static str,
    trace: TraceContext,
}

impl Interceptor for Outgoing {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value =
            |text: &str| MetadataValue::try_from(text).map_err(|_| Status::invalid_argument("a header is not ASCII"));
        let metadata = request.metadata_mut();
        metadata.insert("authorization", value(&self.tokens.authorization())?);
        metadata.insert(PURPOSE_HEADER, value(self.purpose)?);
        metadata.insert(TraceContext::HEADER, value(&self.trace.child().to_string())?);
        Ok(request)
    }
}
