//! Clients and households: sealed.

use super::Versioned;
use crate::domain::client::{Client, Home, Identity};
use crate::domain::household::{Household, Member};
use ::store::Retention::File;
use ::store::{Opened, json};
use chassis::{Error, Result, Tx, Work, args};
use kernel::{Bsn, ClientId, Date, Organisation, Timestamp};
use serde::{Deserialize, Serialize};

/// An identity as it is inside its seal.
#[derive(Serialize, Deserialize)]
struct Sealed {
    surname: String,
    first_names: String,
    birth_date: Date,
    bsn: Option<String>,
    v_number: Option<String>,
    home: Option<Home>,
    phone: Option<String>,
    email: Option<String>,
}

async fn seal(tx: &Tx, id: ClientId, identity: &Identity) -> Result<Vec<u8>> {
    let Identity { surname, first_names, birth_date, bsn, v_number, home, phone, email } = identity.clone();
    let bsn = bsn.map(|bsn| bsn.expose().to_owned());
    let plain = json(&Sealed { surname, first_names, birth_date, bsn, v_number, home, phone, email });
    tx.sealer().seal(File.of(id), "client.identity", id, &plain).await
}

/// None for who was erased: whoever asks is answered as if the client had never been.
async fn open(tx: &Tx, id: ClientId, sealed: &[u8]) -> Result<Option<Identity>> {
    let plain = match tx.sealer().open(File.of(id), "client.identity", id, sealed).await? {
        Opened::Text(plain) => plain,
        Opened::Erased => return Ok(None),
    };
    let fault = |why| Error::inconsistent("client", "identity", why);
    let read: Sealed = serde_json::from_str(&plain).map_err(|_| fault("is no identity"))?;
    let bsn = read.bsn.map(|bsn| Bsn::parse("bsn", &bsn)).transpose().map_err(|_| fault("holds no BSN"))?;
    let Sealed { surname, first_names, birth_date, v_number, home, phone, email, .. } = read;
    Ok(Some(Identity { surname, first_names, birth_date, bsn, v_number, home, phone, email }))
}

fn bsn_hash(tx: &Tx, bsn: Option<&Bsn>) -> Option<Vec<u8>> {
    bsn.map(|bsn| tx.sealer().lookup("bsn", bsn.expose()))
}

/// A client and its version; none for who was erased.
pub async fn load(work: &mut Work, id: ClientId) -> Result<Option<Versioned<Client>>> {
    let sql = concat!(
        "select t.version, t.municipality, t.registered_by, t.identity, t.died_on, ",
        ::store::around!(),
        " from client t where t.client_id = $1"
    );
    let Some(row) = work.row_around(id, sql).await? else { return Ok(None) };
    let Some(identity) = open(work, id, &row.get::<Vec<u8>>("identity")?).await? else { return Ok(None) };
    let client = Client {
        municipality: row.get("municipality")?,
        registered_by: row.get("registered_by")?,
        identity,
        died_on: row.get("died_on")?,
    };
    Ok(Some((client, row.get("version")?)))
}

/// Writes a client as version `version`.
pub async fn save(tx: &mut Tx, id: ClientId, client: &Client, version: i64, now: Timestamp) -> Result<()> {
    let (identity, hash) = (seal(tx, id, &client.identity).await?, bsn_hash(tx, client.identity.bsn.as_ref()));
    tx.keep(
        "insert into client (client_id, version, municipality, registered_by, registered_at, identity, bsn_hash, died_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (client_id) do update
         set version = excluded.version, identity = excluded.identity, bsn_hash = excluded.bsn_hash, died_on = excluded.died_on",
        args![id, version, &client.municipality, &client.registered_by, now, identity, hash, client.died_on],
    )
    .await?;
    Ok(())
}

/// The first other client with that BSN.
pub async fn known_as(tx: &mut Tx, bsn: Option<&Bsn>, not: ClientId) -> Result<Option<ClientId>> {
    let Some(hash) = bsn_hash(tx, bsn) else { return Ok(None) };
    let sql = "select client_id from client where bsn_hash = $1 and client_id <> $2 order by registered_at, client_id limit 1";
    let row = tx.row(sql, args![hash, not]).await?;
    row.map(|row| row.get("client_id")).transpose()
}

/// All households of a client, in the order in which they were recorded.
pub async fn households(tx: &mut Tx, id: ClientId) -> Result<Vec<Household>> {
    let sql = "select set_no, from_on, members from household where client_id = $1 order by set_no";
    let rows = tx.rows(sql, args![id]).await?;
    let mut households = Vec::with_capacity(rows.len());
    for row in rows {
        let place = format!("{id}/{}", row.get::<i64>("set_no")?);
        let members: Vec<u8> = row.get("members")?;
        let plain = tx.sealer().open(File.of(id), "household.members", place, &members).await?.text()?;
        let members: Vec<Member> =
            serde_json::from_str(&plain).map_err(|_| Error::inconsistent("household", "members", "are no members"))?;
        households.push(Household { from_on: row.get("from_on")?, members });
    }
    Ok(households)
}

/// Adds a household as the `set_no`th of its client.
pub async fn add_household(tx: &mut Tx, id: ClientId, set_no: usize, set: &Household, now: Timestamp) -> Result<()> {
    let place = format!("{id}/{set_no}");
    let members = tx.sealer().seal(File.of(id), "household.members", place, &json(&set.members)).await?;
    tx.keep(
        "insert into household (client_id, set_no, from_on, recorded_at, members) values ($1, $2, $3, $4, $5)",
        args![id, set_no, set.from_on, now, members],
    )
    .await?;
    Ok(())
}

/// The clients of an organisation, or of one person there, after `after` by id.
pub async fn caseload(
    tx: &mut Tx,
    organisation: &Organisation,
    person: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<(ClientId, Identity)>> {
    let rows = tx
        .rows(
            "select c.client_id, c.identity from client c
             where c.client_id > $3 and exists (select 1 from relation r where r.client_id = c.client_id and r.organisation = $1
                                                and r.person = $2 and r.ended_at is null)
             order by c.client_id limit $4",
            args![organisation, person, after, limit],
        )
        .await?;
    let mut clients = Vec::with_capacity(rows.len());
    for row in rows {
        let id: ClientId = row.get("client_id")?;
        if let Some(identity) = open(tx, id, &row.get::<Vec<u8>>("identity")?).await? {
            clients.push((id, identity));
        }
    }
    Ok(clients)
}

/// Takes away what is left of a client outside the seals, and what is sealed with it.
pub async fn forget(tx: &mut Tx, id: ClientId) -> Result<()> {
    tx.run("update client set identity = $2, bsn_hash = null where client_id = $1", args![id, Vec::<u8>::new()])
        .await?;
    tx.run("delete from household where client_id = $1", args![id]).await?;
    Ok(())
}
