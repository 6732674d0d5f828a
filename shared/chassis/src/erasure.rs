//! Erasure of a client (R-REG-22), and the end of a retention term (R-REG-23): the keys are destroyed, what the service holds
//! outside its seals goes, and when it was everything, nobody has to do with the client any more. Each service does it as
//! soon as it takes in that regie's decision was made, and again after its database was put back from an older copy.

use crate::{Chassis, Event, Service, Work};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::ClientId;
use proto::regie::v1::{ClientErased, RetentionEnded, RetentionPart};
use std::sync::Arc;
use store::{Destroyed, Error, Result, Retention, args};

/// Destroys keys of a client, for good, and what belongs to it. The decision must be committed already: what is destroyed
/// does not come back when this transaction fails. Again changes nothing.
pub fn erase<'a>(service: &'a dyn Service, work: &'a mut Work, what: &'a Destroyed) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        work.destroy_keys(what).await?;
        if let Some(class) = what.class {
            return service.forget_class(work, what.client, class).await;
        }
        let (client, now) = (what.client, work.now.at);
        for end in [
            "update relation set ended_at = $2 where client_id = $1 and ended_at is null",
            "update emergency_access set ended_at = $2 where client_id = $1 and ended_at is null",
            "update representative set ended_at = $2 where (client_id = $1 or represented_by = $1) and ended_at is null",
        ] {
            work.run(end, args![client, now]).await?;
        }
        let known_as = (service.about().known_as)(client);
        work.run("delete from own_access where client_id = $1", args![&known_as]).await?;
        work.run("delete from deadline where client_id = $1", args![client]).await?;
        work.reach_freely(client).await?;
        work.unmerge(&known_as).await?;
        service.forget(work, client).await
    })
}

/// Takes in an erasure; true when there is nothing else to take in of this event, because its client was erased.
pub(crate) async fn take(service: &dyn Service, work: &mut Work, event: &Event) -> Result<bool> {
    let Some(client) = event.client_id else { return Ok(false) };
    if event.source == "regie" && event.name() == "ClientErased" {
        let erased: ClientErased = event.decode()?;
        let (by, why) = (event.source.to_owned(), format!("erasure {}", erased.erasure_id));
        erase(service, work, &Destroyed { client, class: None, at: event.recorded_at, by, why }).await?;
    }
    if event.source == "regie" && event.name() == "RetentionEnded" {
        let ended: RetentionEnded = event.decode()?;
        erase(service, work, &over(client, &ended, event.recorded_at)?).await?;
    }
    Ok(work.sealer().erased(client))
}

/// What goes with the end of a retention term: the same in every service.
pub fn over(client: ClientId, ended: &RetentionEnded, at: Timestamp) -> Result<Destroyed> {
    let class = match ended.part() {
        RetentionPart::Everything => None,
        RetentionPart::Plan => Some(Retention::Plan),
        RetentionPart::Unspecified => return Err(Error::inconsistent("event", "part", "is none that is known")),
    };
    let ground = ended.ground().as_str_name().trim_start_matches("RETENTION_GROUND_").to_lowercase();
    let why = format!("retention {ground} {}", ended.retention_id);
    Ok(Destroyed { client, class, at, by: "regie".to_owned(), why })
}

/// Does again what a database that was put back has forgotten, before anybody is answered.
pub(crate) async fn repeat(service: &Arc<dyn Service>, chassis: &Chassis) -> Result<()> {
    for one in chassis.store.forgotten_erasures().await? {
        tracing::warn!(service = chassis.about.name, client = %one.client, "the database was put back: a client is erased again");
        let (service, one) = (service.clone(), Arc::new(one));
        chassis
            .act("erasure", move |work| {
                let (service, one) = (service.clone(), one.clone());
                Box::pin(async move { erase(&*service, work, &one).await })
            })
            .await?;
    }
    Ok(())
}
