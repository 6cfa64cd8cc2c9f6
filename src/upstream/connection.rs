//! A connection that speaks HTTP to an upstream, for one exchange.

use super::form::{RequestBody, to_http1, to_http2};
use super::pool::Pool;
use super::shared::Lease;
use crate::destination::Destination;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use std::fmt;
use std::sync::Arc;

/// A connection for one exchange, and the pool it came from.
pub struct Connection {
    sender: Sender,
    destination: Destination,
    pool: Arc<Pool>,
}

enum Sender {
    Http1(http1::SendRequest<RequestBody>),
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
    pub fn http1(sender: http1::SendRequest<RequestBody>, destination: Destination, pool: Arc<Pool>) -> Self {
        Self { sender: Sender::Http1(sender), destination, pool }
    }

    /// A stream of one that speaks HTTP/2.
    #[must_use]
    pub fn http2(lease: Lease, destination: Destination, pool: Arc<Pool>) -> Self {
        Self { sender: Sender::Http2(lease), destination, pool }
    }

    /// Whether it speaks HTTP/2.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends a request, put into the form of this connection's version.
    ///
    /// # Errors
    /// With the request itself where nothing of it was sent.
    pub async fn send(&mut self, mut request: Request<RequestBody>) -> Result<Response<Incoming>, Box<TrySendError<Request<RequestBody>>>> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                to_http1(&mut request);
                sender.try_send_request(request).await.map_err(Box::new)
            }
            Sender::Http2(lease) => {
                to_http2(&mut request);
                lease.sender().try_send_request(request).await.map_err(Box::new)
            }
        }
    }

    /// It was seen to end: nobody is given it any more.
    pub fn give_up(&self) {
        if let Sender::Http2(lease) = &self.sender {
            lease.give_up();
        }
    }

    /// The answer was read to its end: the next exchange may use the connection.
    pub fn keep(self) {
        if let Sender::Http1(sender) = self.sender {
            self.pool.put(&self.destination, sender);
        }
    }
}
