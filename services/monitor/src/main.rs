//! The monitor service as a program of its own, configured from the environment (see `chassis::from_env`).

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chassis::main(&monitor::Monitor::ABOUT, monitor::Monitor::from_files).await
}
