//! `[reload]`: whether a change of the files is enough, and which files those are.

use super::File;
use crate::source::{Located, Source};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// `[reload]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// Whether the configuration is read again when one of its files changes.
    pub(super) on_change: bool,
}

impl Default for Reload {
    fn default() -> Self {
        Self { on_change: true }
    }
}

/// The files of a configuration that may be unfit: the text itself, and those that it names as far as it can be read.
#[must_use]
pub fn named_files(path: &Path) -> Vec<PathBuf> {
    let named = || {
        let source = Source::read(path)?;
        Ok::<_, Located>(source.parse::<File>()?.files(&source))
    };
    // Why it cannot be read is said by whoever loads it.
    std::iter::once(path.to_path_buf()).chain(named().unwrap_or_default()).collect()
}

impl File {
    /// The files that the configuration names, but for those that are read again by themselves (passwords, the proxy's certificate).
    pub(super) fn files(&self, source: &Source) -> Vec<PathBuf> {
        let interception = self.interception.iter().flat_map(super::InterceptionSection::files);
        let written = self
            .policy
            .file()
            .into_iter()
            .chain(self.inspection.files())
            .chain(self.upstream.files())
            .chain(self.admin.files())
            .chain(interception);
        written.map(|written| source.path(written)).collect()
    }
}
