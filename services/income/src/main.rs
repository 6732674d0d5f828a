//! The income service as a program of its own, configured from the environment (see `chassis::from_env`).

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chassis::main(&income::Income::ABOUT, income::Income::from_files).await
}
