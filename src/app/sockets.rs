//! Listening sockets: bound once, kept over reloads, taken over from a service manager that holds them.

use rustix::io::Errno;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel may hold for a listener before they are accepted.
const BACKLOG: u32 = 4_096;

/// A socket that listens, and where.
pub(super) type At = (Arc<TcpListener>, SocketAddr);

/// A socket that listens, or will: until it does the kernel leads nobody to it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    place: Arc<Place>,
    /// As the configuration writes it.
    configured: SocketAddr,
    /// Whether a service manager holds it too: it listens on when we no longer do.
    is_inherited: bool,
    /// As it is; a port that was 0 in the configuration is the real one here.
    pub(super) local: SocketAddr,
}

#[derive(Debug)]
struct Place {
    listener: OnceLock<Arc<TcpListener>>,
    claim: Mutex<Option<Claim>>,
}

/// An address that is ours.
#[derive(Debug)]
struct Claim {
    socket: TcpSocket,
    /// Listeners of ours that overlap with it and go.
    beside: Vec<Arc<TcpListener>>,
}

impl Claim {
    /// Those share the port while it is bound, or begins to listen, and no longer: a second proxy must not be able to take a part of the
    /// connections.
    fn share(beside: &[Arc<TcpListener>], is_shared: bool) -> io::Result<()> {
        beside.iter().try_for_each(|other| SockRef::from(&**other).set_reuse_port(is_shared))
    }

    fn new(address: SocketAddr, beside: Vec<Arc<TcpListener>>) -> io::Result<Self> {
        Self::share(&beside, true)?;
        let socket = claim(address, !beside.is_empty());
        Self::share(&beside, false)?;
        Ok(Self { socket: socket?, beside })
    }

    fn listen(self) -> io::Result<TcpListener> {
        Self::share(&self.beside, true)?;
        let listener = self.socket.listen(BACKLOG);
        Self::share(&self.beside, false)?;
        let listener = listener?;
        SockRef::from(&listener).set_reuse_port(false)?;
        Ok(listener)
    }
}

impl Held {
    fn listening(listener: TcpListener) -> Arc<Place> {
        Arc::new(Place { listener: OnceLock::from(Arc::new(listener)), claim: Mutex::default() })
    }

    /// Begins to listen, if it does not yet.
    fn listen(&self) -> io::Result<()> {
        let Some(claim) = self.place.claim.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let listener = Arc::new(claim.listen()?);
        self.place.listener.get_or_init(|| listener);
        Ok(())
    }

    /// What accepting from it needs, once it listens.
    pub(super) fn into_parts(self) -> Option<At> {
        let listener = self.place.listener.get();
        if listener.is_none() {
            tracing::error!(address = %self.local, "a socket was to be accepted from before it listens");
        }
        Some((listener?.clone(), self.local))
    }
}

/// Sockets that may be used again, and those that were.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    free: Vec<Held>,
    taken: Vec<Held>,
}

impl Sockets {
    /// Those that a service manager holds for us: a client that connects while no process is there waits for the next one.
    ///
    /// # Errors
    /// When one of them cannot be used, with the remedy.
    pub(super) fn inherited(sockets: Vec<std::net::TcpListener>) -> Result<Self, String> {
        let take_over = |socket: std::net::TcpListener| {
            let taken = socket.set_nonblocking(true).and_then(|()| TcpListener::from_std(socket));
            let listener = taken.map_err(|error| format!("a socket of the service manager cannot be used: {error}"))?;
            let local = local_address(&listener)?;
            Ok(Held { place: Held::listening(listener), configured: local, is_inherited: true, local })
        };
        Ok(Self { free: sockets.into_iter().map(take_over).collect::<Result<_, String>>()?, taken: Vec::new() })
    }

    /// Those that are in use, to be used again.
    pub(super) fn again(&self) -> Self {
        Self { free: self.taken.clone(), taken: Vec::new() }
    }

    /// Closes those that nobody took, and gives their addresses.
    pub(super) fn close_unused(&mut self) -> Vec<SocketAddr> {
        self.free.drain(..).map(|held| held.local).collect()
    }

    /// Has all that were taken listen. Whoever connects from now on must be accepted.
    ///
    /// # Errors
    /// As [`Sockets::take`].
    pub(super) fn listen(&self) -> Result<(), String> {
        self.taken.iter().try_for_each(|held| held.listen().map_err(|error| unavailable(held.configured, "a listener on", &error)))
    }

    /// The socket of an address: one that is there, or a new one, which does not listen yet.
    ///
    /// # Errors
    /// A sentence with the key of the configuration and the remedy.
    pub(super) fn take(&mut self, address: SocketAddr, key: &str) -> Result<Held, String> {
        let held = if let Some(index) = self.free.iter().position(|held| is_for(held.configured, address)) {
            // In their order: ports that are 0 in the configuration stay those of their listeners.
            Held { configured: address, ..self.free.remove(index) }
        } else {
            let claim = self.claim(address, key)?;
            let local = claim.socket.local_addr().map_err(|error| unavailable(address, key, &error))?;
            let place = Place { listener: OnceLock::new(), claim: Mutex::new(Some(claim)) };
            Held { place: Arc::new(place), configured: address, is_inherited: false, local }
        };
        self.taken.push(held.clone());
        Ok(held)
    }
}

impl Sockets {
    /// Takes an address, also beside a socket of ours that nobody takes any more: one on all addresses of the port, say, and the new one
    /// on a single of them.
    fn claim(&self, address: SocketAddr, key: &str) -> Result<Claim, String> {
        let overlaps =
            |held: &&Held| held.local.port() == address.port() && (held.local.ip().is_unspecified() || address.ip().is_unspecified());
        if let Some(held) = self.free.iter().filter(|held| held.is_inherited).find(overlaps) {
            let held = held.local;
            return Err(format!("{key} {address}: the service manager listens on {held}; change its socket unit, or choose another port"));
        }
        let beside = self.free.iter().filter(overlaps).filter_map(|held| held.place.listener.get().cloned()).collect();
        Claim::new(address, beside).map_err(|error| unavailable(address, key, &error))
    }
}

/// A service manager's socket on all addresses of both families serves those that are written as all of one.
fn is_for(held: SocketAddr, wanted: SocketAddr) -> bool {
    held == wanted || (held.port() == wanted.port() && held.ip().is_unspecified() && wanted.ip().is_unspecified() && held.is_ipv6())
}

/// Takes an address, without listening yet; beside listeners of this process that share it.
fn claim(address: SocketAddr, is_shared: bool) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for the previous process's connections to time out.
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(is_shared)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Whether an address could be listened on, seen without listening: nobody's connection is taken meanwhile.
///
/// # Errors
/// What keeps it from that, and the sentence that the start would say.
pub fn may_listen(address: SocketAddr, key: &str) -> Result<(), (io::ErrorKind, String)> {
    claim(address, false).map(drop).map_err(|error| (error.kind(), unavailable(address, key, &error)))
}

fn unavailable(address: SocketAddr, key: &str, error: &io::Error) -> String {
    let remedy = match error.kind() {
        _ if error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error()) => {
            "this machine has no IPv6; write an IPv4 address, such as 0.0.0.0 for all of them"
        }
        io::ErrorKind::AddrInUse => "another process listens there; stop it (`ss -ltnp` names it) or choose another port",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address; write one of its own, or 0.0.0.0",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose another port, or grant CAP_NET_BIND_SERVICE",
        _ => "choose another address",
    };
    format!("{key} {address}: {error}; {remedy}")
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| format!("a listener has no address: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel says where an address cannot be had, and what a person does then.
    #[test]
    fn each_cause_has_its_remedy() {
        let address = SocketAddr::from(([127, 0, 0, 1], 3128));
        for (errno, remedy) in [
            (Errno::ADDRINUSE, "ss -ltnp"),
            (Errno::ADDRNOTAVAIL, "no such address"),
            (Errno::ACCESS, "CAP_NET_BIND_SERVICE"),
            (Errno::AFNOSUPPORT, "no IPv6; write an IPv4 address"),
            (Errno::NOBUFS, "another address"),
        ] {
            let said = unavailable(address, "listener.address", &errno.into());
            assert!(said.starts_with("listener.address 127.0.0.1:3128: ") && said.contains(remedy), "{said}");
        }
    }
}
