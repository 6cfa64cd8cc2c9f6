//! The decision that a destination would get, and all that explains it: for `ucx-egress explain` and the admin page.

use crate::destination::{Destination, Malformed};
use crate::error::{Reason, Refusal, RuleName};
use crate::policy::nearest::nearest;
use crate::policy::{Cited, Decision, Permit, Policy, Subject, Treatment, Verdict};
use crate::upstream::parent::{Parent, Routes};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr};

/// What decides.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Whether interception is configured.
    pub intercepts: bool,
    /// The parent proxies.
    pub routes: &'a Routes,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// `https://host/path`, `http://host/path` or `host:port`.
    pub destination: &'a str,
    /// The client; without it, one that may use the service.
    pub client: Option<IpAddr>,
    /// The method; without it, GET for a URL and CONNECT for host:port.
    pub method: Option<&'a str>,
}

/// All that is known about a decision.
#[derive(Debug, Serialize)]
pub struct Explanation<'a> {
    /// Where to, in normal form; `(malformed)` if it is none.
    pub destination: String,
    /// `allow`, `deny` or `would_deny`.
    pub verdict: &'static str,
    /// Why not, from the closed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Why not, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What decided.
    pub rule: String,
    /// The service it belongs to.
    pub service: &'a str,
    /// Tunnel or intercept, where it is let through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment: Option<&'static str>,
    /// The parent proxies it goes through, in their order, or `direct`; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// What the vendor says of personal data.
    pub personal_data: &'static str,
    /// In the vendor's words.
    pub promise: &'a str,
    /// The networks whose clients alone may use the service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<String>,
    /// What stops working without it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub breaks_if_blocked: &'a str,
    /// Where the rule is documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'a Cited>,
    /// The path is documented nowhere: which service it belongs to is an assumption.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    /// The rule that a refused destination was closest to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest_allow_rule: Option<&'a str>,
    /// Of the policy that decided.
    pub policy_hash: &'a str,
}

/// Decides as the proxy would, and says why.
#[must_use]
pub fn explain<'a>(grounds: &Grounds<'a>, question: &Question<'_>) -> (Verdict, Explanation<'a>) {
    let policy = grounds.policy;
    let text = question.destination;
    let destination = read(text);
    let client = question.client.unwrap_or_else(|| somebody(policy, destination.as_ref().ok()));
    let method = question.method.unwrap_or(if text.contains("://") { "GET" } else { "CONNECT" });
    let (decision, nearest) = match &destination {
        Ok(_) if !known_method(method) => (refused(unknown_method()), None),
        Ok(destination) => {
            let decision = plain(policy, text, policy.decide(&Subject { client, destination }));
            let decision = inner(grounds, client, text, method, decision);
            let near = decision.refusal.as_ref().and_then(|_| nearest(policy, destination)).map(|rule| &*rule.name);
            (decision, near)
        }
        Err(malformed) => (refused(Refusal::bad_request(malformed.0)), None),
    };
    let shown = destination.as_ref().map_or_else(|_| "(malformed)".to_owned(), ToString::to_string);
    (decision.verdict, explanation(grounds, shown, &decision, nearest))
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
#[must_use]
pub fn somebody(policy: &Policy, destination: Option<&Destination>) -> IpAddr {
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
fn treatment(grounds: &Grounds<'_>, permit: &Permit) -> &'static str {
    if grounds.intercepts { permit.treatment().label() } else { Treatment::Tunnel.label() }
}

/// The parents that a connection goes through; nothing where none is configured.
fn way(grounds: &Grounds<'_>, permit: &Permit) -> Option<String> {
    if grounds.routes.parents.is_empty() {
        return None;
    }
    let parents: Vec<&str> = grounds.routes.way(permit).into_iter().map(Parent::shown).collect();
    Some(if parents.is_empty() { "direct".to_owned() } else { parents.join(", then ") })
}

/// The request inside a connection that is decrypted belongs to a service by its method and path.
fn inner(grounds: &Grounds<'_>, client: IpAddr, text: &str, method: &str, decision: Decision) -> Decision {
    let Some(permit) = decision.permit.as_ref().filter(|permit| treatment(grounds, permit) == Treatment::Intercept.label()) else {
        return decision;
    };
    let Some(path) = text.strip_prefix("https://").map(|rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")) else {
        return decision;
    };
    let path = path.split(['?', '#']).next().unwrap_or("/");
    let (service, rule) = grounds.policy.decide_request(permit, method, path);
    let rule = rule.map_or_else(|| decision.rule.clone(), |rule| RuleName::Policy(rule.name.clone()));
    match grounds.policy.admit_to(service, client) {
        Ok(()) => Decision { service, rule, ..decision },
        Err(refusal) => Decision { service, ..refused(refusal) },
    }
}

fn explanation<'a>(grounds: &Grounds<'a>, destination: String, decision: &Decision, nearest: Option<&'a str>) -> Explanation<'a> {
    let policy = grounds.policy;
    let service = policy.service(decision.service);
    Explanation {
        destination,
        verdict: decision.verdict.label(),
        reason: decision.refusal.as_ref().map(|refusal| refusal.reason).map(Reason::label),
        detail: decision.refusal.as_ref().map(|refusal| refusal.detail.to_string()),
        rule: decision.rule.to_string(),
        service: &service.id,
        treatment: decision.permit.as_ref().filter(|_| decision.verdict != Verdict::Deny).map(|permit| treatment(grounds, permit)),
        way: decision.permit.as_ref().filter(|_| decision.verdict != Verdict::Deny).and_then(|permit| way(grounds, permit)),
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
