//! Names to addresses: fixed addresses of the configuration first, then DNS with its TTLs kept.
//!
//! One lookup for each dial: what is checked is what is connected to. Names are asked as fully qualified, so a search list
//! never turns `api.imagicle.com` into a name of someone else's domain.

use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// Addresses looked at for one name; more is no cloud's answer but an attack on the dialler.
const MAX_ADDRESSES: usize = 16;
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

/// Resolves destinations.
#[derive(Debug)]
pub struct Resolver {
    hosts: HashMap<Host, Vec<HostAddress>>,
    dns: TokioResolver,
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
        Ok(Self { hosts, dns, deadline })
    }

    /// The addresses of a destination, at most 16, each once and in the resolver's order.
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
        let lookup = self.dns.lookup_ip(format!("{name}."));
        let answer = tokio::time::timeout(self.deadline, lookup).await.map_err(|_| failed("the name servers did not answer in time"))?;
        let addresses = answer.map_err(|error| failed(explanation(&error)))?;
        let mut found: Vec<SocketAddr> = Vec::new();
        for ip in addresses.iter().map(|ip| ip.to_canonical()) {
            let address = SocketAddr::new(ip, port);
            if found.len() < MAX_ADDRESSES && !found.contains(&address) {
                found.push(address);
            }
        }
        if found.is_empty() { Err(failed("the name exists but has no address")) } else { Ok(found) }
    }
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
