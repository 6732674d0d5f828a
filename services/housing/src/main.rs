//! The housing service as a program of its own, configured from the environment (see `chassis::from_env`).

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chassis::main(&housing::Housing::ABOUT, housing::Housing::from_files).await
}
