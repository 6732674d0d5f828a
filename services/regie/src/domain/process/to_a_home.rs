//! The process **to a home**: from a notification to the signed lease. One row per step, its undo right beside it.
//!
//! | what happened | what should stand | undone when |
//! |---|---|---|
//! | a notification | the case; relations of notifier and access desk | it ends; all is withdrawn (R-REG-29) |
//! | nominated | benefit prepared; relations of nominator and social services | the case ends; the application survives (P4) |
//! | accepted by all | benefit start, guarantee, handover; relations of landlord and team (P2, P3) | the home falls through (P4) |
//! | income secured | the gate, on the firmest ground there is (P2) | it is no longer secured |
//! | somebody is waited for | a task before the term ends, and one for who goes on after it (P7) | it is done, or no longer needed |
//! | the last stay ended, and no home | the case holder closes the case or goes on | a stay, a home or a new start |
//! | the client died | home and nomination given back, requests withdrawn | never |

use super::facts::{AllocationId, Departure, Guarantee, Handover, Home, Move, Over};
use super::{Act, CloseReason, Command, End, Ground, Page, STAYS, Stage, View};
use super::{RelationKind as Relation, TaskKind as Task, To};
use jiff::ToSpan;
use kernel::Moment;

/// The step that keeps the flow's edition pinned as long as it stands.
pub(super) const CASE: &str = "case/";

pub(super) fn page(v: &View<'_>, p: &mut Page) {
    cases(v, p);
    if v.alive() {
        terms_of_access(v, p);
        nominations(v, p);
    }
    for (id, m) in &v.facts.housing.moves {
        the_move(v, p, *id, m);
        if v.alive() && m.on() && m.keys.is_none() {
            before_the_move(v, p, *id, m);
        }
        // Its term is over, also when it was not asked for the move: today still theirs, after that it escalates (P7).
        if let Some(Guarantee::Unanswered { on }) = v.facts.income.guarantees.get(id).filter(|_| v.alive() && m.on()) {
            p.task(Task::DecideGuarantee, id.0, To::SocialServices(m.home.municipality.clone()), *on);
        }
    }
    if !v.alive() {
        after_death(v, p);
    }
}

/// A case opens at the first notification, and closes by what is on the other page. One that opened because the case before
/// seemed to have ended, and had not by what was heard since, is part of that one and closes too.
fn cases(v: &View<'_>, p: &mut Page) {
    for case in &v.cases {
        let (stage, reason) = match case.end {
            None => (Stage::Wanted, None),
            Some(End::ByItself(reason)) => (Stage::Unwanted, Some(reason)),
            Some(End::ByHand) => (Stage::Behind, None),
        };
        p.step(
            ("case", case.id),
            stage,
            [Act::OpenCase { case: case.id, municipality: case.municipality.clone() }],
            [Act::CloseCase { case: case.id, reason: reason.unwrap_or(CloseReason::Merged) }],
        );
    }
    for (of_client, (municipality, on)) in &v.facts.access.duplicates {
        // Somebody looked: that one points here by now.
        if v.facts.regie.took_over.contains(of_client) {
            continue;
        }
        let due_on = v.term(*on, v.policy.terms.follow_up);
        p.task(Task::LookAtDuplicate, *of_client, To::Municipality(municipality.clone()), due_on);
    }
}

/// What the open case asks of the access desk and of the shelter.
fn terms_of_access(v: &View<'_>, p: &mut Page) {
    let access = &v.facts.access;
    for stay in access.stays.values() {
        p.relation(Relation::Stay, &stay.organisation);
    }
    let Some(case) = v.open_case() else { return };
    let (desk, terms) = (To::AccessDesk(case.municipality.clone()), v.policy.terms);
    for notification in access.notifications.iter().filter(|n| n.at >= case.from && n.withdrawn_at.is_none()) {
        p.relation(Relation::Notifier, &notification.by);
    }
    if let Some(desk) = v.policy.register.access.get(&case.municipality) {
        p.relation(Relation::Access, desk);
    }
    if !v.facts.regie.held.contains(&case.id) {
        let due_on = v.term(Moment::of(case.from).date, terms.case_holder);
        p.task(Task::AssignCaseholder, case.id.0, desk.clone(), due_on);
    }
    for (stay, started_on, to) in
        access.stays.iter().filter_map(|(id, s)| Some((id, s.trajectory_on?, &s.organisation)))
    {
        if !v.facts.regie.planned.contains(&case.id) {
            p.task(Task::MakePlan, stay.0, To::Organisation(to.clone()), v.term(started_on, terms.plan));
        }
    }
    if let Some(departure) = access.departed.filter(|d| d.at >= case.from && !v.goes_on_after(d)) {
        let due_on = v.term(Moment::of(departure.at).date, terms.follow_up);
        p.task(Task::FollowUpDeparture, departure.stay.0, To::CaseHolder, due_on);
    }
    // Access warns before each of its terms ends; what it warns of is a task until it is met (P7).
    for (notification, since) in &access.urgent {
        p.task(Task::FindPlaceTonight, notification.0, To::DutyPerson(case.municipality.clone()), *since);
    }
    for (notification, due_on) in &access.investigations {
        p.task(Task::FinishInvestigation, notification.0, desk.clone(), *due_on);
    }
    for (application, due_on) in &access.applications {
        p.task(Task::TakeDecision, *application, desk.clone(), *due_on);
    }
    for (decision, due_on) in &access.decisions {
        p.task(Task::ExtendDecision, *decision, desk.clone(), *due_on);
    }
}

/// From nomination to offer: benefit is prepared, so that it can leave the moment a home is accepted (R-INC-11).
fn nominations(v: &View<'_>, p: &mut Page) {
    let (housing, terms, open_since) = (&v.facts.housing, v.policy.terms, v.open_case().map(|case| case.from));
    for (id, nomination) in &housing.nominations {
        let (in_the_pool, municipality) = (housing.in_the_pool(id), &nomination.municipality);
        p.step(
            ("benefit-request", id),
            Stage::when(!nomination.withdrawn),
            [Command::PrepareBenefitRequest { municipality: municipality.clone() }],
            // The reporting day and the application are the client's (P4).
            STAYS,
        );
        if in_the_pool {
            p.relation(Relation::Nominator, &nomination.by);
        }
        if (in_the_pool || open_since.is_some_and(|since| nomination.at >= since))
            && let Some(authority) = v.policy.register.income.get(municipality)
        {
            p.relation(Relation::Income, authority);
        }
        if let Some((offer, on)) = nomination.lapsed.filter(|_| in_the_pool) {
            let due_on = v.term(on, terms.follow_up);
            p.task(Task::FollowUpOffer, offer.0, To::Municipality(municipality.clone()), due_on);
        }
    }
    for (id, offer) in &housing.offers {
        let nominator = housing.nominations.get(&offer.nomination).map(|nomination| &nomination.by);
        let for_the_client = offer.ending.as_ref().or(nominator);
        // When housing says that it is near, it is, whatever our own term.
        let at_hand = match offer.ending {
            Some(_) => v.now,
            None => v.working_days_before(terms.offer_working_days, offer.until),
        };
        for (kind, said_yes, who) in [
            (Task::AnswerOffer, offer.yes.0, for_the_client),
            (Task::AnswerCandidate, offer.yes.1, Some(&offer.corporation)),
        ] {
            if let Some(who) = who.filter(|_| !said_yes) {
                p.task_from(at_hand, kind, id.0, To::Organisation(who.clone()), offer.until);
            }
        }
    }
    if let Some((allocation, on)) = housing.lost.filter(|_| v.open_case().is_some()) {
        p.task(Task::FollowUpHome, allocation.0, To::CaseHolder, v.term(on, terms.follow_up));
    }
    // What income waits for, or is to do itself (P7).
    let desk = v.municipality().map_or(To::CaseHolder, To::SocialServices);
    for (request, r) in &v.facts.income.requests {
        // Not given in time: the municipality sees to it before the decision, which no longer waits (R-REG-10).
        let missed = r.information_missed_on.map(|on| {
            let term = v.term(on, terms.follow_up);
            r.decision_by.map_or(term, |by| term.min(by).max(on))
        });
        let due = [
            (Task::GiveInformation, To::CaseHolder, r.information_by),
            (Task::GiveInformation, v.regie(), missed),
            (Task::DecideBenefit, desk.clone(), r.decision_by),
            (Task::PayAdvance, desk.clone(), r.advance_by),
        ];
        for (kind, to, due_on) in due {
            due_on.into_iter().for_each(|due_on| p.task(kind, request.0, to.clone(), due_on));
        }
    }
}

/// What leaves the moment all have accepted: exactly one of each for each move (P2, P3). What falls with the move is taken
/// back, and nothing else is (P4); what was lived in is behind us.
fn the_move(v: &View<'_>, p: &mut Page, allocation: AllocationId, m: &Move) {
    let Home { corporation, provider, municipality, district, lease_start_on, rent, .. } = m.home.clone();
    let stage = match m.over {
        None if v.alive() => Stage::Wanted,
        Some(Over::Left) => Stage::Behind,
        _ => Stage::Unwanted,
    };
    p.step(
        ("benefit-start", allocation),
        stage,
        [Command::CompleteBenefitRequest { allocation, lease_start_on, municipality: municipality.clone(), rent }],
        [Command::WithdrawBenefitStart { allocation }],
    );
    if m.home.guarantee_required {
        let (corporation, municipality) = (corporation.clone(), municipality.clone());
        p.step(
            ("guarantee", allocation),
            stage,
            [Command::RequestRentGuarantee { allocation, corporation, municipality, lease_start_on, rent }],
            [Command::WithdrawRentGuarantee { allocation }],
        );
    }
    let team = district.as_ref().and_then(|district| v.policy.register.teams.get(district)).cloned();
    let handover = v.facts.aftercare.handovers.get(&allocation);
    if let Some(to) = team.clone() {
        let (from, municipality, move_on) = (provider.clone(), municipality.clone(), lease_start_on);
        p.step(
            ("handover", allocation),
            stage,
            [Command::DraftHandover { allocation, from, to, municipality, district, move_on }],
            [Command::CancelHandover { allocation }],
        );
    } else if stage == Stage::Wanted {
        // Nobody to hand over to: the register has no team for this address.
        p.task(Task::AssignHandover, allocation.0, To::Municipality(municipality.clone()), lease_start_on);
    }
    // Shut unless the income is secured from the first day of the lease; once signed there is nothing to hold back (P2).
    let gate = |ground| {
        [Command::OpenGate { allocation, ground }.into(), Act::DecideGate { allocation, ground: Some(ground) }]
    };
    let secured = v.secured(allocation, &m.home);
    p.step(
        ("gate", allocation),
        if v.alive() && m.waits() { Stage::when(secured.is_some()) } else { Stage::Behind },
        secured.into_iter().flat_map(gate),
        [Command::ShutGate { allocation }.into(), Act::DecideGate { allocation, ground: None }],
    );
    if stage == Stage::Wanted {
        p.relation(Relation::Landlord, &corporation);
        if let Some(authority) = v.policy.register.income.get(&municipality) {
            p.relation(Relation::Income, authority);
        }
    }
    // Also when the lease ended: guidance goes on until aftercare does.
    if v.alive() && m.over != Some(Over::Fell) && !v.facts.aftercare.ended.contains_key(&allocation) {
        // Until the receiver accepts, the giver stays responsible (R-AFT-02).
        if !matches!(handover, Some(Handover::Accepted { .. })) {
            p.relation(Relation::Stay, &provider);
        }
        let receiver = match handover {
            Some(Handover::ToAnswer { receiver, .. } | Handover::Accepted { receiver }) => Some(receiver.clone()),
            _ => team,
        };
        receiver.iter().for_each(|team| p.relation(Relation::District, team));
    }
}

/// Who has to do something before the move, and by when.
fn before_the_move(v: &View<'_>, p: &mut Page, allocation: AllocationId, m: &Move) {
    let (income, terms, subject, first_day) = (&v.facts.income, v.policy.terms, allocation.0, m.home.lease_start_on);
    let regie = || To::Municipality(m.home.municipality.clone());
    let social_services = || To::SocialServices(m.home.municipality.clone());
    let requests = || income.requests.values();
    if v.secured(allocation, &m.home).is_none() {
        if m.waits() {
            // A home is never lost by silence: the municipality must decide in time (P2).
            let at_hand = v.working_days_before(terms.gate_working_days, first_day);
            p.task_from(at_hand, Task::DecideGate, subject, regie(), first_day);
        }
        let undecided = requests().any(|r| !r.withdrawn && r.refused_on.is_none() && r.running.is_none());
        if m.signed || requests().any(|r| r.running.is_some()) {
            p.task(Task::CloseBenefitGap, subject, social_services(), first_day);
        } else if let Some(refused_on) = requests().filter_map(|r| r.refused_on).max().filter(|_| !undecided) {
            // On the very day that it is refused and the move is near (R-INC-27).
            let near_on = first_day.saturating_sub(terms.close_to_move_days.days());
            let due_on = near_on.max(refused_on).max(m.on);
            p.task_from(Moment::start_of(near_on), Task::BridgeIncome, subject, To::CaseHolder, due_on);
        } else {
            p.task(Task::DecideBenefit, subject, social_services(), first_day);
        }
    }
    match income.guarantees.get(&allocation).filter(|_| m.home.guarantee_required) {
        None if m.home.guarantee_required => p.task(Task::DecideGuarantee, subject, social_services(), first_day),
        Some(Guarantee::Refused { on }) => p.task(Task::FollowUpHome, subject, regie(), v.term(*on, terms.follow_up)),
        _ => {}
    }
}

/// Everything stops (R-REG-29). Access ends its own part with the death itself.
fn after_death(v: &View<'_>, p: &mut Page) {
    for (id, m) in v.facts.housing.moves.iter().filter(|(_, m)| m.on()) {
        if m.keys.is_none() {
            p.step(("give-back", id), Stage::Wanted, [Command::WithdrawAllocation { allocation: *id }], STAYS);
        } else {
            // A lease does not end by itself, and not by a machine.
            p.task(Task::FollowUpHome, id.0, v.regie(), v.due_of(Task::FollowUpHome, id.0));
        }
    }
    for id in v.facts.housing.nominations.keys().filter(|id| v.facts.housing.in_the_pool(id)) {
        p.step(("leave-pool", id), Stage::Wanted, [Command::WithdrawNomination { nomination: *id }], STAYS);
    }
    for id in v.facts.income.requests.iter().filter(|(_, request)| !request.withdrawn).map(|(id, _)| id) {
        p.step(("stop-benefit", id), Stage::Wanted, [Command::WithdrawBenefitRequest { request: *id }], STAYS);
    }
}

impl View<'_> {
    /// Whether somebody who left has a home or left for one, or was nominated or notified since.
    fn goes_on_after(&self, departure: &Departure) -> bool {
        let (access, housing) = (&self.facts.access, &self.facts.housing);
        let moved = |m: &Move| m.on() || m.keys.is_some_and(|(_, at)| at >= departure.admitted_at);
        housing.moves.values().any(moved)
            || housing.nominations.values().any(|n| n.at > departure.at && !n.withdrawn)
            || access.notifications.iter().any(|n| n.at > departure.at && n.withdrawn_at.is_none())
    }

    /// What secures the household's income on the first day of the lease, firmest first (P2).
    fn secured(&self, allocation: AllocationId, home: &Home) -> Option<Ground> {
        let (income, first) = (&self.facts.income, home.lease_start_on);
        let of = |period: Option<super::facts::Period>| period.is_some_and(|period| period.holds(first));
        let bridge =
            |g: &Guarantee| matches!(g, Guarantee::Granted { bridging: true, ends_on, .. } if *ends_on >= first);
        let grounds = [
            (Ground::Benefit, income.requests.values().any(|r| of(r.running))),
            (Ground::OwnIncome, of(income.own)),
            (Ground::Advance, income.requests.values().any(|r| of(r.expected))),
            (Ground::Guarantee, income.guarantees.get(&allocation).is_some_and(bridge)),
            (Ground::Override, self.facts.regie.overridden.contains(&allocation)),
        ];
        grounds.into_iter().find(|(_, holds)| *holds).map(|(ground, _)| ground)
    }
}
