//! Agreement to help: the client agrees to be helped by one organisation, with one kind of help (R-REG-27).
//!
//! It is neither consent nor a release of secrecy: it lets nobody see or tell anything. Client and organisation each end it
//! at once. It is never a condition for shelter, nomination or benefit: nothing here or elsewhere asks for it before it goes
//! on; guidance that was `arranged`, budget management and aftercare keep the records of their own.

use super::case::{Case, codes};
use super::policy::Policy;
use super::register::Register;
use super::word::{self, Word};
use kernel::{Date, Moment, Organisation, Refusal, Role};

kernel::id! {
    /// An agreement to help.
    AgreementId
}

kernel::reasons! {
    HELP_AGREEMENT_UNKNOWN: NotFound, "R-REG-27",
        "There is no such agreement to help of this client.", "Deze instemming met hulp bestaat niet.",
        "Read the file for its agreements.", "Lees het dossier voor de instemmingen met hulp.";
    HELP_AGREEMENT_TEXT_UNKNOWN: Rule, "R-REG-27",
        "There is no text of an agreement of version {version}.",
        "Er is geen tekst voor instemming met hulp met versie {version}.",
        "Use one of: {known}; or refer to the plan.", "Gebruik een van: {known}; of verwijs naar het plan.";
    HELP_AGREEMENT_PLAN_UNKNOWN: Rule, "R-REG-27",
        "The client's case has no plan of edition {edition}.", "De zaak van de cliënt heeft geen plan met uitgave {edition}.",
        "Refer to a plan that was adopted, or to a text.", "Verwijs naar een plan dat is vastgesteld, of naar een tekst.";
    HELP_AGREEMENT_NOT_THEIR_HELP: Rule, "R-REG-27",
        "{organisation} does not give this kind of help.", "{organisation} geeft deze soort hulp niet.",
        "Choose another kind of help or another organisation.", "Kies een andere soort hulp of een andere organisatie.";
    HELP_AGREEMENT_EVIDENCE_MISSING: Rule, "R-REG-27",
        "Whether to accept help is the client's own decision.", "Of hulp welkom is, beslist de cliënt zelf.",
        "Let the client agree, or record the day on which the client said yes.",
        "Laat de cliënt instemmen, of leg vast op welke dag de cliënt ja zei.";
}

codes! {
    /// With what the client wants to be helped.
    Kind {
        Guidance = "guidance", "Guidance in daily life.";
        BudgetManagement = "budget_management", "Preventive budget management (R-INC-23).";
        DebtCounselling = "debt_counselling", "Debt counselling.";
        Treatment = "treatment", "Treatment, or being referred to it.";
        Aftercare = "aftercare", "Aftercare and pilot-light contact.";
    }
}

codes! {
    /// Who ended an agreement.
    Side {
        Client = "client", "The client, or somebody on the client's word.";
        Organisation = "organisation", "The organisation that gives the help.";
    }
}

/// Who gives what.
const GIVEN_BY: &[(Kind, &[Role])] = &[
    (Kind::Guidance, &[Role::Shelter, Role::Vo, Role::District]),
    (Kind::BudgetManagement, &[Role::Debt]),
    (Kind::DebtCounselling, &[Role::Debt]),
    (Kind::Treatment, &[Role::Treatment]),
    (Kind::Aftercare, &[Role::Shelter, Role::Vo, Role::District]),
];

/// What the client read, heard or made before agreeing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A text of this version.
    Text(String),
    /// The plan of this edition.
    Plan(u32),
}

/// What the client agrees to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// Which help.
    pub kind: Kind,
    /// By whom.
    pub organisation: Organisation,
    /// On what.
    pub basis: Basis,
}

/// An agreement to help; it ends on a day, by one of two sides.
pub type Agreement = Word<AgreementId, Help, (Date, Side)>;

/// What happened to an agreement.
pub type Event = word::Event<AgreementId, Help, (Date, Side)>;

/// Records an agreement, and gives back its id; one that stands already is given back as it is.
pub fn give(
    agreements: &[Agreement],
    id: AgreementId,
    help: Help,
    by: (bool, Option<Date>),
    (case, register, policy): (Option<&Case>, &Register, &Policy),
    now: Moment,
) -> Result<(AgreementId, Option<Event>), Refusal> {
    register.known(&help.organisation)?;
    let gives = |role: &Role| register.in_role(&help.organisation, *role);
    if !GIVEN_BY.iter().any(|(kind, roles)| *kind == help.kind && roles.iter().any(gives)) {
        return Err(HELP_AGREEMENT_NOT_THEIR_HELP.with("organisation", &help.organisation));
    }
    match &help.basis {
        Basis::Text(version) => word::read(&policy.agreement_texts, version, &HELP_AGREEMENT_TEXT_UNKNOWN)?,
        Basis::Plan(edition) => {
            let newest = case.and_then(|case| case.plan).map_or(0, |(newest, _)| newest);
            if *edition == 0 || *edition > newest {
                return Err(HELP_AGREEMENT_PLAN_UNKNOWN.with("edition", edition));
            }
        }
    }
    let given_on = word::said_on(by, &HELP_AGREEMENT_EVIDENCE_MISSING, now)?;
    Ok(word::give(agreements, id, help, given_on))
}

/// Ends an agreement, at once and always, from either side.
pub fn end(agreements: &[Agreement], id: AgreementId, side: Side, now: Moment) -> Result<Option<Event>, Refusal> {
    word::end(agreements, id, &HELP_AGREEMENT_UNKNOWN, (now.date, side))
}

/// Which side somebody is on who ends it: who gives the help ends it as such, anybody else on the client's word.
pub fn side(agreement: &Agreement, by_client: bool, organisation: &Organisation) -> Side {
    match !by_client && agreement.wish.organisation == *organisation {
        true => Side::Organisation,
        false => Side::Client,
    }
}

/// Whether somebody has to do with it: the case holder with all that stand, an organisation with its own.
pub fn concerns(agreement: &Agreement, case_holder: bool, organisation: &Organisation) -> bool {
    agreement.ended.is_none() && (case_holder || agreement.wish.organisation == *organisation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::{self, CaseId, Command};
    use jiff::civil::date;
    use kernel::{Municipality, Uuid};

    fn now() -> Moment {
        Moment::start_of(date(2026, 3, 2))
    }

    fn organisation(code: &str) -> Organisation {
        Organisation::parse("o", code).unwrap()
    }

    fn help(kind: Kind, by: &str, basis: Basis) -> Help {
        Help { kind, organisation: organisation(by), basis }
    }

    fn text() -> Basis {
        Basis::Text("2026-1".into())
    }

    fn agree(
        known: &[Agreement],
        help: Help,
        by: (bool, Option<Date>),
        case: Option<&Case>,
    ) -> Result<Option<Event>, &'static str> {
        let id = AgreementId(Uuid::from_u128(9));
        give(known, id, help, by, (case, &Register::sample(), &Policy::sample()), now())
            .map(|(_, event)| event)
            .map_err(|refusal| refusal.reason.code)
    }

    /// R-REG-27
    #[test]
    fn help_is_agreed_with_who_gives_it_on_a_text_or_a_plan() {
        let open = case::open(CaseId(Uuid::nil()), Municipality::parse("m", "0505").unwrap(), now());
        let adopt = Command::AdoptPlan { client_present: true, absence_reason: None };
        let planned = case::decide(Some(&open), &adopt, now()).unwrap().iter().fold(open.clone(), case::apply);
        let cases = [
            (help(Kind::Guidance, "leger-des-heils", text()), None),
            (help(Kind::Aftercare, "wijkteam-west", text()), None),
            (help(Kind::BudgetManagement, "sociale-dienst", text()), None),
            (help(Kind::Treatment, "ggz-drechtsteden", text()), None),
            (help(Kind::Treatment, "leger-des-heils", text()), Some("HELP_AGREEMENT_NOT_THEIR_HELP")),
            (help(Kind::Guidance, "trivire", text()), Some("HELP_AGREEMENT_NOT_THEIR_HELP")),
            (help(Kind::Guidance, "niemand", text()), Some("ORGANISATION_UNKNOWN")),
            (
                help(Kind::Guidance, "leger-des-heils", Basis::Text("1999-1".into())),
                Some("HELP_AGREEMENT_TEXT_UNKNOWN"),
            ),
            (help(Kind::Guidance, "leger-des-heils", Basis::Plan(1)), None),
            (help(Kind::Guidance, "leger-des-heils", Basis::Plan(2)), Some("HELP_AGREEMENT_PLAN_UNKNOWN")),
            (help(Kind::Guidance, "leger-des-heils", Basis::Plan(0)), Some("HELP_AGREEMENT_PLAN_UNKNOWN")),
        ];
        for (help, code) in cases {
            assert_eq!(agree(&[], help.clone(), (true, None), Some(&planned)).err(), code, "{help:?}");
        }
        let by_plan = help(Kind::Guidance, "leger-des-heils", Basis::Plan(1));
        for case in [None, Some(&open)] {
            assert_eq!(agree(&[], by_plan.clone(), (true, None), case).err(), Some("HELP_AGREEMENT_PLAN_UNKNOWN"));
        }
    }

    /// R-REG-27
    #[test]
    fn help_is_agreed_by_the_client_and_ended_at_once_by_either_side() {
        let guidance = help(Kind::Guidance, "leger-des-heils", text());
        assert_eq!(agree(&[], guidance.clone(), (false, None), None).err(), Some("HELP_AGREEMENT_EVIDENCE_MISSING"));
        let tomorrow = Some(date(2026, 3, 3));
        assert_eq!(
            agree(&[], guidance.clone(), (false, tomorrow), None).err(),
            Some("HELP_AGREEMENT_EVIDENCE_MISSING")
        );
        let Ok(Some(Event::Given(given))) = agree(&[], guidance.clone(), (true, None), None) else { panic!() };
        assert_eq!(agree(std::slice::from_ref(&given), guidance.clone(), (true, None), None), Ok(None));
        let (own, other) = (organisation("leger-des-heils"), organisation("gemeente-dordrecht"));
        let sides = [
            (side(&given, true, &own), Side::Client),
            (side(&given, false, &own), Side::Organisation),
            (side(&given, false, &other), Side::Client),
        ];
        for (from, expected) in sides {
            assert_eq!(from, expected);
            let Ok(Some(Event::Ended(gone))) = end(std::slice::from_ref(&given), given.id, from, now()) else {
                panic!()
            };
            assert_eq!(gone.ended, Some((now().date, from)));
            assert_eq!(end(std::slice::from_ref(&gone), gone.id, Side::Client, now()), Ok(None));
            assert!(!concerns(&gone, true, &own));
            assert!(matches!(agree(&[gone], guidance.clone(), (true, None), None), Ok(Some(Event::Given(_)))));
        }
        assert!(concerns(&given, false, &own) && concerns(&given, true, &other) && !concerns(&given, false, &other));
        assert_eq!(end(&[], given.id, Side::Client, now()).unwrap_err().reason.code, "HELP_AGREEMENT_UNKNOWN");
    }
}
