//! What the feed may tell: status and dates, to the services and to those partners who have to do with the client. The
//! roles that may receive each event are in the contract.

use crate::domain::Rules;
use crate::domain::benefit_request::{Alarm, Event, Watch};
use crate::domain::{allowance, finances, own_income, rent_guarantee};
use crate::store::rent_guarantee::Stored as StoredGuarantee;
use crate::store::{self, benefit_request::Stored};
use crate::words::Word;
use chassis::{Result, Work};
use kernel::{ClientId, Organisation};
use proto::from_date;
use proto::income::v1 as pb;

/// Publishes what happened to a benefit request.
pub async fn publish_benefit(work: &mut Work, stored: &Stored, decided: &[Event], rules: Rules<'_>) -> Result<()> {
    let to = store::partners(work, stored.state.client).await?;
    for event in decided {
        publish_one(work, stored, event, rules, &to).await?;
    }
    Ok(())
}

async fn publish_one(
    work: &mut Work,
    stored: &Stored,
    event: &Event,
    rules: Rules<'_>,
    to: &[Organisation],
) -> Result<()> {
    let state = &stored.state;
    let client = Some(state.client);
    let benefit_request_id = stored.id.to_string();
    let decision_due_on = state.decision_due_on(rules).map(from_date);
    match event.clone() {
        Event::Opened { .. } | Event::HistoryKnown { .. } | Event::CircumstancesKnown(_) => Ok(()),
        Event::Reported { on, search_term } => {
            let event = pb::ClientReportedForBenefit {
                benefit_request_id,
                municipality: state.authority.to_string(),
                on: Some(from_date(on)),
                waiver_proposed: search_term.is_some_and(|term| term.waiver_proposed && !term.waived),
            };
            work.publish(client, to, &event).await
        }
        Event::SearchTermWaived => work.publish(client, to, &pb::SearchTermWaived { benefit_request_id }).await,
        Event::Prepared => {
            let municipality = state.authority.to_string();
            work.publish(client, to, &pb::BenefitRequestPrepared { benefit_request_id, municipality }).await
        }
        // What a completion opens is told by the completion.
        Event::Applied(application) if application.signature.is_none() => Ok(()),
        Event::Applied(_) | Event::Signed(_) => {
            let applied_on = state.taken_up_on().map(from_date);
            let event = pb::BenefitApplicationSubmitted { benefit_request_id, applied_on, decision_due_on };
            work.publish(client, to, &event).await
        }
        Event::Completed { relocation, authority } => {
            let event = pb::BenefitRequestCompleted {
                benefit_request_id,
                allocation_id: relocation.allocation.to_string(),
                start_on: Some(from_date(relocation.start_on)),
                kind: state.kind().wire().into(),
                lease_start_on: Some(from_date(relocation.lease_start_on)),
                municipality: authority.to_string(),
                granted_from_on: state.running().map(|grant| from_date(grant.since)),
            };
            work.publish(client, to, &event).await
        }
        Event::GapDetected { allocation, lease_start_on, start_on } => {
            let event = pb::BenefitStartGapDetected {
                benefit_request_id,
                allocation_id: allocation.to_string(),
                lease_start_on: Some(from_date(lease_start_on)),
                start_on: Some(from_date(start_on)),
                gap_days: allowance::days_between(lease_start_on, start_on),
            };
            work.publish(client, to, &event).await
        }
        Event::Acknowledged { .. } => {
            work.publish(client, to, &pb::BenefitRequestAcknowledged { benefit_request_id }).await
        }
        Event::Asked(question) => {
            let answer_by = Some(from_date(question.answer_by));
            work.publish(client, to, &pb::InformationAsked { benefit_request_id, answer_by }).await
        }
        Event::Given { .. } => {
            work.publish(client, to, &pb::InformationGiven { benefit_request_id, decision_due_on }).await
        }
        Event::Raised(alarm) => publish_alarm(work, stored, alarm, rules, to).await,
        Event::AdvancePaid { paid_on, expectation, .. } => {
            let event = pb::AdvancePaid {
                benefit_request_id,
                paid_on: Some(from_date(paid_on)),
                expected_from_on: expectation.map(|(from, _)| from_date(from)),
                expected_until: expectation.map(|(_, until)| from_date(until)),
            };
            work.publish(client, to, &event).await
        }
        Event::AdvanceRefused { .. } => work.publish(client, to, &pb::AdvanceRefused { benefit_request_id }).await,
        Event::Granted { grant, kind } => {
            let event = pb::BenefitDecided {
                benefit_request_id,
                granted: true,
                start_on: Some(from_date(grant.start_on)),
                kind: kind.wire().into(),
                running_from_on: Some(from_date(grant.since)),
            };
            work.publish(client, to, &event).await
        }
        Event::Refused { kind, .. } => {
            let event = pb::BenefitDecided {
                benefit_request_id,
                granted: false,
                start_on: None,
                kind: kind.wire().into(),
                running_from_on: state.running().map(|grant| from_date(grant.since)),
            };
            work.publish(client, to, &event).await
        }
        Event::RefusedNearMove { allocation, lease_start_on } => {
            use pb::WayOut::{Bridge, Objection, OtherDate, OtherIncome};
            let event = pb::BenefitRefusedNearMove {
                benefit_request_id,
                allocation_id: allocation.to_string(),
                lease_start_on: Some(from_date(lease_start_on)),
                ways_out: [Bridge, OtherIncome, OtherDate, Objection].map(i32::from).to_vec(),
            };
            work.publish(client, to, &event).await
        }
        Event::PaymentStarted { from_on } => {
            let from_on = Some(from_date(from_on));
            work.publish(client, to, &pb::BenefitPaymentStarted { benefit_request_id, from_on }).await
        }
        Event::Ended { ends_on, .. } => {
            let ends_on = Some(from_date(ends_on));
            work.publish(client, to, &pb::BenefitEnded { benefit_request_id, ends_on }).await
        }
        Event::StartWithdrawn { allocation } => {
            let event = pb::BenefitStartWithdrawn {
                benefit_request_id,
                allocation_id: allocation.to_string(),
                application_survives: state.application.is_some(),
                benefit_survives: state.running().is_some(),
            };
            work.publish(client, to, &event).await
        }
        Event::Withdrawn { reason, allocation } => {
            let event = pb::BenefitRequestWithdrawn {
                benefit_request_id,
                reason: reason.wire().into(),
                allocation_id: allocation.map(|allocation| allocation.to_string()).unwrap_or_default(),
            };
            work.publish(client, to, &event).await
        }
    }
}

async fn publish_alarm(
    work: &mut Work,
    stored: &Stored,
    alarm: Alarm,
    rules: Rules<'_>,
    to: &[Organisation],
) -> Result<()> {
    let client = Some(stored.state.client);
    let benefit_request_id = stored.id.to_string();
    let day = Some(from_date(alarm.day));
    match alarm.watch {
        Watch::Unacknowledged => {
            work.publish(client, to, &pb::BenefitRequestUnacknowledged { benefit_request_id, asked_on: day }).await
        }
        Watch::InformationSoon => {
            work.publish(client, to, &pb::InformationDueSoon { benefit_request_id, answer_by: day }).await
        }
        Watch::InformationOverdue => {
            let decision_due_on = stored.state.decision_due_on(rules).map(from_date);
            work.publish(client, to, &pb::InformationOverdue { benefit_request_id, decision_due_on }).await
        }
        Watch::DecisionSoon => {
            work.publish(client, to, &pb::BenefitDecisionDue { benefit_request_id, due_on: day }).await
        }
        Watch::DecisionOverdue => {
            work.publish(client, to, &pb::BenefitDecisionOverdue { benefit_request_id, due_on: day }).await
        }
        Watch::AdvanceSoon => work.publish(client, to, &pb::AdvanceDue { benefit_request_id, due_on: day }).await,
        Watch::AdvanceOverdue => {
            work.publish(client, to, &pb::AdvanceOverdue { benefit_request_id, due_on: day }).await
        }
    }
}

/// Publishes what happened to a client's own income.
pub async fn publish_own_income(work: &mut Work, client: ClientId, decided: &[own_income::Event]) -> Result<()> {
    let to = store::partners(work, client).await?;
    for event in decided {
        match *event {
            own_income::Event::Verified(verified) => {
                let from_on = Some(from_date(verified.from_on));
                let ends_on = verified.ends_on.map(from_date);
                work.publish(Some(client), &to, &pb::OwnIncomeVerified { from_on, ends_on }).await?;
            }
            own_income::Event::EndingSoon { ends_on } => {
                let ends_on = Some(from_date(ends_on));
                work.publish(Some(client), &to, &pb::OwnIncomeEndingSoon { ends_on }).await?;
            }
            own_income::Event::Revoked { on } => {
                work.publish(Some(client), &to, &pb::OwnIncomeRevoked { on: Some(from_date(on)) }).await?;
            }
        }
    }
    Ok(())
}

/// Publishes what happened to a client's finances.
pub async fn publish_finances(work: &mut Work, client: ClientId, decided: &[finances::Event]) -> Result<()> {
    let to = store::partners(work, client).await?;
    for event in decided {
        match *event {
            finances::Event::Stabilised { since } => {
                work.publish(Some(client), &to, &pb::FinancesStabilised { since: Some(from_date(since)) }).await?;
            }
            finances::Event::Ended { on } => {
                work.publish(Some(client), &to, &pb::StabilisationEnded { on: Some(from_date(on)) }).await?;
            }
        }
    }
    Ok(())
}

/// Publishes what happened to a guarantee; the corporation hears that it exists, its cap and its end.
pub async fn publish_guarantee(
    work: &mut Work,
    stored: &StoredGuarantee,
    decided: &[rent_guarantee::Event],
) -> Result<()> {
    use rent_guarantee::Event;
    let asked = &stored.state.asked;
    let client = Some(asked.client);
    let to = store::partners(work, asked.client).await?;
    let corporation = [asked.corporation.clone()];
    let and_corporation = [&to[..], &corporation].concat();
    let (guarantee_id, allocation_id) = (stored.id.to_string(), asked.allocation.to_string());
    for event in decided {
        let (guarantee_id, allocation_id) = (guarantee_id.clone(), allocation_id.clone());
        match event {
            Event::Requested(_) => {
                work.publish(client, &to, &pb::RentGuaranteeRequested { guarantee_id, allocation_id }).await?;
            }
            Event::Unanswered => {
                let lease_start_on = Some(from_date(asked.lease_start_on));
                let event = pb::RentGuaranteeUnanswered { guarantee_id, allocation_id, lease_start_on };
                work.publish(client, &to, &event).await?;
            }
            Event::Granted(grant) => {
                let (cap_cents, ends_on, bridging) = (grant.cap.0, Some(from_date(grant.ends_on)), grant.bridging);
                let issued = pb::RentGuaranteeIssued {
                    guarantee_id: guarantee_id.clone(),
                    allocation_id: allocation_id.clone(),
                    cap_cents,
                    ends_on,
                };
                let event = pb::RentGuaranteeGranted { guarantee_id, allocation_id, cap_cents, ends_on, bridging };
                work.publish(client, &to, &event).await?;
                work.publish(client, &corporation, &issued).await?;
            }
            Event::Refused(_) => {
                work.publish(client, &to, &pb::RentGuaranteeRefused { guarantee_id, allocation_id }).await?;
            }
            Event::Withdrawn => {
                let event = pb::RentGuaranteeWithdrawn { guarantee_id, allocation_id };
                work.publish(client, &and_corporation, &event).await?;
            }
            Event::EndingSoon(ends_on) => {
                let ends_on = Some(from_date(*ends_on));
                let event = pb::RentGuaranteeEndingSoon { guarantee_id, allocation_id, ends_on };
                work.publish(client, &and_corporation, &event).await?;
            }
            Event::Ended(ends_on) => {
                let ends_on = Some(from_date(*ends_on));
                work.publish(
                    client,
                    &and_corporation,
                    &pb::RentGuaranteeEnded { guarantee_id, allocation_id, ends_on },
                )
                .await?;
            }
        }
    }
    Ok(())
}
