//! The handles of one service, resolved when the policy loads.

use super::{Open, Protocol};
use crate::error::Reason;
use crate::inspect::Kind;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGaugeVec};

/// The handles of one service, resolved when the policy loads.
#[derive(Debug, Clone)]
pub struct ServiceMetrics {
    pub(super) service: String,
    /// Panics of the proxy, whatever the service.
    pub panics: IntCounter,
    pub(super) allow: IntCounter,
    pub(super) deny: Vec<IntCounter>,
    pub(super) would_deny: Vec<Option<IntCounter>>,
    pub(super) cuts: Vec<Option<IntCounter>>,
    pub(super) requests: IntCounterVec,
    /// Time to the answer: from the request's last header byte to the status line.
    pub request_duration: Histogram,
    pub(super) tunnels: IntGaugeVec,
    /// Bytes from the client to the upstream.
    pub bytes_up: IntCounter,
    /// Bytes from the upstream to the client.
    pub bytes_down: IntCounter,
    /// Time to an established upstream connection, resolution included.
    pub upstream_connect: Histogram,
    /// What was done with allowed exchanges, by [`Coverage`].
    pub(super) coverage: Vec<IntCounter>,
    /// Messages inspected, by [`Inspected`].
    pub(super) messages: Vec<IntCounter>,
    /// Bytes of payload inspected.
    pub inspected_bytes: IntCounter,
    /// Time one inspection took.
    pub inspection: Histogram,
    /// Findings, by kind.
    pub(super) findings: Vec<Acted>,
    /// Connections that stayed a tunnel because their client rejected the interception certificate before.
    pub rejection_fallbacks: IntCounter,
}

/// What was done about findings of one kind.
#[derive(Debug, Clone)]
pub(super) struct Acted {
    pub denied: IntCounter,
    pub passed: IntCounter,
}

/// What was done with an allowed exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// All it sent was inspected.
    Inspected,
    /// It passed unseen.
    Tunnelled,
    /// It was decrypted, and something in it could not be inspected.
    Uninspectable,
}

impl Coverage {
    pub(super) const ALL: [Self; 3] = [Self::Inspected, Self::Tunnelled, Self::Uninspectable];

    /// The label value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Inspected => "inspected",
            Self::Tunnelled => "tunnelled",
            Self::Uninspectable => "uninspectable",
        }
    }
}

/// What became of an inspected message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspected {
    /// It was released.
    Allow,
    /// It was refused.
    Deny,
    /// It was released; enforcing would refuse it.
    WouldDeny,
}

impl Inspected {
    pub(super) const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::WouldDeny];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::WouldDeny => "would_deny",
        }
    }
}

impl ServiceMetrics {
    /// A tunnel is open until what this gives is dropped. The series is looked up each time: it goes when the service leaves the
    /// policy, and comes again with it.
    #[must_use]
    pub fn tunnel(&self) -> Open {
        Open::new(self.tunnels.with_label_values(&[self.service.as_str()]))
    }

    /// How many tunnels are open.
    #[must_use]
    pub fn open_tunnels(&self) -> i64 {
        self.tunnels.with_label_values(&[self.service.as_str()]).get()
    }

    /// An exchange was let through.
    pub fn allowed(&self) {
        self.allow.inc();
    }

    /// An exchange was refused.
    pub fn denied(&self, reason: Reason) {
        if let Some(counter) = self.deny.get(reason as usize) {
            counter.inc();
        }
    }

    /// How many exchanges were refused for a reason.
    #[must_use]
    pub fn denials(&self, reason: Reason) -> u64 {
        self.deny.get(reason as usize).map_or(0, IntCounter::get)
    }

    /// How many exchanges were let through.
    #[must_use]
    pub fn allowances(&self) -> u64 {
        self.allow.get()
    }

    /// How many were refused, for whatever reason.
    #[must_use]
    pub fn all_denials(&self) -> u64 {
        self.deny.iter().map(IntCounter::get).sum()
    }

    /// How many were let through that enforcing would refuse.
    #[must_use]
    pub fn all_would_denials(&self) -> u64 {
        self.would_deny.iter().flatten().map(IntCounter::get).sum()
    }

    /// An exchange was let through that enforcing would refuse.
    pub fn would_deny(&self, reason: Reason) {
        if let Some(Some(counter)) = self.would_deny.get(reason as usize) {
            counter.inc();
        }
    }

    /// An exchange that had been let through was cut.
    pub fn cut(&self, reason: Reason) {
        if let Some(Some(counter)) = self.cuts.get(reason as usize) {
            counter.inc();
        }
    }

    /// An allowed exchange of the service was covered so.
    pub fn covered(&self, coverage: Coverage) {
        if let Some(counter) = self.coverage.get(coverage as usize) {
            counter.inc();
        }
    }

    /// How many exchanges were covered so.
    #[must_use]
    pub fn coverage(&self, coverage: Coverage) -> u64 {
        self.coverage.get(coverage as usize).map_or(0, IntCounter::get)
    }

    /// A message was inspected.
    pub fn inspected(&self, verdict: Inspected) {
        if let Some(counter) = self.messages.get(verdict as usize) {
            counter.inc();
        }
    }

    /// Personal data was found, and the message refused or only recorded.
    pub fn found(&self, kind: Kind, refused: bool) {
        if let Some(acted) = self.findings.get(kind as usize) {
            if refused { acted.denied.inc() } else { acted.passed.inc() }
        }
    }

    /// An answer was given.
    pub fn answered(&self, protocol: Protocol, status: u16) {
        self.requests.with_label_values(&[self.service.as_str(), protocol.label(), code_label(status)]).inc();
    }
}

/// The status as a label: those that matter by number, the rest by class, so that no upstream can add series at will.
pub(super) fn code_label(status: u16) -> &'static str {
    const KNOWN: &[(u16, &str)] = &[
        (200, "200"),
        (204, "204"),
        (304, "304"),
        (400, "400"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (405, "405"),
        (407, "407"),
        (413, "413"),
        (421, "421"),
        (429, "429"),
        (500, "500"),
        (502, "502"),
        (503, "503"),
        (504, "504"),
    ];
    if let Some((_, label)) = KNOWN.iter().find(|(known, _)| *known == status) {
        return label;
    }
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}
