//! Listening sockets: bound once, kept over reloads, taken over from a service manager that holds them.

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
            Ok(Held { listener: Arc::new(listener), configured: local, local })
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
            let listener = bind(address, key).map_err(|error| self.overlapping(address, key).unwrap_or(error))?;
            let local = local_address(&listener)?;
            Held { listener: Arc::new(listener), configured: address, local }
        };
        self.taken.push(held.clone());
        Ok(held)
    }
}

impl Sockets {
    /// What is said where a socket of our own stands in the way: one on all addresses of a port, and one on a single of them.
    fn overlapping(&self, address: SocketAddr, key: &str) -> Option<String> {
        let overlaps =
            |held: &&Held| held.local.port() == address.port() && (held.local.ip().is_unspecified() || address.ip().is_unspecified());
        let held = self.free.iter().chain(&self.taken).find(overlaps)?.local;
        Some(format!("{key} {address}: this proxy itself listens on {held}; restart it for this change, or choose another port"))
    }
}

/// A service manager's socket on all addresses of both families serves those that are written as all of one.
fn is_for(held: SocketAddr, wanted: SocketAddr) -> bool {
    held == wanted || (held.port() == wanted.port() && held.ip().is_unspecified() && wanted.ip().is_unspecified() && held.is_ipv6())
}

/// Binds one address.
fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, String> {
    claim(address).and_then(|socket| socket.listen(BACKLOG)).map_err(|error| unavailable(address, key, &error))
}

/// Takes an address, without listening yet.
fn claim(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for the previous process's connections to time out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Whether an address could be listened on, seen without listening: nobody's connection is taken meanwhile.
///
/// # Errors
/// What keeps it from that, and the sentence that the start would say.
pub fn may_listen(address: SocketAddr, key: &str) -> Result<(), (io::ErrorKind, String)> {
    claim(address).map(drop).map_err(|error| (error.kind(), unavailable(address, key, &error)))
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
