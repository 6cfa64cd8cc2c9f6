//! One endpoint, by the proxy's own engine: resolved, dialled, its TLS looked at, asked the documented question.
//!
//! Each step stands on the one before: behind the first that fails, the others say why they were not looked at.

use super::http;
use super::line::{Area, Line, foreign};
use super::parent::{Attempt, is_its_own};
use super::targets::Target;
use crate::config::Config;
use crate::destination::Destination;
use crate::error::Refusal;
use crate::moment::date;
use crate::policy::{Treatment, WireProtocol};
use crate::socket::Socket;
use crate::upstream::Dialer;
use crate::upstream::address::refused_class;
use crate::upstream::examine::{Examined, Examiner, Shown};
use futures_util::future::join_all;
use rustls::ProtocolVersion;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};
use tokio_rustls::client::TlsStream;

/// A certificate that ends sooner is about to be forgotten.
const SOON: Duration = Duration::from_hours(24 * 14);
const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What endpoints are looked at with.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    pub(super) config: &'a Config,
    pub(super) dialer: &'a Dialer,
    pub(super) examiner: &'a Examiner,
    pub(super) name_servers: String,
}

/// What there is to say of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) lines: Vec<Line>,
    /// How parents took it.
    pub(super) attempts: Vec<Attempt>,
    /// How far the other side's clock is from ours, in seconds; positive if it is ahead.
    pub(super) skew: Option<i64>,
}

/// Why the steps behind one that failed are not taken.
type Why = &'static str;

/// Looks at one endpoint.
pub(super) async fn examine(tools: &Tools<'_>, target: &Target) -> Found {
    let mut found = Found::default();
    let destination = target.permit.destination();
    let why = match connected(tools, target, &mut found).await {
        Err(why) => why,
        Ok(socket) if target.protocol == WireProtocol::Http => {
            drop(socket);
            return found;
        }
        Ok(socket) => match sealed(tools, target, socket, &mut found.lines).await {
            None => "TLS failed",
            Some(stream) if target.is_tested => {
                let (line, skew) = http::test(destination, stream, tools.config.limits.answer).await;
                found.lines.push(line);
                found.skew = skew;
                return found;
            }
            Some(_) => return found,
        },
    };
    skip_rest(target, &mut found.lines, why);
    found
}

/// The lines that are missing.
fn skip_rest(target: &Target, lines: &mut Vec<Line>, why: Why) {
    let subject = target.permit.destination().to_string();
    let tls = (target.protocol != WireProtocol::Http && why != "TLS failed").then_some(Area::Tls);
    let http = target.is_tested.then_some(Area::Http);
    lines.extend(tls.into_iter().chain(http).map(|area| Line::skip(area, &*subject, why)));
}

async fn connected(tools: &Tools<'_>, target: &Target, found: &mut Found) -> Result<Socket, Why> {
    let destination = target.permit.destination();
    let subject = destination.to_string();
    if tools.config.routes.way(&target.permit).is_empty() {
        if !resolved(tools, destination, &mut found.lines).await {
            found.lines.push(Line::skip(Area::Tcp, subject, "there is no address to connect to"));
            return Err("there is no address to connect to");
        }
        return directly(tools, target, &mut found.lines).await.ok_or("there is no connection");
    }
    found.lines.push(Line::skip(Area::Dns, subject, "the parent proxy resolves it"));
    by_parents(tools, target, found).await.ok_or("no parent proxy gave a connection")
}

/// Whether the name has an address that may be connected to.
async fn resolved(tools: &Tools<'_>, destination: &Destination, lines: &mut Vec<Line>) -> bool {
    let subject = destination.to_string();
    let is_fixed = tools.config.hosts.contains_key(&destination.host);
    let whose = if is_fixed { "fixed by upstream.hosts".to_owned() } else { format!("by {}", tools.name_servers) };
    let addresses = match tools.dialer.look_up(destination).await {
        Ok(addresses) => addresses,
        Err(refusal) => {
            let otherwise = "these name servers must know public names: mend them, or set upstream.nameservers or upstream.hosts";
            let seen = format!("{} ({whose})", refusal.detail);
            lines.push(Line::fail(Area::Dns, subject, seen).remedy(otherwise));
            return false;
        }
    };
    let exceptions = &tools.config.allow_addresses;
    let shown = |address: &SocketAddr| match refused_class(address.ip(), exceptions) {
        Some(class) => format!("{} ({class}: refused)", address.ip()),
        None => address.ip().to_string(),
    };
    let seen = format!("{} ({whose})", addresses.iter().map(shown).collect::<Vec<_>>().join(", "));
    match tools.dialer.checked(&addresses) {
        Ok(allowed) if allowed.len() == addresses.len() => {
            lines.push(Line::ok(Area::Dns, subject, seen));
            true
        }
        Ok(_) => {
            let remedy = "mend DNS, or add the network to upstream.allow_addresses if it is meant";
            lines.push(Line::warn(Area::Dns, subject, seen).remedy(remedy));
            true
        }
        Err(refusal) => {
            let remedy = refusal.detail.split_once("; ").map_or("mend DNS", |(_, remedy)| remedy).to_owned();
            lines.push(Line::fail(Area::Dns, subject, seen).remedy(remedy));
            false
        }
    }
}

async fn directly(tools: &Tools<'_>, target: &Target, lines: &mut Vec<Line>) -> Option<Socket> {
    let began = Instant::now();
    let destination = target.permit.destination();
    let line = |seen: String| (destination.to_string(), seen);
    match tools.dialer.dial(&target.permit).await {
        Ok(socket) => {
            let peer = socket.tcp().and_then(|stream| stream.peer_addr().ok()).map_or_else(String::new, |peer| format!(" to {peer}"));
            let (subject, seen) = line(format!("connected{peer} in {}", milliseconds(began)));
            lines.push(Line::ok(Area::Tcp, subject, seen));
            Some(socket)
        }
        Err(refusal) => {
            lines.push(Line::fail(Area::Tcp, destination.to_string(), "").said(&refusal, &open_it(destination)));
            None
        }
    }
}

fn open_it(destination: &Destination) -> String {
    format!("have the firewall let this machine out to {destination}, or set upstream.parent where there is a proxy")
}

fn milliseconds(since: Instant) -> String {
    format!("{} ms", since.elapsed().as_millis())
}

/// Each of the endpoint's parents, as if there were no other; the first that gave a connection goes on.
async fn by_parents(tools: &Tools<'_>, target: &Target, found: &mut Found) -> Option<Socket> {
    let way = tools.config.routes.way(&target.permit);
    let of_way = |shown: &str| way.iter().any(|parent| parent.shown() == shown);
    let members = tools.dialer.parents().filter(|member| of_way(member.parent().shown()));
    let attempt = async |member| {
        let began = Instant::now();
        (member, tools.dialer.dial_by(member, &target.permit).await, milliseconds(began))
    };
    let attempts = join_all(members.map(attempt)).await;
    let is_reached = attempts.iter().any(|(_, outcome, _)| outcome.is_ok());
    let mut connection = None;
    for (member, outcome, took) in attempts {
        let shown = member.parent().shown();
        let subject = target.permit.destination().to_string();
        let (line, failure) = match outcome {
            Ok(socket) => {
                connection = connection.or(Some(socket));
                (Line::ok(Area::Tcp, subject, format!("connected by way of {shown} in {took}")), None)
            }
            Err(refusal) if is_its_own(&refusal) => {
                (Line::skip(Area::Tcp, subject, format!("not by way of {shown}: see that parent")), Some(refusal))
            }
            Err(refusal) => {
                let line = if is_reached { Line::warn(Area::Tcp, subject, "") } else { Line::fail(Area::Tcp, subject, "") };
                (line.said(&refusal, "look into the parent's own log"), Some(refusal))
            }
        };
        found.lines.push(line);
        found.attempts.push(Attempt { parent: shown.to_owned(), failure });
    }
    connection
}

/// The connection with TLS, if it was verified.
async fn sealed(tools: &Tools<'_>, target: &Target, socket: Socket, lines: &mut Vec<Line>) -> Option<TlsStream<Socket>> {
    let destination = target.permit.destination();
    let host = destination.host.name().unwrap_or_default();
    let offered: &[&[u8]] = match target.protocol {
        WireProtocol::Grpc => &[H2, HTTP1],
        WireProtocol::Ldaps => &[],
        WireProtocol::Https | WireProtocol::Http => &[HTTP1],
    };
    let Examined { shown, outcome } = tools.examiner.examine(host, socket, offered, tools.config.connect_deadline).await;
    match outcome {
        Err(refusal) => {
            lines.push(unverified(target, is_decrypted(tools, target), shown.as_ref(), &refusal));
            None
        }
        Ok(stream) => {
            lines.push(verified(target, &stream, shown.as_ref()));
            Some(stream)
        }
    }
}

/// Whether the proxy itself verifies the endpoint; in a tunnel the client does.
fn is_decrypted(tools: &Tools<'_>, target: &Target) -> bool {
    tools.config.interception.is_some() && target.permit.treatment() == Treatment::Intercept
}

fn unverified(target: &Target, is_decrypted: bool, shown: Option<&Shown>, refusal: &Refusal) -> Line {
    let Destination { host, .. } = target.permit.destination();
    let subject = target.permit.destination().to_string();
    let Some(shown) = shown else {
        let remedy = "something on the way breaks TLS, or nothing there speaks it: have the destination passed unread";
        return Line::fail(Area::Tls, subject, "").said(refusal, remedy);
    };
    let issuer = foreign(&shown.issuer);
    if shown.is_unknown && shown.is_public {
        let seen = format!("a public authority vouches for it ({issuer}), but this machine's root certificates do not have it");
        return Line::fail(Area::Tls, subject, seen).remedy("bring the package ca-certificates up to date");
    }
    if shown.is_unknown {
        let or = if is_decrypted { "add their root to upstream.ca_files" } else { "have the UCX servers trust their root" };
        let remedy = format!("have {host} passed there without decryption, as the vendor asks; or {or}");
        return Line::fail(Area::Tls, subject, format!("someone upstream is decrypting: issuer {issuer}, unknown here")).remedy(remedy);
    }
    let (seen, remedy) = refusal.detail.split_once("; ").unwrap_or((&refusal.detail, "tell the vendor"));
    let seen = format!("{seen}: issuer {issuer}, valid to {}", date(shown.not_after));
    Line::fail(Area::Tls, subject, seen).remedy(remedy)
}

/// What was agreed on, and who vouches for it.
fn verified(target: &Target, stream: &TlsStream<Socket>, shown: Option<&Shown>) -> Line {
    let connection = stream.get_ref().1;
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    let alpn = connection.alpn_protocol().map_or_else(String::new, |alpn| format!(", ALPN {}", foreign(&String::from_utf8_lossy(alpn))));
    let subject = target.permit.destination().to_string();
    let Some(shown) = shown else { return Line::ok(Area::Tls, subject, format!("{version}{alpn}")) };
    let days = shown.not_after.duration_since(SystemTime::now()).unwrap_or_default().as_secs() / 86_400;
    let seen = format!("{version}{alpn}, issuer {}, valid to {} ({days} days)", foreign(&shown.issuer), date(shown.not_after));
    let lacks_h2 = target.protocol == WireProtocol::Grpc && connection.alpn_protocol() != Some(H2);
    let decrypted = if shown.is_public { "" } else { "someone upstream is decrypting: no public authority vouches for it; " };
    if lacks_h2 {
        let remedy = "gRPC clients give up without h2: have this host passed there without decryption, or let it offer HTTP/2";
        return Line::fail(Area::Tls, subject, format!("{decrypted}no h2: {seen}")).remedy(remedy);
    }
    if !shown.is_public {
        let host = target.permit.destination().host.name().unwrap_or_default();
        let remedy = format!(
            "this machine trusts it; UCX services with roots of their own (gRPC) may not: have {host} passed there without decryption"
        );
        return Line::warn(Area::Tls, subject, format!("{decrypted}{seen}")).remedy(remedy);
    }
    if shown.not_after < SystemTime::now() + SOON {
        return Line::warn(Area::Tls, subject, seen).remedy("tell the vendor that the certificate is about to end");
    }
    Line::ok(Area::Tls, subject, seen)
}
