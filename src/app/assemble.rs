//! From a configuration to what exchanges need. After a reload what is the same goes on: pools, caches, buckets, sessions.

use super::listening::Bound;
use crate::access::{Access, Loaded};
use crate::audit::{Audit, InForce, Journal};
use crate::config::clients::AccessConfig;
use crate::config::interception::InterceptionConfig;
use crate::config::{Config, Outside};
use crate::fault::Faults;
use crate::metrics::Metrics;
use crate::observed::Observed;
use crate::policy::Mode;
use crate::proxy::budget::Budget;
use crate::proxy::hop::Pseudonym;
use crate::proxy::interception::Interception;
use crate::proxy::{Context, Engine};
use crate::quota::Quotas;
use crate::tls::authority::Authority;
use crate::tls::leaf::{Counters, Leaves};
use crate::tls::server::Servers;
use crate::upstream::parent::{Parent, Parents};
use crate::upstream::secure::Secure;
use crate::upstream::tls::Clients;
use crate::upstream::{Dialer, Resolver};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The configuration in force, and what it was made of.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    pub(super) context: Arc<Context>,
    outside: Outside,
}

impl Basis {
    /// The series are those of this configuration, and not of one before it, or of one that was assembled and not taken.
    pub(super) fn name_in_metrics(&self) {
        let Context { metrics, engine, dialer, .. } = &*self.context;
        let parents: Vec<&str> = dialer.parents().map(|member| member.parent().shown()).collect();
        metrics.in_force(engine.policy.hash(), engine.services().map(|(service, _)| &*service.id), &parents);
    }
}

/// Passwords that go on, and the accounts that they are given.
pub(super) type Accounts = Option<(Arc<Access>, Loaded)>;

/// A configuration that is ready to be put in force.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) basis: Basis,
    /// Accounts for the passwords that go on.
    accounts: Accounts,
}

impl Assembled {
    /// Says in the metrics what is in force now.
    pub(super) fn announce(self) -> Basis {
        if let Some((access, accounts)) = self.accounts {
            access.take(accounts);
        }
        self.basis.name_in_metrics();
        let Context { metrics, interception, .. } = &*self.basis.context;
        let expiry = interception.as_ref().and_then(|interception| interception.authority.not_after.duration_since(UNIX_EPOCH).ok());
        metrics.ca_expiry.set(expiry.map_or(0.0, |since| since.as_secs_f64()));
        self.basis
    }
}

/// Makes all that exchanges need; nothing that is in force changes.
///
/// # Errors
/// A sentence with the remedy.
pub(super) fn assemble(
    config: Config,
    bound: &[Bound],
    own: Vec<SocketAddr>,
    before: Option<&Basis>,
    faults: &Faults,
) -> Result<Assembled, String> {
    let known = before.map(|basis| &*basis.context);
    let metrics = known.map_or_else(|| Arc::new(Metrics::new()), |known| known.metrics.clone());
    let journal = if let Some(known) = known {
        known.journal.clone()
    } else {
        let open = |settings| Audit::open(settings, in_force(&config), &metrics.audit, faults.clone());
        Arc::new(Journal::audited(config.audit.clone().map(open).transpose()?).with_faults(faults.clone()))
    };
    let is_same_outside = before.is_some_and(|basis| basis.outside == config.outside);
    let dialer = dialer(&config, own, &metrics, known.map(|known| &known.dialer))?.with_faults(faults.clone());
    let reached = known.filter(|_| is_same_outside);
    let interception =
        config.interception.as_ref().map(|section| interception(&config, section, &journal, &metrics, known, reached)).transpose()?;
    let observed = observed(&config, known)?;
    let quotas = known.map(|known| &known.quotas).filter(|quotas| quotas.configs().eq(config.quotas.iter())).cloned();
    let quotas = quotas.unwrap_or_else(|| Arc::new(Quotas::new(config.quotas, &metrics)));
    let engine = Engine::new(config.policy, &metrics);
    let (access, accounts) = access(config.access, known.and_then(|known| known.access.as_ref()))?;
    let context = Context {
        generation: known.map_or(0, |known| known.generation + 1),
        engine,
        dialer,
        observed,
        reached: known.map_or_else(Arc::default, |known| known.reached.clone()),
        pool: reached.map_or_else(Arc::default, |known| known.pool.clone()),
        access,
        interception,
        quotas,
        entrances: bound.iter().map(|bound| (bound.address(), bound.entrance().clone())).collect(),
        relays: bound.iter().filter_map(|bound| Some((bound.address(), bound.leads_to()?.clone()))).collect(),
        limits: config.limits,
        pseudonym: Pseudonym::new(format!("ucx-egress-{}", journal.instance())),
        metrics,
        journal,
    };
    Ok(Assembled { basis: Basis { context: Arc::new(context), outside: config.outside }, accounts })
}

/// The way out that a configuration describes. `own` are the addresses that the proxy listens on; of parents that `before` goes
/// through too, it is known how they are.
///
/// # Errors
/// A sentence with the remedy: the system's name servers cannot be read, or the roots for parents that speak TLS.
pub fn dialer(config: &Config, own: Vec<SocketAddr>, metrics: &Metrics, before: Option<&Dialer>) -> Result<Dialer, String> {
    let resolver = Resolver::new(config.hosts.clone(), &config.name_servers, config.resolve_deadline)?;
    let dialer = Dialer::new(resolver, config.allow_addresses.clone(), own, config.connect_deadline);
    Ok(dialer.with_parents(parents(config, metrics, before)?))
}

/// What the audit says of a configuration.
pub(super) fn in_force(config: &Config) -> InForce {
    InForce {
        policy: config.policy.hash().to_owned(),
        config: config.sha256.clone(),
        mode: config.policy.options().mode.label().to_owned(),
        rules: config.policy.rules().len() as u64,
        interception: config.interception.is_some(),
    }
}

/// What the mode `observe` sees; it goes on while it is saved in the same place, or is not saved.
fn observed(config: &Config, known: Option<&Context>) -> Result<Arc<Observed>, String> {
    let known = known.map(|known| &known.observed);
    if config.policy.options().mode == Mode::Enforce {
        return Ok(known.cloned().unwrap_or_default());
    }
    let section = config.observed.as_ref();
    let observed = match (known.filter(|known| known.is_at(section.map(|section| &*section.path))), section) {
        (Some(known), _) => known.clone(),
        (None, Some(section)) => {
            Arc::new(Observed::open(&section.path).map_err(|error| format!("{}: policy.observed: {error}", section.place))?)
        }
        (None, None) => Arc::default(),
    };
    observed.start()?;
    Ok(observed)
}

/// Passwords. Those of the same file go on with the answers that are known.
fn access(config: Option<AccessConfig>, known: Option<&Arc<Access>>) -> Result<(Option<Arc<Access>>, Accounts), String> {
    let Some(AccessConfig { file, realm }) = config else { return Ok((None, None)) };
    passwords(file, &realm, known).map(|(access, accounts)| (Some(access), accounts))
}

/// Those of the same file under the same realm go on, and are given what the file says now; else new ones.
pub(super) fn passwords(file: Loaded, realm: &str, known: Option<&Arc<Access>>) -> Result<(Arc<Access>, Accounts), String> {
    match known.filter(|known| known.is_of(&file.path, realm)) {
        Some(known) => Ok((known.clone(), Some((known.clone(), file)))),
        None => Ok((Arc::new(Access::after(known.map(|known| &**known), file, realm)?), None)),
    }
}

/// The parent proxies; roots are read only if one of them speaks TLS.
fn parents(config: &Config, metrics: &Metrics, before: Option<&Dialer>) -> Result<Parents, String> {
    let is_any_secure = config.routes.parents.iter().any(Parent::is_secure);
    let clients = is_any_secure.then(|| Clients::new(&config.ca_files)).transpose()?;
    Ok(Parents::new(config.routes.clone(), clients.as_ref(), metrics, before.into_iter().flat_map(Dialer::parents)))
}

/// Loads the CA and all that stands on it. The same CA goes on with its leaves and sessions, the same way to the cloud (`reached`) with
/// its connections.
fn interception(
    config: &Config,
    section: &InterceptionConfig,
    journal: &Journal,
    metrics: &Arc<Metrics>,
    known: Option<&Context>,
    reached: Option<&Context>,
) -> Result<Arc<Interception>, String> {
    let hosts = config.policy.intercepted_hosts();
    let unfit = |error: String| format!("{}: {error}", section.place);
    let authority = Authority::load(&section.paths, &hosts, SystemTime::now()).map_err(|error| unfit(error.to_string()))?;
    let facts = authority.facts().clone();
    let certificate_pem = authority.pem();
    let known = known.and_then(|known| known.interception.as_ref());
    let servers = if let Some(known) = known.filter(|known| known.authority == facts) {
        known.servers.clone()
    } else {
        let counters = Counters { cached: metrics.leaves_cached.clone(), minted: metrics.leaves_minted.clone() };
        let leaves = Leaves::new(authority, counters).map_err(unfit)?.with_faults(journal.faults().clone());
        Servers::new(&Arc::new(leaves)).map_err(unfit)?
    };
    let secure = if let Some(reached) = reached.and_then(|reached| reached.interception.as_ref()) {
        reached.secure.clone()
    } else {
        Arc::new(Secure::new(Clients::new(&config.ca_files).map_err(unfit)?, metrics, config.connect_deadline))
    };
    // Another CA may be one that the client trusts.
    let fallbacks = known.filter(|known| known.authority == facts && known.on_rejection == section.on_rejection);
    let budget = known.map(|known| &known.budget).filter(|budget| budget.limit() == config.inspection.max_held);
    Ok(Arc::new(Interception {
        servers,
        secure,
        authority: facts,
        certificate_path: section.paths.certificate.clone(),
        certificate_pem,
        max_message: config.inspection.max_message,
        inspector: config.inspection.inspector.clone(),
        budget: budget.cloned().unwrap_or_else(|| Budget::new(config.inspection.max_held)),
        on_rejection: section.on_rejection,
        fallbacks: fallbacks.map_or_else(Arc::default, |known| known.fallbacks.clone()),
    }))
}
