//! An origin behind TLS that keeps every decrypted byte it was sent, whatever it then does with it.

use super::super::client::within_deadline;
use super::super::pki::Pki;
use super::Accepting;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A body that this origin answers with; its errors break the answer off.
pub type OriginBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Default)]
struct Seen {
    /// What each connection was sent, in the order of their handshakes.
    received: Vec<Vec<u8>>,
    ended: usize,
}

/// Ends, with all its connections, when dropped.
pub struct TappedOrigin {
    accepting: Accepting,
    seen: watch::Receiver<Seen>,
}

impl TappedOrigin {
    /// Runs `script` on each connection, behind its handshake.
    pub async fn scripted<F, C>(pki: &Pki, names: &[&str], alpn: &[&[u8]], script: F) -> Self
    where
        F: Fn(Tapped) -> C + Clone + Send + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let (sender, seen) = watch::channel(Seen::default());
        let acceptor = TlsAcceptor::from(pki.server_config(names, alpn));
        let accepting = Accepting::start(move |stream| {
            let (acceptor, seen, script) = (acceptor.clone(), sender.clone(), script.clone());
            async move {
                // A client that gives up the handshake is a test's business, seen from its side.
                if let Ok(stream) = acceptor.accept(stream).await {
                    script(Tapped::new(stream, seen)).await;
                }
            }
        });
        Self { accepting: accepting.await, seen }
    }

    /// Serves requests in the version that was negotiated.
    pub async fn serving<F, A>(pki: &Pki, names: &[&str], alpn: &[&[u8]], answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Response<OriginBody>> + Send + 'static,
    {
        Self::scripted(pki, names, alpn, move |stream| serve(stream, answer.clone())).await
    }

    /// Serves with [`echo`].
    pub async fn echoing(pki: &Pki, names: &[&str], alpn: &[&[u8]]) -> Self {
        Self::serving(pki, names, alpn, echo).await
    }

    pub fn addr(&self) -> SocketAddr {
        self.accepting.addr
    }

    /// What each connection was sent so far.
    pub fn received(&self) -> Vec<Vec<u8>> {
        self.seen.borrow().received.clone()
    }

    /// Waits until some connection was sent what `wanted` looks for.
    pub async fn wait_for(&self, what: &str, wanted: impl Fn(&[u8]) -> bool) {
        let mut seen = self.seen.clone();
        let met = within_deadline(what, seen.wait_for(|seen| seen.received.iter().any(|bytes| wanted(bytes))));
        met.await.expect("the origin runs");
    }

    /// Waits until every connection has ended, so that nothing more can come; gives what each was sent.
    pub async fn settled(&self) -> Vec<Vec<u8>> {
        let mut seen = self.seen.clone();
        let met = within_deadline("the connections end", seen.wait_for(|seen| seen.ended == seen.received.len()));
        met.await.expect("the origin runs").received.clone()
    }
}

async fn serve<F, A>(stream: Tapped, answer: F)
where
    F: Fn(Request<Incoming>) -> A,
    A: Future<Output = Response<OriginBody>> + Send + 'static,
{
    let is_http2 = stream.is_http2();
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    // A connection cut short is what some tests are about.
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        // The origin's own limits are no test's subject: on streams, and on small frames, which grows with this window.
        builder.max_concurrent_streams(5_000).initial_connection_window_size(1 << 30);
        builder.serve_connection(TokioIo::new(stream), service).await.ok();
    } else {
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
    }
}

/// The body that came, with its content type and its trailers; the messages of a gRPC call one by one as they come.
pub async fn echo(request: Request<Incoming>) -> Response<OriginBody> {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE).cloned();
    let is_call = content_type.as_ref().is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    let mut response = if is_call { Response::new(echo_call(body)) } else { echo_whole(body).await };
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

async fn echo_whole(body: Incoming) -> Response<OriginBody> {
    let Ok(collected) = body.collect().await else { return Response::new(full("broken")) };
    let trailers = collected.trailers().cloned();
    let body = Full::new(collected.to_bytes()).with_trailers(std::future::ready(trailers.map(Ok)));
    Response::new(body.map_err(Into::into).boxed_unsync())
}

fn echo_call(body: Incoming) -> OriginBody {
    let mut status = HeaderMap::new();
    status.insert("grpc-status", HeaderValue::from_static("0"));
    body.map_err(Into::into).with_trailers(std::future::ready(Some(Ok(status)))).boxed_unsync()
}

/// A body that is there at once.
pub fn full(text: impl Into<Bytes>) -> OriginBody {
    Full::new(text.into()).map_err(Into::into).boxed_unsync()
}

/// A body whose frames a test sends when it likes; it ends when the sender is dropped.
pub fn by_hand() -> (mpsc::UnboundedSender<Frame<Bytes>>, OriginBody) {
    let (sender, mut frames) = mpsc::unbounded_channel();
    let stream = futures_util::stream::poll_fn(move |cx| frames.poll_recv(cx).map(|frame| frame.map(Ok)));
    (sender, StreamBody::new(stream).boxed_unsync())
}

/// A decrypted connection; what is read from it is kept.
pub struct Tapped {
    stream: TlsStream<TcpStream>,
    number: usize,
    seen: watch::Sender<Seen>,
}

impl Tapped {
    fn new(stream: TlsStream<TcpStream>, seen: watch::Sender<Seen>) -> Self {
        let mut number = 0;
        seen.send_modify(|seen| {
            number = seen.received.len();
            seen.received.push(Vec::new());
        });
        Self { stream, number, seen }
    }

    pub fn is_http2(&self) -> bool {
        self.stream.get_ref().1.alpn_protocol() == Some(b"h2")
    }
}

impl Drop for Tapped {
    fn drop(&mut self) {
        self.seen.send_modify(|seen| seen.ended += 1);
    }
}

impl AsyncRead for Tapped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let (number, read) = (self.number, &buffer.filled()[before..]);
        self.seen.send_modify(|seen| seen.received[number].extend_from_slice(read));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
