//! The configuration document: one struct a section, each with `build()`, every error with `file:line:column`.
//!
//! Unknown keys are refused: a control that silently does nothing is worse than none.

pub mod admin;
pub mod audit;
pub mod clients;
pub mod discovery;
pub mod interception;
pub mod listeners;
pub mod parents;
pub mod policy;
pub mod quota;
pub mod reload;
pub mod sections;
pub mod shown;
pub mod urls;
pub mod warnings;

use crate::audit::Settings as AuditSettings;
use crate::audit::chain::Hash;
use crate::policy::Policy;
use crate::proxy::Limits;
use crate::source::{Located, Source};
use crate::stamp::Stamp;
use crate::upstream::parent::Routes;
use crate::upstream::{HostAddress, NameServers};
use admin::{Admin, GuardConfig};
use clients::{AccessConfig, Clients};
use discovery::{DiscoveryConfig, DiscoverySection};
use interception::{InspectionConfig, InspectionSection, InterceptionConfig, InterceptionSection};
use ipnet::IpNet;
use listeners::{Listener, ListenerConfig, RelayConfig, RelaySection, SniConfig, SniSection};
use policy::ObservedConfig;
use sections::{LimitsSection, Log, Upstream};
use serde::Deserialize;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

pub use sections::LogFormat;

/// The annotated default, part of the program: what runs without `--config`.
pub const DEFAULT: &str = include_str!("../../config/ucx-egress.toml");
/// What the default is called in errors.
const DEFAULT_NAME: &str = "config/ucx-egress.toml (built in)";

/// A whole configuration file.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    listener: Listener,
    relay: Vec<RelaySection>,
    sni: Vec<SniSection>,
    admin: Admin,
    discovery: DiscoverySection,
    quota: Vec<Spanned<quota::QuotaSection>>,
    clients: Clients,
    upstream: Upstream,
    policy: policy::PolicySection,
    limits: LimitsSection,
    log: Log,
    interception: Option<InterceptionSection>,
    inspection: InspectionSection,
    audit: Option<audit::AuditSection>,
    reload: reload::Reload,
}

/// A configuration that was checked whole.
#[derive(Debug)]
pub struct Config {
    /// The file's name.
    pub name: String,
    path: Option<PathBuf>,
    /// The file itself and those that it names; the first is the configuration.
    pub files: Vec<PathBuf>,
    /// What they looked like before they were read.
    pub seen: Stamp,
    /// Whether it is read again when one of them changes.
    pub reload_on_change: bool,
    /// What is said of the way to the cloud, to see whether another configuration says the same.
    pub outside: Outside,
    /// Where CONNECT and absolute-form requests are taken.
    pub listener: ListenerConfig,
    /// The relays.
    pub relays: Vec<RelayConfig>,
    /// Where raw TLS is taken.
    pub snis: Vec<SniConfig>,
    /// Where metrics and health are served.
    pub admin: SocketAddr,
    /// To whom.
    pub guard: GuardConfig,
    /// Where clients learn of the proxy, and by which name.
    pub discovery: DiscoveryConfig,
    /// How much of the proxy may be used.
    pub quotas: Vec<crate::quota::QuotaConfig>,
    /// Fixed addresses of hosts.
    pub hosts: HashMap<crate::destination::Host, Vec<HostAddress>>,
    /// Exceptions to the ban on special addresses.
    pub allow_addresses: Vec<IpNet>,
    /// Who is asked for names.
    pub name_servers: NameServers,
    /// Parent proxies, and what goes through them.
    pub routes: Arc<Routes>,
    /// The password for parent proxies, if a file holds it.
    pub parent_password_file: Option<PathBuf>,
    /// Roots added to the system's.
    pub ca_files: Vec<PathBuf>,
    /// Names and passwords, if clients are asked for them.
    pub access: Option<AccessConfig>,
    /// What decrypts, if anything does.
    pub interception: Option<InterceptionConfig>,
    /// How much is held.
    pub inspection: InspectionConfig,
    /// The compiled policy.
    pub policy: Policy,
    /// The text that it was compiled from.
    pub policy_text: Source,
    /// Where what is observed is saved, if it is.
    pub observed: Option<ObservedConfig>,
    /// Deadlines.
    pub limits: Limits,
    /// One resolution.
    pub resolve_deadline: Duration,
    /// One dial.
    pub connect_deadline: Duration,
    /// Client connections open at once; as many as file descriptors permit, if it is not set.
    pub max_connections: Option<usize>,
    /// Time exchanges have to finish when the proxy stops.
    pub drain: Duration,
    /// The audit files, if any are written.
    pub audit: Option<AuditSettings>,
    /// SHA-256 of the configuration's text, in hexadecimal.
    pub sha256: String,
    /// How the log is written.
    pub log: LogFormat,
    /// Rules and settings that can never act, each with its place.
    pub warnings: Vec<Located>,
}

/// The way to the cloud, as it is written, with the state of the files it names: two that are equal lead there alike.
#[derive(Clone, PartialEq)]
pub struct Outside {
    written: Option<toml::Value>,
    deadlines: [Duration; 2],
    files: Stamp,
}

// A parent's password may stand in it.
crate::hidden::hidden!(Outside);

impl Outside {
    fn read(source: &Source, file: &File) -> Result<Self, Located> {
        let files: Vec<PathBuf> = file.upstream.files().map(|written| source.path(written)).collect();
        Ok(Self {
            written: source.parse::<toml::Table>()?.remove("upstream"),
            deadlines: [&file.limits.resolve, &file.limits.connect].map(|span| span.get_ref().0),
            files: Stamp::of(files.iter().map(PathBuf::as_path)),
        })
    }
}

impl Config {
    /// Loads a file, or the built-in default.
    ///
    /// # Errors
    /// On the first thing that is wrong, with its place and the accepted form.
    pub fn load(path: Option<&Path>) -> Result<Self, Located> {
        match path {
            Some(path) => {
                // Before the reading: a change in between is seen as one later.
                let seen = Stamp::of([path]);
                let mut config = Self::read(&Source::read(path)?)?;
                config.files.insert(0, path.to_path_buf());
                config.path = Some(path.to_path_buf());
                config.seen = seen.and(config.seen);
                Ok(config)
            }
            None => Self::read(&Source::embedded(DEFAULT_NAME, DEFAULT)),
        }
    }

    /// The file it was read from; none, it is the built-in one.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.path.clone()
    }

    /// Reads a configuration text.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn read(source: &Source) -> Result<Self, Located> {
        let file: File = source.parse()?;
        let files = file.files(source);
        let seen = Stamp::of(files.iter().map(PathBuf::as_path));
        let policy = file.policy.build(source, &file.clients)?;
        let access = file.clients.access(source)?;
        let hosts = file.upstream.hosts(source)?;
        let routes = Arc::new(file.upstream.routes(source, &policy)?);
        let warnings = warnings::find(source, &file, &policy, access.as_ref(), &routes);
        let relays: Vec<RelayConfig> = file.relay.iter().map(|relay| relay.build(source, &policy)).collect::<Result<_, _>>()?;
        let snis: Vec<SniConfig> = file.sni.iter().map(|sni| sni.build(source)).collect::<Result<_, _>>()?;
        let (listener, admin) = (file.listener.build(source)?, file.admin.address(source)?);
        let discovery = file.discovery.build(source)?;
        file.refuse_shared_addresses(source, &listener, (admin, discovery.address), &relays, &snis)?;
        Ok(Self {
            name: source.name().to_owned(),
            outside: Outside::read(source, &file)?,
            reload_on_change: file.reload.on_change,
            path: None,
            files,
            seen,
            listener,
            relays,
            snis,
            admin,
            guard: file.admin.guard(source)?,
            discovery,
            quotas: quota::build(source, &file.quota, &policy)?,
            hosts,
            allow_addresses: file.upstream.allow_addresses(source)?,
            name_servers: file.upstream.name_servers(source)?,
            routes,
            parent_password_file: file.upstream.password_file(source),
            ca_files: file.upstream.ca_files(source),
            access,
            interception: file.interception.as_ref().map(|section| section.build(source)).transpose()?,
            inspection: file.inspection.build(source)?,
            policy,
            policy_text: file.policy.text(source)?,
            observed: file.policy.observed(source),
            limits: file.limits.build(source)?,
            resolve_deadline: file.limits.resolve.get_ref().0,
            connect_deadline: file.limits.connect.get_ref().0,
            max_connections: file.limits.max_connections.as_ref().map(|most| *most.get_ref()),
            drain: file.limits.drain.get_ref().0,
            audit: file.audit.as_ref().map(|section| section.build(source)).transpose()?,
            sha256: Hash::over(&[source.text().as_bytes()]).to_string(),
            log: file.log.format,
            warnings,
        })
    }
}

impl File {
    /// Two listeners cannot have one address; port 0 is another port each time.
    fn refuse_shared_addresses(
        &self,
        source: &Source,
        listener: &ListenerConfig,
        (admin, discovery): (SocketAddr, Option<SocketAddr>),
        relays: &[RelayConfig],
        snis: &[SniConfig],
    ) -> Result<(), Located> {
        let mut taken = vec![(listener.address, "listener.address")];
        let tls = listener.tls.as_ref().and_then(|tls| tls.address);
        let tls = tls.map(|address| (address, "listener.tls.address", self.listener.tls_span()));
        let admin = [(admin, "admin.address", self.admin.span())];
        let discovery = discovery.map(|address| (address, "discovery.address", self.discovery.span()));
        let relays = relays.iter().zip(&self.relay).map(|(relay, section)| (relay.address, "relay.address", section.address.span()));
        let snis = snis.iter().zip(&self.sni).map(|(sni, section)| (sni.address, "sni.address", section.address.span()));
        for (address, key, span) in tls.into_iter().chain(admin).chain(discovery).chain(relays).chain(snis) {
            if let Some((_, other)) = taken.iter().find(|(other, _)| *other == address && address.port() != 0) {
                return Err(source.error(span, format!("{key} {address} is {other} too; give each listener an address of its own")));
            }
            taken.push((address, key));
        }
        Ok(())
    }
}
