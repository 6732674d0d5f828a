//! States as the audiences see them: what an audience may not know has no field in its view.

use crate::domain::client::{Client, Identity};
use crate::domain::decision::{Application, Decision, Stage, Verdict};
use crate::domain::household::{Household, Member};
use crate::domain::intake::{Intake, State};
use crate::domain::nights::{Bed, Entry};
use crate::domain::notification::{Notification, Urgent};
use crate::domain::place_claim::Claim;
use crate::domain::stay::{Outcome, Stay};
use crate::domain::waiting_list::{Entry as Waiting, Fact};
use crate::domain::{ApplicationId, ClaimId, DecisionId, EntryId, FacilityId, IntakeId, NotificationId, StayId};
use crate::store;
use crate::words::{date, date_opt, instant, text, wire, wire_opt};
use chassis::{Result, Work};
use kernel::{Bsn, ClientId, Date};
use proto::access::v1 as pb;
use proto::contact::v1::SafeContact;

/// A client with the household of today.
pub struct Person {
    pub id: ClientId,
    pub version: i64,
    pub client: Client,
    pub household: Option<Household>,
    pub today: Date,
    pub safe_contact: Option<SafeContact>,
}

fn bsn(bsn: Option<&Bsn>) -> String {
    bsn.map_or(String::new(), |bsn| bsn.expose().to_owned())
}

fn member(m: &Member) -> pb::MemberShown {
    pb::MemberShown {
        role: wire(m.role),
        birth_date: date(m.birth_date),
        client_id: text(m.client_id),
        custody: m.custody,
    }
}

impl Person {
    fn members(&self) -> Vec<pb::MemberShown> {
        self.household.iter().flat_map(|set| &set.members).map(member).collect()
    }

    fn count(&self) -> (i32, i32) {
        let alone = Household { from_on: self.today, members: vec![] };
        self.household.as_ref().unwrap_or(&alone).count(self.client.life(), self.today)
    }

    pub fn for_access(self) -> pb::Client {
        let household = self.members();
        let Identity { surname, first_names, birth_date, bsn: number, v_number, home, phone, email } =
            self.client.identity;
        let (postcode, house_number) = home.map_or_else(Default::default, |home| (home.postcode, home.house_number));
        pb::Client {
            client_id: self.id.to_string(),
            version: self.version,
            surname,
            first_names,
            birth_date: date(birth_date),
            bsn: bsn(number.as_ref()),
            v_number: v_number.unwrap_or_default(),
            postcode,
            house_number,
            phone: phone.unwrap_or_default(),
            email: email.unwrap_or_default(),
            municipality: self.client.municipality.to_string(),
            registered_by: self.client.registered_by.to_string(),
            household,
            died_on: date_opt(self.client.died_on),
            safe_contact: self.safe_contact,
        }
    }

    pub fn for_guidance(self) -> pb::ClientForGuidance {
        let household = self.members();
        let Identity { surname, first_names, birth_date, bsn: number, v_number, phone, email, .. } =
            self.client.identity;
        pb::ClientForGuidance {
            client_id: self.id.to_string(),
            version: self.version,
            surname,
            first_names,
            birth_date: date(birth_date),
            bsn: bsn(number.as_ref()),
            v_number: v_number.unwrap_or_default(),
            phone: phone.unwrap_or_default(),
            email: email.unwrap_or_default(),
            household,
            died_on: date_opt(self.client.died_on),
            safe_contact: self.safe_contact,
        }
    }

    pub fn tenant(self) -> pb::Tenant {
        let Identity { surname, first_names, birth_date, phone, email, .. } = self.client.identity;
        pb::Tenant {
            client_id: self.id.to_string(),
            surname,
            first_names,
            birth_date: date(birth_date),
            phone: phone.unwrap_or_default(),
            email: email.unwrap_or_default(),
            safe_contact: self.safe_contact,
        }
    }

    pub fn benefit_applicant(self) -> pb::BenefitApplicant {
        let (adults, children) = self.count();
        let Identity { surname, first_names, birth_date, bsn: number, v_number, phone, email, .. } =
            self.client.identity;
        pb::BenefitApplicant {
            client_id: self.id.to_string(),
            surname,
            first_names,
            birth_date: date(birth_date),
            bsn: bsn(number.as_ref()),
            v_number: v_number.unwrap_or_default(),
            phone: phone.unwrap_or_default(),
            email: email.unwrap_or_default(),
            adults,
            children,
            safe_contact: self.safe_contact,
        }
    }

    pub fn for_district(self) -> pb::ClientForDistrict {
        let (adults, children) = self.count();
        let Identity { surname, first_names, birth_date, phone, email, .. } = self.client.identity;
        pb::ClientForDistrict {
            client_id: self.id.to_string(),
            surname,
            first_names,
            birth_date: date(birth_date),
            phone: phone.unwrap_or_default(),
            email: email.unwrap_or_default(),
            adults,
            children,
            safe_contact: self.safe_contact,
        }
    }

    pub fn own(self) -> pb::ClientAsSelf {
        let pb::Client {
            client_id,
            version,
            surname,
            first_names,
            birth_date,
            bsn,
            v_number,
            postcode,
            house_number,
            phone,
            email,
            municipality,
            registered_by,
            household,
            ..
        } = self.for_access();
        pb::ClientAsSelf {
            client_id,
            version,
            surname,
            first_names,
            birth_date,
            bsn,
            v_number,
            postcode,
            house_number,
            phone,
            email,
            municipality,
            registered_by,
            household,
        }
    }
}

/// A line of the caseload.
pub fn listed((id, identity): (ClientId, Identity)) -> pb::ClientListed {
    let Identity { surname, first_names, birth_date, .. } = identity;
    pb::ClientListed { client_id: id.to_string(), surname, first_names, birth_date: date(birth_date) }
}

/// A facility in the list.
pub fn facility(listed: &store::facility::Listed, today: Date) -> pb::Facility {
    let f = &listed.facility;
    let capacity = f.capacity(today);
    pb::Facility {
        facility_id: listed.id.to_string(),
        version: listed.version,
        organisation: f.organisation.to_string(),
        municipality: f.municipality.to_string(),
        name: f.name.clone(),
        kind: wire(f.kind),
        audience: wire(f.audience),
        provision: wire(f.provision),
        places: capacity.places,
        reserve: capacity.reserve,
        occupied: listed.occupied,
        opened_on: date(f.opened_on),
    }
}

/// A place in a waiting list.
pub fn waiting_entry(position: i64, version: i64, fact: Fact, safe_contact: Option<SafeContact>) -> pb::WaitingEntry {
    pb::WaitingEntry {
        position: i32::try_from(position).unwrap_or(i32::MAX),
        entry_id: fact.entry_id.to_string(),
        version,
        client_id: fact.client_id.to_string(),
        joined_on: date(fact.occurred_on),
        recorded_at: instant(fact.recorded_at),
        safe_contact,
    }
}

/// A bed in a night.
pub fn night(entry: &Entry) -> pb::NightShown {
    let held = match entry.bed {
        Bed::Held { reason, until } => Some((reason, until)),
        _ => None,
    };
    pb::NightShown {
        stay_id: entry.stay_id.to_string(),
        client_id: entry.client_id.to_string(),
        r#use: wire(entry.bed.night_use()),
        hold_reason: wire_opt(held.map(|(reason, _)| reason)),
        held_until: date_opt(held.map(|(_, until)| until)),
    }
}

/// The way of a client through access. A secret place is named to its own organisation only, and that of a shielded client
/// also to whoever protects the client (R-REG-18, R-REG-28).
pub async fn journey(work: &mut Work, client: ClientId) -> Result<pb::Journey> {
    let safe_contact = work.safe_contact(client).await?;
    let mut journey = pb::Journey { client_id: client.to_string(), safe_contact, ..Default::default() };
    for (id, found) in store::notification::of_client(work, client).await? {
        journey.notifications.push(notification(id, found));
    }
    for (id, found) in store::intake::of_client(work, client).await? {
        journey.intakes.push(intake(id, found));
    }
    for (id, found) in store::decision::applications_of_client(work, client).await? {
        journey.applications.push(application(id, found));
    }
    for (id, found) in store::decision::of_client(work, client).await? {
        journey.decisions.push(decision(id, found));
    }
    for (id, (s, version)) in store::stay::of_client(work, client).await? {
        let place = place(work, client, s.facility_id).await?;
        let nights_used = match s.departure {
            Some(departure) => departure.nights_used,
            None => store::nights::used(work, id).await?.0,
        };
        journey.stays.push(stay(id, &s, version, place, nights_used));
    }
    for (id, (entry, version)) in store::waiting_list::of_client(work, client).await? {
        let (facility_id, _) = place(work, client, entry.facility_id).await?;
        journey.waiting.push(waiting(id, &entry, version, facility_id));
    }
    for (id, (found, version)) in store::place_claim::of_client(work, client).await? {
        let (facility_id, _) = place(work, client, found.facility_id).await?;
        journey.claims.push(claim(id, &found, version, facility_id));
    }
    Ok(journey)
}

/// The facility and its organisation, both empty for who may not know.
async fn place(work: &mut Work, client: ClientId, id: FacilityId) -> Result<(String, String)> {
    let (facility, _) = crate::acts::facility::find(work, id).await?;
    let is_own = work.actor().client_id == Some(client);
    let hidden = work.hides(client).await?;
    Ok(if is_own || facility.shows_to(work.organisation(), hidden) {
        (id.to_string(), facility.organisation.to_string())
    } else {
        Default::default()
    })
}

fn notification(id: NotificationId, (n, version): store::Versioned<Notification>) -> pb::NotificationShown {
    use pb::notification_shown::State;
    let urgent = match n.urgent {
        Urgent::NotAsked => pb::UrgentProvision::Unspecified,
        Urgent::Waiting => pb::UrgentProvision::Waiting,
        Urgent::Granted(_) => pb::UrgentProvision::Granted,
        Urgent::Refused(_) => pb::UrgentProvision::Refused,
    };
    pb::NotificationShown {
        notification_id: id.to_string(),
        version,
        state: if n.withdrawn.is_some() { State::Withdrawn } else { State::Open }.into(),
        municipality: n.municipality.to_string(),
        origin: n.origin.as_str().to_owned(),
        triggers: n.triggers.iter().map(|t| wire(*t)).collect(),
        received_on: date(n.received_on),
        notified_by: n.notified_by.to_string(),
        used_shelter_before: n.used_shelter_before,
        investigation_due_on: date(n.investigation_due_on),
        investigation_finished: n.investigated,
        urgent_provision: urgent.into(),
        told_of_personal_plan: n.told_of_personal_plan,
        told_of_client_support: n.told_of_client_support,
    }
}

fn intake(id: IntakeId, (intake, version): store::Versioned<Intake>) -> pb::IntakeShown {
    use pb::intake_shown::State as Shown;
    let (state, outcome, completed_on) = match &intake.state {
        State::Planned => (Shown::Planned, None, None),
        State::Cancelled(_) => (Shown::Cancelled, None, None),
        State::Completed { outcome, on } => (Shown::Completed, Some(outcome), Some(*on)),
    };
    pb::IntakeShown {
        intake_id: id.to_string(),
        version,
        notification_id: intake.notification_id.to_string(),
        state: state.into(),
        integrated: intake.integrated,
        planned_on: date(intake.planned_on),
        result: wire_opt(outcome.map(|o| o.result())),
        receiver: text(outcome.and_then(|o| o.receiver())),
        completed_on: date_opt(completed_on),
    }
}

fn application(id: ApplicationId, (application, version): store::Versioned<Application>) -> pb::ApplicationShown {
    use pb::application_shown::State;
    let state = match application.stage {
        Stage::Open => State::Open,
        Stage::Withdrawn(_) => State::Withdrawn,
        Stage::Decided => State::Decided,
    };
    pb::ApplicationShown {
        application_id: id.to_string(),
        version,
        notification_id: application.notification_id.to_string(),
        state: state.into(),
        received_on: date(application.received_on),
        due_on: date(application.due_on),
    }
}

fn decision(id: DecisionId, (decision, version): store::Versioned<Decision>) -> pb::DecisionShown {
    use pb::decision_shown::State;
    let mut shown = pb::DecisionShown {
        decision_id: id.to_string(),
        version,
        application_id: decision.application_id.to_string(),
        policy_version: decision.policy_version,
        ..Default::default()
    };
    match decision.verdict {
        Verdict::Granted { starts_on, ends_on, group, ended, .. } => {
            shown.state = if ended.is_some() { State::Ended } else { State::InForce }.into();
            shown.target_group = wire(group);
            shown.starts_on = date(starts_on);
            shown.ends_on = date(ends_on);
            shown.end_reason = wire_opt(ended);
        }
        Verdict::Refused(ground) => {
            shown.state = State::Refused.into();
            shown.ground = wire(ground);
        }
    }
    shown
}

fn stay(
    id: StayId,
    s: &Stay,
    version: i64,
    (facility_id, organisation): (String, String),
    nights_used: i32,
) -> pb::StayShown {
    use pb::stay_shown::State;
    let (state, destination, drop_out) = match s.departure.map(|d| d.outcome) {
        None => (State::Open, None, None),
        Some(Outcome::Left(destination)) => (State::Left, Some(destination), None),
        Some(Outcome::DroppedOut(reason)) => (State::DroppedOut, None, Some(reason)),
        Some(Outcome::Died) => (State::Died, None, None),
    };
    pb::StayShown {
        stay_id: id.to_string(),
        version,
        state: state.into(),
        facility_id,
        organisation,
        admitted_on: date(s.admitted_on),
        departed_on: date_opt(s.departure.map(|d| d.on)),
        destination: wire_opt(destination),
        drop_out: wire_opt(drop_out),
        nights_used,
        trajectory_on: date_opt(s.trajectory_on),
        level: wire(s.level),
        notification_id: text(s.notification_id),
    }
}

fn waiting(id: EntryId, entry: &Waiting, version: i64, facility_id: String) -> pb::WaitingShown {
    pb::WaitingShown {
        entry_id: id.to_string(),
        version,
        facility_id,
        joined_on: date(entry.joined_on),
        left_on: date_opt(entry.left.map(|(on, _)| on)),
        left_reason: wire_opt(entry.left.map(|(_, reason)| reason)),
    }
}

fn claim(id: ClaimId, claim: &Claim, version: i64, facility_id: String) -> pb::ClaimShown {
    pb::ClaimShown {
        claim_id: id.to_string(),
        version,
        facility_id,
        claimed_on: date(claim.claimed_on),
        until_on: date(claim.until_on),
        released_reason: wire_opt(claim.released),
    }
}
