//! What the outside hears: each domain event as its message on the feed. No names, no BSN, no free text.

use crate::domain::client::Client;
use crate::domain::decision::{self, Application, Decision, Verdict};
use crate::domain::facility::{self, Facility};
use crate::domain::household::Household;
use crate::domain::intake::{self, Intake};
use crate::domain::nights::Register;
use crate::domain::notification::{self, Notification, Urgent};
use crate::domain::place_claim::{self, Claim};
use crate::domain::stay::{self, Outcome, Stay};
use crate::domain::waiting_list::{self, Entry};
use crate::domain::{
    ApplicationId, ClaimId, DecisionId, EntryId, FacilityId, IntakeId, NotificationId, StayId, client,
};
use crate::store::receivers;
use crate::words::{date, date_opt, text, wire, wire_opt};
use chassis::{Result, Work};
use kernel::{ClientId, Date, OwnAccess};
use proto::access::v1 as pb;

/// Puts an event about a client on the feed, for every partner that has to do with the client.
async fn tell<E: prost::Message + prost::Name>(work: &mut Work, client: ClientId, on: Date, event: &E) -> Result<()> {
    let receivers = receivers(work, client).await?;
    work.publish_on(on, Some(client), &receivers, event).await
}

/// The same about a place: one that is secret, or where somebody is who is shielded, is heard of by its own organisation only
/// (R-REG-18, R-REG-28).
async fn tell_of_place<E: prost::Message + prost::Name>(
    work: &mut Work,
    client: ClientId,
    place: &Facility,
    on: Date,
    event: &E,
) -> Result<()> {
    let shielded = work.is_shielded(client).await?;
    if !place.is_for_all(shielded) {
        return work.publish_on(on, Some(client), std::slice::from_ref(&place.organisation), event).await;
    }
    tell(work, client, on, event).await
}

/// What happened to a client.
pub async fn client(work: &mut Work, id: ClientId, client: &Client, version: i64, event: &client::Event) -> Result<()> {
    let (client_id, today) = (id.to_string(), work.now.date);
    match event {
        client::Event::Registered(_) => {
            let (municipality, registered_by) = (client.municipality.to_string(), client.registered_by.to_string());
            tell(work, id, today, &pb::ClientRegistered { client_id, municipality, registered_by }).await
        }
        client::Event::DuplicateSuspected { of } => {
            let (of_client_id, municipality) = (of.to_string(), client.municipality.to_string());
            work.publish(Some(id), &[], &pb::DuplicateSuspected { client_id, of_client_id, municipality }).await
        }
        client::Event::Corrected(_) => {
            tell(work, id, today, &pb::ClientCorrected { client_id, client_version: version }).await
        }
        client::Event::Died { on } => tell(work, id, *on, &pb::ClientDied { client_id, died_on: date(*on) }).await,
    }
}

/// What a client may do with the own file: for the services, since it tells of an age.
pub async fn own_access(work: &mut Work, id: ClientId, level: OwnAccess) -> Result<()> {
    let own_access = chassis::own_access_to(level).into();
    work.publish(Some(id), &[], &pb::OwnAccessChanged { client_id: id.to_string(), own_access }).await
}

/// A household was recorded.
pub async fn household(work: &mut Work, id: ClientId, set: &Household, counts: (i32, i32)) -> Result<()> {
    let (client_id, (adults, children)) = (id.to_string(), counts);
    tell(work, id, set.from_on, &pb::HouseholdRecorded { client_id, from_on: date(set.from_on), adults, children })
        .await
}

/// What happened to a notification.
pub async fn notification(
    work: &mut Work,
    id: NotificationId,
    n: &Notification,
    event: &notification::Event,
) -> Result<()> {
    let (client, today) = (n.client_id, work.now.date);
    let (notification_id, client_id, due_on) = (id.to_string(), client.to_string(), date(n.investigation_due_on));
    use notification::Event;
    match event {
        Event::Received(n) => {
            let received = pb::NotificationReceived {
                notification_id,
                client_id,
                municipality: n.municipality.to_string(),
                origin: n.origin.as_str().to_owned(),
                triggers: n.triggers.iter().map(|t| wire(*t)).collect(),
                received_on: date(n.received_on),
                notified_by: n.notified_by.to_string(),
                used_shelter_before: n.used_shelter_before,
                needs_shelter_now: n.urgent == Urgent::Waiting,
                investigation_due_on: due_on,
            };
            tell(work, client, n.received_on, &received).await
        }
        Event::Withdrawn(reason) => {
            tell(work, client, today, &pb::NotificationWithdrawn { notification_id, client_id, reason: wire(*reason) })
                .await
        }
        Event::UrgentDecided { urgent, late } => {
            let facility = match urgent {
                Urgent::Granted(facility) => *facility,
                _ => None,
            };
            let granted = matches!(urgent, Urgent::Granted(_));
            let decided = pb::UrgentProvisionDecided {
                notification_id,
                client_id,
                granted,
                facility_id: text(facility),
                late: *late,
            };
            tell(work, client, today, &decided).await
        }
        Event::UrgentOverdue { target_hours } => {
            let target_hours = *target_hours;
            tell(work, client, today, &pb::UrgentProvisionOverdue { notification_id, client_id, target_hours }).await
        }
        Event::InvestigationDueSoon => {
            tell(work, client, today, &pb::InvestigationDueSoon { notification_id, client_id, due_on }).await
        }
        Event::InvestigationOverdue => {
            tell(work, client, today, &pb::InvestigationOverdue { notification_id, client_id, due_on }).await
        }
        // Part of what IntakeCompleted says.
        Event::Investigated => Ok(()),
    }
}

/// What happened to an intake.
pub async fn intake(work: &mut Work, id: IntakeId, intake: &Intake, event: &intake::Event) -> Result<()> {
    let (client, today) = (intake.client_id, work.now.date);
    let (intake_id, notification_id, client_id) =
        (id.to_string(), intake.notification_id.to_string(), client.to_string());
    match event {
        intake::Event::Planned(planned) => {
            let (integrated, planned_on) = (planned.integrated, date(planned.planned_on));
            let event = pb::IntakePlanned { intake_id, notification_id, client_id, integrated, planned_on };
            tell(work, client, today, &event).await
        }
        intake::Event::Cancelled(reason) => {
            let event = pb::IntakeCancelled { intake_id, notification_id, client_id, reason: wire(*reason) };
            tell(work, client, today, &event).await
        }
        intake::Event::Completed { outcome, on } => {
            let event = pb::IntakeCompleted {
                intake_id,
                notification_id,
                client_id,
                result: wire(outcome.result()),
                receiver: text(outcome.receiver()),
                ground: wire_opt(outcome.ground()),
                completed_on: date(*on),
            };
            tell(work, client, *on, &event).await
        }
    }
}

/// What happened to an application.
pub async fn application(
    work: &mut Work,
    id: ApplicationId,
    application: &Application,
    event: &decision::Event,
) -> Result<()> {
    let (client, today) = (application.client_id, work.now.date);
    let (application_id, client_id) = (id.to_string(), client.to_string());
    use decision::Event;
    match event {
        Event::ApplicationReceived(received) => {
            let event = pb::ApplicationReceived {
                application_id,
                notification_id: received.notification_id.to_string(),
                client_id,
                received_on: date(received.received_on),
                due_on: date(received.due_on),
            };
            tell(work, client, received.received_on, &event).await
        }
        Event::ApplicationWithdrawn(reason) => {
            tell(work, client, today, &pb::ApplicationWithdrawn { application_id, client_id, reason: wire(*reason) })
                .await
        }
        Event::ApplicationDueSoon => {
            let due_on = date(application.due_on);
            tell(work, client, today, &pb::ApplicationDueSoon { application_id, client_id, due_on }).await
        }
        Event::Taken(_) | Event::Extended { .. } | Event::EndingSoon | Event::Ended { .. } => Ok(()),
    }
}

/// What happened to a decision.
pub async fn decision(work: &mut Work, id: DecisionId, decision: &Decision, event: &decision::Event) -> Result<()> {
    let (client, today) = (decision.client_id, work.now.date);
    let (decision_id, client_id) = (id.to_string(), client.to_string());
    let days = |verdict: &Verdict| match verdict {
        Verdict::Granted { starts_on, ends_on, .. } => (Some(*starts_on), Some(*ends_on)),
        Verdict::Refused(_) => (None, None),
    };
    use decision::Event;
    match event {
        Event::Taken(taken) => {
            let (starts_on, ends_on) = days(&taken.verdict);
            let event = pb::DecisionTaken {
                decision_id,
                application_id: taken.application_id.to_string(),
                client_id,
                granted: starts_on.is_some(),
                starts_on: date_opt(starts_on),
                ends_on: date_opt(ends_on),
                late: taken.late,
                policy_version: taken.policy_version.clone(),
            };
            tell(work, client, today, &event).await
        }
        Event::Extended { ends_on, reason } => {
            let event = pb::DecisionExtended { decision_id, client_id, ends_on: date(*ends_on), reason: wire(*reason) };
            tell(work, client, today, &event).await
        }
        Event::EndingSoon => {
            let ends_on = date_opt(days(&decision.verdict).1);
            tell(work, client, today, &pb::DecisionEndingSoon { decision_id, client_id, ends_on }).await
        }
        Event::Ended { on, reason } => {
            let event = pb::DecisionEnded { decision_id, client_id, ended_on: date(*on), reason: wire(*reason) };
            tell(work, client, *on, &event).await
        }
        Event::ApplicationReceived(_) | Event::ApplicationWithdrawn(_) | Event::ApplicationDueSoon => Ok(()),
    }
}

/// What happened to a facility; for services only.
pub async fn facility(work: &mut Work, id: FacilityId, f: &Facility, event: &facility::Event) -> Result<()> {
    let facility_id = id.to_string();
    match event {
        facility::Event::Registered(_) => {
            let capacity = f.capacity(f.opened_on);
            let event = pb::FacilityRegistered {
                facility_id,
                organisation: f.organisation.to_string(),
                municipality: f.municipality.to_string(),
                kind: wire(f.kind),
                audience: wire(f.audience),
                provision: wire(f.provision),
                places: capacity.places,
                reserve: capacity.reserve,
                opened_on: date(f.opened_on),
            };
            work.publish_on(f.opened_on, None, &[], &event).await
        }
        facility::Event::CapacityChanged(new) => {
            let event = pb::CapacityChanged {
                facility_id,
                places: new.places,
                reserve: new.reserve,
                from_on: date(new.from_on),
            };
            work.publish(None, &[], &event).await
        }
    }
}

/// What happened to a stay, at `facility`.
pub async fn stay(
    work: &mut Work,
    id: StayId,
    s: &Stay,
    facility: &Facility,
    event: &stay::Event,
    target_on: Option<Date>,
) -> Result<()> {
    let (client, today) = (s.client_id, work.now.date);
    let (stay_id, client_id, facility_id) = (id.to_string(), client.to_string(), s.facility_id.to_string());
    let (organisation, municipality) = (facility.organisation.to_string(), facility.municipality.to_string());
    let notification_id = text(s.notification_id);
    use stay::Event;
    match event {
        Event::Admitted(admitted) => {
            let event = pb::Admitted {
                stay_id,
                client_id,
                facility_id,
                organisation,
                admitted_on: date(admitted.admitted_on),
                notification_id,
                level: wire(admitted.level),
                municipality,
            };
            tell_of_place(work, client, facility, admitted.admitted_on, &event).await
        }
        Event::TrajectoryStarted { on } => {
            let started_on = date(*on);
            let event = pb::TrajectoryStarted {
                stay_id,
                client_id,
                notification_id,
                facility_id,
                organisation,
                started_on,
                municipality,
            };
            tell_of_place(work, client, facility, *on, &event).await
        }
        Event::TargetReached => {
            let target_on = date_opt(target_on);
            tell_of_place(
                work,
                client,
                facility,
                today,
                &pb::StayTargetReached { stay_id, client_id, facility_id, target_on },
            )
            .await
        }
        Event::Departed(departure) => {
            let (outcome, destination, drop_out) = match departure.outcome {
                Outcome::Left(destination) => (pb::DepartureOutcome::Left, Some(destination), None),
                Outcome::DroppedOut(reason) => (pb::DepartureOutcome::DropOut, None, Some(reason)),
                Outcome::Died => (pb::DepartureOutcome::Died, None, None),
            };
            let event = pb::Departed {
                stay_id,
                client_id,
                facility_id,
                organisation,
                admitted_on: date(s.admitted_on),
                departed_on: date(departure.on),
                outcome: outcome.into(),
                destination: wire_opt(destination),
                drop_out: wire_opt(drop_out),
                nights_used: departure.nights_used,
                trajectory: s.trajectory_on.is_some(),
                notification_id,
                municipality,
            };
            tell_of_place(work, client, facility, departure.on, &event).await
        }
        Event::NightsCorrected { nights_used } => {
            work.publish(Some(client), &[], &pb::NightsCorrected { stay_id, client_id, nights_used: *nights_used })
                .await
        }
        Event::CapacityReached { .. } | Event::AlternativeGiven(_) => Ok(()),
    }
}

/// The regular places of a facility are taken; for services only.
pub async fn capacity_reached(
    work: &mut Work,
    client: ClientId,
    id: FacilityId,
    facility: &Facility,
    (occupied, places): (i32, i32),
    alternative: Option<FacilityId>,
) -> Result<()> {
    let event = pb::CapacityReached {
        client_id: client.to_string(),
        facility_id: id.to_string(),
        municipality: facility.municipality.to_string(),
        occupied,
        places,
        alternative_facility_id: text(alternative),
    };
    work.publish(Some(client), &[], &event).await
}

/// A night register was recorded; one event for all its clients, and none of them in the envelope.
pub async fn nights(
    work: &mut Work,
    id: FacilityId,
    facility: &Facility,
    night: Date,
    register: &Register,
) -> Result<()> {
    let entry = |e: &crate::domain::nights::Entry| pb::NightEntry {
        client_id: e.client_id.to_string(),
        stay_id: e.stay_id.to_string(),
        r#use: wire(e.bed.night_use()),
    };
    let event = pb::NightsRecorded {
        facility_id: id.to_string(),
        night: date(night),
        entries: register.entries.iter().map(entry).collect(),
        revision: i32::try_from(register.revision).unwrap_or(i32::MAX),
        municipality: facility.municipality.to_string(),
    };
    work.publish_on(night, None, &[], &event).await
}

/// What happened to an entry on a waiting list.
pub async fn waiting(
    work: &mut Work,
    id: EntryId,
    entry: &Entry,
    facility: &Facility,
    event: &waiting_list::Event,
) -> Result<()> {
    let client = entry.client_id;
    let (entry_id, client_id, facility_id) = (id.to_string(), client.to_string(), entry.facility_id.to_string());
    match event {
        waiting_list::Event::Joined(joined) => {
            let joined_on = date(joined.joined_on);
            tell_of_place(
                work,
                client,
                facility,
                joined.joined_on,
                &pb::Waitlisted { entry_id, client_id, facility_id, joined_on },
            )
            .await
        }
        waiting_list::Event::Left { on, reason } => {
            let event =
                pb::WaitingListLeft { entry_id, client_id, facility_id, left_on: date(*on), reason: wire(*reason) };
            tell_of_place(work, client, facility, *on, &event).await
        }
    }
}

/// What happened to a claimed place; `became` is the stay that it became.
pub async fn claim(
    work: &mut Work,
    id: ClaimId,
    claim: &Claim,
    facility: &Facility,
    event: &place_claim::Event,
    became: Option<StayId>,
) -> Result<()> {
    let (client, today) = (claim.client_id, work.now.date);
    let (claim_id, client_id, facility_id) = (id.to_string(), client.to_string(), claim.facility_id.to_string());
    match event {
        place_claim::Event::Claimed(claimed) => {
            let event = pb::PlaceClaimed {
                claim_id,
                client_id,
                facility_id,
                organisation: facility.organisation.to_string(),
                signal_id: claimed.signal_id.to_string(),
                level: wire(claimed.level),
                until_on: date(claimed.until_on),
                without_procedure: claimed.without_procedure,
            };
            tell_of_place(work, client, facility, today, &event).await
        }
        place_claim::Event::EndingSoon => {
            let until_on = date(claim.until_on);
            tell_of_place(
                work,
                client,
                facility,
                today,
                &pb::PlaceClaimEndingSoon { claim_id, client_id, facility_id, until_on },
            )
            .await
        }
        place_claim::Event::Released(reason) => {
            let event = pb::PlaceClaimReleased {
                claim_id,
                client_id,
                facility_id,
                reason: wire(*reason),
                stay_id: text(became),
            };
            tell_of_place(work, client, facility, today, &event).await
        }
    }
}
