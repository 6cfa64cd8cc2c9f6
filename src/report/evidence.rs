//! What a report says, whatever its form: figures of the audit, joined with what the policy documents.

use super::figures::{Change, Counts, Covered, Figures, Findings, Gap, Service, Span, Traffic};
use crate::audit::verify::Verified;
use crate::moment::rfc3339;
use crate::policy::{Policy, Rule, ServiceInfo};
use crate::units::show;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The format of the JSON.
const FORMAT: u32 = 1;

/// What the configuration says.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The configuration's name.
    pub config: &'a str,
    /// How long audit files are kept, if they are written.
    pub keep: Option<Duration>,
    /// Whether anything is decrypted.
    pub interception: bool,
    /// Now.
    pub now: SystemTime,
}

/// A report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Of this document.
    pub format: u32,
    /// Of the program that made it.
    pub version: &'static str,
    /// When it was made.
    pub generated: String,
    /// From its first moment up to the first one behind it.
    pub period: Span,
    /// What the lines rest on.
    pub integrity: Integrity,
    /// The policy, and whether it is the one of the audit.
    pub policy: PolicyFacts,
    /// How it is kept and protected.
    pub measures: Measures,
    /// Decisions of all services.
    pub decisions: Counts,
    /// All traffic.
    pub traffic: Traffic,
    /// What was done with all payloads.
    pub coverage: Covered,
    /// Inspected of all that passed with a payload, in percent.
    pub inspected_percent: Option<f64>,
    /// By service.
    pub services: Vec<ServiceRow>,
    /// What may have to be notified.
    pub incidents: Incidents,
    /// What changed.
    pub changes: Vec<Change>,
    /// Decisions for each step of the period.
    pub timeline: Vec<Bar>,
}

/// Whether the audit is whole.
#[derive(Debug, Serialize)]
pub struct Integrity {
    /// What verifying found.
    #[serde(flatten)]
    pub verified: Verified,
    /// What of the period the files do not show.
    pub missing: Vec<String>,
}

/// The policy that documents endpoints.
#[derive(Debug, Serialize)]
pub struct PolicyFacts {
    /// Its name.
    pub name: String,
    /// Of the configuration given.
    pub configured: String,
    /// Under which exchanges of the period began.
    pub in_audit: Vec<String>,
    /// Whether these are others.
    pub differs: bool,
}

/// Technical measures, and how long records are kept.
#[derive(Debug, Serialize)]
pub struct Measures {
    /// The configuration they are from.
    pub config: String,
    /// `enforce` or `observe`.
    pub mode: &'static str,
    /// Allow rules; everything else is refused.
    pub rules: usize,
    /// Whether services that are promised to send no personal data are decrypted and inspected.
    pub interception: bool,
    /// How long audit files are kept; absent where none are written.
    pub audit_kept: Option<String>,
}

/// One service, documented and seen.
#[derive(Debug, Serialize)]
pub struct ServiceRow {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What the vendor says about personal data.
    pub personal_data: &'static str,
    /// In its own words.
    pub promise: String,
    /// Where that is said.
    pub source: Source,
    /// Whether the configured policy has it.
    pub is_documented: bool,
    /// Inspected of what passed with a payload, in percent.
    pub inspected_percent: Option<f64>,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Service,
    /// Its endpoints: documented, seen, or both.
    pub endpoints: Vec<EndpointRow>,
}

/// One endpoint.
#[derive(Debug, Serialize)]
pub struct EndpointRow {
    /// `host:port` as the policy writes it.
    pub endpoint: String,
    /// Where it is documented.
    pub source: Source,
    /// What went there.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Where something is documented.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Source {
    /// Title and date of the document.
    pub document: String,
    /// Its section.
    pub section: String,
    /// Its words.
    pub quote: String,
}

/// What may have to be notified.
#[derive(Debug, Serialize)]
pub struct Incidents {
    /// Findings of all services by kind.
    pub findings: BTreeMap<String, Findings>,
    /// Messages that were refused.
    pub messages_blocked: u64,
    /// Messages that enforcing would have refused, and that went on.
    pub messages_observed: u64,
    /// When nothing was recorded.
    pub gaps: Vec<Gap>,
    /// When nothing was enforced.
    pub observing: Vec<Span>,
    /// When the process began again after an end that was not in order.
    pub interruptions: Vec<String>,
    /// Events of the period that are too many to be listed.
    pub unlisted: u64,
}

/// One step of the period.
#[derive(Debug, Serialize)]
pub struct Bar {
    /// Its first moment.
    pub from: String,
    /// Decisions in it.
    #[serde(flatten)]
    pub decisions: Counts,
}

impl Report {
    /// Joins figures, what verifying found, and what the configuration says.
    #[must_use]
    pub fn new(figures: Figures, verified: Verified, facts: &Facts<'_>) -> Self {
        let policy = policy(&figures, facts);
        let missing = missing(&figures);
        let step = figures.period.step();
        let mut from = figures.period.from;
        let bar = |decisions: &Counts| {
            let bar = Bar { from: rfc3339(from), decisions: *decisions };
            from += step;
            bar
        };
        let timeline = figures.timeline.iter().map(bar).collect();
        let services = services(figures.services, facts.policy);
        let (mut decisions, mut traffic, mut coverage) = (Counts::default(), Traffic::default(), Covered::default());
        let mut incidents = Incidents {
            findings: BTreeMap::new(),
            messages_blocked: 0,
            messages_observed: 0,
            gaps: figures.gaps,
            observing: figures.observing,
            interruptions: figures.interruptions,
            unlisted: figures.unlisted,
        };
        for seen in services.iter().map(|service| &service.seen) {
            sum(&mut decisions, &mut traffic, &mut coverage, seen);
            incidents.add(seen);
        }
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            generated: rfc3339(facts.now),
            period: Span { from: rfc3339(figures.period.from), to: rfc3339(figures.period.to) },
            integrity: Integrity { verified, missing },
            policy,
            measures: measures(facts),
            decisions,
            traffic,
            coverage,
            inspected_percent: coverage.percent(),
            services,
            incidents,
            changes: figures.changes,
            timeline,
        }
    }

    /// One object.
    #[must_use]
    pub fn json(&self) -> String {
        format!("{:#}\n", serde_json::json!(self))
    }

    /// Whether anything is there that somebody should look at before the period is closed.
    #[must_use]
    pub fn has_incidents(&self) -> bool {
        let incidents = &self.incidents;
        incidents.messages_blocked + incidents.messages_observed > 0
            || !(incidents.findings.is_empty()
                && incidents.gaps.is_empty()
                && incidents.observing.is_empty()
                && incidents.interruptions.is_empty())
    }
}

impl Incidents {
    fn add(&mut self, seen: &Service) {
        self.messages_blocked += seen.blocked;
        self.messages_observed += seen.observed;
        for (kind, found) in &seen.findings {
            let all = self.findings.entry(kind.clone()).or_default();
            all.blocked += found.blocked;
            all.passed += found.passed;
        }
    }
}

fn sum(decisions: &mut Counts, traffic: &mut Traffic, coverage: &mut Covered, seen: &Service) {
    decisions.allow += seen.decisions.allow;
    decisions.deny += seen.decisions.deny;
    decisions.would_deny += seen.decisions.would_deny;
    decisions.undecided += seen.decisions.undecided;
    traffic.exchanges += seen.traffic.exchanges;
    traffic.messages += seen.traffic.messages;
    traffic.up = traffic.up.saturating_add(seen.traffic.up);
    traffic.down = traffic.down.saturating_add(seen.traffic.down);
    coverage.inspected += seen.coverage.inspected;
    coverage.tunnelled += seen.coverage.tunnelled;
    coverage.uninspectable += seen.coverage.uninspectable;
}

fn policy(figures: &Figures, facts: &Facts<'_>) -> PolicyFacts {
    let configured = facts.policy.hash().to_owned();
    let in_audit: Vec<String> = figures.policies.iter().cloned().collect();
    let differs = in_audit.iter().any(|hash| *hash != configured);
    PolicyFacts { name: facts.policy.name().to_owned(), configured, in_audit, differs }
}

fn measures(facts: &Facts<'_>) -> Measures {
    Measures {
        config: facts.config.to_owned(),
        mode: facts.policy.options().mode.label(),
        rules: facts.policy.rules().len(),
        interception: facts.interception,
        audit_kept: facts.keep.map(show),
    }
}

/// What of the period lies before the first line or behind the last one.
fn missing(figures: &Figures) -> Vec<String> {
    let Some((first, last)) = figures.covers else { return vec!["the files have no line that could be verified".to_owned()] };
    let mut missing = Vec::new();
    if first > figures.period.from {
        missing.push(format!("nothing before {}: the first line given is of then", rfc3339(first)));
    }
    if last < figures.period.to {
        missing.push(format!("nothing behind {}: the last line given is of then", rfc3339(last)));
    }
    missing
}

/// Those of the policy in its order, then those that only the audit has.
fn services(mut seen: BTreeMap<String, Service>, policy: &Policy) -> Vec<ServiceRow> {
    let mut rows: Vec<ServiceRow> = Vec::new();
    for info in policy.services().iter().skip(1) {
        let figures = seen.remove(&*info.id).unwrap_or_default();
        rows.push(row(info.id.to_string(), Some(info), figures, policy));
    }
    rows.extend(seen.into_iter().map(|(id, figures)| row(id, None, figures, policy)));
    rows
}

fn row(id: String, info: Option<&ServiceInfo>, seen: Service, policy: &Policy) -> ServiceRow {
    let mut left = seen.endpoints.clone();
    let owner = |rule: &&Rule| policy.service(rule.service).id.as_ref() == id.as_str();
    let mut endpoints: Vec<EndpointRow> = Vec::new();
    for rule in policy.rules().iter().filter(owner) {
        let endpoint = format!("{}:{}", rule.host, rule.port);
        let traffic = left.remove(&endpoint).unwrap_or_default();
        endpoints.push(EndpointRow { source: source_of(policy, &endpoint), endpoint, traffic });
    }
    // Of another service, whose channel it shares, or of a policy that was in force.
    endpoints.extend(left.into_iter().map(|(endpoint, traffic)| EndpointRow { source: source_of(policy, &endpoint), endpoint, traffic }));
    let source = info.and_then(|info| info.source.as_ref()).map(|cited| Source {
        document: cited.document.clone(),
        section: cited.section.clone(),
        quote: cited.quote.clone(),
    });
    ServiceRow {
        title: info.map_or_else(|| "no documented service".to_owned(), |info| info.title.clone()),
        personal_data: info.map_or("unstated", |info| info.personal_data.label()),
        promise: info.map_or_else(String::new, |info| info.promise.clone()),
        source: source.unwrap_or_default(),
        is_documented: info.is_some(),
        inspected_percent: seen.coverage.percent(),
        endpoints,
        seen,
        id,
    }
}

fn source_of(policy: &Policy, endpoint: &str) -> Source {
    let rule = policy.rules().iter().find(|rule| format!("{}:{}", rule.host, rule.port) == endpoint);
    let Some(rule) = rule else {
        return Source { document: "not in the configured policy".to_owned(), ..Source::default() };
    };
    rule.source.as_ref().map_or_else(
        || Source { document: "site policy".to_owned(), ..Source::default() },
        |cited| Source { document: cited.document.clone(), section: cited.section.clone(), quote: cited.quote.clone() },
    )
}
