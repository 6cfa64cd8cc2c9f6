//! The connection as an HTTP server may see it: heads that were checked, bodies that were followed.

use super::framing::{Framing, Next};
use super::head::Form;
use crate::destination::Malformed;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes read at once.
const READ: usize = 8 * 1024;

/// A connection behind its guard.
pub struct Guarded<S> {
    stream: S,
    framing: Framing,
    /// Read and not yet passed on; the first `passed` of them may be.
    held: Vec<u8>,
    passed: usize,
    malformed: Option<Malformed>,
    in_flight: InFlight,
    /// Time for a head from its first byte.
    limit: Duration,
    /// Runs while a head has begun and is not complete.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// A head that took too long.
pub const LATE: Malformed = Malformed("the request head did not arrive in time");

/// How many requests that passed are not answered yet. A malformed one behind them must wait for its turn: the client would take
/// its refusal for the answer to an earlier one.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// One answer is under way no more.
    pub fn answered(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn asked(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl<S> Guarded<S> {
    /// Guards a connection of which `ahead` was read already; each head has `limit` from its first byte.
    #[must_use]
    pub fn new(stream: S, ahead: Vec<u8>, form: Form, in_flight: InFlight, limit: Duration) -> Self {
        Self { stream, framing: Framing::new(form), held: ahead, passed: 0, malformed: None, in_flight, limit, deadline: None }
    }

    /// What was wrong with a head, if anything was. What is wrong with a body concerns the exchange under way.
    #[must_use]
    pub fn malformed(&self) -> Option<Malformed> {
        self.malformed
    }

    /// Whether a head has started and is not complete.
    #[must_use]
    pub fn is_within_head(&self) -> bool {
        self.framing.is_in_head() && !self.held.is_empty()
    }

    /// Whether a body has started and is not complete.
    #[must_use]
    pub fn is_within_body(&self) -> bool {
        self.framing.is_in_body()
    }

    /// The connection and what was not passed on.
    #[must_use]
    pub fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.held)
    }
}

impl<S: AsyncRead + Unpin> Guarded<S> {
    /// Hands out what passed.
    fn hand_out(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let now = self.passed.min(buffer.remaining());
        if now == 0 {
            return false;
        }
        buffer.put_slice(self.held.get(..now).unwrap_or_default());
        self.held.drain(..now);
        self.passed -= now;
        true
    }

    /// Judges what is held; true if anything passed.
    fn judge(&mut self) -> Result<bool, Malformed> {
        if self.held.is_empty() {
            return Ok(false);
        }
        let in_head = self.framing.is_in_head();
        match self.framing.next(&self.held)? {
            Next::Pass(length) => {
                self.passed = length;
                self.deadline = None;
                if in_head {
                    self.in_flight.asked();
                }
                Ok(true)
            }
            Next::NeedMore => Ok(false),
        }
    }

    /// Whether the head under way is late.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.is_within_head() {
            self.deadline = None;
            return false;
        }
        let limit = self.limit;
        self.deadline.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx).is_ready()
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let before = self.held.len();
        self.held.resize(before + READ, 0);
        let mut buffer = ReadBuf::new(self.held.get_mut(before..).unwrap_or_default());
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        let read = buffer.filled().len();
        self.held.truncate(before + read);
        ready!(polled)?;
        Poll::Ready(Ok(read))
    }

    /// What is wrong with a body ends the exchange at once; what is wrong with a head waits until those before it are answered.
    /// The HTTP server reads again then by itself.
    fn poll_refuse(&mut self, malformed: Malformed) -> Poll<io::Result<()>> {
        if self.framing.is_in_head() {
            self.malformed = Some(malformed);
            if !self.in_flight.is_none() {
                return Poll::Pending;
            }
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, malformed)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(malformed) = this.malformed {
            return this.poll_refuse(malformed);
        }
        loop {
            if this.hand_out(buffer) {
                return Poll::Ready(Ok(()));
            }
            match this.judge() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(malformed) => return this.poll_refuse(malformed),
            }
            if this.is_late(cx) {
                return this.poll_refuse(LATE);
            }
            if ready!(this.poll_more(cx))? > 0 {
                continue;
            }
            if this.held.is_empty() {
                return Poll::Ready(Ok(()));
            }
            return this.poll_refuse(Malformed("the connection ended within the request head"));
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A malformed head still gets its answer, from whoever takes the connection back.
        // So does a client that is still sending what was refused: it would not read an answer behind an end.
        if self.malformed.is_some() || self.is_within_head() || self.is_within_body() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

crate::hidden::hidden!(Guarded<S>);
