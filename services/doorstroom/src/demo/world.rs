//! A running chain on a clock that is moved by hand, and somebody in every role.

use crate::cluster::{ABOUT, Cluster, Options};
use crate::doors::{Doors, Person};
use crate::rest::{Told, left_to_do};
use crate::{refusal, roles};
use anyhow::{Context as _, bail};
use chassis::Clock;
use kernel::{Actor, ClientId, Date, Moment, Organisation, Role};
use proto::feed::v1::{Event, GetStatusRequest, GetStatusResponse, SubscribeRequest};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio_stream::StreamExt as _;
use tonic::{Response, Status};

/// How long the chain may take to come to rest before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it is left alone between two looks.
const BREATH: Duration = Duration::from_millis(2);
/// What most of the work goes through: as long as one of these is busy the others need not be asked.
const FIRST: [&str; 2] = ["regie", "access"];

/// A chain with its people.
pub struct World {
    cluster: Cluster,
    doors: Doors,
    operator: Person,
}

impl World {
    /// Starts a chain in a folder, in the morning of a day.
    pub async fn start(data: PathBuf, day: Date, relapse_guarantee: bool) -> anyhow::Result<Self> {
        let clock = Clock::manual(Moment::at_hour(day, 9).at);
        let cluster = Cluster::start(&Options { data, fixed_ports: false, clock, relapse_guarantee }).await?;
        let doors = Doors::new(&cluster.endpoints, cluster.issuer.clone())?;
        let operator = doors.person(roles::actor(Role::Regie, None, Some("operator"), None)?);
        Ok(Self { cluster, doors, operator })
    }

    /// Stops the services.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.cluster.stop().await
    }

    /// Somebody in a role at an organisation.
    pub fn person(&self, role: Role, organisation: &str) -> Person {
        self.named(role, organisation, &format!("{role}@{organisation}"))
    }

    /// Somebody by name, in a role at an organisation.
    pub fn named(&self, role: Role, organisation: &str, subject: &str) -> Person {
        let organisation =
            Organisation::parse("organisation", organisation).expect("the demo's organisations are codes");
        let subject = subject.to_owned();
        self.doors.person(Actor { subject, organisation, roles: vec![role], on_behalf_of: None, client_id: None })
    }

    /// Somebody in a role at an example organisation; a client is one whom nobody knows.
    pub fn anybody(&self, role: Role) -> Person {
        let client = (role == Role::Client).then(|| ClientId(uuid::Uuid::new_v4()));
        self.doors.person(roles::actor(role, None, None, client).expect("the example organisations are codes"))
    }

    /// A client with a token of their own.
    pub fn client(&self, id: &str) -> anyhow::Result<Person> {
        let client = ClientId::parse("client_id", id)?;
        Ok(self.doors.person(roles::actor(Role::Client, None, Some(id), Some(client))?))
    }

    /// Where a service listens.
    pub fn endpoint(&self, service: &str) -> String {
        self.cluster.endpoints.get(service).cloned().unwrap_or_default()
    }

    /// A bare token for a role.
    pub fn token(&self, role: Role) -> String {
        let actor = roles::actor(role, None, None, None).expect("the example organisations are codes");
        self.cluster.issuer.issue(&actor, PATIENCE)
    }

    /// Today, in the field.
    pub fn today(&self) -> Date {
        self.cluster.clock.now().date
    }

    /// Calls made so far.
    pub fn calls(&self) -> u64 {
        self.doors.calls()
    }

    /// Moves the clock to an hour of a day. Nothing else is waited for.
    pub fn at(&self, day: Date, hour: i8) {
        self.cluster.clock.set(Moment::at_hour(day, hour).at);
    }

    /// Waits until the chain is at rest.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let left = self.left().await?;
            if left.is_empty() {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                bail!("the chain does not come to rest: {}", left.join("; "));
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    async fn left(&self) -> anyhow::Result<Vec<String>> {
        let mut told = Told::new();
        for service in FIRST {
            told.extend(self.look(&[service]).await?);
            let left = left_to_do(&told);
            if !left.is_empty() {
                return Ok(left);
            }
        }
        let others: Vec<_> = ABOUT.iter().map(|about| about.name).filter(|name| !FIRST.contains(name)).collect();
        told.extend(self.look(&others).await?);
        Ok(left_to_do(&told))
    }

    /// Everything that a reader has to take in of a feed: from the oldest event, or from where a named subscription had
    /// acknowledged, up to the newest event of now. A chain at rest says with a checkpoint that this was all; a stream that
    /// ends or falls silent before it did, is a fault.
    pub async fn read(
        &self,
        reader: &Person,
        service: &str,
        purpose: &'static str,
        subscription: &str,
    ) -> anyhow::Result<Vec<Event>> {
        let status = self.operator.feed(service, "operations").get_status(GetStatusRequest {}).await;
        let head = status.said("GetStatus")?.head_cursor;
        let wanted = SubscribeRequest { subscription: subscription.to_owned(), ..SubscribeRequest::default() };
        let mut stream = reader.feed(service, purpose).subscribe(wanted).await.said("Subscribe")?;
        let mut events = Vec::new();
        loop {
            let next = tokio::time::timeout(PATIENCE, stream.next()).await;
            let next = next.with_context(|| format!("the feed of {service} said nothing for {PATIENCE:?}"))?;
            let next = next.with_context(|| format!("the feed of {service} ended before its newest event"))?;
            let next =
                next.map_err(|status| anyhow::anyhow!("the feed of {service}: {}", refusal::explain(&status)))?;
            match next.event {
                Some(event) => events.push(event),
                None if next.cursor == head => return Ok(events),
                None => bail!("the checkpoint of {service} is not where the feed was a moment ago"),
            }
        }
    }

    async fn look(&self, services: &[&'static str]) -> anyhow::Result<Vec<(&'static str, GetStatusResponse)>> {
        let look = |service: &'static str| async move {
            let status = self.operator.feed(service, "operations").get_status(GetStatusRequest {}).await;
            anyhow::Ok((service, status.said("GetStatus")?))
        };
        futures_util::future::try_join_all(services.iter().map(|service| look(service))).await
    }
}

/// An answer, or the refusal in words.
pub trait Said<T> {
    /// What was said to a call.
    fn said(self, call: &str) -> anyhow::Result<T>;
}

impl<T> Said<T> for Result<Response<T>, Status> {
    fn said(self, call: &str) -> anyhow::Result<T> {
        self.map(Response::into_inner)
            .map_err(|status| anyhow::anyhow!("{}", refusal::explain(&status)))
            .with_context(|| call.to_owned())
    }
}

/// A fresh request id.
pub fn rid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A date as it goes on the wire.
pub fn on(date: Date) -> Option<proto::google::r#type::Date> {
    Some(proto::from_date(date))
}
