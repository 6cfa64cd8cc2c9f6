//! A connection whose peer must take what it is sent: a write that stands still for longer than the limit fails.
//!
//! Limits on reading are the reader's affair. A peer that stops reading is noticed here only, since whoever writes is not asked
//! for more while the kernel's buffers are full.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The limit of one connection, which can change with what it carries, and whether it was passed.
#[derive(Debug, Clone)]
pub struct StallLimit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    milliseconds: AtomicU64,
    passed: AtomicBool,
}

impl StallLimit {
    /// A limit to begin with.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        let new = Self(Arc::new(Shared { milliseconds: AtomicU64::new(0), passed: AtomicBool::new(false) }));
        new.set(limit);
        new
    }

    /// Changes the limit for writes that begin to stand still from now on.
    pub fn set(&self, limit: Duration) {
        self.0.milliseconds.store(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the peer stopped reading for too long.
    #[must_use]
    pub fn was_passed(&self) -> bool {
        self.0.passed.load(Ordering::Relaxed)
    }

    fn duration(&self) -> Duration {
        Duration::from_millis(self.0.milliseconds.load(Ordering::Relaxed))
    }
}

/// A connection with the limit on its writes.
#[derive(Debug)]
pub struct Stalling<S> {
    stream: S,
    limit: StallLimit,
    /// Runs while a write stands still.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Stalling<S> {
    /// Puts the limit on a connection.
    #[must_use]
    pub fn new(stream: S, limit: StallLimit) -> Self {
        Self { stream, limit, timer: None }
    }

    /// The connection.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.stream
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let limit = self.limit.duration();
        if self.timer.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.limit.0.passed.store(true, Ordering::Relaxed);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
