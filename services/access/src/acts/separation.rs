//! Who are to be kept apart from now on.

use crate::store;
use chassis::{Apart, Result, Work};
use proto::access::v1 as pb;

/// Tells regie when they are in one facility already, and nobody else (R-REG-28). It is about no client: not even an envelope
/// names one.
pub async fn marked(work: &mut Work, apart: &Apart) -> Result<()> {
    if !store::separation::together(work, apart).await? {
        return Ok(());
    }
    let event = pb::SeparatedInOneFacility { separation_id: apart.separation.to_string() };
    work.publish(None, &[], &event).await
}
