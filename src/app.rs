//! The only place that wires things: a checked configuration becomes bound listeners, which then run until told to stop.

use crate::admin::discovery::Discovery;
use crate::admin::{self, Shown};
use crate::audit::{Journal, Start};
use crate::config::interception::InterceptionConfig;
use crate::config::{Config, RelayConfig};
use crate::error::{Reason, Refusal};
use crate::listener::accept::{Gate, accept_loop};
use crate::metrics::{ListenerKind, Metrics, Protocol};
use crate::policy::pac::Scheme;
use crate::proxy::budget::Budget;
use crate::proxy::hop::Pseudonym;
use crate::proxy::interception::{Fallbacks, Interception};
use crate::proxy::respond::{Answer, send_and_close};
use crate::proxy::{Context, Engine, relayed, serve};
use crate::tls::authority::Authority;
use crate::tls::leaf::{Counters, Leaves};
use crate::tls::server::Servers;
use crate::upstream::secure::Secure;
use crate::upstream::tls::Clients;
use crate::upstream::{Dialer, Resolver};
use arc_swap::ArcSwap;
use rustix::process::{Resource, getrlimit};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Connections the kernel may hold for a listener before they are accepted.
const BACKLOG: u32 = 4_096;
/// Connections to the admin listener open at once.
const ADMIN_CONNECTIONS: usize = 64;
/// Refused clients over the limit that may be waited for at once while they read why.
const LINGERING_ANSWERS: usize = 64;
/// Descriptors beside those of tunnels: listeners, log, name servers, admin, idle upstream connections, refused clients.
pub const SPARE_DESCRIPTORS: usize = 400;
/// Client connections where descriptors are no limit.
const UNLIMITED_CONNECTIONS: usize = 1_000_000;
/// How often idle upstream connections are looked through.
const SWEEP_TICK: Duration = Duration::from_secs(10);
/// How often a stopping proxy looks whether it is done.
const DRAIN_TICK: Duration = Duration::from_millis(20);

/// Bound listeners and all they share; nothing is served yet.
#[derive(Debug)]
pub struct App {
    context: Arc<Context>,
    gate: Arc<Gate>,
    proxy: TcpListener,
    relays: Vec<(TcpListener, RelayConfig)>,
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
    /// The relays, in the order of the configuration.
    pub relays: Vec<SocketAddr>,
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
        let proxy = bind(config.listener, "listener.address")?;
        let admin = bind(config.admin, "admin.address")?;
        let relays = bind_relays(&config.relays)?;
        let discovery = config.discovery.address.map(|address| bind(address, "discovery.address")).transpose()?;
        let addresses = Addresses {
            proxy: local_address(&proxy)?,
            relays: relays.iter().map(|(listener, _)| local_address(listener)).collect::<Result<_, _>>()?,
            admin: local_address(&admin)?,
            discovery: discovery.as_ref().map(local_address).transpose()?,
        };
        let own = addresses.relays.iter().copied().chain([addresses.proxy, addresses.admin]).chain(addresses.discovery).collect();
        let resolver = Resolver::new(config.hosts.clone(), &config.name_servers, config.resolve_deadline)?;
        let dialer = Dialer::new(resolver, config.allow_addresses.clone(), own, config.connect_deadline);
        let (gate, drain) = (Gate::new(config.max_connections.unwrap_or_else(affordable_connections)), config.drain);
        let told = Discovery {
            scheme: Scheme::Http,
            proxies: config.discovery.proxies.clone(),
            listener: addresses.proxy,
            address: addresses.discovery,
        };
        let context = context(config, dialer)?;
        let shown = Arc::new(Shown { context: context.clone(), discovery: told });
        Ok(Self { context, gate, proxy, relays, admin, discovery, shown, addresses, drain })
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

    /// Serves until `shutdown` resolves, then lets open connections finish within the drain time. Connections still open
    /// after that end with the runtime, each with its record.
    /// When `hurry` resolves, nothing is waited for any more.
    pub async fn run(self, shutdown: impl Future<Output = ()>, hurry: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let mut loops = JoinSet::new();
        let Self { context, gate, proxy, relays, admin, discovery, shown, addresses: _, drain } = self;
        loops.spawn(serve_proxy(&context, gate.clone(), proxy, stopped.clone()));
        for (listener, relay) in relays {
            loops.spawn(serve_relay(&context, gate.clone(), listener, relay, stopped.clone()));
        }
        let sweeping = tokio::spawn(sweep(context.clone()));
        let (admin_stop, admin_stopped) = watch::channel(false);
        if let Some(listener) = discovery {
            loops.spawn(serve_discovery(&shown, listener, stopped.clone()));
        }
        let serving_admin = tokio::spawn(serve_admin(&shown, admin, admin_stopped));
        shutdown.await;
        context.journal.stopping();
        stop.send_replace(true);
        while loops.join_next().await.is_some() {}
        tokio::select! {
            () = drained(&gate, drain) => {}
            () = hurry => {}
        }
        sweeping.abort();
        // Health and metrics are readable until the very end.
        admin_stop.send_replace(true);
        if let Err(error) = serving_admin.await {
            tracing::error!(%error, "the admin listener ended early");
        }
    }
}

/// Each tunnel needs two descriptors; some are spared for everything else.
fn affordable_connections() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    descriptors.map_or(UNLIMITED_CONNECTIONS, |limit| (limit.saturating_sub(SPARE_DESCRIPTORS) / 2).clamp(1, UNLIMITED_CONNECTIONS))
}

fn context(config: Config, dialer: Dialer) -> Result<Arc<Context>, String> {
    let metrics = Arc::new(Metrics::new());
    let journal = Arc::new(Journal::default());
    let interception = config.interception.as_ref().map(|section| interception(&config, section, &metrics)).transpose()?;
    let engine = Engine::new(config.policy, &metrics);
    let pseudonym = Pseudonym::new(format!("ucx-egress-{}", journal.instance()));
    Ok(Arc::new(Context {
        engine: ArcSwap::from_pointee(engine),
        metrics,
        journal,
        dialer,
        pool: Arc::default(),
        interception,
        limits: config.limits,
        pseudonym,
    }))
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

async fn drained(gate: &Gate, drain: Duration) {
    let deadline = Instant::now() + drain;
    let mut tick = interval(DRAIN_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while gate.open() > 0 && Instant::now() < deadline {
        tick.tick().await;
    }
}

fn serve_proxy(
    context: &Arc<Context>,
    gate: Arc<Gate>,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let (serving, refusing, metrics) = (context.clone(), context.clone(), context.metrics.clone());
    let door = door(context);
    let lingering = Gate::new(LINGERING_ANSWERS);
    accept_loop(
        listener,
        ListenerKind::Proxy,
        gate,
        metrics,
        stop,
        move |accepted| serve::connection(serving.clone(), accepted),
        door,
        move |stream, client, refusal| turn_away(&refusing, Protocol::Connect, stream, client, refusal, Some(&lingering)),
    )
}

fn serve_relay(
    context: &Arc<Context>,
    gate: Arc<Gate>,
    listener: TcpListener,
    relay: RelayConfig,
    stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let (serving, refusing, metrics) = (context.clone(), context.clone(), context.metrics.clone());
    let door = door(context);
    accept_loop(
        listener,
        ListenerKind::Relay,
        gate,
        metrics,
        stop,
        move |accepted| relayed::connection(serving.clone(), relay.destination.clone(), accepted),
        door,
        move |stream, client, refusal| turn_away(&refusing, Protocol::Relay, stream, client, refusal, None),
    )
}

fn serve_admin(shown: &Arc<Shown>, listener: TcpListener, stop: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let serving = shown.clone();
    accept_loop(
        listener,
        ListenerKind::Admin,
        Gate::new(ADMIN_CONNECTIONS),
        shown.context.metrics.clone(),
        stop,
        move |accepted| admin::connection(serving.clone(), accepted),
        |_| Ok(()),
        |_, _, _| {},
    )
}

fn serve_discovery(shown: &Arc<Shown>, listener: TcpListener, stop: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let (serving, refusing) = (shown.clone(), shown.context.clone());
    let lingering = Gate::new(LINGERING_ANSWERS);
    accept_loop(
        listener,
        ListenerKind::Discovery,
        Gate::new(ADMIN_CONNECTIONS),
        shown.context.metrics.clone(),
        stop,
        move |accepted| admin::discovery_connection(serving.clone(), accepted),
        door(&shown.context),
        move |stream, client, refusal| {
            // One too many is only closed, as on the admin listener: limits.max_connections is not about these.
            if refusal.reason == Reason::ClientNotAllowed {
                turn_away(&refusing, Protocol::Http1, stream, client, refusal, Some(&lingering));
            }
        },
    )
}

/// Who may come in at all: a client that may not use the proxy takes no seat from one that may.
fn door(context: &Arc<Context>) -> impl Fn(SocketAddr) -> Result<(), Refusal> + use<> {
    let context = context.clone();
    move |client| context.engine.load().policy.admit(client.ip())
}

/// At the door: the client is told why where it speaks HTTP and a place to wait until it has read that is free, then the
/// connection is closed.
fn turn_away(
    context: &Context,
    protocol: Protocol,
    stream: TcpStream,
    client: SocketAddr,
    refusal: &Refusal,
    lingering: Option<&Arc<Gate>>,
) {
    let mut record = context.record(Start { client, protocol, method: "-" });
    record.answered_with(refusal);
    let Some(seat) = lingering.and_then(Gate::enter) else { return };
    let answer = Answer::refusal(refusal, record.id()).into_bytes();
    tokio::spawn(async move {
        send_and_close(stream, answer).await;
        drop(seat);
    });
}

fn bind_relays(relays: &[RelayConfig]) -> Result<Vec<(TcpListener, RelayConfig)>, String> {
    relays.iter().map(|relay| Ok((bind(relay.address, "relay.address")?, relay.clone()))).collect()
}

fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, String> {
    let bound = (|| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart must not wait for the previous process's connections to time out.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    })();
    bound.map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another process listens there; stop it (`ss -ltnp` names it) or choose another port",
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address; write one of its own, or 0.0.0.0",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose another port, or grant CAP_NET_BIND_SERVICE",
            _ => "choose another address",
        };
        format!("{key} {address}: {error}; {remedy}")
    })
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| format!("a listener has no address: {error}"))
}
