//! What a client may do with the own file, by age: told when it changes, and looked at again on the birthday that changes it
//! (R-REG-21).

use super::clear_wakes;
use crate::domain::client::Life;
use crate::domain::{Due, Wake, own_access};
use crate::{events, store};
use chassis::{Result, Work};
use kernel::{ClientId, Moment};

/// Tells what changed, if anything. Of an adult nothing is told: who hears nothing takes a client for one.
pub async fn refresh(work: &mut Work, id: ClientId, life: Life) -> Result<()> {
    let (level, today, name) = (own_access::on(life, work.now.date), work.now.date, id.to_string());
    let changed = work.own_access(&name).await? != level;
    if changed {
        work.set_own_access(&name, level).await?;
        events::own_access(work, id, level).await?;
    }
    match own_access::changes_on(life, today) {
        Some(day) => {
            let wake = Wake { due: Due::OwnAccess, at: Moment::start_of(day).at };
            super::set_wakes(work, id.0, id, vec![wake]).await
        }
        None if changed => clear_wakes(work, id.0, &[Due::OwnAccess]).await,
        None => Ok(()),
    }
}

/// The timer: a birthday.
pub async fn wake(work: &mut Work, id: ClientId) -> Result<()> {
    match store::client::load(work, id).await? {
        Some((client, _)) => refresh(work, id, client.life()).await,
        None => Ok(()),
    }
}
