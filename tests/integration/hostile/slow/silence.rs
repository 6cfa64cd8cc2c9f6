//! Clients that connect and ask nothing: they take all places, and give them up to whoever asks.

use crate::support::client::{Problem, RawClient, client_hello, connect_tunnel, within_deadline};
use crate::support::daemon::Daemon;
use crate::support::entrance::{NAME, Reception};
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::scrape::{wait_for_decisions, wait_until};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::interval;

const API: &str = "api.imagicle.com";
const PLAIN: &str = "plain.test";
const CONNECT: &[u8] = b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\n\r\n";
const GET: &[u8] = b"GET http://plain.test/status/200 HTTP/1.1\r\nHost: plain.test\r\n\r\n";
/// Nobody is ended for being late: what is ended here made room.
const SIXTEEN: &str = "[limits]\nmax_connections = 16\nhead = \"1m\"\nhello = \"1m\"";
/// One address has seven eighths of the places; two have all.
const SILENT: [(&str, usize); 2] = [("127.0.0.7", 14), ("127.0.0.8", 14)];
const NEWCOMER: &str = "127.0.0.9";

/// Takes what there is, each time saying so much.
async fn fill(proxy: SocketAddr, said: &[u8]) -> Vec<RawClient> {
    let mut silent = Vec::new();
    for (address, count) in SILENT {
        for _ in 0..count {
            let mut client = RawClient::connect_from(address, proxy).await;
            let _ = client.try_send(said).await;
            silent.push(client);
        }
    }
    silent
}

/// Comes again until it is served, as clients do.
async fn is_served(proxy: SocketAddr, said: &[u8], served: impl AsyncFn(&mut RawClient) -> bool) -> RawClient {
    let mut pace = interval(Duration::from_millis(50));
    within_deadline("a newcomer is served", async {
        loop {
            pace.tick().await;
            let mut client = RawClient::connect_from(NEWCOMER, proxy).await;
            if client.try_send(said).await.is_ok() && served(&mut client).await {
                return client;
            }
        }
    })
    .await
}

async fn has_tunnel(client: &mut RawClient) -> bool {
    let Some(head) = client.try_read_through(b"\r\n\r\n").await else { return false };
    if !head.starts_with(b"HTTP/1.1 200") {
        return false;
    }
    let hello = client_hello(Some(API));
    client.send(&hello).await;
    client.try_read_exact(hello.len()).await == Some(hello)
}

/// The proxy's half of a handshake.
async fn shakes_hands(client: &mut RawClient) -> bool {
    client.try_read_exact(1).await == Some(vec![22])
}

async fn echoes(client: &mut RawClient) {
    client.send(b"unmoved").await;
    assert_eq!(client.read_exact(7).await, b"unmoved");
}

async fn asks(client: &mut RawClient) {
    client.send(GET).await;
    let head = client.read_head().await;
    assert_eq!(head.status, 200);
    client.read_body(&head).await;
}

/// Whoever has asked something stays; who has not is told why it goes.
#[tokio::test]
async fn silent_clients_make_room_and_nobody_else_does() {
    let (origin, plain) = (RawOrigin::scripted(Behaviour::Echo).await, HttpOrigin::start().await);
    let policy = PolicyFile::of("site", "1m", &[(PLAIN, 80, "http"), (API, 443, "https")]);
    let setup = Setup::new().host(API, origin.addr()).host(PLAIN, plain.addr()).section(SIXTEEN).policy(policy);
    let mut daemon = Daemon::start(&setup.text()).await;
    let mut tunnel = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("the tunnel opens");
    let hello = client_hello(Some(API));
    tunnel.send(&hello).await;
    tunnel.read_exact(hello.len()).await;
    let mut kept = RawClient::connect_from("127.0.0.7", daemon.proxy).await;
    asks(&mut kept).await;
    let mut silent = fill(daemon.proxy, b"").await;
    let mut newcomers = Vec::new();
    // More than all the silent ones.
    for _ in 0..12 {
        newcomers.push(is_served(daemon.proxy, CONNECT, has_tunnel).await);
    }
    for client in newcomers.iter_mut().chain([&mut tunnel]) {
        echoes(client).await;
    }
    asks(&mut kept).await;
    // The first of them came when there were places: it made room.
    let head = silent[0].read_head().await;
    let body = silent[0].read_body(&head).await;
    let problem = Problem::parse(&head, &body);
    assert_eq!((head.status, problem.reason.as_str()), (503, "overloaded"));
    assert_eq!(problem.rule.as_deref(), Some("silent-connections"));
    let record = daemon.wait_for_line("its own record", |line| line["decision"] == problem.decision.as_str()).await;
    assert_eq!((record["verdict"].as_str(), record["reason"].as_str()), (Some("deny"), Some("overloaded")));
}

/// Half a head is not asking anything either.
#[tokio::test]
async fn half_a_head_makes_room() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(API, origin.addr()).section(SIXTEEN).start();
    let _silent = fill(proxy.proxy(), &CONNECT[..CONNECT.len() - 2]).await;
    wait_until(proxy.admin(), |scrape| scrape.clients() == 16).await;
    is_served(proxy.proxy(), CONNECT, has_tunnel).await;
}

/// Tunnels that were granted and say nothing.
#[tokio::test]
async fn tunnels_without_a_client_hello_make_room() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(API, origin.addr()).section(SIXTEEN).start();
    let mut silent = fill(proxy.proxy(), CONNECT).await;
    for client in &mut silent[..14] {
        assert_eq!(client.read_head().await.status, 200);
    }
    let mut newcomer = is_served(proxy.proxy(), CONNECT, has_tunnel).await;
    assert!(silent[0].is_closed().await);
    echoes(&mut newcomer).await;
    wait_for_decisions(proxy.admin(), "deny", "overloaded", 1).await;
}

/// A relay's clients, whose destination was dialled and who say nothing.
#[tokio::test]
async fn silent_clients_of_a_relay_make_room() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(API, origin.addr()).relay("api.imagicle.com:443").section(SIXTEEN).start();
    let _silent = fill(proxy.relay(), b"").await;
    let hello = client_hello(Some(API));
    let mut newcomer = is_served(proxy.relay(), &hello, async |client| client.try_read_exact(hello.len()).await.is_some()).await;
    echoes(&mut newcomer).await;
}

#[tokio::test]
async fn unfinished_handshakes_and_none_at_all_make_room() {
    let reception = Reception::new();
    let proxy = reception.configure(Setup::new().section(SIXTEEN), "").start();
    let hello = client_hello(Some(NAME));
    // Seven of each begin a handshake, and nobody has more than half of all.
    let mut silent = Vec::new();
    for (address, count) in SILENT {
        for number in 0..count {
            let mut client = RawClient::connect_from(address, proxy.proxy()).await;
            if number % 2 == 0 {
                let _ = client.try_send(&hello).await;
            }
            silent.push(client);
        }
    }
    let mut newcomers = Vec::new();
    for _ in 0..4 {
        newcomers.push(is_served(proxy.proxy(), &hello, shakes_hands).await);
    }
    wait_for_decisions(proxy.admin(), "deny", "overloaded", 4).await;
}

/// Connections whose TLS is there and in which nothing is asked, in both versions of HTTP.
#[tokio::test]
async fn finished_handshakes_that_ask_nothing_make_room() {
    let reception = Reception::new();
    let proxy = reception.configure(Setup::new().section("[limits]\nmax_connections = 4\nhead = \"1m\"\nhello = \"1m\""), "").start();
    for alpn in [&[&b"http/1.1"[..]][..], &[&b"h2"[..]]] {
        let mut silent = Vec::new();
        while let Ok(stream) = reception.connect(proxy.proxy(), alpn).await {
            silent.push(stream);
        }
        assert!(!silent.is_empty());
        is_served(proxy.proxy(), &client_hello(Some(NAME)), shakes_hands).await;
        is_served(proxy.proxy(), &client_hello(Some(NAME)), shakes_hands).await;
    }
}

/// Refusals that are not read are not waited for where others are refused: each of them is told why.
#[tokio::test]
async fn whoever_is_refused_is_told_however_many_do_not_listen() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(API, origin.addr()).section("[limits]\nmax_connections = 1").start();
    let _tunnel = is_served(proxy.proxy(), CONNECT, has_tunnel).await;
    let mut crowd = Vec::new();
    for number in 10..20 {
        for _ in 0..20 {
            crowd.push(RawClient::connect_from(&format!("127.0.0.{number}"), proxy.proxy()).await);
        }
    }
    for client in &mut crowd {
        assert_eq!(client.read_head().await.status, 503);
    }
}
