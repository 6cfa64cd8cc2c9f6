//! Release: the original bytes of a held body on their way up, and behind them what was not held.

use super::hold::Held;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use prometheus::IntCounter;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Any error that a body may end with.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// What follows the held part.
pub type Rest = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

/// A released body.
pub struct Released {
    /// What was held, until it is taken.
    bytes: Bytes,
    trailers: Option<HeaderMap>,
    rest: Option<Rest>,
    /// The length that the request announced, if it did.
    announced: Option<u64>,
    counter: IntCounter,
}

impl Released {
    /// Releases what was held. `announced` is the length the request stated; without one none is stated upstream either.
    #[must_use]
    pub fn new(held: Held, rest: Option<Rest>, announced: Option<u64>, counter: IntCounter) -> Self {
        let Held { bytes, trailers } = held;
        Self { bytes, trailers, rest, announced, counter }
    }

    /// The same bytes once more, for a connection that turned out to be dead.
    #[must_use]
    pub fn again(&self) -> Option<Self> {
        if self.rest.is_some() {
            return None;
        }
        Some(Self {
            bytes: self.bytes.clone(),
            trailers: self.trailers.clone(),
            rest: None,
            announced: self.announced,
            counter: self.counter.clone(),
        })
    }
}

impl Body for Released {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            self.counter.inc_by(bytes.len() as u64);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if let Some(rest) = &mut self.rest {
            return rest.as_mut().poll_frame(cx);
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.trailers.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
