//! `explain`: the verdict the running proxy would give, and why.

use super::{BAD_CONFIG, NO, OK, failed, load, print};
use crate::config::Config;
use crate::destination::{Destination, Malformed};
use crate::error::{Reason, Refusal, RuleName};
use crate::policy::nearest::nearest;
use crate::policy::{Cited, Decision, Permit, Policy, Subject, Treatment, Verdict};
use crate::upstream::parent::Parent;
use serde::Serialize;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `https://host/path`, `http://host/path` or `host:port`
    #[arg(value_name = "URL|HOST:PORT")]
    destination: String,
    /// The client's address; without it, one that may use the service.
    #[arg(long)]
    client: Option<IpAddr>,
    /// The request's method; without it, GET for a URL and CONNECT for host:port.
    #[arg(long)]
    method: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// All that is known about a decision.
#[derive(Debug, Serialize)]
struct Explanation<'a> {
    destination: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    rule: String,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    treatment: Option<&'static str>,
    /// The parent proxies it goes through, in their order, or `direct`; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<String>,
    personal_data: &'static str,
    promise: &'a str,
    /// The networks whose clients alone may use the service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    breaks_if_blocked: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Cited>,
    /// The path is documented nowhere: which service it belongs to is an assumption.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    assumed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest_allow_rule: Option<&'a str>,
    policy_hash: &'a str,
}

/// Explains one destination.
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let policy = &config.policy;
    let destination = read(&arguments.destination);
    let client = arguments.client.unwrap_or_else(|| somebody(policy, destination.as_ref().ok()));
    let is_url = arguments.destination.contains("://");
    let method = arguments.method.as_deref().unwrap_or(if is_url { "GET" } else { "CONNECT" });
    let (decision, nearest) = match &destination {
        Ok(_) if !known_method(method) => (refused(unknown_method()), None),
        Ok(destination) => {
            let decision = plain(policy, &arguments.destination, policy.decide(&Subject { client, destination }));
            let decision = inner(&config, client, &arguments.destination, method, decision);
            let near = decision.refusal.as_ref().and_then(|_| nearest(policy, destination)).map(|rule| &*rule.name);
            (decision, near)
        }
        Err(malformed) => (refused(Refusal::bad_request(malformed.0)), None),
    };
    let shown = destination.as_ref().map_or_else(|_| "(malformed)".to_owned(), ToString::to_string);
    let explanation = explanation(&config, shown, &decision, nearest);
    let text = if arguments.json { serde_json::to_string_pretty(&explanation).map(|json| json + "\n") } else { Ok(text(&explanation)) };
    match text {
        Ok(text) => print(&text),
        Err(error) => {
            failed(error);
            return BAD_CONFIG;
        }
    }
    if decision.verdict == Verdict::Deny { NO } else { OK }
}

fn known_method(method: &str) -> bool {
    ["CONNECT", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method)
}

/// Reads what a person pastes: a URL or an authority. The host itself is read as strictly as on the wire.
fn read(text: &str) -> Result<Destination, Malformed> {
    let secure = text.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://")).and_then(|_| text.get(8..));
    if let Some(rest) = secure {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        return Destination::with_default_port(rest.split_at(end).0.as_bytes(), 443);
    }
    if text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        return Destination::from_absolute_form(text.as_bytes()).map(|(destination, _)| destination);
    }
    if text.contains("://") {
        return Err(Malformed("only https:// and http:// are read as URLs; write host:port for anything else"));
    }
    Destination::from_authority(text.as_bytes())
}

/// A client that may reach the destination, if there is one; else any that may use the proxy.
pub(super) fn somebody(policy: &Policy, destination: Option<&Destination>) -> IpAddr {
    let networks = policy.options().clients.iter().chain(policy.options().service_clients.values().flatten());
    let clients: Vec<IpAddr> = networks.map(ipnet::IpNet::addr).collect();
    let may = |client: &IpAddr| {
        let decision = destination.map(|destination| policy.decide(&Subject { client: *client, destination }));
        decision.and_then(|decision| decision.refusal).is_none_or(|refusal| refusal.reason != Reason::ClientNotAllowed)
    };
    clients.iter().copied().find(may).or(clients.first().copied()).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// `http://` to an endpoint that is documented with TLS is refused behind the decision.
fn plain(policy: &Policy, text: &str, decision: Decision) -> Decision {
    let refusal = decision.permit.as_ref().filter(|_| text.starts_with("http://")).and_then(|permit| permit.plain_http().err());
    match refusal {
        Some(refusal) => {
            Decision { verdict: policy.verdict(refusal.reason), rule: refusal.rule.clone(), refusal: Some(refusal), ..decision }
        }
        None => decision,
    }
}

fn unknown_method() -> Refusal {
    Refusal::new(Reason::MethodNotAllowed, "this method is not forwarded", RuleName::Builtin("known-methods"))
}

fn refused(refusal: Refusal) -> Decision {
    Decision {
        verdict: Verdict::Deny,
        service: crate::policy::ServiceId::NONE,
        rule: refusal.rule.clone(),
        refusal: Some(refusal),
        permit: None,
    }
}

/// What becomes of an allowed connection.
fn treatment(config: &Config, permit: &Permit) -> &'static str {
    if config.interception.is_some() { permit.treatment().label() } else { Treatment::Tunnel.label() }
}

/// The parents that a connection goes through; nothing where none is configured.
fn way(config: &Config, permit: &Permit) -> Option<String> {
    if config.routes.parents.is_empty() {
        return None;
    }
    let parents: Vec<&str> = config.routes.way(permit).into_iter().map(Parent::shown).collect();
    Some(if parents.is_empty() { "direct".to_owned() } else { parents.join(", then ") })
}

/// The request inside a connection that is decrypted belongs to a service by its method and path.
fn inner(config: &Config, client: IpAddr, text: &str, method: &str, decision: Decision) -> Decision {
    let Some(permit) = decision.permit.as_ref().filter(|permit| treatment(config, permit) == Treatment::Intercept.label()) else {
        return decision;
    };
    let Some(path) = text.strip_prefix("https://").map(|rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")) else {
        return decision;
    };
    let path = path.split(['?', '#']).next().unwrap_or("/");
    let (service, rule) = config.policy.decide_request(permit, method, path);
    let rule = rule.map_or_else(|| decision.rule.clone(), |rule| RuleName::Policy(rule.name.clone()));
    match config.policy.admit_to(service, client) {
        Ok(()) => Decision { service, rule, ..decision },
        Err(refusal) => Decision { service, ..refused(refusal) },
    }
}

fn explanation<'a>(config: &'a Config, destination: String, decision: &Decision, nearest: Option<&'a str>) -> Explanation<'a> {
    let policy = &config.policy;
    let service = policy.service(decision.service);
    Explanation {
        destination,
        verdict: decision.verdict.label(),
        reason: decision.refusal.as_ref().map(|refusal| refusal.reason).map(Reason::label),
        detail: decision.refusal.as_ref().map(|refusal| refusal.detail.to_string()),
        rule: decision.rule.to_string(),
        service: &service.id,
        treatment: decision.permit.as_ref().filter(|_| decision.verdict != Verdict::Deny).map(|permit| treatment(config, permit)),
        way: decision.permit.as_ref().filter(|_| decision.verdict != Verdict::Deny).and_then(|permit| way(config, permit)),
        personal_data: service.personal_data.label(),
        promise: &service.promise,
        clients: service.clients.iter().flatten().map(ToString::to_string).collect(),
        breaks_if_blocked: &service.breaks,
        source: policy.source(&decision.rule),
        assumed: policy.paths().iter().any(|entry| entry.assumed && *entry.name == *decision.rule.as_str()),
        nearest_allow_rule: nearest,
        policy_hash: policy.hash(),
    }
}

fn text(explanation: &Explanation<'_>) -> String {
    let mut text = format!("{} {}", explanation.verdict, explanation.destination);
    if let Some(reason) = explanation.reason {
        let _ = write!(text, ": {reason}");
    }
    text.push('\n');
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:18} {value}");
        }
    };
    line("why", explanation.detail.as_deref().unwrap_or_default());
    line("rule", &explanation.rule);
    line("service", explanation.service);
    line("treatment", explanation.treatment.unwrap_or_default());
    line("way", explanation.way.as_deref().unwrap_or_default());
    line("personal data", explanation.personal_data);
    line("promise", explanation.promise);
    line("clients", &explanation.clients.join(", "));
    line("breaks if blocked", explanation.breaks_if_blocked);
    if let Some(source) = explanation.source {
        line("source", &format!("{}, section {}: \"{}\"", source.document, source.section, source.quote));
    }
    line("source", if explanation.assumed { "an assumption: no document of the vendor names this path" } else { "" });
    line("nearest allow rule", explanation.nearest_allow_rule.unwrap_or_default());
    line("policy hash", explanation.policy_hash);
    text
}
