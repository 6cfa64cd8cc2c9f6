//! A CONNECT on a connection that served other requests before.

use super::body::AnswerBody;
use super::connect;
use super::context::Context;
use super::exchange::refuse;
use super::http1::Entry;
use super::respond::DECISION_ID;
use super::tunnel::{self, Tunnel};
use crate::audit::Record;
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::listener::accept::contained;
use crate::listener::guarded::Guarded;
use crate::listener::head;
use crate::stall::Stalling;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::sync::{Arc, PoisonError};
use tokio::net::TcpStream;

/// Decides and dials as for a first CONNECT, then takes the connection out of the HTTP server's hands.
pub async fn connect_again(context: Arc<Context>, entry: &Entry, request: Request<Incoming>, mut record: Record) -> Response<AnswerBody> {
    let open = match entry {
        Entry::Forward { open, .. } => open.lock().unwrap_or_else(PoisonError::into_inner).take(),
        Entry::Inner(_) => None,
    };
    let Some(open) = open else {
        let refusal = Refusal::new(Reason::MethodNotAllowed, "there is no CONNECT inside a tunnel", RuleName::Builtin("known-methods"));
        return refuse(record, &refusal);
    };
    let established = match connect_request(entry, &request) {
        Ok(request) => connect::establish(&context, &mut record, &request).await,
        Err(refusal) => Err(refusal),
    };
    let (permit, upstream) = match established {
        Ok(established) => established,
        Err(refusal) => return refuse(record, &refusal),
    };
    record.answered(200);
    let answer = established_answer(&record);
    let (for_tunnel, metrics) = (context.clone(), context.metrics.clone());
    let upgrade = hyper::upgrade::on(request);
    let handed_over = async move {
        // A client that left before the answer was written leaves nothing to relay.
        let Some((client, ahead)) = upgrade.await.ok().and_then(taken_back) else { return };
        tunnel::run(for_tunnel, Tunnel { client, upstream, ahead, permit, record, open }).await;
    };
    tokio::spawn(contained(handed_over, metrics));
    answer
}

/// The same answer as to a first CONNECT.
fn established_answer(record: &Record) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::full(""));
    answer.extensions_mut().insert(ReasonPhrase::from_static(connect::ESTABLISHED.as_bytes()));
    if let Ok(id) = HeaderValue::from_str(&record.id().to_string()) {
        answer.headers_mut().insert(DECISION_ID, id);
    }
    answer
}

/// The socket behind the HTTP server, and what was read from it beyond the request.
fn taken_back(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<Guarded<Stalling<TcpStream>>>>().ok()?;
    let (client, unread) = parts.io.into_inner().into_parts();
    Some((client.into_inner(), [&parts.read_buf[..], &unread[..]].concat()))
}

fn connect_request(entry: &Entry, request: &Request<Incoming>) -> Result<connect::Request, Refusal> {
    let malformed = |malformed: crate::destination::Malformed| Refusal::bad_request(malformed.0);
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let host = head::check_fields(fields, request.version() == Version::HTTP_10).map_err(malformed)?.host;
    let destination = Destination::from_authority(request.uri().to_string().as_bytes()).map_err(malformed)?;
    Ok(connect::Request { client: entry.client(), destination, host })
}
