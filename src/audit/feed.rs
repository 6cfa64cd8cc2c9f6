//! What the admin page shows as it happens: the last refusals, the hosts refused most, and every decision for whoever watches. All of
//! it is bounded, and nothing is kept of what passed.

use crate::frequent::Frequent;
use crate::policy::Verdict;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::broadcast;

/// Refusals that are remembered.
const LAST: usize = 100;
/// Refused destinations that are counted: one that makes up more than this part of all refusals is always among them.
const COUNTED: usize = 256;
/// Decisions that a watcher may be behind.
const BEHIND: usize = 512;

/// One decision, as it is shown. The client is its address; who it proved to be is not shown.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// Milliseconds since 1970.
    pub at: u64,
    /// The decision's id, as in the log.
    pub decision: String,
    /// `allow`, `deny` or `would_deny`; empty where it came to no decision.
    pub verdict: &'static str,
    /// Why not; empty where it passed.
    pub reason: &'static str,
    /// What decided.
    pub rule: String,
    /// The client.
    pub client: IpAddr,
    /// How the request was made.
    pub protocol: &'static str,
    /// Its method, from a closed list.
    pub method: &'static str,
    /// Where to; empty where that was not read.
    pub destination: String,
    /// The service.
    pub service: Arc<str>,
    /// The status that was answered; 0 for none.
    pub status: u16,
    /// How it ended.
    pub ended: &'static str,
    /// Bytes to the upstream.
    pub up: u64,
    /// Bytes from it.
    pub down: u64,
    /// Milliseconds it took.
    pub milliseconds: u64,
}

impl Shown {
    /// Milliseconds since 1970.
    #[must_use]
    pub fn now() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A destination that was refused.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// `host:port`.
    pub destination: String,
    /// The last reason.
    pub reason: &'static str,
    /// How often since it is counted, which may be less than since the start.
    pub count: u64,
    /// When last, milliseconds since 1970.
    pub last: u64,
}

#[derive(Debug)]
struct Kept {
    last: VecDeque<Shown>,
    refused: Frequent<String, Refused>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { last: VecDeque::new(), refused: Frequent::new(COUNTED) }
    }
}

/// What is shown of decisions.
#[derive(Debug)]
pub struct Feed {
    kept: Mutex<Kept>,
    watchers: broadcast::Sender<Shown>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { kept: Mutex::default(), watchers: broadcast::Sender::new(BEHIND) }
    }
}

impl Feed {
    /// Notes a decision. What passes costs nothing while nobody watches.
    pub fn note(&self, is_refusal: bool, shown: impl FnOnce() -> Shown) {
        let is_watched = self.watchers.receiver_count() > 0;
        if !is_refusal && !is_watched {
            return;
        }
        let shown = shown();
        if is_refusal {
            self.keep(shown.clone());
        }
        if is_watched {
            // The last watcher may just have left.
            let _ = self.watchers.send(shown);
        }
    }

    fn keep(&self, shown: Shown) {
        let mut kept = self.lock();
        // One that passed and was cut later is no refused destination.
        if !shown.destination.is_empty() && shown.verdict != Verdict::Allow.label() {
            kept.count(&shown);
        }
        if kept.last.len() >= LAST {
            kept.last.pop_front();
        }
        kept.last.push_back(shown);
    }

    /// Every decision from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Shown> {
        self.watchers.subscribe()
    }

    /// How many watch.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.watchers.receiver_count()
    }

    /// The last refusals, the newest first.
    #[must_use]
    pub fn last(&self) -> Vec<Shown> {
        self.lock().last.iter().rev().cloned().collect()
    }

    /// The destinations refused most, at most so many.
    #[must_use]
    pub fn refused(&self, most: usize) -> Vec<Refused> {
        let mut all: Vec<Refused> = self.lock().refused.iter().map(|(_, refused)| refused.clone()).collect();
        all.sort_by_key(|refused| (Reverse(refused.count), Reverse(refused.last)));
        all.truncate(most);
        all
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn count(&mut self, shown: &Shown) {
        let new = || Refused { destination: shown.destination.clone(), reason: shown.reason, count: 0, last: 0 };
        let refused = self.refused.count(&shown.destination, 1, new);
        refused.count += 1;
        refused.last = shown.at;
        refused.reason = shown.reason;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(destination: &str) -> Shown {
        Shown {
            at: 1,
            decision: "1-1".to_owned(),
            verdict: "deny",
            reason: "host_not_allowed",
            rule: "default-deny".to_owned(),
            client: IpAddr::from([127, 0, 0, 1]),
            protocol: "connect",
            method: "CONNECT",
            destination: destination.to_owned(),
            service: "none".into(),
            status: 403,
            ended: "refused",
            up: 0,
            down: 0,
            milliseconds: 0,
        }
    }

    #[test]
    fn what_is_refused_often_stays_however_many_others_come() {
        let feed = Feed::default();
        for number in 0..3_000 {
            if number % 100 == 0 {
                feed.note(true, || refusal("often.test:443"));
            }
            feed.note(true, || refusal(&format!("{number}.test:443")));
        }
        let refused = feed.refused(1_000);
        assert_eq!((refused.len(), feed.last().len()), (COUNTED, LAST));
        assert_eq!((refused[0].destination.as_str(), refused[0].count), ("often.test:443", 30));
    }

    #[test]
    fn what_passes_is_shown_to_watchers_alone() {
        let feed = Feed::default();
        feed.note(false, || panic!("nobody watches"));
        let mut watching = feed.watch();
        feed.note(false, || refusal("passed.test:443"));
        assert_eq!(watching.try_recv().map(|shown| shown.destination), Ok("passed.test:443".to_owned()));
        assert!(feed.last().is_empty());
    }
}
