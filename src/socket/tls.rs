//! TLS around a TCP connection, as a [`Socket`](super::Socket).

use super::Layered;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// Bytes that are sealed ahead of what the peer takes: a full record (RFC 8446 section 5.1), or a full HTTP/2 frame with its head. It is
/// sent before the next is sealed, which keeps it in the nearest caches, and a peer that does not read holds no more than this.
pub const SEALED: usize = 17 * 1024;

/// A connection to the proxy, or to a parent proxy. What it carries knows its own end (TLS to the cloud, HTTP with a length), so an end
/// without a goodbye, as many clients leave, is an end.
#[derive(Debug)]
pub struct Tls(TlsStream<TcpStream>);

impl Tls {
    /// After the handshake.
    #[must_use]
    pub fn new(stream: impl Into<TlsStream<TcpStream>>) -> Self {
        let mut stream = stream.into();
        match &mut stream {
            TlsStream::Client(stream) => stream.get_mut().1.set_buffer_limit(Some(SEALED)),
            TlsStream::Server(stream) => stream.get_mut().1.set_buffer_limit(Some(SEALED)),
        }
        Self(stream)
    }
}

impl Layered for Tls {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self.0.get_ref().0)
    }
}

impl AsyncRead for Tls {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_read(cx, buffer) {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            polled => polled,
        }
    }
}

impl AsyncWrite for Tls {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
