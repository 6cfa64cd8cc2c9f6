//! The only place that connects to anything: resolve once, check every address, connect to a checked one.

use super::address::refused_class;
use super::resolve::Resolver;
use crate::error::{Reason, Refusal, RuleName};
use crate::policy::Permit;
use crate::socket::Socket;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use ipnet::IpNet;
use rustix::io::Errno;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// Head start of one address before the next is tried beside it (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Makes upstream connections.
#[derive(Debug)]
pub struct Dialer {
    resolver: Resolver,
    /// Exceptions to the ban on special addresses.
    exceptions: Vec<IpNet>,
    /// Where this proxy itself listens.
    own: Vec<SocketAddr>,
    deadline: Duration,
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

impl Dialer {
    /// Makes a dialler. `own` are the addresses this proxy listens on; `deadline` bounds one dial after resolution.
    #[must_use]
    pub fn new(resolver: Resolver, exceptions: Vec<IpNet>, own: Vec<SocketAddr>, deadline: Duration) -> Self {
        Self { resolver, exceptions, own, deadline }
    }

    /// Connects to the permitted destination.
    ///
    /// # Errors
    /// `resolve_failed`, `loop_detected`, `address_not_allowed`, `connect_failed` or `connect_timeout`.
    pub async fn dial(&self, permit: &Permit) -> Result<Socket, Refusal> {
        let resolved = self.resolver.resolve(permit.destination()).await?;
        let checked = self.checked(&resolved)?;
        let stream = match timeout(self.deadline, connect_any(&checked)).await {
            Err(_) => return Err(unreachable_upstream(Reason::ConnectTimeout, "no address of the destination answered in time")),
            Ok(Err(error)) => return Err(connect_failure(&error)),
            Ok(Ok(stream)) => stream,
        };
        // TCP even lets a socket connect to itself, when the kernel picks the destination's own port.
        if self.came_back(&stream) {
            return Err(looped());
        }
        Ok(stream.into())
    }

    /// The addresses that may be connected to. One bad address does not spoil the others, and is never fallen back to.
    fn checked(&self, resolved: &[SocketAddr]) -> Result<Vec<SocketAddr>, Refusal> {
        if resolved.iter().any(|address| self.is_own(*address)) {
            return Err(looped());
        }
        let mut refused = None;
        let mut allowed = Vec::with_capacity(resolved.len());
        for address in resolved {
            match refused_class(address.ip(), &self.exceptions) {
                Some(class) => refused = Some(class),
                None => allowed.push(SocketAddr::new(address.ip().to_canonical(), address.port())),
            }
        }
        match refused {
            Some(class) if allowed.is_empty() => {
                let detail = format!(
                    "every address of the host is refused ({class}); if that is meant, add its network to upstream.allow_addresses"
                );
                Err(Refusal::new(Reason::AddressNotAllowed, detail, RuleName::Builtin("public-addresses-only")))
            }
            _ => Ok(allowed),
        }
    }

    /// Whether a listener of ours is there. One on all addresses is known for loopback only; the rest shows once connected.
    fn is_own(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        let local = ip.is_loopback() || ip.is_unspecified();
        let reaches = |own: IpAddr| own == ip || (local && own.is_unspecified()) || (ip.is_unspecified() && own.is_loopback());
        self.own.iter().any(|own| own.port() == address.port() && reaches(own.ip().to_canonical()))
    }

    /// Whether a connection came back to a listener on all addresses: this machine's own address is then on both ends.
    fn came_back(&self, stream: &TcpStream) -> bool {
        let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return false };
        let listens = self.own.iter().any(|own| own.port() == peer.port() && own.ip().is_unspecified());
        local == peer || (listens && local.ip() == peer.ip())
    }
}

fn looped() -> Refusal {
    let detail =
        "the destination resolves to this proxy itself; check DNS and upstream.hosts: the proxy must see the cloud's own addresses";
    Refusal::new(Reason::LoopDetected, detail, RuleName::Builtin("no-loops"))
}

fn unreachable_upstream(reason: Reason, detail: &'static str) -> Refusal {
    Refusal::new(reason, detail, RuleName::Builtin("upstream"))
}

fn connect_failure(error: &io::Error) -> Refusal {
    let out_of_descriptors = [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    if out_of_descriptors {
        let detail = "the proxy has no file descriptor left; raise its limit (LimitNOFILE)";
        return Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("file-descriptors"));
    }
    unreachable_upstream(Reason::ConnectFailed, refusal_detail(error))
}

fn refusal_detail(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "every address of the destination refused the connection",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no route to the destination; check the firewall and the default route"
        }
        io::ErrorKind::TimedOut => "the destination's network did not answer",
        io::ErrorKind::PermissionDenied => "this machine's own firewall forbids the connection",
        _ => "the connection to the destination failed",
    }
}

/// Happy Eyeballs (RFC 8305): families take turns, each address gets a head start, the first connection wins.
async fn connect_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut waiting = interleaved(addresses).into_iter();
    let Some(first) = waiting.next() else {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    };
    if waiting.len() == 0 {
        return connect(first).await;
    }
    let mut attempts: FuturesUnordered<Attempt> = FuturesUnordered::new();
    attempts.push(Box::pin(connect(first)));
    let mut next_start = Instant::now() + ATTEMPT_DELAY;
    loop {
        let error = tokio::select! {
            biased;
            Some(result) = attempts.next() => match result {
                Ok(stream) => return Ok(stream),
                Err(error) => Some(error),
            },
            () = sleep_until(next_start), if waiting.len() > 0 => None,
        };
        match (waiting.next(), error) {
            (Some(address), _) => {
                attempts.push(Box::pin(connect(address)));
                next_start = Instant::now() + ATTEMPT_DELAY;
            }
            (None, Some(error)) if attempts.is_empty() => return Err(error),
            (None, _) => {}
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one dial site")]
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// IPv6 and IPv4 in turn, the resolver's first family first (RFC 8305 section 4).
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (Vec<_>, Vec<_>) = addresses.iter().copied().partition(|address| address.is_ipv6() == first_is_v6);
    let mut order = Vec::with_capacity(addresses.len());
    first.reverse();
    second.reverse();
    while let Some(address) = first.pop().or_else(|| second.pop()) {
        order.push(address);
        order.extend(second.pop());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
    }

    #[test]
    fn families_take_turns() {
        let mixed = addresses(&["[2606::1]:443", "[2606::2]:443", "[2606::3]:443", "1.1.1.1:443", "1.1.1.2:443"]);
        let expected = addresses(&["[2606::1]:443", "1.1.1.1:443", "[2606::2]:443", "1.1.1.2:443", "[2606::3]:443"]);
        assert_eq!(interleaved(&mixed), expected);
        let single = addresses(&["1.1.1.1:443", "1.1.1.2:443"]);
        assert_eq!(interleaved(&single), single);
    }
}
