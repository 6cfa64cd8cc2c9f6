//! What interception needs and all connections share: certificates for clients, verified connections to the cloud, the bytes
//! that may be held, and the clients that do not take our certificates.

use super::budget::Budget;
use crate::destination::Host;
use crate::tls::authority::Facts;
use crate::tls::server::Servers;
use crate::upstream::secure::Secure;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a client that rejected our certificate for a host is tunnelled to it.
const FALLBACK_TIME: Duration = Duration::from_hours(1);
/// Pairs of client and host that are remembered; the oldest makes room.
const MAX_FALLBACKS: usize = 4_096;

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
    pub secure: Secure,
    /// What the CA's certificate says.
    pub authority: Facts,
    /// Where that certificate is, for people.
    pub certificate_path: PathBuf,
    /// Largest message that is inspected, in bytes.
    pub max_message: usize,
    /// The bytes that all held messages together may occupy.
    pub budget: Arc<Budget>,
    /// What becomes of a client that rejects our certificate.
    pub on_rejection: OnRejection,
    /// Who did.
    pub fallbacks: Fallbacks,
}

/// Clients that rejected our certificate for a host.
#[derive(Debug, Default)]
pub struct Fallbacks {
    since: Mutex<HashMap<(IpAddr, Host), Instant>>,
}

impl Fallbacks {
    /// From now on, for an hour.
    pub fn add(&self, client: IpAddr, host: &Host) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.len() >= MAX_FALLBACKS {
            let oldest = since.iter().min_by_key(|(_, at)| **at).map(|(pair, _)| pair.clone());
            oldest.and_then(|pair| since.remove(&pair));
        }
        since.insert((client.to_canonical(), host.clone()), Instant::now());
    }

    /// Whether the client is tunnelled to the host.
    #[must_use]
    pub fn has(&self, client: IpAddr, host: &Host) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_empty() {
            return false;
        }
        since.retain(|_, at| at.elapsed() < FALLBACK_TIME);
        since.contains_key(&(client.to_canonical(), host.clone()))
    }

    /// How many pairs of client and host there are.
    #[must_use]
    pub fn count(&self) -> usize {
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.values().filter(|at| at.elapsed() < FALLBACK_TIME).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fallbacks_are_for_one_client_and_one_host_and_bounded() {
        let fallbacks = Fallbacks::default();
        let host = |name: &str| Host::parse(name.as_bytes()).expect("a host");
        let client = |last| IpAddr::from([10, 0, 0, last]);
        fallbacks.add(client(1), &host("api.imagicle.com"));
        assert!(fallbacks.has(client(1), &host("api.imagicle.com")));
        assert!(fallbacks.has("::ffff:10.0.0.1".parse().expect("an address"), &host("api.imagicle.com")));
        assert!(!fallbacks.has(client(2), &host("api.imagicle.com")));
        assert!(!fallbacks.has(client(1), &host("eu.api.imagicle.com")));
        for number in 0..MAX_FALLBACKS + 10 {
            fallbacks.add(client(3), &host(&format!("h{number}.imagicle.com")));
        }
        assert_eq!(fallbacks.count(), MAX_FALLBACKS);
        assert!(!fallbacks.has(client(1), &host("api.imagicle.com")), "the oldest made room");
    }
}
