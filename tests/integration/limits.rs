//! Limits: on connections, on time and size of a request head, on who may ask. Each has its answer, and ends with its cause.

use crate::support::client::{Closing, Problem, RawClient, client_hello, connect_tunnel, exchange};
use crate::support::daemon::{Daemon, records};
use crate::support::entrance::{NAME, Reception};
use crate::support::intercept::World;
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin, SecureOrigin};
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::{Scrape, wait_for_decisions, wait_until};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::interval;

const HOST: &str = "api.imagicle.com";
const CONNECT: &[u8] = b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\n\r\n";
const IMPATIENT: &str = "[limits]\nhead = \"200ms\"";

/// A tunnel that sends back what it is given.
async fn tunnel(proxy: SocketAddr) -> RawClient {
    let mut client = connect_tunnel(proxy, "api.imagicle.com:443").await.expect("the tunnel opens");
    let hello = client_hello(Some(HOST));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    client
}

/// Reads a refusal and the orderly end behind it.
async fn refusal(client: &mut RawClient) -> (u16, Problem) {
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
    (head.status, Problem::parse(&head, &body))
}

async fn is_bad_request(client: &mut RawClient, detail: &str) {
    let (status, problem) = refusal(client).await;
    assert_eq!((status, problem.reason.as_str()), (400, "bad_request"), "{problem:?}");
    assert!(problem.detail.contains(detail), "{problem:?}");
}

async fn open_connections(admin: SocketAddr, count: usize) -> Scrape {
    wait_until(admin, |scrape| scrape.clients() == count).await
}

#[tokio::test]
async fn one_connection_too_many_is_told_and_nobody_else_notices() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = Daemon::start(&Setup::new().host(HOST, origin.addr()).section("[limits]\nmax_connections = 2").text()).await;
    let (mut first, mut second) = (tunnel(daemon.proxy).await, tunnel(daemon.proxy).await);
    let mut third = RawClient::connect(daemon.proxy).await;
    let (status, problem) = refusal(&mut third).await;
    assert_eq!((status, problem.reason.as_str()), (503, "overloaded"));
    let record = daemon.wait_for_line("its own record", |line| line["decision"] == problem.decision.as_str()).await;
    assert_eq!((record["verdict"].as_str(), record["client"].as_str()), (Some("deny"), Some(third.local_addr().to_string().as_str())));
    for client in [&mut first, &mut second] {
        client.send(b"unmoved").await;
        assert_eq!(client.read_exact(7).await, b"unmoved");
    }
    first.finish().await;
    first.read_to_end().await;
    open_connections(daemon.admin, 1).await;
    tunnel(daemon.proxy).await.finish().await;
}

/// Many at once over the limit; afterwards all places are free again.
#[tokio::test]
async fn a_crowd_is_turned_away_and_leaves_no_trace() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(HOST, origin.addr()).section("[limits]\nmax_connections = 3").start();
    let seated = [tunnel(proxy.proxy()).await, tunnel(proxy.proxy()).await, tunnel(proxy.proxy()).await];
    for _ in 0..50 {
        assert_eq!(refusal(&mut RawClient::connect(proxy.proxy()).await).await.0, 503);
    }
    wait_for_decisions(proxy.admin(), "deny", "overloaded", 50).await;
    drop(seated);
    open_connections(proxy.admin(), 0).await;
    for _ in 0..3 {
        tunnel(proxy.proxy()).await;
    }
}

/// One client alone fills nothing: there is always a place for another one.
#[tokio::test]
async fn one_client_leaves_an_eighth_to_others() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(HOST, origin.addr()).section("[limits]\nmax_connections = 16").start();
    let mut taken = Vec::new();
    for _ in 0..14 {
        taken.push(tunnel(proxy.proxy()).await);
    }
    let (status, problem) = refusal(&mut RawClient::connect(proxy.proxy()).await).await;
    assert_eq!((status, problem.reason.as_str()), (503, "overloaded"));
    assert_eq!(problem.rule.as_deref(), Some("limits.share-of-one-client"));
    for _ in 0..2 {
        let mut other = RawClient::connect_from("127.0.0.7", proxy.proxy()).await;
        other.send(CONNECT).await;
        assert_eq!(other.read_head().await.status, 200);
        taken.push(other);
    }
    let (_, problem) = refusal(&mut RawClient::connect_from("127.0.0.8", proxy.proxy()).await).await;
    assert_eq!(problem.rule.as_deref(), Some("limits.max_connections"), "all are taken");
    drop(taken);
    open_connections(proxy.admin(), 0).await;
    for _ in 0..14 {
        tunnel(proxy.proxy()).await;
    }
}

/// A client that begins handshakes and finishes none has half of the places in them, and another one still gets through.
async fn half_of_all_handshakes(proxy: SocketAddr, admin: SocketAddr, begin: impl AsyncFn(RawClient) -> RawClient) {
    let mut silent = Vec::new();
    for _ in 0..8 {
        let mut client = begin(RawClient::connect(proxy).await).await;
        assert_eq!(client.read_exact(1).await, [22], "the proxy's half of the handshake");
        silent.push(client);
    }
    let mut one_more = begin(RawClient::connect(proxy).await).await;
    assert!(one_more.read_until_closed().await.0.is_empty());
    wait_for_decisions(admin, "deny", "overloaded", 1).await;
    let mut other = begin(RawClient::connect_from("127.0.0.7", proxy).await).await;
    assert_eq!(other.read_exact(1).await, [22], "another client");
    drop((silent, other));
    open_connections(admin, 0).await;
    assert_eq!(begin(RawClient::connect(proxy).await).await.read_exact(1).await, [22], "they are over");
}

const SIXTEEN: &str = "[limits]\nmax_connections = 16\nhello = \"60s\"";

#[tokio::test]
async fn unfinished_handshakes_of_one_client_are_bounded_where_the_listener_speaks_tls() {
    let reception = Reception::new();
    let proxy = reception.configure(Setup::new().section(SIXTEEN), "").start();
    let begin = async |mut client: RawClient| {
        client.send(&client_hello(Some(NAME))).await;
        client
    };
    half_of_all_handshakes(proxy.proxy(), proxy.admin(), begin).await;
}

#[tokio::test]
async fn unfinished_handshakes_of_one_client_are_bounded_where_the_proxy_decrypts() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(HOST, |_| {}).server(&[b"http/1.1"])).await;
    let world = World::with(&pki, origin.addr(), SIXTEEN);
    let begin = async |mut client: RawClient| {
        client.send(CONNECT).await;
        assert_eq!(client.read_head().await.status, 200);
        client.send(&client_hello(Some(HOST))).await;
        client
    };
    half_of_all_handshakes(world.proxy.proxy(), world.proxy.admin(), begin).await;
}

/// Closing over a request that was not read would reset the connection, and the answer with it: a client that writes before
/// it reads, as every real one does, must still find the reason.
#[tokio::test]
async fn a_client_that_is_turned_away_can_read_why() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(HOST, origin.addr()).section("[limits]\nmax_connections = 1").start();
    let _seated = tunnel(proxy.proxy()).await;
    for _ in 0..20 {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(CONNECT).await;
        let (status, problem) = refusal(&mut client).await;
        assert_eq!((status, problem.reason.as_str()), (503, "overloaded"));
    }
}

#[tokio::test]
async fn half_a_head_is_refused_in_time() {
    let proxy = Setup::new().section(IMPATIENT).start();
    for half in ["C", "CONNECT", "CONNECT api.imagicle.com:443 HTTP/1.1\r\n", "GET http://api.imagicle.com/ HTTP/1.1\r\nHost: x\r\n"] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(half.as_bytes()).await;
        is_bad_request(&mut client, "in time").await;
    }
    wait_for_decisions(proxy.admin(), "deny", "bad_request", 4).await;
}

/// The deadline is for the whole head: bytes that trickle in do not push it back.
#[tokio::test]
async fn a_head_that_trickles_in_is_refused_in_time() {
    let proxy = Setup::new().section("[limits]\nhead = \"400ms\"").start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nX-A: ").await;
    let mut pace = interval(Duration::from_millis(50));
    let refused = wait_for_decisions(proxy.admin(), "deny", "bad_request", 1);
    tokio::pin!(refused);
    loop {
        tokio::select! {
            _ = pace.tick() => { let _ = client.try_send(b"a").await; }
            _ = &mut refused => break,
        }
    }
    let head = client.read_head().await;
    assert_eq!(head.status, 400);
}

/// The deadline holds for every head of a connection; between two of them silence is no exchange.
#[tokio::test]
async fn a_later_head_has_its_deadline_too() {
    let origin = HttpOrigin::start().await;
    let policy = PolicyFile::of("site", "1m", &[("plain.test", 80, "http")]);
    let setup = Setup::new().host("plain.test", origin.addr()).policy(policy).section(IMPATIENT);
    let proxy = setup.start();
    let request = b"GET http://plain.test/status/200 HTTP/1.1\r\nHost: plain.test\r\n\r\n";
    for half in [&b""[..], b"G", b"GET http://plain.test/status/200 HTTP/1.1\r\nHost: pl"] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(request).await;
        assert_eq!(client.read_head().await.status, 200);
        client.send(half).await;
        if half.is_empty() {
            assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
        } else {
            is_bad_request(&mut client, "in time").await;
        }
    }
    let scrape = wait_for_decisions(proxy.admin(), "deny", "bad_request", 2).await;
    assert_eq!((scrape.all_decisions(), origin.requests().len()), (5, 3));
}

/// An open port check or a pre-connection asks nothing, so it is no exchange.
#[tokio::test]
async fn silence_is_closed_without_a_record() {
    let daemon = Daemon::start(&Setup::new().section(IMPATIENT).text()).await;
    for _ in 0..3 {
        let mut client = RawClient::connect(daemon.proxy).await;
        assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
    }
    let scrape = open_connections(daemon.admin, 0).await;
    assert_eq!((scrape.all_decisions(), scrape.count("ucx_egress_requests_total", &[])), (0, 0));
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 0);
}

/// Up to the limit a head is read, whatever it asks for; over it, it is refused as soon as that is clear.
#[tokio::test]
async fn a_large_head_is_refused() {
    let proxy = Setup::new().start();
    let head = |length: usize| {
        let start = "CONNECT example.org:443 HTTP/1.1\r\nX-A: ";
        format!("{start}{}\r\n\r\n", "a".repeat(length - start.len() - 4)).into_bytes()
    };
    for length in [64 * 1024 - 1, 64 * 1024] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&head(length)).await;
        assert_eq!(refusal(&mut client).await.1.reason, "host_not_allowed", "{length} bytes");
    }
    for length in [64 * 1024 + 1, 66_000, 128 * 1024, 300 * 1024] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&head(length)).await;
        is_bad_request(&mut client, "64 KiB").await;
    }
    let mut endless = RawClient::connect(proxy.proxy()).await;
    endless.send(&b"A".repeat(64 * 1024 + 1)).await;
    is_bad_request(&mut endless, "KiB").await;
}

#[tokio::test]
async fn many_fields_are_refused() {
    let proxy = Setup::new().start();
    let request = |count: usize| [&b"CONNECT example.org:443 HTTP/1.1\r\n"[..], &b"A: b\r\n".repeat(count), b"\r\n"].concat();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request(100)).await;
    assert_eq!(refusal(&mut client).await.1.reason, "host_not_allowed");
    for count in [101, 1_000] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&request(count)).await;
        is_bad_request(&mut client, "100 header fields").await;
    }
}

/// A client that speaks something else is told what to set, without waiting for a head that never comes.
#[tokio::test]
async fn other_protocols_are_told_what_this_port_speaks() {
    let proxy = Setup::new().start();
    let others: [(&str, Vec<u8>); 7] = [
        ("TLS", client_hello(Some(HOST))),
        ("TLS", vec![0x16]),
        ("SOCKS", b"\x05\x01\x00".to_vec()),
        ("SOCKS", b"\x04\x01\x01\xbb\x0a\x00\x00\x01\x00".to_vec()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec()),
        ("method", b"\r\nGET / HTTP/1.1\r\n\r\n".to_vec()),
        ("method", b"\0\0\0\0".to_vec()),
    ];
    for (detail, bytes) in others {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&bytes).await;
        is_bad_request(&mut client, detail).await;
    }
}

#[tokio::test]
async fn a_client_of_another_network_is_refused_on_every_way_in() {
    let origin = RawOrigin::start().await;
    let setup = Setup::new().host(HOST, origin.addr()).host("tenant.imagicle.cloud", origin.addr()).relay("tenant.imagicle.cloud:1636");
    let proxy = setup.section("[clients]\nallow = [\"10.0.0.0/8\", \"::1/128\"]").start();
    for request in
        [CONNECT, b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", b"GET http://api.imagicle.com/ HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n"]
    {
        let (head, body) = exchange(proxy.proxy(), request).await;
        let problem = Problem::parse(&head, &body);
        assert_eq!((head.status, problem.reason.as_str()), (403, "client_not_allowed"));
        assert_eq!(problem.rule.as_deref(), Some("clients.allow"));
    }
    let mut relayed = RawClient::connect(proxy.relay()).await;
    assert_eq!(relayed.read_until_closed().await, (Vec::new(), Closing::Clean), "no protocol to say it in");
    wait_for_decisions(proxy.admin(), "deny", "client_not_allowed", 4).await;
    assert_eq!(origin.connections(), 0);
    is_served(&proxy).await;
}

/// Health and metrics are not the clients' matter.
async fn is_served(proxy: &Proxy) {
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", proxy.admin());
    assert_eq!(exchange(proxy.admin(), request.as_bytes()).await.0.status, 200);
}
