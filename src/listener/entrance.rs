//! What stands between the network and a listener: whom it lets in, which balancers speak for others, TLS to the proxy itself.

use super::balancer::Balancers;
use crate::error::{Reason, Refusal, RuleName};
use crate::tls::reception::Reception;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// The entrance of one listener.
#[derive(Debug, Clone, Default)]
pub struct Entrance {
    /// Networks that may use this listener; `None`: all that may use the proxy.
    pub clients: Option<Vec<IpNet>>,
    /// The balancers in front of it.
    pub balancers: Option<Balancers>,
    /// TLS to the proxy, where this listener speaks it.
    pub tls: Option<Arc<Reception>>,
}

impl Entrance {
    /// Whether the peer speaks for others: who its client is, it says first.
    #[must_use]
    pub fn is_balancer(&self, peer: IpAddr) -> bool {
        self.balancers.as_ref().is_some_and(|balancers| balancers.has(peer))
    }

    /// Whether a client may use this listener.
    ///
    /// # Errors
    /// `client_not_allowed`.
    pub fn admit(&self, client: IpAddr) -> Result<(), Refusal> {
        let Some(networks) = &self.clients else { return Ok(()) };
        let client = client.to_canonical();
        if networks.iter().any(|network| network.contains(&client)) {
            return Ok(());
        }
        let detail = "the client's address is in no network of this listener's `clients`; add its network there";
        Err(Refusal::new(Reason::ClientNotAllowed, detail, RuleName::Builtin("listener.clients")))
    }
}
