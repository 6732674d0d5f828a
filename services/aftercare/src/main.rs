//! The aftercare service as a program of its own, configured from the environment (see `chassis::from_env`).

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chassis::main(&aftercare::Aftercare::ABOUT, aftercare::Aftercare::from_files).await
}
