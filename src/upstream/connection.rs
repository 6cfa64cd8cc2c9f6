//! A connection that speaks HTTP to an upstream, for one exchange.

use super::form::{RequestBody, to_http1, to_http2};
use super::pool::{Http1, Pool};
use super::shared::Lease;
use crate::destination::Destination;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use std::fmt;
use std::sync::Arc;

/// A connection for one exchange, and the pool it came from.
///
/// One that is dropped without having been kept ends at once: what an upstream does not take must not wait for it.
pub struct Connection {
    /// Present until it is kept.
    sender: Option<Sender>,
    destination: Destination,
    pool: Arc<Pool>,
}

enum Sender {
    Http1(Http1),
    Http2(Lease),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("destination", &self.destination).finish_non_exhaustive()
    }
}

impl Connection {
    /// One that speaks HTTP/1.1.
    #[must_use]
    pub fn http1(connection: Http1, destination: Destination, pool: Arc<Pool>) -> Self {
        Self { sender: Some(Sender::Http1(connection)), destination, pool }
    }

    /// A stream of one that speaks HTTP/2.
    #[must_use]
    pub fn http2(lease: Lease, destination: Destination, pool: Arc<Pool>) -> Self {
        Self { sender: Some(Sender::Http2(lease)), destination, pool }
    }

    /// Whether it speaks HTTP/2.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        matches!(self.sender, Some(Sender::Http2(_)))
    }

    /// Sends a request, put into the form of this connection's version.
    ///
    /// # Errors
    /// With the request itself where nothing of it was sent.
    pub async fn send(&mut self, mut request: Request<RequestBody>) -> Result<Response<Incoming>, Box<TrySendError<Request<RequestBody>>>> {
        match &mut self.sender {
            Some(Sender::Http2(lease)) => {
                to_http2(&mut request);
                lease.sender().try_send_request(request).await.map_err(Box::new)
            }
            Some(Sender::Http1(connection)) => {
                to_http1(&mut request);
                connection.sender.try_send_request(request).await.map_err(Box::new)
            }
            // It is kept only by whoever gives it up.
            None => std::future::pending().await,
        }
    }

    /// It was seen to end: nobody is given it any more.
    pub fn give_up(&self) {
        if let Some(Sender::Http2(lease)) = &self.sender {
            lease.give_up();
        }
    }

    /// The answer was read to its end: the next exchange may use the connection.
    pub fn keep(mut self) {
        if let Some(Sender::Http1(connection)) = self.sender.take() {
            self.pool.put(&self.destination, connection);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(Sender::Http1(connection)) = &self.sender {
            connection.task.abort();
        }
    }
}
