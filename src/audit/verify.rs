//! Verifies audit files: every line's hash, every number, every signature, and that the files follow each other.

use super::chain::{self, Hash, Link};
use super::entry::{BEFORE_SIGNATURE, CheckpointLine, Ending, FORMAT, Head, Previous, Removed, StartLine, closes, signed_part};
use super::files::{self, name};
use super::key::{ALGORITHM, PublicKey};
use super::lines::{Line, Lines, MAX_LINE};
use super::sink::is_written_to;
use super::unvouched::{Unvouched, WhyNot};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How strict it is, and whose signatures count.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whose signatures count; absent, those of the key that the first file names.
    pub key: Option<PublicKey>,
    /// Whether the newest file may end without a closing checkpoint, as a copy of one that is being written does.
    pub is_open: bool,
}

/// A line that was verified.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Its number, time and kind.
    pub head: &'a Head<'a>,
    /// The whole of it.
    pub bytes: &'a [u8],
}

/// What verifying found.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// The files, in the order of their lines.
    pub files: Vec<FileReport>,
    /// The first thing that is wrong; nothing behind it was looked at.
    pub fault: Option<Fault>,
    /// What is worth knowing and nothing wrong.
    pub notes: Vec<String>,
    /// SHA-256 of the public key whose signatures were checked.
    pub key: Option<String>,
    /// Checkpoints whose signature is right.
    pub checkpoints: u64,
    /// Lines behind the last of them.
    pub unsigned: u64,
    /// Lines that no checkpoint vouches for, in their order; their hashes fit.
    pub unvouched: Vec<Unvouched>,
    /// The first line's number.
    pub first: u64,
    /// The last line.
    pub last: Option<Link>,
}

impl Verified {
    /// How many lines no checkpoint vouches for.
    #[must_use]
    pub fn lines_unvouched(&self) -> u64 {
        self.unvouched.iter().map(|unvouched| unvouched.lines).sum()
    }
}

/// One file.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// Its name.
    pub file: String,
    /// How many lines.
    pub lines: u64,
    /// The first line's number.
    pub first: u64,
    /// The last line's number.
    pub last: u64,
    /// The time of the first line.
    pub from: String,
    /// The time of the last line.
    pub to: String,
    /// Checkpoints whose signature is right.
    pub checkpoints: u64,
    /// How it ends.
    pub ended: Ending,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, as it was named.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

/// A file with what its first line says, to bring the files in order.
struct Opened {
    path: PathBuf,
    first: u64,
    start: StartLine,
}

/// Audit files; of a directory, all that are in it.
///
/// # Errors
/// A sentence about the one that cannot be read.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let inside = files::list(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
            if inside.is_empty() {
                return Err(format!("{} has no audit files (audit-*.jsonl, audit-*.jsonl.gz)", path.display()));
            }
            found.extend(inside.into_iter().map(|file| file.path));
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

/// Verifies files, given in any order, and shows every line that is right to `see`.
///
/// # Errors
/// A sentence about a file that cannot be opened: that says nothing about the chain.
pub fn verify(paths: &[PathBuf], options: &Options, see: &mut dyn FnMut(&Seen<'_>)) -> Result<Verified, String> {
    let mut opened = Vec::new();
    let mut run = Run { key: options.key.clone(), last: None, unsigned: 0, vouched: 0, verified: Verified::default(), see };
    for path in paths {
        // Opened before it is read: a file that is not there is no broken chain.
        std::fs::File::open(path)
            .map_err(|error| format!("{} cannot be opened: {error}; check the path and its permissions", path.display()))?;
        match files::start_of(path) {
            Ok((first, start)) => opened.push(Opened { path: path.clone(), first, start }),
            Err(error) => {
                run.verified.fault = Some(fault(path, 1, format!("{error}; files are named audit-*.jsonl or audit-*.jsonl.gz")));
                return Ok(run.verified);
            }
        }
    }
    opened.sort_by_key(|file| file.first);
    opened.dedup_by(|again, first| again.path == first.path);
    run.all(&opened, options);
    Ok(run.verified)
}

fn fault(path: &Path, line: u64, message: impl Into<String>) -> Fault {
    Fault { file: path.display().to_string(), line, message: message.into() }
}

/// Where verifying has got to.
struct Run<'a> {
    key: Option<PublicKey>,
    last: Option<Link>,
    unsigned: u64,
    /// The last line that a checkpoint vouches for, or that is before all files.
    vouched: u64,
    verified: Verified,
    see: &'a mut dyn FnMut(&Seen<'_>),
}

impl Run<'_> {
    fn all(&mut self, opened: &[Opened], options: &Options) {
        let removed: Vec<&Removed> = opened.iter().flat_map(|file| &file.start.removed).collect();
        for (index, file) in opened.iter().enumerate() {
            let next = opened.get(index + 1);
            if let Err(fault) = self.file(file, next, &removed, options) {
                self.verified.fault = Some(fault);
                break;
            }
        }
        let verified = &mut self.verified;
        verified.ok = verified.fault.is_none() && !verified.files.is_empty();
        verified.key = self.key.as_ref().map(PublicKey::fingerprint);
        verified.unsigned = self.unsigned;
        verified.last = self.last;
    }

    fn file(&mut self, file: &Opened, next: Option<&Opened>, removed: &[&Removed], options: &Options) -> Result<(), Fault> {
        self.follows(file, removed)?;
        self.has_key(file)?;
        self.unsigned = 0;
        let mut lines = Lines::open(&file.path).map_err(|error| fault(&file.path, 1, error.to_string()))?;
        let mut reading = Reading::new(file);
        let leftover = next.map(|next| &next.start.previous);
        loop {
            reading.number += 1;
            if leftover.is_some_and(|previous| previous.rest > 0 && Some(previous.link()) == self.last && reading.lines > 0) {
                reading.skip(&mut lines, leftover.map_or(0, |previous| previous.rest), &mut self.verified.notes)?;
                break;
            }
            let line = lines.next_line().map_err(|error| reading.fault(format!("cannot be read further: {error}")))?;
            match line {
                Line::Whole(line) => self.line(&mut reading, line)?,
                Line::Half(_) if Self::is_written(file, next, options) => break,
                Line::Half(half) => {
                    let message =
                        format!("the file ends within this line, after {} bytes: it was cut, or the process was killed", half.len());
                    return Err(reading.fault(message));
                }
                Line::TooLong => return Err(reading.fault(format!("is longer than {MAX_LINE} bytes, which no audit line is"))),
                Line::End => break,
            }
        }
        self.ends(&reading, file, next, options)
    }

    /// Whether the file goes on where the one before it ends.
    fn follows(&mut self, file: &Opened, removed: &[&Removed]) -> Result<(), Fault> {
        let previous = &file.start.previous;
        let Some(last) = self.last else {
            self.verified.first = file.first;
            self.last = Some(previous.link());
            self.vouched = previous.seq;
            if previous.seq == 0 {
                return Ok(());
            }
            let is_removed = removed.iter().any(|removed| removed.seq == previous.seq && removed.hash == previous.hash);
            let why =
                if is_removed { "earlier files were removed by retention, and the chain says so" } else { "earlier files are not given" };
            self.verified.notes.push(format!("begins at seq {}: {why}", file.first));
            return Ok(());
        };
        if previous.seq > last.seq {
            let message = format!(
                "goes on behind seq {} of {:?}, and what is given ends at seq {}: {} lines before this one are missing, of the end of a file or whole files",
                previous.seq,
                previous.file,
                last.seq,
                previous.seq - last.seq
            );
            return Err(fault(&file.path, 1, message));
        }
        if previous.link() != last {
            let message = format!(
                "goes on behind seq {}, and the file before it ends at seq {}: it is there twice, or another chain",
                previous.seq, last.seq
            );
            return Err(fault(&file.path, 1, message));
        }
        Ok(())
    }

    /// The key of the first file counts for all.
    fn has_key(&mut self, file: &Opened) -> Result<(), Fault> {
        let fault = |message: String| Err(fault(&file.path, 1, message));
        if file.start.format != FORMAT || file.start.key.algorithm != ALGORITHM {
            return fault(format!("is of a format that this version does not read ({}, {})", file.start.format, file.start.key.algorithm));
        }
        let Some(named) = PublicKey::from_base64(&file.start.key.public) else {
            return fault("names no public key that can be read".to_owned());
        };
        match &self.key {
            Some(key) if *key != named => fault(format!(
                "is signed by another key, fingerprint {}: if that key is yours too, verify from here on with it",
                named.fingerprint()
            )),
            _ => {
                self.key = Some(named);
                Ok(())
            }
        }
    }

    fn line(&mut self, reading: &mut Reading<'_>, line: &[u8]) -> Result<(), Fault> {
        let before = self.last.unwrap_or(Link::NONE);
        let expected = before.seq + 1;
        let changed = |why: &str| format!("{why}: this line was changed, or one before it was added or removed");
        let Some((body, stated)) = chain::open(line) else {
            return Err(reading.fault(changed("does not end with a hash as audit lines do")));
        };
        let head: Option<Head<'_>> = serde_json::from_slice(line).ok();
        if chain::expected(&before.hash, body) != stated {
            let message = match head.map(|head| head.seq) {
                Some(seq) if seq > expected => {
                    format!("is seq {seq} where {expected} should be: lines are missing before it, or it was changed")
                }
                Some(seq) if seq < expected => {
                    format!("is seq {seq} where {expected} should be: it is out of order or there twice, or was changed")
                }
                _ => changed("its hash does not fit"),
            };
            return Err(reading.fault(message));
        }
        let Some(head) = head.filter(|head| head.seq == expected) else {
            return Err(reading.fault("fits its hash and is no audit line: it was not written by this program"));
        };
        self.check_kind(reading, &head, &before.hash, body, line)?;
        reading.seen(&head);
        self.last = Some(Link { seq: head.seq, hash: stated });
        (self.see)(&Seen { head: &head, bytes: line });
        Ok(())
    }

    fn check_kind(&mut self, reading: &mut Reading<'_>, head: &Head<'_>, before: &Hash, body: &[u8], line: &[u8]) -> Result<(), Fault> {
        let is_start = head.kind == "start";
        if is_start != (reading.lines == 0) {
            return Err(reading.fault("a file has one start line, and it is the first"));
        }
        reading.is_closed = false;
        if head.kind != "checkpoint" {
            self.unsigned += 1;
            if self.unsigned > reading.most {
                return Err(
                    reading.fault(format!("more than {} lines without a signed checkpoint: checkpoints were taken out", reading.most))
                );
            }
            return Ok(());
        }
        let parsed: CheckpointLine<'_> = serde_json::from_slice(line)
            .map_err(|_| reading.fault("is a checkpoint without a signature: it was not written by this program"))?;
        let is_signed = signed_part(body).zip(self.key.as_ref()).is_some_and(|(signed, key)| {
            let is_whole = body.len() == signed.len() + BEFORE_SIGNATURE.len() + parsed.signature.len() + 1;
            is_whole && key.has_signed(&[before.digits(), signed], &parsed.signature)
        });
        if !is_signed {
            let message = "its signature is not the key's: somebody wrote this line, or lines before it, who does not have the key";
            return Err(reading.fault(message));
        }
        reading.is_closed = closes(&parsed.why);
        reading.checkpoints += 1;
        self.verified.checkpoints += 1;
        self.unsigned = 0;
        self.vouches(parsed.from.unwrap_or(reading.first), head.seq);
        Ok(())
    }

    /// A checkpoint vouches for these lines. What it leaves out is the end of the file before.
    fn vouches(&mut self, from: u64, to: u64) {
        if from > self.vouched + 1 {
            let file = self.verified.files.last().map(|file| file.file.clone()).unwrap_or_default();
            self.verified.unvouched.push(Unvouched::new(file, self.vouched + 1, from - 1, WhyNot::Killed));
        }
        self.vouched = to;
    }

    fn ends(&mut self, reading: &Reading<'_>, file: &Opened, next: Option<&Opened>, options: &Options) -> Result<(), Fault> {
        if reading.checkpoints == 0 {
            let message = "the file has no signed checkpoint, and each begins with one: lines were cut";
            if !Self::is_written(file, next, options) {
                return Err(reading.fault(message));
            }
        }
        let mut ended = if reading.is_closed { Ending::Closed } else { Ending::Unclosed };
        match next {
            // What the next file says of this one's end is compared there.
            Some(next) if !reading.is_closed => {
                self.verified.notes.push(unclosed(&file.path, &next.start.previous, next.start.flush_ms));
                ended = next.start.previous.ended;
            }
            Some(_) => {}
            None if reading.is_closed => {}
            None if Self::is_written(file, next, options) => {
                let shown = name(&file.path);
                self.verified.notes.push(format!("{shown} is not closed yet: that no line is missing at its end shows when it is closed"));
                if reading.last > self.vouched {
                    self.verified.unvouched.push(Unvouched::new(shown, self.vouched + 1, reading.last, WhyNot::Open));
                }
            }
            None => {
                let lines = self.unsigned;
                let message = format!(
                    "the file ends here without a closing checkpoint: the process was killed, or lines were cut; {lines} lines stand behind the last signed checkpoint. Verify again together with the file that the next start writes, or with --open if this is a copy of a file that is being written"
                );
                return Err(reading.fault(message));
            }
        }
        self.verified.files.push(reading.report(ended));
        Ok(())
    }

    /// Whether the file may still grow.
    fn is_written(file: &Opened, next: Option<&Opened>, options: &Options) -> bool {
        let folder = file.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        next.is_none() && (options.is_open || is_written_to(folder))
    }
}

fn unclosed(path: &Path, found: &Previous, flush_ms: u64) -> String {
    let shown = name(path);
    let rest = if found.rest > 0 { format!(", and {} bytes behind it were no whole line", found.rest) } else { String::new() };
    match found.ended {
        Ending::Gone => {
            format!("{shown} was taken away or changed while it was written; the next file goes on behind seq {}{rest}", found.seq)
        }
        _ => format!(
            "{shown} was not closed, the process was killed: the next start found seq {} as its end{rest}; at most the last {flush_ms} ms before are missing",
            found.seq
        ),
    }
}

/// One file being read.
struct Reading<'a> {
    path: &'a Path,
    number: u64,
    most: u64,
    lines: u64,
    first: u64,
    last: u64,
    from: String,
    to: String,
    checkpoints: u64,
    is_closed: bool,
}

impl<'a> Reading<'a> {
    fn new(file: &'a Opened) -> Self {
        Self {
            path: &file.path,
            number: 0,
            most: file.start.checkpoint_lines,
            lines: 0,
            first: file.first,
            last: 0,
            from: String::new(),
            to: String::new(),
            checkpoints: 0,
            is_closed: false,
        }
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        fault(self.path, self.number, message)
    }

    fn seen(&mut self, head: &Head<'_>) {
        if self.lines == 0 {
            self.from = head.time.clone().into_owned();
        }
        self.to.clear();
        self.to.push_str(&head.time);
        self.lines += 1;
        self.last = head.seq;
    }

    /// Bytes behind the last whole line, which the next file knows of.
    fn skip(&self, lines: &mut Lines, known: u64, notes: &mut Vec<String>) -> Result<(), Fault> {
        let rest = lines.count_rest().map_err(|error| self.fault(format!("cannot be read further: {error}")))?;
        // Those of a file without any line, which is gone, are among them.
        if rest > known {
            return Err(self.fault(format!("{rest} bytes behind the last line, where the next file says {known}: lines were added")));
        }
        if rest > 0 {
            notes.push(format!("{}:{}: {rest} bytes are no whole line, and the next file says so", name(self.path), self.number));
        }
        Ok(())
    }

    fn report(&self, ended: Ending) -> FileReport {
        FileReport {
            file: name(self.path),
            lines: self.lines,
            first: self.first,
            last: self.last,
            from: self.from.clone(),
            to: self.to.clone(),
            checkpoints: self.checkpoints,
            ended,
        }
    }
}
