//! One connection to a listener that only shows: HTTP/1.1, GET and HEAD, no client that stalls.

use crate::access::Offered;
use crate::listener::Accepted;
use crate::stall::{StallLimit, Stalling};
use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};
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
use std::time::Duration;

/// A complete request head, and the longest silence between two requests.
const HEAD: Duration = Duration::from_mins(1);
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
    fn new(request: &Request<Incoming>, client: SocketAddr, local: SocketAddr) -> Self {
        let field = |name| request.headers().get(name);
        let in_target = request.uri().authority().map(ToString::to_string);
        Self {
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            host: in_target.or_else(|| field(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned)),
            credentials: field(AUTHORIZATION).map(|value| Offered::new(value.as_bytes())),
            client,
            local,
        }
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
    let Accepted { stream, open, client } = accepted;
    let Ok(local) = stream.local_addr() else { return };
    let stream = Stalling::new(stream, StallLimit::new(UNREAD));
    let serve = service_fn(|request: Request<Incoming>| {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let answering = is_read.then(|| answer(Asked::new(&request, client, local)));
        async move {
            Ok::<_, Infallible>(match answering {
                Some(answering) => answering.await,
                None => read_only(),
            })
        }
    });
    let served =
        http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEAD).serve_connection(TokioIo::new(stream), serve).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection that only shows ended");
    }
    drop(open);
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
