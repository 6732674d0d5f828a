//! Relations: which organisation, or which one person of it, may know a client, and what that comes from (R-REG-13).
//!
//! Every service builds its caseload from the events of these and from nothing else. A relation that comes from something
//! in the chain (an allocation, a handover) ends with it; one that was granted by hand is ended by hand.

use super::case::codes;
use super::register::Register;
use kernel::{Date, Moment, Organisation, Refusal, Role};

kernel::id! {
    /// A relation.
    RelationId
}

kernel::reasons! {
    RELATION_UNKNOWN: NotFound, "R-REG-13",
        "There is no such relation with this client.", "Deze relatie met de cliënt bestaat niet.",
        "Read the file for its relations.", "Lees het dossier voor de relaties.";
    RELATION_OF_THE_CHAIN: Rule, "R-REG-13",
        "This relation comes from something in the chain and ends with it.",
        "Deze relatie komt uit iets in de keten en eindigt daarmee.",
        "End what it comes from: the stay, the allocation, the handover.",
        "Beëindig waar zij uit voortkomt: het verblijf, de toewijzing, de overdracht.";
    ORGANISATION_UNKNOWN: Rule, "R-REG-14",
        "The register knows no organisation {organisation}.", "Het register kent geen organisatie {organisation}.",
        "Choose one from the register of organisations.", "Kies er een uit het register van organisaties.";
    ORGANISATION_NOT_IN_ROLE: Rule, "R-REG-14",
        "The register does not know {organisation} in the role {role}.",
        "Het register kent {organisation} niet in de rol {role}.",
        "Choose a role that the organisation has in the register.", "Kies een rol die de organisatie in het register heeft.";
    RELATION_NEEDS_PERSON: Rule, "R-ACC-13",
        "A case holder has a relation by person, not by organisation.",
        "Een trajecthouder heeft een relatie als persoon, niet als organisatie.",
        "Name the person.", "Noem de persoon.";
}

codes! {
    /// What a relation comes from.
    Kind {
        Notifier = "notifier", "The organisation received or brought the notification.";
        Access = "access", "The access desk of the municipality of notification.";
        Stay = "stay", "The client stays in a facility of the organisation.";
        Caseholder = "caseholder", "The case holder, by person (R-ACC-13).";
        Supervisor = "supervisor", "The organisation of the supervisor (R-REG-02).";
        Nominator = "nominator", "The organisation nominated the client.";
        Income = "income", "Social services, since the nomination.";
        Landlord = "landlord", "The corporation, since a home was accepted by all.";
        District = "district", "The district team, since the handover.";
        Granted = "granted", "Granted by hand.";
    }
}

/// Who may know a client, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The organisation.
    pub organisation: Organisation,
    /// One person of it; none for the whole organisation.
    pub person: Option<String>,
    /// In which role.
    pub role: Role,
    /// What it comes from.
    pub kind: Kind,
    /// The thing that it comes from, by id; none when it is the case itself.
    pub subject: Option<String>,
}

/// A relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its id.
    pub id: RelationId,
    /// Who, and why.
    pub wanted: Wanted,
    /// Since when.
    pub since: Date,
    /// Until when; none while it stands.
    pub ended_on: Option<Date>,
}

/// What happened to a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was granted.
    Granted(Relation),
    /// It ended.
    Ended(Relation),
}

/// Whether a relation ends with the case, whatever else goes on.
pub fn of_the_case(wanted: &Wanted) -> bool {
    matches!(wanted.kind, Kind::Caseholder | Kind::Supervisor | Kind::Granted)
}

/// Grants a relation, unless it stands already: then nothing is left to do.
pub fn grant(standing: &[Relation], id: RelationId, wanted: &Wanted, now: Moment) -> Option<Event> {
    let stands = standing.iter().any(|r| r.ended_on.is_none() && r.wanted == *wanted);
    (!stands).then(|| Event::Granted(Relation { id, wanted: wanted.clone(), since: now.date, ended_on: None }))
}

/// Checks a relation that somebody wants to grant by hand (R-REG-14).
pub fn check(wanted: &Wanted, register: &Register) -> Result<(), Refusal> {
    register.known(&wanted.organisation)?;
    if !register.in_role(&wanted.organisation, wanted.role) {
        return Err(ORGANISATION_NOT_IN_ROLE.with("organisation", &wanted.organisation).with("role", wanted.role));
    }
    if wanted.role == Role::Caseholder && wanted.person.is_none() {
        return Err((&RELATION_NEEDS_PERSON).into());
    }
    Ok(())
}

/// Ends a relation by hand; one that has ended already is left as it is.
pub fn end_by_hand(relations: &[Relation], id: RelationId, now: Moment) -> Result<Option<Event>, Refusal> {
    let relation = relations.iter().find(|r| r.id == id).ok_or(&RELATION_UNKNOWN)?;
    match relation {
        Relation { ended_on: Some(_), .. } => Ok(None),
        Relation { wanted: Wanted { kind: Kind::Granted, .. }, .. } => Ok(Some(ended(relation, now))),
        _ => Err((&RELATION_OF_THE_CHAIN).into()),
    }
}

/// Ends what stands and fits.
pub fn end_where(relations: &[Relation], now: Moment, fits: impl Fn(&Wanted) -> bool) -> Vec<Event> {
    relations.iter().filter(|r| r.ended_on.is_none() && fits(&r.wanted)).map(|r| ended(r, now)).collect()
}

fn ended(relation: &Relation, now: Moment) -> Event {
    Event::Ended(Relation { ended_on: Some(now.date), ..relation.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;

    fn now() -> Moment {
        Moment::start_of(date(2026, 3, 2))
    }

    fn wanted(organisation: &str, role: Role, kind: Kind) -> Wanted {
        let organisation = Organisation::parse("o", organisation).unwrap();
        Wanted { organisation, person: None, role, kind, subject: None }
    }

    fn standing(kind: Kind) -> Relation {
        let wanted = wanted("trivire", Role::Corporation, kind);
        Relation { id: RelationId(Uuid::from_u128(1)), wanted, since: date(2026, 1, 1), ended_on: None }
    }

    /// R-REG-13
    #[test]
    fn a_relation_stands_once_and_ends_with_what_it_comes_from() {
        let landlord = standing(Kind::Landlord);
        let id = RelationId(Uuid::from_u128(2));
        assert_eq!(grant(std::slice::from_ref(&landlord), id, &landlord.wanted, now()), None);
        let refusal = end_by_hand(std::slice::from_ref(&landlord), landlord.id, now()).unwrap_err();
        assert_eq!(refusal.reason.code, "RELATION_OF_THE_CHAIN");
        let events = end_where(std::slice::from_ref(&landlord), now(), |w| w.kind == Kind::Landlord);
        let [Event::Ended(gone)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(end_where(std::slice::from_ref(gone), now(), |_| true), []);
        assert!(grant(std::slice::from_ref(gone), id, &landlord.wanted, now()).is_some());
    }

    /// R-REG-13
    #[test]
    fn a_relation_by_hand_ends_by_hand() {
        let granted = standing(Kind::Granted);
        assert!(end_by_hand(std::slice::from_ref(&granted), granted.id, now()).unwrap().is_some());
        let unknown = end_by_hand(&[], granted.id, now()).unwrap_err();
        assert_eq!(unknown.reason.code, "RELATION_UNKNOWN");
    }

    /// R-REG-14
    #[test]
    fn only_who_is_in_the_register_in_that_role_may_know_a_client() {
        let register = Register::sample();
        let cases = [
            (wanted("trivire", Role::Corporation, Kind::Granted), None),
            (wanted("trivire", Role::District, Kind::Granted), Some("ORGANISATION_NOT_IN_ROLE")),
            (wanted("niemand", Role::District, Kind::Granted), Some("ORGANISATION_UNKNOWN")),
            (wanted("gemeente-dordrecht", Role::Caseholder, Kind::Granted), Some("RELATION_NEEDS_PERSON")),
        ];
        for (wanted, code) in cases {
            assert_eq!(check(&wanted, &register).err().map(|r| r.reason.code), code, "{wanted:?}");
        }
    }
}
