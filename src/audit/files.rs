//! The files of an audit directory: their names, how the newest one ends, which are old enough to go, compression.

use super::chain::{self, Link};
use super::entry::{CheckpointLine, Ending, Head, Previous, Removed, StartLine, closes};
use super::lines::{Line, Lines};
use crate::moment;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Held by the process that writes.
pub const LOCK: &str = "audit.lock";
const PLAIN: &str = ".jsonl";
const COMPRESSED: &str = ".jsonl.gz";
/// A compressed file that is not complete yet.
const INCOMPLETE: &str = ".jsonl.gz.new";
/// Files that one line may say are removed: the rest waits for the next one.
const REMOVED_AT_ONCE: usize = 100;

/// An audit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Where it is.
    pub path: PathBuf,
    /// The number of its first line.
    pub first: u64,
    /// When it was begun.
    pub begun: SystemTime,
    /// Whether it is compressed.
    pub is_compressed: bool,
}

impl Named {
    fn read(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix("audit-")?;
        let (stem, is_compressed) = match name.strip_suffix(COMPRESSED) {
            Some(stem) => (stem, true),
            None => (name.strip_suffix(PLAIN)?, false),
        };
        let (first, begun) = stem.split_once('-')?;
        Some(Self { first: first.parse().ok()?, begun: moment::read_compact(begun)?, is_compressed, path })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        name(&self.path)
    }
}

/// The last part of a path, for people.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The name of a file that begins with this line.
#[must_use]
pub fn named(first: u64, begun: SystemTime) -> String {
    format!("audit-{first:012}-{}{PLAIN}", moment::compact(begun))
}

/// The audit files of a directory, in the order of their lines. Of a file that is there plain and compressed, both.
///
/// # Errors
/// When the directory cannot be read.
pub fn list(folder: &Path) -> io::Result<Vec<Named>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        found.extend(Named::read(entry?.path()));
    }
    found.sort_by_key(|file| (file.first, file.is_compressed));
    Ok(found)
}

/// How the newest file ends. Files without any whole line, of a start that could not write, are taken away.
///
/// # Errors
/// A sentence with the remedy.
pub fn tail(folder: &Path) -> Result<Previous, String> {
    let unreadable = |path: &Path, error: io::Error| format!("{} cannot be read: {error}", path.display());
    let files = list(folder).map_err(|error| unreadable(folder, error))?;
    let mut lost = 0;
    for file in files.iter().rev() {
        let found = end_of(&file.path).map_err(|error| unreadable(&file.path, error))?;
        if let Some(mut found) = found {
            found.rest += lost;
            return Ok(found);
        }
        let length = file.path.metadata().map_or(0, |metadata| metadata.len());
        if length > super::lines::MAX_LINE as u64 {
            return Err(format!("{} has no audit line; move it away, what is before it is continued", file.path.display()));
        }
        fs::remove_file(&file.path).map_err(|error| unreadable(&file.path, error))?;
        lost += length;
    }
    Ok(Previous { rest: lost, ..Previous::none() })
}

/// The last whole line of a file, and what is behind it.
fn end_of(path: &Path) -> io::Result<Option<Previous>> {
    let mut lines = Lines::open(path)?;
    let (mut last, mut rest) = (None, 0);
    loop {
        let bytes = match lines.next_line()? {
            Line::Whole(line) => match last_line(line) {
                Some(found) => {
                    (last, rest) = (Some(found), 0);
                    continue;
                }
                // After a loss of power: bytes that never were a line.
                None => line.len() as u64 + 1,
            },
            Line::Half(half) => half.len() as u64,
            Line::TooLong => super::lines::MAX_LINE as u64 + 1,
            Line::End => break,
        };
        rest += bytes;
    }
    let previous = |(link, is_closed): (Link, bool)| Previous {
        file: name(path),
        seq: link.seq,
        hash: link.hash,
        ended: if is_closed && rest == 0 { Ending::Closed } else { Ending::Unclosed },
        rest,
    };
    Ok(last.map(previous))
}

/// Number and hash of a line, and whether it closes its file.
fn last_line(line: &[u8]) -> Option<(Link, bool)> {
    let (_, hash) = chain::open(line)?;
    let head: Head<'_> = serde_json::from_slice(line).ok()?;
    let is_closing = head.kind == "checkpoint" && serde_json::from_slice::<CheckpointLine<'_>>(line).is_ok_and(|line| closes(&line.why));
    Some((Link { seq: head.seq, hash }, is_closing))
}

/// The first line of a file.
///
/// # Errors
/// When the file cannot be read, or does not start as an audit file does.
pub fn start_of(path: &Path) -> io::Result<(u64, StartLine)> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "its first line is no start of an audit file");
    let mut lines = Lines::open(path)?;
    let Line::Whole(line) = lines.next_line()? else { return Err(invalid()) };
    let head: Head<'_> = serde_json::from_slice(line).map_err(|_| invalid())?;
    let start = serde_json::from_slice(line).map_err(|_| invalid())?;
    Ok((head.seq, start))
}

/// What is kept of old files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// So long after its last line.
    pub age: Duration,
    /// So many bytes of all files together.
    pub size: Option<u64>,
}

/// The oldest files that are to go, in their order. A file's lines ended when the next one was begun; the newest always stays.
///
/// # Errors
/// When the directory cannot be read.
pub fn expired(folder: &Path, keep: Keep, now: SystemTime) -> io::Result<Vec<(PathBuf, Removed)>> {
    let files = list(folder)?;
    let sizes: Vec<u64> = files.iter().map(|file| file.path.metadata().map_or(0, |metadata| metadata.len())).collect();
    let mut total: u64 = sizes.iter().sum();
    let mut gone = Vec::new();
    for ((file, next), size) in files.iter().zip(files.iter().skip(1)).zip(sizes) {
        let is_old = now.duration_since(next.begun).is_ok_and(|age| age > keep.age);
        let is_much = keep.size.is_some_and(|most| total > most);
        if !(is_old || is_much) || gone.len() == REMOVED_AT_ONCE {
            break;
        }
        total -= size;
        // What the next one says of it; one that cannot be read says nothing, and the older one is left alone.
        let Ok((_, start)) = start_of(&next.path) else { break };
        gone.push((file.path.clone(), Removed { file: file.name(), seq: start.previous.seq, hash: start.previous.hash }));
    }
    Ok(gone)
}

/// Compresses every plain file but the newest. A file is there plain until it is there compressed, whole and on the disk.
///
/// # Errors
/// When one cannot be compressed; it stays as it is.
pub fn compress(folder: &Path) -> io::Result<()> {
    let mut files = list(folder)?;
    files.pop();
    for file in files.iter().filter(|file| !file.is_compressed) {
        let compressed = PathBuf::from(format!("{}.gz", file.path.display()));
        let new = PathBuf::from(format!("{}.new", compressed.display()));
        let _ = fs::remove_file(&new); // of an attempt that was cut short
        let done = compress_one(&file.path, &new).and_then(|()| fs::rename(&new, &compressed));
        if let Err(error) = done {
            // What there is of it takes room that may be what is missing.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        sync_folder(folder)?;
        fs::remove_file(&file.path)?;
    }
    Ok(())
}

fn compress_one(from: &Path, to: &Path) -> io::Result<()> {
    let mut plain = BufReader::with_capacity(64 * 1024, File::open(from)?);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let mut encoder = GzEncoder::new(io::BufWriter::new(file), Compression::default());
    io::copy(&mut plain, &mut encoder)?;
    encoder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Takes away what attempts to compress have left: the plain file is there as long as one is not known to be done.
pub fn clear(folder: &Path) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let is_twin = name(&path).ends_with(COMPRESSED) && path.with_extension("").exists();
        if is_twin || name(&path).ends_with(INCOMPLETE) {
            let _ = fs::remove_file(path); // it is tried again
        }
    }
}

/// Makes names on the disk as lasting as the files behind them.
///
/// # Errors
/// When the directory cannot be opened or written.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        let begun = moment::read("2026-11-29T21:52:03Z").expect("a time");
        let written = named(42, begun);
        assert_eq!(written, "audit-000000000042-20261129T215203Z.jsonl");
        for (suffix, is_compressed) in [("", false), (".gz", true)] {
            let path = PathBuf::from(format!("/x/{written}{suffix}"));
            assert_eq!(Named::read(path.clone()), Some(Named { path, first: 42, begun, is_compressed }));
        }
        for other in ["audit.key", "audit-1.jsonl", "audit-x-20261129T215203Z.jsonl", "audit-1-20261129T215203Z.jsonl.gz.new"] {
            assert_eq!(Named::read(PathBuf::from(other)), None, "{other}");
        }
    }

    #[test]
    fn a_start_that_wrote_no_line_is_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(named(1, SystemTime::now()));
        fs::write(&path, b"{\"seq\":1,").expect("written");
        assert_eq!(tail(folder.path()), Ok(Previous { rest: 9, ..Previous::none() }));
        assert!(!path.exists());
    }
}
