//! Made-up people: names, birth dates, and citizen service numbers from the range for test data.

use super::dice::Dice;
use super::world::on;
use kernel::Date;
use proto::access::v1::Identity;
use std::sync::LazyLock;

const SURNAMES: [&str; 24] = [
    "de Jong",
    "Jansen",
    "de Vries",
    "Bakker",
    "Visser",
    "Smit",
    "Meijer",
    "Mulder",
    "Bos",
    "Vos",
    "Peters",
    "Hendriks",
    "van Leeuwen",
    "Dekker",
    "Brouwer",
    "de Wit",
    "Dijkstra",
    "Smits",
    "de Graaf",
    "van der Meer",
    "El Amrani",
    "Yilmaz",
    "Silva",
    "Kowalski",
];
const FIRST_NAMES: [&str; 24] = [
    "Anna", "Bram", "Carla", "Dirk", "Els", "Farid", "Greet", "Hassan", "Ineke", "Jeroen", "Karin", "Luuk", "Maria",
    "Nico", "Olga", "Pieter", "Rachid", "Sanne", "Tom", "Ursula", "Vera", "Willem", "Yusuf", "Zoë",
];

/// The numbers in the range for test data that pass the eleven-test.
static NUMBERS: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let passes = |number: &u32| {
        let digit = |place: u32| (number / 10u32.pow(place) % 10) as i32;
        let sum: i32 = (1..9).map(|place| (place as i32 + 1) * digit(place)).sum();
        (sum - digit(0)) % 11 == 0
    };
    (999_900_000..=999_999_999).filter(passes).collect()
});

/// The `n`-th citizen service number that is of nobody.
pub fn bsn(n: usize) -> String {
    NUMBERS[n % NUMBERS.len()].to_string()
}

/// Somebody who is an adult by a day. One in seven brings no number, and then has no address either.
pub fn identity(n: usize, by: Date, dice: &mut Dice) -> Identity {
    let year = by.year() - dice.between(19, 66) as i16;
    let born = Date::new(year, dice.between(1, 12) as i8, dice.between(1, 28) as i8).unwrap_or(by);
    let known = !dice.chance(1.0 / 7.0);
    Identity {
        surname: (*dice.pick(&SURNAMES)).to_owned(),
        first_names: (*dice.pick(&FIRST_NAMES)).to_owned(),
        birth_date: on(born),
        bsn: if known { bsn(n) } else { String::new() },
        no_address: true,
        ..Identity::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_valid_different_and_of_nobody() {
        let numbers: BTreeSet<String> = (0..1500).map(bsn).collect();
        assert_eq!(numbers.len(), 1500);
        for number in numbers {
            assert!(number.starts_with("9999") && kernel::Bsn::parse("bsn", &number).is_ok(), "{number}");
        }
    }
}
