//! An intercepted connection, as its exchanges see it.

use super::interception::Interception;
use crate::audit::{Fate, revoked};
use crate::error::Refusal;
use crate::identity::Identity;
use crate::policy::Permit;
use http::HeaderValue;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What every exchange of an intercepted connection has in common.
#[derive(Debug)]
pub struct Channel {
    /// The client.
    pub client: SocketAddr,
    /// The listener that it came by.
    pub listener: SocketAddr,
    /// Who it proved to be.
    pub identity: Identity,
    /// What allowed the connection: every request must be for its destination.
    pub permit: Permit,
    /// Its Host field.
    pub host: HeaderValue,
    /// What interception needs.
    pub interception: Arc<Interception>,
    /// When something last moved.
    pub activity: Activity,
    /// What becomes of it and of all exchanges on it.
    pub fate: Arc<Fate>,
}

impl Channel {
    /// Refuses exchanges of a connection that a new configuration does not allow: it is being ended.
    ///
    /// # Errors
    /// `revoked_by_reload`.
    pub fn stands(&self) -> Result<(), Refusal> {
        if self.fate.is_revoked() { Err(revoked()) } else { Ok(()) }
    }
}

/// When something of any exchange last moved, and which answers their client does not take.
#[derive(Debug, Clone)]
pub struct Activity {
    start: Instant,
    /// Milliseconds since the start.
    last: Arc<AtomicU64>,
    /// For each answer under way, since when a part of it waits to be taken.
    untaken: Arc<Mutex<Vec<Weak<AtomicU64>>>>,
}

/// Nothing waits to be taken.
const TAKEN: u64 = u64::MAX;

/// Follows one answer: whether its client takes what is there.
#[derive(Debug)]
pub struct Taking {
    activity: Activity,
    since: Arc<AtomicU64>,
}

impl Taking {
    /// A part was handed over and has to be taken before the next is asked for.
    pub fn handed_over(&self) {
        let now = self.activity.now();
        self.activity.last.store(now, Ordering::Relaxed);
        self.since.store(now, Ordering::Relaxed);
    }

    /// The next part was asked for and is not there yet: the client waits for us.
    pub fn waits(&self) {
        self.since.store(TAKEN, Ordering::Relaxed);
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self { start: Instant::now(), last: Arc::default(), untaken: Arc::default() }
    }
}

impl Activity {
    /// Something moves now.
    pub fn touch(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(TAKEN - 1)
    }

    /// Follows an answer that begins.
    #[must_use]
    pub fn answer(&self) -> Taking {
        let since = Arc::new(AtomicU64::new(TAKEN));
        let mut untaken = self.untaken.lock().unwrap_or_else(PoisonError::into_inner);
        untaken.retain(|other| other.strong_count() > 0);
        untaken.push(Arc::downgrade(&since));
        Taking { activity: self.clone(), since }
    }

    /// Since when the answer waits that has waited longest.
    fn oldest_untaken(&self) -> Option<u64> {
        let untaken = self.untaken.lock().unwrap_or_else(PoisonError::into_inner);
        let since = untaken.iter().filter_map(Weak::upgrade).map(|since| since.load(Ordering::Relaxed));
        since.filter(|since| *since != TAKEN).min()
    }

    /// Resolves when nothing has moved for so long, or an answer was not taken for so long, whatever else moves. Pings of the client
    /// do not count: nobody waits for anything then.
    pub async fn silent_for(&self, limit: Duration) {
        loop {
            let last = self.last.load(Ordering::Relaxed);
            let due = self.start + Duration::from_millis(last.min(self.oldest_untaken().unwrap_or(last))) + limit;
            if due <= Instant::now() {
                return;
            }
            // An answer that begins to wait after this look is seen at the next.
            sleep_until(due.min(Instant::now() + limit / 4)).await;
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

    #[test]
    fn answers_wait_from_when_they_were_handed_over_until_more_is_asked_for() {
        let activity = Activity::default();
        let (one, other) = (activity.answer(), activity.answer());
        assert_eq!(activity.oldest_untaken(), None);
        one.handed_over();
        assert!(activity.oldest_untaken().is_some());
        one.waits();
        other.handed_over();
        drop(other);
        assert_eq!(activity.oldest_untaken(), None, "an answer that is gone waits for nobody");
    }
}
