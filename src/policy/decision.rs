//! The decision: who asks for what, and the answer with its rule, reason and treatment.

use super::document::{Treatment, WireProtocol};
use super::host_set::{HostSet, HostSetBuilder};
use super::paths::{self, PathRule};
use super::rules::{Cited, Mode, Options, Rule, ServiceId, ServiceInfo};
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Duration;

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// Where it wants to go.
    pub destination: &'a Destination,
}

/// The outcome of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Let through.
    Allow,
    /// Refused.
    Deny,
    /// Let through because the mode is observe; enforcing would refuse.
    WouldDeny,
}

impl Verdict {
    /// The word in logs and metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::WouldDeny => "would_deny",
        }
    }
}

/// What must be true of the first bytes in a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelloCheck {
    /// A ClientHello that names the destination.
    NameRequired,
    /// A ClientHello; if it names a server, the destination. LDAP clients often send no name.
    NameIfSent,
    /// Plain HTTP: parsed request by request, never relayed blindly.
    PlainHttp,
    /// Nothing is documented, so nothing can be checked: only when observing a destination that no rule allows.
    Unchecked,
}

/// Proof that the policy allows a destination. Only [`Policy::decide`] makes one, and dialling takes one.
#[derive(Debug, Clone)]
#[must_use]
pub struct Permit {
    destination: Destination,
    service: ServiceId,
    check: HelloCheck,
    treatment: Treatment,
    idle_timeout: Duration,
    rule: RuleName,
}

impl Permit {
    /// What allowed it.
    #[must_use]
    pub fn rule(&self) -> &RuleName {
        &self.rule
    }

    /// Where the connection may go.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The service it belongs to.
    #[must_use]
    pub fn service(&self) -> ServiceId {
        self.service
    }

    /// What its first bytes must be.
    #[must_use]
    pub fn check(&self) -> HelloCheck {
        self.check
    }

    /// Tunnel or intercept.
    #[must_use]
    pub fn treatment(&self) -> Treatment {
        self.treatment
    }

    /// How long it may be silent.
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }
}

impl Permit {
    /// Refuses plain HTTP where the documents name TLS only.
    ///
    /// # Errors
    /// `not_tls`.
    pub fn plain_http(&self) -> Result<(), Refusal> {
        match self.check {
            HelloCheck::PlainHttp | HelloCheck::Unchecked => Ok(()),
            HelloCheck::NameRequired | HelloCheck::NameIfSent => {
                let detail = "this endpoint is documented with TLS only; use https:// (CONNECT) instead of plain http://";
                Err(Refusal::new(Reason::NotTls, detail, RuleName::Builtin("tls-only")))
            }
        }
    }
}

/// A decision and all that explains it.
#[derive(Debug)]
pub struct Decision {
    /// The outcome.
    pub verdict: Verdict,
    /// The service it belongs to.
    pub service: ServiceId,
    /// What decided.
    pub rule: RuleName,
    /// Why not; also present when the verdict is [`Verdict::WouldDeny`].
    pub refusal: Option<Refusal>,
    /// Present exactly when the exchange may go on.
    pub permit: Option<Permit>,
}

/// What a policy is put together from.
pub(super) struct Parts {
    pub name: String,
    pub file: String,
    pub hash: String,
    pub options: Options,
    pub services: Vec<ServiceInfo>,
    pub rules: Vec<Rule>,
    pub paths: Vec<PathRule>,
}

/// The compiled policy.
#[derive(Debug)]
pub struct Policy {
    name: String,
    file: String,
    hash: String,
    options: Options,
    services: Vec<ServiceInfo>,
    none: ServiceInfo,
    rules: Vec<Rule>,
    hosts: HostSet<usize>,
    paths: Vec<PathRule>,
}

impl Policy {
    pub(super) fn assemble(parts: Parts) -> Result<Self, globset::Error> {
        let hosts = host_index(&parts.rules)?;
        let Parts { name, file, hash, options, services, rules, paths } = parts;
        Ok(Self { name, file, hash, options, services, none: ServiceInfo::none(), rules, hosts, paths })
    }

    /// Decides. Every entry path asks here and nowhere else.
    #[must_use]
    pub fn decide(&self, subject: &Subject<'_>) -> Decision {
        if let Err(refusal) = self.admit(subject.client) {
            return self.refused(refusal, ServiceId::NONE, subject.destination);
        }
        let decision = self.decide_destination(subject.destination);
        match self.admit_to(decision.service, subject.client) {
            Err(refusal) if decision.verdict == Verdict::Allow => self.refused(refusal, decision.service, subject.destination),
            _ => decision,
        }
    }

    /// Whether some client may reach a destination, whichever that is.
    ///
    /// # Errors
    /// Why nobody may.
    pub fn check_destination(&self, destination: &Destination) -> Result<(), Refusal> {
        let decision = self.decide_destination(destination);
        decision.refusal.filter(|_| decision.permit.is_none()).map_or(Ok(()), Err)
    }

    fn decide_destination(&self, destination: &Destination) -> Decision {
        if matches!(destination.host, Host::Address(_)) {
            let rule = RuleName::Builtin("names-only");
            let refusal =
                Refusal::new(Reason::IpLiteral, "the cloud is allowed by name, never by address; use the documented host name", rule);
            return self.refused(refusal, ServiceId::NONE, destination);
        }
        let mut known_host = None;
        for rule in self.hosts.matches(&destination.host).filter_map(|index| self.rules.get(*index)) {
            if rule.port == destination.port {
                return self.allowed(rule, destination);
            }
            known_host.get_or_insert(rule);
        }
        self.refused_destination(known_host, destination)
    }

    fn allowed(&self, rule: &Rule, destination: &Destination) -> Decision {
        let service = self.service(rule.service);
        let check = match rule.protocol {
            WireProtocol::Https | WireProtocol::Grpc => HelloCheck::NameRequired,
            WireProtocol::Ldaps => HelloCheck::NameIfSent,
            WireProtocol::Http => HelloCheck::PlainHttp,
        };
        let permit = Permit {
            destination: destination.clone(),
            service: rule.service,
            check,
            treatment: service.treatment,
            idle_timeout: service.idle_timeout,
            rule: RuleName::Policy(rule.name.clone()),
        };
        Decision {
            verdict: Verdict::Allow,
            service: rule.service,
            rule: RuleName::Policy(rule.name.clone()),
            refusal: None,
            permit: Some(permit),
        }
    }

    fn refused_destination(&self, known_host: Option<&Rule>, destination: &Destination) -> Decision {
        let Some(rule) = known_host else {
            let detail =
                format!("{} is in no rule of the policy {:?}; see `ucx-egress explain {destination}`", destination.host, self.name);
            return self.refused(Refusal::new(Reason::HostNotAllowed, detail, RuleName::DEFAULT_DENY), ServiceId::NONE, destination);
        };
        let allowed: Vec<String> = self.ports(&destination.host).map(|port| port.to_string()).collect();
        let detail = format!("port {} of {} is not allowed; allowed: {}", destination.port, destination.host, allowed.join(", "));
        self.refused(Refusal::new(Reason::PortNotAllowed, detail, RuleName::DEFAULT_DENY), rule.service, destination)
    }

    fn refused(&self, refusal: Refusal, service: ServiceId, destination: &Destination) -> Decision {
        let verdict = self.verdict(refusal.reason);
        let permit = (verdict == Verdict::WouldDeny).then(|| Permit {
            destination: destination.clone(),
            service,
            check: HelloCheck::Unchecked,
            treatment: Treatment::Tunnel,
            idle_timeout: self.service(service).idle_timeout,
            rule: refusal.rule.clone(),
        });
        Decision { verdict, service, rule: refusal.rule.clone(), refusal: Some(refusal), permit }
    }

    /// The service of a request inside an intercepted connection, and the entry that named it.
    #[must_use]
    pub fn decide_request(&self, permit: &Permit, method: &str, path: &str) -> (ServiceId, Option<&PathRule>) {
        let rule = paths::find(&self.paths, permit.service, method, path);
        (rule.map_or(permit.service, |rule| rule.service), rule)
    }

    /// What becomes of a refusal in the mode in force.
    #[must_use]
    pub fn verdict(&self, reason: Reason) -> Verdict {
        if self.options.mode == Mode::Observe && reason.observable() { Verdict::WouldDeny } else { Verdict::Deny }
    }

    /// Whether a client may use the proxy at all.
    ///
    /// # Errors
    /// `client_not_allowed`.
    pub fn admit(&self, client: IpAddr) -> Result<(), Refusal> {
        if self.network_of(client).is_some() {
            return Ok(());
        }
        let detail = "the client's address is in no network of clients.allow; add its network there";
        Err(Refusal::new(Reason::ClientNotAllowed, detail, RuleName::Builtin("clients.allow")))
    }

    /// The network of `clients.allow` that a client is in.
    #[must_use]
    pub fn network_of(&self, client: IpAddr) -> Option<IpNet> {
        let client = client.to_canonical();
        self.options.clients.iter().find(|network| network.contains(&client)).copied()
    }

    /// Whether a client that may use the proxy may use this service of it.
    ///
    /// # Errors
    /// `client_not_allowed`.
    pub fn admit_to(&self, service: ServiceId, client: IpAddr) -> Result<(), Refusal> {
        let service = self.service(service);
        let client = client.to_canonical();
        if service.clients.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&client))) {
            return Ok(());
        }
        let id = &service.id;
        let detail =
            format!("the client's address is in no network that may use the service {id:?}; add its network to {id} in [clients.services]");
        Err(Refusal::new(Reason::ClientNotAllowed, detail, RuleName::Builtin("clients.services")))
    }

    /// The service of an id; the pseudo-service stands in for an id of another policy.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> &ServiceInfo {
        self.services.get(id.index()).unwrap_or(&self.none)
    }

    /// All services that are on; the first is the pseudo-service `none`.
    #[must_use]
    pub fn services(&self) -> &[ServiceInfo] {
        &self.services
    }

    /// All allow rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// All request entries.
    #[must_use]
    pub fn paths(&self) -> &[PathRule] {
        &self.paths
    }

    /// The hosts whose connections are decrypted once interception is configured, as the rules write them.
    #[must_use]
    pub fn intercepted_hosts(&self) -> Vec<String> {
        let intercepted = self.rules.iter().filter(|rule| self.service(rule.service).treatment == Treatment::Intercept);
        let mut hosts: Vec<String> = intercepted.map(|rule| rule.host.clone()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// The ports that rules allow of a host.
    fn ports(&self, host: &Host) -> impl Iterator<Item = u16> {
        self.hosts.matches(host).filter_map(|index| Some(self.rules.get(*index)?.port))
    }

    /// Whether any rule covers the host, on whatever port.
    #[must_use]
    pub fn knows(&self, host: &Host) -> bool {
        self.hosts.matches(host).next().is_some()
    }

    /// The rule of a name.
    #[must_use]
    pub fn rule(&self, name: &RuleName) -> Option<&Rule> {
        self.rules.iter().find(|rule| *rule.name == *name.as_str())
    }

    /// Where a rule or a request entry is documented.
    #[must_use]
    pub fn source(&self, name: &RuleName) -> Option<&Cited> {
        let entry = || self.paths.iter().find(|entry| *entry.name == *name.as_str());
        self.rule(name).map_or_else(|| entry().and_then(|entry| entry.source.as_ref()), |rule| rule.source.as_ref())
    }

    /// What the configuration chose.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The policy's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it came from.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Two proxies with the same value decide alike.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// Indexes rules by host pattern.
fn host_index(rules: &[Rule]) -> Result<HostSet<usize>, globset::Error> {
    let mut builder = HostSetBuilder::default();
    for (index, rule) in rules.iter().enumerate() {
        builder.add(&rule.host, index);
    }
    builder.build()
}
