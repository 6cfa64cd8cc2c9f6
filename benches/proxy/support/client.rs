//! Clients. They block, so the thread that measures does nothing else meanwhile.

use super::origin::REACHED;
use super::pki;
use super::world::{API, GRPC, SILENT, World};
use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, StatusCode};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

/// Every client is on this address unless it matters where it is.
pub(crate) const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Nothing takes so long but what does not come at all.
const DEADLINE: Duration = Duration::from_secs(30);
/// What is read at once.
const PIECE: usize = 4 << 10;

/// A TLS connection that speaks HTTP/1.1.
pub(crate) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    buffer: Vec<u8>,
}

/// Straight to the cloud.
pub(crate) fn direct(world: &World) -> Connection {
    Connection::over(connect(HERE, world.origin.cloud), &world.trusting_cloud, GRPC)
}

/// Through a tunnel.
pub(crate) fn tunnelled(world: &World) -> Connection {
    tunnelled_from(HERE, world)
}

/// Through a tunnel, from this address.
pub(crate) fn tunnelled_from(source: Ipv4Addr, world: &World) -> Connection {
    Connection::over(tunnel(source, world.product.proxy, GRPC), &world.trusting_cloud, GRPC)
}

/// Decrypted on the way.
pub(crate) fn intercepted(world: &World) -> Connection {
    let [http1, _] = &world.trusting_proxy;
    Connection::over(tunnel(HERE, world.product.proxy, API), http1, API)
}

/// A tunnel in which nothing moves any more.
pub(crate) fn silent(world: &World, hello: &[u8]) -> TcpStream {
    let mut stream = tunnel(HERE, world.product.proxy, SILENT);
    stream.write_all(hello).expect("the proxy takes the hello");
    let mut reached = [0];
    stream.read_exact(&mut reached).expect("the hello is relayed");
    assert_eq!(reached, [REACHED]);
    stream
}

/// So many clients open a tunnel each and end it at once; waits until the proxy has done with all of them.
pub(crate) fn come_and_go(proxy: SocketAddr, host: &str, clients: u8) {
    let mut streams: Vec<TcpStream> = (0..clients).map(|_| asked(HERE, proxy, host)).collect();
    for stream in &mut streams {
        read_answer(stream, &mut Vec::new());
    }
    for stream in &streams {
        stream.shutdown(Shutdown::Write).expect("the connection can be half-closed");
    }
    for stream in &mut streams {
        assert_eq!(stream.read(&mut [0]).expect("the proxy closes in order"), 0);
    }
}

impl Connection {
    fn over(stream: TcpStream, config: &Arc<ClientConfig>, host: &str) -> Self {
        let stream = StreamOwned::new(pki::connection(config.clone(), host), stream);
        Self { stream, buffer: Vec::with_capacity(PIECE) }
    }

    /// Sends a request and reads its answer, which must be 200.
    pub(crate) fn ask(&mut self, request: &[u8]) {
        self.send(request);
        self.answer();
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("the peer takes the request");
    }

    /// Reads an answer, which must be 200.
    pub(crate) fn answer(&mut self) {
        read_answer(&mut self.stream, &mut self.buffer);
    }

    /// Ends TLS and the connection, and waits for nothing.
    pub(crate) fn close(mut self) {
        self.stream.conn.send_close_notify();
        self.stream.flush().expect("the peer takes the end");
    }
}

fn connect(source: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let connected = (|| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if source != HERE {
            socket.bind(&SocketAddr::from((source, 0)).into())?;
        }
        socket.connect(&to.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_read_timeout(Some(DEADLINE))?;
        std::io::Result::Ok(socket.into())
    })();
    connected.expect("it listens")
}

fn tunnel(source: Ipv4Addr, proxy: SocketAddr, host: &str) -> TcpStream {
    let mut stream = asked(source, proxy, host);
    read_answer(&mut stream, &mut Vec::new());
    stream
}

/// A connection on which a tunnel was asked for.
fn asked(source: Ipv4Addr, proxy: SocketAddr, host: &str) -> TcpStream {
    let mut stream = connect(source, proxy);
    let request = format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the proxy takes the request");
    stream
}

fn read_answer(stream: &mut impl Read, buffer: &mut Vec<u8>) {
    buffer.clear();
    while !is_complete(buffer) {
        let mut piece = [0; PIECE];
        let length = stream.read(&mut piece).expect("an answer");
        assert!(length > 0, "the peer closed instead of answering");
        buffer.extend_from_slice(piece.get(..length).expect("so much was read"));
    }
}

/// Whether this is a whole answer.
fn is_complete(bytes: &[u8]) -> bool {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut answer = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(head)) = answer.parse(bytes) else { return false };
    assert_eq!(answer.code, Some(200), "{}", String::from_utf8_lossy(bytes));
    let length = answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|field| std::str::from_utf8(field.value).ok()?.parse().ok());
    bytes.len() >= head + length.unwrap_or(0_usize)
}

/// A decrypted connection that speaks HTTP/2. It has a runtime of its own, on the thread that measures.
pub(crate) struct Http2 {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
}

impl Http2 {
    /// Decrypted on the way.
    pub(crate) fn intercepted(world: &World) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let [_, http2] = &world.trusting_proxy;
        let stream = tunnel(HERE, world.product.proxy, API);
        let sender = runtime.block_on(async {
            stream.set_nonblocking(true).expect("a socket can do without blocking");
            let stream = tokio::net::TcpStream::from_std(stream).expect("the runtime takes the socket");
            let stream = TlsConnector::from(http2.clone()).connect(pki::name(API), stream).await.expect("a handshake");
            let (sender, connection) = h2::client::handshake(stream).await.expect("a connection");
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender }
    }

    /// Sends the documented request and reads its answer, which must be 200.
    pub(crate) fn get(&mut self) {
        let Self { runtime, sender } = self;
        runtime.block_on(async {
            let mut sender = sender.clone().ready().await.expect("a place for a stream");
            let request = Request::get(format!("https://{API}/test")).body(()).expect("a request");
            let (answer, _) = sender.send_request(request, true).expect("a request that can be sent");
            let (head, mut body) = answer.await.expect("an answer").into_parts();
            assert_eq!(head.status, StatusCode::OK);
            while let Some(piece) = body.data().await {
                let length = piece.expect("the body goes on").len();
                body.flow_control().release_capacity(length).expect("so much was taken");
            }
        });
    }
}
