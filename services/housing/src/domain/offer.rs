//! An offer of a dwelling to a candidate. Client and corporation answer in any order within its term; the first offer of
//! a dwelling that all accept becomes the allocation, the others are superseded (P1).

use super::ranking::{Ranking, Scored};
use super::suitable::{self, Figures, Household, OFFER_RENT_ABOVE_CAP, Share};
use super::{DeclineReason, DeviationReason, DwellingId, IncomeClass, NominationId, OfferId, Policy, RefusalReason};
use super::{dwelling::DWELLING_TAKEN, nomination::NOMINATION_NOT_IN_POOL, ranking::OFFER_DECLINED_OFTEN};
use jiff::ToSpan;
use kernel::{Cents, ClientId, Date, Moment, Municipality, Organisation, Refusal};

kernel::reasons! {
    OFFER_OPEN_ALREADY: Taken, "R-HOU-29",
        "This dwelling is offered to this client already.", "Deze woning is al aan deze cliënt aangeboden.",
        "Wait for the answers.", "Wacht de antwoorden af.";
    OFFER_DEVIATION_UNEXPLAINED: Rule, "R-REG-25",
        "Another candidate ranks higher for this dwelling.", "Een andere kandidaat staat hoger voor deze woning.",
        "Offer to the first of the ranking, or give a deviation_reason.",
        "Bied aan de eerste van de rangorde aan, of geef een reden om af te wijken.";
    OFFER_LEASE_TOO_EARLY: Rule, "R-HOU-17",
        "The dwelling is available from {available_on}.", "De woning is beschikbaar vanaf {available_on}.",
        "Let the lease start on or after that day.", "Laat de huur op of na die dag ingaan.";
    OFFER_EXPIRED: Rule, "R-HOU-22",
        "The offer ended on {until}.", "Het aanbod liep af op {until}.",
        "Ask the municipality to offer again.", "Vraag de gemeente opnieuw aan te bieden.";
    OFFER_CLOSED: Rule, "R-HOU-22",
        "The offer is {state}.", "Het aanbod is al afgesloten ({state}).",
        "Read the offer again; ask the municipality to offer again.",
        "Lees het aanbod opnieuw; vraag de gemeente opnieuw aan te bieden.";
    OFFER_EVIDENCE_MISSING: Rule, "R-HOU-29",
        "Who answers or signs for the client says where the client's own word can be found.",
        "Wie namens de cliënt antwoordt of tekent, zegt waar het woord van de cliënt zelf te vinden is.",
        "Fill evidence, or let the client answer.", "Vul evidence in, of laat de cliënt zelf antwoorden.";
    OFFER_NOT_DECLINED_ON_HEALTH: Rule, "R-HOU-22",
        "The client did not decline this offer on grounds of health.",
        "De cliënt heeft dit aanbod niet om gezondheidsredenen geweigerd.",
        "Nothing needs to be judged.", "Er hoeft niets beoordeeld te worden.";
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// The dwelling.
    pub dwelling: DwellingId,
    /// The candidate's nomination.
    pub nomination: NominationId,
    /// The candidate.
    pub client_id: ClientId,
    /// Whose dwelling it is.
    pub corporation: Organisation,
    /// Who guides the client.
    pub provider: Organisation,
    /// Where the dwelling stands.
    pub municipality: Municipality,
    /// Basic rent per month, as offered.
    pub rent: Cents,
    /// The household, as offered.
    pub household: Household,
    /// Class of income: the corporation's own test, before that the nomination's (R-HOU-28).
    pub income: Option<IncomeClass>,
    /// When the corporation tested it.
    pub income_tested_on: Option<Date>,
    /// A rent guarantee comes with it (R-HOU-05).
    pub guarantee_required: bool,
    /// When the lease would start.
    pub lease_start_on: Date,
    /// The day it was made.
    pub offered_on: Date,
    /// The last day to answer.
    pub until: Date,
    /// What the ranking said, and who decided what (R-REG-25).
    pub advice: Advice,
    /// Where it is.
    pub state: State,
}

/// What the ranking said at the moment of the offer, and what the person who offers made of it (R-REG-25).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Place on the ranking, from 1; `None` when not on it.
    pub rank: Option<u32>,
    /// The parts of the score.
    pub parts: Vec<Scored>,
    /// Why the decider deviates, if so.
    pub deviation: Option<DeviationReason>,
    /// The person who decided.
    pub decided_by: String,
    /// The version of the policy that was used.
    pub policy_version: String,
}

/// Where an offer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for whoever has not accepted.
    Open {
        /// The client has accepted.
        client: bool,
        /// The corporation has accepted.
        corporation: bool,
    },
    /// All have accepted: an allocation exists or existed.
    Accepted,
    /// The client declined.
    Declined {
        /// Why.
        reason: DeclineReason,
        /// What access judged of a ground of health; `None` before.
        upheld: Option<bool>,
    },
    /// The corporation refused.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
    /// The term passed.
    Lapsed,
    /// Withdrawn.
    Withdrawn,
    /// Another offer was accepted by all first.
    Superseded {
        /// Another household has the dwelling; otherwise this client has another home.
        dwelling_taken: bool,
    },
}

impl State {
    /// The state's name.
    pub fn name(self) -> &'static str {
        match self {
            State::Open { .. } => "open",
            State::Accepted => "accepted",
            State::Declined { .. } => "declined",
            State::Refused { .. } => "refused",
            State::Lapsed => "lapsed",
            State::Withdrawn => "withdrawn",
            State::Superseded { .. } => "superseded",
        }
    }
}

/// Where the client's own word can be found (R-HOU-29).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The client answered with an own token.
    Own,
    /// Somebody answered for the client; where it can be found.
    Document(String),
}

impl Evidence {
    /// Refuses an answer for the client without evidence.
    pub fn of(by_client: bool, document: &str) -> Result<Self, Refusal> {
        match document.trim() {
            _ if by_client => Ok(Self::Own),
            "" => Err((&OFFER_EVIDENCE_MISSING).into()),
            text => Ok(Self::Document(text.to_owned())),
        }
    }
}

/// What can be asked of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The client accepts.
    Accept,
    /// The client declines.
    Decline {
        /// Why.
        reason: DeclineReason,
    },
    /// Access judges a ground of health.
    JudgeHealth {
        /// It stands.
        upheld: bool,
    },
    /// The corporation accepts.
    AcceptCandidate {
        /// Outcome and day of its own income test, if done (R-HOU-28).
        tested: Option<(IncomeClass, Date)>,
        /// It asks a guarantee (R-HOU-05).
        guarantee: bool,
        /// Its allocations of the year so far (R-HOU-06).
        share: Share,
    },
    /// The corporation refuses.
    RefuseCandidate {
        /// Why.
        reason: RefusalReason,
    },
    /// The municipality withdraws, or dwelling or nomination is withdrawn.
    Withdraw,
    /// Another offer was accepted by all.
    Supersede {
        /// It was of the same dwelling.
        dwelling_taken: bool,
    },
    /// Look whether it must be brought to mind.
    Remind,
    /// Look whether its term has passed.
    Lapse,
}

/// What happened to an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The client accepted.
    ClientAccepted,
    /// The corporation accepted.
    CorporationAccepted {
        /// Outcome and day of its own income test, if done.
        tested: Option<(IncomeClass, Date)>,
        /// It asks a guarantee.
        guarantee: bool,
    },
    /// Now all have accepted: there must be an allocation.
    AcceptedByAll,
    /// The client declined.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// Access judged a ground of health.
    HealthJudged {
        /// It stands.
        upheld: bool,
    },
    /// The corporation refused.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
    /// Withdrawn.
    Withdrawn,
    /// Superseded.
    Superseded {
        /// By another household in the same dwelling.
        dwelling_taken: bool,
    },
    /// Runs out soon (P7).
    EndingSoon {
        /// The client has not accepted.
        waits_for_client: bool,
        /// The corporation has not accepted.
        waits_for_corporation: bool,
    },
    /// Ran out.
    Lapsed,
}

/// Whether a dwelling may be offered to a candidate, judged by its ranking: following it needs no reason, deviating does,
/// and some rules do not yield at all (R-REG-25). Gives the place on the ranking and the parts of the score.
pub fn advise(
    ranking: &Ranking,
    nomination: NominationId,
    deviation: Option<DeviationReason>,
    share: Share,
    policy: &Policy,
) -> Result<(Option<u32>, Vec<Scored>), Refusal> {
    if let Some(place) = ranking.ranked.iter().position(|ranked| ranked.nomination == nomination) {
        let ranked = &ranking.ranked[place];
        if ranked.offered {
            return Err((&OFFER_OPEN_ALREADY).into());
        }
        let first = ranking.ranked[..place].iter().all(|higher| higher.offered);
        return match (first, deviation) {
            (false, None) => Err((&OFFER_DEVIATION_UNEXPLAINED).into()),
            _ => Ok((Some(place as u32 + 1), ranked.parts.clone())),
        };
    }
    let Some(out) = ranking.not_ranked.iter().find(|out| out.nomination == nomination) else {
        return Err((&NOMINATION_NOT_IN_POOL).into());
    };
    let yields = |refusal: &&Refusal| {
        deviation.is_some()
            && (refusal.reason == &OFFER_DECLINED_OFTEN
                || (refusal.reason == &OFFER_RENT_ABOVE_CAP && share.allows_one_more(policy)))
    };
    match out.failed.iter().find(|refusal| !yields(refusal)) {
        Some(refusal) => Err(refusal.clone()),
        None => Ok((None, out.parts.clone())),
    }
}

/// When the lease starts: the wished day, or the day on which the dwelling is available; never before that.
pub fn lease_start(wished: Option<Date>, available_on: Date) -> Result<Date, Refusal> {
    match wished {
        Some(day) if day < available_on => Err(OFFER_LEASE_TOO_EARLY.with("available_on", available_on)),
        wished => Ok(wished.unwrap_or(available_on)),
    }
}

/// The last day to answer an offer that is made today (R-HOU-22).
pub fn until(policy: &Policy, now: Moment) -> Date {
    policy.calendar.plain_end(now.date, policy.offer_term)
}

/// When an open offer must be brought to mind, and when its term has passed (P7).
pub fn wake_at(policy: &Policy, until: Date) -> (Moment, Moment) {
    let remind_on = policy.calendar.add_working_days(until, -policy.offer_reminder_working_days);
    (Moment::at_hour(remind_on, 8), Moment::start_of(until.saturating_add(1.day())))
}

/// What may happen to an offer.
pub fn decide(
    offer: &Offer,
    command: &Command,
    policy: &Policy,
    figures: &Figures,
    now: Moment,
) -> Result<Vec<Event>, Refusal> {
    use Command as C;
    use State as S;
    let expired = now.date > offer.until;
    match (offer.state, command) {
        // The term: what runs out does so on its own day, whoever comes first.
        (S::Open { .. }, C::Lapse) if expired => Ok(vec![Event::Lapsed]),
        (S::Open { client, corporation }, C::Remind) if !expired => {
            Ok(vec![Event::EndingSoon { waits_for_client: !client, waits_for_corporation: !corporation }])
        }
        (_, C::Lapse | C::Remind) => Ok(vec![]),

        (S::Open { .. }, C::Supersede { dwelling_taken }) => {
            Ok(vec![Event::Superseded { dwelling_taken: *dwelling_taken }])
        }
        (S::Open { .. }, C::Withdraw) => Ok(vec![Event::Withdrawn]),
        (S::Accepted, C::Withdraw) => Err(closed(offer)),
        (_, C::Supersede { .. } | C::Withdraw) => Ok(vec![]),

        (S::Open { client: true, .. }, C::Accept) | (S::Accepted, C::Accept | C::AcceptCandidate { .. }) => Ok(vec![]),
        (S::Open { corporation: true, .. }, C::AcceptCandidate { .. }) => Ok(vec![]),
        (S::Declined { reason, .. }, C::Decline { reason: again }) if reason == *again => Ok(vec![]),
        (S::Refused { reason }, C::RefuseCandidate { reason: again }) if reason == *again => Ok(vec![]),
        (S::Open { .. }, C::Accept | C::Decline { .. } | C::AcceptCandidate { .. } | C::RefuseCandidate { .. })
            if expired =>
        {
            Err(OFFER_EXPIRED.with("until", offer.until))
        }
        (S::Lapsed, C::Accept | C::Decline { .. } | C::AcceptCandidate { .. } | C::RefuseCandidate { .. }) => {
            Err(OFFER_EXPIRED.with("until", offer.until))
        }

        (S::Open { corporation, .. }, C::Accept) => Ok(with_last(Event::ClientAccepted, corporation)),
        (S::Open { client, .. }, C::AcceptCandidate { tested, guarantee, share }) => {
            let income = tested.map(|(class, _)| class).or(offer.income);
            match figures.above_cap(offer.rent, offer.household, income) {
                // Who offered above the cap has given a reason, and the share had room for it (R-HOU-06).
                Some(cap) if !share.allows_one_more(policy) => Err(suitable::above_cap(offer.rent, cap)),
                _ => Ok(with_last(Event::CorporationAccepted { tested: *tested, guarantee: *guarantee }, client)),
            }
        }
        (S::Open { .. }, C::Decline { reason }) => Ok(vec![Event::Declined { reason: *reason }]),
        (S::Open { .. }, C::RefuseCandidate { reason }) => Ok(vec![Event::Refused { reason: *reason }]),

        (S::Declined { reason: DeclineReason::UnsuitableHealth, upheld }, C::JudgeHealth { upheld: judged }) => {
            if upheld == Some(*judged) {
                Ok(vec![])
            } else {
                Ok(vec![Event::HealthJudged { upheld: *judged }])
            }
        }
        (_, C::JudgeHealth { .. }) => Err((&OFFER_NOT_DECLINED_ON_HEALTH).into()),

        (S::Superseded { dwelling_taken: true }, C::Accept | C::AcceptCandidate { .. }) => {
            Err((&DWELLING_TAKEN).into())
        }
        (_, C::Accept | C::Decline { .. } | C::AcceptCandidate { .. } | C::RefuseCandidate { .. }) => {
            Err(closed(offer))
        }
    }
}

fn with_last(accepted: Event, other_has_accepted: bool) -> Vec<Event> {
    if other_has_accepted { vec![accepted, Event::AcceptedByAll] } else { vec![accepted] }
}

fn closed(offer: &Offer) -> Refusal {
    OFFER_CLOSED.with("state", offer.state.name())
}

/// The offer after an event.
pub fn apply(mut offer: Offer, event: &Event) -> Offer {
    match (event, &mut offer.state) {
        (Event::ClientAccepted, State::Open { client, .. }) => *client = true,
        (Event::CorporationAccepted { tested, guarantee }, State::Open { corporation, .. }) => {
            *corporation = true;
            offer.guarantee_required |= guarantee;
            if let Some((class, on)) = tested {
                offer.income = Some(*class);
                offer.income_tested_on = Some(*on);
            }
        }
        (Event::AcceptedByAll, state) => *state = State::Accepted,
        (Event::Declined { reason }, state) => *state = State::Declined { reason: *reason, upheld: None },
        (Event::HealthJudged { upheld: judged }, State::Declined { upheld, .. }) => *upheld = Some(*judged),
        (Event::Refused { reason }, state) => *state = State::Refused { reason: *reason },
        (Event::Withdrawn, state) => *state = State::Withdrawn,
        (Event::Superseded { dwelling_taken }, state) => *state = State::Superseded { dwelling_taken: *dwelling_taken },
        (Event::Lapsed, state) => *state = State::Lapsed,
        (
            Event::EndingSoon { .. }
            | Event::ClientAccepted
            | Event::CorporationAccepted { .. }
            | Event::HealthJudged { .. },
            _,
        ) => {}
    }
    offer
}

/// Whether this offer counts as a declined suitable one (R-HOU-22): not for safety or another home, and on grounds of
/// health only when access did not uphold them.
pub fn counts(state: State) -> bool {
    match state {
        State::Declined { reason: DeclineReason::UnsuitableHealth, upheld } => upheld == Some(false),
        State::Declined { reason: DeclineReason::Safety | DeclineReason::FoundElsewhere, .. } => false,
        State::Declined { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::ranking::tests::{candidate, ranking};
    use crate::domain::tests::{dordrecht, figures, org, policy, uuid};
    use crate::domain::{AgeClass, Code, ranking::Candidate};
    use jiff::civil::date;
    use proptest::prelude::*;

    pub fn offer(state: State) -> Offer {
        Offer {
            id: OfferId(uuid(1)),
            dwelling: DwellingId(uuid(1)),
            nomination: NominationId(uuid(1)),
            client_id: ClientId(uuid(1)),
            corporation: org("trivire"),
            provider: org("leger-des-heils"),
            municipality: dordrecht(),
            rent: Cents(60_000),
            household: Household { adults: 1, children: 0, age: AgeClass::From23 },
            income: None,
            income_tested_on: None,
            guarantee_required: false,
            lease_start_on: date(2026, 4, 1),
            offered_on: date(2026, 3, 2),
            until: date(2026, 3, 9),
            advice: Advice {
                rank: Some(1),
                parts: vec![],
                deviation: None,
                decided_by: "r".into(),
                policy_version: "*@2000-01-01".into(),
            },
            state,
        }
    }

    const OPEN: State = State::Open { client: false, corporation: false };
    const FULL: Share = Share { judged: 0, above: 0 };

    fn on(day: i8) -> Moment {
        Moment::at_hour(date(2026, 3, day), 12)
    }

    fn try_on(state: State, command: Command, day: i8) -> Result<Vec<Event>, Refusal> {
        decide(&offer(state), &command, &policy(), &figures(2026), on(day))
    }

    fn accept_candidate() -> Command {
        Command::AcceptCandidate { tested: None, guarantee: false, share: FULL }
    }

    /// P1
    #[test]
    fn the_last_to_accept_makes_the_allocation_in_whichever_order() {
        let client = State::Open { client: true, corporation: false };
        let corporation = State::Open { client: false, corporation: true };
        let accepted = Event::CorporationAccepted { tested: None, guarantee: false };
        assert_eq!(try_on(OPEN, Command::Accept, 9), Ok(vec![Event::ClientAccepted]));
        assert_eq!(try_on(OPEN, accept_candidate(), 9), Ok(vec![accepted.clone()]));
        assert_eq!(try_on(corporation, Command::Accept, 9), Ok(vec![Event::ClientAccepted, Event::AcceptedByAll]));
        assert_eq!(try_on(client, accept_candidate(), 9), Ok(vec![accepted, Event::AcceptedByAll]));
        assert_eq!(try_on(client, Command::Accept, 20), Ok(vec![]));
        assert_eq!(try_on(State::Accepted, accept_candidate(), 20), Ok(vec![]));
    }

    /// R-HOU-22, P7
    #[test]
    fn an_offer_cannot_be_answered_after_its_term() {
        for command in [
            Command::Accept,
            accept_candidate(),
            Command::Decline { reason: DeclineReason::Costs },
            Command::RefuseCandidate { reason: RefusalReason::Other },
        ] {
            assert!(try_on(OPEN, command.clone(), 9).is_ok());
            assert_eq!(try_on(OPEN, command.clone(), 10).unwrap_err().reason, &OFFER_EXPIRED);
            assert_eq!(try_on(State::Lapsed, command, 9).unwrap_err().reason, &OFFER_EXPIRED);
        }
    }

    /// P7
    #[test]
    fn an_open_offer_is_brought_to_mind_before_it_lapses_and_lapses_after_its_last_day() {
        let waits = Event::EndingSoon { waits_for_client: true, waits_for_corporation: false };
        assert_eq!(try_on(State::Open { client: false, corporation: true }, Command::Remind, 8), Ok(vec![waits]));
        assert_eq!(try_on(State::Accepted, Command::Remind, 8), Ok(vec![]));
        assert_eq!(try_on(OPEN, Command::Lapse, 9), Ok(vec![]));
        assert_eq!(try_on(OPEN, Command::Lapse, 10), Ok(vec![Event::Lapsed]));
        assert_eq!(try_on(State::Accepted, Command::Lapse, 10), Ok(vec![]));
        // Monday 2 March + 5 working days = Monday 9 March; reminded on Friday 6 March, lapsed on the 10th.
        let until = until(&policy(), on(2));
        let (remind, lapse) = wake_at(&policy(), until);
        assert_eq!((until, remind.date, lapse.date), (date(2026, 3, 9), date(2026, 3, 6), date(2026, 3, 10)));
    }

    /// R-HOU-22
    #[test]
    fn every_coded_refusal_closes_the_offer_and_only_suitable_ones_count() {
        let not_counting = [DeclineReason::UnsuitableHealth, DeclineReason::Safety, DeclineReason::FoundElsewhere];
        for reason in DeclineReason::ALL {
            let events = try_on(OPEN, Command::Decline { reason: *reason }, 5).unwrap();
            let after = apply(offer(OPEN), &events[0]);
            assert_eq!(after.state, State::Declined { reason: *reason, upheld: None });
            assert_eq!(counts(after.state), !not_counting.contains(reason), "{reason:?}");
            assert_eq!(try_on(after.state, Command::Decline { reason: *reason }, 20), Ok(vec![]));
            assert_eq!(try_on(after.state, Command::Accept, 5).unwrap_err().reason, &OFFER_CLOSED);
        }
        for reason in RefusalReason::ALL {
            let events = try_on(OPEN, Command::RefuseCandidate { reason: *reason }, 5).unwrap();
            let after = apply(offer(OPEN), &events[0]);
            assert_eq!(after.state, State::Refused { reason: *reason });
            assert!(!counts(after.state));
        }
    }

    /// R-HOU-22
    #[test]
    fn a_ground_of_health_is_judged_by_access_and_counts_only_when_not_upheld() {
        let declined = State::Declined { reason: DeclineReason::UnsuitableHealth, upheld: None };
        let judged = |upheld| apply(offer(declined), &Event::HealthJudged { upheld }).state;
        assert_eq!(
            try_on(declined, Command::JudgeHealth { upheld: false }, 20),
            Ok(vec![Event::HealthJudged { upheld: false }])
        );
        assert_eq!(try_on(judged(true), Command::JudgeHealth { upheld: true }, 20), Ok(vec![]));
        assert!(counts(judged(false)) && !counts(judged(true)) && !counts(declined));
        let costs = State::Declined { reason: DeclineReason::Costs, upheld: None };
        for state in [OPEN, State::Accepted, costs] {
            let refused = try_on(state, Command::JudgeHealth { upheld: true }, 5).unwrap_err();
            assert_eq!(refused.reason, &OFFER_NOT_DECLINED_ON_HEALTH);
        }
    }

    /// P1
    #[test]
    fn who_comes_second_hears_that_the_dwelling_is_taken() {
        let taken = State::Superseded { dwelling_taken: true };
        assert_eq!(try_on(taken, Command::Accept, 5).unwrap_err().reason, &DWELLING_TAKEN);
        assert_eq!(try_on(taken, accept_candidate(), 5).unwrap_err().reason, &DWELLING_TAKEN);
        let elsewhere = State::Superseded { dwelling_taken: false };
        assert_eq!(try_on(elsewhere, accept_candidate(), 5).unwrap_err().reason, &OFFER_CLOSED);
        assert_eq!(try_on(State::Accepted, Command::Withdraw, 5).unwrap_err().reason, &OFFER_CLOSED);
        assert_eq!(try_on(OPEN, Command::Withdraw, 20), Ok(vec![Event::Withdrawn]));
    }

    /// R-HOU-06, R-HOU-28
    #[test]
    fn the_corporations_own_income_test_decides_on_the_rent() {
        let dear = Offer { rent: Cents(70_000), ..offer(OPEN) };
        let with = |class, share| {
            let tested = Some((class, date(2026, 3, 3)));
            let command = Command::AcceptCandidate { tested, guarantee: true, share };
            decide(&dear, &command, &policy(), &figures(2026), on(5))
        };
        assert_eq!(with(IncomeClass::RentAllowance, FULL).unwrap_err().reason, &OFFER_RENT_ABOVE_CAP);
        assert!(with(IncomeClass::RentAllowance, Share { judged: 30, above: 0 }).is_ok());
        let events = with(IncomeClass::Social, FULL).unwrap();
        let after = apply(dear.clone(), &events[0]);
        assert_eq!((after.income, after.guarantee_required), (Some(IncomeClass::Social), true));
    }

    /// R-REG-25, R-HOU-22, R-HOU-06
    #[test]
    fn the_municipality_follows_the_ranking_or_says_why_not() {
        let id = |n| NominationId(uuid(n));
        let advise =
            |pool: &[Candidate], n, deviation, share| advise(&ranking(pool), id(n), deviation, share, &policy());
        let first = candidate(1);
        let second = candidate(2);
        let pool = [first.clone(), second.clone()];
        let why = Some(DeviationReason::Urgent);
        assert_eq!(advise(&pool, 1, None, FULL).unwrap().0, Some(1));
        assert_eq!(advise(&pool, 2, None, FULL).unwrap_err().reason, &OFFER_DEVIATION_UNEXPLAINED);
        assert_eq!(advise(&pool, 2, why, FULL).unwrap().0, Some(2));
        assert_eq!(advise(&pool, 9, why, FULL).unwrap_err().reason, &NOMINATION_NOT_IN_POOL);
        let offered = [Candidate { offered: true, ..first.clone() }, second];
        assert_eq!(advise(&offered, 2, None, FULL).unwrap().0, Some(2));
        assert_eq!(advise(&offered, 1, None, FULL).unwrap_err().reason, &OFFER_OPEN_ALREADY);
        let often = [Candidate { declined: 2, ..first.clone() }];
        assert_eq!(advise(&often, 1, None, FULL).unwrap_err().reason, &OFFER_DECLINED_OFTEN);
        assert_eq!(advise(&often, 1, why, FULL).unwrap().0, None);
        let unready = [Candidate { readiness: None, ..first.clone() }];
        assert_eq!(advise(&unready, 1, why, FULL).unwrap_err().reason.rule, "R-HOU-03");
        let mut young = first;
        young.nomination.household.age = AgeClass::Under21;
        assert_eq!(advise(&[young.clone()], 1, why, FULL).unwrap_err().reason, &OFFER_RENT_ABOVE_CAP);
        assert_eq!(advise(&[young], 1, why, Share { judged: 19, above: 0 }).unwrap().0, None);
    }

    /// R-HOU-17, R-HOU-29
    #[test]
    fn a_lease_never_starts_before_the_dwelling_is_there_and_a_word_for_the_client_has_evidence() {
        let day = date(2026, 3, 1);
        assert_eq!(lease_start(None, day), Ok(day));
        assert_eq!(lease_start(Some(date(2026, 4, 1)), day), Ok(date(2026, 4, 1)));
        assert_eq!(lease_start(Some(date(2026, 2, 28)), day).unwrap_err().reason, &OFFER_LEASE_TOO_EARLY);
        assert_eq!(Evidence::of(true, ""), Ok(Evidence::Own));
        assert_eq!(Evidence::of(false, " ").unwrap_err().reason, &OFFER_EVIDENCE_MISSING);
        assert_eq!(Evidence::of(false, "letter 12"), Ok(Evidence::Document("letter 12".into())));
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop_oneof![
            Just(Command::Accept),
            Just(accept_candidate()),
            Just(Command::Decline { reason: DeclineReason::UnsuitableHealth }),
            Just(Command::RefuseCandidate { reason: RefusalReason::Other }),
            any::<bool>().prop_map(|upheld| Command::JudgeHealth { upheld }),
            any::<bool>().prop_map(|dwelling_taken| Command::Supersede { dwelling_taken }),
            Just(Command::Withdraw),
            Just(Command::Remind),
            Just(Command::Lapse),
        ]
    }

    proptest! {
        /// P1, P3
        #[test]
        fn an_offer_ends_once_and_the_same_wish_twice_changes_nothing(
            commands in proptest::collection::vec((any_command(), 2i8..13), 0..25)
        ) {
            let mut state = offer(OPEN);
            let (mut ended, mut allocations) = (0, 0);
            for (command, day) in commands {
                let events = decide(&state, &command, &policy(), &figures(2026), on(day)).unwrap_or_default();
                for event in &events {
                    let was_open = matches!(state.state, State::Open { .. });
                    allocations += i32::from(*event == Event::AcceptedByAll);
                    state = apply(state, event);
                    ended += i32::from(was_open && !matches!(state.state, State::Open { .. }));
                }
                if !events.is_empty() && command != Command::Remind {
                    let again = decide(&state, &command, &policy(), &figures(2026), on(day));
                    prop_assert_eq!(again, Ok(vec![]));
                }
            }
            prop_assert!(ended <= 1 && allocations <= 1);
        }
    }
}
