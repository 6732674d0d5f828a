//! Money, in whole euro cents.

use serde::{Deserialize, Serialize};

/// An amount in euro cents; on the wire every such field ends in `_cents`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_as_euros() {
        assert_eq!(Cents(140_150).to_string(), "1401.50");
        assert_eq!(Cents(-5).to_string(), "-0.05");
    }
}
