//! The road of a call: from a message to one transaction, and from its outcome to an answer.

use crate::{Caller, Chassis, Work};
use auth::Purposes;
use kernel::{ClientId, Refusal, general};
use prost::Message;
use proto::Mutation;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use store::{Access, Answered, Error, Result, Tx};
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// What an RPC answers.
pub type Answer<R> = std::result::Result<Response<R>, Status>;

/// What a handler returns: its future, boxed because it borrows the work that it is given.
pub type Run<'a, R> = Pin<Box<dyn Future<Output = Result<R>> + Send + 'a>>;

/// How often a transaction that lost a race is run again before the caller must.
const ATTEMPTS: u32 = 12;

/// How long a revocation waits for the other services.
const CONFIRMATION: Duration = Duration::from_secs(5);

impl Chassis {
    /// Carries out a call that changes something: exactly once per `request_id`, in one transaction with its events, its
    /// answer and its entry in the access log. It runs to its end also when the caller goes away.
    pub async fn command<M, R, F>(&self, request: Request<M>, run: F) -> Answer<R>
    where
        M: Mutation + 'static,
        R: Message + Default + 'static,
        F: for<'a> Fn(&'a mut Work, &'a M) -> Run<'a, R> + Send + Sync + 'static,
    {
        let caller = caller(&request)?;
        let (chassis, message) = (self.clone(), request.into_inner());
        let done = tokio::spawn(async move { chassis.carry_out(&caller, &message, &run).await });
        match done.await {
            Ok(outcome) => outcome.map(Response::new).map_err(|error| explain(&error)),
            Err(panic) => Err(explain_fault(&panic)),
        }
    }

    /// A [`Chassis::command`] that takes a right away: it answers once every service of the chain that follows this feed has
    /// taken in what was committed, so that after the answer nobody acts on the old right. Refused with NOT_CONFIRMED when
    /// that takes too long; the change stands, and the same call again waits again.
    pub async fn revocation<M, R, F>(&self, request: Request<M>, run: F) -> Answer<R>
    where
        M: Mutation + 'static,
        R: Message + Default + 'static,
        F: for<'a> Fn(&'a mut Work, &'a M) -> Run<'a, R> + Send + Sync + 'static,
    {
        let answer = self.command(request, run).await?;
        match tokio::time::timeout(CONFIRMATION, self.confirmed()).await {
            Ok(Ok(())) => Ok(answer),
            Ok(Err(error)) => Err(explain(&error)),
            Err(_) => Err(proto::status(&general::NOT_CONFIRMED.with("seconds", CONFIRMATION.as_secs()))),
        }
    }

    /// Waits until every service of the chain has acknowledged what is on the feed now.
    async fn confirmed(&self) -> Result<()> {
        self.store.stamp().await?;
        let head = self.store.read().await?.head().await?;
        let mut acknowledged = self.acknowledged.subscribe();
        loop {
            let state = self.store.read().await?.feed_state().await?;
            let services = state.subscriptions.iter().filter(|s| s.organisation.as_str().starts_with("svc-"));
            if services.map(|service| service.acknowledged).all(|position| position >= head) {
                return Ok(());
            }
            // It changes with the acknowledgements that come in here; a service may acknowledge elsewhere.
            let _ = tokio::time::timeout(Duration::from_secs(1), acknowledged.changed()).await;
        }
    }

    async fn carry_out<M, R, F>(&self, caller: &Arc<Caller>, message: &M, run: &F) -> Result<R>
    where
        M: Mutation,
        R: Message + Default,
        F: for<'a> Fn(&'a mut Work, &'a M) -> Run<'a, R>,
    {
        let id = message.request_id();
        if !(8..=64).contains(&id.len()) {
            return self.refuse(caller, None, &[], (&general::REQUEST_ID_MISSING).into()).await;
        }
        let hash = ring::digest::digest(&ring::digest::SHA256, &message.encode_to_vec());
        for attempt in 0.. {
            match self.attempt(caller, message, id, hash.as_ref(), run).await {
                Err(Error::Conflict) if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
                }
                // Two first calls with one request id raced: the second look finds the answer of the first.
                Err(Error::Unique { on }) if on.starts_with("answered_call") && attempt < ATTEMPTS => {}
                outcome => return outcome,
            }
        }
        Err(Error::Conflict)
    }

    async fn attempt<M, R, F>(&self, caller: &Arc<Caller>, message: &M, id: &str, hash: &[u8], run: &F) -> Result<R>
    where
        M: Mutation,
        R: Message + Default,
        F: for<'a> Fn(&'a mut Work, &'a M) -> Run<'a, R>,
    {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let outcome = match tx.answered(caller.organisation(), &caller.rpc, id, hash).await? {
            Answered::Same(answer) => {
                tx.commit().await?;
                return R::decode(answer.as_slice()).map_err(|e| Error::inconsistent("answered_call", "response", e));
            }
            Answered::Other => (tx, Vec::new(), Err(Error::from(&general::REQUEST_ID_REUSED))),
            Answered::No => {
                let mut work = Work::new(tx, now, self.name, caller.clone());
                let outcome = run(&mut work, message).await;
                let (tx, clients) = work.into_parts();
                (tx, clients, outcome)
            }
        };
        match outcome {
            (mut tx, clients, Ok(answer)) => {
                let encoded = answer.encode_to_vec();
                tx.keep_answer(caller.organisation(), &caller.rpc, id, hash, &encoded, now.at).await?;
                tx.log_access(&access(caller, now.at, Some(id), "ok"), &clients).await?;
                tx.commit().await?;
                Ok(answer)
            }
            (tx, clients, Err(Error::Refused(refusal))) => {
                let mut tx = tx.undo().await?;
                tx.log_access(&access(caller, now.at, Some(id), refusal.reason.code), &clients).await?;
                tx.commit().await?;
                Err(refusal.into())
            }
            (_, _, Err(error)) => Err(error),
        }
    }

    /// Answers a call that changes nothing. What it read of clients is in the access log before the answer leaves.
    pub async fn query<M, R, F>(&self, request: Request<M>, run: F) -> Answer<R>
    where
        M: Message,
        F: for<'a> FnOnce(&'a mut Work, &'a M) -> Run<'a, R>,
    {
        let caller = caller(&request)?;
        let message = request.into_inner();
        let outcome = async {
            let tx = self.store.read().await?;
            let mut work = Work::new(tx, self.clock.now(), self.name, caller.clone());
            let outcome = run(&mut work, &message).await;
            let (read, clients) = work.into_parts();
            drop(read);
            match outcome {
                Ok(answer) if clients.is_empty() => Ok(answer),
                Ok(answer) => self.log(&caller, &clients, "ok").await.map(|()| answer),
                Err(Error::Refused(refusal)) => self.refuse(&caller, None, &clients, refusal).await,
                Err(error) => Err(error),
            }
        };
        outcome.await.map(Response::new).map_err(|error| explain(&error))
    }

    /// Keeps that something was refused, then refuses it.
    pub(crate) async fn refuse<R>(
        &self,
        caller: &Caller,
        id: Option<&str>,
        clients: &[ClientId],
        refusal: Refusal,
    ) -> Result<R> {
        let mut tx = self.store.write().await?;
        tx.log_access(&access(caller, self.clock.now().at, id, refusal.reason.code), clients).await?;
        tx.commit().await?;
        Err(refusal.into())
    }

    /// Keeps that something was read.
    pub(crate) async fn log(&self, caller: &Caller, clients: &[ClientId], result: &str) -> Result<()> {
        let mut tx = self.store.write().await?;
        tx.log_access(&access(caller, self.clock.now().at, None, result), clients).await?;
        tx.commit().await
    }

    /// Does something on the service's own behalf, in one transaction, again and again until it wins its race.
    pub async fn act<T: Send>(
        &self,
        what: &str,
        run: impl for<'a> Fn(&'a mut Work) -> Run<'a, T> + Send + Sync,
    ) -> Result<T> {
        let caller = Arc::new(Caller::service(self.name, what));
        for attempt in 0.. {
            let mut work = Work::new(self.store.write().await?, self.clock.now(), self.name, caller.clone());
            let outcome = async {
                let done = run(&mut work).await?;
                let (tx, _): (Tx, _) = work.into_parts();
                tx.commit().await?;
                Ok(done)
            };
            match outcome.await {
                Err(Error::Conflict) if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(1 << attempt.min(6))).await;
                }
                outcome => return outcome,
            }
        }
        Err(Error::Conflict)
    }
}

fn access<'a>(caller: &'a Caller, at: jiff::Timestamp, request_id: Option<&'a str>, result: &'a str) -> Access<'a> {
    Access {
        at,
        actor: &caller.actor,
        rpc: &caller.rpc,
        purpose: &caller.purpose,
        legal_ground: Purposes::embedded().get(&caller.purpose).map_or("", |purpose| purpose.ground.as_str()),
        categories: crate::audit::categories(&caller.rpc),
        trace_id: caller.trace.trace_id(),
        request_id,
        result,
    }
}

/// The caller that the gate put on the request.
pub(crate) fn caller<M>(request: &Request<M>) -> std::result::Result<Arc<Caller>, Status> {
    request.extensions().get::<Arc<Caller>>().cloned().ok_or_else(|| proto::status(&(&general::TOKEN_MISSING).into()))
}

/// What the caller hears of an error: a refusal whole; a failure as a reference to the log line, without inner detail.
pub(crate) fn explain(error: &Error) -> Status {
    match error.refusal() {
        Some(refusal) => {
            if !matches!(error, Error::Refused(_)) {
                tracing::warn!(%error, "a call could not be carried out now");
            }
            proto::status(&refusal)
        }
        None => explain_fault(error),
    }
}

fn explain_fault(error: &(dyn std::error::Error + 'static)) -> Status {
    let reference = Uuid::new_v4();
    tracing::error!(%reference, error = error, "a call failed");
    proto::status(&general::OUR_FAULT.with("reference", reference))
}
