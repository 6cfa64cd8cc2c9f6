//! The only place that connects to anything: resolve once, check every address, connect to a checked one.

use super::address::refused_class;
use super::parent::failure::{Failure, Meaning, of_all};
use super::parent::{Member, Parents, Routes};
use super::resolve::Resolver;
use super::tls;
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::{Faults, Layer};
use crate::policy::Permit;
use crate::socket::Socket;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use ipnet::IpNet;
use rustix::io::Errno;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

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
    parents: Option<Parents>,
    faults: Faults,
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

impl Dialer {
    /// Makes a dialler. `own` are the addresses this proxy listens on; `deadline` bounds one dial after resolution.
    #[must_use]
    pub fn new(resolver: Resolver, exceptions: Vec<IpNet>, own: Vec<SocketAddr>, deadline: Duration) -> Self {
        Self { resolver, exceptions, own, deadline, parents: None, faults: Faults::none() }
    }

    /// Goes through parent proxies where they are configured.
    #[must_use]
    pub fn with_parents(self, parents: Parents) -> Self {
        Self { parents: Some(parents), ..self }
    }

    /// Panics where a drill wants it.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Which way each destination goes.
    #[must_use]
    pub fn routes(&self) -> Arc<Routes> {
        self.parents.as_ref().map_or_else(Arc::default, |parents| parents.routes().clone())
    }

    /// The parent proxies.
    pub fn parents(&self) -> impl Iterator<Item = &Member> {
        self.parents.iter().flat_map(Parents::members)
    }

    /// Whether a connection that was made before could be made again: to an address that is no listener of ours and not refused.
    #[must_use]
    pub fn permits(&self, address: SocketAddr) -> bool {
        !self.is_own(address) && refused_class(address.ip(), &self.exceptions).is_none()
    }

    /// The address that was connected to, where the destination itself was: behind a parent it is not known.
    #[must_use]
    pub fn reached(&self, permit: &Permit, upstream: &Socket) -> Option<SocketAddr> {
        upstream.tcp().filter(|_| self.is_direct(permit))?.peer_addr().ok()
    }

    /// Whether a destination is reached without a parent.
    #[must_use]
    pub fn is_direct(&self, permit: &Permit) -> bool {
        self.parents.as_ref().is_none_or(|parents| parents.are_passed_by(permit))
    }

    /// The addresses of a destination, whether or not they may be connected to.
    ///
    /// # Errors
    /// `resolve_failed`.
    pub async fn look_up(&self, destination: &Destination) -> Result<Vec<SocketAddr>, Refusal> {
        self.resolver.resolve(destination).await
    }

    /// Connects to the permitted destination by way of one parent, as [`Dialer::dial`] would if there were no other.
    ///
    /// # Errors
    /// As [`Dialer::dial`].
    pub async fn dial_by(&self, member: &Member, permit: &Permit) -> Result<Socket, Refusal> {
        self.by_way_of(member, permit.destination(), Instant::now() + self.deadline).await.map_err(|failure| failure.refusal)
    }

    /// Connects to the permitted destination, or to a parent proxy that connects to it.
    ///
    /// # Errors
    /// `resolve_failed`, `loop_detected`, `address_not_allowed`, `connect_failed` or `connect_timeout`; of a parent also
    /// `upstream_tls_invalid` and `upstream_failed`.
    pub async fn dial(&self, permit: &Permit) -> Result<Socket, Refusal> {
        match self.parents.as_ref().map(|parents| parents.in_turn(permit)).unwrap_or_default() {
            parents if parents.is_empty() => self.directly(permit).await,
            // Rare, and large: what is reached directly need not hold it.
            parents => Box::pin(self.through(parents, permit.destination())).await,
        }
    }

    /// One parent after the other, each with its share of what is left of the deadline: one that swallows everything leaves time for the
    /// next. When all fail, nothing goes direct.
    async fn through(&self, parents: Vec<&Member>, destination: &Destination) -> Result<Socket, Refusal> {
        let deadline = Instant::now() + self.deadline;
        let mut details = Vec::new();
        let mut left = u32::try_from(parents.len()).unwrap_or(u32::MAX);
        for member in parents {
            let began = Instant::now();
            let until = began + deadline.saturating_duration_since(began) / left;
            left -= 1;
            let failure = match self.by_way_of(member, destination, until).await {
                Ok(socket) => {
                    member.succeeded();
                    return Ok(socket);
                }
                Err(failure) => failure,
            };
            member.failed(&failure, began.into_std());
            if left == 0 || failure.meaning == Meaning::Final {
                return Err(of_all(&details, failure.refusal));
            }
            member.passed_over();
            details.push(failure.refusal.detail.into_owned());
        }
        Err(unreachable_upstream(Reason::ConnectFailed, "no parent proxy is configured for the destination"))
    }

    /// A tunnel of a parent. Its address may be private, as the configuration names it; it may not be this proxy.
    async fn by_way_of(&self, member: &Member, destination: &Destination, until: Instant) -> Result<Socket, Failure> {
        let shown = member.parent().shown();
        let late = |what: &str| Failure::unreached(Reason::ConnectTimeout, format!("the parent {shown} {what} in time"));
        let looped = || Failure::unreached(Reason::LoopDetected, format!("the parent {shown} is this proxy itself; name another one"));
        let unresolved = |why: &str| Failure::unreached(Reason::ResolveFailed, format!("the parent {shown} does not resolve: {why}"));
        let resolved = match timeout_at(until, self.resolver.resolve(member.parent().at())).await {
            Err(_) => return Err(unresolved("the name servers did not answer in time")),
            Ok(Err(refusal)) => return Err(unresolved(&refusal.detail)),
            Ok(Ok(resolved)) => resolved,
        };
        if resolved.iter().any(|address| self.is_own(*address)) {
            return Err(looped());
        }
        let stream = match timeout_at(until, connect_any(&resolved)).await {
            Err(_) => return Err(late("did not answer")),
            Ok(Err(error)) => return Err(parent_failure(shown, &error)),
            Ok(Ok(stream)) => stream,
        };
        if self.came_back(&stream) {
            return Err(looped());
        }
        let mut stream = match timeout_at(until, member.sealed(stream)).await {
            Err(_) => return Err(late("did not complete the TLS handshake")),
            Ok(Err(error)) => {
                let detail = format!("TLS with the parent {shown}: {}", tls::refusal(&error).detail);
                return Err(Failure::unreached(Reason::UpstreamTlsInvalid, detail));
            }
            Ok(Ok(stream)) => stream,
        };
        timeout_at(until, member.tunnel(&mut stream, destination)).await.unwrap_or_else(|_| Err(late("did not answer CONNECT")))?;
        Ok(stream)
    }

    async fn directly(&self, permit: &Permit) -> Result<Socket, Refusal> {
        self.faults.strike(Layer::Resolve);
        let resolved = self.resolver.resolve(permit.destination()).await?;
        let checked = self.checked(&resolved)?;
        self.faults.strike(Layer::Dial);
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
    ///
    /// # Errors
    /// `loop_detected`, or `address_not_allowed` if none is left.
    pub fn checked(&self, resolved: &[SocketAddr]) -> Result<Vec<SocketAddr>, Refusal> {
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

fn parent_failure(shown: &str, error: &io::Error) -> Failure {
    let refusal = connect_failure(error);
    match refusal.reason {
        Reason::Overloaded => Failure::own(refusal),
        reason => Failure::unreached(reason, format!("the parent {shown} cannot be reached: {}", parent_detail(error))),
    }
}

fn parent_detail(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there; check host and port of upstream.parent, and whether it runs",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no route to it; check the firewall and the routes",
        io::ErrorKind::TimedOut => "its network did not answer",
        io::ErrorKind::PermissionDenied => "this machine's own firewall forbids the connection",
        _ => "the connection failed",
    }
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
