//! Tokens and people whose tokens are no longer good, though they have not expired.

use crate::token::{SKEW, Verified};
use crate::watched::Watched;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The list is no larger than this: some 100,000 entries.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A list of revocations in a file of TOML, read again as soon as it changes:
///
/// ```toml
/// [[revoked]]
/// issuer = "https://id.example.nl"
/// subject = "worker-7"              # or token = "…", the claim jti
/// at = 2026-03-02T09:15:00Z
/// ```
///
/// An entry withdraws every token that was issued up to its moment, and a little after, for an issuer's clock that is ahead:
/// whoever signs in again later is welcome.
pub struct Revocations(Watched<List>);

/// Until when tokens are withdrawn, by issuer and by what the entry names.
pub(crate) type List = HashMap<(String, Named), SystemTime>;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    Subject(String),
    Token(String),
}

/// Why a list of revocations cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RevocationsError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default)]
    revoked: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    issuer: String,
    subject: Option<String>,
    token: Option<String>,
    at: toml::value::Datetime,
}

impl Revocations {
    /// The list in a file, which must be there and be understood.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RevocationsError> {
        let path = path.as_ref();
        let file = Watched::open(path, MOST_BYTES, read);
        file.map(Self).map_err(|why| RevocationsError(format!("{}: {why}", path.display())))
    }

    pub(crate) fn current(&self) -> Arc<List> {
        self.0.current()
    }
}

impl std::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Revocations({})", self.current().len())
    }
}

/// Whether a list withdraws a token.
pub(crate) fn withdraws(list: &List, token: &Verified) -> bool {
    if list.is_empty() {
        return false;
    }
    let until = |named: Named| list.get(&(token.issuer.to_string(), named)).copied();
    let subject = until(Named::Subject(token.actor.subject.clone()));
    let id = token.id.clone().and_then(|id| until(Named::Token(id)));
    [subject, id].into_iter().flatten().any(|until| token.issued <= until + SKEW)
}

fn read(bytes: &[u8]) -> Result<List, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let form: FileForm = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut list = List::new();
    for (number, entry) in (1..).zip(form.revoked) {
        let named = match (entry.subject, entry.token) {
            (Some(subject), None) => Named::Subject(subject),
            (None, Some(token)) => Named::Token(token),
            _ => return Err(format!("revoked {number}: name either a subject or a token")),
        };
        let at = moment(&entry.at);
        let at = at.ok_or_else(|| format!("revoked {number}: at: {} is no moment with a time zone", entry.at))?;
        let until = list.entry((entry.issuer, named)).or_insert(at);
        *until = at.max(*until);
    }
    Ok(list)
}

/// A moment written with its offset, after 1970.
fn moment(at: &toml::value::Datetime) -> Option<SystemTime> {
    let at: kernel::Timestamp = at.to_string().parse().ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(at.as_second().try_into().ok()?))
}
