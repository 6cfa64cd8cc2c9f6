//! Names to addresses: fixed addresses of the configuration first, then DNS with its TTLs kept.
//!
//! One lookup for each dial: what is checked is what is connected to. Names are asked as fully qualified, so a search list
//! never turns `api.imagicle.com` into a name of someone else's domain.

use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use futures_util::FutureExt as _;
use futures_util::future::select;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Addresses of one family looked at for one name; more is no cloud's answer but an attack on the dialler.
const MAX_ADDRESSES_EACH: usize = 8;
/// Once one family is there, the other has this long (RFC 8305 section 3): networks that lose AAAA queries are common.
const GRACE: Duration = Duration::from_millis(50);
/// Resolutions under way at once. Each takes a few descriptors, and an outage must leave some to hosts that need no DNS.
const MAX_LOOKUPS: usize = 32;
/// Names whose answers are kept.
const CACHE_NAMES: u64 = 4_096;
/// Queries of one name before it counts as unresolvable, within the one deadline.
const ATTEMPTS: usize = 2;

/// A fixed address of a host; with a port it replaces the destination's port (a port forward, a test server).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostAddress {
    ip: IpAddr,
    port: Option<u16>,
}

impl HostAddress {
    /// The address without the port.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }
}

impl FromStr for HostAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse() {
            return Ok(Self { ip, port: None });
        }
        let address: SocketAddr =
            text.parse().map_err(|_| "no address; write \"203.0.113.7\", \"203.0.113.7:8443\" or \"[2001:db8::7]:8443\"")?;
        if address.port() == 0 {
            return Err("port 0 cannot be reached; write a port from 1 to 65535, or none");
        }
        Ok(Self { ip: address.ip(), port: Some(address.port()) })
    }
}

/// Which name servers are asked.
#[derive(Debug, Clone)]
pub enum NameServers {
    /// Those of `/etc/resolv.conf`.
    System,
    /// These.
    Fixed(Vec<SocketAddr>),
}

impl NameServers {
    /// Their addresses, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let list =
            |servers: Vec<String>, whose: &str| format!("{}{whose}", if servers.is_empty() { "none".into() } else { servers.join(", ") });
        match self {
            Self::Fixed(servers) => list(servers.iter().map(ToString::to_string).collect(), ""),
            Self::System => {
                let servers =
                    system_servers().map(|(config, _)| config.name_servers().iter().map(|server| server.ip.to_string()).collect());
                list(servers.unwrap_or_default(), " (/etc/resolv.conf)")
            }
        }
    }
}

/// Resolves destinations.
#[derive(Debug)]
pub struct Resolver {
    hosts: HashMap<Host, Vec<HostAddress>>,
    dns: TokioResolver,
    lookups: Semaphore,
    deadline: Duration,
}

impl Resolver {
    /// Makes a resolver; nothing is asked yet. `deadline` bounds one resolution with all its retries.
    ///
    /// # Errors
    /// A sentence with the remedy, when the system's name servers cannot be read.
    pub fn new(hosts: HashMap<Host, Vec<HostAddress>>, servers: &NameServers, deadline: Duration) -> Result<Self, String> {
        let (config, mut options) = match servers {
            NameServers::System => system_servers()?,
            NameServers::Fixed(addresses) => (fixed_servers(addresses), ResolverOpts::default()),
        };
        options.attempts = ATTEMPTS;
        options.timeout = deadline / 2;
        options.cache_size = CACHE_NAMES;
        options.preserve_intermediates = false;
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        let dns = builder.build().map_err(|error| format!("the resolver cannot be made: {error}"))?;
        Ok(Self { hosts, dns, lookups: Semaphore::new(MAX_LOOKUPS), deadline })
    }

    /// The addresses of a destination, at most 8 of each family, IPv6 first, each once.
    ///
    /// # Errors
    /// `resolve_failed`, with what DNS said.
    pub async fn resolve(&self, destination: &Destination) -> Result<Vec<SocketAddr>, Refusal> {
        let port = destination.port;
        if let Some(fixed) = self.hosts.get(&destination.host) {
            return Ok(fixed.iter().map(|address| SocketAddr::new(address.ip, address.port.unwrap_or(port))).collect());
        }
        let name = match &destination.host {
            Host::Address(ip) => return Ok(vec![SocketAddr::new(*ip, port)]),
            Host::Name(name) => name,
        };
        let asked = tokio::time::timeout(self.deadline, self.ask(name)).await;
        let found = asked.map_err(|_| failed("the name servers did not answer in time"))??;
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    async fn ask(&self, name: &str) -> Result<Vec<IpAddr>, Refusal> {
        let _turn = self.lookups.acquire().await.map_err(|_| failed("the resolver is closed"))?;
        let name = format!("{name}.");
        let (v4, v6) = (self.dns.ipv4_lookup(name.as_str()).boxed(), self.dns.ipv6_lookup(name.as_str()).boxed());
        let (first, rest) = select(v4, v6).await.factor_first();
        let second = match &first {
            Ok(lookup) if !addresses(lookup).is_empty() => tokio::time::timeout(GRACE, rest).await.ok(),
            _ => Some(rest.await),
        };
        let mut found: Vec<IpAddr> = [Some(&first), second.as_ref()].into_iter().flatten().flatten().flat_map(addresses).collect();
        found.sort_by_key(IpAddr::is_ipv4);
        match (found.is_empty(), first.err().or(second.and_then(Result::err))) {
            (false, _) => Ok(found),
            (true, Some(error)) => Err(failed(explanation(&error))),
            (true, None) => Err(failed("the name exists but has no address")),
        }
    }
}

/// The addresses of one answer.
fn addresses(lookup: &Lookup) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    for record in lookup.answers() {
        let ip = match &record.data {
            RData::A(address) => IpAddr::V4(address.0),
            RData::AAAA(address) => IpAddr::V6(address.0),
            _ => continue,
        };
        if found.len() < MAX_ADDRESSES_EACH && !found.contains(&ip) {
            found.push(ip);
        }
    }
    found
}

fn failed(detail: &'static str) -> Refusal {
    Refusal::new(Reason::ResolveFailed, detail, RuleName::Builtin("resolution"))
}

fn explanation(error: &NetError) -> &'static str {
    match error {
        error if error.is_nx_domain() => "the name does not exist (NXDOMAIN)",
        error if error.is_no_records_found() => "the name exists but has no address",
        NetError::Timeout => "the name servers did not answer in time",
        NetError::Dns(_) => "the name servers answered with an error",
        _ => "the name servers cannot be reached",
    }
}

fn system_servers() -> Result<(ResolverConfig, ResolverOpts), String> {
    hickory_resolver::system_conf::read_system_conf().map_err(|error| {
        format!("the system's name servers cannot be read from /etc/resolv.conf: {error}; mend that file, or set upstream.nameservers = [\"10.0.0.53:53\"]")
    })
}

fn fixed_servers(addresses: &[SocketAddr]) -> ResolverConfig {
    let server = |address: &SocketAddr| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = address.port();
            connection
        });
        NameServerConfig::new(address.ip(), true, connections.into())
    };
    ResolverConfig::from_parts(None, Vec::new(), addresses.iter().map(server).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_addresses_are_read() {
        assert_eq!("203.0.113.7".parse(), Ok(HostAddress { ip: IpAddr::from([203, 0, 113, 7]), port: None }));
        assert_eq!("[::1]:8443".parse(), Ok(HostAddress { ip: IpAddr::from_str("::1").expect("an address"), port: Some(8443) }));
        for text in ["", "api.imagicle.com", "203.0.113.7:", "203.0.113.7:70000", "::1:8443x"] {
            assert!(text.parse::<HostAddress>().is_err(), "{text}");
        }
    }
}
