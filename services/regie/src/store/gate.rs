//! Moves to a home as the file shows them, and the municipality's word on their gates.

use super::{key, key_opt};
use crate::domain::gate::{OverrideReason, Word};
use crate::domain::process::Ground;
use chassis::{Error, Result, Row, Tx, args};
use kernel::{ClientId, Date, Moment, Uuid};
use store::Retention::File;

/// A move to a home.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The allocation.
    pub allocation: Uuid,
    /// First day of the lease.
    pub lease_start_on: Date,
    /// Whether the lease is signed.
    pub signed: bool,
    /// Whether it fell through, or the lease ended.
    pub fell: bool,
    /// Whether aftercare ended.
    pub landed: bool,
    /// What the gate opened on; none when it is shut.
    pub ground: Option<Ground>,
}

/// The key under which a ground is kept.
pub fn ground_key(ground: Ground) -> &'static str {
    match ground {
        Ground::Benefit => "benefit",
        Ground::OwnIncome => "own_income",
        Ground::Advance => "advance",
        Ground::Guarantee => "guarantee",
        Ground::Override => "override",
    }
}

fn ground_from(key: &str) -> Option<Ground> {
    [Ground::Benefit, Ground::OwnIncome, Ground::Advance, Ground::Guarantee, Ground::Override]
        .into_iter()
        .find(|ground| ground_key(*ground) == key)
}

fn read(row: &Row) -> Result<Move> {
    Ok(Move {
        allocation: row.get("allocation_id")?,
        lease_start_on: row.get("lease_start_on")?,
        signed: row.get("signed")?,
        fell: row.get("fell")?,
        landed: row.get("landed")?,
        ground: key_opt(row, "gate_ground", ground_from)?,
    })
}

/// The moves of a client, the latest lease first.
pub async fn moves(tx: &mut Tx, client: ClientId) -> Result<Vec<Move>> {
    let rows = tx
        .rows(
            "select allocation_id, lease_start_on, signed, fell, landed, gate_ground from client_move
             where client_id = $1 order by lease_start_on desc, allocation_id desc",
            args![client],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Whether a move or aftercare is going on.
pub async fn underway(tx: &mut Tx, client: ClientId) -> Result<bool> {
    let row = tx
        .row("select 1 as one from client_move where client_id = $1 and not fell and not landed limit 1", args![client])
        .await?;
    Ok(row.is_some())
}

/// A home was accepted by all.
pub async fn accepted(tx: &mut Tx, client: ClientId, allocation: Uuid, lease_start_on: Date) -> Result<()> {
    tx.keep(
        "insert into client_move (allocation_id, client_id, lease_start_on, signed, fell, landed)
         values ($1, $2, $3, $4, $4, $4)
         on conflict (allocation_id) do update set lease_start_on = excluded.lease_start_on",
        args![allocation, client, lease_start_on, false],
    )
    .await?;
    Ok(())
}

/// The lease is signed.
pub async fn signed(tx: &mut Tx, allocation: Uuid) -> Result<()> {
    tx.keep("update client_move set signed = true where allocation_id = $1", args![allocation]).await?;
    Ok(())
}

/// It fell through, or the lease ended.
pub async fn fell(tx: &mut Tx, allocation: Uuid) -> Result<()> {
    tx.keep("update client_move set fell = true where allocation_id = $1", args![allocation]).await?;
    Ok(())
}

/// Aftercare ended. Aftercare's feed and housing's have no order: the move may not be known yet, and then its row is made.
pub async fn landed(tx: &mut Tx, client: ClientId, allocation: Uuid, on: Date) -> Result<()> {
    tx.keep(
        "insert into client_move (allocation_id, client_id, lease_start_on, signed, fell, landed)
         values ($1, $2, $3, $4, $5, $4)
         on conflict (allocation_id) do update set landed = excluded.landed",
        args![allocation, client, on, true, false],
    )
    .await?;
    Ok(())
}

/// Aftercare of a move started.
pub async fn aftercare_started(tx: &mut Tx, aftercare: Uuid, allocation: Uuid) -> Result<()> {
    tx.keep(
        "insert into aftercare_of (aftercare_id, allocation_id) values ($1, $2) on conflict (aftercare_id) do nothing",
        args![aftercare, allocation],
    )
    .await?;
    Ok(())
}

/// The allocation that an aftercare belongs to.
pub async fn allocation_of(tx: &mut Tx, aftercare: Uuid) -> Result<Option<Uuid>> {
    let row = tx.row("select allocation_id from aftercare_of where aftercare_id = $1", args![aftercare]).await?;
    row.map(|row| row.get("allocation_id")).transpose()
}

/// Regie decided about the gate.
pub async fn decided(tx: &mut Tx, allocation: Uuid, ground: Option<Ground>) -> Result<()> {
    let args = args![allocation, ground.map(ground_key)];
    tx.keep("update client_move set gate_ground = $2 where allocation_id = $1", args).await?;
    Ok(())
}

/// The municipality's word that stands.
pub async fn word(tx: &mut Tx, allocation: Uuid) -> Result<Option<Word>> {
    let row = tx
        .row(
            "select word_id, client_id, opens, reason, explanation from gate_word
             where allocation_id = $1 order by decided_at desc, word_id desc limit 1",
            args![allocation],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    if !row.get::<bool>("opens")? {
        return Ok(Some(Word::LeaveShut));
    }
    let sealed: Option<Vec<u8>> = row.get("explanation")?;
    let sealed = sealed.ok_or_else(|| Error::inconsistent("gate_word", "explanation", "is empty"))?;
    let (sealed_for, id) = (File.of(row.get("client_id")?), row.get::<Uuid>("word_id")?);
    let explanation = tx.sealer().open(sealed_for, "gate_word.explanation", id, &sealed).await?.or_empty();
    Ok(Some(Word::Open { reason: key(&row, "reason", OverrideReason::from_key)?, explanation }))
}

/// Keeps what the municipality said, and who said it.
pub async fn say(tx: &mut Tx, client: ClientId, allocation: Uuid, word: &Word, by: &str, now: Moment) -> Result<()> {
    let id = Uuid::now_v7();
    let (reason, explanation) = match word {
        Word::LeaveShut => (None, None),
        Word::Open { reason, explanation } => {
            let sealed = tx.sealer().seal(File.of(client), "gate_word.explanation", id, explanation).await?;
            (Some(reason.as_str()), Some(sealed))
        }
    };
    tx.keep(
        "insert into gate_word (word_id, allocation_id, client_id, opens, reason, explanation, decided_by, decided_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![id, allocation, client, reason.is_some(), reason, explanation, by, now.at],
    )
    .await?;
    Ok(())
}
