//! Between exchanges and the writer: a queue that exchanges reserve their place in when they start, and what they are told of the
//! writer's health.

use super::entry::{Decision, InForce};
use crate::metrics::AuditMetrics;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Records that may wait when an exchange starts. Those of exchanges that are under way come on top: each has its place.
const ROOM: usize = 32 * 1024;
/// So many wake the writer before its time.
const WAKE: usize = 512;

/// What becomes of exchanges that cannot be audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// New ones are refused.
    #[default]
    FailClosed,
    /// They go on, and their records are lost.
    Continue,
}

impl OnFailure {
    /// The word in configurations.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FailClosed => "fail_closed",
            Self::Continue => "continue",
        }
    }
}

/// What waits for the writer.
#[derive(Debug)]
pub enum Item {
    /// An exchange has ended.
    Decision(Box<Decision>),
    /// A reload, and what is in force since.
    Reload(bool, Box<InForce>),
}

#[derive(Debug, Default)]
struct Waiting {
    items: Vec<Item>,
    is_closing: bool,
    is_closed: bool,
}

/// Where the writer has got to.
#[derive(Debug, Clone, Default)]
pub struct Position {
    /// The file's name.
    pub file: String,
    /// The number of the last line written.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

/// Shared by exchanges and the writer.
#[derive(Debug)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    length: AtomicUsize,
    is_healthy: AtomicBool,
    on_failure: OnFailure,
    lost: AtomicU64,
    refused: AtomicU64,
    position: Mutex<Position>,
    /// The counters of what becomes of records.
    pub metrics: AuditMetrics,
}

impl Queue {
    /// Empty, and not healthy until the writer says so.
    #[must_use]
    pub fn new(on_failure: OnFailure, metrics: AuditMetrics) -> Self {
        metrics.healthy.set(0.0);
        Self {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            length: AtomicUsize::new(0),
            is_healthy: AtomicBool::new(false),
            on_failure,
            lost: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            position: Mutex::default(),
            metrics,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an exchange that starts now has a place for its record.
    #[must_use]
    pub fn has_place(&self) -> bool {
        let has_room = self.length.load(Ordering::Relaxed) < ROOM;
        has_room && (self.on_failure == OnFailure::Continue || self.is_healthy())
    }

    /// What becomes of exchanges without a place.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    /// Whether the writer writes.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Relaxed)
    }

    /// Records that wait.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Hands a record over that has its place.
    pub fn push(&self, item: Item) {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            drop(waiting);
            // It had its place, and may have gone on.
            return self.lost(1);
        }
        waiting.items.push(item);
        self.length.store(waiting.items.len(), Ordering::Relaxed);
        if waiting.items.len() == WAKE {
            self.wake.notify_one();
        }
    }

    /// An exchange without a place has ended: refused, or gone on unrecorded.
    pub fn without_place(&self) {
        match self.on_failure {
            OnFailure::FailClosed => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                self.metrics.refused.inc();
            }
            OnFailure::Continue => self.lost(1),
        }
    }

    /// Records that had their place are lost.
    pub fn lost(&self, records: u64) {
        self.lost.fetch_add(records, Ordering::Relaxed);
        self.metrics.lost.inc_by(records);
    }

    /// Lost and refused since the last call.
    #[must_use]
    pub fn take_missing(&self) -> (u64, u64) {
        (self.lost.swap(0, Ordering::Relaxed), self.refused.swap(0, Ordering::Relaxed))
    }

    /// Whether anything is missing since then.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.lost.load(Ordering::Relaxed) > 0 || self.refused.load(Ordering::Relaxed) > 0
    }

    /// Says how the writer is; gives whether that is news.
    pub fn healthy(&self, is_healthy: bool) -> bool {
        self.metrics.healthy.set(if is_healthy { 1.0 } else { 0.0 });
        self.is_healthy.swap(is_healthy, Ordering::Relaxed) != is_healthy
    }

    /// Waits for the time, for many records, or for the end, whichever comes first; gives what there is, and whether it is the end.
    pub fn take(&self, into: &mut Vec<Item>, until: Instant) -> bool {
        let mut waiting = self.waiting();
        while waiting.items.len() < WAKE && !waiting.is_closing {
            let Some(left) = left(until) else { break };
            waiting = self.wake.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        into.append(&mut waiting.items);
        self.length.store(0, Ordering::Relaxed);
        waiting.is_closing
    }

    /// Waits for the time or the end; gives whether it is the end.
    pub fn rest(&self, until: Instant) -> bool {
        let mut waiting = self.waiting();
        while !waiting.is_closing {
            let Some(left) = left(until) else { break };
            waiting = self.wake.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting.is_closing
    }

    /// The writer shall write what there is and end.
    pub fn close(&self) {
        self.waiting().is_closing = true;
        self.wake.notify_one();
    }

    /// The writer has ended: whatever waits, or comes now, is lost; gives how many records waited.
    pub fn closed(&self) -> u64 {
        let mut waiting = self.waiting();
        waiting.is_closed = true;
        self.length.store(0, Ordering::Relaxed);
        decisions(&std::mem::take(&mut waiting.items))
    }

    /// Where the writer has got to.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says where the writer has got to.
    pub fn at(&self, position: Position) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
    }
}

/// How many records of exchanges these are.
#[must_use]
pub fn decisions(items: &[Item]) -> u64 {
    items.iter().filter(|item| matches!(item, Item::Decision(_))).count() as u64
}

fn left(until: Instant) -> Option<Duration> {
    until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn item() -> Item {
        let text = String::new;
        Item::Reload(true, Box::new(InForce { policy: text(), config: text(), mode: text(), rules: 0, interception: false }))
    }

    #[test]
    fn a_full_queue_has_no_place_and_what_has_one_is_taken() {
        for on_failure in [OnFailure::FailClosed, OnFailure::Continue] {
            let metrics = Metrics::new();
            let queue = Queue::new(on_failure, metrics.audit.clone());
            assert_eq!(queue.has_place(), on_failure == OnFailure::Continue, "not healthy yet");
            queue.healthy(true);
            for _ in 0..ROOM {
                assert!(queue.has_place());
                queue.push(item());
            }
            assert!(!queue.has_place());
            // It had its place when it began.
            queue.push(item());
            queue.without_place();
            let closed = on_failure == OnFailure::FailClosed;
            assert_eq!((metrics.audit.lost.get(), metrics.audit.refused.get()), (u64::from(!closed), u64::from(closed)));
            assert_eq!(queue.take_missing(), (u64::from(!closed), u64::from(closed)));
            assert!(!queue.is_missing());
            let mut taken = Vec::new();
            assert!(!queue.take(&mut taken, Instant::now()));
            assert_eq!(taken.len(), ROOM + 1);
            assert!(queue.has_place());
        }
    }

    #[test]
    fn who_waits_is_woken_by_many_and_by_the_end() {
        let queue = Queue::new(OnFailure::FailClosed, Metrics::new().audit);
        let late = Instant::now() + Duration::from_hours(1);
        std::thread::scope(|scope| {
            let taking = scope.spawn(|| {
                let mut taken = Vec::new();
                queue.take(&mut taken, late);
                taken.len()
            });
            for _ in 0..WAKE {
                queue.push(item());
            }
            assert_eq!(taking.join().expect("it ends"), WAKE);
            let resting = scope.spawn(|| queue.rest(late));
            queue.close();
            assert!(resting.join().expect("it ends"));
        });
    }
}
