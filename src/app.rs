//! The only place that wires things: a checked configuration becomes bound listeners, which then run until told to stop, through as
//! many configurations as are put in force meanwhile.

mod assemble;
mod drain;
mod listening;
mod reload;
mod running;
mod showing;
mod sockets;
mod watch;

use crate::admin::discovery::Discovery;
use crate::admin::guard::{Guard, Guards, REALM};
use crate::admin::reloads::Reloads;
use crate::admin::{self, Shown};
use crate::audit::{InForce, Journal, Settings};
use crate::config::admin::GuardConfig;
use crate::config::shown::shown;
use crate::config::{Config, LogFormat};
use crate::contain::contained;
use crate::fault::Faults;
use crate::listener::accept::Gate;
use crate::metrics::{ListenerKind, Metrics};
use crate::policy::pac::Scheme;
use crate::proxy::{Context, Live};
use crate::source::Located;
use crate::supervisor::Supervisor;
use crate::tls::reception::Reception;
use arc_swap::ArcSwap;
pub use assemble::dialer;
use assemble::{Basis, assemble, in_force};
use listening::{Bound, bind_proxy, bind_relay, bind_sni};
use running::Running;
use rustix::process::{Resource, getrlimit};
pub use sockets::may_listen;
use sockets::{Held, Sockets};
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use watch::Watch;

/// Descriptors beside those of tunnels: listeners, log, name servers, admin, idle upstream connections, refused clients.
pub const SPARE_DESCRIPTORS: usize = 400;
/// Client connections where descriptors are no limit.
const UNLIMITED_CONNECTIONS: usize = 1_000_000;
/// Fewer are too few for a machine that other machines depend on.
pub const FEW_CONNECTIONS: usize = 1_000;
/// How often idle upstream connections are looked through.
const SWEEP_TICK: Duration = Duration::from_secs(10);

/// Bound listeners and all they share; nothing is served yet.
#[derive(Debug)]
pub struct App {
    basis: Basis,
    parts: Parts,
    guard: Arc<Guard>,
    in_force: InForce,
    watch: Watch,
    path: Option<PathBuf>,
    supervisor: Arc<Supervisor>,
}

/// What a configuration says beside what exchanges need, with its sockets.
#[derive(Debug)]
struct Parts {
    sockets: Sockets,
    bound: Vec<Bound>,
    admin: Held,
    shown_to_clients: Option<Held>,
    addresses: Addresses,
    discovery: Arc<Discovery>,
    drain: Duration,
    max_connections: usize,
    log: LogFormat,
    audit: Option<Settings>,
    warnings: Vec<Located>,
    /// The configuration as people read it.
    configuration: Arc<String>,
    guard: GuardConfig,
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

/// What a running proxy is told from outside.
#[derive(Debug)]
pub struct Orders<S, H> {
    /// Resolves when it shall stop.
    pub shutdown: S,
    /// Resolves when it shall wait for nothing any more.
    pub hurry: H,
    /// Asks for the configuration to be read again.
    pub reloads: mpsc::Receiver<()>,
}

impl App {
    /// Binds every listener of the configuration; sockets that the service manager holds are used instead.
    ///
    /// # Errors
    /// A sentence with the remedy: an address is taken, not this machine's or not permitted, names cannot be resolved, or the
    /// interception CA is unfit.
    pub fn bind(config: Config, supervisor: Supervisor) -> Result<Self, String> {
        Self::bind_with(config, supervisor, &Faults::none())
    }

    /// As [`App::bind`], with panics where a drill or a test wants them.
    ///
    /// # Errors
    /// As [`App::bind`].
    pub fn bind_with(mut config: Config, supervisor: Supervisor, faults: &Faults) -> Result<Self, String> {
        let sockets = Sockets::inherited(supervisor.take_sockets())?;
        let (watch, path) = (Watch::new(&config), config.path());
        let mut parts = bind_all(&mut config, sockets, &[])?;
        for address in parts.sockets.close_unused() {
            tracing::warn!(%address, "the service manager holds a socket that no listener of the configuration uses");
        }
        let guard = Arc::new(guard(std::mem::take(&mut parts.guard), None)?);
        let in_force = in_force(&config);
        let basis = assemble(config, &parts.bound, parts.addresses.all().collect(), None, faults)?.announce();
        parts.sockets.listen()?;
        Ok(Self { basis, parts, guard, in_force, watch, path, supervisor: Arc::new(supervisor) })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.parts.addresses
    }

    /// Client connections that may be open at once.
    #[must_use]
    pub fn max_connections(&self) -> usize {
        self.parts.max_connections
    }

    /// All metric families.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.basis.context.metrics
    }

    /// Decision ids and audit files; [`crate::audit::Event::Stopped`] closes these when no exchange is left.
    #[must_use]
    pub fn journal(&self) -> Arc<Journal> {
        self.basis.context.journal.clone()
    }

    /// Serves until the shutdown is ordered, then lets open connections finish within the drain time. Connections still open after that
    /// end with the runtime, each with its record.
    pub async fn run<S: Future<Output = ()>, H: Future<Output = ()>>(self, orders: Orders<S, H>) {
        let Orders { shutdown, hurry, reloads } = orders;
        let mut running = self.start();
        let (live, supervisor) = (running.live.clone(), running.supervisor.clone());
        let metrics = running.basis.context.metrics.clone();
        let (sweeping, beating) = (tokio::spawn(contained(sweep(live.clone()), metrics.clone())), supervisor.clone());
        let keeping = tokio::spawn(contained(running.shown.history.clone().keep(live.clone()), metrics));
        let watchdog = tokio::spawn(async move { beating.keep_saying_so().await });
        supervisor.ready();
        running.until(shutdown, reloads).await;
        supervisor.stopping(running.drain);
        running.basis.context.journal.leaving();
        running.close().await;
        tokio::select! {
            () = drain::drained(&running.gate, &live, running.drain) => {}
            () = hurry => {}
        }
        // Also when it was hurried: what is cut now ends as shutting_down.
        running.basis.context.journal.stopping();
        sweeping.abort();
        watchdog.abort();
        keeping.abort();
        running.loops.stop().await;
        let observed = running.basis.context.observed.clone();
        // It is waited for; should it fail, what was observed last is lost and nothing else.
        let _ = tokio::task::spawn_blocking(move || observed.settle()).await;
    }

    fn start(self) -> Running {
        let Self { basis, parts, guard, in_force, watch, path, supervisor } = self;
        let (live, gate) = (Live::new(basis.context.clone()), Gate::new(parts.max_connections));
        let shown = Arc::new(Shown {
            live: live.clone(),
            discovery: ArcSwap::new(parts.discovery.clone()),
            guard: Guards::new(guard),
            configuration: ArcSwap::new(parts.configuration.clone()),
            receptions: ArcSwap::from_pointee(receptions(&parts.bound)),
            reloads: Reloads::default(),
            history: Arc::default(),
            admins: admin::gate(),
            clients: admin::gate(),
            started: SystemTime::now(),
        });
        let loops = running::spawn(&live, &gate, &shown, &parts);
        let Parts { sockets, bound, drain, log, audit, .. } = parts;
        Running { live, gate, shown, basis, sockets, bound, loops, drain, watch, log, audit, in_force, path, supervisor }
    }
}

fn receptions(bound: &[Bound]) -> Vec<Arc<Reception>> {
    bound.iter().filter_map(|bound| bound.reception().cloned()).collect()
}

/// Who is shown anything. Passwords of the same file go on with the answers that are known.
fn guard(config: GuardConfig, before: Option<&Guard>) -> Result<Guard, String> {
    let GuardConfig { hosts, accounts, token, token_file: _ } = config;
    let known = before.and_then(|before| before.access.as_ref());
    let passwords = accounts.map(|accounts| assemble::passwords(accounts, REALM, known)).transpose()?;
    let access = passwords.map(|(access, accounts)| {
        if let Some((access, accounts)) = accounts {
            access.take(accounts);
        }
        access
    });
    Ok(Guard { hosts, access, token })
}

/// Takes every socket of a configuration; new ones do not listen yet. Reads files.
fn bind_all(config: &mut Config, mut sockets: Sockets, before: &[Bound]) -> Result<Parts, String> {
    let mut bound = bind_proxy(config.listener.clone(), &mut sockets, before)?;
    for relay in &config.relays {
        bound.push(bind_relay(relay.clone(), &mut sockets)?);
    }
    for sni in &config.snis {
        bound.push(bind_sni(sni.clone(), &mut sockets)?);
    }
    let admin = sockets.take(config.admin, "admin.address")?;
    let shown_to_clients = config.discovery.address.map(|address| sockets.take(address, "discovery.address")).transpose()?;
    let addresses = addresses(&bound, &admin, shown_to_clients.as_ref())?;
    Ok(Parts {
        discovery: Arc::new(told(config, &addresses)),
        drain: config.drain,
        max_connections: max_connections(config.max_connections),
        log: config.log,
        audit: config.audit.clone(),
        warnings: config.warnings.clone(),
        configuration: Arc::new(shown(config)?),
        guard: std::mem::take(&mut config.guard),
        sockets,
        bound,
        admin,
        shown_to_clients,
        addresses,
    })
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

fn addresses(listeners: &[Bound], admin: &Held, discovery: Option<&Held>) -> Result<Addresses, String> {
    let of = |kind| listeners.iter().filter(move |bound| bound.is(kind)).map(Bound::address);
    Ok(Addresses {
        proxy: of(ListenerKind::Proxy).next().ok_or("there is no listener for requests")?,
        tls: of(ListenerKind::Tls).next(),
        relays: of(ListenerKind::Relay).collect(),
        snis: of(ListenerKind::Sni).collect(),
        admin: admin.local,
        discovery: discovery.map(|held| held.local),
    })
}

/// As many as are configured, and never more than descriptors permit: one too many is told so and let go, while one without a descriptor
/// would wait unanswered, and everybody behind it. Serving fewer is better than serving nobody, so that is no reason not to start.
fn max_connections(configured: Option<usize>) -> usize {
    let affordable = affordable_connections();
    let wanted = configured.unwrap_or(affordable.max(FEW_CONNECTIONS));
    if affordable < wanted {
        let needed = wanted.saturating_mul(2).saturating_add(SPARE_DESCRIPTORS);
        tracing::warn!(
            wanted,
            served = affordable,
            "file descriptors permit fewer connections than wanted; whoever comes beyond them is refused as overloaded: set LimitNOFILE={needed} in \
            the service (`ulimit -n` in a shell), or lower limits.max_connections"
        );
    }
    affordable.min(configured.unwrap_or(affordable))
}

/// Each tunnel needs two descriptors; some are spared for everything else.
fn affordable_connections() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    descriptors.map_or(UNLIMITED_CONNECTIONS, |limit| (limit.saturating_sub(SPARE_DESCRIPTORS) / 2).clamp(1, UNLIMITED_CONNECTIONS))
}

/// Closes upstream connections that nobody used for too long.
async fn sweep(live: Arc<Live>) {
    let mut tick = interval(SWEEP_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Context { pool, interception, .. } = &*live.context();
        pool.sweep();
        if let Some(interception) = interception {
            interception.secure.sweep();
        }
    }
}
