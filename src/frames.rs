//! HTTP/2 connections whose frames are counted before the HTTP/2 library sees them: a flood ends its connection.
//!
//! What the library stores it bounds itself. What it answers or forgets at once it takes without end, and there its limits end: see
//! [`meter`].

pub mod heads;
pub mod meter;

use heads::{GOAWAY, Heads};
use meter::{Flood, Meter};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::{oneshot, watch};

/// The error code of a GOAWAY for a flood (RFC 9113 section 7).
const ENHANCE_YOUR_CALM: u32 = 11;

/// Which end of a connection the peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// It speaks first, with the preface.
    Client,
    /// We do.
    Server,
}

/// A connection's bytes, with its frames counted. A flood fails the reading.
pub struct Metered<S> {
    /// Present until this is dropped.
    stream: Option<S>,
    received: Heads,
    sent: Heads,
    meter: Meter,
    stage: Stage,
    told: watch::Sender<Stage>,
    back: Option<oneshot::Sender<Left<S>>>,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The peer's first frame is not complete.
    Opening,
    Begun,
    Flooded(Flood),
}

/// What the HTTP/2 library left of a connection.
struct Left<S> {
    stream: S,
    last: u32,
    /// Whether what was written ends with a frame.
    is_between: bool,
}

crate::hidden::hidden!(Metered<S>, Watch<S>);

/// Sees how a metered connection goes, and gets it back when the HTTP/2 library has dropped it.
pub struct Watch<S> {
    stage: watch::Receiver<Stage>,
    left: oneshot::Receiver<Left<S>>,
}

/// Counts the frames of a connection that begins.
#[must_use]
pub fn metered<S>(stream: S, peer: Peer) -> (Metered<S>, Watch<S>) {
    let (told, stage) = watch::channel(Stage::Opening);
    let (back, left) = oneshot::channel();
    let metered = Metered {
        stream: Some(stream),
        received: Heads::new(peer == Peer::Client),
        sent: Heads::new(peer == Peer::Server),
        meter: Meter::new(Instant::now()),
        stage: Stage::Opening,
        told,
        back: Some(back),
    };
    (metered, Watch { stage, left })
}

impl<S> Watch<S> {
    /// Resolves when the peer's first frame is complete, its SETTINGS; never if the connection ends before.
    pub async fn begun(&mut self) {
        if self.stage.wait_for(|stage| *stage != Stage::Opening).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the peer's first frame came.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.stage.borrow() != Stage::Opening
    }

    /// What there was too much of, if the connection was ended for that.
    #[must_use]
    pub fn flood(&self) -> Option<Flood> {
        match *self.stage.borrow() {
            Stage::Flooded(flood) => Some(flood),
            Stage::Opening | Stage::Begun => None,
        }
    }
}

impl<S: AsyncWrite + Unpin> Watch<S> {
    /// The connection, once the library has dropped it. One that was ended for a flood is told so (GOAWAY), as far as it reads.
    pub async fn left(mut self) -> Option<S> {
        let flood = self.flood();
        let Left { mut stream, last, is_between } = self.left.try_recv().ok()?;
        if flood.is_some() && is_between {
            // A peer that is gone, or that does not read, is not told.
            let _ = stream.write_all(&go_away(last)).await;
        }
        Some(stream)
    }
}

/// GOAWAY with `ENHANCE_YOUR_CALM`, in bytes (RFC 9113 section 6.8).
fn go_away(last: u32) -> Vec<u8> {
    [&[0, 0, 8, GOAWAY, 0, 0, 0, 0, 0], &last.to_be_bytes()[..], &ENHANCE_YOUR_CALM.to_be_bytes()].concat()
}

impl<S> Metered<S> {
    fn stream(&mut self) -> io::Result<Pin<&mut S>>
    where
        S: Unpin,
    {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn enters(&mut self, stage: Stage) {
        self.stage = stage;
        // Nobody may be watching.
        self.told.send_replace(stage);
    }

    /// Counts the frames that these bytes bring.
    fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        let now = Instant::now();
        let meter = &mut self.meter;
        if let Err(flood) = self.received.pass(bytes, |head| meter.received(head, now)) {
            self.enters(Stage::Flooded(flood));
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, flood.words()));
        }
        if self.stage == Stage::Opening && self.received.has_begun() {
            self.enters(Stage::Begun);
        }
        Ok(())
    }

    /// Notes the frames of ours that these bytes bring.
    fn send(&mut self, bytes: &[u8]) {
        let meter = &mut self.meter;
        let Ok(()) = self.sent.pass(bytes, |head| {
            meter.sent(head);
            Ok::<_, std::convert::Infallible>(())
        });
    }
}

impl<S> Drop for Metered<S> {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            let left = Left { stream, last: self.meter.last(), is_between: self.sent.is_between() };
            // Nobody may be waiting for it.
            let _ = back.send(left);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Stage::Flooded(flood) = this.stage {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, flood.words())));
        }
        let before = buffer.filled().len();
        ready!(this.stream()?.poll_read(cx, buffer))?;
        Poll::Ready(this.receive(buffer.filled().get(before..).unwrap_or_default()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(self.stream()?.poll_write(cx, bytes))?;
        self.send(bytes.get(..written).unwrap_or(bytes));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = ready!(self.stream()?.poll_write_vectored(cx, slices))?;
        let mut left = written;
        for slice in slices {
            let now = left.min(slice.len());
            self.send(slice.get(..now).unwrap_or_default());
            left -= now;
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}
