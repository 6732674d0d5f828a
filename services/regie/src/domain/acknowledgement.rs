//! Acknowledgements: who is asked to take over a correction of a client's identity data, or to look at what they hold after a
//! record turned out to be about two persons (R-REG-26).
//!
//! A correction is a receiver's to take over when it may have read the data before: whoever has a relation with the client, or
//! had one, in a role that reads identity data. Nobody could read them at access before access had heard of that relation from
//! regie: so when a correction reaches regie, every relation by which somebody read the data of before is there already,
//! however the feeds interleave. Whoever gets a relation later reads what was corrected.

use super::relation::Relation;
use super::task::Kind;
use kernel::{Organisation, Role};
use std::collections::BTreeMap;

/// The roles that read identity data of clients with whom they have a relation: the row "name" of the matrix, as far as access
/// has an answer for them. A corporation has a relation once a home was accepted by all.
pub const READ_IDENTITY: &[Role] = &[
    Role::Access,
    Role::Caseholder,
    Role::Shelter,
    Role::Vo,
    Role::Corporation,
    Role::Income,
    Role::Debt,
    Role::District,
];

/// The tasks whose completion is an acknowledgement.
pub const KINDS: &[Kind] = &[Kind::TakeOverCorrection, Kind::CheckAfterSplit];

/// One desk of an organisation: each keeps its own records, and acknowledges for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// The organisation.
    pub organisation: Organisation,
    /// In which role it may have read.
    pub role: Role,
    /// The person who has the relation now, for a case holder.
    pub person: Option<String>,
}

impl Receiver {
    /// What tells its task from those of the others about the same client.
    pub fn subject(&self) -> String {
        format!("{}/{}", self.organisation, self.role)
    }
}

/// Who may have read identity data of a client with these relations, ended ones too: each desk once.
pub fn receivers(relations: &[Relation]) -> Vec<Receiver> {
    let mut desks: BTreeMap<(Organisation, &str), Receiver> = BTreeMap::new();
    for Relation { wanted, ended_on, .. } in relations.iter().filter(|one| READ_IDENTITY.contains(&one.wanted.role)) {
        let (organisation, role) = (wanted.organisation.clone(), wanted.role);
        let desk = desks.entry((organisation.clone(), role.as_str()));
        let desk = desk.or_insert(Receiver { organisation, role, person: None });
        if ended_on.is_none() && desk.person.is_none() {
            desk.person.clone_from(&wanted.person);
        }
    }
    desks.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::super::relation::{Kind as Of, RelationId, Wanted};
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;
    use proptest::prelude::*;

    fn relation(n: u128, organisation: &str, role: Role, person: Option<&str>, ended: bool) -> Relation {
        let organisation = Organisation::parse("o", organisation).unwrap();
        let wanted = Wanted { organisation, person: person.map(Into::into), role, kind: Of::Granted, subject: None };
        let ended_on = ended.then_some(date(2026, 3, 1));
        Relation { id: RelationId(Uuid::from_u128(n)), wanted, since: date(2026, 1, 1), ended_on }
    }

    fn asked(relations: &[Relation]) -> Vec<(String, Option<String>)> {
        receivers(relations).into_iter().map(|one| (one.subject(), one.person)).collect()
    }

    /// R-REG-26
    #[test]
    fn each_desk_that_may_have_read_is_asked_once_also_when_its_relation_ended() {
        let relations = [
            relation(1, "leger-des-heils", Role::Shelter, None, true),
            relation(2, "leger-des-heils", Role::Shelter, None, false),
            relation(3, "trivire", Role::Corporation, None, true),
            relation(4, "gemeente-dordrecht", Role::Access, None, false),
            relation(5, "gemeente-dordrecht", Role::Caseholder, Some("bram"), true),
            relation(6, "gemeente-dordrecht", Role::Caseholder, Some("anna"), false),
            relation(7, "gemeente-dordrecht", Role::Caseholder, Some("deputy"), false),
            relation(8, "politie-drechtsteden", Role::Police, None, false),
            relation(9, "digicontact", Role::Remote, None, false),
        ];
        let whole = |subject: &str| (subject.to_owned(), None);
        assert_eq!(
            asked(&relations),
            [
                whole("gemeente-dordrecht/access"),
                ("gemeente-dordrecht/caseholder".to_owned(), Some("anna".to_owned())),
                whole("leger-des-heils/shelter"),
                whole("trivire/corporation"),
            ]
        );
        assert_eq!(asked(&[]), []);
    }

    proptest! {
        /// R-REG-26: the order in which relations came and went decides nothing about who is asked.
        #[test]
        fn who_is_asked_depends_on_no_order(
            known in prop::collection::vec((0usize..3, 0usize..Role::ALL.len(), any::<bool>()), 0..12),
            turn in 0usize..12,
        ) {
            let of = |n: &usize| ["leger-des-heils", "trivire", "gemeente-dordrecht"][*n];
            let relations: Vec<Relation> =
                known.iter().map(|(n, role, ended)| relation(0, of(n), Role::ALL[*role], None, *ended)).collect();
            let mut turned = relations.clone();
            turned.rotate_left(turn.min(relations.len()));
            prop_assert_eq!(asked(&relations), asked(&turned));
            prop_assert!(receivers(&relations).iter().all(|one| READ_IDENTITY.contains(&one.role)));
        }
    }
}
