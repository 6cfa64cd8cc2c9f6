//! Every metric family: its name, help, labels and the handles resolved once.
//!
//! Label values come from the policy and from closed lists, never from traffic: no client can add a time series. All families
//! are present at zero from the start, so a dashboard can tell "nothing happened" from "not measured".

mod audit;
mod families;
mod parents;
mod reload;
mod service;
mod totals;

use crate::error::Reason;
use crate::inspect::Kind;
use families::{Families, retain};
use parents::ParentFamilies;
use prometheus::{Encoder, Gauge, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder};
use reload::ReloadMetrics;
use service::Acted;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

pub use audit::AuditMetrics;
pub use parents::{ParentMetrics, ParentOutcome};
pub use service::{Coverage, Inspected, ServiceMetrics};
pub use totals::Totals;

/// The service label of exchanges that belong to no service of the policy.
pub const NO_SERVICE: &str = "none";

/// Which listener a connection came in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// CONNECT and absolute-form.
    Proxy,
    /// The same over TLS, on a port of its own.
    Tls,
    /// An `[[sni]]`.
    Sni,
    /// A `[[relay]]`.
    Relay,
    /// Metrics and health.
    Admin,
    /// What clients need to know, for clients.
    Discovery,
}

impl ListenerKind {
    const ALL: [Self; 6] = [Self::Proxy, Self::Tls, Self::Sni, Self::Relay, Self::Admin, Self::Discovery];

    /// The label value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Sni => "sni",
            Self::Relay => "relay",
            Self::Admin => "admin",
            Self::Discovery => "discovery",
        }
    }
}

/// How a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// CONNECT over HTTP/1.
    Connect,
    /// CONNECT over HTTP/2.
    ConnectH2,
    /// A forwarded HTTP/1 request.
    Http1,
    /// An HTTP/2 request in an intercepted connection.
    Http2,
    /// A connection to a `[[relay]]`.
    Relay,
    /// A connection to an `[[sni]]`.
    Sni,
}

impl Protocol {
    /// The label value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectH2 => "connect_h2",
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::Relay => "relay",
            Self::Sni => "sni",
        }
    }
}

/// All families.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    build_info: IntGaugeVec,
    connections: IntGaugeVec,
    connections_total: IntCounterVec,
    /// Those of the policy in force.
    services: Mutex<HashSet<String>>,
    decisions: IntCounterVec,
    cuts: IntCounterVec,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    tunnels: IntGaugeVec,
    bytes: IntCounterVec,
    upstream_connect: HistogramVec,
    coverage: IntCounterVec,
    messages: IntCounterVec,
    inspected_bytes: IntCounterVec,
    inspection: HistogramVec,
    findings: IntCounterVec,
    rejection_fallbacks: IntCounterVec,
    parents: ParentFamilies,
    /// What becomes of audit records.
    pub audit: AuditMetrics,
    /// TLS with clients to the proxy itself.
    pub listener_handshakes: Handshakes,
    /// TLS with clients of intercepted connections.
    pub client_handshakes: Handshakes,
    /// TLS with the cloud.
    pub upstream_handshakes: Handshakes,
    quotas: IntCounterVec,
    /// Interception certificates found in the cache.
    pub leaves_cached: IntCounter,
    /// Interception certificates signed.
    pub leaves_minted: IntCounter,
    /// When the interception CA expires, in seconds since 1970; 0 without one.
    pub ca_expiry: Gauge,
    /// Reloads of the configuration.
    pub reloads: ReloadMetrics,
    /// Connection tasks ended by a panic.
    pub panics: IntCounter,
    log_drops: IntCounter,
    count_log_drops: OnceLock<LogDrops>,
}

/// Outcomes of TLS handshakes on one side.
#[derive(Debug, Clone)]
pub struct Handshakes {
    ok: IntCounter,
    failed: IntCounter,
}

impl Handshakes {
    fn new(family: &IntCounterVec, side: &str) -> Self {
        Self { ok: family.with_label_values(&[side, "ok"]), failed: family.with_label_values(&[side, "failed"]) }
    }

    /// A handshake ended.
    pub fn ended(&self, is_ok: bool) {
        if is_ok { self.ok.inc() } else { self.failed.inc() }
    }
}

/// What came to one limit of a quota.
#[derive(Debug, Clone)]
pub struct QuotaCounters {
    /// Let through.
    pub passed: IntCounter,
    /// Refused.
    pub refused: IntCounter,
    /// Made to wait.
    pub slowed: IntCounter,
}

/// Reads how many log lines were dropped so far.
struct LogDrops(Box<dyn Fn() -> u64 + Send + Sync>);

impl std::fmt::Debug for LogDrops {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogDrops")
    }
}

/// Seconds: from a cached local answer to a dial at its deadline.
const LATENCY: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Seconds: an inspection is microseconds to a few milliseconds.
const INSPECTION: &[f64] = &[0.000_025, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05];

impl Metrics {
    /// Registers every family at zero.
    ///
    /// # Panics
    /// Never: names and labels are constants, and a test registers them all.
    #[must_use]
    pub fn new() -> Self {
        let family = Families(Registry::new());
        let handshakes = family.counters(
            "tls_handshakes_total",
            "TLS handshakes by outcome and side: listener (with the proxy itself), client and upstream (of intercepted connections).",
            &["side", "outcome"],
        );
        let leaves = family.counters("leaf_certificates_total", "Interception certificates, by where they came from.", &["source"]);
        let help = "Panics of the proxy, each contained to one connection, exchange or message; each is a defect.";
        let panics = family.counter("panics_total", help);
        let metrics = Self {
            build_info: family.gauges(
                "build_info",
                "Always 1; the version and the hash of the policy in force.",
                &["version", "policy_hash"],
            ),
            connections: family.gauges("connections", "Client connections open now.", &["listener"]),
            connections_total: family.counters("connections_total", "Client connections accepted.", &["listener"]),
            services: Mutex::default(),
            decisions: family.counters(
                "decisions_total",
                "Decisions: allow, deny, or would_deny when observing. An allow has no reason.",
                &["service", "verdict", "reason"],
            ),
            cuts: family.counters("cuts_total", "Exchanges let through and cut later, by reason.", &["service", "reason"]),
            requests: family.counters(
                "requests_total",
                "Answers given, by status; rarer statuses by class.",
                &["service", "protocol", "code"],
            ),
            request_duration: family.histograms(
                "request_duration_seconds",
                "Time from a complete request head to the head of its answer.",
                &["service"],
                LATENCY,
            ),
            tunnels: family.gauges("tunnels", "Tunnels open now.", &["service"]),
            bytes: family.counters("bytes_total", "Bytes relayed: up from the client, down to it.", &["service", "direction"]),
            upstream_connect: family.histograms(
                "upstream_connect_seconds",
                "Time to an upstream connection, name resolution included.",
                &["service"],
                LATENCY,
            ),
            coverage: family.counters(
                "coverage_total",
                "What was done with an allowed exchange: inspected, tunnelled (its payload was not seen) or uninspectable.",
                &["service", "state"],
            ),
            messages: family.counters("inspected_messages_total", "Messages inspected, by verdict.", &["service", "verdict"]),
            inspected_bytes: family.counters("inspected_bytes_total", "Bytes of payload inspected.", &["service"]),
            inspection: family.histograms("inspection_seconds", "Time one inspection took.", &["service"], INSPECTION),
            findings: family.counters(
                "findings_total",
                "Findings of personal data, by kind and what was done.",
                &["service", "kind", "action"],
            ),
            rejection_fallbacks: family.counters(
                "rejection_fallbacks_total",
                "Connections that stayed a tunnel because their client had rejected the interception certificate.",
                &["service"],
            ),
            parents: ParentFamilies::new(&family),
            audit: AuditMetrics::new(&family, &panics),
            listener_handshakes: Handshakes::new(&handshakes, "listener"),
            client_handshakes: Handshakes::new(&handshakes, "client"),
            upstream_handshakes: Handshakes::new(&handshakes, "upstream"),
            quotas: family.counters(
                "quota_total",
                "What came to a quota, by limit: passed, refused, or, for bytes in pieces of 16 KiB, passed and slowed.",
                &["quota", "limit", "outcome"],
            ),
            leaves_cached: leaves.with_label_values(&["cache"]),
            leaves_minted: leaves.with_label_values(&["minted"]),
            ca_expiry: family
                .gauge("ca_expiry_timestamp_seconds", "When the interception CA expires, in seconds since 1970; 0 without one."),
            reloads: ReloadMetrics::new(&family),
            panics,
            log_drops: family.counter("log_lines_dropped_total", "Log lines dropped because their reader was too slow or gone."),
            count_log_drops: OnceLock::new(),
            registry: family.0,
        };
        for listener in ListenerKind::ALL {
            metrics.connections.with_label_values(&[listener.label()]);
            metrics.connections_total.with_label_values(&[listener.label()]);
        }
        // A family without series is not shown; where nothing is limited, this one stays alone.
        metrics.quotas.with_label_values(&["none", "requests", "refused"]);
        register_quiet_families(&Families(metrics.registry.clone()));
        metrics
    }

    /// Names the version, the policy, its services and the parent proxies in force.
    ///
    /// Gauges say how something is, and of what is not there any more there is nothing to say: their series go. Counters say what
    /// happened, so those of services and quotas that left stay until the process ends, as Prometheus expects it: `rate` and
    /// `increase` are 0 for what stands still, and see no reset should the same name come back. Those of parents go with their gauge,
    /// whose names are addresses that change.
    pub fn in_force<'a>(&self, hash: &str, services: impl Iterator<Item = &'a str>, parents: &[&str]) {
        self.build_info.reset();
        self.build_info.with_label_values(&[env!("CARGO_PKG_VERSION"), hash]).set(1);
        self.parents.in_force(parents);
        *self.services() = services.map(str::to_owned).collect();
    }

    fn services(&self) -> MutexGuard<'_, HashSet<String>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves the handles of one service, all at zero.
    #[must_use]
    pub fn service(&self, service: &str) -> ServiceMetrics {
        let decision = |verdict: &str, reason: &str| self.decisions.with_label_values(&[service, verdict, reason]);
        let finding = |kind: &Kind, action: &str| self.findings.with_label_values(&[service, kind.label(), action]);
        self.requests.with_label_values(&[service, Protocol::Connect.label(), "200"]);
        self.tunnels.with_label_values(&[service]);
        ServiceMetrics {
            service: service.to_owned(),
            panics: self.panics.clone(),
            allow: decision("allow", ""),
            deny: Reason::ALL.iter().map(|reason| decision("deny", reason.label())).collect(),
            would_deny: Reason::ALL.iter().map(|reason| reason.observable().then(|| decision("would_deny", reason.label()))).collect(),
            cuts: Reason::ALL.iter().map(|reason| reason.cuts().then(|| self.cuts.with_label_values(&[service, reason.label()]))).collect(),
            requests: self.requests.clone(),
            request_duration: self.request_duration.with_label_values(&[service]),
            tunnels: self.tunnels.clone(),
            bytes_up: self.bytes.with_label_values(&[service, "up"]),
            bytes_down: self.bytes.with_label_values(&[service, "down"]),
            upstream_connect: self.upstream_connect.with_label_values(&[service]),
            coverage: Coverage::ALL.iter().map(|state| self.coverage.with_label_values(&[service, state.label()])).collect(),
            messages: Inspected::ALL.iter().map(|verdict| self.messages.with_label_values(&[service, verdict.label()])).collect(),
            inspected_bytes: self.inspected_bytes.with_label_values(&[service]),
            inspection: self.inspection.with_label_values(&[service]),
            findings: Kind::ALL.iter().map(|kind| Acted { denied: finding(kind, "deny"), passed: finding(kind, "pass") }).collect(),
            rejection_fallbacks: self.rejection_fallbacks.with_label_values(&[service]),
        }
    }

    /// The counters of one limit of a quota, at zero.
    #[must_use]
    pub fn quota(&self, quota: &str, limit: &str) -> QuotaCounters {
        let counter = |outcome| self.quotas.with_label_values(&[quota, limit, outcome]);
        QuotaCounters { passed: counter("passed"), refused: counter("refused"), slowed: counter("slowed") }
    }

    /// Resolves the handles of the configured parent proxies, in their order.
    #[must_use]
    pub fn parents<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<ParentMetrics> {
        self.parents.parents(names)
    }

    /// Counts a connection until the guard is dropped.
    #[must_use]
    pub fn connection(&self, listener: ListenerKind) -> Open {
        self.connections_total.with_label_values(&[listener.label()]).inc();
        let gauge = self.connections.with_label_values(&[listener.label()]);
        Open::new(gauge)
    }

    /// Says where the number of dropped log lines is read.
    pub fn count_log_drops(&self, read: impl Fn() -> u64 + Send + Sync + 'static) {
        // The log starts once; a second reader would read the same number.
        let _ = self.count_log_drops.set(LogDrops(Box::new(read)));
    }

    /// The text exposition format, version 0.0.4.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        if let Some(LogDrops(read)) = self.count_log_drops.get() {
            self.log_drops.inc_by(read().saturating_sub(self.log_drops.get()));
        }
        {
            // A service that left the policy may have tunnels that go on under another rule: it goes with the last of them.
            let services = self.services();
            retain(&self.tunnels, "service", |service, open| open > 0.0 || services.contains(service));
        }
        let mut text = Vec::new();
        // Encoding into memory fails only for a family without a name, which registration refuses.
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be written");
        }
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A connection or a tunnel in its gauge, as long as it is open.
#[derive(Debug)]
pub struct Open(IntGauge);

impl Open {
    fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Families whose events this version does not have yet: present, at zero.
fn register_quiet_families(family: &Families) {
    #[cfg(target_os = "linux")]
    family
        .0
        .register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))
        .expect("the process collector is registered once");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The families of the contract.
    const FAMILIES: &[&str] = &[
        "build_info",
        "connections",
        "connections_total",
        "decisions_total",
        "cuts_total",
        "requests_total",
        "request_duration_seconds",
        "tunnels",
        "bytes_total",
        "upstream_connect_seconds",
        "tls_handshakes_total",
        "leaf_certificates_total",
        "inspected_messages_total",
        "inspected_bytes_total",
        "inspection_seconds",
        "findings_total",
        "coverage_total",
        "config_reloads_total",
        "config_last_reload_timestamp_seconds",
        "config_last_reload_successful",
        "ca_expiry_timestamp_seconds",
        "audit_records_total",
        "audit_healthy",
        "rejection_fallbacks_total",
        "parent_connects_total",
        "parent_failovers_total",
        "parent_up",
        "panics_total",
        "quota_total",
        "log_lines_dropped_total",
    ];

    #[test]
    fn every_family_is_present_from_the_start() {
        let metrics = Metrics::new();
        metrics.in_force("abc", [NO_SERVICE].into_iter(), &[]);
        let _none = metrics.service(NO_SERVICE);
        let text = String::from_utf8(metrics.text()).expect("the exposition is UTF-8");
        for family in FAMILIES {
            assert!(text.contains(&format!("# TYPE ucx_egress_{family} ")), "{family} is missing");
            assert!(text.lines().any(|line| line.starts_with(&format!("ucx_egress_{family}"))), "{family} has no series");
        }
        assert!(text.contains("process_open_fds"));
    }

    #[test]
    fn a_reload_leaves_one_build_info() {
        let metrics = Metrics::new();
        metrics.in_force("old", [].into_iter(), &[]);
        metrics.in_force("new", [].into_iter(), &[]);
        let text = String::from_utf8(metrics.text()).expect("the exposition is UTF-8");
        assert_eq!(text.matches("ucx_egress_build_info{").count(), 1);
    }

    #[test]
    fn statuses_add_a_bounded_number_of_labels() {
        let labels: std::collections::HashSet<_> = (0..=u16::MAX).map(service::code_label).collect();
        assert!(labels.len() <= 22, "{labels:?}");
    }
}
