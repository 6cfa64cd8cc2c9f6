//! HTTP/2 on an intercepted connection: the server, its limits, the end of silent connections.

use super::body::AnswerBody;
use super::channel::Activity;
use super::context::Context;
use crate::contain::Executor;
use futures_util::FutureExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

/// Streams of one client connection open at once.
const MAX_STREAMS: u32 = 1_000;
/// What a client may send of one body before it was taken.
const STREAM_WINDOW: u32 = 64 * 1024;
/// What it may send of all bodies together. The HTTP/2 library gives a connection up when small frames that wait cost more than half
/// of this, 256 bytes each: a stream's window full of the smallest gRPC messages stays below.
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;
/// What is kept of an answer that the client does not take.
const SEND_BUFFER: usize = 64 * 1024;
/// Largest header section; above a smaller one inspection refuses with its reason.
const MAX_HEADERS: u32 = 64 * 1024;
/// Streams that the client may reset before they were looked at (RUSTSEC-2023-0034).
pub(super) const MAX_PENDING_RESETS: usize = 20;
/// Streams that we may reset for the client's errors (CVE-2025-8671).
pub(super) const MAX_OWN_RESETS: usize = 500;
/// Time for a client to take what is left after it was told that the connection ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves HTTP/2 on a stream until its end; one on which nothing moved for `idle` is ended.
///
/// # Errors
/// When the connection broke, or its client did not keep to the protocol.
pub async fn serve<S, H, F>(context: &Context, stream: S, activity: &Activity, idle: Duration, handle: H) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<AnswerBody>> + Send + 'static,
{
    // A combinator, not an async block: that would hold the future twice. Boxed, because each stream is a task of its own, and a task
    // is moved several times before and after it runs.
    let answering = service_fn(|request| Box::pin(handle(request)).map(Ok::<_, Infallible>));
    let mut connection = std::pin::pin!(builder(context).serve_connection(TokioIo::new(stream), answering));
    tokio::select! {
        served = connection.as_mut() => return served,
        // Streams under way are finished, no other is begun.
        () = context.journal.stopped() => {
            connection.as_mut().graceful_shutdown();
            return connection.await;
        }
        () = activity.silent_for(idle) => {}
    }
    // Nobody said anything for too long: the client is told (GOAWAY) and has a moment.
    connection.as_mut().graceful_shutdown();
    timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
}

fn builder(context: &Context) -> http2::Builder<Executor> {
    let mut builder = http2::Builder::new(Executor(context.metrics.clone()));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEADERS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_OWN_RESETS);
    builder
}
