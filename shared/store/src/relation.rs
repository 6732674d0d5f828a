//! Who has to do with which client: the ground for every right that is about a person.

use crate::db::Tx;
use crate::{Result, args};
use jiff::Timestamp;
use kernel::{ClientId, Organisation};
use uuid::Uuid;

/// A relation of an organisation, or of one person there, to a client.
#[derive(Clone, Debug)]
pub struct Relation<'a> {
    /// Its own id: regie's, or that of the row from which the service itself derives it (a stay, a handover).
    pub relation_id: Uuid,
    /// The client.
    pub client: ClientId,
    /// The organisation.
    pub organisation: &'a Organisation,
    /// One person (a token's subject), or none for the whole organisation.
    pub person: Option<&'a str>,
    /// Why: "registered", "placed", "case", "offer", "handover" …
    pub kind: &'a str,
}

impl Tx {
    /// Grants a relation; the same one again changes nothing, also when it has ended meanwhile.
    pub async fn grant(&mut self, relation: &Relation<'_>, now: Timestamp) -> Result<()> {
        self.keep(
            "insert into relation (relation_id, client_id, organisation, person, kind, granted_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (relation_id) do nothing",
            args![
                relation.relation_id,
                relation.client.0,
                relation.organisation,
                relation.person.unwrap_or(""),
                relation.kind,
                now
            ],
        )
        .await?;
        Ok(())
    }

    /// Ends a relation; one that has ended stays as it is.
    pub async fn end_relation(&mut self, relation_id: Uuid, now: Timestamp) -> Result<()> {
        self.keep(
            "update relation set ended_at = $2 where relation_id = $1 and ended_at is null",
            args![relation_id, now],
        )
        .await?;
        Ok(())
    }

    /// Whether an organisation as a whole has a live relation to the client; with `person`, whether that very person has.
    pub async fn has_relation(
        &mut self,
        client: ClientId,
        organisation: &Organisation,
        person: Option<&str>,
    ) -> Result<bool> {
        let row = self
            .row(
                "select 1 as one from relation
                 where client_id = $1 and organisation = $2 and person = $3 and ended_at is null limit 1",
                args![client.0, organisation, person.unwrap_or("")],
            )
            .await?;
        Ok(row.is_some())
    }
}
