//! The one thread that looks at what was observed: exchanges hand it over and go on.

use super::document::{Document, Outcome};
use super::file;
use super::state::{Asked, Read, State};
use crate::contain::inspected;
use crate::destination::Destination;
use crate::inspect::Inspector;
use crate::moment::date;
use bytes::Bytes;
use http::HeaderMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What may wait; more is counted and not looked at.
const MAX_WAITING: usize = 1_024;
/// Bytes of messages that may wait.
const MAX_BYTES: usize = 16 << 20;
/// How often what changed is saved.
const SAVE_EVERY: Duration = Duration::from_secs(30);

/// A request: of which service, where to, what, and how it ended.
pub type AskedOf = (Arc<Inspector>, Arc<str>, Destination, Asked, Outcome);

/// What is handed over.
pub enum Job {
    /// A connection was wanted: where to, of which service, how that ended.
    Wanted(Box<(Destination, Arc<str>, Outcome)>),
    /// A request came to its end.
    Asked(Box<AskedOf>),
    /// A message was judged.
    Sent(Box<(Arc<Inspector>, Arc<str>, HeaderMap, Bytes)>),
    /// All that came before is looked at and saved, then the sender gets word.
    Settle(SyncSender<()>),
}

crate::hidden::hidden!(Job);

impl Job {
    fn bytes(&self) -> usize {
        if let Self::Sent(sent) = self { sent.3.len() } else { 0 }
    }

    /// Requests and messages in it.
    fn size(&self) -> (u64, u64) {
        match self {
            Self::Asked(_) => (1, 0),
            Self::Sent(_) => (0, 1),
            Self::Wanted(_) | Self::Settle(_) => (0, 0),
        }
    }
}

/// What is known, and whether it was saved.
#[derive(Debug, Default)]
pub struct Known {
    state: Mutex<State>,
    /// Requests and messages that found no room in the queue.
    missed: [AtomicU64; 2],
    /// Changes so far.
    changes: AtomicUsize,
}

impl Known {
    /// What is known, to be added to.
    pub fn change(&self) -> MutexGuard<'_, State> {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.state()
    }

    /// What found no room in the queue.
    fn miss(&self, (requests, messages): (u64, u64)) {
        for (missed, more) in self.missed.iter().zip([requests, messages]) {
            missed.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// All of it.
    #[must_use]
    pub fn document(&self) -> Document {
        let mut state = self.state();
        let [requests, messages] =
            [0, 1].map(|index| self.missed.get(index).map_or(0, |missed: &AtomicU64| missed.swap(0, Ordering::Relaxed)));
        state.not_looked_at(requests, messages);
        state.document()
    }

    /// What is known.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the thread. It ends, and saves, when this is dropped.
#[derive(Debug)]
pub struct Worker {
    known: Arc<Known>,
    jobs: SyncSender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start(known: Arc<Known>, path: Option<PathBuf>) -> std::io::Result<Self> {
        let (jobs, received) = sync_channel(MAX_WAITING);
        let waiting = Arc::<AtomicUsize>::default();
        let looking = Looking { known: known.clone(), path, waiting: waiting.clone(), saved: 0, failed: false };
        std::thread::Builder::new().name("observed".to_owned()).spawn(move || looking.run(&received))?;
        Ok(Self { known, jobs, waiting })
    }

    /// Hands over. What finds no room is counted.
    pub fn hand_over(&self, job: Job) {
        let (bytes, size) = (job.bytes(), job.size());
        let has_room = self.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_BYTES;
        if !has_room || self.jobs.try_send(job).is_err() {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.known.miss(size);
        }
    }

    /// Waits until all that was handed over is looked at and saved.
    pub fn settle(&self) {
        let (done, word) = sync_channel(1);
        if self.jobs.send(Job::Settle(done)).is_ok() {
            // A thread that failed has nothing to say.
            let _ = word.recv();
        }
    }
}

/// What the thread has.
struct Looking {
    known: Arc<Known>,
    path: Option<PathBuf>,
    waiting: Arc<AtomicUsize>,
    /// Changes that were saved.
    saved: usize,
    /// Whether the last saving failed.
    failed: bool,
}

impl Looking {
    fn run(mut self, jobs: &Receiver<Job>) {
        let mut due = Instant::now() + SAVE_EVERY;
        loop {
            match jobs.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Job::Settle(done)) => {
                    self.save();
                    // Whoever asked may be gone.
                    let _ = done.send(());
                }
                Ok(job) => self.look_at(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.save(),
            }
            if Instant::now() >= due {
                self.save();
                due = Instant::now() + SAVE_EVERY;
            }
        }
    }

    /// A defect in it costs one message.
    fn look_at(&self, job: Job) {
        let bytes = job.bytes();
        let known = &self.known;
        // What is long is done before the lock.
        let looked = inspected(move || match job {
            Job::Wanted(wanted) => {
                let (destination, service, outcome) = *wanted;
                known.change().wanted(destination.to_string(), &service, outcome, &today());
            }
            Job::Asked(asked) => {
                let (inspector, service, destination, asked, outcome) = *asked;
                let (template, kept) = asked.kept(inspector.tree(), outcome, &today());
                let key = (service.to_string(), destination.to_string(), asked.method.to_owned());
                known.change().asked(key, template, kept);
            }
            Job::Sent(sent) => {
                let (inspector, service, headers, bytes) = *sent;
                match inspector.documents(&headers, &bytes).map(|messages| Read::of(inspector.tree(), &messages)) {
                    Some(read) => known.change().sent(&service, read),
                    None => known.change().not_looked_at(0, 1),
                }
            }
            Job::Settle(_) => {}
        });
        if looked.is_none() {
            tracing::error!("a defect of the proxy kept it from observing a message; please report it");
        }
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn save(&mut self) {
        let Some(path) = &self.path else { return };
        let changes = self.known.changes.load(Ordering::Relaxed);
        if changes == self.saved && !self.failed {
            return;
        }
        let document = self.known.document();
        match file::write(path, &document) {
            Ok(()) => {
                self.saved = changes;
                if std::mem::take(&mut self.failed) {
                    tracing::info!(path = %path.display(), "what is observed is saved again");
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!(path = %path.display(), %error, "what is observed cannot be saved (policy.observed); it is kept in memory");
                }
            }
        }
    }
}

/// The day, UTC.
#[must_use]
pub fn today() -> String {
    date(SystemTime::now())
}
