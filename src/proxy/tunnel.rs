//! An established tunnel: its first bytes are checked, then it is relayed.

use super::context::Context;
use super::entry::Inner;
use super::establish::{Way, dial};
use super::interception::Interception;
use super::live::Live;
use super::respond::{Answer, send_and_close};
use super::standing::{Carrier, Place};
use crate::audit::{Ended, Record};
use crate::contain::{caught, contained, step};
use crate::destination::Host;
use crate::error::{Reason, Refusal, RuleName, Side};
use crate::fault::{Faults, Layer};
use crate::listener::accept::Counted;
use crate::metrics::{Coverage, Open, Protocol};
use crate::policy::{HelloCheck, Permit};
use crate::quota::Limit;
use crate::relay::{End, Relay, with_scratch};
use crate::socket::Socket;
use crate::tls::client_hello::{ClientHello, HelloReader, Progress, ServerName};
use crate::upstream::pool;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::time::timeout;

/// The rule behind every check of the first bytes.
pub(super) const RULE: RuleName = RuleName::Builtin("tls-names-the-destination");
/// `unrecognized_name` (RFC 8446 section 6.2).
const UNRECOGNIZED_NAME: u8 = 112;
/// `missing_extension` (RFC 8446 section 6.2).
const MISSING_EXTENSION: u8 = 109;
/// `access_denied` (RFC 8446 section 6.2).
const ACCESS_DENIED: u8 = 49;
/// `decode_error` (RFC 8446 section 6.2).
const DECODE_ERROR: u8 = 50;
/// `internal_error` (RFC 8446 section 6.2).
const INTERNAL_ERROR: u8 = 80;
/// The first byte of a TLS handshake record (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 0x16;

/// Two connections that belong together, and all that is known about them.
pub struct Tunnel {
    /// What was in force when it was decided.
    pub context: Arc<Context>,
    /// The client's side.
    pub client: Socket,
    /// The way to the cloud.
    pub way: Way,
    /// Bytes of the client read already.
    pub ahead: Vec<u8>,
    /// What allowed it.
    pub permit: Permit,
    /// Its record.
    pub record: Record,
    /// Its place in limit and gauge.
    pub open: Counted,
}

/// A tunnel that carries plain HTTP, to be served request by request.
pub struct Plain {
    /// The client's side.
    pub client: Socket,
    /// Bytes of the client read already.
    pub ahead: Vec<u8>,
    /// What every request in it must be for.
    pub inner: Inner,
}

/// Why a tunnel did not come to be.
enum Stop {
    Refused(Refusal, Spoken),
    /// Another one needed its place: it is not waited for.
    MadeRoom(Refusal),
    ClientClosed,
}

/// What the client began to speak, and so understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Tls,
    /// Letters: the start of an HTTP request.
    Text,
    /// Nothing, or nothing known.
    Other,
}

impl Spoken {
    fn by(bytes: &[u8]) -> Self {
        match bytes.first() {
            Some(&HANDSHAKE) => Self::Tls,
            Some(byte) if byte.is_ascii_alphabetic() => Self::Text,
            _ => Self::Other,
        }
    }
}

/// A client that was let in and shakes hands with us instead of the cloud.
pub struct Opened {
    /// What was in force when it was decided.
    pub context: Arc<Context>,
    /// The client's side.
    pub client: Socket,
    /// Its ClientHello, which was checked.
    pub ahead: Vec<u8>,
    /// What allowed it.
    pub permit: Permit,
    /// Its record.
    pub record: Record,
    /// Its place in limit and gauge.
    pub open: Counted,
    /// What interception needs.
    pub interception: Arc<Interception>,
    /// Whether the cloud speaks HTTP/2 there.
    pub http2: bool,
}

/// What is left to do with a tunnel.
#[derive(Debug)]
pub enum Next {
    /// Nothing: it is relayed in a task of its own, or over.
    Done,
    /// It carries plain HTTP.
    Plain(Box<Plain>),
    /// It is decrypted.
    Intercept(Box<Opened>),
}

/// Checks the first bytes and sends the tunnel on its way; one that is served request by request is given back.
pub async fn run(live: &Arc<Live>, tunnel: Tunnel) -> Next {
    let Tunnel { context, mut client, way, ahead, permit, mut record, open } = tunnel;
    let way = match way {
        Way::Tunnel(upstream) if permit.check() == HelloCheck::PlainHttp => {
            let plain = plain_http(&context, client, upstream, ahead, permit, record, open).await;
            return plain.map_or(Next::Done, |plain| Next::Plain(Box::new(plain)));
        }
        way => way,
    };
    let reading = first_bytes(&context, &mut record, (&mut client, &open), ahead, &permit);
    let first = match caught(reading, &context.metrics, |defect| Err(Stop::Refused(defect, Spoken::Other))).await {
        Ok(first) => first,
        Err(Stop::ClientClosed) => {
            record.ended(Ended::ClientClosed);
            return Next::Done;
        }
        Err(Stop::MadeRoom(refusal)) => {
            record.refused(&refusal);
            return Next::Done;
        }
        Err(Stop::Refused(refusal, spoken)) => {
            record.refused(&refusal);
            drop(way);
            refuse_inside(client, record, &refusal, spoken).await;
            return Next::Done;
        }
    };
    let upstream = match way {
        Way::Tunnel(upstream) => upstream,
        // What observing lets through although its hello is wrong cannot be decrypted: it stays a tunnel.
        Way::Intercept(..) if record.is_observed() => match dial(&context, &record, &permit).await {
            Ok(upstream) => upstream,
            Err(refusal) => {
                record.refused(&refusal);
                return Next::Done;
            }
        },
        Way::Intercept(interception, http2) => {
            // Before a certificate is made for it, which costs more than saying no.
            if let Err(refusal) = context.quotas.take(Limit::Handshakes, record.client().ip(), Some(record.service())) {
                record.refused(&refusal);
                refuse_inside(client, record, &refusal, Spoken::by(&first)).await;
                return Next::Done;
            }
            let opened = Opened { context, client, ahead: first, permit, record, open, interception, http2 };
            return Next::Intercept(Box::new(opened));
        }
    };
    record.allowed();
    record.covered(Coverage::Tunnelled);
    let slowed = context.quotas.pace(record.client().ip(), record.service());
    let reached = context.dialer.reached(&permit, &upstream);
    let by = Carrier::Tunnel { reached, is_fallback: context.is_fallback(&permit) };
    let place = live.stand(&context, &permit, &record, &open, by);
    let member = place.member().clone();
    record.carried(member.fate());
    let relay = Relay::new(client, upstream, first, permit.idle_timeout(), record.metrics().clone()).paced(slowed);
    let carried =
        Carried { _shown: record.metrics().tunnel(), relay, faults: context.journal.faults().clone(), record, place, _open: open };
    // A task of its own, written by hand: what read the head, dialled and checked is ten times the size of an idle tunnel.
    let task = tokio::spawn(contained(carried, context.metrics.clone()));
    member.ended_by(task.abort_handle());
    Next::Done
}

/// A tunnel that is being relayed, and all it needs for that.
struct Carried {
    relay: Relay,
    record: Record,
    faults: Faults,
    _shown: Open,
    place: Place,
    _open: Counted,
}

impl Future for Carried {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let moved = step(&this.record.metrics().panics, "a tunnel", || {
            this.faults.strike(Layer::Relay);
            Pin::new(&mut this.relay).poll(cx)
        });
        let Some(moved) = moved else {
            this.record.broken();
            this.relay.fail();
            return Poll::Ready(());
        };
        let Poll::Ready(end) = moved else {
            let (up, down) = self.relay.bytes();
            self.place.member().moved(up, down);
            return Poll::Pending;
        };
        match end {
            End::Completed => self.record.ended(Ended::Completed),
            End::ClientBroke => self.record.ended(Ended::ClientClosed),
            End::UpstreamBroke => self.record.cut(Reason::UpstreamFailed),
            End::Idle => self.record.cut(Reason::IdleTimeout),
        }
        Poll::Ready(())
    }
}

/// The byte counts reach the record however the tunnel is left.
impl Drop for Carried {
    fn drop(&mut self) {
        (self.record.up, self.record.down) = self.relay.bytes();
    }
}

async fn plain_http(
    context: &Context,
    client: Socket,
    upstream: Socket,
    ahead: Vec<u8>,
    permit: Permit,
    mut record: Record,
    open: Counted,
) -> Option<Plain> {
    record.allowed();
    record.ended(Ended::Completed);
    let address = record.client();
    // The connection that proved the upstream alive serves the first request.
    if let Ok(connection) = pool::open(upstream, permit.idle_timeout()).await {
        context.pool.put(permit.destination(), connection);
    }
    let identity = record.identity().clone();
    Some(Plain { client, ahead, inner: Inner { client: address, identity, destination: permit.destination().clone(), open } })
}

/// Reads and checks the ClientHello; gives back every byte read, to be sent on.
async fn first_bytes(
    context: &Context,
    record: &mut Record,
    (client, open): (&mut Socket, &Counted),
    ahead: Vec<u8>,
    permit: &Permit,
) -> Result<Vec<u8>, Stop> {
    if permit.check() == HelloCheck::Unchecked {
        return Ok(ahead);
    }
    let mut reader = HelloReader::new();
    let silence = open.silence();
    let read = silence.bear(timeout(context.limits.hello, read_hello(&mut reader, client, &ahead))).await;
    let read = read.and_then(|read| silence.end().map(|()| read)).map_err(Stop::MadeRoom)?;
    let refusal = match read {
        Ok(Some(Progress::Complete(hello))) => {
            context.journal.faults().strike(Layer::Hello);
            check_name(&hello, permit).err()
        }
        Ok(Some(Progress::Invalid(invalid))) => Some(not_tls(invalid.detail())),
        Ok(Some(Progress::NeedMore) | None) => return Err(Stop::ClientClosed),
        Err(_) => Some(not_tls("no complete ClientHello arrived in time")),
    };
    if let Some(refusal) = refusal {
        context.enforce(record, refusal).map_err(|refusal| Stop::Refused(refusal, Spoken::by(reader.raw())))?;
    }
    Ok(reader.into_raw())
}

/// Reads until the hello is complete or invalid; `None` when the client left before.
pub(super) async fn read_hello(reader: &mut HelloReader, client: &mut Socket, ahead: &[u8]) -> Option<Progress> {
    let mut progress = if ahead.is_empty() { Progress::NeedMore } else { reader.push(ahead) };
    while progress == Progress::NeedMore {
        progress = poll_fn(|cx| poll_more(cx, reader, client)).await?;
    }
    Some(progress)
}

/// Reads once, through the thread's buffer: a client that waits owns none.
fn poll_more(cx: &mut task::Context<'_>, reader: &mut HelloReader, client: &mut Socket) -> Poll<Option<Progress>> {
    with_scratch(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        let read = task::ready!(Pin::new(client).poll_read(cx, &mut buffer));
        let pushed = read.ok().filter(|()| !buffer.filled().is_empty()).map(|()| reader.push(buffer.filled()));
        Poll::Ready(pushed)
    })
}

pub(super) fn not_tls(detail: &'static str) -> Refusal {
    Refusal::new(Reason::NotTls, detail, RULE)
}

fn check_name(hello: &ClientHello, permit: &Permit) -> Result<(), Refusal> {
    let refuse = |reason, detail: &'static str| Err(Refusal::new(reason, detail, RULE));
    let ServerName::Host(name) = &hello.server_name else {
        return match permit.check() {
            HelloCheck::NameIfSent => Ok(()),
            _ => refuse(Reason::SniMissing, "the client must send the server's name (SNI) in its ClientHello"),
        };
    };
    if Host::parse(name.as_bytes()).is_ok_and(|host| host == permit.destination().host) {
        return Ok(());
    }
    if hello.encrypted_client_hello {
        return refuse(
            Reason::EchRefused,
            "the ClientHello is encrypted under another name than the destination; switch ECH off in the client",
        );
    }
    refuse(Reason::SniMismatch, "the name in the ClientHello (SNI) is another than the destination")
}

/// Says no inside a tunnel in the client's own language: a TLS alert, or an HTTP answer behind a CONNECT. A client that said
/// nothing, or speaks neither, is let go without a word.
async fn refuse_inside(client: Socket, record: Record, refusal: &Refusal, spoken: Spoken) {
    let said = match (spoken, refusal.reason) {
        (Spoken::Tls, reason) => alert(reason),
        (Spoken::Text, _) if !matches!(record.protocol(), Protocol::Relay | Protocol::Sni) => {
            Answer::refusal(refusal, record.id()).into_bytes()
        }
        (Spoken::Text | Spoken::Other, _) => Vec::new(),
    };
    drop(record);
    send_and_close(client, said).await;
}

/// The fatal alert that says nearest why, in a plaintext record (RFC 8446 sections 5.1 and 6.2).
pub(super) fn alert(reason: Reason) -> Vec<u8> {
    let description = match (reason, reason.side()) {
        (Reason::SniMismatch | Reason::HostNotAllowed | Reason::PortNotAllowed | Reason::IpLiteral, _) => UNRECOGNIZED_NAME,
        (Reason::SniMissing, _) => MISSING_EXTENSION,
        (Reason::NotTls | Reason::BadRequest, _) => DECODE_ERROR,
        (_, Side::Client | Side::Policy) => ACCESS_DENIED,
        (_, Side::Upstream | Side::Proxy) => INTERNAL_ERROR,
    };
    vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]
}

crate::hidden::hidden!(Tunnel, Plain, Opened);
