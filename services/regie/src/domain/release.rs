//! Release of professional secrecy: the client lets one organisation that is under secrecy tell one receiver about one
//! subject, for one purpose (R-REG-24, R-REG-27).
//!
//! It is not consent under the AVG and does not replace it: it takes away the professional's duty to keep silent, and gives
//! nobody a ground to keep what they hear. So it opens no view here. What treatment, shelter and women's shelter know under
//! secrecy is in their own file and not in the chain; whether they may tell is what they read here, before they do.

use super::case::codes;
use super::policy::Policy;
use super::register::Register;
use super::word::{self, Word};
use kernel::{Date, Moment, Organisation, Refusal, Role, general};

kernel::id! {
    /// A release of professional secrecy.
    ReleaseId
}

kernel::reasons! {
    RELEASE_UNKNOWN: NotFound, "R-REG-27",
        "There is no such release of secrecy of this client.", "Deze ontheffing van de geheimhouding bestaat niet.",
        "Read the file for its releases.", "Lees het dossier voor de ontheffingen.";
    RELEASE_TEXT_UNKNOWN: Rule, "R-REG-27",
        "There is no text of a release of version {version}.", "Er is geen tekst voor ontheffing met versie {version}.",
        "Use one of: {known}.", "Gebruik een van: {known}.";
    RELEASE_NOT_UNDER_SECRECY: Rule, "R-REG-27",
        "{organisation} is not under professional secrecy in the chain.",
        "{organisation} heeft in de keten geen beroepsgeheim.",
        "Name an organisation for treatment, shelter or women's shelter; what others share needs consent.",
        "Noem een organisatie voor behandeling, opvang of vrouwenopvang; voor wat anderen delen is toestemming nodig.";
    RELEASE_TOO_WIDE: Rule, "R-REG-24",
        "{receiver} never needs to hear this for the purpose {purpose}.",
        "{receiver} hoeft dit voor het doel {purpose} nooit te horen.",
        "Choose another subject, receiver or purpose.", "Kies een ander onderwerp, een andere ontvanger of een ander doel.";
    RELEASE_EVIDENCE_MISSING: Rule, "R-REG-27",
        "Only the client releases somebody from secrecy.", "Alleen de cliënt ontheft iemand van de geheimhouding.",
        "Let the client do so, or record the day on which the client said yes.",
        "Laat de cliënt dat doen, of leg vast op welke dag de cliënt ja zei.";
}

codes! {
    /// What may be told. Of diagnosis and treatment itself there is none: the chain hears of agreed actions (R-REG-24).
    Subject {
        Contact = "contact", "That the client is known there, and whether care runs.";
        CareNeed = "care_need", "What care or guidance is needed.";
        AgreedActions = "agreed_actions", "What was agreed to do, and by whom.";
        EarlySigns = "early_signs", "Early signs of relapse, and what helps.";
        Safety = "safety", "Danger to the client or to others, and what is done about it.";
    }
}

/// Who is under secrecy.
const UNDER_SECRECY: &[Role] = &[Role::Treatment, Role::Shelter, Role::Vo];

/// Who can need to hear it, and for which purposes: the roles that the matrix gives needs or the own care file.
const CAN_NEED: &word::Needs<Subject> = {
    use Subject::*;
    &[
        (Role::Access, &[Contact, CareNeed, AgreedActions, Safety], &["investigation", "decision", "crisis"]),
        (Role::Caseholder, &[Contact, CareNeed, AgreedActions, EarlySigns, Safety], &["regie", "crisis"]),
        (Role::Shelter, &[Contact, CareNeed, AgreedActions, EarlySigns, Safety], &["shelter", "crisis"]),
        (Role::Vo, &[Contact, CareNeed, AgreedActions, EarlySigns, Safety], &["shelter", "crisis"]),
        (Role::District, &[Contact, CareNeed, AgreedActions, EarlySigns, Safety], &["aftercare", "crisis"]),
        (Role::Treatment, &[Contact, CareNeed, AgreedActions, EarlySigns, Safety], &["aftercare", "crisis"]),
        (Role::PeerMuni, &[Contact, CareNeed, AgreedActions, Safety], &["investigation", "decision"]),
    ]
};

/// What the client releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Who may tell.
    pub organisation: Organisation,
    /// Who may be told.
    pub receiver: Organisation,
    /// About what.
    pub subject: Subject,
    /// For which purpose: a code of the register of purposes.
    pub purpose: String,
    /// The version of the text that the client read or heard.
    pub text_version: String,
    /// Up to and with which day; none until it is withdrawn.
    pub last_day: Option<Date>,
}

/// A release of secrecy.
pub type Release = Word<ReleaseId, Wish>;

/// What happened to a release.
pub type Event = word::Event<ReleaseId, Wish>;

/// Records a release, and gives back its id; one that stands already is given back as it is.
pub fn give(
    releases: &[Release],
    id: ReleaseId,
    wish: Wish,
    by: (bool, Option<Date>),
    register: &Register,
    policy: &Policy,
    now: Moment,
) -> Result<(ReleaseId, Option<Event>), Refusal> {
    register.known(&wish.organisation)?;
    register.known(&wish.receiver)?;
    word::read(&policy.release_texts, &wish.text_version, &RELEASE_TEXT_UNKNOWN)?;
    if !UNDER_SECRECY.iter().any(|role| register.in_role(&wish.organisation, *role)) {
        return Err(RELEASE_NOT_UNDER_SECRECY.with("organisation", &wish.organisation));
    }
    let needed = word::can_need(CAN_NEED, register, &wish.receiver, &wish.subject, &wish.purpose);
    if !needed || wish.receiver == wish.organisation {
        return Err(RELEASE_TOO_WIDE.with("receiver", &wish.receiver).with("purpose", &wish.purpose));
    }
    if wish.last_day.is_some_and(|day| day < now.date) {
        return Err(general::MALFORMED.field("last_day", "has passed already", "is al voorbij"));
    }
    let given_on = word::said_on(by, &RELEASE_EVIDENCE_MISSING, now)?;
    Ok(word::give(releases, id, wish, given_on))
}

/// Withdraws a release, at once and always.
pub fn withdraw(releases: &[Release], id: ReleaseId, now: Moment) -> Result<Option<Event>, Refusal> {
    word::end(releases, id, &RELEASE_UNKNOWN, now.date)
}

/// Whether an organisation may tell or be told by it today.
pub fn stands_for(release: &Release, organisation: &Organisation, today: Date) -> bool {
    let wish = &release.wish;
    release.ended.is_none()
        && wish.last_day.is_none_or(|last| today <= last)
        && (wish.organisation == *organisation || wish.receiver == *organisation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;

    fn now() -> Moment {
        Moment::start_of(date(2026, 3, 2))
    }

    fn organisation(code: &str) -> Organisation {
        Organisation::parse("o", code).unwrap()
    }

    fn wish(from: &str, to: &str, subject: Subject, purpose: &str) -> Wish {
        Wish {
            organisation: organisation(from),
            receiver: organisation(to),
            subject,
            purpose: purpose.into(),
            text_version: "2026-1".into(),
            last_day: None,
        }
    }

    fn release(known: &[Release], wish: Wish, by: (bool, Option<Date>)) -> Result<Option<Event>, &'static str> {
        let id = ReleaseId(Uuid::from_u128(9));
        give(known, id, wish, by, &Register::sample(), &Policy::sample(), now())
            .map(|(_, event)| event)
            .map_err(|refusal| refusal.reason.code)
    }

    /// R-REG-24, R-REG-27
    #[test]
    fn only_who_is_under_secrecy_is_released_and_only_towards_who_can_need_it() {
        let to_team = wish("ggz-drechtsteden", "wijkteam-west", Subject::AgreedActions, "aftercare");
        let last_day = |day| Wish { last_day: Some(day), ..to_team.clone() };
        let cases = [
            (to_team.clone(), None),
            (wish("leger-des-heils", "ggz-drechtsteden", Subject::EarlySigns, "crisis"), None),
            (wish("vrouwenopvang", "gemeente-dordrecht", Subject::Safety, "regie"), None),
            (
                wish("gemeente-dordrecht", "wijkteam-west", Subject::CareNeed, "aftercare"),
                Some("RELEASE_NOT_UNDER_SECRECY"),
            ),
            (wish("trivire", "wijkteam-west", Subject::Contact, "aftercare"), Some("RELEASE_NOT_UNDER_SECRECY")),
            (wish("ggz-drechtsteden", "trivire", Subject::Contact, "housing"), Some("RELEASE_TOO_WIDE")),
            (wish("ggz-drechtsteden", "wijkteam-west", Subject::Contact, "housing"), Some("RELEASE_TOO_WIDE")),
            (wish("ggz-drechtsteden", "ggz-drechtsteden", Subject::Contact, "crisis"), Some("RELEASE_TOO_WIDE")),
            (wish("niemand", "wijkteam-west", Subject::Contact, "aftercare"), Some("ORGANISATION_UNKNOWN")),
            (Wish { text_version: "1999-1".into(), ..to_team.clone() }, Some("RELEASE_TEXT_UNKNOWN")),
            (last_day(date(2026, 3, 1)), Some("MALFORMED")),
            (last_day(date(2026, 3, 2)), None),
        ];
        for (wish, code) in cases {
            assert_eq!(release(&[], wish.clone(), (true, None)).err(), code, "{wish:?}");
        }
    }

    /// R-REG-24: whatever is asked, for whatever purpose.
    #[test]
    fn a_landlord_or_neighbour_is_never_told_what_is_under_secrecy() {
        for receiver in
            ["trivire", "sociale-dienst", "buurtnetwerk", "politie-drechtsteden", "meldpunt", "bewindvoerders"]
        {
            for subject in Subject::ALL {
                for purpose in ["housing", "aftercare", "crisis", "shelter", "regie", "income", "debt"] {
                    let wish = wish("ggz-drechtsteden", receiver, *subject, purpose);
                    assert_eq!(release(&[], wish, (true, None)).err(), Some("RELEASE_TOO_WIDE"));
                }
            }
        }
    }

    /// R-REG-27
    #[test]
    fn a_release_is_the_clients_own_and_ends_at_once_or_after_its_last_day() {
        let team = organisation("wijkteam-west");
        let wish = Wish {
            last_day: Some(date(2026, 3, 31)),
            ..wish("ggz-drechtsteden", "wijkteam-west", Subject::CareNeed, "aftercare")
        };
        assert_eq!(release(&[], wish.clone(), (false, None)).err(), Some("RELEASE_EVIDENCE_MISSING"));
        let tomorrow = Some(date(2026, 3, 3));
        assert_eq!(release(&[], wish.clone(), (false, tomorrow)).err(), Some("RELEASE_EVIDENCE_MISSING"));
        let Ok(Some(Event::Given(given))) = release(&[], wish.clone(), (false, Some(date(2026, 3, 1)))) else {
            panic!()
        };
        assert_eq!(given.given_on, date(2026, 3, 1));
        assert_eq!(release(std::slice::from_ref(&given), wish.clone(), (true, None)), Ok(None));
        for who in ["wijkteam-west", "ggz-drechtsteden"] {
            assert!(stands_for(&given, &organisation(who), date(2026, 3, 31)));
            assert!(!stands_for(&given, &organisation(who), date(2026, 4, 1)));
        }
        assert!(!stands_for(&given, &organisation("wijkteam-oost"), now().date));
        let Ok(Some(Event::Ended(gone))) = withdraw(std::slice::from_ref(&given), given.id, now()) else { panic!() };
        assert!(!stands_for(&gone, &team, now().date));
        assert_eq!(withdraw(std::slice::from_ref(&gone), gone.id, now()), Ok(None));
        assert!(matches!(release(&[gone], wish, (true, None)), Ok(Some(Event::Given(_)))));
        let unknown = withdraw(&[], given.id, now()).unwrap_err();
        assert_eq!(unknown.reason.code, "RELEASE_UNKNOWN");
    }
}
