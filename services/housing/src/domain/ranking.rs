//! Who fits a dwelling best, and why somebody does not (R-HOU-08, R-REG-25).
//!
//! A pure function: the same pool gives the same ranking, in whatever order it was read. It is advice: `offer` asks the
//! person who decides for a reason when it is not followed, and refuses with the very reasons that stand here.

use super::contingent::{Contingent, choose};
use super::dwelling::Dwelling;
use super::nomination::{Nomination, State, months_waiting, ready};
use super::suitable::{Figures, above_cap};
use super::{NominationId, Policy, ScorePart, nomination::Readiness};
use kernel::{Date, Moment, Refusal, general};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

kernel::reasons! {
    // No longer given: an excluded district is NOT_SUITABLE, as is a neighbourhood where somebody lives from whom the client is
    // kept apart. The name stays, since callers may know it.
    OFFER_DISTRICT_EXCLUDED: Rule, "R-REG-28",
        "This dwelling is not suitable for the client.", "Deze woning is niet geschikt voor de cliënt.",
        "Choose a dwelling in another district.", "Kies een woning in een andere wijk.";
    OFFER_OUTSIDE_AREA: Rule, "R-HOU-08",
        "The client does not want to live in this municipality.", "De cliënt wil niet in deze gemeente wonen.",
        "Choose a dwelling in a municipality that the client named.", "Kies een woning in een gemeente die de cliënt noemde.";
    OFFER_CONTRACT_NOT_WISHED: Rule, "R-HOU-10",
        "The client does not accept this form of contract.", "De cliënt aanvaardt deze contractvorm niet.",
        "Choose a dwelling with another contract, or talk with the client.",
        "Kies een woning met een ander contract, of bespreek het met de cliënt.";
    OFFER_RENT_TOO_HIGH: Rule, "R-HOU-08",
        "The rent is higher than the client can carry.", "De huur is hoger dan de cliënt kan dragen.",
        "Choose a cheaper dwelling.", "Kies een goedkopere woning.";
    OFFER_HOUSEHOLD_DOES_NOT_FIT: Rule, "R-HOU-08",
        "The household does not fit the dwelling.", "Het huishouden past niet in de woning.",
        "Choose a larger dwelling.", "Kies een grotere woning.";
    OFFER_DECLINED_BEFORE: Rule, "R-HOU-22",
        "The client declined this dwelling before.", "De cliënt heeft deze woning eerder geweigerd.",
        "Choose another dwelling.", "Kies een andere woning.";
    OFFER_DECLINED_OFTEN: Rule, "R-HOU-22",
        "The client declined {declined} suitable offers.", "De cliënt heeft {declined} passende aanbiedingen geweigerd.",
        "Talk with the client, and offer again with a reason.", "Praat met de cliënt, en bied opnieuw aan met een reden.";
}

/// Points per part of the score; see `policy.toml`.
#[derive(Clone, Debug, Deserialize)]
pub struct Weights {
    /// A wished district.
    pub wish: i32,
    /// A wished kind of home.
    pub kind: i32,
    /// The network.
    pub network: i32,
    /// School.
    pub school: i32,
    /// Work or day activity.
    pub work: i32,
    /// The municipality of origin.
    pub origin: i32,
    /// Per whole month in the pool.
    pub waiting_per_month: i32,
    /// The most points for waiting.
    pub waiting_max: i32,
    /// Rooms fit the household.
    pub fit: i32,
}

/// Somebody in the pool, with what the ranking must know beside the nomination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The nomination.
    pub nomination: Nomination,
    /// What regie published (R-HOU-03).
    pub readiness: Option<Readiness>,
    /// Declined suitable offers that count (R-HOU-22).
    pub declined: u32,
    /// The client declined this very dwelling before.
    pub declined_this: bool,
    /// An offer of this dwelling to this candidate is open.
    pub offered: bool,
    /// In this neighbourhood somebody lives, or is offered a home, from whom the candidate is kept apart (R-REG-28).
    pub kept_apart: bool,
}

/// Points for one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// The part.
    pub part: ScorePart,
    /// The points.
    pub points: i32,
}

/// Somebody on the ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The nomination.
    pub nomination: NominationId,
    /// The sum of the parts.
    pub score: i32,
    /// Parts with points.
    pub parts: Vec<Scored>,
    /// An offer of this dwelling is open.
    pub offered: bool,
    /// Waiting since.
    pub since: Date,
}

/// Somebody who is not on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyNot {
    /// The nomination.
    pub nomination: NominationId,
    /// Every rule that failed.
    pub failed: Vec<Refusal>,
    /// What the score would have been.
    pub parts: Vec<Scored>,
    /// Waiting since.
    pub since: Date,
}

/// The ranking of a pool for one dwelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// Best first.
    pub ranked: Vec<Ranked>,
    /// Everybody else, the longest waiting first.
    pub not_ranked: Vec<WhyNot>,
}

/// Where somebody stands in the whole: first who is ranked, the best first, then who is not, and within that the longest
/// waiting first. No two stand in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On the ranking.
    Ranked {
        /// The score, the highest first.
        score: Reverse<i32>,
        /// Waiting since.
        since: Date,
        /// The nomination.
        nomination: NominationId,
    },
    /// Not on it.
    NotRanked {
        /// Waiting since.
        since: Date,
        /// The nomination.
        nomination: NominationId,
    },
}

impl Ranked {
    /// Where this candidate stands.
    pub fn place(&self) -> Place {
        Place::Ranked { score: Reverse(self.score), since: self.since, nomination: self.nomination }
    }
}

impl WhyNot {
    /// Where this one stands.
    pub fn place(&self) -> Place {
        Place::NotRanked { since: self.since, nomination: self.nomination }
    }
}

impl Ranking {
    /// The next so many after a place, and the place to go on from when that is not all.
    pub fn page(mut self, after: Option<Place>, most: usize) -> (Self, Option<Place>) {
        let later = |place: Place| after.is_none_or(|after| place > after);
        self.ranked.retain(|one| later(one.place()));
        self.not_ranked.retain(|one| later(one.place()));
        let all = self.ranked.len() + self.not_ranked.len();
        self.ranked.truncate(most);
        self.not_ranked.truncate(most - self.ranked.len());
        let last = self.not_ranked.last().map(WhyNot::place).or_else(|| self.ranked.last().map(Ranked::place));
        (self, last.filter(|_| all > most))
    }
}

/// What the ranking judges by, beside the pool.
#[derive(Clone, Copy, Debug)]
pub struct Yardstick<'a> {
    /// The local policy.
    pub policy: &'a Policy,
    /// The yearly figures.
    pub figures: &'a Figures,
    /// The contingents of corporation, municipality and year (R-HOU-01).
    pub contingents: &'a [Contingent],
    /// When.
    pub now: Moment,
}

/// Ranks the pool.
pub fn rank(dwelling: &Dwelling, pool: &[Candidate], by: Yardstick<'_>) -> Ranking {
    let mut order: Vec<&Candidate> = pool.iter().filter(|c| c.nomination.state == State::InPool).collect();
    order.sort_by_key(|c| (c.nomination.nominated_on, c.nomination.id));
    let mut ranking = Ranking::default();
    for candidate in order {
        let (nomination, parts) = (candidate.nomination.id, score(dwelling, &candidate.nomination, by));
        let since = candidate.nomination.nominated_on;
        let failed = failed(dwelling, candidate, by);
        if failed.is_empty() {
            let score = parts.iter().map(|part| part.points).sum();
            ranking.ranked.push(Ranked { nomination, score, parts, offered: candidate.offered, since });
        } else {
            ranking.not_ranked.push(WhyNot { nomination, failed, parts, since });
        }
    }
    // Stable: equal scores stay in order of waiting time.
    ranking.ranked.sort_by_key(|ranked| Reverse(ranked.score));
    ranking
}

/// Refuses a dwelling on a ground that is not told (R-REG-28): which one it was, nobody hears.
pub fn check_suitable(not_here: bool) -> Result<(), Refusal> {
    if not_here { Err((&general::NOT_SUITABLE).into()) } else { Ok(()) }
}

/// Every rule that keeps a candidate from this dwelling.
fn failed(dwelling: &Dwelling, candidate: &Candidate, by: Yardstick<'_>) -> Vec<Refusal> {
    let Candidate { nomination, readiness, declined, declined_this, kept_apart, .. } = candidate;
    let (wishes, household) = (&nomination.wishes, nomination.household);
    let municipality = dwelling.municipality();
    let refuse = |when: bool, reason: &'static kernel::Reason| when.then(|| Refusal::from(reason));
    [
        ready(readiness.as_ref()).err(),
        check_suitable(*kept_apart || wishes.excluded.contains(&dwelling.district)).err(),
        refuse(
            municipality != nomination.municipality
                && wishes.origin.as_ref() != Some(&municipality)
                && !wishes.elsewhere.contains(&municipality),
            &OFFER_OUTSIDE_AREA,
        ),
        refuse(!wishes.forms.is_empty() && !wishes.forms.contains(&dwelling.form), &OFFER_CONTRACT_NOT_WISHED),
        refuse(wishes.max_rent.is_some_and(|most| dwelling.rent > most), &OFFER_RENT_TOO_HIGH),
        refuse(
            household.persons() > dwelling.max_persons || wishes.min_rooms > dwelling.rooms,
            &OFFER_HOUSEHOLD_DOES_NOT_FIT,
        ),
        by.figures.above_cap(dwelling.rent, household, nomination.income).map(|cap| above_cap(dwelling.rent, cap)),
        refuse(*declined_this, &OFFER_DECLINED_BEFORE),
        (*declined >= by.policy.suitable_offers).then(|| OFFER_DECLINED_OFTEN.with("declined", declined)),
        choose(by.contingents, nomination.group).err(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The parts of the score that have points (R-HOU-08).
fn score(dwelling: &Dwelling, nomination: &Nomination, by: Yardstick<'_>) -> Vec<Scored> {
    let (wishes, weights) = (&nomination.wishes, &by.policy.weights);
    let near =
        |districts: &[kernel::District], points: i32| if districts.contains(&dwelling.district) { points } else { 0 };
    let given = |when: bool, points: i32| if when { points } else { 0 };
    let persons = nomination.household.persons();
    let waiting = months_waiting(nomination.nominated_on, by.now).saturating_mul(weights.waiting_per_month);
    [
        (ScorePart::Wish, near(&wishes.wished, weights.wish)),
        (ScorePart::Kind, given(wishes.kinds.contains(&dwelling.kind), weights.kind)),
        (ScorePart::Network, near(&wishes.network, weights.network)),
        (ScorePart::School, near(&wishes.school, weights.school)),
        (ScorePart::Work, near(&wishes.work, weights.work)),
        (ScorePart::Origin, given(wishes.origin.as_ref() == Some(&dwelling.municipality()), weights.origin)),
        (ScorePart::Waiting, waiting.min(weights.waiting_max)),
        (ScorePart::Fit, given((persons..=persons + 1).contains(&dwelling.rooms), weights.fit)),
    ]
    .into_iter()
    .filter(|(_, points)| *points != 0)
    .map(|(part, points)| Scored { part, points })
    .collect()
}

/// Whether a neighbourhood has had more than its share of a municipality's allocations this year (R-HOU-07).
pub fn spread_warning(in_neighbourhood: u32, in_municipality: u32, policy: &Policy) -> bool {
    in_municipality >= policy.spread_from_allocations
        && u64::from(in_neighbourhood) * 100 > u64::from(in_municipality) * u64::from(policy.spread_share_percent)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::dwelling::tests::dwelling;
    use crate::domain::nomination::{Wishes, tests::nomination};
    use crate::domain::suitable::Household;
    use crate::domain::tests::{dordrecht, figures, org, policy, uuid};
    use crate::domain::{ContingentId, ContractForm, DwellingKind, TargetGroup};
    use jiff::civil::date;
    use kernel::{Cents, District, Municipality};
    use proptest::prelude::*;

    pub fn places() -> Vec<Contingent> {
        vec![Contingent {
            id: ContingentId(uuid(1)),
            corporation: org("trivire"),
            municipality: dordrecht(),
            year: 2026,
            group: TargetGroup::Outflow,
            places: 5,
            drawn: 0,
            realised: 0,
        }]
    }

    pub fn candidate(n: u128) -> Candidate {
        let since = date(2026, 1, 1);
        Candidate {
            nomination: nomination(n),
            readiness: Some(Readiness { ready: true, failed: vec![], since }),
            declined: 0,
            declined_this: false,
            offered: false,
            kept_apart: false,
        }
    }

    pub fn ranking(pool: &[Candidate]) -> Ranking {
        let (policy, figures) = (policy(), figures(2026));
        let now = Moment::start_of(date(2026, 3, 1));
        rank(&dwelling(), pool, Yardstick { policy: &policy, figures: &figures, contingents: &places(), now })
    }

    fn district(code: &str) -> District {
        District::parse("d", code).unwrap()
    }

    fn wishing(n: u128, wishes: Wishes) -> Candidate {
        Candidate { nomination: Nomination { wishes, ..nomination(n) }, ..candidate(n) }
    }

    /// R-REG-28
    #[test]
    fn whoever_is_kept_apart_is_out_exactly_like_whoever_excluded_the_district() {
        let excluded = Wishes { excluded: vec![district("WK050503")], ..Wishes::default() };
        let away = |candidate| ranking(&[candidate]).not_ranked;
        let apart = away(Candidate { kept_apart: true, ..candidate(1) });
        assert_eq!(apart.len(), 1);
        assert_eq!(apart, away(wishing(1, excluded.clone())));
        assert_eq!(apart, away(Candidate { kept_apart: true, ..wishing(1, excluded) }), "two grounds are told as one");
    }

    /// R-HOU-03, R-HOU-06, R-HOU-08, R-HOU-10, R-HOU-22, R-REG-28
    #[test]
    fn everybody_who_is_not_ranked_hears_which_rules_failed() {
        let here = district("WK050503");
        let zwijndrecht = Municipality::parse("m", "0642").unwrap();
        let cases = [
            (Candidate { readiness: None, ..candidate(1) }, "NOMINATION_NOT_READY"),
            (wishing(1, Wishes { excluded: vec![here], ..Wishes::default() }), "NOT_SUITABLE"),
            (Candidate { kept_apart: true, ..candidate(1) }, "NOT_SUITABLE"),
            (
                Candidate { nomination: Nomination { municipality: zwijndrecht, ..nomination(1) }, ..candidate(1) },
                "OFFER_OUTSIDE_AREA",
            ),
            (
                wishing(1, Wishes { forms: vec![ContractForm::Lodging], ..Wishes::default() }),
                "OFFER_CONTRACT_NOT_WISHED",
            ),
            (wishing(1, Wishes { max_rent: Some(Cents(59_999)), ..Wishes::default() }), "OFFER_RENT_TOO_HIGH"),
            (wishing(1, Wishes { min_rooms: 3, ..Wishes::default() }), "OFFER_HOUSEHOLD_DOES_NOT_FIT"),
            (Candidate { declined_this: true, ..candidate(1) }, "OFFER_DECLINED_BEFORE"),
            (Candidate { declined: 2, ..candidate(1) }, "OFFER_DECLINED_OFTEN"),
        ];
        for (candidate, reason) in cases {
            let ranking = ranking(&[candidate]);
            assert!(ranking.ranked.is_empty(), "{reason}");
            let codes: Vec<_> = ranking.not_ranked[0].failed.iter().map(|f| f.reason.code).collect();
            assert_eq!(codes, [reason]);
        }
        let young = Household { age: crate::domain::AgeClass::Under21, ..nomination(1).household };
        let capped = Candidate { nomination: Nomination { household: young, ..nomination(1) }, ..candidate(1) };
        let all = Candidate { readiness: None, declined: 3, ..capped };
        let codes: Vec<_> = ranking(&[all]).not_ranked[0].failed.iter().map(|f| f.reason.rule).collect();
        assert_eq!(codes, ["R-HOU-03", "R-HOU-06", "R-HOU-22"]);
    }

    /// R-HOU-08
    #[test]
    fn the_score_shows_its_parts() {
        let here = || vec![district("WK050503")];
        let wishes = Wishes {
            wished: here(),
            network: here(),
            school: here(),
            work: here(),
            origin: Some(dordrecht()),
            kinds: vec![DwellingKind::Flat],
            ..Wishes::default()
        };
        let ranking = ranking(&[wishing(1, wishes), candidate(2)]);
        let parts = |n: usize| ranking.ranked[n].parts.iter().map(|p| (p.part, p.points)).collect::<Vec<_>>();
        use ScorePart::*;
        let full =
            [(Wish, 30), (Kind, 10), (Network, 20), (School, 15), (Work, 15), (Origin, 10), (Waiting, 4), (Fit, 10)];
        assert_eq!(parts(0), full);
        assert_eq!(parts(1), [(Waiting, 4), (Fit, 10)]);
        assert_eq!((ranking.ranked[0].score, ranking.ranked[1].score), (114, 14));
    }

    /// R-HOU-01, R-HOU-21
    #[test]
    fn without_a_contingent_place_nobody_is_ranked() {
        let (policy, figures) = (policy(), figures(2026));
        let now = Moment::start_of(date(2026, 3, 1));
        let by = Yardstick { policy: &policy, figures: &figures, contingents: &[], now };
        let ranking = rank(&dwelling(), &[candidate(1)], by);
        assert_eq!(ranking.not_ranked[0].failed[0].reason.code, "CONTINGENT_MISSING");
    }

    /// R-HOU-07
    #[test]
    fn a_neighbourhood_above_its_share_gives_a_warning() {
        let warns = |here, all| spread_warning(here, all, &policy());
        assert!(!warns(19, 19) && !warns(2, 20) && warns(3, 20) && !warns(10, 100) && warns(11, 100));
    }

    proptest! {
        /// R-REG-25
        #[test]
        fn everybody_is_judged_once_and_the_order_of_reading_does_not_matter(
            waits in proptest::collection::vec((0i32..400, any::<bool>(), 0u32..3), 1..12),
            turn in 0usize..12,
        ) {
            use jiff::ToSpan;
            let mut pool: Vec<Candidate> = waits.iter().enumerate().map(|(n, (days, ready, declined))| {
                let mut one = candidate(n as u128 + 1);
                one.nomination.nominated_on = date(2025, 2, 1).saturating_add(days.days());
                one.declined = *declined;
                if !ready { one.readiness = None; }
                one
            }).collect();
            let first = ranking(&pool);
            prop_assert_eq!(first.ranked.len() + first.not_ranked.len(), pool.len());
            prop_assert!(first.ranked.windows(2).all(|w| w[0].score >= w[1].score));
            prop_assert!(first.ranked.iter().all(|r| r.score == r.parts.iter().map(|p| p.points).sum::<i32>()));
            let n = pool.len();
            pool.rotate_left(turn % n);
            pool.reverse();
            prop_assert_eq!(ranking(&pool), first);
        }

        /// R-REG-25
        #[test]
        fn the_pages_together_are_the_whole_ranking_in_its_order(
            waits in proptest::collection::vec((0i32..3, any::<bool>()), 1..12),
            most in 1usize..5,
        ) {
            use jiff::ToSpan;
            let pool: Vec<Candidate> = waits.iter().enumerate().map(|(n, (months, ready))| {
                let mut one = candidate(n as u128 + 1);
                one.nomination.nominated_on = date(2025, 10, 1).saturating_add(months.months());
                if !ready { one.readiness = None; }
                one
            }).collect();
            let (whole, mut read, mut after) = (ranking(&pool), Ranking::default(), None);
            loop {
                let (page, next) = ranking(&pool).page(after, most);
                let here = page.ranked.len() + page.not_ranked.len();
                prop_assert!(here == most || (next.is_none() && here <= most));
                read.ranked.extend(page.ranked);
                read.not_ranked.extend(page.not_ranked);
                after = next;
                if after.is_none() { break; }
            }
            prop_assert_eq!(read, whole);
        }
    }
}
