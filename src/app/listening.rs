//! The listeners that clients use: bound, then served until told to stop.

use crate::audit::Start;
use crate::config::listeners::{ListenerConfig, RelayConfig, SniConfig};
use crate::destination::Destination;
use crate::error::Refusal;
use crate::listener::accept::{Gate, accept_loop};
use crate::listener::entrance::Entrance;
use crate::metrics::{ListenerKind, Protocol};
use crate::proxy::arrive::admit;
use crate::proxy::respond::{Answer, send_and_close};
use crate::proxy::{Context, relayed, serve, sni};
use crate::tls::reception::Reception;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Connections the kernel may hold for a listener before they are accepted.
const BACKLOG: u32 = 4_096;
/// Refused clients over the limit that may be waited for at once while they read why.
pub(super) const LINGERING_ANSWERS: usize = 64;

/// What a listener's connections carry.
#[derive(Debug, Clone)]
enum Carries {
    /// Requests to the proxy.
    Requests,
    /// Bytes for one destination.
    Relay(Destination),
    /// Raw TLS for whomever it names, on this port.
    Tls(u16),
}

/// A listener that is bound.
#[derive(Debug)]
pub(super) struct Bound {
    listener: TcpListener,
    kind: ListenerKind,
    carries: Carries,
    entrance: Arc<Entrance>,
}

impl Bound {
    /// Where it listens; a port that was 0 in the configuration is the real one here.
    pub(super) fn address(&self) -> Result<SocketAddr, String> {
        local_address(&self.listener)
    }

    /// TLS to the proxy, where it speaks it.
    pub(super) fn reception(&self) -> Option<&Arc<Reception>> {
        self.entrance.tls.as_ref()
    }

    pub(super) fn is(&self, kind: ListenerKind) -> bool {
        self.kind == kind
    }
}

/// Binds the listener for requests; with TLS on a port of its own, both.
pub(super) fn bind_proxy(config: ListenerConfig) -> Result<Vec<Bound>, String> {
    let ListenerConfig { address, entrance, tls } = config;
    let bound = |address, key, kind, entrance| {
        Ok::<_, String>(Bound { listener: bind(address, key)?, kind, carries: Carries::Requests, entrance: Arc::new(entrance) })
    };
    let Some(tls) = tls else {
        return Ok(vec![bound(address, "listener.address", ListenerKind::Proxy, entrance)?]);
    };
    let reception = Reception::load(tls.files).map_err(|error| format!("{}: {error}", tls.place))?;
    let sealed = Entrance { tls: Some(Arc::new(reception)), ..entrance.clone() };
    match tls.address {
        None => Ok(vec![bound(address, "listener.address", ListenerKind::Proxy, sealed)?]),
        Some(own) => Ok(vec![
            bound(address, "listener.address", ListenerKind::Proxy, entrance)?,
            bound(own, "listener.tls.address", ListenerKind::Tls, sealed)?,
        ]),
    }
}

pub(super) fn bind_relay(config: RelayConfig) -> Result<Bound, String> {
    let RelayConfig { address, destination, entrance } = config;
    let (kind, carries) = (ListenerKind::Relay, Carries::Relay(destination));
    Ok(Bound { listener: bind(address, "relay.address")?, kind, carries, entrance: Arc::new(entrance) })
}

pub(super) fn bind_sni(config: SniConfig) -> Result<Bound, String> {
    let SniConfig { address, port, entrance } = config;
    let (kind, carries) = (ListenerKind::Sni, Carries::Tls(port));
    Ok(Bound { listener: bind(address, "sni.address")?, kind, carries, entrance: Arc::new(entrance) })
}

/// Serves a listener in a task of its own until `stop` turns true.
pub(super) fn spawn(loops: &mut JoinSet<()>, context: &Arc<Context>, gate: &Arc<Gate>, bound: Bound, stop: &watch::Receiver<bool>) {
    let Bound { listener, kind, carries, entrance } = bound;
    let (metrics, gate, stop) = (context.metrics.clone(), gate.clone(), stop.clone());
    let door = door(context, &entrance);
    let (refusing, protocol) = (context.clone(), carries.protocol());
    let lingering = carries.answers(&entrance).then(|| Gate::new(LINGERING_ANSWERS));
    let turn_away = move |stream, client, refusal: &Refusal| turn_away(&refusing, stream, client, refusal, protocol, lingering.as_ref());
    let context = context.clone();
    match carries {
        Carries::Requests => {
            let serve = move |accepted| serve::connection(context.clone(), entrance.clone(), accepted);
            loops.spawn(accept_loop(listener, kind, gate, metrics, stop, serve, door, turn_away));
        }
        Carries::Relay(to) => {
            let serve = move |accepted| relayed::connection(context.clone(), entrance.clone(), to.clone(), accepted);
            loops.spawn(accept_loop(listener, kind, gate, metrics, stop, serve, door, turn_away));
        }
        Carries::Tls(port) => {
            let serve = move |accepted| sni::connection(context.clone(), entrance.clone(), port, accepted);
            loops.spawn(accept_loop(listener, kind, gate, metrics, stop, serve, door, turn_away));
        }
    }
}

impl Carries {
    fn protocol(&self) -> Protocol {
        match self {
            Self::Requests => Protocol::Connect,
            Self::Relay(_) => Protocol::Relay,
            Self::Tls(_) => Protocol::Sni,
        }
    }

    /// Whether a client at the door understands an answer.
    fn answers(&self, entrance: &Entrance) -> bool {
        matches!(self, Self::Requests) && entrance.tls.is_none()
    }
}

/// Who may come in at all: a client that may not use the proxy takes no seat from one that may. A balancer is let in, and whom it speaks
/// for is asked once it has said who that is.
fn door(context: &Arc<Context>, entrance: &Arc<Entrance>) -> impl Fn(SocketAddr) -> Result<(), Refusal> + use<> {
    let (context, entrance) = (context.clone(), entrance.clone());
    move |peer| if entrance.is_balancer(peer.ip()) { Ok(()) } else { admit(&context, &entrance, peer) }
}

/// At the door: the client is told why where it would understand and a place to wait until it has read that is free, then the
/// connection is closed.
pub(super) fn turn_away(
    context: &Context,
    stream: TcpStream,
    client: SocketAddr,
    refusal: &Refusal,
    protocol: Protocol,
    lingering: Option<&Arc<Gate>>,
) {
    let mut record = context.record(Start { client, protocol, method: "-" });
    record.answered_with(refusal);
    let Some(seat) = lingering.and_then(Gate::enter) else { return };
    let answer = Answer::refusal(refusal, record.id()).into_bytes();
    tokio::spawn(async move {
        send_and_close(stream, answer).await;
        drop(seat);
    });
}

/// Binds one address.
///
/// # Errors
/// A sentence with the key of the configuration and the remedy.
pub(super) fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, String> {
    let bound = (|| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait for the previous process's connections to time out.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    })();
    bound.map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another process listens there; stop it (`ss -ltnp` names it) or choose another port",
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address; write one of its own, or 0.0.0.0",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose another port, or grant CAP_NET_BIND_SERVICE",
            _ => "choose another address",
        };
        format!("{key} {address}: {error}; {remedy}")
    })
}

pub(super) fn local_address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| format!("a listener has no address: {error}"))
}
