//! Consent: what the client lets partners share: one category, one receiver, one purpose (R-REG-16).
//!
//! It widens nothing beyond what that receiver can need for that purpose, and it is never a condition for shelter,
//! nomination or benefit (R-REG-27): no other part of this service asks for it before it acts.
//!
//! Which of the two opens a cell marked `c` of the matrix: consent, wherever the chain itself keeps what is shared, since it was
//! told already and it is the municipality that shares it further. So goals and scores for the district team, and what is missing
//! on finances for shelter and women's shelter, rest on consent. A release of secrecy ([`super::release`]) is for what the chain
//! does not keep: health, addiction and diagnosis, of which a treating party tells what is needed.

use super::case::codes;
use super::policy::Policy;
use super::register::Register;
use super::word::{self, Word};
use kernel::{Date, Moment, Organisation, Refusal, Role};

kernel::id! {
    /// A consent.
    ConsentId
}

kernel::reasons! {
    CONSENT_UNKNOWN: NotFound, "R-REG-16",
        "There is no such consent of this client.", "Deze toestemming van de cliënt bestaat niet.",
        "Read the file for its consents.", "Lees het dossier voor de toestemmingen.";
    CONSENT_TEXT_UNKNOWN: Rule, "R-REG-16",
        "There is no consent text of version {version}.", "Er is geen toestemmingstekst met versie {version}.",
        "Use one of: {known}.", "Gebruik een van: {known}.";
    CONSENT_TOO_WIDE: Rule, "R-REG-16",
        "{receiver} can never need this category for the purpose {purpose}.",
        "{receiver} heeft deze categorie voor het doel {purpose} nooit nodig.",
        "Consent cannot widen what a purpose needs: choose another category, receiver or purpose.",
        "Toestemming verruimt niet wat een doel nodig heeft: kies een andere categorie, ontvanger of een ander doel.";
    CONSENT_EVIDENCE_MISSING: Rule, "R-REG-16",
        "Consent is the client's own.", "Toestemming geeft de cliënt zelf.",
        "Let the client give it, or record the day on which the client said yes.",
        "Laat de cliënt haar geven, of leg vast op welke dag de cliënt ja zei.";
}

codes! {
    /// What may be shared.
    Category {
        Identity = "identity", "Name, birth date, contact.";
        LifeDomains = "life_domains", "Goals on the life domains.";
        CareNeed = "care_need", "What care is needed.";
        Nuisance = "nuisance", "Nuisance history.";
        Income = "income", "Whether there is income or benefit.";
        Debt = "debt", "Whether debts are stabilised.";
        Handover = "handover", "Parts of the handover form.";
        Signal = "signal", "Signals and the signalling plan.";
        Scores = "scores", "Self-reliance scores.";
    }
}

/// What a role can need with consent, and for which purposes: the cells marked `c` of the who-may-see-what matrix.
const CAN_NEED: &word::Needs<Category> = {
    use Category::*;
    &[
        (Role::District, &[LifeDomains, CareNeed, Nuisance, Income, Debt, Scores], &["aftercare", "crisis"]),
        (Role::Treatment, &[Identity, LifeDomains, CareNeed, Handover, Signal], &["aftercare", "crisis"]),
        (Role::Shelter, &[Income, Debt], &["shelter", "housing"]),
        (Role::Vo, &[Income, Debt], &["shelter", "housing"]),
        (Role::Caseholder, &[Debt], &["regie"]),
        (Role::PeerMuni, &[LifeDomains, CareNeed, Nuisance, Scores], &["investigation", "decision"]),
    ]
};

/// What the client says yes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What may be shared.
    pub category: Category,
    /// With which organisation.
    pub receiver: Organisation,
    /// For which purpose: a code of the register of purposes.
    pub purpose: String,
    /// The version of the text that the client read or heard.
    pub text_version: String,
}

/// A consent.
pub type Consent = Word<ConsentId, Wish>;

/// What happened to a consent.
pub type Event = word::Event<ConsentId, Wish>;

/// Records a consent, and gives back its id; one that stands already is given back as it is.
pub fn give(
    consents: &[Consent],
    id: ConsentId,
    wish: Wish,
    by: (bool, Option<Date>),
    register: &Register,
    policy: &Policy,
    now: Moment,
) -> Result<(ConsentId, Option<Event>), Refusal> {
    register.known(&wish.receiver)?;
    word::read(&policy.consent_texts, &wish.text_version, &CONSENT_TEXT_UNKNOWN)?;
    if !word::can_need(CAN_NEED, register, &wish.receiver, &wish.category, &wish.purpose) {
        return Err(CONSENT_TOO_WIDE.with("receiver", &wish.receiver).with("purpose", &wish.purpose));
    }
    let given_on = word::said_on(by, &CONSENT_EVIDENCE_MISSING, now)?;
    Ok(word::give(consents, id, wish, given_on))
}

/// Withdraws a consent, at once and always.
pub fn withdraw(consents: &[Consent], id: ConsentId, now: Moment) -> Result<Option<Event>, Refusal> {
    word::end(consents, id, &CONSENT_UNKNOWN, now.date)
}

/// Whether an organisation may receive a category.
pub fn allows(consents: &[Consent], receiver: &Organisation, category: Category) -> bool {
    that_allows(consents, receiver, category).is_some()
}

/// The consent by which an organisation may receive a category.
pub fn that_allows<'a>(consents: &'a [Consent], receiver: &Organisation, category: Category) -> Option<&'a Consent> {
    let fits = |c: &&Consent| c.wish.receiver == *receiver && c.wish.category == category;
    consents.iter().find(|c| c.ended.is_none() && fits(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;

    fn now() -> Moment {
        Moment::start_of(date(2026, 3, 2))
    }

    fn wish(category: Category, receiver: &str, purpose: &str, text: &str) -> Wish {
        let receiver = Organisation::parse("o", receiver).unwrap();
        Wish { category, receiver, purpose: purpose.into(), text_version: text.into() }
    }

    fn give_one(standing: &[Consent], wish: Wish, by: (bool, Option<Date>)) -> Result<Option<Event>, &'static str> {
        let id = ConsentId(Uuid::from_u128(9));
        give(standing, id, wish, by, &Register::sample(), &Policy::sample(), now())
            .map(|(_, event)| event)
            .map_err(|refusal| refusal.reason.code)
    }

    /// R-REG-16
    #[test]
    fn consent_is_specific_and_cannot_widen_what_a_purpose_needs() {
        let cases = [
            (wish(Category::Scores, "wijkteam-west", "aftercare", "2026-1"), None),
            (wish(Category::Scores, "wijkteam-west", "aftercare", "1999-1"), Some("CONSENT_TEXT_UNKNOWN")),
            (wish(Category::Scores, "wijkteam-west", "housing", "2026-1"), Some("CONSENT_TOO_WIDE")),
            (wish(Category::Identity, "wijkteam-west", "aftercare", "2026-1"), Some("CONSENT_TOO_WIDE")),
            (wish(Category::Debt, "leger-des-heils", "housing", "2026-1"), None),
            (wish(Category::Debt, "niemand", "housing", "2026-1"), Some("ORGANISATION_UNKNOWN")),
        ];
        for (wish, code) in cases {
            assert_eq!(give_one(&[], wish.clone(), (true, None)).err(), code, "{wish:?}");
        }
    }

    /// R-REG-14, R-REG-16
    #[test]
    fn nothing_about_debts_or_scores_can_ever_go_to_a_corporation() {
        for category in Category::ALL {
            for purpose in ["housing", "aftercare", "crisis", "shelter", "regie"] {
                let refusal = give_one(&[], wish(*category, "trivire", purpose, "2026-1"), (true, None));
                assert_eq!(refusal.err(), Some("CONSENT_TOO_WIDE"));
            }
        }
    }

    /// R-REG-16
    #[test]
    fn consent_is_the_clients_own_and_withdrawn_at_once() {
        let scores = wish(Category::Scores, "wijkteam-west", "aftercare", "2026-1");
        assert_eq!(give_one(&[], scores.clone(), (false, None)).err(), Some("CONSENT_EVIDENCE_MISSING"));
        let tomorrow = Some(date(2026, 3, 3));
        assert_eq!(give_one(&[], scores.clone(), (false, tomorrow)).err(), Some("CONSENT_EVIDENCE_MISSING"));
        let Ok(Some(Event::Given(given))) = give_one(&[], scores.clone(), (false, Some(date(2026, 3, 1)))) else {
            panic!()
        };
        let west = Organisation::parse("o", "wijkteam-west").unwrap();
        assert!(allows(std::slice::from_ref(&given), &west, Category::Scores));
        assert!(!allows(std::slice::from_ref(&given), &west, Category::Debt));
        assert_eq!(give_one(std::slice::from_ref(&given), scores.clone(), (true, None)), Ok(None));
        let Ok(Some(Event::Ended(gone))) = withdraw(std::slice::from_ref(&given), given.id, now()) else { panic!() };
        assert!(!allows(std::slice::from_ref(&gone), &west, Category::Scores));
        assert_eq!(withdraw(std::slice::from_ref(&gone), gone.id, now()), Ok(None));
        assert!(matches!(give_one(&[gone], scores, (true, None)), Ok(Some(Event::Given(_)))));
    }
}
