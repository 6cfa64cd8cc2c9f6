//! Names to addresses: fixed addresses of the configuration first, then DNS with its TTLs kept.
//!
//! One lookup for each dial: what is checked is what is connected to. Names are asked as fully qualified, so a search list
//! never turns `api.imagicle.com` into a name of someone else's domain.

use super::answers::{Answer, Answers};
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use futures_util::FutureExt as _;
use futures_util::future::select;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Once one family is there, the other has this long (RFC 8305 section 3): networks that lose AAAA queries are common.
const GRACE: Duration = Duration::from_millis(50);
/// Resolutions under way at once. Each takes a few descriptors, and an outage must leave some to hosts that need no DNS.
const MAX_LOOKUPS: usize = 32;
/// Where the system names its name servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
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
    answers: Answers,
    lookups: Semaphore,
    deadline: Duration,
}

impl Resolver {
    /// Makes a resolver; nothing is asked yet. `deadline` bounds one resolution with all its retries.
    ///
    /// # Errors
    /// A sentence with the remedy, when the system's name servers cannot be read.
    pub fn new(hosts: HashMap<Host, Vec<HostAddress>>, servers: &NameServers, deadline: Duration) -> Result<Self, String> {
        let (config, options) = match servers {
            NameServers::System => system_servers()?,
            NameServers::Fixed(addresses) => (fixed_servers(addresses), ResolverOpts::default()),
        };
        Self::with(hosts, config, options, deadline)
    }

    fn with(
        hosts: HashMap<Host, Vec<HostAddress>>,
        config: ResolverConfig,
        mut options: ResolverOpts,
        deadline: Duration,
    ) -> Result<Self, String> {
        options.attempts = ATTEMPTS;
        options.timeout = deadline / 2;
        // What is known is asked before there is a turn to ask anybody.
        options.cache_size = 0;
        let answers = Answers::new(&options);
        options.preserve_intermediates = false;
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        let dns = builder.build().map_err(|error| format!("the resolver cannot be made: {error}"))?;
        Ok(Self { hosts, dns, answers, lookups: Semaphore::new(MAX_LOOKUPS), deadline })
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
        let name = Name::from_str(&format!("{name}.")).map_err(|_| failed("the name is none that DNS knows"))?;
        let queries = [RecordType::A, RecordType::AAAA].map(|family| Query::query(name.clone(), family));
        let known = queries.each_ref().map(|query| self.answers.get(query));
        let _turn = match self.turn(&known).await? {
            Turn::Taken(turn) => turn,
            Turn::None => return joined(known),
        };
        let [v4, v6] = queries.map(|query| self.look_up(query).boxed());
        let (first, rest) = select(v4, v6).await.factor_first();
        let second = match &first {
            Ok(found) if !found.is_empty() => tokio::time::timeout(GRACE, rest).await.ok(),
            _ => Some(rest.await),
        };
        joined([Some(first), second])
    }

    /// What is known needs no turn. Where one family is known and no turn is free, it has to do: the other is asked for another time.
    async fn turn(&self, known: &[Option<Answer>; 2]) -> Result<Turn<'_>, Refusal> {
        if known.iter().all(Option::is_some) {
            return Ok(Turn::None);
        }
        if known.iter().flatten().flatten().any(|found| !found.is_empty()) {
            return Ok(self.lookups.try_acquire().map_or(Turn::None, Turn::Taken));
        }
        self.lookups.acquire().await.map(Turn::Taken).map_err(|_| failed("the resolver is closed"))
    }

    async fn look_up(&self, query: Query) -> Answer {
        // Whoever waited for a turn may find it answered.
        if let Some(known) = self.answers.get(&query) {
            return known;
        }
        let said = self.dns.lookup(query.name().clone(), query.query_type()).await;
        self.answers.keep(query, said)
    }
}

/// A turn to ask, or none because nothing is to be asked.
enum Turn<'a> {
    Taken(SemaphorePermit<'a>),
    None,
}

/// The addresses of both families, IPv6 first; or what was said of the first that has none.
fn joined(families: [Option<Answer>; 2]) -> Result<Vec<IpAddr>, Refusal> {
    let mut found = Vec::new();
    let mut said = None;
    for family in families.into_iter().flatten() {
        match family {
            Ok(addresses) => found.extend(addresses),
            Err(why) => said = said.or(Some(why)),
        }
    }
    found.sort_by_key(IpAddr::is_ipv4);
    if found.is_empty() { Err(failed(said.unwrap_or("the name exists but has no address"))) } else { Ok(found) }
}

fn failed(detail: &'static str) -> Refusal {
    Refusal::new(Reason::ResolveFailed, detail, RuleName::Builtin("resolution"))
}

fn system_servers() -> Result<(ResolverConfig, ResolverOpts), String> {
    servers_of(Path::new(RESOLV_CONF))
}

fn servers_of(file: &Path) -> Result<(ResolverConfig, ResolverOpts), String> {
    let read = std::fs::read(file).map_err(|error| error.to_string());
    let servers = read.and_then(|text| parse_resolv_conf(text).map_err(|error| error.to_string()));
    servers.map_err(|error| {
        let file = file.display();
        format!("the system's name servers cannot be read from {file}: {error}; mend that file, or set upstream.nameservers = [\"10.0.0.53:53\"]")
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
    use tokio::net::UdpSocket;

    /// Says of each name that it does not exist, as often as it is asked; gives the names.
    async fn deny(server: UdpSocket, names: &mut Vec<String>) {
        let mut packet = [0; 512];
        while let Ok((length, peer)) = server.recv_from(&mut packet).await {
            let query = &packet[..length];
            names.push(String::from_utf8_lossy(&query[12..]).chars().filter(|c| c.is_ascii_alphanumeric() || *c < ' ').collect());
            // The question alone, with NXDOMAIN.
            let end = 12 + query[12..].iter().position(|byte| *byte == 0).expect("a root label") + 5;
            let answer = [&query[..2], &[0x85, 0x83, 0, 1, 0, 0, 0, 0, 0, 0], &query[12..end]].concat();
            server.send_to(&answer, peer).await.expect("sent");
        }
    }

    /// Kubernetes and offices write search lists: with them a name of ours would be asked as one of somebody else's domain first.
    #[tokio::test]
    async fn a_search_list_of_the_system_adds_nothing_to_a_name() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("resolv.conf");
        std::fs::write(&file, "nameserver 127.0.0.1\nsearch evil.test corp.test\ndomain corp.test\noptions ndots:5\n").expect("written");
        let (system, options) = servers_of(&file).expect("well-formed");
        assert_eq!((options.ndots, system.search().len().min(1)), (5, 1), "the search list was read");
        let server = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let ours = fixed_servers(&[server.local_addr().expect("an address")]);
        let config = ResolverConfig::from_parts(system.domain().cloned(), system.search().to_vec(), ours.name_servers().to_vec());
        let asking = Resolver::with(HashMap::new(), config, options, Duration::from_secs(5)).expect("a resolver");
        let destination = Destination::from_authority(b"t.imagicle.com:443").expect("a destination");
        let mut names = Vec::new();
        tokio::select! {
            () = deny(server, &mut names) => panic!("the server ends"),
            said = asking.resolve(&destination) => assert_eq!(said.expect_err("no such name").reason, Reason::ResolveFailed),
        }
        assert!(!names.is_empty() && names.iter().all(|name| name.contains("imagicle") && !name.contains("test")), "{names:?}");
    }

    #[test]
    fn a_system_without_name_servers_is_told_what_to_do() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("resolv.conf");
        for text in [None, Some(""), Some("search corp.test\n"), Some("nameserver nonsense\n")] {
            if let Some(text) = text {
                std::fs::write(&file, text).expect("written");
            }
            let said = servers_of(&file).expect_err("nobody to ask");
            assert!(said.contains("resolv.conf") && said.contains("upstream.nameservers"), "{text:?}: {said}");
        }
    }

    #[test]
    fn fixed_addresses_are_read() {
        assert_eq!("203.0.113.7".parse(), Ok(HostAddress { ip: IpAddr::from([203, 0, 113, 7]), port: None }));
        assert_eq!("[::1]:8443".parse(), Ok(HostAddress { ip: IpAddr::from_str("::1").expect("an address"), port: Some(8443) }));
        for text in ["", "api.imagicle.com", "203.0.113.7:", "203.0.113.7:70000", "::1:8443x"] {
            assert!(text.parse::<HostAddress>().is_err(), "{text}");
        }
    }
}
