//! The listeners: `[listener]` with `[listener.tls]`, `[[relay]]`, `[[sni]]`; who may use each, and what stands in front of it.

use super::sections::{Text, loopback, networks, socket_address};
use crate::destination::Destination;
use crate::listener::balancer::{Balancers, Version};
use crate::listener::entrance::Entrance;
use crate::policy::Policy;
use crate::source::{Located, Source};
use crate::tls::reception::Files;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::Range;
use toml::Spanned;

/// Where raw TLS arrives for, if the configuration does not say.
const TLS_PORT: u16 = 443;

/// `listener.proxy_protocol`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ProxyProtocol {
    #[default]
    Off,
    V1,
    V2,
}

type Networks<'a> = Option<&'a Spanned<Vec<Text>>>;

/// What the sections of all listeners may say of their entrance.
fn entrance(
    source: &Source,
    clients: Networks<'_>,
    protocol: Option<&Spanned<ProxyProtocol>>,
    balancers: Networks<'_>,
) -> Result<Entrance, Located> {
    let clients = clients.map(|clients| some_networks(source, clients, "clients: nobody could use this listener")).transpose()?;
    Ok(Entrance { clients, balancers: self::balancers(source, protocol, balancers)?, tls: None })
}

fn balancers(source: &Source, protocol: Option<&Spanned<ProxyProtocol>>, balancers: Networks<'_>) -> Result<Option<Balancers>, Located> {
    let version = match (protocol.map(|protocol| (*protocol.get_ref(), protocol.span())), balancers) {
        (None | Some((ProxyProtocol::Off, _)), None) => return Ok(None),
        (None | Some((ProxyProtocol::Off, _)), Some(balancers)) => {
            let message = "balancers without proxy_protocol never act; write proxy_protocol = \"v2\" (or \"v1\"), whichever they send";
            return Err(source.error(balancers.span(), message));
        }
        (Some((_, span)), None) => {
            let message = "proxy_protocol is believed from named balancers only; name them: balancers = [\"10.0.0.5\"]";
            return Err(source.error(span, message));
        }
        (Some((ProxyProtocol::V1, _)), Some(_)) => Version::V1,
        (Some((ProxyProtocol::V2, _)), Some(_)) => Version::V2,
    };
    let named = balancers.map(|balancers| some_networks(source, balancers, "balancers: nobody could speak the PROXY protocol"));
    Ok(Some(Balancers { version, networks: named.transpose()?.unwrap_or_default() }))
}

fn texts(networks: Networks<'_>) -> impl Iterator<Item = &Text> {
    networks.into_iter().flat_map(Spanned::get_ref)
}

fn some_networks(source: &Source, list: &Spanned<Vec<Text>>, empty: &str) -> Result<Vec<IpNet>, Located> {
    if list.get_ref().is_empty() {
        return Err(source.error(list.span(), format!("empty {empty}; write networks such as \"10.0.0.0/8\", or remove the line")));
    }
    networks(source, list.get_ref())
}

/// `[listener]`
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Listener {
    address: Option<Text>,
    clients: Option<Spanned<Vec<Text>>>,
    proxy_protocol: Option<Spanned<ProxyProtocol>>,
    balancers: Option<Spanned<Vec<Text>>>,
    tls: Option<TlsSection>,
}

/// `[listener.tls]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsSection {
    address: Option<Text>,
    certificate: Text,
    key: Text,
    client_ca: Option<Text>,
}

/// A listener that takes requests.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// What stands before it; its TLS is read when it is bound.
    pub entrance: Entrance,
    /// TLS to the proxy.
    pub tls: Option<TlsConfig>,
}

/// TLS to the proxy, configured.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// A port of its own beside the plain one; absent, the listener speaks TLS alone.
    pub address: Option<SocketAddr>,
    /// Certificate, key, CA of clients.
    pub files: Files,
    /// Where the configuration says so, for errors about the files.
    pub place: String,
}

impl ListenerConfig {
    /// Whether clients have to speak TLS to the proxy.
    #[must_use]
    pub fn is_tls_only(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.address.is_none())
    }
}

impl Listener {
    /// The networks that may use it, as they are written.
    pub(super) fn client_texts(&self) -> impl Iterator<Item = &Text> {
        texts(self.clients.as_ref())
    }

    pub(super) fn build(&self, source: &Source) -> Result<ListenerConfig, Located> {
        let entrance = entrance(source, self.clients.as_ref(), self.proxy_protocol.as_ref(), self.balancers.as_ref())?;
        Ok(ListenerConfig {
            address: self.address.as_ref().map_or(Ok(loopback(3128)), |address| socket_address(source, address))?,
            entrance,
            tls: self.tls.as_ref().map(|tls| tls.build(source)).transpose()?,
        })
    }

    /// Whether TLS is spoken to the proxy.
    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Where the addresses stand, for errors about two that are one.
    pub(super) fn tls_span(&self) -> Range<usize> {
        self.tls.as_ref().and_then(|tls| tls.address.as_ref()).map_or(0..0, Spanned::span)
    }
}

impl TlsSection {
    fn build(&self, source: &Source) -> Result<TlsConfig, Located> {
        let given = [("certificate", Some(&self.certificate)), ("key", Some(&self.key)), ("client_ca", self.client_ca.as_ref())];
        if let Some((key, path)) =
            given.into_iter().find_map(|(key, path)| path.filter(|path| path.get_ref().is_empty()).map(|path| (key, path)))
        {
            return Err(source.error(path.span(), format!("listener.tls.{key} is empty; write the path of a PEM file")));
        }
        Ok(TlsConfig {
            address: self.address.as_ref().map(|address| socket_address(source, address)).transpose()?,
            files: Files {
                certificate: source.path(self.certificate.get_ref()),
                key: source.path(self.key.get_ref()),
                client_ca: self.client_ca.as_ref().map(|file| source.path(file.get_ref())),
            },
            place: source.place(self.certificate.span().start),
        })
    }
}

/// `[[relay]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaySection {
    pub(super) address: Text,
    pub(super) destination: Text,
    clients: Option<Spanned<Vec<Text>>>,
    proxy_protocol: Option<Spanned<ProxyProtocol>>,
    balancers: Option<Spanned<Vec<Text>>>,
}

/// A relay listener.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// The one destination.
    pub destination: Destination,
    /// What stands before it.
    pub entrance: Entrance,
}

impl RelaySection {
    /// The networks that may use it, as they are written.
    pub(super) fn client_texts(&self) -> impl Iterator<Item = &Text> {
        texts(self.clients.as_ref())
    }

    /// The relay, its destination checked against the policy: one that is refused could never serve.
    pub(super) fn build(&self, source: &Source, policy: &Policy) -> Result<RelayConfig, Located> {
        let written = self.destination.get_ref();
        let destination = Destination::from_authority(written.as_bytes())
            .map_err(|malformed| source.error(self.destination.span(), format!("{written:?} is refused as bad_request: {malformed}")))?;
        let address = socket_address(source, &self.address)?;
        let entrance = entrance(source, self.clients.as_ref(), self.proxy_protocol.as_ref(), self.balancers.as_ref())?;
        // For some client: who may use it is not this section's matter.
        policy.check_destination(&destination).map_err(|refusal| {
            source.error(self.destination.span(), format!("{written:?} is refused as {}: {}", refusal.reason, refusal.detail))
        })?;
        Ok(RelayConfig { address, destination, entrance })
    }
}

/// `[[sni]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SniSection {
    pub(super) address: Text,
    port: Option<Spanned<u16>>,
    clients: Option<Spanned<Vec<Text>>>,
    proxy_protocol: Option<Spanned<ProxyProtocol>>,
    balancers: Option<Spanned<Vec<Text>>>,
}

/// A listener for raw TLS that names its destination in its first bytes.
#[derive(Debug, Clone)]
pub struct SniConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// The port of every destination: what the client meant, as the redirect was set up.
    pub port: u16,
    /// What stands before it.
    pub entrance: Entrance,
}

impl SniSection {
    /// The networks that may use it, as they are written.
    pub(super) fn client_texts(&self) -> impl Iterator<Item = &Text> {
        texts(self.clients.as_ref())
    }

    pub(super) fn build(&self, source: &Source) -> Result<SniConfig, Located> {
        let port = self.port.as_ref().map_or(TLS_PORT, |port| *port.get_ref());
        if port == 0 {
            let span = self.port.as_ref().map_or(0..0, Spanned::span);
            return Err(source.error(span, "port 0 cannot be reached; write the port that clients mean, such as 443"));
        }
        let entrance = entrance(source, self.clients.as_ref(), self.proxy_protocol.as_ref(), self.balancers.as_ref())?;
        Ok(SniConfig { address: socket_address(source, &self.address)?, port, entrance })
    }
}
