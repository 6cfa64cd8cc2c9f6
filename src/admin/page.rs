//! One connection to a listener that only shows: HTTP/1.1, GET and HEAD, no client that stalls.

use crate::listener::Accepted;
use crate::stall::{StallLimit, Stalling};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

/// A complete request head, and the longest silence between two requests.
const HEAD: Duration = Duration::from_mins(1);
/// How long an answer may stand unread.
const UNREAD: Duration = Duration::from_secs(10);
/// Plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// An answer.
pub type Page = Response<Full<Bytes>>;

/// Serves one connection. `answer` gets the path, and the address of ours that the client came to.
pub async fn serve(accepted: Accepted, answer: impl Fn(&str, SocketAddr) -> Page) {
    let Accepted { stream, open, .. } = accepted;
    let Ok(local) = stream.local_addr() else { return };
    let stream = Stalling::new(stream, StallLimit::new(UNREAD));
    let serve = service_fn(|request: Request<Incoming>| {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let page = if is_read { answer(request.uri().path(), local) } else { read_only() };
        async move { Ok::<_, Infallible>(page) }
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
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
