//! What other services told: kept on the timeline, in the projections of readiness and moves, and fed to the processes.

use crate::Regie;
use crate::acts::{acknowledgement, process, readiness, representative, separation};
use crate::domain::process::facts::{
    Access, Aftercare, AllocationId, BenefitRequestId, ClaimId, Fact, Home, Housing, Income, Incoming, NominationId,
    NotificationId, OfferId, Period, SignalId, StayId,
};
use crate::domain::readiness as ready;
use crate::domain::separation::SeparationId;
use crate::domain::task::Kind;
use crate::store;
use crate::store::timeline::Entry;
use chassis::{Error, Event, Result, Work};
use kernel::{Cents, ClientId, Date, District, Moment, Municipality, Organisation, Refusal, Role, Uuid};
use proto::{access::v1 as access, aftercare::v1 as aftercare, housing::v1 as housing, income::v1 as income};

type Read<T> = std::result::Result<T, Refusal>;

/// Takes in one event; what is about no client is nothing to regie, but for a separation that is not held to (R-REG-28).
pub async fn take(regie: &Regie, work: &mut Work, event: &Event) -> Result<()> {
    if let Some(id) = not_apart(event)? {
        return separation::found_together(regie, work, id).await;
    }
    let Some(client) = event.client_id else { return Ok(()) };
    if (event.source, event.name()) == ("access", "OwnAccessChanged") {
        let changed: access::OwnAccessChanged = event.decode()?;
        let level = chassis::own_access_from(changed.own_access());
        let level = level.ok_or_else(|| Error::inconsistent("event", "own_access", "is no level"))?;
        // It tells of an age: for the services, and for nobody's timeline.
        return representative::grown(work, client, level).await;
    }
    // R-REG-26: that somebody may be known already is for a task and for nobody's timeline.
    if event.name() != "DuplicateSuspected" {
        let entry = Entry {
            event_id: event.event_id,
            kind: chassis::event_type(event.source, event.name()),
            occurred_on: event.occurred_on,
            recorded_at: event.recorded_at,
        };
        if event.name() == "ClientCorrected" && !store::timeline::holds(work, event.event_id).await? {
            acknowledgement::ask(regie, work, client, Kind::TakeOverCorrection).await?;
        }
        store::timeline::add(work, client, &entry).await?;
    }
    if let Some(fact) = readiness_fact(event)? {
        readiness::learn(work, client, &fact).await?;
    }
    project(work, client, event).await?;
    if provides(event)? {
        store::retention::provided(work, client, event.occurred_on).await?;
    }
    if let Some(fact) = fact(regie, work, event).await? {
        let at = Moment::of(event.recorded_at);
        let incoming = Incoming { id: event.event_id, at, fact };
        process::take(regie, work, client, &incoming, None).await?;
    }
    Ok(())
}

/// The separation of two who were in one place already when it was marked.
fn not_apart(event: &Event) -> Result<Option<SeparationId>> {
    let id = match (event.source, event.name()) {
        ("access", "SeparatedInOneFacility") => event.decode::<access::SeparatedInOneFacility>()?.separation_id,
        ("housing", "SeparatedInOneNeighbourhood") => {
            event.decode::<housing::SeparatedInOneNeighbourhood>()?.separation_id
        }
        _ => return Ok(None),
    };
    Ok(Some(SeparationId::parse("separation_id", &id)?))
}

/// What readiness rests on (R-HOU-03).
fn readiness_fact(event: &Event) -> Result<Option<ready::Fact>> {
    Ok(Some(match (event.source, event.name()) {
        ("access", "DecisionTaken") => {
            let taken: access::DecisionTaken = event.decode()?;
            if !taken.granted {
                return Ok(None);
            }
            let decision = ready::Decision {
                starts_on: date("starts_on", taken.starts_on.as_ref())?,
                ends_on: date_opt("ends_on", taken.ends_on.as_ref())?,
            };
            ready::Fact::Decided { id: taken.decision_id, decision }
        }
        ("access", "DecisionExtended") => {
            let extended: access::DecisionExtended = event.decode()?;
            ready::Fact::Extended { id: extended.decision_id, ends_on: date_opt("ends_on", extended.ends_on.as_ref())? }
        }
        ("access", "DecisionEnded") => ready::Fact::Ended { id: event.decode::<access::DecisionEnded>()?.decision_id },
        ("income", "FinancesStabilised") => {
            let stabilised: income::FinancesStabilised = event.decode()?;
            ready::Fact::Stabilised { since: date("since", stabilised.since.as_ref())? }
        }
        ("income", "StabilisationEnded") => ready::Fact::NotStabilised,
        ("income", "RentGuaranteeGranted") => {
            let granted: income::RentGuaranteeGranted = event.decode()?;
            ready::Fact::Guaranteed {
                id: granted.guarantee_id,
                ends_on: date_opt("ends_on", granted.ends_on.as_ref())?,
            }
        }
        ("income", "RentGuaranteeWithdrawn") => {
            ready::Fact::GuaranteeGone { id: event.decode::<income::RentGuaranteeWithdrawn>()?.guarantee_id }
        }
        ("income", "RentGuaranteeEnded") => {
            ready::Fact::GuaranteeGone { id: event.decode::<income::RentGuaranteeEnded>()?.guarantee_id }
        }
        _ => return Ok(None),
    }))
}

/// Whether it makes the client somebody who had a provision: the file is then kept for the term of the Wmo (R-REG-23).
fn provides(event: &Event) -> Result<bool> {
    Ok(match (event.source, event.name()) {
        ("access", "DecisionTaken") => event.decode::<access::DecisionTaken>()?.granted,
        ("access", "UrgentProvisionDecided") => event.decode::<access::UrgentProvisionDecided>()?.granted,
        ("access", "Admitted") | ("housing", "AllocationAccepted") => true,
        _ => false,
    })
}

/// What the file shows of moves.
async fn project(work: &mut Work, client: ClientId, event: &Event) -> Result<()> {
    let allocation = |text: &str| uuid("allocation_id", text);
    match (event.source, event.name()) {
        ("housing", "AllocationAccepted") => {
            let accepted: housing::AllocationAccepted = event.decode()?;
            let lease_start_on = date("lease_start_on", accepted.lease_start_on.as_ref())?;
            store::gate::accepted(work, client, allocation(&accepted.allocation_id)?, lease_start_on).await
        }
        ("housing", "LeaseSigned") => {
            let signed: housing::LeaseSigned = event.decode()?;
            store::gate::signed(work, allocation(&signed.allocation_id)?).await
        }
        ("housing", "AllocationWithdrawn") => {
            let withdrawn: housing::AllocationWithdrawn = event.decode()?;
            store::gate::fell(work, allocation(&withdrawn.allocation_id)?).await
        }
        ("housing", "LeaseEnded") => {
            let ended: housing::LeaseEnded = event.decode()?;
            store::gate::fell(work, allocation(&ended.allocation_id)?).await
        }
        ("aftercare", "AftercareStarted") => {
            let started: aftercare::AftercareStarted = event.decode()?;
            let aftercare = uuid("aftercare_id", &started.aftercare_id)?;
            store::gate::aftercare_started(work, aftercare, allocation(&started.allocation_id)?).await
        }
        ("aftercare", "AftercareEnded") => {
            let ended: aftercare::AftercareEnded = event.decode()?;
            store::gate::landed(work, client, allocation(&ended.allocation_id)?, event.occurred_on).await
        }
        _ => Ok(()),
    }
}

/// The fact that a process reacts to, if it does.
async fn fact(regie: &Regie, work: &mut Work, event: &Event) -> Result<Option<Fact>> {
    Ok(match event.source {
        "access" => access_fact(regie, event)?.map(Fact::Access),
        "housing" => housing_fact(event)?.map(Fact::Housing),
        "income" => income_fact(event)?.map(Fact::Income),
        "aftercare" => aftercare_fact(work, event).await?.map(Fact::Aftercare),
        _ => None,
    })
}

fn access_fact(regie: &Regie, event: &Event) -> Result<Option<Access>> {
    let notification = |text: &str| NotificationId::parse("notification_id", text);
    Ok(Some(match event.name() {
        "DuplicateSuspected" => {
            let e: access::DuplicateSuspected = event.decode()?;
            Access::DuplicateSuspected {
                of_client: uuid("of_client_id", &e.of_client_id)?,
                municipality: municipality(&e.municipality)?,
            }
        }
        "NotificationReceived" => {
            let e: access::NotificationReceived = event.decode()?;
            let municipality = municipality(&e.municipality)?;
            // Who notifies about themselves names no organisation: the access desk has it.
            let notified_by = match e.notified_by.as_str() {
                "" => regie
                    .register
                    .first(&municipality, Role::Access)
                    .unwrap_or(regie.register.regie_of(&municipality))
                    .clone(),
                by => organisation("notified_by", by)?,
            };
            Access::NotificationReceived { notification: notification(&e.notification_id)?, municipality, notified_by }
        }
        "NotificationWithdrawn" => {
            let e: access::NotificationWithdrawn = event.decode()?;
            Access::NotificationWithdrawn { notification: notification(&e.notification_id)? }
        }
        "UrgentProvisionOverdue" => {
            let e: access::UrgentProvisionOverdue = event.decode()?;
            Access::UrgentProvisionOverdue { notification: notification(&e.notification_id)? }
        }
        "UrgentProvisionDecided" => {
            let e: access::UrgentProvisionDecided = event.decode()?;
            Access::UrgentProvisionDecided { notification: notification(&e.notification_id)? }
        }
        "InvestigationDueSoon" => {
            let e: access::InvestigationDueSoon = event.decode()?;
            let due_on = date("due_on", e.due_on.as_ref())?;
            Access::InvestigationDueSoon { notification: notification(&e.notification_id)?, due_on }
        }
        "InvestigationOverdue" => {
            let e: access::InvestigationOverdue = event.decode()?;
            let due_on = date("due_on", e.due_on.as_ref())?;
            Access::InvestigationDueSoon { notification: notification(&e.notification_id)?, due_on }
        }
        "IntakeCompleted" => {
            let e: access::IntakeCompleted = event.decode()?;
            Access::IntakeCompleted { notification: notification(&e.notification_id)? }
        }
        "ApplicationReceived" => {
            let e: access::ApplicationReceived = event.decode()?;
            Access::ApplicationReceived { application: uuid("application_id", &e.application_id)? }
        }
        "ApplicationDueSoon" => {
            let e: access::ApplicationDueSoon = event.decode()?;
            let due_on = date("due_on", e.due_on.as_ref())?;
            Access::ApplicationDueSoon { application: uuid("application_id", &e.application_id)?, due_on }
        }
        "ApplicationWithdrawn" => {
            let e: access::ApplicationWithdrawn = event.decode()?;
            Access::ApplicationWithdrawn { application: uuid("application_id", &e.application_id)? }
        }
        "DecisionTaken" => {
            let e: access::DecisionTaken = event.decode()?;
            Access::DecisionTaken { application: uuid("application_id", &e.application_id)? }
        }
        "DecisionEndingSoon" => {
            let e: access::DecisionEndingSoon = event.decode()?;
            let ends_on = date("ends_on", e.ends_on.as_ref())?;
            Access::DecisionEndingSoon { decision: uuid("decision_id", &e.decision_id)?, ends_on }
        }
        "DecisionExtended" => {
            let e: access::DecisionExtended = event.decode()?;
            Access::DecisionExtended { decision: uuid("decision_id", &e.decision_id)? }
        }
        "DecisionEnded" => {
            let e: access::DecisionEnded = event.decode()?;
            Access::DecisionEnded { decision: uuid("decision_id", &e.decision_id)? }
        }
        "Waitlisted" => {
            Access::Waitlisted { entry: uuid("entry_id", &event.decode::<access::Waitlisted>()?.entry_id)? }
        }
        "WaitingListLeft" => {
            Access::WaitingListLeft { entry: uuid("entry_id", &event.decode::<access::WaitingListLeft>()?.entry_id)? }
        }
        "Admitted" => {
            let e: access::Admitted = event.decode()?;
            let of = Some(e.notification_id.as_str()).filter(|id| !id.is_empty());
            Access::Admitted {
                stay: StayId::parse("stay_id", &e.stay_id)?,
                organisation: organisation("organisation", &e.organisation)?,
                notification: of.map(notification).transpose()?,
            }
        }
        "TrajectoryStarted" => {
            let e: access::TrajectoryStarted = event.decode()?;
            let started_on = date("started_on", e.started_on.as_ref())?;
            Access::TrajectoryStarted { stay: StayId::parse("stay_id", &e.stay_id)?, started_on }
        }
        "Departed" => {
            let e: access::Departed = event.decode()?;
            Access::Departed { stay: StayId::parse("stay_id", &e.stay_id)? }
        }
        "PlaceClaimed" => {
            let e: access::PlaceClaimed = event.decode()?;
            let claim = ClaimId::parse("claim_id", &e.claim_id)?;
            Access::PlaceClaimed { claim, signal: SignalId::parse("signal_id", &e.signal_id)? }
        }
        "PlaceClaimEndingSoon" => {
            let e: access::PlaceClaimEndingSoon = event.decode()?;
            let until_on = date("until_on", e.until_on.as_ref())?;
            Access::PlaceClaimEndingSoon { claim: ClaimId::parse("claim_id", &e.claim_id)?, until_on }
        }
        "PlaceClaimReleased" => {
            let e: access::PlaceClaimReleased = event.decode()?;
            let lapsed = e.reason() == access::ClaimReleaseReason::Lapsed;
            Access::PlaceClaimReleased { claim: ClaimId::parse("claim_id", &e.claim_id)?, lapsed }
        }
        "ClientDied" => Access::ClientDied,
        _ => return Ok(None),
    }))
}

fn housing_fact(event: &Event) -> Result<Option<Housing>> {
    let allocation = |text: &str| AllocationId::parse("allocation_id", text);
    let offer = |text: &str| OfferId::parse("offer_id", text);
    let nomination = |text: &str| NominationId::parse("nomination_id", text);
    Ok(Some(match event.name() {
        "Nominated" => {
            let e: housing::Nominated = event.decode()?;
            Housing::Nominated {
                nomination: nomination(&e.nomination_id)?,
                municipality: municipality(&e.municipality)?,
                nominated_by: organisation("nominated_by", &e.nominated_by)?,
            }
        }
        "NominationWithdrawn" => {
            let e: housing::NominationWithdrawn = event.decode()?;
            Housing::NominationWithdrawn { nomination: nomination(&e.nomination_id)? }
        }
        "OfferMade" => {
            let e: housing::OfferMade = event.decode()?;
            Housing::OfferMade {
                offer: offer(&e.offer_id)?,
                nomination: nomination(&e.nomination_id)?,
                corporation: organisation("corporation", &e.corporation)?,
                until: date("until", e.until.as_ref())?,
            }
        }
        "OfferAnswered" => {
            let e: housing::OfferAnswered = event.decode()?;
            let by_client = e.by() == housing::AnsweredBy::Client;
            Housing::OfferAnswered { offer: offer(&e.offer_id)?, by_client, accepted: e.accepted }
        }
        "OfferEndingSoon" => {
            let e: housing::OfferEndingSoon = event.decode()?;
            Housing::OfferEndingSoon { offer: offer(&e.offer_id)?, provider: organisation("provider", &e.provider)? }
        }
        "OfferLapsed" => Housing::OfferLapsed { offer: offer(&event.decode::<housing::OfferLapsed>()?.offer_id)? },
        "OfferWithdrawn" => Housing::OfferEnded { offer: offer(&event.decode::<housing::OfferWithdrawn>()?.offer_id)? },
        "OfferSuperseded" => {
            Housing::OfferEnded { offer: offer(&event.decode::<housing::OfferSuperseded>()?.offer_id)? }
        }
        "AllocationAccepted" => {
            let e: housing::AllocationAccepted = event.decode()?;
            let district = Some(e.district.as_str()).filter(|code| !code.is_empty());
            let home = Home {
                nomination: nomination(&e.nomination_id)?,
                corporation: organisation("corporation", &e.corporation)?,
                provider: organisation("provider", &e.provider)?,
                municipality: municipality(&e.municipality)?,
                district: district.map(|code| District::parse("district", code)).transpose()?,
                lease_start_on: date("lease_start_on", e.lease_start_on.as_ref())?,
                rent: Cents(e.rent_cents),
                guarantee_required: e.guarantee_required,
            };
            Housing::AllocationAccepted { allocation: allocation(&e.allocation_id)?, home }
        }
        "LeaseSigned" => {
            Housing::LeaseSigned { allocation: allocation(&event.decode::<housing::LeaseSigned>()?.allocation_id)? }
        }
        "KeysHandedOver" => {
            let e: housing::KeysHandedOver = event.decode()?;
            Housing::KeysHandedOver { allocation: allocation(&e.allocation_id)?, on: date("on", e.on.as_ref())? }
        }
        "AllocationWithdrawn" => {
            let e: housing::AllocationWithdrawn = event.decode()?;
            Housing::AllocationWithdrawn { allocation: allocation(&e.allocation_id)? }
        }
        "LeaseEnded" => {
            Housing::LeaseEnded { allocation: allocation(&event.decode::<housing::LeaseEnded>()?.allocation_id)? }
        }
        _ => return Ok(None),
    }))
}

fn income_fact(event: &Event) -> Result<Option<Income>> {
    let request = |text: &str| BenefitRequestId::parse("benefit_request_id", text);
    let allocation = |text: &str| AllocationId::parse("allocation_id", text);
    Ok(Some(match event.name() {
        "BenefitRequestPrepared" => {
            let e: income::BenefitRequestPrepared = event.decode()?;
            Income::BenefitRequestPrepared { request: request(&e.benefit_request_id)? }
        }
        "BenefitRequestCompleted" => {
            let e: income::BenefitRequestCompleted = event.decode()?;
            let running_from = date_opt("granted_from_on", e.granted_from_on.as_ref())?;
            Income::BenefitRequestCompleted { request: request(&e.benefit_request_id)?, running_from }
        }
        "InformationAsked" => {
            let e: income::InformationAsked = event.decode()?;
            let answer_by = date("answer_by", e.answer_by.as_ref())?;
            Income::InformationAsked { request: request(&e.benefit_request_id)?, answer_by }
        }
        "InformationDueSoon" => {
            let e: income::InformationDueSoon = event.decode()?;
            let answer_by = date("answer_by", e.answer_by.as_ref())?;
            Income::InformationAsked { request: request(&e.benefit_request_id)?, answer_by }
        }
        "InformationGiven" => {
            let e: income::InformationGiven = event.decode()?;
            Income::InformationGiven { request: request(&e.benefit_request_id)? }
        }
        "InformationOverdue" => {
            let e: income::InformationOverdue = event.decode()?;
            let decision_due_on = date_opt("decision_due_on", e.decision_due_on.as_ref())?;
            Income::InformationOverdue { request: request(&e.benefit_request_id)?, decision_due_on }
        }
        "BenefitRequestUnacknowledged" => {
            let e: income::BenefitRequestUnacknowledged = event.decode()?;
            Income::BenefitDecisionDue { request: request(&e.benefit_request_id)?, due_on: event.occurred_on }
        }
        "BenefitDecisionDue" => {
            let e: income::BenefitDecisionDue = event.decode()?;
            let due_on = date("due_on", e.due_on.as_ref())?;
            Income::BenefitDecisionDue { request: request(&e.benefit_request_id)?, due_on }
        }
        "BenefitDecisionOverdue" => {
            let e: income::BenefitDecisionOverdue = event.decode()?;
            let due_on = date("due_on", e.due_on.as_ref())?;
            Income::BenefitDecisionDue { request: request(&e.benefit_request_id)?, due_on }
        }
        "AdvanceDue" => {
            let e: income::AdvanceDue = event.decode()?;
            let due_on = date("due_on", e.due_on.as_ref())?;
            Income::AdvanceDue { request: request(&e.benefit_request_id)?, due_on }
        }
        "AdvanceOverdue" => {
            let e: income::AdvanceOverdue = event.decode()?;
            let due_on = date("due_on", e.due_on.as_ref())?;
            Income::AdvanceDue { request: request(&e.benefit_request_id)?, due_on }
        }
        "AdvancePaid" => {
            let e: income::AdvancePaid = event.decode()?;
            let from = date_opt("expected_from_on", e.expected_from_on.as_ref())?;
            let until = date_opt("expected_until", e.expected_until.as_ref())?;
            let expected = from.map(|from| Period { from, until });
            Income::AdvancePaid { request: request(&e.benefit_request_id)?, expected }
        }
        "AdvanceRefused" => {
            let e: income::AdvanceRefused = event.decode()?;
            Income::AdvanceRefused { request: request(&e.benefit_request_id)? }
        }
        "BenefitDecided" => {
            let e: income::BenefitDecided = event.decode()?;
            Income::BenefitDecided {
                request: request(&e.benefit_request_id)?,
                granted: e.granted,
                running_from: date_opt("running_from_on", e.running_from_on.as_ref())?,
            }
        }
        "BenefitEnded" => {
            let e: income::BenefitEnded = event.decode()?;
            let ends_on = date("ends_on", e.ends_on.as_ref())?;
            Income::BenefitEnded { request: request(&e.benefit_request_id)?, ends_on }
        }
        "BenefitRequestWithdrawn" => {
            let e: income::BenefitRequestWithdrawn = event.decode()?;
            Income::BenefitRequestWithdrawn { request: request(&e.benefit_request_id)? }
        }
        "OwnIncomeVerified" => {
            let e: income::OwnIncomeVerified = event.decode()?;
            let from = date("from_on", e.from_on.as_ref())?;
            let until = date_opt("ends_on", e.ends_on.as_ref())?;
            Income::OwnIncomeVerified { period: Period { from, until } }
        }
        "OwnIncomeRevoked" => Income::OwnIncomeRevoked,
        "RentGuaranteeGranted" => {
            let e: income::RentGuaranteeGranted = event.decode()?;
            let ends_on = date("ends_on", e.ends_on.as_ref())?;
            Income::RentGuaranteeGranted { allocation: allocation(&e.allocation_id)?, ends_on, bridging: e.bridging }
        }
        "RentGuaranteeUnanswered" => {
            let e: income::RentGuaranteeUnanswered = event.decode()?;
            Income::RentGuaranteeUnanswered { allocation: allocation(&e.allocation_id)? }
        }
        "RentGuaranteeRefused" => {
            let e: income::RentGuaranteeRefused = event.decode()?;
            Income::RentGuaranteeRefused { allocation: allocation(&e.allocation_id)? }
        }
        "RentGuaranteeEndingSoon" => {
            let e: income::RentGuaranteeEndingSoon = event.decode()?;
            let ends_on = date("ends_on", e.ends_on.as_ref())?;
            Income::RentGuaranteeEndingSoon { allocation: allocation(&e.allocation_id)?, ends_on }
        }
        "RentGuaranteeWithdrawn" => {
            let e: income::RentGuaranteeWithdrawn = event.decode()?;
            Income::RentGuaranteeEnded { allocation: allocation(&e.allocation_id)? }
        }
        "RentGuaranteeEnded" => {
            let e: income::RentGuaranteeEnded = event.decode()?;
            Income::RentGuaranteeEnded { allocation: allocation(&e.allocation_id)? }
        }
        _ => return Ok(None),
    }))
}

async fn aftercare_fact(work: &mut Work, event: &Event) -> Result<Option<Aftercare>> {
    let allocation = |text: &str| AllocationId::parse("allocation_id", text);
    let signal = |text: &str| SignalId::parse("signal_id", text);
    Ok(Some(match event.name() {
        "HandoverDrafted" => {
            let e: aftercare::HandoverDrafted = event.decode()?;
            Aftercare::HandoverToFill {
                allocation: allocation(&e.allocation_id)?,
                giver: organisation("from_organisation", &e.from_organisation)?,
                fill_by: date("fill_by", e.fill_by.as_ref())?,
            }
        }
        "HandoverReturned" => {
            let e: aftercare::HandoverReturned = event.decode()?;
            Aftercare::HandoverToFill {
                allocation: allocation(&e.allocation_id)?,
                giver: organisation("from_organisation", &e.from_organisation)?,
                fill_by: date("fill_by", e.fill_by.as_ref())?,
            }
        }
        "HandoverFilled" => {
            let e: aftercare::HandoverFilled = event.decode()?;
            Aftercare::HandoverToAnswer {
                allocation: allocation(&e.allocation_id)?,
                receiver: organisation("to_organisation", &e.to_organisation)?,
                answer_by: date("answer_by", e.answer_by.as_ref())?,
            }
        }
        "HandoverReassigned" => {
            let e: aftercare::HandoverReassigned = event.decode()?;
            // One that is not filled yet has nothing to answer.
            let Some(answer_by) = date_opt("answer_by", e.answer_by.as_ref())? else { return Ok(None) };
            let receiver = organisation("to_organisation", &e.to_organisation)?;
            Aftercare::HandoverToAnswer { allocation: allocation(&e.allocation_id)?, receiver, answer_by }
        }
        "HandoverDueSoon" => {
            let e: aftercare::HandoverDueSoon = event.decode()?;
            Aftercare::HandoverDueSoon { allocation: allocation(&e.allocation_id)? }
        }
        "HandoverOverdue" => {
            let e: aftercare::HandoverOverdue = event.decode()?;
            if e.waiting_for() != aftercare::HandoverParty::Receiver {
                return Ok(None);
            }
            let due_on = date("due_on", e.due_on.as_ref())?;
            Aftercare::HandoverUnanswered { allocation: allocation(&e.allocation_id)?, due_on }
        }
        "HandoverAccepted" => {
            let e: aftercare::HandoverAccepted = event.decode()?;
            let receiver = organisation("to_organisation", &e.to_organisation)?;
            Aftercare::HandoverAccepted { allocation: allocation(&e.allocation_id)?, receiver }
        }
        "HandoverCancelled" => {
            let e: aftercare::HandoverCancelled = event.decode()?;
            Aftercare::HandoverCancelled { allocation: allocation(&e.allocation_id)? }
        }
        "AftercareReviewDue" => {
            let e: aftercare::AftercareReviewDue = event.decode()?;
            let of = store::gate::allocation_of(work, uuid("aftercare_id", &e.aftercare_id)?).await?;
            let missing = || Error::inconsistent("event", "aftercare_id", "was never started");
            let allocation = AllocationId(of.ok_or_else(missing)?);
            Aftercare::AftercareReviewDue { allocation, due_on: date("due_on", e.due_on.as_ref())? }
        }
        "AftercareEnded" => {
            use aftercare::AftercareOutcome::{Agreement, NoContact};
            let e: aftercare::AftercareEnded = event.decode()?;
            let landed = matches!(e.outcome(), Agreement | NoContact);
            Aftercare::AftercareEnded { allocation: allocation(&e.allocation_id)?, landed }
        }
        "NowhereToSleepReported" => {
            let e: aftercare::NowhereToSleepReported = event.decode()?;
            Aftercare::NowhereToSleepReported {
                signal: signal(&e.signal_id)?,
                municipality: municipality(&e.municipality)?,
                relapse_guarantee: e.relapse_guarantee,
            }
        }
        "NowhereToSleepRepeated" => {
            let e: aftercare::NowhereToSleepRepeated = event.decode()?;
            let municipality = municipality(&e.municipality)?;
            Aftercare::NowhereToSleepRepeated { signal: signal(&e.signal_id)?, municipality, count: e.count }
        }
        "SignalEscalated" => {
            let e: aftercare::SignalEscalated = event.decode()?;
            Aftercare::SignalEscalated {
                signal: signal(&e.signal_id)?,
                to_regie: e.to() == aftercare::EscalationLevel::Regie,
                municipality: municipality(&e.municipality)?,
            }
        }
        "SignalTakenUp" => {
            Aftercare::SignalTakenUp { signal: signal(&event.decode::<aftercare::SignalTakenUp>()?.signal_id)? }
        }
        "SignalClosed" => {
            Aftercare::SignalClosed { signal: signal(&event.decode::<aftercare::SignalClosed>()?.signal_id)? }
        }
        _ => return Ok(None),
    }))
}

type DateMessage = proto::google::r#type::Date;

fn date(field: &'static str, date: Option<&DateMessage>) -> Read<Date> {
    proto::to_date(field, date)
}

fn date_opt(field: &'static str, date: Option<&DateMessage>) -> Read<Option<Date>> {
    date.map(|date| proto::to_date(field, Some(date))).transpose()
}

fn uuid(field: &'static str, text: &str) -> Read<Uuid> {
    SignalId::parse(field, text).map(|id| id.0)
}

/// "0000" is a place that nobody knows.
fn municipality(text: &str) -> Read<Municipality> {
    Municipality::parse("municipality", if text.is_empty() { "0000" } else { text })
}

fn organisation(field: &'static str, text: &str) -> Read<Organisation> {
    Organisation::parse(field, text)
}
