//! Which endpoints are looked at: those of the policy that are exact, and the tenants' that the configuration names.

use super::line::{Area, Line};
use crate::config::Config;
use crate::destination::{Destination, Host};
use crate::error::RuleName;
use crate::explain::somebody;
use crate::policy::{Permit, Rule, Subject, WireProtocol};

/// Endpoints that are looked at; a policy may name thousands, and their owners would not like it.
const MOST: usize = 64;
/// The vendor's documented test, of which the policy says whose it is.
pub(super) const TEST_PATH: &str = "/test";

/// An endpoint that is looked at.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) permit: Permit,
    pub(super) protocol: WireProtocol,
    /// Whether the documented test is to be had there.
    pub(super) is_tested: bool,
}

/// All of them, and what is said of the others.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) found: Vec<Target>,
    pub(super) left_out: Vec<Line>,
}

/// Asks the policy of the configuration for each.
pub(super) fn find(config: &Config, wished: &[Destination]) -> Targets {
    let policy = &config.policy;
    let mut targets = Targets { found: Vec::new(), left_out: Vec::new() };
    let mut used: Vec<RuleName> = Vec::new();
    for destination in candidates(config, wished) {
        let client = somebody(policy, Some(&destination));
        let decision = policy.decide(&Subject { client, destination: &destination });
        let Some(permit) = decision.permit.filter(|_| decision.refusal.is_none()) else {
            let refused = |refusal| Line::fail(Area::Policy, destination.to_string(), "").said(refusal, "`ucx-egress explain` says more");
            targets.left_out.extend(decision.refusal.as_ref().map(refused));
            continue;
        };
        let Some(protocol) = policy.rule(&decision.rule).map(|rule| rule.protocol) else { continue };
        let entry = policy.decide_request(&permit, "GET", TEST_PATH).1;
        let is_tested = protocol == WireProtocol::Https && entry.is_some_and(|entry| !entry.assumed);
        used.push(decision.rule);
        targets.found.push(Target { permit, protocol, is_tested });
    }
    if let Some(more) = targets.found.len().checked_sub(MOST).filter(|more| *more > 0) {
        targets.found.truncate(MOST);
        targets.left_out.push(Line::skip(Area::Dns, "further endpoints", format!("{more} more, after {MOST} that were looked at")));
    }
    let is_open = |rule: &&Rule| is_wildcard(&rule.host) && !used.iter().any(|used| *used.as_str() == *rule.name);
    targets.left_out.extend(policy.rules().iter().filter(is_open).take(MOST).map(open));
    targets
}

fn open(rule: &Rule) -> Line {
    Line::skip(Area::Dns, format!("{}:{}", rule.host, rule.port), "a wildcard has no address of its own")
        .remedy("to have a tenant's host looked at, name it behind `doctor`, as `ucx-egress doctor tenant.imagicle.cloud:1636`")
}

fn is_wildcard(host: &str) -> bool {
    host.contains('*')
}

/// In the order of the policy, then of the configuration, then as wished; each once.
fn candidates(config: &Config, wished: &[Destination]) -> Vec<Destination> {
    let policy = &config.policy;
    let host = |text: &str| Host::parse(text.as_bytes()).ok();
    let exact = policy.rules().iter().filter(|rule| !is_wildcard(&rule.host));
    let exact = exact.filter_map(|rule| Some(Destination { host: host(&rule.host)?, port: rule.port }));
    let relayed = config.relays.iter().map(|relay| relay.destination.clone());
    let mut all = Vec::new();
    for destination in exact.chain(relayed).chain(wished.iter().cloned()) {
        if !all.contains(&destination) {
            all.push(destination);
        }
    }
    all
}
