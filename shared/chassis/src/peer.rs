//! The way to the other services: one lazy connection each, with this service's own token on every call.

use crate::caller::service_actor;
use auth::{PURPOSE_HEADER, TokenSource};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use telemetry::TraceContext;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// Connections to the other services, by name. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    channels: Arc<BTreeMap<String, Channel>>,
    tokens: Arc<TokenSource>,
}

impl Peers {
    pub(crate) fn new(name: &'static str, endpoints: BTreeMap<String, Endpoint>, issuer: Arc<auth::Issuer>) -> Self {
        let connect = |endpoint: Endpoint| {
            endpoint
                .connect_timeout(Duration::from_secs(5))
                .http2_keep_alive_interval(Duration::from_secs(20))
                .keep_alive_timeout(Duration::from_secs(10))
                .keep_alive_while_idle(true)
                .connect_lazy()
        };
        let channels = endpoints.into_iter().map(|(peer, endpoint)| (peer, connect(endpoint))).collect();
        let tokens = TokenSource::new(issuer, service_actor(name), Duration::from_secs(600));
        Self { channels: Arc::new(channels), tokens: Arc::new(tokens) }
    }

    /// The connection to a service, calling for the given purpose as the next step of a trace; `None` when it was not
    /// configured.
    pub fn to(
        &self,
        peer: &str,
        purpose: &'static str,
        trace: TraceContext,
    ) -> Option<InterceptedService<Channel, Outgoing>> {
        let channel = self.channels.get(peer)?.clone();
        Some(InterceptedService::new(channel, Outgoing { tokens: self.tokens.clone(), purpose, trace }))
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
