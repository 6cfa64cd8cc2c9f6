//! A new policy is asked a few questions whose answers are known before it is put in force: what it documents must pass, what it does
//! not must be refused. A policy that was emptied, or opened to everything, by mistake is found so.

use super::rules::Rule;
use super::{Policy, Subject, Verdict};
use crate::destination::{Destination, Host};
use std::net::{IpAddr, Ipv4Addr};

/// A name under a top-level domain that never exists (RFC 6761 section 6.4).
const NOWHERE: &str = "canary.ucx-egress.invalid";
/// An address for documentation (RFC 5737).
const NOBODY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Asks.
///
/// # Errors
/// A sentence that names the question whose answer is wrong.
pub fn check(policy: &Policy) -> Result<(), String> {
    let Some((rule, client)) = policy.rules().iter().find_map(|rule| Some((rule, let_in(policy, rule)?))) else {
        return Err("it lets nobody reach anything: no client of clients.allow may use any rule of the policy".to_owned());
    };
    must_deny(policy, client, name(NOWHERE).map(|host| Destination { host, port: rule.port }))?;
    must_deny(policy, client, Some(Destination { host: Host::Address(NOBODY.into()), port: rule.port }))?;
    // A host that only begins as one that is allowed.
    must_deny(policy, client, name(&format!("{}.{NOWHERE}", example(rule))).map(|host| Destination { host, port: rule.port }))
}

/// A client that may use a rule, if there is one.
fn let_in(policy: &Policy, rule: &Rule) -> Option<IpAddr> {
    let destination = Destination { host: name(&example(rule))?, port: rule.port };
    let options = policy.options();
    let networks = options.clients.iter().chain(options.service_clients.values().flatten());
    let mut clients = networks.map(|network| network.hosts().next().unwrap_or_else(|| network.addr()));
    clients.find(|client| policy.decide(&Subject { client: *client, destination: &destination }).verdict == Verdict::Allow)
}

/// A host that the rule's pattern covers.
fn example(rule: &Rule) -> String {
    rule.host.replace('*', "canary")
}

fn name(written: &str) -> Option<Host> {
    Host::parse(written.as_bytes()).ok()
}

fn must_deny(policy: &Policy, client: IpAddr, destination: Option<Destination>) -> Result<(), String> {
    let Some(destination) = destination else { return Ok(()) };
    match policy.decide(&Subject { client, destination: &destination }).verdict {
        Verdict::Allow => Err(format!("it allows {destination}, which no document names; narrow the rule that `ucx-egress explain` names")),
        Verdict::Deny | Verdict::WouldDeny => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::source::Source;

    fn policy(text: &str) -> Policy {
        Config::read(&Source::embedded("test", text)).expect("it is valid").policy
    }

    #[test]
    fn the_built_in_policy_sings() {
        for text in ["", "[policy]\nmode = \"observe\"", "[policy]\nprofile = \"strict\"", "[clients]\nallow = [\"::1/128\"]"] {
            assert_eq!(check(&policy(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn one_that_lets_nobody_in_is_found() {
        let silent = check(&policy("[clients]\nallow = []")).expect_err("nobody may use it");
        assert!(silent.contains("nobody"), "{silent}");
    }
}
