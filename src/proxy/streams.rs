//! HTTP/2 on the proxy listener: each CONNECT is a stream of its own (RFC 9113 section 8.5), so that one connection carries many
//! tunnels. Each has windows of its own in both directions: one whose reader stands still holds up no other.

use super::arrive::{Arrived, Peer, make_room};
use super::calm;
use super::carry::carry;
use super::context::Context;
use super::establish::{Request, establish};
use super::http2::{MAX_OWN_RESETS, MAX_PENDING_RESETS};
use super::identify::Caller;
use super::live::Live;
use super::respond::{add_decision_id, refused};
use super::tunnel::Tunnel;
use crate::audit::{Record, Start};
use crate::contain::contained;
use crate::destination::{Destination, Malformed};
use crate::error::{Reason, Refusal, RuleName};
use crate::frames::{self, Metered, metered};
use crate::identity::Identity;
use crate::listener::accept::Counted;
use crate::listener::head;
use crate::listener::silent::Silence;
use crate::metrics::Protocol;
use crate::socket::{Socket, Stream};
use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{RecvStream, SendStream};
use http::{Method, Response, Version};
use std::sync::Arc;
use tokio::time::{Instant, sleep_until, timeout};

/// Tunnels of one connection open at once.
const MAX_STREAMS: u32 = 1_000;
/// What a client may send into one tunnel before its upstream took it.
const STREAM_WINDOW: u32 = 64 * 1024;
/// What it may send into all tunnels together: as much as all windows, so that those that stand still leave the others theirs.
const CONNECTION_WINDOW: u32 = MAX_STREAMS * STREAM_WINDOW;
/// What is kept of one tunnel that the client does not take.
const SEND_BUFFER: usize = 64 * 1024;
/// Largest header section of a request.
const MAX_HEADERS: u32 = 64 * 1024;

/// Serves a connection until its end.
pub async fn serve(live: Arc<Live>, arrived: Arrived) {
    let Arrived { socket, peer, silence, open, .. } = arrived;
    let context = live.context();
    let client = peer.address;
    let (stream, watch) = metered(socket, frames::Peer::Client);
    let shaking = timeout(context.limits.head, builder().handshake::<_, Bytes>(stream));
    let made_room = |refusal: Refusal| make_room(&context, client, Protocol::ConnectH2, &refusal);
    let shaken = match silence.bear(shaking).await {
        Ok(shaken) => shaken,
        Err(refusal) => return made_room(refusal),
    };
    let error = match shaken {
        // Dropped at its end, and with it all its tunnels.
        Ok(Ok(connection)) => match silence.bear(accept_all(&live, &context, connection, peer, (&silence, &open))).await {
            Ok(accepted) => accepted.err(),
            Err(refusal) => return made_room(refusal),
        },
        Ok(Err(error)) => Some(error),
        // Nobody asked anything: a pre-connection.
        Err(_) => return,
    };
    if let Some(error) = &error {
        tracing::debug!(%error, "a client's HTTP/2 connection ended");
    }
    if let Some(broken) = calm::end(watch, error.as_ref()).await {
        context.record(Start { client, protocol: Protocol::ConnectH2, method: "-" }).refused(&broken.refusal);
    }
}

/// Opens a tunnel for each CONNECT until the connection's end.
async fn accept_all(
    live: &Arc<Live>,
    context: &Context,
    mut connection: Connection<Metered<Socket>, Bytes>,
    peer: Peer,
    (silence, open): (&Silence, &Counted),
) -> Result<(), h2::Error> {
    // Each stream holds one of these, and its tunnel after it.
    let streams = Arc::new(());
    let between = context.limits.head;
    let (mut is_stopping, mut idle_since) = (false, Instant::now());
    loop {
        let is_idle = Arc::strong_count(&streams) == 1;
        if !is_idle {
            idle_since = Instant::now();
        }
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            () = context.journal.stopped(), if !is_stopping => {
                is_stopping = true;
                connection.graceful_shutdown();
                continue;
            }
            () = sleep_until(idle_since + between) => {
                // A client that is told (GOAWAY) ends the connection, once it has taken what was sent. One that does neither, nor
                // answers the PING behind it, is not waited for.
                match (is_idle, is_stopping) {
                    (true, true) => return Ok(()),
                    (true, false) => {
                        is_stopping = true;
                        connection.graceful_shutdown();
                    }
                    // Looked at again in a while.
                    (false, _) => {}
                }
                idle_since = Instant::now();
                continue;
            }
        };
        let Some(accepted) = accepted else { return Ok(()) };
        let (request, respond) = accepted?;
        // It has asked something. If it had to go meanwhile, it goes.
        let _ = silence.end();
        let work = Work { live: live.clone(), peer: peer.clone(), open: open.another(streams.clone()) };
        tokio::spawn(contained(work.stream(request, respond), context.metrics.clone()));
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_header_list_size(MAX_HEADERS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(Some(MAX_OWN_RESETS));
    builder
}

/// One stream.
struct Work {
    live: Arc<Live>,
    peer: Peer,
    /// Its own place under the limit, or why it has none: each tunnel has an upstream connection.
    open: Result<Counted, Refusal>,
}

impl Work {
    async fn stream(self, request: http::Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let is_connect = request.method() == Method::CONNECT;
        let method = if is_connect { "CONNECT" } else { "-" };
        let context = self.live.context();
        let mut record = context.record(Start { client: self.peer.address, protocol: Protocol::ConnectH2, method });
        let asked = match (self.open, read(&self.peer, &request)) {
            (Ok(open), Ok(asked)) => establish(&context, &mut record, &asked).await.map(|established| (established, open)),
            (Err(refusal), _) | (_, Err(refusal)) => Err(refusal),
        };
        let ((permit, way), open) = match asked {
            Ok(established) => established,
            Err(refusal) => return refuse(&mut respond, &mut record, &refusal),
        };
        // A client that is gone has nothing to be told.
        let Ok(send) = accept(&mut respond, &record) else { return };
        record.answered(200);
        let client = Socket::layered(Stream::new(send, request.into_body()));
        let tunnel = Tunnel { context, client, way, ahead: Vec::new(), permit, record, open };
        carry(self.live, tunnel).await;
    }
}

/// The destination of a CONNECT: `:authority` and nothing else (RFC 9113 section 8.5).
fn read(peer: &Peer, request: &http::Request<RecvStream>) -> Result<Request, Refusal> {
    let rule = RuleName::Builtin("known-methods");
    if request.method() != Method::CONNECT {
        let detail = "over HTTP/2 this proxy takes CONNECT; ask for http:// over HTTP/1.1 (curl: without --proxy-http2)";
        return Err(Refusal::new(Reason::MethodNotAllowed, detail, rule));
    }
    if request.extensions().get::<h2::ext::Protocol>().is_some() {
        let detail = "an extended CONNECT (RFC 8441) opens another protocol than a tunnel";
        return Err(Refusal::new(Reason::UpgradeNotAllowed, detail, rule));
    }
    let malformed = |malformed: Malformed| Refusal::bad_request(malformed.0);
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let found = head::check_fields(fields, false).map_err(malformed)?;
    if found.body != head::Body::Sized(0) {
        return Err(Refusal::bad_request("a CONNECT request has no body"));
    }
    let authority = request.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let destination = Destination::from_authority(authority.as_bytes()).map_err(malformed)?;
    let caller =
        Caller { identity: Identity::shown(peer.certificate.clone()), listener: Some(peer.listener), credentials: found.credentials };
    Ok(Request { client: peer.address, destination, host: found.host, caller })
}

fn accept(respond: &mut SendResponse<Bytes>, record: &Record) -> Result<SendStream<Bytes>, h2::Error> {
    let mut answer = Response::new(());
    *answer.version_mut() = Version::HTTP_2;
    add_decision_id(record, answer.headers_mut());
    respond.send_response(answer, false)
}

fn refuse(respond: &mut SendResponse<Bytes>, record: &mut Record, refusal: &Refusal) {
    let (answer, body) = refused(record, refusal).into_parts();
    // A client that is gone has nothing to be told; the record says what happened.
    if let Ok(mut send) = respond.send_response(answer, false) {
        let _ = send.send_data(body, true);
    }
}
