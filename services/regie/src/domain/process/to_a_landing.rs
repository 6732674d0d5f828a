//! The process **to a landing**: from the address to the end of aftercare, and back under a roof if it goes wrong.
//!
//! | what happened | what should stand | undone when |
//! |---|---|---|
//! | the address is known | whoever is to fill, answer or assign the handover has a task (R-AFT-02, P7) | it is done; the home falls through |
//! | its term is nearly over | a warning to whoever has that task (P7) | never: it was given |
//! | the keys | aftercare (R-AFT-01) | the client died |
//! | nobody took up a signal | a task of the case holder, then of the municipality (P5) | somebody takes it up |
//! | nowhere to sleep | a place claimed at once; refused or silent: the duty person alarmed (P6) | never by a machine |
//! | reported again that night | the duty person alarmed again, each time (P6) | a bed or place came after it; the signal is closed |
//! | aftercare ended | the case closed, and not at the keys (R-AFT-01) | a new notification opens a new case |

use super::facts::{AllocationId, Claim, Guarantee, Handover, Move, Night, SignalId};
use super::{Command, Page, STAYS, Stage, TaskKind as Task, To, View};
use jiff::ToSpan;
use kernel::{Moment, Organisation};

/// The step that claims a place: refused, it alarms a person.
pub(super) const PLACE: &str = "place/";

pub(super) fn page(v: &View<'_>, p: &mut Page) {
    for (id, m) in &v.facts.housing.moves {
        aftercare(v, p, *id, m);
        if v.alive() && m.on() && !v.facts.aftercare.ended.contains_key(id) {
            handover(v, p, *id, m);
        }
    }
    if v.alive() {
        calls_for_help(v, p);
    }
}

/// What is never left lying, whatever became of the record (P5, P6).
pub(super) fn calls_for_help(v: &View<'_>, p: &mut Page) {
    signals(v, p);
    for (id, night) in v.facts.aftercare.nights.iter().filter(|(_, night)| !night.closed) {
        nowhere_to_sleep(v, p, *id, night);
    }
}

/// Aftercare starts with the keys, also when the handover is not accepted yet.
fn aftercare(v: &View<'_>, p: &mut Page, allocation: AllocationId, m: &Move) {
    let Some((started_on, _)) = m.keys else { return };
    let ended = v.facts.aftercare.ended.contains_key(&allocation);
    p.step(
        ("aftercare", allocation),
        if ended { Stage::Behind } else { Stage::when(v.alive()) },
        [Command::StartAftercare { allocation, started_on }],
        [Command::EndAftercare { allocation }],
    );
    if ended || !v.alive() {
        return;
    }
    if let Some(due_on) = v.facts.aftercare.reviews.get(&allocation) {
        let to = match v.facts.aftercare.handovers.get(&allocation) {
            Some(Handover::Accepted { receiver }) => To::Organisation(receiver.clone()),
            _ => To::Organisation(m.home.provider.clone()),
        };
        p.task(Task::ReviewAftercare, allocation.0, to, *due_on);
    }
    if let Some(Guarantee::Granted { ends_on, ending: true, .. }) = v.facts.income.guarantees.get(&allocation) {
        p.task(Task::DecideGuarantee, allocation.0, To::SocialServices(m.home.municipality.clone()), *ends_on);
    }
}

/// Somebody always has the handover in hand, and everybody knows until when (R-AFT-02).
fn handover(v: &View<'_>, p: &mut Page, allocation: AllocationId, m: &Move) {
    let waits_for = |p: &mut Page, kind, who: &Organisation, by, soon| {
        p.task(kind, allocation.0, To::Organisation(who.clone()), by);
        if soon {
            p.warning(kind, allocation.0);
        }
    };
    match v.facts.aftercare.handovers.get(&allocation) {
        Some(Handover::ToFill { giver: who, by, soon }) => waits_for(p, Task::FillHandover, who, *by, *soon),
        Some(Handover::ToAnswer { receiver: who, by, soon }) => waits_for(p, Task::AnswerHandover, who, *by, *soon),
        Some(Handover::Unanswered { since }) => {
            let due_on = v.term(*since, v.policy.terms.follow_up);
            p.task(Task::AssignHandover, allocation.0, To::Municipality(m.home.municipality.clone()), due_on);
        }
        Some(Handover::Accepted { .. } | Handover::Cancelled) | None => {}
    }
}

/// A signal that nobody took up in time (P5).
fn signals(v: &View<'_>, p: &mut Page) {
    for (signal, (to_regie, municipality, on)) in &v.facts.aftercare.escalated {
        let to = if *to_regie { To::Municipality(v.or_ours(municipality)) } else { To::CaseHolder };
        p.task(Task::TakeUpSignal, signal.0, to, *on);
    }
}

/// Never back on the street (P6): a place at once, or a person who finds one.
fn nowhere_to_sleep(v: &View<'_>, p: &mut Page, signal: SignalId, night: &Night) {
    let (municipality, relapse_guarantee) = (v.or_ours(&night.municipality), night.relapse_guarantee);
    let place = format!("{signal}/{municipality}");
    p.step(
        ("place", &place),
        Stage::Wanted,
        [Command::ClaimPlace { signal, municipality: municipality.clone(), relapse_guarantee }],
        // A bed is never taken back by a machine: access releases it at admission, or warns before it lapses.
        STAYS,
    );
    if relapse_guarantee {
        // Only removes the new procedure (R-AFT-10).
        p.step(("relapse-guarantee", signal), Stage::Wanted, [Command::InvokeRelapseGuarantee { signal }], STAYS);
    }
    // One place is enough for two reports of the same night. Reported again, what was arranged before did not hold.
    let (access, again) = (&v.facts.access, night.again.as_ref());
    let claims = || access.claims.values();
    let in_a_bed = access.admitted_at.is_some_and(|at| at > again.map_or(night.at, |again| again.at));
    let holds = |c: &Claim| again.is_none_or(|again| c.at > again.at);
    let roof = in_a_bed || claims().any(|c| holds(c) && (!c.released || (c.signal == signal && !c.lapsed)));
    let (kind, to) = (Task::FindPlaceTonight, To::DutyPerson(municipality));
    if let Some(again) = again.filter(|_| !roof) {
        let to = To::DutyPerson(v.or_ours(&again.municipality));
        p.task_again(again.count, kind, signal.0, to, again.on);
    } else if let Some(until_on) = claims().filter(|c| !c.released).find_map(|c| c.ending_on) {
        p.task(kind, signal.0, to, until_on);
    } else if !roof {
        let lapsed = claims().any(|c| c.signal == signal && c.lapsed);
        let in_time = night.at.saturating_add(v.policy.terms.place_minutes.minutes()).unwrap_or(night.at);
        let at_once = lapsed || v.refused("place", place);
        p.task_from(if at_once { v.now } else { Moment::of(in_time) }, kind, signal.0, to, night.on);
    }
}
