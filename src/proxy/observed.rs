//! A decrypted stream whose end is remembered: how a client that rejects our certificate leaves shows there and nowhere else.

use rustls::AlertDescription;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How the client's side of a TLS connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seen {
    /// Nothing has come and nothing has ended.
    #[default]
    Nothing,
    /// The client has sent data: it took the certificate.
    Data,
    /// It said goodbye in order.
    Goodbye,
    /// It sent a fatal alert.
    Alert(AlertDescription),
    /// It hung up without a word.
    HungUp,
}

/// What was seen, shared with whoever serves the stream.
#[derive(Debug, Clone, Default)]
pub struct Sight(Arc<Mutex<Seen>>);

impl Sight {
    /// What was seen first: what comes behind data is no news.
    #[must_use]
    pub fn seen(&self) -> Seen {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(&self, now: Seen) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == Seen::Nothing {
            *seen = now;
        }
    }
}

/// The fatal alert behind an error of the TLS library.
#[must_use]
pub fn alert(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(description) => Some(*description),
        _ => None,
    }
}

/// The stream.
#[derive(Debug)]
pub struct Observed<S> {
    stream: S,
    sight: Sight,
    /// Whether data has come: nothing is noted any more.
    done: bool,
}

impl<S> Observed<S> {
    /// Notes how the client's side of `stream` goes.
    #[must_use]
    pub fn new(stream: S, sight: Sight) -> Self {
        Self { stream, sight, done: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.done {
            return polled;
        }
        let seen = match &polled {
            Poll::Pending => return polled,
            Poll::Ready(Ok(())) if buffer.filled().len() > before => Seen::Data,
            Poll::Ready(Ok(())) => Seen::Goodbye,
            Poll::Ready(Err(error)) => alert(error).map_or(Seen::HungUp, Seen::Alert),
        };
        self.done = true;
        self.sight.see(seen);
        polled
    }
}

/// Writing is nobody's concern here: it goes straight to the stream inside.
macro_rules! writes_through {
    ($name:ident) => {
        impl<S: AsyncWrite + Unpin> AsyncWrite for $name<S> {
            fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream).poll_write(cx, bytes)
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream).poll_flush(cx)
            }

            fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream).poll_shutdown(cx)
            }

            fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
            }

            fn is_write_vectored(&self) -> bool {
                self.stream.is_write_vectored()
            }
        }
    };
}

writes_through!(Observed);
writes_through!(Rewound);

/// A stream of which some bytes were read already.
pub struct Rewound<S> {
    ahead: Vec<u8>,
    given: usize,
    stream: S,
}

impl<S> Rewound<S> {
    /// Gives `ahead` before what `stream` has.
    #[must_use]
    pub fn new(ahead: Vec<u8>, stream: S) -> Self {
        Self { ahead, given: 0, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(left) = this.ahead.get(this.given..).filter(|left| !left.is_empty()) {
            let now = left.len().min(buffer.remaining());
            buffer.put_slice(left.get(..now).unwrap_or_default());
            this.given += now;
            if this.given == this.ahead.len() {
                this.ahead = Vec::new();
                this.given = 0;
            }
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_read(cx, buffer)
    }
}

crate::hidden::hidden!(Rewound<S>);
