//! What an exchange tells whoever observes, where the mode does.

use crate::destination::Destination;
use crate::error::Reason;
use crate::inspect::Inspector;
use crate::observed::{Asked, Observed, Outcome};
use crate::policy::Verdict;
use bytes::Bytes;
use http::HeaderMap;
use std::sync::Arc;

/// What is told of one exchange at its end.
#[derive(Debug)]
pub struct Observation {
    observed: Arc<Observed>,
    /// The request inside a decrypted connection, if the exchange is one.
    asked: Option<(Arc<Inspector>, Asked)>,
    /// Why enforcing would have refused it first.
    would_deny: Option<Reason>,
}

impl Observation {
    /// Of an exchange that begins.
    #[must_use]
    pub fn new(observed: Arc<Observed>) -> Self {
        Self { observed, asked: None, would_deny: None }
    }

    /// It is a request inside a decrypted connection.
    pub fn asks(&mut self, inspector: &Arc<Inspector>, asked: Asked) {
        self.asked = Some((inspector.clone(), asked));
    }

    /// The request, to be added to.
    pub fn asked(&mut self) -> Option<&mut Asked> {
        self.asked.as_mut().map(|(_, asked)| asked)
    }

    /// Its body was judged and may go.
    pub fn sends(&self, service: &Arc<str>, headers: &HeaderMap, bytes: &Bytes) {
        if let Some((inspector, _)) = self.asked.as_ref().filter(|_| !bytes.is_empty()) {
            self.observed.sent(inspector, service, headers, bytes);
        }
    }

    /// Enforcing would refuse it; the first reason stays.
    pub fn would_deny(&mut self, reason: Reason) {
        self.would_deny.get_or_insert(reason);
    }

    /// The exchange came to its end.
    pub fn end(self, destination: Destination, service: &Arc<str>, verdict: Option<Verdict>, reason: Option<Reason>) {
        // One that was cut later would have been refused all the same.
        let reason = self.would_deny.filter(|_| verdict == Some(Verdict::WouldDeny)).or(reason);
        let outcome = Outcome { verdict, reason };
        match self.asked {
            Some((inspector, asked)) => self.observed.asked(inspector, service, destination, asked, outcome),
            None => self.observed.wanted(destination, service, outcome),
        }
    }
}
