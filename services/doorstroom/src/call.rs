//! `doorstroom call`: any RPC of the contract from the command line.

use crate::doors::TOKEN_LIFE;
use crate::local::{self, development_issuer};
use crate::{dynamic, refusal, roles};
use anyhow::{Context as _, bail};
use auth::PURPOSE_HEADER;
use clap::Args;
use kernel::{ClientId, Role};
use prost_reflect::MethodDescriptor;
use std::path::PathBuf;
use std::time::Duration;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// Who to be.
#[derive(Args, Clone, Debug)]
pub struct As {
    /// The role to act in: shelter, corporation, income, district, regie, client, …
    #[arg(long, default_value = "regie", value_parser = role)]
    pub role: Role,
    /// The organisation to act for; an example one for the role when left out
    #[arg(long)]
    pub organisation: Option<String>,
    /// The person's name in the token
    #[arg(long)]
    pub subject: Option<String>,
    /// For the role client: the client's id
    #[arg(long, value_parser = client)]
    pub client: Option<ClientId>,
    /// The data folder of `doorstroom up`, which holds the development key
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
}

fn role(key: &str) -> Result<Role, String> {
    let all = || Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    Role::from_key(key).ok_or_else(|| format!("no such role; there are {}", all()))
}

fn client(id: &str) -> Result<ClientId, String> {
    ClientId::parse("client", id).map_err(|refusal| refusal.en())
}

impl As {
    /// A token of the development issuer.
    pub fn token(&self, life: Duration) -> anyhow::Result<String> {
        if (self.role == Role::Client) != self.client.is_some() {
            bail!("--role client and --client ID go together");
        }
        if !self.data.join("development-key.pem").exists() {
            bail!("there is no development key in {}; start `doorstroom up` there first", self.data.display());
        }
        let actor = roles::actor(self.role, self.organisation.as_deref(), self.subject.as_deref(), self.client)?;
        Ok(development_issuer(&self.data)?.issue(&actor, life))
    }
}

/// Where to call, and with what.
#[derive(Args, Clone, Debug)]
pub struct To {
    /// The service's URL; the port of `doorstroom up` when left out
    #[arg(long)]
    pub at: Option<String>,
    /// The purpose to name; the first that the RPC allows when left out
    #[arg(long)]
    pub purpose: Option<String>,
    /// For https: a file with who issued the service's certificate (PEM)
    #[arg(long, env = "DOORSTROOM_TLS_AUTHORITIES_FILE", value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// For https: a file with the certificate to show (PEM)
    #[arg(long, env = "DOORSTROOM_TLS_CERTIFICATE_FILE", value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// For https: a file with the private key of that certificate (PEM)
    #[arg(long, env = "DOORSTROOM_TLS_KEY_FILE", value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// A token to use instead of one of the development issuer
    #[arg(long, env = "DOORSTROOM_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    #[command(flatten)]
    who: As,
}

impl To {
    /// A connection to that service.
    pub fn channel(&self, service: &str) -> anyhow::Result<Channel> {
        let url = self.at.clone().or_else(|| local::endpoint(service));
        let url =
            url.with_context(|| format!("{service:?} is none of access, housing, income, aftercare, regie, monitor"))?;
        let mut endpoint = Endpoint::from_shared(url)?.connect_timeout(Duration::from_secs(5));
        if endpoint.uri().scheme_str() == Some("https") {
            endpoint = endpoint.tls_config(self.tls()?)?;
        }
        Ok(endpoint.connect_lazy())
    }

    fn tls(&self) -> anyhow::Result<ClientTlsConfig> {
        let read = |path: &PathBuf| std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
        let authorities = self.authorities.as_ref();
        let authorities =
            authorities.context("for https, say with --authorities who issued the service's certificate")?;
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(authorities)?));
        Ok(match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => config.identity(Identity::from_pem(read(certificate)?, read(key)?)),
            _ => config,
        })
    }

    /// Puts token and purpose on a request.
    pub fn sign<M>(&self, method: &MethodDescriptor, message: M) -> anyhow::Result<Request<M>> {
        let token = self.token.clone().map_or_else(|| self.who.token(TOKEN_LIFE), Ok)?;
        let purpose = self.purpose.clone().or_else(|| dynamic::purposes(method).first().cloned()).unwrap_or_default();
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", MetadataValue::try_from(format!("Bearer {token}"))?);
        request.metadata_mut().insert(PURPOSE_HEADER, MetadataValue::try_from(purpose)?);
        Ok(request)
    }
}

/// Makes any call of the contract and prints its answer as JSON; a refusal goes to standard error.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  doorstroom call HousingService/ListDwellings '{\"page_size\": 5}' --role regie\n\n\
    Dates are written as \"2026-03-02\". A request_id that is left out is made up."
)]
pub struct Call {
    /// The RPC, as Service/Method
    #[arg(required_unless_present = "list")]
    method: Option<String>,
    /// The request as JSON
    #[arg(default_value = "{}")]
    request: String,
    /// For an RPC that every service serves (FeedService, AuditService, RightsService): which service to ask
    #[arg(long)]
    service: Option<String>,
    /// Shows every RPC with the purposes that it allows
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    to: To,
}

/// Runs `doorstroom call`; false when the call was refused.
pub async fn run(call: &Call) -> anyhow::Result<bool> {
    let Some(name) = call.method.as_deref().filter(|_| !call.list) else {
        for method in dynamic::methods() {
            let purposes = dynamic::purposes(&method).join(" ");
            println!("{}/{}  [{purposes}]", method.parent_service().name(), method.name());
        }
        return Ok(true);
    };
    let method = dynamic::method(name)?;
    let service = call.service.clone().or_else(|| dynamic::service_of(&method));
    let service = service.context("every service serves this RPC: say which with --service")?;

    let mut json: serde_json::Value = serde_json::from_str(&call.request).context("the request is no JSON")?;
    let needs_id = method.input().get_field_by_name("request_id").is_some();
    if let Some(fields) = json.as_object_mut().filter(|fields| needs_id && !fields.contains_key("request_id")) {
        fields.insert("request_id".to_owned(), uuid::Uuid::new_v4().to_string().into());
    }
    let request = call.to.sign(&method, dynamic::read(&method.input(), json)?)?;
    let outcome = async {
        let mut answers = dynamic::call(call.to.channel(&service)?, &method, request).await?;
        while let Some(answer) = answers.message().await? {
            println!("{}", serde_json::to_string_pretty(&dynamic::show(&answer)?)?);
        }
        anyhow::Ok(())
    };
    match outcome.await {
        Ok(()) => Ok(true),
        Err(error) => match error.downcast::<tonic::Status>() {
            Ok(status) => {
                eprintln!("{}", refusal::explain(&status));
                Ok(false)
            }
            Err(error) => Err(error),
        },
    }
}
