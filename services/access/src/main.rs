//! The access service as a program of its own, configured from the environment (see `chassis::from_env`).

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chassis::main(&access::Access::ABOUT, access::Access::from_files).await
}
