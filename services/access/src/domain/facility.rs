//! Facilities and their places. A full one is a reason to look further, never to turn somebody away (R-ACC-24).

use super::client::Life;
use super::codes::{Audience, FacilityKind, PlaceLevel, Provision};
use super::{FacilityId, check_span};
use jiff::civil::date;
use kernel::{Date, Moment, Municipality, Organisation, Refusal, general};

kernel::reasons! {
    FACILITY_CAPACITY: Malformed, "R-ACC-24",
        "A facility has 0 to 10000 places.", "Een locatie heeft 0 tot 10000 plaatsen.",
        "Give other numbers.", "Geef andere aantallen.";
}

/// The number of places from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// From this day on.
    pub from_on: Date,
    /// Regular places.
    pub places: i32,
    /// Reserve places.
    pub reserve: i32,
}

/// A facility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facility {
    /// Who runs it.
    pub organisation: Organisation,
    /// The municipality that it serves.
    pub municipality: Municipality,
    /// What people call it.
    pub name: String,
    /// What sort of place.
    pub kind: FacilityKind,
    /// For whom.
    pub audience: Audience,
    /// General or individual.
    pub provision: Provision,
    /// Since when.
    pub opened_on: Date,
    /// Numbers of places, in the order in which they were recorded; never changed, only added to.
    pub capacities: Vec<Capacity>,
}

/// What happened to a facility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Takes part.
    Registered(Facility),
    /// Another number of places.
    CapacityChanged(Capacity),
}

fn check(capacity: Capacity) -> Result<(), Refusal> {
    let wrong = |n: i32| !(0..=10_000).contains(&n);
    let refusal = [("places", capacity.places), ("reserve", capacity.reserve)]
        .into_iter()
        .filter(|(_, n)| wrong(*n))
        .fold(Refusal::from(&FACILITY_CAPACITY), |r, (path, _)| {
            r.field(path, "is not 0 to 10000", "is niet 0 tot 10000")
        });
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

/// Adds a facility; its only capacity is the first.
pub fn register(facility: Facility, now: Moment) -> Result<Vec<Event>, Refusal> {
    let length = facility.name.trim().chars().count();
    if length == 0 || length > 100 || facility.name.chars().any(char::is_control) {
        return Err(general::MALFORMED.field("name", "has 1 to 100 characters", "heeft 1 tot 100 tekens"));
    }
    check_span("opened_on", facility.opened_on, date(2000, 1, 1), now.date)?;
    facility.capacities.iter().try_for_each(|c| check(*c))?;
    Ok(vec![Event::Registered(facility)])
}

/// Changes the number of places from today or a later day on.
pub fn change_capacity(facility: &Facility, new: Capacity, now: Moment) -> Result<Vec<Event>, Refusal> {
    check(new)?;
    check_span("from_on", new.from_on, now.date, now.date.saturating_add(jiff::Span::new().years(5)))?;
    let before = facility.capacity(new.from_on);
    if (before.places, before.reserve) == (new.places, new.reserve) {
        return Ok(vec![]);
    }
    Ok(vec![Event::CapacityChanged(new)])
}

/// The facility after an event.
pub fn apply(mut facility: Facility, event: &Event) -> Facility {
    match event {
        Event::Registered(registered) => registered.clone(),
        Event::CapacityChanged(capacity) => {
            facility.capacities.push(*capacity);
            facility
        }
    }
}

impl Facility {
    /// The places on a day.
    pub fn capacity(&self, on: Date) -> Capacity {
        let known = self.capacities.iter().filter(|c| c.from_on <= on).max_by_key(|c| c.from_on);
        known.copied().unwrap_or(Capacity { from_on: self.opened_on, places: 0, reserve: 0 })
    }

    /// The level of the next place when so many are taken; none when all are.
    pub fn room(&self, occupied: i32, on: Date) -> Option<PlaceLevel> {
        let capacity = self.capacity(on);
        if occupied < capacity.places {
            Some(PlaceLevel::Regular)
        } else if occupied < capacity.places + capacity.reserve {
            Some(PlaceLevel::Reserve)
        } else {
            None
        }
    }

    /// People sleep here.
    pub fn has_nights(&self) -> bool {
        self.kind != FacilityKind::DayShelter
    }

    /// Nobody outside its organisation hears of it (R-REG-18).
    pub fn is_secret(&self) -> bool {
        self.kind == FacilityKind::WomensShelter
    }

    /// Whether everybody who has to do with a client may know that the client is here (R-REG-18, R-REG-28).
    pub fn is_for_all(&self, shielded: bool) -> bool {
        !self.is_secret() && !shielded
    }

    /// Whether people of an organisation may know that a client is here, for whom the place is hidden from them or not.
    pub fn shows_to(&self, organisation: &Organisation, hidden: bool) -> bool {
        self.is_for_all(hidden) || self.organisation == *organisation
    }

    /// For people of that age (R-ACC-23): the young have places of their own.
    pub fn is_for_age(&self, life: Life, on: Date) -> bool {
        self.audience != Audience::Youth || life.age(on) < 28
    }

    /// Somebody of that age may sleep here: under 18 not among adults (R-ACC-21).
    pub fn fits_age(&self, life: Life, on: Date) -> bool {
        life.age(on) >= 18 || matches!(self.audience, Audience::Youth | Audience::Families)
    }
}

/// Refuses a place that is not for this client, without saying why: not for that age (R-ACC-23), or somebody from whom the
/// client is kept apart is there (R-REG-28).
pub fn check_suitable(facility: &Facility, life: Life, on: Date, kept_apart: bool) -> Result<(), Refusal> {
    let suitable = facility.is_for_age(life, on) & !kept_apart;
    if suitable { Ok(()) } else { Err(Refusal::from(&general::NOT_SUITABLE)) }
}

/// A facility as it is now, for whoever looks for a place.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The facility.
    pub id: FacilityId,
    /// Its data.
    pub facility: Facility,
    /// Places taken.
    pub occupied: i32,
    /// Its organisation had this client before (R-ACC-16).
    pub knows_client: bool,
    /// Somebody from whom the client is kept apart is there (R-REG-28).
    pub kept_apart: bool,
}

impl Candidate {
    /// Whether it takes this client without more: a place for the night, of the right sort, and no secret one.
    pub fn takes(&self, life: Life, on: Date) -> bool {
        let audience = matches!(self.facility.audience, Audience::Adults)
            || life.age(on) < 28 && self.facility.audience == Audience::Youth;
        let family = self.facility.audience == Audience::Families && life.age(on) < 18;
        let open = self.facility.opened_on <= on && self.facility.capacity(on).places > 0;
        open && self.facility.has_nights()
            && !self.facility.is_secret()
            && (audience || family)
            && self.facility.fits_age(life, on)
            && !self.kept_apart
    }

    /// How good a choice it is, best first: who knows the client, then a regular place, then the reserve; then where
    /// most is free; then by id, so that the same question has the same answer.
    fn rank(&self, on: Date) -> (bool, u8, i32, FacilityId) {
        let level = match self.facility.room(self.occupied, on) {
            Some(PlaceLevel::Regular) => 0,
            Some(_) => 1,
            None => 2,
        };
        let capacity = self.facility.capacity(on);
        (!self.knows_client, level, self.occupied - capacity.places - capacity.reserve, self.id)
    }
}

/// The best place with room for this client among the candidates; with `beyond` also a full one.
pub fn best(candidates: &[Candidate], life: Life, on: Date, beyond: bool) -> Option<&Candidate> {
    let with_room = |c: &&Candidate| c.takes(life, on) && c.facility.room(c.occupied, on).is_some();
    let roomy = candidates.iter().filter(with_room).min_by_key(|c| c.rank(on));
    roomy.or_else(|| candidates.iter().filter(|c| beyond && c.takes(life, on)).min_by_key(|c| c.rank(on)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::client::tests::client;
    use super::super::samples::*;
    use super::*;

    pub fn facility(places: i32, reserve: i32) -> Facility {
        Facility {
            organisation: Organisation::parse("o", "leger-des-heils").unwrap(),
            municipality: dordrecht(),
            name: "De Herberg".into(),
            kind: FacilityKind::NightShelter,
            audience: Audience::Adults,
            provision: Provision::General,
            opened_on: date(2015, 1, 1),
            capacities: vec![Capacity { from_on: date(2015, 1, 1), places, reserve }],
        }
    }

    pub fn candidate(n: u128, places: i32, occupied: i32) -> Candidate {
        Candidate {
            id: FacilityId(id(n)),
            facility: facility(places, 0),
            occupied,
            knows_client: false,
            kept_apart: false,
        }
    }

    /// R-ACC-24
    #[test]
    fn regular_places_go_first_then_the_reserve() {
        let f = facility(2, 1);
        let levels: Vec<_> = (0..4).map(|taken| f.room(taken, now().date)).collect();
        assert_eq!(levels, [Some(PlaceLevel::Regular), Some(PlaceLevel::Regular), Some(PlaceLevel::Reserve), None]);
    }

    /// R-ACC-24
    #[test]
    fn a_capacity_holds_from_its_day_and_the_last_word_counts() {
        let change = |places, from_on| Capacity { from_on, places, reserve: 0 };
        let f = facility(2, 0);
        let later = change_capacity(&f, change(5, date(2018, 4, 1)), now()).unwrap();
        let f = apply(f, &later[0]);
        assert_eq!((f.capacity(date(2018, 3, 31)).places, f.capacity(date(2018, 4, 1)).places), (2, 5));
        assert_eq!(change_capacity(&f, change(5, date(2018, 4, 1)), now()), Ok(vec![]));
        for (capacity, code) in [
            (change(-1, date(2018, 4, 1)), "FACILITY_CAPACITY"),
            (change(i32::MAX, date(2018, 4, 1)), "FACILITY_CAPACITY"),
            (change(1, date(2018, 2, 28)), "ACCESS_DATE_TOO_OLD"),
            (change(1, date(2200, 1, 1)), "ACCESS_DATE_IN_FUTURE"),
        ] {
            assert_eq!(change_capacity(&f, capacity, now()).unwrap_err().reason.code, code);
        }
        let early = Facility { opened_on: date(1999, 1, 1), ..facility(1, 0) };
        assert_eq!(register(early, now()).unwrap_err().reason.code, "ACCESS_DATE_TOO_OLD");
        let nameless = Facility { name: " ".into(), ..facility(1, 0) };
        assert_eq!(register(nameless, now()).unwrap_err().reason.code, "MALFORMED");
    }

    /// R-ACC-16, R-ACC-24
    #[test]
    fn the_best_place_is_with_who_knows_the_client_then_where_there_is_room() {
        let life = client().life();
        let choose = |all: &[Candidate], beyond| best(all, life, now().date, beyond).map(|c| c.id.0.as_u128());
        let known = Candidate { knows_client: true, ..candidate(3, 5, 4) };
        assert_eq!(choose(&[candidate(1, 5, 4), candidate(2, 5, 3)], false), Some(2));
        assert_eq!(choose(&[candidate(2, 5, 3), known.clone()], false), Some(3));
        let full = Candidate { occupied: 5, ..known };
        assert_eq!(choose(&[candidate(2, 5, 3), full.clone()], true), Some(2));
        assert_eq!(choose(&[candidate(2, 5, 5), full.clone()], false), None);
        assert_eq!(choose(&[candidate(2, 5, 5), full], true), Some(3));
    }

    /// R-REG-18, R-REG-28
    #[test]
    fn where_somebody_is_who_is_shielded_is_known_like_a_womens_shelter() {
        let (own, other) = ("leger-des-heils", "wijkteam-west");
        let secret = Facility { kind: FacilityKind::WomensShelter, ..facility(5, 0) };
        for (place, hidden, to, shown) in [
            (facility(5, 0), false, own, true),
            (facility(5, 0), false, other, true),
            (facility(5, 0), true, own, true),
            (facility(5, 0), true, other, false),
            (secret.clone(), false, own, true),
            (secret.clone(), false, other, false),
            (secret, true, other, false),
        ] {
            let to = Organisation::parse("o", to).unwrap();
            assert_eq!(place.shows_to(&to, hidden), shown, "{:?} {hidden} {to}", place.kind);
        }
    }

    /// R-REG-28, R-ACC-23
    #[test]
    fn a_place_where_somebody_is_from_whom_the_client_is_kept_apart_is_not_suitable_like_one_for_another_age() {
        let life = client().life();
        let youth = Facility { audience: Audience::Youth, ..facility(5, 0) };
        let said =
            |f: &Facility, apart| check_suitable(f, life, now().date, apart).map_err(|r| (r.en(), r.nl(), r.uitweg()));
        assert_eq!(said(&facility(5, 0), false), Ok(()));
        let apart = said(&facility(5, 0), true);
        assert!(apart.is_err());
        // To the last word the same, so that nobody can tell which it was.
        assert_eq!(said(&youth, false), apart);
        assert_eq!(said(&youth, true), apart);
        let young = Life { born: date(1995, 3, 2), died_on: None };
        assert_eq!(check_suitable(&youth, young, now().date, false), Ok(()));
    }

    /// R-REG-28
    #[test]
    fn who_looks_for_a_place_is_never_sent_to_somebody_from_whom_they_are_kept_apart() {
        let life = client().life();
        let apart = Candidate { kept_apart: true, knows_client: true, ..candidate(1, 9, 0) };
        let choose = |all: &[Candidate], beyond| best(all, life, now().date, beyond).map(|c| c.id.0.as_u128());
        assert_eq!(choose(&[apart.clone(), candidate(2, 5, 4)], false), Some(2));
        assert_eq!(choose(&[apart.clone(), candidate(2, 5, 5)], true), Some(2));
        assert_eq!(choose(&[apart], true), None);
    }

    /// R-ACC-21, R-ACC-23, R-REG-18
    #[test]
    fn nobody_is_sent_to_a_place_that_is_not_for_them() {
        let adult = client().life();
        let minor = Life { born: date(2001, 3, 2), died_on: None };
        let young = Life { born: date(1995, 3, 2), died_on: None };
        let of = |kind, audience| Candidate {
            facility: Facility { kind, audience, ..facility(5, 0) },
            ..candidate(1, 5, 0)
        };
        use FacilityKind::*;
        for (candidate, life, takes) in [
            (of(NightShelter, Audience::Adults), adult, true),
            (of(NightShelter, Audience::Adults), minor, false),
            (of(NightShelter, Audience::Youth), minor, true),
            (of(NightShelter, Audience::Youth), young, true),
            (of(NightShelter, Audience::Youth), adult, false),
            (of(NightShelter, Audience::Families), minor, true),
            (of(DayShelter, Audience::Adults), adult, false),
            (of(WomensShelter, Audience::Adults), adult, false),
            (of(NightShelter, Audience::ViolenceVictims), adult, false),
        ] {
            assert_eq!(candidate.takes(life, now().date), takes, "{:?}", candidate.facility);
        }
    }
}
