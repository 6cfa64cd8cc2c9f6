//! The audit as the rest of the proxy sees it: opened once, asked for places, told of what happened, closed.

use super::batch::Batch;
use super::entry::{Decision, Event, InForce};
use super::files;
use super::key::{SigningKey, public_path};
use super::queue::{Item, OnFailure, Position, Queue};
use super::writer::{Settings, Writer};
use crate::fault::Faults;
use crate::metrics::AuditMetrics;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the lock is asked for: whoever verifies holds it for a moment.
const ASKING: u32 = 40;
/// How long between.
const PAUSE: Duration = Duration::from_millis(50);

/// The audit files of a running proxy.
#[derive(Debug)]
pub struct Audit {
    queue: Arc<Queue>,
    folder: PathBuf,
    fingerprint: String,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Held as long as this process writes.
    _lock: File,
}

/// How the audit is.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether it is written.
    pub is_healthy: bool,
    /// What becomes of exchanges while it is not.
    pub on_failure: OnFailure,
    /// The directory.
    pub folder: PathBuf,
    /// Where it has got to.
    pub position: Position,
    /// Records that wait to be written.
    pub waiting: usize,
    /// Written, lost and refused since the start.
    pub counts: [u64; 3],
    /// SHA-256 of the public key.
    pub fingerprint: String,
}

impl Audit {
    /// Finds the end of the chain, begins a new file behind it, and starts the writer.
    ///
    /// # Errors
    /// A sentence with the place and the remedy. A full disk is none: it is waited for, and said.
    pub fn open(settings: Settings, in_force: InForce, metrics: &AuditMetrics, faults: Faults) -> Result<Self, String> {
        let place = settings.place.clone();
        Self::begin(settings, in_force, metrics, faults).map_err(|problem| format!("{place}: audit.path: {problem}"))
    }

    fn begin(settings: Settings, in_force: InForce, metrics: &AuditMetrics, faults: Faults) -> Result<Self, String> {
        let folder = settings.folder.clone();
        let unfit =
            |error: io::Error| format!("{} cannot be written: {error}; create it, owned by the proxy's user, mode 700", folder.display());
        make_folder(&folder).map_err(unfit)?;
        let lock = lock(&folder)?;
        files::clear(&folder);
        let key = SigningKey::load_or_make(&settings.key)?;
        let previous = files::tail(&folder)?;
        let fingerprint = key.public().fingerprint();
        let secret = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| "the machine gives no random numbers")?;
        tracing::info!(
            folder = %folder.display(),
            key = fingerprint,
            public_key = %public_path(&settings.key).display(),
            seq = previous.seq,
            hash = %previous.hash,
            found = ?previous.ended,
            "the audit goes on behind this line; keep a copy of the public key elsewhere"
        );
        let queue = Arc::new(Queue::new(settings.on_failure, metrics.clone()));
        let batch = Batch::new(key, secret, previous.link());
        let mut writer = Writer::new(queue.clone(), settings, in_force, batch, previous).with_faults(faults);
        writer.begin().map_err(unfit)?;
        let thread = std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run());
        let thread = Mutex::new(Some(thread.map_err(|error| format!("the writer does not start: {error}"))?));
        Ok(Self { queue, folder, fingerprint, thread, _lock: lock })
    }

    /// Whether an exchange that starts now has a place for its record.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.queue.has_place()
    }

    /// Whether an exchange without a place is refused.
    #[must_use]
    pub fn is_closed_without(&self) -> bool {
        self.queue.on_failure() == OnFailure::FailClosed
    }

    /// Whether every exchange that starts now is refused: its record could not be written.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.is_closed_without() && !self.has_place()
    }

    /// Hands over the record of an exchange that has a place.
    pub fn record(&self, decision: Decision) {
        self.queue.push(Item::Decision(Box::new(decision)));
    }

    /// Counts a record that could not be handed over.
    pub fn lost(&self) {
        self.queue.lost(1);
    }

    /// Counts an exchange that has none.
    pub fn without_place(&self) {
        self.queue.without_place();
    }

    /// Writes down what happened beside exchanges. [`Event::Stopped`] waits until everything is written.
    pub fn note(&self, event: Event) {
        match event {
            Event::Reloaded { is_ok, in_force } => self.queue.push(Item::Reload(is_ok, Box::new(in_force))),
            Event::Stopped => self.close(),
        }
    }

    fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the audit's writer was ended by a defect of the proxy; please report it");
        }
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        let metrics = &self.queue.metrics;
        Health {
            is_healthy: self.queue.is_healthy(),
            on_failure: self.queue.on_failure(),
            folder: self.folder.clone(),
            position: self.queue.position(),
            waiting: self.queue.length(),
            counts: [metrics.written.get(), metrics.lost.get(), metrics.refused.get()],
            fingerprint: self.fingerprint.clone(),
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.close();
    }
}

/// Only its last part: a path that is not there at all is a mistake, or a volume that is not mounted.
fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Two processes that wrote one chain would break it.
fn lock(folder: &Path) -> Result<File, String> {
    let path = folder.join(files::LOCK);
    let unfit = |error: io::Error| format!("{} cannot be opened: {error}; let the proxy's user write there", path.display());
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(unfit)?;
    for _ in 0..ASKING {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(unfit(error)),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(PAUSE),
        }
    }
    Err(format!("another process writes its audit to {}; give each one an audit.path of its own", folder.display()))
}

/// Whether a process writes to the directory now.
#[must_use]
pub fn is_written_to(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(files::LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::files::Keep;
    use crate::audit::verify::{Options, verify};
    use crate::metrics::Metrics;

    fn in_force(mode: &str) -> InForce {
        InForce { policy: "abc".to_owned(), config: "def".to_owned(), mode: mode.to_owned(), rules: 1, interception: false }
    }

    fn settings(folder: &Path) -> Settings {
        Settings {
            folder: folder.to_path_buf(),
            key: folder.join("audit.key"),
            on_failure: OnFailure::FailClosed,
            flush: PAUSE,
            checkpoint: Duration::from_mins(1),
            rotate_size: 1 << 20,
            rotate_age: Duration::from_hours(1),
            compress: false,
            keep: Keep { age: Duration::from_hours(1), size: None },
            place: "c.toml:1:1".to_owned(),
        }
    }

    #[test]
    fn a_reload_says_what_was_and_what_is_in_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = Metrics::new();
        let audit = Audit::open(settings(folder.path()), in_force("enforce"), &metrics.audit, Faults::none()).expect("opened");
        assert!(audit.has_place() && audit.health().is_healthy);
        audit.note(Event::Reloaded { is_ok: true, in_force: in_force("observe") });
        audit.note(Event::Reloaded { is_ok: false, in_force: in_force("observe") });
        audit.note(Event::Stopped);
        assert!(!audit.has_place(), "nothing begins behind the end");
        let files: Vec<PathBuf> = files::list(folder.path()).expect("there").into_iter().map(|file| file.path).collect();
        let mut lines = Vec::new();
        let verified = verify(&files, &Options::default(), &mut |seen| {
            lines.push(serde_json::from_slice::<serde_json::Value>(seen.bytes).expect("JSON"));
        });
        assert!(verified.is_ok_and(|verified| verified.ok));
        let reloads: Vec<_> = lines.iter().filter(|line| line["kind"] == "reload").collect();
        assert_eq!((&reloads[0]["outcome"], &reloads[1]["outcome"]), (&"ok".into(), &"failed".into()));
        assert_eq!((&reloads[0]["before"]["mode"], &reloads[0]["now"]["mode"]), (&"enforce".into(), &"observe".into()));
        assert_eq!(reloads[1]["before"]["mode"], "observe");
    }

    #[test]
    fn what_comes_behind_the_end_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = Metrics::new();
        let audit = Audit::open(settings(folder.path()), in_force("enforce"), &metrics.audit, Faults::none()).expect("opened");
        audit.note(Event::Stopped);
        audit.note(Event::Reloaded { is_ok: true, in_force: in_force("observe") });
        assert_eq!((metrics.audit.refused.get(), metrics.audit.lost.get()), (0, 1), "it had its place");
    }
}
