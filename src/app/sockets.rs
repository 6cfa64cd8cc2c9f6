//! Listening sockets: bound once, kept over reloads, taken over from a service manager that holds them.

use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel may hold for a listener before they are accepted.
const BACKLOG: u32 = 4_096;

/// A listening socket.
#[derive(Debug, Clone)]
pub(super) struct Held {
    listener: Arc<TcpListener>,
    /// As the configuration writes it.
    configured: SocketAddr,
    /// Whether a service manager holds it too: it listens on when we no longer do.
    is_inherited: bool,
    /// As it is; a port that was 0 in the configuration is the real one here.
    pub(super) local: SocketAddr,
}

impl Held {
    /// What accepting from it needs.
    pub(super) fn into_parts(self) -> (Arc<TcpListener>, SocketAddr) {
        (self.listener, self.local)
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
            Ok(Held { listener: Arc::new(listener), configured: local, is_inherited: true, local })
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

    /// The socket of an address: one that is there, or a new one.
    ///
    /// # Errors
    /// A sentence with the key of the configuration and the remedy.
    pub(super) fn take(&mut self, address: SocketAddr, key: &str) -> Result<Held, String> {
        let held = if let Some(index) = self.free.iter().position(|held| is_for(held.configured, address)) {
            // In their order: ports that are 0 in the configuration stay those of their listeners.
            Held { configured: address, ..self.free.remove(index) }
        } else {
            let listener = self.bind(address, key)?;
            let local = local_address(&listener)?;
            Held { listener: Arc::new(listener), configured: address, is_inherited: false, local }
        };
        self.taken.push(held.clone());
        Ok(held)
    }
}

impl Sockets {
    /// Binds an address, also beside a socket of ours that nobody takes any more: one on all addresses of the port, say, and the new one
    /// on a single of them.
    fn bind(&self, address: SocketAddr, key: &str) -> Result<TcpListener, String> {
        let overlaps =
            |held: &&Held| held.local.port() == address.port() && (held.local.ip().is_unspecified() || address.ip().is_unspecified());
        if let Some(held) = self.free.iter().filter(|held| held.is_inherited).find(overlaps) {
            let held = held.local;
            return Err(format!("{key} {address}: the service manager listens on {held}; change its socket unit, or choose another port"));
        }
        let beside: Vec<&TcpListener> = self.free.iter().filter(overlaps).map(|held| &*held.listener).collect();
        let bound = if beside.is_empty() { bind(address) } else { bind_beside(&beside, address) };
        bound.map_err(|error| unavailable(address, key, &error))
    }
}

/// A service manager's socket on all addresses of both families serves those that are written as all of one.
fn is_for(held: SocketAddr, wanted: SocketAddr) -> bool {
    held == wanted || (held.port() == wanted.port() && held.ip().is_unspecified() && wanted.ip().is_unspecified() && held.is_ipv6())
}

/// Binds one address.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = claim(address, Beside::Nobody)?;
    socket.listen(BACKLOG)
}

/// Binds an address that overlaps with those of these listeners. They share the port while it is bound and no longer: a second proxy
/// must not be able to take a part of the connections.
fn bind_beside(others: &[&TcpListener], address: SocketAddr) -> io::Result<TcpListener> {
    let share = |is_shared| others.iter().try_for_each(|other| SockRef::from(*other).set_reuse_port(is_shared));
    let bound = share(true).and_then(|()| claim(address, Beside::Own)?.listen(BACKLOG));
    share(false)?;
    let listener = bound?;
    SockRef::from(&listener).set_reuse_port(false)?;
    Ok(listener)
}

/// Who else may listen on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nobody,
    /// Listeners of this process that share it.
    Own,
}

/// Takes an address, without listening yet.
fn claim(address: SocketAddr, beside: Beside) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for the previous process's connections to time out.
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(beside == Beside::Own)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Whether an address could be listened on, seen without listening: nobody's connection is taken meanwhile.
///
/// # Errors
/// What keeps it from that, and the sentence that the start would say.
pub fn may_listen(address: SocketAddr, key: &str) -> Result<(), (io::ErrorKind, String)> {
    claim(address, Beside::Nobody).map(drop).map_err(|error| (error.kind(), unavailable(address, key, &error)))
}

fn unavailable(address: SocketAddr, key: &str, error: &io::Error) -> String {
    let remedy = match error.kind() {
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
