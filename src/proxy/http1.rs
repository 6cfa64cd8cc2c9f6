//! HTTP/1.1 on a client connection: the guard in front, the HTTP server behind it, one exchange after the other.

use super::context::Context;
use super::exchange::exchange;
use super::respond::{is_refusal, linger};
use super::serve::refuse;
use super::tunnel::Inner;
use crate::destination::Malformed;
use crate::listener::accept::Counted;
use crate::listener::guarded::{Guarded, InFlight};
use crate::listener::head::{Form, MAX_FIELDS, MAX_HEAD};
use crate::stall::{StallLimit, Stalling};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;

/// How requests got here.
#[derive(Debug)]
pub enum Entry {
    /// Absolute-form on the proxy listener.
    Forward {
        /// The client.
        client: SocketAddr,
        /// Its place in limit and gauge, until a CONNECT on the same connection takes it over.
        open: Mutex<Option<Counted>>,
    },
    /// Inside a CONNECT to a plain HTTP endpoint.
    Inner(Inner),
}

impl Entry {
    /// The client.
    #[must_use]
    pub fn client(&self) -> SocketAddr {
        match self {
            Self::Forward { client, .. } => *client,
            Self::Inner(inner) => inner.client,
        }
    }

    fn form(&self) -> Form {
        match self {
            Self::Forward { .. } => Form::Absolute,
            Self::Inner(_) => Form::Origin,
        }
    }
}

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

/// Serves the requests of one connection, `ahead` first.
pub async fn connection(context: Arc<Context>, stream: TcpStream, ahead: Vec<u8>, entry: Entry) {
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
    let Some(guarded) = connection.into_parts().map(|parts| parts.io.into_inner()) else { return };
    let malformed = match served {
        Err(error) if error.is_timeout() && guarded.is_within_head() => Some(Malformed("the request head did not arrive in time")),
        _ => guarded.malformed(),
    };
    let stream = guarded.into_parts().0.into_inner();
    match malformed {
        // A head that was refused before it reached the server: nobody has answered it yet.
        Some(malformed) => refuse(&context, stream, client, malformed).await,
        None if conduct.refused.load(Ordering::Relaxed) => linger(stream).await,
        None => {}
    }
    drop(entry);
}
