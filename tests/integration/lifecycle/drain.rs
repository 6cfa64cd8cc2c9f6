//! SIGTERM: nobody new, those who are there may finish, and the process says 0.

use super::{HOST, echoes, echoing_tunnel, record_of};
use crate::support::client::{DEADLINE, RawClient, exchange};
use crate::support::daemon::{Daemon, records};
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval};

/// Longer than any wait of a test: a process that ends before it did not wait for it.
const LONG: &str = "[limits]\ndrain = \"60s\"";

async fn draining(limits: &str, origin: &RawOrigin) -> (Daemon, RawClient) {
    let daemon = Daemon::start(&Setup::new().host(HOST, origin.addr()).section(limits).text()).await;
    let client = echoing_tunnel(daemon.proxy).await;
    daemon.signal();
    wait_until_refused(daemon.proxy).await;
    (daemon, client)
}

/// A closed listener has no event, so this asks again and again.
async fn wait_until_refused(listener: SocketAddr) {
    let deadline = Instant::now() + DEADLINE;
    let mut pause = interval(Duration::from_millis(10));
    while TcpStream::connect(listener).await.is_ok() {
        assert!(Instant::now() < deadline, "{listener} still takes connections");
        pause.tick().await;
    }
}

async fn status_of(admin: SocketAddr, path: &str) -> u16 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
    exchange(admin, request.as_bytes()).await.0.status
}

#[tokio::test]
async fn an_open_tunnel_may_finish() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (mut daemon, mut client) = draining(LONG, &origin).await;
    assert_eq!(status_of(daemon.admin, "/readyz").await, 503);
    assert_eq!((status_of(daemon.admin, "/healthz").await, status_of(daemon.admin, "/metrics").await), (200, 200));
    echoes(&mut client).await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    let record = record_of(&mut daemon, client.local_addr()).await;
    assert_eq!((record["ended"].as_str(), record["reason"].as_str()), (Some("completed"), Some("")));
    assert_eq!(daemon.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_tunnel_that_does_not_finish_is_cut_and_recorded() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (daemon, mut client) = draining("[limits]\ndrain = \"300ms\"", &origin).await;
    client.read_until_closed().await;
    origin.wait_for_closed(1).await;
    let (code, lines) = daemon.ended().await;
    let records = records(&lines);
    assert_eq!((code, records.len()), (Some(0), 1));
    let members = ["verdict", "ended", "reason"].map(|member| records[0][member].as_str().unwrap_or_default());
    assert_eq!(members, ["allow", "cut", "shutting_down"]);
    assert!(records[0]["up"].as_u64() > Some(0), "{}", records[0]);
}

#[tokio::test]
async fn a_second_signal_ends_the_process_at_once() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (daemon, mut client) = draining(LONG, &origin).await;
    daemon.signal();
    client.read_until_closed().await;
    let (code, lines) = daemon.ended().await;
    assert_eq!(code, Some(0));
    assert_eq!(records(&lines).len(), 1, "the tunnel that was cut has its record: {lines:?}");
}

#[tokio::test]
async fn a_process_without_connections_stops_at_once() {
    let daemon = Daemon::start(&Setup::new().section(LONG).text()).await;
    let (code, lines) = daemon.stop().await;
    assert_eq!(code, Some(0));
    assert_eq!(lines.last().map(|line| line["message"].as_str()), Some(Some("stopped")), "{lines:?}");
}

/// Connections on which nothing is under way are no reason to wait: one kept after an answer, one that asked nothing yet.
#[tokio::test]
async fn idle_connections_do_not_hold_up_the_stop() {
    let origin = HttpOrigin::start().await;
    let policy = PolicyFile::of("site", "1m", &[("plain.test", 80, "http")]);
    let setup = Setup::new().host("plain.test", origin.addr()).policy(policy).section("[limits]\ndrain = \"60s\"\nhead = \"60s\"");
    let daemon = Daemon::start(&setup.text()).await;
    let _silent = RawClient::connect(daemon.proxy).await;
    let mut kept = RawClient::connect(daemon.proxy).await;
    kept.send(b"GET http://plain.test/status/200 HTTP/1.1\r\nHost: plain.test\r\n\r\n").await;
    assert_eq!(kept.read_head().await.status, 200);
    let (code, lines) = daemon.stop().await;
    assert_eq!((code, records(&lines).len()), (Some(0), 1));
    assert_eq!(kept.read_to_end().await, b"");
}

/// A stopping proxy does not wait for tunnels on which nothing moves, and waits for those on which something does.
#[tokio::test]
async fn idle_tunnels_are_told_from_busy_ones() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (mut daemon, mut busy, mut idle) = {
        let daemon = Daemon::start(&Setup::new().host(HOST, origin.addr()).section(LONG).text()).await;
        let (busy, idle) = (echoing_tunnel(daemon.proxy).await, echoing_tunnel(daemon.proxy).await);
        daemon.signal();
        (daemon, busy, idle)
    };
    let mut closing = std::pin::pin!(idle.read_until_closed());
    let mut pause = interval(Duration::from_millis(50));
    loop {
        tokio::select! {
            _ = closing.as_mut() => break,
            _ = pause.tick() => echoes(&mut busy).await,
        }
    }
    echoes(&mut busy).await;
    let silent = daemon.wait_for_said("tunnels on which nothing moved were ended", 1).await;
    assert_eq!(silent["silent"], 1, "{silent}");
    busy.finish().await;
    busy.read_to_end().await;
    let (code, lines) = daemon.ended().await;
    let records = records(&lines);
    let reasons: Vec<_> = records.iter().map(|record| record["reason"].as_str().unwrap_or_default()).collect();
    assert_eq!((code, reasons), (Some(0), vec!["shutting_down", ""]));
}
