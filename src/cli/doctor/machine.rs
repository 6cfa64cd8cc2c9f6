//! This machine: file descriptors, and the addresses to listen on.

use super::line::{Area, Line};
use super::running::Running;
use crate::app::{FEW_CONNECTIONS, SPARE_DESCRIPTORS, may_listen};
use crate::config::Config;
use rustix::process::{Resource, getrlimit};
use std::io::ErrorKind;
use std::net::SocketAddr;

/// Descriptors and listeners.
pub(super) fn lines(config: &Config, running: &Running) -> Vec<Line> {
    let mut lines = vec![descriptors(config.max_connections, running.descriptors)];
    lines.extend(listeners(config).into_iter().map(|(address, key)| listener(address, key, running.is_ours)));
    lines
}

/// The running proxy's limit where one runs, else the one that this shell would give it.
fn descriptors(max_connections: Option<usize>, running: Option<u64>) -> Line {
    let (limit, whose) = match running {
        Some(limit) => (Some(limit), "the running proxy's"),
        // The start raises the soft limit to the hard one.
        None => (getrlimit(Resource::Nofile).maximum, "of this shell"),
    };
    let subject = "file descriptors";
    let Some(limit) = limit else { return Line::ok(Area::Process, subject, format!("no limit ({whose})")) };
    let spare = SPARE_DESCRIPTORS as u64;
    let affordable = limit.saturating_sub(spare) / 2;
    let Some(wanted) = max_connections.map(|most| most as u64) else {
        let seen = format!("{limit} ({whose}): {affordable} connections at once");
        return if affordable < FEW_CONNECTIONS as u64 {
            Line::warn(Area::Process, subject, seen).remedy("raise it: LimitNOFILE=65536 in the service, or `ulimit -n`")
        } else {
            Line::ok(Area::Process, subject, seen)
        };
    };
    if affordable >= wanted {
        return Line::ok(Area::Process, subject, format!("{limit} ({whose}), enough for limits.max_connections = {wanted}"));
    }
    let seen = format!("{limit} ({whose}), too few for limits.max_connections = {wanted}");
    Line::fail(Area::Process, subject, seen).remedy(format!("set LimitNOFILE={} in the service, or lower it", wanted * 2 + spare))
}

fn listeners(config: &Config) -> Vec<(SocketAddr, &'static str)> {
    let mut all = vec![(config.listener.address, "listener.address")];
    all.extend(config.listener.tls.as_ref().and_then(|tls| tls.address).map(|address| (address, "listener.tls.address")));
    all.extend(config.relays.iter().map(|relay| (relay.address, "relay.address")));
    all.extend(config.snis.iter().map(|sni| (sni.address, "sni.address")));
    all.push((config.admin, "admin.address"));
    all.extend(config.discovery.address.map(|address| (address, "discovery.address")));
    all
}

/// All of them, for the loop check of the dialler.
pub(super) fn own(config: &Config) -> Vec<SocketAddr> {
    listeners(config).into_iter().map(|(address, _)| address).collect()
}

fn listener(address: SocketAddr, key: &str, runs: bool) -> Line {
    let subject = format!("{key} {address}");
    match may_listen(address, key) {
        // Whoever runs here has not that listener, or is not there.
        Ok(()) => Line::ok(Area::Listener, subject, "free"),
        Err((ErrorKind::AddrInUse, _)) if runs => Line::ok(Area::Listener, subject, "taken, as by the proxy that runs here"),
        Err((_, problem)) => {
            let (said, remedy) = problem.split_once("; ").unwrap_or((&problem, "choose another address"));
            let seen = said.strip_prefix(&format!("{subject}: ")).unwrap_or(said).to_owned();
            Line::fail(Area::Listener, subject, seen).remedy(remedy)
        }
    }
}
