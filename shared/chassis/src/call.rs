//! The road of a call: from a message to one transaction, and from its outcome to an answer.

use crate::work::Seen;
use crate::{Caller, Chassis, Work};
use auth::Purposes;
use futures_util::future::BoxFuture;
use kernel::{ClientId, Moment, Refusal, general};
use prost::Message;
use proto::Mutation;
use ring::digest::{self, Digest};
use std::sync::Arc;
use std::time::Duration;
use store::{Access, Answered, Error, Result, Tx, again};
use tonic::{Request, Response, Status};
use tracing::Instrument as _;
use uuid::Uuid;

/// What an RPC answers.
pub type Answer<R> = std::result::Result<Response<R>, Status>;

/// What a handler returns: its future, boxed because it borrows the work that it is given.
pub type Run<'a, R> = BoxFuture<'a, Result<R>>;

/// How long a revocation waits for the other services.
const CONFIRMATION: Duration = Duration::from_secs(5);

/// A call that changes something, without its types: there are over a hundred of them, and their road is one.
struct Command {
    caller: Arc<Caller>,
    id: String,
    hash: Digest,
    run: Erased,
}

/// A handler that gives its answer encoded.
type Erased = Box<dyn for<'a> Fn(&'a mut Work) -> Run<'a, Vec<u8>> + Send + Sync>;

impl Command {
    fn new<M, R, F>(caller: Arc<Caller>, message: M, run: F) -> Self
    where
        M: Mutation + 'static,
        R: Message,
        F: for<'a> Fn(&'a mut Work, &'a M) -> Run<'a, R> + Send + Sync + 'static,
    {
        let hash = digest::digest(&digest::SHA256, &message.encode_to_vec());
        let (id, call) = (message.request_id().to_owned(), Arc::new((run, message)));
        let run: Erased = Box::new(move |work| {
            let call = call.clone();
            Box::pin(async move { Ok((call.0)(work, &call.1).await?.encode_to_vec()) })
        });
        Self { caller, id, hash, run }
    }
}

impl Chassis {
    /// Carries out a call that changes something: exactly once per `request_id`, in one transaction with its events, its
    /// answer and its entry in the access log. It runs to its end also when the caller goes away.
    pub async fn command<M, R, F>(&self, request: Request<M>, run: F) -> Answer<R>
    where
        M: Mutation + 'static,
        R: Message + Default,
        F: for<'a> Fn(&'a mut Work, &'a M) -> Run<'a, R> + Send + Sync + 'static,
    {
        let command = Command::new(caller(&request)?, request.into_inner(), run);
        let answer = self.spawn(command).await?;
        match R::decode(answer.as_slice()) {
            Ok(answer) => Ok(Response::new(answer)),
            Err(error) => Err(explain(&Error::inconsistent("answered_call", "response", error))),
        }
    }

    /// A [`Chassis::command`] that takes a right away: it answers once every service of the chain that follows this feed has
    /// taken in what was committed, so that after the answer nobody acts on the old right. Refused with NOT_CONFIRMED when
    /// that takes too long; the change stands, and the same call again waits again.
    pub async fn revocation<M, R, F>(&self, request: Request<M>, run: F) -> Answer<R>
    where
        M: Mutation + 'static,
        R: Message + Default,
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
    fn confirmed(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.store.stamp().await?;
            let head = self.store.read().await?.head().await?;
            let mut acknowledged = self.acknowledged.subscribe();
            loop {
                let state = self.store.read().await?.feed_state().await?;
                // A service takes in under its own name; what it reads beside that confirms nothing.
                let own =
                    |s: &&store::Subscription| s.organisation.as_str().strip_prefix("svc-") == Some(s.name.as_str());
                let services = state.subscriptions.iter().filter(own);
                if services.map(|service| service.acknowledged).all(|position| position >= head) {
                    return Ok(());
                }
                // It changes with the acknowledgements that come in here; a service may acknowledge elsewhere.
                let _ = tokio::time::timeout(Duration::from_secs(1), acknowledged.changed()).await;
            }
        })
    }

    fn spawn(&self, command: Command) -> BoxFuture<'_, std::result::Result<Vec<u8>, Status>> {
        Box::pin(async move {
            let chassis = self.clone();
            let done = tokio::spawn(async move { chassis.carry_out(&command).await }.in_current_span());
            match done.await {
                Ok(outcome) => outcome.map_err(|error| explain(&error)),
                Err(panic) => Err(explain_fault(&panic)),
            }
        })
    }

    async fn carry_out(&self, command: &Command) -> Result<Vec<u8>> {
        if !(8..=64).contains(&command.id.len()) {
            return Err(self.refuse(&command.caller, &[], (&general::REQUEST_ID_MISSING).into()).await);
        }
        // Two first calls with one request id raced: the second look finds the answer of the first.
        let raced = |error| match error {
            Error::Unique { on } if on.starts_with("answered_call") => Error::Conflict,
            error => error,
        };
        again(|| async { self.attempt(command).await.map_err(raced) }).await
    }

    async fn attempt(&self, command: &Command) -> Result<Vec<u8>> {
        let Command { caller, id, hash, run } = command;
        let now = self.clock.now();
        // Who waited for a turn until nobody waited for the answer any more does not begin.
        let mut tx = self.store.write_until(caller.bounds.deadline).await?;
        let mut seen = Seen::default();
        let mut outcome = match tx.answered(caller.organisation(), &caller.rpc, id, hash.as_ref()).await {
            Ok(Answered::Same(answer)) => {
                tx.commit().await?;
                return Ok(answer);
            }
            Ok(Answered::Other) => Err(Error::from(&general::REQUEST_ID_REUSED)),
            Ok(Answered::No) => {
                let mut work = self.work(tx, now, caller.clone());
                let outcome = run(&mut work).await;
                (tx, seen) = work.into_parts();
                outcome
            }
            Err(error) => Err(error),
        };
        if let Ok(answer) = &outcome {
            let kept = async {
                tx.keep_answer(caller.organisation(), &caller.rpc, id, hash.as_ref(), answer, now.at).await?;
                tx.log_access(&access(caller, now.at, Some(id), "ok", &seen), &seen.clients).await
            };
            if let Err(error) = kept.await {
                outcome = Err(error);
            }
        }
        match outcome {
            Ok(answer) => {
                tx.commit().await?;
                Ok(answer)
            }
            Err(Error::Refused(refusal)) => {
                let mut tx = tx.undo().await?;
                tx.log_access(&access(caller, now.at, Some(id), refusal.reason.code, &seen), &seen.clients).await?;
                tx.commit().await?;
                Err(refusal.into())
            }
            Err(error) => Err(error),
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
        let mut work = self.look(&caller).await?;
        match run(&mut work, &message).await {
            Ok(answer) => self.seen(&caller, work).await.map(|()| Response::new(answer)),
            Err(error) => Err(self.not_seen(&caller, work, error).await),
        }
    }

    fn work(&self, tx: Tx, now: Moment, caller: Arc<Caller>) -> Work {
        Work::new(tx, now, self.about, caller)
    }

    fn look<'a>(&'a self, caller: &'a Arc<Caller>) -> BoxFuture<'a, std::result::Result<Work, Status>> {
        Box::pin(async move {
            let tx = self.store.read_until(caller.bounds.deadline).await.map_err(|error| explain(&error))?;
            Ok(self.work(tx, self.clock.now(), caller.clone()).only_looking())
        })
    }

    fn seen<'a>(&'a self, caller: &'a Caller, work: Work) -> BoxFuture<'a, std::result::Result<(), Status>> {
        Box::pin(async move {
            let (read, seen) = work.into_parts();
            drop(read);
            if seen.clients.is_empty() {
                return Ok(());
            }
            self.log_seen(caller, &seen, "ok").await.map_err(|error| explain(&error))
        })
    }

    fn not_seen<'a>(&'a self, caller: &'a Caller, work: Work, error: Error) -> BoxFuture<'a, Status> {
        Box::pin(async move {
            let (read, seen) = work.into_parts();
            drop(read);
            let Error::Refused(refusal) = error else { return explain(&error) };
            match self.log_seen(caller, &seen, refusal.reason.code).await {
                Ok(()) => explain(&refusal.into()),
                Err(error) => explain(&error),
            }
        })
    }

    /// Keeps that something was refused; returns the refusal once that is on disk, or else what came in between.
    pub(crate) fn refuse<'a>(
        &'a self,
        caller: &'a Caller,
        clients: &'a [ClientId],
        refusal: Refusal,
    ) -> BoxFuture<'a, Error> {
        Box::pin(async move {
            match self.log(caller, clients, refusal.reason.code).await {
                Ok(()) => refusal.into(),
                Err(error) => error,
            }
        })
    }

    /// Keeps that something was read, or why not.
    pub(crate) async fn log(&self, caller: &Caller, clients: &[ClientId], result: &str) -> Result<()> {
        self.log_seen(caller, &Seen::of(clients), result).await
    }

    fn log_seen<'a>(&'a self, caller: &'a Caller, seen: &'a Seen, result: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            again(|| async {
                let mut tx = self.store.write().await?;
                tx.log_access(&access(caller, self.clock.now().at, None, result, seen), &seen.clients).await?;
                tx.commit().await
            })
            .await
        })
    }

    /// Does something on the service's own behalf, in one transaction, again and again until it wins its race.
    pub async fn act<T: Send>(
        &self,
        what: &str,
        run: impl for<'a> Fn(&'a mut Work) -> Run<'a, T> + Send + Sync,
    ) -> Result<T> {
        let caller = Arc::new(Caller::service(self.about.name, what));
        again(|| async {
            let mut work = self.work(self.store.write().await?, self.clock.now(), caller.clone());
            let done = run(&mut work).await?;
            let (tx, _): (Tx, Seen) = work.into_parts();
            tx.commit().await?;
            Ok(done)
        })
        .await
    }
}

fn access<'a>(
    caller: &'a Caller,
    at: jiff::Timestamp,
    request_id: Option<&'a str>,
    result: &'a str,
    seen: &'a Seen,
) -> Access<'a> {
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
        access_point: caller.access_point().as_str_name(),
        consents: &seen.consents,
        emergencies: &seen.emergencies,
        represented: &seen.represented,
        protocol: crate::protocol_version(),
        standings: &seen.standings,
    }
}

/// The caller that the gate put on the request.
pub fn caller<M>(request: &Request<M>) -> std::result::Result<Arc<Caller>, Status> {
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

pub(crate) fn explain_fault(error: &(dyn std::error::Error + 'static)) -> Status {
    let reference = Uuid::new_v4();
    tracing::error!(%reference, error = error, "a call failed");
    proto::status(&general::OUR_FAULT.with("reference", reference))
}

/// Hands each RPC of a service to the function that carries it out, by the road that it names: that of a
/// [`Chassis::command`], a [`Chassis::query`] or a [`Chassis::revocation`].
///
/// ```ignore
/// chassis::rpcs! {
///     AccessService for Access;
///
///     command register_client: RegisterClientRequest => RegisterClientResponse, people::register;
///     query get_client: GetClientRequest => GetClientResponse, people::get;
/// }
/// ```
///
/// It declares `Grpc`, a [`Chassis`] and a service, with the generated trait `AccessService`. Every function is like
/// `async fn register(_: &Access, work: &mut Work, m: &RegisterClientRequest) -> Result<RegisterClientResponse>`.
#[macro_export]
macro_rules! rpcs {
    ($rpcs:ident for $service:ty; $($road:ident $rpc:ident: $request:ty => $response:ty, $run:path;)+) => {
        /// The RPCs of this service.
        pub(crate) struct Grpc {
            /// What carries a call.
            pub chassis: $crate::Chassis,
            /// What a call is judged by.
            pub service: ::std::sync::Arc<$service>,
        }

        #[$crate::async_trait]
        impl $rpcs for Grpc {
            $(
                async fn $rpc(&self, request: $crate::Request<$request>) -> $crate::Answer<$response> {
                    let service = self.service.clone();
                    self.chassis
                        .$road(request, move |work, message| {
                            let service = service.clone();
                            Box::pin(async move { $run(&service, work, message).await })
                        })
                        .await
                }
            )+
        }
    };
}
