//! TLS and mutual TLS, from files that are read again as soon as they change. What is open goes on as it began.

use auth::{Thumbprint, Watched};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

/// A file with certificates, revocation lists or a key is no larger than this.
const MOST_BYTES: u64 = 4 << 20;
/// After the year 9999: every certificate has expired.
const END_OF_TIME: Duration = Duration::from_secs(300_000_000_000);
/// A caller has this long to say hello.
const GREETING: Duration = Duration::from_secs(10);
/// This many may be saying hello at once; others wait to be let in.
const MOST_GREETING: usize = 512;

/// The certificate that a service shows, to callers and to the services that it calls, with its private key; both PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate, with the intermediate ones after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Which client certificates callers must or may show.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The authorities that issue them, and the lists of what they revoked (PEM). Of an authority without a list nothing counts
    /// as revoked; a list whose successor is late goes on counting.
    pub authorities: PathBuf,
    /// Whether a caller without one is turned away.
    pub required: bool,
}

/// How a service is reached over TLS, and how it reaches the others. Without any of it everything is plain.
#[derive(Clone, Default)]
pub struct Tls {
    server: Option<Arc<Watched<ServerConfig>>>,
    client: Option<Arc<Watched<Caller>>>,
}

/// How the other services are reached.
pub(crate) struct Caller {
    pub config: ClientTlsConfig,
    /// Of the certificate that is shown to them.
    pub certificate: Option<Thumbprint>,
}

impl Tls {
    /// From files: the pair to show, the client certificates to take, and the authorities (PEM) that issue the certificates of
    /// the other services. What is wrong is said of all.
    pub fn from_files(
        pair: Option<&Pair>,
        clients: Option<&Clients>,
        authorities: Option<&Path>,
    ) -> Result<Self, String> {
        let server = pair.map(|pair| server(pair, clients)).transpose();
        let client = authorities.map(|authorities| client(pair, authorities)).transpose();
        match (server, client) {
            (Ok(server), Ok(client)) => Ok(Self { server: server.map(Arc::new), client: client.map(Arc::new) }),
            (server, client) => Err([server.err(), client.err()].into_iter().flatten().collect::<Vec<_>>().join("; ")),
        }
    }

    /// Whether a certificate is shown to the other services.
    pub(crate) fn shows_a_certificate(&self) -> bool {
        self.caller().is_some_and(|caller| caller.certificate.is_some())
    }

    /// How the others are reached now.
    pub(crate) fn caller(&self) -> Option<Arc<Caller>> {
        self.client.as_ref().map(|client| client.current())
    }
}

/// Whether an endpoint is reached over TLS.
pub(crate) fn is_secured(endpoint: &Endpoint) -> bool {
    endpoint.uri().scheme_str() == Some("https")
}

fn server(pair: &Pair, clients: Option<&Clients>) -> Result<Watched<ServerConfig>, String> {
    let mut paths = vec![pair.certificate.clone(), pair.key.clone()];
    paths.extend(clients.map(|clients| clients.authorities.clone()));
    let required = clients.is_some_and(|clients| clients.required);
    Watched::open_all(paths, MOST_BYTES, move |files| {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(text)?;
        let builder = match files.get(2) {
            None => builder.with_no_client_auth(),
            Some(authorities) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots(authorities)?.into(), provider.clone())
                        .with_crls(revoked(authorities)?)
                        .allow_unknown_revocation_status();
                let verifier = if required { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build().map_err(text)?)
            }
        };
        let pair = certified(&files[0], &files[1], &provider)?;
        let mut config = builder.with_cert_resolver(Arc::new(Always(Arc::new(pair))));
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A connection lives for long; resuming one would keep a certificate in force that is no longer taken.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    })
}

fn client(pair: Option<&Pair>, authorities: &Path) -> Result<Watched<Caller>, String> {
    let mut paths = vec![authorities.to_owned()];
    paths.extend(pair.into_iter().flat_map(|pair| [pair.certificate.clone(), pair.key.clone()]));
    Watched::open_all(paths, MOST_BYTES, |files| {
        roots(&files[0])?;
        let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&files[0])).timeout(GREETING);
        let mut certificate = None;
        if let [_, chain, key] = files {
            let pair = certified(chain, key, &ring::default_provider())?;
            certificate = pair.cert.first().map(|certificate| Thumbprint::of(certificate));
            config = config.identity(Identity::from_pem(chain, key));
        }
        Ok(Caller { config, certificate })
    })
}

/// When the first of the certificates in a file (PEM) expires.
pub fn expires(path: &Path) -> Result<SystemTime, String> {
    let certificates = certificates(&std::fs::read(path).map_err(text)?)?;
    let mut first: Option<SystemTime> = None;
    for certificate in certificates {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).map_err(text)?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().map_err(text)?;
        // At the end of time everything has expired, and the refusal says since when.
        let end = UnixTime::since_unix_epoch(END_OF_TIME);
        let name = ServerName::try_from("localhost").map_err(text)?;
        match verifier.verify_server_cert(&certificate, &[], &name, &[], end) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(not_after.as_secs());
                first = Some(first.map_or(at, |first| first.min(at)));
            }
            Err(error) => return Err(text(error)),
            Ok(_) => {}
        }
    }
    first.ok_or_else(|| "it never expires".to_owned())
}

/// A certificate with the private key that belongs to it.
fn certified(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the private key: {error}"))?;
    let pair = CertifiedKey::from_der(certificates(chain)?, key, provider);
    pair.map_err(|error| format!("the certificate and its key: {error}"))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all.map_err(|error| format!("the certificates: {error}"))? {
        none if none.is_empty() => Err("there is no certificate in the file".to_owned()),
        all => Ok(all),
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(pem)? {
        roots.add(authority).map_err(|error| format!("the authorities: {error}"))?;
    }
    Ok(roots)
}

fn revoked(pem: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(pem).collect();
    lists.map_err(|error| format!("the revocation lists: {error}"))
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// The one certificate for every caller.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl tokio_rustls::rustls::server::ResolvesServerCert for Always {
    fn resolve(&self, _: tokio_rustls::rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// The connections that come in, greeted; and the task that greets them, which ends once they are no longer taken.
pub(crate) fn incoming(listener: TcpListener, tls: &Tls) -> (ReceiverStream<io::Result<Line>>, JoinHandle<()>) {
    let (sender, lines) = mpsc::channel(16);
    (ReceiverStream::new(lines), tokio::spawn(accept(listener, tls.server.clone(), sender)))
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<Watched<ServerConfig>>>,
    sender: mpsc::Sender<io::Result<Line>>,
) {
    let mut greeting = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if greeting.len() < MOST_GREETING => match accepted {
                Ok((stream, _)) => {
                    let (tls, sender) = (tls.clone(), sender.clone());
                    greeting.spawn(async move {
                        match greet(stream, tls).await {
                            // Nobody takes it when the service stops.
                            Ok(line) => drop(sender.send(Ok(line)).await),
                            Err(error) => tracing::debug!(%error, "a caller could not be greeted"),
                        }
                    });
                }
                Err(error) => {
                    // Too many open files, most likely: others must go first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = greeting.join_next(), if !greeting.is_empty() => {}
            () = sender.closed() => return,
        }
    }
}

async fn greet(stream: TcpStream, tls: Option<Arc<Watched<ServerConfig>>>) -> io::Result<Line> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Line::Plain(stream)) };
    let greeted = tokio::time::timeout(GREETING, TlsAcceptor::from(tls.current()).accept(stream));
    Ok(Line::Tls(Box::new(greeted.await.map_err(|_| io::ErrorKind::TimedOut)??)))
}

/// A connection, plain or not.
pub(crate) enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What is known of the connection that a call came over; on every request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    /// Of the client certificate, once the caller proved that it has its key.
    pub certificate: Option<Thumbprint>,
}

impl Connected for Line {
    type ConnectInfo = Shown;

    fn connect_info(&self) -> Shown {
        match self {
            Self::Plain(_) => Shown::default(),
            Self::Tls(line) => {
                let first = line.get_ref().1.peer_certificates().and_then(<[_]>::first);
                Shown { certificate: first.map(|certificate| Thumbprint::of(certificate)) }
            }
        }
    }
}

macro_rules! either {
    ($self:expr, $line:ident => $do:expr) => {
        match $self.get_mut() {
            Line::Plain($line) => {
                let $line = Pin::new($line);
                $do
            }
            Line::Tls($line) => {
                let $line = Pin::new(&mut **$line);
                $do
            }
        }
    };
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, line => line.poll_read(context, into))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, line => line.poll_write(context, from))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, line => line.poll_write_vectored(context, from))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(line) => line.is_write_vectored(),
            Self::Tls(line) => line.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, line => line.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, line => line.poll_shutdown(context))
    }
}
