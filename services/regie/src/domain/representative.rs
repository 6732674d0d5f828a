//! The legal representative: who reads the file of a client under 16 as the client would (R-REG-21).
//!
//! A relation of its own kind, with a person and not with an organisation. It ends on the client's 16th birthday by itself, and
//! when the client is shielded or kept apart from that person. As long as that lasts nobody is recorded: the log and the export
//! name who looks after the client, and so tell where that is. Who may read is recorded anew afterwards, after checking.

use super::case::codes;
use kernel::{ClientId, Date, Moment, OwnAccess, Refusal, general};

kernel::id! {
    /// A legal representative.
    RepresentativeId
}

kernel::reasons! {
    REPRESENTATIVE_UNKNOWN: NotFound, "R-REG-21",
        "There is no such legal representative of this client.",
        "Deze wettelijk vertegenwoordiger van de cliënt bestaat niet.",
        "List the client's representatives.", "Vraag de vertegenwoordigers van de cliënt op.";
    REPRESENTATIVE_NOT_AT_THIS_AGE: Rule, "R-REG-21",
        "As far as the access desk knows, this client is 16 or older and reads the own file alone.",
        "Voor zover de toegang weet, is deze cliënt 16 jaar of ouder en leest die het eigen dossier alleen.",
        "Check the birth date at the access desk, or let the client ask.",
        "Controleer de geboortedatum bij de toegang, of laat de cliënt het zelf vragen.";
    REPRESENTATIVE_NOT_SUITABLE: Rule, "R-REG-28",
        "This person cannot read the file in this client's name now.",
        "Deze persoon kan het dossier nu niet namens de cliënt lezen.",
        "Ask the municipality's regie, or who protects the client.",
        "Vraag de regie van de gemeente, of wie de cliënt beschermt.";
}

codes! {
    /// What makes somebody the legal representative, as it was seen on paper or in a register.
    Ground {
        Custody = "custody", "A parent with custody, as the custody register or a court says.";
        Guardianship = "guardianship", "A guardian, as a court says.";
    }
}

/// Who stands in for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The person, by an own client id.
    pub represented_by: ClientId,
    /// What makes them so.
    pub ground: Ground,
    /// Since when they are.
    pub from_on: Date,
    /// Up to and with which day; none: until the 16th birthday.
    pub last_day: Option<Date>,
}

/// A legal representative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Representative {
    /// Its id.
    pub id: RepresentativeId,
    /// Who.
    pub wish: Wish,
    /// When it was recorded.
    pub recorded_on: Date,
    /// When it ended; none while it stands.
    pub ended_on: Option<Date>,
}

/// What is known of the client in whose name somebody would read.
#[derive(Clone, Copy, Debug)]
pub struct Child {
    /// Who.
    pub client: ClientId,
    /// What the client may do with the own file, by age.
    pub own_access: OwnAccess,
    /// Whether the client's place is secret, or the client is kept apart from that person. Which of the two is not told.
    pub guarded: bool,
}

/// Records a representative; one that stands already is given back as it is, and false with it.
pub fn record(
    known: &[Representative],
    id: RepresentativeId,
    child: Child,
    wish: Wish,
    now: Moment,
) -> Result<(Representative, bool), Refusal> {
    let wrong = |field, en, nl| Err(general::MALFORMED.field(field, en, nl));
    if wish.represented_by == child.client {
        return wrong("representative_client_id", "is the client", "is de cliënt zelf");
    }
    if wish.from_on > now.date {
        return wrong("from_on", "lies ahead", "ligt in de toekomst");
    }
    if wish.last_day.is_some_and(|day| day < now.date) {
        return wrong("last_day", "has passed already", "is al voorbij");
    }
    if child.own_access == OwnAccess::Own {
        return Err((&REPRESENTATIVE_NOT_AT_THIS_AGE).into());
    }
    if child.guarded {
        return Err((&REPRESENTATIVE_NOT_SUITABLE).into());
    }
    if let Some(stands) = known.iter().find(|one| one.ended_on.is_none() && one.wish == wish) {
        return Ok((stands.clone(), false));
    }
    Ok((Representative { id, wish, recorded_on: now.date, ended_on: None }, true))
}

/// Ends what stands and fits.
pub fn end_where(known: &[Representative], now: Moment, fits: impl Fn(&Representative) -> bool) -> Vec<Representative> {
    let ends = known.iter().filter(|one| one.ended_on.is_none() && fits(one));
    ends.map(|one| Representative { ended_on: Some(now.date), ..one.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Uuid;

    fn client(n: u128) -> ClientId {
        ClientId(Uuid::from_u128(n))
    }

    fn now() -> Moment {
        Moment::start_of(date(2026, 3, 2))
    }

    fn wish(by: u128) -> Wish {
        let (from_on, last_day) = (date(2026, 1, 1), None);
        Wish { represented_by: client(by), ground: Ground::Custody, from_on, last_day }
    }

    fn record_one(
        known: &[Representative],
        own_access: OwnAccess,
        wish: Wish,
    ) -> Result<(Representative, bool), &'static str> {
        record_of(Child { client: client(1), own_access, guarded: false }, known, wish)
    }

    fn record_of(child: Child, known: &[Representative], wish: Wish) -> Result<(Representative, bool), &'static str> {
        let id = RepresentativeId(Uuid::from_u128(known.len() as u128 + 1));
        record(known, id, child, wish, now()).map_err(|refusal| refusal.reason.code)
    }

    /// R-REG-18, R-REG-21, R-REG-28
    #[test]
    fn nobody_stands_in_for_who_is_shielded_or_kept_apart_from_them() {
        for own_access in [OwnAccess::None, OwnAccess::Shared] {
            let child = Child { client: client(1), own_access, guarded: true };
            assert_eq!(record_of(child, &[], wish(2)).err(), Some("REPRESENTATIVE_NOT_SUITABLE"));
            assert!(record_of(Child { guarded: false, ..child }, &[], wish(2)).is_ok());
        }
    }

    /// R-REG-21
    #[test]
    fn only_somebody_else_stands_in_and_only_for_who_is_under_16() {
        let cases = [
            (OwnAccess::None, wish(2), None),
            (OwnAccess::Shared, wish(2), None),
            (OwnAccess::Own, wish(2), Some("REPRESENTATIVE_NOT_AT_THIS_AGE")),
            (OwnAccess::None, wish(1), Some("MALFORMED")),
            (OwnAccess::None, Wish { from_on: date(2026, 3, 3), ..wish(2) }, Some("MALFORMED")),
            (OwnAccess::None, Wish { last_day: Some(date(2026, 3, 1)), ..wish(2) }, Some("MALFORMED")),
            (OwnAccess::None, Wish { last_day: Some(date(2026, 3, 2)), ..wish(2) }, None),
        ];
        for (level, wish, code) in cases {
            assert_eq!(record_one(&[], level, wish.clone()).err(), code, "{level:?} {wish:?}");
        }
    }

    /// R-REG-21
    #[test]
    fn two_parents_stand_beside_each_other_and_each_ends_alone() {
        let (first, new) = record_one(&[], OwnAccess::None, wish(2)).unwrap();
        assert!(new);
        assert_eq!(record_one(std::slice::from_ref(&first), OwnAccess::None, wish(2)).unwrap(), (first.clone(), false));
        let (second, new) = record_one(std::slice::from_ref(&first), OwnAccess::None, wish(3)).unwrap();
        assert!(new);
        let both = [first.clone(), second];
        let [gone] = &end_where(&both, now(), |one| one.id == first.id)[..] else { panic!() };
        assert_eq!((gone.id, gone.ended_on), (first.id, Some(now().date)));
        assert_eq!(end_where(std::slice::from_ref(gone), now(), |_| true), []);
        assert_eq!(end_where(&both, now(), |_| true).len(), 2);
    }
}
