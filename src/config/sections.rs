//! The sections of the configuration that are small.

use super::urls::Urls;
use crate::destination::Host;
use crate::proxy::Limits;
use crate::source::{Located, Source};
use crate::units::Span;
use crate::upstream::{HostAddress, NameServers};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

pub(super) type Text = Spanned<String>;

/// Reads an address and port.
pub(super) fn socket_address(source: &Source, text: &Text) -> Result<SocketAddr, Located> {
    text.get_ref().parse().map_err(|_| {
        source.error(
            text.span(),
            format!("{:?} is no address and port; write \"127.0.0.1:3128\", \"0.0.0.0:3128\" or \"[::]:3128\"", text.get_ref()),
        )
    })
}

/// Reads networks; a bare address is a network of one.
pub(super) fn networks(source: &Source, texts: &[Text]) -> Result<Vec<IpNet>, Located> {
    texts.iter().map(|text| network(source, text)).collect()
}

/// Reads a network or a bare address.
pub(super) fn network(source: &Source, text: &Text) -> Result<IpNet, Located> {
    let written = text.get_ref();
    let read = written.parse::<IpNet>().or_else(|_| written.parse::<IpAddr>().map(IpNet::from));
    let network = read.map_err(|_| {
        source.error(text.span(), format!("{written:?} is no network; write \"10.0.0.0/8\", \"203.0.113.7\" or \"2001:db8::/32\""))
    })?;
    if network.addr() != network.network() {
        return Err(source.error(text.span(), format!("{written:?} has bits behind its prefix; write \"{}\"", network.trunc())));
    }
    Ok(network)
}

pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// `[upstream]`
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// Added to the system's roots once something is decrypted; until then only kept.
    pub(super) ca_files: Vec<Text>,
    pub(super) allow_addresses: Vec<Text>,
    pub(super) parent: Option<Spanned<Urls>>,
    pub(super) parent_password_file: Option<Text>,
    pub(super) no_proxy: Vec<Text>,
    pub(super) parents_for: BTreeMap<Text, Spanned<Urls>>,
    nameservers: Option<Spanned<Vec<Text>>>,
    pub(super) hosts: BTreeMap<Text, Vec<Text>>,
}

impl Upstream {
    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        self.ca_files.iter().chain(&self.parent_password_file).map(Spanned::get_ref)
    }

    pub(super) fn allow_addresses(&self, source: &Source) -> Result<Vec<IpNet>, Located> {
        networks(source, &self.allow_addresses)
    }

    pub(super) fn name_servers(&self, source: &Source) -> Result<NameServers, Located> {
        let Some(servers) = &self.nameservers else {
            return Ok(NameServers::System);
        };
        if servers.get_ref().is_empty() {
            return Err(source.error(
                servers.span(),
                "upstream.nameservers is empty: no name would resolve; write servers such as \"10.0.0.53:53\", or remove the line",
            ));
        }
        let read = |text: &Text| {
            let bare = text.get_ref().parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
            let form =
                |_| source.error(text.span(), format!("{:?} is no name server; write \"10.0.0.53\" or \"10.0.0.53:53\"", text.get_ref()));
            bare.or_else(|_| text.get_ref().parse().map_err(form))
        };
        servers.get_ref().iter().map(read).collect::<Result<_, _>>().map(NameServers::Fixed)
    }

    /// The files, relative to the configuration.
    pub(super) fn ca_files(&self, source: &Source) -> Vec<PathBuf> {
        self.ca_files.iter().map(|file| source.path(file.get_ref())).collect()
    }

    pub(super) fn hosts(&self, source: &Source) -> Result<HashMap<Host, Vec<HostAddress>>, Located> {
        self.hosts.iter().map(|(name, addresses)| Ok((host(source, name)?, fixed_addresses(source, name, addresses)?))).collect()
    }
}

fn host(source: &Source, name: &Text) -> Result<Host, Located> {
    let written = name.get_ref();
    let host = Host::parse(written.as_bytes()).map_err(|malformed| source.error(name.span(), format!("{written:?}: {malformed}")))?;
    match host.name() {
        Some(normal) if normal == written => Ok(host),
        Some(normal) => Err(source.error(name.span(), format!("{written:?} is not in normal form; write {normal:?}"))),
        None => Err(source.error(name.span(), format!("{written:?} is an address; a host is given addresses by its name"))),
    }
}

fn fixed_addresses(source: &Source, name: &Text, addresses: &[Text]) -> Result<Vec<HostAddress>, Located> {
    if addresses.is_empty() {
        return Err(source.error(name.span(), "the host is given no address; write at least one, or remove the line to use DNS"));
    }
    let read =
        |text: &Text| text.get_ref().parse().map_err(|problem| source.error(text.span(), format!("{:?}: {problem}", text.get_ref())));
    addresses.iter().map(read).collect()
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    /// A complete request head.
    head: Spanned<Span>,
    /// A complete ClientHello.
    hello: Spanned<Span>,
    /// One name resolution with its retries.
    pub(super) resolve: Spanned<Span>,
    /// One dial.
    pub(super) connect: Spanned<Span>,
    /// The head of an upstream's answer.
    answer: Spanned<Span>,
    /// A complete message that is held for inspection.
    message: Spanned<Span>,
    /// Time exchanges have to finish when the proxy stops.
    pub(super) drain: Spanned<Span>,
    /// Client connections open at once; as many as file descriptors permit, if it is not set.
    pub(super) max_connections: Option<Spanned<usize>>,
}

impl Default for LimitsSection {
    fn default() -> Self {
        let seconds = |seconds| Spanned::new(0..0, Span(Duration::from_secs(seconds)));
        Self {
            head: seconds(10),
            hello: seconds(10),
            resolve: seconds(5),
            connect: seconds(5),
            answer: seconds(60),
            message: seconds(60),
            drain: seconds(30),
            max_connections: None,
        }
    }
}

impl LimitsSection {
    pub(super) fn build(&self, source: &Source) -> Result<Limits, Located> {
        let deciding = [
            ("head", &self.head),
            ("hello", &self.hello),
            ("resolve", &self.resolve),
            ("connect", &self.connect),
            ("answer", &self.answer),
            ("message", &self.message),
        ];
        if let Some((name, span)) = deciding.iter().find(|(_, span)| span.get_ref().0.is_zero()) {
            return Err(source.error(span.span(), format!("limits.{name} is 0: nothing could pass; write a time such as \"10s\"")));
        }
        if let Some(most) = self.max_connections.as_ref().filter(|most| *most.get_ref() == 0) {
            return Err(source.error(most.span(), "limits.max_connections is 0: nobody could connect; write a number such as 32768"));
        }
        let [head, hello, answer, message] = [&self.head, &self.hello, &self.answer, &self.message].map(|span| span.get_ref().0);
        Ok(Limits { head, hello, answer, message })
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, Copy, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub(super) format: LogFormat,
}
