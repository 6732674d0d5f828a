//! One small document over https, bounded in time and size. No redirects, no proxies, no plain http but to this machine.

use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// An address that a document is fetched from, again and again.
pub(crate) struct Source {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Source {
    /// An https address; the certificates that the system trusts are trusted.
    pub fn new(url: &str) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        if url.starts_with("https://") {
            let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if usable == 0 {
                return Err("this system trusts no certificate authority (set SSL_CERT_FILE)".to_owned());
            }
        }
        Self::trusting(url, roots)
    }

    pub fn trusting(url: &str, roots: RootCertStore) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url:?}: {error}"))?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let host = authority.ok_or_else(|| format!("{url:?} names no host"))?.host();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let this_machine = host.parse::<IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback());
        let tls = match uri.scheme_str() {
            Some("https") => {
                let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
                    .with_safe_default_protocol_versions()
                    .map_err(|error| error.to_string())?
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                let name = ServerName::try_from(host.clone()).map_err(|error| format!("{url:?}: {error}"))?;
                Some((TlsConnector::from(Arc::new(config)), name))
            }
            Some("http") if this_machine => None,
            _ => return Err(format!("{url:?} is not https (plain http is taken from this machine only)")),
        };
        let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
        Ok(Self { uri, host, port, tls })
    }

    /// The document, or why it could not be had.
    pub async fn fetch(&self, most_bytes: usize, within: Duration) -> Result<Bytes, String> {
        let fetched = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(text)?;
            match &self.tls {
                None => self.ask(stream, most_bytes).await,
                Some((connector, name)) => {
                    self.ask(connector.connect(name.clone(), stream).await.map_err(text)?, most_bytes).await
                }
            }
        };
        tokio::time::timeout(within, fetched).await.map_err(|_| format!("no answer within {within:?}"))?
    }

    async fn ask<S>(&self, stream: S, most_bytes: usize) -> Result<Bytes, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let host = self.uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(path)
            .header(header::HOST, host)
            .header(header::ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(text)?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(text)?;
            if response.status() != StatusCode::OK {
                return Err(format!("it answers {}", response.status()));
            }
            let body = Limited::new(response.into_body(), most_bytes).collect().await;
            body.map(http_body_util::Collected::to_bytes).map_err(text)
        };
        tokio::pin!(answer, connection);
        // The connection lives as long as the answer needs it, and no longer.
        let mut open = true;
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                // Also when it breaks off: the answer may be complete, and says so itself when it is not.
                _ = &mut connection, if open => open = false,
            }
        }
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.uri.fmt(f)
    }
}
