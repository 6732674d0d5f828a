//! Safe contact: no letter, call, message or visit may give a client away (R-REG-28). What is set last stands; a shielded client
//! always has it.

use super::case::codes;
use super::register::Register;
use super::relation::Relation;
use kernel::{Date, Organisation, Refusal, Role};

kernel::reasons! {
    SAFE_CONTACT_CHANNEL_UNFIT: Rule, "R-REG-28",
        "A client is not reached safely through {organisation}.", "Via {organisation} is een cliënt niet veilig te bereiken.",
        "Name an access desk, a case holder's organisation or a shelter that has to do with the client, and no women's shelter.",
        "Noem een toegang, de organisatie van de regisseur of een opvang die met de cliënt te maken heeft, en geen vrouwenopvang.";
    SAFE_CONTACT_NOT_CLIENTS: Rule, "R-REG-28",
        "This was agreed with who helps the client, and ends with them.",
        "Dit is afgesproken met wie de cliënt helpt, en eindigt daar ook.",
        "Talk with the case holder.", "Overleg met de regisseur.";
}

codes! {
    /// Why a client is reached safely only.
    Ground {
        Violence = "violence", "Violence at home.";
        Threat = "threat", "Threat or stalking.";
        Control = "control", "Somebody else reads along, listens in or decides.";
        Safety = "safety", "Another danger.";
        Shield = "shield", "The client's place is secret.";
    }
}

/// How a client is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeContact {
    /// Through whom; none while no organisation is agreed.
    pub through: Option<Organisation>,
    /// Why.
    pub ground: Ground,
    /// Since when.
    pub since: Date,
    /// Whose staff set it.
    pub set_by: Organisation,
    /// Whether it is the client's own: nobody else ever set it.
    pub by_client: bool,
}

/// Refuses an organisation that cannot reach the client, and one that tells where the client is. An access desk names itself
/// from the registration on, when nobody has to do with the client yet.
pub fn check(
    through: &Organisation,
    own_desk: bool,
    register: &Register,
    relations: &[Relation],
) -> Result<(), Refusal> {
    let reaches = |relation: &Relation| {
        relation.ended_on.is_none()
            && relation.wanted.organisation == *through
            && matches!(relation.wanted.role, Role::Access | Role::Caseholder | Role::Shelter)
    };
    if register.in_role(through, Role::Vo) || !(own_desk || relations.iter().any(reaches)) {
        return Err(SAFE_CONTACT_CHANNEL_UNFIT.with("organisation", through));
    }
    Ok(())
}

/// Sets it; none when it stands so already.
pub fn set(stands: Option<&SafeContact>, wanted: SafeContact) -> Option<SafeContact> {
    match stands {
        Some(stands) if stands.through == wanted.through && stands.ground == wanted.ground => None,
        // What the client changes of what was agreed with somebody else does not become the client's own.
        Some(stands) => Some(SafeContact { by_client: wanted.by_client && stands.by_client, ..wanted }),
        None => Some(wanted),
    }
}

/// Ends what stands, and says what stands from then on: without an organisation while the client is shielded. None when
/// nothing changes.
pub fn end(
    stands: Option<&SafeContact>,
    by_client: bool,
    shield: Option<SafeContact>,
) -> Result<Option<Option<SafeContact>>, Refusal> {
    match stands {
        None => Ok(None),
        Some(stands) if stands.ground == Ground::Shield && shield.is_some() => Ok(None),
        Some(stands) if by_client && !stands.by_client => Err((&SAFE_CONTACT_NOT_CLIENTS).into()),
        Some(_) => Ok(Some(shield)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relation::{Kind, RelationId, Wanted};
    use jiff::civil::date;
    use kernel::Uuid;

    fn organisation(code: &str) -> Organisation {
        Organisation::parse("o", code).unwrap()
    }

    fn through(code: &str, ground: Ground, by_client: bool) -> SafeContact {
        SafeContact {
            through: Some(organisation(code)),
            ground,
            since: date(2026, 3, 2),
            set_by: organisation("gemeente-dordrecht"),
            by_client,
        }
    }

    fn shield() -> SafeContact {
        SafeContact { through: None, ..through("gemeente-dordrecht", Ground::Shield, false) }
    }

    /// R-REG-28
    #[test]
    fn a_client_is_reached_through_who_knows_the_client_and_never_through_a_womens_shelter() {
        let register = Register::sample();
        let relation = |code: &str, role: Role, ended_on: Option<Date>| Relation {
            id: RelationId(Uuid::from_u128(1)),
            wanted: Wanted { organisation: organisation(code), person: None, role, kind: Kind::Granted, subject: None },
            since: date(2026, 3, 2),
            ended_on,
        };
        let ended = Some(date(2026, 3, 3));
        for (code, known, fits) in [
            ("leger-des-heils", relation("leger-des-heils", Role::Shelter, None), true),
            ("leger-des-heils", relation("leger-des-heils", Role::Caseholder, None), true),
            ("gemeente-dordrecht", relation("gemeente-dordrecht", Role::Access, None), true),
            ("leger-des-heils", relation("leger-des-heils", Role::Shelter, ended), false),
            ("leger-des-heils", relation("gemeente-dordrecht", Role::Access, None), false),
            ("vrouwenopvang", relation("vrouwenopvang", Role::Vo, None), false),
            ("vrouwenopvang", relation("vrouwenopvang", Role::Caseholder, None), false),
            ("trivire", relation("trivire", Role::Corporation, None), false),
            ("wijkteam-west", relation("wijkteam-west", Role::District, None), false),
        ] {
            let checked = check(&organisation(code), false, &register, std::slice::from_ref(&known));
            let code_of = checked.map_err(|refusal| refusal.reason.code);
            assert_eq!(code_of, if fits { Ok(()) } else { Err("SAFE_CONTACT_CHANNEL_UNFIT") }, "{code} {known:?}");
        }
        assert_eq!(check(&organisation("gemeente-dordrecht"), true, &register, &[]), Ok(()), "at registration");
    }

    /// R-REG-28
    #[test]
    fn what_is_set_last_stands_and_the_same_again_changes_nothing() {
        let first = through("leger-des-heils", Ground::Violence, false);
        assert_eq!(set(None, first.clone()), Some(first.clone()));
        assert_eq!(set(Some(&first), SafeContact { since: date(2026, 4, 1), ..first.clone() }), None);
        let other = through("leger-des-heils", Ground::Threat, false);
        assert_eq!(set(Some(&first), other.clone()), Some(other));
        let agreed = through("gemeente-dordrecht", Ground::Violence, false);
        assert_eq!(set(Some(&shield()), agreed.clone()), Some(agreed));
    }

    /// R-REG-28: who holds the client's telephone does not undo what was agreed with somebody else.
    #[test]
    fn a_client_ends_what_the_client_set_and_nothing_else() {
        let (own, agreed) =
            (through("leger-des-heils", Ground::Threat, true), through("leger-des-heils", Ground::Violence, false));
        assert_eq!(end(Some(&own), true, None), Ok(Some(None)));
        assert_eq!(end(Some(&agreed), true, None).unwrap_err().reason.code, "SAFE_CONTACT_NOT_CLIENTS");
        let changed = set(Some(&agreed), own.clone()).unwrap();
        assert_eq!(end(Some(&changed), true, None).unwrap_err().reason.code, "SAFE_CONTACT_NOT_CLIENTS");
        assert_eq!(end(Some(&changed), false, None), Ok(Some(None)));
        assert_eq!(end(None, true, None), Ok(None));
    }

    /// R-REG-18, R-REG-28
    #[test]
    fn a_shielded_client_keeps_safe_contact_until_the_shield_ends() {
        let agreed = through("leger-des-heils", Ground::Violence, false);
        assert_eq!(end(Some(&agreed), false, Some(shield())), Ok(Some(Some(shield()))));
        assert_eq!(end(Some(&shield()), false, Some(shield())), Ok(None));
        assert_eq!(end(Some(&shield()), true, Some(shield())), Ok(None), "nor does the client hear of a shield by it");
        assert_eq!(end(Some(&shield()), false, None), Ok(Some(None)), "its shield ended");
    }
}
