//! What the outside may know: domain events and codes as messages of the contract.

use crate::acts::{tell, tell_all};
use crate::domain::process::Ground;
use crate::domain::readiness::Requirement;
use crate::domain::relation::Relation;
use crate::domain::{
    access_request, case, consent, correction, emergency, erasure, gate, help_agreement, month, relation, release,
    representative, retention, safe_contact, separation, task, word,
};
use crate::store::readiness::Published;
use chassis::{Result, Work};
use kernel::{ClientId, Date, Organisation, Role, Timestamp};
use proto::regie::v1 as pb;

/// An instant as it goes on the wire.
pub fn instant(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// From a code of the domain to its enum of the contract, which counts from 1 in the same order.
macro_rules! to_wire {
    ($($to:ident: $domain:ty => $message:ty;)*) => { $(
        /// As it goes on the wire.
        pub fn $to(code: $domain) -> $message {
            let place = <$domain>::ALL.iter().position(|one| *one == code).map_or(0, |n| n + 1);
            <$message>::try_from(place as i32).unwrap_or_default()
        }
    )* };
}

/// Both directions.
macro_rules! both_ways {
    ($($to:ident, $from:ident: $domain:ty => $message:ty;)*) => { $(
        to_wire! { $to: $domain => $message; }

        /// As it comes from the wire; none for what is not set or not known.
        pub fn $from(code: i32) -> Option<$domain> {
            usize::try_from(code).ok()?.checked_sub(1).and_then(|n| <$domain>::ALL.get(n)).copied()
        }
    )* };
}

both_ways! {
    life_domain, from_life_domain: case::LifeDomain => pb::LifeDomain;
    score_domain, from_score_domain: case::ScoreDomain => pb::ScoreDomain;
    score_moment, from_score_moment: case::ScoreMoment => pb::ScoreMoment;
    assignment_reason, from_assignment_reason: case::AssignmentReason => pb::AssignmentReason;
    guidance, from_guidance: case::Guidance => pb::Guidance;
    goal_outcome, from_goal_outcome: case::GoalOutcome => pb::GoalOutcome;
    goal_owner, from_goal_owner: case::GoalOwner => pb::GoalOwner;
    close_reason, from_close_reason: case::CloseReason => pb::CloseReason;
    consent_category, from_consent_category: consent::Category => pb::ConsentCategory;
    release_subject, from_release_subject: release::Subject => pb::ReleaseSubject;
    help_kind, from_help_kind: help_agreement::Kind => pb::HelpKind;
    extension_ground, from_extension_ground: month::ExtensionGround => pb::AccessExtensionGround;
    access_withheld_ground, from_access_withheld_ground: access_request::WithheldGround => pb::AccessWithheldGround;
    access_refusal_ground, from_access_refusal_ground: access_request::RefusalGround => pb::AccessRefusalGround;
    access_way, from_access_way: access_request::Way => pb::AccessWay;
    correction_subject, from_correction_subject: correction::Subject => pb::CorrectionSubject;
    correction_outcome, from_correction_outcome: correction::Outcome => pb::CorrectionOutcome;
    correction_ground, from_correction_ground: correction::Ground => pb::CorrectionGround;
    representative_ground, from_representative_ground: representative::Ground => pb::RepresentativeGround;
    override_reason, from_override_reason: gate::OverrideReason => pb::OverrideReason;
    erasure_ground, from_erasure_ground: erasure::Ground => pb::ErasureGround;
    emergency_reason, from_emergency_reason: emergency::Reason => pb::EmergencyReason;
    emergency_outcome, from_emergency_outcome: emergency::Outcome => pb::EmergencyOutcome;
    safe_contact_ground, from_safe_contact_ground: safe_contact::Ground => pb::SafeContactGround;
    separation_ground, from_separation_ground: separation::Ground => pb::SeparationGround;
    keeping_ground, from_keeping_ground: retention::KeepingGround => pb::KeepingGround;
}

to_wire! {
    relation_kind: relation::Kind => pb::RelationKind;
    requirement: Requirement => pb::Requirement;
    retention_part: retention::Part => pb::RetentionPart;
    retention_ground: retention::Ground => pb::RetentionGround;
    help_agreement_side: help_agreement::Side => pb::HelpAgreementSide;
}

/// As it goes on the wire.
pub fn task_kind(kind: task::Kind) -> pb::TaskKind {
    let name = format!("TASK_KIND_{}", kind.as_str().to_uppercase());
    pb::TaskKind::from_str_name(&name).unwrap_or_default()
}

/// As it goes on the wire.
pub fn task_outcome(outcome: task::Outcome) -> pb::TaskOutcome {
    match outcome {
        task::Outcome::Done => pb::TaskOutcome::Done,
        task::Outcome::NotNeeded => pb::TaskOutcome::NotNeeded,
        task::Outcome::FellAway => pb::TaskOutcome::FellAway,
        task::Outcome::Repeat => pb::TaskOutcome::Repeat,
    }
}

/// As it goes on the wire.
pub fn gate_ground(ground: Ground) -> pb::GateGround {
    match ground {
        Ground::Benefit => pb::GateGround::Benefit,
        Ground::OwnIncome => pb::GateGround::OwnIncome,
        Ground::Advance => pb::GateGround::Advance,
        Ground::Guarantee => pb::GateGround::Guarantee,
        Ground::Override => pb::GateGround::Override,
    }
}

/// Tells everybody who may know the client what happened to the case.
pub async fn case(work: &mut Work, client: ClientId, of: &case::Case, event: &case::Event) -> Result<()> {
    let case_id = of.id.to_string();
    match event {
        case::Event::HolderChanged { to, reason } => {
            let changed = pb::CaseHolderChanged {
                case_id,
                person: to.person.clone(),
                organisation: to.organisation.to_string(),
                reason: assignment_reason(*reason).into(),
            };
            tell_all(work, client, &changed).await
        }
        case::Event::SupervisorChanged { to, reason, changes } => {
            let changed = pb::SupervisorChanged {
                case_id,
                person: to.person.clone(),
                organisation: to.organisation.to_string(),
                reason: assignment_reason(*reason).into(),
                changes: count(*changes),
            };
            tell_all(work, client, &changed).await
        }
        case::Event::PlanAdopted { edition, .. } => {
            tell_all(work, client, &pb::PlanAdopted { case_id, edition: count(*edition) }).await
        }
        case::Event::GoalSet { id, goal } => {
            let set = pb::GoalSet {
                case_id,
                goal_id: id.to_string(),
                domain: life_domain(goal.domain).into(),
                due_on: Some(proto::from_date(goal.due_on)),
            };
            tell_all(work, client, &set).await
        }
        case::Event::GoalDecided { id, domain, outcome, .. } => {
            let decided = pb::GoalDecided {
                case_id,
                goal_id: id.to_string(),
                domain: life_domain(*domain).into(),
                outcome: goal_outcome(*outcome).into(),
            };
            tell_all(work, client, &decided).await
        }
        case::Event::ScoresRecorded(scoring) => {
            let recorded = pb::ScoresRecorded {
                case_id,
                moment: score_moment(scoring.moment).into(),
                scored_on: Some(proto::from_date(scoring.scored_on)),
                scores: scores(scoring),
            };
            tell_all(work, client, &recorded).await
        }
        case::Event::GuidanceSet(how) => {
            tell_all(work, client, &pb::GuidanceSet { case_id, guidance: guidance(*how).into() }).await
        }
        case::Event::Closed { reason, .. } => {
            tell_all(work, client, &pb::CaseClosed { case_id, reason: close_reason(*reason).into() }).await
        }
    }
}

/// One message per score.
pub fn scores(scoring: &case::Scoring) -> Vec<pb::Score> {
    let score = |(domain, level): (&case::ScoreDomain, &u8)| pb::Score {
        domain: score_domain(*domain).into(),
        level: i32::from(*level),
    };
    scoring.levels.iter().map(score).collect()
}

/// A count that fits the wire.
pub fn count(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// What others build their caseload from.
pub fn granted(client: ClientId, relation: &Relation) -> pb::RelationGranted {
    let wanted = &relation.wanted;
    pb::RelationGranted {
        relation_id: relation.id.to_string(),
        client_id: client.to_string(),
        organisation: wanted.organisation.to_string(),
        person: wanted.person.clone().unwrap_or_default(),
        role: wanted.role.as_str().to_owned(),
        kind: relation_kind(wanted.kind).into(),
        until: None,
    }
}

/// What takes a client from their caseload.
pub fn ended(client: ClientId, relation: &Relation) -> pb::RelationEnded {
    no_more(granted(client, relation))
}

fn no_more(granted: pb::RelationGranted) -> pb::RelationEnded {
    let pb::RelationGranted { relation_id, client_id, organisation, person, role, kind, until: _ } = granted;
    pb::RelationEnded { relation_id, client_id, organisation, person, role, kind }
}

/// The relation that a legal representative has with a client, in every service (R-REG-21).
pub fn representative_granted(client: ClientId, one: &representative::Representative) -> pb::RelationGranted {
    pb::RelationGranted {
        relation_id: one.id.to_string(),
        client_id: client.to_string(),
        organisation: String::new(),
        person: one.wish.represented_by.to_string(),
        role: Role::Client.as_str().to_owned(),
        kind: pb::RelationKind::Representative.into(),
        until: None,
    }
}

/// What ends it in every service.
pub fn representative_ended(client: ClientId, one: &representative::Representative) -> pb::RelationEnded {
    no_more(representative_granted(client, one))
}

/// The relation that emergency access is to every service, until its moment (R-REG-20).
pub fn emergency_granted(client: ClientId, emergency: &emergency::Emergency) -> pb::RelationGranted {
    let wish = &emergency.wish;
    pb::RelationGranted {
        relation_id: emergency.id.to_string(),
        client_id: client.to_string(),
        organisation: wish.organisation.to_string(),
        person: wish.person.clone(),
        role: wish.role.as_str().to_owned(),
        kind: pb::RelationKind::Emergency.into(),
        until: Some(instant(emergency.until)),
    }
}

/// What ends it in every service.
pub fn emergency_over(client: ClientId, emergency: &emergency::Emergency) -> pb::RelationEnded {
    no_more(emergency_granted(client, emergency))
}

/// That somebody opened emergency access: neither who nor why.
pub fn emergency_opened(emergency: &emergency::Emergency) -> pb::EmergencyAccessOpened {
    pb::EmergencyAccessOpened {
        emergency_id: emergency.id.to_string(),
        organisation: emergency.wish.organisation.to_string(),
        role: emergency.wish.role.as_str().to_owned(),
        until: Some(instant(emergency.until)),
    }
}

/// What its review found.
pub fn emergency_reviewed(id: emergency::EmergencyId, outcome: emergency::Outcome) -> pb::EmergencyAccessReviewed {
    pb::EmergencyAccessReviewed { emergency_id: id.to_string(), outcome: emergency_outcome(outcome).into() }
}

/// The answer to: may this client be nominated?
pub fn readiness(client: ClientId, answer: &Published) -> pb::ReadinessChanged {
    pb::ReadinessChanged {
        client_id: client.to_string(),
        ready: answer.failed.is_empty(),
        failed: answer.failed.iter().map(|r| requirement(*r).into()).collect(),
        since: Some(proto::from_date(answer.since)),
    }
}

/// What was decided on a request for erasure; nothing is granted while it waits.
pub fn erasure_decided(erasure: &erasure::Erasure) -> pb::ErasureDecided {
    let (granted, ground) = match erasure.decided {
        Some((erasure::Decision::Granted, _)) => (true, pb::ErasureGround::Unspecified),
        Some((erasure::Decision::Refused(ground), _)) => (false, erasure_ground(ground)),
        None => (false, pb::ErasureGround::Unspecified),
    };
    pb::ErasureDecided { erasure_id: erasure.id.to_string(), granted, ground: ground.into() }
}

/// That the client asks for access.
pub fn access_requested(request: &access_request::AccessRequest) -> pb::AccessRequested {
    let (access_request_id, answer_by) = (request.id.to_string(), Some(proto::from_date(request.answer_by)));
    pb::AccessRequested { access_request_id, answer_by }
}

/// That its month was extended.
pub fn access_request_extended(request: &access_request::AccessRequest) -> pb::AccessRequestExtended {
    let (access_request_id, answer_by) = (request.id.to_string(), Some(proto::from_date(request.answer_by)));
    pb::AccessRequestExtended { access_request_id, answer_by, ground: extension_ground_of(request.extended).into() }
}

/// Why a month was extended, if it was.
pub fn extension_ground_of(extended: Option<(month::ExtensionGround, Date)>) -> pb::AccessExtensionGround {
    extended.map_or(pb::AccessExtensionGround::Unspecified, |(ground, _)| extension_ground(ground))
}

/// What was answered; nothing while it waits.
pub fn access_request_answered(request: &access_request::AccessRequest) -> pb::AccessRequestAnswered {
    use access_request::Answer::{InPart, Refused, Whole};
    let mut answered = pb::AccessRequestAnswered { access_request_id: request.id.to_string(), ..Default::default() };
    match request.answered {
        None => {}
        Some((Whole, ..)) => answered.outcome = pb::AccessOutcome::Whole.into(),
        Some((InPart(ground), ..)) => {
            answered.outcome = pb::AccessOutcome::InPart.into();
            answered.withheld_ground = access_withheld_ground(ground).into();
        }
        Some((Refused(ground), ..)) => {
            answered.outcome = pb::AccessOutcome::Refused.into();
            answered.refusal_ground = access_refusal_ground(ground).into();
        }
    }
    answered
}

/// That the client asks for a correction.
pub fn correction_requested(correction: &correction::Correction) -> pb::CorrectionRequested {
    let (correction_id, answer_by) = (correction.id.to_string(), Some(proto::from_date(correction.answer_by)));
    pb::CorrectionRequested { correction_id, answer_by }
}

/// That its month was extended.
pub fn correction_extended(correction: &correction::Correction) -> pb::CorrectionExtended {
    let (correction_id, answer_by) = (correction.id.to_string(), Some(proto::from_date(correction.answer_by)));
    pb::CorrectionExtended { correction_id, answer_by, ground: extension_ground_of(correction.extended).into() }
}

/// What was decided; nothing while it waits.
pub fn correction_decided(correction: &correction::Correction) -> pb::CorrectionDecided {
    let (outcome, ground) = correction.decided.as_ref().map(|decision| (decision.outcome, decision.ground)).unzip();
    pb::CorrectionDecided {
        correction_id: correction.id.to_string(),
        outcome: outcome.map_or(pb::CorrectionOutcome::Unspecified, correction_outcome).into(),
        ground: ground.flatten().map_or(pb::CorrectionGround::Unspecified, correction_ground).into(),
    }
}

/// That a retention term is over.
pub fn retention_ended(id: retention::RetentionId, end: &retention::End) -> pb::RetentionEnded {
    pb::RetentionEnded {
        retention_id: id.to_string(),
        part: retention_part(end.part).into(),
        ground: retention_ground(end.ground).into(),
        last_day: Some(proto::from_date(end.last_day)),
    }
}

/// Both sides of a consent's life.
pub async fn consent(work: &mut Work, client: ClientId, event: &consent::Event) -> Result<()> {
    let consent = event.word();
    let wish = &consent.wish;
    let (consent_id, purpose) = (consent.id.to_string(), wish.purpose.clone());
    let (data_category, receiver) = (consent_category(wish.category).into(), wish.receiver.to_string());
    let to = [wish.receiver.clone()];
    match event {
        word::Event::Given(_) => {
            let given = pb::ConsentGiven { consent_id, data_category, receiver, purpose };
            tell(work, client, &to, &given).await
        }
        word::Event::Ended(_) => {
            let withdrawn = pb::ConsentWithdrawn { consent_id, data_category, receiver, purpose };
            tell(work, client, &to, &withdrawn).await
        }
    }
}

/// Both sides of a release's life: for who may tell, and for who may be told.
pub async fn release(work: &mut Work, client: ClientId, event: &release::Event) -> Result<()> {
    let release = event.word();
    let wish = &release.wish;
    let (release_id, purpose) = (release.id.to_string(), wish.purpose.clone());
    let (organisation, receiver) = (wish.organisation.to_string(), wish.receiver.to_string());
    let subject = release_subject(wish.subject).into();
    let to = [wish.organisation.clone(), wish.receiver.clone()];
    match event {
        word::Event::Given(_) => {
            let last_day = wish.last_day.map(proto::from_date);
            let released = pb::SecrecyReleased { release_id, organisation, receiver, subject, purpose, last_day };
            tell(work, client, &to, &released).await
        }
        word::Event::Ended(_) => {
            let withdrawn = pb::SecrecyReleaseWithdrawn { release_id, organisation, receiver, subject, purpose };
            tell(work, client, &to, &withdrawn).await
        }
    }
}

/// Both sides of an agreement's life: for who gives the help, and for the case holder.
pub async fn agreement(
    work: &mut Work,
    client: ClientId,
    holder: Option<Organisation>,
    event: &help_agreement::Event,
) -> Result<()> {
    let agreement = event.word();
    let help = &agreement.wish;
    let (help_agreement_id, kind) = (agreement.id.to_string(), help_kind(help.kind).into());
    let organisation = help.organisation.to_string();
    let to: Vec<Organisation> = std::iter::once(help.organisation.clone()).chain(holder).collect();
    match agreement.ended {
        None => tell(work, client, &to, &pb::HelpAgreed { help_agreement_id, kind, organisation }).await,
        Some((_, side)) => {
            let ended_by = help_agreement_side(side).into();
            let ended = pb::HelpAgreementEnded { help_agreement_id, kind, organisation, ended_by };
            tell(work, client, &to, &ended).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever adds a code adds it at the same place in domain and contract.
    #[test]
    fn every_code_has_its_place_in_the_contract() {
        macro_rules! same {
            ($($to:ident, $from:ident, $domain:ty, $prefix:literal;)*) => { $(
                for code in <$domain>::ALL {
                    let message = $to(*code);
                    assert_eq!(message.as_str_name(), format!("{}_{}", $prefix, code.as_str().to_uppercase()));
                    assert_eq!($from(message.into()), Some(*code));
                }
                assert_eq!($from(0), None);
                assert_eq!($from(999), None);
                assert_eq!($from(-1), None);
            )* };
        }
        same! {
            life_domain, from_life_domain, case::LifeDomain, "LIFE_DOMAIN";
            score_domain, from_score_domain, case::ScoreDomain, "SCORE_DOMAIN";
            score_moment, from_score_moment, case::ScoreMoment, "SCORE_MOMENT";
            assignment_reason, from_assignment_reason, case::AssignmentReason, "ASSIGNMENT_REASON";
            guidance, from_guidance, case::Guidance, "GUIDANCE";
            goal_outcome, from_goal_outcome, case::GoalOutcome, "GOAL_OUTCOME";
            goal_owner, from_goal_owner, case::GoalOwner, "GOAL_OWNER";
            close_reason, from_close_reason, case::CloseReason, "CLOSE_REASON";
            consent_category, from_consent_category, consent::Category, "CONSENT_CATEGORY";
            release_subject, from_release_subject, release::Subject, "RELEASE_SUBJECT";
            help_kind, from_help_kind, help_agreement::Kind, "HELP_KIND";
            extension_ground, from_extension_ground, month::ExtensionGround, "ACCESS_EXTENSION_GROUND";
            access_withheld_ground, from_access_withheld_ground, access_request::WithheldGround, "ACCESS_WITHHELD_GROUND";
            access_refusal_ground, from_access_refusal_ground, access_request::RefusalGround, "ACCESS_REFUSAL_GROUND";
            access_way, from_access_way, access_request::Way, "ACCESS_WAY";
            correction_subject, from_correction_subject, correction::Subject, "CORRECTION_SUBJECT";
            correction_outcome, from_correction_outcome, correction::Outcome, "CORRECTION_OUTCOME";
            correction_ground, from_correction_ground, correction::Ground, "CORRECTION_GROUND";
            representative_ground, from_representative_ground, representative::Ground, "REPRESENTATIVE_GROUND";
            override_reason, from_override_reason, gate::OverrideReason, "OVERRIDE_REASON";
            erasure_ground, from_erasure_ground, erasure::Ground, "ERASURE_GROUND";
            emergency_reason, from_emergency_reason, emergency::Reason, "EMERGENCY_REASON";
            emergency_outcome, from_emergency_outcome, emergency::Outcome, "EMERGENCY_OUTCOME";
            safe_contact_ground, from_safe_contact_ground, safe_contact::Ground, "SAFE_CONTACT_GROUND";
            separation_ground, from_separation_ground, separation::Ground, "SEPARATION_GROUND";
            keeping_ground, from_keeping_ground, retention::KeepingGround, "KEEPING_GROUND";
        }
        for kind in relation::Kind::ALL {
            let name = format!("RELATION_KIND_{}", kind.as_str().to_uppercase());
            assert_eq!(relation_kind(*kind).as_str_name(), name);
        }
        for side in help_agreement::Side::ALL {
            let name = format!("HELP_AGREEMENT_SIDE_{}", side.as_str().to_uppercase());
            assert_eq!(help_agreement_side(*side).as_str_name(), name);
        }
        for one in Requirement::ALL {
            assert_eq!(requirement(*one).as_str_name(), format!("REQUIREMENT_{}", one.as_str().to_uppercase()));
        }
        for part in retention::Part::ALL {
            let name = format!("RETENTION_PART_{}", part.as_str().to_uppercase());
            assert_eq!(retention_part(*part).as_str_name(), name);
        }
        for ground in retention::Ground::ALL {
            let name = format!("RETENTION_GROUND_{}", ground.as_str().to_uppercase());
            assert_eq!(retention_ground(*ground).as_str_name(), name);
        }
        for kind in task::Kind::ALL {
            assert_ne!(task_kind(*kind), pb::TaskKind::Unspecified, "{kind:?}");
        }
    }
}
