//! Relations with role, kind and dates; the shared table `relation` holds what authorisation needs of them.

use super::key;
use crate::domain::relation::{Kind, Relation, RelationId, Wanted};
use chassis::{Error, Result, Tx, args};
use kernel::{ClientId, Moment, Organisation, Role};

/// Every relation of a client, oldest first.
pub async fn of(tx: &mut Tx, client: ClientId) -> Result<Vec<Relation>> {
    let rows = tx
        .rows(
            "select relation_id, organisation, person, role, kind, subject, since, ended_on from client_relation
             where client_id = $1 order by since, relation_id",
            args![client],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Relation {
                id: RelationId(row.get("relation_id")?),
                wanted: Wanted {
                    organisation: row.get("organisation")?,
                    person: row.get("person")?,
                    role: key(row, "role", Role::from_key)?,
                    kind: key(row, "kind", Kind::from_key)?,
                    subject: row.get("subject")?,
                },
                since: row.get("since")?,
                ended_on: row.get("ended_on")?,
            })
        })
        .collect()
}

/// Keeps a relation as it is now, and what authorisation needs of it.
pub async fn save(tx: &mut Tx, client: ClientId, relation: &Relation, now: Moment) -> Result<()> {
    let Relation { id, wanted, since, ended_on } = relation;
    tx.keep(
        "insert into client_relation (relation_id, client_id, organisation, person, role, kind, subject, since, ended_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (relation_id) do update set ended_on = excluded.ended_on",
        args![
            id.0,
            client,
            &wanted.organisation,
            wanted.person.as_ref(),
            wanted.role.as_str(),
            wanted.kind.as_str(),
            wanted.subject.as_ref(),
            *since,
            *ended_on
        ],
    )
    .await?;
    if ended_on.is_some() {
        return tx.end_relation(id.0, now.at).await;
    }
    let shared = store::Relation {
        relation_id: id.0,
        client,
        organisation: &wanted.organisation,
        person: wanted.person.as_deref(),
        kind: wanted.kind.as_str(),
    };
    tx.grant(&shared, now.at).await
}

/// The organisations that may know a client now: who hears of what happens to the file.
pub async fn audience(tx: &mut Tx, client: ClientId) -> Result<Vec<Organisation>> {
    let rows = tx
        .rows(
            "select distinct organisation from relation where client_id = $1 and ended_at is null order by organisation",
            args![client],
        )
        .await?;
    rows.iter().map(|row| row.get("organisation")).collect::<std::result::Result<_, Error>>()
}

/// The organisations that know the client, or ever did.
pub async fn ever(tx: &mut Tx, client: ClientId) -> Result<Vec<Organisation>> {
    let sql = "select distinct organisation from relation where client_id = $1 order by organisation";
    let rows = tx.rows(sql, args![client]).await?;
    rows.iter().map(|row| row.get("organisation")).collect()
}
