//! `[audit]`: where audit files are written, how they are rotated and kept, and what becomes of exchanges while they cannot be written.

use super::sections::Text;
use crate::audit::Settings;
use crate::audit::files::Keep;
use crate::audit::queue::OnFailure;
use crate::source::{Located, Source};
use crate::units::{Size, Span, show};
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// Where the key is, in the directory, if nothing else is said.
const KEY: &str = "audit.key";
/// Lines behind the last checkpoint can be written anew without the key, should the process be killed: a few seconds of them.
const CHECKPOINT: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_hours(24);
/// Longest time that a decision may be in memory only.
const LONGEST_FLUSH: Duration = Duration::from_mins(1);
const LONGEST_CHECKPOINT: Duration = Duration::from_hours(1);
/// Smallest file: its first lines and a few more.
const SMALLEST_FILE: u64 = 4 << 10;

/// `[audit]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSection {
    path: Text,
    key: Option<Text>,
    #[serde(default)]
    on_failure: OnFailure,
    flush: Option<Spanned<Span>>,
    checkpoint: Option<Spanned<Span>>,
    rotate_size: Option<Spanned<Size>>,
    rotate_age: Option<Spanned<Span>>,
    compress: Option<bool>,
    keep: Option<Spanned<Span>>,
    keep_size: Option<Spanned<Size>>,
}

impl AuditSection {
    pub(super) fn build(&self, source: &Source) -> Result<Settings, Located> {
        for (key, path) in std::iter::once(("path", &self.path)).chain(self.key.as_ref().map(|key| ("key", key))) {
            if path.get_ref().is_empty() {
                return Err(source.error(path.span(), format!("audit.{key} is empty; write a path such as \"audit/\", or remove the line")));
            }
        }
        let folder = source.path(self.path.get_ref());
        let second = Duration::from_secs(1);
        let rotate_size = self.rotate_size.as_ref().map_or(64 << 20, |size| size.get_ref().0);
        let keep_size = self.keep_size.as_ref().map(|size| size.get_ref().0);
        if let Some(size) = self.rotate_size.as_ref().filter(|_| rotate_size < SMALLEST_FILE) {
            return Err(source.error(size.span(), "audit.rotate_size is smaller than 4KiB; write a size such as \"64MiB\""));
        }
        if let Some(size) = self.keep_size.as_ref().filter(|size| size.get_ref().0 < rotate_size.saturating_mul(2)) {
            let message =
                "audit.keep_size is less than two files of audit.rotate_size, and the newest always stays; raise it, or lower that";
            return Err(source.error(size.span(), message));
        }
        let age = within(source, "keep", self.keep.as_ref(), 365 * DAY, (second, Duration::MAX))?;
        Ok(Settings {
            key: self.key.as_ref().map_or_else(|| folder.join(KEY), |key| source.path(key.get_ref())),
            folder,
            on_failure: self.on_failure,
            flush: within(source, "flush", self.flush.as_ref(), second, (Duration::from_millis(10), LONGEST_FLUSH))?,
            checkpoint: within(source, "checkpoint", self.checkpoint.as_ref(), CHECKPOINT, (second, LONGEST_CHECKPOINT))?,
            rotate_size,
            rotate_age: within(source, "rotate_age", self.rotate_age.as_ref(), DAY, (second, Duration::MAX))?,
            compress: self.compress.unwrap_or(true),
            keep: Keep { age, size: keep_size },
            place: source.place(self.path.span().start),
        })
    }
}

fn within(
    source: &Source,
    key: &str,
    written: Option<&Spanned<Span>>,
    usual: Duration,
    (least, most): (Duration, Duration),
) -> Result<Duration, Located> {
    let Some(span) = written else { return Ok(usual) };
    let value = span.get_ref().0;
    if value < least || value > most {
        let most = if most == Duration::MAX { String::new() } else { format!(" and at most {:?}", show(most)) };
        return Err(
            source.error(span.span(), format!("audit.{key} is at least {:?}{most}; write a time such as {:?}", show(least), show(usual)))
        );
    }
    Ok(value)
}
