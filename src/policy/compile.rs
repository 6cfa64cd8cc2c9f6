//! From the policy file to the compiled policy: profile, groups and exact hosts chosen, patterns checked and compiled.

use super::decision::{Parts, Policy};
use super::document::{self, Citation, Document, Endpoint, Profile, Service, WireProtocol};
use super::host_set;
use super::paths::PathRule;
use super::pattern::PathPattern;
use super::rules::{Cited, DEFAULT_IDLE, Options, Rule, ServiceId, ServiceInfo};
use crate::source::{Located, Source};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

/// A tunnel of a gRPC or LDAPS service that states no limit.
pub const LONG_LIVED_IDLE: Duration = Duration::from_hours(1);

/// Why options do not fit the policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// The policy file itself is wrong.
    File(Located),
    /// No service is in this group.
    UnknownGroup(String),
    /// No service of this name is on; what to do instead.
    UnknownService(String, String),
    /// No documented wildcard covers this host, or it is not in normal form.
    ExactHost(String, String),
}

impl Policy {
    /// Compiles a policy file for the chosen options.
    ///
    /// # Errors
    /// When an entry is not in normal form or stands twice, or an option does not fit the file.
    pub fn compile(source: &Source, options: Options) -> Result<Self, Unfit> {
        let document = Document::read(source).map_err(Unfit::File)?;
        check_groups(&document, &options.groups)?;
        check_services(&document, &options)?;
        let compiler = Compiler { source, document: &document, options: &options };
        let services = compiler.services();
        let mut rules = compiler.rules(&services).map_err(Unfit::File)?;
        rules.extend(compiler.exact_rules(&services)?);
        let paths = compiler.paths(&services);
        let hash = fingerprint(&document.name, &options, &services, &rules, &paths);
        let parts = Parts { name: document.name.clone(), file: source.name().to_owned(), hash, options, services, rules, paths };
        Self::assemble(parts).map_err(|error| Unfit::File(source.error(0..0, format!("the host patterns do not compile: {error}"))))
    }
}

fn check_groups(document: &Document, groups: &[String]) -> Result<(), Unfit> {
    let known = |group: &String| document.services.iter().any(|service| service.group.as_ref() == Some(group));
    groups.iter().find(|group| !known(group)).map_or(Ok(()), |group| Err(Unfit::UnknownGroup(group.clone())))
}

/// Networks of a service that is not on would restrict nothing.
fn check_services(document: &Document, options: &Options) -> Result<(), Unfit> {
    let is_on = |service: &&Service| service.group.as_ref().is_none_or(|group| options.groups.contains(group));
    for name in options.service_clients.keys() {
        let remedy = match document.services.iter().find(|service| service.id.get_ref() == name) {
            Some(service) if is_on(&service) => continue,
            Some(service) => {
                let group = service.group.as_deref().unwrap_or_default();
                format!("is off; add its group {group:?} to policy.groups, or remove the line")
            }
            None => {
                let known: Vec<String> =
                    document.services.iter().filter(is_on).map(|service| format!("{:?}", service.id.get_ref())).collect();
                format!("is no service of the policy; those are {}", known.join(", "))
            }
        };
        return Err(Unfit::UnknownService(name.clone(), remedy));
    }
    Ok(())
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
            clients: self.options.service_clients.get(service.id.get_ref()).cloned(),
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

    /// The request entries of the services that are on.
    fn paths(&self, services: &[ServiceInfo]) -> Vec<PathRule> {
        let id_of = |name: &str| services.iter().position(|info| *info.id == *name).map(ServiceId::from_index);
        let on = self.document.services.iter().filter(|service| self.is_on(service));
        let entries = on.flat_map(|service| service.requests.iter().map(move |entry| (service, entry)));
        let compiled = entries.filter_map(|(service, entry)| {
            let channel = service.channel.as_ref().unwrap_or(&service.id);
            let methods = if entry.methods.is_empty() { "any method".to_owned() } else { entry.methods.join("|") };
            Some(PathRule {
                name: format!("{} {methods} {}", service.id.get_ref(), entry.path.get_ref()).into(),
                service: id_of(service.id.get_ref())?,
                channel: id_of(channel.get_ref())?,
                methods: entry.methods.clone(),
                // Every pattern was read when the document was checked.
                pattern: PathPattern::parse(entry.path.get_ref()).ok()?,
                assumed: entry.assumed,
                source: entry.source.as_ref().and_then(|citation| self.cited(citation)),
            })
        });
        compiled.collect()
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
fn fingerprint(name: &str, options: &Options, services: &[ServiceInfo], rules: &[Rule], paths: &[PathRule]) -> String {
    let mut text = format!("{name} {} {:?} {:?}\n", options.profile.label(), options.mode, options.clients);
    for service in services {
        let _ = writeln!(text, "{} {} {} {:?}", service.id, service.personal_data.label(), service.treatment.label(), service.idle_timeout);
        if let Some(clients) = &service.clients {
            let _ = writeln!(text, "{clients:?}");
        }
    }
    for rule in rules {
        let _ = writeln!(text, "{} {}", rule.name, rule.protocol.label());
    }
    for path in paths {
        let _ = writeln!(text, "{}", path.name);
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(6).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
