//! `policy show|export`: the allow list as data.

use super::{OK, load, print};
use crate::config::Config;
use crate::destination::{Destination, Host};
use crate::policy::export;
use crate::policy::pac::{Scheme, Told, pac};
use std::fmt::Write as _;
use std::path::Path;

/// What to do with the policy.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Print each rule with its service, what the vendor promises, and where that is documented.
    Show,
    /// Print the allow list for another tool.
    Export {
        /// The form wanted.
        #[arg(long, value_enum)]
        format: Format,
    },
}

/// Forms of the allow list.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Format {
    /// One object with all rules.
    Json,
    /// RFC 4180, with a header line.
    Csv,
    /// Proxy auto-configuration (JavaScript).
    Pac,
    /// A `NO_PROXY` value that keeps local traffic off the proxy.
    NoProxy,
    /// Squid `acl` and `http_access` lines.
    Squid,
}

/// Runs the verb.
#[must_use]
pub fn main(config: Option<&Path>, verb: &Verb) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let policy = &config.policy;
    print(&match verb {
        Verb::Show => show(&config),
        Verb::Export { format: Format::Json } => export::json(policy),
        Verb::Export { format: Format::Csv } => export::csv(policy),
        Verb::Export { format: Format::Pac } => pac(policy, &told(&config)),
        Verb::Export { format: Format::NoProxy } => export::no_proxy(),
        Verb::Export { format: Format::Squid } => export::squid(policy),
    });
    OK
}

/// How clients reach the listener. One on all addresses is reached by this machine's name, which only its admin knows.
fn told(config: &Config) -> Told {
    let listener = config.listener.address;
    let scheme = if config.listener.is_tls_only() { Scheme::Https } else { Scheme::Http };
    if let Some((first, others)) = config.discovery.proxies.split_first() {
        return Told { scheme, first: first.clone(), others: others.to_vec() };
    }
    if listener.ip().is_unspecified() {
        let first = Destination { host: Host::Name("PROXY-HOST".into()), port: listener.port() };
        return Told { scheme, first, others: Vec::new() };
    }
    Told { scheme, ..Told::address(listener.ip(), listener.port()) }
}

fn show(config: &Config) -> String {
    let policy = &config.policy;
    let mut text =
        format!("policy {} from {} (profile {}, hash {})\n", policy.name(), policy.file(), policy.options().profile.label(), policy.hash());
    for service in policy.services().iter().skip(1) {
        let _ = writeln!(text, "\n{} - {}", service.id, service.title);
        let channel = service.channel.as_ref().map(|channel| format!("shares the endpoints of {channel}"));
        let rules = policy.rules().iter().filter(|rule| policy.service(rule.service).id == service.id);
        for endpoint in rules.map(|rule| format!("{}:{} ({})", rule.host, rule.port, rule.protocol.label())).chain(channel) {
            let _ = writeln!(text, "  endpoint       {endpoint}");
        }
        let _ = writeln!(text, "  personal data  {}", service.personal_data.label());
        let _ = writeln!(
            text,
            "  treatment      tunnel{}",
            if service.treatment == crate::policy::Treatment::Intercept { ", intercept once interception is configured" } else { "" }
        );
        let _ = writeln!(text, "  required       {}", if service.required { "yes" } else { "no" });
        let _ = writeln!(text, "  breaks         {}", service.breaks);
        if !service.promise.is_empty() {
            let _ = writeln!(text, "  promise        \"{}\"", service.promise);
        }
        if let Some(source) = &service.source {
            let _ = writeln!(text, "  source         {}, section {}: \"{}\"", source.document, source.section, source.quote);
        }
    }
    text
}
