//! From the policy file to the compiled policy: profile, groups and exact hosts chosen, patterns checked and compiled.

use super::decision::{Mode, Policy, ServiceId};
use super::document::{self, Citation, Document, Endpoint, PersonalData, Profile, Service, Treatment, WireProtocol};
use super::host_set::{self, HostSetBuilder};
use crate::metrics::NO_SERVICE;
use crate::source::{Located, Source};
use ipnet::IpNet;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// A tunnel of a service that states no limit may be silent this long.
pub const DEFAULT_IDLE: Duration = Duration::from_mins(15);

/// A tunnel of a gRPC or LDAPS service that states no limit.
pub const LONG_LIVED_IDLE: Duration = Duration::from_hours(1);

/// What the configuration chooses from a policy file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The profile.
    pub profile: Profile,
    /// Enforce or observe.
    pub mode: Mode,
    /// Optional groups that are on.
    pub groups: Vec<String>,
    /// Hosts that `strict` allows by name where a documented wildcard covers them.
    pub exact_hosts: Vec<String>,
    /// Client networks that may use the proxy.
    pub clients: Vec<IpNet>,
}

/// Why options do not fit the policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// The policy file itself is wrong.
    File(Located),
    /// No service is in this group.
    UnknownGroup(String),
    /// No documented wildcard covers this host, or it is not in normal form.
    ExactHost(String, String),
}

/// A quotation that supports a rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cited {
    /// Title and date of the document.
    pub document: String,
    /// Its section.
    pub section: String,
    /// Its words.
    pub quote: String,
}

/// A service of the compiled policy.
#[derive(Debug, Clone)]
pub struct ServiceInfo {
    /// The label.
    pub id: Arc<str>,
    /// The name for people.
    pub title: String,
    /// What the vendor says about personal data.
    pub personal_data: PersonalData,
    /// In its own words.
    pub promise: String,
    /// Done once interception is configured.
    pub treatment: Treatment,
    /// Whether the suite needs it to be cloud connected.
    pub required: bool,
    /// What stops working when it is blocked.
    pub breaks: String,
    /// Its optional group.
    pub group: Option<String>,
    /// The id of the service whose endpoints it shares.
    pub channel: Option<String>,
    /// How long its connections may be silent.
    pub idle_timeout: Duration,
    /// Where it is documented.
    pub source: Option<Cited>,
}

impl ServiceInfo {
    /// What belongs to no documented service.
    pub(super) fn none() -> Self {
        Self {
            id: NO_SERVICE.into(),
            title: "no documented service".to_owned(),
            personal_data: PersonalData::Unstated,
            promise: String::new(),
            treatment: Treatment::Tunnel,
            required: false,
            breaks: String::new(),
            group: None,
            channel: None,
            idle_timeout: DEFAULT_IDLE,
            source: None,
        }
    }
}

/// One allow rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `service/host:port`.
    pub name: Arc<str>,
    /// The host pattern.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is spoken there.
    pub protocol: WireProtocol,
    /// Its service.
    pub service: ServiceId,
    /// Where it is documented.
    pub source: Option<Cited>,
}

impl Policy {
    /// Compiles a policy file for the chosen options.
    ///
    /// # Errors
    /// When an entry is not in normal form or stands twice, or an option does not fit the file.
    pub fn compile(source: &Source, options: Options) -> Result<Self, Unfit> {
        let document = Document::read(source).map_err(Unfit::File)?;
        check_groups(&document, &options.groups)?;
        let compiler = Compiler { source, document: &document, options: &options };
        let services = compiler.services();
        let mut rules = compiler.rules(&services).map_err(Unfit::File)?;
        rules.extend(compiler.exact_rules(&services)?);
        let hash = fingerprint(&document.name, &options, &services, &rules);
        Self::assemble(document.name.clone(), source.name().to_owned(), hash, options, services, rules)
            .map_err(|error| Unfit::File(source.error(0..0, format!("the host patterns do not compile: {error}"))))
    }
}

fn check_groups(document: &Document, groups: &[String]) -> Result<(), Unfit> {
    let known = |group: &String| document.services.iter().any(|service| service.group.as_ref() == Some(group));
    groups.iter().find(|group| !known(group)).map_or(Ok(()), |group| Err(Unfit::UnknownGroup(group.clone())))
}

struct Compiler<'a> {
    source: &'a Source,
    document: &'a Document,
    options: &'a Options,
}

impl Compiler<'_> {
    /// The pseudo-service for what belongs to none, then those of the file that are on.
    fn services(&self) -> Vec<ServiceInfo> {
        let chosen = self.document.services.iter().filter(|service| self.is_on(service));
        std::iter::once(ServiceInfo::none()).chain(chosen.map(|service| self.service(service))).collect()
    }

    fn is_on(&self, service: &Service) -> bool {
        service.group.as_ref().is_none_or(|group| self.options.groups.contains(group))
    }

    fn service(&self, service: &Service) -> ServiceInfo {
        ServiceInfo {
            id: service.id.get_ref().as_str().into(),
            title: service.title.clone(),
            personal_data: service.personal_data,
            promise: service.promise.clone(),
            treatment: service.treatment,
            required: service.required,
            breaks: service.breaks.clone(),
            group: service.group.clone(),
            channel: service.channel.as_ref().map(|channel| channel.get_ref().clone()),
            idle_timeout: service.idle_timeout.as_ref().map_or_else(|| default_idle(service), |span| span.get_ref().0),
            source: service.source.as_ref().and_then(|citation| self.cited(citation)),
        }
    }

    fn cited(&self, citation: &Citation) -> Option<Cited> {
        let publication = self.document.publication(citation)?;
        let date = if publication.date.is_empty() { String::new() } else { format!(" ({})", publication.date) };
        Some(Cited { document: format!("{}{date}", publication.title), section: citation.section.clone(), quote: citation.quote.clone() })
    }

    fn endpoints<'s>(&'s self, services: &'s [ServiceInfo]) -> impl Iterator<Item = (ServiceId, &'s Service, &'s Endpoint)> {
        let on = self.document.services.iter().filter(|service| self.is_on(service));
        on.flat_map(move |service| {
            let id = services.iter().position(|info| *info.id == **service.id.get_ref()).unwrap_or_default();
            service.endpoints.iter().map(move |endpoint| (ServiceId::from_index(id), service, endpoint))
        })
    }

    fn rules(&self, services: &[ServiceInfo]) -> Result<Vec<Rule>, Located> {
        let mut seen: HashMap<(&str, u16), &str> = HashMap::new();
        let mut rules = Vec::new();
        for (id, service, endpoint) in self.endpoints(services) {
            let (host, port) = (endpoint.host.get_ref().as_str(), *endpoint.port.get_ref());
            host_set::check(host).map_err(|problem| self.source.error(document::span(endpoint), format!("host {host:?}: {problem}")))?;
            if port == 0 {
                return Err(self.source.error(endpoint.port.span(), "port 0 cannot be reached; write a port from 1 to 65535"));
            }
            if let Some(other) = seen.insert((host, port), service.id.get_ref()) {
                let message = format!(
                    "{host}:{port} stands in service {other:?} already; an endpoint belongs to one service, others share it with `channel`"
                );
                return Err(self.source.error(document::span(endpoint), message));
            }
            if host.contains('*') && endpoint.profiles.contains(&Profile::Strict) {
                let message =
                    "a wildcard cannot be in the profile \"strict\", which is exact hosts only; write the hosts, or leave the profile out";
                return Err(self.source.error(document::span(endpoint), message));
            }
            if endpoint.is_in(self.options.profile) {
                rules.push(self.rule(id, service, endpoint, host));
            }
        }
        Ok(rules)
    }

    fn rule(&self, id: ServiceId, service: &Service, endpoint: &Endpoint, host: &str) -> Rule {
        let port = *endpoint.port.get_ref();
        let citation = endpoint.source.as_ref().or(service.source.as_ref());
        Rule {
            name: format!("{}/{host}:{port}", service.id.get_ref()).into(),
            host: host.to_owned(),
            port,
            protocol: endpoint.protocol,
            service: id,
            source: citation.and_then(|citation| self.cited(citation)),
        }
    }

    /// The exact hosts of the configuration, each under every documented wildcard that covers it.
    fn exact_rules(&self, services: &[ServiceInfo]) -> Result<Vec<Rule>, Unfit> {
        if self.options.profile == Profile::Documented {
            return Ok(Vec::new());
        }
        let mut rules = Vec::new();
        for host in &self.options.exact_hosts {
            host_set::check(host).map_err(|problem| Unfit::ExactHost(host.clone(), problem))?;
            let before = rules.len();
            for (id, service, endpoint) in self.endpoints(services) {
                if covers(endpoint.host.get_ref(), host) && !endpoint.is_in(Profile::Strict) {
                    rules.push(self.rule(id, service, endpoint, host));
                }
            }
            if rules.len() == before {
                return Err(Unfit::ExactHost(host.clone(), "no documented wildcard covers it".into()));
            }
        }
        Ok(rules)
    }
}

/// Streams of gRPC and directory connections are silent for long in good order.
fn default_idle(service: &Service) -> Duration {
    let is_long_lived = |endpoint: &Endpoint| matches!(endpoint.protocol, WireProtocol::Grpc | WireProtocol::Ldaps);
    if service.endpoints.iter().any(is_long_lived) { LONG_LIVED_IDLE } else { DEFAULT_IDLE }
}

fn covers(pattern: &str, host: &str) -> bool {
    pattern.strip_prefix("*.").is_some_and(|parent| host.split_once('.').is_some_and(|(_, rest)| rest == parent)) && !host.contains('*')
}

/// The first 12 hexadecimal digits of a SHA-256 over all that decides: two proxies with the same value decide alike.
fn fingerprint(name: &str, options: &Options, services: &[ServiceInfo], rules: &[Rule]) -> String {
    let mut text = format!("{name} {} {:?} {:?}\n", options.profile.label(), options.mode, options.clients);
    for service in services {
        let _ = writeln!(text, "{} {} {} {:?}", service.id, service.personal_data.label(), service.treatment.label(), service.idle_timeout);
    }
    for rule in rules {
        let _ = writeln!(text, "{} {}", rule.name, rule.protocol.label());
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(6).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Indexes rules by host pattern.
pub(super) fn host_index(rules: &[Rule]) -> Result<host_set::HostSet<usize>, globset::Error> {
    let mut builder = HostSetBuilder::default();
    for (index, rule) in rules.iter().enumerate() {
        builder.add(&rule.host, index);
    }
    builder.build()
}
