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
#[derive(Debug, Default)]
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

    /// A reload that began when they looked so was in vain: it is not repeated for nothing.
    pub(super) fn tried(&mut self, seen: Stamp) {
        self.seen = seen;
        self.unsettled = None;
    }

    /// How they look now.
    pub(super) fn now(&self) -> Stamp {
        Stamp::of(self.files.iter().map(PathBuf::as_path))
    }
}
