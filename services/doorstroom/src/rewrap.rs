//! `doorstroom rewrap`: every key of a client under the newest master key.

use crate::local::{self, PORTS};
use anyhow::{Context as _, bail};
use clap::Args;
use std::path::PathBuf;
use store::{Masters, SealingKey};

/// Wraps the keys of clients with the newest master key, so that older ones can go.
#[derive(Args, Clone, Debug)]
#[command(after_help = "To change the master key:\n  \
    1. add a line to the file of master keys: a new name and 64 hexadecimal digits (openssl rand -hex 32)\n  \
    2. restart the services: from now on they wrap with the new key, and still know the old one\n  \
    3. run this, once per key store:\n       \
       doorstroom rewrap --data data\n       \
       doorstroom rewrap --store postgres://… --master-keys keys/master-keys --sealing-key keys/sealing-key\n  \
    4. take the old line out, destroy the old key and every old copy of the key stores, and restart the services\n\n\
    No sealed column is touched. The services may run meanwhile.")]
pub struct Rewrap {
    /// The folder of `doorstroom up`: the key stores of all services in it
    #[arg(long, required_unless_present = "store", conflicts_with = "store")]
    data: Option<PathBuf>,
    /// One key store: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL", requires = "master_keys", requires = "sealing_key")]
    store: Option<String>,
    /// The file with the master keys, the newest last
    #[arg(long, value_name = "FILE", requires = "store")]
    master_keys: Option<PathBuf>,
    /// The file with the sealing key: the first master key was derived from it where no others were configured
    #[arg(long, value_name = "FILE", requires = "store")]
    sealing_key: Option<PathBuf>,
}

/// Runs `doorstroom rewrap`.
pub async fn run(wanted: &Rewrap) -> anyhow::Result<()> {
    let (masters, stores) = match (&wanted.data, &wanted.store, &wanted.master_keys, &wanted.sealing_key) {
        (Some(data), ..) => {
            let stores = PORTS.iter().map(|(service, _)| ((*service).to_owned(), local::key_store(data, service)));
            (local::masters(data)?, stores.collect::<Vec<_>>())
        }
        (None, Some(url), Some(masters), Some(key)) => {
            let read = |path: &PathBuf| {
                std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
            };
            let key = SealingKey::from_hex(read(key)?.trim())
                .with_context(|| format!("{} is not 64 hexadecimal digits", key.display()))?;
            let known = Masters::parse(&read(masters)?, &key);
            (
                known.map_err(|why| anyhow::anyhow!("{}: {why}", masters.display()))?,
                vec![("the key store".into(), url.clone())],
            )
        }
        _ => bail!("name a folder, or a key store with its master keys and sealing key"),
    };
    for (name, url) in stores {
        let wrapped =
            store::rewrap(&url, &masters).await.with_context(|| format!("{name}: the keys cannot be wrapped"))?;
        println!("{name}: {wrapped} keys were wrapped by an older master key; none is now.");
    }
    Ok(())
}
