//! One direction of a relay.

use crate::socket::Socket;
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The buffer of a thread: a whole record of TLS 1.3 (RFC 8446 section 5.2). Larger ones save calls and cost more than that: pieces no longer
/// fit the nearest caches, and a system that paces its sending has to set a timer for the rest of each.
const BUFFER: usize = 17 * 1024;
/// Reads of one direction before other tunnels get their turn.
const TURNS: usize = 8;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into_boxed_slice());
}

/// Lends the thread's buffer for one synchronous step.
pub fn with_scratch<T>(step: impl FnOnce(&mut [u8]) -> T) -> T {
    SCRATCH.with_borrow_mut(|buffer| step(buffer))
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// What the receiver has not taken yet; empty and unallocated while it keeps up.
    pub(super) pending: Vec<u8>,
    /// Bytes of `pending` that it has taken.
    taken: usize,
    /// Bytes of this direction.
    pub(super) total: u64,
    pub(super) flushed: u64,
    source_finished: bool,
    pub(super) done: bool,
}

/// Which side of a direction broke.
pub(super) enum Broke {
    Source,
    Sink,
}

impl Half {
    pub(super) fn starting_with(pending: Vec<u8>) -> Self {
        Self { pending, ..Self::default() }
    }

    /// Moves bytes until nothing can move. `Ready` when the direction is finished.
    pub(super) fn poll_move(&mut self, cx: &mut Context<'_>, source: &mut Socket, sink: &mut Socket) -> Poll<Result<(), Broke>> {
        for _ in 0..TURNS {
            if ready!(self.poll_drain(cx, sink)).is_err() {
                return Poll::Ready(Err(Broke::Sink));
            }
            if self.source_finished {
                return self.poll_finish(cx, sink);
            }
            match self.poll_fill(cx, source, sink) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(broke)) => return Poll::Ready(Err(broke)),
                Poll::Pending => return Self::poll_push(cx, sink),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, sink: &mut Socket) -> Poll<io::Result<()>> {
        while let Some(left) = self.pending.get(self.taken..).filter(|left| !left.is_empty()) {
            let written = ready!(Pin::new(&mut *sink).poll_write(cx, left))?;
            self.taken += written;
            self.total += written as u64;
        }
        if !self.pending.is_empty() {
            self.pending = Vec::new();
            self.taken = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// There is nothing to read: what the layers of the sink hold back goes out meanwhile.
    fn poll_push(cx: &mut Context<'_>, sink: &mut Socket) -> Poll<Result<(), Broke>> {
        match Pin::new(sink).poll_flush(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(Err(Broke::Sink)),
            _ => Poll::Pending,
        }
    }

    /// Reads once and writes on; keeps what was not taken.
    fn poll_fill(&mut self, cx: &mut Context<'_>, source: &mut Socket, sink: &mut Socket) -> Poll<Result<(), Broke>> {
        with_scratch(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            if ready!(Pin::new(source).poll_read(cx, &mut buffer)).is_err() {
                return Poll::Ready(Err(Broke::Source));
            }
            let read = buffer.filled();
            if read.is_empty() {
                self.source_finished = true;
                return Poll::Ready(Ok(()));
            }
            let written = match Pin::new(sink).poll_write(cx, read) {
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Broke::Sink)),
                Poll::Pending => 0,
            };
            self.total += written as u64;
            self.pending = read.get(written..).unwrap_or_default().to_vec();
            Poll::Ready(Ok(()))
        })
    }

    /// Passes the end of the source on; the other direction stays open.
    fn poll_finish(&mut self, cx: &mut Context<'_>, sink: &mut Socket) -> Poll<Result<(), Broke>> {
        // A sink that is gone already has nothing left to be told.
        let _ = ready!(Pin::new(sink).poll_shutdown(cx));
        self.done = true;
        Poll::Ready(Ok(()))
    }

    /// The sink takes nothing more. What it said before is still to be delivered by the other direction: an answer that refuses an
    /// upload, a TLS alert.
    pub(super) fn abandon(&mut self) {
        self.pending = Vec::new();
        self.done = true;
    }

    pub(super) fn unflushed(&mut self) -> u64 {
        let bytes = self.total - self.flushed;
        self.flushed = self.total;
        bytes
    }
}
