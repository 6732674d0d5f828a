//! One unit of work: a transaction, the moment, and who asks. Everything that a handler does, it does through this.

use crate::caller::Caller;
use auth::{Grant, Policy, Relation, Standing};
use kernel::{Actor, ClientId, Date, Moment, Organisation, Role, general};
use prost::{Message, Name};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use store::{Error, NewEvent, Result, Tx};
use telemetry::TraceContext;
use uuid::Uuid;

/// A transaction on behalf of a caller. Passes for a [`Tx`] wherever one is wanted.
pub struct Work {
    tx: Tx,
    /// The moment by which everything in this work is judged.
    pub now: Moment,
    service: &'static str,
    caller: Arc<Caller>,
    /// The step of a trace that this work is; what it publishes and asks of others continues it.
    pub trace: TraceContext,
    /// Whether nothing is changed: only then emergency access counts (R-REG-20).
    only_looks: bool,
    seen: Seen,
}

/// Whose data a call was about, and by what it was allowed: for the access log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The clients.
    pub clients: Vec<ClientId>,
    /// Which of them by which emergency access.
    pub emergencies: Vec<(ClientId, Uuid)>,
    /// The consents that were used.
    pub consents: Vec<Uuid>,
}

impl Seen {
    /// These clients, by an ordinary relation.
    pub fn of(clients: &[ClientId]) -> Self {
        Self { clients: clients.to_vec(), ..Self::default() }
    }
}

/// Which rows of a list the caller may see; the arguments of the standard condition (see [`Scope::args`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Every row.
    pub everything: bool,
    /// Rows that belong to the caller's organisation.
    pub own: bool,
    /// Rows about clients with whom the caller has a relation.
    pub caseload: bool,
    /// The caller's organisation.
    pub organisation: Organisation,
    /// The caller's subject when the relation must be with that very person; empty otherwise.
    pub person: String,
    /// Rows about this client, who is the caller.
    pub client: Option<ClientId>,
}

impl Scope {
    /// `$1` to `$6` of the condition that every list about clients carries:
    ///
    /// ```sql
    /// ($1 or ($2 and t.organisation = $4) or t.client_id = $6
    ///  or ($3 and exists (select 1 from relation r where r.client_id = t.client_id and r.organisation = $4
    ///                     and r.person = $5 and r.ended_at is null)))
    /// ```
    pub fn args(&self) -> Vec<store::Value> {
        store::args![
            self.everything,
            self.own,
            self.caseload,
            &self.organisation,
            &self.person,
            self.client.map(|client| client.0)
        ]
    }
}

impl Work {
    pub(crate) fn new(tx: Tx, now: Moment, service: &'static str, caller: Arc<Caller>) -> Self {
        let trace = caller.trace;
        Self { tx, now, service, caller, trace, only_looks: false, seen: Seen::default() }
    }

    /// Work that changes nothing.
    pub(crate) fn look(tx: Tx, now: Moment, service: &'static str, caller: Arc<Caller>) -> Self {
        Self { only_looks: true, ..Self::new(tx, now, service, caller) }
    }

    pub(crate) fn into_parts(self) -> (Tx, Seen) {
        (self.tx, self.seen)
    }

    /// Who asks.
    pub fn actor(&self) -> &Actor {
        &self.caller.actor
    }

    /// The organisation that asks.
    pub fn organisation(&self) -> &Organisation {
        &self.caller.actor.organisation
    }

    /// Whether the caller acts in this role.
    pub fn acts_as(&self, role: Role) -> bool {
        self.caller.grants.iter().any(|grant| grant.role == role)
    }

    /// The roles in which the caller may make this call.
    pub fn roles(&self) -> Vec<Role> {
        self.caller.grants.iter().map(|grant| grant.role).collect()
    }

    /// Asks whether the caller may have to do with this thing, by the relation that the policy table wants: the client that
    /// it is about, the organisations that it belongs to. Says "not found" when not, exactly as for an unknown id, and puts
    /// the client in the access log either way. In a record that points to another of the same person nothing is changed
    /// (R-REG-26); it is read as before.
    pub async fn permit(
        &mut self,
        thing: &'static str,
        client: Option<ClientId>,
        owners: &[&Organisation],
    ) -> Result<()> {
        self.permit_merged_too(thing, client, owners).await?;
        match client {
            Some(client) => self.expect_in_use(client).await,
            None => Ok(()),
        }
    }

    /// The same, also in a record that points to another: for what ends a right, protects, or answers what was asked or told
    /// before.
    pub async fn permit_merged_too(
        &mut self,
        thing: &'static str,
        client: Option<ClientId>,
        owners: &[&Organisation],
    ) -> Result<()> {
        if let Some(client) = client {
            self.touched(client);
        }
        let caller = self.caller.clone();
        self.permit_by(&caller.grants, thing, client, owners).await
    }

    /// Refuses a change in a record that points to another; says to which, to whoever may have to do with that one. A service of
    /// the chain acts on whatever stands: what it takes back may be there.
    async fn expect_in_use(&mut self, client: ClientId) -> Result<()> {
        if self.only_looks || self.caller.is_service() {
            return Ok(());
        }
        let used = self.tx.used_for(client).await?;
        if used == client {
            return Ok(());
        }
        let caller = self.caller.clone();
        match self.permit_by(&caller.grants, "client", Some(used), &[]).await {
            Ok(()) => Err(general::CLIENT_MERGED.with("client_id", used).into()),
            Err(Error::Refused(_)) => Err((&general::CLIENT_NOT_IN_USE).into()),
            Err(error) => Err(error),
        }
    }

    /// The same as [`Work::permit_merged_too`], as if the caller had called another RPC (`Service/Method`) that this call stands
    /// in for.
    pub async fn permit_as(
        &mut self,
        rpc: &str,
        thing: &'static str,
        client: Option<ClientId>,
        owners: &[&Organisation],
    ) -> Result<()> {
        if let Some(client) = client {
            self.touched(client);
        }
        let grants = Policy::embedded().grants(rpc, &self.caller.actor)?;
        self.permit_by(&grants, thing, client, owners).await
    }

    async fn permit_by(
        &mut self,
        grants: &[Grant],
        thing: &'static str,
        client: Option<ClientId>,
        owners: &[&Organisation],
    ) -> Result<()> {
        let actor = self.caller.actor.clone();
        let mut standing = Standing {
            owner: owners.contains(&&actor.organisation),
            client: client.is_some() && actor.client_id == client,
            ..Standing::default()
        };
        let passes = |standing: &Standing| grants.iter().any(|grant| grant.holds(standing));
        if passes(&standing) {
            return Ok(());
        }
        if let Some(client) = client {
            let organisation = Standing { organisation: true, ..standing };
            if passes(&organisation) {
                standing.organisation = self.tx.has_relation(client, &actor.organisation, None).await?;
            }
            let person = Standing { person: true, ..standing };
            if !standing.organisation && passes(&person) {
                standing.person = self.tx.has_relation(client, &actor.organisation, Some(&actor.subject)).await?;
            }
        }
        if passes(&standing) {
            return Ok(());
        }
        if let Some(client) = client.filter(|_| self.only_looks) {
            let open = self.tx.emergencies(client, &actor.organisation, &actor.subject, self.now.at).await?;
            let opens = |role: Role| passes(&Standing { emergency: Some(role), ..standing });
            if let Some((id, _)) = open.into_iter().find(|(_, role)| opens(*role)) {
                self.seen.emergencies.push((client, id));
                return Ok(());
            }
        }
        Err(Self::unknown(thing))
    }

    /// Puts a consent of the client in the access log: without it the answer would tell less (R-REG-19).
    pub fn consented(&mut self, consent: Uuid) {
        if !self.seen.consents.contains(&consent) {
            self.seen.consents.push(consent);
        }
    }

    /// Whether the place of a client is secret for the caller (R-REG-18).
    pub async fn hides(&mut self, client: ClientId) -> Result<bool> {
        Ok(self.is_shielded(client).await? && !self.protects(client).await?)
    }

    /// Whether the caller may know where a shielded client is: the client, a women's shelter that has to do with the client, and
    /// a case holder who has so in person.
    async fn protects(&mut self, client: ClientId) -> Result<bool> {
        let actor = self.caller.actor.clone();
        let vo = self.tx.has_relation(client, &actor.organisation, None).await? && self.acts_as(Role::Vo);
        let holder = self.tx.has_relation(client, &actor.organisation, Some(&actor.subject)).await?;
        Ok(actor.client_id == Some(client) || vo || (holder && self.acts_as(Role::Caseholder)))
    }

    /// The answer for a thing that is not there, and for one that the caller may not know of.
    pub fn unknown(thing: &'static str) -> Error {
        Error::Refused(general::NOT_FOUND.with("thing", thing))
    }

    /// Puts a client in the access log without asking a relation: for lists that were filtered by [`Work::scope`].
    pub fn touched(&mut self, client: ClientId) {
        if !self.seen.clients.contains(&client) {
            self.seen.clients.push(client);
        }
    }

    /// Which rows of a list the caller may see.
    pub fn scope(&self) -> Scope {
        let grants = &self.caller.grants;
        let has = |relation: Relation| grants.iter().any(|grant| grant.relation == relation);
        let by_person = grants.iter().filter(|g| g.relation == Relation::Caseload).all(|g| g.role == Role::Caseholder);
        Scope {
            everything: has(Relation::Any),
            own: has(Relation::Own),
            caseload: has(Relation::Caseload),
            organisation: self.organisation().clone(),
            person: if by_person { self.caller.actor.subject.clone() } else { String::new() },
            client: self.caller.actor.client_id.filter(|_| has(Relation::OwnSelf)),
        }
    }

    /// Refuses a change by somebody who saw another version than the present one. Only a service of the chain may say 0: it
    /// acts on whatever stands.
    pub fn expect_version(&self, seen: i64, current: i64) -> Result<()> {
        if seen == current || (seen == 0 && self.caller.is_service()) {
            return Ok(());
        }
        Err(general::STALE_VERSION.with("seen", seen).with("current", current).into())
    }

    /// Puts an event of today on the feed, for the services and the named partners.
    pub async fn publish<E: Message + Name>(
        &mut self,
        client: Option<ClientId>,
        receivers: &[Organisation],
        event: &E,
    ) -> Result<()> {
        self.published(client, receivers, event).await.map(drop)
    }

    /// The same; says under which id the event is on the feed.
    pub async fn published<E: Message + Name>(
        &mut self,
        client: Option<ClientId>,
        receivers: &[Organisation],
        event: &E,
    ) -> Result<Uuid> {
        self.put_on_feed(self.now.date, client, receivers, event).await
    }

    /// Puts an event on the feed that happened on an earlier day.
    pub async fn publish_on<E: Message + Name>(
        &mut self,
        occurred_on: Date,
        client: Option<ClientId>,
        receivers: &[Organisation],
        event: &E,
    ) -> Result<()> {
        self.put_on_feed(occurred_on, client, receivers, event).await.map(drop)
    }

    async fn put_on_feed<E: Message + Name>(
        &mut self,
        occurred_on: Date,
        client: Option<ClientId>,
        receivers: &[Organisation],
        event: &E,
    ) -> Result<Uuid> {
        let payload = prost_types::Any { type_url: E::type_url(), value: event.encode_to_vec() };
        let event_id = Uuid::now_v7();
        let event = NewEvent {
            event_id,
            kind: event_type(self.service, E::NAME),
            client_id: client,
            occurred_on,
            recorded_at: self.now.at,
            payload: payload.encode_to_vec(),
            trace: self.trace.to_string(),
            receivers: receivers.to_vec(),
        };
        self.tx.publish(vec![event]).await?;
        Ok(event_id)
    }
}

/// `nl.doorstroom.housing.offer-made` for the message `OfferMade` of housing.
pub fn event_type(service: &str, message: &str) -> String {
    let mut kind = format!("nl.doorstroom.{service}.");
    for (i, letter) in message.chars().enumerate() {
        if letter.is_ascii_uppercase() && i > 0 {
            kind.push('-');
        }
        kind.push(letter.to_ascii_lowercase());
    }
    kind
}

impl Deref for Work {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_event_is_named_after_its_message() {
        assert_eq!(super::event_type("housing", "KeysHandedOver"), "nl.doorstroom.housing.keys-handed-over");
    }
}
