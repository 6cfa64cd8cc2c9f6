//! `upstream.parent` and what belongs to it: which parent proxies there are, with which credentials, and what goes through which.

use super::sections::{Text, Upstream};
use super::urls::{Entry, Read, Urls, credential, decoded, read};
use crate::destination::{Destination, Host};
use crate::policy::host_set::{self, HostSetBuilder};
use crate::policy::{Policy, ServiceId, Subject};
use crate::source::{self, Located, Source};
use crate::upstream::parent::{Parent, Routes};
use ipnet::IpNet;
use std::collections::HashMap;
use std::ops::Range;
use toml::Spanned;

/// What is said of a password that everybody on the machine may read.
pub const EXPOSED: &str = "everybody on this machine can read the password in this file; chmod 600 it";
/// In place of a parent: reached without one.
const DIRECT: &str = "direct";
/// Collects parents, each once.
struct Gathering<'a> {
    source: &'a Source,
    password: Option<String>,
    uses_password: bool,
    parents: Vec<Parent>,
}

impl Gathering<'_> {
    fn way(&mut self, urls: &Spanned<Urls>, key: &str) -> Result<Vec<usize>, Located> {
        let entries = &urls.get_ref().0;
        if entries.is_empty() {
            return Err(self.source.error(urls.span(), format!("{key} is empty; name a parent, or remove the line")));
        }
        entries.iter().map(|entry| self.index(entry, entry.span.clone().unwrap_or_else(|| urls.span()), key)).collect()
    }

    fn index(&mut self, entry: &Entry, span: Range<usize>, key: &str) -> Result<usize, Located> {
        let parent = self.parent(entry).map_err(|problem| self.source.error(span.clone(), format!("{key}: {problem}")))?;
        let Some(known) = self.parents.iter().position(|known| known.shown() == parent.shown()) else {
            self.parents.push(parent);
            return Ok(self.parents.len() - 1);
        };
        if self.parents.get(known) != Some(&parent) {
            let message = format!("{key}: {} is named with two users or passwords; one parent has one", parent.shown());
            return Err(self.source.error(span, message));
        }
        Ok(known)
    }

    fn parent(&mut self, entry: &Entry) -> Result<Parent, String> {
        if entry.url == DIRECT {
            return Err("\"direct\" is a way of its own, never one of several: when parents fail, nothing goes direct".into());
        }
        let Read { parent, user } = read(&entry.url)?;
        let Some((user, password)) = user else { return Ok(parent) };
        let user = decoded(user, "user")?;
        if user.is_empty() || user.contains(':') {
            return Err("the user before @ is empty or has a colon; write http://USER@HOST:PORT".into());
        }
        let password = if let Some(password) = password {
            decoded(password, "password")?
        } else {
            self.uses_password = true;
            let missing = "the user has no password; put it into a file and name that in upstream.parent_password_file";
            self.password.clone().ok_or(missing)?
        };
        Ok(parent.with_credentials(&user, &password))
    }
}

/// Whether others than owner and group can read the file; one that cannot be looked at is not warned of.
#[cfg(unix)]
pub(super) fn read_by_all(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
pub(super) fn read_by_all(_: &std::path::Path) -> bool {
    false
}

impl Upstream {
    /// All parents and what goes through them.
    pub(super) fn routes(&self, source: &Source, policy: &Policy) -> Result<Routes, Located> {
        let mut gathering = Gathering { source, password: self.password(source)?, uses_password: false, parents: Vec::new() };
        let usual = self.parent.as_ref().map(|urls| gathering.way(urls, "upstream.parent")).transpose()?.unwrap_or_default();
        let mut services = HashMap::new();
        for (name, urls) in &self.parents_for {
            let way = match urls.get_ref().0.as_slice() {
                [only] if only.url == DIRECT => Vec::new(),
                _ => gathering.way(urls, &format!("upstream.parents_for.{}", name.get_ref()))?,
            };
            services.insert(service(source, policy, name)?, way);
        }
        if let Some(file) = self.parent_password_file.as_ref().filter(|_| !gathering.uses_password) {
            let message =
                "upstream.parent_password_file: no parent has a user without a password; write http://USER@HOST:PORT, or remove the line";
            return Err(source.error(file.span(), message));
        }
        Ok(Routes { parents: gathering.parents, usual, services, direct: self.no_proxy(source)? })
    }

    fn password(&self, source: &Source) -> Result<Option<String>, Located> {
        let Some(file) = &self.parent_password_file else { return Ok(None) };
        let wrong = |problem: String| source.error(file.span(), format!("upstream.parent_password_file: {problem}"));
        let path = source.path(file.get_ref());
        let text = source::text(&path).map_err(|error| wrong(format!("{} cannot be read: {error}", path.display())))?;
        let first = text.lines().next().unwrap_or_default();
        if first.is_empty() {
            return Err(wrong(format!("the first line of {} is empty; write the password there", path.display())));
        }
        credential(first, "password").map_err(wrong)?;
        Ok(Some(first.to_owned()))
    }

    /// Where the password is, relative to the configuration.
    pub(super) fn password_file(&self, source: &Source) -> Option<std::path::PathBuf> {
        self.parent_password_file.as_ref().map(|file| source.path(file.get_ref()))
    }

    fn no_proxy(&self, source: &Source) -> Result<Option<host_set::HostSet<Option<u16>>>, Located> {
        if self.no_proxy.is_empty() {
            return Ok(None);
        }
        let mut direct = HostSetBuilder::default();
        for text in &self.no_proxy {
            let (pattern, port) = pattern(source, text)?;
            direct.add(pattern, port);
        }
        let built = direct.build();
        built.map(Some).map_err(|error| source.error(self.no_proxy.first().map_or(0..0, Spanned::span), error.to_string()))
    }

    /// Entries that can never act, and passwords that others can read.
    pub(super) fn parent_warnings(&self, source: &Source, policy: &Policy, routes: &Routes) -> Vec<Located> {
        let mut found = Vec::new();
        self.open_passwords(source, &mut found);
        self.unused_addresses(source, policy, routes, &mut found);
        for text in &self.no_proxy {
            if routes.parents.is_empty() {
                found.push(source.error(text.span(), "never acts: there is no upstream.parent, everything is reached directly"));
            } else if pattern(source, text)
                .is_ok_and(|(pattern, port)| !policy.rules().iter().any(|rule| meets(pattern, port, &rule.host, rule.port)))
            {
                found.push(source.error(text.span(), format!("never acts: no rule of the policy allows {}", text.get_ref())));
            }
        }
        for name in self.parents_for.keys() {
            let Ok(service) = service(source, policy, name) else { continue };
            if !policy.rules().iter().any(|rule| rule.service == service) {
                let channel = policy.service(service).channel.as_deref();
                let remedy = channel.map_or_else(String::new, |channel| format!("; it shares the connections of {channel:?}: write that"));
                let message = format!("never acts: no endpoint of the policy belongs to {:?}{remedy}", name.get_ref());
                found.push(source.error(name.span(), message));
            } else if routes.services.get(&service) == Some(&routes.usual) {
                found.push(source.error(name.span(), format!("never acts: {:?} would go the same way without it", name.get_ref())));
            }
        }
        found
    }

    /// Fixed addresses of hosts that a parent resolves.
    fn unused_addresses(&self, source: &Source, policy: &Policy, routes: &Routes, found: &mut Vec<Located>) {
        let Some(client) = policy.options().clients.first().map(IpNet::addr).filter(|_| !routes.parents.is_empty()) else { return };
        for name in self.hosts.keys() {
            let Ok(host) = Host::parse(name.get_ref().as_bytes()) else { continue };
            let ports = policy.rules().iter().filter(|rule| meets(name.get_ref(), None, &rule.host, rule.port)).map(|rule| rule.port);
            let permits = ports.filter_map(|port| {
                let destination = Destination { host: host.clone(), port };
                policy.decide(&Subject { client, destination: &destination }).permit
            });
            let ways: Vec<bool> = permits.map(|permit| routes.way(&permit).is_empty()).collect();
            if !ways.is_empty() && !ways.contains(&true) {
                let message = format!("never acts: {} is reached through a parent, which resolves it itself", name.get_ref());
                found.push(source.error(name.span(), message));
            }
        }
    }

    fn open_passwords(&self, source: &Source, found: &mut Vec<Located>) {
        let all = self.parent.iter().chain(self.parents_for.values());
        let mut with_password =
            all.flat_map(|urls| urls.get_ref().0.iter().map(|entry| (entry, entry.span.clone().unwrap_or_else(|| urls.span()))));
        let with_password =
            with_password.find(|(entry, _)| read(&entry.url).is_ok_and(|read| read.user.is_some_and(|(_, password)| password.is_some())));
        if let Some((_, span)) = with_password.filter(|_| read_by_all(std::path::Path::new(source.name()))) {
            let message =
                "this file holds a password and everybody on this machine can read it; chmod 640, or use upstream.parent_password_file";
            found.push(source.error(span, message));
        }
        if let Some(file) = self.parent_password_file.as_ref().filter(|file| read_by_all(&source.path(file.get_ref()))) {
            found.push(source.error(file.span(), EXPOSED));
        }
    }
}

/// `HOST` or `HOST:PORT`, the host a pattern as the policy writes it.
fn pattern<'a>(source: &Source, text: &'a Text) -> Result<(&'a str, Option<u16>), Located> {
    let written = text.get_ref();
    let wrong = |problem: String| source.error(text.span(), format!("upstream.no_proxy {written:?}: {problem}"));
    let (host, port) = written.rsplit_once(':').map_or((written.as_str(), None), |(host, port)| (host, Some(port)));
    if written.contains("://") {
        return Err(wrong("a host, not a URL; write \"tenant.imagicle.cloud\" or \"*.imagicle.cloud:1636\"".into()));
    }
    let number =
        |port: &str| port.parse().ok().filter(|port| *port != 0).ok_or_else(|| wrong("the port must be a number from 1 to 65535".into()));
    let port = port.map(number).transpose()?;
    host_set::check(host).map_err(wrong)?;
    Ok((host, port))
}

/// Whether one destination could be covered by both patterns.
fn meets(pattern: &str, port: Option<u16>, host: &str, host_port: u16) -> bool {
    let split = |text: &str| text.split_once('.').map(|(first, rest)| (first.to_owned(), rest.to_owned())).unwrap_or_default();
    let ((first, parent), (label, domain)) = (split(pattern), split(host));
    // Two globs that begin alike are not looked into further: a warning too few does no harm.
    let covers = |glob: &str, label: &str| {
        glob.split_once('*').is_some_and(|(head, tail)| {
            label.contains('*') || (label.len() >= head.len() + tail.len() && label.starts_with(head) && label.ends_with(tail))
        })
    };
    port.is_none_or(|port| port == host_port) && parent == domain && (first == label || covers(&first, &label) || covers(&label, &first))
}

/// A service of the policy by its name.
fn service(source: &Source, policy: &Policy, name: &Text) -> Result<ServiceId, Located> {
    let known = policy.services().iter().position(|service| *service.id == **name.get_ref()).map(ServiceId::from_index);
    known.filter(|service| *service != ServiceId::NONE).ok_or_else(|| {
        let all: Vec<&str> = policy.services().iter().skip(1).map(|service| &*service.id).collect();
        source.error(
            name.span(),
            format!("upstream.parents_for: {:?} is no service of the policy; there are {}", name.get_ref(), all.join(", ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_can_meet() {
        for (pattern, port, host, is_met) in [
            ("*.imagicle.cloud", None, "*.imagicle.cloud", true),
            ("tenant.imagicle.cloud", Some(1636), "*.imagicle.cloud", true),
            ("tenant.imagicle.cloud", Some(443), "*.imagicle.cloud", false),
            ("*.imagicle.cloud", None, "tenant.imagicle.cloud", true),
            ("ucx-*.imagicle.cloud", None, "tenant.imagicle.cloud", false),
            ("ucx-*.imagicle.cloud", None, "ucx-1.imagicle.cloud", true),
            ("api.imagicle.com", None, "*.imagicle.cloud", false),
            ("a.tenant.imagicle.cloud", None, "*.imagicle.cloud", false),
        ] {
            assert_eq!(meets(pattern, port, host, 1636), is_met, "{pattern} and {host}");
        }
    }
}
