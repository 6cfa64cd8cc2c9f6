//! What stands between the network and a listener: whom it lets in, which balancers speak for others, TLS to the proxy itself.

use super::balancer::Balancers;
use crate::error::{Reason, Refusal, RuleName};
use crate::identity::Identity;
use crate::tls::proven::Verifier;
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

    /// What clients' certificates are verified with, where they are asked for.
    #[must_use]
    pub fn verifier(&self) -> Option<Arc<Verifier>> {
        self.tls.as_ref().and_then(|tls| tls.terms().verifier.clone())
    }

    /// Whether a client has shown the certificate that is asked for here: the CA may have changed since it came.
    ///
    /// # Errors
    /// `client_not_allowed`.
    pub fn verify(&self, identity: &Identity) -> Result<(), Refusal> {
        let Some(verifier) = self.verifier() else { return Ok(()) };
        if identity.certificate.as_ref().is_some_and(|certificate| certificate.is_valid_for(&verifier)) {
            return Ok(());
        }
        let detail = "listener.tls.client_ca has changed, and this connection has no certificate that it signed; connect anew with one";
        Err(Refusal::new(Reason::ClientNotAllowed, detail, RuleName::Builtin("listener.tls.client_ca")))
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
