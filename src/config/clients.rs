//! `[clients]`: who may use the proxy, by address, by name and password, and which of its services.

use super::sections::{Text, networks};
use crate::access::{Loaded, htpasswd};
use crate::source::{Located, Source};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// Loopback and the private networks (RFC 1918), where UCX servers are.
const DEFAULT_CLIENTS: &[&str] = &["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
/// What clients are shown when they are asked for a password.
const DEFAULT_REALM: &str = "ucx-egress";
/// Longest realm, in characters: clients show it in one line.
const MAX_REALM: usize = 100;

/// `[clients]`
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Clients {
    pub(super) allow: Option<Spanned<Vec<Text>>>,
    pub(super) htpasswd: Option<Text>,
    pub(super) realm: Option<Text>,
    pub(super) services: BTreeMap<Text, Vec<Text>>,
}

/// Names and passwords, configured.
#[derive(Debug)]
pub struct AccessConfig {
    /// The file, as it was read.
    pub file: Loaded,
    /// What clients are shown.
    pub realm: String,
}

impl Clients {
    pub(super) fn networks(&self, source: &Source) -> Result<Vec<IpNet>, Located> {
        match &self.allow {
            Some(allow) => networks(source, allow.get_ref()),
            None => Ok(DEFAULT_CLIENTS.iter().filter_map(|network| network.parse().ok()).collect()),
        }
    }

    pub(super) fn service_networks(&self, source: &Source) -> Result<BTreeMap<String, Vec<IpNet>>, Located> {
        let read = |(name, texts): (&Text, &Vec<Text>)| {
            if texts.is_empty() {
                let message = "the service is given no network, so nobody could use it; write networks, or remove the line";
                return Err(source.error(name.span(), message));
            }
            Ok((name.get_ref().clone(), networks(source, texts)?))
        };
        self.services.iter().map(read).collect()
    }

    pub(super) fn service_span(&self, service: &str) -> Range<usize> {
        self.services.keys().find(|name| name.get_ref() == service).map_or(0..0, Spanned::span)
    }

    pub(super) fn access(&self, source: &Source) -> Result<Option<AccessConfig>, Located> {
        let realm = self.realm(source)?;
        let Some(path) = &self.htpasswd else { return Ok(None) };
        let file = source.path(path.get_ref());
        if !file.is_file() {
            let message = format!("clients.htpasswd: {} is no file; make it with `htpasswd -cB FILE NAME`", file.display());
            return Err(source.error(path.span(), message));
        }
        Ok(Some(AccessConfig { file: Loaded::read(&file)?, realm }))
    }

    /// It stands between quotes in a field of the answer.
    fn realm(&self, source: &Source) -> Result<String, Located> {
        let Some(realm) = &self.realm else { return Ok(DEFAULT_REALM.to_owned()) };
        let written = realm.get_ref();
        let is_plain = written.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        if written.is_empty() || written.len() > MAX_REALM || !is_plain {
            let message = format!(
                "clients.realm {written:?} cannot be shown to clients; write 1 to {MAX_REALM} ASCII characters without quotes and backslashes, such as {DEFAULT_REALM:?}"
            );
            return Err(source.error(realm.span(), message));
        }
        Ok(written.clone())
    }

    /// Passwords that never act, or that others could read.
    pub(super) fn warn(&self, source: &Source, access: Option<&AccessConfig>, has_raw: bool, found: &mut Vec<Located>) {
        let Some(path) = &self.htpasswd else {
            let realm = self.realm.iter().map(|realm| source.error(realm.span(), "never acts: without clients.htpasswd nobody is asked"));
            found.extend(realm);
            return;
        };
        if has_raw {
            let message = "clients of a [[relay]] or an [[sni]] know no proxy and are not asked for a password: clients.allow, [clients.services] and the listener's own `clients` alone say who may use it";
            found.push(source.error(path.span(), message));
        }
        if access.is_some_and(|access| access.file.is_exposed) {
            found.push(source.error(path.span(), htpasswd::EXPOSED));
        }
    }

    /// The networks of all services, as they are written.
    pub(super) fn service_texts(&self) -> impl Iterator<Item = &Text> {
        self.services.values().flatten()
    }
}
