//! Settings that can never act: each is probably a mistake, so `check` and the start say so.

use super::File;
use super::clients::AccessConfig;
use super::listeners::{RelaySection, SniSection};
use crate::destination::Host;
use crate::policy::{Mode, PathRule, PersonalData, Policy, Profile, Rule, WireProtocol};
use crate::source::{Located, Source};
use crate::upstream::HostAddress;
use crate::upstream::address::{refused_class, special_class};
use crate::upstream::parent::{Parent, Routes};
use ipnet::IpNet;
use std::collections::HashMap;

/// Said of an admin listener on the network that asks nobody.
pub const OPEN_ADMIN: &str = "admin.address is on the network and asks for nothing: whoever reaches it sees clients, refused hosts and the \
    configuration; set admin.htpasswd or admin.token_file, or listen on 127.0.0.1 (a firewall that keeps it from the network does it too)";

/// All warnings, in the order of the file's sections.
pub(super) fn find(source: &Source, file: &File, policy: &Policy, access: Option<&AccessConfig>, routes: &Routes) -> Vec<Located> {
    let mut found = Vec::new();
    unreachable_proxy(source, file, &mut found);
    open_admin(source, file, &mut found);
    covered_clients(source, file, &mut found);
    nobody_allowed(source, file, policy, &mut found);
    file.clients.warn(source, access, !file.relay.is_empty() || !file.sni.is_empty(), &mut found);
    strangers(source, file, policy, &mut found);
    idle_addresses(source, file, &mut found);
    idle_hosts(source, file, policy, routes, &mut found);
    idle_ca_files(source, file, routes, &mut found);
    found.extend(file.upstream.parent_warnings(source, policy, routes));
    idle_interception(source, file, policy, &mut found);
    idle_inspection(source, file, &mut found);
    bare_accounts(source, file, &mut found);
    assumed_passes(source, file, policy, &mut found);
    ways_around(source, file, policy, &mut found);
    refused_hosts(source, file, routes, &mut found);
    idle_quotas(source, file, &mut found);
    wide_exceptions(source, file, policy, &mut found);
    idle_exact_hosts(source, file, policy, &mut found);
    idle_groups(source, file, policy, &mut found);
    redundant_rules(policy, &mut found);
    if let Some(span) = file.policy.observed_span().filter(|_| policy.options().mode == Mode::Enforce) {
        found.push(source.error(span, "never acts: policy.observed is for policy.mode = \"observe\""));
    }
    if policy.options().mode == Mode::Observe {
        found.push(
            source
                .error(file.policy.mode.span(), "policy.mode is \"observe\": refusals by policy are recorded and nothing of it is blocked"),
        );
    }
    found
}

fn parsed(text: &toml::Spanned<String>) -> Option<IpNet> {
    text.get_ref().parse().ok().or_else(|| text.get_ref().parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// Clients on the network that are told of a proxy on their own loopback.
fn unreachable_proxy(source: &Source, file: &File, found: &mut Vec<Located>) {
    let (Ok(listener), Ok(discovery)) = (file.listener.build(source), file.discovery.build(source)) else { return };
    let listener = listener.address;
    let is_open = discovery.address.is_some_and(|address| !address.ip().is_loopback());
    if is_open && discovery.proxies.is_empty() && listener.ip().is_loopback() {
        let message =
            format!("clients are told that the proxy is {listener}, which is their own loopback; set discovery.proxy, or listener.address");
        found.push(source.error(file.discovery.span(), message));
    }
}

/// An admin listener on the network that shows itself to whoever asks.
fn open_admin(source: &Source, file: &File, found: &mut Vec<Located>) {
    let Ok(address) = file.admin.address(source) else { return };
    if !address.ip().to_canonical().is_loopback() && file.admin.asks_nobody() {
        found.push(source.error(file.admin.span(), OPEN_ADMIN));
    }
}

/// Handshakes are counted where something is decrypted, and before a service is known where TLS is spoken to the proxy.
fn idle_quotas(source: &Source, file: &File, found: &mut Vec<Located>) {
    if file.interception.is_some() {
        return;
    }
    let has_tls = file.listener.has_tls();
    for quota in file.quota.iter().map(toml::Spanned::get_ref).filter(|quota| !has_tls || quota.has_service()) {
        let message = "quota.handshakes never acts: without [interception] nothing is decrypted, and handshakes with the proxy itself belong to [listener.tls] and to no service";
        found.extend(quota.handshakes_span().map(|span| source.error(span, message)));
    }
}

/// Networks of services and listeners in which no client is that may come in.
fn strangers(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    let relays = file.relay.iter().flat_map(RelaySection::client_texts);
    let own = file.listener.client_texts().chain(relays).chain(file.sni.iter().flat_map(SniSection::client_texts));
    for text in file.clients.service_texts().chain(own) {
        let Some(network) = parsed(text) else { continue };
        let meets = |allowed: &IpNet| allowed.contains(&network) || network.contains(allowed);
        if !policy.options().clients.iter().any(meets) {
            found.push(source.error(text.span(), format!("never acts: {network} lies outside clients.allow")));
        }
    }
}

fn covered_clients(source: &Source, file: &File, found: &mut Vec<Located>) {
    let allow = file.clients.allow.as_ref().map(|allow| allow.get_ref().as_slice()).unwrap_or_default();
    for (index, text) in allow.iter().enumerate() {
        let Some(network) = parsed(text) else { continue };
        let others = allow.iter().enumerate().filter(|(other, _)| *other != index).filter_map(|(other, text)| Some((other, parsed(text)?)));
        if let Some((_, wider)) =
            others.into_iter().find(|(other, wider)| wider.contains(&network) && (*wider != network || *other < index))
        {
            found.push(source.error(text.span(), format!("never acts: {network} is part of {wider}, which is listed too")));
        }
    }
}

fn nobody_allowed(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    if policy.options().clients.is_empty() {
        found.push(
            source.error(file.clients.allow.as_ref().map_or(0..0, toml::Spanned::span), "clients.allow is empty: every client is refused"),
        );
    }
    if policy.rules().is_empty() {
        found.push(source.error(0..0, "the policy allows no destination: every request is refused"));
    }
}

fn idle_addresses(source: &Source, file: &File, found: &mut Vec<Located>) {
    for text in &file.upstream.allow_addresses {
        let Some(network) = parsed(text) else { continue };
        if special_class(network.network()).is_none() && special_class(network.broadcast()).is_none() && network.prefix_len() > 8 {
            found.push(source.error(text.span(), format!("never acts: {network} is public and needs no exception")));
        }
    }
}

fn idle_hosts(source: &Source, file: &File, policy: &Policy, routes: &Routes, found: &mut Vec<Located>) {
    for text in file.upstream.hosts.keys() {
        let known = Host::parse(text.get_ref().as_bytes()).is_ok_and(|host| policy.knows(&host) || is_parent(routes, &host));
        if policy.options().mode == Mode::Enforce && !known {
            found.push(source.error(text.span(), format!("never acts: no rule of the policy allows {}", text.get_ref())));
        }
    }
}

fn is_parent(routes: &Routes, host: &Host) -> bool {
    routes.parents.iter().any(|parent| parent.at().host == *host)
}

/// A fixed address that the ban on special addresses refuses whenever it is used.
fn refused_hosts(source: &Source, file: &File, routes: &Routes, found: &mut Vec<Located>) {
    let exceptions: Vec<IpNet> = file.upstream.allow_addresses.iter().filter_map(parsed).collect();
    // A parent is named by the administrator: its address may be private.
    let of_parent = |name: &str| Host::parse(name.as_bytes()).is_ok_and(|host| is_parent(routes, &host));
    let hosts = file.upstream.hosts.iter().filter(|(name, _)| !of_parent(name.get_ref()));
    for text in hosts.flat_map(|(_, addresses)| addresses) {
        let Ok(address) = text.get_ref().parse::<HostAddress>() else { continue };
        if let Some(class) = refused_class(address.ip(), &exceptions) {
            let message =
                format!("never acts: {} is refused ({class}); add its network to upstream.allow_addresses if it is meant", text.get_ref());
            found.push(source.error(text.span(), message));
        }
    }
}

/// Exceptions that open more than a host or two.
fn wide_exceptions(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    for text in &file.upstream.allow_addresses {
        if parsed(text).is_some_and(|network| network.prefix_len() == 0) {
            found.push(source.error(text.span(), "every private and special address may be reached: name the networks that are meant"));
        }
    }
    if let Some(first) = file.upstream.allow_addresses.first().filter(|_| policy.options().mode == Mode::Observe) {
        found.push(source.error(first.span(), "while observing, every client may reach these addresses, by number and on any port"));
    }
}

/// Groups that add no rule to the profile.
fn idle_groups(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    for text in &file.policy.groups {
        let adds = policy.rules().iter().any(|rule| policy.service(rule.service).group.as_ref() == Some(text.get_ref()));
        if !adds {
            let message = format!("never acts: {:?} has no exact host, and the profile \"strict\" takes no other", text.get_ref());
            found.push(source.error(text.span(), message));
        }
    }
}

fn idle_ca_files(source: &Source, file: &File, routes: &Routes, found: &mut Vec<Located>) {
    let verifies = file.interception.is_some() || routes.parents.iter().any(Parent::is_secure);
    if let Some(first) = file.upstream.ca_files.first().filter(|_| !verifies) {
        found.push(source.error(
            first.span(),
            "never acts: without [interception] nothing is decrypted, so the proxy verifies no certificate of the cloud",
        ));
    }
}

/// Interception that meets nothing to decrypt.
fn idle_interception(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    if let Some(section) = file.interception.as_ref().filter(|_| policy.intercepted_hosts().is_empty()) {
        found.push(source.error(section.span(), "never acts: no service of the policy has treatment = \"intercept\""));
    }
}

/// Inspection of what is never seen.
fn idle_inspection(source: &Source, file: &File, found: &mut Vec<Located>) {
    if let Some(first) = file.inspection.first_set().filter(|_| file.interception.is_none()) {
        let message = "never acts on connections: without [interception] nothing is decrypted, so no message is inspected; \
            make a CA with `ucx-egress ca init` and name it there (`scan` does use [inspection])";
        found.push(source.error(first, message));
    }
}

/// Accounts that count in every domain.
fn bare_accounts(source: &Source, file: &File, found: &mut Vec<Located>) {
    for account in file.inspection.bare_accounts() {
        let name = account.get_ref().trim();
        let message = format!(
            "{name:?} has no domain: it is the account of exactly that name in every domain, and of no name that only begins so; write 'DOMAIN\\{name}' for the one that is meant"
        );
        found.push(source.error(account.span(), message));
    }
}

/// Assumptions that let requests pass without inspection.
fn assumed_passes(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    let Some(section) = &file.interception else { return };
    let passes = |entry: &&PathRule| entry.assumed && policy.service(entry.service).personal_data == PersonalData::Expected;
    for entry in policy.paths().iter().filter(passes) {
        let message = format!(
            "requests of \"{}\" pass without inspection, and that path is an assumption: take it out of the policy file, or confirm it there",
            entry.name
        );
        found.push(source.error(section.span(), message));
    }
}

/// Hosts that are decrypted for one service, and reached by plain HTTP for another: what goes that way is not inspected.
fn ways_around(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    let Some(section) = &file.interception else { return };
    let intercepted = policy.intercepted_hosts();
    let is_intercepted = |host: &str| intercepted.iter().any(|pattern| covers(pattern, host) || covers(host, pattern));
    for rule in policy.rules().iter().filter(|rule| rule.protocol == WireProtocol::Http && is_intercepted(&rule.host)) {
        let message = format!(
            "what goes to {}:{} as plain HTTP is not inspected, though that host is decrypted for another service: take {} out of the policy file unless it is meant",
            rule.host, rule.port, rule.name
        );
        found.push(source.error(section.span(), message));
    }
}

/// Whether the hosts of a pattern have those of another among them; a star stands for one label.
fn covers(pattern: &str, host: &str) -> bool {
    let below = |domain| host.split_once('.').is_some_and(|(_, rest)| rest == domain);
    pattern == host || pattern.strip_prefix("*.").is_some_and(below)
}

fn idle_exact_hosts(source: &Source, file: &File, policy: &Policy, found: &mut Vec<Located>) {
    if policy.options().profile == Profile::Documented
        && let Some(first) = file.policy.exact_hosts.first()
    {
        found.push(source.error(first.span(), "never acts: policy.exact_hosts narrows the profile \"strict\" only"));
    }
}

/// An exact endpoint that a wildcard of the same service covers on the same port decides nothing.
fn redundant_rules(policy: &Policy, found: &mut Vec<Located>) {
    // By the domain below the star: a policy may have a hundred thousand rules.
    let mut wildcards: HashMap<&str, Vec<&Rule>> = HashMap::new();
    for rule in policy.rules() {
        if let Some(domain) = rule.host.strip_prefix("*.") {
            wildcards.entry(domain).or_default().push(rule);
        }
    }
    for rule in policy.rules() {
        let Some((_, domain)) = rule.host.split_once('.') else { continue };
        let covering = wildcards.get(domain).into_iter().flatten().find(|wildcard| {
            wildcard.host != rule.host
                && wildcard.port == rule.port
                && wildcard.service == rule.service
                && wildcard.protocol == rule.protocol
        });
        if let Some(covering) = covering {
            found.push(Located {
                place: policy.file().to_owned(),
                message: format!("rule {} never acts: {} covers it", rule.name, covering.name),
            });
        }
    }
}
