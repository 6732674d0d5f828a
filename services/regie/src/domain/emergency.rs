//! Emergency access (noodknop, R-REG-20): one person looks at one client without a relation, in one role, for a while. The
//! client sees it, and somebody else reviews it. It gives a relation and nothing more: what the role may not see of its own
//! clients, it does not see of this one.

use super::case::codes;
use super::policy::Policy;
use super::written;
use kernel::{Date, Moment, Organisation, Refusal, Role, Timestamp};
use std::time::Duration;

kernel::id! {
    /// An emergency access.
    EmergencyId
}

kernel::reasons! {
    EMERGENCY_REASON_MISSING: Rule, "R-REG-20",
        "Emergency access needs a reason and an explanation of 10 to 2000 characters.",
        "Noodtoegang vraagt een reden en een toelichting van 10 tot 2000 tekens.",
        "Give both; the client reads them.", "Geef beide; de cliënt leest ze.";
    EMERGENCY_NOT_NEEDED: Rule, "R-REG-20",
        "You have to do with this client already.", "U heeft al met deze cliënt te maken.",
        "Read the file as you always do.", "Lees het dossier zoals altijd.";
    EMERGENCY_REVIEW_INCOMPLETE: Rule, "R-REG-20",
        "A review needs an outcome and an explanation of 10 to 2000 characters.",
        "Een beoordeling vraagt een uitkomst en een toelichting van 10 tot 2000 tekens.",
        "Give both; the client reads them.", "Geef beide; de cliënt leest ze.";
    EMERGENCY_OWN_REVIEW: Rule, "R-REG-20",
        "Who used emergency access does not review it.", "Wie de noodtoegang gebruikte, beoordeelt haar niet.",
        "Let a colleague review it.", "Laat een collega haar beoordelen.";
    EMERGENCY_REVIEWED: Rule, "R-REG-20",
        "This emergency access was reviewed otherwise.", "Deze noodtoegang is al anders beoordeeld.",
        "The first review stands.", "De eerste beoordeling blijft staan.";
}

codes! {
    /// Why somebody opens it.
    Reason {
        Danger = "danger", "Danger to life or health.";
        Violence = "violence", "Violence, or the threat of it.";
        NowhereToSleep = "nowhere_to_sleep", "Nowhere to sleep tonight.";
        ChildUnsafe = "child_unsafe", "A child is not safe.";
        Other = "other", "Another emergency, explained.";
    }
}

codes! {
    /// What a review found.
    Outcome {
        Justified = "justified", "There was an emergency, and what was read was needed.";
        NotJustified = "not_justified", "There was none, or more was read than it needed.";
    }
}

/// In Dutch and in English, as the client reads it.
pub type Words = (&'static str, &'static str);

impl Reason {
    /// As the client reads it.
    pub fn words(self) -> Words {
        match self {
            Reason::Danger => ("gevaar voor leven of gezondheid", "danger to life or health"),
            Reason::Violence => ("geweld of dreiging met geweld", "violence or the threat of it"),
            Reason::NowhereToSleep => ("geen slaapplek voor de nacht", "nowhere to sleep for the night"),
            Reason::ChildUnsafe => ("een kind is niet veilig", "a child is not safe"),
            Reason::Other => ("een ander noodgeval", "another emergency"),
        }
    }
}

impl Outcome {
    /// As the client reads it.
    pub fn words(self) -> Words {
        match self {
            Outcome::Justified => ("Beoordeeld: dit was nodig.", "Reviewed: this was needed."),
            Outcome::NotJustified => ("Beoordeeld: dit had niet gemogen.", "Reviewed: this should not have happened."),
        }
    }
}

/// What the review says while there is none.
pub const NOT_REVIEWED: Words = ("Nog niet beoordeeld.", "Not reviewed yet.");

/// An event on the client's timeline, as the client reads it.
pub fn on_the_timeline(kind: &str) -> Option<Words> {
    match kind {
        "nl.doorstroom.regie.emergency-access-opened" => Some((
            "Iemand die nog niet met u te maken had, heeft met de noodknop uw gegevens geopend.",
            "Somebody who had nothing to do with you yet opened your data by emergency access.",
        )),
        "nl.doorstroom.regie.emergency-access-ended" => {
            Some(("De toegang met de noodknop is gestopt.", "The emergency access has ended."))
        }
        "nl.doorstroom.regie.emergency-access-reviewed" => Some((
            "De gemeente heeft beoordeeld of de noodknop nodig was.",
            "The municipality reviewed whether the emergency access was needed.",
        )),
        _ => None,
    }
}

/// Who wants to look, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// For which organisation that person works.
    pub organisation: Organisation,
    /// Who: by the issuer's own name.
    pub person: String,
    /// In which role.
    pub role: Role,
    /// Why.
    pub reason: Reason,
    /// Why in words.
    pub explanation: String,
}

/// What a review found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// What was found.
    pub outcome: Outcome,
    /// Why in words.
    pub explanation: String,
    /// On which day.
    pub on: Date,
}

/// An emergency access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// Its id.
    pub id: EmergencyId,
    /// Who looks, and why.
    pub wish: Wish,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when by itself.
    pub until: Timestamp,
    /// When it ended; none while it may still count.
    pub ended_at: Option<Timestamp>,
    /// The last day for the review.
    pub review_by: Date,
    /// What the review found; none while it waits.
    pub review: Option<Review>,
}

impl Emergency {
    /// Whether it counts at that moment.
    pub fn is_open(&self, now: Moment) -> bool {
        self.ended_at.is_none() && self.until > now.at
    }

    /// When it ended, also if that was by itself and nobody noted it.
    pub fn ended(&self, now: Moment) -> Option<Timestamp> {
        self.ended_at.or((self.until <= now.at).then_some(self.until))
    }
}

/// Reads why somebody wants to look.
pub fn why(reason: Option<Reason>, explanation: &str) -> Result<(Reason, String), Refusal> {
    reason.zip(written(explanation)).ok_or_else(|| (&EMERGENCY_REASON_MISSING).into())
}

/// Reads what a review found.
pub fn found(outcome: Option<Outcome>, explanation: &str, now: Moment) -> Result<Review, Refusal> {
    let (outcome, explanation) = outcome.zip(written(explanation)).ok_or(&EMERGENCY_REVIEW_INCOMPLETE)?;
    Ok(Review { outcome, explanation, on: now.date })
}

/// Opens it; one that the same person has open in that role is given back as it is, and false with it. Nothing here depends on
/// whether the client exists.
pub fn open(
    known: &[Emergency],
    id: EmergencyId,
    wish: Wish,
    related: bool,
    policy: &Policy,
    now: Moment,
) -> Result<(Emergency, bool), Refusal> {
    if related {
        return Err((&EMERGENCY_NOT_NEEDED).into());
    }
    let same = |one: &&Emergency| {
        let (a, b) = (&one.wish, &wish);
        one.is_open(now) && (&a.organisation, &a.person, a.role) == (&b.organisation, &b.person, b.role)
    };
    if let Some(open) = known.iter().find(same) {
        return Ok((open.clone(), false));
    }
    let lasts = Duration::from_secs(u64::from(policy.emergency_hours) * 3600);
    let until = now.at.checked_add(lasts).unwrap_or(Timestamp::MAX);
    let review_by = policy.calendar.add_working_days(now.date, policy.emergency_review_working_days);
    Ok((Emergency { id, wish, opened_at: now.at, until, ended_at: None, review_by, review: None }, true))
}

/// Ends it, by hand or because its time is over; none when it has ended already.
pub fn end(emergency: &Emergency, now: Moment) -> Option<Emergency> {
    let ended_at = Some(emergency.until.min(now.at));
    emergency.ended_at.is_none().then(|| Emergency { ended_at, ..emergency.clone() })
}

/// Records the review, and ends what is open and was not justified; none when it was reviewed just so before.
pub fn review(
    emergency: &Emergency,
    review: Review,
    by: (&Organisation, &str),
    now: Moment,
) -> Result<Option<Emergency>, Refusal> {
    let Wish { organisation, person, .. } = &emergency.wish;
    if (organisation, person.as_str()) == by {
        return Err((&EMERGENCY_OWN_REVIEW).into());
    }
    match &emergency.review {
        Some(stands) if stands.outcome == review.outcome => return Ok(None),
        Some(_) => return Err((&EMERGENCY_REVIEWED).into()),
        None => {}
    }
    let ends = review.outcome == Outcome::NotJustified;
    let reviewed = Emergency { review: Some(review), ..emergency.clone() };
    Ok(Some(if ends { end(&reviewed, now).unwrap_or(reviewed) } else { reviewed }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;
    use proptest::prelude::*;

    fn now() -> Moment {
        Moment::at_hour(date(2026, 3, 6), 22)
    }

    fn later(seconds: u64) -> Moment {
        Moment::of(now().at + Duration::from_secs(seconds))
    }

    fn wish(person: &str, role: Role) -> Wish {
        let (organisation, explanation) =
            (Organisation::parse("o", "wijkteam-oost").unwrap(), "ligt buiten in de kou".to_owned());
        Wish { organisation, person: person.to_owned(), role, reason: Reason::Danger, explanation }
    }

    fn opened(known: &[Emergency], wish: Wish, at: Moment) -> (Emergency, bool) {
        open(known, EmergencyId(Uuid::from_u128(known.len() as u128 + 1)), wish, false, &Policy::sample(), at).unwrap()
    }

    fn reviewed(outcome: Outcome) -> Review {
        found(Some(outcome), "nagevraagd bij de melder", now()).unwrap()
    }

    /// R-REG-20
    #[test]
    fn emergency_access_needs_a_reason_in_code_and_in_words() {
        let (long, longest) = ("x".repeat(2001), "x".repeat(2000));
        for (reason, text, complete) in [
            (Some(Reason::Other), "ligt in de kou", true),
            (Some(Reason::Danger), longest.as_str(), true),
            (None, "ligt in de kou", false),
            (Some(Reason::Danger), "   kou    ", false),
            (Some(Reason::Danger), long.as_str(), false),
            (Some(Reason::Danger), "een \0 in de tekst", false),
        ] {
            let said = why(reason, text).map_err(|refusal| refusal.reason.code);
            assert_eq!(said.err(), (!complete).then_some("EMERGENCY_REASON_MISSING"), "{text:.20}");
            let outcome = reason.map(|_| Outcome::Justified);
            let said = found(outcome, text, now()).map_err(|refusal| refusal.reason.code);
            assert_eq!(said.err(), (!complete).then_some("EMERGENCY_REVIEW_INCOMPLETE"), "{text:.20}");
        }
    }

    /// R-REG-20: Friday night; 24 hours, and reviewed on Monday.
    #[test]
    fn it_ends_by_itself_and_is_reviewed_the_next_working_day() {
        let (one, new) = opened(&[], wish("medewerker", Role::District), now());
        assert!(new);
        assert_eq!((one.until, one.review_by), (later(24 * 3600).at, date(2026, 3, 9)));
        assert!(one.is_open(later(24 * 3600 - 1)) && !one.is_open(later(24 * 3600)));
        assert_eq!((one.ended(now()), one.ended(later(90_000))), (None, Some(one.until)));
        let ended = end(&one, later(90_000)).unwrap();
        assert_eq!(ended.ended_at, Some(one.until), "noted late, it ended when it was to end");
        assert_eq!(end(&ended, later(90_001)), None);
    }

    /// R-REG-20
    #[test]
    fn one_that_is_open_is_given_back_and_another_person_or_role_opens_another() {
        let (one, _) = opened(&[], wish("medewerker", Role::District), now());
        let known = [one.clone()];
        let other_words = Wish { reason: Reason::Other, ..wish("medewerker", Role::District) };
        assert_eq!(opened(&known, other_words, later(60)), (one.clone(), false));
        assert!(opened(&known, wish("collega", Role::District), now()).1);
        assert!(opened(&known, wish("medewerker", Role::Shelter), now()).1);
        assert!(opened(&known, wish("medewerker", Role::District), later(24 * 3600)).1, "it is over");
        let ended = [end(&one, later(60)).unwrap()];
        assert!(opened(&ended, wish("medewerker", Role::District), later(61)).1, "it was ended");
        let id = EmergencyId(Uuid::from_u128(9));
        let related = open(&[], id, wish("medewerker", Role::District), true, &Policy::sample(), now());
        assert_eq!(related.unwrap_err().reason.code, "EMERGENCY_NOT_NEEDED");
    }

    /// R-REG-20
    #[test]
    fn somebody_else_reviews_it_once_and_what_was_not_justified_ends_at_once() {
        let (one, _) = opened(&[], wish("medewerker", Role::District), now());
        let (team, regie) = (one.wish.organisation.clone(), Organisation::parse("o", "gemeente-dordrecht").unwrap());
        let own = review(&one, reviewed(Outcome::Justified), (&team, "medewerker"), now());
        assert_eq!(own.unwrap_err().reason.code, "EMERGENCY_OWN_REVIEW");
        // The same name at another organisation is somebody else.
        let fine = review(&one, reviewed(Outcome::Justified), (&regie, "medewerker"), later(60)).unwrap().unwrap();
        assert!(fine.is_open(later(60)));
        let wrong = review(&one, reviewed(Outcome::NotJustified), (&regie, "fg"), later(60)).unwrap().unwrap();
        assert_eq!(wrong.ended_at, Some(later(60).at));
        assert_eq!(review(&wrong, reviewed(Outcome::NotJustified), (&regie, "fg"), later(70)), Ok(None));
        let again = review(&wrong, reviewed(Outcome::Justified), (&regie, "fg"), later(70));
        assert_eq!(again.unwrap_err().reason.code, "EMERGENCY_REVIEWED");
    }

    /// R-REG-20, R-REG-21
    #[test]
    fn every_code_has_words_for_the_client() {
        let reasons = Reason::ALL.iter().map(|one| one.words());
        let outcomes = Outcome::ALL.iter().map(|one| one.words());
        let all: Vec<Words> = reasons.chain(outcomes).chain([NOT_REVIEWED]).collect();
        let different: std::collections::BTreeSet<_> = all.iter().flat_map(|(nl, en)| [nl, en]).collect();
        assert_eq!(different.len(), 2 * all.len());
        assert_eq!(on_the_timeline("nl.doorstroom.regie.case-opened"), None);
    }

    proptest! {
        /// R-REG-20: whatever is done and when, it never counts after its end, and never begins to count again.
        #[test]
        fn what_has_ended_stays_ended(steps in proptest::collection::vec((0u64..40_000, 0u8..3), 1..12)) {
            let (mut one, _) = opened(&[], wish("medewerker", Role::District), now());
            let regie = Organisation::parse("o", "gemeente-dordrecht").unwrap();
            let (mut at, mut over) = (0, false);
            for (passes, what) in steps {
                at += passes;
                let moment = later(at);
                let next = match what {
                    0 => end(&one, moment),
                    1 => review(&one, reviewed(Outcome::Justified), (&regie, "fg"), moment).ok().flatten(),
                    _ => review(&one, reviewed(Outcome::NotJustified), (&regie, "fg"), moment).ok().flatten(),
                };
                one = next.unwrap_or(one);
                over |= !one.is_open(moment);
                prop_assert_eq!(one.is_open(moment), !over);
                prop_assert_eq!(one.ended(moment).is_none(), one.is_open(moment));
                prop_assert!(one.ended(moment).is_none_or(|ended| ended <= one.until && ended <= moment.at));
            }
        }
    }
}
