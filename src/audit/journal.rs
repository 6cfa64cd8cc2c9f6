//! What all exchanges of the process share: their numbers, whether it stops, where decisions go.

use super::entry::Event;
use super::feed::Feed;
use super::id::DecisionId;
use super::sink::Audit;
use crate::fault::Faults;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::watch;

/// Gives out decision ids, knows whether the proxy is stopping, and holds the audit files where there are any.
#[derive(Debug)]
pub struct Journal {
    boot: u64,
    next: AtomicU64,
    leaving: AtomicBool,
    stopping: watch::Sender<bool>,
    /// What the admin page shows of decisions.
    pub feed: Feed,
    audit: Option<Audit>,
    faults: Faults,
}

impl Default for Journal {
    fn default() -> Self {
        // The standard library's hash keys are random for each process: enough to tell two runs apart.
        Self {
            boot: RandomState::new().hash_one(0_u8),
            next: AtomicU64::new(1),
            leaving: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
            feed: Feed::default(),
            audit: None,
            faults: Faults::none(),
        }
    }
}

impl Journal {
    /// One that writes audit files.
    #[must_use]
    pub fn audited(audit: Option<Audit>) -> Self {
        Self { audit, ..Self::default() }
    }

    /// One whose exchanges panic where a drill wants it.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Where its exchanges panic on purpose: nowhere, in a proxy that serves.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The audit files, where they are configured.
    #[must_use]
    pub fn audit(&self) -> Option<&Audit> {
        self.audit.as_ref()
    }

    /// Writes down what happens beside exchanges, where there are audit files. [`Event::Stopped`] blocks until all is written: it is
    /// for the end of the process, when no exchange is left.
    pub fn note(&self, event: Event) {
        if let Some(audit) = &self.audit {
            audit.note(event);
        }
    }

    /// From now on nobody new comes in. Whoever is here may still ask.
    pub fn leaving(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether nobody new comes in.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// From now on nothing new is begun, and exchanges that are cut end as `shutting_down`.
    pub fn stopping(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether the proxy is stopping.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Resolves when the proxy stops: connections on which nothing is under way end then.
    pub async fn stopped(&self) {
        // It fails only without a sender, which is this journal itself.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Six hexadecimal digits that tell this process from others, for `Via`.
    #[must_use]
    pub fn instance(&self) -> String {
        format!("{:06x}", self.boot & 0xff_ffff)
    }

    pub(super) fn id(&self) -> DecisionId {
        DecisionId { boot: self.boot, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}
