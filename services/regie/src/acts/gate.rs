//! The municipality's own word on a gate (P2).

use super::process;
use crate::domain::gate::{self, Move, Word};
use crate::domain::process::facts::{AllocationId, Fact, Regie as Told};
use crate::{Regie, store};
use chassis::{Result, Work};
use kernel::{ClientId, Uuid};

/// Keeps what the municipality says, and lets the processes act on it.
pub async fn say(regie: &Regie, work: &mut Work, client: ClientId, allocation: Uuid, word: &Word) -> Result<()> {
    let moves = store::gate::moves(work, client).await?;
    let of = moves.iter().find(|m| m.allocation == allocation && !m.fell).map(|m| match m.signed {
        true => Move::Signed,
        false => Move::Unsigned,
    });
    let stands = store::gate::word(work, allocation).await?;
    if !gate::decide(stands.as_ref(), of, word)? {
        return Ok(());
    }
    let (by, now) = (work.actor().subject.clone(), work.now);
    store::gate::say(work, client, allocation, word, &by, now).await?;
    let open = matches!(word, Word::Open { .. });
    let fact = Told::GateOverridden { allocation: AllocationId(allocation), open };
    process::feed(regie, work, client, Fact::Regie(fact), None).await
}
