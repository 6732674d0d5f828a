//! Who reads a file as the client's own (R-REG-21): how a service comes to know, and how a caller stands to it.

use crate::{About, Event, Work};
use kernel::{ClientId, OwnAccess, Uuid};
use proto::access::v1 as access;
use proto::regie::v1 as regie;
use proto::rights::v1::OwnAccess as Level;
use store::{Error, Result};

/// What a child says at any age: that there is need of help. It is about what is said, not about what is read.
pub(crate) const HEARD_AT_ANY_AGE: [&str; 3] =
    ["AccessService/RecordNotification", "AftercareService/RaiseSignal", "AftercareService/ReportNowhereToSleep"];

/// How a caller stands to the own file of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnFile {
    /// It is another's.
    Foreign,
    /// It is the caller's, who is too young to open it alone.
    TooYoung,
    /// It is the caller's.
    Own,
    /// The caller is the legal representative.
    Represented,
}

/// Takes in what a client may do with the own file. Access alone knows ages; who does not follow access hears it from regie, and
/// access itself knows better than what comes back to it.
pub(crate) async fn take(about: &About, work: &mut Work, event: &Event) -> Result<()> {
    let from = if about.feeds.iter().any(|feed| feed.of == "access") { "access" } else { "regie" };
    if about.name == "access" || event.source != from || event.name() != "OwnAccessChanged" {
        return Ok(());
    }
    let (client_id, level) = match from {
        "access" => {
            let changed: access::OwnAccessChanged = event.decode()?;
            (changed.client_id.clone(), changed.own_access())
        }
        _ => {
            let changed: regie::OwnAccessChanged = event.decode()?;
            (changed.client_id.clone(), changed.own_access())
        }
    };
    let level = own_access_from(level).ok_or_else(|| Error::inconsistent("event", "own_access", "is no level"))?;
    work.set_own_access(&(about.known_as)(ClientId::parse("client_id", &client_id)?), level).await
}

/// Takes in that somebody stands in for a client.
pub(crate) async fn take_granted(work: &mut Work, id: Uuid, client: ClientId, by: &str) -> Result<()> {
    let (by, now) = (ClientId::parse("person", by)?, work.now.at);
    work.represent(id, client, by, now).await
}

/// From the wire.
pub fn own_access_from(level: Level) -> Option<OwnAccess> {
    match level {
        Level::Unspecified => None,
        Level::None => Some(OwnAccess::None),
        Level::Shared => Some(OwnAccess::Shared),
        Level::Own => Some(OwnAccess::Own),
    }
}

/// To the wire.
pub fn own_access_to(level: OwnAccess) -> Level {
    match level {
        OwnAccess::None => Level::None,
        OwnAccess::Shared => Level::Shared,
        OwnAccess::Own => Level::Own,
    }
}
