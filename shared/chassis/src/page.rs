//! Pages of lists: a size, and a token that holds the sort key of the last row given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use kernel::{Date, Refusal, general};
use uuid::Uuid;

/// Which page of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many rows; ask the database for one more, to know whether there is a next page.
    pub limit: i64,
    /// The sort key of the last row of the page before; empty on the first.
    pub after: Vec<String>,
}

impl Page {
    /// Reads `page_size` (0 means 100, never over `max`) and `page_token`.
    pub fn read(size: i32, token: &str, max: i64) -> Result<Page, Refusal> {
        if size < 0 {
            return Err(general::MALFORMED.field("page_size", "is negative", "is negatief"));
        }
        let limit = if size == 0 { 100.min(max) } else { i64::from(size).min(max) };
        let after = match token {
            "" => Vec::new(),
            _ => URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                .filter(|key: &Vec<String>| !key.is_empty())
                .ok_or(&general::PAGE_TOKEN_INVALID)?,
        };
        Ok(Page { limit, after })
    }

    /// Cuts the extra row off; returns the token of the next page, empty when this was the last.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> Vec<String>) -> String {
        if rows.len() as i64 <= self.limit {
            return String::new();
        }
        rows.truncate(self.limit as usize);
        Self::token(rows.last().map(key).unwrap_or_default())
    }

    /// The token of the page after a row, by its sort key.
    pub fn token(key: Vec<String>) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::Value::from(key).to_string())
    }

    /// A text of the sort key; empty on the first page, which sorts before everything.
    pub fn text(&self, part: usize) -> &str {
        self.after.get(part).map_or("", String::as_str)
    }

    /// An instant of the sort key (written as microseconds).
    pub fn timestamp(&self, part: usize) -> Result<Timestamp, Refusal> {
        let instant = self.text(part).parse().ok().and_then(|us| Timestamp::from_microsecond(us).ok());
        instant.ok_or_else(|| (&general::PAGE_TOKEN_INVALID).into())
    }

    /// A date of the sort key.
    pub fn date(&self, part: usize) -> Result<Date, Refusal> {
        self.text(part).parse().map_err(|_| (&general::PAGE_TOKEN_INVALID).into())
    }

    /// An id of the sort key.
    pub fn uuid(&self, part: usize) -> Result<Uuid, Refusal> {
        Uuid::parse_str(self.text(part)).map_err(|_| (&general::PAGE_TOKEN_INVALID).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let first = Page::read(2, "", 500).unwrap();
        let mut rows = vec![1, 2, 3];
        let token = first.cut(&mut rows, |n| vec![n.to_string()]);
        assert_eq!(rows, [1, 2]);
        let second = Page::read(2, &token, 500).unwrap();
        assert_eq!(second.text(0), "2");
        assert_eq!(second.cut(&mut vec![3], |n| vec![n.to_string()]), "");
    }

    #[test]
    fn a_page_that_is_none_is_refused() {
        for (size, token) in [(-1, ""), (1, "x"), (1, "!!!"), (1, "W10")] {
            assert!(Page::read(size, token, 500).is_err(), "{size} {token}");
        }
        assert_eq!(Page::read(10_000, "", 500).unwrap().limit, 500);
    }
}
