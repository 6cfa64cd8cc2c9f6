//! Silence has a limit, the service's own; whatever moves lives on.

use super::{HOST, echoes, echoing_tunnel, idle_after, record_of, tunnel};
use crate::support::client::client_hello;
use crate::support::daemon::{Daemon, records};
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::scrape::wait_until_idle;
use std::time::Duration;
use tokio::time::interval;

#[tokio::test]
async fn a_silent_tunnel_is_closed_on_both_sides() {
    let origin = RawOrigin::start().await;
    let setup = idle_after("300ms", origin.addr());
    let mut daemon = Daemon::start(&setup.text()).await;
    let mut client = tunnel(daemon.proxy).await;
    client.read_until_closed().await;
    origin.wait_for_closed(1).await;
    let record = record_of(&mut daemon, client.local_addr()).await;
    let members = ["verdict", "ended", "reason"].map(|member| record[member].as_str().unwrap_or_default());
    assert_eq!(members, ["allow", "cut", "idle_timeout"]);
    assert_eq!(record["up"].as_u64(), Some(client_hello(Some(HOST)).len() as u64));
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 1);
}

/// Half of it is over, and the other half is silent: the limit still holds.
#[tokio::test]
async fn a_silent_half_is_closed_too() {
    let origin = RawOrigin::scripted(Behaviour::HalfClose).await;
    let proxy = idle_after("300ms", origin.addr()).start();
    let mut client = tunnel(proxy.proxy()).await;
    assert_eq!(client.read_to_end().await, b"");
    origin.wait_for_closed(1).await;
    wait_until_idle(proxy.admin()).await;
}

/// A receiver that takes nothing more is silence as well, however much waits for it.
#[tokio::test]
async fn a_stalled_tunnel_is_closed() {
    let origin = RawOrigin::scripted(Behaviour::Speak(vec![7; 32 * 1024 * 1024])).await;
    let proxy = idle_after("300ms", origin.addr()).start();
    let client = tunnel(proxy.proxy()).await;
    origin.wait_for_closed(1).await;
    wait_until_idle(proxy.admin()).await;
    drop(client);
}

/// Twice the limit in all, never the limit at once, in one direction and then in both.
#[tokio::test]
async fn a_tunnel_that_moves_lives() {
    for behaviour in [Behaviour::Hold, Behaviour::Echo] {
        let origin = RawOrigin::scripted(behaviour.clone()).await;
        let proxy = idle_after("1200ms", origin.addr()).start();
        let echoing = matches!(behaviour, Behaviour::Echo);
        let mut client = if echoing { echoing_tunnel(proxy.proxy()).await } else { tunnel(proxy.proxy()).await };
        let mut pace = interval(Duration::from_millis(300));
        for _ in 0..8 {
            pace.tick().await;
            if echoing { echoes(&mut client).await } else { client.send(b"x").await }
        }
        origin.wait_for_bytes(client_hello(Some(HOST)).len() + if echoing { 8 * 12 } else { 8 }).await;
        client.finish().await;
        assert_eq!(client.read_to_end().await, b"");
    }
}
