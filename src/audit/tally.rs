//! What inspection counted in one exchange: to the metrics at once, to the exchange's record at its end.

use crate::inspect::Kind;
use crate::metrics::{Inspected, ServiceMetrics};
use std::sync::{Arc, Mutex, PoisonError};

/// What was inspected in one exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that were inspected.
    pub messages: u64,
    /// Of these, refused.
    pub blocked: u64,
    /// Of these, let through although enforcing would refuse them.
    pub observed: u64,
    /// Findings by kind, in the order in which the kinds came.
    pub findings: Vec<Found>,
}

/// Findings of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The kind.
    pub kind: Kind,
    /// In messages that were refused.
    pub blocked: u64,
    /// In messages that went on.
    pub passed: u64,
}

impl Tally {
    fn inspected(&mut self, verdict: Inspected) {
        self.messages += 1;
        match verdict {
            Inspected::Allow => {}
            Inspected::Deny => self.blocked += 1,
            Inspected::WouldDeny => self.observed += 1,
        }
    }

    fn found(&mut self, kind: Kind, is_refused: bool) {
        let (blocked, passed) = (u64::from(is_refused), u64::from(!is_refused));
        match self.findings.iter_mut().find(|found| found.kind == kind) {
            Some(found) => {
                found.blocked += blocked;
                found.passed += passed;
            }
            None => self.findings.push(Found { kind, blocked, passed }),
        }
    }
}

/// Counts for a service, and for one exchange with it.
#[derive(Debug, Clone)]
pub struct Counted {
    metrics: Arc<ServiceMetrics>,
    tally: Arc<Mutex<Tally>>,
}

impl Counted {
    /// Counts into both.
    #[must_use]
    pub fn new(metrics: Arc<ServiceMetrics>, tally: Arc<Mutex<Tally>>) -> Self {
        Self { metrics, tally }
    }

    /// The service's handles.
    #[must_use]
    pub fn metrics(&self) -> &ServiceMetrics {
        &self.metrics
    }

    /// A message was inspected.
    pub fn inspected(&self, verdict: Inspected) {
        self.metrics.inspected(verdict);
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).inspected(verdict);
    }

    /// Personal data was found, and the message refused or only recorded.
    pub fn found(&self, kind: Kind, is_refused: bool) {
        self.metrics.found(kind, is_refused);
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).found(kind, is_refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_one_kind_are_added_up() {
        let mut tally = Tally::default();
        tally.inspected(Inspected::Deny);
        tally.inspected(Inspected::WouldDeny);
        tally.inspected(Inspected::Allow);
        tally.found(Kind::Email, true);
        tally.found(Kind::Phone, false);
        tally.found(Kind::Email, false);
        assert_eq!((tally.messages, tally.blocked, tally.observed), (3, 1, 1));
        let email = Found { kind: Kind::Email, blocked: 1, passed: 1 };
        assert_eq!(tally.findings, [email, Found { kind: Kind::Phone, blocked: 0, passed: 1 }]);
    }
}
