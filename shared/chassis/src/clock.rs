//! The field's clock: the machine's own, or one that is moved by hand, so that years can be lived through in seconds.
//! Tokens, heartbeats and time-outs run on real time, whichever this is.

use jiff::Timestamp;
use kernel::Moment;
use tokio::sync::watch;

/// Tells what moment it is in the field. Cheap to clone; clones of a manual clock move together.
#[derive(Clone, Debug)]
pub struct Clock(Option<watch::Sender<Timestamp>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `start` until it is moved.
    pub fn manual(start: Timestamp) -> Self {
        Self(Some(watch::Sender::new(start)))
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment::of(self.0.as_ref().map_or_else(machine, |by_hand| *by_hand.borrow()))
    }

    /// Whether this is a clone of that manual clock.
    pub fn is_same(&self, other: &Clock) -> bool {
        matches!((&self.0, &other.0), (Some(one), Some(two)) if one.same_channel(two))
    }

    /// Moves a manual clock; it never runs backwards, and the system's clock is not ours to move.
    pub fn set(&self, to: Timestamp) {
        if let Some(by_hand) = &self.0 {
            by_hand.send_if_modified(|now| {
                let moves = to > *now;
                if moves {
                    *now = to;
                }
                moves
            });
        }
    }

    /// Resolves when the clock may have reached `due`, or `None`: when it was moved at all.
    pub(crate) async fn until(&self, due: Option<Timestamp>) {
        match &self.0 {
            Some(by_hand) => {
                let mut moved = by_hand.subscribe();
                let reached = |now: &Timestamp| due.is_some_and(|due| *now >= due);
                // The sender lives as long as this clock.
                let _ = moved.wait_for(reached).await;
            }
            None => {
                let minute = std::time::Duration::from_secs(60);
                let wait = due.map_or(minute, |due| {
                    std::time::Duration::try_from(due.duration_since(machine())).unwrap_or_default().min(minute)
                });
                tokio::time::sleep(wait).await;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
fn machine() -> Timestamp {
    Timestamp::now()
}
