//! Calls per second.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Calls per second with so many in flight, over a window after a warm-up.
pub async fn rate<F, Fut>(in_flight: usize, window: Duration, call: F) -> f64
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (call, done) = (Arc::new(call), Arc::new(AtomicU64::new(0)));
    let begin = Instant::now() + Duration::from_millis(300);
    let end = begin + window;
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (call, done) = (call.clone(), done.clone());
            tokio::spawn(async move {
                while Instant::now() < end {
                    call().await;
                    if Instant::now() >= begin {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / window.as_secs_f64()
}
