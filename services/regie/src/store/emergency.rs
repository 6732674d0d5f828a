//! Emergency access: who, why, and what the review found.

use super::{key, key_opt};
use crate::domain::emergency::{Emergency, EmergencyId, Outcome, Reason, Review, Wish};
use chassis::{Error, Result, Row, Tx, args};
use kernel::{ClientId, Role, Uuid};
use store::Retention::File;

const EXPLANATION: &str = "emergency.explanation";
const FOUND: &str = "emergency.outcome_explanation";

async fn read(tx: &mut Tx, row: &Row) -> Result<(ClientId, Emergency)> {
    let (client, id): (ClientId, Uuid) = (row.get("client_id")?, row.get("emergency_id")?);
    let explanation = words(tx, client, EXPLANATION, id, row.get("explanation")?).await?;
    let review = match key_opt(row, "outcome", Outcome::from_key)? {
        None => None,
        Some(outcome) => {
            let explanation = words(tx, client, FOUND, id, row.get("outcome_explanation")?).await?;
            let on = row.get::<Option<kernel::Date>>("reviewed_on")?;
            let on = on.ok_or_else(|| Error::inconsistent("emergency", "reviewed_on", "is empty"))?;
            Some(Review { outcome, explanation, on })
        }
    };
    let wish = Wish {
        organisation: row.get("organisation")?,
        person: row.get("person")?,
        role: key(row, "role", Role::from_key)?,
        reason: key(row, "reason", Reason::from_key)?,
        explanation,
    };
    let emergency = Emergency {
        id: EmergencyId(id),
        wish,
        opened_at: row.get("opened_at")?,
        until: row.get("until_at")?,
        ended_at: row.get("ended_at")?,
        review_by: row.get("review_by")?,
        review,
    };
    Ok((client, emergency))
}

/// What was sealed, or nothing when the client was erased.
async fn words(tx: &Tx, client: ClientId, column: &'static str, id: Uuid, sealed: Option<Vec<u8>>) -> Result<String> {
    match sealed.filter(|sealed| !sealed.is_empty()) {
        Some(sealed) => Ok(tx.sealer().open(File.of(client), column, id, &sealed).await?.or_empty()),
        None => Ok(String::new()),
    }
}

/// Every one of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Emergency>> {
    let rows = tx
        .rows(
            "select emergency_id, client_id, organisation, person, role, reason, explanation, opened_at, until_at, ended_at,
                    review_by, outcome, outcome_explanation, reviewed_on
             from emergency where client_id = $1 order by emergency_id",
            args![client],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(read(tx, row).await?.1);
    }
    Ok(found)
}

/// For who reviews them, newest first, before the given one: of one client or of all, waiting or all.
pub async fn list(
    tx: &mut Tx,
    client: Option<ClientId>,
    waiting_only: bool,
    before: &str,
    limit: i64,
) -> Result<Vec<(ClientId, Emergency)>> {
    let client = client.map(|client| client.to_string()).unwrap_or_default();
    let rows = tx
        .rows(
            "select emergency_id, client_id, organisation, person, role, reason, explanation, opened_at, until_at, ended_at,
                    review_by, outcome, outcome_explanation, reviewed_on
             from emergency
             where ($1 = '' or client_id = $1) and (not $2 or outcome is null) and ($3 = '' or emergency_id < $3)
             order by emergency_id desc limit $4",
            args![client, waiting_only, before, limit + 1],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(read(tx, row).await?);
    }
    Ok(found)
}

/// Keeps one that was opened.
pub async fn insert(tx: &mut Tx, client: ClientId, emergency: &Emergency) -> Result<()> {
    let Emergency { id, wish, .. } = emergency;
    let sealed = tx.sealer().seal(File.of(client), EXPLANATION, id.0, &wish.explanation).await?;
    tx.keep(
        "insert into emergency (emergency_id, client_id, organisation, person, role, reason, explanation, opened_at, until_at,
                                review_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            id.0,
            client,
            &wish.organisation,
            &wish.person,
            wish.role.as_str(),
            wish.reason.as_str(),
            sealed,
            emergency.opened_at,
            emergency.until,
            emergency.review_by
        ],
    )
    .await?;
    Ok(())
}

/// Keeps that it ended.
pub async fn end(tx: &mut Tx, emergency: &Emergency) -> Result<()> {
    let args = args![emergency.id.0, emergency.ended_at];
    tx.keep("update emergency set ended_at = $2 where emergency_id = $1", args).await?;
    Ok(())
}

/// Keeps what a review found, and who reviewed it.
pub async fn review(tx: &mut Tx, client: ClientId, id: EmergencyId, review: &Review, by: &str) -> Result<()> {
    let sealed = tx.sealer().seal(File.of(client), FOUND, id.0, &review.explanation).await?;
    tx.keep(
        "update emergency set outcome = $2, outcome_explanation = $3, reviewed_by = $4, reviewed_on = $5
         where emergency_id = $1",
        args![id.0, review.outcome.as_str(), sealed, by, review.on],
    )
    .await?;
    Ok(())
}
