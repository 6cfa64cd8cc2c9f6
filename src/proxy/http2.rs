//! HTTP/2 on an intercepted connection: the server, its limits, the end of silent connections.

use super::body::AnswerBody;
use super::calm::{self, Broken};
use super::channel::Activity;
use super::context::Context;
use crate::contain::Executor;
use crate::frames::{Metered, Peer, Watch, metered};
use crate::patience::PatientTimer;
use futures_util::FutureExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::error::Error as _;
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

/// Serves HTTP/2 on a stream until its end; one on which nothing moved for `idle` is ended. Gives how its client broke the protocol, if
/// it did.
pub async fn serve<S, H, F>(context: &Context, stream: S, activity: &Activity, idle: Duration, handle: H) -> Option<Broken>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<AnswerBody>> + Send + 'static,
{
    let (stream, mut watch) = metered(stream, Peer::Client);
    // Dropped at its end, and with it all that its streams have begun.
    let error = match drive(context, stream, &mut watch, activity, idle, handle).await {
        Driven::Late => return Some(calm::late()),
        Driven::Ended(served) => served.err(),
    };
    if let Some(error) = &error {
        tracing::debug!(%error, "an intercepted connection ended");
    }
    calm::end(watch, error.as_ref().and_then(|error| error.source()?.downcast_ref())).await
}

/// How the server came to its end.
enum Driven {
    /// The client did not begin.
    Late,
    Ended(hyper::Result<()>),
}

async fn drive<S, H, F>(
    context: &Context,
    stream: Metered<S>,
    watch: &mut Watch<S>,
    activity: &Activity,
    idle: Duration,
    handle: H,
) -> Driven
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
        served = connection.as_mut() => return Driven::Ended(served),
        // Streams under way are finished, no other is begun.
        () = context.journal.stopped() => {
            connection.as_mut().graceful_shutdown();
            return Driven::Ended(connection.await);
        }
        () = never_begun(watch, context.limits.head) => return Driven::Late,
        () = activity.silent_for(idle) => {}
    }
    // Nobody said anything for too long: the client is told (GOAWAY) and has a moment.
    connection.as_mut().graceful_shutdown();
    Driven::Ended(timeout(FAREWELL, connection).await.unwrap_or(Ok(())))
}

/// Resolves when the client has not begun within the limit.
async fn never_begun<S>(watch: &mut Watch<S>, limit: Duration) {
    if timeout(limit, watch.begun()).await.is_ok() {
        std::future::pending::<()>().await;
    }
}

fn builder(context: &Context) -> http2::Builder<Executor> {
    let mut builder = http2::Builder::new(Executor(context.metrics.clone()));
    builder
        .timer(PatientTimer)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEADERS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_OWN_RESETS);
    builder
}
