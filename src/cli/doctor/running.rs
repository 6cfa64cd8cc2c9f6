//! The proxy that may run here: asked on its admin listener.

use super::line::{Area, Line};
use crate::admin::readiness::{READY, STOPPING, UNRECORDED};
use crate::cli::demo::client::{Answer, ask};
use crate::config::Config;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// It is on this machine.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the admin listener answers to whoever brings neither password nor token.
const GUARDED: u16 = 401;

/// What the admin listener says.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// A ucx-egress answers there.
    pub(super) is_ours: bool,
    /// File descriptors that it may open.
    pub(super) descriptors: Option<u64>,
    pub(super) line: Option<Line>,
}

/// Asks; nothing answers where none runs.
pub(super) async fn look(config: &Config) -> Running {
    let subject = config.admin.to_string();
    let skip = |seen: &str| Running { line: Some(Line::skip(Area::Admin, &*subject, seen)), ..Running::default() };
    if config.admin.port() == 0 {
        return skip("port 0 is another one each time");
    }
    let Some(status) = get(config.admin, "/api/status").await else { return skip("no proxy answers: none runs with this configuration") };
    if status.status() == GUARDED {
        return guarded(config.admin).await;
    }
    let document: Value = serde_json::from_str(body(&status)).unwrap_or_default();
    let text = |pointer| document.pointer(pointer).and_then(Value::as_str);
    let (Some(version), Some(hash)) = (text("/version"), text("/policy/hash")) else { return foreign(subject) };
    let ready = get(config.admin, "/readyz").await;
    let ready = ready.as_ref().map_or("/readyz is not answered", body);
    let metrics = get(config.admin, "/metrics").await;
    let descriptors = metrics.and_then(|Answer(text)| text.lines().find_map(|line| line.strip_prefix("process_max_fds ")?.parse().ok()));
    Running { is_ours: true, descriptors, line: Some(line(subject, version, (hash, config.policy.hash()), ready)) }
}

/// One that wants a password or a token shows health only.
async fn guarded(address: SocketAddr) -> Running {
    let subject = address.to_string();
    match get(address, "/readyz").await {
        Some(answer) if body(&answer) == READY => {
            let seen = "runs and is ready; it wants a password or a token, so its policy is not compared";
            Running { is_ours: true, descriptors: None, line: Some(Line::ok(Area::Admin, subject, seen)) }
        }
        Some(answer) if [STOPPING, UNRECORDED].contains(&body(&answer)) => {
            Running { is_ours: true, descriptors: None, line: Some(not_ready(subject, body(&answer))) }
        }
        _ => foreign(subject),
    }
}

fn body(Answer(text): &Answer) -> &str {
    text.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim_end())
}

fn not_ready(subject: String, why: &str) -> Line {
    Line::warn(Area::Admin, subject, format!("runs, and is not ready: {why}")).remedy("see its log")
}

fn foreign(subject: String) -> Running {
    let line = Line::fail(Area::Admin, subject, "something answers there that is no ucx-egress").remedy("choose another admin.address");
    Running { line: Some(line), ..Running::default() }
}

fn line(subject: String, version: &str, (hash, ours): (&str, &str), ready: &str) -> Line {
    if ready != READY {
        return not_ready(subject, ready);
    }
    if hash != ours {
        let seen = format!("runs with another policy: hash {hash}, here {ours}");
        return Line::warn(Area::Admin, subject, seen)
            .remedy("reload it (SIGHUP, `systemctl reload ucx-egress`) to have this configuration act");
    }
    Line::ok(Area::Admin, subject, format!("runs and is ready, version {version}, the same policy"))
}

async fn get(address: SocketAddr, path: &str) -> Option<Answer> {
    let address = SocketAddr::new(reachable(address.ip()), address.port());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    timeout(PATIENCE, ask(address, &request)).await.ok()?.ok()
}

/// A listener on all addresses is on loopback too.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}
