//! A connection's bytes, whatever carries them: TCP itself, TLS over it, one stream of an HTTP/2 connection.

mod stream;
mod tls;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub use stream::Stream;
pub use tls::{SEALED, Tls};

/// Silence after which the kernel asks a peer whether it is still there, and between two such questions. Firewalls on the way forget
/// silent connections after some minutes; a peer that vanished without a word is noticed here only.
const ASK_AFTER: Duration = Duration::from_mins(1);
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// A connection. Nearly always it is TCP itself, which is therefore no box away.
pub enum Socket {
    /// As the kernel has it.
    Tcp(TcpStream),
    /// In something over it.
    Layered(Box<dyn Layered>),
}

/// What carries bytes over a TCP connection.
pub trait Layered: AsyncRead + AsyncWrite + Unpin + Send {
    /// The TCP connection, where it is not shared with others.
    fn tcp(&self) -> Option<&TcpStream>;

    /// Has its end look like a failure to the peer, however it is dropped: what was sent was not all there was.
    fn fail(&mut self) {
        if let Some(stream) = self.tcp() {
            reset(stream);
        }
    }
}

impl Socket {
    /// Something over a TCP connection.
    #[must_use]
    pub fn layered(stream: impl Layered + 'static) -> Self {
        Self::Layered(Box::new(stream))
    }

    /// The TCP connection, where it is not shared with others.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Layered(stream) => stream.tcp(),
        }
    }

    /// Has the kernel ask a silent peer whether it is still there.
    pub fn keep_alive(&self) {
        if let Some(stream) = self.tcp() {
            keep_alive(stream);
        }
    }

    /// As [`Layered::fail`].
    pub fn fail(&mut self) {
        match self {
            Self::Tcp(stream) => reset(stream),
            Self::Layered(stream) => stream.fail(),
        }
    }

    /// Whether the kernel has noted that the connection broke, seen without reading from it.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.tcp().is_some_and(|stream| !matches!(stream.take_error(), Ok(None)))
    }
}

/// As [`Socket::keep_alive`].
pub fn keep_alive(stream: &TcpStream) {
    let question = socket2::TcpKeepalive::new().with_time(ASK_AFTER).with_interval(ASK_AGAIN);
    // A socket that cannot take the option is gone already.
    let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&question);
}

/// Bytes of a client's answer that wait in the kernel for their turn on the wire. Without a bound a client that reads nothing has
/// megabytes there, which nobody counts: four hundred of them had 1.5 GB.
const MOST_UNSENT: u32 = 128 * 1024;

/// Prepares a client's socket: answers are small and wait for nothing, and what is large waits where it is counted.
pub fn answer_promptly(stream: &TcpStream) {
    // A socket that cannot take the options is gone already.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(MOST_UNSENT);
}

/// Dropping the socket resets the connection from now on.
fn reset(stream: &TcpStream) {
    // Best effort: a socket that cannot take the option is gone too.
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp(_) => "Socket::Tcp",
            Self::Layered(_) => "Socket::Layered",
        })
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Layered(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Layered(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // The kernel holds nothing back.
            Self::Tcp(_) => Poll::Ready(Ok(())),
            Self::Layered(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Layered(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Layered(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Layered(stream) => stream.is_write_vectored(),
        }
    }
}
