//! The citizen service number (BSN), checked by the eleven-test.

use crate::{Refusal, general};

/// A BSN of nine digits that passes the eleven-test. Prints as dots: it belongs in no log and no message.
#[derive(Clone, PartialEq, Eq)]
pub struct Bsn(String);

impl Bsn {
    /// Reads eight or nine digits; eight are padded with a leading zero.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Refusal> {
        let padded = format!("{text:0>9}");
        let digits = padded.bytes().all(|b| b.is_ascii_digit());
        if (8..=9).contains(&text.len()) && digits && eleven_test(&padded) {
            Ok(Self(padded))
        } else {
            Err(general::MALFORMED.field(field, "is not a valid BSN", "is geen geldig BSN"))
        }
    }

    /// The nine digits, for sealing and for the keyed lookup; for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Bsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bsn(•••••••••)")
    }
}

/// (9·d1 + 8·d2 + … + 2·d8 − d9) mod 11 = 0, and not all zero.
fn eleven_test(nine: &str) -> bool {
    let digits = nine.bytes().map(|b| i32::from(b - b'0'));
    let sum: i32 = digits.zip([9, 8, 7, 6, 5, 4, 3, 2, -1]).map(|(digit, weight)| digit * weight).sum();
    nine != "000000000" && sum % 11 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fictitious_numbers_pass_and_broken_ones_do_not() {
        for good in ["999990019", "999990020", "999993653", "999991772", "111222333", "123456782", "12345672"] {
            let known_good = Bsn::parse("bsn", good).is_ok();
            assert_eq!(known_good, eleven_test(&format!("{good:0>9}")), "{good}");
        }
        for good in ["999990019", "999990020", "999993653", "999991772", "111222333", "123456782"] {
            assert!(Bsn::parse("bsn", good).is_ok(), "{good}");
        }
        for bad in
            ["123456789", "999990021", "000000000", "", "99999001", "9999900190", "99999001x", "９９９９９００１９"]
        {
            assert!(Bsn::parse("bsn", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bsn_never_prints_its_digits() {
        let bsn = Bsn::parse("bsn", "999990019").unwrap();
        assert!(!format!("{bsn:?}").contains("9999"));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_found(position in 0usize..9, change in 1u8..10) {
            let mut digits = *b"999990019";
            digits[position] = b'0' + (digits[position] - b'0' + change) % 10;
            prop_assert!(Bsn::parse("bsn", std::str::from_utf8(&digits).unwrap()).is_err());
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Bsn::parse("bsn", &text);
        }
    }
}
