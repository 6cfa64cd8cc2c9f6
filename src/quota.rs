//! Quotas: how much of the proxy a client, a network or a service may use. Buckets and counters are this process's own.

pub mod bucket;
pub mod pace;
pub mod tally;

use crate::error::{Advice, Reason, Refusal, RuleName};
use crate::metrics::{Metrics, QuotaCounters};
use bucket::{Bucket, Rate};
use governor::clock::DefaultClock;
use ipnet::IpNet;
use pace::Pace;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Whom a client is counted with: its address, or the /64 of an IPv6 one, in which a host takes any (RFC 4291 section 2.5.1, RFC 8981).
#[must_use]
pub fn host_of(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Connections of clients.
    Connections,
    /// TLS handshakes with clients: to the proxy itself, and in intercepted connections.
    Handshakes,
    /// CONNECTs, connections to relays and of raw TLS, HTTP requests.
    Requests,
    /// Bytes of tunnels, both directions together.
    Bytes,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 4] = [Self::Connections, Self::Handshakes, Self::Requests, Self::Bytes];

    /// The label value, and the key of the configuration.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshakes => "handshakes",
            Self::Requests => "requests",
            Self::Bytes => "bytes",
        }
    }
}

/// A `[[quota]]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Its name in rules and metrics.
    pub name: String,
    /// Whom it covers; absent, everybody.
    pub clients: Option<Vec<IpNet>>,
    /// Which service it covers; absent, all.
    pub service: Option<String>,
    /// Whether each client address has buckets of its own.
    pub each_client: bool,
    /// What is limited, and how. Bytes are counted in KiB.
    pub limits: Vec<(Limit, Rate)>,
}

impl QuotaConfig {
    /// What it limits, and whom, in one line.
    #[must_use]
    pub fn shown(&self) -> String {
        let limits: Vec<&str> = self.limits.iter().map(|(limit, _)| limit.label()).collect();
        let networks = self.clients.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!(
            "{}: {} of {}{}, {}",
            self.name,
            limits.join(", "),
            if self.clients.is_some() { &networks } else { "everybody" },
            if self.each_client { " by itself" } else { "" },
            self.service.as_deref().map_or_else(|| "all services".to_owned(), |service| format!("service {service}")),
        )
    }
}

/// A quota in force.
#[derive(Debug)]
pub struct Quota {
    /// The configuration.
    pub config: QuotaConfig,
    rule: Arc<str>,
    limits: Vec<Limited>,
}

/// One limit of a quota.
#[derive(Debug)]
struct Limited {
    limit: Limit,
    bucket: Arc<Bucket<DefaultClock>>,
    counters: QuotaCounters,
}

/// All quotas.
#[derive(Debug, Default)]
pub struct Quotas(Vec<Quota>);

impl Quotas {
    /// Full buckets, and counters at zero.
    #[must_use]
    pub fn new(configs: Vec<QuotaConfig>, metrics: &Metrics) -> Self {
        Self(configs.into_iter().map(|config| Quota::new(config, metrics)).collect())
    }

    /// As configured.
    pub fn configs(&self) -> impl Iterator<Item = &QuotaConfig> {
        self.0.iter().map(|quota| &quota.config)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Quota> {
        self.0.iter()
    }

    /// Takes one from every bucket that covers this client and service. `service` is none where it is not known yet.
    ///
    /// # Errors
    /// `quota_exceeded`, with the time after which there is one again.
    pub fn take(&self, limit: Limit, client: IpAddr, service: Option<&str>) -> Result<(), Refusal> {
        self.covering(limit, client, service).try_for_each(|(quota, limited)| quota.take(limited, client))
    }

    /// What slows the bytes of a tunnel, if anything does.
    #[must_use]
    pub fn pace(&self, client: IpAddr, service: &str) -> Option<Box<Pace>> {
        let covering = self.covering(Limit::Bytes, client, Some(service));
        let buckets: Vec<_> = covering.map(|(_, limited)| (limited.bucket.clone(), limited.counters.clone())).collect();
        (!buckets.is_empty()).then(|| Box::new(Pace::new(client, buckets)))
    }

    fn covering(&self, limit: Limit, client: IpAddr, service: Option<&str>) -> impl Iterator<Item = (&Quota, &Limited)> {
        let covering = self.0.iter().filter(move |quota| quota.covers(client, service));
        covering.filter_map(move |quota| Some((quota, quota.limits.iter().find(|limited| limited.limit == limit)?)))
    }
}

impl Quota {
    fn new(config: QuotaConfig, metrics: &Metrics) -> Self {
        let limited = |(limit, rate): &(Limit, Rate)| Limited {
            limit: *limit,
            bucket: Arc::new(Bucket::new(*rate, config.each_client, DefaultClock::default())),
            counters: metrics.quota(&config.name, limit.label()),
        };
        let limits = config.limits.iter().map(limited).collect();
        Self { rule: format!("quota.{}", config.name).into(), limits, config }
    }

    /// Each limit with its counters.
    pub fn limits(&self) -> impl Iterator<Item = (Limit, &QuotaCounters)> {
        self.limits.iter().map(|limited| (limited.limit, &limited.counters))
    }

    fn covers(&self, client: IpAddr, service: Option<&str>) -> bool {
        let client = client.to_canonical();
        let QuotaConfig { clients, service: covered, .. } = &self.config;
        clients.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&client)))
            && covered.as_deref().is_none_or(|covered| service == Some(covered))
    }

    fn take(&self, limited: &Limited, client: IpAddr) -> Result<(), Refusal> {
        let Err(wait) = limited.bucket.take(client, NonZeroU32::MIN) else {
            limited.counters.passed.inc();
            return Ok(());
        };
        limited.counters.refused.inc();
        let detail = format!(
            "more {} than the quota {:?} allows; try again after the time in Retry-After, or raise quota.{}",
            limited.limit.label(),
            self.config.name,
            limited.limit.label()
        );
        Err(Refusal::new(Reason::QuotaExceeded, detail, RuleName::Policy(self.rule.clone())).advising(Advice::RetryAfter(wait)))
    }
}
