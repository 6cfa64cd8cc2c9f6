//! Origins behind TLS of any kind, that show how each handshake went and then answer, or follow a script.

use super::Accepting;
use super::http::{Recorded, Seen, answer, record};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{HandshakeKind, NamedGroup, ProtocolVersion, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A handshake as the origin saw it.
#[derive(Clone, Debug)]
pub struct Handshake {
    pub server_name: Option<String>,
    pub alpn: Option<Vec<u8>>,
    pub version: Option<ProtocolVersion>,
    pub group: Option<NamedGroup>,
    pub kind: Option<HandshakeKind>,
    /// Whether data came before the handshake was complete (0-RTT).
    pub early_data: bool,
}

impl Handshake {
    fn of(stream: &mut TlsStream<TcpStream>) -> Self {
        let connection = stream.get_mut().1;
        Self {
            server_name: connection.server_name().map(str::to_owned),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            version: connection.protocol_version(),
            group: connection.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name),
            kind: connection.handshake_kind(),
            early_data: connection.early_data().is_some(),
        }
    }
}

/// Ends, with all its connections, when dropped.
pub struct SecureOrigin {
    accepting: Accepting,
    handshakes: watch::Receiver<Vec<Handshake>>,
    seen: watch::Receiver<Seen>,
}

impl SecureOrigin {
    /// Speaks what was negotiated, with the routes of [`super::HttpOrigin`].
    pub async fn start(config: Arc<ServerConfig>) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        Self::serving(config, seen, move |_, stream| serve(stream, sender.clone())).await
    }

    /// Runs `script` on each connection that shook hands; it is told how many did before.
    pub async fn scripted<F, C>(config: Arc<ServerConfig>, script: F) -> Self
    where
        F: Fn(usize, TlsStream<TcpStream>) -> C + Clone + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        Self::serving(config, watch::channel(Seen::default()).1, script).await
    }

    async fn serving<F, C>(config: Arc<ServerConfig>, seen: watch::Receiver<Seen>, script: F) -> Self
    where
        F: Fn(usize, TlsStream<TcpStream>) -> C + Clone + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let (sender, handshakes) = watch::channel(Vec::new());
        let acceptor = TlsAcceptor::from(config);
        let accepting = Accepting::start(move |stream| {
            let (acceptor, handshakes, script) = (acceptor.clone(), sender.clone(), script.clone());
            async move {
                // A client that gives up the handshake is a test's business, seen from its side.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut before = 0;
                handshakes.send_modify(|handshakes: &mut Vec<Handshake>| {
                    before = handshakes.len();
                    handshakes.push(Handshake::of(&mut stream));
                });
                script(before, stream).await;
            }
        });
        Self { accepting: accepting.await, handshakes, seen }
    }

    pub fn addr(&self) -> SocketAddr {
        self.accepting.addr
    }

    /// The handshakes that were completed, in order.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.handshakes.borrow().clone()
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.seen.borrow().requests.clone()
    }
}

async fn serve(stream: TlsStream<TcpStream>, seen: watch::Sender<Seen>) {
    let server_name = stream.get_ref().1.server_name().map(str::to_owned);
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| {
        let (server_name, seen) = (server_name.clone(), seen.clone());
        async move { Ok::<_, hyper::Error>(answer(record(request, server_name, &seen).await?)) }
    });
    let stream = TokioIo::new(stream);
    // A connection cut short is what some tests are about.
    if is_http2 {
        http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await.ok();
    } else {
        http1::Builder::new().serve_connection(stream, service).await.ok();
    }
}
