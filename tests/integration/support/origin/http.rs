//! HTTP/1.1 origins, in the clear and behind TLS, with the same routes:
//!
//! - `GET /test`: `{"message":"successfully connected!"}`
//! - `POST /echo`: the request's body and content type
//! - `/headers`: the request's headers as a JSON list of pairs
//! - `/stream/N`: N chunks, `/stream` three; chunk i is the line `chunk i`
//! - `/status/NNN`: that status, no body

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::super::client::within_deadline;
use super::super::pki::Pki;
use super::Accepting;

/// One request as the origin received it.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: Method,
    /// As in the request line: the proxy must send origin-form.
    pub uri: Uri,
    pub version: Version,
    pub headers: HeaderMap,
    /// Complete once the origin answers, empty before.
    pub body: Bytes,
    /// What the TLS client asked for; `None` in the clear.
    pub server_name: Option<String>,
}

#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: usize,
    pub(super) requests: Vec<Recorded>,
}

/// Plain HTTP/1.1 on loopback. Ends when dropped.
pub struct HttpOrigin {
    accepting: Accepting,
    seen: watch::Receiver<Seen>,
}

impl HttpOrigin {
    pub async fn start() -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        let accepting = Accepting::start(move |stream| {
            let seen = sender.clone();
            async move {
                seen.send_modify(|seen| seen.connections += 1);
                serve(stream, None, seen).await;
            }
        });
        Self { accepting: accepting.await, seen }
    }

    pub fn addr(&self) -> SocketAddr {
        self.accepting.addr
    }

    /// How many TCP connections arrived, whether or not a request followed.
    pub fn connections(&self) -> usize {
        self.seen.borrow().connections
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.seen.borrow().requests.clone()
    }

    pub async fn wait_for_requests(&self, count: usize) {
        let mut seen = self.seen.clone();
        let met = within_deadline("requests", seen.wait_for(|seen| seen.requests.len() >= count));
        met.await.expect("the origin runs");
    }
}

/// [`HttpOrigin`] behind TLS: it has the same methods.
pub struct TlsOrigin(HttpOrigin);

impl TlsOrigin {
    /// Presents a leaf of `pki` for `names`. It speaks HTTP/1.1 whatever `alpn` offers.
    pub async fn start(pki: &Pki, names: &[&str], alpn: &[&[u8]]) -> Self {
        let (sender, seen) = watch::channel(Seen::default());
        let acceptor = TlsAcceptor::from(pki.server_config(names, alpn));
        let accepting = Accepting::start(move |stream| {
            let (acceptor, seen) = (acceptor.clone(), sender.clone());
            async move {
                seen.send_modify(|seen| seen.connections += 1);
                // A client that gives up the handshake is a test's business, seen from its side.
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let server_name = stream.get_ref().1.server_name().map(str::to_owned);
                serve(stream, server_name, seen).await;
            }
        });
        Self(HttpOrigin { accepting: accepting.await, seen })
    }
}

impl std::ops::Deref for TlsOrigin {
    type Target = HttpOrigin;

    fn deref(&self) -> &HttpOrigin {
        &self.0
    }
}

async fn serve<S>(stream: S, server_name: Option<String>, seen: watch::Sender<Seen>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| {
        let (server_name, seen) = (server_name.clone(), seen.clone());
        async move { Ok::<_, hyper::Error>(answer(record(request, server_name, &seen).await?)) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    connection.await.ok(); // a connection cut short is what some tests are about
}

/// Shows the request to the test as soon as its head is there, then waits for the body.
pub(super) async fn record(
    request: Request<Incoming>,
    server_name: Option<String>,
    seen: &watch::Sender<Seen>,
) -> Result<Recorded, hyper::Error> {
    let (head, body) = request.into_parts();
    let mut recorded =
        Recorded { method: head.method, uri: head.uri, version: head.version, headers: head.headers, body: Bytes::new(), server_name };
    let mut index = 0;
    seen.send_modify(|seen| {
        index = seen.requests.len();
        seen.requests.push(recorded.clone());
    });
    recorded.body = body.collect().await?.to_bytes();
    seen.send_modify(|seen| seen.requests[index].body = recorded.body.clone());
    Ok(recorded)
}

pub(super) type Answer = Response<BoxBody<Bytes, Infallible>>;

pub(super) fn answer(request: Recorded) -> Answer {
    let path = request.uri.path();
    match (request.method.as_str(), path) {
        ("GET", "/test") => json(r#"{"message":"successfully connected!"}"#.into()),
        ("POST", "/echo") => echo(request),
        (_, "/headers") => json(header_pairs(&request.headers)),
        (_, "/stream") => stream(3),
        _ => numbered(path).unwrap_or_else(|| status(StatusCode::NOT_FOUND)),
    }
}

/// The routes that end in a number.
fn numbered(path: &str) -> Option<Answer> {
    if let Some(count) = path.strip_prefix("/stream/") {
        return Some(stream(count.parse().ok()?));
    }
    let code = path.strip_prefix("/status/")?;
    Some(status(code.parse().ok()?))
}

fn json(text: String) -> Answer {
    let mut answer = Response::new(Full::from(text).boxed());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn echo(request: Recorded) -> Answer {
    let mut answer = Response::new(Full::from(request.body).boxed());
    if let Some(content_type) = request.headers.get(CONTENT_TYPE) {
        answer.headers_mut().insert(CONTENT_TYPE, content_type.clone());
    }
    answer
}

fn header_pairs(headers: &HeaderMap) -> String {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pairs: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    serde_json::to_string(&pairs).expect("pairs of text are JSON")
}

fn stream(count: usize) -> Answer {
    Response::new(Chunks { next: 0, count }.boxed())
}

fn status(code: StatusCode) -> Answer {
    let mut answer = Response::new(Empty::new().boxed());
    *answer.status_mut() = code;
    answer
}

/// A body of unannounced length, so hyper sends it chunked.
struct Chunks {
    next: usize,
    count: usize,
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.next == self.count {
            return Poll::Ready(None);
        }
        let chunk = format!("chunk {}\n", self.next);
        self.next += 1;
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }
}
