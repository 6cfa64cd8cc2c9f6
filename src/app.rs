//! The only place that wires things: a checked configuration becomes bound listeners, which then run until told to stop.

mod listening;
mod showing;

use crate::access::{Access, Refreshed};
use crate::admin::Shown;
use crate::admin::discovery::Discovery;
use crate::audit::{Audit, InForce, Journal};
use crate::config::Config;
use crate::config::interception::InterceptionConfig;
use crate::listener::accept::Gate;
use crate::metrics::{ListenerKind, Metrics};
use crate::policy::pac::Scheme;
use crate::proxy::budget::Budget;
use crate::proxy::hop::Pseudonym;
use crate::proxy::interception::{Fallbacks, Interception};
use crate::proxy::{Context, Engine};
use crate::quota::Quotas;
use crate::tls::authority::Authority;
use crate::tls::leaf::{Counters, Leaves};
use crate::tls::reception::Reception;
use crate::tls::server::Servers;
use crate::upstream::parent::{Parent, Parents};
use crate::upstream::secure::Secure;
use crate::upstream::tls::Clients;
use crate::upstream::{Dialer, Resolver};
use arc_swap::ArcSwap;
use listening::{Bound, bind, bind_proxy, bind_relay, bind_sni, local_address};
use rustix::process::{Resource, getrlimit};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Descriptors beside those of tunnels: listeners, log, name servers, admin, idle upstream connections, refused clients.
pub const SPARE_DESCRIPTORS: usize = 400;
/// Client connections where descriptors are no limit.
const UNLIMITED_CONNECTIONS: usize = 1_000_000;
/// How often idle upstream connections are looked through.
const SWEEP_TICK: Duration = Duration::from_secs(10);
/// How often files that are read again when they change are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(2);
/// How often a stopping proxy looks whether it is done.
const DRAIN_TICK: Duration = Duration::from_millis(20);

/// Bound listeners and all they share; nothing is served yet.
#[derive(Debug)]
pub struct App {
    context: Arc<Context>,
    gate: Arc<Gate>,
    listeners: Vec<Bound>,
    admin: TcpListener,
    discovery: Option<TcpListener>,
    shown: Arc<Shown>,
    addresses: Addresses,
    drain: Duration,
}

/// Where an [`App`] listens; ports that were 0 in the configuration are the real ones here.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// CONNECT and absolute-form.
    pub proxy: SocketAddr,
    /// The same over TLS, where that has a port of its own.
    pub tls: Option<SocketAddr>,
    /// The relays, in the order of the configuration.
    pub relays: Vec<SocketAddr>,
    /// Raw TLS, in the order of the configuration.
    pub snis: Vec<SocketAddr>,
    /// Metrics and health.
    pub admin: SocketAddr,
    /// What clients need to know, if it has a listener of its own.
    pub discovery: Option<SocketAddr>,
}

impl App {
    /// Binds every listener of the configuration.
    ///
    /// # Errors
    /// A sentence with the remedy: an address is taken, not this machine's or not permitted, names cannot be resolved, or the
    /// interception CA is unfit.
    pub fn bind(config: Config) -> Result<Self, String> {
        let mut listeners = bind_proxy(config.listener.clone())?;
        for relay in &config.relays {
            listeners.push(bind_relay(relay.clone())?);
        }
        for sni in &config.snis {
            listeners.push(bind_sni(sni.clone())?);
        }
        let admin = bind(config.admin, "admin.address")?;
        let discovery = config.discovery.address.map(|address| bind(address, "discovery.address")).transpose()?;
        let addresses = addresses(&listeners, &admin, discovery.as_ref())?;
        let told = told(&config, &addresses);
        let own = addresses.all().collect();
        let resolver = Resolver::new(config.hosts.clone(), &config.name_servers, config.resolve_deadline)?;
        let dialer = Dialer::new(resolver, config.allow_addresses.clone(), own, config.connect_deadline);
        let (gate, drain) = (Gate::new(config.max_connections.unwrap_or_else(affordable_connections)), config.drain);
        let context = context(config, dialer)?;
        let shown = Arc::new(Shown { context: context.clone(), discovery: told });
        Ok(Self { context, gate, listeners, admin, discovery, shown, addresses, drain })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// All metric families.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.context.metrics
    }

    /// Decision ids and audit files; [`crate::audit::Event::Stopped`] closes these when no exchange is left.
    #[must_use]
    pub fn journal(&self) -> Arc<Journal> {
        self.context.journal.clone()
    }

    /// Serves until `shutdown` resolves, then lets open connections finish within the drain time. Connections still open
    /// after that end with the runtime, each with its record.
    /// When `hurry` resolves, nothing is waited for any more.
    pub async fn run(self, shutdown: impl Future<Output = ()>, hurry: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let mut loops = JoinSet::new();
        let Self { context, gate, listeners, admin, discovery, shown, addresses: _, drain } = self;
        let receptions = listeners.iter().filter_map(|bound| bound.reception().cloned()).collect();
        for bound in listeners {
            listening::spawn(&mut loops, &context, &gate, bound, &stopped);
        }
        let sweeping = tokio::spawn(sweep(context.clone()));
        let refreshing = tokio::spawn(refresh(context.clone(), receptions));
        let (admin_stop, admin_stopped) = watch::channel(false);
        if let Some(listener) = discovery {
            loops.spawn(showing::to_clients(&shown, listener, stopped.clone()));
        }
        let serving_admin = tokio::spawn(showing::to_admins(&shown, admin, admin_stopped));
        shutdown.await;
        context.journal.stopping();
        stop.send_replace(true);
        while loops.join_next().await.is_some() {}
        tokio::select! {
            () = drained(&gate, drain) => {}
            () = hurry => {}
        }
        sweeping.abort();
        refreshing.abort();
        // Health and metrics are readable until the very end.
        admin_stop.send_replace(true);
        if let Err(error) = serving_admin.await {
            tracing::error!(%error, "the admin listener ended early");
        }
    }
}

impl Addresses {
    /// All of them.
    fn all(&self) -> impl Iterator<Item = SocketAddr> {
        let proxies = [self.proxy, self.admin].into_iter().chain(self.tls).chain(self.discovery);
        proxies.chain(self.relays.iter().copied()).chain(self.snis.iter().copied())
    }
}

/// What clients are told. With TLS on a port of its own, that is the plain port: not every client can speak TLS to a proxy.
fn told(config: &Config, addresses: &Addresses) -> Discovery {
    Discovery {
        scheme: if config.listener.is_tls_only() { Scheme::Https } else { Scheme::Http },
        proxies: config.discovery.proxies.clone(),
        listener: addresses.proxy,
        address: addresses.discovery,
    }
}

fn addresses(listeners: &[Bound], admin: &TcpListener, discovery: Option<&TcpListener>) -> Result<Addresses, String> {
    let of = |kind| listeners.iter().filter(move |bound| bound.is(kind)).map(Bound::address).collect::<Result<Vec<_>, _>>();
    let one = |kind| of(kind).map(|addresses| addresses.first().copied());
    Ok(Addresses {
        proxy: one(ListenerKind::Proxy)?.ok_or("there is no listener for requests")?,
        tls: one(ListenerKind::Tls)?,
        relays: of(ListenerKind::Relay)?,
        snis: of(ListenerKind::Sni)?,
        admin: local_address(admin)?,
        discovery: discovery.map(local_address).transpose()?,
    })
}

/// Each tunnel needs two descriptors; some are spared for everything else.
fn affordable_connections() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    descriptors.map_or(UNLIMITED_CONNECTIONS, |limit| (limit.saturating_sub(SPARE_DESCRIPTORS) / 2).clamp(1, UNLIMITED_CONNECTIONS))
}

fn context(config: Config, dialer: Dialer) -> Result<Arc<Context>, String> {
    let metrics = Arc::new(Metrics::new());
    let dialer = dialer.with_parents(parents(&config, &metrics)?);
    let audit = config.audit.clone().map(|settings| Audit::open(settings, in_force(&config), &metrics.audit)).transpose()?;
    let journal = Arc::new(Journal::audited(audit));
    let interception = config.interception.as_ref().map(|section| interception(&config, section, &metrics)).transpose()?;
    let quotas = Quotas::new(config.quotas, &metrics);
    let engine = Engine::new(config.policy, &metrics);
    let access = config.access.map(|section| Access::new(section.file, &section.realm)).transpose()?;
    let pseudonym = Pseudonym::new(format!("ucx-egress-{}", journal.instance()));
    Ok(Arc::new(Context {
        engine: ArcSwap::from_pointee(engine),
        metrics,
        journal,
        dialer,
        pool: Arc::default(),
        access,
        interception,
        quotas,
        limits: config.limits,
        pseudonym,
    }))
}

/// What the audit says of a configuration.
fn in_force(config: &Config) -> InForce {
    InForce {
        policy: config.policy.hash().to_owned(),
        config: config.sha256.clone(),
        mode: config.policy.options().mode.label().to_owned(),
        rules: config.policy.rules().len() as u64,
        interception: config.interception.is_some(),
    }
}

/// The parent proxies; roots are read only if one of them speaks TLS.
fn parents(config: &Config, metrics: &Metrics) -> Result<Parents, String> {
    let is_any_secure = config.routes.parents.iter().any(Parent::is_secure);
    let clients = is_any_secure.then(|| Clients::new(&config.ca_files)).transpose()?;
    Ok(Parents::new(config.routes.clone(), clients.as_ref(), metrics))
}

/// Loads the CA and all that stands on it.
fn interception(config: &Config, section: &InterceptionConfig, metrics: &Arc<Metrics>) -> Result<Arc<Interception>, String> {
    let hosts = config.policy.intercepted_hosts();
    let unfit = |error: String| format!("{}: {error}", section.place);
    let authority = Authority::load(&section.paths, &hosts, SystemTime::now()).map_err(|error| unfit(error.to_string()))?;
    let facts = authority.facts().clone();
    let expiry = facts.not_after.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    metrics.ca_expiry.set(expiry);
    let counters = Counters { cached: metrics.leaves_cached.clone(), minted: metrics.leaves_minted.clone() };
    let leaves = Arc::new(Leaves::new(authority, counters).map_err(unfit)?);
    let clients = Clients::new(&config.ca_files).map_err(unfit)?;
    Ok(Arc::new(Interception {
        servers: Servers::new(&leaves).map_err(unfit)?,
        secure: Secure::new(clients, metrics, config.connect_deadline),
        authority: facts,
        certificate_path: section.paths.certificate.clone(),
        max_message: config.inspection.max_message,
        inspector: config.inspection.inspector.clone(),
        budget: Budget::new(config.inspection.max_held),
        on_rejection: section.on_rejection,
        fallbacks: Fallbacks::default(),
    }))
}

/// Closes upstream connections that nobody used for too long.
async fn sweep(context: Arc<Context>) {
    let mut tick = interval(SWEEP_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        context.pool.sweep();
        if let Some(interception) = &context.interception {
            interception.secure.sweep();
        }
    }
}

/// Reads certificates and passwords again when their files change; connections that stand keep what they have.
async fn refresh(context: Arc<Context>, receptions: Vec<Arc<Reception>>) {
    let mut tick = interval(LOOK_AT_FILES);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let receptions = Arc::new(receptions);
    while context.access.is_some() || !receptions.is_empty() {
        tick.tick().await;
        let (context, receptions) = (context.clone(), receptions.clone());
        let looking = move || {
            receptions.iter().for_each(|reception| refresh_certificate(reception));
            context.access.iter().for_each(refresh_passwords);
        };
        // Whatever becomes of it, the next look comes.
        let _ = tokio::task::spawn_blocking(looking).await;
    }
}

fn refresh_certificate(reception: &Reception) {
    match reception.refresh() {
        Ok(false) => {}
        Ok(true) => tracing::info!("the certificate of listener.tls was read again"),
        Err(error) => tracing::error!(error, "listener.tls cannot be read again; the certificate in force stays"),
    }
}

fn refresh_passwords(access: &Access) {
    match access.refresh() {
        Refreshed::Unchanged => {}
        Refreshed::Replaced(accounts) => tracing::info!(accounts, "the password file has changed and was read"),
        Refreshed::Kept(located) => tracing::error!(
            place = located.place,
            "the password file has changed and is not taken, the accounts from before stay: {}",
            located.message
        ),
    }
}

async fn drained(gate: &Gate, drain: Duration) {
    let deadline = Instant::now() + drain;
    let mut tick = interval(DRAIN_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while gate.open() > 0 && Instant::now() < deadline {
        tick.tick().await;
    }
}
