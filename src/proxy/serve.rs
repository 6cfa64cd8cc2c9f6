//! A connection on the proxy listener, from its first byte to the path it takes.

use super::context::Context;
use super::http1::{self, Entry};
use super::respond::{Answer, send_and_close};
use super::{connect, tunnel};
use crate::audit::{Ended, Start};
use crate::destination::Malformed;
use crate::error::Refusal;
use crate::listener::Accepted;
use crate::listener::head::{self, Form, Opening};
use crate::metrics::Protocol;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// First room for a request head; a CONNECT fits.
const FIRST_ROOM: usize = 1024;

/// Serves one connection.
pub async fn connection(context: Arc<Context>, accepted: Accepted) {
    let Accepted { mut stream, client, open } = accepted;
    let mut bytes = Vec::with_capacity(FIRST_ROOM);
    let opening = match timeout(context.limits.head, read_head(&context, &mut stream, &mut bytes)).await {
        Ok(Ok(Some(length))) => head::read(bytes.get(..length).unwrap_or_default(), Form::Absolute).map(|head| (head.opening, length)),
        // Nobody asked anything: an open port check, a pre-connection, or a client that hung up.
        Ok(Ok(None)) => return,
        Err(_) if bytes.is_empty() => return,
        Ok(Err(malformed)) => Err(malformed),
        Err(_) => Err(Malformed("the request head did not arrive in time")),
    };
    match opening {
        Ok((Opening::Connect(destination, host), length)) => {
            let request = connect::Request { client, destination, host };
            bytes.drain(..length);
            connect::serve(context, stream, open, request, bytes).await;
        }
        Ok((Opening::Http, _)) => {
            http1::connection(context, stream, bytes, Entry::Forward { client, open: Mutex::new(Some(open)) }).await;
        }
        Err(malformed) => refuse(&context, stream, client, malformed).await,
    }
}

/// The length of the first head, or `None` when the client left before it sent a byte. A proxy that stops does not wait for
/// clients that have asked nothing yet.
async fn read_head(context: &Context, stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
    loop {
        let before = bytes.len();
        let read = tokio::select! {
            biased;
            read = stream.read_buf(bytes) => read.unwrap_or(0),
            () = context.journal.stopped(), if before == 0 => return Ok(None),
        };
        if read == 0 {
            return if before == 0 { Ok(None) } else { Err(Malformed("the connection ended within the request head")) };
        }
        if before == 0 {
            head::check_start(bytes)?;
        }
        if let Some(length) = head::end(bytes, before) {
            return Ok(Some(length));
        }
        if bytes.len() > head::MAX_HEAD {
            return Err(head::TOO_LARGE);
        }
        head::check_start(bytes)?;
    }
}

/// Answers a head that cannot be read.
pub(super) async fn refuse(context: &Context, stream: TcpStream, client: SocketAddr, malformed: Malformed) {
    let mut record = context.record(Start { client, protocol: Protocol::Http1, method: "-" });
    let refusal = Refusal::bad_request(malformed.0);
    record.refused(&refusal);
    record.answered(refusal.reason.status());
    record.ended(Ended::Refused);
    let answer = Answer::refusal(&refusal, record.id()).into_bytes();
    drop(record);
    send_and_close(stream, answer).await;
}

/// Serves a tunnel that carries plain HTTP. Boxed: it can open tunnels of its own, and a tunnel's task should stay small.
pub(super) fn plain_http(
    context: Arc<Context>,
    stream: TcpStream,
    ahead: Vec<u8>,
    inner: tunnel::Inner,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(http1::connection(context, stream, ahead, Entry::Inner(inner)))
}
