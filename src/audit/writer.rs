//! The thread that writes: takes what exchanges hand over, seals it, writes it, signs it, begins new files, and says how that goes.

use super::batch::{Batch, CHECKPOINT_LINES, Entry};
use super::chain::Link;
use super::entry::{Ending, FORMAT, GapLine, InForce, KeyLine, Previous, ReloadLine, StartLine, Why, outcome};
use super::files::{self, Keep};
use super::key::ALGORITHM;
use super::queue::{Item, OnFailure, Position, Queue, decisions};
use crate::contain::step;
use crate::fault::{Faults, Layer};
use crate::moment::rfc3339;
use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// How long after a failure writing is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The directory.
    pub folder: PathBuf,
    /// The key that signs checkpoints.
    pub key: PathBuf,
    /// What becomes of exchanges that cannot be audited.
    pub on_failure: OnFailure,
    /// Longest time between a decision and its line.
    pub flush: Duration,
    /// Longest time between two checkpoints while there are lines.
    pub checkpoint: Duration,
    /// A file that has so many bytes ends.
    pub rotate_size: u64,
    /// A file that is so old ends.
    pub rotate_age: Duration,
    /// Whether ended files are compressed.
    pub compress: bool,
    /// What is kept of them.
    pub keep: Keep,
    /// Where the configuration says so, for errors.
    pub place: String,
}

impl Settings {
    /// Whether two say the same, wherever they say it.
    #[must_use]
    pub fn are_alike(one: Option<&Self>, other: Option<&Self>) -> bool {
        let elsewhere = |settings: &Self| Self { place: String::new(), ..settings.clone() };
        one.map(elsewhere) == other.map(elsewhere)
    }
}

/// The file that is written.
#[derive(Debug)]
struct Current {
    file: File,
    path: PathBuf,
    identity: (u64, u64),
    length: u64,
    opened: Instant,
    /// The last line in it that was written whole.
    link: Link,
    /// Whether it has a whole line.
    has_line: bool,
    /// Files to be taken away once its first line is on the disk.
    removing: Vec<PathBuf>,
    is_new: bool,
}

/// There is no writing since then.
#[derive(Debug)]
struct Outage {
    since: SystemTime,
    cause: String,
    retry: Instant,
}

/// Writes.
pub struct Writer {
    queue: Arc<Queue>,
    settings: Settings,
    in_force: InForce,
    batch: Batch,
    previous: Previous,
    why: &'static str,
    current: Option<Current>,
    outage: Option<Outage>,
    signed: Instant,
    flushed: Instant,
    helper: Option<JoinHandle<()>>,
    /// Taken from the queue, and not sealed yet; the first one last.
    taken: Vec<Item>,
    faults: Faults,
}

crate::hidden::hidden!(Writer);

impl Writer {
    /// Continues behind what was found.
    #[must_use]
    pub fn new(queue: Arc<Queue>, settings: Settings, in_force: InForce, batch: Batch, previous: Previous) -> Self {
        let now = Instant::now();
        Self {
            queue,
            settings,
            in_force,
            batch,
            previous,
            why: "start",
            current: None,
            outage: None,
            signed: now,
            flushed: now,
            helper: None,
            taken: Vec::new(),
            faults: Faults::none(),
        }
    }

    /// Panics where a drill wants it.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Begins the first file.
    ///
    /// # Errors
    /// What the system says; a disk that is full is none, that is waited for.
    pub fn begin(&mut self) -> io::Result<()> {
        match self.write() {
            Ok(()) => {
                self.queue.healthy(true);
                Ok(())
            }
            Err(error) if is_full(&error) => {
                self.failed(&error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Writes until the queue closes.
    pub fn run(mut self) {
        // Should it ever panic, nobody knows what state the chain is in: nothing is audited any more, so it fails closed.
        let queue = self.queue.clone();
        if step(&queue.metrics.panics, "the audit", || while self.step() {}).is_none() {
            tracing::error!(on_failure = self.settings.on_failure.label(), "nothing is audited any more until the proxy is started anew");
        }
        queue.healthy(false);
        let left = self.batch.decisions() + decisions(&self.taken) + queue.closed();
        if left > 0 {
            self.queue.metrics.lost.inc_by(left);
            tracing::error!(left, "the proxy ends and these audit records could not be written");
        }
        if let Some(helper) = self.helper.take() {
            // It logs its own failure.
            let _ = helper.join();
        }
    }

    /// One round; gives whether there is another one.
    fn step(&mut self) -> bool {
        if let Some(outage) = &self.outage {
            let is_closing = self.queue.rest(outage.retry);
            return self.retry() || !is_closing;
        }
        let is_closing = self.queue.take(&mut self.taken, self.flushed + self.settings.flush);
        self.faults.strike(Layer::Writer);
        self.flushed = Instant::now();
        self.taken.reverse();
        while let Some(item) = self.taken.pop() {
            self.add(item);
        }
        if self.queue.is_missing() {
            self.note_gap(SystemTime::now(), "there was no room for more records");
        }
        if is_closing {
            self.batch.add(Entry::Stop);
            self.batch.add(Entry::Checkpoint(Why::Stop));
        } else if self.batch.unsigned() > 0 && self.signed.elapsed() >= self.settings.checkpoint {
            self.batch.add(Entry::Checkpoint(Why::Time));
        }
        if let Err(error) = self.write_and_rotate(is_closing) {
            self.failed(&error);
            return !is_closing || self.retry();
        }
        if is_closing {
            let Position { file, seq, hash } = self.queue.position();
            tracing::info!(file, seq, hash, "the audit is closed");
        }
        !is_closing
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::Reload(is_ok, now) => {
                let before = std::mem::replace(&mut self.in_force, (*now).clone());
                let line = ReloadLine { outcome: outcome(is_ok), before, now: *now };
                self.batch.add(Entry::Reload(Box::new(line)));
            }
            decision @ Item::Decision(_) => self.batch.add(Entry::Item(decision)),
        }
    }

    fn note_gap(&mut self, since: SystemTime, cause: &str) {
        let (lost, refused) = self.queue.take_missing();
        self.batch.add(Entry::Gap(GapLine { since: rfc3339(since), cause: cause.to_owned(), lost, refused }));
    }

    fn write_and_rotate(&mut self, is_closing: bool) -> io::Result<()> {
        self.write()?;
        let Some(current) = &self.current else { return Ok(()) };
        let is_full = current.length >= self.settings.rotate_size || current.opened.elapsed() >= self.settings.rotate_age;
        if is_closing || !is_full {
            return Ok(());
        }
        self.batch.add(Entry::Checkpoint(Why::Rotation));
        self.write()?;
        self.leave(Ending::Closed, 0);
        self.why = "rotation";
        self.write()
    }

    /// Writes all that is sealed, into a new file if there is none.
    fn write(&mut self) -> io::Result<()> {
        if self.current.as_ref().is_some_and(Current::is_changed) {
            tracing::error!(
                folder = %self.settings.folder.display(),
                "somebody else took the audit file away, replaced it or wrote to it; it goes on in a new one, find out who that was"
            );
            self.abandon();
        }
        if self.current.is_none() {
            self.open()?;
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        while !self.batch.rest().is_empty() {
            match current.file.write(self.batch.rest()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    current.length += written as u64;
                    self.batch.wrote(written);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.batch.has_checkpoint() {
            if let Err(error) = current.file.sync_data() {
                // What was not taken then is not taken later either: another file.
                self.abandon();
                return Err(error);
            }
            self.signed = Instant::now();
        }
        self.written();
        Ok(())
    }

    /// All that was sealed is in the file.
    fn written(&mut self) {
        let Some(current) = &mut self.current else { return };
        current.link = self.batch.link();
        current.has_line = true;
        self.queue.metrics.written.inc_by(self.batch.decisions());
        self.batch.clear();
        self.queue.at(Position { file: files::name(&current.path), seq: current.link.seq, hash: current.link.hash.to_string() });
        if std::mem::take(&mut current.is_new) {
            let removing = std::mem::take(&mut current.removing);
            self.tidy(removing);
        }
    }

    /// After the first lines of a new file are on the disk: old files go, ended ones are compressed beside the writing.
    fn tidy(&mut self, removing: Vec<PathBuf>) {
        if let Err(error) = files::sync_folder(&self.settings.folder) {
            tracing::warn!(%error, "the audit directory could not be synchronised");
        }
        for path in removing {
            match fs::remove_file(&path) {
                Ok(()) => tracing::info!(file = files::name(&path), "the audit file is older or more than audit.keep says and was removed"),
                Err(error) => tracing::warn!(%error, file = files::name(&path), "an old audit file could not be removed"),
            }
        }
        let is_busy = self.helper.as_ref().is_some_and(|helper| !helper.is_finished());
        if self.settings.compress && !is_busy {
            let folder = self.settings.folder.clone();
            let helping = std::thread::Builder::new().name("audit-gzip".to_owned()).spawn(move || {
                if let Err(error) = files::compress(&folder) {
                    tracing::warn!(%error, "an audit file could not be compressed; it stays as it is");
                }
            });
            self.helper = helping.ok();
        }
    }

    /// Begins a file: its first line says how the one before was found, and what goes.
    fn open(&mut self) -> io::Result<()> {
        let now = SystemTime::now();
        let expired = files::expired(&self.settings.folder, self.settings.keep, now)?;
        let link = self.previous.link();
        let path = self.settings.folder.join(files::named(link.seq + 1, now));
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
        let seen = file.metadata()?;
        let (removing, removed) = expired.into_iter().unzip();
        let public = self.batch.key().public();
        let start = StartLine {
            format: FORMAT,
            why: Cow::Borrowed(self.why),
            previous: self.previous.clone(),
            key: KeyLine { algorithm: Cow::Borrowed(ALGORITHM), public: public.base64(), fingerprint: public.fingerprint() },
            checkpoint_lines: CHECKPOINT_LINES,
            flush_ms: u64::try_from(self.settings.flush.as_millis()).unwrap_or(u64::MAX),
            removed,
            version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            in_force: self.in_force.clone(),
        };
        self.batch.begin_file(start);
        let identity = (seen.dev(), seen.ino());
        let (length, opened) = (0, Instant::now());
        self.current = Some(Current { file, path, identity, length, opened, link, has_line: false, removing, is_new: true });
        Ok(())
    }

    /// The file is not written any more; what was not written goes into the next one.
    fn abandon(&mut self) {
        let Some(current) = &self.current else { return };
        let (link, rest) = self.batch.abandon(current.link);
        let has_line = current.has_line || link != current.link;
        let path = current.path.clone();
        self.why = "recovery";
        if has_line {
            if let Some(current) = &mut self.current {
                current.link = link;
            }
            return self.leave(Ending::Gone, rest);
        }
        self.current = None;
        // Half a first line is no file; it may be gone already.
        let _ = fs::remove_file(path);
    }

    fn leave(&mut self, ended: Ending, rest: u64) {
        if let Some(Current { path, link, .. }) = self.current.take() {
            self.previous = Previous { file: files::name(&path), seq: link.seq, hash: link.hash, ended, rest };
        }
    }

    fn failed(&mut self, error: &io::Error) {
        let now = Instant::now();
        let cause = error.to_string();
        if self.queue.healthy(false) || self.outage.is_none() {
            tracing::error!(
                %error,
                folder = %self.settings.folder.display(),
                on_failure = self.settings.on_failure.label(),
                "the audit cannot be written: make room, or let the proxy's user write there; it is tried again every second"
            );
        }
        let outage = self.outage.get_or_insert(Outage { since: SystemTime::now(), cause: cause.clone(), retry: now });
        outage.retry = now + RETRY;
        outage.cause = cause;
    }

    /// Tries again; gives whether writing works.
    fn retry(&mut self) -> bool {
        match self.write() {
            Ok(()) => {
                let Some(outage) = self.outage.take() else { return true };
                self.note_gap(outage.since, &outage.cause);
                // Should it fail again, the next round says so.
                self.queue.healthy(true);
                tracing::warn!("the audit is written again");
                true
            }
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }
}

impl Current {
    /// Whether the file at its path is another one, or has another length than was written.
    fn is_changed(&self) -> bool {
        match fs::symlink_metadata(&self.path) {
            Ok(seen) => (seen.dev(), seen.ino()) != self.identity || seen.len() != self.length,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// No room is no mistake of the configuration.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
