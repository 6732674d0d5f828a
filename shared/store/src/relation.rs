//! Who has to do with which client: the ground for every right that is about a person.

use crate::db::{Row, Tx};
use crate::{Error, Result, args, contact};
use futures_util::future::BoxFuture;
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

/// How an organisation and one of its people have to do with a client, and how the client is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// Whether the organisation as a whole has a live relation to the client.
    pub organisation: bool,
    /// Whether that very person has.
    pub person: bool,
    /// Whether safe contact is on, and through whom (R-REG-28).
    pub reached_through: Option<Option<Organisation>>,
}

/// What is looked for around the client `$1`, for the organisation `$2` and the person `$3`, as columns of any query: with
/// it a client is read and looked around in one statement.
#[macro_export]
macro_rules! around {
    () => {
        "(select count(*) from relation r where r.client_id = $1 and r.organisation = $2 and r.person = ''
          and r.ended_at is null) as around_organisation,
         (select count(*) from relation r where r.client_id = $1 and r.organisation = $2 and r.person = $3
          and r.ended_at is null) as around_person,
         (select c.organisation from contact_through c where c.client_id = $1) as around_reached"
    };
}

impl Around {
    /// Reads the columns of [`around!`].
    pub fn read(row: &Row) -> Result<Around> {
        let some = |column| row.get::<i64>(column).map(|n| n > 0);
        let reached_through = match row.get::<Option<String>>("around_reached")? {
            Some(_) => Some(contact::through(row, "around_reached")?),
            None => None,
        };
        Ok(Around { organisation: some("around_organisation")?, person: some("around_person")?, reached_through })
    }
}

impl Tx {
    /// Looks around a client, in one statement: whether there is such a client or not, it is the same one.
    pub fn around<'a>(
        &'a mut self,
        client: ClientId,
        organisation: &'a Organisation,
        person: &'a str,
    ) -> BoxFuture<'a, Result<Around>> {
        Box::pin(async move {
            let row = self.row(concat!("select ", around!()), args![client, organisation, person]).await?;
            Around::read(&row.ok_or_else(|| Error::inconsistent("relation", "client_id", "was not looked for"))?)
        })
    }

    /// Grants a relation; the same one again changes nothing, also when it has ended meanwhile.
    pub fn grant<'a>(&'a mut self, relation: &'a Relation<'a>, now: Timestamp) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
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
        })
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
    pub fn has_relation<'a>(
        &'a mut self,
        client: ClientId,
        organisation: &'a Organisation,
        person: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let row = self
                .row(
                    "select 1 as one from relation
                 where client_id = $1 and organisation = $2 and person = $3 and ended_at is null limit 1",
                    args![client.0, organisation, person.unwrap_or("")],
                )
                .await?;
            Ok(row.is_some())
        })
    }
}
