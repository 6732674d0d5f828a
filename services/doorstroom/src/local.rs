//! What belongs to this machine: a fixed port per service, and the keys in the data folder.

use anyhow::Context as _;
use auth::Issuer;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use store::{Masters, Sealing, SealingKey};

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

/// The sealing key in this data folder, made at the first start.
fn sealing_key(data: &Path) -> anyhow::Result<SealingKey> {
    let path = data.join("sealing-key");
    if !path.exists() {
        write_secret(&path, &fresh_key()?)?;
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    SealingKey::from_hex(text.trim()).with_context(|| format!("{} is not 64 hexadecimal digits", path.display()))
}

/// The master keys in this data folder; the first one is made at the first start.
pub fn masters(data: &Path) -> anyhow::Result<Masters> {
    let key = sealing_key(data)?;
    let path = data.join("master-keys");
    if !path.exists() {
        write_secret(&path, &format!("1 {}\n", fresh_key()?))?;
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    Masters::parse(&text, &key).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))
}

/// What a service seals with whose data are in this folder.
pub fn sealing(data: &Path, service: &str) -> anyhow::Result<Sealing> {
    Ok(Sealing { key: sealing_key(data)?, masters: masters(data)?, store: key_store(data, service) })
}

/// Where the keys of clients are of a service whose data are in this folder.
pub fn key_store(data: &Path, service: &str) -> String {
    format!("sqlite:{}", data.join(format!("{service}.keys.db")).display())
}

fn fresh_key() -> anyhow::Result<String> {
    let key = SealingKey::generate().context("the system gives no randomness")?;
    Ok(key.expose().map(|byte| format!("{byte:02x}")).concat())
}

/// Makes what services need that run on their own: for each a key with which it signs its tokens, the public half of it as
/// JWKS in the folder `public`, the sealing key and the first master key.
pub fn make_keys(folder: &Path) -> anyhow::Result<()> {
    let public = folder.join("public");
    fs::create_dir_all(&public).with_context(|| format!("{} cannot be made", public.display()))?;
    for (service, _) in PORTS {
        let issuer = Issuer::generate(service)?;
        write_secret(&folder.join(format!("{service}-key.pem")), &issuer.to_pem())?;
        write_public(&public.join(format!("{service}.json")), &issuer)?;
    }
    masters(folder)?;
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
