//! What calls are judged by, under its version (R-REG-19). Every version that judged is kept, so that each decision can be
//! made again by the one of its day.

use auth::Protocol;
use jiff::Timestamp;
use std::sync::LazyLock;
use store::{Result, Store};

static TEXT: LazyLock<String> = LazyLock::new(|| Protocol::text(crate::gate::listed()));
static VERSION: LazyLock<String> = LazyLock::new(|| Protocol::version(&TEXT));

/// The version by which this program judges, as it stands in the access log.
pub fn protocol_version() -> &'static str {
    &VERSION
}

/// Keeps what this program judges by, before it judges.
pub(crate) async fn keep(store: &Store, now: Timestamp) -> Result<()> {
    store::again(|| async {
        let mut tx = store.write().await?;
        tx.keep_protocol(&VERSION, &TEXT, now).await?;
        tx.commit().await
    })
    .await
}
