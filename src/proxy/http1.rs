//! HTTP/1.1 on a client connection: the guard in front, the HTTP server behind it, one exchange after the other.

use super::body::AnswerBody;
use super::context::Context;
use super::entry::{Entry, HandOver};
use super::exchange::exchange;
use super::live::Live;
use super::respond::{is_refusal, linger, linger_for_body, refuse_head};
use super::tunnel::Tunnel;
use crate::listener::guarded::{Guarded, InFlight, LATE};
use crate::listener::head::{Form, MAX_FIELDS, MAX_HEAD, MAX_HELD};
use crate::patience::PatientTimer;
use crate::socket::Socket;
use crate::stall::{StallLimit, Stalling};
use futures_util::FutureExt as _;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// How the connection's exchanges go.
#[derive(Debug, Clone)]
struct Conduct {
    /// Whether the last exchange was refused: the client may still be sending it.
    refused: Arc<AtomicBool>,
    /// Requests that are not answered yet.
    in_flight: InFlight,
}

/// Serves the requests of one connection, `ahead` first, until its end or until a CONNECT among them has made it a tunnel.
pub async fn connection(live: Arc<Live>, stream: Socket, ahead: Vec<u8>, entry: Entry) -> Option<Tunnel> {
    let context = live.context();
    let (client, form) = (entry.client(), entry.form());
    let stall = StallLimit::new(context.limits.answer);
    let stream = Stalling::new(stream, stall.clone());
    let terms = Terms { client, form, stall, between: context.limits.head };
    let entry = Arc::new(entry);
    let handle = {
        let (entry, stall) = (entry.clone(), terms.stall.clone());
        move |request| exchange(live.context(), entry.clone(), stall.clone(), request)
    };
    // How it went is in the records of its exchanges.
    let _ = serve(&context, stream, ahead, terms, handle).await;
    match entry.handed_over() {
        Some(left) => tunnel(*left).await,
        None => None,
    }
}

/// How a connection is served.
#[derive(Debug)]
pub struct Terms {
    /// The client.
    pub client: SocketAddr,
    /// What request targets look like.
    pub form: Form,
    /// How long the client may take nothing.
    pub stall: StallLimit,
    /// Longest silence between two requests.
    pub between: Duration,
}

/// Serves HTTP/1.1 on a stream until its end, and answers what was refused before it reached the HTTP server.
///
/// # Errors
/// When the connection broke, or its client was late.
pub async fn serve<S, H, F>(context: &Context, stream: S, ahead: Vec<u8>, terms: Terms, handle: H) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<AnswerBody>>,
{
    let conduct = Conduct { refused: Arc::default(), in_flight: InFlight::default() };
    let answering = service_fn(|request| {
        let (conduct, journal) = (conduct.clone(), context.journal.clone());
        // A combinator, not an async block: that would hold the future twice.
        handle(request).map(move |mut response| {
            if journal.is_leaving() {
                // The client asks its next request elsewhere, rather than one that crosses our end.
                response.headers_mut().insert(CONNECTION, CLOSE);
            }
            conduct.refused.store(is_refusal(&response), Ordering::Relaxed);
            Ok::<_, Infallible>(response.map(|body| body.answering(conduct.in_flight)))
        })
    });
    let guarded = Guarded::new(stream, ahead, terms.form, conduct.in_flight.clone(), context.limits.head);
    let mut connection = http1::Builder::new()
        .timer(PatientTimer)
        .half_close(true)
        .header_read_timeout(terms.between)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HELD)
        .max_headers(MAX_FIELDS)
        .serve_connection(TokioIo::new(guarded), answering)
        .with_upgrades();
    let mut pinned = Pin::new(&mut connection);
    let served = tokio::select! {
        served = pinned.as_mut() => served,
        () = context.journal.stopped() => {
            // The exchange under way is finished, no other is begun.
            pinned.as_mut().graceful_shutdown();
            pinned.await
        }
    };
    // A connection that became a tunnel is no longer the server's.
    let Some(parts) = connection.into_parts() else { return served };
    let guarded = parts.io.into_inner();
    let malformed = match &served {
        Err(error) if error.is_timeout() && guarded.is_within_head() => Some(LATE),
        _ => guarded.malformed(),
    };
    let is_sending = guarded.is_within_body();
    let stream = guarded.into_parts().0;
    match malformed {
        // A head that was refused before it reached the server: nobody has answered it yet.
        Some(malformed) => refuse_head(context, stream, terms.client, malformed).await,
        None if is_sending => linger_for_body(stream).await,
        None if conduct.refused.load(Ordering::Relaxed) => linger(stream).await,
        None => {}
    }
    served
}

/// Takes the socket back from the HTTP server, with what was read beyond the request. A client that left before the answer was
/// written leaves nothing to relay.
async fn tunnel(left: HandOver) -> Option<Tunnel> {
    let HandOver { context, upgrade, way, permit, record, open } = left;
    let parts = upgrade.await.ok()?.downcast::<TokioIo<Guarded<Stalling<Socket>>>>().ok()?;
    let (client, unread) = parts.io.into_inner().into_parts();
    let ahead = [&parts.read_buf[..], &unread[..]].concat();
    Some(Tunnel { context, client: client.into_inner(), way, ahead, permit, record, open })
}
