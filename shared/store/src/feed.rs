//! The feed: what happened, contiguous and in commit order, for services and partners to follow.
//!
//! Events are written in the transaction that made them. On SQLite the one writer stamps positions as it inserts; on
//! PostgreSQL transactions commit in any order, so one assigner stamps what is already committed. Either way a reader who
//! has seen position n has seen everything up to n.

use crate::db::{Db, Row, Tx, assign_pg};
use crate::{Error, Result, Store, args};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::{ClientId, Date, Organisation, Refusal, general};
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// How long the assigner waits before it tries again.
const AGAIN: Duration = Duration::from_millis(500);

/// An event as a service publishes it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The event's id; the same for every delivery.
    pub event_id: Uuid,
    /// `nl.doorstroom.<service>.<event>`
    pub kind: String,
    /// The client that it is about.
    pub client_id: Option<ClientId>,
    /// When it happened.
    pub occurred_on: Date,
    /// When it is recorded.
    pub recorded_at: Timestamp,
    /// An encoded `google.protobuf.Any`.
    pub payload: Vec<u8>,
    /// The step of a trace that made it (`traceparent`).
    pub trace: String,
    /// The partner organisations that it is addressed to.
    pub receivers: Vec<Organisation>,
}

/// An event as a subscriber gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its place in the feed.
    pub position: i64,
    /// The event's id.
    pub event_id: Uuid,
    /// `nl.doorstroom.<service>.<event>`
    pub kind: String,
    /// The client that it is about.
    pub client_id: Option<ClientId>,
    /// When it happened.
    pub occurred_on: Date,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// An encoded `google.protobuf.Any`.
    pub payload: Vec<u8>,
    /// The step of a trace that made it (`traceparent`); empty for what is older than traces.
    pub trace: String,
    /// Whether the person for whom it was read has a relation to the client.
    pub of_person: bool,
}

/// For whom events are read: an organisation, and the person of it who reads (a token's subject).
#[derive(Clone, Debug)]
pub struct Receiver {
    /// To which an event must be addressed.
    pub organisation: Organisation,
    /// Whose own relation to the client each event tells.
    pub person: String,
}

/// A place in a feed: everything up to `position` has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The last position seen; 0 before the first event.
    pub position: i64,
}

/// How far the feed is, and who has taken in what.
#[derive(Clone, Debug)]
pub struct FeedState {
    /// The newest position; 0 when the feed is empty.
    pub head: i64,
    /// How much was published and has no position yet.
    pub unplaced: i64,
    /// Every named subscription.
    pub subscriptions: Vec<Subscription>,
}

/// A named subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Whose it is.
    pub organisation: Organisation,
    /// Its name.
    pub name: String,
    /// The position up to which it acknowledged.
    pub acknowledged: i64,
    /// When it last did.
    pub acknowledged_at: Timestamp,
}

impl Tx {
    /// Puts events on the feed, in this order.
    pub fn publish(&mut self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let stamps_itself = self.is_lite();
            for event in events {
                self.published += 1;
                self.keep(
                "insert into feed_event (event_id, position, type, client_id, occurred_on, recorded_at, payload, trace)
                 values ($1, case when $2 then (select coalesce(max(position), 0) + 1 from feed_event) end, $3, $4, $5, $6, $7, $8)",
                args![
                    event.event_id,
                    stamps_itself,
                    event.kind,
                    event.client_id.map(|id| id.0),
                    event.occurred_on,
                    event.recorded_at,
                    event.payload,
                    event.trace
                ],
            )
            .await?;
                for organisation in &event.receivers {
                    self.keep(
                    "insert into feed_receiver (organisation, event_id, position)
                     values ($1, $2, case when $3 then (select max(position) from feed_event) end) on conflict do nothing",
                    args![organisation, event.event_id, stamps_itself],
                )
                .await?;
                }
            }
            Ok(())
        })
    }

    /// The events after a position, at most `limit`: all of them, or those addressed to one organisation. Each of those says
    /// whether that very person has to do with the client now; what happened at the moment at which a relation ended is the
    /// last that belongs to it.
    pub fn events_after<'a>(
        &'a mut self,
        after: i64,
        receiver: Option<&'a Receiver>,
        limit: i64,
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>>> {
        Box::pin(async move {
            let rows = match receiver {
            None => {
                self.rows(
                    "select event_id, position, type, client_id, occurred_on, recorded_at, payload, trace, false as of_person
                     from feed_event where position > $1 order by position limit $2",
                    args![after, limit],
                )
                .await?
            }
            Some(Receiver { organisation, person }) => {
                self.rows(
                    "select e.event_id, r.position, e.type, e.client_id, e.occurred_on, e.recorded_at, e.payload, e.trace,
                            exists (select 1 from relation p where p.client_id = e.client_id and p.organisation = $1
                                    and p.person = $4 and p.ended_at is null)
                            or exists (select 1 from relation p where p.client_id = e.client_id and p.organisation = $1
                                       and p.person = $4 and p.ended_at = e.recorded_at) as of_person
                     from feed_receiver r join feed_event e on e.event_id = r.event_id
                     where r.organisation = $1 and r.position > $2 order by r.position limit $3",
                    args![organisation, after, limit, person.as_str()],
                )
                .await?
            }
        };
            let events: Vec<StoredEvent> = rows.iter().map(stored).collect::<Result<_>>()?;
            self.store.seen_head(events.last().map_or(0, |last| last.position));
            Ok(events)
        })
    }

    /// The newest position.
    pub fn head(&mut self) -> BoxFuture<'_, Result<i64>> {
        Box::pin(async move {
            let row = self.row("select coalesce(max(position), 0) as head from feed_event", args![]).await?;
            let head = row.map_or(Ok(0), |row| row.get("head"))?;
            self.store.seen_head(head);
            Ok(head)
        })
    }

    /// How far the feed is, and who has taken in what.
    pub fn feed_state(&mut self) -> BoxFuture<'_, Result<FeedState>> {
        Box::pin(async move {
            // One row without a subscription when there is none: the head is always told.
            let rows = self
                .rows(
                    "select h.head, h.unplaced, s.organisation, s.name, s.acknowledged, s.acknowledged_at
                 from (select (select coalesce(max(position), 0) from feed_event) as head,
                              (select count(*) from feed_event where position is null) as unplaced) h
                 left join feed_subscription s on true order by 3, 4",
                    args![],
                )
                .await?;
            let subscription = |row: &Row| {
                let Some(organisation) = row.get("organisation")? else { return Ok(None) };
                Ok(Some(Subscription {
                    organisation,
                    name: row.get("name")?,
                    acknowledged: row.get("acknowledged")?,
                    acknowledged_at: row.get("acknowledged_at")?,
                }))
            };
            let of_feed = |column| rows.first().map_or(Ok(0), |row| row.get(column));
            let head = of_feed("head")?;
            self.store.seen_head(head);
            Ok(FeedState {
                head,
                unplaced: of_feed("unplaced")?,
                subscriptions: rows.iter().filter_map(|row| subscription(row).transpose()).collect::<Result<_>>()?,
            })
        })
    }

    /// What a subscription acknowledged, if it ever did.
    pub async fn acknowledged(&mut self, organisation: &Organisation, name: &str) -> Result<Option<i64>> {
        let row = self
            .row(
                "select acknowledged from feed_subscription where organisation = $1 and name = $2",
                args![organisation, name],
            )
            .await?;
        row.map(|row| row.get("acknowledged")).transpose()
    }

    /// Whether an organisation has a subscription of that name, and how many others.
    pub async fn subscriptions(&mut self, organisation: &Organisation, name: &str) -> Result<(bool, i64)> {
        let names =
            self.rows("select name from feed_subscription where organisation = $1", args![organisation]).await?;
        let names = names.iter().map(|row| row.get::<String>("name")).collect::<Result<Vec<_>>>()?;
        let others = names.iter().filter(|one| *one != name).count();
        Ok((others < names.len(), others as i64))
    }

    /// Acknowledges up to a position; an older one changes nothing. Returns what is acknowledged now.
    pub fn acknowledge<'a>(
        &'a mut self,
        organisation: &'a Organisation,
        name: &'a str,
        position: i64,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<i64>> {
        Box::pin(async move {
            let row = self
                .row(
                    "insert into feed_subscription as s (organisation, name, acknowledged, acknowledged_at)
                 values ($1, $2, $3, $4)
                 on conflict (organisation, name) do update set
                     acknowledged_at =
                         case when excluded.acknowledged > s.acknowledged then $4 else s.acknowledged_at end,
                     acknowledged =
                         case when excluded.acknowledged > s.acknowledged then $3 else s.acknowledged end
                 returning acknowledged",
                    args![organisation, name, position, now],
                )
                .await?;
            row.map_or(Ok(0), |row| row.get("acknowledged"))
        })
    }

    /// How far this service has taken in the feed of `source`; empty before the first event.
    pub async fn inbox_cursor(&mut self, source: &str) -> Result<String> {
        let row = self.row("select cursor from inbox where source = $1", args![source]).await?;
        row.map_or(Ok(String::new()), |row| row.get("cursor"))
    }

    /// How far this service has taken in each feed that it follows, and how many deadlines are due, both at one moment.
    pub async fn taken_in_and_due(&mut self, now: Timestamp) -> Result<(Vec<(String, String)>, i64)> {
        let rows = self
            .rows(
                "select d.due, i.source, i.cursor from (select count(*) as due from deadline where due_at <= $1) d
                 left join inbox i on true order by i.source",
                args![now],
            )
            .await?;
        let cursor = |row: &Row| {
            let Some(source) = row.get("source")? else { return Ok(None) };
            Ok(Some((source, row.get("cursor")?)))
        };
        let due = rows.first().map_or(Ok(0), |row| row.get("due"))?;
        Ok((rows.iter().filter_map(|row| cursor(row).transpose()).collect::<Result<_>>()?, due))
    }

    /// Moves on in the feed of `source`, in the transaction that takes the event in.
    pub async fn set_inbox_cursor(&mut self, source: &str, cursor: &str) -> Result<()> {
        self.keep(
            "insert into inbox (source, cursor) values ($1, $2) on conflict (source) do update set cursor = excluded.cursor",
            args![source, cursor],
        )
        .await?;
        Ok(())
    }
}

fn stored(row: &Row) -> Result<StoredEvent> {
    Ok(StoredEvent {
        position: row.get("position")?,
        event_id: row.get("event_id")?,
        kind: row.get("type")?,
        client_id: row.get("client_id")?,
        occurred_on: row.get("occurred_on")?,
        recorded_at: row.get("recorded_at")?,
        payload: row.get("payload")?,
        trace: row.get("trace")?,
        of_person: row.get("of_person")?,
    })
}

impl Store {
    /// Stamps positions on events that are committed and have none yet (PostgreSQL; on SQLite the writer did).
    ///
    /// The order is that of the event ids, which are UUIDv7: within a transaction the order of publication, and per client
    /// that of the transactions, since those follow each other.
    pub fn stamp(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let Db::Pg(pool) = &self.db else { return Ok(()) };
            let mut tx = assign_pg(pool).await?;
            // One assigner at a time, also between processes.
            sqlx::query("select pg_advisory_xact_lock(7302)").execute(&mut *tx).await?;
            sqlx::query(
            "with next as (
                 select event_id, (select coalesce(max(position), 0) from feed_event) + row_number() over (order by event_id)
                     as position
                 from feed_event where position is null),
             stamped as (
                 update feed_event e set position = next.position from next where e.event_id = next.event_id
                 returning e.event_id, e.position)
             update feed_receiver r set position = stamped.position from stamped
             where r.event_id = stamped.event_id and r.position is null",
        )
        .execute(&mut *tx)
        .await?;
            tx.commit().await?;
            Ok(())
        })
    }

    /// Stamps what was just committed and wakes the readers. It is committed, so its maker hears no error of this: what
    /// cannot be stamped now is tried again until it can.
    pub(crate) fn stamp_published(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(error) = self.stamp().await {
                tracing::warn!(%error, "events could not be put in their order yet");
                let store = self.clone();
                tokio::spawn(async move {
                    loop {
                        tokio::time::sleep(AGAIN).await;
                        match store.stamp().await {
                            Ok(()) => return store.shared.published.send_modify(|n| *n += 1),
                            // The next start stamps what is left.
                            Err(Error::Unavailable(sqlx::Error::PoolClosed)) => return,
                            Err(_) => {}
                        }
                    }
                });
            }
            self.shared.published.send_modify(|n| *n += 1);
        })
    }

    /// Writes a cursor so that only this feed can read it back.
    pub fn write_cursor(&self, cursor: Cursor) -> String {
        let mut bytes = Vec::with_capacity(24);
        bytes.extend(self.shared.epoch.to_be_bytes());
        bytes.extend(cursor.position.to_be_bytes());
        bytes.extend(self.cursor_tag(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that this feed gave out.
    pub fn read_cursor<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Cursor>> {
        Box::pin(async move {
            let (epoch, position) = self.open_cursor(text)?;
            // A database made anew has another epoch and a restored one lies behind: either way the subscriber must notice. The
            // feed only grows, so it is asked only about what was not seen yet.
            let is_known = position <= self.shared.head.load(Ordering::Relaxed);
            if epoch != self.shared.epoch || !(is_known || position <= self.read().await?.head().await?) {
                return Err((&general::CURSOR_FUTURE).into());
            }
            Ok(Cursor { position })
        })
    }

    fn seen_head(&self, head: i64) {
        self.shared.head.fetch_max(head, Ordering::Relaxed);
    }

    fn open_cursor(&self, text: &str) -> std::result::Result<(u64, i64), Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| &general::CURSOR_INVALID)?;
        let (body, tag) = bytes.split_at_checked(16).ok_or(&general::CURSOR_INVALID)?;
        if tag != self.cursor_tag(body) {
            return Err((&general::CURSOR_INVALID).into());
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        Ok((number(&body[..8]), number(&body[8..]) as i64))
    }

    fn cursor_tag(&self, body: &[u8]) -> Vec<u8> {
        let place: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
        self.shared.sealer.lookup(&format!("cursor/{}", self.shared.name), &place)[..8].to_vec()
    }

    /// The sealer of this service's columns.
    pub fn sealer(&self) -> &crate::Sealer {
        &self.shared.sealer
    }
}

impl Tx {
    /// The sealer of this service's columns.
    pub fn sealer(&self) -> std::sync::Arc<crate::Sealer> {
        self.store.shared.sealer.clone()
    }
}

/// Reads the epoch, or draws one for a new database.
pub(crate) async fn epoch(db: &Db) -> Result<u64> {
    // 53 bits: an integer in either engine, never negative.
    let drawn = (Uuid::new_v4().as_u128() as i64) & ((1 << 53) - 1);
    let epoch: i64 = match db {
        Db::Lite { writer, .. } => {
            let mut line = writer.line().await;
            let connection = line.connection()?;
            sqlx::query("insert into feed_epoch (epoch) select $1 where not exists (select 1 from feed_epoch)")
                .bind(drawn)
                .execute(&mut *connection)
                .await?;
            sqlx::query_scalar("select epoch from feed_epoch").fetch_one(connection).await?
        }
        Db::Pg(pool) => {
            sqlx::query("insert into feed_epoch (epoch) select $1 where not exists (select 1 from feed_epoch)")
                .bind(drawn)
                .execute(pool)
                .await?;
            sqlx::query_scalar("select epoch from feed_epoch").fetch_one(pool).await?
        }
    };
    u64::try_from(epoch).map_err(|e| Error::inconsistent("feed_epoch", "epoch", e))
}
