//! Wakes deadlines: each in a transaction of its own, in which the deadline itself goes.

use crate::{Chassis, Service};
use std::sync::Arc;
use std::time::Duration;
use store::{Deadline, Result};

/// Deadlines are read in pages of this size.
const PAGE: i64 = 64;

/// Wakes what is due until the service stops.
pub(crate) async fn run<S: Service>(service: Arc<S>, chassis: Chassis) {
    let mut set = chassis.store.deadlines_set();
    loop {
        set.mark_unchanged();
        let next = match wake_due(&service, &chassis).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(
                    service = chassis.name,
                    error = &error as &dyn std::error::Error,
                    "a deadline could not be handled"
                );
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => continue,
                    () = chassis.stopped() => return,
                }
            }
        };
        tokio::select! {
            () = chassis.clock.until(next) => {}
            _ = set.changed() => {}
            () = chassis.stopped() => return,
        }
    }
}

/// Handles everything that is due now; returns when the next will be.
async fn wake_due<S: Service>(service: &Arc<S>, chassis: &Chassis) -> Result<Option<jiff::Timestamp>> {
    loop {
        let now = chassis.clock.now().at;
        let next = chassis.store.read().await?.next_deadlines(PAGE).await?;
        if next.is_empty() {
            return Ok(None);
        }
        for deadline in next {
            if deadline.due_at > now {
                return Ok(Some(deadline.due_at));
            }
            wake(service, chassis, deadline).await?;
        }
    }
}

async fn wake<S: Service>(service: &Arc<S>, chassis: &Chassis, deadline: Deadline) -> Result<()> {
    let (service, deadline) = (service.clone(), Arc::new(deadline));
    chassis
        .act("deadline", move |work| {
            let (service, deadline) = (service.clone(), deadline.clone());
            Box::pin(async move {
                // It may have been moved or taken away since it was read.
                if work.take_deadline(&deadline).await? {
                    service.wake(work, &deadline).await?;
                }
                Ok(())
            })
        })
        .await
}
