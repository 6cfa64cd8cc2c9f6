//! A request body on its way up: counted, and remembered how it ended, so that nobody else is blamed for it.

use super::body::{BodyError, Watcher};
use super::channel::Activity;
use crate::contain::defect;
use crate::error::{Reason, Refusal, RuleName};
use prometheus::IntCounter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How far a body got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Running,
    Complete(Instant),
    /// The client broke off, or sent something malformed.
    ClientFailed,
    /// The client fell silent.
    Idle,
    /// The proxy panicked over it.
    Defect,
    /// The client let it drip.
    Drips,
}

/// One upload, seen from both of its ends.
#[derive(Debug)]
pub struct Upload {
    bytes: AtomicU64,
    progress: Mutex<Progress>,
}

impl Upload {
    /// An upload that has not started.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { bytes: AtomicU64::new(0), progress: Mutex::new(Progress::Running) })
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// So many bytes went up before what is watched.
    pub fn began_with(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether all of it went up.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.progress(), Progress::Complete(_))
    }

    /// The refusal if it failed on the client's side.
    #[must_use]
    pub fn failure(&self) -> Option<Refusal> {
        match self.progress() {
            Progress::Running | Progress::Complete(_) => None,
            Progress::Defect => Some(defect()),
            Progress::ClientFailed => Some(Refusal::bad_request("the request body broke off or is malformed")),
            Progress::Idle => Some(idle("the client stopped sending its request body")),
            Progress::Drips => Some(idle("the client sent its request body too slowly for the length that it announced")),
        }
    }

    /// Resolves when so much time has passed since the upload was complete. While it runs, its own idle limit holds.
    pub async fn overdue(&self, limit: Duration) {
        let mut due = Instant::now() + limit;
        loop {
            sleep_until(due).await;
            due = match self.progress() {
                Progress::Complete(at) if at + limit <= Instant::now() => return,
                Progress::Complete(at) => at + limit,
                _ => Instant::now() + limit,
            };
        }
    }

    fn progress(&self) -> Progress {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, progress: Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

fn idle(detail: &'static str) -> Refusal {
    Refusal::new(Reason::IdleTimeout, detail, RuleName::Builtin("idle-timeout"))
}

/// Watches the body of an [`Upload`].
#[derive(Debug)]
pub struct UploadWatcher {
    /// What it reports to.
    pub upload: Arc<Upload>,
    /// The service's counter.
    pub counter: IntCounter,
    /// Where panics are counted.
    pub panics: IntCounter,
    /// Of the client's connection, if it is an intercepted one.
    pub activity: Option<Activity>,
}

impl Watcher for UploadWatcher {
    fn passed(&mut self, bytes: u64) {
        self.counter.inc_by(bytes);
        if let Some(activity) = &self.activity {
            activity.touch();
        }
        self.upload.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn ended(&mut self, result: Result<(), &BodyError>) {
        self.upload.set(match result {
            Ok(()) => Progress::Complete(Instant::now()),
            Err(BodyError::Source(_)) => Progress::ClientFailed,
            Err(BodyError::Idle) => Progress::Idle,
            Err(BodyError::Defect) => Progress::Defect,
            Err(BodyError::Drips) => Progress::Drips,
        });
    }

    fn panics(&self) -> &IntCounter {
        &self.panics
    }
}
