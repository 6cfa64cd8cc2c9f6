//! What interception needs and all connections share: certificates for clients, verified connections to the cloud, the bytes
//! that may be held, and the clients that do not take our certificates.

use super::budget::Budget;
use crate::destination::Host;
use crate::inspect::Inspector;
use crate::tls::authority::Facts;
use crate::tls::server::Servers;
use crate::upstream::secure::Secure;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a client that rejected our certificate for a host is tunnelled to it.
const FALLBACK_TIME: Duration = Duration::from_hours(1);
/// Pairs of client and host that are remembered; the oldest makes room.
const MAX_KNOWN: usize = 4_096;

/// What becomes of a client that rejects our certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnRejection {
    /// Its connections fail until it trusts the CA.
    #[default]
    Fail,
    /// Its connections to that host are tunnels for an hour: nothing of them is inspected.
    Tunnel,
}

/// Shared by all intercepted connections.
#[derive(Debug)]
pub struct Interception {
    /// TLS towards clients.
    pub servers: Servers,
    /// Connections to the cloud.
    pub secure: Arc<Secure>,
    /// What the CA's certificate says.
    pub authority: Facts,
    /// Where that certificate is, for people.
    pub certificate_path: PathBuf,
    /// That certificate, PEM.
    pub certificate_pem: String,
    /// Largest message that is inspected, in bytes.
    pub max_message: usize,
    /// What inspects.
    pub inspector: Arc<Inspector>,
    /// The bytes that all held messages together may occupy.
    pub budget: Arc<Budget>,
    /// What becomes of a client that rejects our certificate.
    pub on_rejection: OnRejection,
    /// Who did.
    pub fallbacks: Arc<Fallbacks>,
}

/// What clients were seen to do with our certificate for a host.
#[derive(Debug, Default)]
pub struct Fallbacks {
    known: Mutex<HashMap<(IpAddr, Host), Known>>,
}

/// What is known of one client and one host.
#[derive(Debug, Clone, Copy)]
struct Known {
    at: Instant,
    conduct: Conduct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conduct {
    /// It has sent data under our certificate.
    Trusts,
    /// It is tunnelled.
    Tunnelled,
}

/// How a client rejected our certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// By an alert that says so.
    Alert,
    /// By hanging up. Unused connections and crashes look the same, so it switches nothing off for a client that took our certificate.
    Silence,
}

impl Fallbacks {
    /// The client took our certificate: it has sent data under it.
    pub fn trusts(&self, client: IpAddr, host: &Host) {
        let mut known = self.lock();
        let pair = pair(client, host);
        if known.get(&pair).is_none_or(|known| known.conduct != Conduct::Trusts) {
            insert(&mut known, pair, Conduct::Trusts);
        }
    }

    /// The client rejected our certificate, and is to be tunnelled then; true if it is from now on.
    pub fn add(&self, client: IpAddr, host: &Host, how: Rejection) -> bool {
        let mut known = self.lock();
        let pair = pair(client, host);
        if how == Rejection::Silence && known.get(&pair).is_some_and(|known| known.conduct == Conduct::Trusts) {
            return false;
        }
        insert(&mut known, pair, Conduct::Tunnelled);
        true
    }

    /// Whether the client is tunnelled to the host.
    #[must_use]
    pub fn has(&self, client: IpAddr, host: &Host) -> bool {
        self.lock().get(&pair(client, host)).is_some_and(Known::is_tunnelled)
    }

    /// How many pairs of client and host are tunnelled.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().values().filter(|known| known.is_tunnelled()).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(IpAddr, Host), Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_tunnelled(&self) -> bool {
        self.conduct == Conduct::Tunnelled && self.at.elapsed() < FALLBACK_TIME
    }
}

fn pair(client: IpAddr, host: &Host) -> (IpAddr, Host) {
    (client.to_canonical(), host.clone())
}

fn insert(known: &mut HashMap<(IpAddr, Host), Known>, pair: (IpAddr, Host), conduct: Conduct) {
    if known.len() >= MAX_KNOWN && !known.contains_key(&pair) {
        let oldest = known.iter().min_by_key(|(_, known)| known.at).map(|(pair, _)| pair.clone());
        oldest.and_then(|pair| known.remove(&pair));
    }
    known.insert(pair, Known { at: Instant::now(), conduct });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Host {
        Host::parse(name.as_bytes()).expect("a host")
    }

    fn client(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn fallbacks_are_for_one_client_and_one_host_and_bounded() {
        let fallbacks = Fallbacks::default();
        assert!(fallbacks.add(client(1), &host("api.imagicle.com"), Rejection::Alert));
        assert!(fallbacks.has(client(1), &host("api.imagicle.com")));
        assert!(fallbacks.has("::ffff:10.0.0.1".parse().expect("an address"), &host("api.imagicle.com")));
        assert!(!fallbacks.has(client(2), &host("api.imagicle.com")));
        assert!(!fallbacks.has(client(1), &host("eu.api.imagicle.com")));
        for number in 0..MAX_KNOWN + 10 {
            fallbacks.add(client(3), &host(&format!("h{number}.imagicle.com")), Rejection::Alert);
        }
        assert_eq!(fallbacks.count(), MAX_KNOWN);
        assert!(!fallbacks.has(client(1), &host("api.imagicle.com")), "the oldest made room");
    }

    #[test]
    fn silence_switches_nothing_off_for_a_client_that_trusts_us() {
        let fallbacks = Fallbacks::default();
        let api = host("api.imagicle.com");
        assert!(fallbacks.add(client(1), &api, Rejection::Silence) && fallbacks.has(client(1), &api));
        fallbacks.trusts(client(2), &api);
        assert!(!fallbacks.add(client(2), &api, Rejection::Silence) && !fallbacks.has(client(2), &api));
        assert!(fallbacks.add(client(2), &api, Rejection::Alert) && fallbacks.has(client(2), &api));
    }
}
