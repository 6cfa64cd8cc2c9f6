//! An established tunnel: its first bytes are checked, then it is relayed.

use super::context::Context;
use super::respond::{Answer, send_and_close};
use super::serve;
use crate::audit::{Ended, Record};
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use crate::listener::accept::{Counted, contained};
use crate::policy::{HelloCheck, Permit};
use crate::relay::{End, Relay, with_scratch};
use crate::tls::client_hello::{ClientHello, HelloReader, InvalidHello, Progress, ServerName};
use prometheus::IntGauge;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The rule behind every check of the first bytes.
const RULE: RuleName = RuleName::Builtin("tls-names-the-destination");
/// `unrecognized_name` (RFC 8446 section 6.2).
const UNRECOGNIZED_NAME: u8 = 112;
/// `missing_extension` (RFC 8446 section 6.2).
const MISSING_EXTENSION: u8 = 109;
/// `access_denied` (RFC 8446 section 6.2).
const ACCESS_DENIED: u8 = 49;

/// Two connections that belong together, and all that is known about them.
#[derive(Debug)]
pub struct Tunnel {
    /// The client's side.
    pub client: TcpStream,
    /// The cloud's side.
    pub upstream: TcpStream,
    /// Bytes of the client read already.
    pub ahead: Vec<u8>,
    /// What allowed it.
    pub permit: Permit,
    /// Its record.
    pub record: Record,
    /// Its place in limit and gauge.
    pub open: Counted,
}

/// A tunnel that carries plain HTTP: every request in it is decided again.
#[derive(Debug)]
pub struct Inner {
    /// Who opened it.
    pub client: SocketAddr,
    /// What it was opened for: every request must be for it.
    pub destination: Destination,
    /// Kept as long as the connection is.
    pub open: Counted,
}

/// Why a tunnel did not come to be.
enum Stop {
    Refused(Refusal),
    ClientClosed,
}

/// Checks the first bytes and sends the tunnel on its way.
pub async fn run(context: Arc<Context>, tunnel: Tunnel) {
    let Tunnel { mut client, upstream, ahead, permit, mut record, open } = tunnel;
    if permit.check() == HelloCheck::PlainHttp {
        return plain_http(context, Tunnel { client, upstream, ahead, permit, record, open }).await;
    }
    let first = match first_bytes(&context, &mut record, &mut client, ahead, &permit).await {
        Ok(first) => first,
        Err(Stop::ClientClosed) => return record.ended(Ended::ClientClosed),
        Err(Stop::Refused(refusal)) => {
            record.refused(&refusal);
            drop(upstream);
            return refuse_inside(client, record, &refusal).await;
        }
    };
    record.allowed();
    context.metrics.tunnelled(&context.engine.load().service(permit.service()).0);
    let relay = Relay::new(client, upstream, first, permit.idle_timeout(), record.metrics().clone());
    let carried = Carried { _shown: Shown::new(&record.metrics().tunnels), relay, record, _open: open };
    // A task of its own, written by hand: what read the head, dialled and checked is ten times the size of an idle tunnel.
    tokio::spawn(contained(carried, context.metrics.clone()));
}

/// A tunnel that is being relayed, and all it needs for that.
struct Carried {
    relay: Relay,
    record: Record,
    _shown: Shown,
    _open: Counted,
}

impl Future for Carried {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let end = task::ready!(Pin::new(&mut self.relay).poll(cx));
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

/// A tunnel in the gauge.
struct Shown(IntGauge);

impl Shown {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn plain_http(context: Arc<Context>, tunnel: Tunnel) {
    let Tunnel { client, upstream, ahead, permit, mut record, open } = tunnel;
    record.allowed();
    record.ended(Ended::Completed);
    let Ok(address) = client.peer_addr() else { return };
    // The connection that proved the upstream alive serves the first request.
    if let Ok(sender) = crate::upstream::pool::open(upstream).await {
        context.pool.put(permit.destination(), sender);
    }
    let inner = Inner { client: address, destination: permit.destination().clone(), open };
    drop(record);
    serve::plain_http(context, client, ahead, inner).await;
}

/// Reads and checks the ClientHello; gives back every byte read, to be sent on.
async fn first_bytes(
    context: &Context,
    record: &mut Record,
    client: &mut TcpStream,
    ahead: Vec<u8>,
    permit: &Permit,
) -> Result<Vec<u8>, Stop> {
    if permit.check() == HelloCheck::Unchecked {
        return Ok(ahead);
    }
    let mut reader = HelloReader::new();
    let read = timeout(context.limits.hello, read_hello(&mut reader, client, &ahead)).await;
    let refused = match read {
        Ok(Ok(hello)) => check_name(&hello, permit),
        Ok(Err(stop)) => Err(stop),
        Err(_) => Err(Stop::Refused(Refusal::new(Reason::NotTls, "no complete ClientHello arrived in time", RULE))),
    };
    match refused {
        Ok(()) => {}
        Err(Stop::Refused(refusal)) => context.enforce(record, refusal).map_err(Stop::Refused)?,
        Err(Stop::ClientClosed) => return Err(Stop::ClientClosed),
    }
    Ok(reader.into_raw())
}

async fn read_hello(reader: &mut HelloReader, client: &TcpStream, ahead: &[u8]) -> Result<ClientHello, Stop> {
    let mut progress = if ahead.is_empty() { Progress::NeedMore } else { reader.push(ahead) };
    loop {
        match progress {
            Progress::Complete(hello) => return Ok(hello),
            Progress::Invalid(invalid) => return Err(Stop::Refused(invalid_hello(invalid))),
            Progress::NeedMore => {}
        }
        client.readable().await.map_err(|_| Stop::ClientClosed)?;
        let read =
            with_scratch(|scratch| client.try_read(scratch).map(|read| (read, reader.push(scratch.get(..read).unwrap_or_default()))));
        progress = match read {
            Ok((0, _)) => return Err(Stop::ClientClosed),
            Ok((_, progress)) => progress,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Progress::NeedMore,
            Err(_) => return Err(Stop::ClientClosed),
        };
    }
}

fn invalid_hello(invalid: InvalidHello) -> Refusal {
    Refusal::new(Reason::NotTls, invalid.detail(), RULE)
}

fn check_name(hello: &ClientHello, permit: &Permit) -> Result<(), Stop> {
    let refuse = |reason, detail: &'static str| Err(Stop::Refused(Refusal::new(reason, detail, RULE)));
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

/// Says no inside a tunnel: a TLS alert to a TLS client, an HTTP answer to one that spoke HTTP.
async fn refuse_inside(client: TcpStream, record: Record, refusal: &Refusal) {
    let id = record.id();
    drop(record);
    let said = match refusal.reason {
        Reason::SniMismatch => alert(UNRECOGNIZED_NAME),
        Reason::SniMissing => alert(MISSING_EXTENSION),
        Reason::EchRefused => alert(ACCESS_DENIED),
        _ => Answer::refusal(refusal, id).into_bytes(),
    };
    send_and_close(client, said).await;
}

/// A fatal alert in a plaintext record (RFC 8446 section 5.1).
fn alert(description: u8) -> Vec<u8> {
    vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]
}
