//! One connection to a listener that only shows: HTTP/1.1, GET and HEAD, no client that stalls.

use crate::access::Offered;
use crate::listener::Accepted;
use crate::listener::silent::Silence;
use crate::stall::{StallLimit, Stalling};
use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::borrow::Cow;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep;

/// The first request head is complete so soon: whoever connects here has something to ask.
const FIRST_HEAD: Duration = Duration::from_secs(5);
/// A further one: longer than the minute at which many a Prometheus scrapes. Who is silent meanwhile makes room where there is none.
const KEPT: Duration = Duration::from_secs(90);
/// How long an answer may stand unread.
const UNREAD: Duration = Duration::from_secs(10);
/// Plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// Hypertext.
pub const HTML: &str = "text/html; charset=utf-8";
/// A style sheet.
pub const CSS: &str = "text/css; charset=utf-8";

/// An answer.
pub type Page = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// What a client asks.
#[derive(Debug)]
pub struct Asked {
    /// The path of the target.
    pub path: String,
    /// What stands behind its question mark.
    query: String,
    /// The Host field, if it can be read.
    pub host: Option<String>,
    /// What it offers to be let in.
    pub credentials: Option<Offered>,
    /// Who asks.
    pub client: SocketAddr,
    /// The address of ours that it came to.
    pub local: SocketAddr,
}

impl Asked {
    /// Reads a request. RFC 9112 section 3.2: no Host, or two of them, is no request. Section 3.2.2 has a server accept a whole URI as
    /// the target; from a client that takes this listener for the proxy that helps nobody, so it is told.
    fn read(request: &Request<Incoming>, client: SocketAddr, local: SocketAddr) -> Result<Self, &'static str> {
        if request.uri().authority().is_some() {
            return Err("the target is a whole URI, as it is sent to a proxy; this listener is none, so ask for a path\n");
        }
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err("there are two Host fields; send one (RFC 9112 section 3.2)\n");
        }
        if host.is_none() && request.version() == Version::HTTP_11 {
            return Err("there is no Host field; send one (RFC 9112 section 3.2)\n");
        }
        Ok(Self {
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            host: host.and_then(|host| host.to_str().ok()).map(str::to_owned),
            credentials: request.headers().get(AUTHORIZATION).map(|value| Offered::new(value.as_bytes())),
            client,
            local,
        })
    }

    /// A parameter of the query; none if it is absent or empty.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value)
    }
}

/// Serves one connection.
pub async fn serve<F: Future<Output = Page>>(accepted: Accepted, answer: impl Fn(Asked) -> F) {
    let Accepted { stream, client, silence, open: _open } = accepted;
    let silence = Arc::new(silence);
    let Ok(local) = stream.local_addr() else { return };
    let stream = Stalling::new(stream, StallLimit::new(UNREAD));
    let has_asked = AtomicBool::new(false);
    let serve = service_fn(|request: Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        let under_way = Answering::begin(&silence);
        let answering = asked(&request, client, local).map(&answer);
        async move {
            let answer = match answering {
                Ok(answering) => answering.await,
                Err(refusal) => *refusal,
            };
            Ok::<_, Infallible>(answer.map(|body| UnderWay { body, _until_sent: under_way }))
        }
    });
    let serving = http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(KEPT).serve_connection(TokioIo::new(stream), serve);
    let served = tokio::select! {
        served = silence.bear(serving) => served,
        () = nothing_asked(&has_asked) => return,
    };
    if let Ok(Err(error)) = served {
        tracing::debug!(%error, "a connection that only shows ended");
    }
}

/// Resolves where nothing was asked in time.
async fn nothing_asked(has_asked: &AtomicBool) {
    sleep(FIRST_HEAD).await;
    if has_asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

fn asked(request: &Request<Incoming>, client: SocketAddr, local: SocketAddr) -> Result<Asked, Box<Page>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Box::new(read_only()));
    }
    Asked::read(request, client, local).map_err(|why| Box::new(page(StatusCode::BAD_REQUEST, TEXT, why)))
}

/// An answer under way; meanwhile nobody takes the connection's place.
struct Answering(Arc<Silence>);

impl Answering {
    fn begin(silence: &Arc<Silence>) -> Self {
        // Whoever has to go already is ended all the same.
        let _ = silence.end();
        Self(silence.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.again();
    }
}

/// The body of an answer that is under way.
struct UnderWay {
    body: UnsyncBoxBody<Bytes, Infallible>,
    _until_sent: Answering,
}

impl Body for UnderWay {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn read_only() -> Page {
    let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "this listener is read only\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// An answer that is not kept.
pub fn page(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Page {
    streamed(status, content_type, Full::new(body.into()).boxed_unsync())
}

/// As [`page`], with a body that comes bit by bit.
pub fn streamed(status: StatusCode, content_type: &'static str, body: UnsyncBoxBody<Bytes, Infallible>) -> Page {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
