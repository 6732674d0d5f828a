//! Signals.

use super::look_again;
use crate::domain::SignalId;
use crate::domain::signal::{self, Command, Event, Kind, Report, Signal, Source};
use crate::{Aftercare, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Organisation, Role};
use proto::aftercare::v1::{TeamSubscribed, TeamUnsubscribed};

/// The kind of a signal's deadline.
pub const DEADLINE: &str = "signal";

/// The RPC whose line in the policy table says who may report that somebody has nowhere to sleep.
const NOWHERE_TO_SLEEP: &str = "AftercareService/ReportNowhereToSleep";

/// Takes a report in from whoever may report about that client. That somebody has nowhere to sleep is heard from everybody who
/// may say so, by whichever RPC (P6). What is told of a record that points to another of the same person is taken in for that
/// other one (P5, R-REG-26).
pub async fn report(service: &Aftercare, work: &mut Work, report: Report) -> Result<()> {
    match report.kind {
        Kind::NowhereToSleep => work.permit_as(NOWHERE_TO_SLEEP, "client", Some(report.client_id), &[]).await?,
        _ => work.permit_merged_too("client", Some(report.client_id), &[]).await?,
    }
    let client_id = work.used_for(report.client_id).await?;
    work.touched(client_id);
    receive(service, work, Report { client_id, ..report }).await
}

/// A new signal, or one more report on tonight's. Whoever calls has asked whether this may be told: what follows from a
/// contact that was recorded is told in the name of the chain.
pub async fn receive(service: &Aftercare, work: &mut Work, mut report: Report) -> Result<()> {
    let client = report.client_id;
    if report.municipality.is_none() {
        report.municipality = store::circle::municipality(work, client).await?;
    }
    let night = signal::night_of(work.now);
    let tonight = store::signal::tonight(work, client, night).await?;
    let known = store::circle::known(work, client).await?;
    let (policy, version) = service.policy(work, report.municipality.as_ref())?;
    let events = signal::receive(tonight.as_ref().map(|(signal, _)| signal), report, &known, policy, work.now);
    let before = tonight.filter(|_| !matches!(events[..], [Event::Received(_), ..]));
    keep(work, before, &events, &version).await.map(|_| ())
}

/// Carries out a command on a signal that reached the caller's team.
pub async fn change(
    service: &Aftercare,
    work: &mut Work,
    id: SignalId,
    seen: Option<i64>,
    command: Command,
) -> Result<(Signal, i64)> {
    let (signal, version) = load(work, id).await?;
    permit(work, &signal).await?;
    if let Some(seen) = seen {
        work.expect_version(seen, version)?;
    }
    carry_out(service, work, (signal, version), &command).await
}

/// Lets the client return without a new procedure.
pub async fn invoke_guarantee(service: &Aftercare, work: &mut Work, id: SignalId) -> Result<(Signal, i64)> {
    let (signal, version) = load(work, id).await?;
    permit(work, &signal).await?;
    let latest = store::aftercare::latest_of(work, signal.client_id).await?;
    let command = Command::InvokeGuarantee { aftercare_since: latest.map(|(started_on, _)| started_on) };
    carry_out(service, work, (signal, version), &command).await
}

/// Closes what is open about a client who died.
pub async fn client_died(service: &Aftercare, work: &mut Work, open: Vec<(Signal, i64)>) -> Result<()> {
    for stored in open {
        carry_out(service, work, stored, &Command::ClientDied).await?;
    }
    Ok(())
}

/// Looks whether a term has passed.
pub async fn lapse(service: &Aftercare, work: &mut Work, id: SignalId) -> Result<()> {
    let stored = load(work, id).await?;
    carry_out(service, work, stored, &Command::Lapse).await.map(|_| ())
}

/// One signal and its version, or "not found".
pub async fn load(work: &mut Work, id: SignalId) -> Result<(Signal, i64)> {
    store::signal::load(work, id).await?.ok_or_else(|| Work::unknown("signal"))
}

/// Asks whether the signal reached the caller. One that debt help alone may hear is not for who merely has a relation to
/// the client (R-AFT-05). It is dealt with in whichever record it was received (P5).
pub async fn permit(work: &mut Work, signal: &Signal) -> Result<()> {
    work.touched(signal.client_id);
    let client = (!signal.debt_help_only).then_some(signal.client_id);
    work.permit_merged_too("signal", client, &signal.teams.iter().collect::<Vec<_>>()).await
}

/// Who reports, from the caller's roles.
pub fn source(work: &Work, anonymous: bool, hearsay: bool) -> Source {
    if work.acts_as(Role::Client) {
        return Source::Client;
    }
    let role = Role::ALL.iter().copied().find(|role| work.acts_as(*role));
    match role {
        Some(Role::SvcRegie) | None => Source::Chain,
        Some(role) => Source::Partner { organisation: work.organisation().clone(), role, anonymous, hearsay },
    }
}

/// Subscribes the caller's team to a client's signals.
pub async fn subscribe(work: &mut Work, client: ClientId) -> Result<()> {
    work.permit("client", Some(client), &[]).await?;
    let team = work.organisation().clone();
    if store::circle::is_subscribed(work, client, &team).await? {
        return Ok(());
    }
    store::circle::subscribe(work, client, &team).await?;
    work.publish(Some(client), &[], &TeamSubscribed { organisation: team.to_string() }).await
}

/// Ends the subscription of the caller's team.
pub async fn unsubscribe(work: &mut Work, client: ClientId) -> Result<()> {
    let team: Organisation = work.organisation().clone();
    work.permit("client", Some(client), &[&team]).await?;
    if !store::circle::is_subscribed(work, client, &team).await? {
        return Ok(());
    }
    store::circle::unsubscribe(work, client, &team).await?;
    work.publish(Some(client), &[], &TeamUnsubscribed { organisation: team.to_string() }).await
}

async fn carry_out(
    service: &Aftercare,
    work: &mut Work,
    stored: (Signal, i64),
    command: &Command,
) -> Result<(Signal, i64)> {
    let (policy, version) = service.policy(work, stored.0.municipality.as_ref())?;
    let events = signal::decide(&stored.0, command, policy, work.now)?;
    keep(work, Some(stored), &events, &version).await
}

async fn keep(work: &mut Work, before: Option<(Signal, i64)>, events: &[Event], policy: &str) -> Result<(Signal, i64)> {
    let (before, version) = before.map_or((None, 0), |(signal, version)| (Some(signal), version));
    let after = events.iter().fold(before, signal::apply).ok_or_else(|| Work::unknown("signal"))?;
    look_again(work, DEADLINE, after.id, after.client_id, after.wake_at()).await?;
    if events.is_empty() {
        return Ok((after, version));
    }
    let version = version + 1;
    store::signal::save(work, &after, version).await?;
    for event in events {
        events::signal(work, (&after, version), event, policy).await?;
    }
    Ok((after, version))
}
