//! Legal representatives; the shared table `representative` holds what counts for rights.

use super::key;
use crate::domain::representative::{Ground, Representative, RepresentativeId, Wish};
use chassis::{Result, Tx, args};
use kernel::{ClientId, Moment};

/// Every representative of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Representative>> {
    let rows = tx
        .rows(
            "select representative_id, represented_by, ground, from_on, last_day, recorded_on, ended_on
             from client_representative where client_id = $1 order by representative_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Representative {
                id: RepresentativeId(row.get("representative_id")?),
                wish: Wish {
                    represented_by: row.get("represented_by")?,
                    ground: key(row, "ground", Ground::from_key)?,
                    from_on: row.get("from_on")?,
                    last_day: row.get("last_day")?,
                },
                recorded_on: row.get("recorded_on")?,
                ended_on: row.get("ended_on")?,
            })
        })
        .collect()
}

/// Keeps a representative as it is now, and what counts for rights.
pub async fn save(tx: &mut Tx, client: ClientId, one: &Representative, now: Moment) -> Result<()> {
    let Representative { id, wish, recorded_on, ended_on } = one;
    tx.keep(
        "insert into client_representative (representative_id, client_id, represented_by, ground, from_on, last_day,
                                            recorded_on, ended_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (representative_id) do update set ended_on = excluded.ended_on",
        args![
            id.0,
            client,
            wish.represented_by,
            wish.ground.as_str(),
            wish.from_on,
            wish.last_day,
            *recorded_on,
            *ended_on
        ],
    )
    .await?;
    match ended_on {
        Some(_) => tx.end_representative(id.0, now.at).await,
        None => tx.represent(id.0, client, wish.represented_by, now.at).await,
    }
}
