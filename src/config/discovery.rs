//! `[discovery]`: where clients learn how to use the proxy, and by which name they are told of it.

use super::sections::{Text, socket_address};
use crate::destination::Destination;
use crate::source::{Located, Source};
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::Range;
use toml::Spanned;

/// Proxies that one PAC file may name: a client tries them one after the other.
const MOST_PROXIES: usize = 8;

/// `[discovery]`
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoverySection {
    pub(super) address: Option<Text>,
    proxy: Option<Spanned<Names>>,
}

/// One name, or several in order of preference.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "write \"proxy.corp.example:3128\", or a list of such names")]
enum Names {
    One(String),
    Several(Vec<String>),
}

/// Discovery, configured.
#[derive(Debug, Clone, Default)]
pub struct DiscoveryConfig {
    /// Where it is served to clients, beside the admin listener.
    pub address: Option<SocketAddr>,
    /// What clients are told, the first preferred; empty: the listener's own address.
    pub proxies: Vec<Destination>,
}

impl DiscoverySection {
    /// Where the address stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.address.as_ref().map_or(0..0, Spanned::span)
    }

    pub(super) fn build(&self, source: &Source) -> Result<DiscoveryConfig, Located> {
        let address = self.address.as_ref().map(|address| socket_address(source, address)).transpose()?;
        Ok(DiscoveryConfig { address, proxies: self.proxies(source)? })
    }

    fn proxies(&self, source: &Source) -> Result<Vec<Destination>, Located> {
        let Some(names) = &self.proxy else { return Ok(Vec::new()) };
        let written = match names.get_ref() {
            Names::One(name) => std::slice::from_ref(name),
            Names::Several(names) => names.as_slice(),
        };
        if written.is_empty() || written.len() > MOST_PROXIES {
            let message = format!("discovery.proxy names {} proxies; write 1 to {MOST_PROXIES}, or remove the line", written.len());
            return Err(source.error(names.span(), message));
        }
        let read = |name: &String| {
            Destination::from_authority(name.as_bytes()).map_err(|malformed| {
                let message =
                    format!("{name:?}: {malformed}; write the name by which clients reach the proxy, such as \"proxy.corp.example:3128\"");
                source.error(names.span(), message)
            })
        };
        written.iter().map(read).collect()
    }
}
