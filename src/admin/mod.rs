//! The admin listener: metrics, health and status. Read only.

mod status;

use crate::listener::Accepted;
use crate::proxy::Context;
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
use std::sync::Arc;
use std::time::Duration;

/// A complete request head, and the longest silence between two requests.
const HEAD: Duration = Duration::from_mins(1);
/// How long an answer may stand unread.
const UNREAD: Duration = Duration::from_secs(10);
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// The exposition format's own type.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves one connection.
pub async fn connection(context: Arc<Context>, accepted: Accepted) {
    let Accepted { stream, open, .. } = accepted;
    let stream = Stalling::new(stream, StallLimit::new(UNREAD));
    let serve = service_fn(|request: Request<Incoming>| {
        let response = answer(&context, request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    });
    let served =
        http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEAD).serve_connection(TokioIo::new(stream), serve).await;
    if let Err(error) = served {
        tracing::debug!(%error, "admin connection ended");
    }
    drop(open);
}

fn answer(context: &Context, method: &Method, path: &str) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "the admin listener is read only\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/metrics" => page(StatusCode::OK, METRICS, context.metrics.text()),
        "/healthz" => page(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" if context.journal.is_stopping() => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "stopping\n"),
        "/readyz" => page(StatusCode::OK, TEXT, "ready\n"),
        "/api/status" => page(StatusCode::OK, JSON, status::document(context)),
        _ => page(StatusCode::NOT_FOUND, TEXT, "here are /metrics, /healthz, /readyz and /api/status\n"),
    }
}

fn page(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
