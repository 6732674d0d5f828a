//! Clients, their households, and what a death ends.

use super::{Seen, clear_wakes, decision, intake, own_access, place_claim, stay, waiting_list};
use crate::domain::client::{self, Client, Command, Event, Identity, Life};
use crate::domain::codes::{CancelReason, ClaimReleaseReason, DecisionEndReason, WaitingLeaveReason};
use crate::domain::household::{self, Household};
use crate::domain::{Due, decision as decisions, intake as intakes, place_claim as claims};
use crate::{Access, events, store};
use ::store::Relation;
use chassis::{Result, Work};
use kernel::{ClientId, Date, Municipality};
use uuid::Uuid;

/// Registers a client for the caller's organisation, which has to do with the client from then on (R-ACC-11, R-REG-26).
pub async fn register(work: &mut Work, municipality: Municipality, identity: Identity) -> Result<ClientId> {
    let id = work.sealer().fresh_client().await?;
    work.touched(id);
    let known_as = known_as(work, id, &identity).await?;
    let client = Client { municipality, registered_by: work.organisation().clone(), identity, died_on: None };
    let now = work.now.at;
    store::client::save(work, id, &client, 1, now).await?;
    let relation = Relation {
        relation_id: id.0,
        client: id,
        organisation: &client.registered_by,
        person: None,
        kind: "registered",
    };
    work.grant(&relation, now).await?;
    // Case holders work by person: the one who registers a client has to do with it.
    if work.acts_as(kernel::Role::Caseholder) {
        let (person, relation_id) = (work.actor().subject.clone(), Uuid::new_v4());
        let relation = Relation { relation_id, person: Some(&person), kind: "registered-by", ..relation };
        work.grant(&relation, now).await?;
    }
    for event in client::register(client.clone(), known_as) {
        events::client(work, id, &client, 1, &event).await?;
    }
    own_access::refresh(work, id, client.life()).await?;
    Ok(id)
}

/// The record that is used for another client with that BSN; none when that is this one (R-REG-26).
async fn known_as(work: &mut Work, id: ClientId, identity: &Identity) -> Result<Option<ClientId>> {
    let Some(other) = store::client::known_as(work, identity.bsn.as_ref(), id).await? else { return Ok(None) };
    let used = work.used_for(other).await?;
    Ok(Some(used).filter(|used| *used != id))
}

/// A client that the caller may have to do with.
pub async fn permitted(work: &mut Work, id: ClientId) -> Result<store::Versioned<Client>> {
    let client = store::client::load(work, id).await?.ok_or_else(|| Work::unknown("client"))?;
    work.permit("client", Some(id), &[]).await?;
    Ok(client)
}

async fn keep(
    work: &mut Work,
    id: ClientId,
    (client, version): store::Versioned<Client>,
    events: Vec<Event>,
) -> Result<i64> {
    if events.is_empty() {
        return Ok(version);
    }
    let (after, version) = (events.iter().fold(client, client::apply), version + 1);
    let now = work.now.at;
    store::client::save(work, id, &after, version, now).await?;
    for event in &events {
        events::client(work, id, &after, version, event).await?;
    }
    Ok(version)
}

/// Replaces the identity data (R-REG-26).
pub async fn correct(work: &mut Work, id: ClientId, seen: i64, identity: Identity) -> Result<i64> {
    let (client, version) = permitted(work, id).await?;
    work.expect_version(seen, version)?;
    let known_as = known_as(work, id, &identity).await?;
    // Who does not see how the client is reached does not overwrite it.
    let identity = if work.hides_contact(id).await? { identity.reached_as(&client.identity) } else { identity };
    let identity_born = identity.birth_date;
    let command = Command::Correct { identity: Box::new(identity), known_as };
    let life = Life { born: identity_born, died_on: client.died_on };
    let events = client::decide(&client, &command, work.now)?;
    let version = keep(work, id, (client, version), events).await?;
    own_access::refresh(work, id, life).await?;
    Ok(version)
}

/// Records a household (R-ACC-28); returns the version with the numbers of adults and children.
pub async fn record_household(work: &mut Work, id: ClientId, seen: i64, set: Household) -> Result<(i64, i32, i32)> {
    let (client, version) = permitted(work, id).await?;
    work.expect_version(seen, version)?;
    let sets = store::client::households(work, id).await?;
    let (adults, children) = set.count(client.life(), set.from_on);
    let Some(household::Recorded(set)) = household::record(&sets, set, client.life(), work.now)?.pop() else {
        return Ok((version, adults, children));
    };
    let now = work.now.at;
    store::client::add_household(work, id, sets.len() + 1, &set, now).await?;
    store::client::save(work, id, &client, version + 1, now).await?;
    events::household(work, id, &set, (adults, children)).await?;
    Ok((version + 1, adults, children))
}

/// Records a death, and ends all that runs for the client in the same step (R-REG-29).
pub async fn die(access: &Access, work: &mut Work, id: ClientId, seen: Seen, on: Date) -> Result<i64> {
    let (client, version) = permitted(work, id).await?;
    if let Some(seen) = seen {
        work.expect_version(seen, version)?;
    }
    let events = client::decide(&client, &Command::Die { on }, work.now)?;
    if events.is_empty() {
        return Ok(version);
    }
    let version = keep(work, id, (client, version), events).await?;
    if let Some((claim, _)) = store::place_claim::standing(work, id).await? {
        place_claim::change(work, claim, None, claims::Command::Release(ClaimReleaseReason::Died), None).await?;
    }
    if let Some((stay, _)) = store::stay::running(work, id).await? {
        stay::depart(access, work, stay, None, on, crate::domain::stay::Outcome::Died).await?;
    }
    for (entry, (state, _)) in store::waiting_list::of_client(work, id).await? {
        if state.left.is_none() {
            waiting_list::leave(work, entry, None, WaitingLeaveReason::Died).await?;
        }
    }
    for (intake, (state, _)) in store::intake::of_client(work, id).await? {
        if state.state == intakes::State::Planned {
            intake::cancel(work, intake, None, CancelReason::Died).await?;
        }
    }
    for (application, (state, _)) in store::decision::applications_of_client(work, id).await? {
        if state.stage == decisions::Stage::Open {
            decision::withdraw(work, application, None, CancelReason::Died).await?;
        }
    }
    for (decision, (state, _)) in store::decision::of_client(work, id).await? {
        if matches!(state.verdict, decisions::Verdict::Granted { .. }) {
            let end = decisions::Command::End { on, reason: DecisionEndReason::Died };
            decision::change(access, work, decision, None, end).await?;
        }
    }
    // A notification stays what it was; only its clocks stop.
    for (notification, _) in store::notification::of_client(work, id).await? {
        clear_wakes(work, notification.0, &[Due::InvestigationSoon, Due::InvestigationOver, Due::UrgentProvision])
            .await?;
    }
    Ok(version)
}
