//! How requests of a connection got here, and what a CONNECT among them leaves behind.

use super::arrive::Peer;
use super::context::Context;
use super::establish::Way;
use super::identify::Caller;
use super::standing::Entrant;
use crate::access::Offered;
use crate::audit::{Record, revoked};
use crate::destination::Destination;
use crate::error::Refusal;
use crate::identity::Identity;
use crate::listener::accept::Counted;
use crate::listener::head::Form;
use crate::policy::Permit;
use hyper::upgrade::OnUpgrade;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How requests got here.
#[derive(Debug)]
pub enum Entry {
    /// Absolute-form on the proxy listener.
    Forward {
        /// The client.
        peer: Peer,
        /// Its place in limit and gauge, until a CONNECT on the same connection takes it over.
        open: Mutex<Option<Counted>>,
        /// What that CONNECT leaves behind.
        handed_over: Mutex<Option<Box<HandOver>>>,
    },
    /// Inside a CONNECT to a plain HTTP endpoint.
    Inner(Inner),
}

impl Entry {
    /// Requests on the proxy listener.
    #[must_use]
    pub fn forward(peer: Peer, open: Counted) -> Self {
        Self::Forward { peer, open: Mutex::new(Some(open)), handed_over: Mutex::default() }
    }

    /// The connection's place, once.
    #[must_use]
    pub fn take_place(&self) -> Option<Counted> {
        match self {
            Self::Forward { open, .. } => open.lock().unwrap_or_else(PoisonError::into_inner).take(),
            Self::Inner(_) => None,
        }
    }

    /// Leaves a tunnel to whoever served the connection.
    pub fn hand_over(&self, left: HandOver) {
        if let Self::Forward { handed_over, .. } = self {
            *handed_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(left));
        }
    }

    /// The tunnel that was left, if any.
    #[must_use]
    pub fn handed_over(&self) -> Option<Box<HandOver>> {
        match self {
            Self::Forward { handed_over, .. } => handed_over.lock().unwrap_or_else(PoisonError::into_inner).take(),
            Self::Inner(_) => None,
        }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> SocketAddr {
        match self {
            Self::Forward { peer, .. } => peer.address,
            Self::Inner(inner) => inner.client,
        }
    }

    /// Who makes a request that offers these credentials.
    #[must_use]
    pub fn caller(&self, credentials: Option<Offered>) -> Caller {
        let identity = match self {
            Self::Forward { peer, .. } => Identity::shown(peer.certificate.clone()),
            Self::Inner(inner) => inner.identity.clone(),
        };
        Caller { identity, listener: self.listener(), credentials }
    }

    /// The listener that requests came by; whoever is in a tunnel was asked when it was opened.
    fn listener(&self) -> Option<SocketAddr> {
        match self {
            Self::Forward { peer, .. } => Some(peer.listener),
            Self::Inner(_) => None,
        }
    }

    /// What request targets look like.
    #[must_use]
    pub fn form(&self) -> Form {
        match self {
            Self::Forward { .. } => Form::Absolute,
            Self::Inner(_) => Form::Origin,
        }
    }
}

/// A tunnel that carries plain HTTP: every request in it is decided again.
#[derive(Debug)]
pub struct Inner {
    /// Who opened it.
    pub client: SocketAddr,
    /// Who that proved to be.
    pub identity: Identity,
    /// What it was opened for: every request must be for it.
    pub destination: Destination,
    /// Kept as long as the connection is.
    pub open: Counted,
}

impl Inner {
    /// Whether who opened the tunnel would be let in now.
    ///
    /// # Errors
    /// `revoked_by_reload`.
    pub fn is_let_in(&self, context: &Context) -> Result<(), Refusal> {
        let entrant = Entrant { client: self.client, listener: self.open.listener(), identity: &self.identity };
        if context.lets_in(entrant, &self.destination) { Ok(()) } else { Err(revoked()) }
    }
}

/// A tunnel in the making: the HTTP server gives the client's side back when it has written the answer.
#[derive(Debug)]
pub struct HandOver {
    /// What was in force when it was decided.
    pub context: Arc<Context>,
    /// Resolves with the client's side.
    pub upgrade: OnUpgrade,
    /// The way to the cloud.
    pub way: Way,
    /// What allowed it.
    pub permit: Permit,
    /// Its record.
    pub record: Record,
    /// Its place in limit and gauge.
    pub open: Counted,
}
