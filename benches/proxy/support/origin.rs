//! The stand-in for the cloud: real TLS and HTTP in a thread of its own, and a peer that only holds its connections.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// What every request is answered with.
const ANSWER: &[u8] = br#"{"message":"successfully connected!"}"#;
/// What the silent peer says once something has reached it.
pub(crate) const REACHED: u8 = b'.';
/// Connections that may wait until they are accepted.
const BACKLOG: i32 = 4_096;

/// A running stand-in. It ends, with all its connections, when dropped.
pub(crate) struct Origin {
    /// Where it serves requests.
    pub(crate) cloud: SocketAddr,
    /// Where it says one byte to whoever says something, and nothing more.
    pub(crate) silent: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    pub(crate) fn start(tls: Arc<ServerConfig>) -> Self {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let (cloud, silent) = (listen(), listen());
                let address = |listener: &TcpListener| listener.local_addr().expect("a bound listener has an address");
                tell.send((address(&cloud), address(&silent))).expect("the starter waits");
                let acceptor = TlsAcceptor::from(tls);
                tokio::spawn(accept(cloud, move |stream| serve(acceptor.clone(), stream)));
                tokio::spawn(accept(silent, hold));
                // Either it is told to stop, or there is nobody left who could tell.
                let _ = stopped.await;
            });
        });
        let (cloud, silent) = told.recv().expect("the stand-in starts");
        Self { cloud, silent, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has told already why it panicked, if it did.
            let _ = thread.join();
        }
    }
}

fn listen() -> TcpListener {
    let listening = (|| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket.into())
    })();
    listening.expect("loopback has a free port")
}

async fn accept<C>(listener: TcpListener, serve: impl Fn(TcpStream) -> C)
where
    C: Future<Output = ()> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await.expect("an open listener accepts");
        // A peer that is gone again needs no answer.
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream));
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream) {
    // Connections end as the benchmarks have them end; what they measure they check themselves.
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream = TokioIo::new(stream);
    let _ = if is_http2 {
        http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service_fn(answer)).await
    } else {
        http1::Builder::new().serve_connection(stream, service_fn(answer)).await
    };
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER)));
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    Ok(response)
}

async fn hold(mut stream: TcpStream) {
    let mut bytes = [0; 4_096];
    let mut is_first = true;
    while let Ok(1..) = stream.read(&mut bytes).await {
        if is_first && stream.write_all(&[REACHED]).await.is_err() {
            return;
        }
        is_first = false;
    }
}
