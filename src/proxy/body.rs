//! Bodies on their way through: counted, limited in silence, and with something to do at their end.

use super::drip::Drip;
use crate::contain::step;
use crate::listener::guarded::InFlight;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use prometheus::IntCounter;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Why a body stopped.
#[derive(Debug)]
pub enum BodyError {
    /// The connection it came from failed.
    Source(hyper::Error),
    /// It was silent for too long.
    Idle,
    /// The proxy panicked over it.
    Defect,
    /// It came too slowly for its length.
    Drips,
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Idle => f.write_str("the body was silent for too long"),
            Self::Defect => f.write_str("a defect of the proxy ended the body"),
            Self::Drips => f.write_str("the body came too slowly"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(error) => Some(error),
            Self::Idle | Self::Defect | Self::Drips => None,
        }
    }
}

/// Told about a body as it passes.
pub trait Watcher: Send + Unpin {
    /// So many bytes passed.
    fn passed(&mut self, bytes: u64);
    /// Where panics are counted.
    fn panics(&self) -> &IntCounter;
    /// More was asked for, and is not there yet.
    fn waits(&mut self) {}
    /// Whether the other direction has moved since this was asked last: then nobody is silent.
    fn moved_elsewhere(&mut self) -> bool {
        false
    }
    /// The body is complete, or failed. Not called when the body is dropped before either.
    fn ended(&mut self, result: Result<(), &BodyError>);
}

/// A body that is watched.
pub struct Watched<W> {
    body: Incoming,
    watcher: W,
    idle: Duration,
    /// How slowly it may come, where that is limited.
    drip: Option<Drip>,
    /// Made only when the body has to be waited for.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl<W: Watcher> Watched<W> {
    /// Watches a body that may be silent for `idle`.
    pub fn new(body: Incoming, idle: Duration, mut watcher: W) -> Self {
        let ended = body.is_end_stream();
        if ended {
            watcher.ended(Ok(()));
        }
        Self { body, watcher, idle, drip: None, timer: None, ended }
    }

    /// The same for what a client sends: one that has announced how much must not drip.
    pub fn upload(body: Incoming, idle: Duration, watcher: W) -> Self {
        let drip = body.size_hint().exact().map(|_| Drip::new(idle));
        Self { drip, ..Self::new(body, idle, watcher) }
    }

    fn end(&mut self, result: Result<(), &BodyError>) {
        if !self.ended {
            self.ended = true;
            self.watcher.ended(result);
        }
    }

    fn poll_watched(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                self.watcher.waits();
                if let Poll::Ready(error) = self.poll_silence(cx) {
                    self.end(Err(&error));
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Pending
            }
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(timer) = &mut self.timer {
                    timer.as_mut().reset(Instant::now() + self.idle);
                }
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                if let Some(drip) = &mut self.drip {
                    drip.came(bytes, Instant::now());
                }
                self.watcher.passed(bytes);
                if self.body.is_end_stream() {
                    self.end(Ok(()));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let error = BodyError::Source(error);
                self.end(Err(&error));
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                self.end(Ok(()));
                Poll::Ready(None)
            }
        }
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
        if let Some(drip) = &mut self.drip {
            let due = drip.waits(Instant::now());
            if due < timer.deadline() {
                timer.as_mut().reset(due);
            }
        }
        while timer.as_mut().poll(cx).is_ready() {
            if !self.watcher.moved_elsewhere() {
                let drips = self.drip.as_ref().is_some_and(Drip::has_dripped);
                return Poll::Ready(if drips { BodyError::Drips } else { BodyError::Idle });
            }
            timer.as_mut().reset(Instant::now() + idle);
        }
        Poll::Pending
    }
}

impl<W: Watcher> Body for Watched<W> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        // Whoever polls may have other exchanges in hand.
        let panics = this.watcher.panics().clone();
        step(&panics, "a body", || this.poll_watched(cx)).unwrap_or_else(|| {
            this.end(Err(&BodyError::Defect));
            Poll::Ready(Some(Err(BodyError::Defect)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: the upstream's, or our own.
pub struct AnswerBody {
    content: Content,
    _answering: Option<Answering>,
}

enum Content {
    /// Our own words.
    Full(Full<Bytes>),
    /// The upstream's.
    Upstream(Pin<Box<dyn Body<Data = Bytes, Error = BodyError> + Send>>),
}

impl AnswerBody {
    /// Our own words.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self { content: Content::Full(Full::new(bytes.into())), _answering: None }
    }

    /// The upstream's body.
    pub fn upstream(body: impl Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self { content: Content::Upstream(Box::pin(body)), _answering: None }
    }

    /// Counts a request as answered once this body is gone.
    #[must_use]
    pub fn answering(self, in_flight: InFlight) -> Self {
        Self { _answering: Some(Answering(in_flight)), ..self }
    }
}

/// Ends an answer's part in [`InFlight`].
impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered();
    }
}

struct Answering(InFlight);

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.content {
            Content::Full(body) => Pin::new(body).poll_frame(cx).map(|frame| frame.map(|result| result.map_err(|never| match never {}))),
            Content::Upstream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Full(body) => body.is_end_stream(),
            Content::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(body) => body.size_hint(),
            Content::Upstream(body) => body.size_hint(),
        }
    }
}
