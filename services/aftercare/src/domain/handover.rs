//! The warm handover: from the giver who knows the client to the team of the new district (R-AFT-02).
//!
//! Until the receiver accepted, the giver stays responsible. Whoever must act has a term, is warned before its end, and
//! silence goes to the municipality, which assigns.

use super::{AllocationId, HandoverId, Policy, TEXT_LIMIT, check_text};
use jiff::ToSpan;
use kernel::{ClientId, Date, District, Moment, Municipality, Organisation, Refusal, Timestamp};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    HANDOVER_EXISTS: Taken, "P3",
        "This allocation has a handover with other facts.", "Deze toewijzing heeft al een overdracht met andere gegevens.",
        "Read the handover that there is, or cancel the allocation first.",
        "Lees de overdracht die er is, of trek eerst de toewijzing in.";
    HANDOVER_CANCELLED: Rule, "P4",
        "The handover was cancelled with its allocation.", "De overdracht is met de toewijzing vervallen.",
        "A new allocation gets a handover of its own.", "Een nieuwe toewijzing krijgt een eigen overdracht.";
    HANDOVER_INCOMPLETE: Malformed, "R-AFT-02",
        "The handover form is not complete.", "Het overdrachtsformulier is niet volledig.",
        "Fill in the named fields, together with the client.", "Vul de genoemde velden in, samen met de cliënt.";
    HANDOVER_NOT_DISCUSSED: Rule, "R-AFT-02",
        "The talk with the client about the handover is on {on}, which lies in the future.",
        "Het gesprek met de cliënt over de overdracht is op {on}, in de toekomst.",
        "Hand the form in after the talk.", "Lever het formulier in na het gesprek.";
    HANDOVER_NOT_FILLED: Rule, "R-AFT-02",
        "The giver has not filled the form yet.", "De overdragende partij heeft het formulier nog niet ingevuld.",
        "Wait for the form; the giver must hand it in by {due_on}.",
        "Wacht op het formulier; het moet er uiterlijk {due_on} zijn.";
    HANDOVER_ANSWERED: Rule, "R-AFT-02",
        "The receiver accepted the handover; it is settled.", "De ontvanger heeft de overdracht aanvaard; zij staat vast.",
        "Ask the municipality if the client needs another team.",
        "Vraag de gemeente als de cliënt een ander team nodig heeft.";
    HANDOVER_ASSIGNED: Rule, "R-AFT-02",
        "The municipality assigned this handover to your team.", "De gemeente heeft deze overdracht aan uw team toegewezen.",
        "Accept it, or talk to the municipality.", "Aanvaard haar, of overleg met de gemeente.";
    HANDOVER_NOT_OVERDUE: Rule, "R-AFT-02",
        "The receiver may still answer, until {due_on}.", "De ontvanger mag nog antwoorden, tot en met {due_on}.",
        "Assign it when the term has passed, or when it was returned.",
        "Wijs toe als de termijn voorbij is, of als de overdracht is teruggegeven.";
}

/// Which move, from whom to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// The client.
    pub client_id: ClientId,
    /// The allocation that this handover belongs to.
    pub allocation_id: AllocationId,
    /// The giver.
    pub from: Organisation,
    /// The receiver.
    pub to: Organisation,
    /// The municipality of the new address.
    pub municipality: Municipality,
    /// The district of the new address, if known.
    pub district: Option<District>,
    /// The expected day of the move.
    pub move_on: Date,
}

/// The form, as the giver fills it with the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the proto documents each field, once")]
pub struct Form {
    pub discussed_with_client_on: Option<Date>,
    pub guidance_needed: String,
    pub wishes_and_strengths: String,
    pub agreements: String,
    pub day_activity: String,
    pub network: String,
    pub safety: String,
    pub giver_contact: String,
    pub first_meeting_on: Option<Date>,
}

/// The term of whoever must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last day that is in time.
    pub on: Date,
    /// The day on which a warning goes out, as long as it did not.
    pub warn_on: Option<Date>,
    /// Whether it passed in silence and the municipality was told.
    pub overdue: bool,
}

/// Why a receiver returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the proto documents each reason, once")]
pub enum ReturnReason {
    Unclear,
    ClientNotHeard,
    OtherCareNeeded,
    NotOurDistrict,
    NoRoom,
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The giver fills the form.
    Giver,
    /// The receiver answers.
    Receiver,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The giver is to fill the form.
    Drafted(Due),
    /// The receiver is to answer.
    Filled(Due),
    /// The giver is to fill the form again.
    Returned(Due),
    /// The receiver is responsible.
    Accepted,
    /// The move fell through.
    Cancelled,
}

/// A handover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Its id.
    pub id: HandoverId,
    /// Which move, from whom to whom (now).
    pub brief: Brief,
    /// How far it is.
    pub stage: Stage,
    /// Whether the municipality assigned it: then it is not returned again.
    pub assigned: bool,
    /// The form, once filled.
    pub form: Option<Form>,
    /// Why it was returned last, and what the receiver wrote.
    pub returned: Option<(ReturnReason, String)>,
    /// When the form was filled for the first time.
    pub first_filled_at: Option<Timestamp>,
}

/// What somebody wants of a handover.
#[derive(Clone, Debug)]
pub enum Command {
    /// The giver hands in the form.
    Fill {
        /// The form.
        form: Form,
        /// Whether the giver is a women's shelter: safety is part of the form then (R-AFT-14).
        womens_shelter: bool,
    },
    /// The receiver takes over.
    Accept,
    /// The receiver returns it.
    Return {
        /// Why.
        reason: ReturnReason,
        /// What the giver should do about it.
        note: String,
    },
    /// The municipality assigns it.
    Assign {
        /// The team that takes it.
        to: Organisation,
    },
    /// The allocation fell through.
    Cancel,
    /// A term may have passed.
    Lapse,
}

impl Command {
    /// Whose it is to give, if it is one side's.
    pub fn party(&self) -> Option<Party> {
        match self {
            Command::Fill { .. } => Some(Party::Giver),
            Command::Accept | Command::Return { .. } => Some(Party::Receiver),
            Command::Assign { .. } | Command::Cancel | Command::Lapse => None,
        }
    }
}

/// What happened to a handover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the commands and the state")]
pub enum Event {
    Drafted { id: HandoverId, brief: Brief, due: Due },
    Filled { form: Form, at: Timestamp, due: Due },
    FormReplaced { form: Form },
    Accepted { answer_days: i32 },
    Returned { reason: ReturnReason, note: String, due: Due },
    Reassigned { to: Organisation, previous: Organisation, due: Due },
    Cancelled,
    DueSoon { party: Party, on: Date },
    Overdue { party: Party, on: Date },
}

/// Opens the handover of an allocation; there is exactly one (P3).
pub fn draft(
    existing: Option<&Handover>,
    id: HandoverId,
    brief: Brief,
    policy: &Policy,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    match existing {
        None => {
            // Complete before the move, however short that is (R-AFT-02).
            let eve = brief.move_on.saturating_sub(1.day()).max(now.date);
            let due = due(policy, policy.handover_fill_working_days, eve, now);
            Ok(vec![Event::Drafted { id, brief, due }])
        }
        Some(Handover { stage: Stage::Cancelled, .. }) => Err((&HANDOVER_CANCELLED).into()),
        // The receiver may be another one by now; what was asked for is what counts.
        Some(there) if there.assigned && Brief { to: brief.to.clone(), ..there.brief.clone() } == brief => Ok(vec![]),
        Some(there) if there.brief == brief => Ok(vec![]),
        Some(_) => Err((&HANDOVER_EXISTS).into()),
    }
}

/// What may happen to a handover, and when. Pure: same arguments, same answer.
pub fn decide(state: &Handover, command: &Command, policy: &Policy, now: Moment) -> Result<Vec<Event>, Refusal> {
    let answer_due = || due(policy, policy.handover_answer_working_days, Date::MAX, now);
    match (&state.stage, command) {
        (Stage::Cancelled, Command::Cancel | Command::Lapse) => Ok(vec![]),
        (_, Command::Cancel) => Ok(vec![Event::Cancelled]),
        (Stage::Cancelled, _) => Err((&HANDOVER_CANCELLED).into()),

        (Stage::Accepted, Command::Fill { .. }) if state.is_same_form(command) => Ok(vec![]),
        (Stage::Accepted, Command::Accept | Command::Lapse) => Ok(vec![]),
        (Stage::Accepted, Command::Assign { to }) if *to == state.brief.to => Ok(vec![]),
        (Stage::Accepted, _) => Err((&HANDOVER_ANSWERED).into()),

        (Stage::Filled(_), Command::Fill { .. }) if state.is_same_form(command) => Ok(vec![]),
        (stage, Command::Fill { form, womens_shelter }) => {
            check_form(form, *womens_shelter, now)?;
            Ok(vec![match stage {
                Stage::Filled(_) => Event::FormReplaced { form: form.clone() },
                _ => Event::Filled { form: form.clone(), at: now.at, due: answer_due() },
            }])
        }

        (Stage::Filled(_), Command::Accept) => {
            let since = state.first_filled_at.map_or(now.date, |at| Moment::of(at).date);
            Ok(vec![Event::Accepted { answer_days: days_between(since, now.date) }])
        }
        (Stage::Filled(_), Command::Return { .. }) if state.assigned => Err((&HANDOVER_ASSIGNED).into()),
        (Stage::Filled(_), Command::Return { reason, note }) => Ok(vec![Event::Returned {
            reason: *reason,
            note: note.clone(),
            due: due(policy, policy.handover_fill_working_days, Date::MAX, now),
        }]),
        (Stage::Returned(_), Command::Return { reason, .. })
            if state.returned.as_ref().is_some_and(|(earlier, _)| earlier == reason) =>
        {
            Ok(vec![])
        }

        (Stage::Filled(_), Command::Assign { to }) if state.assigned && *to == state.brief.to => Ok(vec![]),
        (Stage::Filled(due), Command::Assign { .. }) if !due.overdue && now.date <= due.on => {
            Err(HANDOVER_NOT_OVERDUE.with("due_on", due.on))
        }
        // What was returned has a form: the municipality may give it to a team that must take it.
        (Stage::Filled(_) | Stage::Returned(_), Command::Assign { to }) => {
            Ok(vec![Event::Reassigned { to: to.clone(), previous: state.brief.to.clone(), due: answer_due() }])
        }
        (
            Stage::Drafted(due) | Stage::Returned(due),
            Command::Accept | Command::Return { .. } | Command::Assign { .. },
        ) => Err(HANDOVER_NOT_FILLED.with("due_on", due.on)),

        (Stage::Drafted(due) | Stage::Returned(due), Command::Lapse) => Ok(lapse(Party::Giver, due, now)),
        (Stage::Filled(due), Command::Lapse) => Ok(lapse(Party::Receiver, due, now)),
    }
}

/// The handover after an event; `state` is absent before it is drafted.
pub fn apply(state: Option<Handover>, event: &Event) -> Option<Handover> {
    if let Event::Drafted { id, brief, due } = event {
        return Some(Handover {
            id: *id,
            brief: brief.clone(),
            stage: Stage::Drafted(*due),
            assigned: false,
            form: None,
            returned: None,
            first_filled_at: None,
        });
    }
    let mut state = state?;
    match event {
        Event::Drafted { .. } => {}
        Event::Filled { form, at, due } => {
            state.form = Some(form.clone());
            state.first_filled_at.get_or_insert(*at);
            state.stage = Stage::Filled(*due);
        }
        Event::FormReplaced { form } => state.form = Some(form.clone()),
        Event::Accepted { .. } => state.stage = Stage::Accepted,
        Event::Returned { reason, note, due } => {
            state.returned = Some((*reason, note.clone()));
            state.stage = Stage::Returned(*due);
        }
        Event::Reassigned { to, due, .. } => {
            state.brief.to = to.clone();
            state.assigned = true;
            state.stage = Stage::Filled(*due);
        }
        Event::Cancelled => state.stage = Stage::Cancelled,
        Event::DueSoon { .. } => {
            if let Some(due) = state.due_mut() {
                due.warn_on = None;
            }
        }
        Event::Overdue { .. } => {
            if let Some(due) = state.due_mut() {
                *due = Due { on: due.on, warn_on: None, overdue: true };
            }
        }
    }
    Some(state)
}

impl Handover {
    /// Who must act, and by when; nobody once it is settled.
    pub fn waiting_for(&self) -> Option<(Party, &Due)> {
        match &self.stage {
            Stage::Drafted(due) | Stage::Returned(due) => Some((Party::Giver, due)),
            Stage::Filled(due) => Some((Party::Receiver, due)),
            Stage::Accepted | Stage::Cancelled => None,
        }
    }

    /// The organisation that is responsible for the client: the giver until the receiver accepted (R-AFT-02).
    pub fn responsible(&self) -> &Organisation {
        if self.stage == Stage::Accepted { &self.brief.to } else { &self.brief.from }
    }

    /// The organisation of a party.
    pub fn organisation(&self, party: Party) -> &Organisation {
        match party {
            Party::Giver => &self.brief.from,
            Party::Receiver => &self.brief.to,
        }
    }

    /// When it must be looked at again.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let (_, due) = self.waiting_for().filter(|(_, due)| !due.overdue)?;
        Some(Moment::start_of(due.warn_on.unwrap_or(due.on.saturating_add(1.day()))).at)
    }

    fn due_mut(&mut self) -> Option<&mut Due> {
        match &mut self.stage {
            Stage::Drafted(due) | Stage::Returned(due) | Stage::Filled(due) => Some(due),
            Stage::Accepted | Stage::Cancelled => None,
        }
    }

    fn is_same_form(&self, command: &Command) -> bool {
        matches!(command, Command::Fill { form, .. } if self.form.as_ref() == Some(form))
    }
}

/// A term of working days from today, at the latest on `latest`, with its warning if there is time for one.
fn due(policy: &Policy, working_days: i32, latest: Date, now: Moment) -> Due {
    let calendar = &policy.calendar;
    let on = calendar.add_working_days(now.date, working_days).min(latest);
    let warn_on = calendar.add_working_days(on, -policy.handover_warn_working_days);
    Due { on, warn_on: (warn_on > now.date).then_some(warn_on), overdue: false }
}

/// Warned before the end, told to the municipality after it, each once (P7).
fn lapse(party: Party, due: &Due, now: Moment) -> Vec<Event> {
    if due.overdue {
        vec![]
    } else if now.date > due.on {
        vec![Event::Overdue { party, on: due.on }]
    } else if due.warn_on.is_some_and(|on| now.date >= on) {
        vec![Event::DueSoon { party, on: due.on }]
    } else {
        vec![]
    }
}

/// Complete, and discussed with the client (R-AFT-02); with safety from a women's shelter (R-AFT-14).
fn check_form(form: &Form, womens_shelter: bool, now: Moment) -> Result<(), Refusal> {
    let mut refusal = Refusal::from(&HANDOVER_INCOMPLETE);
    for (path, text, limit) in [
        ("form.guidance_needed", &form.guidance_needed, TEXT_LIMIT),
        ("form.wishes_and_strengths", &form.wishes_and_strengths, TEXT_LIMIT),
        ("form.agreements", &form.agreements, TEXT_LIMIT),
        ("form.day_activity", &form.day_activity, TEXT_LIMIT),
        ("form.network", &form.network, TEXT_LIMIT),
        ("form.giver_contact", &form.giver_contact, 400),
    ] {
        check_text(&mut refusal.fields, path, text, limit);
    }
    if womens_shelter || !form.safety.is_empty() {
        check_text(&mut refusal.fields, "form.safety", &form.safety, TEXT_LIMIT);
    }
    for (path, date) in [
        ("form.discussed_with_client_on", form.discussed_with_client_on),
        ("form.first_meeting_on", form.first_meeting_on),
    ] {
        if date.is_none() {
            refusal = refusal.field(path, "is required", "is verplicht");
        }
    }
    match form.discussed_with_client_on {
        _ if !refusal.fields.is_empty() => Err(refusal),
        Some(on) if on > now.date => Err(HANDOVER_NOT_DISCUSSED.with("on", on)),
        _ => Ok(()),
    }
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const MONDAY: Date = date(2026, 3, 2);

    fn on(date: Date) -> Moment {
        Moment::at_hour(date, 10)
    }

    fn brief() -> Brief {
        Brief {
            client_id: ClientId(kernel::Uuid::from_u128(1)),
            allocation_id: AllocationId(kernel::Uuid::from_u128(2)),
            from: Organisation::parse("o", "leger").unwrap(),
            to: Organisation::parse("o", "wijkteam-west").unwrap(),
            municipality: Municipality::parse("m", "0505").unwrap(),
            district: None,
            move_on: date(2026, 3, 16),
        }
    }

    fn form() -> Form {
        let text = || "in samenspraak".to_owned();
        Form {
            discussed_with_client_on: Some(MONDAY),
            guidance_needed: text(),
            wishes_and_strengths: text(),
            agreements: text(),
            day_activity: text(),
            network: text(),
            safety: String::new(),
            giver_contact: text(),
            first_meeting_on: Some(date(2026, 3, 10)),
        }
    }

    fn fill() -> Command {
        Command::Fill { form: form(), womens_shelter: false }
    }

    fn send_back(reason: ReturnReason) -> Command {
        Command::Return { reason, note: "bel eerst".to_owned() }
    }

    fn assign(to: &str) -> Command {
        Command::Assign { to: Organisation::parse("o", to).unwrap() }
    }

    fn drafted() -> Handover {
        let id = HandoverId(kernel::Uuid::from_u128(3));
        let events = draft(None, id, brief(), &Policy::for_tests(), on(MONDAY)).unwrap();
        events.iter().fold(None, apply).unwrap()
    }

    /// Carries out commands on their days; the last one's answer is returned with the state.
    fn given(commands: &[(Date, Command)]) -> (Handover, Result<Vec<Event>, Refusal>) {
        let mut answer = Ok(vec![]);
        let mut state = drafted();
        for (day, command) in commands {
            answer = decide(&state, command, &Policy::for_tests(), on(*day));
            let events = answer.as_deref().unwrap_or_default();
            state = events.iter().fold(Some(state), apply).unwrap();
        }
        (state, answer)
    }

    fn refused(commands: &[(Date, Command)]) -> &'static str {
        given(commands).1.unwrap_err().reason.code
    }

    /// P3
    #[test]
    fn an_allocation_has_exactly_one_handover() {
        let (policy, other) = (Policy::for_tests(), HandoverId(kernel::Uuid::from_u128(9)));
        let there = drafted();
        assert_eq!(draft(Some(&there), other, brief(), &policy, on(MONDAY)), Ok(vec![]));
        let elsewhere = Brief { from: Organisation::parse("o", "lister").unwrap(), ..brief() };
        let refusal = draft(Some(&there), other, elsewhere, &policy, on(MONDAY)).unwrap_err();
        assert_eq!(refusal.reason.code, "HANDOVER_EXISTS");
        let (cancelled, _) = given(&[(MONDAY, Command::Cancel)]);
        let refusal = draft(Some(&cancelled), other, brief(), &policy, on(MONDAY)).unwrap_err();
        assert_eq!(refusal.reason.code, "HANDOVER_CANCELLED");
    }

    /// P3
    #[test]
    fn drafting_again_after_an_assignment_changes_nothing() {
        let (state, _) =
            given(&[(MONDAY, fill()), (MONDAY, send_back(ReturnReason::NoRoom)), (MONDAY, assign("wijkteam-oost"))]);
        assert_eq!(draft(Some(&state), state.id, brief(), &Policy::for_tests(), on(MONDAY)), Ok(vec![]));
    }

    /// R-AFT-02
    #[test]
    fn the_form_is_due_in_three_working_days_and_always_before_the_move() {
        let due = |move_on| {
            let brief = Brief { move_on, ..brief() };
            let events = draft(None, drafted().id, brief, &Policy::for_tests(), on(MONDAY)).unwrap();
            let state = events.iter().fold(None, apply).unwrap();
            state.waiting_for().unwrap().1.on
        };
        assert_eq!(due(date(2026, 3, 16)), date(2026, 3, 5));
        assert_eq!(due(date(2026, 3, 4)), date(2026, 3, 3));
        assert_eq!(due(date(2026, 3, 1)), MONDAY);
    }

    /// R-AFT-02
    #[test]
    fn an_incomplete_form_is_refused_with_every_missing_field() {
        let empty = Form { guidance_needed: " ".into(), network: String::new(), first_meeting_on: None, ..form() };
        let (_, answer) = given(&[(MONDAY, Command::Fill { form: empty, womens_shelter: false })]);
        let refusal = answer.unwrap_err();
        assert_eq!(refusal.reason.code, "HANDOVER_INCOMPLETE");
        let paths: Vec<_> = refusal.fields.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["form.guidance_needed", "form.network", "form.first_meeting_on"]);
    }

    /// R-AFT-14
    #[test]
    fn a_womens_shelter_hands_over_safety_as_well() {
        assert_eq!(refused(&[(MONDAY, Command::Fill { form: form(), womens_shelter: true })]), "HANDOVER_INCOMPLETE");
        let safe = Form { safety: "afspraken met Veilig Thuis".into(), ..form() };
        assert!(given(&[(MONDAY, Command::Fill { form: safe, womens_shelter: true })]).1.is_ok());
    }

    /// R-AFT-02
    #[test]
    fn a_form_that_is_still_to_be_discussed_is_refused() {
        let early = Form { discussed_with_client_on: Some(date(2026, 3, 3)), ..form() };
        assert_eq!(
            refused(&[(MONDAY, Command::Fill { form: early, womens_shelter: false })]),
            "HANDOVER_NOT_DISCUSSED"
        );
    }

    /// R-AFT-02
    #[test]
    fn the_giver_stays_responsible_until_the_receiver_accepted() {
        let steps = [(MONDAY, fill()), (MONDAY, send_back(ReturnReason::Unclear)), (MONDAY, fill())];
        for n in 0..=steps.len() {
            assert_eq!(given(&steps[..n]).0.responsible().as_str(), "leger", "after {n} steps");
        }
        let (state, answer) = given(&[(MONDAY, fill()), (date(2026, 3, 4), Command::Accept)]);
        assert_eq!(answer, Ok(vec![Event::Accepted { answer_days: 2 }]));
        assert_eq!(state.responsible().as_str(), "wijkteam-west");
    }

    /// R-AFT-02
    #[test]
    fn silence_of_either_side_is_warned_of_and_then_goes_to_the_municipality_once() {
        for (first, party, due_on) in
            [(None, Party::Giver, date(2026, 3, 5)), (Some((MONDAY, fill())), Party::Receiver, date(2026, 3, 4))]
        {
            let with = |days: &[Date]| {
                let lapses = days.iter().map(|day| (*day, Command::Lapse));
                given(&first.clone().into_iter().chain(lapses).collect::<Vec<_>>())
            };
            let (eve, after) = (due_on.yesterday().unwrap(), due_on.tomorrow().unwrap());
            assert_eq!(with(&[eve]).1, Ok(vec![Event::DueSoon { party, on: due_on }]));
            assert_eq!(with(&[eve, due_on]).1, Ok(vec![]));
            assert_eq!(with(&[eve, after]).1, Ok(vec![Event::Overdue { party, on: due_on }]));
            assert_eq!(with(&[after, after]).1, Ok(vec![]));
            assert_eq!(with(&[eve]).0.wake_at(), Some(Moment::start_of(after).at));
            assert_eq!(with(&[after]).0.wake_at(), None);
        }
    }

    /// R-AFT-02
    #[test]
    fn the_municipality_assigns_after_silence_or_a_return_and_then_it_is_not_returned() {
        let late = date(2026, 3, 6);
        assert_eq!(refused(&[(MONDAY, fill()), (MONDAY, assign("wijkteam-oost"))]), "HANDOVER_NOT_OVERDUE");
        assert_eq!(refused(&[(MONDAY, assign("wijkteam-oost"))]), "HANDOVER_NOT_FILLED");
        for before in [(late, Command::Lapse), (MONDAY, send_back(ReturnReason::NotOurDistrict))] {
            let steps = [(MONDAY, fill()), before, (late, assign("wijkteam-oost"))];
            let (state, _) = given(&steps);
            assert_eq!((state.brief.to.as_str(), state.assigned), ("wijkteam-oost", true));
            let then = |command| [&steps[..], &[(late, command)]].concat();
            assert_eq!(refused(&then(send_back(ReturnReason::NoRoom))), "HANDOVER_ASSIGNED");
            assert_eq!(given(&then(assign("wijkteam-oost"))).1, Ok(vec![]));
            assert!(given(&then(Command::Accept)).1.is_ok());
        }
    }

    /// R-AFT-02
    #[test]
    fn a_returned_handover_is_filled_again_with_a_new_term() {
        let thursday = date(2026, 3, 5);
        let steps = [(MONDAY, fill()), (thursday, send_back(ReturnReason::Unclear))];
        assert_eq!(refused(&[&steps[..], &[(thursday, Command::Accept)]].concat()), "HANDOVER_NOT_FILLED");
        let (state, _) = given(&[&steps[..], &[(thursday, fill())]].concat());
        assert_eq!(state.waiting_for().unwrap().1.on, date(2026, 3, 9));
    }

    /// P4
    #[test]
    fn a_cancelled_handover_is_over_for_everybody() {
        for command in [fill(), Command::Accept, send_back(ReturnReason::NoRoom), assign("wijkteam-oost")] {
            assert_eq!(refused(&[(MONDAY, Command::Cancel), (MONDAY, command)]), "HANDOVER_CANCELLED");
        }
    }

    /// R-AFT-02
    #[test]
    fn what_was_accepted_is_settled() {
        let changed = Command::Fill { form: Form { network: "zus".into(), ..form() }, womens_shelter: false };
        for command in [changed, send_back(ReturnReason::NoRoom), assign("wijkteam-oost")] {
            assert_eq!(refused(&[(MONDAY, fill()), (MONDAY, Command::Accept), (MONDAY, command)]), "HANDOVER_ANSWERED");
        }
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop_oneof![
            Just(fill()),
            Just(Command::Accept),
            Just(send_back(ReturnReason::Unclear)),
            Just(send_back(ReturnReason::NoRoom)),
            Just(assign("wijkteam-oost")),
            Just(assign("wijkteam-west")),
            Just(Command::Cancel),
            Just(Command::Lapse),
        ]
    }

    proptest! {
        /// P3
        #[test]
        fn the_same_wish_twice_changes_nothing_the_second_time(
            steps in proptest::collection::vec((0i32..12, any_command()), 0..8),
            last in any_command(),
        ) {
            let mut day = MONDAY;
            let mut walk = Vec::new();
            for (days, command) in steps {
                day = day.saturating_add(days.days());
                walk.push((day, command));
            }
            walk.push((day, last.clone()));
            let (state, first) = given(&walk);
            if first.is_ok() {
                prop_assert_eq!(decide(&state, &last, &Policy::for_tests(), on(day)), Ok(vec![]));
            }
        }

        /// P7
        #[test]
        fn a_handover_that_waits_wakes_or_is_with_the_municipality(
            steps in proptest::collection::vec(any_command(), 0..8),
        ) {
            let walk: Vec<_> = steps.into_iter().map(|command| (MONDAY, command)).collect();
            let (state, _) = given(&walk);
            if let Some((_, due)) = state.waiting_for() {
                prop_assert!(due.overdue || state.wake_at().is_some());
            }
        }
    }
}
