//! Releases of professional secrecy.

use super::key;
use crate::domain::release::{Release, ReleaseId, Subject, Wish};
use chassis::{Result, Tx, args};
use kernel::ClientId;

/// Every release of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Release>> {
    let rows = tx
        .rows(
            "select release_id, organisation, receiver, subject, purpose, text_version, last_day, given_on, withdrawn_on
             from secrecy_release where client_id = $1 order by release_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Release {
                id: ReleaseId(row.get("release_id")?),
                wish: Wish {
                    organisation: row.get("organisation")?,
                    receiver: row.get("receiver")?,
                    subject: key(row, "subject", Subject::from_key)?,
                    purpose: row.get("purpose")?,
                    text_version: row.get("text_version")?,
                    last_day: row.get("last_day")?,
                },
                given_on: row.get("given_on")?,
                ended: row.get("withdrawn_on")?,
            })
        })
        .collect()
}

/// Keeps a release as it is now.
pub async fn save(tx: &mut Tx, client: ClientId, release: &Release) -> Result<()> {
    let wish = &release.wish;
    tx.keep(
        "insert into secrecy_release (release_id, client_id, organisation, receiver, subject, purpose, text_version, last_day,
                                      given_on, withdrawn_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (release_id) do update set withdrawn_on = excluded.withdrawn_on",
        args![
            release.id.0,
            client,
            &wish.organisation,
            &wish.receiver,
            wish.subject.as_str(),
            &wish.purpose,
            &wish.text_version,
            wish.last_day,
            release.given_on,
            release.ended
        ],
    )
    .await?;
    Ok(())
}
