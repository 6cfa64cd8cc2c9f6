//! Lines and delimiters.

use crate::inspect::engine::format::{Fault, Malformed};
use memchr::{memchr, memmem};

/// A delimiter line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delimiter {
    /// Where the content in front of it ends: before the line break that belongs to the delimiter.
    pub(super) content_end: usize,
    /// Where the line behind it begins.
    pub(super) next: usize,
    /// Whether it is the one that closes the body.
    pub(super) is_last: bool,
}

/// The delimiters of a body.
pub(super) struct Delimiters<'a> {
    bytes: &'a [u8],
    base: usize,
    finder: memmem::Finder<'static>,
    length: usize,
    at: usize,
}

impl<'a> Delimiters<'a> {
    pub(super) fn new(bytes: &'a [u8], base: usize, boundary: &str) -> Self {
        let line = format!("--{boundary}");
        Self { bytes, base, finder: memmem::Finder::new(line.as_bytes()).into_owned(), length: line.len(), at: 0 }
    }

    /// The next delimiter. In the middle of a line its characters are content.
    pub(super) fn next_delimiter(&mut self) -> Result<Option<Delimiter>, Malformed> {
        while let Some(found) = self.finder.find(self.bytes.get(self.at..).unwrap_or_default()) {
            let start = self.at + found;
            self.at = start + self.length;
            let before = self.bytes.get(..start).unwrap_or_default();
            if before.is_empty() || before.ends_with(b"\n") {
                return self.delimiter(before).map(Some);
            }
        }
        Ok(None)
    }

    fn delimiter(&mut self, before: &[u8]) -> Result<Delimiter, Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (line, behind) = split(rest);
        let is_last = line.starts_with(b"--");
        let padding = line.get(if is_last { 2 } else { 0 }..).unwrap_or_default();
        let is_whole = is_last || line.len() < rest.len();
        if !is_whole || !padding.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(Fault::Boundary.at(self.base + before.len()));
        }
        self.at = self.bytes.len() - behind.len();
        let content = before.strip_suffix(b"\n").unwrap_or(before);
        let content = content.strip_suffix(b"\r").filter(|_| content.len() < before.len()).unwrap_or(content);
        Ok(Delimiter { content_end: content.len(), next: self.at, is_last })
    }
}

/// The first line without its end (CRLF, or LF alone), and what follows.
pub(super) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(end);
    if rest.is_empty() {
        return (line, rest);
    }
    (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default())
}
