//! The listeners that clients use: bound, then served until told to stop.

use super::sockets::{Held, Sockets};
use crate::audit::Start;
use crate::config::listeners::{ListenerConfig, RelayConfig, SniConfig};
use crate::destination::Destination;
use crate::error::Refusal;
use crate::fault::Layer;
use crate::listener::accept::{Gate, accept_loop};
use crate::listener::entrance::Entrance;
use crate::metrics::{ListenerKind, Protocol};
use crate::proxy::arrive::admit;
use crate::proxy::respond::{Answer, send_and_close};
use crate::proxy::{Context, Live, relayed, serve, sni};
use crate::tls::reception::{Files, Reception};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Refused clients that may be waited for at once while they read why. Their descriptors are beyond all limits, so those are few.
const LINGERING_ANSWERS: usize = 64;
/// Of these one client leaves an eighth to others.
const LEFT_TO_OTHERS: usize = 8;

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
#[derive(Debug, Clone)]
pub(super) struct Bound {
    held: Held,
    kind: ListenerKind,
    carries: Carries,
    entrance: Arc<Entrance>,
}

impl Bound {
    /// Where it listens; a port that was 0 in the configuration is the real one here.
    pub(super) fn address(&self) -> SocketAddr {
        self.held.local
    }

    /// What stands before it.
    pub(super) fn entrance(&self) -> &Arc<Entrance> {
        &self.entrance
    }

    /// TLS to the proxy, where it speaks it.
    pub(super) fn reception(&self) -> Option<&Arc<Reception>> {
        self.entrance.tls.as_ref()
    }

    /// Its destination, where that is fixed.
    pub(super) fn leads_to(&self) -> Option<&Destination> {
        match &self.carries {
            Carries::Relay(to) => Some(to),
            Carries::Requests | Carries::Tls(_) => None,
        }
    }

    pub(super) fn is(&self, kind: ListenerKind) -> bool {
        self.kind == kind
    }
}

/// Binds the listener for requests; with TLS on a port of its own, both. TLS that was there before goes on with the sessions it knows.
pub(super) fn bind_proxy(config: ListenerConfig, sockets: &mut Sockets, before: &[Bound]) -> Result<Vec<Bound>, String> {
    let ListenerConfig { address, entrance, tls } = config;
    let mut bound = |address, key, kind, entrance| {
        Ok::<_, String>(Bound { held: sockets.take(address, key)?, kind, carries: Carries::Requests, entrance: Arc::new(entrance) })
    };
    let Some(tls) = tls else {
        return Ok(vec![bound(address, "listener.address", ListenerKind::Proxy, entrance)?]);
    };
    let reception = reception(tls.files, before).map_err(|error| format!("{}: {error}", tls.place))?;
    let sealed = Entrance { tls: Some(reception), ..entrance.clone() };
    match tls.address {
        None => Ok(vec![bound(address, "listener.address", ListenerKind::Proxy, sealed)?]),
        Some(own) => Ok(vec![
            bound(address, "listener.address", ListenerKind::Proxy, entrance)?,
            bound(own, "listener.tls.address", ListenerKind::Tls, sealed)?,
        ]),
    }
}

fn reception(files: Files, before: &[Bound]) -> Result<Arc<Reception>, String> {
    let Some(known) = before.iter().filter_map(Bound::reception).find(|known| *known.files() == files) else {
        return Reception::load(files).map(Arc::new);
    };
    known.refresh()?;
    Ok(known.clone())
}

pub(super) fn bind_relay(config: RelayConfig, sockets: &mut Sockets) -> Result<Bound, String> {
    let RelayConfig { address, destination, entrance } = config;
    let (kind, carries) = (ListenerKind::Relay, Carries::Relay(destination));
    Ok(Bound { held: sockets.take(address, "relay.address")?, kind, carries, entrance: Arc::new(entrance) })
}

pub(super) fn bind_sni(config: SniConfig, sockets: &mut Sockets) -> Result<Bound, String> {
    let SniConfig { address, port, entrance } = config;
    let (kind, carries) = (ListenerKind::Sni, Carries::Tls(port));
    Ok(Bound { held: sockets.take(address, "sni.address")?, kind, carries, entrance: Arc::new(entrance) })
}

/// Serves a listener in a task of its own until `stop` turns true.
pub(super) fn spawn(loops: &mut JoinSet<()>, live: &Arc<Live>, gate: &Arc<Gate>, bound: Bound, stop: &watch::Receiver<bool>) {
    let Bound { held, kind, carries, entrance } = bound;
    let (metrics, gate, stop) = (live.context().metrics.clone(), gate.clone(), stop.clone());
    let Some(at) = held.into_parts() else { return };
    let door = door(live, &entrance);
    let (refusing, protocol) = (live.clone(), carries.protocol());
    let lingering = carries.answers(&entrance).then(lingering);
    let turn_away =
        move |stream, client, refusal: &Refusal| turn_away(&refusing.context(), stream, client, refusal, protocol, lingering.as_ref());
    let live = live.clone();
    match carries {
        Carries::Requests => {
            let serve = move |accepted| serve::connection(live.clone(), entrance.clone(), accepted);
            loops.spawn(accept_loop(at, kind, gate, metrics, stop, serve, door, turn_away));
        }
        Carries::Relay(to) => {
            let serve = move |accepted| relayed::connection(live.clone(), entrance.clone(), to.clone(), accepted);
            loops.spawn(accept_loop(at, kind, gate, metrics, stop, serve, door, turn_away));
        }
        Carries::Tls(port) => {
            let serve = move |accepted| sni::connection(live.clone(), entrance.clone(), port, accepted);
            loops.spawn(accept_loop(at, kind, gate, metrics, stop, serve, door, turn_away));
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
fn door(live: &Arc<Live>, entrance: &Arc<Entrance>) -> impl Fn(SocketAddr) -> Result<(), Refusal> + use<> {
    let (live, entrance) = (live.clone(), entrance.clone());
    move |peer| {
        let context = live.context();
        context.journal.faults().strike(Layer::Accept);
        if entrance.is_balancer(peer.ip()) { Ok(()) } else { admit(&context, &entrance, peer) }
    }
}

/// Places to wait in until a refused client has read why. One more is told as well: who waits for longest makes room at once.
pub(super) fn lingering() -> Arc<Gate> {
    Gate::with(LINGERING_ANSWERS, LEFT_TO_OTHERS, Duration::ZERO)
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
    let Some(seat) = lingering.and_then(|gate| gate.enter(client.ip()).ok()) else { return };
    let answer = Answer::refusal(refusal, record.id()).into_bytes();
    // Said at once; who then reads no end makes room for the next one that is refused.
    let silence = seat.silence();
    tokio::spawn(async move {
        let _ = silence.bear(send_and_close(stream, answer)).await;
        drop(seat);
    });
}
