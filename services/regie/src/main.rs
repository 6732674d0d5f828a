//! The regie service as a program of its own, configured from the environment (see `chassis::from_env`).

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chassis::main(&regie::Regie::ABOUT, regie::Regie::from_files).await
}
