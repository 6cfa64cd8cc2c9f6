//! How many frames of each kind a peer may send that costs it less than it costs us. Pure: it is told the time.
//!
//! The HTTP/2 library bounds what it stores: streams reset before they were looked at, streams that it resets itself, CONTINUATION,
//! small DATA that waits. What it answers or forgets at once it takes without end, and so it does with streams that are reset once
//! their work has begun (CVE-2023-44487, CVE-2019-9512, CVE-2019-9513, CVE-2019-9515, CVE-2019-9518). The bounds here are those that
//! other proxies have published; what a real peer sends in answer to our own frames is not held against it.

use super::heads::{CONTINUATION, DATA, HEADERS, Head, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What is counted over a time is counted over this one.
const WINDOW: Duration = Duration::from_secs(10);
/// Streams of a window that the peer resets early. Calls that are cancelled now and then stay far below; where a bad moment makes a
/// client cancel many at once, they are the smaller part of what it asked.
const RESETS: u32 = 100;
/// Early resets of a window that are too many whatever their part: requests that are refused for nothing must not hide them.
const MANY_RESETS: u32 = 500;
/// A stream that is reset after this long was wanted: a deadline passed, a person went elsewhere.
const EARLY: Duration = Duration::from_secs(1);
/// PINGs of a window. One is free for each message that went out before it: estimates of the bandwidth ask so (gRPC).
const PINGS: u32 = 100;
/// SETTINGS of a window. Clients that adapt their windows send some each second at first.
const SETTINGS_EACH: u32 = 50;
/// DATA of a window that carries nothing.
const EMPTY: u32 = 100;
/// `WINDOW_UPDATE`, beyond those that our DATA and the peer's streams call for: clients answer each piece they read, twice.
const UPDATES: u64 = 1_000;
const UPDATES_EACH_DATA: u64 = 32;
const UPDATES_EACH_STREAM: u64 = 4;
/// Frames that ask for nothing, beyond some for each stream: PRIORITY, unknown types, resets of streams that are over.
const IDLE: u64 = 100;
const IDLE_EACH_STREAM: u64 = 4;
/// Header sections on streams that have had one, beyond some for each stream: interim answers, trailers.
const SECTIONS: u64 = 100;
const SECTIONS_EACH_STREAM: u64 = 8;
/// Streams whose answer is awaited, as many as are remembered; the library lets no peer have so many.
const MAX_WAITING: usize = 4_096;

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    /// Streams begun and reset.
    Resets,
    /// PING.
    Pings,
    /// SETTINGS.
    Settings,
    /// DATA that carries nothing.
    EmptyData,
    /// `WINDOW_UPDATE`.
    WindowUpdates,
    /// Interim answers, trailers.
    Sections,
    /// PRIORITY, unknown types and others that ask for nothing.
    Idle,
}

impl Flood {
    /// In words, for whoever reads a record.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Resets => "the peer began streams and reset them at once, too many in a short time (RST_STREAM)",
            Self::Pings => "the peer sent too many PING frames",
            Self::Settings => "the peer sent too many SETTINGS frames",
            Self::EmptyData => "the peer sent too many DATA frames that carry nothing",
            Self::WindowUpdates => "the peer sent far more WINDOW_UPDATE frames than there was data to take",
            Self::Sections => "the peer sent too many header sections on streams that had theirs",
            Self::Idle => "the peer sent too many frames that ask for nothing (PRIORITY, unknown types)",
        }
    }
}

/// What is counted over [`WINDOW`].
#[derive(Debug, Default)]
struct Recent {
    opened: u32,
    resets: u32,
    pings: u32,
    settings: u32,
    empty: u32,
}

/// Counts the frames of one connection.
#[derive(Debug)]
pub struct Meter {
    since: Instant,
    recent: Recent,
    /// Streams so far, of either side.
    opened: u64,
    last: u32,
    /// The peer's streams that nothing was answered on yet, and since when.
    waiting: HashMap<u32, Instant>,
    /// Whether a message went out since the last PING.
    may_ask: bool,
    /// Our own PINGs that are not answered.
    asked: u64,
    data_sent: u64,
    updates: u64,
    sections: u64,
    idle: u64,
}

impl Meter {
    /// A connection that begins now.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            recent: Recent::default(),
            opened: 0,
            last: 0,
            waiting: HashMap::new(),
            may_ask: false,
            asked: 0,
            data_sent: 0,
            updates: 0,
            sections: 0,
            idle: 0,
        }
    }

    /// The highest stream so far.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.last
    }

    /// A frame of ours.
    pub fn sent(&mut self, head: Head) {
        match head.kind {
            HEADERS => {
                self.may_ask = true;
                if head.stream > self.last {
                    self.opens(head.stream);
                }
                self.waiting.remove(&head.stream);
            }
            DATA => {
                self.may_ask = true;
                self.data_sent += 1;
            }
            RST_STREAM => {
                self.waiting.remove(&head.stream);
            }
            PING if !head.is_ack() => self.asked += 1,
            _ => {}
        }
    }

    /// A frame of the peer's.
    ///
    /// # Errors
    /// When it is one too many.
    pub fn received(&mut self, head: Head, now: Instant) -> Result<(), Flood> {
        if now.duration_since(self.since) >= WINDOW {
            (self.since, self.recent) = (now, Recent::default());
        }
        match head.kind {
            HEADERS => self.headers(head.stream, now),
            DATA if head.is_empty_data() => bounded(&mut self.recent.empty, EMPTY, Flood::EmptyData),
            // The library's own bound is below any that could be set here.
            DATA | CONTINUATION => Ok(()),
            RST_STREAM => self.reset(head.stream, now),
            SETTINGS if !head.is_ack() => bounded(&mut self.recent.settings, SETTINGS_EACH, Flood::Settings),
            PING if !head.is_ack() => self.ping(),
            PING if self.asked > 0 => {
                self.asked -= 1;
                Ok(())
            }
            WINDOW_UPDATE => {
                let due = UPDATES + UPDATES_EACH_DATA * self.data_sent + UPDATES_EACH_STREAM * self.opened;
                bounded(&mut self.updates, due, Flood::WindowUpdates)
            }
            _ => self.idle(),
        }
    }

    fn opens(&mut self, stream: u32) {
        self.last = stream;
        self.opened += 1;
    }

    fn headers(&mut self, stream: u32, now: Instant) -> Result<(), Flood> {
        if stream <= self.last {
            return bounded(&mut self.sections, SECTIONS + SECTIONS_EACH_STREAM * self.opened, Flood::Sections);
        }
        self.opens(stream);
        self.recent.opened += 1;
        if self.waiting.len() < MAX_WAITING {
            self.waiting.insert(stream, now);
        }
        Ok(())
    }

    fn reset(&mut self, stream: u32, now: Instant) -> Result<(), Flood> {
        match self.waiting.remove(&stream) {
            Some(since) if now.duration_since(since) < EARLY => {}
            Some(_) => return Ok(()),
            // One that was not remembered for want of room is no better than those that were.
            None if self.waiting.len() >= MAX_WAITING => {}
            None => return self.idle(),
        }
        let Recent { opened, resets, .. } = &mut self.recent;
        *resets += 1;
        let are_most = u64::from(*resets) * 2 > u64::from(*opened);
        if *resets > MANY_RESETS || (*resets > RESETS && are_most) { Err(Flood::Resets) } else { Ok(()) }
    }

    fn ping(&mut self) -> Result<(), Flood> {
        if std::mem::take(&mut self.may_ask) {
            return Ok(());
        }
        bounded(&mut self.recent.pings, PINGS, Flood::Pings)
    }

    fn idle(&mut self) -> Result<(), Flood> {
        bounded(&mut self.idle, IDLE + IDLE_EACH_STREAM * self.opened, Flood::Idle)
    }
}

/// Counts one more.
fn bounded<N: PartialOrd + Copy + std::ops::AddAssign + From<u8>>(count: &mut N, most: N, flood: Flood) -> Result<(), Flood> {
    *count += N::from(1);
    if *count > most { Err(flood) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
