//! Requests for correction: what was asked, and what was decided. The words of both are sealed.

use super::{key, key_opt};
use crate::domain::correction::{Correction, CorrectionId, Decision, Ground, Outcome, Subject, Wish};
use crate::domain::month::ExtensionGround;
use chassis::{Error, Result, Row, Tx, args};
use kernel::{ClientId, Date, Uuid};
use store::Retention::File;

const WORDS: &str = "correction.words";
const EXPLANATION: &str = "correction.explanation";

/// Every request of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Correction>> {
    let rows = tx
        .rows(
            "select correction_id, concerns, words, by_client, requested_on, answer_by, extension_ground, told_on, outcome,
                    ground, explanation, decided_on
             from correction where client_id = $1 order by correction_id",
            args![client],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(read(tx, client, row).await?);
    }
    Ok(found)
}

async fn read(tx: &Tx, client: ClientId, row: &Row) -> Result<Correction> {
    let id: Uuid = row.get("correction_id")?;
    let wish = Wish {
        concerns: key(row, "concerns", Subject::from_key)?,
        words: opened(tx, client, WORDS, id, row.get("words")?).await?,
        by_client: row.get("by_client")?,
        requested_on: row.get("requested_on")?,
    };
    Ok(Correction {
        id: CorrectionId(id),
        wish,
        answer_by: row.get("answer_by")?,
        extended: key_opt(row, "extension_ground", ExtensionGround::from_key)?.zip(row.get("told_on")?),
        decided: decided(tx, client, row, id).await?,
    })
}

async fn decided(tx: &Tx, client: ClientId, row: &Row, id: Uuid) -> Result<Option<Decision>> {
    let Some(outcome) = key_opt(row, "outcome", Outcome::from_key)? else { return Ok(None) };
    let on = row.get::<Option<Date>>("decided_on")?;
    Ok(Some(Decision {
        outcome,
        ground: key_opt(row, "ground", Ground::from_key)?,
        explanation: opened(tx, client, EXPLANATION, id, row.get("explanation")?).await?,
        on: on.ok_or_else(|| Error::inconsistent("correction", "decided_on", "is empty"))?,
    }))
}

/// What was sealed, or nothing when the client was erased.
async fn opened(tx: &Tx, client: ClientId, column: &'static str, id: Uuid, sealed: Option<Vec<u8>>) -> Result<String> {
    match sealed.filter(|sealed| !sealed.is_empty()) {
        Some(sealed) => Ok(tx.sealer().open(File.of(client), column, id, &sealed).await?.or_empty()),
        None => Ok(String::new()),
    }
}

/// Keeps a new request.
pub async fn insert(tx: &mut Tx, client: ClientId, correction: &Correction) -> Result<()> {
    let Correction { id, wish, .. } = correction;
    let words = tx.sealer().seal(File.of(client), WORDS, id.0, &wish.words).await?;
    tx.run(
        "insert into correction (correction_id, client_id, concerns, words, by_client, requested_on, answer_by)
         values ($1, $2, $3, $4, $5, $6, $7)",
        args![id.0, client, wish.concerns.as_str(), words, wish.by_client, wish.requested_on, correction.answer_by],
    )
    .await?;
    Ok(())
}

/// Keeps that the month was extended, why, and when the client was told.
pub async fn extend(tx: &mut Tx, correction: &Correction) -> Result<()> {
    let (ground, told_on) = correction.extended.map(|(ground, on)| (ground.as_str(), on)).unzip();
    tx.run(
        "update correction set answer_by = $2, extension_ground = $3, told_on = $4 where correction_id = $1",
        args![correction.id.0, correction.answer_by, ground, told_on],
    )
    .await?;
    Ok(())
}

/// Keeps what was decided, and by whom.
pub async fn decide(tx: &mut Tx, client: ClientId, correction: &Correction, by: &str) -> Result<()> {
    let (id, Some(decision)) = (correction.id.0, &correction.decided) else { return Ok(()) };
    let explanation = match decision.explanation.as_str() {
        "" => None,
        words => Some(tx.sealer().seal(File.of(client), EXPLANATION, id, words).await?),
    };
    let ground = decision.ground.map(Ground::as_str);
    tx.run(
        "update correction set outcome = $2, ground = $3, explanation = $4, decided_on = $5, decided_by = $6
         where correction_id = $1",
        args![id, decision.outcome.as_str(), ground, explanation, decision.on, by],
    )
    .await?;
    Ok(())
}
