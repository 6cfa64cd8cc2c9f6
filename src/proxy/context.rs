//! What every exchange needs: the policy in force, metrics, the dialler, limits.

use super::hop::Pseudonym;
use super::interception::Interception;
use super::reached::Reached;
use crate::access::Access;
use crate::audit::observation::Observation;
use crate::audit::{Basis, Journal, Record, Start};
use crate::destination::Destination;
use crate::error::Refusal;
use crate::listener::entrance::Entrance;
use crate::metrics::{Metrics, ServiceMetrics};
use crate::observed::Observed;
use crate::policy::{Mode, Policy, ServiceId, ServiceInfo, Verdict};
use crate::quota::Quotas;
use crate::upstream::Dialer;
use crate::upstream::pool::Pool;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Deadlines of everything that is waited for before a decision, and of what stalls after it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A complete request head, from accept or from the end of the previous exchange.
    pub head: Duration,
    /// A complete ClientHello, from the answer to CONNECT.
    pub hello: Duration,
    /// The head of an upstream's answer to a forwarded request.
    pub answer: Duration,
    /// A complete message that is held for inspection.
    pub message: Duration,
}

/// A policy with the metric handles of its services.
#[derive(Debug)]
pub struct Engine {
    /// The compiled policy.
    pub policy: Policy,
    hash: Arc<str>,
    services: Vec<Labelled>,
    none: Labelled,
}

/// A service's label and its handles.
pub type Labelled = (Arc<str>, Arc<ServiceMetrics>);

impl Engine {
    /// Resolves the handles of a policy.
    #[must_use]
    pub fn new(policy: Policy, metrics: &Metrics) -> Self {
        let labelled = |service: &ServiceInfo| (service.id.clone(), Arc::new(metrics.service(&service.id)));
        let services = policy.services().iter().map(labelled).collect();
        let none = labelled(policy.service(ServiceId::NONE));
        Self { hash: policy.hash().into(), policy, services, none }
    }

    /// Every service of the policy with its handles.
    pub fn services(&self) -> impl Iterator<Item = (&ServiceInfo, &ServiceMetrics)> {
        self.policy.services().iter().zip(&self.services).map(|(info, (_, metrics))| (info, &**metrics))
    }

    /// Label and handles of a service; those of `none` for an id of another policy.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> &Labelled {
        self.services.get(id.index()).unwrap_or(&self.none)
    }
}

/// One configuration in force, as exchanges see it. A reload makes a new one, which takes over what it can: pools, caches, buckets.
#[derive(Debug)]
pub struct Context {
    /// Counts the configurations of this process: a later one has a higher number.
    pub generation: u64,
    /// The policy.
    pub engine: Engine,
    /// All families.
    pub metrics: Arc<Metrics>,
    /// Decision ids.
    pub journal: Arc<Journal>,
    /// The way to the cloud.
    pub dialer: Dialer,
    /// What the mode `observe` sees.
    pub observed: Arc<Observed>,
    /// How destinations were reached last.
    pub reached: Arc<Reached>,
    /// Idle connections for plain HTTP.
    pub pool: Arc<Pool>,
    /// Who may come in by name and password, where that is configured.
    pub access: Option<Arc<Access>>,
    /// What decrypts, where that is configured.
    pub interception: Option<Arc<Interception>>,
    /// How much of the proxy may be used.
    pub quotas: Arc<Quotas>,
    /// Whom each listener lets in, by its address.
    pub entrances: HashMap<SocketAddr, Arc<Entrance>>,
    /// Where listeners with a fixed destination lead, by their address.
    pub relays: HashMap<SocketAddr, Destination>,
    /// Deadlines.
    pub limits: Limits,
    /// This proxy's name in `Via` (RFC 9110 section 7.6.3): no host name, no version.
    pub pseudonym: Pseudonym,
}

impl Context {
    /// Starts the record of an exchange.
    #[must_use]
    pub fn record(&self, start: Start) -> Record {
        let engine = &self.engine;
        let (service, metrics) = engine.service(ServiceId::NONE);
        let basis = || Basis { policy: engine.hash.clone(), network: engine.policy.network_of(start.client.ip()) };
        let mut record = Record::new(&self.journal, start, service, metrics, basis);
        if self.is_observing() {
            record.observed_by(Observation::new(self.observed.clone()));
        }
        record
    }

    /// Another configuration is in force: what nobody uses any more is closed, and what is shared keeps only what the other one allows.
    pub fn retire(&self, by: &Self) {
        let may_stay = |destination: &Destination| by.engine.policy.check_destination(destination).is_ok();
        let is_shared = Arc::ptr_eq(&self.pool, &by.pool);
        self.pool.retain(|destination| is_shared && may_stay(destination));
        let Some(interception) = &self.interception else { return };
        let is_shared = by.interception.as_ref().is_some_and(|other| Arc::ptr_eq(&interception.secure, &other.secure));
        interception.secure.retain(|destination| is_shared && may_stay(destination));
    }

    /// Whether refusals by policy are only recorded.
    #[must_use]
    pub fn is_observing(&self) -> bool {
        self.engine.policy.options().mode == Mode::Observe
    }

    /// Passes a refusal that the mode only observes, and records it; gives back one that is enforced.
    ///
    /// # Errors
    /// The refusal itself, when it is enforced.
    pub fn enforce(&self, record: &mut Record, refusal: Refusal) -> Result<(), Refusal> {
        match self.engine.policy.verdict(refusal.reason) {
            Verdict::WouldDeny => {
                record.would_deny(&refusal);
                Ok(())
            }
            _ => Err(refusal),
        }
    }
}
