//! Agreements to help.

use super::{key, key_opt};
use crate::domain::help_agreement::{Agreement, AgreementId, Basis, Help, Kind, Side};
use chassis::{Error, Result, Row, Tx, args};
use kernel::ClientId;

fn basis(row: &Row) -> Result<Basis> {
    match (row.get::<Option<String>>("text_version")?, row.get::<Option<i64>>("plan_edition")?.map(u32::try_from)) {
        (Some(version), None) => Ok(Basis::Text(version)),
        (None, Some(Ok(edition))) => Ok(Basis::Plan(edition)),
        _ => Err(Error::inconsistent("help_agreement", "plan_edition", "stands on a text or on a plan")),
    }
}

/// Every agreement of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Agreement>> {
    let rows = tx
        .rows(
            "select help_agreement_id, kind, organisation, text_version, plan_edition, given_on, ended_on, ended_by
             from help_agreement where client_id = $1 order by help_agreement_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Agreement {
                id: AgreementId(row.get("help_agreement_id")?),
                wish: Help {
                    kind: key(row, "kind", Kind::from_key)?,
                    organisation: row.get("organisation")?,
                    basis: basis(row)?,
                },
                given_on: row.get("given_on")?,
                ended: row.get::<Option<_>>("ended_on")?.zip(key_opt(row, "ended_by", Side::from_key)?),
            })
        })
        .collect()
}

/// Keeps an agreement as it is now.
pub async fn save(tx: &mut Tx, client: ClientId, agreement: &Agreement) -> Result<()> {
    let help = &agreement.wish;
    let (text_version, plan_edition) = match &help.basis {
        Basis::Text(version) => (Some(version), None),
        Basis::Plan(edition) => (None, Some(i64::from(*edition))),
    };
    tx.keep(
        "insert into help_agreement (help_agreement_id, client_id, kind, organisation, text_version, plan_edition, given_on,
                                     ended_on, ended_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (help_agreement_id) do update set ended_on = excluded.ended_on, ended_by = excluded.ended_by",
        args![
            agreement.id.0,
            client,
            help.kind.as_str(),
            &help.organisation,
            text_version,
            plan_edition,
            agreement.given_on,
            agreement.ended.map(|(on, _)| on),
            agreement.ended.map(|(_, side)| side.as_str())
        ],
    )
    .await?;
    Ok(())
}
