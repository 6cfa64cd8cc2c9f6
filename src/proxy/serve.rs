//! A connection on the proxy listener, from its first byte to the path it takes.

use super::arrive::{Arrived, arrive};
use super::context::Context;
use super::entry::Entry;
use super::establish::Request;
use super::identify::Caller;
use super::live::Live;
use super::respond::{refuse_at_once, refuse_head, refuse_unread};
use super::{carry, connect, http1, streams};
use crate::contain::{defect, step};
use crate::destination::Malformed;
use crate::fault::Layer;
use crate::identity::Identity;
use crate::listener::Accepted;
use crate::listener::entrance::Entrance;
use crate::listener::guarded::LATE;
use crate::listener::head::{self, Form, Opening};
use crate::socket::Socket;
use std::sync::Arc;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

/// First room for a request head; a CONNECT fits.
const FIRST_ROOM: usize = 1024;

/// Serves one connection.
pub async fn connection(live: Arc<Live>, entrance: Arc<Entrance>, accepted: Accepted) {
    let context = live.context();
    let Some(arrived) = arrive(&context, &entrance, accepted).await else { return };
    if arrived.http2 {
        // Few, and large.
        return Box::pin(streams::serve(live, arrived)).await;
    }
    http1_connection(live, &context, arrived).await;
}

async fn http1_connection(live: Arc<Live>, context: &Context, arrived: Arrived) {
    let Arrived { socket: mut stream, peer, silence, open, .. } = arrived;
    let client = peer.address;
    let mut bytes = Vec::with_capacity(FIRST_ROOM);
    let reading = timeout(context.limits.head, read_head(context, &mut stream, &mut bytes));
    let read = match silence.bear(reading).await.and_then(|read| silence.end().map(|()| read)) {
        Ok(read) => read,
        Err(refusal) => return refuse_at_once(context, stream, client, &refusal),
    };
    drop(silence);
    let opening = match read {
        Ok(Ok(Some(length))) => match opening(context, bytes.get(..length).unwrap_or_default()) {
            Some(opening) => opening.map(|opening| (opening, length)),
            None => return refuse_unread(context, stream, client, &defect()).await,
        },
        // Nobody asked anything: an open port check, a pre-connection, or a client that hung up.
        Ok(Ok(None)) => return,
        Err(_) if bytes.is_empty() => return,
        Ok(Err(malformed)) => Err(malformed),
        Err(_) => Err(LATE),
    };
    match opening {
        Ok((Opening::Connect(destination, host, credentials), length)) => {
            let caller = Caller { identity: Identity::shown(peer.certificate), listener: Some(peer.listener), credentials };
            let request = Request { client, destination, host, caller };
            bytes.drain(..length);
            connect::serve(live, stream, open, request, bytes).await;
        }
        Ok((Opening::Http, _)) => {
            if let Some(tunnel) = http1::connection(live.clone(), stream, bytes, Entry::forward(peer, open)).await {
                carry::carry(live, tunnel).await;
            }
        }
        Err(malformed) => refuse_head(context, stream, client, malformed).await,
    }
}

/// What a head asks for; `None` if that is more than its parser can take.
fn opening(context: &Context, head: &[u8]) -> Option<Result<Opening, Malformed>> {
    step(&context.metrics.panics, "an exchange", || {
        context.journal.faults().strike(Layer::Head);
        head::read(head, Form::Absolute).map(|head| head.opening)
    })
}

/// The length of the first head, or `None` when the client left before it sent a byte. A proxy that stops does not wait for
/// clients that have asked nothing yet.
async fn read_head(context: &Context, stream: &mut Socket, bytes: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
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
        head::check_start(bytes)?;
        if let Some(length) = head::end(bytes, before) {
            return Ok(Some(length));
        }
        if bytes.len() > head::MAX_HEAD {
            return Err(head::TOO_LARGE);
        }
    }
}
