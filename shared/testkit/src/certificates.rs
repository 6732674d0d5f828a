//! Certificates, made when a test needs them.

use auth::Thumbprint;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::Pair;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use std::path::{Path, PathBuf};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};
use uuid::Uuid;

/// Issues certificates that nobody but the test trusts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its private key, both PEM.
#[derive(Clone)]
pub struct Shown {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// What a token may be bound to.
    pub thumbprint: Thumbprint,
}

impl Authority {
    /// With a fresh key.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, Uuid::new_v4().to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate (PEM).
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", self.0.der())
    }

    /// Its own certificate in a file of that name.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, self.pem()).unwrap();
        path
    }

    /// A certificate for `localhost` and for a name; valid for ages.
    pub fn issue(&self, name: &str) -> Shown {
        self.issue_until(name, 4096)
    }

    /// A certificate that is valid until a year begins.
    pub fn issue_until(&self, name: &str, year: i32) -> Shown {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let pair = KeyPair::generate().unwrap();
        let key = pem("PRIVATE KEY", pair.serialized_der());
        params.serial_number = Some(serial(&key));
        let certificate = params.signed_by(&pair, &self.0).unwrap();
        let thumbprint = Thumbprint::of(certificate.der());
        Shown { certificate: pem("CERTIFICATE", certificate.der()), key, thumbprint }
    }

    /// The list of what it revoked (PEM).
    pub fn revokes(&self, shown: &[&Shown]) -> String {
        let revoked = |shown: &&Shown| RevokedCertParams {
            serial_number: serial(&shown.key),
            revocation_time: rcgen::date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 1, 1),
            next_update: rcgen::date_time_ymd(2026, 1, 8),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: shown.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        pem("X509 CRL", list.signed_by(&self.0).unwrap().der())
    }

    /// Trusts this authority, and shows that certificate.
    pub fn client(&self, shown: Option<&Shown>) -> ClientTlsConfig {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.pem()));
        match shown {
            Some(shown) => config.identity(Identity::from_pem(&shown.certificate, &shown.key)),
            None => config,
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Shown {
    /// What stands in files of that name.
    pub fn read(folder: &Path, name: &str) -> Self {
        let text = |ending: &str| std::fs::read_to_string(folder.join(format!("{name}.{ending}"))).unwrap();
        let (certificate, key) = (text("pem"), text("key"));
        let base64: String = certificate.lines().filter(|line| !line.starts_with('-')).collect();
        Self { thumbprint: Thumbprint::of(&STANDARD.decode(base64).unwrap()), certificate, key }
    }

    /// Certificate and key in files of that name, as an operator replaces them: one after the other.
    pub fn write(&self, folder: &Path, name: &str) -> Pair {
        let pair = Pair { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) };
        std::fs::write(&pair.key, &self.key).unwrap();
        std::fs::write(&pair.certificate, &self.certificate).unwrap();
        pair
    }
}

/// The number of the certificate with that private key.
fn serial(key: &str) -> SerialNumber {
    SerialNumber::from(Uuid::new_v5(&Uuid::nil(), key.as_bytes()).as_bytes()[..15].to_vec())
}

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
}
