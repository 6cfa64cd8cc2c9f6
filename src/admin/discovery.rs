//! What clients need to know: the PAC file, `NO_PROXY`, how each platform is set up.

use super::Shown;
use super::page::{Asked, CSS, HTML, Page, TEXT, page};
use super::setup::{self, Facts};
use crate::destination::Destination;
use crate::policy::pac::{Scheme, Told, pac};
use crate::policy::{Policy, WireProtocol, export};
use crate::proxy::Context;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use std::net::SocketAddr;

const PAC: &str = "application/x-ns-proxy-autoconfig";
/// A client follows a change of policy within five minutes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("max-age=300");
/// Text, and the one style sheet; no script, no form, no frame.
const STYLED_TEXT: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
/// The connectivity test of the vendor (KB).
const TEST: &str = "https://api.imagicle.com/test";

/// By which name clients are told of the proxy, and where they find what they are told.
#[derive(Debug)]
pub struct Discovery {
    /// How the proxy listener is spoken to.
    pub scheme: Scheme,
    /// The names of the configuration, the first preferred; empty: the listener's own address.
    pub proxies: Vec<Destination>,
    /// Where the proxy listens.
    pub listener: SocketAddr,
    /// The listener that only shows this, if there is one.
    pub address: Option<SocketAddr>,
}

impl Discovery {
    /// What a client is told that came to `local`. A listener on all addresses is reached by the one that the client knows.
    fn told(&self, local: SocketAddr) -> Told {
        let scheme = self.scheme;
        if let Some((first, others)) = self.proxies.split_first() {
            return Told { scheme, first: first.clone(), others: others.to_vec() };
        }
        Told { scheme, ..Told::address(specific(self.listener, local).ip(), self.listener.port()) }
    }

    /// Where a client that came to `local` finds the PAC file.
    fn pac_url(&self, local: SocketAddr) -> String {
        let at = self.address.map_or(local, |address| specific(address, local));
        format!("{}/proxy.pac", Told::address(at.ip(), at.port()).url())
    }
}

/// An address of a listener; one on all addresses at the one that the client came to.
fn specific(listener: SocketAddr, local: SocketAddr) -> SocketAddr {
    if listener.ip().is_unspecified() { SocketAddr::new(local.ip(), listener.port()) } else { listener }
}

/// The answer, if it is one of these pages.
pub(super) fn answer(shown: &Shown, asked: &Asked) -> Option<Page> {
    let (path, local) = (asked.path.as_str(), asked.local);
    let context = shown.live.context();
    let policy = &context.engine.policy;
    let discovery = shown.discovery.load();
    let (content_type, text) = match path {
        "/proxy.pac" | "/wpad.dat" => (PAC, pac(policy, &discovery.told(local))),
        "/no-proxy" => (TEXT, export::no_proxy()),
        "/setup/style.css" => (CSS, setup::STYLE.to_owned()),
        _ => set_up(&facts(&context, &discovery, local), path)?,
    };
    let mut response = page(StatusCode::OK, content_type, text);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, MAX_AGE);
    headers.insert(CONTENT_SECURITY_POLICY, STYLED_TEXT);
    headers.insert(REFERRER_POLICY, NO_REFERRER);
    Some(response)
}

fn set_up(facts: &Facts, path: &str) -> Option<(&'static str, String)> {
    let name = path.strip_prefix("/setup/").or_else(|| path.strip_prefix("/setup").filter(|rest| rest.is_empty()))?;
    let name = if name.is_empty() { setup::INDEX } else { name };
    match name.strip_suffix(".txt") {
        Some(name) => Some((TEXT, setup::text(name, facts)?)),
        None => Some((HTML, setup::html(name, facts)?)),
    }
}

fn facts(context: &Context, discovery: &Discovery, local: SocketAddr) -> Facts {
    let (policy, interception) = (&context.engine.policy, context.interception.as_ref());
    Facts {
        told: discovery.told(local),
        pac_url: discovery.pac_url(local),
        no_proxy: export::no_proxy().trim_end().to_owned(),
        local: export::local_patterns(),
        hosts: policy.rules().iter().map(|rule| format!("{}:{}", rule.host, rule.port)).collect(),
        check_url: check_url(policy),
        intercepted: interception.map(|_| policy.intercepted_hosts()).unwrap_or_default(),
        fingerprint: interception.map(|interception| interception.authority.fingerprint.clone()),
        asks_password: context.access.is_some(),
    }
}

/// Something that answers through the proxy: the vendor's test, or a host of the site's own policy.
fn check_url(policy: &Policy) -> String {
    let https = |rule: &&crate::policy::Rule| rule.protocol == WireProtocol::Https && rule.port == 443 && !rule.host.contains('*');
    let hosts: Vec<&str> = policy.rules().iter().filter(https).map(|rule| rule.host.as_str()).collect();
    match hosts.first() {
        Some(host) if !hosts.iter().any(|host| TEST.contains(&format!("//{host}/"))) => format!("https://{host}/"),
        _ => TEST.to_owned(),
    }
}
