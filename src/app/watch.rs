//! The files behind the configuration: whether they have changed.

use crate::config::Config;
use crate::stamp::Stamp;
use std::path::PathBuf;

/// What made the proxy read its configuration again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// SIGHUP.
    Asked,
    /// One of its files.
    Changed,
}

/// The files of the configuration in force, or of the last that was tried.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    files: Vec<PathBuf>,
    seen: Stamp,
    /// How they looked when a change was seen first: they may still be written.
    unsettled: Option<Stamp>,
    is_on: bool,
}

impl Watch {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            files: config.files.clone(),
            seen: config.seen.clone(),
            unsettled: None,
            is_on: config.reload_on_change && config.path().is_some(),
        }
    }

    /// Whether they have changed and stood still since the last look. Reads the file system: not for the event loop.
    pub(super) fn look(&mut self) -> bool {
        if !self.is_on {
            return false;
        }
        let now = self.now();
        if now == self.seen {
            self.unsettled = None;
            return false;
        }
        if self.unsettled.as_ref() == Some(&now) {
            return true;
        }
        self.unsettled = Some(now);
        false
    }

    /// A configuration with these files is tried: should it be in vain, that is not repeated until one of them changes, or one of those
    /// in force.
    pub(super) fn tries(&mut self, files: Vec<PathBuf>) {
        for file in files {
            if !self.files.contains(&file) {
                self.files.push(file);
            }
        }
        self.seen = self.now();
        self.unsettled = None;
    }

    /// What they looked like last is not tried again: they could not be read in time.
    pub(super) fn gives_up(&mut self) {
        self.seen = self.unsettled.take().unwrap_or_else(|| self.seen.clone());
    }

    /// How they look now.
    fn now(&self) -> Stamp {
        Stamp::of(self.files.iter().map(PathBuf::as_path))
    }
}
