//! Consents.

use super::key;
use crate::domain::consent::{Category, Consent, ConsentId, Wish};
use chassis::{Result, Tx, args};
use kernel::ClientId;

/// Every consent of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Consent>> {
    let rows = tx
        .rows(
            "select consent_id, category, receiver, purpose, text_version, given_on, withdrawn_on from consent
             where client_id = $1 order by consent_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Consent {
                id: ConsentId(row.get("consent_id")?),
                wish: Wish {
                    category: key(row, "category", Category::from_key)?,
                    receiver: row.get("receiver")?,
                    purpose: row.get("purpose")?,
                    text_version: row.get("text_version")?,
                },
                given_on: row.get("given_on")?,
                ended: row.get("withdrawn_on")?,
            })
        })
        .collect()
}

/// Keeps a consent as it is now.
pub async fn save(tx: &mut Tx, client: ClientId, consent: &Consent) -> Result<()> {
    let wish = &consent.wish;
    tx.keep(
        "insert into consent (consent_id, client_id, category, receiver, purpose, text_version, given_on, withdrawn_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (consent_id) do update set withdrawn_on = excluded.withdrawn_on",
        args![
            consent.id.0,
            client,
            wish.category.as_str(),
            &wish.receiver,
            &wish.purpose,
            &wish.text_version,
            consent.given_on,
            consent.ended
        ],
    )
    .await?;
    Ok(())
}
