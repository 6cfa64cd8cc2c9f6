//! CONNECT is answered 200 only once the upstream is there; until then every failure has its status and its reason.

use super::{AUTHORITY, HOST, record_of};
use crate::support::client::{RawClient, connect_tunnel};
use crate::support::daemon::{Daemon, records};
use crate::support::dns::DnsServer;
use crate::support::origin::{Deserted, Full, RawOrigin};
use crate::support::proxy::Setup;
use std::net::SocketAddr;

async fn refused(proxy: SocketAddr) -> (u16, String) {
    let (head, problem) = connect_tunnel(proxy, AUTHORITY).await.expect_err("there is no upstream");
    (head.status, problem.reason)
}

#[tokio::test]
async fn an_origin_that_refuses_is_a_bad_gateway() {
    let nobody = Deserted::new();
    let proxy = Setup::new().host(HOST, nobody.addr()).start();
    assert_eq!(refused(proxy.proxy()).await, (502, "connect_failed".to_owned()));
}

#[tokio::test]
async fn an_origin_that_stays_silent_is_a_gateway_timeout() {
    let full = Full::start().await;
    let proxy = Setup::new().host(HOST, full.addr()).section("[limits]\nconnect = \"300ms\"").start();
    assert_eq!(refused(proxy.proxy()).await, (504, "connect_timeout".to_owned()));
}

/// One dead address does not spoil the others.
#[tokio::test]
async fn the_next_address_is_tried() {
    let origin = RawOrigin::start().await;
    let dead = Deserted::new();
    let full = Full::start().await;
    let addresses = [dead.addr().to_string(), full.addr().to_string(), origin.addr().to_string()];
    let proxy = Setup::new().addresses(HOST, &addresses.each_ref().map(String::as_str)).start();
    connect_tunnel(proxy.proxy(), AUTHORITY).await.expect("one address lives");
    origin.wait_for_connections(1).await;
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_bad_gateway() {
    let dns = DnsServer::start().await;
    let proxy = Setup::new().name_server(dns.addr()).start();
    assert_eq!(refused(proxy.proxy()).await, (502, "resolve_failed".to_owned()));
    assert!(dns.queries().iter().all(|(name, _)| name == HOST), "{:?}", dns.queries());
}

#[tokio::test]
async fn silent_name_servers_are_a_bad_gateway() {
    let dns = DnsServer::start().await;
    dns.go_silent();
    let proxy = Setup::new().name_server(dns.addr()).section("[limits]\nresolve = \"300ms\"").start();
    assert_eq!(refused(proxy.proxy()).await, (502, "resolve_failed".to_owned()));
}

/// The record is written when the exchange is over, whether or not anyone is left to hear its answer; and only once.
#[tokio::test]
async fn a_client_that_leaves_while_the_name_is_looked_up_is_recorded_once() {
    let dns = DnsServer::start().await;
    dns.go_silent();
    let mut daemon = Daemon::start(&Setup::new().name_server(dns.addr()).section("[limits]\nresolve = \"500ms\"").text()).await;
    for (number, resets) in [false, true].into_iter().enumerate() {
        let mut client = RawClient::connect(daemon.proxy).await;
        let address = client.local_addr();
        client.send(b"CONNECT api.imagicle.com:443 HTTP/1.1\r\n\r\n").await;
        dns.wait_for_queries(number + 1).await;
        if resets {
            client.reset();
        } else {
            drop(client);
        }
        let record = record_of(&mut daemon, address).await;
        assert_eq!(record["destination"].as_str(), Some(AUTHORITY));
    }
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 2);
}

#[tokio::test]
async fn a_client_that_leaves_while_the_dial_is_pending_is_recorded_once() {
    let full = Full::start().await;
    let mut daemon = Daemon::start(&Setup::new().host(HOST, full.addr()).section("[limits]\nconnect = \"500ms\"").text()).await;
    let mut client = RawClient::connect(daemon.proxy).await;
    let address = client.local_addr();
    client.send(b"CONNECT api.imagicle.com:443 HTTP/1.1\r\n\r\n").await;
    drop(client);
    let record = record_of(&mut daemon, address).await;
    assert_eq!((record["service"].as_str(), record["up"].as_u64()), (Some("licensing"), Some(0)));
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 1);
}
