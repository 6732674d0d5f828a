//! The chain over the access log (R-REG-19): each entry is hashed together with the hash before it, in the order of the
//! positions. A link is a place in that chain that was written down. Links in the database show a careless change; a
//! signed link that was kept elsewhere (a checkpoint) shows every change up to its position, also one by somebody who
//! may do anything with the database.

use crate::db::{Db, Row, Tx};
use crate::{Error, Result, Store, args};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use ring::digest::{Context, SHA256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr as _;

/// SHA-256
pub type Hash = [u8; 32];

/// Which encoding of an entry is hashed. Another list of fields is another form: an entry is of the first that has all that
/// it holds, so that what was linked before a field came stays linked, and filling or emptying a field changes the hash.
const FORMS: [(&[u8], usize); 3] = [
    (b"doorstroom access log, form 1\n", 13),
    (b"doorstroom access log, form 2\n", 17),
    (b"doorstroom access log, form 3\n", TEXTS.len()),
];

/// The text fields of an entry, in the order in which they are hashed.
const TEXTS: [&str; 18] = [
    "access_id",
    "client_id",
    "subject",
    "organisation",
    "roles",
    "on_behalf_of",
    "rpc",
    "purpose",
    "legal_ground",
    "categories",
    "request_id",
    "trace_id",
    "result",
    "access_point",
    "consents",
    "emergency_id",
    "protocol",
    "standing",
];

const ENTRIES_AFTER: &str =
    "select position, access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc,
    purpose, legal_ground, categories, request_id, trace_id, result, access_point, consents, emergency_id, protocol, standing
    from access_log where position > $1 order by position limit $2";

const EVERY_ENTRY: &str =
    "select position, access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc,
    purpose, legal_ground, categories, request_id, trace_id, result, access_point, consents, emergency_id, protocol, standing
    from access_log where position is not null order by position, access_id";

/// The same of a database that no program with the later fields has opened: a backup of before them.
const EVERY_ENTRY_BEFORE_STANDING: &str =
    "select position, access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc,
    purpose, legal_ground, categories, request_id, trace_id, result, access_point, consents, emergency_id, protocol,
    null as standing
    from access_log where position is not null order by position, access_id";

const EVERY_ENTRY_BEFORE_PROTOCOL: &str =
    "select position, access_id, occurred_at, client_id, subject, organisation, roles, on_behalf_of, rpc,
    purpose, legal_ground, categories, request_id, trace_id, result,
    null as access_point, null as consents, null as emergency_id, null as protocol, null as standing
    from access_log where position is not null order by position, access_id";

/// At most this many entries stand between two links.
const LINK: i64 = 256;

/// An entry of the access log, as its row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log, from 1 on.
    pub position: i64,
    /// When, in microseconds.
    pub occurred_at: i64,
    /// The fields that are text: who, what, whose, why, and what came of it.
    pub texts: [Option<String>; TEXTS.len()],
}

impl Entry {
    fn read(row: &Row) -> Result<Entry> {
        let mut texts = [const { None }; TEXTS.len()];
        for (text, column) in texts.iter_mut().zip(TEXTS) {
            *text = row.get(column)?;
        }
        Ok(Entry { position: row.get("position")?, occurred_at: row.get("occurred_at")?, texts })
    }
}

/// A place in the chain: the hash over every entry up to a position.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The last entry that it covers; 0 before the first.
    pub position: i64,
    /// The hash over all that it covers.
    pub hash: Hash,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash: String = self.hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        write!(f, "{}:{hash}…", self.position)
    }
}

impl Link {
    /// Before the first entry.
    pub const START: Link = Link { position: 0, hash: [0; 32] };

    /// The next place: this one's hash and the entry, every field with its length before it, so that no two entries are
    /// written alike.
    fn next(self, entry: &Entry) -> std::result::Result<Link, Fault> {
        let position = self.position + 1;
        if entry.position != position {
            return Err(Fault::Missing { position, found: entry.position });
        }
        let holds = entry.texts.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let (form, fields) = *FORMS.iter().find(|(_, fields)| holds <= *fields).unwrap_or(&FORMS[2]);
        let mut context = Context::new(&SHA256);
        context.update(form);
        context.update(&self.hash);
        context.update(&entry.position.to_be_bytes());
        context.update(&entry.occurred_at.to_be_bytes());
        for text in &entry.texts[..fields] {
            match text {
                None => context.update(&[0]),
                Some(text) => {
                    context.update(&[1]);
                    context.update(&(text.len() as u64).to_be_bytes());
                    context.update(text.as_bytes());
                }
            }
        }
        let mut hash = Hash::default();
        hash.copy_from_slice(context.finish().as_ref());
        Ok(Link { position, hash })
    }

    fn read(row: &Row) -> Result<Link> {
        let hash: Vec<u8> = row.get("hash")?;
        let hash = hash.try_into().map_err(|_| Error::inconsistent("access_link", "hash", "not 32 bytes"))?;
        Ok(Link { position: row.get("position")?, hash })
    }
}

/// Who says what the hash at a position was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A link in the database itself.
    Link,
    /// A checkpoint that was kept elsewhere: the how-manieth of those that were given.
    Checkpoint(usize),
}

/// What is wrong with a log: the first place where it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An entry is not there, or another stands in its place.
    Missing {
        /// The position that should follow.
        position: i64,
        /// The position that does.
        found: i64,
    },
    /// An entry holds what cannot be an entry.
    Unreadable {
        /// Its position.
        position: i64,
        /// What the database says of it.
        why: String,
    },
    /// What the log holds is not what was linked or signed.
    Changed {
        /// Up to here it is as it was: the first that is wrong comes after.
        after: i64,
        /// It is at or before this position.
        position: i64,
        /// Who says so.
        by: Witness,
    },
    /// The log ends before a position that it once had.
    Cut {
        /// The last entry that is there.
        end: i64,
        /// The last that there was, at least.
        position: i64,
        /// Who says so.
        by: Witness,
    },
    /// A checkpoint was signed over a link that is no longer there.
    Unlinked {
        /// The position of the link.
        position: i64,
    },
    /// Entries stand outside the order of the log (SQLite numbers every entry as it is written).
    Unplaced {
        /// How many.
        entries: i64,
    },
}

/// A log in which nothing is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// How many entries it holds: the last position.
    pub entries: i64,
    /// Up to where links cover it.
    pub linked: i64,
    /// Up to where checkpoints cover it.
    pub signed: i64,
    /// How many entries wait for their position (PostgreSQL: they were committed after the last link).
    pub unplaced: i64,
    /// The life of the database, as in its cursors and checkpoints.
    pub epoch: i64,
}

/// Walks along a log, from the first entry on, past everything that is known of it.
#[derive(Debug)]
pub struct Walk {
    at: Link,
    /// The last position at which somebody said what the hash was, and was right.
    sure: i64,
    known: BTreeMap<i64, Vec<(Hash, Witness)>>,
    walked: Walked,
}

impl Walk {
    /// Sets out, with the links of the database and the checkpoints that were kept elsewhere.
    pub fn new(links: &[Link], checkpoints: &[Link]) -> std::result::Result<Walk, Fault> {
        let links = links.iter().map(|link| (link, Witness::Link));
        let checkpoints = checkpoints.iter().enumerate().map(|(n, link)| (link, Witness::Checkpoint(n)));
        let mut known: BTreeMap<i64, Vec<(Hash, Witness)>> = BTreeMap::new();
        for (link, by) in links.chain(checkpoints) {
            known.entry(link.position).or_default().push((link.hash, by));
        }
        let mut walk = Walk { at: Link::START, sure: 0, known, walked: Walked::default() };
        if let Some((&position, at)) = walk.known.range(..0).next() {
            return Err(Fault::Changed { after: 0, position, by: at[0].1 });
        }
        walk.look()?;
        Ok(walk)
    }

    /// The next entry.
    pub fn take(&mut self, entry: &Entry) -> std::result::Result<(), Fault> {
        self.at = self.at.next(entry)?;
        self.look()
    }

    /// Compares with what is known of the place reached.
    fn look(&mut self) -> std::result::Result<(), Fault> {
        let position = self.at.position;
        let Some(known) = self.known.remove(&position) else { return Ok(()) };
        if let Some((_, by)) = known.iter().find(|(hash, _)| *hash != self.at.hash) {
            return Err(Fault::Changed { after: self.sure, position, by: *by });
        }
        self.sure = position;
        let linked = known.iter().any(|(_, by)| *by == Witness::Link);
        if linked {
            self.walked.linked = position;
        }
        if known.iter().any(|(_, by)| *by != Witness::Link) {
            if !linked && position > 0 {
                return Err(Fault::Unlinked { position });
            }
            self.walked.signed = position;
        }
        Ok(())
    }

    /// There are no more entries.
    pub fn end(self) -> std::result::Result<Walked, Fault> {
        let end = self.at.position;
        match self.known.last_key_value() {
            Some((&position, known)) => Err(Fault::Cut { end, position, by: known[0].1 }),
            None => Ok(Walked { entries: end, ..self.walked }),
        }
    }
}

/// Reads the log in the database at `url` from its first entry to its last, beside a service that runs or without one,
/// and says what is wrong first. `checkpoints` are what is known of it from elsewhere.
pub fn verify<'a>(url: &'a str, checkpoints: &'a [Link]) -> BoxFuture<'a, Result<std::result::Result<Walked, Fault>>> {
    Box::pin(async move {
        let mut database = Reading::open(url).await?;
        let epoch = database.number("select epoch as n from feed_epoch").await?;
        // Links first: what is linked is there to be read after.
        let mut links = Vec::new();
        for row in database.all("select position, hash from access_link order by position").await? {
            match Link::read(&row) {
                Ok(link) => links.push(link),
                Err(error) => {
                    return Ok(Err(Fault::Unreadable { position: links.len() as i64, why: error.to_string() }));
                }
            }
        }
        let mut walk = match Walk::new(&links, checkpoints) {
            Ok(walk) => walk,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(fault) = database.walk(&mut walk).await? {
            return Ok(Err(fault));
        }
        let unplaced = database.number("select count(*) as n from access_log where position is null").await?;
        if unplaced > 0 && matches!(database, Reading::Lite(_)) {
            return Ok(Err(Fault::Unplaced { entries: unplaced }));
        }
        Ok(walk.end().map(|walked| Walked { unplaced, epoch, ..walked }))
    })
}

/// One connection that writes nothing.
pub(crate) enum Reading {
    Lite(SqliteConnection),
    Pg(PgConnection),
}

impl Reading {
    pub fn open(url: &str) -> BoxFuture<'_, Result<Reading>> {
        Box::pin(async move {
            if url.starts_with("postgres:") || url.starts_with("postgresql:") {
                let options = PgConnectOptions::from_str(url)?.options([("default_transaction_read_only", "on")]);
                return Ok(Reading::Pg(PgConnection::connect_with(&options).await?));
            }
            Ok(Reading::Lite(SqliteConnectOptions::from_str(url)?.read_only(true).connect().await?))
        })
    }

    pub fn all(&mut self, sql: &'static str) -> BoxFuture<'_, Result<Vec<Row>>> {
        Box::pin(async move {
            Ok(match self {
                Reading::Lite(lite) => sqlx::query(sql).fetch_all(lite).await?.into_iter().map(Row::Lite).collect(),
                Reading::Pg(pg) => sqlx::query(sql).fetch_all(pg).await?.into_iter().map(Row::Pg).collect(),
            })
        })
    }

    pub fn each(&mut self, sql: &'static str) -> BoxStream<'_, sqlx::Result<Row>> {
        match self {
            Reading::Lite(lite) => sqlx::query(sql).fetch(lite).map(|row| row.map(Row::Lite)).boxed(),
            Reading::Pg(pg) => sqlx::query(sql).fetch(pg).map(|row| row.map(Row::Pg)).boxed(),
        }
    }

    async fn number(&mut self, sql: &'static str) -> Result<i64> {
        self.all(sql).await?.first().map_or(Ok(0), |row| row.get("n"))
    }

    /// Takes every entry, as one stream: a page that ends between two rows of one position would hide the second.
    async fn walk(&mut self, walk: &mut Walk) -> Result<std::result::Result<(), Fault>> {
        let every = if self.all("select standing from access_log limit 0").await.is_ok() {
            EVERY_ENTRY
        } else if self.all("select protocol from access_log limit 0").await.is_ok() {
            EVERY_ENTRY_BEFORE_STANDING
        } else {
            EVERY_ENTRY_BEFORE_PROTOCOL
        };
        let mut rows = self.each(every);
        while let Some(row) = rows.next().await {
            let taken = match Entry::read(&row?) {
                Ok(entry) => walk.take(&entry),
                Err(error) => Err(Fault::Unreadable { position: walk.at.position + 1, why: error.to_string() }),
            };
            if taken.is_err() {
                return Ok(taken);
            }
        }
        Ok(Ok(()))
    }
}

impl Tx {
    /// The newest link.
    async fn newest_link(&mut self) -> Result<Link> {
        let row = self.row("select position, hash from access_link order by position desc limit 1", args![]).await?;
        row.as_ref().map_or(Ok(Link::START), Link::read)
    }

    /// The newest link, and the one that comes after it if anything was logged since.
    async fn next_link(&mut self) -> Result<(Link, Option<Link>)> {
        let newest = self.newest_link().await?;
        let mut next = newest;
        for row in self.rows(ENTRIES_AFTER, args![newest.position, LINK]).await? {
            let entry = Entry::read(&row)?;
            next = next.next(&entry).map_err(|fault| {
                Error::inconsistent("access_log", "position", format!("the log was tampered with: {fault:?}"))
            })?;
        }
        Ok((newest, (next != newest).then_some(next)))
    }

    async fn keep_link(&mut self, link: &Link) -> Result<()> {
        let Link { position, hash } = *link;
        self.keep("insert into access_link (position, hash) values ($1, $2)", args![position, hash.to_vec()]).await?;
        Ok(())
    }
}

impl Store {
    /// Links what was logged and committed; returns the newest link. A log in which an entry is missing is not linked on.
    pub fn link(&self) -> BoxFuture<'_, Result<Link>> {
        Box::pin(async move {
            let _alone = self.shared.linking.lock().await;
            loop {
                let (newest, next) = self.link_some().await?;
                if next.is_none_or(|next| next.position < newest.position + LINK) {
                    return Ok(next.unwrap_or(newest));
                }
            }
        })
    }

    async fn link_some(&self) -> Result<(Link, Option<Link>)> {
        let Db::Pg(pool) = &self.db else {
            // The writer is kept from its commands for one insert only.
            let found = self.read().await?.next_link().await?;
            if let (_, Some(next)) = &found {
                let mut tx = Tx::write(self, None).await?;
                tx.keep_link(next).await?;
                tx.commit().await?;
            }
            return Ok(found);
        };
        let mut tx = Tx::assign(self, pool).await?;
        // One assigner at a time, also between processes.
        tx.row("select pg_advisory_xact_lock(7303)", args![]).await?;
        tx.keep(
            "update access_log set position = stamped.position
             from (select access_id, (select coalesce(max(position), 0) from access_log) + row_number() over (order by access_id)
                   as position from access_log where position is null) stamped
             where access_log.access_id = stamped.access_id",
            args![],
        )
        .await?;
        let found = tx.next_link().await?;
        if let (_, Some(next)) = &found {
            tx.keep_link(next).await?;
        }
        tx.commit().await?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
