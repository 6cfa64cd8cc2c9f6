//! What every exchange needs: the policy in force, metrics, the dialler, limits.

use super::hop::Pseudonym;
use super::interception::Interception;
use crate::access::Access;
use crate::audit::{Basis, Journal, Record, Start};
use crate::error::Refusal;
use crate::metrics::{Metrics, ServiceMetrics};
use crate::policy::{Mode, Policy, ServiceId, ServiceInfo, Verdict};
use crate::quota::Quotas;
use crate::upstream::Dialer;
use crate::upstream::pool::Pool;
use arc_swap::ArcSwap;
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
    /// Resolves the handles of a policy and announces it.
    #[must_use]
    pub fn new(policy: Policy, metrics: &Metrics) -> Self {
        metrics.policy_in_force(policy.hash());
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

/// Shared by all connections.
#[derive(Debug)]
pub struct Context {
    /// The policy in force; swapped whole.
    pub engine: ArcSwap<Engine>,
    /// All families.
    pub metrics: Arc<Metrics>,
    /// Decision ids.
    pub journal: Arc<Journal>,
    /// The way to the cloud.
    pub dialer: Dialer,
    /// Idle connections for plain HTTP.
    pub pool: Arc<Pool>,
    /// Who may come in by name and password, where that is configured.
    pub access: Option<Access>,
    /// What decrypts, where that is configured.
    pub interception: Option<Arc<Interception>>,
    /// How much of the proxy may be used.
    pub quotas: Quotas,
    /// Deadlines.
    pub limits: Limits,
    /// This proxy's name in `Via` (RFC 9110 section 7.6.3): no host name, no version.
    pub pseudonym: Pseudonym,
}

impl Context {
    /// Starts the record of an exchange.
    #[must_use]
    pub fn record(&self, start: Start) -> Record {
        let engine = self.engine.load();
        let (service, metrics) = engine.service(ServiceId::NONE);
        let basis = || Basis { policy: engine.hash.clone(), network: engine.policy.network_of(start.client.ip()) };
        Record::new(&self.journal, start, service, metrics, basis)
    }

    /// Whether refusals by policy are only recorded.
    #[must_use]
    pub fn is_observing(&self) -> bool {
        self.engine.load().policy.options().mode == Mode::Observe
    }

    /// Passes a refusal that the mode only observes, and records it; gives back one that is enforced.
    ///
    /// # Errors
    /// The refusal itself, when it is enforced.
    pub fn enforce(&self, record: &mut Record, refusal: Refusal) -> Result<(), Refusal> {
        match self.engine.load().policy.verdict(refusal.reason) {
            Verdict::WouldDeny => {
                record.would_deny(&refusal);
                Ok(())
            }
            _ => Err(refusal),
        }
    }
}
