//! The road of an acknowledgement: a task for each desk that may have read what is not so, ended by whoever took it over
//! (R-REG-26). Neither the task nor its events say what was corrected.

use super::task;
use crate::domain::acknowledgement::receivers;
use crate::domain::task::{Command, Kind, TaskId, Wanted};
use crate::{Regie, store};
use chassis::{Result, Work};
use kernel::{ClientId, Uuid};

/// Asks every receiver. Who was asked already and did not answer yet has one task still, whose term stands; it has a new
/// version, so that nobody acknowledges what they did not see.
pub async fn ask(regie: &Regie, work: &mut Work, client: ClientId, kind: Kind) -> Result<()> {
    let municipality = super::municipality_of(regie, work, client).await?;
    let policy = regie.policy.at(&municipality, work.now.date);
    let due_on = policy.calendar.add_working_days(work.now.date, policy.acknowledge_working_days);
    for receiver in receivers(&store::relation::of(work, client).await?) {
        let subject = receiver.subject();
        // Each receiver has one of its own: the subject names it.
        if let Some(kept) = store::task::unfinished(work, kind, Some(client), &subject).await?.pop() {
            task::change(regie, work, kept, &Command::AskAgain).await?;
            continue;
        }
        let wanted = Wanted {
            kind,
            client_id: Some(client),
            subject: Some(subject),
            organisation: receiver.organisation,
            person: receiver.person,
            role: Some(receiver.role),
            due_on,
            cause: None,
        };
        task::open(regie, work, TaskId(Uuid::now_v7()), wanted).await?;
    }
    Ok(())
}

/// Nobody need answer any more.
pub async fn drop_all(regie: &Regie, work: &mut Work, client: ClientId, kinds: &[Kind]) -> Result<()> {
    for kept in store::task::unfinished_of(work, client, kinds).await? {
        task::change(regie, work, kept, &Command::FallAway).await?;
    }
    Ok(())
}
