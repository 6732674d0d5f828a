use super::*;
use crate::domain::testing::{Book, allocation, client, dordrecht, on, zwijndrecht};
use jiff::civil::date;
use proptest::prelude::*;

/// A request and the book of rules, told as a story: each step a day and a command.
struct Story {
    book: Book,
    state: Option<BenefitRequest>,
}

type Codes = Result<Vec<Event>, &'static str>;

impl Story {
    fn new() -> Self {
        Self { book: Book::new(), state: None }
    }

    fn does(&mut self, day: Date, command: Command) -> Codes {
        let events = decide(self.state.as_ref(), &command, self.book.rules(day), on(day));
        for event in events.iter().flatten() {
            self.state = apply(self.state.take(), event);
        }
        events.map_err(|refusal| refusal.reason.code)
    }

    fn with(mut self, day: Date, command: Command) -> Self {
        self.does(day, command).unwrap();
        self
    }

    fn state(&self) -> &BenefitRequest {
        self.state.as_ref().unwrap()
    }

    fn decision_due(&self) -> Option<Date> {
        self.state().decision_due_on(self.book.rules(date(2026, 1, 1)))
    }

    /// Wakes when due until the given day, and tells what was raised when.
    fn sleeps_until(&mut self, day: Date) -> Vec<(Date, Watch)> {
        let mut raised = vec![];
        while let Some(due) = self.state().wake_on(self.book.rules(day)).filter(|due| *due <= day) {
            for event in self.does(due, Command::Wake).unwrap() {
                if let Event::Raised(alarm) = event {
                    raised.push((due, alarm.watch));
                }
            }
        }
        raised
    }
}

fn alone(age: i32) -> Circumstances {
    Circumstances { age, partner: false, cost_sharers: 0, institution: false }
}

fn report(day: Date) -> Command {
    Command::Report {
        client: client(),
        municipality: dordrecht(),
        on: day,
        circumstances: Some(alone(40)),
        partner: None,
        partner_open: false,
        running_at: None,
        previous_ended_on: None,
    }
}

fn young(day: Date) -> Command {
    match report(day) {
        Command::Report { client, municipality, on, .. } => Command::Report {
            client,
            municipality,
            on,
            circumstances: Some(alone(20)),
            partner: None,
            partner_open: false,
            running_at: None,
            previous_ended_on: None,
        },
        other => other,
    }
}

fn complete(n: u128, lease_start_on: Date) -> Command {
    Command::Complete {
        client: client(),
        allocation: allocation(n),
        lease_start_on,
        municipality: dordrecht(),
        rent: Cents(60_000),
    }
}

fn submit(day: Date) -> Command {
    Command::Submit(Signature { by: Signatory::Client, on: day })
}

fn grant_from(start_on: Date) -> Command {
    Command::Grant { start_on, circumstances: None, retroactive: None, old_ends_on: None }
}

fn advance(amount: i64, paid_on: Date) -> Command {
    Command::PayAdvance { amount: Cents(amount), paid_on, circumstances: None, expectation: (None, None) }
}

/// The 13th of April 2026: everything is reported and signed; terms run from here.
const DAY: Date = Date::constant(2026, 4, 13);

fn applied_for() -> Story {
    Story::new().with(DAY, report(DAY)).with(DAY, submit(DAY))
}

fn starts(events: &Codes) -> usize {
    events.iter().flatten().filter(|event| matches!(event, Event::Completed { .. })).count()
}

/// R-INC-01
#[test]
fn the_reporting_day_is_the_earliest_start() {
    let mut story = applied_for();
    assert_eq!(story.does(DAY, grant_from(date(2026, 4, 12))), Err("BENEFIT_START_TOO_EARLY"));
    let granted = story.does(DAY, grant_from(DAY)).unwrap();
    assert!(matches!(&granted[..], [Event::Granted { grant: Grant { standard: Some(Cents(140_150)), .. }, .. }]));
    // An earlier report counts; a later one does not; one in the future is no report.
    let mut story = Story::new().with(DAY, report(DAY)).with(DAY, report(date(2026, 4, 10)));
    assert_eq!(story.does(DAY, report(DAY)), Ok(vec![]));
    assert_eq!(story.state().reported_on, Some(date(2026, 4, 10)));
    assert_eq!(story.does(DAY, report(date(2026, 4, 14))), Err("BENEFIT_DAY_IN_FUTURE"));
}

/// R-INC-02
#[test]
fn a_human_may_grant_up_to_three_months_back_from_2026_on() {
    let back = |start_on, retroactive| Command::Grant { start_on, circumstances: None, retroactive, old_ends_on: None };
    let ground = Some(RetroactiveGround::CouldNotReport);
    for (start_on, retroactive, passes) in
        [(date(2026, 1, 13), ground, true), (date(2026, 1, 12), ground, false), (date(2026, 1, 13), None, false)]
    {
        assert_eq!(applied_for().does(DAY, back(start_on, retroactive)).is_ok(), passes, "{start_on}");
    }
    let day = date(2025, 4, 14);
    let mut before = Story::new().with(day, report(day)).with(day, submit(day));
    assert_eq!(before.does(day, back(date(2025, 4, 13), ground)), Err("BENEFIT_START_TOO_EARLY"));
}

/// R-INC-03, R-REG-07
#[test]
fn a_decision_is_due_eight_weeks_after_the_application() {
    assert_eq!(applied_for().decision_due(), Some(date(2026, 6, 8)));
    // Eight weeks after 30 March is Whit Monday: the next working day.
    let day = date(2026, 3, 30);
    let story = Story::new().with(day, report(day)).with(day, submit(day));
    assert_eq!(story.decision_due(), Some(date(2026, 5, 26)));
}

/// R-REG-10
#[test]
fn the_decision_term_stands_still_while_the_applicant_completes_the_application() {
    let ask = |answer_by| Command::Ask { items: vec![Item::BankStatements], answer_by };
    let mut story = applied_for();
    assert_eq!(story.does(DAY, ask(DAY)), Err("BENEFIT_ANSWER_TERM_INVALID"));
    story.does(DAY, ask(date(2026, 4, 27))).unwrap();
    assert_eq!(story.does(DAY, ask(date(2026, 4, 27))), Ok(vec![]));
    assert_eq!((story.decision_due(), story.state().stage()), (None, Stage::AwaitingInformation));
    // Ten days still, then on.
    story.does(date(2026, 4, 23), Command::Give).unwrap();
    assert_eq!(story.decision_due(), Some(date(2026, 6, 18)));
    assert_eq!(story.does(date(2026, 4, 24), Command::Give), Ok(vec![]));
    // An answer that never comes: the term runs on from the last day to answer, and it is told.
    let mut silent = applied_for().with(DAY, Command::Acknowledge).with(DAY, ask(date(2026, 4, 20)));
    assert_eq!(
        silent.sleeps_until(date(2026, 4, 21)),
        [(date(2026, 4, 17), Watch::InformationSoon), (date(2026, 4, 21), Watch::InformationOverdue)]
    );
    assert_eq!(silent.decision_due(), Some(date(2026, 6, 15)));
}

/// P7, R-INC-03, R-INC-04
#[test]
fn nothing_lapses_without_a_warning_before() {
    let mut story = applied_for();
    assert_eq!(
        story.sleeps_until(date(2026, 12, 31)),
        [
            (date(2026, 4, 16), Watch::Unacknowledged),
            (date(2026, 5, 4), Watch::AdvanceSoon),
            (date(2026, 5, 12), Watch::AdvanceOverdue),
            (date(2026, 5, 25), Watch::DecisionSoon),
            (date(2026, 6, 9), Watch::DecisionOverdue),
        ]
    );
    assert_eq!(story.does(date(2026, 12, 31), Command::Wake), Ok(vec![]));
}

/// R-INC-04
#[test]
fn an_advance_is_due_after_four_weeks_and_every_four_weeks_until_decided() {
    let mut story = applied_for();
    let due = |story: &Story| story.state().advance_due_on(story.book.rules(DAY));
    assert_eq!(due(&story), Some(date(2026, 5, 11)));
    assert_eq!(story.does(date(2026, 5, 4), advance(133_142, date(2026, 5, 4))), Err("BENEFIT_ADVANCE_TOO_LOW"));
    story.does(date(2026, 5, 4), advance(133_143, date(2026, 5, 4))).unwrap();
    assert_eq!(due(&story), Some(date(2026, 6, 1)));
    story.does(date(2026, 5, 29), Command::RefuseAdvance(AdvanceRefusalGround::DataCulpablyMissing)).unwrap();
    assert_eq!(due(&story), Some(date(2026, 6, 26)));
    story.does(date(2026, 6, 8), grant_from(DAY)).unwrap();
    assert_eq!(due(&story), None);
    assert_eq!(story.does(date(2026, 6, 8), advance(133_143, date(2026, 6, 8))), Err("BENEFIT_DECIDED"));
    assert_eq!(story.state().advances, Cents(133_143));
}

/// R-INC-04, P2
#[test]
fn an_expectation_has_a_first_and_a_last_day() {
    for (expectation, passes) in [
        ((None, None), true),
        ((Some(DAY), Some(DAY)), true),
        ((Some(DAY), None), false),
        ((None, Some(DAY)), false),
        ((Some(DAY), Some(date(2026, 4, 12))), false),
    ] {
        let pay = Command::PayAdvance { amount: Cents(140_150), paid_on: DAY, circumstances: None, expectation };
        assert_eq!(applied_for().does(DAY, pay).is_ok(), passes, "{expectation:?}");
    }
}

/// R-INC-05
#[test]
fn the_young_wait_four_weeks_unless_it_is_waived() {
    let mut story = Story::new().with(DAY, young(DAY)).with(DAY, submit(DAY));
    assert!(story.state().search_term.is_some_and(|term| term.waiver_proposed && term.ends_on == date(2026, 5, 11)));
    assert_eq!(story.decision_due(), Some(date(2026, 7, 7)));
    assert_eq!(story.does(date(2026, 5, 11), grant_from(DAY)), Err("BENEFIT_SEARCH_TERM_RUNNING"));
    assert_eq!(story.does(DAY, Command::WaiveSearchTerm), Ok(vec![Event::SearchTermWaived]));
    assert_eq!(story.does(DAY, Command::WaiveSearchTerm), Ok(vec![]));
    assert_eq!(story.decision_due(), Some(date(2026, 6, 8)));
    assert!(story.does(DAY, grant_from(DAY)).is_ok());
    assert_eq!(applied_for().does(DAY, Command::WaiveSearchTerm), Err("BENEFIT_NO_SEARCH_TERM"));
    let day = date(2025, 4, 14);
    let mut before = Story::new().with(day, young(day));
    assert!(!before.state().search_term.is_some_and(|term| term.waiver_proposed));
    assert_eq!(before.does(day, Command::WaiveSearchTerm), Err("BENEFIT_WAIVER_NOT_YET"));
}

/// R-INC-08
#[test]
fn the_institution_standard_ends_with_the_lease() {
    let lease = date(2026, 5, 1);
    let inside = Some(Circumstances { institution: true, ..alone(40) });
    let mut story = applied_for().with(DAY, complete(1, lease));
    let grant = Command::Grant { start_on: lease, circumstances: inside, retroactive: None, old_ends_on: None };
    story.does(DAY, grant).unwrap();
    assert_eq!(story.state().grant.as_ref().unwrap().standard, Some(Cents(140_150)));
}

/// R-INC-11, P2
#[test]
fn a_start_after_the_lease_start_is_told_at_once() {
    let gap = |start_on| Event::GapDetected { allocation: allocation(1), lease_start_on: date(2026, 4, 1), start_on };
    // Nobody reported before the acceptance: the completion itself is the report, and comes too late.
    let mut story = Story::new();
    assert!(story.does(DAY, complete(1, date(2026, 4, 1))).unwrap().contains(&gap(DAY)));
    assert_eq!(story.state().gap_days(), 12);
    // In time: no gap. Granted later than the lease: a gap after all.
    let lease = date(2026, 5, 1);
    let mut story = applied_for();
    let completed = story.does(DAY, complete(1, lease)).unwrap();
    assert!(!completed.iter().any(|event| matches!(event, Event::GapDetected { .. })));
    assert_eq!(story.state().relocation.as_ref().unwrap().start_on, lease);
    let granted = story.does(DAY, grant_from(date(2026, 5, 8))).unwrap();
    assert!(granted.contains(&Event::GapDetected {
        allocation: allocation(1),
        lease_start_on: lease,
        start_on: date(2026, 5, 8)
    }));
}

/// R-INC-12
#[test]
fn a_benefit_that_ended_less_than_a_year_ago_allows_a_short_reapplication() {
    for (ended, short) in [(date(2025, 4, 14), true), (date(2025, 4, 13), false)] {
        let again = match report(DAY) {
            Command::Report { client, municipality, on, circumstances, partner, partner_open, running_at, .. } => {
                let previous_ended_on = Some(ended);
                Command::Report {
                    client,
                    municipality,
                    on,
                    circumstances,
                    partner,
                    partner_open,
                    running_at,
                    previous_ended_on,
                }
            }
            other => other,
        };
        assert_eq!(Story::new().with(DAY, again).state().short_reapplication, short, "{ended}");
    }
}

/// R-INC-25
#[test]
fn the_client_signs_and_there_is_one_request_per_household() {
    let mut story = Story::new().with(DAY, report(DAY));
    assert_eq!(story.does(DAY, grant_from(DAY)), Err("BENEFIT_NOT_APPLIED"));
    assert_eq!(story.does(DAY, Command::Acknowledge), Err("BENEFIT_NOT_APPLIED"));
    story.does(DAY, complete(1, date(2026, 5, 1))).unwrap();
    assert_eq!(story.does(DAY, grant_from(date(2026, 5, 1))), Err("BENEFIT_UNSIGNED"));
    assert_eq!(story.does(DAY, submit(date(2026, 4, 14))), Err("BENEFIT_DAY_IN_FUTURE"));
    story.does(DAY, submit(DAY)).unwrap();
    assert_eq!(story.does(DAY, submit(DAY)), Ok(vec![]));
    assert!(story.does(DAY, grant_from(date(2026, 5, 1))).is_ok());
    assert_eq!(story.does(DAY, submit(DAY)), Err("BENEFIT_DECIDED"));
    let partner = match report(DAY) {
        Command::Report { client, municipality, on, circumstances, running_at, previous_ended_on, .. } => {
            Command::Report {
                client,
                municipality,
                on,
                circumstances,
                partner: Some(client),
                partner_open: true,
                running_at,
                previous_ended_on,
            }
        }
        other => other,
    };
    assert_eq!(Story::new().does(DAY, partner), Err("BENEFIT_HOUSEHOLD_TAKEN"));
}

/// R-INC-25
#[test]
fn a_transfer_leaves_no_day_between_the_old_benefit_and_the_new() {
    let lease = date(2026, 6, 1);
    let moved = Command::Complete {
        client: client(),
        allocation: allocation(1),
        lease_start_on: lease,
        municipality: zwijndrecht(),
        rent: Cents(60_000),
    };
    let mut story = applied_for().with(DAY, grant_from(DAY)).with(DAY, moved).with(DAY, submit(DAY));
    assert_eq!((story.state().kind(), &story.state().authority), (Kind::Transfer, &zwijndrecht()));
    let transfer =
        |old_ends_on| Command::Grant { start_on: lease, circumstances: None, retroactive: None, old_ends_on };
    assert_eq!(story.does(DAY, transfer(None)), Err("BENEFIT_TRANSFER_GAP"));
    assert_eq!(story.does(DAY, transfer(Some(date(2026, 5, 30)))), Err("BENEFIT_TRANSFER_GAP"));
    story.does(DAY, transfer(Some(date(2026, 5, 31)))).unwrap();
    assert_eq!(story.state().grant.as_ref().map(|grant| grant.since), Some(DAY));
    // The allocation falls: the benefit of before, at the authority of before.
    story.does(DAY, Command::WithdrawStart { allocation: allocation(1) }).unwrap();
    assert_eq!(story.state().authority, dordrecht());
    assert_eq!(story.state().running().map(|grant| (grant.start_on, &grant.authority)), Some((DAY, &dordrecht())));
}

/// R-INC-27
#[test]
fn a_refusal_close_to_the_move_is_told_at_once() {
    for (lease, told) in [(date(2026, 5, 25), true), (date(2026, 5, 26), false)] {
        let mut story = applied_for().with(DAY, complete(1, lease));
        let events = story.does(DAY, Command::Refuse(RefusalGround::Means)).unwrap();
        let near = Event::RefusedNearMove { allocation: allocation(1), lease_start_on: lease };
        assert_eq!(events.contains(&near), told, "{lease}");
        assert_eq!(story.state().stage(), Stage::Refused);
        assert_eq!(story.does(DAY, Command::Refuse(RefusalGround::Means)), Ok(vec![]));
        assert_eq!(story.does(DAY, grant_from(DAY)), Err("BENEFIT_DECIDED"));
        // A way out: apply again, for the same move.
        story.does(DAY, submit(DAY)).unwrap();
        assert!(story.does(DAY, grant_from(lease)).is_ok());
    }
    let mut without_move = applied_for();
    assert_eq!(without_move.does(DAY, Command::Refuse(RefusalGround::Means)).map(|events| events.len()), Ok(1));
}

/// P3
#[test]
fn one_allocation_has_one_start() {
    let lease = date(2026, 5, 1);
    let mut story = Story::new().with(DAY, Command::Prepare { client: client(), municipality: dordrecht() });
    assert_eq!(story.does(DAY, Command::Prepare { client: client(), municipality: zwijndrecht() }), Ok(vec![]));
    assert_eq!(starts(&story.does(DAY, complete(1, lease))), 1);
    assert_eq!(story.does(DAY, complete(1, lease)), Ok(vec![]));
    assert_eq!(story.does(DAY, complete(2, lease)), Err("BENEFIT_START_OF_OTHER"));
    // A move of long ago stands in nobody's way.
    assert_eq!(starts(&story.does(date(2027, 1, 4), complete(2, date(2027, 2, 1)))), 1);
}

/// P4
#[test]
fn a_fallen_allocation_takes_its_start_and_nothing_else() {
    let lease = date(2026, 5, 1);
    let fall = || Command::WithdrawStart { allocation: allocation(1) };
    // Reported and applied for: both stay, and so does the term.
    let mut applied = applied_for().with(DAY, complete(1, lease));
    let due = applied.decision_due();
    assert_eq!(applied.does(DAY, fall()), Ok(vec![Event::StartWithdrawn { allocation: allocation(1) }]));
    assert_eq!((applied.state().reported_on, applied.decision_due()), (Some(DAY), due));
    assert_eq!(applied.state().relocation, None);
    assert_eq!(applied.does(DAY, fall()), Ok(vec![]));
    assert_eq!(applied.does(DAY, complete(1, lease)), Err("BENEFIT_START_WITHDRAWN"));
    // The application that the completion opened stays as well.
    let mut opened = Story::new().with(DAY, complete(1, lease)).with(DAY, fall());
    assert_eq!((opened.state().stage(), opened.state().reported_on), (Stage::Applied, Some(DAY)));
    assert_eq!(starts(&opened.does(DAY, complete(2, lease))), 1);
    // A granted benefit stays; a change that was asked for the move falls, decided or not.
    let granted = applied_for().with(DAY, grant_from(DAY)).with(DAY, complete(1, lease));
    assert_eq!((granted.state().kind(), granted.state().stage()), (Kind::Change, Stage::Applied));
    let undecided = granted.with(DAY, fall());
    assert_eq!(undecided.state().stage(), Stage::Granted);
    let mut decided = undecided
        .with(DAY, complete(2, lease))
        .with(DAY, submit(DAY))
        .with(DAY, grant_from(lease))
        .with(DAY, Command::WithdrawStart { allocation: allocation(2) });
    assert_eq!(decided.state().running().map(|grant| grant.start_on), Some(DAY));
    assert_eq!(decided.does(DAY, Command::Withdraw(WithdrawalReason::Client)), Err("BENEFIT_STILL_GRANTED"));
}

/// P4, R-REG-29
#[test]
fn a_death_ends_everything_and_nothing_comes_back() {
    let lease = date(2026, 5, 1);
    let mut story = applied_for().with(DAY, grant_from(DAY)).with(DAY, complete(1, lease));
    let died = story.does(DAY, Command::Withdraw(WithdrawalReason::Died)).unwrap();
    assert_eq!(
        died,
        [
            Event::Ended { ends_on: DAY, reason: EndReason::Died },
            Event::Withdrawn { reason: WithdrawalReason::Died, allocation: Some(allocation(1)) }
        ]
    );
    assert_eq!(story.does(DAY, Command::Withdraw(WithdrawalReason::Died)), Ok(vec![]));
    assert_eq!(story.does(DAY, Command::WithdrawStart { allocation: allocation(1) }), Ok(vec![]));
    assert_eq!(story.does(DAY, complete(1, lease)), Err("BENEFIT_START_WITHDRAWN"));
    assert_eq!(story.does(DAY, complete(2, lease)), Err("BENEFIT_WITHDRAWN"));
    assert_eq!(story.sleeps_until(date(2027, 1, 1)), []);
    assert!(!story.state().is_open());
}

/// R-INC-03, R-INC-12
#[test]
fn payment_follows_the_decision_and_ends_on_a_day() {
    let mut story = applied_for();
    let pay = |from_on| Command::StartPayment { from_on };
    assert_eq!(story.does(DAY, pay(DAY)), Err("BENEFIT_NOT_GRANTED"));
    story.does(DAY, grant_from(DAY)).unwrap();
    assert_eq!(story.does(DAY, pay(date(2026, 4, 12))), Err("BENEFIT_PAYMENT_BEFORE_START"));
    story.does(DAY, pay(DAY)).unwrap();
    assert_eq!((story.does(DAY, pay(DAY)), story.state().stage()), (Ok(vec![]), Stage::InPayment));
    let end = |ends_on| Command::End { ends_on, reason: EndReason::Work };
    assert_eq!(story.does(DAY, end(date(2026, 4, 12))), Err("BENEFIT_PAYMENT_BEFORE_START"));
    story.does(DAY, end(date(2026, 8, 31))).unwrap();
    assert_eq!(story.does(DAY, end(date(2026, 8, 31))), Ok(vec![]));
    assert_eq!((story.state().stage(), story.state().is_open()), (Stage::Ended, false));
}

/// R-INC-06
#[test]
fn nothing_is_granted_or_advanced_to_an_unknown_household() {
    let mut story = Story::new().with(DAY, Command::Prepare { client: client(), municipality: dordrecht() });
    story.does(DAY, submit(DAY)).unwrap();
    assert_eq!(story.does(DAY, grant_from(DAY)), Err("BENEFIT_CIRCUMSTANCES_UNKNOWN"));
    assert_eq!(story.does(DAY, advance(140_150, DAY)), Err("BENEFIT_CIRCUMSTANCES_UNKNOWN"));
}

fn any_command() -> impl Strategy<Value = Command> {
    let lease = (0i32..60).prop_map(|days| DAY.saturating_add(days.days()));
    prop_oneof![
        Just(report(DAY)),
        Just(young(DAY)),
        Just(Command::Prepare { client: client(), municipality: dordrecht() }),
        (1u128..4, lease.clone()).prop_map(|(n, lease)| complete(n, lease)),
        (1u128..4).prop_map(|n| Command::WithdrawStart { allocation: allocation(n) }),
        Just(submit(DAY)),
        Just(Command::WaiveSearchTerm),
        Just(Command::Acknowledge),
        Just(Command::Ask { items: vec![Item::Identity], answer_by: date(2026, 4, 27) }),
        Just(Command::Give),
        lease.prop_map(grant_from),
        Just(Command::Refuse(RefusalGround::Means)),
        Just(Command::StartPayment { from_on: date(2026, 6, 30) }),
        Just(Command::End { ends_on: date(2026, 6, 30), reason: EndReason::Work }),
        Just(Command::Withdraw(WithdrawalReason::Died)),
        Just(Command::Wake),
    ]
}

proptest! {
    /// P3
    #[test]
    fn whatever_comes_in_whatever_order_each_allocation_starts_once(
        commands in prop::collection::vec(any_command(), 0..40)
    ) {
        let mut story = Story::new();
        let mut started = std::collections::BTreeMap::new();
        for command in commands {
            for event in story.does(DAY, command.clone()).unwrap_or_default() {
                if let Event::Completed { relocation, .. } = event {
                    *started.entry(relocation.allocation).or_insert(0) += 1;
                }
            }
            // The same wish twice: nothing left to do.
            prop_assert_eq!(story.does(DAY, command).unwrap_or_default(), vec![]);
        }
        prop_assert!(started.values().all(|times| *times == 1), "{:?}", started);
    }

    /// P4
    #[test]
    fn what_came_before_a_move_is_there_after_it_fell(
        before in prop::collection::vec(any_command(), 0..20), days in 0i32..60
    ) {
        let mut story = Story::new();
        for command in before {
            let _ = story.does(DAY, command);
        }
        prop_assume!(story.state.as_ref().is_none_or(|one| one.relocation.is_none()));
        let untouched = story.state.clone();
        if story.does(DAY, complete(9, DAY.saturating_add(days.days()))).is_ok() {
            story.does(DAY, Command::WithdrawStart { allocation: allocation(9) }).unwrap();
            let after = story.state();
            prop_assert_eq!(&after.relocation, &None);
            if let Some(before) = untouched {
                prop_assert_eq!(&after.grant, &before.grant);
                prop_assert_eq!(&after.authority, &before.authority);
                prop_assert!(before.reported_on.is_none() || after.reported_on == before.reported_on);
                prop_assert!(before.application.is_none() || after.application == before.application);
            }
        }
    }

    /// P7
    #[test]
    fn whatever_waits_is_watched(commands in prop::collection::vec(any_command(), 0..20)) {
        let mut story = Story::new();
        for command in commands {
            let _ = story.does(DAY, command);
        }
        if story.state.as_ref().is_some_and(|one| one.withdrawn.is_none() && one.application.is_some()) {
            prop_assert!(story.state().wake_on(story.book.rules(DAY)).is_some());
            // And waking never goes on for ever.
            story.sleeps_until(date(2030, 1, 1));
            prop_assert_eq!(story.state().wake_on(story.book.rules(DAY)), None);
        }
    }
}
