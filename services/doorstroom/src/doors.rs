//! The way to the services for whoever the launcher plays: token and purpose on every call, and a count of the calls.

use auth::{Issuer, PURPOSE_HEADER};
use kernel::Actor;
use proto::access::v1::access_service_client::AccessServiceClient;
use proto::aftercare::v1::aftercare_service_client::AftercareServiceClient;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::housing::v1::housing_service_client::HousingServiceClient;
use proto::income::v1::income_service_client::IncomeServiceClient;
use proto::monitor::v1::monitor_service_client::MonitorServiceClient;
use proto::regie::v1::regie_service_client::RegieServiceClient;
use proto::rights::v1::rights_service_client::RightsServiceClient;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// A connection of one caller, for one purpose.
pub type Client = InterceptedService<Channel, Caller>;

/// How long a token of the launcher lives.
pub const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

/// The doors of a running chain.
#[derive(Clone)]
pub struct Doors {
    channels: Arc<BTreeMap<&'static str, Channel>>,
    issuer: Arc<Issuer>,
    calls: Arc<AtomicU64>,
}

/// Somebody with a token.
#[derive(Clone)]
pub struct Person {
    /// Who it is.
    pub actor: Actor,
    authorization: MetadataValue<Ascii>,
    doors: Doors,
}

/// Puts token and purpose on a call, and counts it.
#[derive(Clone)]
pub struct Caller {
    authorization: MetadataValue<Ascii>,
    purpose: MetadataValue<Ascii>,
    calls: Arc<AtomicU64>,
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        metadata.insert(PURPOSE_HEADER, self.purpose.clone());
        Ok(request)
    }
}

impl Doors {
    /// Connections to the services, made when they are first used.
    pub fn new(endpoints: &BTreeMap<&'static str, String>, issuer: Arc<Issuer>) -> anyhow::Result<Self> {
        let connect = |(name, url): (&&'static str, &String)| {
            anyhow::Ok((*name, Endpoint::from_shared(url.clone())?.tcp_nodelay(true).connect_lazy()))
        };
        let channels = endpoints.iter().map(connect).collect::<anyhow::Result<_>>()?;
        Ok(Self { channels: Arc::new(channels), issuer, calls: Arc::default() })
    }

    /// Gives somebody a token.
    pub fn person(&self, actor: Actor) -> Person {
        let token = self.issuer.issue(&actor, TOKEN_LIFE);
        let authorization = MetadataValue::try_from(format!("Bearer {token}")).expect("a token is plain ASCII");
        Person { actor, authorization, doors: self.clone() }
    }

    /// Calls made through these doors so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Person {
    /// A connection to one service for one purpose.
    pub fn to(&self, service: &str, purpose: &'static str) -> Client {
        let channel = self.doors.channels.get(service).expect("every service of the chain has a door").clone();
        let caller = Caller {
            authorization: self.authorization.clone(),
            purpose: MetadataValue::from_static(purpose),
            calls: self.doors.calls.clone(),
        };
        InterceptedService::new(channel, caller)
    }

    /// To access.
    pub fn access(&self, purpose: &'static str) -> AccessServiceClient<Client> {
        AccessServiceClient::new(self.to("access", purpose))
    }

    /// To housing.
    pub fn housing(&self, purpose: &'static str) -> HousingServiceClient<Client> {
        HousingServiceClient::new(self.to("housing", purpose))
    }

    /// To income.
    pub fn income(&self, purpose: &'static str) -> IncomeServiceClient<Client> {
        IncomeServiceClient::new(self.to("income", purpose))
    }

    /// To aftercare.
    pub fn aftercare(&self, purpose: &'static str) -> AftercareServiceClient<Client> {
        AftercareServiceClient::new(self.to("aftercare", purpose))
    }

    /// To regie.
    pub fn regie(&self, purpose: &'static str) -> RegieServiceClient<Client> {
        RegieServiceClient::new(self.to("regie", purpose))
    }

    /// To the monitor.
    pub fn monitor(&self, purpose: &'static str) -> MonitorServiceClient<Client> {
        MonitorServiceClient::new(self.to("monitor", purpose))
    }

    /// To the feed of a service.
    pub fn feed(&self, service: &str, purpose: &'static str) -> FeedServiceClient<Client> {
        FeedServiceClient::new(self.to(service, purpose))
    }

    /// To the access log of a service.
    pub fn audit(&self, service: &str, purpose: &'static str) -> AuditServiceClient<Client> {
        AuditServiceClient::new(self.to(service, purpose))
    }

    /// To what a service says of clients' rights.
    pub fn rights(&self, service: &str, purpose: &'static str) -> RightsServiceClient<Client> {
        RightsServiceClient::new(self.to(service, purpose))
    }
}
