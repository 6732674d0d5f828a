//! Separations: two clients who are never placed together (R-REG-28). Marked for one client from another, by whoever protects
//! that client; each mark stands by itself, and its effect holds both ways.

use super::case::{Assignee, codes};
use super::relation::Relation;
use kernel::{ClientId, Date, Moment, Organisation, Refusal, Role};

kernel::id! {
    /// A separation.
    SeparationId
}

kernel::reasons! {
    SEPARATION_UNKNOWN: NotFound, "R-REG-28",
        "There is no such separation for this client.", "Deze scheiding is er niet voor deze cliënt.",
        "List the client's separations.", "Vraag de scheidingen van de cliënt op.";
    SEPARATION_OF_ONE: Rule, "R-REG-28",
        "A client cannot be kept apart from itself.", "Een cliënt kan niet van zichzelf worden gescheiden.",
        "Name the other client.", "Noem de andere cliënt.";
    SEPARATION_STANDS: Rule, "R-REG-28",
        "They are kept apart already, on another ground.", "Zij worden al gescheiden gehouden, op een andere grond.",
        "End that separation first, then mark the new one.", "Beëindig eerst die scheiding en leg dan de nieuwe vast.";
}

codes! {
    /// Why they are kept apart.
    Ground {
        Violence = "violence", "Violence between them.";
        NoContactOrder = "no_contact_order", "Contact was forbidden.";
        Threat = "threat", "Threat or stalking.";
        Safety = "safety", "Another danger.";
    }
}

/// A separation, marked for one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separation {
    /// Its id.
    pub id: SeparationId,
    /// From whom the client is kept apart.
    pub other: ClientId,
    /// Why.
    pub ground: Ground,
    /// Since when.
    pub marked_on: Date,
    /// Whose staff marked it.
    pub marked_by: Organisation,
    /// Until when; none while it stands.
    pub ended_on: Option<Date>,
}

/// Marks a separation for a client with these; one that stands on the same ground is given back, and false with it.
pub fn mark(known: &[Separation], client: ClientId, wanted: Separation) -> Result<(Separation, bool), Refusal> {
    if client == wanted.other {
        return Err((&SEPARATION_OF_ONE).into());
    }
    match known.iter().find(|one| one.ended_on.is_none() && one.other == wanted.other) {
        Some(stands) if stands.ground == wanted.ground => Ok((stands.clone(), false)),
        Some(_) => Err((&SEPARATION_STANDS).into()),
        None => Ok((wanted, true)),
    }
}

/// Ends a separation; none when it had ended before.
pub fn end(known: &[Separation], id: SeparationId, now: Moment) -> Result<Option<Separation>, Refusal> {
    let separation = known.iter().find(|one| one.id == id).ok_or(&SEPARATION_UNKNOWN)?;
    Ok(match separation.ended_on {
        Some(_) => None,
        None => Some(Separation { ended_on: Some(now.date), ..separation.clone() }),
    })
}

/// Who looks at it today when the two are in one place already: the municipality, the client's case holder in person, and every
/// women's shelter that has to do with the client.
pub fn who_looks(
    chief: Organisation,
    holder: Option<&Assignee>,
    relations: &[Relation],
) -> Vec<(Organisation, Option<String>, Role)> {
    let mut looks = vec![(chief, None, Role::Regie)];
    looks.extend(holder.map(|one| (one.organisation.clone(), Some(one.person.clone()), Role::Caseholder)));
    for relation in relations.iter().filter(|one| one.ended_on.is_none() && one.wanted.role == Role::Vo) {
        let shelter = (relation.wanted.organisation.clone(), None, Role::Vo);
        if !looks.contains(&shelter) {
            looks.push(shelter);
        }
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relation::{Kind, RelationId, Wanted};
    use jiff::civil::date;
    use kernel::Uuid;

    fn now() -> Moment {
        Moment::start_of(date(2026, 3, 2))
    }

    fn client(n: u128) -> ClientId {
        ClientId(Uuid::from_u128(n))
    }

    fn from(other: u128, ground: Ground) -> Separation {
        Separation {
            id: SeparationId(Uuid::from_u128(100 + other)),
            other: client(other),
            ground,
            marked_on: now().date,
            marked_by: Organisation::parse("o", "vrouwenopvang").unwrap(),
            ended_on: None,
        }
    }

    /// R-REG-28
    #[test]
    fn a_separation_is_marked_once_from_each_client_and_on_one_ground() {
        let first = from(2, Ground::Violence);
        let code = |known: &[Separation], wanted: &Separation| {
            mark(known, client(1), wanted.clone()).map_err(|refusal| refusal.reason.code)
        };
        assert_eq!(code(&[], &first), Ok((first.clone(), true)));
        let known = [first.clone()];
        let again = Separation { id: SeparationId(Uuid::from_u128(9)), ..first.clone() };
        assert_eq!(code(&known, &again), Ok((first.clone(), false)));
        assert_eq!(code(&known, &from(2, Ground::Threat)), Err("SEPARATION_STANDS"));
        assert_eq!(code(&known, &from(1, Ground::Violence)), Err("SEPARATION_OF_ONE"));
        assert!(code(&known, &from(3, Ground::Threat)).unwrap().1);
        let ended = [end(&known, first.id, now()).unwrap().unwrap()];
        assert!(code(&ended, &from(2, Ground::Threat)).unwrap().1, "after its end they can be kept apart anew");
    }

    /// R-REG-28
    #[test]
    fn a_separation_ends_once_and_only_for_the_client_for_whom_it_was_marked() {
        let known = [from(2, Ground::Violence)];
        let ended = [end(&known, known[0].id, now()).unwrap().unwrap()];
        assert_eq!(ended[0].ended_on, Some(now().date));
        assert_eq!(end(&ended, known[0].id, now()), Ok(None));
        assert_eq!(end(&[], known[0].id, now()).unwrap_err().reason.code, "SEPARATION_UNKNOWN");
    }

    /// R-REG-28
    #[test]
    fn the_municipality_the_case_holder_and_each_womens_shelter_look_at_who_are_near_each_other() {
        let organisation = |code: &str| Organisation::parse("o", code).unwrap();
        let known = |code: &str, role: Role, ended_on: Option<Date>| Relation {
            id: RelationId(Uuid::from_u128(1)),
            wanted: Wanted { organisation: organisation(code), person: None, role, kind: Kind::Granted, subject: None },
            since: now().date,
            ended_on,
        };
        let relations = [
            known("leger-des-heils", Role::Shelter, None),
            known("vrouwenopvang", Role::Vo, None),
            known("vrouwenopvang", Role::Vo, None),
            known("de-blijf", Role::Vo, Some(now().date)),
        ];
        let anna = Assignee { person: "anna".into(), organisation: organisation("gemeente-dordrecht"), deputy: None };
        let looks = who_looks(organisation("gemeente-dordrecht"), Some(&anna), &relations);
        let looks: Vec<_> = looks.iter().map(|(o, person, role)| (o.as_str(), person.as_deref(), *role)).collect();
        let wanted = [
            ("gemeente-dordrecht", None, Role::Regie),
            ("gemeente-dordrecht", Some("anna"), Role::Caseholder),
            ("vrouwenopvang", None, Role::Vo),
        ];
        assert_eq!(looks, wanted);
        assert_eq!(who_looks(organisation("gemeente-dordrecht"), None, &[]).len(), 1);
    }
}
