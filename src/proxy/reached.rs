//! How the destinations were reached last: their health, as far as it is known from what clients wanted of them.

use crate::destination::Destination;
use crate::error::Reason;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Destinations that are remembered; the one that was not wanted for longest makes room.
const MAX: usize = 256;

/// What is known of one destination.
#[derive(Debug, Clone)]
pub struct Health {
    /// Times it was reached.
    pub ok: u64,
    /// Times it was not.
    pub failed: u64,
    /// When it was reached last, and how long that took.
    pub last_ok: Option<(SystemTime, Duration)>,
    /// When it was not reached last, and why.
    pub last_failure: Option<(SystemTime, Reason)>,
    last: SystemTime,
}

impl Health {
    /// Whether the last that is known of it is no failure.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let at = |known: Option<SystemTime>| known.unwrap_or(SystemTime::UNIX_EPOCH);
        at(self.last_ok.map(|(when, _)| when)) >= at(self.last_failure.map(|(when, _)| when))
    }
}

/// All that is known.
#[derive(Debug, Default)]
pub struct Reached(Mutex<HashMap<Destination, Health>>);

impl Reached {
    /// Notes an attempt.
    pub fn note(&self, destination: &Destination, attempt: Result<Duration, Reason>) {
        let now = SystemTime::now();
        let mut known = self.lock();
        if known.len() >= MAX && !known.contains_key(destination) {
            let oldest = known.iter().min_by_key(|(_, health)| health.last).map(|(destination, _)| destination.clone());
            oldest.and_then(|oldest| known.remove(&oldest));
        }
        let new = || Health { ok: 0, failed: 0, last_ok: None, last_failure: None, last: now };
        let health = known.entry(destination.clone()).or_insert_with(new);
        health.last = now;
        match attempt {
            Ok(took) => {
                health.ok += 1;
                health.last_ok = Some((now, took));
            }
            Err(reason) => {
                health.failed += 1;
                health.last_failure = Some((now, reason));
            }
        }
    }

    /// All of it, by name.
    #[must_use]
    pub fn all(&self) -> Vec<(Destination, Health)> {
        let mut all: Vec<_> = self.lock().iter().map(|(destination, health)| (destination.clone(), health.clone())).collect();
        all.sort_by_key(|(destination, _)| destination.to_string());
        all
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Destination, Health>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_attempt_counts_and_the_number_is_bounded() {
        let reached = Reached::default();
        let at = |name: &str| Destination::from_authority(name.as_bytes()).expect("an authority");
        reached.note(&at("a.test:443"), Err(Reason::ConnectFailed));
        assert!(!reached.all()[0].1.is_up());
        reached.note(&at("a.test:443"), Ok(Duration::from_millis(3)));
        let all = reached.all();
        assert!(all[0].1.is_up());
        assert_eq!((all[0].1.ok, all[0].1.failed), (1, 1));
        for number in 0..2 * MAX {
            reached.note(&at(&format!("{number}.test:443")), Ok(Duration::ZERO));
        }
        assert_eq!(reached.all().len(), MAX);
    }
}
