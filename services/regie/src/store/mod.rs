//! The SQL of regie, by aggregate: rows to state and back. No condition of the field, no commit.

pub mod access_request;
pub mod case;
pub mod consent;
pub mod correction;
pub mod emergency;
pub mod erasure;
pub mod export;
pub mod flow;
pub mod gate;
pub mod help_agreement;
pub mod merge;
pub mod outgoing;
pub mod readiness;
pub mod relation;
pub mod release;
pub mod representative;
pub mod retention;
pub mod safe_contact;
pub mod separation;
pub mod shield;
pub mod split;
pub mod task;
pub mod timeline;

use chassis::{Error, Result, Row};

/// Reads a code column by its own key.
fn key<T>(row: &Row, column: &str, from_key: impl Fn(&str) -> Option<T>) -> Result<T> {
    let text: String = row.get(column)?;
    from_key(&text).ok_or_else(|| Error::inconsistent("row", column, "no such code"))
}

/// The same of a column that may be empty.
fn key_opt<T>(row: &Row, column: &str, from_key: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| from_key(&text).ok_or_else(|| Error::inconsistent("row", column, "no such code"))).transpose()
}

/// Writes a nested value as the JSON text of its column.
fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::inconsistent("row", "json", error))
}

/// Reads a nested value from the JSON text of its column.
fn from_json<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| Error::inconsistent("row", column, error))
}
