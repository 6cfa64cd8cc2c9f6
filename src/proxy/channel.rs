//! An intercepted connection, as its exchanges see it.

use super::interception::Interception;
use crate::policy::Permit;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What every exchange of an intercepted connection has in common.
#[derive(Debug)]
pub struct Channel {
    /// The client.
    pub client: SocketAddr,
    /// What allowed the connection: every request must be for its destination.
    pub permit: Permit,
    /// What interception needs.
    pub interception: Arc<Interception>,
    /// When something last moved.
    pub activity: Activity,
}

/// When something of any exchange last moved.
#[derive(Debug, Clone)]
pub struct Activity {
    start: Instant,
    /// Milliseconds since the start.
    last: Arc<AtomicU64>,
}

impl Default for Activity {
    fn default() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }
}

impl Activity {
    /// Something moves now.
    pub fn touch(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Resolves when nothing has moved for so long. Pings of the client do not count: nobody waits for anything then.
    pub async fn silent_for(&self, limit: Duration) {
        loop {
            let due = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed)) + limit;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn silence_is_counted_from_the_last_move() {
        let activity = Activity::default();
        activity.touch();
        assert!(activity.silent_for(Duration::from_hours(1)).now_or_never().is_none(), "something moved just now");
        assert!(activity.silent_for(Duration::ZERO).now_or_never().is_some());
    }
}
