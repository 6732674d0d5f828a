//! Wakes deadlines: each in a transaction of its own, in which the deadline itself goes.

use crate::{Chassis, Service};
use std::sync::Arc;
use std::time::Duration;
use store::{Deadline, Result};

/// Deadlines are read in pages of this size.
const PAGE: i64 = 64;

/// How long what failed is left alone: longer each time, at most a minute.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Wakes what is due until the service stops.
pub(crate) async fn run(service: Arc<dyn Service>, chassis: Chassis) {
    let mut set = chassis.store.deadlines_set();
    let mut pause = PAUSES[0];
    loop {
        set.mark_unchanged();
        let (next, well) = match wake_due(&service, &chassis).await {
            Ok(round) => round,
            Err(error) => {
                tracing::error!(service = chassis.about.name, %error, "the deadlines could not be read");
                (None, false)
            }
        };
        let again = async {
            if well {
                std::future::pending().await
            }
            tokio::time::sleep(pause).await
        };
        tokio::select! {
            () = chassis.clock.until(next) => {}
            _ = set.changed() => {}
            () = again => {}
            () = chassis.stopped() => return,
        }
        pause = if well { PAUSES[0] } else { (pause * 2).min(PAUSES[1]) };
    }
}

/// Handles everything that is due now, past what cannot be handled; returns when the next will be, and whether all went
/// well.
async fn wake_due(service: &Arc<dyn Service>, chassis: &Chassis) -> Result<(Option<jiff::Timestamp>, bool)> {
    let (mut last, mut well) = (None, true);
    loop {
        let now = chassis.clock.now().at;
        let next = chassis.store.read().await?.next_deadlines(last.as_deref(), PAGE).await?;
        if next.is_empty() {
            return Ok((None, well));
        }
        for deadline in next {
            if deadline.due_at > now {
                return Ok((Some(deadline.due_at), well));
            }
            let deadline = Arc::new(deadline);
            if let Err(error) = wake(service, chassis, &deadline).await {
                let Deadline { kind, subject, .. } = &*deadline;
                let error = &error as &dyn std::error::Error;
                tracing::error!(service = chassis.about.name, kind, subject, error, "a deadline could not be handled");
                well = false;
            }
            last = Some(deadline);
        }
    }
}

async fn wake(service: &Arc<dyn Service>, chassis: &Chassis, deadline: &Arc<Deadline>) -> Result<()> {
    let (by, of) = (service.clone(), deadline.clone());
    chassis
        .act("deadline", move |work| {
            let (service, deadline) = (by.clone(), of.clone());
            Box::pin(async move {
                // It may have been moved or taken away since it was read.
                if work.take_deadline(&deadline).await? {
                    service.wake(work, &deadline).await?;
                }
                Ok(())
            })
        })
        .await?;
    service.woken(deadline);
    Ok(())
}
