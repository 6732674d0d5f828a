//! A household's request for benefit: reported, prepared at nomination, completed with a move, decided, paid.
//!
//! What a client has (reporting day, application, granted benefit) and what one move needs (start date, authority, changed
//! terms) are kept apart, so that a fallen allocation takes back the second and never touches the first (P4).

use crate::domain::allowance::days_between;
use crate::domain::standard::{self, Circumstances, Figures};
use crate::domain::{AllocationId, Rules};
use jiff::ToSpan;
use kernel::{Cents, ClientId, Date, Moment, Municipality, Refusal, Term};

mod apply;
mod state;
mod words;

pub use apply::apply;
pub use state::*;
pub use words::*;

kernel::reasons! {
    BENEFIT_DAY_IN_FUTURE: Malformed, "R-INC-01",
        "{day} has not come yet.", "{day} is nog niet gekomen.",
        "Give today or an earlier day.", "Geef vandaag of een eerdere dag.";
    BENEFIT_HOUSEHOLD_TAKEN: Rule, "R-INC-25",
        "The partner has an open request; there is one per household.",
        "De partner heeft een lopende aanvraag; er is er één per huishouden.",
        "Go on with the partner's request, or withdraw it first.",
        "Ga verder met de aanvraag van de partner, of trek die eerst in.";
    BENEFIT_NO_SEARCH_TERM: Rule, "R-INC-05",
        "There is no search term to waive.", "Er is geen zoektermijn om van af te zien.",
        "Go on: nothing holds this request back.", "Ga door: niets houdt deze aanvraag tegen.";
    BENEFIT_WAIVER_NOT_YET: Rule, "R-INC-05",
        "The search term could not yet be waived on {day}.", "Op {day} kon van de zoektermijn nog niet worden afgezien.",
        "Wait until the search term ends on {until}.", "Wacht tot de zoektermijn afloopt op {until}.";
    BENEFIT_SEARCH_TERM_RUNNING: Rule, "R-INC-05",
        "The search term runs until {until}.", "De zoektermijn loopt tot en met {until}.",
        "Waive the search term, or decide after it.", "Zie af van de zoektermijn, of beslis erna.";
    BENEFIT_NOT_APPLIED: Rule, "R-INC-25",
        "Nothing was applied for yet.", "Er is nog niets aangevraagd.",
        "Submit the application first.", "Dien eerst de aanvraag in.";
    BENEFIT_UNSIGNED: Rule, "R-INC-25",
        "The application is not signed by the client or a representative.",
        "De aanvraag is niet ondertekend door de cliënt of een vertegenwoordiger.",
        "Submit the application with who signed and when.", "Dien de aanvraag in met wie tekende en wanneer.";
    BENEFIT_DECIDED: Rule, "R-INC-03",
        "This was decided already.", "Hierover is al beslist.",
        "Read the request again; a new application starts anew.", "Lees de aanvraag opnieuw; een nieuwe aanvraag begint opnieuw.";
    BENEFIT_WITHDRAWN: Rule, "P4",
        "This request was withdrawn.", "Deze aanvraag is ingetrokken.",
        "Report for benefit again.", "Meld u opnieuw voor bijstand.";
    BENEFIT_START_WITHDRAWN: Rule, "P4",
        "The start for this allocation was withdrawn.", "De ingang voor deze toewijzing is ingetrokken.",
        "A new allocation gets a new start.", "Een nieuwe toewijzing krijgt een nieuwe ingang.";
    BENEFIT_START_OF_OTHER: Rule, "P3",
        "There is a start on {start} for another allocation.", "Er is een ingang op {start} voor een andere toewijzing.",
        "Withdraw the start of the other allocation first.", "Trek eerst de ingang van de andere toewijzing in.";
    BENEFIT_ANSWER_TERM_INVALID: Rule, "R-REG-10",
        "{answer_by} leaves no time to answer.", "{answer_by} laat geen tijd om te antwoorden.",
        "Give a last day after today.", "Geef een laatste dag na vandaag.";
    BENEFIT_CIRCUMSTANCES_UNKNOWN: Rule, "R-INC-06",
        "The household's circumstances are not known.", "De omstandigheden van het huishouden zijn niet bekend.",
        "Give the circumstances with this call.", "Geef de omstandigheden mee.";
    BENEFIT_ADVANCE_TOO_LOW: Rule, "R-INC-04",
        "An advance is at least {percent} percent of the standard: {least} euro.",
        "Een voorschot is ten minste {percent} procent van de norm: {least} euro.",
        "Pay at least {least} euro.", "Betaal ten minste {least} euro.";
    BENEFIT_EXPECTATION_INVALID: Malformed, "R-INC-04",
        "A written expectation has a first and a last day.", "Een schriftelijke verwachting heeft een eerste en een laatste dag.",
        "Give both days, in order, or none.", "Geef beide dagen, op volgorde, of geen.";
    BENEFIT_START_TOO_EARLY: Rule, "R-INC-02",
        "Benefit cannot start on {start}: the client reported on {reported}.",
        "Bijstand kan niet ingaan op {start}: de cliënt meldde zich op {reported}.",
        "Start on {earliest} or later; before the reporting day a ground is needed.",
        "Laat ingaan op {earliest} of later; vóór de meldingsdag is een grond nodig.";
    BENEFIT_TRANSFER_GAP: Rule, "R-INC-25",
        "The old benefit has to run until the new one starts on {start}.",
        "De oude uitkering moet doorlopen tot de nieuwe ingaat op {start}.",
        "Agree a last day of the old benefit of {latest} or later.",
        "Spreek een laatste dag van de oude uitkering af op {latest} of later.";
    BENEFIT_NOT_GRANTED: Rule, "R-INC-03",
        "No benefit is granted.", "Er is geen bijstand toegekend.",
        "Decide first.", "Beslis eerst.";
    BENEFIT_PAYMENT_BEFORE_START: Rule, "R-INC-01",
        "The benefit starts on {start}.", "De bijstand gaat in op {start}.",
        "Give that day or a later one.", "Geef die dag of een latere.";
    BENEFIT_STILL_GRANTED: Rule, "P4",
        "A granted benefit runs; it does not end by withdrawing the request.",
        "Er loopt bijstand; die eindigt niet door de aanvraag in te trekken.",
        "End the benefit first.", "Beëindig eerst de bijstand.";
}

/// The decision term of the act (R-INC-03).
const DECISION_TERM: Term = Term::Weeks(8);
/// The first advance, and each next one (R-INC-04).
const ADVANCE_TERM: Term = Term::Weeks(4);
/// The search term of the young (R-INC-05).
const SEARCH_TERM: Term = Term::Weeks(4);
/// How long known data may be used again (R-INC-12).
const REAPPLICATION_MONTHS: i32 = 12;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The client reported (R-INC-01).
    Report {
        /// The client.
        client: ClientId,
        /// Whose social services.
        municipality: Municipality,
        /// The reporting day.
        on: Date,
        /// What decides the standard, as far as known.
        circumstances: Option<Circumstances>,
        /// The partner, if a client too.
        partner: Option<ClientId>,
        /// Whether the partner's request is open.
        partner_open: bool,
        /// Where a benefit is paid already.
        running_at: Option<Municipality>,
        /// When an earlier benefit ended.
        previous_ended_on: Option<Date>,
    },
    /// Waive the search term.
    WaiveSearchTerm,
    /// The client applies.
    Submit(Signature),
    /// Prepare at nomination.
    Prepare {
        /// The client.
        client: ClientId,
        /// Whose social services.
        municipality: Municipality,
    },
    /// Complete with an accepted allocation.
    Complete {
        /// The client.
        client: ClientId,
        /// The allocation.
        allocation: AllocationId,
        /// The first day of the lease.
        lease_start_on: Date,
        /// The dwelling's municipality.
        municipality: Municipality,
        /// The rent per month.
        rent: Cents,
    },
    /// Social services have it.
    Acknowledge,
    /// Ask for information.
    Ask {
        /// What is asked.
        items: Vec<Item>,
        /// The last day to answer.
        answer_by: Date,
    },
    /// What was asked came in.
    Give,
    /// An advance was paid.
    PayAdvance {
        /// The amount.
        amount: Cents,
        /// When.
        paid_on: Date,
        /// What decides the standard, if not known from before.
        circumstances: Option<Circumstances>,
        /// The days between which a right to benefit is expected, in writing.
        expectation: (Option<Date>, Option<Date>),
    },
    /// An advance is refused.
    RefuseAdvance(AdvanceRefusalGround),
    /// Benefit is granted.
    Grant {
        /// The first day.
        start_on: Date,
        /// What decides the standard, if not known from before.
        circumstances: Option<Circumstances>,
        /// Why before the reporting day.
        retroactive: Option<RetroactiveGround>,
        /// The last day of the old benefit, on a transfer.
        old_ends_on: Option<Date>,
    },
    /// Benefit is refused.
    Refuse(RefusalGround),
    /// Payment starts.
    StartPayment {
        /// The first day paid for.
        from_on: Date,
    },
    /// The benefit ends.
    End {
        /// Its last day.
        ends_on: Date,
        /// Why.
        reason: EndReason,
    },
    /// A move fell.
    WithdrawStart {
        /// Its allocation.
        allocation: AllocationId,
    },
    /// The request is withdrawn.
    Withdraw(WithdrawalReason),
    /// Look whether something is due.
    Wake,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was opened.
    Opened {
        /// The client.
        client: ClientId,
        /// Whose social services.
        authority: Municipality,
    },
    /// The client reported.
    Reported {
        /// The reporting day.
        on: Date,
        /// The search term, under 27.
        search_term: Option<SearchTerm>,
    },
    /// What was known from before.
    HistoryKnown {
        /// Whether known data can be used again.
        short_reapplication: bool,
        /// Where a benefit is paid already.
        running_at: Option<Municipality>,
        /// The partner.
        partner: Option<ClientId>,
    },
    /// What decides the standard became known.
    CircumstancesKnown(Circumstances),
    /// The search term was waived.
    SearchTermWaived,
    /// It was prepared.
    Prepared,
    /// An application was opened, signed or for a move.
    Applied(Application),
    /// The client, or who represents the client, signed.
    Signed(Signature),
    /// A move was added.
    Completed {
        /// The move.
        relocation: Move,
        /// Who decides from the start on.
        authority: Municipality,
    },
    /// Benefit would start after the lease (R-INC-11).
    GapDetected {
        /// The allocation.
        allocation: AllocationId,
        /// The first day of the lease.
        lease_start_on: Date,
        /// The first day of benefit.
        start_on: Date,
    },
    /// Social services have it.
    Acknowledged {
        /// When.
        on: Date,
    },
    /// Something was asked.
    Asked(Question),
    /// What was asked came in.
    Given {
        /// When.
        on: Date,
    },
    /// Something that is watched has come (P7).
    Raised(Alarm),
    /// An advance was paid.
    AdvancePaid {
        /// The amount.
        amount: Cents,
        /// When.
        paid_on: Date,
        /// The days between which a right is expected.
        expectation: Option<(Date, Date)>,
    },
    /// An advance was refused.
    AdvanceRefused {
        /// Why.
        ground: AdvanceRefusalGround,
        /// When.
        on: Date,
    },
    /// Benefit was granted.
    Granted {
        /// What was granted.
        grant: Grant,
        /// What was decided on.
        kind: Kind,
    },
    /// Benefit was refused.
    Refused {
        /// Why.
        ground: RefusalGround,
        /// What was decided on.
        kind: Kind,
    },
    /// It was refused close to a move (R-INC-27).
    RefusedNearMove {
        /// The allocation.
        allocation: AllocationId,
        /// The first day of the lease.
        lease_start_on: Date,
    },
    /// Payment started.
    PaymentStarted {
        /// The first day paid for.
        from_on: Date,
    },
    /// The benefit has an end.
    Ended {
        /// Its last day.
        ends_on: Date,
        /// Why.
        reason: EndReason,
    },
    /// What depended on a move was taken back (P4).
    StartWithdrawn {
        /// Its allocation.
        allocation: AllocationId,
    },
    /// The request was withdrawn.
    Withdrawn {
        /// Why.
        reason: WithdrawalReason,
        /// The move that fell with it.
        allocation: Option<AllocationId>,
    },
}

/// Events so far, and the state after them: later steps of one decision see the earlier ones.
struct Draft {
    state: BenefitRequest,
    events: Vec<Event>,
}

impl Draft {
    fn of(state: Option<&BenefitRequest>, client: ClientId, authority: &Municipality) -> Self {
        match state {
            Some(state) => Self { state: state.clone(), events: vec![] },
            None => Self {
                state: apply::opened(client, authority.clone()),
                events: vec![Event::Opened { client, authority: authority.clone() }],
            },
        }
    }

    fn push(&mut self, event: Event) {
        if let Some(state) = apply(Some(self.state.clone()), &event) {
            self.state = state;
        }
        self.events.push(event);
    }
}

/// What happens to a benefit request.
pub fn decide(
    state: Option<&BenefitRequest>,
    command: &Command,
    rules: Rules<'_>,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (Some(BenefitRequest { withdrawn: Some(_), .. }), command) => after_withdrawal(state, command),
        (_, Command::Report { .. }) => report(state, command, rules, now),
        (Some(BenefitRequest { prepared: true, .. }), Command::Prepare { .. }) => Ok(vec![]),
        (_, Command::Prepare { client, municipality }) => {
            let mut draft = Draft::of(state, *client, municipality);
            draft.push(Event::Prepared);
            Ok(draft.events)
        }
        (_, Command::Complete { .. }) => complete(state, command, rules, now),
        (None, Command::WithdrawStart { .. } | Command::Wake) => Ok(vec![]),
        (None, _) => Err((&BENEFIT_NOT_APPLIED).into()),
        (Some(state), command) => decide_on(state, command, rules, now),
    }
}

/// A withdrawn request takes no more; what is wished away is away already.
fn after_withdrawal(state: Option<&BenefitRequest>, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Withdraw(_) | Command::WithdrawStart { .. } | Command::Wake => Ok(vec![]),
        Command::Complete { allocation, .. } if state.is_some_and(|one| one.fallen.contains(allocation)) => {
            Err((&BENEFIT_START_WITHDRAWN).into())
        }
        _ => Err((&BENEFIT_WITHDRAWN).into()),
    }
}

fn report(
    state: Option<&BenefitRequest>,
    command: &Command,
    rules: Rules<'_>,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    let Command::Report {
        client,
        municipality,
        on,
        circumstances,
        partner,
        partner_open,
        running_at,
        previous_ended_on,
    } = command
    else {
        return Ok(vec![]);
    };
    not_in_future("reported_on", *on, now)?;
    if let Some(circumstances) = circumstances {
        circumstances.check("circumstances")?;
    }
    if *partner_open {
        return Err((&BENEFIT_HOUSEHOLD_TAKEN).into());
    }
    let mut draft = Draft::of(state, *client, municipality);
    let earlier = draft.state.reported_on.is_none_or(|known| *on < known);
    if !earlier || draft.state.running().is_some() {
        return Ok(draft.events);
    }
    let short = previous_ended_on.is_some_and(|ended| ended.saturating_add(REAPPLICATION_MONTHS.months()) > *on);
    let history = (short, running_at.clone(), *partner);
    if history != (draft.state.short_reapplication, draft.state.running_at.clone(), draft.state.partner) {
        let (short_reapplication, running_at, partner) = history;
        draft.push(Event::HistoryKnown { short_reapplication, running_at, partner });
    }
    if let Some(known) = circumstances.as_ref().filter(|known| draft.state.circumstances.as_ref() != Some(*known)) {
        draft.push(Event::CircumstancesKnown(known.clone()));
    }
    let youth = draft.state.circumstances.as_ref().is_some_and(Circumstances::youth);
    let search_term = youth.then(|| SearchTerm {
        ends_on: rules.calendar.plain_end(*on, SEARCH_TERM),
        waived: draft.state.search_term.is_some_and(|known| known.waived),
        waiver_proposed: rules.policy.propose_waiver && rules.figures.at(municipality, now.date).search_term_waivable,
    });
    draft.push(Event::Reported { on: *on, search_term });
    Ok(draft.events)
}

fn complete(
    state: Option<&BenefitRequest>,
    command: &Command,
    rules: Rules<'_>,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    let Command::Complete { client, allocation, lease_start_on, municipality, rent } = command else {
        return Ok(vec![]);
    };
    let mut draft = Draft::of(state, *client, municipality);
    if draft.state.fallen.contains(allocation) {
        return Err((&BENEFIT_START_WITHDRAWN).into());
    }
    match &draft.state.relocation {
        // One start per allocation, whatever is repeated (P3).
        Some(known) if known.allocation == *allocation => return Ok(vec![]),
        Some(other) if other.lease_start_on > now.date => {
            return Err(BENEFIT_START_OF_OTHER.with("start", other.start_on));
        }
        _ => {}
    }
    let running = draft.state.running().is_some();
    if draft.state.reported_on.is_none() && !running {
        // What the chain asks now counts as the client's report: there is no earlier day on record (R-INC-01).
        draft.push(Event::Reported { on: now.date, search_term: None });
    }
    let earliest = draft.state.reported_on.filter(|_| !running);
    let start_on = earliest.map_or(*lease_start_on, |reported| reported.max(*lease_start_on));
    let relocation = Move {
        allocation: *allocation,
        lease_start_on: *lease_start_on,
        start_on,
        rent: *rent,
        authority_before: draft.state.authority.clone(),
    };
    draft.push(Event::Completed { relocation, authority: municipality.clone() });
    if draft.state.application.is_none() {
        draft.push(Event::Applied(Application { for_allocation: Some(*allocation), ..applied(now.date, None) }));
    }
    push_gap(&mut draft, start_on, rules);
    Ok(draft.events)
}

/// Everything that may be asked of a request that is there and stands.
fn decide_on(state: &BenefitRequest, command: &Command, rules: Rules<'_>, now: Moment) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::WaiveSearchTerm => match state.search_term {
            None => Err((&BENEFIT_NO_SEARCH_TERM).into()),
            Some(SearchTerm { waived: true, .. }) => Ok(vec![]),
            Some(SearchTerm { ends_on, .. }) if !state.figures(rules, now.date).search_term_waivable => {
                Err(BENEFIT_WAIVER_NOT_YET.with("day", now.date).with("until", ends_on))
            }
            Some(_) => Ok(vec![Event::SearchTermWaived]),
        },
        Command::Submit(signature) => {
            not_in_future("signed_on", signature.on, now)?;
            let mut draft = Draft::of(Some(state), state.client, &state.authority);
            match &state.application {
                Some(known) if known.signature == Some(*signature) => {}
                Some(_) => draft.push(Event::Signed(*signature)),
                None if state.grant.is_some() => return Err((&BENEFIT_DECIDED).into()),
                None => {
                    if state.reported_on.is_none() {
                        draft.push(Event::Reported { on: now.date, search_term: None });
                    }
                    draft.push(Event::Applied(applied(now.date, Some(*signature))));
                }
            }
            Ok(draft.events)
        }
        Command::Acknowledge => match state.pending()?.acknowledged_on {
            Some(_) => Ok(vec![]),
            None => Ok(vec![Event::Acknowledged { on: now.date }]),
        },
        Command::Ask { items, answer_by } => match &state.pending()?.question {
            Some(open) if open.answer_by == *answer_by && open.items == *items => Ok(vec![]),
            _ if *answer_by <= now.date => Err(BENEFIT_ANSWER_TERM_INVALID.with("answer_by", answer_by)),
            open => {
                let asked_on = open.as_ref().map_or(now.date, |open| open.asked_on);
                Ok(vec![Event::Asked(Question { asked_on, answer_by: *answer_by, items: items.clone() })])
            }
        },
        Command::Give => match &state.application {
            Some(Application { question: Some(_), .. }) => Ok(vec![Event::Given { on: now.date }]),
            _ => Ok(vec![]),
        },
        Command::PayAdvance { .. } => pay_advance(state, command, rules, now),
        Command::RefuseAdvance(ground) => {
            state.pending().map(|_| vec![Event::AdvanceRefused { ground: *ground, on: now.date }])
        }
        Command::Grant { .. } => grant(state, command, rules, now),
        Command::Refuse(ground) => match &state.application {
            None if state.refusal == Some(*ground) => Ok(vec![]),
            _ => {
                state.pending()?;
                let near = state.relocation.as_ref().filter(|one| {
                    state.running().is_none()
                        && days_between(now.date, one.lease_start_on) <= rules.policy.near_move_days
                });
                let raised = near.map(|one| Event::RefusedNearMove {
                    allocation: one.allocation,
                    lease_start_on: one.lease_start_on,
                });
                Ok([Event::Refused { ground: *ground, kind: state.kind() }].into_iter().chain(raised).collect())
            }
        },
        Command::StartPayment { from_on } => match state.granted()? {
            Grant { paid_from_on: Some(known), .. } if known == from_on => Ok(vec![]),
            grant if *from_on < grant.start_on => Err(BENEFIT_PAYMENT_BEFORE_START.with("start", grant.start_on)),
            _ => Ok(vec![Event::PaymentStarted { from_on: *from_on }]),
        },
        Command::End { ends_on, reason } => match state.granted()? {
            Grant { ended: Some((known, _)), .. } if known == ends_on => Ok(vec![]),
            grant if *ends_on < grant.since => Err(BENEFIT_PAYMENT_BEFORE_START.with("start", grant.since)),
            _ => Ok(vec![Event::Ended { ends_on: *ends_on, reason: *reason }]),
        },
        Command::WithdrawStart { allocation } => match &state.relocation {
            Some(known) if known.allocation == *allocation => {
                Ok(vec![Event::StartWithdrawn { allocation: *allocation }])
            }
            _ => Ok(vec![]),
        },
        Command::Withdraw(reason) => {
            let mut events = vec![];
            if let Some(grant) = state.running() {
                if *reason != WithdrawalReason::Died {
                    return Err((&BENEFIT_STILL_GRANTED).into());
                }
                events.push(Event::Ended { ends_on: now.date.max(grant.since), reason: EndReason::Died });
            }
            let allocation = state.relocation.as_ref().map(|one| one.allocation);
            events.push(Event::Withdrawn { reason: *reason, allocation });
            Ok(events)
        }
        Command::Wake => {
            let mut draft = Draft::of(Some(state), state.client, &state.authority);
            // An answer that did not come sets the decision term going again, which may be due at once.
            while let Some((_, alarm)) =
                draft.state.alarms(rules).first().filter(|(wake, _)| *wake <= now.date).copied()
            {
                draft.push(Event::Raised(alarm));
            }
            Ok(draft.events)
        }
        Command::Report { .. } | Command::Prepare { .. } | Command::Complete { .. } => Ok(vec![]),
    }
}

fn pay_advance(
    state: &BenefitRequest,
    command: &Command,
    rules: Rules<'_>,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    let Command::PayAdvance { amount, paid_on, circumstances, expectation } = command else { return Ok(vec![]) };
    state.pending()?;
    not_in_future("paid_on", *paid_on, now)?;
    let expectation = match *expectation {
        (None, None) => None,
        (Some(from), Some(until)) if from <= until => Some((from, until)),
        _ => {
            return Err(BENEFIT_EXPECTATION_INVALID.field(
                "expected_until",
                "does not go with expected_from_on",
                "past niet bij expected_from_on",
            ));
        }
    };
    let known = state.known(circumstances)?;
    let figures = state.figures(rules, *paid_on);
    // Where the figures of that day are not loaded, the amount is the paying officer's own.
    let least = standard::standard(figures, &known).map_or(Cents(1), |full| standard::least_advance(figures, full));
    if *amount < least {
        return Err(BENEFIT_ADVANCE_TOO_LOW.with("percent", figures.advance_percent).with("least", least));
    }
    let mut events = vec![];
    if state.circumstances.as_ref() != Some(&known) {
        events.push(Event::CircumstancesKnown(known));
    }
    events.push(Event::AdvancePaid { amount: *amount, paid_on: *paid_on, expectation });
    Ok(events)
}

fn grant(state: &BenefitRequest, command: &Command, rules: Rules<'_>, now: Moment) -> Result<Vec<Event>, Refusal> {
    let Command::Grant { start_on, circumstances, retroactive, old_ends_on } = command else { return Ok(vec![]) };
    if state.application.is_none() && state.grant.as_ref().is_some_and(|known| known.start_on == *start_on) {
        return Ok(vec![]);
    }
    if state.pending()?.signature.is_none() {
        return Err((&BENEFIT_UNSIGNED).into());
    }
    if let Some(search_term) = state.search_term.filter(|_| state.taken_up_on().is_some_and(|from| now.date < from)) {
        return Err(BENEFIT_SEARCH_TERM_RUNNING.with("until", search_term.ends_on));
    }
    let kind = state.kind();
    if kind != Kind::Change {
        check_start(state, *start_on, *retroactive, rules, now)?;
    }
    if kind == Kind::Transfer {
        let latest = start_on.saturating_sub(1.day());
        if old_ends_on.is_none_or(|old| old < latest) {
            return Err(BENEFIT_TRANSFER_GAP.with("start", start_on).with("latest", latest));
        }
    }
    let mut known = state.known(circumstances)?;
    if state.relocation.as_ref().is_some_and(|one| one.lease_start_on <= *start_on) {
        // The institution standard ends with the lease (R-INC-08).
        known.institution = false;
    }
    let before = state.running().cloned();
    let depends_on_move = before.is_some();
    let granted = Grant {
        since: before.as_ref().map_or(*start_on, |grant| grant.since),
        start_on: *start_on,
        standard: standard::standard(state.figures(rules, *start_on), &known),
        authority: state.authority.clone(),
        paid_from_on: before.as_ref().and_then(|grant| grant.paid_from_on),
        ended: None,
        for_allocation: state.relocation.as_ref().map(|one| one.allocation).filter(|_| depends_on_move),
        before: before.map(|grant| Box::new(Grant { before: None, ..grant })),
    };
    let mut draft = Draft::of(Some(state), state.client, &state.authority);
    if state.circumstances.as_ref() != Some(&known) {
        draft.push(Event::CircumstancesKnown(known));
    }
    let since = granted.since;
    draft.push(Event::Granted { grant: granted, kind });
    push_gap(&mut draft, since, rules);
    Ok(draft.events)
}

/// Not before the reporting day, unless a human finds a ground and the law allows it (R-INC-01, R-INC-02).
fn check_start(
    state: &BenefitRequest,
    start_on: Date,
    retroactive: Option<RetroactiveGround>,
    rules: Rules<'_>,
    now: Moment,
) -> Result<(), Refusal> {
    let reported = state.reported_on.unwrap_or(now.date);
    let back = reported.saturating_sub(state.figures(rules, now.date).retroactive_months.months());
    let earliest = if retroactive.is_some() { back } else { reported };
    if start_on < earliest {
        return Err(BENEFIT_START_TOO_EARLY.with("start", start_on).with("reported", reported).with("earliest", back));
    }
    Ok(())
}

/// A start after the lease start is told at once (R-INC-11).
fn push_gap(draft: &mut Draft, start_on: Date, rules: Rules<'_>) {
    if let Some(Move { allocation, lease_start_on, .. }) = draft.state.relocation
        && days_between(lease_start_on, start_on) > rules.policy.gap_days
    {
        draft.push(Event::GapDetected { allocation, lease_start_on, start_on });
    }
}

fn not_in_future(field: &'static str, day: Date, now: Moment) -> Result<(), Refusal> {
    if day > now.date {
        return Err(BENEFIT_DAY_IN_FUTURE.with("day", day).field(field, "lies in the future", "ligt in de toekomst"));
    }
    Ok(())
}

fn applied(on: Date, signature: Option<Signature>) -> Application {
    Application {
        applied_on: on,
        signature,
        acknowledged_on: None,
        question: None,
        standstill_days: 0,
        advanced_on: None,
        for_allocation: None,
        raised: vec![],
    }
}

#[cfg(test)]
mod tests;
