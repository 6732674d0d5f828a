//! Retention: how long what is held on a client is kept, and until when longer (R-REG-23).
//!
//! Every class of a client has one key, so a term counts from what was received or made last under it. An open case keeps
//! everything; so does a decision of a person, for as long as it says.

use super::case::{CloseReason, codes};
use kernel::{Calendar, Date, Moment, Refusal, Term};
use serde::{Deserialize, Serialize};

kernel::id! {
    /// A decision to keep longer.
    KeepingId
}

kernel::id! {
    /// The end of a term.
    RetentionId
}

kernel::reasons! {
    KEEPING_UNKNOWN: NotFound, "R-REG-23",
        "There is no such decision to keep longer.", "Dit besluit om langer te bewaren bestaat niet.",
        "Read the client's retention terms for those that stand.", "Lees de bewaartermijnen van de cliënt voor wat er staat.";
    KEEPING_NOT_AHEAD: Rule, "R-REG-23",
        "What is kept longer is kept until a day to come.", "Langer bewaren is bewaren tot een dag die nog komt.",
        "Give a last day after today.", "Geef een laatste dag na vandaag.";
    KEEPING_TOO_LONG: Rule, "R-REG-23",
        "One decision keeps until {latest} at the latest.", "Eén besluit bewaart uiterlijk tot {latest}.",
        "Give an earlier day, and decide again by then when it is still needed.",
        "Geef een eerdere dag, en besluit tegen die tijd opnieuw als het dan nog nodig is.";
}

codes! {
    /// What a term is about.
    Part {
        Everything = "everything", "Everything that every service holds.";
        Plan = "plan", "The plan and its goals.";
    }
}

codes! {
    /// Which term it is.
    Ground {
        Withdrawn = "withdrawn", "Withdrawn before there was any provision (Selectielijst 2020).";
        PlanWithoutProvision = "plan_without_provision", "A plan without any provision (Selectielijst 2020).";
        Wmo = "wmo", "Wmo 5.3.4.";
    }
}

codes! {
    /// Why something is kept longer.
    KeepingGround {
        CarefulTask = "careful_task", "The careful carrying out of the task needs it (Wmo 5.3.4).";
        Objection = "objection", "An objection or appeal is running (R-REG-11).";
    }
}

/// How long each is kept (`policy.toml` documents each).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What a client left who withdrew before there was any provision.
    pub withdrawn: Term,
    /// A plan without any provision.
    pub plan: Term,
    /// Everything else.
    pub wmo: Term,
    /// The longest that one decision keeps longer.
    pub longest_keeping: Term,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            withdrawn: Term::Weeks(6),
            plan: Term::Months(60),
            wmo: Term::Months(180),
            longest_keeping: Term::Months(24),
        }
    }
}

/// What terms are counted from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Each case of the client: when it was closed and why; none while it is open.
    pub cases: Vec<Option<(Date, CloseReason)>>,
    /// The last day on which anything about the client was received or made, in any service.
    pub last_made: Option<Date>,
    /// Whether there was ever a provision: a place, urgent or decided, or a home.
    pub provision: bool,
    /// Whether there is a plan that was not destroyed yet.
    pub plan: bool,
}

impl Known {
    /// Adds what is known of a record that points to this one: it is of the same person, and goes when this one goes
    /// (R-REG-26).
    pub fn join(&mut self, other: Known) {
        self.cases.extend(other.cases.into_iter().filter(|case| !matches!(case, Some((_, CloseReason::Merged)))));
        self.last_made = self.last_made.max(other.last_made);
        self.provision |= other.provision;
        self.plan |= other.plan;
    }
}

/// How a term ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// What goes.
    pub part: Part,
    /// Which term.
    pub ground: Ground,
    /// The last day on which it is kept.
    pub last_day: Date,
}

/// A decision to keep longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Its id.
    pub id: KeepingId,
    /// Why.
    pub ground: KeepingGround,
    /// Up to and with this day.
    pub until: Date,
    /// When it was decided.
    pub decided_on: Date,
    /// When it was ended before its last day.
    pub ended_on: Option<Date>,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A case is open, or there never was one: closing it begins the terms.
    Rest,
    /// Nothing before that day.
    At(Date),
    /// This term is over.
    Destroy(End),
}

/// The terms that run, soonest first. Terms in weeks and years of these lists are not extended over a weekend: that holds
/// for terms in which somebody must act (R-REG-07).
pub fn ends(known: &Known, terms: &Terms, calendar: &Calendar) -> Vec<End> {
    let closed: Option<Vec<(Date, CloseReason)>> = known.cases.iter().copied().collect();
    let Some(closed) = closed else { return Vec::new() };
    let Some(from) = closed.iter().map(|(on, _)| *on).max() else { return Vec::new() };
    let from = known.last_made.map_or(from, |made| made.max(from));
    let end = |part, ground, term| End { part, ground, last_day: calendar.plain_end(from, term) };
    let withdrawn = closed.iter().all(|(_, reason)| *reason == CloseReason::Withdrawn);
    if withdrawn && !known.provision {
        return vec![end(Part::Everything, Ground::Withdrawn, terms.withdrawn)];
    }
    let mut ends = vec![end(Part::Everything, Ground::Wmo, terms.wmo)];
    if known.plan && !known.provision {
        ends.push(end(Part::Plan, Ground::PlanWithoutProvision, terms.plan));
    }
    ends.sort_by_key(|end| end.last_day);
    ends
}

/// Looks whether a term is over, and nobody decided to keep longer.
pub fn look(known: &Known, keepings: &[Keeping], terms: &Terms, calendar: &Calendar, now: Moment) -> Look {
    let Some(next) = ends(known, terms, calendar).first().copied() else { return Look::Rest };
    let kept = keepings.iter().filter(|one| one.ended_on.is_none()).map(|one| one.until).max();
    let last_day = kept.map_or(next.last_day, |until| until.max(next.last_day));
    match now.date > last_day {
        true => Look::Destroy(next),
        false => Look::At(last_day.tomorrow().unwrap_or(Date::MAX)),
    }
}

/// Decides to keep longer; the one that stands for the same reason and day is given back, and false with it.
pub fn keep(
    known: &[Keeping],
    (id, ground, until): (KeepingId, KeepingGround, Date),
    terms: &Terms,
    calendar: &Calendar,
    now: Moment,
) -> Result<(Keeping, bool), Refusal> {
    if until <= now.date {
        return Err((&KEEPING_NOT_AHEAD).into());
    }
    let latest = calendar.plain_end(now.date, terms.longest_keeping);
    if until > latest {
        return Err(KEEPING_TOO_LONG.with("latest", latest));
    }
    let stands = |one: &&Keeping| (one.ground, one.until, one.ended_on) == (ground, until, None);
    match known.iter().find(stands) {
        Some(stands) => Ok((stands.clone(), false)),
        None => Ok((Keeping { id, ground, until, decided_on: now.date, ended_on: None }, true)),
    }
}

/// Ends a decision to keep longer; none when it is over already.
pub fn release(known: &[Keeping], id: KeepingId, now: Moment) -> Result<Option<Keeping>, Refusal> {
    let keeping = known.iter().find(|one| one.id == id).ok_or(&KEEPING_UNKNOWN)?;
    let over = keeping.ended_on.is_some() || keeping.until < now.date;
    Ok((!over).then(|| Keeping { ended_on: Some(now.date), ..keeping.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;
    use proptest::prelude::*;

    const CLOSED: Date = date(2026, 3, 2);

    fn calendar() -> Calendar {
        Calendar::parse(Calendar::FILE).unwrap()
    }

    fn on(day: Date) -> Moment {
        Moment::at_hour(day, 9)
    }

    fn closed(reason: CloseReason) -> Known {
        Known { cases: vec![Some((CLOSED, reason))], ..Known::default() }
    }

    fn ends_of(known: &Known) -> Vec<(Part, Ground, Date)> {
        let ends = ends(known, &Terms::default(), &calendar());
        ends.iter().map(|end| (end.part, end.ground, end.last_day)).collect()
    }

    fn looked(known: &Known, keepings: &[Keeping], day: Date) -> Look {
        look(known, keepings, &Terms::default(), &calendar(), on(day))
    }

    fn kept(until: Date) -> Keeping {
        let id = KeepingId(Uuid::from_u128(1));
        Keeping { id, ground: KeepingGround::Objection, until, decided_on: CLOSED, ended_on: None }
    }

    /// R-REG-23
    #[test]
    fn each_ending_has_the_term_of_its_own_list() {
        use CloseReason::{AftercareEnded, ContactLost, Withdrawn};
        let six_weeks = (Part::Everything, Ground::Withdrawn, date(2026, 4, 13));
        let plan = (Part::Plan, Ground::PlanWithoutProvision, date(2031, 3, 2));
        let wmo = (Part::Everything, Ground::Wmo, date(2041, 3, 2));
        for (reason, provision, has_plan, wanted) in [
            (Withdrawn, false, false, vec![six_weeks]),
            (Withdrawn, false, true, vec![six_weeks]),
            // Who had a provision did not withdraw an application: it was granted.
            (Withdrawn, true, true, vec![wmo]),
            (ContactLost, false, false, vec![wmo]),
            (ContactLost, false, true, vec![plan, wmo]),
            (AftercareEnded, true, true, vec![wmo]),
        ] {
            let known = Known { provision, plan: has_plan, ..closed(reason) };
            assert_eq!(ends_of(&known), wanted, "{reason:?} {provision} {has_plan}");
        }
        // One case that was no withdrawal makes the file one of fifteen years.
        let twice = Known {
            cases: vec![Some((date(2020, 1, 1), ContactLost)), Some((CLOSED, Withdrawn))],
            ..closed(Withdrawn)
        };
        assert_eq!(ends_of(&twice), [wmo]);
    }

    /// R-REG-23, R-REG-26: two records of one person are kept as one; that a case was closed by the merge counts for nothing.
    #[test]
    fn the_records_of_one_person_have_one_term() {
        use CloseReason::{Left, Merged, Withdrawn};
        let merged = Known { cases: vec![Some((date(2027, 1, 1), Merged))], ..Known::default() };
        let joined = |one: Known, other: Known| {
            let mut known = one;
            known.join(other);
            ends_of(&known)
        };
        assert_eq!(joined(closed(Withdrawn), merged.clone()), ends_of(&closed(Withdrawn)));
        let provided = Known { provision: true, ..merged.clone() };
        assert_eq!(joined(closed(Withdrawn), provided), [(Part::Everything, Ground::Wmo, date(2041, 3, 2))]);
        let later = Known { last_made: Some(date(2027, 1, 31)), ..merged };
        assert_eq!(joined(closed(Left), later)[0].2, date(2042, 1, 31));
        let open = Known { cases: vec![None], ..Known::default() };
        assert_eq!(joined(closed(Left), open), []);
    }

    /// R-REG-23
    #[test]
    fn a_term_counts_from_what_was_made_last_and_none_runs_while_a_case_is_open() {
        let later = Known { last_made: Some(date(2027, 1, 31)), ..closed(CloseReason::Left) };
        assert_eq!(ends_of(&later)[0].2, date(2042, 1, 31));
        let before = Known { last_made: Some(date(2025, 1, 1)), ..closed(CloseReason::Left) };
        assert_eq!(ends_of(&before)[0].2, date(2041, 3, 2));
        let mut open = closed(CloseReason::Withdrawn);
        open.cases.push(None);
        assert_eq!((ends_of(&open), looked(&open, &[], date(2099, 1, 1))), (vec![], Look::Rest));
        assert_eq!(looked(&Known::default(), &[], date(2099, 1, 1)), Look::Rest);
    }

    /// R-REG-23
    #[test]
    fn what_is_over_its_term_goes_the_day_after_and_not_before() {
        let known = closed(CloseReason::Withdrawn);
        assert_eq!(looked(&known, &[], date(2026, 4, 13)), Look::At(date(2026, 4, 14)));
        let Look::Destroy(end) = looked(&known, &[], date(2026, 4, 14)) else { panic!("the term is over") };
        assert_eq!((end.part, end.ground), (Part::Everything, Ground::Withdrawn));
    }

    /// R-REG-23
    #[test]
    fn a_decision_keeps_longer_until_its_last_day_or_its_own_end() {
        let known = closed(CloseReason::Withdrawn);
        let keeping = kept(date(2026, 6, 1));
        let day = date(2026, 4, 14);
        assert_eq!(looked(&known, std::slice::from_ref(&keeping), day), Look::At(date(2026, 6, 2)));
        assert!(matches!(looked(&known, std::slice::from_ref(&keeping), date(2026, 6, 2)), Look::Destroy(_)));
        let ended = release(std::slice::from_ref(&keeping), keeping.id, on(day)).unwrap().unwrap();
        assert_eq!(ended.ended_on, Some(day));
        assert!(matches!(looked(&known, std::slice::from_ref(&ended), day), Look::Destroy(_)));
        assert_eq!(release(&[ended], keeping.id, on(day)), Ok(None));
        let unknown = release(&[], keeping.id, on(day)).unwrap_err();
        assert_eq!(unknown.reason.code, "KEEPING_UNKNOWN");
        // One that is over before the term changes nothing.
        let short = kept(date(2026, 3, 20));
        assert_eq!(looked(&known, &[short], date(2026, 3, 21)), Look::At(date(2026, 4, 14)));
    }

    /// R-REG-23
    #[test]
    fn one_decision_keeps_for_a_while_and_not_for_good() {
        let ask = |known: &[Keeping], until| {
            let wish = (KeepingId(Uuid::from_u128(2)), KeepingGround::Objection, until);
            keep(known, wish, &Terms::default(), &calendar(), on(CLOSED)).map_err(|refusal| refusal.reason.code)
        };
        assert_eq!(ask(&[], CLOSED), Err("KEEPING_NOT_AHEAD"));
        assert_eq!(ask(&[], date(2028, 3, 3)), Err("KEEPING_TOO_LONG"));
        let (keeping, new) = ask(&[], date(2028, 3, 2)).unwrap();
        assert!(new);
        assert_eq!(ask(std::slice::from_ref(&keeping), keeping.until), Ok((keeping.clone(), false)));
        assert!(ask(&[keeping], date(2027, 1, 1)).unwrap().1);
    }

    prop_compose! {
        fn days()(n in 0..9_000i64) -> Date {
            CLOSED.saturating_add(jiff::Span::new().days(n))
        }
    }

    proptest! {
        /// R-REG-23: whatever is known, nothing goes while a case is open, before its term or while a decision keeps it; and
        /// when nothing is destroyed, the day to look again is ahead.
        #[test]
        fn nothing_is_destroyed_before_its_term_or_while_it_is_kept(
            cases in prop::collection::vec(prop::option::of((days(), prop::sample::select(CloseReason::ALL))), 0..4),
            last_made in prop::option::of(days()), provision: bool, plan: bool,
            kept_until in prop::collection::vec((days(), any::<bool>()), 0..3), today in days(),
        ) {
            let known = Known { cases, last_made, provision, plan };
            let keepings: Vec<Keeping> = kept_until
                .into_iter()
                .map(|(until, ended)| Keeping { ended_on: ended.then_some(until), ..kept(until) })
                .collect();
            match looked(&known, &keepings, today) {
                Look::Rest => prop_assert!(known.cases.is_empty() || known.cases.contains(&None)),
                Look::At(day) => prop_assert!(day > today),
                Look::Destroy(end) => {
                    prop_assert!(!known.cases.contains(&None));
                    prop_assert!(end.last_day < today);
                    prop_assert!(keepings.iter().all(|one| one.ended_on.is_some() || one.until < today));
                    let weeks = if end.ground == Ground::Withdrawn { 6 } else { 5 * 52 };
                    let made = known.last_made.into_iter().chain(known.cases.iter().flatten().map(|(on, _)| *on));
                    for day in made {
                        prop_assert!(day.saturating_add(jiff::Span::new().weeks(weeks)) <= end.last_day);
                    }
                    prop_assert!(end.ground == Ground::Wmo || !known.provision);
                    prop_assert!(end.part == Part::Everything || known.plan);
                }
            }
        }
    }
}
