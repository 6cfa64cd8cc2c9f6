//! Lines in the making: sealed into the chain, kept until they are written, sealed anew where they must go into another file.

use super::chain::{self, Hash, Link};
use super::entry::{BEFORE_SIGNATURE, Checkpoint, GapLine, Line, ReloadLine, StartLine, StopLine, Why};
use super::key::SigningKey;
use super::queue::Item;
use crate::moment::rfc3339;
use crate::quota::host_of;
use aws_lc_rs::hmac;
use serde::Serialize;
use std::net::IpAddr;
use std::time::SystemTime;

/// Lines between two checkpoints at most.
pub const CHECKPOINT_LINES: u64 = 10_000;

/// What a line is made of.
#[derive(Debug)]
pub enum Entry {
    /// The first of a file.
    Start(Box<StartLine>),
    /// What exchanges and reloads said.
    Item(Item),
    /// What a reload said, with what was in force before.
    Reload(Box<ReloadLine>),
    /// Something is missing.
    Gap(GapLine),
    /// Everything before it is signed.
    Checkpoint(Why),
    /// The process ends.
    Stop,
}

impl Entry {
    /// Whether it goes along into another file, where that one gets a start and checkpoints of its own.
    fn goes_along(&self) -> bool {
        !matches!(self, Self::Start(_) | Self::Checkpoint(_))
    }

    fn is_decision(&self) -> bool {
        matches!(self, Self::Item(Item::Decision(_)))
    }
}

/// Lines that are not written yet.
pub struct Batch {
    key: SigningKey,
    /// Under it clients of this run are told apart; gone with the process.
    secret: hmac::Key,
    link: Link,
    unsigned: u64,
    /// The first line that the next checkpoint vouches for: sealed by this process, and behind its last checkpoint.
    from: u64,
    /// The same as of what was written: what was only sealed may have to be sealed anew.
    written_from: u64,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    written: usize,
}

impl Batch {
    /// Continues the chain behind `link`; for what stands up to there no checkpoint of this process vouches.
    #[must_use]
    pub fn new(key: SigningKey, secret: hmac::Key, link: Link) -> Self {
        let from = link.seq + 1;
        Self { key, secret, link, unsigned: 0, from, written_from: from, entries: Vec::new(), bytes: Vec::new(), written: 0 }
    }

    /// The last line that was sealed.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Lines behind the last checkpoint.
    #[must_use]
    pub fn unsigned(&self) -> u64 {
        self.unsigned
    }

    /// Whether it has a checkpoint: then it is to last.
    #[must_use]
    pub fn has_checkpoint(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Checkpoint(_)))
    }

    /// How many decisions it has.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.is_decision()).count() as u64
    }

    /// Seals one more line; a checkpoint behind it where enough have come.
    pub fn add(&mut self, entry: Entry) {
        self.seal(&entry);
        self.entries.push(entry);
        if self.unsigned >= CHECKPOINT_LINES {
            self.add(Entry::Checkpoint(Why::Lines));
        }
    }

    fn seal(&mut self, entry: &Entry) {
        match entry {
            Entry::Start(start) => self.line("start", &rfc3339(SystemTime::now()), &**start),
            Entry::Item(Item::Decision(decision)) => {
                let pseudonym = self.pseudonym(decision.client);
                self.line("decision", &rfc3339(decision.at), &decision.line(&pseudonym));
            }
            // Made into one with what was in force before; alone it says nothing.
            Entry::Item(Item::Reload(..)) => {}
            Entry::Reload(reload) => self.line("reload", &rfc3339(SystemTime::now()), &**reload),
            Entry::Gap(gap) => self.line("gap", &rfc3339(SystemTime::now()), gap),
            Entry::Stop => self.line("stop", &rfc3339(SystemTime::now()), &StopLine {}),
            Entry::Checkpoint(why) => self.checkpoint(*why),
        }
    }

    fn line<C: Serialize>(&mut self, kind: &'static str, time: &str, content: &C) {
        let start = self.begin(kind, time, content);
        self.end(start);
        self.unsigned += 1;
    }

    fn checkpoint(&mut self, why: Why) {
        let content = Checkpoint { why, from: self.from, lines: self.unsigned };
        let start = self.begin("checkpoint", &rfc3339(SystemTime::now()), &content);
        let body = self.bytes.get(start..).unwrap_or_default();
        // Without random numbers nothing is signed, and verifying says so.
        let signature = self.key.sign(&[self.link.hash.digits(), body]).unwrap_or_default();
        self.bytes.extend_from_slice(BEFORE_SIGNATURE);
        self.bytes.extend_from_slice(signature.as_bytes());
        self.bytes.push(b'"');
        self.end(start);
        self.unsigned = 0;
        self.from = self.link.seq + 1;
    }

    /// The object without its closing brace; gives where it starts.
    fn begin<C: Serialize>(&mut self, kind: &'static str, time: &str, content: &C) -> usize {
        let start = self.bytes.len();
        let line = Line { seq: self.link.seq + 1, time, kind, content };
        // Into memory, and of types that have a form in JSON.
        if let Err(error) = serde_json::to_writer(&mut self.bytes, &line) {
            tracing::error!(%error, "an audit line could not be written");
        }
        self.bytes.pop();
        start
    }

    fn end(&mut self, start: usize) {
        let hash = chain::seal(&self.link.hash, &mut self.bytes, start);
        self.link = Link { seq: self.link.seq + 1, hash };
    }

    fn pseudonym(&self, client: IpAddr) -> String {
        let client = host_of(client).to_string();
        let tag = hmac::sign(&self.secret, client.as_bytes());
        Hash::over(&[tag.as_ref()]).to_string().get(..8).unwrap_or_default().to_owned()
    }

    /// What is still to be written.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }

    /// So much more of it was written.
    pub fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// All of it was written.
    pub fn clear(&mut self) {
        self.written_from = self.from;
        self.entries.clear();
        self.bytes.clear();
        self.written = 0;
    }

    /// The file cannot be written any more: gives the last line of it that is whole, if this batch has one in it, and how many bytes are
    /// behind that. What is left goes along, behind `fallback` otherwise.
    pub fn abandon(&mut self, fallback: Link) -> (Link, u64) {
        let written = self.bytes.get(..self.written).unwrap_or_default();
        let whole = memchr::memchr_iter(b'\n', written).count();
        let end = memchr::memrchr(b'\n', written).map_or(0, |at| at + 1);
        let last = written.get(..end).unwrap_or_default().trim_ascii_end();
        let last = last.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let link = match chain::open(last) {
            Some((_, hash)) => Link { seq: fallback.seq + whole as u64, hash },
            None => fallback,
        };
        let rest = (self.written - end) as u64;
        self.entries.drain(..whole.min(self.entries.len()));
        self.entries.retain(Entry::goes_along);
        self.link = link;
        self.from = self.written_from;
        (link, rest)
    }

    /// Seals everything anew, behind the first lines of another file.
    pub fn begin_file(&mut self, start: StartLine) {
        let carried = std::mem::take(&mut self.entries);
        self.bytes.clear();
        self.written = 0;
        self.unsigned = 0;
        self.add(Entry::Start(Box::new(start)));
        self.add(Entry::Checkpoint(Why::Start));
        for entry in carried {
            self.add(entry);
        }
    }
}

crate::hidden::hidden!(Batch);
