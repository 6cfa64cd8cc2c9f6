//! A client that shows the bytes: it speaks just enough HTTP/1.1 to read an answer exactly as the
//! proxy wrote it, reason phrase and closing manners included.
//!
//! Every wait ends within [`DEADLINE`]; a test that hangs says which wait it was.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::pki;

mod message;

pub use message::{Head, Problem};

/// The longest any single wait in a test may take. Passing tests never come near it.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Waits for `event`, and fails the test by the name of what did not happen in time.
pub async fn within_deadline<T>(what: &str, event: impl Future<Output = T>) -> T {
    let Ok(value) = timeout(DEADLINE, event).await else { panic!("waited {DEADLINE:?} in vain: {what}") };
    value
}

/// How the other side ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// FIN, and `close_notify` where there is TLS.
    Clean,
    /// RST, or TLS cut short.
    Abrupt,
}

/// A connection with a read buffer; `S` is TCP, or TLS inside a tunnel.
pub struct RawClient<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

impl RawClient {
    /// Every write leaves at once: where a test cuts its bytes, the proxy is to see the cut.
    pub async fn connect(addr: SocketAddr) -> Self {
        let connecting = within_deadline("connect", TcpStream::connect(addr));
        let stream = connecting.await.expect("the listener accepts");
        stream.set_nodelay(true).expect("a connected socket takes TCP_NODELAY");
        Self::over(stream)
    }

    /// As a client of another address: all of 127.0.0.0/8 is this machine.
    pub async fn connect_from(address: &str, to: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(address.parse().expect("an address"), 0)).expect("it is loopback");
        Self::over(within_deadline("connect", socket.connect(to)).await.expect("the listener accepts"))
    }

    /// The bare connection. Nothing may have been read ahead.
    pub fn into_stream(self) -> TcpStream {
        assert!(self.buffer.is_empty(), "unread bytes: {:?}", self.buffer);
        self.stream
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.stream.local_addr().expect("a connected socket has an address")
    }

    /// Shakes hands as a TLS client. The server must not have spoken yet.
    pub async fn tls(self, config: Arc<ClientConfig>, server_name: &str) -> io::Result<TlsStream<TcpStream>> {
        assert!(self.buffer.is_empty(), "bytes before the ClientHello: {:?}", self.buffer);
        let name = ServerName::try_from(server_name.to_owned()).expect("a valid server name");
        let handshake = TlsConnector::from(config).connect(name, self.stream);
        within_deadline("tls handshake", handshake).await
    }

    /// Ends the connection with RST instead of FIN.
    pub fn reset(self) {
        self.stream.set_zero_linger().expect("SO_LINGER can be set on a connected socket");
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawClient<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// What it speaks over; what was read ahead is lost.
    pub fn into_inner(self) -> S {
        self.stream
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.expect("the peer takes the bytes");
    }

    /// Like [`send`](Self::send), for a peer that may refuse halfway.
    pub async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        within_deadline("send", sending).await
    }

    /// Says "no more from here" (FIN, `close_notify`) and keeps listening.
    pub async fn finish(&mut self) {
        self.try_finish().await.expect("the connection can be half-closed");
    }

    /// Like [`finish`](Self::finish), for a peer that may be gone.
    pub async fn try_finish(&mut self) -> io::Result<()> {
        within_deadline("finish", self.stream.shutdown()).await
    }

    pub async fn read_head(&mut self) -> Head {
        Head::parse(&self.read_through(b"\r\n\r\n").await)
    }

    /// The body that belongs to `head`, transfer coding removed. Not for answers to `HEAD`.
    pub async fn read_body(&mut self, head: &Head) -> Vec<u8> {
        if head.has_no_body() {
            return Vec::new();
        }
        if head.is_chunked() {
            return self.read_chunks().await;
        }
        match head.header("content-length") {
            Some(length) => self.read_exact(length.parse().expect("a numeric length")).await,
            None => self.read_to_end().await,
        }
    }

    pub async fn read_exact(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            self.fill_some().await;
        }
        self.buffer.drain(..length).collect()
    }

    /// The same, for a peer that may have nothing more to say.
    pub async fn try_read_exact(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            if !matches!(self.fill().await, Ok(1..)) {
                return None;
            }
        }
        Some(self.buffer.drain(..length).collect())
    }

    /// Everything up to a clean end; a reset fails the test.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let (bytes, closing) = self.read_until_closed().await;
        assert_eq!(closing, Closing::Clean, "after {} bytes", bytes.len());
        bytes
    }

    /// Everything up to the end, and what kind of end it was.
    pub async fn read_until_closed(&mut self) -> (Vec<u8>, Closing) {
        let closing = loop {
            match self.fill().await {
                Ok(0) => break Closing::Clean,
                Ok(_) => {}
                Err(_) => break Closing::Abrupt,
            }
        };
        (std::mem::take(&mut self.buffer), closing)
    }

    /// True once the peer closed or reset without another byte; false if it speaks, or if it is
    /// still open at the deadline. To show that a connection is alive, use it instead.
    pub async fn is_closed(&mut self) -> bool {
        let ended = timeout(DEADLINE, self.stream.read(&mut [0])).await;
        self.buffer.is_empty() && matches!(ended, Ok(Ok(0) | Err(_)))
    }

    async fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.read_through(b"\r\n").await;
            let line = str::from_utf8(&line).expect("a chunk size line is ASCII");
            let size = line.split([';', '\r']).next().expect("splitting yields at least one part");
            match usize::from_str_radix(size, 16).expect("a hexadecimal chunk size") {
                0 => break,
                size => body.extend(self.read_exact(size).await),
            }
            assert_eq!(self.read_exact(2).await, b"\r\n", "a chunk ends with CRLF");
        }
        while self.read_through(b"\r\n").await != b"\r\n" {} // trailers
        body
    }

    /// Everything up to and with the first `mark`.
    pub async fn read_through(&mut self, mark: &[u8]) -> Vec<u8> {
        match self.try_read_through(mark).await {
            Some(bytes) => bytes,
            None => panic!("ended before {:?}, after {:?}", String::from_utf8_lossy(mark), String::from_utf8_lossy(&self.buffer)),
        }
    }

    /// The same, for a peer that may have nothing more to say.
    pub async fn try_read_through(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self.buffer.windows(mark.len()).position(|window| window == mark);
            if let Some(start) = found {
                return Some(self.buffer.drain(..start + mark.len()).collect());
            }
            if !matches!(self.fill().await, Ok(1..)) {
                return None;
            }
        }
    }

    async fn fill_some(&mut self) {
        let read = self.fill().await.expect("the connection stays up");
        assert_ne!(read, 0, "closed early, after {:?}", String::from_utf8_lossy(&self.buffer));
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(16 * 1024);
        within_deadline("read", self.stream.read_buf(&mut self.buffer)).await
    }
}

impl<S> fmt::Debug for RawClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawClient").field("unread", &self.buffer.len()).finish_non_exhaustive()
    }
}

/// Asks `proxy` for a tunnel to `authority`; a refusal comes back with its explanation.
pub async fn connect_tunnel(proxy: SocketAddr, authority: &str) -> Result<RawClient, (Head, Problem)> {
    let mut client = RawClient::connect(proxy).await;
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    client.send(request.as_bytes()).await;
    let head = client.read_head().await;
    if head.status == 200 {
        return Ok(client);
    }
    let body = client.read_body(&head).await;
    let problem = Problem::parse(&head, &body);
    Err((head, problem))
}

/// Sends `raw_request` on a connection of its own and reads the one answer.
pub async fn exchange(proxy: SocketAddr, raw_request: &[u8]) -> (Head, Vec<u8>) {
    let mut client = RawClient::connect(proxy).await;
    client.send(raw_request).await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    (head, body)
}

/// One GET over TLS through a tunnel. Whatever refuses on the way fails the test.
pub async fn https_get(proxy: SocketAddr, authority: &str, sni: &str, path: &str, config: Arc<ClientConfig>) -> (u16, Vec<u8>) {
    let tunnel = connect_tunnel(proxy, authority).await.expect("the proxy opens the tunnel");
    let stream = tunnel.tls(config, sni).await.expect("the TLS handshake succeeds");
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    let mut client = RawClient::over(stream);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    client.send(request.as_bytes()).await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    (head.status, body)
}

/// The ClientHello record rustls sends to `server_name`, or without naming a server.
pub fn client_hello(server_name: Option<&str>) -> Vec<u8> {
    let mut config = Arc::unwrap_or_clone(pki::client_config(None, &[b"http/1.1"]));
    config.enable_sni = server_name.is_some();
    let name = server_name.unwrap_or("unnamed.invalid").to_owned();
    let name = ServerName::try_from(name).expect("a valid server name");
    let mut connection = ClientConnection::new(Arc::new(config), name).expect("a complete configuration");
    let mut hello = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut hello).expect("a Vec takes every byte");
    }
    hello
}

pub fn client_hello_without_sni() -> Vec<u8> {
    client_hello(None)
}
