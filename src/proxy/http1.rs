//! HTTP/1.1 on a client connection: the guard in front, the HTTP server behind it, one exchange after the other.

use super::context::Context;
use super::entry::{Entry, HandOver};
use super::exchange::exchange;
use super::respond::{is_refusal, linger, refuse_head};
use super::tunnel::Tunnel;
use crate::destination::Malformed;
use crate::listener::guarded::{Guarded, InFlight};
use crate::listener::head::{MAX_FIELDS, MAX_HEAD};
use crate::stall::{StallLimit, Stalling};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpStream;

/// How the connection's exchanges go.
#[derive(Debug, Clone)]
struct Conduct {
    /// How long the client may take nothing.
    stall: StallLimit,
    /// Whether the last exchange was refused: the client may still be sending it.
    refused: Arc<AtomicBool>,
    /// Requests that are not answered yet.
    in_flight: InFlight,
}

/// Serves the requests of one connection, `ahead` first, until its end or until a CONNECT among them has made it a tunnel.
pub async fn connection(context: Arc<Context>, stream: TcpStream, ahead: Vec<u8>, entry: Entry) -> Option<Tunnel> {
    let (client, form) = (entry.client(), entry.form());
    let entry = Arc::new(entry);
    let conduct = Conduct { stall: StallLimit::new(context.limits.answer), refused: Arc::default(), in_flight: InFlight::default() };
    let stream = Stalling::new(stream, conduct.stall.clone());
    let serve = {
        let (context, entry, conduct) = (context.clone(), entry.clone(), conduct.clone());
        service_fn(move |request| {
            let (context, entry, conduct) = (context.clone(), entry.clone(), conduct.clone());
            async move {
                let response = exchange(context, &entry, &conduct.stall, request).await;
                conduct.refused.store(is_refusal(&response), Ordering::Relaxed);
                Ok::<_, Infallible>(response.map(|body| body.answering(conduct.in_flight.clone())))
            }
        })
    };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .half_close(true)
        .header_read_timeout(context.limits.head)
        .max_header_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .serve_connection(TokioIo::new(Guarded::new(stream, ahead, form, conduct.in_flight.clone())), serve)
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
    if let Some(left) = entry.handed_over() {
        return tunnel(*left).await;
    }
    let guarded = connection.into_parts()?.io.into_inner();
    let malformed = match served {
        Err(error) if error.is_timeout() && guarded.is_within_head() => Some(Malformed("the request head did not arrive in time")),
        _ => guarded.malformed(),
    };
    let stream = guarded.into_parts().0.into_inner();
    match malformed {
        // A head that was refused before it reached the server: nobody has answered it yet.
        Some(malformed) => refuse_head(&context, stream, client, malformed).await,
        None if conduct.refused.load(Ordering::Relaxed) => linger(stream).await,
        None => {}
    }
    None
}

/// Takes the socket back from the HTTP server, with what was read beyond the request. A client that left before the answer was
/// written leaves nothing to relay.
async fn tunnel(left: HandOver) -> Option<Tunnel> {
    let HandOver { upgrade, upstream, permit, record, open } = left;
    let parts = upgrade.await.ok()?.downcast::<TokioIo<Guarded<Stalling<TcpStream>>>>().ok()?;
    let (client, unread) = parts.io.into_inner().into_parts();
    let ahead = [&parts.read_buf[..], &unread[..]].concat();
    Some(Tunnel { client: client.into_inner(), upstream, ahead, permit, record, open })
}
