//! A dwelling: one BAG object or unit of it, of one corporation (R-HOU-26).

use super::{ContractForm, DwellingId, DwellingKind};
use kernel::{Cents, Date, District, Municipality, Organisation, Refusal, general};
use serde::{Deserialize, Serialize};

kernel::reasons! {
    DWELLING_REGISTERED_ALREADY: Taken, "R-HOU-26",
        "This object is registered already.", "Dit object is al geregistreerd.",
        "Check BAG id and unit suffix; withdraw the former registration first.",
        "Controleer BAG-id en toevoeging; trek eerst de eerdere registratie in.";
    DWELLING_TAKEN: Rule, "P1",
        "This dwelling is allocated to a household.", "Deze woning is aan een huishouden toegewezen.",
        "Choose another dwelling, or wait until the allocation is withdrawn.",
        "Kies een andere woning, of wacht tot de toewijzing is ingetrokken.";
    DWELLING_WITHDRAWN: Rule, "R-REG-29",
        "This dwelling was withdrawn by its corporation.", "Deze woning is door de corporatie ingetrokken.",
        "Choose another dwelling.", "Kies een andere woning.";
}

/// Where a dwelling stands; kept apart from the rest, because it is personal once somebody lives there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street.
    pub street: String,
    /// House number with its letters.
    pub house_number: String,
    /// As 1234AB.
    pub postcode: String,
    /// Town.
    pub town: String,
}

/// A dwelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dwelling {
    /// Its id.
    pub id: DwellingId,
    /// Whose it is.
    pub corporation: Organisation,
    /// BAG id of the object, 16 digits (R-HOU-26).
    pub bag_object_id: String,
    /// Tells units of one object apart (R-HOU-26).
    pub unit_suffix: String,
    /// The corporation's own number (R-HOU-26).
    pub unit_number: String,
    /// Where it stands.
    pub address: Address,
    /// District (wijk).
    pub district: District,
    /// Neighbourhood (buurt), BU and eight digits (R-HOU-07).
    pub neighbourhood: String,
    /// The sort of home.
    pub kind: DwellingKind,
    /// The contract (R-HOU-10).
    pub form: ContractForm,
    /// Basic rent per month.
    pub rent: Cents,
    /// Square metres.
    pub floor_area_m2: u32,
    /// Rooms.
    pub rooms: u32,
    /// The largest household that fits, persons.
    pub max_persons: u32,
    /// First day to live there.
    pub available_on: Date,
    /// Whether it is in the pool.
    pub state: State,
}

/// Whether a dwelling is in the pool. That it is allocated is known by the live allocation alone (P1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the pool.
    Registered,
    /// Taken out.
    Withdrawn,
}

impl Dwelling {
    /// The municipality in which it stands.
    pub fn municipality(&self) -> Municipality {
        self.district.municipality()
    }

    /// Looks at every field of a registration and names all that are wrong.
    pub fn check(&self) -> Result<(), Refusal> {
        let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        let filled = |text: &str, most: usize| (1..=most).contains(&text.trim().chars().count());
        let postcode = self.address.postcode.as_bytes();
        let checks = [
            ("bag_object_id", digits(&self.bag_object_id, 16), "has 16 digits", "heeft 16 cijfers"),
            (
                "unit_suffix",
                self.unit_suffix.chars().count() <= 10,
                "has at most 10 characters",
                "heeft ten hoogste 10 tekens",
            ),
            ("unit_number", filled(&self.unit_number, 40), "has 1 to 40 characters", "heeft 1 tot 40 tekens"),
            ("address.street", filled(&self.address.street, 80), "has 1 to 80 characters", "heeft 1 tot 80 tekens"),
            (
                "address.house_number",
                filled(&self.address.house_number, 20),
                "has 1 to 20 characters",
                "heeft 1 tot 20 tekens",
            ),
            (
                "address.postcode",
                postcode.len() == 6
                    && postcode[..4].iter().all(u8::is_ascii_digit)
                    && postcode[4..].iter().all(u8::is_ascii_uppercase),
                "is written as 1234AB",
                "wordt geschreven als 1234AB",
            ),
            ("address.town", filled(&self.address.town, 80), "has 1 to 80 characters", "heeft 1 tot 80 tekens"),
            (
                "neighbourhood",
                self.neighbourhood.strip_prefix("BU").is_some_and(|code| digits(code, 8))
                    && self.neighbourhood.get(2..8) == self.district.as_str().get(2..),
                "is BU and eight digits, in the district",
                "is BU en acht cijfers, in de wijk",
            ),
            ("rent_cents", (1..=1_000_000).contains(&self.rent.0), "is 1 to 1000000", "is 1 tot 1000000"),
            ("floor_area_m2", (1..=1000).contains(&self.floor_area_m2), "is 1 to 1000", "is 1 tot 1000"),
            ("rooms", (1..=20).contains(&self.rooms), "is 1 to 20", "is 1 tot 20"),
            ("max_persons", (1..=20).contains(&self.max_persons), "is 1 to 20", "is 1 tot 20"),
        ];
        let wrong = checks.into_iter().filter(|(_, right, ..)| !right);
        let refusal = wrong.fold(Refusal::from(&general::MALFORMED), |all, (path, _, en, nl)| all.field(path, en, nl));
        if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
    }

    /// Whether it may be offered or ranked for.
    pub fn open_for_offers(&self, allocated: bool) -> Result<(), Refusal> {
        match self.state {
            State::Withdrawn => Err((&DWELLING_WITHDRAWN).into()),
            State::Registered if allocated => Err((&DWELLING_TAKEN).into()),
            State::Registered => Ok(()),
        }
    }

    /// Takes it out of the pool. True when that changes something.
    pub fn withdraw(&self, allocated: bool) -> Result<bool, Refusal> {
        match self.state {
            State::Withdrawn => Ok(false),
            State::Registered if allocated => Err((&DWELLING_TAKEN).into()),
            State::Registered => Ok(true),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::tests::{org, uuid};
    use jiff::civil::date;

    pub fn dwelling() -> Dwelling {
        Dwelling {
            id: DwellingId(uuid(1)),
            corporation: org("trivire"),
            bag_object_id: "0505010000000001".into(),
            unit_suffix: String::new(),
            unit_number: "T-1".into(),
            address: Address {
                street: "Voorstraat".into(),
                house_number: "1a".into(),
                postcode: "3311AA".into(),
                town: "Dordrecht".into(),
            },
            district: District::parse("d", "WK050503").unwrap(),
            neighbourhood: "BU05050301".into(),
            kind: DwellingKind::Flat,
            form: ContractForm::OwnLease,
            rent: Cents(60_000),
            floor_area_m2: 50,
            rooms: 2,
            max_persons: 2,
            available_on: date(2026, 3, 1),
            state: State::Registered,
        }
    }

    /// R-HOU-26
    #[test]
    fn a_registration_names_every_field_that_is_wrong() {
        assert_eq!(dwelling().check(), Ok(()));
        let wrong = Dwelling {
            bag_object_id: "123".into(),
            neighbourhood: "BU05050401".into(),
            rent: Cents(0),
            address: Address { postcode: "3311aa".into(), ..dwelling().address },
            ..dwelling()
        };
        let paths: Vec<_> = wrong.check().unwrap_err().fields.into_iter().map(|f| f.path).collect();
        assert_eq!(paths, ["bag_object_id", "address.postcode", "neighbourhood", "rent_cents"]);
    }

    /// P1
    #[test]
    fn an_allocated_dwelling_is_neither_offered_nor_withdrawn() {
        let withdrawn = Dwelling { state: State::Withdrawn, ..dwelling() };
        assert_eq!(dwelling().open_for_offers(true).unwrap_err().reason, &DWELLING_TAKEN);
        assert_eq!(dwelling().withdraw(true).unwrap_err().reason, &DWELLING_TAKEN);
        assert_eq!(withdrawn.open_for_offers(false).unwrap_err().reason, &DWELLING_WITHDRAWN);
        assert_eq!((dwelling().withdraw(false), withdrawn.withdraw(false)), (Ok(true), Ok(false)));
    }
}
