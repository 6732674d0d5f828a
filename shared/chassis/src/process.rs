//! A service as a program of its own: configuration, telemetry, port, in that order; then it serves.

use crate::{About, Service, from_env, keep_to_itself, serve};
use anyhow::Context as _;
use kernel::Calendar;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Where policy, calendar, register and yearly figures come from: a municipality's own folder, or what is compiled in.
#[derive(Clone, Debug, Default)]
pub struct Files(Option<PathBuf>);

impl Files {
    /// The files in a folder go before those compiled in. A folder that is not there is a mistake, not an empty one.
    pub fn in_folder(folder: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let folder = folder.into();
        anyhow::ensure!(folder.is_dir(), "DOORSTROOM_POLICY_DIR: {} is no folder", folder.display());
        Ok(Self(Some(folder)))
    }

    /// The text of a file: the folder's, or the one that is compiled in when the folder has none by that name.
    pub fn text(&self, name: &str, compiled_in: &str) -> anyhow::Result<String> {
        match self.0.as_ref().map(|folder| folder.join(name)).filter(|path| path.exists()) {
            Some(path) => std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display())),
            None => Ok(compiled_in.to_owned()),
        }
    }

    /// The working days by which every service reckons: one `calendar.toml` for all (R-REG-09).
    pub fn calendar(&self) -> anyhow::Result<Calendar> {
        Calendar::parse(&self.text("calendar.toml", Calendar::FILE)?).context("calendar.toml cannot be used")
    }
}

/// Runs a service from the environment until it is told to stop. Nothing is opened before all configuration is read.
///
/// Beside what [`from_env`] reads: `DOORSTROOM_POLICY_DIR` names the folder of [`Files`], `DOORSTROOM_LOG_FORMAT` is `json`
/// (the default) or `text`, `RUST_LOG` says what is logged.
pub async fn main<S: Service>(
    about: &'static About,
    configure: impl FnOnce(&Files) -> anyhow::Result<S>,
) -> anyhow::Result<()> {
    keep_to_itself().context("the memory of this program cannot be kept out of core dumps")?;
    #[expect(clippy::disallowed_methods, reason = "the one place where a service reads its environment")]
    let var = |name: &str| std::env::var(name).ok();
    let (address, setup) = from_env(about.name, var)?;
    let files = var("DOORSTROOM_POLICY_DIR").map_or_else(|| Ok(Files::default()), Files::in_folder)?;
    let service = configure(&files).with_context(|| format!("{} cannot be configured", about.name))?;
    let format = var("DOORSTROOM_LOG_FORMAT").as_deref().unwrap_or("json").parse()?;
    telemetry::init(about.name, format, var("RUST_LOG").as_deref().unwrap_or("info"));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    serve(Arc::new(service), setup, listener, Box::pin(telemetry::shutdown_signal())).await
}
