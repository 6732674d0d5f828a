//! The key store: a database of its own with one random key per client and retention class, wrapped by a master key.
//!
//! A copy of a service's database holds no keys, so destroying a key erases what it sealed from every copy there is. Which
//! keys were destroyed stands in both databases: whichever is put back from an older copy is set right by the other.

use crate::db::{Db, Tx};
use crate::seal::{KeyOf, Masters, Retention, SealingKey, decrypt_bytes, encrypt};
use crate::{Error, Result, Store, again, args, schema};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::ClientId;
use sqlx::sqlite::SqliteConnectOptions;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What a service seals with.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// The root of lookups, and of everything that was sealed before there was a key per client.
    pub key: SealingKey,
    /// What wraps the keys of clients.
    pub masters: Masters,
    /// Where those are: `sqlite:PATH` or `postgres://…`, and not the service's own database.
    pub store: String,
}

impl Sealing {
    /// With the master key that is derived from the sealing key.
    pub fn new(key: SealingKey, store: String) -> Self {
        Self { masters: Masters::derived(&key), key, store }
    }

    /// The key store of a service that names none: a file beside that of its database. Of a database on a server there is
    /// no such place.
    pub fn beside(database: &str) -> Option<String> {
        let path = database.strip_prefix("sqlite:")?;
        let path = path.split('?').next().unwrap_or(path);
        let stem = path.rsplit_once('.').filter(|(_, end)| !end.contains('/')).map_or(path, |(stem, _)| stem);
        (!path.is_empty() && !path.contains(":memory:")).then(|| format!("sqlite:{stem}.keys.db"))
    }
}

/// That keys were destroyed: whose, when, by whom and why. Kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destroyed {
    /// Whose.
    pub client: ClientId,
    /// Which; none for all of the client's.
    pub class: Option<Retention>,
    /// When.
    pub at: Timestamp,
    /// By whom: a subject of a token, or a service.
    pub by: String,
    /// Why: the decision, or the term that was over.
    pub why: String,
}

/// What the report of destructions says of one: nothing about whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destruction {
    /// When.
    pub at: Timestamp,
    /// Which class; none for all of the client's.
    pub class: Option<Retention>,
    /// Why: the decision, or the term that was over.
    pub why: String,
    /// How many keys.
    pub keys: i64,
}

impl Destroyed {
    fn class(&self) -> &'static str {
        self.class.map_or("", Retention::as_str)
    }
}

/// What there is under a name.
#[derive(Clone)]
pub(crate) enum Found {
    Key(Arc<SealingKey>),
    Destroyed,
    Nothing,
}

/// At most this many opened keys are held in memory.
const HELD: usize = 4096;

/// An opened key is read anew after this long, so that another process of the service that destroyed it is heard.
const FRESH: Duration = Duration::from_secs(60);

/// So many keys are made at once for clients who are not there yet.
const READY: usize = 128;

/// The opened key store of one service.
pub(crate) struct Keys {
    store: Store,
    masters: Masters,
    memory: Mutex<Memory>,
    /// Clients to be, with the keys of their files on disk. What is left at the end is never used, and does no harm.
    ready: Mutex<VecDeque<ClientId>>,
    /// One at a time makes more of them.
    making: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Memory {
    held: HashMap<KeyOf, (Arc<SealingKey>, Instant)>,
    order: VecDeque<KeyOf>,
    destroyed: HashSet<(String, String)>,
}

impl Memory {
    fn destroyed(&self, key: KeyOf) -> bool {
        let owner = key.owner();
        self.destroyed.contains(&(owner.clone(), String::new()))
            || self.destroyed.contains(&(owner, key.class.to_owned()))
    }

    fn hold(&mut self, key: KeyOf, opened: Arc<SealingKey>) {
        if self.held.insert(key, (opened, Instant::now())).is_none() {
            self.order.push_back(key);
        }
        while self.held.len() > HELD {
            let Some(oldest) = self.order.pop_front() else { break };
            self.held.remove(&oldest);
        }
    }

    fn drop_destroyed(&mut self, owner: &str, class: &str) {
        self.destroyed.insert((owner.to_owned(), class.to_owned()));
        self.held.retain(|key, _| !(key.owner() == owner && (class.is_empty() || key.class == class)));
        let Self { held, order, .. } = self;
        order.retain(|key| held.contains_key(key));
    }
}

impl Keys {
    /// Opens the key store that belongs to the service's database, or makes one for a database that has none yet; and
    /// destroys what the database knows to have been destroyed.
    pub async fn open(service: &str, db: &Db, sealing: &Sealing) -> Result<Keys> {
        let database = Store::bare(service, db.clone(), &sealing.key);
        let bound = database.read().await?.key_store().await?;
        if bound.is_some() && !is_there(&sealing.store)? {
            return Err(Error::Keys("it is not there, and this database was sealed with its keys: put it back".into()));
        }
        let own = Db::open(&sealing.store).await?;
        if let Db::Lite { writer, .. } = &own {
            // What is deleted is overwritten.
            sqlx::query("pragma secure_delete = on").execute(writer.line().await.connection()?).await?;
        }
        schema::migrate_keys(&own).await?;
        let store = Store::bare(service, own, &sealing.key);
        let keys = Keys::over(store, sealing.masters.clone());
        keys.bind(service, &database, bound).await?;
        keys.try_masters().await?;
        for one in keys.store.read().await?.destroyed_keys().await? {
            keys.memory().drop_destroyed(&one.client.to_string(), one.class());
        }
        for one in database.read().await?.destroyed_keys().await? {
            if !keys.memory().destroyed.contains(&(one.client.to_string(), one.class().to_owned())) {
                tracing::warn!(service, client = %one.client, "the key store was put back: a key is destroyed again");
                keys.destroy(&one).await?;
            }
        }
        Ok(keys)
    }

    fn over(store: Store, masters: Masters) -> Keys {
        Keys {
            store,
            masters,
            memory: Mutex::default(),
            ready: Mutex::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One database, one key store. The key store learns its name first: killed in between, the database learns it later.
    async fn bind(&self, service: &str, database: &Store, bound: Option<String>) -> Result<()> {
        let known = "select service, key_store_id from key_store";
        let row = match self.store.read().await?.row(known, args![]).await? {
            Some(row) => row,
            None if bound.is_some() => {
                return Err(Error::Keys(
                    "it is an empty one, and this database was sealed with the keys of another: put that back".into(),
                ));
            }
            None => {
                let mut tx = self.store.write().await?;
                let insert = "insert into key_store (service, key_store_id) values ($1, $2) on conflict do nothing";
                tx.run(insert, args![service, Uuid::new_v4()]).await?;
                tx.commit().await?;
                let row = self.store.read().await?.row(known, args![]).await?;
                row.ok_or_else(|| Error::inconsistent("key_store", "key_store_id", "is empty"))?
            }
        };
        let (owner, id): (String, String) = (row.get("service")?, row.get("key_store_id")?);
        if owner != service {
            return Err(Error::Keys(format!("it belongs to the service {owner}: each has a key store of its own")));
        }
        match bound {
            Some(bound) if bound == id => Ok(()),
            Some(_) => Err(Error::Keys("this database was sealed with the keys of another: put that back".into())),
            None => {
                let mut tx = database.write().await?;
                let insert = "insert into key_store (key_store_id) values ($1) on conflict do nothing";
                tx.run(insert, args![id]).await?;
                tx.commit().await
            }
        }
    }

    /// Every master key that wraps something must be there, and be the right one: else that shows now, not at some client.
    async fn try_masters(&self) -> Result<()> {
        let mut tx = self.store.read().await?;
        let masters = tx.rows("select distinct master from data_key", args![]).await?;
        for master in masters {
            let sample = "select client_id, class, wrapped from data_key where master = $1 limit 1";
            let master: String = master.get("master")?;
            if let Some(row) = tx.row(sample, args![&master]).await? {
                let (owner, class): (String, String) = (row.get("client_id")?, row.get("class")?);
                self.unwrap(&owner, &class, &master, &row.get::<Vec<u8>>("wrapped")?)?;
            }
        }
        Ok(())
    }

    pub fn is_destroyed(&self, key: KeyOf) -> bool {
        self.memory().destroyed(key)
    }

    pub fn erased(&self, client: ClientId) -> bool {
        let memory = self.memory();
        !memory.destroyed.is_empty() && memory.destroyed.contains(&(client.to_string(), String::new()))
    }

    /// The key, if there is one.
    pub fn get(&self, key: KeyOf) -> BoxFuture<'_, Result<Found>> {
        Box::pin(async move {
            if let Some(found) = self.held(key) {
                return Ok(found);
            }
            let mut tx = self.store.read().await?;
            self.look(&mut tx, key).await
        })
    }

    fn held(&self, key: KeyOf) -> Option<Found> {
        let memory = self.memory();
        if memory.destroyed(key) {
            return Some(Found::Destroyed);
        }
        let held = memory.held.get(&key).filter(|(_, since)| since.elapsed() < FRESH);
        held.map(|(opened, _)| Found::Key(opened.clone()))
    }

    async fn look(&self, tx: &mut Tx, key: KeyOf) -> Result<Found> {
        let owner = key.owner();
        let select = "select master, wrapped from data_key where client_id = $1 and class = $2";
        if let Some(row) = tx.row(select, args![&owner, key.class]).await? {
            let opened =
                self.unwrap(&owner, key.class, &row.get::<String>("master")?, &row.get::<Vec<u8>>("wrapped")?)?;
            let opened = Arc::new(opened);
            let mut memory = self.memory();
            if memory.destroyed(key) {
                return Ok(Found::Destroyed);
            }
            memory.hold(key, opened.clone());
            return Ok(Found::Key(opened));
        }
        let select = "select class from destroyed_key where client_id = $1 and class in ('', $2)";
        match tx.row(select, args![&owner, key.class]).await? {
            Some(row) => {
                self.memory().drop_destroyed(&owner, &row.get::<String>("class")?);
                Ok(Found::Destroyed)
            }
            None => Ok(Found::Nothing),
        }
    }

    /// The key; made, and on disk in the key store, before anything is sealed with it. One that is never used does no harm.
    pub fn get_or_make(&self, key: KeyOf) -> BoxFuture<'_, Result<Found>> {
        Box::pin(async move {
            match self.get(key).await? {
                Found::Nothing => {}
                found => return Ok(found),
            }
            let owner = key.owner();
            let (_, master, wrapped) = self.draw(key)?;
            let (owner, master, wrapped) = (&owner, &master, &wrapped);
            again(|| async move {
                let mut tx = self.store.write().await?;
                tx.run(
                    "insert into data_key (client_id, class, master, wrapped) select $1, $2, $3, $4
                 where not exists (select 1 as one from destroyed_key where client_id = $1 and class in ('', $2))
                 on conflict do nothing",
                    args![owner, key.class, master, wrapped.clone()],
                )
                .await?;
                tx.commit().await?;
                // Only what is on disk counts: another may have been first.
                let mut tx = self.store.read().await?;
                self.look(&mut tx, key).await
            })
            .await
        })
    }

    /// The id of a client who is not there yet, with the key of the file on disk: who registers a client need not wait for it.
    pub async fn fresh_client(self: &Arc<Self>) -> Result<ClientId> {
        loop {
            let (fresh, left) = {
                let mut ready = self.ready();
                (ready.pop_front(), ready.len())
            };
            let Some(fresh) = fresh else {
                self.make_ready(0).await?;
                continue;
            };
            if left == READY / 2 {
                let keys = self.clone();
                tokio::spawn(async move {
                    if let Err(error) = keys.make_ready(left).await {
                        tracing::warn!(service = keys.store.shared.name, %error, "no keys could be made ahead");
                    }
                });
            }
            return Ok(fresh);
        }
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<ClientId>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes keys ahead, when no more than so many are left.
    async fn make_ready(&self, left: usize) -> Result<()> {
        let _turn = self.making.lock().await;
        if self.ready().len() > left {
            return Ok(());
        }
        let mut made = Vec::with_capacity(READY);
        for _ in 0..READY {
            let client = ClientId(Uuid::new_v4());
            let key = Retention::File.of(client);
            made.push((client, key, self.draw(key)?));
        }
        let insert = "insert into data_key (client_id, class, master, wrapped)";
        again(|| async {
            let rows = made
                .iter()
                .map(|(_, key, (_, master, wrapped))| args![key.owner(), key.class, master, wrapped.clone()]);
            let mut tx = self.store.write().await?;
            tx.insert_many(insert, rows.collect(), "").await?;
            tx.commit().await
        })
        .await?;
        for (client, key, (fresh, ..)) in made {
            self.memory().hold(key, Arc::new(fresh));
            self.ready().push_back(client);
        }
        Ok(())
    }

    /// A key that was never there, and how it is wrapped by which master key.
    fn draw(&self, key: KeyOf) -> Result<(SealingKey, String, Vec<u8>)> {
        let fresh = SealingKey::generate().ok_or_else(|| Error::Keys("the machine gave no randomness".into()))?;
        let (master, wrapped) = self.wrap(&key.owner(), key.class, fresh.expose())?;
        Ok((fresh, master, wrapped))
    }

    /// How many keys go with this, or went.
    async fn count(&self, what: &Destroyed) -> Result<i64> {
        let (owner, class) = (what.client.to_string(), what.class());
        let mut tx = self.store.read().await?;
        let known = "select keys from destroyed_key where client_id = $1 and class = $2";
        if let Some(row) = tx.row(known, args![&owner, class]).await? {
            return row.get("keys");
        }
        let count = "select count(*) as n from data_key where client_id = $1 and ($2 = '' or class = $2)";
        tx.row(count, args![&owner, class]).await?.map_or(Ok(0), |row| row.get("n"))
    }

    /// Destroys keys, for good. Again changes nothing.
    pub fn destroy<'a>(&'a self, what: &'a Destroyed) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let keys = self.count(what).await?;
            let (owner, class) = (what.client.to_string(), what.class());
            // From here on nothing opens, also when the rest must be done again.
            self.memory().drop_destroyed(&owner, class);
            let owner = &owner;
            again(|| async move {
                let mut tx = self.store.write().await?;
                tx.note_destroyed(what, keys).await?;
                let delete = "delete from data_key where client_id = $1 and ($2 = '' or class = $2)";
                tx.run(delete, args![owner, class]).await?;
                tx.commit().await
            })
            .await?;
            self.sweep().await;
            Ok(())
        })
    }

    /// Takes what was deleted out of the files, as far as the engine lets us now; else it does so later by itself.
    async fn sweep(&self) {
        let swept = match &self.store.db {
            Db::Lite { writer, .. } => match writer.line().await.connection() {
                Ok(connection) => sqlx::query("pragma wal_checkpoint(truncate)").execute(connection).await.map(drop),
                Err(_) => return,
            },
            Db::Pg(pool) => sqlx::query("vacuum data_key").execute(pool).await.map(drop),
        };
        if let Err(error) = swept {
            tracing::info!(service = self.store.shared.name, %error, "a destroyed key is overwritten later");
        }
    }

    fn wrap(&self, owner: &str, class: &str, key: &[u8; 32]) -> Result<(String, Vec<u8>)> {
        let (id, master) = self.masters.newest();
        Ok((id.to_owned(), encrypt(&master, &wrapping(owner, class, id), key)?))
    }

    fn unwrap(&self, owner: &str, class: &str, master: &str, wrapped: &[u8]) -> Result<SealingKey> {
        let key = self.masters.get(master).ok_or_else(|| {
            Error::Keys(format!("the master key {master} wraps keys in it and is not configured: add it"))
        })?;
        let plain = decrypt_bytes(&key, &wrapping(owner, class, master), wrapped);
        plain.and_then(|plain| Some(SealingKey::from_bytes(plain.as_slice().try_into().ok()?))).ok_or_else(|| {
            Error::Keys(format!(
                "the master key {master} is not the one that wrapped a key in it: put the right one back"
            ))
        })
    }

    pub async fn close(&self) {
        self.store.db.close().await;
    }

    /// Everything that was destroyed.
    pub fn destroyed(&self) -> BoxFuture<'_, Result<Vec<Destroyed>>> {
        Box::pin(async move { self.store.read().await?.destroyed_keys().await })
    }
}

/// What a wrapped key is bound to.
fn wrapping(owner: &str, class: &str, master: &str) -> String {
    format!("data_key/{owner}/{class}/{master}")
}

/// Whether a file is there; a server says so itself.
fn is_there(url: &str) -> Result<bool> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Ok(true);
    }
    Ok(SqliteConnectOptions::from_str(url)?.get_filename().exists())
}

/// Wraps every key in a key store with the newest master key; says how many were wrapped by another. No sealed column is
/// touched. The services may run, as long as they know the newest master key already.
pub fn rewrap<'a>(url: &'a str, masters: &'a Masters) -> BoxFuture<'a, Result<usize>> {
    Box::pin(async move {
        if !is_there(url)? {
            return Err(Error::Keys("it is not there".into()));
        }
        let db = Db::open(url).await?;
        schema::migrate_keys(&db).await?;
        // Wrapping asks nothing of the sealing key.
        let store = Store::bare("rewrap", db, &SealingKey::from_bytes([0; 32]));
        let keys = &Keys::over(store, masters.clone());
        let mut wrapped = 0;
        loop {
            let done = again(|| keys.rewrap_some()).await?;
            if done == 0 {
                keys.close().await;
                return Ok(wrapped);
            }
            wrapped += done;
        }
    })
}

impl Keys {
    async fn rewrap_some(&self) -> Result<usize> {
        let newest = self.masters.newest().0.to_owned();
        let mut tx = self.store.write().await?;
        let select = "select client_id, class, master, wrapped from data_key where master <> $1 limit 100";
        let rows = tx.rows(select, args![&newest]).await?;
        for row in &rows {
            let (owner, class): (String, String) = (row.get("client_id")?, row.get("class")?);
            let key = self.unwrap(&owner, &class, &row.get::<String>("master")?, &row.get::<Vec<u8>>("wrapped")?)?;
            let (master, wrapped) = self.wrap(&owner, &class, key.expose())?;
            let update = "update data_key set master = $3, wrapped = $4 where client_id = $1 and class = $2";
            tx.run(update, args![owner, class, master, wrapped]).await?;
        }
        tx.commit().await?;
        Ok(rows.len())
    }
}

impl Tx {
    /// Which key store opens what is sealed here.
    async fn key_store(&mut self) -> Result<Option<String>> {
        let row = self.row("select key_store_id from key_store", args![]).await?;
        row.map(|row| row.get("key_store_id")).transpose()
    }

    async fn note_destroyed(&mut self, what: &Destroyed, keys: i64) -> Result<()> {
        self.run(
            "insert into destroyed_key (client_id, class, destroyed_at, destroyed_by, why, keys)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            args![what.client, what.class(), what.at, &what.by, &what.why, keys],
        )
        .await?;
        Ok(())
    }

    /// Which keys were destroyed, as this side knows.
    pub async fn destroyed_keys(&mut self) -> Result<Vec<Destroyed>> {
        let rows = self
            .rows(
                "select client_id, class, destroyed_at, destroyed_by, why from destroyed_key order by destroyed_at",
                args![],
            )
            .await?;
        let read = |row: &crate::Row| {
            Ok(Destroyed {
                client: row.get("client_id")?,
                class: class_of(row)?,
                at: row.get("destroyed_at")?,
                by: row.get("destroyed_by")?,
                why: row.get("why")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Destroys keys of a client, for good: at once in the key store, and noted here with this transaction. So whatever it
    /// rests on must be committed already (an event of another service, a deadline): killed in between, it is done again.
    pub fn destroy_keys<'a>(&'a mut self, what: &'a Destroyed) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let keys = self.sealer().keys()?.count(what).await?;
            self.note_destroyed(what, keys).await?;
            self.sealer().keys()?.destroy(what).await
        })
    }

    /// What was destroyed, newest first, after the one with this moment, reason and class.
    pub async fn destructions(
        &mut self,
        after: Option<(Timestamp, &str, &str)>,
        limit: i64,
    ) -> Result<Vec<Destruction>> {
        let (before, why, class) = after.unwrap_or((Timestamp::MAX, "", ""));
        let rows = self
            .rows(
                "select destroyed_at, class, why, keys from destroyed_key
                 where destroyed_at < $1 or (destroyed_at = $1 and (why, class) > ($2, $3))
                 order by destroyed_at desc, why, class limit $4",
                args![before, why, class, limit],
            )
            .await?;
        let read = |row: &crate::Row| {
            let (at, why) = (row.get("destroyed_at")?, row.get("why")?);
            Ok(Destruction { at, class: class_of(row)?, why, keys: row.get("keys")? })
        };
        rows.iter().map(read).collect()
    }

    /// By the first words of why (up to the id that ends them) and class: of how many clients, and how many keys.
    pub async fn destroyed_totals(&mut self) -> Result<BTreeMap<(String, &'static str), (i64, i64)>> {
        // Every id has the same length, and a reason from before has none.
        let rows = self
            .rows(
                "select cause, class, count(*) as clients, cast(sum(keys) as bigint) as keys from (
                     select class, keys, case when length(why) > 37 then substr(why, 1, length(why) - 37) else why end as cause
                     from destroyed_key) as one
                 group by cause, class order by cause, class",
                args![],
            )
            .await?;
        let read = |row: &crate::Row| {
            let class = class_of(row)?.map_or("", Retention::as_str);
            Ok(((row.get("cause")?, class), (row.get("clients")?, row.get("keys")?)))
        };
        rows.iter().map(read).collect()
    }
}

/// The class of a row; none for all of the client's.
fn class_of(row: &crate::Row) -> Result<Option<Retention>> {
    match row.get::<String>("class")?.as_str() {
        "" => Ok(None),
        "file" => Ok(Some(Retention::File)),
        "plan" => Ok(Some(Retention::Plan)),
        "report" => Ok(Some(Retention::Report)),
        _ => Err(Error::inconsistent("destroyed_key", "class", "is no class")),
    }
}

impl Store {
    /// What the key store knows to have been destroyed and the database does not: it was put back from an older copy, and
    /// what belongs to those erasures must be done again.
    pub fn forgotten_erasures(&self) -> BoxFuture<'_, Result<Vec<Destroyed>>> {
        Box::pin(async move {
            let noted = self.read().await?.destroyed_keys().await?;
            let noted: BTreeSet<(String, &str)> =
                noted.iter().map(|one| (one.client.to_string(), one.class())).collect();
            let destroyed = self.shared.sealer.keys()?.destroyed().await?;
            Ok(destroyed.into_iter().filter(|one| !noted.contains(&(one.client.to_string(), one.class()))).collect())
        })
    }
}

#[cfg(test)]
mod tests;
