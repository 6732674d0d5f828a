//! Night registers: one call, one event and a handful of statements for a whole facility.

use super::{facility, stay};
use crate::domain::nights::{self, Given, Recorded};
use crate::domain::stay::Command;
use crate::domain::{FacilityId, StayId};
use crate::{Access, events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Date};

/// What was recorded.
pub struct Outcome {
    /// The revision.
    pub revision: i64,
    /// Beds slept in.
    pub used: i32,
    /// Stays of that night without an entry.
    pub missing: i32,
}

/// Records the register of a night (R-ACC-32), and starts the trajectories that follow from it (R-ACC-17).
pub async fn record(
    access: &Access,
    work: &mut Work,
    id: FacilityId,
    night: Date,
    seen: i64,
    given: &[Given],
) -> Result<Outcome> {
    let (place, _) = facility::permitted(work, id).await?;
    let policy = access.policy(&place.municipality, work.now);
    let (before, _) = store::nights::load(work, id, night).await?;
    let stays = store::stay::in_night(work, id, night).await?;
    let known: Vec<(StayId, ClientId)> = stays.iter().map(|(id, (stay, _))| (*id, stay.client_id)).collect();
    let mut events = nights::record(&place, night, &before, &known, given, policy, work.now)?;
    let missing = |entries: usize| i32::try_from(known.len() - entries).unwrap_or(0);
    let Some(Recorded(register)) = events.pop() else {
        return Ok(Outcome {
            revision: before.revision,
            used: before.used(),
            missing: missing(before.entries.len().min(known.len())),
        });
    };
    work.expect_version(seen, before.revision)?;
    let now = work.now.at;
    store::nights::save(work, id, night, &register, now).await?;
    for entry in &register.entries {
        work.touched(entry.client_id);
    }
    events::nights(work, id, &place, night, &register).await?;
    let changed = register.changed_use(&before);
    for (stay_id, found) in stays {
        // Only a stay that may become a trajectory, or one that ended, has something to say about its count.
        let counts = found.0.trajectory_on.is_none() || found.0.departure.is_some();
        if counts && changed.contains(&stay_id) {
            let (nights_used, _) = store::nights::used(work, stay_id).await?;
            stay::change(access, work, stay_id, found, Command::CountNights { nights_used, night }).await?;
        }
    }
    Ok(Outcome { revision: register.revision, used: register.used(), missing: missing(register.entries.len()) })
}
