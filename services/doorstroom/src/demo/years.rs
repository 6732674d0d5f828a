//! Part (a): the published years, lived through day by day over the public API.

use super::dice::Dice;
use super::dordrecht::{self, Day, Destination, End, FACILITY, Life, Origin, Registration, Trigger, Use};
use super::people;
use super::world::{Said, World, on, rid};
use crate::doors::Person;
use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::ToSpan as _;
use kernel::{Date, Role};
use proto::access::v1 as api;
use proto::access::v1::record_departure_request::Outcome;
use proto::access::v1::record_notification_request::Origin as OriginOnTheWire;
use proto::regie::v1 as regie;
use std::sync::Mutex;

/// The municipality of the figures.
pub const DORDRECHT: &str = "0505";

/// How many people stand at the counter at once.
const AT_ONCE: usize = 8;

/// Whoever lives the life: what the services answered, by registration and by person.
struct Diary<'a> {
    world: &'a World,
    life: &'a Life,
    shelter: Person,
    desk: Person,
    municipality: Person,
    facility: String,
    clients: Vec<Mutex<Option<String>>>,
    notifications: Vec<Mutex<Option<String>>>,
    stays: Vec<Mutex<Option<String>>>,
    identities: Vec<api::Identity>,
}

/// Lives a life from the first day to the last. `tell` hears each day.
pub async fn live(world: &World, life: &Life, seed: u64, tell: impl Fn(Date)) -> anyhow::Result<()> {
    let days = life.days();
    let mut dice = Dice::new(seed);
    let first_seen = |person: usize| {
        let registration = life.registrations.iter().find(|registration| registration.person == person);
        registration.map_or(dordrecht::OPENS, |registration| registration.registered_on)
    };
    let mut diary = Diary {
        world,
        life,
        shelter: world.person(Role::Shelter, "leger-des-heils"),
        desk: world.person(Role::Access, "gemeente-dordrecht"),
        municipality: world.person(Role::Regie, "gemeente-dordrecht"),
        facility: String::new(),
        clients: (0..life.people).map(|_| Mutex::default()).collect(),
        notifications: life.registrations.iter().map(|_| Mutex::default()).collect(),
        stays: life.registrations.iter().map(|_| Mutex::default()).collect(),
        identities: (0..life.people).map(|person| people::identity(person, first_seen(person), &mut dice)).collect(),
    };
    diary.open_facility().await?;
    let mut yesterday =
        Day { date: dordrecht::OPENS, nights: vec![], departures: vec![], registrations: vec![], admissions: vec![] };
    for day in days {
        world.at(day.date, 9);
        // Everybody at once; who departs slept here first, and who is admitted was notified first.
        let night = day.date.yesterday()?;
        let plans = diary.plans_due(day.date);
        tokio::try_join!(
            diary.night(night, &day.nights),
            each(&yesterday.registrations, |number| diary.take_on(number)),
            each(&yesterday.departures, |number| diary.close(number)),
            each(&plans, |number| diary.plan(number)),
            each(&day.registrations, |number| diary.register(number)),
        )?;
        tokio::try_join!(
            each(&day.departures, |number| diary.depart(number)),
            each(&day.admissions, |number| diary.admit(number)),
        )?;
        world.settle().await.with_context(|| day.date.to_string())?;
        tell(day.date);
        yesterday = day;
    }
    Ok(())
}

/// Does something for several people at once.
async fn each<F: Future<Output = anyhow::Result<()>>>(
    numbers: &[usize],
    what: impl Fn(usize) -> F,
) -> anyhow::Result<()> {
    stream::iter(numbers.iter().map(|number| what(*number))).buffer_unordered(AT_ONCE).try_collect().await
}

fn keep(place: &Mutex<Option<String>>, id: String) {
    *place.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(id);
}

fn kept(place: &Mutex<Option<String>>) -> Option<String> {
    place.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

impl Diary<'_> {
    async fn open_facility(&mut self) -> anyhow::Result<()> {
        let (name, places) = FACILITY;
        let request = api::RegisterFacilityRequest {
            request_id: rid(),
            organisation: "leger-des-heils".to_owned(),
            municipality: DORDRECHT.to_owned(),
            name: name.to_owned(),
            kind: api::FacilityKind::NightShelter.into(),
            audience: api::Audience::Adults.into(),
            provision: api::Provision::General.into(),
            places,
            reserve: 0,
            opened_on: on(self.world.today()),
        };
        let opened = self.desk.access("operations").register_facility(request).await.said("RegisterFacility")?;
        self.facility = opened.facility_id;
        Ok(())
    }

    async fn register(&self, number: usize) -> anyhow::Result<()> {
        let registration = &self.life.registrations[number];
        let known = kept(&self.clients[registration.person]);
        let client_id = match &known {
            Some(client_id) => client_id.clone(),
            None => {
                let request = api::RegisterClientRequest {
                    request_id: rid(),
                    municipality: DORDRECHT.to_owned(),
                    identity: Some(self.identities[registration.person].clone()),
                };
                let client = self.shelter.access("shelter").register_client(request).await.said("RegisterClient")?;
                keep(&self.clients[registration.person], client.client_id.clone());
                client.client_id
            }
        };
        let origin = match registration.origin {
            Origin::Municipality(code) => OriginOnTheWire::OriginMunicipality(code.to_owned()),
            Origin::Abroad => OriginOnTheWire::OriginElsewhere(api::OriginElsewhere::Abroad.into()),
            Origin::Unknown => OriginOnTheWire::OriginElsewhere(api::OriginElsewhere::Unknown.into()),
        };
        let request = api::RecordNotificationRequest {
            request_id: rid(),
            client_id,
            municipality: DORDRECHT.to_owned(),
            origin: Some(origin),
            triggers: registration.triggers.iter().map(|trigger| wire(*trigger).into()).collect(),
            received_on: on(registration.registered_on),
            used_shelter_before: known.is_some(),
            needs_shelter_now: false,
            told_of_personal_plan: true,
            told_of_client_support: true,
        };
        // Somebody who comes back may be out of the shelter's sight by now; the access desk sees everybody.
        let notifier = if known.is_some() { self.desk.access("notification") } else { self.shelter.access("shelter") };
        let notified = { notifier }.record_notification(request).await.said("RecordNotification")?;
        keep(&self.notifications[number], notified.notification_id.clone());
        self.intake(registration, notified.notification_id).await
    }

    /// The intake ends the investigation: in shelter, or upstream.
    async fn intake(&self, registration: &Registration, notification_id: String) -> anyhow::Result<()> {
        let today = on(self.world.today());
        let mut desk = self.desk.access("investigation");
        let request = api::PlanIntakeRequest {
            request_id: rid(),
            notification_id,
            planned_on: today,
            ..api::PlanIntakeRequest::default()
        };
        let planned = desk.plan_intake(request).await.said("PlanIntake")?;
        let (result, receiver) = match registration.stay {
            Some(_) => (api::IntakeResult::Shelter, ""),
            None => (api::IntakeResult::ReferralUpstream, "wijkteam-west"),
        };
        let request = api::CompleteIntakeRequest {
            request_id: rid(),
            intake_id: planned.intake_id,
            expected_version: planned.version,
            result: result.into(),
            receiver: receiver.to_owned(),
            completed_on: today,
            ..api::CompleteIntakeRequest::default()
        };
        desk.complete_intake(request).await.said("CompleteIntake").map(drop)
    }

    /// The day after: whoever is in shelter gets one contact (R-ACC-13); whoever was helped upstream is done here.
    async fn take_on(&self, number: usize) -> anyhow::Result<()> {
        let registration = &self.life.registrations[number];
        if registration.stay.is_none() {
            return self.end(registration, regie::CloseReason::Referred).await;
        }
        let (client_id, expected_version) = self.case(registration).await?;
        let request = regie::AssignCaseHolderRequest {
            request_id: rid(),
            expected_version,
            client_id,
            person: "trajecthouder".to_owned(),
            organisation: "leger-des-heils".to_owned(),
            reason: regie::AssignmentReason::First.into(),
            ..Default::default()
        };
        self.desk.regie("investigation").assign_case_holder(request).await.said("AssignCaseHolder").map(drop)
    }

    /// The trajectories whose plan is made on a day: within five days of their start (R-ACC-17).
    fn plans_due(&self, day: Date) -> Vec<usize> {
        let due = |registration: &Registration| {
            let stay = registration.stay.as_ref().filter(|stay| stay.admitted_on.saturating_add(6.days()) == day);
            stay.is_some_and(|stay| stay.until() > day) && registration.has_trajectory()
        };
        (0..self.life.registrations.len()).filter(|number| due(&self.life.registrations[*number])).collect()
    }

    async fn plan(&self, number: usize) -> anyhow::Result<()> {
        let registration = &self.life.registrations[number];
        let (client_id, expected_version) = self.case(registration).await?;
        let request = regie::AdoptPlanRequest {
            request_id: rid(),
            expected_version,
            client_id,
            client_present: true,
            ..Default::default()
        };
        self.shelter.regie("shelter").adopt_plan(request).await.said("AdoptPlan").map(drop)
    }

    /// The day after somebody departed the case closes.
    async fn close(&self, number: usize) -> anyhow::Result<()> {
        let registration = &self.life.registrations[number];
        let left = registration.stay.as_ref().is_some_and(|stay| matches!(stay.end, Some(End::Destination(_))));
        let reason = if left { regie::CloseReason::Left } else { regie::CloseReason::ContactLost };
        self.end(registration, reason).await
    }

    /// The client and the version of the case, read before it is changed.
    async fn case(&self, registration: &Registration) -> anyhow::Result<(String, i64)> {
        let client_id = kept(&self.clients[registration.person]).context("a case has a client")?;
        let request = regie::GetCaseRequest { client_id: client_id.clone(), case_id: String::new() };
        let shown = self.municipality.regie("regie").get_case(request).await.said("GetCase")?;
        Ok((client_id, shown.case.context("the client has a case")?.version))
    }

    async fn end(&self, registration: &Registration, reason: regie::CloseReason) -> anyhow::Result<()> {
        let (client_id, expected_version) = self.case(registration).await?;
        let request = regie::CloseCaseRequest { request_id: rid(), expected_version, client_id, reason: reason.into() };
        self.municipality.regie("regie").close_case(request).await.said("CloseCase").map(drop)
    }

    async fn admit(&self, number: usize) -> anyhow::Result<()> {
        let registration = &self.life.registrations[number];
        let stay = registration.stay.as_ref().context("an admission has a stay")?;
        let request = api::AdmitClientRequest {
            request_id: rid(),
            client_id: kept(&self.clients[registration.person]).context("an admission follows a registration")?,
            facility_id: self.facility.clone(),
            notification_id: kept(&self.notifications[number]).context("an admission follows a notification")?,
            claim_id: String::new(),
            admitted_on: on(stay.admitted_on),
        };
        let admitted = self.shelter.access("shelter").admit_client(request).await.said("AdmitClient")?;
        keep(&self.stays[number], admitted.stay_id);
        Ok(())
    }

    async fn night(&self, night: Date, register: &[(usize, Use)]) -> anyhow::Result<()> {
        // The night before the doors opened nobody slept here.
        if night < dordrecht::OPENS {
            return Ok(());
        }
        let entry = |(number, used): &(usize, Use)| {
            let held = *used == Use::Held;
            anyhow::Ok(api::NightOfStay {
                stay_id: kept(&self.stays[*number]).context("a night follows an admission")?,
                client_id: String::new(),
                r#use: match used {
                    Use::Used => api::NightUse::Used,
                    Use::Held => api::NightUse::Held,
                    Use::Released => api::NightUse::Released,
                }
                .into(),
                hold_reason: if held { api::HoldReason::Leave } else { api::HoldReason::Unspecified }.into(),
                held_until: on(night).filter(|_| held),
            })
        };
        let request = api::RecordNightsRequest {
            request_id: rid(),
            facility_id: self.facility.clone(),
            night: on(night),
            expected_version: 0,
            nights: register.iter().map(entry).collect::<anyhow::Result<_>>()?,
        };
        self.shelter.access("shelter").record_nights(request).await.said("RecordNights").map(drop)
    }

    async fn depart(&self, number: usize) -> anyhow::Result<()> {
        let registration = &self.life.registrations[number];
        let stay = registration.stay.as_ref().context("a departure has a stay")?;
        let stay_id = kept(&self.stays[number]).context("a departure follows an admission")?;
        let client_id = kept(&self.clients[registration.person]).context("a departure has a client")?;
        let mut shelter = self.shelter.access("shelter");
        let journey = shelter.get_journey(api::GetJourneyRequest { client_id }).await.said("GetJourney")?.journey;
        let shown = journey.into_iter().flat_map(|journey| journey.stays).find(|shown| shown.stay_id == stay_id);
        let outcome = match stay.end.context("a departure has an end")? {
            End::DropOut => Outcome::DropOut(api::DropOutReason::StayedAway.into()),
            End::Destination(destination) => Outcome::Destination(
                match destination {
                    Destination::OwnHome => api::Destination::OwnHome,
                    Destination::SupportedLiving => api::Destination::ProtectedLiving,
                    Destination::FamilyOrFriends => api::Destination::FamilyOrFriends,
                    Destination::OtherFacility => api::Destination::OtherShelter,
                }
                .into(),
            ),
        };
        let request = api::RecordDepartureRequest {
            request_id: rid(),
            stay_id,
            expected_version: shown.context("the stay is in the client's journey")?.version,
            departed_on: on(stay.until()),
            outcome: Some(outcome),
        };
        shelter.record_departure(request).await.said("RecordDeparture").map(drop)
    }
}

fn wire(trigger: Trigger) -> api::Trigger {
    match trigger {
        Trigger::Debts => api::Trigger::RentArrears,
        Trigger::BreakUp => api::Trigger::BreakUp,
        Trigger::EarlierCare => api::Trigger::EarlierCareStopped,
        Trigger::Nuisance => api::Trigger::Nuisance,
        Trigger::Detention => api::Trigger::AfterDetention,
        Trigger::ReturnFromAbroad => api::Trigger::FromAbroad,
        Trigger::Cannabis => api::Trigger::Cannabis,
        Trigger::Other => api::Trigger::Other,
    }
}
