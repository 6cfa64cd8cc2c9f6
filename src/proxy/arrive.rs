//! From an accepted connection to a client that may speak: whom a balancer speaks for, who may use the listener, TLS to the proxy.

use super::context::Context;
use super::respond::{Answer, send_and_close};
use crate::audit::Start;
use crate::destination::Malformed;
use crate::error::{Reason, Refusal, RuleName};
use crate::listener::Accepted;
use crate::listener::accept::Counted;
use crate::listener::balancer::Word;
use crate::listener::entrance::Entrance;
use crate::listener::silent::Silence;
use crate::metrics::Protocol;
use crate::quota::Limit;
use crate::socket::{Socket, Tls, keep_alive};
use crate::tls::proven::Proven;
use crate::tls::reception::Terms;
use rustls::{AlertDescription, Error};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The rule behind refusals of a client's TLS to the proxy.
const TLS: RuleName = RuleName::Builtin("listener.tls");
/// The rule behind refusals of a balancer's word.
const BALANCERS: RuleName = RuleName::Builtin("listener.proxy_protocol");

/// Who is at the other end.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address; behind a balancer, what the balancer says.
    pub address: SocketAddr,
    /// The listener it came to.
    pub listener: SocketAddr,
    /// Its certificate, where one was verified.
    pub certificate: Option<Arc<Proven>>,
}

/// A client that may speak.
#[derive(Debug)]
pub struct Arrived {
    /// Its connection.
    pub socket: Socket,
    /// Who it is.
    pub peer: Peer,
    /// It has asked nothing yet.
    pub silence: Silence,
    /// Its place in limit and gauge.
    pub open: Counted,
    /// Whether it speaks HTTP/2.
    pub http2: bool,
}

/// Lets a client of the proxy listener in. `None`: it was refused, or left.
pub async fn arrive(context: &Context, entrance: &Entrance, mut accepted: Accepted) -> Option<Arrived> {
    let address = match whom(context, entrance, &mut accepted, Protocol::Connect).await {
        Ok(address) => address?,
        Err((client, refusal)) => {
            turn_away(context, accepted.stream, client, &refusal, entrance.tls.is_none()).await;
            return None;
        }
    };
    let Accepted { stream, silence, open, .. } = accepted;
    let Some(reception) = &entrance.tls else {
        let peer = Peer { address, listener: open.listener(), certificate: None };
        return Some(Arrived { socket: stream.into(), peer, silence, open, http2: false });
    };
    let terms = reception.terms();
    let stream = receive(context, &terms, stream, address, (&silence, &open)).await?;
    let (_, state) = stream.get_ref();
    let http2 = state.alpn_protocol() == Some(b"h2");
    let shown = state.peer_certificates().zip(terms.verifier.clone());
    let certificate = shown.map(|(chain, verifier)| Arc::new(Proven::new(chain, verifier)));
    let peer = Peer { address, listener: open.listener(), certificate };
    Some(Arrived { socket: Socket::layered(Tls::new(stream)), peer, silence, open, http2 })
}

/// Lets a client of a listener without a protocol of its own in.
pub async fn arrive_raw(context: &Context, entrance: &Entrance, mut accepted: Accepted, protocol: Protocol) -> Option<Arrived> {
    match whom(context, entrance, &mut accepted, protocol).await {
        Ok(address) => {
            let Accepted { stream, silence, open, .. } = accepted;
            let peer = Peer { address: address?, listener: open.listener(), certificate: None };
            Some(Arrived { socket: stream.into(), peer, silence, open, http2: false })
        }
        Err((client, refusal)) => {
            context.record(Start { client, protocol, method: "-" }).answered_with(&refusal);
            None
        }
    }
}

/// The client: the peer itself, which was let in when it was accepted, or whom a balancer speaks for, who is let in now. `None`: nobody.
async fn whom(
    context: &Context,
    entrance: &Entrance,
    accepted: &mut Accepted,
    protocol: Protocol,
) -> Result<Option<SocketAddr>, (SocketAddr, Refusal)> {
    let Accepted { stream, client: peer, silence, open } = accepted;
    let peer = *peer;
    let Some(balancers) = entrance.balancers.as_ref().filter(|balancers| balancers.has(peer.ip())) else {
        return Ok(Some(peer));
    };
    let malformed = |Malformed(detail)| (peer, Refusal::new(Reason::BadRequest, detail, BALANCERS));
    let read = match silence.bear(timeout(context.limits.head, balancers.read(stream))).await {
        Ok(read) => read,
        Err(refusal) => {
            make_room(context, peer, protocol, &refusal);
            return Ok(None);
        }
    };
    let read = read.unwrap_or(Err(Malformed("the balancer's PROXY header did not arrive in time")));
    let word = read.map_err(malformed).inspect_err(|_| speak(silence))?;
    let client = match word {
        Word::Client(client) => client,
        Word::Itself => peer,
        Word::Nothing => return Ok(None),
    };
    silence.belongs_to(client.ip());
    let admitted = admit(context, entrance, client).and_then(|()| open.belongs_to(client.ip()));
    admitted.map(|()| Some(client)).map_err(|refusal| (client, refusal)).inspect_err(|_| speak(silence))
}

/// A client that is refused has its time to read why, also if it had to go meanwhile.
fn speak(silence: &Silence) {
    let _ = silence.end();
}

/// Records that a client that had asked nothing made room for another one. It is not waited for.
pub fn make_room(context: &Context, client: SocketAddr, protocol: Protocol, refusal: &Refusal) {
    context.record(Start { client, protocol, method: "-" }).answered_with(refusal);
}

/// Whether a client may use the proxy, and this listener.
///
/// # Errors
/// `client_not_allowed`, `quota_exceeded`.
pub fn admit(context: &Context, entrance: &Entrance, client: SocketAddr) -> Result<(), Refusal> {
    context.engine.policy.admit(client.ip())?;
    entrance.admit(client.ip())?;
    context.quotas.take(Limit::Connections, client.ip(), None)
}

/// Records a refusal, and says it where the client speaks plain HTTP.
async fn turn_away(context: &Context, stream: TcpStream, client: SocketAddr, refusal: &Refusal, speaks_http: bool) {
    let mut record = context.record(Start { client, protocol: Protocol::Connect, method: "-" });
    record.answered_with(refusal);
    if speaks_http {
        let answer = Answer::refusal(refusal, record.id()).into_bytes();
        drop(record);
        send_and_close(stream, answer).await;
    }
}

/// Shakes hands. A client that said nothing, as port checks do, is no event; what else fails is recorded with its reason.
async fn receive(
    context: &Context,
    terms: &Terms,
    stream: TcpStream,
    client: SocketAddr,
    (silence, open): (&Silence, &Counted),
) -> Option<TlsStream<TcpStream>> {
    let made_room = |refusal: Refusal| make_room(context, client, Protocol::Connect, &refusal);
    let heard = silence.bear(timeout(context.limits.hello, first_byte(context, &stream))).await;
    let speaks = heard.map_err(made_room).ok()?.ok().flatten()?;
    if speaks.is_ascii_alphabetic() {
        speak(silence);
        let detail = "this port speaks TLS, the client started plain HTTP; set the proxy as https:// in the client";
        turn_away(context, stream, client, &Refusal::new(Reason::BadRequest, detail, TLS), true).await;
        return None;
    }
    let taken = context.quotas.take(Limit::Handshakes, client.ip(), None);
    let _under_way = match taken.and_then(|()| open.handshake()) {
        Ok(handshake) => handshake,
        Err(refusal) => {
            context.record(Start { client, protocol: Protocol::Connect, method: "-" }).answered_with(&refusal);
            return None;
        }
    };
    keep_alive(&stream);
    let shaking = timeout(context.limits.hello, TlsAcceptor::from(terms.config.clone()).accept(stream));
    let shaken = match silence.bear(shaking).await {
        Ok(shaken) => shaken,
        Err(refusal) => {
            context.metrics.listener_handshakes.ended(false);
            made_room(refusal);
            return None;
        }
    };
    let shaken = shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    context.metrics.listener_handshakes.ended(shaken.is_ok());
    match shaken {
        Ok(stream) => Some(stream),
        Err(error) => {
            context.record(Start { client, protocol: Protocol::Connect, method: "-" }).answered_with(&unshaken(&error));
            None
        }
    }
}

/// What the client starts with, left unread. `None`: it left, or the proxy stops.
async fn first_byte(context: &Context, stream: &TcpStream) -> Option<u8> {
    let mut first = [0];
    let peeked = tokio::select! {
        peeked = stream.peek(&mut first) => peeked.ok()?,
        () = context.journal.stopped() => return None,
    };
    first.first().filter(|_| peeked == 1).copied()
}

fn unshaken(error: &io::Error) -> Refusal {
    let refused = |reason, detail: &'static str| Refusal::new(reason, detail, TLS);
    match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
        Some(Error::NoCertificatesPresented) => {
            refused(Reason::ProxyAuthRequired, "the client showed no certificate; give it one that listener.tls.client_ca has signed")
        }
        Some(Error::InvalidCertificate(_)) => refused(
            Reason::ProxyAuthRequired,
            "the client's certificate is not valid under listener.tls.client_ca; see its issuer and expiry",
        ),
        Some(Error::AlertReceived(
            AlertDescription::UnknownCA | AlertDescription::BadCertificate | AlertDescription::CertificateUnknown,
        )) => refused(
            Reason::BadRequest,
            "the client does not trust listener.tls.certificate; have it trust its issuer (curl: --proxy-cacert)",
        ),
        Some(Error::AlertReceived(AlertDescription::CertificateExpired)) => {
            refused(Reason::BadRequest, "to the client listener.tls.certificate has expired; renew it, or check the clocks")
        }
        Some(Error::PeerIncompatible(_)) => refused(Reason::BadRequest, "the client offers no TLS version or cipher that is accepted"),
        Some(Error::NoApplicationProtocol) => refused(Reason::BadRequest, "the client speaks neither HTTP/2 nor HTTP/1.1 (ALPN)"),
        Some(_) => refused(Reason::BadRequest, "the client's TLS handshake with the proxy is malformed"),
        None if error.kind() == io::ErrorKind::TimedOut => {
            refused(Reason::BadRequest, "the client did not complete its TLS handshake with the proxy in time")
        }
        None => {
            refused(Reason::BadRequest, "the client broke off its TLS handshake with the proxy; does it trust listener.tls.certificate?")
        }
    }
}
