//! What access takes in from others. Relations are taken in by the chassis; nothing else that happens elsewhere changes a thing
//! here: regie gives commands where something must.

use chassis::{Event, Result, Work};

/// Takes in an event of another service.
pub async fn take(_work: &mut Work, _event: &Event) -> Result<()> {
    Ok(())
}
