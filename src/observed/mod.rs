//! What the mode `observe` sees: where connections are wanted to, which requests are made, which fields messages have. Real names, paths,
//! types, sizes and counts, never a value; a name that may itself be somebody's data is left out. `learn` makes a proposal of it.
//!
//! All of it is bounded, and what found no room is counted. Exchanges hand over what they have and go on ([`worker`]): one thread looks at
//! it, and saves it where a file is configured ([`mod@file`]).

pub mod document;
pub mod fields;
pub mod file;
pub mod paths;
pub mod sightings;
pub mod size;
pub mod state;
pub mod telling;
pub mod worker;

pub use document::{Document, Outcome};
pub use state::Asked;

use crate::destination::Destination;
use crate::inspect::Inspector;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use worker::{Job, Known, Worker};

/// All that was observed.
#[derive(Debug, Default)]
pub struct Observed {
    known: Arc<Known>,
    worker: OnceLock<Worker>,
    path: Option<PathBuf>,
}

impl Observed {
    /// Goes on with what is in the file, and will save there.
    ///
    /// # Errors
    /// A sentence with the remedy: the file cannot be read or written, or is none that observing saved.
    pub fn open(path: &Path) -> Result<Self, String> {
        let known = Known::default();
        if let Some(document) = file::read(path)? {
            known.state().merge(document);
        }
        let document = known.state().document();
        file::write(path, &document)
            .map_err(|error| format!("{} cannot be written: {error}; the proxy needs a folder that it may write in", path.display()))?;
        Ok(Self { known: Arc::new(known), worker: OnceLock::new(), path: Some(path.to_path_buf()) })
    }

    /// Whether this is what is saved there.
    #[must_use]
    pub fn is_at(&self, path: Option<&Path>) -> bool {
        self.path.as_deref() == path
    }

    /// From now on something may come.
    ///
    /// # Errors
    /// A sentence: the system gives no thread.
    pub fn start(&self) -> Result<(), String> {
        if self.worker.get().is_none() {
            let worker = Worker::start(self.known.clone(), self.path.clone());
            let worker = worker.map_err(|error| format!("the thread that observes does not start: {error}"))?;
            // Two that start it at once have the same.
            let _ = self.worker.set(worker);
        }
        Ok(())
    }

    /// A connection was wanted.
    pub fn wanted(&self, destination: Destination, service: &Arc<str>, outcome: Outcome) {
        self.hand_over(|| Job::Wanted(Box::new((destination, service.clone(), outcome))));
    }

    /// A request inside a decrypted connection came to its end.
    pub fn asked(&self, inspector: Arc<Inspector>, service: &Arc<str>, destination: Destination, asked: Asked, outcome: Outcome) {
        self.hand_over(|| Job::Asked(Box::new((inspector, service.clone(), destination, asked, outcome))));
    }

    /// A message was judged. `headers` say what it is: Content-Type and Content-Encoding count.
    pub fn sent(&self, inspector: &Arc<Inspector>, service: &Arc<str>, headers: &HeaderMap, bytes: &Bytes) {
        let wanted = [CONTENT_TYPE, CONTENT_ENCODING];
        let headers = wanted.iter().flat_map(|name| headers.get_all(name).iter().map(|value| (name.clone(), value.clone()))).collect();
        self.hand_over(|| Job::Sent(Box::new((inspector.clone(), service.clone(), headers, bytes.clone()))));
    }

    fn hand_over(&self, job: impl FnOnce() -> Job) {
        if let Some(worker) = self.worker.get() {
            worker.hand_over(job());
        }
    }

    /// All of it so far.
    #[must_use]
    pub fn document(&self) -> Document {
        self.known.document()
    }

    /// Waits until all that was handed over is looked at and saved. Blocks: for the end of the process.
    pub fn settle(&self) {
        if let Some(worker) = self.worker.get() {
            worker.settle();
        }
    }
}
