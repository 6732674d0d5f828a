//! Emergency access (R-REG-20): who may look at a client without a relation, until when. Regie grants and ends it as it does
//! relations, and each service keeps what it is told.

use crate::db::{Row, Tx};
use crate::{Error, Result, args};
use jiff::Timestamp;
use kernel::{ClientId, Organisation, Role};
use uuid::Uuid;

/// Emergency access of one person to one client.
#[derive(Clone, Debug)]
pub struct Emergency<'a> {
    /// Regie's id of it.
    pub emergency_id: Uuid,
    /// The client.
    pub client: ClientId,
    /// For which organisation that person works.
    pub organisation: &'a Organisation,
    /// Who: a token's subject.
    pub person: &'a str,
    /// In which role.
    pub role: Role,
    /// Until when it counts, also where nothing is heard of its end.
    pub until: Timestamp,
}

impl Tx {
    /// Keeps that it was opened; the same one again changes nothing, also when it has ended meanwhile.
    pub async fn open_emergency(&mut self, emergency: &Emergency<'_>) -> Result<()> {
        self.keep(
            "insert into emergency_access (emergency_id, client_id, organisation, person, role, until_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (emergency_id) do nothing",
            args![
                emergency.emergency_id,
                emergency.client.0,
                emergency.organisation,
                emergency.person,
                emergency.role.as_str(),
                emergency.until
            ],
        )
        .await?;
        Ok(())
    }

    /// Ends it; one that has ended stays as it is.
    pub async fn end_emergency(&mut self, emergency_id: Uuid, now: Timestamp) -> Result<()> {
        self.keep(
            "update emergency_access set ended_at = $2 where emergency_id = $1 and ended_at is null",
            args![emergency_id, now],
        )
        .await?;
        Ok(())
    }

    /// What a person may look at a client by, at this moment: by id, with the role of each.
    pub async fn emergencies(
        &mut self,
        client: ClientId,
        organisation: &Organisation,
        person: &str,
        now: Timestamp,
    ) -> Result<Vec<(Uuid, Role)>> {
        let rows = self
            .rows(
                "select emergency_id, role from emergency_access
                 where client_id = $1 and organisation = $2 and person = $3 and ended_at is null and until_at > $4
                 order by emergency_id",
                args![client.0, organisation, person, now],
            )
            .await?;
        let read = |row: &Row| {
            let role = Role::from_key(&row.get::<String>("role")?);
            let role = role.ok_or_else(|| Error::inconsistent("emergency_access", "role", "is no role"))?;
            Ok((row.get("emergency_id")?, role))
        };
        rows.iter().map(read).collect()
    }
}
