//! One unit of work: a transaction, the moment, and who asks. Everything that a handler does, it does through this.

use crate::About;
use crate::caller::Caller;
use crate::own_file::{HEARD_AT_ANY_AGE, OwnFile};
use auth::{Grant, Policy, Relation, Standing};
use futures_util::future::BoxFuture;
use kernel::{Actor, ClientId, Date, Moment, Organisation, OwnAccess, Role, general};
use prost::{Message, Name};
use proto::contact::v1::SafeContact;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use store::{Around, Error, NewEvent, Result, Row, Tx, args};
use telemetry::TraceContext;
use uuid::Uuid;

/// A transaction on behalf of a caller. Passes for a [`Tx`] wherever one is wanted.
pub struct Work {
    tx: Tx,
    /// The moment by which everything in this work is judged.
    pub now: Moment,
    about: &'static About,
    caller: Arc<Caller>,
    /// The step of a trace that this work is; what it publishes and asks of others continues it.
    pub trace: TraceContext,
    /// Whether nothing is changed: only then emergency access counts (R-REG-20).
    only_looks: bool,
    /// Whom it was looked around last, in a work that changes nothing of it.
    around: Option<(ClientId, Around)>,
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
    /// Which of them by their legal representative.
    pub represented: Vec<ClientId>,
    /// How the caller stood to them, and to things of nobody, where that was asked.
    pub standings: Vec<(Option<ClientId>, String)>,
}

impl Seen {
    /// These clients, by an ordinary relation.
    pub fn of(clients: &[ClientId]) -> Self {
        Self { clients: clients.to_vec(), ..Self::default() }
    }

    /// Keeps how the caller stood, with what was known of it before.
    fn stood(&mut self, client: Option<ClientId>, standing: Standing, standing_in: &str) {
        let known = self.standings.iter().position(|(of, _)| *of == client).map(|at| self.standings.swap_remove(at).1);
        let known = known.and_then(|words| Standing::from_words(words.split(" as ").next()?)).unwrap_or_default();
        self.standings.push((client, standing.and(known).words() + standing_in));
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
    pub(crate) fn new(tx: Tx, now: Moment, about: &'static About, caller: Arc<Caller>) -> Self {
        let trace = caller.trace;
        Self { tx, now, about, caller, trace, only_looks: false, around: None, seen: Seen::default() }
    }

    /// The same, and it changes nothing.
    pub(crate) fn only_looking(self) -> Self {
        Self { only_looks: true, ..self }
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
    pub fn permit<'a>(
        &'a mut self,
        thing: &'static str,
        client: Option<ClientId>,
        owners: &'a [&'a Organisation],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.permit_merged_too(thing, client, owners).await?;
            match client {
                Some(client) => self.expect_in_use(client).await,
                None => Ok(()),
            }
        })
    }

    /// The same, also in a record that points to another: for what ends a right, protects, or answers what was asked or told
    /// before.
    pub fn permit_merged_too<'a>(
        &'a mut self,
        thing: &'static str,
        client: Option<ClientId>,
        owners: &'a [&'a Organisation],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if let Some(client) = client {
                self.touched(client);
            }
            let caller = self.caller.clone();
            self.permit_by(&caller.grants, "", thing, client, owners).await
        })
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
        match self.standing(&caller.grants, Some(used), &[]).await {
            Ok(standing) if caller.grants.iter().any(|grant| grant.holds(&standing)) => {
                Err(general::CLIENT_MERGED.with("client_id", used).into())
            }
            Ok(_) | Err(Error::Refused(_)) => Err((&general::CLIENT_NOT_IN_USE).into()),
            Err(error) => Err(error),
        }
    }

    /// The same as [`Work::permit_merged_too`], as if the caller had called another RPC (`Service/Method`) that this call stands
    /// in for.
    pub fn permit_as<'a>(
        &'a mut self,
        rpc: &'a str,
        thing: &'static str,
        client: Option<ClientId>,
        owners: &'a [&'a Organisation],
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if let Some(client) = client {
                self.touched(client);
            }
            let grants = Policy::embedded().grants(rpc, &self.caller.actor)?;
            self.permit_by(&grants, &format!(" as {rpc}"), thing, client, owners).await
        })
    }

    async fn permit_by(
        &mut self,
        grants: &[Grant],
        standing_in: &str,
        thing: &'static str,
        client: Option<ClientId>,
        owners: &[&Organisation],
    ) -> Result<()> {
        let standing = self.standing(grants, client, owners).await?;
        self.seen.stood(client, standing, standing_in);
        let holds = grants.iter().any(|grant| grant.holds(&standing));
        holds.then_some(()).ok_or_else(|| Self::unknown(thing))
    }

    /// How the caller stands to this client and this thing, as far as these grants ask it.
    async fn standing(
        &mut self,
        grants: &[Grant],
        client: Option<ClientId>,
        owners: &[&Organisation],
    ) -> Result<Standing> {
        let actor = self.caller.actor.clone();
        let own_file = match client {
            Some(client) => self.own_file(client).await?,
            None => OwnFile::Foreign,
        };
        let mut standing = Standing {
            owner: owners.contains(&&actor.organisation),
            client: matches!(own_file, OwnFile::Own | OwnFile::Represented),
            ..Standing::default()
        };
        let passes = |standing: &Standing| grants.iter().any(|grant| grant.holds(standing));
        if passes(&standing) {
            self.seen.represented.extend(client.filter(|_| own_file == OwnFile::Represented));
            return Ok(standing);
        }
        if own_file == OwnFile::TooYoung && passes(&Standing { client: true, ..standing }) {
            return Err((&general::OWN_FILE_TOO_YOUNG).into());
        }
        if let Some(client) = client {
            let organisation = Standing { organisation: true, ..standing };
            if passes(&organisation) {
                standing.organisation = self.around(client).await?.organisation;
            }
            let person = Standing { person: true, ..standing };
            if !standing.organisation && passes(&person) {
                standing.person = self.around(client).await?.person;
            }
        }
        if passes(&standing) {
            return Ok(standing);
        }
        if let Some(client) = client.filter(|_| self.only_looks) {
            let open = self.tx.emergencies(client, &actor.organisation, &actor.subject, self.now.at).await?;
            let opens = |role: Role| passes(&Standing { emergency: Some(role), ..standing });
            if let Some((id, role)) = open.into_iter().find(|(_, role)| opens(*role)) {
                self.seen.emergencies.push((client, id));
                standing.emergency = Some(role);
            }
        }
        Ok(standing)
    }

    /// How the caller has to do with a client, and how the client is reached. Where nothing is changed it is looked for once.
    async fn around(&mut self, client: ClientId) -> Result<Around> {
        if let Some((_, known)) = self.around.as_ref().filter(|(of, _)| *of == client) {
            return Ok(known.clone());
        }
        let actor = self.caller.actor.clone();
        let around = self.tx.around(client, &actor.organisation, &actor.subject).await?;
        self.around = self.only_looks.then(|| (client, around.clone()));
        Ok(around)
    }

    /// The row of a client, by a query with [`store::around!`] among its columns and no other arguments: where nothing is
    /// changed, [`Work::permit`] and what hides a place or a telephone number then look for nothing more.
    pub fn row_around(&mut self, client: ClientId, sql: &'static str) -> BoxFuture<'_, Result<Option<Row>>> {
        Box::pin(async move {
            let actor = self.caller.actor.clone();
            let row = self.tx.row(sql, args![client, &actor.organisation, &actor.subject]).await?;
            if let Some(row) = row.as_ref().filter(|_| self.only_looks) {
                self.around = Some((client, Around::read(row)?));
            }
            Ok(row)
        })
    }

    /// How the caller stands to the own file of a client, by what access told of ages (R-REG-21). Who stands in for a client
    /// reads, and changes nothing; of whom nothing was heard is an adult, for whom nobody stands in.
    async fn own_file(&mut self, client: ClientId) -> Result<OwnFile> {
        let Some(caller) = self.caller.actor.client_id else { return Ok(OwnFile::Foreign) };
        let level = self.tx.own_access(&(self.about.known_as)(client)).await?;
        if caller == client {
            let opens = level != OwnAccess::None || HEARD_AT_ANY_AGE.contains(&&*self.caller.rpc);
            return Ok(if opens { OwnFile::Own } else { OwnFile::TooYoung });
        }
        let represented =
            self.only_looks && level != OwnAccess::Own && self.tx.is_represented_by(client, caller).await?;
        Ok(if represented { OwnFile::Represented } else { OwnFile::Foreign })
    }

    /// Puts a consent of the client in the access log: without it the answer would tell less (R-REG-19).
    pub fn consented(&mut self, consent: Uuid) {
        if !self.seen.consents.contains(&consent) {
            self.seen.consents.push(consent);
        }
    }

    /// Whether the place of a client is secret for the caller (R-REG-18).
    pub fn hides(&mut self, client: ClientId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move { Ok(self.is_shielded(client).await? && !self.protects(client).await?) })
    }

    /// Whether the caller may know where a shielded client is: the client, a women's shelter that has to do with the client, and
    /// a case holder who has so in person.
    async fn protects(&mut self, client: ClientId) -> Result<bool> {
        let actor = self.caller.actor.clone();
        let vo = self.around(client).await?.organisation && self.acts_as(Role::Vo);
        Ok(actor.client_id == Some(client) || vo || self.is_held_by(client).await?)
    }

    /// Whether the caller is a case holder who has to do with the client in person.
    pub fn is_held_by(&mut self, client: ClientId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let holder = self.around(client).await?.person;
            Ok(holder && self.acts_as(Role::Caseholder))
        })
    }

    /// How a client is to be reached, where safe contact is on (R-REG-28). Not told to the client: somebody else may see the
    /// screen.
    pub fn safe_contact(&mut self, client: ClientId) -> BoxFuture<'_, Result<Option<SafeContact>>> {
        Box::pin(async move {
            if self.actor().client_id == Some(client) {
                return Ok(None);
            }
            Ok(self.around(client).await?.reached_through.map(|through| contact(through.as_ref())))
        })
    }

    /// The same of everybody for whom it is on: for lists.
    pub fn safe_contacts(&mut self) -> BoxFuture<'_, Result<BTreeMap<ClientId, SafeContact>>> {
        Box::pin(async move {
            let own = self.actor().client_id;
            let all = self.all_reached_through().await?.into_iter();
            Ok(all
                .filter(|(client, _)| Some(*client) != own)
                .map(|(id, through)| (id, contact(through.as_ref())))
                .collect())
        })
    }

    /// Whether telephone number and addresses of a client are not for the caller: safe contact is on, and the caller neither
    /// protects the client nor is the one through whom the client is reached (R-REG-28).
    pub fn hides_contact(&mut self, client: ClientId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let Some(through) = self.around(client).await?.reached_through else { return Ok(false) };
            let reaches = [Role::Access, Role::Caseholder, Role::Shelter].iter().any(|role| self.acts_as(*role));
            let is_channel = reaches && through.as_ref() == Some(self.organisation());
            Ok(!is_channel && !self.protects(client).await?)
        })
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
    pub fn published<E: Message + Name>(
        &mut self,
        client: Option<ClientId>,
        receivers: &[Organisation],
        event: &E,
    ) -> BoxFuture<'_, Result<Uuid>> {
        self.put_on_feed(self.now.date, client, receivers, packed(event))
    }

    /// Puts an event on the feed that happened on an earlier day.
    pub async fn publish_on<E: Message + Name>(
        &mut self,
        occurred_on: Date,
        client: Option<ClientId>,
        receivers: &[Organisation],
        event: &E,
    ) -> Result<()> {
        self.put_on_feed(occurred_on, client, receivers, packed(event)).await.map(drop)
    }

    fn put_on_feed(
        &mut self,
        occurred_on: Date,
        client: Option<ClientId>,
        receivers: &[Organisation],
        event: prost_types::Any,
    ) -> BoxFuture<'_, Result<Uuid>> {
        let event_id = Uuid::now_v7();
        let message = event.type_url.rsplit('.').next().unwrap_or_default();
        let event = NewEvent {
            event_id,
            kind: event_type(self.about.name, message),
            client_id: client,
            occurred_on,
            recorded_at: self.now.at,
            payload: event.encode_to_vec(),
            trace: self.trace.to_string(),
            receivers: receivers.to_vec(),
        };
        Box::pin(async move { self.tx.publish(vec![event]).await.map(|()| event_id) })
    }
}

fn packed<E: Message + Name>(event: &E) -> prost_types::Any {
    prost_types::Any { type_url: E::type_url(), value: event.encode_to_vec() }
}

/// Safe contact as everybody is told of it who may have to reach the client.
fn contact(through: Option<&Organisation>) -> SafeContact {
    let by = through.map_or("de regisseur van de cliënt", Organisation::as_str);
    SafeContact {
        through: through.map(ToString::to_string).unwrap_or_default(),
        nl: format!("Veilig contact: geen brieven, telefoontjes, berichten of bezoek. Alleen via {by}."),
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
