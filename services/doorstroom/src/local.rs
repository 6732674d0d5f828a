//! What belongs to this machine: a fixed port per service, and the keys in the data folder.

use anyhow::Context as _;
use auth::Issuer;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use store::SealingKey;

/// Where each service listens when `up` runs.
pub const PORTS: [(&str, u16); 6] = [
    ("access", 50051),
    ("housing", 50052),
    ("income", 50053),
    ("aftercare", 50054),
    ("regie", 50055),
    ("monitor", 50056),
];

/// The URL of a service of `up`.
pub fn endpoint(service: &str) -> Option<String> {
    PORTS.iter().find(|(name, _)| *name == service).map(|(_, port)| format!("http://127.0.0.1:{port}"))
}

/// The key that signs development tokens in this data folder, made at the first start; its public half is in `jwks.json`.
pub fn development_issuer(data: &Path) -> anyhow::Result<Issuer> {
    let path = data.join("development-key.pem");
    let issuer = if path.exists() {
        let pem = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        Issuer::from_pem(auth::DEVELOPMENT_ISSUER, &pem).with_context(|| path.display().to_string())?
    } else {
        let issuer = Issuer::development()?;
        write_secret(&path, &issuer.to_pem())?;
        issuer
    };
    let public = data.join("jwks.json");
    if !public.exists() {
        write_public(&public, &issuer)?;
    }
    Ok(issuer)
}

/// The key of the sealed columns in this data folder, made at the first start.
pub fn sealing_key(data: &Path) -> anyhow::Result<SealingKey> {
    let path = data.join("sealing-key");
    if !path.exists() {
        let key = SealingKey::generate().context("the system gives no randomness")?;
        write_secret(&path, &key.expose().map(|byte| format!("{byte:02x}")).concat())?;
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let digits: Option<Vec<u8>> = text.trim().chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let bytes: Vec<u8> = digits.unwrap_or_default().chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let key = bytes.try_into().map_err(|_| anyhow::anyhow!("{} is not 64 hexadecimal digits", path.display()))?;
    Ok(SealingKey::from_bytes(key))
}

/// Makes what services need that run on their own: the key with which they sign their tokens, the public half of it as
/// JWKS, and the key of the sealed columns.
pub fn make_keys(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let issuer = Issuer::generate("services")?;
    write_secret(&folder.join("service-key.pem"), &issuer.to_pem())?;
    write_public(&folder.join("jwks.json"), &issuer)?;
    sealing_key(folder)?;
    Ok(())
}

fn write_public(path: &Path, issuer: &Issuer) -> anyhow::Result<()> {
    fs::write(path, issuer.jwks()).with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a file that only its owner may read.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
}
